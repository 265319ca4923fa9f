"""Properties of a data source: the schema, its changes, and the values of its pages.

Values are kept by property id, so that a rename keeps them. A page outside a data source has the one property
`title`.
"""

import random
import string as characters
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, unquote
from uuid import UUID

from providers.sandbox import notion_text as text
from providers.sandbox.notion_check import (
    Json,
    array,
    boolean,
    choice,
    identifier,
    keys,
    number,
    only_one,
    refused,
    string,
)

READ_ONLY = frozenset({"created_time", "created_by", "last_edited_time", "last_edited_by"})
TYPES = (
    "title",
    "rich_text",
    "number",
    "select",
    "multi_select",
    "status",
    "date",
    "people",
    "checkbox",
    "url",
    "email",
    "phone_number",
    *sorted(READ_ONLY),
)
_SHORT = 200
_LISTS = frozenset({"title", "rich_text", "multi_select", "people"})
_WITH_OPTIONS = frozenset({"select", "multi_select", "status"})
_STATUS_GROUPS = (("To-do", "gray"), ("In progress", "blue"), ("Complete", "green"))
_DEFAULT_STATUSES = ("Not started", "In progress", "Done")
_DONE = frozenset({"done", "complete", "completed", "closed"})
_NOT_BEGUN = frozenset({"not started", "to do", "to-do", "open"})


@dataclass(slots=True)
class Property:
    """One column: its id is fixed, the name may change; options are those of select and status types."""

    id: str
    name: str
    type: str
    number_format: str = "number"
    options: list[Json] = field(default_factory=list)
    groups: list[Json] = field(default_factory=list)

    def rendered(self) -> Json:
        """The property as a data source shows it."""
        config: Json = {}
        if self.type == "number":
            config = {"format": self.number_format}
        elif self.type == "status":
            config = {"options": self.options, "groups": self.groups}
        elif self.type in _WITH_OPTIONS:
            config = {"options": self.options}
        return {"id": self.id, "name": self.name, "description": None, "type": self.type, self.type: config}

    def option(self, key: str, value: object) -> Json | None:
        """The option whose `id` or `name` is that value."""
        return next((option for option in self.options if option[key] == value), None)


class Schema:
    """The properties of one data source in order; it makes ids with the given generator."""

    def __init__(self, source: random.Random) -> None:
        self._random = source
        self.properties: dict[str, Property] = {}

    def add(self, name: str, kind: str, options: tuple[str, ...] = ()) -> Property:
        """Adds a property; a status without options gets Notion's three."""
        made = Property("title" if kind == "title" else self._short_id(), name, kind)
        names = options or (_DEFAULT_STATUSES if kind == "status" else ())
        if kind == "status":
            made.groups = [self._group(title, color) for title, color in _STATUS_GROUPS]
        for option in names:
            self.add_option(made, option)
        self.properties[made.id] = made
        return made

    def add_option(self, prop: Property, name: str, color: str = "default") -> Json:
        """Adds an option; for a status, to the group that its name suggests."""
        if "," in name:
            raise refused("Invalid select option, commas not allowed")
        option: Json = {"id": self._option_id(), "name": name, "color": color, "description": None}
        prop.options = [*prop.options, option]
        if prop.type == "status":
            group = prop.groups[_group_of(name)]
            group["option_ids"] = [*group["option_ids"], option["id"]]
        return option

    def find(self, key: str) -> Property | None:
        """A property by name or id; ids are taken percent-encoded or decoded."""
        for prop in self.properties.values():
            if key in {prop.name, prop.id, unquote(prop.id)}:
                return prop
        return None

    def _group(self, name: str, color: str) -> Json:
        return {"id": self._option_id(), "name": name, "color": color, "option_ids": []}

    def _option_id(self) -> str:
        return str(UUID(int=self._random.getrandbits(128), version=4))

    def _short_id(self) -> str:
        alphabet = characters.ascii_letters + ":;<=>?@[]{}|~^"
        return quote("".join(self._random.choice(alphabet) for _ in range(4)), safe="")


