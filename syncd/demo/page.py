"""The demo's page: the sandbox's page at the left, the incident at the right, between them what travels."""

from typing import Any

from fastapi import FastAPI
from fastapi.responses import HTMLResponse, PlainTextResponse, Response

from syncd.demo.people import folder_file, site_address
from syncd.demo.story import Story
from syncd.demo.world import World
from syncd.journal_words import travelled
from syncd.pages import Page
from syncd.web.headers import POLICY
from syncd.web.live import Live
from syncd.web.site import Site

TICKER_LINES = 60
NAMES = {"confluence": "Confluence", "notion": "Notion", "folder": "Folder"}


def mount_demo(web: FastAPI, world: World, story: Story) -> None:
    """Adds `/demo` to the pages for people."""
    site: Site = web.state.site
    site.live = Live(lambda: (world.built.store.version(), story.changed))
    store = world.built.store

    @web.get("/demo", include_in_schema=False)
    def demo() -> Response:
        tabs = [_tab(world, page) for page in store.pages() if page.native_id]
        answer = site.render("demo.html", {"tabs": tabs, "story": story})
        answer.headers["Content-Security-Policy"] = f"{POLICY}; frame-src 'self' {world.sandbox.address}"
        return answer

    def ticker() -> str:
        lines = [travelled(line) for line in reversed(store.journal(limit=TICKER_LINES))]
        return site.text("_ticker.html", {"lines": [line for line in lines if line.by != "import"]})

    @web.get("/demo/ticker", include_in_schema=False)
    def lines() -> Response:
        return HTMLResponse(ticker())

    @web.get("/demo/events", include_in_schema=False)
    def live() -> Response:
        return site.events(ticker)

    def told() -> str:
        return site.text("_story.html", {"story": story})

    @web.get("/demo/story", include_in_schema=False)
    def following() -> Response:
        return site.events(told)

    @web.post("/demo/play", include_in_schema=False)
    def play() -> Response:
        story.play()
        return HTMLResponse(told())

    @web.post("/demo/kill", include_in_schema=False)
    def kill() -> Response:
        story.pull()
        return HTMLResponse(told())

    @web.get("/demo/file/{ref}", include_in_schema=False)
    def file(ref: str) -> Response:
        page = next((page for page in store.pages(ref) if page.destination == "folder"), None)
        if page is None:
            return PlainTextResponse("There is no such file.", 404)
        path = folder_file(world, page)
        return site.render("demo_file.html", {"path": path, "text": path.read_text("utf-8")})


def _tab(world: World, page: Page) -> dict[str, Any]:
    left = f"/demo/file/{page.incident}" if page.destination == "folder" else f"{site_address(world, page)}?embed=1"
    return {"name": NAMES[page.destination], "ref": page.incident, "left": left, "right": f"/incidents/{page.incident}"}
