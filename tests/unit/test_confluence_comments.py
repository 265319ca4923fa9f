"""Inline comments on a Confluence page: an edit of ours keeps them on their words, and what is lost is told."""

import re
import sys
from collections.abc import Callable
from dataclasses import replace
from types import FrameType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapping.confluence_comments import LostMarker
from mapping.confluence_storage import lost_markers, parse, splice
from mapping.document import Block, Span, paragraph, plain, text_spans
from mapping.markdown import from_markdown, to_markdown

FEW = settings(max_examples=100, deadline=None)
MENTION = '<ac:link><ri:user ri:account-id="7" /></ac:link>'


def on(words: str, ref: str = "c1") -> str:
    """Words with a comment."""
    return f'<ac:inline-comment-marker ac:ref="{ref}">{words}</ac:inline-comment-marker>'


def reworded(body: str, *texts: str) -> str:
    """The page with the plain texts of its blocks replaced."""
    page = parse(body)
    blocks = [replace(block, spans=text_spans(text)) for block, text in zip(page.blocks, texts, strict=True)]
    return splice(page, blocks)


@pytest.mark.parametrize(
    ("before", "text", "after"),
    [
        (f"The {on('database')} was slow.", "At noon the database was slow.", f"At noon the {on('database')} was slow."),
        (f"The {on('old database')} was slow.", "The new database was slow.", f"The new {on('database')} was slow."),
        (f"It {on('was slow')} today.", "It was very slow today.", f"It {on('was very slow')} today."),
        (f"{on('Nobody was paged')} for ten minutes.", "Nobody at all was paged.", f"{on('Nobody at all was paged')}."),
        (f"The {on('data')}base was slow.", "Our database is slow.", f"Our {on('data')}base is slow."),
        (f"It was slow {on('at noon')}, they said.", "at noon, they said, it was slow.", None),
        (f"Was it {on('slow')}?", "It was not slow. Was it slow?", f"It was not slow. Was it {on('slow')}?"),
        (f"Was it {on('“slow”')}?", "“slow” it was?", f"{on('“slow”')} it was?"),
        (f"It was {on('slow.')}", "It was slow, they said.", f"It was {on('slow')}, they said."),
        (f"It was {on('!!!')}", "It is !!!", f"It is {on('!!!')}"),
    ],
)
def test_a_marker_stays_on_what_survives_of_its_words(before: str, text: str, after: str | None) -> None:
    body = reworded(f"<p>{before}</p>", text)
    assert body == f"<p>{after}</p>" if after else on("at noon") in body
    assert lost_markers(f"<p>{before}</p>", body) == ()


def test_a_marker_whose_words_are_all_gone_goes_and_is_told() -> None:
    before = f"<p>The {on('old database')} and {on('the queue', 'c2')}.</p>"
    body = reworded(before, "The network and the queue.")
    assert body == f"<p>The network and {on('the queue', 'c2')}.</p>"
    assert lost_markers(before, body) == (LostMarker("c1", "old database"),)


def test_signs_and_blanks_that_survive_by_chance_hold_no_comment() -> None:
    before = f"<p>First, {on('we looked, and we waited')}, then it ended.</p>"
    body = reworded(before, "First, nothing, then it ended.")
    assert lost_markers(before, body) == (LostMarker("c1", "we looked, and we waited"),)


def test_nested_and_overlapping_markers_each_keep_their_words() -> None:
    nested = on(f"the {on('slow', 'c2')} database")
    assert reworded(f"<p>Ask {nested}.</p>", "Do ask the slow database.") == f"<p>Do ask {nested}.</p>"
    overlapping = f"{on('one ' + on('two', 'c2'))}{on(' three', 'c2')}"
    assert reworded(f"<p>{overlapping} four</p>", "zero one two three") == f"<p>zero {overlapping}</p>"


def test_several_markers_of_one_comment_stand_or_fall_each_alone() -> None:
    before = f"<p>{on('one')} and {on('two')}.</p>"
    body = reworded(before, "one and three.")
    assert body == f"<p>{on('one')} and three.</p>"
    assert lost_markers(before, body) == ()
    assert lost_markers(body, reworded(body, "none")) == (LostMarker("c1", "one"),)


def test_markers_around_links_and_mentions_stay_around_them() -> None:
    link = '<a href="https://example.com" data-card-appearance="inline">the graph</a>'
    before = f"<p>See {on(link)} and ask {on(MENTION, 'c2')}.</p>"
    page = parse(before)
    first, *rest = page.blocks[0].spans
    body = splice(page, [replace(page.blocks[0], spans=(Span("Please see "), *rest))])
    assert first.text == "See " and body == before.replace("See ", "Please see ")


def test_a_comment_on_somebody_does_not_pass_to_somebody_else() -> None:
    before = f"<p>Ask {on(MENTION)} again.</p>"
    page = parse(before)
    spans = (Span("Ask "), Span("", "mention", ref="account:8"), Span(" again."))
    assert lost_markers(before, splice(page, [replace(page.blocks[0], spans=spans)])) == (LostMarker("c1", ""),)


def test_markers_in_cells_items_and_loose_text_survive() -> None:
    before = (
        f"{on('loose words', 'c0')} here"
        f"<ul><li><p>an {on('item', 'c1')}</p></li></ul>"
        f"<table><tbody><tr><td>a {on('cell', 'c2')}</td><td>b</td></tr></tbody></table>"
    )
    page = parse(before)
    loose, item, table = page.blocks
    cells = (text_spans("one cell more"), *table.rows[0].cells[1:])
    body = splice(
        page,
        [
            replace(loose, spans=text_spans("loose words there")),
            replace(item, spans=text_spans("one item more")),
            replace(table, rows=(replace(table.rows[0], cells=cells),)),
        ],
    )
    assert lost_markers(before, body) == ()
    assert all(words in body for words in (on("loose words", "c0"), on("item"), on("cell", "c2")))


