"""Comments: threads on a page or a block. They move nobody's `last_edited_time`.

Only open threads are listed, and each target lists its own alone. The API cannot resolve a thread; people can.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from providers.sandbox.notion_access import Access, Call, listed, part
from providers.sandbox.notion_blocks import unknown_upload
from providers.sandbox.notion_check import (
    Json,
    Refusal,
    array,
    choice,
    dashed,
    identifier,
    keys,
    missing,
    only_one,
    refused,
    string,
    wrong,
)
from providers.sandbox.notion_text import plain, read_rich_text, rendered
from providers.sandbox.notion_tree import PAGE, Node, minute

MOST_ATTACHMENTS = 3
_TEXTS = ("rich_text", "markdown")


@dataclass(slots=True)
class Comment:
    """One comment of a thread."""

    id: str
    discussion: str
    items: list[Json]
    by: str
    created: datetime
    edited: datetime
    shown_as: Json = field(default_factory=dict)


@dataclass(slots=True)
class Discussion:
    """One thread and the node it is about."""

    id: str
    target: Node
    comments: list[Comment] = field(default_factory=list)
    resolved: bool = False


class CommentEndpoints:
    """What `/v1/comments` does."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._tree = access.tree
        self._threads: dict[str, Discussion] = {}

    def read_list(self, call: Call) -> Json:
        """GET the open comments of exactly one page or block."""
        if "block_id" not in call.query:
            raise missing("query.block_id")
        target = self._access.block(identifier(call.query["block_id"], "query.block_id"), call.by)
        open_threads = (thread for thread in self._threads.values() if not thread.resolved)
        found = {comment.id: comment for thread in open_threads if thread.target is target for comment in thread.comments}
        ids, following = part(list(found), call.query)
        return listed("comment", [self._rendered(found[comment]) for comment in ids], following)

    def create(self, call: Call) -> Json:
        """POST a comment onto a page, a block or a thread."""
        given = keys(call.body, "body", {"parent", "discussion_id", "display_name", "attachments", *_TEXTS})
        items = _read_text(given)
        _read_attachments(given.get("attachments", []))
        if ("parent" in given) == ("discussion_id" in given):
            raise refused("Exactly one of body.parent and body.discussion_id should be defined.")
        comment = self.add(self._thread(given, call.by), items, call.by)
        comment.shown_as = _read_display(given.get("display_name", {"type": "integration"}))
        call.made.append(comment.id)
        return self._rendered(comment)

    def all(self) -> Iterator[tuple[str, Node, str]]:
        """Every comment that is there: its id, what it stands on, and its words."""
        for thread in self._threads.values():
            for comment in thread.comments:
                yield comment.id, thread.target, str(comment.items)

    def author(self, comment_id: str) -> str:
        """Who wrote it; empty when it is gone."""
        found = (comment.by for thread in self._threads.values() for comment in thread.comments if comment.id == comment_id)
        return next(found, "")

    def _thread(self, given: Json, by: str) -> Discussion:
        if "discussion_id" in given:
            wanted = identifier(given["discussion_id"], "body.discussion_id")
            thread = self._threads.get(wanted)
            if thread is None or not self._tree.shared(thread.target, by):
                raise self._access.not_found("discussion", wanted, by)
            return thread
        kind, target = only_one(given["parent"], "body.parent", ("page_id", "block_id"))
        wanted = identifier(target, f"body.parent.{kind}")
        find = self._access.page if kind == "page_id" else self._access.block
        return self.thread_on(self._access.editable(find(wanted, by)))

    def thread_on(self, target: Node) -> Discussion:
        """The thread that a new comment on this target joins: a page has one open thread, a block gets a new one."""
        if target.kind == PAGE:
            for thread in self._threads.values():
                if thread.target is target and not thread.resolved:
                    return thread
        thread = Discussion(self._tree.new_id(), target)
        self._threads[thread.id] = thread
        return thread

    def add(self, thread: Discussion, items: list[Json], by: str) -> Comment:
        """Adds a comment to a thread."""
        now = self._tree.clock()
        comment = Comment(self._tree.new_id(), thread.id, items, by, now, now)
        thread.comments.append(comment)
        return comment

    def resolve(self, discussion: str) -> None:
        """A person closes the thread; the API no longer lists it."""
        self._threads[discussion].resolved = True

    def read(self, call: Call) -> Json:
        """GET one comment."""
        return self._rendered(self._found(call))

    def update(self, call: Call) -> Json:
        """PATCH the text of the caller's own comment."""
        comment = self._own(call)
        comment.items = _read_text(keys(call.body, "body", _TEXTS))
        comment.edited = self._tree.clock()
        return self._rendered(comment)

    def delete(self, call: Call) -> Json:
        """DELETE the caller's own comment; the answer shows it once more."""
        comment = self._own(call)
        self._threads[comment.discussion].comments.remove(comment)
        return self._rendered(comment)

    def _own(self, call: Call) -> Comment:
        comment = self._found(call)
        if comment.by != call.by:
            raise Refusal(403, "restricted_resource", "Only the author of a comment may change it.")
        return comment

    def _found(self, call: Call) -> Comment:
        wanted = dashed(call.ids["comment_id"])
        if wanted is None:
            raise wrong("path.comment_id", "a valid uuid", call.ids["comment_id"])
        for thread in self._threads.values():
            for comment in thread.comments:
                if comment.id == wanted and self._tree.shared(thread.target, call.by):
                    return comment
        raise self._access.not_found("comment", wanted, call.by)

    def _rendered(self, comment: Comment) -> Json:
        target = self._threads[comment.discussion].target
        name = "page_id" if target.kind == PAGE else "block_id"
        author = self._tree.users[comment.by]
        shown_as = comment.shown_as or {"type": "user"}
        name_shown = (shown_as.get("custom") or author)["name"]
        return {
            "object": "comment",
            "id": comment.id,
            "parent": {"type": name, name: target.id},
            "discussion_id": comment.discussion,
            "created_time": minute(comment.created),
            "last_edited_time": minute(comment.edited),
            "created_by": {"object": "user", "id": comment.by},
            "rich_text": rendered(comment.items, self._tree),
            "display_name": {"type": shown_as["type"], "resolved_name": name_shown},
        }


def _read_text(given: Json) -> list[Json]:
    """The one text of a comment, as rich text or as Markdown, of which only the words are kept here."""
    kind, value = only_one({name: given[name] for name in _TEXTS if name in given}, "body", _TEXTS)
    return read_rich_text(value, "body.rich_text") if kind == "rich_text" else plain(string(value, "body.markdown"))


def _read_attachments(value: object) -> None:
    for index, item in enumerate(array(value, "body.attachments", MOST_ATTACHMENTS)):
        at = f"body.attachments[{index}]"
        given = keys(item, at, {"file_upload_id", "type"}, {"file_upload_id"})
        raise unknown_upload({"id": given["file_upload_id"]}, at)


def _read_display(value: object) -> Json:
    given = keys(value, "body.display_name", {"type", "custom"}, {"type"})
    kind = choice(given["type"], "body.display_name.type", ("integration", "user", "custom"))
    if kind != "custom":
        return {"type": kind}
    custom = keys(given.get("custom"), "body.display_name.custom", {"name"}, {"name"})
    return {"type": kind, "custom": {"name": string(custom["name"], "body.display_name.custom.name")}}
