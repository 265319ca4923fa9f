"""The channels of one configuration, and what is to be done for each of them again and again."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from structlog.stdlib import BoundLogger

from providers import mail, webhook
from providers.mail import MailServer
from syncd.notify.comments import Comments
from syncd.notify.mails import Mails, Post
from syncd.notify.webhooks import Hook, Webhooks
from syncd.store import Store

KEPT = timedelta(days=30)  # a message of which nothing waits
TIDY = timedelta(hours=1)
Round = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Channels:
    """By which people and programs are told. No `post` or `server`: no mail."""

    public_url: str = ""
    page_comments: bool = True
    hooks: tuple[Hook, ...] = ()
    post: Post | None = None
    server: MailServer | None = None

    def comments(self, store: Store, log: BoundLogger) -> Comments | None:
        """What goes onto pages, where anything does."""
        return Comments(store, self.public_url, log) if self.page_comments else None

    def rounds(self, store: Store, log: BoundLogger) -> Mapping[str, Round]:
        """What is to be done by whoever talks to nobody else meanwhile, by a name for each."""
        rounds: dict[str, Round] = {"outbox": _Upkeep(store, exports=bool(self.hooks)).round}
        for hook in self.hooks:
            rounds[hook.channel] = Webhooks(store, hook, self.public_url, webhook.post, log).round
        server = self.server
        if self.post and server:
            rounds["mail"] = Mails(store, self.post, self.public_url, lambda one: mail.send(server, one), log).round
        return rounds


class _Upkeep:
    """Notices changes of whether pages are in step, which nobody makes by one act, and forgets what is long told."""

    def __init__(self, store: Store, *, exports: bool) -> None:
        self._store, self._exports = store, exports
        self._tidied: datetime | None = None

    def round(self) -> None:
        now = self._store.now()
        if self._exports:
            self._store.tell_exports()
        if self._tidied is None or now - self._tidied > TIDY:
            self._store.forget(now - KEPT)
            self._tidied = now
