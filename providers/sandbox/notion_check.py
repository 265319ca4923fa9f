"""Request validation in Notion's own words: what is refused, with which code and message.

Only shapes and sizes of plain JSON are judged here; rich text, blocks and properties have their own files.
"""

import json
import re
from collections.abc import Collection
from typing import Any

Json = dict[str, Any]

MOST_URL_CHARS = 2000

_ID = re.compile(r"[0-9a-f]{32}\Z")


class Refusal(Exception):
    """An answer other than 200: HTTP status, Notion's code, the message, and what else the body carries."""

    def __init__(self, status: int, code: str, message: str, additional: Json | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.additional = additional


def refused(message: str) -> Refusal:
    """A 400 `validation_error` with this message."""
    return Refusal(400, "validation_error", message)


def invalid(complaint: str) -> Refusal:
    """A 400 about one place of the request; the place begins with `body`, `path` or `query`."""
    where = re.match(r"[a-z]+", complaint)
    return refused(f"{where.group() if where else 'body'} failed validation: {complaint}.")


def shown(value: object) -> str:
    """A value as the messages quote it."""
    return f"`{json.dumps(value, ensure_ascii=False)}`"


def missing(at: str) -> Refusal:
    """A required key is absent."""
    return invalid(f"{at} should be defined, instead was `undefined`")


def stray(at: str, value: object) -> Refusal:
    """A key that is not allowed there."""
    return invalid(f"{at} should be not present, instead was {shown(value)}")


def wrong(at: str, expected: str, value: object) -> Refusal:
    """A value of the wrong kind."""
    return invalid(f"{at} should be {expected}, instead was {shown(value)}")


def keys(value: object, at: str, allowed: Collection[str], required: Collection[str] = ()) -> Json:
    """`value` as an object with no key outside `allowed` and every key of `required`."""
    if not isinstance(value, dict):
        raise wrong(at, "an object", value)
    for key in required:
        if key not in value:
            raise missing(f"{at}.{key}")
    for key, inner in value.items():
        if key not in allowed:
            raise stray(f"{at}.{key}", inner)
    return value


def only_one(value: object, at: str, choices: Collection[str], also: Collection[str] = ()) -> tuple[str, Any]:
    """The one key of `choices` that the object has, and its value; a `type` key must agree with it."""
    given = keys(value, at, {*choices, *also, "type"})
    present = [name for name in choices if name in given]
    named = given.get("type")
    if named is not None and named not in choices:
        raise wrong(f"{at}.type", " or ".join(f'`"{name}"`' for name in choices), named)
    if named is not None and named not in present:
        raise missing(f"{at}.{named}")
    if not present:
        raise fix_one(at, choices)
    chosen = named or present[0]
    for name in present:
        if name != chosen:
            raise stray(f"{at}.{name}", given[name])
    return chosen, given[chosen]


def fix_one(at: str, choices: Collection[str]) -> Refusal:
    """None of the alternatives is there; the message lists them all."""
    lines = [f"{at}.{name} should be defined, instead was `undefined`." for name in choices]
    return refused("\n".join(["body failed validation. Fix one:", *lines]))


def string(value: object, at: str, most: int | None = None) -> str:
    """`value` as a string of at most `most` UTF-16 code units, which is how Notion counts."""
    if not isinstance(value, str):
        raise wrong(at, "a string", value)
    size = utf16_units(value)
    if most is not None and size > most:
        raise invalid(f"{at}.length should be ≤ `{most}`, instead was `{size}`")
    return value


def utf16_units(value: str) -> int:
    """The length that Notion's limits speak of: an emoji outside the basic plane counts two."""
    return len(value.encode("utf-16-le", "surrogatepass")) // 2


def boolean(value: object, at: str) -> bool:
    """`value` as true or false."""
    if not isinstance(value, bool):
        raise wrong(at, "a boolean", value)
    return value


def number(value: object, at: str) -> float | int:
    """`value` as a number; JSON's true and false are none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise wrong(at, "a number", value)
    return value


def array(value: object, at: str, most: int = 100) -> list[Any]:
    """`value` as an array of at most `most` items."""
    if not isinstance(value, list):
        raise wrong(at, "an array", value)
    if len(value) > most:
        raise invalid(f"{at}.length should be ≤ `{most}`, instead was `{len(value)}`")
    return value


def choice(value: object, at: str, options: Collection[str]) -> str:
    """`value` as one of the given strings."""
    if not isinstance(value, str) or value not in options:
        raise wrong(at, " or ".join(f'`"{option}"`' for option in options), value)
    return value


def identifier(value: object, at: str) -> str:
    """An id with or without dashes, as the dashed lower-case form that Notion answers."""
    found = dashed(value) if isinstance(value, str) else None
    if found is None:
        raise wrong(at, "a valid uuid", value)
    return found


def dashed(value: str) -> str | None:
    """The dashed lower-case form of an id, or None when it is no id."""
    plain = value.replace("-", "").lower()
    if not _ID.match(plain):
        return None
    return "-".join((plain[:8], plain[8:12], plain[12:16], plain[16:20], plain[20:]))
