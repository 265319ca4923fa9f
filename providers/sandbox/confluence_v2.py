"""Confluence Cloud's REST API v2 over a `Site`: one function per operation and the table that finds them.

Bodies are spoken in `storage` only; the service's other representations are refused rather than imitated.
"""

import json
from collections.abc import Callable
from dataclasses import replace

from providers.sandbox import confluence_body as bodies
from providers.sandbox import confluence_shapes as shapes
from providers.sandbox.confluence_call import Call, Json, answer, listing
from providers.sandbox.confluence_records import Comment, Page, Property, RefusedError, Task, Version
from providers.sandbox.confluence_site import Site
from providers.sandbox.wire import Reply

_STATUSES = "current archived deleted trashed"
_SORTS = "id -id created-date -created-date modified-date -modified-date title -title"
_PROPERTY_BYTES = 32 * 1024
_INT32 = 2**31


def create_page(call: Call) -> Reply:
    """POST /pages."""
    data = call.object()
    draft = _status(data, "current") == "draft"
    title = _text(data, "title", required=not draft)
    space_id = _text(data, "spaceId", required=True)
    text = _body(data)
    if call.site.spaces.get(space_id) is None:
        raise RefusedError(404, f"Cannot find space with id {space_id}")
    home = None if call.flag("root-level") else call.site.spaces[space_id].homepage_id
    parent = _text(data, "parentId") or home
    if call.flag("root-level") and data.get("parentId"):
        raise RefusedError(400, "parentId cannot be given for a root-level page")
    page = call.site.create(space_id, title, text, call.account, parent_id=parent, draft=draft)
    page.live = data.get("subtype") == "live"
    return answer(200, shapes.page(call.site, page, "storage"))


def get_page(call: Call) -> Reply:
    """GET /pages/{id}."""
    page = call.page()
    wanted = _format(call)
    statuses = call.choices("status", "current archived trashed deleted historical draft")
    shown = call.site.version(page, call.number("version", 0, 0)) if call.one("version") else None
    draft = shown is None and page.draft is not None and (call.flag("get-draft") or statuses == ["draft"])
    content = shapes.page(call.site, page, wanted, shown=shown, draft=draft)
    if statuses and content["status"] not in statuses:
        raise RefusedError(404, f"Cannot find content with id {page.id} and that status")
    return answer(200, {**content, **_included(call, page)})


def list_pages(call: Call) -> Reply:
    """GET /pages."""
    ids, spaces = call.numbers("id"), call.numbers("space-id")
    pages = [p for p in _filtered(call) if (not ids or p.id in ids) and (not spaces or p.space_id in spaces)]
    return _pages(call, pages)


def list_space_pages(call: Call) -> Reply:
    """GET /spaces/{id}/pages."""
    if call.args[0] not in call.site.spaces:
        raise RefusedError(404, f"Cannot find space with id {call.args[0]}")
    home = call.site.spaces[call.args[0]].homepage_id
    root = call.choice("depth", "all root", "all") == "root"
    pages = [p for p in _filtered(call) if p.space_id == call.args[0]]
    return _pages(call, [p for p in pages if not root or p.parent_id in (None, home)])


def update_page(call: Call) -> Reply:
    """PUT /pages/{id}."""
    data, page = call.object(), call.editable()
    if _text(data, "id", required=True) != page.id:
        raise RefusedError(400, "The id in the path and in the body differ")
    status = _status(data, None)
    title, text, number = _text(data, "title", required=True), _body(data), _version_number(data)
    if _text(data, "spaceId") not in ("", page.space_id):
        raise RefusedError(400, "A page cannot change its space")
    if page.status == "archived":
        raise RefusedError(400, "Archived content cannot be updated")
    if page.status == "trashed":
        return _restore(call, page, status, number)
    if status == "draft":
        return _save_draft(call, page, title, text, number)
    owner, parent = _text(data, "ownerId") or page.owner_id, _text(data, "parentId") or page.parent_id
    _require_movable(call, page, parent)
    call.site.update(page, number, title, text, call.account, message=_message(data))
    call.site.move_page(page, parent)
    page.owner_id = owner
    return answer(200, shapes.page(call.site, page, "storage"))


