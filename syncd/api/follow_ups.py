"""Follow-ups over HTTP: listed over all incidents, read, added, changed."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query, Response

from mapping.incident import FollowUpStatus, Incident
from mapping.records import follow_up_json
from syncd.api import shapes
from syncd.api.bodies import FollowUpChange, NewFollowUp
from syncd.api.caller import READS, WRITES, Seen, Who
from syncd.api.incidents import record
from syncd.api.paging import Paged
from syncd.api.shapes import answers
from syncd.api.versions import Answer, IfMatch, tagged
from syncd.app import App
from syncd.store.lists import WantedFollowUps


def routes(router: APIRouter, app: App) -> None:
    """Adds the routes of this resource."""
    _reading(router)
    _changing(router, app)


def _reading(router: APIRouter) -> None:
    @router.get("/follow-ups", dependencies=[READS], **answers(shapes.FollowUps))
    def follow_ups(
        sight: Seen,
        paging: Paged,
        ref: Annotated[str, Query(description="Only those of this incident.")] = "",
        status: Annotated[Sequence[FollowUpStatus], Query(description="Only those that are so.")] = (),
        assignee: Annotated[str, Query(description="Only those of this e-mail or name.")] = "",
        due_before: Annotated[date | None, Query(description="Only those due before this day.")] = None,
    ) -> Answer:
        """Follow-ups of all incidents, those of the oldest incident first."""
        incident = sight.incident(ref).reference if ref else ""
        wanted = WantedFollowUps(incident, tuple(status), assignee, due_before)
        page, following = paging.page(sight.follow_ups(wanted, paging.part), lambda one: one[1].key)
        return {"follow_ups": [{"incident": owner, **follow_up_json(row)} for owner, row in page], "next": following}

    @router.get("/follow-ups/{key}", dependencies=[READS], **answers(shapes.OwnedFollowUp, versioned=True))
    def follow_up(key: str, sight: Seen, response: Response) -> Answer:
        """One follow-up, wherever it stands."""
        return tagged(response, _shown(sight.owner_of_follow_up(key), key))


def _changing(router: APIRouter, app: App) -> None:
    @router.post(
        "/incidents/{ref}/follow-ups",
        dependencies=[WRITES],
        **answers(shapes.OwnedFollowUp, versioned=True, status=201),
    )
    def add(ref: str, body: NewFollowUp, sight: Seen, who: Who, expected: IfMatch, response: Response) -> Answer:
        """A new follow-up; it appears on every page of the incident."""
        with app.store.tx():
            incident = sight.incident(ref)
            expected.demand(f"/incidents/{ref}", record(incident))
            key = app.add_follow_up(incident.reference, body.said(), who)
        response.headers["location"] = f"/api/v1/follow-ups/{key}"
        return tagged(response, _shown(sight.incident(ref), key))

    @router.patch("/follow-ups/{key}", dependencies=[WRITES], **answers(shapes.OwnedFollowUp, versioned=True))
    def edit(key: str, body: FollowUpChange, sight: Seen, who: Who, expected: IfMatch, response: Response) -> Answer:
        """Change a follow-up wherever it stands."""
        with app.store.tx():
            expected.demand(f"/follow-ups/{key}", _shown(sight.owner_of_follow_up(key), key))
            app.edit_follow_up(key, body.said(), who)
        return tagged(response, _shown(sight.owner_of_follow_up(key), key))


def _shown(owner: Incident, key: str) -> Answer:
    found = next(row for row in owner.follow_ups if row.key == key)
    return {"incident": owner.reference, **follow_up_json(found)}
