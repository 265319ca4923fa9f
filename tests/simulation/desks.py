"""A page as the editor shows it, line by line, the same on every service: what random people need to work anywhere on it.

`lines()` says what stands there now; a line is good for one act, then the page is looked at again. What people do is
`acts.py`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal, Protocol

from tests.simulation.people import ADA, FilePerson, NotionPerson, WikiPerson, plain, rich, said

Kind = Literal["heading", "prose", "bullet", "task", "row", "header", "help"]


@dataclass(frozen=True, slots=True)
class Line:
    """One line. `section` is the text of the heading above it, `cells` are a row's; `at` and `block` are the desk's own."""

    kind: Kind
    text: str
    section: str
    at: Any
    block: Any
    cells: tuple[str, ...] = ()


class Desk(Protocol):
    """A person's view of one page."""

    def lines(self) -> list[Line]: ...
    def put(self, line: Line, old: str, new: str, cell: int = 0) -> None:
        """Replace `old`, which stands once in the line (in this cell of a row)."""

    def insert(self, behind: Line, kind: Kind, text: str) -> None: ...
    def insert_row(self, behind: Line, cells: Sequence[str]) -> None: ...
    def delete(self, lines: Sequence[Line]) -> None: ...
    def move(self, lines: Sequence[Line], behind: Line) -> None:
        """Neighbouring lines cut and pasted behind another that is not among them."""

    def toggle(self, line: Line) -> None:
        """Tick the box, or clear it."""

    def strike(self, line: Line) -> None: ...
    def split(self, line: Line, at: int) -> None: ...
    def set_status(self, label: str) -> None: ...
    def rename(self, title: str) -> None: ...


# --- Confluence ---------------------------------------------------------------------------------------------------------

_TAG = re.compile(r"<(/?)([\w:-]+)[^>]*?(/?)>")
_INNER: dict[str, Kind] = {"li": "bullet", "ac:task": "task", "tr": "row"}
_OUTER: dict[str, Kind] = {"h2": "heading", "p": "prose"}
_SNIPPETS = {
    "prose": "<p>{}</p>",
    "heading": "<h2>{}</h2>",
    "bullet": "<ul><li><p>{}</p></li></ul>",
    "task": (
        "<ac:task-list><ac:task><ac:task-status>incomplete</ac:task-status>"
        "<ac:task-body>{}</ac:task-body></ac:task></ac:task-list>"
    ),
}


@dataclass(frozen=True, slots=True)
class _Element:
    name: str
    start: int
    stop: int
    outer: tuple[int, int]
    path: tuple[str, ...]


def _elements(body: str) -> list[_Element]:
    """Every element of a storage body in the order of their starts."""
    found: list[tuple[str, int, int, tuple[str, ...]]] = []
    stack: list[tuple[str, int]] = []
    for tag in _TAG.finditer(body):
        closing, name, empty = tag.groups()
        if closing:
            opened, start = stack.pop()
            found.append((opened, start, tag.end(), tuple(n for n, _ in stack)))
        elif empty:
            found.append((name, tag.start(), tag.end(), tuple(n for n, _ in stack)))
        else:
            stack.append((name, tag.start()))
    tops = [(start, stop) for _, start, stop, path in found if not path]
    return sorted(
        (_Element(n, a, z, next(t for t in tops if t[0] <= a < t[1]), path) for n, a, z, path in found),
        key=lambda e: (e.start, -e.stop),
    )


