"""Insights as people look at them: a sentence, a drawing with its words, the table behind it. Plain values for the template.

A drawing is measured in percent of its width, so that it fits any screen while its words keep their size.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from syncd.insights import SIDES, Cell, Cells, Insight
from syncd.store.figures import BANDS

ROWS = 12  # of a table or a drawing; the rest is in the files
MONTHS = 24
LABEL, FULL = 30.0, 58.0  # percent of a drawing's width: where bars begin, and how long the longest is
LINE = 26  # pixels from bar to bar
COLUMN_HEIGHT = 140  # pixels of the highest column


class Piece(NamedTuple):
    """A part of a bar, in percent; `tone` is its colour's name."""

    tone: str
    x: float
    width: float
    words: str


class Bar(NamedTuple):
    """A bar with what stands beside it."""

    label: str
    y: int
    pieces: Sequence[Piece]
    end: float
    total: str


class Month(NamedTuple):
    """A column: how long it took half of them, and the line below which 9 of 10 are."""

    label: str
    x: float
    width: float
    y: float
    height: float
    line: float
    words: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """One drawing: bars or months, `legend` are tones with their words, `says` is all of it in words."""

    id: str
    title: str
    says: str
    height: int
    legend: Sequence[tuple[str, str]]
    bars: Sequence[Bar] = ()
    months: Sequence[Month] = ()


@dataclass(frozen=True, slots=True)
class Card:
    """One insight on the page; `rows` are the first of its table, `left` how many more there are."""

    insight: Insight
    drawings: Sequence[Drawing]
    rows: Sequence[Cells]
    left: int
    link: str


def card(insight: Insight) -> Card:
    """An insight as it is shown."""
    shown = insight.rows[-MONTHS:] if insight.name == "completed" else insight.rows[:ROWS]
    drawings = [drawing for drawing in DRAWN[insight.name](insight) if insight.rows]
    link = "/?phase=post_incident&phase=closed&status=none&sort=oldest" if insight.name == "missing" and insight.rows else ""
    return Card(insight, drawings, shown, len(insight.rows) - len(shown), link)


# --- what is drawn --------------------------------------------------------------------------------------------------------


def _missing(insight: Insight) -> Iterator[Drawing]:
    ages = {band.words: f"age{number}" for number, band in enumerate(BANDS)}
    counted = Counter((str(row[2]) or "no severity", _band(float(row[6]))) for row in insight.rows)
    severities = dict.fromkeys(severity for severity, _ in counted)
    values = [(severity, [(words, counted[severity, words]) for words in ages]) for severity in severities]
    yield _bars("missing-by-severity", "By severity, and how old they are", values, ages)


def _band(days: float) -> str:
    return next(band.words for band in BANDS if band.days is None or days < band.days)


def _completed(insight: Insight) -> Iterator[Drawing]:
    rows = [(str(month), float(median), float(most)) for month, _, median, most in insight.rows[-MONTHS:]]
    highest = max((most for _, _, most in rows), default=0) or 1
    step = 100 / max(len(rows), 6)
    months = [
        Month(
            label=month if place % (len(rows) // 6 + 1) == 0 else "",
            x=place * step + step * 0.15,
            width=step * 0.7,
            y=COLUMN_HEIGHT * (1 - median / highest),
            height=COLUMN_HEIGHT * median / highest,
            line=COLUMN_HEIGHT * (1 - most / highest),
            words=f"{month}: half within {median:g} days, 9 of 10 within {most:g}",
        )
        for place, (month, median, most) in enumerate(rows)
    ]
    legend = [("one", "Half of them took at most"), ("line", "9 of 10 took at most")]
    says = "; ".join(month.words for month in months)
    yield Drawing(
        "completed-by-month",
        f"Days to completed, by month; the highest is {highest:g}",
        says,
        COLUMN_HEIGHT + 26,
        legend,
        months=months,
    )


def _follow_ups(insight: Insight) -> Iterator[Drawing]:
    tones = {"overdue": "bad", "not yet due": "one"}
    values = [
        (str(owner), [("overdue", int(late)), ("not yet due", int(all_open) - int(late))])
        for owner, _, all_open, late, *_ in insight.rows[:ROWS]
    ]
    title = "By owner" if len(insight.rows) <= ROWS else f"By owner, the {ROWS} with most overdue"
    yield _bars("follow-ups-by-owner", title, values, tones)
    ages = [(band.words, [("open", sum(int(row[4 + n]) for row in insight.rows))]) for n, band in enumerate(BANDS)]
    yield _bars("follow-ups-by-age", "By age", ages, {"open": "one"})


def _drift(insight: Insight) -> Iterator[Drawing]:
    values = [
        (f"{part} · {field} · {page}".replace("_", " "), counts) for page, part, field, _, *counts in insight.rows[:ROWS]
    ]
    yield _bars("drift-by-place", "By place, and which version was taken", _sided(values, list(SIDES)), SIDE_TONES)


def _decisions(insight: Insight) -> Iterator[Drawing]:
    values = [(str(who), counts) for who, _, *counts in insight.rows[:ROWS]]
    sides = [side for side in SIDES if side != "open"]
    yield _bars("decisions-by-person", "By person, and which version they took", _sided(values, sides), SIDE_TONES)


SIDE_TONES = dict(zip(SIDES.values(), ("one", "two", "three", "four", "bad"), strict=True))
DRAWN: Mapping[str, Callable[[Insight], Iterator[Drawing]]] = {
    "missing": _missing,
    "completed": _completed,
    "follow-ups": _follow_ups,
    "drift": _drift,
    "decisions": _decisions,
}
Counts = Sequence[tuple[str, int]]


def _sided(rows: Sequence[tuple[str, Sequence[Cell]]], sides: Sequence[str]) -> list[tuple[str, Counts]]:
    return [(label, [(SIDES[side], int(n)) for side, n in zip(sides, counts, strict=True)]) for label, counts in rows]


# --- how it is drawn ------------------------------------------------------------------------------------------------------


def _bars(name: str, title: str, rows: Sequence[tuple[str, Counts]], tones: Mapping[str, str]) -> Drawing:
    longest = max((sum(count for _, count in counts) for _, counts in rows), default=0) or 1
    bars = [_bar(label, place * LINE, counts, tones, FULL / longest) for place, (label, counts) in enumerate(rows)]
    there = {words for _, counts in rows for words, count in counts if count}
    legend = [(tone, words) for words, tone in tones.items() if words in there] if len(tones) > 1 else []
    said = (f"{label}: " + ", ".join(f"{count} {words}" for words, count in counts if count) for label, counts in rows)
    return Drawing(name, title, "; ".join(said), len(rows) * LINE, legend, bars=bars)


def _bar(label: str, y: int, counts: Counts, tones: Mapping[str, str], scale: float) -> Bar:
    x = LABEL
    pieces = []
    for words, count in counts:
        if count:
            pieces.append(Piece(tones[words], x, count * scale, f"{label}: {count:,} {words}"))
            x += count * scale
    return Bar(label, y, pieces, x, f"{sum(count for _, count in counts):,}")
