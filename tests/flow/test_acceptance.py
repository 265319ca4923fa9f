"""What somebody who only read the manual tries first, and what must then be so. Black box: commands, files, exit codes."""

import json
import socket
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from syncd.cli import main

CONFIG = """
[store]
url = "sqlite:///syncd.db"

[web]
listen = ""

[sync]
fresh_seconds = 0
row_still_seconds = 0
quiet_seconds = 0
debounce_seconds = 0

[incidents]
severities = ["SEV1", "SEV2", "SEV3"]

[providers.files]
kind = "folder"

[destinations.pages]
provider = "files"
path = "pages"
"""

INCIDENT = """
reference: INC-12
name: Checkout returns 502
phase: post_incident
severity: SEV1
private: true
summary: The queue was full.
lead: {name: Ada Byron, email: ada@example.com}
timestamps: {started: 2026-11-02T10:00:00Z}
custom_fields: {region: eu, team: payments}
timeline:
  - {key: T-1, at: 2026-11-02T10:03:00Z, title: Alert fired, description: The pager rang.}
follow_ups:
  - {key: FU-1, title: Alert on queue depth, status: done, priority: high, due_on: 2026-12-01}
"""


class Stranger:
    """Somebody with a directory, a configuration and the manual."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "config.toml").write_text(CONFIG)

    def type(self, *words: str, code: int = 0, stdin: str | None = None) -> Result:
        line = [*words, "--config", str(self.root / "config.toml")]
        result = CliRunner().invoke(main, line, catch_exceptions=False, input=stdin)
        assert result.exit_code == code, result.output
        return result

    def json(self, *words: str, code: int = 0) -> Any:
        return json.loads(self.type(*words, "--json", code=code).stdout)

    def imports(self, text: str, name: str = "incident.yaml", code: int = 0) -> Any:
        (self.root / name).write_text(text)
        return self.json("import", str(self.root / name), code=code)

    @property
    def incident(self) -> Any:
        return self.json("incident", "show", "INC-12")


@pytest.fixture
def stranger(tmp_path: Path) -> Stranger:
    return Stranger(tmp_path)


# --- importing again ----------------------------------------------------------------------------------------------------


def test_keys_left_out_of_a_second_import_clear_nothing(stranger: Stranger) -> None:
    stranger.imports(INCIDENT)
    before = stranger.incident
    stranger.imports("reference: INC-12\nseverity: SEV2\nfollow_ups: [{key: FU-1, title: Alert on depth}]")
    before["severity"], before["follow_ups"][0]["title"] = "SEV2", "Alert on depth"
    assert stranger.incident == before
    stranger.imports("reference: INC-12\ncustom_fields: {region: us}", "elsewhere.yaml")
    before["custom_fields"]["region"] = "us"
    assert stranger.incident == before


def test_keys_that_are_empty_in_a_second_import_are_emptied(stranger: Stranger) -> None:
    stranger.imports(INCIDENT)
    stranger.imports("reference: INC-12\nphase: null\nseverity: null\ncustom_fields: {team: null}\ntimestamps: null")
    assert stranger.incident["phase"] == "post_incident"
    assert stranger.incident["severity"] is None
    assert stranger.incident["custom_fields"] == {"region": "eu"}
    assert stranger.incident["timestamps"] is None


def test_an_edit_made_here_outlives_news_about_the_same_field(stranger: Stranger) -> None:
    stranger.imports(INCIDENT)
    stranger.type("incident", "edit", "INC-12", "--severity", "SEV3")
    answer = stranger.imports("reference: INC-12\nseverity: SEV2\nname: Checkout is down")
    assert (stranger.incident["severity"], stranger.incident["name"]) == ("SEV3", "Checkout is down")
    assert [note for note in answer["notes"] if "severity" in note]


def test_a_half_valid_file_is_half_taken_and_the_exit_code_says_so(stranger: Stranger) -> None:
    answer = stranger.imports('[{"reference": "INC-1", "name": "Good"}, {"name": "Nameless"}]', "half.json", code=2)
    assert answer["imported"] == ["INC-1"]
    assert answer["notes"] == ["[1].reference: is missing"]


# --- conflicts ----------------------------------------------------------------------------------------------------------


def conflicting(stranger: Stranger) -> dict[str, Any]:
    """Severity and summary changed differently on both sides; the open conflicts by field."""
    stranger.imports(INCIDENT.replace("private: true", "private: false"))
    stranger.type("postmortem", "create", "INC-12", "--template", "standard", "--to", "pages")
    stranger.type("once")
    (page,) = (stranger.root / "pages").glob("*.md")
    page.write_text(page.read_text().replace("was full.", "was full, says the page.").replace("SEV1", "SEV2"))
    stranger.type("incident", "edit", "INC-12", "--severity", "SEV3", "--summary", "The queue was full, says the store.")
    return {found["field"]: found for found in stranger.json("once", code=1)["conflicts"]}


def test_a_conflict_names_who_wrote_which_version(stranger: Stranger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNCD_USER", "Grace Hopkins")
    for found in conflicting(stranger).values():
        assert found["store"]["by"] == "Grace Hopkins"


def test_a_conflict_is_resolved_once(stranger: Stranger) -> None:
    found = conflicting(stranger)["text"]["id"]
    stranger.type("conflicts", "resolve", found, "--take", "both")
    once = stranger.incident["summary"]
    assert "is resolved already" in stranger.type("conflicts", "resolve", found, "--take", "both", code=2).stderr
    assert stranger.incident["summary"] == once
    assert once.count("says the page") == once.count("says the store") == 1


def test_a_conflict_is_not_resolved_with_what_its_field_cannot_hold(stranger: Stranger) -> None:
    found = conflicting(stranger)["severity"]["id"]
    stranger.type("conflicts", "resolve", found, "--take", "both", code=2)
    assert "SEV1, SEV2, SEV3" in stranger.type("conflicts", "resolve", found, "--text", "SEV9", code=2).stderr
    stranger.type("conflicts", "resolve", found, "--text", "sev2")
    assert stranger.incident["severity"] == "SEV2"


# --- pages that people take away ----------------------------------------------------------------------------------------


def test_an_emptied_page_stays_empty_once_a_person_agreed(stranger: Stranger) -> None:
    stranger.imports(INCIDENT.replace("private: true", "private: false"))
    stranger.type("postmortem", "create", "INC-12", "--template", "standard", "--to", "pages")
    stranger.type("once")
    before = stranger.incident
    (page,) = (stranger.root / "pages").glob("*.md")
    page.write_text("")
    halted = stranger.json("once", code=4)["pages"][0]["reasons"]
    assert "syncd resume INC-12 --accept" in halted[0]
    stranger.type("resume", "INC-12")
    stranger.type("once", code=4)
    stranger.type("resume", "INC-12", "--accept")
    stranger.type("once")
    stranger.type("once")
    assert stranger.incident == before
    stranger.type("restore", "INC-12", "FU-1")
    stranger.type("once")
    assert "Alert on queue depth" in page.read_text()


# --- templates and the gate ---------------------------------------------------------------------------------------------

TEMPLATE = """
name = "Strict"
write = "in-house"
title = "TITLE"
tasks = ["draft_post_mortem"]
require_written = true

