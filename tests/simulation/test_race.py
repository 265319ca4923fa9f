"""The race that is left in Notion, small; `python -m tests.simulation.race` measures it large."""

from tests.simulation.race import overwritten

WRITES, LATENCY, WINDOW = 80, 0.2, 2.0


def test_an_edit_is_overwritten_only_within_one_round_trip_and_never_by_a_tick_or_a_removal() -> None:
    lost = overwritten(WRITES, LATENCY, WINDOW)
    assert (lost["tick"], lost["remove"]) == (0, 0)
    expected = WRITES * LATENCY / WINDOW
    assert lost["reword"] <= 2 * expected and lost["cell"] <= 2 * expected
    assert lost["reword"] > 0  # it does happen: docs/limits.md says how often
