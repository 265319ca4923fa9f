"""The part of the store that remembers what people said about the post-incident flow, and which incidents were closed
elsewhere although the gate said no.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from mapping.commands import Actor
from syncd.store import statements as sql
from syncd.store.journal import moment, text_of
from syncd.store.records import Records


class FlowMark(NamedTuple):
    """What a person said about a task of the post-incident flow; `why` is set where it was skipped."""

    done: bool
    by: str
    at: datetime
    why: str


class ClosedPastNo(NamedTuple):
    """An incident was closed elsewhere although the gate said no: when that arrived, who brought it, what the gate said."""

    at: datetime
    by: str
    reasons: tuple[str, ...]


class Flow(Records):
    """Marks on tasks and on incidents."""

    def flow_marks(self, ref: str) -> dict[str, FlowMark]:
        """What people said about the tasks of an incident."""
        rows = self._all(sql.FLOW_MARKS, (ref,))
        return {task: FlowMark(bool(done), by, moment(at), why) for task, done, by, at, why in rows}

    def set_flow_mark(self, ref: str, task: str, done: bool, by: str, why: str = "") -> None:
        """A person did a task, took that back, or skipped it with a reason."""
        with self.tx():
            self._must_exist(ref)
            self._run(sql.SET_FLOW_MARK, (ref, task, int(done), by, text_of(self.now()), why))
            action = "skip" if why else "done" if done else "undo"
            self.note(ref, Actor("store", by), action, f"task:{task}", new=why)

    def closed_past_no(self, ref: str) -> ClosedPastNo | None:
        """Whether an incident waits for a person to agree that it is closed."""
        row = self._one(sql.CLOSED_PAST_NO, (ref,))
        return ClosedPastNo(moment(row[0]), row[1], tuple(json.loads(row[2]))) if row else None

    def all_closed_past_no(self) -> list[str]:
        """The incidents that wait for a person to agree that they are closed, the longest waiting first."""
        return [row[0] for row in self._all(sql.ALL_CLOSED_PAST_NO)]

    def flag_close(self, ref: str, reasons: Sequence[str], actor: Actor) -> None:
        """It was closed past a no."""
        with self.tx():
            self._run(sql.FLAG_CLOSE, (ref, text_of(self.now()), actor.name or actor.side, json.dumps(list(reasons))))
            self.note(ref, actor, "closed past a no", new="\n".join(reasons))

    def agree_to_close(self, ref: str, why: str, actor: Actor) -> None:
        """A person looked, and lets it be closed."""
        with self.tx():
            self.forget_close(ref)
            self.note(ref, actor, "agreed to the close", new=why)

    def forget_close(self, ref: str) -> None:
        """It is open again, or somebody agreed."""
        with self.tx():
            self._run(sql.FORGET_CLOSE, (ref,))
