"""All incidents with their post-mortems: searched, filtered, in parts; and where the keys on pages lead."""

from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse, Response

from syncd.errors import UnknownReference
from syncd.store.overview import Wanted
from syncd.web.overview_view import Asked, OverviewView, asked, overview_view
from syncd.web.site import Link, Site


def mount(web: FastAPI, site: Site) -> None:
    """Adds `/` and `/keys/KEY`."""
    site.links.append(Link("overview", "/", "Incidents"))

    @web.get("/", include_in_schema=False)
    def overview(request: Request) -> Response:
        return site.render("overview.html", {"view": _view(site, asked(request.query_params)), "here": "overview"})

    @web.get("/events", include_in_schema=False)
    def live(request: Request) -> Response:
        wanted = asked(request.query_params)
        return site.events(lambda: site.text("_overview.html", {"view": _view(site, wanted)}))

    @web.get("/keys/{key}", include_in_schema=False)
    def key(key: str) -> Response:
        """Where the keys on pages lead when they are links."""
        try:
            incident = site.sight.owner_of_key(key)
        except UnknownReference as problem:
            return site.missing(problem)
        return RedirectResponse(f"/incidents/{incident.reference}#{key}", 303)


def _view(site: Site, wanted: Asked) -> OverviewView:
    listing = site.sight.overview(wanted.wanted)
    ever = bool(listing.total or site.sight.overview(Wanted(count=1)).total)
    return overview_view(wanted, listing, site.sight.choices(), ever)
