"""What `syncd doctor` knows of each destination, remembered by the process that serves the pages: a look takes a while, and
nobody should wait for it who only opens a page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from syncd.app import App
from syncd.doctor import Finding, exit_code, of_destination
from syncd.errors import UnknownReference

GOOD_FOR = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found of a destination, and when."""

    findings: Sequence[Finding]
    at: datetime

    @property
    def ok(self) -> bool | None:
        """Whether it is well; None where nobody knows now."""
        return {0: True, 2: False, 3: None}[exit_code(list(self.findings))]


class Health:
    """Asked by the threads of the pages; each destination takes its turn with whoever works on its pages."""

    def __init__(self, app: App) -> None:
        self._app, self._found = app, dict[str, Checked]()

    def of(self, name: str, *, anew: bool = False) -> Checked:
        """What is known of a destination; looked at where that is old, or where somebody wants it `anew`."""
        destination = self._app.destinations.get(name)
        if destination is None:
            raise UnknownReference("destination", name, self._app.destinations, "syncd doctor")
        known, now = self._found.get(name), self._app.store.now()
        if known and not anew and now - known.at < GOOD_FOR:
            return known
        with destination.turn:
            found = list(of_destination(self._app, destination))
        self._found[name] = checked = Checked(found, self._app.store.now())
        return checked

    def forget(self) -> None:
        """Something was paused or resumed: look again when somebody asks."""
        self._found.clear()
