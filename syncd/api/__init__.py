"""The HTTP interface: `create_app` answers the application that `syncd run` serves, web pages included.

Routes only translate; what they do is `app.py`'s. Every refusal has one shape, `{"error": {"code", "message", "next"}}`,
where `next` is the command that helps. Who may ask at all is `access.py`'s; the pages for people are `syncd/web`'s.
"""

from collections.abc import Awaitable, Callable
from concurrent.futures import CancelledError, Future
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from mapping.commands import Actor
from mapping.incident import Incident
from mapping.markdown import to_markdown
from mapping.records import incident_to_json
from mapping.times import iso
from syncd.access import Access, Sight
from syncd.api.bodies import (
    EventChange,
    Export,
    FollowUpChange,
    IncidentChange,
    NewEvent,
    NewFollowUp,
    NewPostmortem,
    Prose,
    Resolution,
    Restore,
    Status,
)
from syncd.app import App, conflict_json
from syncd.errors import Misuse, ProviderDown, RefusedByGate, StoreError, SyncdError, UnknownReference
from syncd.flow import export_json
from syncd.pages import Page
from syncd.reconcile import Report
from syncd.store.journal import JournalLine
from syncd.store.visible import Visible
from syncd.web import mount_web
from syncd.writing import written_json

Look = Callable[[Page], "Future[Report] | None"]
Answer = dict[str, Any]
ACTOR = Actor("store", "API")
LOOK_SECONDS = 20.0
JOURNAL_LINES = 200
CODES: tuple[tuple[type[SyncdError], int, str], ...] = (
    (UnknownReference, 404, "not_found"),
    (Misuse, 422, "misuse"),
    (RefusedByGate, 409, "refused_by_gate"),
    (StoreError, 503, "store_unavailable"),
    (ProviderDown, 503, "provider_unavailable"),
    (SyncdError, 409, "needs_person"),
)
STATUS_CODES = {401: "no_token", 403: "forbidden", 404: "not_found", 405: "wrong_method"}


def create_app(app: App, look: Look | None = None, token: str = "") -> FastAPI:
    """The whole HTTP face over one `App`. `look` asks the daemon to look at a page now; without it nobody is asked."""
    access = Access(token, app.wording.house.public_url)
    sight = Sight(app, Visible(everything=access.shows_private))
    web = FastAPI(title="syncd", version="1", openapi_url="/api/v1/openapi.json", docs_url=None, redoc_url=None)
    _guard(web, access)
    _errors(web)
    _health(web, app)
    router = APIRouter(prefix="/api/v1")
    _incidents(router, app, sight)
    _rows(router, app, sight)
    _postmortems(router, app, sight)
    _pages(router, app, sight, look)
    _conflicts(router, app, sight)
    web.include_router(router)
    web.state.site = mount_web(web, app, sight, access)
    return web


