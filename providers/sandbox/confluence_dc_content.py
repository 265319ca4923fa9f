"""Pages in Confluence Data Center's REST API: read, found, made, changed, thrown away, one function an operation."""

from providers.sandbox import confluence_dc_shapes as shapes
from providers.sandbox.confluence_call import Call, Json, answer
from providers.sandbox.confluence_dc_shapes import Expand
from providers.sandbox.confluence_markup import parse, text_of
from providers.sandbox.confluence_records import Comment, Page, RefusedError, Space, Version
from providers.sandbox.confluence_search import pages_found, people_found
from providers.sandbox.confluence_shapes import stamp
from providers.sandbox.wire import Reply

_BY_DEFAULT = "history,space,version"
_ON_CREATE = "body.storage,history,space,version,ancestors"
_STATUSES = "current trashed draft historical any"


def get_content(call: Call) -> Reply:
    """GET /content/{id}: current unless `status` says otherwise. Looking at a page reconciles it with its shared draft."""
    page, expand, statuses = call.page(), Expand(call, _BY_DEFAULT), call.choices("status", _STATUSES, "current")
    call.site.out_of_step.pop(page.id, None)
    shown = call.site.version(page, call.number("version", 0, 0)) if call.one("version") else None
    draft = shown is None and statuses == ["draft"] and page.draft is not None
    content = shapes.content(call.site, page, expand, shown=shown, draft=draft)
    if "any" not in statuses and shown is None and content["status"] not in statuses:
        raise RefusedError(404, f"No content found with id : ContentId{{id={page.id}}}")
    return answer(200, content)


def list_content(call: Call) -> Reply:
    """GET /content: by space and title, or by `ids`, repeated."""
    expand, ids = Expand(call), [value for name, value in call.query if name == "ids"]
    if any(not value.isdecimal() for value in ids):
        raise RefusedError(400, "Not a valid ContentId")
    title, space = call.one("title"), call.one("spaceKey")
    pages = [page for page in _with_status(call) if not ids or page.id in ids]
    found = [page for page in pages if title in ("", page.title) and _in(call, page, space)]
    return shapes.listing(call, found, lambda page: shapes.content(call.site, page, expand))


def scan_content(call: Call) -> Reply:
    """GET /content/scan: a whole space, by cursor."""
    expand = Expand(call)
    found = [page for page in _with_status(call) if _in(call, page, call.one("spaceKey"))]
    return shapes.scan(call, found, lambda page: shapes.content(call.site, page, expand))


def create_content(call: Call) -> Reply:
    """POST /content: a page, or a comment on one."""
    data = call.object()
    if data.get("type") == "comment":
        return _create_comment(call, data)
    if data.get("type") != "page":
        raise RefusedError(400, "Only pages and comments are made here; 'type' must say so")
    draft = data.get("status", "current") == "draft"
    title = _title(data)
    if not title and not draft:
        raise RefusedError(400, "'title' must not be null or empty")
    text = _body(data)
    if text is None:
        raise RefusedError(400, "'body.storage' must hold a representation and a value")
    space = _space(call, _object(data, "space").get("key"))
    message = str(_object(data, "version").get("message") or "")  # kept: md2cf looks there for what it published
    page = call.site.create(space.id, title, text, call.account, parent_id=_parent(data), draft=draft, message=message)
    return answer(200, shapes.content(call.site, page, Expand(call, _ON_CREATE)))


def update_content(call: Call) -> Reply:
    """PUT /content/{id}. The query's `status` is the page's state before, the body's the one to come."""
    data, page = call.object(), call.editable()
    call.choice("conflictPolicy", "abort", "abort")
    status, wanted = call.choice("status", "current draft trashed"), str(data.get("status") or "current")
    if data.get("type") != "page":
        raise RefusedError(400, "'type' must be page, the type of content cannot change")
    if wanted not in ("current", "draft"):
        raise RefusedError(400, f"Content cannot be updated to status {wanted}")
    if status == "draft" and page.draft is None:
        raise RefusedError(404, f"Can not find draft with content id {page.id}")
    number = _number(data)
    _require_in_step(call, page)
    if page.status == "trashed":
        return _restore(call, page, number)
    if wanted == "draft":
        title, text = _title(data) or page.title, _body(data)
        call.site.normalised_draft(page, title, page.body if text is None else text, call.account)
        return answer(200, shapes.content(call.site, page, Expand(call, _ON_CREATE), draft=True))
    _publish(call, page, data, number)
    if status == "draft":
        page.draft = None
    return answer(200, shapes.content(call.site, page, Expand(call, _ON_CREATE)))


