"""What the service has no word for, moves and turns, is made of the fewest new blocks, and of none that somebody needs."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapping.document import Block, Doc, Span, paragraph, text_spans
from providers.contract import Fitted, Observation
from providers.sandbox.faults import Fault
from providers.sandbox.notion_gate import CAPABILITIES
from tests.contract.notion_world import (
    PROPERTIES,
    STATIC,
    World,
    native_of,
    natives_of,
    swapped,
    with_blocks,
)

Json = dict[str, Any]


@pytest.fixture
def world() -> World:
    return World()


def _item(text: str, depth: int = 0) -> Block:
    return Block("bullet", text_spans(text), depth=depth)


def _page(*blocks: Block) -> Doc:
    return Doc("A page", (paragraph(STATIC), *blocks), PROPERTIES)


def _said(text: str) -> list[Json]:
    return [{"type": "text", "text": {"content": text}}]


def _texts(seen: Observation) -> list[str]:
    return [block.text for block in seen.doc.blocks]


def _reordered(seen: Observation, *order: int) -> Doc:
    return with_blocks(seen, (seen.doc.blocks[index] for index in order))


def _asked(world: World) -> int:
    return sum(path.startswith("/v1/comments") for _, path in world.service.requests)


def _fit(world: World, seen: Observation, target: Doc) -> Fitted:
    return world.notion.fit(world.table, seen, target)


# --- moves ------------------------------------------------------------------------------------------------------------


def test_the_lighter_side_of_a_swap_is_made_anew(world: World) -> None:
    seen = world.publish(_page(_item("list"), _item("one", 1), _item("two", 1), paragraph("alone")))
    after = world.write(seen, _reordered(seen, 0, 4, 1, 2, 3))
    assert _texts(after)[1:] == ["alone", "list", "one", "two"]
    assert set(natives_of(seen.doc.blocks)) - set(natives_of(after.doc.blocks)) == {native_of(seen, "alone")}
    assert [method for method, _ in world.writes()] == ["PATCH", "DELETE"]


def test_a_nested_list_moves_as_a_whole(world: World) -> None:
    lines = [paragraph(f"line {number}") for number in range(5)]
    seen = world.publish(_page(_item("list"), _item("inner", 1), _item("innermost", 2), *lines))
    target = _reordered(seen, 0, 4, 5, 6, 7, 8, 1, 2, 3)
    after = world.write(seen, target)
    assert after.doc == world.notion.project(target)
    assert [method for method, _ in world.writes()] == ["PATCH", "DELETE"]
    assert {native_of(seen, line.text) for line in lines} <= set(natives_of(after.doc.blocks))


def test_what_a_document_does_not_tell_of_an_item_moves_with_it(world: World) -> None:
    seen = world.publish(_page(_item("list"), *(paragraph(f"line {number}") for number in range(5))))
    world.service.ui_insert(
        native_of(seen, "list"), None, {"toggle": {"rich_text": _said("a note"), "children": [{"divider": {}}]}}
    )
    seen = world.read(seen)
    after = world.write(seen, _reordered(seen, 0, 2, 3, 4, 5, 6, 1))
    (toggle,) = world.service.children_of(native_of(after, "list"))
    assert toggle["toggle"]["rich_text"][0]["plain_text"] == "a note"
    assert [block["type"] for block in world.service.children_of(toggle["id"])] == ["divider"]


def test_a_toggle_moves_with_all_that_is_in_it(world: World) -> None:
    seen = world.publish(_page(*(paragraph(f"line {number}") for number in range(5))))
    inner: Json = {"paragraph": {"rich_text": _said("deep"), "color": "red"}}
    toggle: Json = {"toggle": {"rich_text": _said("more"), "children": [{"quote": {"rich_text": [], "children": [inner]}}]}}
    world.service.ui_insert(seen.native_id, native_of(seen, STATIC), toggle)
    seen = world.read(seen)
    after = world.write(seen, _reordered(seen, 0, 2, 3, 4, 5, 6, 1))
    assert [block.kind for block in after.doc.blocks[-2:]] == ["paragraph", "kept"]
    (quote,) = world.service.children_of(after.doc.blocks[-1].native)
    (deep,) = world.service.children_of(quote["id"])
    assert (deep["paragraph"]["color"], deep["paragraph"]["rich_text"][0]["plain_text"]) == ("red", "deep")


def test_colours_and_icons_go_along(world: World) -> None:
    seen = world.publish(_page(*(paragraph(f"line {number}") for number in range(3))))
    icon = {"type": "emoji", "emoji": "🔥"}
    callout: Json = {"callout": {"rich_text": _said("hot"), "icon": icon, "color": "red_background"}}
    world.service.ui_insert(seen.native_id, native_of(seen, STATIC), callout)
    seen = world.read(seen)
    world.write(seen, _reordered(seen, 0, 2, 3, 4, 1))
    copied = world.service.children_of(seen.native_id)[-1]["callout"]
    assert (copied["icon"]["emoji"], copied["color"]) == ("🔥", "red_background")


UNMOVABLE: list[Json] = [
    {"unsupported": {"block_type": "button"}},
    {"link_preview": {"url": "https://example.com/x"}},
    {"synced_block": {"synced_from": None, "children": [{"divider": {}}]}},
    {
        "column_list": {
            "children": [{"column": {"children": [{"divider": {}}]}}, {"column": {"children": [{"divider": {}}]}}]
        }
    },
    {"toggle": {"rich_text": _said("more"), "children": [{"synced_block": {"synced_from": None}}]}},
]


@pytest.mark.parametrize("block", UNMOVABLE)
def test_what_cannot_be_made_again_stays_and_the_others_go_around_it(world: World, block: Json) -> None:
    seen = world.publish(_page(*(paragraph(f"line {number}") for number in range(3))))
    foreign = world.service.ui_insert(seen.native_id, native_of(seen, STATIC), block)
    seen = world.read(seen)
    target = _reordered(seen, 0, 2, 3, 4, 1)
    assert _fit(world, seen, target).holds == ()
    after = world.write(seen, target)
    assert after.doc.blocks[-1].native == foreign
    assert after.doc.blocks == world.notion.project(target).blocks


# --- comments ---------------------------------------------------------------------------------------------------------


def test_a_block_with_comments_stays_and_the_others_go_around_it(world: World) -> None:
    seen = world.publish(_page(*(paragraph(f"line {number}") for number in range(4))))
    commented = native_of(seen, "line 0")
    world.service.ui_comment(commented, "why?")
    after = world.write(seen, _reordered(seen, 0, 2, 3, 4, 1))
    assert _texts(after)[1:] == ["line 1", "line 2", "line 3", "line 0"]
    assert after.doc.blocks[-1].native == commented


def test_comments_deep_inside_hold_what_is_around_them(world: World) -> None:
    seen = world.publish(_page(_item("list"), _item("inner", 1), *(paragraph(f"line {number}") for number in range(4))))
    world.service.ui_comment(native_of(seen, "inner"), "why?")
    after = world.write(seen, _reordered(seen, 0, 3, 4, 5, 6, 1, 2))
    assert _texts(after)[-2:] == ["list", "inner"]
    assert [block.native for block in after.doc.blocks[-2:]] == [block.native for block in seen.doc.blocks[1:3]]


def test_two_blocks_with_comments_cannot_change_places_and_that_is_said(world: World) -> None:
    seen = world.publish(_page(paragraph("first"), paragraph("second")))
    for text in ("first", "second"):
        world.service.ui_comment(native_of(seen, text), "why?")
    target = _reordered(seen, 0, 2, 1)
    fitted = _fit(world, seen, target)
    assert fitted.doc.blocks == seen.doc.blocks
    assert fitted.holds == ("The block “second” is not moved: people commented on it.",)
    assert world.write(seen, target).doc == seen.doc
    assert world.writes() == []


def test_a_block_with_comments_keeps_its_kind_and_takes_the_new_words(world: World) -> None:
    seen = world.publish(_page(Block("task", text_spans("do this"))))
    world.service.ui_comment(native_of(seen, "do this"), "why?")
    target = swapped(seen, 1, replace(seen.doc.blocks[1], kind="heading", level=2, spans=text_spans("Do that")))
    fitted = _fit(world, seen, target)
    assert fitted.holds == ("The block “do this” does not become a heading: people commented on it.",)
    after = world.write(seen, target)
    assert (after.doc.blocks[1].kind, after.doc.blocks[1].text) == ("task", "Do that")
    assert after.doc.blocks[1].native == seen.doc.blocks[1].native


def test_a_new_block_with_the_words_of_an_old_one_is_that_block_turned(world: World) -> None:
    seen = world.publish(_page(paragraph("the very words"), paragraph("else")))
    world.service.ui_comment(native_of(seen, "the very"), "why?")
    target = swapped(seen, 1, Block("quote", text_spans("the very words")))
    assert _fit(world, seen, target).doc.blocks == seen.doc.blocks


def _boxed(world: World) -> Observation:
    """A page with two lines, a toggle, in it a table with a row of ours, and one line more."""
    rows = tuple(
        Block("row", cells=(text_spans(text), text_spans(key))) for text, key in (("Event", "Details"), ("a", "T-1"))
    )
    seen = world.publish(_page(paragraph("one"), paragraph("two"), Block("table", header=True, rows=rows), paragraph("end")))
    toggle = world.service.ui_insert(seen.native_id, native_of(seen, "two"), {"toggle": {"rich_text": _said("box")}})
    table = next(block.native for block in seen.doc.blocks if block.kind == "table")
    world.service.ui_cut_and_paste([table], toggle, None)
    assert [block.kind for block in world.read(seen).doc.blocks].count("table") == 0
    assert world.notion.reread(world.table, seen.native_id, ["T-9"]).doc == world.read(seen).doc
    return world.notion.reread(world.table, seen.native_id, ["T-1"])


def test_a_table_that_somebody_put_into_a_box_is_worked_on_there(world: World) -> None:
    seen = _boxed(world)
    assert [block.kind for block in seen.doc.blocks][3:] == ["kept", "table", "paragraph"]
    table = seen.doc.blocks[4]
    new = Block("row", cells=(text_spans("b"), text_spans("T-2")))
    changed = replace(table.rows[1], cells=(text_spans("A"), text_spans("T-1")))
    after = world.write(seen, swapped(seen, 4, replace(table, rows=(table.rows[0], changed, new))))
    assert after.doc.blocks[4].native == table.native
    assert [row.text for row in after.doc.blocks[4].rows] == ["Event\tDetails", "A\tT-1", "b\tT-2"]
    assert natives_of(world.read(after).doc.blocks) == natives_of(after.doc.blocks)


@pytest.mark.parametrize("order", [(0, 3, 4, 1, 2, 5), (0, 1, 2, 4, 5, 3), (0, 4, 1, 2, 3, 5)])
def test_neither_a_box_with_our_table_nor_the_table_is_made_anew(world: World, order: tuple[int, ...]) -> None:
    seen = _boxed(world)
    after = world.write(seen, _reordered(seen, *order))
    assert sorted(_texts(after)) == sorted(_texts(seen))
    assert [b.native for b in after.doc.blocks if b.kind in ("kept", "table")] == [b.native for b in seen.doc.blocks[3:5]]


def test_a_block_moved_and_written_in_at_once_is_still_that_block(world: World) -> None:
    words = "The queue was full of retries for ten minutes."
    seen = world.publish(_page(paragraph(words), paragraph("second"), paragraph("third")))
    commented = native_of(seen, "The queue")
    world.service.ui_comment(commented, "why?")
    blocks = seen.doc.blocks
    target = replace(seen.doc, blocks=(blocks[0], *blocks[2:], paragraph(words.replace("ten", "eleven"))))
    after = world.write(seen, target)
    assert _texts(after)[1:] == ["second", "third", words.replace("ten", "eleven")]
    assert after.doc.blocks[-1].native == commented


def test_a_resolved_comment_holds_nothing(world: World) -> None:
    seen = world.publish(_page(paragraph("words"), paragraph("else")))
    thread = world.service.ui_comment(native_of(seen, "words"), "why?")
    world.service.ui_resolve(thread)
    target = swapped(seen, 1, replace(seen.doc.blocks[1], kind="quote"))
    assert world.write(seen, target).doc == world.notion.project(target)


def test_only_what_would_be_made_anew_is_asked_for_comments(world: World) -> None:
    seen = world.publish(_page(*(paragraph(f"line {number}") for number in range(90))))
    target = _reordered(seen, 0, 2, 1, *range(3, 91))
    _fit(world, seen, target)
    assert _asked(world) == 1
    world.write(seen, target)
    assert _asked(world) == 1  # what was asked since the page was read is still known
    world.service.requests.clear()
    world.write(world.read(seen), swapped(world.read(seen), 3, paragraph("other words")))
    assert _asked(world) == 0


@pytest.mark.parametrize("status", [403, 404])
def test_without_the_right_to_read_comments_nothing_is_made_anew(world: World, status: int) -> None:
    seen = world.publish(_page(paragraph("words"), paragraph("else")))
    world.wire.script.append(Fault("status", lambda method, path: path.startswith("/v1/comments"), status))
    target = swapped(seen, 1, replace(seen.doc.blocks[1], kind="quote"))
    (said,) = _fit(world, seen, target).holds
    assert said.endswith("this connection may not read whether people commented on it.")
    asked = _asked(world)
    assert world.write(world.read(seen), target).doc == seen.doc
    assert _asked(world) == asked  # it is known by now


def test_the_open_comments_on_the_page_itself_are_counted_in_one_request(world: World) -> None:
    seen = world.publish(_page(paragraph("words")))
    threads = [world.service.ui_comment(seen.native_id, "why?"), world.service.ui_comment(seen.native_id, "and how?")]
    world.service.ui_comment(native_of(seen, "words"), "on a block")
    world.service.requests.clear()
    assert world.notion.comments(world.table, seen.native_id) == 2
    assert [path.partition("?")[0] for _, path in world.service.requests] == ["/v1/comments"]
    world.service.ui_resolve(threads[0])
    assert world.notion.comments(world.table, seen.native_id) == 0


def test_a_connection_without_the_capability_counts_nothing_and_says_so_once(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    seen = world.publish(_page(paragraph("words")))
    world.service.gate.limit("ntn_sandbox", CAPABILITIES - {"read_comments"})
    assert [world.notion.comments(world.table, seen.native_id) for _ in range(2)] == [None, None]
    assert caplog.text.count("may not read comments") == 1


def test_a_page_that_is_not_found_says_nothing_of_comments_elsewhere(world: World) -> None:
    seen = world.publish(_page(paragraph("words"), paragraph("else")))
    assert world.notion.comments(world.table, "01234567-89ab-cdef-0123-456789abcdef") is None
    target = swapped(seen, 1, replace(seen.doc.blocks[1], kind="quote"))
    assert _fit(world, seen, target).holds == ()


# --- other things that cannot be --------------------------------------------------------------------------------------


def test_notes_that_people_put_under_a_row_hold_it(world: World) -> None:
    seen = world.publish(_page(_item("row"), paragraph("else")))
    world.service.ui_insert(native_of(seen, "row"), None, {"paragraph": {"rich_text": _said("a note")}})
    seen = world.read(seen)
    fitted = _fit(world, seen, _reordered(seen, 0, 2))
    assert fitted.doc.blocks == seen.doc.blocks
    assert fitted.holds == ("The block “row” is not removed: people put something into it.",)


def test_words_around_what_only_the_service_can_write_stay(world: World) -> None:
    seen = world.publish(_page(paragraph("words")))
    native = native_of(seen, "words")
    page = {"mention": {"type": "page", "page": {"id": seen.native_id}}}
    world.service.ui_edit_rich_text(native, [item for _ in range(60) for item in (*_said("a "), page)])
    seen = world.read(seen)
    target = swapped(seen, 1, replace(seen.doc.blocks[1], spans=(Span("New: "), *seen.doc.blocks[1].spans)))
    fitted = _fit(world, seen, target)
    assert "keeps its words" in fitted.holds[0]
    assert fitted.doc.blocks == seen.doc.blocks


def test_a_removed_list_goes_with_one_request(world: World) -> None:
    seen = world.publish(_page(_item("list"), _item("one", 1), _item("two", 1), paragraph("else")))
    after = world.write(seen, _reordered(seen, 0, 4))
    assert _texts(after)[1:] == ["else"]
    assert [method for method, _ in world.writes()] == ["DELETE"]


# --- any edit ---------------------------------------------------------------------------------------------------------

KINDS = st.sampled_from(["bullet", "task", "paragraph", "quote", "kept"])
START = st.lists(st.tuples(KINDS, st.integers(0, 2), st.booleans()), min_size=1, max_size=8)
WANTED = st.lists(st.tuples(st.integers(0, 7), KINDS, st.integers(0, 2)), max_size=8)


@settings(max_examples=120, deadline=None)
@given(START, WANTED)
def test_whatever_is_wanted_what_people_need_stays(
    start: list[tuple[Any, int, bool]], wanted: list[tuple[int, Any, int]]
) -> None:
    world = World()
    texts = [
        Block("paragraph" if k == "kept" else k, text_spans(f"block {n}"), depth=d) for n, (k, d, _) in enumerate(start)
    ]
    seen = world.publish(_page(*texts))
    for number, (kind, _, commented) in enumerate(start):
        native = native_of(seen, f"block {number}")
        if commented:
            world.service.ui_comment(native, "why?")
        if kind == "kept":
            world.service.ui_insert(seen.native_id, native if not seen.doc.blocks[number + 1].depth else None, UNMOVABLE[0])
    seen = world.read(seen)
    before = seen.doc.blocks
    needed = {b.native for b in before if b.kind == "kept"}
    needed |= {native_of(seen, f"block {n}") for n, (_, _, commented) in enumerate(start) if commented}
    target = []
    for index, kind, depth in wanted:
        block = before[index % len(before)]
        target.append(block if block.kind == "kept" or kind == "kept" else replace(block, kind=kind, depth=depth))
    mentioned = {block.native for block in target}
    fitted = _fit(world, seen, with_blocks(seen, target))
    after = world.write(seen, with_blocks(seen, target))
    assert after.doc == world.notion.project(fitted.doc)
    assert {n for n in needed if n in mentioned or n in {b.native for b in before if b.kind == "kept"}} <= {
        b.native for b in after.doc.blocks
    }
    world.service.requests.clear()
    again = _fit(world, after, after.doc)
    assert world.write(after, after.doc) is after
    assert (again.holds, world.writes()) == ((), [])