def rename_page(call: Call) -> Reply:
    """PUT /pages/{id}/title."""
    data, page = call.object(), call.editable()
    status, title = _status(data, None), _text(data, "title", required=True)
    if status == "draft" or page.status != "current":
        raise RefusedError(400, f"Only a current title can be changed here, the page is {page.status}")
    call.site.rename(page, title, call.account)
    return answer(200, shapes.page(call.site, page, ""))


def delete_page(call: Call) -> Reply:
    """DELETE /pages/{id}, with `purge` or `draft`."""
    page = call.editable()
    if call.flag("draft"):
        _discard_draft(call.site, page)
    elif not call.flag("purge"):
        call.site.trash_page(page)
    elif page.status != "trashed":
        raise RefusedError(400, "Only trashed content can be purged")
    else:
        call.site.purge(page)
    return answer(204, None)


def list_spaces(call: Call) -> Reply:
    """GET /spaces."""
    keys, ids = call.many("keys"), call.numbers("ids")
    found = [s for s in call.site.spaces.values() if (not keys or s.key in keys) and (not ids or s.id in ids)]
    author = next(iter(call.site.accounts))
    return listing(call, found, lambda space: space.id, lambda space: shapes.space(space, author))


def get_space(call: Call) -> Reply:
    """GET /spaces/{id}."""
    space = call.site.spaces.get(call.args[0])
    if space is None:
        raise RefusedError(404, f"Cannot find space with id {call.args[0]}")
    return answer(200, shapes.space(space, next(iter(call.site.accounts))))


def list_versions(call: Call) -> Reply:
    """GET /pages/{id}/versions, newest first."""
    page = call.page()
    wanted = _format(call)
    newest_first = call.choice("sort", "modified-date -modified-date", "-modified-date").startswith("-")
    versions = page.versions[::-1] if newest_first else page.versions

    def shape(version: Version) -> Json:
        inner = {"id": page.id, "title": version.title, "body": shapes.body(version.body, wanted)}
        return {**shapes.version(version), "page": inner}

    return listing(call, versions, lambda version: str(version.number), shape)


def get_version(call: Call) -> Reply:
    """GET /pages/{id}/versions/{n}."""
    page = call.page()
    version = call.site.version(page, int(call.args[1]))
    around = {"prevVersion": version.number - 1, "nextVersion": version.number + 1}
    known = {key: number for key, number in around.items() if 1 <= number <= page.number}
    extra = {"contentTypeModified": False, "collaborators": [version.author_id]}
    return answer(200, {**shapes.version(version), **extra, **known})


def list_labels(call: Call) -> Reply:
    """GET /pages/{id}/labels."""
    page = call.page()
    shown = call.choice("prefix", "my team global system", "global") == "global"
    labels = [(name, one.id) for name, one in page.labels.items() if shown and call.site.listed(one.added_at)]
    return listing(call, labels, lambda item: item[1], lambda item: shapes.label(*item))


def list_properties(call: Call) -> Reply:
    """GET /pages/{id}/properties."""
    page, key = call.page(), call.one("key")
    known_by_now = (known for known in page.properties.values() if _listed(call, known))
    found = [known for known in known_by_now if key in ("", known.key)]
    return listing(call, found, lambda known: known.id, shapes.content_property)


def create_property(call: Call) -> Reply:
    """POST /pages/{id}/properties."""
    page, data = call.editable(), call.object()
    key, value = _property(data)
    return answer(200, shapes.content_property(call.site.add_property(page, key, value, call.account)))


def get_property(call: Call) -> Reply:
    """GET /pages/{id}/properties/{property id}."""
    return answer(200, shapes.content_property(_known_property(call)))


