"""Rules that make the post-mortem of an incident when it enters its post-incident phase: which rule is for which incident.
Pure.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mapping.incident import Incident


@dataclass(frozen=True, slots=True)
class Rule:
    """For incidents with one of these severities (none named: any) and in each of these custom fields one of its values."""

    name: str
    template: str
    destination: str = ""
    severities: tuple[str, ...] = ()
    fields: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def fits(self, incident: Incident) -> bool:
        """Whether this rule is for the incident; capital letters make no difference."""
        named = not self.severities or _among(incident.severity, self.severities)
        return named and all(_among(incident.custom_fields.get(id, ""), values) for id, values in self.fields.items())


def first_fit(rules: Sequence[Rule], incident: Incident) -> Rule | None:
    """The first rule that is for this incident."""
    return next((rule for rule in rules if rule.fits(incident)), None)


def _among(value: str, values: Sequence[str]) -> bool:
    return value.casefold() in {one.casefold() for one in values}
