"""Times as people type them and as pages show them.

A page shows `2026-11-02 10:03` in its zone. Understood besides: ISO with or without zone and seconds, `10.05`, `~10:05`,
`10:05 PM`, a zone name behind the time (`CET`, `Europe/Berlin`, `+02:00`), `next day`, a bare time (on the day of `near`).
"""

import re
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

CLOCK = re.compile(
    r"""^\s*[~≈]?\s*
    (?:(?P<date>\d{4}-\d{2}-\d{2})[T\s,]*)?
    [~≈]?\s*(?P<hour>\d{1,2})[:.](?P<minute>\d{2})(?:[:.](?P<second>\d{2})(?:\.\d+)?)?
    \s*(?P<half>[AaPp]\.?[Mm]\.?)?
    \s*(?P<zone>Z|[+-]\d{2}:?\d{2}|[A-Za-z]+(?:/[A-Za-z_+-]+)*)?
    \s*\(?(?P<next>next\ day|\+1)?\)?\s*$""",
    re.VERBOSE,
)
ZONE_NAMES = {"Z": 0, "UTC": 0, "GMT": 0, "WET": 0, "BST": 60, "CET": 60, "CEST": 120, "EET": 120, "EEST": 180}
ZONE_NAMES |= {"EST": -300, "EDT": -240, "CST": -360, "CDT": -300, "MST": -420, "MDT": -360, "PST": -480, "PDT": -420}


def iso(moment: datetime) -> str:
    """A moment in UTC for programs: `2026-11-02T10:03:27Z`."""
    return moment.isoformat().replace("+00:00", "Z")


def show_time(moment: datetime, zone: tzinfo) -> str:
    """`2026-11-02 10:03`, as it stands on a page."""
    return moment.astimezone(zone).strftime("%Y-%m-%d %H:%M")


def parse_time(text: str, zone: tzinfo, near: datetime) -> datetime | None:
    """What a person meant, in UTC; None when it cannot be a time. `near` lends its day to a bare time."""
    found = CLOCK.match(" ".join(text.replace("\u00a0", " ").split()))
    if found is None:
        return None
    spoken = re.fullmatch(r"next day", (found["zone"] or "").lower())
    named = zone if not found["zone"] or spoken else zone_of(found["zone"])
    clock = _clock(found)
    if clock is None or named is None:
        return None
    try:
        day = date.fromisoformat(found["date"]) if found["date"] else near.astimezone(named).date()
        moment = datetime.combine(day, clock, named)
        return (moment + timedelta(days=1 if found["next"] else 0)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _clock(found: re.Match[str]) -> time | None:
    hour = int(found["hour"])
    if found["half"]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if found["half"].lower().startswith("p") else 0)
    try:
        return time(hour, int(found["minute"]), int(found["second"] or 0))
    except ValueError:
        return None


def zone_of(name: str) -> tzinfo | None:
    """The zone that people call so: an IANA name, a common abbreviation, an offset."""
    if name.upper() in ZONE_NAMES:
        return timezone(timedelta(minutes=ZONE_NAMES[name.upper()]))
    offset = re.fullmatch(r"([+-])(\d{2}):?(\d{2})", name)
    if offset:
        minutes = int(offset[2]) * 60 + int(offset[3])
        return timezone(timedelta(minutes=minutes if offset[1] == "+" else -minutes)) if minutes < 24 * 60 else None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def span(text: str) -> timedelta | None:
    """A span of time as people type it: `45s`, `90m`, `24h`, `2d`; None when it is none."""
    found = re.fullmatch(r"\s*([0-9]{1,4})\s*([smhd])\s*", text)
    units = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
    return timedelta(**{units[found[2]]: int(found[1])}) if found else None


def parse_date(text: str) -> date | None:
    """An ISO date, or `1 December 2026` in English; None when it cannot be a date."""
    cleaned = " ".join(text.split())
    for pattern in ("%Y-%m-%d", "%Y/%m/%d", "%d.%m.%Y", "%d %B %Y", "%d %b %Y", "%b %d, %Y", "%B %d, %Y"):
        try:
            return datetime.strptime(cleaned, pattern).replace(tzinfo=UTC).date()
        except ValueError:
            continue
    return None
