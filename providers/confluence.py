"""Confluence as a provider: what is done with its pages, whatever the edition.

A write sends the whole body, spliced from what was read a moment before, under the version lock. The page's identity is the
`id` of its details macro (`syncd-<marker>`), the fence against a second creation is the title, unique in a space. Storage
markup is `mapping.confluence_storage`; requests are an edition's (`confluence_dialect.py`); accounts and e-mails are
`confluence_people.py`.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

from mapping.confluence_storage import StorageError, StoragePage, parse, project, render, splice
from mapping.document import Doc
from mapping.incident import Person
from providers.confluence_dialect import Dialect, Space, WikiPage
from providers.confluence_links import address
from providers.confluence_people import People
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
    Unreachable,
)

MARKER = "syncd-"
LONGEST_NOTE = 255

_ID = re.compile(r"[0-9]{1,18}")
_SPACE_NAME = re.compile(r"~?[A-Za-z0-9._:-]{1,255}")
_CONTROL = re.compile("[\x00-\x1f\x7f]+")


class Confluence:
    """One site; the methods are those of `Provider`. `accounts` maps e-mails to account ids where the site does not tell
    them. `now` is the wall clock, zone-aware.
    """

    def __init__(
        self,
        dialect: Dialect,
        *,
        accounts: Mapping[str, str],
        now: Callable[[], datetime],
        settle_seconds: float = 120.0,
    ) -> None:
        self.capabilities = Capabilities(
            compare_and_swap=True, published=True, native_ids=False, settle_seconds=settle_seconds
        )
        self._wiki, self._now = dialect, now
        self._people = People(dialect, accounts, now)
        self._spaces: dict[str, Space] = {}

    # --- looking ---

    def check(self, place: Place, *, write: bool = False) -> Sequence[str]:
        me = self._wiki.me()
        said = [f"signed in as {me.name or me.id}"]
        space = self._space(place)
        said.append(f"space {space.key} ({space.name}) is there")
        parent = self._parent(place)
        if parent:
            said.append(f"parent page “{self._fetch(parent).title}” can be read")
        if write:
            self._prove_write(space, parent)
            said.append("a page was made and put into the trash: we may write")
        return said

    def find(self, place: Place, marker: str, title: str) -> Observation | None:
        space, wanted = self._space(place), _clean_title(title)
        holders = list(self._wiki.titled(space, wanted))
        ours = _carrying(marker, holders) or _carrying(marker, self._wiki.newest(space))
        if ours is not None:
            return self._observed(ours)
        if holders:
            raise TitleTaken(f"another page in the space is called “{wanted}” ({holders[0].status})")
        return None

    def page_id(self, place: Place, link: str) -> str:
        return self._named(link) if address(link, self._wiki.url) else ""

    def read(self, place: Place, native_id: str) -> Observation:
        return self._observed(self._fetch(native_id))

    def versions(self, place: Place, native_ids: Sequence[str]) -> Mapping[str, Change]:
        return self._wiki.versions([native_id for native_id in native_ids if _ID.fullmatch(native_id)])

    def messages(self, place: Place, native_id: str) -> Sequence[str]:
        return self._wiki.messages(_native(native_id))

    def project(self, doc: Doc) -> Doc:
        blocks = self._people.named(project(self._people.addressed(doc.blocks)))
        return Doc(_clean_title(doc.title), blocks)

    def people(self) -> Sequence[Person]:
        return self._people.everyone()

    # --- writing ---

    def create(self, place: Place, doc: Doc, marker: str) -> Outcome:
        try:
            body = render(self._people.addressed(doc.blocks), details_id=MARKER + marker)
            outcome = self._wiki.post(self._space(place), self._parent(place), _clean_title(doc.title), body)
        except ProviderError as error:
            return Rejected(error)
        return self._confirmed(outcome)

    def write(self, place: Place, seen: Observation, target: Doc, note: str) -> Outcome:
        try:
            page = self._fetch(seen.native_id)
            fresh, parsed = self._observed(page), _parsed(page)
            blocks = self._people.addressed(target.blocks)
        except ProviderError as error:
            return Rejected(error)
        if fresh.version != seen.version or fresh.doc != seen.doc:
            return Stale(f"the page moved from version {seen.version} to {fresh.version} since it was read")
        if page.live:
            return Rejected(Refused("this is a live doc, which has no versions to write under; make it a page"))
        title = _clean_title(target.title)
        body = splice(parsed, blocks, details_id=MARKER + seen.marker if seen.marker else "")
        if body == page.body and title == fresh.doc.title:
            return Done(seen.native_id, fresh)
        return self._confirmed(self._wiki.put(page, title, body, _CONTROL.sub(" ", note)[:LONGEST_NOTE]))

    def _confirmed(self, outcome: Outcome) -> Outcome:
        """The service normalises what it is sent, so only a read tells what is there; it may not answer yet."""
        if not isinstance(outcome, Done):
            return outcome
        try:
            return Done(outcome.native_id, self._observed(self._fetch(outcome.native_id)))
        except ProviderError:
            return outcome

    def _prove_write(self, space: Space, parent: str) -> None:
        made = _proven(self._wiki.post(space, parent, f"syncd test {self._now():%Y-%m-%d %H:%M:%S.%f}", "<p />"))
        _proven(self._wiki.trash(_native(made.native_id)))

    # --- pages ---

    def _fetch(self, native_id: str) -> WikiPage:
        page = self._wiki.page(_native(native_id))
        if page.status == "archived" or page.status == "trashed":
            raise Missing(f"the page is {page.status}", page.status)
        if page.status != "current":
            raise Missing(f"the page is {page.status}", "not_found")
        return page

    def _observed(self, page: WikiPage) -> Observation:
        parsed = _parsed(page)
        blocks = self._people.named(parsed.blocks, also=[page.author] if page.author else [])
        return Observation(
            native_id=page.id,
            url=page.url,
            version=str(page.version),
            doc=Doc(page.title, blocks),
            marker=_marker(parsed),
            author=self._people.name(page.author),
            edited_at=page.edited_at,
        )

    def _space(self, place: Place) -> Space:
        """The space by id, key or pasted link; remembered. Raises Missing or Refused."""
        given = place.options.get("space", "")
        if given not in self._spaces:
            found = address(given) if "/" in given else None
            name = found.space if found else given.strip()
            self._spaces[given] = self._space_called(name)
        return self._spaces[given]

    def _space_called(self, name: str) -> Space:
        if not _SPACE_NAME.fullmatch(name):
            raise Refused(f"“{name}” is neither a space key, a space id nor a link into a space")
        return self._wiki.space(name)

    def _parent(self, place: Place) -> str:
        """The parent page's id, empty where pages go below the space's home. Raises Refused, Missing."""
        given = place.options.get("parent", "").strip()
        if given and not address(given):
            raise Refused(f"“{given}” is neither a page id nor a link to a page")
        return self._named(given) if given else ""

    def _named(self, link: str) -> str:
        """The id of the page behind an id or a link. Raises Missing, Refused."""
        found = address(link)
        if not found or not (found.page or found.title):
            raise Refused(f"“{link}” is the link of a space, not of a page")
        return found.page or self._titled(found.space, found.title)

    def _titled(self, space: str, title: str) -> str:
        """The id of the page that a link names by its space's key and its title. Raises Missing or Refused."""
        holders = self._wiki.titled(self._space_called(space), title)
        found = next((page.id for page in holders if page.status == "current"), "")
        if not found:
            raise Missing(f"there is no page “{title}” in the space {space}, or we may not see it", "not_found")
        return found


