"""Data source queries and searches: filters, sorts, pages of results and their cursors.

Times are compared as they are shown, cut to the minute. The rules read rendered pages, so that a filter sees exactly
what a reader sees.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import Any

from providers.sandbox.notion_check import (
    Json,
    array,
    choice,
    invalid,
    keys,
    number,
    only_one,
    refused,
    string,
    wrong,
)
from providers.sandbox.notion_properties import TYPES, Property, Schema
from providers.sandbox.notion_text import parse_moment

MOST_RESULTS = 10_000
PAGE_SIZE = 100
_CURSOR_CHARS = 75
_LEVELS = 2

Rule = Callable[[Json], bool]

_DATE_TYPES = frozenset({"date", "created_time", "last_edited_time"})
_TEXT_TYPES = frozenset({"title", "rich_text", "url", "email", "phone_number"})
_PERSON_TYPES = frozenset({"people", "created_by", "last_edited_by"})
_DIRECTIONS = ("ascending", "descending")
_TIMESTAMPS = ("created_time", "last_edited_time")


# --- filters -------------------------------------------------------------------------------------------------------


def read_filter(value: object, schema: Schema, at: str = "body.filter", level: int = 0) -> Rule:
    """A filter as a predicate over rendered pages; raises `Refusal`."""
    given = keys(value, at, {"and", "or", "property", "timestamp", "type", *TYPES})
    for joint, join in (("and", all), ("or", any)):
        if joint in given:
            keys(value, at, {joint})
            return _read_group(given[joint], schema, f"{at}.{joint}", level, join)
    return _read_timestamp(given, at) if "timestamp" in given else _read_property(given, schema, at)


def _read_group(value: object, schema: Schema, at: str, level: int, join: Callable[..., bool]) -> Rule:
    if level >= _LEVELS:
        raise invalid(f"{at} should be not present, filters nest at most {_LEVELS} levels")
    items = enumerate(array(value, at))
    rules = [read_filter(item, schema, f"{at}[{index}]", level + 1) for index, item in items]
    return lambda page: join(rule(page) for rule in rules)


def _read_timestamp(given: Json, at: str) -> Rule:
    kind = choice(given["timestamp"], f"{at}.timestamp", _TIMESTAMPS)
    keys(given, at, {"timestamp", "type", kind}, {kind})
    holds = _date_condition(given[kind], f"{at}.{kind}")
    return lambda page: holds(page[kind])


def _read_property(given: Json, schema: Schema, at: str) -> Rule:
    keys(given, at, {"property", "type", *TYPES}, {"property"})
    prop = _property(schema, given["property"], f"{at}.property")
    kind, condition = only_one({k: v for k, v in given.items() if k not in {"property", "type"}}, at, TYPES)
    if kind != prop.type:
        raise refused(f"database property {prop.type} does not match filter {kind}")
    holds = _condition(prop, condition, f"{at}.{kind}")
    return lambda page: holds(comparable(page["properties"][prop.name]))


def _property(schema: Schema, key: object, at: str) -> Property:
    prop = schema.find(string(key, at))
    if prop is None:
        raise refused(f"Could not find property with name or id: {key}")
    return prop


def comparable(shown: Json) -> Any:
    """A rendered property value as what filters and sorts compare: text, a name, a list, a number, a time."""
    kind, value = shown["type"], shown[shown["type"]]
    if kind in {"title", "rich_text"}:
        return "".join(item["plain_text"] for item in value)
    if kind in {"select", "status"}:
        return value and value["name"]
    if kind == "multi_select":
        return [option["name"] for option in value]
    if kind in _PERSON_TYPES:
        return [person["id"] for person in (value if isinstance(value, list) else [value])]
    return value and value["start"] if kind == "date" else value


def _condition(prop: Property, value: object, at: str) -> Callable[[Any], bool]:
    if prop.type in _DATE_TYPES:
        return _date_condition(value, at)
    if prop.type in {"select", "status"}:
        return _option_condition(prop, value, at)
    name, wanted = _operator(value, at, _operators(prop.type))
    if name in {"is_empty", "is_not_empty"}:
        return _existence(name)
    if prop.type == "number":
        wanted = number(wanted, f"{at}.{name}")
    elif prop.type != "checkbox":
        wanted = string(wanted, f"{at}.{name}")
    holds = _OPERATORS[name]
    return lambda found: (found is not None and holds(found, wanted)) or (found is None and "not" in name)


def _operators(kind: str) -> Sequence[str]:
    if kind == "number":
        return (*_ORDER, "equals", "does_not_equal", *_EXISTENCE)
    if kind == "checkbox":
        return ("equals", "does_not_equal")
    contains = ("contains", "does_not_contain", *_EXISTENCE)
    return ("equals", "does_not_equal", "starts_with", "ends_with", *contains) if kind in _TEXT_TYPES else contains


def _operator(value: object, at: str, allowed: Sequence[str]) -> tuple[str, Any]:
    return only_one(value, at, allowed)


_EXISTENCE = ("is_empty", "is_not_empty")
_ORDER = ("greater_than", "less_than", "greater_than_or_equal_to", "less_than_or_equal_to")


def _fold(value: Any) -> Any:
    return value.casefold() if isinstance(value, str) else value


_OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "equals": lambda found, wanted: bool(_fold(found) == _fold(wanted)),
    "does_not_equal": lambda found, wanted: bool(_fold(found) != _fold(wanted)),
    "contains": lambda found, wanted: _fold(wanted) in _fold(found),
    "does_not_contain": lambda found, wanted: _fold(wanted) not in _fold(found),
    "starts_with": lambda found, wanted: bool(_fold(found).startswith(_fold(wanted))),
    "ends_with": lambda found, wanted: bool(_fold(found).endswith(_fold(wanted))),
    "greater_than": lambda found, wanted: bool(found > wanted),
    "less_than": lambda found, wanted: bool(found < wanted),
    "greater_than_or_equal_to": lambda found, wanted: bool(found >= wanted),
    "less_than_or_equal_to": lambda found, wanted: bool(found <= wanted),
}


def _existence(name: str) -> Callable[[Any], bool]:
    wanted_empty = name == "is_empty"
    return lambda found: (found is None or found == "" or found == []) is wanted_empty


def _option_condition(prop: Property, value: object, at: str) -> Callable[[Any], bool]:
    name, wanted = _operator(value, at, ("equals", "does_not_equal", *_EXISTENCE))
    if name in _EXISTENCE:
        return _existence(name)
    listed = wanted if isinstance(wanted, list) else [wanted]
    names = [string(item, f"{at}.{name}") for item in listed]
    unknown = next((item for item in names if prop.option("name", item) is None), None)
    if unknown is not None and prop.type == "status":
        raise refused(f'{prop.type} option "{unknown}" not found for property "{prop.name}".')
    return lambda found: (found in names) is (name == "equals")


_DATE_TESTS: Mapping[str, Callable[[Any, Any], bool]] = {
    "equals": lambda found, wanted: bool(found == wanted),
    "before": lambda found, wanted: bool(found < wanted),
    "after": lambda found, wanted: bool(found > wanted),
    "on_or_before": lambda found, wanted: bool(found <= wanted),
    "on_or_after": lambda found, wanted: bool(found >= wanted),
}


def _date_condition(value: object, at: str) -> Callable[[Any], bool]:
    name, wanted = _operator(value, at, (*_DATE_TESTS, *_EXISTENCE))
    if name in _EXISTENCE:
        return _existence(name)
    moment = parse_moment(string(wanted, f"{at}.{name}"))
    if moment is None:
        raise wrong(f"{at}.{name}", "a valid ISO 8601 date string", wanted)
    by_day, test = not isinstance(moment, datetime), _DATE_TESTS[name]
    return lambda found: found is not None and test(_moment(found, by_day), _moment(wanted, by_day))


def _moment(value: str, by_day: bool) -> date | datetime:
    """A time for comparison; against a bare day only the day counts."""
    moment = parse_moment(value)
    if not isinstance(moment, datetime):
        moment = datetime.combine(moment or date.min, time(), UTC)
    aware = moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    return aware.date() if by_day else aware


# --- sorts ---------------------------------------------------------------------------------------------------------


def sort_pages(pages: Sequence[Json], value: object, schema: Schema) -> list[Json]:
    """Rendered pages in the order that a query's `sorts` asks for; without any, as they were created."""
    ordered = list(pages)
    sorts = array(value, "body.sorts")
    for index, item in reversed(list(enumerate(sorts))):
        key, descending = _read_sort(item, schema, f"body.sorts[{index}]")
        ordered.sort(key=key, reverse=descending)
    return ordered


