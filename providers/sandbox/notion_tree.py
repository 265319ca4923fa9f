"""What the workspace holds: pages, blocks, databases and people in one tree, and how each of them reads.

Every node hangs under its parent: a page under a page, the workspace or a data source, a data source under its
database. Nothing here judges a request; times are floored to the minute when they are shown, never when kept.
"""

import random
import re
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from providers.sandbox import notion_text as text
from providers.sandbox.notion_blocks import Draft, rendered_payload
from providers.sandbox.notion_check import Json
from providers.sandbox.notion_properties import (
    READ_ONLY,
    Property,
    Schema,
    default_value,
    rendered_value,
    title_only,
)
from providers.sandbox.wire import Clock

PAGE, DATABASE, DATA_SOURCE = "child_page", "child_database", "data_source"
HOSTS = ("https://app.notion.com/p", "https://www.notion.so")
_PAST = 50  # edits of a page that a lagging index can still show


@dataclass(slots=True)
class Node:
    """A block, page, database or data source; `parent` None is the workspace itself.

    `children` keeps trashed ones in their places. A page's payload is its icon, cover and flags, its property values
    by id are in `values`, and `past` are its latest edits (when, by whom, the values then); a data source's columns are in
    `schema`.
    """

    id: str
    kind: str
    parent: str | None
    payload: Json
    created: datetime
    created_by: str
    edited: datetime
    edited_by: str
    children: list[str] = field(default_factory=list)
    in_trash: bool = False
    values: dict[str, Any] = field(default_factory=dict)
    schema: Schema | None = None
    past: deque[tuple[datetime, str, dict[str, Any]]] = field(default_factory=lambda: deque(maxlen=_PAST))


