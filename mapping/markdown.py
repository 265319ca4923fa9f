"""The store's view of prose: blocks <-> Markdown that a person reads, edits and gives back.

Nothing is lost on the way. A kept block is one line `[kept: Jira issues #k3f2]`, a kept inline thing `[emoji](kept:k77a)`, a
mention `[@Ada Byron](mailto:ada@example.com)`, a date `[2026-12-01](date:2026-12-01)`, a status `[Done](status:green)`,
underline `<u>x</u>`, a panel `> [!NOTE]`, `> [!TIP]`, `> [!WARNING]` or `> [!CAUTION]`. A table without a header row has an
empty one. An image that somebody writes here becomes a link with its description: the store holds no pictures. HTML stays
as the text it is.

Blocks are flat, so what nests in a list item (code, a second paragraph) stands between the items; it is written inside the
list when the next item needs it. Pages in a folder, which keep every byte, are `markdown_page.py`.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from mapping.document import Block, BlockKind, Span, text_spans
from mapping.markdown_parse import Inline, Node, code_text, in_paragraphs, language, tidy, tree
from mapping.markdown_render import ITEMS, Level, between, indented, inline, item, levels, lines_of, new_level

_KEPT = re.compile(r"\[kept: (?P<label>.*) #(?P<ref>[^\s\]]+)\]")
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
_NEEDS_RANGES = re.compile(r"<[A-Za-z/!?]|\[\^|\[kept: ")  # HTML, footnote marks and kept blocks are read from the source
_ALERTS = {"Tip": "tip", "Important": "warning", "Warning": "warning", "Caution": "caution"}
_LEVELS = {f"H{level}": level for level in range(1, 7)}


def to_markdown(blocks: Iterable[Block]) -> str:
    """The blocks as Markdown; `from_markdown` gives them back."""
    shown = [block for block in blocks if _shows(block)]
    open_levels: list[Level] = []
    text = ""
    for block, level, before in zip(shown, levels(shown, _joins), [None, *shown], strict=False):
        text += between(before, block) if before else ""
        if block.kind in ITEMS:
            open_levels[level:] = [new_level(block, open_levels, level)]
            text += item(block, open_levels[level])
            continue
        del open_levels[level:]
        text += indented(_lines(block), open_levels[-1].content if level else 0)
    return text + "\n" if text else ""


def _shows(block: Block) -> bool:
    return (
        bool(block.spans)
        if block.kind == "paragraph"
        else any(row.cells for row in block.rows)
        if block.kind == "table"
        else True
    )


def _joins(block: Block) -> bool:
    return block.kind not in ITEMS and block.kind != "heading"


def _lines(block: Block) -> str:
    if block.kind == "kept":
        label = inline(text_spans(" ".join(block.text.split())), "heading")
        return f"[kept: {label} #{block.ref}]"
    if block.kind == "panel":
        return f"> [!{block.language.upper() or 'NOTE'}]" + (f"\n{lines_of(block)}" if block.spans else "")
    return lines_of(block)


def from_markdown(text: str) -> tuple[Block, ...]:
    """The blocks of a Markdown text. Any text is one: what has no form of its own stays as plain text."""
    reader = _Reader(Inline(text.encode()))
    ranges = bool(_NEEDS_RANGES.search(text))
    return tuple(reader.flat(tree(text, alerts=True, ranges=ranges).children, 0))


@dataclass(frozen=True, slots=True)
class _Reader:
    inline: Inline

    def flat(self, nodes: Iterable[Node], depth: int) -> Iterator[Block]:
        """The blocks of these elements and of all that nests in them; lists among them have this depth."""
        for node in in_paragraphs(nodes):
            if node.kind == "List":
                for entry in node.children:
                    yield from self._item(entry, ordered=node.value is not None, depth=depth)
            elif node.kind == "BlockQuote":
                yield from self._quote(node, depth)
            elif node.kind == "FootnoteDefinition":
                yield from _prefixed(f"[^{node.value}]: ", self.flat(node.children, depth))
            else:
                yield from self._plain(node)

    def _plain(self, node: Node) -> Iterator[Block]:
        if node.kind == "Paragraph":
            yield from self._paragraph(node)
        elif node.kind == "Heading":
            yield Block("heading", self.inline.spans(node.children), level=heading_level(node))
        elif node.kind == "CodeBlock":
            yield Block("code", text_spans(code_text(node)), language=language(node))
        elif node.kind == "HtmlBlock":
            yield Block("paragraph", tidy([Span("".join(child.value for child in node.children))]))
        elif node.kind == "Table":
            yield table_block(node, self.inline)
        elif node.kind == "Rule":
            yield Block("divider")

    def _item(self, entry: Node, *, ordered: bool, depth: int) -> Iterator[Block]:
        children = list(in_paragraphs(entry.children))
        own = children[0] if children and children[0].kind == "Paragraph" else None
        if own or not children or children[0].kind == "List":
            yield item_block(own, self.inline, ordered=ordered, depth=depth)
        yield from self.flat(children[1:] if own else children, depth + 1)

    def _paragraph(self, node: Node) -> Iterator[Block]:
        source = self.inline.source[node.start : node.end].decode()
        lines = [line.strip() for line in source.split("\n")]
        if not any(_KEPT.fullmatch(line) for line in lines):
            spans = self.inline.spans(node.children)
            yield from [Block("paragraph", spans)] if spans else []
            return
        for part in _around_kept(lines):
            match = _KEPT.fullmatch(part)
            yield from [_kept(match)] if match else from_markdown(part)

    def _quote(self, node: Node, depth: int) -> Iterator[Block]:
        kind: BlockKind = "panel" if node.value else "quote"
        alert = _ALERTS.get(node.value or "", "")
        if all(child.kind == "Paragraph" for child in node.children):
            yield replace(quote_block(node, self.inline), kind=kind, language=alert)
            return
        for block in self.flat(node.children, depth):
            yield replace(block, kind=kind, language=alert) if block.kind == "paragraph" else block


def _kept(match: re.Match[str]) -> Block:
    return Block("kept", text_spans(_ESCAPED.sub(r"\1", match["label"])), ref=match["ref"])


def _around_kept(lines: Sequence[str]) -> list[str]:
    """Lines of one paragraph, joined again between those that stand for kept blocks."""
    parts: list[str] = []
    joins = False
    for line in lines:
        is_kept = bool(_KEPT.fullmatch(line))
        if joins and not is_kept:
            parts[-1] += f"\n{line}"
        else:
            parts.append(line)
        joins = not is_kept
    return [part for part in parts if part]


def _prefixed(text: str, blocks: Iterator[Block]) -> Iterator[Block]:
    first = next(blocks, Block("paragraph"))
    yield replace(first, spans=tidy([Span(text), *first.spans]))
    yield from blocks


# --- single blocks, as pages read them too ----------------------------------------------------------------------------


def item_block(own: Node | None, reader: Inline, *, ordered: bool, depth: int) -> Block:
    """A list item from its own paragraph, None for an empty item."""
    nodes = own.children if own else []
    box = next((node for node in nodes if node.kind == "TaskListMarker"), None)
    kind: BlockKind = "task" if box else "number" if ordered else "bullet"
    return Block(kind, reader.spans(nodes), depth=depth, checked=bool(box and box.value))


def quote_block(node: Node, reader: Inline) -> Block:
    """A quote of paragraphs; an empty line parts them."""
    spans: list[Span] = []
    for child in node.children:
        spans += [Span("\n\n"), *reader.spans(child.children)] if spans else reader.spans(child.children)
    return Block("quote", tidy(spans))


def table_block(node: Node, reader: Inline) -> Block:
    """A table; an empty header row means that it has none."""
    rows = [Block("row", cells=tuple(reader.spans(cell.children) for cell in line.children)) for line in node.children]
    header = any(rows[0].cells)
    return Block("table", header=header, rows=tuple(rows if header else rows[1:]))


def heading_level(node: Node) -> int:
    """1 to 6."""
    return _LEVELS[node.value["level"]]
