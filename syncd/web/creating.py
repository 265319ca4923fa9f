"""The choice that making a post-mortem is: which template, and where each is written. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mapping.incident import Incident
from mapping.template import Template
from syncd.reconcile import Destination


@dataclass(frozen=True, slots=True)
class Choice:
    """One template: its name, where its prose is written, and its sections."""

    id: str
    name: str
    where: str
    sections: Sequence[str]


def choices(templates: Sequence[Template]) -> Sequence[Choice]:
    """Every template."""
    return [Choice(t.id, t.name, _where(t), [s.heading for s in t.sections if s.heading]) for t in templates]


def places(incident: Incident, destinations: Mapping[str, Destination]) -> Sequence[str]:
    """Where this incident's post-mortem may be: a private one only where that is allowed."""
    return [name for name, place in destinations.items() if place.admits(incident)]


def _where(template: Template) -> str:
    if template.write != "external":
        return "here"
    return f"on {template.destination}" if template.destination else "on the page that you choose below"
