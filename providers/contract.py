"""The vocabulary between the engine and every knowledge base.

A provider reads a page into an `Observation`, writes a whole target `Doc` onto what it last observed, and finds or creates
pages. It decides nothing: which writes are due, and when, is the engine's business. How services differ is said once, in
`Capabilities`.

    ProviderError                 every trouble with a service
    ├── Unreachable               no answer, 5xx, 429 over the budget: tries again by itself
    │   └── RateLimited           the service said when (`retry_after` seconds)
    ├── Refused                   the service understood and said no: a person must look
    │   ├── Unauthorized          the credential is wrong or expired
    │   │   └── Forbidden         it is right, and lacks a permission
    │   └── TitleTaken            another page holds the title
    └── Missing                   the page is gone, trashed, moved out of reach, or hidden from us
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from mapping.document import Block, Doc
from mapping.incident import Person


class ProviderError(Exception):
    """Trouble with a service; `str()` is one sentence for a person."""


class Unreachable(ProviderError):
    """No usable answer; nothing is known, the next look may succeed."""


class RateLimited(Unreachable):
    """The service asks to wait `retry_after` seconds."""

    def __init__(self, message: str, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Refused(ProviderError):
    """The service understood and said no."""


class Unauthorized(Refused):
    """The credential is wrong, expired, or lacks a permission; what it is used for may work again by itself."""


class Forbidden(Unauthorized):
    """The credential is right, and may not do this."""


class TitleTaken(Refused):
    """Another page in the same place holds the title."""


Absence = Literal["trashed", "archived", "moved", "no_space", "not_found"]


class Missing(ProviderError):
    """The page cannot be read. `why`: `trashed`, `archived`, `moved` (to another space), `no_space` (its whole space is gone
    or hidden from us), or `not_found` (gone or hidden, services do not tell which)."""

    def __init__(self, message: str, why: Absence) -> None:
        super().__init__(message)
        self.why = why


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a service can do, as the engine needs to know it.

    compare_and_swap: a write is refused when the page moved since it was read.
    published: people's edits arrive by an explicit publish, so nothing half-typed is ever seen.
    native_ids: blocks keep an id of the service through edits and moves.
    settle_seconds: how long a create whose reply was lost may still appear.
    title_limit: longest title in characters.
    comments: pages can be commented on, and the service tells its people of it.
    pictures: the store's pictures can be brought to a page (`attach`); elsewhere their descriptions stand instead.
    """

    compare_and_swap: bool
    published: bool
    native_ids: bool
    settle_seconds: float
    title_limit: int = 255
    comments: bool = False
    pictures: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """A destination as its provider understands it: the `[destinations.*]` table without `provider`, all text. `carriers`:
    the service's ids of what carries a property, by the property, as a page there told them before; people rename things."""

    name: str
    options: Mapping[str, str]
    properties: Mapping[str, Mapping[str, str]]
    carriers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Observation:
    """A page as it was read at one moment.

    `version` is the service's token for compare-and-swap and change feeds; `marker` the identity of ours that the page
    carries, or empty; `author` who last changed it, as the service names them; `threads` the comments on pieces of its text,
    by id with the words they are on; `space` where the service keeps it, empty where there is but one place; `carriers` the
    service's ids of what carries the properties of `doc`, see `Place`; `payload` the native page that `doc` was read from,
    opaque to everyone but the provider.
    """

    native_id: str
    url: str
    version: str
    doc: Doc
    marker: str = ""
    author: str = ""
    edited_at: datetime | None = None
    threads: Mapping[str, str] = field(default_factory=dict)
    space: str = ""
    carriers: Mapping[str, str] = field(default_factory=dict)
    payload: object = None


@dataclass(frozen=True, slots=True)
class Fitted:
    """What of a target page a service can make of the page that was seen, with a sentence for each thing that it cannot."""

    doc: Doc
    holds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Done:
    """The write happened. `seen` is the page as it stands after it, when the provider could read it at once; `orphans` the
    comments that lost their words by it, by id with those words."""

    native_id: str
    seen: Observation | None = None
    orphans: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Stale:
    """Nothing was written: the page moved since it was read. Look again and decide again."""

    message: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """Nothing was written, and trying the same again would be refused again."""

    error: ProviderError


@dataclass(frozen=True, slots=True)
class Unknown:
    """The write may or may not have happened, in whole or in part; only a later look can tell."""

    message: str


HoldCode = Literal["draft", "live_doc", "read_only"]


@dataclass(frozen=True, slots=True)
class Held:
    """Nothing was written, and what is in the way is people's: `draft` (somebody's unpublished edits, which a write could
    replace), `live_doc` (the page has no versions to write under), `read_only` (we may read the page, not edit it). When it
    is gone, the same write works. `message` says whose it is and what ends it."""

    code: HoldCode
    message: str


Outcome = Done | Stale | Held | Rejected | Unknown


@dataclass(frozen=True, slots=True)
class Change:
    """One page of a change feed: its version token, None when the service says it is trashed or gone."""

    native_id: str
    version: str | None


