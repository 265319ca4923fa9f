"""The pages for people, rendered on the server and kept up to date in place.

Each page is a file here with its templates in `templates/web`. What a page shows are plain values made by its view; what it
changes goes through the same use-cases as the HTTP interface of `syncd/api`.
"""

from fastapi import FastAPI, Request
from fastapi.responses import Response
from fastapi.staticfiles import StaticFiles
from starlette.middleware.base import RequestResponseEndpoint

from syncd.access import Access, Sight
from syncd.app import App
from syncd.web import (
    connections,
    export,
    inbox,
    incident,
    insights,
    overview,
    pictures,
    settings_pages,
    signin,
    writing,
)
from syncd.web.headers import secured
from syncd.web.live import Live
from syncd.web.site import Site


def mount_web(web: FastAPI, app: App, sight: Sight, access: Access) -> Site:
    """Adds the pages to the application."""
    site = Site(app, sight, Live(app.store.version))
    _secure(web)
    web.mount("/static", StaticFiles(directory=site.folder / "static"), name="static")
    overview.mount(web, site)
    inbox.mount(web, site)
    insights.mount(web, site)
    incident.mount(web, site)
    settings_pages.mount(web, site)
    connections.mount(web, site)
    writing.mount(web, site)
    export.mount(web, site)
    pictures.mount(web, site)
    if access.guarded:
        signin.mount(web, site, access)
    return site


def _secure(web: FastAPI) -> None:
    @web.middleware("http")
    async def secure(request: Request, call_next: RequestResponseEndpoint) -> Response:
        return secured(await call_next(request), request.url.path)
