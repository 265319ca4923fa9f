"""Confluence storage bodies: nothing but what changed may change."""

import re
from dataclasses import replace
from pathlib import Path
from xml.parsers import expat

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapping.confluence_storage import StorageError, parse, project, render, splice
from mapping.document import Block, Span, heading, paragraph, text_spans
from mapping.markdown import from_markdown, to_markdown

FEW = settings(max_examples=60, deadline=None)
CORPUS = (Path(__file__).parent.parent / "corpus" / "confluence").glob("*.xml")

INLINE = st.sampled_from(
    [
        "plain words",
        'kept <strong>every one</strong>, its <em>age</em>: <a href="https://example.com/?a=1">there</a>, <code>x_y</code>.',
        "caf&eacute;&nbsp;&rsquo;s",
        "5 &lt; 6 &amp; <strong>bold <em>both</em></strong>",
        '<ac:inline-comment-marker ac:ref="c1">asked <code>about</code></ac:inline-comment-marker> this',
        'by <ac:link><ri:user ri:account-id="5b:1" /></ac:link> on <time datetime="2026-09-24" />',
        '<a href="https://example.com/?a=1&amp;b=2" data-card-appearance="inline">link</a>',
        '<ac:emoticon ac:name="smile" ac:emoji-fallback="🙂" /> ok',
        "one<br />two",
        '<span style="color: rgb(255,86,48);">red <sub>low</sub></span> &#8212; <u>under</u> <del>gone</del>',
        '<ac:link ac:anchor="Who%20was" ac:local-id="k"><ri:page ri:content-title="A &amp; B" ri:version-at-save="3" />'
        "<ac:link-body>the <strong>page</strong></ac:link-body></ac:link> and "
        "<ac:link><ri:attachment ri:filename='x.txt' /><ac:plain-text-link-body><![CDATA[a < b]]></ac:plain-text-link-body>"
        "</ac:link>",
        'an <ac:image ac:inline="true"><ri:url ri:value="https://example.com/a.png" /></ac:image>, '
        '<ac:placeholder ac:type="mention">who</ac:placeholder> <ac:link><ri:user ri:userkey="8a7f" /></ac:link>',
        '<ac:inline-comment-marker ac:ref="o">one <ac:inline-comment-marker ac:ref="i">two</ac:inline-comment-marker>'
        '</ac:inline-comment-marker><em><ac:inline-comment-marker ac:ref="o"> three</ac:inline-comment-marker></em>',
        '<ac:structured-macro ac:name="jira" ac:macro-id="j"><ac:parameter ac:name="key">OPS-1</ac:parameter>'
        "</ac:structured-macro> 漢字 🔥 <!-- aside -->",
        '<ac:structured-macro ac:name="status" ac:macro-id="m"><ac:parameter ac:name="colour">Green</ac:parameter>'
        '<ac:parameter ac:name="title">Completed</ac:parameter></ac:structured-macro>',
    ]
)
PARAGRAPH = INLINE.map(lambda text: f'<p local-id="p1">{text}</p>')


def a_list(tag: str, items: list[str], below: str) -> str:
    """A list whose items stand on lines of their own, the last with one nested."""
    above = "</li>\n<li>".join(items)
    return f"<{tag} local-id='x'><li>{above}<ul><li>{below}</li></ul></li></{tag[:2]}>"


