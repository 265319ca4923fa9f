"""The part of the store that insights are counted from: what all incidents have in common, each found by one statement."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from mapping.incident import Person
from syncd.store import statements as sql
from syncd.store.core import Row
from syncd.store.journal import moment, text_of
from syncd.store.records import PREFIX, Records, person_of
from syncd.store.visible import EVERYTHING, Visible


class Band(NamedTuple):
    """An age: under so many days (None: all that is older), and not in a band before."""

    name: str
    words: str
    days: int | None


BANDS = (
    Band("week", "Under a week", 7),
    Band("month", "Under a month", 30),
    Band("quarter", "Under 90 days", 90),
    Band("older", "Older", None),
)


@dataclass(frozen=True, slots=True)
class Lacking:
    """An incident that is over and has no post-mortem."""

    reference: str
    name: str
    severity: str
    phase: str
    owner: Person | None
    began: datetime


@dataclass(frozen=True, slots=True)
class Completed:
    """A post-mortem that is completed: since when, and when its incident ended."""

    ended: datetime
    completed: datetime


@dataclass(frozen=True, slots=True)
class LeftOpen:
    """The open follow-ups of one person (None: nobody's): how many, how many overdue, how many of each age in `BANDS`."""

    owner: Person | None
    open: int
    overdue: int
    by_age: tuple[int, ...]
    oldest: datetime


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A conflict that was: where (`what` is `follow-ups`, `timeline` or a section), how it was settled (`open`: not yet) and
    by whom."""

    destination: str
    what: str
    field: str
    state: str
    by: str


class Figures(Records):
    """What insights are counted from."""

    def lacking(self, visible: Visible = EVERYTHING) -> list[Lacking]:
        """Incidents that are over and have no post-mortem."""
        return [_lacking(*row) for row in self._all(sql.LACKING, visible.parameters)]

    def completed(self, visible: Visible = EVERYTHING) -> list[Completed]:
        """Post-mortems that are completed now."""
        rows = self._all(sql.COMPLETED, visible.parameters)
        return [Completed(moment(ended), moment(done)) for ended, done in rows if done]

    def left_open(self, visible: Visible = EVERYTHING) -> list[LeftOpen]:
        """Open follow-ups by assignee."""
        today = self.now().date()
        asked = visible.parameters | {"yesterday": (today - timedelta(days=1)).isoformat()}
        asked |= {band.name: text_of(self.now() - timedelta(days=band.days)) for band in BANDS if band.days}
        return [_left_open(row) for row in self._all(sql.LEFT_OPEN, asked)]

    def disagreements(self, visible: Visible = EVERYTHING) -> list[Disagreement]:
        """Every conflict that there ever was."""
        return [_disagreement(*row) for row in self._all(sql.DISAGREEMENTS, visible.parameters)]


def _lacking(reference: str, name: str, severity: str, phase: str, lead: str, lead_name: str | None, began: str) -> Lacking:
    return Lacking(reference, name, severity, phase, person_of(lead, lead_name), moment(began))


def _left_open(row: Row) -> LeftOpen:
    assignee, name, count, overdue, *younger, oldest = row
    return LeftOpen(person_of(assignee, name), count, overdue, tuple(_differences([*younger, count])), moment(oldest))


def _differences(rising: list[int]) -> Iterator[int]:
    for before, after in zip([0, *rising], rising, strict=False):
        yield after - before


def _disagreement(destination: str, section: str, key: str, field: str, state: str, by: str | None) -> Disagreement:
    rows = {PREFIX["follow_up"]: "follow-ups", PREFIX["event"]: "timeline"}
    what = rows.get(key.partition("-")[0], section) if key else section
    return Disagreement(destination, what, field, state, by or "somebody")
