"""What people, the service and the network do to a Notion page at its worst: each has a name or heals by itself, nothing is
lost on any side, and what it costs is bounded.
"""

import time
from collections.abc import Callable
from datetime import timedelta

import pytest

from mapping.incident import FollowUpStatus
from providers.sandbox.faults import Fault, empty, html, truncated, writes
from syncd.pages import Page
from syncd.reconcile import Report
from tests.simulation.people import ADA, NotionPerson, rich
from tests.simulation.world import GRACE, INCIDENT, World

PLACES = ["notes", "plain-notes"]
MOST_SECONDS = 15  # of processor time; a few are needed


def editor(world: World, page: Page) -> NotionPerson:
    person = world.person(page)
    assert isinstance(person, NotionPerson)
    return person


def look(world: World) -> Report:
    world.wait(300)
    (report,) = world.app.once()
    return report


def cost(world: World, act: Callable[[], object]) -> tuple[int, int, float]:
    """Requests, writes among them, seconds of processor time."""
    world.space.requests.clear()
    began = time.process_time()
    act()
    asked = world.space.requests
    return len(asked), sum(writes(method, path) for method, path in asked), time.process_time() - began


# --- large --------------------------------------------------------------------------------------------------------------


def grow(world: World, page: Page, blocks: int, deep: int) -> None:
    """So many more blocks before the follow-ups, a few lists among them as deep as that."""
    tops = world.space.children_of(page.native_id)
    last = tops[next(i for i, block in enumerate(tops) if "Follow-ups" in str(block)) - 1]["id"]
    for number in range(blocks):
        block = {"paragraph": {"rich_text": rich(f"line {number}")}}
        last = world.space.ui_insert(page.native_id, last, block, ADA)
    for number in range(5):
        above = page.native_id
        after: str | None = last
        for level in range(deep):
            item = {"bulleted_list_item": {"rich_text": rich(f"list {number} level {level}")}}
            above, after = world.space.ui_insert(above, after, item, ADA), None


def test_a_page_of_five_thousand_blocks_ten_levels_deep(world: World) -> None:
    """What is bounded: one reading takes a request for each hundred blocks and one for each list inside a list; a look
    that writes is at most three readings, one that does not two; the time grows with the blocks, not with their square."""
    page = world.publish("notes")
    world.space.undoable = False
    grow(world, page, 5000, 10)
    reading = 5100 // 100 + 5 * 9 + 5
    requests, wrote, seconds = cost(world, lambda: look(world))
    assert requests <= 3 * reading and wrote <= 1 and seconds < MOST_SECONDS
    editor(world, page).reword("line 2500", "line two thousand")
    requests, wrote, seconds = cost(world, lambda: look(world))
    assert requests <= 2 * reading and wrote == 0 and seconds < MOST_SECONDS
    postmortem = world.store.postmortem("INC-12")
    assert postmortem and sum("line two thousand" in block.text for s in postmortem.sections for block in s.blocks) == 1
    world.app.edit_follow_up("FU-1", {"status": "done"}, GRACE)
    requests, wrote, seconds = cost(world, lambda: look(world))
    assert requests <= 3 * reading and wrote == 1 and seconds < MOST_SECONDS


LONG = [{"at": f"2026-11-02T{10 + n // 60:02}:{n % 60:02}:11Z", "title": f"Step {n} of it"} for n in range(500)]


@pytest.mark.parametrize("destination", PLACES)
def test_a_timeline_of_five_hundred_rows(world: World, destination: str) -> None:
    requests, wrote, seconds = cost(world, lambda: world.publish(destination, {**INCIDENT, "timeline": LONG}))
    assert wrote <= 8 and requests <= 40 and seconds < MOST_SECONDS
    page = world.page()
    person = editor(world, page)
    person.reword("Step 400 of it", "Step four hundred")
    world.app.edit_event(world.incident().timeline[250].key, {"title": "Step two hundred and fifty"}, GRACE)
    requests, wrote, seconds = cost(world, lambda: look(world))
    assert wrote == 1 and requests <= 40 and seconds < MOST_SECONDS
    assert world.incident().timeline[400].title == "Step four hundred"
    assert "Step two hundred and fifty" in person.text()
    assert len(world.incident().timeline) == 500 and world.incident().timeline[0].at.second == 11
    world.quiet()


# --- tables and lists that people turn ----------------------------------------------------------------------------------


