"""Confluence Cloud: pages of one site through its REST API v2, with one credential.

A write sends the whole body, spliced from what was read a moment before, under the version lock. The page's identity is the
`id` of its details macro (`syncd-<marker>`), the fence against a second creation is the title, unique in a space. Storage
markup is `mapping.confluence_storage`; requests and answers are `confluence_wire.py`; accounts and e-mails are
`confluence_people.py`.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests

from mapping.confluence_storage import StorageError, StoragePage, parse, project, render, splice
from mapping.document import Doc
from mapping.incident import Person
from providers.confluence_people import People
from providers.confluence_wire import Json, Wire
from providers.contract import (
    Capabilities,
    Change,
    Done,
    Missing,
    Observation,
    Outcome,
    Place,
    ProviderError,
    Refused,
    Rejected,
    Stale,
    TitleTaken,
    Unknown,
    Unreachable,
)
from providers.transport import Answer, Budget

MARKER = "syncd-"
MOST_IDS = 250
NEWEST = 25
LONGEST_NOTE = 255
EVERYWHERE = "current,archived,trashed"

_ID = re.compile(r"[0-9]{1,18}")
_SPACE_KEY = re.compile(r"~?[A-Za-z0-9._:-]{1,255}")
_CONTROL = re.compile("[\x00-\x1f\x7f]+")
_GONE = {"trashed": "trashed", "deleted": "trashed", "archived": "archived"}


class ConfluenceCloud:
    """One Confluence Cloud site; the methods are those of `Provider`.

    `url` ends in `/wiki`; `token` is an API token of `user`, or a bearer token when `user` is empty. `accounts` maps
    e-mails to account ids where the site does not tell them. `now` is the wall clock, zone-aware. `session` brings other
    transports.
    """

    def __init__(
        self,
        *,
        url: str,
        user: str,
        token: str,
        accounts: Mapping[str, str],
        budget: Budget,
        now: Callable[[], datetime],
        session: requests.Session | None = None,
        settle_seconds: float = 120.0,
    ) -> None:
        self.capabilities = Capabilities(
            compare_and_swap=True, published=True, native_ids=False, settle_seconds=settle_seconds
        )
        self._url = url.rstrip("/")
        self._wire = Wire(self._url, user, token, budget, now, session)
        self._people = People(self._wire, accounts, now)
        self._spaces: dict[str, Json] = {}

    # --- looking ---

    def check(self, place: Place, *, write: bool = False) -> Sequence[str]:
        me = self._wire.read("rest/api/user/current")
        said = [f"signed in as {me.get('displayName') or me.get('accountId')}"]
        space = self._space(place)
        said.append(f"space {space.get('key')} ({space.get('name')}) is there")
        parent = _parent(place)
        if parent:
            said.append(f"parent page “{self._fetch(parent)['title']}” can be read")
        if write:
            self._prove_write(str(space["id"]), parent)
            said.append("a draft was made and discarded: we may write")
        return said

    def find(self, place: Place, marker: str, title: str) -> Observation | None:
        space = str(self._space(place)["id"])
        wanted = _clean_title(title)
        titled = self._pages("api/v2/pages", {"space-id": space, "title": wanted, "status": EVERYWHERE})
        newest = self._pages(f"api/v2/spaces/{space}/pages", {"sort": "-created-date", "status": EVERYWHERE})
        holders = list(titled)
        ours = _carrying(marker, holders) or _carrying(marker, newest)
        if ours is not None:
            return self._observed(ours)
        if holders:
            raise TitleTaken(f"another page in the space is called “{wanted}” ({_status(holders[0])})")
        return None

    def read(self, place: Place, native_id: str) -> Observation:
        return self._observed(self._fetch(native_id))

    def versions(self, place: Place, native_ids: Sequence[str]) -> Mapping[str, Change]:
        known = [native_id for native_id in native_ids if _ID.fullmatch(native_id)]
        changes: dict[str, Change] = {}
        for start in range(0, len(known), MOST_IDS):
            ids = ",".join(known[start : start + MOST_IDS])
            query = {"id": ids, "limit": str(MOST_IDS), "status": f"{EVERYWHERE},deleted"}
            for page in self._wire.listing("api/v2/pages", query):
                version = str(page["version"]["number"]) if page.get("status") == "current" else None
                changes[str(page["id"])] = Change(str(page["id"]), version)
        return changes

    def project(self, doc: Doc) -> Doc:
        blocks = self._people.named(project(self._people.addressed(doc.blocks)))
        return Doc(_clean_title(doc.title), blocks)

    def people(self) -> Sequence[Person]:
        return self._people.everyone()

    # --- writing ---

    def create(self, place: Place, doc: Doc, marker: str) -> Outcome:
        try:
            page = self._new_page(place, doc, marker)
        except ProviderError as error:
            return Rejected(error)
        answer = self._wire.write("POST", "api/v2/pages", page)
        if not isinstance(answer, Answer):
            return answer
        native_id = str(answer.body.get("id", ""))
        return self._done(native_id) if native_id else Unknown("a page was made, but the answer does not name it")

    def _new_page(self, place: Place, doc: Doc, marker: str) -> Json:
        parent = _parent(place)
        body = render(self._people.addressed(doc.blocks), details_id=MARKER + marker)
        return {
            "spaceId": str(self._space(place)["id"]),
            "status": "current",
            "title": _clean_title(doc.title),
            "body": {"representation": "storage", "value": body},
            **({"parentId": parent} if parent else {}),
        }

    def write(self, place: Place, seen: Observation, target: Doc, note: str) -> Outcome:
        try:
            page = self._fetch(seen.native_id)
            fresh, parsed = self._observed(page), _parsed(page)
            blocks = self._people.addressed(target.blocks)
        except ProviderError as error:
            return Rejected(error)
        if fresh.version != seen.version or fresh.doc != seen.doc:
            return Stale(f"the page moved from version {seen.version} to {fresh.version} since it was read")
        if page.get("subtype") == "live":
            return Rejected(Refused("this is a live doc, which has no versions to write under; make it a page"))
        body = splice(parsed, blocks, details_id=MARKER + seen.marker if seen.marker else "")
        if body == _body(page) and _clean_title(target.title) == fresh.doc.title:
            return Done(seen.native_id, fresh)
        return self._update(page, _clean_title(target.title), body, note)

    def _update(self, page: Json, title: str, body: str, note: str) -> Outcome:
        native_id = str(page["id"])
        data = {
            "id": native_id,
            "status": "current",
            "title": title,
            "body": {"representation": "storage", "value": body},
            "version": {"number": page["version"]["number"] + 1, "message": _CONTROL.sub(" ", note)[:LONGEST_NOTE]},
        }
        answer = self._wire.write("PUT", f"api/v2/pages/{native_id}", data)
        return self._done(native_id) if isinstance(answer, Answer) else answer

    def _done(self, native_id: str) -> Done:
        """The service normalises what it is sent, so only a read tells what is there; it may not answer yet."""
        try:
            return Done(native_id, self._observed(self._fetch(native_id)))
        except ProviderError:
            return Done(native_id)

    def _prove_write(self, space: str, parent: str) -> None:
        body = {"representation": "storage", "value": "<p />"}
        draft = {"spaceId": space, "status": "draft", "body": body, **({"parentId": parent} if parent else {})}
        made = _proven(self._wire.write("POST", "api/v2/pages", draft))
        _proven(self._wire.write("DELETE", f"api/v2/pages/{_native(str(made.body['id']))}", None, {"draft": "true"}))

    # --- pages ---

    def _fetch(self, native_id: str) -> Json:
        page = self._wire.read(f"api/v2/pages/{_native(native_id)}", {"body-format": "storage"})
        status = _status(page)
        if status != "current":
            why = _GONE.get(status)
            raise Missing(f"the page is {status}", "archived" if why == "archived" else "trashed" if why else "not_found")
        return page

    def _pages(self, path: str, query: Mapping[str, str]) -> Iterator[Json]:
        """The first pages of a listing with their bodies, in one request, which is not sent before it is needed."""
        answer = self._wire.read(path, {**query, "limit": str(NEWEST), "body-format": "storage"})
        yield from answer.get("results", [])

    def _observed(self, page: Json) -> Observation:
        parsed, version = _parsed(page), page["version"]
        author = str(version.get("authorId") or "")
        blocks = self._people.named(parsed.blocks, also=[author] if author else [])
        links = page.get("_links", {})
        return Observation(
            native_id=str(page["id"]),
            url=f"{links.get('base') or self._url}{links.get('webui', '')}",
            version=str(version["number"]),
            doc=Doc(str(page["title"]), blocks),
            marker=_marker(parsed),
            author=self._people.name(author),
            edited_at=_moment(version.get("createdAt")),
        )

    def _space(self, place: Place) -> Json:
        """The space by id, key or pasted link; remembered. Raises Missing or Refused."""
        given = place.options.get("space", "")
        if given not in self._spaces:
            self._spaces[given] = self._find_space(_after(given, "spaces") or given.strip())
        return self._spaces[given]

    def _find_space(self, name: str) -> Json:
        if _ID.fullmatch(name):
            return self._wire.read(f"api/v2/spaces/{name}")
        if not _SPACE_KEY.fullmatch(name):
            raise Refused(f"“{name}” is neither a space key, a space id nor a link into a space")
        found = self._wire.read("api/v2/spaces", {"keys": name}).get("results", [])
        if not found:
            raise Missing(f"there is no space “{name}”, or we may not see it", "not_found")
        space: Json = found[0]
        return space


def _parent(place: Place) -> str:
    """The parent page's id, empty where pages go below the space's home. Raises Refused."""
    given = place.options.get("parent", "").strip()
    named = parse_qs(urlsplit(given).query).get("pageId", [""])[0] or _after(given, "pages") or given
    if named and not _ID.fullmatch(named):
        raise Refused(f"“{given}” is neither a page id nor a link to a page")
    return named


def _after(link: str, word: str) -> str:
    """The path segment of a link that follows a word; `edit-v2` and the like may stand between."""
    if "/" not in link:
        return ""
    segments = urlsplit(link).path.split("/")
    rest = segments[segments.index(word) + 1 :] if word in segments else []
    if word == "pages":
        return next((segment for segment in rest if _ID.fullmatch(segment)), "")
    return rest[0] if rest else ""


def _native(native_id: str) -> str:
    """A page id that is safe in a path."""
    if not _ID.fullmatch(native_id):
        raise Missing(f"“{native_id}” is no page id", "not_found")
    return native_id


def _carrying(marker: str, pages: Iterable[Json]) -> Json | None:
    """The first page whose details macro says it is ours."""
    wanted = MARKER + marker
    return next((page for page in pages if wanted in _body(page) and wanted in _markers(page)), None)


def _markers(page: Json) -> Sequence[str]:
    try:
        return parse(_body(page)).markers
    except StorageError:
        return ()


def _marker(parsed: StoragePage) -> str:
    ours = (marker for marker in parsed.markers if marker.startswith(MARKER))
    return next(ours, "").removeprefix(MARKER)


def _parsed(page: Json) -> StoragePage:
    try:
        return parse(_body(page))
    except StorageError as error:
        raise Refused(f"the page's body cannot be read: {error}") from error


def _body(page: Json) -> str:
    return str(page.get("body", {}).get("storage", {}).get("value", ""))


def _status(page: Json) -> str:
    return str(page.get("status", ""))


def _clean_title(title: str) -> str:
    """A title as the service keeps it."""
    return " ".join(_CONTROL.sub(" ", title).split())


def _moment(text: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None


def _proven(outcome: Answer | Outcome) -> Answer:
    """The answer of a probe, or the reason there is none as an exception."""
    if isinstance(outcome, Answer):
        return outcome
    if isinstance(outcome, Rejected):
        raise outcome.error
    raise Unreachable(getattr(outcome, "message", "no answer"))
