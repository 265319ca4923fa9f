"""What one pass over a page is given, and what it reports."""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from mapping.incident import Incident
from providers.contract import Place, Provider
from providers.transport import Budget
from syncd.pages import Page

Result = Literal["in_step", "waiting", "halted", "missing", "unknown"]


@dataclass(frozen=True, slots=True)
class Connection:
    """A provider of the configuration: a service with one credential, and the budget of requests to it."""

    name: str
    kind: str
    address: str
    provider: Provider
    budget: Budget


@dataclass(frozen=True, slots=True)
class Destination:
    """A place of one provider, as configured. `turn` is held while the provider is talked to: it serves one at a time."""

    name: str
    provider: Provider
    place: Place
    private: bool = False
    after_completed: str = "in_step"
    connection: str = ""  # the provider's name in the configuration
    turn: AbstractContextManager[object] = field(default_factory=nullcontext, compare=False)

    def admits(self, incident: Incident) -> bool:
        """Whether this incident may be here: a private one only where that is allowed."""
        return self.private or not incident.private


@dataclass(frozen=True, slots=True)
class Limits:
    """The numbers of `[sync]` and `[brakes]`."""

    row_still: timedelta = timedelta(seconds=60)
    quiet: timedelta = timedelta(seconds=120)
    version_gap: timedelta = timedelta(seconds=600)
    draft_hold: timedelta = timedelta(seconds=1800)
    removed_share: float = 0.5
    removed_min: int = 5
    writes_per_hour: int = 60


@dataclass(frozen=True, slots=True)
class Report:
    """What one pass did with one page: lines of what travelled, what is left, and the intent of its last write. `code` is
    the reason for programs, where there is one reason alone and it has a name."""

    page: Page
    result: Result
    reasons: tuple[str, ...] = ()
    taken: tuple[str, ...] = ()
    written: tuple[str, ...] = ()
    retry_at: datetime | None = None
    intent: int | None = None
    code: str = ""

    def as_json(self) -> dict[str, Any]:
        """The public shape: what the pass did, or would do."""
        return {
            "incident": self.page.incident,
            "destination": self.page.destination,
            "url": self.page.url or None,
            "result": self.result,
            "from_page": list(self.taken),
            "to_page": list(self.written),
            "reasons": list(self.reasons),
        }
