"""Every request that our clients send is one that the vendor describes: path, method, query, body."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import jsonschema
import pytest

from providers.sandbox.wire import Emulator, Reply
from tests.simulation.test_crashes import edit_the_store
from tests.simulation.world import World

SPECS = Path(__file__).parents[3] / "shared" / "specs"
CONFLUENCE = ["confluence-cloud-v2.json", "confluence-cloud-v1-2023.json"]
NOTION = ["notion-2026-03-11.json"]
MOUNTS = {"confluence-cloud-v2.json": "/api/v2", "confluence-cloud-v1-2023.json": "/wiki", "notion-2026-03-11.json": ""}

ABSENT = "needs the vendors' descriptions in ../shared/specs, which is not there"
pytestmark = pytest.mark.skipif(not SPECS.exists(), reason=ABSENT)


@dataclass
class Recorder:
    """An emulator that remembers what it was asked."""

    emulator: Emulator
    asked: list[tuple[str, str, bytes]] = field(default_factory=list)

    def handle(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        self.asked.append((method, path, body))
        return self.emulator.handle(method, path, headers, body)


@cache
def described(name: str) -> Any:
    return lenient(json.loads((SPECS / name).read_text()))


def lenient(value: Any) -> Any:
    """`oneOf` of flat and nested page bodies always matches both: read it as `anyOf`, as the specs' README says."""
    if isinstance(value, dict):
        return {("anyOf" if key == "oneOf" else key): lenient(part) for key, part in value.items()}
    return [lenient(part) for part in value] if isinstance(value, list) else value


def operation(names: list[str], method: str, path: str) -> tuple[Any, Any]:
    """The description of an operation and the document it stands in."""
    for name in names:
        mount, spec = MOUNTS[name], described(name)
        asked = f"/wiki{path}" if mount == "/wiki" else path.removeprefix(mount)
        for template, operations in spec["paths"].items():
            pattern = re.sub(r"\{[^}]+\}", "[^/]+", template)
            if method.lower() in operations and re.fullmatch(pattern, asked) and (mount != "/api/v2" or path != asked):
                return operations[method.lower()], spec
    raise AssertionError(f"nobody describes {method} {path}")


def check(names: list[str], method: str, target: str, body: bytes) -> None:
    url = urlsplit(target)
    found, spec = operation(names, method, url.path)
    known = {resolved(p, spec)["name"] for p in found.get("parameters", []) if resolved(p, spec)["in"] == "query"}
    assert {name for name, _ in parse_qsl(url.query)} <= known, (method, target)
    if body and "requestBody" in found:
        schema = resolved(found["requestBody"], spec)["content"]["application/json"]["schema"]
        jsonschema.validate(json.loads(body), {**schema, "components": spec["components"]})


def resolved(value: Any, spec: Any) -> Any:
    while "$ref" in value:
        part = spec
        for step in value["$ref"].removeprefix("#/").split("/"):
            part = part[step]
        value = part
    return value


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.store.close()


@pytest.mark.parametrize(
    ("destination", "names"), [("wiki", CONFLUENCE), ("notes", NOTION), ("plain-notes", NOTION)], ids=lambda v: str(v)[:12]
)
def test_a_whole_story_sends_only_described_requests(world: World, destination: str, names: list[str]) -> None:
    wire = world.to_wiki if destination == "wiki" else world.to_space
    wire.emulator = recorder = Recorder(wire.emulator)
    page = world.publish(destination)
    person = world.person(page)
    person.add_task("Write a runbook", "Tell @Grace Hopkins due 2026-12-05")
    person.remove_event("Workers restarted")
    edit_the_store(world)
    world.wait(300)
    world.in_step()
    there = world.app.destinations[destination]
    there.provider.versions(there.place, [page.native_id])
    assert list(there.provider.check(there.place, write=True))
    assert len(recorder.asked) > 10
    for method, path, body in recorder.asked:
        check(names, method, path, body)


@pytest.mark.parametrize(
    ("names", "method", "target", "body"),
    [
        (CONFLUENCE, "PUT", "/api/v2/pages/1", {"id": "1", "title": "no version"}),
        (CONFLUENCE, "GET", "/api/v2/pages?ids=1", None),
        (CONFLUENCE, "POST", "/api/v2/pages/1/labels", {}),
        (NOTION, "PATCH", "/v1/blocks/a/children", {"children": [{"paragraf": {}}]}),
        (NOTION, "POST", "/v1/pages", {"parent": {"page_id": 7}}),
    ],
)
def test_what_nobody_describes_is_noticed(names: list[str], method: str, target: str, body: object) -> None:
    with pytest.raises((AssertionError, jsonschema.ValidationError)):
        check(names, method, target, json.dumps(body).encode() if body is not None else b"")
