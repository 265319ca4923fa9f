"""The three-way merge of prose: two changed copies of a run of blocks, and what both came from.

The order comes from the side that moved something (the page when both did), edit beats delete, and a text that both changed
is merged by words; where words collide the whole block falls back to one side and a `Collision` keeps the other. Blocks that
somebody split or joined while somebody else wrote in them are merged as one text in which the ends of blocks are words.
Which block is which is said by `align.py`; what a field of a row means, and who wins there, in `rows.py`.
"""

import re
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, TypeVar

from mapping.align import PROSE, SIMILAR, anywhere, common, match, similarity, words_of
from mapping.document import Block, Span, Spans, merged_spans

T = TypeVar("T")
Side = Literal["local", "remote"]
SIDES: tuple[Side, Side] = ("local", "remote")


@dataclass(frozen=True, slots=True)
class Collision:
    """Blocks that both sides changed in the same words; one block a side unless somebody split or joined them."""

    base: tuple[Block, ...]
    local: tuple[Block, ...]
    remote: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Merged:
    """The merged run, natives taken from the remote side, and what collided."""

    blocks: tuple[Block, ...]
    collisions: tuple[Collision, ...] = ()


@dataclass(frozen=True, slots=True)
class End:
    """Where a block ends in the text of several: the block without its text, and its index on each side that has it."""

    block: Block
    local: int | None = field(default=None, compare=False)
    remote: int | None = field(default=None, compare=False)


Token = Span | End  # a word, a gap, an atomic thing, the end of a block


# --- text --------------------------------------------------------------------------------------------------------------

TOKEN = re.compile(r"\w+|\s+|[^\w\s]")


def merge_spans(base: Spans, local: Spans, remote: Spans, prefer: Side) -> Spans | None:
    """The spans with both sides' changes, or None when they changed the same words differently."""
    merged = _merge_tokens(tokens(base), tokens(local), tokens(remote), prefer)
    return None if merged is None else merged_spans(token for token in merged if isinstance(token, Span))


def tokens(spans: Spans) -> list[Span]:
    """Text cut into words, runs of blanks and signs; what is not text stays whole."""
    return [
        token
        for span in spans
        for token in ([replace(span, text=t) for t in TOKEN.findall(span.text)] if span.kind == "text" else [span])
    ]


def _merge_tokens(b: Sequence[Token], mine: Sequence[Token], theirs: Sequence[Token], prefer: Side) -> list[Token] | None:
    aligned = [dict(common(essence(b), essence(side))) for side in (mine, theirs)]
    merged: list[Token] = []
    b0 = l0 = r0 = 0
    for stop in [i for i in range(len(b)) if i in aligned[0] and i in aligned[1]] + [len(b)]:
        l1, r1 = (len(mine), len(theirs)) if stop == len(b) else (aligned[0][stop], aligned[1][stop])
        region = _three_way(b[b0:stop], mine[l0:l1], theirs[r0:r1])
        if region is None:
            return None
        merged += region
        if stop < len(b):
            merged.append(_styled(b[stop], mine[l1], theirs[r1], prefer))
        b0, l0, r0 = stop + 1, l1 + 1, r1 + 1
    return merged


def essence(parts: Sequence[Token]) -> list[Hashable]:
    """What makes two tokens the same one; the end of a block is a gap between words like any other."""
    return [None if isinstance(token, End) or token.text.isspace() else _name(token) for token in parts]


def _name(span: Span) -> tuple[str, str]:
    return span.kind, span.text if span.kind in ("text", "status", "image") else span.ref


def _three_way(base: Sequence[T], local: Sequence[T], remote: Sequence[T]) -> Sequence[T] | None:
    if local in (base, remote):
        return remote
    return local if remote == base else None


def _styled(base: Token, local: Token, remote: Token, prefer: Side) -> Token:
    """One token that all three have: marks flip one by one, anything else goes to who changed it."""
    if isinstance(base, End) or isinstance(local, End) or isinstance(remote, End):
        chosen = _three_way([base], [local], [remote]) or [local if prefer == "local" else remote]
        return _both_ends(chosen[0], local, remote)
    preferred = local if prefer == "local" else remote
    said = _three_way([_unmarked(base)], [_unmarked(local)], [_unmarked(remote)])
    links = _three_way([base.link], [local.link], [remote.link])
    marks = frozenset((local.marks & remote.marks) | ((local.marks | remote.marks) - base.marks))
    return replace(said[0] if said else preferred, marks=marks, link=links[0] if links else preferred.link)


