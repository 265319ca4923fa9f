"""What all wires share: the request budget, the meaning of an answer, and patience with reads.

A request ends as an `Answer` (the service said something) or as `NoAnswer` (nobody knows). Reads are tried again here, with
tenacity; writes never are: an answer that does not settle a write becomes `Unknown`, and recovery looks at the page.
"""

import email.utils
import http.client
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential_jitter

from providers.contract import Forbidden, Missing, RateLimited, Refused, Unauthorized, Unreachable

READ_ATTEMPTS = 4
WINDOW = 60.0  # seconds over which services count requests
LONGEST_WAIT = 30.0  # seconds that one call may wait for its budget or a Retry-After; beyond, the engine goes on elsewhere


@dataclass(frozen=True, slots=True)
class Answer:
    """What the service said. `headers` have lower-case names; `body` is parsed JSON, or the text where it was not JSON."""

    status: int
    headers: Mapping[str, str]
    body: Any

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300


class NoAnswer(Exception):
    """The connection failed or timed out. `sent` is False when the request certainly never reached the service."""

    def __init__(self, message: str, *, sent: bool) -> None:
        super().__init__(message)
        self.sent = sent


@dataclass
class Budget:
    """At most `limit` requests in any `WINDOW`, which services count; a service can pause it for all its users.

    Half of them may go in one burst. The rest keeps a distance, so that long work gets on instead of standing still until
    the burst is a window old; in the long run the whole limit can be used. `now` is a monotonic clock in seconds, `sleep`
    waits. One budget belongs to one credential and one worker thread.
    """

    limit: float
    now: Callable[[], float]
    sleep: Callable[[float], None]
    spent: int = 0
    _sent: deque[float] = field(default_factory=deque)  # when the requests of the last window went
    _reserved: int = 0
    _paused_until: float = 0.0

    def take(self) -> None:
        """Wait for the right to send one request; raise `RateLimited` when that takes longer than `LONGEST_WAIT`."""
        if not self._reserved or self.now() < self._paused_until:
            self.ready(1)
        self._reserved -= 1
        self._sent.append(self.now())
        self.spent += 1

    def ready(self, requests: int) -> None:
        """Wait until this many requests may go one right after the other; raise `RateLimited` as `take` does."""
        wait = self.wait(requests)
        if wait > LONGEST_WAIT:
            whose = "the service asks us to wait" if self._paused_until > self.now() else "the request budget is used up for"
            raise RateLimited(f"{whose} {wait:.0f} s", wait)
        if wait > 0:
            self.sleep(wait)
        self._reserved = requests

    def wait(self, requests: int = 1) -> float:
        """Seconds until the next request may go, or this many at once."""
        now = self.now()
        while self._sent and self._sent[0] <= now - WINDOW:
            self._sent.popleft()
        used = len(self._sent)
        over = used + requests - int(self.limit)
        if over > 0 and used:  # so many must be a window old first
            wait = self._sent[min(over, used) - 1] + WINDOW - now
        elif used and used + requests > self.limit / 2:  # what is left, spread until the oldest is a window old
            beat = (self._sent[0] + WINDOW - now) / (self.limit - used)
            wait = self._sent[-1] + requests * beat - now
        else:
            wait = 0.0
        return max(0.0, wait, self._paused_until - now)

    def used(self) -> int:
        """Requests of the last window; any thread may ask."""
        since = self.now() - WINDOW
        return sum(sent > since for sent in tuple(self._sent))

    def paused(self) -> float:
        """Seconds for which the service still asks us to wait; any thread may ask."""
        return max(0.0, self._paused_until - self.now())

    def pause(self, seconds: float) -> None:
        """The service said to wait."""
        self._paused_until = max(self._paused_until, self.now() + seconds)


def retry_after(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Seconds that the service asks to wait: a number (also a fraction) or an HTTP date; None when it does not say."""
    value = headers.get("retry-after", "")
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        moment = email.utils.parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, (moment - (now or datetime.now(UTC))).total_seconds())


def refuse(answer: Answer, said: str) -> Exception:
    """The error that an answer outside 200-299 means; `said` is the service's own sentence, the status in words without."""
    said = said.strip() or http.client.responses.get(answer.status, "no reason given")
    if answer.status in (429, 529):
        return RateLimited(f"rate limited: {said}", retry_after(answer.headers) or 5.0)
    if answer.status in (401, 403):
        return (Unauthorized if answer.status == 401 else Forbidden)(f"{answer.status}: {said}")
    if answer.status in (404, 410):
        return Missing(f"{answer.status}: {said}", "not_found")
    if answer.status >= 500:
        return Unreachable(f"{answer.status}: {said}")
    return Refused(f"{answer.status}: {said}")


def reads(budget: Budget) -> Retrying:
    """The patience of one read: tried again on no answer, 5xx and rate limits, as long as the service asks."""
    backoff = wait_exponential_jitter(multiplier=0.5, max=8.0, jitter=0.5)

    def wait(state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, RateLimited):
            budget.pause(error.retry_after)
            return 0.0  # the budget itself waits, or gives up when it is too long
        return backoff(state)

    return Retrying(
        retry=retry_if_exception_type((Unreachable, NoAnswer)),
        stop=stop_after_attempt(READ_ATTEMPTS),
        wait=wait,
        sleep=budget.sleep,
        reraise=True,
    )