def _guard(web: FastAPI, access: Access) -> None:
    @web.middleware("http")
    async def guard(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        refused = access.refusal(request)
        if refused is None:
            return await call_next(request)
        status, code, message = refused
        if status == 401 and "text/html" in request.headers.get("accept", ""):
            return Response(status_code=303, headers={"location": "/signin"})
        answer = error(status, code, message)
        if status == 401:
            answer.headers["www-authenticate"] = "Bearer"
        return answer


# --- refusals -----------------------------------------------------------------------------------------------------------


def error(status: int, code: str, message: str, hint: str = "", **more: object) -> JSONResponse:
    """A refusal in its one shape."""
    return JSONResponse({"error": {"code": code, "message": message, "next": hint or None, **more}}, status)


def _errors(web: FastAPI) -> None:
    @web.exception_handler(SyncdError)
    async def refused(request: Request, problem: SyncdError) -> Response:
        status, code = next((status, code) for kind, status, code in CODES if isinstance(problem, kind))
        more = {"reasons": list(problem.reasons)} if isinstance(problem, RefusedByGate) else {}
        return error(status, code, str(problem), problem.hint, **more)

    @web.exception_handler(RequestValidationError)
    async def invalid(request: Request, problem: RequestValidationError) -> Response:
        said = "; ".join(f"{'.'.join(str(part) for part in e['loc'][1:])}: {e['msg']}" for e in problem.errors())
        return error(422, "invalid", said, "GET /api/v1/openapi.json")

    @web.exception_handler(Exception)
    async def surprise(request: Request, problem: Exception) -> Response:
        return error(500, "internal", "An error of ours; the log tells more.")

    @web.exception_handler(HTTPException)
    async def http(request: Request, problem: HTTPException) -> Response:
        code = STATUS_CODES.get(problem.status_code, "error")
        return error(problem.status_code, code, str(problem.detail), "GET /api/v1/openapi.json")


# --- routes -------------------------------------------------------------------------------------------------------------


def _health(web: FastAPI, app: App) -> None:
    @web.get("/healthz", tags=["health"])
    def healthz() -> Answer:
        """The process answers."""
        return {"status": "ok"}

    @web.get("/readyz", tags=["health"])
    def readyz() -> Answer:
        """The store answers too."""
        return {"status": "ready", "pages_waiting": len(app.store.dirty())}


def _incidents(router: APIRouter, app: App, sight: Sight) -> None:
    @router.get("/incidents", tags=["incidents"])
    def incidents() -> Answer:
        """All incidents with the state of their post-mortems."""
        return {"incidents": [_listed(app, incident) for incident in sight.incidents()]}

    @router.get("/incidents/{ref}", tags=["incidents"])
    def incident(ref: str) -> Answer:
        """One incident in the shape that can be imported again."""
        return _record(sight.incident(ref))

    @router.patch("/incidents/{ref}", tags=["incidents"])
    def edit(ref: str, body: IncidentChange) -> Answer:
        """Change fields; closing asks the gate."""
        app.edit_incident(sight.incident(ref).reference, body.changes(), ACTOR, body.skip_flow)
        return _record(sight.incident(ref))

    @router.get("/incidents/{ref}/flow", tags=["flow"])
    def flow(ref: str) -> Answer:
        """May this incident close, and if not, why."""
        return app.check(sight.incident(ref).reference).as_json()

    @router.get("/incidents/{ref}/export-status", tags=["flow"])
    def export_status(ref: str) -> Answer:
        """Whether the page holds what the store holds."""
        return export_json(app.check(sight.incident(ref).reference).export)

    @router.get("/journal", tags=["journal"])
    def journal(ref: str = "", after: int = 0, limit: int = JOURNAL_LINES) -> Answer:
        """What happened, oldest first: who, when, from which side. `after` is the id of the last line already known."""
        return {"lines": [_line(line) for line in sight.journal(ref or None, min(max(limit, 1), 1000), after)]}


def _record(incident: Incident) -> Answer:
    return incident_to_json(incident, to_markdown)


def _listed(app: App, incident: Incident) -> Answer:
    named = {name: getattr(incident, name) for name in ("reference", "name", "severity", "private")}
    return {**named, "phase": incident.phase.value, "postmortem": _listed_postmortem(app, incident.reference)}


def _listed_postmortem(app: App, ref: str) -> Answer | None:
    found = app.store.postmortem(ref)
    if found is None:
        return None
    pages = [app.page_json(page) for page in app.store.pages(ref)]
    return {"template": found.template, "status": found.status.value, "home": found.home or None, "pages": pages}


def _line(line: JournalLine) -> Answer:
    """One journal line with its actor flat."""
    who = {"side": line.actor.side, "by": line.actor.name or None, "destination": line.actor.page or None}
    what = {name: getattr(line, name) for name in ("action", "subject", "field", "old", "new")}
    return {"id": line.id, "at": iso(line.at), "incident": line.incident, **who, **what}


def _rows(router: APIRouter, app: App, sight: Sight) -> None:
    @router.post("/incidents/{ref}/follow-ups", tags=["follow-ups"], status_code=201)
    def add_follow_up(ref: str, body: NewFollowUp) -> Answer:
        """A new follow-up; it appears on every page of the incident."""
        return {"key": app.add_follow_up(sight.incident(ref).reference, body.said(), ACTOR)}

    @router.patch("/follow-ups/{key}", tags=["follow-ups"])
    def edit_follow_up(key: str, body: FollowUpChange) -> Answer:
        """Change a follow-up wherever it stands."""
        owner = sight.owner_of_follow_up(key)
        app.edit_follow_up(key, body.said(), ACTOR)
        return _row(sight, owner.reference, "follow_ups", key)

    @router.post("/incidents/{ref}/timeline", tags=["timeline"], status_code=201)
    def add_event(ref: str, body: NewEvent) -> Answer:
        """A new timeline event."""
        return {"key": app.add_event(sight.incident(ref).reference, body.said(), ACTOR)}

    @router.patch("/timeline/{key}", tags=["timeline"])
    def edit_event(key: str, body: EventChange) -> Answer:
        """Change a timeline event wherever it stands."""
        owner = sight.owner_of_event(key)
        app.edit_event(key, body.said(), ACTOR)
        return _row(sight, owner.reference, "timeline", key)


def _row(sight: Sight, ref: str, kind: str, key: str) -> Answer:
    rows: list[Answer] = _record(sight.incident(ref))[kind]
    return next(row for row in rows if row["key"] == key)


def _postmortems(router: APIRouter, app: App, sight: Sight) -> None:
    @router.get("/incidents/{ref}/postmortem", tags=["post-mortems"])
    def postmortem(ref: str) -> Answer:
        """Sections as Markdown, pages, conflicts."""
        sight.incident(ref)
        if app.store.postmortem(ref) is None:
            raise UnknownReference("post-mortem of", ref, (), f"syncd postmortem create {ref} --template standard")
        return app.postmortem_json(ref)

    @router.post("/incidents/{ref}/postmortem", tags=["post-mortems"], status_code=201)
    def create(ref: str, body: NewPostmortem) -> Answer:
        """Record a post-mortem; it is published at the next pass."""
        app.create_postmortem(sight.incident(ref).reference, body.template, body.destination, ACTOR)
        return app.postmortem_json(ref)

    @router.post("/incidents/{ref}/postmortem/status", tags=["post-mortems"])
    def status(ref: str, body: Status) -> Answer:
        """Move the post-mortem."""
        app.set_status(sight.incident(ref).reference, body.status, ACTOR)
        return app.postmortem_json(ref)

    @router.put("/incidents/{ref}/postmortem/sections/{section}", tags=["post-mortems"])
    def write(ref: str, section: str, body: Prose) -> Answer:
        """Write a section in the store; with a `base`, `written` says what was merged into it."""
        found = sight.incident(ref).reference
        if body.base is None:
            app.edit_section(found, section, body.markdown, ACTOR)
            return app.postmortem_json(ref)
        answer = app.save_section(found, section, body.markdown, body.base, body.editor, ACTOR)
        return {**app.postmortem_json(ref), "written": written_json(answer)}


def _pages(router: APIRouter, app: App, sight: Sight, look: Look | None) -> None:
    @router.post("/incidents/{ref}/postmortem/export", tags=["pages"], status_code=201)
    def export(ref: str, body: Export) -> Answer:
        """Bring the post-mortem to a destination."""
        return app.page_json(app.export_postmortem(sight.incident(ref).reference, body.destination, body.copy_only, ACTOR))

    @router.post("/incidents/{ref}/restore", tags=["pages"])
    def restore(ref: str, body: Restore) -> Answer:
        """Bring a hidden row or section back, or the text that a line of the journal replaced."""
        return {"restored": app.restore(sight.incident(ref).reference, body.key, ACTOR)}

    @router.post("/incidents/{ref}/look", tags=["pages"])
    def look_now(ref: str) -> Answer:
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


def _conflicts(router: APIRouter, app: App, sight: Sight) -> None:
    @router.get("/conflicts", tags=["conflicts"])
    def conflicts(ref: str = "", state: str = "") -> Answer:
        """What both sides changed differently, with both versions."""
        found = sight.conflicts(ref or None, state or None)
        return {"conflicts": [{"incident": c.incident, **conflict_json(c)} for c in found]}

    @router.post("/conflicts/{conflict_id}/resolve", tags=["conflicts"])
    def resolve(conflict_id: str, body: Resolution) -> Answer:
        """Let one version stand, both, or another text."""
        if (body.take is None) == (body.text is None):
            raise Misuse("Say either `take` (page, store, both) or `text`.")
        sight.conflict(conflict_id)
        return conflict_json(app.resolve(conflict_id, body.take or "", body.text, ACTOR))

    @router.post("/conflicts/{conflict_id}/undo", tags=["conflicts"])
    def undo(conflict_id: str) -> Answer:
        """Take a choice back: the conflict is open, and everything as it was before."""
        sight.conflict(conflict_id)
        return conflict_json(app.undo_choice(conflict_id, ACTOR))
