"""Worlds of random people, crashes and faults: all twenty invariants hold in each.

`SYNCD_WORLDS=N` runs N worlds instead of the usual few, `SYNCD_WORLD=NAME` a single one, as a failure names it. A failure
prints its story without what it does not need. `make simulate` runs worlds for as long as one likes.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.simulation.invariants import Broken, order_independence
from tests.simulation.machine import CRASHES_AT_LEAST, FAULTS_AT_LEAST, Story, drawn, judged, lived, shortest, told

SEEDS = range(12)
SHRINKING = 30.0  # seconds


def names() -> list[str]:
    if "SYNCD_WORLD" in os.environ:
        return [os.environ["SYNCD_WORLD"]]
    return [str(seed) for seed in range(int(os.environ["SYNCD_WORLDS"]) if "SYNCD_WORLDS" in os.environ else len(SEEDS))]


@pytest.mark.parametrize("name", names())
def test_all_that_must_be_true_is(tmp_path: Path, name: str) -> None:
    story = told(name)
    try:
        life = judged(tmp_path / "world", story)
        assert ":" in name or (life.faults.total() >= FAULTS_AT_LEAST and life.crashes >= CRASHES_AT_LEAST)
    except Broken as broken:
        pytest.fail(shortest(tmp_path, story, broken, SHRINKING), pytrace=False)
    finally:
        shutil.rmtree(tmp_path)


def test_the_same_seed_makes_the_same_world_whatever_the_hashes_of_this_process(tmp_path: Path) -> None:
    """To the last byte of the database: every decision, plan, base and intent."""
    told = [_in_a_process_of_its_own(tmp_path / seed, seed) for seed in ("1", "2")]
    assert "bases" in told[0] and told[0] == told[1]


def _in_a_process_of_its_own(root: Path, hash_seed: str) -> str:
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    command = [sys.executable, "-m", "tests.simulation.machine", "3", str(root)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return done.stdout


def test_the_order_in_which_incidents_are_worked_on_makes_no_difference(tmp_path: Path) -> None:
    story = drawn(5)
    calm = Story(
        5, tuple(s for s in story.steps if s[1].kind not in ("kill", "meddle", "fault", "late", "away", "plan", "look"))
    )
    one, other = (lived(tmp_path / str(first), calm, others_first=first) for first in (False, True))
    order_independence(one.play, other.play)
    for life in (one, other):
        life.play.world.store.close()
