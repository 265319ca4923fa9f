"""What of a wanted page can be said on a Notion page that is there, and how: which blocks stay, which are made anew, and
what must be left as it is, with a sentence for each. Pure; the requests that follow from it are `notion_plan.py`.

Nothing is made anew that can stay: of the blocks that keep their type and parent, the heaviest run in order stays (longest
increasing subsequence, weighted by what lies inside, so that leaves move before their containers). A block that must not be
made anew (people commented on it, or a copy would lose something) keeps its place and its type, and the others go around it.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from mapping.align import alike, increasing
from mapping.document import Block
from mapping.notion_blocks import LIST_KINDS, LIST_TYPES, NativeBlock, as_written, inline_kept, width
from mapping.notion_copy import loses
from mapping.notion_text import Accounts, can_be_rewritten

Known = Mapping[str, NativeBlock | str]
"""By native of a block that would be made anew: the block with all inside that a Doc does not tell, or why it must stay."""

_WORDED = frozenset({"paragraph", "heading", "quote", "panel"}) | LIST_KINDS  # their words fit each other's types
_PROSE = _WORDED - {"task"}
_HOLDING = frozenset({"paragraph", "quote", "panel", "table"}) | LIST_KINDS
_NOUNS = {"bullet": "list item", "number": "numbered item", "task": "to-do", "panel": "call-out"}


class Layout:
    """What was read of a page, by id."""

    def __init__(self, page_id: str, tree: Sequence[NativeBlock], accounts: Accounts) -> None:
        self.page_id, self.accounts = page_id, accounts
        self.nodes: dict[str, NativeBlock] = {}
        self.parents: dict[str, str] = {}
        self.kept = inline_kept(tree, accounts)
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

    def hidden(self, native: str) -> tuple[NativeBlock, ...]:
        """The children that a Doc does not tell of, as far as they were read."""
        node = self.nodes[native]
        return () if node.type == "table" else tuple(child for child in node.children if not _told(node, child))

    def box(self, native: str) -> str:
        """What people put the block into that is no list, a toggle for one; empty where it stands on the page itself."""
        above = self.parents[native]
        return "" if above == self.page_id or self.nodes[above].type in {*LIST_TYPES, "table"} else above

    def whole(self, native: str, known: Known) -> NativeBlock:
        """The block with all that is known to be inside."""
        node, more = self.nodes[native], known.get(native)
        full = {child.id: child for child in more.children} if isinstance(more, NativeBlock) else {}
        children = node.children or tuple(full.values())
        return NativeBlock(node.raw, tuple(full.get(child.id) or self._below(child, known) for child in children))

    def _below(self, node: NativeBlock, known: Known) -> NativeBlock:
        return self.whole(node.id, known) if node.id in self.nodes else node


def _told(node: NativeBlock, child: NativeBlock) -> bool:
    return node.type in LIST_TYPES and child.type in LIST_TYPES


@dataclass(frozen=True, slots=True)
class Fit:
    """The page as it can become. `staying`: natives of the blocks and rows that are not made anew; `before`: the page as it
    is, as it would be written; `holds`: a sentence for each thing that was wanted and cannot be."""

    before: tuple[Block, ...]
    blocks: tuple[Block, ...]
    staying: frozenset[str]
    holds: tuple[str, ...] = ()

    @property
    def remade(self) -> frozenset[str]:
        """Natives of what is made anew: moved, or of another type."""
        return frozenset(native for native in by_native(self.blocks) if native) - self.staying

    def as_read(self, before: Sequence[Block]) -> tuple[Block, ...]:
        """The blocks, those that do not change as they were read."""
        old, read = ({block.native: block for block in blocks} for blocks in (self.before, before))
        return tuple(read[block.native] if old.get(block.native) == block else block for block in self.blocks)


def by_native(blocks: Iterable[Block]) -> dict[str, Block]:
    """Blocks and rows by native, in page order."""
    found: dict[str, Block] = {}
    for block in blocks:
        found[block.native] = block
        found |= {row.native: row for row in block.rows}
    return found


def fit(layout: Layout, before: Sequence[Block], target: Iterable[Block], known: Known) -> Fit:
    """The nearest to `target` that the page, read as `before`, can become. A block that would be made anew and is not in
    `known` is taken for one that may be."""
    old = as_written(before, layout.accounts)
    page = _Run(layout, layout.page_id, old, as_written(target, layout.accounts), known)
    blocks, staying, holds = page.fitted()
    return Fit(old, tuple(blocks), frozenset(staying), tuple(holds))


class _Run:
    """One parent's flat run: the blocks of a page, or the rows of a table."""

    def __init__(self, layout: Layout, parent: str, before: Sequence[Block], target: Sequence[Block], known: Known) -> None:
        self.layout, self.parent, self.known = layout, parent, known
        self.old = {block.native: block for block in before}
        self.order = {block.native: index for index, block in enumerate(before)}
        self.boxed = {native for native in self.old if layout.box(native)}
        self.target = self._recognised(self._once(target))
        self.must: dict[str, str] = {}  # natives that keep their place and type, and why
        self.held: dict[str, str] = {}  # sentences by native

    # --- what is wanted ---

    def _once(self, target: Iterable[Block]) -> list[Block]:
        """Every native at most once and only those of this run, every depth possible; nobody can make what is foreign."""
        found: list[Block] = []
        used: set[str] = set()
        for block in target:
            if block.native not in self.order or block.native in used:
                block = _new(block)
            if block.native or block.kind != "kept":
                used.add(block.native)
                found.append(block)
        return _levelled(found)

    def _recognised(self, target: list[Block]) -> list[Block]:
        """A new block with the very words of one that goes is that block, moved or turned into another kind."""
        there = {block.native for block in target}
        gone = _unique({native: block for native, block in self.old.items() if native not in there})
        fresh = Counter(block.text for block in target if not block.native)
        found = []
        for block in target:
            native = gone.get(block.text, "") if not block.native and fresh[block.text] == 1 else ""
            worded = native and {block.kind, self.old[native].kind} <= _WORDED
            found.append(replace(block, native=native) if worded else block)
        return self._reworded(found)

    def _reworded(self, target: list[Block]) -> list[Block]:
        """A new block that says nearly what one that goes says is that block, moved and written in; rows have keys."""
        there = {block.native for block in target}
        gone = [native for native, block in self.old.items() if native not in there and block.kind in _PROSE]
        fresh = [at for at, block in enumerate(target) if not block.native and block.kind in _PROSE]
        for old, new in alike([self.old[native] for native in gone], [target[at] for at in fresh]).items():
            target[fresh[new]] = replace(target[fresh[new]], native=gone[old])
        return target

    # --- what is possible ---

    def fitted(self) -> tuple[list[Block], set[str], list[str]]:
        """The run as it can become, the natives that stay, and sentences about what cannot be."""
        while True:
            blocks = self._put_back()
            staying = self._staying(blocks)
            new = {native: why for native, why in self._trouble(blocks, staying) if native not in self.must}
            if not new:
                break
            for native, why in new.items():
                self.must.update({above: why for above in self._above(native) if above not in self.must})
        done = [self._inside(block, staying) for block in blocks]
        return done, staying, list(self.held.values())

    def _trouble(self, blocks: Sequence[Block], staying: set[str]) -> Iterator[tuple[str, str]]:
        """What would be made anew or removed, and must not."""
        there = {block.native: block for block in blocks}
        for native in self.order:
            if native not in staying:
                why = self._cannot_be_remade(there[native]) if native in there else self._cannot_go(native)
                if why:
                    yield native, why

    def _above(self, native: str) -> list[str]:
        """The block and those around it: it cannot stay where its container goes."""
        chain = self.layout.chain(native) if self.parent == self.layout.page_id else [native]
        return [above for above in chain if above in self.order]

    def _cannot_be_remade(self, block: Block) -> str:
        native, node = block.native, self.layout.nodes[block.native]
        if self.layout.box(native) or any(native in self.layout.chain(boxed) for boxed in self.boxed):
            return "people put a table of the post-mortem into it"
        found = self.known.get(native)
        if isinstance(found, str):
            return found
        told = [_told(node, child) for child in node.children]
        if node.type in LIST_TYPES and sorted(told) != told:
            return "notes stand behind what is nested in it"
        if node.raw.get("has_children") and not self._same_type(block) and block.kind not in _HOLDING:
            return "something is nested in it"
        return loses(NativeBlock(node.raw, self.layout.hidden(native))) if found is None else ""

    def _cannot_go(self, native: str) -> str:
        """Why deleting the block would take something along that is not ours to remove."""
        node = self.layout.nodes[native]
        if self.old[native].kind == "kept":
            return "only people remove what only Notion can show"
        if node.type == "table" or not node.raw.get("has_children"):
            return ""
        told = bool(node.children) and all(_told(node, child) for child in node.children)
        return "" if told else "people put something into it"

    def _staying(self, blocks: Sequence[Block]) -> set[str]:
        """The natives that keep their id: same type, same parent, and the heaviest run of those in order."""
        fits = {self.parent}
        above: list[str] = []
        candidates = []
        for block in blocks:
            parent = above[block.depth - 1] if block.depth else self.parent
            there = block.native and (self.layout.parents[block.native] == parent or block.native in self.boxed)
            if there and parent in fits and self._same_type(block):
                fits.add(block.native)
                candidates.append(block.native)
            above = [*above[: block.depth], block.native or "new"]
        weights = [self._weight(native) for native in candidates]
        return {candidates[at] for at in increasing([self.order[native] for native in candidates], weights)}

    def _weight(self, native: str) -> int:
        """How many blocks would be made anew; more than all together where that must not be."""
        if native in self.must:
            return 1 + len(self.layout.nodes)
        return 1 + len(self.old[native].rows) + len(self.layout.hidden(native))

    def _same_type(self, block: Block) -> bool:
        was = self.old[block.native]
        same = (was.kind, was.level) == (block.kind, block.level)
        return same and (block.kind != "table" or width(block) == width(was))

    # --- what must be, put back ---

    def _put_back(self) -> list[Block]:
        """The target with everything that must stay in its old type, under its old parent, in its old order."""
        self.held = {}
        blocks = _levelled([self._untyped(block) if block.native in self.must else block for block in self.target])
        placed = self._staying(blocks)
        for native in sorted(self.must, key=self.order.__getitem__):
            if native not in placed:
                at = next((index for index, block in enumerate(blocks) if block.native == native), None)
                self._hold(native, "is not removed" if at is None else "is not moved")
                run = [self.old[native]] if at is None else self._taken(blocks, at)
                self._insert(blocks, run, placed)
                placed.add(native)
        return _levelled(blocks)

    def _untyped(self, block: Block) -> Block:
        """The block as far as its old type can say it."""
        was = self.old[block.native]
        if self._same_type(block):
            return block
        if block.kind == was.kind == "table":
            self._hold(block.native, f"stays {width(was)} columns wide")
            return was if width(block) > width(was) else _padded(block, width(was))
        self._hold(block.native, f"does not become a {_NOUNS.get(block.kind, block.kind)}")
        if not {was.kind, block.kind} <= _WORDED:
            return replace(was, depth=block.depth)
        return replace(was, depth=block.depth, spans=block.spans)

    def _taken(self, blocks: list[Block], at: int) -> list[Block]:
        """Takes the block and what nests in it out of `blocks`, moved to its old depth."""
        end = at + 1
        while end < len(blocks) and blocks[end].depth > blocks[at].depth:
            end += 1
        shift = self.old[blocks[at].native].depth - blocks[at].depth
        run = [replace(block, depth=block.depth + shift) for block in blocks[at:end]]
        del blocks[at:end]
        return run

    def _insert(self, blocks: list[Block], run: list[Block], placed: set[str]) -> None:
        """Behind the last block that stays and was before it, and what nests there."""
        mine = self.order[run[0].native]
        at = max((i + 1 for i, b in enumerate(blocks) if b.native in placed and self.order[b.native] < mine), default=0)
        while at < len(blocks) and blocks[at].depth > run[0].depth:
            at += 1
        blocks[at:at] = run

    def _inside(self, block: Block, staying: set[str]) -> Block:
        """A block that stays, with rows as they can be and only words that can be sent."""
        if block.native not in staying:
            return _all_new(block)
        was = self.old[block.native]
        if block.kind == "table":
            rows = _Run(self.layout, block.native, was.rows, block.rows, self.known)
            found, kept, holds = rows.fitted()
            staying |= kept
            self.held.update({f"{block.native}/{index}": said for index, said in enumerate(holds)})
            return replace(block, rows=tuple(found))
        if (was.spans, was.cells) == (block.spans, block.cells) or self._can_be_said(block):
            return block
        self.must[block.native] = "only Notion can write something that it holds"
        self._hold(block.native, "keeps its words")
        return replace(block, spans=was.spans, cells=was.cells)

    def _can_be_said(self, block: Block) -> bool:
        """Whether nothing is lost when the words of the block are replaced."""
        payload = self.layout.nodes[block.native].payload
        arrays = [payload.get("rich_text"), *(payload.get("cells") or ())]
        return block.kind == "code" or all(can_be_rewritten(items or (), self.layout.accounts) for items in arrays)

    def _hold(self, native: str, what: str) -> None:
        said = f"{_named(self.old[native])} {what}: {self.must[native]}."
        self.held[native] = f"{self.held[native]} {said}" if native in self.held else said


