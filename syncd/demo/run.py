"""`syncd demo`: the whole product against the built-in sandbox, no account needed.

Without `once` it shows one address where a person plays; with it the people are played (`people.py`), all sides are
compared (`checks.py`) and the answer is the exit code. The world it plays in is `world.py`.
"""

import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import click
import httpx

from syncd.cli.printing import print_table
from syncd.demo.checks import differences
from syncd.demo.page import mount_demo
from syncd.demo.people import People
from syncd.demo.site import DemoError
from syncd.demo.story import Story
from syncd.demo.world import World, command, environment, serving
from syncd.errors import SyncdError
from syncd.journal_words import Travelled, travelled

ARROWS = {"in": "page → store", "out": "store → page", "here": "store"}


def run(once: bool, port: int | None = None) -> int:
    """The demo; its exit code. `port` is where the page is served (any free one where None)."""
    with tempfile.TemporaryDirectory(prefix="syncd-demo-") as folder, _ending():
        try:
            world = World(Path(folder), port or 0)
        except OSError as error:
            click.echo(f"The demo cannot start: {error}.", err=True)
            return 2
        try:
            return _played(world) if once else _shown(world)
        except (DemoError, SyncdError, OSError, httpx.HTTPError) as error:
            click.echo(f"The demo failed: {error}", err=True)
            return 1
        except KeyboardInterrupt:
            return 130 if once else 0
        finally:
            world.close()


@contextmanager
def _ending() -> Iterator[None]:
    """SIGTERM ends the demo as Ctrl-C does, so that nothing is left behind."""

    def end(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _started(world: World) -> None:
    world.sandbox.start()
    world.fill()
    world.daemon.start()
    world.settle()


# --- a person plays -----------------------------------------------------------------------------------------------------


def _shown(world: World) -> int:
    with serving(world.web, world.port) as address:
        people = People(world, address, lambda words: None)
        story = Story(world, people)
        mount_demo(world.web, world, story)
        click.echo("Starting …", err=True)
        _started(world)
        click.echo(f"Open {address}/demo and play the story, or tick a box at the left. Ctrl-C ends it.")
        while world.daemon.alive or story.busy:  # the story pulls the plug too
            time.sleep(0.5)
    raise DemoError(f"the daemon ended by itself:\n{world.daemon.tail()}")


# --- played by itself ---------------------------------------------------------------------------------------------------


def _played(world: World) -> int:
    began = time.monotonic()

    def say(words: str) -> None:
        click.echo(f"{time.monotonic() - began:5.1f} s  {words}", err=True)

    with serving(world.web, world.port) as address:
        say("Four incidents are imported; the daemon publishes their post-mortems")
        _started(world)
        first = max(line.id for line in world.built.store.journal(limit=1))
        people = People(world, address, say)
        try:
            wrong = _acts(world, people, say)
        finally:
            people.close()
    _print(world, first)
    for words in wrong:
        click.echo(f"Not in step: {words}", err=True)
    verdict = "All sides agree: nothing lost, nothing doubled." if not wrong else f"{len(wrong)} things are wrong."
    click.echo(f"\n{verdict} ({time.monotonic() - began:.0f} s)")
    return 1 if wrong else 0


def _acts(world: World, people: People, say: Callable[[str], None]) -> list[str]:
    people.both_sides()
    people.conflict()
    people.killed_in_an_update()
    people.killed_in_a_create()
    people.lives_on()
    say("All is quiet; the daemon is stopped and the sides are compared")
    world.settle()
    world.daemon.stop()
    return differences(world, people) + _once_more(world)


def _once_more(world: World) -> list[str]:
    """`syncd once` over a world in step must find nothing to do."""
    before = world.built.store.journal(limit=1)
    ended = subprocess.run(
        command("once", "--json", "--config", str(world.config)),
        env=environment(),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    wrong = [f"`syncd once` ended with {ended.returncode}: {ended.stderr.strip()}"] if ended.returncode else []
    if world.built.store.journal(limit=1) != before:
        wrong.append("`syncd once` still found something to do")
    return wrong


def _print(world: World, first: int) -> None:
    """What travelled, as a table."""
    lines = [travelled(line) for line in world.built.store.journal(limit=1000) if line.id > first]
    click.echo("What travelled:\n")
    print_table(("incident", "way", "who or where", "what"), [_row(line) for line in lines])


def _row(line: Travelled) -> tuple[str, str, str, str]:
    where = ", ".join(part for part in (line.where, line.by) if part)
    return line.incident, ARROWS[line.way], where, f"{line.what}: {line.detail}" if line.detail else line.what
