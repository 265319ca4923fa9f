"""The page of insights: drawings that are read aloud too, tables behind them, files, and the way to what they count."""

import re
from typing import Literal

from playwright.sync_api import Page, expect

from tests.browser.conftest import ACTOR, House, violations


def test_insights_are_drawn_told_and_taken_along(house: House, page: Page) -> None:
    late = {"title": "Alert on depth", "due_on": "2026-01-01", "assignee": {"name": "Ada Byron", "email": "ada@example.com"}}
    house.incident("INC-1", phase="closed", follow_ups=[late, {"title": "Limit retries"}])
    house.incident("INC-2", phase="closed")
    house.built.app.create_postmortem("INC-2", "lightweight", "", ACTOR)
    house.built.app.set_status("INC-2", "completed", ACTOR)
    page.goto(house.address)
    page.get_by_role("link", name="Insights").click()
    owners = page.get_by_role("img", name=re.compile("^By owner"))
    expect(owners).to_have_accessible_description("Ada Byron: 1 overdue; nobody: 1 not yet due")
    schemes: list[Literal["light", "dark"]] = ["light", "dark"]
    for scheme in schemes:
        page.emulate_media(color_scheme=scheme)
        assert violations(page) == "", scheme
    card = page.get_by_role("region", name="Open follow-ups")
    card.get_by_text("As a table").click()
    expect(card.get_by_role("row", name=re.compile("Ada Byron ada@example.com 1 1"))).to_be_visible()
    assert violations(page) == ""
    with page.expect_download() as download:
        card.get_by_role("link", name="as CSV").click()
    assert download.value.suggested_filename == "follow-ups.csv"
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("link", name="See them").click()
    expect(page.locator(".incident .ref")).to_have_text(["INC-1"])
