"""Identity and three-way merge: what both sides changed is there afterwards, and nothing else is."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapping.align import common, match, near
from mapping.document import Block, Span, paragraph
from mapping.merge import Collision, Side, merge_block, merge_blocks, merge_sections, merge_spans

WORDS = ["alert", "queue", "deploy", "rollback", "502", "checkout", "paged", "on-call", "the", "a", "database", "fixed"]
texts = st.lists(st.sampled_from(WORDS), min_size=1, max_size=8).map(" ".join)
blocks = st.builds(lambda kind, text: Block(kind, (Span(text),)), st.sampled_from(["paragraph", "bullet"]), texts)
runs = st.lists(blocks, max_size=7)


def para(*lines: str) -> list[Block]:
    return [paragraph(line) for line in lines]


def text(blocks: Sequence[Block]) -> list[str]:
    return [block.text for block in blocks]


class Counted(int):
    """A word that counts how often it was held against another."""

    compared = 0
    __hash__ = int.__hash__

    def __eq__(self, other: object) -> bool:
        Counted.compared += 1
        return int.__eq__(self, other)


def test_what_has_little_in_common_is_aligned_in_bounded_steps() -> None:
    """Two texts of 6,000 words: all others, save for some that both have once."""
    left = [Counted(n) for n in range(6_000)]
    right = [Counted(n if n % 100 == 50 else n + 50_000) for n in range(6_000)]
    Counted.compared = 0
    pairs = common(left, right)
    assert pairs == [(n, n) for n in range(50, 6_000, 100)]
    assert Counted.compared < 200 * 6_000


@given(st.lists(st.integers(0, 4), max_size=12), st.lists(st.integers(0, 4), max_size=12))
@settings(max_examples=300, deadline=None)
def test_common_is_a_longest_common_subsequence(left: list[int], right: list[int]) -> None:
    pairs = common(left, right)
    assert all(left[i] == right[j] for i, j in pairs)
    assert pairs == sorted(pairs)
    table = [[0] * (len(right) + 1) for _ in range(len(left) + 1)]
    for i, a in enumerate(left):
        for j, b in enumerate(right):
            table[i + 1][j + 1] = table[i][j] + 1 if a == b else max(table[i][j + 1], table[i + 1][j])
    assert len(pairs) == table[-1][-1]


@given(runs, runs)
@settings(max_examples=300, deadline=None)
def test_identities_of_merge(base: list[Block], changed: list[Block]) -> None:
    assert list(merge_blocks(base, changed, base, "remote").blocks) == changed
    assert list(merge_blocks(base, base, changed, "remote").blocks) == changed
    twice = merge_blocks(base, changed, changed, "local")
    assert list(twice.blocks) == changed
    assert not twice.collisions


@given(runs, runs, runs)
@settings(max_examples=300, deadline=None)
def test_merge_invents_no_words_and_terminates(base: list[Block], local: list[Block], remote: list[Block]) -> None:
    merged = merge_blocks(base, local, remote, "remote")
    known = {word for run in (base, local, remote) for block in run for word in block.text.split()}
    assert {word for block in merged.blocks for word in block.text.split()} <= known


def test_edits_of_different_blocks_both_arrive() -> None:
    base = para("The queue grew.", "We rolled back.", "All is well.")
    merged = merge_blocks(
        base, para("The queue grew fast.", *text(base[1:])), para(*text(base[:2]), "All is calm."), "remote"
    )
    assert text(merged.blocks) == ["The queue grew fast.", "We rolled back.", "All is calm."]


def test_edits_of_different_words_of_one_block_both_arrive() -> None:
    merged = merge_blocks(
        para("The queue grew and we rolled back"),
        para("The long queue grew and we rolled back"),
        para("The queue grew and we rolled it back"),
        "remote",
    )
    assert text(merged.blocks) == ["The long queue grew and we rolled it back"]


def test_the_same_words_changed_differently_collide_and_keep_both() -> None:
    merged = merge_blocks(para("It was the queue"), para("It was the cache"), para("It was the disk"), "remote")
    assert text(merged.blocks) == ["It was the disk"]
    assert merged.collisions[0].local[0].text == "It was the cache"


def test_edit_beats_delete_on_either_side() -> None:
    base = para("The first sentence here.", "The second sentence here.")
    edited = para("The first sentence here.", "The second sentence here, longer.")
    assert text(merge_blocks(base, edited, base[:1], "remote").blocks) == text(edited)
    assert text(merge_blocks(base, base[:1], edited, "remote").blocks) == text(edited)


def test_a_kept_block_survives_a_local_delete_and_goes_with_a_remote_one() -> None:
    kept = Block("kept", (Span("Jira issues"),), ref="k3f2", native="n")
    base = [paragraph("one paragraph"), kept]
    assert kept in merge_blocks(base, base[:1], base, "remote").blocks
    assert kept not in merge_blocks(base, base, base[:1], "remote").blocks


def test_a_move_on_the_page_and_an_edit_in_the_store_both_hold() -> None:
    base = para("Alpha paragraph one", "Beta paragraph two", "Gamma paragraph three")
    local = para("Alpha paragraph one", "Beta paragraph two edited", "Gamma paragraph three")
    remote = [base[2], base[0], base[1]]
    assert text(merge_blocks(base, local, remote, "remote").blocks) == [
        "Gamma paragraph three",
        "Alpha paragraph one",
        "Beta paragraph two edited",
    ]


def test_marks_flip_one_by_one() -> None:
    bold, link = frozenset({"bold"}), "https://example.com"
    merged = merge_spans((Span("word"),), (Span("word", marks=bold),), (Span("word", link=link),), "remote")  # type: ignore[arg-type]
    assert merged == (Span("word", marks=bold, link=link),)  # type: ignore[arg-type]


@pytest.mark.parametrize("native", [True, False])
def test_identity_holds_through_a_rewrite_in_place(native: bool) -> None:
    old = [replace(b, native=str(i)) for i, b in enumerate(para("start of it all", "abc", "the end of it"))]
    new = [old[0], replace(paragraph("entirely other words"), native="1" if native else "x"), old[2]]
    assert match(old, new, native=native) == {0: 0, 1: 1, 2: 2}


def test_natives_beat_text() -> None:
    old = [replace(b, native=n) for b, n in zip(para("same words here", "same words there"), "ab", strict=True)]
    new = [replace(old[1], spans=old[0].spans), replace(old[0], spans=old[1].spans)]
    assert match(old, new, native=True) == {0: 1, 1: 0}


SENTENCES = "The first queue was full. The second queue was empty"
EDITED = SENTENCES.replace("empty", "nearly empty")
PARTS = ("The first queue was full.", "The second queue was empty")


@pytest.mark.parametrize("prefer", ["local", "remote"])
def test_a_paragraph_that_one_splits_and_another_writes_in_is_there_once(prefer: Side) -> None:
    for local, remote in ((para(*PARTS), para(EDITED)), (para(EDITED), para(*PARTS))):
        merged = merge_blocks(para(SENTENCES), local, remote, prefer)
        assert text(merged.blocks) == [PARTS[0], "The second queue was nearly empty"]
        assert not merged.collisions


@pytest.mark.parametrize("prefer", ["local", "remote"])
def test_paragraphs_that_one_joins_and_another_writes_in_are_there_once(prefer: Side) -> None:
    split = para(PARTS[0], "The second queue was nearly empty")
    for local, remote in ((para(SENTENCES), split), (split, para(SENTENCES))):
        merged = merge_blocks(para(*PARTS), local, remote, prefer)
        assert text(merged.blocks) == [EDITED]
        assert not merged.collisions


def test_words_that_collide_in_a_split_paragraph_fall_back_as_a_whole_and_keep_both() -> None:
    other = para("The first queue was full.", "The second queue was broken")
    merged = merge_blocks(para(SENTENCES), other, para(EDITED), "remote")
    assert text(merged.blocks) == [EDITED]
    assert [block.text for block in merged.collisions[0].local] == text(other)


@pytest.mark.parametrize("native", [True, False])
def test_a_paragraph_dragged_to_another_section_takes_the_others_edit_with_it(native: bool) -> None:
    base = {
        "impact": [replace(b, native=n) for b, n in zip(para(SENTENCES, "Stays here."), "pq", strict=True)],
        "causes": [],
    }
    dragged = {"impact": base["impact"][1:], "causes": base["impact"][:1]}
    edited = {"impact": para(EDITED, "Stays here."), "causes": []}
    merged = merge_sections(base, edited, dragged, "remote", native=native)
    assert {name: text(one.blocks) for name, one in merged.items()} == {"impact": ["Stays here."], "causes": [EDITED]}
    assert merged["causes"].blocks[0].native == "p"
    merged = merge_sections(base, dragged, edited, "remote", native=native)
    assert {name: text(one.blocks) for name, one in merged.items()} == {"impact": ["Stays here."], "causes": [EDITED]}


def test_a_collision_is_told_of_the_section_where_it_shows() -> None:
    base = {"impact": para("It was the queue"), "causes": para("Nobody knows")}
    local = {"impact": para("It was the cache"), "causes": para("Nobody knows")}
    remote = {"impact": para("It was the disk"), "causes": para("Nobody knows it")}
    merged = merge_sections(base, local, remote, "remote")
    assert [len(merged[name].collisions) for name in remote] == [1, 0]


def test_a_status_whose_words_the_store_changed_is_not_put_back() -> None:
    def lozenge(words: str) -> tuple[Span, ...]:
        return (Span("It is "), Span(words, "status", "green"))

    assert merge_spans(lozenge("Open"), lozenge("Closed"), lozenge("Open"), "remote") == lozenge("Closed")


def test_of_a_huge_run_where_nothing_is_equal_each_block_is_still_itself_and_not_every_pair_is_looked_at() -> None:
    old = para(*(f"Task number {n} of very many" for n in range(700)))
    new = para(*(f"Task number {n} of very, very many" for n in range(700)))
    assert match(old, new) == {n: n for n in range(700)}
    assert len(list(near(700, 700))) < 300 * 700
    assert len(list(near(300, 300))) == 300 * 300


def test_the_side_that_split_a_paragraph_keeps_it_when_the_other_deleted_it() -> None:
    for local, remote in ((para(*PARTS), []), ([], para(*PARTS))):
        for prefer in ("local", "remote"):
            merged = merge_blocks(para(SENTENCES), local, remote, prefer)
            assert text(merged.blocks) == list(PARTS) and not merged.collisions


def test_a_lozenge_that_both_coloured_goes_to_who_is_preferred_and_marks_flip_beside_it() -> None:
    def lozenge(colour: str, *marks: str) -> tuple[Span, ...]:
        return (Span("Open", "status", colour, frozenset(marks)),)  # type: ignore[arg-type]

    for prefer, colour in (("local", "red"), ("remote", "blue")):
        merged = merge_spans(lozenge("green"), lozenge("red", "bold"), lozenge("blue"), prefer)  # type: ignore[arg-type]
        assert merged == lozenge(colour, "bold")
    assert merge_spans(lozenge("green"), lozenge("green"), lozenge("blue"), "local") == lozenge("blue")
    assert merge_spans(lozenge("green", "bold"), lozenge("green"), lozenge("green", "bold"), "remote") == lozenge("green")


def test_a_link_that_both_changed_goes_to_who_is_preferred() -> None:
    def linked(to: str) -> tuple[Span, ...]:
        return (Span("here", link=to),)

    assert merge_spans(linked("a"), linked("b"), linked("c"), "local") == linked("b")
    assert merge_spans(linked("a"), linked("b"), linked("c"), "remote") == linked("c")
    assert merge_spans(linked("a"), linked("b"), linked("a"), "remote") == linked("b")


def table(*rows: tuple[str, ...], native: str = "") -> Block:
    """Rows of cells; with a native each row has one of its own."""
    lines = [
        Block("row", cells=tuple((Span(cell),) for cell in row), native=f"{native}.{n}" if native else "")
        for n, row in enumerate(rows)
    ]
    return Block("table", rows=tuple(lines), native=native, hint=native and "theirs")


def test_a_table_that_two_people_edit_in_different_cells_has_both_and_its_rows_stay_those_of_the_page() -> None:
    base = table(("Shop", "Loss"), ("Books", "10"), ("Music", "20"), native="t")
    local = table(("Shop", "Loss"), ("Books", "11"), ("Films", "5"), ("Music", "20"))
    remote = table(("Shop", "Loss"), ("Bookshops", "10"), ("Music", "21"), native="t")
    (merged,) = merge_blocks([base], [local], [remote], "remote").blocks
    assert [row.text for row in merged.rows] == ["Shop\tLoss", "Bookshops\t11", "Films\t5", "Music\t21"]
    assert [row.native for row in merged.rows] == ["t.0", "t.1", "", "t.2"]
    (alone,) = merge_blocks([base], [local], [base], "remote").blocks
    assert [row.native for row in alone.rows] == ["t.0", "t.1", "", "t.2"]
    assert (alone.native, alone.hint) == ("t", "theirs")


def test_a_cell_that_both_changed_makes_the_whole_table_collide() -> None:
    base, local, remote = (table(("Books", loss), native="t") for loss in ("10", "11", "12"))
    for prefer, loss in (("local", "11"), ("remote", "12")):
        merged = merge_blocks([base], [local], [remote], prefer)  # type: ignore[arg-type]
        assert merged.blocks[0].rows[0].text == f"Books\t{loss}" and len(merged.collisions) == 1
        assert merged.blocks[0].native == "t"


def test_a_column_that_one_side_adds_stays_and_two_different_ones_collide() -> None:
    base = Block("row", cells=((Span("Books"),), (Span("10"),)), native="r")
    wider = replace(base, cells=(*base.cells, (Span("note"),)))
    assert merge_block(base, wider, replace(base, checked=True), "remote")[0] == replace(wider, checked=True)
    other = replace(base, cells=(*base.cells, (Span("remark"),)), checked=True)
    assert merge_block(base, wider, other, "remote") == (other, Collision((base,), (wider,), (other,)))


@pytest.mark.parametrize("prefer", ["local", "remote"])
def test_what_both_turned_into_another_kind_collides_and_other_changes_of_one_side_stay(prefer: Side) -> None:
    base = replace(paragraph("Restart the workers"), native="p")
    local, remote = replace(base, kind="bullet", native=""), replace(base, kind="quote")
    block, collision = merge_block(base, local, remote, prefer)
    assert block.kind == ("bullet" if prefer == "local" else "quote") and block.native == "p"
    assert collision == Collision((base,), (local,), (remote,))
    turned, none = merge_block(base, local, replace(base, spans=(Span("Restart all the workers"),)), prefer)
    assert (turned.kind, turned.text, turned.native, none) == ("bullet", "Restart all the workers", "p", None)


def test_what_both_typed_is_there_once_and_is_the_pages() -> None:
    base = para("Stays here as it is")
    theirs = replace(paragraph("Typed by both"), native="n")
    merged = merge_blocks(base, [*base, *para("Typed by both", "Mine alone")], [*base, theirs], "remote")
    assert text(merged.blocks) == ["Stays here as it is", "Typed by both", "Mine alone"]
    assert merged.blocks[1].native == "n" and merged.blocks[2].native == ""


def test_what_is_new_on_the_other_side_stands_behind_what_it_stood_behind() -> None:
    base = para("Alpha paragraph one", "Beta paragraph two", "Gamma paragraph three")
    local = [*para("Mine on top"), base[0], *para("Mine after alpha"), *base[1:], *para("Mine at the end")]
    remote = [*para("Theirs on top"), *base[:2], *para("Theirs after beta"), base[2]]
    assert text(merge_blocks(base, local, remote, "remote").blocks) == [
        "Theirs on top",
        "Mine on top",
        "Alpha paragraph one",
        "Mine after alpha",
        "Beta paragraph two",
        "Theirs after beta",
        "Gamma paragraph three",
        "Mine at the end",
    ]
