"""Storage markup as elements that know where they stand in it.

The strict parser of the standard library says whether the markup is well-formed: anything else is refused with its place.
HTML's named entities are known. Well-formed markup is then cut at its tags, which takes less time than to be told of each by
the parser. What the elements mean is `confluence_parse.py`.
"""

import re
from html.entities import html5
from xml.parsers import expat

_DEEPEST = 100  # elements below are markup of the one above them, so that no nesting exhausts the stack
_XML = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}
_NAMED = re.compile(r"&([A-Za-z][A-Za-z0-9]*);")
_REFERENCE = re.compile(r"&(#\d+|#x[0-9A-Fa-f]+|[A-Za-z][A-Za-z0-9]*);")
_TAG = re.compile(r"(?:[^>\"']|\"[^\"]*\"|'[^']*')*")
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
            self._attrs = {}
            for name, double, single in _ATTRIBUTE.findall(self._more) if "=" in self._more else ():
                self._attrs[name] = _told(_BLANK.sub(" ", double or single))
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
    """Put below the root what well-formed markup holds: it is cut at each `<`."""
    above, path, buried = root, [root], 0
    lead, *pieces = body.split("<")
    at = following = len(lead)
    if lead:
        root.children.append(Text(_told(lead), 0, at))
    for piece in pieces:
        start, following = following, following + len(piece) + 1
        if start < at:
            continue  # within an aside
        tag, _, text = piece.partition(">")
        at = start + len(tag) + 2
        if tag[0] == "/":
            if buried:
                buried -= 1
            else:
                above.inner_end, above.end = start, at
                path.pop()
                above = path[-1]
        elif tag[0] in "!?":
            at = _aside(above, body, start)
            text = body[at : end if (end := body.find("<", at)) >= 0 else len(body)]
        else:
            name = tag
            if not tag.isalnum():
                if "'" in tag or tag.count('"') % 2:
                    tag, text = _quoted(piece)
                    at = start + len(tag) + 2
                name = tag.split(None, 1)[0].rstrip("/")
            if buried or len(path) > _DEEPEST:
                above.sealed = True
                buried += tag[-1] != "/"
            else:
                element = Element(name, tag[len(name) :], start, at)
                above.children.append(element)
                if tag[-1] != "/":
                    path.append(element)
                    above = element
        if text:
            said = _told(text) if "&" in text or "\r" in text else text
            above.children.append(Text(said, at, at + len(text)))


def _quoted(piece: str) -> tuple[str, str]:
    """A tag in whose attributes a `>` may stand, and the text behind it."""
    tag = _TAG.findall(piece)[0]
    return tag, piece[len(tag) + 1 :]


def _aside(above: Element, body: str, start: int) -> int:
    """A comment or an instruction, which say nothing, or a stretch of literal text; where it ends."""
    if body.startswith("<![CDATA[", start):
        end = body.index("]]>", start) + 3
        above.children.append(Text(_lined(body[start + 9 : end - 3]), start, end))
        return end
    closing = "?>" if body[start + 1] == "?" else "-->"
    return body.index(closing, start) + len(closing)


def _lined(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def _told(text: str) -> str:
    """Text as it is read: references resolved, one sort of line end."""
    return _REFERENCE.sub(lambda found: _meant(found[1]), _lined(text)) if "&" in text else _lined(text)


def _meant(name: str) -> str:
    if name[0] != "#":
        return _XML.get(name) or html5[f"{name};"]
    return chr(int(name[2:], 16) if name[1] == "x" else int(name[1:]))
