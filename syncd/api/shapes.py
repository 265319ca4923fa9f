"""What the interface answers, as types: the OpenAPI description is made from these, and what is answered is held to them.

A key that may be left out has a default; all others are always there, null where there is nothing to say.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from mapping.incident import FollowUpStatus, Phase, PostmortemStatus
from syncd.flow import ExportStatus
from syncd.pages import PageState
from syncd.work import Result

EVENT = {"key": "T-1", "at": "2026-11-02T10:03:00Z", "title": "Alert fired", "description": None}
ADA = {"name": "Ada Byron", "email": "ada@example.com"}
FOLLOW_UP = {
    "key": "FU-1",
    "title": "Alert on queue depth",
    "status": "open",
    "assignee": ADA,
    "priority": None,
    "due_on": "2026-12-01",
}
INCIDENT = {
    "reference": "INC-12",
    "name": "Checkout returns 502",
    "phase": "post_incident",
    "severity": "SEV1",
    "private": False,
    "summary": "The queue was **full**.",
    "lead": ADA,
    "roles": None,
    "timestamps": {"started": "2026-11-02T10:00:00Z"},
    "custom_fields": {"affected_customers": "1200"},
    "timeline": [EVENT],
    "follow_ups": [FOLLOW_UP],
}


def _shown(example: Any) -> ConfigDict:
    return ConfigDict(json_schema_extra={"examples": [example]})


class Shape(BaseModel):
    """A key that is not described is an error of ours, never sent."""

    model_config = ConfigDict(extra="forbid")


class Person(Shape):
    """Somebody; at least one of the two is known."""

    name: str | None
    email: str | None


class Event(Shape):
    """A timeline event; `description` is Markdown, `at` in UTC."""

    key: str
    at: str
    title: str | None
    description: str | None


class FollowUp(Shape):
    """Something to be done; `due_on` is a day."""

    key: str
    title: str | None
    status: FollowUpStatus
    assignee: Person | None
    priority: str | None
    due_on: str | None


class OwnedEvent(Event):
    """A timeline event with the incident that it is part of."""

    model_config = _shown({"incident": "INC-12", **EVENT})
    incident: str


class OwnedFollowUp(FollowUp):
    """A follow-up with the incident that it is of."""

    model_config = _shown({"incident": "INC-12", **FOLLOW_UP})
    incident: str


class Incident(Shape):
    """An incident in the shape that can be imported again; `summary` is Markdown, times are in UTC."""

    model_config = _shown(INCIDENT)

    reference: str
    name: str | None
    phase: Phase
    severity: str | None
    private: bool
    summary: str | None
    lead: Person | None
    roles: Mapping[str, Person | None] | None
    timestamps: Mapping[str, str] | None
    custom_fields: Mapping[str, str] | None
    timeline: Sequence[Event] | None
    follow_ups: Sequence[FollowUp] | None


class NewlyMade(Incident):
    """A new incident, with what followed in sentences, such as the rule that made its post-mortem."""

    notes: Sequence[str]


class Imported(Shape):
    """What became of an import: references taken in, what a person may want to know, and what was refused, with paths."""

    model_config = _shown(
        {"imported": ["INC-12"], "notes": [], "refused": ["[1].severty: unknown key, did you mean 'severity'?"]}
    )
    imported: Sequence[str]
    notes: Sequence[str]
    refused: Sequence[str]


class Comments(Shape):
    """How many comments of people stand open on a page."""

    count: int
    url: str | None
    checked_at: str | None


class Page(Shape):
    """A page of a post-mortem; `id` is the service's own, `checked_at` when all that was seen was in step."""

    destination: str
    id: str | None
    url: str | None
    state: PageState
    since: str | None
    checked_at: str | None
    reasons: Sequence[str]
    comments: Comments | None


class Placed(Shape):
    """A post-mortem without its text; `home` is null for in-house."""

    template: str
    status: PostmortemStatus
    home: str | None
    pages: Sequence[Page]


class ListedPostmortem(Placed):
    """A post-mortem in a list of incidents; `freshness` is what was last seen of its worst page."""

    freshness: ExportStatus