LIST = st.builds(
    a_list, st.sampled_from(["ul", 'ol start="1"']), st.lists(PARAGRAPH | INLINE, min_size=1, max_size=3), PARAGRAPH
)
TASKS = st.lists(st.tuples(st.sampled_from(["complete", "incomplete"]), INLINE), min_size=1, max_size=3).map(
    lambda tasks: (
        "<ac:task-list>"
        + "".join(
            f"<ac:task><ac:task-id>{n}</ac:task-id><ac:task-uuid>u</ac:task-uuid><ac:task-status>{status}</ac:task-status>"
            f"<ac:task-body>{text}</ac:task-body></ac:task>"
            for n, (status, text) in enumerate(tasks, 1)
        )
        + "</ac:task-list>"
    )
)
TABLE = st.lists(st.tuples(PARAGRAPH, INLINE | LIST), min_size=1, max_size=3).map(
    lambda rows: (
        '<table data-layout="wide" ac:local-id="t"><colgroup><col style="width: 9.0px;" /></colgroup><tbody>'
        + "".join(f'<tr ac:local-id="r"><th>{a}</th><td data-highlight-colour="#deebff">{b}</td></tr>' for a, b in rows)
        + "</tbody></table>"
    )
)
OTHER = st.sampled_from(
    [
        "<p />",
        "<p>\n</p>",
        "<!-- gone soon -->",
        "<hr/>",
        '<h2 local-id="h">Impact</h2>',
        "<h3>Why &ndash; really</h3>",
        '<ac:structured-macro ac:name="toc" ac:schema-version="1" ac:macro-id="1" />',
        '<ac:structured-macro ac:name="code"><ac:parameter ac:name="language">python</ac:parameter>'
        "<ac:plain-text-body><![CDATA[a < b\n  ]]]]><![CDATA[> c]]></ac:plain-text-body></ac:structured-macro>",
        '<ac:structured-macro ac:name="info"><ac:rich-text-body><p>Who?</p></ac:rich-text-body></ac:structured-macro>',
        '<ac:image ac:alt="x"><ri:attachment ri:filename="graph.png" /></ac:image>',
        '<ac:image ac:align="center" ac:width="320"><ri:url ri:value="https://example.com/a.png" /></ac:image>',
        '<ac:image><ri:url ri:value="https://example.com/b.png" /><ac:caption><p>so low</p></ac:caption></ac:image>',
        '<table><tbody><tr><td colspan="2">wide</td></tr></tbody></table>',
        "<blockquote><p>said</p><p>twice</p></blockquote>",
        "loose <b>words</b>",
    ]
)


def parts_of(path: Path) -> list[str]:
    """What stands on a whole page one after the other."""
    page = parse(path.read_bytes().decode())
    return [page.source[part.start : part.end] for part in page.flow.parts]


WRITTEN = st.sampled_from([part for path in sorted(CORPUS) for part in parts_of(path)])
FLOW = st.lists(PARAGRAPH | LIST | TASKS | TABLE | OTHER | WRITTEN, max_size=6).map("\n".join)
LAYOUT = FLOW.map(
    lambda flow: (
        '<ac:layout><ac:layout-section ac:type="two_equal"><ac:layout-cell>'
        f"{flow}</ac:layout-cell><ac:layout-cell /></ac:layout-section></ac:layout>"
    )
)
DETAILS = TABLE.map(
    lambda table: (
        '<ac:structured-macro ac:name="details"><ac:parameter ac:name="id">syncd-i1</ac:parameter><ac:rich-text-body>'
        f"{table}</ac:rich-text-body></ac:structured-macro>"
    )
)
BODY = st.lists(FLOW | LAYOUT | DETAILS, max_size=3).map("".join)

TEXT = st.text(st.sampled_from("ab <>&\"'\n\t\u00a0é]\x07—"), max_size=8)
SPAN = st.one_of(
    st.builds(
        Span,
        TEXT,
        marks=st.frozensets(st.sampled_from(["bold", "italic", "strike", "code", "underline"])),
        link=st.sampled_from(["", 'https://example.com/?a=1&b="2"']),
    ),
    st.sampled_from(
        [
            Span("Ada Byron", "mention", ref="account:7"),
            Span("Ada Byron", "mention", ref="ada@example.com"),
            Span("2026-09-24", "date", ref="2026-09-24"),
            Span("In review", "status", ref="yellow"),
            Span('the "pool" & more', "image", link="https://example.com/a.png?x=1&y=2"),
        ]
    ),
)
SPANS = st.lists(SPAN, max_size=3).map(tuple)
ROW = st.builds(Block, st.just("row"), cells=st.tuples(SPANS, SPANS))
BLOCK = st.one_of(
    st.builds(Block, st.sampled_from(["paragraph", "quote", "panel"]), SPANS),
    st.builds(Block, st.just("heading"), SPANS, level=st.integers(2, 6)),
    st.builds(Block, st.sampled_from(["bullet", "number"]), SPANS, depth=st.integers(0, 3)),
    st.builds(Block, st.just("task"), SPANS, depth=st.integers(0, 2), checked=st.booleans()),
    st.builds(Block, st.just("code"), TEXT.map(text_spans), language=st.sampled_from(["", "python"])),
    st.builds(Block, st.just("table"), header=st.booleans(), rows=st.lists(ROW, max_size=3).map(tuple)),
    st.just(Block("divider")),
)
BLOCKS = st.lists(BLOCK, max_size=6).map(tuple)


