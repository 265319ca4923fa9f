"""Killed before or after any request of a create or an update, lost requests and replies, refusals: it goes on without loss
and without double."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from mapping.incident import FollowUpStatus
from providers.sandbox.faults import Fault, Faulty, failing, rate_limited, writes
from providers.sandbox.wire import Emulator, Reply
from syncd.pages import Page
from tests.simulation.play import Play
from tests.simulation.world import GRACE, INCIDENT, World

SERVICES = ["wiki", "dc", "notes", "plain-notes"]


class Killed(BaseException):
    """The process is gone: nothing may catch this."""


@dataclass
class Deadly:
    """An emulator that kills its client at the `at`-th write, before or after doing the work."""

    emulator: Emulator
    at: int
    after: bool
    count: int = 0

    def handle(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        if not writes(method, path):
            return self.emulator.handle(method, path, headers, body)
        self.count += 1
        if self.count == self.at and not self.after:
            raise Killed
        reply = self.emulator.handle(method, path, headers, body)
        if self.count == self.at:
            raise Killed
        return reply


def edit_the_store(world: World) -> None:
    world.app.edit_follow_up("FU-1", {"title": "Alert on queue age"}, GRACE)
    world.app.edit_event("T-2", {"at": "10:15"}, GRACE)
    world.app.add_follow_up("INC-12", {"title": "Tell support"}, GRACE)
    world.app.add_event("INC-12", {"at": "2026-11-02 10:50", "title": "Support told"}, GRACE)
    summary = "The checkout queue was full.\n\nA new paragraph of the store.\n\nNobody was paged for eleven minutes."
    world.app.edit_incident("INC-12", {"summary": summary}, GRACE)


def wires(world: World, destination: str) -> Faulty:
    return world.wire(destination)


def settle(world: World) -> None:
    """The settle window passes, and the world comes to rest."""
    for _ in range(4):
        world.wait(300)
        world.app.once()
    world.in_step()


def judge(world: World, destination: str) -> None:
    """Everything exactly once, on one page."""
    titles = [t for _, t, *_ in world.pages() if t.startswith("INC-12")]
    assert len(titles) == 1, titles
    text = world.person(world.page(destination=destination)).text()
    for words in (
        "Alert on queue age",
        "Tell support",
        "Support told",
        "A new paragraph of the store.",
        "eleven minutes",
        "2026-11-02 10:15",
        "Write a runbook",
        "Remove the retry storm",
        "Alert fired",
        "Checkout recovered",
        "The checkout queue was full.",
    ):
        assert text.count(words) == 1, (words, text.count(words))
    assert len(world.incident().follow_ups) == 4 and len(world.incident().timeline) == 4
    assert not world.store.conflicts("INC-12")
    assert not world.store.hidden(world.page(destination=destination).id)
    before = world.writes()
    world.in_step()
    assert world.writes() == before


def story(world: World, destination: str) -> None:
    """A page is made, then the store changes in many places."""
    world.take(INCIDENT)
    world.app.create_postmortem("INC-12", "standard", destination, GRACE)
    world.app.once()
    edit_the_store(world)
    world.app.once()


def writes_of(destination: str, root: Path) -> int:
    world = World(root)
    wire = wires(world, destination)
    wire.emulator = counter = Deadly(wire.emulator, 0, False)
    story(world, destination)
    world.store.close()
    return counter.count


@pytest.mark.parametrize("destination", SERVICES)
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_killed_at_any_write(tmp_path: Path, destination: str, after: bool) -> None:
    total = writes_of(destination, fresh(tmp_path, "count"))
    assert total >= 2
    for at in range(1, total + 1):
        world = World(fresh(tmp_path, str(at)))
        wire = wires(world, destination)
        alive = wire.emulator
        wire.emulator = Deadly(alive, at, after)
        resume_story_after_death(world, destination)
        wire.emulator = alive
        settle(world)
        judge(world, destination)
        world.store.close()


def resume_story_after_death(world: World, destination: str) -> None:
    """The story, with a new process after the kill; the people finish what they were about to do."""
    edited = False
    world.take(INCIDENT)
    world.app.create_postmortem("INC-12", "standard", destination, GRACE)
    for _ in range(2):
        try:
            world.app.once()
            if not edited:
                edit_the_store(world)
                edited = True
            world.app.once()
        except Killed:
            world.crash()
    if not edited:
        edit_the_store(world)


def fresh(root: Path, name: str) -> Path:
    made = root / name
    made.mkdir()
    return made


FAULTS: dict[str, Callable[[], Fault]] = {
    "request lost": lambda: Fault("request_lost", writes),
    "reply lost": lambda: Fault("reply_lost", writes),
    "refused": lambda: Fault("refused", writes),
    "429": lambda: rate_limited("2", writes),
    "502": lambda: failing(502, writes),
    "503 after commit": lambda: failing(503, writes, after_commit=True),
    "500 before": lambda: failing(500, writes),
}


@pytest.mark.parametrize("destination", SERVICES)
@pytest.mark.parametrize("fault", FAULTS, ids=list(FAULTS))
def test_a_fault_at_the_create_and_at_the_update(tmp_path: Path, destination: str, fault: str) -> None:
    world = World(tmp_path)
    wire = wires(world, destination)
    wire.script.append(FAULTS[fault]())
    world.take(INCIDENT)
    world.app.create_postmortem("INC-12", "standard", destination, GRACE)
    world.app.once()
    settle(world)
    wire.script.append(FAULTS[fault]())
    edit_the_store(world)
    world.app.once()
    settle(world)
    assert not wire.script
    judge(world, destination)
    world.store.close()


def made_and_not_known(world: World, destination: str) -> Page:
    """A page whose maker died before it heard of it."""
    wire = wires(world, destination)
    alive = wire.emulator
    wire.emulator = Deadly(alive, 1, True)
    world.take(INCIDENT)
    world.app.create_postmortem("INC-12", "standard", destination, GRACE)
    with pytest.raises(Killed):
        world.app.once()
    wire.emulator = alive
    world.crash()
    native = next(p[0] for p in world.pages() if p[1].startswith("INC-12"))
    assert not world.page().native_id
    return replace(world.page(), native_id=native)


@pytest.mark.parametrize("destination", SERVICES)
def test_killed_after_the_create_and_a_person_edits_before_the_adoption(world: World, destination: str) -> None:
    person = world.person(made_and_not_known(world, destination))
    person.tick("Alert on queue depth")
    person.reword("The checkout queue was full.", "The checkout queue was very full.")
    settle(world)
    assert world.incident().follow_ups[0].status is FollowUpStatus.DONE
    assert world.incident().summary[0].text == "The checkout queue was very full."
    assert world.person(world.page()).text().count("very full") == 1


@pytest.mark.parametrize("destination", SERVICES)
def test_killed_after_the_create_and_a_person_renames_before_the_adoption(world: World, destination: str) -> None:
    page = made_and_not_known(world, destination)
    Play(world).desk(page).rename("Checkout fell over")
    settle(world)
    assert world.page().native_id == page.native_id and world.page().state == "live"
    assert [title for _, title in world.pages() if "INC-12" in title or "Checkout" in title] == ["Checkout fell over"]
    world.app.edit_incident("INC-12", {"name": "Checkout returns 503"}, GRACE)
    settle(world)
    assert ("Checkout fell over") in [title for _, title in world.pages()], "it is the person's title now"


@pytest.mark.parametrize("destination", SERVICES)
def test_killed_after_the_create_and_a_person_trashes_before_the_adoption(world: World, destination: str) -> None:
    """Confluence still shows what is in its trash; of Notion's trash nobody can tell that our page lies there."""
    page = made_and_not_known(world, destination)
    world.service(destination).trash(page.native_id)
    for _ in range(3):
        world.wait(300)
        world.app.once()
    wiki = destination in ("wiki", "dc")
    assert (world.page().state, world.page().native_id == page.native_id) == (("missing", True) if wiki else ("live", False))
    assert sum(title.startswith("INC-12") for _, title, *_ in world.pages()) == (1 if wiki else 2)
    assert len(world.incident().follow_ups) == 3 and not world.store.hidden(world.page().id)


def test_an_old_intent_still_waits_for_its_own_attempt_to_settle(tmp_path: Path) -> None:
    """A page wanted for hours, a create whose reply is lost, an index that lags: one page, not two."""
    world = World(tmp_path)
    world.take(INCIDENT)
    world.app.create_postmortem("INC-12", "standard", "notes", GRACE)
    world.to_space.script += [Fault("refused", lambda _, path: path.endswith("/query")) for _ in range(8)]
    world.app.once()
    assert world.store.open_intent(1)
    world.to_space.script.clear()
    world.wait(7200)
    world.space.access.index_lag = timedelta(seconds=60)
    world.to_space.script[:] = [Fault("reply_lost", writes)]
    world.app.once()
    world.wait(5)
    world.app.once()
    settle(world)
    assert sum(title.startswith("INC-12") for _, title, _ in world.space.pages()) == 1
    world.store.close()
