"""The part of the store that remembers who did what, when and from which side. Lines are only ever added.

Subjects: the key of a row (`FU-3`, `T-7`), an incident's reference, `postmortem`, `section:impact`, an e-mail.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from mapping.commands import Actor
from syncd.errors import UnknownReference
from syncd.store import statements as sql
from syncd.store.core import Core, Row
from syncd.store.visible import EVERYTHING, Visible


@dataclass(frozen=True, slots=True)
class JournalLine:
    """One change. `old` and `new` are what people read: canonical text, prose as Markdown."""

    id: int
    at: datetime
    incident: str
    actor: Actor
    action: str
    subject: str
    field: str
    old: str
    new: str
    intent: int | None


def text_of(moment: datetime) -> str:
    """How a moment of our own stands in the database: of one length, so that text sorts as time does."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def moment(text: str) -> datetime:
    """The moment that `text_of` wrote."""
    return datetime.fromisoformat(text)


class Journal(Core):
    """Who did what."""

    def note(
        self,
        incident: str,
        actor: Actor,
        action: str,
        subject: str = "",
        field: str = "",
        old: str = "",
        new: str = "",
        intent: int | None = None,
    ) -> None:
        """One more line, part of the transaction that it tells of."""
        with self.tx():
            at = text_of(self.now())
            who = (actor.side, actor.name, actor.page)
            self._run(sql.NOTE, (at, incident, *who, action, subject, field, old, new, intent))

    def journal(self, ref: str | None = None, limit: int = 200, visible: Visible = EVERYTHING) -> list[JournalLine]:
        """The last lines, of one incident or of all, the newest last."""
        asked = {"incident": ref, "limit": limit, **visible.parameters}
        return [_line(row) for row in reversed(self._all(sql.JOURNAL if ref is None else sql.JOURNAL_OF, asked))]

    def journal_after(self, number: int, ref: str | None, limit: int, visible: Visible = EVERYTHING) -> list[JournalLine]:
        """The lines that follow this one, of one incident or of all, the oldest first."""
        asked = {"incident": ref, "limit": limit, "after": number, **visible.parameters}
        return [_line(row) for row in self._all(sql.JOURNAL_AFTER if ref is None else sql.JOURNAL_OF_AFTER, asked)]

    def journal_line(self, ref: str, number: int) -> JournalLine:
        """One line of an incident; raises UnknownReference."""
        row = self._one(sql.JOURNAL_LINE, (ref, number))
        if row is None:
            raise UnknownReference("journal line", str(number), hint=f"syncd journal {ref}")
        return _line(row)

    def changed_since(self, line: JournalLine) -> bool:
        """Did anybody change the same field after this line?"""
        return self._one(sql.CHANGED_SINCE, (line.incident, line.subject, line.field, line.id)) is not None

    def last_writes(self, ref: str, destination: str, since: datetime, most: int) -> list[tuple[str, str]]:
        """What the last writes to a page took off it and what they put there, the newest first."""
        return [(old, new) for old, new in self._all(sql.LAST_WRITES, (ref, destination, text_of(since), most))]

    def last_line(self) -> int:
        """The number of the newest line, 0 before there is one."""
        row = self._one(sql.LAST_LINE)
        return int(row[0] or 0) if row else 0

    def noted(self, ref: str, action: str, subject: str) -> bool:
        """Whether the journal says this of the subject already."""
        return self._one(sql.NOTED, (ref, subject, action)) is not None

    def last_change(self, ref: str, subject: str, field: str) -> tuple[str, datetime | None]:
        """Who last gave a field its value, and when; `("", None)` where nobody did.

        `subject` is a row's key, a section's id, or `details` and `properties` for what an incident shows there; the field
        `text` is a section's prose.
        """
        rows = [row for place in _places(ref, subject, field) if (row := self._one(sql.LAST_CHANGE, (ref, *place)))]
        if not rows:
            return "", None
        _, name, side, at = max(rows)
        return name or side, moment(at)


def _line(row: Row) -> JournalLine:
    number, at, incident, side, name, page, action, subject, field, old, new, intent = row
    return JournalLine(number, moment(at), incident, Actor(side, name, page), action, subject, field, old, new, intent)


def _places(ref: str, subject: str, field: str) -> list[tuple[str, str]]:
    if subject in ("details", "properties"):
        return [("postmortem" if field == "status" else ref, field)]
    if field == "text":
        return [(f"section:{subject}", "blocks")] + ([(ref, "summary")] if subject == "summary" else [])
    return [(subject, field), (f"section:{subject}", field)]
