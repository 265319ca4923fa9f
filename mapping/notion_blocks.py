"""Blocks <-> Notion's blocks: `decode` a tree that was read, `encode` a new block, `payload_update` an existing one, and
what Notion makes of blocks (`project`).

What a Doc cannot say stays a `kept` block: toggles, columns, call-outs with children, synced blocks, child pages, pictures
and every type made after this was written. Children of a block that is understood, but not as list items, stay untouched
and unmentioned. Rich text is in `notion_text.py`; which requests make one page out of another is in `notion_plan.py`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mapping.document import Block, BlockKind, Span, Spans, plain, text_spans
from mapping.notion_text import (
    Accounts,
    Json,
    code_text,
    digest,
    kept_items,
    plain_text,
    projected,
    rich_text,
    spans,
    writable,
)

_LANGUAGE_NAMES = (
    "abap|abc|agda|arduino|ascii art|assembly|bash|basic|bnf|c|c#|c++|clojure|coffeescript|coq|css|dart|dhall|diff|docker|"
    "ebnf|elixir|elm|erlang|f#|flow|fortran|gherkin|glsl|go|graphql|groovy|haskell|hcl|html|idris|java|java/c/c++/c#|"
    "javascript|json|julia|kotlin|latex|less|lisp|livescript|llvm ir|lua|makefile|markdown|markup|matlab|mathematica|"
    "mermaid|nix|notion formula|objective-c|ocaml|pascal|perl|php|plain text|powershell|prolog|protobuf|purescript|python|r|"
    "racket|reason|ruby|rust|sass|scala|scheme|scss|shell|smalltalk|solidity|sql|swift|toml|typescript|vb.net|verilog|vhdl|"
    "visual basic|webassembly|xml|yaml"
)
LANGUAGES = frozenset(_LANGUAGE_NAMES.split("|"))
_PLAIN = "plain text"
_OTHER_NAMES = {
    "cpp": "c++",
    "csharp": "c#",
    "console": "shell",
    "dockerfile": "docker",
    "golang": "go",
    "js": "javascript",
    "md": "markdown",
    "py": "python",
    "rb": "ruby",
    "rs": "rust",
    "sh": "shell",
    "tf": "hcl",
    "ts": "typescript",
    "yml": "yaml",
    "zsh": "shell",
}
_TYPE_OF: Mapping[BlockKind, str] = {
    "paragraph": "paragraph",
    "bullet": "bulleted_list_item",
    "number": "numbered_list_item",
    "task": "to_do",
    "quote": "quote",
    "panel": "callout",
    "code": "code",
    "divider": "divider",
    "table": "table",
    "row": "table_row",
}
_KIND_OF: Mapping[str, BlockKind] = {name: kind for kind, name in _TYPE_OF.items()}
_DEEPEST_HEADING = 4
_WHOLE_ONLY = frozenset({"quote", "callout"})  # with children they are more than their own text
_VOLATILE = frozenset({"plain_text", "href", "expiry_time", "request_id"})
LIST_KINDS = frozenset({"bullet", "number", "task"})
LIST_TYPES = frozenset({"bulleted_list_item", "numbered_list_item", "to_do"})


@dataclass(frozen=True, slots=True)
class NativeBlock:
    """A block as the service gave it, and those of its children that a reader has to fetch (`has_readable_children`)."""

    raw: Json
    children: tuple["NativeBlock", ...] = ()

    @property
    def id(self) -> str:
        return str(self.raw["id"])

    @property
    def type(self) -> str:
        return str(self.raw.get("type") or "unsupported")  # a block that we may not see comes without a type

    @property
    def payload(self) -> Json:
        payload = self.raw.get(self.type)
        return payload if isinstance(payload, dict) else {}


def has_readable_children(raw: Json) -> bool:
    """Whether the children take part in the Doc: rows, and items nested under list items."""
    return bool(raw.get("has_children")) and raw.get("type") in {*LIST_TYPES, "table"}


def walk(tree: Iterable[NativeBlock]) -> Iterator[NativeBlock]:
    """All blocks, parents first."""
    for node in tree:
        yield node
        yield from walk(node.children)


def text_arrays(node: NativeBlock) -> list[list[Json]]:
    """The rich text arrays of one block."""
    payload = node.payload
    return [items for items in (payload.get("rich_text"), payload.get("caption"), *(payload.get("cells") or ())) if items]


def inline_kept(tree: Iterable[NativeBlock], accounts: Accounts) -> dict[str, Json]:
    """Every inline thing of the page that a Doc only knows by `ref`, as it can be written back."""
    found: dict[str, Json] = {}
    for node in walk(tree):
        for items in text_arrays(node):
            found |= kept_items(items, accounts)
    return found


# --- decode -----------------------------------------------------------------------------------------------------------


def decode(tree: Iterable[NativeBlock], accounts: Accounts) -> tuple[Block, ...]:
    """A page's blocks in reading order; empty paragraphs are left out. A table that was read inside of a box (a toggle, say)
    stands right behind it."""
    found: list[Block] = []
    seen: dict[str, int] = {}
    for block in _flat(tree, 0, accounts):
        if block.kind == "kept":
            seen[block.ref] = seen.get(block.ref, 0) + 1
            block = replace(block, ref=f"{block.ref}-{seen[block.ref]}" if seen[block.ref] > 1 else block.ref)
        found.append(block)
    return tuple(found)


def _flat(tree: Iterable[NativeBlock], depth: int, accounts: Accounts) -> Iterator[Block]:
    for node in tree:
        if node.type in LIST_TYPES:
            yield replace(decode_block(node, accounts), depth=depth)
            yield from _flat((child for child in node.children if child.type in LIST_TYPES), depth + 1, accounts)
            continue
        block = decode_block(node, accounts)
        if block.kind != "paragraph" or block.spans:
            yield block
        yield from _boxed(node, accounts)


def _boxed(node: NativeBlock, accounts: Accounts) -> Iterator[Block]:
    """The tables inside of what is no list; of those only the ones that concern us were read with their rows."""
    for child in node.children if node.type != "table" else ():
        if child.type == "table" and child.children:
            yield decode_block(child, accounts)
        yield from _boxed(child, accounts)


def decode_block(node: NativeBlock, accounts: Accounts) -> Block:
    """One block by itself: a list item at depth 0, a table with the rows that were fetched."""
    kind = _KIND_OF.get(node.type)
    if node.type.startswith("heading_") and node.type[8:] in ("1", "2", "3", "4"):
        return _with_text("heading", node, accounts, level=int(node.type[8:]))
    if kind is None or (node.type in _WHOLE_ONLY and node.raw.get("has_children")):
        return _kept(node)
    if kind == "divider":
        return Block(kind, native=node.id)
    if kind == "row":
        return Block(kind, cells=tuple(spans(cell, accounts) for cell in node.payload.get("cells") or ()), native=node.id)
    if kind == "table":
        rows = tuple(decode_block(row, accounts) for row in node.children if row.type == "table_row")
        return Block(kind, header=bool(node.payload.get("has_column_header")), rows=rows, native=node.id)
    if kind == "code":
        return _code(node)
    return _with_text(kind, node, accounts, checked=bool(node.payload.get("checked")))


def _with_text(kind: BlockKind, node: NativeBlock, accounts: Accounts, **more: Any) -> Block:
    return Block(kind, spans(node.payload.get("rich_text"), accounts), native=node.id, **more)


def _code(node: NativeBlock) -> Block:
    language = node.payload.get("language") or _PLAIN
    text = plain_text(node.payload.get("rich_text"))
    return Block("code", text_spans(text), language="" if language == _PLAIN else language, native=node.id)


def _kept(node: NativeBlock) -> Block:
    said = plain_text(node.payload.get("rich_text")) or str(node.payload.get("title") or "")
    name = node.type.replace("_", " ")
    label = f"{name}: {said}" if said else name
    return Block("kept", (Span(label),), ref=digest([node.type, _lasting(node.payload)]), native=node.id)


def content(node: NativeBlock) -> tuple[str, Any]:
    """What of the block itself only an edit changes: equal contents, nobody touched it."""
    return node.type, _lasting(node.payload)


def _lasting(value: Any) -> Any:
    """A payload without what changes by itself: signed addresses, names of mentioned things."""
    if isinstance(value, dict):
        if value.get("type") == "mention":
            value = {**writable(value), "annotations": value.get("annotations")}
        kept = {name: _lasting(inner) for name, inner in value.items() if name not in _VOLATILE}
        return {**kept, "url": kept["url"].partition("?")[0]} if "expiry_time" in value and "url" in kept else kept
    return [_lasting(inner) for inner in value] if isinstance(value, list) else value


# --- project ----------------------------------------------------------------------------------------------------------


def project(blocks: Iterable[Block], accounts: Accounts) -> tuple[Block, ...]:
    """What the blocks read back as after being written, natives and hints dropped."""
    return tuple(_anonymous(block) for block in as_written(blocks, accounts))


def _anonymous(block: Block) -> Block:
    return replace(block, native="", hint="", rows=tuple(_anonymous(row) for row in block.rows))


def as_written(blocks: Iterable[Block], accounts: Accounts) -> tuple[Block, ...]:
    """What the blocks read back as after being written, natives and hints still there."""
    found: list[Block] = []
    room = 0  # how deep the next list item may stand
    for block in blocks:
        written = _written(block, block.depth if block.depth < room else room, accounts)
        if written is None:
            continue
        room = written.depth + 1 if written.kind in LIST_KINDS else 0
        found.append(written)
    return tuple(found)


def _written(block: Block, depth: int, accounts: Accounts) -> Block | None:
    """The block with only what its kind has; None for what leaves no trace."""
    kind, native, hint = block.kind, block.native, block.hint
    if kind == "kept":
        return block
    if kind == "divider":
        return Block(kind, native=native, hint=hint)
    if kind == "table":
        return _written_table(block, accounts)
    if kind == "code":
        said = text_spans(plain(block.spans))
        return Block(kind, said, language=_language(block.language), native=native, hint=hint)
    said = projected(block.spans, accounts)
    if kind == "row" or (kind == "paragraph" and not said):
        return None
    level = min(max(block.level, 1), _DEEPEST_HEADING) if kind == "heading" else 0
    deep, checked = depth if kind in LIST_KINDS else 0, kind == "task" and block.checked
    if said is block.spans and (level, deep, checked) == (block.level, block.depth, block.checked) and not _has_more(block):
        return block
    return Block(kind, said, level, deep, checked, native=native, hint=hint)


def _has_more(block: Block) -> bool:
    """Whether it has what only blocks of other kinds have."""
    return bool(block.language or block.header or block.rows or block.cells or block.ref)


def _written_table(block: Block, accounts: Accounts) -> Block | None:
    columns = width(block)
    if not columns:
        return None
    rows = tuple([_written_row(row, columns, accounts) for row in block.rows])
    return Block("table", header=block.header, rows=rows, native=block.native, hint=block.hint)


def _written_row(row: Block, columns: int, accounts: Accounts) -> Block:
    cells = tuple([projected(cell, accounts) for cell in row.cells] + [()] * (columns - len(row.cells)))
    return row if cells == row.cells else Block("row", cells=cells, native=row.native, hint=row.hint)


def _language(name: str) -> str:
    """The service's name of a language; empty when it has none."""
    low = name.lower()
    known = _OTHER_NAMES.get(low, low)
    return known if known in LANGUAGES and known != _PLAIN else ""


