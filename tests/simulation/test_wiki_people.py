"""People on a Confluence page: whom a mention means, and what stands there when nobody knows."""

import pytest

from syncd.pages import Page
from tests.simulation.people import WikiPerson
from tests.simulation.world import GRACE, World


@pytest.fixture
def page(world: World) -> Page:
    return world.publish("wiki")


def mention(world: World, login: str) -> str:
    return f'<ac:link><ri:user ri:account-id="{world.wiki.account(login).id}" /></ac:link>'


def assign(world: World, page: Page, who: str) -> None:
    """Ada names somebody behind the runbook on the page."""
    person = world.person(page)
    assert isinstance(person, WikiPerson)
    person.publish(person.body.replace("Write a runbook for full queues", f"Write a runbook for full queues {who}"))
    world.in_step()


def assignee(world: World) -> tuple[str, str] | None:
    found = world.incident().follow_ups[1].assignee
    return (found.name, found.email) if found else None


def test_a_mention_made_on_the_page_becomes_the_assignee(world: World, page: Page) -> None:
    assign(world, page, mention(world, "grace@example.com"))
    assert assignee(world) == ("Grace Hopkins", "grace@example.com")


def test_a_mention_of_somebody_whose_e_mail_is_hidden_is_a_name_and_nothing_is_invented(world: World, page: Page) -> None:
    """An account without a visible e-mail."""
    world.wiki.add_account("quiet", "Mary Quiet")
    assign(world, page, mention(world, "quiet"))
    assert assignee(world) == ("Mary Quiet", "")
    assert all("quiet" not in person.email for person in world.store.people())
    body = world.wiki.current_body(page.native_id)
    assert mention(world, "quiet") in body, "their mention stays one"
    world.app.edit_follow_up("FU-2", {"title": "Write two runbooks"}, GRACE)
    world.in_step()
    assert mention(world, "quiet") in world.wiki.current_body(page.native_id)
    assert assignee(world) == ("Mary Quiet", "")


def test_a_name_that_nobody_has_an_account_for_stays_text(world: World, page: Page) -> None:
    world.app.edit_follow_up("FU-2", {"assignee": "Nobody Here"}, GRACE)
    world.in_step()
    assert "Nobody Here" in world.person(page).text()
    assert assignee(world) == ("Nobody Here", "")


def test_an_account_with_the_same_name_is_nobody_until_its_e_mail_says_so(world: World, page: Page) -> None:
    """A name is searched for, an e-mail is believed."""
    world.wiki.add_account("namesake", "Linda Twin")
    world.app.edit_follow_up("FU-2", {"assignee": "linda@example.com"}, GRACE)
    world.in_step()
    assert mention(world, "namesake") not in world.wiki.current_body(page.native_id)
