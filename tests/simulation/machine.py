"""Whole worlds from a seed. A `Story` is a list of steps, each with a seed of its own, so that a step does the same whatever
other steps are left out: a story that goes wrong can be made shorter until nothing in it is idle.

What people do is `acts.py` and `store_acts.py`, where the process can die `effects.py`, what must be true in the end
`invariants.py`. `simulate.py` runs worlds for as long as one likes.
"""

import itertools
import random
import shutil
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from providers.sandbox.faults import Fault, failing, rate_limited, writes
from providers.sandbox.notion import NotionWorkspace
from syncd.errors import Misuse
from syncd.lock import SingleProcess
from syncd.pages import Page
from syncd.reconcile import Limits, Report
from tests.simulation.acts import act
from tests.simulation.desks import NotionDesk
from tests.simulation.effects import Killed, Wire
from tests.simulation.invariants import Broken, check, plan_honesty
from tests.simulation.play import OTHER, Play
from tests.simulation.store_acts import store_follow_up
from tests.simulation.world import AT_ONCE, GRACE, INCIDENT, World

PLACES = ("wiki", "dc", "notes", "plain-notes", "files")
PATIENT = Limits(version_gap=timedelta(0), writes_per_hour=100_000)
LENGTHS = (40, 45, 50, 60)
FAULTS_AT_LEAST, CRASHES_AT_LEAST = 3, 1


def _children(method: str, path: str) -> bool:
    return writes(method, path) and path.partition("?")[0].endswith("/children")


def _creates(method: str, path: str) -> bool:
    return method == "POST" and path.partition("?")[0].endswith("/pages")


FAULTS: dict[str, Callable[[], Fault]] = {
    "a lost write": lambda: Fault("request_lost", writes),
    "a lost reply to a write": lambda: Fault("reply_lost", writes),
    "a refused connection": lambda: Fault("refused", writes),
    "429 for a write": lambda: rate_limited("2", writes),
    "409 for a write": lambda: failing(409, writes),
    "502 for a write": lambda: failing(502, writes),
    "503 after the write": lambda: failing(503, writes, after_commit=True),
    "500 for a write": lambda: failing(500, writes),
    "half a page": lambda: failing(502, _children),
    "a lost read": lambda: Fault("request_lost", lambda m, p: not writes(m, p)),
    "502 for a read": lambda: failing(502, lambda m, p: not writes(m, p)),
    "429 for a read": lambda: rate_limited("2", lambda m, p: not writes(m, p)),
}


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happens; `seed` decides how."""

    kind: str
    seed: int


@dataclass(frozen=True, slots=True)
class Story:
    """A world's seed and its steps, with their numbers in the whole story."""

    seed: int
    steps: tuple[tuple[int, Step], ...]

    @property
    def name(self) -> str:
        """What replays it: the seed, and the numbers of the steps where some are left out."""
        numbers = [number for number, _ in self.steps]
        whole = numbers == list(range(len(numbers))) and len(numbers) in LENGTHS
        return str(self.seed) if whole else f"{self.seed}:{','.join(map(str, numbers))}"


def drawn(seed: int) -> Story:
    """The story of this seed: at least one plain crash, a kill and four faults are in it."""
    rng = random.Random(seed)
    kinds = rng.choices(list(STEPS), weights=[weight for _, weight in STEPS.values()], k=rng.choice(LENGTHS))
    for kind in ("crash", "kill", "fault", "fault", "fault", "fault", "late", "away"):
        kinds[rng.randrange(len(kinds) - 3)] = kind
    return Story(seed, tuple(enumerate(Step(kind, rng.randrange(2**32)) for kind in kinds)))


def told(name: str) -> Story:
    """The story with this name."""
    seed, _, numbers = name.partition(":")
    story = drawn(int(seed))
    return replace(story, steps=tuple(story.steps[int(n)] for n in numbers.split(","))) if numbers else story


# --- one world ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Lived:
    """What happened in one world."""

    story: Story
    play: Play
    faults: Counter[str]
    crashes: int


