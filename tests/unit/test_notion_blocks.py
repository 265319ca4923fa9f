"""Blocks to Notion's JSON and back: nothing said is lost, nothing foreign is touched."""

import json
import string
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapping.document import Block, Mark, Span, Spans, heading, paragraph, plain, text_spans
from mapping.notion_blocks import NativeBlock, as_written, decode, encode, inline_kept, payload_update, project
from mapping.notion_plan import batches, forest
from mapping.notion_text import MOST_ITEMS, MOST_UNITS, Accounts, pieces, rich_text, spans

ADA = "11111111-1111-4111-8111-111111111111"
GRACE = "22222222-2222-4222-8222-222222222222"
PEOPLE = Accounts({"ada@example.com": ADA, "grace@example.com": GRACE}, {ADA: "Ada Byron", GRACE: "Grace Hopkins"})
BOLD: frozenset[Mark] = frozenset({"bold"})


def _item(item: dict[str, Any]) -> dict[str, Any]:
    """A written item as the service shows it."""
    shown = item["text"]["content"] if item["type"] == "text" else item.get("plain_text", "@Ada Byron")
    look = {"annotations": {"color": "default", **item.get("annotations", {})}, "plain_text": shown}
    return {**item, **look}


def _native(block: Block, number: int, accounts: Accounts = PEOPLE) -> NativeBlock:
    """A block as it reads back after `encode`."""
    body = encode(block, accounts)
    name = body["type"]
    payload = dict(body[name])
    for key in ("rich_text", "cells"):
        if key == "rich_text" and key in payload:
            payload[key] = [_item(item) for item in payload[key]]
        elif key in payload:
            payload[key] = [[_item(item) for item in cell] for cell in payload[key]]
    rows = tuple(_native(row, number * 100 + n) for n, row in enumerate(block.rows))
    raw = {"id": f"id-{number}", "type": name, "has_children": bool(rows), name: payload}
    return NativeBlock(raw, rows)


def _tree(blocks: Iterable[Block]) -> list[NativeBlock]:
    """Blocks as they read back, items nested by depth."""
    roots: list[tuple[Block, NativeBlock]] = []
    for number, block in enumerate(blocks, 1):
        node = _native(block, number)
        roots.append((block, node))
    return _nested(roots, 0)


def _nested(flat: list[tuple[Block, NativeBlock]], depth: int) -> list[NativeBlock]:
    found: list[NativeBlock] = []
    index = 0
    while index < len(flat):
        end = index + 1
        while end < len(flat) and flat[end][0].depth > depth:
            end += 1
        node = flat[index][1]
        inner = _nested(flat[index + 1 : end], depth + 1)
        found.append(NativeBlock({**node.raw, "has_children": bool(inner or node.children)}, (*node.children, *inner)))
        index = end
    return found


def _row(*cells: str) -> Block:
    return Block("row", cells=tuple(text_spans(cell) for cell in cells))


FOLLOW_UP = Block(
    "task",
    (
        Span("Add an alert ", marks=frozenset()),
        Span("Ada Byron", "mention", "ada@example.com"),
        Span(" due "),
        Span("2026-12-01", "date", "2026-12-01"),
        Span(" "),
        Span("FU-3", marks=frozenset({"code"}), link="https://syncd.example.com/FU-3"),
    ),
)
PAGE = (
    paragraph("In step with incident INC-12"),
    heading("Details"),
    Block("table", rows=(_row("Severity", "SEV1"), _row("Lead", "")), hint="details"),
    Block("panel", text_spans("Who noticed?\nFor how long?")),
    Block("bullet", text_spans("one")),
    Block("number", text_spans("inner"), depth=1),
    Block("bullet", text_spans("innermost"), depth=2),
    FOLLOW_UP,
    Block("task", (Span("Not worth it", marks=frozenset({"strike"})),), checked=True),
    Block("code", text_spans("  SELECT 1;\n"), language="sql"),
    Block("quote", text_spans("said")),
    Block("divider"),
    heading("Deep", 4),
)


def test_a_page_reads_back_as_projected() -> None:
    assert tuple(replace(block, native="") for block in decode(_tree(PAGE), PEOPLE)) == project(PAGE, PEOPLE) == PAGE


def test_every_block_and_row_has_its_own_native() -> None:
    blocks = decode(_tree(PAGE), PEOPLE)
    natives = [block.native for block in blocks] + [row.native for block in blocks for row in block.rows]
    assert all(natives) and len(set(natives)) == len(natives)