@pytest.mark.parametrize("destination", PLACES)
def test_a_timeline_with_one_column_left(world: World, destination: str) -> None:
    page = world.publish(destination)
    person = editor(world, page)
    table = person._find("Alert fired", "table_row")["parent"]["block_id"]
    world.space.ui_remove_column(table, 2)
    world.space.ui_remove_column(table, 0)
    assert look(world).result == "in_step"
    world.app.edit_event("T-2", {"title": "Workers restarted twice", "description": "By hand."}, GRACE)
    assert look(world).result == "in_step"
    assert "Workers restarted twice" in person.text() and "By hand" not in person.text()
    assert [(e.title, e.at.minute) for e in world.incident().timeline][1] == ("Workers restarted twice", 20)
    world.quiet()


@pytest.mark.parametrize("destination", PLACES)
def test_a_foreign_table_with_one_column_stays_as_it_is(world: World, destination: str) -> None:
    page = world.publish(destination)
    person = editor(world, page)
    row = {"table_row": {"cells": [rich("alone")]}}
    table = {"table": {"table_width": 1, "has_column_header": False, "children": [row]}}
    for place in ("Timeline", "Details", "Follow-ups"):
        world.space.ui_insert(page.native_id, person._find(place, "heading_2")["id"], table, ADA)
    assert look(world).result == "in_step"
    assert person.text().count("alone") == 3
    assert len(world.incident().timeline) == 3 and len(world.incident().follow_ups) == 3
    world.quiet()


@pytest.mark.parametrize("kind", ["heading_1", "heading_2", "heading_3", "paragraph", "toggle", "quote", "callout"])
@pytest.mark.parametrize("destination", PLACES)
def test_a_follow_up_turned_into_something_else_is_hidden_and_comes_back_with_its_box(
    world: World, destination: str, kind: str
) -> None:
    page = world.publish(destination)
    block = editor(world, page)._find("Write a runbook", "to_do")["id"]
    world.space.ui_turn_into(block, kind, ADA)
    assert look(world).result == "in_step"
    assert set(world.store.hidden(page.id)) == {"FU-2"}
    world.quiet()
    assert editor(world, page).text().count("Write a runbook") == 1
    world.space.ui_turn_into(block, "to_do", ADA)
    assert look(world).result == "in_step"
    assert "FU-2" not in world.store.hidden(page.id)
    rows = {row.key: (row.title, row.status) for row in world.incident().follow_ups}
    assert rows["FU-2"] == ("Write a runbook for full queues", FollowUpStatus.OPEN) and len(rows) == 3
    world.quiet()


def boxed(world: World, page: Page, event: str, deep: bool = False) -> tuple[str, str]:
    """The table with that event, cut and pasted into a toggle under the timeline's heading; the heading and the table."""
    person = editor(world, page)
    heading = person._find("Timeline", "heading_2")["id"]
    box = world.space.ui_insert(page.native_id, heading, {"toggle": {"rich_text": rich("All events")}}, ADA)
    if deep:
        box = world.space.ui_insert(box, None, {"toggle": {"rich_text": rich("really all")}}, ADA)
    table = person._find(event, "table_row")["parent"]["block_id"]
    (pasted,) = world.space.ui_cut_and_paste([table], box, None, ADA)
    return heading, pasted


@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize("rows", [3, 12])
@pytest.mark.parametrize("destination", PLACES)
def test_the_timeline_cut_and_pasted_into_a_toggle_is_worked_on_there(
    world: World, destination: str, rows: int, deep: bool
) -> None:
    page = world.publish(destination, {**INCIDENT, "timeline": LONG[:rows]})
    person = editor(world, page)
    heading, table = boxed(world, page, "Step 1 of it", deep)
    assert look(world).result == "in_step"
    assert world.store.hidden(page.id) == {} and len(world.incident().timeline) == rows
    person.reword("Step 1 of it", "Step one")
    world.app.edit_event("T-3", {"title": "Step three"}, GRACE)
    world.app.add_event("INC-12", {"at": "2026-11-02T23:00:00Z", "title": "Queue drained"}, GRACE)
    assert look(world).result == "in_step"
    assert world.incident().timeline[1].title == "Step one"
    there = " ".join(str(row) for row in world.space.children_of(table))
    assert "Step three" in there and "Queue drained" in there
    world.quiet()
    world.crash()
    world.quiet()
    world.space.ui_cut_and_paste([table], page.native_id, heading, ADA)
    assert look(world).result == "in_step"
    assert world.store.hidden(page.id) == {} and len(world.incident().timeline) == rows + 1
    world.quiet()


def test_a_copy_of_the_timeline_in_a_toggle_is_nobodys(world: World) -> None:
    page = world.publish("notes", {**INCIDENT, "timeline": LONG[:6]})
    person = editor(world, page)
    box = world.space.ui_insert(page.native_id, None, {"toggle": {"rich_text": rich("As it was")}}, ADA)
    table = person._find("Step 1 of it", "table_row")["parent"]["block_id"]
    (copy,) = world.space.ui_copy([table], box, None, ADA)
    row = next(row["id"] for row in world.space.children_of(table) if "Step 4" in str(row))
    world.space.ui_delete(row, ADA)
    look(world)
    assert set(world.store.hidden(page.id)) == {"T-5"}
    world.app.edit_event("T-2", {"title": "Step two"}, GRACE)
    look(world)
    assert "Step two" not in " ".join(str(row) for row in world.space.children_of(copy))
    world.quiet()