class Life:
    """One world while it lasts. `others_first` turns the order in which the incidents' pages are worked on."""

    def __init__(self, root: Path, story: Story, *, others_first: bool = False) -> None:
        rng = random.Random(story.seed)
        self.story, self.others_first = story, others_first
        limits = AT_ONCE if rng.random() < 0.6 else PATIENT
        world = World(root, limits=limits, seed=story.seed)
        self.play, self.world = Play(world, rng), world
        self.ways = (world.to_wiki, world.to_server, world.to_space)
        named = zip(("wiki", "dc", "notion"), self.ways, strict=True)
        self.wires = [Wire(name, way.emulator, world.effects) for name, way in named]
        for way, wire in zip(self.ways, self.wires, strict=True):
            way.emulator = wire
        self.sent: list[tuple[str, Fault]] = []
        self.away: Page | None = None
        self.crashes = 0
        self.others = rng.choice(PLACES)
        self.later = rng.sample(PLACES, rng.randrange(1, 5))
        self._begin(rng, limits)

    def _begin(self, rng: random.Random, limits: Limits) -> None:
        self.play.tell(f"{self.later}, {OTHER} in {self.others}, {'at once' if limits is AT_ONCE else 'patient'}")
        for reference, place in (("INC-12", self.later.pop(0)), (OTHER, self.others)):
            record = INCIDENT if reference == "INC-12" else {**INCIDENT, "reference": OTHER, "name": "Mail was late"}
            self.world.take(record)
            if reference == "INC-12" and rng.random() < 0.25:
                self.world.app.create_postmortem(reference, "lightweight", "", GRACE)
                self.world.app.export_postmortem(reference, place, rng.random() < 0.5, GRACE)
            else:
                self.world.app.create_postmortem(reference, "standard", place, GRACE)
        self.play.begin()

    def live(self) -> Lived:
        """All steps, enough trouble, then rest."""
        for _, step in self.story.steps:
            self.play.rng = random.Random(step.seed)
            STEPS[step.kind][0](self)
            self._arrivals(0.3)
        self.play.rng = random.Random(self.story.seed + 1)
        self._enough_trouble()
        faults = self._faults()
        self._calm()
        return Lived(self.story, self.play, faults, self.crashes + len(self.world.effects.killed_at))

    # --- steps ----------------------------------------------------------------------------------------------------------

    def somebody_acts(self) -> None:
        act(self.play)

    def somebody_else_acts(self) -> None:
        self.play.elsewhere()

    def copy(self) -> None:
        if self.later:
            self.play.tell(f"copy to {self.later[0]}")
            self.world.app.export_postmortem("INC-12", self.later.pop(0), True, GRACE)

    def wait(self) -> None:
        seconds = self.play.rng.choice([5, 30, 70, 300, 5000, 90_000])
        self._arrivals(1.0 if seconds > 60 else 0.5)
        self.world.wait(seconds)

    def clock_jumps(self) -> None:
        seconds = self.play.rng.choice([-600, -3600, 86_400])
        self.play.tell(f"the clock jumps by {seconds} s")
        self.world.wait(seconds)

    def a_pass(self) -> None:
        """One pass over everything; the process may die in it and begins again."""
        pages = sorted(self.world.store.pages(), key=lambda p: (p.incident == "INC-12") == self.others_first)
        self._as_the_process(lambda: [self.world.app.reconciler.reconcile(page.id) for page in pages for _ in range(2)])

    def once(self) -> None:
        self._as_the_process(self.world.app.once)

    def daemon_looks(self) -> None:
        page = self.play.rng.choice(self.play.pages)
        self._as_the_process(lambda: [self.world.app.reconciler.reconcile(page.id, patient=True)])

    def _as_the_process(self, work: Callable[[], list[Report]]) -> None:
        try:
            with SingleProcess(self.world.root / "syncd.db"), self.world.effects.engine():
                self._second_is_refused()
                reports = work()
                self.play.tell("pass: " + "; ".join(f"{r.page.destination} {r.result} {r.reasons}" for r in reports))
        except Killed as killed:
            self.play.tell(f"killed {killed}, and started again")
            self.world.crash()

    def _second_is_refused(self) -> None:
        try:
            with SingleProcess(self.world.root / "syncd.db"):
                raise Broken("single writer", "a second process got the store while the first was at work")
        except Misuse:
            pass

    def plan_and_do(self) -> None:
        """What `plan` prints is what is done, when nothing comes between."""
        scripts = [(way, list(way.script)) for way in self.ways]
        for wire, _ in scripts:
            wire.script.clear()
        plan_honesty(self.play)
        for wire, script in scripts:
            wire.script.extend(script)

    def somebody_types(self) -> None:
        """Word by word, with passes between the words."""
        pages = [page for page in self.play.open_pages if page.destination not in ("wiki", "dc")]
        desk = self.play.desk(self.play.rng.choice(pages)) if pages else None
        behind = next((li for li in desk.lines() if li.kind in ("task", "prose") and li.section), None) if desk else None
        if desk is None or behind is None:
            return
        written = self.play.token()
        self.play.tell(f"somebody types {written} ... behind {behind.text!r}")
        desk.insert(behind, behind.kind, written)
        for word in ("tell", "them", "sooner"):
            self.world.wait(self.play.rng.choice([1, 5, 20]))
            if self.play.rng.random() < 0.4:
                self.once()
            line = next((li for li in desk.lines() if f"{written}" in li.text), None)
            if line is None or written not in line.text:
                return
            desk.put(line, written, f"{written} {word}")
            written = f"{written} {word}"

    def fault(self) -> None:
        name = self.play.rng.choice(list(FAULTS))
        fault = FAULTS[name]()
        self.sent.append((name, fault))
        self.play.tell(f"to come: {name}")
        self.play.rng.choice(self.ways).script.append(fault)

    def late(self) -> None:
        """A write arrives later than its sender waits; in Notion only a create (see docs/limits.md)."""
        wire = self.play.rng.choice(self.wires)
        wire.late = _creates if wire.name == "notion" else writes
        self.play.tell(f"the next write to {wire.name} will be late")

    def lag(self) -> None:
        seconds = self.play.rng.choice([0, 20, 60])
        self.play.tell(f"indices lag by {seconds} s")
        self._lag(timedelta(seconds=seconds))

    def _lag(self, lag: timedelta) -> None:
        self.world.space.access.index_lag = lag
        for wiki in (self.world.wiki, self.world.server):
            wiki.search_lag = wiki.create_lag = lag

    def kill(self) -> None:
        effects = self.world.effects
        effects.kill[effects.count + self.play.rng.randrange(1, 60)] = self.play.rng.random() < 0.5

    def crash(self) -> None:
        self.crashes += 1
        self.play.tell("the process dies and starts again")
        self.world.crash()

    def meddle(self) -> None:
        effects, seed = self.world.effects, self.play.rng.randrange(2**32)

        def between(name: str) -> None:
            before, self.play.rng = self.play.rng, random.Random(seed)
            self.play.tell(f"before {name}:")
            no_lock = name.startswith("notion") and not name.startswith(("notion GET", "notion POST /v1/data_sources"))
            act(self.play, away_from=NotionDesk if no_lock else None)
            self.play.rng = before

        effects.meddle[effects.count + self.play.rng.randrange(1, 40)] = between

    def goes_away(self) -> None:
        """A page is trashed, or hidden from us, for a while."""
        if self.away is not None:
            self._back()
            return
        pages = [page for page in self.play.open_pages if page.destination != "files"]
        if pages:
            self.away = page = self.play.rng.choice(pages)
            service = self.world.service(page.destination)
            self.play.away = page.id
            self.hidden = self.play.rng.random() < 0.5
            self.play.tell(f"{page.destination} is {'hidden' if self.hidden else 'trashed'}")
            hide = service.unshare if isinstance(service, NotionWorkspace) else service.forbid
            (hide if self.hidden else service.trash)(page.native_id)

    def _back(self) -> None:
        page, self.away = self.away, None
        if page is not None:
            service = self.world.service(page.destination)
            show = service.share if isinstance(service, NotionWorkspace) else service.allow
            (show if self.hidden else service.restore)(page.native_id)
            self.play.away = None
            self.play.tell(f"{page.destination} is back")

    # --- the end --------------------------------------------------------------------------------------------------------

    def _arrivals(self, chance: float) -> None:
        for wire in self.wires:
            if wire.on_its_way and self.play.rng.random() < chance:
                self.play.tell(f"late at {wire.name}: {[(m, p.partition('?')[0]) for m, p, *_ in wire.on_its_way]}")
                self.sent += [("a late write", Fault("reply_lost"))] * wire.arrive()

    def _faults(self) -> Counter[str]:
        waiting = [id(fault) for way in self.ways for fault in way.script]
        return Counter(name for name, fault in self.sent if id(fault) not in waiting)

    def _enough_trouble(self) -> None:
        """A world that had little of it gets more."""
        self._back()
        for _ in range(12):
            if self._faults().total() >= FAULTS_AT_LEAST:
                break
            store_follow_up(self.play)
            self.play.elsewhere()
            for way in self.ways:
                name = self.play.rng.choice([name for name in FAULTS if "write" in name])
                self.sent.append((name, FAULTS[name]()))
                way.script.append(self.sent[-1][1])
            self.once()
            self.world.wait(300)
        if self.crashes + len(self.world.effects.killed_at) < CRASHES_AT_LEAST:
            self.crash()

    def _calm(self) -> None:
        """No more trouble; time passes until nothing travels."""
        self.play.tell("calm")
        self._arrivals(1.0)
        self._back()
        self.world.effects.kill.clear()
        self.world.effects.meddle.clear()
        self._lag(timedelta(0))
        for wire, way in zip(self.wires, self.ways, strict=True):
            wire.late = None
            way.script.clear()
        for _ in range(3):
            self.world.wait(4000)
            self.a_pass()
            self.world.wait(400)
            self.once()


