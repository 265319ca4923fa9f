"""Confluence Cloud: REST API v2, and of v1 what v2 has no way for (who we are, labels, watching, people by name)."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from urllib.parse import parse_qs, urlsplit

from providers.confluence_dialect import OPEN, Account, InlineComment, Resolution, Space, WikiPage, status_told
from providers.confluence_wire import Json, Wire, done, moment, saved
from providers.contract import Change, Missing, Outcome

MOST_IDS = 250
MOST_ACCOUNTS = 250
NEWEST = 25
EVERYWHERE = "current,archived,trashed"
NO_CHECK = {"X-Atlassian-Token": "no-check"}  # every v1 call that changes something wants it


class ConfluenceCloud:
    """One Cloud site; `url` ends in `/wiki`. The methods are those of `Dialect`."""

    mention = "account:"

    def __init__(self, url: str, wire: Wire) -> None:
        self.url = url.rstrip("/")
        self._wire = wire

    # --- pages ---

    def page(self, page_id: str) -> WikiPage:
        return self._page(self._wire.read(f"api/v2/pages/{page_id}", {"body-format": "storage"}))

    def draft(self, page_id: str) -> WikiPage | None:
        found = self._page(self._wire.read(f"api/v2/pages/{page_id}", {"body-format": "storage", "get-draft": "true"}))
        return found if found.status == "draft" else None

    def titled(self, space: Space, title: str) -> Iterable[WikiPage]:
        return list(self._first("api/v2/pages", {"space-id": space.id, "title": title, "status": EVERYWHERE}))

    def newest(self, space: Space) -> Iterable[WikiPage]:
        return self._first(f"api/v2/spaces/{space.id}/pages", {"sort": "-created-date", "status": EVERYWHERE})

    def _first(self, path: str, query: Mapping[str, str]) -> Iterator[WikiPage]:
        answer = self._wire.read(path, {**query, "limit": str(NEWEST), "body-format": "storage"})
        yield from map(self._page, answer.get("results", []))

    def versions(self, page_ids: Sequence[str]) -> Mapping[str, Change]:
        changes: dict[str, Change] = {}
        for start in range(0, len(page_ids), MOST_IDS):
            ids = ",".join(page_ids[start : start + MOST_IDS])
            query = {"id": ids, "limit": str(MOST_IDS), "status": f"{EVERYWHERE},deleted"}
            for page in map(self._page, self._listing("api/v2/pages", query)):
                changes[page.id] = Change(page.id, str(page.version) if page.status == "current" else None)
        return changes

    def messages(self, page_id: str) -> Sequence[str]:
        query = {"sort": "-modified-date", "limit": str(NEWEST)}
        versions = self._wire.read(f"api/v2/pages/{page_id}/versions", query).get("results", [])
        return [str(version.get("message") or "") for version in versions]

    def post(self, space: Space, parent: str, title: str, body: str) -> Outcome:
        where = {"spaceId": space.id, **({"parentId": parent} if parent else {})}
        data = {**where, "status": "current", "title": title, "body": _storage(body)}
        return saved(self._wire.write("POST", "api/v2/pages", data))

    def put(self, page: WikiPage, title: str, body: str, message: str) -> Outcome:
        version = {"number": page.version + 1, "message": message}
        data = {"id": page.id, "status": "current", "title": title, "body": _storage(body), "version": version}
        return saved(self._wire.write("PUT", f"api/v2/pages/{page.id}", data))

    def trash(self, page_id: str) -> Outcome:
        return done(page_id, self._wire.write("DELETE", f"api/v2/pages/{page_id}"))

    def _page(self, page: Json) -> WikiPage:
        version, links = page.get("version") or {}, page.get("_links") or {}
        return WikiPage(
            id=str(page["id"]),
            title=str(page.get("title") or ""),
            status=status_told(str(page.get("status", ""))),
            space=str(page.get("spaceId") or ""),
            version=int(version.get("number") or 0),
            body=str((page.get("body") or {}).get("storage", {}).get("value", "")),
            author=str(version.get("authorId") or ""),
            edited_at=moment(version.get("createdAt")),
            message=str(version.get("message") or ""),
            live=page.get("subtype") == "live",
            url=f"{links.get('base') or self.url}{links.get('webui', '')}",
        )

    # --- around pages ---

    def space(self, name: str) -> Space:
        if name.isdecimal():
            return _space(self._wire.read(f"api/v2/spaces/{name}"))
        found = self._wire.read("api/v2/spaces", {"keys": name}).get("results", [])
        if not found:
            raise Missing(f"there is no space “{name}”, or we may not see it", "not_found")
        return _space(found[0])

    def label(self, page_id: str, labels: Sequence[str]) -> Outcome:
        data = [{"prefix": "global", "name": name} for name in labels]
        return done(page_id, self._wire.write("POST", f"rest/api/content/{page_id}/label", data, headers=NO_CHECK))

    def file_size(self, page_id: str, name: str) -> int | None:
        found = self._wire.read(f"api/v2/pages/{page_id}/attachments", {"filename": name}).get("results", [])
        return int(found[0].get("fileSize") or 0) if found else None

    def upload(self, page_id: str, name: str, data: bytes) -> Outcome:
        """PUT makes a new version of a file that is there, which heals one that arrived in part."""
        return done(page_id, self._wire.upload("PUT", f"rest/api/content/{page_id}/child/attachment", name, data))

    def unwatch(self, page_id: str) -> Outcome:
        return done(page_id, self._wire.write("DELETE", f"rest/api/user/watch/content/{page_id}", headers=NO_CHECK))

    def inline_comments(self, page_id: str, resolution: Resolution) -> Sequence[InlineComment]:
        query = {"resolution-status": resolution, "limit": str(MOST_IDS)}
        return [_thread(one) for one in self._listing(f"api/v2/pages/{page_id}/inline-comments", query)]

    def open_comments(self, page_id: str, ours: Collection[str]) -> int:
        inline = {"resolution-status": OPEN, "limit": str(MOST_IDS)}
        on_text = self._listing(f"api/v2/pages/{page_id}/inline-comments", inline)
        below = self._listing(f"api/v2/pages/{page_id}/footer-comments", {"limit": str(MOST_IDS)})
        return sum(str(one["id"]) not in ours for one in chain(on_text, below))

    def comment(self, page_id: str, body: str, under: str = "") -> Outcome:
        where = {"parentCommentId": under} if under else {"pageId": page_id}
        return saved(self._wire.write("POST", "api/v2/footer-comments", {**where, "body": _storage(body)}))

    def footer_comments(self, page_id: str, under: str = "") -> Iterator[tuple[str, str]]:
        path = f"api/v2/footer-comments/{under}/children" if under else f"api/v2/pages/{page_id}/footer-comments"
        for one in self._listing(path, {"body-format": "storage", "limit": str(MOST_IDS)}):
            yield str(one["id"]), str(one["body"]["storage"]["value"])

    def _listing(self, path: str, query: Mapping[str, str | Sequence[str]]) -> Iterator[Json]:
        """Everything a listing holds. Of the link to the next part only the cursor is taken: its host may be another."""
        cursor = ""
        while True:
            part = self._wire.read(path, {**query, "cursor": cursor} if cursor else query)
            yield from part.get("results", [])
            following = str(part.get("_links", {}).get("next", ""))
            cursor = parse_qs(urlsplit(following).query).get("cursor", [""])[0]
            if not cursor:
                return

    # --- people ---

    def me(self) -> Account:
        return _account(self._wire.read("rest/api/user/current"))

    def accounts(self, account_ids: Sequence[str]) -> Iterable[Account]:
        for start in range(0, len(account_ids), MOST_ACCOUNTS):
            asked = list(account_ids[start : start + MOST_ACCOUNTS])
            yield from map(_account, self._wire.ask("api/v2/users-bulk", {"accountIds": asked}).get("results", []))

    def accounts_like(self, email: str, words: str) -> Iterable[Account]:
        """The site cannot be searched by e-mail."""
        if not words:
            return []
        found = self._wire.read("rest/api/search/user", {"cql": f'user.fullname ~ "{words}"', "limit": "25"})
        return [_account(result.get("user") or {}) for result in found.get("results", [])]


def _storage(body: str) -> Json:
    return {"representation": "storage", "value": body}


def _space(space: Json) -> Space:
    return Space(str(space["id"]), str(space.get("key") or ""), str(space.get("name") or ""))


def _thread(comment: Json) -> InlineComment:
    """The marker's names differ between the description and live answers: with hyphens there."""
    properties = comment.get("properties") or {}
    ref = properties.get("inline-marker-ref") or properties.get("inlineMarkerRef") or ""
    selection = properties.get("inline-original-selection") or properties.get("inlineOriginalSelection") or ""
    return InlineComment(str(comment["id"]), str(ref), str(selection))


def _account(user: Json) -> Account:
    name = str(user.get("displayName") or user.get("publicName") or "")
    return Account(str(user.get("accountId") or ""), name, str(user.get("email") or "").lower())
