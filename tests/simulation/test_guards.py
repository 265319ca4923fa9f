"""Each guard of the engine is needed: with it switched off, a story that is harmless otherwise does harm.

A story is told twice, with the guard and without it. What it checks holds in the first world and must not hold in the
second: a check that does not notice a missing guard would notice nothing.
"""

import json
import re
import shutil
from collections.abc import Callable, Mapping
from contextlib import nullcontext, suppress
from dataclasses import replace
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest

from providers.contract import Capabilities, Provider
from providers.sandbox.faults import Fault, writes
from syncd import reconcile
from syncd.errors import Misuse
from syncd.lock import SingleProcess
from syncd.reconcile import Limits
from tests.simulation.effects import Forgetful, Wire
from tests.simulation.people import NotionPerson, WikiPerson
from tests.simulation.test_crashes import Deadly, Killed
from tests.simulation.world import AT_ONCE, GRACE, INCIDENT, World

SOMEBODY = {"Authorization": "Bearer somebody"}
TITLE = "INC-12 Checkout returns 502"
DAEMON = replace(AT_ONCE, row_still=Limits().row_still, quiet=Limits().quiet)


def watched(world: World) -> World:
    """The world with effects on its wires."""
    world.to_wiki.emulator = Wire("wiki", world.wiki, world.effects)
    world.to_space.emulator = Wire("notion", world.space, world.effects)
    return world


def ours(world: World) -> list[str]:
    """The titles of all pages of the incident."""
    return [title for _, title, *_ in [*world.wiki.pages(), *world.space.pages()] if title.startswith("INC-12")]


def wanted(world: World, destination: str) -> None:
    world.take(INCIDENT)
    world.app.create_postmortem("INC-12", "standard", destination, GRACE)


def settle(world: World) -> None:
    for _ in range(3):
        world.wait(400)
        world.app.once()


def without(**changes: object) -> Callable[[Provider], Provider]:
    """Providers that say other things of themselves."""

    def changed(provider: Provider) -> Provider:
        capabilities: Capabilities = replace(provider.capabilities, **changes)  # type: ignore[arg-type]
        provider.capabilities = capabilities
        return provider

    return changed


# --- the stories --------------------------------------------------------------------------------------------------------


def _also_works(world: World, locked: bool) -> None:
    """Another process over the same store; it is told of no write that the first is about to make."""
    other = World.of_the_same(world)
    with SingleProcess(world.root / "syncd.db") if locked else nullcontext():
        other.store.close_intent(1, "unknown to the other")
        other.app.once()
    other.store.close()


def the_lock(root: Path, guarded: bool) -> None:
    """Two processes find that a page is wanted, at the same time."""
    world = watched(World(root))
    wanted(world, "plain-notes")

    def second(name: str) -> None:
        if name.startswith("notion POST"):  # the first has looked, found nothing, and is about to create
            world.effects.watch = None
            with suppress(Misuse):
                _also_works(world, locked=guarded)

    world.effects.watch = second
    with SingleProcess(root / "syncd.db"), world.effects.engine():
        world.app.once()
    settle(world)
    assert len(ours(world)) == 1


def the_intent(root: Path, guarded: bool) -> None:
    """The process dies after the page was made and before it knew."""
    world = World(root) if guarded else World(root, kind_of_store=Forgetful)
    wanted(world, "plain-notes")
    world.to_space.emulator = Deadly(world.space, 1, after=True)
    with pytest.raises(Killed):
        world.app.once()
    world.to_space.emulator = world.space
    world.crash()
    settle(world)
    assert len(ours(world)) == 1 and world.page().state == "live"


def the_settle_window(root: Path, guarded: bool) -> None:
    """The answer to a create is lost, and the index lags."""
    world = World(root) if guarded else World(root, guarded=without(settle_seconds=0))
    wanted(world, "notes")
    world.space.access.index_lag = timedelta(seconds=60)
    world.to_space.script.append(Fault("reply_lost", writes))
    world.app.once()
    world.wait(5)
    world.app.once()
    settle(world)
    assert len(ours(world)) == 1


def the_quiet_period(root: Path, guarded: bool) -> None:
    """Somebody types on where the store would write, in the very moment of the write."""
    world = watched(World(root, limits=DAEMON if guarded else replace(DAEMON, quiet=timedelta(0))))
    person = world.person(world.publish("notes"))
    settle(world)
    person.reword("Nobody was paged for ten minutes.", "Nobody was paged for ten minutes because")
    world.app.edit_incident(
        "INC-12", {"summary": "The checkout queue was full.\n\nNobody at all was paged for ten minutes."}, GRACE
    )

    typed: list[str] = []

    def types_on(name: str) -> None:
        if name.startswith("notion PATCH") and not typed:
            typed.append(name)
            person.reword("because", "because of the pager")

    world.effects.watch = types_on
    with world.effects.engine():
        world.app.once()
    types_on("notion PATCH, which did not come")
    settle(world)
    assert "Nobody at all" in person.text() and "because of the pager" in person.text()


