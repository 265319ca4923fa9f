"""Confluence storage markup -> neutral blocks that know where they stand in it.

Layouts and `details`, `expand` and `excerpt` macros are transparent: their tags are glue between blocks. List containers
are invisible, items are flat. What the Doc cannot say is kept whole. Putting changed blocks back between unchanged bytes is
`confluence_storage.py`.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from typing import Any, TypeVar, dataclass_transform

from mapping.confluence_comments import MARKER, Homeless, Piece, Wrap, marked_in
from mapping.confluence_native import MACRO, digest, keys_in, label
from mapping.confluence_render import (
    ACCOUNT,
    COLOURS,
    PANELS,
    USER_KEY,
    Payload,
    Shape,
    blanks_collapsed,
    code_text,
    is_date,
    is_settled,
    settled,
)
from mapping.confluence_tree import Element, Node, Text, open_tag, tree
from mapping.document import ATTACHMENTS, Block, BlockKind, Mark, Span, Spans, image, merged_spans, text_spans
from mapping.pictures import is_name

_MARKS: dict[str, Mark] = {
    **dict.fromkeys(("strong", "b"), "bold"),
    **dict.fromkeys(("em", "i"), "italic"),
    **dict.fromkeys(("s", "del", "strike"), "strike"),
    "code": "code",
    "u": "underline",
}
_NO_MARK: frozenset[Mark] = frozenset()
_ONE_MARK = {name: frozenset({mark}) for name, mark in _MARKS.items()}
_LINE_MARKS = {**_ONE_MARK, "a": _NO_MARK}
_WRAPS = frozenset(
    {"span", "sub", "sup", "small", "big", "font", "ins", "abbr", "cite", "q", "mark", "tt", "kbd", "samp", "var", MARKER}
)
_CLEAR = _WRAPS | {"a", "p", "div"}
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_LISTS: dict[str, BlockKind] = {"ul": "bullet", "ol": "number", "ac:task-list": "task"}
_WRAPPERS = frozenset({"ac:layout", "ac:layout-section", "ac:layout-cell", "div"})
_BLOCKS = (
    frozenset({"p", "table", "blockquote", "hr", "pre", "ac:adf-extension", "ac:image", MACRO, *_HEADINGS, *_LISTS})
    | _WRAPPERS
)
_OPEN_MACROS = frozenset({"details", "expand", "excerpt"})
_COLUMNS = frozenset({"section", "column"})  # the old editor's layout
_MARKED = re.compile(r'<(\w+)(?: href="([^"]*)"[^>]*)?>([^<]*)</\w+>')
_T = TypeVar("_T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def part(of: type[_T]) -> type[_T]:
    """A piece of a page, equal to itself alone; frozen for the type checker, for the reason that `document.value` gives."""
    return dataclass(slots=True, eq=False)(of)


@part
class Leaf:
    """A block that stands by itself. `node` is None for text without a paragraph, which is `loose`; `rows` are a table's
    row elements."""

    block: Block
    start: int
    end: int
    node: Element | None = None
    rows: tuple[Element, ...] = ()
    loose: tuple[Node, ...] = ()

    def texts(self) -> Iterator[Sequence[Node]]:
        """The nodes of each text in it."""
        if self.block.kind == "table":
            yield from (cell.children for row in self.rows for cell in cells_of(row))
        elif self.block.kind != "kept" and self.node:
            body = self.node.child("ac:rich-text-body") if self.block.kind == "panel" else None
            yield (body or self.node).children
        yield self.loose


@part
class Item:
    """A list item: its text stands in `body`, if there is one, beside nested `lists`."""

    block: Block
    node: Element
    body: Element | None
    lists: tuple["Listing", ...] = ()

    @property
    def own(self) -> tuple[Node, ...]:
        """What is in it besides its lists."""
        lists = [listing.node for listing in self.lists]
        return tuple([child for child in (self.body.children if self.body else ()) if child not in lists])

    def flat(self) -> Iterator["Item"]:
        """The item and all below it."""
        yield self
        for listing in self.lists:
            yield from listing.flat()


@part
class Listing:
    """A list container; it has at least one item."""

    node: Element
    items: tuple[Item, ...]

    @property
    def start(self) -> int:
        return self.node.start

    @property
    def end(self) -> int:
        return self.node.end

    def flat(self) -> Iterator[Item]:
        """All items in page order."""
        for item in self.items:
            yield from item.flat()


@part
class Flow:
    """A transparent container. `macro`: it goes when its last block goes, and what is added behind its last block stands
    outside."""

    start: int
    inner: int
    inner_end: int
    end: int
    parts: tuple["Part", ...]
    macro: bool = False


Part = Leaf | Listing | Flow


@part
class StoragePage:
    """A parsed body. `markers` are the ids of its details macros, in order; the rest is for splicing."""

    blocks: tuple[Block, ...]
    markers: tuple[str, ...]
    source: str
    flow: Flow
    payloads: dict[str, Payload]


def parse(body: str) -> StoragePage:
    """Read a storage body. Raises StorageError when it is malformed."""
    root = tree(body)
    reader = _Reader(body)
    flow = Flow(0, 0, len(body), len(body), tuple(reader.flow(root.children)))
    blocks = tuple(_blocks(flow))
    return StoragePage(blocks, tuple(_markers(root) if "details" in body else ()), body, flow, reader.payloads)


def _blocks(flow: Flow) -> Iterator[Block]:
    for part in flow.parts:
        if isinstance(part, Flow):
            yield from _blocks(part)
        elif isinstance(part, Listing):
            yield from (item.block for item in part.flat())
        else:
            yield part.block


def _markers(root: Element) -> Iterator[str]:
    left = [root]
    while left:
        element = left.pop()
        left += reversed([child for child in element.children if isinstance(child, Element)])
        if element.name == MACRO and element.attrs.get("ac:name") == "details":
            identity = element.parameter("id")
            if identity and identity.text.strip():
                yield identity.text.strip()


class _Reader:
    """Makes parts of elements; hands out natives and the refs of kept things."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._native = 0
        self._seen: dict[str, int] = {}
        self.payloads: dict[str, Payload] = {}

    def flow(self, children: Iterable[Node], *, details: bool = False) -> Iterator[Part]:
        """The blocks among the children of a container."""
        loose: list[Node] = []
        for child in children:
            if not _is_block(child):
                loose.append(child)
                continue
            if loose:
                yield from self._loose(loose)
                loose = []
            assert isinstance(child, Element)
            yield from self._part(child, details)
        if loose:
            yield from self._loose(loose)

    def _loose(self, nodes: list[Node]) -> Iterator[Part]:
        while nodes and isinstance(nodes[0], Text) and not nodes[0].text.strip():
            nodes = nodes[1:]
        while nodes and isinstance(nodes[-1], Text) and not nodes[-1].text.strip():
            nodes = nodes[:-1]
        spans = self._said(nodes)
        if spans:
            yield Leaf(self._new("paragraph", spans), nodes[0].start, nodes[-1].end, loose=tuple(nodes))

    def _new(self, kind: BlockKind, spans: Spans = (), **more: Any) -> Block:
        self._native += 1
        return Block(kind, spans, native=str(self._native), **more)

    def _part(self, node: Element, details: bool) -> Iterator[Part]:
        if node.sealed:
            yield self._kept(node)
        elif node.name in _LISTS and _is_regular(node):
            yield self._listing(node, 0)
        elif node.name in _WRAPPERS:
            yield _flow(node, node, self.flow(node.children, details=details))
        elif node.name == MACRO and node.attrs.get("ac:name") in _OPEN_MACROS | _COLUMNS:
            yield self._open_macro(node)
        else:
            leaf = self._leaf(node, details)
            if leaf is not None:
                yield leaf

    def _open_macro(self, node: Element) -> Part:
        body = node.child("ac:rich-text-body")
        details = node.attrs.get("ac:name") == "details"
        flow = _flow(node, body, self.flow(body.children, details=details)) if body and not body.sealed else None
        return flow if flow and (not flow.macro or any(_blocks(flow))) else self._kept(node)

    def _leaf(self, node: Element, details: bool) -> Leaf | None:
        if node.name == "table":
            return self._table(node, details)
        if node.name == "hr":
            return Leaf(self._new("divider"), node.start, node.end, node)
        if node.name == "p" or node.name in _HEADINGS:
            return self._text_leaf(node)
        if node.name == "blockquote":
            return self._simple(node, node, "quote")
        name = node.attrs.get("ac:name") if node.name == MACRO else None
        if name in ("code", "noformat"):
            return self._code(node)
        if node.name == "ac:image" and (picture := self._picture(node, block=True)):
            return Leaf(self._new("paragraph", (picture,)), node.start, node.end, node)
        body = node.child("ac:rich-text-body")
        if body and (name in PANELS or name == "panel"):
            return self._simple(node, body, "panel", PANELS.get(name or "", ""))
        return self._kept(node)

    def _text_leaf(self, node: Element) -> Leaf | None:
        spans = _line(node.line) or self._said(node.children)
        if not spans:
            return None
        level = max(_HEADINGS.index(node.name) + 1, 2) if node.name in _HEADINGS else 0
        block = self._new("heading" if level else "paragraph", spans, level=level)
        return Leaf(block, node.start, node.end, node)

    def _simple(self, node: Element, body: Element, kind: BlockKind, language: str = "") -> Leaf:
        """A quote or a panel, as long as it holds nothing but text."""
        if body.sealed or any(
            _is_block(child) and getattr(child, "name", "") not in ("p", "ac:image") for child in body.children
        ):
            return self._kept(node)
        spans = self._told(body.children)
        if not spans:
            return self._kept(node)
        return Leaf(self._new(kind, spans, language=language), node.start, node.end, node)

    def _code(self, node: Element) -> Leaf:
        body, language = node.child("ac:plain-text-body"), node.parameter("language")
        text = code_text(body.text) if body else ""
        said = " ".join(blanks_collapsed(language.text.replace("\n", " ")).split()) if language else ""
        return Leaf(self._new("code", text_spans(text), language=said), node.start, node.end, node)

    def _kept(self, node: Element) -> Leaf:
        ref = self._keep(node, block=True)
        block = self._new("kept", text_spans(label(node)), ref=ref, hint=" ".join(dict.fromkeys(keys_in(node))))
        return Leaf(block, node.start, node.end, node)

    def _keep(self, node: Element, *, block: bool) -> str:
        name = digest(node)
        self._seen[name] = self._seen.get(name, 0) + 1
        ref = name if self._seen[name] == 1 else f"{name}-{self._seen[name]}"
        self.payloads[ref] = Payload(self._source[node.start : node.end], block)
        return ref

    # --- lists and tables ---

    def _listing(self, node: Element, depth: int) -> Listing:
        return Listing(node, tuple(self._item(child, _LISTS[node.name], depth) for child in node.elements()))

    def _item(self, node: Element, kind: BlockKind, depth: int) -> Item:
        if kind == "task":
            return self._task(node, depth)
        spans = _line(node.line)
        if spans:
            return Item(self._new(kind, spans, depth=depth), node, node)
        lists = [child for child in node.elements() if child.name in _LISTS and _is_regular(child)]
        block = self._new(kind, self._told([child for child in node.children if child not in lists]), depth=depth)
        return Item(block, node, node, tuple([self._listing(child, depth + 1) for child in lists]))

    def _task(self, node: Element, depth: int) -> Item:
        body, status = node.child("ac:task-body"), node.child("ac:task-status")
        lists = [child for child in node.elements() if child.name == "ac:task-list" and _is_regular(child)]
        spans = body and (_line(body.line) or self._told(body.children))
        checked = status is not None and status.text.strip() == "complete"
        block = self._new("task", spans or (), depth=depth, checked=checked)
        return Item(block, node, body, tuple([self._listing(child, depth + 1) for child in lists]))

    def _table(self, node: Element, details: bool) -> Leaf:
        told = [(row, cells) for row in _rows(node) if (cells := cells_of(row))]
        sealed = any(part.sealed for part in (*node.elements(), *[row for row, _ in told]))
        if sealed or not told or any(_is_odd(cell) for row, _ in told for cell in row.elements()):
            return self._kept(node)
        block = self._new("table")
        header = all(cell.name == "th" for cell in told[0][1])
        read = tuple([self._row(cells, f"{block.native}.{at}") for at, (_, cells) in enumerate(told, 1)])
        block = replace(block, rows=read, header=header, hint="details" if details else "")
        return Leaf(block, node.start, node.end, node, tuple([row for row, _ in told]))

    def _row(self, cells: Sequence[Element], native: str) -> Block:
        return Block("row", cells=tuple([_line(cell.line) or self._told(cell.children) for cell in cells]), native=native)

    # --- text ---

    def _said(self, nodes: Sequence[Node]) -> Spans:
        """The text of one paragraph."""
        spans = _words(nodes)
        if spans is not None and is_settled(spans):
            return spans
        return spans_of(settled(self.pieces(nodes)))

    def _told(self, nodes: Sequence[Node]) -> Spans:
        """The text of a list item or cell, most of which hold one paragraph or bare text."""
        if len(nodes) == 1:
            only = nodes[0]
            if isinstance(only, Text):
                return self._said(nodes)
            if only.name == "p" and not only.sealed:
                return _line(only.line) or self._said(only.children)
        return spans_of(settled(self.mixed(nodes)))

    def mixed(self, children: Iterable[Node]) -> Iterator[Piece]:
        """Text of a list item or cell: paragraphs are lines, blocks among them are kept things on lines of their own."""
        begun = broken = False
        for child in children:
            if not isinstance(child, Element) or not _is_block(child):
                if broken and not (isinstance(child, Text) and not child.text.strip()):
                    yield Piece(Span("\n"))
                    broken = False
                begun = True
                yield from self.pieces([child])
                continue
            if begun:
                yield Piece(Span("\n"))
            begun = True
            if child.name in ("p", "div", *_HEADINGS) and not child.sealed:
                yield from self.pieces(child.children) if child.name != "div" else self.mixed(child.children)
            else:
                yield self._thing(child, (), block=True)
            broken = True

    def pieces(
        self, nodes: Iterable[Node], marks: frozenset[Mark] = frozenset(), link: str = "", wraps: tuple[Wrap, ...] = ()
    ) -> Iterator[Piece]:
        """Text and inline things with their marks and link, and what wraps them."""
        for node in nodes:
            if isinstance(node, Text):
                yield Piece(Span(blanks_collapsed(node.text.replace("\n", " ")), marks=marks, link=link), wraps)
            elif node.sealed:
                yield self._kept_piece(node, wraps)
            elif node.name == "br":
                yield Piece(Span("\n", marks=marks, link=link), wraps)
            elif node.name in _MARKS:
                yield from self.pieces(node.children, marks | {_MARKS[node.name]}, link, wraps)
            elif node.name == "a":
                yield from self._anchor(node, marks, link, wraps)
            elif node.name in _CLEAR:
                yield from self.pieces(node.children, marks, link, self._wrapped(node, wraps))
            else:
                yield self._thing(node, wraps)

    def _wrapped(self, node: Element, wraps: tuple[Wrap, ...]) -> tuple[Wrap, ...]:
        if node.name not in _WRAPS or (node.name == "span" and not node.attrs):
            return wraps
        return (*wraps, Wrap(open_tag(node, self._source), node.attrs.get("ac:ref", "") if node.name == MARKER else ""))

    def _anchor(self, node: Element, marks: frozenset[Mark], link: str, wraps: tuple[Wrap, ...]) -> Iterator[Piece]:
        """A link; one around things alone, or a place that links lead to, is a thing itself."""
        href = node.attrs.get("href", "")
        if not node.text.strip() and (_holds_things(node) or not href):
            yield self._kept_piece(node, wraps)
        else:
            yield from self.pieces(node.children, marks, href or link, wraps)

    def _thing(self, node: Element, wraps: tuple[Wrap, ...], *, block: bool = False) -> Piece:
        account = _account(node)
        if account:
            return Piece(Span("", "mention", ref=ACCOUNT + account), wraps)
        if node.name == "time" and is_date(node.attrs.get("datetime", "")):
            return Piece(Span(node.attrs["datetime"], "date", ref=node.attrs["datetime"]), wraps)
        if node.name == MACRO and node.attrs.get("ac:name") == "status":
            return Piece(_status(node), wraps)
        if node.name == "ac:image" and (picture := self._picture(node, block=block)):
            return Piece(picture, wraps)
        return self._kept_piece(node, wraps, block=block)

    def _picture(self, node: Element, *, block: bool) -> Span | None:
        """A picture of the store or on the web; how it looks there stays with the page. None for any other file, or with a
        caption."""
        parts = node.elements()
        address = _address(parts[0]) if len(parts) == 1 else ""
        picture = (
            None if node.sealed or node.text.strip() else image(blanks_collapsed(node.attrs.get("ac:alt", "")), address)
        )
        if picture:
            self.payloads.setdefault(address, Payload(self._source[node.start : node.end], block, picture.text))
        return picture

    def _kept_piece(self, node: Element, wraps: tuple[Wrap, ...], *, block: bool = False) -> Piece:
        return Piece(Span(label(node), "kept", ref=self._keep(node, block=block)), wraps)


