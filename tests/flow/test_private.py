"""A private incident is not there for those whom it does not name: on no route, in no list, count, text or event."""

import asyncio
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from mapping.commands import Actor
from syncd.api import create_app
from syncd.assembly import Assembly
from syncd.settings_faces import WebSettings
from tests.flow.test_access import PUBLIC, Asker, bearer, token
from tests.flow.test_api import Clock, built, clock

__all__ = ["built", "clock"]

TRACE = re.compile(r"zebra|INC-2\b|FU-2\b|T-9\b", re.IGNORECASE)
ZEBRA = {
    "reference": "INC-2",
    "name": "Zebra leaked",
    "private": True,
    "severity": "SEV1",
    "summary": "The zebra ran.",
    "phase": "post_incident",
    "lead": {"name": "Grace Zebra", "email": "grace@example.com"},
    "custom_fields": {"animal": "zebra"},
    "timeline": [{"key": "T-9", "at": "2026-11-02T10:03:00Z", "title": "Zebra seen", "description": "A zebra."}],
    "follow_ups": [{"key": "FU-2", "title": "Catch the zebra", "due_on": "2026-01-01"}],
}


@dataclass(frozen=True)
class World:
    """Everything that can be told of the private incident, and two who ask: one is named in it."""

    app: FastAPI
    built: Assembly
    conflict: str

    def asker(self, name: str) -> Asker:
        return Asker(self.app, headers=bearer(name))


@pytest.fixture
def world(built: Assembly, clock: Clock) -> Iterator[World]:
    object.__setattr__(built.destinations["folder"], "private", True)
    app, ada = built.app, Actor("store", "Grace Zebra")
    app.import_records("zebra.json", json.dumps(ZEBRA).encode(), None, ada)
    app.create_postmortem("INC-2", "standard", "folder", ada)
    app.once()
    file = next(path for path in (built.config.parent / "pages").glob("*.md") if "Zebra" in path.read_text("utf-8"))
    clock.now += timedelta(minutes=5)
    text = file.read_text("utf-8").replace("Zebra seen", "Zebra seen at the zoo").replace("SEV1", "SEV-zebra")
    file.write_text(text.replace("- [ ] Catch the zebra", "- [ ] Catch a zebra"), "utf-8")
    app.edit_event("T-9", {"title": "Zebra spotted"}, ada)
    app.once()
    (conflict,) = built.store.conflicts("INC-2")
    tokens = {"checks": token("checks"), "desk": token("desk", email="grace@example.com"), "boss": token("boss")}
    yield World(create_app(app, settings=WebSettings(public_url=PUBLIC, tokens=tokens)), built, conflict.id)


def routes(app: FastAPI, method: str) -> list[APIRoute]:
    """All routes of the application, however they were added."""
    found, parts = [], list(app.routes)
    while parts:
        route = parts.pop()
        parts += getattr(getattr(route, "original_router", None) or route, "routes", None) or []
        if isinstance(route, APIRoute) and method in (route.methods or ()):
            found.append(route)
    return found


def filled(world: World, path: str) -> list[str]:
    """The route's address, with everything that its names could mean."""
    known = {
        "ref": ["INC-2"],
        "conflict_id": [world.conflict],
        "key": ["FU-2", "T-9", "INC-2"],
        "section": ["summary", "lessons"],
    }
    found = [path]
    for name in re.findall(r"\{(\w+)(?::\w+)?\}", path):
        values = known.get(name, ["zebra", "standard", "folder"])
        found = [re.sub(rf"\{{{name}(:\w+)?\}}", value, one) for one in found for value in values]
    return found


def asked(world: World, route: APIRoute) -> Iterator[str]:
    """Every way to ask it that could bring something private to light."""
    for path in filled(world, route.path):
        yield path
        for query in route.dependant.query_params:
            yield from (f"{path}?{query.alias}={value}" for value in ("INC-2", "zebra", "private", "1"))


def told(asker: Asker, path: str) -> str:
    """What comes back without what was asked, which a refusal repeats."""
    answer = asker("GET", path)
    said = answer.text + "\n".join(f"{name}: {value}" for name, value in answer.headers.items())
    given = {piece for piece in re.split(r"[/?=&]", path) if TRACE.search(piece)}
    for piece in sorted(given, key=len, reverse=True):
        said = said.replace(piece, "").replace(piece.upper(), "")
    return said


@pytest.fixture
def short_streams(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Live parts are sent once."""
    live = world.app.state.site.live

    async def end() -> None:
        live.end()
        await asyncio.sleep(0)

    async def stream(render: Any, original: Any = live.stream) -> Any:
        live._ended.clear()
        async for part in original(render):
            yield part

    monkeypatch.setattr(live, "_pause", end)
    monkeypatch.setattr(live, "stream", stream)


@pytest.mark.usefixtures("short_streams")
def test_no_route_tells_an_outsider_of_a_private_incident(world: World) -> None:
    outsider, boss, named = (world.asker(name) for name in ("checks", "boss", "desk"))
    paths = [path for route in routes(world.app, "GET") for path in asked(world, route)]
    assert len(paths) > 40
    assert [path for path in paths if TRACE.search(told(outsider, path))] == []
    assert [path for path in paths if TRACE.search(told(boss, path))] == []
    seen = [path for path in paths if TRACE.search(told(named, path))]
    assert len(seen) > 15, "the test itself sees where there is something to see"


@pytest.mark.usefixtures("short_streams")
def test_a_private_incident_is_answered_for_as_one_that_never_was(world: World) -> None:
    outsider = world.asker("checks")
    for route in routes(world.app, "GET"):
        for path in filled(world, route.path):
            other = re.sub(r"INC-2|FU-2|T-9", "INC-777", path).replace(world.conflict, "0" * len(world.conflict))
            assert outsider("GET", path).status_code == outsider("GET", other).status_code, path


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_nobody_changes_what_they_may_not_see(world: World, method: str) -> None:
    boss, last = world.asker("boss"), world.built.store.last_line()
    before = world.built.store.incident("INC-2")
    for route in routes(world.app, method):
        names = set(re.findall(r"\{(\w+)", route.path)) & {"ref", "key", "conflict_id"}
        for path in filled(world, route.path) if names else []:
            answer = boss(method, path, json={})
            assert answer.status_code in (404, 409, 412, 422), path
            assert "zebra" not in answer.text.lower(), path
    assert (world.built.store.last_line(), world.built.store.incident("INC-2")) == (last, before)
