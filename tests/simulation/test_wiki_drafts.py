"""Somebody has the editor open and has not published: nothing of theirs is written over, and everything else goes on."""

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from mapping.incident import FollowUpStatus
from providers.sandbox.confluence import ConfluenceCloud
from providers.sandbox.confluence_dc import ConfluenceDataCenter
from syncd.pages import Page
from syncd.reconcile import Report
from tests.simulation.people import ADA, WikiPerson
from tests.simulation.world import AT_ONCE, GRACE, World

HALF_HOUR = 1800


@pytest.fixture(params=["wiki", "dc"])
def page(world: World, request: pytest.FixtureRequest) -> Page:
    return world.publish(request.param)


def site_of(world: World, page: Page) -> ConfluenceCloud | ConfluenceDataCenter:
    return world.site(page.destination)


def drafting(world: World, page: Page, text: str = "Half a thought") -> str:
    """Ada types something new at the end and does not publish; the draft's body."""
    site_of(world, page).save_draft(page.native_id, f"{site_of(world, page).current_body(page.native_id)}<p>{text}</p>", ADA)
    draft = site_of(world, page).content[page.native_id].draft
    assert draft
    return draft.body


def asks_for_draft(path: str) -> bool:
    return "get-draft" in path or "status=draft" in path


def edit(world: World) -> None:
    """Something waits to go out to the page."""
    world.app.edit_follow_up("FU-1", {"status": "done"}, GRACE)


def once(world: World) -> Report:
    (report,) = world.app.once()
    return report


def ticked(world: World, page: Page) -> bool:
    return site_of(world, page).current_body(page.native_id).count("<ac:task-status>complete<") == 2


def said(world: World) -> list[str]:
    return [line.new for line in world.store.journal("INC-12") if line.action == "held"]


def test_a_servers_diverging_draft_is_never_written_over(world: World) -> None:
    """The shared draft of Data Center."""
    page = world.publish("dc")
    body = world.server.current_body(page.native_id)
    world.server.save_draft(page.native_id, f"{body}<p>Half a thought</p>", ADA)
    edit(world)
    report = once(world)
    assert (report.result, report.code) == ("waiting", "draft") and "Ada Byron has unpublished changes" in report.reasons[0]
    assert world.server.content[page.native_id].number == 1
    world.server.discard_draft(page.native_id)
    world.in_step()


def test_a_diverging_draft_is_never_written_over(world: World, page: Page) -> None:
    typed = drafting(world, page)
    edit(world)
    report = once(world)
    assert (report.result, report.code) == ("waiting", "draft")
    assert "Ada Byron has unpublished changes" in report.reasons[0]
    assert site_of(world, page).content[page.native_id].number == 1 and not ticked(world, page)
    draft = site_of(world, page).content[page.native_id].draft
    assert draft and draft.body == typed
    assert world.page().state == "held"


LOOKS = {
    "a colour": ("<p>The checkout queue", '<p><span style="color: rgb(255,86,48);">The</span> checkout queue'),
    "alignment": ("<p>The checkout queue", '<p style="text-align: center;">The checkout queue'),
    "a raised word": ("<p>The checkout queue", "<p>The <sup>checkout</sup> queue"),
    "a cell's colour": ("<td>", '<td data-highlight-colour="#deebff">'),
    "a wide table": ("<table[^>]*>", '<table data-layout="wide">'),
}


@pytest.mark.parametrize(("was", "looks"), LOOKS.values(), ids=LOOKS)
def test_a_draft_that_changes_only_looks_is_somebodys_work_too(world: World, page: Page, was: str, looks: str) -> None:
    world.person(page).reword("The checkout queue was full", "The checkout queue was quite full")
    world.in_step()
    body = re.sub(r' (?:ac:)?local-id="[^"]*"', "", site_of(world, page).current_body(page.native_id))
    number = site_of(world, page).content[page.native_id].number
    drawn, count = re.subn(was, looks, body, count=1)
    assert count == 1
    site_of(world, page).save_draft(page.native_id, drawn, ADA)
    edit(world)
    assert once(world).code == "draft"
    assert site_of(world, page).content[page.native_id].number == number


def test_a_draft_that_says_what_the_page_says_is_nobody_editing(world: World, page: Page) -> None:
    site_of(world, page).drafts_linger = True
    person = world.person(page)
    person.reword("The checkout queue was full", "The checkout queue was quite full")
    world.in_step()
    assert site_of(world, page).content[page.native_id].draft is not None
    for status in ("done", "open", "dropped"):
        world.app.edit_follow_up("FU-1", {"status": status}, GRACE)
        world.in_step()


def test_what_people_published_flows_in_while_their_next_draft_waits(world: World, page: Page) -> None:
    person = world.person(page)
    person.tick("Write a runbook")
    drafting(world, page)
    edit(world)
    assert once(world).code == "draft"
    assert world.incident().follow_ups[1].status is FollowUpStatus.DONE


