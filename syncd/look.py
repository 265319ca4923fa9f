"""What would be recognised on a page that nobody manages yet, and what would never be touched. Pure."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, cast

from mapping.document import Block, PageSection, plain, sections
from mapping.incident import Postmortem, SectionKind
from mapping.markdown import to_markdown
from mapping.rows import Vocabulary
from mapping.template import HEADINGS
from providers.contract import Observation
from syncd.compose import STATIC
from syncd.recognise import Piece, Recognised, first_day, recognise


@dataclass(frozen=True, slots=True)
class Part:
    """One section: its heading, the kind it would be, and a sentence about what it means."""

    heading: str
    kind: str
    means: str


@dataclass(frozen=True, slots=True)
class Sight:
    """`incident` is empty where the page carries no marker; `kept` names content that only the service can show; `lines` are
    the page's blocks, each with what it would be: `event`, `follow-up`, `prose`, `heading` or `untouched`; the line of ours
    under the title is none of them."""

    incident: str
    parts: tuple[Part, ...]
    kept: tuple[str, ...]
    follow_ups: int
    events: int
    untouched: int
    unclear: tuple[str, ...]
    lines: tuple[tuple[str, str], ...]

    @property
    def sum(self) -> str:
        """In one sentence."""
        rows = f"{_count(self.follow_ups, 'follow-up')}, {_count(self.events, 'event')}"
        return f"{rows}, {_count(self.untouched, 'block')} that will never be touched"

    def as_json(self) -> dict[str, Any]:
        """For `look --json`."""
        return {
            "incident": self.incident or None,
            "sections": [asdict(part) for part in self.parts],
            "never_touched": list(self.kept),
            "follow_ups": self.follow_ups,
            "events": self.events,
            "untouched": self.untouched,
            "unclear": list(self.unclear),
        }


def sight(seen: Observation, postmortem: Postmortem | None, words: Vocabulary, day: datetime) -> Sight:
    """`postmortem` is the one that the page's marker names, for its own headings. `day` is lent to bare times where the page
    names none: an incident that takes the page has one."""
    doc = replace(seen.doc, blocks=tuple(block for block in seen.doc.blocks if not _is_our_line(block, seen.marker)))
    known: dict[str, SectionKind] = {heading.casefold(): cast(SectionKind, kind) for kind, heading in HEADINGS.items()}
    known |= {section.heading.casefold(): section.kind for section in postmortem.sections} if postmortem else {}
    found = recognise(doc, words, first_day(doc) or day, known)
    named = list(zip(sections(doc.blocks), found.parts, strict=True))
    parts = tuple(
        Part(part.heading, part.kind, _means(section, part.kind, [p for p in found.pieces if p.section == number]))
        for number, (section, part) in enumerate(named)
        if section.heading or section.blocks
    )
    kept = tuple(to_markdown((block,)).strip() for block in doc.blocks if block.kind == "kept")
    counts = (found.follow_ups, found.events, found.untouched)
    return Sight(seen.marker, parts, kept, *counts, found.unclear, tuple(_lines(found)))


def _is_our_line(block: Block, incident: str) -> bool:
    return bool(incident) and block.text.startswith(STATIC.format(incident))


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _means(section: PageSection, kind: str, pieces: Sequence[Piece]) -> str:
    rows = sum(piece.role == "row" for piece in pieces)
    events = sum(p.role == "event" for p in pieces) + sum(len(p.block.rows) - 1 for p in pieces if p.role == "table")
    if kind == "follow_ups" or kind == "timeline" or events or rows:
        told = [_count(events, "event")] * bool(events) + [_count(rows, "follow-up")] * bool(rows)
        return ", ".join(told) or "no events" * (kind == "timeline") or "no follow-ups"
    if kind == "details":
        pairs = [row for table in section.blocks for row in table.rows if len(row.cells) == 2]
        return ", ".join(plain(row.cells[0]) for row in pairs) or "no table of two columns: no details"
    return f"prose, {sum(len(block.text.split()) for block in section.blocks)} words"


def _lines(found: Recognised) -> list[tuple[str, str]]:
    lines: list[tuple[str, str]] = []
    for piece in found.pieces:
        if piece.role == "table":
            lines += [("event", _text(row)) for row in piece.block.rows[1:]]
        else:
            names = {"row": "follow-up", "event": "event", "prose": "prose", "heading": "heading"}
            kept = piece.block.kind == "kept"
            lines.append(("untouched" if kept else names.get(piece.role, "untouched"), _text(piece.block)))
    return lines


def _text(block: Block) -> str:
    return " ".join(block.text.replace("\t", " | ").split())
