"""Prose as Markdown: what a person reads and gives back is what the store holds."""

from dataclasses import replace
from difflib import unified_diff
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapping.document import Block, Mark, Span, Spans, heading, paragraph, text_spans
from mapping.front_matter import FrontMatterError
from mapping.markdown import from_markdown, to_markdown
from mapping.markdown_page import MarkdownPage, parse_page, project
from mapping.markdown_parse import tidy
from mapping.markdown_render import Where, _read_back, _simply, levels, store_atom
from mapping.markdown_splice import splice

ADA = Span("Ada Byron", "mention", "ada@example.com")
REAL = Path(__file__).parents[3] / "shared" / "data" / "postmortems"

# --- everything there is, both ways -----------------------------------------------------------------------------------

CHARACTERS = st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp"), exclude_characters="\xa0")
TEXT = st.one_of(
    st.text(st.sampled_from("ab1 *_[]<>|#`~!&;-+=.()\\:\n@é😀א"), min_size=1, max_size=8),
    st.text(CHARACTERS, min_size=1, max_size=6),
    st.sampled_from(
        ["<script>", "&amp;", "1. x", "- y", "# z", "---", "a_b", "[x](y)", "```", "> q", "~10:05", "https://e.org/_a_"]
    ),
)
MARKS: st.SearchStrategy[frozenset[Mark]] = st.frozensets(
    st.sampled_from(["bold", "italic", "strike", "code", "underline"]), max_size=3
)
LINKS = st.sampled_from(["", "", "", "https://example.com/a_(b)?c=d&e=f", "relative path.md"])
SPAN = st.one_of(
    st.builds(lambda text: Span(text), TEXT),
    st.builds(lambda text, marks, link: Span(text, marks=marks, link=link), TEXT, MARKS, LINKS),
    st.just(Span("Ada Byron", "mention", "ada@example.com")),
    st.just(Span("Grace [ops]", "mention", "account:5f:1")),
    st.just(Span("party *hat*", "kept", "k77a")),
    st.just(Span("", "mention", "account:5f:2")),
    st.just(Span("Queue [depth]!", "image", link=f"/attachments/{'0f' * 16}.png")),
    st.just(Span("party *hat* [x]", "image", link="https://example.com/a_(b).png?x=1&amp;y")),
    st.just(Span("2026-12-01", "date", "2026-12-01")),
    st.sampled_from([Span("In review", "status", "yellow"), Span("", "status", "grey")]),
)
SPANS = st.lists(SPAN, max_size=4).map(tidy)
SOME = SPANS.filter(bool)


def table(width: int, rows: list[list[Spans]], header: bool) -> Block:
    filled = [tuple((row + [()] * width)[:width]) for row in rows]
    if header and not any(filled[0]):
        filled[0] = (text_spans("Time"), *filled[0][1:])
    return Block("table", header=header, rows=tuple(Block("row", cells=cells) for cells in filled))


BLOCK = st.one_of(
    st.builds(lambda spans: Block("paragraph", spans), SOME),
    st.builds(lambda spans, level: Block("heading", spans, level=level), SPANS, st.integers(1, 6)),
    st.builds(
        lambda spans, kind, depth: Block(kind, spans, depth=depth),
        SPANS,
        st.sampled_from(["bullet", "number"]),
        st.integers(0, 3),
    ),
    st.builds(
        lambda spans, depth, checked: Block("task", spans, depth=depth, checked=checked),
        SPANS,
        st.integers(0, 3),
        st.booleans(),
    ),
    st.builds(
        lambda text, language: Block("code", text_spans(text), language=language), TEXT, st.sampled_from(["", "python"])
    ),
    st.builds(Block, st.just("quote"), SPANS),
    st.builds(Block, st.just("panel"), SPANS, language=st.sampled_from(["", "tip", "warning", "caution"])),
    st.just(Block("divider")),
    st.builds(table, st.integers(1, 3), st.lists(st.lists(SPANS, max_size=3), min_size=1, max_size=3), st.booleans()),
    st.builds(lambda n: Block("kept", text_spans("Jira [issues] #1"), ref=f"k{n}"), st.integers(1000, 9999)),
)


def settled(blocks: list[Block]) -> tuple[Block, ...]:
    """Depths as a list can have them: no item two deeper than the one before."""
    joins = lambda block: block.kind not in ("bullet", "number", "task", "heading")  # noqa: E731
    deep = levels(blocks, joins)
    return tuple(
        Block(b.kind, b.spans, depth=d, checked=b.checked) if b.kind in ("bullet", "number", "task") else b
        for b, d in zip(blocks, deep, strict=True)
    )


