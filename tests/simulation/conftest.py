"""What the tests of whole worlds share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.simulation.world import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A world in an empty directory, its database closed afterwards."""
    made = World(tmp_path)
    yield made
    made.store.close()
