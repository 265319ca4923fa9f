"""What a Notion data source carries in properties, in a whole world: people and times both ways, and columns that go."""

from dataclasses import replace

import pytest

from mapping.incident import PostmortemStatus
from syncd.pages import Page
from tests.simulation.world import GRACE, INCIDENT, World

MAPPED = {
    "lead": {"name": "Lead"},
    "role:communications": {"name": "Communications"},
    "time:started": {"name": "Started"},
}


@pytest.fixture
def mapped(world: World) -> World:
    """A world whose data source gets properties of people and dates with its first page."""
    notes = world.app.destinations["notes"]
    options = {**notes.place.options, "create_properties": "true"}
    world.places["notes"] = replace(notes.place, options=options, properties=MAPPED)
    world.crash()
    return world


def shown(world: World, page: Page, name: str) -> str:
    """A property as a reader sees it."""
    value = world.space.properties_of(page.native_id)[name]
    content = value[value["type"]]
    if value["type"] == "people":
        return ", ".join(person["name"] for person in content)
    return str((content or {}).get("start") or (content or {}).get("name") or "")


def status(world: World) -> PostmortemStatus:
    found = world.store.postmortem("INC-12")
    assert found
    return found.status


def test_a_page_shows_people_and_times_as_properties(mapped: World) -> None:
    page = mapped.publish("notes")
    assert shown(mapped, page, "Lead") == "Ada Byron"
    assert shown(mapped, page, "Communications") == "Grace Hopkins"
    assert shown(mapped, page, "Started") == "2026-11-02T10:00:00.000+00:00"
    mapped.quiet()


def test_people_and_times_changed_there_reach_the_store_and_the_details(mapped: World) -> None:
    page = mapped.publish("notes")
    mapped.space.ui_set_property(page.native_id, "Lead", ["grace@example.com"])
    mapped.space.ui_set_property(page.native_id, "Started", {"start": "2026-11-02T10:07:00Z"})
    mapped.wait(300)
    mapped.in_step()
    lead, started = mapped.incident().lead, mapped.incident().timestamps["started"]
    assert lead and lead.email == "grace@example.com"
    assert started.isoformat() == "2026-11-02T10:07:00+00:00"
    assert "Lead @Grace Hopkins" in mapped.person(page).text() and "Started 2026-11-02 10:07" in mapped.person(page).text()
    mapped.quiet()


def test_people_and_times_changed_here_reach_the_properties(mapped: World) -> None:
    page = mapped.publish("notes")
    changes = {"lead": "grace@example.com", "role:communications": "", "time:started": "2026-11-02T09:58:44Z"}
    mapped.app.edit_incident("INC-12", changes, GRACE)
    mapped.in_step()
    assert shown(mapped, page, "Lead") == "Grace Hopkins"
    assert shown(mapped, page, "Communications") == ""
    assert shown(mapped, page, "Started") == "2026-11-02T09:58:00.000+00:00"
    mapped.quiet()
    assert mapped.incident().timestamps["started"].second == 44


def test_a_lead_without_an_account_is_not_cleared_by_the_property_that_cannot_say_it(mapped: World) -> None:
    page = mapped.publish("notes", {**INCIDENT, "lead": {"name": "Zoe"}})
    assert shown(mapped, page, "Lead") == ""
    mapped.wait(300)
    mapped.quiet()
    lead = mapped.incident().lead
    assert lead and lead.name == "Zoe"


def test_a_day_without_a_time_is_held_as_not_understood(mapped: World) -> None:
    page = mapped.publish("notes")
    mapped.space.ui_set_property(page.native_id, "Started", "2026-11-03")
    mapped.wait(300)
    mapped.app.once()
    (reason,) = mapped.app.check("INC-12").export.reasons
    assert reason.code == "not_understood" and "2026-11-03" in reason.message
    assert mapped.incident().timestamps["started"].isoformat() == "2026-11-02T10:00:00+00:00"
    assert shown(mapped, page, "Started") == "2026-11-03"


