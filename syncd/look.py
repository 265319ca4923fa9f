"""What would be recognised on a page that nobody manages yet, and what would never be touched. Pure."""

from dataclasses import asdict, dataclass
from typing import Any

from mapping.align import LISTED
from mapping.document import Doc, PageSection, plain, sections
from mapping.incident import Postmortem
from mapping.markdown import to_markdown
from mapping.rows import columns
from mapping.template import HEADINGS
from providers.contract import Observation


@dataclass(frozen=True, slots=True)
class Part:
    """One section: its heading, the kind it would be, and a sentence about what it means."""

    heading: str
    kind: str
    means: str


@dataclass(frozen=True, slots=True)
class Sight:
    """`incident` is empty where the page carries no marker; `kept` names content that only the service can show."""

    incident: str
    parts: tuple[Part, ...]
    kept: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """For `look --json`."""
        parts = [asdict(part) for part in self.parts]
        return {"incident": self.incident or None, "sections": parts, "never_touched": list(self.kept)}


def sight(seen: Observation, postmortem: Postmortem | None) -> Sight:
    """`postmortem` is the one that the page's marker names, for its own headings."""
    known = {heading.casefold(): kind for kind, heading in HEADINGS.items()}
    known |= {section.heading.casefold(): section.kind for section in postmortem.sections} if postmortem else {}
    found = [section for section in sections(seen.doc.blocks) if section.heading or section.blocks]
    return Sight(seen.marker, tuple(_part(section, known) for section in found), _kept(seen.doc))


def _part(section: PageSection, known: dict[str, str]) -> Part:
    heading = section.heading.text.strip() if section.heading else ""
    kind = known.get(heading.casefold(), "text")
    return Part(heading, kind, _means(section, kind))


def _means(section: PageSection, kind: str) -> str:
    tables = [block for block in section.blocks if block.kind == "table"]
    if kind == "follow_ups":
        rows = [block for block in section.blocks if block.kind in LISTED and not block.depth]
        return f"{len(rows)} follow-ups"
    if kind == "timeline":
        ours = [table for table in tables if {"Time", "Event"} <= set(columns(table))]
        return f"{sum(len(table.rows) - 1 for table in ours)} events" if ours else "no table of Time and Event: no events"
    if kind == "details":
        pairs = [row for table in tables for row in table.rows if len(row.cells) == 2]
        return ", ".join(plain(row.cells[0]) for row in pairs) or "no table of two columns: no details"
    return f"prose, {sum(len(block.text.split()) for block in section.blocks)} words"


def _kept(doc: Doc) -> tuple[str, ...]:
    return tuple(to_markdown((block,)).strip() for block in doc.blocks if block.kind == "kept")
