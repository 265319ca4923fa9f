"""What can be done over HTTP beside editing: incidents that arrive, pages taken and let go, the flow's tasks."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from mapping.commands import Actor
from syncd.api import create_app
from syncd.assembly import Assembly, assemble
from syncd.settings import load
from tests.flow.test_api import CONFIG, Client, Clock, built, client, clock, published

__all__ = ["built", "client", "clock"]
INC = "/api/v1/incidents/INC-1"


def actions(client: Client, ref: str = "INC-1") -> list[tuple[str, str, str, str]]:
    lines = client.json("GET", f"/api/v1/journal?ref={ref}")["lines"]
    return [(line["action"], line["subject"], line["by"], line["new"]) for line in lines]


# --- incidents that arrive ----------------------------------------------------------------------------------------------


def test_an_incident_is_created_once(client: Client) -> None:
    made = client(
        "POST", "/api/v1/incidents", json={"reference": "INC-7", "name": "Slow", "follow_ups": [{"title": "Look"}]}
    )
    assert (made.status_code, made.headers["location"]) == (201, "/api/v1/incidents/INC-7")
    assert client("GET", "/api/v1/incidents/INC-7").headers["etag"] == made.headers["etag"]
    assert "already" in client.json("POST", "/api/v1/incidents", {"reference": "INC-7"}, 422)["detail"]
    said = client.json("POST", "/api/v1/incidents", {"reference": "INC-8", "phase": "over"}, 422)
    assert "phase" in said["detail"]


def test_an_import_takes_in_what_it_can_and_tells_the_rest(client: Client) -> None:
    body = [{"reference": "INC-1", "severity": "SEV2"}, {"reference": "INC-9", "severty": "x"}]
    said = client.json("POST", "/api/v1/import?source=pager", body)
    assert said["imported"] == ["INC-1"] and "severity" in said["refused"][0]
    assert client.json("GET", INC)["severity"] == "SEV2"
    client.json("PATCH", INC, {"severity": "SEV1"})
    client.json("POST", "/api/v1/import?source=pager", body[0])
    assert client.json("GET", INC)["severity"] == "SEV1"  # the source says nothing new, and what was edited here stays


def test_nobody_changes_by_import_what_they_may_not_see(client: Client, built: Assembly) -> None:
    client.json("POST", "/api/v1/import", {"reference": "INC-2", "name": "Seen"}, 422)
    incident = built.store.incident("INC-2")
    assert incident is not None and incident.name == "Leaked keys"


# --- pages --------------------------------------------------------------------------------------------------------------

BY_HAND = "# Postmortem: checkout\n\n## Timeline\n\n- 10:05 restarted\n\n## Action items\n\n- [ ] Raise the limit\n"


def test_a_page_made_by_hand_is_planned_first_and_adopted_as_planned(client: Client, built: Assembly) -> None:
    file = built.config.parent / "pages" / "by-hand.md"
    file.write_text(BY_HAND, "utf-8")
    body = {"url": "by-hand.md", "destination": "folder"}
    planned = client("POST", f"{INC}/adopt", json=body)
    plan = planned.json()
    assert (plan["adopted"], plan["follow_ups"], plan["events"]) == (False, 1, 1)
    assert built.store.postmortem("INC-1") is None and file.read_text("utf-8") == BY_HAND
    agreed = {"If-Match": planned.headers["etag"]}
    file.write_text(BY_HAND + "- [ ] Another\n", "utf-8")
    changed = client("POST", f"{INC}/adopt", json={**body, "accept": True}, headers=agreed)
    assert (changed.status_code, changed.json()["next"]) == (412, f"POST {INC}/adopt")
    assert built.store.postmortem("INC-1") is None
    again = {"If-Match": client("POST", f"{INC}/adopt", json=body).headers["etag"]}
    done = client("POST", f"{INC}/adopt", json={**body, "accept": True}, headers=again).json()
    assert done["adopted"] and done["page"]["state"] == "live"
    assert {row["title"] for row in client.json("GET", INC)["follow_ups"]} >= {"Raise the limit", "Another"}


def test_pages_are_planned_read_again_brought_home_and_let_go(client: Client, built: Assembly, clock: Clock) -> None:
    file = published(built, client)
    assert client.json("GET", f"{INC}/plan")["pages"][0]["to_page"] == []
    client.json("PATCH", "/api/v1/follow-ups/FU-1", {"title": "Alert on depth"})
    (page,) = client.json("GET", f"{INC}/plan")["pages"]
    assert page["destination"] == "folder" and page["to_page"] and "Alert on depth" not in file.read_text("utf-8")
    assert client.json("POST", f"{INC}/resync") == {"destinations": ["folder"]}
    assert client.json("POST", f"{INC}/postmortem/home")["home"] is None
    (gone,) = client.json("POST", f"{INC}/detach", {})["pages"]
    assert gone["state"] == "detached" and file.exists()
    client.json("POST", f"{INC}/detach", {"destination": "elsewhere"}, 404)


def test_hidden_rows_are_listed_with_what_brings_them_back(client: Client, built: Assembly, clock: Clock) -> None:
    file = published(built, client)
    clock.now += timedelta(minutes=5)
    kept = [line for line in file.read_text("utf-8").splitlines(keepends=True) if "T-1" not in line]
    file.write_text("".join(kept), "utf-8")
    built.app.once()
    (row,) = client.json("GET", f"{INC}/hidden")["hidden"]
    assert (row["destination"], row["key"]) == ("folder", "T-1") and "Alert fired" in row["what"]
    client.json("POST", f"{INC}/restore", {"key": row["key"]})
    assert client.json("GET", f"{INC}/hidden")["hidden"] == []


def test_a_halted_page_goes_on_once_somebody_agrees(client: Client, built: Assembly, clock: Clock) -> None:
    file = published(built, client)
    clock.now += timedelta(minutes=5)
    head = file.read_text("utf-8").split("\n---\n")[0]
    file.write_text(head + "\n---\n", "utf-8")
    built.app.once()
    (page,) = client.json("GET", f"{INC}/postmortem")["pages"]
    assert page["state"] == "halted"
    assert client.json("POST", f"{INC}/resume", {})["resumed"] == [{"incident": "INC-1", "destination": "folder"}]
    built.app.once()
    assert client.json("GET", f"{INC}/postmortem")["pages"][0]["state"] == "halted"
    client.json("POST", "/api/v1/resume", {"accept": True})
    built.app.once()
    assert client.json("GET", f"{INC}/postmortem")["pages"][0]["state"] != "halted"


# --- the flow -----------------------------------------------------------------------------------------------------------

TEMPLATE = """name = "Ours"
write = "in-house"
tasks = ["draft_post_mortem", "debrief"]
[[sections]]
kind = "summary"
"""


@pytest.fixture
def flowing(built: Assembly, client: Client) -> Client:
    """INC-1 with a typed and a manual task."""
    folder = built.config.parent / "templates"
    folder.mkdir(exist_ok=True)
    (folder / "ours.toml").write_text(TEMPLATE, "utf-8")
    built.library.reload()
    client.json("POST", f"{INC}/postmortem", {"template": "ours"}, 201)
    return client


def test_a_task_is_done_skipped_and_taken_back_and_each_is_recorded(flowing: Client) -> None:
    gate = flowing.json("POST", f"{INC}/flow/debrief/done")
    assert gate["tasks"][1]["done"] and gate["tasks"][1]["by"] == "API"
    assert flowing.json("POST", f"{INC}/flow/debrief/undo")["tasks"][1]["done"] is False
    gate = flowing.json("POST", f"{INC}/flow/draft_post_mortem/skip", {"why": "a drill"})
    task = gate["tasks"][0]
    assert (task["done"], task["skipped"], task["by"], task["since"]) == (True, "a drill", "API", "2026-11-20T10:00:00Z")
    assert task["reasons"][0]["code"] == "skipped"
    assert flowing.json("POST", f"{INC}/flow/draft_post_mortem/undo")["tasks"][0]["done"] is False
    said = [(action, subject, new) for action, subject, _, new in actions(flowing) if subject.startswith("task:")]
    assert said == [
        ("done", "task:debrief", ""),
        ("undo", "task:debrief", ""),
        ("skip", "task:draft_post_mortem", "a drill"),
        ("undo", "task:draft_post_mortem", ""),
    ]
    flowing.json("POST", f"{INC}/flow/draft_post_mortem/done", status=422)
    flowing.json("POST", f"{INC}/flow/dance/skip", {"why": "x"}, 404)
    flowing.json("POST", f"{INC}/flow/debrief/skip", {"why": ""}, 422)


def test_the_export_status_of_many_is_answered_at_once(client: Client, built: Assembly) -> None:
    published(built, client)
    client.json("POST", "/api/v1/incidents", {"reference": "INC-5"}, 201)
    said = client.json("GET", "/api/v1/export-status?ref=INC-5&ref=INC-1&ref=INC-5")["statuses"]
    assert [(one["incident"], one["status"]) for one in said] == [("INC-5", "not_exported"), ("INC-1", "fresh")]
    assert said[0]["reasons"][0]["code"] == "no_postmortem" and said[1]["reasons"] == []
    client.json("GET", "/api/v1/export-status?ref=INC-1&ref=INC-2", status=404)  # INC-2 is private
    client.json("GET", "/api/v1/export-status", status=422)
    many = "&".join(f"ref=INC-{number}" for number in range(101))
    client.json("GET", f"/api/v1/export-status?{many}", status=422)
    assert client.json("GET", f"{INC}/flow?accept_fresh_within=24h&wait=5")["answer"] == "yes"
    assert "24h" in client.json("GET", f"{INC}/flow?accept_fresh_within=long", status=422)["detail"]


def imported(built: Assembly, ref: str, phase: str) -> list[str]:
    value = json.dumps({"reference": ref, "phase": phase}).encode()
    return built.app.import_records("pager.json", value, None, Actor("import", "pager")).notes


def test_a_close_that_arrives_past_a_no_is_flagged_until_a_person_agrees(flowing: Client, built: Assembly) -> None:
    assert "although the gate says no" in imported(built, "INC-1", "closed")[0]
    assert flowing.json("GET", INC)["phase"] == "closed"  # nothing is refused
    closed = flowing.json("GET", f"{INC}/flow")["closed_past_no"]
    assert closed["by"] == "pager" and "in progress" in closed["reasons"][0]
    assert ("closed past a no", "pager") in [(action, by) for action, _, by, _ in actions(flowing)]
    listed = flowing.json("GET", "/api/v1/incidents?needs_person=true")["incidents"]
    assert [(one["reference"], one["needs_person"]) for one in listed] == [("INC-1", True)]
    assert "Closed past a no" in flowing("GET", "/incidents/INC-1").text
    assert "by pager" in flowing("GET", "/incidents/INC-1/gate").text
    assert built.store.all_closed_past_no() == ["INC-1"]
    assert imported(built, "INC-1", "closed") == []  # the same news again
    flowing.json("POST", f"{INC}/flow/agree", {"why": "written on paper"})
    assert flowing.json("GET", f"{INC}/flow")["closed_past_no"] is None
    assert ("agreed to the close", "written on paper") in [(action, new) for action, _, _, new in actions(flowing)]
    assert flowing.json("GET", "/api/v1/incidents?needs_person=true")["incidents"] == []
    flowing.json("POST", f"{INC}/flow/agree", {"why": "again"}, 422)


def test_what_closes_rightly_is_new_here_or_is_open_again_is_not_flagged(flowing: Client, built: Assembly) -> None:
    assert imported(built, "INC-30", "closed") == []
    assert flowing.json("GET", "/api/v1/incidents/INC-30/flow")["closed_past_no"] is None
    imported(built, "INC-1", "closed")
    flowing.json("PATCH", INC, {"phase": "post_incident"})
    assert flowing.json("GET", f"{INC}/flow")["closed_past_no"] is None
    flowing.json("POST", f"{INC}/flow/debrief/done")
    flowing.json("POST", f"{INC}/postmortem/status", {"status": "in_review"})
    imported(built, "INC-1", "post_incident")
    flowing.json("POST", "/api/v1/import?source=other", {"reference": "INC-1", "phase": "closed"})
    assert flowing.json("GET", f"{INC}/flow")["closed_past_no"] is None


# --- rules --------------------------------------------------------------------------------------------------------------

RULES = """
[[postmortems.rules]]
name = "major"
severities = ["SEV1"]
template = "standard"
destination = "folder"
[[postmortems.rules]]
name = "payments"
fields = { team = ["Payments"] }
template = "lightweight"
"""


@pytest.fixture
def ruled(tmp_path: Path, clock: Clock) -> Iterator[Assembly]:
    config = tmp_path / "config.toml"
    config.write_text(CONFIG + RULES, "utf-8")
    made = assemble(config, load(config), lambda per_minute: lambda seconds: None, now=clock)
    yield made
    made.close()


def test_an_incident_that_enters_post_incident_gets_its_postmortem_by_rule_once(ruled: Assembly) -> None:
    client = Client(create_app(ruled.app))
    client.json("POST", "/api/v1/incidents", {"reference": "INC-1", "severity": "SEV1", "phase": "active"}, 201)
    assert ruled.store.postmortem("INC-1") is None
    client.json("PATCH", INC, {"phase": "post_incident"})
    made = client.json("GET", f"{INC}/postmortem")
    assert (made["template"], made["status"], made["home"]) == ("standard", "in_progress", "folder")
    assert ("create", "postmortem", "rule major", "standard") in actions(client)
    client.json("PATCH", INC, {"phase": "active"})
    client.json("PATCH", INC, {"phase": "post_incident"})
    assert [action for action, subject, _, _ in actions(client) if (action, subject) == ("create", "postmortem")] == [
        "create"
    ]


@pytest.mark.parametrize(
    ("incident", "template"),
    [
        ({"phase": "post_incident", "severity": "SEV1"}, "standard"),
        ({"phase": "post_incident", "severity": "SEV2", "custom_fields": {"team": "Payments"}}, "lightweight"),
        ({"phase": "post_incident", "severity": "SEV2"}, None),
        ({"phase": "closed", "severity": "SEV1"}, None),
        ({"phase": "active", "severity": "SEV1"}, None),
    ],
)
def test_imports_follow_the_rules_and_closed_ones_create_nothing(
    ruled: Assembly, incident: dict[str, object], template: str | None
) -> None:
    value = json.dumps({"reference": "INC-1", **incident}).encode()
    for _ in range(2):
        ruled.app.import_records("pager.json", value, None, Actor("import"))
    made = ruled.store.postmortem("INC-1")
    assert (made.template if made else None) == template


def test_a_rule_that_may_not_do_its_part_is_told_and_keeps_nothing_out(ruled: Assembly) -> None:
    value = json.dumps({"reference": "INC-1", "phase": "post_incident", "severity": "SEV1", "private": True}).encode()
    said = ruled.app.import_records("pager.json", value, None, Actor("import"))
    assert said.taken == ["INC-1"] and "the rule major could not" in said.notes[0]
    assert ruled.store.postmortem("INC-1") is None
    assert [line.actor.name for line in ruled.store.journal("INC-1") if line.action == "no post-mortem"] == ["rule major"]
