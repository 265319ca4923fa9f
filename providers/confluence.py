"""Confluence as a provider: what is done with its pages, whatever the edition.

A write sends the whole body, spliced from what was read a moment before, under the version lock. The page's identity is the
`id` of its details macro (`syncd-<marker>`), the fence against a second creation is the title, unique in a space. Storage
markup is `mapping.confluence_storage`; requests are an edition's (`confluence_dialect.py`); accounts and e-mails are
`confluence_people.py`.
"""

import logging
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache

from mapping.confluence_comments import lost_markers
from mapping.confluence_looks import same_looks
from mapping.confluence_storage import StorageError, StoragePage, parse, project, render, splice
from mapping.document import Block, Doc
from mapping.incident import Person
from providers.confluence_check import TEST_TITLE, WriteCheck
from providers.confluence_dialect import Dialect, Space, WikiPage
from providers.confluence_links import address
from providers.confluence_people import People
from providers.contract import (
    Capabilities,
    Change,
    Done,
    Fitted,
    Forbidden,
    Held,
    Missing,
    Observation,
    Outcome,
    Place,
    ProviderError,
    Refused,
    Rejected,
    Stale,
    TitleTaken,
    Unauthorized,
)

MARKER = "syncd-"
LONGEST_NOTE = 255
LONGEST_LABEL = 255

