"""Short stories that once went wrong in a random world, each told by what must be true."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.simulation.acts import Play
from tests.simulation.desks import Desk, Line
from tests.simulation.world import World

EVERYWHERE = ["wiki", "notes", "plain-notes", "files"]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.store.close()


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
