"""Whole Confluence bodies, written for this project in every construct of the storage format: a change changes what it must.

`tests/corpus/confluence/*.xml` are bodies as the service stores them: of the new editor, of the old one, of Data Center, of
exports. Beside each lies what the store reads of it, as Markdown.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from mapping.confluence_looks import same_looks
from mapping.confluence_parse import Flow, Leaf, Part
from mapping.confluence_storage import StoragePage, lost_markers, parse, project, splice
from mapping.document import Block, Span, Spans
from mapping.kept import kept_in
from mapping.markdown import from_markdown, to_markdown
from providers.sandbox.confluence_dc_body import published
from providers.sandbox.confluence_editor import regenerate, with_new_macro_ids

CORPUS = sorted((Path(__file__).parent.parent / "corpus" / "confluence").glob("*.xml"))
WORD = "CHANGED"


def body_of(path: Path) -> str:
    return path.read_bytes().decode()


each = pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)


@each
def test_a_page_reads_as_people_read_it(path: Path) -> None:
    assert to_markdown(parse(body_of(path)).blocks) == path.with_suffix(".md").read_text()


@each
def test_nothing_changed_is_the_same_bytes(path: Path) -> None:
    page = parse(body_of(path))
    assert splice(page, page.blocks) == body_of(path)


@each
def test_to_open_an_editor_changes_no_looks(path: Path) -> None:
    body = body_of(path)
    for opened in (regenerate(body, Random(1)), with_new_macro_ids(body, Random(1)), published(body, Random(1))):
        assert same_looks(body, opened)


@each
def test_each_text_changes_alone(path: Path) -> None:
    body = body_of(path)
    page = parse(body)
    places = dict(ranges(page.flow))
    for native, changed, target in changes(page):
        after = splice(page, target)
        assert after.count(WORD) == 1
        assert parse(after).blocks == project(target)
        assert not any(marker.words for marker in lost_markers(body, after))
        start, end = places[native]
        assert after.startswith(body[:start])
        assert after.endswith(body[end:])
        assert all(page.payloads[ref].markup in after for ref in kept_in(changed))


def ranges(part: Part) -> Iterator[tuple[str, tuple[int, int]]]:
    """Where every block, item and row stands by its native."""
    if isinstance(part, Flow):
        for inner in part.parts:
            yield from ranges(inner)
    elif isinstance(part, Leaf):
        yield part.block.native, (part.start, part.end)
        for row, element in zip(part.block.rows, part.rows, strict=False):
            yield row.native, (element.start, element.end)
    else:
        yield from ((item.block.native, (item.node.start, item.node.end)) for item in part.flat())


def changes(page: StoragePage) -> Iterator[tuple[str, Block, list[Block]]]:
    """Each text of the page with a word added to it: whose bytes may change, the new block, and the page that is wanted."""
    for at, block in enumerate(page.blocks):
        for native, changed in versions(block):
            target = list(page.blocks)
            target[at] = changed
            yield native, changed, target


def versions(block: Block) -> Iterator[tuple[str, Block]]:
    if block.kind == "code":
        yield block.native, replace(block, spans=(Span(f"{block.text}{WORD}"),))
    elif block.kind == "table":
        for r, row in enumerate(block.rows):
            for c, cell in enumerate(row.cells):
                cells = (*row.cells[:c], more(cell), *row.cells[c + 1 :])
                rows = (*block.rows[:r], replace(row, cells=cells), *block.rows[r + 1 :])
                yield row.native, replace(block, rows=rows)
    elif block.kind not in ("kept", "divider"):
        yield block.native, replace(block, spans=more(block.spans))


def more(spans: Spans) -> Spans:
    """A word more: at the end, or before a thing that ends the text and may stand on a line of its own."""
    if spans and spans[-1].kind == "kept":
        return (Span(f"{WORD}\n"), *spans) if len(spans) == 1 else (Span(f"{WORD} "), *spans)
    return (*spans, Span(f" {WORD}" if spans else WORD))


@each
def test_each_task_is_ticked_alone(path: Path) -> None:
    body = body_of(path)
    page = parse(body)
    for at, block in enumerate(page.blocks):
        if block.kind != "task":
            continue
        target = list(page.blocks)
        target[at] = replace(block, checked=not block.checked)
        after = splice(page, target)
        assert parse(after).blocks == project(target)
        assert len(after) - len(body) == (2 if block.checked else -2)
        assert after.replace("incomplete", "complete") == body.replace("incomplete", "complete")


@each
def test_each_block_goes_and_comes_alone(path: Path) -> None:
    page = parse(body_of(path))
    for at in range(len(page.blocks)):
        for target in (
            [*page.blocks[:at], *page.blocks[at + 1 :]],
            [*page.blocks[:at], Block("paragraph", (Span(WORD),)), *page.blocks[at:]],
            [*page.blocks[:at], *page.blocks[at + 1 :], page.blocks[at]],
        ):
            after = splice(page, target)
            assert parse(after).blocks == project(target)
            there = {ref for block in target for ref in kept_in(block)}
            assert all(page.payloads[ref].markup in after for ref in there)


@each
def test_what_the_store_shows_of_a_page_reads_back(path: Path) -> None:
    """Storage -> Doc -> Markdown -> Doc -> storage: people who edit nothing change nothing."""
    page = parse(body_of(path))
    assert project(from_markdown(to_markdown(page.blocks))) == project(page.blocks)
