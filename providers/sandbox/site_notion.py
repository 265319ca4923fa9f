"""The Notion emulator's pages for the sandbox's site: blocks as views, a person's acts as the editor's own.

Blocks carry their ids, so an edit always finds its block; whether the line still says what the person saw is checked
before it is replaced. Texts that are typed go in as rich text, so that formatting, links and mentions around the
typed words stay.
"""

import json
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from providers.sandbox.notion import NotionWorkspace
from providers.sandbox.notion_check import Json, Refusal, dashed
from providers.sandbox.notion_properties import Property
from providers.sandbox.notion_text import by_hand, plain_text
from providers.sandbox.notion_tree import DATA_SOURCE, DATABASE, PAGE, Node
from providers.sandbox.site_view import (
    DEEPEST,
    Change,
    DeniedError,
    Entry,
    Field,
    Inline,
    Line,
    MovedOnError,
    NoPageError,
    PageView,
    Shelf,
    View,
    day_shown,
    mark_of,
    moment_shown,
    plain,
    typed,
)

_LISTS = {"bulleted_list_item": "bullets", "numbered_list_item": "numbers", "to_do": "tasks"}
_MARKS = {"bold": "strong", "italic": "em", "strikethrough": "s", "underline": "u", "code": "code"}
_FLAGS = {mark: flag for flag, mark in _MARKS.items()}
_FIELDS = {"status": "choice", "select": "choice", "rich_text": "text", "checkbox": "check"}
_MOST_CHARS = 1000  # of one item: the service counts 2,000 UTF-16 units


