"""What `plan` prints is what is done, edit by edit, and a plan that got stale is not carried out."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from providers.sandbox.wire import Reply
from syncd.reconcile import Report
from tests.simulation.people import Person
from tests.simulation.test_brakes import Interrupted
from tests.simulation.world import AT_ONCE, GRACE, World

EVERYWHERE = ["wiki", "notes", "plain-notes", "files"]
Act = Callable[[World, Person], None]


def new_rows(world: World, person: Person) -> None:
    person.add_task("Write a runbook", "Tell support")
    person.add_event("Workers restarted", "10:25", "Support was told")


def both_sides(world: World, person: Person) -> None:
    person.reword("Write a runbook for full queues", "Write a runbook for empty queues")
    world.app.edit_follow_up("FU-2", {"title": "Write a runbook for all queues"}, GRACE)
    world.app.add_event("INC-12", {"at": "2026-11-02 10:50", "title": "A store event"}, GRACE)


def the_store(world: World, person: Person) -> None:
    world.app.edit_incident("INC-12", {"name": "Checkout was down", "severity": "SEV2", "summary": "Short."}, GRACE)
    world.app.edit_section("INC-12", "impact", "Ninety minutes.\n\n- shops\n- banks", GRACE)
    world.app.set_status("INC-12", "in_review", GRACE)


ACTS: dict[str, Act] = {
    "nothing": lambda world, person: None,
    "a tick": lambda world, person: person.tick("Alert on queue depth"),
    "words": lambda world, person: person.reword("Nobody was paged", "Nobody at all was paged"),
    "new rows": new_rows,
    "rows gone": lambda world, person: person.remove_task("Remove the retry storm"),
    "a section": lambda world, person: person.add_section("Thanks", "To everybody."),
    "a status": lambda world, person: person.set_status("In review"),
    "nonsense": lambda world, person: person.reword("SEV1", "SEV9"),
    "both sides": both_sides,
    "the store": the_store,
}
STILL = ("nothing", "nonsense")  # nothing travels


def travels(report: Report) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return report.taken, report.written


@pytest.mark.parametrize("destination", EVERYWHERE)
def test_what_is_planned_is_what_is_done(world: World, destination: str) -> None:
    page = world.publish(destination)
    for name, act in ACTS.items():
        act(world, world.person(page))
        world.wait(600)
        before = world.writes(), world.person(page).text(), len(world.store.journal("INC-12", 10_000))
        (planned,), (again,) = world.app.plan("INC-12"), world.app.plan("INC-12")
        assert (world.writes(), world.person(page).text(), len(world.store.journal("INC-12", 10_000))) == before, name
        assert travels(planned) == travels(again), name
        done = world.app.reconciler.reconcile(page.id)
        assert travels(done) == travels(planned), name
        assert name in STILL or done.taken or done.written, name
        world.app.once()


def test_a_page_that_a_brake_holds_is_planned_as_held(tmp_path: Path) -> None:
    world = World(tmp_path, limits=replace(AT_ONCE, writes_per_hour=1))
    page = world.publish("wiki")
    world.app.edit_follow_up("FU-1", {"title": "Alert on queue age"}, GRACE)
    (planned,) = world.app.plan("INC-12")
    done = world.app.reconciler.reconcile(page.id)
    assert (planned.result, planned.reasons, planned.written) == (done.result, done.reasons, done.written)
    assert planned.result == "waiting" and not planned.written
    world.store.close()


def test_a_plan_that_got_stale_is_not_carried_out(world: World) -> None:
    """Somebody publishes between our look and our write: what was decided is decided anew."""
    page = world.publish("wiki")
    world.app.edit_follow_up("FU-1", {"title": "Alert on queue age"}, GRACE)
    person = world.person(page)

    def published(reply: Reply) -> Reply:
        person.reword("Alert on queue depth", "Alert on the depth of queues")
        return reply

    world.to_wiki.emulator = Interrupted(world.wiki, published)
    report = world.app.reconciler.reconcile(page.id)
    (conflict,) = world.store.conflicts("INC-12")
    assert {conflict.store.text, conflict.other.text} == {"Alert on queue age", "Alert on the depth of queues"}
    assert report.result == "in_step" and "Alert on queue age" in person.text()
