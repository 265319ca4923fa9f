"""From one page to the next: the edits, done one by one, make the page that was asked for, and touch nothing else."""

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from mapping.align import increasing
from mapping.document import Block, Span
from mapping.edits import Edit, Insert, Remove, Update, edits

WORDS = ["alarm", "bucket", "cache", "driver"]


def line(text: str, native: str = "") -> Block:
    return Block("paragraph", (Span(text),), native=native)


def row(text: str, native: str = "") -> Block:
    return Block("row", cells=((Span(text),),), native=native)


def table(*rows: Block, native: str = "t", header: bool = True) -> Block:
    return Block("table", rows=rows, native=native, header=header)


def done(before: Sequence[Block], todo: Sequence[Edit]) -> list[Block]:
    """The page after the edits, done as a service would that knows blocks by their ids."""
    page = {"": [*before]} | {b.native: [*b.rows] for b in before if b.kind == "table"}
    shells = {b.native: b for run in page.values() for b in run}
    for edit in todo:
        match edit:
            case Update(native=native, before=old, after=new):
                assert replace(shells[native], rows=()) == old and not new.rows
                shells[native] = new
    gone = {(edit.parent, edit.native) for edit in todo if isinstance(edit, Remove)}
    for name, run in page.items():
        page[name] = [b for b in run if (name, b.native) not in gone]
    for edit in todo:
        if isinstance(edit, Insert):
            run = page[edit.parent]
            at = next(i for i, b in enumerate(run) if b.native == edit.after) + 1 if edit.after else 0
            run[at:at] = edit.blocks
            shells |= {b.native: b for b in edit.blocks if b.native}
    return [_whole(b, page, shells) for b in page[""]]


def _whole(block: Block, page: dict[str, list[Block]], shells: dict[str, Block]) -> Block:
    block = shells.get(block.native, block)
    rows = [shells.get(r.native, r) for r in page[block.native]] if block.native in page else block.rows
    return replace(block, rows=tuple(rows)) if block.kind == "table" else block


@st.composite
def versions(draw: st.DrawFn) -> tuple[list[Block], list[Block]]:
    """A page, and the same with blocks reworded, moved, removed and added."""
    before = [line(draw(st.sampled_from(WORDS)), f"n{i}") for i in range(draw(st.integers(0, 6)))]
    there = draw(st.permutations([b for b in before if draw(st.booleans())]))
    after = [replace(b, spans=(Span(draw(st.sampled_from(WORDS))),)) for b in there]
    for _ in range(draw(st.integers(0, 3))):
        after.insert(draw(st.integers(0, len(after))), line(draw(st.sampled_from(WORDS))))
    return before, after


@given(versions())
@settings(max_examples=150)
def test_the_edits_make_the_page_that_was_asked_for_and_move_no_more_than_they_must(
    pages: tuple[list[Block], list[Block]],
) -> None:
    before, after = pages
    todo = edits(before, after)
    assert done(before, todo) == after
    kept = [b.native for b in after if b.native]
    order = [[b.native for b in before].index(native) for native in kept]
    moved = [b for edit in todo if isinstance(edit, Insert) for b in edit.blocks if b.native]
    assert len(moved) == len(kept) - len(increasing(order))
    assert not any(edit.before == edit.after for edit in todo if isinstance(edit, Update))
    assert [type(edit) for edit in todo] == sorted((type(e) for e in todo), key=(Update, Insert, Remove).index)


def test_rows_of_a_table_are_edited_one_by_one_and_the_table_itself_only_where_it_changed() -> None:
    before = [table(row("one", "a"), row("two", "b"), row("three", "c"))]
    after = [table(row("new"), row("one", "a"), row("three!", "c"))]
    todo = edits(before, after)
    assert todo == (
        Update("c", row("three", "c"), row("three!", "c")),
        Insert("", (row("new"),), parent="t"),
        Remove("b", row("two", "b"), parent="t"),
    )
    assert done(before, todo) == after
    headless = [table(row("one", "a"), header=False)]
    (update,) = edits([table(row("one", "a"))], headless)
    assert update == Update("t", table(), table(header=False))
    assert edits(before, before) == ()


def test_a_paragraph_that_becomes_a_table_is_one_change() -> None:
    todo = edits([line("one", "x")], [table(row("one"), native="x")])
    assert todo == (Update("x", line("one", "x"), table(row("one"), native="x")),)
