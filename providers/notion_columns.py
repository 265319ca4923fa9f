"""Which properties of a data source carry what of a post-mortem: found, read, written, and made where that was allowed.

A carrier is the incident, the severity, the status, the lead, a role (`role:scribe`) or a lifecycle time (`time:resolved`).
As text a person is their e-mail, else their name; a time is the minute in UTC; the status is in our own words.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from mapping.incident import PostmortemStatus
from mapping.notion_text import Accounts, Json, plain_text
from providers.contract import Place
from providers.notion_place import one_line, text_items

DEFAULT = ("incident", "severity", "status")  # by the properties of these names, when nothing else is said
_UNDERSTOOD = {"not started": PostmortemStatus.IN_PROGRESS, "done": PostmortemStatus.COMPLETED}
_TEXTUAL = frozenset({"rich_text", "select", "status"})
NOBODY = Accounts()


def name_of(carrier: str) -> str:
    """How the property of a carrier is called when the configuration does not say: `time:resolved` is Resolved."""
    return carrier.rpartition(":")[2].replace("_", " ").capitalize()


def types_of(carrier: str) -> frozenset[str]:
    """The types of properties that can carry it."""
    if _is_person(carrier):
        return frozenset({"people"})
    return frozenset({"date"}) if carrier.startswith("time:") else _TEXTUAL


def _is_person(carrier: str) -> bool:
    return carrier == "lead" or carrier.startswith("role:")


class Columns:
    """The properties of one destination. Names come from the configuration; one that has none of that name any more is found
    by the id that it had."""

    def __init__(self, place: Place) -> None:
        self.place = place

    @property
    def wanted(self) -> tuple[str, ...]:
        """The carriers that the destination speaks of: those that go by their names, and those of the configuration."""
        return tuple(dict.fromkeys((*DEFAULT, *self.place.properties)))

    @property
    def may_create(self) -> bool:
        """Whether the admin said that properties which the schema lacks may be made."""
        return self.place.options.get("create_properties") == "true"

    def title(self, carrier: str) -> str:
        """The configured name of a carrier's property; it may also be the property's id."""
        return self.place.properties.get(carrier, {}).get("name") or name_of(carrier)

    def found(self, properties: Mapping[str, Json]) -> dict[str, str]:
        """Carrier -> property name, for those that this schema or page has in a type that can carry them."""
        named = {carrier: self._named(carrier, properties) for carrier in self.wanted}
        return {c: name for c, name in named.items() if name and properties[name]["type"] in types_of(c)}

    def ids(self, properties: Mapping[str, Json]) -> dict[str, str]:
        """Carrier -> the id of its property, which stays when people rename it."""
        return {carrier: str(properties[name]["id"]) for carrier, name in self.found(properties).items()}

    def _named(self, carrier: str, properties: Mapping[str, Json]) -> str:
        wanted = self.title(carrier)
        if wanted in properties:
            return wanted
        ids = {wanted, self.place.carriers.get(carrier, wanted)}
        return next((name for name, value in properties.items() if value.get("id") in ids), "")

    # --- reading ---

    def read(self, page: Json, accounts: Accounts = NOBODY) -> tuple[tuple[str, str], ...]:
        """The carriers of a page as text."""
        properties = page["properties"]
        return tuple((c, self._read(c, properties[name], accounts)) for c, name in self.found(properties).items())

    def _read(self, carrier: str, value: Json, accounts: Accounts) -> str:
        content = value[value["type"]]
        if value["type"] == "people":
            return _person(content[0]["id"], accounts) if content else ""
        if value["type"] == "date":
            return _minute((content or {}).get("start") or "")
        text = plain_text(content).strip() if value["type"] == "rich_text" else str((content or {}).get("name", ""))
        return self._own_status(text) if carrier == "status" else text

    def _own_status(self, text: str) -> str:
        mapped = self.place.properties.get("status", {})
        for status in PostmortemStatus:
            if text and text == mapped.get(status.value):
                return status.label
        return canonical_status(text)

    # --- writing ---

    def write(
        self, now: Mapping[str, Json], schema: Mapping[str, Json], values: Mapping[str, str], accounts: Accounts = NOBODY
    ) -> Json:
        """The `properties` of a request that gives these carriers these texts; those that are not `now` there are left out.
        `now` are the page's properties, or for a new page the schema's; `schema` has the names of the options."""
        found = self.found(now)
        return {
            found[carrier]: self._written(carrier, now[found[carrier]], schema.get(found[carrier]), text, accounts)
            for carrier, text in values.items()
            if carrier in found
        }

    def _written(self, carrier: str, now: Json, schema: Json | None, text: str, accounts: Accounts) -> Json:
        kind = now["type"]
        if kind == "people":
            return {kind: _people(now[kind], accounts.user(text) if text else None)}
        if kind == "date":
            return {kind: _date(now[kind], text)}
        text = self._native_status(text, schema) if carrier == "status" else text
        return {"rich_text": text_items(text)} if kind == "rich_text" else {kind: {"name": text} if text else None}

    def _native_status(self, text: str, schema: Json | None) -> str:
        """The option that says the status: as mapped, else one of that name, else one that means it (`Done`)."""
        label = canonical_status(text)
        status = next((status for status in PostmortemStatus if status.label == label), None)
        if status is None:
            return text
        mapped = self.place.properties.get("status", {}).get(status.value)
        config = (schema or {}).get((schema or {}).get("type", ""), {})
        options = [str(option["name"]) for option in config.get("options", ())]
        if mapped or label in options:
            return mapped or label
        return next((option for option in options if canonical_status(option) == label), label)

    def complaints(self, carrier: str, schema: Json) -> Iterator[str]:
        """What a person should know of it: the service refuses a status that it has no option for."""
        if carrier == "status" and schema["type"] == "status":
            options = {option["name"] for option in schema["status"]["options"]}
            for status in PostmortemStatus:
                name = self._native_status(status.label, schema)
                if name not in options:
                    yield f"{schema['name']} has no option {name}: add it in Notion, or map it under properties"

    # --- making ---

    def lacking(self, schema: Mapping[str, Json]) -> Json:
        """The `properties` of a request that makes what the schema lacks. A property of the name that is of another type is
        not replaced."""
        found = self.found(schema)
        names = {carrier: self.title(carrier) for carrier in self.wanted if carrier not in found}
        return {name: self._made(carrier) for carrier, name in names.items() if name not in schema}

    def _made(self, carrier: str) -> Json:
        if _is_person(carrier):
            return {"people": {}}
        if carrier.startswith("time:"):
            return {"date": {}}
        if carrier == "status":
            mapped = self.place.properties.get("status", {})
            return {"status": {"options": [{"name": mapped.get(s.value) or s.label} for s in PostmortemStatus]}}
        return {"select": {}} if carrier == "severity" else {"rich_text": {}}


def canonical_status(text: str) -> str:
    """`In progress`, `In review` or `Completed` for what means one of them; any other text as it is."""
    low = text.strip().lower()
    named = next((status for status in PostmortemStatus if status.label.lower() == low), None)
    known = named or _UNDERSTOOD.get(low)
    return known.label if known else text.strip()


def as_carried(carrier: str, text: str, accounts: Accounts) -> str:
    """What a text reads back as: somebody without an account cannot stand in a property of people."""
    if carrier == "status":
        return canonical_status(text)
    if _is_person(carrier):
        user = accounts.user(text)
        return _person(user, accounts) if user else ""
    return _minute(text) if carrier.startswith("time:") else one_line(text)


def _person(user: str, accounts: Accounts) -> str:
    return accounts.emails.get(user) or accounts.names.get(user, "")


def _minute(text: str) -> str:
    """A moment as the minute in UTC; a day without a time, and what is neither, as it is."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    if len(text) <= len("2026-11-02"):
        return text
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return aware.astimezone(UTC).replace(second=0, microsecond=0).isoformat().replace("+00:00", "Z")


def _people(now: object, user: str | None) -> list[Json]:
    """The first of the people is ours to say; those whom somebody put beside them stay."""
    others = [person["id"] for person in now[1:]] if isinstance(now, list) else []
    return [{"id": user}, *({"id": other} for other in others if other != user)] if user else []


def _date(now: object, text: str) -> Json | None:
    """The start is ours to say; an end that is not before it stays."""
    if not text:
        return None
    end = _minute(str(now.get("end") or "")) if isinstance(now, dict) else ""
    return {"start": text, "end": end} if end > text else {"start": text}