def test_both_sides_changing_the_lead_is_a_conflict_that_keeps_both(mapped: World) -> None:
    page = mapped.publish("notes")
    mapped.space.add_person("Vera Rubin", "vera@example.com")
    mapped.crash()
    mapped.space.ui_set_property(page.native_id, "Lead", ["vera@example.com"])
    mapped.app.edit_incident("INC-12", {"lead": "grace@example.com"}, GRACE)
    mapped.wait(300)
    mapped.in_step()
    (conflict,) = mapped.store.conflicts("INC-12")
    assert (conflict.store.text, conflict.other.text) == ("grace@example.com", "vera@example.com")
    assert shown(mapped, page, "Lead") == "Grace Hopkins"


def test_a_column_mapped_later_is_filled(world: World) -> None:
    page = world.publish("notes")
    new = {"Lead": "people", "Communications": "people", "Started": "date"}
    for name, kind in new.items():
        world.space.ui_add_property(world.space.data_source_id, name, kind)
    world.places["notes"] = replace(world.app.destinations["notes"].place, properties=MAPPED)
    world.crash()
    world.in_step()
    assert shown(world, page, "Lead") == "Ada Byron"
    assert shown(world, page, "Started") == "2026-11-02T10:00:00.000+00:00"
    world.quiet()


# --- what a page is made of ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("destination", ["notes", "plain-notes"])
def test_a_page_is_made_of_the_services_own_things(world: World, destination: str) -> None:
    page = world.publish(destination)
    blocks = world.space.children_of(page.native_id)
    task = next(block["to_do"] for block in blocks if block["type"] == "to_do")
    assert [item["type"] for item in task["rich_text"]] == ["text", "mention", "text", "mention", "text", "text"]
    assert [item["mention"]["type"] for item in task["rich_text"] if item["type"] == "mention"] == ["user", "date"]
    details, timeline = (block["table"] for block in blocks if block["type"] == "table")
    assert (timeline["table_width"], timeline["has_column_header"]) == (3, True)
    assert (details["table_width"], details["has_row_header"]) == (2, True)
    assert "callout" in {block["type"] for block in blocks}
    properties = world.space.properties_of(page.native_id)
    assert set(properties) == ({"Name", "Incident", "Severity", "Status"} if destination == "notes" else {"title"})
    assert "Post-mortem status In progress" in world.person(page).text()


def test_the_services_own_status_names_mean_ours(world: World) -> None:
    world.space.ui_remove_property(world.space.data_source_id, "Status")
    world.space.ui_add_property(world.space.data_source_id, "Status", "status")
    page = world.publish("notes")
    assert shown(world, page, "Status") == "In progress"
    world.space.ui_set_property(page.native_id, "Status", "Done")
    world.wait(300)
    world.in_step()
    assert status(world) is PostmortemStatus.COMPLETED
    world.space.ui_set_property(page.native_id, "Status", "Not started")
    world.wait(300)
    world.in_step()
    assert status(world) is PostmortemStatus.IN_PROGRESS
    world.app.set_status("INC-12", "completed", GRACE)
    world.in_step()
    assert shown(world, page, "Status") == "Done"
    world.quiet()


def test_a_status_that_the_property_lacks_is_named_with_a_way_out(world: World) -> None:
    world.space.ui_remove_property(world.space.data_source_id, "Status")
    world.space.ui_add_property(world.space.data_source_id, "Status", "status")
    page = world.publish("notes")
    world.app.set_status("INC-12", "in_review", GRACE)
    (report,) = world.app.once()
    assert report.result == "halted" and "In review" in report.reasons[0] and "syncd resume INC-12" in report.reasons[0]
    assert shown(world, page, "Status") == "In progress"
    there = world.app.destinations["notes"]
    said = " ".join(there.provider.check(there.place))
    assert "Status has no option In review: add it in Notion, or map it under properties" in said
    world.space.ui_rename_option(world.space.data_source_id, "Status", "Not started", "In review")
    world.app.resume("INC-12", False, GRACE)
    world.in_step()
    assert shown(world, page, "Status") == "In review"


def test_a_renamed_option_is_not_understood_until_it_is_mapped(world: World) -> None:
    page = world.publish("notes")
    world.space.ui_rename_option(world.space.data_source_id, "Status", "In review", "Being read")
    world.space.ui_set_property(page.native_id, "Status", "Being read")
    world.wait(300)
    world.app.once()
    (reason,) = world.app.check("INC-12").export.reasons
    assert reason.code == "not_understood" and "Being read" in reason.message
    assert status(world) is PostmortemStatus.IN_PROGRESS
    mapped = {"status": {"name": "Status", "in_review": "Being read"}}
    world.places["notes"] = replace(world.app.destinations["notes"].place, properties=mapped)
    world.crash()
    world.wait(300)
    world.in_step()
    assert status(world) is PostmortemStatus.IN_REVIEW
    world.quiet()


