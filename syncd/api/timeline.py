"""Timeline events over HTTP: listed over all incidents, read, added, changed."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import AwareDatetime

from mapping.incident import Incident
from mapping.records import event_json
from syncd.api import shapes
from syncd.api.bodies import EventChange, NewEvent
from syncd.api.caller import READS, WRITES, Seen, Who
from syncd.api.incidents import record
from syncd.api.paging import Paged
from syncd.api.shapes import answers
from syncd.api.versions import Answer, IfMatch, tagged
from syncd.app import App
from syncd.store.lists import WantedEvents


def routes(router: APIRouter, app: App) -> None:
    """Adds the routes of this resource."""
    _reading(router)
    _changing(router, app)


def _reading(router: APIRouter) -> None:
    @router.get("/timeline", dependencies=[READS], **answers(shapes.Timeline))
    def events(
        sight: Seen,
        paging: Paged,
        ref: Annotated[str, Query(description="Only those of this incident.")] = "",
        since: Annotated[AwareDatetime | None, Query(description="Only those at this time or later.")] = None,
        before: Annotated[AwareDatetime | None, Query(description="Only those before this time.")] = None,
    ) -> Answer:
        """Timeline events of all incidents, those of the oldest incident first, each incident's by time."""
        wanted = WantedEvents(sight.incident(ref).reference if ref else "", since, before)
        page, following = paging.page(sight.events(wanted, paging.part), lambda one: one[1].key)
        return {"timeline": [{"incident": owner, **event_json(event)} for owner, event in page], "next": following}

    @router.get("/timeline/{key}", dependencies=[READS], **answers(shapes.OwnedEvent, versioned=True))
    def event(key: str, sight: Seen, response: Response) -> Answer:
        """One timeline event, wherever it stands."""
        return tagged(response, _shown(sight.owner_of_event(key), key))


def _changing(router: APIRouter, app: App) -> None:
    @router.post(
        "/incidents/{ref}/timeline",
        dependencies=[WRITES],
        **answers(shapes.OwnedEvent, versioned=True, status=201),
    )
    def add(ref: str, body: NewEvent, sight: Seen, who: Who, expected: IfMatch, response: Response) -> Answer:
        """A new timeline event."""
        with app.store.tx():
            incident = sight.incident(ref)
            expected.demand(f"/incidents/{ref}", record(incident))
            key = app.add_event(incident.reference, body.said(), who)
        response.headers["location"] = f"/api/v1/timeline/{key}"
        return tagged(response, _shown(sight.incident(ref), key))

    @router.patch("/timeline/{key}", dependencies=[WRITES], **answers(shapes.OwnedEvent, versioned=True))
    def edit(key: str, body: EventChange, sight: Seen, who: Who, expected: IfMatch, response: Response) -> Answer:
        """Change a timeline event wherever it stands."""
        with app.store.tx():
            expected.demand(f"/timeline/{key}", _shown(sight.owner_of_event(key), key))
            app.edit_event(key, body.said(), who)
        return tagged(response, _shown(sight.owner_of_event(key), key))


def _shown(owner: Incident, key: str) -> Answer:
    found = next(event for event in owner.timeline if event.key == key)
    return {"incident": owner.reference, **event_json(found)}
