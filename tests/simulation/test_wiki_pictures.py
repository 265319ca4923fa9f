"""A picture that lies on the web is one in the store's Markdown and one on the page, and goes both ways."""

import pytest

from mapping.markdown import to_markdown
from syncd.pages import Page
from tests.simulation.people import WikiPerson
from tests.simulation.world import GRACE, World

GRAPH = "![queue depth](https://grafana.example.com/d/pool.png?from=1&to=2)"
MARKUP = '<ri:url ri:value="https://grafana.example.com/d/pool.png?from=1&amp;to=2"'


@pytest.fixture(params=["wiki", "dc"])
def page(world: World, request: pytest.FixtureRequest) -> Page:
    return world.publish(request.param)


def person_of(world: World, page: Page) -> WikiPerson:
    person = world.person(page)
    assert isinstance(person, WikiPerson)
    return person


def impact(world: World) -> str:
    postmortem = world.store.postmortem("INC-12")
    section = postmortem and postmortem.section("impact")
    assert section
    return to_markdown(section.blocks)


def test_a_picture_of_the_store_is_shown_on_the_page(world: World, page: Page) -> None:
    world.app.edit_section("INC-12", "impact", f"It was full:\n\n{GRAPH}\n\nSee {GRAPH} there.", GRACE)
    world.in_step()
    assert person_of(world, page).body.count(MARKUP) == 2
    world.quiet()
    world.app.edit_section("INC-12", "impact", "It was full.", GRACE)
    world.in_step()
    assert MARKUP not in person_of(world, page).body


def test_a_picture_of_the_page_is_one_in_the_store_and_keeps_its_looks(world: World, page: Page) -> None:
    world.app.edit_section("INC-12", "impact", f"It was full: {GRAPH} at noon.", GRACE)
    world.in_step()
    person = person_of(world, page)
    person.publish(person.body.replace("<ac:image ", '<ac:image ac:width="320" ').replace("queue depth", "the queue"))
    world.in_step()
    assert "![the queue](https://grafana.example.com/d/pool.png?from=1&to=2)" in impact(world)
    world.quiet()
    world.app.edit_section("INC-12", "impact", impact(world).replace("full", "quite full"), GRACE)
    world.in_step()
    assert "It was quite full" in person.body and 'ac:width="320"' in person.body
    world.quiet()


def test_a_copy_that_shows_no_pictures_has_a_link_and_all_stay_in_step(world: World, page: Page) -> None:
    for copy in ("notes", "files"):
        world.app.export_postmortem("INC-12", copy, True, GRACE)
    world.app.edit_section("INC-12", "impact", f"It was full: {GRAPH} at noon.", GRACE)
    world.in_step()
    world.quiet()
    assert GRAPH in impact(world) and MARKUP in person_of(world, page).body
    person = person_of(world, page)
    person.reword("at noon", "at one")
    world.in_step()
    world.quiet()
    assert GRAPH in impact(world) and "at one" in world.person(world.page(destination="notes")).text()


@pytest.mark.parametrize("copy", ["notes", "files"])
def test_words_written_on_such_a_copy_leave_the_picture_a_picture(world: World, page: Page, copy: str) -> None:
    world.app.export_postmortem("INC-12", copy, True, GRACE)
    world.app.edit_section("INC-12", "impact", f"It was full: {GRAPH} at noon.", GRACE)
    world.in_step()
    world.person(world.page(destination=copy)).reword("at noon", "at one")
    world.wait(400)
    world.in_step()
    world.quiet()
    assert GRAPH in impact(world) and "at one" in impact(world)
    assert MARKUP in person_of(world, page).body and "at one" in person_of(world, page).text()
