"""Incidents as JSON, JSON lines or YAML: bytes -> values -> `Incident`s, and back to the same shape.

Everything wrong is told at once, each with its path (`[3].timeline[0].at: ...`); one bad incident never keeps the others
out. What an import changes in the store is the store's business.
"""

import difflib
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from enum import StrEnum
from typing import Any, TypeVar

import yaml

from mapping.document import Block
from mapping.incident import FollowUp, FollowUpStatus, Incident, Person, Phase, TimelineEvent
from mapping.times import iso

ReadMarkdown = Callable[[str], tuple[Block, ...]]
WriteMarkdown = Callable[[Iterable[Block]], str]
Choice = TypeVar("Choice", bound=StrEnum)
Row = TypeVar("Row", FollowUp, TimelineEvent)

INCIDENT_KEYS = (
    *("reference", "name", "phase", "severity", "private", "summary", "lead", "roles", "timestamps", "custom_fields"),
    *("timeline", "follow_ups"),
)
PERSON_KEYS = ("name", "email")
EVENT_KEYS = ("key", "at", "title", "description")
FOLLOW_UP_KEYS = ("key", "title", "status", "assignee", "priority", "due_on")

_INVISIBLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_LINE_ENDS = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_REFERENCE = re.compile(r"[^\s/?#%]{1,200}")
_EMAIL = re.compile(r"[^\s@<>]+@[^\s@<>]+")


@dataclass(frozen=True, slots=True)
class Placed:
    """A value with the place it was read from: empty for the only one, `[3]` in an array, `line 4` in JSON lines."""

    place: str
    value: object


@dataclass(frozen=True, slots=True)
class Given:
    """Which fields a source spoke of: `severity`, `time:started`, and `time:*` where it said that there are none at all; the
    same for each row in order. A field that it left out is no news, and an empty one is."""

    fields: frozenset[str]
    timeline: tuple[frozenset[str], ...] = ()
    follow_ups: tuple[frozenset[str], ...] = ()

    def speaks_of(self, field: str) -> bool:
        """Whether a field of the incident was there, empty or not."""
        prefix, _, name = field.partition(":")
        return field in self.fields or (bool(name) and f"{prefix}:*" in self.fields)


@dataclass(frozen=True, slots=True)
class Read:
    """An incident as it was read, and what of it was there to be read."""

    incident: Incident
    given: Given


# --- bytes -> values --------------------------------------------------------------------------------------------------


class _PlainLoader(yaml.SafeLoader):
    """YAML whose scalars stay as they were typed, save for null and true or false: a version `1.10`, a count `007` and an
    impossible date all reach the checks below as text."""


_YAML_BOOL = re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$")
_PLAIN_TAGS = ("tag:yaml.org,2002:null", "tag:yaml.org,2002:merge")
_PlainLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag in _PLAIN_TAGS]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_PlainLoader.add_implicit_resolver("tag:yaml.org,2002:bool", _YAML_BOOL, list("tTfF"))


