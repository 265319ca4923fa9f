"""The human side: what a person does in Notion's own editor, which the API cannot.

People move a page's time with every edit, keep a block's id when they move it or turn it into another type, and can
insert blocks that the API only shows as `unsupported`. Nothing here is refused for the reasons the API has, except
that blocks and values must have the service's shapes.
"""

from collections.abc import Sequence

from providers.sandbox import notion_blocks as blocks
from providers.sandbox import notion_text as text
from providers.sandbox.notion_check import Json
from providers.sandbox.notion_comments import CommentEndpoints
from providers.sandbox.notion_properties import read_values, written_by_hand
from providers.sandbox.notion_tree import PAGE, Node, Tree

ADA = "ada@example.com"
_ONLY_SEEN = frozenset({"unsupported", "link_preview"})


class People:
    """The editor of one workspace. Every method names the person's account by e-mail; KeyError when nobody has it."""

    def __init__(self, tree: Tree, comments: CommentEndpoints) -> None:
        self._tree = tree
        self._comments = comments

    # --- blocks ---

    def ui_edit_text(self, block_id: str, text_: str, account_email: str = ADA) -> None:
        """Replaces a block's text with unformatted text."""
        node = self._tree.nodes[block_id]
        node.payload = {**node.payload, "rich_text": text.plain(text_)}
        self._edited(node, account_email)

    def ui_edit_rich_text(self, block_id: str, items: Sequence[Json], account_email: str = ADA) -> None:
        """Replaces a block's text with rich text in the API's write shape, or with mentions that only a paste makes."""
        node = self._tree.nodes[block_id]
        node.payload = {**node.payload, "rich_text": text.by_hand(items)}
        self._edited(node, account_email)

    def ui_edit_cell(self, row_id: str, index: int, text_: str, account_email: str = ADA) -> None:
        """Replaces the text of one table cell."""
        node = self._tree.nodes[row_id]
        cells = list(node.payload["cells"])
        cells[index] = text.plain(text_)
        node.payload = {**node.payload, "cells": cells}
        self._edited(node, account_email)

    def ui_tick(self, block_id: str, checked: bool, account_email: str = ADA) -> None:
        """Ticks or clears a to-do."""
        node = self._tree.nodes[block_id]
        node.payload = {**node.payload, "checked": checked}
        self._edited(node, account_email)

    def ui_insert(self, parent_id: str, after_id: str | None, block: Json, account_email: str = ADA) -> str:
        """Inserts a block after a sibling, or first when there is none; returns the new id.

        `block` has the API's write shape, children included; `unsupported` and `link_preview` are taken as they
        stand.
        """
        parent = self._tree.nodes[parent_id]
        at = self._index_after(parent, after_id)
        node = self._tree.add_draft(parent_id, self._draft(block, parent), self._person(account_email), at)
        self._edited(node, account_email)
        return node.id

    def _draft(self, block: Json, parent: Node) -> blocks.Draft:
        kind = next((name for name in _ONLY_SEEN if name in block), None)
        if kind is not None:
            return blocks.Draft(kind, block[kind])
        (draft,) = blocks.read_children([block], "children", parent.kind)
        blocks.check_rows(parent.kind, parent.payload, [draft])
        return draft

    def _index_after(self, parent: Node, after_id: str | None) -> int:
        return 0 if after_id is None else parent.children.index(after_id) + 1

    def ui_delete(self, block_id: str, account_email: str = ADA) -> None:
        """Puts a block into the trash."""
        node = self._tree.nodes[block_id]
        node.in_trash = True
        self._edited(node, account_email)

    def ui_move(self, block_id: str, after_id: str | None, account_email: str = ADA) -> None:
        """Drags a block to stand after another one, on any page; None means first among its present siblings."""
        node = self._tree.nodes[block_id]
        self._edited(node, account_email)
        home = node.parent if after_id is None else self._tree.nodes[after_id].parent
        parent = self._tree.nodes[home or ""]
        self._tree.detach(node)
        node.parent = parent.id
        parent.children.insert(self._index_after(parent, after_id), node.id)
        self._edited(node, account_email)

    def ui_split(self, block_id: str, at: int, account_email: str = ADA) -> str:
        """Enter in the middle of a block: the text from character `at` on goes into a new block after it."""
        node = self._tree.nodes[block_id]
        first, second = text.split(node.payload["rich_text"], at, self._tree)
        half = {**node.payload, "rich_text": second}
        fresh = {**half, "checked": False} if node.kind == "to_do" else half
        node.payload = {**node.payload, "rich_text": first}
        parent = self._tree.nodes[node.parent or ""]
        place = self._index_after(parent, node.id)
        new = self._tree.add(node.kind, parent.id, fresh, self._person(account_email), place)
        self._edited(node, account_email)
        return new.id

    def ui_turn_into(self, block_id: str, kind: str, account_email: str = ADA) -> None:
        """ "Turn into": another type under the same id; text and color stay."""
        node = self._tree.nodes[block_id]
        node.payload = blocks.turned(node.payload, kind)
        if kind.startswith("heading_") and self._tree.living(node):
            node.payload["is_toggleable"] = True
        node.kind = kind
        self._edited(node, account_email)

    # --- pages ---

    def ui_set_property(self, page_id: str, name: str, value: object, account_email: str = ADA) -> None:
        """Sets a property: text, an option's name, a list of names, a number, true or false, a day, or None."""
        page = self._tree.nodes[page_id]
        schema = self._tree.schema_of(page)
        prop = schema.find(name)
        if prop is None:
            raise KeyError(name)
        page.values.update(read_values(schema, {name: written_by_hand(prop, value)}, "properties"))
        self._edited(page, account_email)

    def ui_rename(self, page_id: str, title: str, account_email: str = ADA) -> None:
        """Gives a page another title."""
        page = self._tree.nodes[page_id]
        page.values["title"] = text.plain(title)
        self._edited(page, account_email)

    def trash(self, page_id: str, account_email: str = ADA) -> None:
        """Puts a page, with all below it, into the trash."""
        self._set_trash(page_id, True, account_email)

    def restore(self, page_id: str, account_email: str = ADA) -> None:
        """Takes a page out of the trash."""
        self._set_trash(page_id, False, account_email)

    def _set_trash(self, page_id: str, in_trash: bool, account_email: str) -> None:
        page = self._tree.nodes[page_id]
        page.in_trash = in_trash
        self._edited(page, account_email)
        parent = self._tree.nodes[page.parent] if page.parent is not None else None
        if parent is not None and parent.kind == PAGE:
            self._edited(parent, account_email)

    def share(self, identifier: str) -> None:
        """Lets connections see an object and what is below it again."""
        self._tree.hidden[identifier] = False

    def unshare(self, identifier: str) -> None:
        """Hides an object and everything below it from all connections."""
        self._tree.hidden[identifier] = True

    # --- comments ---

    def ui_comment(self, target_id: str, text_: str, account_email: str = ADA) -> str:
        """Comments on a page or block; returns the discussion's id."""
        thread = self._comments.thread_on(self._tree.nodes[target_id])
        self._comments.add(thread, text.plain(text_), self._person(account_email))
        return thread.id

    def ui_resolve(self, discussion_id: str) -> None:
        """Closes a thread."""
        self._comments.resolve(discussion_id)

    # --- time and authors ---

    def _edited(self, node: Node, account_email: str) -> None:
        by = self._person(account_email)
        self._tree.touch(node, by)
        page = self._tree.page_of(node)
        if page is not None:
            self._tree.touch(page, by)

    def _person(self, email: str) -> str:
        people = (user for user in self._tree.users.values() if user["type"] == "person")
        ids = {user["person"]["email"]: str(user["id"]) for user in people}
        return ids[email]
