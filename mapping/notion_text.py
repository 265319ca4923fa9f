"""Spans <-> Notion's rich text, and what rich text makes of spans (`projected`).

Rich text is a flat array of items; text, links and marks fit both sides exactly. Colours have no word in a Doc: when a
block is rewritten, each word that stays takes its colour along. Equations, page mentions and other inline things are kept
by `ref` and written back as they were. Blocks are in `notion_blocks.py`.
"""

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from difflib import SequenceMatcher
from functools import lru_cache
from itertools import repeat
from typing import Any
from urllib.parse import urlsplit

from mapping.document import Mark, Span, Spans, merged_spans, plain

Json = dict[str, Any]

MOST_UNITS = 2000  # UTF-16 code units in one text item, and in one URL
MOST_SURELY = MOST_UNITS // 2  # characters that fit, whichever they are
MOST_ITEMS = 100  # items in one array of a request
MOST_EXPRESSION = 1000  # UTF-16 code units in one equation

_FLAGS: Mapping[Mark, str] = {
    "bold": "bold",
    "italic": "italic",
    "strike": "strikethrough",
    "code": "code",
    "underline": "underline",
}
_BY_ID = frozenset({"user", "page", "database", "custom_emoji"})
_WRITABLE_MENTIONS = _BY_ID | {"date", "template_mention"}
_LINKS = frozenset({"link_preview", "link_mention"})  # readable, never writable
_ID = re.compile(r"[0-9a-f]{32}")
_TOKEN = re.compile(r"\w+|\W")
_ZERO_WIDTH_JOINER = "\u200d"
_JAMO = ("\u1100", "\u11ff")  # letters of Hangul, drawn as one syllable
_SYLLABLES = ("\uac00", "\ud7a3")


def dashed(text: str) -> str | None:
    """The dashed lower-case form of an id, None when the text is no id."""
    bare = text.replace("-", "").lower()
    if not _ID.fullmatch(bare):
        return None
    return "-".join((bare[:8], bare[8:12], bare[12:16], bare[16:20], bare[20:]))


@dataclass(frozen=True, slots=True)
class Accounts:
    """Who is who: `ids` is the user id by e-mail (lower case; of two e-mails with one id the first counts), `names` the
    display name by user id.
    """

    ids: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    emails: Mapping[str, str] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "emails", {user: email for email, user in reversed(list(self.ids.items()))})

    def user(self, ref: str) -> str | None:
        """The user id behind a mention's `ref`."""
        return dashed(ref.removeprefix("account:")) if ref.startswith("account:") else self.ids.get(ref)

    def ref(self, user: str) -> str:
        """How a Doc calls this user."""
        return self.emails.get(user) or f"account:{user}"


# --- reading ----------------------------------------------------------------------------------------------------------


def spans(items: Iterable[Json] | None, accounts: Accounts) -> Spans:
    """A rich text array as spans, without white space at either end."""
    return trimmed(merged_spans(_span(item, accounts) for item in items or ()))


def plain_text(items: Iterable[Json] | None) -> str:
    """A rich text array as plain text, mentions as people see them."""
    return "".join(_shown(item) for item in items or ())


def _kind(item: Json) -> str:
    return str(item.get("type") or "unknown")


def _inside(item: Json) -> Json:
    """What an item, or the mention in it, says under the name of its own type."""
    inner = item.get(_kind(item))
    return inner if isinstance(inner, dict) else {}


def _look(item: Json) -> Json:
    return item.get("annotations") or {}


def _span(item: Json, accounts: Accounts) -> Span:
    marks = frozenset(mark for mark, flag in _FLAGS.items() if _look(item).get(flag))
    if _kind(item) == "text":
        link = (_inside(item).get("link") or {}).get("url") or ""
        return Span(_clean(_content(item)), marks=marks, link=link)
    if _kind(item) == "mention":
        return replace(_mention(item, accounts), marks=marks)
    return Span(_shown(item), "kept", kept_ref(item), marks)


def _content(item: Json) -> str:
    return str(_inside(item).get("content") or "")


