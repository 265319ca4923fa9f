"""Templates: what a file may say, what becomes of it on a page, and how files are kept and edited."""

import subprocess
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from mapping.document import Block, paragraph, text_spans
from mapping.incident import FollowUp, Incident, Person, Section, TimelineEvent
from mapping.markdown import from_markdown
from mapping.template import (
    DEFAULT_TITLE,
    Template,
    TemplateError,
    as_table,
    fill_in,
    from_json,
    help_block,
    parse_template,
    render_sections,
    render_title,
    to_json,
)
from syncd.errors import ChangedMeanwhile, ConfigError, KeptElsewhere, Misuse, UnknownReference, WrongFields
from syncd.resources import templates
from syncd.templates import TemplateLibrary

START = datetime(2026, 11, 2, 10, 3, tzinfo=UTC)
BARE = Incident("INC-12", "Checkout returns 502")
FULL = replace(
    BARE,
    severity="SEV1",
    lead=Person("Ada Byron", "ada@example.com"),
    roles={"communications": Person("Grace Hopkins", "grace@example.com"), "scribe": Person("Sam")},
    timestamps={"started": START, "resolved": START + timedelta(minutes=90)},
    custom_fields={"affected_customers": "1200"},
    summary=(paragraph("First."), paragraph("Second.")),
    timeline=(TimelineEvent("T-2", START + timedelta(hours=1), "Fixed"), TimelineEvent("T-1", START, "Alert")),
    follow_ups=(FollowUp("FU-1", "Alert on depth", assignee=Person("Ada Byron"), due_on=date(2026, 12, 1)),),
)


def one(text: str) -> Template:
    return parse_template("t", {"sections": [{"id": "impact", "kind": "text", "heading": "Impact", "text": text}]})


def rendered(text: str, incident: Incident = FULL, zone: str = "UTC") -> list[tuple[str, str]]:
    (section,) = render_sections(one(text), incident, ZoneInfo(zone), from_markdown)
    return [(block.kind, block.text) for block in section.blocks]


# --- reading ----------------------------------------------------------------------------------------------------------


def test_sections_get_their_usual_ids_and_headings() -> None:
    kinds = ("summary", "details", "timeline", "follow_ups")
    template = parse_template("t", {"sections": [{"kind": kind} for kind in kinds]})
    assert [(s.id, s.heading) for s in template.sections] == [
        ("summary", "Summary"),
        ("details", "Details"),
        ("timeline", "Timeline"),
        ("follow_ups", "Follow-ups"),
    ]


def test_tasks_follow_the_write_location_unless_said() -> None:
    sections = {"sections": [{"kind": "summary"}]}
    assert parse_template("t", sections).tasks == ("export_post_mortem",)
    assert parse_template("t", {**sections, "write": "in-house"}).tasks == ("draft_post_mortem",)
    assert parse_template("t", {**sections, "tasks": ["debrief"]}).tasks == ("debrief",)


TEXT = {"id": "a", "kind": "text", "heading": "A"}


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        ({"nmae": "x"}, "nmae: unknown key, did you mean 'name'?"),
        ({"write": "inhouse"}, "write: 'inhouse' must be 'external' or 'in-house'"),
        ({"require_written": "yes"}, "require_written: must be true or false"),
        (
            {"tasks": ["export_postmortem"]},
            "tasks: 'export_postmortem' cannot be a task, did you mean 'export_post_mortem'?",
        ),
        ({"tasks": ["a", "a"]}, "tasks: 'a' is listed twice"),
        ({"title": "{{ incident.nmae }}"}, "title: line 1: unknown name 'incident.nmae', did you mean 'name'?"),
        ({"sections": []}, "sections: a template needs at least one"),
        ({"sections": [{"kind": "timelin"}]}, "sections[1].kind: 'timelin' is not one of"),
        ({"sections": [{"kind": "text", "id": "a"}]}, "sections[1].heading: sections of kind 'text' need one"),
        ({"sections": [{"kind": "text", "heading": "A"}]}, "sections[1].id: sections of kind 'text' need one"),
        ({"sections": [TEXT, TEXT]}, "sections[2].id: 'a' is taken by another section"),
        ({"sections": [{"kind": "summary"}, {"kind": "summary", "id": "b"}]}, "sections[2].kind: only one section"),
        ({"sections": [{"kind": "details", "help": "x"}]}, "sections[1].help: only sections of kind 'text' have it"),
        ({"sections": [{**TEXT, "heplp": "x"}]}, "sections[1].heplp: unknown key, did you mean 'help'?"),
        ({"sections": [{**TEXT, "text": "a\n{{ incident"}]}, "sections[1].text: line 2: "),
        ({"sections": [{**TEXT, "text": "{{ incidnt.name }}"}]}, "unknown name 'incidnt', did you mean 'incident'?"),
        ({"sections": [{**TEXT, "text": "{{ incident.name | uper }}"}]}, "unknown filter 'uper', did you mean 'upper'?"),
    ],
)
def test_what_is_wrong_is_named(table: dict[str, object], reason: str) -> None:
    with pytest.raises(TemplateError) as raised:
        parse_template("t", {"sections": [{"kind": "summary"}]} | table)
    assert reason in str(raised.value)


