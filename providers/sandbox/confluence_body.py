"""What Confluence Cloud does to a page body that is written through the API, and what it reads out of one.

An API write is kept almost verbatim: macros are re-serialised, what has no counterpart in the service's own document
model (comments, `class`, `id`, foreign `data-*`) is dropped, missing ids are minted. Inline comment markers and tasks
live in the body, so finding and editing them is here too. The far heavier rewriting that a person's publish causes is
in `confluence_editor.py`.
"""

import random
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from providers.sandbox.confluence_markup import Element, Node, elements, parse, rewrite, serialise, text_of, walk

MARKER = "ac:inline-comment-marker"
HTML_ATTRIBUTES = frozenset(
    {"style", "href", "title", "alt", "src", "width", "height", "colspan", "rowspan", "start", "datetime"}
    | {"local-id", "ac:local-id", "data-layout", "data-width", "data-card-appearance", "data-table-width"}
    | {"data-table-display-mode", "data-highlight-colour"}
)
MACRO_ATTRIBUTES = ("ac:name", "ac:schema-version", "data-layout", "ac:local-id", "ac:macro-id")
_STRUCTURE = frozenset(
    [
        "ul",
        "ol",
        "table",
        "colgroup",
        "thead",
        "tbody",
        "tr",
        "ac:layout",
        "ac:layout-section",
        "ac:task-list",
        "ac:task",
        "ac:structured-macro",
        "ac:adf-extension",
        "ac:adf-node",
        "ac:image",
    ]
)
_HOLDS_BLOCKS = frozenset(["ac:rich-text-body", "ac:layout-cell", "ac:adf-content", "ac:adf-fallback", "td", "th", "li"])
BLOCKS = frozenset(
    [
        "p",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "ul",
        "ol",
        "table",
        "blockquote",
        "hr",
        "pre",
        "div",
        "ac:task-list",
        "ac:layout",
        "ac:adf-extension",
    ]
)
INLINE_MACROS = frozenset({"status", "anchor", "jira"})
_UNSELECTABLE = frozenset(
    [
        "ac:parameter",
        "ac:plain-text-body",
        "ac:task-id",
        "ac:task-uuid",
        "ac:task-status",
        "ac:adf-attribute",
        "ac:adf-fallback",
        "ac:placeholder",
    ]
)
_BREAKS_TEXT = BLOCKS | {"li", "td", "th", "tr", "ac:task-body", "ac:layout-cell", "ac:rich-text-body"}


@dataclass(frozen=True, slots=True)
class BodyTask:
    """One checkbox of a page. `local_id` is its `ac:task-id`; `body` is storage; `due` a date or None."""

    local_id: str
    done: bool
    body: str
    assignee: str | None
    due: str | None


def new_uuid(rng: random.Random) -> str:
    """A version 4 UUID drawn from the given source."""
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))


def is_block(node: Node) -> bool:
    """Whether a node stands on its own line."""
    if isinstance(node, str):
        return False
    if node.name == "ac:structured-macro":
        return node.attrs.get("ac:name") not in INLINE_MACROS
    return node.name in BLOCKS or (node.name == "ac:image" and "ac:inline" not in node.attrs)


def normalise(source: str, rng: random.Random) -> str:
    """The body as the service stores an API write. Raises MalformedMarkupError."""
    nodes = rewrite(parse(source), lambda element: (_kept(element, rng),))
    return serialise(with_task_ids(_without_indentation(nodes), rng))


def tasks_in(body: str) -> list[BodyTask]:
    """The checkboxes of a stored body, nested ones after their parents."""
    if "<ac:task" not in body:
        return []
    return [_read_task(element) for element in walk(parse(body)) if element.name == "ac:task"]


def with_task(body: str, local_id: str, done: bool) -> str:
    """The body with one checkbox ticked or cleared, all else untouched."""

    def visit(element: Element) -> Iterable[Node]:
        if element.name != "ac:task" or _part(element, "ac:task-id") != local_id:
            return (element,)
        status = Element("ac:task-status", {}, ("complete" if done else "incomplete",))
        return (
            element.with_children(
                status if isinstance(node, Element) and node.name == "ac:task-status" else node for node in element.children
            ),
        )

    return serialise(rewrite(parse(body), visit))


