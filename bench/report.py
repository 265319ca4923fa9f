"""What was measured as tables, and whether it is what we promise."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil
from operator import itemgetter
from statistics import median

from bench.answers import Took
from bench.double import Spent

OURS = "syncd"
CONVERSIONS = {"to_storage": "Markdown to storage", "from_storage": "storage to Markdown", "to_blocks": "Markdown to blocks"}
RATE_BARS = {"to_storage": ("md2conf", 5.0), "from_storage": ("cfxmark", 5.0), "to_blocks": ("notionify", 3.0)}
PUBLISHED = {
    "confluence": "a page is published in 1 write of its body",
    "data center": "a page is published in 1 write of its body",
    "notion": "150 blocks are published in 2 writes",
}
BODY = re.compile(r"(?:POST|PUT) /(?:api/v2/pages|rest/api/content)(?:/ID)?|[A-Z]+ /v1/.*")  # what writes a page's content
ANSWER_MS = 100
STEPS = {
    "publish": "publish",
    "again": "unchanged",
    "paragraph": "1 paragraph",
    "cell": "1 table cell",
    "many again": "many unchanged",
}


@dataclass
class Measured:
    """Rates by conversion and tool, one a round; requests by service, tool and step; what answers took, with how many
    incidents in the store; what could not be done, in words."""

    rates: dict[str, dict[str, list[float]]] = field(default_factory=dict)
    requests: dict[str, dict[str, dict[str, Spent]]] = field(default_factory=dict)
    answers: dict[str, list[Took]] = field(default_factory=dict)
    incidents: int = 0
    notes: list[str] = field(default_factory=list)
    many: int = 0


@dataclass(frozen=True, slots=True)
class Bar:
    """Something that is promised, what was measured, and whether it holds (None: could not be measured)."""

    what: str
    measured: str
    holds: bool | None


def ratio(rates: Mapping[str, Sequence[float]], peer: str) -> float | None:
    """How many times a peer's rate is ours: the median over rounds of what stood side by side in one."""
    if not rates.get(OURS) or not rates.get(peer):
        return None
    return median(mine / theirs for mine, theirs in zip(rates[OURS], rates[peer], strict=False))


def bars(measured: Measured) -> list[Bar]:
    """All that is promised."""
    return [*_rate_bars(measured), *_request_bars(measured), *_answer_bars(measured)]


def _rate_bars(measured: Measured) -> Iterable[Bar]:
    for conversion, (peer, factor) in RATE_BARS.items():
        found = ratio(measured.rates.get(conversion, {}), peer)
        what = f"{CONVERSIONS[conversion]} at least {factor:g} times {peer}"
        yield Bar(
            what, "not measured" if found is None else f"{found:.1f} times", None if found is None else found >= factor
        )


def _request_bars(measured: Measured) -> Iterable[Bar]:
    for service, what in PUBLISHED.items():
        spent = measured.requests.get(service, {}).get(OURS, {})
        name = service.capitalize()
        if "publish" in spent:
            bodies = 2 if service == "notion" else 1
            yield Bar(f"{name}: {what}", _spent(spent["publish"]), _bodies(spent["publish"]) == bodies)
        for step in ("paragraph", "cell"):
            if step in spent:
                yield Bar(f"{name}: {STEPS[step]} is 1 write of the page", _spent(spent[step]), _bodies(spent[step]) == 1)
        if "again" in spent:
            yield Bar(f"{name}: unchanged is no write", _spent(spent["again"]), not spent["again"].writes)
        if "many again" in spent:
            many = spent["many again"]
            what = f"{name}: {measured.many} unchanged pages are at most 10 requests"
            yield Bar(what, _spent(many), many.requests <= 10 and not many.writes)


def _answer_bars(measured: Measured) -> Iterable[Bar]:
    if measured.answers:
        name, slowest = max(((name, median(_processor(took))) for name, took in measured.answers.items()), key=itemgetter(1))
        what = f"every answer over {measured.incidents:,} incidents takes at most {ANSWER_MS} ms of the processor"
        yield Bar(what, f"{slowest:.0f} ms ({name})", slowest < ANSWER_MS)


def _clock(took: Sequence[Took]) -> list[float]:
    return [one.clock for one in took]


def _processor(took: Sequence[Took]) -> list[float]:
    return [one.processor for one in took]


def _bodies(spent: Spent) -> int:
    """Writes of content; labels, and that we do not want mails about the page, are beside it."""
    return sum(n for kind, n in spent.writes.items() if BODY.fullmatch(kind))


def _spent(spent: Spent) -> str:
    return f"{spent.reads.total()} reads, {spent.writes.total()} writes"


def text(measured: Measured) -> str:
    """The whole report as Markdown."""
    parts = [_rates(measured)] if measured.rates else []
    parts += [_answers(measured)] if measured.answers else []
    parts += [_requests(measured, service) for service in measured.requests]
    parts += ["What is promised:\n\n" + _table(("promise", "measured", "holds"), [_bar(bar) for bar in bars(measured)])]
    parts += ["\n".join(f"- {note}" for note in measured.notes)] if measured.notes else []
    return "\n\n".join(parts) + "\n"


def _bar(bar: Bar) -> tuple[str, str, str]:
    return bar.what, bar.measured, {True: "yes", False: "NO", None: "?"}[bar.holds]


def _rates(measured: Measured) -> str:
    rows = []
    for conversion, rates in measured.rates.items():
        for tool, found in rates.items():
            times = "" if tool == OURS else f"{ratio(rates, tool) or 0:.1f}"
            rows.append((CONVERSIONS[conversion], tool, f"{median(found):.0f}", times))
    head = ("conversion", "tool", "documents a second of processor time", "ours is so many times that")
    return "Rates, one post-mortem of 30 KB, the median of all rounds:\n\n" + _table(head, rows)


def _answers(measured: Measured) -> str:
    rows = []
    for name, took in measured.answers.items():
        clock = sorted(_clock(took))
        late = clock[ceil(0.95 * len(clock)) - 1]
        rows.append((name, f"{median(clock):.0f}", f"{late:.0f}", f"{median(_processor(took)):.0f}"))
    head = ("what is asked", "median, ms", "95 of 100 within, ms", "of the processor, ms")
    title = f"Answers of the server with {measured.incidents:,} incidents and {measured.incidents * 10:,} follow-ups:"
    return f"{title}\n\n" + _table(head, rows)


def _requests(measured: Measured, service: str) -> str:
    rows = []
    for tool, spent in measured.requests[service].items():
        cells = [f"{spent[s].reads.total()} + {spent[s].writes.total()}" if s in spent else "-" for s in STEPS]
        rows.append((tool, *cells))
    title = f"Requests in {service.capitalize()}, reads + writes; many is {measured.many} pages:"
    return f"{title}\n\n" + _table(("tool", *STEPS.values()), rows)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [tuple(head), *(tuple(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    padded = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in lines
    ]
    return "\n".join([padded[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *padded[1:]])
