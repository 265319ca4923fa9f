"""Blocks under a person's hands in Notion's own editor: typed, split, merged, dragged, copied, cut and pasted, undone.

Each act is saved at once and moves the page's time. A dragged block and one that is turned into another type keep their
ids; what is pasted, duplicated or split off is new; undo brings the old ids back. Nothing here is refused for the reasons
the API has, except that blocks must have the service's shapes, and that a locked page is closed to people.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import update_wrapper
from typing import Any, Concatenate, ParamSpec, TypeVar

from providers.sandbox import notion_blocks as blocks
from providers.sandbox import notion_text as text
from providers.sandbox.notion_check import Json, refused
from providers.sandbox.notion_tree import Node, Tree

ADA = "ada@example.com"
LOCKED = "This page is locked."

_Was = tuple[str, str | None, Json, tuple[str, ...], bool, dict[str, Any]]
_State = dict[str, _Was]
_P = ParamSpec("_P")
_R = TypeVar("_R")
_E = TypeVar("_E", bound="Editor")


def act(method: Callable[Concatenate[_E, _P], _R]) -> Callable[Concatenate[_E, _P], _R]:
    """One thing that a person does, which `ui_undo` can take back."""

    def done(self: _E, /, *args: _P.args, **kwargs: _P.kwargs) -> _R:
        before = self.state() if self.undoable else {}
        result = method(self, *args, **kwargs)
        self.last_act = (before, self.state() if self.undoable else {})
        return result

    update_wrapper(done, method)
    return done


class Editor:
    """The editor of one workspace. Every method names the person's account by e-mail; KeyError when nobody has it.
    `undoable` False remembers nothing, which thousands of acts on a large page would take too long for.
    """

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self.undoable = True
        self.last_act: tuple[_State, _State] = ({}, {})

    def state(self) -> _State:
        """Everything that an undo can bring back, by id."""
        return {
            node.id: (node.kind, node.parent, node.payload, tuple(node.children), node.in_trash, dict(node.values))
            for node in self._tree.nodes.values()
        }

    def ui_undo(self, account_email: str = ADA) -> None:
        """Takes the last act back: what it changed is as it was, with the old ids; what it made is gone."""
        before, after = self.last_act
        self.last_act = ({}, {})
        for identifier in after:
            node = self._tree.nodes[identifier]
            if identifier not in before:
                node.in_trash = True
            elif before[identifier] != after[identifier]:
                self._restore(node, before[identifier], account_email)

    def _restore(self, node: Node, was: _Was, by: str) -> None:
        node.kind, node.parent, node.payload, children, node.in_trash, values = was
        later = [child for child in node.children if child not in children and self._tree.nodes[child].parent == node.id]
        node.children, node.values = [*children, *later], values
        self._edited(node, by)

    # --- text ---

    @act
    def ui_edit_text(self, block_id: str, text_: str, account_email: str = ADA) -> None:
        """Replaces a block's text with unformatted text."""
        node = self._open(block_id)
        node.payload = {**node.payload, "rich_text": text.plain(text_)}
        self._edited(node, account_email)

    @act
    def ui_edit_rich_text(self, block_id: str, items: Sequence[Json], account_email: str = ADA) -> None:
        """Replaces a block's text with rich text in the API's write shape, or with mentions that only a paste makes."""
        node = self._open(block_id)
        node.payload = {**node.payload, "rich_text": text.by_hand(items)}
        self._edited(node, account_email)

    def ui_type(self, block_id: str, text_: str, account_email: str = ADA) -> Iterator[str]:
        """Types at the end of a block, one character a step, each saved; yields the block's text after each."""
        for character in text_:
            node = self._open(block_id)
            items = text.merged([*node.payload["rich_text"], *text.plain(character)])
            node.payload = {**node.payload, "rich_text": items}
            self._edited(node, account_email)
            yield text.plain_text(items, self._tree)

    @act
    def ui_edit_cell(self, row_id: str, index: int, text_: str, account_email: str = ADA) -> None:
        """Replaces the text of one table cell."""
        node = self._open(row_id)
        cells = list(node.payload["cells"])
        cells[index] = text.plain(text_)
        node.payload = {**node.payload, "cells": cells}
        self._edited(node, account_email)

    @act
    def ui_tick(self, block_id: str, checked: bool, account_email: str = ADA) -> None:
        """Ticks or clears a to-do."""
        node = self._open(block_id)
        node.payload = {**node.payload, "checked": checked}
        self._edited(node, account_email)

    @act
    def ui_split(self, block_id: str, at: int, account_email: str = ADA) -> str:
        """Enter in the middle of a block: the text from character `at` on goes into a new block after it."""
        node = self._open(block_id)
        first, second = text.split(node.payload["rich_text"], at, self._tree)
        half = {**node.payload, "rich_text": second}
        fresh = {**half, "checked": False} if node.kind == "to_do" else half
        node.payload = {**node.payload, "rich_text": first}
        parent = self._tree.nodes[node.parent or ""]
        place = _index_after(parent, node.id)
        new = self._tree.add(node.kind, parent.id, fresh, self._person(account_email), place)
        self._edited(node, account_email)
        return new.id

    @act
    def ui_merge(self, block_id: str, account_email: str = ADA) -> str:
        """Backspace at the start of a block: its text joins the block above, whose id stays; returns that id."""
        node = self._open(block_id)
        siblings = self._tree.living(self._tree.nodes[node.parent or ""])
        above = siblings[siblings.index(node) - 1]
        joined = text.merged([*above.payload["rich_text"], *node.payload["rich_text"]])
        above.payload = {**above.payload, "rich_text": joined}
        for child in self._tree.living(node):
            self._place(child, above, None)
        node.in_trash = True
        self._edited(above, account_email)
        return above.id

    @act
    def ui_turn_into(self, block_id: str, kind: str, account_email: str = ADA) -> None:
        """ "Turn into": another type under the same id; text and color stay."""
        node = self._open(block_id)
        node.payload = blocks.turned(node.payload, kind)
        if kind.startswith("heading_") and self._tree.living(node):
            node.payload["is_toggleable"] = True
        node.kind = kind
        self._edited(node, account_email)

    # --- whole blocks ---

    @act
    def ui_insert(self, parent_id: str, after_id: str | None, block: Json, account_email: str = ADA) -> str:
        """Inserts a block after a sibling, or first when there is none; returns the new id.

        `block` has the API's write shape, children included. A type that the API cannot write (`unsupported`,
        `meeting_notes`, one of next year) and a file that Notion itself keeps are taken as they stand.
        """
        parent = self._open(parent_id)
        at = _index_after(parent, after_id)
        node = self._tree.add_draft(parent_id, _draft(block, parent), self._person(account_email), at)
        self._edited(node, account_email)
        return node.id

    @act
    def ui_delete(self, block_id: str, account_email: str = ADA) -> None:
        """Puts a block into the trash."""
        node = self._open(block_id)
        node.in_trash = True
        self._edited(node, account_email)

    @act
    def ui_move(self, block_id: str, after_id: str | None, account_email: str = ADA, into: str = "") -> None:
        """Drags a block behind another one on any page, or first `into` a block or page; its id stays."""
        node = self._open(block_id)
        self._edited(node, account_email)
        home = into or (node.parent if after_id is None else self._tree.nodes[after_id].parent) or ""
        self._place(node, self._open(home), after_id)
        self._edited(node, account_email)

    @act
    def ui_copy(
        self, block_ids: Sequence[str], into: str, after_id: str | None = None, account_email: str = ADA
    ) -> list[str]:
        """Copies blocks with all below them and pastes them; the copies have ids of their own."""
        parent, by = self._open(into), self._person(account_email)
        at = _index_after(parent, after_id)
        made = [self._copied(self._tree.nodes[name], parent.id, by, at + offset) for offset, name in enumerate(block_ids)]
        self._edited(parent, account_email)
        return [node.id for node in made]

    @act
    def ui_cut_and_paste(
        self, block_ids: Sequence[str], into: str, after_id: str | None = None, account_email: str = ADA
    ) -> list[str]:
        """Cuts blocks and pastes them elsewhere, where they have new ids."""
        made = self.ui_copy(block_ids, into, after_id, account_email)
        for name in block_ids:
            self.ui_delete(name, account_email)
        return made

    def _copied(self, node: Node, parent: str, by: str, at: int | None = None) -> Node:
        copy = self._tree.add(node.kind, parent, dict(node.payload), by, at)
        copy.values = dict(node.values)
        for child in self._tree.living(node):
            self._copied(child, copy.id, by)
        return copy

    # --- the columns of a table ---

    @act
    def ui_add_column(self, table_id: str, at: int, header: str = "", account_email: str = ADA) -> None:
        """A new column before column `at`, empty but for its header."""
        self._recolumned(table_id, lambda cells, head: [*cells[:at], text.plain(header) if head else [], *cells[at:]])
        self._edited(self._tree.nodes[table_id], account_email)

    @act
    def ui_remove_column(self, table_id: str, at: int, account_email: str = ADA) -> None:
        """A column goes with all its cells."""
        self._recolumned(table_id, lambda cells, head: [*cells[:at], *cells[at + 1 :]])
        self._edited(self._tree.nodes[table_id], account_email)

    @act
    def ui_swap_columns(self, table_id: str, one: int, other: int, account_email: str = ADA) -> None:
        """Two columns change places."""

        def swapped(cells: list[Any], head: bool) -> list[Any]:
            cells[one], cells[other] = cells[other], cells[one]
            return cells

        self._recolumned(table_id, swapped)
        self._edited(self._tree.nodes[table_id], account_email)

    def _recolumned(self, table_id: str, change: Callable[[list[Any], bool], list[Any]]) -> None:
        table = self._open(table_id)
        for number, row in enumerate(self._tree.living(table)):
            head = not number and table.payload["has_column_header"]
            row.payload = {**row.payload, "cells": change(list(row.payload["cells"]), head)}
            table.payload = {**table.payload, "table_width": len(row.payload["cells"])}

    # --- places, times, authors ---

    def _place(self, node: Node, parent: Node, after_id: str | None) -> None:
        self._tree.detach(node)
        node.parent = parent.id
        parent.children.insert(_index_after(parent, after_id), node.id)

    def _open(self, identifier: str) -> Node:
        """A node on a page that is not locked; raises Refusal otherwise."""
        node = self._tree.nodes[identifier]
        page = self._tree.page_of(node)
        if page is not None and page.payload["is_locked"]:
            raise refused(LOCKED)
        return node

    def _edited(self, node: Node, account_email: str) -> None:
        by = self._person(account_email)
        self._tree.touch(node, by)
        page = self._tree.page_of(node)
        if page is not None and page is not node:
            self._tree.touch(page, by)

    def _person(self, email: str) -> str:
        people = (user for user in self._tree.users.values() if user["type"] == "person")
        ids = {user["person"]["email"]: str(user["id"]) for user in people}
        return ids[email]


def _draft(block: Json, parent: Node) -> blocks.Draft:
    kind = next((name for name in block if name not in {"type", "object"}), "")
    hosted = isinstance(block[kind], dict) and "file" in block[kind]
    if kind not in blocks.KINDS or hosted:
        payload = {"caption": [], "type": "file", **block[kind]} if hosted else block[kind]
        return blocks.Draft(kind, payload)
    (draft,) = blocks.read_children([block], "children", parent.kind)
    blocks.check_rows(parent.kind, parent.payload, [draft])
    return draft


def _index_after(parent: Node, after_id: str | None) -> int:
    return 0 if after_id is None else parent.children.index(after_id) + 1