def _both_ends(chosen: Token, local: Token, remote: Token) -> Token:
    """The end of a block that may be on both sides; on the page it is the block that it was there."""
    if not isinstance(chosen, End):
        return chosen
    mine = local.local if isinstance(local, End) else None
    if not isinstance(remote, End):
        return replace(chosen, block=_bare(chosen.block), local=mine)
    return End(_worn(chosen.block, remote.block), mine, remote.remote)


def _unmarked(span: Span) -> Span:
    return replace(span, marks=frozenset(), link="")


# --- blocks ------------------------------------------------------------------------------------------------------------


def merge_blocks(
    base: Sequence[Block], local: Sequence[Block], remote: Sequence[Block], prefer: Side, *, native: bool = False
) -> Merged:
    """Both sides' changes to a run of blocks. Kept blocks go only where the remote side removed them."""
    return _merged(_pieces(base, local, remote, prefer, native))


Sections = Mapping[str, Sequence[Block]]


def merge_sections(
    base: Sections, local: Sections, remote: Sections, prefer: Side, *, native: bool = False
) -> dict[str, Merged]:
    """The same for several sections, by id, in one order on all sides: a block dragged from one to another is that block."""
    marks = {name: Block("kept", ref=f"\0{name}") for name in remote}

    def run(side: Sections) -> list[Block]:
        return [block for name, mark in marks.items() for block in (mark, *side[name])]

    found: dict[str, list[_Piece]] = {}
    for piece in _pieces(run(base), run(local), run(remote), prefer, native):
        if piece.block in marks.values():
            found[piece.block.ref[1:]] = within = []
        else:
            within.append(piece)
    return {name: _merged(found[name]) for name in remote}


def _merged(pieces: Sequence["_Piece"]) -> Merged:
    return Merged(tuple(p.block for p in pieces), tuple(p.collision for p in pieces if p.collision is not None))


def _pieces(
    base: Sequence[Block], local: Sequence[Block], remote: Sequence[Block], prefer: Side, native: bool
) -> list["_Piece"]:
    if tuple(local) == tuple(remote):
        return [_Piece(i, i, block) for i, block in enumerate(remote)]
    run = _Run(base, local, remote, anywhere(base, local), anywhere(base, remote, native=native), prefer)
    return _ordered(list(run.pieces()), first="remote" if _moved(run.to_remote) else "local")


def _moved(pairs: Mapping[int, int]) -> bool:
    order = [j for _, j in sorted(pairs.items())]
    return order != sorted(order)


@dataclass(frozen=True, slots=True)
class _Piece:
    """A block of the result, with its index on each side, None where that side does not have it."""

    local: int | None
    remote: int | None
    block: Block
    collision: Collision | None = None


def _ordered(pieces: list[_Piece], first: Side) -> list[_Piece]:
    """The order of side `first`; what it lacks goes behind its predecessor on the other side."""
    second: Side = "remote" if first == "local" else "local"
    here = {getattr(piece, first): piece for piece in pieces if getattr(piece, first) is not None}
    others = {getattr(piece, second): piece for piece in pieces if getattr(piece, second) is not None}
    behind: dict[int | None, list[_Piece]] = {None: []}
    anchor: int | None = None
    for _, piece in sorted(others.items()):
        if getattr(piece, first) is None:
            behind.setdefault(anchor, []).append(piece)
        else:
            anchor = getattr(piece, first)
    return behind[None] + [one for index, piece in sorted(here.items()) for one in (piece, *behind.get(index, ()))]


