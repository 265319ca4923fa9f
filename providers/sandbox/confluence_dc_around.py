"""What hangs on a page in Confluence Data Center's REST API, and who works on it: properties, labels, watches,
restrictions, inline comments, tasks, people."""

import json

from providers.sandbox import confluence_body as bodies
from providers.sandbox import confluence_dc_shapes as shapes
from providers.sandbox.confluence_call import Call, Json, answer
from providers.sandbox.confluence_records import Account, Comment, Page, Property, RefusedError, Version
from providers.sandbox.wire import Reply

_PROPERTY_BYTES = 32 * 1024
_OPERATIONS = ("read", "update")


# --- properties, by key ---


def list_properties(call: Call) -> Reply:
    """GET /content/{id}/property."""
    page = call.page()
    known = list(page.properties.values())
    return shapes.listing(call, known, lambda one: shapes.content_property(call.site, page.id, one), default=10)


def get_property(call: Call) -> Reply:
    """GET /content/{id}/property/{key}."""
    page = call.page()
    return answer(200, shapes.content_property(call.site, page.id, _known(call, page)))


def create_property(call: Call) -> Reply:
    """POST /content/{id}/property, with the key in the body or in the path."""
    page, data = call.editable(), call.object()
    key = call.args[1] if len(call.args) > 1 else str(data.get("key") or "")
    if not key or any(one.key == key for one in page.properties.values()):
        raise RefusedError(400, f"A property needs a key that content {page.id} does not have yet")
    made = call.site.add_property(page, key, _value(data), call.account)
    return answer(200, shapes.content_property(call.site, page.id, made))


def put_property(call: Call) -> Reply:
    """PUT /content/{id}/property/{key}; version 1 makes it."""
    page, data = call.editable(), call.object()
    version, value = data.get("version"), _value(data)
    number = version.get("number") if isinstance(version, dict) else None
    if data.get("key", call.args[1]) != call.args[1] or not isinstance(number, int):
        raise RefusedError(400, "The key cannot change, and 'version.number' must be given")
    if number == 1 and not any(one.key == call.args[1] for one in page.properties.values()):
        made = call.site.add_property(page, call.args[1], value, call.account)
        return answer(200, shapes.content_property(call.site, page.id, made))
    known = _known(call, page)
    call.site.require_next(known.version.number, number)
    known.value, known.version = value, Version(number, "", "", "", call.account.id, call.site.clock())
    return answer(200, shapes.content_property(call.site, page.id, known))


def delete_property(call: Call) -> Reply:
    """DELETE /content/{id}/property/{key}."""
    page = call.editable()
    del page.properties[_known(call, page).id]
    return answer(204, None)


# --- labels, watches, restrictions ---


def list_labels(call: Call) -> Reply:
    """GET /content/{id}/label."""
    shown = call.page().labels if call.one("prefix", "global") == "global" else {}
    return shapes.listing(call, list(shown), lambda name: shapes.label(name, shown[name].id), default=200)


def add_labels(call: Call) -> Reply:
    """POST /content/{id}/label: one or a list; adds, never replaces, and makes no version."""
    page = call.editable()
    for item in call.data if isinstance(call.data, list) else [call.data]:
        name = item.get("name") if isinstance(item, dict) else None
        if not isinstance(name, str) or not name or any(blank in name for blank in " \t\n,"):
            raise RefusedError(400, "A label needs a name without blanks or commas")
        call.site.add_label(page, name.lower())
    return shapes.listing(call, list(page.labels), lambda name: shapes.label(name, page.labels[name].id), default=200)


def delete_label(call: Call) -> Reply:
    """DELETE /content/{id}/label?name= and the form with the name in the path."""
    page, name = call.editable(), call.args[1] if len(call.args) > 1 else call.one("name")
    if page.labels.pop(name, None) is None:
        raise RefusedError(404, f"Label {name} is not on content {page.id}")
    return answer(204, None)


def is_watching(call: Call) -> Reply:
    """GET /user/watch/content/{id}."""
    return answer(200, {"watching": _whose(call).id in call.page().watchers})