def test_a_moved_block_takes_its_markers_along() -> None:
    before = f"<p>Yes {on('indeed')}.</p><p>second</p><ul><li>x {on('y', 'c2')}</li></ul>"
    page = parse(before)
    first, second, item = page.blocks
    assert lost_markers(before, splice(page, [item, second, first])) == ()
    # The same when the mover did not know that they are the same blocks.
    made_anew = [replace(item, native=""), second, replace(first, native="")]
    assert lost_markers(before, splice(page, made_anew)) == ()


def test_a_paragraph_that_is_split_joined_or_made_an_item_passes_its_markers_on() -> None:
    before = f"<p>We looked at the {on('slow database')}. It was noon.</p><p>The {on('queue', 'c2')} was full.</p>"
    page = parse(before)
    first, second = page.blocks
    split = [replace(first, spans=text_spans("It was noon.")), paragraph("We looked at the slow database."), second]
    joined = [replace(first, spans=(*first.spans, *text_spans(" The queue was full.")))]
    listed = [Block("bullet", first.spans, native=first.native), Block("bullet", second.spans)]
    for target in (split, joined, listed):
        assert lost_markers(before, splice(page, target)) == ()


def test_a_marker_never_passes_to_other_words_that_happen_to_be_the_same() -> None:
    before = f"<p>We restarted {on('it')} at noon after long talks.</p><p>x</p>"
    page = parse(before)
    body = splice(page, [page.blocks[1], paragraph("Nobody knew about it, and nobody asked.")])
    assert lost_markers(before, body) == (LostMarker("c1", "it"),)


WORDS = st.lists(st.sampled_from(["the", "queue", "was", "slow", "at", "noon", "again"]), min_size=1, max_size=8)


@FEW
@given(WORDS, WORDS, WORDS, WORDS)
def test_an_edit_outside_the_marked_words_leaves_the_marker_on_them(
    ahead: list[str], words: list[str], behind: list[str], new: list[str]
) -> None:
    marked = " ".join(words)
    before = f"<p>{' '.join(ahead)} {on(marked)} {' '.join(behind)}</p>"
    text = f"{' '.join(ahead)} {marked} {' '.join(new)}"
    body = reworded(before, text)
    assert plain(parse(body).blocks[0].spans) == text
    assert lost_markers(before, body) == ()
    assert re.sub("<[^>]*>", "", body) == text


@FEW
@given(WORDS, WORDS, WORDS, WORDS)
def test_a_comment_is_kept_or_told_whatever_is_written(
    ahead: list[str], words: list[str], behind: list[str], new: list[str]
) -> None:
    before = f"<p>{' '.join(ahead)} {on(' '.join(words))} {' '.join(behind)}</p>"
    body = reworded(before, " ".join(new))
    assert plain(parse(body).blocks[0].spans) == " ".join(new)
    assert bool(lost_markers(before, body)) == ("ac:ref" not in body)


def test_looks_stay_on_their_words() -> None:
    before = (
        '<p>A <span style="color: rgb(255,86,48);">red line</span> of H<sub>2</sub>O, <span class="x">seen</span> '
        f'<span style="background-color: rgb(1,2,3);">{on("here")}</span>.</p>'
    )
    body = reworded(before, "One long red line of clean H2O, seen here.")
    assert '<span style="color: rgb(255,86,48);">red line</span>' in body and "H<sub>2</sub>O" in body
    assert f'<span style="background-color: rgb(1,2,3);">{on("here")}</span>' in body
    whole = '<p><span style="color: rgb(255,86,48);">all of it is red</span></p>'
    assert reworded(whole, "now blue") == '<p><span style="color: rgb(255,86,48);">now blue</span></p>'


def test_what_a_macro_says_beside_its_text_stays_when_the_text_changes() -> None:
    code = (
        '<ac:structured-macro ac:name="code" ac:macro-id="c"><ac:parameter ac:name="title">run.sh</ac:parameter>'
        '<ac:parameter ac:name="language">bash</ac:parameter><ac:parameter ac:name="collapse">true</ac:parameter>'
        "<ac:plain-text-body><![CDATA[{}]]></ac:plain-text-body></ac:structured-macro>"
    )
    panel = (
        '<ac:structured-macro ac:name="{}" ac:macro-id="p"><ac:parameter ac:name="title">Mind</ac:parameter>'
        "<ac:rich-text-body><p>{}</p></ac:rich-text-body></ac:structured-macro>"
    )
    assert reworded(code.format("old"), "new") == code.format("new")
    for name in ("info", "note", "warning", "tip", "panel"):
        assert reworded(panel.format(name, "old"), "new") == panel.format(name, "new")


def steps(act: Callable[[], object]) -> int:
    """How many instructions of ours run."""
    count = 0

    def trace(frame: FrameType, event: str, what: object) -> Any:
        nonlocal count
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        count += event == "opcode"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        act()
    finally:
        sys.settrace(before)
    return count


@pytest.mark.parametrize("unit", ["<sub>x</sub> y ", on("x") + " y "])
def test_a_paragraph_of_many_spans_takes_steps_in_proportion(unit: str) -> None:
    def change(times: int) -> None:
        page = parse(f"<p>It was {unit * times}.</p>")
        (shown,) = from_markdown(to_markdown(page.blocks))
        splice(page, [replace(shown, spans=(Span("So "), *shown.spans), native="1")])

    change(1)  # what is only made once is made
    assert steps(lambda: change(120)) < 6 * steps(lambda: change(30))
