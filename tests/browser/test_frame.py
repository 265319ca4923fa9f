"""What all pages share: they follow by themselves, take nothing away that somebody types, and are usable by everybody."""

from collections.abc import Callable
from typing import Any, Literal

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import ACTOR, House, violations

ROWS: dict[str, Any] = {
    "follow_ups": [{"key": "FU-1", "title": "Alert on queue depth"}, {"key": "FU-2", "title": "Limit retries"}]
}


@pytest.fixture
def incident(house: House, page: Page) -> str:
    house.incident(**ROWS)
    page.goto(f"{house.address}/incidents/INC-1")
    return "INC-1"


def test_a_page_follows_the_store_and_keeps_what_somebody_is_typing(house: House, page: Page, incident: str) -> None:
    title = page.get_by_label("Title of FU-2")
    title.click()
    title.press("End")
    title.press_sequentially(" to two")
    house.built.app.edit_follow_up("FU-1", {"status": "done", "title": "Alert on depth"}, ACTOR)
    house.built.app.edit_follow_up("FU-2", {"assignee": "ada@example.com"}, ACTOR)
    expect(page.get_by_label("Title of FU-1")).to_have_value("Alert on depth")
    expect(page.get_by_role("checkbox", name="Alert on depth is done")).to_be_checked()
    expect(title).to_have_value("Limit retries to two")
    expect(title).to_be_focused()
    title.press("Enter")
    expect(page.get_by_label("Assignee of FU-2")).to_have_value("ada@example.com")
    expect(page.get_by_text("1 of 2")).to_be_visible()
    assert house.built.store.incident(incident).follow_ups[1].title == "Limit retries to two"  # type: ignore[union-attr]


def test_two_tabs_follow_each_other(house: House, tab: Callable[[], Page], page: Page, incident: str) -> None:
    other = tab()
    other.goto(page.url)
    other.get_by_role("checkbox", name="Limit retries is done").check()
    expect(page.get_by_role("checkbox", name="Limit retries is done")).to_be_checked()


def test_nobody_stumbles(house: House, page: Page, incident: str) -> None:
    schemes: list[Literal["light", "dark"]] = ["light", "dark"]
    for scheme in schemes:
        page.emulate_media(color_scheme=scheme)
        for path in ("/", "/incidents/INC-1", "/incidents/INC-9"):
            page.goto(house.address + path)
            assert violations(page) == "", f"{path} in the {scheme}"


def test_on_a_phone_nothing_is_cut_off(house: House, page: Page, incident: str) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    for path in ("/", "/incidents/INC-1"):
        page.goto(house.address + path)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
