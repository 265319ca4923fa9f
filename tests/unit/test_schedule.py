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
    s.failed(1, NOW, NOW + 2.5 * SECOND)
    assert s.due(NOW + 2.4 * SECOND) == [] and s.due(NOW + 2.5 * SECOND) == [1]


def test_content_is_swept_page_by_page_longest_unseen_first() -> None:
    s = schedule()
    hour, gap = timedelta(hours=1), 10 * SECOND
    s.track(2, NOW + SECOND)
    assert s.to_sweep(NOW + hour - SECOND) is None
    assert s.to_sweep(NOW + hour) == 1
    s.looked(1, NOW + hour)
    assert s.to_sweep(NOW + hour + 9 * SECOND) is None
    assert s.to_sweep(NOW + hour + gap) == 2
    s.looked(2, NOW + hour + gap)
    assert s.to_sweep(NOW + hour + 2 * gap) is None


def test_a_thousand_pages_are_swept_one_at_a_time_and_all_within_four_hours() -> None:
    s = Schedule(poll=30 * SECOND, debounce=20 * SECOND)
    for page in range(1000):
        s.track(page, NOW)
    now = NOW
    seen: set[int] = set()
    while len(seen) < 1000:
        now += SECOND
        swept = s.to_sweep(now)
        if swept is not None:
            assert swept not in seen
            seen.add(swept)
            s.looked(swept, now)
    assert now - NOW < timedelta(hours=4)


def test_the_page_that_waits_longest_comes_first_and_a_busy_one_gets_behind_the_others() -> None:
    s = Schedule(poll=30 * SECOND, debounce=20 * SECOND)
    for page in (1, 2, 3):
        s.track(page, NOW)
    assert s.due(NOW) == [1, 2, 3]
    s.worked(1, None)
    s.ask(1, NOW + 60 * SECOND)  # edited again while it was worked on
    assert s.due(NOW + 60 * SECOND) == [2, 3, 1]


def test_pages_that_are_gone_are_forgotten() -> None:
    s = schedule()
    s.forget(set())
    assert s.due(NOW) == []


def test_comments_are_counted_once_an_hour_one_page_after_the_other() -> None:
    s = schedule()
    s.track(2, NOW, counted=NOW - timedelta(minutes=50))
    assert s.to_count(NOW + timedelta(minutes=9)) is None
    assert s.to_count(NOW + timedelta(minutes=11)) == 2
    assert s.to_count(NOW + timedelta(minutes=59)) is None
    s.track(3, NOW)
    assert s.to_count(NOW + timedelta(minutes=60)) == 1
    assert s.to_count(NOW + timedelta(minutes=60) + 9 * SECOND) is None
    assert s.to_count(NOW + timedelta(minutes=60) + 10 * SECOND) == 3
