"""A Markdown file as a page: its title, its blocks, and the lines on which each of them stands.

`parse_page` cuts the text into pieces of whole lines, one for the title and one for each block, with empty lines between.
`markdown_splice.py` puts an edited page together again. What a Doc cannot say (HTML, footnotes, link definitions, pictures
that are not the store's, what nests in a list item besides items) is a kept piece. Mentions are plain `@Ada Byron` here,
because that is what people type. Front matter is in `front_matter.py`.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from mapping.document import Block, Span, Spans, plain, text_spans
from mapping.front_matter import FrontMatter, split_front_matter
from mapping.markdown import heading_level, item_block, own_text, quote_block, table_block
from mapping.markdown_parse import Node, code_text, language, parse, tidy, token
from mapping.markdown_render import ITEMS, levels
from mapping.pictures import name_of

_LABELS = {
    "HtmlBlock": "HTML",
    "FootnoteDefinition": "Footnote",
    "BlockQuote": "Quote",
    "Table": "Table",
    "Item": "List item",
}
_MARKER = re.compile(r"(?P<mark>[-+*]|\d{1,9}[.)])(?P<pad>[ \t]*)")


@dataclass(frozen=True, slots=True)
class RowPiece:
    """One line of a table: `start` to `end` without its line end, and where its cells are."""

    start: int
    end: int
    cells: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Piece:
    """Whole lines of the body, `start` to `end` in bytes, without the last line end.

    `block` is None for the title. `level`: how many list items it stands in; `column`: where its first line begins; `inset`:
    how far that is from the text of the item around it. Items also have `marker`, the white space before (`lead`) and behind
    it (`pad`), and the column of their text in `content`. `alert`: the kind of a `> [!NOTE]` quote.
    """

    block: Block | None
    start: int
    end: int
    level: int = 0
    column: int = 0
    inset: int = 0
    content: int = 0
    marker: str = ""
    lead: str = ""
    pad: str = " "
    alert: str = ""
    rows: tuple[RowPiece, ...] = ()

    @property
    def native(self) -> str:
        """The native of its block."""
        return self.block.native if self.block else ""


@dataclass(frozen=True, slots=True)
class MarkdownPage:
    """A parsed page. `title` is None where no first-level heading stands; `inline`: Markdown of inline kept things."""

    front: FrontMatter
    body: bytes
    title: str | None
    pieces: tuple[Piece, ...]
    inline: Mapping[str, str]

    @property
    def text(self) -> str:
        """The whole text as it was."""
        return self.front.text + self.body.decode()

    @property
    def properties(self) -> Mapping[str, str]:
        """What the front matter says, as raw text."""
        return self.front.values

    @property
    def blocks(self) -> tuple[Block, ...]:
        """The page's blocks; natives hold for this parsed page only."""
        return tuple(piece.block for piece in self.pieces if piece.block)


def parse_page(text: str) -> MarkdownPage:
    """Any text is a page, unless its front matter cannot be read (`FrontMatterError`)."""
    front, body = split_front_matter(text)
    parsed = parse(body, atoms=True)
    reader = _Reader(body.encode(), parsed.kept)
    pieces = tuple(_numbered(reader.with_uncovered(reader.pieces(parsed.nodes))))
    return MarkdownPage(front, reader.source, reader.title, pieces, parsed.kept)