def _native(native_id: str) -> str:
    """A page id that is safe in a path."""
    if not _ID.fullmatch(native_id):
        raise Missing(f"“{native_id}” is no page id", "not_found")
    return native_id


def _carrying(marker: str, pages: Iterable[WikiPage]) -> WikiPage | None:
    """The first page whose details macro says it is ours."""
    wanted = MARKER + marker
    return next((page for page in pages if wanted in page.body and wanted in _markers(page)), None)


def _markers(page: WikiPage) -> Sequence[str]:
    try:
        return parse(page.body).markers
    except StorageError:
        return ()


def _marker(parsed: StoragePage) -> str:
    ours = (marker for marker in parsed.markers if marker.startswith(MARKER))
    return next(ours, "").removeprefix(MARKER)


def _parsed(page: WikiPage) -> StoragePage:
    try:
        return parse(page.body)
    except StorageError as error:
        raise Refused(f"the page's body cannot be read: {error}") from error


def _clean_title(title: str) -> str:
    """A title as the service keeps it."""
    return " ".join(_CONTROL.sub(" ", title).split())


def _proven(outcome: Outcome) -> Done:
    """The answer of a probe, or the reason there is none as an exception."""
    if isinstance(outcome, Done):
        return outcome
    if isinstance(outcome, Rejected):
        raise outcome.error
    raise Unreachable(outcome.message)
