"""Markdown text -> tree of blocks with byte ranges, and the text in them as spans.

One small tree stands between the parser library and the two readers: `markdown.py` (the store's view of prose) and
`markdown_page.py` (pages in a folder). Ranges count UTF-8 bytes. What a block becomes is the readers' business. Text, which
is most of a page, gets no tree of its own: it becomes spans while the parser's events pass by.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, count, repeat
from typing import Any

import pyromark

from mapping.document import ATTACHMENTS, Mark, Span, SpanKind, Spans, image, merged_spans, plain
from mapping.pictures import is_name

Marks = frozenset[Mark]
Range = Mapping[str, int]

OPTIONS = (
    pyromark.Options.ENABLE_TABLES
    | pyromark.Options.ENABLE_FOOTNOTES
    | pyromark.Options.ENABLE_STRIKETHROUGH
    | pyromark.Options.ENABLE_TASKLISTS
    | pyromark.Options.ENABLE_GFM  # `> [!NOTE]`, which the store reads as a panel
)

_LITERAL = frozenset({"CodeBlock", "HtmlBlock"})  # text stands in them as it is
_LEAVES = frozenset({"Paragraph", "Heading", "TableCell"}) | _LITERAL  # blocks with text and no other block in them
_AROUND = frozenset({"Emphasis", "Strong", "Strikethrough", "Link", "Image"})  # text stands in these
_TEXTS = frozenset({"Text", "Code", "SoftBreak", "HardBreak", "InlineHtml", "FootnoteReference", "TaskListMarker"})
_INLINE = _AROUND | _TEXTS
_PLAIN: Marks = frozenset()
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
_BLANKS = " \t\n"
BESIDE = ATTACHMENTS.removeprefix("/")  # where a page's pictures are, as seen from its file
_NOWHERE = {"start": 0, "end": 0}

_Event = tuple[int, Any, Range]
"""Which one it is; what the parser says, a name as in `"Rule"` or a name and more as in `{"Text": "a"}`; and where."""
_Around = tuple[Marks, str, str, Any, Range, int]
"""What text stands in: the marks and the link outside, its name and details, where it is, how many spans came before."""


@dataclass(slots=True)
class Node:
    """One block: the parser's name for it, its bytes from `start` up to `end`, and what stands in it, blocks or text.
    `value` holds the parser's details; of a paragraph, whether its box is ticked, None where it has none. Code and HTML are
    as they stand, other text is tidy."""

    kind: str
    start: int
    end: int
    value: Any = None
    children: Sequence["Node"] = ()
    spans: Spans = ()


@dataclass(frozen=True, slots=True)
class Parsed:
    """The outermost blocks of a text, and the Markdown of its kept spans by ref."""

    nodes: Sequence[Node]
    kept: Mapping[str, str]


def parse(text: str, *, atoms: bool = False, ranges: bool = True) -> Parsed:
    """The blocks of a Markdown text; bare text in a tight list item is a paragraph.

    With `atoms`, images, footnote marks and HTML become kept spans (pages). Without, they become text, and links to
    `mailto:`, `account:`, `date:`, `status:` and `kept:` become what they were written for (the store). A text without HTML
    and footnote marks can be read without `ranges`, in half the time; the bytes of every block are then 0 up to 0.
    """
    if not ranges:
        return _Pass().over(zip(repeat(0), pyromark.events(text, options=OPTIONS), repeat(_NOWHERE)))
    pairs: list[tuple[Any, Any]] = list(pyromark.events_with_range(text, options=OPTIONS))
    events, where = [event for event, _ in pairs], [where for _, where in pairs]
    return _Pass(text.encode(), atoms, events, where).over(zip(count(), events, where))


@dataclass(slots=True)
class _Pass:
    """One pass over the parser's events. `events` and `ranges` are all of them, unless the text is read without ranges."""

    source: bytes = b""
    atoms: bool = False
    events: Sequence[Any] = ()
    ranges: Sequence[Range] = ()
    kept: dict[str, str] = field(default_factory=dict)
    found: list[Span] = field(default_factory=list)  # of the text that is being read
    around: list[_Around] = field(default_factory=list)
    closing: list[int] = field(default_factory=list)  # of the HTML marks in `around`, which events close them

    def over(self, events: Iterator[_Event]) -> Parsed:
        nodes: list[Node] = []
        siblings, above = nodes, list[list[Node]]()
        for at, event, where in events:
            kind, value = _named(event)
            if kind == "Start":
                kind, value = _named(value)
            if kind in _INLINE:  # in a tight item, which has no paragraph around its text
                node = Node("Paragraph", where["start"], where["end"])
                siblings.append(node)
                at, event, where = self._text(node, chain(((at, event, where),), events))
                node.end = self.ranges[at - 1]["end"] if self.ranges else 0
                kind, value = _element(event)
            if kind == "End":
                siblings = above.pop()
                continue
            node = Node(kind, where["start"], where["end"], value)
            siblings.append(node)
            if kind in _LEAVES:
                self._text(node, events)
            elif kind != "Rule":
                above.append(siblings)
                node.children = siblings = []
        return Parsed(nodes, self.kept)

    def _text(self, node: Node, events: Iterator[_Event]) -> _Event:
        """Read the text of a block up to the event that ends it, and return that. Most of all time goes by in here."""
        found, around = self.found, self.around
        text, marks, link = "", _PLAIN, ""
        for at, event, where in events:
            if "Text" in event:
                text += event["Text"]
                continue
            kind, value = _named(event)
            if kind in _BREAKS:
                before = text or (found[-1].text if found else "")
                text += "" if kind == "SoftBreak" and before.endswith("\n") else _BREAKS[kind]
                continue
            if text:
                found.append(Span(text, "text", "", marks, link))
                text = ""
            if kind == "Code":
                found.append(Span(value, "text", "", marks | _CODE if marks else _CODE, link))
            elif kind == "End":
                if not around:
                    break
                marks, link = self._end(link)
            elif kind == "Start":
                kind, value = _named(value)
                if kind not in _INLINE:
                    break
                around.append((marks, link, kind, value, where, len(found)))
                marks, link = _inside(kind, value, marks, link)
            elif kind == "TaskListMarker":
                node.value = value
            elif kind == "Html":
                text = value
            else:
                marks = self._tag(at, marks, link)
        node.spans = tuple(found) if node.kind in _LITERAL else tidy(found)
        found.clear()
        return at, event, where

    def _end(self, link: str) -> tuple[Marks, str]:
        """The innermost that the text stood in is at its end. Returns the marks and the link outside of it."""
        marks, outside, kind, value, where, before = self.around.pop()
        if kind == "Image":
            shown = plain(tidy(self.found[before:]))
            self.found[before:] = [self._picture(shown, value["dest_url"], where, marks, outside)]
        elif kind == "Link" and not self.atoms:
            self.found[before:] = _meant(self.found[before:], link, marks)
        return marks, outside

    def _picture(self, shown: str, url: str, where: Range, marks: Marks, link: str) -> Span:
        ours = url.startswith(BESIDE) and is_name(url.removeprefix(BESIDE))
        picture = image(shown, f"/{url}" if self.atoms else url) if not link and (ours or not self.atoms) else None
        if picture:
            return picture
        return (
            self._kept(shown or "image", where, marks, link)
            if self.atoms
            else Span(shown or url, "text", "", marks, link or url)
        )

    def _tag(self, at: int, marks: Marks, link: str) -> Marks:
        """Read an HTML tag or a footnote mark. Returns the marks that hold from there on."""
        kind, value = _named(self.events[at])
        tag = _tag_name(value) if kind == "InlineHtml" else ""
        if self.closing and self.closing[-1] == at:
            self.closing.pop()
            return self.around.pop()[0]
        if tag in _TAGS and value[1] != "/" and (last := self._closed_by(tag, at)):
            self.closing.append(last)
            self.around.append((marks, link, kind, value, self.ranges[at], len(self.found)))
            return marks | {_TAGS[tag]}
        if tag == "br":
            self.found.append(Span("\n", "text", "", marks, link))
        elif self.atoms:
            self.found.append(self._kept("", self.ranges[at], marks, link))
        else:
            self.found.append(Span(self._source(self.ranges[at]), "text", "", marks, link))
        return marks

    def _kept(self, label: str, where: Range, marks: Marks, link: str) -> Span:
        source = self._source(where)
        ref = token(source)
        self.kept[ref] = source
        return Span(label or source, "kept", ref, marks, link)

    def _source(self, where: Range) -> str:
        return self.source[where["start"] : where["end"]].decode()

    def _closed_by(self, tag: str, at: int) -> int:
        """Which event closes the HTML mark that event `at` opens, inside of all that is open there; 0 if none does."""
        depth, inner = 1, 0
        for position in range(at + 1, self.closing[-1] if self.closing else len(self.events)):
            kind, value = _element(self.events[position])
            inner += (kind in _AROUND) - (kind == "End")
            if inner < 0 or (kind not in _INLINE and kind != "End"):
                return 0
            if not inner and kind == "InlineHtml" and _tag_name(value) == tag:
                depth += -1 if value[1] == "/" else 1
                if not depth:
                    return position
        return 0