# --- columns that go ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("running", [True, False])
def test_a_renamed_status_is_followed_whether_syncd_runs_or_not(world: World, running: bool) -> None:
    page = world.publish("notes")
    if not running:
        world.store.close()
    world.space.ui_rename_property(world.space.data_source_id, "Status", "Phase")
    world.space.ui_set_property(page.native_id, "Phase", "In review")
    if not running:
        world.start()
    world.wait(300)
    world.in_step()
    assert status(world) is PostmortemStatus.IN_REVIEW
    world.app.set_status("INC-12", "completed", GRACE)
    world.in_step()
    assert shown(world, page, "Phase") == "Completed"
    world.quiet()


def test_a_page_made_after_a_restart_uses_the_renamed_property(world: World) -> None:
    world.publish("notes")
    world.space.ui_rename_property(world.space.data_source_id, "Status", "Phase")
    world.crash()
    other = {"reference": "INC-13", "name": "Search is slow", "severity": "SEV2"}
    page = world.publish("notes", other)
    assert shown(world, page, "Phase") == "In progress"
    world.quiet()


def test_a_property_that_the_configuration_no_longer_means_is_not_remembered(world: World) -> None:
    page = world.publish("notes")
    world.places["notes"] = replace(world.app.destinations["notes"].place, properties={"status": {"name": "Stage"}})
    world.crash()
    world.wait(300)
    (report,) = world.app.once()
    assert report.result == "waiting" and "Post-mortem status" in report.reasons[0]
    assert shown(world, page, "Status") == "In progress"


def lose(world: World, page: Page, how: str) -> None:
    source = world.space.data_source_id
    if how == "deleted":
        world.space.ui_remove_property(source, "Status")
    elif how == "made anew":
        world.space.ui_remove_property(source, "Status")
        world.space.ui_add_property(source, "Phase", "status")
    else:
        world.space.ui_move_page(page.native_id, world.space.page_id)
    world.crash()  # nothing is remembered but the store


@pytest.mark.parametrize("how", ["deleted", "made anew", "moved"])
def test_a_lost_property_is_named_with_a_way_out_and_the_rest_goes_on(world: World, how: str) -> None:
    page = world.publish("notes")
    lose(world, page, how)
    world.app.edit_follow_up("FU-1", {"status": "done"}, GRACE)
    world.wait(300)
    (report,) = world.app.once()
    assert report.result == "waiting"
    assert "Post-mortem status" in report.reasons[0] and "syncd resume INC-12 --accept" in report.reasons[0]
    assert "[x]" in str(report.written)
    export = world.app.check("INC-12").export
    assert (export.status, [reason.code for reason in export.reasons]) == ("held", ["property_lost"])
    (again,) = world.app.once()
    assert (again.result, again.written) == ("waiting", ())
    world.app.resume("INC-12", True, GRACE)
    world.quiet()


def test_a_property_made_anew_that_the_configuration_names_heals(world: World) -> None:
    page = world.publish("notes")
    lose(world, page, "made anew")
    world.app.once()
    world.space.ui_set_property(page.native_id, "Phase", "Done")
    world.places["notes"] = replace(world.app.destinations["notes"].place, properties={"status": {"name": "Phase"}})
    world.crash()
    world.wait(300)
    world.in_step()
    assert status(world) is PostmortemStatus.COMPLETED


@pytest.mark.parametrize("accept", [True, False])
def test_a_status_that_moved_while_its_property_was_away_is_not_set_back(world: World, accept: bool) -> None:
    page = world.publish("notes")
    world.space.ui_move_page(page.native_id, world.space.page_id)
    world.app.set_status("INC-12", "in_review", GRACE)
    world.wait(300)
    world.app.once()
    if accept:
        world.app.resume("INC-12", True, GRACE)
        world.app.once()
    world.space.ui_move_page(page.native_id, world.space.data_source_id)
    world.wait(300)
    world.in_step()
    assert status(world) is PostmortemStatus.IN_REVIEW
    assert shown(world, page, "Status") == "In review"
    assert world.store.conflicts("INC-12") == []  # what came back unchanged is nobody's edit