def _publish(call: Call, page: Page, data: Json, number: int) -> None:
    """A new version with what was sent; what was not stays. A bad parent is refused before anything is written."""
    version, text = _object(data, "version"), _body(data)
    parent, body = _parent(data) or page.parent_id, page.body if text is None else text
    if parent != page.parent_id:
        call.site.require_move(page, parent)
    minor, message = version.get("minorEdit") is True, str(version.get("message") or "")
    title = _title(data) or page.title
    call.site.update(page, number, title, body, call.account, message=message, minor=minor)
    call.site.move_page(page, parent)


def delete_content(call: Call) -> Reply:
    """DELETE /content/{id}: to the trash; with `status=trashed` out of it, with `status=draft` only the draft."""
    status = call.choice("status", "current trashed draft", "current")
    if call.args[0] in call.site.comments:
        call.site.editable(call.site.comments[call.args[0]].page_id, call.account)
        kept = call.site.comments.values()
        call.site.comments = {one.id: one for one in kept if call.args[0] not in (one.id, one.parent_id)}
        return answer(204, None)
    page = call.editable()
    if status == "draft":
        page.draft = None
    elif status == "current":
        call.site.trash_page(page)
    if page.status == status == "trashed" or not page.versions:
        call.site.purge(page)
    return answer(204, None)


def get_history(call: Call) -> Reply:
    """GET /content/{id}/history."""
    return answer(200, shapes.history(call.site, call.page(), call.many("expand") or ["previousVersion", "lastUpdated"]))


def delete_version(call: Call) -> Reply:
    """DELETE /content/{id}/version/{n}: renumbers the later ones."""
    if not call.args[1].isdecimal() or len(call.args[1]) > 9:
        raise RefusedError(400, "The version must be a number")
    call.site.delete_version(call.editable(), int(call.args[1]))
    return answer(204, None)


def list_children(call: Call) -> Reply:
    """GET /content/{id}/child/page."""
    expand = Expand(call)
    below = [child for child in call.site.children(call.page().id) if child.status == "current"]
    return shapes.listing(call, below, lambda page: shapes.content(call.site, page, expand))


def list_comments(call: Call) -> Reply:
    """GET /content/{id}/child/comment: by `location`, replies with `depth=all`."""
    expand, page = Expand(call), call.page()
    wanted, deep = call.choices("location", "inline footer resolved"), call.choice("depth", "all root") == "all"

    def fits(comment: Comment) -> bool:
        where = "resolved" if comment.resolved else "inline" if comment.inline else "footer"
        return comment.page_id == page.id and (deep or comment.parent_id is None) and (not wanted or where in wanted)

    found = [comment for comment in call.site.comments.values() if fits(comment)]
    return shapes.listing(call, found, lambda comment: shapes.comment(call.site, comment, expand))


def list_space_content(call: Call) -> Reply:
    """GET /space/{key}/content/page."""
    space, expand = _space(call, call.args[0]), Expand(call)
    root = call.choice("depth", "all root", "all") == "root"
    pages = [p for p in call.site.visible_pages(call.account) if p.space_id == space.id and p.status == "current"]
    found = [page for page in pages if not root or page.parent_id is None]
    return shapes.listing(call, found, lambda page: shapes.content(call.site, page, expand))


def list_spaces(call: Call) -> Reply:
    """GET /space."""
    keys = call.many("spaceKey")
    found = [space for space in call.site.spaces.values() if not keys or space.key in keys]
    return shapes.listing(call, found, lambda space: shapes.space(call.site, space))


def get_space(call: Call) -> Reply:
    """GET /space/{key}."""
    space = _space(call, call.args[0])
    shown = shapes.space(call.site, space)
    if "homepage" in call.many("expand"):
        home = call.site.visible(space.homepage_id, call.account)
        shown["homepage"] = shapes.content(call.site, home, Expand(call))
    return answer(200, shown)


def search_content(call: Call) -> Reply:
    """GET /content/search: what the index holds, which may be older than the pages."""
    expand = Expand(call)

    def shape(found: tuple[Page, Version]) -> Json:
        return shapes.content(call.site, found[0], expand, shown=found[1]) | {"status": found[0].status}

    return shapes.listing(call, pages_found(call.site, call.account, call.one("cql")), shape)


def search(call: Call) -> Reply:
    """GET /search: pages with the words around them, or people when the query is about users."""
    cql = call.one("cql")
    if "user" in cql:
        people = people_found(call.site, cql)
        return shapes.listing(call, people, lambda one: _found("user", one.name, {"user": shapes.person(call.site, one)}))

    def shape(found: tuple[Page, Version]) -> Json:
        page, indexed = found
        about = shapes.content(call.site, page, Expand(call), shown=indexed) | {"status": page.status}
        excerpt = {"excerpt": text_of(parse(indexed.body))[:300], "lastModified": stamp(indexed.created_at)}
        return _found("content", indexed.title, {"content": about, **excerpt})

    return shapes.listing(call, pages_found(call.site, call.account, cql), shape)