def marker_refs(body: str) -> frozenset[str]:
    """The refs of all inline comment markers of a stored body."""
    return frozenset(element.attrs.get("ac:ref", "") for element in walk(parse(body)) if element.name == MARKER)


def occurrences(body: str, selection: str) -> int:
    """How often a person could select that text: within one block, across marks and links."""
    text = "".join(_selectable(parse(body)))
    return text.count(selection) if selection else 0


def mark(body: str, selection: str, index: int, ref: str) -> str:
    """The body with the index-th occurrence (from 0) marked; a selection over several elements gets several markers."""
    nodes = parse(body)
    start = _find("".join(_selectable(nodes)), selection, index)
    return serialise(_Placer(start, start + len(selection), ref).place(nodes))


def renamed_links(body: str, space_key: str, old: str, new: str, same_space: bool) -> str:
    """The body with links to page `old` of space `space_key` following its new title."""

    def visit(element: Element) -> Iterable[Node]:
        key = element.attrs.get("ri:space-key", space_key if same_space else "")
        if element.name == "ri:page" and element.attrs.get("ri:content-title") == old and key == space_key:
            return (element.with_attrs({**element.attrs, "ri:content-title": new}),)
        return (element,)

    return serialise(rewrite(parse(body), visit)) if "ri:page" in body else body


def merged_draft(base: str, draft: str, published: str) -> str:
    """What is left of a person's draft after an API write: both, or the API's body where the two diverge too far."""
    old, mine, theirs = ([serialise((node,)) for node in parse(text)] for text in (base, draft, published))
    if not len(old) == len(mine) == len(theirs):
        return published
    blocks = []
    for was, drafted, new in zip(old, mine, theirs, strict=True):
        if drafted not in (was, new) and new != was:
            return published
        blocks.append(new if drafted == was else drafted)
    return "".join(blocks)


def _kept(element: Element, rng: random.Random) -> Element:
    if element.name == "ac:structured-macro":
        return rewritten_macro(element, rng, MACRO_ATTRIBUTES)
    foreign = not element.name.startswith(("ac:", "ri:", "at:"))
    attrs = {
        name: value
        for name, value in element.attrs.items()
        if name in HTML_ATTRIBUTES or (":" in name and not foreign) or element.name.startswith("ac:adf-")
    }
    return element.with_attrs({name: value for name, value in attrs.items() if name not in ("class", "id")})


def rewritten_macro(element: Element, rng: random.Random, attributes: tuple[str, ...]) -> Element:
    """A macro as the service writes it: these attributes in this order, an id, its parameters by name before its body."""
    attrs = {"ac:schema-version": "1", **element.attrs}
    if not attrs.get("ac:macro-id"):
        attrs["ac:macro-id"] = new_uuid(rng)
    parameters = [node for node in elements(element.children) if node.name == "ac:parameter"]
    rest = [node for node in element.children if node not in parameters]
    parameters.sort(key=lambda node: node.attrs.get("ac:name", ""))
    kept = {name: attrs[name] for name in attributes if name in attrs}
    return Element(element.name, kept, (*parameters, *rest))


def _without_indentation(nodes: Iterable[Node]) -> tuple[Node, ...]:
    def visit(element: Element) -> Iterable[Node]:
        if element.name in _STRUCTURE:
            return (element.with_children(node for node in element.children if not _blank(node)),)
        if element.name in _HOLDS_BLOCKS and any(map(is_block, element.children)):
            return (element.with_children(_between_blocks(element.children)),)
        return (element,)

    return tuple(_between_blocks(rewrite(nodes, visit)))


def _between_blocks(nodes: Iterable[Node]) -> Iterator[Node]:
    """Drop pretty-printing: a blank run beside a block or an edge. A blank between two inline nodes is a space."""
    sequence = list(nodes)
    for position, node in enumerate(sequence):
        around = sequence[max(position - 1, 0) : position] + sequence[position + 1 : position + 2]
        if not (_blank(node) and (len(around) < 2 or any(map(is_block, around)))):
            yield node