@FEW
@given(BODY)
def test_a_page_that_nobody_changed_keeps_every_byte(body: str) -> None:
    page = parse(body)
    assert splice(page, page.blocks) == body


@FEW
@given(BODY)
def test_text_reads_the_same_however_its_tag_is_written(body: str) -> None:
    """Elements that hold a line of words are cut as a whole, unless their tags are unusual."""
    odd = re.sub(r"<(p|h\d|td|th|li|ac:task-body)(?=[ >])", r"<\1 odd-local-id='1'", body)
    assert parse(odd).blocks == parse(body).blocks


@FEW
@given(BLOCKS)
def test_a_new_page_reads_back_as_projected(blocks: tuple[Block, ...]) -> None:
    read = parse(render(blocks)).blocks
    assert read == project(blocks)
    assert project(read) == read


@FEW
@given(BODY, BLOCKS, st.data())
def test_any_target_reads_back_as_projected(body: str, fresh: tuple[Block, ...], data: st.DataObject) -> None:
    page = parse(body)
    kept = [block for block in page.blocks if data.draw(st.booleans())]
    target = list(data.draw(st.permutations(kept)))
    at = data.draw(st.integers(0, len(target)))
    target[at:at] = fresh
    assert parse(splice(page, target)).blocks == project(target)


@FEW
@given(BODY, st.data())
def test_a_changed_block_leaves_all_other_bytes(body: str, data: st.DataObject) -> None:
    page = parse(body)
    changeable = [at for at, block in enumerate(page.blocks) if block.kind in ("paragraph", "heading", "bullet", "task")]
    if not changeable:
        return
    at = data.draw(st.sampled_from(changeable))
    target = list(page.blocks)
    target[at] = replace(target[at], spans=(Span("CHANGED"),))
    changed = splice(page, target)
    before, after = changed.split("CHANGED")
    start = len(re.sub(r"(<[^<>]*>)*$", "", before))
    assert body.startswith(before[:start])
    assert body.endswith(re.sub(r"^(<[^<>]*>)*", "", after))


@FEW
@given(BODY, st.data())
def test_a_removed_block_brings_nothing_new(body: str, data: st.DataObject) -> None:
    page = parse(body)
    if not page.blocks:
        return
    gone = data.draw(st.integers(0, len(page.blocks) - 1))
    target = [block for at, block in enumerate(page.blocks) if at != gone]
    assert parse(splice(page, target)).blocks == project(target)


@FEW
@given(BODY, BLOCKS, st.data())
def test_a_page_changed_all_over_reads_back_as_projected(body: str, fresh: tuple[Block, ...], data: st.DataObject) -> None:
    page = parse(body)
    target: list[Block] = []
    spare = list(fresh)
    for block in page.blocks:
        act = data.draw(st.sampled_from(["keep", "keep", "remove", "precede", "edit", "indent", "replace"]))
        if act == "precede" and spare:
            target.append(spare.pop())
        if act == "edit" and block.kind not in ("kept", "table", "divider", "code"):
            block = replace(block, spans=(*block.spans, Span(" more")))
        if act == "indent" and block.kind in ("bullet", "number", "task"):
            block = replace(block, depth=data.draw(st.integers(0, 2)))
        if act == "replace" and spare and block.kind != "kept":
            block = replace(spare.pop(), native=block.native)
        if act != "remove":
            target.append(block)
    changed = splice(page, target)
    assert parse(changed).blocks == project(target)
    assert splice(parse(changed), parse(changed).blocks) == changed


FOLLOW_UPS = (
    "<ac:task-list><ac:task><ac:task-id>1</ac:task-id><ac:task-status>incomplete</ac:task-status>"
    "<ac:task-body>First</ac:task-body></ac:task></ac:task-list>"
)
DETAILS_MACRO = (
    '<ac:structured-macro ac:name="details" ac:macro-id="9"><ac:parameter ac:name="id">syncd-abc</ac:parameter>'
    "<ac:rich-text-body><table><tbody><tr><th>Reference</th><td>INC-1</td></tr></tbody></table></ac:rich-text-body>"
    "</ac:structured-macro>"
)


