"""Where pages of a destination live and which of their properties carry something: pure readings of Notion's JSON.

A destination is a data source (a table whose rows are pages) or a plain parent page. In a data source, properties carry the
incident, the severity and the status; under a plain page the static first line of the body carries the incident.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from mapping.document import Block, Doc
from mapping.incident import PostmortemStatus
from mapping.notion_text import MOST_UNITS, Json, plain_text
from providers.contract import Place, Refused
from providers.notion_wire import id_of

CARRIERS = ("incident", "severity", "status")
_WRITABLE = frozenset({"rich_text", "select", "status"})
_UNDERSTOOD = {"not started": PostmortemStatus.IN_PROGRESS, "done": PostmortemStatus.COMPLETED}
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


def carriers(place: Place, properties: Mapping[str, Json]) -> dict[str, str]:
    """Carrier -> property name, for the carriers that the schema or page has in a type that can be read and written."""
    wanted = {carrier: place.properties.get(carrier, {}).get("name") or carrier.capitalize() for carrier in CARRIERS}
    return {c: name for c, name in wanted.items() if name in properties and properties[name]["type"] in _WRITABLE}


def wanted(place: Place) -> tuple[str, ...]:
    """The carriers that the destination speaks of: those of the configuration, and the three that go by their names."""
    return tuple(dict.fromkeys((*CARRIERS, *place.properties)))


def called(carrier: str) -> str:
    """A carrier as people say it: `time:started` is the time started."""
    kind, _, name = carrier.partition(":")
    return f"{kind} {name}" if name else kind


def may_create(place: Place) -> bool:
    """Whether the admin said that properties which the schema lacks may be made."""
    return place.options.get("create_properties") == "true"


def title_of(page: Json) -> str:
    """The title as plain text on one line."""
    properties = page["properties"]
    items = properties.get(title_property(properties), {}).get("title", ())
    return one_line(plain_text(items))


def one_line(text: str) -> str:
    """A title as the service shows it."""
    return " ".join(text.split())


def read_properties(place: Place, page: Json) -> tuple[tuple[str, str], ...]:
    """The carriers of a page as text, the status in our own words where it is one of them."""
    found = carriers(place, page["properties"])
    return tuple((carrier, _read(place, carrier, page["properties"][name])) for carrier, name in found.items())


def _read(place: Place, carrier: str, value: Json) -> str:
    content = value[value["type"]]
    text = plain_text(content).strip() if value["type"] == "rich_text" else str((content or {}).get("name", ""))
    return _from_native(place, text) if carrier == "status" else text


def _from_native(place: Place, text: str) -> str:
    mapped = place.properties.get("status", {})
    for status in PostmortemStatus:
        if text and text == mapped.get(status.value):
            return status.label
    return canonical_status(text)


def canonical_status(text: str) -> str:
    """`In progress`, `In review` or `Completed` for what means one of them; any other text as it is."""
    low = text.strip().lower()
    named = next((status for status in PostmortemStatus if status.label.lower() == low), None)
    known = named or _UNDERSTOOD.get(low)
    return known.label if known else text.strip()


def write_properties(place: Place, page: Mapping[str, Json], schema: Mapping[str, Json], values: Mapping[str, str]) -> Json:
    """The `properties` of a request that gives these carriers these texts; those that the page lacks are left out. `schema`
    is the data source's, for the names of its options."""
    found = carriers(place, page)
    return {
        found[carrier]: _written(page[found[carrier]]["type"], _to_native(place, carrier, text, schema.get(found[carrier])))
        for carrier, text in values.items()
        if carrier in found
    }


def _written(kind: str, text: str) -> Json:
    return {"rich_text": text_items(text)} if kind == "rich_text" else {kind: {"name": text} if text else None}


def _to_native(place: Place, carrier: str, text: str, schema: Json | None) -> str:
    """The option that says the status: as mapped, else one of that name, else one that means it (`Done`)."""
    label = canonical_status(text)
    status = next((status for status in PostmortemStatus if status.label == label), None)
    if carrier != "status" or status is None:
        return text
    mapped = place.properties.get("status", {}).get(status.value)
    options = [str(option["name"]) for option in (schema or {}).get((schema or {}).get("type", ""), {}).get("options", ())]
    if mapped or label in options:
        return mapped or label
    return next((option for option in options if canonical_status(option) == label), label)


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
