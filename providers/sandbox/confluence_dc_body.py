"""What Confluence Data Center does to a page body: kept as the API brings it, written anew by its rich text editor.

There is no document model behind it as in Cloud, so macros keep their ids and elements their attributes, also through a
person's publish. That adds the old editor's own noise instead: paragraphs to put the cursor in, columns, classes.
"""

import random
from collections.abc import Iterable, Iterator
from itertools import groupby

from providers.sandbox.confluence_body import is_block, new_uuid, rewritten_macro, with_task_ids
from providers.sandbox.confluence_editor import style_in_rgb
from providers.sandbox.confluence_markup import Element, Node, elements, parse, rewrite, serialise

_EDITED_ORDER = ("ac:name", "ac:macro-id", "ac:schema-version")
_CURSOR = Element("p", {"class": "auto-cursor-target"}, (Element("br", {}),))
_PLACEHOLDER = {"class": "placeholder-inline-tasks"}
_HOLDS_BLOCKS = frozenset(["ac:rich-text-body", "ac:layout-cell"])


def stored(source: str, rng: random.Random) -> str:
    """The body as an API write leaves it. Raises MalformedMarkupError."""
    return serialise(with_task_ids(rewrite(parse(source), lambda element: (_identified(element, rng),)), rng))


def published(source: str, rng: random.Random) -> str:
    """The body as a person's publish leaves it. Raises MalformedMarkupError."""
    nodes = with_task_ids(parse(source), rng)
    nodes = rewrite(_paragraphs(nodes), lambda element: (_edited(element, rng),))
    return serialise(_with_cursor_places(nodes))


def _identified(element: Element, rng: random.Random) -> Element:
    """A macro has an id, all else stays as it was sent."""
    if element.name != "ac:structured-macro" or element.attrs.get("ac:macro-id"):
        return element
    version = element.attrs.get("ac:schema-version", "1")
    return element.with_attrs({**element.attrs, "ac:schema-version": version, "ac:macro-id": new_uuid(rng)})


def _macro(element: Element, rng: random.Random) -> Element:
    if element.name != "ac:structured-macro":
        return element
    others = [name for name in element.attrs if name not in _EDITED_ORDER]
    return rewritten_macro(element, rng, (*_EDITED_ORDER, *others))


def _paragraphs(nodes: Iterable[Node]) -> Iterator[Node]:
    """Loose text of the page is a paragraph; blank text between blocks goes."""
    for block, group in groupby(nodes, key=is_block):
        run = tuple(group)
        if block:
            yield from run
        elif any(not isinstance(node, str) or node.strip() for node in run):
            yield Element("p", {}, run)


def _edited(element: Element, rng: random.Random) -> Element:
    if "style" in element.attrs:
        element = element.with_attrs({**element.attrs, "style": style_in_rgb(element.attrs["style"])})
    if element.name == "table":
        return _with_columns(element)
    if element.name == "p":
        return _breathing(element)
    if element.name == "ac:task-body":
        return _with_placeholder(element)
    if element.name in _HOLDS_BLOCKS:
        return element.with_children(_with_cursor_places(element.children))
    return _macro(element, rng)


def _with_columns(table: Element) -> Element:
    """A table says how many columns it has, and that its text wraps."""
    attrs = {"class": "wrapped", **table.attrs}
    bodies = [node for node in elements(table.children) if node.name in ("tbody", "thead")]
    rows = [row for body in bodies for row in elements(body.children) if row.name == "tr"]
    if table.child("colgroup") or not rows:
        return table.with_attrs(attrs)
    columns = max(sum(1 for _ in elements(row.children)) for row in rows)
    group = Element("colgroup", {}, tuple(Element("col", {}) for _ in range(columns)))
    return Element("table", attrs, (group, *table.children))


def _breathing(paragraph: Element) -> Element:
    """An empty paragraph, or one of blanks, holds a line break."""
    empty = all(isinstance(node, str) and not node.strip(" \t\r\n\u00a0") for node in paragraph.children)
    return paragraph.with_children((Element("br", {}),)) if empty else paragraph


def _with_placeholder(body: Element) -> Element:
    """The words of a task stand in a span that shows a hint while there are none."""
    inside = tuple(elements(body.children))
    if len(inside) == len(body.children) == 1 and inside[0].attrs == _PLACEHOLDER:
        return body
    lists = [node for node in inside if node.name == "ac:task-list"]
    words = tuple(node for node in body.children if node not in lists)
    return body.with_children((Element("span", dict(_PLACEHOLDER), words), *lists))


def _with_cursor_places(nodes: Iterable[Node]) -> tuple[Node, ...]:
    """A paragraph to put the cursor in, before and behind every block macro that has none beside it."""
    sequence, placed = list(nodes), list[Node]()
    for at, node in enumerate(sequence):
        if _is_block_macro(node) and not (placed and _is_paragraph(placed[-1])):
            placed.append(_CURSOR)
        placed.append(node)
        if _is_block_macro(node) and not (at + 1 < len(sequence) and _is_paragraph(sequence[at + 1])):
            placed.append(_CURSOR)
    return tuple(placed)


def _is_block_macro(node: Node) -> bool:
    return isinstance(node, Element) and node.name == "ac:structured-macro" and is_block(node)


def _is_paragraph(node: Node) -> bool:
    return isinstance(node, Element) and node.name == "p"
