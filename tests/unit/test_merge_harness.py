"""The merge alone, in the manner of CanopyCheck: draw a document, let two people work on it, merge, look for what is wrong.

Every word of a document stands there once, and every word that somebody types is new, so that loss, doubling and invention
are easy to see. `Writing` is one person's copy of the document with what was done to it, in words.
"""

import re
import subprocess
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from hypothesis import event, given, note, settings
from hypothesis import strategies as st

from mapping.document import Block, BlockKind, Mark, Span, merged_spans
from mapping.merge import Merged, Side, merge_blocks

KINDS: tuple[BlockKind, ...] = ("paragraph", "paragraph", "bullet", "task", "heading", "quote")
MARKS: tuple[Mark, ...] = ("bold", "italic", "strike")
PEOPLE: tuple[Side, Side] = ("local", "remote")


@dataclass
class Writing:
    """One person's copy. Acts take numbers and do nothing where there is nothing to do it to."""

    blocks: list[Block]
    name: str
    count: int = 0
    typed: set[str] = field(default_factory=set)
    rewritten: set[str] = field(
        default_factory=set
    )  # words of blocks that are nearly all new: nobody can tell what they were
    told: list[str] = field(default_factory=list)

    def word(self) -> str:
        self.count += 1
        self.typed.add(f"{self.name}{self.count}")
        return f"{self.name}{self.count}"

    def at(self, number: int) -> int | None:
        """One of the blocks that have text."""
        return number % len(self.blocks) if self.blocks else None

    def say(self, at: int, spans: Sequence[Span]) -> None:
        self.blocks[at] = replace(self.blocks[at], spans=merged_spans(spans))
        there = set(words([self.blocks[at]]))
        if 2 * len(there & self.typed) > len(there):
            self.rewritten |= there

    # --- acts -----------------------------------------------------------------------------------------------------------

    def edit(self, at: int, number: int) -> None:
        words = self.blocks[at].text.split(" ")
        spot = number % len(words)
        words[spot : spot + number % 2] = [self.word()]
        self.say(at, _plain(words, self.blocks[at]))

    def cut(self, at: int, number: int) -> None:
        words = self.blocks[at].text.split(" ")
        if len(words) > 2:
            del words[number % len(words)]
            self.say(at, _plain(words, self.blocks[at]))

    def insert(self, at: int, number: int) -> None:
        spans = (Span(" ".join(self.word() for _ in range(1 + number % 5))),)
        self.blocks.insert(at + number % 2, Block(KINDS[number % len(KINDS)], spans, native=f"new{self.name}{self.count}"))

    def delete(self, at: int, number: int) -> None:
        del self.blocks[at]

    def move(self, at: int, number: int) -> None:
        block = self.blocks.pop(at)
        self.blocks.insert(number % (len(self.blocks) + 1), block)

    def split(self, at: int, number: int) -> None:
        block = self.blocks[at]
        words = block.text.split(" ")
        if len(words) > 1:
            spot = 1 + number % (len(words) - 1)
            self.say(at, _plain(words[:spot], block))
            rest = replace(block, spans=_plain(words[spot:], block), native=f"split{self.name}{self.word()}")
            self.typed.discard(f"{self.name}{self.count}")
            self.blocks.insert(at + 1, rest)

    def join(self, at: int, number: int) -> None:
        if at + 1 < len(self.blocks):
            gone = self.blocks.pop(at + 1)
            glue = "" if number % 4 == 0 and self.blocks[at].text.endswith(".") else " "
            self.say(at, (*self.blocks[at].spans, Span(glue), *gone.spans))

    def mark(self, at: int, number: int) -> None:
        marks = frozenset({MARKS[number % len(MARKS)]})
        self.say(at, [replace(span, marks=span.marks ^ marks) for span in self.blocks[at].spans])

    def turn(self, at: int, number: int) -> None:
        self.blocks[at] = replace(self.blocks[at], kind=KINDS[number % len(KINDS)])


def _plain(words: Sequence[str], like: Block) -> tuple[Span, ...]:
    return (replace(like.spans[0], text=" ".join(words)),)


ACTS: dict[str, Callable[[Writing, int, int], None]] = {
    "edit": Writing.edit,
    "cut": Writing.cut,
    "insert": Writing.insert,
    "delete": Writing.delete,
    "move": Writing.move,
    "split": Writing.split,
    "join": Writing.join,
    "mark": Writing.mark,
    "turn": Writing.turn,
}
STAYING = ("edit", "insert", "delete", "cut")  # nothing changes its place
Act = tuple[str, int, int]
lengths = st.lists(st.tuples(st.integers(1, 9), st.integers(0, 5)), min_size=1, max_size=8)


def acts(names: Sequence[str], most: int = 5) -> st.SearchStrategy[list[Act]]:
    return st.lists(st.tuples(st.sampled_from(list(names)), st.integers(0, 99), st.integers(0, 99)), max_size=most)


def document(shape: Sequence[tuple[int, int]]) -> list[Block]:
    """Blocks of so many words and that kind; every word stands there once."""
    count, made = 0, []
    for number, (length, kind) in enumerate(shape):
        words = [f"word{count + i}" for i in range(length)]
        count += length
        made.append(Block(KINDS[kind], (Span(" ".join(words) + "."),), native=f"n{number}"))
    return made


