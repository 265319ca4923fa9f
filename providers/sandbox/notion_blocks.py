"""Block types: which fields each has, what a create and an update may say, what may stand inside what.

A request becomes `Draft`s here; ids, parents and times are given to them elsewhere. `children` are never part of a
stored payload.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from providers.sandbox import notion_text as text
from providers.sandbox.notion_check import (
    Json,
    Refusal,
    array,
    boolean,
    choice,
    fix_one,
    identifier,
    invalid,
    keys,
    missing,
    number,
    only_one,
    refused,
    stray,
    string,
    wrong,
)

MOST_CHILDREN = 100
MOST_BLOCKS = 1000
LEVELS_BELOW = 2

Reader = Callable[[object, str], Any]

_LANGUAGE_NAMES = (
    "abap|abc|agda|arduino|ascii art|assembly|bash|basic|bnf|c|c#|c++|clojure|coffeescript|coq|css|dart|dhall|diff|"
    "docker|ebnf|elixir|elm|erlang|f#|flow|fortran|gherkin|glsl|go|graphql|groovy|haskell|hcl|html|idris|java|"
    "javascript|json|julia|kotlin|latex|less|lisp|livescript|llvm ir|lua|makefile|markdown|markup|matlab|mathematica|"
    "mermaid|nix|notion formula|objective-c|ocaml|pascal|perl|php|plain text|powershell|prolog|protobuf|purescript|"
    "python|r|racket|reason|ruby|rust|sass|scala|scheme|scss|shell|smalltalk|solidity|sql|swift|toml|typescript|"
    "vb.net|verilog|vhdl|visual basic|webassembly|xml|yaml|java/c/c++/c#"
)
LANGUAGES = frozenset(_LANGUAGE_NAMES.split("|"))


@dataclass(frozen=True, slots=True)
class Field:
    """One key of a block's payload. `default` fills it on create; a field without one stays absent."""

    read: Reader
    default: object = None
    has_default: bool = False
    required: bool = False
    required_later: bool = False
    later: bool = True


@dataclass(frozen=True, slots=True)
class Kind:
    """One block type; `children` says whether it may have any."""

    fields: Mapping[str, Field]
    children: bool = False


@dataclass(frozen=True, slots=True)
class Draft:
    """A validated block that has no id yet."""

    kind: str
    payload: Json
    children: tuple["Draft", ...] = ()

    def count(self) -> int:
        """How many blocks it makes, itself included."""
        return 1 + sum(child.count() for child in self.children)


# --- fields --------------------------------------------------------------------------------------------------------


def read_icon(value: object, at: str) -> Json:
    """An icon that a write may name: emoji, external picture, custom emoji or a native icon."""
    kind, payload = only_one(value, at, ("emoji", "external", "custom_emoji", "icon"))
    where = f"{at}.{kind}"
    if kind == "emoji":
        return {"type": kind, kind: string(payload, where)}
    if kind == "external":
        return {"type": kind, kind: _read_external(payload, where)}
    if kind == "custom_emoji":
        given = keys(payload, where, {"id", "name", "url"}, {"id"})
        return {"type": kind, kind: {**given, "id": identifier(given["id"], f"{where}.id")}}
    given = keys(payload, where, {"name", "color"}, {"name"})
    return {"type": kind, kind: {"name": string(given["name"], f"{where}.name"), "color": "gray", **given}}


def read_cover(value: object, at: str) -> Json:
    """A page cover: an external picture."""
    kind, payload = only_one(value, at, ("external",))
    return {"type": kind, kind: _read_external(payload, f"{at}.external")}


def _read_external(value: object, at: str) -> Json:
    given = keys(value, at, {"url"}, {"url"})
    return {"url": text.read_url(given["url"], f"{at}.url", "Invalid URL.")}


def _read_color(value: object, at: str) -> str:
    return choice(value, at, text.COLORS)


def _read_language(value: object, at: str) -> str:
    return choice(value, at, sorted(LANGUAGES))


def _read_expression(value: object, at: str) -> str:
    return string(value, at, text.MOST_EXPRESSION_UNITS)


def _read_address(value: object, at: str) -> str:
    return text.read_url(value, at, "Invalid URL.")


def _read_width(value: object, at: str) -> int:
    width = number(value, at)
    if not isinstance(width, int) or width < 1:
        raise wrong(at, "a positive integer", value)
    return width