def test_the_frozen_copy_is_the_template() -> None:
    library = TemplateLibrary(Path("nowhere"), templates())
    assert library.reload() == []
    assert [t.id for t in library.all()] == ["lightweight", "root-cause-analysis", "standard"]
    for template in library.all():
        assert from_json(to_json(template)) == template


EVENTS = "Alert 2026-11-02 10:03;Fixed 2026-11-02 11:03;"
ITEM = "Alert on depth Ada Byron 2026-12-01"

# --- rendering --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("{{ incident.lead.name }}, {{ incident.severity }}", "Ada Byron, SEV1"),
        ("{{ incident.timestamps.started | time }}", "2026-11-02 10:03"),
        ("{{ incident.timestamps.started | date }}", "2026-11-02"),
        ("{{ incident.duration | duration }}", "1 h 30 min"),
        ("{{ incident.timestamps.started | duration(incident.timestamps.resolved) }}", "1 h 30 min"),
        ("{{ incident.custom_fields.affected_customers }} customers", "1200 customers"),
        ("{{ incident.roles | people }}", "Grace Hopkins, Sam"),
        ("{% for e in incident.timeline %}{{ e.title }} {{ e.at | time }};{% endfor %}", EVENTS),
        ("{% for f in incident.follow_ups %}{{ f.title }} {{ f.assignee }} {{ f.due_on | date }}{% endfor %}", ITEM),
        ("{{ 'late' if incident.severity == 'SEV1' }}", "late"),
        ("{{ 'a' if incident.severity == 'SEV9' }}b", "b"),
    ],
)
def test_values_are_inserted(text: str, shown: str) -> None:
    assert rendered(text) == [("paragraph", shown)]


def test_times_are_in_the_zone_of_the_post_mortem() -> None:
    assert rendered("{{ incident.timestamps.started | time }}", zone="Asia/Tokyo") == [("paragraph", "2026-11-02 19:03")]


def test_a_known_person_becomes_a_mention() -> None:
    (section,) = render_sections(one("{{ incident.lead | person }}"), FULL, UTC, from_markdown)
    assert [(span.kind, span.ref, span.text) for span in section.blocks[0].spans] == [
        ("mention", "ada@example.com", "Ada Byron")
    ]


@pytest.mark.parametrize(
    "text",
    [
        "{{ incident.lead.name }}",
        "{{ incident.lead | person }}",
        "{{ incident.roles | people }}",
        "{{ incident.roles.scribe.email }}",
        "{{ incident.severity }}",
        "{{ incident.summary }}",
        "{{ incident.timestamps.resolved | time }}",
        "{{ incident.duration | duration }}",
        "{{ incident.custom_fields.affected_customers }}",
        "{{ incident.custom_fields['any field'] }}",
    ],
)
def test_what_has_no_value_says_so(text: str) -> None:
    assert rendered(text, BARE) == [("paragraph", "not set")]


