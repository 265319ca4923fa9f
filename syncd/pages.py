"""What the store remembers about one page: where it is, what was last seen on it, what is wrong with it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from mapping.document import Block, Doc

PageState = Literal["wanted", "creating", "live", "held", "halted", "missing", "detached"]
Brake = Literal["", "emptied", "removed", "vanished", "title", "writes", "echo", "restored", "draft", "moved", "property"]
Role = Literal["static", "heading", "help", "prose", "row", "event", "table", "foreign"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One block of a page with its meaning. `keys`: the record key of a `row` (a follow-up) or an `event` (one that stands
    as a line), or of each row of a `table` in order; empty text where a row is not ours (a table's header, rows that people
    add to the details)."""

    block: Block
    section: str
    role: Role
    keys: tuple[str, ...] = ()


def rows_of(entries: Iterable[Entry]) -> dict[str, Block]:
    """Every row of ours by its key."""
    rows: dict[str, Block] = {}
    for entry in entries:
        blocks = entry.block.rows if entry.role == "table" else (entry.block,)
        rows.update({key: block for key, block in zip(entry.keys, blocks, strict=False) if key})
    return rows


def enclosed(entries: Iterable[Entry]) -> set[str]:
    """The keys that are read inside what a page keeps natively: a table with merged cells, a panel around a list."""
    return {key for entry in entries if entry.block.kind == "kept" for key in entry.block.hint.split()}


@dataclass(frozen=True, slots=True)
class Base:
    """The last page content that was read and taken in, with what the store held then.

    `records`: canonical values by carrier (`FU-3`, `T-7`, `details`, `properties`, `section:impact`, `page`) and field;
    under `carried` the properties that the page was seen to have, as they read then.
    `title_touched`: a person chose the page's title, it no longer follows the incident. `threads`: the comments on pieces of
    its text, by id with the words they are on.
    """

    title: str
    properties: tuple[tuple[str, str], ...]
    entries: tuple[Entry, ...]
    records: Mapping[str, Mapping[str, str]]
    title_touched: bool = False
    threads: Mapping[str, str] = field(default_factory=dict)

    @property
    def blocks(self) -> tuple[Block, ...]:
        return tuple(entry.block for entry in self.entries)

    @property
    def doc(self) -> Doc:
        return Doc(self.title, self.blocks, self.properties)


@dataclass(frozen=True, slots=True)
class Page:
    """One page row. `native_id` and `url` are empty until the page exists; `since` says how long `state` has held, `reason`
    is one sentence with its way out and `code` the same for programs, empty where the state says it all; `copy` pages are
    exports that are not the home and not in the gate's eyes; `space` is where the service keeps it."""

    id: int
    incident: str
    destination: str
    state: PageState
    native_id: str = ""
    url: str = ""
    version: str = ""
    reason: str = ""
    copy: bool = False
    since: datetime | None = None
    checked_at: datetime | None = None
    written_at: datetime | None = None  # our last write
    moved_at: datetime | None = None  # last content change by others
    brake: Brake = ""  # what stopped the page, where a person may agree to go on
    agreed: Brake = ""  # the brake that a person agreed to lift, once
    generation: int = 0  # raised whenever a process takes the page up
    code: str = ""
    space: str = ""
    unlabelled: bool = False  # made by us, and its labels are not known to be there
    draft_since: datetime | None = None  # how long somebody's unpublished changes have kept us from writing
    draft_said: bool = False  # that this is long was journalled
    comments: int | None = None  # of people, that nobody resolved; None where that was never told
    comments_at: datetime | None = None  # when they were counted


def comments_told(count: int | None) -> str:
    """The comments of a page in words, empty where there are none or nobody tells."""
    return f"{count} comment{'s' if count > 1 else ''}" if count else ""


@dataclass(frozen=True, slots=True)
class Intent:
    """An external write that was decided: `expected` is what will be there afterwards. `attempted_at` is set before the
    first byte of a create goes out, the last time that it did."""

    id: int
    page: int
    kind: Literal["create", "update"]
    expected: Base
    note: str
    created_at: datetime
    attempted_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Version:
    """One side of a conflict."""

    text: str
    by: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Conflict:
    """Both sides changed the same thing differently. `shown` says which one shows; `state` is `open` or how it was resolved
    (`page`, `store`, `both`, `text`), by whom and when; `choice` is the journal line of what that changed, None where it
    changed nothing.
    The id is derived from the edits, so the same conflict is never listed twice."""

    id: str
    page: int
    incident: str
    destination: str
    section: str
    key: str
    field: str
    base: str
    store: Version
    other: Version  # the page's
    shown: Literal["store", "page"]
    state: str = "open"
    choice: int | None = None
    settled_by: str = ""
    settled_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Unread:
    """A value that a person typed and nobody could understand; it stays on the page as typed."""

    key: str
    field: str
    text: str