class WikiDesk(WikiPerson):
    """The Confluence editor, publishing after every act."""

    def lines(self) -> list[Line]:
        body, section, lines = self.body, "", list[Line]()
        for element in _elements(body):
            kind = self._kind(element, body)
            if kind is None:
                continue
            raw = body[element.start : element.stop]
            text = _words(raw)
            section = text if kind == "heading" else section
            cells = tuple(_words(c) for c in re.findall(r"<t[dh][^>]*>.*?</t[dh]>", raw, re.DOTALL)) if kind == "row" else ()
            kind = "header" if kind == "row" and "<td" not in raw else kind
            lines.append(Line(kind, text, section, (element.start, element.stop), element.outer, cells))
        return lines

    def _kind(self, element: _Element, body: str) -> Kind | None:
        if element.name in _INNER and not set(element.path) & set(_INNER):
            return _INNER[element.name]
        if element.path:
            return None
        if element.name == "ac:structured-macro":
            return "help" if 'ac:name="info"' in body[element.start : element.start + 80] else None
        return _OUTER.get(element.name)

    def put(self, line: Line, old: str, new: str, cell: int = 0) -> None:
        raw = self._raw(line)
        if line.kind == "row":
            cells = list(re.finditer(r"<t[dh][^>]*>.*?</t[dh]>", raw, re.DOTALL))
            start, stop = cells[cell].span()
        else:
            start, stop = 0, len(raw)
        self._swap(line, raw[:start] + _put(raw[start:stop], old, new) + raw[stop:])

    def _raw(self, line: Line) -> str:
        return self.body[line.at[0] : line.at[1]]

    def _swap(self, line: Line, raw: str) -> None:
        self.publish(self.body[: line.at[0]] + raw + self.body[line.at[1] :])

    def insert(self, behind: Line, kind: Kind, text: str) -> None:
        snippet = _SNIPPETS[kind].format(text)
        if behind.kind == kind and kind in ("bullet", "task"):
            self._paste(behind.at[1], re.sub(r"^<[^>]+>|<[^>]+>$", "", snippet))
        else:
            self._paste(behind.block[1], snippet)

    def _paste(self, at: int, snippet: str) -> None:
        self.publish(self.body[:at] + snippet + self.body[at:])

    def insert_row(self, behind: Line, cells: Sequence[str]) -> None:
        self._paste(behind.at[1], "<tr>" + "".join(f"<td><p>{cell}</p></td>" for cell in cells) + "</tr>")

    def _span(self, lines: Sequence[Line]) -> tuple[int, int]:
        """One line within its list or table; several as whole blocks."""
        if len(lines) == 1:
            return lines[0].at[0], lines[0].at[1]
        return lines[0].block[0], lines[-1].block[1]

    def delete(self, lines: Sequence[Line]) -> None:
        start, stop = self._span(lines)
        self.publish(_without_empty_lists(self.body[:start] + self.body[stop:]))

    def move(self, lines: Sequence[Line], behind: Line) -> None:
        start, stop = self._span(lines)
        at = behind.at[1] if len(lines) == 1 and behind.kind == lines[0].kind else behind.block[1]
        body, cut = self.body, self.body[start:stop]
        if len(lines) == 1 and behind.kind != lines[0].kind:
            cut = {"task": "<ac:task-list>{}</ac:task-list>", "bullet": "<ul>{}</ul>"}.get(lines[0].kind, "{}").format(cut)
        if at <= start:
            moved = body[:at] + cut + body[at:start] + body[stop:]
        else:
            moved = body[:start] + body[stop:at] + cut + body[at:]
        if moved != body:
            self.publish(_without_empty_lists(moved))

    def toggle(self, line: Line) -> None:
        raw = self._raw(line)
        found = re.search(r"<ac:task-id>(.*?)</ac:task-id>", raw)
        assert found
        self.site.tick(self.page_id, found[1], "<ac:task-status>incomplete" in raw, ADA)

    def strike(self, line: Line) -> None:
        raw = self._raw(line)
        struck = re.sub(r"(<ac:task-body>(?:<span[^>]*>)?)([^<]*[^<\s])", r"\1<s>\2</s>", raw, count=1)
        if struck != raw:
            self._swap(line, struck)

    def split(self, line: Line, at: int) -> None:
        raw = self._raw(line)
        word = line.text[at:].split(" ")[0]
        if raw.count(" " + word) == 1 and "<" not in re.sub(r"^<[^>]+>|<[^>]+>$", "", raw):
            self._swap(line, raw.replace(" " + word, "</p><p>" + word))

    def rename(self, title: str) -> None:
        self.site.publish_as_editor(self.page_id, self.body, ADA, title=title)


def _words(raw: str) -> str:
    shown = re.sub(r"<ac:(parameter|task-id|task-uuid|task-status).*?</ac:\1>", "", raw)
    return " ".join(re.sub(r"<[^>]+>", " ", shown).split())


def _put(raw: str, old: str, new: str) -> str:
    """In the text, not in the tags."""
    pieces = re.split(r"(<[^>]+>)", raw)
    if not old:
        return f"{pieces[0]}{pieces[1]}{new}{''.join(pieces[2:])}"
    at = next(i for i, piece in enumerate(pieces) if i % 2 == 0 and old in piece)
    pieces[at] = pieces[at].replace(old, new, 1)
    return "".join(pieces)


def _without_empty_lists(body: str) -> str:
    return re.sub(r"<(ul|ol|ac:task-list)(?: [^>]*)?></\1>", "", body)


# --- Notion -------------------------------------------------------------------------------------------------------------

_NOTION: dict[str, Kind] = {
    "heading_2": "heading",
    "paragraph": "prose",
    "bulleted_list_item": "bullet",
    "to_do": "task",
    "table_row": "row",
    "callout": "help",
}
_TYPES = {kind: name for name, kind in _NOTION.items()}


