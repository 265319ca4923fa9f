"""What templates see of an incident: views whose wrong names are errors and whose empty values say "not set", and the
filters that put times, spans of time and people into words.

Nothing here reads or renders a template: `template_language.py` does.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from typing import Any

from mapping.document import Block
from mapping.incident import FollowUp, Incident, Person, TimelineEvent
from mapping.times import show_time

NOT_SET = "not set"
JOIN_LIMIT = 50_000
PERSON = ("name", "email")
INCIDENT = (
    *("reference", "name", "phase", "severity", "private", "summary", "lead", "roles", "timestamps", "custom_fields"),
    *("duration", "timeline", "follow_ups"),
)


class UnknownName(Exception):
    """A name that no incident has; `path` is as written, `known` are its siblings."""

    def __init__(self, path: str, name: str, known: Iterable[str]) -> None:
        super().__init__(path)
        self.path, self.name, self.known = path, name, tuple(known)


@dataclass(frozen=True, slots=True)
class Unset:
    """A known name without a value: false in conditions, empty in loops, "not set" when printed. `known` are the names it
    would have had, so that `incident.lead.name` without a lead is not set and `incident.lead.nmae` is an error."""

    path: str
    known: tuple[str, ...] = ()

    def get(self, name: str, default: object = None) -> object:
        if name not in self.known:
            raise UnknownName(f"{self.path}.{name}", name, self.known)
        return Unset(f"{self.path}.{name}") if default is None else default

    def __bool__(self) -> bool:
        return False

    def __iter__(self) -> Iterator[object]:
        return iter(())

    def __len__(self) -> int:
        return 0

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Unset) or other is None or other == ""

    def __hash__(self) -> int:
        return 0

    def __str__(self) -> str:
        return NOT_SET


class View:
    """Named values. `fixed` views know all their names; others (roles, times, custom fields) gain names in time, so that an
    absent one is merely not set. `below` are the names of what an absent entry would hold."""

    def __init__(
        self, path: str, values: Mapping[str, object], *, fixed: bool = True, below: tuple[str, ...] = (), text: str = ""
    ) -> None:
        self._path, self._fixed, self._below, self._text = path, fixed, below, text
        self._values = {name: value for name, value in values.items() if fixed or not _empty(value)}

    def get(self, name: str, default: object = None) -> object:
        """The value, an `Unset`, or `default` where one is given. UnknownName for what can never be there."""
        if not self._fixed and name in ("items", "keys", "values", "get") and name not in self._values:
            return getattr(self, name)
        if self._fixed and name not in self._values:
            raise UnknownName(f"{self._path}.{name}", name, self._values)
        value = self._values.get(name)
        if not _empty(value):
            return value
        return Unset(f"{self._path}.{name}", self._below_of(name)) if default is None else default

    def _below_of(self, name: str) -> tuple[str, ...]:
        return PERSON if name in ("lead", "assignee") else self._below

    def items(self) -> list[tuple[str, object]]:
        return list(self._values.items())

    def keys(self) -> list[str]:
        return list(self._values)

    def values(self) -> list[object]:
        return list(self._values.values())

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __str__(self) -> str:
        return self._text or ", ".join(f"{name}: {value}" for name, value in self._values.items()) or NOT_SET


def _empty(value: object) -> bool:
    return value is None or value == "" or isinstance(value, Unset)


class MarkdownText(str):
    """Text that is Markdown already and is inserted as it is."""

    __slots__ = ()

    @classmethod
    def escaped(cls, text: str) -> "MarkdownText":
        """Plain text as Markdown that reads back as that text; line ends are kept, blank lines part paragraphs."""
        lines = [_escape(line.strip()) for line in text.splitlines()]
        parts = re.split(r"\n\n+", "\n".join(lines))
        return cls("\n\n".join(part.strip("\n").replace("\n", "\\\n") for part in parts))


_SPECIAL = re.compile(r"[\\`*\[\]<>&~|]|(?<!\w)_|_(?!\w)")
_LINE_START = re.compile(r"^(?:(?=[-+#=>])|(\d{1,9})(?=[.)](?:\s|$)))")


def _escape(line: str) -> str:
    escaped = _SPECIAL.sub(lambda found: "\\" + found[0], line)
    return _LINE_START.sub(lambda found: (found[1] or "") + "\\", escaped)


# --- views ----------------------------------------------------------------------------------------------------------


def incident_view(incident: Incident) -> View:
    """The incident as templates see it."""
    times = incident.timestamps
    started, resolved = times.get("started"), times.get("resolved")
    values: dict[str, object] = {
        "reference": incident.reference,
        "name": incident.name,
        "phase": incident.phase.value,
        "severity": incident.severity,
        "private": incident.private,
        "summary": _prose(incident.summary),
        "lead": _person(incident.lead, "incident.lead"),
        "roles": _roles(incident.roles),
        "timestamps": View("incident.timestamps", times, fixed=False),
        "custom_fields": View("incident.custom_fields", incident.custom_fields, fixed=False),
        "duration": resolved - started if started and resolved else None,
        "timeline": [_event(event) for event in sorted(incident.timeline, key=lambda event: event.at)],
        "follow_ups": [_follow_up(follow_up) for follow_up in incident.follow_ups],
    }
    return View("incident", values)


def _prose(blocks: Iterable[Block]) -> str:
    return "\n\n".join(block.text for block in blocks if block.text)


def _roles(roles: Mapping[str, Person]) -> View:
    values = {name: _person(person, f"incident.roles.{name}") for name, person in roles.items()}
    return View("incident.roles", values, fixed=False, below=PERSON)


def _person(person: Person | None, path: str) -> View | None:
    if person is None or not str(person):
        return None
    return View(path, {"name": person.name, "email": person.email}, text=str(person))


def _event(event: TimelineEvent) -> View:
    values = {"key": event.key, "at": event.at, "title": event.title, "description": event.description}
    return View("event", values, text=event.title)


def _follow_up(item: FollowUp) -> View:
    values = {
        "key": item.key,
        "title": item.title,
        "status": item.status.value,
        "assignee": _person(item.assignee, "follow_up.assignee"),
        "priority": item.priority,
        "due_on": item.due_on,
    }
    return View("follow_up", values, text=item.title)


# --- filters --------------------------------------------------------------------------------------------------------


def filters_for(zone: tzinfo) -> dict[str, Callable[..., Any]]:
    """`time`, `date`, `duration`, `person`, `people` and `default`; what is not set stays not set."""

    def time(value: object) -> object:
        """`2026-11-02 10:03` in the zone."""
        return show_time(_moment(value, "time"), zone) if not _empty(value) else value

    def day(value: object) -> object:
        """`2026-11-02` in the zone."""
        if _empty(value) or (isinstance(value, date) and not isinstance(value, datetime)):
            return value
        return _moment(value, "date").astimezone(zone).date().isoformat()

    own = (duration, person, people, join, default)
    return {"time": time, "date": day, **{function.__name__: function for function in own}}


def _moment(value: object, name: str) -> datetime:
    if not isinstance(value, datetime):
        raise ValueError(f"the filter '{name}' needs a time, not '{value}'")
    return value


def duration(value: object, until: object = None) -> object:
    """A span of time, or the one between two times in either order, as `1 h 30 min`."""
    if isinstance(value, Unset) or isinstance(until, Unset):
        return value if isinstance(value, Unset) else until
    if isinstance(value, timedelta):
        return spell(value)
    return spell(abs(_moment(until, "duration") - _moment(value, "duration")))


def spell(span: timedelta) -> str:
    """`2 d 1 h 30 min`; under a minute `45 s`."""
    seconds = abs(round(span.total_seconds()))
    if seconds < 60:
        return f"{seconds} s"
    days, hours, minutes = seconds // 86400, seconds // 3600 % 24, seconds // 60 % 60
    return " ".join(f"{count} {unit}" for count, unit in ((days, "d"), (hours, "h"), (minutes, "min")) if count)


def person(value: object) -> object:
    """Somebody as a mention where their e-mail is known, else by name."""
    if not isinstance(value, View):
        return value
    email = value.get("email")
    name = MarkdownText.escaped(str(value))
    return MarkdownText(f"[@{name}](mailto:{email})") if isinstance(email, str) else name


def people(value: object) -> object:
    """Several people (a list, or the roles) as mentions, joined by commas."""
    several = value.values() if isinstance(value, View) else list(value) if isinstance(value, Iterable) else [value]
    named = [part if isinstance(part, MarkdownText) else MarkdownText.escaped(str(part)) for part in map(person, several)]
    return MarkdownText(", ".join(named)) if named else Unset("people")


def join(value: Iterable[object], between: str = ", ") -> str:
    """The parts as one text; longer than JOIN_LIMIT is refused, because joins of joins multiply."""
    parts = [str(part) for part in value]
    if sum(map(len, parts)) + len(between) * len(parts) > JOIN_LIMIT:
        raise ValueError(f"a joined text is over {JOIN_LIMIT} characters")
    return between.join(parts)


def default(value: object, instead: object = "") -> object:
    """Another text for what is not set."""
    return instead if _empty(value) else value
