"""What each block of a page that was read means: which section it stands in, whether it is ours, which record it shows.

Identity comes from the last page that was taken in (`match`), then from keys and headings, never from position alone.
"""

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from mapping.align import LISTED, alike, match
from mapping.document import Block, Doc, PageSection, sections, text_spans
from mapping.event_lines import read_event_line
from mapping.incident import SectionKind
from mapping.kept import has_words
from mapping.rows import columns, label, read_event, read_follow_up
from syncd.compose import INTRODUCTION
from syncd.local import Local
from syncd.pages import Base, Entry, Role

PROSE = ("text", "summary")
NEW = "+"  # a row that nobody knows yet has the key `+0`, `+1`, ... until the store gives it one


def classify(base: Base, doc: Doc, local: Local, *, native: bool) -> tuple[Entry, ...]:
    """The page's blocks in order, each with its meaning. New rows carry keys that begin with `+`."""
    pairs = match(base.blocks, doc.blocks, native=native)
    was = {j: base.entries[i] for i, j in pairs.items()}
    entries = list(_walk(base, doc, was, local))
    entries = [_with_row_keys(entry, base, local, native) for entry in entries]
    entries = _with_event_keys(entries, base, local, native)
    return _numbered(_with_follow_up_keys(entries, base, local, native))


def _walk(base: Base, doc: Doc, was: Mapping[int, Entry], local: Local) -> Iterator[Entry]:
    names = _section_names(list(sections(doc.blocks)), was, local)
    kinds: dict[str, SectionKind] = {section.id: section.kind for section in local.postmortem.sections}
    claimed = {entry.section for entry in was.values() if entry.role == "table"}
    introduced = local.postmortem.section(INTRODUCTION) is not None
    foreign = {
        entry.section for entry in base.entries if entry.role == "foreign" and (entry.section or has_words(entry.block))
    }
    loose = {section for section in foreign if kinds.get(section, "text") in PROSE}
    index = 0
    for page_section, name in zip(sections(doc.blocks), names, strict=True):
        if page_section.heading:
            yield Entry(page_section.heading, name, "heading")
            index += 1
        before: list[Entry] = []
        for block in page_section.blocks:
            kind = None if name in loose else kinds.get(name, "text")
            before.append(_entry(block, was.get(index), name, kind, claimed, before))
            index += 1
        if not introduced and not any(entry.role == "prose" and has_words(entry.block) for entry in before):
            # A table of contents on top introduces nothing: it belongs to the page alone.
            before = [replace(e, section=name, role="foreign") if e.section == INTRODUCTION else e for e in before]
        yield from before


def _entry(
    block: Block,
    was: Entry | None,
    section: str,
    kind: SectionKind | None,
    claimed: set[str],
    before: Sequence[Entry],
) -> Entry:
    """`kind` is None where rows stand among words that are nobody's section, as on a page that people had made by hand."""
    if was and was.role == "table" and block.kind == "table":
        return Entry(block, was.section, "table", was.keys)
    if was and (was.role == "static" or (was.role == "help" and was.block == block)):
        return Entry(block, was.section, was.role)
    if was and was.role == "row" and block.kind in LISTED:
        return Entry(block, was.section, "row")
    if was and was.role == "event" and (block.kind in LISTED or block.kind == was.block.kind):
        return Entry(block, was.section, "event")
    if kind in ("details", "timeline") and section not in claimed and _is_ours(block, kind):
        claimed.add(section)
        return Entry(block, section, "table")
    theirs = was and was.role == "foreign" and was.block.kind in LISTED
    if kind == "follow_ups" and block.kind in LISTED and not block.depth and not theirs:
        return Entry(block, section, "row")
    if kind == "timeline" and block.kind in LISTED and not block.depth and not was and read_event_line(block):
        return Entry(block, section, "event")
    role = _neighbour(before, block.depth) if not was and block.kind in LISTED else None
    if role and (role == "row" or read_event_line(block)):
        return Entry(block, section, role)
    if kind in PROSE:
        return Entry(block, section or INTRODUCTION, "prose")
    return Entry(block, section, "foreign")


