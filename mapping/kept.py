"""Kept things: what a page holds natively and a `Doc` cannot say, by name. Native bytes stay with their page; here is only
which of the names belong where.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from mapping.document import Block, Spans, merged_spans, plain


def of_page(blocks: Iterable[Block], page: Iterable[Block]) -> tuple[Block, ...]:
    """Blocks of the store as they may stand beside the blocks of a page: what another page keeps natively never comes
    here, neither a whole block nor a thing in the middle of a sentence."""
    here = {ref for block in page for ref in kept_in(block)}
    return tuple(kept for block in blocks if (kept := _without(block, here)) is not None)


def _without(block: Block, here: set[str]) -> Block | None:
    def spans(run: Spans) -> Spans:
        return merged_spans(span for span in run if span.kind != "kept" or span.ref in here)

    if here.issuperset(kept_in(block)):
        return block
    rows = tuple(row for each in block.rows if (row := _without(each, here)) is not None)
    bare = replace(block, spans=spans(block.spans), cells=tuple(spans(cell) for cell in block.cells), rows=rows)
    return None if block.kind == "kept" or (block.spans and not plain(bare.spans).strip()) else bare


def kept_in(block: Block) -> list[str]:
    """The refs of all kept things in a block: its own, those of its spans and cells, those of its rows."""
    own = [block.ref] if block.kind == "kept" else []
    inner = [ref for row in block.rows for ref in kept_in(row)]
    return own + [s.ref for run in (block.spans, *block.cells) for s in run if s.kind == "kept"] + inner


def kept_labels(block: Block) -> list[str]:
    """How the kept things of a block are called."""
    own = [block.text] if block.kind == "kept" else []
    return (
        own
        + [s.text for run in (block.spans, *block.cells) for s in run if s.kind == "kept"]
        + [name for row in block.rows for name in kept_labels(row)]
    )


def has_words(block: Block) -> bool:
    """Whether a block says something itself, beside what its page keeps natively."""
    runs = [block.spans, *block.cells, *(cell for row in block.rows for cell in row.cells)]
    return block.kind != "kept" and any(span.text.strip() for run in runs for span in run if span.kind != "kept")


def renamed(blocks: Sequence[Block], like: Sequence[Block]) -> tuple[Block, ...]:
    """`blocks` with the names of the kept things of `like`, one after the other; as they are where one side lacks some."""
    names = [ref for block in like for ref in kept_in(block)]
    if len(names) != sum(len(kept_in(block)) for block in blocks):
        return tuple(blocks)
    left = iter(names)
    return tuple(_named(block, left) for block in blocks)


def _named(block: Block, names: Iterator[str]) -> Block:
    def spans(run: Spans) -> Spans:
        return tuple(replace(span, ref=next(names)) if span.kind == "kept" else span for span in run)

    ref = next(names) if block.kind == "kept" else block.ref
    own, cells = spans(block.spans), tuple(spans(cell) for cell in block.cells)
    return replace(block, ref=ref, spans=own, cells=cells, rows=tuple(_named(row, names) for row in block.rows))
