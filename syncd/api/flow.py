"""The gate over HTTP: may an incident close, and does its page hold what the store holds."""

from fastapi import APIRouter

from syncd.api.caller import READS, Seen
from syncd.api.versions import Answer
from syncd.app import App
from syncd.flow import export_json


def routes(router: APIRouter, app: App) -> None:
    """Adds the routes of this resource."""

    @router.get("/incidents/{ref}/flow", tags=["flow"], dependencies=[READS])
    def flow(ref: str, sight: Seen) -> Answer:
        """May this incident close, and if not, why."""
        return app.check(sight.incident(ref).reference).as_json()

    @router.get("/incidents/{ref}/export-status", tags=["flow"], dependencies=[READS])
    def export_status(ref: str, sight: Seen) -> Answer:
        """Whether the page holds what the store holds."""
        return export_json(app.check(sight.incident(ref).reference).export)
