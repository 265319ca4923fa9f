"""What the store holds: incidents, follow-ups, timeline events, people, post-mortems. Frozen values, no behaviour beyond
what follows from their own fields.

Reading and writing them as JSON or YAML is `records.py`; how they look on a page is `rows.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Literal

from mapping.document import Block


class Phase(StrEnum):
    """Where an incident stands in its life."""

    TRIAGE = "triage"
    ACTIVE = "active"
    POST_INCIDENT = "post_incident"
    PAUSED = "paused"
    CLOSED = "closed"
    DECLINED = "declined"
    CANCELED = "canceled"
    MERGED = "merged"


class FollowUpStatus(StrEnum):
    """Open, done, or dropped (decided against)."""

    OPEN = "open"
    DONE = "done"
    DROPPED = "dropped"


class PostmortemStatus(StrEnum):
    """Any move between the three is allowed; only people move it."""

    IN_PROGRESS = "in_progress"
    IN_REVIEW = "in_review"
    COMPLETED = "completed"

    @property
    def label(self) -> str:
        """As people read it on a page: `In progress`."""
        return self.value.replace("_", " ").capitalize()


SectionKind = Literal["summary", "details", "timeline", "follow_ups", "text"]


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody; the e-mail identifies them where it is known (always lower case), the name alone otherwise."""

    name: str = ""
    email: str = ""

    def __str__(self) -> str:
        return self.name or self.email


@dataclass(frozen=True, slots=True)
class FollowUp:
    """Work that the incident left behind. `key` is `FU-31`, global in a store."""

    key: str
    title: str
    status: FollowUpStatus = FollowUpStatus.OPEN
    assignee: Person | None = None
    priority: str = ""
    due_on: date | None = None


@dataclass(frozen=True, slots=True)
class TimelineEvent:
    """Something that happened at a moment (zone-aware). `description` is Markdown. `key` is `T-7`."""

    key: str
    at: datetime
    title: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class Incident:
    """One incident with its rows. `timestamps` are zone-aware; `custom_fields` are text by field id."""

    reference: str
    name: str
    phase: Phase = Phase.TRIAGE
    severity: str = ""
    private: bool = False
    summary: tuple[Block, ...] = ()
    lead: Person | None = None
    roles: Mapping[str, Person] = field(default_factory=dict)
    timestamps: Mapping[str, datetime] = field(default_factory=dict)
    custom_fields: Mapping[str, str] = field(default_factory=dict)
    timeline: tuple[TimelineEvent, ...] = ()
    follow_ups: tuple[FollowUp, ...] = ()

    @property
    def people(self) -> tuple[Person, ...]:
        """Who is named in it: the lead, the roles, the assignees of follow-ups; each once."""
        named = (self.lead, *self.roles.values(), *(row.assignee for row in self.follow_ups))
        return tuple(dict.fromkeys(person for person in named if person))

    def prose(self, section: "Section") -> tuple[Block, ...]:
        """What is written in a section of its post-mortem: the summary is the incident's own."""
        return self.summary if section.kind == "summary" else section.blocks


@dataclass(frozen=True, slots=True)
class Section:
    """One section of a post-mortem as the store holds it.

    `blocks` is its prose (empty for the kinds that are rendered from records), `rendered` the prose that the template gave
    it at creation, `help` and `custom_fields` what is shown while it is unwritten, until `help_gone`.
    """

    id: str
    kind: SectionKind
    heading: str
    blocks: tuple[Block, ...] = ()
    rendered: tuple[Block, ...] = ()
    help: str = ""
    custom_fields: tuple[str, ...] = ()
    help_gone: bool = False

    @property
    def unwritten(self) -> bool:
        """Still as the template made it (only prose sections are ever written)."""
        return self.kind == "text" and self.blocks == self.rendered

    @property
    def reminds(self) -> bool:
        """Help and custom fields are shown."""
        return self.unwritten and not self.help_gone


@dataclass(frozen=True, slots=True)
class Postmortem:
    """The one post-mortem of an incident. `home` is a destination's name, or empty when written in-house.

    `zone` is the time zone in which its pages show times, frozen at creation; `title` is the template's title pattern.
    """

    incident: str
    template: str
    status: PostmortemStatus
    home: str
    zone: str
    title: str
    sections: tuple[Section, ...] = ()

    def section(self, section_id: str) -> Section | None:
        """The section with this id, if there is one."""
        return next((s for s in self.sections if s.id == section_id), None)
