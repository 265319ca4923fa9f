"""Many incidents at once: which, in which order, found by which words; and never what somebody may not see."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import product

import pytest

from mapping.commands import Actor, Add, Set
from mapping.document import paragraph
from mapping.incident import (
    FollowUp,
    FollowUpStatus,
    Incident,
    Person,
    Phase,
    Postmortem,
    PostmortemStatus,
    Section,
    TimelineEvent,
)
from syncd.errors import Misuse
from syncd.flow import Look, export_status
from syncd.pages import Conflict, Page, PageState, Unread, Version
from syncd.store import Store
from syncd.store.lists import Part, WantedEvents, WantedFollowUps, WantedPostmortems
from syncd.store.overview import Wanted
from syncd.store.search import query
from syncd.store.visible import Visible

START = datetime(2026, 11, 2, 10, 0, tzinfo=UTC)
ACTOR = Actor("store", "Ada Byron")
ADA, GRACE = Person("Ada Byron", "ada@example.com"), Person("Grace Hopkins", "grace@example.com")
PUBLIC = Visible()


@pytest.fixture
def store() -> Iterator[Store]:
    opened = Store.open(":memory:", lambda: START)
    yield opened
    opened.close()


def incident(store: Store, ref: str, days: int = 0, **fields: object) -> str:
    times = {"started": START + timedelta(days=days)}
    record = replace(Incident(ref, "Checkout fails", timestamps=times), **fields)  # type: ignore[arg-type]
    store.create_incident(record, ACTOR)
    return ref


def postmortem(store: Store, ref: str, *sections: Section, home: str = "wiki") -> None:
    made = Postmortem(ref, "standard", PostmortemStatus.IN_PROGRESS, home, "UTC", "Title", sections)
    store.create_postmortem(made, "{}", (), ACTOR)


def page(store: Store, ref: str, state: PageState = "live", where: str = "wiki", copy: bool = False) -> Page:
    made = store.add_page(ref, where, copy)
    store.set_page(made.id, state=state, native_id=f"n{made.id}", url=f"https://wiki.example.com/{made.id}")
    store.clear_dirty(made.id, store.dirty_mark(made.id))
    return store.page(made.id)


def conflict(store: Store, of: Page, name: str = "c1") -> None:
    version = Version("x")
    store.add_conflict(
        Conflict(name, of.id, of.incident, of.destination, "impact", "", "text", "", version, version, "page")
    )


def shown(store: Store, visible: Visible = PUBLIC, **wanted: object) -> list[str]:
    return [row.reference for row in store.overview(Wanted(**wanted), visible).rows]  # type: ignore[arg-type]


# --- order and freshness ------------------------------------------------------------------------------------------------


def test_what_needs_a_person_comes_first_then_the_newest(store: Store) -> None:
    for number in range(1, 6):
        postmortem(store, incident(store, f"INC-{number}", days=number))
    page(store, "INC-1", "missing")
    conflict(store, page(store, "INC-3"))
    page(store, "INC-4", "held")
    store.set_unread(page(store, "INC-2").id, [Unread("details", "severity", "SEV9")])
    assert shown(store) == ["INC-3", "INC-2", "INC-1", "INC-5", "INC-4"]
    assert shown(store, oldest_first=True) == ["INC-1", "INC-2", "INC-3", "INC-4", "INC-5"]
    assert shown(store, needs_person=True) == ["INC-3", "INC-2", "INC-1"]


def test_a_copy_in_trouble_needs_a_person_though_the_gate_does_not_look_at_it(store: Store) -> None:
    postmortem(store, incident(store, "INC-1"))
    page(store, "INC-1")
    page(store, "INC-1", "halted", where="notes", copy=True)
    (row,) = store.overview(Wanted()).rows
    assert (row.freshness, row.needs_person, row.destination) == ("fresh", True, "wiki")


def test_an_incident_without_times_is_as_old_as_its_record(store: Store) -> None:
    store.create_incident(Incident("INC-1", "Slow"), ACTOR)
    assert store.overview(Wanted()).rows[0].began == START


def test_freshness_is_what_the_gate_would_say_without_looking_again(store: Store) -> None:
    states: tuple[PageState, ...] = ("wanted", "live", "held", "halted", "missing", "detached")
    for number, (state, there, clash, unread, dirty, code) in enumerate(
        product(states, (True, False), (True, False), (True, False), (True, False), ("", "draft"))
    ):
        ref = incident(store, f"INC-{number}")
        postmortem(store, ref)
        made = page(store, ref, state)
        store.set_page(made.id, native_id="n" if there else "", reason="Why.", code=code)
        if clash:
            conflict(store, made, f"c{number}")
        store.set_unread(made.id, [Unread("details", "severity", "SEV9")] if unread else [])
        if dirty:
            store.mark_dirty(made.id, "changed")
    for row in store.overview(Wanted(count=1000)).rows:
        (made,) = store.pages(row.reference)
        held = (made.reason,) if made.state == "held" else ()
        open_now, dirty_since = tuple(store.conflicts(row.reference, "open")), store.dirty_since(made.id)
        look = Look(made, "", (), held, made.code, dirty_since, open_now, tuple(store.unread(made.id)))
        assert row.freshness == export_status(Incident(row.reference, ""), [look]).status, made


def test_the_page_that_is_worst_off_is_the_one_that_is_told(store: Store) -> None:
    postmortem(store, incident(store, "INC-1"))
    page(store, "INC-1")
    page(store, "INC-1", "missing", where="notes")
    (row,) = store.overview(Wanted()).rows
    assert (row.destination, row.freshness) == ("notes", "missing")


# --- filters and parts --------------------------------------------------------------------------------------------------


def test_filters_narrow_down_and_go_together(store: Store) -> None:
    incident(store, "INC-1", severity="SEV1", lead=ADA, phase=Phase.CLOSED)
    incident(store, "INC-2", severity="SEV2", lead=ADA)
    incident(store, "INC-3", severity="SEV1", lead=Person("Somebody"))
    postmortem(store, "INC-3")
    store.apply("INC-3", [Set("postmortem", "", "status", "in_review")], ACTOR)
    page(store, "INC-3")
    assert shown(store, severities=("SEV1",)) == ["INC-3", "INC-1"]
    assert shown(store, severities=("SEV1", "SEV2"), owners=("ada@example.com",)) == ["INC-2", "INC-1"]
    assert shown(store, owners=("Somebody",)) == ["INC-3"]
    assert shown(store, phases=("closed",)) == ["INC-1"]
    assert shown(store, statuses=("in_review",)) == ["INC-3"]
    assert shown(store, statuses=("none",)) == ["INC-2", "INC-1"]
    assert shown(store, freshness=("fresh",)) == ["INC-3"]
    assert shown(store, freshness=("not_exported",)) == ["INC-2", "INC-1"]
    assert shown(store, freshness=("fresh",), severities=("SEV2",)) == []


def test_an_overview_comes_in_parts_that_say_how_many_there_are(store: Store) -> None:
    for number in range(1, 8):
        incident(store, f"INC-{number}", days=number)
    listing = store.overview(Wanted(start=5, count=3))
    assert ([row.reference for row in listing.rows], listing.total) == (["INC-2", "INC-1"], 7)
    beyond = store.overview(Wanted(start=50, count=3))
    assert (beyond.rows, beyond.total) == ((), 7)
    assert store.overview(Wanted(severities=("SEV9",))).total == 0


def test_rows_tell_what_is_left_to_do_and_what_is_late(store: Store) -> None:
    late, today = date(2026, 11, 1), date(2026, 11, 2)
    rows = (FollowUp("", "a", due_on=late), FollowUp("", "b", due_on=today), FollowUp("", "c"), FollowUp("FU-9", "d"))
    incident(store, "INC-1", follow_ups=rows, lead=ADA)
    store.apply("INC-1", [Set("follow_up", "FU-9", "status", "done")], ACTOR)
    (row,) = store.overview(Wanted()).rows
    assert (row.open_follow_ups, row.overdue, row.owner) == (3, 1, ADA)


def test_what_can_be_chosen_is_what_there_is(store: Store) -> None:
    incident(store, "INC-1", severity="SEV1", lead=ADA)
    incident(store, "INC-2", severity="SEV0", lead=GRACE, private=True)
    choices = store.choices(PUBLIC)
    assert (choices.severities, choices.owners) == (("SEV1",), (ADA,))


# --- private ------------------------------------------------------------------------------------------------------------


def test_a_private_incident_is_in_no_row_count_or_piece_of_text(store: Store) -> None:
    incident(store, "INC-1", name="Leaked credentials", private=True, lead=ADA)
    incident(store, "INC-2", name="Leaked memory")
    for asked in (Wanted(), Wanted(text="leaked"), Wanted(text="credentials")):
        listing = store.overview(asked, PUBLIC)
        assert "credentials" not in repr(listing)
        assert listing.total == len(listing.rows) == (0 if asked.text == "credentials" else 1)
    assert shown(store, Visible(email=ADA.email), text="credentials") == ["INC-1"]


# --- search -------------------------------------------------------------------------------------------------------------


def test_an_incident_is_found_by_any_of_its_texts(store: Store) -> None:
    event = TimelineEvent("T-4", START, "Alert fired", "on the *replica*")
    left = (FollowUp("FU-7", "Raise the limit"),)
    incident(store, "INC-1", summary=(paragraph("Nobody could pay."),), follow_ups=left, timeline=(event,))
    postmortem(store, "INC-1", Section("impact", "text", "Impact", (paragraph("Überall 1,200 customers"),)))
    for text in ("checkout", "INC-1", "nobody pay", "LIMIT", "fu-7", "replica", "impact", "uberall", "custom", "T-4 alert"):
        assert shown(store, text=text) == ["INC-1"], text
    for text in ("cust checkout", "nothing", "FU-77", "FU", "-"):
        assert shown(store, text=text) == ([] if text != "FU" else ["INC-1"]), text


def test_words_are_found_wherever_they_stand_and_phrases_only_together(store: Store) -> None:
    incident(store, "INC-1", name="Queue depth", summary=(paragraph("The alert came late."),))
    assert shown(store, text="late queue") == ["INC-1"]
    assert shown(store, text='"alert came"') == ["INC-1"]
    assert shown(store, text='"came alert"') == []


@pytest.mark.parametrize(
    "typed", ['"', "*", "a OR b", "NEAR(", "name:x", "(((", "^", "'; DROP TABLE", '""', "a*b", "\ue000", "a\0b", "\0"]
)
def test_whatever_is_typed_is_words_and_never_a_syntax_error(store: Store, typed: str) -> None:
    incident(store, "INC-1")
    assert shown(store, text=typed) == []


def test_nothing_typed_finds_everything() -> None:
    assert query("") == query("  ") == ""


def test_what_is_found_is_shown_with_what_stands_around_it(store: Store) -> None:
    incident(store, "INC-1", summary=(paragraph("Nobody could <b>pay</b>."),))
    (row,) = store.overview(Wanted(text="pay")).rows
    assert row.found == (("Nobody could <b>", False), ("pay", True), ("</b>.", False))


def test_the_search_knows_each_change_at_once_and_none_that_was_taken_back(store: Store) -> None:
    incident(store, "INC-1", follow_ups=(FollowUp("FU-1", "Page somebody"),))
    happened = {"at": "2026-11-02T10:00:00Z", "title": "Rollback"}
    store.apply("INC-1", [Set("follow_up", "FU-1", "title", "Replace the pager"), Add("event", happened)], ACTOR)
    assert shown(store, text="somebody") == []
    assert shown(store, text="pager rollback") == ["INC-1"]
    with store.rehearsal():
        store.apply("INC-1", [Set("incident", "", "name", "Search is slow")], ACTOR)
    assert shown(store, text="slow") == []


def test_what_is_imported_is_found_and_what_it_was_before_is_not(store: Store) -> None:
    store.upsert_import(Incident("INC-1", "Slow", follow_ups=(FollowUp("", "Raise limits"),)), "file", ACTOR)
    assert shown(store, text="slow limits") == ["INC-1"]
    store.upsert_import(Incident("INC-1", "Late", follow_ups=(FollowUp("", "Raise limits"),)), "file", ACTOR)
    assert (shown(store, text="slow"), shown(store, text="late limits")) == ([], ["INC-1"])


def test_incidents_of_an_older_database_are_found_too(store: Store) -> None:
    incident(store, "INC-1")
    with store.tx():
        store._run("DELETE FROM search")
        store._run("INSERT INTO not_indexed SELECT id FROM incidents")
    assert shown(store, text="checkout") == ["INC-1"]
    assert store._all("SELECT * FROM not_indexed") == []


# --- lists, a part at a time --------------------------------------------------------------------------------------------


def test_incidents_as_recorded_go_on_behind_one_whatever_became_of_it(store: Store) -> None:
    for number in range(1, 5):
        incident(store, f"INC-{number}", days=-number, severity="SEV1")
    store.apply("INC-2", [Set("incident", "", "severity", "SEV2")], ACTOR)
    assert shown(store, as_recorded=True, count=2) == ["INC-1", "INC-2"]
    assert shown(store, as_recorded=True, after="INC-2", severities=("SEV1",)) == ["INC-3", "INC-4"]
    with pytest.raises(Misuse):
        shown(store, as_recorded=True, after="INC-9")


def test_rows_of_all_incidents_come_in_parts_that_leave_none_out(store: Store) -> None:
    for number in range(1, 4):
        rows = tuple(FollowUp("", f"Row {n}") for n in range(3))
        events = tuple(TimelineEvent("", START - timedelta(minutes=n), f"Event {n}") for n in range(3))
        incident(store, f"INC-{number}", private=number == 2, follow_ups=rows, timeline=events)
        postmortem(store, f"INC-{number}", home="wiki" if number == 1 else "")
    every = [key for _, key in keys(store, "FU", PUBLIC)]
    assert every == ["FU-1", "FU-2", "FU-3", "FU-7", "FU-8", "FU-9"]
    happened = keys(store, "T", PUBLIC)
    assert happened == [("INC-1", f"T-{n}") for n in (3, 2, 1)] + [("INC-3", f"T-{n}") for n in (9, 8, 7)]
    written = store.list_postmortems(WantedPostmortems(), Part(), PUBLIC)
    assert written == [("INC-1", "standard", "in_progress", "wiki"), ("INC-3", "standard", "in_progress", "")]
    assert store.list_postmortems(WantedPostmortems(home=""), Part("INC-1", 1), PUBLIC) == written[1:]
    assert store.list_postmortems(WantedPostmortems(statuses=("completed",)), Part(), PUBLIC) == []


def keys(store: Store, kind: str, visible: Visible) -> list[tuple[str, str]]:
    """The keys of all rows, two at a time."""
    found: list[tuple[str, str]] = []
    while True:
        part = Part(found[-1][1] if found else "", 2)
        events = store.list_events(WantedEvents(), part, visible) if kind == "T" else []
        rows = [] if kind == "T" else store.list_follow_ups(WantedFollowUps(), part, visible)
        if not events and not rows:
            return found
        found += [(owner, row.key) for owner, row in rows] + [(owner, event.key) for owner, event in events]


def test_rows_are_narrowed_down(store: Store) -> None:
    late = FollowUp("FU-1", "a", FollowUpStatus.DONE, ADA, due_on=date(2026, 11, 1))
    incident(store, "INC-1", follow_ups=(late, FollowUp("FU-2", "b", due_on=date(2026, 11, 2)), FollowUp("FU-3", "c")))
    incident(store, "INC-2", lead=ADA, timeline=(TimelineEvent("T-1", START, "x"),))

    def found(**wanted: object) -> list[str]:
        rows = store.list_follow_ups(WantedFollowUps(**wanted), Part())  # type: ignore[arg-type]
        return [row.key for _, row in rows]

    assert found(assignee="ada@example.com") == found(assignee="Ada Byron") == found(statuses=("done",)) == ["FU-1"]
    assert found(due_before=date(2026, 11, 2)) == ["FU-1"]
    assert found(incident="INC-2") == []
    assert store.list_events(WantedEvents(since=START), Part())[0][1].key == "T-1"
    assert store.list_events(WantedEvents(before=START), Part()) == []
