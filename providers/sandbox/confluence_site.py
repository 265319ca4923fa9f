"""The rules that every change of a Confluence site obeys, whoever makes it and whatever the edition.

What there is to change is in `confluence_records.py`. No HTTP here (`confluence_front.py` opens the door to it) and no
people (`confluence_people.py`). Every lag is zero and every permission granted unless an attribute says otherwise.
"""

import dataclasses
import itertools
import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from typing import ClassVar, NamedTuple

from providers.sandbox import confluence_body as bodies
from providers.sandbox.confluence_markup import MalformedMarkupError
from providers.sandbox.confluence_records import (
    Account,
    Comment,
    Draft,
    Label,
    Page,
    Property,
    RefusedError,
    Space,
    Task,
    Version,
)
from providers.sandbox.wire import Clock

_TITLE_HOLDERS = frozenset({"current", "archived", "trashed"})
_CONFLICTS = (
    "Version must be incremented on update. Current version is: {current}",
    "Version must be incremented when updating a page. Current Version: [{current}]. Provided version: [{given}]",
    "Attempted to update stale data. Try again.",
    "The content was being concurrently updated",
)


class Markup(NamedTuple):
    """What an edition does to a body: one that comes through the API, one that a person publishes. Both raise
    MalformedMarkupError."""

    stored: Callable[[str, random.Random], str]
    published: Callable[[str, random.Random], str]


