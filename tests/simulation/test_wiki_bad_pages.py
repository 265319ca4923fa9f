"""Confluence pages as nobody would have planned them: huge, copied, pasted twice, merged, restored, broken."""

import json
import re
from dataclasses import replace

import pytest

from syncd.pages import Page
from tests.simulation.people import WikiPerson
from tests.simulation.world import GRACE, INCIDENT, World

FOLLOW_UPS = ["Alert on queue depth", "Write a runbook for full queues", "Remove the retry storm"]
TIMELINE = re.compile(r"<table(?:(?!</table>).)*T-1.*?</table>", re.DOTALL)


@pytest.fixture
def page(world: World) -> Page:
    return world.publish("wiki")


@pytest.fixture
def person(world: World, page: Page) -> WikiPerson:
    person = world.person(page)
    assert isinstance(person, WikiPerson)
    return person


def in_step_again(world: World) -> None:
    """People's edits are taken in, and then nothing is left to write."""
    world.wait(300)
    world.in_step()
    before = world.writes()
    world.wait(300)
    world.in_step()
    assert world.writes() == before


def titles(world: World) -> list[str]:
    return [row.title for row in world.incident().follow_ups]


def events(world: World) -> list[str]:
    return [event.title for event in world.incident().timeline]


def test_a_second_timeline_is_theirs(world: World, page: Page, person: WikiPerson) -> None:
    table = TIMELINE.search(person.body)
    assert table
    person.publish(person.body.replace(table[0], table[0] + "<p>and again</p>" + table[0].replace("Alert fired", "Alert")))
    in_step_again(world)
    assert events(world) == ["Alert fired", "Workers restarted", "Checkout recovered"]
    assert not world.store.hidden(page.id)
    world.app.edit_event("T-2", {"title": "Workers restarted twice"}, GRACE)
    world.in_step()
    assert person.text().count("Workers restarted twice") == 1 and person.text().count("Workers restarted") == 2


@pytest.mark.parametrize("above", [True, False])
def test_a_section_pasted_twice_is_ours_once(world: World, page: Page, person: WikiPerson, above: bool) -> None:
    body = person.body
    start = re.search(r"<h2[^>]*>Follow-ups", body)
    assert start
    section = body[start.start() :]
    person.publish(body[: start.start()] + section + section if above else body + section)
    in_step_again(world)
    assert titles(world) == FOLLOW_UPS
    assert not world.store.hidden(page.id)
    world.app.edit_follow_up("FU-2", {"title": "Write two runbooks"}, GRACE)
    world.in_step()
    assert person.text().count("Write two runbooks") == 1


def test_keys_copied_to_another_page_are_not_its_own(world: World, page: Page, person: WikiPerson) -> None:
    other = world.publish("wiki", {**INCIDENT, "reference": "INC-13", "timeline": [], "follow_ups": [{"title": "Mine"}]})
    there = world.person(other)
    assert isinstance(there, WikiPerson)
    task = there._task("Mine")
    there.publish(there.body.replace(task, task + person._task("Alert on queue depth")))
    in_step_again(world)
    assert titles(world) == FOLLOW_UPS
    mine, copied = world.incident("INC-13").follow_ups
    assert (mine.title, copied.title.startswith("Alert on queue depth")) == ("Mine", True)
    assert there.text().count(copied.key) == 1


def test_a_copied_page_is_foreign(world: World, page: Page, person: WikiPerson) -> None:
    body = {"representation": "storage", "value": person.body}
    data = {"spaceId": world.wiki.space_id, "status": "current", "title": "Copy of the post-mortem", "body": body}
    made = world.wiki.handle("POST", "/api/v2/pages", {"Authorization": "Bearer somebody"}, json.dumps(data).encode())
    copy = json.loads(made.body)["id"]
    WikiPerson(world.wiki, copy).publish(world.wiki.current_body(copy).replace("Write a runbook", "Burn the runbook"))
    before = world.wiki.current_body(copy)
    world.app.edit_follow_up("FU-1", {"status": "done"}, GRACE)
    in_step_again(world)
    assert "Burn the runbook for full queues" not in titles(world)
    assert world.wiki.current_body(copy) == before


