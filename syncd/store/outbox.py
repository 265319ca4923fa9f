"""The part of the store that remembers what people and programs are still to be told, by which channel, and what was told.

A message is written in the transaction of what it tells of. What it tells is frozen in it; who may be told is decided when
it goes out. A channel (`page`, `webhook:NAME`, `mail:EMAIL`) is told what happened since it was first there, at least once,
and for one incident in order.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, get_args

from syncd.store import statements as sql
from syncd.store.core import Row
from syncd.store.journal import Journal, moment, text_of

Event = Literal[
    "conflict.opened",
    "conflict.resolved",
    "page.halted",
    "page.resumed",
    "value.not_understood",
    "value.understood",
    "postmortem.status",
    "export.status",
]
EVENTS: tuple[Event, ...] = get_args(Event)
ENDS: Mapping[Event, Event] = {
    "conflict.resolved": "conflict.opened",
    "page.resumed": "page.halted",
    "value.understood": "value.not_understood",
}
"""What ends something that people were told of."""


@dataclass(frozen=True, slots=True)
class Message:
    """Something that happened to an incident. `subject` tells apart what can be so at once: a conflict's id, a page's
    destination, the place of a value; `page` is the page that it happened on, 0 for none; `data` the facts as they were."""

    id: int
    at: datetime
    incident: str
    page: int
    event: Event
    subject: str
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message on its way by one channel. `attempted_at`: it went out, and whether it arrived is not known."""

    message: Message
    channel: str
    tries: int
    attempted_at: datetime | None = None


class Outbox(Journal):
    """Who is still to be told."""

    def announce(self, event: Event, incident: str, subject: str, data: Mapping[str, Any], page: int = 0) -> None:
        """This happened; part of the transaction in which it did."""
        with self.tx():
            said = json.dumps(data, ensure_ascii=False)
            self._run(sql.ANNOUNCE, (text_of(self.now()), incident, page, event, subject, said))

    def address(self, name: str, channels: Callable[[Message], Iterable[str]]) -> None:
        """From now on `channels` says by which channels each message goes; what happened before the first time is told
        nobody. `name` tells apart who asks."""
        if self._one(sql.CHANNEL, (name,)) and not self._all(sql.UNADDRESSED, {"channel": name}):
            return
        with self.tx():
            self._run(sql.OPEN_CHANNEL, {"channel": name})
            for row in self._all(sql.UNADDRESSED, {"channel": name}):
                message = _message(row)
                for channel in channels(message):
                    self._run(sql.ADDRESS, (message.id, channel, text_of(self.now())))
                self._run(sql.ADVANCE_CHANNEL, (message.id, name))

    def waited_for(self, prefix: str) -> list[str]:
        """The channels of this beginning by which something has not arrived."""
        return [row[0] for row in self._all(sql.WAITED_FOR, (prefix, prefix + "\U0010ffff"))]

    def due(self, channel: str) -> list[Delivery]:
        """What may go out now: of each incident the oldest that has not arrived, unless it waits."""
        rows = self._all(sql.DUE, {"channel": channel, "now": text_of(self.now())})
        return [_delivery(row, channel) for row in rows]

    def waiting(self, channel: str) -> list[Delivery]:
        """All that has not arrived, in order."""
        rows = self._all(sql.WAITING, {"channel": channel})
        return [_delivery(row, channel) for row in rows]

    def sending(self, delivery: Delivery) -> None:
        """The first byte goes out next; on the disk when this returns."""
        with self.tx(full=True):
            self._run(sql.SENDING, (text_of(self.now()), delivery.message.id, delivery.channel))

    def sent(self, delivery: Delivery, receipt: str = "") -> None:
        """It arrived; `receipt` is what the other side calls it."""
        self._end(delivery, "sent", receipt)

    def withdraw(self, delivery: Delivery, why: str) -> None:
        """It is not told any more, or not to them."""
        self._end(delivery, "withdrawn", "", why)

    def give_up(self, delivery: Delivery, why: str) -> None:
        """It was tried for long enough."""
        self._end(delivery, "given_up", "", why)

    def _end(self, delivery: Delivery, state: str, receipt: str, error: str = "") -> None:
        with self.tx():
            self._run(sql.END_DELIVERY, (state, receipt, error, delivery.message.id, delivery.channel))

    def postpone(self, delivery: Delivery, until: datetime, why: str, *, arrived: bool | None = False) -> None:
        """It is tried again then. `arrived` None: whether it did is not known."""
        with self.tx():
            known = arrived is not None
            self._run(sql.POSTPONE, (text_of(until), why, known, delivery.message.id, delivery.channel))

    def receipt(self, channel: str, message: Message) -> str:
        """What the other side calls the newest message of this channel that `message` ends; empty where none arrived."""
        asked = {
            "channel": channel,
            "incident": message.incident,
            "page": message.page,
            "event": ENDS.get(message.event, ""),
            "subject": message.subject,
            "before": message.id,
        }
        row = self._one(sql.RECEIPT, asked)
        return str(row[0]) if row else ""

    def receipts(self, channel: str, page: int) -> frozenset[str]:
        """What the other side calls all that arrived about a page."""
        return frozenset(row[0] for row in self._all(sql.RECEIPTS, (channel, page)))

    def ended(self, message: Message) -> bool:
        """Whether what the message tells of is over, as a later message says."""
        ends = next((end for end, begin in ENDS.items() if begin == message.event), "")
        return self._one(sql.ENDED, (message.incident, message.page, ends, message.subject, message.id)) is not None

    def forget(self, before: datetime) -> None:
        """Messages from before, of which nothing waits, are of no use any more."""
        with self.tx():
            self._run(sql.FORGET_DELIVERIES, (text_of(before),))
            self._run(sql.FORGET_MESSAGES, (text_of(before),))


def _delivery(row: Row, channel: str) -> Delivery:
    return Delivery(_message(row[:7]), channel, row[7], moment(row[8]) if row[8] else None)


def _message(row: Row) -> Message:
    number, at, incident, page, event, subject, data = row
    return Message(number, moment(at), incident, page, event, subject, json.loads(data))
