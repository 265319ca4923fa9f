"""The text of a template's file, changed key by key: comments, order and formatting of all that did not change stay.

A file is cut before each `[[sections]]`, so that a section that moves takes along the comments in it and those right above
it. What a template may say is `template.py`'s; where files are is `syncd/templates.py`'s.
"""

import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Protocol, cast

import tomlkit
from tomlkit.items import Array, Item

from mapping.template import DEFAULT_TASKS, HEADINGS, Template, TemplateError, TemplateSection, parse_template, section_id

_HEADER = re.compile(r"""[ \t]*\[\[[ \t]*(?:sections|"sections"|'sections')[ \t]*\]\]""")
_LINE = re.compile(r"[^\n]*\n|[^\n]+")
FRESH = '[[sections]]\nkind = "summary"\n'  # what a new file is edited from
_HEAD_KEYS = ("name", "write", "destination", "title", "require_written")
_SECTION_KEYS = ("id", "kind", "heading", "help", "custom_fields", "text")


class _Table(Protocol):
    """What is edited of a tomlkit table."""

    def get(self, key: str) -> Any: ...
    def __setitem__(self, key: str, value: Any) -> None: ...
    def __delitem__(self, key: str) -> None: ...


@dataclass(frozen=True, slots=True)
class _Part:
    """Some lines of a file: a section, or what stands before all of them. `lead`: comments right above it; `tail`: empty
    lines and comments below it."""

    lead: str
    body: str
    tail: str

    @property
    def text(self) -> str:
        return self.lead + self.body + self.tail


def edited(text: str, new: Template) -> str:
    """The file's text so that it says `new`; sections are matched by id. Raises TemplateError for a text that is no
    template, and for one that is written in a way that cannot be edited by itself."""
    mark, text = ("\ufeff", text[1:]) if text.startswith("\ufeff") else ("", text)
    try:
        old = parse_template(new.id, tomllib.loads(text))
        made = _edited(text, old, new)
        if parse_template(new.id, tomllib.loads(made)) == new:
            return mark + made
    except tomllib.TOMLDecodeError as error:
        raise TemplateError(f"not TOML: {error}") from error
    raise TemplateError("the file is written in a way that is not edited by itself: change it in an editor")


def fresh(template: Template) -> str:
    """The text of a new file that says this template."""
    return edited(FRESH, template)


def _edited(text: str, old: Template, new: Template) -> str:
    newline = "\r\n" if "\r\n" in text else "\n"
    head, *parts = _cut(text)
    head = _head(head, old, new, inline=not parts)
    by_id = {section_id(tomllib.loads(part.body)["sections"][0]): part for part in parts}
    before = {section.id: section for section in old.sections}
    now = [_section(by_id.get(s.id), before.get(s.id), s) for s in new.sections]
    if not parts and "sections" in tomllib.loads(head.body):
        now = []  # they stand in one array, as they shall
    order = [None, *by_id] == [None, *(section.id for section in new.sections)]
    return _joined([head, *now], newline, as_it_was=order)


# --- cutting and joining ------------------------------------------------------------------------------------------------


def _cut(text: str) -> list[_Part]:
    """What stands before the sections, then each of them."""
    pieces = [""]
    for line in _LINE.findall(text):
        if _HEADER.match(line) and _whole(pieces[-1]):
            pieces.append("")
        pieces[-1] += line
    leads = [""]
    for index, piece in enumerate(pieces[:-1]):
        pieces[index], lead = _without_end(piece, empty=False)
        leads.append(lead)
    return [_Part(lead, *_without_end(piece, empty=True)) for lead, piece in zip(leads, pieces, strict=True)]


def _whole(text: str) -> bool:
    """Whether a cut here goes through no value."""
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return False
    return True


def _without_end(text: str, *, empty: bool) -> tuple[str, str]:
    """The text, and the comments that it ends in, with the empty lines around them or only up to the first."""
    lines = _LINE.findall(text)
    kept = len(lines)
    while kept and (lines[kept - 1].lstrip().startswith("#") or (empty and not lines[kept - 1].strip())):
        kept -= 1
    body, end = "".join(lines[:kept]), "".join(lines[kept:])
    return (body, end) if _whole(body) else (text, "")


