"""The neutral document: a page is a title, named properties and a flat run of blocks; blocks hold spans.

Level-2 headings begin sections; `sections()` is a view, not a container, so that one merge walks the whole page. Lists are
flat too: an item knows its `depth`. Only tables have children (their rows), because services address rows by themselves.

`native` and `hint` say where a block came from and which native idiom it wears (of a kept block: which keys are read in it);
they never take part in comparison.
Formats are in `markdown.py`, `confluence_storage.py`, `notion_blocks.py`; merging is in `merge.py`.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar, dataclass_transform

BlockKind = Literal[
    "paragraph",
    "heading",  # level 2 begins a section; 3 to 6 are prose
    "bullet",
    "number",
    "task",  # a native checkbox
    "code",
    "quote",
    "panel",  # call-out, info panel: short help or a remark
    "divider",
    "table",
    "row",
    "kept",  # a native block that the Doc cannot say; `text` is its label, `ref` tells it from others
]
SpanKind = Literal[
    "text",
    "mention",  # ref: e-mail where the account is known, else `account:<native id>`
    "date",  # ref: ISO date
    "status",  # ref: colour in lower case; a lozenge where the service has one, else plain text
    "image",  # a picture: link is its address on the web or among the store's, text describes it
    "kept",  # ref: token of an inline native thing (emoji, file, macro); text is its label
]
Mark = Literal["bold", "italic", "strike", "code", "underline"]

ATTACHMENTS = "/attachments/"  # before the names of the store's own pictures, see `pictures.py`
_ON_THE_WEB = re.compile(r"https?://[^\s<>\"]+")

_T = TypeVar("_T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def value(of: type[_T]) -> type[_T]:
    """A frozen dataclass that the type checker keeps frozen: a page has thousands of them, and to keep each from being
    changed at run time too makes making one four times as slow."""
    return dataclass(slots=True, unsafe_hash=True)(of)


@value
class Span:
    """A run of text with the same marks, or one atomic inline thing. `text` may hold `\\n` (a soft line break)."""

    text: str
    kind: SpanKind = "text"
    ref: str = ""
    marks: frozenset[Mark] = frozenset()
    link: str = ""


Spans = tuple[Span, ...]


@value
class Block:
    """One block. Which fields mean something follows from `kind`:

    heading: spans, level. bullet, number, task: spans, depth (0 = outermost), and checked for a task. code: spans (plain),
    language. quote, paragraph: spans. panel: spans, language (`tip`, `warning`, `caution`; empty for a note). table: rows
    (blocks of kind `row`), header (first row is a header). row: cells.
    kept: spans (one plain label), ref.
    """

    kind: BlockKind
    spans: Spans = ()
    level: int = 0
    depth: int = 0
    checked: bool = False
    language: str = ""
    header: bool = False
    rows: tuple["Block", ...] = ()
    cells: tuple[Spans, ...] = ()
    ref: str = ""
    native: str = field(default="", compare=False)
    hint: str = field(default="", compare=False)

    @property
    def text(self) -> str:
        """The plain text; cells are joined by tabs, rows by line ends."""
        if self.kind == "table":
            return "\n".join(row.text for row in self.rows)
        if self.kind == "row":
            return "\t".join(plain(cell) for cell in self.cells)
        return plain(self.spans)


@dataclass(frozen=True, slots=True)
class Doc:
    """A whole page. `properties` are carriers outside the body as raw text: `incident`, `status`, `severity`,
    `lead`, `role:scribe`, `time:started`."""

    title: str
    blocks: tuple[Block, ...]
    properties: tuple[tuple[str, str], ...] = ()

    def property(self, name: str) -> str | None:
        """The raw text of one property, None where the page has no such carrier."""
        return dict(self.properties).get(name)


@dataclass(frozen=True, slots=True)
class PageSection:
    """A level-2 heading (None for what stands before the first) and the blocks until the next."""

    heading: Block | None
    blocks: tuple[Block, ...]


def plain(spans: Spans) -> str:
    """The text of a run of spans without marks."""
    return "".join(span.text for span in spans)


def text_spans(text: str) -> Spans:
    """Plain text as spans; empty text has none."""
    return (Span(text),) if text else ()


def paragraph(text: str) -> Block:
    """A plain paragraph."""
    return Block("paragraph", text_spans(text))


def heading(text: str, level: int = 2) -> Block:
    """A plain heading."""
    return Block("heading", text_spans(text), level=level)


def image(description: str, address: str) -> Span | None:
    """A picture of the store or on the web, which has its file's name where nobody described it; None for an address of
    another sort."""
    if not ((address.startswith(ATTACHMENTS) or _ON_THE_WEB.fullmatch(address)) and address.isprintable()):
        return None
    name = address.partition("?")[0].rstrip("/").rpartition("/")[2]
    return Span(" ".join(description.split()) or name, "image", link=address)


def merged_spans(spans: Iterable[Span]) -> Spans:
    """Adjacent text of equal marks and link joined, empty text dropped: what services do to rich text anyway."""
    given = tuple(spans)
    if _are_merged(given):
        return given
    merged: list[Span] = []
    run: list[Span] = []
    for span in given:
        if span.kind == "text" and not span.text:
            continue
        if run and not _joins(run[0], span):
            merged.append(_joined(run))
            run = []
        run.append(span)
    return (*merged, _joined(run)) if run else ()


def _are_merged(given: Spans) -> bool:
    marks, link = None, ""  # of the text before
    for span in given:
        if span.kind != "text":
            marks = None
            continue
        if not span.text or (span.marks == marks and span.link == link):
            return False
        marks, link = span.marks, span.link
    return True


def _joins(left: Span, right: Span) -> bool:
    return left.marks == right.marks and left.kind == right.kind == "text" and left.link == right.link


def _joined(run: list[Span]) -> Span:
    if len(run) == 1:
        return run[0]
    return Span("".join(span.text for span in run), "text", "", run[0].marks, run[0].link)


def sections(blocks: Iterable[Block]) -> Iterator[PageSection]:
    """The page's sections in order; the first has no heading and may be empty."""
    head: Block | None = None
    body: list[Block] = []
    for block in blocks:
        if block.kind == "heading" and block.level == 2:
            yield PageSection(head, tuple(body))
            head, body = block, []
        else:
            body.append(block)
    yield PageSection(head, tuple(body))


