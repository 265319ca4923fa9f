"""Who is who on a Confluence site: account ids in pages, e-mails and names everywhere else.

E-mails come from the configuration and from the site where people let it tell them. A mention of somebody who has no
account here becomes plain text.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from mapping.document import Block, Span, Spans, merged_spans
from mapping.incident import Person
from providers.confluence_dialect import Account, Dialect
from providers.contract import ProviderError

FORGET_AFTER = timedelta(hours=1)


class People:
    """What is known of accounts, asked once. `accounts`: e-mail to account id, from the configuration."""

    def __init__(self, wiki: Dialect, accounts: Mapping[str, str], now: Callable[[], datetime]) -> None:
        self._wiki = wiki
        self._now = now
        self._account_of = {email.lower(): account for email, account in accounts.items()}
        self._email_of = {account: email for email, account in self._account_of.items()}
        self._names: dict[str, str] = {}
        self._not_found: dict[str, datetime] = {}

    def everyone(self) -> Sequence[Person]:
        """All people known by e-mail so far."""
        self._learn(self._email_of)
        return [Person(self._names.get(account, ""), email) for email, account in sorted(self._account_of.items())]

    def name(self, account: str) -> str:
        """The display name where it was learned, else the account id."""
        return self._names.get(account) or account

    def introduced(self, account: str) -> str:
        """The display name, looked up where it was not learned yet; empty where nobody tells. Raises ProviderError."""
        self._learn([account])
        return self._names.get(account, "")

    def named(self, blocks: Sequence[Block], also: Iterable[str] = ()) -> tuple[Block, ...]:
        """Blocks as read, with mentions by e-mail where it is known. `also`: other accounts to learn on the way. Raises
        ProviderError: a page must not read differently because a name could not be looked up."""
        mentions = (span for block in blocks for span in _spans(block) if span.kind == "mention")
        self._learn([span.ref.removeprefix(self._wiki.mention) for span in mentions] + list(also))
        return tuple(_with_spans(block, self._named) for block in blocks)

    def addressed(self, blocks: Sequence[Block]) -> tuple[Block, ...]:
        """Blocks as they are written, with mentions by account; people without one are plain text."""
        return tuple(_with_spans(block, self._addressed) for block in blocks)

    def _named(self, span: Span) -> Span:
        account = span.ref.removeprefix(self._wiki.mention)
        email = self._email_of.get(account)
        return replace(span, ref=email or span.ref, text=self.name(account))

    def _addressed(self, span: Span) -> Span:
        if span.ref.startswith(self._wiki.mention):
            return replace(span, text="")
        account = self._account(span.ref.lower(), span.text)
        return Span("", "mention", ref=self._wiki.mention + account) if account else Span(f"@{span.text or span.ref}")

    def _account(self, email: str, name: str) -> str:
        if email in self._account_of:
            return self._account_of[email]
        asked = self._not_found.get(email)
        if asked is None or self._now() - asked >= FORGET_AFTER:
            self._look_up(email, name)
        return self._account_of.get(email, "")

    def _look_up(self, email: str, name: str) -> None:
        """Whoever the service finds, the e-mail is believed. Somebody who cannot be looked up right now is text for now."""
        try:
            found = list(self._wiki.accounts_like(email, " ".join(re.findall(r"\w+", name))))
            for account in found:
                if account.email:
                    self._remember(account)
            self._learn(account.id for account in found)
        except ProviderError:
            return
        if email not in self._account_of:
            self._not_found[email] = self._now()

    def _learn(self, accounts: Iterable[str]) -> None:
        unknown = sorted({account for account in accounts if account and account not in self._names})
        if not unknown:
            return
        found = list(self._wiki.accounts(unknown))
        self._names.update(dict.fromkeys(unknown, ""))
        for account in found:
            self._remember(account)

    def _remember(self, account: Account) -> None:
        self._names[account.id] = account.name
        if account.email and account.id not in self._email_of:
            self._email_of[account.id] = account.email
            self._account_of.setdefault(account.email, account.id)


def _spans(block: Block) -> Iterable[Span]:
    yield from block.spans
    for row in block.rows:
        for cell in row.cells:
            yield from cell


def _with_spans(block: Block, change: Callable[[Span], Span]) -> Block:
    """The block with its mentions changed."""

    def changed(spans: Spans) -> Spans:
        if not any(span.kind == "mention" for span in spans):
            return spans
        return merged_spans(change(span) if span.kind == "mention" else span for span in spans)

    rows = tuple(replace(row, cells=tuple(changed(cell) for cell in row.cells)) for row in block.rows)
    return replace(block, spans=changed(block.spans), rows=rows)