def _mention(item: Json, accounts: Accounts) -> Span:
    kind, target = _kind(_inside(item)), _inside(_inside(item))
    if kind == "user" and target.get("id"):
        name = accounts.names.get(target["id"]) or target.get("name") or _shown(item).removeprefix("@")
        return Span(name, "mention", accounts.ref(target["id"]))
    if kind == "date" and _is_day(str(target.get("start"))) and not target.get("end"):
        return Span(target["start"], "date", target["start"])
    if kind in _LINKS:
        url = str(target.get("href") or target.get("url") or "")
        return Span(_clean(_shown(item) or url), link=url if is_link(url) else "")
    return Span(_shown(item), "kept", kept_ref(item))


def _shown(item: Json) -> str:
    return str(item.get("plain_text") or "")


def _clean(text: str) -> str:
    if "\u00a0" not in text and "\r" not in text:
        return text
    return text.replace("\u00a0", " ").replace("\r\n", "\n").replace("\r", "\n")


def kept_items(items: Iterable[Json], accounts: Accounts) -> dict[str, Json]:
    """The items that a Doc only knows by `ref`, as they can be written back."""
    return {kept_ref(item): writable(item) for item in items if _span(item, accounts).kind == "kept"}


def kept_ref(item: Json) -> str:
    """The token of an inline thing: equal things, equal tokens; what a mention's target is called does not count."""
    return digest(writable(item)[_kind(item)])


def digest(value: object) -> str:
    """A short token of any JSON value."""
    return "k" + hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:8]


def writable(item: Json) -> Json:
    """What a request may say of an item that was read."""
    kind, payload = _kind(item), item.get(_kind(item))
    inner = _kind(_inside(item))
    if kind == "mention" and inner in _BY_ID and _inside(_inside(item)).get("id"):
        payload = {"type": inner, inner: {"id": _inside(_inside(item))["id"]}}
    return {"type": kind, kind: payload}


def can_be_written(items: Iterable[Json]) -> bool:
    """Whether the whole array can be sent again and nothing of it is lost."""
    return all(_is_known(item) for item in items) and len(copied(items)) <= MOST_ITEMS


def can_be_rewritten(items: Iterable[Json], accounts: Accounts) -> bool:
    """Whether the array may be replaced by other words: what only the service can say in it would not survive that. A link
    preview survives as the link that it is."""
    found = [item for item in items if _kind(_inside(item)) not in _LINKS]
    kept = [item for item in found if _span(item, accounts).kind == "kept"]
    return all(_is_known(item) for item in kept) and (not kept or len(copied(found)) <= MOST_ITEMS)


def _is_known(item: Json) -> bool:
    if any(value and name != "color" and name not in _FLAGS.values() for name, value in _look(item).items()):
        return False
    kind, inside = _kind(item), _inside(item)
    if kind == "text":
        url = (inside.get("link") or {}).get("url")
        return isinstance(inside.get("content"), str) and (url is None or is_link(url))
    if kind == "equation":
        return 0 < _units(str(inside.get("expression") or "")) <= MOST_EXPRESSION
    return kind == "mention" and _kind(inside) in _WRITABLE_MENTIONS and bool(_inside(inside))


def copied(items: Iterable[Json]) -> list[Json]:
    """The array as a request may say it: long text, which comes back merged, in pieces again."""
    found: list[Json] = []
    for item in items:
        look = {"annotations": dict(_look(item))}
        if _kind(item) == "text":
            link = _inside(item).get("link")
            texts = [{"content": piece, "link": link and {"url": link.get("url")}} for piece in pieces(_content(item))]
            found += [{"type": "text", "text": text, **look} for text in texts]
        else:
            found.append({**writable(item), **look})
    return found


def users(items: Iterable[Json]) -> Iterator[Json]:
    """The user objects that mentions carry."""
    for item in items:
        if _kind(item) == "mention" and _kind(_inside(item)) == "user" and _inside(_inside(item)).get("id"):
            yield _inside(_inside(item))


# --- what is lost -----------------------------------------------------------------------------------------------------


