"""What goes out to one page: where new things stand, what stays untouched, what is said about it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from mapping.document import Block, Doc, Span, heading, paragraph
from mapping.edits import Insert, Remove, Update
from mapping.incident import FollowUp, FollowUpStatus, Incident, PostmortemStatus, Section, TimelineEvent
from providers.contract import Fitted
from syncd.local import Local
from syncd.pages import Base, Entry
from syncd.plan import Plan, as_fitted, describe, plan_out, replaced
from syncd.take_in import take_in
from tests.unit.test_decision import ADA, GRACE, NOW, POLICY, incident, local, numbered, page, postmortem, reworded


def settled(of: Local, change: Callable[[Doc], Doc] = lambda doc: doc) -> Base:
    """The page in step, then changed by people and taken in; the store is as it was."""
    base, doc = page(of)
    return take_in(base, of, change(doc), POLICY, NOW).base


def again(plan: Plan, of: Local) -> Plan:
    """What is left to do when the plan was done."""
    return plan_out(take_in(plan.expected, of, numbered(plan.expected.doc), POLICY, NOW).base, of)


def at(hour: int, minute: int) -> datetime:
    return datetime(2026, 11, 2, hour, minute, tzinfo=UTC)


def told(of: Incident, *more: TimelineEvent) -> Incident:
    return replace(of, timeline=(*of.timeline, *more))


def texts(plan: Plan) -> list[str]:
    return [" ".join(block.text.split()) for block in plan.expected.blocks]


def with_sections(*sections: Section) -> Local:
    return local(postmortem=replace(postmortem(), sections=sections))


def cells(plan: Plan, section: str) -> list[str]:
    table = next(e.block for e in plan.expected.entries if e.role == "table" and e.section == section)
    return [row.text for row in table.rows]


# --- the whole ----------------------------------------------------------------------------------------------------------


def test_a_plan_is_empty_only_where_neither_blocks_nor_title_nor_properties_change() -> None:
    base = settled(local())
    nothing = Plan(base, ())
    assert nothing.empty
    assert not replace(nothing, title=("a", "b")).empty
    assert not replace(nothing, properties=(("status", "a", "b"),)).empty
    assert not replace(nothing, edits=(Remove("1", paragraph("x")),)).empty


def test_a_title_follows_the_incident_until_a_person_chose_another() -> None:
    of = local()
    renamed = replace(of, title="INC-12 Checkout returned 502")
    plan = plan_out(settled(of), renamed)
    assert plan.title == ("INC-12 Checkout returns 502", "INC-12 Checkout returned 502")
    assert plan.expected.records["page"] == {"title": "INC-12 Checkout returned 502"}
    assert plan_out(plan.expected, renamed).empty
    theirs = settled(of, lambda doc: replace(doc, title="A long night"))
    kept = plan_out(theirs, renamed)
    assert kept.title is None and kept.expected.title == "A long night"
    assert kept.expected.records["page"] == theirs.records["page"]
    assert plan_out(replace(theirs, title_touched=False), of).title is None, "the incident's name did not change"


def test_prose_that_must_wait_is_told_only_where_some_waits() -> None:
    of = local()
    base = settled(of)
    assert plan_out(base, of, hold_prose="Somebody types.").holds == ()
    changed = local(replace(incident(), summary=(paragraph("It was full."),), severity="SEV2"))
    plan = plan_out(base, changed, hold_prose="Somebody types.")
    assert plan.holds == ("Somebody types.",)
    assert [line for line in describe(plan) if "SEV2" in line and "change" in line] and "It was full." not in texts(plan)
    free = plan_out(base, changed)
    assert free.holds == () and "It was full." in texts(free)


def test_a_property_goes_out_when_the_store_changed_it_and_not_when_the_page_says_it_in_other_words() -> None:
    of = local()
    base = settled(of)
    assert ("severity", "SEV1") in base.properties
    plan = plan_out(base, local(replace(incident(), severity="SEV2")))
    assert plan.properties == (("severity", "SEV1", "SEV2"),)
    assert plan.expected.records["properties"]["severity"] == "SEV2"
    spoken = replace(base, properties=tuple((n, "sev 1" if n == "severity" else v) for n, v in base.properties))
    assert plan_out(spoken, of).properties == ()
    assert plan_out(plan.expected, local(replace(incident(), severity="SEV2"))).empty
    gone = replace(incident(), lead=None)
    assert ("lead", "Ada Byron", "") in [(n, ADA.name if b else b, a) for n, b, a in plan_out(base, local(gone)).properties]


# --- follow-ups ---------------------------------------------------------------------------------------------------------


def test_a_new_follow_up_stands_behind_the_last_one_and_the_notes_below_it() -> None:
    of = local()

    def with_notes(doc: Doc) -> Doc:
        note = [Block("bullet", (Span(text),), depth=depth) for text, depth in (("a note", 1), ("below", 2))]
        return numbered(replace(doc, blocks=(*doc.blocks, *note, heading("Thanks"), paragraph("To all."))))

    base = settled(of, with_notes)
    more = replace(incident(), follow_ups=(*incident().follow_ups, FollowUp("FU-3", "Tell support", assignee=GRACE)))
    pm = replace(
        postmortem(), sections=(*postmortem().sections, Section("thanks", "text", "Thanks", (paragraph("To all."),)))
    )
    plan = plan_out(base, local(more, postmortem=pm))
    assert texts(plan)[-6:] == [
        "Write a runbook FU-2",
        "a note",
        "below",
        "Tell support @Grace Hopkins FU-3",
        "Thanks",
        "To all.",
    ]
    assert len(plan.edits) == 1
    new = next(e for e in plan.expected.entries if e.keys == ("FU-3",))
    assert (new.role, new.section, new.block.depth) == ("row", "follow_ups", 0)
    assert plan.expected.records["FU-3"]["assignee"] == GRACE.email


@pytest.mark.parametrize("notes", [0, 1, 3])
def test_what_is_nested_below_the_last_follow_up_stays_with_it_and_what_is_beside_it_does_not(notes: int) -> None:
    base = settled(local())
    below = [
        Entry(Block("bullet", (Span("a note"),), depth=1, native=f"b{n}"), "follow_ups", "foreign") for n in range(notes)
    ]
    beside = Entry(Block("bullet", (Span("beside"),), native="c"), "follow_ups", "foreign")
    more = replace(incident(), follow_ups=(*incident().follow_ups, FollowUp("FU-3", "Tell support")))
    plan = plan_out(replace(base, entries=(*base.entries, *below, beside)), local(more))
    assert texts(plan)[-(notes + 3) :] == ["Write a runbook FU-2", *["a note"] * notes, "Tell support FU-3", "beside"]
    last = plan_out(replace(base, entries=(*base.entries, *below)), local(more))
    assert texts(last)[-(notes + 2) :] == ["Write a runbook FU-2", *["a note"] * notes, "Tell support FU-3"]


def test_a_new_follow_up_is_as_deep_as_the_last_one() -> None:
    of = local()
    base = settled(of)
    deeper = tuple(replace(e, block=replace(e.block, depth=1)) if e.keys == ("FU-2",) else e for e in base.entries)
    more = replace(incident(), follow_ups=(*incident().follow_ups, FollowUp("FU-3", "Tell support")))
    plan = plan_out(replace(base, entries=deeper), local(more))
    assert plan.expected.entries[-1].block.depth == 1


def test_the_first_follow_up_stands_under_its_heading_and_nowhere_without_one() -> None:
    none = replace(incident(), follow_ups=())
    base = settled(local(none))
    plan = plan_out(base, local(replace(none, follow_ups=(FollowUp("FU-1", "Tell support"),))))
    assert texts(plan)[-2:] == ["Follow-ups", "Tell support FU-1"] and plan.expected.blocks[-1].depth == 0
    homeless = replace(base, entries=tuple(e for e in base.entries if e.section != "follow_ups"))
    assert plan_out(homeless, local(incident())).empty


def test_hidden_rows_stay_away() -> None:
    base = settled(local(replace(incident(), follow_ups=(), timeline=incident().timeline[:1])))
    of = local(incident(), hidden=frozenset({"FU-1", "FU-2", "T-2"}))
    assert plan_out(base, of).empty


def test_a_row_that_only_lost_its_key_gets_its_key() -> None:
    of = local()
    base = settled(of, lambda doc: reworded(reworded(doc, "FU-2", ""), "T-2", ""))
    plan = plan_out(base, of)
    assert [e.after.text.split()[-1] for e in plan.edits if isinstance(e, Update)] == ["T-2", "FU-2"]


# --- events -------------------------------------------------------------------------------------------------------------


def test_new_events_stand_in_the_order_of_time_each_behind_the_last_that_is_not_later() -> None:
    of = local()
    more = told(
        incident(),
        TimelineEvent("T-5", at(10, 20), "At the same time"),
        TimelineEvent("T-4", at(9, 0), "Long before"),
        TimelineEvent("T-3", at(10, 10), "Between"),
    )
    plan = plan_out(settled(of), local(more))
    rows = [text.split("\t")[1] for text in cells(plan, "timeline")]
    assert rows == ["Event", "Long before", "Alert fired", "Between", "Workers restarted", "At the same time"]
    entry = next(e for e in plan.expected.entries if e.section == "timeline" and e.role == "table")
    assert entry.keys == ("", "T-4", "T-1", "T-3", "T-2", "T-5")
    assert all(len(row.cells) == 3 for row in entry.block.rows)
    assert {"T-3", "T-4", "T-5"} <= plan.expected.records.keys()
    assert again(plan, local(more)).empty


def test_the_first_event_of_an_empty_table_stands_below_the_header() -> None:
    none = replace(incident(), timeline=())
    base = settled(local(none))
    plan = plan_out(base, local(told(none, TimelineEvent("T-1", at(10, 3), "Alert fired"))))
    assert [text.split("\t")[1] for text in cells(plan, "timeline")] == ["Event", "Alert fired"]
    bare = tuple(
        replace(e, keys=(), block=replace(e.block, rows=())) if e.section == "timeline" and e.keys else e
        for e in base.entries
    )
    (row,) = [
        row
        for e in plan_out(
            replace(base, entries=bare), local(told(none, TimelineEvent("T-1", at(10, 3), "Alert fired")))
        ).expected.entries
        if e.keys == ("T-1",)
        for row in e.block.rows
    ]
    assert len(row.cells) == 3


def test_a_changed_event_changes_its_cells_alone() -> None:
    of = local()
    changed = replace(incident().timeline[1], title="Workers restarted twice")
    plan = plan_out(settled(of), local(replace(incident(), timeline=(incident().timeline[0], changed))))
    (edit,) = plan.edits
    assert isinstance(edit, Update) and edit.after.text.startswith("2026-11-02 10:20\tWorkers restarted twice")
    assert edit.after.cells[0] == edit.before.cells[0]


def test_a_row_of_a_timeline_that_is_no_event_of_ours_stays() -> None:
    of = local()
    base = settled(of)
    only = replace(incident(), timeline=incident().timeline[1:])
    plan = plan_out(base, local(only))
    assert plan.empty, "an event that the store no longer has stays as people see it"


LINES = ("10:03 Alert fired", "10:20 Workers restarted")


def listed(of: Local, *more: Block) -> Base:
    """The page with its events as lines of a list instead of a table."""
    base = settled(of)
    lines = [
        Entry(
            Block("bullet", (Span(text + " "), Span(key, marks=frozenset({"code"}))), native=key),
            "timeline",
            "event",
            (key,),
        )
        for text, key in zip(LINES, ("T-1", "T-2"), strict=True)
    ]
    entries: list[Entry] = []
    for entry in base.entries:
        table = entry.role == "table" and entry.section == "timeline"
        entries += [*lines, *(Entry(block, "timeline", "foreign") for block in more)] if table else [entry]
    return replace(base, entries=tuple(entries))


def test_new_events_among_lines_stand_behind_the_last_that_is_not_later_and_its_notes() -> None:
    of = local()
    note = Block("bullet", (Span("twice, in fact"),), depth=1, native="note")
    new = (
        TimelineEvent("T-6", at(10, 20), "At the same time"),
        TimelineEvent("T-5", at(11, 0), "All well"),
        TimelineEvent("T-3", at(10, 10), "Between"),
        TimelineEvent("T-4", at(9, 0), "Before"),
    )
    plan = plan_out(listed(of, note), local(told(incident(), *new)))
    shown = [" ".join(e.block.text.split()) for e in plan.expected.entries if e.section == "timeline"]
    assert shown == [
        "Timeline",
        "2026-11-02 09:00 — Before T-4",
        "10:03 Alert fired T-1",
        "2026-11-02 10:10 — Between T-3",
        "10:20 Workers restarted T-2",
        "twice, in fact",
        "2026-11-02 10:20 — At the same time T-6",
        "2026-11-02 11:00 — All well T-5",
    ]
    assert {"T-3", "T-4", "T-5"} <= plan.expected.records.keys()
    assert all(isinstance(edit, Insert) for edit in plan.edits)


def test_a_changed_event_line_keeps_what_did_not_change_and_shows_no_description() -> None:
    of = local()
    base = listed(of)
    described = replace(incident().timeline[0], description="Depth over 950.")
    assert plan_out(base, local(replace(incident(), timeline=(described, incident().timeline[1])))).empty
    plain = tuple(
        replace(e, block=replace(e.block, spans=(Span(e.block.text),))) if e.role == "event" else e for e in base.entries
    )
    assert plan_out(replace(base, entries=plain), of).empty, "a key that people wrote again is a key"
    later = replace(incident().timeline[0], at=at(10, 5))
    plan = plan_out(base, local(replace(incident(), timeline=(later, incident().timeline[1]))))
    (edit,) = plan.edits
    assert isinstance(edit, Update) and edit.after.text == "10:05 Alert fired T-1"


def test_an_event_line_that_was_just_taken_in_only_gets_its_key_and_one_that_nobody_understands_stays() -> None:
    of = local()
    base = listed(of)
    bare = replace(base.entries[-4], block=Block("bullet", (Span(LINES[1]),), native="T-2"))
    assert bare.keys == ("T-2",)
    fresh = replace(
        base,
        entries=(*base.entries[:-4], bare, *base.entries[-3:]),
        records={k: v for k, v in base.records.items() if k != "T-2"},
    )
    moved = replace(incident().timeline[1], at=at(10, 21))
    plan = plan_out(fresh, local(replace(incident(), timeline=(incident().timeline[0], moved))))
    (edit,) = plan.edits
    assert isinstance(edit, Update) and edit.after.text == "10:20 Workers restarted T-2"
    garbled = replace(bare, block=Block("bullet", (Span("some time ago"),), native="T-2"))
    assert plan_out(
        replace(base, entries=(*base.entries[:-4], garbled, *base.entries[-3:])),
        local(replace(incident(), timeline=(incident().timeline[0], moved))),
    ).empty


def test_where_people_removed_the_table_new_events_get_a_table_of_their_own() -> None:
    of = local()
    base = settled(of)
    gone = replace(
        base,
        entries=tuple(e for e in base.entries if (e.section, e.role) != ("timeline", "table")),
        records={k: v for k, v in base.records.items() if k not in ("T-1", "T-2")},
    )
    hidden = frozenset({"T-1", "T-2"})
    assert plan_out(gone, local(hidden=hidden)).empty
    new = told(incident(), TimelineEvent("T-3", at(11, 0), "All well"))
    plan = plan_out(gone, local(new, hidden=hidden))
    spot = next(i for i, e in enumerate(gone.entries) if (e.section, e.role) == ("timeline", "heading")) + 1
    fresh = plan.expected.entries[spot]
    assert fresh.keys == ("", "T-3")
    assert plan.expected.entries == (*gone.entries[:spot], fresh, *gone.entries[spot:])
    headless = replace(gone, entries=tuple(e for e in gone.entries if e.section != "timeline"))
    assert plan_out(headless, local(new, hidden=hidden)).empty
    walled = Block("kept", (Span("Table"),), ref="k1", hint="T-1 T-2", native="w")
    inside = tuple(
        part
        for e in gone.entries
        for part in ((e, Entry(walled, "timeline", "foreign")) if e.section == "timeline" else (e,))
    )
    assert plan_out(replace(gone, entries=inside, records=base.records), local(new)).empty, "it is there, and cannot be read"


# --- details ------------------------------------------------------------------------------------------------------------


def test_details_change_in_their_cells_new_ones_stand_in_their_order_and_hidden_ones_stay_away() -> None:
    of = local()
    base = settled(of)
    mine = replace(incident(), severity="SEV2", roles={"scribe": GRACE}, custom_fields={"affected": "12"})
    plan = plan_out(base, local(mine, hidden=frozenset({"details:field:affected"})))
    rows = [text.split("\t") for text in cells(plan, "details")]
    assert [name for name, _ in rows] == [
        "Reference",
        "Name",
        "Severity",
        "Phase",
        "Lead",
        "Scribe",
        "Started",
        "Post-mortem status",
    ]
    assert dict(rows)["Severity"] == "SEV2" and dict(rows)["Scribe"] == "@Grace Hopkins"
    entry = next(e for e in plan.expected.entries if e.section == "details" and e.role == "table")
    assert "role:scribe" in entry.keys and plan.expected.records["details"]["role:scribe"] == GRACE.email
    assert again(plan, local(mine, hidden=frozenset({"details:field:affected"}))).empty


def test_a_detail_that_comes_before_all_others_stands_first() -> None:
    base = settled(local())
    bare = tuple(
        replace(e, keys=e.keys[1:], block=replace(e.block, rows=e.block.rows[1:]))
        if (e.section, e.role) == ("details", "table")
        else e
        for e in base.entries
    )
    assert cells(plan_out(replace(base, entries=bare), local()), "details")[:2] == [
        "Reference\tINC-12",
        "Name\tCheckout returns 502",
    ]


def test_a_detail_without_a_value_becomes_an_empty_cell_and_other_columns_of_it_stay() -> None:
    of = local()
    base = settled(of)
    wide = tuple(
        replace(e, block=replace(e.block, rows=tuple(replace(r, cells=(*r.cells, (Span("note"),))) for r in e.block.rows)))
        if (e.section, e.role) == ("details", "table")
        else e
        for e in base.entries
    )
    plan = plan_out(replace(base, entries=wide), local(replace(incident(), lead=None)))
    assert [text for text in cells(plan, "details") if text.startswith("Lead")] == ["Lead\t\tnote"]
    assert plan.expected.records["details"]["lead"] == ""


def test_rows_that_people_add_to_the_details_stay_and_a_row_of_one_cell_too() -> None:
    of = local()
    base = settled(of)

    def with_rows(entry: Entry) -> Entry:
        if (entry.section, entry.role) != ("details", "table"):
            return entry
        theirs = Block("row", cells=((Span("Weather"),), (Span("rain"),)), native="w")
        narrow = replace(entry.block.rows[2], cells=entry.block.rows[2].cells[:1])
        rows = (*entry.block.rows[:2], narrow, *entry.block.rows[3:], theirs)
        return replace(entry, keys=(*entry.keys, ""), block=replace(entry.block, rows=rows))

    shown = replace(base, entries=tuple(map(with_rows, base.entries)))
    plan = plan_out(shown, local(replace(incident(), severity="SEV2", custom_fields={"b": "12"})))
    lines = cells(plan, "details")
    assert "Severity" in lines and "Weather\train" in lines and "b\t12" in [line.casefold() for line in lines]


def test_the_status_alone_of_a_template_without_details_gets_no_more_rows() -> None:
    of = with_sections(Section("summary", "summary", "Summary"))
    base = settled(of)
    assert cells(plan_out(base, of), "") == ["Post-mortem status\tIn progress"]
    reviewed = replace(of, postmortem=replace(of.postmortem, status=PostmortemStatus.IN_REVIEW))
    assert cells(plan_out(base, reviewed), "") == ["Post-mortem status\tIn review"]


# --- headings and prose -------------------------------------------------------------------------------------------------


def test_a_heading_follows_the_store_and_a_section_that_is_nobodys_keeps_its_own() -> None:
    of = local()
    more = (heading("Weather"), Block("divider"))
    base = settled(of, lambda doc: numbered(replace(doc, blocks=(*doc.blocks, *more))))
    pm = postmortem()
    named = tuple(replace(s, heading="Who was hit") if s.id == "impact" else s for s in pm.sections)
    plan = plan_out(base, replace(of, postmortem=replace(pm, sections=named)))
    assert [e.after.text for e in plan.edits if isinstance(e, Update)] == ["Who was hit"]
    assert plan.expected.records["section:impact"] == {"heading": "Who was hit"}
    assert "Weather" in texts(plan)


def test_new_sections_stand_behind_the_one_they_follow() -> None:
    of = local()
    base = settled(of)
    pm = postmortem()
    causes = Section("causes", "text", "Causes", (paragraph("A full disk."),))
    last = Section("lessons", "text", "Lessons", (paragraph("Watch disks."),))
    nameless = Section("nameless", "text", "", (paragraph("Nobody sees this."),))
    sections = (*pm.sections[:3], causes, *pm.sections[3:], last, nameless)
    plan = plan_out(base, replace(of, postmortem=replace(pm, sections=sections)))
    lines = texts(plan)
    assert lines[lines.index("Causes") - 1] == "Who noticed?" and lines[lines.index("Causes") + 1] == "A full disk."
    assert lines[lines.index("Causes") + 2] == "Timeline" and lines[-2:] == ["Lessons", "Watch disks."]
    assert "Nobody sees this." not in lines
    hidden = replace(of, postmortem=replace(pm, sections=sections), hidden=frozenset({"section:causes"}))
    assert "Causes" not in texts(plan_out(base, hidden))
    first = (causes, *pm.sections)
    assert texts(plan_out(base, replace(of, postmortem=replace(pm, sections=first))))[1:3] == ["Causes", "A full disk."]


def test_of_two_paragraphs_the_one_that_changed_is_changed_and_reminders_stay_where_they_are() -> None:
    pm = postmortem()
    causes = Section(
        "causes", "text", "Causes", (paragraph("Began at 10."),), (paragraph("Began at 10."),), help="Which disk?"
    )
    of = local(postmortem=replace(pm, sections=(*pm.sections, causes)))
    base = settled(of)
    assert plan_out(base, of).empty
    changed = replace(incident(), summary=(incident().summary[0], paragraph("Nobody was paged for an hour.")))
    (edit,) = plan_out(base, replace(of, incident=changed)).edits
    assert isinstance(edit, Update) and edit.after.text == "Nobody was paged for an hour."
    filled = replace(causes, blocks=(paragraph("Began at 11."),), rendered=(paragraph("Began at 11."),))
    refilled = plan_out(base, replace(of, postmortem=replace(pm, sections=(*pm.sections, filled))))
    (edit,) = refilled.edits
    assert isinstance(edit, Update) and edit.after.text == "Began at 11."
    assert len(refilled.expected.blocks) == len(base.blocks)


def test_prose_stands_right_below_its_heading_and_before_the_first_heading_below_our_line() -> None:
    pm = postmortem()
    words = Section("introduction", "text", "", (paragraph("A long day."),))
    of = local()
    base = settled(of)
    plan = plan_out(base, replace(of, postmortem=replace(pm, sections=(words, *pm.sections))))
    assert texts(plan)[:3] == ["In step with incident INC-12. Times are in UTC.", "A long day.", "Summary"]
    lineless = replace(base, entries=base.entries[1:])
    assert texts(plan_out(lineless, replace(of, postmortem=replace(pm, sections=(words, *pm.sections)))))[:2] == [
        "A long day.",
        "Summary",
    ]
    empty = replace(base, entries=())
    assert texts(plan_out(empty, replace(of, postmortem=replace(pm, sections=(words,)))))[:1] == ["A long day."]
    foreign = Entry(Block("divider", native="d"), "impact", "foreign")
    spot = next(i for i, e in enumerate(base.entries) if e.role == "help") + 1
    mixed = replace(base, entries=(*base.entries[:spot], foreign, *base.entries[spot:]))
    written = tuple(replace(s, blocks=(paragraph("Everybody."),)) if s.id == "impact" else s for s in pm.sections)
    shown = texts(plan_out(mixed, replace(of, postmortem=replace(pm, sections=written))))
    assert shown[shown.index("Impact") : shown.index("Impact") + 2] == ["Impact", "Everybody."]
    headless = replace(base, entries=tuple(e for e in base.entries if e.section != "impact"))
    assert "Everybody." not in texts(plan_out(headless, replace(of, postmortem=replace(pm, sections=written))))


# --- what a service cannot do -------------------------------------------------------------------------------------------


def test_a_plan_without_what_the_service_cannot_do() -> None:
    of = local()
    base = settled(of)
    mine = replace(
        incident(),
        severity="SEV2",
        follow_ups=(*incident().follow_ups, FollowUp("FU-3", "One"), FollowUp("FU-4", "Two"), FollowUp("FU-5", "Three")),
    )
    mine = told(mine, TimelineEvent("T-3", at(11, 0), "All well"), TimelineEvent("T-4", at(12, 0), "Really"))
    plan = plan_out(base, local(mine))
    assert as_fitted(plan, base, Fitted(plan.expected.doc)) is plan
    drop = {"T-3", "FU-3"}

    def fits(block: Block) -> Block | None:
        if block.kind == "table":
            return replace(block, rows=tuple(r for r in block.rows if r.text.split()[-1] not in drop))
        return None if block.text.split()[-1:] == ["FU-3"] else block

    doc = replace(plan.expected.doc, blocks=tuple(b for block in plan.expected.blocks if (b := fits(block)) is not None))
    held = as_fitted(replace(plan, holds=("first",)), base, Fitted(doc, ("second",)))
    assert held.holds == ("first", "second") and held.expected.blocks == doc.blocks
    keys = [key for e in held.expected.entries for key in e.keys]
    assert "FU-4" in keys and "T-4" in keys and not drop & set(keys)
    assert next(e for e in held.expected.entries if e.keys == ("FU-4",)).block.text.startswith("Two")
    assert [e.keys for e in held.expected.entries][-2:] == [("FU-4",), ("FU-5",)]
    other = tuple(
        replace(b, spans=(Span("As the service says it"),)) if b.text.startswith("One") else b for b in plan.expected.blocks
    )
    said = as_fitted(plan, base, Fitted(replace(plan.expected.doc, blocks=other), ("otherwise",)))
    assert [e.keys for e in said.expected.entries][-3:] == [("FU-3",), ("FU-4",), ("FU-5",)]
    assert said.expected.entries[-3].block.text == "As the service says it"
    prose = next(e for e in base.entries if e.role == "prose")
    empty = plan_out(base, local(replace(incident(), summary=())))
    staying = as_fitted(empty, base, Fitted(base.doc, ("it stays",)))
    assert prose not in empty.expected.entries and prose in staying.expected.entries and not staying.edits
    assert "| One" not in "\n".join(describe(held))


# --- in words -----------------------------------------------------------------------------------------------------------


def test_a_plan_in_words_and_what_it_takes_off_the_page() -> None:
    of = local()
    base = settled(of)
    plan = Plan(
        base,
        (
            Update("1", paragraph("old words"), paragraph("new words")),
            Insert("2", (Block("task", (Span("Do it"),)), Block("task", (Span("Moved"),), checked=True, native="9"))),
            Remove("3", Block("row", cells=((Span("a"),), (Span("b"),)))),
            Remove("4", paragraph("x" * 81)),
            Remove("5", paragraph("y" * 80)),
        ),
        ("Before", "After"),
        (("status", "", "In review"), ("lead", "Ada", "")),
    )
    assert describe(plan) == [
        "title: 'Before' -> 'After'",
        "status: nothing -> In review",
        "lead: Ada -> nothing",
        "change old words -> new words",
        "add [ ] Do it",
        "move [x] Moved",
        "remove | a | b",
        "remove " + "x" * 79 + "…",
        "remove " + "y" * 80,
    ]
    assert replaced(plan) == "\n".join(["Before", "Ada", "old words", "a\tb", "x" * 81, "y" * 80])
    assert replaced(Plan(base, ())) == "" and describe(Plan(base, ())) == []


@pytest.mark.parametrize("status", list(FollowUpStatus))
def test_a_status_of_the_store_reaches_its_box(status: FollowUpStatus) -> None:
    of = local()
    mine = incident()
    changed = replace(mine.follow_ups[1], status=status, due_on=date(2026, 12, 24))
    plan = plan_out(settled(of), local(replace(mine, follow_ups=(mine.follow_ups[0], changed))))
    (edit,) = plan.edits
    assert isinstance(edit, Update) and edit.after.checked == (status is FollowUpStatus.DONE)
