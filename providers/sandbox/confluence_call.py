"""One request to a Confluence emulator, read and checked, and the pages a listing of Cloud is answered in."""

import base64
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import parse_qsl, urlencode, urlsplit

from providers.sandbox.confluence_records import Account, Page, RefusedError
from providers.sandbox.confluence_site import Site
from providers.sandbox.wire import Reply

_T = TypeVar("_T")
_MOST = 250
_NUMBER = re.compile(r"[0-9]{1,18}")
Json = dict[str, object]


@dataclass(frozen=True, slots=True)
class Call:
    """A request by an account. `args` are the path's variables, `query` the pairs as sent, `data` the JSON body; a form is
    left in `body`."""

    site: Site
    account: Account
    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    args: tuple[str, ...]
    headers: dict[str, str]
    data: object
    body: bytes = b""

    def one(self, name: str, default: str = "") -> str:
        """The first value of a query parameter."""
        return next((value for key, value in self.query if key == name), default)

    def many(self, name: str) -> list[str]:
        """All values, comma-separated or repeated."""
        return [part for key, value in self.query if key == name for part in value.split(",") if part]

    def numbers(self, name: str) -> list[str]:
        """Values that must be numeric ids, at most 250."""
        values = self.many(name)
        if len(values) > _MOST or any(not _NUMBER.fullmatch(value) for value in values):
            raise RefusedError(400, f"'{name}' takes at most {_MOST} numeric ids")
        return values

    def choices(self, name: str, allowed: str, default: str = "") -> list[str]:
        """Values out of a list of words."""
        values = self.many(name) or default.split()
        for value in values:
            if value not in allowed.split():
                raise RefusedError(400, f"Provided value {{{value}}} for '{name}' is not one of: {allowed}")
        return values

    def choice(self, name: str, allowed: str, default: str = "") -> str:
        """One word out of a list."""
        return next(iter(self.choices(name, allowed, default)), "")

    def flag(self, name: str, default: bool = False) -> bool:
        """A true/false parameter."""
        return self.choice(name, "true false", "true" if default else "false") == "true"

    def number(self, name: str, default: int, least: int = 1, most: int = 10**18) -> int:
        """A whole number within bounds."""
        text = self.one(name, str(default))
        if not _NUMBER.fullmatch(text) or not least <= int(text) <= most:
            raise RefusedError(400, f"'{name}' must be a number between {least} and {most}")
        return int(text)

    def page(self) -> Page:
        """The page that the path names, for reading."""
        return self.site.visible(self.args[0], self.account)

    def editable(self) -> Page:
        """The page that the path names, for writing."""
        return self.site.editable(self.args[0], self.account)

    def object(self) -> Json:
        """The body, which must be a JSON object."""
        if not isinstance(self.data, dict):
            raise RefusedError(400, "The request body must be a JSON object")
        return self.data


def answer(status: int, content: object, headers: dict[str, str] | None = None) -> Reply:
    """A JSON reply; None is an empty one."""
    body = b"" if content is None else json.dumps(content).encode()
    kind = {"Content-Type": "application/json"} if body else {}
    return Reply(status, {**kind, **(headers or {})}, body)


def listing(call: Call, items: Sequence[_T], key: Callable[[_T], str], shape: Callable[[_T], Json]) -> Reply:
    """One page of a v2 listing. Only the absence of `next` says it was the last; pages may be shorter than asked."""
    limit = call.number("limit", 25, most=_MOST)
    start = start_of(call, [key(item) for item in items])
    size = min(limit, call.site.listing_cap or limit)
    shown = items[start : start + size]
    links: Json = {"base": call.site.base_url}
    header = f'<{call.site.base_url}>; rel="base"'
    if start + size < len(items):
        links["next"] = next_path(call, cursor_after(key(shown[-1]), start + size), rooted=True)
        header = f'<{links["next"]}>; rel="next", {header}'
    return answer(200, {"results": [shape(item) for item in shown], "_links": links}, {"Link": header})


def next_path(call: Call, cursor: str, rooted: bool) -> str:
    """Where the next page is: v2 roots it at the host (`/wiki/api/...`), v1 at the context (`/rest/api/...`)."""
    kept = [pair for pair in call.query if pair[0] != "cursor"]
    context = urlsplit(call.site.base_url).path if rooted else ""
    return f"{context}{call.path}?{urlencode([*kept, ('cursor', cursor)])}"


def cursor_after(key: str, offset: int) -> str:
    """An opaque mark behind one item."""
    return base64.urlsafe_b64encode(json.dumps({"after": key, "offset": offset}).encode()).decode()


def start_of(call: Call, keys: list[str]) -> int:
    """Where the cursor points now: behind its item, or at its old place when the item has left the list."""
    cursor = call.one("cursor")
    if not cursor:
        return 0
    try:
        mark = json.loads(base64.urlsafe_b64decode(cursor))
        key, offset = str(mark["after"]), int(mark["offset"])
    except (ValueError, TypeError, KeyError) as error:
        raise RefusedError(400, "Provided cursor is invalid") from error
    return keys.index(key) + 1 if key in keys else max(offset, 0)


def read_query(path: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Split a request path into its bare path and its query."""
    bare, _, query = path.partition("?")
    return bare, tuple(parse_qsl(query.partition("#")[0], keep_blank_values=True))
