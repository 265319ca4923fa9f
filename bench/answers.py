"""How long the server takes to answer with many incidents in the store: a store filled by chance from a seed, through the
product's own commands, and its HTTP application asked in this process, without a socket between.
"""

import asyncio
import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import httpx

from mapping.commands import Actor, Set
from mapping.document import paragraph
from mapping.incident import FollowUp, FollowUpStatus, Incident, Person, Phase, Postmortem, PostmortemStatus, Section
from mapping.incident import TimelineEvent as Event
from syncd.api import create_app
from syncd.assembly import assemble
from syncd.pages import Conflict, Page, PageState, Version
from syncd.settings import load
from syncd.store import Store

CONFIG = """
[store]
url = "sqlite:///bench.db"
[providers.files]
kind = "folder"
[destinations.wiki]
provider = "files"
path = "pages"
"""
START = datetime(2024, 1, 1, tzinfo=UTC)
APART = timedelta(hours=2, minutes=30)  # between two incidents
ROWS = 10  # follow-ups of an incident; half as many events
WORDS = (
    *("checkout", "payment", "latency", "queue", "replica", "failover", "certificate", "cache", "deploy"),
    *("rollback", "alert", "customers", "region", "database", "login", "search", "index", "timeout"),
    *("retry", "memory", "disk", "network", "gateway", "token", "shard", "backup"),
)
PEOPLE = tuple(Person(f"Person {number}", f"person{number}@example.com") for number in range(60))
STATES: Mapping[PageState, int] = {"live": 95, "held": 3, "halted": 1, "missing": 1}  # of a hundred pages
ASKED = {
    "overview": "/",
    "overview, far behind": "/?page={last}",
    "overview, narrowed down": "/?severity=SEV1&status=none&sort=oldest",
    "overview, searched": "/?q=checkout+cache",
    "overview, a key": "/?q=FU-{middle}",
    "overview, what needs a person": "/?needs=person",
    "an incident": "/incidents/INC-{middle}",
    "a name that nothing has": "/incidents/INC-{middle}x",
    "insights": "/insights",
    "conflicts": "/conflicts",
    "API: incidents": "/api/v1/incidents",
    "API: incidents, stale ones": "/api/v1/incidents?freshness=stale",
    "API: an incident": "/api/v1/incidents/INC-{middle}",
    "API: follow-ups": "/api/v1/follow-ups",
    "API: follow-ups that are late": "/api/v1/follow-ups?status=open&due_before=2024-02-01",
    "API: timeline": "/api/v1/timeline",
    "API: post-mortems": "/api/v1/postmortems",
    "API: journal": "/api/v1/journal",
    "API: an insight as CSV": "/api/v1/insights/missing?format=csv",
}


class Took(NamedTuple):
    """One answer: milliseconds on the clock, and of the processor."""

    clock: float
    processor: float


def answers(folder: Path, incidents: int, rounds: int) -> dict[str, list[Took]]:
    """How long each of `ASKED` took, again and again, over a store with so many incidents in `folder`."""
    with _application(folder, incidents) as ask:
        last, middle = incidents * 9 // 500, incidents // 2
        paths = {name: path.format(last=last, middle=middle) for name, path in ASKED.items()}
        for path in paths.values():
            ask(path)  # so that nothing is read for the first time
        return {name: [ask(path) for _ in range(rounds)] for name, path in paths.items()}


@contextmanager
def _application(folder: Path, incidents: int) -> Iterator[Callable[[str], Took]]:
    config = folder / "config.toml"
    config.write_text(CONFIG, "utf-8")
    built = assemble(config, load(config), lambda seconds: lambda more: None)
    fill(folder, incidents)
    web = create_app(built.app)
    with asyncio.Runner() as runner:
        client = httpx.AsyncClient(transport=httpx.ASGITransport(web), base_url="http://127.0.0.1:8470")

        def ask(path: str) -> Took:
            clock, processor = time.perf_counter(), time.process_time()
            answer = runner.run(client.get(path))
            took = Took((time.perf_counter() - clock) * 1000, (time.process_time() - processor) * 1000)
            if answer.status_code >= 500 or (answer.status_code >= 400 and not path.endswith("x")):
                raise ValueError(f"{path} answers {answer.status_code}: {answer.text}")
            return took

        yield ask
        runner.run(client.aclose())
    built.close()