def _read_ratio(value: object, at: str) -> float | int:
    ratio = number(value, at)
    if not 0 < ratio <= 1:
        raise wrong(at, "between 0 and 1", value)
    return ratio


def _read_cells(value: object, at: str) -> list[list[Json]]:
    return [text.read_rich_text(cell, f"{at}[{index}]") for index, cell in enumerate(array(value, at))]


def _read_synced_from(value: object, at: str) -> Json | None:
    if value is None:
        return None
    kind, original = only_one(value, at, ("block_id",))
    return {"type": kind, kind: identifier(original, f"{at}.{kind}")}


def _optional(read: Reader) -> Reader:
    return lambda value, at: None if value is None else read(value, at)


_RICH = Field(text.read_rich_text, required=True, required_later=True)
_RICH_LOOSE = Field(text.read_rich_text, required=True)
_COLOR = Field(_read_color, "default", True)
_OFF = Field(boolean, False, True)
_CAPTION = Field(text.read_rich_text, (), True)
_NO_ICON = Field(_optional(read_icon), None, True)
_BULB = Field(read_icon, {"type": "emoji", "emoji": "💡"}, True)
_EXTERNAL = Field(_read_external)
_NAME = Field(string)

_TEXT = Kind({"rich_text": _RICH, "color": _COLOR}, children=True)
_HEADING = Kind({"rich_text": _RICH, "is_toggleable": _OFF, "color": _COLOR}, children=True)
_LINK = Kind({"url": Field(_read_address, required=True), "caption": _CAPTION})
_MEDIA = Kind({"caption": _CAPTION, "external": _EXTERNAL})
_FILE = Kind({"caption": _CAPTION, "external": _EXTERNAL, "name": _NAME})
_BARE = Kind({})
_LINK_TARGETS = ("page_id", "database_id", "comment_id")

KINDS: Mapping[str, Kind] = {
    "embed": _LINK,
    "bookmark": _LINK,
    "image": _MEDIA,
    "video": _MEDIA,
    "pdf": _MEDIA,
    "file": _FILE,
    "audio": _MEDIA,
    "code": Kind({"caption": _CAPTION, "rich_text": _RICH_LOOSE, "language": Field(_read_language, required=True)}),
    "equation": Kind({"expression": Field(_read_expression, required=True, required_later=True)}),
    "divider": _BARE,
    "breadcrumb": _BARE,
    "tab": Kind({}, children=True),
    "table_of_contents": Kind({"color": _COLOR}),
    "link_to_page": Kind({name: Field(identifier) for name in _LINK_TARGETS}),
    "table_row": Kind({"cells": Field(_read_cells, required=True, required_later=True)}),
    "table": Kind(
        {
            "table_width": Field(_read_width, required=True, later=False),
            "has_column_header": _OFF,
            "has_row_header": _OFF,
        },
        children=True,
    ),
    "column_list": Kind({}, children=True),
    "column": Kind({"width_ratio": Field(_read_ratio)}, children=True),
    "heading_1": _HEADING,
    "heading_2": _HEADING,
    "heading_3": _HEADING,
    "heading_4": _HEADING,
    "paragraph": Kind({"rich_text": _RICH_LOOSE, "icon": _NO_ICON, "color": _COLOR}, children=True),
    "bulleted_list_item": _TEXT,
    "numbered_list_item": _TEXT,
    "quote": _TEXT,
    "to_do": Kind({"rich_text": _RICH_LOOSE, "checked": _OFF, "color": _COLOR}, children=True),
    "toggle": _TEXT,
    "callout": Kind({"rich_text": _RICH_LOOSE, "icon": _BULB, "color": _COLOR}, children=True),
    "synced_block": Kind({"synced_from": Field(_read_synced_from, required=True, later=False)}, children=True),
}

_MEDIA_KINDS = frozenset({"image", "video", "pdf", "file", "audio"})
_NEED_CHILDREN = frozenset({"table", "column_list", "column", "tab"})
_ONLY_INSIDE = {"table_row": "table", "column": "column_list"}
_HOLDS_ONLY = {"table": "table_row", "column_list": "column", "tab": "paragraph"}
# Layout wrappers at the top do not use up one of the two levels.
_WRAPPERS = frozenset({"column_list", "tab"})


# --- create --------------------------------------------------------------------------------------------------------


