"""Confluence pages as nobody would have planned them: huge, malformed, copied, pasted twice, merged, put back to an old
version. Nothing of people's is lost, and we go on or say why not."""

import re
from dataclasses import replace

import pytest

from syncd.pages import Page
from tests.simulation.people import ADA, WikiPerson
from tests.simulation.world import GRACE, INCIDENT, World

FOLLOW_UPS = ["Alert on queue depth", "Write a runbook for full queues", "Remove the retry storm"]
TIMELINE = re.compile(r"<table(?:(?!</table>).)*T-1.*?</table>", re.DOTALL)


@pytest.fixture
def page(world: World) -> Page:
    return world.publish("wiki")


@pytest.fixture
def person(world: World, page: Page) -> WikiPerson:
    return somebody(world, page)


def somebody(world: World, page: Page) -> WikiPerson:
    person = world.person(page)
    assert isinstance(person, WikiPerson)
    return person


def stored(world: World, page: Page, body: str) -> None:
    """The body stands there as it is, whatever the editor would have made of it."""
    there = world.wiki.content[page.native_id]
    there.versions.append(replace(there.versions[-1], number=there.number + 1, body=body, message=""))


def edit(world: World) -> None:
    """A change that has to reach the page."""
    world.app.edit_event("T-2", {"title": "Workers restarted twice"}, GRACE)


def reached(world: World, page: Page) -> bool:
    return "Workers restarted twice" in world.wiki.current_body(page.native_id)


def titles(world: World) -> list[str]:
    return [row.title for row in world.incident().follow_ups]


def events(world: World) -> list[str]:
    return [event.title for event in world.incident().timeline]


def pasted_log(size: int) -> str:
    """A code block with so many characters."""
    return (
        '<ac:structured-macro ac:name="code" ac:schema-version="1" ac:macro-id="log"><ac:plain-text-body>'
        f"<![CDATA[{'x' * size}]]></ac:plain-text-body></ac:structured-macro>"
    )


def test_a_page_of_nearly_5_mb_keeps_its_bytes(world: World, page: Page) -> None:
    log = pasted_log(4_900_000)
    stored(world, page, world.wiki.current_body(page.native_id) + log)
    edit(world)
    world.app.reconciler.reconcile(page.id)
    assert reached(world, page) and log in world.wiki.current_body(page.native_id)


def test_a_page_that_would_become_too_large_halts_and_loses_nothing(world: World, page: Page) -> None:
    stored(world, page, world.wiki.current_body(page.native_id) + pasted_log(5_250_000))
    edit(world)
    (report,) = world.app.once()
    assert (report.result, report.code) == ("halted", "refused") and "413" in report.reasons[0]
    assert not reached(world, page)


def test_a_page_with_two_thousand_tasks_of_theirs(world: World, page: Page) -> None:
    task = "<ac:task><ac:task-status>incomplete</ac:task-status><ac:task-body>Step {}</ac:task-body></ac:task>"
    tasks = "".join(task.format(number) for number in range(2000))
    stored(world, page, f"{world.wiki.current_body(page.native_id)}<h2>Rollout</h2><ac:task-list>{tasks}</ac:task-list>")
    edit(world)
    world.app.reconciler.reconcile(page.id)
    assert reached(world, page) and world.wiki.current_body(page.native_id).count("<ac:task-body>Step ") == 2000
    assert len(world.incident().follow_ups) == 3, "tasks in other sections are theirs"


