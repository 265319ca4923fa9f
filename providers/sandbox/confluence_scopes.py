"""Which scopes a token needs for a request to Confluence Cloud: granular ones for v2, for v1 these or classic ones."""

import re

_VERBS = {"GET": "read", "POST": "write", "PUT": "write", "DELETE": "delete"}
_KINDS = {
    "pages": "page",
    "spaces": "space",
    "footer-comments": "comment",
    "inline-comments": "comment",
    "tasks": "task",
    "folders": "folder",
    "attachments": "attachment",
}
_LOOK_UPS = {
    "users-bulk": "user",
    "content": "content.metadata",
    "ancestors": "content.metadata",
    "direct-children": "hierarchical-content",
    "descendants": "hierarchical-content",
}
_V1 = (
    ("GET", "user/current", ("read:confluence-user", "read:content-details:confluence")),
    ("GET", "search/user", ("read:content-details:confluence",)),
    ("GET", "(content/)?search", ("search:confluence", "read:content-details:confluence")),
    ("GET", "user/watch/.*", ("read:confluence-content.summary", "read:watcher:confluence")),
    ("POST|DELETE", "user/watch/.*", ("write:confluence-content", "write:watcher:confluence")),
    (
        "POST|PUT",
        "content/[^/]+/child/attachment",
        ("write:confluence-file", "read:content-details:confluence write:attachment:confluence"),
    ),
    ("POST", "content/[^/]+/label", ("write:confluence-content", "read:label:confluence write:label:confluence")),
    ("DELETE", "content/[^/]+/label(/.*)?", ("write:confluence-content", "write:label:confluence")),
    ("PUT", "content/[^/]+/move/.*", ("write:confluence-content", "write:page:confluence")),
    ("POST", "content/archive", ("write:confluence-content", "read:content.metadata:confluence write:page:confluence")),
    ("GET", "content/[^/]+/restriction.*", ("read:confluence-content.all", "read:content-details:confluence")),
    (
        "PUT|POST|DELETE",
        "content/[^/]+/restriction.*",
        ("write:confluence-content", "read:content-details:confluence write:content.restriction:confluence"),
    ),
    (
        "POST",
        "content/[^/]+/version",
        ("write:confluence-content", "read:content-details:confluence write:content:confluence"),
    ),
    ("DELETE", "content/[^/]+/version/.*", ("write:confluence-content", "delete:content:confluence")),
)


def suffices(granted: frozenset[str], method: str, path: str) -> bool:
    """Whether a token with these scopes may send that request; one for which no scope is known may always be sent."""
    return any(granted.issuperset(scopes.split()) for scopes in needed(method, path))


def needed(method: str, path: str) -> tuple[str, ...]:
    """The alternatives, each one or more scopes with blanks between them; an empty one where none is needed."""
    if path.startswith("/api/v2/"):
        return (_v2(method, path.removeprefix("/api/v2/").split("/")),)
    asked = path.removeprefix("/rest/api/")
    return next((all_of for verb, paths, all_of in _V1 if re.fullmatch(verb, method) and re.fullmatch(paths, asked)), ("",))


def _v2(method: str, parts: list[str]) -> str:
    """Of a part of a page, the part counts: its comments, its relatives."""
    about = parts[2] if len(parts) > 2 else parts[0]
    if about in _LOOK_UPS:
        return f"read:{_LOOK_UPS[about]}:confluence"
    if about == "properties" and method != "GET":
        return "read:page:confluence write:page:confluence"
    kind = _KINDS.get(about) or _KINDS.get(parts[0], "page")
    return f"{_VERBS.get(method, 'read')}:{kind}:confluence"