@dataclass(frozen=True, slots=True)
class _Run:
    """The three runs, and which block of the base is which on either side."""

    base: Sequence[Block]
    local: Sequence[Block]
    remote: Sequence[Block]
    to_local: Mapping[int, int]
    to_remote: Mapping[int, int]
    prefer: Side

    def pieces(self) -> Iterator[_Piece]:
        """The blocks of the result, in no order."""
        families = [family for family in self._families() if not self._one_left_it(family)]
        for family in families:
            yield from self._as_one(family)
        done = {b for family in families for b in family.base}
        for b in range(len(self.base)):
            if b not in done:
                yield from self._survivor(b, self.to_local.get(b), self.to_remote.get(b))
        mine, theirs = ({i for f in families for i in getattr(f, side)} for side in SIDES)
        yield from self._inserted(mine | set(self.to_local.values()), theirs | set(self.to_remote.values()))

    # --- block by block -------------------------------------------------------------------------------------------------

    def _survivor(self, b: int, mine: int | None, theirs: int | None) -> Iterator[_Piece]:
        """Edit beats delete; a kept block lives as long as the page has it."""
        before = self.base[b]
        if mine is not None and theirs is not None:
            yield _Piece(mine, theirs, *merge_block(before, self.local[mine], self.remote[theirs], self.prefer))
        elif mine is not None and self.local[mine] != before:
            yield _Piece(mine, None, _bare(self.local[mine]))
        elif theirs is not None and (before.kind == "kept" or self.remote[theirs] != before):
            yield _Piece(None, theirs, self.remote[theirs])

    def _inserted(self, mine: set[int], theirs: set[int]) -> Iterator[_Piece]:
        """What is on one side only; what both typed is there once."""
        fresh_local = [i for i in range(len(self.local)) if i not in mine]
        fresh_remote = [j for j in range(len(self.remote)) if j not in theirs]
        twins = common([self.local[i] for i in fresh_local], [self.remote[j] for j in fresh_remote])
        same = {fresh_local[a]: fresh_remote[c] for a, c in twins}
        for i in fresh_local:
            yield _Piece(i, same[i], self.remote[same[i]]) if i in same else _Piece(i, None, _bare(self.local[i]))
        yield from (_Piece(None, j, self.remote[j]) for j in fresh_remote if j not in same.values())

    # --- split, joined, or moved and written in -------------------------------------------------------------------------

    def _families(self) -> Iterator["_Family"]:
        """Blocks that share their words in another way than one to one."""
        shared = [(("base", b), ("local", i)) for b, i in _shared(self.base, self.local, self.to_local)]
        shared += [(("base", b), ("remote", j)) for b, j in _shared(self.base, self.remote, self.to_remote)]
        if not shared:
            return
        whole = {member for edge in shared for member in edge}
        pairs = [(("base", b), ("local", i)) for b, i in self.to_local.items()]
        pairs += [(("base", b), ("remote", j)) for b, j in self.to_remote.items()]
        near = {base for base, other in pairs if base in whole or other in whole}
        for group in _connected([*shared, *((base, other) for base, other in pairs if base in near)]):
            yield _Family(*(tuple(sorted(i for run, i in group if run == name)) for name in ("base", *SIDES)))

    def _one_left_it(self, family: "_Family") -> bool:
        """One side has these blocks as they were, block by block."""
        before = [self.base[b] for b in family.base]
        mine = [self.local[self.to_local[b]] for b in family.base if b in self.to_local]
        theirs = [self.remote[self.to_remote[b]] for b in family.base if b in self.to_remote]
        counts = len(family.local), len(family.remote)
        return any(blocks == before and len(before) == n for blocks, n in zip((mine, theirs), counts, strict=True))

    def _as_one(self, family: "_Family") -> Iterator[_Piece]:
        """A family merged as one text; where words collide, all of it falls back to one side."""
        if not family.local or not family.remote:  # edit beats delete
            yield from self._one_side(family, "local" if family.local else "remote")
            return
        before = [t for b in family.base for t in _ended(self.base[b])]
        mine = [t for i in family.local for t in _ended(self.local[i], local=i)]
        theirs = [t for j in family.remote for t in _ended(self.remote[j], remote=j)]
        merged = _merge_tokens(before[:-1], mine[:-1], theirs[:-1], self.prefer)
        if merged is None or _says_twice(merged, (before, mine, theirs)):
            yield from self._one_side(family, self.prefer, collide=True)
        else:
            yield from _blocks_of([*merged, _styled(before[-1], mine[-1], theirs[-1], self.prefer)])

    def _one_side(self, family: "_Family", side: Side, *, collide: bool = False) -> Iterator[_Piece]:
        base, mine = tuple(self.base[b] for b in family.base), tuple(self.local[i] for i in family.local)
        collision = Collision(base, mine, tuple(self.remote[j] for j in family.remote)) if collide else None
        if side == "remote":
            pieces = [_Piece(None, j, self.remote[j]) for j in family.remote]
        else:
            was = {i: self.to_remote.get(b) for b, i in self.to_local.items()}
            pieces = [self._mine(i, was.get(i)) for i in family.local]
        yield replace(pieces[0], collision=collision)
        yield from pieces[1:]

    def _mine(self, i: int, j: int | None) -> _Piece:
        return _Piece(i, j, _bare(self.local[i]) if j is None else _worn(self.local[i], self.remote[j]))