def test_a_page_of_many_tasks_and_much_text(world: World, page: Page, person: WikiPerson) -> None:
    many = "".join(
        f"<ac:task><ac:task-status>incomplete</ac:task-status><ac:task-body>Look at host {n}</ac:task-body></ac:task>"
        for n in range(200)
    )
    words = "".join(f"<p>Line {n} of the log: nothing &amp; again nothing, for a whole night.</p>" for n in range(1500))
    body = re.sub(r"(<h2[^>]*>Lessons learned</h2>)", lambda found: found[1] + words, person.body)
    person.publish(body.replace("</ac:task-list>", f"{many}</ac:task-list>"))
    world.in_step()
    world.quiet()
    assert len(titles(world)) == 203 and not world.store.hidden(page.id)
    world.app.edit_follow_up("FU-150", {"status": "done"}, GRACE)
    world.in_step()
    assert person.body.count("<ac:task-status>complete</ac:task-status>") == 2


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
    (report,) = world.app.once()
    assert report.result == "waiting" and "T-1, T-2, T-3" in report.reasons[0]
    assert not world.store.hidden(page.id) and len(events(world)) == 3
    world.app.add_event("INC-12", {"at": "2026-11-02 10:50", "title": "Support told"}, GRACE)
    world.app.once()
    assert "Support told" not in person.text() and ('rowspan="2"' in person.body) == (act == "merged")
    person.publish(body)
    world.in_step()
    world.quiet()
    assert person.text().count("Support told") == 1
    assert not world.store.hidden(page.id)


def test_rows_that_come_back_as_they_were_make_no_conflict_with_what_the_store_changed_meanwhile(
    world: World, page: Page
) -> None:
    person = somebody(world, page)
    body = person.body
    row = person._row("Workers restarted")
    stored(world, page, body.replace(row, re.sub(r"(<tr[^>]*>)(<td)", r'\1\2 rowspan="2"', row, count=1)))
    world.app.once()
    world.app.edit_event("T-2", {"title": "Workers restarted twice", "at": "2026-11-02T10:31:27Z"}, GRACE)
    assert {report.result for report in world.app.once()} == {"waiting"}
    stored(world, page, body)
    world.in_step()
    assert not world.store.conflicts() and reached(world, page) and "10:31" in person.text()
    world.quiet()


def test_a_timeline_in_another_section_is_theirs(world: World, page: Page) -> None:
    person = somebody(world, page)
    theirs = (
        "<h2>What the provider says</h2><table><tbody>"
        "<tr><th><p>Time</p></th><th><p>Event</p></th><th><p>Details</p></th></tr>"
        "<tr><td><p>10:01</p></td><td><p>Their switch restarted</p></td><td><p>x</p></td></tr></tbody></table>"
    )
    person.publish(person.body + theirs)
    edit(world)
    world.in_step()
    assert reached(world, page) and "Their switch restarted" in person.text()
    assert len(world.incident().timeline) == 3
    world.quiet()


def test_our_timeline_pasted_twice_is_ours_once(world: World, page: Page, person: WikiPerson) -> None:
    table = TIMELINE.search(person.body)
    assert table
    person.publish(person.body.replace(table[0], table[0] + "<p>and again</p>" + table[0].replace("Alert fired", "Alert")))
    world.in_step()
    world.quiet()
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
    world.in_step()
    world.quiet()
    assert titles(world) == FOLLOW_UPS
    assert not world.store.hidden(page.id)
    world.app.edit_follow_up("FU-2", {"title": "Write two runbooks"}, GRACE)
    world.in_step()
    assert person.text().count("Write two runbooks") == 1


def test_keys_copied_to_another_page_are_words_there(world: World, page: Page, person: WikiPerson) -> None:
    other = world.publish("wiki", {**INCIDENT, "reference": "INC-13", "timeline": [], "follow_ups": [{"title": "Mine"}]})
    there = somebody(world, other)
    task = there._task("Mine")
    there.publish(there.body.replace(task, task + person._task("Alert on queue depth")))
    there.add_task("Mine", "Write a runbook for full queues FU-2")
    world.in_step()
    world.quiet()
    before = world.incident()
    assert titles(world) == FOLLOW_UPS
    rows = world.incident("INC-13").follow_ups
    copied = {row.key for row in rows if row.title.startswith(("Alert on", "Write a"))}
    assert len(rows) == 3 and len(copied) == 2 and not copied & {row.key for row in before.follow_ups}
    assert all(there.text().count(key) == 1 for key in copied)
    there.tick("Write a runbook")
    world.in_step()
    assert world.incident() == before