def _address(source: Element) -> str:
    """Where a picture is from; empty for a file that people attached."""
    if source.name == "ri:url":
        return source.attrs.get("ri:value", "")
    name = source.attrs.get("ri:filename", "") if source.name == "ri:attachment" and not source.elements() else ""
    return ATTACHMENTS + name if is_name(name) else ""


def _line(line: str) -> Spans:
    """The text of an element that holds words alone; nothing where there may be more to see."""
    if not line or "&" in line or "  " in line or not line.isprintable() or line[0] == " " or line[-1] == " ":
        return ()
    if "<" not in line:
        return (Span(line),)
    spans = []
    parts = iter(_MARKED.split(line))
    for before, name, link, text in zip_longest(parts, parts, parts, parts):
        if before:
            spans.append(Span(before))
        if name:
            spans.append(Span(text, "text", "", _LINE_MARKS[name], link or ""))
    return tuple(spans)


def _words(nodes: Sequence[Node]) -> Spans | None:
    """The text of most paragraphs, which is words with one mark or one link at most; None where there is more to see."""
    spans = []
    for node in nodes:
        if isinstance(node, Text):
            spans.append(Span(node.text))
            continue
        inner, name = node.children, node.name
        if len(inner) != 1 or node.sealed or not isinstance(inner[0], Text):
            return None
        if name in _ONE_MARK:
            spans.append(Span(inner[0].text, "text", "", _ONE_MARK[name]))
        elif name == "a" and (link := node.attrs.get("href")):
            spans.append(Span(inner[0].text, "text", "", _NO_MARK, link))
        else:
            return None
    return tuple(spans)