def _group_of(name: str) -> int:
    folded = name.casefold()
    return 2 if folded in _DONE else 0 if folded in _NOT_BEGUN else 1


# --- schema changes ------------------------------------------------------------------------------------------------


def change_schema(schema: Schema, value: object, at: str) -> None:
    """Carries out the `properties` of a data source update: add, rename, extend options, remove with null."""
    given = keys(value, at, value if isinstance(value, dict) else ())
    for name, change in given.items():
        _change_property(schema, name, change, f"{at}.{name}")


def _change_property(schema: Schema, name: str, change: object, at: str) -> None:
    prop = schema.find(name)
    if change is None:
        _remove(schema, prop, name)
        return
    given = keys(change, at, {*TYPES, "type", "name", "description"})
    kinds = [kind for kind in TYPES if kind in given]
    if prop is None and not kinds:
        raise refused(f"Could not find property with name or id: {name}")
    prop = prop or _added(schema, name, *only_one({kinds[0]: given[kinds[0]]}, at, TYPES))
    if kinds and kinds[0] != prop.type:
        raise refused(f"Cannot update property type of {name} from {prop.type} to {kinds[0]}.")
    if "name" in given:
        prop.name = string(given["name"], f"{at}.name")
    if kinds:
        _configure(schema, prop, given[kinds[0]], f"{at}.{kinds[0]}")


def _added(schema: Schema, name: str, kind: str, config: object) -> Property:
    if kind == "title":
        raise refused("A data source has exactly one title property.")
    made = schema.add(name, kind)
    if isinstance(config, dict) and config.get("options"):  # instead of the three that a status gets by itself
        made.options, made.groups = [], [{**group, "option_ids": []} for group in made.groups]
    return made


def _remove(schema: Schema, prop: Property | None, name: str) -> None:
    if prop is None:
        raise refused(f"Could not find property with name or id: {name}")
    if prop.type == "title":
        raise refused("Cannot delete the title property.")
    del schema.properties[prop.id]


def _configure(schema: Schema, prop: Property, value: object, at: str) -> None:
    allowed = {"options"} if prop.type in _WITH_OPTIONS else {"format"} if prop.type == "number" else set()
    given = keys(value, at, allowed)
    if "format" in given:
        prop.number_format = string(given["format"], f"{at}.format")
    for index, option in enumerate(array(given.get("options", []), f"{at}.options")):
        _configure_option(schema, prop, option, f"{at}.options[{index}]")


def _configure_option(schema: Schema, prop: Property, value: object, at: str) -> None:
    given = keys(value, at, {"id", "name", "color", "description", *(["group"] if prop.type == "status" else [])})
    known = prop.option("id", given.get("id")) or prop.option("name", given.get("name"))
    color = choice(given.get("color", "default"), f"{at}.color", text.HUES)
    if known is None:
        schema.add_option(prop, string(given.get("name"), f"{at}.name", 100), color)
    elif "name" in given:
        known["name"] = string(given["name"], f"{at}.name", 100)


# --- values --------------------------------------------------------------------------------------------------------


def title_only(source: random.Random) -> Schema:
    """The schema of a page that is no row."""
    schema = Schema(source)
    schema.add("title", "title")
    return schema


def read_values(schema: Schema, value: object, at: str) -> dict[str, Any]:
    """The `properties` of a page write as stored values by property id; unknown select options are added."""
    given = keys(value, at, value if isinstance(value, dict) else ())
    named = [(name, _found(schema, name), written) for name, written in given.items()]
    return {prop.id: _read_value(schema, prop, written, f"{at}.{name}") for name, prop, written in named}


def _found(schema: Schema, name: str) -> Property:
    prop = schema.find(name)
    if prop is None:
        raise refused(f"{name} is not a property that exists.")
    return prop


