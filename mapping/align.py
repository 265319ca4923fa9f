"""Identity: which block of one run is which block of another.

`match` says so by native id where the service keeps one, then by unique equal content, then by order of equal content,
then by kind and similarity between matched neighbours, then by position there. What is done with it is in `merge.py` and
`edits.py`.

The alignment is Myers' (E. W. Myers, "An O(ND) difference algorithm and its variations", 1986): difflib's heuristics pick
alignments under which merging is not idempotent.
"""

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Sequence
from functools import lru_cache
from typing import TypeVar

from mapping.document import Block

SIMILAR = 0.5  # share of common words from which two blocks of one kind are the same block, edited
TURNED = 0.8  # the same for two blocks of different kinds
FARTHEST = 1000  # insertions and removals up to which the longest common run is looked for
MOST_SCORED = 100_000  # pairs of blocks that are held against each other; among more, only those that stand about alike
LISTED = ("bullet", "number", "task")
PROSE = ("paragraph", "heading", "quote", "panel", *LISTED)  # kinds that people turn into each other, split and join


# --- sequences ---------------------------------------------------------------------------------------------------------


def common(left: Sequence[Hashable], right: Sequence[Hashable]) -> list[tuple[int, int]]:
    """A longest common subsequence as index pairs, in order; of sides very far apart, one of what each has once."""
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
    if not left or not right:
        return []
    reach = {1: 0}
    history: list[dict[int, int]] = []
    for distance in range(min(len(left) + len(right), FARTHEST) + 1):
        history.append(dict(reach))
        for k in range(-distance, distance + 1, 2):
            down = k == -distance or (k != distance and reach[k - 1] < reach[k + 1])
            x = reach[k + 1] if down else reach[k - 1] + 1
            while x < len(left) and x - k < len(right) and left[x] == right[x - k]:
                x += 1
            reach[k] = x
            if x >= len(left) and x - k >= len(right):
                return _backtrack(history, len(left), len(right))
    return _in_order(left, right)


def _in_order(left: Sequence[Hashable], right: Sequence[Hashable]) -> list[tuple[int, int]]:
    """What stands once on either side, as far as it is in the same order."""
    times, others, where = Counter(left), Counter(right), {item: j for j, item in enumerate(right)}
    pairs = [(i, where[item]) for i, item in enumerate(left) if times[item] == others[item] == 1]
    return [pairs[at] for at in increasing([j for _, j in pairs])]


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


def increasing(values: Sequence[int], weights: Sequence[int] = ()) -> list[int]:
    """The positions of one increasing subsequence, in order: the longest, or with `weights` (positive) the heaviest."""
    ends: list[int] = []  # ends of the best runs so far, ascending, with their positions and weights, both ascending too
    at: list[int] = []
    totals: list[int] = []
    back: list[int] = []
    for position, value in enumerate(values):
        length = bisect_left(ends, value)
        back.append(at[length - 1] if length else -1)
        total = (weights[position] if weights else 1) + (totals[length - 1] if length else 0)
        beaten = length
        while beaten < len(ends) and totals[beaten] <= total:
            beaten += 1
        if beaten > length or ends[length : length + 1] != [value]:
            ends[length:beaten], at[length:beaten], totals[length:beaten] = [value], [position], [total]
    members: list[int] = []
    position = at[-1] if at else -1
    while position >= 0:
        members.append(position)
        position = back[position]
    return members[::-1]


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
    number: dict[Block, int] = {}  # hashing a block costs more than all the rest
    olds, news = ([number.setdefault(block, len(number)) for block in run] for run in (old, new))
    _by_unique(pairs, _unless_short(old, olds), _unless_short(new, news))
    _in_gaps(pairs, olds, news, common)
    _in_gaps(pairs, old, new, _similar)
    return pairs


def anywhere(old: Sequence[Block], new: Sequence[Block], *, native: bool = False) -> dict[int, int]:
    """`match`, and blocks that were both moved and written in."""
    pairs = match(old, new, native=native)
    olds = [i for i in range(len(old)) if i not in pairs]
    news = sorted(set(range(len(new))) - set(pairs.values()))
    if olds and news:
        pairs.update({olds[a]: news[b] for a, b in _similar([old[i] for i in olds], [new[j] for j in news])})
    return pairs


