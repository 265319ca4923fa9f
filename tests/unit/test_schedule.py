"""When pages are looked at."""

from datetime import UTC, datetime, timedelta

from syncd.schedule import Schedule

NOW = datetime(2026, 11, 2, 10, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def schedule() -> Schedule:
    s = Schedule(poll=30 * SECOND, debounce=20 * SECOND)
    s.track(1, NOW)
    return s


def test_a_new_page_is_worked_on_at_once() -> None:
    assert schedule().due(NOW) == [1]


def test_store_changes_are_gathered_and_a_later_one_does_not_push_the_first_away() -> None:
    s = schedule()
    s.worked(1, None)
    s.changed(1, NOW)
    s.changed(1, NOW + 10 * SECOND)
    assert s.due(NOW + 19 * SECOND) == []
    assert s.due(NOW + 20 * SECOND) == [1]


def test_a_cold_page_is_polled_less_and_a_hot_one_each_time() -> None:
    s = schedule()
    s.polled(1, NOW, NOW)
    assert s.clocks[1].wait == 30 * SECOND
    for _ in range(10):
        s.polled(1, NOW, None)
    assert s.clocks[1].wait == timedelta(minutes=10)


def test_failures_back_off_and_obey_the_service() -> None:
    s = schedule()
    s.failed(1, NOW, None)
    assert s.due(NOW + 4 * SECOND) == [] and s.due(NOW + 5 * SECOND) == [1]
    s.failed(1, NOW, NOW + 90 * SECOND)
    assert s.due(NOW + 89 * SECOND) == [] and s.due(NOW + 90 * SECOND) == [1]
    for _ in range(20):
        s.failed(1, NOW, None)
    assert s.due(NOW + timedelta(minutes=10)) == [1]


def test_pages_that_are_gone_are_forgotten() -> None:
    s = schedule()
    s.forget(set())
    assert s.due(NOW) == []
