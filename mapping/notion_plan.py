"""From one Notion page to the next as the fewest requests: which blocks are patched, appended and deleted, and what goes
into one request. Pure; sending them, and looking before each one, is the provider's business.

What stays and what is made anew was decided in `notion_fit.py`. Copies are made before their originals are deleted, so that
nothing is ever only on its way.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from mapping.document import Block
from mapping.notion_blocks import LIST_KINDS, NativeBlock, as_written, encode, payload_update
from mapping.notion_copy import Node, copied_body, copy
from mapping.notion_fit import Fit, Known, Layout, by_native
from mapping.notion_text import Accounts, Json

MOST_CHILDREN = 100  # in one array
MOST_BLOCKS = 1000  # in one request
MOST_BYTES = 400_000  # of one request; the service takes 500 KB, the rest is slack for escapes
UNKNOWN = MOST_BYTES + 1  # how large a body is that nobody looked through
LEVELS_BELOW = 2  # under a child of the request
_JSON = json.JSONEncoder(ensure_ascii=False, check_circular=False)


@dataclass(frozen=True, slots=True)
class Patch:
    """The block `native`, last seen as `seen`, is updated in place and then reads `after`."""

    native: str
    seen: NativeBlock
    body: Json
    after: Block


@dataclass(frozen=True, slots=True)
class Append:
    """New blocks under `parent` (the page, a table, a list item) behind the sibling `after`; empty: before all others."""

    parent: str
    after: str
    nodes: list[Node]


@dataclass(frozen=True, slots=True)
class Delete:
    """The block `native`, last seen as `seen` with all inside, goes to the trash."""

    native: str
    seen: NativeBlock


Step = Patch | Append | Delete


# --- an existing page -------------------------------------------------------------------------------------------------


def steps(layout: Layout, fitted: Fit, known: Known) -> tuple[Step, ...]:
    """The steps to what was fitted: updates, new blocks, then removals, inner before outer."""
    walk = _Walk(layout, fitted, known)
    for block in fitted.blocks:
        walk.visit(block)
    gone = [native for native in by_native(fitted.before) if native not in fitted.staying]
    roots = [native for native in gone if layout.parents[native] not in gone]
    return (*walk.patches, *walk.appends, *(Delete(n, layout.whole(n, known)) for n in reversed(roots)))


def untouched(layout: Layout, taken: Iterable[Step]) -> dict[str, NativeBlock]:
    """The blocks in which, all the way down, no step changed, made or removed anything."""
    parents = [step.parent if isinstance(step, Append) else layout.parents[step.native] for step in taken]
    touched = {above for parent in parents if parent in layout.nodes for above in layout.chain(parent)}
    return {native: node for native, node in layout.nodes.items() if native not in touched}


class _Walk:
    """One pass over the target in page order, which finds for every new block its parent and the sibling before it."""

    def __init__(self, layout: Layout, fitted: Fit, known: Known) -> None:
        self.patches: list[Patch] = []
        self.appends: list[Append] = []
        self._layout, self._known = layout, known
        self._staying, self._old = fitted.staying, by_native(fitted.before)
        self._above: list[str | Node] = []
        self._last: dict[str, str] = {}  # the sibling before the next new block, by parent
        self._open: dict[str, Append] = {}  # the append that the next new block joins, by parent

    def visit(self, block: Block) -> None:
        """Take the next block of the page."""
        if block.native in self._staying:
            self._stay(block, self._layout.parents[block.native])
            above: list[str | Node] = [*self._layout.chain(block.native)]
        else:
            above = self._above[: block.depth]
            above.append(self._make(block, above[-1] if above else self._layout.page_id))
        self._above = above if block.kind in LIST_KINDS else []

    def _stay(self, block: Block, parent: str) -> None:
        native = block.native
        self._last[parent] = native
        self._open.pop(parent, None)
        was, node, accounts = self._old[native], self._layout.nodes[native], self._layout.accounts
        if replace(was, rows=()) != replace(block, rows=()):
            body = payload_update(was, block, node, accounts, self._layout.kept)
            self.patches.append(Patch(native, node, body, replace(block, depth=0, rows=())))
        for row in block.rows:
            if row.native in self._staying:
                self._stay(row, native)
            else:
                self._make(row, native)

    def _make(self, block: Block, parent: str | Node) -> Node:
        node = self._node(block)
        if isinstance(parent, Node):
            parent.children.append(node)
            return node
        if parent not in self._open:
            self._open[parent] = Append(parent, self._last.get(parent, ""), [])
            self.appends.append(self._open[parent])
        self._open[parent].nodes.append(node)
        return node

    def _node(self, block: Block) -> Node:
        """A new block; one that is made anew takes along what a Doc does not tell of it."""
        was = self._layout.nodes.get(block.native)
        if was and block.kind == "kept":
            return copy(self._layout.whole(block.native, self._known))
        body = encode(block, self._layout.accounts, was, self._layout.kept)
        name = body["type"]
        if was and was.type == name:
            body = {"type": name, name: {**copied_body(was)[name], **body[name]}}
        return Node(body, self._notes(block.native) + [self._node(row) for row in block.rows])

    def _notes(self, native: str) -> list[Node]:
        """Copies of what is inside and no Doc tells of."""
        found = self._known.get(native)
        return [copy(child) for child in found.children] if isinstance(found, NativeBlock) else []


# --- a new page -------------------------------------------------------------------------------------------------------


def forest(blocks: Iterable[Block], accounts: Accounts) -> list[Node]:
    """The blocks of a page that does not exist yet, nested as they will be. Foreign blocks cannot be made."""
    fresh = tuple(_unbound(block) for block in as_written(blocks, accounts) if block.kind != "kept")
    walk = _Walk(Layout("", (), accounts), Fit((), fresh, frozenset()), {})
    for block in fresh:
        walk.visit(block)
    return walk.appends[0].nodes if walk.appends else []


def _unbound(block: Block) -> Block:
    return replace(block, native="") if block.native else block


# --- requests ---------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Batch:
    """One request's children, and by index the blocks that have to follow inside one of them."""

    children: list[Json] = field(default_factory=list)
    rest: dict[int, list[Node]] = field(default_factory=dict)


