"""From one Notion page to the next as the fewest requests: which blocks are patched, appended and deleted, and what goes
into one request. Pure; sending them, and looking before each one, is the provider's business.

The service can neither move a block nor change its type, so both mean a new block and the removal of the old one. That is
done only to a block without children whose content can be written again; any other stays where and what it is. A table keeps
its width for life: rows that fit are edited, a wider table is not expressed.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from mapping.document import Block
from mapping.edits import Insert, Remove, edits
from mapping.notion_blocks import (
    LIST_KINDS,
    LIST_TYPES,
    NativeBlock,
    as_written,
    decode_block,
    encode,
    inline_kept,
    payload_update,
    text_arrays,
    width,
)
from mapping.notion_text import Accounts, Json, can_be_written

MOST_CHILDREN = 100  # in one array
MOST_BLOCKS = 1000  # in one request
MOST_BYTES = 400_000  # of one request; the service takes 500 KB, the rest is slack for escapes
LEVELS_BELOW = 2  # under a child of the request


@dataclass(slots=True)
class Node:
    """A block to be made, with what belongs inside it."""

    body: Json
    children: list["Node"] = field(default_factory=list)

    @property
    def is_table(self) -> bool:
        return bool(self.body["type"] == "table")


@dataclass(frozen=True, slots=True)
class Patch:
    """The block `native`, last seen as `seen`, is updated in place."""

    native: str
    seen: Block
    body: Json


@dataclass(frozen=True, slots=True)
class Append:
    """New blocks under `parent` (the page, a table, a list item) behind the sibling `after`; empty: before all others."""

    parent: str
    after: str
    nodes: list[Node]


@dataclass(frozen=True, slots=True)
class Delete:
    """The block `native`, last seen as `seen`, goes to the trash."""

    native: str
    seen: Block


Step = Patch | Append | Delete


class Layout:
    """What was read of a page, by id."""

    def __init__(self, page_id: str, tree: Sequence[NativeBlock], accounts: Accounts) -> None:
        self.page_id = page_id
        self.nodes: dict[str, NativeBlock] = {}
        self.parents: dict[str, str] = {}
        self.kept = inline_kept(tree, accounts)
        self._accounts = accounts
        self._add(page_id, tree)

    def _add(self, parent: str, children: Sequence[NativeBlock]) -> None:
        for child in children:
            self.nodes[child.id], self.parents[child.id] = child, parent
            self._add(child.id, child.children)

    def chain(self, native: str) -> list[str]:
        """The blocks above, outermost first, and the block itself."""
        found = [native]
        while (above := self.parents[found[0]]) != self.page_id:
            found.insert(0, above)
        return found

    def can_be_made_anew(self, native: str) -> bool:
        """Whether a copy would lose nothing: no children, nothing inside that cannot be written."""
        node = self.nodes[native]
        if node.raw.get("has_children") or decode_block(node, self._accounts).kind in ("kept", "table"):
            return False
        return all(can_be_written(items) for items in text_arrays(node)) and not node.payload.get("caption")

    def can_go(self, native: str, going: frozenset[str]) -> bool:
        """Whether deleting the block takes nothing along that is not ours to remove."""
        node = self.nodes[native]
        if decode_block(node, self._accounts).kind == "kept":
            return False
        if node.type == "table" or not node.raw.get("has_children"):
            return True
        ours = [child.type in LIST_TYPES and child.id in going for child in node.children]
        return bool(ours) and all(ours) and all(self.can_go(child.id, going) for child in node.children)


# --- an existing page -------------------------------------------------------------------------------------------------


def plan(
    page_id: str, tree: Sequence[NativeBlock], before: Sequence[Block], target: Iterable[Block], accounts: Accounts
) -> tuple[Step, ...]:
    """The steps from `before`, decoded from `tree`, to `target`: updates, new blocks, then removals, inner before outer."""
    layout = Layout(page_id, tree, accounts)
    old = as_written(before, accounts)
    new = _settled(layout, _by_native(old), as_written(target, accounts))
    found = edits(old, new)
    moved = {block.native for edit in found if isinstance(edit, Insert) for block in edit.blocks if block.native}
    stuck = {native for native in moved if not layout.can_be_made_anew(native)}
    walk = _Walk(layout, before, old, moved - stuck, stuck, accounts)
    for block in new:
        walk.visit(block)
    going = frozenset(edit.native for edit in found if isinstance(edit, Remove) and edit.native not in stuck)
    seen = _by_native(before)
    gone = [native for native in seen if native in going and layout.can_go(native, going)]
    return (*walk.patches, *walk.appends, *(Delete(native, seen[native]) for native in reversed(gone)))


def _by_native(blocks: Iterable[Block]) -> dict[str, Block]:
    """Blocks and rows by native, in page order."""
    found: dict[str, Block] = {}
    for block in blocks:
        found[block.native] = block
        found |= {row.native: row for row in block.rows}
    return found


def _settled(layout: Layout, old: Mapping[str, Block], target: Sequence[Block]) -> list[Block]:
    """The target as it can be said: a block that would have to change its type, level or parent is new where that loses
    nothing, and keeps its old shape where it does."""
    found: list[Block] = []
    used: set[str] = set()
    above: list[str] = []  # natives of the list items around the next block, empty for new ones
    for block in target:
        was = old.get(block.native) if block.native not in used else None
        if was is None and block.kind == "kept":
            continue  # nobody can make it
        depth = min(block.depth, len(above))
        parent = above[depth - 1] if depth else layout.page_id
        block = _shaped(layout, was, replace(block, depth=depth), parent)
        used.add(block.native)
        found.append(block)
        in_list = block.kind in LIST_KINDS
        above = [] if not in_list else layout.chain(block.native) if block.native else [*above[:depth], ""]
    return found


def _shaped(layout: Layout, was: Block | None, block: Block, parent: str) -> Block:
    if was is None:
        return _new(block)
    if block.kind == was.kind == "table":
        return _table(was, block)
    same = (was.kind, was.level, was.depth) == (block.kind, block.level, block.depth)
    if same and parent == layout.parents[was.native]:
        return block
    if layout.can_be_made_anew(was.native):
        return _new(block)
    return replace(block, level=was.level, depth=was.depth) if was.kind == block.kind else was


def _new(block: Block) -> Block:
    return replace(block, native="", rows=tuple(replace(row, native="") for row in block.rows))


def _table(was: Block, block: Block) -> Block:
    """The table at its old width, each old row at most once; as it was when something does not fit."""
    columns = width(was)
    if width(block) > columns:
        return was
    free = {row.native for row in was.rows}
    rows = []
    for row in block.rows:
        cells = (*row.cells, *((),) * (columns - len(row.cells)))
        rows.append(replace(row, cells=cells, native=row.native if row.native in free else ""))
        free.discard(row.native)
    return replace(block, rows=tuple(rows))


class _Walk:
    """One pass over the target in page order, which finds for every new block its parent and the sibling before it."""

    def __init__(
        self,
        layout: Layout,
        seen: Iterable[Block],
        old: Iterable[Block],
        moving: set[str],
        stuck: set[str],
        accounts: Accounts,
    ) -> None:
        self.patches: list[Patch] = []
        self.appends: list[Append] = []
        self._layout = layout
        self._seen, self._old = _by_native(seen), _by_native(old)
        self._moving, self._stuck = moving, stuck
        self._accounts = accounts
        self._above: list[str | Node] = []
        self._last: dict[str, str] = {}  # the sibling before the next new block, by parent
        self._open: dict[str, Append] = {}  # the append that the next new block joins, by parent

    def visit(self, block: Block) -> None:
        """Take the next block of the page."""
        if block.native and block.native not in self._moving:
            self._stay(block, self._layout.parents[block.native])
            above: list[str | Node] = [*self._layout.chain(block.native)]
        else:
            above = self._above[: block.depth]
            above.append(self._make(block, above[-1] if above else self._layout.page_id))
        self._above = above if block.kind in LIST_KINDS else []

    def _stay(self, block: Block, parent: str) -> None:
        native = block.native
        if native not in self._stuck:
            self._last[parent] = native
            self._open.pop(parent, None)
        was = self._old[native]
        if replace(was, rows=()) != replace(block, rows=()):
            body = payload_update(was, block, self._layout.nodes[native], self._accounts, self._layout.kept)
            self.patches.append(Patch(native, self._seen[native], body))
        for row in block.rows:
            if row.native and row.native not in self._moving:
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
        body = encode(block, self._accounts, self._layout.nodes.get(block.native), self._layout.kept)
        return Node(body, [self._node(row) for row in block.rows])


# --- a new page -------------------------------------------------------------------------------------------------------


def forest(blocks: Iterable[Block], accounts: Accounts) -> list[Node]:
    """The blocks of a page that does not exist yet, nested as they will be. Foreign blocks cannot be made."""
    fresh = [replace(block, native="") for block in as_written(blocks, accounts) if block.kind != "kept"]
    steps = plan("", (), (), fresh, accounts)
    return steps[0].nodes if steps and isinstance(steps[0], Append) else []


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
        body, inside, rest = _embedded(node)
        weight = _size(body)
        full = len(batch.children) == MOST_CHILDREN or blocks + inside > MOST_BLOCKS or size + weight > MOST_BYTES
        if batch.children and full:
            yield batch
            batch, blocks, size = Batch(), 0, 0
        if rest:
            batch.rest[len(batch.children)] = rest
        batch.children.append(body)
        blocks, size = blocks + inside, size + weight
    if batch.children:
        yield batch


def _embedded(node: Node) -> tuple[Json, int, list[Node]]:
    """The body with as much inside as one request may say, how many blocks that is, and what is left."""
    if node.is_table:
        return _embedded_table(node)
    if _fits(node, LEVELS_BELOW):
        body, count = _whole(node), _count(node)
        if count <= MOST_BLOCKS and _size(body) <= MOST_BYTES:
            return body, count, []
    return node.body, 1, node.children


def _embedded_table(node: Node) -> tuple[Json, int, list[Node]]:
    """A table comes with at least its first row."""
    taken, size = 1, _size(node.children[0].body)
    for row in node.children[1:MOST_CHILDREN]:
        size += _size(row.body)
        if size > MOST_BYTES:
            break
        taken += 1
    return _whole(Node(node.body, node.children[:taken])), 1 + taken, node.children[taken:]


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


def _size(body: Json) -> int:
    return len(json.dumps(body, ensure_ascii=False).encode(errors="surrogatepass"))
