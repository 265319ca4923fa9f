"""The page of one incident: everything is edited in place, made, brought back and let go with mouse and keyboard."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from mapping.incident import Incident
from tests.browser.conftest import ACTOR, House, violations

ROWS = {
    "summary": "Payments failed for an hour.",
    "timeline": [{"key": "T-1", "at": "2026-11-02T10:03:00Z", "title": "Alert fired"}],
    "follow_ups": [{"key": "FU-1", "title": "Alert on queue depth"}],
}

OURS = """
name = "Ours"
write = "in-house"
tasks = ["draft_post_mortem", "debrief"]
[[sections]]
kind = "summary"
"""


@pytest.fixture
def opened(house: House, page: Page) -> Page:
    """The page of INC-1, which has no post-mortem."""
    house.incident("INC-1", **ROWS)
    page.goto(f"{house.address}/incidents/INC-1")
    return page


@pytest.fixture
def exported(house: House, page: Page) -> Path:
    """INC-1 written in the folder, its page open in the browser; the file."""
    house.incident("INC-1", **ROWS)
    house.built.app.create_postmortem("INC-1", "standard", "folder", ACTOR)
    house.once()
    page.goto(f"{house.address}/incidents/INC-1")
    return next((house.folder / "pages").glob("*.md"))


def incident(house: House) -> Incident:
    found = house.built.store.incident("INC-1")
    assert found is not None
    return found


def test_a_post_mortem_is_made_where_a_person_chooses(house: House, opened: Page) -> None:
    opened.get_by_role("button", name="Create post-mortem").click()
    dialog = opened.get_by_role("dialog")
    expect(dialog.get_by_role("radio")).to_have_count(3)
    expect(dialog.get_by_text("Written on the page that you choose below").first).to_be_visible()
    assert violations(opened) == ""
    dialog.get_by_label("Lightweight").check()
    dialog.get_by_label("Where").select_option("second")
    dialog.get_by_role("button", name="Create", exact=True).click()
    expect(dialog).to_be_hidden()
    expect(opened.get_by_role("combobox", name="Status", exact=True)).to_have_value("in_progress")
    made = house.built.store.postmortem("INC-1")
    assert made is not None and (made.template, made.home) == ("lightweight", "second")


def test_a_page_that_exists_is_shown_as_a_plan_and_taken(house: House, opened: Page) -> None:
    (house.folder / "pages").mkdir()
    file = house.folder / "pages" / "ours.md"
    file.write_text("# Checkout\n\n## Action items\n\n- [ ] Limit retries\n", "utf-8")
    opened.get_by_role("button", name="Create post-mortem").click()
    opened.get_by_text("Take a page that exists").click()
    opened.get_by_label("Its link").fill(file.as_uri())
    opened.get_by_role("button", name="See what would be taken").click()
    expect(opened.get_by_text("1 follow-ups and 0 events were recognised")).to_be_visible()
    assert house.built.store.postmortem("INC-1") is None
    opened.get_by_role("button", name="Take this page").click()
    expect(opened.get_by_label("Title of FU-2")).to_have_value("Limit retries")


def test_summary_details_and_rows_are_edited_in_place(house: House, page: Page, exported: Path) -> None:
    page.get_by_text("Edit the summary").click()
    page.get_by_label("The summary as Markdown").fill("Payments failed for *two* hours.")
    page.locator("#edit-summary").get_by_role("button", name="Save").click()
    expect(page.locator("#prose-summary")).to_have_text("Payments failed for two hours.")
    page.get_by_text("Add details").click()
    page.get_by_label("Details of T-1 as Markdown").fill("It was **loud**.")
    page.locator("#more-T-1").get_by_role("button", name="Save").click()
    expect(page.locator("#T-1 strong")).to_have_text("loud")
    page.get_by_label("Status of FU-1").select_option("dropped")
    page.get_by_label("Priority of FU-1").fill("high")
    page.get_by_label("Priority of FU-1").press("Enter")
    page.get_by_label("Time of T-1").fill("10:05")
    page.get_by_label("Time of T-1").press("Enter")
    expect(page.get_by_label("Time of T-1")).to_have_value("2026-11-02 10:05")
    expect(page.locator("#FU-1.dropped")).to_be_visible()
    house.once()
    text = exported.read_text("utf-8")
    assert "*two* hours" in text and "~~Alert on queue depth~~" in text and "2026-11-02 10:05" in text


def test_what_arrived_is_said_and_what_was_removed_comes_back(house: House, page: Page, exported: Path) -> None:
    text = exported.read_text("utf-8")
    row = next(line for line in text.splitlines() if "Alert on queue depth" in line)
    exported.write_text(text.replace(row + "\n", "").replace("Alert fired", "Alert rang"), "utf-8")
    house.once()
    expect(page.get_by_text(re.compile("edits? from the page arrived"))).to_be_visible()
    expect(page.get_by_text("Removed from the page: Alert on queue depth")).to_be_visible()
    page.get_by_role("button", name="Restore").click()
    expect(page.locator(".hidden-row")).to_have_count(0)
    page.get_by_role("button", name="Take back: T-1 title").click()
    expect(page.get_by_label("Event T-1")).to_have_value("Alert fired")
    house.once()
    assert row in exported.read_text("utf-8")


def test_the_flow_is_worked_off_in_the_browser(house: House, page: Page, exported: Path) -> None:
    library = house.folder / "templates" / "ours.toml"
    library.write_text(
        'name = "Ours"\nwrite = "in-house"\ntasks = ["draft_post_mortem", "debrief"]\n[[sections]]\nkind = "summary"\n'
    )
    house.built.library.reload()
    house.incident("INC-2")
    house.built.app.create_postmortem("INC-2", "ours", "", ACTOR)
    page.goto(f"{house.address}/incidents/INC-2")
    gate = page.locator("#gate")
    expect(gate.get_by_text("Not yet.")).to_be_visible()
    gate.get_by_role("button", name="Done: Debrief").click()
    gate.locator("#skip-draft_post_mortem summary").click()
    gate.get_by_label("Why write the post-mortem is skipped").fill("A drill")
    gate.get_by_role("button", name="Skip", exact=True).first.click()
    expect(gate.get_by_text("Yes, this incident may close.")).to_be_visible()
    expect(gate.get_by_text("A drill")).to_be_visible()
    gate.get_by_role("button", name="Undo: Debrief").click()
    expect(gate.get_by_text("Not yet.")).to_be_visible()


def test_what_stops_a_page_has_its_ways_out_as_buttons(house: House, page: Page, exported: Path) -> None:
    exported.write_text(exported.read_text("utf-8").split("\n## ")[0], "utf-8")
    house.once()
    stopped = page.locator(".where", has_text="The section Timeline vanished from the page")
    expect(stopped).to_be_visible()
    assert violations(page) == ""
    page.get_by_role("button", name="Agree, once").click()
    expect(stopped).to_be_hidden()
    house.once()
    expect(page.get_by_text("Removed from the page: Timeline")).to_be_visible()
    assert incident(house).timeline  # nothing is taken from the incident


def test_a_page_is_let_go(house: House, page: Page, exported: Path) -> None:
    exported.write_text(exported.read_text("utf-8").split("\n## ")[0], "utf-8")
    house.once()
    page.get_by_role("button", name="Let go of this page").click()
    expect(page.get_by_text("No longer kept in step")).to_be_visible()
