"""The command line as people and programs use it: a store, a folder of pages, exit codes, one JSON value."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from click.testing import CliRunner, Result

from syncd.cli import main
from syncd.cli.frame import Session
from syncd.doctor import loses_commits
from syncd.patience import Patience
from syncd.store import Store

CONFIG = """
timezone = "UTC"

[store]
url = "sqlite:///syncd.db"

[web]
listen = ""

[sync]
fresh_seconds = 0
row_still_seconds = 0
quiet_seconds = 0
debounce_seconds = 0
version_gap_seconds = 0

[incidents]
severities = ["SEV1", "SEV2", "SEV3"]

[fields.affected_customers]
label = "Affected customers"
type = "number"

[providers.files]
kind = "folder"

[destinations.pages]
provider = "files"
path = "pages"
"""

INCIDENT = {
    "reference": "INC-12",
    "name": "Checkout returns 502",
    "phase": "post_incident",
    "severity": "SEV1",
    "summary": "The checkout queue was full.",
    "lead": {"name": "Ada Byron", "email": "ada@example.com"},
    "timestamps": {"started": "2026-11-02T10:00:00Z"},
    "timeline": [{"key": "T-1", "at": "2026-11-02T10:03:00Z", "title": "Alert fired"}],
    "follow_ups": [{"key": "FU-1", "title": "Alert on queue depth"}],
}

TEMPLATE = """# ours
name = "Ours"
write = "external"
destination = "pages"
tasks = ["draft_post_mortem", "debrief", "export_post_mortem"]

[[sections]]
kind = "summary"

[[sections]]
kind = "details"

[[sections]]
id = "impact"
kind = "text"
heading = "Impact"
help = "Who noticed?"

[[sections]]
kind = "timeline"

[[sections]]
kind = "follow_ups"
"""


NOBODY_THERE = """
[providers.wiki]
kind = "confluence"
url = "http://127.0.0.1:9/wiki"
user = "bot@example.com"
token = "x"

