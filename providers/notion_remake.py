"""Whether a block may be made anew, which is how the service's lack of moves and type changes is got around: all that is
inside it is read, and everybody who may have commented on it is asked for. Asked only of blocks that would be made anew.
"""

from collections.abc import Iterator

from mapping.notion_blocks import NativeBlock, walk
from mapping.notion_copy import loses
from mapping.notion_fit import Layout
from providers.notion_comments import Comments
from providers.notion_wire import Wire

MOST_REMADE = 50  # blocks inside one that is made anew; more would take more requests than a move is worth


class _TooMuch(Exception):
    """There are more than `MOST_REMADE` blocks inside."""


class Remake:
    """Reads what a copy needs to know. Costs one request a block for its comments, and one for each list of children."""

    def __init__(self, wire: Wire, comments: Comments) -> None:
        self._wire, self._comments = wire, comments

    def whole(self, layout: Layout, native: str) -> NativeBlock | str:
        """The block with all inside it that a Doc does not tell (and a table's rows), or why it must stay."""
        node = layout.nodes[native]
        try:
            children = self._children(layout, node)
        except _TooMuch:
            return f"more than {MOST_REMADE} blocks are in it"
        found = NativeBlock(node.raw, children)
        return loses(found) or self._commented(found) or NativeBlock(node.raw, () if node.type == "table" else children)

    def _children(self, layout: Layout, node: NativeBlock) -> tuple[NativeBlock, ...]:
        if node.type == "table":
            _bounded(node.children)
            return node.children
        if node.children:
            return tuple(self._complete(child) for child in layout.hidden(node.id))
        return self._complete(node).children

    def _complete(self, node: NativeBlock) -> NativeBlock:
        """The block with everything inside. Raises _TooMuch."""
        if node.children or not node.raw.get("has_children"):
            return node
        found = NativeBlock(node.raw, tuple(self._complete(NativeBlock(raw)) for raw in self._listed(node.id)))
        _bounded((found,))
        return found

    def _listed(self, parent: str) -> Iterator[dict[str, object]]:
        for number, raw in enumerate(self._wire.read_list(f"blocks/{parent}/children")):
            if number == MOST_REMADE:
                raise _TooMuch
            yield raw

    def _commented(self, whole: NativeBlock) -> str:
        for node in walk((whole,)):
            found = self._comments.any(node.id)
            if found is None:
                return "this connection may not read whether people commented on it"
            if found:
                return "people commented on it"
        return ""


def _bounded(nodes: tuple[NativeBlock, ...]) -> None:
    if sum(1 for _ in walk(nodes)) > MOST_REMADE + 1:
        raise _TooMuch
