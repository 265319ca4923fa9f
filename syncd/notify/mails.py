"""Mail to people: what needs somebody, gathered for a while into one mail for each of them.

Told are those who are named in the configuration, and the people of the incident. Of a private incident only who is named in
it, or may see all private ones. What was decided before the mail goes out is not in it.
"""

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from email.message import EmailMessage

from structlog.stdlib import BoundLogger

from providers.contract import ProviderError, Refused
from syncd.notify.words import told
from syncd.store import Store
from syncd.store.outbox import ENDS, Delivery, Message
from syncd.store.visible import Visible

PREFIX = "mail:"
ADDRESS = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]+@[\w.-]+")  # what a mail can be addressed to as it stands
MOST = 50  # things that one mail tells of in full
RETRY = timedelta(minutes=10)
GIVE_UP = timedelta(hours=24)
Send = Callable[[EmailMessage], None]


@dataclass(frozen=True, slots=True)
class Post:
    """Who is told, from whom, how often. `seeing`: who sees every private incident; all e-mails in lower case."""

    sender: str
    to: tuple[str, ...]
    people: bool
    digest: timedelta
    seeing: frozenset[str] = frozenset()


class Mails:
    """What goes out by mail. `round` is to be asked again and again."""

    def __init__(self, store: Store, post: Post, public_url: str, send: Send, log: BoundLogger) -> None:
        self.store, self.post, self.public_url, self._send, self.log = store, post, public_url, send, log

    def round(self) -> None:
        """Send to everybody for whom something has been gathered for long enough."""
        self.store.address("mail", lambda message: [PREFIX + email for email in self._told(message)])
        for channel in self.store.waited_for(PREFIX):
            due = [delivery for delivery in self.store.waiting(channel) if self._still(channel, delivery)]
            if due and self.store.now() - due[0].message.at >= self.post.digest and self._ready(channel):
                self._mail(channel.removeprefix(PREFIX), due)

    def _told(self, message: Message) -> Iterator[str]:
        incident = self.store.incident(message.incident)
        if message.event not in ENDS.values() or incident is None:
            return
        named = [person.email for person in incident.people if person.email] if self.post.people else []
        yield from dict.fromkeys(email for email in (*self.post.to, *named) if ADDRESS.fullmatch(email))

    def _still(self, channel: str, delivery: Delivery) -> bool:
        """Whether it is still to be told, and still to them."""
        incident = self.store.incident(delivery.message.incident)
        email = channel.removeprefix(PREFIX)
        if incident is None or not Visible(email in self.post.seeing, email).shows(incident):
            self.store.withdraw(delivery, "the incident is private")
            return False
        if self.store.ended(delivery.message):
            self.store.withdraw(delivery, "it was settled before")
            return False
        return True

    def _ready(self, channel: str) -> bool:
        """Whether the last attempt was long enough ago."""
        return len(self.store.due(channel)) > 0

    def _mail(self, email: str, due: Sequence[Delivery]) -> None:
        try:
            self._send(self.mail(email, [delivery.message for delivery in due]))
        except ProviderError as error:
            self._failed(email, due, error)
        else:
            for delivery in due:
                self.store.sent(delivery)

    def _failed(self, email: str, due: Sequence[Delivery], error: ProviderError) -> None:
        now = self.store.now()
        for delivery in due:
            if isinstance(error, Refused) or now - delivery.message.at >= GIVE_UP + self.post.digest:
                self.store.give_up(delivery, str(error))
            else:
                self.store.postpone(delivery, now + RETRY, str(error))
        self.log.warning("a mail did not go out", to=email, reason=str(error))

    def mail(self, email: str, messages: Sequence[Message]) -> EmailMessage:
        """One mail of all that. Its id follows from what it tells, so that one sent twice is known as such."""
        mail = EmailMessage()
        count = f"{len(messages)} things need" if len(messages) > 1 else "something needs"
        references = ", ".join(dict.fromkeys(message.incident for message in messages))
        mail["Subject"] = _line(f"{references}: {count} a decision")[:200]
        mail["From"], mail["To"] = self.post.sender, email
        mail["Date"] = self.store.now()
        mail["Message-ID"] = self._id(email, messages)
        mail["Auto-Submitted"] = "auto-generated"
        more = [f"And {len(messages) - MOST} more."] if len(messages) > MOST else []
        mail.set_content("\n\n".join([*map(self._part, messages[:MOST]), *more]) + "\n")
        return mail

    def _part(self, message: Message) -> str:
        incident = self.store.incident(message.incident)
        name = incident.name if incident else ""
        where = f"{message.incident} {_line(name)} ({message.data['destination']})"
        return f"{where}\n{told(message, self.public_url).text}"

    def _id(self, email: str, messages: Sequence[Message]) -> str:
        named = f"{self.store.store_id} {email} {[message.id for message in messages]}"
        return f"<{hashlib.sha256(named.encode()).hexdigest()[:32]}@{self.post.sender.rpartition('@')[2].rstrip('>')}>"


def _line(text: str) -> str:
    return " ".join(text.split())