def test_a_copy_of_the_page_is_nobodys(world: World, page: Page) -> None:
    ada = world.wiki.account(ADA)
    body = world.wiki.current_body(page.native_id)
    copy = world.wiki.create(world.wiki.space_id, "Copy of it", body, ada, parent_id=None, draft=False)
    edit(world)
    world.in_step()
    assert reached(world, page) and world.wiki.current_body(copy.id) == copy.versions[0].body
    world.wiki.publish_as_editor(copy.id, body.replace("Alert fired", "Nothing happened"), ADA)
    world.in_step()
    world.quiet()
    assert events(world)[0] == "Alert fired" and "Nothing happened" in world.wiki.current_body(copy.id)


def test_a_page_put_back_to_an_old_version_is_what_somebody_did(world: World, page: Page, person: WikiPerson) -> None:
    old = world.wiki.content[page.native_id].number
    person.add_task("Write a runbook", "Tell the support desk")
    world.app.edit_section("INC-12", "impact", "Two thousand shoppers.", GRACE)
    world.app.edit_incident("INC-12", {"summary": "The queue was full at noon."}, GRACE)
    world.in_step()
    there = world.wiki.content[page.native_id]
    world.wiki.restore_version(there, old, world.wiki.account(ADA), "back", False)
    world.in_step()
    world.quiet()
    postmortem = world.store.postmortem("INC-12")
    assert "Two thousand shoppers" not in person.text()
    assert postmortem and "Two thousand" not in str(postmortem.section("impact"))
    assert world.incident().summary[0].text == "The checkout queue was full."
    texts = [line.old for line in world.store.journal("INC-12") if line.field == "blocks"]
    assert any("Two thousand shoppers" in text for text in texts), "and what it replaced is in the journal"
    assert set(titles(world)) == {*FOLLOW_UPS, "Tell the support desk"} and "Tell the support desk" not in person.text()


def test_a_body_that_is_not_well_formed_waits_and_loses_nothing(world: World, page: Page, person: WikiPerson) -> None:
    body = person.body
    stored(world, page, body + "<p>Map<A, B> & more")
    edit(world)
    before = world.writes()
    (report,) = world.app.once()
    assert (report.result, report.code) == ("unknown", "refused")
    assert "cannot be read" in report.reasons[0] and "publish it" in report.reasons[0]
    assert world.writes() == before and not world.store.hidden(page.id)
    assert world.app.check("INC-12").answer == "unknown"
    stored(world, page, body)
    world.in_step()
    assert reached(world, page) and titles(world) == FOLLOW_UPS
    world.quiet()


@pytest.mark.parametrize("odd", ["\x80\x92\x96", "&nbsp;&ldquo;", "\ufeff\u200b", "a\u2028b", "\U0001f4a5"])
def test_leftovers_of_other_encodings_keep_their_bytes(world: World, page: Page, odd: str) -> None:
    mark = f"<p>It{odd}s theirs</p>"
    stored(world, page, world.wiki.current_body(page.native_id) + mark)
    edit(world)
    world.in_step()
    assert reached(world, page) and mark in world.wiki.current_body(page.native_id)
    world.quiet()


MIXED = ["info", "expand", "excerpt", "unknown-thing", "panel", "expand", "details", "expand", "section", "expand"]


@pytest.mark.parametrize("names", [["panel"] * 10, MIXED], ids=["panels", "mixed"])
@pytest.mark.parametrize("editor", [True, False])
def test_macros_nested_ten_deep_keep_what_is_in_them(
    world: World, page: Page, person: WikiPerson, names: list[str], editor: bool
) -> None:
    deep = "<p>Nobody was paged at all.</p>"
    for depth, name in enumerate(names):
        deep = (
            f'<ac:structured-macro ac:name="{name}" ac:schema-version="1" ac:macro-id="m{depth}">'
            f"<ac:rich-text-body><p>in {name}</p>{deep}</ac:rich-text-body></ac:structured-macro>"
        )
    put = person.publish if editor else lambda body: stored(world, page, body)
    put(person.body.replace("</h2>", f"</h2>{deep}", 1))
    found = re.search(
        r"<ac:structured-macro.*Nobody was paged at all.*?(</ac:rich-text-body></ac:structured-macro>){10}", person.body
    )
    assert found
    world.in_step()
    edit(world)
    world.in_step()
    assert reached(world, page) and found[0] in person.body
    world.quiet()
