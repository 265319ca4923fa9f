"""What people do to pages beyond plain edits: foreign blocks, moves, headings by hand, trash, taken titles."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from mapping.incident import FollowUpStatus
from providers.sandbox.faults import Fault, anything
from providers.sandbox.notion import NotionWorkspace
from syncd.errors import Misuse
from tests.simulation.people import ADA, NotionPerson, WikiPerson
from tests.simulation.world import AT_ONCE, GRACE, INCIDENT, World

EVERYWHERE = ["wiki", "dc", "notes", "plain-notes", "files"]
ROADMAP = (
    '<ac:structured-macro ac:name="roadmap" ac:schema-version="1" ac:macro-id="0f9a">'
    '<ac:parameter ac:name="title">Next year</ac:parameter></ac:structured-macro>'
)
NINE = "The checkout queue was full.\n\nNobody was paged for nine minutes."
SOMEBODY = {"Authorization": "Bearer somebody"}


@pytest.mark.parametrize("destination", EVERYWHERE)
def test_details_are_edited_on_either_side(world: World, destination: str) -> None:
    person = world.person(world.publish(destination))
    person.reword("1200", "1500")
    world.app.edit_incident("INC-12", {"lead": "grace@example.com", "role:scribe": "Ada Byron"}, GRACE)
    world.wait(300)
    world.in_step()
    incident = world.incident()
    assert incident.custom_fields["affected_customers"] == "1500"
    assert incident.lead and incident.lead.email == "grace@example.com"
    assert incident.roles["scribe"].email == "ada@example.com"
    assert "Scribe" in person.text()


@pytest.mark.parametrize("destination", EVERYWHERE)
def test_a_heading_renamed_by_hand_stays_renamed(world: World, destination: str) -> None:
    person = world.person(world.publish(destination))
    person.reword("Impact assessment", "Who was hit")
    world.wait(300)
    world.in_step()
    postmortem = world.store.postmortem("INC-12")
    assert postmortem
    section = postmortem.section("impact")
    assert section and section.heading == "Who was hit"
    world.app.edit_section("INC-12", "impact", "Two thousand shoppers.", GRACE)
    world.in_step()
    assert "Two thousand shoppers." in person.text() and person.text().count("Who was hit") == 1


def test_an_unknown_macro_in_the_middle_of_ours_keeps_its_bytes(world: World) -> None:
    page = world.publish("wiki")
    person = world.person(page)
    assert isinstance(person, WikiPerson)
    person.publish(re.sub(r"(<p[^>]*>Nobody was paged)", ROADMAP + r"\1", person.body, count=1))
    (kept,) = re.findall(r"<ac:structured-macro[^>]*roadmap.*?</ac:structured-macro>", person.body)
    world.wait(300)
    world.in_step()
    summary = world.incident().summary
    assert [block.kind for block in summary] == ["paragraph", "kept", "paragraph"]
    world.app.edit_incident("INC-12", {"summary": NINE}, GRACE)
    world.in_step()
    assert kept in person.body and "nine minutes" in person.text()


def test_an_unknown_block_in_notion_stays_where_it_is(world: World) -> None:
    page = world.publish("notes")
    person = world.person(page)
    assert isinstance(person, NotionPerson)
    behind = person._find("The checkout queue was full.")["id"]
    button = world.space.ui_insert(
        page.native_id, behind, {"type": "unsupported", "unsupported": {"block_type": "button"}}, ADA
    )
    world.wait(300)
    world.in_step()
    world.app.edit_incident("INC-12", {"summary": "The queue was full.\n\nNobody was paged for nine minutes."}, GRACE)
    world.in_step()
    ids = [block["id"] for block in world.space.children_of(page.native_id)]
    assert button in ids and ids[ids.index(button) - 1] == behind
    assert "nine minutes" in person.text()


def test_rows_reordered_by_a_person_stay_so(world: World) -> None:
    page = world.publish("notes")
    person = world.person(page)
    assert isinstance(person, NotionPerson)
    first, third = person._find("FU-1", "to_do")["id"], person._find("FU-3", "to_do")["id"]
    world.space.ui_move(first, third, ADA)
    world.wait(300)
    before = world.writes()
    world.in_step()
    assert world.writes() == before
    world.app.edit_follow_up("FU-1", {"status": "done"}, GRACE)
    world.in_step()
    ids = [block["id"] for block in world.space.children_of(page.native_id)]
    assert ids.index(first) > ids.index(third)


def test_one_changed_cell_is_one_request_and_other_blocks_keep_their_ids(world: World) -> None:
    page = world.publish("notes")
    ids = [block["id"] for block in world.space.children_of(page.native_id)]
    world.space.requests.clear()
    world.app.edit_event("T-2", {"title": "Workers restarted twice"}, GRACE)
    world.in_step()
    assert sum(method == "PATCH" for method, _ in world.space.requests) == 1
    assert [block["id"] for block in world.space.children_of(page.native_id)] == ids


@pytest.mark.parametrize("destination", ["wiki", "dc", "notes", "plain-notes"])
def test_a_page_in_the_trash_is_missing_until_it_is_restored(world: World, destination: str) -> None:
    page = world.publish(destination)
    service = world.service(destination)
    service.trash(page.native_id)
    world.wait(300)
    (report,) = world.app.once()
    assert report.result == "missing" and "trash" in report.reasons[0]
    assert world.app.check("INC-12").answer == "no"
    service.restore(page.native_id)
    world.in_step()
    assert world.page().state == "live"


@pytest.mark.parametrize("destination", ["wiki", "dc", "notes"])
def test_a_page_made_unreadable_by_its_owner_changes_nothing_here(world: World, destination: str) -> None:
    page = world.publish(destination)
    service = world.service(destination)
    acts: tuple[Callable[[str], None], Callable[[str], None]]
    acts = (service.unshare, service.share) if isinstance(service, NotionWorkspace) else (service.forbid, service.allow)
    hide, show = acts
    hide(page.native_id)
    world.app.edit_follow_up("FU-1", {"status": "done"}, GRACE)
    (report,) = world.app.once()
    assert report.result == "missing"
    show(page.native_id)
    world.in_step()
    assert world.incident().follow_ups[0].status is FollowUpStatus.DONE


def test_a_title_taken_by_somebody_elses_page_halts_and_offers_a_suffix(world: World) -> None:
    world.take({"reference": "INC-13", "name": "Other"})
    body = {"representation": "storage", "value": "<p>Mine.</p>"}
    foreign = {"spaceId": world.wiki.space_id, "status": "current", "title": "inc-13 other", "body": body}
    made = world.wiki.handle("POST", "/api/v2/pages", SOMEBODY, json.dumps(foreign).encode())
    native = json.loads(made.body)["id"]
    world.app.create_postmortem("INC-13", "standard", "wiki", GRACE)
    report = next(r for r in world.app.once() if r.page.incident == "INC-13")
    assert report.result == "halted" and ". `syncd resume INC-13 --accept` creates it as" in report.reasons[0]
    assert world.wiki.current_body(native) == "<p>Mine.</p>"
    world.app.resume("INC-13", True, GRACE)
    world.in_step()
    assert "INC-13 Other (2)" in [title for _, title, _ in world.wiki.pages()]


def test_a_private_incident_is_refused_an_open_destination(world: World) -> None:
    world.take({**INCIDENT, "private": True})
    with pytest.raises(Misuse, match="private"):
        world.app.create_postmortem("INC-12", "standard", "wiki", GRACE)


@pytest.mark.parametrize("destination", EVERYWHERE)
def test_the_title_follows_the_incident_until_somebody_touches_it(world: World, destination: str) -> None:
    page = world.publish(destination)
    world.app.edit_incident("INC-12", {"name": "Checkout was down"}, GRACE)
    world.in_step()
    seen = world.app.destinations[destination].provider.read(world.app.destinations[destination].place, page.native_id)
    assert seen.doc.title == "INC-12 Checkout was down"


def test_half_typed_lines_wait_and_prose_waits_for_quiet(tmp_path: Path) -> None:
    limits = replace(AT_ONCE, row_still=timedelta(seconds=60), quiet=timedelta(seconds=120))
    world = World(tmp_path, limits=limits)
    page = world.publish("notes")
    person = world.person(page)
    world.wait(600)
    for letters in ("Tell", "Tell the", "Tell the support"):
        if letters == "Tell":
            person.add_task("Write a runbook", letters)
        else:
            person.reword(letters.rpartition(" ")[0], letters)
        (report,) = world.app.once()
        assert report.result == "waiting"
        assert len(world.incident().follow_ups) == 3
        world.wait(10)
    world.wait(61)
    world.app.once()
    assert world.incident().follow_ups[-1].title == "Tell the support"
    world.wait(300)
    world.in_step()
    assert person.text().count("Tell the support") == 1
    world.store.close()


def test_an_inline_comment_survives_our_edit(world: World) -> None:
    page = world.publish("wiki")
    person = world.person(page)
    assert isinstance(person, WikiPerson)
    where = {"textSelection": "Nobody was paged", "textSelectionMatchCount": 1, "textSelectionMatchIndex": 0}
    body = {"representation": "storage", "value": "<p>Really?</p>"}
    comment = {"pageId": page.native_id, "body": body, "inlineCommentProperties": where}
    world.wiki.handle("POST", "/api/v2/inline-comments", SOMEBODY, json.dumps(comment).encode())
    assert "inline-comment-marker" in person.body
    world.app.edit_follow_up("FU-1", {"status": "done"}, GRACE)
    world.in_step()
    assert "inline-comment-marker" in person.body


def test_rich_text_and_hostile_names_travel(world: World) -> None:
    hostile = {
        **INCIDENT,
        "reference": "INC-14",
        "name": 'A "quoted" <script>alert(1)</script> ]]> & 🔥 \u202eright-to-left',
        "timeline": [],
        "follow_ups": [{"title": "x" * 10_000}, {"title": "*stars* and [links](x) and `code` | pipe"}],
    }
    for destination in EVERYWHERE:
        record = {**hostile, "reference": f"INC-{destination}"}
        page = world.publish(destination, record)
        person = world.person(page)
        incident = world.incident(f"INC-{destination}")
        person.add_task(incident.follow_ups[1].key, "another line")
        world.wait(300)
        world.in_step()
        after = world.incident(f"INC-{destination}")
        assert after.name == incident.name
        assert [row.title for row in after.follow_ups[:2]] == [row.title for row in incident.follow_ups]


@pytest.mark.parametrize("destination", EVERYWHERE)
def test_a_copied_line_is_a_new_row_with_a_key_of_its_own(world: World, destination: str) -> None:
    person = world.person(world.publish(destination))
    person.add_task("Write a runbook", "Write a runbook for full queues FU-2")
    world.wait(300)
    world.in_step()
    rows = {row.key: row.title for row in world.incident().follow_ups}
    assert len(rows) == 4 and list(rows.values()).count("Write a runbook for full queues") == 2
    words = person.text().replace("`", " ").split()
    assert all(words.count(key) == 1 for key in rows)


def test_an_incident_made_private_after_publishing_halts_its_page(world: World) -> None:
    page = world.publish("wiki")
    world.take({**INCIDENT, "private": True})
    (report,) = world.app.once()
    assert report.result == "halted" and "private" in report.reasons[0]
    assert world.wiki.current_body(page.native_id)


@pytest.mark.parametrize("destination", EVERYWHERE)
def test_headings_in_a_summary_never_become_sections(world: World, destination: str) -> None:
    world.publish(destination, {**INCIDENT, "summary": "# What\n\nThe queue was full.\n\n## Why\n\nNobody looked."})
    postmortem = world.store.postmortem("INC-12")
    assert postmortem
    before = [section.id for section in postmortem.sections]
    world.wait(300)
    world.in_step()
    after = world.store.postmortem("INC-12")
    assert after and [section.id for section in after.sections] == before


@pytest.mark.parametrize("destination", EVERYWHERE)
def test_a_title_may_speak_of_a_due_date(world: World, destination: str) -> None:
    told = "Pay the invoice due 2026-12-01 and say so"
    person = world.person(world.publish(destination, {**INCIDENT, "follow_ups": [{"title": told}]}))
    person.reword("and say so", "and tell support")
    world.wait(300)
    world.in_step()
    row = world.incident().follow_ups[0]
    assert row.title == "Pay the invoice due 2026-12-01 and tell support" and row.due_on is None


def test_people_are_native_mentions(world: World) -> None:
    wiki, notes = world.publish("wiki"), world.publish("notes", {**INCIDENT, "reference": "INC-13"})
    assert world.wiki.current_body(wiki.native_id).count("<ri:user ri:account-id=") == 3
    person = world.person(notes)
    assert isinstance(person, NotionPerson)
    (task,) = [b for b in world.space.children_of(notes.native_id) if b["type"] == "to_do" and "FU-4" in str(b)]
    assert [item["type"] for item in task["to_do"]["rich_text"]].count("mention") == 2


def test_a_vanished_section_waits_and_says_how_to_go_on(world: World) -> None:
    page = world.publish("files")
    path = world.root / "pages" / page.native_id
    path.write_text(path.read_text().partition("## Follow-ups")[0])
    world.wait(300)
    (report,) = world.app.once()
    assert report.result == "waiting" and "syncd resume INC-12 --accept" in report.reasons[0]
    answer = world.app.check("INC-12")
    assert answer.answer == "no" and answer.export.status == "held"
    assert not world.store.hidden(page.id)
    world.app.resume("INC-12", True, GRACE)
    world.in_step()
    assert set(world.store.hidden(page.id)) == {"FU-1", "FU-2", "FU-3", "section:follow_ups"}
    world.app.restore("INC-12", "FU-1", GRACE)
    world.in_step()
    assert path.read_text().count("## Follow-ups") == 1 and path.read_text().count("FU-1") == 1
    assert "FU-2" not in path.read_text()


@pytest.mark.parametrize("destination", ["wiki", "dc", "notes"])
def test_a_refused_token_is_unknown_not_no(world: World, destination: str) -> None:
    world.publish(destination)
    wire = world.wire(destination)
    wire.script += [Fault("status", anything, 401) for _ in range(8)]
    assert world.app.check("INC-12").answer == "unknown"
    (report,) = world.app.once()
    assert report.result == "unknown" and "doctor" in report.reasons[0]
    wire.script.clear()
    world.in_step()


def test_a_removed_section_comes_back_with_its_help(world: World) -> None:
    page = world.publish("files")
    path = world.root / "pages" / page.native_id
    before, _, rest = path.read_text().partition("## Lessons learned")
    path.write_text(f"{before}## Follow-ups{rest.partition('## Follow-ups')[2]}")
    world.wait(300)
    world.in_step()
    assert "section:lessons" in world.store.hidden(page.id)
    world.app.restore("INC-12", "lessons", GRACE)
    world.in_step()
    text = path.read_text()
    assert "## Lessons learned" in text and "What do we know now" in text


def test_a_removed_timeline_table_comes_back_for_new_events(world: World) -> None:
    page = world.publish("files")
    path = world.root / "pages" / page.native_id
    path.write_text("\n".join(line for line in path.read_text().splitlines() if "T-" not in line and "| Time" not in line))
    world.wait(300)
    world.in_step()
    assert set(world.store.hidden(page.id)) == {"T-1", "T-2", "T-3"}
    world.app.add_event("INC-12", {"at": "2026-11-02 10:50", "title": "Support told"}, GRACE)
    world.in_step()
    assert "| Support told |" in path.read_text() and "Alert fired" not in path.read_text()


def test_events_of_one_moment_stand_as_they_were_told(world: World) -> None:
    told = [{"at": "2026-11-02T10:00:00Z", "title": f"Step {number}"} for number in range(1, 13)]
    page = world.publish("files", {**INCIDENT, "timeline": told})
    text = (world.root / "pages" / page.native_id).read_text()
    assert re.findall(r"Step \d+", text) == [f"Step {number}" for number in range(1, 13)]


def test_a_service_that_is_down_is_said_in_a_persons_words(world: World) -> None:
    world.publish("wiki")
    world.to_wiki.script += [Fault("refused", anything) for _ in range(8)]
    (report,) = world.app.once()
    assert report.result == "unknown" and report.reasons == ("no answer from Confluence: the connection was refused",)


@pytest.mark.parametrize("destination", EVERYWHERE)
def test_a_lifecycle_time_and_the_name_are_changed_on_either_side(world: World, destination: str) -> None:
    times = {"started": "2026-11-02T10:00:00Z", "resolved": "2026-11-02T11:35:00Z", "detected": "2026-11-02T10:02:00Z"}
    person = world.person(world.publish(destination, {**INCIDENT, "timestamps": times}, "root-cause-analysis"))
    person.reword("2026-11-02 10:02", "10:04")
    world.app.edit_incident("INC-12", {"time:resolved": "2026-11-02T11:45:00Z"}, GRACE)
    world.wait(300)
    world.in_step()
    stamps = world.incident().timestamps
    assert stamps["detected"].isoformat() == "2026-11-02T10:04:00+00:00"
    assert stamps["resolved"].isoformat() == "2026-11-02T11:45:00+00:00"
    assert "2026-11-02 11:45" in person.text() and "10:02" not in person.text()
    before = world.writes()
    world.in_step()
    assert world.writes() == before