def watch(call: Call) -> Reply:
    """POST /user/watch/content/{id}."""
    call.page().watchers.add(_whose(call).id)
    return answer(200, None)


def unwatch(call: Call) -> Reply:
    """DELETE /user/watch/content/{id}."""
    call.page().watchers.discard(_whose(call).id)
    return answer(204, None)


def restrictions(call: Call) -> Reply:
    """GET /content/{id}/restriction/byOperation."""
    page = call.page()
    return answer(200, {name: _restriction(call, page, name) for name in _OPERATIONS})


def put_restrictions(call: Call) -> Reply:
    """PUT /content/{id}/restriction: the operations that are named, whole."""
    page, given = call.editable(), call.data
    if not isinstance(given, list):
        raise RefusedError(400, "A list of restrictions is expected")
    for one in given:
        people = one.get("restrictions", {}).get("user", []) if isinstance(one, dict) else None
        if not isinstance(people, list) or one.get("operation") not in _OPERATIONS:
            raise RefusedError(400, "A restriction names an operation and users")
        allowed = {_account(call, str(who.get("userKey", "")), str(who.get("username", ""))).id for who in people}
        if allowed and call.account.id not in allowed:
            raise RefusedError(403, "Nobody can take the page away from themselves")
        page.restrictions[one["operation"]] = allowed
    return shapes.listing(call, _OPERATIONS, lambda name: _restriction(call, page, name))


# --- the plugins' own resources, which the web interface uses ---


def list_inline_comments(call: Call) -> Reply:
    """GET /rest/inlinecomments/1.0/comments?containerId=: a bare list."""
    page = call.site.visible(call.one("containerId"), call.account)
    found = [one for one in call.site.comments.values() if one.page_id == page.id and one.inline and one.parent_id is None]
    return answer(200, [_inline_comment(call, one) for one in found])


def create_inline_comment(call: Call) -> Reply:
    """POST /rest/inlinecomments/1.0/comments: puts its marker into the page's body, without a new version."""
    data = call.object()
    page = call.site.visible(str(data.get("containerId") or ""), call.account)
    selection, index = data.get("originalSelection"), data.get("matchIndex")
    if not isinstance(selection, str) or not isinstance(index, int) or not isinstance(data.get("body"), str):
        raise RefusedError(400, "'originalSelection', 'matchIndex' and 'body' must be given")
    found = bodies.occurrences(page.body, selection)
    if data.get("numMatches") != found or not 0 <= index < found:
        raise RefusedError(400, f"The selection matches {found} times on the page")
    made = call.site.add_comment(page, str(data["body"]), call.account, None, True)
    call.site.anchor(page, made, selection, index)
    return answer(200, _inline_comment(call, made))


def resolve_inline_comment(call: Call) -> Reply:
    """PUT /rest/inlinecomments/1.0/comments/{id}/resolve/{bool}/dangling/{bool}."""
    comment = call.site.comments.get(call.args[0])
    if comment is None or not comment.inline:
        raise RefusedError(404, f"Cannot find comment with id {call.args[0]}")
    call.site.visible(comment.page_id, call.account)
    resolved = call.args[1] == "true"
    comment.reopened = comment.reopened or (comment.resolved and not resolved)
    comment.resolved = resolved
    return answer(200, _inline_comment(call, comment))


def set_task(call: Call) -> Reply:
    """POST /rest/inlinetasks/1/task/{page}/{task}: the status only, which edits the page and makes a version."""
    page, status = call.editable(), call.object().get("status")
    if status not in ("CHECKED", "UNCHECKED"):
        raise RefusedError(400, "'status' must be CHECKED or UNCHECKED")
    call.site.set_task(call.site.task_on(page.id, call.args[1]), status == "CHECKED", call.account)
    return answer(200, {"id": int(call.args[1]), "status": status})


# --- people ---


def current_user(call: Call) -> Reply:
    """GET /user/current."""
    return answer(200, shapes.person(call.site, call.account))


def get_user(call: Call) -> Reply:
    """GET /user?key= or ?username=."""
    return answer(200, shapes.person(call.site, _account(call, call.one("key"), call.one("username"))))