# --- encode -----------------------------------------------------------------------------------------------------------


def encode(
    block: Block, accounts: Accounts, before: NativeBlock | None = None, kept: Mapping[str, Json] | None = None
) -> Json:
    """A new block for `children` of a request, without children of its own. Takes what `as_written` gives; a block that is
    made anew from another one takes the colours of `before` along. `kept` are the page's inline things by `ref`.
    """
    name = f"heading_{block.level}" if block.kind == "heading" else _TYPE_OF[block.kind]
    old = before.payload if before else {}
    payload = _payload(block, accounts, old, kept or {})
    if old.get("color") and "rich_text" in payload and block.kind != "code":
        payload["color"] = old["color"]
    if block.kind == "heading" and old.get("is_toggleable"):
        payload["is_toggleable"] = True
    return {"type": name, name: payload}


def _payload(block: Block, accounts: Accounts, old: Json, kept: Mapping[str, Json]) -> Json:
    if block.kind == "divider":
        return {}
    if block.kind == "table":
        row_header = bool(old.get("has_row_header", block.hint == "details"))
        return {"table_width": width(block), "has_column_header": block.header, "has_row_header": row_header}
    if block.kind == "row":
        return {"cells": _cells(block.cells, accounts, old.get("cells") or (), kept)}
    said: Json = {"rich_text": _text(block, accounts, old.get("rich_text") or (), kept)}
    if block.kind == "task":
        said["checked"] = block.checked
    if block.kind == "code":
        said["language"] = block.language or _PLAIN
    return said