def update_property(call: Call) -> Reply:
    """PUT /pages/{id}/properties/{property id}."""
    known, data = _known_property(call), call.object()
    key, value = _property(data)
    if key != known.key:
        raise RefusedError(400, "The key of a property cannot change")
    number = _version_number(data)
    if sum(one.key == key for one in call.page().properties.values()) > 1:
        raise RefusedError(400, f"There are several properties with key {key} on content {call.args[0]}")
    call.site.require_next(known.version.number, number)
    known.value = value
    known.version = Version(number, "", "", _message(data), call.account.id, call.site.clock())
    return answer(200, shapes.content_property(known))


def delete_property(call: Call) -> Reply:
    """DELETE /pages/{id}/properties/{property id}."""
    known = _known_property(call)
    del call.editable().properties[known.id]
    return answer(204, None)


def list_footer_comments(call: Call) -> Reply:
    """GET /pages/{id}/footer-comments."""
    return _comments(call, _top_comments(call, inline=False))


def list_inline_comments(call: Call) -> Reply:
    """GET /pages/{id}/inline-comments."""
    wanted = call.choices("resolution-status", "resolved open dangling reopened")
    found = _top_comments(call, inline=True)
    return _comments(call, [c for c in found if not wanted or call.site.resolution(c) in wanted])


def list_replies(call: Call) -> Reply:
    """GET /inline-comments/{id}/children and the footer one."""
    parent = _comment(call)
    return _comments(call, [c for c in call.site.comments.values() if c.parent_id == parent.id])


def create_footer_comment(call: Call) -> Reply:
    """POST /footer-comments."""
    page, parent = _place(call, inline=False)
    comment = call.site.add_comment(page, _body(call.object()), call.account, parent, False)
    return answer(201, shapes.comment(call.site, comment, "storage"))


def create_inline_comment(call: Call) -> Reply:
    """POST /inline-comments: puts its marker into the page's body, without a new version."""
    page, parent = _place(call, inline=True)
    text = _body(call.object())
    selection, index = ("", 0) if parent else _selection(call, page)
    comment = call.site.add_comment(page, text, call.account, parent, True)
    if parent is None:
        call.site.anchor(page, comment, selection, index)
    return answer(201, shapes.comment(call.site, comment, "storage"))


def get_comment(call: Call) -> Reply:
    """GET /inline-comments/{id} and the footer one."""
    return answer(200, shapes.comment(call.site, _comment(call), _format(call)))


def update_comment(call: Call) -> Reply:
    """PUT /inline-comments/{id} and the footer one; a dangling comment refuses."""
    comment, data = _comment(call), call.object()
    top = comment.inline and comment.parent_id is None
    if top and call.site.resolution(comment) == "dangling":
        raise RefusedError(400, "Cannot update a dangling inline comment")
    call.site.update_comment(comment, _version_number(data), _body(data) if "body" in data else None, call.account)
    resolved = data.get("resolved")
    if top and isinstance(resolved, bool):
        comment.reopened = comment.reopened or (comment.resolved and not resolved)
        comment.resolved = resolved
    return answer(200, shapes.comment(call.site, comment, "storage"))


def delete_comment(call: Call) -> Reply:
    """DELETE /inline-comments/{id} and the footer one, with its replies."""
    comment = _comment(call)
    kept = call.site.comments.values()
    call.site.comments = {c.id: c for c in kept if comment.id not in (c.id, c.parent_id)}
    return answer(204, None)


