"""What all wires share: the request budget, the meaning of an answer, and patience with reads.

A request ends as an `Answer` (the service said something) or as `NoAnswer` (nobody knows). Reads are tried again here, with
tenacity; writes never are: an answer that does not settle a write becomes `Unknown`, and recovery looks at the page.
"""

import email.utils
import http.client
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential_jitter

from providers.contract import Forbidden, Missing, RateLimited, Refused, Unauthorized, Unreachable

READ_ATTEMPTS = 4
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
    """A token bucket of `per_minute` requests that a service can pause for all its users.

    `now` is a monotonic clock in seconds, `sleep` waits. One budget belongs to one credential and one worker thread.
    """

    per_minute: float
    now: Callable[[], float]
    sleep: Callable[[float], None]
    spent: int = 0
    _tokens: float = field(init=False)
    _filled: float = field(init=False)
    _paused_until: float = 0.0

    def __post_init__(self) -> None:
        self._tokens = self.per_minute
        self._filled = self.now()

    def take(self) -> None:
        """Wait for the right to send one request; raise `RateLimited` when that takes longer than `LONGEST_WAIT`."""
        wait = self.wait()
        if wait > LONGEST_WAIT:
            whose = "the service asks us to wait" if self._paused_until > self.now() else "the request budget is used up for"
            raise RateLimited(f"{whose} {wait:.0f} s", wait)
        if wait > 0:
            self.sleep(wait)
            self._fill()
        self._tokens -= 1
        self.spent += 1

    def wait(self) -> float:
        """Seconds until the next request may go."""
        self._fill()
        refill = max(0.0, (1 - self._tokens) * 60 / self.per_minute)
        return max(refill, self._paused_until - self.now())

    def pause(self, seconds: float) -> None:
        """The service said to wait."""
        self._paused_until = max(self._paused_until, self.now() + seconds)

    def _fill(self) -> None:
        now = self.now()
        self._tokens = min(self.per_minute, self._tokens + (now - self._filled) * self.per_minute / 60)
        self._filled = now


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
