"""All incidents with their post-mortems, and where the keys on pages lead."""

from fastapi import FastAPI
from fastapi.responses import RedirectResponse, Response

from syncd.errors import UnknownReference
from syncd.web.incident_view import listed
from syncd.web.site import Link, Site


def mount(web: FastAPI, site: Site) -> None:
    """Adds `/` and `/keys/KEY`."""
    site.links.append(Link("overview", "/", "Incidents"))

    @web.get("/", include_in_schema=False)
    def overview() -> Response:
        return site.render("overview.html", {"incidents": listed(site.app, site.sight.incidents()), "here": "overview"})

    @web.get("/events", include_in_schema=False)
    def live() -> Response:
        return site.events(lambda: site.text("_overview.html", {"incidents": listed(site.app, site.sight.incidents())}))

    @web.get("/keys/{key}", include_in_schema=False)
    def key(key: str) -> Response:
        """Where the keys on pages lead when they are links."""
        try:
            incident = site.sight.owner_of_key(key)
        except UnknownReference as problem:
            return site.missing(problem)
        return RedirectResponse(f"/incidents/{incident.reference}#{key}", 303)
