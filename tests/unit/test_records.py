"""Records: what an import accepts, what it refuses and how it says so, and that what is shown can be imported again."""

import json
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from mapping.incident import FollowUpStatus, Incident, Person, Phase
from mapping.markdown import from_markdown, to_markdown
from mapping.records import incident_to_json, load_records, parse_incidents

YAML = b"""
reference: INC-12
name: Checkout returns 502
phase: post_incident
severity: SEV1
private: false
summary: "Payments *failed*."
lead: {name: Ada Byron, email: ADA@example.com}
roles: {communications: {name: Grace Hopkins, email: grace@example.com}}
timestamps: {started: 2026-11-02T10:00:00Z, resolved: 2026-11-02 12:30:00 +01:00}
custom_fields: {affected_customers: 1200, version: 1.10}
timeline:
  - {key: T-1, at: 2026-11-02T10:03:00Z, title: Alert fired, description: "On **call**"}
follow_ups:
  - {key: FU-1, title: Alert on queue depth, status: open, assignee: {name: Ada Byron}, priority: high, due_on: 2026-12-01}
  - {title: Write it down}
"""


def read(name: str, data: bytes, zone: str = "") -> tuple[list[Incident], list[str]]:
    values, notes = load_records(name, data)
    incidents, problems = parse_incidents(values, ZoneInfo(zone) if zone else None, from_markdown)
    return incidents, notes + problems


def problems_of(value: object) -> list[str]:
    return parse_incidents(value, None, from_markdown)[1]


def test_the_documented_shape() -> None:
    (incident,), problems = read("incidents.yaml", YAML)
    assert problems == []
    assert incident.phase is Phase.POST_INCIDENT
    assert incident.lead == Person("Ada Byron", "ada@example.com")
    assert incident.timestamps["resolved"] == datetime(2026, 11, 2, 11, 30, tzinfo=UTC)
    assert incident.custom_fields == {"affected_customers": "1200", "version": "1.10"}
    assert incident.timeline[0].at == datetime(2026, 11, 2, 10, 3, tzinfo=UTC)
    assert incident.follow_ups[0].due_on == date(2026, 12, 1)
    assert (incident.follow_ups[1].key, incident.follow_ups[1].status) == ("", FollowUpStatus.OPEN)
    assert to_markdown(incident.summary).strip() == "Payments *failed*."


def test_what_is_shown_can_be_imported_again() -> None:
    (incident,), _ = read("incidents.yaml", YAML)
    shown = json.dumps(incident_to_json(incident, to_markdown))
    assert read("again.json", shown.encode()) == ([incident], [])


def test_empty_keys_are_shown_as_null_and_read_back() -> None:
    shown = incident_to_json(Incident("INC-1", "A"), to_markdown)
    keys = ("severity", "summary", "lead", "roles", "timestamps", "custom_fields", "timeline", "follow_ups")
    assert [shown[key] for key in keys] == [None] * len(keys)
    assert parse_incidents(shown, None, from_markdown) == ([Incident("INC-1", "A")], [])


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"timeline": [{"at": "25:99", "title": "x"}]}, "timeline[0].at: '25:99' is not a time"),
        ({"timeline": [{"at": "2026-11-02T10:00", "title": "x"}]}, "timeline[0].at: '2026-11-02T10:00' has no time zone"),
        ({"timeline": [{"title": "x"}]}, "timeline[0].at: is missing"),
        (
            {"timeline": [{"at": "2026-02-30T10:00:00Z", "title": "x"}]},
            "'2026-02-30T10:00:00Z' is not a time",
        ),
        ({"timestamps": {"started": "0001-01-01T00:00:00+23:00"}}, "timestamps.started: "),
        ({"follow_ups": [{"title": "x", "due_on": "2026-13-01"}]}, "follow_ups[0].due_on: '2026-13-01' is not a date"),
        ({"follow_ups": [{"title": " "}]}, "follow_ups[0].title: is missing or empty"),
        ({"follow_ups": {}}, "follow_ups: must be a list, not an object"),
        ({"follow_ups": [{"title": "x", "status": "opn"}]}, "did you mean 'open'?"),
        ({"follow_ups": [{"key": "FU-1", "title": "x"}, {"key": "FU-1", "title": "y"}]}, "the key 'FU-1' is used twice"),
        ({"severty": "SEV1"}, "severty: unknown key, did you mean 'severity'?"),
        ({"phase": "postincident"}, "phase: 'postincident' is not one of"),
        ({"private": "no"}, "private: must be true or false"),
        ({"lead": "Ada"}, "lead: must be an object with keys, not text"),
        ({"lead": {"email": "ada"}}, "lead.email: 'ada' is not an e-mail address"),
        ({"name": ["a"]}, "name: must be text, not a list"),
        ({"reference": None}, "reference: is missing"),
        ({"reference": "INC 1"}, "reference: 'INC 1' must have no spaces"),
    ],
)
def test_what_is_wrong_is_named_with_its_path(change: dict[str, object], problem: str) -> None:
    (said,) = problems_of({"reference": "INC-1", "name": "A"} | change)
    assert problem in said


