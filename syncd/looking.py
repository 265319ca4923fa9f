"""Pages looked at for the gate: what each of them is, was, or waits for, as far as it can be told without writing to it.

A page that was seen in step lately is not read again. `at_once` is for those who wait: pages of several services are read at
the same time, and what takes longer than they wait goes on by itself, for whoever asks next.
"""

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, wait
from dataclasses import replace
from datetime import timedelta

from syncd.flow import Look
from syncd.pages import Page
from syncd.reconcile import Reconciler, Report
from syncd.store import Store

SLOW = "The service takes longer than was waited for; the look goes on by itself."


class Looking:
    """Looks at pages; of what it sees the store remembers one thing: when a page was in step."""

    def __init__(
        self, store: Store, reconciler: Reconciler, fresh: timedelta, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self.store, self.reconciler, self.fresh, self._monotonic = store, reconciler, fresh, monotonic
        self._turns: dict[int, threading.Lock] = {}  # by provider: one look of ours at a time

    def at(self, page: Page) -> Look:
        """One page, read where what is known of it is too old."""
        return self._read(page) if self._due(page) else self._known(page)

    def at_once(self, pages: Sequence[Page], seconds: float) -> dict[int, Look]:
        """Several pages by their ids, within this many seconds; one that was not through by then is not known."""
        deadline = self._monotonic() + seconds
        asked = {page.id: (page, Future[Look]()) for page in pages if self._due(page)}
        for group in self._by_provider(page for page, _ in asked.values()):
            work = [asked[page.id] for page in group]
            threading.Thread(target=self._work, args=(work, deadline), name="syncd-look", daemon=True).start()
        wait([future for _, future in asked.values()], seconds)
        looks = {
            page_id: future.result() if future.done() else self._late(page) for page_id, (page, future) in asked.items()
        }
        return {page.id: looks[page.id] if page.id in looks else self._known(page) for page in pages}

    def _work(self, work: Sequence[tuple[Page, Future[Look]]], deadline: float) -> None:
        turn = self._turns.setdefault(self._provider(work[0][0]), threading.Lock())
        for page, future in work:
            if not turn.acquire(timeout=max(0.0, deadline - self._monotonic())):
                return
            try:
                future.set_result(self.at(self.store.page(page.id)))
            except Exception as error:  # noqa: BLE001  # raised again where the future is asked
                future.set_exception(error)
            finally:
                turn.release()

    def _by_provider(self, pages: Iterable[Page]) -> list[list[Page]]:
        groups: dict[int, list[Page]] = {}
        for page in pages:
            groups.setdefault(self._provider(page), []).append(page)
        return list(groups.values())

    def _provider(self, page: Page) -> int:
        destination = self.reconciler.destinations.get(page.destination)
        return id(destination.provider) if destination else 0

    def _due(self, page: Page) -> bool:
        if not page.native_id or page.state in ("halted", "detached"):
            return False
        old = page.checked_at is None or self.store.now() - page.checked_at > self.fresh
        return old or page.state != "live" or self.store.dirty_since(page.id) is not None

    def _known(self, page: Page) -> Look:
        conflicts = tuple(one for one in self.store.conflicts(page.incident, state="open") if one.page == page.id)
        return Look(
            page,
            dirty_since=self.store.dirty_since(page.id),
            conflicts=conflicts,
            unread=tuple(self.store.unread(page.id)),
        )

    def _late(self, page: Page) -> Look:
        return replace(self._known(page), unreachable=SLOW, code="slow")

    def _read(self, page: Page) -> Look:
        report = self.reconciler.preview(page.id)
        look = replace(self._known(page), code=report.code)
        said = "; ".join(report.reasons)
        match report.result:
            case "unknown":
                return replace(look, unreachable=said)
            case "missing":
                return replace(look, page=replace(page, state="missing", reason=said, code=report.code))
            case "halted":
                return replace(look, page=replace(page, state="halted", reason=said, code=report.code))
        return self._reached(look, report)

    def _reached(self, look: Look, report: Report) -> Look:
        pending = report.taken if report.code == "draft" else (*report.taken, *report.written)
        if not pending and not report.reasons:  # `checked_at` is when all that was seen was in step
            self.store.set_page(look.page.id, checked_at=self.store.now())
        page = self.store.page(look.page.id)
        if page.state == "missing":  # it is back, and the next pass says so
            page = replace(page, state="live", reason="")
        return replace(look, page=page, pending=pending, held=report.reasons, dirty_since=None)
