"""A Notion workspace with a provider of it, the page that most tests publish, and the shortest way to change a page."""

import random
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from mapping.document import Block, Doc, Span, heading, paragraph, text_spans
from providers.contract import Done, Observation, Place
from providers.notion import Notion
from providers.sandbox.faults import Faulty, writes
from providers.sandbox.in_process import EmulatorTransport
from providers.sandbox.notion import NotionWorkspace
from providers.transport import Budget
from tests.contract.described import NOTION, Described

ADA = Span("Ada Byron", "mention", "ada@example.com")
STATIC = "In step with incident INC-12. Edit freely."
FOLLOW_UP = Block(
    "task",
    (
        Span("Add an alert "),
        ADA,
        Span(" due "),
        Span("2026-12-01", "date", "2026-12-01"),
        Span(" "),
        Span("FU-3", marks=frozenset({"code"})),
    ),
)


def table_row(*cells: str) -> Block:
    return Block("row", cells=tuple(text_spans(cell) for cell in cells))


BODY = (
    paragraph(STATIC),
    heading("Summary"),
    paragraph("The queue was full."),
    paragraph("It took an hour."),
    heading("Details"),
    Block("table", rows=(table_row("Severity", "SEV1"), table_row("Lead", "Ada")), hint="details"),
    heading("Timeline"),
    Block("table", header=True, rows=(table_row("Time", "Event", "Details"), table_row("10:05", "Noticed", "T-1"))),
    heading("Follow-ups"),
    FOLLOW_UP,
    Block("task", text_spans("Write it down FU-4"), checked=True),
    Block("bullet", text_spans("outer")),
    Block("bullet", text_spans("inner"), depth=1),
)
PROPERTIES = (("incident", "INC-12"), ("severity", "SEV1"), ("status", "In progress"))
DOC = Doc("INC-12 Queue full", BODY, PROPERTIES)


@dataclass
class World:
    """A workspace, the faults on the way to it, a clock, and a provider."""

    now: datetime = datetime(2026, 11, 23, 10, 0, 30, tzinfo=UTC)
    slept: list[float] = field(default_factory=list)
    options: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.service = NotionWorkspace(lambda: self.now, random.Random(7), **self.options)
        self.wire = Faulty(Described(self.service, NOTION))
        self.notion = self.connect()
        self.table = Place("notes", {"data_source": self.service.data_source_id}, {})
        self.plain = Place("pages", {"page": self.service.page_id}, {})

    def connect(self, accounts: dict[str, str] | None = None) -> Notion:
        """One more provider of the same workspace, as after a restart."""
        return Notion(
            url="https://api.notion.example",
            token="ntn_sandbox",
            accounts=accounts or {},
            budget=Budget(100_000, lambda: self.now.timestamp(), self.sleep),
            now=lambda: self.now,
            client=httpx.Client(transport=EmulatorTransport(self.wire)),
        )

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.pass_time(seconds)

    def pass_time(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def publish(self, doc: Doc = DOC, place: Place | None = None) -> Observation:
        outcome = self.notion.create(place or self.table, doc, "INC-12")
        assert isinstance(outcome, Done) and outcome.seen
        self.service.requests.clear()
        return outcome.seen

    def read(self, seen: Observation, place: Place | None = None) -> Observation:
        return self.notion.read(place or self.table, seen.native_id)

    def write(self, seen: Observation, target: Doc) -> Observation:
        outcome = self.notion.write(self.table, seen, target, "a note")
        assert isinstance(outcome, Done), outcome
        assert outcome.seen
        return outcome.seen

    def writes(self) -> list[tuple[str, str]]:
        return [(method, path) for method, path in self.service.requests if writes(method, path)]


def natives_of(blocks: Iterable[Block]) -> list[str]:
    return [native for block in blocks for native in (block.native, *(row.native for row in block.rows))]


def with_blocks(seen: Observation, blocks: Iterable[Block]) -> Doc:
    return replace(seen.doc, blocks=tuple(blocks))


def swapped(seen: Observation, index: int, block: Block) -> Doc:
    return with_blocks(seen, (*seen.doc.blocks[:index], block, *seen.doc.blocks[index + 1 :]))


def inserted(seen: Observation, index: int, block: Block) -> Doc:
    return with_blocks(seen, (*seen.doc.blocks[:index], block, *seen.doc.blocks[index:]))


def without_block(seen: Observation, text: str) -> Doc:
    index = index_of(seen, text)
    return with_blocks(seen, (*seen.doc.blocks[:index], *seen.doc.blocks[index + 1 :]))


def index_of(seen: Observation, text: str) -> int:
    return next(index for index, block in enumerate(seen.doc.blocks) if block.text.startswith(text))


def native_of(seen: Observation, text: str) -> str:
    return seen.doc.blocks[index_of(seen, text)].native


def edited(seen: Observation, text: str, after: str) -> Doc:
    index = index_of(seen, text)
    blocks = list(seen.doc.blocks)
    blocks[index] = replace(blocks[index], spans=text_spans(after))
    return replace(seen.doc, blocks=tuple(blocks))