def _read_value(schema: Schema, prop: Property, value: object, at: str) -> Any:
    if prop.type in READ_ONLY:
        raise refused(f"{prop.name} is a read-only property and cannot be written.")
    if prop.type == "title" and isinstance(value, list):
        value = {"title": value}
    given = keys(value, at, {*TYPES, "id", "name", "type"})
    if prop.type not in given:
        raise refused(f"{prop.name} is expected to be {prop.type}.")
    keys(value, at, {prop.type, "id", "name", "type"})
    inner, where = given[prop.type], f"{at}.{prop.type}"
    if prop.type in _WITH_OPTIONS:
        return _read_options(schema, prop, inner, where)
    return _READERS[prop.type](inner, where)


def _read_options(schema: Schema, prop: Property, value: object, at: str) -> Any:
    if prop.type == "multi_select":
        items = enumerate(array(value, at))
        return [_read_option(schema, prop, item, f"{at}[{index}]") for index, item in items]
    return None if value is None else _read_option(schema, prop, value, at)


def _read_option(schema: Schema, prop: Property, value: object, at: str) -> str:
    given = keys(value, at, {"id", "name", "color", "description"})
    key = "id" if "id" in given else "name"
    wanted = string(given.get(key), f"{at}.{key}")
    known = prop.option(key, wanted)
    if known is not None:
        return str(known["id"])
    if prop.type == "status" or key == "id":
        label = "status" if prop.type == "status" else "select"
        raise refused(f'Invalid {label} option. {label.capitalize()} option "{wanted}" does not exist.')
    return str(schema.add_option(prop, string(wanted, f"{at}.name", 100))["id"])


def _read_people(value: object, at: str) -> list[str]:
    people = []
    for index, item in enumerate(array(value, at)):
        given = keys(item, f"{at}[{index}]", {"id", "object"}, {"id"})
        people.append(identifier(given["id"], f"{at}[{index}].id"))
    return people


def _nullable(read: Callable[[object, str], Any]) -> Callable[[object, str], Any]:
    return lambda value, at: None if value is None else read(value, at)


def _read_short(value: object, at: str) -> str:
    return string(value, at, _SHORT)


def _read_address(value: object, at: str) -> str:
    return string(value, at, 2000)


_READERS: Mapping[str, Callable[[object, str], Any]] = {
    "title": text.read_rich_text,
    "rich_text": text.read_rich_text,
    "number": _nullable(number),
    "date": _nullable(text.read_date),
    "people": _read_people,
    "checkbox": boolean,
    "url": _nullable(_read_address),
    "email": _nullable(_read_short),
    "phone_number": _nullable(_read_short),
}


def written_by_hand(prop: Property, value: object) -> Json:
    """The write shape of what a person typed or picked: text, an option's name, a number, true, a day, or None."""
    if prop.type in {"title", "rich_text"}:
        return {prop.type: [{"text": {"content": value}}] if value else []}
    if prop.type in {"select", "status"}:
        return {prop.type: None if value is None else {"name": value}}
    if prop.type == "multi_select":
        return {prop.type: [{"name": name} for name in value] if isinstance(value, list) else []}
    if prop.type == "date":
        return {prop.type: {"start": value} if isinstance(value, str) else value}
    return {prop.type: value}


def default_value(prop: Property) -> Any:
    """What a page has where nothing was written; a status starts with the first option of its to-do group."""
    if prop.type == "status":
        return next(iter(prop.groups[0]["option_ids"]), None)
    if prop.type in _LISTS:
        return []
    return False if prop.type == "checkbox" else None


def rendered_value(prop: Property, stored: Any, names: text.Names) -> Json:
    """One written property value as a page shows it; the read-only ones are the page's own business."""
    return {"id": prop.id, "type": prop.type, prop.type: _rendered(prop, stored, names)}


def _rendered(prop: Property, stored: Any, names: text.Names) -> Any:
    if prop.type in {"title", "rich_text"}:
        return text.rendered(stored, names)
    if prop.type == "multi_select":
        return [_rendered_option(prop, option) for option in stored]
    if prop.type in {"select", "status"}:
        return None if stored is None else _rendered_option(prop, stored)
    if prop.type == "people":
        return [names.user(person) or {"object": "user", "id": person} for person in stored]
    return stored


def _rendered_option(prop: Property, option: str) -> Json | None:
    found = prop.option("id", option)
    return found and {name: found[name] for name in ("id", "name", "color")}