def stillness(root: Path, guarded: bool) -> None:
    """A new line is seen while it is being typed."""
    world = World(root, limits=DAEMON if guarded else replace(DAEMON, row_still=timedelta(0)))
    person = world.person(world.publish("notes"))
    settle(world)
    person.add_task("Write a runbook", "Tell")
    world.app.once()
    person.reword("Tell", "Tell the support")
    settle(world)
    texts = [line.new for line in world.store.journal("INC-12", limit=10**6)]
    assert "Tell the support" in [row.title for row in world.incident().follow_ups]
    assert not [text for text in texts if text in ("Tell", "follow_up: Tell")]


def the_brake(root: Path, guarded: bool) -> None:
    """Nearly all rows vanish from a page at once."""
    world = World(root, limits=AT_ONCE if guarded else replace(AT_ONCE, removed_share=1.0))
    page = world.publish("files")
    person = world.person(page)
    for title in ("Alert on queue depth", "Write a runbook", "Remove the retry storm"):
        person.remove_task(title)
    for title in ("Alert fired", "Workers restarted"):
        person.remove_event(title)
    settle(world)
    assert world.page().state == "halted" and not world.store.hidden(page.id)


def the_fingerprint(root: Path, guarded: bool) -> None:
    """Somebody saves a page without changing it; the service gives all of it new ids."""
    world = World(root, limits=replace(AT_ONCE, version_gap=timedelta(seconds=600)))
    page = world.publish("wiki")
    person = world.person(page)
    assert isinstance(person, WikiPerson)
    world.wiki.publish_as_editor(page.native_id, person.body, "ada@example.com")
    world.app.edit_follow_up("FU-1", {"status": "done"}, GRACE)
    before, numbers = world.writes(), count()
    with pytest.MonkeyPatch.context() as patch:
        if not guarded:
            patch.setattr(reconcile, "fingerprint", lambda doc: str(next(numbers)))
        world.app.reconciler.reconcile(page.id, patient=True)
    assert world.writes() == before, "a version that nobody asked for"


def the_marker(root: Path, guarded: bool) -> None:
    """A create is lost, and somebody else makes a page of that title."""
    world = World(root)
    wanted(world, "wiki")
    world.to_wiki.script.append(Fault("request_lost", writes))
    world.app.once()
    body = {"representation": "storage", "value": "<p>Mine.</p>"}
    foreign = {"spaceId": world.wiki.space_id, "status": "current", "title": TITLE, "body": body}
    made = json.loads(world.wiki.handle("POST", "/api/v2/pages", SOMEBODY, json.dumps(foreign).encode()).body)["id"]
    if not guarded:
        world.guarded = by_title(made)
        world.crash()
    settle(world)
    assert world.page().state == "halted" and world.wiki.current_body(made) == "<p>Mine.</p>"


def by_title(native_id: str) -> Callable[[Provider], Provider]:
    """Providers that take the page of this title for ours, whatever stands on it."""

    def changed(provider: Provider) -> Provider:
        provider.find = lambda place, marker, title: provider.read(place, native_id)  # type: ignore[method-assign]
        return provider

    return changed


def the_binding(root: Path, guarded: bool) -> None:
    """Somebody writes a line anew, key and all; only its id tells which follow-up it is."""
    world = World(root) if guarded else World(root, guarded=without(native_ids=False))
    page = world.publish("notes")
    person = world.person(page)
    assert isinstance(person, NotionPerson)
    world.wait(7200)
    block = person._find("FU-2", "to_do")
    words = [{"type": "text", "text": {"content": "Entirely other words"}}]
    world.space.ui_edit_rich_text(block["id"], words, "ada@example.com")
    settle(world)
    titles = {row.key: row.title for row in world.incident().follow_ups}
    assert titles["FU-2"] == "Entirely other words" and len(titles) == 3


def the_generation(root: Path, guarded: bool) -> None:
    """An old backup is put back after the page went on."""
    world = World(root)
    page = world.publish("files")
    world.store.backup(root / "copy.db")
    world.app.edit_follow_up("FU-1", {"title": "Alert on queue age"}, GRACE)
    world.in_step()
    world.store.close()
    for ending in ("-wal", "-shm"):
        (root / f"syncd.db{ending}").unlink(missing_ok=True)
    shutil.copy(root / "copy.db", root / "syncd.db")
    if not guarded:
        (root / "syncd.db.generation").unlink()
    world.start()
    world.app.edit_follow_up("FU-1", {"title": "Alert on queue length"}, GRACE)
    before = (root / "pages" / page.native_id).read_text()
    settle(world)
    assert (root / "pages" / page.native_id).read_text() == before, "written by a database that does not know what it wrote"


STORIES: Mapping[str, Callable[[Path, bool], None]] = {
    re.sub(r"^the_", "", story.__name__).replace("_", " "): story
    for story in (
        the_lock,
        the_intent,
        the_settle_window,
        the_quiet_period,
        stillness,
        the_brake,
        the_fingerprint,
        the_marker,
        the_binding,
        the_generation,
    )
}


@pytest.mark.parametrize("guard", STORIES)
def test_with_the_guard_it_holds_and_without_it_it_does_not(tmp_path: Path, guard: str) -> None:
    for name in ("with", "without"):
        (tmp_path / name).mkdir()
    STORIES[guard](tmp_path / "with", True)
    with pytest.raises(AssertionError):
        STORIES[guard](tmp_path / "without", False)
