"""Comments of people are counted behind all other work, once an hour, wherever a service tells of them."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from providers.sandbox.faults import Fault
from providers.sandbox.notion_gate import CAPABILITIES
from providers.transport import READ_ATTEMPTS
from syncd.daemon import Pace, Worker
from syncd.log import logger
from syncd.pages import Page
from syncd.web.incident_view import incident_view
from tests.simulation.people import ADA
from tests.simulation.world import World

MINUTE = timedelta(minutes=1)
Resolve = Callable[[], None]


def worker(world: World, name: str) -> Worker:
    there = {name: world.app.destinations[name]}
    return Worker(name, there, world.app.reconciler, world.store, Pace(MINUTE, timedelta(0)), logger())


def pass_an_hour(world: World, at_work: Worker) -> None:
    for _ in range(3):
        world.wait(1210)
        at_work._round()


def comment(world: World, page: Page) -> Resolve:
    """Somebody comments; what resolves that."""
    if page.destination == "notes":
        thread = world.space.ui_comment(page.native_id, "why?")
        return lambda: world.space.ui_resolve(thread)
    site = world.wiki if page.destination == "wiki" else world.server
    stored = site.content[page.native_id]
    made = site.add_comment(stored, "<p>Really?</p>", site.account(ADA), None, True)
    site.anchor(stored, made, "ten minutes", 0)

    def resolve() -> None:
        made.resolved = True

    return resolve


def asked(world: World) -> list[str]:
    sites = (world.wiki, world.server, world.space)
    return [path for site in sites for _, path in site.requests if "comment" in path]


@pytest.mark.parametrize(("name", "cost"), [("notes", 1), ("wiki", 2), ("dc", 1)])
def test_the_count_follows_people_within_an_hour_and_writes_nothing(world: World, name: str, cost: int) -> None:
    page, at_work = world.publish(name), worker(world, name)
    at_work._round()
    resolve, before = comment(world, page), world.writes()
    pass_an_hour(world, at_work)
    assert len(asked(world)) == cost
    assert world.page().comments == 1
    resolve()
    pass_an_hour(world, at_work)
    assert world.page().comments == 0
    assert len(asked(world)) == 2 * cost and world.writes() == before
    assert world.page().state == "live"


def test_a_page_that_people_work_on_all_the_time_is_counted_too(world: World) -> None:
    page, at_work = world.publish("notes"), worker(world, "notes")
    comment(world, page)
    for number in range(4):
        world.wait(1210)
        world.store.mark_dirty(page.id, f"edit {number}")
        at_work._round()
    assert world.page().comments == 1


def test_a_count_and_its_time_survive_a_restart(world: World) -> None:
    page, at_work = world.publish("notes"), worker(world, "notes")
    at_work._round()
    comment(world, page)
    pass_an_hour(world, at_work)
    counted_at = world.page().comments_at
    world.wait(1810)
    world.store.close()
    world.start()
    again = worker(world, "notes")
    again._round()
    assert (world.page().comments, world.page().comments_at) == (1, counted_at)
    world.wait(1810)
    again._round()
    assert world.page().comments_at != counted_at  # an hour after the last count, not after the start


def test_where_comments_may_not_be_read_nothing_else_suffers(world: World, caplog: pytest.LogCaptureFixture) -> None:
    page, at_work = world.publish("notes"), worker(world, "notes")
    at_work._round()
    comment(world, page)
    world.space.gate.limit("sandbox", CAPABILITIES - {"read_comments"})
    pass_an_hour(world, at_work)
    pass_an_hour(world, at_work)
    assert world.app.page_json(world.page())["comments"] is None
    assert (world.page().state, caplog.text.count("may not read comments")) == ("live", 1)
    world.space.gate.limit("sandbox", CAPABILITIES)
    pass_an_hour(world, at_work)
    assert world.page().comments == 1  # the capability was given, and nobody restarted anything


@pytest.mark.parametrize("status", [401, 403])  # a scope that a token lacks answers 401
def test_a_wiki_that_keeps_its_comments_to_itself_tells_no_number(world: World, status: int) -> None:
    page, at_work = world.publish("wiki"), worker(world, "wiki")
    at_work._round()
    comment(world, page)
    pass_an_hour(world, at_work)
    assert world.page().comments == 1
    world.to_wiki.script.append(Fault("status", lambda method, path: "comments" in path, status))
    pass_an_hour(world, at_work)
    assert (world.page().comments, world.page().comments_at, world.page().state) == (None, None, "live")


def test_a_page_that_is_out_of_reach_is_not_asked_about(world: World) -> None:
    page, at_work = world.publish("notes"), worker(world, "notes")
    at_work._round()
    world.store.set_page(page.id, state="missing")
    world.wait(3700)
    at_work._count()
    assert not asked(world)


def test_a_service_that_does_not_answer_takes_no_count_away(world: World) -> None:
    page, at_work = world.publish("notes"), worker(world, "notes")
    at_work._round()
    comment(world, page)
    pass_an_hour(world, at_work)
    comment(world, page)
    faults = [Fault("status", lambda method, path: "/comments" in path, 500) for _ in range(READ_ATTEMPTS)]
    world.to_space.script += faults
    pass_an_hour(world, at_work)
    assert (world.page().comments, world.page().state) == (1, "live")
    assert not world.to_space.script
    pass_an_hour(world, at_work)
    assert world.page().comments == 2


def test_what_is_counted_is_shown_with_a_link(world: World) -> None:
    page, at_work = world.publish("notes"), worker(world, "notes")
    at_work._round()
    for _ in range(3):
        comment(world, page)
    pass_an_hour(world, at_work)
    shown = world.app.postmortem_json("INC-12")["pages"][0]["comments"]
    at = world.page().comments_at
    assert at and shown == {"count": 3, "url": page.url, "checked_at": at.isoformat().replace("+00:00", "Z")}
    assert [where.comments for where in incident_view(world.app, world.incident()).pages] == ["3 comments"]


def test_one_look_counts_nothing(world: World) -> None:
    comment(world, world.publish("notes"))
    world.app.once()
    assert not asked(world)
