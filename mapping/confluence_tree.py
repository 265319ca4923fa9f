"""Storage markup as elements that know where they stand in it.

The strict parser of the standard library says whether the markup is well-formed: anything else is refused with its place.
HTML's named entities are known. Well-formed markup is then cut at its tags, which takes less time than to be told of each by
the parser. What the elements mean is `confluence_parse.py`.
"""

import re
from collections.abc import Iterator
from html.entities import html5
from xml.parsers import expat

_DEEPEST = 100  # elements below are markup of the one above them, so that no nesting exhausts the stack
_XML = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}
_NAMED = re.compile(r"&([A-Za-z][A-Za-z0-9]*);")
_REFERENCE = re.compile(r"&(#\d+|#x[0-9A-Fa-f]+|[A-Za-z][A-Za-z0-9]*);")
_MARKUP = re.compile(  # text, then the name of a tag and what follows it (a `>` may stand in an attribute), or an aside
    r"([^<]*)(?:<(/?[^\s/>!?]+)([^>\"']*(?:(?:\"[^\"]*\"|'[^']*')[^>\"']*)*)>"
    r"|(<!\[CDATA\[.*?\]\]>|<!--.*?-->|<\?.*?\?>))",
    re.DOTALL,
)
_BLANK = re.compile(r"\s")
_ATTRIBUTE = re.compile(r"([^\s=]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")


class StorageError(ValueError):
    """The body is not well-formed storage markup; the message says where."""


class Text:
    """A run of characters, from `start` up to `end`."""

    __slots__ = ("end", "start", "text")

    def __init__(self, text: str, start: int, end: int) -> None:
        self.text, self.start, self.end = text, start, end


class Element:
    """A tag and what is in it, from `start` up to `end`; `inner` to `inner_end` is its content, both `end` for an
    empty-element tag. `sealed`: it nests too deep for what is in it to be told."""

    __slots__ = ("_attrs", "_more", "children", "end", "inner", "inner_end", "name", "sealed", "start")

    def __init__(self, name: str, more: str, start: int, inner: int) -> None:
        self.name, self._more, self.start, self.inner = name, more, start, inner
        self.inner_end = self.end = inner
        self.children: list[Element | Text] = []
        self.sealed = False
        self._attrs: dict[str, str] | None = None

    @property
    def attrs(self) -> dict[str, str]:
        """The attributes by name."""
        if self._attrs is None:
            found = _ATTRIBUTE.findall(self._more) if self._more else ()
            self._attrs = {name: _told(_BLANK.sub(" ", double or single)) for name, double, single in found}
        return self._attrs

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
    _check(body)
    root = Element("page", "", 0, 0)
    root.inner_end = root.end = len(body)
    _fill(root, body)
    return root


def open_tag(node: Element, source: str) -> str:
    """The element's start tag as written, an empty element's as one that can hold something."""
    tag = source[node.start : node.inner]
    return f"{tag[:-2].rstrip()}>" if tag.endswith("/>") else tag


def _check(body: str) -> None:
    named = {name for name in _NAMED.findall(body) if f"{name};" in html5} - _XML.keys() if "&" in body else ()
    entities = "".join(f'<!ENTITY {name} "-">' for name in named)
    head = f"<!DOCTYPE page [{entities}]><page>".encode()
    try:
        expat.ParserCreate("utf-8").Parse(b"%s%s</page>" % (head, body.encode()), True)
    except UnicodeEncodeError as error:
        raise StorageError("the body holds half a character") from error
    except expat.ExpatError as error:
        column = error.offset + 1 - (len(head) if error.lineno == 1 else 0)
        raise StorageError(f"{expat.ErrorString(error.code)} at line {error.lineno}, column {column}") from error


def _fill(root: Element, body: str) -> None:
    """Put below the root what well-formed markup holds: it is cut at each tag."""
    above, path, buried, at = root, [root], 0, 0
    for text, name, more, aside in _MARKUP.findall(body):
        if text:
            above.children.append(Text(_told(text), at, at + len(text)))
        start = at + len(text)
        if not name:
            at = start + len(aside)
            if aside.startswith("<![CDATA["):  # comments and instructions say nothing
                above.children.append(Text(_lined(aside[9:-3]), start, at))
            continue
        at = start + len(name) + len(more) + 2
        if name[0] == "/":
            if buried:
                buried -= 1
            else:
                above.inner_end, above.end = start, at
                path.pop()
                above = path[-1]
            continue
        empty = more.endswith("/")
        if buried or len(path) > _DEEPEST:
            above.sealed = True
            buried += not empty
            continue
        element = Element(name, more, start, at)
        above.children.append(element)
        if not empty:
            path.append(element)
            above = element
    if at < len(body):
        above.children.append(Text(_told(body[at:]), at, len(body)))


def _lined(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def _told(text: str) -> str:
    """Text as it is read: references resolved, one sort of line end."""
    return _REFERENCE.sub(lambda found: _meant(found[1]), _lined(text)) if "&" in text else _lined(text)


def _meant(name: str) -> str:
    if name[0] != "#":
        return _XML.get(name) or html5[f"{name};"]
    return chr(int(name[2:], 16) if name[1] == "x" else int(name[1:]))
