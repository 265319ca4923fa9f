"""When to look at which page. Pure: times go in, page ids come out.

Level-triggered: a poll, a watcher, a webhook and a store change all mean only "look at page 17". Pages that people work
on (hot) are looked at every `poll`; a page that nothing happens to cools down, each look doubling the wait up to `coldest`.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

FIRST_RETRY = timedelta(seconds=5)
LONGEST_RETRY = timedelta(minutes=10)
HOT = timedelta(hours=1)  # how long after the last change a page is looked at every `poll`
SWEEP = timedelta(hours=1)  # each page's content is read at least this often, for what no feed shows;
SWEEP_GAP = timedelta(seconds=10)  # but never more than one page in this time: 360 pages an hour, more pages take longer


@dataclass(slots=True)
class PageClock:
    """One page's times."""

    next_poll: datetime
    wait: timedelta
    looked: datetime  # when the content was read last
    counted: datetime  # when the comments were counted last
    next_work: datetime | None = None  # something is known to be due then
    failures: int = 0


@dataclass
class Schedule:
    """The clocks of all pages of one worker."""

    poll: timedelta
    debounce: timedelta
    coldest: timedelta = timedelta(minutes=10)
    clocks: dict[int, PageClock] = field(default_factory=dict)
    next_sweep: datetime | None = None
    next_count: datetime | None = None

    def track(self, page: int, now: datetime, counted: datetime | None = None) -> None:
        """A page that is new here is looked at once; its comments were `counted` then, as far as is known."""
        if page not in self.clocks:
            self.clocks[page] = PageClock(now + self.poll, self.poll, now, counted or now, next_work=now)

    def forget(self, pages: set[int]) -> None:
        """Keep only `pages`."""
        for gone in set(self.clocks) - pages:
            del self.clocks[gone]

    def ask(self, page: int, at: datetime) -> None:
        """Work on the page at `at`, or earlier if that was due anyway."""
        clock = self.clocks[page]
        clock.next_work = min(clock.next_work or at, at)

    def changed(self, page: int, since: datetime) -> None:
        """The store changed under the page; changes are gathered for a moment."""
        clock = self.clocks[page]
        if not clock.failures:
            self.ask(page, since + self.debounce)

    def due(self, now: datetime) -> list[int]:
        """Pages to work on now, longest waiting first."""
        ready = [(c.next_work, page) for page, c in self.clocks.items() if c.next_work and c.next_work <= now]
        return [page for _, page in sorted(ready)]

    def to_poll(self, now: datetime) -> list[int]:
        """Pages whose feed is to be read now."""
        return sorted(page for page, clock in self.clocks.items() if clock.next_poll <= now)

    def polled(self, page: int, now: datetime, changed_at: datetime | None) -> None:
        """The feed was read. A page without news for long is asked for less and less."""
        clock = self.clocks[page]
        hot = changed_at is not None and now - changed_at < HOT
        clock.wait = self.poll if hot else min(clock.wait * 2, max(self.coldest, self.poll))
        clock.next_poll = now + clock.wait

    def looked(self, page: int, now: datetime) -> None:
        """The content of the page was read."""
        self.clocks[page].looked = now

    def to_sweep(self, now: datetime) -> int | None:
        """The page whose content was not read for longest, when it is its turn: for when nothing else is due."""
        if not self.clocks or (self.next_sweep and now < self.next_sweep):
            return None
        page = min(self.clocks, key=lambda page: (self.clocks[page].looked, page))
        if now - self.clocks[page].looked < SWEEP:
            return None
        self.next_sweep = now + SWEEP_GAP
        return page

    def to_count(self, now: datetime) -> int | None:
        """The page whose comments are to be counted, at the pace of `to_sweep`; whatever comes of it, it had its turn. Pages
        that are worked on all the time are never swept, so this has clocks of its own."""
        if not self.clocks or (self.next_count and now < self.next_count):
            return None
        page = min(self.clocks, key=lambda page: (self.clocks[page].counted, page))
        if now - self.clocks[page].counted < SWEEP:
            return None
        self.next_count, self.clocks[page].counted = now + SWEEP_GAP, now
        return page

    def worked(self, page: int, again_at: datetime | None) -> None:
        """Work ended well; `again_at` when something waits for a moment in time."""
        clock = self.clocks[page]
        clock.next_work, clock.failures = again_at, 0

    def failed(self, page: int, now: datetime, not_before: datetime | None) -> None:
        """The service did not answer: again when it says (`not_before`), else later each time."""
        clock = self.clocks[page]
        delay = min(FIRST_RETRY * 2**clock.failures, LONGEST_RETRY)
        clock.failures += 1
        clock.next_work = not_before or now + delay

    def next_moment(self, now: datetime) -> datetime:
        """When there is something to do again, at the latest after one poll."""
        moments = [m for c in self.clocks.values() for m in (c.next_poll, c.next_work) if m]
        return min([*moments, now + self.poll])
