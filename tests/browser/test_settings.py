"""Settings: templates are added, edited with a live preview, saved into their files; a refusal loses nothing typed."""

from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Page, expect

from mapping.template import Template
from tests.browser.conftest import ACTOR, House, violations

FILE = """# ours
name = "Ours" # by which people know it
write = "external"

[[sections]]
kind = "summary"

# Ask support.
[[sections]]
id = "impact"
heading = "Impact"
text = "Lead: {{ incident.lead }}."
"""


@pytest.fixture
def file(house: House) -> Path:
    path = house.folder / "templates" / "ours.toml"
    path.write_text(FILE)
    house.built.library.reload()
    house.incident(lead={"name": "Ada Byron", "email": "ada@example.com"})
    return path


@pytest.fixture
def editor(house: House, page: Page, file: Path) -> Page:
    page.goto(f"{house.address}/settings/templates/ours")
    return page


def template(house: House, template_id: str = "ours") -> Template:
    found = house.built.library.get(template_id)
    assert found is not None
    return found


def save(page: Page) -> None:
    page.get_by_role("button", name="Save", exact=True).click()


def saved(page: Page) -> None:
    """The page says so, and has come to rest."""
    expect(page.get_by_role("status").first).to_contain_text("It counts for post-mortems made from now on.")
    expect(page.locator("#preview")).to_contain_text("In step with incident")


def test_templates_are_listed_with_where_they_are_written_added_duplicated_and_deleted(
    house: House, page: Page, file: Path
) -> None:
    page.goto(f"{house.address}/")
    page.get_by_role("link", name="Settings").click()
    expect(page.locator("#template-standard")).to_contain_text("Written externally")
    expect(page.locator("#template-lightweight")).to_contain_text("Written in-house")
    page.get_by_role("button", name="Duplicate standard").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Standard copy")
    page.get_by_role("link", name="All templates").click()
    page.get_by_label("Name").fill("Standard copy")
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_role("alert")).to_contain_text("There is a template 'standard-copy' already.")
    page.get_by_label("Name").fill("Major incident")
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Major incident")
    assert [s.kind for s in template(house, "major-incident").sections] == ["summary", "details", "timeline", "follow_ups"]
    page.get_by_role("link", name="All templates").click()
    page.locator("summary", has_text="Delete ours").click()
    page.get_by_role("button", name="Delete ours for good").click()
    expect(page.locator("#template-ours")).to_have_count(0)
    assert not file.exists()


def test_sections_are_added_moved_and_removed_with_the_keyboard_and_saved_into_the_file(
    house: House, editor: Page, file: Path
) -> None:
    editor.get_by_label("Heading", exact=True).nth(1).fill("Harm")
    editor.get_by_label("Help, shown while nobody wrote").fill("Who noticed?")
    editor.get_by_role("checkbox", name="Affected customers").check()
    up = editor.get_by_role("button", name="Move Impact up")
    up.focus()
    up.press("Enter")
    expect(editor.get_by_label("Heading", exact=True).first).to_have_value("Harm")
    expect(editor.get_by_role("button", name="Move Harm up")).to_be_focused()
    editor.get_by_role("button", name="Remove Summary").press("Enter")
    editor.get_by_role("button", name="Put it back").press("Enter")
    editor.get_by_role("button", name="Remove Summary").press("Enter")
    editor.get_by_label("Add a section").select_option("Timeline")
    editor.get_by_role("button", name="Add section").press("Enter")
    expect(editor.get_by_label("Heading", exact=True).nth(1)).to_have_value("Timeline")
    editor.get_by_role("button", name="Add section").press("Enter")
    editor.get_by_label("Heading", exact=True).nth(2).fill("What we learned")
    save(editor)
    saved(editor)
    sections = template(house).sections
    assert [(s.id, s.heading) for s in sections] == [
        ("impact", "Harm"),
        ("timeline", "Timeline"),
        ("what-we-learned", "What we learned"),
    ]
    assert (sections[0].help, sections[0].custom_fields) == ("Who noticed?", ("affected_customers",))
    text = file.read_text()
    assert "# by which people know it" in text and '# Ask support.\n[[sections]]\nid = "impact"' in text


