"""The endpoints of pages, databases and data sources, and the search over their titles."""

from typing import Any

from providers.sandbox import notion_query as query
from providers.sandbox.notion_access import Access, Call
from providers.sandbox.notion_blocks import check_total, read_children, read_cover, read_icon
from providers.sandbox.notion_check import (
    Json,
    Refusal,
    boolean,
    choice,
    identifier,
    keys,
    only_one,
    refused,
    string,
)
from providers.sandbox.notion_content import BlockEndpoints
from providers.sandbox.notion_properties import change_schema, read_values
from providers.sandbox.notion_text import read_rich_text
from providers.sandbox.notion_tree import DATA_SOURCE, PAGE, Node

_FLAGS = ("is_locked", "is_archived")


class PageEndpoints:
    """What `/v1/pages` does."""

    def __init__(self, access: Access, blocks: BlockEndpoints) -> None:
        self._access = access
        self._tree = access.tree
        self._blocks = blocks

    def create(self, call: Call) -> Json:
        """POST a page under a page or a data source, with its first blocks."""
        allowed = {"parent", "properties", "children", "icon", "cover", "position"}
        given = keys(call.body, "body", allowed, {"parent"})
        parent = self._access.editable(self._parent(given["parent"], call.by))
        drafts = read_children(given.get("children", []), "body.children", PAGE)
        check_total(drafts)
        at = self._place(parent, given)
        looks = _looks(given)
        values = self._values(parent, given.get("properties", {}), call.by)
        page = self._tree.add_page(parent.id, values, call.by, at)
        page.payload.update(looks)
        self._blocks.insert(page, drafts, call.by, None)
        self._access.child_page_changed(page, call.by)
        call.made.append(page.id)
        return self._tree.rendered_page(page)

    def _parent(self, value: object, by: str) -> Node:
        kind, target = only_one(value, "body.parent", ("page_id", "database_id", "data_source_id", "workspace"))
        if kind == "workspace":
            raise refused("Internal connections cannot create pages at the workspace level.")
        wanted = identifier(target, f"body.parent.{kind}")
        if kind == "page_id":
            return self._access.page(wanted, by)
        if kind == "data_source_id":
            return self._access.data_source(wanted, by)
        return self._single_source(self._access.database(wanted, by))

    def _single_source(self, database: Node) -> Node:
        sources = self._tree.living(database)
        if len(sources) != 1:
            raise refused("Databases with multiple data sources are not supported as a parent.")
        return sources[0]

    def _place(self, parent: Node, given: Json) -> int | None:
        if "position" in given and parent.kind != PAGE:
            raise refused("body.position is only supported under a page parent.")
        return self._blocks.place(parent, given.get("position"), ("page_start", "page_end"))

    def _values(self, parent: Node, value: object, by: str) -> dict[str, Any]:
        schema = self._tree.schema_of_source(parent)
        before = len(_options(parent))
        values = read_values(schema, value, "body.properties")
        if len(_options(parent)) != before:
            self._tree.touch(parent, by)
        return values

    def read(self, call: Call) -> Json:
        """GET one page; trashed ones too."""
        page_id = call.id("page_id")
        node = self._tree.nodes.get(page_id)
        if node is not None and node.kind not in {PAGE, DATA_SOURCE} and self._tree.shared(node, call.by):
            raise refused(
                f"Provided ID {page_id} is a {_word(node)}, not a page. Use the retrieve {_word(node)} API instead."
            )
        return self._tree.rendered_page(self._access.page(page_id, call.by))

    def read_property(self, call: Call) -> Json:
        """GET one property of a page; lists of text and people come as a list of items."""
        page = self._access.page(call.id("page_id"), call.by)
        prop = self._tree.schema_of(page).find(call.ids["property_id"])
        if prop is None:
            raise Refusal(404, "object_not_found", f"Could not find property with ID: {call.ids['property_id']}.")
        shown = self._tree.rendered_property(page, prop)
        kind, value = shown["type"], shown[shown["type"]]
        if kind not in {"title", "rich_text", "people"}:
            return {"object": "property_item", **shown}
        items = [{"object": "property_item", "id": prop.id, "type": kind, kind: item} for item in value]
        tail: Json = {"id": prop.id, "next_url": None, "type": kind, kind: {}}
        answer = {"object": "list", "results": items, "next_cursor": None, "has_more": False}
        return {**answer, "type": "property_item", "property_item": tail}

    def update(self, call: Call) -> Json:
        """PATCH properties, looks, flags, the trash; `erase_content` empties the page."""
        page = self._access.page(call.id("page_id"), call.by)
        allowed = {"properties", "icon", "cover", "in_trash", "erase_content", *_FLAGS}
        given = keys(call.body, "body", allowed)
        trash = boolean(given["in_trash"], "body.in_trash") if "in_trash" in given else None
        if trash is not False:
            self._access.editable(page)
        flags = {name: boolean(given[name], f"body.{name}") for name in _FLAGS if name in given}
        erase = "erase_content" in given and boolean(given["erase_content"], "body.erase_content")
        looks = _looks(given)
        home = self._tree.nodes[page.parent or page.id]
        page.values.update(self._values(home, given.get("properties", {}), call.by))
        page.payload.update({**flags, **looks})
        if erase:
            self._erase(page, call.by)
        if trash is not None:
            page.in_trash = trash
            self._access.child_page_changed(page, call.by)
        self._tree.touch(page, call.by)
        return self._tree.rendered_page(page)

    def _erase(self, page: Node, by: str) -> None:
        for child in self._tree.living(page):
            child.in_trash = True
            self._tree.touch(child, by)

    def move(self, call: Call) -> Json:
        """POST a page to another parent; its id and content stay."""
        page = self._access.editable(self._access.page(call.id("page_id"), call.by))
        given = keys(call.body, "body", {"parent"}, {"parent"})
        only_one(given["parent"], "body.parent", ("page_id", "data_source_id"))
        target = self._access.editable(self._parent(given["parent"], call.by))
        if any(above.id == page.id for above in self._tree.lineage(target)):
            raise refused("A page cannot be moved below itself.")
        self._access.child_page_changed(page, call.by)
        self._tree.detach(page)
        page.parent = target.id
        target.children.append(page.id)
        self._access.child_page_changed(page, call.by)
        self._tree.touch(page, call.by)
        return self._tree.rendered_page(page)