_LOG = logging.getLogger("providers.confluence")
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
            compare_and_swap=True,
            published=True,
            native_ids=False,
            settle_seconds=settle_seconds,
            pictures=True,
            comments=True,
        )
        self._wiki, self._now = dialect, now
        self._people = People(dialect, accounts, now)
        self._spaces: dict[str, Space] = {}
        # One pass reads the same body up to six times: observed, right before the write, beside a draft, confirmed.
        self._parse: Callable[[str], StoragePage] = lru_cache(maxsize=2)(parse)

    # --- looking ---

    def check(self, place: Place, *, write: bool = False) -> Iterator[str]:
        me = self._wiki.me()
        yield f"signed in as {me.name or me.id}"
        space = self._space(place)
        yield f"space {space.key} ({space.name}) is there"
        parent = self._parent(place)
        if parent:
            yield f"parent page “{self._fetch(parent).title}” can be read"
        if write:
            yield from WriteCheck(self._wiki, space, parent, f"{TEST_TITLE} {self._now():%Y-%m-%d %H:%M:%S.%f}").steps()

    def find(self, place: Place, marker: str, title: str) -> Observation | None:
        space, wanted = self._space(place), _clean_title(title)
        holders = list(self._wiki.titled(space, wanted))
        ours = _carrying(marker, holders) or _carrying(marker, self._wiki.newest(space))
        if ours is not None:
            return self._observed(ours)
        if holders:
            raise TitleTaken(f"Another page in the space is called “{wanted}” ({holders[0].status})")
        return None

    def page_id(self, place: Place, link: str) -> str:
        return self._named(link) if address(link, self._wiki.url) else ""

    def reread(self, place: Place, native_id: str, lost: Collection[str]) -> Observation:
        return self.read(place, native_id)

    def read(self, place: Place, native_id: str) -> Observation:
        return self._observed(self._there(place, native_id))

    def held(self, place: Place, seen: Observation, *, over_draft: bool = False) -> Held | None:
        page = seen.payload
        if not isinstance(page, WikiPage):
            raise TypeError("the observation was not read by this provider")
        return self._in_the_way(page, None if over_draft else self._wiki.draft(page.id))

    def orphans(self, place: Place, native_id: str) -> Mapping[str, str]:
        return self._dangling(_native(native_id))

    def comments(self, place: Place, native_id: str, ours: Collection[str] = ()) -> int | None:
        """See `Provider.comments`. Threads, without the replies in them. Two requests, in Data Center one."""
        try:
            return self._wiki.open_comments(_native(native_id), ours)
        except Unauthorized:
            return None

    def versions(self, place: Place, native_ids: Sequence[str]) -> Mapping[str, Change]:
        return self._wiki.versions([native_id for native_id in native_ids if _ID.fullmatch(native_id)])

    def attach(self, place: Place, native_id: str, name: str, data: bytes) -> Outcome:
        """An attachment of the page; one that is there whole is not sent again."""
        page_id = _native(native_id)
        try:
            there = self._wiki.file_size(page_id, name)
        except ProviderError as error:
            return Rejected(error)
        return Done(page_id) if there == len(data) else self._wiki.upload(page_id, name, data)

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
        return self._settled(outcome) if isinstance(outcome, Done) else outcome

    def fit(self, place: Place, seen: Observation, target: Doc) -> Fitted:
        """See `Provider.fit`."""
        return Fitted(target)

    def label(self, place: Place, native_id: str, names: Sequence[str]) -> Outcome:
        labels = [_label(name) for name in names if _label(name)]
        return self._wiki.label(_native(native_id), labels) if labels else Done(native_id)

    def say(self, place: Place, native_id: str, words: Sequence[Block], under: str = "") -> Outcome:
        """A footer comment: one on a piece of text would change the page's body."""
        try:
            body = render(self._people.addressed(words))
        except ProviderError as error:
            return Rejected(error)
        return self._wiki.comment(_native(native_id), body, under)

    def said(self, place: Place, native_id: str, mark: str, under: str = "") -> str:
        found = self._wiki.footer_comments(_native(native_id), under)
        return next((comment for comment, body in found if mark in body), "")

    def write(self, place: Place, seen: Observation, target: Doc, note: str, *, over_draft: bool = False) -> Outcome:
        """See `Provider.write`. The body is read last, right before it is written: a comment on it moves no version."""
        try:
            lost = self._dangling(_native(seen.native_id)) if seen.threads else {}
            draft = None if over_draft else self._wiki.draft(seen.native_id)
            page = self._there(place, seen.native_id)
            fresh, parsed = self._observed(page), self._parsed(page)
            blocks = self._people.addressed(target.blocks)
            if fresh.version != seen.version or fresh.doc != seen.doc:
                return Stale(f"the page moved from version {seen.version} to {fresh.version} since it was read")
            title = _clean_title(target.title)
            body = splice(parsed, blocks, details_id=MARKER + seen.marker if seen.marker else "")
            if body == page.body and title == fresh.doc.title:
                return Done(seen.native_id, fresh)
            outcome = self._in_the_way(page, draft) or self._put(page, title, body, note)
        except ProviderError as error:
            return Rejected(error)
        if isinstance(outcome, Done) and fresh.threads:
            return replace(outcome, orphans=self._new_orphans(page.id, fresh.threads.keys() - lost.keys()))
        return outcome

    def _put(self, page: WikiPage, title: str, body: str, note: str) -> Outcome:
        """One new version."""
        outcome = self._wiki.put(page, title, body, _CONTROL.sub(" ", note)[:LONGEST_NOTE])
        if isinstance(outcome, Rejected) and isinstance(outcome.error, Forbidden | Missing):
            return Held("read_only", f"We may read the page, but not edit it ({outcome.error}).")
        return self._settled(outcome) if isinstance(outcome, Done) else outcome

    def _new_orphans(self, page_id: str, refs: Collection[str]) -> Mapping[str, str]:
        """Of the comments that stood on the page's words those that lost them now. Nothing where the service does not answer
        now: a marker that is gone is noticed at the next look too.
        """
        try:
            return {ref: words for ref, words in self._dangling(page_id).items() if ref in refs}
        except ProviderError:
            return {}

    def _dangling(self, page_id: str) -> Mapping[str, str]:
        """None where the credential may not read comments: that must keep nothing from being in step."""
        try:
            return {one.ref: one.selection for one in self._wiki.inline_comments(page_id, "dangling")}
        except Unauthorized as error:
            _LOG.warning("the comments of page %s cannot be read, lost ones are not told of: %s", page_id, error)
            return {}

    def _in_the_way(self, page: WikiPage, draft: WikiPage | None) -> Held | None:
        """A draft is left behind by whoever merely opens the editor; it is somebody's work when it says something else."""
        if page.live:
            return Held("live_doc", "The page is a live doc, which has no versions to write under.")
        if draft is None or self._alike(draft, page):
            return None
        return Held("draft", f"{self._people.introduced(draft.author) or 'Somebody'} has unpublished changes on the page.")

    def _settled(self, done: Done) -> Done:
        """After a write. The service makes whoever writes a page watch it, which would mail us about every edit of others;
        and it normalises what it is sent, so that only a read tells what is there. It may not answer yet."""
        left = self._wiki.unwatch(done.native_id)
        if not isinstance(left, Done):
            why = left.error if isinstance(left, Rejected) else left.message
            _LOG.warning("we go on watching page %s, and get its mails: %s", done.native_id, why)
        try:
            return replace(done, seen=self._observed(self._fetch(done.native_id)))
        except ProviderError:
            return done

    # --- pages ---

    def _there(self, place: Place, native_id: str) -> WikiPage:
        """The page; where it is gone, whether its whole space is."""
        _native(native_id)
        try:
            return self._fetch(native_id)
        except Missing as error:
            if error.why == "not_found":
                self._spaces.pop(place.options.get("space", ""), None)
                self._space(place)
            raise

    def _fetch(self, native_id: str) -> WikiPage:
        page = self._wiki.page(_native(native_id))
        if page.status == "archived" or page.status == "trashed":
            raise Missing(f"the page is {page.status}", page.status)
        if page.status != "current":
            raise Missing(f"the page is {page.status}", "not_found")
        return page

    def _observed(self, page: WikiPage) -> Observation:
        parsed = self._parsed(page)
        blocks = self._people.named(parsed.blocks, also=[page.author] if page.author else [])
        return Observation(
            native_id=page.id,
            url=page.url,
            version=str(page.version),
            doc=Doc(page.title, blocks),
            marker=_marker(parsed),
            author=self._people.name(page.author),
            edited_at=page.edited_at,
            space=page.space,
            threads={lost.ref: lost.words for lost in lost_markers(page.body, "")},
            payload=page,
        )

    def _parsed(self, page: WikiPage) -> StoragePage:
        try:
            return self._parse(page.body)
        except StorageError as error:
            raise Refused(
                f"the page's body cannot be read ({error}): open the page in its editor and publish it."
            ) from error

    def _alike(self, draft: WikiPage, page: WikiPage) -> bool:
        """Whether people read the same on both and it looks the same; what each save writes anew does not count."""
        if draft.title != page.title or draft.body == page.body:
            return draft.title == page.title
        try:
            same = self._parse(draft.body).blocks == self._parse(page.body).blocks
            return same and same_looks(draft.body, page.body)
        except StorageError:
            return False

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
        try:
            return self._wiki.space(name)
        except Missing as error:
            raise Missing(f"there is no space “{name}”, or it is hidden from us", "no_space") from error

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


def _label(name: str) -> str:
    """A label as the service keeps it: small letters, and of signs only the hyphen."""
    return re.sub(r"[\W_]+", "-", name.lower()).strip("-")[:LONGEST_LABEL]


def _clean_title(title: str) -> str:
    """A title as the service keeps it."""
    return " ".join(_CONTROL.sub(" ", title).split())
