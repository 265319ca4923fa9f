"""What is left of Confluence Cloud's REST API v1: search, label writes, moves, version restore, watching, restrictions,
archiving, the current user.

Reads and writes of content itself are gone from v1 and answer 410. Every call that changes something wants the
`X-Atlassian-Token: no-check` header.
"""

from collections.abc import Callable

from providers.sandbox.confluence_call import Call, Json, answer, cursor_after, next_path, start_of
from providers.sandbox.confluence_markup import parse, text_of
from providers.sandbox.confluence_records import Account, Page, RefusedError, Version
from providers.sandbox.confluence_search import pages_found, people_found
from providers.sandbox.confluence_shapes import stamp
from providers.sandbox.wire import Reply

_OPERATIONS = ("read", "update")
_GONE = "GoneException: This deprecated endpoint has been removed."


def current_user(call: Call) -> Reply:
    """GET /rest/api/user/current."""
    return answer(200, _user(call, call.account))


def add_labels(call: Call) -> Reply:
    """POST /rest/api/content/{id}/label: adds, never replaces, and makes no version."""
    page = _page(call)
    given = call.data if isinstance(call.data, list) else [call.data]
    for name in [_label_name(item) for item in given]:
        call.site.add_label(page, name)
    labels = [{"prefix": "global", "name": name, "id": one.id, "label": name} for name, one in page.labels.items()]
    shown: Json = {"results": labels, "start": 0, "limit": 200, "size": len(labels), "_links": _links(call)}
    return answer(200, shown)


def delete_label(call: Call) -> Reply:
    """DELETE /rest/api/content/{id}/label?name= and the form with the name in the path."""
    page = _page(call)
    name = call.args[1] if len(call.args) > 1 else call.one("name")
    if name not in page.labels:
        raise RefusedError(404, f"Label {name} is not on content {page.id}")
    del page.labels[name]
    return answer(204, None)


def watching(call: Call) -> Reply:
    """GET /rest/api/user/watch/content/{id}: whether the caller watches a page."""
    return answer(200, {"watching": call.account.id in call.page().watchers})


def watch(call: Call) -> Reply:
    """POST /rest/api/user/watch/content/{id}."""
    _page(call).watchers.add(call.account.id)
    return answer(204, None)


def unwatch(call: Call) -> Reply:
    """DELETE /rest/api/user/watch/content/{id}."""
    _page(call).watchers.discard(call.account.id)
    return answer(204, None)


def move(call: Call) -> Reply:
    """PUT /rest/api/content/{id}/move/{before|after|append}/{target}."""
    page, target = _page(call), call.site.visible(call.args[2], call.account)
    if call.args[1] not in ("before", "after", "append"):
        raise RefusedError(400, "position must be before, after or append")
    if call.args[1] == "append":
        call.site.move_page(page, target.id)
    else:
        call.site.move_beside(page, target, after=call.args[1] == "after")
    return answer(200, {"pageId": page.id})


def restore_version(call: Call) -> Reply:
    """POST /rest/api/content/{id}/version: appends the old content as the newest version."""
    page, data = _page(call), call.object()
    params = data.get("params")
    number = params.get("versionNumber") if isinstance(params, dict) else None
    if data.get("operationKey") != "restore" or not isinstance(params, dict) or not isinstance(number, int):
        raise RefusedError(400, "operationKey restore with params.versionNumber is expected")
    message, with_title = str(params.get("message") or ""), params.get("restoreTitle") is True
    call.site.restore_version(page, number, call.account, message, with_title)
    newest = page.versions[-1]
    when = {"when": stamp(newest.created_at), "by": _user(call, call.account), "minorEdit": False}
    return answer(200, {"number": newest.number, "message": newest.message, **when})


def delete_version(call: Call) -> Reply:
    """DELETE /rest/api/content/{id}/version/{n}: renumbers the later ones."""
    page = _page(call)
    if not call.args[1].isdecimal() or len(call.args[1]) > 9:
        raise RefusedError(400, "The version must be a number")
    call.site.delete_version(page, int(call.args[1]))
    return answer(204, None)


def restrictions(call: Call) -> Reply:
    """GET /rest/api/content/{id}/restriction/byOperation."""
    page = call.page()
    links = {"_links": {"self": f"{call.site.base_url}{call.path}"}}
    return answer(200, {name: _restriction(call, page, name) for name in _OPERATIONS} | links)