def test_a_page_restored_to_an_old_version_is_taken_as_it_stands(world: World, page: Page, person: WikiPerson) -> None:
    old = person.body
    person.add_task("Write a runbook", "Tell the support desk")
    in_step_again(world)
    world.app.edit_incident("INC-12", {"summary": "The queue was full at noon."}, GRACE)
    world.app.edit_follow_up("FU-1", {"status": "done"}, GRACE)
    world.in_step()
    person.publish(old)
    in_step_again(world)
    assert titles(world)[:3] == FOLLOW_UPS
    assert world.incident().summary[0].text == "The checkout queue was full."
    assert person.text().count("Alert on queue depth") == 1
    assert "Tell the support desk" in titles(world) and "Tell the support desk" not in person.text()


def test_macros_ten_deep_keep_what_is_in_them(world: World, page: Page, person: WikiPerson) -> None:
    deep = "<p>Nobody was paged at all.</p>"
    for name in ["info", "expand", "excerpt", "unknown-thing", "panel", "expand", "details", "expand", "section", "expand"]:
        deep = (
            f'<ac:structured-macro ac:name="{name}"><ac:rich-text-body><p>in {name}</p>{deep}</ac:rich-text-body>'
            "</ac:structured-macro>"
        )
    person.publish(person.body.replace("</h2>", f"</h2>{deep}", 1))
    world.wait(300)
    world.in_step()
    kept = re.search(r"<ac:structured-macro[^>]*unknown-thing.*Nobody was paged at all", person.body)
    assert kept
    world.app.edit_follow_up("FU-1", {"status": "done"}, GRACE)
    in_step_again(world)
    assert kept[0] in person.body


@pytest.mark.parametrize("act", ["merged", "panel"])
def test_rows_inside_what_cannot_be_read_are_held_and_named(world: World, page: Page, person: WikiPerson, act: str) -> None:
    body = person.body
    if act == "merged":
        row = re.search(r"<td[^>]*>(?:(?!</td>).)*2026-11-02 10:20", body)
        assert row
        person.publish(body[: row.start()] + row[0].replace("<td", '<td colspan="1" rowspan="2"', 1) + body[row.end() :])
    else:
        table = TIMELINE.search(body)
        assert table
        panel = (
            f'<ac:structured-macro ac:name="info"><ac:rich-text-body>{table[0]}</ac:rich-text-body></ac:structured-macro>'
        )
        person.publish(body.replace(table[0], panel))
    world.wait(300)
    (report,) = world.app.once()
    assert report.result == "waiting" and "T-1, T-2, T-3" in report.reasons[0]
    assert not world.store.hidden(page.id)
    world.app.add_event("INC-12", {"at": "2026-11-02 10:50", "title": "Support told"}, GRACE)
    world.app.once()
    assert "Support told" not in person.text()
    person.publish(body)
    in_step_again(world)
    assert person.text().count("Support told") == 1
    assert not world.store.hidden(page.id)


def test_a_body_that_is_not_well_formed_waits_and_loses_nothing(world: World, page: Page, person: WikiPerson) -> None:
    versions = world.wiki._page(page.native_id).versions
    good = versions[-1]
    versions[-1] = replace(good, body=good.body.replace("</p>", "", 1))
    world.app.edit_follow_up("FU-1", {"status": "done"}, GRACE)
    before = world.writes()
    (report,) = world.app.once()
    assert report.result == "unknown" and "publish it" in report.reasons[0]
    assert world.writes() == before and not world.store.hidden(page.id)
    assert world.app.check("INC-12").answer == "unknown"
    versions[-1] = good
    in_step_again(world)
    assert titles(world) == FOLLOW_UPS


def test_a_page_of_many_tasks_and_much_text(world: World, page: Page, person: WikiPerson) -> None:
    many = "".join(
        f"<ac:task><ac:task-status>incomplete</ac:task-status><ac:task-body>Look at host {n}</ac:task-body></ac:task>"
        for n in range(200)
    )
    words = "".join(f"<p>Line {n} of the log: nothing &amp; again nothing, for a whole night.</p>" for n in range(1500))
    body = re.sub(r"(<h2[^>]*>Lessons learned</h2>)", lambda found: found[1] + words, person.body)
    person.publish(body.replace("</ac:task-list>", f"{many}</ac:task-list>"))
    in_step_again(world)
    assert len(titles(world)) == 203 and not world.store.hidden(page.id)
    world.app.edit_follow_up("FU-150", {"status": "done"}, GRACE)
    world.in_step()
    assert person.body.count("<ac:task-status>complete</ac:task-status>") == 2