[[sections]]
id = "impact"
kind = "text"
heading = "Impact"
text = "TEXT"
"""


def with_template(stranger: Stranger, text: str = "hello", title: str = "hello") -> None:
    (stranger.root / "templates").mkdir()
    (stranger.root / "templates" / "strict.toml").write_text(TEMPLATE.replace("TEXT", text).replace("TITLE", title))
    stranger.imports(INCIDENT.replace("private: true", "private: false"))


@pytest.mark.parametrize("broken", ["{{ incident.name.__class__.__mro__ }}", "{{ incident.name + 1 }}"])
def test_a_template_that_fails_only_when_rendered_is_named(stranger: Stranger, broken: str) -> None:
    with_template(stranger, text=broken)
    said = stranger.type("postmortem", "create", "INC-12", "--template", "strict", code=2).stderr
    assert "template 'strict'" in said
    assert "section 'impact'" in said
    with_title = TEMPLATE.replace("TITLE", broken)
    (stranger.root / "templates" / "strict.toml").write_text(with_title)
    assert "title:" in stranger.type("postmortem", "create", "INC-12", "--template", "strict", code=2).stderr
    assert stranger.json("status") is not None


def test_a_skipped_task_is_skipped_although_nobody_wrote(stranger: Stranger) -> None:
    with_template(stranger)
    stranger.type("postmortem", "create", "INC-12", "--template", "strict")
    reasons = stranger.json("check", "INC-12", code=1)["tasks"][0]["reasons"]
    assert {reason["code"] for reason in reasons} == {"in_progress", "unwritten"}
    stranger.type("flow", "skip", "INC-12", "draft_post_mortem", "--why", "a drill")
    assert stranger.json("check", "INC-12")["may_close"] is True


# --- where it is written ------------------------------------------------------------------------------------------------


def test_a_post_mortem_that_came_home_can_go_out_to_the_same_page_again(stranger: Stranger) -> None:
    with_template(stranger)
    stranger.type("postmortem", "create", "INC-12", "--template", "strict")
    stranger.type("postmortem", "export", "INC-12", "--to", "pages")
    stranger.type("once")
    (page,) = (stranger.root / "pages").glob("*.md")
    stranger.type("postmortem", "home", "INC-12")
    stranger.type("postmortem", "export", "INC-12", "--to", "pages")
    assert stranger.json("postmortem", "show", "INC-12")["home"] == "pages"
    stranger.type("once")
    assert list((stranger.root / "pages").glob("*.md")) == [page]
    stranger.type("postmortem", "export", "INC-12", "--to", "pages", code=2)


def test_yaml_on_standard_input(stranger: Stranger) -> None:
    stranger.type("import", "-", stdin="reference: INC-1\nname: By hand\n")
    assert stranger.json("incident", "show", "INC-1")["name"] == "By hand"
    assert "not JSON" in stranger.type("import", "-", stdin="{broken", code=2).stderr
    assert "not JSON" in stranger.type("import", "-", stdin="just words", code=2).stderr


# --- what a person must look at -----------------------------------------------------------------------------------------


def published(stranger: Stranger) -> Path:
    """The page of a published post-mortem."""
    stranger.imports(INCIDENT.replace("private: true", "private: false"))
    stranger.type("postmortem", "create", "INC-12", "--template", "standard", "--to", "pages")
    stranger.type("once")
    (page,) = (stranger.root / "pages").glob("*.md")
    return page


def test_a_value_that_nobody_understands_is_listed_until_it_is_corrected(stranger: Stranger) -> None:
    page = published(stranger)
    page.write_text(page.read_text().replace("SEV1", "SEV9"))
    (told,) = stranger.json("once", code=1)["pages"]
    assert "“SEV9” as severity" in told["reasons"][0]
    assert told["reasons"] == stranger.json("postmortem", "show", "INC-12")["pages"][0]["reasons"]
    assert stranger.incident["severity"] == "SEV1"
    page.write_text(page.read_text().replace("SEV9", "SEV2"))
    stranger.type("once")
    assert stranger.incident["severity"] == "SEV2"


def test_our_reference_is_put_back_and_what_was_typed_cannot_be_taken(stranger: Stranger) -> None:
    page = published(stranger)
    page.write_text(page.read_text().replace("| Reference | INC-12 |", "| Reference | INC-99 |"))
    (found,) = stranger.json("once", code=1)["conflicts"]
    assert (found["field"], found["page"]["text"]) == ("reference", "INC-99")
    stranger.type("conflicts", "resolve", found["id"], "--take", "page", code=2)
    stranger.type("conflicts", "resolve", found["id"], "--take", "store")
    stranger.type("once")
    assert "INC-99" not in page.read_text()


def test_a_sandbox_whose_port_is_taken_says_which(stranger: Stranger) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = stranger.type("sandbox", "--port", str(port), code=2).stderr
    assert f"127.0.0.1:{port}" in said
    assert "Next: syncd sandbox --port 0" in said


def test_the_same_two_edits_made_again_are_a_conflict_again(stranger: Stranger) -> None:
    page = published(stranger)

    def clash() -> list[dict[str, Any]]:
        stranger.type("incident", "edit", "INC-12", "--severity", "SEV2")
        page.write_text(page.read_text().replace("| Severity | SEV1 |", "| Severity | SEV3 |"))
        found: list[dict[str, Any]] = stranger.json("once", code=1)["conflicts"]
        stranger.type("conflicts", "resolve", found[0]["id"], "--take", "page")
        stranger.type("once")
        assert stranger.incident["severity"] == "SEV3"
        return found

    first = clash()
    stranger.type("incident", "edit", "INC-12", "--severity", "SEV1")
    stranger.type("once")
    assert clash()[0]["id"] != first[0]["id"]