class Tree:
    """All nodes and users by id. `hidden` says of single nodes whether they were shared or unshared on purpose, by the user
    id of the connection that this is about, empty for all; `guests` are people whom no list shows; `hosts` are the sites
    that addresses of pages are on.
    """

    def __init__(self, clock: Clock, source: random.Random) -> None:
        self.clock = clock
        self.random = source
        self.nodes: dict[str, Node] = {}
        self.users: dict[str, Json] = {}
        self.hidden: dict[str, dict[str, bool]] = {}
        self.guests: set[str] = set()
        self.hosts: Sequence[str] = HOSTS[:1]
        self._signed = 0
        self.page_schema = title_only(source)

    # --- making and placing ---

    def new_id(self) -> str:
        """A fresh dashed id."""
        return str(UUID(int=self.random.getrandbits(128), version=4))

    def add(self, kind: str, parent: str | None, payload: Json, by: str, at: int | None = None) -> Node:
        """A new node as its parent's child number `at`, last by default."""
        now = self.clock()
        node = Node(self.new_id(), kind, parent, payload, now, by, now, by)
        self.nodes[node.id] = node
        if parent is not None:
            siblings = self.nodes[parent].children
            siblings.insert(len(siblings) if at is None else at, node.id)
        return node

    def add_page(self, parent: str | None, values: dict[str, Any], by: str, at: int | None = None) -> Node:
        """A new page with these property values."""
        payload: Json = {"icon": None, "cover": None, "is_locked": False, "is_archived": False}
        page = self.add(PAGE, parent, payload, by, at)
        page.values = values
        page.past.append((page.edited, by, dict(values)))
        return page

    def add_draft(self, parent: str, draft: Draft, by: str, at: int | None = None) -> Node:
        """A drafted block and all below it."""
        node = self.add(draft.kind, parent, draft.payload, by, at)
        for child in draft.children:
            self.add_draft(node.id, child, by)
        return node

    def detach(self, node: Node) -> None:
        """Takes a node out of its parent's list; it must be placed again."""
        if node.parent is not None:
            self.nodes[node.parent].children.remove(node.id)

    # --- looking around ---

    def lineage(self, node: Node) -> Iterator[Node]:
        """The node, its parent, and so on up to the workspace."""
        here: Node | None = node
        while here is not None:
            yield here
            here = self.nodes[here.parent] if here.parent is not None else None

    def page_of(self, node: Node) -> Node | None:
        """The page that a block stands on; a page itself."""
        return next((above for above in self.lineage(node) if above.kind == PAGE), None)

    def shared(self, node: Node, reader: str = "") -> bool:
        """Whether a connection may see it: the nearest decision from the node upwards counts, its own before all others'."""
        decisions = [self.hidden.get(reader, {}), self.hidden.get("", {})]
        decided = (not made[above.id] for above in self.lineage(node) for made in decisions if above.id in made)
        return next(decided, True)

    def trashed(self, node: Node) -> bool:
        """Whether it, or something above it, is in the trash."""
        return any(above.in_trash for above in self.lineage(node))

    def living(self, node: Node) -> list[Node]:
        """The children that lists show."""
        children = (self.nodes[child] for child in node.children)
        return [child for child in children if not child.in_trash]

    def content_of(self, node: Node) -> Node:
        """The node whose children stand under this one: a synced copy shows its original's."""
        synced = node.payload.get("synced_from") if node.kind == "synced_block" else None
        return self.nodes.get(synced["block_id"], node) if synced else node

    def schema_of(self, page: Node) -> Schema:
        """The properties a page may have."""
        return self.schema_of_source(self.nodes[page.parent]) if page.parent is not None else self.page_schema

    def schema_of_source(self, parent: Node) -> Schema:
        """The properties that pages under this node may have: its own schema, or the title alone."""
        return parent.schema or self.page_schema

    def touch(self, node: Node, by: str) -> None:
        """Notes an edit."""
        node.edited, node.edited_by = self.clock(), by
        if node.kind == PAGE:
            node.past.append((node.edited, by, dict(node.values)))

    def indexed(self, page: Node, lag: timedelta) -> Node | None:
        """The page as an index knows it that is late by `lag`; None when it does not know it yet."""
        if not lag or page.kind != PAGE:
            return page if self.clock() - page.created >= lag else None
        known = [told for told in page.past if self.clock() - told[0] >= lag]
        if not known:
            return None
        edited, by, values = known[-1]
        return replace(page, edited=edited, edited_by=by, values=values)

    # --- names, for mentions ---

    def user(self, identifier: str) -> Json | None:
        """See `notion_text.Names`."""
        return self.users.get(identifier)

    def titled(self, identifier: str) -> tuple[str, str] | None:
        """See `notion_text.Names`; what is not shared has no name."""
        node = self.nodes.get(identifier)
        if node is None or node.kind not in {PAGE, DATABASE} or not self.shared(node):
            return None
        return self.title(node), self.url(node)

    def title(self, node: Node) -> str:
        """The plain title of a page, database or data source."""
        items = node.values.get("title", []) if node.kind == PAGE else node.payload["title"]
        return text.plain_text(items, self)

    def url(self, node: Node) -> str:
        """The address people see."""
        slug = re.sub(r"[^A-Za-z0-9]+", "-", self.title(node)).strip("-")
        plain = node.id.replace("-", "")
        host = self.hosts[int(plain[0], 16) % len(self.hosts)]
        return f"{host}/{slug}-{plain}" if slug else f"{host}/{plain}"

    def url_of_block(self, node: Node) -> str:
        """The address of one block on its page."""
        page = self.page_of(node)
        return f"{self.url(page)}#{node.id.replace('-', '')}" if page else ""

    def signed(self, file: Json) -> Json:
        """See `notion_text.Names`: the address of a kept file is another at every read, and good for an hour."""
        self._signed += 1
        until = self.clock() + timedelta(hours=1)
        url = f"{file['url'].partition('?')[0]}?X-Amz-Expires=3600&X-Amz-Signature={self._signed:016x}"
        return {"url": url, "expiry_time": _stamp(until)}

    # --- reading ---

    def rendered(self, node: Node) -> Json:
        """A node as the object that its own endpoint answers."""
        if node.kind == PAGE:
            return self.rendered_page(node)
        if node.kind == DATABASE:
            return self.rendered_database(node)
        return self.rendered_data_source(node) if node.kind == DATA_SOURCE else self.rendered_block(node)

    def rendered_block(self, node: Node) -> Json:
        """A node as a block, which pages and databases are too."""
        return {
            "object": "block",
            "id": node.id,
            "parent": self._rendered_parent(node),
            **self._times(node),
            "has_children": node.kind != DATABASE and bool(self.living(self.content_of(node))),
            "in_trash": node.in_trash,
            "type": node.kind,
            node.kind: self._rendered_content(node),
        }

    def _rendered_content(self, node: Node) -> Json:
        if node.kind in {PAGE, DATABASE}:
            return {"title": self.title(node)}
        return rendered_payload(node.payload, self)

    def rendered_page(self, node: Node) -> Json:
        """A page with its properties."""
        return {
            "object": "page",
            "id": node.id,
            **self._times(node),
            "cover": node.payload["cover"],
            "icon": node.payload["icon"],
            "parent": self._rendered_parent(node),
            "in_trash": self.trashed(node),
            "is_archived": node.payload["is_archived"],
            "is_locked": node.payload["is_locked"],
            "properties": self._rendered_values(node),
            "url": self.url(node),
            "public_url": None,
        }

    def _rendered_values(self, page: Node) -> Json:
        properties = self.schema_of(page).properties.values()
        return {prop.name: self.rendered_property(page, prop) for prop in properties}

    def rendered_property(self, page: Node, prop: Property) -> Json:
        """One property value of a page."""
        if prop.type not in READ_ONLY:
            stored = page.values.get(prop.id, default_value(prop))
            return rendered_value(prop, stored, self)
        shown = self._times(page)[prop.type]
        value = self.users[shown["id"]] if prop.type.endswith("_by") else shown
        return {"id": prop.id, "type": prop.type, prop.type: value}

    def rendered_data_source(self, node: Node) -> Json:
        """A data source with its schema."""
        database = self.nodes[node.parent or ""]
        schema = node.schema.properties.values() if node.schema else ()
        return {
            "object": "data_source",
            "id": node.id,
            "cover": None,
            "icon": node.payload["icon"],
            **self._times(node),
            "title": text.rendered(node.payload["title"], self),
            "description": [],
            "is_inline": False,
            "properties": {prop.name: prop.rendered() for prop in schema},
            "parent": self._rendered_parent(node),
            "database_parent": self._rendered_parent(database),
            "url": self.url(database),
            "public_url": None,
            "in_trash": self.trashed(node),
        }

    def rendered_database(self, node: Node) -> Json:
        """A database container; unlike everything else it shows milliseconds."""
        return {
            "object": "database",
            "id": node.id,
            "cover": None,
            "icon": None,
            "created_time": _stamp(node.created),
            "last_edited_time": _stamp(node.edited),
            "title": text.rendered(node.payload["title"], self),
            "description": [],
            "is_inline": False,
            "is_locked": False,
            "data_sources": [{"id": child.id, "name": self.title(child)} for child in self.living(node)],
            "parent": self._rendered_parent(node),
            "url": self.url(node),
            "public_url": None,
            "in_trash": self.trashed(node),
        }

    def _times(self, node: Node) -> Json:
        return {
            "created_time": minute(node.created),
            "last_edited_time": minute(node.edited),
            "created_by": {"object": "user", "id": node.created_by},
            "last_edited_by": {"object": "user", "id": node.edited_by},
        }

    def _rendered_parent(self, node: Node) -> Json:
        if node.parent is None:
            return {"type": "workspace", "workspace": True}
        parent = self.nodes[node.parent]
        if parent.kind == DATA_SOURCE:
            above = {"database_id": parent.parent}
            return {"type": "data_source_id", "data_source_id": parent.id, **above}
        name = {PAGE: "page_id", DATABASE: "database_id"}.get(parent.kind, "block_id")
        return {"type": name, name: parent.id}


def minute(moment: datetime) -> str:
    """A time as nearly everything shows it: cut to the minute."""
    return _stamp(floored(moment))


def floored(moment: datetime) -> datetime:
    """The minute a moment lies in."""
    return moment.astimezone(UTC).replace(second=0, microsecond=0)


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
