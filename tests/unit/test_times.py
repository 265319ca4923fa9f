"""Times as people type them."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from mapping.times import parse_date, parse_time, show_time

NEAR = datetime(2026, 11, 2, 10, 3, 27, tzinfo=UTC)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("2026-11-02 10:05", "2026-11-02T10:05:00+00:00"),
        ("10:05", "2026-11-02T10:05:00+00:00"),
        ("10.05", "2026-11-02T10:05:00+00:00"),
        ("~10:05", "2026-11-02T10:05:00+00:00"),
        ("10:05 PM", "2026-11-02T22:05:00+00:00"),
        ("12:05 am", "2026-11-02T00:05:00+00:00"),
        ("10:05:09", "2026-11-02T10:05:09+00:00"),
        ("10:05 CET", "2026-11-02T09:05:00+00:00"),
        ("10:05 Europe/Berlin", "2026-11-02T09:05:00+00:00"),
        ("2026-11-02T10:05:00+02:00", "2026-11-02T08:05:00+00:00"),
        ("2026-11-02T10:05Z", "2026-11-02T10:05:00+00:00"),
        ("00:10 next day", "2026-11-03T00:10:00+00:00"),
        ("00:10 CET (next day)", "2026-11-02T23:10:00+00:00"),
    ],
)
def test_what_people_type_is_understood(typed: str, meant: str) -> None:
    moment = parse_time(typed, UTC, NEAR)
    assert moment is not None and moment.isoformat() == meant


@pytest.mark.parametrize(
    "typed", ["25:99", "", "soon", "10:05 XYZ", "13:05 PM", "2026-02-30 10:00", "15.26.99", "10:05 ../../x"]
)
def test_what_cannot_be_a_time_is_not_guessed(typed: str) -> None:
    assert parse_time(typed, UTC, NEAR) is None


def test_a_bare_time_is_in_the_pages_zone() -> None:
    zone = ZoneInfo("America/New_York")
    moment = parse_time("05:05", zone, NEAR)
    assert moment == datetime(2026, 11, 2, 10, 5, tzinfo=UTC)
    assert show_time(moment, zone) == "2026-11-02 05:05"


def test_dates() -> None:
    assert str(parse_date("2026-12-01")) == str(parse_date("1 December 2026")) == "2026-12-01"
    assert parse_date("2026-13-01") is None
