"""What the sandbox's site shows, whatever service it comes from, and what a person may do to it.

A page is a tree of `View`s that the templates turn into HTML. What can be edited carries a handle (`at`) and a mark of
what it said (`was`); a `Change` names both, so that an edit never lands on something else than the person saw. The
services are read and written in `site_confluence.py` and `site_notion.py`.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Literal, Protocol

EDITORS: Mapping[str, str] = {"ada@example.com": "Ada Byron", "grace@example.com": "Grace Hopkins"}
STATUSES = ("In progress", "In review", "Completed")
MARKS: Mapping[str, str] = {"b": "strong", "strong": "strong", "i": "em", "em": "em", "s": "s", "u": "u", "code": "code"}
DEEPEST = 40  # far beyond any page a person makes
_TYPED = re.compile("@(?:(?P<person>" + "|".join(EDITORS.values()) + r")|(?P<day>\d{4}-\d{2}-\d{2}))(?!\w)")


@dataclass(frozen=True, slots=True)
class View:
    """One thing on a page. `kind` picks its look.

    `at`/`was`: its text can be edited. `remove`: the whole thing can be removed; `add`/`columns`: a line can be added
    at its end. `index`: which inline element of its line it is, -1 for none. `tone` is a colour or flavour, `text` a
    leaf's words or a box's caption, `options` what a menu offers. A cell spans `columns` and `level` rows.
    """

    kind: str
    children: tuple["View", ...] = ()
    text: str = ""
    tone: str = ""
    href: str = ""
    level: int = 0
    columns: int = 1
    index: int = -1
    at: str = ""
    was: str = ""
    add: str = ""
    remove: str = ""
    tick: str = ""
    checked: bool = False
    header: bool = False
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Field:
    """A property of a page. `kind`: `choice` (one of `options`), `text`, `check` or `shown` (cannot be changed here)."""

    name: str
    kind: Literal["choice", "text", "check", "shown"]
    value: str
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PageView:
    """A page as it is shown; `about` tells when it was changed last and by whom."""

    id: str
    title: str
    icon: str
    place: str
    about: str
    blocks: tuple[View, ...]
    fields: tuple[Field, ...] = ()
    add: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """A page in the table of contents, `depth` levels below the top."""

    id: str
    title: str
    depth: int
    about: str
    badges: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Shelf:
    """A space or data source with its pages."""

    name: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Inline:
    """A part of a typed line that is no plain text: the line's inline element `index` (kept whole when `content` is
    None), or a new mark."""

    index: int = -1
    mark: str = ""
    content: tuple["Token", ...] | None = None


Token = str | Inline
Line = tuple[Token, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """One act of a person. `lines`: what was typed, one for each cell of a new row; `name`/`value`: of a property."""

    op: Literal["text", "tick", "add", "remove", "status", "title", "property"]
    at: str = ""
    was: str = ""
    lines: tuple[Line, ...] = ()
    checked: bool = False
    name: str = ""
    value: str = ""


class NoPageError(Exception):
    """There is no such page."""


class MovedOnError(Exception):
    """What the person edited is not there any more, or says something else by now."""


class DeniedError(Exception):
    """The service refuses what the person did; the message is its own."""


class Desk(Protocol):
    """One service's pages as a person sees and edits them. Not safe for threads: the emulator's lock is held around
    every call. Raises NoPageError, MovedOnError and DeniedError."""

    name: str

    def shelves(self) -> Sequence[Shelf]:
        """Everything there is to read."""
        ...

    def page(self, page_id: str) -> PageView:
        """One page."""
        ...

    def version(self, page_id: str) -> str:
        """Another word whenever the page shows something else."""
        ...

    def apply(self, page_id: str, change: Change, email: str) -> None:
        """Do what that person did."""
        ...


def mark_of(*parts: str) -> str:
    """A short word that is equal for equal texts; white space does not count."""
    text = "\n".join(" ".join(part.split()) for part in parts)
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()[:16]


def plain(line: Sequence[Token]) -> str:
    """The typed characters of a line."""
    return "".join(token if isinstance(token, str) else plain(token.content or ()) for token in line)


def typed(text: str) -> Iterator[tuple[Literal["text", "person", "day"], str]]:
    """What an editor makes of typed characters: an @ before a known name or a day becomes a mention.

    Yields words, the e-mail of a person, or a day as YYYY-MM-DD.
    """
    emails = {name: email for email, name in EDITORS.items()}
    rest = 0
    for found in _TYPED.finditer(text):
        yield "text", text[rest : found.start()]
        rest = found.end()
        if found["person"]:
            yield "person", emails[found["person"]]
        else:
            yield ("day", found["day"]) if _is_day(found["day"]) else ("text", found[0])
    yield "text", text[rest:]


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def day_shown(day: str) -> str:
    """A day for reading: 1 Dec 2026; anything else as it is."""
    return f"{date.fromisoformat(day):%-d %b %Y}" if _is_day(day) else day


def moment_shown(moment: datetime) -> str:
    """An instant for reading: 20 Nov 2026, 10:00 UTC."""
    return f"{moment.astimezone(UTC):%-d %b %Y, %H:%M} UTC"


def read_change(data: object) -> Change:
    """A `Change` from the site's JSON. ValueError for anything else."""
    if not isinstance(data, dict):
        raise ValueError("not an object")
    op = data.get("op")
    if op not in ("text", "tick", "add", "remove", "status", "title", "property"):
        raise ValueError("unknown act")
    words = {key: _word(data.get(key, "")) for key in ("at", "was", "name", "value")}
    lines = tuple(_line(line, 0) for line in _list(data.get("lines", [])))
    return Change(op, lines=lines, checked=data.get("checked") is True, **words)


def _word(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("not a text")
    return value


def _list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise ValueError("not a list")
    return value


def _line(value: object, depth: int) -> Line:
    if depth > DEEPEST:
        raise ValueError("nested too deeply")
    return tuple(_token(item, depth) for item in _list(value))


def _token(value: object, depth: int) -> Token:
    if isinstance(value, str):
        return value
    if not isinstance(value, dict):
        raise ValueError("neither text nor element")
    content = _line(value["content"], depth + 1) if "content" in value else None
    mark, index = value.get("mark", ""), value.get("index", -1)
    if mark not in ("", *MARKS) or type(index) is not int or (mark and content is None):
        raise ValueError("unknown element")
    return Inline(index, MARKS.get(mark, ""), content)