class NotionDesk(NotionPerson):
    """Notion's editor: every act is saved at once, block by block."""

    def lines(self) -> list[Line]:
        section, lines = "", list[Line]()
        for top in self.space.children_of(self.page_id):
            rows = self.space.children_of(top["id"]) if top["type"] == "table" else [top]
            for number, block in enumerate(rows):
                kind = _NOTION.get(block["type"])
                if kind is None:
                    continue
                section = said(block) if kind == "heading" else section
                cells = tuple(plain(cell) for cell in block["table_row"]["cells"]) if kind == "row" else ()
                kind = "header" if kind == "row" and not number and top["table"]["has_column_header"] else kind
                lines.append(Line(kind, said(block), section, block, top["id"], cells))
        return lines

    def put(self, line: Line, old: str, new: str, cell: int = 0) -> None:
        if line.kind == "row":
            text = line.cells[cell]
            self.space.ui_edit_cell(line.at["id"], cell, text.replace(old, new, 1) if old else new + text, ADA)
            return
        items = line.at[line.at["type"]]["rich_text"]
        self.space.ui_edit_rich_text(line.at["id"], _rewritten(items, old, new), ADA)

    def insert(self, behind: Line, kind: Kind, text: str) -> None:
        name = _TYPES[kind]
        self.space.ui_insert(self.page_id, behind.block, {"type": name, name: {"rich_text": rich(text)}}, ADA)

    def insert_row(self, behind: Line, cells: Sequence[str]) -> None:
        row = {"type": "table_row", "table_row": {"cells": [rich(cell) if cell else [] for cell in cells]}}
        self.space.ui_insert(behind.block, behind.at["id"], row, ADA)

    def _ids(self, lines: Sequence[Line]) -> list[str]:
        return [lines[0].at["id"]] if len(lines) == 1 else list(dict.fromkeys(line.block for line in lines))

    def delete(self, lines: Sequence[Line]) -> None:
        for name in self._ids(lines):
            self.space.ui_delete(name, ADA)

    def move(self, lines: Sequence[Line], behind: Line) -> None:
        after = behind.at["id"] if lines[0].kind == "row" and len(lines) == 1 else behind.block
        for name in self._ids(lines):
            self.space.ui_move(name, after, ADA)
            after = name

    def toggle(self, line: Line) -> None:
        self.space.ui_tick(line.at["id"], not line.at["to_do"]["checked"], ADA)

    def strike(self, line: Line) -> None:
        items = [_struck(_as_written(item)) for item in line.at["to_do"]["rich_text"]]
        self.space.ui_edit_rich_text(line.at["id"], items, ADA)

    def split(self, line: Line, at: int) -> None:
        self.space.ui_split(line.at["id"], at, ADA)

    def rename(self, title: str) -> None:
        self.space.ui_rename(self.page_id, title, ADA)


def _rewritten(items: list[dict[str, Any]], old: str, new: str) -> list[dict[str, Any]]:
    items = [_as_written(item) for item in items]
    for index, item in enumerate(items):
        if item["type"] == "text" and old in item["text"]["content"]:
            text = item["text"]["content"]
            changed = {**item, "text": {**item["text"], "content": text.replace(old, new, 1) if old else new + text}}
            return [*items[:index], changed, *items[index + 1 :]]
    return [*rich(new), *items] if not old else items


def _as_written(item: dict[str, Any]) -> dict[str, Any]:
    """A mention as it may be sent back."""
    mention = item.get("mention", {})
    return {**item, "mention": {"user": {"id": mention["user"]["id"]}}} if "user" in mention else item


def _struck(item: dict[str, Any]) -> dict[str, Any]:
    if item["type"] != "text" or item["annotations"]["code"]:
        return item
    return {**item, "annotations": {**item["annotations"], "strikethrough": True}}


# --- a folder -----------------------------------------------------------------------------------------------------------


