"""Edits of a Markdown page: what did not change keeps its bytes, the rest is written in the style of its neighbours.

A changed list item keeps its marker and indentation, a new one joins its list; a changed table cell touches only that cell;
a ticked box only the character in it. What was written is read back, and only if an odd layout made it read otherwise are
all blocks but the kept ones written anew.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise, zip_longest

from mapping.document import Block, Span, text_spans
from mapping.markdown_page import MarkdownPage, Piece, RowPiece, parse_page, project, projected
from mapping.markdown_parse import BESIDE
from mapping.markdown_render import (
    ITEMS,
    Level,
    indented,
    inline,
    item,
    levels,
    lines_of,
    new_level,
    row,
    store_atom,
    table_width,
)
from mapping.pictures import name_of

_BOX = re.compile(r"\[[ xX]\]")


def splice(page: MarkdownPage, title: str | None, properties: Mapping[str, str], blocks: Iterable[Block]) -> str:
    """The page's text with this title (None: as it is), these front matter values and these blocks.

    Blocks that carry a native of the page are those blocks. Kept things that this page does not know are left out.
    """
    known = {piece.block.ref for piece in page.pieces if piece.block and piece.block.kind == "kept"}
    target = [block for block in projected(_without_unknown(blocks, page)) if block.kind != "kept" or block.ref in known]
    if title in (None, page.title) and _unchanged(page, target):
        return page.front.with_values(properties) + page.body.decode()
    text = ""
    for fresh in (False, True):
        text = page.front.with_values(properties) + _Splice(page, fresh).body(title, target)
        if project(parse_page(text).blocks) == project(target):
            break
    return text


def _unchanged(page: MarkdownPage, target: Sequence[Block]) -> bool:
    return len(page.blocks) == len(target) and all(
        old.native == new.native and _same(old, new) for old, new in zip(page.blocks, target, strict=True)
    )


def _without_unknown(blocks: Iterable[Block], page: MarkdownPage) -> list[Block]:
    return [_known_spans(block, page) for block in blocks]


def _known_spans(block: Block, page: MarkdownPage) -> Block:
    known = lambda span: span.kind != "kept" or span.ref in page.inline  # noqa: E731
    return replace(
        block,
        spans=tuple(filter(known, block.spans)),
        cells=tuple(tuple(filter(known, cell)) for cell in block.cells),
        rows=tuple(_known_spans(line, page) for line in block.rows),
    )


@dataclass(frozen=True, slots=True)
class _Entry:
    """What shall stand on the page: a block or the title, and the piece that it was, if any.

    `sibling`: the piece of the list item that comes next, if that stands as deep.
    """

    block: Block | None
    piece: Piece | None
    level: int = 0
    sibling: Piece | None = None


@dataclass(slots=True)
class _Splice:
    page: MarkdownPage
    fresh: bool
    open: list[Level] = field(default_factory=list)
    leads: list[str] = field(default_factory=list)

    def body(self, title: str | None, target: Sequence[Block]) -> str:
        pieces = self.page.pieces
        text = self._bytes(0, pieces[0].start) if pieces else self.page.body.decode()
        before: _Entry | None = None
        for entry in self._entries(title, target):
            text += self._between(before, entry) if before else ""
            text += self._written(entry, title)
            before = entry
        tail = self._bytes(pieces[-1].end, len(self.page.body)) if pieces else ""
        return text + (tail or (self.newline if text and before != _entry_of_last(pieces, before) else ""))

    @property
    def newline(self) -> str:
        return self.page.front.newline

    def _bytes(self, start: int, end: int) -> str:
        return self.page.body[start:end].decode()

    def _entries(self, title: str | None, target: Sequence[Block]) -> list[_Entry]:
        by_native = {piece.native: piece for piece in self.page.pieces if piece.block}
        by_ref = {p.block.ref: p for p in self.page.pieces if p.block and p.block.kind == "kept"}
        depths = levels(target, lambda block: block.kind == "kept")
        found = [
            _Entry(block, by_ref[block.ref] if block.kind == "kept" else by_native.get(block.native), depth)
            for block, depth in zip(target, depths, strict=True)
        ]
        found = [replace(entry, sibling=_sibling(entry, after)) for entry, after in zip_longest(found, found[1:])]
        head = next((piece for piece in self.page.pieces if not piece.block), None)
        if head or title is not None:
            found.insert(self._title_index(found, head), _Entry(None, head))
        return found

    def _title_index(self, entries: Sequence[_Entry], head: Piece | None) -> int:
        index = 0
        while head and index < len(entries) and _stands_before(entries[index].piece, head):
            index += 1
        return index

    # --- what stands between two blocks

    def _between(self, before: _Entry, after: _Entry) -> str:
        glue = self._glue(before.piece, after.piece) if self._adjacent(before.piece, after.piece) else ""
        if glue and not self.fresh and (_empty_lines(glue) or (_same_kind(before) and _same_kind(after))):
            return glue
        if _in_list(before) and _in_list(after):
            return self._list_glue(before, after)
        return self.newline * 2

    def _list_glue(self, before: _Entry, after: _Entry) -> str:
        """As the list parts its items around here: with an empty line or without."""
        if not (_is_item(before) and _is_item(after)):
            return self.newline * 2
        pieces = self.page.pieces
        for left, right in pairwise(pieces):
            if (left is before.piece or right is after.piece) and _piece_in_list(left) and _piece_in_list(right):
                return self._glue(left, right)
        return self.newline

    def _adjacent(self, before: Piece | None, after: Piece | None) -> bool:
        pieces = self.page.pieces
        return any(left is before and right is after for left, right in pairwise(pieces))

    def _glue(self, before: Piece | None, after: Piece | None) -> str:
        return self._bytes(before.end, after.start) if before and after else ""

    # --- one block

    def _written(self, entry: _Entry, title: str | None) -> str:
        block, piece = entry.block, entry.piece
        if not block:
            self.open.clear()
            if piece and (title is None or title == self.page.title):
                return self._bytes(piece.start, piece.end)
            return f"# {inline(text_spans(title or ''), 'heading')}"
        if block.kind in ITEMS:
            return self._item(block, piece, entry)
        if block.kind == "kept" and piece:
            return self._kept(piece, entry.level)
        self.open.clear()
        if piece and not self.fresh and piece.block and _same(piece.block, block):
            return self._bytes(piece.start, piece.end)
        return self._anew(block, piece).replace("\n", self.newline)

    def _anew(self, block: Block, piece: Piece | None) -> str:
        if block.kind == "table" and piece and not self.fresh and _same_shape(piece, block):
            return self._table(block, piece)
        text = lines_of(block, self._atom)
        if piece and piece.alert and block.kind == "quote":
            return f"> [!{piece.alert}]\n{text}"
        if (
            block.kind == "code"
            and piece
            and piece.block
            and piece.block.kind == "code"
            and piece.block.language == block.language
        ):
            return text.replace(block.language, self._info(piece) or block.language, 1) if block.language else text
        return text

    def _info(self, piece: Piece) -> str:
        """What stands behind the fence: more than the language, often."""
        first = self._bytes(piece.start, piece.end).splitlines()[0].strip()
        return first.lstrip(first[0]).strip() if first[0] in "`~" else ""

    def _atom(self, span: Span) -> str:
        if span.kind == "image":
            return store_atom(replace(span, link=BESIDE + name_of(span.link)))
        return self.page.inline.get(span.ref, span.text)

    def _kept(self, piece: Piece, level: int) -> str:
        level = min(max(piece.level, level), len(self.open))
        column = self.open[level - 1].content + piece.inset if level else piece.column if not piece.level else 0
        if not level:
            self.open.clear()
        return _shifted(self._bytes(piece.start, piece.end), column - piece.column)

    # --- list items

    def _item(self, block: Block, piece: Piece | None, entry: _Entry) -> str:
        level = min(entry.level, len(self.open))
        old = piece.block if piece and not self.fresh and piece.block and piece.block.kind in ITEMS else None
        if piece and old and self._fits(piece, level) and replace(old, checked=block.checked) == block:
            self._enter(level, _level_of(piece), piece.lead)
            raw = self._bytes(piece.start, piece.end)
            return raw if old == block else _BOX.sub("[x]" if block.checked else "[ ]", raw, count=1)
        at, lead, pad = new_level(block, self.open, level), None, " "
        if piece and old and old.kind == block.kind and self._fits(piece, level):
            at, lead, pad = _level_of(piece), piece.lead, piece.pad
        elif level < len(self.open) and self.open[level].column == at.column:
            lead = self.leads[level]
        elif entry.sibling and not self.fresh and self._fits(entry.sibling, level):
            lead, move = entry.sibling.lead, entry.sibling.column - at.column
            at = replace(at, column=at.column + move, content=at.content + move)
        self._enter(level, at, lead if lead is not None else " " * at.column)
        return item(block, at, self._atom, pad, lead).replace("\n", self.newline)

    def _fits(self, piece: Piece, level: int) -> bool:
        """Whether a piece that keeps its indentation nests as deep as it should."""
        least = self.open[level - 1].content if level else 0
        beside = level >= len(self.open) or piece.column < self.open[level].content
        return least <= piece.column < least + 4 and beside

    def _enter(self, level: int, at: Level, lead: str) -> None:
        self.open[level:], self.leads[level:] = [at], [lead]

    # --- tables

    def _table(self, block: Block, piece: Piece) -> str:
        header = piece.rows[0]
        under = self._bytes(header.end, len(self.page.body)).splitlines()[1]
        old = dict(zip(_row_natives(piece), zip(_rows_of(piece), _row_pieces(piece), strict=True), strict=True))
        first = (
            self._row(block.rows[0], *old[block.rows[0].native]) if block.header else self._bytes(header.start, header.end)
        )
        lines = [first, under]
        for line in block.rows[1 if block.header else 0 :]:
            before = old.get(line.native)
            lines.append(self._row(line, *before) if before else row(line.cells, table_width(block), self._atom))
        return "\n".join(lines)

    def _row(self, line: Block, before: Block, piece: RowPiece) -> str:
        if line == before:
            return self._bytes(piece.start, piece.end)
        if any(start < piece.start or end > piece.end for start, end in piece.cells):
            return row(line.cells, len(line.cells), self._atom)
        text, at = "", piece.start
        for cell, was, (start, end) in zip(line.cells, before.cells, piece.cells, strict=True):
            if cell != was:
                text += self._bytes(at, start) + f" {inline(cell, 'cell', self._atom)} "
                at = end
        return text + self._bytes(at, piece.end)


def _sibling(entry: _Entry, after: _Entry | None) -> Piece | None:
    beside = after is not None and _is_item(after) and after.level == entry.level
    return after.piece if after and beside and after.piece and after.piece.marker else None


def _entry_of_last(pieces: Sequence[Piece], entry: _Entry | None) -> _Entry | None:
    return entry if entry and pieces and entry.piece is pieces[-1] else None


def _same(before: Block, after: Block) -> bool:
    """Equal, and the rows are in their old order."""
    return before == after and [line.native for line in before.rows] == [line.native for line in after.rows]


def _same_kind(entry: _Entry) -> bool:
    return bool(entry.piece) and (entry.piece.block.kind if entry.piece and entry.piece.block else None) == (
        entry.block.kind if entry.block else None
    )


def _empty_lines(glue: str) -> bool:
    return len(re.findall(r"\r\n|\n|\r", glue)) > 1


def _stands_before(piece: Piece | None, head: Piece) -> bool:
    return piece is not None and piece.start < head.start


def _is_item(entry: _Entry) -> bool:
    return entry.block is not None and entry.block.kind in ITEMS


def _in_list(entry: _Entry) -> bool:
    return _is_item(entry) or bool(entry.piece and _piece_in_list(entry.piece)) or entry.level > 0


def _piece_in_list(piece: Piece) -> bool:
    return piece.level > 0 or bool(piece.block and piece.block.kind in ITEMS)


def _level_of(piece: Piece) -> Level:
    number = int(piece.marker[:-1]) if len(piece.marker) > 1 else 0
    return Level(piece.column, piece.content, number, piece.marker[-1])


def _shifted(text: str, by: int) -> str:
    """The lines moved by some columns, to the left as far as their white space goes."""
    if by >= 0:
        return indented(text, by)
    return re.sub(rf"^[ \t]{{1,{-by}}}", "", text, flags=re.MULTILINE)


def _same_shape(piece: Piece, block: Block) -> bool:
    old = piece.block
    if not old or old.kind != "table" or old.header != block.header or table_width(old) != table_width(block):
        return False
    return not block.header or block.rows[0].native == old.rows[0].native


def _rows_of(piece: Piece) -> tuple[Block, ...]:
    return piece.block.rows if piece.block else ()


def _row_natives(piece: Piece) -> list[str]:
    return [line.native for line in _rows_of(piece)]


def _row_pieces(piece: Piece) -> tuple[RowPiece, ...]:
    return piece.rows if piece.block and piece.block.header else piece.rows[1:]
