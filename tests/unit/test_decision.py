"""The decision about one page, without services or a store: what people did is taken in, what the store holds goes out."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from mapping.commands import Add, AddSection, Command, Set
from mapping.document import Block, Doc, Span, heading, paragraph
from mapping.edits import Remove
from mapping.incident import FollowUp, FollowUpStatus, Incident, Person, Postmortem, PostmortemStatus, Section, TimelineEvent
from mapping.markdown_page import project
from mapping.rows import Vocabulary
from syncd.command_words import command_words
from syncd.compose import compose
from syncd.local import Local, Policy
from syncd.pages import Base, Entry
from syncd.plan import plan_out
from syncd.recover import recovered
from syncd.take_in import TakenIn, take_in, with_keys

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
ADA = Person("Ada Byron", "ada@example.com")
GRACE = Person("Grace Hopkins", "grace@example.com")
POLICY = Policy(
    native=False,
    published=True,
    compare_and_swap=True,
    row_still=timedelta(0),
    quiet=timedelta(0),
    removed_share=0.5,
    removed_min=5,
)


def incident() -> Incident:
    return Incident(
        reference="INC-12",
        name="Checkout returns 502",
        severity="SEV1",
        summary=(paragraph("The checkout queue was full."), paragraph("Nobody was paged for ten minutes.")),
        lead=ADA,
        timestamps={"started": datetime(2026, 11, 2, 10, 0, tzinfo=UTC)},
        timeline=(
            TimelineEvent("T-1", datetime(2026, 11, 2, 10, 3, 27, tzinfo=UTC), "Alert fired", "Depth over 900."),
            TimelineEvent("T-2", datetime(2026, 11, 2, 10, 20, tzinfo=UTC), "Workers restarted"),
        ),
        follow_ups=(
            FollowUp("FU-1", "Alert on queue depth", assignee=ADA, due_on=date(2026, 12, 1)),
            FollowUp("FU-2", "Write a runbook"),
        ),
    )


def postmortem() -> Postmortem:
    sections = (
        Section("summary", "summary", "Summary"),
        Section("details", "details", "Details"),
        Section("impact", "text", "Impact", help="Who noticed?"),
        Section("timeline", "timeline", "Timeline"),
        Section("follow_ups", "follow_ups", "Follow-ups"),
    )
    title = "{{ incident.reference }} {{ incident.name }}"
    return Postmortem("INC-12", "standard", PostmortemStatus.IN_PROGRESS, "files", "UTC", title, sections)


def local(of: Incident | None = None, **changes: object) -> Local:
    words = Vocabulary(UTC, (ADA, GRACE), ("SEV1", "SEV2"))
    mine = of or incident()
    title = f"{mine.reference} {mine.name}"
    made = Local(mine, postmortem(), words, title, home=True, project=project_doc)
    return replace(made, **changes)  # type: ignore[arg-type]  # the names are Local's


def project_doc(doc: Doc) -> Doc:
    return Doc(doc.title, project(doc.blocks), doc.properties)


def page(of: Local) -> tuple[Base, Doc]:
    """A page in step: its base and what stands on it, natives as a service without ids gives them."""
    base = compose(of)
    return base, numbered(base.doc)


def numbered(doc: Doc) -> Doc:
    blocks = [
        replace(b, native=str(i), rows=tuple(replace(r, native=f"{i}.{j}") for j, r in enumerate(b.rows)))
        for i, b in enumerate(doc.blocks)
    ]
    return replace(doc, blocks=tuple(blocks))


def reworded(doc: Doc, old: str, new: str) -> Doc:
    def block(b: Block) -> Block:
        return replace(b, spans=spans(b.spans), cells=tuple(spans(c) for c in b.cells), rows=tuple(block(r) for r in b.rows))

    def spans(run: tuple[Span, ...]) -> tuple[Span, ...]:
        return tuple(replace(s, text=s.text.replace(old, new)) for s in run)

    changed = replace(doc, blocks=tuple(block(b) for b in doc.blocks))
    assert changed != doc
    return changed


def look(of: Local, change: Callable[[Doc], Doc], **policy: object) -> TakenIn:
    base, doc = page(of)
    return take_in(base, of, change(doc), replace(POLICY, **policy), NOW)  # type: ignore[arg-type]


def test_a_page_that_nobody_touched_means_nothing() -> None:
    of = local()
    taken = look(of, lambda doc: doc)
    assert taken.commands == () and taken.hides == () and taken.halt == ""
    assert plan_out(taken.base, of).empty


@pytest.mark.parametrize(
    ("old", "new", "command"),
    [
        ("Alert on queue depth", "Alert on queue age", Set("follow_up", "FU-1", "title", "Alert on queue age")),
        ("2026-12-01", "2026-12-24", Set("follow_up", "FU-1", "due_on", "2026-12-24")),
        ("@Ada Byron due", "@Grace Hopkins due", Set("follow_up", "FU-1", "assignee", "grace@example.com")),
        ("2026-11-02 10:03", "10.05", Set("event", "T-1", "at", "2026-11-02T10:05:00Z")),
        ("Alert fired", "First alert fired", Set("event", "T-1", "title", "First alert fired")),
        ("Depth over 900.", "Depth over 950.", Set("event", "T-1", "description", "Depth over 950.")),
        ("SEV1", "sev2", Set("incident", "", "severity", "SEV2")),
        ("Checkout returns 502", "Checkout down", Set("incident", "", "name", "Checkout down")),
        ("In progress", "In review", Set("postmortem", "", "status", "in_review")),
        ("@Ada Byron", "@Grace Hopkins", Set("incident", "", "lead", "grace@example.com")),
    ],
)
def test_one_change_on_the_page_is_one_command(old: str, new: str, command: Command) -> None:
    def change(doc: Doc) -> Doc:
        return replace(reworded(doc, old, new), title=doc.title)

    taken = look(local(), change)
    assert command in taken.commands
    assert not taken.clashes


def test_a_time_shown_in_minutes_never_rounds_stored_seconds() -> None:
    taken = look(local(), lambda doc: reworded(doc, "Alert fired", "Alert rang"))
    assert taken.commands == (Set("event", "T-1", "title", "Alert rang"),)


def test_prose_changed_on_the_page_is_the_stores_prose() -> None:
    taken = look(local(), lambda doc: reworded(doc, "queue was full", "queue was quite full"))
    assert taken.commands == (
        Set(
            "incident",
            "",
            "summary",
            blocks=(paragraph("The checkout queue was quite full."), paragraph("Nobody was paged for ten minutes.")),
        ),
    )


def test_a_value_nobody_understands_stays_and_is_listed() -> None:
    of = local()
    taken = look(of, lambda doc: reworded(doc, "SEV1", "SEV9"))
    assert taken.commands == ()
    assert [(u.field, u.text) for u in taken.unread] == [("severity", "SEV9")]
    assert plan_out(taken.base, of).empty
    again = take_in(taken.base, replace(of, unread=taken.unread), taken.base.doc, POLICY, NOW)
    assert again.unread == taken.unread


def test_both_sides_changed_one_field_the_store_wins_and_the_page_is_kept() -> None:
    of = local()
    base, doc = page(of)
    mine = incident()
    changed = replace(mine, follow_ups=(replace(mine.follow_ups[0], title="Alert on queue length"), *mine.follow_ups[1:]))
    taken = take_in(base, local(changed), reworded(doc, "queue depth", "queue age"), POLICY, NOW)
    assert taken.commands == ()
    assert [(c.store, c.page, c.shown) for c in taken.clashes] == [("Alert on queue length", "Alert on queue age", "store")]
    plan = plan_out(taken.base, local(changed))
    assert "Alert on queue length" in plan.expected.blocks[-2].text
    settled = take_in(plan.expected, local(changed), numbered(plan.expected.doc), POLICY, NOW)
    assert not settled.clashes and not settled.commands


def test_store_changes_go_out_as_the_fewest_edits() -> None:
    of = local()
    base, doc = page(of)
    taken = take_in(base, of, doc, POLICY, NOW)
    mine = incident()
    done = replace(mine.follow_ups[0], status=FollowUpStatus.DONE)
    late = TimelineEvent("T-3", datetime(2026, 11, 2, 10, 10, tzinfo=UTC), "Somebody looked")
    changed = replace(mine, follow_ups=(done, mine.follow_ups[1]), timeline=(*mine.timeline, late), severity="SEV2")
    plan = plan_out(taken.base, local(changed))
    assert len(plan.edits) == 3
    table = next(e.block for e in plan.expected.entries if e.role == "table" and e.section == "timeline")
    assert [row.text.split("\t")[1] for row in table.rows] == [
        "Event",
        "Alert fired",
        "Somebody looked",
        "Workers restarted",
    ]
    assert plan_out(
        take_in(plan.expected, local(changed), numbered(plan.expected.doc), POLICY, NOW).base, local(changed)
    ).empty


def test_new_lines_become_rows_and_get_their_keys() -> None:
    of = local()

    def change(doc: Doc) -> Doc:
        return replace(
            doc, blocks=(*doc.blocks, Block("task", (Span("Page earlier @Grace Hopkins due 2026-12-05"),), native="x"))
        )

    taken = look(of, change)
    add = taken.commands[0]
    assert isinstance(add, Add)
    assert add.fields == {"title": "Page earlier", "status": "open", "assignee": "grace@example.com", "due_on": "2026-12-05"}
    mine = incident()
    fresh = FollowUp("FU-3", "Page earlier", assignee=GRACE, due_on=date(2026, 12, 5))
    after = local(replace(mine, follow_ups=(*mine.follow_ups, fresh)))
    plan = plan_out(with_keys(taken.base, {add.slot: "FU-3"}), after)
    assert plan.expected.blocks[-1].text == "Page earlier @Grace Hopkins due 2026-12-05 FU-3"
    assert len(plan.edits) == 1


def test_struck_through_is_dropped_and_ticked_is_done() -> None:
    def change(doc: Doc) -> Doc:
        first, second = doc.blocks[-2:]
        struck = replace(first, spans=tuple(replace(s, marks=s.marks | {"strike"}) for s in first.spans))
        return replace(doc, blocks=(*doc.blocks[:-2], struck, replace(second, checked=True)))

    assert look(local(), change).commands == (
        Set("follow_up", "FU-1", "status", "dropped"),
        Set("follow_up", "FU-2", "status", "done"),
    )


def test_a_removed_row_is_hidden_not_deleted() -> None:
    of = local()
    taken = look(of, lambda doc: replace(doc, blocks=doc.blocks[:-1]))
    assert taken.hides == (("FU-2", "Write a runbook"),)
    assert plan_out(taken.base, replace(of, hidden=frozenset({"FU-2"}))).empty


def test_a_vanished_section_of_rows_is_held_and_an_emptied_page_halts() -> None:
    of = local()
    start = next(i for i, b in enumerate(page(of)[1].blocks) if b.text == "Follow-ups")
    taken = look(of, lambda doc: replace(doc, blocks=doc.blocks[:start]))
    assert taken.hides == () and "Follow-ups" in taken.holds[0]
    assert look(of, lambda doc: replace(doc, blocks=())).halt


def test_a_section_added_by_hand_and_a_renamed_heading_are_the_post_mortems() -> None:
    def change(doc: Doc) -> Doc:
        renamed = tuple(heading("Who was hit") if b.text == "Impact" else b for b in doc.blocks)
        return replace(doc, blocks=(*renamed, heading("Thanks"), paragraph("To everybody.")))

    taken = look(local(), change)
    assert Set("section", "impact", "heading", "Who was hit") in taken.commands
    added = next(c for c in taken.commands if isinstance(c, AddSection))
    assert added.section.id == "thanks" and added.after == "follow_ups"
    assert Set("section", "thanks", "blocks", blocks=(paragraph("To everybody."),)) in taken.commands


def test_help_goes_when_the_section_is_written_and_when_a_person_deletes_it() -> None:
    of = local()
    deleted = look(of, lambda doc: replace(doc, blocks=tuple(b for b in doc.blocks if b.text != "Who noticed?")))
    assert Set("section", "impact", "help_gone", "yes") in deleted.commands
    written = replace(postmortem().sections[2], blocks=(paragraph("Everybody."),))
    pm = replace(postmortem(), sections=(*postmortem().sections[:2], written, *postmortem().sections[3:]))
    base, doc = page(of)
    plan = plan_out(take_in(base, of, doc, POLICY, NOW).base, replace(of, postmortem=pm))
    texts = [b.text for b in plan.expected.blocks]
    assert "Everybody." in texts and "Who noticed?" not in texts


def test_help_goes_with_its_heading() -> None:
    of = local()
    taken = look(of, lambda doc: replace(doc, blocks=tuple(b for b in doc.blocks if b.text != "Impact")))
    assert taken.hides == (("section:impact", "Impact"),)
    plan = plan_out(taken.base, replace(of, hidden=frozenset({"section:impact"})))
    assert [edit.block.text for edit in plan.edits if isinstance(edit, Remove)] == ["Who noticed?"]
    assert plan_out(plan.expected, replace(of, hidden=frozenset({"section:impact"}))).empty


def test_half_typed_rows_wait_until_they_are_still() -> None:
    of = local()
    base, doc = page(of)
    typed = reworded(doc, "Write a runbook", "Write a runbook for")
    still = {"row_still": timedelta(seconds=60), "published": False}
    policy = replace(POLICY, **still)  # type: ignore[arg-type]
    first = take_in(base, of, typed, policy, NOW)
    assert first.commands == () and first.waiting == 1
    second = take_in(first.base, replace(of, still=first.still), typed, policy, NOW + timedelta(seconds=61))
    assert second.commands == (Set("follow_up", "FU-2", "title", "Write a runbook for"),)


def test_a_tick_is_never_half_typed() -> None:
    still = {"row_still": timedelta(seconds=60), "published": False}

    def change(doc: Doc) -> Doc:
        return replace(doc, blocks=(*doc.blocks[:-1], replace(doc.blocks[-1], checked=True)))

    assert look(local(), change, **still).commands == (Set("follow_up", "FU-2", "status", "done"),)


def test_a_plan_is_the_same_value_each_time() -> None:
    of, base = local(), page(local())[0]
    assert plan_out(base, of) == plan_out(base, of)


# --- after a write of unknown fate --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seen", "landed"),
    [
        ("We tell them sooner.", True),
        ("From now on we tell them sooner.", True),
        ("We tell them.", True),
        ("They tell them later.", False),  # a person said something like it at the same place
        ("Entirely something else.", False),
    ],
)
def test_a_sentence_that_was_to_come_is_known_again_only_when_the_page_says_nearly_its_words(
    seen: str, landed: bool
) -> None:
    of = local()
    before = replace(page(of)[0], entries=_worn(page(of)[0].entries))
    at = next(i for i, e in enumerate(before.entries) if e.role == "prose") + 1
    new = Entry(paragraph("We tell them sooner."), "summary", "prose")
    expected = replace(before, entries=(*before.entries[:at], new, *before.entries[at:]))
    theirs = replace(paragraph(seen), native="theirs")
    shown = (*before.doc.blocks[:at], theirs, *before.doc.blocks[at:])
    explained = recovered(expected, before, replace(before.doc, blocks=shown), native=True)
    assert (new in explained.entries) == landed


def _worn(entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
    doc = numbered(Doc("", tuple(entry.block for entry in entries)))
    return tuple(replace(entry, block=block) for entry, block in zip(entries, doc.blocks, strict=True))


# --- before the first heading -------------------------------------------------------------------------------------------

CONTENTS = Block("kept", (Span("Table of contents"),), ref="k1")


def on_top(*blocks: Block) -> Callable[[Doc], Doc]:
    return lambda doc: numbered(replace(doc, blocks=(*blocks, *doc.blocks)))


def test_a_table_of_contents_on_top_is_the_pages_alone() -> None:
    of = local()
    taken = look(of, on_top(CONTENTS, Block("divider")))
    assert taken.commands == () and plan_out(taken.base, of).empty
    again = take_in(taken.base, of, numbered(taken.base.doc), POLICY, NOW)
    assert again.commands == () and again.base == taken.base


def test_words_on_top_are_an_introduction_with_what_stands_among_them() -> None:
    of = local()
    before = look(of, on_top(CONTENTS)).base
    _, doc = page(of)
    taken = take_in(before, of, on_top(CONTENTS, paragraph("A long day."))(doc), POLICY, NOW)
    assert taken.commands == (
        AddSection(Section("introduction", "text", ""), ""),
        Set("section", "introduction", "blocks", blocks=(CONTENTS, paragraph("A long day."))),
    )
    said = [command_words(command) for command in taken.commands]
    assert said == [
        "new words above the first heading",
        "above the first heading: [kept: Table of contents #k1] A long day.",
    ]


def test_a_section_called_introduction_is_not_the_text_on_top() -> None:
    of = local()
    more = (heading("Introduction"), paragraph("What this is about."))
    taken = look(of, lambda doc: numbered(replace(doc, blocks=(paragraph("A long day."), *doc.blocks, *more))))
    added = [c.section for c in taken.commands if isinstance(c, AddSection)]
    assert [(s.id == "introduction", s.heading) for s in added] == [(True, ""), (False, "Introduction")]
