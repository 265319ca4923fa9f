"""What can be done to the store's canonical data, as values. People on any side, imports and pages all speak these.

Values are canonical text, so that a base, a page and the store compare as strings: a person is their e-mail (else their
name), a time is ISO in UTC, a date is ISO, a cleared value is empty, prose is blocks. Which fields a target has:

    incident     name, severity, phase, private, lead, summary (blocks), role:ID, time:ID, field:ID
    follow_up    title, status, assignee, priority, due_on
    event        at, title, description (Markdown)
    postmortem   status
    section      heading, blocks, rendered (blocks: what the template would say now), help_gone ("yes")
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from mapping.document import Block
from mapping.incident import Person, Section

Target = Literal["incident", "follow_up", "event", "postmortem", "section"]
Side = Literal["page", "store", "import", "sync"]


@dataclass(frozen=True, slots=True)
class Set:
    """One field of one record. `key` is the row's key or the section's id; empty for incident and postmortem."""

    target: Target
    key: str
    field: str
    value: str = ""
    blocks: tuple[Block, ...] | None = None


@dataclass(frozen=True, slots=True)
class Add:
    """A new follow-up or event. `slot` tells the caller's rows apart: the store answers which slot got which key. A given
    `key` is used when it is free; one that another record owns is reported and a new one given."""

    target: Literal["follow_up", "event"]
    fields: Mapping[str, str] = field(default_factory=dict)
    slot: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True)
class AddSection:
    """A section that somebody added by hand, behind the section `after` (empty: first)."""

    section: Section
    after: str


@dataclass(frozen=True, slots=True)
class Learn:
    """A person became known by e-mail."""

    person: Person


Command = Set | Add | AddSection | Learn


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did something, and from which side; `page` is the destination's name where it came from a page."""

    side: Side
    name: str = ""
    page: str = ""
