"""The part of the store that lists rows of all incidents a part at a time: those behind a known one, so many at most.

The rows of the incident that was recorded first come first.
"""

import json
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from mapping.incident import FollowUp, TimelineEvent
from mapping.times import iso
from syncd.errors import Misuse
from syncd.store import statements as sql
from syncd.store.core import Row
from syncd.store.records import Records, event_of, follow_up_of
from syncd.store.visible import EVERYTHING, Visible


@dataclass(frozen=True, slots=True)
class Part:
    """At most `count` rows behind the one that `after` names; behind none that is the beginning."""

    after: str = ""
    count: int = 100


@dataclass(frozen=True, slots=True)
class WantedFollowUps:
    """Which follow-ups; each empty one means any. `assignee` is an e-mail or a name."""

    incident: str = ""
    statuses: tuple[str, ...] = ()
    assignee: str = ""
    due_before: date | None = None


@dataclass(frozen=True, slots=True)
class WantedEvents:
    """Which timeline events; `since` and `before` are aware."""

    incident: str = ""
    since: datetime | None = None
    before: datetime | None = None


@dataclass(frozen=True, slots=True)
class WantedPostmortems:
    """Which post-mortems; `home` is a destination's name, None any and empty in-house."""

    statuses: tuple[str, ...] = ()
    template: str = ""
    home: str | None = None


class PostmortemListed(NamedTuple):
    """A post-mortem without its sections; `home` is empty for in-house."""

    incident: str
    template: str
    status: str
    home: str


class Lists(Records):
    """Rows of all incidents. Each raises Misuse for a `Part` that is behind nothing."""

    def list_follow_ups(
        self, wanted: WantedFollowUps, part: Part, visible: Visible = EVERYTHING
    ) -> list[tuple[str, FollowUp]]:
        """Follow-ups with their incidents."""
        owner, row = self._behind(sql.FOLLOW_UP_STANDS, part, (0, 0))
        asked = {
            "incident": wanted.incident,
            "statuses": json.dumps(wanted.statuses) if wanted.statuses else None,
            "assignee": wanted.assignee,
            "due_before": wanted.due_before.isoformat() if wanted.due_before else None,
            "owner": owner,
            "row": row,
        }
        rows = self._all(sql.FOLLOW_UPS_LISTED, asked | visible.parameters | {"count": part.count})
        return [(incident, follow_up_of(tuple(of))) for incident, *of in rows]

    def list_events(
        self, wanted: WantedEvents, part: Part, visible: Visible = EVERYTHING
    ) -> list[tuple[str, TimelineEvent]]:
        """Timeline events with their incidents, each incident's by time."""
        owner, at, row = self._behind(sql.EVENT_STANDS, part, (0, 0.0, 0))
        asked = {
            "incident": wanted.incident,
            "since": iso(wanted.since) if wanted.since else None,
            "before": iso(wanted.before) if wanted.before else None,
            "owner": owner,
            "at": at,
            "row": row,
        }
        rows = self._all(sql.EVENTS_LISTED, asked | visible.parameters | {"count": part.count})
        return [(incident, event_of(tuple(of))) for incident, *of in rows]

    def list_postmortems(
        self, wanted: WantedPostmortems, part: Part, visible: Visible = EVERYTHING
    ) -> list[PostmortemListed]:
        """Post-mortems."""
        (owner,) = self._behind(sql.INCIDENT_STANDS, part, (0,))
        asked = {
            "statuses": json.dumps(wanted.statuses) if wanted.statuses else None,
            "template": wanted.template,
            "home": wanted.home,
            "owner": owner,
        }
        rows = self._all(sql.POSTMORTEMS_LISTED, asked | visible.parameters | {"count": part.count})
        return [PostmortemListed(*row) for row in rows]

    def _behind(self, statement: str, part: Part, beginning: Row) -> Row:
        if not part.after:
            return beginning
        found = self._one(statement, (part.after,))
        if found is None:
            raise Misuse("`after` is no cursor of this list.")
        return found