def read_children(value: object, at: str, parent: str, room: int = LEVELS_BELOW) -> list[Draft]:
    """The blocks of a `children` array under a block of type `parent`; `room` is how many levels may follow."""
    items = array(value, at, MOST_CHILDREN)
    return [_read_block(item, f"{at}[{index}]", parent, room) for index, item in enumerate(items)]


def check_total(drafts: Sequence[Draft]) -> None:
    """Refuses a request of more than 1,000 blocks."""
    total = sum(draft.count() for draft in drafts)
    if total > MOST_BLOCKS:
        raise invalid(f"body.children should contain ≤ `{MOST_BLOCKS}` blocks in total, instead was `{total}`")


def _read_block(value: object, at: str, parent: str, room: int) -> Draft:
    kind, payload = _typed(value, at, room)
    where = f"{at}.{kind}"
    fits(parent, kind)
    rule = KINDS[kind]
    given = dict(keys(payload, where, {*_create_keys(kind), *(["children"] if rule.children else [])}))
    inner = given.pop("children", None)
    stored = _create_payload(kind, given, where, parent)
    return Draft(kind, stored, tuple(_read_inner(kind, stored, inner, f"{where}.children", room)))


def _typed(value: object, at: str, room: int) -> tuple[str, object]:
    allowed = [kind for kind in KINDS if _fits_level(kind, room)]
    if not isinstance(value, dict):
        raise wrong(at, "an object", value)
    if not any(kind in value for kind in allowed):
        raise fix_one(at, allowed)
    if "object" in value:
        choice(value["object"], f"{at}.object", ("block",))
    named = value.get("type")
    kind = named if named in allowed and named in value else next(k for k in allowed if k in value)
    if named is not None and named != kind:
        raise wrong(f"{at}.type", f'`"{kind}"`', named)
    keys(value, at, {"object", "type", kind})
    return kind, value[kind]


def _fits_level(kind: str, room: int) -> bool:
    if kind in {"column_list", "column"}:
        return room == LEVELS_BELOW
    return kind != "table" or room > 0


def _create_keys(kind: str) -> set[str]:
    extra = {"type", "file_upload"} if kind in _MEDIA_KINDS else {"type"} if kind == "link_to_page" else set()
    return {*KINDS[kind].fields, *extra}


def _create_payload(kind: str, given: Json, at: str, parent: str) -> Json:
    if kind in _MEDIA_KINDS:
        return _create_media(kind, given, at)
    if kind == "link_to_page":
        target, page = only_one(given, at, _LINK_TARGETS)
        return {"type": target, target: identifier(page, f"{at}.{target}")}
    if kind == "paragraph" and given.get("icon") is not None and parent != "tab":
        raise stray(f"{at}.icon", given["icon"])
    return _create_fields(KINDS[kind].fields, given, at)


def _create_fields(fields: Mapping[str, Field], given: Json, at: str) -> Json:
    stored: Json = {}
    for name, field in fields.items():
        if name in given:
            stored[name] = field.read(given[name], f"{at}.{name}")
        elif field.required:
            raise missing(f"{at}.{name}")
        elif field.has_default:
            stored[name] = list(field.default) if isinstance(field.default, tuple) else field.default
    return stored


def _create_media(kind: str, given: Json, at: str) -> Json:
    source = {name: given[name] for name in ("type", "external", "file_upload") if name in given}
    chosen, _ = only_one(source, at, ("external", "file_upload"))
    if chosen == "file_upload":
        raise unknown_upload(given["file_upload"], f"{at}.file_upload")
    fields = KINDS[kind].fields
    stored = _create_fields(fields, {name: given[name] for name in given if name in fields}, at)
    ordered = {"caption": stored["caption"], "type": "external", "external": stored["external"]}
    if kind != "file":
        return ordered
    return {**ordered, "name": _file_name(stored.get("name"), stored["external"]["url"])}


def unknown_upload(value: object, at: str) -> Refusal:
    """The workspace keeps no uploads, so every upload id is unknown."""
    given = keys(value, at, {"id"}, {"id"})
    upload = identifier(given["id"], f"{at}.id")
    return Refusal(404, "object_not_found", f"Could not find file_upload with ID: {upload}.")


def _file_name(name: str | None, url: str) -> str:
    """The URL's file name when none is given; a given name gets the URL's extension back."""
    tail = PurePosixPath(unquote(urlsplit(url).path)).name
    if not name:
        return tail
    extension = PurePosixPath(tail).suffix
    return name if name.endswith(extension) else f"{name}{extension}"


