"""Outbound: what the store holds and the page does not, as the page it shall become. Pure.

`plan_out` takes the page as it was just taken in (every block with its meaning and the values shown) and the store's view,
and answers the same page with the store's changes in place: same inputs, same plan, byte for byte. Blocks that need no
change stay the very blocks that were read. `mapping.edits` turns the difference into edits.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from mapping.document import Block
from mapping.edits import Edit, Insert, Remove, Update, edits
from mapping.event_lines import read_event_line, render_event_line, write_event_line
from mapping.incident import FollowUp, Section, TimelineEvent
from mapping.kept import of_page
from mapping.merge import merge_blocks
from mapping.rows import (
    columns,
    detail_cell,
    details_values,
    event_values,
    follow_up_values,
    read_event,
    read_follow_up,
    render_detail,
    render_event,
    render_follow_up,
    write_event,
    write_follow_up,
)
from providers.contract import Fitted
from syncd.compose import INTRODUCTION, Records, carried, events_table, headed, properties, section_entries
from syncd.local import Local
from syncd.pages import Base, Entry, enclosed

T = TypeVar("T")
RowT = TypeVar("RowT", FollowUp, TimelineEvent)


@dataclass(frozen=True, slots=True)
class Plan:
    """What goes out to one page. `expected` is the page afterwards; no edits and the same title and properties: nothing."""

    expected: Base
    edits: tuple[Edit, ...]
    title: tuple[str, str] | None = None  # before, after
    properties: tuple[tuple[str, str, str], ...] = ()  # name, before, after
    holds: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        return not (self.edits or self.title or self.properties)


def plan_out(base: Base, local: Local, *, hold_prose: str = "") -> Plan:
    """The plan for a page that was just taken in. `hold_prose`: prose must wait; the sentence says why."""
    going = _Going(base, local)
    entries = going.rows(base.entries)
    settled = going.prose(entries)
    waits = hold_prose and settled != entries
    entries = entries if waits else settled
    entries = going.new_sections(going.headings(entries))
    title = local.title if not base.title_touched and local.title != base.records["page"]["title"] else base.title
    going.records["page"] = {"title": base.records["page"]["title"] if base.title_touched else local.title}
    expected = Base(title, going.properties(), tuple(entries), going.records, base.title_touched)
    return Plan(
        expected=expected,
        edits=edits(base.blocks, expected.blocks),
        title=(base.title, title) if title != base.title else None,
        properties=_changed(base.properties, expected.properties),
        holds=(hold_prose,) if waits else (),
    )


def as_fitted(plan: Plan, base: Base, fitted: Fitted) -> Plan:
    """The plan with only what the service can do to the page; the rest stays as it is and is told."""
    if not fitted.holds:
        return plan
    wanted, before = _with_blocks(plan.expected.entries), _with_blocks(base.entries)
    entries = [
        _entry_as_fitted(block, entry)
        for block, entry in zip(fitted.doc.blocks, _whose(fitted.doc.blocks, wanted, before), strict=True)
    ]
    expected = replace(plan.expected, entries=tuple(entries))
    return replace(plan, expected=expected, edits=edits(base.blocks, expected.blocks), holds=(*plan.holds, *fitted.holds))


def _with_blocks(entries: Iterable[Entry]) -> list[tuple[Block, Entry]]:
    return [(entry.block, entry) for entry in entries]


def _entry_as_fitted(block: Block, entry: Entry) -> Entry:
    """The entry with its block as it can be, and the keys of the rows that this one has: a plan takes none away."""
    if entry.role != "table":
        return replace(entry, block=block)
    return replace(entry, block=block, keys=tuple(_whose(block.rows, zip(entry.block.rows, entry.keys, strict=True))))


def _whose(found: Sequence[Block], wanted: Iterable[tuple[Block, T]], before: Iterable[tuple[Block, T]] = ()) -> list[T]:
    """What belongs to each block: to one that is on the page by its id, to a new one by the order of the new."""
    wanted = list(wanted)
    known = {block.native: thing for block, thing in (*before, *wanted) if block.native}
    fresh = [(block, thing) for block, thing in wanted if not block.native]
    things = []
    for block in found:
        if block.native in known:
            things.append(known[block.native])
            continue
        at = next((index for index, (new, _) in enumerate(fresh) if new == block), 0)
        things.append(fresh[at][1])
        del fresh[: at + 1]
    return things


def _changed(before: Iterable[tuple[str, str]], after: Iterable[tuple[str, str]]) -> tuple[tuple[str, str, str], ...]:
    old = dict(before)
    return tuple((name, old[name], value) for name, value in after if old[name] != value)


class _Going:
    """The page under way: one method for each kind of thing; `records` follow what will be shown."""

    def __init__(self, base: Base, local: Local) -> None:
        self.base, self.local, self.words = base, local, local.words
        self.records: Records = {carrier: dict(values) for carrier, values in base.records.items()}

    def properties(self) -> tuple[tuple[str, str], ...]:
        """The page's carriers with the store's values where those changed."""
        shown, mine, recorded = dict(carried(self.local)), properties(self.local), self.records.get("properties", {})
        there = {name: mine.get(name, "") for name, _ in self.base.properties}
        self.records["properties"] = recorded | there
        return tuple(
            (name, shown.get(name, "") if there[name] != recorded.get(name, "") else value)
            for name, value in self.base.properties
        )

    # --- rows -----------------------------------------------------------------------------------------------------------

    def rows(self, entries: Sequence[Entry]) -> list[Entry]:
        """Changed rows rewritten, new rows added behind their predecessors."""
        changed = [self._row(entry) for entry in entries]
        return self._new_timeline(self._new_event_lines(self._new_follow_ups(changed)))

    def _row(self, entry: Entry) -> Entry:
        if entry.role == "row" and entry.keys[0]:
            return self._follow_up(entry)
        if entry.role == "event":
            return self._event_line(entry)
        if entry.role == "table" and self._kind(entry.section) == "timeline":
            return self._new_events(self._events(entry))
        return self._new_details(self._details(entry)) if entry.role == "table" else entry

    def _kind(self, section: str) -> str:
        found = self.local.postmortem.section(section)
        return found.kind if found else ""

    def _update(self, key: str, values: dict[str, str]) -> list[str]:
        """The fields that the store changed since the page showed them; from now on it shows them."""
        recorded = self.records.get(key, {})
        self.records[key] = values
        return [name for name, value in values.items() if recorded.get(name) != value]

    def _follow_up(self, entry: Entry) -> Entry:
        row = self.local.follow_ups[entry.keys[0]]
        line = read_follow_up(entry.block, self.words, self.local.follow_ups)
        changed = self._update(row.key, follow_up_values(row))
        if not changed and line.key == row.key:
            return entry
        return replace(entry, block=self._as_shown(write_follow_up(entry.block, line, row, changed, self.words)))

    def _event_line(self, entry: Entry) -> Entry:
        event = self.local.events[entry.keys[0]]
        line = read_event_line(entry.block, self.local.events)
        recorded = self.records.get(event.key, {})
        if line is None:  # nobody understands it as it stands now
            return entry
        changed = [name for name in self._update(event.key, event_values(event)) if name != "description"]
        if not changed and line.key == event.key:
            return entry
        changed = changed if recorded else []
        return replace(entry, block=self._as_shown(write_event_line(entry.block, line, event, changed, self.words)))

    def _as_shown(self, block: Block) -> Block:
        """A block of ours as the service will give it back, still the block that it is."""
        shown = self.local.projected((block,))
        return replace(shown[0], native=block.native, hint=block.hint) if len(shown) == 1 else block

    def _row_as_shown(self, row: Block) -> Block:
        (table,) = self.local.projected((Block("table", rows=(row,)),))
        return replace(table.rows[0], native=row.native)

    def _fresh(self, rows: Iterable[RowT]) -> list[RowT]:
        """Rows of the store that the page never showed and nobody removed from it."""
        return [row for row in rows if row.key not in self.records and row.key not in self.local.hidden]

    def _new_follow_ups(self, entries: list[Entry]) -> list[Entry]:
        section = next((s.id for s in self.local.postmortem.sections if s.kind == "follow_ups"), None)
        fresh = self._fresh(self.local.incident.follow_ups)
        rows = [i for i, e in enumerate(entries) if e.role == "row"]
        places = rows or [i for i, e in enumerate(entries) if e.section == section]
        if not fresh or not places:
            return entries
        at = _behind_notes(entries, rows[-1]) if rows else places[-1]
        where = entries[at].section
        depth = entries[rows[-1]].block.depth if rows else 0
        self.records.update({row.key: follow_up_values(row) for row in fresh})
        lines = [replace(self._as_shown(render_follow_up(row, self.words)), depth=depth) for row in fresh]
        new = [Entry(line, where, "row", (row.key,)) for line, row in zip(lines, fresh, strict=True)]
        return entries[: at + 1] + new + entries[at + 1 :]

    def _events(self, entry: Entry) -> Entry:
        where = columns(entry.block)
        rows = [self._event(key, row, where) for key, row in zip(entry.keys, entry.block.rows, strict=True)]
        return replace(entry, block=replace(entry.block, rows=tuple(rows)))

    def _event(self, key: str, row: Block, where: dict[str, int]) -> Block:
        event = self.local.events.get(key)
        if event is None:
            return row
        changed = self._update(key, event_values(event))
        shown = read_event(row, where, self.local.events)[1]
        if not changed and shown == key:
            return row
        return self._row_as_shown(write_event(row, where, event, changed, shown, self.words))

    def _new_events(self, entry: Entry) -> Entry:
        where, width = columns(entry.block), max((len(row.cells) for row in entry.block.rows), default=3)
        fresh = self._fresh(self.local.incident.timeline)
        keys, rows = list(entry.keys), list(entry.block.rows)
        for event in sorted(fresh, key=lambda e: e.at):
            at = self._place_in_time(event, keys)
            keys.insert(at, event.key)
            rows.insert(at, self._row_as_shown(render_event(event, self.words, where, width)))
            self.records[event.key] = event_values(event)
        return replace(entry, keys=tuple(keys), block=replace(entry.block, rows=tuple(rows)))

    def _new_event_lines(self, entries: list[Entry]) -> list[Entry]:
        """New events in a timeline that is a list, each behind the last line that is not later."""
        lines = {e.keys[0] for e in entries if e.role == "event"}
        tables = any(e.role == "table" and self._kind(e.section) == "timeline" for e in entries)
        if tables or not lines:
            return entries
        for event in sorted(self._fresh(self.local.incident.timeline), key=lambda e: e.at):
            keys = [e.keys[0] if e.role == "event" else "" for e in entries]
            earlier = [i for i, key in enumerate(keys) if key and self.local.events[key].at <= event.at]
            near = earlier[-1] if earlier else next(i for i, key in enumerate(keys) if key)
            at = _behind_notes(entries, near) + 1 if earlier else near
            like = entries[near].block
            block = replace(self._as_shown(render_event_line(event, like, self.words)), depth=like.depth)
            entries = [*entries[:at], Entry(block, entries[near].section, "event", (event.key,)), *entries[at:]]
            self.records[event.key] = event_values(event)
        return entries

    def _new_timeline(self, entries: list[Entry]) -> list[Entry]:
        """A table for new events where people removed the one that was."""
        section = next((s.id for s in self.local.postmortem.sections if s.kind == "timeline"), None)
        head = next((i for i, e in enumerate(entries) if (e.section, e.role) == (section, "heading")), None)
        fresh = self._fresh(self.local.incident.timeline)
        if section is None or head is None or not fresh or any((e.section, e.role) == (section, "table") for e in entries):
            return entries
        if enclosed(entries) & self.local.events.keys() & self.records.keys():
            return entries  # it is there, inside something that we cannot read
        return [*entries[: head + 1], events_table(section, self.local, self.records), *entries[head + 1 :]]

    def _place_in_time(self, event: TimelineEvent, keys: Sequence[str]) -> int:
        """Behind the last row that is not later; the header stays first."""
        events = self.local.events
        earlier = [i for i, key in enumerate(keys) if key in events and events[key].at <= event.at]
        first = next((i for i, key in enumerate(keys) if key in events), len(keys))
        return earlier[-1] + 1 if earlier else first

    def _details(self, entry: Entry) -> Entry:
        values = details_values(self.local.incident, self.local.postmortem.status)
        recorded = self.records.get("details", {})
        rows = []
        for name, row in zip(entry.keys, entry.block.rows, strict=True):
            if name and recorded.get(name) != values.get(name, "") and len(row.cells) > 1:
                cell = detail_cell(name, values.get(name, ""), self.words)
                rows.append(self._row_as_shown(replace(row, cells=(row.cells[0], cell, *row.cells[2:]))))
            else:
                rows.append(row)
        self.records["details"] = {name: values.get(name, "") for name in entry.keys if name}
        return replace(entry, block=replace(entry.block, rows=tuple(rows)))

    def _new_details(self, entry: Entry) -> Entry:
        if not self._kind(entry.section):
            return entry  # the one-row table of a template without details
        values = details_values(self.local.incident, self.local.postmortem.status)
        names = list(values)
        keys, rows = list(entry.keys), list(entry.block.rows)
        for name, value in values.items():
            if name in keys or f"details:{name}" in self.local.hidden:
                continue
            earlier = [keys.index(n) for n in names[: names.index(name)] if n in keys]
            at = max(earlier, default=-1) + 1
            keys.insert(at, name)
            rows.insert(at, self._row_as_shown(render_detail(name, value, self.words)))
            self.records["details"][name] = value
        return replace(entry, keys=tuple(keys), block=replace(entry.block, rows=tuple(rows)))

    # --- headings and prose ---------------------------------------------------------------------------------------------

    def headings(self, entries: Sequence[Entry]) -> list[Entry]:
        """Headings that were renamed in the store."""
        return [self._heading(entry) if entry.role == "heading" else entry for entry in entries]

    def _heading(self, entry: Entry) -> Entry:
        section = self.local.postmortem.section(entry.section)
        if section is None or not self._update(f"section:{section.id}", {"heading": section.heading}):
            return entry
        return headed(entry, section.heading)

    def prose(self, entries: Sequence[Entry]) -> list[Entry]:
        """Every section of sentences as the store has it; help only while it is unwritten, and with its heading."""
        written = [e for e in entries if e.role != "help" or f"section:{e.section}" not in self.local.hidden]
        for section in self.local.postmortem.sections:
            if section.kind in ("text", "summary"):
                written = self._section(written, section)
        return written

    def _section(self, entries: list[Entry], section: Section) -> list[Entry]:
        head = next((i for i, e in enumerate(entries) if (e.section, e.role) == (section.id, "heading")), None)
        if head is None and section.id != INTRODUCTION:
            return entries
        ours = [e for e in entries if e.section == section.id and e.role in ("help", "prose")]
        page = tuple(e.block for e in ours if e.role == "prose")
        wanted = [Entry(block, section.id, "prose") for block in self._wanted(page, section)]
        wanted = [e for e in ours if e.role == "help" and section.unwritten] + wanted
        if wanted == ours:
            return entries
        rest = [e for e in entries if e.section != section.id or e.role not in ("help", "prose")]
        at = _first_prose(rest) if head is None else rest.index(entries[head]) + 1
        return rest[:at] + wanted + rest[at:]

    def _wanted(self, page: tuple[Block, ...], section: Section) -> tuple[Block, ...]:
        """The store's prose in the page's own blocks; kept blocks of this page never go, those of others never come."""
        mine = of_page(self.local.prose(section), page)
        return merge_blocks(page, self.local.projected(mine), page, "local").blocks

    def new_sections(self, entries: list[Entry]) -> list[Entry]:
        """Sections of the store that this page does not have, each behind the one it follows."""
        previous = ""
        for section in self.local.postmortem.sections:
            name = f"section:{section.id}"
            if name not in self.records and name not in self.local.hidden and section.heading:
                ends = [i for i, e in enumerate(entries) if e.section == previous]
                at = ends[-1] + 1 if ends else len(entries)
                entries = entries[:at] + section_entries(section, self.local, self.records) + entries[at:]
            previous = section.id
        return entries


def _behind_notes(entries: Sequence[Entry], row: int) -> int:
    """The last note nested under a row."""
    at, depth = row, entries[row].block.depth
    while at + 1 < len(entries) and entries[at + 1].role == "foreign" and entries[at + 1].block.depth > depth:
        at += 1
    return at


def _first_prose(entries: Sequence[Entry]) -> int:
    """Where text before the first heading begins: behind the line that says what this page is."""
    return 1 if entries and entries[0].role == "static" else 0


def describe(plan: Plan) -> list[str]:
    """The plan in words, one line an edit."""
    lines = [f"title: {plan.title[0]!r} -> {plan.title[1]!r}"] if plan.title else []
    lines += [f"{name}: {before or 'nothing'} -> {after or 'nothing'}" for name, before, after in plan.properties]
    return lines + [line for edit in plan.edits for line in _edit_lines(edit)]


def replaced(plan: Plan) -> str:
    """Every text that the plan takes off the page, whole."""
    title = [plan.title[0]] if plan.title else []
    values = [before for _, before, _ in plan.properties]
    blocks = [edit.before if isinstance(edit, Update) else edit.block for edit in plan.edits if not isinstance(edit, Insert)]
    return "\n".join(text for text in [*title, *values, *(block.text for block in blocks)] if text)


def _edit_lines(edit: Edit) -> list[str]:
    match edit:
        case Update(before=before, after=after):
            return [f"change {_short(before)} -> {_short(after)}"]
        case Insert(blocks=blocks):
            return [f"{'move' if block.native else 'add'} {_short(block)}" for block in blocks]
        case Remove(block=block):
            return [f"remove {_short(block)}"]


def _short(block: Block) -> str:
    mark = {"task": "[x] " if block.checked else "[ ] ", "row": "| "}.get(block.kind, "")
    text = " ".join(block.text.replace("\t", " | ").split())
    return mark + (text if len(text) <= 80 else text[:79] + "…")
