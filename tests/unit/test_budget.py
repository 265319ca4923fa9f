"""How fast requests may go: never more in a window than a service allows, and never slower than it needs to be."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.contract import RateLimited
from providers.transport import Budget, retry_after


@dataclass
class Clock:
    now: float = 1000.0
    slept: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def _budget(limit: float = 180) -> tuple[Budget, Clock]:
    clock = Clock()
    return Budget(limit, lambda: clock.now, clock.sleep), clock


def test_half_of_the_limit_goes_in_one_burst_and_the_rest_keeps_a_distance() -> None:
    budget, clock = _budget()
    for _ in range(90):
        budget.take()
    assert clock.slept == []
    budget.take()
    assert clock.slept == [pytest.approx(120 / 180)]


@given(st.lists(st.floats(0, 30), max_size=300), st.integers(2, 12))
def test_no_window_ever_holds_more_than_the_limit(pauses: list[float], limit: int) -> None:
    budget, clock = _budget(limit)
    sent = []
    for pause in pauses:
        clock.now += pause
        try:
            budget.take()
        except RateLimited:
            continue
        sent.append(clock.now)
    assert all(later - first >= 60 - 1e-6 for first, later in zip(sent, sent[limit:], strict=False))


def test_long_work_gets_the_whole_limit_and_never_waits_long() -> None:
    budget, clock = _budget()
    for _ in range(1800):
        budget.take()
    assert max(clock.slept) < 1
    assert clock.now - 1000 < 10 * 60 + 1


def test_two_that_belong_together_go_without_a_wait_between_them() -> None:
    budget, clock = _budget(40)
    for _ in range(60):
        budget.ready(2)
        before = clock.now
        budget.take()
        budget.take()
        assert clock.now == before


@pytest.mark.parametrize("said", [0.25, 12.5, 29.75])
def test_a_pause_is_obeyed_to_the_fraction(said: float) -> None:
    budget, clock = _budget()
    budget.pause(said)
    budget.take()
    assert clock.slept == [said]


def test_a_pause_for_longer_than_a_call_waits_is_told_with_its_length() -> None:
    budget, clock = _budget()
    budget.ready(2)
    budget.pause(75.5)
    with pytest.raises(RateLimited) as told:
        budget.take()
    assert told.value.retry_after == 75.5
    assert clock.slept == []


def test_retry_after_is_seconds_with_fractions_or_a_date() -> None:
    assert retry_after({"retry-after": "0.75"}) == 0.75
    assert retry_after({"retry-after": "soon"}) is None
