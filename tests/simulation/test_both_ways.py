"""After people edited the page and other people edited the store, both sides agree: on every service."""

import pytest

from mapping.incident import FollowUpStatus, PostmortemStatus
from tests.simulation.world import GRACE, INCIDENT, World

EVERYWHERE = ["wiki", "dc", "notes", "plain-notes", "files"]


@pytest.fixture(params=EVERYWHERE)
def destination(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def title(world: World, key: str) -> str:
    return next(row.title for row in world.incident().follow_ups if row.key == key)


def test_a_published_page_says_everything_and_is_quiet(world: World, destination: str) -> None:
    page = world.publish(destination)
    text = world.person(page).text()
    for words in (
        "In step with incident INC-12",
        "The checkout queue was full.",
        "Alert fired",
        "Queue depth over",
        "Alert on queue depth",
        "FU-1",
        "T-3",
        "SEV1",
        "Affected customers",
        "Ada Byron",
    ):
        assert words in text
    world.quiet()


def test_what_people_do_on_the_page_reaches_the_store(world: World, destination: str) -> None:
    person = world.person(world.publish(destination))
    person.tick("Alert on queue depth")
    person.reword("Write a runbook for full queues", "Write a runbook for slow queues")
    person.reword("2026-11-02 10:20", "2026-11-02 10:25")
    person.reword("Checkout recovered", "Checkout recovered for everybody")
    person.reword("The checkout queue was full.", "The checkout queue was quite full.")
    person.reword("SEV1", "SEV2")
    person.add_task("Write a runbook", "Page the on-call earlier @Grace Hopkins due 2026-12-05")
    person.add_event("Workers restarted", "10:40", "Queue drained")
    person.add_section("Thanks", "To everybody who woke up.")
    person.set_status("In review")
    world.wait(300)
    world.in_step()
    incident, postmortem = world.incident(), world.store.postmortem("INC-12")
    assert postmortem
    rows = {row.title: row for row in incident.follow_ups}
    assert rows["Alert on queue depth"].status is FollowUpStatus.DONE
    assert "Write a runbook for slow queues" in rows
    new = rows["Page the on-call earlier"]
    assert new.assignee and new.assignee.email == "grace@example.com" and str(new.due_on) == "2026-12-05"
    events = {event.title: event for event in incident.timeline}
    assert events["Workers restarted"].at.isoformat() == "2026-11-02T10:25:00+00:00"
    assert events["Alert fired"].at.isoformat() == "2026-11-02T10:03:27+00:00"
    assert events["Queue drained"].at.isoformat() == "2026-11-02T10:40:00+00:00"
    assert "Checkout recovered for everybody" in events
    assert incident.summary[0].text == "The checkout queue was quite full."
    assert incident.severity == "SEV2"
    assert postmortem.status is PostmortemStatus.IN_REVIEW
    added = next(s for s in postmortem.sections if s.heading == "Thanks")
    assert added.blocks[0].text == "To everybody who woke up."
    text = person.text()
    assert text.count(new.key) == 1 and text.count("Page the on-call earlier") == 1
    assert text.count(events["Queue drained"].key) == 1
    world.quiet()


def test_what_people_do_in_the_store_reaches_the_page(world: World, destination: str) -> None:
    person = world.person(world.publish(destination))
    app = world.app
    app.edit_follow_up("FU-1", {"title": "Alert on queue age", "assignee": "grace@example.com"}, GRACE)
    app.edit_follow_up("FU-2", {"status": "done", "due_on": "2026-12-24"}, GRACE)
    key = app.add_follow_up("INC-12", {"title": "Tell support", "assignee": "ada@example.com"}, GRACE)
    app.edit_event("T-2", {"at": "10:15", "title": "Workers restarted by hand"}, GRACE)
    late = app.add_event("INC-12", {"at": "2026-11-02 10:50", "title": "Support told"}, GRACE)
    app.edit_incident("INC-12", {"severity": "SEV3", "name": "Checkout was down"}, GRACE)
    app.edit_incident("INC-12", {"summary": "The checkout queue was full.\n\nNobody was paged for *twelve* minutes."}, GRACE)
    app.set_status("INC-12", "completed", GRACE)
    world.wait(300)
    world.in_step()
    text = person.text()
    for words in ("Alert on queue age", "Grace Hopkins", "2026-12-24", "Tell support", key, "Workers restarted by hand"):
        assert words in text, words
    for words in ("2026-11-02 10:15", "Support told", late, "SEV3", "Checkout was down", "twelve"):
        assert words in text, words
    assert "ten minutes" not in text and "SEV1" not in text
    world.quiet()


def test_both_sides_at_once(world: World, destination: str) -> None:
    person = world.person(world.publish(destination))
    person.reword("Nobody was paged for ten minutes.", "Nobody was paged for twelve minutes.")
    person.tick("Alert on queue depth")
    person.reword("Remove the retry storm", "Remove the retry storm for good")
    world.app.edit_incident("INC-12", {"summary": "The big queue was full.\n\nNobody was paged for ten minutes."}, GRACE)
    world.app.edit_follow_up("FU-1", {"title": "Alert on queue age"}, GRACE)
    world.app.edit_follow_up("FU-3", {"title": "Remove the retry storm now"}, GRACE)
    world.wait(300)
    world.in_step()
    incident, text = world.incident(), person.text()
    assert [block.text for block in incident.summary] == [
        "The big queue was full.",
        "Nobody was paged for twelve minutes.",
    ]
    assert "The big queue was full." in text and "twelve minutes" in text
    first = incident.follow_ups[0]
    assert (first.title, first.status) == ("Alert on queue age", FollowUpStatus.DONE)
    (conflict,) = world.store.conflicts("INC-12")
    assert {conflict.store.text, conflict.other.text} == {"Remove the retry storm now", "Remove the retry storm for good"}
    assert "Remove the retry storm now" in text
    world.quiet()
    world.app.resolve(conflict.id, "page", None, GRACE)
    world.in_step()
    assert title(world, "FU-3") == "Remove the retry storm for good"
    assert "Remove the retry storm for good" in person.text()
    world.quiet()
    assert [c.state for c in world.store.conflicts("INC-12")] == ["page"]


def test_one_sentence_changed_differently_on_both_sides_keeps_both(world: World, destination: str) -> None:
    person = world.person(world.publish(destination))
    person.reword("The checkout queue was full.", "The checkout cache was full.")
    summary = "The checkout disk was full.\n\nNobody was paged for ten minutes."
    world.app.edit_incident("INC-12", {"summary": summary}, GRACE)
    world.wait(300)
    world.in_step()
    (conflict,) = world.store.conflicts("INC-12")
    assert conflict.shown == "page"
    assert conflict.store.text == "The checkout disk was full."
    assert world.incident().summary[0].text == "The checkout cache was full."
    world.app.resolve(conflict.id, "store", None, GRACE)
    world.in_step()
    assert "The checkout disk was full." in person.text() and "cache" not in person.text()
    world.quiet()


def test_removed_rows_are_hidden_and_come_back(world: World, destination: str) -> None:
    page = world.publish(destination)
    person = world.person(page)
    world.wait(7200)
    person.remove_task("Write a runbook")
    person.remove_event("Workers restarted")
    world.wait(300)
    world.in_step()
    assert set(world.store.hidden(page.id)) == {"FU-2", "T-2"}
    assert title(world, "FU-2") == "Write a runbook for full queues"
    world.quiet()
    world.app.restore("INC-12", "FU-2", GRACE)
    world.in_step()
    assert person.text().count("Write a runbook for full queues") == 1
    world.quiet()


def test_an_emptied_page_halts_and_nothing_is_lost(world: World, destination: str) -> None:
    page = world.publish(destination)
    world.person(page).empty()
    world.wait(300)
    (report,) = world.app.once()
    assert report.result in ("halted", "waiting"), report
    assert len(world.incident().follow_ups) == 3 and len(world.incident().timeline) == 3
    assert world.incident().summary


def test_after_a_crash_the_process_goes_on(world: World, destination: str) -> None:
    person = world.person(world.publish(destination))
    world.crash()
    person.tick("Alert on queue depth")
    world.wait(300)
    world.crash()
    world.in_step()
    assert world.incident().follow_ups[0].status is FollowUpStatus.DONE
    world.quiet()


def test_a_post_mortem_written_in_house_moves_to_the_page(world: World, destination: str) -> None:
    world.take(INCIDENT)
    world.app.create_postmortem("INC-12", "lightweight", "", GRACE)
    postmortem = world.store.postmortem("INC-12")
    assert postmortem
    prose = next(s for s in postmortem.sections if s.kind == "text")
    world.app.edit_section("INC-12", prose.id, "We were **surprised**.\n\n- by the queue\n- by the pager", GRACE)
    world.app.export_postmortem("INC-12", destination, False, GRACE)
    world.in_step()
    person = world.person(world.page(destination=destination))
    assert "surprised" in person.text() and "by the pager" in person.text()
    person.reword("by the pager", "by the silent pager")
    world.wait(300)
    world.in_step()
    after = world.store.postmortem("INC-12")
    assert after and after.home == destination
    section = after.section(prose.id)
    assert section and any(block.text == "by the silent pager" for block in section.blocks)
    world.quiet()