[destinations.wiki]
provider = "wiki"
space = "OPS"
"""


class Desk:
    """A directory with a configuration, and somebody who types commands in it."""

    def __init__(self, root: Path) -> None:
        self.root, self.config = root, root / "config.toml"
        self.config.write_text(CONFIG)
        (root / "templates").mkdir()
        (root / "templates" / "ours.toml").write_text(TEMPLATE)
        (root / "incident.json").write_text(json.dumps(INCIDENT))

    def type(self, *words: str, code: int = 0) -> Result:
        session = Session(patience=Patience(0.0, time.sleep))
        result = CliRunner().invoke(main, [*words, "--config", str(self.config)], obj=session, catch_exceptions=False)
        assert result.exit_code == code, result.output
        return result

    def json(self, *words: str, code: int = 0) -> Any:
        return json.loads(self.type(*words, "--json", code=code).stdout)

    @property
    def page(self) -> Path:
        (found,) = (self.root / "pages").glob("*.md")
        return found

    def published(self) -> "Desk":
        self.type("import", str(self.root / "incident.json"))
        self.type("postmortem", "create", "INC-12", "--template", "ours")
        self.type("once")
        return self


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


# --- what every command has ---------------------------------------------------------------------------------------------


def test_without_a_configuration_the_next_command_is_init(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["status", "--config", str(tmp_path / "none.toml")])
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "Next: syncd init" in result.stderr


def test_configuration_from_the_environment(desk: Desk) -> None:
    result = CliRunner().invoke(main, ["incident", "list", "--json"], env={"SYNCD_CONFIG": str(desk.config)})
    assert json.loads(result.stdout) == []


@pytest.mark.parametrize(
    "words", [["--json", "incident", "list"], ["incident", "--json", "list"], ["incident", "list", "--json"]]
)
def test_json_may_stand_anywhere(desk: Desk, words: list[str]) -> None:
    assert json.loads(desk.type(*words).stdout) == []


def test_a_wrong_option_answers_json_too(desk: Desk) -> None:
    assert "error" in desk.json("incident", "list", "--nonsense", code=2)


def test_an_unknown_incident_offers_the_nearest(desk: Desk) -> None:
    desk.type("import", str(desk.root / "incident.json"))
    result = desk.type("incident", "show", "INC-21", code=2)
    assert "did you mean 'INC-12'" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_file_that_is_not_there_is_a_sentence(desk: Desk) -> None:
    result = desk.type("import", str(desk.root / "none.yaml"), code=2)
    assert "none.yaml" in result.stderr


def test_init_writes_a_configuration_and_never_replaces_one(tmp_path: Path) -> None:
    config = tmp_path / "etc" / "config.toml"
    made = CliRunner().invoke(main, ["init", "--config", str(config)])
    assert made.exit_code == 0
    before = config.read_bytes()
    again = CliRunner().invoke(main, ["init", "--config", str(config)])
    assert again.exit_code == 2
    assert config.read_bytes() == before


# --- records ------------------------------------------------------------------------------------------------------------


def test_what_is_shown_can_be_imported_again(desk: Desk) -> None:
    desk.type("import", str(desk.root / "incident.json"))
    shown = desk.json("incident", "show", "INC-12")
    (desk.root / "again.json").write_text(json.dumps(shown))
    desk.type("import", str(desk.root / "again.json"))
    assert desk.json("incident", "show", "INC-12") == shown
    assert shown["follow_ups"][0]["key"] == "FU-1"


def test_times_without_a_zone_need_one(desk: Desk) -> None:
    (desk.root / "local.yaml").write_text("reference: INC-1\nname: x\ntimestamps: {started: 2026-11-02T10:00:00}\n")
    desk.type("import", str(desk.root / "local.yaml"), code=2)
    desk.type("import", str(desk.root / "local.yaml"), "--timezone", "Europe/Berlin")
    assert desk.json("incident", "show", "INC-1")["timestamps"]["started"] == "2026-11-02T09:00:00Z"
    assert "no time zone" in desk.type("import", "x", "--timezone", "Berlin", code=2).stderr


def test_incident_edits(desk: Desk) -> None:
    desk.type("import", str(desk.root / "incident.json"))
    words = ["--severity", "SEV2", "--role", "communications=grace@example.com", "--time", "resolved=2026-11-02T11:30:00Z"]
    desk.type("incident", "edit", "INC-12", *words, "--field", "affected_customers=1200", "--summary", "Full **queue**.")
    shown = desk.json("incident", "show", "INC-12")
    assert shown["severity"] == "SEV2"
    assert shown["roles"]["communications"]["email"] == "grace@example.com"
    assert shown["timestamps"]["resolved"] == "2026-11-02T11:30:00Z"
    assert shown["custom_fields"] == {"affected_customers": "1200"}
    assert shown["summary"].strip() == "Full **queue**."
    assert "SEV1, SEV2, SEV3" in desk.type("incident", "edit", "INC-12", "--severity", "SEV9", code=2).stderr
    desk.type("incident", "edit", "INC-12", "--role", "communications", code=2)
    desk.type("incident", "edit", "INC-12", code=2)


def test_rows_are_added_and_edited(desk: Desk) -> None:
    desk.type("import", str(desk.root / "incident.json"))
    key = desk.json("followup", "add", "INC-12", "--title", "Write a runbook", "--due-on", "2026-12-01")["key"]
    desk.type("followup", "edit", key, "--status", "done", "--assignee", "ada@example.com")
    event = desk.json("timeline", "add", "INC-12", "--at", "10:05", "--title", "Paged")["key"]
    desk.type("timeline", "edit", event, "--at", "10:07", "--description", "Nobody answered")
    shown = desk.json("incident", "show", "INC-12")
    follow_up = next(row for row in shown["follow_ups"] if row["key"] == key)
    assert (follow_up["status"], follow_up["due_on"]) == ("done", "2026-12-01")
    assert follow_up["assignee"]["email"] == "ada@example.com"
    made = next(row for row in shown["timeline"] if row["key"] == event)
    assert (made["at"], made["description"]) == ("2026-11-02T10:07:00Z", "Nobody answered")


def test_the_journal_names_who_and_ends_with_the_newest(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNCD_USER", "Grace Hopkins")
    desk.type("import", str(desk.root / "incident.json"))
    desk.type("incident", "edit", "INC-12", "--severity", "SEV3")
    last = desk.json("journal", "INC-12")[-1]
    assert last["by"] == "Grace Hopkins"
    assert "severity" in last["what"]
    assert "Grace Hopkins" in desk.type("journal").stdout.splitlines()[-1]


# --- pages --------------------------------------------------------------------------------------------------------------


def test_plan_tells_and_once_does(desk: Desk) -> None:
    desk.type("import", str(desk.root / "incident.json"))
    desk.type("postmortem", "create", "INC-12", "--template", "ours")
    planned = desk.json("plan")
    assert planned[0]["to_page"]
    assert not (desk.root / "pages").exists()
    done = desk.json("once")
    assert done["pages"][0]["result"] == "in_step"
    assert "Alert on queue depth" in desk.page.read_text()
    assert desk.json("plan", "INC-12")[0]["to_page"] == []
    again = desk.json("once")["pages"][0]
    assert (again["from_page"], again["to_page"]) == ([], [])


def test_an_edit_on_the_page_reaches_the_store_and_the_reverse(desk: Desk) -> None:
    desk.published()
    desk.page.write_text(desk.page.read_text().replace("- [ ] Alert on queue depth", "- [x] Alert on queue depth"))
    assert "page to store" in desk.type("once").stdout
    assert desk.json("incident", "show", "INC-12")["follow_ups"][0]["status"] == "done"
    desk.type("followup", "edit", "FU-1", "--status", "open")
    assert "store to page" in desk.type("once").stdout
    assert "- [ ] Alert on queue depth" in desk.page.read_text()


def test_prose_written_in_the_store_reaches_the_page(desk: Desk) -> None:
    desk.published()
    (desk.root / "impact.md").write_text("Nobody could pay.\n")
    desk.type("postmortem", "edit", "INC-12", "--section", "impact", "--file", str(desk.root / "impact.md"))
    desk.type("once")
    assert "Nobody could pay." in desk.page.read_text()
    desk.type("postmortem", "edit", "INC-12", "--section", "impact", code=2)


def test_a_conflict_is_listed_and_resolved(desk: Desk) -> None:
    desk.published()
    text = desk.page.read_text()
    desk.page.write_text(text.replace("Alert on queue depth", "Alert on queue age"))
    desk.type("followup", "edit", "FU-1", "--title", "Alert on queue length")
    desk.type("once", code=1)
    (conflict,) = desk.json("conflicts", "list")
    assert {conflict["store"]["text"], conflict["page"]["text"]} == {"Alert on queue length", "Alert on queue age"}
    assert "Alert on queue age" in desk.type("conflicts", "show", conflict["id"]).stdout
    desk.type("conflicts", "resolve", conflict["id"], code=2)
    desk.type("conflicts", "resolve", conflict["id"], "--take", "page")
    desk.type("once")
    assert desk.json("conflicts", "list") == []
    assert desk.json("conflicts", "list", "INC-12", "--all")[0]["state"] == "page"
    assert "Alert on queue age" in desk.page.read_text()


def test_a_removed_row_is_hidden_and_comes_back(desk: Desk) -> None:
    desk.published()
    kept = [line for line in desk.page.read_text().splitlines() if "Alert on queue depth" not in line]
    desk.page.write_text("\n".join(kept) + "\n")
    desk.type("once")
    assert "syncd restore INC-12 FU-1" in desk.type("status").stdout
    desk.type("restore", "INC-12", "FU-1")
    desk.type("once")
    assert "Alert on queue depth" in desk.page.read_text()


def test_comments_of_people_are_told_where_there_are_any(desk: Desk) -> None:
    desk.published()
    store = Store.open(desk.root / "syncd.db", lambda: datetime.now(UTC))
    (page,) = store.pages("INC-12")
    assert "comment" not in desk.type("status").stdout
    assert desk.json("status")["postmortems"][0]["pages"][0]["comments"] is None
    store.set_page(page.id, comments=3, comments_at=store.now())
    assert f"INC-12@{page.destination}: 3 comments on {page.url}" in desk.type("status").stdout
    assert desk.json("postmortem", "show", "INC-12")["pages"][0]["comments"]["count"] == 3
    store.close()


def test_a_page_that_is_gone_needs_a_person(desk: Desk) -> None:
    desk.published()
    desk.page.unlink()
    desk.type("once", code=4)
    state = desk.json("status")["postmortems"][0]["pages"][0]
    assert state["state"] == "missing"
    assert "syncd detach" in state["reasons"][0]
    desk.type("detach", "INC-12")
    desk.type("once")


def test_an_emptied_page_halts_until_somebody_agrees(desk: Desk) -> None:
    desk.published()
    front = desk.page.read_text().split("---\n")[1]
    desk.page.write_text(f"---\n{front}---\n")
    desk.type("once", code=4)
    assert desk.json("check", "INC-12", code=1)["export"]["status"] == "halted"
    assert "INC-12" in desk.type("resume", "INC-12").stdout


def test_a_provider_that_does_not_answer_fails_its_own_pages_only(desk: Desk) -> None:
    desk.config.write_text(CONFIG + NOBODY_THERE)
    desk.published()
    desk.type("postmortem", "export", "INC-12", "--to", "wiki", "--copy")
    desk.type("followup", "edit", "FU-1", "--title", "Alert on queue age")
    results = {page["destination"]: page["result"] for page in desk.json("once", code=3)["pages"]}
    assert results == {"pages": "in_step", "wiki": "unknown"}
    assert "Alert on queue age" in desk.page.read_text()
    assert desk.json("doctor", code=3)["ok"] is False


def test_adopting_a_page_that_carries_the_marker(desk: Desk) -> None:
    desk.published()
    desk.type("postmortem", "detach", "INC-12")
    desk.type("adopt", "INC-12", str(desk.page))
    page = desk.json("postmortem", "show", "INC-12")["pages"][-1]
    assert (page["state"], page["id"]) == ("live", desk.page.name)
    before, shown = desk.page.read_text(), desk.json("incident", "show", "INC-12")
    desk.type("once")
    assert (desk.page.read_text(), desk.json("incident", "show", "INC-12")) == (before, shown)


def test_a_store_that_was_lost_adopts_its_pages(desk: Desk) -> None:
    desk.published()
    desk.page.write_text(desk.page.read_text().replace("- [ ] Alert on queue depth", "- [x] Alert on queue depth"))
    before = desk.page.read_text()
    for file in desk.root.glob("syncd.db*"):
        file.unlink()
    desk.type("import", str(desk.root / "incident.json"))
    desk.type("postmortem", "create", "INC-12", "--template", "ours")
    assert "syncd adopt INC-12" in desk.type("once", code=4).stdout
    desk.type("adopt", "INC-12", desk.page.as_uri())
    desk.type("once")
    assert desk.page.read_text() == before
    assert [row["status"] for row in desk.json("incident", "show", "INC-12")["follow_ups"]] == ["done"]


def test_a_page_of_nobody_is_shown_as_a_plan_before_it_is_adopted(desk: Desk) -> None:
    desk.type("import", str(desk.root / "incident.json"))
    desk.type("postmortem", "create", "INC-12", "--template", "ours")
    (desk.root / "pages").mkdir()
    note = desk.root / "pages" / "note.md"
    note.write_text("# Notes\n\n## Impact\n\nMany.\n")
    before = note.read_text()
    asked = desk.type("adopt", "INC-12", str(note), code=4)
    assert "impact: Many." in asked.stdout and "--yes" in asked.stderr
    assert desk.json("adopt", "INC-12", str(note))["adopted"] is False
    assert desk.json("postmortem", "show", "INC-12")["pages"][0]["id"] is None
    desk.type("postmortem", "adopt", "INC-12", str(note), "--yes")
    assert desk.json("postmortem", "show", "INC-12")["pages"][0]["id"] == "note.md"
    desk.type("once")
    assert note.read_text() == before


def test_look_writes_nothing(desk: Desk) -> None:
    desk.published()
    before = desk.page.read_bytes()
    seen = desk.json("look", str(desk.page))
    assert seen["incident"] == "INC-12"
    kinds = {part["kind"]: part["means"] for part in seen["sections"]}
    assert (kinds["follow_ups"], kinds["timeline"]) == ("1 follow-up", "1 event")
    assert all(part["heading"] for part in seen["sections"]), "our own line under the title is no prose"
    assert desk.page.read_bytes() == before
    desk.type("look", "https://example.com/nothing", code=2)


def test_look_tells_in_one_file_what_a_page_made_by_hand_would_be(desk: Desk) -> None:
    (desk.root / "pages").mkdir()
    note = desk.root / "pages" / "note.md"
    note.write_text("# <b>Night</b>\n\n## Timeline\n\n- 10:05 rang\n\n## Actions\n\n- Sleep <script>\n\n<hr>\n")
    before = note.read_bytes()
    told = desk.type("look", str(note), "--html", str(desk.root / "look.html")).stdout
    assert "1 follow-up, 1 event, 1 block that will never be touched." in told
    html = (desk.root / "look.html").read_text()
    assert "1 follow-up, 1 event" in html and "Sleep &lt;script&gt;" in html and "<script" not in html
    assert "src=" not in html and note.read_bytes() == before


def test_detaching_leaves_a_plain_page(desk: Desk) -> None:
    desk.published()
    before = desk.page.read_bytes()
    assert "stays as it is" in desk.type("detach", "INC-12").stdout
    desk.type("followup", "edit", "FU-1", "--title", "Alert on queue age")
    desk.type("once")
    assert desk.page.read_bytes() == before and b"`FU-1`" in before


@pytest.mark.parametrize("phase", ["merged", "declined", "canceled"])
def test_the_page_of_an_incident_that_came_to_nothing_is_kept_and_says_so(desk: Desk, phase: str) -> None:
    desk.published()
    desk.type("incident", "edit", "INC-12", "--phase", phase)
    desk.type("once")
    assert f"| Phase | {phase.capitalize()} |" in desk.page.read_text()
    (page,) = desk.json("postmortem", "show", "INC-12")["pages"]
    assert page["state"] == "live"
    assert desk.json("status")["postmortems"][0]["phase"] == phase
    assert phase in desk.type("status").stdout


def test_resync_reads_again(desk: Desk) -> None:
    desk.published()
    assert desk.json("resync", "INC-12")["destinations"] == ["pages"]
    assert desk.json("status")["oldest_unsynced"]
    desk.type("once")
    assert desk.json("status")["oldest_unsynced"] is None


# --- the gate -----------------------------------------------------------------------------------------------------------


def test_the_gate_says_why_not_and_then_yes(desk: Desk) -> None:
    desk.type("import", str(desk.root / "incident.json"))
    assert desk.json("check", "INC-12", code=1)["tasks"][0]["reasons"][0]["code"] == "no_postmortem"
    desk.published()
    answer = desk.json("check", "INC-12", code=1)
    assert {task["task"]: task["done"] for task in answer["tasks"]} == {
        "draft_post_mortem": False,
        "debrief": False,
        "export_post_mortem": True,
    }
    refused = desk.type("incident", "edit", "INC-12", "--phase", "closed", code=1)
    assert "debrief" in refused.stderr
    desk.type("postmortem", "status", "INC-12", "in_review")
    desk.type("flow", "done", "INC-12", "debrief")
    desk.type("once")
    assert "may close" in desk.type("check", "INC-12", "--wait", "1").stdout
    desk.type("incident", "edit", "INC-12", "--phase", "closed")


def test_a_skip_is_journalled(desk: Desk) -> None:
    desk.published()
    desk.type("flow", "skip", "INC-12", "debrief", "--why", "nobody was on call")
    assert "nobody was on call" in desk.type("check", "INC-12", code=1).stdout
    desk.type("incident", "edit", "INC-12", "--phase", "closed", "--skip-flow", "duplicate")
    assert any("duplicate" in line["detail"] for line in desk.json("journal", "INC-12"))


# --- templates ----------------------------------------------------------------------------------------------------------


def test_templates_are_duplicated_and_pointed_elsewhere_with_their_comments(desk: Desk) -> None:
    assert "ours" in [template["id"] for template in desk.json("template", "list")]
    desk.type("template", "duplicate", "ours", "other")
    desk.type("template", "write", "other", "--in-house")
    text = desk.json("template", "show", "other")["toml"]
    assert "# ours" in text
    assert 'write = "in-house"' in text
    desk.type("template", "write", "other", "--external", "nowhere", code=2)
    desk.type("template", "write", "other", code=2)


def test_where_templates_cannot_be_written_the_diff_is_printed(desk: Desk) -> None:
    (desk.root / "file").touch()
    desk.config.write_text(CONFIG + '[templates]\ndirectory = "file/templates"\n')
    refused = desk.type("template", "write", "standard", "--external", "pages", code=2)
    assert "cannot be written" in refused.stderr and "patch -p1" in refused.stderr
    assert refused.stdout.startswith("--- /dev/null\n+++ b/templates/standard.toml\n")
    assert desk.json("template", "write", "standard", "--in-house", code=2)["diff"].startswith("--- /dev/null")


def test_a_broken_template_is_reported_and_the_others_work(desk: Desk) -> None:
    desk.type("template", "check")
    (desk.root / "templates" / "bad.toml").write_text('name = "Bad"\nwrit = "external"\n')
    assert "bad.toml" in desk.type("template", "check", code=2).stderr
    assert "ours" in desk.type("template", "list").stdout


def test_a_destination_or_a_connection_is_paused_and_resumed(desk: Desk) -> None:
    desk.published()
    before = desk.page.read_text()
    paused = desk.json("pause", "pages", "--why", "the disk is full")
    assert (paused["kind"], paused["pages"]) == ("destination", ["INC-12@pages"])
    desk.type("followup", "edit", "FU-1", "--title", "Alert on queue age")
    assert "syncd resume pages" in desk.type("once", code=1).stdout
    assert desk.page.read_text() == before
    reason = desk.json("check", "INC-12", code=1)["export"]["reasons"][0]
    assert reason["code"] == "paused" and "(the disk is full)" in reason["message"]
    status = desk.json("status")
    assert [(p["kind"], p["name"], p["why"]) for p in status["pauses"]] == [("destination", "pages", "the disk is full")]
    assert status["postmortems"][0]["pages"][0]["state"] == "held"
    assert "not asked" in next(f["message"] for f in desk.json("doctor")["findings"] if f["about"] == "destination pages")
    assert "Paused by" in desk.type("look", str(desk.page), "--to", "pages", code=2).stderr
    assert "syncd resume pages" in desk.type("resume", "INC-12", code=4).stderr
    assert desk.json("resume", "pages")["resumed"] == ["pages"]
    desk.type("once")
    assert "Alert on queue age" in desk.page.read_text()
    desk.type("pause", "connection:files")
    assert "The connection files is paused" in desk.type("once", code=1).stdout
    desk.type("resume", "files")
    desk.type("once")
    desk.type("resume", "files", code=2)
    assert "paused the connection files" in desk.type("journal").stdout


# --- operating ----------------------------------------------------------------------------------------------------------


def test_doctor_and_backup(desk: Desk) -> None:
    value = desk.json("doctor", "--write")
    assert value["ok"] is True
    assert {finding["about"] for finding in value["findings"]} >= {"configuration", "store", "destination pages"}
    desk.type("backup", str(desk.root / "copy.db"))
    assert (desk.root / "copy.db").stat().st_size
    desk.type("backup", str(desk.root / "copy.db"), code=2)


@pytest.mark.parametrize(
    ("version", "bad"),
    [
        ("3.40.1", True),
        ("3.44.6", False),
        ("3.45.0", True),
        ("3.50.6", True),
        ("3.50.7", False),
        ("3.51.2", True),
        ("3.53.4", False),
    ],
)
def test_doctor_knows_releases_of_sqlite_that_lose_commits(version: str, bad: bool) -> None:
    assert loses_commits(version) is bad


# --- whole processes ----------------------------------------------------------------------------------------------------


def process(*words: str) -> "subprocess.Popen[str]":
    line = [sys.executable, "-c", "from syncd.cli import main; main()", *words]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    return subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)


def until(ready: Any, seconds: float = 60.0) -> None:
    """Ask until the answer is yes."""
    deadline = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.05)


@pytest.fixture
def daemon(desk: Desk) -> Iterator["subprocess.Popen[str]"]:
    desk.published()
    text = desk.config.read_text().replace('listen = ""', 'listen = "127.0.0.1:0"')
    desk.config.write_text(text.replace("debounce_seconds = 0", "debounce_seconds = 0\npoll_seconds = 1"))
    running = process("run", "--config", str(desk.config))
    yield running
    running.kill()
    running.communicate()


def test_the_daemon_works_alone_follows_edits_and_stops_in_time(desk: Desk, daemon: "subprocess.Popen[str]") -> None:
    until(lambda: desk.json("status")["daemon"] == daemon.pid)
    assert "already running" in desk.type("once", code=2).stderr
    desk.type("followup", "edit", "FU-1", "--title", "Alert on queue age")
    until(lambda: "Alert on queue age" in desk.page.read_text())
    desk.page.write_text(desk.page.read_text().replace("- [ ] Alert", "- [x] Alert"))
    until(lambda: desk.json("incident", "show", "INC-12")["follow_ups"][0]["status"] == "done")
    daemon.send_signal(signal.SIGTERM)
    began = time.monotonic()
    _, log = daemon.communicate(timeout=10)
    assert time.monotonic() - began < 5
    assert daemon.returncode == 0
    assert "syncd is running" in log
    assert "Traceback" not in log


def test_the_daemon_answers_over_http(daemon: "subprocess.Popen[str]") -> None:
    assert daemon.stderr is not None
    first = next(line for line in iter(daemon.stderr.readline, "") if "syncd is running" in line)
    address = first.partition("address=")[2].split()[0]
    with urlopen(f"{address}/api/v1/incidents/INC-12/flow") as answer:
        assert json.load(answer)["incident"] == "INC-12"
    assert [elsewhere(address, ref)[0] for ref in ("INC-12", "INC-99")] == [1, 2]
    assert json.loads(elsewhere(address, "INC-12")[1])["answer"] == "no"


def elsewhere(server: str, ref: str) -> tuple[int, str]:
    """The gate asked on a machine without a store and a configuration: exit code and output."""
    line = [sys.executable, "-c", "from syncd.cli import main; main()", "check", ref, "--server", server, "--json"]
    nothing = {"PYTHONPATH": str(Path(__file__).parents[2]), "SYNCD_CONFIG": "/nowhere/config.toml"}
    done = subprocess.run(line, capture_output=True, text=True, env=nothing, check=False)
    return done.returncode, done.stdout


def test_a_broken_configuration_keeps_the_one_before(desk: Desk, daemon: "subprocess.Popen[str]") -> None:
    until(lambda: desk.json("status")["daemon"] == daemon.pid)
    good = desk.config.read_text()
    desk.config.write_text("timezone = [")
    assert daemon.stderr is not None
    lines = iter(daemon.stderr.readline, "")
    assert any("stays in use" in line for line in lines)
    desk.config.write_text(good)
    assert any("was read again" in line for line in lines)
    assert daemon.poll() is None


def test_sandbox_says_where_it_is_and_ends_on_sigterm() -> None:
    running = process("sandbox", "--port", "0", "--json")
    assert running.stdout is not None
    where = json.loads(running.stdout.readline())
    with urlopen(where["confluence"]["url"].partition("/confluence")[0]) as answer:
        assert answer.status == 200
    running.send_signal(signal.SIGTERM)
    running.communicate(timeout=10)
    assert running.returncode == 0
