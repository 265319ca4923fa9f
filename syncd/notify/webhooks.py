"""Signed messages to other programs: each of them in order for one incident, at least once, for a day.

Signed as Standard Webhooks say: `webhook-id`, `webhook-timestamp`, `webhook-signature`, which is HMAC-SHA256 over id, time
and raw body. While a secret is changed there are two of them, and two signatures.
"""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from structlog.stdlib import BoundLogger

from mapping.times import iso
from providers.contract import ProviderError, RateLimited
from providers.webhook import Target
from syncd.notify.words import link_to
from syncd.store import Store
from syncd.store.outbox import EVENTS, Delivery, Message

FIRST_RETRY = timedelta(seconds=10)
LONGEST_RETRY = timedelta(hours=1)
GIVE_UP = timedelta(hours=24)
Post = Callable[[Target, Mapping[str, str], bytes], None]


@dataclass(frozen=True, slots=True)
class Hook:
    """One program that is told. `secrets`: the newest first; `events`: empty for all; `private`: of private incidents
    too."""

    name: str
    target: Target
    secrets: tuple[str, ...]
    events: tuple[str, ...] = ()
    private: bool = False

    @property
    def channel(self) -> str:
        return f"webhook:{self.name}"


class Webhooks:
    """What goes out to one of them. `round` is to be asked again and again."""

    def __init__(self, store: Store, hook: Hook, public_url: str, post: Post, log: BoundLogger) -> None:
        self.store, self.hook, self.public_url, self._post = store, hook, public_url, post
        self.log = log.bind(webhook=hook.name)

    def round(self) -> None:
        """Send what is due."""
        wanted = self.hook.events or EVENTS
        self.store.address(self.hook.channel, lambda m: [self.hook.channel] if m.event in wanted else [])
        while due := self.store.due(self.hook.channel):
            for delivery in due:
                self._send(delivery)

    def _send(self, delivery: Delivery) -> None:
        incident = self.store.incident(delivery.message.incident)
        if incident is None or (incident.private and not self.hook.private):
            self.store.withdraw(delivery, "the incident is private")
            return
        body = self.body(delivery.message)
        headers = signed(body, self.hook.secrets, self._id(delivery.message), self.store.now())
        try:
            self._post(self.hook.target, headers, body)
        except ProviderError as error:
            self._failed(delivery, error)
        else:
            self.store.sent(delivery)

    def _failed(self, delivery: Delivery, error: ProviderError) -> None:
        now = self.store.now()
        if now - delivery.message.at >= GIVE_UP and delivery.tries:
            self.log.error("a webhook is not told any more", message=delivery.message.id, reason=str(error))
            self.store.give_up(delivery, str(error))
            return
        asked = timedelta(seconds=error.retry_after) if isinstance(error, RateLimited) else timedelta()
        wait = max(min(FIRST_RETRY * 3 ** min(delivery.tries, 8), LONGEST_RETRY), asked)
        self.log.warning("a webhook does not take a message; it is tried again", reason=str(error), at=iso(now + wait))
        self.store.postpone(delivery, now + wait, str(error))

    def _id(self, message: Message) -> str:
        return f"msg_{self.store.store_id}_{message.id}"

    def body(self, message: Message) -> bytes:
        """What is sent: the same bytes at each attempt."""
        link = link_to(self.public_url, message.incident)
        data = {"incident": message.incident, "incident_url": link or None, **message.data}
        return payload(message.event, message.at, data)


def payload(event: str, at: datetime, data: Mapping[str, Any]) -> bytes:
    """A message's body."""
    return json.dumps({"type": event, "timestamp": iso(at), "data": data}, ensure_ascii=False, sort_keys=True).encode()


def signed(body: bytes, secrets: Sequence[str], message_id: str, now: datetime) -> dict[str, str]:
    """The headers of one attempt."""
    seconds = str(int(now.timestamp()))
    said = f"{message_id}.{seconds}.".encode() + body
    marks = [base64.b64encode(hmac.new(key(secret), said, hashlib.sha256).digest()).decode() for secret in secrets]
    return {
        "content-type": "application/json",
        "user-agent": "syncd",
        "webhook-id": message_id,
        "webhook-timestamp": seconds,
        "webhook-signature": " ".join(f"v1,{mark}" for mark in marks),
    }


def key(secret: str) -> bytes:
    """The bytes of a secret: after `whsec_` they are told in base64."""
    coded = secret.removeprefix("whsec_")
    if coded == secret:
        return secret.encode()
    try:
        return base64.b64decode(coded, validate=True)
    except binascii.Error:
        return secret.encode()
