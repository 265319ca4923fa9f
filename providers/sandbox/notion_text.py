"""Rich text and dates: what a write may say, what is stored, what a read shows.

Stored items have neither `plain_text` nor `href`: both are made anew at every read, because a mention shows its
target's present name. Adjacent equal text is merged and empty text dropped on storage, as the service does.
"""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Protocol
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from providers.sandbox.notion_check import (
    MOST_URL_CHARS,
    Json,
    Refusal,
    array,
    boolean,
    choice,
    identifier,
    keys,
    only_one,
    refused,
    string,
    wrong,
)

MOST_ITEMS = 100
MOST_TEXT_UNITS = 2000
MOST_EXPRESSION_UNITS = 1000

HUES = ("default", "gray", "brown", "orange", "yellow", "green", "blue", "purple", "pink", "red")
COLORS = (*HUES, *(f"{hue}_background" for hue in HUES))

_FLAGS = ("bold", "italic", "strikethrough", "underline", "code")
PLAIN_LOOK: Json = {**dict.fromkeys(_FLAGS, False), "color": "default"}
_ITEM_KINDS = ("text", "mention", "equation")
_MENTIONS = ("user", "page", "database", "date", "template_mention", "custom_emoji")
_PASTED = ("link_mention", "link_preview")
_TEMPLATE_WORDS = {
    "template_mention_date": {"today": "@Today", "now": "@Now"},
    "template_mention_user": {"me": "@Me"},
}
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}\Z")


class Names(Protocol):
    """What mentions look up when they are read."""

    def user(self, identifier: str) -> Json | None:
        """The full user object, None when there is no such user."""
        ...

    def titled(self, identifier: str) -> tuple[str, str] | None:
        """Title and URL of a page or database, None when it is not there for the reader."""
        ...

    def signed(self, file: Json) -> Json:
        """A file that the service itself keeps, with an address that is good for a while."""
        ...


# --- writing -------------------------------------------------------------------------------------------------------


def read_rich_text(value: object, at: str) -> list[Json]:
    """The stored form of a rich text array from a request; raises `Refusal`."""
    items = array(value, at, MOST_ITEMS)
    return merged([_read_item(item, f"{at}[{index}]") for index, item in enumerate(items)])


def plain(text: str) -> list[Json]:
    """The stored form of unformatted text."""
    return merged([_text_item(text)])


def merged(items: Sequence[Json]) -> list[Json]:
    """Items without empty text, adjacent texts of equal formatting and link joined."""
    out: list[Json] = []
    for item in items:
        if item["type"] == "text" and not item["text"]["content"]:
            continue
        if out and _alike(out[-1], item):
            joined = out[-1]["text"]["content"] + item["text"]["content"]
            out[-1] = {**item, "text": {**item["text"], "content": joined}}
        else:
            out.append(item)
    return out


def _alike(one: Json, other: Json) -> bool:
    if not one["type"] == other["type"] == "text":
        return False
    same_look: bool = one["annotations"] == other["annotations"]
    same_link: bool = one["text"]["link"] == other["text"]["link"]
    return same_look and same_link


def _text_item(content: str, like: Json | None = None) -> Json:
    annotations = like["annotations"] if like else PLAIN_LOOK
    link = like["text"]["link"] if like and like["type"] == "text" else None
    return {"type": "text", "text": {"content": content, "link": link}, "annotations": annotations}


def _read_item(value: object, at: str) -> Json:
    kind, payload = only_one(value, at, _ITEM_KINDS, also=("annotations", "plain_text", "href"))
    given: Json = value if isinstance(value, dict) else {}
    read = {"text": _read_text, "mention": _read_mention, "equation": _read_equation}[kind]
    content = read(payload, f"{at}.{kind}")
    annotations = _read_annotations(given.get("annotations", {}), f"{at}.annotations")
    return {"type": kind, kind: content, "annotations": annotations}


def _read_annotations(value: object, at: str) -> Json:
    given = keys(value, at, {*_FLAGS, "color"})
    flags: Json = {flag: boolean(given.get(flag, False), f"{at}.{flag}") for flag in _FLAGS}
    return {**flags, "color": choice(given.get("color", "default"), f"{at}.color", COLORS)}


def _read_text(value: object, at: str) -> Json:
    given = keys(value, at, {"content", "link"}, {"content"})
    content = string(given["content"], f"{at}.content", MOST_TEXT_UNITS)
    return {"content": content, "link": _read_link(given.get("link"), f"{at}.link")}


def _read_link(value: object, at: str) -> Json | None:
    if value is None:
        return None
    given = keys(value, at, {"url", "type"}, {"url"})
    return {"url": read_url(given["url"], f"{at}.url", "Invalid URL for link.")}


def read_url(value: object, at: str, complaint: str) -> str:
    """An absolute http(s) URL of at most 2,000 units; anything else fails with Notion's two-line message."""
    url = string(value, at, MOST_URL_CHARS)
    try:
        parts = urlsplit(url)
    except ValueError:
        raise content_failed(complaint) from None
    if parts.scheme not in {"http", "https"} or not parts.netloc or any(char.isspace() for char in url):
        raise content_failed(complaint)
    return url


def content_failed(complaint: str) -> Refusal:
    """The refusal of content that has the right shape and cannot be saved."""
    return refused(f"Content creation Failed. Fix the following: \n{complaint}")


def _read_equation(value: object, at: str) -> Json:
    given = keys(value, at, {"expression"}, {"expression"})
    return {"expression": string(given["expression"], f"{at}.expression", MOST_EXPRESSION_UNITS)}