STEPS: dict[str, tuple[Callable[[Life], None], int]] = {
    "act": (Life.somebody_acts, 44),
    "elsewhere": (Life.somebody_else_acts, 4),
    "copy": (Life.copy, 5),
    "wait": (Life.wait, 12),
    "jump": (Life.clock_jumps, 1),
    "pass": (Life.a_pass, 5),
    "once": (Life.once, 7),
    "look": (Life.daemon_looks, 5),
    "plan": (Life.plan_and_do, 3),
    "type": (Life.somebody_types, 3),
    "fault": (Life.fault, 5),
    "late": (Life.late, 1),
    "lag": (Life.lag, 1),
    "kill": (Life.kill, 3),
    "crash": (Life.crash, 1),
    "meddle": (Life.meddle, 6),
    "away": (Life.goes_away, 1),
}


def lived(root: Path, story: Story, *, others_first: bool = False) -> Lived:
    """One world from its beginning to its rest, nothing checked yet."""
    root.mkdir(parents=True, exist_ok=True)
    life = Life(root, story, others_first=others_first)
    try:
        return life.live()
    except Broken as broken:
        raise broken.after(life.play.told) from broken
    except Exception as error:
        raise Broken("no error of ours", f"{type(error).__name__}: {error}").after(life.play.told) from error


