"""Writing in-house: nothing typed is lost, whoever else writes, whether the server answers or not."""

import base64
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from mapping.markdown import to_markdown
from tests.browser.conftest import ACTOR, House, violations

PIXEL = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")
TEMPLATE = """
name = "Ours"
write = "in-house"
title = "{{ incident.reference }} {{ incident.name }}"
[[sections]]
kind = "summary"
[[sections]]
id = "impact"
kind = "text"
heading = "Impact"
help = "Who noticed, and **for how long**?"
custom_fields = ["affected_customers"]
text = "Nobody knows yet."
[[sections]]
id = "lessons"
kind = "text"
heading = "Lessons"
"""


@pytest.fixture
def address(house: House) -> str:
    (house.folder / "templates" / "ours.toml").write_text(TEMPLATE, "utf-8")
    assert house.built.library.reload() == []
    house.incident(summary="Checkout failed.")
    house.built.app.create_postmortem("INC-1", "ours", "", ACTOR)
    return f"{house.address}/incidents/INC-1/write"


def editor(page: Page, heading: str) -> Locator:
    return page.get_by_role("textbox", name=heading, exact=True)


def state(page: Page, section: str) -> Locator:
    return page.locator(f"#section-{section} [data-said]")


def held(house: House, section: str) -> str:
    return to_markdown(house.built.app.prose("INC-1", section)[1]).strip()


def test_what_is_typed_is_saved_by_itself_and_there_after_a_reload(house: House, page: Page, address: str) -> None:
    page.goto(address)
    area = editor(page, "Impact")
    expect(page.get_by_text("Who noticed, and for how long?")).to_be_visible()
    area.fill("")
    area.press_sequentially("Two thousand ")
    area.press("Control+b")
    area.press_sequentially("shoppers")
    expect(state(page, "impact")).to_have_text("Saved")
    assert held(house, "impact") == "Two thousand **shoppers**"
    expect(page.get_by_text("Who noticed, and for how long?")).to_be_hidden()
    expect(page.locator("#section-impact").get_by_text("not written yet")).to_be_hidden()
    page.reload()
    expect(area).to_have_value("Two thousand **shoppers**")
    page.locator("#section-impact").get_by_role("button", name="Preview").click()
    expect(page.locator("#section-impact strong")).to_have_text("shoppers")


def test_two_tabs_write_in_one_section_and_neither_loses_anything(
    house: House, tab: Callable[[], Page], page: Page, address: str
) -> None:
    page.goto(address)
    other = tab()
    other.goto(address)
    mine, theirs = editor(page, "Lessons"), editor(other, "Lessons")
    mine.press_sequentially("We learned much.")
    expect(theirs).to_have_value("We learned much.")
    theirs.press("Control+End")
    theirs.press_sequentially("\n\nBigger queues.")
    mine.press("Control+Home")
    mine.press_sequentially("First: ")  # while the other's text arrives
    for area in (mine, theirs):
        expect(area).to_have_value("First: We learned much.\n\nBigger queues.")
    mine.press_sequentially("oh, ")
    expect(theirs).to_have_value("First: oh, We learned much.\n\nBigger queues.")
    assert held(house, "lessons") == "First: oh, We learned much.\n\nBigger queues."


def test_when_both_change_the_same_words_both_versions_stay_and_one_can_be_taken(
    house: House, page: Page, address: str
) -> None:
    house.built.app.edit_section("INC-1", "lessons", "It took some hours.", ACTOR)
    page.goto(address)
    area = editor(page, "Lessons")
    expect(area).to_have_value("It took some hours.")
    page.route("**/sections/lessons", lambda route: route.abort())
    area.fill("It took three hours.")
    expect(state(page, "lessons")).to_contain_text("Offline")
    house.built.app.edit_section("INC-1", "lessons", "It took two hours.", ACTOR)
    page.unroute("**/sections/lessons")
    expect(area).to_have_value("It took two hours.\n\nIt took three hours.")
    expect(page.get_by_text("Somebody changed the same words.").first).to_be_visible()
    page.get_by_role("button", name="Take theirs").click()
    expect(area).to_have_value("It took two hours.\n\n")
    expect(state(page, "lessons")).to_have_text("Saved")
    assert held(house, "lessons") == "It took two hours."


def test_what_is_typed_without_a_connection_is_kept_and_saved_when_it_is_back(
    house: House, context: BrowserContext, page: Page, address: str
) -> None:
    page.goto(address)
    context.set_offline(True)
    editor(page, "Lessons").press_sequentially("Written on a train.")
    expect(state(page, "lessons")).to_have_text("Offline: kept in this browser, will be saved")
    house.built.app.edit_section("INC-1", "lessons", "Meanwhile at the office.", ACTOR)
    context.set_offline(False)
    expect(state(page, "lessons")).to_have_text("Saved")
    expect(editor(page, "Lessons")).to_have_value("Meanwhile at the office.\n\nWritten on a train.")
    assert held(house, "lessons") == "Meanwhile at the office.\n\nWritten on a train."


