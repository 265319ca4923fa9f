"""What people are told of a message: what happened, both versions, and the way to decide. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from mapping.document import Block, Span, Spans
from mapping.incident import Person
from syncd.store.outbox import Message

LONGEST = 400  # characters of a version; the whole one stands where it is decided
CHOICES = {
    "page": "the page's version stands",
    "store": "the incident's version stands",
    "both": "both versions stand",
    "text": "another text stands",
}


@dataclass(frozen=True, slots=True)
class Told:
    """A headline, what there is to say, and the way on: a link where pages have an address, else a command."""

    headline: str
    lines: tuple[str, ...]
    way: str
    link: str = ""

    @property
    def text(self) -> str:
        """For people who read plain text."""
        way = f"{self.way}: {self.link}" if self.link else self.way
        return "\n".join(line for line in (self.headline, *self.lines, way) if line)


def told(message: Message, public_url: str) -> Told:
    """What people are told of it."""
    match message.event:
        case "conflict.opened":
            return _conflict(message, public_url)
        case "conflict.resolved":
            choice = CHOICES.get(str(message.data["state"]), str(message.data["state"]))
            return Told(f"Decided: {_about(message.data)}.", (f"By {message.data['by']}; {choice}.",), "", "")
        case "page.halted":
            return _halted(message, public_url)
        case "page.resumed":
            gone = message.data["state"] == "detached"
            return Told("The page is no longer kept in step." if gone else "The page is kept in step again.", (), "")
        case "value.not_understood":
            return _value(message, public_url)
        case "value.understood":
            return Told(f"Settled: “{_cut(message.data['text'])}” does not stand there any more.", (), "")
    raise ValueError(f"people are not told of {message.event}")


def _conflict(message: Message, public_url: str) -> Told:
    sides = (("On the page", message.data["page"]), ("In the incident", message.data["store"]))
    lines = [f"{where}: “{_cut(side['text'])}”{_by(side)}." for where, side in sides]
    shown = "page" if message.data["shown"] == "page" else "incident"
    lines.append(f"The {shown}'s version shows now; the other is kept.")
    link = link_to(public_url, message.incident, f"conflict-{message.subject}")
    way = (
        "Decide with one click"
        if link
        else f"Decide: `syncd conflicts resolve {message.subject} --take page` (or store, both)"
    )
    return Told(f"Both sides changed {_about(message.data)} differently.", tuple(lines), way, link)


def _halted(message: Message, public_url: str) -> Told:
    link = link_to(public_url, message.incident, f"page-{message.page}")
    way = "Look at it and let it go on" if link else f"Let it go on: `syncd resume {message.incident}`"
    return Told("This page is not kept in step until somebody looks.", (str(message.data["reason"]),), way, link)


def _value(message: Message, public_url: str) -> Told:
    key = str(message.data["key"])
    about = " ".join(
        part for part in ("" if key in ("details", "properties") else key, _field(message.data["field"])) if part
    )
    line = "Correct it where it stands; until then the incident keeps the value that it has."
    link = link_to(public_url, message.incident, f"page-{message.page}")
    return Told(
        f"Nobody understands “{_cut(message.data['text'])}” as {about}.", (line,), "See the incident" if link else "", link
    )


def link_to(public_url: str, incident: str, anchor: str = "") -> str:
    """Where in the browser something is; empty where the pages have no address."""
    where = f"{public_url}/incidents/{quote(incident, safe='')}" if public_url else ""
    return f"{where}#{quote(anchor, safe='')}" if where and anchor else where


def _about(data: Mapping[str, Any]) -> str:
    if data["field"] == "text":
        return f"the text of the section “{data['section']}”"
    return f"the {_field(data['field'])}{' of ' + data['key'] if data['key'] else ''}"


def _field(name: str) -> str:
    return str(name).replace("_", " ").replace(":", " ")


def _by(side: Mapping[str, Any]) -> str:
    return f" ({side['by']})" if side["by"] else ""


def _cut(text: object) -> str:
    words = " ".join(str(text).split())
    return words if len(words) <= LONGEST else words[: LONGEST - 1].rstrip() + "…"


# --- as a comment -------------------------------------------------------------------------------------------------------


def comment(what: Told, people: Iterable[Person], mark: str) -> tuple[Block, ...]:
    """The same as a comment on the page. `people` are mentioned, so that the service tells them; `mark` is how the comment
    is found again."""
    lines: list[Spans] = [(Span(what.headline, marks=frozenset({"bold"})),), *((Span(line),) for line in what.lines)]
    if what.way:
        lines.append((Span(what.way, link=what.link),) if what.link else (Span(what.way),))
    mentions = [span for person in people for span in (Span(str(person), "mention", ref=person.email), Span(" "))]
    lines.append((*mentions, Span(mark)))
    return tuple(Block("paragraph", spans) for spans in lines)
