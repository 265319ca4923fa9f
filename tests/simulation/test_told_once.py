"""People are told once on the page: each conflict, halt and value that nobody understood, whatever goes wrong on the way."""

from datetime import timedelta
from pathlib import Path

import pytest

from providers.sandbox.faults import Fault, failing
from syncd import pausing
from syncd.daemon import Pace, Worker
from syncd.log import logger
from syncd.notify.comments import Comments
from syncd.store.outbox import Delivery
from tests.simulation.desks import Desk
from tests.simulation.play import Play
from tests.simulation.world import GRACE, World

SERVICES = ["wiki", "dc", "notes"]
PUBLIC = "https://incidents.example.com"


def commenting(method: str, path: str) -> bool:
    """A request that makes a comment."""
    return method == "POST" and ("comments" in path or path.partition("?")[0].endswith("/rest/api/content"))


def comments(world: World, destination: str) -> list[str]:
    """The texts of all comments in the service, the oldest first."""
    if destination == "notes":
        threads = world.space._comments._threads.values()
        return ["".join(str(item) for item in one.items) for thread in threads for one in thread.comments]
    return [comment.versions[-1].body for comment in world.site(destination).comments.values()]


def tell(world: World, public: str = PUBLIC) -> None:
    """What the worker of a provider does after its pages."""
    Comments(world.store, public, logger()).round(world.app.destinations)


def at(world: World, destination: str) -> Desk:
    return Play(world).desk(world.page(destination=destination))