def put_restrictions(call: Call) -> Reply:
    """PUT /rest/api/content/{id}/restriction: all that are named, in place of those that were."""
    page, given = _page(call), call.data
    if isinstance(given, dict):
        given = given.get("results")
    if not isinstance(given, list):
        raise RefusedError(400, "A list of restrictions is expected")
    for one in given:
        people = one.get("restrictions", {}).get("user", []) if isinstance(one, dict) else None
        people = people.get("results") if isinstance(people, dict) else people
        if not isinstance(people, list) or one.get("operation") not in _OPERATIONS:
            raise RefusedError(400, "A restriction names an operation and users")
        allowed = {str(who.get("accountId")) for who in people if isinstance(who, dict)}
        if allowed and call.account.id not in allowed:
            raise RefusedError(400, "Nobody can take the page away from themselves")
        page.restrictions[one["operation"]] = allowed
    return _all_restrictions(call, page)


def delete_restrictions(call: Call) -> Reply:
    """DELETE /rest/api/content/{id}/restriction."""
    page = _page(call)
    page.restrictions.clear()
    return _all_restrictions(call, page)


def archive(call: Call) -> Reply:
    """POST /rest/api/content/archive: a long task, which is over at once here."""
    pages = call.object().get("pages")
    if not isinstance(pages, list) or not all(isinstance(one, dict) for one in pages):
        raise RefusedError(400, "'pages' must be a list")
    for one in pages:
        call.site.editable(str(one.get("id")), call.account).status = "archived"
    task = call.site.next_id()
    return answer(202, {"id": task, "links": {"status": f"/rest/api/longtask/{task}"}})


def search_users(call: Call) -> Reply:
    """GET /rest/api/search/user: by account id or by the beginning of a name, never by e-mail."""
    found = people_found(call.site, call.one("cql"))
    start, limit = call.number("start", 0, 0), call.number("limit", 25, 0)
    results: list[Json] = [
        {
            "user": _user(call, account),
            "title": account.name,
            "excerpt": "",
            "url": f"/people/{account.id}",
            "entityType": "user",
            "iconCssClass": "aui-icon content-type-profile",
            "lastModified": stamp(call.site.clock()),
            "score": 0.0,
        }
        for account in found[start : start + limit]
    ]
    return _results(call, results, start, limit, len(found), {})


def search_content(call: Call) -> Reply:
    """GET /rest/api/content/search: pages, with `version` when expanded. It may be an old one: the index lags."""
    expand = call.many("expand")

    def shape(page: Page, indexed: Version) -> Json:
        return {**_content(call, page, indexed), **_expanded(call, page, indexed, expand)}

    return _search(call, shape)


def search(call: Call) -> Reply:
    """GET /rest/api/search: pages with the words around them."""

    def shape(page: Page, indexed: Version) -> Json:
        return {
            "content": _content(call, page, indexed),
            "title": indexed.title,
            "excerpt": text_of(parse(indexed.body))[:300],
            "url": f"/spaces/{_key(call, page)}/pages/{page.id}",
            "breadcrumbs": [],
            "entityType": "content",
            "iconCssClass": "aui-icon content-type-page",
            "lastModified": stamp(indexed.created_at),
            "friendlyLastModified": f"{indexed.created_at:%b %d, %Y}",
            "score": 0.0,
        }

    return _search(call, shape)


def gone(_call: Call) -> Reply:
    """Content reads and writes, which v2 has taken over."""
    raise RefusedError(410, _GONE)


def _search(call: Call, shape: Callable[[Page, Version], Json]) -> Reply:
    indexed = pages_found(call.site, call.account, call.one("cql"))
    limit = call.number("limit", 25, 0, 1000)
    size = min(limit, call.site.listing_cap or limit)
    start = start_of(call, [page.id for page, _ in indexed])
    shown = indexed[start : start + size]
    links: dict[str, str] = {}
    if shown and start + size < len(indexed):
        links["next"] = next_path(call, cursor_after(shown[-1][0].id, start + size), rooted=False)
    return _results(call, [shape(*item) for item in shown], start, limit, len(indexed), links)


def _results(call: Call, results: list[Json], start: int, limit: int, total: int, links: dict[str, str]) -> Reply:
    about: Json = {"start": start, "limit": limit, "size": len(results), "totalSize": total}
    query: Json = {"cqlQuery": call.one("cql"), "searchDuration": 12, "archivedResultCount": 0}
    return answer(200, {"results": results, **about, **query, "_links": {**_links(call), **links}})


def _content(call: Call, page: Page, indexed: Version) -> Json:
    webui = f"/spaces/{_key(call, page)}/pages/{page.id}"
    return {
        "id": page.id,
        "type": "page",
        "status": page.status,
        "title": indexed.title,
        "_links": {"webui": webui, "self": f"{call.site.base_url}/rest/api/content/{page.id}"},
    }