def spans_of(pieces: Iterable[Piece]) -> Spans:
    """Pieces without what wraps them."""
    return merged_spans(piece.span for piece in pieces)


def shape_of(nodes: Sequence[Node], source: str, *, within: bool = False) -> Shape:
    """The text that stood there and how it was wrapped, so that a change of it disturbs no more than it must. `within`:
    the nodes are the content of one paragraph or heading."""
    reader = _Reader(source)
    pieces = settled(reader.pieces(nodes) if within else reader.mixed(nodes))
    paragraphs = [node for node in nodes if isinstance(node, Element) and node.name == "p"]
    opening = open_tag(paragraphs[0], source) if paragraphs else "<p>"
    bare = not paragraphs and bool(pieces)
    was, anchors = spans_of(pieces), dict(_anchors(nodes, source))
    return Shape(opening, len(paragraphs) > 1, bare, was, anchors, marked_in(pieces), reader.payloads)


def homeless(page: StoragePage) -> Iterator[Homeless]:
    """Every comment marker in text, with the text around it."""
    for nodes in _texts(page.flow):
        shape = shape_of(nodes, page.source)
        yield from (Homeless(shape.was, mark) for mark in shape.marked if mark.wrap.ref)


def _texts(flow: Flow) -> Iterator[Sequence[Node]]:
    for part in flow.parts:
        if isinstance(part, Flow):
            yield from _texts(part)
        elif isinstance(part, Listing):
            yield from (item.own for item in part.flat())
        else:
            yield from part.texts()


