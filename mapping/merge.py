"""Identity and three-way merge.

`match` says which blocks of two runs are the same block: by native id where the service keeps one, then by unique equal
content, then by order of equal content, then by kind and similarity between matched neighbours, then by position there.
`merge_blocks` merges two changed copies of a run: the order comes from the side that moved something (the page when both
did), edit beats delete, a text that both changed is merged by words, and where words collide the whole block falls back
to one side and a `Collision` keeps the other. What a field of a row means, and who wins there, is in `rows.py`.

The alignment is Myers' (E. W. Myers, "An O(ND) difference algorithm and its variations", 1986): difflib's heuristics pick
alignments under which merging is not idempotent.
"""

import re
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeVar

from mapping.document import Block, Span, Spans, merged_spans

T = TypeVar("T")
Side = Literal["local", "remote"]
SIMILAR = 0.5  # share of common words from which two blocks of one kind are the same block, edited


@dataclass(frozen=True, slots=True)
class Collision:
    """One block that both sides changed in the same words."""

    base: Block
    local: Block
    remote: Block


@dataclass(frozen=True, slots=True)
class Merged:
    """The merged run, natives taken from the remote side, and what collided."""

    blocks: tuple[Block, ...]
    collisions: tuple[Collision, ...] = ()


# --- alignment ---------------------------------------------------------------------------------------------------------


def common(left: Sequence[Hashable], right: Sequence[Hashable]) -> list[tuple[int, int]]:
    """A longest common subsequence as index pairs, in order."""
    start = 0
    while start < min(len(left), len(right)) and left[start] == right[start]:
        start += 1
    stop = 0
    while stop < min(len(left), len(right)) - start and left[-1 - stop] == right[-1 - stop]:
        stop += 1
    middle = _myers(left[start : len(left) - stop], right[start : len(right) - stop])
    head = [(i, i) for i in range(start)]
    tail = [(len(left) - i, len(right) - i) for i in range(stop, 0, -1)]
    return head + [(start + i, start + j) for i, j in middle] + tail


def _myers(left: Sequence[Hashable], right: Sequence[Hashable]) -> list[tuple[int, int]]:
    reach = {1: 0}
    history: list[dict[int, int]] = []
    for distance in range(len(left) + len(right) + 1):
        history.append(dict(reach))
        for k in range(-distance, distance + 1, 2):
            down = k == -distance or (k != distance and reach[k - 1] < reach[k + 1])
            x = reach[k + 1] if down else reach[k - 1] + 1
            while x < len(left) and x - k < len(right) and left[x] == right[x - k]:
                x += 1
            reach[k] = x
            if x >= len(left) and x - k >= len(right):
                return _backtrack(history, len(left), len(right))
    return []


def _backtrack(history: list[dict[int, int]], x: int, y: int) -> list[tuple[int, int]]:
    pairs: list[tuple[int, int]] = []
    for distance in range(len(history) - 1, -1, -1):
        reach, k = history[distance], x - y
        down = k == -distance or (k != distance and reach[k - 1] < reach[k + 1])
        before_k = k + 1 if down else k - 1
        before_x = reach[before_k] if distance else 0
        before_y = before_x - before_k if distance else 0
        while x > before_x and y > before_y and x > 0 and y > 0:
            x, y = x - 1, y - 1
            pairs.append((x, y))
        x, y = before_x, before_y
    return pairs[::-1]


# --- identity ----------------------------------------------------------------------------------------------------------


def match(old: Sequence[Block], new: Sequence[Block], *, native: bool = False) -> dict[int, int]:
    """Which block of `new` each block of `old` is: old index -> new index. `native` = ids survive edits and moves here."""
    pairs = alike(old, new, native=native)
    _in_gaps(pairs, old, new, _same_place)
    return pairs


def alike(old: Sequence[Block], new: Sequence[Block], *, native: bool = False) -> dict[int, int]:
    """`match` without guessing by position: a block that says something else is another block, wherever it stands."""
    pairs: dict[int, int] = {}
    if native:
        _by_unique(pairs, [b.native or None for b in old], [b.native or None for b in new])
    _by_unique(pairs, _unless_short(old), _unless_short(new))
    _in_gaps(pairs, old, new, _equal_in_order)
    _in_gaps(pairs, old, new, _similar)
    return pairs


