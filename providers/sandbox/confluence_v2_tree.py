"""Where a page stands, in Confluence Cloud's REST API v2: what is above and below it, folders and their like included."""

from collections.abc import Callable

from providers.sandbox import confluence_shapes as shapes
from providers.sandbox.confluence_call import Call, Json, answer, listing
from providers.sandbox.confluence_records import Page, RefusedError
from providers.sandbox.wire import Reply


def children(call: Call) -> Reply:
    """GET /pages/{id}/children: pages, without versions."""
    below = [child for child in call.site.children(call.page().id) if child.kind == "page"]
    return listing(call, below, _page_id, shapes.child)


def direct_children(call: Call) -> Reply:
    """GET /pages/{id}/direct-children: with their kind, which may be another than a page."""
    page = call.page()
    return listing(call, call.site.children(page.id), _page_id, lambda p: {**shapes.child(p), "type": p.kind})


def descendants(call: Call) -> Reply:
    """GET /pages/{id}/descendants, down to `depth`."""
    page, deepest = call.page(), call.number("depth", 5, 1, 5)
    above = len(call.site.ancestors(page.id))
    found = [(one, len(call.site.ancestors(one.id)) - above) for one in call.site.below(page.id)]

    def shape(item: tuple[Page, int]) -> Json:
        child, depth = item
        about = {"id": child.id, "status": child.status, "title": child.title, "type": child.kind}
        return {**about, "parentId": child.parent_id, "depth": depth, "childPosition": child.position}

    return listing(call, [item for item in found if item[1] <= deepest], lambda item: item[0].id, shape)


def get_folder(call: Call) -> Reply:
    """GET /folders/{id}."""
    folder = call.site.content.get(call.args[0])
    if folder is None or folder.kind != "folder":
        raise RefusedError(404, f"Cannot find folder with id {call.args[0]}")
    return answer(200, shapes.folder(call.site, folder))


def ancestors(call: Call) -> Reply:
    """GET /pages/{id}/ancestors, from the top."""
    above = call.site.ancestors(call.page().parent_id)
    return listing(call, above[::-1], _page_id, lambda p: {"id": p.id, "type": p.kind})


def _page_id(page: Page) -> str:
    return page.id


_PAGE = "/api/v2/pages/{}"
ROUTES: tuple[tuple[str, str, Callable[[Call], Reply]], ...] = (
    ("GET", f"{_PAGE}/children", children),
    ("GET", f"{_PAGE}/direct-children", direct_children),
    ("GET", f"{_PAGE}/ancestors", ancestors),
    ("GET", f"{_PAGE}/descendants", descendants),
    ("GET", "/api/v2/folders/{}", get_folder),
)
