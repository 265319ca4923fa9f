"""What a pasted Confluence address names: a page, a page by its title, a space, or something of another kind. Asks nothing.

Addresses of both editions are read. In a tiny link (`/x/aN9oDw`) the code is the page's id, its bytes from the lowest on in
base64 with `-` for `/` and `_` for `+` (the vendor's knowledge base, "How to programmatically generate the tiny link of a
Confluence page").
"""

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import SplitResult, parse_qs, unquote, unquote_plus, urlsplit

from providers.contract import Refused

GATEWAY = "api.atlassian.com"
_ID = re.compile(r"[0-9]{1,18}")
_OTHERS = {
    "folder": "a folder",
    "whiteboard": "a whiteboard",
    "database": "a database",
    "embed": "an embedded link",
    "blog": "a blog post",
    "calendars": "a calendar",
}
_TINY = re.compile(r"[A-Za-z0-9_-]{1,11}")
_TINY_LENGTH = 11  # characters of base64 that eight bytes take


@dataclass(frozen=True, slots=True)
class Address:
    """`page` is a page's id; where only its `title` is known, `space` says where. A `space` alone is a space."""

    page: str = ""
    space: str = ""
    title: str = ""


def address(text: str, site: str = "") -> Address | None:
    """What an id or a link names on the site at `site` (its address as configured, empty for any site); None for a link to
    anywhere else, and for what is no link.

    Raises Refused, with a sentence, for a link of this site to something that is no page and no space.
    """
    text = text.strip()
    if _ID.fullmatch(text):
        return Address(page=text)
    parts = urlsplit(text if "://" in text else f"//{text}")
    if "/" not in text or (site and not _same_site(parts, urlsplit(site))):
        return None
    asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
    found = _by_path([segment for segment in parts.path.split("/") if segment]) or Address()
    found = replace(found, page=_asked_page(asked) or found.page)
    if not found.page and {"spaceKey", "title"} <= set(asked):
        found = Address(space=asked["spaceKey"], title=asked["title"])
    if found == Address():
        raise Refused(f"“{text}” leads to no page; open the page and copy its link")
    return found


def _same_site(link: SplitResult, site: SplitResult) -> bool:
    """Behind the gateway a site goes by its cloud id, so that links of any Cloud site may be its."""
    if link.netloc.lower() == site.netloc.lower():
        return site.hostname == GATEWAY or f"{link.path}/".startswith(f"{site.path.rstrip('/')}/")
    return site.hostname == GATEWAY and (link.hostname or "").endswith(".atlassian.net")


def _asked_page(asked: Mapping[str, str]) -> str:
    """The page that an old action's address asks for, or that stands behind a space's overview."""
    return next((asked[name] for name in ("pageId", "homepageId", "draftId") if _ID.fullmatch(asked.get(name, ""))), "")


def _by_path(segments: Sequence[str]) -> Address | None:
    for index, segment in enumerate(segments[:-1]):
        rest = segments[index + 1 :]
        if segment == "x":
            return Address(page=_untiny(rest[0]))
        if segment == "spaces":
            return _in_space(unquote(rest[0]), rest[1:])
        if segment == "display":
            return _displayed(unquote(rest[0]), rest[1:])
        if segment in ("pages", "content") and _ID.fullmatch(rest[0]):
            return Address(page=rest[0])
    return None


def _in_space(space: str, rest: Sequence[str]) -> Address:
    """`pages/ID/Title`, `pages/edit-v2/ID`, or one of the things beside pages."""
    kind = rest[0] if rest else ""
    if kind in _OTHERS:
        raise Refused(f"this is the link of {_OTHERS[kind]}, not of a page")
    page = next((segment for segment in rest[1:] if _ID.fullmatch(segment)), "") if kind == "pages" else ""
    return Address(page=page, space=space)


def _displayed(space: str, rest: Sequence[str]) -> Address:
    """Data Center shows pages by title, and blog posts by their day before it."""
    if len(rest) == 4 and all(part.isdecimal() for part in rest[:3]):
        raise Refused(f"this is the link of {_OTHERS['blog']}, not of a page")
    return Address(space=space, title=unquote_plus(rest[-1]) if rest else "")


def _untiny(code: str) -> str:
    """The page id behind the code of a tiny link. Raises Refused."""
    known = code.replace("-", "/").replace("_", "+").ljust(_TINY_LENGTH, "A") + "="
    number = int.from_bytes(base64.b64decode(known), "little") if _TINY.fullmatch(code) else 0
    if not number or not _ID.fullmatch(str(number)):
        raise Refused(f"“/x/{code}” is no tiny link; open it and copy the link of the page")
    return str(number)
