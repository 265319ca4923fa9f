"""What only happens on Notion pages: edits that it has no word for, comments in the way, and people who type."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from syncd.pages import Page
from syncd.reconcile import Report
from tests.simulation.people import NotionPerson
from tests.simulation.world import GRACE, World

QUOTED = "> The checkout queue was full.\n\nNobody was paged for nine minutes."


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.store.close()


def _block(world: World, page: Page, text: str) -> str:
    person = world.person(page)
    assert isinstance(person, NotionPerson)
    return str(person._find(text)["id"])


def _reports(world: World) -> list[tuple[str, tuple[str, ...]]]:
    reports: list[Report] = world.app.once()
    return [(report.result, report.reasons) for report in reports]


def test_an_edit_that_would_lose_comments_is_held_with_a_sentence_and_done_when_they_are_resolved(world: World) -> None:
    page = world.publish("notes")
    thread = world.space.ui_comment(_block(world, page, "The checkout queue was full."), "why?")
    world.app.edit_incident("INC-12", {"summary": QUOTED}, GRACE)
    held = "The block “The checkout queue was full.” does not become a quote: people commented on it."
    assert _reports(world) == [("waiting", (held,))]
    assert "nine minutes" in world.person(page).text()
    assert world.page().reason == held
    before = world.writes()
    world.wait(600)
    assert _reports(world) == [("waiting", (held,))]
    assert world.writes() == before
    assert [block.kind for block in world.incident().summary] == ["quote", "paragraph"]
    world.space.ui_resolve(thread)
    world.in_step()
    blocks = world.space.children_of(page.native_id)
    assert [block["type"] for block in blocks if "checkout queue" in str(block)] == ["quote"]
    assert [block.kind for block in world.incident().summary] == ["quote", "paragraph"]


def test_what_is_planned_tells_of_the_hold_too(world: World) -> None:
    page = world.publish("notes")
    world.space.ui_comment(_block(world, page, "The checkout queue was full."), "why?")
    world.app.edit_incident("INC-12", {"summary": QUOTED}, GRACE)
    (report,) = world.app.plan("INC-12")
    assert "does not become a quote" in report.reasons[0]
    assert [line for line in report.written if "checkout" in line] == []