def test_what_has_no_value_is_false_in_conditions() -> None:
    assert rendered("{% if incident.lead %}led{% else %}{{ incident.severity | default('no one') }}{% endif %}", BARE) == [
        ("paragraph", "no one")
    ]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{{ incident.lead.nmae }}", "unknown name 'incident.lead.nmae', did you mean 'name'?"),
        ("{% for e in incident.timeline %}{{ e.titel }}{% endfor %}", "unknown name 'event.titel', did you mean 'title'?"),
        ("{{ incident.name | time }}", "the filter 'time' needs a time, not 'Checkout returns 502'"),
        ("{{ incident.timestamps.started.__class__ }}", "unsafe"),
    ],
)
def test_unknown_names_stop_the_rendering_and_are_placed(text: str, reason: str) -> None:
    with pytest.raises(TemplateError) as raised:
        rendered(text)
    assert str(raised.value).startswith("template 't', section 'impact': ")
    assert reason in str(raised.value)


@pytest.mark.parametrize(
    "name",
    [
        *(
            "*bold* _it_ **b**",
            "<script>alert(1)</script>",
            "[a](http://b) ![c](d)",
            "# no heading",
            "- no list",
            "1. no list",
        ),
        *(
            "> no quote",
            "`code`",
            "a & b &amp; c",
            "{{ 7*7 }} {% if %}",
            "[kept: Jira #k1]",
            "~~no~~",
            "a | b",
            "C:\\x",
            "---",
        ),
        *(
            "x_y_z",
            "===",
            "a\\",
            "+1",
            "https://example.com/?a=1&b=2_",
            "<https://example.com>",
            "2*3*4",
            "100 %",
            "    indented",
        ),
    ],
)
@pytest.mark.parametrize("around", ["%s", "It was %s.", "- item %s", "text\n%s\nmore"])
def test_values_never_become_markdown(name: str, around: str) -> None:
    incident = replace(BARE, name=name)
    plain = around.removeprefix("- ").replace("\n", " ") % name.strip()
    blocks = rendered(around % "{{ incident.name }}", incident)
    assert [text.replace("\n", " ") for _, text in blocks] == [plain]


def test_a_reference_in_code_stays_as_it_is() -> None:
    assert rendered("`{{ incident.reference }}`") == [("paragraph", "INC-12")]


def test_paragraphs_of_a_value_stay_paragraphs() -> None:
    assert rendered("{{ incident.summary }}") == [("paragraph", "First."), ("paragraph", "Second.")]


def test_headings_of_a_text_stay_below_their_section() -> None:
    (section,) = render_sections(one("# A\n\n## B\n\n#### C"), FULL, UTC, from_markdown)
    assert [block.level for block in section.blocks] == [3, 3, 4]


@pytest.mark.parametrize(
    "text",
    [
        "{{ 'a' * 10**9 }}",
        "{% for i in range(10**9) %}x{% endfor %}",
        "{% set x = 'a' %}{{ x }}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{{ 'a'.ljust(1000000000) }}",
        "{{ '%1000000000d' % 1 }}",
        "{{ '{:>1000000000}'.format(1) }}",
        "{% for a in 'ab' %}{% for b in 'ab' %}{% for c in 'ab' %}x{% endfor %}{% endfor %}{% endfor %}",
        "{{ 'a' | center(1000000000) }}",
        "{% include 'x' %}",
    ],
)
def test_what_could_run_away_is_refused_when_the_template_is_read(text: str) -> None:
    with pytest.raises(TemplateError):
        one(text)


def test_the_output_is_bounded() -> None:
    many = replace(FULL, timeline=tuple(TimelineEvent(f"T-{n}", START, "x" * 1000) for n in range(1000)))
    with pytest.raises(TemplateError, match="over 200 kB"):
        rendered("{% for e in incident.timeline %}{{ e.title }}\n{% endfor %}", many)
    with pytest.raises(TemplateError, match="joined text"):
        rendered("{{ 'aaaaaaaaaa'" + " | join('bbbbbbbbbbb')" * 12 + " }}")


# --- the title --------------------------------------------------------------------------------------------------------


