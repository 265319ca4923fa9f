"""Native things that a Doc cannot say: what people call them, which keys they show, and when two of them are the same."""

import hashlib
import re
from collections.abc import Iterator

from mapping.confluence_comments import MARKER
from mapping.confluence_render import blanks_collapsed
from mapping.confluence_tree import Element, Node, Text

MACRO = "ac:structured-macro"
_LABELS = {
    "jira": "Jira issues",
    "toc": "Table of contents",
    "children": "Child pages",
    "details": "Page properties",
    "detailssummary": "Page properties report",
    "info": "Info panel",
    "note": "Note panel",
    "tip": "Tip panel",
    "warning": "Warning panel",
    "excerpt-include": "Included excerpt",
    "include": "Included page",
    "contentbylabel": "Content by label",
    "view-file": "File",
    "drawio": "draw.io diagram",
}
_NAMES = {
    "table": "Table",
    "ul": "List",
    "ol": "List",
    "ac:task-list": "Task list",
    "blockquote": "Quote",
    "pre": "Preformatted text",
    "hr": "Divider",
    "a": "Link",
}
_VOLATILE = frozenset({"start", "style", "ac:schema-version", "ac:original-height", "ac:original-width"})
_VOLATILE_ENDS = ("local-id", "macro-id", "version-at-save")
_UNSAID = frozenset({"ac:adf-fallback", "colgroup", "ac:task-uuid", "ac:task-id"})
_KEY = re.compile(r"\b[A-Za-z]+-[0-9]+\b")
_SHELL = frozenset({"p", "tbody", "thead", MARKER})


def label(node: Element) -> str:
    """What people call a native thing."""
    if node.name == MACRO:
        return _macro_label(node)
    if node.name == "ac:image":
        return f"Image {_target(node)}".strip()
    if node.name == "ac:link":
        return " ".join(node.text.split()) or _target(node) or "Link"
    if node.name == "ac:emoticon":
        return node.attrs.get("ac:emoji-fallback") or f":{node.attrs.get('ac:name', 'emoji')}:"
    if node.name == "ac:adf-extension":
        inner = node.child("ac:adf-node")
        return inner.attrs.get("type", "extension").replace("-", " ").capitalize() if inner else "Extension"
    return _NAMES.get(node.name) or " ".join(node.text.split()) or node.name.rpartition(":")[2].capitalize()


def _macro_label(node: Element) -> str:
    name = node.attrs.get("ac:name", "")
    key = node.parameter("key") if name == "jira" else None
    if key:
        return f"Jira issue {key.text.strip()}"
    return _LABELS.get(name) or name.replace("-", " ").replace("_", " ").strip().capitalize() or "Macro"


def _target(node: Element) -> str:
    """The file, page or address that an image or a link names."""
    for child in node.elements():
        for name in ("ri:filename", "ri:content-title", "ri:value"):
            if child.attrs.get(name):
                return child.attrs[name].rstrip("/").rpartition("/")[2] if name == "ri:value" else child.attrs[name]
    return ""


def keys_in(node: Element) -> Iterator[str]:
    """The words within a kept thing that look like the key of a record."""
    for child in node.children:
        if isinstance(child, Text):
            yield from _KEY.findall(child.text)
        elif child.name not in _UNSAID and child.name != "ac:parameter":
            yield from keys_in(child)


def digest(node: Element) -> str:
    """A short name that two things have in common when they say the same."""
    return "k" + hashlib.sha256(_canonical(node).encode()).hexdigest()[:8]


def _canonical(node: Node) -> str:
    """Native content without what the service rewrites by itself: ids, order of attributes and parameters, shells."""
    if isinstance(node, Text):
        return " ".join(blanks_collapsed(node.text).split())
    if node.name in _UNSAID:
        return ""
    inner = [_canonical(child) for child in node.children]
    if node.name == MACRO:
        inner.sort()
    if node.name in _SHELL:
        return "".join(inner)
    said = sorted(
        (name, value)
        for name, value in node.attrs.items()
        if name not in _VOLATILE and not name.endswith(_VOLATILE_ENDS) and not name.startswith("data-")
    )
    return f"<{node.name} {said}>{''.join(inner)}</>"