class FileDesk(FilePerson):
    """A text editor with the Markdown file open."""

    def lines(self) -> list[Line]:
        rows, section, lines = self.text().split("\n"), "", list[Line]()
        at = next((i for i, row in enumerate(rows) if row.startswith("# ")), -1) + 1
        while at < len(rows):
            kind = _file_kind(rows, at)
            stop = at + 1
            while kind in ("prose", "help") and stop < len(rows) and _file_kind(rows, stop) == kind:
                stop += 1
            if kind:
                text = " ".join(rows[at:stop]).lstrip("#> ") if kind != "row" else rows[at]
                section = text if kind == "heading" else section
                cells = tuple(c.strip() for c in rows[at].strip("|").split("|")) if kind == "row" else ()
                lines.append(Line(kind, text, section, (at, stop), _run(rows, at, stop, kind), cells))
            at = stop
        return lines

    def _save(self, rows: list[str]) -> None:
        text = "\n".join(rows)
        if text != self.text():
            self._write(text)

    def put(self, line: Line, old: str, new: str, cell: int = 0) -> None:
        rows = self.text().split("\n")
        start = line.at[0]
        at = next((i for i in range(*line.at) if old and old in rows[i]), start)
        if line.kind == "row":
            cells = rows[at].split("|")
            cells[cell + 1] = cells[cell + 1].replace(old, new, 1) if old else f" {new}{cells[cell + 1]}"
            rows[at] = "|".join(cells)
        elif old:
            rows[at] = rows[at].replace(old, new, 1)
        else:
            rows[at] = re.sub(r"^((?:#+ |- \[.\] |- |> )?)", lambda m: m[1] + new, rows[at])
        self._save(rows)

    def insert(self, behind: Line, kind: Kind, text: str) -> None:
        mark = {"heading": "## ", "bullet": "- ", "task": "- [ ] "}.get(kind, "")
        near = behind.kind == kind and kind in ("bullet", "task")
        self._paste(behind.at[1] if near else behind.block[1], [mark + text] if near else ["", mark + text, ""])

    def _paste(self, at: int, new: list[str]) -> None:
        rows = self.text().split("\n")
        self._save([*rows[:at], *new, *rows[at:]])

    def insert_row(self, behind: Line, cells: Sequence[str]) -> None:
        self._paste(behind.at[1], ["| " + " | ".join(cells) + " |"])

    def _span(self, lines: Sequence[Line]) -> tuple[int, int]:
        return lines[0].at[0], lines[-1].at[1] if len(lines) == 1 else lines[-1].block[1]

    def delete(self, lines: Sequence[Line]) -> None:
        start, stop = self._span(lines)
        rows = self.text().split("\n")
        self._save([*rows[:start], *rows[stop:]])

    def move(self, lines: Sequence[Line], behind: Line) -> None:
        start, stop = self._span(lines)
        near = len(lines) == 1 and behind.kind == lines[0].kind and behind.kind != "prose"
        at = behind.at[1] if near else behind.block[1]
        rows = self.text().split("\n")
        cut = rows[start:stop] if near else ["", *rows[start:stop], ""]
        if at <= start:
            self._save([*rows[:at], *cut, *rows[at:start], *rows[stop:]])
        else:
            self._save([*rows[:start], *rows[stop:at], *cut, *rows[at:]])

    def _row(self, line: Line) -> str:
        rows = self.text().split("\n")
        return rows[int(line.at[0])]

    def _swap(self, line: Line, new: list[str]) -> None:
        rows = self.text().split("\n")
        self._save([*rows[: line.at[0]], *new, *rows[line.at[1] :]])

    def toggle(self, line: Line) -> None:
        row = self._row(line)
        self._swap(line, [row.replace("[ ]", "[x]", 1) if "[ ]" in row else row.replace("[x]", "[ ]", 1)])

    def strike(self, line: Line) -> None:
        self._swap(line, [re.sub(r"^(- \[.\] )([^~@`]*?[^~@`\s])(?= due | @| `|$)", r"\1~~\2~~", self._row(line))])

    def split(self, line: Line, at: int) -> None:
        self._swap(line, [line.text[:at].rstrip(), "", line.text[at:].lstrip()])

    def rename(self, title: str) -> None:
        self._write(re.sub(r"(?m)^# .*$", f"# {title}", self.text(), count=1))


def _file_kind(rows: list[str], at: int) -> Kind | None:
    row = rows[at]
    if row.startswith("|"):
        ruled = at + 1 < len(rows) and re.fullmatch(r"\|[-| :]+\|", rows[at + 1])
        return "header" if ruled or re.fullmatch(r"\|[-| :]+\|", row) else "row"
    marks: tuple[tuple[str, Kind], ...] = (("## ", "heading"), ("- [", "task"), ("- ", "bullet"), (">", "help"))
    return next((kind for mark, kind in marks if row.startswith(mark)), "prose" if row.strip() else None)


def _run(rows: list[str], at: int, stop: int, kind: Kind) -> tuple[int, int]:
    """The whole list or table around a line."""
    whole: tuple[Kind, ...] = ("row", "header") if kind in ("row", "header") else ("bullet", "task")
    if kind not in ("row", "header", "bullet", "task"):
        return at, stop
    while at and _file_kind(rows, at - 1) in whole:
        at -= 1
    while stop < len(rows) and _file_kind(rows, stop) in whole:
        stop += 1
    return at, stop


def sections(lines: Sequence[Line]) -> list[list[Line]]:
    """The lines of each section, its heading first; what stands before the first heading is left out."""
    starts = [i for i, line in enumerate(lines) if line.kind == "heading"]
    return [list(lines[a:z]) for a, z in pairwise([*starts, len(lines)])]
