"""What the pages for people show, as plain values for the templates: nothing here is HTML save prose, which is made safe.

Reads the store only; looking at services is the daemon's and the gate's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from markupsafe import Markup

from mapping.incident import (
    FollowUp,
    FollowUpStatus,
    Incident,
    Person,
    Postmortem,
    PostmortemStatus,
    Section,
    SectionKind,
    TimelineEvent,
)
from mapping.markdown import from_markdown, to_markdown
from mapping.rows import FIXED_DETAILS, Vocabulary, details_values, label
from mapping.times import show_time
from syncd.app import App
from syncd.journal_words import Travelled, travelled
from syncd.pages import Conflict, Page, comments_told
from syncd.store.flow import ClosedPastNo
from syncd.store.journal import JournalLine
from syncd.story import AT_ONCE
from syncd.web.clash import Clash, clash
from syncd.web.prose import prose, safe_link

JOURNAL_LINES = 40
STATES = {
    "wanted": ("waits", "The page is made in the next moments"),
    "creating": ("waits", "The page is being made"),
    "live": ("good", "In step"),
    "held": ("waits", "Waiting"),
    "halted": ("bad", "Halted: a person must look"),
    "missing": ("bad", "The page cannot be found"),
    "detached": ("off", "No longer kept in step"),
}
KINDS: Mapping[SectionKind, str] = {
    "summary": "Summary",
    "details": "Details",
    "timeline": "Timeline",
    "follow_ups": "Follow-ups",
}


@dataclass(frozen=True, slots=True)
class Detail:
    """One row of the details; `path` is where a PATCH of the incident puts it, empty for what is ours."""

    label: str
    value: str
    path: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """A follow-up or an event with the conflicts about it."""

    key: str
    record: FollowUp | TimelineEvent
    when: str = ""
    description: Markup | None = None
    assignee: str = ""
    overdue: bool = False
    conflicts: tuple[Clash, ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """One section as it is shown."""

    id: str
    kind: str
    heading: str
    body: Markup
    markdown: str
    help: str
    unwritten: bool
    conflicts: tuple[Clash, ...]


@dataclass(frozen=True, slots=True)
class Where:
    """A page of the post-mortem in words."""

    page: Page
    tone: str
    words: str
    link: str
    home: bool
    comments: str
    hidden: Mapping[str, str]
    unread: tuple[str, ...]
    arrived: int  # edits that came from there together, the last time that any did
    arrived_at: datetime | None

    @property
    def stopped(self) -> bool:
        """A person may say that it goes on."""
        return self.page.state in ("halted", "missing", "held")


@dataclass(frozen=True, slots=True)
class IncidentView:
    """Everything on one incident's page."""

    incident: Incident
    postmortem: Postmortem | None
    zone: str
    parts: Sequence[Part]
    details: Sequence[Detail]
    timeline: Sequence[Row]
    follow_ups: Sequence[Row]
    pages: Sequence[Where]
    loose_conflicts: Sequence[Clash]
    journal: Sequence[Travelled]  # the newest first
    people: Sequence[Person]
    statuses: Sequence[PostmortemStatus]
    closed_past_no: ClosedPastNo | None

    @property
    def home(self) -> Where | None:
        """Where the prose is written; None for in-house."""
        return next((where for where in self.pages if where.home), None)

    @property
    def unwritten(self) -> list[Part]:
        return [part for part in self.parts if part.unwritten]

    @property
    def done(self) -> int:
        return sum(1 for row in self.follow_ups if getattr(row.record, "status", None) is not FollowUpStatus.OPEN)


def incident_view(app: App, incident: Incident) -> IncidentView:
    """The page of one incident now."""
    ref = incident.reference
    lines = app.store.journal(ref, JOURNAL_LINES)
    postmortem, words = app.store.postmortem(ref), app.words(incident)
    conflicts = app.store.conflicts(ref, state="open")
    status = postmortem.status if postmortem else PostmortemStatus.IN_PROGRESS
    parts = _parts(incident, postmortem, conflicts)
    timeline, follow_ups = _timeline(incident, words, conflicts), _follow_ups(app, incident, conflicts)
    shown = [part.conflicts for part in parts] + [row.conflicts for row in (*timeline, *follow_ups)]
    placed = {c.conflict.id for group in shown for c in group}
    return IncidentView(
        incident=incident,
        postmortem=postmortem,
        zone=str(words.zone),
        parts=parts,
        details=_details(incident, status if postmortem else None, words),
        timeline=timeline,
        follow_ups=follow_ups,
        pages=[_where(app, page, postmortem, lines) for page in app.store.pages(ref)],
        loose_conflicts=[clash(c) for c in conflicts if c.id not in placed],
        journal=[travelled(line) for line in reversed(lines)],
        people=words.people,
        statuses=list(PostmortemStatus),
        closed_past_no=app.store.closed_past_no(ref),
    )