def _expanded(call: Call, page: Page, indexed: Version, expand: list[str]) -> Json:
    parts: Json = {}
    if "version" in expand:
        author = call.site.accounts[indexed.author_id]
        when = {"when": stamp(indexed.created_at), "by": _user(call, author), "minorEdit": False}
        parts["version"] = {"number": indexed.number, "message": indexed.message, **when}
    if "space" in expand:
        parts["space"] = _space(call, page)
    return parts


def _space(call: Call, page: Page) -> Json:
    space = call.site.spaces[page.space_id]
    links = {"webui": f"/spaces/{space.key}", "self": f"{call.site.base_url}/rest/api/space/{space.key}"}
    about: Json = {"id": int(space.id), "key": space.key, "name": space.name, "type": "global"}
    return {**about, "status": "current", "_expandable": {}, "_links": links}


def _user(call: Call, of: Account) -> Json:
    return {
        "type": "known",
        "accountId": of.id,
        "accountType": "atlassian",
        "email": of.email,
        "publicName": of.name,
        "displayName": of.name,
        "timeZone": "Etc/UTC",
        "isExternalCollaborator": False,
        "profilePicture": {"path": f"/wiki/aa-avatar/{of.id}", "width": 48, "height": 48, "isDefault": True},
        "_links": {"self": f"{call.site.base_url}/rest/api/user?accountId={of.id}"},
    }


def _all_restrictions(call: Call, page: Page) -> Reply:
    shown = [_restriction(call, page, name) for name in _OPERATIONS]
    about: Json = {"start": 0, "limit": 100, "size": len(shown), "restrictionsHash": ""}
    return answer(200, {"results": shown, **about, "_links": _links(call)})


def _restriction(call: Call, page: Page, operation: str) -> Json:
    allowed = [_user(call, call.site.accounts[one]) for one in sorted(page.restrictions.get(operation, set()))]
    lists = {"user": allowed, "group": list[Json]()}
    path = f"{call.site.base_url}/rest/api/content/{page.id}/restriction/byOperation/{operation}"
    return {
        "operation": operation,
        "restrictions": {
            kind: {"results": found, "start": 0, "limit": 100, "size": len(found)} for kind, found in lists.items()
        },
        "content": _content(call, page, page.versions[-1]),
        "_expandable": {"restrictions": "", "content": f"/rest/api/content/{page.id}"},
        "_links": {"self": path},
    }


def _links(call: Call) -> dict[str, str]:
    return {"base": call.site.base_url, "context": "/wiki"}


def _page(call: Call) -> Page:
    """The page a changing call names; the anti-forgery header comes first."""
    if call.headers.get("x-atlassian-token", "").lower() not in ("no-check", "nocheck"):
        raise RefusedError(403, "XSRF check failed")
    return call.editable()


def _label_name(item: object) -> str:
    name = item.get("name") if isinstance(item, dict) else None
    if not isinstance(name, str) or not name or any(blank in name for blank in " \t\n,"):
        raise RefusedError(400, "A label needs a prefix and a name without blanks or commas")
    return name.lower()


def _key(call: Call, page: Page) -> str:
    return call.site.spaces[page.space_id].key


_ONE = "/rest/api/content/{}"
ROUTES: tuple[tuple[str, str, Callable[[Call], Reply]], ...] = (
    ("GET", "/rest/api/user/current", current_user),
    ("GET", "/rest/api/user/watch/content/{}", watching),
    ("POST", "/rest/api/user/watch/content/{}", watch),
    ("DELETE", "/rest/api/user/watch/content/{}", unwatch),
    ("GET", "/rest/api/search", search),
    ("GET", "/rest/api/search/user", search_users),
    ("GET", "/rest/api/content/search", search_content),
    ("POST", f"{_ONE}/label", add_labels),
    ("DELETE", f"{_ONE}/label", delete_label),
    ("DELETE", f"{_ONE}/label/{{}}", delete_label),
    ("GET", f"{_ONE}/restriction/byOperation", restrictions),
    ("PUT", f"{_ONE}/restriction", put_restrictions),
    ("DELETE", f"{_ONE}/restriction", delete_restrictions),
    ("POST", "/rest/api/content/archive", archive),
    ("PUT", f"{_ONE}/move/{{}}/{{}}", move),
    ("POST", f"{_ONE}/version", restore_version),
    ("DELETE", f"{_ONE}/version/{{}}", delete_version),
    ("GET", "/rest/api/content", gone),
    ("POST", "/rest/api/content", gone),
    ("GET", _ONE, gone),
    ("PUT", _ONE, gone),
    ("DELETE", _ONE, gone),
    ("GET", f"{_ONE}/history", gone),
    ("GET", f"{_ONE}/property", gone),
    ("POST", f"{_ONE}/property", gone),
    ("GET", f"{_ONE}/child/page", gone),
    ("GET", "/rest/api/space", gone),
)