class Provider(Protocol):
    """One service, one credential. Methods raise `ProviderError`s on reads; writes answer an `Outcome` and never raise
    for what the service or the network did.
    """

    capabilities: Capabilities

    def check(self, place: Place, *, write: bool = False) -> Iterable[str]:
        """What `doctor` prints: one sentence per thing verified (who we are, the place is there), as it is verified.
        `write=True` proves the right to write by making and removing a page. Raises on the first thing that is wrong."""
        ...

    def find(self, place: Place, marker: str, title: str) -> Observation | None:
        """The page of ours with this marker, or with this title and marker, in any status; None if there is none.
        Raises `TitleTaken` when a foreign page holds the title."""
        ...

    def create(self, place: Place, doc: Doc, marker: str) -> Outcome:
        """Make a page; one call may need several requests. `Done.native_id` is set as soon as the page exists."""
        ...

    def page_id(self, place: Place, link: str) -> str:
        """The native id of the page that an id or a pasted link means; empty for a link to elsewhere. May ask the service
        where a link names a page by its title. Raises `Refused` for a link of the service that is of no page."""
        ...

    def read(self, place: Place, native_id: str) -> Observation:
        """The page now. Raises `Missing` when it is trashed, archived, or not to be seen."""
        ...

    def reread(self, place: Place, native_id: str, lost: Collection[str]) -> Observation:
        """The page once more, when something on it seems to be gone; `lost` are the keys of rows. Where blocks nest, a table
        with these rows is looked for inside what the page keeps natively, and is part of the page from then on."""
        ...

    def fit(self, place: Place, seen: Observation, target: Doc) -> Fitted:
        """What `write` would make of the page: `target`, except for what the service cannot do to blocks that are there.
        Those stand in the answer as they are now, with the `native` that they have. Raises as a read does."""
        ...

    def write(self, place: Place, seen: Observation, target: Doc, note: str, *, over_draft: bool = False) -> Outcome:
        """Make the page that was `seen` equal `target`, touching only what differs. Blocks of `target` that carry a `native`
        of `seen` are those blocks, kept, changed or moved; blocks without are new; natives that are absent are removed.
        `note` says who changed what, for services whose versions carry a message. `over_draft`: whatever people have not
        published is not in the way."""
        ...

    def held(self, place: Place, seen: Observation, *, over_draft: bool = False) -> Held | None:
        """What would keep a `write` from the page that was `seen`, as far as it can be told without trying. Raises as a read
        does."""
        ...

    def label(self, place: Place, native_id: str, names: Sequence[str]) -> Outcome:
        """Add labels by which a page can be found, in the service's own spelling; where it has none, nothing."""
        ...

    def orphans(self, place: Place, native_id: str) -> Mapping[str, str]:
        """The comments on a page whose words are gone, by id with those words. Raises as a read does."""
        ...

    def comments(self, place: Place, native_id: str, ours: Collection[str] = ()) -> int | None:
        """How many comments on the page nobody resolved, without `ours`, as far as one or two requests tell; None where the
        service has none or the credential may not read them. Moves nothing, and no change feed tells of it. Raises as a
        read does."""
        ...

    def say(self, place: Place, native_id: str, words: Sequence[Block], under: str = "") -> Outcome:
        """A comment of ours on the page as a whole, `under` another of ours where that is said. `Done.native_id` is the
        comment's. Nothing of the page changes, and no version is made."""
        ...

    def said(self, place: Place, native_id: str, mark: str, under: str = "") -> str:
        """The id of the comment that holds this text, made with `say`; empty where there is none. Raises as a read does."""
        ...

    def versions(self, place: Place, native_ids: Sequence[str]) -> Mapping[str, Change]:
        """The change feed for known pages in as few requests as the service allows, without bodies. A version equal to the
        last observed one does not promise an unchanged page where `Capabilities` say so; absent ids are unknown."""
        ...

    def attach(self, place: Place, native_id: str, name: str, data: bytes) -> Outcome:
        """Bring a picture of the store to a page, before the write that shows it. Its name is a hash of its bytes: one that
        is there already is not sent again. Only where `Capabilities.pictures`."""
        ...

    def messages(self, place: Place, native_id: str) -> Sequence[str]:
        """What the page's last versions say of themselves, the newest first, so that a write of ours is known by its `note`;
        empty where the service keeps no messages. Raises as a read does."""
        ...

    def project(self, doc: Doc) -> Doc:
        """What `doc` would read back as after being written here: the service's normalisation, natives dropped. May ask the
        service, once, who can be mentioned; raises then as a read does."""
        ...

    def people(self) -> Sequence[Person]:
        """The people whom the service knows by e-mail; empty where it does not tell."""
        ...


class Plain:
    """The answers of a service without drafts, labels, pictures of ours and comments on pieces of text, which can write
    whatever it is asked to."""

    def fit(self, place: Place, seen: Observation, target: Doc) -> Fitted:
        """Everything can be had."""
        return Fitted(target)

    def held(self, place: Place, seen: Observation, *, over_draft: bool = False) -> Held | None:
        """Nothing is in the way."""
        return None

    def label(self, place: Place, native_id: str, names: Sequence[str]) -> Outcome:
        """There are none."""
        return Done(native_id)

    def attach(self, place: Place, native_id: str, name: str, data: bytes) -> Outcome:
        """There are none."""
        return Rejected(Refused("this service takes no pictures"))

    def orphans(self, place: Place, native_id: str) -> Mapping[str, str]:
        """No comment loses its words."""
        return {}

    def comments(self, place: Place, native_id: str, ours: Collection[str] = ()) -> int | None:
        """There are none."""
        return None

    def say(self, place: Place, native_id: str, words: Sequence[Block], under: str = "") -> Outcome:
        """There is nowhere to."""
        return Rejected(Refused("pages here have no comments"))

    def said(self, place: Place, native_id: str, mark: str, under: str = "") -> str:
        """Nothing was."""
        return ""