def _read_mention(value: object, at: str) -> Json:
    kind, target = only_one(value, at, _MENTIONS)
    where = f"{at}.{kind}"
    if kind == "date":
        return {"type": kind, kind: read_date(target, where)}
    if kind == "template_mention":
        return {"type": kind, kind: _read_template_mention(target, where)}
    allowed = {"user": {"id", "object"}, "custom_emoji": {"id", "name", "url"}}.get(kind, {"id"})
    given = keys(target, where, allowed, {"id"})
    return {"type": kind, kind: {**given, "id": identifier(given["id"], f"{where}.id")}}


def _read_template_mention(value: object, at: str) -> Json:
    kind, word = only_one(value, at, tuple(_TEMPLATE_WORDS))
    return {"type": kind, kind: choice(word, f"{at}.{kind}", tuple(_TEMPLATE_WORDS[kind]))}


# --- dates ---------------------------------------------------------------------------------------------------------


def read_date(value: object, at: str) -> Json:
    """A date value as stored: seconds cut off, the time zone folded into the offset and forgotten."""
    given = keys(value, at, {"start", "end", "time_zone"}, {"start"})
    zone = _read_zone(given.get("time_zone"), f"{at}.time_zone")
    end = given.get("end")
    return {
        "start": _read_moment(given["start"], f"{at}.start", zone),
        "end": None if end is None else _read_moment(end, f"{at}.end", zone),
        "time_zone": None,
    }


def _read_zone(value: object, at: str) -> ZoneInfo | None:
    if value is None:
        return None
    try:
        return ZoneInfo(string(value, at))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise wrong(at, "a valid time zone", value) from None


def _read_moment(value: object, at: str, zone: ZoneInfo | None) -> str:
    given = string(value, at)
    moment = parse_moment(given)
    if moment is None:
        raise wrong(at, "a valid ISO 8601 date string", value)
    if not isinstance(moment, datetime):
        return given
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone or UTC)
    elif zone is not None:
        moment = moment.astimezone(zone)
    return moment.replace(second=0, microsecond=0).isoformat(timespec="milliseconds")


def parse_moment(value: str) -> datetime | date | None:
    """A day, a moment (possibly without zone), or None for anything else."""
    try:
        moment = date.fromisoformat(value) if _DAY.match(value) else datetime.fromisoformat(value)
    except ValueError:
        return None
    # The first and last years cannot be shifted to another zone.
    return moment if date.min.year < moment.year < date.max.year else None


# --- reading -------------------------------------------------------------------------------------------------------


def rendered(items: Sequence[Json], names: Names) -> list[Json]:
    """Stored items as a read shows them, with `plain_text` and `href`."""
    return [_rendered_item(item, names) for item in items]


def plain_text(items: Sequence[Json], names: Names) -> str:
    """The array as one plain string."""
    return "".join(item["plain_text"] for item in rendered(items, names))


def _rendered_item(item: Json, names: Names) -> Json:
    kind, look = item["type"], item["annotations"]
    content, shown, href = item[kind], "", None
    if kind == "text":
        shown, href = content["content"], (content["link"] or {}).get("url")
    elif kind == "equation":
        shown = content["expression"]
    else:
        content, shown, href = _rendered_mention(content, names)
        look = PLAIN_LOOK if _unseen(content, names) else look
    return {"type": kind, kind: content, "annotations": look, "plain_text": shown, "href": href}


def _unseen(mention: Json, names: Names) -> bool:
    """A mention of a page that is not shared loses its formatting too."""
    kind = mention["type"]
    return kind in {"page", "database"} and names.titled(mention[kind]["id"]) is None


def _rendered_mention(mention: Json, names: Names) -> tuple[Json, str, str | None]:
    kind = mention["type"]
    target: Json = mention[kind]
    if kind == "user":
        user = names.user(target["id"])
        shown = f"@{user['name']}" if user else "@Anonymous"
        return {"type": kind, kind: user or {"object": "user", "id": target["id"]}}, shown, None
    if kind in {"page", "database"}:
        title, url = names.titled(target["id"]) or ("Untitled", None)
        return mention, title, url
    return mention, _mention_text(kind, target), target.get("href") or target.get("url")


def _mention_text(kind: str, target: Json) -> str:
    if kind == "date":
        return f"{target['start']} → {target['end']}" if target["end"] else str(target["start"])
    if kind == "template_mention":
        return _TEMPLATE_WORDS[target["type"]][target[target["type"]]]
    if kind == "custom_emoji":
        return f":{target.get('name', 'emoji')}:"
    return str(target.get("title") or target.get("href") or target.get("url"))


# --- what an editor does -------------------------------------------------------------------------------------------


def by_hand(items: Sequence[Json]) -> list[Json]:
    """Stored items of what a person typed and pasted; a pasted link may become a mention that no write can make."""
    read = [_pasted(item) or read_rich_text([item], "rich_text") for item in items]
    return merged([item for group in read for item in group])


def _pasted(item: Json) -> list[Json]:
    mention: Json = item.get("mention", {})
    kind = next((name for name in _PASTED if name in mention), None)
    if kind is None:
        return []
    return [{"type": "mention", "mention": {"type": kind, kind: mention[kind]}, "annotations": PLAIN_LOOK}]


def split(items: Sequence[Json], at: int, names: Names) -> tuple[list[Json], list[Json]]:
    """The array cut after `at` characters of plain text; a mention or equation is never cut in two."""
    first: list[Json] = []
    second: list[Json] = []
    room = at
    for item in items:
        size = len(plain_text([item], names))
        if item["type"] == "text" and 0 < room < size:
            content: str = item["text"]["content"]
            first.append(_text_item(content[:room], item))
            second.append(_text_item(content[room:], item))
        else:
            (first if room > 0 else second).append(item)
        room -= size
    return merged(first), merged(second)
