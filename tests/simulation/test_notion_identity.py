"""Which block is which on a Notion page after people split, merge, copy, cut and paste, undo, and rearrange columns."""

import pytest

from syncd.pages import Page
from tests.simulation.people import ADA, NotionPerson
from tests.simulation.world import GRACE, World


def _block(world: World, page: Page, text: str) -> str:
    person = world.person(page)
    assert isinstance(person, NotionPerson)
    return str(person._find(text)["id"])


def _in_step(world: World) -> None:
    world.wait(300)
    world.in_step()
    world.quiet()


def _titles(world: World) -> list[str]:
    return [row.title for row in world.incident().follow_ups]


def _events(world: World) -> list[tuple[str, str, str]]:
    return [(event.key, event.title, f"{event.at:%H:%M}") for event in world.incident().timeline]


def test_a_split_follow_up_keeps_its_first_half_and_the_second_is_new(world: World) -> None:
    page = world.publish("notes")
    world.space.ui_split(_block(world, page, "Write a runbook"), len("Write a runbook "), ADA)
    _in_step(world)
    rows = {row.key: row.title for row in world.incident().follow_ups}
    assert rows["FU-1"] == "Alert on queue depth" and len(rows) == 4
    assert {"Write a runbook", "for full queues"} <= {title.strip() for title in rows.values()}


def test_a_follow_up_merged_into_the_one_above_is_hidden_and_its_words_stay(world: World) -> None:
    page = world.publish("notes")
    world.space.ui_merge(_block(world, page, "Remove the retry storm"), ADA)
    _in_step(world)
    rows = {row.key: row.title for row in world.incident().follow_ups}
    assert set(rows) == {"FU-1", "FU-2", "FU-3"} and rows["FU-3"] == "Remove the retry storm"
    assert set(world.store.hidden(page.id)) == {"FU-3"}
    assert world.person(page).text().count("Remove the retry storm") == 1 and "runbook" in rows["FU-2"]


def test_paragraphs_that_are_merged_keep_the_first_block_and_all_words(world: World) -> None:
    page = world.publish("notes")
    first = _block(world, page, "The checkout queue was full.")
    world.space.ui_merge(_block(world, page, "Nobody was paged for ten minutes."), ADA)
    _in_step(world)
    (only,) = world.incident().summary
    assert only.text.replace(" ", "") == "Thecheckoutqueuewasfull.Nobodywaspagedfortenminutes."
    assert _block(world, page, "Nobody was paged") == first


def test_a_copied_follow_up_is_a_new_one_and_the_original_keeps_its_key(world: World) -> None:
    page = world.publish("notes")
    block = _block(world, page, "Write a runbook")
    world.space.ui_copy([block], page.native_id, block, ADA)
    _in_step(world)
    assert _titles(world).count("Write a runbook for full queues") == 2
    assert world.space.children_of(page.native_id) and world.person(page).text().count("FU-2") == 1


def test_a_follow_up_that_is_cut_and_pasted_is_still_itself(world: World) -> None:
    page = world.publish("notes")
    block = _block(world, page, "Write a runbook")
    world.space.ui_cut_and_paste([block], page.native_id, _block(world, page, "Remove the retry storm"), ADA)
    _in_step(world)
    assert {row.key for row in world.incident().follow_ups} == {"FU-1", "FU-2", "FU-3"}
    assert world.person(page).text().count("Write a runbook") == 1


def test_what_is_deleted_and_undone_is_there_again(world: World) -> None:
    page = world.publish("notes")
    block = _block(world, page, "Nobody was paged for ten minutes.")
    world.space.ui_delete(block, ADA)
    _in_step(world)
    assert len(world.incident().summary) == 1
    world.space.ui_undo(ADA)
    _in_step(world)
    assert [b.text for b in world.incident().summary][-1] == "Nobody was paged for ten minutes."
    assert _block(world, page, "Nobody was paged for ten minutes.") == block


def _timeline(world: World, page: Page) -> str:
    tables = [block for block in world.space.children_of(page.native_id) if block["type"] == "table"]
    return str(next(t["id"] for t in tables if "Alert fired" in str(world.space.children_of(t["id"]))))


@pytest.mark.parametrize("change", ["swap", "add", "add and swap", "remove"])
def test_a_timeline_with_other_columns_is_understood_by_its_header(world: World, change: str) -> None:
    page = world.publish("notes")
    table, before = _timeline(world, page), _events(world)
    if "add" in change:
        world.space.ui_add_column(table, 1, "Who")
    if "swap" in change:
        world.space.ui_swap_columns(table, 0, 2)
    if change == "remove":
        world.space.ui_remove_column(table, 2)
    _in_step(world)
    assert _events(world) == before
    world.app.edit_event("T-2", {"title": "Workers replaced"}, GRACE)
    _in_step(world)
    assert "Workers replaced" in world.person(page).text() and "Alert fired" in world.person(page).text()
    assert _timeline(world, page) == table


def test_a_duplicated_page_is_nobodys(world: World) -> None:
    page = world.publish("notes")
    copy = world.space.ui_duplicate_page(page.native_id)
    before = str(world.space.children_of(copy))
    world.app.edit_follow_up("FU-2", {"title": "Write two runbooks"}, GRACE)
    _in_step(world)
    assert world.page().native_id == page.native_id
    assert "Write two runbooks" in world.person(page).text()
    assert str(world.space.children_of(copy)) == before
