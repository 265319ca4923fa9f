"""The page of insights: what can be learned from all incidents at once."""

from fastapi import FastAPI
from fastapi.responses import Response

from syncd.insights import INSIGHTS
from syncd.web.insights_view import card
from syncd.web.site import Link, Site


def mount(web: FastAPI, site: Site) -> None:
    """Adds `/insights`."""
    site.links.append(Link("insights", "/insights", "Insights"))

    @web.get("/insights", include_in_schema=False)
    def insights() -> Response:
        cards = [card(site.sight.insight(name)) for name in INSIGHTS]
        return site.render("insights.html", {"cards": cards, "here": "insights"})