def written(base: Sequence[Block], todo: Sequence[Act], name: str) -> Writing:
    writing = Writing(list(base), name)
    for act, at, number in todo:
        spot = writing.at(at)
        if spot is not None:
            writing.told.append(f"{act} {writing.blocks[spot].text!r} ({number})")
            ACTS[act](writing, spot, number)
    return writing


def words(blocks: Sequence[Block]) -> Counter[str]:
    return Counter(word for block in blocks for word in re.findall(r"\w+", block.text))


def bare(blocks: Sequence[Block]) -> list[Block]:
    return [replace(block, native="") for block in blocks]


def both(merged: Merged) -> set[str]:
    """All words that can still be read somewhere."""
    lost = [block for c in merged.collisions for block in (*c.local, *c.remote)]
    return set(words([*merged.blocks, *lost]))


def tell(base: Sequence[Block], local: Writing, remote: Writing, merged: Merged) -> None:
    note("base:   " + " / ".join(b.text for b in base))
    for side in (local, remote):
        note(f"{side.name}:  " + " / ".join(f"{b.kind[0]}:{b.text}" for b in side.blocks) + f"   {side.told}")
    note("merged: " + " / ".join(f"{b.kind[0]}:{b.text}" for b in merged.blocks) + f"  {len(merged.collisions)} collisions")


@given(lengths, acts(list(ACTS)), acts(list(ACTS)), st.sampled_from(PEOPLE), st.booleans())
@settings(max_examples=1500)
def test_whatever_two_people_do_nothing_is_lost_doubled_or_invented(
    shape: list[tuple[int, int]], mine: list[Act], theirs: list[Act], prefer: Side, native: bool
) -> None:
    base = document(shape)
    local, remote = written(base, mine, "mine"), written(base, theirs, "theirs")
    merged = merge_blocks(base, bare(local.blocks), remote.blocks, prefer, native=native)
    tell(base, local, remote, merged)
    event(f"collisions: {min(len(merged.collisions), 3)}")
    there, readable = words(merged.blocks), both(merged)
    was, here, beyond = words(base), words(local.blocks), words(remote.blocks)
    typed = (local.typed & set(here)) | (remote.typed & set(beyond))
    assert set(there) <= set(was) | typed, "invented"
    assert typed <= readable, "lost what somebody typed"
    assert set(was) & set(here) & set(beyond) <= readable, "lost what both still have"
    doubled = {w for w, n in there.items() if n > max(was[w], here[w], beyond[w])}
    assert doubled <= local.rewritten | remote.rewritten, "doubled"
    natives = [block.native for block in merged.blocks if block.native]
    assert len(natives) == len(set(natives)), "two blocks with one id"
    assert set(natives) <= {block.native for block in remote.blocks}


@given(lengths, acts(list(ACTS), 8), st.sampled_from(PEOPLE), st.booleans())
@settings(max_examples=500)
def test_what_one_side_alone_did_is_the_result(
    shape: list[tuple[int, int]], todo: list[Act], prefer: Side, native: bool
) -> None:
    base = document(shape)
    changed = written(base, todo, "typed").blocks
    for merged in (
        merge_blocks(base, bare(changed), base, prefer, native=native),
        merge_blocks(base, bare(base), changed, prefer, native=native),
        merge_blocks(base, bare(changed), changed, prefer, native=native),
    ):
        assert list(merged.blocks) == changed
        assert not merged.collisions


@given(lengths, acts(list(ACTS)), acts(list(ACTS)), st.sampled_from(PEOPLE))
@settings(max_examples=300)
def test_merging_again_changes_nothing(
    shape: list[tuple[int, int]], mine: list[Act], theirs: list[Act], prefer: Side
) -> None:
    """The page takes the merged text; what the store holds then is no news to it."""
    base = document(shape)
    local, remote = written(base, mine, "mine").blocks, written(base, theirs, "theirs").blocks
    merged = merge_blocks(base, bare(local), remote, prefer).blocks
    assert merge_blocks(base, bare(local), remote, prefer).blocks == merged
    assert merge_blocks(remote, merged, remote, prefer).blocks == merged
    assert merge_blocks(remote, merged, merged, prefer).blocks == merged


@given(lengths, acts(STAYING), acts(STAYING))
@settings(max_examples=120)
def test_where_git_merges_the_lines_we_have_the_same_lines(
    tmp_path_factory: pytest.TempPathFactory, shape: list[tuple[int, int]], mine: list[Act], theirs: list[Act]
) -> None:
    base = document(shape)
    local, remote = written(base, mine, "mine"), written(base, theirs, "theirs")
    told = _git_merge_file(tmp_path_factory.mktemp("git"), base, local.blocks, remote.blocks)
    if told is not None:
        merged = merge_blocks(base, bare(local.blocks), remote.blocks, "remote")
        tell(base, local, remote, merged)
        assert [block.text for block in merged.blocks] == told


def _git_merge_file(root: Path, base: Sequence[Block], local: Sequence[Block], remote: Sequence[Block]) -> list[str] | None:
    """git's three-way merge of the blocks as lines, None where it has conflicts."""
    for name, blocks in (("local", local), ("base", base), ("remote", remote)):
        (root / name).write_text("".join(f"{block.text}\n" for block in blocks))
    done = subprocess.run(["git", "merge-file", "-p", "local", "base", "remote"], cwd=root, capture_output=True, check=False)
    return done.stdout.decode().splitlines() if done.returncode == 0 else None