def _unless_short(blocks: Sequence[Block]) -> list[Block | None]:
    """Content good enough to recognise a block far from where it was."""
    return [b if len(b.text) >= 12 or b.kind in ("kept", "table", "heading") else None for b in blocks]


def _by_unique(pairs: dict[int, int], old: Sequence[Hashable], new: Sequence[Hashable]) -> None:
    taken = set(pairs.values())
    old_count = Counter(v for i, v in enumerate(old) if i not in pairs)
    new_count = Counter(v for j, v in enumerate(new) if j not in taken)
    where = {v: j for j, v in enumerate(new) if v is not None and new_count[v] == 1 and j not in taken}
    for i, value in enumerate(old):
        if i not in pairs and value in where and old_count[value] == 1:
            pairs[i] = where[value]


Pairing = Callable[[Sequence[Block], Sequence[Block]], list[tuple[int, int]]]


def _in_gaps(pairs: dict[int, int], old: Sequence[Block], new: Sequence[Block], pairing: Pairing) -> None:
    """Apply `pairing` to what is unmatched on both sides between neighbours that are matched in order."""
    taken = set(pairs.values())
    for (i0, i1), (j0, j1) in _gaps(pairs, len(old), len(new)):
        olds = [i for i in range(i0, i1) if i not in pairs]
        news = [j for j in range(j0, j1) if j not in taken]
        for a, b in pairing([old[i] for i in olds], [new[j] for j in news]):
            pairs[olds[a]] = news[b]


def _gaps(pairs: dict[int, int], olds: int, news: int) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    ordered = sorted(pairs.items())
    anchors = [ordered[k] for k, _ in common_increasing([j for _, j in ordered])]
    i0 = j0 = 0
    for i, j in [*anchors, (olds, news)]:
        yield (i0, i), (j0, j)
        i0, j0 = i + 1, j + 1


def common_increasing(values: Sequence[int]) -> list[tuple[int, int]]:
    """Positions of one longest increasing run, as (position, value)."""
    return [(k, values[k]) for k, _ in common(values, sorted(values))]


def _equal_in_order(old: Sequence[Block], new: Sequence[Block]) -> list[tuple[int, int]]:
    return common(old, new)


def _similar(old: Sequence[Block], new: Sequence[Block]) -> list[tuple[int, int]]:
    scored = [
        (score, i, j)
        for i, left in enumerate(old)
        for j, right in enumerate(new)
        if _same_kind(left, right) and (score := similarity(left, right)) >= SIMILAR
    ]
    return _greedy(sorted(scored, key=lambda s: (-s[0], s[1], s[2])))


def _same_place(old: Sequence[Block], new: Sequence[Block]) -> list[tuple[int, int]]:
    """What is left in a gap is the same by position when both sides have the same kinds there."""
    if [b.kind for b in old] != [b.kind for b in new] or any(b.kind == "kept" for b in old):
        return []
    return [(k, k) for k in range(len(old))]


def _greedy(scored: Sequence[tuple[float, int, int]]) -> list[tuple[int, int]]:
    pairs: dict[int, int] = {}
    for _, i, j in scored:
        if i not in pairs and j not in pairs.values():
            pairs[i] = j
    return sorted(pairs.items())


LISTED = ("bullet", "number", "task")


def _same_kind(left: Block, right: Block) -> bool:
    return left.kind == right.kind or (left.kind in LISTED and right.kind in LISTED)


def similarity(left: Block, right: Block) -> float:
    """Share of common words, 0 to 1; kept blocks are only like themselves."""
    if "kept" in (left.kind, right.kind):
        return float(left == right)
    words, others = Counter(_words(left.text)), Counter(_words(right.text))
    total = words.total() + others.total()
    return 2 * (words & others).total() / total if total else 1.0


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())