class ListedIncident(Shape):
    """An incident in a list; `needs_person` is about its pages and how it was closed."""

    reference: str
    name: str
    phase: Phase
    severity: str
    private: bool
    needs_person: bool
    postmortem: ListedPostmortem | None


NEXT = Field(description="The address of what follows; null at the end.")


class Incidents(Shape):
    """A page of a list."""

    incidents: Sequence[ListedIncident]
    next: str | None = NEXT


class FollowUps(Shape):
    """A page of a list."""

    follow_ups: Sequence[OwnedFollowUp]
    next: str | None = NEXT


class Timeline(Shape):
    """A page of a list."""

    timeline: Sequence[OwnedEvent]
    next: str | None = NEXT


class Section(Shape):
    """A section as Markdown; `unwritten` while it is still what the template says."""

    id: str
    kind: str
    heading: str
    markdown: str
    unwritten: bool


class Version(Shape):
    """One side of a conflict."""

    text: str
    by: str | None
    at: str | None


class Conflict(Shape):
    """Both sides changed the same thing differently; `shown` says whose version shows, `state` how it was settled."""

    id: str
    destination: str
    section: str
    key: str
    field: str
    base: str
    store: Version
    page: Version
    shown: Literal["store", "page"]
    state: str


class OwnedConflict(Conflict):
    """A conflict with its incident."""

    incident: str


class Conflicts(Shape):
    """A page of a list."""

    conflicts: Sequence[OwnedConflict]
    next: str | None = NEXT


class BriefPostmortem(Placed):
    """A post-mortem without its sections."""

    incident: str


class Postmortems(Shape):
    """A page of a list."""

    postmortems: Sequence[BriefPostmortem]
    next: str | None = NEXT


class Twice(Shape):
    """What was changed twice: the version that the store had, and the one that was typed."""

    store: str
    typed: str


class Written(Shape):
    """What a save with a `base` came to: the text now, which is the next `base`, and its version."""

    markdown: str
    version: str
    merged: bool
    both: Sequence[Twice]


class Picture(Shape):
    """Where a picture that was taken in is."""

    url: str


class Postmortem(BriefPostmortem):
    """A post-mortem with all that belongs to it; `written` is there after a save with a `base`."""

    sections: Sequence[Section]
    conflicts: Sequence[Conflict]
    written: Written | None = None


class Reason(Shape):
    """A code for programs, a sentence for people."""

    code: str
    message: str
    page: str = ""
    since: str = ""


class Export(Shape):
    """Whether the page holds what the store holds."""

    status: ExportStatus
    destination: str | None
    url: str | None
    checked_at: str | None
    reasons: Sequence[Reason]


class ExportOf(Export):
    """The same, with its incident."""

    incident: str


class Exports(Shape):
    """One for each incident that was named, in that order."""

    statuses: Sequence[ExportOf]


class Task(Shape):
    """A task of the flow; `done` is null where it cannot be known now."""

    task: str
    done: bool | None
    reasons: Sequence[Reason]
    kind: str = ""
    since: str = ""
    by: str = ""
    skipped: str = Field("", description="Why it need not be done, as `by` said.")


class ClosedPastNo(Shape):
    """The incident was closed elsewhere although the gate said no."""

    at: str
    by: str
    reasons: Sequence[str]


class Gate(Shape):
    """May this incident close, and if not, why."""

    model_config = _shown(
        {
            "incident": "INC-12",
            "answer": "no",
            "may_close": False,
            "tasks": [
                {
                    "task": "draft_post_mortem",
                    "done": False,
                    "reasons": [{"code": "in_progress", "message": "The post-mortem is still in progress."}],
                }
            ],
            "unwritten": ["lessons"],
            "export": {
                "status": "fresh",
                "destination": "wiki-postmortems",
                "url": "https://example.atlassian.net/wiki/spaces/OPS/pages/12345",
                "checked_at": "2026-11-23T09:10:02Z",
                "reasons": [],
            },
            "closed_past_no": None,
        }
    )
    incident: str
    answer: Literal["yes", "no", "unknown"]
    may_close: bool | None
    tasks: Sequence[Task]
    unwritten: Sequence[str]
    export: Export
    closed_past_no: ClosedPastNo | None