def load_records(name: str, data: bytes) -> tuple[list[Placed], list[str]]:
    """The values of a file and what could not be read of it. `name` tells the format: `.yaml` and `.yml` are YAML, anything
    else is one JSON value or, failing that, JSON lines, of which the good ones count, or YAML."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return [], [f"{name}: byte {error.start + 1} is not UTF-8"]
    if not text.strip():
        return [], [f"{name}: the file is empty"]
    if name.lower().endswith((".yaml", ".yml")):
        return _load_yaml(name, text)
    return _load_json(name, text)


def _load_yaml(name: str, text: str) -> tuple[list[Placed], list[str]]:
    try:
        documents = [value for value in yaml.load_all(text, _PlainLoader) if value is not None]
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        return [], [f"{name}: line {line}: not YAML: {error.problem or error.context}"]
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        return [], [f"{name}: not YAML: {_first_line(error)}"]
    return _placed(documents[0] if len(documents) == 1 else documents), []


def _load_json(name: str, text: str) -> tuple[list[Placed], list[str]]:
    try:
        return _placed(json.loads(text)), []
    except (ValueError, RecursionError) as error:
        if not _is_lines(name, text):
            return _load_unnamed(name, text, f"{name}: {_json_reason(error)}")
    values, problems = [], []
    for number, line in enumerate(text.split("\n"), start=1):
        try:
            values += [Placed(f"line {number}", json.loads(line))] if line.strip() else []
        except (ValueError, RecursionError) as error:
            problems.append(f"{name}: line {number}: {_json_reason(error, lines=False)}")
    return values, problems


def _load_unnamed(name: str, text: str, reason: str) -> tuple[list[Placed], list[str]]:
    """YAML where neither the name nor the first character says JSON, as on standard input."""
    if name.lower().endswith(".json") or text.lstrip()[0] in "[{":
        return [], [reason]
    values, problems = _load_yaml(name, text)
    return (values, problems) if all(isinstance(one.value, Mapping) for one in values) else ([], [reason])


def _is_lines(name: str, text: str) -> bool:
    """Whether the text was meant as JSON lines: its first or last line is an object by itself."""
    lines = text.strip().split("\n")
    return name.lower().endswith((".jsonl", ".ndjson")) or _is_object(lines[0]) or _is_object(lines[-1])


def _is_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _json_reason(error: Exception, *, lines: bool = True) -> str:
    if not isinstance(error, json.JSONDecodeError):
        return f"not JSON: {_first_line(error)}"
    where = f"line {error.lineno}, column {error.colno}" if lines else f"column {error.colno}"
    return f"not JSON: {error.msg} at {where}"


def _first_line(error: Exception) -> str:
    return "nested too deeply" if isinstance(error, RecursionError) else str(error).partition("\n")[0]


def _placed(value: object) -> list[Placed]:
    if isinstance(value, list):
        return [Placed(f"[{index}]", item) for index, item in enumerate(value)]
    return [Placed("", value)]


# --- values -> incidents ----------------------------------------------------------------------------------------------


def parse_incidents(data: object, zone: tzinfo | None, markdown: ReadMarkdown) -> tuple[list[Incident], list[str]]:
    """As `parse_records`, for whom what was left out is as good as empty."""
    records, problems = parse_records(data, zone, markdown)
    return [read.incident for read in records], problems


def parse_records(data: object, zone: tzinfo | None, markdown: ReadMarkdown) -> tuple[list[Read], list[str]]:
    """The incidents of one value, a list of values, or what `load_records` gave; and every problem with its path. Times are
    UTC; those without a zone are in `zone`, or refused when it is None. Rows without a key have the key ''."""
    values = [data] if isinstance(data, Mapping | Placed) or not isinstance(data, Sequence) else list(data)
    alone = isinstance(data, Mapping)
    records: dict[str, Read] = {}
    problems: list[str] = []
    for index, value in enumerate(values):
        placed = value if isinstance(value, Placed) else Placed("" if alone else f"[{index}]", value)
        reader = _Reader(zone, markdown)
        incident = reader.incident(placed.value, placed.place)
        if not reader.problems and incident.reference in records:
            where = _at(placed.place, "reference")
            reader.refuse(where, f"'{incident.reference}' is in this file already; the first one counts")
        problems += reader.problems
        if not reader.problems:
            records[incident.reference] = Read(incident, _given(placed.value))
    return list(records.values()), problems


NAMED = {"roles": "role", "timestamps": "time", "custom_fields": "field"}
NEVER_EMPTY = ("phase", "private", "status", "key")  # nothing is no value for these


def _given(value: object) -> Given:
    table = value if isinstance(value, Mapping) else {}
    fields = _present(table).difference(NAMED)
    for key, prefix in NAMED.items():
        inner = table.get(key, {})
        fields |= {f"{prefix}:*"} if inner is None else {f"{prefix}:{clean(str(name))}" for name in inner}
    rows = (tuple(_present(row) for row in table.get(key) or ()) for key in ("timeline", "follow_ups"))
    return Given(fields, *rows)


def _present(table: Mapping[object, object]) -> frozenset[str]:
    return frozenset(str(key) for key, item in table.items() if item is not None or key not in NEVER_EMPTY)


def _at(place: str, key: str) -> str:
    if not place:
        return key
    return f"{place}{key}" if key.startswith("[") else f"{place}: {key}" if place.startswith("line ") else f"{place}.{key}"


class _Reader:
    """Reads one incident; whatever is wrong goes to `problems` and reading goes on with an empty value."""

    def __init__(self, zone: tzinfo | None, markdown: ReadMarkdown) -> None:
        self.zone, self.markdown = zone, markdown
        self.problems: list[str] = []

    def refuse(self, path: str, reason: str) -> None:
        """Note one problem."""
        self.problems.append(f"{path}: {reason}" if path else reason)

    def incident(self, value: object, path: str) -> Incident:
        """One incident; only its reference is required."""
        table = self._table(value, path, INCIDENT_KEYS)
        return Incident(
            reference=self._reference(table, path),
            name=self._text(table, "name", path),
            phase=self._choice(table, "phase", path, Phase.TRIAGE),
            severity=self._text(table, "severity", path),
            private=self._flag(table, "private", path),
            summary=self.markdown(self._prose(table, "summary", path)),
            lead=self._person(table, "lead", path),
            roles=self._people(table, "roles", path),
            timestamps=self._times(table, "timestamps", path),
            custom_fields=self._texts(table, "custom_fields", path),
            timeline=self._rows(table, "timeline", path, self._event),
            follow_ups=self._rows(table, "follow_ups", path, self._follow_up),
        )

    def _reference(self, table: Mapping[str, object], path: str) -> str:
        reference = self._text(table, "reference", path)
        if not reference and _absent(table, "reference"):
            self.refuse(_at(path, "reference"), "is missing")
        elif reference and not _REFERENCE.fullmatch(reference):
            self.refuse(_at(path, "reference"), f"'{_shown(reference)}' must have no spaces and none of / ? # %")
        return reference

    def _event(self, value: object, path: str) -> TimelineEvent:
        table = self._table(value, path, EVENT_KEYS)
        at = self._time(table.get("at"), _at(path, "at"))
        if table.get("at") is None:
            self.refuse(_at(path, "at"), "is missing")
        title, description = self._title(table, path), self._prose(table, "description", path)
        return TimelineEvent(self._key(table, path), at or datetime.min.replace(tzinfo=UTC), title, description)

    def _follow_up(self, value: object, path: str) -> FollowUp:
        table = self._table(value, path, FOLLOW_UP_KEYS)
        return FollowUp(
            key=self._key(table, path),
            title=self._title(table, path),
            status=self._choice(table, "status", path, FollowUpStatus.OPEN),
            assignee=self._person(table, "assignee", path),
            priority=self._text(table, "priority", path),
            due_on=self._day(table.get("due_on"), _at(path, "due_on")),
        )

    def _title(self, table: Mapping[str, object], path: str) -> str:
        title = self._text(table, "title", path)
        if not title and _absent(table, "title"):
            self.refuse(_at(path, "title"), "is missing or empty")
        return title

    def _key(self, table: Mapping[str, object], path: str) -> str:
        key = self._text(table, "key", path)
        if key and not _REFERENCE.fullmatch(key):
            self.refuse(_at(path, "key"), f"'{_shown(key)}' must have no spaces and none of / ? # %")
        return key

    # containers

    def _table(self, value: object, path: str, known: Sequence[str] = ()) -> Mapping[str, object]:
        if not isinstance(value, Mapping):
            self.refuse(path, f"must be an object with keys, not {_kind(value)}")
            return {}
        for key in value:
            if known and key not in known:
                self.refuse(_at(path, str(key)), f"unknown key{_meant(str(key), known)}")
        return {str(key): item for key, item in value.items()}

    def _named(self, table: Mapping[str, object], key: str, path: str) -> list[tuple[str, object, str]]:
        """The entries of an object of free names that are not null: (name, value, path)."""
        value = table.get(key)
        inner = self._table(value, _at(path, key)) if value is not None else {}
        cleaned = ((clean(name), item) for name, item in inner.items() if item is not None)
        return [(name, item, f"{_at(path, key)}.{name}") for name, item in cleaned if name]

    def _rows(self, table: Mapping[str, object], key: str, path: str, read: Callable[[object, str], Row]) -> tuple[Row, ...]:
        value = table.get(key)
        if value is None:
            return ()
        if not isinstance(value, list | tuple):
            self.refuse(_at(path, key), f"must be a list, not {_kind(value)}")
            return ()
        rows = tuple(read(item, f"{_at(path, key)}[{index}]") for index, item in enumerate(value))
        keys = [row.key for row in rows if row.key]
        for repeated in sorted({k for k in keys if keys.count(k) > 1}):
            self.refuse(_at(path, key), f"the key '{repeated}' is used twice")
        return rows

    def _people(self, table: Mapping[str, object], key: str, path: str) -> dict[str, Person]:
        people = {name: self._one(item, where) for name, item, where in self._named(table, key, path)}
        return {name: person for name, person in people.items() if person}

    def _times(self, table: Mapping[str, object], key: str, path: str) -> dict[str, datetime]:
        times = {name: self._time(item, where) for name, item, where in self._named(table, key, path)}
        return {name: moment for name, moment in times.items() if moment}

    def _texts(self, table: Mapping[str, object], key: str, path: str) -> dict[str, str]:
        texts = {name: clean_prose(self._scalar(item, where)) for name, item, where in self._named(table, key, path)}
        return {name: text for name, text in texts.items() if text}

    # single values

    def _scalar(self, value: object, path: str) -> str:
        match value:
            case None:
                return ""
            case bool():
                return "true" if value else "false"
            case str() | int() | float():
                return str(value)
            case datetime():
                return iso(value)
            case date():
                return value.isoformat()
        self.refuse(path, f"must be text, not {_kind(value)}")
        return ""

    def _text(self, table: Mapping[str, object], key: str, path: str) -> str:
        return clean(self._scalar(table.get(key), _at(path, key)))

    def _prose(self, table: Mapping[str, object], key: str, path: str) -> str:
        return clean_prose(self._scalar(table.get(key), _at(path, key)))

    def _flag(self, table: Mapping[str, object], key: str, path: str) -> bool:
        value = table.get(key)
        if value is not None and not isinstance(value, bool):
            self.refuse(_at(path, key), f"must be true or false, not '{_shown(value)}'")
        return value is True

    def _choice(self, table: Mapping[str, object], key: str, path: str, otherwise: Choice) -> Choice:
        text = self._text(table, key, path)
        allowed = {choice.value: choice for choice in type(otherwise)}
        if text and text not in allowed:
            self.refuse(_at(path, key), f"'{_shown(text)}' is not one of {', '.join(allowed)}{_meant(text, list(allowed))}")
        return allowed.get(text, otherwise)

    def _person(self, table: Mapping[str, object], key: str, path: str) -> Person | None:
        return self._one(table.get(key), _at(path, key))

    def _one(self, value: object, path: str) -> Person | None:
        if value is None:
            return None
        table = self._table(value, path, PERSON_KEYS)
        email = self._text(table, "email", path).lower()
        if email and not _EMAIL.fullmatch(email):
            self.refuse(_at(path, "email"), f"'{_shown(email)}' is not an e-mail address")
        person = Person(self._text(table, "name", path), email)
        return person if str(person) else None

    def _time(self, value: object, path: str) -> datetime | None:
        if value is None:
            return None
        try:
            moment = value if isinstance(value, datetime) else _iso_time(value)
            if moment.tzinfo is None and self.zone is None:
                self.refuse(path, f"'{_shown(value)}' has no time zone; add one, or say which with --timezone")
                return None
            return (moment if moment.tzinfo else moment.replace(tzinfo=self.zone)).astimezone(UTC)
        except (ValueError, OverflowError):
            self.refuse(path, f"'{_shown(value)}' is not a time, which looks like 2026-11-02T10:03:00Z")
            return None

    def _day(self, value: object, path: str) -> date | None:
        if value is None or value == "":
            return None
        if isinstance(value, date) and not isinstance(value, datetime):
            return value
        try:
            if isinstance(value, str) and len(value.strip()) == len("2026-12-01"):
                return date.fromisoformat(value.strip())
        except ValueError:
            pass
        self.refuse(path, f"'{_shown(value)}' is not a date, which looks like 2026-12-01")
        return None


def _iso_time(value: object) -> datetime:
    text = re.sub(r"\s+(?=[Zz+-])", "", value.strip()) if isinstance(value, str) else ""
    if len(text) < len("2026-11-02T10:03"):
        raise ValueError("a date and a time are needed")
    return datetime.fromisoformat(text.upper())


def _absent(table: Mapping[str, object], key: str) -> bool:
    return isinstance(table.get(key, ""), str | None)


def _meant(name: str, known: Sequence[str]) -> str:
    nearest = difflib.get_close_matches(name, known, n=1)
    return f", did you mean '{nearest[0]}'?" if nearest else ""


def _kind(value: object) -> str:
    names = {dict: "an object", list: "a list", str: "text", bool: "true or false", int: "a number", float: "a number"}
    return "nothing" if value is None else names.get(type(value), type(value).__name__)


def _shown(value: object) -> str:
    text = str(value) if isinstance(value, str | int | float | date) else _kind(value)
    return text if len(text) <= 60 else f"{text[:59]}…"


# --- cleaning ---------------------------------------------------------------------------------------------------------


def clean(text: str) -> str:
    """One line: line ends and tabs become spaces, what no service stores (control characters, halves of characters) goes."""
    return " ".join(_INVISIBLE.sub("", _LINE_ENDS.sub("\n", text)).replace("\t", " ").split("\n")).strip()


def clean_prose(text: str) -> str:
    """Several lines: `\\n` ends them all, control characters go."""
    return _INVISIBLE.sub("", _LINE_ENDS.sub("\n", text)).strip("\n")


# --- incidents -> values ----------------------------------------------------------------------------------------------


def incident_to_json(incident: Incident, markdown: WriteMarkdown) -> dict[str, Any]:
    """An incident in the shape that `parse_incidents` reads; empty keys are null."""
    value: dict[str, Any] = {
        "reference": incident.reference,
        "name": incident.name,
        "phase": incident.phase.value,
        "severity": incident.severity,
        "private": incident.private,
        "summary": markdown(incident.summary).strip("\n"),
        "lead": _person_json(incident.lead),
        "roles": {name: _person_json(person) for name, person in incident.roles.items()},
        "timestamps": {name: iso(moment) for name, moment in incident.timestamps.items()},
        "custom_fields": dict(incident.custom_fields),
        "timeline": [event_json(event) for event in incident.timeline],
        "follow_ups": [follow_up_json(item) for item in incident.follow_ups],
    }
    return _nulled(value)


def _nulled(value: Mapping[str, Any]) -> dict[str, Any]:
    return {key: None if item in ("", {}, []) else item for key, item in value.items()}


def _person_json(person: Person | None) -> dict[str, Any] | None:
    return _nulled({"name": person.name, "email": person.email}) if person else None


def event_json(event: TimelineEvent) -> dict[str, Any]:
    """A timeline event in the import's shape."""
    description = event.description
    return _nulled({"key": event.key, "at": iso(event.at), "title": event.title, "description": description})


def follow_up_json(item: FollowUp) -> dict[str, Any]:
    """A follow-up in the import's shape."""
    return _nulled(
        {
            "key": item.key,
            "title": item.title,
            "status": item.status.value,
            "assignee": _person_json(item.assignee),
            "priority": item.priority,
            "due_on": item.due_on.isoformat() if item.due_on else None,
        }
    )
