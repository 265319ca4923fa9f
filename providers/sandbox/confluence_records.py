"""What a Confluence site holds: pages with their versions and drafts, comments, tasks, properties, people, spaces."""

from dataclasses import dataclass, field
from datetime import datetime

from providers.sandbox import confluence_body as bodies


class RefusedError(Exception):
    """The site says no: an HTTP status and the wording of the reason."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who may read and write. `email` may be empty; `username` is what Data Center signs people in by."""

    id: str
    email: str
    name: str
    username: str = ""


@dataclass(frozen=True, slots=True)
class Version:
    """One published state of a page. `body` is storage; a comment's marker may be added to it later. `minor`: nobody was
    told of it."""

    number: int
    title: str
    body: str
    message: str
    author_id: str
    created_at: datetime
    steps: str | None = None
    minor: bool = False


@dataclass(frozen=True, slots=True)
class Draft:
    """An unpublished state of a page; it does not count as a version."""

    title: str
    body: str
    author_id: str
    saved_at: datetime


@dataclass(frozen=True, slots=True)
class Label:
    """A label on a page; `id` is the same on every page."""

    id: str
    added_at: datetime


@dataclass(frozen=True, slots=True)
class File:
    """A file attached to a page, in its newest version."""

    id: str
    name: str
    media: str
    data: bytes
    number: int


@dataclass(slots=True)
class Property:
    """One content property; `value` is any JSON."""

    id: str
    key: str
    value: object
    version: Version


@dataclass(slots=True)
class Task:
    """The site's record of a checkbox; `local_id` finds it in the body."""

    id: str
    page_id: str
    local_id: str
    created_by: str
    created_at: datetime
    updated_at: datetime
    content: bodies.BodyTask
    completed_by: str | None = None
    completed_at: datetime | None = None


@dataclass(slots=True)
class Comment:
    """A footer comment, or an inline one when `ref` names its marker. Replies carry `parent_id`."""

    id: str
    page_id: str
    inline: bool
    parent_id: str | None
    versions: list[Version]
    ref: str = ""
    selection: str = ""
    resolved: bool = False
    reopened: bool = False


@dataclass(slots=True)
class Page:
    """A page. `versions` is empty while it was never published; `labels` and `files` go by name; `live` has no publish.

    `watchers` are accounts that get mail, `restrictions` says for `read` and `update` to which accounts it is restricted.
    `kind` tells a page from the folders and whiteboards that stand among pages and are none.
    """

    id: str
    space_id: str
    status: str
    parent_id: str | None
    position: int
    author_id: str
    owner_id: str
    created_at: datetime
    versions: list[Version] = field(default_factory=list)
    draft: Draft | None = None
    live: bool = False
    labels: dict[str, Label] = field(default_factory=dict)
    properties: dict[str, Property] = field(default_factory=dict)
    watchers: set[str] = field(default_factory=set)
    restrictions: dict[str, set[str]] = field(default_factory=dict)
    files: dict[str, File] = field(default_factory=dict)
    kind: str = "page"

    @property
    def number(self) -> int:
        """The lock: the newest published version, 0 when there is none."""
        return self.versions[-1].number if self.versions else 0

    @property
    def title(self) -> str:
        """The published title, or the draft's while there is none."""
        return self.versions[-1].title if self.versions else self.draft.title if self.draft else ""

    @property
    def body(self) -> str:
        """The published body, or the draft's while there is none."""
        return self.versions[-1].body if self.versions else self.draft.body if self.draft else ""


@dataclass(frozen=True, slots=True)
class Space:
    """A space; its pages hang below `homepage_id`."""

    id: str
    key: str
    name: str
    homepage_id: str
    created_at: datetime
