"""How often a person's words are overwritten in Notion, which has no compare-and-swap: measured, not argued.

    python -m tests.simulation.race --writes 10000 --latency 0.2 --window 60

One racing write: we change one block of a page while a person edits the same block once, at a random moment of a `window`
of seconds that our write lies in the middle of. Every request takes `latency` seconds; the service acts half-way. An edit is
overwritten when it was made and is neither on the page nor in anything that we read: nobody will ever see it but in the
page's history. What is left to chance is the time between the service's answer to our last look and its taking our write.
"""

import argparse
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import httpx

from mapping.document import Block, Doc, paragraph, text_spans
from providers.contract import Done, Observation, Place
from providers.notion import Notion
from providers.sandbox.in_process import EmulatorTransport
from providers.sandbox.notion import NotionWorkspace
from providers.sandbox.wire import Reply
from providers.transport import Budget

START = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
HALF_AN_HOUR = 1800.0
Kind = str  # what we do to the block: see `KINDS`
KINDS = ("reword", "tick", "remove", "cell")


@dataclass
class Race:
    """A page, a person, and a network between us and the service."""

    latency: float
    window: float
    seed: int = 7
    now: float = 0.0
    acts: list[tuple[float, Callable[[], None]]] = field(default_factory=list)
    read: list[str] = field(default_factory=list)  # every answer, as text
    edited_at: float = 0.0
    removed_at: float = float("inf")

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.space = NotionWorkspace(lambda: START + timedelta(seconds=self.now), random.Random(self.seed))
        self.place = Place("notes", {"data_source": self.space.data_source_id}, {})
        self.notion = Notion(
            url="https://api.notion.example",
            token="ntn_sandbox",
            accounts={},
            budget=Budget(1e9, lambda: self.now, self.pass_time),
            now=lambda: START + timedelta(seconds=self.now),
            client=httpx.Client(transport=EmulatorTransport(self)),
        )

    def pass_time(self, seconds: float) -> None:
        """Time passes, and what people do in it happens."""
        self.now += seconds
        due = [act for moment, act in self.acts if moment <= self.now]
        self.acts = [(moment, act) for moment, act in self.acts if moment > self.now]
        for act in due:
            act()

    def handle(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """A request on its way there, and its answer on its way back."""
        self.pass_time(self.latency / 2)
        if method == "DELETE":
            self.removed_at = self.now
        reply = self.space.handle(method, path, headers, body)
        if method != "DELETE":  # what went to the trash is on no page
            self.read.append(reply.body.decode())
        self.pass_time(self.latency / 2)
        return reply

    # --- one racing write ---

    def run(self, kind: Kind, number: int) -> bool:
        """Whether the person's words of this write were overwritten."""
        seen = self._page(number)
        words = f"typed by a person {number}"
        edit = self._edit(kind, seen, words)
        self.pass_time(self.window / 2)
        self.edited_at = self.now + (self.chance.random() - 0.5) * self.window
        self.acts = [(self.edited_at, edit)]
        self.pass_time(0)
        self.read.clear()
        again = self.notion.read(self.place, seen.native_id)
        outcome = self.notion.write(self.place, again, self._target(kind, again, number), "")
        self.pass_time(self.window)
        last = self.notion.read(self.place, seen.native_id)
        known = any(words in answer for answer in self.read)
        self.space.trash(seen.native_id)
        late = kind == "remove" and self.removed_at < self.edited_at  # nobody edits what is gone
        return isinstance(outcome, Done) and words not in str(last.doc) and not known and not late

    def _page(self, number: int) -> Observation:
        row = Block("row", cells=(text_spans("10:05"), text_spans("Noticed"), ()))
        blocks = (
            paragraph("words of the page"),
            Block("task", text_spans("to do")),
            Block("table", header=True, rows=(row, replace(row, cells=(*row.cells[:1], text_spans("Paged"), ())))),
        )
        outcome = self.notion.create(self.place, Doc(f"Page {number}", blocks), f"INC-{number}")
        assert isinstance(outcome, Done) and outcome.seen
        return outcome.seen

    def _edit(self, kind: Kind, seen: Observation, words: str) -> Callable[[], None]:
        text, task, table = seen.doc.blocks
        if kind == "cell":
            return lambda: self.space.ui_edit_cell(table.rows[1].native, 1, words)
        return lambda: self.space.ui_edit_text((task if kind == "tick" else text).native, words)

    def _target(self, kind: Kind, seen: Observation, number: int) -> Doc:
        text, task, table = seen.doc.blocks
        if kind == "remove":
            return replace(seen.doc, blocks=(task, table))
        if kind == "tick":
            return replace(seen.doc, blocks=(text, replace(task, checked=True), table))
        if kind == "cell":
            row = replace(table.rows[1], cells=(text_spans("10:06"), *table.rows[1].cells[1:]))
            return replace(seen.doc, blocks=(text, task, replace(table, rows=(table.rows[0], row))))
        return replace(seen.doc, blocks=(replace(text, spans=text_spans(f"ours {number}")), task, table))


def overwritten(writes: int, latency: float, window: float, kinds: tuple[Kind, ...] = KINDS) -> dict[Kind, int]:
    """How many of `writes` racing writes of each kind overwrote what a person did."""
    found = {}
    for kind in kinds:
        race = Race(latency, window)
        found[kind] = sum(race.run(kind, number) for number in range(writes))
    return found


def main() -> None:
    """Prints the share per million racing writes, by kind."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--writes", type=int, default=10_000, help="racing writes of each kind")
    parser.add_argument("--latency", type=float, default=0.2, help="seconds that one request takes, there and back")
    parser.add_argument("--window", type=float, default=60.0, help="seconds around our write in which the person edits once")
    asked = parser.parse_args()
    for kind, count in overwritten(asked.writes, asked.latency, asked.window).items():
        print(f"{kind}: {count} of {asked.writes} overwritten, {count / asked.writes * 1e6:.0f} per million")


if __name__ == "__main__":
    main()
