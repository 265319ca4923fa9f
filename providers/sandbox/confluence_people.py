"""The people on a Confluence site: what they do in the web interface, and what happens to pages around the API.

Their publish regenerates the whole body, they tick boxes, leave drafts, comment, move and throw away. Nothing here asks
for a version: the editor merges people's work before it saves.
"""

from collections.abc import Iterator

from providers.sandbox.confluence_editor import with_new_macro_ids
from providers.sandbox.confluence_records import Account, Comment, Page, RefusedError, Space
from providers.sandbox.confluence_site import Site


class PeopledSite(Site):
    """A site with people at work, each known by e-mail."""

    space_id: str
    homepage_id: str
    parent_id: str

    def open_first_space(self) -> None:
        """Space OPS, its homepage and the page Post-mortems (`parent_id`)."""
        space = self.add_space("OPS", "Operations")
        self.space_id, self.homepage_id = space.id, space.homepage_id
        ada = self.account("ada@example.com")
        parent = self.create(space.id, "Post-mortems", "<p />", ada, parent_id=space.homepage_id, draft=False)
        self.parent_id = parent.id

    # --- in the editor ---

    def publish_as_editor(self, page_id: str, body: str, account_email: str, title: str | None = None) -> None:
        """A person publishes in the editor. RefusedError for markup or a title the editor could not make."""
        page, person = self._page(page_id), self.account(account_email)
        title = title or page.title
        self.require_free_title(page.space_id, title, page)
        page.draft = None
        self.publish(page, title, self.regenerated(body, page), person)
        if self.drafts_linger:
            self.save_draft_of(page, title, with_new_macro_ids(page.body, self.random), person)

    def save_draft(self, page_id: str, body: str, account_email: str, title: str | None = None) -> None:
        """A person leaves the editor without publishing."""
        page = self._page(page_id)
        self.save_draft_of(page, title or page.title, self.regenerated(body, page), self.account(account_email))

    def discard_draft(self, page_id: str) -> None:
        """A person reverts to the published page."""
        self._page(page_id).draft = None

    # --- on the page ---

    def tick(self, page_id: str, task_id: str, done: bool, account_email: str) -> None:
        """A person ticks or clears a checkbox in the page's view; `task_id` is its `ac:task-id`."""
        self.set_task(self.task_on(page_id, task_id), done, self.account(account_email))

    def comment(self, page_id: str, selection: str, text: str, account_email: str) -> Comment:
        """A person selects the first such words of the page and comments on them; `text` is storage."""
        page = self._page(page_id)
        comment = self.add_comment(page, text, self.account(account_email), None, True)
        self.anchor(page, comment, selection, 0)
        return comment

    def trash(self, page_id: str) -> None:
        """A person deletes the page."""
        self.trash_page(self._page(page_id))

    def archive(self, page_id: str) -> None:
        """A person archives the page; it keeps its title and refuses updates."""
        self._page(page_id).status = "archived"

    def restore(self, page_id: str, account_email: str = "ada@example.com") -> None:
        """A person takes the page out of the trash or the archive."""
        self.restore_page(self._page(page_id), self.account(account_email))

    def restore_old(self, page_id: str, number: int, account_email: str = "ada@example.com") -> None:
        """A person makes an old version the newest again."""
        self.restore_version(self._page(page_id), number, self.account(account_email), "", with_title=True)

    # --- around the page ---

    def move(self, page_id: str, parent_id: str) -> None:
        """A person moves the page below another."""
        self.move_page(self._page(page_id), parent_id)

    def move_to_space(self, page_id: str, space: Space) -> None:
        """A person moves the page below the home of another space, with all that is below it."""
        page = self._page(page_id)
        self.require_free_title(space.id, page.title, page)
        page.parent_id = space.homepage_id
        for moved in (page, *self.below(page_id)):
            moved.space_id = space.id

    def remove_space(self, space_id: str) -> None:
        """An administrator deletes the space; its pages are gone for everybody."""
        del self.spaces[space_id]

    def add_beside(self, kind: str, title: str, parent_id: str) -> Page:
        """A folder, a whiteboard, a database or an embed among pages; it takes nobody's title."""
        space_id, owner = self._page(parent_id).space_id, self.account("ada@example.com")
        made = Page(self.next_id(), space_id, "current", parent_id, 0, owner.id, owner.id, self.clock(), kind=kind)
        self.content[made.id] = made
        self.publish(made, title, "", owner)
        return made

    # --- permissions ---

    def forbid(self, page_id: str) -> None:
        """The API loses its permission on a page and is told 404."""
        self.forbidden.add(page_id)

    def allow(self, page_id: str) -> None:
        """The API gets its permissions back."""
        self.forbidden.discard(page_id)
        self.read_only.pop(page_id, None)

    def restrict(self, page_id: str, operation: str, *accounts: Account) -> None:
        """A person restricts `read` or `update` to these accounts; to nobody lifts it."""
        self._page(page_id).restrictions[operation] = {account.id for account in accounts}

    # --- looking ---

    def current_body(self, page_id: str) -> str:
        """The stored body as it is now, markers included."""
        return self._page(page_id).body

    def pages(self) -> Iterator[tuple[str, str, str]]:
        """Id, title and status of everything kept, in order of creation."""
        return ((page.id, page.title, page.status) for page in self.content.values())

    def _page(self, page_id: str) -> Page:
        page = self.content.get(page_id)
        if page is None:
            raise RefusedError(404, f"Cannot find content with id {page_id}")
        return page
