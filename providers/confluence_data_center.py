"""Confluence Data Center: REST API v1 of a server of one's own, as its vendor describes it (10.0).

Spaces go by key, people by user key, lists by `start` and `limit`. A page and its shared draft may be out of step; then a
write is refused until somebody has looked at the page, which is what is done here, once.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from providers.confluence_dialect import OPEN, Account, InlineComment, Resolution, Space, WikiPage, status_told
from providers.confluence_wire import Json, Wire, done, moment, saved
from providers.contract import (
    Change,
    Missing,
    Outcome,
    ProviderError,
    Rejected,
    Stale,
    Unknown,
    Unreachable,
)

MOST_IDS = 200  # the server's own bound on a list without bodies
NEWEST = 25
SHOWN = "body.storage,version,space"
THREAD = "extensions.inlineProperties,extensions.resolution"


class ConfluenceDataCenter:
    """One Data Center site; `url` is its base URL with the context path. The methods are those of `Dialect`."""

    mention = "account:userkey="

    def __init__(self, url: str, wire: Wire) -> None:
        self.url = url.rstrip("/")
        self._wire = wire
        self._homes: dict[str, str] = {}

    # --- pages ---

    def page(self, page_id: str) -> WikiPage:
        return self._page(self._wire.read(f"rest/api/content/{page_id}", {"status": "any", "expand": SHOWN}))

    def draft(self, page_id: str) -> WikiPage | None:
        try:
            return self._page(self._wire.read(f"rest/api/content/{page_id}", {"status": "draft", "expand": SHOWN}))
        except Missing:
            return None

    def titled(self, space: Space, title: str) -> Iterable[WikiPage]:
        query = {"spaceKey": space.key, "title": title, "type": "page", "status": "any", "expand": SHOWN}
        return [self._page(page) for page in self._wire.read("rest/api/content", query).get("results", [])]

    def newest(self, space: Space) -> Iterable[WikiPage]:
        """Two requests: the search index knows which are new, only the pages themselves what they say now."""
        cql = f'space = "{space.key}" and type = page order by created desc'
        found = self._wire.read("rest/api/content/search", {"cql": cql, "limit": str(NEWEST)}).get("results", [])
        ids = [str(page["id"]) for page in found]
        if ids:
            query = {"ids": ids, "status": "any", "expand": SHOWN, "limit": str(NEWEST)}
            yield from map(self._page, self._wire.read("rest/api/content", query).get("results", []))

    def versions(self, page_ids: Sequence[str]) -> Mapping[str, Change]:
        changes: dict[str, Change] = {}
        for start in range(0, len(page_ids), MOST_IDS):
            query = {"ids": list(page_ids[start : start + MOST_IDS]), "status": "any", "expand": "version"}
            for page in map(self._page, self._listing("rest/api/content", query)):
                changes[page.id] = Change(page.id, str(page.version) if page.status == "current" else None)
        return changes

    def messages(self, page_id: str) -> Sequence[str]:
        """Of the two newest versions: the API tells of no more at once."""
        newest = ("lastUpdated", "previousVersion")
        history = self._wire.read(f"rest/api/content/{page_id}/history", {"expand": ",".join(newest)})
        return [str(history[name].get("message") or "") for name in newest if history.get(name)]

    def post(self, space: Space, parent: str, title: str, body: str) -> Outcome:
        above = parent or self._home(space)
        where = {"space": {"key": space.key}, **({"ancestors": [{"id": above}]} if above else {})}
        data = {**where, "type": "page", "title": title, "body": _storage(body)}
        return saved(self._wire.write("POST", "rest/api/content", data))

    def put(self, page: WikiPage, title: str, body: str, message: str) -> Outcome:
        outcome = self._put(page, title, body, message)
        if not _out_of_step(outcome):
            return outcome
        try:
            fresh = self.page(page.id)
        except ProviderError as error:
            return Rejected(error)
        if (fresh.version, fresh.body) != (page.version, page.body):
            return Stale(f"the page moved from version {page.version} to {fresh.version} since it was read")
        outcome = self._put(page, title, body, message)
        words = "Confluence says that the page and its shared draft are out of step; publish it in the editor once"
        return Rejected(Unreachable(words)) if _out_of_step(outcome) else outcome

    def _put(self, page: WikiPage, title: str, body: str, message: str) -> Outcome:
        """A minor edit: nobody is mailed about what a machine carried over."""
        version = {"number": page.version + 1, "message": message, "minorEdit": True}
        what = {"id": page.id, "type": "page", "status": "current", "title": title, "body": _storage(body)}
        data = {**what, "version": version}
        return saved(self._wire.write("PUT", f"rest/api/content/{page.id}", data, query={"status": "current"}))

    def trash(self, page_id: str) -> Outcome:
        return done(page_id, self._wire.write("DELETE", f"rest/api/content/{page_id}"))

    def _page(self, page: Json) -> WikiPage:
        version, page_id = page.get("version") or {}, str(page["id"])
        return WikiPage(
            id=page_id,
            title=str(page.get("title") or ""),
            status=status_told(str(page.get("status", ""))),
            space=str((page.get("space") or {}).get("key", "")),
            version=int(version.get("number") or 0),
            body=str((page.get("body") or {}).get("storage", {}).get("value", "")),
            author=str((version.get("by") or {}).get("userKey") or ""),
            edited_at=moment(version.get("when")),
            message=str(version.get("message") or ""),
            url=f"{self.url}/pages/viewpage.action?pageId={page_id}",
        )

    # --- around pages ---

    def space(self, name: str) -> Space:
        """By key only: the server looks no space up by its id."""
        space = self._wire.read(f"rest/api/space/{name}", {"expand": "homepage"})
        key = str(space["key"])
        self._homes[key] = str((space.get("homepage") or {}).get("id") or "")
        return Space(key, key, str(space.get("name") or ""))

    def _home(self, space: Space) -> str:
        """The page below which pages go that have no other place; empty in a space without a home page."""
        if space.key not in self._homes:
            self.space(space.key)
        return self._homes[space.key]

    def label(self, page_id: str, labels: Sequence[str]) -> Outcome:
        data = [{"prefix": "global", "name": name} for name in labels]
        return done(page_id, self._wire.write("POST", f"rest/api/content/{page_id}/label", data))

    def file_size(self, page_id: str, name: str) -> int | None:
        query = {"filename": name}
        found = self._wire.read(f"rest/api/content/{page_id}/child/attachment", query).get("results", [])
        return int((found[0].get("extensions") or {}).get("fileSize") or 0) if found else None

    def upload(self, page_id: str, name: str, data: bytes) -> Outcome:
        return done(page_id, self._wire.upload("POST", f"rest/api/content/{page_id}/child/attachment", name, data))

    def unwatch(self, page_id: str) -> Outcome:
        return done(page_id, self._wire.write("DELETE", f"rest/api/user/watch/content/{page_id}"))

    def inline_comments(self, page_id: str, resolution: Resolution) -> Sequence[InlineComment]:
        query = {"location": ["inline", "resolved"], "expand": THREAD}
        threads = self._listing(f"rest/api/content/{page_id}/child/comment", query)
        return [_thread(one) for one in threads if _resolution(one) == resolution]

    def open_comments(self, page_id: str, ours: Collection[str]) -> int:
        query = {"location": ["inline", "footer"], "expand": THREAD}
        threads = self._listing(f"rest/api/content/{page_id}/child/comment", query)
        return sum(_resolution(one) in OPEN and str(one["id"]) not in ours for one in threads)

    def comment(self, page_id: str, body: str, under: str = "") -> Outcome:
        where = {"container": {"id": page_id, "type": "page"}, **({"ancestors": [{"id": under}]} if under else {})}
        return saved(self._wire.write("POST", "rest/api/content", {**where, "type": "comment", "body": _storage(body)}))

    def footer_comments(self, page_id: str, under: str = "") -> Iterator[tuple[str, str]]:
        """All of them, answers too: a list of answers alone is not offered."""
        query = {"location": "footer", "depth": "all", "expand": "body.storage"}
        for one in self._listing(f"rest/api/content/{page_id}/child/comment", query):
            yield str(one["id"]), str(one["body"]["storage"]["value"])

    def _listing(self, path: str, query: Mapping[str, str | Sequence[str]]) -> Iterator[Json]:
        """Everything a list holds; what a part leaves out is asked for from where it ended."""
        start = 0
        while True:
            part = self._wire.read(path, {**query, "start": str(start), "limit": str(MOST_IDS)})
            results = part.get("results", [])
            yield from results
            start += len(results)
            if not results or not part.get("_links", {}).get("next"):
                return

    # --- people ---

    def me(self) -> Account:
        return _account(self._wire.read("rest/api/user/current"))

    def accounts(self, account_ids: Sequence[str]) -> Iterable[Account]:
        """One request each: there is no other way."""
        for key in account_ids:
            try:
                yield _account(self._wire.read("rest/api/user", {"key": key}))
            except Missing:
                continue

    def accounts_like(self, email: str, words: str) -> Iterable[Account]:
        """The server tells no e-mails; where people sign in by them, an e-mail is a username."""
        try:
            return [_account(self._wire.read("rest/api/user", {"username": email}))]
        except Missing:
            return []


def _storage(body: str) -> Json:
    return {"storage": {"representation": "storage", "value": body}}


def _out_of_step(outcome: Outcome) -> bool:
    """409 on newer servers, 501 on older ones; nothing was written."""
    return isinstance(outcome, Stale | Unknown) and "unreconciled" in outcome.message.lower()


def _resolution(comment: Json) -> str:
    return str(((comment.get("extensions") or {}).get("resolution") or {}).get("status") or "open")


def _thread(comment: Json) -> InlineComment:
    place = (comment.get("extensions") or {}).get("inlineProperties") or {}
    return InlineComment(str(comment["id"]), str(place.get("markerRef") or ""), str(place.get("originalSelection") or ""))


def _account(user: Json) -> Account:
    username = str(user.get("username") or "")
    email = username.lower() if "@" in username else ""
    return Account(str(user.get("userKey") or ""), str(user.get("displayName") or ""), email)