def test_a_new_follow_up_joins_the_task_list() -> None:
    page = parse(FOLLOW_UPS)
    body = splice(page, [*page.blocks, Block("task", text_spans("Second"))])
    assert body == FOLLOW_UPS.removesuffix("</ac:task-list>") + (
        "<ac:task><ac:task-status>incomplete</ac:task-status><ac:task-body>Second</ac:task-body></ac:task></ac:task-list>"
    )


def test_ticking_a_task_changes_its_status_only() -> None:
    page = parse(FOLLOW_UPS)
    assert splice(page, [replace(page.blocks[0], checked=True)]) == FOLLOW_UPS.replace("incomplete", "complete")


def test_a_removed_last_item_takes_its_list_along() -> None:
    page = parse(f"<p>a</p>{FOLLOW_UPS}<p>b</p>")
    assert splice(page, [page.blocks[0], page.blocks[2]]) == "<p>a</p><p>b</p>"


def test_the_details_macro_carries_the_identity() -> None:
    table = Block("table", rows=(Block("row", cells=(text_spans("Reference"), text_spans("INC-1"))),), hint="details")
    page = parse(render([table], details_id="syncd-abc"))
    assert page.markers == ("syncd-abc",)
    assert page.blocks == (table,)
    assert page.blocks[0].hint == "details"


def test_what_is_added_below_the_details_stands_outside_their_macro() -> None:
    page = parse(DETAILS_MACRO)
    assert splice(page, [*page.blocks, heading("Impact")]) == f"{DETAILS_MACRO}<h2>Impact</h2>"
    assert splice(page, [heading("Impact"), *page.blocks]) == f"<h2>Impact</h2>{DETAILS_MACRO}"


def test_a_details_table_that_moves_keeps_its_macro() -> None:
    page = parse(f"{DETAILS_MACRO}<p>a</p><p>b</p>")
    assert splice(page, [*page.blocks[1:], page.blocks[0]]) == f"<p>a</p><p>b</p>{DETAILS_MACRO}"


def test_a_changed_cell_leaves_its_neighbours_alone() -> None:
    page = parse(DETAILS_MACRO)
    row = page.blocks[0].rows[0]
    new = replace(page.blocks[0], rows=(replace(row, cells=(row.cells[0], text_spans("INC-2"))),))
    assert splice(page, [new]) == DETAILS_MACRO.replace("INC-1", "INC-2")


def test_a_comment_stays_with_its_words_when_the_text_around_them_changes() -> None:
    page = parse('<p>The <ac:inline-comment-marker ac:ref="c1">database</ac:inline-comment-marker> was slow.</p>')
    changed = splice(page, [replace(page.blocks[0], spans=text_spans("At noon the database was very slow."))])
    marked = '<ac:inline-comment-marker ac:ref="c1">database</ac:inline-comment-marker>'
    assert changed == f"<p>At noon the {marked} was very slow.</p>"


def test_inline_things_without_a_word_for_them_survive_a_change_of_their_block() -> None:
    emoji = '<ac:emoticon ac:name="smile" ac:emoji-id="1f642" ac:emoji-fallback="🙂" />'
    page = parse(f"<p>Fine {emoji}</p>")
    kept = page.blocks[0].spans[1]
    assert (kept.kind, kept.text) == ("kept", "🙂")
    assert splice(page, [replace(page.blocks[0], spans=(Span("Good "), kept))]) == f"<p>Good {emoji}</p>"


def test_kept_blocks_are_named_for_people_and_told_apart() -> None:
    macro = '<ac:structured-macro ac:name="jira"><ac:parameter ac:name="key">OPS-1</ac:parameter></ac:structured-macro>'
    image = '<ac:image><ri:attachment ri:filename="graph.png" /></ac:image>'
    blocks = parse(macro + image + macro).blocks
    assert [block.text for block in blocks] == ["Jira issue OPS-1", "Image graph.png", "Jira issue OPS-1"]
    assert blocks[2].ref == f"{blocks[0].ref}-2"
    assert re.fullmatch("k[0-9a-f]{8}", blocks[0].ref)


def test_the_identity_of_a_kept_block_ignores_what_the_service_rewrites() -> None:
    bare = '<ac:structured-macro ac:name="chart"><ac:parameter ac:name="a">1</ac:parameter></ac:structured-macro>'
    served = bare.replace('"chart"', '"chart" ac:schema-version="2" ac:macro-id="77"')
    assert parse(bare).blocks == parse(served).blocks