@pytest.mark.parametrize(
    ("given", "reads"),
    [
        (Span("Completed", "status", "green"), Span("Completed")),
        (Span("Joan", "mention", "joan@example.com"), Span("@Joan")),
        (Span("A. Byron", "mention", "ada@example.com"), Span("Ada Byron", "mention", "ada@example.com")),
        (Span("A. Byron", "mention", f"account:{ADA}"), Span("Ada Byron", "mention", "ada@example.com")),
        (Span("next week", "date", "next week"), Span("next week")),
        (Span("here", link="#anchor"), Span("here")),
        (Span("mail", link="mailto:ada@example.com"), Span("mail")),
        (Span("a\u00a0b\r\nc"), Span("a b\nc")),
    ],
)
def test_what_the_service_cannot_say_is_projected(given: Span, reads: Span) -> None:
    assert project([Block("paragraph", (given,))], PEOPLE) == (Block("paragraph", (reads,)),)


def test_blocks_are_projected() -> None:
    blocks = (
        heading("Six", 6),
        paragraph("  "),
        Block("bullet", text_spans("too deep"), depth=3),
        Block("code", text_spans("x"), language="py"),
        Block("code", text_spans("x"), language="intercal"),
        Block("table", rows=(_row("a", "b", "c"), _row("d"))),
        Block("table"),
    )
    six, bullet, python, unknown, table = project(blocks, PEOPLE)
    assert six.level == 4
    assert bullet.depth == 0
    assert (python.language, unknown.language) == ("python", "")
    assert [len(row.cells) for row in table.rows] == [3, 3]


WORDS = st.text(alphabet=string.ascii_letters + " \n\u00a0é🎉", max_size=12)
MARKS = st.frozensets(st.sampled_from(["bold", "italic", "strike", "code", "underline"]), max_size=2)
LINKS = st.sampled_from(["", "", "https://example.com/a", "ftp://example.com", "#x"])
REFS = st.sampled_from(["ada@example.com", "x@example.com", f"account:{ADA}"])
SPANS = st.lists(
    st.builds(Span, WORDS, st.just("text"), st.just(""), MARKS, LINKS)
    | st.builds(
        lambda ref: Span("Ada", "mention", ref), st.sampled_from(["ada@example.com", "x@example.com", f"account:{ADA}"])
    )
    | st.builds(lambda ref: Span(ref, "date", ref), st.sampled_from(["2026-12-01", "soon"]))
    | st.builds(lambda text: Span(text, "status", "blue"), WORDS),
    max_size=5,
).map(tuple)
TABLES = st.lists(st.lists(SPANS, max_size=3).map(lambda cells: Block("row", cells=tuple(cells))), max_size=3)
BLOCKS = st.lists(
    st.builds(Block, st.sampled_from(["paragraph", "quote", "panel", "divider"]), SPANS)
    | st.builds(Block, st.just("heading"), SPANS, level=st.integers(1, 6))
    | st.builds(Block, st.sampled_from(["bullet", "number", "task"]), SPANS, depth=st.integers(0, 3), checked=st.booleans())
    | st.builds(Block, st.just("code"), SPANS, language=st.sampled_from(["", "sql", "js", "Python", "none"]))
    | st.builds(lambda rows, head: Block("table", rows=tuple(rows), header=head), TABLES, st.booleans()),
    max_size=6,
)


@settings(max_examples=150)
@given(BLOCKS)
def test_projection_is_what_reads_back_and_is_stable(blocks: list[Block]) -> None:
    once = project(blocks, PEOPLE)
    assert project(once, PEOPLE) == once
    assert project(decode(_tree(as_written(blocks, PEOPLE)), PEOPLE), PEOPLE) == once


# --- rich text --------------------------------------------------------------------------------------------------------


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


@pytest.mark.parametrize("text", ["x" * 4001, "🎉" * 1501, "x" * 1999 + "🎉x", "e\u0301" * 1500, ("👩\u200d💻" * 500)])
def test_long_text_is_split_between_characters(text: str) -> None:
    found = pieces(text)
    assert "".join(found) == text
    assert all(0 < _units(piece) <= MOST_UNITS for piece in found)
    assert not any(piece[0] in "\u0301\u200d💻" for piece in found)


FAMILY = "👩\u200d👩\u200d👧\u200d👦"
ENGLAND = "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"


@pytest.mark.parametrize("one", ["🇩🇪", ENGLAND, FAMILY, "👍🏽", "1\ufe0f\u20e3", "한", "नि", "क्ष", "ก็", "\r\n"])
@pytest.mark.parametrize("before", range(3))
def test_no_character_is_cut_whatever_it_is_made_of(one: str, before: int) -> None:
    text = "x" * before + one * 1500
    found = pieces(text)
    assert "".join(found) == text
    assert all(piece.removeprefix("x" * before).replace(one, "") == "" for piece in found)