@dataclass(slots=True)
class _Reader:
    source: bytes
    inline: Mapping[str, str]
    title: str | None = None
    _starts: list[int] = field(init=False)

    def __post_init__(self) -> None:
        self._starts = [0, *(match.end() for match in re.finditer(rb"\r\n|\n|\r", self.source))]

    def pieces(self, nodes: Iterable[Node]) -> Iterator[Piece]:
        for node in nodes:
            if node.kind == "List":
                yield from self._items(node, 0, 0)
            elif node.kind == "Heading" and heading_level(node) == 1 and self.title is None:
                self.title = " ".join(plain(node.spans).split())
                yield self._piece(None, node)
            else:
                yield self._block(node)

    def _block(self, node: Node) -> Piece:
        block = self._said(node)
        if not block:
            return self._kept(node)
        rows = tuple(self._row(line) for line in node.children) if node.kind == "Table" else ()
        alert = node.value.upper() if node.kind == "BlockQuote" and node.value else ""
        return replace(self._piece(block, node), rows=rows, alert=alert)

    def _said(self, node: Node) -> Block | None:
        """The block that says all there is, None if it must be kept as it is."""
        if node.kind == "Paragraph":
            spans = () if self._is_picture(node) else node.spans
            return Block("paragraph", spans) if spans else None
        if node.kind == "Heading":
            return Block("heading", node.spans, level=heading_level(node))
        if node.kind == "CodeBlock":
            return Block("code", text_spans(code_text(node)), language=language(node))
        if node.kind == "BlockQuote":
            sayable = all(child.kind == "Paragraph" and not self._is_picture(child) for child in node.children)
            return quote_block(node) if sayable else None
        if node.kind == "Table":
            block = table_block(node)
            return block if block.rows else None
        return Block("divider") if node.kind == "Rule" else None

    def _items(self, node: Node, level: int, column: int) -> Iterator[Piece]:
        for entry in node.children:
            own, inside = own_text(entry)
            if inside and not own:
                yield self._kept(entry, level, column)
                continue
            item = self._item(entry, own, ordered=node.value is not None, level=level)
            yield item
            for child in inside:
                if child.kind == "List":
                    yield from self._items(child, level + 1, item.content)
                else:
                    yield self._kept(child, level + 1, item.content)

    def _item(self, entry: Node, own: Node | None, *, ordered: bool, level: int) -> Piece:
        block = item_block(own, ordered=ordered, depth=level)
        start = self._line_of(entry)
        end = self._end(own.end if own else start + 1)
        line = self.source[start:end].decode()
        lead = line[: len(line) - len(line.lstrip(" \t"))]
        match = _MARKER.match(line, len(lead))
        mark, pad = (match["mark"], match["pad"] or " ") if match else ("-", " ")
        column = _columns(lead)
        content = _columns(lead + mark + pad) if len(pad) <= 4 else column + len(mark) + 1
        return Piece(block, start, end, level, column, 0, content, mark, lead, pad)

    def _kept(self, node: Node, level: int = 0, around: int = 0) -> Piece:
        label = _LABELS.get(node.kind, "Picture" if node.kind == "Paragraph" and self._is_picture(node) else "")
        piece = self._piece(None, node, level)
        label = label or {"CodeBlock": "Code", "Paragraph": "Paragraph", "Rule": "Line"}.get(node.kind, "Block")
        return replace(piece, block=self._kept_block(label, piece), inset=max(0, piece.column - around))

    def _kept_block(self, label: str, piece: Piece) -> Block:
        return Block("kept", text_spans(label), ref=token(self.source[piece.start : piece.end].decode()))

    def _piece(self, block: Block | None, node: Node, level: int = 0) -> Piece:
        start, end = self._line_of(node), self._end(node.end)
        first = self.source[start:end].decode()
        return Piece(block, start, end, level, _columns(first[: len(first) - len(first.lstrip(" \t"))]))

    def _row(self, line: Node) -> RowPiece:
        return RowPiece(self.line_start(line.start), self._end(line.end), tuple((c.start, c.end) for c in line.children))

    def _is_picture(self, node: Node) -> bool:
        """Whether a paragraph has pictures that are not the store's, and nothing else."""
        shown = [span for span in node.spans if span != Span(" ")]
        return bool(shown) and all(self.inline.get(span.ref, "").startswith("![") for span in shown)

    def _line_of(self, node: Node) -> int:
        """Where the line of an element's first character begins; after half a tab its range starts too early."""
        blank = re.compile(rb"\s*").match(self.source, node.start, node.end)
        return self.line_start(blank.end() if blank and blank.end() < node.end else node.start)

    def line_start(self, position: int) -> int:
        return self._starts[bisect_right(self._starts, position) - 1]

    def _end(self, end: int) -> int:
        """The end of the last line before `end` that is not empty, without its line end."""
        index = bisect_right(self._starts, end - 1) - 1
        while index and not self._line(index).strip():
            index -= 1
        return self._starts[index] + len(self._line(index))

    def _line(self, index: int) -> bytes:
        return self.source[self._starts[index] : (*self._starts[index + 1 : index + 2], len(self.source))[0]].rstrip(b"\r\n")

    def with_uncovered(self, pieces: Iterator[Piece]) -> Iterator[Piece]:
        """The pieces, with kept ones for lines that make no block (link definitions)."""
        covered, level = 0, 0
        for piece in pieces:
            yield from self._uncovered(covered, piece.start, level)
            yield piece
            covered = piece.end
            level = piece.level + (piece.block is not None and piece.block.kind in ITEMS)
        yield from self._uncovered(covered, len(self.source), level)

    def _uncovered(self, start: int, end: int, level: int) -> Iterator[Piece]:
        for match in re.finditer(rb"(?:[^\r\n]*[^\s][^\r\n]*(?:\r\n|\n|\r|$))+", self.source[start:end]):
            line = self.source[start + match.start() : start + match.end()].rstrip(b"\r\n").decode()
            column = _columns(line[: len(line) - len(line.lstrip(" \t"))])
            piece = Piece(None, start + match.start(), start + match.start() + len(line.encode()), column=column)
            yield replace(piece, block=self._kept_block("Link definitions", piece), level=level if column else 0)