def _unless_short(blocks: Sequence[Block], numbers: Sequence[int]) -> list[int | None]:
    """Content good enough to recognise a block far from where it was."""
    telling = (b.kind in ("kept", "table", "heading") or len(b.text) >= 12 for b in blocks)
    return [number if tells else None for number, tells in zip(numbers, telling, strict=True)]


def _by_unique(pairs: dict[int, int], old: Sequence[Hashable], new: Sequence[Hashable]) -> None:
    taken = set(pairs.values())
    old_count = Counter(v for i, v in enumerate(old) if i not in pairs)
    new_count = Counter(v for j, v in enumerate(new) if j not in taken)
    where = {v: j for j, v in enumerate(new) if v is not None and new_count[v] == 1 and j not in taken}
    for i, value in enumerate(old):
        if i not in pairs and value in where and old_count[value] == 1:
            pairs[i] = where[value]


T = TypeVar("T")
Pairing = Callable[[Sequence[T], Sequence[T]], list[tuple[int, int]]]


def _in_gaps(pairs: dict[int, int], old: Sequence[T], new: Sequence[T], pairing: Pairing[T]) -> None:
    """Apply `pairing` to what is unmatched on both sides between neighbours that are matched in order."""
    taken = set(pairs.values())
    olds = [i for i in range(len(old)) if i not in pairs]
    news = [j for j in range(len(new)) if j not in taken]
    if not olds or not news:
        return
    for (i0, i1), (j0, j1) in _gaps(pairs, len(old), len(new)):
        left, right = (
            olds[bisect_left(olds, i0) : bisect_left(olds, i1)],
            news[bisect_left(news, j0) : bisect_left(news, j1)],
        )
        if left and right:
            pairs.update({left[a]: right[b] for a, b in pairing([old[i] for i in left], [new[j] for j in right])})


def _gaps(pairs: dict[int, int], olds: int, news: int) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    ordered = sorted(pairs.items())
    anchors = [ordered[k] for k in increasing([j for _, j in ordered])]
    i0 = j0 = 0
    for i, j in [*anchors, (olds, news)]:
        if i > i0 and j > j0:
            yield (i0, i), (j0, j)
        i0, j0 = i + 1, j + 1


def _similar(old: Sequence[Block], new: Sequence[Block]) -> list[tuple[int, int]]:
    scored = [(score, i, j) for i, j in near(len(old), len(new)) if (score := _score(old[i], new[j]))]
    pairs: dict[int, int] = {}
    taken: set[int] = set()
    for _, i, j in sorted(scored, key=lambda s: (-s[0], s[1], s[2])):
        if i not in pairs and j not in taken:
            pairs[i] = j
            taken.add(j)
    return sorted(pairs.items())


def near(olds: int, news: int) -> Iterator[tuple[int, int]]:
    """All pairs of positions; of a huge gap those that lie about equally far into it."""
    reach = max(1, MOST_SCORED // (2 * olds)) if olds * news > MOST_SCORED else news
    for i in range(olds):
        middle = i * news // olds
        yield from ((i, j) for j in range(max(0, middle - reach), min(news, middle + reach + 1)))


def _same_place(old: Sequence[Block], new: Sequence[Block]) -> list[tuple[int, int]]:
    """What is left in a gap is the same by position when both sides have the same kinds there."""
    if [b.kind for b in old] != [b.kind for b in new] or any(b.kind == "kept" for b in old):
        return []
    return [(k, k) for k in range(len(old))]


def _score(left: Block, right: Block) -> float:
    """How much one block is the other, 0 where it is not; one of the same kind comes first."""
    same = left.kind == right.kind or (left.kind in LISTED and right.kind in LISTED)
    if not same and not (left.kind in PROSE and right.kind in PROSE):
        return 0.0
    score = similarity(left, right)
    return score + same if score >= (SIMILAR if same else TURNED) else 0.0


def similarity(left: Block, right: Block) -> float:
    """Share of common words, 0 to 1; kept blocks are only like themselves."""
    if "kept" in (left.kind, right.kind):
        return float(left == right)
    words, others = words_of(left.text), words_of(right.text)
    total = words.total() + others.total()
    return 2 * (words & others).total() / total if total else 1.0


@lru_cache(maxsize=4096)
def words_of(text: str) -> Counter[str]:
    """How often each word stands in a text, whatever its case. Not to be changed by whoever asks."""
    return Counter(re.findall(r"\w+", text.casefold()))