def _anchors(nodes: Iterable[Node], source: str) -> Iterator[tuple[str, str]]:
    for node in nodes:
        if isinstance(node, Element):
            if node.name == "a" and node.attrs.get("href"):
                yield node.attrs["href"], source[node.start : node.inner]
            yield from _anchors(node.children, source)


def cells_of(row: Element) -> list[Element]:
    """The cells of a table row."""
    return [cell for cell in row.children if isinstance(cell, Element) and cell.name in ("td", "th")]


def _status(node: Element) -> Span:
    title, colour = node.parameter("title"), node.parameter("colour")
    said = colour.text.strip().lower() if colour else "grey"
    text = " ".join(blanks_collapsed(title.text.replace("\n", " ")).split()) if title else ""
    return Span(text, "status", ref=said if said in COLOURS else "grey")


def _account(node: Element) -> str:
    user = node.child("ri:user") if node.name == "ac:link" else None
    if user and user.attrs.get("ri:userkey"):
        return USER_KEY + user.attrs["ri:userkey"]
    return user.attrs.get("ri:account-id", "") if user else ""


def _is_block(node: Node) -> bool:
    if isinstance(node, Text) or node.name not in _BLOCKS:
        return False
    if node.name == MACRO:
        return node.attrs.get("ac:name") not in ("status", "anchor")
    return not (node.name == "ac:image" and node.attrs.get("ac:inline") == "true")


