"""The JSON shapes in which Confluence Data Center tells of pages, comments, people and lists.

What is not asked for by `expand` is only named, under `_expandable`.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar
from urllib.parse import quote_plus, urlencode, urlsplit

from providers.sandbox.confluence_call import Call, Json, answer, cursor_after, start_of
from providers.sandbox.confluence_records import Account, Comment, Page, Property, Space, Version
from providers.sandbox.confluence_shapes import stamp
from providers.sandbox.confluence_site import Site
from providers.sandbox.wire import Reply

_T = TypeVar("_T")
_PLAIN = re.compile(r"[A-Za-z0-9 _-]+")
_MOST, _MOST_WITH_BODIES = 200, 50
_PARTS = ("space", "history", "version", "ancestors", "body", "metadata", "extensions", "children", "restrictions")


class Expand:
    """What a request wants to see: dotted names, and all that lead to them."""

    def __init__(self, call: Call, default: str = "") -> None:
        self._asked = call.many("expand") or default.split(",")

    def __contains__(self, name: str) -> bool:
        return any(asked == name or asked.startswith(f"{name}.") for asked in self._asked)

    def below(self, name: str) -> list[str]:
        """The names asked for directly below one."""
        inside = (asked.removeprefix(f"{name}.") for asked in self._asked if asked.startswith(f"{name}."))
        return [part.partition(".")[0] for part in inside]


def content(site: Site, of: Page, expand: Expand, *, shown: Version | None = None, draft: bool = False) -> Json:
    """A page: its newest version, an older one, or its draft."""
    newest = shown or (of.versions[-1] if of.versions and not draft else _draft_version(of))
    old = shown is not None and shown.number != of.number
    path = f"/rest/api/content/{of.id}"
    parts: dict[str, Callable[[], object]] = {
        "space": lambda: space(site, site.spaces[of.space_id]),
        "history": lambda: history(site, of, expand.below("history")),
        "version": lambda: version(site, newest),
        "ancestors": lambda: [_ancestor(site, one) for one in site.ancestors(of.parent_id)[::-1]],
        "body": lambda: {name: body(newest.body, name) for name in expand.below("body")},
        "metadata": lambda: _metadata(site, of, expand),
        "extensions": lambda: {"position": of.position or "none"},
    }
    return {
        "id": of.id,
        "type": "page",
        "status": "historical" if old else "draft" if draft or not of.versions else of.status,
        "title": newest.title,
        "position": of.position or -1,
        **{name: part() for name, part in parts.items() if name in expand},
        "_links": _page_links(site, of),
        "_expandable": {name: f"{path}?expand={name}" for name in _PARTS if name not in expand or name not in parts},
    }


def comment(site: Site, of: Comment, expand: Expand) -> Json:
    """A comment as content; its place and state are extensions."""
    newest = of.versions[-1]
    where = "resolved" if of.resolved else "inline" if of.inline else "footer"
    properties = {"originalSelection": of.selection, "markerRef": of.ref}
    extras: Json = {
        "location": where,
        **({"inlineProperties": properties} if of.ref and "extensions.inlineProperties" in expand else {}),
        **({"resolution": {"status": site.resolution(of)}} if of.ref and "extensions.resolution" in expand else {}),
    }
    return {
        "id": of.id,
        "type": "comment",
        "status": "current",
        "title": newest.title,
        **({"version": version(site, newest)} if "version" in expand else {}),
        **({"body": {name: body(newest.body, name) for name in expand.below("body")}} if "body" in expand else {}),
        **({"extensions": extras} if "extensions" in expand else {}),
        "_links": {"self": f"{site.base_url}/rest/api/content/{of.id}"},
        "_expandable": {"container": f"/rest/api/content/{of.page_id}"},
    }


def version(site: Site, of: Version) -> Json:
    """A version, with who made it and whether it was a minor edit."""
    return {
        "by": person(site, site.accounts[of.author_id]),
        "when": stamp(of.created_at),
        "message": of.message,
        "number": of.number,
        "minorEdit": of.minor,
        "hidden": False,
        "_expandable": {"content": ""},
    }


def history(site: Site, of: Page, wanted: Iterable[str]) -> Json:
    """When a page was made, and by whom; its newest versions on request."""
    nearby = {"lastUpdated": of.versions[-1:], "previousVersion": of.versions[-2:-1]}
    return {
        "latest": True,
        "createdBy": person(site, site.accounts[of.author_id]),
        "createdDate": stamp(of.created_at),
        **{name: version(site, one[0]) for name, one in nearby.items() if one and name in wanted},
        "_links": {"self": f"{site.base_url}/rest/api/content/{of.id}/history"},
        "_expandable": {name: "" for name in nearby if name not in wanted},
    }


def body(text: str, representation: str) -> Json:
    """A body; what is not storage is not imitated, its text is the same."""
    return {"value": text, "representation": representation, "_expandable": {"content": ""}}


def person(site: Site, of: Account) -> Json:
    """A person: by key and username, never by e-mail."""
    picture = {
        "path": f"{_context(site)}/images/icons/profilepics/default.svg",
        "width": 48,
        "height": 48,
        "isDefault": True,
    }
    return {
        "type": "known",
        "username": of.username,
        "userKey": of.id,
        "profilePicture": picture,
        "displayName": of.name,
        "_links": {"self": f"{site.base_url}/rest/api/user?key={of.id}"},
        "_expandable": {"status": ""},
    }


def space(site: Site, of: Space) -> Json:
    """A space; its id is a number here."""
    return {
        "id": int(of.id),
        "key": of.key,
        "name": of.name,
        "status": "current",
        "type": "global",
        "_links": {"webui": f"/display/{of.key}", "self": f"{site.base_url}/rest/api/space/{of.key}"},
        "_expandable": {"homepage": f"/rest/api/content/{of.homepage_id}", "metadata": "", "icon": "", "description": ""},
    }


def label(name: str, label_id: str) -> Json:
    """A label."""
    return {"prefix": "global", "name": name, "id": label_id, "label": name}


def content_property(site: Site, page_id: str, of: Property) -> Json:
    """A content property."""
    path = f"{site.base_url}/rest/api/content/{page_id}/property/{of.key}"
    about = {"id": of.id, "key": of.key, "value": of.value, "version": version(site, of.version)}
    return {**about, "_links": {"self": path}, "_expandable": {"content": f"/rest/api/content/{page_id}"}}


def links(site: Site) -> dict[str, str]:
    """Where the site is, at the end of every answer."""
    return {"base": site.base_url, "context": _context(site)}


def listing(call: Call, items: Sequence[_T], shape: Callable[[_T], Json], *, default: int = 25) -> Reply:
    """One page of a list by `start` and `limit`; only the absence of `next` says that it was the last."""
    start, limit, most = call.number("start", 0, 0), call.number("limit", default), _most(call)
    size = min(limit, most, call.site.listing_cap or most)
    shown = items[start : start + size]
    paths = links(call.site) | {"self": f"{call.site.base_url}{call.path}"}
    if start + len(shown) < len(items):
        paths["next"] = _with(call, start=start + len(shown), limit=min(limit, most))
    if start:
        paths["prev"] = _with(call, start=max(0, start - limit), limit=min(limit, most))
    about = {"start": start, "limit": min(limit, most), "size": len(shown)}
    return answer(200, {"results": [shape(item) for item in shown], **about, "_links": paths})


def scan(call: Call, items: Sequence[Page], shape: Callable[[Page], Json]) -> Reply:
    """One page of a scan, which goes by a cursor."""
    limit, most = call.number("limit", 25), _most(call)
    start = start_of(call, [page.id for page in items])
    size = min(limit, most, call.site.listing_cap or most)
    shown = items[start : start + size]
    paths = links(call.site)
    about: Json = {"cursor": call.one("cursor"), "limit": min(limit, most), "size": len(shown)}
    if shown and start + len(shown) < len(items):
        about["nextCursor"] = cursor_after(shown[-1].id, start + len(shown))
        paths["next"] = _with(call, cursor=about["nextCursor"], limit=min(limit, most))
    return answer(200, {"results": [shape(item) for item in shown], **about, "_links": paths})


def _most(call: Call) -> int:
    """The system's own bound on a listing, lower where bodies are asked for."""
    return _MOST_WITH_BODIES if any(name.startswith("body") for name in call.many("expand")) else _MOST