def judged(root: Path, story: Story) -> Lived:
    """The same, and everything that must be true is. Raises Broken."""
    life = lived(root, story)
    try:
        check(life.play)
    except Broken as broken:
        raise broken.after(life.play.told) from broken
    finally:
        life.play.world.store.close()
    return life


# --- shorter ------------------------------------------------------------------------------------------------------------


def shrunk(story: Story, fails: Callable[[Story], bool]) -> Story:
    """The story without what it does not need in order to fail."""
    size = len(story.steps) // 2
    while size:
        at = 0
        while at < len(story.steps):
            shorter = replace(story, steps=(*story.steps[:at], *story.steps[at + size :]))
            if fails(shorter):
                story = shorter
            else:
                at += size
        size //= 2
    return story


def shortest(root: Path, story: Story, broken: Broken, seconds: float) -> str:
    """The story of a failure without what it does not need, found in so many seconds, as a script to be read."""
    until, numbers, last = time.monotonic() + seconds, itertools.count(1), broken

    def fails(shorter: Story) -> bool:
        nonlocal last
        place = root / f"shorter-{next(numbers)}"
        try:
            if time.monotonic() < until:
                judged(place, shorter)
        except Broken as found:
            last = found if found.name == broken.name else last
            return found.name == broken.name
        finally:
            shutil.rmtree(place, ignore_errors=True)
        return False

    return script(shrunk(story, fails), last)


def script(story: Story, broken: Broken) -> str:
    """What happened, to be read, and how to make it happen again."""
    lines: Sequence[str] = broken.told
    replay = f"SYNCD_WORLD={story.name} .venv/bin/pytest -n 0 tests/simulation/test_random_worlds.py"
    return "\n".join([f"World {story.name}", *(f"  {line}" for line in lines), str(broken), f"Replay: {replay}"])


def main() -> None:
    """One world, and all that is in its database afterwards: `python -m tests.simulation.machine SEED DIRECTORY`."""
    life = lived(Path(sys.argv[2]), told(sys.argv[1]))
    life.play.world.store.close()
    print("\n".join(life.play.told))
    for line in sqlite3.connect(Path(sys.argv[2]) / "syncd.db").iterdump():
        if "migrations" not in line:  # when the tables were made, which the library tells by a clock of its own
            print(line.replace(sys.argv[2], ""))


if __name__ == "__main__":
    main()
