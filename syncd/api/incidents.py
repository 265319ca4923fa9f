"""Incidents over HTTP: listed, read, changed."""

from collections.abc import Sequence
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response

from mapping.incident import Incident, Phase
from mapping.markdown import to_markdown
from mapping.records import incident_to_json
from syncd.api.bodies import IncidentChange
from syncd.api.caller import READS, WRITES, Seen, Who
from syncd.api.paging import Paged
from syncd.api.versions import Answer, IfMatch, tagged
from syncd.app import App
from syncd.flow import ExportStatus
from syncd.store.overview import Listed, Wanted

PostmortemIs = Literal["none", "in_progress", "in_review", "completed"]


def routes(router: APIRouter, app: App) -> None:
    """Adds the routes of this resource."""
    _reading(router, app)
    _changing(router, app)


def _reading(router: APIRouter, app: App) -> None:
    @router.get("/incidents", tags=["incidents"], dependencies=[READS])
    def incidents(
        sight: Seen,
        paging: Paged,
        phase: Annotated[Sequence[Phase], Query(description="Only these phases.")] = (),
        severity: Annotated[Sequence[str], Query(description="Only these severities.")] = (),
        lead: Annotated[str, Query(description="Only those whom this e-mail or name leads.")] = "",
        postmortem: Annotated[PostmortemIs | None, Query(description="Only those whose post-mortem is so.")] = None,
        freshness: Annotated[Sequence[ExportStatus], Query(description="Only those whose page was last seen so.")] = (),
        needs_person: Annotated[bool, Query(description="Only those with a conflict, a halted or missing page.")] = False,
        q: Annotated[str, Query(max_length=1000, description="Only those with all these words in their texts.")] = "",
    ) -> Answer:
        """All incidents with the state of their post-mortems, the oldest first."""
        part = paging.part
        wanted = Wanted(
            text=q,
            phases=tuple(phase),
            severities=tuple(severity),
            owners=(lead,) if lead else (),
            statuses=(postmortem,) if postmortem else (),
            freshness=tuple(freshness),
            needs_person=needs_person,
            as_recorded=True,
            after=part.after,
            count=part.count,
        )
        page, following = paging.page(sight.overview(wanted).rows, lambda one: one.reference)
        return {"incidents": [_listed(app, one) for one in page], "next": following}

    @router.get("/incidents/{ref}", tags=["incidents"], dependencies=[READS])
    def incident(ref: str, sight: Seen, response: Response) -> Answer:
        """One incident in the shape that can be imported again."""
        return tagged(response, record(sight.incident(ref)))


def _changing(router: APIRouter, app: App) -> None:
    @router.patch("/incidents/{ref}", tags=["incidents"], dependencies=[WRITES])
    def edit(ref: str, body: IncidentChange, sight: Seen, who: Who, expected: IfMatch, response: Response) -> Answer:
        """Change fields; closing asks the gate."""
        found = sight.incident(ref).reference

        def sure(now: Incident) -> None:
            expected.demand(f"/incidents/{ref}", record(now))

        app.edit_incident(found, body.changes(), who, body.skip_flow, sure)
        return tagged(response, record(sight.incident(ref)))


def record(incident: Incident) -> Answer:
    """An incident in its public shape."""
    return incident_to_json(incident, to_markdown)


def _listed(app: App, one: Listed) -> Answer:
    named = {name: getattr(one, name) for name in ("reference", "name", "severity", "private", "phase")}
    return {**named, "needs_person": one.needs_person, "postmortem": _listed_postmortem(app, one)}


def _listed_postmortem(app: App, one: Listed) -> Answer | None:
    if one.status is None:
        return None
    pages = [app.page_json(page) for page in app.store.pages(one.reference)]
    brief = {"template": one.template, "status": one.status.value, "home": one.home or None}
    return {**brief, "freshness": one.freshness, "pages": pages}
