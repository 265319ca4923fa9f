"""What the overview shows, as plain values: the filters that its address sets, rows in words, the addresses beside it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple
from urllib.parse import urlencode

from starlette.datastructures import QueryParams

from mapping.incident import Phase, PostmortemStatus
from syncd.flow import ExportStatus
from syncd.store.overview import NO_POSTMORTEM, ROWS, Choices, Listed, Listing, Wanted

SAYS: Mapping[ExportStatus, tuple[str, str]] = {
    "fresh": ("good", "in step"),
    "stale": ("waits", "a change is on its way"),
    "exporting": ("waits", "the page is being made"),
    "held": ("waits", "waiting"),
    "conflict": ("bad", "both sides changed the same"),
    "halted": ("bad", "halted"),
    "missing": ("bad", "the page cannot be found"),
    "not_exported": ("off", "written here"),
}
FRESHNESS = {
    "fresh": "In step",
    "stale": "On its way",
    "held": "Waiting",
    "exporting": "Being made",
    "conflict": "In conflict",
    "halted": "Halted",
    "missing": "Missing",
    "not_exported": "On no page",
}
STATUSES = {NO_POSTMORTEM: "None yet"} | {status.value: status.label for status in PostmortemStatus}
PHASES = {phase.value: phase.value.replace("_", " ").capitalize() for phase in Phase}


class Choice(NamedTuple):
    """Something that a filter can be set to."""

    value: str
    words: str
    chosen: bool


class Filter(NamedTuple):
    """One field of the form."""

    name: str
    label: str
    choices: Sequence[Choice]


class Narrowed(NamedTuple):
    """A filter that is set, in words, and the address without it."""

    words: str
    without: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What an address asks for. A value that does not exist finds nothing; a page number that is none is the first."""

    q: str = ""
    filters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    needs_person: bool = False
    oldest_first: bool = False
    page: int = 1

    @property
    def wanted(self) -> Wanted:
        return Wanted(
            text=self.q,
            phases=self.chosen("phase"),
            severities=self.chosen("severity"),
            statuses=self.chosen("status"),
            freshness=self.chosen("freshness"),
            owners=self.chosen("owner"),
            needs_person=self.needs_person,
            oldest_first=self.oldest_first,
            start=(self.page - 1) * ROWS,
        )

    def address(self, path: str = "/") -> str:
        """The address that asks for this."""
        pairs = [("q", self.q)] + [(name, value) for name in FILTERS for value in self.chosen(name)]
        pairs += [("needs", "person" if self.needs_person else ""), ("sort", "oldest" if self.oldest_first else "")]
        pairs += [("page", str(self.page) if self.page > 1 else "")]
        said = urlencode([(name, value) for name, value in pairs if value])
        return f"{path}?{said}" if said else path

    def chosen(self, name: str) -> tuple[str, ...]:
        """The values that a filter is set to."""
        return self.filters.get(name, ())


FILTERS = ("severity", "phase", "status", "freshness", "owner")
LABELS = {"severity": "Severity", "phase": "Phase", "status": "Post-mortem", "freshness": "Page", "owner": "Owner"}
ANYWHERE = 100_000  # pages; a number above is a mistake


def asked(query: QueryParams) -> Asked:
    """What an address with this query asks for."""
    filters = {name: tuple(dict.fromkeys(value for value in query.getlist(name) if value)) for name in FILTERS}
    number = query.get("page", "")
    return Asked(
        q=query.get("q", "").strip(),
        filters=filters,
        needs_person=query.get("needs") == "person",
        oldest_first=query.get("sort") == "oldest",
        page=min(max(int(number), 1), ANYWHERE) if number.isascii() and number.isdigit() else 1,
    )


@dataclass(frozen=True, slots=True)
class Row:
    """An incident of the overview in words. `troubles` are what a person must look at."""

    listed: Listed
    tone: str
    words: str
    troubles: Sequence[str]


@dataclass(frozen=True, slots=True)
class OverviewView:
    """Everything on the overview."""

    asked: Asked
    filters: Sequence[Filter]
    narrowed: Sequence[Narrowed]
    needing: Sequence[Row]
    others: Sequence[Row]
    total: int
    first: int
    last: int
    start: str
    before: str
    after: str
    events: str
    ever: bool  # there is an incident at all, whatever is asked for


def overview_view(asked: Asked, listing: Listing, choices: Choices, ever: bool) -> OverviewView:
    """The overview for what was asked and found."""
    rows = [_row(listed) for listed in listing.rows]
    first = asked.wanted.start + 1
    last = asked.wanted.start + len(rows)
    return OverviewView(
        asked=asked,
        filters=list(_filters(asked, choices)),
        narrowed=list(_narrowed(asked, choices)),
        needing=[row for row in rows if row.listed.needs_person],
        others=[row for row in rows if not row.listed.needs_person],
        total=listing.total,
        first=first,
        last=last,
        start=replace(asked, page=1).address(),
        before=replace(asked, page=asked.page - 1).address() if asked.page > 1 else "",
        after=replace(asked, page=asked.page + 1).address() if last < listing.total and rows else "",
        events=asked.address("/events"),
        ever=ever,
    )


def _row(listed: Listed) -> Row:
    tone, words = SAYS[listed.freshness]
    if listed.status is None:
        tone, words = "off", "no post-mortem"
    elif listed.freshness == "not_exported" and listed.destination:
        words = "no longer kept in step"
    return Row(listed, tone, words, list(_troubles(listed)))


def _troubles(listed: Listed) -> Iterator[str]:
    if listed.conflicts:
        yield f"{_count(listed.conflicts, 'conflict')} to decide"
    if listed.freshness in ("halted", "missing") and listed.reason:
        yield listed.reason
    if listed.closed_past_no:
        yield "closed elsewhere past a no"
    if listed.not_understood:
        yield f"{_count(listed.not_understood, 'value')} that nobody understood"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' if number > 1 else ''}"


def _known(choices: Choices) -> Mapping[str, Mapping[str, str]]:
    """The words of every value that a filter can have."""
    return {
        "severity": {severity: severity for severity in choices.severities},
        "phase": PHASES,
        "status": STATUSES,
        "freshness": FRESHNESS,
        "owner": {person.email or person.name: str(person) for person in choices.owners},
    }


def _filters(asked: Asked, choices: Choices) -> Iterator[Filter]:
    for name, known in _known(choices).items():
        chosen = asked.chosen(name)
        words = {**known, **{value: known.get(value, value) for value in chosen}}
        yield Filter(name, LABELS[name], [Choice(value, said, value in chosen[:1]) for value, said in words.items()])


def _narrowed(asked: Asked, choices: Choices) -> Iterator[Narrowed]:
    first = replace(asked, page=1)
    if asked.q:
        yield Narrowed(f"“{asked.q}”", replace(first, q="").address())
    if asked.needs_person:
        yield Narrowed("Needs a person", replace(first, needs_person=False).address())
    for name, known in _known(choices).items():
        for value in asked.chosen(name):
            left = tuple(other for other in asked.chosen(name) if other != value)
            yield Narrowed(
                f"{LABELS[name]}: {known.get(value, value)}", replace(first, filters={**asked.filters, name: left}).address()
            )