def convert_body(call: Call) -> Reply:
    """POST /contentbody/convert/{to}: at once, and a proof that storage is well formed."""
    data = call.object()
    if data.get("representation") != "storage" or not isinstance(data.get("value"), str):
        raise RefusedError(400, "Only storage is converted, and 'value' must be text")
    if call.args[0] not in ("view", "export_view", "styled_view", "editor"):
        raise RefusedError(400, f"Cannot convert storage to {call.args[0]}")
    return answer(200, shapes.body(call.site.normalised(str(data["value"]), None), call.args[0]))


def _found(kind: str, title: str, about: Json) -> Json:
    shown: Json = {"title": title, "excerpt": "", "url": "", "entityType": kind, "iconCssClass": f"aui-icon {kind}"}
    return {**shown, **about}


def _create_comment(call: Call, data: Json) -> Reply:
    page = call.site.visible(str(_object(data, "container").get("id") or ""), call.account)
    text, above = _body(data), data.get("ancestors")
    if text is None:
        raise RefusedError(400, "'body.storage' must hold a representation and a value")
    parent = call.site.comments.get(str(above[0].get("id"))) if isinstance(above, list) and above else None
    inline = parent is not None and parent.inline
    made = call.site.add_comment(page, text, call.account, parent.id if parent else None, inline)
    return answer(200, shapes.comment(call.site, made, Expand(call, "body.storage,version")))


def _restore(call: Call, page: Page, number: int) -> Reply:
    call.site.require_next(page.number, number)
    call.site.restore_page(page, call.account)
    return answer(200, shapes.content(call.site, page, Expand(call, _ON_CREATE)))


def _require_in_step(call: Call, page: Page) -> None:
    """The page and its shared draft must agree; where they do not, every write is refused until somebody looks."""
    status = call.site.out_of_step.get(page.id)
    if status is not None:
        words = (
            f"Unable to save changes to unreconciled page ContentId{{id={page.id}}}. Refreshing the page should fix this."
        )
        raise RefusedError(status, words)


def _with_status(call: Call) -> list[Page]:
    wanted = call.choices("status", _STATUSES, "current")
    allowed = {"current", "trashed"} if "any" in wanted else set(wanted)
    return [page for page in call.site.visible_pages(call.account) if page.status in allowed]


def _in(call: Call, page: Page, key: str) -> bool:
    return not key or call.site.spaces[page.space_id].key == key


def _space(call: Call, key: object) -> Space:
    found = next((space for space in call.site.spaces.values() if space.key == key), None)
    if found is None:
        raise RefusedError(404, f"No space with key : {key}")
    return found


def _object(data: Json, name: str) -> Json:
    value = data.get(name)
    return value if isinstance(value, dict) else {}


def _title(data: Json) -> str:
    title = data.get("title") or ""
    if not isinstance(title, str):
        raise RefusedError(400, "'title' must be a string")
    return title


def _parent(data: Json) -> str | None:
    """The page that shall be above: the first ancestor that is named."""
    above = data.get("ancestors")
    if above is None or above == []:
        return None
    if not isinstance(above, list) or not isinstance(above[0], dict):
        raise RefusedError(400, "'ancestors' must be a list of pages")
    return str(above[0].get("id") or "")


def _number(data: Json) -> int:
    number = _object(data, "version").get("number")
    if not isinstance(number, int) or isinstance(number, bool):
        raise RefusedError(400, "Must supply an incremented version when updating Content. No version supplied.")
    return number


def _body(data: Json) -> str | None:
    """The storage text that was sent, None when there is none."""
    given = data.get("body")
    if given is None:
        return None
    storage = given.get("storage") if isinstance(given, dict) else None
    if not isinstance(storage, dict) or not isinstance(storage.get("value"), str):
        raise RefusedError(400, "'body.storage' must hold a representation and a value")
    if storage.get("representation") != "storage":
        raise RefusedError(400, f"Body representation {storage.get('representation')} is not accepted here")
    return str(storage["value"])


_ONE = "/rest/api/content/{}"
ROUTES = (
    ("GET", "/rest/api/content", list_content),
    ("POST", "/rest/api/content", create_content),
    ("GET", "/rest/api/content/scan", scan_content),
    ("GET", "/rest/api/content/search", search_content),
    ("GET", _ONE, get_content),
    ("PUT", _ONE, update_content),
    ("DELETE", _ONE, delete_content),
    ("GET", f"{_ONE}/history", get_history),
    ("DELETE", f"{_ONE}/version/{{}}", delete_version),
    ("GET", f"{_ONE}/child/page", list_children),
    ("GET", f"{_ONE}/child/comment", list_comments),
    ("GET", "/rest/api/space", list_spaces),
    ("GET", "/rest/api/space/{}", get_space),
    ("GET", "/rest/api/space/{}/content/page", list_space_content),
    ("GET", "/rest/api/search", search),
    ("POST", "/rest/api/contentbody/convert/{}", convert_body),
)
