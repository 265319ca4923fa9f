"""The page of one incident: what is on it, what of it is live, and the gate's answer."""

from typing import Any

from fastapi import FastAPI
from fastapi.responses import Response

from syncd.errors import UnknownReference
from syncd.web.creating import choices, places
from syncd.web.incident_view import incident_view
from syncd.web.site import Site


def mount(web: FastAPI, site: Site) -> None:
    """Adds `/incidents/REF` and its live parts."""

    def part(ref: str) -> str:
        return site.text("_incident.html", {"view": incident_view(site.app, site.sight.incident(ref))})

    @web.get("/incidents/{ref}", include_in_schema=False)
    def incident(ref: str) -> Response:
        try:
            found = site.sight.incident(ref)
        except UnknownReference as problem:
            return site.missing(problem)
        values: dict[str, Any] = {"view": incident_view(site.app, found), "here": "incident"}
        if values["view"].postmortem is None:
            values |= {"choices": choices(site.app.library.all()), "places": places(found, site.app.destinations)}
        return site.render("incident.html", values)

    @web.get("/incidents/{ref}/events", include_in_schema=False)
    def live(ref: str) -> Response:
        """What changes on the page, whenever it does."""
        site.sight.incident(ref)
        return site.events(lambda: part(ref))

    @web.get("/incidents/{ref}/gate", include_in_schema=False)
    def gate(ref: str) -> Response:
        """The gate's answer, which may have to look at pages first."""
        found = site.sight.incident(ref)
        answer = site.app.check(found.reference)
        postmortem = site.app.store.postmortem(ref)
        headings = {section.id: section.heading for section in (postmortem.sections if postmortem else ())}
        values = {"gate": answer, "headings": headings, "incident": found, "has_postmortem": postmortem is not None}
        return site.render("_gate.html", values)
