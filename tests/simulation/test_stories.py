"""Short stories that once went wrong in a random world, each told by what must be true."""

import pytest

from mapping.commands import Set as SetField
from mapping.incident import FollowUpStatus
from tests.simulation.desks import Desk, Line, WikiDesk
from tests.simulation.play import Play
from tests.simulation.test_crashes import Deadly, Killed
from tests.simulation.world import GRACE, World

EVERYWHERE = ["wiki", "dc", "notes", "plain-notes", "files"]
ROADMAP = '<ac:structured-macro ac:name="roadmap" ac:schema-version="1" />'


def desk(world: World, destination: str) -> Desk:
    """Somebody at a page."""
    return Play(world).desk(world.page(destination=destination))


def line(at: Desk, words: str) -> Line:
    """The line that says this."""
    return next(found for found in at.lines() if words in found.text)


def settle(world: World) -> None:
    for _ in range(2):
        world.wait(400)
        world.in_step()


@pytest.mark.parametrize("destination", EVERYWHERE)
def test_a_line_deleted_and_another_written_in_its_place_is_not_a_rename(world: World, destination: str) -> None:
    world.publish(destination)
    world.wait(7200)
    at = desk(world, destination)
    at.insert(line(at, "FU-2"), "task", "Tell support sooner")
    at.delete([line(at, "FU-2")])
    at.insert_row(line(at, "T-2"), ("10:21", "Support was told", ""))
    at.delete([line(at, "T-2")])
    settle(world)
    assert {row.title for row in world.incident().follow_ups} >= {"Write a runbook for full queues", "Tell support sooner"}
    assert {event.title for event in world.incident().timeline} >= {"Workers restarted", "Support was told"}


@pytest.mark.parametrize("destination", EVERYWHERE)
def test_a_line_that_shares_only_a_person_and_a_day_is_another_line(world: World, destination: str) -> None:
    world.publish(destination)
    world.app.edit_follow_up("FU-2", {"title": "Tell support", "assignee": "ada@example.com", "due_on": "2026-12-05"}, GRACE)
    settle(world)
    world.wait(7200)
    at = desk(world, destination)
    at.insert(line(at, "FU-2"), "task", "Buy bigger disks @Ada Byron due 2026-12-05")
    at.delete([line(at, "FU-2")])
    settle(world)
    assert {row.title for row in world.incident().follow_ups} >= {"Tell support", "Buy bigger disks"}


@pytest.mark.parametrize("destination", EVERYWHERE)
def test_a_line_ticked_and_struck_is_open_again_when_the_store_says_so(world: World, destination: str) -> None:
    page = world.publish(destination)
    at = desk(world, destination)
    at.strike(line(at, "FU-3"))
    settle(world)
    assert world.incident().follow_ups[2].status is FollowUpStatus.DONE
    world.app.edit_follow_up("FU-3", {"status": "open"}, GRACE)
    settle(world)
    target = world.app.destinations[destination]
    blocks = target.provider.read(target.place, page.native_id).doc.blocks
    (task,) = (block for block in blocks if "FU-3" in block.text)
    assert not task.checked and not any("strike" in span.marks for span in task.spans)


@pytest.mark.parametrize("destination", ["notes", "plain-notes"])
def test_a_heading_whose_write_was_killed_is_written_again(world: World, destination: str) -> None:
    world.publish(destination)
    commands = [SetField("section", "lessons", "heading", "What we learned from it")]
    world.store.apply("INC-12", commands, GRACE)
    world.to_space.emulator = Deadly(world.space, 1, after=False)
    with pytest.raises(Killed):
        world.app.once()
    world.to_space.emulator = world.space
    world.crash()
    settle(world)
    postmortem = world.store.postmortem("INC-12")
    assert postmortem and [s.heading for s in postmortem.sections if s.id == "lessons"] == ["What we learned from it"]
    assert line(desk(world, destination), "What we learned from it").kind == "heading"


@pytest.mark.parametrize("destination", EVERYWHERE)
def test_a_section_whose_heading_alone_was_deleted_is_hidden_and_comes_back(world: World, destination: str) -> None:
    page = world.publish(destination)
    at = desk(world, destination)
    at.delete([line(at, "Lessons learned")])
    settle(world)
    assert "section:lessons" in world.store.hidden(page.id)
    world.app.edit_section("INC-12", "lessons", "Bigger queues need bigger pagers.", GRACE)
    world.app.restore("INC-12", "lessons", GRACE)
    settle(world)
    assert line(at, "Bigger queues need bigger pagers.").section == "Lessons learned"


def test_help_that_somebody_wrote_on_survives_a_killed_write_of_another_page(world: World) -> None:
    world.publish("plain-notes")
    world.app.export_postmortem("INC-12", "notes", False, GRACE)
    settle(world)
    at = desk(world, "plain-notes")
    at.put(line(at, "What helped us notice"), "notice,", "notice early,")
    world.to_space.emulator = Deadly(world.space, 1, after=False)
    with pytest.raises(Killed):
        world.app.once()
    world.to_space.emulator = world.space
    world.crash()
    settle(world)
    for destination in ("plain-notes", "notes"):
        assert line(desk(world, destination), "notice early,").section == "How we responded"


def test_two_equal_macros_are_neither_copied_nor_removed(world: World) -> None:
    world.publish("wiki")
    at = desk(world, "wiki")
    assert isinstance(at, WikiDesk)
    for words in ("Who noticed", "Nobody was paged"):  # the second stands before the first
        behind = line(at, words)
        at.publish(at.body[: behind.block[1]] + ROADMAP + at.body[behind.block[1] :])
        world.wait(400)
        world.in_step()
    world.app.edit_section("INC-12", "impact", "It lasted for hours.", GRACE)
    settle(world)
    assert at.body.count('ac:name="roadmap"') == 2
    assert "It lasted for hours." in at.text()


@pytest.mark.parametrize("copy", ["notes", "plain-notes", "files"])
@pytest.mark.parametrize("around", ["<p>{}</p>", "<p>See {} here</p>"], ids=["alone", "in a sentence"])
def test_a_picture_on_one_page_outlives_copies_that_cannot_show_it(world: World, copy: str, around: str) -> None:
    world.publish("wiki")
    at = desk(world, "wiki")
    assert isinstance(at, WikiDesk)
    world.app.export_postmortem("INC-12", copy, True, GRACE)
    settle(world)
    behind = line(at, "Nobody was paged")
    picture = '<ac:image><ri:attachment ri:filename="graph.png" /></ac:image>'
    at.publish(at.body[: behind.block[1]] + around.format(picture) + at.body[behind.block[1] :])
    settle(world)
    other = desk(world, copy)
    for words in ("Nobody", "here"):
        found = [shown for shown in other.lines() if words in shown.text and shown.section == "Summary"]
        if found:
            other.put(found[0], words, f"{words} really")
    settle(world)
    assert at.body.count("graph.png") == 1 and "Nobody really" in at.body
    assert "here" not in around or "here really" in at.body
