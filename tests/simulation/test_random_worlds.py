"""Worlds of random people, crashes and faults: everything agrees in the end, and nothing was lost or doubled.

`SYNCD_WORLDS=N` runs N worlds instead of the usual few, `SYNCD_WORLD=SEED` a single one and prints its story.
"""

import json
import os
import random
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest

from mapping.document import Block, as_json, fingerprint
from mapping.markdown import to_markdown
from mapping.rows import columns, event_values, follow_up_values, read_event, read_follow_up
from providers.sandbox.faults import Fault, failing, rate_limited, writes
from providers.sandbox.wire import Emulator, Reply
from syncd.classify import classify
from syncd.local import Local
from syncd.pages import Entry, Page
from syncd.reconcile import Limits, Report
from syncd.take_in import bare
from tests.simulation.acts import TOKEN, Play, story
from tests.simulation.world import AT_ONCE, GRACE, INCIDENT, World

SEEDS = range(40)
PLACES = ["wiki", "notes", "plain-notes", "files"]
PATIENT = Limits(version_gap=timedelta(0), writes_per_hour=100_000)
FAULTS = [
    Fault("request_lost", writes),
    Fault("reply_lost", writes),
    Fault("refused", writes),
    rate_limited("2", writes),
    failing(502, writes),
    failing(503, writes, after_commit=True),
    failing(500, writes),
    Fault("request_lost"),
    failing(502),
    rate_limited("2"),
]


class Killed(BaseException):
    """The process is gone: nothing may catch this."""


