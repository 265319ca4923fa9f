"""Pages of post-mortems over HTTP: exported, adopted, looked at, let go, brought back."""

from collections.abc import Callable
from concurrent.futures import CancelledError, Future

from fastapi import APIRouter, Response

from providers.contract import ProviderError
from syncd.adoption import Adoption, adopt, plan_adoption
from syncd.api import shapes
from syncd.api.bodies import Adopt, Detach, Export, Restore, Resume
from syncd.api.caller import ADMINISTERS, READS, WRITES, Seen, Who
from syncd.api.paging import Paged
from syncd.api.postmortems import shown
from syncd.api.shapes import answers
from syncd.api.versions import Answer, IfMatch, version
from syncd.app import App
from syncd.errors import ProviderDown
from syncd.flow import export_json
from syncd.links import page_named
from syncd.pages import Page
from syncd.reconcile import Report

Look = Callable[[Page], "Future[Report] | None"]
LOOK_SECONDS = 20.0


def routes(router: APIRouter, app: App, look: Look | None) -> None:
    """Adds the routes of this resource; `look` asks the daemon."""
    _placing(router, app)
    _adopting(router, app)
    _going_on(router, app)
    _bringing_back(router, app)
    _looking(router, app, look)


def _placing(router: APIRouter, app: App) -> None:
    @router.post("/incidents/{ref}/postmortem/export", dependencies=[WRITES], **answers(shapes.Page, status=201))
    def export(ref: str, body: Export, sight: Seen, who: Who, expected: IfMatch) -> Answer:
        """Bring the post-mortem to a destination."""
        with app.store.tx():
            found = sight.incident(ref).reference
            expected.demand(f"/incidents/{ref}/postmortem", shown(app, found))
            return app.page_json(app.export_postmortem(found, body.destination, body.copy_only, who))

    @router.post("/incidents/{ref}/postmortem/home", dependencies=[WRITES], **answers(shapes.Postmortem))
    def home(ref: str, sight: Seen, who: Who, expected: IfMatch) -> Answer:
        """Prose is written in-house again; the pages stay in step."""
        with app.store.tx():
            found = sight.incident(ref).reference
            expected.demand(f"/incidents/{ref}/postmortem", shown(app, found))
            app.bring_home(found, who)
        return app.postmortem_json(ref)

    @router.post("/incidents/{ref}/detach", dependencies=[WRITES], **answers(shapes.Pages))
    def detach(ref: str, body: Detach, sight: Seen, who: Who, expected: IfMatch) -> Answer:
        """Stop keeping pages in step; nothing on them changes."""
        with app.store.tx():
            found = sight.incident(ref).reference
            expected.demand(f"/incidents/{ref}/postmortem", shown(app, found))
            app.detach(found, who, body.destination)
        return {"pages": [app.page_json(page) for page in app.lookup.pages(ref, body.destination)]}


def _adopting(router: APIRouter, app: App) -> None:
    @router.post("/incidents/{ref}/adopt", dependencies=[WRITES], **answers(shapes.Adoption, versioned=True))
    def adopt_page(ref: str, body: Adopt, sight: Seen, who: Who, expected: IfMatch, response: Response) -> Answer:
        """Take a page that exists as the incident's. Without `accept` nothing is done, and the answer says what would be;
        `If-Match` names the plan that was agreed to."""
        planned = _planned(app, sight.incident(ref).reference, body)
        if not body.accept:
            response.headers["etag"] = version(_seen(planned))
            return {**planned.as_json(), "adopted": False}
        expected.demand(f"/incidents/{ref}/adopt", _seen(planned), how="POST")
        page = adopt(app, planned, who)
        return {**planned.as_json(), "adopted": True, "page": app.page_json(page)}


def _planned(app: App, ref: str, body: Adopt) -> Adoption:
    try:
        return plan_adoption(app, ref, page_named(body.url, body.destination, app.destinations), body.template)
    except ProviderError as error:
        raise ProviderDown(f"{error}.".replace("..", "."), "syncd doctor") from error


def _seen(planned: Adoption) -> Answer:
    return {**planned.as_json(), "version": planned.seen.version}


def _going_on(router: APIRouter, app: App) -> None:
    @router.post("/incidents/{ref}/resume", dependencies=[WRITES], **answers(shapes.Resumed))
    def resume(ref: str, body: Resume, sight: Seen, who: Who, expected: IfMatch) -> Answer:
        """Go on with the incident's halted pages; `accept` agrees, once, to what halted them."""
        expected.demand(f"/incidents/{ref}/postmortem", shown(app, sight.incident(ref).reference))
        return _resumed(app.resume(ref, body.accept, who))

    @router.post("/resume", dependencies=[ADMINISTERS], **answers(shapes.Resumed))
    def resume_all(body: Resume, who: Who) -> Answer:
        """Go on with all halted pages of all incidents."""
        return _resumed(app.resume("", body.accept, who))

    @router.post("/incidents/{ref}/resync", dependencies=[WRITES], **answers(shapes.Destinations))
    def resync(ref: str, sight: Seen) -> Answer:
        """The next pass reads all pages of the incident, whatever is believed about them."""
        return {"destinations": [page.destination for page in app.resync(sight.incident(ref).reference)]}


def _resumed(pages: list[Page]) -> Answer:
    return {"resumed": [{"incident": page.incident, "destination": page.destination} for page in pages]}


def _bringing_back(router: APIRouter, app: App) -> None:
    @router.get("/incidents/{ref}/hidden", dependencies=[READS], **answers(shapes.Hidden))
    def hidden(ref: str, sight: Seen, paging: Paged) -> Answer:
        """Rows and sections that people removed from pages, and can have back."""
        found = app.hidden(sight.incident(ref).reference)
        page, following = paging.cut(found, lambda one: f"{one.destination} {one.key}")
        rows = [{"destination": one.destination, "key": one.key, "what": one.what} for one in page]
        return {"hidden": rows, "next": following}

    @router.post("/incidents/{ref}/restore", dependencies=[WRITES], **answers(shapes.Restored))
    def restore(ref: str, body: Restore, sight: Seen, who: Who, expected: IfMatch) -> Answer:
        """Bring a hidden row or section back, or the text that a line of the journal replaced."""
        with app.store.tx():
            expected.demand(f"/incidents/{ref}/postmortem", shown(app, sight.incident(ref).reference))
            return {"restored": app.restore(ref, body.key, who)}


def _looking(router: APIRouter, app: App, look: Look | None) -> None:
    @router.get("/incidents/{ref}/plan", dependencies=[READS], **answers(shapes.Plan))
    def plan(ref: str, sight: Seen) -> Answer:
        """What the next pass would do on each side, edit by edit; changes nothing."""
        return {"pages": [report.as_json() for report in app.plan(sight.incident(ref).reference)]}

    @router.post("/incidents/{ref}/look", dependencies=[WRITES], **answers(shapes.Export))
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