# --- text --------------------------------------------------------------------------------------------------------------

TOKEN = re.compile(r"\w+|\s+|[^\w\s]")


def merge_spans(base: Spans, local: Spans, remote: Spans, prefer: Side) -> Spans | None:
    """The spans with both sides' changes, or None when they changed the same words differently."""
    b, sides = tokens(base), (tokens(local), tokens(remote))
    aligned = [dict(common(essence(b), essence(side))) for side in sides]
    merged: list[Span] = []
    b0 = l0 = r0 = 0
    for stop in [i for i in range(len(b)) if i in aligned[0] and i in aligned[1]] + [len(b)]:
        l1, r1 = (len(sides[0]), len(sides[1])) if stop == len(b) else (aligned[0][stop], aligned[1][stop])
        region = _three_way(b[b0:stop], sides[0][l0:l1], sides[1][r0:r1])
        if region is None:
            return None
        merged += region
        if stop < len(b):
            merged.append(_styled(b[stop], sides[0][l1], sides[1][r1], prefer))
        b0, l0, r0 = stop + 1, l1 + 1, r1 + 1
    return merged_spans(merged)


def tokens(spans: Spans) -> list[Span]:
    """Text cut into words, runs of blanks and signs; what is not text stays whole."""
    return [
        token
        for span in spans
        for token in ([replace(span, text=t) for t in TOKEN.findall(span.text)] if span.kind == "text" else [span])
    ]


def essence(parts: Sequence[Span]) -> list[Hashable]:
    """What of each token is compared: its words, not how they look."""
    return [(token.kind, token.text if token.kind == "text" else token.ref) for token in parts]


def _three_way(base: list[T], local: list[T], remote: list[T]) -> list[T] | None:
    if local in (base, remote):
        return remote
    return local if remote == base else None


def _styled(base: Span, local: Span, remote: Span, prefer: Side) -> Span:
    """One token that all three have: marks flip one by one, the link goes to who changed it."""
    marks = frozenset((local.marks & remote.marks) | ((local.marks | remote.marks) - base.marks))
    links = _three_way([base.link], [local.link], [remote.link])
    link = links[0] if links else (local if prefer == "local" else remote).link
    return replace(remote, marks=marks, link=link)


# --- blocks ------------------------------------------------------------------------------------------------------------


def merge_blocks(
    base: Sequence[Block], local: Sequence[Block], remote: Sequence[Block], prefer: Side, *, native: bool = False
) -> Merged:
    """Both sides' changes to a run of blocks. Kept blocks go only where the remote side removed them."""
    to_local, to_remote = match(base, local), match(base, remote, native=native)
    items = _survivors(base, local, remote, to_local, to_remote)
    ordered = _ordered(items, first="remote" if _moved(to_remote) else "local")
    results = [_merge_one(base, local, remote, item, prefer) for item in ordered]
    return Merged(tuple(b for b, _ in results), tuple(c for _, c in results if c is not None))


@dataclass(frozen=True, slots=True)
class _Item:
    """A block of the result by its index on each side, None where that side does not have it."""

    base: int | None
    local: int | None
    remote: int | None


def _moved(pairs: dict[int, int]) -> bool:
    order = [j for _, j in sorted(pairs.items())]
    return order != sorted(order)


def _survivors(
    base: Sequence[Block],
    local: Sequence[Block],
    remote: Sequence[Block],
    to_local: dict[int, int],
    to_remote: dict[int, int],
) -> list[_Item]:
    items = [_Item(b, to_local.get(b), to_remote.get(b)) for b in range(len(base))]
    alive = [item for item in items if _lives(item, base, local, remote)]
    fresh_local = [i for i in range(len(local)) if i not in to_local.values()]
    fresh_remote = [j for j in range(len(remote)) if j not in to_remote.values()]
    twins = common([local[i] for i in fresh_local], [remote[j] for j in fresh_remote])
    same = {fresh_local[a]: fresh_remote[c] for a, c in twins}
    alive += [_Item(None, i, same.get(i)) for i in fresh_local]
    return alive + [_Item(None, None, j) for j in fresh_remote if j not in same.values()]


