"""The shape every emulator has: a pure state machine that answers one HTTP request.

`handle(method, path, headers, body) -> Reply`. `path` carries the query string and starts at the service's own root
(`/api/v2/pages?limit=250`, `/v1/pages`). Emulators read the clock and draw ids only through what they were given, so a
whole world can be replayed from a seed. The skins that put an emulator behind a socket or inside a client library
are in `socket_skin.py` and `in_process.py`; what goes wrong on the way is in `faults.py`.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import NamedTuple, Protocol

Clock = Callable[[], datetime]


class Reply(NamedTuple):
    """One HTTP answer."""

    status: int
    headers: dict[str, str]
    body: bytes


class Emulator(Protocol):
    """A service that forgets nothing and touches nothing outside itself."""

    def handle(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """Answer one request; never raises for anything a client may send."""
        ...
