"""Tables of ours that people put into a box: a toggle, columns, a synced block, a quote or a call-out with more inside.

What is in a box is theirs and is not read. But when rows of ours are gone from a page they may only have been put away, so
then, and only then, the boxes are looked through. A table found in one is read with the page from then on.
"""

from collections.abc import Collection, Iterator

from mapping.notion_blocks import LIST_TYPES
from mapping.notion_text import Json, plain_text
from providers.notion_wire import Wire

MOST_LISTS = 50  # lists of blocks that are read in one search; a page with more boxes is not looked through to its end
_NO_BOX = LIST_TYPES | {"child_page", "child_database"}


def boxes(wire: Wire, page: str, lost: Collection[str]) -> frozenset[str]:
    """The ids of the tables that show these rows, by key, and of all that they stand in. One request a box and a table."""
    return frozenset(_Search(wire, frozenset(lost)).found(page)) if lost else frozenset()


class _Search:
    def __init__(self, wire: Wire, lost: frozenset[str]) -> None:
        self._wire, self._lost, self._left = wire, lost, MOST_LISTS

    def found(self, page: str) -> Iterator[str]:
        """Tables that stand on the page itself are read anyway."""
        for raw in self._children(page):
            if raw.get("type") != "table":
                yield from self._inside(raw)

    def _inside(self, raw: Json) -> Iterator[str]:
        if not raw.get("has_children") or raw.get("type") in _NO_BOX:
            return
        children = self._children(str(raw["id"]))
        found = [inner for child in children for inner in self._inside(child)] if raw.get("type") != "table" else []
        if found or (raw.get("type") == "table" and self._is_ours(children)):
            yield from (str(raw["id"]), *found)

    def _children(self, parent: str) -> list[Json]:
        if self._left <= 0:
            return []
        self._left -= 1
        return list(self._wire.read_list(f"blocks/{parent}/children"))

    def _is_ours(self, rows: list[Json]) -> bool:
        """Whether most rows are lost ones: a copy of a table that is still there shows few of those."""
        words = [{word for cell in _cells(row) for word in plain_text(cell).split()} for row in rows]
        found = sum(not self._lost.isdisjoint(said) for said in words)
        return found > 0 and 2 * found >= len(rows) - 1


def _cells(row: Json) -> list[list[Json]]:
    return (row.get("table_row") or {}).get("cells") or []
