"""Which incidents somebody may see: one value, which goes as a condition into every statement that lists or finds."""

import json
from dataclasses import dataclass

from mapping.incident import Incident


@dataclass(frozen=True, slots=True)
class Visible:
    """Public incidents, and of the private ones all (`everything`) or those with these references."""

    everything: bool = False
    references: frozenset[str] = frozenset()

    def shows(self, incident: Incident) -> bool:
        """Whether this incident may be seen."""
        return self.everything or not incident.private or incident.reference in self.references

    @property
    def parameters(self) -> dict[str, object]:
        """What the condition `VISIBLE` in `statements.py` is asked with."""
        return {"everything": int(self.everything), "named": json.dumps(sorted(self.references))}


EVERYTHING = Visible(everything=True)
