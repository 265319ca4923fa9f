"""What a page that people made by hand would be as a post-mortem: which lines are events and follow-ups, which sections are
prose, and what would never be touched. Pure; nothing is guessed that the page does not say.

A line's meaning comes from the title it stands under (a heading of any level, or a label such as `- **Review actions**:`)
and from its own form: an event begins with a time (or, among key events, ends with one and its day).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from mapping.align import LISTED
from mapping.document import Block, Doc, sections
from mapping.event_lines import LEADS, read_event_line
from mapping.incident import SectionKind
from mapping.kept import has_words
from mapping.rows import Vocabulary, columns, read_event, read_follow_up, understood
from syncd.pages import Role

TIMELINE = re.compile(r"\btime ?line\b|\bchronology\b|^(key |sequence of |order of )?events$")
WHICH = r"((review|follow[- ]?up|corrective|prevent(at)?ive|improvement|remedia(l|tion)|open|next)\s+)?"
FOLLOW_UPS = re.compile(rf"follow[- ]?ups?|{WHICH}action (items?|points?)|action plan|{WHICH}actions|next steps|to[- ]?dos?")
SUMMARY = re.compile(r"(executive |incident )?summary|tl;?dr|overview")
LONGEST_TITLE = 60  # characters of a label
MOST_WORDS = 5  # of a title that announces rows
NOTHING = re.compile(r"\W*(n/?a|none|nothing|tbd|tbc|todo|-)?\W*", re.IGNORECASE)
NO_NAMES: Mapping[str, SectionKind] = {}
DAY = re.compile(r"\b\d{4}-\d{2}-\d{2}\b")


@dataclass(frozen=True, slots=True)
class Piece:
    """One block: its role (`prose` becomes prose of its section), and the number of its page section."""

    block: Block
    role: Role
    section: int


@dataclass(frozen=True, slots=True)
class Part:
    """One page section: its heading (empty before the first) and what it would be."""

    heading: str
    kind: SectionKind
    rows: bool


@dataclass(frozen=True, slots=True)
class Recognised:
    """A page taken apart. `near` lends its day to bare times, None where the page names no day; `unclear` are lines that
    look like events but tell no time that can be understood."""

    pieces: tuple[Piece, ...]
    parts: tuple[Part, ...]
    near: datetime | None
    unclear: tuple[str, ...]

    @property
    def events(self) -> int:
        """How many events there are, as lines and as rows of tables."""
        rows = sum(len(p.block.rows) - 1 for p in self.pieces if p.role == "table")
        return rows + sum(p.role == "event" for p in self.pieces)

    @property
    def follow_ups(self) -> int:
        """How many follow-ups there are."""
        return sum(piece.role == "row" for piece in self.pieces)

    @property
    def untouched(self) -> int:
        """How many blocks will never be touched."""
        return sum(p.role == "foreign" or p.block.kind == "kept" for p in self.pieces)


def recognise(
    doc: Doc, words: Vocabulary, started: datetime | None = None, known: Mapping[str, SectionKind] = NO_NAMES
) -> Recognised:
    """The page taken apart; `started` lends its day to bare times, else the first day that the page names does. `known`: the
    kinds of headings that mean something here, in lower case."""
    near = started or first_day(doc)
    roles = list(_roles(doc.blocks, words, near, known))
    pieces: list[Piece] = []
    parts: list[Part] = []
    at = 0
    for number, section in enumerate(sections(doc.blocks)):
        if section.heading:
            pieces.append(Piece(section.heading, "heading", number))
            at += 1
        heading = section.heading.text.strip() if section.heading else ""
        part = _part(heading, roles[at : at + len(section.blocks)], known)
        parts.append(part)
        told = bool(heading) or any(has_words(block) for block in section.blocks)
        for block in section.blocks:
            role = roles[at]
            prose = role == "foreign" and told and not part.rows and part.kind in ("text", "summary")
            pieces.append(Piece(block, "prose" if prose else role, number))
            at += 1
    return Recognised(tuple(pieces), tuple(parts), near, tuple(_unclear(doc.blocks, roles, near)))


def kind_of(title: str) -> SectionKind:
    """What a title announces; `text` for all that says nothing of rows."""
    plain = re.sub(r"\(.*?\)|[^\w\s/;-]", " ", title).casefold()
    words = " ".join(re.sub(r"^\s*\d+[\d.]*\s", " ", plain).split())
    if len(words.split()) > MOST_WORDS:
        return "text"
    if TIMELINE.search(words):
        return "timeline"
    if FOLLOW_UPS.fullmatch(words):
        return "follow_ups"
    if SUMMARY.fullmatch(words):
        return "summary"
    return "text"


def first_day(doc: Doc) -> datetime | None:
    """The first day that a page names."""
    for text in (doc.title, *(block.text for block in doc.blocks)):
        for day in DAY.findall(text):
            try:
                return datetime.fromisoformat(day).replace(hour=12, tzinfo=UTC)
            except ValueError:
                continue
    return None


def _part(heading: str, roles: Sequence[Role], known: Mapping[str, SectionKind]) -> Part:
    kind = known.get(heading.casefold()) or kind_of(heading)
    events, rows = sum(r in ("event", "table") for r in roles), sum(r == "row" for r in roles)
    if heading and kind in ("text", "summary") and (events or rows):
        kind = "timeline" if events >= rows else "follow_ups"
    return Part(heading, kind, bool(events or rows))


def _roles(
    blocks: Sequence[Block], words: Vocabulary, near: datetime | None, known: Mapping[str, SectionKind]
) -> Iterator[Role]:
    kind: SectionKind = "text"
    depth: int | None = None  # of the items under this title
    for block in blocks:
        title = _title(block)
        if title:
            kind, depth = known.get(title.casefold()) or kind_of(title), None
            yield "foreign"
            continue
        if block.kind in LISTED and depth is None:
            depth = block.depth
        yield _role(block, kind, block.depth == depth, words, near)


def _title(block: Block) -> str:
    """The title that a block is: a heading, or a label of its own in bold, or one that ends in a colon and is known."""
    if block.kind == "heading":
        return block.text.strip()
    if block.kind not in (*LISTED, "paragraph") or not block.spans or LEADS.match(block.text):
        return ""
    first, rest = block.spans[0], "".join(span.text for span in block.spans[1:]).strip()
    label = first.text.strip()
    bold = "bold" in first.marks and len(label) <= LONGEST_TITLE and (not rest or rest[0] == ":" or label.endswith(":"))
    if bold:
        return label.rstrip(": ")
    alone = block.text.strip()
    known = alone.endswith(":") and len(alone) <= LONGEST_TITLE and kind_of(alone) != "text"
    return alone.rstrip(": ") if known else ""


def _role(block: Block, kind: SectionKind, item: bool, words: Vocabulary, near: datetime | None) -> Role:
    if block.kind == "table" and {"Time", "Event"} <= set(columns(block)) and _timed(block, words, near):
        return "table"
    if block.kind in LISTED or (block.kind == "paragraph" and kind == "timeline"):
        line = read_event_line(block)
        if line and (line.dated or kind == "timeline") and _moment(line.at, line.dated, words, near):
            return "event" if LEADS.match(block.text) or kind == "timeline" else "foreign"
    if kind == "follow_ups" and block.kind in LISTED and item and not NOTHING.fullmatch(block.text):
        return "row" if read_follow_up(block, words, ()).fields["title"] else "foreign"
    return "foreign"


def _timed(table: Block, words: Vocabulary, near: datetime | None) -> bool:
    """Does every row tell a time and an event?"""
    where = columns(table)
    rows = [read_event(row, where, ())[0] for row in table.rows[1:]]
    return bool(rows) and all(row["title"] and _moment(row["at"], bool(DAY.search(row["at"])), words, near) for row in rows)


def _moment(raw: str, dated: bool, words: Vocabulary, near: datetime | None) -> bool:
    lent = near or datetime(1970, 1, 1, tzinfo=UTC)
    return (dated or near is not None) and understood("at", raw, words, lent) is not None


def _unclear(blocks: Sequence[Block], roles: Sequence[Role], near: datetime | None) -> Iterator[str]:
    """Lines among events that tell no time, and bare times that nobody lends a day."""
    for at, (block, role) in enumerate(zip(blocks, roles, strict=True)):
        if near is None and role == "foreign" and block.kind in LISTED and LEADS.match(block.text):
            yield block.text
            continue
        beside = {roles[i] for i in (at - 1, at + 1) if 0 <= i < len(roles)}
        if role == "foreign" and block.kind in LISTED and beside == {"event"} and re.search(r"\d[:.]\d\d", block.text):
            yield block.text
