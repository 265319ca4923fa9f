"""The store's view of prose: blocks <-> Markdown that a person reads, edits and gives back.

Nothing is lost on the way. A kept block is one line `[kept: Jira issues #k3f2]`, a kept inline thing `[emoji](kept:k77a)`, a
mention `[@Ada Byron](mailto:ada@example.com)`, a date `[2026-12-01](date:2026-12-01)`, a status `[Done](status:green)`,
underline `<u>x</u>`, a panel `> [!NOTE]`, `> [!TIP]`, `> [!WARNING]` or `> [!CAUTION]`. A table without a header row has an
empty one. A picture of the store (`/attachments/NAME`) or on the web is one here; any other that somebody writes becomes a
link with its description. HTML stays as the text it is.

Blocks are flat, so what nests in a list item (code, a second paragraph) stands between the items; it is written inside the
list when the next item needs it. Pages in a folder, which keep every byte, are `markdown_page.py`.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from mapping.document import Block, BlockKind, Span, text_spans
from mapping.markdown_parse import Node, code_text, language, parse, tidy
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
    ranges = bool(_NEEDS_RANGES.search(text))
    return tuple(_Reader(text.encode() if ranges else b"").blocks(parse(text, ranges=ranges).nodes, 0))


@dataclass(frozen=True, slots=True)
class _Reader:
    source: bytes

    def blocks(self, nodes: Iterable[Node], depth: int) -> list[Block]:
        """The blocks of these elements and of all that nests in them; lists among them have this depth."""
        found: list[Block] = []
        for node in nodes:
            if node.kind == "List":
                for entry in node.children:
                    found += self._item(entry, depth, ordered=node.value is not None)
            elif node.kind == "BlockQuote":
                found += self._quote(node, depth)
            elif node.kind == "FootnoteDefinition":
                found += _prefixed(f"[^{node.value}]: ", self.blocks(node.children, depth))
            else:
                found += self._plain(node)
        return found

    def _plain(self, node: Node) -> list[Block]:
        if node.kind == "Paragraph":
            return self._paragraph(node)
        if node.kind == "Heading":
            return [Block("heading", node.spans, heading_level(node))]
        if node.kind == "CodeBlock":
            return [Block("code", text_spans(code_text(node)), language=language(node))]
        if node.kind == "HtmlBlock":
            return [Block("paragraph", tidy(node.spans))]
        return [table_block(node) if node.kind == "Table" else Block("divider")]

    def _item(self, entry: Node, depth: int, *, ordered: bool) -> list[Block]:
        own, inside = own_text(entry)
        mine = own or not inside or inside[0].kind == "List"
        found = [item_block(own, ordered=ordered, depth=depth)] if mine else []
        return found + self.blocks(inside, depth + 1) if inside else found

    def _paragraph(self, node: Node) -> list[Block]:
        lines = [line.strip() for line in self.source[node.start : node.end].decode().split("\n")]
        if not any(_KEPT.fullmatch(line) for line in lines):
            return [Block("paragraph", node.spans)] if node.spans else []
        found: list[Block] = []
        for part in _around_kept(lines):
            match = _KEPT.fullmatch(part)
            found += [_kept(match)] if match else from_markdown(part)
        return found

    def _quote(self, node: Node, depth: int) -> list[Block]:
        kind: BlockKind = "panel" if node.value else "quote"
        alert = _ALERTS.get(node.value or "", "")
        if all(child.kind == "Paragraph" for child in node.children):
            return [replace(quote_block(node), kind=kind, language=alert)]
        inside = self.blocks(node.children, depth)
        return [replace(block, kind=kind, language=alert) if block.kind == "paragraph" else block for block in inside]


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


def _prefixed(text: str, blocks: list[Block]) -> list[Block]:
    first, *others = blocks or [Block("paragraph")]
    return [replace(first, spans=tidy([Span(text), *first.spans])), *others]


# --- single blocks, as pages read them too ----------------------------------------------------------------------------


def own_text(entry: Node) -> tuple[Node | None, Sequence[Node]]:
    """The paragraph that is the text of a list item, None where it has none, and what stands below it."""
    inside = entry.children
    return (inside[0], inside[1:]) if inside and inside[0].kind == "Paragraph" else (None, inside)


def item_block(own: Node | None, *, ordered: bool, depth: int) -> Block:
    """A list item from its own paragraph, None for an empty item."""
    if own is None:
        return Block("number" if ordered else "bullet", depth=depth)
    kind: BlockKind = "task" if own.value is not None else "number" if ordered else "bullet"
    return Block(kind, own.spans, 0, depth, bool(own.value))


def quote_block(node: Node) -> Block:
    """A quote of paragraphs; an empty line parts them."""
    spans: list[Span] = []
    for child in node.children:
        spans += [Span("\n\n"), *child.spans] if spans else child.spans
    return Block("quote", tidy(spans))


def table_block(node: Node) -> Block:
    """A table; an empty header row means that it has none."""
    rows = [Block("row", cells=tuple([cell.spans for cell in line.children])) for line in node.children]
    header = any(rows[0].cells)
    return Block("table", header=header, rows=tuple(rows if header else rows[1:]))


def heading_level(node: Node) -> int:
    """1 to 6."""
    return _LEVELS[node.value["level"]]