def list_tasks(call: Call) -> Reply:
    """GET /tasks."""
    ids, pages, spaces = (call.numbers(name) for name in ("task-id", "page-id", "space-id"))
    status, wanted, people = call.choice("status", "complete incomplete"), _format(call), call.many("assigned-to")

    def fits(task: Task, page: Page) -> bool:
        word = "complete" if task.content.done else "incomplete"
        return (
            page.status == "current"
            and (not ids or task.id in ids)
            and (not pages or page.id in pages)
            and (not spaces or page.space_id in spaces)
            and status in ("", word)
            and (not people or task.content.assignee in people)
        )

    visible = {page.id: page for page in call.site.visible_pages(call.account)}
    latest = call.site.clock() - call.site.task_lag
    arrived = (t for t in call.site.tasks.values() if t.page_id in visible and t.created_at <= latest)
    found = [task for task in arrived if fits(task, visible[task.page_id])]
    return listing(call, found, lambda task: task.id, lambda task: shapes.task(call.site, task, wanted))


def get_task(call: Call) -> Reply:
    """GET /tasks/{id}."""
    return answer(200, shapes.task(call.site, _task(call), _format(call)))


def update_task(call: Call) -> Reply:
    """PUT /tasks/{id}: the status only, which edits the page and makes a version."""
    task = _task(call)
    status = call.object().get("status")
    if status not in ("complete", "incomplete"):
        raise RefusedError(400, "'status' must be complete or incomplete")
    call.site.set_task(task, status == "complete", call.account)
    return answer(200, shapes.task(call.site, task, _format(call)))


def users_bulk(call: Call) -> Reply:
    """POST /users-bulk; unknown ids are left out."""
    ids = call.object().get("accountIds")
    if not isinstance(ids, list) or not 1 <= len(ids) <= 250:
        raise RefusedError(400, "'accountIds' must be a list of 1 to 250 ids")
    found = [shapes.account(account) for key, account in call.site.accounts.items() if key in ids]
    return answer(200, {"results": found, "_links": {"base": call.site.base_url}})


def convert_ids(call: Call) -> Reply:
    """POST /content/convert-ids-to-types; unknown ids are null."""
    ids = call.object().get("contentIds")
    if not isinstance(ids, list):
        raise RefusedError(400, "'contentIds' must be a list")
    return answer(200, {"results": {str(content_id): _kind(call.site, str(content_id)) for content_id in ids}})


def _kind(site: Site, content_id: str) -> str | None:
    if content_id in site.content:
        return site.content[content_id].kind
    comment = site.comments.get(content_id)
    return None if comment is None else "inline-comment" if comment.inline else "footer-comment"


def _format(call: Call) -> str:
    return call.choice("body-format", "storage")


def _page_id(page: Page) -> str:
    return page.id


def _filtered(call: Call) -> list[Page]:
    statuses, title = call.choices("status", _STATUSES, "current archived"), call.one("title")
    kind = call.choice("subtype", "live page")
    listed = (page for page in call.site.visible_pages(call.account) if call.site.listed(page.created_at))
    pages = (page for page in listed if page.status in statuses)
    return [p for p in pages if title in ("", p.title) and kind in ("", "live" if p.live else "page")]


def _pages(call: Call, pages: list[Page]) -> Reply:
    sort, wanted = call.choice("sort", _SORTS, "id"), _format(call)
    orders: dict[str, Callable[[Page], tuple[object, ...]]] = {
        "id": lambda page: (),
        "created-date": lambda page: (page.created_at,),
        "modified-date": lambda page: (page.versions[-1].created_at,),
        "title": lambda page: (page.title.casefold(),),
    }
    order = orders[sort.removeprefix("-")]
    pages.sort(key=lambda page: (*order(page), int(page.id)), reverse=sort.startswith("-"))
    return listing(call, pages, _page_id, lambda page: shapes.page(call.site, page, wanted))


def _included(call: Call, page: Page) -> Json:
    path = f"{call.path}/"
    parts: dict[str, list[Json]] = {
        "labels": [shapes.label(name, one.id) for name, one in page.labels.items()],
        "properties": [shapes.content_property(known) for known in page.properties.values()],
        "versions": [shapes.version(version) for version in page.versions[::-1]],
    }
    return {name: shapes.included(items, path + name) for name, items in parts.items() if call.flag(f"include-{name}")}