def test_what_a_closed_tab_could_not_save_is_saved_when_the_page_is_opened_again(
    house: House, tab: Callable[[], Page], page: Page, address: str
) -> None:
    page.goto(address)
    page.route("**/sections/lessons", lambda route: route.abort())
    editor(page, "Lessons").press_sequentially("Nearly lost.")
    expect(state(page, "lessons")).to_contain_text("kept in this browser")
    page.close()
    assert held(house, "lessons") == ""
    again = tab()
    again.goto(address)
    expect(editor(again, "Lessons")).to_have_value("Nearly lost.")
    assert held(house, "lessons") == "Nearly lost."
    assert again.evaluate("Object.keys(localStorage).length") == 0


def test_a_picture_is_pasted_kept_and_shown(house: House, page: Page, address: str) -> None:
    page.goto(address)
    area = editor(page, "Lessons")
    area.press_sequentially("See: ")
    page.locator("#section-lessons input[type=file]").set_input_files(
        {"name": "graph.png", "mimeType": "image/png", "buffer": PIXEL}
    )
    expect(area).to_have_value(re.compile(r"^See: !\[graph\]\(/attachments/[0-9a-f]{32}\.png\)$"))
    expect(state(page, "lessons")).to_have_text("Saved")
    paste = """(area, data) => {
        const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
        const clipboard = new DataTransfer();
        clipboard.items.add(new File([bytes], "again.png", { type: "image/png" }));
        area.dispatchEvent(new ClipboardEvent("paste", { clipboardData: clipboard, bubbles: true, cancelable: true }));
    }"""
    area.evaluate(paste, base64.b64encode(PIXEL).decode())
    expect(area).to_have_value(re.compile(r"\)!\[again\]\(/attachments/[0-9a-f]{32}\.png\)$"))
    page.locator("#section-lessons").get_by_role("button", name="Preview").click()
    shown = page.get_by_role("img", name="graph")
    expect(shown).to_be_visible()
    assert shown.evaluate("(image) => image.decode().then(() => image.naturalWidth)") == 1


def test_a_custom_field_is_edited_where_the_section_reminds_of_it(house: House, page: Page, address: str) -> None:
    page.goto(address)
    field = page.get_by_label("Affected customers")
    field.fill("1200")
    field.press("Enter")
    expect(field).not_to_have_attribute("data-sending", "")
    page.reload()
    expect(field).to_have_value("1200")


def test_exporting_shows_the_page_first_then_sections_are_written_there_until_they_come_home(
    house: House, page: Page, address: str
) -> None:
    house.built.app.edit_section("INC-1", "lessons", "We learned **much**.", ACTOR)
    page.goto(address)
    page.get_by_role("link", name="Export…").click()
    preview = page.get_by_role("region", name="How the page will look")
    expect(preview.get_by_role("heading", name="INC-1 Checkout fails")).to_be_visible()
    expect(preview.locator("strong")).to_have_text("much")
    page.get_by_label("second").check()
    page.get_by_role("button", name="Export", exact=True).click()
    expect(page.get_by_role("heading", name="Written on second")).to_be_visible()
    expect(page.get_by_role("textbox")).to_have_count(0)
    house.once()
    written = next((house.folder / "second").glob("*.md"))
    written.write_text(written.read_text("utf-8").replace("**much**", "**very much**"), "utf-8")
    house.once()
    expect(page.locator("#prose-lessons strong")).to_have_text("very much")
    page.get_by_role("button", name="Bring home").click()
    expect(editor(page, "Lessons")).to_have_value("We learned **very much**.")


def test_a_copy_is_exported_and_writing_stays_here(house: House, page: Page, address: str) -> None:
    page.goto(address.replace("/write", "/export"))
    page.get_by_role("button", name="Export as a copy").click()
    page.goto(address)
    expect(editor(page, "Lessons")).to_be_visible()
    house.once()
    assert list((house.folder / "pages").glob("*.md"))


def test_nobody_stumbles_while_writing(house: House, page: Page, address: str) -> None:
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        for path in (address, address.replace("/write", "/export")):
            page.goto(path)
            page.wait_for_load_state("networkidle") if path.endswith("/export") else None
            assert violations(page) == "", f"{path} in the {scheme}"
    page.set_viewport_size({"width": 390, "height": 844})
    for path in (address, address.replace("/write", "/export")):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
