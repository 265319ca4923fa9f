"""What `doctor --write` does in Confluence, step by step, with a test page of its own that ends in the trash.

A refused step names the permission in the space, or the scope of the token, that is missing. What the product can do without
is only said.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from providers.confluence_dialect import Dialect, Space, WikiPage
from providers.contract import Done, Missing, Outcome, ProviderError, Refused, Rejected, Unauthorized, Unreachable

MADE, EDITED = "<p>Made to see whether it works.</p>", "<p>Edited to see whether it works.</p>"
LABEL, TEST_TITLE = "syncd-test", "Write check, safe to delete"
ADD, DELETE, COMMENT = "Pages: Add", "Pages: Delete", "Comments: Add"


@dataclass
class WriteCheck:
    """One test page called `title`: made, edited, commented on, read, labelled, and moved to the trash."""

    wiki: Dialect
    space: Space
    parent: str
    title: str
    page: WikiPage | None = None

    def steps(self) -> Iterator[str]:
        """The sentences, each as its step is done. Raises the first ProviderError, after the page was taken away again."""
        try:
            yield self._make()
            yield self._edit()
            yield self._read()
            yield self._comment()
            yield self._label()
            yield self._unwatch()
        except ProviderError as error:
            raise self._tidied(error) from error
        yield self._trash()

    @property
    def _id(self) -> str:
        return self.page.id if self.page else ""

    def _make(self) -> str:
        outcome = self.wiki.post(self.space, self.parent, self.title, MADE)
        made = _done(outcome, "making a page", ADD, "write:page:confluence")
        self.page = self.wiki.page(made.native_id)
        return f"a test page was made: {self.page.url}"

    def _edit(self) -> str:
        if self.page:
            outcome = self.wiki.put(self.page, self.title, EDITED, "to see whether it works")
            _done(outcome, "editing the page", ADD, "write:page:confluence")
        return "its text was edited"

    def _read(self) -> str:
        """Also what is unpublished on it, which is looked at before each write."""
        now = self.wiki.page(self._id)
        if "Edited" not in now.body or now.version != 2:
            raise Refused(f"the test page {now.url} does not read as it was written")
        self.wiki.draft(self._id)
        return "it reads as it was written"

    def _comment(self) -> str:
        try:
            _done(self.wiki.comment(self._id, "<p>A test comment.</p>"), "commenting", COMMENT, "write:comment:confluence")
            self.wiki.inline_comments(self._id, "dangling")
        except (Unauthorized, Missing) as error:
            return f"comments are out of reach, so that nobody is told of one that loses its words: {error}"
        return "it was commented on, and its comments can be read"

    def _label(self) -> str:
        try:
            _done(self.wiki.label(self._id, [LABEL]), "labelling", ADD, "write:confluence-content")
        except (Unauthorized, Missing) as error:
            return f"it cannot be labelled, new pages stay without: {error}"
        return "it was labelled"

    def _unwatch(self) -> str:
        try:
            _done(self.wiki.unwatch(self._id), "not watching it", ADD, "write:confluence-content")
        except (Unauthorized, Missing) as error:
            return f"we go on watching it, the account gets mails about pages that it edits: {error}"
        return "we do not watch it"

    def _trash(self) -> str:
        _done(self.wiki.trash(self._id), "moving the page to the trash", DELETE, "delete:page:confluence")
        return "it was moved to the trash; nothing else was touched"

    def _tidied(self, failed: ProviderError) -> ProviderError:
        """What went wrong, after the page is in the trash; where even that fails, the page is named and stays."""
        try:
            if self.page:
                self._trash()
        except ProviderError:
            return type_of(failed)(f"{failed}; the page “{self.title}” is not in the trash either: remove it by hand")
        return failed


def type_of(error: ProviderError) -> type[ProviderError]:
    """What `doctor` tells apart: whether the service answered at all."""
    return Unreachable if isinstance(error, Unreachable) else Refused


def _done(outcome: Outcome, doing: str, permission: str, scope: str) -> Done:
    """The step is done, or the reason it is not as an exception. A page that may not be touched is told as missing."""
    if isinstance(outcome, Done):
        return outcome
    if not isinstance(outcome, Rejected):
        raise Unreachable(f"{doing}: {outcome.message}")
    if not isinstance(outcome.error, Unauthorized | Missing):
        raise outcome.error
    if "scope" in str(outcome.error):
        raise Unauthorized(f"{doing} was refused: the token lacks the scope {scope}")
    lacks = f"the account lacks the permission “{permission}” in the space"
    raise Unauthorized(f"{doing} was refused ({outcome.error}): {lacks}")