def _read_inner(kind: str, stored: Json, inner: object, at: str, room: int) -> list[Draft]:
    if inner is None:
        if kind in _NEED_CHILDREN and room > 0:
            raise missing(at)
        return []
    if room <= 0:
        raise stray(at, inner)
    below = room if kind in _WRAPPERS and room == LEVELS_BELOW else room - 1
    drafts = read_children(inner, at, kind, below)
    if drafts and not holds_children(kind, stored):
        raise refused("Block does not support children.")
    if kind == "table" and not drafts:
        raise invalid(f"{at}.length should be ≥ `1`, instead was `0`")
    check_rows(kind, stored, drafts)
    return drafts


def fits(parent: str, kind: str) -> None:
    """Refuses rows outside tables, columns outside column lists, and strangers inside either."""
    wanted = _HOLDS_ONLY.get(parent)
    if (wanted and kind != wanted) or (kind in _ONLY_INSIDE and parent != _ONLY_INSIDE[kind]):
        raise refused(f"A {kind} block cannot be a child of a {parent} block.")


def check_rows(parent: str, stored: Json, drafts: Sequence[Draft]) -> None:
    """Refuses table rows that have not as many cells as their table has columns."""
    if parent == "table":
        for draft in drafts:
            check_cells(stored["table_width"], draft.payload["cells"])


def check_cells(width: int, cells: Sequence[object]) -> None:
    """Refuses a row of the wrong width."""
    if len(cells) != width:
        raise refused("Number of cells in table row must match the table width of the parent table")


def holds_children(kind: str, payload: Json) -> bool:
    """Whether a stored block may have children: a heading only when it is a toggle, a synced copy never."""
    if kind == "child_page":
        return True
    if kind.startswith("heading_"):
        return bool(payload["is_toggleable"])
    if kind == "synced_block":
        return payload["synced_from"] is None
    return kind in KINDS and KINDS[kind].children


# --- update --------------------------------------------------------------------------------------------------------


def read_update(kind: str, value: object, at: str, before: Json, parent: str) -> Json:
    """The payload after an update: each given field replaced whole, the others kept."""
    fields = {name: field for name, field in KINDS[kind].fields.items() if field.later}
    extra = {"type", "file_upload"} if kind in _MEDIA_KINDS else {"type"} if kind == "link_to_page" else set()
    required = [name for name, field in fields.items() if field.required_later]
    given = keys(value, at, {*fields, *extra}, required)
    if kind == "link_to_page":
        return before
    if "file_upload" in given:
        raise unknown_upload(given["file_upload"], f"{at}.file_upload")
    if kind == "paragraph" and given.get("icon") is not None and parent != "tab":
        raise stray(f"{at}.icon", given["icon"])
    changed = {name: fields[name].read(given[name], f"{at}.{name}") for name in fields if name in given}
    return _updated_file(before, changed) if kind == "file" else {**before, **changed}


def _updated_file(before: Json, changed: Json) -> Json:
    after = {**before, **changed}
    renamed = changed.get("name") or (None if "external" in changed else before["name"])
    return {**after, "name": _file_name(renamed, after["external"]["url"])}


# --- read ----------------------------------------------------------------------------------------------------------


def rendered_payload(payload: Json, names: text.Names) -> Json:
    """A stored payload as a read shows it."""
    return {name: _rendered_value(name, value, names) for name, value in payload.items()}


def _rendered_value(name: str, value: Any, names: text.Names) -> Any:
    if name in {"rich_text", "caption"}:
        return text.rendered(value, names)
    if name == "cells":
        return [text.rendered(cell, names) for cell in value]
    return names.signed(value) if name == "file" else value


def turned(payload: Json, kind: str) -> Json:
    """The payload after a person turned the block into another type: the text and color stay."""
    fields = KINDS[kind].fields
    kept = {name: payload[name] for name in fields if name in payload}
    missing_text: Json = {"rich_text": []} if "rich_text" in fields else {}
    plain_code = {"language": "plain text"} if "language" in fields else {}
    defaults = {
        name: list(field.default) if isinstance(field.default, tuple) else field.default
        for name, field in fields.items()
        if field.has_default
    }
    merged = {**missing_text, **plain_code, **defaults, **kept}
    return {name: merged[name] for name in fields if name in merged}