def test_the_preview_follows_what_is_typed_and_tells_mistakes_with_their_line(editor: Page) -> None:
    preview = editor.locator("#preview")
    expect(preview).to_contain_text("Lead: Ada Byron.")
    text = editor.get_by_label("Text that stands there at first")
    text.fill("Led by {{ incident.lead.name }}, on {{ incident.name }}.")
    expect(preview).to_contain_text("Led by Ada Byron, on Checkout fails.")
    text.fill("One.\n\n{{ incident.lead.nmae }}")
    expect(preview).to_contain_text("Impact, text: line 3: unknown name 'incident.lead.nmae', did you mean 'name'?")
    expect(preview).to_contain_text("Summary")
    editor.get_by_label("Title of the page").fill("Review of {{ incident.reference }}")
    expect(preview).to_contain_text("Review of INC-1")
    editor.get_by_label("of incident").fill("INC-9")
    expect(preview).to_contain_text("There is no incident 'INC-9'")


def test_where_it_is_written_and_its_tasks_in_order(house: House, editor: Page) -> None:
    editor.get_by_role("radio", name="In-house").check()
    editor.get_by_label("Destination").select_option("second")
    editor.get_by_role("button", name="+ Debrief").click()
    editor.get_by_label("Another task").fill("Tell the customers")
    editor.get_by_role("button", name="Add task").click()
    editor.get_by_role("button", name="Move Tell the customers up").click()
    expect(editor.locator(".task-list li").nth(1)).to_contain_text("Tell the customers")
    editor.get_by_role("button", name="Remove Bring it to its page").click()
    expect(editor.locator(".task-list li")).to_have_count(2)
    save(editor)
    saved(editor)
    now = template(house)
    assert (now.write, now.destination, now.tasks) == ("in-house", "second", ("tell_the_customers", "debrief"))


def test_what_cannot_be_saved_is_said_by_its_field_and_stays_typed(house: House, editor: Page, file: Path) -> None:
    editor.get_by_label("Heading", exact=True).nth(1).fill("")
    editor.get_by_label("Text that stands there at first").fill("{{ incident.nme }}")
    save(editor)
    expect(editor.get_by_role("alert")).to_contain_text("Nothing that you typed is lost.")
    expect(editor.locator("#section-1")).to_contain_text("line 1: unknown name 'incident.nme', did you mean 'name'?")
    expect(editor.locator("#section-1")).to_contain_text("need one")
    expect(editor.get_by_label("Text that stands there at first")).to_have_value("{{ incident.nme }}")
    assert file.read_text() == FILE


def test_a_file_that_changed_meanwhile_is_not_written_over_unseen(house: House, editor: Page, file: Path) -> None:
    file.write_text(FILE.replace("external", "in-house"))
    editor.get_by_label("Name").fill("Theirs")
    save(editor)
    alert = editor.get_by_role("alert")
    expect(alert).to_contain_text("was changed since it was read; nothing was written")
    expect(alert).to_contain_text('-name = "Ours"')
    expect(editor.get_by_label("Name")).to_have_value("Theirs")
    assert file.read_text() == FILE.replace("external", "in-house")
    editor.get_by_role("button", name="Save mine over it").click()
    saved(editor)
    assert 'name = "Theirs" # by which' in file.read_text()


def test_in_a_git_work_tree_the_diff_to_apply_is_shown(house: House, editor: Page, file: Path) -> None:
    (house.folder / ".git").mkdir()
    editor.reload()
    expect(editor.locator("main")).to_contain_text("A change is not written from here but shown as a diff")
    editor.get_by_label("Name").fill("Theirs")
    editor.get_by_role("button", name="Show the change").click()
    alert = editor.get_by_role("alert")
    expect(alert).to_contain_text("+++ b/templates/ours.toml")
    expect(alert).to_contain_text('+name = "Theirs" # by which people know it')
    expect(alert).to_contain_text("git apply")
    expect(editor.get_by_label("Name")).to_have_value("Theirs")
    assert file.read_text() == FILE