@pytest.fixture(params=SERVICES)
def destination(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def world(tmp_path: Path, destination: str) -> World:
    """A page with a conflict that nobody was told of yet."""
    world = World(tmp_path)
    world.publish(destination)
    tell(world)
    clash(world, destination)
    return world


def clash(world: World, destination: str) -> None:
    """Both sides change the title of one event."""
    world.wait(7200)
    desk = at(world, destination)
    line = next(found for found in desk.lines() if "Workers restarted" in found.text)
    desk.put(line, "Workers restarted", "Workers rebooted", 1)
    world.app.edit_event("T-2", {"title": "Workers revived"}, GRACE)
    world.app.once()
    assert len(world.store.conflicts(state="open")) == 1


def test_a_conflict_is_said_once_with_both_versions_and_the_way_to_decide(world: World, destination: str) -> None:
    for _ in range(3):
        tell(world)
        world.wait(3600)
    (said,) = comments(world, destination)
    conflict = world.store.conflicts()[0]
    assert "Workers rebooted" in said and "Workers revived" in said
    assert f"{PUBLIC}/incidents/INC-12#conflict-{conflict.id}" in said


def test_without_an_address_of_the_pages_the_command_is_said(world: World, destination: str) -> None:
    tell(world, public="")
    (said,) = comments(world, destination)
    assert f"syncd conflicts resolve {world.store.conflicts()[0].id}" in said


def test_it_is_answered_when_it_is_settled_and_nothing_else_of_the_page_moves(world: World, destination: str) -> None:
    tell(world)
    page, there = world.page(destination=destination), world.app.destinations[destination]
    world.app.resolve(world.store.conflicts()[0].id, "page", None, GRACE)
    world.app.once()
    before = there.provider.read(there.place, page.native_id)
    tell(world)
    tell(world)
    after = there.provider.read(there.place, page.native_id)
    assert (after.doc, after.version, after.threads) == (before.doc, before.version, before.threads)
    first, second = comments(world, destination)
    assert "differently" in first and "Decided" in second and "page's version" in second
    world.in_step()


def test_what_is_settled_before_is_never_said(world: World, destination: str) -> None:
    world.app.resolve(world.store.conflicts()[0].id, "page", None, GRACE)
    tell(world)
    tell(world)
    assert comments(world, destination) == []


@pytest.mark.parametrize("kind", ["reply_lost", "late", "request_lost", "refused", "broken", "committed"])
def test_a_lost_comment_is_said_again_and_none_stands_there_twice(world: World, destination: str, kind: str) -> None:
    faults = {"broken": failing(502, commenting), "committed": failing(503, commenting, after_commit=True)}
    world.wire(destination).script.append(faults.get(kind) or Fault(kind, commenting))  # type: ignore[arg-type]
    for _ in range(6):
        tell(world)
        world.wait(300)
    assert world.wire(destination).script == []
    assert len(comments(world, destination)) == 1


def test_a_process_that_dies_after_the_comment_went_out_says_it_once(
    world: World, destination: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def die(*given: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(type(world.store), "sent", die)
        with pytest.raises(Killed):
            tell(world)
    assert len(comments(world, destination)) == 1
    world.crash()
    for _ in range(3):
        tell(world)
        world.wait(300)
    assert len(comments(world, destination)) == 1
    world.app.resolve(world.store.conflicts()[0].id, "page", None, GRACE)
    tell(world)
    assert len(comments(world, destination)) == 2


def test_a_process_that_dies_before_it_goes_out_says_it_all_the_same(world: World, destination: str) -> None:
    (delivery,) = _due(world)
    world.store.sending(delivery)
    world.crash()
    tell(world)
    assert comments(world, destination) == [], "it may still appear"
    world.wait(300)
    tell(world)
    assert len(comments(world, destination)) == 1


def _due(world: World) -> list[Delivery]:
    world.store.address("page", lambda message: ["page"])
    return list(world.store.due("page"))


def test_our_own_comments_are_not_counted_as_people_s(world: World, destination: str) -> None:
    tell(world)
    page, there = world.page(destination=destination), world.app.destinations[destination]
    ours = world.store.receipts("page", page.id)
    assert len(ours) == 1
    assert there.provider.comments(there.place, page.native_id, ours) == 0
    assert there.provider.comments(there.place, page.native_id) == 1


def test_a_private_incident_is_not_spoken_of_where_it_may_not_stand(world: World, destination: str) -> None:
    world.take({"reference": "INC-12", "name": "Checkout returns 502", "private": True})
    world.app.once()
    for _ in range(3):
        tell(world)
        world.wait(3600)
    assert comments(world, destination) == []


def test_a_value_that_nobody_understood_is_said_and_answered(tmp_path: Path, destination: str) -> None:
    world = World(tmp_path)
    world.publish(destination)
    tell(world)
    world.wait(7200)
    desk = at(world, destination)
    line = next(found for found in desk.lines() if "Workers restarted" in found.text)
    time = line.cells[0]
    desk.put(line, time, "25:99", 0)
    world.app.once()
    tell(world)
    (said,) = comments(world, destination)
    assert "25:99" in said and "Nobody understands" in said
    line = next(found for found in desk.lines() if "Workers restarted" in found.text)
    desk.put(line, "25:99", time, 0)
    world.app.once()
    tell(world)
    assert "Settled" in comments(world, destination)[-1]


def test_a_halt_is_said_and_answered_when_the_page_goes_on(tmp_path: Path, destination: str) -> None:
    world = World(tmp_path)
    page = world.publish(destination)
    tell(world)
    world.store.set_page(page.id, state="halted", reason="Half of it is gone.", brake="removed")
    tell(world)
    (said,) = comments(world, destination)
    assert "Half of it is gone." in said and f"#page-{page.id}" in said
    world.app.resume("INC-12", True, GRACE)
    world.app.once()
    tell(world)
    assert "kept in step again" in comments(world, destination)[-1]


def test_a_comment_of_unknown_fate_is_answered_although_the_thing_was_settled_meanwhile(
    world: World, destination: str
) -> None:
    world.wire(destination).script.append(Fault("reply_lost", commenting))
    tell(world)
    world.app.resolve(world.store.conflicts()[0].id, "page", None, GRACE)
    for _ in range(3):
        tell(world)
        world.wait(300)
    assert len(comments(world, destination)) == 2 and "Decided" in comments(world, destination)[-1]


def test_a_comment_that_never_arrived_is_not_made_up_for_once_the_thing_is_settled(world: World, destination: str) -> None:
    world.wire(destination).script.append(Fault("request_lost", commenting))
    tell(world)
    world.app.resolve(world.store.conflicts()[0].id, "page", None, GRACE)
    for _ in range(3):
        tell(world)
        world.wait(300)
    assert comments(world, destination) == []
    assert world.store.waiting("page") == []


def test_a_token_that_does_not_work_delays_and_a_right_that_is_missing_ends(world: World, destination: str) -> None:
    world.wire(destination).script.append(Fault("status", commenting, 401))
    tell(world)
    world.wait(600)
    tell(world)
    assert len(comments(world, destination)) == 1
    world.app.resolve(world.store.conflicts()[0].id, "page", None, GRACE)
    world.wire(destination).script.append(Fault("status", commenting, 403))
    for _ in range(3):
        tell(world)
        world.wait(600)
    assert len(comments(world, destination)) == 1 and world.store.waiting("page") == []


def test_an_older_database_that_stopped_all_pages_says_so_on_none(world: World, destination: str) -> None:
    page = world.page(destination=destination)
    world.store.set_page(page.id, state="halted", reason="The database is older.", brake="restored")
    tell(world)
    world.wait(1200)
    tell(world)
    assert comments(world, destination) == []


def test_a_page_that_is_out_of_reach_is_commented_on_when_it_is_back(world: World, destination: str) -> None:
    page = world.page(destination=destination)
    world.store.set_page(page.id, state="missing", reason="It is in the trash.")
    tell(world)
    assert comments(world, destination) == []
    world.store.set_page(page.id, state="live", reason="")
    world.wait(600)
    tell(world)
    assert len(comments(world, destination)) == 1


def test_a_folder_has_no_comments(tmp_path: Path) -> None:
    world = World(tmp_path)
    page = world.publish("files")
    tell(world)
    world.store.set_page(page.id, state="halted", reason="Half of it is gone.", brake="removed")
    tell(world)
    assert world.store.waiting("page") == []


def test_a_worker_tells_after_its_pages_and_counts_only_what_people_said(world: World, destination: str) -> None:
    there = {destination: world.app.destinations[destination]}
    pace, teller = Pace(timedelta(seconds=30), timedelta(0)), Comments(world.store, PUBLIC, logger())
    worker = Worker(destination, there, world.app.reconciler, world.store, pace, logger(), teller)
    for _ in range(3):
        worker._round()
        world.wait(4000)
    assert len(comments(world, destination)) == 1
    assert world.page(destination=destination).comments == 0


def test_nothing_is_said_where_people_paused_it(world: World, destination: str) -> None:
    there = {destination: world.app.destinations[destination]}
    pace, teller = Pace(timedelta(seconds=30), timedelta(0)), Comments(world.store, PUBLIC, logger())
    worker = Worker(destination, there, world.app.reconciler, world.store, pace, logger(), teller)
    pausing.pause(world.app, f"destination:{destination}", "We move.", GRACE)
    worker._round()
    assert comments(world, destination) == []
    pausing.resume(world.app, f"destination:{destination}", GRACE)
    worker._round()
    assert len(comments(world, destination)) == 1