def _blank(node: Node) -> bool:
    return isinstance(node, str) and not node.strip(" \t\r\n")


def with_task_ids(nodes: Iterable[Node], rng: random.Random) -> tuple[Node, ...]:
    """Nodes whose tasks all have an id and a state, numbered on from the largest there is."""
    nodes = tuple(nodes)
    used = [_part(element, "ac:task-id") for element in walk(nodes) if element.name == "ac:task"]
    last = max((int(number) for number in used if number.isascii() and number.isdigit() and len(number) < 10), default=0)

    def visit(element: Element) -> Iterable[Node]:
        nonlocal last
        if element.name != "ac:task":
            return (element,)
        local_id = _part(element, "ac:task-id")
        if not local_id:
            last += 1
            local_id = str(last)
        return (_task(element, local_id, rng),)

    return rewrite(nodes, visit)


def _task(element: Element, local_id: str, rng: random.Random) -> Element:
    head = {
        "ac:task-id": local_id,
        "ac:task-uuid": _part(element, "ac:task-uuid") or new_uuid(rng),
        "ac:task-status": "complete" if _part(element, "ac:task-status") == "complete" else "incomplete",
    }
    rest = [node for node in elements(element.children) if node.name not in head]
    return element.with_children([*(Element(name, {}, (text,)) for name, text in head.items()), *rest])


def _part(task: Element, name: str) -> str:
    found = task.child(name)
    return text_of(found.children).strip() if found else ""


def _read_task(task: Element) -> BodyTask:
    body = task.child("ac:task-body")
    content = body.children if body else ()
    inside = list(walk(content))
    people = (node.attrs for node in inside if node.name == "ri:user")
    assignees = (attrs.get("ri:account-id") or attrs.get("ri:userkey") for attrs in people)
    dates = (node.attrs.get("datetime") for node in inside if node.name == "time")
    return BodyTask(
        local_id=_part(task, "ac:task-id"),
        done=_part(task, "ac:task-status") == "complete",
        body=serialise(content),
        assignee=next(assignees, None),
        due=next((day for day in dates if day and _is_date(day)), None),
    )


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _selectable(nodes: Iterable[Node]) -> Iterator[str]:
    """The page's text as a person can select it; a line end stands where a block ends."""
    for node in nodes:
        if isinstance(node, str):
            yield node
        elif node.name not in _UNSELECTABLE:
            yield from _selectable(node.children)
            if node.name in _BREAKS_TEXT:
                yield "\n"


def _find(text: str, selection: str, index: int) -> int:
    position = text.find(selection)
    for _ in range(index):
        position = text.find(selection, position + len(selection))
    return position


class _Placer:
    """Wraps the text between two offsets of `_selectable` in markers of one ref."""

    def __init__(self, start: int, end: int, ref: str) -> None:
        self._start, self._end, self._ref = start, end, ref
        self._at = 0

    def place(self, nodes: Iterable[Node]) -> tuple[Node, ...]:
        return tuple(placed for node in nodes for placed in self._placed(node))

    def _placed(self, node: Node) -> tuple[Node, ...]:
        if isinstance(node, str):
            return self._in_text(node)
        if node.name in _UNSELECTABLE:
            return (node,)
        if node.name == "ac:link":
            return self._around(node)
        placed = node.with_children(self.place(node.children))
        self._at += 1 if node.name in _BREAKS_TEXT else 0
        return (placed,)

    def _in_text(self, text: str) -> tuple[Node, ...]:
        first, last = self._start - self._at, self._end - self._at
        self._at += len(text)
        if last <= 0 or first >= len(text):
            return (text,)
        first, last = max(first, 0), min(last, len(text))
        parts: tuple[Node, ...] = (text[:first], self._marker((text[first:last],)), text[last:])
        return tuple(part for part in parts if part)

    def _around(self, link: Element) -> tuple[Node, ...]:
        begins = self._at
        self._at += len("".join(_selectable((link,))))
        touched = begins < self._end and self._at > self._start
        return (self._marker((link,)),) if touched else (link,)

    def _marker(self, content: tuple[Node, ...]) -> Element:
        return Element(MARKER, {"ac:ref": self._ref}, content)
