"""Live parts of pages: sent once, again when they changed, and no longer than they are there."""

import asyncio
from collections.abc import Callable, Iterator

from syncd.errors import UnknownReference
from syncd.web.live import QUIET_LOOKS, Live


class Part:
    """A part of a page and the store behind it; `steps` happen while the stream waits."""

    def __init__(self, *steps: Callable[["Part"], None]) -> None:
        self.text, self.version, self.rendered, self.gone = "one", 0, 0, False
        self.steps: Iterator[Callable[[Part], None]] = iter(steps)
        self.live = Live(lambda: self.version, self.wait)

    async def wait(self) -> None:
        step = next(self.steps, None)
        if step is None:
            self.live.end()
        else:
            step(self)

    def render(self) -> str:
        self.rendered += 1
        if self.gone:
            raise UnknownReference("incident", "INC-1")
        return self.text

    def heard(self) -> list[str]:
        async def listen() -> list[str]:
            return [event async for event in self.live.stream(self.render)]

        return asyncio.run(listen())


def says(text: str) -> Callable[[Part], None]:
    def step(part: Part) -> None:
        part.text, part.version = text, part.version + 1

    return step


def nothing(part: Part) -> None:
    pass


def test_a_part_is_sent_at_once_and_when_it_changed() -> None:
    part = Part(nothing, says("two\nlines"), nothing)
    assert part.heard() == ["data: one\n\n", "data: two\ndata: lines\n\n"]
    assert part.rendered == 2  # only when something in the store changed


def test_a_change_elsewhere_sends_nothing() -> None:
    assert Part(says("one"), says("one")).heard() == ["data: one\n\n"]


def test_a_quiet_line_is_kept_alive_by_a_comment() -> None:
    assert Part(*[nothing] * QUIET_LOOKS).heard() == ["data: one\n\n", ": still here\n\n"]


def test_a_part_that_is_gone_or_became_private_ends_its_stream() -> None:
    def gone(part: Part) -> None:
        part.gone, part.version = True, part.version + 1

    assert Part(gone, nothing).heard() == ["data: one\n\n"]