def _text(block: Block, accounts: Accounts, old: Sequence[Json], kept: Mapping[str, Json]) -> list[Json]:
    if block.kind != "code":
        return rich_text(block.spans, accounts, old, kept)
    return code_text(plain(block.spans))


def _cells(cells: Sequence[Spans], accounts: Accounts, old: Sequence[Any], kept: Mapping[str, Json]) -> list[list[Json]]:
    if not old:
        return [rich_text(cell, accounts, (), kept) for cell in cells]
    before = [*old, *([[]] * (len(cells) - len(old)))]
    return [rich_text(cell, accounts, was, kept) for cell, was in zip(cells, before, strict=False)]


def width(table: Block) -> int:
    """How many columns a table has."""
    return max((len(row.cells) for row in table.rows), default=0)


def payload_update(
    before: Block, after: Block, node: NativeBlock, accounts: Accounts, kept: Mapping[str, Json] | None = None
) -> Json:
    """The body of a block update: only the fields that differ, so that ticking a box leaves its text alone. Colour, icon and
    caption are never named, so they stay.
    """
    fresh = encode(after, accounts, node, kept)
    name = node.type
    changed: Json = {}
    if before.kind == "table":
        changed["has_column_header"] = after.header
    elif before.kind == "row":
        changed["cells"] = fresh[name]["cells"]
    if before.spans != after.spans:
        changed["rich_text"] = fresh[name]["rich_text"]
    if before.checked != after.checked:
        changed["checked"] = after.checked
    if before.language != after.language:
        changed["language"] = fresh[name]["language"]
    return {name: changed}
