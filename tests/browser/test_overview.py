"""The overview as people use it: searching, narrowing down, going through, with mouse and keyboard."""

import json
import re
from typing import Literal

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import ACTOR, House, violations

ADA = {"name": "Ada Byron", "email": "ada@example.com"}


@pytest.fixture
def overview(house: House, page: Page) -> Page:
    house.incident("INC-1", summary="Nobody could pay.", timestamps={"started": "2026-11-02T10:00:00Z"}, lead=ADA)
    house.incident("INC-2", name="Slow <b>search</b>", severity="SEV2", timestamps={"started": "2026-11-03T10:00:00Z"})
    house.incident("INC-3", name="Alerts were late", severity="SEV3", timestamps={"started": "2026-11-04T10:00:00Z"})
    house.built.app.create_postmortem("INC-1", "standard", "folder", ACTOR)
    house.once()
    page.goto(house.address)
    return page


def shown(page: Page) -> list[str]:
    return page.locator(".incident .ref").all_inner_texts()


def test_the_search_is_a_key_away_and_lives_in_the_address(overview: Page) -> None:
    overview.keyboard.press("/")
    expect(overview.get_by_role("searchbox")).to_be_focused()
    overview.keyboard.type("nobody PA")
    expect(overview).to_have_url(re.compile(r"/\?q=nobody(\+|%20)PA$"))
    expect(overview.locator(".incident")).to_have_count(1)
    expect(overview.locator("mark")).to_have_text(["Nobody", "pay"])
    overview.keyboard.type("/x")
    expect(overview.get_by_role("heading", name="No incident fits")).to_be_visible()
    assert violations(overview) == ""
    overview.go_back()
    expect(overview.get_by_role("searchbox")).to_have_value("nobody PA")
    assert shown(overview) == ["INC-1"]


def test_filters_narrow_down_and_each_is_taken_away_again(overview: Page) -> None:
    assert shown(overview) == ["INC-3", "INC-2", "INC-1"]
    overview.get_by_label("Post-mortem").select_option("None yet")
    expect(overview.locator(".incident")).to_have_count(2)
    overview.get_by_label("Severity").select_option("SEV2")
    expect(overview).to_have_url(re.compile(r"/\?severity=SEV2&status=none$"))
    expect(overview.locator(".incident")).to_have_count(1)
    overview.get_by_role("link", name="Severity: SEV2").click()
    expect(overview).to_have_url(re.compile(r"/\?status=none$"))
    assert shown(overview) == ["INC-3", "INC-2"]
    overview.get_by_label("Order").select_option("Oldest first")
    expect(overview.locator(".incident .ref")).to_have_text(["INC-2", "INC-3"])
    overview.locator(".incident").first.focus()
    overview.keyboard.press("Enter")
    expect(overview).to_have_url(re.compile("/incidents/INC-2$"))


def test_what_needs_a_person_comes_first_as_soon_as_it_does(house: House, overview: Page) -> None:
    overview.get_by_label("Needs a person").check()
    expect(overview.get_by_role("heading", name="Nothing needs a person")).to_be_visible()
    overview.get_by_label("Needs a person").uncheck()
    expect(overview.locator(".incident")).to_have_count(3)
    (page,) = house.built.store.pages("INC-1")
    house.built.store.set_page(page.id, state="halted", reason="The page was emptied: `syncd resume INC-1` goes on.")
    needing = overview.get_by_role("region", name="Needs a person")
    expect(needing.get_by_role("link")).to_contain_text("The page was emptied: syncd resume INC-1 goes on.")
    assert shown(overview) == ["INC-1", "INC-3", "INC-2"]
    schemes: list[Literal["light", "dark"]] = ["light", "dark"]
    for scheme in schemes:
        overview.emulate_media(color_scheme=scheme)
        assert violations(overview) == "", scheme
    overview.set_viewport_size({"width": 390, "height": 844})
    assert overview.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_an_empty_store_says_what_comes_next(house: House, page: Page) -> None:
    page.goto(house.address)
    expect(page.get_by_text("syncd import FILE")).to_be_visible()
    assert violations(page) == ""


def test_many_incidents_come_in_parts(house: House, page: Page) -> None:
    begun = [f"2026-11-02T{minute // 60:02}:{minute % 60:02}:00Z" for minute in range(53)]
    records = [{"reference": f"INC-{n}", "severity": "SEV1", "timestamps": {"started": begun[n]}} for n in range(1, 53)]
    house.built.app.import_records("many.json", json.dumps(records).encode(), None, ACTOR)
    page.goto(f"{house.address}/?severity=SEV1")
    expect(page.get_by_text("1–50 of 52")).to_be_visible()
    page.get_by_role("link", name="Next").click()
    expect(page).to_have_url(re.compile(r"/\?severity=SEV1&page=2$"))
    assert shown(page) == ["INC-2", "INC-1"]
    page.goto(f"{house.address}/?page=9")
    page.get_by_role("link", name="The first of them").click()
    expect(page.get_by_text("1–50 of 52")).to_be_visible()