# --- the store ------------------------------------------------------------------------------------------------------------


def fill(folder: Path, incidents: int) -> None:
    """So many incidents, ten times as many follow-ups, post-mortems for most of them, all in one transaction."""
    chance = random.Random(20261124)
    now = [START]
    store = Store.open(folder / "bench.db", lambda: now[0])
    actor = Actor("import", "bench")
    with store.tx():
        for number in range(1, incidents + 1):
            started = START + number * APART
            now[0] = started + timedelta(hours=5)
            store.create_incident(_incident(chance, number, started), actor)
            if chance.random() < 0.7:
                now[0] += timedelta(days=chance.randint(1, 30))
                _postmortem(store, chance, f"INC-{number}", actor)
    store.close()


def _say(chance: random.Random, words: int) -> str:
    return " ".join(chance.choices(WORDS, k=words)).capitalize()


def _incident(chance: random.Random, number: int, started: datetime) -> Incident:
    statuses = (FollowUpStatus.OPEN, FollowUpStatus.DONE, FollowUpStatus.DONE)
    due = [(started + timedelta(days=chance.randint(5, 90))).date() for _ in range(ROWS)]
    return Incident(
        reference=f"INC-{number}",
        name=_say(chance, 4),
        phase=chance.choice(list(Phase)),
        severity=chance.choice(("SEV1", "SEV2", "SEV3")),
        private=chance.random() < 0.02,
        summary=(paragraph(_say(chance, 60)),),
        lead=chance.choice(PEOPLE),
        timestamps={"started": started, "resolved": started + timedelta(hours=3)},
        timeline=tuple(Event("", started + timedelta(minutes=5 * n), _say(chance, 6)) for n in range(ROWS // 2)),
        follow_ups=tuple(
            FollowUp("", _say(chance, 5), chance.choice(statuses), chance.choice(PEOPLE), due_on=day) for day in due
        ),
    )


def _postmortem(store: Store, chance: random.Random, ref: str, actor: Actor) -> None:
    written = [(f"s{n}", _say(chance, 2), (paragraph(_say(chance, 120)),)) for n in range(3)]
    sections = [Section("summary", "summary", "Summary")] + [Section(id_, "text", head, body) for id_, head, body in written]
    made = Postmortem(ref, "standard", PostmortemStatus.IN_PROGRESS, "wiki", "UTC", ref, tuple(sections))
    store.create_postmortem(made, "{}", (), actor)
    if chance.random() < 0.7:
        store.apply(ref, [Set("postmortem", "", "status", chance.choice(("completed", "in_review")))], actor)
    page = store.add_page(ref, "wiki")
    state = chance.choices(list(STATES), list(STATES.values()))[0]
    store.set_page(page.id, state=state, native_id=ref, url=f"https://wiki.example.com/{ref}", checked_at=store.now())
    if chance.random() < 0.95:
        store.clear_dirty(page.id, store.dirty_mark(page.id))
    if chance.random() < 0.05:
        _conflict(store, chance, page, Actor("store", chance.choice(PEOPLE).name))


def _conflict(store: Store, chance: random.Random, page: Page, actor: Actor) -> None:
    ours, theirs = (
        Version(_say(chance, 20), "Ada Byron", store.now()),
        Version(_say(chance, 20), "Grace Hopkins", store.now()),
    )
    name = f"conflict-{page.id}"
    store.add_conflict(Conflict(name, page.id, page.incident, page.destination, "s1", "", "text", "", ours, theirs, "page"))
    if chance.random() < 0.9:
        store.set_conflict_state(name, chance.choice(("page", "store", "both")), actor)
