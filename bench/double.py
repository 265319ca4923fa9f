"""The counting double: the sandbox's emulators behind a real socket, with every request counted. One for all tools."""

import random
import re
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from providers.sandbox.confluence import ConfluenceCloud
from providers.sandbox.confluence_dc import ConfluenceDataCenter
from providers.sandbox.faults import writes
from providers.sandbox.notion import NotionWorkspace
from providers.sandbox.socket_skin import Locked, SocketSkin
from providers.sandbox.wire import Emulator, Reply

CONFLUENCE, DATA_CENTER, NOTION = "/confluence/wiki", "/confluence-dc", "/notion"
_ID = re.compile(r"/(?:[0-9]+|[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12})(?=/|$)")


@dataclass(frozen=True, slots=True)
class Spent:
    """The requests of one step by kind, such as `PUT /api/v2/pages/ID`."""

    reads: Counter[str]
    writes: Counter[str]

    @property
    def requests(self) -> int:
        """All of them."""
        return self.reads.total() + self.writes.total()


@dataclass
class Counting:
    """An emulator that counts what it is asked."""

    emulator: Emulator
    reads: Counter[str] = field(default_factory=Counter)
    writes: Counter[str] = field(default_factory=Counter)
    guard: threading.Lock = field(default_factory=threading.Lock)

    def handle(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """Answer and count, refusals too."""
        kind = f"{method} {_ID.sub('/ID', path.partition('?')[0])}"
        with self.guard:
            (self.writes if writes(method, path) else self.reads)[kind] += 1
        return self.emulator.handle(method, path, headers, body)

    def take(self) -> Spent:
        """What was counted since the last time."""
        with self.guard:
            spent = Spent(self.reads, self.writes)
            self.reads, self.writes = Counter(), Counter()
        return spent


class Double:
    """The services on one port, with a clock that can be moved on."""

    def __init__(self) -> None:
        self.ahead = timedelta()
        self.skin = SocketSkin("127.0.0.1", 0)
        root = f"http://127.0.0.1:{self.skin.address[1]}"
        confluence = ConfluenceCloud(self.now, random.Random(1), root + CONFLUENCE)
        server = ConfluenceDataCenter(self.now, random.Random(3), root + DATA_CENTER)
        notion = NotionWorkspace(self.now, random.Random(2))
        emulators: dict[str, Emulator] = {"confluence": confluence, "data center": server, "notion": notion}
        self.services = {name: Counting(Locked(emulator)) for name, emulator in emulators.items()}
        self.skin.mounts = dict(zip((CONFLUENCE, DATA_CENTER, NOTION), self.services.values(), strict=True))
        self.places = {
            "confluence": {"url": root + CONFLUENCE, "space": "OPS", "parent": confluence.parent_id},
            "data center": {"url": root + DATA_CENTER, "space": "OPS", "parent": server.parent_id},
            "notion": {"url": root + NOTION, "data_source": notion.data_source_id, "page": notion.page_id},
        }

    def now(self) -> datetime:
        """The double's time."""
        return datetime.now(UTC) + self.ahead

    def place(self, service: str, tool: str) -> dict[str, str]:
        """Where a tool publishes, with an account of its own."""
        return {**self.places[service], "kind": service, "token": tool}

    def __enter__(self) -> "Double":
        self.skin.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.skin.close()
