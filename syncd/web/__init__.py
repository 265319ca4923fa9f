"""The pages for people, rendered on the server: the list of incidents and one page per incident, kept up to date in place.

What they show is `incident_view.py`'s; what they change goes through the HTTP interface of `syncd/api`. Templates, style
and the small script are in `templates/web`.
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from fastapi import FastAPI, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from fastapi.staticfiles import StaticFiles
from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape
from starlette.middleware.base import RequestResponseEndpoint

from syncd.access import COOKIE, Access, Sight
from syncd.app import App
from syncd.errors import UnknownReference
from syncd.resources import templates
from syncd.web.incident_view import incident_view, listed

SESSION_SECONDS = 30 * 24 * 3600
POLICY = "default-src 'self'; img-src 'self' data:; frame-ancestors 'self'; base-uri 'none'; form-action 'self'"
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}
TASK_NAMES = {"draft_post_mortem": "Write the post-mortem", "export_post_mortem": "Bring it to its page"}


class Pages:
    """The templates with what all of them know."""

    def __init__(self) -> None:
        self.folder = templates() / "web"
        self.environment = Environment(
            loader=FileSystemLoader(self.folder),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self.environment.filters |= {"iso": _iso, "initials": _initials, "task": _task, "ago": _ago, "commands": _commands}
        self.environment.globals["asset"] = self.asset

    def asset(self, name: str) -> str:
        """The address of a static file; it changes with the file, so that browsers may keep it."""
        mark = hashlib.sha256((self.folder / "static" / name).read_bytes()).hexdigest()[:10]
        return f"/static/{name}?{mark}"

    def render(self, name: str, values: Mapping[str, Any], status: int = 200) -> HTMLResponse:
        """A page."""
        return HTMLResponse(self.environment.get_template(name).render(values), status)


def mount_web(web: FastAPI, app: App, sight: Sight, access: Access) -> None:
    """Adds the pages to the application."""
    pages = Pages()
    _secure(web)
    web.mount("/static", StaticFiles(directory=pages.folder / "static"), name="static")
    _lists(web, app, sight, pages)
    _incident(web, app, sight, pages)
    if access.token:
        _signin(web, access, pages)


def _secure(web: FastAPI) -> None:
    @web.middleware("http")
    async def secure(request: Request, call_next: RequestResponseEndpoint) -> Response:
        answer = await call_next(request)
        kept = {"Cache-Control": "max-age=31536000"} if request.url.path.startswith("/static/") else {}
        for name, value in {"Content-Security-Policy": POLICY, **HEADERS, **kept}.items():
            if name not in answer.headers or name == "Cache-Control":
                answer.headers[name] = value
        return answer


def _lists(web: FastAPI, app: App, sight: Sight, pages: Pages) -> None:
    @web.get("/", include_in_schema=False)
    def incidents(request: Request) -> Response:
        return pages.render("incidents.html", {"incidents": listed(app, sight.incidents())})

    @web.get("/keys/{key}", include_in_schema=False)
    def key(key: str) -> Response:
        """Where the keys on pages lead when they are links."""
        try:
            incident = sight.owner_of_key(key)
        except UnknownReference as problem:
            return _not_found(pages, problem)
        return RedirectResponse(f"/incidents/{incident.reference}#{key}", 303)


def _incident(web: FastAPI, app: App, sight: Sight, pages: Pages) -> None:
    @web.get("/incidents/{ref}", include_in_schema=False)
    def incident(ref: str) -> Response:
        try:
            found = sight.incident(ref)
        except UnknownReference as problem:
            return _not_found(pages, problem)
        return pages.render("incident.html", {"view": incident_view(app, found)})

    @web.get("/incidents/{ref}/live", include_in_schema=False)
    def live(ref: str) -> Response:
        """What changes on the page, again and again."""
        return pages.render("_incident.html", {"view": incident_view(app, sight.incident(ref))})

    @web.get("/incidents/{ref}/gate", include_in_schema=False)
    def gate(ref: str) -> Response:
        """The gate's answer, which may have to look at pages first."""
        found = sight.incident(ref)
        answer = app.check(found.reference)
        headings = {s.id: s.heading for s in _sections(app, ref)}
        return pages.render("_gate.html", {"gate": answer, "headings": headings, "incident": found})


def _sections(app: App, ref: str) -> tuple[Any, ...]:
    postmortem = app.store.postmortem(ref)
    return postmortem.sections if postmortem else ()


def _signin(web: FastAPI, access: Access, pages: Pages) -> None:
    @web.get("/signin", include_in_schema=False)
    def form() -> Response:
        return pages.render("signin.html", {"wrong": False})

    @web.post("/signin", include_in_schema=False)
    def signin(request: Request, token: Annotated[str, Form()] = "") -> Response:
        if not access.right_token(token.strip()):
            return pages.render("signin.html", {"wrong": True}, 401)
        answer = RedirectResponse("/", 303)
        secure = request.url.scheme == "https"
        answer.set_cookie(COOKIE, access.cookie, SESSION_SECONDS, httponly=True, samesite="strict", secure=secure)
        return answer


def _not_found(pages: Pages, problem: UnknownReference) -> HTMLResponse:
    return pages.render("missing.html", {"message": str(problem)}, 404)


# --- words --------------------------------------------------------------------------------------------------------------


def _iso(moment: datetime | None) -> str:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z") if moment else ""


@pass_context
def _ago(context: Context, moment: datetime | None, fallback: str = "not yet") -> Markup:
    """A moment that the script words as "20 s ago" and keeps so."""
    if moment is None:
        return Markup(fallback)
    iso = _iso(moment)
    return Markup('<time datetime="{0}" data-ago>{1}</time>').format(iso, iso.replace("T", " ").rstrip("Z"))


def _initials(name: str) -> str:
    words = [word for word in name.replace("@", " ").split() if word[:1].isalnum()]
    return "".join(word[0] for word in (words[:1] + words[-1:] if len(words) > 1 else words[:1])).upper()


def _commands(sentence: str) -> Markup:
    """A sentence whose commands stand between backticks."""
    parts = sentence.split("`")
    said = [Markup("<code>{}</code>").format(part) if index % 2 else escape(part) for index, part in enumerate(parts)]
    return Markup("").join(said)


def _task(name: str) -> str:
    return TASK_NAMES.get(name, name.replace("_", " ").capitalize())
