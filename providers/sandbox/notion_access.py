"""What every endpoint does first: find the object a caller may see, refuse edits of trashed ones, page through lists.

Also the one rule about whose time moves: `Access.body_changed`.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from providers.sandbox.notion_check import Json, Refusal, dashed, refused, wrong
from providers.sandbox.notion_query import page_size
from providers.sandbox.notion_tree import DATA_SOURCE, DATABASE, PAGE, Node, Tree

_SMALL = re.compile(r"[0-9]{1,9}")
ARCHIVED = "Can't edit block that is archived. You must unarchive the block before editing."
_MOVES_PARENT_PAGE = frozenset({PAGE})


@dataclass(frozen=True, slots=True)
class Call:
    """One authenticated request: who (`by`, a user id), the path's ids, the query string, the JSON body.

    Handlers append the ids of top-level blocks or pages that they created to `made`.
    """

    by: str
    ids: Mapping[str, str]
    query: Mapping[str, str]
    body: Json
    made: list[str] = field(default_factory=list)

    def id(self, name: str) -> str:
        """An id from the path, dashed; raises `Refusal` when it is none."""
        given = self.ids[name]
        found = dashed(given)
        if found is None:
            raise wrong(f"path.{name}", "a valid uuid", given)
        return found


class Access:
    """The tree as connections see it.

    `nested_edits_move_page`: at once, never, or late by so much. `index_lag`: how old queries and searches are; `unfound`:
    pages that no search finds although they are there.
    """

    def __init__(self, tree: Tree, nested_edits_move_page: bool | timedelta, index_lag: timedelta) -> None:
        self.tree = tree
        self.nested_edits_move_page = nested_edits_move_page
        self.index_lag = index_lag
        self.unfound: set[str] = set()
        self._late: list[tuple[datetime, Node, str]] = []

    def page(self, identifier: str, by: str) -> Node:
        """A page by id."""
        return self._found(identifier, by, "page", (PAGE,))

    def data_source(self, identifier: str, by: str) -> Node:
        """A data source by id; Notion's refusal calls it a database."""
        return self._found(identifier, by, "database", (DATA_SOURCE,))

    def database(self, identifier: str, by: str) -> Node:
        """A database container by id."""
        return self._found(identifier, by, "database", (DATABASE,))

    def block(self, identifier: str, by: str) -> Node:
        """Anything that lists of children show: a block, a page or a database."""
        node = self.tree.nodes.get(identifier)
        if node is None or node.kind == DATA_SOURCE or not self.tree.shared(node, by):
            raise self.not_found("block", identifier, by)
        return node

    def _found(self, identifier: str, by: str, word: str, kinds: Sequence[str]) -> Node:
        node = self.tree.nodes.get(identifier)
        if node is None or node.kind not in kinds or not self.tree.shared(node, by):
            raise self.not_found(word, identifier, by)
        return node

    def not_found(self, word: str, identifier: str, by: str) -> Refusal:
        """Missing or not shared: Notion never tells which."""
        name = self.tree.users[by]["name"]
        message = (
            f"Could not find {word} with ID: {identifier}. Make sure the relevant pages and databases are shared "
            f'with your integration "{name}".'
        )
        return Refusal(404, "object_not_found", message, {"integration_id": by})

    def editable(self, node: Node) -> Node:
        """The node itself, refused when it or anything above it lies in the trash."""
        if self.tree.trashed(node):
            raise refused(ARCHIVED)
        return node

    def known(self, ids: Iterable[str], by: str, *, in_trash: bool) -> Iterator[Node]:
        """Those that queries and searches of this caller know, as they know them."""
        for node in map(self.tree.nodes.__getitem__, ids):
            known = self.tree.indexed(node, self.index_lag)
            if known is not None and self.tree.trashed(node) is in_trash and self.tree.shared(node, by):
                yield known

    def body_changed(self, node: Node, by: str) -> None:
        """An API edit of content: the node's own time moves, and its page's time as the workspace does that."""
        if node.kind != PAGE:
            self.tree.touch(node, by)
        page = self.tree.page_of(node)
        if page is None:
            return
        if self.nested_edits_move_page is True:
            self.tree.touch(page, by)
        elif isinstance(self.nested_edits_move_page, timedelta):
            self._late.append((self.tree.clock() + self.nested_edits_move_page, page, by))

    def settle(self) -> None:
        """Moves the times whose moment has come."""
        due = [late for late in self._late if late[0] <= self.tree.clock()]
        self._late = [late for late in self._late if late not in due]
        for _, page, by in due:
            self.tree.touch(page, by)

    def child_page_changed(self, page: Node, by: str) -> None:
        """A page that gains or loses a child page is edited by that."""
        parent = self.tree.nodes[page.parent] if page.parent is not None else None
        if parent is not None and parent.kind in _MOVES_PARENT_PAGE:
            self.tree.touch(parent, by)


def listed(kind: str, results: Sequence[Json], cursor: str | None = None) -> Json:
    """A list answer."""
    return {
        "object": "list",
        "results": list(results),
        "next_cursor": cursor,
        "has_more": cursor is not None,
        "type": kind,
        kind: {},
    }


def part(ids: Sequence[str], query: Mapping[str, str], order: Sequence[str] = ()) -> tuple[list[str], str | None]:
    """The ids of one page of a list whose cursor is the first id of the next page.

    `order` holds the ids that have since left the list too, so that a cursor outlives the thing it names.
    """
    asked = query.get("page_size", "")
    size = page_size(int(asked) if _SMALL.fullmatch(asked) else asked or None, "query.page_size")
    first = _start(ids, query["start_cursor"], order or ids) if "start_cursor" in query else 0
    rest = ids[first + size :]
    return list(ids[first : first + size]), rest[0] if rest else None


def _start(ids: Sequence[str], given: str, order: Sequence[str]) -> int:
    cursor = dashed(given)
    if cursor is None:
        raise wrong("query.start_cursor", "a valid uuid or `undefined`", given)
    if cursor not in order:
        raise refused(f"The start_cursor provided is invalid: {given}")
    before = set(order[: order.index(cursor)])
    return sum(identifier in before for identifier in ids)