WORDY = st.text(st.sampled_from("ab1 é.,;:)(%/-+@'\"?$_*`[2"), min_size=1, max_size=6)
MARK = st.one_of(
    st.just(frozenset[Mark]()), st.sampled_from(["bold", "italic", "strike", "code"]).map(lambda m: frozenset([m]))
)
WORDS = st.one_of(
    st.builds(lambda text, marks: Span(text, marks=marks), WORDY, MARK),
    st.builds(lambda text: Span(text, link="https://example.com/a-b?c=%20#d_e"), WORDY),
    st.just(ADA),
)


@settings(max_examples=300)
@given(st.lists(WORDS, max_size=5).map(tidy), st.sampled_from(["lines", "heading", "cell"]))
def test_what_is_written_without_reading_it_back_would_read_back(spans: Spans, where: Where) -> None:
    text = _simply(spans, where, store_atom)
    assert not text or _read_back(text, where) == spans


@pytest.mark.parametrize(
    "text",
    [
        "Plain words, a `code_span` and **bold**.",
        "(*a*, [b](https://e.org/x)) c",
        "Ask [@Ada Byron](mailto:ada@example.com)",
    ],
)
def test_simple_prose_is_written_without_reading_it_back(text: str) -> None:
    spans = from_markdown(f"x {text}")[0].spans
    assert _simply(spans, "lines", store_atom) == f"x {text}"


@settings(max_examples=150, deadline=None)
@given(st.lists(BLOCK, max_size=5).map(settled))
def test_what_is_shown_reads_back_as_it_was(blocks: tuple[Block, ...]) -> None:
    assert from_markdown(to_markdown(blocks)) == blocks


@settings(max_examples=100, deadline=None)
@given(st.text(st.sampled_from("ab *_[]<>|#`~!&;-+=.()\\:\n\t1>é😀"), max_size=60))
def test_anything_a_person_types_settles_at_once(text: str) -> None:
    shown = to_markdown(from_markdown(text))
    assert to_markdown(from_markdown(shown)) == shown


@pytest.mark.parametrize(
    "text",
    [
        *(
            "*_[]<>|#",
            "<script>alert(1)</script>",
            "שלום עולם",
            "😀 party",
            "1. not a list",
            "- nor this",
            "# nor a heading",
        ),
        *(
            "a_b and _c_",
            "~10:05 and ~10:10",
            "C:\\temp\\*",
            "[ ] not a task",
            "&amp; stays",
            "| a | b |\n|---|---|",
            "a\nb",
        ),
    ],
)
def test_text_comes_back_as_itself(text: str) -> None:
    assert from_markdown(to_markdown([paragraph(text)])) == (paragraph(text),)
    item = Block("bullet", text_spans(text))
    assert from_markdown(to_markdown([item])) == (item,)


def test_it_reads_like_markdown_that_a_person_wrote() -> None:
    blocks = [
        heading("Impact"),
        Block("paragraph", (Span("It was "), Span("bad", marks=frozenset({"bold"})), Span(", said "), ADA, Span("."))),
        Block("bullet", text_spans("one")),
        Block("bullet", text_spans("two"), depth=1),
        Block("task", (Span("fix "), Span("FU-3", marks=frozenset({"code"}))), checked=True),
        Block("kept", text_spans("Jira issues"), ref="k3f2"),
    ]
    assert to_markdown(blocks) == (
        "## Impact\n\nIt was **bad**, said [@Ada Byron](mailto:ada@example.com).\n\n"
        "- one\n  - two\n- [x] fix `FU-3`\n\n[kept: Jira issues #k3f2]\n"
    )


def test_kept_lines_stand_alone_wherever_a_person_moves_them() -> None:
    blocks = from_markdown("before\n[kept: Jira issues #k3f2]\nafter\n\n- item\n\n  [kept: Map #k1]\n")
    assert [block.kind for block in blocks] == ["paragraph", "kept", "paragraph", "bullet", "kept"]
    assert [block.ref for block in blocks if block.kind == "kept"] == ["k3f2", "k1"]


def test_what_looks_like_a_kept_line_in_code_or_escaped_is_text() -> None:
    text = "[kept: Jira #k1]"
    assert from_markdown(f"```\n{text}\n```\n") == (Block("code", text_spans(text)),)
    assert from_markdown(to_markdown([paragraph(text)])) == (paragraph(text),)


def test_dates_and_statuses_are_links_that_say_what_they_are() -> None:
    spans = (Span("due "), Span("2026-12-01", "date", "2026-12-01"), Span(" "), Span("In review", "status", "yellow"))
    assert to_markdown([Block("paragraph", spans)]) == "due [2026-12-01](date:2026-12-01) [In review](status:yellow)\n"


