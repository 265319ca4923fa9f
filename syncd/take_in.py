"""Inbound: what people did on a page, as commands for the store. Pure.

Base (what was last taken in), local (the store) and remote (the page now) meet here, once. Only what differs from the base
is looked at: a cell that did not change is never parsed again. A value that both sides changed differently is a conflict:
prose is won by where it is written, rows and details by the store, and the loser is kept. The result's base is the page as
read; what the page lacks of the store afterwards is `plan.py`'s business.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from mapping.align import match
from mapping.commands import Add, AddSection, Command, Learn, Set, Target
from mapping.document import Block, Doc, Spans, as_json
from mapping.event_lines import read_event_line
from mapping.incident import FollowUpStatus, Person, Section
from mapping.kept import kept_in
from mapping.markdown import to_markdown
from mapping.merge import Collision, Side, merge_sections, merge_spans
from mapping.rows import (
    FIXED_DETAILS,
    columns,
    details_values,
    event_values,
    follow_up_values,
    label,
    read_detail,
    read_event,
    read_follow_up,
    render_event,
    render_follow_up,
    shown_key,
    understood,
)
from syncd.classify import NEW, classify
from syncd.compose import INTRODUCTION
from syncd.local import Local, Policy
from syncd.pages import Base, Brake, Entry, Unread, enclosed, rows_of

PUT_BACK = "\x00"  # a recorded value that nothing equals: the store's value will be written again
YOUNG = timedelta(hours=1)  # a follow-up removed from the page this soon after being made there is dropped
Fields = Mapping[str, str]
Prose = Mapping[str, tuple[Block, ...]]  # by section


@dataclass(frozen=True, slots=True)
class Clash:
    """Both sides changed the same thing differently; `shown` is the side that stays."""

    section: str
    key: str
    field: str
    base: str
    store: str
    page: str
    shown: str


@dataclass(frozen=True, slots=True)
class TakenIn:
    """Everything that one look at a page means for the store.

    base: the page as read, to be recorded in the same transaction as the commands. waiting: rows that somebody may still be
    typing; they are not in `base`, and nothing may be written to the page. removes: something is gone from the page, and
    gone, the keys of rows that are. holds: sentences. halt: a person must look; nothing else of this value may be used.
    brake: what a person may agree to.
    """

    base: Base
    commands: tuple[Command, ...] = ()
    clashes: tuple[Clash, ...] = ()
    hides: tuple[tuple[str, str], ...] = ()
    unhides: tuple[str, ...] = ()
    unread: tuple[Unread, ...] = ()
    still: Mapping[str, datetime] = field(default_factory=dict)
    waiting: int = 0
    removes: bool = False
    gone: tuple[str, ...] = ()
    holds: tuple[str, ...] = ()
    halt: str = ""
    brake: Brake = ""


def take_in(base: Base, local: Local, remote: Doc, policy: Policy, now: datetime) -> TakenIn:
    """What people did on the page since `base`."""
    emptied = _says_something(base.blocks) and not _says_something(remote.blocks)
    if emptied and not policy.lifts("emptied"):
        why = "The page was emptied. Restore it from its history, or agree to take it as it is."
        return TakenIn(base, removes=True, halt=why, brake="emptied")
    taking = _Taking(base, local, policy, now)
    entries = taking.settled(classify(base, remote, local, native=policy.native))
    halt = taking.removals(entries)
    if halt:
        return TakenIn(base, removes=True, gone=tuple(taking.gone), halt=halt, brake="removed")
    taking.title(remote)
    taking.properties(remote)
    taking.sections(entries)
    taking.rows(entries)
    taking.prose(entries)
    return taking.result(remote, entries)


def _says_something(blocks: Iterable[Block]) -> bool:
    return any(block.text.strip() for block in blocks)


class _Taking:
    """The accumulators of one `take_in`; each method takes in one kind of thing."""

    def __init__(self, base: Base, local: Local, policy: Policy, now: datetime) -> None:
        self.base, self.local, self.policy, self.now = base, local, policy, now
        self.records = {carrier: dict(values) for carrier, values in base.records.items()}
        self.before = rows_of(base.entries)
        self.touched = base.title_touched
        self.commands: list[Command] = []
        self.clashes: list[Clash] = []
        self.hides: list[tuple[str, str]] = []
        self.unhides: list[str] = []
        self.unread: list[Unread] = []
        self.still: dict[str, datetime] = {}
        self.holds: list[str] = []
        self.waiting = 0
        self.removes = False
        self.gone: list[str] = []
        self.brake: Brake = ""

    # --- stillness ------------------------------------------------------------------------------------------------------

    def settled(self, entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
        """The entries with rows that may be half-typed put back to what the base had (new ones left out)."""
        if self.policy.published or not self.policy.row_still:
            return entries
        return tuple(kept for entry in entries if (kept := self._settled(entry)) is not None)

    def _settled(self, entry: Entry) -> Entry | None:
        if entry.role in ("row", "event"):
            block = self._settled_row(entry.keys[0], entry.block)
            return replace(entry, block=block) if block else None
        if entry.role != "table":
            return entry
        kept = [(key, self._settled_row(key, row)) for key, row in zip(entry.keys, entry.block.rows, strict=True)]
        rows = [(key, row) for key, row in kept if row is not None]
        return replace(entry, block=replace(entry.block, rows=tuple(r for _, r in rows)), keys=tuple(k for k, _ in rows))

    def _settled_row(self, key: str, row: Block) -> Block | None:
        before = self.before.get(key)
        if not key or before == row or (before and replace(before, checked=row.checked) == row):
            return row
        token = hashlib.sha256(repr((before and key, as_json(row, native=False))).encode()).hexdigest()[:16]
        self.still[token] = self.local.still.get(token, self.now)
        if self.now - self.still[token] >= self.policy.row_still:
            return row
        self.waiting += 1
        return replace(before, native=row.native) if before else None

    # --- what is gone ---------------------------------------------------------------------------------------------------

    def removals(self, entries: tuple[Entry, ...]) -> str:
        """Hide what people removed; the sentence of a halt when that is suspiciously much."""
        present = {key for entry in entries for key in entry.keys}
        known = [key for key in self.base.records if key in self.local.keys]
        shut = self._shut(known, present, entries)
        gone = self.gone = [key for key in known if key not in present and key not in shut]
        if self._too_much(gone, known):
            return (
                f"{len(gone)} of {len(known)} rows vanished from the page at once. Agree to hide them, or restore the page."
            )
        vanished = self._vanished(gone, entries)
        for key in gone:
            if key not in vanished:
                self._remove(key)
        self._removed_sections(entries)
        return ""

    def _shut(self, known: list[str], present: set[str], entries: tuple[Entry, ...]) -> set[str]:
        """The rows that are still on the page, inside what we cannot read; they wait for a person."""
        inside = enclosed(entries) if not self.policy.lifts("vanished") else set()
        shut = [key for key in known if key not in present and key in inside]
        tables = [entry for entry in entries if entry.role == "table" and not self._is_timeline(entry)]
        details = self.records.get("details") and not tables and self.local.incident.reference in inside
        for what in ([", ".join(shut)] if shut else []) + (["The details"] if details else []):
            self.brake = "vanished"
            self.holds.append(
                f"{what} cannot be read on the page, inside a table with merged cells, or a panel: split the cells or take "
                f"them out of it, or `syncd resume {self.local.incident.reference} --accept` hides them there."
            )
        return set(shut)

    def _too_much(self, gone: list[str], known: list[str]) -> bool:
        few = len(gone) < self.policy.removed_min or len(gone) <= self.policy.removed_share * len(known)
        return not few and not self.policy.lifts("removed")

    def _vanished(self, gone: list[str], entries: tuple[Entry, ...]) -> set[str]:
        """The rows of row sections that went with their heading; they wait for a person."""
        headings = {entry.section for entry in entries if entry.role == "heading"}
        held: set[str] = set()
        for section in self.local.postmortem.sections:
            rows = self.local.follow_ups if section.kind == "follow_ups" else self.local.events
            ours = section.kind in ("follow_ups", "timeline") and f"section:{section.id}" in self.base.records
            if ours and section.id not in headings and set(gone) & set(rows) and not self.policy.lifts("vanished"):
                held |= set(gone) & set(rows)
                self.brake = "vanished"
                way = f"put its heading back, or `syncd resume {self.local.incident.reference} --accept` hides them there"
                self.holds.append(f"The section {section.heading} vanished from the page; its rows are in the store: {way}.")
        return held

    def _remove(self, key: str) -> None:
        row = self.local.follow_ups.get(key)
        made = self.local.made_here.get(key)
        if row and made and self.now - made < YOUNG and row.status is FollowUpStatus.OPEN:
            self.commands.append(Set("follow_up", key, "status", FollowUpStatus.DROPPED.value))
        title = row.title if row else self.local.events[key].title
        self.hides.append((key, title))
        del self.records[key]

    def _removed_sections(self, entries: tuple[Entry, ...]) -> None:
        """A removed section is hidden: of prose with its heading, of rows only when a person agreed that it may go."""
        present = {entry.section for entry in entries}
        headed = {entry.section for entry in entries if entry.role == "heading"} | {INTRODUCTION}
        for section in self.local.postmortem.sections:
            name = f"section:{section.id}"
            prose = section.kind in ("text", "summary")
            gone = section.id not in (headed if prose else present)
            if name in self.records and gone and (prose or self.policy.lifts("vanished")):
                self.hides.append((name, section.heading))
                del self.records[name]

    # --- title and properties -------------------------------------------------------------------------------------------

    def title(self, remote: Doc) -> None:
        """A title that a person chose stays theirs; one that is the incident's again follows it again."""
        if remote.title != self.base.title:
            self.touched = remote.title != self.local.title

    def properties(self, remote: Doc) -> None:
        """Status, severity, people and times where they live outside the body; those that the page has lost wait."""
        for name, raw in remote.properties:
            before = self.base.doc.property(name)
            if before is None:
                before = raw if self._is_recorded(name, raw) else ""
            if raw != before and name != "incident":
                self._detail(name, before, raw, "properties")
        self._lost(dict(remote.properties))

    def _is_recorded(self, name: str, raw: str) -> bool:
        """Whether a property that the page did not have before says what it said when it was last there."""
        value, recorded = understood(name, raw, self.local.words, self._near(name)), self.records["properties"].get(name)
        minutes = len("2026-11-02T10:03") if name.startswith("time:") else None
        return value is not None and recorded is not None and value[:minutes] == recorded[:minutes]

    def _lost(self, there: Fields) -> None:
        if "carried" not in self.records:  # the first look at it: what it does not carry was never shown there
            self.records["properties"] = {n: v for n, v in self.records["properties"].items() if n in there}
        seen = self.records.get("carried", {})
        lost = {name: text for name, text in seen.items() if name not in there and not self.policy.lifts("property")}
        self.records["carried"] = lost | dict(there)
        if lost:
            self.brake = self.brake or "property"
            names = ", ".join(label(name, self.local.words) for name in lost)
            why = "it was renamed or deleted, or the page was moved out of its database"
            way = f"Put it back, name it in the configuration, or `syncd resume {self.local.incident.reference} --accept`"
            self.holds.append(f"The page lost its property for {names}: {why}. {way} goes on without.")

    # --- sections -------------------------------------------------------------------------------------------------------

    def sections(self, entries: tuple[Entry, ...]) -> None:
        """Headings renamed, sections added, help deleted."""
        after = ""
        for entry in entries:
            if entry.role == "heading":
                self._heading(entry, after)
                after = entry.section
            elif entry.section == INTRODUCTION and entry.role == "prose" and not self._has(INTRODUCTION):
                self._add_section(Section(INTRODUCTION, "text", ""), "")
        there = {entry.section for entry in entries if entry.role == "heading"}
        shown = {entry.section for entry in entries if entry.role == "help"}
        for entry in self.base.entries:
            if entry.role == "help" and entry.section in there - shown:
                self.commands.append(Set("section", entry.section, "help_gone", "yes"))

    def _has(self, section: str) -> bool:
        added = (c.section.id for c in self.commands if isinstance(c, AddSection))
        return self.local.postmortem.section(section) is not None or section in added

    def _heading(self, entry: Entry, after: str) -> None:
        text, section = entry.block.text.strip(), entry.section
        if not self._has(section):
            self._add_section(Section(section, "text", text), after)
            return
        name, mine = f"section:{section}", self.local.postmortem.section(section)
        if name in self.local.hidden:
            self.unhides.append(name)
        before = self.records.get(name, {}).get("heading", "")
        if mine and text and text != before:
            if mine.heading in (before, text) or not before:
                self.commands.append(Set("section", section, "heading", text))
                self.records[name] = {"heading": text}
            else:
                self.clashes.append(Clash(section, "", "heading", before, mine.heading, text, "store"))

    def _add_section(self, section: Section, after: str) -> None:
        self.commands.append(AddSection(section, after))
        self.records[f"section:{section.id}"] = {"heading": section.heading}

    # --- rows -----------------------------------------------------------------------------------------------------------

    def rows(self, entries: tuple[Entry, ...]) -> None:
        """Follow-ups, events and details, new and changed."""
        for entry in entries:
            if entry.role == "row":
                self._follow_up(entry)
            elif entry.role == "event":
                self._event_line(entry)
            elif entry.role == "table" and self._is_timeline(entry):
                self._events(entry)
            elif entry.role == "table":
                self._details(entry)

    def _is_timeline(self, entry: Entry) -> bool:
        section = self.local.postmortem.section(entry.section)
        return section is not None and section.kind == "timeline"

    def _follow_up(self, entry: Entry) -> None:
        key = entry.keys[0]
        line = read_follow_up(entry.block, self.local.words, self.local.follow_ups)
        self._learn(entry.block)
        if key.startswith(NEW):
            given = self._given(entry.block.spans, "FU")
            line = read_follow_up(entry.block, self.local.words, (given,)) if given else line
            self._new_follow_up(key, line.fields, given)
            return
        self._restored(key, follow_up_values(self.local.follow_ups[key]))
        row = self.local.follow_ups[key]
        before = self.before.get(key) or render_follow_up(row, self.local.words)
        old = read_follow_up(before, self.local.words, self.local.follow_ups).fields
        mine = follow_up_values(row)
        for name in ("title", "status", "assignee", "due_on"):
            self._field("follow_up", key, entry.section, name, old[name], line.fields[name], mine[name], self.now)

    def _given(self, spans: Spans, prefix: str) -> str:
        """The key that a row of ours still shows after the database was restored from an older copy."""
        return shown_key(spans, prefix) if self.policy.agreed == "restored" else ""

    def _new_follow_up(self, slot: str, fields: Fields, given: str) -> None:
        if not fields["title"]:
            return
        values = {name: self._value(slot, name, raw, self.now) or "" for name, raw in fields.items()}
        self.commands.append(Add("follow_up", values, slot, given))
        self.records[slot] = values

    def _event_line(self, entry: Entry) -> None:
        key = entry.keys[0]
        line = read_event_line(entry.block, self.local.events)
        if key.startswith(NEW):
            if line:
                self._new_event(key, {"at": line.at, "title": line.title}, self._day(), "")
            return
        event = self.local.events[key]
        before = self.before.get(key)
        old = read_event_line(before, self.local.events) if before else None
        self._restored(key, event_values(event))
        if line is None:
            self.unread.append(Unread(key, "at", entry.block.text))
            return
        mine = event_values(event)
        self._field("event", key, entry.section, "at", old.at if old else line.at, line.at, mine["at"], event.at)
        shown = old.title if old else line.title
        self._field("event", key, entry.section, "title", shown, line.title, mine["title"], event.at)

    def _day(self) -> datetime:
        """The day of a bare time."""
        first = next((event.at for event in self.local.incident.timeline), self.now)
        return self.local.incident.timestamps.get("started", first)

    def _events(self, entry: Entry) -> None:
        where = columns(entry.block)
        near = self._day()
        for key, row in zip(entry.keys, entry.block.rows, strict=True):
            if not key:
                continue
            fields, _ = read_event(row, where, self.local.events)
            if key.startswith(NEW):
                given = self._given(row.cells[where["Details"]], "T") if "Details" in where else ""
                fields = read_event(row, where, (given,))[0] if given else fields
                self._new_event(key, fields, near, given)
                continue
            event = self.local.events[key]
            near = event.at
            self._restored(key, event_values(event))
            before = self.before.get(key) or render_event(event, self.local.words, where, len(row.cells))
            old = read_event(before, where, self.local.events)[0]
            for name, raw in fields.items():
                self._field("event", key, entry.section, name, old.get(name, raw), raw, event_values(event)[name], near)

    def _new_event(self, slot: str, fields: Fields, near: datetime, given: str) -> None:
        at = understood("at", fields.get("at", ""), self.local.words, near)
        title = " ".join(fields.get("title", "").split())
        if at is None or not title:
            self.unread.append(Unread("", "at" if at is None else "title", " | ".join(fields.values())))
            return
        values = {"at": at, "title": title, "description": fields.get("description", "")}
        self.commands.append(Add("event", values, slot, given))
        self.records[slot] = values

    def _restored(self, key: str, values: dict[str, str]) -> None:
        if key in self.local.hidden:
            self.unhides.append(key)
        self.records.setdefault(key, values)

    def _details(self, entry: Entry) -> None:
        for name, row in zip(entry.keys, entry.block.rows, strict=True):
            before = self.before.get(name)
            if name and before is not None:
                self._learn(row)
                self._detail(name, read_detail(before), read_detail(row), "details")
        gone = set(self.records.get("details", {})) - set(entry.keys)
        for name in gone & {key for e in self.base.entries for key in e.keys}:
            self.hides.append((f"details:{name}", name))
            del self.records["details"][name]

    def _detail(self, name: str, old: str, raw: str, carrier: str) -> None:
        if raw == old:
            self._still_unread(carrier, name, raw)
            return
        mine = details_values(self.local.incident, self.local.postmortem.status).get(name, "")
        if name in FIXED_DETAILS:
            self.clashes.append(Clash(carrier, "", name, old, mine, raw, "store"))
            self.records[carrier][name] = PUT_BACK
            return
        value = self._value(carrier, name, raw, self._near(name))
        if value is None:
            return
        recorded = self.records[carrier].get(name, "")
        if mine in (recorded, value) or self._said_already(name, value):
            self.records[carrier][name] = value
            target: Target = "postmortem" if name == "status" else "incident"
            self._set(target, "", name, value, mine)
        else:
            self.clashes.append(Clash(carrier, "", name, recorded, mine, value, "store"))

    def _said_already(self, name: str, value: str) -> bool:
        """Another carrier of the same page said so in this very look."""
        return any(isinstance(c, Set) and (c.field, c.value) == (name, value) for c in self.commands)

    def _near(self, name: str) -> datetime:
        times = self.local.incident.timestamps
        return times.get(name.partition(":")[2]) or times.get("started") or self.now

    def _field(
        self, target: Target, key: str, section: str, name: str, old: str, raw: str, mine: str, near: datetime
    ) -> None:
        if raw == old:
            self._still_unread(key, name, raw)
            return
        value = self._value(key, name, raw, near)
        if value is None:
            return
        recorded = self.records[key].get(name, "")
        minutes = len("2026-11-02T10:03") if name == "at" else None
        if key not in self.before and value[:minutes] == recorded[:minutes]:
            return  # a row that comes back as it was last seen: nobody changed it there
        if mine in (recorded, value):
            self.records[key][name] = value
            self._set(target, key, name, value, mine)
        else:
            self.clashes.append(Clash(section, key, name, recorded, mine, value, "store"))

    def _set(self, target: Target, key: str, name: str, value: str, mine: str) -> None:
        command = Set(target, key, name, value)
        if value != mine and command not in self.commands:
            self.commands.append(command)

    def _value(self, key: str, name: str, raw: str, near: datetime) -> str | None:
        """The canonical value; what cannot be understood is listed and stays on the page as typed."""
        follow_up_status = name == "status" and key not in ("details", "properties")
        value = raw if follow_up_status else understood(name, raw, self.local.words, near)
        if value is None:
            self.unread.append(Unread(key, name, raw))
        return value

    def _still_unread(self, key: str, name: str, raw: str) -> None:
        self.unread += [u for u in self.local.unread if (u.key, u.field, u.text) == (key, name, raw)]

    def _learn(self, block: Block) -> None:
        spans = [*block.spans, *(span for cell in block.cells for span in cell)]
        known = {person.email for person in self.local.words.people}
        for span in spans:
            if span.kind == "mention" and "@" in span.ref and span.ref not in known:
                self.commands.append(Learn(Person(span.text, span.ref)))

    # --- prose ----------------------------------------------------------------------------------------------------------

    def prose(self, entries: tuple[Entry, ...]) -> None:
        """Every section of sentences that is on the page, at once: a paragraph may be dragged from one to another."""
        present = {entry.section for entry in entries}
        there = [s for s in self._prose_sections() if s.id in present or (s.id == INTRODUCTION and self._has(INTRODUCTION))]
        old = {section.id: _prose_of(self.base.entries, section.id) for section in there}
        new = {section.id: _prose_of(entries, section.id) for section in there}
        if new != old:
            self.removes |= any(len(new[name]) < len(old[name]) for name in old)
            self._merge_prose(there, old, new)

    def _prose_sections(self) -> Iterable[Section]:
        added = [c.section for c in self.commands if isinstance(c, AddSection)]
        return [s for s in (*self.local.postmortem.sections, *added) if s.kind in ("text", "summary")]

    def _merge_prose(self, sections: Iterable[Section], old: Prose, new: Prose) -> None:
        mine = {section.id: self.local.prose(section) for section in sections}
        lifted = {name: self._lifted(mine[name], old[name], new[name]) for name in mine}
        base, remote = ({name: sides[k] for name, sides in lifted.items()} for k in (0, 1))
        prefer: Side = "remote" if self.local.home else "local"
        merged = merge_sections(base, mine, remote, prefer, native=self.policy.native)
        for section in sections:
            self.clashes += [self._collision(section.id, c) for c in merged[section.id].collisions]
            blocks = tuple(bare(block) for block in merged[section.id].blocks)
            if blocks != mine[section.id]:
                self.commands.append(self._prose_command(section, blocks))

    def _prose_command(self, section: Section, blocks: tuple[Block, ...]) -> Set:
        if section.kind == "summary":
            return Set("incident", "", "summary", blocks=blocks)
        return Set("section", section.id, "blocks", blocks=blocks)

    def _lifted(
        self, mine: tuple[Block, ...], old: tuple[Block, ...], new: tuple[Block, ...]
    ) -> tuple[tuple[Block, ...], tuple[Block, ...]]:
        """Page blocks that the store says in richer words, in those words: what the service cannot say is not an edit."""
        here = {ref for block in (*old, *new) for ref in kept_in(block)}
        whole = [block for block in mine if here.issuperset(kept_in(block))]  # what others keep is theirs to remove
        projected = self.local.projected(tuple(whole))
        if len(projected) != len(whole):
            return old, new
        richer = {page: own for own, page in zip(whole, projected, strict=True) if own != page}
        lift = [[replace(richer[b], native=b.native) if b in richer else b for b in run] for run in (old, new)]
        for i, j in match(old, new, native=self.policy.native).items() if richer else ():
            if old[i] in richer and new[j] not in richer:
                lift[1][j] = _reworded(richer[old[i]], old[i], new[j])
        return tuple(lift[0]), tuple(lift[1])

    def _collision(self, section: str, collision: Collision) -> Clash:
        shown = "page" if self.local.home else "store"
        texts = [to_markdown(blocks).strip() for blocks in (collision.base, collision.local, collision.remote)]
        return Clash(section, "", "text", texts[0], texts[1], texts[2], shown)

    # --- the sum --------------------------------------------------------------------------------------------------------

    def result(self, remote: Doc, entries: tuple[Entry, ...]) -> TakenIn:
        base = Base(remote.title, remote.properties, entries, self.records, self.touched)
        if self.waiting:
            self.holds.append(f"{self.waiting} rows were just typed on the page; they are taken in when they are still.")
        return TakenIn(
            base=base,
            commands=tuple(self.commands),
            clashes=tuple(self.clashes),
            hides=tuple(self.hides),
            unhides=tuple(dict.fromkeys(self.unhides)),
            unread=tuple(dict.fromkeys(self.unread)),
            still=self.still,
            waiting=self.waiting,
            removes=self.removes or bool(self.hides or self.brake),
            gone=tuple(self.gone),
            holds=tuple(self.holds),
            brake=self.brake,
        )


def _prose_of(entries: Iterable[Entry], section: str) -> tuple[Block, ...]:
    return tuple(entry.block for entry in entries if entry.role == "prose" and entry.section == section)


def _reworded(own: Block, old: Block, new: Block) -> Block:
    """A block that was written in on a page, in the store's richer words as far as those were not touched."""
    spans = merge_spans(old.spans, own.spans, new.spans, "remote")
    same = replace(old, spans=()) == replace(new, spans=())
    return replace(own, spans=spans, native=new.native) if same and spans else new


def bare(block: Block) -> Block:
    """A block without the clothes of its page."""
    return replace(block, native="", hint="", rows=tuple(bare(row) for row in block.rows))


def with_keys(base: Base, keys: Mapping[str, str]) -> Base:
    """The base with the keys that the store gave to new rows; what it did not accept is looked at again."""
    entries = tuple(replace(entry, keys=tuple(_named(key, keys) for key in entry.keys)) for entry in base.entries)
    records = {name: dict(values) for key, values in base.records.items() if (name := _named(key, keys))}
    return replace(base, entries=entries, records=records)


def _named(key: str, keys: Mapping[str, str]) -> str:
    return keys.get(key, "") if key.startswith(NEW) else key
