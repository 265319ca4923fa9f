"""Both sides changed the same: a person sees both versions, chooses, and may take the choice back."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import ACTOR, House, violations

TIMELINE = [{"key": "T-1", "at": "2026-11-02T10:03:00Z", "title": "Alert fired"}]


@pytest.fixture
def clashing(house: House) -> House:
    """INC-1 on a page of the folder; the page and the incident call T-1 differently."""
    house.incident(timeline=TIMELINE)
    house.built.app.create_postmortem("INC-1", "standard", "folder", ACTOR)
    house.once()
    (page,) = (house.folder / "pages").glob("*.md")
    page.write_text(page.read_text("utf-8").replace("Alert fired", "Alert rang"), "utf-8")
    house.built.app.edit_event("T-1", {"title": "Alert was loud"}, ACTOR)
    house.once()
    return house


def title(house: House) -> str:
    incident = house.built.store.incident("INC-1")
    assert incident is not None
    return incident.timeline[0].title


def test_a_choice_in_the_inbox_is_one_click_and_can_be_undone(clashing: House, page: Page) -> None:
    page.goto(clashing.address)
    page.get_by_role("link", name="Conflicts").click()
    card = page.get_by_role("region", name="Conflict about the title of T-1")
    expect(card.locator("mark")).to_have_text(["rang", "was loud"])
    expect(card.get_by_text("In the incident · Ada Byron")).to_be_visible()
    card.get_by_role("button", name="Take the page's").click()
    expect(page.get_by_text("Nothing waits for a choice.")).to_be_visible()
    assert title(clashing) == "Alert rang"
    page.get_by_role("button", name="Undo the choice about the title of T-1 of INC-1").click()
    expect(card).to_be_visible()
    assert title(clashing) == "Alert was loud"
    assert violations(page) == ""


def test_on_the_incident_both_are_kept_or_another_text_is_written(clashing: House, page: Page) -> None:
    page.goto(f"{clashing.address}/incidents/INC-1")
    card = page.get_by_role("region", name="Conflict about the title of T-1")
    card.get_by_text("Write another").click()
    own = card.get_by_label("Another text for the title of T-1")
    expect(own).to_have_value("Alert was loud")
    own.fill("The alert rang loudly")
    card.get_by_role("button", name="Take this text").click()
    expect(card).to_be_hidden()
    expect(page.get_by_label("Event T-1")).to_have_value("The alert rang loudly")