def _inside(kind: str, value: Any, marks: Marks, link: str) -> tuple[Marks, str]:
    """The marks and the link of what stands in an element."""
    if kind == "Link":
        return marks, ("mailto:" if value["link_type"] == "Email" else "") + value["dest_url"]
    if kind == "Image":
        return _PLAIN, ""
    return marks | _MARKS[kind] if marks else _MARKS[kind], link


def _element(event: Any) -> tuple[str, Any]:
    """The name of what an event begins or is, and what that is about."""
    kind, value = _named(event)
    return _named(value) if kind == "Start" else (kind, value)


def _named(tag: Any) -> tuple[str, Any]:
    if tag.__class__ is str:
        return tag, None
    (name,) = tag
    return name, tag[name]


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


def _tag_name(html: str) -> str:
    match = _TAG.fullmatch(html)
    return match[2].lower() if match else ""


def language(node: Node) -> str:
    """The language of a code block: the first word of its info string."""
    info = node.value["Fenced"] if isinstance(node.value, dict) else ""
    return info.split()[0] if info.split() else ""


def code_text(node: Node) -> str:
    """The code in a code block, without the line end before the fence."""
    return plain(node.spans).replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n")


def token(source: str) -> str:
    """The ref of a kept thing: the same for the same Markdown, however it is indented."""
    lines = [line.strip() for line in source.strip().splitlines()]
    return "k" + hashlib.sha256("\n".join(lines).encode()).hexdigest()[:6]


def tidy(given: Iterable[Span]) -> Spans:
    """Spans as every reader gives them: plain spaces and line ends, equal neighbours joined, no blanks at either end."""
    spans = tuple(given)
    text = "".join([span.text for span in spans])
    if "\xa0" in text or "\r" in text or "\0" in text:
        return tidy([replace(span, text=_usual(span.text)) for span in spans])
    merged = merged_spans(spans)
    if text == text.strip(_BLANKS):
        return merged
    return _stripped(_stripped(merged, left=True), left=False)


def _usual(text: str) -> str:
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
