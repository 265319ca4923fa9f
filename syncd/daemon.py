"""The process that keeps everything in step: the only place with threads that write to pages.

One worker thread per provider, so that a slow service never holds another; one page is only ever worked on by its provider's
worker. The main thread waits for signals, watches files, and builds everything anew when the configuration changed for the
better. What to do with a page is `reconcile.py`, when is `schedule.py`.
"""

import queue
import signal
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from types import FrameType

from structlog.stdlib import BoundLogger
from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer

from providers.contract import Provider, ProviderError
from syncd.notify.channels import Channels
from syncd.notify.comments import CHANNEL, Comments
from syncd.pages import Page
from syncd.reconcile import Destination, Reconciler, Report
from syncd.schedule import FIRST_RETRY, Schedule
from syncd.sd_notify import notify
from syncd.store import Store

TICK = timedelta(seconds=0.5)  # how soon a change in the store is noticed, which other processes may make
SAVING = timedelta(seconds=0.3)  # an editor may empty a file before it fills it
STOP_WITHIN = 4.0  # seconds that workers get to finish; a write cut off is resumable, its intent is in the store
QUIET_EVENTS = ("opened", "closed_no_write")  # somebody only read the file


@dataclass(frozen=True, slots=True)
class Pace:
    """The daemon's part of `[sync]`."""

    poll: timedelta
    debounce: timedelta


