"""Settings, destinations and connections: how each of them is, what of it is in use, and pausing and resuming it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from syncd import pausing
from syncd.app import App
from syncd.errors import SyncdError
from syncd.health import Health
from syncd.store.pauses import Kind, Pause, Tally
from syncd.viewer import viewer
from syncd.web.settings_pages import fields, settings_router
from syncd.web.site import Site
from syncd.work import Connection, Destination

TONES = {"live": "good", "held": "waits", "wanted": "waits", "creating": "waits", "halted": "bad", "missing": "bad"}
WORDS = {"live": "in step", "wanted": "to be made", "creating": "being made"}


@dataclass(frozen=True, slots=True)
class PlaceView:
    """A destination with its pages by state."""

    destination: Destination
    pause: Pause | None
    tallies: tuple[Tally, ...]
    looked: datetime | None

    @property
    def where(self) -> str:
        """The place in its service, as the configuration says it."""
        return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in self.destination.place.options.items())


@dataclass(frozen=True, slots=True)
class ConnectionView:
    """A connection with its destinations. `used`: requests of the last minute; `waits`: seconds for which the service wants
    us to wait."""

    connection: Connection
    pause: Pause | None
    places: tuple[PlaceView, ...]
    looked: datetime | None
    used: int
    waits: float


def connections(app: App) -> list[ConnectionView]:
    """All of the configuration, in its order."""
    tallies = app.store.tallies()
    paused = {(pause.kind, pause.name): pause for pause in app.store.pauses()}
    return [_connection(app, connection, tallies, paused) for connection in app.connections.values()]


def _connection(
    app: App, connection: Connection, tallies: Sequence[Tally], paused: Mapping[tuple[Kind, str], Pause]
) -> ConnectionView:
    mine = [d for d in app.destinations.values() if d.connection == connection.name]
    places = tuple(_place(d, tallies, paused.get(("destination", d.name))) for d in mine)
    looked = max((place.looked for place in places if place.looked), default=None)
    budget, pause = connection.budget, paused.get(("connection", connection.name))
    return ConnectionView(connection, pause, places, looked, budget.used(), budget.paused())


def _place(destination: Destination, tallies: Sequence[Tally], pause: Pause | None) -> PlaceView:
    mine = tuple(tally for tally in tallies if tally.destination == destination.name)
    looked = max((tally.looked for tally in mine if tally.looked), default=None)
    return PlaceView(destination, pause, tuple(t for t in mine if t.state != "detached"), looked)


def mount(web: FastAPI, site: Site) -> None:
    """Adds `/settings/connections` with what is done there."""
    health, router = Health(site.app), settings_router()

    def shown(status: int = 200, refused: SyncdError | None = None) -> Response:
        values = {"connections": connections(site.app), "tones": TONES, "words": WORDS, "refused": refused}
        return site.render("connections.html", {**values, "here": "settings"}, status)

    def change(typed: Mapping[str, str]) -> Response:
        name, who = typed.get("name", ""), viewer().actor
        try:
            if typed.get("do") == "pause":
                pausing.pause(site.app, name, typed.get("why", "").strip(), who)
            else:
                pausing.resume(site.app, name, who)
        except SyncdError as error:
            return shown(422, error)
        health.forget()
        return RedirectResponse("/settings/connections", 303)

    @router.get("/connections")
    def page() -> Response:
        return shown()

    @router.post("/connections")
    async def pause_or_resume(request: Request) -> Response:
        return await run_in_threadpool(change, dict(await fields(request)))

    @router.get("/connections/{name}/health")
    def known(name: str) -> Response:
        """A part of that page, asked for when the page is there: it may take as long as the service does."""
        return site.render("_health.html", {"name": name, "checked": health.of(name)})

    @router.post("/connections/{name}/health")
    def check(name: str) -> Response:
        return site.render("_health.html", {"name": name, "checked": health.of(name, anew=True)})

    web.include_router(router)
