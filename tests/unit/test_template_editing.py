"""Templates changed by people: what is refused, what the journal tells, and how a draft would come out."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mapping.commands import Actor
from mapping.template import as_table
from syncd import template_editing as editing
from syncd.app import App
from syncd.assembly import Assembly, assemble
from syncd.errors import WrongFields
from syncd.settings import load
from syncd.story import story

CONFIG = """
[fields.affected_customers]
label = "Affected customers"
[providers.files]
kind = "folder"
[destinations.folder]
provider = "files"
path = "pages"
"""
INCIDENT = b"""
reference: INC-1
name: Checkout fails
phase: post_incident
summary: It failed.
lead: {name: Ada Byron, email: ada@example.com}
follow_ups: [{title: Alert on depth}]
"""
ADA = Actor("store", "Ada Byron")


@pytest.fixture
def built(tmp_path: Path) -> Iterator[Assembly]:
    (tmp_path / "config.toml").write_text(CONFIG)
    made = assemble(tmp_path / "config.toml", load(tmp_path / "config.toml"), lambda per_minute: lambda seconds: None)
    made.app.import_records("x.yaml", INCIDENT, None, ADA)
    yield made
    made.close()


@pytest.fixture
def app(built: Assembly) -> App:
    return built.app


def standard(app: App) -> dict[str, Any]:
    template = app.library.get("standard")
    assert template is not None
    return as_table(template)


def test_the_journal_tells_who_changed_templates(app: App) -> None:
    editing.duplicate(app, "standard", "major", ADA)
    editing.save(app, "major", standard(app), "", ADA)
    editing.delete(app, "major", "", ADA)
    told = [(part.who, clause) for part in story(app.store.journal()) for _, clause in part.did if "template" in clause]
    assert told == [("Ada Byron", f"{verb} the template major") for verb in ("made", "changed", "deleted")]


def test_a_destination_must_be_there_unless_the_file_has_named_it_all_the_time(app: App) -> None:
    with pytest.raises(WrongFields, match="no destination 'wikki'"):
        editing.save(app, "standard", standard(app) | {"destination": "wikki"}, "", ADA)
    app.library.set_write("standard", "gone")
    saved = editing.save(app, "standard", standard(app) | {"name": "Ours"}, "", ADA)
    assert saved.template is not None and (saved.template.name, saved.template.destination) == ("Ours", "gone")


def shown(app: App, **changes: Any) -> editing.Preview:
    return editing.preview(app, "standard", standard(app) | changes, app.lookup.incident("INC-1"))


def test_the_preview_is_the_page_that_would_be_made(app: App) -> None:
    preview = shown(app)
    app.create_postmortem("INC-1", "standard", "folder", ADA)
    app.once()
    (page,) = app.store.pages("INC-1")
    base = app.store.base(page.id)
    assert base is not None and base.title == preview.title == "INC-1 Checkout fails"
    there = [block.text.replace("@Ada", "Ada") for block in base.blocks]  # as a file mentions people
    assert there == [block.text for block in preview.blocks]
    assert preview.wrong == {}


def test_what_is_wrong_is_told_with_its_line_and_the_rest_still_shown(app: App) -> None:
    texts = ["{{ incident", "One.\n\n{{ incident.lead.nmae }}", "Lead: {{ incident.lead.name }}"]
    sections: list[dict[str, Any]] = [{"id": f"s{n}", "heading": f"H{n}", "text": text} for n, text in enumerate(texts)]
    bad = {"kind": "sumary", "heading": "S"}
    preview = shown(app, title="{{ nme }}", sections=[bad, *sections, {"id": "a b"}])
    places = ("1].kind", "2].text", "3].text", "5].heading", "5].id")
    assert sorted(preview.wrong) == [*(f"sections[{place}" for place in places), "title"]
    assert preview.wrong["sections[2].text"].startswith("line 1: ")
    assert preview.wrong["sections[3].text"] == "line 3: unknown name 'incident.lead.nmae', did you mean 'name'?"
    texts = [block.text for block in preview.blocks]
    assert "Lead: Ada Byron" in texts and "(no heading yet)" in texts
    assert preview.title == "INC-1 Checkout fails"


def test_nothing_is_written_for_a_preview(app: App) -> None:
    before = app.store.version()
    shown(app)
    assert app.store.version() == before and app.store.postmortem("INC-1") is None
