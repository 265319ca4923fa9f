"""A paused destination: nothing is read or written there, everybody is told, and later it goes on as if nothing had been."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from syncd import pausing
from syncd.daemon import Pace, Worker
from syncd.errors import Misuse, UnknownReference
from syncd.log import logger
from syncd.reconcile import Reconciler
from syncd.story import story
from tests.simulation.effects import Wire
from tests.simulation.world import GRACE, World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    made.to_wiki.emulator = Wire("wiki", made.wiki, made.effects)
    made.publish("wiki")
    yield made
    made.store.close()


def worked(world: World) -> int:
    """The requests that all kinds of looks need: a pass, the gate, a plan, the daemon's rounds of an hour."""
    before = world.effects.kinds["wiki"]
    there = {"wiki": world.app.destinations["wiki"]}
    worker = Worker("wiki", there, world.app.reconciler, world.store, Pace(timedelta(seconds=30), timedelta(0)), logger())
    with world.effects.engine():
        world.app.once()
        world.app.check("INC-12")
        world.app.plan("INC-12")
        for _ in range(8):
            world.wait(600)
            worker._round()
    return world.effects.kinds["wiki"] - before


def test_nothing_is_read_or_written_where_people_paused(world: World) -> None:
    pausing.pause(world.app, "wiki", "the wiki is upgraded", GRACE)
    world.app.edit_follow_up("FU-1", {"title": "Alert on queue age"}, GRACE)
    assert worked(world) == 0


def test_without_the_guard_it_would_be(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    pausing.pause(world.app, "wiki", "", GRACE)
    monkeypatch.setattr(Reconciler, "paused", lambda self, destination: None)
    world.app.edit_follow_up("FU-1", {"title": "Alert on queue age"}, GRACE)
    assert worked(world) > 0


def test_a_pause_holds_back_the_write_of_a_pass_that_is_on_its_way(world: World) -> None:
    def when_read(name: str) -> None:
        if name.startswith("wiki GET") and not world.store.pauses():
            pausing.pause(world.app, "wiki", "", GRACE)

    world.app.edit_follow_up("FU-1", {"title": "Alert on queue age"}, GRACE)
    world.effects.watch = when_read
    before = world.page().version
    with world.effects.engine():
        world.app.once()
    assert (world.page().state, world.page().code, world.page().version) == ("held", "paused", before)
    pausing.resume(world.app, "wiki", GRACE)
    world.in_step()
    assert world.page().version != before


def test_its_pages_say_who_paused_and_how_it_goes_on(world: World) -> None:
    pause, (page,) = pausing.pause(world.app, "wiki", "the wiki is upgraded", GRACE)
    since = pause.at.strftime("%Y-%m-%d %H:%M")
    says = f"Paused by Grace Hopkins since {since} UTC (the wiki is upgraded): nothing is read or written there."
    assert (page.state, page.code) == ("held", "paused")
    assert page.reason == f"{says} `syncd resume wiki` goes on."
    answer = world.app.check("INC-12")
    assert answer.may_close is False and answer.export.status == "held"
    assert [(reason.code, reason.message) for reason in answer.export.reasons] == [("paused", page.reason)]
    (report,) = world.app.once()
    assert (report.result, report.code) == ("waiting", "paused")
    told = [clause for part in story(world.store.journal()) for _, clause in part.did]
    assert "paused the destination wiki: the wiki is upgraded" in told


def test_a_page_that_is_wanted_meanwhile_waits_and_is_made_later(world: World) -> None:
    pausing.pause(world.app, "dc", "", GRACE)
    world.app.export_postmortem("INC-12", "dc", True, GRACE)
    world.app.once()
    page = world.page("INC-12", "dc")
    assert not page.native_id and page.code == "paused" and "syncd resume dc" in page.reason
    pausing.resume(world.app, "dc", GRACE)
    world.in_step()
    assert world.page("INC-12", "dc").state == "live"


def test_what_happened_on_both_sides_meanwhile_travels_afterwards(world: World) -> None:
    person = world.person(world.page())
    pausing.pause(world.app, "wiki", "", GRACE)
    world.app.edit_follow_up("FU-1", {"title": "Alert on queue age"}, GRACE)
    person.tick("Write a runbook for full queues")
    world.app.once()
    assert world.incident().follow_ups[1].status == "open"
    pausing.resume(world.app, "wiki", GRACE)
    assert (world.page().state, world.page().reason) == ("live", "")
    world.in_step()
    assert "Alert on queue age" in person.text()
    assert world.incident().follow_ups[1].status == "done"


def test_resuming_a_page_by_itself_does_not_go_around_the_pause(world: World) -> None:
    pausing.pause(world.app, "wiki", "", GRACE)
    assert world.app.resume("INC-12", True, GRACE) == []
    assert worked(world) == 0


def test_a_page_that_was_halted_stays_so(world: World) -> None:
    world.store.set_page(world.page().id, state="halted", reason="Look.", brake="removed")
    pausing.pause(world.app, "wiki", "", GRACE)
    assert pausing.resume(world.app, "wiki", GRACE) == []
    assert (world.page().state, world.page().brake) == ("halted", "removed")


def test_a_pause_is_made_once_and_only_of_what_is_there(world: World) -> None:
    first, _ = pausing.pause(world.app, "wiki", "one", GRACE)
    world.wait(60)
    assert pausing.pause(world.app, "wiki", "two", GRACE)[0] == first
    with pytest.raises(UnknownReference, match="did you mean 'wiki'"):
        pausing.pause(world.app, "wikki", "", GRACE)
    pausing.resume(world.app, "wiki", GRACE)
    with pytest.raises(Misuse, match="is not paused"):
        pausing.resume(world.app, "wiki", GRACE)
