"""Live parts of pages: the server says what a part looks like now, and again whenever that changes (server-sent events).

One open page costs a question to the database twice a second ("did anything change?") and a rendering when it did.
"""

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress

from fastapi.responses import Response, StreamingResponse

from syncd.errors import SyncdError

LOOK_SECONDS = 0.5
QUIET_LOOKS = 30  # after so many looks without news a comment is sent, so that nobody between takes the line for dead


class Live:
    """`version` is a value that differs when the store changed. Threads may call `end`: then all streams end, and browsers
    come back by themselves."""

    def __init__(
        self, version: Callable[[], object], pause: Callable[[], Awaitable[None]] = lambda: asyncio.sleep(LOOK_SECONDS)
    ) -> None:
        self._version, self._pause = version, pause
        self._ended = threading.Event()

    def end(self) -> None:
        """The store behind these streams is about to be closed."""
        self._ended.set()

    def answer(self, render: Callable[[], str]) -> Response:
        """The stream as an answer."""
        return StreamingResponse(self.stream(render), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})

    async def stream(self, render: Callable[[], str]) -> AsyncIterator[str]:
        """Events until the part is not there any more, or not for this reader, or the server stops."""
        seen: object = None
        shown = ""
        quiet = 0
        with suppress(SyncdError):  # what was shown is gone: a browser that asks again is told so
            while not self._ended.is_set():
                version = await asyncio.to_thread(self._version)
                html = await asyncio.to_thread(render) if version != seen else shown
                quiet = quiet + 1 if html == shown else 0
                if html != shown:
                    yield event(html)
                elif quiet % QUIET_LOOKS == 0:
                    yield ": still here\n\n"
                seen, shown = version, html
                await self._pause()


def event(text: str) -> str:
    """Text of any number of lines as one event."""
    return "".join(f"data: {line}\n" for line in text.splitlines()) + "\n"
