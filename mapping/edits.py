"""Doc -> Doc as the fewest block edits.

`edits(before, after)` compares two runs of blocks by `native`: blocks of `after` that carry a native of `before` are those
blocks; the rest are new. What stays in order is left alone, so moves are items minus the longest increasing subsequence; a
block that moves is an `Insert` of a block that still carries its native and a `Remove` of it. Rows of a table are edited one
by one, under the table's native, so that a corrected cell never touches its neighbours.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from mapping.align import increasing
from mapping.document import Block


@dataclass(frozen=True, slots=True)
class Update:
    """The block `native` reads `before` and shall read `after`; a table's own rows are never in an `Update`."""

    native: str
    before: Block
    after: Block


@dataclass(frozen=True, slots=True)
class Insert:
    """New blocks, one after the other, behind the block `after` (empty: before everything) in page order.

    `parent` is the native of the table for rows, else empty. A list item's `depth` says how deep it nests there. A block
    that carries a native is moved.
    """

    after: str
    blocks: tuple[Block, ...]
    parent: str = ""


@dataclass(frozen=True, slots=True)
class Remove:
    """The block `native` goes. It is also in an `Insert` when it only moves."""

    native: str
    block: Block
    parent: str = ""


Edit = Update | Insert | Remove


def edits(before: Sequence[Block], after: Sequence[Block]) -> tuple[Edit, ...]:
    """The edits that turn `before` into `after`: updates, then inserts, then removals."""
    ordered = _between(before, after, parent="")
    return tuple(sorted(ordered, key=lambda edit: (Update, Insert, Remove).index(type(edit))))


def _between(before: Sequence[Block], after: Sequence[Block], parent: str) -> list[Edit]:
    old = {block.native: index for index, block in enumerate(before)}
    there = [old[block.native] for block in after if block.native in old]
    staying = {before[there[position]].native for position in increasing(there)}
    found: list[Edit] = []
    run: list[Block] = []
    anchor = ""
    for block in after:
        if block.native not in staying:
            run.append(block)
            continue
        found += _inserted(anchor, run, parent)
        run, anchor = [], block.native
        found += _changed(before[old[block.native]], block)
    found += _inserted(anchor, run, parent)
    return found + [Remove(block.native, block, parent) for block in before if block.native not in staying]


def _inserted(anchor: str, run: list[Block], parent: str) -> list[Edit]:
    return [Insert(anchor, tuple(run), parent)] if run else []


def _changed(before: Block, after: Block) -> list[Edit]:
    if before.kind != "table" or after.kind != "table":
        return [] if before == after else [Update(before.native, before, after)]
    rows = _between(before.rows, after.rows, parent=before.native)
    bare_before, bare_after = replace(before, rows=()), replace(after, rows=())
    return rows if bare_before == bare_after else [Update(before.native, bare_before, bare_after), *rows]
