"""The JSON shapes in which Confluence Cloud v2 tells of its pages, comments, tasks, properties and people."""

from datetime import UTC, datetime
from urllib.parse import quote

from providers.sandbox.confluence_call import Json
from providers.sandbox.confluence_records import Account, Comment, Page, Property, Space, Task, Version
from providers.sandbox.confluence_site import Site

_EMBEDDED_MOST = 50


def stamp(moment: datetime) -> str:
    """An instant as the service writes it: UTC with milliseconds."""
    utc = moment.astimezone(UTC)
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03d}Z"


def version(of: Version) -> Json:
    """A version as it stands inside a page; `ncsStepVersion` is not in the vendor's description but comes."""
    return {
        "number": of.number,
        "message": of.message,
        "minorEdit": False,
        "authorId": of.author_id,
        "createdAt": stamp(of.created_at),
        "ncsStepVersion": of.steps,
    }


def body(text: str, wanted: str) -> Json:
    """The body in the representation asked for; none asked, none given."""
    return {wanted: {"representation": wanted, "value": text}} if wanted else {}


def page(site: Site, of: Page, wanted: str, *, shown: Version | None = None, draft: bool = False) -> Json:
    """A page: its newest version, an older one, or its draft."""
    newest = shown or (of.versions[-1] if of.versions and not draft else _draft_version(of))
    old = shown is not None and shown.number != of.number
    status = "historical" if old else "draft" if draft or not of.versions else of.status
    return {
        "id": of.id,
        "status": status,
        "title": newest.title,
        "spaceId": of.space_id,
        "parentId": of.parent_id,
        "parentType": site.content[of.parent_id].kind if of.parent_id else None,
        "position": of.position,
        "authorId": of.author_id,
        "ownerId": of.owner_id,
        "lastOwnerId": None,
        "subtype": "live" if of.live else None,
        "createdAt": stamp(of.created_at),
        "version": version(newest),
        "body": body(newest.body, wanted),
        "_links": _page_links(site, of),
    }


def child(of: Page) -> Json:
    """A page in its parent's list: no version there."""
    return {
        "id": of.id,
        "status": of.status,
        "title": of.title,
        "spaceId": of.space_id,
        "childPosition": of.position,
    }


def folder(site: Site, of: Page) -> Json:
    """A folder: no body."""
    newest = of.versions[-1]
    return {
        "id": of.id,
        "type": "folder",
        "status": of.status,
        "title": of.title,
        "parentId": of.parent_id,
        "parentType": site.content[of.parent_id].kind if of.parent_id else None,
        "position": of.position,
        "authorId": of.author_id,
        "ownerId": of.owner_id,
        "createdAt": stamp(of.created_at),
        "spaceId": of.space_id,
        "version": version(newest),
        "_links": {"webui": f"/spaces/{site.spaces[of.space_id].key}/folder/{of.id}", "base": site.base_url},
    }


def space(of: Space, author_id: str) -> Json:
    """A space."""
    return {
        "id": of.id,
        "key": of.key,
        "name": of.name,
        "type": "global",
        "status": "current",
        "authorId": author_id,
        "createdAt": stamp(of.created_at),
        "homepageId": of.homepage_id,
        "description": None,
        "icon": None,
        "currentActiveAlias": of.key,
        "_links": {"webui": f"/spaces/{of.key}"},
    }


def content_property(of: Property) -> Json:
    """A content property."""
    return {"id": of.id, "key": of.key, "value": of.value, "version": version(of.version)}


def label(name: str, label_id: str) -> Json:
    """A label as v2 lists it."""
    return {"id": label_id, "name": name, "prefix": "global"}


def task(site: Site, of: Task, wanted: str) -> Json:
    """A task; what is not set is left out."""
    optional = {
        "assignedTo": of.content.assignee,
        "completedBy": of.completed_by,
        "dueAt": f"{of.content.due}T00:00:00.000Z" if of.content.due else None,
        "completedAt": stamp(of.completed_at) if of.completed_at else None,
    }
    return {
        "id": of.id,
        "localId": of.local_id,
        "spaceId": site.content[of.page_id].space_id,
        "pageId": of.page_id,
        "status": "complete" if of.content.done else "incomplete",
        "body": body(of.content.body, wanted),
        "createdBy": of.created_by,
        "createdAt": stamp(of.created_at),
        "updatedAt": stamp(of.updated_at),
        **{key: value for key, value in optional.items() if value},
    }


def comment(site: Site, of: Comment, wanted: str) -> Json:
    """A comment. Live replies name the marker in hyphenated properties, unlike the vendor's description."""
    newest = of.versions[-1]
    base: Json = {
        "id": of.id,
        "status": "current",
        "title": newest.title,
        "pageId": of.page_id,
        "version": version(newest),
        "body": body(newest.body, wanted),
        "_links": {"webui": f"{_webui(site, site.content[of.page_id])}?focusedCommentId={of.id}"},
    }
    if of.parent_id:
        return {**base, "parentCommentId": of.parent_id}
    if not of.inline:
        return base
    properties = {"inline-marker-ref": of.ref, "inline-original-selection": of.selection}
    return {**base, "resolutionStatus": site.resolution(of), "properties": properties}


def account(of: Account) -> Json:
    """A person as `users-bulk` tells of them."""
    return {
        "accountId": of.id,
        "accountType": "atlassian",
        "accountStatus": "active",
        "email": of.email,
        "displayName": of.name,
        "publicName": of.name,
        "timeZone": "Etc/UTC",
        "isExternalCollaborator": False,
        "profilePicture": {"path": "/wiki/aa-avatar/" + of.id, "isDefault": True},
    }


def included(items: list[Json], path: str) -> Json:
    """A list embedded in a page, cut at 50 entries."""
    more = len(items) > _EMBEDDED_MOST
    return {"results": items[:_EMBEDDED_MOST], "meta": {"hasMore": more}, "_links": {"self": path}}


def _draft_version(of: Page) -> Version:
    draft = of.draft
    if draft is None:
        return of.versions[-1]
    return Version(1, draft.title, draft.body, "", draft.author_id, draft.saved_at)


def _page_links(site: Site, of: Page) -> Json:
    key = site.spaces[of.space_id].key
    return {
        "webui": _webui(site, of),
        "editui": f"/pages/resumedraft.action?draftId={of.id}",
        "edituiv2": f"/spaces/{key}/pages/edit-v2/{of.id}",
        "tinyui": f"/x/{int(of.id):x}",
        "base": site.base_url,
    }


def _webui(site: Site, of: Page) -> str:
    slug = "+".join(of.title.split())
    return f"/spaces/{site.spaces[of.space_id].key}/pages/{of.id}/{quote(slug, safe='+')}"
