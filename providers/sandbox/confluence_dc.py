"""The Confluence Data Center emulator: one site with its REST API v1, and the people who work on it.

The same site and rules as Cloud's (`confluence.py`); accounts are user keys, bodies go through the old editor, and an
administrator may have set a bucket of requests a user. Paths are relative to the context (`/confluence-dc`).
"""

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from http.client import responses

from providers.sandbox import confluence_dc_around, confluence_dc_body, confluence_dc_content, confluence_files
from providers.sandbox.confluence_call import answer
from providers.sandbox.confluence_front import FrontDoor, routes
from providers.sandbox.confluence_records import Account, RefusedError
from providers.sandbox.confluence_site import Markup
from providers.sandbox.wire import Clock, Reply

_EXCEPTIONS = {
    400: "BadRequestException",
    403: "PermissionException",
    404: "NotFoundException",
    409: "ConflictException",
    501: "NotImplementedServiceException",
}


@dataclass(slots=True)
class _Bucket:
    """One user's requests: how many are left, since when. One more comes with every second."""

    size: int
    left: float
    at: datetime

    def take(self, now: datetime) -> bool:
        """Whether one more request may pass."""
        self.left = min(self.size, self.left + (now - self.at).total_seconds())
        self.at, allowed = now, self.left >= 1
        self.left -= allowed
        return allowed

    def headers(self) -> dict[str, str]:
        """What every answer tells of the bucket."""
        told = {"Limit": self.size, "Remaining": int(self.left), "FillRate": 1, "Interval-Seconds": 1}
        wait = {"Retry-After": str(math.ceil(1 - self.left))} if self.left < 1 else {"Retry-After": "0"}
        return {**{f"X-RateLimit-{name}": str(value) for name, value in told.items()}, **wait}


class ConfluenceDataCenter(FrontDoor):
    """One Data Center site with space OPS, its homepage and the page Post-mortems (`parent_id`).

    `bucket` is how many requests each user may send at once, filled again by one a second; None without a limit.
    """

    user_attribute = "ri:userkey"
    markup = Markup(confluence_dc_body.stored, confluence_dc_body.published)
    routes = routes((*confluence_dc_content.ROUTES, *confluence_dc_around.ROUTES, *confluence_files.DATA_CENTER_ROUTES))

    def __init__(self, clock: Clock, random: random.Random, base_url: str = "http://127.0.0.1/confluence-dc") -> None:
        super().__init__(clock, random, base_url)
        self.bucket: int | None = None
        self._buckets: dict[str, _Bucket] = {}
        self._told: dict[str, str] = {}
        self.open_door()
        self.open_first_space()

    def new_account_id(self) -> str:
        """A user key."""
        return f"{self.random.getrandbits(128):032x}"

    def fall_out_of_step(self, page_id: str, status: int = 409) -> None:
        """The page and its shared draft disagree: writes are refused with 409 or 501 until somebody looks at it."""
        self.out_of_step[page_id] = status

    def handle(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """Answer one request; never raises for anything a client may send."""
        self._told = {}
        reply = super().handle(method, path, headers, body)
        return reply._replace(headers={**reply.headers, **self._told})

    def admitted(self, login: str, method: str, path: str) -> Account:
        """The account of a login. 401 where it may not ask this, 429 when it asked too often."""
        account = super().admitted(login, method, path)
        if self.bucket is not None:
            bucket = self._buckets.setdefault(account.id, _Bucket(self.bucket, self.bucket, self.clock()))
            allowed, self._told = bucket.take(self.clock()), bucket.headers()
            if not allowed:
                raise RefusedError(429, "Rate limited")
        return account

    def only_asks(self, path: str) -> bool:
        """Look-ups that travel as POST."""
        return path.startswith("/rest/api/contentbody/convert/")

    def refusal(self, path: str, refused: RefusedError) -> Reply:
        """An error in the one envelope there is."""
        name = _EXCEPTIONS.get(refused.status)
        prefix = f"com.atlassian.confluence.api.service.exceptions.{name}: " if name else ""
        about = {"authorized": refused.status != 403, "valid": True, "errors": [], "successful": False}
        told = {"statusCode": refused.status, "data": about, "message": f"{prefix}{refused.reason}"}
        return answer(refused.status, {**told, "reason": responses.get(refused.status, "")})
