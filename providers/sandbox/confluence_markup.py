"""Confluence storage format as a tree: parsed strictly, written the way the service writes it.

Only the syntax is here: what is well formed, which characters come back as named entities, what an empty element looks
like. What the service keeps, adds or rewrites is in `confluence_body.py` (API writes) and `confluence_editor.py`
(people).
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from html.entities import name2codepoint
from xml.parsers import expat

_DEEPEST = 200  # far beyond any page; keeps hostile nesting from exhausting the stack
_ROOT = "<root>"
_XML_ENTITIES = frozenset({"amp", "lt", "gt", "quot", "apos"})
_ENTITY = re.compile(r"<!\[CDATA\[.*?\]\]>|<!--.*?-->|&([A-Za-z][A-Za-z0-9]*);", re.DOTALL)
_CDATA_ONLY = frozenset({"ac:plain-text-body", "ac:plain-text-link-body"})
_ESCAPES = str.maketrans(
    {
        "&": "&amp;",
        "<": "&lt;",
        ">": "&gt;",
        '"': "&quot;",
        "\u00a0": "&nbsp;",
        "\u2018": "&lsquo;",
        "\u2019": "&rsquo;",
        "\u201c": "&ldquo;",
        "\u201d": "&rdquo;",
        "\u2013": "&ndash;",
        "\u2014": "&mdash;",
        "\u2192": "&rarr;",
        "\u2194": "&harr;",
    }
)


class MalformedMarkupError(Exception):
    """The text is not a well-formed fragment; the message says where."""


@dataclass(frozen=True, slots=True)
class Element:
    """A tag with its attributes in written order and its content; text is plain `str`."""

    name: str
    attrs: dict[str, str]
    children: tuple["Node", ...] = ()

    def with_attrs(self, attrs: dict[str, str]) -> "Element":
        """The same element carrying other attributes."""
        return Element(self.name, attrs, self.children)

    def with_children(self, children: Iterable["Node"]) -> "Element":
        """The same element around other content."""
        return Element(self.name, self.attrs, tuple(children))

    def child(self, name: str) -> "Element | None":
        """The first direct child of that name."""
        return next((node for node in elements(self.children) if node.name == name), None)


Node = Element | str


def parse(source: str) -> tuple[Node, ...]:
    """Read a storage fragment; comments vanish, CDATA becomes text. Raises MalformedMarkupError."""
    builder = _Builder()
    try:
        document = f"{_ROOT}{_numeric_entities(source)}</root>".encode()
        builder.parser.Parse(document, True)
    except UnicodeEncodeError as error:
        raise MalformedMarkupError("Illegal character: unpaired surrogate") from error
    except expat.ExpatError as error:
        column = error.offset + 1 - (len(_ROOT) if error.lineno == 1 else 0)
        reason = expat.ErrorString(error.code).capitalize()
        raise MalformedMarkupError(f"{reason}\n at [row,col]: [{error.lineno},{column}]") from error
    return builder.root.children


def serialise(nodes: Iterable[Node]) -> str:
    """Write a fragment on one line, with the service's entities and `<p />` for what is empty."""
    return "".join(_escaped(node) if isinstance(node, str) else _tag(node) for node in nodes)


def elements(nodes: Iterable[Node]) -> Iterator[Element]:
    """The direct elements among nodes."""
    return (node for node in nodes if isinstance(node, Element))


def walk(nodes: Iterable[Node]) -> Iterator[Element]:
    """Every element, parents before children, in document order."""
    for element in elements(nodes):
        yield element
        yield from walk(element.children)


def rewrite(nodes: Iterable[Node], visit: Callable[[Element], Iterable[Node]]) -> tuple[Node, ...]:
    """Replace every element by what `visit` makes of it, children first; texts that meet become one."""
    written: list[Node] = []
    for node in nodes:
        made = (node,) if isinstance(node, str) else visit(node.with_children(rewrite(node.children, visit)))
        for part in made:
            _append(written, part)
    return tuple(written)


def _append(nodes: list[Node], node: Node) -> None:
    last = nodes[-1] if nodes else None
    if isinstance(node, str) and isinstance(last, str):
        nodes[-1] = last + node
    else:
        nodes.append(node)


def text_of(nodes: Iterable[Node]) -> str:
    """All text below, joined."""
    return "".join(node if isinstance(node, str) else text_of(node.children) for node in nodes)


class _Builder:
    """Collects expat's events into a tree."""

    def __init__(self) -> None:
        self.root = Element("root", {})
        self._open: list[tuple[str, dict[str, str], list[Node]]] = []
        self.parser = expat.ParserCreate("utf-8")
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text

    def _start(self, name: str, attrs: dict[str, str]) -> None:
        if len(self._open) > _DEEPEST:
            raise MalformedMarkupError(f"Elements nested deeper than {_DEEPEST}")
        self._open.append((name, attrs, []))

    def _end(self, _name: str) -> None:
        name, attrs, children = self._open.pop()
        element = Element(name, attrs, tuple(children))
        if self._open:
            self._open[-1][2].append(element)
        else:
            self.root = element

    def _text(self, text: str) -> None:
        _append(self._open[-1][2], text)


def _numeric_entities(source: str) -> str:
    """HTML's named entities as references an XML parser knows; unknown names are left for it to refuse."""

    def reference(found: re.Match[str]) -> str:
        name = found[1]
        if name is None or name in _XML_ENTITIES or name not in name2codepoint:
            return found[0]
        return f"&#{name2codepoint[name]};"

    return _ENTITY.sub(reference, source)


def _escaped(text: str) -> str:
    return text.translate(_ESCAPES)


def _tag(element: Element) -> str:
    attrs = "".join(f' {name}="{_escaped(value)}"' for name, value in element.attrs.items())
    if element.name in _CDATA_ONLY:
        return f"<{element.name}{attrs}>{_cdata(text_of(element.children))}</{element.name}>"
    content = serialise(element.children)
    return f"<{element.name}{attrs}>{content}</{element.name}>" if content else f"<{element.name}{attrs} />"


def _cdata(text: str) -> str:
    return f"<![CDATA[{text.replace(']]>', ']]]]><![CDATA[>')}]]>"