def projected(given: Iterable[Span], accounts: Accounts) -> Spans:
    """What these spans read back as after being written."""
    given = tuple(given)
    if _is_plain(given):
        return given
    return _fitted(trimmed(merged_spans(_projected(span, accounts) for span in given)))


def _is_plain(given: Spans) -> bool:
    """Whether nothing would change, at a glance: most text is like that."""
    if not given:
        return True
    if given[0].text[:1].isspace() or given[-1].text[-1:].isspace() or len(given) > MOST_ITEMS:
        return False
    marks, link = None, ""
    for span in given:
        text = span.text
        if span.kind != "text" or not text or len(text) > MOST_SURELY or "\u00a0" in text or "\r" in text:
            return False
        if span.marks == marks and span.link == link:
            return False
        marks, link = span.marks, span.link
        if link and not is_link(link):
            return False
    return True


def _projected(span: Span, accounts: Accounts) -> Span:
    if span.kind == "kept":
        return replace(span, link="")
    if span.kind == "mention":
        user = accounts.user(span.ref)
        if user is None:
            return Span("@" + (span.text or span.ref), marks=span.marks)
        return Span(accounts.names.get(user, span.text), "mention", accounts.ref(user), span.marks)
    if span.kind == "date" and _is_day(span.ref):
        return Span(span.ref, "date", span.ref, span.marks)
    return Span(_clean(span.text), marks=span.marks, link=span.link if span.link and is_link(span.link) else "")


def trimmed(given: Spans) -> Spans:
    """Without white space at either end."""
    left = list(given)
    while left and left[0].kind == "text" and (text := left[0].text.lstrip()) != left[0].text:
        left[:1] = [replace(left[0], text=text)] if text else []
    while left and left[-1].kind == "text" and (text := left[-1].text.rstrip()) != left[-1].text:
        left[-1:] = [replace(left[-1], text=text)] if text else []
    return tuple(left)


def _fitted(given: Spans) -> Spans:
    """At most as many spans as one array holds: beyond, formatting is given up so that no word is lost."""
    if len(given) <= MOST_ITEMS and not any(len(span.text) > MOST_SURELY for span in given):
        return given
    fitted, count = given, len(given)
    while count > 0 and sum(len(pieces(span.text)) if span.kind == "text" else 1 for span in fitted) > MOST_ITEMS:
        count -= 1
        fitted = merged_spans((*given[:count], Span(plain(given[count:]))))
    return fitted


