"""How a storage body looks, beside what it says: colours, alignment, widths, layouts, titles of panels and expands.

A person's draft may differ from the page in nothing else, and is their work all the same. What an editor writes by itself
when somebody merely opens it is not in here: ids, the order of attributes, default widths, empty paragraphs.
"""

import re
from collections.abc import Iterator

from mapping.confluence_native import MACRO
from mapping.confluence_tree import Element, tree

_LOOKS = frozenset(
    {
        *(
            "style",
            "start",
            "data-highlight-colour",
            "data-layout",
            "data-table-width",
            "data-width",
            "data-card-appearance",
        ),
        *("ac:align", "ac:border", "ac:custom-width", "ac:height", "ac:layout", "ac:title", "ac:width"),
        *("ac:type", "ac:breakout-mode", "ac:breakout-width"),
    }
)
_BY_ITSELF = {
    *(("start", "1"), ("data-layout", "default"), ("data-table-width", "760"), ("colour", "Grey")),
    *(("ac:align", "center"), ("ac:layout", "center")),
}
_TAGS = frozenset({"h1", "sub", "sup"})  # looks by themselves
_HEX = re.compile(r"#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})\b")


def same_looks(left: str, right: str) -> bool:
    """Whether two bodies that say the same also look the same. Raises StorageError."""
    return list(_looks(tree(left))) == list(_looks(tree(right)))


def _looks(element: Element) -> Iterator[object]:
    """The elements that look like something of their own, with the words that do."""
    for child in element.elements():
        shown = {(name, _written(value)) for name, value in child.attrs.items() if name in _LOOKS} - _BY_ITSELF
        if child.name == MACRO:
            yield child.attrs.get("ac:name"), sorted(shown | (set(_parameters(child)) - _BY_ITSELF))
        elif (shown and child.name != "div") or child.name in _TAGS:  # Cloud's editor knows no divisions
            yield child.name, sorted(shown), "".join(child.text.split())
        if child.name != "ac:adf-fallback":
            yield from _looks(child)


def _parameters(macro: Element) -> Iterator[tuple[str, str]]:
    for part in macro.elements():
        if part.name == "ac:parameter":
            yield part.attrs.get("ac:name", ""), part.text.strip()


def _written(value: str) -> str:
    """An attribute as editors write it: colours as rgb(…), without blanks."""
    rgb = _HEX.sub(lambda found: "rgb({},{},{})".format(*(int(part, 16) for part in found.groups())), value.lower())
    return re.sub(r"\s+", "", rgb).rstrip(";")
