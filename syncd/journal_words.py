"""A journal line in words, for people who follow what travels: which way it went, what it was, who did it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from mapping.incident import PostmortemStatus
from syncd.store.journal import JournalLine

Way = Literal["in", "out", "here"]
OUTWARD = ("wrote", "created", "adopted")
SAYINGS = {
    "hide": "{} was removed from the page",
    "unhide": "{} was brought back",
    "conflict": "conflict about {}",
    "resolve": "conflict about {} settled",
    "reopen": "conflict about {} open again",
    "unread": "nobody understands {}",
    "orphaned": "a comment lost the words it was on",
    "left unlabelled": "the page was left without labels",
    "learn": "met {}",
    "create": "created {}",
}
CUT = 140
MINUTE = re.compile(r"(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2})(?::\d{2}(?:\.\d+)?)?(?:Z|\+00:00)")
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
    replaced: bool = False  # a text that can be brought back


def travelled(line: JournalLine) -> Travelled:
    """The words for a line."""
    way: Way = "in" if line.actor.side == "page" else "out" if line.action in OUTWARD else "here"
    what, detail = _what(line)
    return Travelled(
        id=line.id,
        at=line.at,
        incident=line.incident,
        way=way,
        where=line.actor.page,
        by=line.actor.name or ("import" if line.actor.side == "import" else ""),
        what=what,
        detail=detail,
        replaced=line.action == "set" and bool(line.old),
    )


def _what(line: JournalLine) -> tuple[str, str]:
    if line.action == "set":
        return f"{_subject(line)} {field_words(line.field)}".strip(), _change(line)
    if line.action == "add":
        return f"new: {line.subject}", cut(line.new)
    if line.action in SAYINGS:
        return SAYINGS[line.action].format(_subject(line)).strip(), cut(line.new)
    if line.action == "wrote":
        edits = [_edit(edit) for edit in line.new.splitlines()]
        return _count(edits), cut(" · ".join(edits))
    return f"{line.action} {line.subject}".strip(), cut(line.new)


def _edit(line: str) -> str:
    """An edit of a plan, for people who saw what was there before: only what is there now."""
    verb, _, rest = line.partition(" ")
    said = rest.partition(" -> ")[2] or rest if verb == "change" else line.removeprefix("add ")
    return said.removeprefix("| ").replace("[x] ", "☑ ", 1).replace("[ ] ", "☐ ", 1)


def _count(edits: Sequence[str]) -> str:
    return "wrote" if len(edits) < 2 else f"wrote {len(edits)} changes"


def _subject(line: JournalLine) -> str:
    """A section by its id, the incident itself by nothing."""
    if line.subject == line.incident and line.action == "set":
        return ""
    return line.subject.removeprefix("section:").replace("postmortem", "post-mortem")


def field_words(field: str) -> str:
    """How people call a field."""
    kind, _, name = field.partition(":")
    return name.replace("_", " ") if name else FIELDS.get(kind, kind)


def _change(line: JournalLine) -> str:
    if line.field == "status" and line.subject == "postmortem":
        return f"{_status(line.old)} → {_status(line.new)}"
    if line.field in ("blocks", "summary", "description", "help_gone"):
        return cut(line.new) or "emptied"
    return f"{cut(line.old, CUT // 2) or '—'} → {cut(line.new, CUT // 2) or '—'}"


def _status(value: str) -> str:
    return PostmortemStatus(value).label if value in list(PostmortemStatus) else value


def cut(text: str, most: int = CUT) -> str:
    """The text on one line, minutes for seconds, not longer than `most`."""
    flat = MINUTE.sub(r"\1 \2", " ".join(text.split()))
    return flat if len(flat) <= most else flat[: most - 1] + "…"