class Worker(threading.Thread):
    """All pages of one provider, one after the other."""

    def __init__(
        self,
        name: str,
        destinations: Mapping[str, Destination],
        reconciler: Reconciler,
        store: Store,
        pace: Pace,
        log: BoundLogger,
        comments: Comments | None = None,
    ) -> None:
        super().__init__(name=f"syncd-{name}", daemon=True)
        self.destinations, self.reconciler, self.store = destinations, reconciler, store
        self.schedule = Schedule(pace.poll, pace.debounce)
        self.log, self.comments = log.bind(provider=name), comments
        self.marks: dict[int, int] = {}  # the store's changes that the last work on a page knew of
        self.told: dict[int, tuple[str, tuple[str, ...]]] = {}  # what people were told last about a page
        self.requests: queue.SimpleQueue[tuple[int, Future[Report]]] = queue.SimpleQueue()
        self.awake, self.stopping = threading.Event(), threading.Event()

    def look(self, page_id: int) -> "Future[Report]":
        """Work on one page as soon as possible; the report comes when it is done."""
        future: Future[Report] = Future()
        self.requests.put((page_id, future))
        self.awake.set()
        return future

    def hurry(self) -> None:
        """Something outside changed: poll as soon as whoever saves it is through."""
        soon = self.store.now() + SAVING
        for clock in list(self.schedule.clocks.values()):
            clock.next_poll = soon
        self.awake.set()

    def stop(self) -> None:
        """End after the page at hand."""
        self.stopping.set()
        self.awake.set()

    def run(self) -> None:
        while not self.stopping.is_set():
            try:
                self._round()
                pause = min(self.schedule.next_moment(self.store.now()) - self.store.now(), TICK)
            except Exception:  # the outermost edge: a thread that died would leave its pages alone for good
                self.log.exception("an error of ours; it is tried again")
                pause = FIRST_RETRY
            self.awake.wait(max(0.0, pause.total_seconds()))
            self.awake.clear()

    def _round(self) -> None:
        """Whoever asks first, then what is new, what the feeds say, and what is due."""
        self._requested()
        now = self.store.now()
        pages = [page for page in self.store.pages() if page.destination in self.destinations]
        self._track(pages, now)
        self._poll(pages, now)
        for page_id in self.schedule.due(now):
            if self.stopping.is_set():
                break
            self._work(page_id)
            self._requested()
        self._tell()
        self._sweep()
        self._count()

    def _tell(self) -> None:
        """What people are told on the pages."""
        if self.comments and not self.stopping.is_set():
            open_ones = {name: d for name, d in self.destinations.items() if not self.reconciler.paused(d)}
            self.comments.round(open_ones)

    def _sweep(self) -> None:
        """Behind everything that somebody waits for: one page whose content was not read for long."""
        page_id = None if self.stopping.is_set() else self.schedule.to_sweep(self.store.now())
        if page_id is not None:
            self._work(page_id)

    def _count(self) -> None:
        """Behind that too: the comments of one page, which no feed and no content tells of."""
        page_id = None if self.stopping.is_set() else self.schedule.to_count(self.store.now())
        if page_id is None:
            return
        page = self.store.page(page_id)
        destination = self.destinations[page.destination]
        if page.state not in ("live", "held") or self.reconciler.paused(destination):
            return
        try:
            with destination.turn:
                ours = self.store.receipts(CHANNEL, page_id)
                count = destination.provider.comments(destination.place, page.native_id, ours)
        except ProviderError as error:
            self.log.info("comments are not counted now", page=f"{page.incident}@{page.destination}", reason=str(error))
            return
        self.store.set_page(page_id, comments=count, comments_at=None if count is None else self.store.now())

    def _requested(self) -> None:
        while not self.requests.empty():
            page_id, future = self.requests.get()
            self.schedule.track(page_id, self.store.now())
            report = self._work(page_id)
            if report is not None:
                future.set_result(report)
            else:
                future.cancel()

    def _track(self, pages: Sequence[Page], now: datetime) -> None:
        tracked = {page.id: page for page in pages if page.state not in ("halted", "detached")}
        self.schedule.forget(set(tracked))
        for page_id in sorted(tracked):
            self.schedule.track(page_id, now, tracked[page_id].comments_at)
        for page_id, since in self.store.dirty():
            if page_id in tracked and self.store.dirty_mark(page_id) != self.marks.get(page_id):
                self.schedule.changed(page_id, since)

    def _poll(self, pages: Sequence[Page], now: datetime) -> None:
        due = set(self.schedule.to_poll(now))
        there = [page for page in pages if page.id in due and page.native_id]
        names = sorted({page.destination for page in there})
        names = [name for name in names if not self.reconciler.paused(self.destinations[name])]
        there = [page for page in there if page.destination in names]
        for name in names:
            self._poll_destination(self.destinations[name], [p for p in there if p.destination == name], now)
        for page_id in due - {page.id for page in there}:
            self.schedule.polled(page_id, now, None)

    def _poll_destination(self, destination: Destination, pages: Sequence[Page], now: datetime) -> None:
        provider: Provider = destination.provider
        try:
            with destination.turn:
                changes = provider.versions(destination.place, [page.native_id for page in pages])
        except ProviderError as error:
            self.log.warning("the service did not answer", destination=destination.name, reason=str(error))
            changes = {}
        for page in pages:
            change = changes.get(page.native_id)
            news = change is not None and change.version != page.version
            if news:
                self.schedule.ask(page.id, now)
            self.schedule.polled(page.id, now, now if news else page.moved_at or page.written_at)

    def _work(self, page_id: int) -> Report | None:
        page = self.store.page(page_id)
        log = self.log.bind(page=f"{page.incident}@{page.destination}")
        self.marks[page_id] = self.store.dirty_mark(page_id)
        try:
            report = self.reconciler.reconcile(page_id, patient=True)
        except Exception:  # the outermost edge: one page's surprise must not end the others' work
            log.exception("an error of ours; the page is tried again later")
            self.schedule.failed(page_id, self.store.now(), None)
            return None
        if report.result != "unknown":
            self.schedule.looked(page_id, self.store.now())
        self._log(log.bind(intent=report.intent) if report.intent else log, report)
        if report.result == "unknown":
            self.schedule.failed(page_id, self.store.now(), report.retry_at)
        else:
            waits = report.result == "waiting"
            again = report.retry_at or (self.store.now() + self.schedule.poll if waits else None)
            self.schedule.worked(page_id, again)
        return report

    def _log(self, log: BoundLogger, report: Report) -> None:
        for line in report.taken:
            log.info("from the page", change=line)
        for line in report.written:
            log.info("to the page", change=line)
        if self.told.get(report.page.id) == (report.result, report.reasons):
            return  # said already, and nothing new
        self.told[report.page.id] = (report.result, report.reasons)
        for reason in report.reasons:
            level = log.warning if report.result in ("halted", "missing", "unknown") else log.info
            level(report.result.replace("_", " "), reason=reason)


class Courier(threading.Thread):
    """Tells people and programs by one channel, which is slow or gone without holding anything else."""

    def __init__(self, name: str, round_: Callable[[], None], log: BoundLogger) -> None:
        super().__init__(name=f"syncd-{name}", daemon=True)
        self._once, self.log, self.stopping = round_, log.bind(channel=name), threading.Event()

    def run(self) -> None:
        pause = TICK
        while not self.stopping.wait(pause.total_seconds()):
            try:
                self._once()
                pause = TICK
            except Exception:  # the outermost edge: the channel must not be dumb for good
                self.log.exception("an error of ours; it is tried again")
                pause = FIRST_RETRY

    def stop(self) -> None:
        """End after what is being sent."""
        self.stopping.set()