def _neighbour(before: Sequence[Entry], depth: int) -> Role | None:
    """What the item above in the same list is, where it is a row of ours."""
    above = next((entry for entry in reversed(before) if entry.block.depth <= depth or entry.block.kind not in LISTED), None)
    same = above is not None and above.block.kind in LISTED and above.block.depth == depth
    return above.role if above and same and above.role in ("row", "event") else None


def _is_ours(block: Block, kind: SectionKind) -> bool:
    """A table that people made anew where ours was."""
    if block.kind != "table":
        return False
    return {"Time", "Event"} <= set(columns(block)) if kind == "timeline" else all(len(row.cells) == 2 for row in block.rows)


# --- sections -----------------------------------------------------------------------------------------------------------


def _section_names(found: Sequence[PageSection], was: Mapping[int, Entry], local: Local) -> list[str]:
    """One id for each section of the page; the first (before any heading) has the empty one."""
    names: dict[int, str] = {0: ""}
    starts = _starts(found)
    for guess in (_by_heading, _by_text, _by_content):
        for number in range(1, len(found)):
            name = guess(found[number], starts[number], was, local) if number not in names else ""
            if name and name not in names.values():
                names[number] = name
    for number in range(1, len(found)):
        if number not in names:
            taken = {"", INTRODUCTION, *names.values(), *(section.id for section in local.postmortem.sections)}
            heading = found[number].heading
            names[number] = section_id(heading.text if heading else "", taken)
    return [names[number] for number in range(len(found))]


def _starts(found: Sequence[PageSection]) -> list[int]:
    starts, index = [], 0
    for section in found:
        starts.append(index)
        index += len(section.blocks) + (section.heading is not None)
    return starts


def _by_heading(section: PageSection, start: int, was: Mapping[int, Entry], local: Local) -> str:
    entry = was.get(start)
    return entry.section if entry and entry.role == "heading" else ""


def _by_text(section: PageSection, start: int, was: Mapping[int, Entry], local: Local) -> str:
    text = section.heading.text.strip().casefold() if section.heading else ""
    return next((s.id for s in local.postmortem.sections if s.heading.casefold() == text), "")


def _by_content(section: PageSection, start: int, was: Mapping[int, Entry], local: Local) -> str:
    indices = range(start + 1, start + 1 + len(section.blocks))
    votes = Counter(was[i].section for i in indices if i in was and was[i].section)
    return votes.most_common(1)[0][0] if votes else ""


def section_id(heading: str, taken: Collection[str]) -> str:
    """An id for a section that people made, after its heading."""
    slug = re.sub(r"\W+", "-", heading.casefold()).strip("-")[:40] or "section"
    return next(name for n in range(1, len(taken) + 2) if (name := slug if n == 1 else f"{slug}-{n}") not in taken)


# --- rows ---------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Known:
    """A row of ours as the base has it."""

    block: Block
    key: str


Says = Callable[[Block], Block]  # a row reduced to the words by which people know it


def _assign(known: Sequence[_Known], rows: Sequence[Block], shown: Sequence[str], native: bool, says: Says) -> list[str]:
    """Which record each row is: by bound native id, by the key it shows, by what it says; empty where it is none.

    A row that says something else is never taken for one that is gone: the old words would be written over.
    """
    keys = [""] * len(rows)
    bound = {k.block.native: k.key for k in known} if native else {}
    for index, row in enumerate(rows):
        keys[index] = bound.get(row.native, "")
    for index, key in enumerate(shown):
        if key and not keys[index] and key not in keys:
            keys[index] = key
    left = [k for k in known if k.key not in keys and not (native and k.block.native)]
    free = [i for i, key in enumerate(keys) if not key and not shown[i]]
    for a, b in alike([says(k.block) for k in left], [says(rows[i]) for i in free]).items():
        keys[free[b]] = left[a].key
    return keys