def _read_sort(value: object, schema: Schema, at: str) -> tuple[Callable[[Json], Any], bool]:
    given = keys(value, at, {"property", "timestamp", "direction"}, {"direction"})
    descending = choice(given["direction"], f"{at}.direction", _DIRECTIONS) == "descending"
    if "timestamp" in given:
        keys(value, at, {"timestamp", "direction"})
        name = choice(given["timestamp"], f"{at}.timestamp", _TIMESTAMPS)
        return lambda page: page[name], descending
    keys(value, at, {"property", "direction"}, {"property"})
    prop = _property(schema, given["property"], f"{at}.property")
    return lambda page: _rank(prop, comparable(page["properties"][prop.name])), descending


def _rank(prop: Property, value: Any) -> tuple[bool, Any]:
    """Empty comes last; options stand in the schema's order."""
    if prop.type in {"select", "status"} and value is not None:
        value = [option["name"] for option in prop.options].index(value)
    empty = value is None or value in ("", [])
    fallback: Any = 0 if prop.type in {"number", "select", "status", "checkbox"} else ""
    comparable_value = "".join(value) if isinstance(value, list) else _fold(value)
    return empty, fallback if empty else comparable_value


def sort_found(items: Sequence[Json], value: object) -> list[Json]:
    """Search results by the `sort` of a search; without one, the latest edit first."""
    given = keys(value, "body.sort", {"timestamp", "direction", "property"})
    if "property" in given:
        choice(given["property"], "body.sort.property", ("relevance",))
        return list(items)
    name = choice(given.get("timestamp"), "body.sort.timestamp", ("last_edited_time",))
    direction = choice(given.get("direction"), "body.sort.direction", _DIRECTIONS)
    return sorted(items, key=lambda item: str(item[name]), reverse=direction == "descending")