def _joined(parts: Sequence[_Part], newline: str, *, as_it_was: bool) -> str:
    """One text; where the order is another, an empty line between any two parts and none at the end."""
    if as_it_was:
        return "".join(part.text for part in parts)
    texts = [part.text.strip("\r\n") for part in parts]
    return f"{newline}{newline}".join(text for text in texts if text) + newline


# --- the head -----------------------------------------------------------------------------------------------------------


def _head(part: _Part, old: Template, new: Template, *, inline: bool) -> _Part:
    changed = [key for key in _HEAD_KEYS if getattr(old, key) != getattr(new, key)]
    said = tomllib.loads(part.body)
    tasks = tuple(said.get("tasks", DEFAULT_TASKS[new.write])) != new.tasks
    sections = inline and "sections" in said and old.sections != new.sections
    if not changed and not tasks and not sections:
        return part
    document = tomlkit.parse(_ended(part.body))
    for key in changed:
        _set(document, key, getattr(new, key))
    if tasks:
        _set(document, "tasks", list(new.tasks), keep_empty=True)
    if sections:
        del document["sections"]
    return _changed(part, tomlkit.dumps(document))


def _changed(part: _Part, body: str) -> _Part:
    if "\r\n" in part.text:
        body = re.sub(r"\r?\n", "\r\n", body)
    return _Part(part.lead, body, part.tail)


def _ended(text: str) -> str:
    return text if not text or text.endswith("\n") else f"{text}\n"


# --- a section ----------------------------------------------------------------------------------------------------------


def _section(part: _Part | None, old: TemplateSection | None, new: TemplateSection) -> _Part:
    if part is None or old is None:
        return _Part("", _new_section(new), "")
    changed = [key for key in _SECTION_KEYS if getattr(old, key) != getattr(new, key)]
    if not changed:
        return part
    document = tomlkit.parse(_ended(part.body))
    for key in changed:
        value = getattr(new, key)
        _set(cast("list[_Table]", document["sections"])[0], key, list(value) if isinstance(value, tuple) else value)
    return _changed(part, tomlkit.dumps(document))


def _new_section(section: TemplateSection) -> str:
    document = tomlkit.parse("[[sections]]\n")
    table = cast("list[_Table]", document["sections"])[0]
    for key, value in _worth_saying(section):
        _set(table, key, value)
    return tomlkit.dumps(document)


def _worth_saying(section: TemplateSection) -> Iterator[tuple[str, Any]]:
    usual = {"id": section.kind, "heading": HEADINGS.get(section.kind, "")}
    for key in _SECTION_KEYS:
        value = getattr(section, key)
        if value != usual.get(key):
            yield key, list(value) if isinstance(value, tuple) else value


# --- a value ------------------------------------------------------------------------------------------------------------


def _set(table: _Table, key: str, value: Any, *, keep_empty: bool = False) -> None:
    """Let the key say the value; one that says nothing goes, unless its line has a comment."""
    there = table.get(key)
    if not value and not keep_empty:
        if there is not None and isinstance(there, Item) and there.trivia.comment:
            table[key] = value
        elif there is not None:
            del table[key]
    elif isinstance(value, list) and isinstance(there, Array):
        _set_list(there, value)
    elif isinstance(value, str):
        table[key] = _text(value, there)
    else:
        table[key] = value


def _set_list(array: Array, wanted: Sequence[str]) -> None:
    """The array with what is new put in and what is gone taken out, its lines and comments as they are."""
    steps = SequenceMatcher(None, [str(item) for item in array], list(wanted), autojunk=False).get_opcodes()
    for step, start, stop, new_start, new_stop in reversed(steps):
        if step == "equal":
            continue
        for _ in range(start, stop):
            del array[start]
        for offset, value in enumerate(wanted[new_start:new_stop]):
            array.insert(start + offset, value)


def _text(value: str, there: object) -> Item:
    """A text of one line in one, another as lines between three quotes, of the kind that was there where it can be."""
    if "\n" not in value:
        return tomlkit.string(value)
    literal = isinstance(there, Item) and there.as_string().startswith("'''") and not _needs_escapes(value)
    quotes = "'''" if literal else '"""'
    inner = value if literal else tomlkit.string(f"x{value}", multiline=True).as_string()[4:-3].replace("\r", "\\r")
    return tomlkit.value(f"{quotes}\n{inner}{quotes}")


def _needs_escapes(value: str) -> bool:
    return "'''" in value or value.endswith("'") or any((c < " " and c not in "\t\n") or c == "\x7f" for c in value)
