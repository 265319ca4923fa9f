"""`syncd doctor`: is everything that one configuration needs there, and if not, what to do. Changes nothing, except that
with `write` each destination proves that it can be written, by making and removing a page.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from providers.contract import ProviderError, Unreachable
from providers.mail import greet
from providers.webhook import post
from syncd.app import App
from syncd.assembly import Assembly
from syncd.notify.channels import Channels
from syncd.notify.webhooks import signed
from syncd.pausing import paused_by
from syncd.reconcile import Destination
from syncd.ways_out import paused

PING = b'{"data": {}, "type": "ping"}'
Release = tuple[int, int, int]
WAL_RESET: Sequence[tuple[Release, Release]] = (
    ((0, 0, 0), (3, 44, 6)),
    ((3, 45, 0), (3, 50, 7)),
    ((3, 51, 0), (3, 51, 3)),
)
"""SQLite releases, from and up to but without, in which a restarted write-ahead log can lose a commit."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: what was looked at, whether it is well (None: nobody knows now), a sentence, the next command."""

    about: str
    ok: bool | None
    message: str
    hint: str = ""


def examine(built: Assembly, *, write: bool) -> Iterator[Finding]:
    """All findings in the order in which a person would mend them."""
    settings = built.settings
    size = f"{len(settings.providers)} providers, {len(settings.destinations)} destinations"
    yield Finding("configuration", True, f"{built.config} is read: {size}")
    yield from _store(built)
    yield from _templates(built)
    for destination in built.destinations.values():
        yield from of_destination(built.app, destination, write=write)
    yield from examine_channels(built.channels, built.store.now())


def _store(built: Assembly) -> Iterator[Finding]:
    version = built.store.sqlite_version
    where = f"{built.store.path or 'in memory'}, SQLite {version}"
    if loses_commits(version):
        why = "this SQLite can lose a commit when its log is reset; use 3.44.6, 3.50.7, 3.51.3 or newer"
        yield Finding("store", False, f"{where}: {why}", "pip install pysqlite3")
    else:
        yield Finding("store", True, where)


def loses_commits(version: str) -> bool:
    """Whether this release of SQLite has the bug of `WAL_RESET`."""
    numbers = [int(part) for part in version.split(".")[:3]]
    release = (numbers[0], numbers[1], numbers[2] if len(numbers) > 2 else 0)
    return any(first <= release < fixed for first, fixed in WAL_RESET)


def _templates(built: Assembly) -> Iterator[Finding]:
    problems = built.library.problems()
    for problem in problems:
        yield Finding("templates", False, problem, "syncd template check")
    if not problems:
        yield Finding("templates", True, f"{len(built.library.all())} templates")
    known = set(built.destinations)
    for template in built.library.all():
        if template.destination and template.destination not in known:
            message = f"{template.id} names the destination '{template.destination}', which the configuration has not"
            yield Finding("templates", True, message, f"syncd template write {template.id} --external DESTINATION")


def of_destination(app: App, destination: Destination, *, write: bool = False) -> Iterator[Finding]:
    """Whether a destination can be used; one that people paused is not asked."""
    about = f"destination {destination.name}"
    if pause := paused_by(app, destination.name):
        yield Finding(about, True, f"not asked. {paused(pause)}", f"syncd resume {pause.name}")
        return
    try:
        for sentence in destination.provider.check(destination.place, write=write):
            yield Finding(about, True, sentence)
    except Unreachable as error:
        yield Finding(about, None, str(error), "see that the service is up and its url is right, then syncd doctor")
    except ProviderError as error:
        yield Finding(about, False, str(error), f"mend [destinations.{destination.name}] in the configuration or the access")


def examine_channels(channels: Channels, now: datetime) -> Iterator[Finding]:
    """Webhooks get a signed message of the type `ping`; the mail server is signed in to, and gets no mail."""
    for hook in channels.hooks:
        headers = signed(PING, hook.secrets, f"msg_ping_{int(now.timestamp())}", now)
        yield _answered(f"webhook {hook.name}", "it takes messages", partial(post, hook.target, headers, PING))
    server = channels.server
    if server:
        yield _answered("mail", "the mail server lets us in", partial(greet, server))


def _answered(about: str, well: str, ask: Callable[[], None]) -> Finding:
    try:
        ask()
    except Unreachable as error:
        return Finding(about, None, str(error), "see that it is up and its address is right, then syncd doctor")
    except ProviderError as error:
        return Finding(about, False, str(error), "mend [notify] in the configuration")
    return Finding(about, True, well)


def exit_code(findings: list[Finding]) -> int:
    """0 well, 2 something is wrong, 3 a service did not answer."""
    if any(finding.ok is False for finding in findings):
        return 2
    return 3 if any(finding.ok is None for finding in findings) else 0
