"""The store's view of one page, gathered for the decision: everything that taking in and planning out may look at."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from mapping.document import Block, Doc, Spans, merged_spans, plain
from mapping.incident import FollowUp, Incident, Postmortem, Section, TimelineEvent
from mapping.rows import Vocabulary
from syncd.pages import Unread

Project = Callable[[Doc], Doc]


@dataclass(frozen=True, slots=True)
class Local:
    """What the store says about one page at one moment.

    home: prose is written on this page, so it wins a conflict about prose. title: the template's title, rendered now.
    hidden: row keys and `section:ID` that were removed from this page. made_here: when follow-ups were made on this page.
    project: what the service will make of a document.
    """

    incident: Incident
    postmortem: Postmortem
    words: Vocabulary
    title: str
    home: bool
    project: Project
    hidden: frozenset[str] = frozenset()
    made_here: Mapping[str, datetime] = field(default_factory=dict)
    unread: tuple[Unread, ...] = ()
    still: Mapping[str, datetime] = field(default_factory=dict)

    @property
    def follow_ups(self) -> dict[str, FollowUp]:
        return {row.key: row for row in self.incident.follow_ups}

    @property
    def events(self) -> dict[str, TimelineEvent]:
        return {row.key: row for row in self.incident.timeline}

    @property
    def keys(self) -> frozenset[str]:
        return frozenset(self.follow_ups) | frozenset(self.events)

    def prose(self, section: Section) -> tuple[Block, ...]:
        """The prose of a section as the store has it; a heading in it never begins a section of its own."""
        prose = self.incident.summary if section.kind == "summary" else section.blocks
        return tuple(replace(b, level=3) if b.kind == "heading" and b.level < 3 else b for b in prose)

    def projected(self, blocks: tuple[Block, ...]) -> tuple[Block, ...]:
        """Blocks as they will read back from this page's service. Kept things keep their names: a service numbers equal
        ones over the whole page, of which this is a part."""
        shown = self.project(Doc("", blocks)).blocks
        names = [ref for block in blocks for ref in _kept(block)]
        if len(names) != sum(len(_kept(block)) for block in shown):
            return shown  # some cannot be said here
        left = iter(names)
        return tuple(_named(block, left) for block in shown)


def of_page(blocks: Iterable[Block], page: Iterable[Block]) -> tuple[Block, ...]:
    """Blocks of the store as they may stand beside the blocks of a page: what another page keeps natively never comes
    here, neither a whole block nor a thing in the middle of a sentence."""
    here = {ref for block in page for ref in _kept(block)}
    return tuple(kept for block in blocks if (kept := _without(block, here)) is not None)


def _without(block: Block, here: set[str]) -> Block | None:
    def spans(run: Spans) -> Spans:
        return merged_spans(span for span in run if span.kind != "kept" or span.ref in here)

    if here.issuperset(_kept(block)):
        return block
    rows = tuple(row for of in block.rows if (row := _without(of, here)) is not None)
    bare = replace(block, spans=spans(block.spans), cells=tuple(spans(cell) for cell in block.cells), rows=rows)
    return None if block.kind == "kept" or (block.spans and not plain(bare.spans).strip()) else bare


def _kept(block: Block) -> list[str]:
    """The refs of all kept things in a block, in `_named`'s order."""
    own = [block.ref] if block.kind == "kept" else []
    inner = [ref for row in block.rows for ref in _kept(row)]
    return own + [s.ref for run in (block.spans, *block.cells) for s in run if s.kind == "kept"] + inner


def _named(block: Block, names: Iterator[str]) -> Block:
    def spans(run: Spans) -> Spans:
        return tuple(replace(span, ref=next(names)) if span.kind == "kept" else span for span in run)

    ref = next(names) if block.kind == "kept" else block.ref
    own, cells = spans(block.spans), tuple(spans(cell) for cell in block.cells)
    return replace(block, ref=ref, spans=own, cells=cells, rows=tuple(_named(row, names) for row in block.rows))


@dataclass(frozen=True, slots=True)
class Policy:
    """The numbers that bound a decision; see `[sync]` and `[brakes]` in the configuration.

    published: people's edits come by an explicit publish and are never half-typed. native: block ids survive edits.
    accept: a person agreed to whatever halted the page.
    """

    native: bool
    published: bool
    compare_and_swap: bool
    row_still: timedelta
    quiet: timedelta
    removed_share: float
    removed_min: int
    accept: bool = False
