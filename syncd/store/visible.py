"""Which incidents somebody may see: one value, which goes as a condition into every statement that lists or finds."""

from dataclasses import dataclass

from mapping.incident import Incident


@dataclass(frozen=True, slots=True)
class Visible:
    """Public incidents, and of the private ones all (`everything`) or those that name this e-mail: as lead, in a role, as
    the assignee of a follow-up."""

    everything: bool = False
    email: str = ""

    def shows(self, incident: Incident) -> bool:
        """Whether this incident may be seen."""
        named = {person.email for person in incident.people} - {""}
        return self.everything or not incident.private or self.email in named

    @property
    def parameters(self) -> dict[str, object]:
        """What the condition `VISIBLE` in `statements.py` is asked with."""
        return {"everything": int(self.everything), "email": self.email}


EVERYTHING = Visible(everything=True)
