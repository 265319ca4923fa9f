"""What the message of a version of ours says: who changed what in the store. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from mapping.document import Block
from mapping.incident import PostmortemStatus
from syncd.command_words import cut
from syncd.pages import Base

LONGEST_MESSAGE = 220  # a version's message has 255 characters, and the intent's number stands behind this
NAMELESS = {"import": "an import", "sync": "the template", "store": "somebody", "page": "somebody"}
TICKS = {"done": "ticked", "dropped": "dropped", "open": "reopened"}
VERBS = {"title": "renamed", "assignee": "reassigned", "due_on": "set the due date of", "at": "set the time of"}


@dataclass(frozen=True, slots=True)
class Change:
    """What a page is about to show anew: `subject` and `field` as `Store.last_change` asks for them, `what` in words."""

    subject: str
    field: str
    what: str


def changes(before: Base, after: Base) -> list[Change]:
    """What one page says that another did not, one for each field and each section's prose."""
    found = [change for carrier in after.records for change in _of_carrier(carrier, before, after)]
    old, new = _prose(before), _prose(after)
    named = {section: after.records.get(f"section:{section}", {}).get("heading") or section for section in new}
    return found + [Change(s, "text", f"wrote “{named[s]}”") for s in new if new[s] != old.get(s)]


def _of_carrier(carrier: str, before: Base, after: Base) -> Iterator[Change]:
    old, new = before.records.get(carrier), after.records[carrier]
    subject = carrier.removeprefix("section:")
    if carrier == "properties":  # the same fields stand in the details
        return
    if old is None:
        yield Change(subject, "", f"added {subject}")
        return
    for name, value in new.items():
        if value != old.get(name, ""):
            yield Change(subject, name, _words(carrier, name, value))


def _words(carrier: str, name: str, value: str) -> str:
    if carrier == "page":
        return "changed the title"
    if carrier.startswith("section:"):
        return f"called a section “{cut(value)}”"
    if carrier == "details":
        label = "post-mortem status" if name == "status" else name.rpartition(":")[2].replace("_", " ")
        shown = PostmortemStatus(value).label if name == "status" and value in list(PostmortemStatus) else cut(value)
        return f"set {label} to {shown}" if value else f"cleared {label}"
    if name == "status":
        return f"{TICKS.get(value, 'changed')} {carrier}"
    return f"{VERBS.get(name, 'edited')} {carrier}"


def _prose(base: Base) -> Mapping[str, Sequence[Block]]:
    found: dict[str, list[Block]] = {}
    for entry in base.entries:
        if entry.role == "prose":
            found.setdefault(entry.section, []).append(entry.block)
    return found


def message(incident: str, said: Iterable[tuple[str, datetime | None, str]], otherwise: str) -> str:
    """`INC-12: Grace Hopkins ticked FU-3; 2 more`, of who, when and what, the newest first; `otherwise` where nobody's edit
    is behind it."""
    newest = sorted(said, key=lambda one: one[1].timestamp() if one[1] else 0.0, reverse=True)
    parts = [f"{NAMELESS.get(who, who) or 'somebody'} {what}" for who, _, what in newest] or [cut(otherwise)]
    for shown in range(len(parts), 0, -1):
        more = f"; {len(parts) - shown} more" if shown < len(parts) else ""
        text = f"{incident}: {'; '.join(parts[:shown])}{more}"
        if len(text) <= LONGEST_MESSAGE:
            return text
    return text[: LONGEST_MESSAGE - 1] + "…"
