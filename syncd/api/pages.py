"""Pages of post-mortems over HTTP: exported, looked at, brought back."""

from collections.abc import Callable
from concurrent.futures import CancelledError, Future

from fastapi import APIRouter

from syncd.api.bodies import Export, Restore
from syncd.api.caller import WRITES, Seen, Who
from syncd.api.versions import Answer, IfMatch
from syncd.app import App
from syncd.errors import ProviderDown
from syncd.flow import export_json
from syncd.pages import Page
from syncd.reconcile import Report

Look = Callable[[Page], "Future[Report] | None"]
LOOK_SECONDS = 20.0


def routes(router: APIRouter, app: App, look: Look | None) -> None:
    """Adds the routes of this resource; `look` asks the daemon."""
    _changing(router, app)
    _looking(router, app, look)


def _changing(router: APIRouter, app: App) -> None:
    @router.post("/incidents/{ref}/postmortem/export", tags=["pages"], status_code=201, dependencies=[WRITES])
    def export(ref: str, body: Export, sight: Seen, who: Who, expected: IfMatch) -> Answer:
        """Bring the post-mortem to a destination."""
        with app.store.tx():
            found = sight.incident(ref).reference
            expected.demand(f"/incidents/{ref}/postmortem", app.postmortem_json(found))
            return app.page_json(app.export_postmortem(found, body.destination, body.copy_only, who))

    @router.post("/incidents/{ref}/restore", tags=["pages"], dependencies=[WRITES])
    def restore(ref: str, body: Restore, sight: Seen, who: Who) -> Answer:
        """Bring a hidden row or section back, or the text that a line of the journal replaced."""
        return {"restored": app.restore(sight.incident(ref).reference, body.key, who)}


def _looking(router: APIRouter, app: App, look: Look | None) -> None:
    @router.post("/incidents/{ref}/look", tags=["pages"], dependencies=[WRITES])
    def look_now(ref: str, sight: Seen) -> Answer:
        """Look at the incident's pages now and apply what is due; answers the export status afterwards."""
        pages = app.store.pages(sight.incident(ref).reference)
        asked = [look(page) for page in pages] if look else []
        for future in asked:
            if future is not None:
                _wait(future)
        return export_json(app.check(ref).export)


def _wait(future: "Future[Report]") -> None:
    try:
        future.result(LOOK_SECONDS)
    except (TimeoutError, CancelledError) as late:
        raise ProviderDown("The service takes long; the look goes on by itself.") from late