def test_all_problems_at_once_and_good_ones_pass() -> None:
    values = [{"reference": "INC-1"}, {"phase": "x", "severty": "y"}, 7, {"reference": "INC-1"}, {"reference": "INC-2"}]
    incidents, problems = parse_incidents(values, None, from_markdown)
    assert [i.reference for i in incidents] == ["INC-1", "INC-2"]
    for start in ("[1].severty:", "[1].phase:", "[1].reference:", "[2]:", "[3].reference: 'INC-1' is in this file already"):
        assert any(problem.startswith(start) for problem in problems), start


def test_times_without_a_zone_are_in_the_zone_that_was_said() -> None:
    data = b'{"reference": "INC-1", "timestamps": {"started": "2026-07-01T10:00:00"}}'
    (incident,), problems = read("x.json", data, "Europe/Berlin")
    assert problems == []
    assert incident.timestamps["started"] == datetime(2026, 7, 1, 8, tzinfo=UTC)


def test_dates_that_are_values_already() -> None:
    value = {
        "reference": "INC-1",
        "timestamps": {"started": datetime(2026, 11, 2, 10, tzinfo=UTC)},
        "follow_ups": [{"title": "x", "due_on": date(2026, 12, 1)}],
    }
    (incident,), problems = parse_incidents(value, None, from_markdown)
    assert problems == []
    assert incident.follow_ups[0].due_on == date(2026, 12, 1)


def test_titles_are_cleaned_and_may_be_long() -> None:
    value = {"reference": "INC-1", "name": "a\r\nb\x00\x1b[31m\ud800 c", "follow_ups": [{"title": "x" * 10_000}]}
    (incident,), problems = parse_incidents(value, None, from_markdown)
    assert problems == []
    assert incident.name == "a b[31m c"
    assert len(incident.follow_ups[0].title) == 10_000


def test_half_valid_json_lines() -> None:
    data = b'{"reference": "INC-1"}\n{"reference": \n\n{"reference": "INC-2", "phse": 1}\n{"reference": "INC-3"}\n'
    incidents, problems = read("incidents.jsonl", data)
    assert [i.reference for i in incidents] == ["INC-1", "INC-3"]
    assert problems[0].startswith("incidents.jsonl: line 2: not JSON")
    assert problems[1] == "line 4: phse: unknown key, did you mean 'phase'?"


@pytest.mark.parametrize(
    ("name", "data", "problem"),
    [
        ("a.json", b"", "a.json: the file is empty"),
        ("a.json", b"\xff\xfe{", "a.json: byte 1 is not UTF-8"),
        ("a.json", b'{\n  "reference": "INC-1",\n}', "a.json: not JSON"),
        ("a.json", b"[" * 200_000, "a.json: not JSON: nested too deeply"),
        ("a.yaml", b"a: [", "a.yaml: line 1: not YAML"),
        ("a.yaml", b"- " * 5000 + b"x", "nested too deeply"),
    ],
)
def test_files_that_cannot_be_read(name: str, data: bytes, problem: str) -> None:
    values, (said, *_) = load_records(name, data)
    assert (values, problem in said) == ([], True)


def test_a_yaml_file_may_hold_documents_or_a_list() -> None:
    assert [i.reference for i in read("a.yml", b"reference: INC-1\n---\nreference: INC-2\n")[0]] == ["INC-1", "INC-2"]
    assert [i.reference for i in read("a.yml", b"- reference: INC-1\n- reference: 007\n")[0]] == ["INC-1", "007"]


def test_yaml_aliases_that_multiply_are_refused_quickly() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    _, problems = read("laughs.yaml", "\n".join([*lines, "reference: INC-1", "private: *a11", "name: *a11"]).encode())
    assert "private: must be true or false, not 'a list'" in problems


def test_real_incidents_keep_their_words() -> None:
    """Titles and messages of a public status page, where the file is there."""
    source = Path("../shared/data/github-incidents.jsonl")
    if not source.exists():
        pytest.skip("the status page's incidents are not here")
    for line in source.read_text(encoding="utf-8").splitlines():
        seen = json.loads(line)
        timeline = [{"at": u["at"], "title": u["status"], "description": u["message"]} for u in seen["updates"]]
        value = {"reference": seen["id"], "name": seen["title"], "timeline": timeline}
        (incident,), problems = parse_incidents(value, None, from_markdown)
        assert problems == []
        shown = incident_to_json(incident, to_markdown)
        assert parse_incidents(shown, None, from_markdown) == ([incident], [])