def test_a_heading_of_level_one_begins_a_section_and_keeps_its_tag() -> None:
    page = parse("<h1>Impact</h1>")
    assert page.blocks[0].level == 2
    assert splice(page, [replace(page.blocks[0], spans=text_spans("Effect"))]) == "<h1>Effect</h1>"


def test_a_list_in_a_cell_is_kept_when_the_cell_is_edited() -> None:
    page = parse("<table><tbody><tr><td><p>See</p><ul><li>one</li></ul></td></tr></tbody></table>")
    row = page.blocks[0].rows[0]
    edited = replace(row, cells=((Span("Look at\n"), row.cells[0][1]),))
    body = splice(page, [replace(page.blocks[0], rows=(edited,))])
    assert "<p>Look at</p><ul><li>one</li></ul></td>" in body


def test_a_paragraph_between_two_items_parts_the_list() -> None:
    page = parse('<ol start="1"><li><p>a</p></li><li><p>b</p></li></ol>')
    body = splice(page, [page.blocks[0], paragraph("x"), page.blocks[1]])
    assert body == '<ol start="1"><li><p>a</p></li></ol><p>x</p><ol><li><p>b</p></li></ol>'


def test_a_page_emptied_of_its_blocks_keeps_its_layout() -> None:
    page = parse("<ac:layout><ac:layout-section><ac:layout-cell /></ac:layout-section></ac:layout>")
    body = splice(page, [paragraph("a")])
    assert body == "<ac:layout><ac:layout-section><ac:layout-cell><p>a</p></ac:layout-cell></ac:layout-section></ac:layout>"


@pytest.mark.parametrize("body", ["<p>", "a & b", "<p a>x</p>", "&nosuch;", "</page><page>", "\x1c", "&#28;", "\ud800"])
def test_malformed_markup_is_refused(body: str) -> None:
    with pytest.raises(StorageError):
        parse(body)


ANYTHING = st.text(max_size=12) | st.text(
    st.sampled_from("a]>&<\"'\x00\x0b\x1c\x7f\x85\x92\x9f\r\n\t\ud800\udfff\ufffe\uffff\ufeff")
)
REFUSED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x80-\x9f\ud800-\udfff\ufffe\uffff]")


def strictly_read(body: str) -> None:
    """As a service that knows nothing but XML and its own prefixes reads it."""
    parser = expat.ParserCreate(namespace_separator=" ")
    root = '<page xmlns:ac="urn:ac" xmlns:ri="urn:ri" xmlns:at="urn:at">'
    parser.Parse(f"{root}{body}</page>".encode(), True)
    assert not REFUSED.search(body)


@FEW
@given(st.data())
def test_whatever_is_said_is_sent_as_strict_markup(data: st.DataObject) -> None:
    def say() -> str:
        return data.draw(ANYTHING)

    spans = (
        Span(say(), marks=frozenset({"bold"}), link=say()),
        Span(say(), "mention", ref=f"account:{say()}"),
        Span(say(), "mention", ref=say()),
        Span(say(), "date", ref=say()),
        Span(say(), "status", ref=say()),
        Span(say(), "kept", ref=say()),
    )
    blocks = [
        *(
            Block(kind, spans, level=3, language=say())
            for kind in ("paragraph", "heading", "quote", "panel", "bullet", "task")
        ),
        Block("code", text_spans(say()), language=say()),
        Block("kept", text_spans(say()), ref=say()),
        Block("table", rows=(Block("row", cells=(spans, text_spans(say()))),), hint="details"),
    ]
    strictly_read(render(blocks, details_id=say()))
    page = parse(render([replace(block, spans=text_spans("x")) for block in blocks[:-2]]))
    changed = [replace(old, spans=new.spans, language=new.language) for old, new in zip(page.blocks, blocks, strict=False)]
    strictly_read(splice(page, changed))


