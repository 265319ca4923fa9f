"""Insights as programs get them, and what pages and lists cost however many incidents there are."""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from mapping.commands import Actor
from syncd.api import create_app
from syncd.assembly import Assembly, assemble
from syncd.cli import main
from syncd.settings import load
from tests.flow.test_api import CONFIG, Client

MOST = 60  # statements of the page that asks most


@pytest.fixture
def built(tmp_path: Path) -> Iterator[Assembly]:
    path = tmp_path / "config.toml"
    path.write_text(CONFIG, "utf-8")
    made = assemble(path, load(path), lambda seconds: lambda more: None)
    yield made
    made.close()


def fill(built: Assembly, numbers: range) -> None:
    """Incidents with two follow-ups and an event each; each third is private, some have a post-mortem."""
    records = [
        {
            "reference": f"INC-{number}",
            "name": "=HYPERLINK(1)",
            "phase": "closed",
            "severity": "SEV1",
            "private": number % 3 == 0,
            "timestamps": {"started": "2026-11-02T10:00:00Z"},
            "lead": {"name": "Ada Byron", "email": "ada@example.com"},
            "timeline": [{"key": f"T-{number}", "at": "2026-11-02T10:00:00Z", "title": "Alert"}],
            "follow_ups": [{"title": "Do", "due_on": "2026-01-01"}, {"title": "Undo"}],
        }
        for number in numbers
    ]
    built.app.import_records("many.json", json.dumps(records).encode(), None, Actor("import"))
    for number in numbers:
        if number % 2 == 0 and number % 3:
            built.app.create_postmortem(f"INC-{number}", "standard", "folder", Actor("store"))


def test_insights_are_listed_and_each_is_read_as_json_or_csv(built: Assembly) -> None:
    fill(built, range(1, 5))
    client = Client(create_app(built.app))
    listed = client.json("GET", "/api/v1/insights")["insights"]
    assert [one["name"] for one in listed] == ["missing", "completed", "follow-ups", "drift", "decisions"]
    missing = client.json("GET", "/api/v1/insights/missing")
    assert missing["headline"] == listed[0]["headline"]
    assert [(row["incident"], row["severity"]) for row in missing["rows"]] == [("INC-1", "SEV1")]
    answer = client("GET", "/api/v1/insights/missing?format=csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="missing.csv"'
    (row,) = csv.DictReader(io.StringIO(answer.text))
    assert (row["incident"], row["name"]) == ("INC-1", "'=HYPERLINK(1)")
    assert "follow-ups" in client.json("GET", "/api/v1/insights/followups", status=404)["detail"]


def test_insights_at_the_command_line(built: Assembly, tmp_path: Path) -> None:
    fill(built, range(1, 5))
    runner = CliRunner()

    def said(*arguments: str, code: int = 0) -> str:
        result = runner.invoke(main, ["insights", *arguments, "--config", str(tmp_path / "config.toml")])
        assert result.exit_code == code, result.output
        return result.stdout

    assert "2 incidents without a post-mortem, the oldest for " in said()
    assert [one["name"] for one in json.loads(said("--json"))][:2] == ["missing", "completed"]
    assert "INC-3" in said("missing")
    assert json.loads(said("follow-ups", "--json"))["figures"] == {"open": 8, "overdue": 4}
    assert said("decisions", "--csv").splitlines() == ["who,decided,page,store,both,text"]
    said("--csv", code=2)
    said("nothing", code=2)


PATHS = (
    "/",
    "/?q=alert&severity=SEV1",
    "/insights",
    "/incidents/INC-2",
    "/incidents/INC-99",
    "/keys/T-1",
    "/conflicts",
    "/api/v1/incidents?limit=2",
    "/api/v1/incidents/INC-1",
    "/api/v1/follow-ups?limit=2",
    "/api/v1/follow-ups/FU-1",
    "/api/v1/timeline?limit=2",
    "/api/v1/postmortems?limit=2",
    "/api/v1/conflicts?limit=2",
    "/api/v1/journal?limit=2",
    "/api/v1/insights",
)


def test_what_a_page_asks_of_the_database_does_not_grow_with_the_incidents(built: Assembly) -> None:
    fill(built, range(1, 9))
    client = Client(create_app(built.app))

    def asked(path: str) -> int:
        statements: list[str] = []
        built.store._db.conn.set_trace_callback(statements.append)
        assert client("GET", path).status_code in (200, 303, 404), path
        built.store._db.conn.set_trace_callback(None)
        return len([text for text in statements if "'main'.'search_" not in text])  # the index reads its own tables

    few = {path: asked(path) for path in PATHS}
    fill(built, range(9, 41))
    assert {path: asked(path) for path in PATHS} == few
    assert max(few.values()) < MOST, few
