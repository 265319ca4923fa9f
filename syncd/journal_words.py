"""A journal line in words, for people who follow what travels: which way it went, what it was, who did it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from mapping.incident import PostmortemStatus
from syncd.store_journal import JournalLine

Way = Literal["in", "out", "here"]
CUT = 140
FIELDS = {
    "due_on": "due date",
    "at": "time",
    "blocks": "text",
    "summary": "summary",
    "name": "name",
    "help_gone": "help",
}


@dataclass(frozen=True, slots=True)
class Travelled:
    """One line of the ticker. `way`: `in` from a page to the store, `out` from the store to a page, `here` in the store."""

    id: int
    at: datetime
    incident: str
    way: Way
    where: str
    by: str
    what: str
    detail: str = ""


def travelled(line: JournalLine) -> Travelled:
    """The words for a line."""
    ways: dict[str, Way] = {"page": "in", "sync": "out"}
    what, detail = _what(line)
    return Travelled(
        id=line.id,
        at=line.at,
        incident=line.incident,
        way=ways.get(line.actor.side, "here"),
        where=line.actor.page,
        by=line.actor.name or ("import" if line.actor.side == "import" else ""),
        what=what,
        detail=detail,
    )


def _what(line: JournalLine) -> tuple[str, str]:
    if line.action == "set":
        return f"{_subject(line)} {_field(line)}".strip(), _change(line)
    if line.action == "add":
        return f"new: {line.subject}", _cut(line.new)
    if line.action == "wrote":
        return "wrote to the page", _cut(line.new)
    return f"{line.action} {line.subject}".strip(), _cut(line.new)


def _subject(line: JournalLine) -> str:
    """A section by its id, the incident itself by nothing."""
    if line.subject == line.incident:
        return ""
    return line.subject.removeprefix("section:").replace("postmortem", "post-mortem")


def _field(line: JournalLine) -> str:
    kind, _, name = line.field.partition(":")
    return name.replace("_", " ") if name else FIELDS.get(kind, kind)


def _change(line: JournalLine) -> str:
    if line.field == "status" and line.subject == "postmortem":
        return f"{_status(line.old)} → {_status(line.new)}"
    if line.field in ("blocks", "summary", "description", "help_gone"):
        return _cut(line.new) or "emptied"
    return f"{_cut(line.old, CUT // 2) or '—'} → {_cut(line.new, CUT // 2) or '—'}"


def _status(value: str) -> str:
    return PostmortemStatus(value).label if value in list(PostmortemStatus) else value


def _cut(text: str, most: int = CUT) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= most else flat[: most - 1] + "…"