def batches(nodes: Iterable[Node]) -> Iterator[Batch]:
    """The nodes in as few requests as the limits allow."""
    batch, blocks, size = Batch(), 0, 0
    for node in nodes:
        body, inside, rest, weight = _embedded(node)
        full = len(batch.children) == MOST_CHILDREN or blocks + inside > MOST_BLOCKS
        if not full and size + weight > MOST_BYTES:
            size, weight = sum(map(_size, batch.children)), _size(body)
            full = size + weight > MOST_BYTES
        if batch.children and full:
            yield batch
            batch, blocks, size = Batch(), 0, 0
        if rest:
            batch.rest[len(batch.children)] = rest
        batch.children.append(body)
        blocks, size = blocks + inside, size + weight
    if batch.children:
        yield batch


def _embedded(node: Node) -> tuple[Json, int, list[Node], int]:
    """The body with as much inside as one request may say, how many blocks that is, what is left, and the bytes."""
    if node.is_table:
        return _embedded_table(node)
    if not node.children:
        return node.body, 1, [], _weight(node, node.body)
    if _fits(node, LEVELS_BELOW):
        body, count = _whole(node), _count(node)
        size = _weight(node, body)
        if count <= MOST_BLOCKS and size <= MOST_BYTES:
            return body, count, [], size
    return node.body, 1, node.children, _size(node.body)


def _embedded_table(node: Node) -> tuple[Json, int, list[Node], int]:
    """A table comes with at least its first row."""
    taken = min(len(node.children), MOST_CHILDREN)
    while True:
        part = Node(node.body, node.children[:taken])
        body = _whole(part)
        size = _weight(part, body)
        if size <= MOST_BYTES or taken == 1:
            return body, 1 + taken, node.children[taken:], size
        taken //= 2


def _fits(node: Node, room: int) -> bool:
    if node.children and (room == 0 or len(node.children) > MOST_CHILDREN):
        return False
    return all(_fits(child, room - 1) for child in node.children)


def _whole(node: Node) -> Json:
    if not node.children:
        return node.body
    name = node.body["type"]
    return {"type": name, name: {**node.body[name], "children": [_whole(child) for child in node.children]}}


def _count(node: Node) -> int:
    return 1 + sum(_count(child) for child in node.children)


def _weight(node: Node, body: Json) -> int:
    """The bytes of a body, or more where it fits into a request anyway."""
    most = _at_most(node)
    return most if most <= MOST_BYTES else _size(body)


def _at_most(node: Node) -> int:
    payload = node.body[node.body["type"]]
    arrays = payload.get("cells") or (payload.get("rich_text", ()),)
    if "caption" in payload or not ("rich_text" in payload or "cells" in payload or node.is_table):
        return UNKNOWN
    most = 200
    for items in arrays:
        for item in items:
            text = item.get("text")
            if text is None:
                return UNKNOWN
            link = text.get("link")
            most += 250 + 6 * (len(text["content"]) + (len(link.get("url") or "") if link else 0))
    return most + sum([_at_most(child) for child in node.children])


def _size(body: Json) -> int:
    return len(_JSON.encode(body).encode(errors="surrogatepass"))
