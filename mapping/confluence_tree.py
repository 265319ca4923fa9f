"""Storage markup as elements with their byte ranges, read by the strict parser of the standard library.

HTML's named entities are known, anything malformed is refused with its place. What the elements mean is
`confluence_parse.py`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.entities import html5
from xml.parsers import expat

_DEEPEST = 100  # elements below are bytes of the one above them, so that no nesting exhausts the stack
_BUFFER = 1 << 16
_NAMED = re.compile(r"&([A-Za-z][A-Za-z0-9]*);")
_XML = frozenset({"amp", "lt", "gt", "quot", "apos"})
_TAG = re.compile(rb"""<(?:"[^"]*"|'[^']*'|[^>"'])*>""")


class StorageError(ValueError):
    """The body is not well-formed storage markup; the message says where."""


@dataclass(slots=True, eq=False)
class Text:
    """A run of characters with its byte range."""

    text: str
    start: int
    end: int = -1


@dataclass(slots=True, eq=False)
class Element:
    """A tag with its byte range; `inner` to `inner_end` is its content, both `end` for an empty-element tag. `sealed`: it
    nests too deep for its content to be told; `children` is only the text there."""

    name: str
    attrs: dict[str, str]
    start: int
    inner: int
    inner_end: int = -1
    end: int = -1
    children: list["Element | Text"] = field(default_factory=list)
    sealed: bool = False

    def child(self, name: str) -> "Element | None":
        """The first direct child of that name."""
        return next((node for node in self.elements() if node.name == name), None)

    def elements(self) -> Iterator["Element"]:
        """The direct children that are elements."""
        return (node for node in self.children if isinstance(node, Element))

    def parameter(self, name: str) -> "Element | None":
        """A macro's parameter."""
        return next((p for p in self.elements() if p.name == "ac:parameter" and p.attrs.get("ac:name") == name), None)

    @property
    def text(self) -> str:
        """All text below."""
        return "".join(node.text for node in self.children)


Node = Element | Text


def tree(body: str) -> Element:
    """The root over a storage fragment. Raises StorageError."""
    try:
        return _Tree(body.encode(), _head(body)).root
    except UnicodeEncodeError as error:
        raise StorageError("the body holds half a character") from error


def open_tag(node: Element, source: bytes) -> str:
    """The element's start tag as written, an empty element's as one that can hold something."""
    tag = source[node.start : node.inner].decode()
    return f"{tag[:-2].rstrip()}>" if tag.endswith("/>") else tag


def _head(body: str) -> bytes:
    """What stands before a fragment to make it a document: the entities that it names, and a root."""
    known = {name: html5[f"{name};"] for name in set(_NAMED.findall(body)) - _XML if f"{name};" in html5}
    entities = "".join(
        f'<!ENTITY {name} "{"".join(f"&#38;#{ord(char)};" for char in chars)}">' for name, chars in known.items()
    )
    return f"<!DOCTYPE page [{entities}]><page>".encode()


class _Tree:
    """Collects the parser's events into elements with byte ranges."""

    def __init__(self, source: bytes, head: bytes) -> None:
        self._source = source
        self._head = len(head)
        self.root = Element("page", {}, 0, 0, len(source), len(source))
        self._open = [self.root]
        self._depth = 0
        self._told = 0  # where the last tag ended: text begins there
        self._parser = expat.ParserCreate("utf-8")
        self._parser.buffer_text = True
        self._parser.buffer_size = _BUFFER
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text
        self._parser.CommentHandler = lambda comment: self._aside(b"-->")
        self._parser.ProcessingInstructionHandler = lambda target, data: self._aside(b"?>")
        try:
            self._parser.Parse(head + source + b"</page>", True)
        except expat.ExpatError as error:
            column = error.offset + 1 - (len(head) if error.lineno == 1 else 0)
            raise StorageError(f"{expat.ErrorString(error.code)} at line {error.lineno}, column {column}") from error

    def _start(self, name: str, attrs: dict[str, str]) -> None:
        self._depth += 1
        if self._depth == 1:
            return
        above = self._open[-1]
        if self._depth > _DEEPEST:
            above.sealed = True
            return
        at = self._parser.CurrentByteIndex - self._head
        self._close_text(above, at)
        found = _TAG.match(self._source, at)
        self._told = found.end() if found else at
        element = Element(name, attrs, at, self._told)
        above.children.append(element)
        self._open.append(element)

    def _end(self, _name: str) -> None:
        self._depth -= 1
        if self._depth >= _DEEPEST:
            return
        at = self._parser.CurrentByteIndex - self._head if self._depth else len(self._source)
        element = self._open.pop()
        self._close_text(element, at)
        if not self._depth:
            return
        empty = self._source.endswith(b"/>", element.start, element.inner)
        element.inner_end = element.inner if empty else at
        element.end = self._told = element.inner if empty else self._source.index(b">", at) + 1

    def _text(self, text: str) -> None:
        children = self._open[-1].children
        last = children[-1] if children else None
        if isinstance(last, Text) and last.end < 0:
            last.text += text
        else:
            children.append(Text(text, self._told))

    def _aside(self, closing: bytes) -> None:
        """A comment or an instruction says nothing; text before it ends there."""
        if self._depth <= _DEEPEST:
            at = self._parser.CurrentByteIndex - self._head
            self._close_text(self._open[-1], at)
            self._told = self._source.index(closing, at) + len(closing)

    @staticmethod
    def _close_text(element: Element, at: int) -> None:
        last = element.children[-1] if element.children else None
        if isinstance(last, Text) and last.end < 0:
            last.end = at
