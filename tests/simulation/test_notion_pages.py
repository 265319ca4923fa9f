"""What only happens on Notion pages: edits that it has no word for, comments in the way, and people who type."""

import json
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from syncd.daemon import Pace, Worker
from syncd.log import logger
from syncd.pages import Page
from syncd.reconcile import Limits, Report
from tests.simulation.people import NotionPerson
from tests.simulation.world import GRACE, World

QUOTED = "> The checkout queue was full.\n\nNobody was paged for nine minutes."


def _block(world: World, page: Page, text: str) -> str:
    person = world.person(page)
    assert isinstance(person, NotionPerson)
    return str(person._find(text)["id"])


def _reports(world: World) -> list[tuple[str, tuple[str, ...]]]:
    reports: list[Report] = world.app.once()
    return [(report.result, report.reasons) for report in reports]


def test_an_edit_that_would_lose_comments_is_held_with_a_sentence_and_done_when_they_are_resolved(world: World) -> None:
    page = world.publish("notes")
    thread = world.space.ui_comment(_block(world, page, "The checkout queue was full."), "why?")
    world.app.edit_incident("INC-12", {"summary": QUOTED}, GRACE)
    held = "The block “The checkout queue was full.” does not become a quote: people commented on it."
    assert _reports(world) == [("waiting", (held,))]
    assert "nine minutes" in world.person(page).text()
    assert world.page().reason == held
    before = world.writes()
    world.wait(600)
    assert _reports(world) == [("waiting", (held,))]
    assert world.writes() == before
    assert [block.kind for block in world.incident().summary] == ["quote", "paragraph"]
    world.space.ui_resolve(thread)
    world.in_step()
    blocks = world.space.children_of(page.native_id)
    assert [block["type"] for block in blocks if "checkout queue" in str(block)] == ["quote"]
    assert [block.kind for block in world.incident().summary] == ["quote", "paragraph"]


def test_what_is_planned_tells_of_the_hold_too(world: World) -> None:
    page = world.publish("notes")
    world.space.ui_comment(_block(world, page, "The checkout queue was full."), "why?")
    world.app.edit_incident("INC-12", {"summary": QUOTED}, GRACE)
    (report,) = world.app.plan("INC-12")
    assert "does not become a quote" in report.reasons[0]
    assert [line for line in report.written if "checkout" in line] == []


# --- people who type --------------------------------------------------------------------------------------------------

TYPED = Limits(
    row_still=timedelta(seconds=60), quiet=timedelta(seconds=120), version_gap=timedelta(0), writes_per_hour=100_000
)


class _Typing:
    """Somebody who types letter by letter, with pauses of a human hand, while the daemon looks at random moments."""

    def __init__(self, world: World, seed: int) -> None:
        self.world, self.chance = world, random.Random(seed)
        self.seen: set[str] = set()

    def type(self, put: Callable[[str], None], words: str, told: Callable[[], str]) -> None:
        """Puts longer and longer beginnings of `words`; notes all that the store is told meanwhile and later."""
        for length in range(1, len(words) + 1):
            put(words[:length])
            if self.chance.random() < 0.1:
                put(words[: length - 1])  # a slip, taken back
                put(words[:length])
            self._pass(self.chance.choice([0.1, 0.2, 0.4, 2, 9, 25]), told)
        for _ in range(12):
            self._pass(30, told)

    def _pass(self, seconds: float, told: Callable[[], str]) -> None:
        left = seconds
        while left > 0:
            step = min(left, self.chance.uniform(0.1, 20))
            self.world.wait(step)
            left -= step
            if self.chance.random() < 0.5:
                self.world.app.once()
                self.seen.add(told())


@pytest.mark.parametrize("seed", range(2))
def test_a_follow_up_that_is_being_typed_is_taken_in_whole_or_not_at_all(tmp_path: Path, seed: int) -> None:
    world = World(tmp_path, limits=TYPED)
    page = world.publish("notes")
    world.wait(600)
    line = world.space.ui_insert(page.native_id, _block(world, page, "Write a runbook"), {"to_do": {"rich_text": []}})
    typing = _Typing(world, seed)
    words = "Tell support how to read the queue"
    typing.type(lambda text: world.space.ui_edit_text(line, text), words, lambda: _last_follow_up(world))
    assert typing.seen == {"Remove the retry storm", words}
    world.store.close()


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize(("cell", "words"), [(1, "Everything restarted"), (0, "2026-11-02 10:21")])
def test_a_cell_that_is_being_typed_is_taken_in_whole_or_not_at_all(
    tmp_path: Path, seed: int, cell: int, words: str
) -> None:
    world = World(tmp_path, limits=TYPED)
    page = world.publish("notes")
    world.wait(600)
    person = world.person(page)
    assert isinstance(person, NotionPerson)
    row = str(person._find("Workers restarted")["id"])
    before = _event(world)
    typing = _Typing(world, seed)
    typing.type(lambda text: world.space.ui_edit_cell(row, cell, text), words, lambda: str(_event(world)))
    assert len(typing.seen) == 2 and str(before) in typing.seen
    shown = _event(world)
    assert shown[1] == words if cell else shown[0] == datetime(2026, 11, 2, 10, 21, tzinfo=UTC)
    world.store.close()


def _last_follow_up(world: World) -> str:
    return world.incident().follow_ups[-1].title


def _event(world: World) -> tuple[datetime, str]:
    event = next(event for event in world.incident().timeline if event.key == "T-2")
    return event.at, event.title


# --- what no time tells -----------------------------------------------------------------------------------------------


def test_an_edit_that_moves_no_time_is_found_by_the_sweep_within_an_hour(tmp_path: Path) -> None:
    world = World(tmp_path)
    page = world.publish("notes")
    notes = {"notes": world.app.destinations["notes"]}
    worker = Worker("notes", notes, world.app.reconciler, world.store, Pace(timedelta(seconds=30), timedelta(0)), logger())
    for _ in range(10):
        worker._round()
        world.wait(60)
    access = world.space.access
    access.nested_edits_move_page = False
    block = _block(world, page, "Nobody was paged for ten minutes.")
    body = {"paragraph": {"rich_text": [{"text": {"content": "Nobody was paged for an hour."}}]}}
    headers = {"Authorization": "Bearer other", "Notion-Version": "2026-03-11"}
    assert world.space.handle("PATCH", f"/v1/blocks/{block}", headers, json.dumps(body).encode()).status == 200
    began = world.now
    while "an hour" not in world.incident().summary[-1].text:
        worker._round()
        world.wait(60)
    assert timedelta(minutes=40) < world.now - began <= timedelta(minutes=61)
    world.store.close()


def test_sweeps_come_behind_what_people_do_and_only_one_in_a_while(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.publish("notes")
    notes = {"notes": world.app.destinations["notes"]}
    worker = Worker("notes", notes, world.app.reconciler, world.store, Pace(timedelta(hours=9), timedelta(0)), logger())
    worker._round()
    world.wait(3600)
    world.space.requests.clear()
    worker._round()
    swept = len(world.space.requests)
    worker._round()
    assert 0 < swept == len(world.space.requests)
    world.store.close()
