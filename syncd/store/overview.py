"""The part of the store that answers for many incidents at once: which of them, in which order, with what of each.

One statement for a page of the overview, however many incidents there are.
"""

import json
import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from mapping.incident import Person, PostmortemStatus
from syncd.errors import Misuse
from syncd.flow import ExportStatus
from syncd.store import statements as sql
from syncd.store.core import Row
from syncd.store.journal import moment
from syncd.store.records import Records, person_of
from syncd.store.search import query
from syncd.store.visible import EVERYTHING, Visible

# A page's freshness by the number that `statements.py` gives it, the worst first. Up to `not_understood` a person must look.
FRESHNESS: tuple[ExportStatus, ...] = (
    "halted", "missing", "conflict", "held", "held", "stale", "exporting", "not_exported", "held", "fresh",
)  # fmt: skip
NO_POSTMORTEM = "none"  # beside the statuses of a post-mortem, where there is none
ROWS = 50
ALL = -1  # as a count
FOUND = re.compile("\ue000(.*?)\ue001", re.DOTALL)  # what a query found in a text


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which incidents: each empty one means any. `owners` are e-mails or names of leads; `statuses` may hold `none`.

    First come those that need a person, then the newest (or the oldest); or all `as_recorded`, those `after` a reference.
    """

    text: str = ""
    phases: tuple[str, ...] = ()
    severities: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    freshness: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    needs_person: bool = False
    oldest_first: bool = False
    as_recorded: bool = False
    after: str = ""
    start: int = 0
    count: int = ROWS

    @property
    def parameters(self) -> dict[str, object]:
        numbers = [number for number, name in enumerate(FRESHNESS) if name in self.freshness]
        return {
            "query": query(self.text) or None,
            "phases": _chosen(self.phases),
            "severities": _chosen(self.severities),
            "statuses": _chosen(self.statuses),
            "freshness": json.dumps(numbers) if self.freshness else None,
            "owners": _chosen(self.owners),
            "needs_person": self.needs_person,
            "oldest_first": self.oldest_first,
            "as_recorded": self.as_recorded,
            "after": self.after,
            "start": self.start,
            "count": self.count,
        }


def _chosen(values: tuple[str, ...]) -> str | None:
    return json.dumps(values) if values else None


@dataclass(frozen=True, slots=True)
class Listed:
    """One incident of an overview.

    `status`, `home` and `template` are the post-mortem's, `home` empty for in-house. `freshness` up to `reason` are of the
    page that is worst off, as it was last looked at. `found` are pieces of its text with whether they are what was
    searched for.
    """

    reference: str
    name: str
    phase: str
    severity: str
    private: bool
    owner: Person | None
    began: datetime
    needs_person: bool
    status: PostmortemStatus | None
    home: str
    template: str
    freshness: ExportStatus
    destination: str
    url: str
    since: datetime | None
    checked_at: datetime | None
    reason: str
    conflicts: int
    not_understood: int
    open_follow_ups: int
    overdue: int
    found: tuple[tuple[str, bool], ...] = ()
    closed_past_no: bool = False


@dataclass(frozen=True, slots=True)
class Listing:
    """A part of the incidents that are wanted, and how many those are in all."""

    rows: tuple[Listed, ...]
    total: int


@dataclass(frozen=True, slots=True)
class Choices:
    """What an overview can be narrowed to, besides the words that are fixed."""

    severities: tuple[str, ...]
    owners: tuple[Person, ...]


class Overview(Records):
    """Many incidents at once."""

    def overview(self, wanted: Wanted, visible: Visible = EVERYTHING) -> Listing:
        """The incidents that are wanted and may be seen; raises Misuse where `after` names none."""
        self._index_rest()
        if wanted.after and self._one(sql.INCIDENT_STANDS, (wanted.after,)) is None:
            raise Misuse("`after` is no cursor of this list.")
        yesterday = (self.now().date() - timedelta(days=1)).isoformat()
        asked = wanted.parameters | visible.parameters | {"yesterday": yesterday}
        with self._read():
            rows = self._all(sql.OVERVIEW, asked)
            found = self._found(asked["query"], [row[1] for row in rows])
            beyond = not rows and wanted.start > 0
            total = self._all(sql.OVERVIEW, asked | {"start": 0, "count": 1})[:1] if beyond else rows[:1]
        return Listing(tuple(_listed(row[1:], found) for row in rows), total[0][0] if total else 0)

    def tell_exports(self) -> None:
        """Announces for each incident that something happened to whether its page holds what the store holds, where that
        became another since it was last told."""
        begun = self._one(sql.CHANNEL, ("exports",))
        touched = self._all(sql.EXPORTS_TOUCHED, {"since": begun[0] if begun else 0}) if begun else []
        last = self.last_line()
        if begun and not touched and begun[0] == last:
            return
        with self.tx():
            self._run(sql.REACH_LINE, ("exports", last))
            for ref, number, told in touched:
                status = FRESHNESS[number]
                if status != told:
                    self._run(sql.TELL_EXPORT, (ref, status))
                    self.announce("export.status", ref, "", {"old": told, "new": status})

    def choices(self, visible: Visible = EVERYTHING) -> Choices:
        """The severities and leads that incidents have."""
        rows = self._all(sql.CHOICES, visible.parameters)
        severities = tuple(value for kind, value, _ in rows if kind == "severity")
        return Choices(
            severities, tuple(p for kind, value, name in rows if kind == "owner" and (p := person_of(value, name)))
        )

    def _found(self, asked: object, references: list[str]) -> dict[str, str]:
        if not asked or not references:
            return {}
        return dict(self._all(sql.FOUND, {"query": asked, "references": json.dumps(references)}))


def _listed(row: Row, found: dict[str, str]) -> Listed:
    reference, name, phase, severity, private, lead, lead_name, began, needs, status, home, template, *page = row
    freshness, destination, url, since, checked_at, reason, conflicts, not_understood, left, overdue, past_no = page
    return Listed(
        reference=reference,
        name=name,
        phase=phase,
        severity=severity,
        private=bool(private),
        owner=person_of(lead, lead_name),
        began=moment(began),
        needs_person=bool(needs),
        status=PostmortemStatus(status) if status else None,
        home=home or "",
        template=template or "",
        freshness=FRESHNESS[freshness],
        destination=destination or "",
        url=url or "",
        since=moment(since) if since else None,
        checked_at=moment(checked_at) if checked_at else None,
        reason=reason or "",
        conflicts=conflicts,
        not_understood=not_understood,
        open_follow_ups=left,
        overdue=overdue,
        closed_past_no=bool(past_no),
        found=_pieces(found.get(reference, "")),
    )


def _pieces(text: str) -> tuple[tuple[str, bool], ...]:
    return tuple((piece, bool(index % 2)) for index, piece in enumerate(FOUND.split(text)) if piece)