def fingerprint(doc: Doc) -> str:
    """A hash of all that counts as content: equal fingerprints, nothing to do."""
    value = [doc.title, sorted(doc.properties), [as_json(block, native=False) for block in doc.blocks]]
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:32]


# --- as JSON, for the store -------------------------------------------------------------------------------------------


def as_json(block: Block, *, native: bool = True) -> dict[str, Any]:
    """A block as a JSON object with its defaults left out."""
    value: dict[str, Any] = {"kind": block.kind}
    if block.spans:
        value["spans"] = [_span_json(span) for span in block.spans]
    for name in ("level", "depth", "checked", "language", "header", "ref") + (("native", "hint") if native else ()):
        if getattr(block, name):
            value[name] = getattr(block, name)
    if block.rows:
        value["rows"] = [as_json(row, native=native) for row in block.rows]
    if block.cells:
        value["cells"] = [[_span_json(span) for span in cell] for cell in block.cells]
    return value


def from_json(value: dict[str, Any]) -> Block:
    """The block that `as_json` wrote."""
    simple = {k: v for k, v in value.items() if k not in ("spans", "rows", "cells")}
    return Block(
        **simple,
        spans=tuple(_span(span) for span in value.get("spans", ())),
        rows=tuple(from_json(row) for row in value.get("rows", ())),
        cells=tuple(tuple(_span(span) for span in cell) for cell in value.get("cells", ())),
    )


def _span_json(span: Span) -> dict[str, Any]:
    value: dict[str, Any] = {"text": span.text}
    for name in ("ref", "link"):
        if getattr(span, name):
            value[name] = getattr(span, name)
    if span.kind != "text":
        value["kind"] = span.kind
    if span.marks:
        value["marks"] = sorted(span.marks)
    return value


def _span(value: dict[str, Any]) -> Span:
    return Span(**{**value, "marks": frozenset(value.get("marks", ()))})


def blocks_to_json(blocks: Iterable[Block]) -> str:
    """Blocks as compact JSON text."""
    return json.dumps([as_json(block) for block in blocks], ensure_ascii=False, separators=(",", ":"))


def blocks_from_json(text: str) -> tuple[Block, ...]:
    """Blocks from the text that `blocks_to_json` wrote."""
    return tuple(from_json(value) for value in json.loads(text))
