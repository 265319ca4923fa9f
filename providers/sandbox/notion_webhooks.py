"""What the workspace tells a subscriber by itself: changes of pages and comments, signed, in no order, not always once.

As the service does it, edits are gathered: what a page was when it was told of last is compared with what it is, so that
edits which cancel out are never told. Whoever wrote makes no difference: a program hears of its own edits too.
"""

import hashlib
import hmac
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from providers.sandbox.notion_check import Json
from providers.sandbox.notion_comments import CommentEndpoints
from providers.sandbox.notion_tree import DATABASE, PAGE, Node, Tree

MOST_TRIES = 8
GAP = timedelta(minutes=6)  # before the second try; each later one waits twice as long, together about a day
Deliver = Callable[[Mapping[str, str], bytes], int]  # headers and body of a POST -> the status it was answered with


@dataclass(frozen=True, slots=True)
class _Seen:
    """A page as it was told of last; blocks and values as JSON text by id, `head` is its title and what stands on it."""

    trashed: bool
    locked: bool
    parent: str
    head: str
    values: Mapping[str, str]
    blocks: Mapping[str, tuple[str, str]]


@dataclass(slots=True)
class _Event:
    type: str
    entity: Json
    data: Json
    author: str
    id: str
    at: datetime
    due: datetime
    tries: int = 0


@dataclass(slots=True)
class Webhooks:
    """One subscription of the connection `by`. `lost` and `twice` are the shares of events that never, or twice, come."""

    tree: Tree
    comments: CommentEndpoints
    deliver: Deliver
    by: str
    lost: float = 0.0
    twice: float = 0.0
    verified: bool = False
    token: str = ""
    _id: str = ""
    _pages: dict[str, _Seen] = field(default_factory=dict)
    _said: dict[str, tuple[str, str]] = field(default_factory=dict)  # comments: their target and words
    _waiting: list[_Event] = field(default_factory=list)

    def subscribe(self) -> None:
        """The first request, whose token is to be pasted back."""
        self._id, self.token = self.tree.new_id(), f"secret_{self.tree.new_id()}"
        self.deliver({"Content-Type": "application/json"}, json.dumps({"verification_token": self.token}).encode())

    def verify(self, token: str) -> bool:
        """Whether this is the token; events go out from now on, about what changes from now on."""
        self.verified = bool(token) and hmac.compare_digest(token, self.token)
        self._pages = {page.id: self._seen(page) for page in self._visible()} if self.verified else {}
        self._said = self._comments() if self.verified else {}
        return self.verified

    def send(self) -> None:
        """Everything that is due now goes out, in any order."""
        if not self.verified:
            return
        for event in [*self._page_events(), *self._comment_events()]:
            chance = self.tree.random.random()
            copies = 0 if chance < self.lost else 2 if chance < self.lost + self.twice else 1
            self._waiting += [replace(event) for _ in range(copies)]
        due = [event for event in self._waiting if event.due <= self.tree.clock()]
        self._waiting = [event for event in self._waiting if event not in due]
        self.tree.random.shuffle(due)
        for event in due:
            self._try(event)

    def _try(self, event: _Event) -> None:
        event.tries += 1
        body = json.dumps(self._envelope(event)).encode()
        signature = "sha256=" + hmac.new(self.token.encode(), body, hashlib.sha256).hexdigest()
        status = self.deliver({"Content-Type": "application/json", "X-Notion-Signature": signature}, body)
        if not 200 <= status < 300 and event.tries < MOST_TRIES:
            event.due = self.tree.clock() + GAP * 2 ** (event.tries - 1)
            self._waiting.append(event)

    def _envelope(self, event: _Event) -> Json:
        kind = self.tree.users[event.author]["type"]
        return {
            "id": event.id,
            "timestamp": event.at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "workspace_id": self.by,
            "workspace_name": "Sandbox",
            "subscription_id": self._id,
            "integration_id": self.by,
            "authors": [{"id": event.author, "type": kind}],
            "attempt_number": event.tries,
            "api_version": "2026-03-11",
            "entity": event.entity,
            "type": event.type,
            "data": event.data,
        }

    # --- what changed -------------------------------------------------------------------------------------------------

    def _page_events(self) -> Iterator[_Event]:
        then, self._pages = self._pages, {page.id: self._seen(page) for page in self._visible()}
        for identifier, now in self._pages.items():
            was = then.get(identifier)
            for kind, more in _differences(was, now) if was else [("created", {})]:
                page = self.tree.nodes[identifier]
                yield self._event(f"page.{kind}", page, {"id": identifier, "type": "page"}, more, page.edited_by)

    def _comment_events(self) -> Iterator[_Event]:
        then, self._said = self._said, self._comments()
        for identifier in dict.fromkeys((*then, *self._said)):
            was, now = then.get(identifier), self._said.get(identifier)
            if was != now:
                kind = "created" if was is None else "deleted" if now is None else "updated"
                target = self.tree.nodes[(now or was or ("", ""))[0]]
                page = self.tree.page_of(target)
                more = {"page_id": page.id if page else ""}
                entity = {"id": identifier, "type": "comment"}
                yield self._event(f"comment.{kind}", target, entity, more, self.comments.author(identifier) or self.by)

    def _event(self, kind: str, about: Node, entity: Json, more: Json, author: str) -> _Event:
        parent = about if entity["type"] == "comment" else self.tree.nodes.get(about.parent or "")
        told = {"id": parent.id if parent else self.by, "type": _type(parent)}
        now = self.tree.clock()
        return _Event(kind, entity, {"parent": told, **more}, author, self.tree.new_id(), now, now)

    def _visible(self) -> list[Node]:
        return [node for node in self.tree.nodes.values() if node.kind == PAGE and self.tree.shared(node, self.by)]

    def _seen(self, page: Node) -> _Seen:
        values = {name: _text(value) for name, value in page.values.items() if name != "title"}
        blocks = {node.id: (node.kind, _text([node.payload, node.children])) for node in self._below(page)}
        head = _text([page.values.get("title"), [node.id for node in self.tree.living(page) if node.id in blocks]])
        return _Seen(page.in_trash, bool(page.payload.get("is_locked")), page.parent or "", head, values, blocks)

    def _below(self, node: Node) -> Iterator[Node]:
        for child in self.tree.living(node):
            if child.kind not in (PAGE, DATABASE):
                yield child
                yield from self._below(child)

    def _comments(self) -> dict[str, tuple[str, str]]:
        return {key: (target.id, words) for key, target, words in self.comments.all() if self.tree.shared(target, self.by)}


def _differences(was: _Seen, now: _Seen) -> Iterator[tuple[str, Json]]:
    if was.trashed != now.trashed:
        yield ("deleted" if now.trashed else "undeleted"), {}
    if was.locked != now.locked:
        yield ("locked" if now.locked else "unlocked"), {}
    if was.parent != now.parent:
        yield "moved", {}
    changed = sorted(key for key in {*was.values, *now.values} if was.values.get(key) != now.values.get(key))
    if changed:
        yield "properties_updated", {"updated_properties": changed}
    blocks = [key for key in dict.fromkeys((*was.blocks, *now.blocks)) if was.blocks.get(key) != now.blocks.get(key)]
    if blocks or was.head != now.head:
        yield "content_updated", {"updated_blocks": [{"id": key, "type": "block"} for key in blocks]}


def _type(parent: Node | None) -> str:
    if parent is None:
        return "space"
    return "page" if parent.kind == PAGE else "block" if parent.schema is None else "data_source"


def _text(value: object) -> str:
    return json.dumps(value, sort_keys=True, default=str)
