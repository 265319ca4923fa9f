"""What can be learned from all incidents at once, as tables: pure, from what `store/figures.py` found.

Every insight is one table with a sentence and a few figures, the same for the web page, the HTTP interface and the command
line. Durations are in days.
"""

import csv
import io
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from statistics import median
from typing import Any, NamedTuple

from mapping.times import iso
from syncd.errors import UnknownReference
from syncd.store import Store
from syncd.store.figures import BANDS, Completed, Disagreement, Lacking, LeftOpen
from syncd.store.visible import EVERYTHING, Visible

Cell = str | int | float
Cells = tuple[Cell, ...]
NOBODY = "nobody"
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet may take a text for, when it begins so
SIDES = {"page": "the page's", "store": "the store's", "both": "both", "text": "another text", "open": "undecided"}


class Column(NamedTuple):
    """A column's name for programs, and in words."""

    name: str
    words: str


@dataclass(frozen=True, slots=True)
class Insight:
    """One table. `says` is what is counted, `headline` what came out in one sentence, `figures` the same as numbers."""

    name: str
    title: str
    says: str
    headline: str
    figures: Mapping[str, Cell | None]
    columns: Sequence[Column]
    rows: Sequence[Cells]
    at: datetime

    def as_json(self) -> dict[str, Any]:
        """The public shape."""
        names = [column.name for column in self.columns]
        return {
            "name": self.name,
            "title": self.title,
            "says": self.says,
            "headline": self.headline,
            "at": iso(self.at),
            "figures": dict(self.figures),
            "rows": [dict(zip(names, row, strict=True)) for row in self.rows],
        }

    def as_csv(self) -> str:
        """The table with a line of names above it; no cell of it is a formula to a spreadsheet."""
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerow([column.name for column in self.columns])
        writer.writerows([[_harmless(cell) for cell in row] for row in self.rows])
        return text.getvalue()


def _harmless(cell: Cell) -> Cell:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell


def insight(store: Store, name: str, visible: Visible = EVERYTHING) -> Insight:
    """One of `INSIGHTS`, from what may be seen; raises UnknownReference."""
    if name not in INSIGHTS:
        raise UnknownReference("insight", name, INSIGHTS, "syncd insights")
    return INSIGHTS[name](store, visible)


# --- incidents without a post-mortem --------------------------------------------------------------------------------------


def missing(lacking: Iterable[Lacking], now: datetime) -> Insight:
    """The incidents that have none, by severity, the oldest first."""
    rows = [
        (one.reference, one.name, one.severity, one.phase, str(one.owner or ""), iso(one.began), _days(now, one.began))
        for one in sorted(lacking, key=lambda one: (one.severity == "", one.severity, one.began))
    ]
    oldest = max((row[-1] for row in rows), default=None)
    told = f"{_count(len(rows), 'incident')} without a post-mortem" + (
        f", the oldest for {oldest:,.0f} days." if rows else "."
    )
    return Insight(
        name="missing",
        title="Incidents without a post-mortem",
        says="Incidents that are over (post-incident or closed) and have none, by severity and age.",
        headline=told if rows else "Every incident that is over has a post-mortem.",
        figures={"incidents": len(rows), "oldest_days": oldest},
        columns=_columns(incident="Incident", name="Name", severity="Severity", phase="Phase", owner="Lead", began="Began")
        + _columns(age_days="Age in days"),
        rows=rows,
        at=now,
    )


# --- time to completed ----------------------------------------------------------------------------------------------------


