"""All conflicts that wait for a person, and those that were ended lately."""

from typing import Any

from fastapi import FastAPI
from fastapi.responses import Response

from syncd.web.clash import clash
from syncd.web.site import Link, Site

MOST_OPEN = 100
MOST_SETTLED = 20


def mount(web: FastAPI, site: Site) -> None:
    """Adds `/conflicts`."""
    site.links.append(Link("inbox", "/conflicts", "Conflicts"))

    def values() -> dict[str, Any]:
        waiting = site.sight.conflicts(state="open")
        names = {c.incident: site.sight.incident(c.incident).name for c in waiting[:MOST_OPEN]}
        return {
            "open": [clash(conflict) for conflict in waiting[:MOST_OPEN]],
            "more": max(len(waiting) - MOST_OPEN, 0),
            "settled": [clash(conflict) for conflict in site.sight.settled(MOST_SETTLED)],
            "names": names,
        }

    @web.get("/conflicts", include_in_schema=False)
    def inbox() -> Response:
        return site.render("conflicts.html", values() | {"here": "inbox"})

    @web.get("/conflicts/events", include_in_schema=False)
    def live() -> Response:
        return site.events(lambda: site.text("_conflicts.html", values()))
