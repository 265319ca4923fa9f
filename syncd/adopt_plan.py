"""A page that people made by hand as the page of an incident: which commands that means for the store, and the base that
stands for the page as it is. Pure.

The page is taken as it stands. Its sections become the post-mortem's; rows that say what a row of the incident says already
are that row; what the post-mortem's template has and the page has not stays off this page.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple

from mapping.commands import Add, AddSection, Command, Set
from mapping.document import Block, Doc
from mapping.event_lines import read_event_line
from mapping.incident import FollowUp, Incident, Postmortem, Section, SectionKind, TimelineEvent
from mapping.rows import Vocabulary, columns, event_values, follow_up_values, read_event, read_follow_up, understood
from syncd.classify import NEW, section_id
from syncd.compose import INTRODUCTION, Records
from syncd.pages import Base, Entry
from syncd.recognise import Part, Piece, Recognised
from syncd.take_in import bare

ROWS = ("timeline", "follow_ups")


@dataclass(frozen=True, slots=True)
class Taken:
    """`base` stands for the page as it is, its new rows under slots (`+0`); `absent` are sections that it does not have."""

    commands: tuple[Command, ...]
    base: Base
    absent: tuple[Section, ...]


def taken(doc: Doc, found: Recognised, incident: Incident, postmortem: Postmortem, words: Vocabulary) -> Taken:
    """What taking this page means. `postmortem` may have no sections yet."""
    taking = _Taking(doc, found, incident, postmortem, words)
    taking.properties()
    entries = tuple(taking.entries())
    taking.prose(entries)
    base = Base(doc.title, doc.properties, entries, taking.records, title_touched=True)
    absent = [s for s in postmortem.sections if s.id not in taking.names and s.id != INTRODUCTION]
    return Taken(tuple(taking.commands), base, tuple(absent))


class _Told(NamedTuple):
    key: str
    values: Mapping[str, str]


@dataclass
class _Taking:
    doc: Doc
    found: Recognised
    incident: Incident
    postmortem: Postmortem
    words: Vocabulary
    commands: list[Command] = field(default_factory=list)
    names: list[str] = field(default_factory=list)  # the id of each page section
    used: set[str] = field(default_factory=set)  # keys of the incident that a row has taken
    slots: int = 0

    def __post_init__(self) -> None:
        self.records: Records = {"page": {"title": self.doc.title}, "properties": {}}
        self.near = self.found.near
        self._sections()

    # --- sections -------------------------------------------------------------------------------------------------------

    def _sections(self) -> None:
        for part in self.found.parts:
            self.names.append(self._section(part) if part.heading else "")

    def _section(self, part: Part) -> str:
        mine = self._known(part)
        if mine is None:
            taken = {*self.names, *(section.id for section in self.postmortem.sections), INTRODUCTION}
            mine = Section(section_id(part.heading, taken), part.kind, part.heading)
            self.commands.append(AddSection(mine, self.names[-1] if self.names else ""))
        elif mine.heading != part.heading:
            self.commands.append(Set("section", mine.id, "heading", part.heading))
        self.records[f"section:{mine.id}"] = {"heading": part.heading}
        return mine.id

    def _known(self, part: Part) -> Section | None:
        """The post-mortem's own section of this name, else of this kind where there is but one."""
        free = [s for s in self.postmortem.sections if s.id not in self.names]
        fits = [s for s in free if (s.kind in ROWS) == (part.kind in ROWS or part.rows) and s.kind != "details"]
        named = [s for s in fits if s.heading.casefold() == part.heading.casefold()]
        return next(iter(named), None) or next((s for s in fits if s.kind == part.kind != "text"), None)

    def _kind(self, section: str) -> SectionKind:
        mine = self.postmortem.section(section)
        added = (c.section for c in self.commands if isinstance(c, AddSection))
        return (mine or next((s for s in added if s.id == section), Section(section, "text", ""))).kind

    # --- rows -----------------------------------------------------------------------------------------------------------

    def entries(self) -> Iterator[Entry]:
        """Every block of the page with its meaning."""
        for piece in self.found.pieces:
            section = self.names[piece.section]
            if piece.role == "row":
                yield Entry(piece.block, section, "row", (self._follow_up(piece),))
            elif piece.role == "event":
                yield Entry(piece.block, section, "event", (self._event_line(piece),))
            elif piece.role == "table":
                yield Entry(piece.block, section, "table", ("", *self._events(piece.block)))
            else:
                yield Entry(piece.block, section or (INTRODUCTION if piece.role == "prose" else ""), piece.role)

    def _slot(self) -> str:
        self.slots += 1
        return f"{NEW}{self.slots - 1}"

    def _follow_up(self, piece: Piece) -> str:
        line = read_follow_up(piece.block, self.words, {row.key for row in self.incident.follow_ups})
        fields = {name: raw for name, raw in line.fields.items() if name != "status"}
        read = {name: understood(name, raw, self.words, self._day()) or "" for name, raw in fields.items()}
        values = read | {"status": line.fields["status"]}
        mine = self._same_follow_up(line.key, values["title"])
        if mine is None:
            slot = self._slot()
            self.commands.append(Add("follow_up", values, slot))
            self.records[slot] = values
            return slot
        self.used.add(mine.key)
        stored = follow_up_values(mine)
        said = [n for n, v in values.items() if v != stored[n] and v not in ("", "open") and stored[n] in ("", "open")]
        self.commands += [Set("follow_up", mine.key, name, values[name]) for name in said]
        self.records[mine.key] = values
        return mine.key

    def _same_follow_up(self, key: str, title: str) -> FollowUp | None:
        free = [row for row in self.incident.follow_ups if row.key not in self.used]
        same = (row for row in free if row.title.casefold() == title.casefold())
        return next((row for row in free if row.key == key), None) or next(same, None)

    def _event_line(self, piece: Piece) -> str:
        line = read_event_line(piece.block, {event.key for event in self.incident.timeline})
        assert line is not None, "it was recognised"
        return self._event(line.key, line.at, line.title, "")

    def _events(self, table: Block) -> list[str]:
        where, keys = columns(table), {event.key for event in self.incident.timeline}
        read = [read_event(row, where, keys) for row in table.rows[1:]]
        return [self._event(key, row["at"], row["title"], row.get("description", "")) for row, key in read]

    def _event(self, key: str, raw: str, title: str, description: str) -> str:
        at = understood("at", raw, self.words, self._day()) or ""
        self.near = datetime.fromisoformat(at)
        mine = self._same_event(key, at, title)
        if mine:
            self.used.add(mine.key)
            self.records[mine.key] = event_values(mine)
            return mine.key
        slot, values = self._slot(), {"at": at, "title": title, "description": description}
        self.commands.append(Add("event", values, slot))
        self.records[slot] = values
        return slot

    def _same_event(self, key: str, at: str, title: str) -> TimelineEvent | None:
        free = [event for event in self.incident.timeline if event.key not in self.used]
        same = (e for e in free if e.title.casefold() == title.casefold() and event_values(e)["at"][:16] == at[:16])
        return next((event for event in free if event.key == key), None) or next(same, None)

    def _day(self) -> datetime:
        return self.near or datetime.min.replace(year=1970, tzinfo=self.words.zone)

    # --- words ----------------------------------------------------------------------------------------------------------

    def prose(self, entries: tuple[Entry, ...]) -> None:
        """What the page says in sentences is what the post-mortem says; the journal keeps what it said before."""
        for section in dict.fromkeys(entry.section for entry in entries if entry.role == "prose"):
            blocks = tuple(bare(e.block) for e in entries if (e.section, e.role) == (section, "prose"))
            if section == INTRODUCTION and self.postmortem.section(INTRODUCTION) is None:
                self.commands.append(AddSection(Section(INTRODUCTION, "text", ""), ""))
            if section == INTRODUCTION:
                self.records[f"section:{INTRODUCTION}"] = {"heading": ""}
            if self._kind(section) == "summary":
                self.commands.append(Set("incident", "", "summary", blocks=blocks))
            else:
                self.commands.append(Set("section", section, "blocks", blocks=blocks))

    def properties(self) -> None:
        """Severity and status where the page carries them outside its text; what it does not say is written there."""
        said: dict[str, str] = {}
        for name, raw in self.doc.properties:
            value = understood(name, raw, self.words, self._day()) if name in ("severity", "status") and raw else None
            if value:
                said[name] = value
                self.commands.append(Set("postmortem" if name == "status" else "incident", "", name, value))
        self.records["properties"] = said


def without_sections(postmortem: Postmortem) -> Postmortem:
    """A post-mortem whose sections will be those of a page."""
    return replace(postmortem, sections=())
