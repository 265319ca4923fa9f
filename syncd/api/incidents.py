"""Incidents over HTTP: listed, read, changed."""

from collections.abc import Mapping, Sequence
from datetime import tzinfo
from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, Body, Query, Response

from mapping.commands import Actor
from mapping.incident import Incident, Phase
from mapping.markdown import to_markdown
from mapping.records import incident_to_json
from mapping.times import zone_of
from syncd.api import shapes
from syncd.api.bodies import IncidentChange, NewIncident
from syncd.api.caller import READS, WRITES, Seen, Who
from syncd.api.paging import Paged
from syncd.api.shapes import answers
from syncd.api.versions import Answer, IfMatch, tagged
from syncd.app import App
from syncd.errors import Misuse
from syncd.flow import ExportStatus
from syncd.store.overview import Listed, Wanted

Incoming = Annotated[
    dict[str, Any] | list[Any], Body(description="One incident, or several.", examples=[[{"reference": "INC-12"}]])
]
Source = Annotated[
    str, Query(min_length=1, max_length=200, description="Where they come from; each source's news are its own.")
]
Zone = Annotated[str, Query(max_length=100, description="Zone of times that name none.")]
PostmortemIs = Literal["none", "in_progress", "in_review", "completed"]


def routes(router: APIRouter, app: App) -> None:
    """Adds the routes of this resource."""
    _reading(router, app)
    _arriving(router, app)
    _changing(router, app)


def _reading(router: APIRouter, app: App) -> None:
    @router.get("/incidents", dependencies=[READS], **answers(shapes.Incidents))
    def incidents(
        sight: Seen,
        paging: Paged,
        phase: Annotated[Sequence[Phase], Query(description="Only these phases.")] = (),
        severity: Annotated[Sequence[str], Query(description="Only these severities.")] = (),
        lead: Annotated[str, Query(description="Only those whom this e-mail or name leads.")] = "",
        postmortem: Annotated[PostmortemIs | None, Query(description="Only those whose post-mortem is so.")] = None,
        freshness: Annotated[Sequence[ExportStatus], Query(description="Only those whose page was last seen so.")] = (),
        needs_person: Annotated[bool, Query(description="Only those at which a person must look.")] = False,
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

    @router.get("/incidents/{ref}", dependencies=[READS], **answers(shapes.Incident, versioned=True))
    def incident(ref: str, sight: Seen, response: Response) -> Answer:
        """One incident in the shape that can be imported again."""
        return tagged(response, record(sight.incident(ref)))


def _arriving(router: APIRouter, app: App) -> None:
    @router.post("/incidents", dependencies=[WRITES], **answers(shapes.NewlyMade, versioned=True, status=201))
    def create(body: NewIncident, who: Who, response: Response) -> Answer:
        """A new incident. Where a rule says so, it gets its post-mortem."""
        made, notes = app.create_incident(body.model_dump(exclude_unset=True), who)
        response.headers["location"] = f"/api/v1/incidents/{quote(made.reference)}"
        return {**tagged(response, record(made)), "notes": notes}

    @router.post("/import", dependencies=[WRITES], **answers(shapes.Imported))
    def take_in(body: Incoming, sight: Seen, who: Who, source: Source = "api", timezone: Zone = "") -> Answer:
        """Take in incidents, new ones or news about those that are here. What was edited here stays; one that cannot be read
        is refused with its path and keeps no other out."""
        hidden = [ref for ref in _references(body) if app.store.phase(ref) and not sight.shows(ref)]
        if hidden:
            raise Misuse(f"Not taken in: {', '.join(hidden)} may not be changed by whoever asks.")
        imported = app.import_values(body, source, _zone(timezone), Actor("import", who.name))
        return {"imported": imported.taken, "notes": imported.notes, "refused": imported.refused}


def _references(values: Mapping[str, Any] | Sequence[Any]) -> list[str]:
    rows = [values] if isinstance(values, Mapping) else values
    return [str(row["reference"]).strip() for row in rows if isinstance(row, Mapping) and "reference" in row]


def _zone(name: str) -> tzinfo | None:
    if not name:
        return None
    zone = zone_of(name)
    if zone is None:
        raise Misuse(f"There is no time zone '{name}'; zones are named like Europe/Berlin or UTC.")
    return zone


def _changing(router: APIRouter, app: App) -> None:
    @router.patch("/incidents/{ref}", dependencies=[WRITES], **answers(shapes.Incident, versioned=True))
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