@pytest.mark.parametrize("destination", PLACES)
def test_rows_that_vanish_in_numbers_halt(world: World, destination: str) -> None:
    page = world.publish(destination, {**INCIDENT, "timeline": LONG[:12]})
    world.space.ui_delete(editor(world, page)._find("Step 3 of it", "table_row")["parent"]["block_id"], ADA)
    report = look(world)
    assert report.result == "halted" and "12 of 15 rows vanished" in report.reasons[0]
    assert "syncd resume INC-12 --accept" in report.reasons[0]
    world.space.ui_undo(ADA)
    world.app.resume("INC-12", False, GRACE)
    world.in_step()
    assert world.store.hidden(page.id) == {}


# --- the page itself ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("destination", PLACES)
def test_a_locked_page_is_still_kept_in_step(world: World, destination: str) -> None:
    page = world.publish(destination)
    world.space.ui_lock(page.native_id)
    world.app.edit_follow_up("FU-1", {"status": "done"}, GRACE)
    assert look(world).result == "in_step"
    assert editor(world, page)._find("Alert on queue depth")["to_do"]["checked"] is True


@pytest.mark.parametrize(
    ("leave", "come_back", "way"),
    [
        (lambda space, page: space.trash(page), lambda space, page: space.restore(page), "is in the trash: restore it"),
        (lambda space, page: space.unshare(page), lambda space, page: space.share(page), "share it again"),
    ],
    ids=["trashed", "unshared"],
)
@pytest.mark.parametrize("destination", PLACES)
def test_a_page_out_of_reach_is_missing_and_heals(
    world: World, destination: str, leave: Callable[..., None], come_back: Callable[..., None], way: str
) -> None:
    page = world.publish(destination)
    leave(world.space, page.native_id)
    world.app.edit_follow_up("FU-1", {"status": "done"}, GRACE)
    report = look(world)
    assert report.result == "missing" and way in report.reasons[0] and "syncd detach INC-12" in report.reasons[0]
    assert world.app.check("INC-12").answer == "no"
    come_back(world.space, page.native_id)
    assert look(world).result == "in_step"
    assert editor(world, page)._find("Alert on queue depth")["to_do"]["checked"] is True
    world.quiet()


@pytest.mark.parametrize("destination", PLACES)
def test_a_page_moved_below_another_page_keeps_its_content_in_step(world: World, destination: str) -> None:
    page = world.publish(destination)
    other = world.publish("plain-notes", {**INCIDENT, "reference": "INC-13", "follow_ups": [], "timeline": []})
    world.space.ui_move_page(page.native_id, other.native_id)
    world.app.edit_follow_up("FU-1", {"status": "done"}, GRACE)
    world.wait(300)
    reports = {report.page.incident: report for report in world.app.once()}
    assert reports["INC-12"].result == ("waiting" if destination == "notes" else "in_step")
    assert editor(world, page)._find("Alert on queue depth")["to_do"]["checked"] is True
    assert reports["INC-13"].result == "in_step"


@pytest.mark.parametrize("destination", PLACES)
def test_a_duplicated_page_is_somebody_elses(world: World, destination: str) -> None:
    page = world.publish(destination)
    copy = world.space.ui_duplicate_page(page.native_id)
    assert world.page().native_id == page.native_id
    world.crash()
    world.quiet()
    world.app.edit_follow_up("FU-1", {"status": "done"}, GRACE)
    assert look(world).result == "in_step"
    tasks = [block for each in (page.native_id, copy) for block in world.space.children_of(each) if block["type"] == "to_do"]
    assert [block["to_do"]["checked"] for block in tasks] == [True, False, True, False, False, True]


# --- people -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("restart", [True, False])
@pytest.mark.parametrize("destination", PLACES)
def test_a_person_who_is_called_otherwise_is_no_edit(world: World, destination: str, restart: bool) -> None:
    page = world.publish(destination)
    world.space.rename_person("ada@example.com", "Ada King")
    if restart:
        world.crash()
    world.quiet()
    assignee = world.incident().follow_ups[0].assignee
    assert assignee and assignee.email == "ada@example.com"
    world.app.edit_follow_up("FU-1", {"due_on": "2026-12-24"}, GRACE)
    assert look(world).result == "in_step"
    assert "Ada King" in editor(world, page).text() and "2026-12-24" in editor(world, page).text()
    world.quiet()