def test_too_many_formats_are_given_up_before_any_word_is() -> None:
    many: Spans = tuple(Span(f"w{n} ", marks=BOLD if n % 2 else frozenset()) for n in range(150))
    (read,) = project([Block("paragraph", many)], PEOPLE)
    assert len(rich_text(read.spans, PEOPLE)) <= MOST_ITEMS
    assert plain(read.spans) == plain(many).strip()
    assert project([read], PEOPLE) == (read,)


def _text(content: str, color: str = "default", **marks: bool) -> dict[str, Any]:
    look = {"annotations": {"color": color, **marks}, "plain_text": content, "href": None}
    return {"type": "text", "text": {"content": content, "link": None}, **look}


def _mention(kind: str, target: dict[str, Any], shown: str) -> dict[str, Any]:
    look = {"annotations": {"color": "default"}, "plain_text": shown, "href": None}
    return {"type": "mention", "mention": {"type": kind, kind: target}, **look}


EQUATION = {
    "type": "equation",
    "equation": {"expression": "e=mc^2"},
    "annotations": {"color": "red"},
    "plain_text": "e=mc^2",
}


def _paragraph(*items: dict[str, Any], **more: Any) -> NativeBlock:
    raw = {"id": "p", "type": "paragraph", "has_children": False, "paragraph": {"rich_text": list(items), "color": "blue"}}
    return NativeBlock({**raw, **more})


def _patch(node: NativeBlock, after: Block) -> Any:
    (before,) = decode([node], PEOPLE)
    (after,) = as_written([after], PEOPLE)
    return payload_update(before, after, node, PEOPLE, inline_kept([node], PEOPLE))


def test_words_keep_their_colour_when_the_block_is_rewritten() -> None:
    node = _paragraph(_text("It was "), _text("very bad", "red"), _text(" indeed"))
    body = _patch(node, paragraph("It was really very bad, indeed"))
    items = body["paragraph"]["rich_text"]
    assert [item["text"]["content"] for item in items if item.get("annotations") == {"color": "red"}] == ["very bad"]
    assert "color" not in body["paragraph"]


def test_inline_things_are_written_back_as_they_were() -> None:
    page = _mention("page", {"id": GRACE}, "Runbook")
    node = _paragraph(_text("see "), page, _text(" and "), EQUATION)
    (before,) = decode([node], PEOPLE)
    assert [span.kind for span in before.spans] == ["text", "kept", "text", "kept"]
    after = replace(before, spans=(Span("please "), *before.spans))
    sent = _patch(node, after)["paragraph"]["rich_text"]
    assert sent[1]["mention"] == {"type": "page", "page": {"id": GRACE}}
    assert sent[3]["equation"] == {"expression": "e=mc^2"}
    assert sent[3]["annotations"]["color"] == "red"


def test_a_renamed_page_keeps_its_token() -> None:
    one, two = (spans([_mention("page", {"id": GRACE}, name)], PEOPLE)[0].ref for name in ("Runbook", "Playbook"))
    assert one == two


def test_an_inline_thing_from_elsewhere_is_left_out() -> None:
    assert rich_text((Span("a "), Span("b", "kept", "k00000000"), Span("c")), PEOPLE)[-1]["text"]["content"] == "c"


def test_a_pasted_link_becomes_text_with_a_link() -> None:
    item = _mention("link_mention", {"href": "https://example.com/x", "title": "X"}, "https://example.com/x")
    assert spans([item], PEOPLE) == (Span("https://example.com/x", link="https://example.com/x"),)


def test_a_person_unknown_to_us_is_mentioned_by_account() -> None:
    item = _mention("user", {"id": "33333333-3333-4333-8333-333333333333", "name": "Joan"}, "@Joan")
    (span,) = spans([item], PEOPLE)
    assert span == Span("Joan", "mention", "account:33333333-3333-4333-8333-333333333333")
    assert rich_text([span], PEOPLE)[0]["mention"]["user"]["id"] == "33333333-3333-4333-8333-333333333333"


# --- updates ----------------------------------------------------------------------------------------------------------


def test_a_tick_leaves_the_text_alone() -> None:
    payload = {"rich_text": [_text("do it")], "checked": False, "color": "red"}
    node = NativeBlock({"id": "t", "type": "to_do", "to_do": payload})
    (before,) = decode([node], PEOPLE)
    assert _patch(node, replace(before, checked=True)) == {"to_do": {"checked": True}}


def test_a_rewritten_call_out_keeps_icon_and_colour() -> None:
    payload = {"rich_text": [_text("old")], "icon": {"type": "emoji", "emoji": "🔥"}, "color": "red_background"}
    node = NativeBlock({"id": "c", "type": "callout", "callout": payload})
    assert set(_patch(node, Block("panel", text_spans("new")))["callout"]) == {"rich_text"}