# --- pages of results ----------------------------------------------------------------------------------------------


def page_size(value: object, at: str) -> int:
    """A page size between 1 and 100; absent or 0 is 100."""
    if value is None:
        return PAGE_SIZE
    size = number(value, at)
    if size > PAGE_SIZE:
        raise invalid(f"{at} should be ≤ `{PAGE_SIZE}`, instead was `{size}`")
    if size < 0 or not isinstance(size, int):
        raise wrong(at, "a non-negative integer", value)
    return size or PAGE_SIZE


def result_page(found: Sequence[Json], body: Json, most: int = MOST_RESULTS) -> Json:
    """One page of a query or search; results beyond `most` are never served and the last page says so."""
    size = page_size(body.get("page_size"), "body.page_size")
    mark = _fingerprint(body)
    first = _position(body.get("start_cursor"), mark)
    last = min(first + size, most)
    more = last < min(len(found), most)
    cut = not more and len(found) > most
    incomplete = {"type": "incomplete", "incomplete_reason": "query_result_limit_reached"}
    return {
        "object": "list",
        "results": list(found[first:last]),
        "next_cursor": _cursor(last, mark) if more else None,
        "has_more": more,
        "type": "page_or_data_source",
        "page_or_data_source": {},
        "request_status": incomplete if cut else {"type": "complete"},
    }


def _fingerprint(body: Json) -> str:
    """Ties a cursor to the query that it continues."""
    asked = {name: body.get(name) for name in ("filter", "sorts", "sort", "query", "in_trash")}
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:24]


def _cursor(position: int, mark: str) -> str:
    payload = base64.urlsafe_b64encode(f"{position}:{mark}:".encode()).decode().rstrip("=")
    return f"s:{payload}".ljust(_CURSOR_CHARS, "_")


def _position(value: object, mark: str) -> int:
    if value is None:
        return 0
    payload = string(value, "body.start_cursor").removeprefix("s:").rstrip("_")
    try:
        position, made_for, _ = base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)).decode().split(":")
        number_of = int(position)
    except (ValueError, binascii.Error):
        raise refused(f"The start_cursor provided is invalid: {value}") from None
    if made_for != mark:
        raise refused(f"The start_cursor provided is invalid: {value}")
    return number_of
