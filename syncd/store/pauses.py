"""The part of the store that remembers which destinations and connections people paused, since when and why."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from mapping.commands import Actor
from syncd.pages import PageState
from syncd.store import statements as sql
from syncd.store.core import Row
from syncd.store.journal import Journal, moment, text_of

Kind = Literal["destination", "connection"]


@dataclass(frozen=True, slots=True)
class Pause:
    """Nothing is read or written there. A `connection` is a provider of the configuration with all its destinations."""

    kind: Kind
    name: str
    by: str
    at: datetime
    why: str = ""


@dataclass(frozen=True, slots=True)
class Tally:
    """How many pages of a destination are in a state, and when one of them was looked at last."""

    destination: str
    state: PageState
    pages: int
    looked: datetime | None


class Pauses(Journal):
    """What people paused, and what there is to pause."""

    def pauses(self) -> list[Pause]:
        """All of them, connections first."""
        return [_pause(row) for row in self._all(sql.PAUSES)]

    def pause_of(self, destination: str, connection: str) -> Pause | None:
        """What keeps this destination from being read and written: the pause of its connection, else its own."""
        row = self._one(sql.PAUSE_OF, {"destination": destination, "connection": connection})
        return _pause(row) if row else None

    def tallies(self) -> list[Tally]:
        """Every destination that has pages, state by state."""
        return [Tally(place, state, n, moment(at) if at else None) for place, state, n, at in self._all(sql.TALLIES)]

    def set_pause(self, kind: Kind, name: str, why: str, actor: Actor) -> Pause:
        """From now on; one that is there already stays, with its time and reason."""
        with self.tx():
            made = self._all(sql.SET_PAUSE, (kind, name, actor.name, text_of(self.now()), why))
            if made:
                self.note("", actor, "paused", subject=f"{kind}:{name}", new=why)
            return next(pause for pause in self.pauses() if (pause.kind, pause.name) == (kind, name))

    def end_pause(self, kind: Kind, name: str, actor: Actor) -> bool:
        """Whether there was one."""
        with self.tx():
            ended = bool(self._all(sql.END_PAUSE, (kind, name)))
            if ended:
                self.note("", actor, "resumed", subject=f"{kind}:{name}")
            return ended


def _pause(row: Row) -> Pause:
    kind, name, by, at, why = row
    return Pause(kind, name, by, moment(at), why)
