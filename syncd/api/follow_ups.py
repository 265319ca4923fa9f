"""Follow-ups over HTTP: listed over all incidents, read, added, changed."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query, Response

from mapping.incident import FollowUp, FollowUpStatus, Incident
from syncd.api.bodies import FollowUpChange, NewFollowUp
from syncd.api.caller import READS, WRITES, Seen, Who
from syncd.api.incidents import record
from syncd.api.paging import Paged
from syncd.api.versions import Answer, IfMatch, tagged
from syncd.app import App


def routes(router: APIRouter, app: App) -> None:
    """Adds the routes of this resource."""
    _reading(router)
    _changing(router, app)


def _reading(router: APIRouter) -> None:
    @router.get("/follow-ups", tags=["follow-ups"], dependencies=[READS])
    def follow_ups(
        sight: Seen,
        paging: Paged,
        ref: Annotated[str, Query(description="Only those of this incident.")] = "",
        status: Annotated[Sequence[FollowUpStatus], Query(description="Only those that are so.")] = (),
        assignee: Annotated[str, Query(description="Only those of this e-mail or name.")] = "",
        due_before: Annotated[date | None, Query(description="Only those due before this day.")] = None,
    ) -> Answer:
        """Follow-ups of all incidents, those of the oldest incident first."""
        owners = [sight.incident(ref)] if ref else sight.incidents()

        def keep(row: FollowUp) -> bool:
            names = {row.assignee.name, row.assignee.email} if row.assignee else {""}
            due = due_before is None or (row.due_on is not None and row.due_on < due_before)
            return due and (not status or row.status in status) and (not assignee or assignee in names)

        of = {row.key: owner for owner in owners for row in owner.follow_ups}
        rows = (row for owner in owners for row in owner.follow_ups)
        page, following = paging.cut(rows, lambda row: row.key, keep)
        return {"follow_ups": [_shown(of[row.key], row.key) for row in page], "next": following}

    @router.get("/follow-ups/{key}", tags=["follow-ups"], dependencies=[READS])
    def follow_up(key: str, sight: Seen, response: Response) -> Answer:
        """One follow-up, wherever it stands."""
        return tagged(response, _shown(sight.owner_of_follow_up(key), key))


def _changing(router: APIRouter, app: App) -> None:
    @router.post("/incidents/{ref}/follow-ups", tags=["follow-ups"], status_code=201, dependencies=[WRITES])
    def add(ref: str, body: NewFollowUp, sight: Seen, who: Who, expected: IfMatch, response: Response) -> Answer:
        """A new follow-up; it appears on every page of the incident."""
        with app.store.tx():
            incident = sight.incident(ref)
            expected.demand(f"/incidents/{ref}", record(incident))
            key = app.add_follow_up(incident.reference, body.said(), who)
        response.headers["location"] = f"/api/v1/follow-ups/{key}"
        return tagged(response, _shown(sight.incident(ref), key))

    @router.patch("/follow-ups/{key}", tags=["follow-ups"], dependencies=[WRITES])
    def edit(key: str, body: FollowUpChange, sight: Seen, who: Who, expected: IfMatch, response: Response) -> Answer:
        """Change a follow-up wherever it stands."""
        with app.store.tx():
            expected.demand(f"/follow-ups/{key}", _shown(sight.owner_of_follow_up(key), key))
            app.edit_follow_up(key, body.said(), who)
        return tagged(response, _shown(sight.owner_of_follow_up(key), key))


def _shown(owner: Incident, key: str) -> Answer:
    rows: list[Answer] = record(owner)["follow_ups"]
    return {"incident": owner.reference, **next(row for row in rows if row["key"] == key)}