def test_a_broken_file_is_shown_with_what_is_wrong(house: House, page: Page, file: Path) -> None:
    file.write_text(FILE.replace("summary", "sumary"))
    house.built.library.reload()
    page.goto(f"{house.address}/settings")
    expect(page.locator("#template-ours")).to_contain_text("'sumary' is not one of")
    page.get_by_role("link", name="Look ours").click()
    expect(page.get_by_role("alert")).to_contain_text("Mend")


# --- destinations and connections ---------------------------------------------------------------------------------------


@pytest.fixture
def published(house: House, page: Page, file: Path) -> Page:
    """Its page is on the destination `folder`."""
    house.built.app.create_postmortem("INC-1", "standard", "folder", ACTOR)
    house.once()
    page.goto(f"{house.address}/settings")
    page.get_by_role("link", name="Destinations and connections").click()
    return page


def test_each_destination_says_how_it_is_and_what_of_it_is_in_use(published: Page) -> None:
    folder = published.locator("#destination-folder")
    expect(folder).to_contain_text("1 in step")
    expect(folder.locator(".health")).to_contain_text("Well, checked")
    folder.locator(".health summary").click()
    expect(folder.locator(".findings")).to_be_visible()
    folder.get_by_role("button", name="Check now folder").click()
    expect(folder.locator(".health")).to_contain_text("Well, checked")
    expect(published.locator("#destination-second")).to_contain_text("no pages yet")


def test_a_destination_is_paused_and_resumed(house: House, published: Page) -> None:
    folder = published.locator("#destination-folder")
    folder.locator("summary", has_text="Pause").click()
    folder.get_by_label("Why").fill("the disk is full")
    folder.get_by_role("button", name="Pause folder").click()
    expect(folder).to_contain_text("the disk is full")
    expect(folder).to_contain_text("1 held")
    house.built.app.edit_incident("INC-1", {"name": "Checkout failed"}, ACTOR)
    house.once()
    (file,) = (house.folder / "pages").iterdir()
    assert "Checkout failed" not in file.read_text()
    published.goto(f"{house.address}/incidents/INC-1")
    expect(published.locator("main")).to_contain_text("(the disk is full): nothing is read or written there")
    published.goto(f"{house.address}/settings/templates/ours")
    expect(published.get_by_label("Destination")).to_contain_text("folder (paused)")
    published.goto(f"{house.address}/settings/connections")
    folder.get_by_role("button", name="Resume destination folder").click()
    expect(folder).to_contain_text("1 in step")
    house.once()
    assert "Checkout failed" in file.read_text()


def test_a_connection_is_paused_with_all_its_destinations(house: House, published: Page) -> None:
    connection = published.locator("#connection-files")
    connection.locator("header summary", has_text="Pause").click()
    connection.get_by_role("button", name="Pause files").click()
    expect(connection.get_by_role("button", name="Resume connection files")).to_be_visible()
    expect(published.locator("#destination-folder")).to_contain_text("1 held")
    expect(published.locator("#destination-second .health")).to_contain_text("The connection files is paused")
    connection.get_by_role("button", name="Resume connection files").click()
    expect(published.locator("#destination-folder")).to_contain_text("1 in step")


def test_nobody_stumbles_in_the_settings(house: House, tab: Callable[[], Page], file: Path) -> None:
    page = tab()
    schemes: list[Literal["light", "dark"]] = ["light", "dark"]
    for scheme in schemes:
        page.emulate_media(color_scheme=scheme)
        for path in ("/settings", "/settings/templates/ours", "/settings/connections"):
            page.goto(house.address + path)
            assert violations(page) == "", f"{path} in the {scheme}"
    page.set_viewport_size({"width": 390, "height": 844})
    for path in ("/settings", "/settings/templates/ours", "/settings/connections"):
        page.goto(house.address + path)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