def list_users(call: Call) -> Reply:
    """GET /user/list."""
    return shapes.listing(call, list(call.site.accounts.values()), lambda one: shapes.person(call.site, one), default=100)


def _known(call: Call, page: Page) -> Property:
    known = next((one for one in page.properties.values() if one.key == call.args[1]), None)
    if known is None:
        raise RefusedError(404, f"Cannot find property {call.args[1]} on content {page.id}")
    return known


def _value(data: Json) -> object:
    if "value" not in data:
        raise RefusedError(400, "'value' must be given")
    if len(json.dumps(data["value"], ensure_ascii=False).encode()) > _PROPERTY_BYTES:
        raise RefusedError(413, "The value is too long, at most 32768 bytes of JSON are kept")
    return data["value"]


def _whose(call: Call) -> Account:
    """Whose watch is meant: somebody who is named, else whoever asks."""
    key, username = call.one("key"), call.one("username")
    return _account(call, key, username) if key or username else call.account


def _account(call: Call, key: str, username: str) -> Account:
    for one in call.site.accounts.values():
        if one.id == key or (username and one.username.casefold() == username.casefold()):
            return one
    raise RefusedError(404, f"No user found with key : {key or username}")


def _restriction(call: Call, page: Page, operation: str) -> Json:
    allowed = [shapes.person(call.site, call.site.accounts[one]) for one in sorted(page.restrictions.get(operation, set()))]
    people = {"results": allowed, "start": 0, "limit": 200, "size": len(allowed)}
    groups = {"results": [], "start": 0, "limit": 200, "size": 0}
    path = f"{call.site.base_url}/rest/api/content/{page.id}/restriction/byOperation/{operation}"
    return {"operation": operation, "restrictions": {"user": people, "group": groups}, "_links": {"self": path}}


def _inline_comment(call: Call, of: Comment) -> Json:
    newest, state = of.versions[-1], call.site.resolution(of)
    author = call.site.accounts[newest.author_id]
    return {
        "id": int(of.id),
        "containerId": of.page_id,
        "originalSelection": of.selection,
        "markerRef": of.ref,
        "body": newest.body,
        "authorDisplayName": author.name,
        "authorUserName": author.username,
        "resolveProperties": {"resolved": of.resolved, "resolvedDangling": state == "dangling"},
        "deleted": False,
    }


_ONE = "/rest/api/content/{}"
_INLINE = "/rest/inlinecomments/1.0/comments"
_WATCH = "/rest/api/user/watch/content/{}"
ROUTES = (
    ("GET", f"{_ONE}/property", list_properties),
    ("POST", f"{_ONE}/property", create_property),
    ("GET", f"{_ONE}/property/{{}}", get_property),
    ("POST", f"{_ONE}/property/{{}}", create_property),
    ("PUT", f"{_ONE}/property/{{}}", put_property),
    ("DELETE", f"{_ONE}/property/{{}}", delete_property),
    ("GET", f"{_ONE}/label", list_labels),
    ("POST", f"{_ONE}/label", add_labels),
    ("DELETE", f"{_ONE}/label", delete_label),
    ("DELETE", f"{_ONE}/label/{{}}", delete_label),
    ("GET", f"{_ONE}/restriction/byOperation", restrictions),
    ("PUT", f"{_ONE}/restriction", put_restrictions),
    ("GET", _WATCH, is_watching),
    ("POST", _WATCH, watch),
    ("DELETE", _WATCH, unwatch),
    ("GET", _INLINE, list_inline_comments),
    ("POST", _INLINE, create_inline_comment),
    ("PUT", f"{_INLINE}/{{}}/resolve/{{}}/dangling/{{}}", resolve_inline_comment),
    ("POST", "/rest/inlinetasks/1/task/{}/{}", set_task),
    ("POST", "/rest/inlinetasks/1/task/{}/{}/", set_task),
    ("GET", "/rest/api/user/current", current_user),
    ("GET", "/rest/api/user/list", list_users),
    ("GET", "/rest/api/user", get_user),
)
