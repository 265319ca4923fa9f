"""Pages as they come: huge, malformed, copied, pasted twice, put back to an old version. Nothing of people's is lost, and we
go on or say why not."""

import re
from dataclasses import replace

import pytest

from syncd.pages import Page
from tests.simulation.people import ADA, WikiPerson
from tests.simulation.world import GRACE, INCIDENT, World


@pytest.fixture
def page(world: World) -> Page:
    return world.publish("wiki")


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


def again(world: World, page: Page) -> None:
    """In step means that another pass writes nothing."""
    number = world.wiki.content[page.native_id].number
    world.in_step()
    assert world.wiki.content[page.native_id].number == number


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


def test_merged_cells_over_our_rows_stay_merged(world: World, page: Page) -> None:
    person = somebody(world, page)
    row = person._row("Alert fired")
    merged = re.sub(r"(<tr[^>]*>)(<td)", r'\1\2 rowspan="2"', row, count=1)
    stored(world, page, person.body.replace(row, merged))
    world.app.once()
    edit(world)
    world.app.once()
    assert 'rowspan="2"' in person.body
    assert [event.title for event in world.incident().timeline] == [
        "Alert fired",
        "Workers restarted twice",
        "Checkout recovered",
    ]


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
    again(world, page)


def test_two_timelines_on_one_page_are_ours_and_theirs(world: World, page: Page) -> None:
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
    again(world, page)


def test_our_section_pasted_twice_is_ours_once(world: World, page: Page) -> None:
    person = somebody(world, page)
    found = re.search(r"<h2[^>]*>Follow-ups</h2>.*", person.body, re.DOTALL)
    assert found
    person.publish(person.body + found[0])
    world.app.once()
    edit(world)
    world.app.once()
    assert reached(world, page) and person.text().count("Write a runbook for full queues") == 2
    keys = [row.key for row in world.incident().follow_ups]
    assert keys[:3] == ["FU-1", "FU-2", "FU-3"] and len(set(keys)) == len(keys)
    again(world, page)


def test_keys_copied_to_another_page_are_words_there(world: World, page: Page) -> None:
    world.take({**INCIDENT, "reference": "INC-13", "timeline": [], "follow_ups": [{"key": "FU-9", "title": "Other"}]})
    world.app.create_postmortem("INC-13", "standard", "wiki", GRACE)
    world.in_step()
    there = world.page("INC-13")
    other = somebody(world, there)
    other.add_task("Other", "Write a runbook for full queues FU-2")
    world.in_step()
    before = world.incident()
    rows = {row.title: row.key for row in world.incident("INC-13").follow_ups}
    assert any("Write a runbook" in title and key not in ("FU-2", "FU-9") for title, key in rows.items())
    other.tick("Write a runbook")
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
    assert world.incident().timeline[0].title == "Alert fired"


def test_a_page_put_back_to_an_old_version_is_what_somebody_did(world: World, page: Page) -> None:
    old = world.wiki.content[page.native_id].number
    world.app.edit_section("INC-12", "impact", "Two thousand shoppers.", GRACE)
    world.in_step()
    there = world.wiki.content[page.native_id]
    world.wiki.restore_version(there, old, world.wiki.account(ADA), "back", False)
    world.in_step()
    assert "Two thousand shoppers" not in world.wiki.current_body(page.native_id)
    postmortem = world.store.postmortem("INC-12")
    assert postmortem and "Two thousand" not in str(postmortem.section("impact"))
    texts = [line.old for line in world.store.journal("INC-12") if line.field == "blocks"]
    assert any("Two thousand shoppers" in text for text in texts), "and what it replaced is in the journal"
    again(world, page)


def test_a_body_that_cannot_be_read_is_said_and_left_alone(world: World, page: Page) -> None:
    body = world.wiki.current_body(page.native_id)
    stored(world, page, body + "<p>Map<A, B> & more")
    edit(world)
    (report,) = world.app.once()
    assert (report.result, report.code) == ("unknown", "refused") and "cannot be read" in report.reasons[0]
    assert world.app.check("INC-12").answer != "yes"
    assert not reached(world, page)
    stored(world, page, body)
    world.in_step()
    assert reached(world, page)


@pytest.mark.parametrize("odd", ["\x80\x92\x96", "&nbsp;&ldquo;", "\ufeff\u200b", "a\u2028b", "\U0001f4a5"])
def test_leftovers_of_other_encodings_keep_their_bytes(world: World, page: Page, odd: str) -> None:
    mark = f"<p>It{odd}s theirs</p>"
    stored(world, page, world.wiki.current_body(page.native_id) + mark)
    edit(world)
    world.in_step()
    assert reached(world, page) and mark in world.wiki.current_body(page.native_id)
    again(world, page)


def test_macros_nested_ten_deep_keep_their_bytes(world: World, page: Page) -> None:
    nested = "<p>deep</p>"
    for depth in range(10):
        nested = (
            f'<ac:structured-macro ac:name="panel" ac:schema-version="1" ac:macro-id="m{depth}">'
            f"<ac:rich-text-body>{nested}</ac:rich-text-body></ac:structured-macro>"
        )
    stored(world, page, world.wiki.current_body(page.native_id) + nested)
    edit(world)
    world.in_step()
    assert reached(world, page) and nested in world.wiki.current_body(page.native_id)
    again(world, page)
