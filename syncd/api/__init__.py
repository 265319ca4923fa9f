"""The HTTP interface: `create_app` answers the application that `syncd run` serves, web pages included.

One file per resource; routes only translate, what they do is `app.py`'s. Refusals have one shape (`problems.py`), lists come
in pages (`paging.py`), records have versions (`versions.py`), and each route names the role it needs (`caller.py`). Who has
it is `access.py`'s; the pages for people are `syncd/web`'s.
"""

from collections.abc import Awaitable, Callable, Mapping

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import Response

from syncd.access import Access, Refusal, Sight
from syncd.api import (
    attachments,
    conflicts,
    flow,
    follow_ups,
    incidents,
    insights,
    journal,
    pages,
    postmortems,
    shapes,
    templates,
    timeline,
)
from syncd.api.description import describe
from syncd.api.problems import answer_problems, problem
from syncd.api.shapes import answers
from syncd.api.versions import Answer
from syncd.app import App
from syncd.settings_faces import WebSettings
from syncd.web import mount_web
from syncd.web.site import Site

Routes = Callable[[APIRouter, App], None]
RESOURCES: Mapping[str, Routes] = {
    "incidents": incidents.routes,
    "follow-ups": follow_ups.routes,
    "timeline": timeline.routes,
    "post-mortems": postmortems.routes,
    "attachments": attachments.routes,
    "conflicts": conflicts.routes,
    "flow": flow.routes,
    "journal": journal.routes,
    "insights": insights.routes,
    "templates": templates.routes,
}


def create_app(app: App, look: pages.Look | None = None, settings: WebSettings | None = None) -> FastAPI:
    """The whole HTTP face over one `App`. `look` asks the daemon to look at a page now; without it nobody is asked."""
    settings = settings or WebSettings(public_url=app.wording.house.public_url)
    access = Access(settings, app.store.now, lambda email: str(app.store.known(email) or ""))
    sight = Sight(app)
    web = FastAPI(title="syncd", version="1", openapi_url="/api/v1/openapi.json", docs_url=None, redoc_url=None)
    web.state.sight = sight
    _guard(web, access)
    answer_problems(web)
    _health(web, app)
    resources: dict[str, Routes] = {**RESOURCES, "pages": lambda router, app: pages.routes(router, app, look)}
    for tag, routes in resources.items():
        router = APIRouter(prefix="/api/v1", tags=[tag])
        routes(router, app)
        web.include_router(router)
    describe(web)
    web.state.site = mount_web(web, app, sight, access)
    return web


def _guard(web: FastAPI, access: Access) -> None:
    @web.middleware("http")
    async def guard(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        refused = access.refusal(request)
        if refused is None:
            return await call_next(request)
        if "text/html" in request.headers.get("accept", ""):
            return _shown(web, refused)
        answer = problem(refused.status, refused.code, refused.message, refused.next)
        if refused.status == 401:
            answer.headers["www-authenticate"] = "Bearer"
        return answer


def _shown(web: FastAPI, refused: Refusal) -> Response:
    """A refusal for people: whoever is not known may sign in."""
    if refused.status == 401:
        return Response(status_code=303, headers={"location": "/signin"})
    site: Site = web.state.site
    return site.render("refused.html", {"refused": refused}, refused.status)


def _health(web: FastAPI, app: App) -> None:
    @web.get("/healthz", tags=["health"], **answers(shapes.Health))
    def healthz() -> Answer:
        """The process answers."""
        return {"status": "ok"}

    @web.get("/readyz", tags=["health"], **answers(shapes.Ready))
    def readyz() -> Answer:
        """The store answers too."""
        return {"status": "ready", "pages_waiting": len(app.store.dirty())}
