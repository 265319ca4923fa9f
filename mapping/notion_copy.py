"""A block that is there, said again: the request that makes another one like it, and what that one would lack.

The service can neither move a block nor change its type, so both are a copy and the removal of the original. What cannot be
copied whole (a type or field that only Notion writes, a file that it hosts, a preview) keeps its place: `loses` says so.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mapping.notion_blocks import NativeBlock, text_arrays, walk
from mapping.notion_text import Json, can_be_written, copied, is_link

_TEXT = frozenset({"rich_text", "color"})
_MEDIA = frozenset({"type", "external", "caption"})
_FIELDS: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(("paragraph", "bulleted_list_item", "numbered_list_item", "toggle", "quote"), _TEXT),
    **{f"heading_{level}": _TEXT | {"is_toggleable"} for level in (1, 2, 3, 4)},
    **dict.fromkeys(("image", "video", "pdf", "audio"), _MEDIA),
    **dict.fromkeys(("bookmark", "embed"), frozenset({"url", "caption"})),
    **dict.fromkeys(("divider", "breadcrumb"), frozenset()),
    "to_do": _TEXT | {"checked"},
    "callout": _TEXT | {"icon"},
    "code": frozenset({"rich_text", "language", "caption"}),
    "equation": frozenset({"expression"}),
    "table_of_contents": frozenset({"color"}),
    "table": frozenset({"table_width", "has_column_header", "has_row_header"}),
    "table_row": frozenset({"cells"}),
    "file": _MEDIA | {"name"},
}
_NOTHING: tuple[Any, ...] = (None, "", "default", [], {}, False)
_ICONS = frozenset({"emoji", "external", "custom_emoji"})


@dataclass(slots=True)
class Node:
    """A block to be made, with what belongs inside it."""

    body: Json
    children: list["Node"] = field(default_factory=list)

    @property
    def is_table(self) -> bool:
        return bool(self.body["type"] == "table")


def copy(node: NativeBlock) -> Node:
    """The block and all inside it. For those that lose nothing."""
    return Node(copied_body(node), [copy(child) for child in node.children])


def copied_body(node: NativeBlock) -> Json:
    """The block by itself, as a request may say it."""
    payload = node.payload
    said = {name: _said(name, payload[name]) for name in sorted(_FIELDS.get(node.type, ())) if payload.get(name) is not None}
    return {"type": node.type, node.type: said}


def _said(name: str, value: Any) -> Any:
    if name in ("rich_text", "caption"):
        return copied(value)
    return [copied(cell) for cell in value] if name == "cells" else value


def loses(node: NativeBlock) -> str:
    """Why a copy of the block and all inside it would not be the same, as the end of a sentence; empty when it would."""
    return next((why for inner in walk((node,)) if (why := _loses(inner))), "")


def _loses(node: NativeBlock) -> str:
    if node.type not in _FIELDS:
        return f"only Notion can make its {node.type.replace('_', ' ')}"
    fields, payload = _FIELDS[node.type], node.payload
    odd = next((name for name, value in payload.items() if name not in fields and value not in _NOTHING), None)
    if odd is not None:
        return f"only Notion can set its {odd.replace('_', ' ')}"
    if not all(can_be_written(items) for items in text_arrays(node)):
        return "it holds something that only Notion can write"
    return "" if _attached(node) else "it holds a file or an icon that only Notion can attach"


def _attached(node: NativeBlock) -> bool:
    """Whether icons and addresses are such as a request may name."""
    payload = node.payload
    if node.type == "callout":
        return (payload.get("icon") or {}).get("type") in _ICONS
    if _FIELDS[node.type] >= _MEDIA:
        return payload.get("type") == "external" and is_link(str((payload.get("external") or {}).get("url")))
    return "url" not in _FIELDS[node.type] or is_link(str(payload.get("url")))