def test_what_windows_left_over_is_sent_as_what_it_meant() -> None:
    assert render([paragraph("it\x92s \x93so\x94 \x81\x85")]) == "<p>it’s “so” …</p>"
    page = parse("<p>it\x92s</p><p>b</p>")
    assert splice(page, [page.blocks[0], paragraph("c")]) == "<p>it\x92s</p><p>c</p>"


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("", ""),
        (" \r\n\t ", ""),
        ("\ufeff<p>a</p>", "a"),
        ("<p>a</p>\r\n<p>b</p>", "a|b"),
        ("<p>&Eacute;&thetasym;&NotEqualTilde;&AMP;&lt;&LT;</p>", "Éϑ≂̸&<<"),
        ('<p><a href="https://x.example/?a&eacute;&amp;b">&#233;&#xE9;</a></p>', "éé"),
        ("<p>a\rb\r\nc</p>", "a b c"),
        ("<ac:layout><ac:layout-section><ac:layout-cell></ac:layout-cell></ac:layout-section></ac:layout>", ""),
        ("<p><![CDATA[]]></p><p><![CDATA[<a&b>]]></p>", "<a&b>"),
        ("<at:var at:name='x' /><p xmlns:z='urn:z' z:a='1'>a</p>", "Var|a"),
    ],
)
def test_odd_bodies_are_read_and_kept(body: str, text: str) -> None:
    page = parse(body)
    assert "|".join(block.text for block in page.blocks) == text
    assert splice(page, page.blocks) == body


@pytest.mark.parametrize("name", ["blockquote", "div", "ul><li", "strong", "ac:layout-cell", "table><tbody><tr><td"])
def test_what_nests_without_end_is_kept(name: str) -> None:
    opening, closing = f"<{name}>", "".join(f"</{part}>" for part in reversed(name.split("><")))
    body = f"<p>a</p>{opening * 3000}<p>deep</p>{closing * 3000}<p>b</p>"
    page = parse(body)
    assert [page.blocks[0].text, page.blocks[-1].text] == ["a", "b"]
    assert splice(page, page.blocks) == body
    changed = [replace(page.blocks[0], spans=text_spans("c")), *page.blocks[1:]]
    assert splice(page, changed) == body.replace("<p>a</p>", "<p>c</p>")


LOOKS = 'ac:align="center" ac:alt="the pool" ac:width="320"'
PICTURE = f'<ac:image {LOOKS}><ri:url ri:value="https://example.com/a.png?x=1&amp;y=2" /></ac:image>'
SHOWN = "![the pool](https://example.com/a.png?x=1&y=2)"


@pytest.mark.parametrize(
    ("body", "markdown"),
    [
        ("{}", "{}\n"),
        ("<p>{}</p>", "{}\n"),
        ("<p>See {} there</p>", "See {} there\n"),
        ("<ul><li><p>{}</p></li></ul>", "- {}\n"),
        ("<h3>{}</h3>", "### {}\n"),
        ("<table><tbody><tr><th>a</th></tr><tr><td>{}</td></tr></tbody></table>", "| a |\n|---|\n| {} |\n"),
        ("<blockquote><p>See</p>{}</blockquote>", "> See\\\n> {}\n"),
    ],
)
def test_a_picture_on_the_web_is_one_in_markdown_and_keeps_its_looks(body: str, markdown: str) -> None:
    page = parse(body.format(PICTURE))
    shown = to_markdown(page.blocks)
    assert shown == markdown.format(SHOWN)
    (told,) = from_markdown(shown.replace("See", "Do see"))
    after = splice(page, [replace(told, native=page.blocks[0].native)])
    assert after == body.format(PICTURE).replace("See", "Do see")


def test_a_picture_is_described_anew_in_its_place() -> None:
    page = parse(f"<p>before</p>{PICTURE}")
    (block,) = from_markdown(SHOWN.replace("pool", '"pool" at 10'))
    after = splice(page, [page.blocks[0], replace(block, native=page.blocks[1].native)])
    assert 'ac:alt="the &quot;pool&quot; at 10" ac:align="center" ac:width="320"><ri:url' in after
    assert parse(after).blocks[1].spans == block.spans


def test_a_picture_of_the_store_is_the_attachment_of_its_name_and_keeps_its_looks() -> None:
    name = f"{'0f' * 16}.png"
    body = f'<ac:image ac:width="320" ac:alt="graph"><ri:attachment ri:filename="{name}" /></ac:image>'
    (block,) = parse(body).blocks
    assert block.spans == (Span("graph", "image", link=f"/attachments/{name}"),)
    assert render([block]) == f'<ac:image ac:alt="graph"><ri:attachment ri:filename="{name}" /></ac:image>'


def test_a_picture_that_the_store_has_anew_is_by_reference() -> None:
    assert render(from_markdown(SHOWN)) == (
        '<ac:image ac:alt="the pool"><ri:url ri:value="https://example.com/a.png?x=1&amp;y=2" /></ac:image>'
    )
    assert 'ac:inline="true"' in render(from_markdown(f"See {SHOWN} there"))