def test_titles_are_one_line_and_plain_text() -> None:
    incident = replace(BARE, name="A *b* <c>  d")
    assert render_title(DEFAULT_TITLE, incident, UTC, 255) == "INC-12 A *b* <c> d"
    assert render_title("{{ incident.severity }}", BARE, UTC, 255) == "INC-12"
    assert render_title("{{ incident.timestamps.started | date }}", FULL, UTC, 255) == "2026-11-02"


def test_titles_over_the_limit_are_cut_at_a_word() -> None:
    incident = replace(BARE, name="word " * 3000)
    title = render_title(DEFAULT_TITLE, incident, UTC, 255)
    assert len(title) <= 255
    assert title.endswith("word…")
    assert render_title(DEFAULT_TITLE, replace(BARE, name="x" * 300), UTC, 40) == "INC-12…"
    assert render_title("{{ incident.name }}", replace(BARE, name="x" * 300), UTC, 40) == "x" * 39 + "…"


# --- later ------------------------------------------------------------------------------------------------------------

LEAD = "Lead: {{ incident.lead.name }}.\n\nSeverity {{ incident.severity }}.\n\nConstant."


def sections_of(text: str, incident: Incident) -> Section:
    (section,) = render_sections(one(text), incident, UTC, from_markdown)
    return section


def test_what_was_not_set_is_filled_in() -> None:
    section, now = sections_of(LEAD, BARE), sections_of(LEAD, FULL)
    assert fill_in(section, now.blocks) == (now.blocks, now.blocks)


def test_paragraphs_that_people_touched_are_left_alone() -> None:
    section, now = sections_of(LEAD, BARE), sections_of(LEAD, FULL)
    edited = replace(section, blocks=(paragraph("New"), paragraph("Lead: Sam."), *section.blocks[1:]))
    rendered_now, blocks = fill_in(edited, now.blocks)
    assert [block.text for block in blocks] == ["New", "Lead: Sam.", "Severity SEV1.", "Constant."]
    assert [block.text for block in rendered_now] == ["Lead: not set.", "Severity SEV1.", "Constant."]


def test_a_paragraph_that_was_set_does_not_follow_the_incident() -> None:
    section = sections_of(LEAD, FULL)
    assert fill_in(section, sections_of(LEAD, replace(FULL, severity="SEV3")).blocks) == (section.rendered, section.blocks)


def test_filling_in_finds_its_paragraph_when_others_came() -> None:
    text = "{% for e in incident.timeline %}- {{ e.title }}\n{% endfor %}\n\n" + LEAD
    section, now = sections_of(text, BARE), sections_of(text, FULL)
    assert [block.text for block in fill_in(section, now.blocks)[1]] == ["Lead: Ada Byron.", "Severity SEV1.", "Constant."]


def test_help_reminds_of_fields_until_the_section_is_written() -> None:
    section = Section("impact", "text", "Impact", help="Who noticed?", custom_fields=("affected_customers", "region"))
    panel = help_block(section, {"affected_customers": "Affected customers"})
    assert panel == Block("panel", text_spans("Who noticed?\nRemember: Affected customers, region"))
    assert help_block(replace(section, help_gone=True), {}) is None
    assert help_block(replace(section, blocks=(paragraph("Written"),)), {}) is None
    assert help_block(replace(section, help="", custom_fields=()), {}) is None


# --- files ------------------------------------------------------------------------------------------------------------

FILE = """# ours
name = "Ours" # the name
# nothing else

[[sections]]
kind = "summary" # first
"""


@pytest.fixture
def library(tmp_path: Path) -> TemplateLibrary:
    (tmp_path / "ours.toml").write_text(FILE)
    made = TemplateLibrary(tmp_path, templates())
    assert made.reload() == []
    return made


def test_a_users_file_shadows_the_built_in_one(library: TemplateLibrary, tmp_path: Path) -> None:
    (tmp_path / "standard.toml").write_text(FILE)
    library.reload()
    assert [t.name for t in library.all() if t.id == "standard"] == ["Ours"]
    (tmp_path / "standard.toml").unlink()
    library.reload()
    assert [t.name for t in library.all() if t.id == "standard"] == ["Standard"]


