"""After a person's publish in Confluence's editor, which makes the whole body anew, everything of ours is still known."""

import re
from collections.abc import Callable

import pytest

from mapping.incident import Postmortem
from tests.simulation.people import WikiPerson
from tests.simulation.world import GRACE, World

LAYOUT = '<ac:layout><ac:layout-section ac:type="single"><ac:layout-cell>{}</ac:layout-cell></ac:layout-section></ac:layout>'
TWO_CELLS = LAYOUT.replace("single", "two_equal").replace("{}", "{}</ac:layout-cell><ac:layout-cell>{}")
EXPAND = (
    '<ac:structured-macro ac:name="expand"><ac:parameter ac:name="title">More</ac:parameter>'
    "<ac:rich-text-body>{}</ac:rich-text-body></ac:structured-macro>"
)
EXCERPT = '<ac:structured-macro ac:name="excerpt"><ac:rich-text-body>{}</ac:rich-text-body></ac:structured-macro>'


def section(body: str, heading: str) -> str:
    """A section of the page with its heading."""
    found = re.search(rf"<h2[^>]*>{heading}</h2>.*?(?=<h2|\Z)", body, re.DOTALL)
    assert found
    return found[0]


def heading(body: str, text: str) -> str:
    found = re.search(rf"<h2[^>]*>{text}</h2>", body)
    assert found
    return found[0]


def within(frame: str, *headings: str) -> Callable[[str], str]:
    def wrap(body: str) -> str:
        for name in headings:
            part = section(body, name)
            body = body.replace(part, frame.format(part))
        return body

    return wrap


def around(frame: str, pattern: str) -> Callable[[str], str]:
    return lambda body: re.sub(pattern, lambda found: frame.format(found[0]), body, count=1, flags=re.DOTALL)


def halves(body: str) -> str:
    head, follow_ups = body.split(heading(body, "Follow-ups"))
    return TWO_CELLS.format(head, heading(body, "Follow-ups") + follow_ups)


def moved(body: str) -> str:
    part = section(body, "Timeline")
    return body.replace(part, "") + part


def levelled(level: int) -> Callable[[str], str]:
    return lambda body: re.sub(r"<h2([^>]*)>(Lessons learned)</h2>", rf"<h{level}\1>\2</h{level}>", body)


EDITS: dict[str, Callable[[str], str]] = {
    "nothing but a blank": lambda body: body + "<p>.</p>",
    "a heading renamed": lambda body: body.replace("Timeline</h2>", "What happened</h2>"),
    "row headings renamed": lambda body: body.replace("Timeline</h2>", "Course</h2>").replace(
        "Follow-ups</h2>", "To do</h2>"
    ),
    "a heading made bold": lambda body: body.replace("Follow-ups</h2>", "<strong>Follow-ups</strong></h2>"),
    "a heading of level one": levelled(1),
    "a section moved": moved,
    "the page in a layout": LAYOUT.format,
    "the page in two cells": halves,
    "a section in an expand": within(EXPAND, "Follow-ups"),
    "every row section in an expand": within(EXPAND, "Timeline", "Follow-ups"),
    "the summary in an excerpt": within(EXCERPT, "Summary"),
    "the details in an expand": around(
        EXPAND, r'<ac:structured-macro[^>]*ac:name="details".*?</table>.*?</ac:structured-macro>'
    ),
    "the tasks in an expand": around(EXPAND, r"<ac:task-list>.*?</ac:task-list>"),
    "the timeline in an expand": around(EXPAND, r"<table(?:(?!</table>).)*T-1.*?</table>"),
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS.keys())
def test_everything_of_ours_is_known_after_a_publish(world: World, edit: Callable[[str], str]) -> None:
    page = world.publish("wiki")
    person = world.person(page)
    assert isinstance(person, WikiPerson)
    before = world.incident()
    sections = [s.id for s in postmortem(world).sections]
    written = world.writes()
    person.publish(edit(person.body))
    world.wait(300)
    world.in_step()
    after = world.incident()
    assert (after.follow_ups, after.timeline, after.summary) == (before.follow_ups, before.timeline, before.summary)
    assert [s.id for s in postmortem(world).sections if s.id in sections] == sections
    assert not world.store.hidden(page.id) and not world.store.conflicts("INC-12")
    assert world.writes() == written
    body = person.body
    world.app.edit_follow_up("FU-1", {"status": "done"}, GRACE)
    world.app.edit_event("T-2", {"title": "Workers restarted twice"}, GRACE)
    world.app.edit_incident("INC-12", {"severity": "SEV2"}, GRACE)
    world.app.edit_section("INC-12", "lessons", "We learned.", GRACE)
    world.in_step()
    shown = person.text()
    assert [shown.count(words) for words in ("FU-1", "restarted twice", "SEV2", "We learned.")] == [1, 1, 1, 1]
    assert [len(re.findall(tag, person.body)) for tag in ("<h[12]", "<table", "<ac:layout-cell", "excerpt")] == [
        len(re.findall(tag, body)) for tag in ("<h[12]", "<table", "<ac:layout-cell", "excerpt")
    ]


def postmortem(world: World) -> Postmortem:
    found = world.store.postmortem("INC-12")
    assert found
    return found
