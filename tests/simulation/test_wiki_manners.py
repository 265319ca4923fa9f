"""How we behave on somebody's Confluence: labels, mails, comments, versions and their messages, and what all that costs."""

import re
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Literal

import pytest

from providers.contract import Done
from providers.sandbox.confluence_front import FrontDoor
from providers.sandbox.confluence_records import Label
from providers.sandbox.faults import Fault
from syncd.journal_words import travelled
from syncd.pages import Page
from syncd.reconcile import Report
from tests.simulation.people import ADA, WikiPerson
from tests.simulation.world import AT_ONCE, GRACE, INCIDENT, World

EDITIONS = ["wiki", "dc"]
WHO = {"wiki": "bot@example.com", "dc": "personal-access-token"}
NINE = "The checkout queue was full.\n\nNobody was paged for nine minutes."


@pytest.fixture(params=EDITIONS)
def edition(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def site_of(world: World, edition: str) -> FrontDoor:
    return world.wiki if edition == "wiki" else world.server


def edit(world: World, status: str = "done") -> None:
    world.app.edit_follow_up("FU-1", {"status": status}, GRACE)


def once(world: World) -> Report:
    (report,) = world.app.once()
    return report


def actions(world: World, action: str) -> list[str]:
    return [line.new for line in world.store.journal("INC-12") if line.action == action]


# --- labels -------------------------------------------------------------------------------------------------------------


def labelling(method: str, path: str) -> bool:
    return method == "POST" and path.partition("?")[0].endswith("/label")


def test_a_new_page_is_labelled_without_another_version(world: World, edition: str) -> None:
    page = world.publish(edition)
    stored = site_of(world, edition).content[page.native_id]
    assert set(stored.labels) == {"post-mortem", "sev1"}
    assert stored.number == 1


@pytest.mark.parametrize("kind", ["request_lost", "reply_lost"])
def test_a_process_that_dies_before_it_labelled_labels_once_when_it_is_back(
    world: World, kind: Literal["request_lost", "reply_lost"]
) -> None:
    world.to_wiki.script += [Fault(kind, labelling)] * 2
    page = world.publish("wiki")
    world.to_wiki.script.clear()
    labels = world.wiki.content[page.native_id].labels
    assert bool(labels) == (kind == "reply_lost")
    world.crash()
    world.in_step()
    assert set(labels) == {"post-mortem", "sev1"}
    del labels["post-mortem"]  # somebody takes it off
    edit(world)
    world.crash()
    world.in_step()
    assert set(labels) == {"sev1"}


def test_a_page_made_by_a_process_that_died_is_labelled_too(world: World) -> None:
    world.take(INCIDENT)
    world.app.create_postmortem("INC-12", "standard", "wiki", GRACE)
    world.to_wiki.script.append(Fault("reply_lost", lambda method, path: (method, path) == ("POST", "/api/v2/pages")))
    assert once(world).result == "waiting"
    world.crash()
    world.in_step()
    assert set(world.wiki.content[world.page().native_id].labels) == {"post-mortem", "sev1"}


def test_labels_that_we_may_not_put_on_keep_nothing_from_being_in_step(world: World) -> None:
    world.to_wiki.script += [Fault("status", labelling, 403)]
    page = world.publish("wiki")
    assert world.wiki.content[page.native_id].labels == {}
    assert len(actions(world, "left unlabelled")) == 1
    world.wiki.requests.clear()
    edit(world)
    world.in_step()
    assert not [path for _, path in world.wiki.requests if "label" in path]


def test_what_people_set_around_the_text_stays_theirs(world: World, edition: str) -> None:
    """Labels, page width, restrictions and the place in the tree, through a write of the text and of the title."""
    page = world.publish(edition)
    site = site_of(world, edition)
    stored = site.content[page.native_id]
    us = site.account(WHO[edition]).id
    stored.labels = {"theirs": Label(site.label_id("theirs"), world.now)}
    stored.properties = {}
    site.add_property(stored, "content-appearance-published", "full-width", site.account(ADA))
    stored.restrictions = {"read": {us, site.account(ADA).id}, "update": {us}}
    site.move(page.native_id, site.homepage_id)

    def around() -> object:
        return deepcopy((stored.labels, stored.properties, stored.restrictions, stored.parent_id, stored.position))

    before, number = around(), stored.number
    edit(world)
    world.app.edit_incident("INC-12", {"name": "Checkout is slow"}, GRACE)
    world.in_step()
    assert around() == before
    assert stored.number > number and "Checkout is slow" in stored.title


@pytest.mark.parametrize(
    ("severity", "label"),
    [("SEV1", "sev1"), ("Sev 1 (critical)", "sev-1-critical"), ("P1: höchste!", "p1-höchste"), ("!", "")],
)
def test_a_label_is_spelled_as_the_service_allows(world: World, severity: str, label: str) -> None:
    page = world.publish("wiki")
    there = world.app.destinations["wiki"]
    world.wiki.content[page.native_id].labels.clear()
    assert isinstance(there.provider.label(there.place, page.native_id, [severity]), Done)
    assert list(world.wiki.content[page.native_id].labels) == ([label] if label else [])


# --- mails --------------------------------------------------------------------------------------------------------------


def test_we_watch_nothing_that_we_edit_and_stop_nobody_else(world: World, edition: str) -> None:
    page = world.publish(edition)
    stored = site_of(world, edition).content[page.native_id]
    assert not stored.watchers
    stored.watchers.add("somebody")
    edit(world)
    world.in_step()
    assert stored.watchers == {"somebody"}


def test_mails_that_we_cannot_refuse_are_no_trouble(world: World, caplog: pytest.LogCaptureFixture) -> None:
    page = world.publish("wiki")
    edit(world)
    world.to_wiki.script.append(Fault("status", lambda method, path: method == "DELETE", 403))
    world.in_step()
    assert f"watching page {page.native_id}" in caplog.text
    assert world.wiki.content[page.native_id].number == 2


# --- comments -----------------------------------------------------------------------------------------------------------


def asked_for_comments(world: World, edition: str = "wiki") -> int:
    return sum("comment" in path for _, path in site_of(world, edition).requests)


def comment_on(world: World, page: Page, words: str, edition: str = "wiki") -> str:
    """Somebody comments on these words; the id of their comment."""
    site = site_of(world, edition)
    stored = site.content[page.native_id]
    comment = site.add_comment(stored, "<p>Really?</p>", site.account(ADA), None, True)
    site.anchor(stored, comment, words, 0)
    return comment.id


def test_a_comment_whose_words_our_edit_takes_away_is_told_of_once(world: World, edition: str) -> None:
    page = world.publish(edition)
    comment = comment_on(world, page, "ten minutes", edition)
    world.in_step()
    world.app.edit_incident("INC-12", {"summary": "The checkout queue was full."}, GRACE)
    report = once(world)
    site = site_of(world, edition)
    assert site.resolution(site.comments[comment]) == "dangling"
    assert [line for line in report.written if "lost the words" in line] == [
        "a comment lost the words it was on: “ten minutes”"
    ]
    for _ in range(2):
        edit(world, "done" if _ else "open")
        world.crash()
        world.in_step()
    assert actions(world, "orphaned") == ["ten minutes"]
    (line,) = [line for line in world.store.journal("INC-12") if line.action == "orphaned"]
    assert line.actor.side == "sync"
    assert (travelled(line).what, travelled(line).detail) == ("a comment lost the words it was on", "ten minutes")


def test_a_comment_made_between_the_look_and_the_write_is_told_of_too(world: World) -> None:
    page = world.publish("wiki")
    there = world.app.destinations["wiki"]
    seen = there.provider.read(there.place, page.native_id)
    comment_on(world, page, "ten minutes")
    blocks = tuple(b for b in seen.doc.blocks if b.text != "Nobody was paged for ten minutes.")
    outcome = there.provider.write(there.place, seen, replace(seen.doc, blocks=blocks), "note")
    assert isinstance(outcome, Done) and list(outcome.orphans.values()) == ["ten minutes"]


def test_the_body_is_read_right_before_it_is_written_also_where_comments_stand(world: World, edition: str) -> None:
    """A comment moves no version: one made after that read and before the write would lose its marker by it."""
    page = world.publish(edition)
    comment_on(world, page, "ten minutes", edition)
    world.in_step()
    site = site_of(world, edition)
    done = len(site.requests)
    edit(world)
    world.in_step()
    asked = site.requests[done:]
    (written,) = [n for n, (method, path) in enumerate(asked) if method == "PUT" and page.native_id in path]
    method, path = asked[written - 1]
    assert method == "GET" and path.partition("?")[0].endswith(page.native_id) and "draft" not in path
    assert any("comment" in path for _, path in asked[:written])


def test_a_comment_whose_words_somebody_took_away_is_told_of_once_with_who_did(world: World, edition: str) -> None:
    page = world.publish(edition)
    comment_on(world, page, "ten minutes", edition)
    world.in_step()
    person = world.person(page)
    assert isinstance(person, WikiPerson)
    person.publish(re.sub(r"<p[^>]*>Nobody was paged.*?</p>", "", person.body))
    report = once(world)
    assert [line for line in report.taken if "lost the words" in line] == [
        "a comment lost the words it was on: “ten minutes”"
    ]
    world.crash()
    world.in_step()
    (line,) = [line for line in world.store.journal("INC-12") if line.action == "orphaned"]
    assert (line.actor.side, line.actor.name, line.new) == ("page", "Ada Byron", "ten minutes")


@pytest.mark.parametrize("dies", [False, True])
def test_a_lost_comment_is_told_of_by_whoever_looks_next(world: World, dies: bool) -> None:
    """The service does not say after the write which comments lost their words, or the process is gone by then."""
    page = world.publish("wiki")
    comment_on(world, page, "ten minutes")
    world.in_step()
    world.app.edit_incident("INC-12", {"summary": "The checkout queue was full."}, GRACE)
    if dies:
        world.to_wiki.script.append(Fault("reply_lost", lambda method, path: method == "PUT"))
        assert once(world).result == "waiting"
        world.crash()
    else:
        written = [0]

        def after_the_write(method: str, path: str) -> bool:
            written[0] += method == "PUT"
            return written[0] > 0 and "inline-comments" in path

        world.to_wiki.script += [Fault("status", after_the_write, 502)] * 4
    world.in_step()
    assert actions(world, "orphaned") == ["ten minutes"]


def test_a_comment_that_was_deleted_has_lost_nothing(world: World) -> None:
    page = world.publish("wiki")
    comment = comment_on(world, page, "ten minutes")
    world.in_step()
    del world.wiki.comments[comment]
    person = world.person(page)
    assert isinstance(person, WikiPerson)
    person.publish(re.sub(r"</?ac:inline-comment-marker[^>]*>", "", person.body))
    world.in_step()
    assert actions(world, "orphaned") == []


def test_a_comment_on_what_is_left_of_its_words_stays(world: World, edition: str) -> None:
    page = world.publish(edition)
    comment = comment_on(world, page, "paged for ten minutes", edition)
    world.app.edit_incident("INC-12", {"summary": NINE}, GRACE)
    world.in_step()
    site = site_of(world, edition)
    assert site.resolution(site.comments[comment]) == "open" and actions(world, "orphaned") == []


def test_nobody_asks_for_comments_where_there_are_none(world: World, edition: str) -> None:
    page = world.publish(edition)
    site_of(world, edition).requests.clear()
    edit(world)
    world.in_step()
    assert asked_for_comments(world, edition) == 0
    comment_on(world, page, "ten minutes", edition)
    world.in_step()
    assert asked_for_comments(world, edition) == 0, "nothing was written"
    edit(world, "open")
    world.in_step()
    assert asked_for_comments(world, edition) == 2, "before and after the write"


def test_comments_that_we_may_not_read_keep_nothing_from_being_in_step(world: World) -> None:
    page = world.publish("wiki")
    comment_on(world, page, "ten minutes")
    edit(world)
    world.to_wiki.script += [Fault("status", lambda method, path: "inline-comments" in path, 403)] * 9
    world.in_step()
    assert world.wiki.content[page.native_id].number == 2


# --- versions -----------------------------------------------------------------------------------------------------------


def test_a_version_says_who_changed_what_and_the_intent(world: World, edition: str) -> None:
    page = world.publish(edition)
    edit(world)
    world.in_step()
    message = site_of(world, edition).content[page.native_id].versions[-1].message
    assert re.fullmatch(r"INC-12: Grace Hopkins ticked FU-1 \[syncd \w+-\d+\]", message)


def test_a_version_with_much_to_say_says_what_fits_and_how_much_more(world: World) -> None:
    page = world.publish("wiki")
    edit(world)
    world.app.edit_follow_up("FU-2", {"title": "Write two runbooks", "assignee": ADA, "due_on": "2026-12-24"}, GRACE)
    world.app.edit_event("T-2", {"title": "Workers restarted twice"}, GRACE)
    world.app.edit_incident(
        "INC-12", {"severity": "SEV2", "name": "Checkout is slow", "field:affected_customers": "7"}, GRACE
    )
    world.app.edit_section("INC-12", "impact", "Two thousand shoppers.", GRACE)
    world.in_step()
    message = world.wiki.content[page.native_id].versions[-1].message
    assert message.startswith("INC-12: Grace Hopkins wrote “Impact assessment”; Grace Hopkins set ")
    assert re.search(r"; \d+ more \[syncd \w+-\d+\]$", message) and len(message) <= 255


@pytest.fixture
def patient(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path, replace(AT_ONCE, version_gap=timedelta(minutes=10), writes_per_hour=60))
    yield made
    made.store.close()


def test_a_busy_hour_is_one_version_for_each_of_theirs_and_else_one_in_ten_minutes(patient: World) -> None:
    page = patient.publish("wiki")
    person, stored = patient.person(page), patient.wiki.content[page.native_id]
    began = patient.now
    for beat in range(120):  # half a minute each
        patient.wait(30)
        if beat % 2 == 0:
            patient.app.edit_event("T-2", {"title": f"Workers restarted {beat} times"}, GRACE)
        if beat in (7, 33, 34, 90):
            person.add_event("Alert fired", f"10:{beat % 60:02}", f"Seen by Ada at beat {beat}")
        patient.app.reconciler.reconcile(page.id, patient=True)
    ours, theirs = 0, 0
    last = began
    for version in stored.versions[1:]:
        if "[syncd" in version.message:
            assert theirs or version.created_at - last >= timedelta(minutes=10), version
            ours, theirs, last = ours + 1, 0, version.created_at
        else:
            theirs += 1
    assert 4 <= ours <= 4 + 6
    patient.in_step()
    assert "118 times" in person.text()


def test_who_waits_for_it_does_not_wait_for_the_gap(patient: World) -> None:
    page = patient.publish("wiki")
    for status in ("done", "open"):
        edit(patient, status)
        patient.in_step()
    assert patient.wiki.content[page.native_id].number == 3


# --- what it costs ------------------------------------------------------------------------------------------------------


def requests(world: World, edition: str) -> list[str]:
    return [method for method, _ in site_of(world, edition).requests]


def test_nothing_changed_costs_one_request_for_250_pages(world: World) -> None:
    there = world.app.destinations["wiki"]
    world.wiki.requests.clear()
    there.provider.versions(there.place, [str(number) for number in range(100_000, 100_250)])
    assert len(world.wiki.requests) == 1 and "body-format" not in world.wiki.requests[0][1]


def test_a_look_at_an_unchanged_page_is_one_request_and_writes_nothing(world: World, edition: str) -> None:
    page = world.publish(edition)
    site = site_of(world, edition)
    site.requests.clear()
    world.app.reconciler.reconcile(page.id)
    assert requests(world, edition) == ["GET"]


def test_a_changed_paragraph_is_one_put_with_three_reads_around_it(world: World, edition: str) -> None:
    page = world.publish(edition)
    world.app.edit_section("INC-12", "impact", "Two thousand shoppers.", GRACE)
    site = site_of(world, edition)
    number = site.content[page.native_id].number
    site.requests.clear()
    world.app.reconciler.reconcile(page.id)
    look, draft, guard, put, unwatch, confirm = requests(world, edition)
    assert (look, draft, guard, put, unwatch, confirm) == ("GET", "GET", "GET", "PUT", "DELETE", "GET")
    assert site.content[page.native_id].number == number + 1


def test_publishing_is_one_create_with_its_two_look_ups_and_the_confirming_read(world: World) -> None:
    world.publish("wiki")
    world.take({**INCIDENT, "reference": "INC-13", "timeline": [], "follow_ups": []})
    world.app.create_postmortem("INC-13", "standard", "wiki", GRACE)
    world.wiki.requests.clear()
    world.app.reconciler.reconcile(world.page("INC-13").id)
    by_title, newest, post, unwatch, confirm, label = world.wiki.requests
    assert "title=" in by_title[1] and "sort=-created-date" in newest[1]
    assert post == ("POST", "/api/v2/pages") and unwatch[0] == "DELETE"
    assert confirm[0] == "GET" and label[1].endswith("/label")
