"""Markdown text -> tree of nodes with byte ranges, and inline nodes -> spans.

One small tree stands between the parser library and the two readers: `markdown.py` (the store's view of prose) and
`markdown_page.py` (pages in a folder). Ranges count UTF-8 bytes. What a block becomes is the readers' business.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import repeat
from typing import Any

import pyromark

from mapping.document import Mark, Span, SpanKind, Spans, merged_spans

Marks = frozenset[Mark]

OPTIONS = (
    pyromark.Options.ENABLE_TABLES
    | pyromark.Options.ENABLE_FOOTNOTES
    | pyromark.Options.ENABLE_STRIKETHROUGH
    | pyromark.Options.ENABLE_TASKLISTS
)
ALERTS = pyromark.Options.ENABLE_GFM  # `> [!NOTE]`, which the store reads as a panel

INLINE = frozenset(
    {
        *("Text", "Code", "SoftBreak", "HardBreak", "Emphasis", "Strong", "Strikethrough"),
        *("Link", "Image", "InlineHtml", "FootnoteReference", "TaskListMarker"),
    }
)
_CODE: Marks = frozenset({"code"})
_MARKS: dict[str, Marks] = {
    "Emphasis": frozenset({"italic"}),
    "Strong": frozenset({"bold"}),
    "Strikethrough": frozenset({"strike"}),
}
_BREAKS = {"SoftBreak": " ", "HardBreak": "\n"}
_TAGS: dict[str, Mark] = {
    "strong": "bold",
    "b": "bold",
    "em": "italic",
    "i": "italic",
    "del": "strike",
    "s": "strike",
    "u": "underline",
    "code": "code",
}
_THINGS: dict[str, SpanKind] = {"kept": "kept", "date": "date", "status": "status"}
_MEANT = frozenset({"mailto", "account", *_THINGS})
_TAG = re.compile(r"<(/?)([A-Za-z]+)\s*/?>")
_ODD = re.compile("[\xa0\0\r]")
_BLANKS = " \t\n"
_NOWHERE = {"start": 0, "end": 0}


@dataclass(slots=True)
class Node:
    """One element: the parser's name for it, its bytes from `start` up to `end`, and the parser's details in `value`."""

    kind: str
    start: int
    end: int
    value: Any = None
    children: Sequence["Node"] = ()


def tree(text: str, *, alerts: bool = False, ranges: bool = True) -> Node:
    """The elements of a Markdown text below one root. Without `ranges`, which cost more than all the rest, the bytes of
    every element are 0 up to 0."""
    options = OPTIONS | ALERTS if alerts else OPTIONS
    siblings: list[Node] = []
    root = Node("Root", 0, len(text.encode()), None, siblings)
    above: list[list[Node]] = []
    for event, where in _events(text, options, ranges):
        name, value = _named(event)
        if name == "End":
            siblings = above.pop()
        elif name == "Start":
            name, value = _named(value)
            inside: list[Node] = []
            siblings.append(Node(name, where["start"], where["end"], value, inside))
            above.append(siblings)
            siblings = inside
        else:
            siblings.append(Node(name, where["start"], where["end"], value))
    return root


def _named(tag: Any) -> tuple[str, Any]:
    return (tag, None) if isinstance(tag, str) else tag.popitem()


def _events(text: str, options: pyromark.Options, ranges: bool) -> Iterable[tuple[Any, Any]]:
    if ranges:
        return pyromark.events_with_range(text, options=options)
    return zip(pyromark.events(text, options=options), repeat(_NOWHERE))


def in_paragraphs(nodes: Iterable[Node]) -> Iterator[Node]:
    """Blocks as they are, runs of bare inline nodes (a tight list item has them) as paragraphs."""
    run: list[Node] = []
    for node in nodes:
        if node.kind in INLINE:
            run.append(node)
            continue
        if run:
            yield _paragraph(run)
            run = []
        yield node
    if run:
        yield _paragraph(run)


def _paragraph(run: list[Node]) -> Node:
    return Node("Paragraph", run[0].start, max(node.end for node in run), children=run)


def tidy(given: Iterable[Span]) -> Spans:
    """Spans as every reader gives them: plain spaces and line ends, equal neighbours joined, no blanks at either end."""
    spans = tuple(given)
    text = "".join([span.text for span in spans])
    if _ODD.search(text):
        return tidy([replace(span, text=_plain(span.text)) for span in spans])
    merged = merged_spans(spans)
    if text == text.strip(_BLANKS):
        return merged
    return _stripped(_stripped(merged, left=True), left=False)


def _plain(text: str) -> str:
    text = text.replace("\xa0", " ").replace("\0", "\ufffd")
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def _stripped(spans: Spans, *, left: bool) -> Spans:
    while spans and spans[0 if left else -1].kind == "text":
        edge = spans[0 if left else -1]
        text = edge.text.lstrip(_BLANKS) if left else edge.text.rstrip(_BLANKS)
        if text == edge.text:
            return spans
        if text:
            bare = replace(edge, text=text)
            return (bare, *spans[1:]) if left else (*spans[:-1], bare)
        spans = spans[1:] if left else spans[:-1]
    return spans


@dataclass(slots=True)
class Inline:
    """Reads inline nodes of one text.

    With `atoms`, images, footnote marks and HTML become kept spans and their Markdown is noted in `kept` by ref (pages).
    Without, they become text, and links to `mailto:`, `account:`, `date:`, `status:` and `kept:` become what they were
    written for (the store).
    """

    source: bytes
    atoms: bool = False
    kept: dict[str, str] = field(default_factory=dict)

    def spans(self, nodes: Sequence[Node]) -> Spans:
        """The tidy spans of the inline content of one block."""
        return tidy(self._read(nodes, frozenset(), ""))

    def _read(self, nodes: Sequence[Node], marks: Marks, link: str) -> list[Span]:
        if len(nodes) == 1 and nodes[0].kind == "Text":
            return [Span(nodes[0].value, "text", "", marks, link)]
        found: list[Span] = []
        text = ""  # of this style, not yet in `found`
        after = 0  # what was read together with a node before it
        for index, node in enumerate(nodes):
            if index < after:
                continue
            if node.kind == "Text":
                text += node.value
            elif node.kind in _BREAKS:
                before = text or (found[-1].text if found else "")
                text += "" if node.kind == "SoftBreak" and before.endswith("\n") else _BREAKS[node.kind]
            else:
                if text:
                    found.append(Span(text, "text", "", marks, link))
                    text = ""
                end = _closing(nodes, index) if node.kind == "InlineHtml" else 0
                if end:
                    found += self._read(nodes[index + 1 : end], marks | {_TAGS[_tag_name(node)]}, link)
                    after = end + 1
                else:
                    found += self._one(node, marks, link)
        if text:
            found.append(Span(text, "text", "", marks, link))
        return found

    def _one(self, node: Node, marks: Marks, link: str) -> Sequence[Span]:
        if node.kind == "Code":
            return (Span(node.value, "text", "", marks | _CODE if marks else _CODE, link),)
        if node.kind in _MARKS:
            more = _MARKS[node.kind]
            return self._read(node.children, marks | more if marks else more, link)
        if node.kind == "Link":
            return self._link(node, marks)
        if node.kind == "TaskListMarker":
            return ()
        return (self._atom(node, marks, link),)

    def _link(self, node: Node, marks: Marks) -> list[Span]:
        url = node.value["dest_url"]
        if node.value["link_type"] == "Email":
            url = "mailto:" + url
        inner = self._read(node.children, marks, url)
        return inner if self.atoms else _meant(inner, url, marks)

    def _atom(self, node: Node, marks: Marks, link: str) -> Span:
        source = self.source[node.start : node.end].decode()
        if node.kind == "InlineHtml" and _TAG.fullmatch(source) and _tag_name(node) == "br":
            return Span("\n", "text", "", marks, link)
        if self.atoms:
            ref = token(source)
            self.kept[ref] = source
            return Span(self._label(node, source), "kept", ref, marks, link)
        if node.kind == "Image":
            url = node.value["dest_url"]
            return Span(self.plain(node) or url, "text", "", marks, link or url)
        return Span(source, "text", "", marks, link)

    def _label(self, node: Node, source: str) -> str:
        return (self.plain(node) or "image") if node.kind == "Image" else source

    def plain(self, node: Node) -> str:
        """The text below a node without marks."""
        return "".join(span.text for span in self.spans(node.children))


def _meant(inner: list[Span], url: str, marks: Marks) -> list[Span]:
    """A link of the store's own schemes as the mention or kept thing that it stands for."""
    scheme, _, ref = url.partition(":")
    if scheme not in _MEANT:
        return inner
    text = "".join(span.text for span in inner)
    marks = inner[0].marks if inner else marks
    if ref and (text or scheme == "status") and scheme in _THINGS:
        return [Span(text, _THINGS[scheme], ref, marks)]
    if text.startswith("@") and (scheme == "account" or (scheme == "mailto" and text != "@")):
        return [Span(text[1:], "mention", url.removeprefix("mailto:"), marks)]
    return inner