def _parts(incident: Incident, postmortem: Postmortem | None, conflicts: Sequence[Conflict]) -> list[Part]:
    """The post-mortem's sections in their order, or what every incident has."""
    plain = tuple(Section(kind, kind, heading) for kind, heading in KINDS.items())
    return [_part(incident, section, conflicts) for section in (postmortem.sections if postmortem else plain)]


def _part(incident: Incident, section: Section, conflicts: Sequence[Conflict]) -> Part:
    blocks = incident.prose(section)
    return Part(
        id=section.id,
        kind=section.kind,
        heading=section.heading or KINDS.get(section.kind, ""),
        body=prose(blocks),
        markdown=to_markdown(blocks),
        help=section.help if section.reminds else "",
        unwritten=section.unwritten,
        conflicts=tuple(clash(c) for c in conflicts if not c.key and c.section == section.id),
    )


def _details(incident: Incident, status: PostmortemStatus | None, words: Vocabulary) -> list[Detail]:
    values = details_values(incident, status or PostmortemStatus.IN_PROGRESS)
    values.setdefault("severity", "")
    values.setdefault("lead", "")
    for above in ("status", "reference", "name"):  # they stand elsewhere on the page
        del values[above]
    return [_detail(name, value, words) for name, value in values.items()]


def _detail(name: str, value: str, words: Vocabulary) -> Detail:
    kind, _, rest = name.partition(":")
    groups = {"role": "roles", "time": "timestamps", "field": "custom_fields"}
    path = f"{groups[kind]}.{rest}" if rest else name
    if kind == "time" and value:
        value = show_time(datetime.fromisoformat(value), words.zone)
    if name == "lead" or kind == "role":
        person = words.person(value)
        value = str(person) if person else ""
    choices = words.severities if name == "severity" else ()
    choices = words.fields[rest].options if kind == "field" and rest in words.fields else choices
    return Detail(label(name, words), value, "" if name in FIXED_DETAILS else path, tuple(choices))


def _timeline(incident: Incident, words: Vocabulary, conflicts: Sequence[Conflict]) -> list[Row]:
    ordered = sorted(incident.timeline, key=lambda event: event.at)
    return [
        Row(
            event.key,
            event,
            when=show_time(event.at, words.zone),
            description=prose(from_markdown(event.description)),
            conflicts=_about(event.key, conflicts),
        )
        for event in ordered
    ]


def _follow_ups(app: App, incident: Incident, conflicts: Sequence[Conflict]) -> list[Row]:
    today = app.store.now().date()
    return [
        Row(
            row.key,
            row,
            assignee=str(row.assignee or ""),
            overdue=bool(row.due_on and row.due_on < today and row.status is FollowUpStatus.OPEN),
            conflicts=_about(row.key, conflicts),
        )
        for row in incident.follow_ups
    ]


def _about(key: str, conflicts: Sequence[Conflict]) -> tuple[Clash, ...]:
    return tuple(clash(conflict) for conflict in conflicts if conflict.key == key)


def _arrived(page: Page, lines: Sequence[JournalLine]) -> list[JournalLine]:
    """What came from a page the last time that anything did."""
    came = [line for line in lines if line.actor.side == "page" and line.actor.page == page.destination]
    return [line for line in came if came[-1].at - line.at <= AT_ONCE]


def _where(app: App, page: Page, postmortem: Postmortem | None, lines: Sequence[JournalLine]) -> Where:
    tone, words = STATES[page.state]
    if page.state == "live" and app.store.dirty_since(page.id):
        tone, words = "waits", "A change is on its way"
    arrived = _arrived(page, lines)
    return Where(
        page=page,
        tone=tone,
        words=words,
        link=safe_link(page.url),
        home=bool(postmortem and postmortem.home == page.destination),
        comments=comments_told(page.comments),
        hidden=app.store.hidden(page.id),
        unread=tuple(f"{unread.key} {unread.field}: {unread.text}" for unread in app.store.unread(page.id)),
        arrived=len(arrived),
        arrived_at=arrived[-1].at if arrived else None,
    )