@pytest.mark.parametrize("end", ["published", "discarded"])
def test_the_hold_ends_by_itself_when_the_draft_does(world: World, page: Page, end: str) -> None:
    typed = drafting(world, page)
    edit(world)
    assert once(world).result == "waiting"
    if end == "published":
        site_of(world, page).publish_as_editor(page.native_id, typed, ADA)
    else:
        site_of(world, page).discard_draft(page.native_id)
    world.in_step()
    assert ticked(world, page)
    assert ("Half a thought" in site_of(world, page).current_body(page.native_id)) == (end == "published")
    assert (world.page().state, world.page().code, world.page().draft_since) == ("live", "", None)


def test_a_long_draft_is_said_once_with_since_when_and_the_way_out(world: World, page: Page) -> None:
    drafting(world, page)
    edit(world)
    began = world.now
    once(world)
    world.wait(HALF_HOUR - 60)
    assert "10:00 UTC" not in once(world).reasons[0] and said(world) == []
    world.crash()
    world.wait(120)
    for _ in range(3):
        (reason,) = once(world).reasons
        assert f"since {began:%Y-%m-%d %H:%M} UTC" in reason
        assert "syncd resume INC-12 --accept" in reason
        world.crash()
    assert said(world) == [reason]
    assert world.page().reason == reason


def test_a_person_may_have_it_written_over_once(world: World, page: Page) -> None:
    drafting(world, page)
    edit(world)
    once(world)
    world.app.resume("INC-12", True, GRACE)
    world.in_step()
    assert ticked(world, page)
    drafting(world, page, "Another thought")
    world.app.edit_follow_up("FU-1", {"status": "open"}, GRACE)
    assert once(world).code == "draft"


def test_resume_alone_writes_over_nothing(world: World, page: Page) -> None:
    drafting(world, page)
    edit(world)
    once(world)
    world.app.resume("INC-12", False, GRACE)
    assert once(world).code == "draft"


@pytest.mark.parametrize("destination", ["wiki", "dc"])
def test_no_seconds_of_patience_with_drafts_is_none_at_all(tmp_path: Path, destination: str) -> None:
    world = World(tmp_path, replace(AT_ONCE, draft_hold=timedelta(0)))
    page = world.publish(destination)
    drafting(world, page)
    edit(world)
    site_of(world, page).requests.clear()
    world.app.plan("INC-12")
    world.in_step()
    assert ticked(world, page)
    assert not [path for _, path in site_of(world, page).requests if asks_for_draft(path)]
    world.store.close()


def test_a_draft_alone_makes_no_gate_say_no(world: World, page: Page) -> None:
    drafting(world, page)
    edit(world)
    gate = world.app.check("INC-12")  # before any pass met it, and after
    once(world)
    for answer in (gate, world.app.check("INC-12")):
        assert (answer.answer, answer.export.status) == ("yes", "held")
        assert [reason.code for reason in answer.export.reasons] == ["draft"]


def test_a_draft_hides_nothing_worse(world: World, page: Page) -> None:
    world.app.export_postmortem("INC-12", "files", False, GRACE)
    world.in_step()
    drafting(world, page)
    edit(world)
    world.app.once()
    world.wait(300)
    world.person(world.page(destination="files")).tick("Write a runbook")
    answer = world.app.check("INC-12")
    assert (answer.answer, answer.export.status) == ("no", "stale")


def test_what_people_published_and_nobody_took_in_yet_is_no_matter_of_the_draft(world: World, page: Page) -> None:
    drafting(world, page)
    edit(world)
    once(world)
    world.person(page).tick("Write a runbook")
    drafting(world, page)
    answer = world.app.check("INC-12")
    assert (answer.answer, answer.export.status) == ("no", "stale")


def test_a_value_that_nobody_understands_is_not_excused_by_a_draft(world: World, page: Page) -> None:
    world.person(page).reword("SEV1", "SEV9")
    once(world)
    drafting(world, page)
    edit(world)
    once(world)
    answer = world.app.check("INC-12")
    assert answer.answer == "no"
    assert [reason.code for reason in answer.export.reasons] == ["not_understood"]


def test_the_plan_says_it_too_and_changes_nothing(world: World, page: Page) -> None:
    drafting(world, page)
    edit(world)
    before = world.page()
    (report,) = world.app.plan("INC-12")
    assert report.code == "draft" and any("[x]" in line for line in report.written)
    assert world.page() == before


def test_nobody_looks_for_drafts_where_nothing_waits(world: World, page: Page) -> None:
    drafting(world, page)
    site_of(world, page).requests.clear()
    world.in_step()
    assert not [path for _, path in site_of(world, page).requests if asks_for_draft(path)]


def test_a_draft_that_begins_at_the_last_moment_is_seen(world: World, page: Page) -> None:
    """Between the look that found something to write and the write."""
    there = world.app.destinations[page.destination]
    seen = there.provider.read(there.place, page.native_id)
    person = world.person(page)
    assert isinstance(person, WikiPerson)
    drafting(world, page)
    blocks = tuple(b for b in seen.doc.blocks if b.text != "Nobody was paged for ten minutes.")
    outcome = there.provider.write(there.place, seen, replace(seen.doc, blocks=blocks), "late")
    assert type(outcome).__name__ == "Held"
    assert site_of(world, page).content[page.native_id].number == 1