@dataclass
class Trouble:
    """An emulator at which, at given numbers of requests, the client dies or somebody edits a page in that very moment."""

    emulator: Emulator
    play: Play
    kill_at: dict[int, bool] = field(default_factory=dict)  # request number from now -> after the work is done
    meddle_at: set[int] = field(default_factory=set)
    reads_only: bool = False
    count: int = 0

    def handle(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        self.count += 1
        if self.count in self.meddle_at and not (self.reads_only and writes(method, path)):
            self.meddle_at.discard(self.count)
            self.play.tell(f"during {method} {path.partition('?')[0]}:")
            self.play.act()
        if self.kill_at.pop(self.count, True) is False:
            self.play.tell(f"killed before {method} {path.partition('?')[0]}")
            raise Killed
        die = self.count in self.kill_at
        reply = self.emulator.handle(method, path, headers, body)
        if die:
            raise Killed
        return reply


def trouble(play: Play) -> list[Trouble]:
    """Stands around both services; the space's person is only let in before reads (see docs/limits.md on Notion)."""
    made = [Trouble(play.world.wiki, play), Trouble(play.world.space, play, reads_only=True)]
    play.world.to_wiki.emulator, play.world.to_space.emulator = made
    return made


def a_pass(play: Play) -> None:
    """One pass over everything; the process may die in it and begins again."""
    try:
        reports = play.world.app.once()
        play.tell("pass: " + "; ".join(f"{r.page.destination} {r.result} {r.reasons}" for r in reports))
    except Killed:
        play.tell("the process dies and starts again")
        play.world.crash()


def go_wrong(play: Play, wires: list[Trouble]) -> None:
    """Something is about to go wrong."""
    rng, wire = play.rng, play.rng.choice(wires)
    what = rng.choice(["crash", "kill", "kill", "fault", "fault", "meddle", "meddle"])
    if what == "crash":
        play.tell("crash")
        play.world.crash()
    elif what == "kill":
        wire.kill_at[wire.count + rng.randrange(1, 30)] = rng.random() < 0.5
    elif what == "meddle":
        wire.meddle_at.add(wire.count + rng.randrange(1, 12))
    else:
        fault = rng.choice(FAULTS)
        play.tell(f"fault to come: {fault.kind} {fault.status}")
        rng.choice([play.world.to_wiki, play.world.to_space]).script.append(fault)


def live(root: Path, seed: int) -> Play:
    """The life of one world until it comes to rest."""
    rng = random.Random(seed)
    limits = AT_ONCE if rng.random() < 0.7 else PATIENT
    play = Play(World(root, limits=limits, seed=seed), rng)
    wires = trouble(play)
    places = rng.sample(PLACES, rng.randrange(1, 4))
    play.tell(f"seed {seed}: {places}, {'at once' if limits is AT_ONCE else 'patient'}")
    play.world.take(INCIDENT)
    play.world.app.create_postmortem("INC-12", "standard", places[0], GRACE)
    later = places[1:]
    troubled = rng.random() < 0.5
    for _ in range(rng.randrange(4, 24)):
        if later and rng.random() < 0.4:
            play.tell(f"copy to {later[0]}")
            play.world.app.export_postmortem("INC-12", later.pop(0), True, GRACE)
        if troubled and rng.random() < 0.3:
            go_wrong(play, wires)
        kind = rng.random()
        if kind < 0.6:
            play.act()
        elif kind < 0.75:
            play.world.wait(rng.choice([5, 70, 300, 5000]))
        else:
            a_pass(play)
    calm(play, wires)
    return play


def calm(play: Play, wires: list[Trouble]) -> None:
    """No more trouble; time passes until nothing travels."""
    play.tell("calm")
    for wire in wires:
        wire.kill_at.clear()
        wire.meddle_at.clear()
    play.world.to_wiki.script.clear()
    play.world.to_space.script.clear()
    for _ in range(6):
        play.world.wait(400)
        a_pass(play)


# --- what must be true --------------------------------------------------------------------------------------------------


def judge(play: Play) -> None:
    world = play.world
    before, lines = world.writes(), len(world.store.journal(limit=10**6))
    reports = world.app.once()
    assert [r for r in reports if r.result != "in_step"] == []
    assert [(r.taken, r.written) for r in reports if r.taken or r.written] == []
    assert world.writes() == before, "a quiet pass writes"
    assert len(world.store.journal(limit=10**6)) == lines, "a quiet pass journals"
    one_page_each(world)
    for report in reports:
        agrees(play, report)
    nothing_lost(play)
    nothing_doubled(play)


def one_page_each(world: World) -> None:
    ids = {page.native_id for page in world.store.pages()}
    wiki = {native for native, title, _ in world.wiki.pages() if "INC-12" in title}
    space = {native for native, title, _ in world.space.pages() if "INC-12" in title}
    files = {path.name for path in (world.root / "pages").iterdir()}
    assert wiki | space | files == ids


def seen(world: World, page: Page) -> tuple[Entry, ...]:
    """The page read back, each block with its meaning."""
    target = world.app.destinations[page.destination]
    doc = target.provider.read(target.place, page.native_id).doc
    base = world.store.base(page.id)
    assert base
    assert fingerprint(base.doc) == fingerprint(doc), "the base is what is on the page"
    return classify(base, doc, world.wording.local(page, target.provider), native=target.provider.capabilities.native_ids)


def agrees(play: Play, report: Report) -> None:
    world, page = play.world, report.page
    where = page.destination
    entries = seen(world, page)
    local = world.wording.local(page, world.app.destinations[where].provider)
    unread = {(u.key, u.field) for u in local.unread}
    rows = [(e.keys[0], read_follow_up(e.block, local.words, local.follow_ups)) for e in entries if e.role == "row"]
    titled = [(key, line) for key, line in rows if line.fields["title"] or key[:1] != "+"]
    shown = Counter(key for key, _ in titled)
    wanted = {key for key in local.follow_ups if key not in local.hidden}
    assert shown == Counter(wanted), f"{where}: follow-ups"
    for key, line in titled:
        assert line.key == key, f"{where}: {key} shows {line.key}"
        known = {n: v for n, v in follow_up_values(local.follow_ups[key]).items() if (key, n) not in unread}
        assert {n: line.fields[n] for n in known} == known, f"{where}: {key}"
    events_agree(local, entries, where)
    for section in local.postmortem.sections:
        if f"section:{section.id}" in local.hidden:
            continue
        heads = [e.block.text.strip() for e in entries if (e.section, e.role) == (section.id, "heading")]
        assert heads == ([section.heading] if section.heading else []), f"{where}: headings of {section.id}"
        if section.kind in ("text", "summary"):
            mine = tuple(bare(b) for b in local.projected(local.prose(section)))
            theirs = tuple(bare(e.block) for e in entries if (e.section, e.role) == (section.id, "prose"))
            assert said(theirs) == said(mine), f"{where}: prose of {section.id}"
    table = next(e for e in entries if e.role == "table" and "status" in e.keys)
    cells = {key: row.cells[1] for key, row in zip(table.keys, table.block.rows, strict=True) if key}
    text = {key: "".join(span.text for span in cell) for key, cell in cells.items()}
    assert text["status"] == local.postmortem.status.label, where
    if ("details", "severity") not in unread and "severity" in text:
        assert text["severity"] == local.incident.severity, where


def events_agree(local: Local, entries: Sequence[Entry], where: str) -> None:
    tables = [e for e in entries if e.role == "table" and "status" not in e.keys and e.block.header]
    keys = [key for e in tables for key in e.keys if key]
    assert Counter(k for k in keys if k[:1] != "+") == Counter(k for k in local.events if k not in local.hidden), where
    for entry in tables:
        for key, row in zip(entry.keys, entry.block.rows, strict=True):
            if key and key[:1] != "+":
                fields, at = read_event(row, columns(entry.block), local.events)
                wanted = event_values(local.events[key])
                assert at == key and fields["title"] == wanted["title"], f"{where}: {key}"
                assert fields["description"] == wanted["description"], f"{where}: {key}"


def said(blocks: tuple[Block, ...]) -> list[object]:
    return [as_json(block, native=False) for block in blocks]


def store_text(world: World) -> str:
    """All that the store holds now."""
    incident, postmortem = world.incident(), world.store.postmortem("INC-12")
    assert postmortem
    rows = [*map(follow_up_values, incident.follow_ups), *map(event_values, incident.timeline)]
    prose = [(s.heading, "" if s.kind == "summary" else to_markdown(s.blocks)) for s in postmortem.sections]
    return json.dumps([to_markdown(incident.summary), rows, prose])


def page_texts(play: Play) -> dict[str, str]:
    world = play.world
    found = {}
    for page in world.store.pages():
        target = world.app.destinations[page.destination]
        doc = target.provider.read(target.place, page.native_id).doc
        found[page.destination] = "\n".join(block.text for block in doc.blocks)
    return found


def nothing_lost(play: Play) -> None:
    world = play.world
    kept = [store_text(world), world.incident().name, *page_texts(play).values()]
    kept += [f"{c.store.text} {c.other.text}" for c in world.store.conflicts("INC-12")]
    kept += [what for page in world.store.pages() for what in world.store.hidden(page.id).values()]
    there = set(TOKEN.findall(" ".join(kept)))
    written = set(TOKEN.findall(" ".join(play.told)))
    assert written - there - play.gone == set(), "lost"


def nothing_doubled(play: Play) -> None:
    places = {"store": store_text(play.world), **page_texts(play)}
    for where, text in places.items():
        twice = {token for token, n in Counter(TOKEN.findall(text)).items() if n > 1}
        assert twice - play.twice == set(), f"doubled in {where}"


def seeds() -> list[int]:
    if "SYNCD_WORLD" in os.environ:
        return [int(os.environ["SYNCD_WORLD"])]
    return list(range(int(os.environ["SYNCD_WORLDS"]))) if "SYNCD_WORLDS" in os.environ else list(SEEDS)


@pytest.mark.parametrize("seed", seeds())
def test_everything_agrees_in_the_end_and_nothing_is_lost_or_doubled(tmp_path: Path, seed: int) -> None:
    play = live(tmp_path, seed)
    try:
        judge(play)
    except AssertionError:
        print(story(play))
        raise
    finally:
        play.world.store.close()
        shutil.rmtree(tmp_path)
