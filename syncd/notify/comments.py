"""Comments on pages: each conflict, halt and value that nobody understood, once, and answered when it is settled.

The intent is on the disk before the comment goes out. One of unknown fate is looked for by its mark, for as long as it may
still appear, before it is written again; so none stands there twice.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import assert_never

from structlog.stdlib import BoundLogger

from mapping.incident import Person
from providers.contract import (
    Done,
    Forbidden,
    Held,
    Missing,
    Outcome,
    ProviderError,
    Rejected,
    Stale,
    Unauthorized,
    Unknown,
    Unreachable,
)
from syncd.notify.words import comment, told
from syncd.pages import Page
from syncd.store import Store
from syncd.store.outbox import ENDS, Delivery, Message
from syncd.work import Destination

CHANNEL = "page"
RETRY = timedelta(minutes=10)
GIVE_UP = timedelta(hours=24)
TOLD = {*ENDS, *ENDS.values()}


class Comments:
    """What goes onto the pages of some destinations. `round` is to be asked again and again, by whoever talks to them."""

    def __init__(self, store: Store, public_url: str, log: BoundLogger) -> None:
        self.store, self.public_url, self.log = store, public_url, log

    def round(self, destinations: Mapping[str, Destination]) -> None:
        """Write what is due there."""
        self.store.address(CHANNEL, lambda message: [CHANNEL] if message.event in TOLD and message.page else [])
        for delivery in self.store.due(CHANNEL):
            page = self.store.page(delivery.message.page)
            destination = destinations.get(page.destination)
            if destination:
                with destination.turn:
                    self._tell(delivery, page, destination)

    def _tell(self, delivery: Delivery, page: Page, destination: Destination) -> None:
        why = self._needless(delivery.message, page, destination)
        if why:
            self.store.withdraw(delivery, why)
            return
        try:
            if page.state == "missing" or page.brake == "restored":
                raise Unreachable(page.reason)
            self._write(delivery, page, destination)
        except ProviderError as error:
            self._failed(delivery, error, arrived=None if delivery.attempted_at else False)

    def _needless(self, message: Message, page: Page, destination: Destination) -> str:
        incident = self.store.incident(message.incident)
        if not destination.provider.capabilities.comments:
            return "pages here have no comments"
        if not page.native_id or page.state == "detached":
            return "there is no page"
        if incident is None or not destination.admits(incident):
            return "the incident is private"
        if message.data.get("brake") == "restored":
            return "an older database writes nothing, and all its pages stand still at once"
        return "nothing was said of it" if message.event in ENDS and not self.store.receipt(CHANNEL, message) else ""

    def _write(self, delivery: Delivery, page: Page, destination: Destination) -> None:
        message, provider, place = delivery.message, destination.provider, destination.place
        under, mark = self.store.receipt(CHANNEL, message), f"syncd {self.store.store_id}-{message.id}"
        if delivery.attempted_at:
            found = provider.said(place, page.native_id, mark, under)
            settled = delivery.attempted_at + timedelta(seconds=provider.capabilities.settle_seconds)
            if found:
                self.store.sent(delivery, found)
                return
            if self.store.now() < settled:
                self.store.postpone(delivery, settled, "it may still appear", arrived=None)
                return
        if self.store.ended(message):
            self.store.withdraw(delivery, "it was settled before")
            return
        words = comment(told(message, self.public_url), self._people(message), mark)
        self.store.sending(delivery)
        self._after(delivery, provider.say(place, page.native_id, words, under))

    def _people(self, message: Message) -> list[Person]:
        """Who leads the incident is told by the service as well, when there is something to decide."""
        incident = self.store.incident(message.incident)
        return [incident.lead] if incident and incident.lead and incident.lead.email and message.event not in ENDS else []

    def _after(self, delivery: Delivery, outcome: Outcome) -> None:
        match outcome:
            case Done(native_id=comment_id):
                self.store.sent(delivery, comment_id)
            case Rejected(error=error):
                self._failed(delivery, error, arrived=False)
            case Unknown(message=why):
                self.store.postpone(delivery, self.store.now(), why, arrived=None)
            case Stale(message=why) | Held(message=why):
                self.store.postpone(delivery, self.store.now() + RETRY, why)
            case _:
                assert_never(outcome)

    def _failed(self, delivery: Delivery, error: ProviderError, *, arrived: bool | None) -> None:
        expired = isinstance(error, Unauthorized) and not isinstance(error, Forbidden)
        later = isinstance(error, Unreachable | Missing) or expired or arrived is None
        if later and self.store.now() - delivery.message.at < GIVE_UP:
            self.store.postpone(delivery, self.store.now() + RETRY, str(error), arrived=arrived)
            return
        self.log.warning("a page is not commented on", page=delivery.message.page, reason=str(error))
        self.store.give_up(delivery, str(error))
