"""What stops a page: an older database, too many writes, a to and fro, an answer cut short, a process that came late. Each
names its way out, and a person lifts it once."""

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from providers.sandbox.wire import Emulator, Reply
from syncd.errors import NeedsPerson
from tests.simulation.world import AT_ONCE, GRACE, INCIDENT, World

OTHER = {"reference": "INC-13", "name": "Search is slow", "follow_ups": [{"title": "Add an index"}]}
FILES = ("syncd.db", "syncd.db.generation")


def restored(world: World, files: tuple[str, ...], copy: Path) -> None:
    """The process ends, these files are put back as they were in the copy, and it starts again."""
    world.store.close()
    for ending in ("-wal", "-shm"):
        (world.root / f"syncd.db{ending}").unlink(missing_ok=True)
    for name in files:
        (copy / name).replace(world.root / name)
    world.start()


def a_backup_then_a_write(world: World, destination: str) -> Path:
    """Two published pages, a copy of everything, and a write that only the later database knows."""
    world.publish(destination)
    world.publish(destination, OTHER)
    copy = world.root / "copy"
    copy.mkdir()
    world.store.backup(copy / "syncd.db")
    shutil.copy(world.root / "syncd.db.generation", copy) if (world.root / "syncd.db.generation").exists() else None
    world.app.edit_follow_up("FU-1", {"title": "Alert on queue age"}, GRACE)
    world.app.add_follow_up("INC-12", {"title": "Tell support"}, GRACE)
    world.wait(300)
    world.in_step()
    return copy


@pytest.mark.parametrize("destination", ["wiki", "notes", "files"])
def test_a_database_that_is_older_than_what_it_wrote_stops_until_a_person_agrees(world: World, destination: str) -> None:
    restored(world, FILES[:1], a_backup_then_a_write(world, destination))
    person = world.person(world.page("INC-12"))
    before, writes = person.text(), world.writes()
    world.app.edit_follow_up("FU-2", {"status": "done"}, GRACE)
    world.wait(300)
    assert world.app.check("INC-12").export.status == "halted"
    reports = world.app.once()
    assert {r.result for r in reports} == {"halted"}
    assert all(
        "restored from an older copy" in r.reasons[0] and "syncd resume --all --accept" in r.reasons[0] for r in reports
    )
    assert (person.text(), world.writes()) == (before, writes) and len(world.incident().follow_ups) == 3
    with pytest.raises(NeedsPerson):
        world.app.resume("", False, GRACE)
    world.crash()
    assert {r.result for r in world.app.once()} == {"halted"}
    (planned,) = world.app.plan("INC-12")
    assert planned.result == "halted" and "Alert on queue age" in " ".join(planned.taken)
    world.app.resume("INC-12", True, GRACE)
    assert [r.result for r in world.app.once()] == ["in_step", "halted"]
    world.app.resume("", True, GRACE)
    world.wait(300)
    world.in_step()
    titles = [row.title for row in world.incident().follow_ups]
    assert titles == ["Alert on queue age", "Write a runbook for full queues", "Remove the retry storm", "Tell support"]
    assert person.text().count("FU-5") == 1 and "FU-6" not in person.text()
    world.crash()
    world.in_step()


def test_a_version_that_the_journal_does_not_know_tells_it_too(world: World) -> None:
    """The file beside the database came from the backup as well, and a person published since."""
    restored(world, FILES, a_backup_then_a_write(world, "wiki"))
    world.person(world.page("INC-12")).reword("Nobody was paged", "Nobody at all was paged")
    assert world.app.plan("INC-12")[0].result == "halted"
    writes = world.writes()
    assert {r.result for r in world.app.once()} == {"halted"} and world.writes() == writes
    world.app.resume("", True, GRACE)
    world.wait(300)
    world.in_step()
    assert world.incident().summary[1].text.startswith("Nobody at all")


def test_a_page_written_too_often_waits_and_one_write_is_lifted(tmp_path: Path) -> None:
    world = World(tmp_path, limits=replace(AT_ONCE, writes_per_hour=3))
    person = world.person(world.publish("wiki"))
    for number in range(2):
        world.app.edit_follow_up("FU-1", {"title": f"Alert {number}"}, GRACE)
        world.in_step()
    for number in (2, 3):
        world.app.edit_follow_up("FU-1", {"title": f"Alert {number}"}, GRACE)
        (report,) = world.app.once()
        assert report.result == "waiting" and "syncd resume INC-12 --accept" in report.reasons[0]
        assert f"Alert {number}" not in person.text()
        world.app.resume("INC-12", True, GRACE)
        world.in_step()
        assert f"Alert {number}" in person.text()
    world.store.close()