@pytest.mark.parametrize(
    "markup",
    [
        '<ac:image><ri:attachment ri:filename="graph.png" /></ac:image>',
        '<ac:image><ri:url ri:value="file:///etc/graph.png" /></ac:image>',
        '<ac:image><ri:url ri:value="https://example.com/a.png" /><ac:caption><p>low</p></ac:caption></ac:image>',
        f'<p><a href="https://example.com">{PICTURE}</a></p>',
    ],
)
def test_a_picture_that_markdown_cannot_say_is_kept(markup: str) -> None:
    page = parse(markup)
    assert "kept" in to_markdown(page.blocks)
    assert splice(page, [*page.blocks, paragraph("more")]) == f"{markup}<p>more</p>"


def macro(name: str, body: str, more: str = "") -> str:
    return (
        f'<ac:structured-macro ac:name="{name}" ac:schema-version="1" ac:macro-id="m1">{more}'
        f"<ac:rich-text-body>{body}</ac:rich-text-body></ac:structured-macro>"
    )


TABLE_IN = "<table><tbody><tr><td><p>x</p></td></tr></tbody></table>"
TITLE = '<ac:parameter ac:name="title">Who</ac:parameter>'
LINES = "<ac:plain-text-body><![CDATA[a < b\n  c]]></ac:plain-text-body>"


@pytest.mark.parametrize(
    ("body", "markdown"),
    [
        (
            f'<ac:structured-macro ac:name="code"><ac:parameter ac:name="theme">Midnight</ac:parameter>{LINES}'
            "</ac:structured-macro>",
            "```\na < b\n  c\n```\n",
        ),
        ("<blockquote><p>said it</p></blockquote>", "> said it\n"),
        (
            '<ul><li><p>a</p><ol start="1"><li><p>b</p><ul><li><p>said</p></li></ul></li></ol></li><li><p>d</p></li></ul>',
            "- a\n  1. b\n     - said\n- d\n",
        ),
        (
            '<p>He <a href="https://example.com/?a=1&amp;b=2" data-card-appearance="inline">said</a> so</p>',
            "He [said](https://example.com/?a=1&b=2) so\n",
        ),
        (macro("info", "<p>said</p>", TITLE), "> [!NOTE]\n> said\n"),
        (macro("tip", "<p>said</p>"), "> [!TIP]\n> said\n"),
        (macro("note", "<p>said</p>"), "> [!WARNING]\n> said\n"),
        (macro("warning", "<p>said</p>"), "> [!CAUTION]\n> said\n"),
        (macro("panel", "<p>said</p>", TITLE), "> [!NOTE]\n> said\n"),
        (macro("expand", "<p>one</p><p>said</p>", TITLE), "one\n\nsaid\n"),
    ],
)
def test_what_markdown_can_say_is_edited_there_and_nothing_around_it_changes(body: str, markdown: str) -> None:
    page = parse(body)
    shown = to_markdown(page.blocks)
    assert shown == markdown
    assert splice(page, like(page.blocks, from_markdown(shown))) == body
    word = "said" if "said" in shown else "a < b"
    edited = from_markdown(shown.replace(word, "said more"))
    assert splice(page, like(page.blocks, edited)) == body.replace(word, "said more")


def like(before: tuple[Block, ...], after: tuple[Block, ...]) -> list[Block]:
    """Blocks that the store gives back, as the blocks of the page that they are."""
    return [replace(new, native=old.native) for old, new in zip(before, after, strict=True)]


@pytest.mark.parametrize(
    "body",
    [
        macro("info", "<p>before</p><ul><li>one</li></ul>"),
        macro("expand", ""),
        macro("panel", f"{TABLE_IN}<p>x</p>"),
        macro("unknown", "<p>theirs</p>"),
    ],
)
def test_what_markdown_cannot_say_is_a_kept_line_with_nothing_inside_it_touched(body: str) -> None:
    page = parse(f"<p>above</p>{body}")
    above, kept = to_markdown(page.blocks).split("\n\n")
    assert kept.startswith("[kept: ")
    told = from_markdown(f"{above} it\n\n{kept}")
    assert splice(page, [replace(told[0], native="1"), page.blocks[1]]) == f"<p>above it</p>{body}"