@dataclass(frozen=True, slots=True)
class Parts:
    """What a configuration is built into: see `assembly.py`."""

    destinations: Mapping[str, Destination]
    reconciler: Reconciler
    store: Store
    pace: Pace
    watched: Mapping[Path, Callable[[], None]]  # folders and what to do when something in them changes
    channels: Channels


class Daemon:
    """Runs workers for one configuration until told to stop or to build anew."""

    def __init__(self, parts: Parts, log: BoundLogger) -> None:
        self.parts, self.log = parts, log
        self.workers = [self._worker(provider) for provider in _distinct(parts.destinations)]
        self.couriers = [Courier(name, once, log) for name, once in parts.channels.rounds(parts.store, log).items()]
        self.observer, self.watching = Observer(), set[Path]()

    def _worker(self, provider: Provider) -> Worker:
        mine = {name: d for name, d in self.parts.destinations.items() if d.provider is provider}
        parts = self.parts
        comments = parts.channels.comments(parts.store, self.log)
        return Worker("+".join(sorted(mine)), mine, parts.reconciler, parts.store, parts.pace, self.log, comments)

    def start(self) -> None:
        for thread in (*self.workers, *self.couriers):
            thread.start()
        self.watch()
        self.observer.start()

    def watch(self) -> None:
        """Watch the folders that are there; one that is made later is found by asking again."""
        for folder, react in self.parts.watched.items():
            if folder.is_dir() and folder not in self.watching:
                self.observer.schedule(_Reaction(react, self.hurry), str(folder), recursive=True)
                self.watching.add(folder)

    def stop(self) -> None:
        """Finish the pages at hand, within `STOP_WITHIN` seconds; what is cut off is resumed at the next start."""
        threads: tuple[Worker | Courier, ...] = (*self.workers, *self.couriers)
        for thread in threads:
            thread.stop()
        deadline = threading.Event()
        timer = threading.Timer(STOP_WITHIN, deadline.set)
        timer.start()
        for thread in threads:
            while thread.is_alive() and not deadline.is_set():
                thread.join(0.05)
        timer.cancel()
        self.observer.stop()
        self.observer.join()

    def hurry(self) -> None:
        for worker in self.workers:
            worker.hurry()

    def look(self, page: Page) -> "Future[Report] | None":
        """Ask the worker of this page for a look; None where no worker has it."""
        worker = next((w for w in self.workers if page.destination in w.destinations), None)
        return worker.look(page.id) if worker else None


def _distinct(destinations: Mapping[str, Destination]) -> list[Provider]:
    found: list[Provider] = []
    for destination in destinations.values():
        if not any(destination.provider is provider for provider in found):
            found.append(destination.provider)
    return found


class _Reaction(FileSystemEventHandler):
    """Something was saved in a watched folder."""

    def __init__(self, react: Callable[[], None], hurry: Callable[[], None]) -> None:
        self.react, self.hurry = react, hurry

    def on_any_event(self, event: FileSystemEvent) -> None:
        if event.event_type not in QUIET_EVENTS:
            self.react()
            self.hurry()


class Signals:
    """SIGTERM and SIGINT stop, SIGHUP reloads; made in the main thread."""

    def __init__(self) -> None:
        self.changed, self.stop, self.reload = threading.Event(), False, False
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._on)

    def _on(self, number: int, frame: FrameType | None) -> None:
        self.reload = self.reload or number == signal.SIGHUP
        self.stop = self.stop or number != signal.SIGHUP
        self.changed.set()

    def ask_reload(self) -> None:
        """The configuration file was saved."""
        self.reload = True
        self.changed.set()


def serve(
    parts: Parts,
    rebuild: Callable[[], Parts | None],
    signals: Signals,
    log: BoundLogger,
    started: Callable[[Daemon], None],
    watchdog_seconds: float = 10.0,
) -> None:
    """Run until a signal says stop. `rebuild` answers the parts of the new configuration, None where it is broken."""
    daemon = Daemon(parts, log)
    daemon.start()
    started(daemon)
    notify("READY=1")
    while not signals.stop:
        signals.changed.wait(watchdog_seconds)
        signals.changed.clear()
        notify("WATCHDOG=1")
        daemon.watch()
        if signals.reload and not signals.stop:
            signals.reload = False
            fresh = rebuild()
            if fresh is not None:
                daemon.stop()
                daemon = Daemon(fresh, log)
                daemon.start()
                started(daemon)
    notify("STOPPING=1")
    daemon.stop()