def _restore(call: Call, page: Page, status: str, number: int) -> Reply:
    if status != "current":
        raise RefusedError(400, "A trashed page can only become current")
    call.site.require_next(page.number, number)
    call.site.restore_page(page, call.account)
    return answer(200, shapes.page(call.site, page, "storage"))


def _save_draft(call: Call, page: Page, title: str, text: str, number: int) -> Reply:
    if number != 1:
        raise RefusedError(400, "A draft is saved with version number 1")
    call.site.normalised_draft(page, title, text, call.account)
    return answer(200, shapes.page(call.site, page, "storage", draft=True))


def _require_movable(call: Call, page: Page, parent_id: str | None) -> None:
    """Refuse a bad parent before anything is written."""
    if parent_id != page.parent_id:
        call.site.require_move(page, parent_id)


def _discard_draft(site: Site, page: Page) -> None:
    if page.draft is None:
        raise RefusedError(404, f"Content {page.id} has no draft")
    page.draft = None
    if not page.versions:
        site.purge(page)


def _listed(call: Call, known: Property) -> bool:
    """A new property appears late in lists, a changed one at once."""
    return known.version.number > 1 or call.site.listed(known.version.created_at)


def _known_property(call: Call) -> Property:
    page = call.page()
    known = page.properties.get(call.args[1])
    if known is None:
        raise RefusedError(404, f"Cannot find property {call.args[1]} on content {page.id}")
    return known


def _property(data: Json) -> tuple[str, object]:
    if "value" not in data:
        raise RefusedError(400, "'value' must be given")
    if len(json.dumps(data["value"], ensure_ascii=False).encode()) > _PROPERTY_BYTES:
        raise RefusedError(400, "The value is too long, at most 32768 bytes of JSON are kept")
    return _text(data, "key", required=True), data["value"]


def _top_comments(call: Call, inline: bool) -> list[Comment]:
    page = call.page()
    comments = (c for c in call.site.comments.values() if c.page_id == page.id and c.parent_id is None)
    return [comment for comment in comments if comment.inline == inline]


def _comments(call: Call, found: list[Comment]) -> Reply:
    wanted = _format(call)
    return listing(call, found, lambda c: c.id, lambda c: shapes.comment(call.site, c, wanted))


def _comment(call: Call) -> Comment:
    inline = "inline-comments" in call.path
    comment = call.site.comments.get(call.args[0])
    if comment is None or comment.inline != inline:
        raise RefusedError(404, f"Cannot find comment with id {call.args[0]}")
    call.site.visible(comment.page_id, call.account)
    return comment


def _place(call: Call, inline: bool) -> tuple[Page, str | None]:
    data = call.object()
    parent_id, page_id = _text(data, "parentCommentId"), _text(data, "pageId")
    if bool(parent_id) == bool(page_id):
        raise RefusedError(400, "Exactly one of pageId and parentCommentId must be given")
    if page_id:
        return call.site.visible(page_id, call.account), None
    parent = _comment(replace(call, args=(parent_id,)))
    return call.site.visible(parent.page_id, call.account), parent.id


def _selection(call: Call, page: Page) -> tuple[str, int]:
    given = call.object().get("inlineCommentProperties")
    if not isinstance(given, dict):
        raise RefusedError(400, "'inlineCommentProperties' must be given")
    selection, index = _text(given, "textSelection", required=True), _integer(given, "textSelectionMatchIndex")
    found = bodies.occurrences(page.body, selection) if page.versions else 0
    if _integer(given, "textSelectionMatchCount") != found or not 0 <= index < found:
        raise RefusedError(400, f"The selection matches {found} times on the page")
    return selection, index


def _task(call: Call) -> Task:
    task = call.site.tasks.get(call.args[0])
    if task is None or call.site.visible(task.page_id, call.account).status != "current":
        raise RefusedError(404, f"Cannot find task with id {call.args[0]}")
    return task