def _tag_name(node: Node) -> str:
    match = _TAG.fullmatch(node.value) if node.kind == "InlineHtml" else None
    return match[2].lower() if match else ""


def _closing(nodes: Sequence[Node], index: int) -> int:
    """Where the HTML mark that opens at `index` closes among its siblings; 0 if nothing opens, or it never closes."""
    name = _tag_name(nodes[index])
    if name not in _TAGS or nodes[index].value[1] == "/":
        return 0
    depth = 0
    for position in range(index, len(nodes)):
        if _tag_name(nodes[position]) == name:
            depth += -1 if nodes[position].value[1] == "/" else 1
        if not depth:
            return position
    return 0


def language(node: Node) -> str:
    """The language of a code block: the first word of its info string."""
    info = node.value["Fenced"] if isinstance(node.value, dict) else ""
    return info.split()[0] if info.split() else ""


def code_text(node: Node) -> str:
    """The code in a code block, without the line end before the fence."""
    text = "".join(child.value for child in node.children).replace("\r\n", "\n").replace("\r", "\n")
    return text.removesuffix("\n")


def token(source: str) -> str:
    """The ref of a kept thing: the same for the same Markdown, however it is indented."""
    lines = [line.strip() for line in source.strip().splitlines()]
    return "k" + hashlib.sha256("\n".join(lines).encode()).hexdigest()[:6]