class Site:
    """Everything stored, and the changes the service allows. Refusals are RefusedError.

    What a test may ask for: `create_lag`, `listing_lag`, `task_lag` and `search_lag` (how late new pages, what hangs on
    them, tasks and the search index are), `listing_cap` (listings shorter than their limit), `drafts_linger` (a draft row
    stays after a publish), `title_taken` (the status that refuses a duplicate title), `read_only` (pages that may be read
    and not written, with the status that says so), `out_of_step` (pages that Data Center calls unreconciled, with the
    status), `zone` (in which CQL reads absolute times). `base_url` may be set to another host, as a gateway's replies have
    it.
    """

    markup: ClassVar[Markup]
    user_attribute: ClassVar[str] = "ri:account-id"
    first_properties: ClassVar[tuple[tuple[str, str], ...]] = ()

    def __init__(self, clock: Clock, random: random.Random, base_url: str) -> None:
        self.clock, self.random, self.base_url = clock, random, base_url.rstrip("/")
        self.create_lag = self.listing_lag = self.task_lag = self.search_lag = timedelta(0)
        self.listing_cap: int | None = None
        self.drafts_linger = False
        self.title_taken = 400
        self.read_only: dict[str, int] = {}
        self.out_of_step: dict[str, int] = {}
        self.zone: tzinfo = UTC
        self.spaces: dict[str, Space] = {}
        self.content: dict[str, Page] = {}
        self.comments: dict[str, Comment] = {}
        self.tasks: dict[str, Task] = {}
        self.accounts: dict[str, Account] = {}
        self.forbidden: set[str] = set()
        self._logins: dict[str, Account] = {}
        self._labels: dict[str, str] = {}
        self._ids = itertools.count(98305, 32768)
        self.add_account("ada@example.com", "Ada Byron")
        self.add_account("grace@example.com", "Grace Hopkins")

    def next_id(self) -> str:
        """A fresh content id."""
        return str(next(self._ids))

    def add_account(self, login: str, name: str) -> Account:
        """Make an account known by an e-mail or a token; only e-mails become visible as such."""
        account = Account(self.new_account_id(), login if "@" in login else "", name, login)
        self.accounts[account.id] = self._logins[login.casefold()] = account
        return account

    def new_account_id(self) -> str:
        """How this edition names an account for good."""
        return f"{self.random.randrange(100000, 1000000)}:{bodies.new_uuid(self.random)}"

    def markup_of(self, page: Page | None) -> Markup:
        """What happens to the bodies of a page, None for one that is not there yet."""
        return self.markup

    def account(self, login: str) -> Account:
        """The account of an e-mail or token, made on first sight."""
        known = self._logins.get(login.casefold())
        name = login.split("@")[0] if "@" in login else f"Token {len(self.accounts) + 1}"
        return known or self.add_account(login, name)

    def add_space(self, key: str, name: str) -> Space:
        """Open a space with its homepage."""
        owner = next(iter(self.accounts.values()))
        space = Space(self.next_id(), key, name, self.next_id(), self.clock())
        self.spaces[space.id] = space
        home = Page(space.homepage_id, space.id, "current", None, 0, owner.id, owner.id, self.clock())
        self.content[home.id] = home
        self._append(home, f"{name} Home", "<p />", owner)
        return space

    def visible(self, page_id: str, reader: Account) -> Page:
        """A page that the API shows to somebody, in any state. 404 for missing, forbidden and not yet arrived."""
        page = self.content.get(page_id)
        if page is None or page.kind != "page" or not self._shows(page, reader):
            raise RefusedError(404, f"Cannot find content with id {page_id}")
        return page

    def editable(self, page_id: str, editor: Account) -> Page:
        """A page that somebody may write. 404 as well for one that may only be read, or what `read_only` says."""
        page = self.visible(page_id, editor)
        if page_id in self.read_only:
            raise RefusedError(self.read_only[page_id], f"Cannot find content with id {page_id} to update")
        if not _allowed(page, "update", editor):
            raise RefusedError(404, f"Cannot find content with id {page_id} to update")
        return page

    def visible_pages(self, reader: Account) -> Iterator[Page]:
        """All pages that the API shows to somebody."""
        return (page for page in self.content.values() if page.kind == "page" and self._shows(page, reader))

    def _shows(self, page: Page, reader: Account) -> bool:
        if page.id in self.forbidden or page.space_id not in self.spaces:
            return False
        arrived = page.created_at + self.create_lag <= self.clock()
        return arrived and all(_allowed(above, "read", reader) for above in self.ancestors(page.id))

    def listed(self, added_at: datetime) -> bool:
        """Whether listings hold by now what was added then."""
        return added_at + self.listing_lag <= self.clock()

    def create(
        self, space_id: str, title: str, body: str, author: Account, *, parent_id: str | None, draft: bool, message: str = ""
    ) -> Page:
        """A new page: version 1, or a draft without versions."""
        if space_id not in self.spaces:
            raise RefusedError(404, f"Cannot find space with id {space_id}")
        self._require_parent(space_id, parent_id)
        if not draft:
            self.require_free_title(space_id, title, None)
        body = self.normalised(body, None)
        page = Page(
            self.next_id(), space_id, "draft" if draft else "current", parent_id, 0, author.id, author.id, self.clock()
        )
        page.position = self._last_position(parent_id)
        self.content[page.id] = page
        for key, value in self.first_properties:
            self.add_property(page, key, value, author)
        if draft:
            page.draft = Draft(title, body, author.id, self.clock())
        else:
            self._append(page, title, body, author, message=message)
        return page

    def update(
        self, page: Page, number: int, title: str, body: str, author: Account, *, message: str = "", minor: bool = False
    ) -> None:
        """Publish through the API over version `number` - 1; publishes a never published draft too."""
        self.require_next(page.number, number)
        self.require_free_title(page.space_id, title, page)
        self.publish(page, title, self.normalised(body, page), author, message=message, minor=minor)

    def publish(self, page: Page, title: str, body: str, author: Account, *, message: str = "", minor: bool = False) -> None:
        """Make a body, already as it is to be stored, the newest version; a person's draft is carried along."""
        before = page.body
        self._append(page, title, body, author, message=message, minor=minor)
        if page.status == "draft":
            page.status, page.draft = "current", None
        elif page.draft is not None:
            merged = bodies.merged_draft(before, page.draft.body, page.body)
            page.draft = dataclasses.replace(page.draft, body=merged)

    def rename(self, page: Page, title: str, author: Account) -> None:
        """Another title, the very same body, one version more."""
        self.require_free_title(page.space_id, title, page)
        self._append(page, title, page.body, author)

    def save_draft_of(self, page: Page, title: str, body: str, author: Account) -> None:
        """Keep an unpublished state; versions stay as they are. `body` is already as it is to be stored."""
        page.draft = Draft(title, body, author.id, self.clock())

    def normalised_draft(self, page: Page, title: str, body: str, author: Account) -> None:
        """Save a draft as the API does."""
        self.save_draft_of(page, title, self.normalised(body, page), author)

    def restore_page(self, page: Page, author: Account) -> None:
        """Back from the trash with the content it had, as a version of its own."""
        self.require_free_title(page.space_id, page.title, page)
        page.status = "current"
        self._append(page, page.title, page.body, author)

    def restore_version(self, page: Page, number: int, author: Account, message: str, with_title: bool) -> None:
        """Append an old version's content as the newest one; a draft is lost."""
        old = self.version(page, number)
        page.draft = None
        self._append(page, old.title if with_title else page.title, old.body, author, message=message)

    def delete_version(self, page: Page, number: int) -> None:
        """Forget an old version; all later ones are renumbered."""
        old = self.version(page, number)
        if old is page.versions[-1]:
            raise RefusedError(400, "Cannot delete the current version")
        kept = [version for version in page.versions if version is not old]
        page.versions = [dataclasses.replace(version, number=n) for n, version in enumerate(kept, 1)]

    def trash_page(self, page: Page) -> None:
        """To the trash, where it keeps its title taken."""
        if page.status not in ("current", "archived"):
            raise RefusedError(404, f"No current content with id {page.id}")
        page.status = "trashed"

    def purge(self, page: Page) -> None:
        """Gone for good, with what hangs on it."""
        del self.content[page.id]
        self.comments = {key: c for key, c in self.comments.items() if c.page_id != page.id}
        self.tasks = {key: task for key, task in self.tasks.items() if task.page_id != page.id}

    def require_move(self, page: Page, parent_id: str | None) -> None:
        """Refuse a parent the page cannot have."""
        self._require_parent(page.space_id, parent_id)
        if any(above is page for above in self.ancestors(parent_id)):
            raise RefusedError(400, "A page cannot be moved below itself")

    def move_page(self, page: Page, parent_id: str | None) -> None:
        """Below another page of the space, as its last child; no version is made."""
        if parent_id != page.parent_id:
            self.require_move(page, parent_id)
            page.position, page.parent_id = self._last_position(parent_id), parent_id

    def move_beside(self, page: Page, sibling: Page, *, after: bool) -> None:
        """Next to another page, which may be under another parent."""
        if sibling is page or sibling.parent_id is None:
            raise RefusedError(400, "A page cannot be moved beside that one")
        self.require_move(page, sibling.parent_id)
        order = [child for child in self.children(sibling.parent_id) if child is not page]
        order.insert(order.index(sibling) + (1 if after else 0), page)
        page.parent_id = sibling.parent_id
        for position, child in enumerate(order, 1):
            child.position = position

    def ancestors(self, page_id: str | None) -> list[Page]:
        """The page and all above it, nearest first."""
        chain: list[Page] = []
        while page_id is not None and (page := self.content.get(page_id)) is not None:
            chain.append(page)
            page_id = page.parent_id
        return chain

    def children(self, page_id: str) -> list[Page]:
        """Current and archived children in their order, folders and their like among them."""
        found = (p for p in self.content.values() if p.parent_id == page_id and p.status in ("current", "archived"))
        return sorted(found, key=lambda child: (child.position, int(child.id)))

    def below(self, page_id: str) -> Iterator[Page]:
        """All that stands below a page, each behind its parent."""
        for child in self.children(page_id):
            yield child
            yield from self.below(child.id)

    def version(self, page: Page, number: int) -> Version:
        """A published version by its number; 404 when there is none."""
        for version in page.versions:
            if version.number == number:
                return version
        raise RefusedError(404, f"Cannot find version {number} of content {page.id}")

    def require_next(self, current: int, given: int) -> None:
        """The optimistic lock. 409, in one of the service's several wordings."""
        if given != current + 1:
            raise RefusedError(409, self.random.choice(_CONFLICTS).format(current=current, given=given))

    def require_free_title(self, space_id: str, title: str, page: Page | None) -> None:
        """Titles are unique in a space, case aside, archived and trashed pages included. 400."""
        wanted = title.casefold()
        for other in self.content.values():
            holds = other is not page and other.space_id == space_id and other.status in _TITLE_HOLDERS
            if holds and other.kind == "page" and other.title.casefold() == wanted:
                key = self.spaces[space_id].key
                where = f"A page already exists with the title {title} in the space with key {key}"
                raise RefusedError(self.title_taken, f"A page with this title already exists: {where}")

    def label_id(self, name: str) -> str:
        """The id a label has on every page."""
        if name not in self._labels:
            self._labels[name] = self.next_id()
        return self._labels[name]

    def add_property(self, page: Page, key: str, value: object, author: Account) -> Property:
        """A new property; 409 when the key is taken, 400 when it is taken twice."""
        twins = sum(known.key == key for known in page.properties.values())
        if twins:
            raise RefusedError(409 if twins == 1 else 400, f"A property with key {key} already exists on content {page.id}")
        stamp = Version(1, "", "", "", author.id, self.clock())
        created = Property(self.next_id(), key, value, stamp)
        page.properties[created.id] = created
        return created

    def add_label(self, page: Page, name: str) -> None:
        """One label more, unless it is there."""
        page.labels.setdefault(name, Label(self.label_id(name), self.clock()))

    def add_comment(self, page: Page, body: str, author: Account, parent_id: str | None, inline: bool) -> Comment:
        """A comment beside the page; the page itself does not change."""
        body = self.normalised(body, page)
        first = Version(1, f"Re: {page.title}", body, "", author.id, self.clock())
        comment = Comment(self.next_id(), page.id, inline, parent_id, [first])
        self.comments[comment.id] = comment
        return comment

    def anchor(self, page: Page, comment: Comment, selection: str, index: int) -> None:
        """Tie an inline comment to a text: the stored body gains markers, the version number stays."""
        comment.ref, comment.selection = bodies.new_uuid(self.random), selection
        marked = bodies.mark(page.body, selection, index, comment.ref)
        page.versions[-1] = dataclasses.replace(page.versions[-1], body=marked)

    def update_comment(self, comment: Comment, number: int, body: str | None, author: Account) -> None:
        """Another text, one version more."""
        newest = comment.versions[-1]
        self.require_next(newest.number, number)
        text = newest.body if body is None else self.normalised(body, self.content[comment.page_id])
        comment.versions.append(Version(number, newest.title, text, "", author.id, self.clock()))

    def resolution(self, comment: Comment) -> str:
        """open, reopened, resolved, or dangling when the page lost the marker."""
        if comment.resolved:
            return "resolved"
        if comment.ref not in bodies.marker_refs(self.content[comment.page_id].body):
            return "dangling"
        return "reopened" if comment.reopened else "open"

    def set_task(self, task: Task, done: bool, author: Account) -> None:
        """Tick or clear a checkbox: the body changes and a version is made."""
        page = self.content[task.page_id]
        if task.content.done != done:
            self._append(page, page.title, bodies.with_task(page.body, task.local_id, done), author)

    def task_on(self, page_id: str, local_id: str) -> Task:
        """The record of a page's checkbox; 404 when there is none."""
        for task in self.tasks.values():
            if (task.page_id, task.local_id) == (page_id, local_id):
                return task
        raise RefusedError(404, f"Cannot find task {local_id} on content {page_id}")

    def _append(self, page: Page, title: str, body: str, author: Account, *, message: str = "", minor: bool = False) -> None:
        """One version more; who makes it watches the page from then on."""
        renamed_from = page.title if page.versions else title
        steps = str(self.random.randrange(1, 400))
        page.versions.append(Version(page.number + 1, title, body, message, author.id, self.clock(), steps, minor))
        page.watchers.add(author.id)
        self._index_tasks(page, author)
        if renamed_from != title:
            self._follow_rename(page, renamed_from)

    def _follow_rename(self, renamed: Page, old: str) -> None:
        """Links are kept by id and shown by title, so other pages' bodies change without a version."""
        key = self.spaces[renamed.space_id].key
        for page in self.content.values():
            if page.versions:
                same = page.space_id == renamed.space_id
                body = bodies.renamed_links(page.body, key, old, renamed.title, same)
                page.versions[-1] = dataclasses.replace(page.versions[-1], body=body)

    def _index_tasks(self, page: Page, author: Account) -> None:
        known = {task.local_id: task for task in self.tasks.values() if task.page_id == page.id}
        first_of_each: dict[str, bodies.BodyTask] = {}
        for content in bodies.tasks_in(page.body):
            first_of_each.setdefault(content.local_id, content)
        for content in first_of_each.values():
            task = known.pop(content.local_id, None)
            if task is None:
                blank = dataclasses.replace(content, done=False)
                task = Task(self.next_id(), page.id, content.local_id, author.id, self.clock(), self.clock(), blank)
                self.tasks[task.id] = task
            self._refresh_task(task, content, author)
        for gone in known.values():
            del self.tasks[gone.id]

    def _refresh_task(self, task: Task, content: bodies.BodyTask, author: Account) -> None:
        if task.content.done != content.done:
            task.completed_by = author.id if content.done else None
            task.completed_at = self.clock() if content.done else None
        if task.content != content:
            task.content, task.updated_at = content, self.clock()

    def normalised(self, body: str, page: Page | None) -> str:
        """A body as it is kept when the API brings it. 400 for one that is not well formed."""
        return self._through(self.markup_of(page).stored, body)

    def regenerated(self, body: str, page: Page) -> str:
        """A body as the people's editor publishes it. 400 for one that no editor makes."""
        return self._through(self.markup_of(page).published, body)

    def _through(self, step: Callable[[str, random.Random], str], body: str) -> str:
        try:
            return step(body, self.random)
        except MalformedMarkupError as error:
            raise RefusedError(400, f"Error parsing xhtml: {error}") from error

    def _require_parent(self, space_id: str, parent_id: str | None) -> None:
        if parent_id is None:
            return
        parent = self.content.get(parent_id)
        if parent is None or parent_id in self.forbidden:
            raise RefusedError(404, f"Cannot find content with id {parent_id}")
        if parent.space_id != space_id or parent.status != "current":
            raise RefusedError(400, f"Parent {parent_id} is not a current page of this space")

    def _last_position(self, parent_id: str | None) -> int:
        return 1 + max((p.position for p in self.content.values() if p.parent_id == parent_id), default=0)


def _allowed(page: Page, operation: str, account: Account) -> bool:
    """Whether a page's restrictions let somebody read or update it; without any, everybody may."""
    only = page.restrictions.get(operation, set())
    return not only or account.id in only