@lru_cache(maxsize=1024)
def is_link(url: str) -> bool:
    """Whether the service takes the URL: absolute http or https of bounded length."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    whole = url.split() == [url]
    return parts.scheme in ("http", "https") and bool(parts.netloc) and whole and _units(url) <= MOST_UNITS


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


# --- writing ----------------------------------------------------------------------------------------------------------


def rich_text(
    given: Iterable[Span], accounts: Accounts, before: Sequence[Json] = (), kept: Mapping[str, Json] | None = None
) -> list[Json]:
    """Spans, as `projected` leaves them, as the array of a request. `before` is the array that is replaced, for its colours;
    `kept` the page's inline things by `ref`: one that is not there cannot be made and is left out.
    """
    found: list[Json] = []
    for span, colour in _painted(tuple(given), before) if before else zip(given, repeat("default")):
        if span.kind == "text" and len(span.text) <= MOST_SURELY:
            found.append(_text_item(span.text, span, colour))
        else:
            found += _items(span, colour, accounts, kept or {})
    return found


def _text_item(text: str, span: Span, colour: str) -> Json:
    said: Json = {"content": text, "link": {"url": span.link}} if span.link else {"content": text}
    if span.marks or colour != "default":
        return {"type": "text", "text": said, "annotations": _annotations(span.marks, colour)}
    return {"type": "text", "text": said}


def code_text(text: str) -> list[Json]:
    """Program text as the array of a request, every space as it is."""
    return [{"type": "text", "text": {"content": piece}} for piece in pieces(text)]


def _items(span: Span, colour: str, accounts: Accounts, kept: Mapping[str, Json]) -> list[Json]:
    look: Json = {"annotations": _annotations(span.marks, colour)}
    if span.kind == "kept":
        return [{**kept[span.ref], **look}] if span.ref in kept else []
    if span.kind == "mention":
        user = {"type": "user", "user": {"id": accounts.user(span.ref)}}
        return [{"type": "mention", "mention": user, **look}]
    if span.kind == "date":
        return [{"type": "mention", "mention": {"type": "date", "date": {"start": span.ref}}, **look}]
    return [_text_item(piece, span, colour) for piece in pieces(span.text)]


def _annotations(marks: frozenset[Mark], colour: str) -> Json:
    look: Json = {_FLAGS[mark]: True for mark in sorted(marks)}
    look["color"] = colour
    return look


def _painted(given: Spans, before: Sequence[Json]) -> Iterator[tuple[Span, str]]:
    """The spans cut where the colour changes; a word keeps the colour it had."""
    old = [(token, _colour(item)) for item in before for token in _tokens(_kind(item), _clean(_shown(item)))]
    if all(colour == "default" for _, colour in old):
        yield from ((span, "default") for span in given)
        return
    new = [(token, index) for index, span in enumerate(given) for token in _tokens(span.kind, span.text)]
    colours = ["default"] * len(new)
    matcher = SequenceMatcher(None, [token for token, _ in old], [token for token, _ in new], autojunk=False)
    for match in matcher.get_matching_blocks():
        colours[match.b : match.b + match.size] = [colour for _, colour in old[match.a : match.a + match.size]]
    yield from _runs(given, new, colours)


def _runs(given: Spans, tokens: Sequence[tuple[str, int]], colours: Sequence[str]) -> Iterator[tuple[Span, str]]:
    start = 0
    for here in range(1, len(tokens) + 1):
        if here < len(tokens) and (tokens[here][1], colours[here]) == (tokens[start][1], colours[start]):
            continue
        span = given[tokens[start][1]]
        text = "".join(token for token, _ in tokens[start:here])
        yield (replace(span, text=text) if span.kind == "text" else span), colours[start]
        start = here


def _tokens(kind: str, text: str) -> list[str]:
    return _TOKEN.findall(text) if kind == "text" else [text.removeprefix("@")]


def _colour(item: Json) -> str:
    return str(_look(item).get("color") or "default")


def pieces(text: str) -> list[str]:
    """The text in pieces of at most `MOST_UNITS`, no character and its accents or joiners torn apart."""
    if len(text) <= MOST_SURELY:
        return [text] if text else []
    found = []
    while _units(text) > MOST_UNITS:
        cut = _cut(text)
        found.append(text[:cut])
        text = text[cut:]
    return [*found, text] if text else found


def _cut(text: str) -> int:
    room, most = MOST_UNITS, 0
    for char in text:
        room -= _units(char)
        if room < 0:
            break
        most += 1
    cut = most
    while cut > 1 and _belongs(text, cut):
        cut -= 1
    return cut if cut > 1 else most  # a pile of accents longer than a whole item is cut anyway


def _belongs(text: str, at: int) -> bool:
    """Whether the character at `at` is drawn together with the one before: the extended grapheme clusters of Unicode
    (UAX 29), in the parts that occur in prose."""
    before, char = text[at - 1], text[at]
    if _flag(char):
        run = at
        while run and _flag(text[run - 1]):
            run -= 1
        return (at - run) % 2 == 1  # two letters make one flag
    if unicodedata.category(char) in ("Mn", "Me", "Mc"):
        return True  # accents, variation selectors, vowel signs, key caps
    if _JAMO[0] <= char <= _JAMO[1]:
        return _JAMO[0] <= before <= _JAMO[1] or _SYLLABLES[0] <= before <= _SYLLABLES[1]
    tone, tag = "\U0001f3fb" <= char <= "\U0001f3ff", "\U000e0020" <= char <= "\U000e007f"
    virama = unicodedata.combining(before) == 9 and unicodedata.category(char) == "Lo"
    return _ZERO_WIDTH_JOINER in (before, char) or tone or tag or virama or (before, char) == ("\r", "\n")


def _flag(char: str) -> bool:
    return "\U0001f1e6" <= char <= "\U0001f1ff"


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
