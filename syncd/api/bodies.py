"""What a request may say, as types: the OpenAPI description is made from these.

A field that is absent stays as it is; a field that is null or empty is cleared. Values are text as people type them; what
they mean is decided by `app.py`, with the same words as on a page.
"""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Text = Annotated[str | None, Field(max_length=100_000)]


class Body(BaseModel):
    """Unknown fields are refused, so that a misspelt one is not lost."""

    model_config = ConfigDict(extra="forbid")

    def said(self) -> dict[str, str]:
        """The scalar fields that were given, null as empty."""
        given = {name: getattr(self, name) for name in self.model_fields_set}
        return {name: value or "" for name, value in given.items() if value is None or isinstance(value, str)}


class IncidentChange(Body):
    """`lead` and `roles` are e-mails or names, `timestamps` any time a person would write. `skip_flow` is why an incident is
    closed although the gate says no."""

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

    title: str = Field(min_length=1, max_length=100_000)
    assignee: Text = None
    due_on: Text = None
    priority: Text = None


class FollowUpChange(Body):
    """`status` is open, done or dropped."""

    title: Text = None
    status: Text = None
    assignee: Text = None
    due_on: Text = None
    priority: Text = None


class NewEvent(Body):
    """A timeline event to add; a time without a day means the day of the incident."""

    at: str = Field(min_length=1, max_length=100)
    title: str = Field(min_length=1, max_length=100_000)
    description: Text = None


class EventChange(Body):
    """A time without a day keeps the event's day."""

    at: Text = None
    title: Text = None
    description: Text = None


class NewPostmortem(Body):
    """`template` is a template's file name without `.toml`; `destination` overrides where it is written."""

    template: str
    destination: str = ""


class Status(Body):
    """`in_progress`, `in_review` or `completed`."""

    status: str


class Prose(Body):
    """A section's text as Markdown. `base` is the text that its writer began with: what others wrote meanwhile is merged in,
    and without it the text replaces what is there. `editor` is a random name of the writer's editor, which makes it safe to
    save again after a lost answer."""

    markdown: str = Field(max_length=1_000_000)
    base: str | None = Field(None, max_length=1_000_000)
    editor: str = Field("", max_length=64)


class Export(Body):
    """`copy_only` exports without moving where prose is written."""

    destination: str
    copy_only: bool = False


class Restore(Body):
    """The key of a hidden row, or the id of a hidden section."""

    key: str


class Resolution(Body):
    """Either the side whose version shall stand, or a text of one's own."""

    take: Literal["page", "store", "both"] | None = None
    text: Text = None