def _lives(item: _Item, base: Sequence[Block], local: Sequence[Block], remote: Sequence[Block]) -> bool:
    """Edit beats delete; a kept block lives as long as the page has it."""
    if item.base is None or (item.local is not None and item.remote is not None):
        return True
    before = base[item.base]
    if item.local is not None:
        return local[item.local] != before
    return item.remote is not None and (before.kind == "kept" or remote[item.remote] != before)


def _ordered(items: list[_Item], first: Side) -> list[_Item]:
    """The order of side `first`; what it lacks goes behind its predecessor on the other side."""
    second: Side = "remote" if first == "local" else "local"
    ordered = sorted((i for i in items if getattr(i, first) is not None), key=lambda i: getattr(i, first))
    others = sorted((i for i in items if getattr(i, second) is not None), key=lambda i: getattr(i, second))
    before: _Item | None = None
    for item in others:
        if getattr(item, first) is None:
            ordered.insert(ordered.index(before) + 1 if before else 0, item)
        before = item
    return ordered


def _merge_one(
    base: Sequence[Block], local: Sequence[Block], remote: Sequence[Block], item: _Item, prefer: Side
) -> tuple[Block, Collision | None]:
    if item.local is None and item.remote is not None:
        return remote[item.remote], None
    if item.remote is None or item.local is None:
        return replace(local[item.local or 0], native="", rows=_bare(local[item.local or 0].rows)), None
    mine, theirs = local[item.local], remote[item.remote]
    before = base[item.base] if item.base is not None else mine
    return merge_block(before, mine, theirs, prefer)


def _bare(rows: tuple[Block, ...]) -> tuple[Block, ...]:
    return tuple(replace(row, native="") for row in rows)


def merge_block(base: Block, local: Block, remote: Block, prefer: Side) -> tuple[Block, Collision | None]:
    """One block that all three sides have; the result carries the remote side's native."""
    if local == base:
        return remote, None
    if remote in (base, local):
        return _worn(local, remote), None
    merged = _by_parts(base, local, remote, prefer)
    if merged is not None:
        return merged, None
    return (_worn(local, remote) if prefer == "local" else remote), Collision(base, local, remote)


def _worn(block: Block, native: Block) -> Block:
    """`block` in the native clothes of the block that it is on the page."""
    if block.kind == "table" and native.kind == "table":
        pairs = {j: native.rows[i].native for i, j in match(native.rows, block.rows).items()}
        rows = tuple(replace(row, native=pairs.get(j, "")) for j, row in enumerate(block.rows))
        return replace(block, native=native.native, hint=native.hint, rows=rows)
    return replace(block, native=native.native, hint=native.hint)


SCALARS = ("kind", "level", "depth", "checked", "language", "header", "ref")


def _by_parts(base: Block, local: Block, remote: Block, prefer: Side) -> Block | None:
    merged = remote
    for name in SCALARS:
        value = _three_way([getattr(base, name)], [getattr(local, name)], [getattr(remote, name)])
        if value is None:
            return None
        merged = replace(merged, **{name: value[0]})
    spans = merge_spans(base.spans, local.spans, remote.spans, prefer)
    cells = _merge_cells(base, local, remote, prefer)
    rows = merge_blocks(base.rows, local.rows, remote.rows, prefer)
    if spans is None or cells is None or rows.collisions:
        return None
    return replace(merged, spans=spans, cells=cells, rows=rows.blocks)


def _merge_cells(base: Block, local: Block, remote: Block, prefer: Side) -> tuple[Spans, ...] | None:
    if not len(base.cells) == len(local.cells) == len(remote.cells):
        merged = _three_way(list(base.cells), list(local.cells), list(remote.cells))
        return None if merged is None else tuple(merged)
    cells = [merge_spans(b, mine, r, prefer) for b, mine, r in zip(base.cells, local.cells, remote.cells, strict=True)]
    return None if any(cell is None for cell in cells) else tuple(cell for cell in cells if cell is not None)
