"""Every request that our clients send is one that the vendor describes: path, method, query, body.

Every answer of the emulators is held against the description too, in each world and in the emulators' own tests:
`described.py` stands around them there. Here is what makes sure that it would notice.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from providers.sandbox.wire import Reply
from tests.contract.described import (
    ABSENT,
    CLOUD,
    DATA_CENTER,
    NOTION,
    SPECS,
    Described,
    NotDescribedError,
    check_reply,
    check_request,
)
from tests.simulation.test_crashes import edit_the_store
from tests.simulation.world import World

pytestmark = pytest.mark.skipif(not SPECS.exists(), reason=ABSENT)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.store.close()


@pytest.mark.parametrize(
    ("destination", "names"), [("wiki", CLOUD), ("dc", DATA_CENTER), ("notes", NOTION), ("plain-notes", NOTION)]
)
def test_a_whole_story_sends_only_described_requests(world: World, destination: str, names: tuple[str, ...]) -> None:
    wire = world.wire(destination)
    wire.emulator = recorder = Described(wire.emulator, names)
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


@pytest.mark.parametrize(
    ("names", "method", "target", "body"),
    [
        (CLOUD, "PUT", "/api/v2/pages/1", {"id": "1", "title": "no version"}),
        (CLOUD, "GET", "/api/v2/pages?ids=1", None),
        (CLOUD, "POST", "/api/v2/pages/1/labels", {}),
        (DATA_CENTER, "GET", "/rest/api/content/1/version", None),
        (DATA_CENTER, "GET", "/rest/inlinecomments/1.0/comments?containerId=1", None),
        (DATA_CENTER, "PUT", "/rest/api/content/1", {"version": {"number": "2"}}),
        (NOTION, "PATCH", "/v1/blocks/a/children", {"children": [{"paragraf": {}}]}),
        (NOTION, "POST", "/v1/pages", {"parent": {"page_id": 7}}),
    ],
)
def test_what_nobody_describes_is_noticed(names: tuple[str, ...], method: str, target: str, body: object) -> None:
    with pytest.raises(NotDescribedError):
        check_request(names, method, target, json.dumps(body).encode() if body is not None else b"")


@pytest.mark.parametrize(
    ("names", "path", "status", "content"),
    [
        (CLOUD, "/api/v2/pages/1", 200, {"id": 1}),
        (CLOUD, "/api/v2/pages/1", 204, {}),
        (DATA_CENTER, "/rest/api/content/1", 200, {"version": {"minorEdit": "yes"}}),
        (NOTION, "/v1/pages/1", 200, {"object": "page", "id": "1", "properties": {"Name": {"title": "bare"}}}),
        (NOTION, "/v1/pages/1", 404, {"object": "error", "status": "404", "code": "object_not_found", "message": ""}),
    ],
)
def test_an_answer_that_nobody_describes_is_noticed(names: tuple[str, ...], path: str, status: int, content: object) -> None:
    with pytest.raises(NotDescribedError):
        check_reply(names, "GET", path, Reply(status, {}, json.dumps(content).encode()))