def _holds_things(node: Element) -> bool:
    """Whether there is anything but text with marks in it."""
    plain = _CLEAR | _MARKS.keys() | {"br"}
    return any(child.name not in plain or _holds_things(child) for child in node.elements())


def _is_odd(cell: Element) -> bool:
    """A cell that no Doc can say: merged with others, or too deep."""
    return cell.sealed or (bool(cell.attrs) and any(cell.attrs.get(name, "1") != "1" for name in ("colspan", "rowspan")))


def _rows(node: Element) -> Iterator[Element]:
    for child in node.elements():
        if child.name == "tr":
            yield child
        elif child.name in ("thead", "tbody", "tfoot"):
            yield from _rows(child)


def _flow(node: Element, body: Element, parts: Iterable[Part]) -> Flow:
    macro = node.name == MACRO and node.attrs.get("ac:name") not in _COLUMNS
    return Flow(node.start, body.inner, body.inner_end, node.end, tuple(parts), macro)


def _is_regular(listing: Element) -> bool:
    """A list of items; some editors have put lists directly into lists, or nothing at all."""
    items = listing.elements()
    if listing.name != "ac:task-list":
        return bool(items) and all(item.name == "li" and not item.sealed for item in items)
    bodies = [item.child("ac:task-body") for item in items]
    sealed = any(part.sealed for part in (*items, *bodies) if part)
    return bool(items) and not sealed and all(item.name == "ac:task" for item in items)