@dataclass(frozen=True, slots=True)
class _Family:
    """Blocks of the three runs, by index, that hold the same words."""

    base: tuple[int, ...]
    local: tuple[int, ...]
    remote: tuple[int, ...]


def _shared(old: Sequence[Block], new: Sequence[Block], pairs: Mapping[int, int]) -> Iterator[tuple[int, int]]:
    """Old and new blocks that are not one another, and yet most words of one went into the other, or came from it."""
    changed = {i: j for i, j in pairs.items() if old[i] != new[j]}
    partner = {i: j for i, j in changed.items() if similarity(old[i], new[j]) >= SIMILAR}
    owner = {j: i for i, j in partner.items()}
    lost = _surplus(old, new, (i for i in range(len(old)) if i in changed or i not in pairs), partner)
    gained = _surplus(new, old, sorted(set(range(len(new))) - set(pairs.values()) | set(changed.values())), owner)
    for i, gone in lost.items():
        for j, come in gained.items():
            apart = i in partner and j in owner and abs(i - owner[j]) != 1  # neighbours may have moved their border
            if not apart and (gone & come).total() >= SIMILAR * min(gone.total(), come.total()):
                yield i, j


def _surplus(
    run: Sequence[Block], others: Sequence[Block], indices: Iterable[int], partner: Mapping[int, int]
) -> dict[int, Counter[str]]:
    """The words of these blocks that their partners do not have; short ones stand everywhere and tell nothing."""
    found: dict[int, Counter[str]] = {}
    for i in indices:
        words = words_of(run[i].text) - (words_of(others[partner[i]].text) if i in partner else Counter())
        if run[i].kind in PROSE and (telling := _telling(words)):
            found[i] = telling
    return found


def _connected(edges: Iterable[tuple[T, T]]) -> list[set[T]]:
    """The groups that the edges make."""
    groups: dict[T, set[T]] = {}
    for left, right in edges:
        joined = groups.get(left, {left}) | groups.get(right, {right})
        groups.update(dict.fromkeys(joined, joined))
    return list({id(group): group for group in groups.values()}.values())


def _says_twice(merged: Sequence[Token], versions: Sequence[Sequence[Token]]) -> bool:
    """Both sides took the same words to different places."""
    after, before, *sides = (
        _telling(words_of("".join(t.text if isinstance(t, Span) else " " for t in run))) for run in (merged, *versions)
    )
    return any(after[word] > max(count, *(side[word] for side in sides)) for word, count in before.items())


def _telling(words: Counter[str]) -> Counter[str]:
    """Without the short ones, which stand everywhere."""
    return Counter({word: count for word, count in words.items() if len(word) > 3})


def _ended(block: Block, local: int | None = None, remote: int | None = None) -> list[Token]:
    return [*tokens(block.spans), End(replace(block, spans=()), local, remote)]


def _blocks_of(tokens: Iterable[Token]) -> Iterator[_Piece]:
    spans: list[Span] = []
    for token in tokens:
        if isinstance(token, Span):
            spans.append(token)
            continue
        if merged := merged_spans(spans):
            yield _Piece(token.local, token.remote, replace(token.block, spans=merged))
        spans = []


# --- one block ---------------------------------------------------------------------------------------------------------


def _bare(block: Block) -> Block:
    """A block that is not on the page yet."""
    return replace(block, native="", rows=tuple(replace(row, native="") for row in block.rows))


def merge_block(base: Block, local: Block, remote: Block, prefer: Side) -> tuple[Block, Collision | None]:
    """One block that all three sides have; the result carries the remote side's native."""
    if local == base:
        return remote, None
    if remote in (base, local):
        return _worn(local, remote), None
    merged = _by_parts(base, local, remote, prefer)
    if merged is not None:
        return merged, None
    return (_worn(local, remote) if prefer == "local" else remote), Collision((base,), (local,), (remote,))


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
