"""What a request may say, as types: the OpenAPI description is made from these.

A field that is absent stays as it is; a field that is null or empty is cleared. Values are text as people type them; what
they mean is decided by `app.py`, with the same words as on a page.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Text = Annotated[str | None, Field(max_length=100_000)]


def _shown(example: Any) -> ConfigDict:
    return ConfigDict(json_schema_extra={"examples": [example]})


class Body(BaseModel):
    """Unknown fields are refused, so that a misspelt one is not lost."""

    model_config = ConfigDict(extra="forbid")

    def said(self) -> dict[str, str]:
        """The scalar fields that were given, null as empty."""
        given = {name: getattr(self, name) for name in self.model_fields_set}
        return {name: value or "" for name, value in given.items() if value is None or isinstance(value, str)}


class PersonNamed(Body):
    """Somebody, by e-mail where it is known."""

    name: Text = None
    email: Text = None


class EventGiven(Body):
    """A timeline event; `at` has a zone. A `key` that another has is replaced by the next one."""

    key: Text = None
    at: str = Field(max_length=100)
    title: Text = None
    description: Text = None


class FollowUpGiven(Body):
    """A follow-up. A `key` that another has is replaced by the next one."""

    key: Text = None
    title: Text = None
    status: Text = None
    assignee: PersonNamed | str | None = None
    priority: Text = None
    due_on: Text = None


class NewIncident(Body):
    """An incident in the shape of an import."""

    model_config = _shown({"reference": "INC-12", "name": "Checkout returns 502", "severity": "SEV1", "phase": "active"})

    reference: str = Field(max_length=200)
    name: Text = None
    phase: Text = None
    severity: Text = None
    private: bool = False
    summary: Text = None
    lead: PersonNamed | str | None = None
    roles: Mapping[str, PersonNamed | str | None] | None = None
    timestamps: Mapping[str, Text] | None = None
    custom_fields: Mapping[str, Text] | None = None
    timeline: Sequence[EventGiven] | None = None
    follow_ups: Sequence[FollowUpGiven] | None = None


class IncidentChange(Body):
    """`lead` and `roles` are e-mails or names, `timestamps` any time a person would write. `skip_flow` is why an incident is
    closed although the gate says no."""

    model_config = _shown({"severity": "SEV2", "lead": "ada@example.com", "timestamps": {"resolved": "2026-11-02 11:30"}})

    name: Text = None
    summary: Text = None
    severity: Text = None
    phase: Text = None
    lead: Text = None
    roles: Mapping[str, Text] = {}
    timestamps: Mapping[str, Text] = {}
    custom_fields: Mapping[str, Text] = {}
    skip_flow: str = ""

    def changes(self) -> dict[str, str]:
        """By the field names of `mapping/commands.py`."""
        named = {"role": self.roles, "time": self.timestamps, "field": self.custom_fields}
        flat = {f"{kind}:{name}": value or "" for kind, values in named.items() for name, value in values.items()}
        return {name: value for name, value in self.said().items() if name != "skip_flow"} | flat


class NewFollowUp(Body):
    """A follow-up to add."""

    model_config = _shown({"title": "Alert on queue depth", "assignee": "ada@example.com", "due_on": "2026-12-01"})

    title: str = Field(min_length=1, max_length=100_000)
    assignee: Text = None
    due_on: Text = None
    priority: Text = None


class FollowUpChange(Body):
    """`status` is open, done or dropped."""

    model_config = _shown({"status": "done"})

    title: Text = None
    status: Text = None
    assignee: Text = None
    due_on: Text = None
    priority: Text = None


class NewEvent(Body):
    """A timeline event to add; a time without a day means the day of the incident."""

    model_config = _shown({"at": "10:05", "title": "Traffic moved away"})

    at: str = Field(min_length=1, max_length=100)
    title: str = Field(min_length=1, max_length=100_000)
    description: Text = None


class EventChange(Body):
    """A time without a day keeps the event's day."""

    model_config = _shown({"at": "10:07"})

    at: Text = None
    title: Text = None
    description: Text = None


class NewPostmortem(Body):
    """`template` is a template's file name without `.toml`; `destination` overrides where it is written."""

    model_config = _shown({"template": "standard", "destination": "wiki-postmortems"})

    template: str
    destination: str = ""


class Status(Body):
    """`in_progress`, `in_review` or `completed`."""

    model_config = _shown({"status": "in_review"})

    status: str


class Prose(Body):
    """A section's text as Markdown. `base` is the text that its writer began with: what others wrote meanwhile is merged in,
    and without it the text replaces what is there. `editor` is a random name of the writer's editor, which makes it safe to
    save again after a lost answer."""

    model_config = _shown({"markdown": "Nobody could pay for **90 minutes**."})

    markdown: str = Field(max_length=1_000_000)
    base: str | None = Field(None, max_length=1_000_000)
    editor: str = Field("", max_length=64)


class Export(Body):
    """`copy_only` exports without moving where prose is written."""

    model_config = _shown({"destination": "wiki-postmortems"})

    destination: str
    copy_only: bool = False


class Restore(Body):
    """The key of a hidden row, or the id of a hidden section."""

    model_config = _shown({"key": "FU-3"})

    key: str


class Resolution(Body):
    """Either the side whose version shall stand, or a text of one's own."""

    model_config = _shown({"take": "page"})

    take: Literal["page", "store", "both"] | None = None
    text: Text = None


class Adopt(Body):
    """`url` is the page's link; `destination` says whose it is where that does not tell; `template` says whose tasks a new
    post-mortem gets. Without `accept` nothing is done, and the answer says what would be."""

    model_config = _shown({"url": "https://example.atlassian.net/wiki/spaces/OPS/pages/12345"})

    url: str = Field(min_length=1, max_length=10_000)
    destination: str = ""
    template: str = ""
    accept: bool = False


class Detach(Body):
    """`destination` is where the page is; empty: all pages."""

    model_config = _shown({"destination": "folder-postmortems"})

    destination: str = ""


class Resume(Body):
    """`accept` agrees, once, to what halted the pages."""

    model_config = _shown({"accept": True})

    accept: bool = False


class Why(Body):
    """A reason, for the journal."""

    model_config = _shown({"why": "The debrief was held by phone."})

    why: str = Field(min_length=1, max_length=10_000)


class SectionTable(Body):
    """A section of a template, as a `[[sections]]` table says it."""

    model_config = _shown({"id": "impact", "heading": "Impact", "help": "Who noticed?"})

    id: str = ""
    kind: str = "text"
    heading: str = ""
    help: str = ""
    custom_fields: list[str] = []
    text: str = Field("", max_length=200_000)


class TemplateTable(Body):
    """A template, as its file says it."""

    model_config = _shown({"name": "Short", "write": "in-house", "sections": [{"kind": "summary"}]})

    name: str = ""
    write: str = "external"
    destination: str = ""
    title: Text = None
    tasks: list[str] | None = None
    require_written: bool = False
    sections: list[SectionTable] = []

    def table(self) -> dict[str, Any]:
        """As `mapping/template.py` reads it: what was not said is not there."""
        said = self.model_dump(exclude={"id", "like"}, exclude_unset=True)
        return {name: value for name, value in said.items() if value is not None}


class NewTemplate(TemplateTable):
    """`id` becomes the file's name. With `like` it is a copy of that template, and nothing else is said."""

    model_config = _shown({"id": "major", "like": "standard"})

    id: str = Field(min_length=1, max_length=100)
    like: str = ""