def test_panels_keep_their_kind() -> None:
    text = "> [!NOTE]\n> a\n\n> [!TIP]\n> b\n\n> [!WARNING]\n> c\n\n> [!CAUTION]\n> d\n"
    assert [block.language for block in from_markdown(text)] == ["", "tip", "warning", "caution"]
    assert to_markdown(from_markdown(text)) == text
    assert to_markdown(from_markdown("> [!IMPORTANT]\n> e\n")) == "> [!WARNING]\n> e\n"


def test_pictures_become_links_and_html_stays_as_text() -> None:
    assert from_markdown("![graph](a.png)") == (Block("paragraph", (Span("graph", link="a.png"),)),)
    assert from_markdown("<div>\nx\n</div>\n") == (paragraph("<div>\nx\n</div>"),)
    assert from_markdown("a <sub>b</sub> <u>c</u>")[0].text == "a <sub>b</sub> c"


def test_footnote_marks_stay_as_they_are_written() -> None:
    text, note = from_markdown("Two of them failed[^why].\n\n[^why]: Nobody knows.\n")
    assert (text.text, note.text) == ("Two of them failed[^why].", "[^why]: Nobody knows.")


def test_a_fence_is_longer_than_any_inside() -> None:
    code = Block("code", text_spans("```\ninner\n```"), language="md")
    assert to_markdown([code]).startswith("````md\n")
    assert from_markdown(to_markdown([code])) == (code,)


def test_real_post_mortems_survive_being_shown() -> None:
    if not REAL.is_dir():
        pytest.skip("the real post-mortems are not beside the repository")
    for file in sorted(REAL.glob("*.md")):
        blocks = from_markdown(file.read_text().split("---", 2)[2])
        assert from_markdown(to_markdown(blocks)) == blocks, file.name


# --- pages ------------------------------------------------------------------------------------------------------------

PAGE = """---
# by hand
owner:  {team: "core"}
incident: INC-12
status: In progress  # see the wiki
---

# Checkout *returns* 502 😀
In step with incident INC-12

## Impact
Wrapped
text with [a ref][r] and ![inline](i.png).

<details><summary>More</summary>

* one
    1) deep
    2) deeper

       a note
* two

[r]: https://example.com/r

| Time  | Event |  Details |
|:------|------:|---|
| 10:00 | Alert | `T-1`  |
| 10:05 | Page  |

```python title="x"
print()
```

- [ ] fix it @Ada Byron
- [X] done

> [!NOTE]
> look

![alone](a.png)
"""


def changed(page: MarkdownPage, native: str, **fields: Any) -> list[Block]:
    return [replace(block, **fields) if block.native == native else block for block in page.blocks]


def native_of(page: MarkdownPage, text: str) -> str:
    return next(block.native for block in page.blocks if text in block.text)


def lines_changed(before: str, after: str) -> list[str]:
    lines = list(unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm=""))[2:]
    return [line for line in lines if not line.startswith("@@")]


@pytest.mark.parametrize(
    "text", [PAGE, PAGE.replace("\n", "\r\n"), "\ufeff" + PAGE, PAGE.rstrip("\n"), "", "no title", "\n\n"]
)
def test_an_unchanged_page_keeps_every_byte(text: str) -> None:
    page = parse_page(text)
    assert splice(page, None, page.properties, page.blocks) == text


LINES = [
    *("a", "", "", "- x", "  - y", "\t- z", "1. n", "   2) m", "> q", "```", "    code", "| a | b |", "|---|---|", "| 1 |"),
    *("<div>", "[r]: http://x", "[^1]: f", "[^1] [r]", "# h", "## k", "***", "- [ ] t", "* ![i](u)", "- - b", "-", "  para"),
    *("![i](u)", "<b>x</b> é😀", "-\tq", "---\t"),
]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(LINES), max_size=9), st.sampled_from(["\n", "\r\n"]), st.data())
def test_any_layout_keeps_its_bytes_and_takes_an_edit(lines: list[str], end: str, data: st.DataObject) -> None:
    page = parse_page(end.join(["first", *lines]))
    assert splice(page, None, {}, page.blocks) == page.text
    said = [
        block.native for block in page.blocks if block.kind in ("paragraph", "bullet", "task", "number", "heading", "quote")
    ]
    if said:
        blocks = changed(page, data.draw(st.sampled_from(said)), spans=text_spans("changed"))
        assert project(parse_page(splice(page, None, {}, blocks)).blocks) == project(blocks)


def test_a_page_says_its_title_properties_and_blocks() -> None:
    page = parse_page(PAGE)
    assert page.title == "Checkout returns 502 😀"
    assert (page.properties["incident"], page.properties["status"]) == ("INC-12", "In progress")
    assert [block.text for block in page.blocks if block.kind == "kept"] == [
        "HTML",
        "Paragraph",
        "Link definitions",
        "Picture",
    ]
    natives = [block.native for block in page.blocks] + [row.native for block in page.blocks for row in block.rows]
    assert len(set(natives)) == len(natives)
    assert all(natives)