def _with_row_keys(entry: Entry, base: Base, local: Local, native: bool) -> Entry:
    if entry.role != "table":
        return entry
    before = next((e for e in base.entries if e.role == "table" and e.section == entry.section), None)
    known = [_Known(row, key) for row, key in zip(before.block.rows, before.keys, strict=True) if key] if before else []
    head = 1 if entry.block.header else 0
    rows = entry.block.rows[head:]
    timeline = any(s.kind == "timeline" and s.id == entry.section for s in local.postmortem.sections)
    shown = _shown_events(entry.block, head, local) if timeline else _shown_details(rows, before, local)
    where = columns(entry.block)
    keys = _assign(known, rows, shown, native, lambda row: _told(row, where, local) if timeline else row)
    if timeline:
        keys = [key or (NEW if row.text.strip() else "") for key, row in zip(keys, rows, strict=True)]
    return replace(entry, keys=("",) * head + tuple(keys))


def _told(row: Block, where: Mapping[str, int], local: Local) -> Block:
    """An event without its time and key: many events share a day."""
    fields, _ = read_event(row, where, local.events)
    return Block("row", cells=(text_spans(fields.get("title", "")), text_spans(fields.get("description", ""))))


def _shown_events(table: Block, head: int, local: Local) -> list[str]:
    where = columns(table)
    return [read_event(row, where, local.events)[1] for row in table.rows[head:]]


def _shown_details(rows: Sequence[Block], before: Entry | None, local: Local) -> list[str]:
    names = {label(name, local.words).casefold(): name for name in (before.keys if before else ()) if name}
    return [names.get(row.cells[0][0].text.strip().casefold() if row.cells and row.cells[0] else "", "") for row in rows]


def _with_event_keys(entries: list[Entry], base: Base, local: Local, native: bool) -> list[Entry]:
    """As for follow-ups, for events that stand as lines."""
    places = [i for i, entry in enumerate(entries) if entry.role == "event"]
    rows = [entries[i].block for i in places]
    known = [_Known(e.block, e.keys[0]) for e in base.entries if e.role == "event" and e.keys[0]]
    lines = [read_event_line(row, local.events) for row in rows]
    keys = _assign(known, rows, [line.key if line else "" for line in lines], native, lambda row: _said(row, local))
    for i, key in zip(places, keys, strict=True):
        entries[i] = replace(entries[i], keys=(key or NEW,))
    return entries


def _said(row: Block, local: Local) -> Block:
    line = read_event_line(row, local.events)
    return Block("row", cells=(text_spans(line.title if line else row.text),))


def _with_follow_up_keys(entries: list[Entry], base: Base, local: Local, native: bool) -> list[Entry]:
    places = [i for i, entry in enumerate(entries) if entry.role == "row"]
    rows = [entries[i].block for i in places]
    known = [_Known(e.block, e.keys[0]) for e in base.entries if e.role == "row" and e.keys[0]]
    shown = [read_follow_up(row, local.words, local.follow_ups).key for row in rows]
    keys = _assign(known, rows, shown, native, lambda row: _titled(row, local))
    for i, key in zip(places, keys, strict=True):
        entries[i] = replace(entries[i], keys=(key or NEW,))
    return entries


def _titled(row: Block, local: Local) -> Block:
    """A follow-up's title alone: many lines share people, days and ticks."""
    return Block("task", read_follow_up(row, local.words, local.follow_ups).title_spans)


def _numbered(entries: Sequence[Entry]) -> tuple[Entry, ...]:
    """New rows get slots of their own."""
    count = iter(range(10**9))
    return tuple(
        replace(entry, keys=tuple(f"{NEW}{next(count)}" if key == NEW else key for key in entry.keys)) for entry in entries
    )
