"""What changed in Notion, and what it costs to know: times are floored to the minute, indexes lag, queries are cut off."""

from dataclasses import replace
from datetime import timedelta

import pytest

from mapping.document import Doc, paragraph, text_spans
from providers.contract import Observation
from providers.sandbox import notion_query
from tests.contract.notion_world import DOC, STATIC, World, edited, index_of, native_of, swapped


@pytest.fixture
def world() -> World:
    return World()


def _version(world: World, seen: Observation, plain: bool = False) -> str | None:
    place = world.plain if plain else world.table
    return world.notion.versions(place, [seen.native_id])[seen.native_id].version


def _many(world: World, count: int, plain: bool = False) -> list[str]:
    """Pages with nothing in them, made by somebody else a while ago."""
    parent = {"page_id": world.service.page_id} if plain else {"data_source_id": world.service.data_source_id}
    name = "title" if plain else "Name"
    body = {"parent": parent, "properties": {name: {"title": [{"text": {"content": "x"}}]}}}
    pages = [str(world.notion._wire.send("POST", "pages", body).body["id"]) for _ in range(count)]
    world.pass_time(600)
    world.service.requests.clear()
    return pages


# --- minutes ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("plain", [True, False])
def test_a_page_is_looked_at_while_its_minute_is_open_and_once_when_it_is_over(world: World, plain: bool) -> None:
    place = world.plain if plain else world.table
    seen = world.publish(DOC, place)
    first = _version(world, seen, plain)
    world.pass_time(5)
    assert len({first, _version(world, seen, plain), seen.version}) == 3
    world.pass_time(300)
    assert _version(world, seen, plain) != seen.version
    seen = world.read(seen, place)
    assert _version(world, seen, plain) == _version(world, seen, plain) == seen.version


def test_the_second_edit_of_a_minute_is_found_when_it_is_over(world: World) -> None:
    seen = world.publish()
    world.pass_time(330)  # to the first second of a minute
    world.service.ui_edit_text(native_of(seen, "It took"), "first")
    seen = world.read(seen)
    world.pass_time(20)
    world.service.ui_edit_text(native_of(seen, "first"), "second")
    world.pass_time(100)
    assert _version(world, seen) != seen.version
    again = world.read(seen)
    assert "second" in [block.text for block in again.doc.blocks]
    assert _version(world, again) == again.version


# --- requests ---------------------------------------------------------------------------------------------------------


def test_a_thousand_pages_are_ten_requests_once_and_one_from_then_on(world: World) -> None:
    pages = _many(world, 1000)
    assert {change.version for change in world.notion.versions(world.table, pages).values()} != {None}
    assert len(world.service.requests) == 10
    world.pass_time(600)
    world.notion.versions(world.table, pages)
    world.service.requests.clear()
    world.pass_time(60)
    assert set(world.notion.versions(world.table, pages)) == set(pages)
    assert len(world.service.requests) == 1


def test_pages_under_a_plain_page_are_told_by_the_hundred(world: World) -> None:
    pages = _many(world, 150, plain=True)
    assert set(world.notion.versions(world.plain, pages)) == set(pages)
    assert len(world.service.requests) == 2


def test_pages_that_are_elsewhere_cost_at_most_half_as_much_again_as_asking_for_each(world: World) -> None:
    _many(world, 500, plain=True)
    pages = _many(world, 6)  # somebody moved them
    assert {change.version for change in world.notion.versions(world.plain, pages).values()} != {None}
    assert len(world.service.requests) == 3 + 6


def test_a_query_that_is_cut_off_is_asked_on(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    pages = []
    for _ in range(4):
        pages += _many(world, 120)
    monkeypatch.setattr(notion_query, "MOST_RESULTS", 250)
    told = world.notion.versions(world.table, pages)
    singles = [path for method, path in world.service.requests if path.startswith("/v1/pages")]
    assert (len(told), singles) == (480, [])


def test_a_page_that_the_index_knows_late_is_met_in_the_overlap(world: World) -> None:
    world = World(options={"index_lag": timedelta(seconds=90)})
    old = world.publish()
    world.pass_time(600)
    late = world.publish()
    world.pass_time(10)
    world.service.ui_edit_text(native_of(old, "It took"), "newer than the late one")
    _version(world, old)
    world.pass_time(90)
    world.service.requests.clear()
    assert _version(world, late) is not None
    assert [method for method, _ in world.service.requests] == ["POST"]


def test_pages_that_are_gone_have_no_version(world: World) -> None:
    one, two = world.publish(), world.publish()
    world.service.trash(one.native_id)
    world.service.unshare(two.native_id)
    told = world.notion.versions(world.table, [one.native_id, two.native_id])
    assert {change.version for change in told.values()} == {None}


# --- reads around a write ---------------------------------------------------------------------------------------------


def test_reads_around_a_write_are_bounded(world: World) -> None:
    """Look and write, then the page and its blocks; tables and lists only where something was written."""
    seen = world.publish()
    world.write(seen, edited(seen, "The queue", "Changed."))
    kinds = [(method, path.partition("?")[0].rpartition("/")[2] == "children") for method, path in world.service.requests]
    assert kinds == [("GET", False), ("PATCH", False), ("GET", False), ("GET", True)]
    seen = world.read(seen)
    world.service.requests.clear()
    at = index_of(seen, "Time\tEvent")
    table = seen.doc.blocks[at]
    row = replace(table.rows[1], cells=(text_spans("10:06"), *table.rows[1].cells[1:]))
    after = world.write(seen, swapped(seen, at, replace(table, rows=(table.rows[0], row))))
    assert len(world.service.requests) == 5  # the same, and the rows of the one table
    assert after.doc == world.read(after).doc


def test_a_large_page_is_read_in_hundreds(world: World) -> None:
    seen = world.publish(Doc("Long", (paragraph(STATIC), *(paragraph(f"line {number}") for number in range(999)))))
    world.service.requests.clear()
    assert len(world.read(seen).doc.blocks) == 1000
    assert len(world.service.requests) == 1 + 10