def test_a_page_that_undoes_each_of_our_edits_halts(world: World) -> None:
    person = world.person(world.publish("wiki"))
    for _ in range(3):
        person.reword("Post incident", "Closed")
        world.wait(300)
        world.app.once()
        assert "Post incident" in person.text()
    person.reword("Post incident", "Closed")
    world.wait(300)
    (report,) = world.app.once()
    assert report.result == "halted" and "syncd journal INC-12" in report.reasons[0]
    world.app.resume("INC-12", True, GRACE)
    world.app.once()
    assert "Post incident" in person.text()
    world.wait(4000)
    person.reword("Post incident", "Closed")
    assert world.app.once()[0].result == "in_step"


def test_a_long_text_that_is_written_again_and_again_halts_nothing(world: World) -> None:
    """Each edit is at its end, and looks like the one before when it is cut for reading."""
    page = world.publish("wiki")
    for number in range(6):
        world.app.edit_section("INC-12", "impact", f"{'Nobody could pay. ' * 20}Then it took {number} hours.", GRACE)
        world.in_step()
    assert "Then it took 5 hours." in world.person(page).text()


@dataclass
class Interrupted:
    """An emulator between whose answer to a look at a page and our reading of it something happens, once."""

    emulator: Emulator
    happens: Callable[[Reply], Reply]
    count: int = 0

    def handle(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        reply = self.emulator.handle(method, path, headers, body)
        if method != "GET" or "body-format" not in path or "/api/v2/pages/" not in path:
            return reply
        self.count += 1
        return self.happens(reply) if self.count == 1 else reply


def test_an_answer_cut_short_removes_nothing(world: World) -> None:
    page = world.publish("wiki")

    def cut(reply: Reply) -> Reply:
        told = json.loads(reply.body)
        storage = told["body"]["storage"]
        storage["value"] = storage["value"].partition("<h2>Follow-ups</h2>")[0] + "<h2>Follow-ups</h2>"
        return reply._replace(body=json.dumps(told).encode())

    world.to_wiki.emulator = Interrupted(world.wiki, cut)
    (report,) = [world.app.reconciler.reconcile(page.id)]
    assert report.result == "in_step" and not world.store.hidden(page.id)
    world.in_step()
    assert not world.store.hidden(page.id)


def test_a_process_that_came_late_changes_nothing(world: World) -> None:
    """While it reads, another process takes the page up, takes in what people wrote, and writes."""
    page = world.publish("wiki")
    world.app.edit_follow_up("FU-1", {"title": "Alert on queue age"}, GRACE)
    other = World(world.root)
    other.wiki, other.to_wiki.emulator = world.wiki, world.wiki

    def another(reply: Reply) -> Reply:
        assert other.app.reconciler.reconcile(page.id).result == "in_step"
        world.person(page).tick("Alert on queue age")
        assert other.app.reconciler.reconcile(page.id).result == "in_step"
        return reply

    world.to_wiki.emulator = Interrupted(world.wiki, another)
    lines = len(world.store.journal("INC-12"))
    report = world.app.reconciler.reconcile(page.id)
    assert report.result == "waiting" and "Another process" in report.reasons[0] and not report.written
    assert len([line for line in world.store.journal("INC-12")[lines:] if line.action == "wrote"]) == 1
    assert world.incident().follow_ups[0].status.value == "done"
    other.store.close()
    world.in_step()
    assert world.incident().follow_ups[0].status.value == "done"


def test_a_process_that_slept_looks_again_before_it_writes(world: World) -> None:
    page = world.publish("wiki")
    world.app.edit_follow_up("FU-1", {"title": "Alert on queue age"}, GRACE)

    def asleep(reply: Reply) -> Reply:
        world.wait(3600)
        return reply

    wire = world.to_wiki.emulator = Interrupted(world.wiki, asleep)
    world.wiki.requests.clear()
    assert world.app.reconciler.reconcile(page.id).result == "in_step"
    methods = [method for method, path in world.wiki.requests if f"/pages/{page.native_id}" in path]
    assert methods.index("PUT") == 4, "the look, one after the sleep, and the provider's own of draft and page"
    assert wire.count >= 4


def test_a_brake_is_lifted_by_its_name_only(world: World) -> None:
    """Who agrees to an older database does not agree that rows go."""
    page = world.publish("files", {**INCIDENT, "follow_ups": [{"title": f"Do thing {n}"} for n in range(8)]})
    copy = world.root / "copy"
    copy.mkdir()
    world.store.backup(copy / "syncd.db")
    world.app.edit_follow_up("FU-1", {"status": "done"}, GRACE)
    world.in_step()
    restored(world, FILES[:1], copy)
    path = world.root / "pages" / page.native_id
    path.write_text("\n".join(line for line in path.read_text().splitlines() if "Do thing" not in line))
    world.app.once()
    world.app.resume("INC-12", True, GRACE)
    (report,) = world.app.once()
    assert report.result == "halted" and "vanished" in report.reasons[0] and not world.store.hidden(page.id)
    world.app.resume("INC-12", True, GRACE)
    world.in_step()
    assert len(world.store.hidden(page.id)) == 8