def test_a_ticked_box_changes_one_character() -> None:
    page = parse_page(PAGE)
    after = splice(page, None, {}, changed(page, native_of(page, "fix it"), checked=True))
    assert lines_changed(PAGE, after) == ["-- [ ] fix it @Ada Byron", "+- [x] fix it @Ada Byron"]


def test_a_corrected_cell_touches_only_itself() -> None:
    page = parse_page(PAGE)
    table = next(block for block in page.blocks if block.kind == "table")
    cells = (text_spans("10:01"), *table.rows[1].cells[1:])
    rows = (table.rows[0], replace(table.rows[1], cells=cells), table.rows[2])
    after = splice(page, None, {}, changed(page, table.native, rows=rows))
    assert lines_changed(PAGE, after) == ["-| 10:00 | Alert | `T-1`  |", "+| 10:01 | Alert | `T-1`  |"]


def test_a_new_row_is_one_new_line() -> None:
    page = parse_page(PAGE)
    table = next(block for block in page.blocks if block.kind == "table")
    row = Block("row", cells=(text_spans("10:07"), text_spans("a|b"), ()))
    after = splice(page, None, {}, changed(page, table.native, rows=(*table.rows[:2], row, table.rows[2])))
    assert lines_changed(PAGE, after) == ["+| 10:07 | a\\|b |  |"]


def test_new_items_join_their_list() -> None:
    page = parse_page(PAGE)
    deep = [block.native for block in page.blocks].index(native_of(page, "deeper"))
    blocks = list(page.blocks)
    blocks[deep:deep] = [Block("number", text_spans("between"), depth=1)]
    blocks.insert(deep - 1, Block("bullet", text_spans("early")))
    assert lines_changed(PAGE, splice(page, None, {}, blocks)) == ["+* early", "+    2) between"]


def test_a_changed_status_is_rewritten_in_place_and_the_title_in_its_line() -> None:
    page = parse_page(PAGE)
    after = splice(page, "New #1 *title*", {"status": "In review"}, page.blocks)
    assert lines_changed(PAGE, after) == [
        "-status: In progress  # see the wiki",
        "+status: In review  # see the wiki",
        "-# Checkout *returns* 502 😀",
        "+# New #1 \\*title\\*",
    ]


def test_a_changed_paragraph_keeps_its_picture() -> None:
    page = parse_page(PAGE)
    native = native_of(page, "Wrapped")
    spans = next(block.spans for block in page.blocks if block.native == native)
    after = splice(page, None, {}, changed(page, native, spans=(*spans, Span(" More."))))
    assert "Wrapped text with [a ref](https://example.com/r) and ![inline](i.png). More." in after


def test_front_matter_that_is_no_mapping_is_an_error() -> None:
    with pytest.raises(FrontMatterError):
        parse_page("---\n- a\n---\n")
    with pytest.raises(FrontMatterError, match="line 3"):
        parse_page("---\na: [\n---\n")


@settings(max_examples=150, deadline=None)
@given(st.lists(BLOCK.filter(lambda block: block.kind != "kept"), max_size=5))
def test_a_new_page_reads_back_as_projected(blocks: list[Block]) -> None:
    known = [without_kept(block) for block in blocks]
    page = parse_page(splice(parse_page(""), "Title", {"incident": "INC-1"}, known))
    assert project(page.blocks) == project(known)
    assert project(project(known)) == project(known)


def without_kept(block: Block) -> Block:
    def known(spans: Spans) -> Spans:
        return tuple(span for span in spans if span.kind != "kept")

    rows = tuple(without_kept(row) for row in block.rows)
    return replace(block, spans=known(block.spans), cells=tuple(known(cell) for cell in block.cells), rows=rows)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_edits_of_a_page_read_back_and_leave_kept_bytes_alone(data: st.DataObject) -> None:
    page = parse_page(PAGE)
    blocks = list(page.blocks)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(blocks) - 1))
        match data.draw(st.sampled_from(["insert", "remove", "change"])):
            case "insert" if blocks[at].text != "Paragraph":  # nothing can stand between an item and its note
                blocks.insert(at, without_kept(data.draw(BLOCK.filter(lambda block: block.kind != "kept"))))
            case "remove" if blocks[at].kind in ("paragraph", "table", "code"):
                del blocks[at]
            case "change" if blocks[at].spans and blocks[at].kind != "kept":
                blocks[at] = replace(blocks[at], spans=text_spans("changed *all*"))
    after = splice(page, None, {}, blocks)
    assert project(parse_page(after).blocks) == project(blocks)
    assert "<details><summary>More</summary>" in after
    assert "[r]: https://example.com/r" in after