def _columns(text: str) -> int:
    return len(text.expandtabs(4))


def _numbered(pieces: Iterable[Piece]) -> Iterator[Piece]:
    seen: dict[str, int] = {}
    for number, piece in enumerate(pieces):
        block = piece.block
        if not block:
            yield piece
            continue
        seen[block.ref] = seen.get(block.ref, 0) + 1
        ref = f"{block.ref}-{seen[block.ref]}" if block.ref and seen[block.ref] > 1 else block.ref
        rows = tuple(replace(row, native=f"{number}.{index}") for index, row in enumerate(block.rows))
        yield replace(piece, block=replace(block, ref=ref, native=str(number), rows=rows))


# --- what a page can say ----------------------------------------------------------------------------------------------


def project(blocks: Iterable[Block]) -> tuple[Block, ...]:
    """The blocks as they read back from a page: mentions, dates and statuses as text, panels as quotes, list items at
    depths that lists can have, tables as wide as their widest row. Natives and hints are dropped."""
    return tuple(replace(b, native="", rows=tuple(replace(r, native="") for r in b.rows)) for b in projected(blocks))


def projected(blocks: Iterable[Block]) -> list[Block]:
    """As `project`, natives staying."""
    shown = [block for block in map(_projected, blocks) if block]
    deep = levels(shown, lambda block: block.kind == "kept")
    return [replace(b, depth=d) if b.kind in ITEMS else b for b, d in zip(shown, deep, strict=True)]


def _projected(block: Block) -> Block | None:
    spans, native = page_spans(block.spans), block.native
    if block.kind == "paragraph":
        return Block("paragraph", spans, native=native) if spans else None
    if block.kind == "heading":
        return Block("heading", one_line(spans), level=max(1, min(block.level, 6)), native=native)
    if block.kind in ITEMS:
        return Block(block.kind, spans, depth=block.depth, checked=block.checked and block.kind == "task", native=native)
    if block.kind == "code":
        text = block.text.replace("\r\n", "\n").replace("\r", "\n")
        return Block("code", text_spans(text), language=(block.language.split() or [""])[0], native=native)
    if block.kind == "table":
        return _projected_table(block)
    if block.kind == "kept":
        return Block("kept", block.spans, ref=block.ref, native=native)
    return Block("divider", native=native) if block.kind == "divider" else Block("quote", spans, native=native)


def one_line(spans: Spans) -> Spans:
    """Spans for a heading, which has one line on pages."""
    return tidy(replace(span, text=span.text.replace("\n", " ")) for span in spans)


def _projected_table(block: Block) -> Block | None:
    width = max((len(row.cells) for row in block.rows), default=0)
    rows = tuple(
        Block(
            "row", cells=tuple(page_spans(cell) for cell in row.cells) + ((),) * (width - len(row.cells)), native=row.native
        )
        for row in block.rows
    )
    header = block.header and any(rows[0].cells) if rows else False
    rows = rows[1:] if block.header and not header else rows
    return Block("table", header=header, rows=rows, native=block.native) if rows and width else None


def page_spans(spans: Sequence[Span]) -> Spans:
    """Spans as a page says them: everything but kept things is text."""
    return tidy(span if span.kind in ("text", "kept") or _is_ours(span) else _as_text(span) for span in spans)


def _as_text(span: Span) -> Span:
    return Span(f"@{span.text}" if span.kind == "mention" else span.text, marks=span.marks, link=span.link)


def _is_ours(span: Span) -> bool:
    return span.kind == "image" and bool(name_of(span.link))