def _text(data: Json, name: str, required: bool = False) -> str:
    value = data.get(name)
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if text is None or text == "":
        if required:
            raise RefusedError(400, f"'{name}' must not be null or empty")
        return ""
    if not isinstance(text, str):
        raise RefusedError(400, f"'{name}' must be a string")
    return text


def _integer(data: Json, name: str) -> int:
    value = data.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not -_INT32 <= value < _INT32:
        raise RefusedError(400, f"'{name}' must be a whole number")
    return value


def _status(data: Json, default: str | None) -> str:
    status = data.get("status", default)
    if status not in ("current", "draft"):
        raise RefusedError(400, "'status' must be current or draft")
    return str(status)


def _message(data: Json) -> str:
    version = data.get("version")
    return _text(version, "message") if isinstance(version, dict) else ""


def _version_number(data: Json) -> int:
    version = data.get("version")
    if not isinstance(version, dict) or version.get("number") is None:
        raise RefusedError(400, "Must supply an incremented version when updating content")
    return _integer(version, "number")


def _body(data: Json) -> str:
    """The storage text of a flat or nested body."""
    given = data.get("body")
    flat = given.get("storage", given) if isinstance(given, dict) else None
    if not isinstance(flat, dict) or not isinstance(flat.get("value"), str):
        raise RefusedError(400, "'body' must hold a representation and a value")
    if flat.get("representation") != "storage":
        raise RefusedError(400, f"Body representation {flat.get('representation')} is not accepted here")
    return str(flat["value"])


_PAGE = "/api/v2/pages/{}"
ROUTES: tuple[tuple[str, str, Callable[[Call], Reply]], ...] = (
    ("POST", "/api/v2/pages", create_page),
    ("GET", "/api/v2/pages", list_pages),
    ("GET", _PAGE, get_page),
    ("PUT", _PAGE, update_page),
    ("DELETE", _PAGE, delete_page),
    ("PUT", f"{_PAGE}/title", rename_page),
    ("GET", f"{_PAGE}/versions", list_versions),
    ("GET", f"{_PAGE}/versions/{{}}", get_version),
    ("GET", f"{_PAGE}/labels", list_labels),
    ("GET", f"{_PAGE}/properties", list_properties),
    ("POST", f"{_PAGE}/properties", create_property),
    ("GET", f"{_PAGE}/properties/{{}}", get_property),
    ("PUT", f"{_PAGE}/properties/{{}}", update_property),
    ("DELETE", f"{_PAGE}/properties/{{}}", delete_property),
    ("GET", f"{_PAGE}/footer-comments", list_footer_comments),
    ("GET", f"{_PAGE}/inline-comments", list_inline_comments),
    ("GET", "/api/v2/spaces", list_spaces),
    ("GET", "/api/v2/spaces/{}", get_space),
    ("GET", "/api/v2/spaces/{}/pages", list_space_pages),
    *(
        route
        for kind, create in (("footer", create_footer_comment), ("inline", create_inline_comment))
        for route in (
            ("POST", f"/api/v2/{kind}-comments", create),
            ("GET", f"/api/v2/{kind}-comments/{{}}", get_comment),
            ("PUT", f"/api/v2/{kind}-comments/{{}}", update_comment),
            ("DELETE", f"/api/v2/{kind}-comments/{{}}", delete_comment),
            ("GET", f"/api/v2/{kind}-comments/{{}}/children", list_replies),
        )
    ),
    ("GET", "/api/v2/tasks", list_tasks),
    ("GET", "/api/v2/tasks/{}", get_task),
    ("PUT", "/api/v2/tasks/{}", update_task),
    ("POST", "/api/v2/users-bulk", users_bulk),
    ("POST", "/api/v2/content/convert-ids-to-types", convert_ids),
)
