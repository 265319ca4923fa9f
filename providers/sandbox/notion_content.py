"""The block endpoints: read, update, delete, list children, append."""

from providers.sandbox import notion_blocks as blocks
from providers.sandbox.notion_access import Access, Call, listed, part
from providers.sandbox.notion_check import (
    Json,
    array,
    boolean,
    identifier,
    keys,
    missing,
    refused,
    wrong,
)
from providers.sandbox.notion_tree import DATA_SOURCE, DATABASE, PAGE, Node


class BlockEndpoints:
    """What `/v1/blocks` does."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._tree = access.tree

    def read(self, call: Call) -> Json:
        """GET one block; trashed ones too."""
        return self._tree.rendered_block(self._access.block(call.id("block_id"), call.by))

    def children(self, call: Call) -> Json:
        """GET one page of a block's living children."""
        parent = self._access.block(call.id("block_id"), call.by)
        source = self._tree.content_of(parent)
        if source is not parent:
            self._access.block(source.id, call.by)
        living = [child.id for child in self._tree.living(source) if child.kind != DATA_SOURCE]
        ids, following = part(living, call.query, source.children)
        results = [self._tree.rendered_block(self._tree.nodes[child]) for child in ids]
        return listed("block", results, following)

    # --- append ---

    def append(self, call: Call) -> Json:
        """PATCH new children in; a positioned append answers every later sibling too."""
        parent = self._access.editable(self._access.block(call.id("block_id"), call.by))
        given = keys(call.body, "body", {"children", "position"}, {"children"})
        array(given["children"], "body.children")
        drafts = self._drafts(given["children"], parent)
        at = self.place(parent, given.get("position"), ("start", "end"))
        self._check_originals(drafts, call.by)
        made = self.insert(parent, drafts, call.by, at)
        call.made.extend(made)
        self._access.body_changed(parent, call.by)
        shown = parent.children[parent.children.index(made[0]) :] if made else []
        living = [self._tree.nodes[child] for child in shown if not self._tree.nodes[child].in_trash]
        return listed("block", [self._tree.rendered_block(child) for child in living])

    def _drafts(self, value: object, parent: Node) -> list[blocks.Draft]:
        if parent.kind == DATABASE or not blocks.holds_children(parent.kind, parent.payload):
            raise refused("Block does not support children.")
        drafts = blocks.read_children(value, "body.children", parent.kind)
        blocks.check_total(drafts)
        blocks.check_rows(parent.kind, parent.payload, drafts)
        return drafts

    def _check_originals(self, drafts: list[blocks.Draft], by: str) -> None:
        for draft in drafts:
            if draft.payload.get("synced_from"):
                self._access.block(draft.payload["synced_from"]["block_id"], by)
            self._check_originals(list(draft.children), by)

    def place(self, parent: Node, position: object, words: tuple[str, str]) -> int | None:
        """The index that a `position` means among all children, None for the end; `words` name start and end."""
        if position is None:
            return None
        given = keys(position, "body.position", {"type", "after_block"}, {"type"})
        kind = given["type"]
        if kind == "after_block":
            return self._after(parent, given)
        keys(position, "body.position", {"type"})
        if kind not in words:
            options = ", ".join(f'`"{word}"`' for word in (*words, "after_block"))
            raise wrong("body.position.type", f"one of {options}", kind)
        return 0 if kind == words[0] else None

    def _after(self, parent: Node, given: Json) -> int:
        if "after_block" not in given:
            raise missing("body.position.after_block")
        where = "body.position.after_block"
        target = keys(given["after_block"], where, {"id"}, {"id"})
        sibling = identifier(target["id"], f"{where}.id")
        node = self._tree.nodes.get(sibling)
        if node is None or node.parent != parent.id or node.in_trash:
            raise refused(f"Block {sibling} to insert after is not a child of {parent.id}.")
        return parent.children.index(sibling) + 1

    def insert(self, parent: Node, drafts: list[blocks.Draft], by: str, at: int | None) -> list[str]:
        """Adds the drafts under `parent` and returns the ids of the top ones."""
        first = len(parent.children) if at is None else at
        return [self._tree.add_draft(parent.id, draft, by, first + offset).id for offset, draft in enumerate(drafts)]

    # --- update and delete ---

    def update(self, call: Call) -> Json:
        """PATCH one block: given fields, or into and out of the trash."""
        node = self._access.block(call.id("block_id"), call.by)
        given = keys(call.body, "body", {"type", "in_trash", *blocks.KINDS})
        trash = boolean(given["in_trash"], "body.in_trash") if "in_trash" in given else None
        self._check_type(node, given)
        if trash is not False:
            self._access.editable(node)
        after = self._changed(node, given)
        if after is not None:
            node.payload = after
        if trash is not None:
            node.in_trash = trash
        self._moved(node, call.by, trash)
        return self._tree.rendered_block(node)

    def _check_type(self, node: Node, given: Json) -> None:
        named = [kind for kind in blocks.KINDS if kind in given]
        if given.get("type", node.kind) != node.kind or any(kind != node.kind for kind in named):
            raise refused(f"Expected block type {node.kind} in request body")
        if not named and "in_trash" not in given:
            raise missing(f"body.{node.kind}")

    def _changed(self, node: Node, given: Json) -> Json | None:
        if node.kind not in given:
            return None
        parent = self._tree.nodes[node.parent or ""]
        after = blocks.read_update(node.kind, given[node.kind], f"body.{node.kind}", node.payload, parent.kind)
        if node.kind == "table_row":
            blocks.check_cells(parent.payload["table_width"], after["cells"])
        return after

    def delete(self, call: Call) -> Json:
        """DELETE moves a block, page or database to the trash."""
        node = self._access.editable(self._access.block(call.id("block_id"), call.by))
        node.in_trash = True
        self._moved(node, call.by, True)
        return self._tree.rendered_block(node)

    def _moved(self, node: Node, by: str, trash: bool | None) -> None:
        if node.kind == PAGE:
            self._tree.touch(node, by)
            if trash is not None:
                self._access.child_page_changed(node, by)
        elif node.kind == DATABASE:
            self._tree.touch(node, by)
        else:
            self._access.body_changed(node, by)