def _levelled(blocks: Iterable[Block]) -> list[Block]:
    """Items no deeper than the one above them allows."""
    found: list[Block] = []
    room = 0
    for block in blocks:
        found.append(replace(block, depth=min(block.depth, room)))
        room = found[-1].depth + 1 if block.kind in LIST_KINDS else 0
    return found


def _unique(blocks: Mapping[str, Block]) -> dict[str, str]:
    """Natives by text, where only one says it."""
    count = Counter(block.text for block in blocks.values())
    return {block.text: native for native, block in blocks.items() if block.text and count[block.text] == 1}


def _new(block: Block) -> Block:
    return replace(block, native="", rows=tuple(_new(row) for row in block.rows))


def _all_new(block: Block) -> Block:
    """A table that is made anew is so with all its rows."""
    return replace(block, rows=tuple(_new(row) for row in block.rows))


def _padded(table: Block, columns: int) -> Block:
    rows = (replace(row, cells=(*row.cells, *((),) * (columns - len(row.cells)))) for row in table.rows)
    return replace(table, rows=tuple(rows))


def _named(block: Block) -> str:
    """How people find the block."""
    text = " ".join(block.text.split())
    kind = "The table" if block.kind == "table" else "The block"
    return f"{kind} “{text if len(text) <= 60 else text[:59] + '…'}”" if text else kind