# --- requests ---------------------------------------------------------------------------------------------------------


def _levels(body: dict[str, Any]) -> list[list[dict[str, Any]]]:
    """The block and all below it, level by level."""
    found = [[body]]
    while below := [child for block in found[-1] for child in block[block["type"]].get("children", ())]:
        found.append(below)
    return found


DEPTHS = st.lists(st.integers(0, 4), max_size=400).map(
    lambda depths: [Block("bullet", text_spans(f"item {n}"), depth=depth) for n, depth in enumerate(depths)]
)
SIZES = st.lists(st.integers(1, 60_000), max_size=20).map(lambda sizes: [paragraph("é" * size) for size in sizes])
LONG = st.integers(1, 350).map(lambda count: [Block("table", rows=(_row("a", "b"),) * count)])


@settings(max_examples=40, deadline=None)
@given(st.lists(DEPTHS | SIZES | LONG, max_size=4))
def test_every_request_is_within_the_limits_and_none_is_empty(runs: list[list[Block]]) -> None:
    blocks = [block for run in runs for block in run]
    waiting, made = [forest(blocks, PEOPLE)], 0
    while waiting:
        for batch in batches(waiting.pop()):
            levels = [_levels(body) for body in batch.children]
            made += sum(len(level) for found in levels for level in found)
            waiting += batch.rest.values()
            assert 0 < len(batch.children) <= 100
            assert max(len(found) for found in levels) <= 3
            assert sum(len(level) for found in levels for level in found) <= 1000
            assert len(json.dumps(batch.children, ensure_ascii=False).encode()) < 500_000
    assert made == len(blocks) + sum(len(block.rows) for block in blocks)


# --- foreign things ---------------------------------------------------------------------------------------------------


def _raw(kind: str, payload: dict[str, Any], **more: Any) -> NativeBlock:
    return NativeBlock({"id": f"{kind}-id", "type": kind, "has_children": False, kind: payload, **more})


@pytest.mark.parametrize(
    "node",
    [
        _raw("toggle", {"rich_text": [_text("more")], "color": "default"}, has_children=True),
        _raw("callout", {"rich_text": [_text("a")], "icon": None, "color": "default"}, has_children=True),
        _raw("column_list", {}, has_children=True),
        _raw("child_page", {"title": "Notes"}),
        _raw("unsupported", {"block_type": "button"}),
        _raw("hologram", {"depth": 3}),
        NativeBlock({"object": "block", "id": "hidden"}),
    ],
)
def test_what_a_doc_cannot_say_is_kept(node: NativeBlock) -> None:
    (block,) = decode([node], PEOPLE)
    assert block.kind == "kept" and block.text and block.ref
    assert project([block], PEOPLE) == (block,)


def test_equal_foreign_blocks_are_told_apart() -> None:
    one, two = decode([_raw("unsupported", {}), _raw("unsupported", {})], PEOPLE)
    assert two.ref == f"{one.ref}-2"


def test_a_picture_keeps_its_token_though_its_address_is_signed_anew() -> None:
    def picture(signature: str) -> NativeBlock:
        file = {"url": f"https://files.example.com/a.png?sig={signature}", "expiry_time": f"2026-11-23T0{signature}:00:00Z"}
        return _raw("image", {"type": "file", "file": file, "caption": []})

    assert decode([picture("1")], PEOPLE)[0].ref == decode([picture("2")], PEOPLE)[0].ref


def test_notes_under_a_follow_up_that_are_no_list_items_are_not_mentioned() -> None:
    note = _paragraph(_text("a remark"))
    inner = _raw("bulleted_list_item", {"rich_text": [_text("a step")], "color": "default"})
    task = _raw("to_do", {"rich_text": [_text("do")], "checked": False, "color": "default"}, has_children=True)
    blocks = decode([NativeBlock(task.raw, (note, inner))], PEOPLE)
    assert [(block.text, block.depth) for block in blocks] == [("do", 0), ("a step", 1)]


def test_empty_paragraphs_are_not_content() -> None:
    assert decode([_paragraph(), _paragraph(_text(" \u00a0"))], PEOPLE) == ()


def test_a_request_takes_what_fits_by_its_bytes_and_not_by_a_guess() -> None:
    spans = tuple(Span(f"{number}", marks=BOLD if number % 2 else frozenset()) for number in range(40))
    (request,) = batches(forest([Block("paragraph", spans)] * 100, PEOPLE))
    assert 200_000 < len(json.dumps(request.children)) < 400_000