def _options(parent: Node) -> list[Json]:
    properties = parent.schema.properties.values() if parent.schema else ()
    return [option for prop in properties for option in prop.options]


def _word(node: Node) -> str:
    return "database" if node.kind == "child_database" else "block"


def _looks(given: Json) -> Json:
    """The icon and cover of a page write; null takes them away."""
    readers = {"icon": read_icon, "cover": read_cover}
    return {
        name: None if given[name] is None else read(given[name], f"body.{name}")
        for name, read in readers.items()
        if name in given
    }


class DataSourceEndpoints:
    """What `/v1/data_sources`, `/v1/databases` and `/v1/search` do."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._tree = access.tree

    def read_database(self, call: Call) -> Json:
        """GET a database container, which names its data sources."""
        return self._tree.rendered_database(self._access.database(call.id("database_id"), call.by))

    def read(self, call: Call) -> Json:
        """GET a data source with its schema."""
        return self._tree.rendered_data_source(self._access.data_source(call.id("data_source_id"), call.by))

    def update(self, call: Call) -> Json:
        """PATCH title, icon, schema or trash of a data source."""
        node = self._access.data_source(call.id("data_source_id"), call.by)
        given = keys(call.body, "body", {"title", "icon", "properties", "in_trash"})
        trash = boolean(given["in_trash"], "body.in_trash") if "in_trash" in given else None
        if trash is not False:
            self._access.editable(node)
        if "title" in given:
            node.payload["title"] = read_rich_text(given["title"], "body.title")
        node.payload.update(_looks({"icon": given["icon"]} if "icon" in given else {}))
        if "properties" in given and node.schema is not None:
            change_schema(node.schema, given["properties"], "body.properties")
        node.in_trash = node.in_trash if trash is None else trash
        self._tree.touch(node, call.by)
        return self._tree.rendered_data_source(node)

    def query(self, call: Call) -> Json:
        """POST a query: the living pages of the data source that pass the filter."""
        node = self._access.data_source(call.id("data_source_id"), call.by)
        given = keys(call.body, "body", {"filter", "sorts", "start_cursor", "page_size", "result_type", "in_trash"})
        schema = self._tree.schema_of_source(node)
        passes = query.read_filter(given["filter"], schema) if "filter" in given else None
        trash = boolean(given.get("in_trash", False), "body.in_trash")
        pages = [self._tree.rendered_page(page) for page in self._access.known(node.children, call.by, in_trash=trash)]
        found = [page for page in pages if passes is None or passes(page)]
        return query.result_page(query.sort_pages(found, given.get("sorts", []), schema), given)

    def search(self, call: Call) -> Json:
        """POST a search: titles only, never content."""
        given = keys(call.body, "body", {"query", "sort", "filter", "start_cursor", "page_size"})
        wanted = string(given.get("query", ""), "body.query").casefold()
        kind, trash = _read_search_filter(given.get("filter"))
        kinds = {"page": {PAGE}, "data_source": {DATA_SOURCE}}.get(kind, {PAGE, DATA_SOURCE})
        ids = [node.id for node in self._tree.nodes.values() if node.kind in kinds and node.id not in self._access.unfound]
        known = self._access.known(ids, call.by, in_trash=trash)
        nodes = [node for node in known if wanted in self._tree.title(node).casefold()]
        sort = given.get("sort", {"timestamp": "last_edited_time", "direction": "descending"})
        return query.result_page(query.sort_found([self._tree.rendered(node) for node in nodes], sort), given)


def _read_search_filter(value: object) -> tuple[str, bool]:
    if value is None:
        return "", False
    given = keys(value, "body.filter", {"property", "value", "in_trash"})
    trash = boolean(given.get("in_trash", False), "body.filter.in_trash")
    if "property" not in given and "value" not in given and "in_trash" in given:
        return "", trash
    choice(given.get("property"), "body.filter.property", ("object",))
    return choice(given.get("value"), "body.filter.value", ("page", "data_source")), trash