class Line(Shape):
    """One line of the journal: who did what, when, from which side."""

    id: int
    at: str
    incident: str | None
    side: str
    by: str | None
    destination: str | None
    action: str
    subject: str
    field: str
    old: str
    new: str


class Journal(Shape):
    """A part of the journal."""

    lines: Sequence[Line]
    next: str | None = NEXT


class Adoption(Shape):
    """What taking a page does, or did; the counts are null for a page of ours, which is taken back as it is."""

    incident: str
    url: str
    title: str
    events: int | None
    follow_ups: int | None
    untouched: int | None
    unclear: Sequence[str]
    to_store: Sequence[str]
    to_page: Sequence[str]
    adopted: bool
    page: Page | None = None


class Pages(Shape):
    """Pages of an incident."""

    pages: Sequence[Page]


class Report(Shape):
    """What the next pass would do with one page, edit by edit."""

    incident: str
    destination: str
    url: str | None
    result: Result
    from_page: Sequence[str]
    to_page: Sequence[str]
    reasons: Sequence[str]


class Plan(Shape):
    """One report for each page."""

    pages: Sequence[Report]


class Place(Shape):
    """A page by incident and destination."""

    incident: str
    destination: str


class Resumed(Shape):
    """The pages that the next pass goes on with."""

    resumed: Sequence[Place]


class Destinations(Shape):
    """Names of destinations."""

    destinations: Sequence[str]


class HiddenRow(Shape):
    """What was removed from a page: `key` brings it back."""

    destination: str
    key: str
    what: str


class Hidden(Shape):
    """A page of a list."""

    hidden: Sequence[HiddenRow]
    next: str | None = NEXT


class Restored(Shape):
    """What comes back with the next pass, in words."""

    restored: str


class TemplateSection(Shape):
    """A section of a template; `help`, `custom_fields` and `text` are empty but for prose (`text`)."""

    id: str
    kind: str
    heading: str
    help: str
    custom_fields: Sequence[str]
    text: str


class Template(Shape):
    """What a template's file says; `own`: in your directory, not built in."""

    id: str
    own: bool
    name: str
    write: Literal["external", "in-house"]
    destination: str
    title: str
    tasks: Sequence[str]
    require_written: bool
    sections: Sequence[TemplateSection]


class ListedTemplate(Shape):
    """A template without its sections; `wrong` says why it cannot be used."""

    id: str
    own: bool
    name: str | None
    write: str | None
    destination: str | None
    wrong: str | None


class Templates(Shape):
    """A page of a list."""

    templates: Sequence[ListedTemplate]
    next: str | None = NEXT


class TemplatePreview(Shape):
    """What a template would make of an incident now; `wrong` has what it cannot say, by key."""

    incident: str
    title: str
    markdown: str
    wrong: Mapping[str, str]


class Health(Shape):
    """The process answers."""

    status: Literal["ok"]


class Ready(Shape):
    """The store answers too."""

    status: Literal["ready"]
    pages_waiting: int


class Problem(Shape):
    """A refusal (RFC 9457). `code` is for programs, `next` the command or request that helps, `reasons` sentences; some have
    more to tell."""

    model_config = ConfigDict(extra="allow") | _shown(
        {
            "type": "urn:problem-type:syncd:not_found",
            "title": "Not found",
            "status": 404,
            "detail": "There is no incident 'INC-21', did you mean 'INC-12'?",
            "code": "not_found",
            "next": "syncd incident list",
            "reasons": [],
        }
    )
    type: str
    title: str
    status: int
    detail: str
    code: str
    next: str | None
    reasons: Sequence[str]
    current: str = Field("", description="The version now, where `If-Match` named another.")
    fields: Mapping[str, str] = Field({}, description="What is wrong, by key, where a template cannot be used.")
    diff: str = Field("", description="The change to make by hand, where a template's file is not ours to write.")


def answers(model: type[Shape], *, versioned: bool = False, status: int = 200) -> dict[str, Any]:
    """How a route is said to answer with this shape; `versioned`: with an ETag."""
    tag = {"ETag": {"description": "The version of the record.", "schema": {"type": "string"}}}
    said = {"status_code": status, "response_model": model, "response_model_exclude_unset": True}
    return said | ({"responses": {status: {"headers": tag}}} if versioned else {})
