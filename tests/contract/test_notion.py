"""The Notion provider against a workspace: what it writes, what it must not, and what it says when nobody knows."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapping.document import Block, Doc, Span, Spans, paragraph, text_spans
from providers.contract import (
    Done,
    Observation,
    RateLimited,
    Rejected,
    Stale,
    Unknown,
    Unreachable,
)
from providers.sandbox.faults import Fault, failing, rate_limited, writes
from tests.contract.notion_world import (
    BODY,
    DOC,
    PROPERTIES,
    STATIC,
    World,
    edited,
    index_of,
    inserted,
    native_of,
    natives_of,
    swapped,
    table_row,
    with_blocks,
    without_block,
)
from tests.unit.test_notion_blocks import BLOCKS


@pytest.fixture
def world() -> World:
    return World()


# --- publish and read -------------------------------------------------------------------------------------------------


def test_a_published_page_reads_as_projected(world: World) -> None:
    seen = world.publish()
    assert seen.doc == world.notion.project(DOC)
    assert seen.marker == "INC-12"
    assert seen.author == "Sandbox"
    assert world.read(seen).doc == seen.doc


def test_a_page_under_a_plain_page_has_no_properties_and_carries_its_marker_in_the_first_line(world: World) -> None:
    seen = world.publish(replace(DOC, properties=()), world.plain)
    assert seen.doc == world.notion.project(replace(DOC, properties=()))
    assert seen.marker == "INC-12"


def test_many_blocks_go_out_in_hundreds(world: World) -> None:
    many = Doc("Long", tuple(paragraph(f"line {n}") for n in range(150)), PROPERTIES)
    outcome = world.notion.create(world.table, many, "INC-12")
    assert isinstance(outcome, Done) and outcome.seen
    assert outcome.seen.doc == world.notion.project(many)
    assert len(world.writes()) == 2


def test_long_tables_and_deep_lists_are_complete(world: World) -> None:
    rows = tuple(table_row(f"{n}", "event", "") for n in range(230))
    deep = tuple(Block("bullet", text_spans(f"depth {depth}"), depth=depth) for depth in range(6))
    wide = tuple(Block("number", text_spans(f"item {n}"), depth=min(n, 1)) for n in range(120))
    table = Block("table", rows=rows, header=True)
    doc = Doc("Long", (paragraph(STATIC), table, *deep, *wide, paragraph("end")), PROPERTIES)
    assert world.publish(doc).doc == world.notion.project(doc)


def test_long_text_with_emoji_is_split_and_comes_back_whole(world: World) -> None:
    text = "x" * 1999 + "🎉" * 700 + "e\u0301" * 2000 + "end"
    seen = world.publish(Doc("T", (paragraph(STATIC), paragraph(text)), PROPERTIES))
    assert seen.doc.blocks[1].text == text
    assert world.write(seen, edited(seen, "xxx", text + "!")).doc.blocks[1].text == text + "!"


def test_what_is_kept_by_a_foreign_page_cannot_be_made_here(world: World) -> None:
    foreign = Block("kept", text_spans("Jira issues"), ref="k1234")
    seen = world.publish(replace(DOC, blocks=(*BODY, foreign)))
    assert seen.doc.blocks == world.notion.project(DOC).blocks


# --- the fewest writes ------------------------------------------------------------------------------------------------


def test_nothing_changed_writes_nothing(world: World) -> None:
    seen = world.publish()
    assert world.write(seen, seen.doc) is seen
    assert world.write(seen, world.read(seen).doc).doc == seen.doc
    assert world.writes() == []


def test_one_changed_paragraph_is_one_patch(world: World) -> None:
    seen = world.publish()
    target = edited(seen, "The queue", "The queue was very full.")
    after = world.write(seen, target)
    assert world.writes() == [("PATCH", f"/v1/blocks/{native_of(seen, 'The queue')}")]
    assert after.doc == world.notion.project(target)
    assert natives_of(after.doc.blocks) == natives_of(seen.doc.blocks)


def test_one_changed_cell_is_one_patch_of_its_row(world: World) -> None:
    seen = world.publish()
    index = index_of(seen, "Time\tEvent")
    table = seen.doc.blocks[index]
    row = replace(table.rows[1], cells=(text_spans("10:06"), *table.rows[1].cells[1:]))
    target = swapped(seen, index, replace(table, rows=(table.rows[0], row)))
    after = world.write(seen, target)
    assert world.writes() == [("PATCH", f"/v1/blocks/{row.native}")]
    assert after.doc == world.notion.project(target)
    assert natives_of(after.doc.blocks) == natives_of(seen.doc.blocks)


def test_new_rows_are_put_where_they_belong_with_one_request(world: World) -> None:
    seen = world.publish()
    index = index_of(seen, "Time\tEvent")
    table = seen.doc.blocks[index]
    rows = (table.rows[0], table_row("10:00", "Started"), table_row("10:01", "Paged", ""), table.rows[1])
    target = swapped(seen, index, replace(table, rows=rows))
    after = world.write(seen, target)
    assert world.writes() == [("PATCH", f"/v1/blocks/{table.native}/children")]
    assert after.doc == world.notion.project(target)


def test_a_new_task_is_one_request_and_a_removed_one_too(world: World) -> None:
    seen = world.publish()
    task = Block("task", text_spans("New FU-5"))
    after = world.write(seen, inserted(seen, index_of(seen, "Write it"), task))
    assert [block.text for block in after.doc.blocks][index_of(seen, "Write it")] == "New FU-5"
    assert world.writes() == [("PATCH", f"/v1/blocks/{seen.native_id}/children")]
    world.service.requests.clear()
    gone = native_of(after, "Write it")
    last = world.write(after, without_block(after, "Write it"))
    assert world.writes() == [("DELETE", f"/v1/blocks/{gone}")]
    assert gone not in natives_of(last.doc.blocks)


def test_a_tick_leaves_the_text_as_it_was(world: World) -> None:
    seen = world.publish()
    index = index_of(seen, "Add an alert")
    checked = replace(seen.doc.blocks[index], checked=True)
    after = world.write(seen, swapped(seen, index, checked))
    assert after.doc.blocks[index] == checked
    assert len(world.writes()) == 1


def test_properties_and_title_are_one_patch_of_what_changed(world: World) -> None:
    seen = world.publish()
    target = Doc("Renamed", seen.doc.blocks, (("incident", "INC-12"), ("severity", "SEV2"), ("status", "In review")))
    after = world.write(seen, target)
    assert after.doc == world.notion.project(target)
    assert world.writes() == [("PATCH", f"/v1/pages/{seen.native_id}")]


def test_a_block_turned_by_us_is_made_anew_and_others_stay(world: World) -> None:
    seen = world.publish()
    index = index_of(seen, "It took")
    target = swapped(seen, index, replace(seen.doc.blocks[index], kind="quote"))
    after = world.write(seen, target)
    assert after.doc == world.notion.project(target)
    assert set(natives_of(seen.doc.blocks)) - set(natives_of(after.doc.blocks)) == {seen.doc.blocks[index].native}


# --- people on the page -----------------------------------------------------------------------------------------------


def test_foreign_blocks_survive_our_writes_unchanged(world: World) -> None:
    seen = world.publish()
    at = native_of(seen, "The queue")
    service, page = world.service, seen.native_id
    service.ui_insert(page, at, {"toggle": {"rich_text": [{"text": {"content": "more"}}], "children": [{"divider": {}}]}})
    service.ui_insert(page, at, {"unsupported": {"block_type": "button"}})
    service.ui_insert(page, at, {"paragraph": {"rich_text": []}})
    foreign = [block for block in service.children_of(page) if block["type"] in ("toggle", "unsupported")]
    seen = world.read(seen)
    target = edited(_seen(seen, edited(seen, "The queue", "Changed.")), "It took", "Two hours.")
    after = world.write(seen, target)
    assert after.doc == world.notion.project(target)
    assert [block for block in service.children_of(page) if block["type"] in ("toggle", "unsupported")] == foreign


def _seen(seen: Observation, doc: Doc) -> Observation:
    return replace(seen, doc=doc)


def test_foreign_blocks_are_neither_moved_nor_removed(world: World) -> None:
    seen = world.publish()
    world.service.ui_insert(seen.native_id, None, {"unsupported": {"block_type": "button"}})
    seen = world.read(seen)
    without = with_blocks(seen, (block for block in seen.doc.blocks if block.kind != "kept"))
    assert world.write(seen, without).doc == seen.doc
    behind = with_blocks(seen, (*seen.doc.blocks[1:4], seen.doc.blocks[0], *seen.doc.blocks[4:]))
    after = world.write(seen, behind)
    assert after.doc.blocks == behind.blocks
    assert after.doc.blocks[3].native == seen.doc.blocks[0].native  # the others went around it


def test_a_persons_reorder_is_read_and_kept(world: World) -> None:
    seen = world.publish()
    world.service.ui_move(native_of(seen, "It took"), native_of(seen, "Summary"))
    moved = world.read(seen)
    assert index_of(moved, "It took") < index_of(moved, "The queue")
    assert sorted(natives_of(moved.doc.blocks)) == sorted(natives_of(seen.doc.blocks))
    assert world.write(moved, moved.doc) is moved


def test_our_reorder_makes_the_moved_block_anew(world: World) -> None:
    seen = world.publish()
    blocks = seen.doc.blocks
    target = with_blocks(seen, (*blocks[:2], blocks[3], blocks[2], *blocks[4:]))
    after = world.write(seen, target)
    assert after.doc == world.notion.project(target)
    assert len(set(natives_of(seen.doc.blocks)) - set(natives_of(after.doc.blocks))) == 1


def test_notes_under_a_follow_up_stay_when_it_is_edited_and_hold_it_when_it_should_go(world: World) -> None:
    seen = world.publish()
    task = native_of(seen, "Add an alert")
    world.service.ui_insert(task, None, {"paragraph": {"rich_text": [{"text": {"content": "a note"}}]}})
    seen = world.read(seen)
    after = world.write(seen, edited(seen, "Add an alert", "Add two alerts"))
    assert len(world.service.children_of(task)) == 1
    last = world.write(after, without_block(after, "Add two"))
    assert task in natives_of(last.doc.blocks)


def test_an_inline_thing_survives_an_edit_around_it(world: World) -> None:
    seen = world.publish()
    native = native_of(seen, "The queue")
    mention = {"mention": {"page": {"id": world.service.page_id}}}
    world.service.ui_edit_rich_text(native, [{"text": {"content": "See "}}, mention, {"text": {"content": " for more"}}])
    seen = world.read(seen)
    index = index_of(seen, "See")
    block = seen.doc.blocks[index]
    target = swapped(seen, index, replace(block, spans=(Span("Do see "), *block.spans[1:])))
    after = world.write(seen, target)
    assert after.doc == world.notion.project(target)
    (raw,) = (block for block in world.service.children_of(seen.native_id) if block["id"] == native)
    assert raw["paragraph"]["rich_text"][1]["mention"] == {"type": "page", "page": {"id": world.service.page_id}}


def test_a_column_that_a_person_added_stays_when_we_add_a_row(world: World) -> None:
    rows = (table_row("Time", "Event", "Details", "Theirs"), table_row("10:05", "Noticed", "T-1", "x"))
    wide = Block("table", rows=rows, header=True)
    seen = world.publish(replace(DOC, blocks=(paragraph(STATIC), wide)))
    table = seen.doc.blocks[1]
    target = swapped(seen, 1, replace(table, rows=(*table.rows, table_row("10:06", "Paged", ""))))
    after = world.write(seen, target)
    assert [len(row.cells) for row in after.doc.blocks[1].rows] == [4, 4, 4]
    grown = after.doc.blocks[1]
    wider = swapped(after, 1, replace(grown, rows=(*grown.rows, table_row("1", "2", "3", "4", "5"))))
    last = world.write(after, wider)
    assert last.doc == world.notion.project(wider)
    assert last.doc.blocks[1].native != grown.native


# --- races and failures -----------------------------------------------------------------------------------------------


def test_a_block_that_somebody_changed_is_not_overwritten(world: World) -> None:
    seen = world.publish()
    world.service.ui_edit_text(native_of(seen, "The queue"), "A person wrote this.")
    outcome = world.notion.write(world.table, seen, edited(seen, "The queue", "We write this."), "")
    assert isinstance(outcome, Stale)
    assert world.writes() == []
    assert "A person wrote this." in [block.text for block in world.read(seen).doc.blocks]


def test_an_edit_elsewhere_does_not_stop_the_write(world: World) -> None:
    seen = world.publish()
    world.service.ui_edit_text(native_of(seen, "It took"), "A person wrote this.")
    after = world.write(seen, edited(seen, "The queue", "We write this."))
    assert {"A person wrote this.", "We write this."} <= {block.text for block in after.doc.blocks}


@pytest.mark.parametrize("change", ["delete", "tick", "row", "property", "anchor"])
def test_each_kind_of_write_looks_first(world: World, change: str) -> None:
    seen = world.publish()
    service, index = world.service, index_of(seen, "Time\tEvent")
    table = seen.doc.blocks[index]
    target = seen.doc
    if change == "delete":
        target = without_block(seen, "It took")
        service.ui_edit_text(native_of(seen, "It took"), "It took two hours.")
    if change == "tick":
        target = without_block(seen, "Write it")
        service.ui_tick(native_of(seen, "Write it"), False)
    if change == "row":
        target = without_block(seen, "Time\tEvent")
        service.ui_edit_cell(table.rows[1].native, 1, "Noticed by a person")
    if change == "property":
        target = replace(seen.doc, title="Ours")
        service.ui_rename(seen.native_id, "Theirs")
    if change == "anchor":
        target = inserted(seen, index_of(seen, "It took") + 1, paragraph("new"))
        service.ui_delete(native_of(seen, "It took"))
    assert isinstance(world.notion.write(world.table, seen, target, ""), Stale)
    assert world.writes() == []


def test_a_page_that_moves_after_our_first_byte_is_unknown(world: World) -> None:
    seen = world.publish()
    world.service.ui_edit_text(native_of(seen, "It took"), "A person wrote this.")
    target = edited(_seen(seen, edited(seen, "The queue", "First.")), "It took", "Second.")
    outcome = world.notion.write(world.table, seen, target, "")
    assert isinstance(outcome, Unknown)
    assert len(world.writes()) == 1


UNSETTLED = [
    failing(503, writes),
    failing(502, writes),
    failing(504, writes, after_commit=True),
    Fault("reply_lost", writes),
    Fault("request_lost", writes),
]


@pytest.mark.parametrize("fault", UNSETTLED)
def test_an_unsettled_answer_to_a_create_is_unknown_and_never_repeated(world: World, fault: Fault) -> None:
    world.wire.script.append(fault)
    assert isinstance(world.notion.create(world.table, DOC, "INC-12"), Unknown)
    assert len(world.writes()) <= 1
    found = world.notion.find(world.table, "INC-12", DOC.title)
    assert (found is not None) == (fault.after_commit or fault.kind == "reply_lost")


@pytest.mark.parametrize("fault", UNSETTLED)
def test_an_unsettled_answer_to_an_append_is_unknown_and_never_repeated(world: World, fault: Fault) -> None:
    seen = world.publish()
    world.wire.script.append(fault)
    target = with_blocks(seen, (*seen.doc.blocks, paragraph("once")))
    assert isinstance(world.notion.write(world.table, seen, target, ""), Unknown)
    texts = [block.text for block in world.read(seen).doc.blocks]
    assert texts.count("once") == (fault.after_commit or fault.kind == "reply_lost")


def test_a_create_cut_off_in_the_middle_is_found_and_finished(world: World) -> None:
    many = Doc("Long", (paragraph(STATIC), *(paragraph(f"line {n}") for n in range(150))), PROPERTIES)
    world.wire.script.append(failing(503, lambda method, path: writes(method, path) and path.endswith("/children")))
    assert isinstance(world.notion.create(world.table, many, "INC-12"), Unknown)
    found = world.notion.find(world.table, "INC-12", "Long")
    assert found and len(found.doc.blocks) == 100
    target = replace(many, blocks=(*found.doc.blocks, *many.blocks[100:]))
    assert world.write(found, target).doc == world.notion.project(many)


def test_a_refused_connection_is_known_to_have_done_nothing(world: World) -> None:
    seen = world.publish()
    world.wire.script.append(Fault("refused", writes))
    outcome = world.notion.write(world.table, seen, edited(seen, "The queue", "x"), "")
    assert isinstance(outcome, Rejected) and isinstance(outcome.error, Unreachable)


def test_a_rate_limited_write_pauses_everyone_and_is_not_repeated(world: World) -> None:
    seen = world.publish()
    world.wire.script.append(rate_limited("90", writes))
    target = edited(seen, "The queue", "x")
    outcome = world.notion.write(world.table, seen, target, "")
    assert isinstance(outcome, Rejected) and isinstance(outcome.error, RateLimited)
    with pytest.raises(RateLimited):
        world.read(seen)
    world.pass_time(91)
    assert world.write(seen, target).doc == world.notion.project(target)


def test_a_conflict_is_stale(world: World) -> None:
    seen = world.publish()
    world.wire.script.append(Fault("status", writes, 409))
    assert isinstance(world.notion.write(world.table, seen, edited(seen, "The queue", "x"), ""), Stale)


def test_reads_are_patient(world: World) -> None:
    seen = world.publish()
    world.wire.script += [failing(502), failing(503), rate_limited("2")]
    assert world.read(seen).doc == seen.doc
    world.wire.script += [failing(504)] * 4
    with pytest.raises(Unreachable):
        world.read(seen)


# --- any document -----------------------------------------------------------------------------------------------------


def _known(spans: Spans) -> Spans:
    """Mentions of people who are in the workspace, or of nobody."""
    return tuple(replace(span, ref="ada@example.com") if span.ref.startswith("account:") else span for span in spans)


def _of_the_workspace(block: Block) -> Block:
    cells = tuple(_known(cell) for cell in block.cells)
    return replace(block, spans=_known(block.spans), cells=cells, rows=tuple(_of_the_workspace(row) for row in block.rows))


@settings(max_examples=80, deadline=None)
@given(BLOCKS)
def test_what_we_wrote_reads_back_as_no_change(blocks: list[Block]) -> None:
    world = World()
    rows = [tuple(replace(row, cells=tuple(_known(cell) for cell in row.cells)) for row in b.rows) for b in blocks]
    doc = Doc(
        "T", (paragraph(STATIC), *(replace(b, spans=_known(b.spans), rows=r) for b, r in zip(blocks, rows, strict=True)))
    )
    seen = world.publish(doc)
    assert seen.doc.blocks == world.notion.project(doc).blocks
    assert world.write(seen, seen.doc) is seen
    assert world.writes() == []


# --- any edit ---------------------------------------------------------------------------------------------------------


KINDS = st.sampled_from(["edit", "insert", "remove", "move", "nest", "turn"])
EDIT = st.tuples(KINDS, st.integers(0, 30), st.integers(0, 30))
NEW = (paragraph("new"), Block("bullet", text_spans("new")), Block("task", text_spans("new")), Block("divider"))


def _after(blocks: list[Block], edit: tuple[str, int, int]) -> list[Block]:
    what, one, two = edit
    index, other = one % len(blocks), two % len(blocks)
    block = blocks[index]
    if what == "insert":
        new = replace(NEW[two % 4], depth=two % 3 if two % 4 in (1, 2) else 0)
        return [*blocks[:index], new, *blocks[index:]]
    if what == "remove":
        return [*blocks[:index], *blocks[index + 1 :]] if len(blocks) > 1 else blocks
    rest = [*blocks[:index], *blocks[index + 1 :]]
    if what == "move":
        return [*rest[:other], block, *rest[other:]]
    if what == "edit" and block.spans and block.kind != "kept":
        block = replace(block, spans=text_spans(f"edited {two}"))
    if what == "nest" and block.kind in ("bullet", "task"):
        block = replace(block, depth=two % 3)
    if what == "turn" and block.kind in ("paragraph", "quote"):
        block = replace(block, kind="quote" if block.kind == "paragraph" else "paragraph")
    return [*blocks[:index], block, *blocks[index + 1 :]]


@settings(max_examples=60, deadline=None)
@given(st.lists(EDIT, min_size=1, max_size=6))
def test_after_any_edits_a_second_pass_writes_nothing(edits: list[tuple[str, int, int]]) -> None:
    world = World()
    seen = world.publish()
    world.service.ui_insert(seen.native_id, native_of(seen, "The queue"), {"unsupported": {"block_type": "button"}})
    seen = world.read(seen)
    blocks = list(seen.doc.blocks)
    for edit in edits:
        blocks = _after(blocks, edit)
    after = world.write(seen, replace(seen.doc, blocks=tuple(blocks)))
    wanted = world.notion.project(replace(seen.doc, blocks=tuple(blocks)))
    assert {block.text for block in wanted.blocks} <= {block.text for block in after.doc.blocks}
    assert sum(block.kind == "kept" for block in after.doc.blocks) == 1
    structural = {what for what, _, _ in edits} & {"move", "nest", "remove", "turn"}
    if not structural:
        assert after.doc == wanted
    world.service.requests.clear()
    assert world.write(after, after.doc) is after
    assert world.writes() == []
