"""What an edition of Confluence is to the provider: one method for each kind of request, and pages in one shape.

`confluence.py` decides what to ask; an edition (`confluence_cloud.py`) knows paths, ids, paging and envelopes, and nothing
of post-mortems. Reads are patient and raise `ProviderError`s; writes go out once and answer an `Outcome`, `Done` with the
page's id when they went well.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol, get_args

from providers.contract import Change, Outcome

Status = Literal["current", "archived", "trashed", "draft"]
Resolution = Literal["open", "reopened", "resolved", "dangling"]
OPEN: tuple[Resolution, ...] = ("open", "reopened")


def status_told(word: str) -> Status:
    """A page's status by the service's word. `deleted` is the trash of pages that lost their parent; what is not known is
    nothing that we may write."""
    return next((known for known in get_args(Status) if known == word), "trashed")


@dataclass(frozen=True, slots=True)
class Space:
    """A space; `id` is what pages name it by, `key` what people do."""

    id: str
    key: str
    name: str


@dataclass(frozen=True, slots=True)
class WikiPage:
    """A page as the service tells of it. `body` is storage markup; `author` the account that made this version, empty when
    it is not told; `live`: it has no publish step, so there is nothing to lock; `space`: a `Space.id`."""

    id: str
    title: str
    status: Status
    space: str
    version: int
    body: str
    author: str = ""
    edited_at: datetime | None = None
    message: str = ""
    live: bool = False
    url: str = ""


@dataclass(frozen=True, slots=True)
class InlineComment:
    """The first comment of a thread on a piece of text: `ref` is its marker's, `selection` the words that it was made on."""

    id: str
    ref: str
    selection: str = ""


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody; `email` is empty where the service keeps it to itself."""

    id: str
    name: str
    email: str = ""


class Dialect(Protocol):
    """One site in one edition, with one credential. Page ids are checked by the caller: they are digits.

    `url` is the site's address without a last slash; `mention` what stands before an account's id in a mention's `ref`.
    """

    url: str
    mention: str

    # --- pages ---

    def page(self, page_id: str) -> WikiPage:
        """The page with its body, in whatever status. Raises Missing when there is none, or it is hidden from us."""
        ...

    def draft(self, page_id: str) -> WikiPage | None:
        """What somebody left unpublished on a page, None when there is nothing of the kind."""
        ...

    def titled(self, space: Space, title: str) -> Iterable[WikiPage]:
        """Pages of a space with exactly this title, in any status but draft, with bodies; one request."""
        ...

    def newest(self, space: Space) -> Iterable[WikiPage]:
        """The pages of a space that were made last, in any status but draft, with bodies; asked for when needed."""
        ...

    def versions(self, page_ids: Sequence[str]) -> Mapping[str, Change]:
        """The version numbers of many pages in as few requests as the edition allows, without bodies."""
        ...

    def messages(self, page_id: str) -> Sequence[str]:
        """The messages of the page's last versions, the newest first, without bodies; one request."""
        ...

    def post(self, space: Space, parent: str, title: str, body: str) -> Outcome:
        """Make a page; an empty `parent` is the space's home. A taken title is `Rejected(TitleTaken)`."""
        ...

    def put(self, page: WikiPage, title: str, body: str, message: str) -> Outcome:
        """Make `page`'s next version, `Stale` when it is not the newest any more."""
        ...

    def trash(self, page_id: str) -> Outcome:
        """To the trash."""
        ...

    # --- around pages ---

    def space(self, name: str) -> Space:
        """A space by key or id. Raises Missing."""
        ...

    def label(self, page_id: str, labels: Sequence[str]) -> Outcome:
        """Add labels to those that are there."""
        ...

    def file_size(self, page_id: str, name: str) -> int | None:
        """The bytes of a page's attachment with this name, None where there is none; one request."""
        ...

    def upload(self, page_id: str, name: str, data: bytes) -> Outcome:
        """Attach a file, which was not there or not whole."""
        ...

    def unwatch(self, page_id: str) -> Outcome:
        """Nobody mails our own account about this page."""
        ...

    def inline_comments(self, page_id: str, resolution: Resolution) -> Sequence[InlineComment]:
        """All threads on pieces of a page's text that are in this state."""
        ...

    def open_comments(self, page_id: str, ours: Collection[str]) -> int:
        """How many threads below a page and on its text nobody resolved, without `ours`; one that lost its words is not
        among them."""
        ...

    def comment(self, page_id: str, body: str, under: str = "") -> Outcome:
        """A comment below a page, or the answer to one (`under`), in storage markup; `Done` with its id."""
        ...

    def footer_comments(self, page_id: str, under: str = "") -> Iterable[tuple[str, str]]:
        """The comments below a page, or the answers to one of them: id and storage markup."""
        ...

    # --- people ---

    def me(self) -> Account:
        """Whose credential this is. Raises Unauthorized."""
        ...

    def accounts(self, account_ids: Sequence[str]) -> Iterable[Account]:
        """Accounts by id; unknown ones are left out."""
        ...

    def accounts_like(self, email: str, words: str) -> Iterable[Account]:
        """Accounts that may be of somebody with this e-mail and a name like these words, by what can be searched."""
        ...
