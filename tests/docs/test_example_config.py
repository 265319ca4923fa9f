"""The example configuration is complete, correct, and tells the real defaults."""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from syncd.resources import shipped
from syncd.settings import (
    DestinationSettings,
    FieldSettings,
    PropertySettings,
    ProviderSettings,
    Settings,
    load,
)

EXAMPLE = shipped("config.example.toml")
TABLE: dict[str, Any] = tomllib.loads(EXAMPLE.read_text(encoding="utf-8"))
NAMED: dict[str, type[BaseModel]] = {
    "fields": FieldSettings,
    "providers": ProviderSettings,
    "destinations": DestinationSettings,
}


def keys(model: type[BaseModel]) -> set[str]:
    return {field.alias or name for name, field in model.model_fields.items()}


def defaults() -> Iterator[tuple[str, str, object]]:
    """Every field of the tables that have one place: (table, key, default in the form of the file)."""
    for table, field in Settings.model_fields.items():
        if isinstance(field.default, BaseModel):
            for key, value in field.default.model_dump(mode="json").items():
                yield table, key, value


def test_it_loads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    settings = load(EXAMPLE)
    assert {p.kind for p in settings.providers.values()} == {"confluence", "notion", "folder"}
    carriers = {"incident", "severity", "status", "lead", "role:communications", "time:started"}
    assert set(settings.destinations["notion-postmortems"].properties) == carriers


@pytest.mark.parametrize(("table", "key", "default"), list(defaults()))
def test_fields_show_their_default(table: str, key: str, default: object) -> None:
    assert key in TABLE[table], f"[{table}] lacks {key}"
    if (table, key) != ("incidents", "severities"):
        assert TABLE[table][key] == default


def test_every_table_is_there() -> None:
    assert set(TABLE) == keys(Settings)
    assert TABLE["timezone"] == Settings.model_fields["timezone"].default


@pytest.mark.parametrize("name", list(NAMED))
def test_every_field_of_the_named_tables_is_shown(name: str) -> None:
    shown = {key for table in TABLE[name].values() for key in table}
    assert shown == keys(NAMED[name])


def test_every_part_of_a_mapped_property_is_shown() -> None:
    mapped = TABLE["destinations"]["notion-postmortems"]["properties"]["status"]
    assert set(mapped) == keys(PropertySettings)


def test_the_service_names_settings_that_exist() -> None:
    unit = (Path(shipped("systemd")) / "syncd.service").read_text(encoding="utf-8")
    for line in unit.splitlines():
        name, _, value = line.lstrip("#").partition("=")
        if name == "LoadCredential":
            credential, _, file = value.partition(":")
            table, *rest = credential.removeprefix("SYNCD_").lower().split("__")
            assert file.endswith(credential)
            inside = TABLE[table][rest[0]] if len(rest) == 2 else TABLE[table]
            assert rest[-1] in inside