def completed(done: Iterable[Completed], now: datetime) -> Insight:
    """How long post-mortems took, by the month in which they were completed."""
    months: dict[str, list[float]] = {}
    for one in done:
        months.setdefault(one.completed.strftime("%Y-%m"), []).append(_days(one.completed, one.ended))
    every = [days for month in months.values() for days in month]
    figures: dict[str, Cell | None] = {"completed": len(every), "median_days": None, "p90_days": None}
    told = "No post-mortem is completed yet."
    if every:
        figures |= {"median_days": round(median(every), 1), "p90_days": percentile(every, 0.9)}
        told = f"Half of {_count(len(every), 'post-mortem')} took at most {figures['median_days']} days, 9 of 10 at most "
        told += f"{figures['p90_days']}."
    return Insight(
        name="completed",
        title="Time to completed",
        says="From the end of an incident (when it was resolved, else when it began) to its post-mortem's last move to"
        " completed, by the month of that move.",
        headline=told,
        figures=figures,
        columns=_columns(month="Month", completed="Completed", median_days="Median, days", p90_days="9 of 10 within, days"),
        rows=[(m, len(took), round(median(took), 1), percentile(took, 0.9)) for m, took in sorted(months.items())],
        at=now,
    )


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest of the values that at least this share of them does not exceed (nearest rank)."""
    return sorted(values)[max(0, ceil(share * len(values)) - 1)]


# --- follow-ups -----------------------------------------------------------------------------------------------------------


def follow_ups(left: Iterable[LeftOpen], now: datetime) -> Insight:
    """What is open, whose it is, how old it is, and what is late."""
    ordered = sorted(left, key=lambda one: (-one.overdue, -one.open, str(one.owner or "")))
    rows: list[Cells] = [
        (
            str(one.owner or NOBODY),
            one.owner.email if one.owner else "",
            one.open,
            one.overdue,
            *one.by_age,
            _days(now, one.oldest),
        )
        for one in ordered
    ]
    total, late = sum(one.open for one in ordered), sum(one.overdue for one in ordered)
    return Insight(
        name="follow-ups",
        title="Open follow-ups",
        says="Follow-ups that are neither done nor dropped, by assignee, with those past their due date; their age is"
        " since they were first recorded here.",
        headline=f"{_count(total, 'follow-up')} {'is' if total == 1 else 'are'} open, {late:,} of them overdue."
        if total
        else "No follow-up is open.",
        figures={"open": total, "overdue": late},
        columns=_columns(owner="Owner", email="E-mail", open="Open", overdue="Overdue")
        + _columns(**{f"age_{band.name}": band.words for band in BANDS}, oldest_days="Oldest, days"),
        rows=rows,
        at=now,
    )


# --- drift ----------------------------------------------------------------------------------------------------------------


def drift(found: Sequence[Disagreement], now: datetime) -> Insight:
    """Where a page and the records were changed differently, and which version was taken."""
    places = Counter((one.destination, one.what, one.field) for one in found)
    taken = Counter((one.destination, one.what, one.field, one.state) for one in found)
    rows: list[Cells] = [
        (*place, count, *(taken[(*place, side)] for side in SIDES)) for place, count in places.most_common()
    ]
    undecided = sum(one.state == "open" for one in found)
    return Insight(
        name="drift",
        title="Where pages and records disagreed",
        says="Conflicts: the same was changed differently on a page and in the store. By place, with the version taken.",
        headline=f"{_count(len(found), 'conflict')} so far, {undecided:,} undecided." if found else "No conflict so far.",
        figures={"conflicts": len(found), "undecided": undecided},
        columns=_columns(destination="Page on", part="Part", field="Field", conflicts="Conflicts") + _side_columns(SIDES),
        rows=rows,
        at=now,
    )


def decisions(found: Sequence[Disagreement], now: datetime) -> Insight:
    """Who decided conflicts, and for which version."""
    settled = [one for one in found if one.state != "open"]
    people, taken = Counter(one.by for one in settled), Counter((one.by, one.state) for one in settled)
    sides = [side for side in SIDES if side != "open"]
    rows: list[Cells] = [(who, count, *(taken[(who, side)] for side in sides)) for who, count in people.most_common()]
    return Insight(
        name="decisions",
        title="Who decided conflicts",
        says="Conflicts that were settled, by whoever settled them, with the version they took.",
        headline=f"{_count(len(people), 'person')} settled {_count(len(settled), 'conflict')}."
        if settled
        else "Nobody had to decide anything yet.",
        figures={"people": len(people), "decided": len(settled)},
        columns=_columns(who="Who", decided="Decided") + _side_columns(sides),
        rows=rows,
        at=now,
    )


def _side_columns(sides: Iterable[str]) -> list[Column]:
    return [Column(side, SIDES[side].capitalize()) for side in sides]


INSIGHTS: Mapping[str, Callable[[Store, Visible], Insight]] = {
    "missing": lambda store, visible: missing(store.lacking(visible), store.now()),
    "completed": lambda store, visible: completed(store.completed(visible), store.now()),
    "follow-ups": lambda store, visible: follow_ups(store.left_open(visible), store.now()),
    "drift": lambda store, visible: drift(store.disagreements(visible), store.now()),
    "decisions": lambda store, visible: decisions(store.disagreements(visible), store.now()),
}


def _columns(**columns: str) -> list[Column]:
    return [Column(name, words) for name, words in columns.items()]


def _days(later: datetime, earlier: datetime) -> float:
    return round(max((later - earlier).total_seconds(), 0.0) / 86400, 1)


def _count(number: int, what: str) -> str:
    return f"{number:,} {what if number == 1 else {'person': 'people'}.get(what, what + 's')}"
