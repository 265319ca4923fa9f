"""What a person's publish in the new editor does to a whole page body.

The editor keeps pages in its own document model; storage is generated from it anew at every publish. So native macros
get fresh ids and every attribute is written again, while extension macros, tables and their kind keep the ids they
have. `regenerate` models exactly that and knows nothing of versions or drafts.
"""

import random
import re
from collections.abc import Iterable, Iterator

from providers.sandbox.confluence_body import HTML_ATTRIBUTES, MACRO_ATTRIBUTES, is_block, new_uuid, normalise
from providers.sandbox.confluence_markup import Element, Node, elements, parse, rewrite, serialise, walk

NATIVE_MACROS = frozenset(["info", "note", "warning", "tip", "code", "expand", "panel", "status"])
_BLOCK_IDS = frozenset(["p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "blockquote"])
_TABLE_IDS = frozenset(["table", "tr", "th", "td", "ac:layout-section", "ac:layout-cell"])
_WRAPS_TEXT = frozenset(["li", "td", "th", "ac:rich-text-body", "ac:layout-cell", "blockquote"])
_RENAMED = {
    "b": "strong",
    "i": "em",
    "del": "s",
    "strike": "s",
    "ins": "u",
    "ac:plain-text-link-body": "ac:link-body",
}
_DISSOLVED = frozenset({"thead", "tfoot", "div", "font", "section"})
_VERBATIM = frozenset(["ac:plain-text-body", "ac:parameter", "ac:adf-attribute"])
_HEX = re.compile(r"((?:background-)?color:\s*)#([0-9a-fA-F]{6})\b")
_SPACES = re.compile(r"[ \t\r\n]+")
_LAST_ATTRIBUTES = ("local-id", "ac:local-id", "ac:macro-id")


def regenerate(body: str, rng: random.Random, target_version: int = 1) -> str:
    """The body as the editor publishes it; links to pages note `target_version`. Raises MalformedMarkupError."""
    nodes = rewrite(parse(normalise(body, rng)), _plain)
    nodes = rewrite(in_paragraphs(nodes), lambda element: (_rebuilt(element, rng, target_version),))
    nodes = single_spaced(nodes)
    if nodes and isinstance(nodes[-1], Element) and nodes[-1].name in ("ac:structured-macro", "table"):
        nodes = (*nodes, Element("p", {"local-id": _short_id(rng)}))
    return serialise(nodes)


def converted(body: str, rng: random.Random) -> str:
    """The body as the conversion from the legacy editor leaves it: macros with a body inside such macros are only their
    content."""
    return regenerate(serialise(rewrite(parse(body), _with_flat_body)), rng)


def _with_flat_body(element: Element) -> Iterable[Node]:
    if element.name != "ac:rich-text-body":
        return (element,)
    return (element.with_children(rewrite(element.children, _dissolved)),)


def _dissolved(element: Element) -> Iterable[Node]:
    inside = element.child("ac:rich-text-body") if element.name == "ac:structured-macro" else None
    return (element,) if inside is None else inside.children


def with_new_macro_ids(body: str, rng: random.Random) -> str:
    """The body as a draft row holds it: the same, save for the ids of native macros."""
    return serialise(rewrite(parse(body), lambda element: (_renumbered(element, rng),)))


def _plain(element: Element) -> Iterable[Node]:
    """Take away what the document model does not know."""
    if element.name in _DISSOLVED or (element.name == "span" and "style" not in element.attrs):
        return element.children
    name = _RENAMED.get(element.name, element.name)
    renamed = Element(name, element.attrs, element.children)
    if name == "table":
        return (_with_body(renamed),)
    if name == "tbody" and any(node.name == "tbody" for node in elements(element.children)):
        return element.children
    return (renamed,)


def _with_body(table: Element) -> Element:
    """All rows in one tbody, whatever held them."""
    groups = [node for node in elements(table.children) if node.name == "colgroup"]
    rows: list[Node] = []
    for node in elements(table.children):
        rows.extend(node.children if node.name == "tbody" else (node,) if node.name == "tr" else ())
    return table.with_children([*groups, Element("tbody", {}, tuple(rows))])


def in_paragraphs(nodes: Iterable[Node]) -> tuple[Node, ...]:
    """Every run of loose text in a paragraph, on the page and inside what holds blocks."""

    def visit(element: Element) -> Iterable[Node]:
        if element.name not in _WRAPS_TEXT:
            return (element,)
        content = tuple(_paragraphs(element.children))
        return (element.with_children(content or (Element("p", {}),)),)

    return tuple(_paragraphs(rewrite(nodes, visit)))


def _paragraphs(nodes: Iterable[Node]) -> Iterator[Node]:
    loose: list[Node] = []
    for node in nodes:
        if is_block(node):
            yield from _paragraph(loose)
            loose = []
            yield node
        else:
            loose.append(node)
    yield from _paragraph(loose)


def _paragraph(loose: list[Node]) -> Iterator[Node]:
    if any(not isinstance(node, str) or node.strip(" \t\r\n") for node in loose):
        yield Element("p", {}, tuple(loose))


def _rebuilt(element: Element, rng: random.Random, target_version: int) -> Element:
    attrs = dict(element.attrs)
    if element.name in _BLOCK_IDS:
        attrs.setdefault("local-id", _short_id(rng))
    if element.name in _TABLE_IDS:
        attrs.setdefault("ac:local-id", new_uuid(rng))
    if element.name == "table":
        attrs = {"data-table-width": "760", "data-layout": "default", **attrs}
    elif element.name == "ol":
        attrs.setdefault("start", "1")
    elif element.name in ("ri:page", "ri:attachment"):
        attrs["ri:version-at-save"] = str(target_version)
    if "style" in attrs:
        attrs["style"] = style_in_rgb(attrs["style"])
    return _special(element.with_attrs(_ordered(attrs)), rng)


def _special(element: Element, rng: random.Random) -> Element:
    if element.name == "ac:structured-macro":
        return _macro(element, rng)
    if element.name == "ac:adf-extension":
        return _with_fallback(element)
    return element


def _macro(macro: Element, rng: random.Random) -> Element:
    if macro.attrs.get("ac:name") in NATIVE_MACROS:
        return _renumbered(macro.with_children(_without_defaults(macro)), rng)
    given = {"data-layout": "default", "ac:local-id": new_uuid(rng), **macro.attrs}
    return macro.with_attrs({name: given[name] for name in MACRO_ATTRIBUTES if name in given})


def _renumbered(element: Element, rng: random.Random) -> Element:
    if element.name != "ac:structured-macro" or element.attrs.get("ac:name") not in NATIVE_MACROS:
        return element
    return element.with_attrs({**element.attrs, "ac:macro-id": new_uuid(rng)})


def _without_defaults(macro: Element) -> Iterator[Node]:
    """A grey status is a status without a colour."""
    for node in elements(macro.children):
        colour = node.attrs.get("ac:name") == "colour" and macro.attrs.get("ac:name") == "status"
        if not (colour and node.children == ("Grey",)):
            yield node


def _with_fallback(extension: Element) -> Element:
    """The HTML copy beside an extension is made again from its content; only the editor does that."""
    content = [node.children for node in walk(extension.children) if node.name == "ac:adf-content"]
    if not content:
        return extension
    panel = Element("div", {}, content[0])
    return extension.with_children(
        node.with_children((panel,)) if isinstance(node, Element) and node.name == "ac:adf-fallback" else node
        for node in extension.children
    )


def _ordered(attrs: dict[str, str]) -> dict[str, str]:
    """The service's own order: what describes first, ids last; nothing the model does not know."""
    first = {name: value for name, value in attrs.items() if name not in _LAST_ATTRIBUTES and _known(name)}
    return {**first, **{name: attrs[name] for name in _LAST_ATTRIBUTES if name in attrs}}


def _known(name: str) -> bool:
    return ":" in name or name in HTML_ATTRIBUTES or name in ("key", "size", "color", "type", "state")


def style_in_rgb(style: str) -> str:
    """A style whose colours are written as rgb(…)."""

    def rgb(found: re.Match[str]) -> str:
        red, green, blue = (int(found[2][at : at + 2], 16) for at in (0, 2, 4))
        return f"{found[1]}rgb({red},{green},{blue})"

    return "; ".join(part.strip() for part in _HEX.sub(rgb, style).split(";") if part.strip()) + ";"


def single_spaced(nodes: Iterable[Node]) -> tuple[Node, ...]:
    """Line ends and runs of blanks are one space to the editor, except in code and parameters."""
    return tuple(
        _SPACES.sub(" ", node)
        if isinstance(node, str)
        else node
        if node.name in _VERBATIM
        else node.with_children(single_spaced(node.children))
        for node in nodes
    )


def _short_id(rng: random.Random) -> str:
    return f"{rng.getrandbits(48):012x}"