def test_a_broken_edit_keeps_the_last_good_version(library: TemplateLibrary, tmp_path: Path) -> None:
    (tmp_path / "ours.toml").write_text(FILE.replace("summary", "sumary"))
    (problem,) = library.reload()
    assert "ours.toml: sections[1].kind: 'sumary' is not one of" in problem
    assert problem.endswith("the last good version stays in use")
    template = library.get("ours")
    assert template is not None
    assert template.sections[0].kind == "summary"
    assert library.reload() == [problem]


@pytest.mark.parametrize("content", [b"name = ", b"\xff", b"x = 1", b""])
def test_a_bad_file_stops_no_other(library: TemplateLibrary, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bad.toml").write_bytes(content)
    (problem,) = library.reload()
    assert "bad.toml: " in problem
    assert {t.id for t in library.all()} == {"ours", "standard", "lightweight", "root-cause-analysis"}
    with pytest.raises(ConfigError, match=r"bad\.toml"):
        library.get("bad")


def test_the_write_location_is_edited_with_comments_kept(library: TemplateLibrary, tmp_path: Path) -> None:
    (tmp_path / "ours.toml").chmod(0o600)
    path = library.set_write("ours", "wiki")
    text = path.read_text()
    for comment in ("# ours", "# the name", "# nothing else", "# first"):
        assert comment in text
    template = library.get("ours")
    assert template is not None
    assert (template.write, template.destination, len(template.sections)) == ("external", "wiki", 1)
    assert path.stat().st_mode & 0o777 == 0o600
    library.set_write("ours", "")
    again = library.get("ours")
    assert again is not None
    assert (again.write, again.destination) == ("in-house", "wiki")
    assert [file.name for file in tmp_path.iterdir()] == ["ours.toml"]


def test_a_built_in_template_is_copied_before_it_is_edited(library: TemplateLibrary, tmp_path: Path) -> None:
    before = (templates() / "standard.toml").read_text()
    assert library.set_write("standard", "wiki") == tmp_path / "standard.toml"
    assert (templates() / "standard.toml").read_text() == before
    template = library.get("standard")
    assert template is not None
    assert template.destination == "wiki"


def test_duplicates_are_files_of_ones_own(library: TemplateLibrary, tmp_path: Path) -> None:
    assert library.duplicate("standard", "major") == tmp_path / "major.toml"
    assert library.get("major") is not None
    with pytest.raises(Misuse, match="already"):
        library.duplicate("standard", "major")
    with pytest.raises(Misuse, match="cannot be"):
        library.duplicate("standard", "../x")
    with pytest.raises(UnknownReference, match="did you mean 'standard'"):
        library.duplicate("standrad", "other")


# --- files edited as a whole --------------------------------------------------------------------------------------------


def table(library: TemplateLibrary, template_id: str = "ours") -> dict[str, Any]:
    template = library.get(template_id)
    assert template is not None
    return as_table(template)


def test_an_edited_template_is_written_into_its_file(library: TemplateLibrary, tmp_path: Path) -> None:
    seen = library.file("ours").mark
    library.save("ours", table(library) | {"name": "Theirs", "tasks": ["debrief"]}, seen)
    text = (tmp_path / "ours.toml").read_text()
    assert "# the name" in text and "# first" in text
    now = library.get("ours")
    assert now is not None and (now.name, now.tasks) == ("Theirs", ("debrief",))
    assert library.file("ours").mark != seen


def test_a_file_that_changed_meanwhile_is_left_alone(library: TemplateLibrary, tmp_path: Path) -> None:
    seen, meanwhile = library.file("ours").mark, FILE + "# by hand\n"
    (tmp_path / "ours.toml").write_text(meanwhile)
    with pytest.raises(ChangedMeanwhile) as raised:
        library.save("ours", table(library) | {"name": "Theirs"}, seen)
    assert raised.value.current == library.file("ours").mark
    with pytest.raises(ChangedMeanwhile):
        library.delete("ours", seen)
    assert (tmp_path / "ours.toml").read_text() == meanwhile


def test_a_built_in_template_is_not_saved_over_ones_own_that_came_meanwhile(
    library: TemplateLibrary, tmp_path: Path
) -> None:
    seen = library.file("standard").mark
    (tmp_path / "standard.toml").write_text(FILE)
    with pytest.raises(ChangedMeanwhile):
        library.save("standard", table(library, "standard") | {"name": "Theirs"}, seen)
    assert (tmp_path / "standard.toml").read_text() == FILE


def test_everything_wrong_is_told_by_field(library: TemplateLibrary) -> None:
    wrong = {"id": "a b", "heading": "", "text": "x\n{{ incident.nmae }}", "custom_fields": ["x", "x"]}
    with pytest.raises(WrongFields) as raised:
        library.save("ours", {"name": "X", "title": "{{", "tasks": ["a b"], "sections": [{"kind": "summary"}, wrong]})
    fields = raised.value.fields
    assert list(fields) == ["title", "tasks", *(f"sections[2].{key}" for key in ("text", "id", "heading", "custom_fields"))]
    assert fields["sections[2].text"].startswith("line 2: unknown name 'incident.nmae'")
    assert library.get("ours") is not None


def test_new_ones_are_made_and_ones_own_are_deleted(library: TemplateLibrary, tmp_path: Path) -> None:
    library.create("mine", table(library) | {"name": "Mine"})
    assert "mine.toml" in {path.name for path in tmp_path.iterdir()}
    with pytest.raises(Misuse, match="already"):
        library.create("mine", table(library))
    library.delete("mine", library.file("mine").mark)
    assert library.get("mine") is None
    with pytest.raises(Misuse, match="built in"):
        library.delete("standard")
    library.set_write("standard", "wiki")
    library.delete("standard")
    assert library.get("standard") is not None and not library.file("standard").own


def applied(diff: str, folder: Path) -> None:
    subprocess.run(["git", "apply", "-"], input=diff.encode(), cwd=folder, check=True)


def test_in_a_git_work_tree_the_change_is_told_as_a_diff(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    folder = tmp_path / "config" / "templates"
    folder.mkdir(parents=True)
    (folder / "ours.toml").write_text(FILE.rstrip("\n"))
    library = TemplateLibrary(folder, templates())
    library.reload()
    assert "work tree" in library.kept_elsewhere()
    wanted = table(library) | {"name": "Theirs", "tasks": ["debrief"]}
    with pytest.raises(KeptElsewhere, match="Git") as raised:
        library.save("ours", wanted, library.file("ours").mark)
    assert library.file("ours").text == FILE.rstrip("\n")
    assert raised.value.diff.startswith("--- a/config/templates/ours.toml\n+++ b/config/templates/ours.toml\n")
    (tmp_path / ".git").rmdir()
    applied(raised.value.diff, tmp_path)
    library.reload()
    assert table(library) == wanted


def test_new_and_removed_files_are_told_as_diffs_too(library: TemplateLibrary, tmp_path: Path) -> None:
    managed = TemplateLibrary(tmp_path, templates(), managed=True)
    managed.reload()
    with pytest.raises(KeptElsewhere) as made:
        managed.duplicate("standard", "major", by_hand=False)
    with pytest.raises(KeptElsewhere) as removed:
        managed.delete("ours")
    assert library.get("ours") is not None and library.get("major") is None
    for refused in (made, removed):
        applied(refused.value.diff, tmp_path.parent)
    managed.reload()
    assert managed.get("ours") is None and managed.get("major") is not None


def test_a_directory_that_cannot_be_written_is_told_with_the_diff(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    library = TemplateLibrary(tmp_path / "file" / "templates", templates())
    library.reload()
    with pytest.raises(KeptElsewhere, match="cannot be written: Not a directory") as raised:
        library.set_write("standard", "wiki")
    assert '+destination = "wiki"' in raised.value.diff


def test_the_configuration_has_the_last_word_about_git(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    library = TemplateLibrary(tmp_path / "templates", templates(), managed=False)
    library.reload()
    assert library.kept_elsewhere() == ""
    assert library.duplicate("standard", "major", by_hand=False).is_file()
