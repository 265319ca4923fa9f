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
        q: Annotated[str, Query(description="Only those with these words in their reference or name.")] = "",
    ) -> Answer:
        """All incidents with the state of their post-mortems, the oldest first."""

        def keep(one: Incident) -> bool:
            named = (not phase or one.phase in phase) and (not severity or one.severity in severity)
            so = postmortem is None or _postmortem_is(app, one.reference) == postmortem
            return named and so and _led_by(one, lead) and _tells(one, q)

        page, following = paging.cut(sight.incidents(), lambda one: one.reference, keep)
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


def _led_by(incident: Incident, lead: str) -> bool:
    names = {incident.lead.name, incident.lead.email} if incident.lead else {""}
    return not lead or lead in names


def _tells(incident: Incident, words: str) -> bool:
    text = f"{incident.reference} {incident.name}".casefold()
    return all(word in text for word in words.casefold().split())


def _postmortem_is(app: App, ref: str) -> str:
    found = app.store.postmortem(ref)
    return found.status.value if found else "none"


def _listed(app: App, incident: Incident) -> Answer:
    named = {name: getattr(incident, name) for name in ("reference", "name", "severity", "private")}
    return {**named, "phase": incident.phase.value, "postmortem": _listed_postmortem(app, incident.reference)}


def _listed_postmortem(app: App, ref: str) -> Answer | None:
    found = app.store.postmortem(ref)
    if found is None:
        return None
    pages = [app.page_json(page) for page in app.store.pages(ref)]
    return {"template": found.template, "status": found.status.value, "home": found.home or None, "pages": pages}
