"""Storage markup as elements with their byte ranges, read by the strict parser of the standard library.

HTML's named entities are known, anything malformed is refused with its place. What the elements mean is
`confluence_parse.py`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.entities import name2codepoint
from xml.parsers import expat

_DEEPEST = 150
_HEAD = (
    "<!DOCTYPE page ["
    + "".join(
        f'<!ENTITY {name} "&#{code};">' for name, code in name2codepoint.items() if name not in ("amp", "lt", "gt", "quot")
    )
    + "]><page>"
).encode()
_TAG = re.compile(rb"""<(?:"[^"]*"|'[^']*'|[^>"'])*>""")


class StorageError(ValueError):
    """The body is not well-formed storage markup; the message says where."""


@dataclass(slots=True, eq=False)
class Text:
    """A run of characters; `end` is where the next thing begins."""

    text: str
    start: int
    end: int = -1


@dataclass(slots=True, eq=False)
class Element:
    """A tag with its byte range; `inner` to `inner_end` is its content, both `end` for an empty-element tag."""

    name: str
    attrs: dict[str, str]
    start: int
    inner: int
    inner_end: int = -1
    end: int = -1
    children: list["Element | Text"] = field(default_factory=list)

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
        return _Tree(body.encode()).root
    except UnicodeEncodeError as error:
        raise StorageError("the body holds half a character") from error


def open_tag(node: Element, source: bytes) -> str:
    """The element's start tag as written, an empty element's as one that can hold something."""
    tag = source[node.start : node.inner].decode()
    return f"{tag[:-2].rstrip()}>" if tag.endswith("/>") else tag


class _Tree:
    """Collects the parser's events into elements with byte ranges."""

    def __init__(self, source: bytes) -> None:
        self._source = source
        self.root = Element("page", {}, 0, 0, len(source), len(source))
        self._open = [self.root]
        self._depth = 0
        self._parser = expat.ParserCreate("utf-8")
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text
        self._parser.StartCdataSectionHandler = lambda: self._text("")
        self._parser.CommentHandler = lambda comment: self._close_text(self._at)
        try:
            self._parser.Parse(_HEAD + source + b"</page>", True)
        except expat.ExpatError as error:
            column = error.offset + 1 - (len(_HEAD) if error.lineno == 1 else 0)
            raise StorageError(f"{expat.ErrorString(error.code)} at line {error.lineno}, column {column}") from error

    @property
    def _at(self) -> int:
        return self._parser.CurrentByteIndex - len(_HEAD)

    def _start(self, name: str, attrs: dict[str, str]) -> None:
        self._depth += 1
        if self._depth == 1:
            return
        if self._depth > _DEEPEST:
            raise StorageError(f"elements nest deeper than {_DEEPEST}")
        at = self._at
        self._close_text(at)
        element = Element(name, attrs, at, self._tag_end(at))
        self._open[-1].children.append(element)
        self._open.append(element)

    def _end(self, _name: str) -> None:
        self._depth -= 1
        at = len(self._source) if self._depth == 0 else self._at
        self._close_text(at)
        if self._depth == 0:
            return
        element = self._open.pop()
        empty = self._source[element.inner - 2 : element.inner] == b"/>"
        element.inner_end = element.inner if empty else at
        element.end = element.inner if empty else self._tag_end(at)

    def _text(self, text: str) -> None:
        children = self._open[-1].children
        last = children[-1] if children else None
        if isinstance(last, Text) and last.end < 0:
            last.text += text
        else:
            children.append(Text(text, self._at))

    def _close_text(self, at: int) -> None:
        children = self._open[-1].children
        last = children[-1] if children else None
        if isinstance(last, Text) and last.end < 0:
            last.end = at

    def _tag_end(self, at: int) -> int:
        found = _TAG.match(self._source, at)
        return found.end() if found else at
