"""Pictures that the store holds: which they are, and what stands for them where they cannot come along.

Their address in prose is `/attachments/NAME`, where the name is a hash of the bytes: one picture has one name everywhere, so
a service that has the file already needs it no second time. All other pictures are on the web.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from mapping.document import ATTACHMENTS, Block, Span, Spans, merged_spans

_NAME = re.compile(r"[0-9a-f]{32}\.(?:png|jpg|gif|webp)")


def is_name(name: str) -> bool:
    """Whether this is how a picture of ours is called."""
    return bool(_NAME.fullmatch(name))


def name_of(address: str) -> str:
    """The name of a picture of ours from its address; empty for any other address."""
    name = address.removeprefix(ATTACHMENTS)
    return name if name != address and is_name(name) else ""


def pictures_in(blocks: Iterable[Block]) -> Iterator[Span]:
    """All pictures that blocks show, in order."""
    for block in blocks:
        for run in (block.spans, *block.cells):
            yield from (span for span in run if span.kind == "image")
        yield from pictures_in(block.rows)


def names_in(blocks: Iterable[Block]) -> list[str]:
    """The names of the pictures of ours that blocks show, each once, in order."""
    return list(dict.fromkeys(name for span in pictures_in(blocks) if (name := name_of(span.link))))


def told(blocks: Iterable[Block]) -> tuple[Block, ...]:
    """Pictures of ours as their descriptions."""
    return tuple(_told(block) if names_in((block,)) else block for block in blocks)


def _told(block: Block) -> Block:
    def run(spans: Spans) -> Spans:
        return merged_spans(Span(s.text) if s.kind == "image" and name_of(s.link) else s for s in spans)

    rows = tuple(_told(row) for row in block.rows)
    return replace(block, spans=run(block.spans), cells=tuple(run(cell) for cell in block.cells), rows=rows)
