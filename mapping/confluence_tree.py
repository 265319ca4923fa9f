"""Storage markup as elements that know where they stand in it.

The strict parser of the standard library says whether the markup is well-formed: anything else is refused with its place.
HTML's named entities are known. Well-formed markup is then cut into tags and texts by one regular expression, which takes
less time than to be told of each by the parser. An element that holds nothing but one line of words is cut as a whole: what
is in it becomes nodes when somebody asks. What the elements mean is `confluence_parse.py`.
"""

import re
from collections.abc import Mapping
from html.entities import html5
from xml.parsers import expat

_DEEPEST = 100  # elements below are markup of the one above them, so that no nesting exhausts the stack
_XML = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}
_NAMED = re.compile(r"&([A-Za-z][A-Za-z0-9]*);")
_REFERENCE = re.compile(r"&(#\d+|#x[0-9A-Fa-f]+|[A-Za-z][A-Za-z0-9]*);")
_BLANK = re.compile(r"\s")
_ATTRIBUTE = re.compile(r"([^\s=]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")
_NONE: Mapping[str, str] = {}
_PLAIN = r"(?:\ [^\s=<>\"'/]+=\"[^<>\"]*\")*"  # attributes of a tag that is cut together with what is in it
_MARK = rf"(?:strong|em|code|u|s|b|i|del|strike|a\ href=\"[!#-;=?-~]+\"{_PLAIN})"
_TOKEN = re.compile(
    rf"""
    (?P<holder> <(?P<holds>p|h[1-6]|td|th|li|ac:task-body)(?P<with>{_PLAIN})> (?P<p><p{_PLAIN}>)?
        (?P<line> (?!</) [^<]* (?: <{_MARK}>(?!\s)[^<]+(?<!\s)</[a-z]+> (?: [^<]+ | (?=</) ) )* ) (?(p)</p>) </(?P=holds)> )
    | (?P<text> [^<]+ )
    | (?P<close> </[^>]*> )
    | (?P<aside> <!--.*?--> | <\?.*?\?> )
    | (?P<literal> <!\[CDATA\[.*?\]\]> )
    | (?P<open> <(?P<name>[^\s/>]+)(?P<more>(?:[^<>"']+|"[^"]*"|'[^']*')*)> )
    """,
    re.DOTALL | re.VERBOSE,
)


class StorageError(ValueError):
    """The body is not well-formed storage markup; the message says where."""


class Text:
    """A run of characters, from `start` up to `end`."""

    __slots__ = ("end", "start", "text")

    def __init__(self, text: str, start: int, end: int) -> None:
        self.text, self.start, self.end = text, start, end


class Element:
    """A tag and what is in it, from `start` up to `end`; `inner` to `inner_end` is its content, both `end` for an
    empty-element tag. `sealed`: it nests too deep for what is in it to be told. `line` is the markup of its text where it
    holds nothing else, perhaps in a paragraph: characters, and between them words in one mark or one link, which touch
    neither each other nor blanks of their own."""

    __slots__ = ("_attrs", "_children", "_more", "_source", "end", "inner", "inner_end", "line", "name", "sealed", "start")

    def __init__(
        self, name: str, more: str, start: int, inner: int, inner_end: int, end: int, source: str = "", line: str = ""
    ) -> None:
        self.name, self._more, self.line, self._source = name, more, line, source
        self.start, self.inner, self.inner_end, self.end = start, inner, inner_end, end
        self.sealed = False
        self._attrs: dict[str, str] | None = None
        self._children: list[Element | Text] | None = None if source else []

    @property
    def children(self) -> "list[Element | Text]":
        """What is in it, in order; of an element with a source, cut when somebody asks."""
        if self._children is None:
            self._children = _content(self, self._source)
        return self._children

    @property
    def attrs(self) -> Mapping[str, str]:
        """The attributes by name."""
        if not self._more:
            return _NONE
        if self._attrs is None:
            found = _ATTRIBUTE.findall(self._more)
            self._attrs = {name: _told(_BLANK.sub(" ", double or single)) for name, double, single in found}
        return self._attrs

    def child(self, name: str) -> "Element | None":
        """The first direct child of that name."""
        for node in self.children:
            if isinstance(node, Element) and node.name == name:
                return node
        return None

    def elements(self) -> list["Element"]:
        """The direct children that are elements."""
        return [node for node in self.children if isinstance(node, Element)]

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
    return Element("page", "", 0, 0, len(body), len(body), body)


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


def _content(root: Element, body: str) -> "list[Element | Text]":
    """What an element of well-formed markup holds."""
    found: list[Element | Text] = []
    above, inside, path, buried = root, found, [(root, found)], 0
    for token in _TOKEN.finditer(body, root.inner, root.inner_end):
        kind, (start, end) = token.lastgroup, token.span()
        if kind == "holder":
            name, more, line = token.group("holds", "with", "line")
            element = Element(name, more, start, token.end("with") + 1, end - len(name) - 3, end, body, line)
            above.sealed = above.sealed or buried > 0 or len(path) > _DEEPEST
            inside.append(element if not above.sealed else Text(element.text, start, end))
        elif kind == "open":
            name, more = token.group("name", "more")
            opens = not more.endswith("/")
            if buried or len(path) > _DEEPEST:
                above.sealed = True
                buried += opens
                continue
            element = Element(name, more, start, end, end, end)
            inside.append(element)
            if opens:
                above, inside = element, element.children
                path.append((above, inside))
        elif kind == "close" and buried:
            buried -= 1
        elif kind == "close":
            above.inner_end, above.end = start, end
            path.pop()
            above, inside = path[-1]
        elif kind == "text":
            inside.append(Text(_told(token[0]), start, end))
        elif kind == "literal":
            inside.append(Text(_lined(token[0][9:-3]), start, end))
    return found


def _lined(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def _told(text: str) -> str:
    """Text as it is read: references resolved, one sort of line end."""
    if "&" not in text and "\r" not in text:
        return text
    return _REFERENCE.sub(lambda found: _meant(found[1]), _lined(text)) if "&" in text else _lined(text)


def _meant(name: str) -> str:
    if name[0] != "#":
        return _XML.get(name) or html5[f"{name};"]
    return chr(int(name[2:], 16) if name[1] == "x" else int(name[1:]))
