"""The moments between two effects of a world: each request on a wire, each transaction of the store, each touch of a file.

At any of them the process may be killed, before or after the effect, and anybody may do something right before it. Only what
the engine does counts, and only while it works: people's own acts are not effects.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from mapping.document import Doc
from providers.contract import Observation, Outcome, Place
from providers.folder import Folder
from providers.sandbox.faults import ReplyLost, writes
from providers.sandbox.wire import Emulator, Reply
from syncd.pages import Base, Intent
from syncd.store import Store


class Killed(BaseException):
    """The process is gone: nothing may catch this."""


@dataclass
class Effects:
    """Counts effects, and does what is due at one. `kill` and `meddle` are by the number of an effect."""

    kill: dict[int, bool] = field(default_factory=dict)  # True: after it
    meddle: dict[int, Callable[[str], None]] = field(default_factory=dict)
    watch: Callable[[str], None] | None = None  # is told of every effect right before it
    killed_at: list[str] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)
    count: int = 0
    working: bool = False

    @contextmanager
    def engine(self) -> Iterator[None]:
        """What happens in here is the engine's doing."""
        self.working = True
        try:
            yield
        finally:
            self.working = False

    @contextmanager
    def at(self, name: str) -> Iterator[None]:
        """One effect, as `store`, `files read` or `wiki PUT /api/v2/pages/1`."""
        if not self.working:
            yield
            return
        self.count += 1
        self.kinds[name.partition(" ")[0]] += 1
        number, kill = self.count, self.kill.pop(self.count, None)
        for act in (self.meddle.pop(number, None), self.watch):
            if act is not None:
                self.working = False
                act(name)
                self.working = True
        if kill is False:
            self._die(f"before {name}")
        yield
        if kill:
            self._die(f"after {name}")

    def _die(self, where: str) -> None:
        self.working = False
        self.killed_at.append(where)
        raise Killed(where)


@dataclass
class Wire:
    """An emulator whose every request is an effect. `late`: the next write that matches arrives after its sender gave up."""

    name: str
    emulator: Emulator
    effects: Effects
    late: Callable[[str, str], bool] | None = None
    on_its_way: list[tuple[str, str, Mapping[str, str], bytes]] = field(default_factory=list)

    def handle(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        with self.effects.at(f"{self.name} {method} {path.partition('?')[0]}"):
            if self.late and writes(method, path) and self.late(method, path):
                self.late = None
                self.on_its_way.append((method, path, headers, body))
                raise ReplyLost(f"{method} {path} is late")
            return self.emulator.handle(method, path, headers, body)

    def arrive(self) -> int:
        """What was on its way arrives now; how much that was."""
        arrived, self.on_its_way = self.on_its_way, []
        for request in arrived:
            self.emulator.handle(*request)
        return len(arrived)


class WatchedStore(Store):
    """Each transaction is an effect."""

    effects: Effects | None = None

    @contextmanager
    def tx(self, full: bool = False) -> Iterator[None]:
        if self.effects is None or self._depth:
            with super().tx(full):
                yield
        else:
            with self.effects.at("store"), super().tx(full):
                yield


class Forgetful(WatchedStore):
    """A store without intents: what is being written is known to nobody."""

    def open_intent(self, page_id: int) -> Intent | None:
        return None

    def add_intent(self, page_id: int, kind: str, expected: Base, note: str) -> Intent:
        return Intent(1, page_id, "create" if kind == "create" else "update", expected, note, self.now())

    def mark_attempted(self, intent_id: int) -> None:
        return None


class WatchedFolder(Folder):
    """Each reading and writing of a page is an effect."""

    def __init__(self, root: Path, now: Callable[[], float], effects: Effects) -> None:
        super().__init__(root, now)
        self._effects = effects

    def find(self, place: Place, marker: str, title: str) -> Observation | None:
        with self._effects.at("files find"):
            return super().find(place, marker, title)

    def create(self, place: Place, doc: Doc, marker: str) -> Outcome:
        with self._effects.at("files create"):
            return super().create(place, doc, marker)

    def read(self, place: Place, native_id: str) -> Observation:
        with self._effects.at("files read"):
            return super().read(place, native_id)

    def write(self, place: Place, seen: Observation, target: Doc, note: str, *, over_draft: bool = False) -> Outcome:
        with self._effects.at("files write"):
            return super().write(place, seen, target, note, over_draft=over_draft)