def _with(call: Call, **given: object) -> str:
    """The same request with other parameters; relative to the context."""
    kept = [pair for pair in call.query if pair[0] not in given]
    return f"{call.path}?{urlencode([*kept, *given.items()])}"


def _metadata(site: Site, of: Page, expand: Expand) -> Json:
    known = {one.key: content_property(site, of.id, one) for one in of.properties.values()}
    parts: Json = {}
    if "metadata.labels" in expand:
        names = [label(name, one.id) for name, one in of.labels.items()]
        parts["labels"] = {"results": names, "start": 0, "limit": 200, "size": len(names)}
    if "metadata.properties" in expand:
        wanted = expand.below("metadata.properties")
        parts["properties"] = {name: known[name] for name in wanted if name in known}
    return parts


def _ancestor(site: Site, of: Page) -> Json:
    return {"id": of.id, "type": "page", "status": of.status, "title": of.title, "_links": _page_links(site, of)}


def _draft_version(of: Page) -> Version:
    draft = of.draft
    if draft is None:
        return of.versions[-1]
    return Version(max(of.number, 1), draft.title, draft.body, "", draft.author_id, draft.saved_at)


def _page_links(site: Site, of: Page) -> Json:
    readable = f"/display/{site.spaces[of.space_id].key}/{quote_plus(of.title)}"
    return {
        "webui": readable if _PLAIN.fullmatch(of.title) else f"/pages/viewpage.action?pageId={of.id}",
        "edit": f"/pages/resumedraft.action?draftId={of.id}",
        "tinyui": f"/x/{int(of.id):x}",
        "self": f"{site.base_url}/rest/api/content/{of.id}",
        **links(site),
    }


def _context(site: Site) -> str:
    return urlsplit(site.base_url).path
