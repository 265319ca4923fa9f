"""Where pages of a destination live, how they are called and whose they are: pure readings of Notion's JSON.

A destination is a data source (a table whose rows are pages, with properties: `notion_columns.py`) or a plain parent page,
under which the static first line of the body carries the incident.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from mapping.document import Block, Doc
from mapping.notion_text import MOST_UNITS, Json, plain_text
from providers.contract import Place, Refused
from providers.notion_wire import id_of

_STATIC = re.compile(r"In step with incident ([^\s.,;:]+)")


@dataclass(frozen=True, slots=True)
class Parent:
    """Under what new pages are made: `kind` is `data_source_id` or `page_id`."""

    kind: str
    id: str

    @property
    def is_data_source(self) -> bool:
        return self.kind == "data_source_id"

    @property
    def as_json(self) -> Json:
        return {"type": self.kind, self.kind: self.id}


def parent_of(place: Place) -> Parent:
    """What the destination names. Raises Refused when it names nothing, or no id."""
    if place.options.get("data_source"):
        return Parent("data_source_id", id_of(place.options["data_source"], beside=False))
    if place.options.get("page"):
        return Parent("page_id", id_of(place.options["page"]))
    raise Refused(f"destination {place.name} names neither data_source nor page")


def title_property(properties: Mapping[str, Json]) -> str:
    """The name of the one property of type title."""
    return next((name for name, value in properties.items() if value["type"] == "title"), "title")


def title_of(page: Json) -> str:
    """The title as plain text on one line."""
    properties = page["properties"]
    items = properties.get(title_property(properties), {}).get("title", ())
    return one_line(plain_text(items))


def one_line(text: str) -> str:
    """A title as the service shows it."""
    return " ".join(text.split())


def text_items(text: str) -> list[Json]:
    """Plain text as a rich text array. Titles and names are short, so half the limit in characters is always enough."""
    step = MOST_UNITS // 2
    return [{"type": "text", "text": {"content": text[at : at + step]}} for at in range(0, len(text), step)]


def marker_of(doc: Doc) -> str:
    """The identity that a page carries: its incident property, else the static line before the first section."""
    if doc.property("incident"):
        return doc.property("incident") or ""
    return next((found[1] for block in _opening(doc) if (found := _STATIC.match(block.text))), "")


def _opening(doc: Doc) -> list[Block]:
    found: list[Block] = []
    for block in doc.blocks:
        if block.kind == "heading":
            break
        if block.kind == "paragraph":
            found.append(block)
    return found