class NotionDesk:
    """Pages of a Notion workspace, as their readers see them."""

    name = "notion"

    def __init__(self, workspace: NotionWorkspace) -> None:
        self._workspace = workspace
        self._tree = workspace.access.tree

    def shelves(self) -> list[Shelf]:
        """Data sources with their rows, then pages that are in none."""
        nodes = [node for node in self._tree.nodes.values() if not self._tree.trashed(node)]
        sources = [node for node in nodes if node.kind == DATA_SOURCE]
        shelves = [Shelf(self._tree.title(node), tuple(map(self._entry, self._tree.living(node)))) for node in sources]
        loose = [node for node in nodes if node.kind == PAGE and not self._is_row(node)]
        return [*shelves, Shelf("Pages", tuple(map(self._entry, loose)))]

    def _is_row(self, node: Node) -> bool:
        return node.parent is not None and self._tree.nodes[node.parent].kind == DATA_SOURCE

    def _entry(self, page: Node) -> Entry:
        depth = sum(above.kind == PAGE for above in self._tree.lineage(page)) - 1
        badges = (field.value for field in self._fields(page) if field.kind == "choice" and field.value)
        row = self._is_row(page)
        title = self._tree.title(page) or "Untitled"
        return Entry(page.id, title, 0 if row else min(depth, 6), self._about(page), tuple(badges))

    def page(self, page_id: str) -> PageView:
        """One page; its properties, where it has any, above its blocks."""
        page = self._page(page_id)
        icon = (page.payload["icon"] or {}).get("emoji", "")
        above = self._tree.nodes[page.parent] if page.parent is not None else None
        place = f"Notion · {self._tree.title(above)}" if above and above.kind in (PAGE, DATA_SOURCE) else "Notion"
        living = self._tree.living(page)
        add = _place_of(page.id, living[-1].id if living else "", "paragraph")
        fields = tuple(self._fields(page))
        return PageView(page.id, self._tree.title(page), icon, place, self._about(page), self._blocks(page, 0), fields, add)

    def version(self, page_id: str) -> str:
        """Changes with title, properties and every block that is shown."""
        page = self._page(page_id)
        shown = [self._tree.rendered_page(page), *self._content(page, 0)]
        return mark_of(json.dumps(shown, sort_keys=True))

    def _content(self, node: Node, depth: int) -> Iterator[Json]:
        for child in self._living(node, depth):
            yield self._tree.rendered_block(child)
            yield from self._content(child, depth + 1)

    def _living(self, node: Node, depth: int) -> list[Node]:
        """The blocks below a node; what is below a page of its own is that page's."""
        if depth > DEEPEST or (depth and node.kind in (PAGE, DATABASE)):
            return []
        return self._tree.living(self._tree.content_of(node))

    def _page(self, page_id: str) -> Node:
        page = self._tree.nodes.get(dashed(page_id) or "")
        if page is None or page.kind != PAGE or self._tree.trashed(page):
            raise NoPageError
        return page

    def _about(self, page: Node) -> str:
        return f"Edited by {self._tree.users[page.edited_by]['name']} · {moment_shown(page.edited)}"

    # --- properties ---

    def _fields(self, page: Node) -> Iterator[Field]:
        for prop in self._tree.schema_of(page).properties.values():
            if prop.type != "title":
                shown = self._tree.rendered_property(page, prop)[prop.type]
                names = tuple(option["name"] for option in prop.options) if prop.type in ("status", "select") else ()
                yield _field(prop, _value_shown(shown), names)

    # --- blocks ---

    def _blocks(self, node: Node, depth: int) -> tuple[View, ...]:
        views: list[View] = []
        for kind, group in groupby(self._living(node, depth), key=lambda child: _LISTS.get(child.kind, "")):
            run = list(group)
            made = tuple(self._block(child, depth) for child in run)
            last = run[-1]
            add = _place_of(last.parent or "", last.id, last.kind)
            views += [View(kind, made, add=add)] if kind else made
        return tuple(views)

    def _block(self, node: Node, depth: int) -> View:
        below = self._blocks(node, depth + 1)
        kind, payload = node.kind, node.payload
        if kind == "table":
            return self._table(node)
        if kind in _LISTS:
            tick = node.id if kind == "to_do" else ""
            inside = (self._line("line", node), *below)
            name = "task" if tick else "item"
            return View(name, inside, remove=f"remove/{node.id}", tick=tick, checked=bool(payload.get("checked")))
        if kind == "code":
            return View("code", text=self._plain(payload["rich_text"]), tone=payload["language"])
        if "rich_text" in payload:
            return self._text_block(node, below)
        if kind in ("column_list", "column"):
            return View("columns" if kind == "column_list" else "column", below)
        if kind == "divider":
            return View("divider")
        if kind in ("synced_block", "tab"):
            return View("framed", below)
        return View("box", below, text=kind.replace("_", " "), tone=self._said(node))

    def _text_block(self, node: Node, below: tuple[View, ...]) -> View:
        kind, payload = node.kind, node.payload
        if kind.startswith("heading_"):
            heading = self._line("heading", node, level=int(kind[-1]))
            return View("group", (heading, *below)) if below else heading
        if kind == "callout":
            icon = (payload.get("icon") or {}).get("emoji", "")
            return View("panel", (self._line("line", node), *below), text=icon, tone="callout")
        if kind == "quote":
            return View("quote", (self._line("line", node), *below))
        if kind == "toggle":
            return View("toggle", (self._line("line", node), *below))
        paragraph = self._line("paragraph", node)
        return View("group", (paragraph, View("indent", below))) if below else paragraph

    def _said(self, node: Node) -> str:
        shown = self._tree.rendered_block(node)[node.kind]
        external = shown.get("external") or {}
        return str(shown.get("title") or shown.get("url") or external.get("url") or shown.get("expression") or "")

    def _table(self, table: Node) -> View:
        headers = (table.payload["has_column_header"], table.payload["has_row_header"])
        rows = self._tree.living(table)
        views = [View("row", self._cells(row, at == 0, headers), remove=f"remove/{row.id}") for at, row in enumerate(rows)]
        add = _place_of(table.id, rows[-1].id if rows else "", "table_row")
        return View("table", tuple(views), add=add, columns=table.payload["table_width"])

    def _cells(self, row: Node, first: bool, headers: tuple[bool, bool]) -> tuple[View, ...]:
        column_header, row_header = headers
        return tuple(
            View(
                "cell",
                (self._items("line", items, f"text/{row.id}/{at}"),),
                header=(first and column_header) or (at == 0 and row_header),
                level=1,
            )
            for at, items in enumerate(row.payload["cells"])
        )

    def _line(self, kind: str, node: Node, *, level: int = 0) -> View:
        return self._items(kind, node.payload["rich_text"], f"text/{node.id}", level)

    def _items(self, kind: str, items: Sequence[Json], at: str, level: int = 0) -> View:
        views = tuple(self._item(item, index) for index, item in enumerate(items))
        return View(kind, views, level=level, at=at, was=_was(items))

    def _item(self, item: Json, index: int) -> View:
        if item["type"] != "text":
            return self._atom(item, index)
        words: list[View] = []
        for at, part in enumerate(item["text"]["content"].split("\n")):
            words += [View("break")] if at else []
            words.append(View("text", text=part))
        inside: tuple[View, ...] = tuple(words)
        link = item["text"]["link"]
        if link:
            inside = (View("link", inside, href=_safe(link["url"])),)
        for flag, mark in _MARKS.items():
            inside = (View(mark, inside),) if item["annotations"][flag] else inside
        return View("span", inside, index=index, tone=item["annotations"]["color"])

    def _atom(self, item: Json, index: int) -> View:
        shown = self._plain([item])
        kind = item["mention"]["type"] if item["type"] == "mention" else "equation"
        if kind == "date":
            return View("date", text=" → ".join(map(day_shown, shown.split(" → "))), index=index)
        return View("mention" if kind == "user" else "chip", text=shown, index=index)

    def _plain(self, items: Sequence[Json]) -> str:
        return plain_text(items, self._tree)

    # --- what people do ---

    def apply(self, page_id: str, change: Change, email: str) -> None:
        """Do what a person did."""
        page = self._page(page_id)
        try:
            self._do(page, change, email)
        except Refusal as refusal:
            raise DeniedError(refusal.message) from refusal

    def _do(self, page: Node, change: Change, email: str) -> None:
        if change.op == "title":
            self._workspace.ui_rename(page.id, change.value.strip(), email)
        elif change.op == "property":
            self._set_property(page, change, email)
        elif change.op == "tick":
            self._workspace.ui_tick(self._on(change.at, "to_do").id, change.checked, email)
        elif change.op == "remove":
            self._workspace.ui_delete(self._on(change.at.removeprefix("remove/")).id, email)
        elif change.op == "add":
            self._add(change, email)
        elif change.op == "text":
            self._type(change, email)
        else:
            raise MovedOnError

    def _set_property(self, page: Node, change: Change, email: str) -> None:
        prop = self._tree.schema_of(page).find(change.name)
        if prop is None or prop.type not in _FIELDS:
            raise MovedOnError
        value: object = change.checked if prop.type == "checkbox" else change.value or None
        self._workspace.ui_set_property(page.id, prop.name, value, email)

    def _on(self, block_id: str, kind: str = "") -> Node:
        """A living block."""
        node = self._tree.nodes.get(block_id)
        if node is None or self._tree.trashed(node) or (kind and node.kind != kind):
            raise MovedOnError
        return node

    def _add(self, change: Change, email: str) -> None:
        parent_id, after_id, kind = [*change.at.removeprefix("add/").split("/"), "", ""][:3]
        parent = self._tree.nodes.get(parent_id)
        if parent is None or kind not in ("paragraph", "table_row", *_LISTS):
            raise MovedOnError
        lines = [self._written(line, []) for line in change.lines]
        if kind == "table_row":
            cells = [*lines, *[[] for _ in range(parent.payload["table_width"])]][: parent.payload["table_width"]]
            block: Json = {kind: {"cells": cells}}
        else:
            block = {kind: {"rich_text": lines[0] if lines else []}}
        after = after_id if after_id in parent.children else next(reversed(parent.children), None)
        self._workspace.ui_insert(parent.id, after, block, email)

    def _type(self, change: Change, email: str) -> None:
        block_id, _, cell = change.at.removeprefix("text/").partition("/")
        node = self._on(block_id)
        line = change.lines[0] if change.lines else ()
        if not cell:
            items = self._seen(node.payload.get("rich_text"), change.was)
            self._workspace.ui_edit_rich_text(node.id, self._written(line, items), email)
            return
        cells = node.payload.get("cells", [])
        if not cell.isdigit() or int(cell) >= len(cells):
            raise MovedOnError
        items = self._written(line, self._seen(cells[int(cell)], change.was))
        self._workspace.ui_edit_cell(node.id, int(cell), plain(line), email)
        written = [by_hand(items) if at == int(cell) else kept for at, kept in enumerate(cells)]
        node.payload = {**node.payload, "cells": written}

    def _seen(self, items: Any, was: str) -> list[Json]:
        """A line's items, when they are still the ones that the person saw."""
        if items is None or _was(items) != was:
            raise MovedOnError
        return list(items)

    def _written(self, line: Line, known: Sequence[Json]) -> list[Json]:
        return [item for token in line for item in self._items_of(token, known, None, ())]

    def _items_of(self, token: str | Inline, known: Sequence[Json], like: Json | None, marks: Sequence[str]) -> list[Json]:
        if isinstance(token, str):
            return list(self._typed(token, like, marks))
        if token.mark:
            marks = (*marks, token.mark)
        elif not 0 <= token.index < len(known):
            raise MovedOnError
        elif token.content is None or known[token.index]["type"] != "text":
            return [known[token.index]]
        else:
            like = known[token.index]
        return [item for inner in token.content or () for item in self._items_of(inner, known, like, marks)]

    def _typed(self, text: str, like: Json | None, marks: Sequence[str]) -> Iterator[Json]:
        colour = like["annotations"]["color"] if like else "default"
        look = {"color": colour, **{_FLAGS[mark]: True for mark in marks}}
        link = like["text"]["link"] if like else None
        for kind, word in typed(text):
            if kind == "person":
                yield _mention({"user": {"id": self._person(word)}}, look)
            elif kind == "day":
                yield _mention({"date": {"start": word}}, look)
            else:
                parts = (word[at : at + _MOST_CHARS] for at in range(0, len(word), _MOST_CHARS))
                yield from ({"type": "text", "text": {"content": part, "link": link}, "annotations": look} for part in parts)

    def _person(self, email: str) -> str:
        people = (user for user in self._tree.users.values() if user["type"] == "person")
        return next(str(user["id"]) for user in people if user["person"]["email"] == email)


def _mention(target: Json, look: Json) -> Json:
    return {"type": "mention", "mention": target, "annotations": look}


def _place_of(parent_id: str, after_id: str, kind: str) -> str:
    return f"add/{parent_id}/{after_id}/{kind}"


def _was(items: Sequence[Json]) -> str:
    return mark_of(json.dumps(items, sort_keys=True))


def _field(prop: Property, value: str, options: tuple[str, ...]) -> Field:
    kind = _FIELDS.get(prop.type)
    if kind == "choice":
        return Field(prop.name, "choice", value, options)
    if kind == "check":
        return Field(prop.name, "check", value)
    return Field(prop.name, "text" if kind == "text" else "shown", value)


def _value_shown(value: Any) -> str:
    """A property value as one line."""
    if value is None or value is False:
        return ""
    if isinstance(value, list):
        return ("" if value and "plain_text" in value[0] else ", ").join(map(_value_shown, value))
    if isinstance(value, dict):
        return str(value.get("plain_text") or value.get("name") or value.get("start") or "")
    return str(value)


def _safe(url: str) -> str:
    return url if url.startswith(("http://", "https://", "mailto:")) else ""