# --- the service and the way there --------------------------------------------------------------------------------------


@pytest.mark.parametrize("destination", PLACES)
def test_ten_minutes_of_429_are_waited_for_without_asking(world: World, destination: str) -> None:
    world.publish(destination)
    world.space.gate.closed_until = world.now + timedelta(minutes=10)
    world.app.edit_follow_up("FU-1", {"status": "done"}, GRACE)
    world.space.requests.clear()
    (report,) = world.app.once()
    assert report.result == "unknown" and "asks us to wait" in report.reasons[0]
    assert report.retry_at and timedelta(minutes=9) < report.retry_at - world.now <= timedelta(minutes=11)
    world.wait(200)
    world.app.once()
    assert len(world.space.requests) == 1
    assert world.app.check("INC-12").answer == "unknown"
    world.wait(401)
    assert look(world).result == "in_step"
    world.quiet()


@pytest.mark.parametrize("broken", [html, empty, truncated])
@pytest.mark.parametrize("destination", PLACES)
def test_answers_that_are_none_change_nothing_here(world: World, destination: str, broken: Callable[..., Fault]) -> None:
    world.publish(destination)
    before = world.incident()
    world.to_space.script += [broken() for _ in range(8)]
    report = look(world)
    assert report.result == "unknown" and "in between" in report.reasons[0]
    assert world.app.check("INC-12").answer == "unknown"
    world.to_space.script.clear()
    assert look(world).result == "in_step"
    assert world.incident() == before
    world.quiet()


@pytest.mark.parametrize("broken", [html, empty, truncated])
@pytest.mark.parametrize("destination", PLACES)
def test_a_write_whose_answer_was_broken_is_recognised_and_not_repeated(
    world: World, destination: str, broken: Callable[..., Fault]
) -> None:
    page = world.publish(destination)
    world.app.add_follow_up("INC-12", {"title": "Tell support"}, GRACE)
    world.to_space.script.append(broken(writes))
    assert look(world).result == "waiting"
    assert look(world).result == "in_step"
    assert editor(world, page).text().count("Tell support") == 1
    world.quiet()


@pytest.mark.parametrize("broken", [html, empty, truncated])
@pytest.mark.parametrize("destination", PLACES)
def test_a_page_whose_creation_was_answered_badly_is_found(
    world: World, destination: str, broken: Callable[..., Fault]
) -> None:
    world.take(INCIDENT)
    world.app.create_postmortem("INC-12", "standard", destination, GRACE)
    world.to_space.script.append(broken(writes))
    assert look(world).result == "waiting"
    world.in_step()
    assert sum("INC-12" in title for _, title, _ in world.space.pages()) == 1


@pytest.mark.parametrize("destination", PLACES)
def test_a_token_revoked_while_running_is_named_and_heals_with_a_new_one(world: World, destination: str) -> None:
    page = world.publish(destination)
    world.space.gate.revoke("sandbox")
    world.app.edit_follow_up("FU-1", {"status": "done"}, GRACE)
    report = look(world)
    assert report.result == "unknown" and "API token is invalid" in report.reasons[0] and "syncd doctor" in report.reasons[0]
    assert world.app.check("INC-12").answer == "unknown"
    world.space.gate.renew("sandbox")
    assert look(world).result == "in_step"
    assert editor(world, page)._find("Alert on queue depth")["to_do"]["checked"] is True


@pytest.mark.parametrize("destination", PLACES)
def test_a_token_revoked_in_the_middle_of_a_write_leaves_a_page_that_is_finished_later(
    world: World, destination: str
) -> None:
    page = world.publish(destination)
    world.app.edit_follow_up("FU-1", {"status": "done"}, GRACE)
    world.app.edit_event("T-1", {"title": "Alert fired at last"}, GRACE)
    seen = iter(range(100))
    world.to_space.script.append(Fault("status", lambda method, path: writes(method, path) and next(seen) == 1, 401))
    look(world)
    world.wait(300)
    for _ in range(3):
        world.app.resume("INC-12", False, GRACE)
        world.wait(300)
        world.app.once()
    text = editor(world, page).text()
    assert "Alert fired at last" in text and text.count("Alert fired") == 1
    assert editor(world, page)._find("Alert on queue depth")["to_do"]["checked"] is True
    world.quiet()


def test_an_index_that_lags_hides_nothing_that_was_taken_in(world: World) -> None:
    world.space.access.index_lag = timedelta(minutes=5)
    page = world.publish("notes")
    editor(world, page).reword("The checkout queue was full.", "The queue was full.")
    assert look(world).result == "in_step"
    assert "The queue was full." in str(world.incident().summary)
    world.quiet()
