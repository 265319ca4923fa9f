"""What the store promises: changes journalled once, keys never given twice, imports that undo nothing, crashes likewise."""

import multiprocessing
import os
import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlite_utils import Database

from mapping.commands import Actor, Add, AddSection, Command, Learn, Set
from mapping.document import Block, Span, heading, paragraph
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
from syncd.errors import Misuse, StoreError, UnknownReference
from syncd.lock import SingleProcess
from syncd.pages import Base, Conflict, Entry, Page, Unread, Version
from syncd.store import Store
from syncd.store.schema import migrations

ADA, GRACE = Person("Ada Byron", "ada@example.com"), Person("Grace Hopkins", "grace@example.com")
HERE, THERE, WIKI = Actor("store", "Ada Byron"), Actor("import"), Actor("page", "Grace Hopkins", "wiki")
START = datetime(2026, 11, 2, 10, 0, tzinfo=UTC)


class Clock:
    """Moves on by a second whenever somebody looks."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "syncd.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    opened = Store.open(path, Clock())
    yield opened
    opened.close()


def incident(ref: str = "INC-1", **changes: object) -> Incident:
    return replace(Incident(ref, "Checkout returns 502"), **changes)  # type: ignore[arg-type]  # the fields of an incident


def known(store: Store, ref: str = "INC-1") -> Incident:
    found = store.incident(ref)
    assert found is not None
    return found


def a_page(store: Store) -> Page:
    store.create_incident(incident(), HERE)
    return store.add_page("INC-1", "wiki")


# --- incidents ----------------------------------------------------------------------------------------------------------


def test_an_incident_comes_back_as_it_went_in(store: Store) -> None:
    record = incident(
        phase=Phase.POST_INCIDENT,
        severity="SEV1",
        private=True,
        summary=(paragraph("Nobody could pay."), heading("Who", 3)),
        lead=ADA,
        roles={"communications": GRACE, "scribe": Person("Somebody")},
        timestamps={"started": START},
        custom_fields={"affected_customers": "1200"},
        timeline=(TimelineEvent("T-2", START, "Alert fired", "*loud*"),),
        follow_ups=(FollowUp("FU-3", "Alert on depth", FollowUpStatus.DONE, GRACE, "high", date(2026, 12, 1)),),
    )
    store.create_incident(record, HERE)
    assert store.incident("INC-1") == record
    assert store.incidents() == [record]
    assert store.people() == [ADA, GRACE]
    assert store.incident("INC-2") is None
    with pytest.raises(Misuse):
        store.create_incident(record, HERE)


def test_a_change_is_journalled_with_who_where_and_what(store: Store) -> None:
    store.create_incident(incident(follow_ups=(FollowUp("FU-1", "Alert on depth"),)), HERE)
    store.apply("INC-1", [Set("follow_up", "FU-1", "status", "done"), Set("incident", "", "severity", "SEV1")], WIKI)
    first, second = store.journal("INC-1")[-2:]
    assert (first.actor, first.subject, first.field, first.old, first.new) == (WIKI, "FU-1", "status", "open", "done")
    assert (second.subject, second.field, second.old, second.new) == ("INC-1", "severity", "", "SEV1")
    assert store.last_change("INC-1", "FU-1", "status") == ("Grace Hopkins", first.at)
    assert store.last_change("INC-1", "details", "severity") == ("Grace Hopkins", second.at)
    assert store.last_change("INC-1", "FU-1", "title")[0] == "Ada Byron"


def test_saying_what_is_so_changes_and_journals_nothing(store: Store) -> None:
    a_page(store)
    prose = (Block("paragraph", (Span("Nobody could pay."),), native="<p>1</p>"),)
    said: list[Command] = [
        Set("incident", "", "name", "Checkout fails"),
        Set("incident", "", "time:started", "2026-11-02T11:00:00+01:00"),
        Set("incident", "", "lead", "Ada@Example.com"),
        Set("incident", "", "summary", blocks=prose),
        Learn(ADA),
    ]
    store.apply("INC-1", said, WIKI)
    lines, mark = len(store.journal()), store.dirty_mark(1)
    said[1] = Set("incident", "", "time:started", "2026-11-02T10:00:00Z")
    said[3] = Set("incident", "", "summary", blocks=(paragraph("Nobody could pay."),))
    store.apply("INC-1", [*said, Set("incident", "", "field:region", "")], HERE)
    assert (len(store.journal()), store.dirty_mark(1)) == (lines, mark)
    assert known(store).timestamps == {"started": START}
    assert known(store).lead == ADA


def test_commands_are_done_together_or_not_at_all(store: Store) -> None:
    store.create_incident(incident(), HERE)
    for wrong in (Set("incident", "", "phase", "asleep"), Set("incident", "", "colour", "red")):
        with pytest.raises(Misuse):
            store.apply("INC-1", [Set("incident", "", "name", "Other"), wrong], HERE)
    with pytest.raises(UnknownReference):
        store.apply("INC-1", [Set("incident", "", "name", "Other"), Set("follow_up", "FU-9", "title", "x")], HERE)
    with pytest.raises(UnknownReference, match="INC-1"):
        store.apply("INC-7", [], HERE)
    assert known(store).name == "Checkout returns 502"


def test_a_row_of_another_incident_is_out_of_reach(store: Store) -> None:
    store.create_incident(incident(follow_ups=(FollowUp("FU-1", "Alert"),)), HERE)
    store.create_incident(incident("INC-2"), HERE)
    with pytest.raises(UnknownReference):
        store.apply("INC-2", [Set("follow_up", "FU-1", "title", "x")], HERE)


def test_keys_are_global_and_imported_ones_raise_the_counter(store: Store) -> None:
    store.create_incident(incident(), HERE)
    store.create_incident(incident("INC-2", follow_ups=(FollowUp("", "b"), FollowUp("FU-30", "a"))), HERE)
    assert [row.key for row in known(store, "INC-2").follow_ups] == ["FU-31", "FU-30"]
    event = Add("event", {"at": "2026-11-02T10:03:00Z", "title": "Alert"}, "+1")
    keys = store.apply("INC-1", [Add("follow_up", {"title": "Alert on depth"}, "+0"), event], WIKI)
    assert keys == {"+0": "FU-32", "+1": "T-1"}
    assert store.owner("FU-32") == "INC-1"
    assert store.apply("INC-1", [Add("follow_up", {"title": "c"}, "x", "FU-30")], HERE) == {"x": "FU-33"}


def test_a_follow_up_remembers_where_it_was_made(store: Store) -> None:
    store.create_incident(incident(follow_ups=(FollowUp("FU-1", "Alert"),)), HERE)
    made_here = store.follow_up_made("FU-1")
    key = store.apply("INC-1", [Add("follow_up", {"title": "Alert"}, "+0")], WIKI)["+0"]
    made_at, page = store.follow_up_made(key)
    assert (page, made_here[1]) == ("wiki", "")
    assert made_at > made_here[0] > START


def test_events_come_in_order_of_time(store: Store) -> None:
    late, early = START + timedelta(hours=1), START
    store.create_incident(incident(timeline=(TimelineEvent("", late, "b"), TimelineEvent("", early, "a"))), HERE)
    assert [event.title for event in known(store).timeline] == ["a", "b"]


# --- imports ------------------------------------------------------------------------------------------------------------


def test_importing_the_same_again_undoes_no_edit(store: Store) -> None:
    record = incident(
        severity="SEV1",
        summary=(paragraph("Nobody could pay."),),
        roles={"scribe": GRACE},
        timeline=(TimelineEvent("T-1", START, "Alert fired"),),
        follow_ups=(FollowUp("FU-1", "Alert on depth"), FollowUp("", "Write it down")),
    )
    assert store.upsert_import(record, "file", THERE) == []
    edits = [
        Set("incident", "", "severity", "SEV2"),
        Set("incident", "", "summary", blocks=(paragraph("Some could pay."),)),
        Set("incident", "", "role:scribe", ""),
        Set("event", "T-1", "title", "Pager rang"),
        Set("follow_up", "FU-1", "status", "done"),
        Set("follow_up", "FU-2", "title", "Write all of it down"),
    ]
    store.apply("INC-1", edits, HERE)
    edited, lines = known(store), len(store.journal())
    assert store.upsert_import(record, "file", THERE) == []
    assert known(store) == edited
    assert len(store.journal()) == lines


def test_news_of_the_source_is_taken_field_by_field(store: Store) -> None:
    record = incident(severity="SEV1", lead=ADA, follow_ups=(FollowUp("FU-1", "Alert on depth", priority="low"),))
    store.upsert_import(record, "file", THERE)
    store.apply("INC-1", [Set("follow_up", "FU-1", "title", "Alert on queue depth")], HERE)
    moved = (replace(record.follow_ups[0], priority="high"), FollowUp("", "New"))
    store.upsert_import(replace(record, severity="SEV2", lead=GRACE, follow_ups=moved), "file", THERE)
    row, new = known(store).follow_ups
    assert (known(store).severity, known(store).lead) == ("SEV2", GRACE)
    assert (row.title, row.priority, new.key) == ("Alert on queue depth", "high", "FU-2")


def test_what_the_source_leaves_out_stays_if_people_here_touched_it(store: Store) -> None:
    full = incident(severity="SEV1", custom_fields={"region": "eu", "team": "pay"}, follow_ups=(FollowUp("FU-1", "Alert"),))
    store.upsert_import(full, "file", THERE)
    store.apply("INC-1", [Set("incident", "", "field:region", "us")], HERE)
    store.upsert_import(incident(), "file", THERE)
    assert known(store).custom_fields == {"region": "us"}
    assert known(store).severity == ""
    assert [row.key for row in known(store).follow_ups] == ["FU-1"]


def test_an_old_print_of_our_own_undoes_nothing(store: Store) -> None:
    printed = store.create_incident(incident(severity="SEV3", follow_ups=(FollowUp("", "Alert"),)), HERE)
    store.apply("INC-1", [Set("incident", "", "severity", "SEV1"), Set("follow_up", "FU-1", "title", "Alert me")], HERE)
    edited = known(store)
    store.upsert_import(printed, "file", THERE)
    assert known(store) == edited


def test_equal_rows_are_told_apart_by_description_then_by_order(store: Store) -> None:
    first, second = TimelineEvent("", START, "Alert", "disk"), TimelineEvent("", START, "Alert", "queue")
    twins = (FollowUp("", "Alert", priority="low"), FollowUp("", "Alert", priority="high"))
    record = incident(timeline=(first, second), follow_ups=twins)
    store.upsert_import(record, "file", THERE)
    store.apply("INC-1", [Set("event", "T-2", "title", "Queue alert"), Set("follow_up", "FU-2", "status", "done")], HERE)
    before = known(store)
    store.upsert_import(replace(record, timeline=(second, first)), "file", THERE)
    assert known(store) == before
    store.upsert_import(replace(record, timeline=(first, replace(second, description="queue 7"))), "file", THERE)
    assert [(e.key, e.description) for e in known(store).timeline] == [("T-1", "disk"), ("T-2", "queue 7")]


def test_a_key_that_another_incident_owns_is_reported_once(store: Store) -> None:
    store.upsert_import(incident(follow_ups=(FollowUp("FU-1", "Alert"),)), "file", THERE)
    other = incident("INC-2", follow_ups=(FollowUp("FU-1", "Alarm"), FollowUp("OPS-7", "Sleep")))
    notes = store.upsert_import(other, "file", THERE)
    assert notes[0] == "FU-1 belongs to INC-1; “Alarm” was given FU-2."
    assert notes[1].startswith("OPS-7 is no key")
    store.apply("INC-2", [Set("follow_up", "FU-2", "title", "Quiet alarm")], HERE)
    assert store.upsert_import(other, "file", THERE) == []
    assert [(row.key, row.title) for row in known(store, "INC-2").follow_ups] == [("FU-2", "Quiet alarm"), ("FU-3", "Sleep")]


def test_people_are_learnt_from_imports(store: Store) -> None:
    store.upsert_import(incident(), "file", THERE)
    store.upsert_import(incident(follow_ups=(FollowUp("", "Alert", assignee=GRACE),)), "file", THERE)
    assert store.known("GRACE@example.com") == GRACE


# --- post-mortems -------------------------------------------------------------------------------------------------------

SECTIONS = (
    Section("summary", "summary", "Summary"),
    Section("impact", "text", "Impact", (paragraph("a"),), (paragraph("a"),), "Who noticed?", ("region",)),
    Section("follow_ups", "follow_ups", "Follow-ups"),
)


def written(store: Store) -> Postmortem:
    postmortem = Postmortem("INC-1", "standard", PostmortemStatus.IN_PROGRESS, "wiki", "Europe/Berlin", "{{ x }}", SECTIONS)
    store.create_incident(incident(), HERE)
    store.create_postmortem(postmortem, '{"name": "Standard"}', ["draft_post_mortem"])
    return postmortem


def test_a_post_mortem_comes_back_with_its_sections_in_order(store: Store) -> None:
    postmortem = written(store)
    assert store.postmortem("INC-1") == postmortem
    assert store.postmortems() == ["INC-1"]
    assert (store.postmortem_template("INC-1"), store.tasks("INC-1")) == ('{"name": "Standard"}', ("draft_post_mortem",))
    with pytest.raises(Misuse):
        store.create_postmortem(postmortem, "{}", [])


def test_sections_are_written_added_and_their_words_journalled(store: Store) -> None:
    written(store)
    added = AddSection(Section("luck", "text", "Where we were lucky"), "impact")
    commands: list[Command] = [Set("section", "impact", "blocks", blocks=(paragraph("Everybody."),)), added, added]
    store.apply("INC-1", [*commands, AddSection(Section("top", "text", ""), "")], WIKI)
    postmortem = store.postmortem("INC-1")
    assert postmortem is not None
    assert [s.id for s in postmortem.sections] == ["top", "summary", "impact", "luck", "follow_ups"]
    line = next(line for line in store.journal("INC-1") if line.subject == "section:impact")
    assert (line.old.strip(), line.new.strip()) == ("a", "Everybody.")
    assert store.last_change("INC-1", "impact", "text")[0] == "Grace Hopkins"


def test_status_home_and_flow_marks(store: Store) -> None:
    written(store)
    store.set_home("INC-1", "")
    store.apply("INC-1", [Set("postmortem", "", "status", "completed")], WIKI)
    postmortem = store.postmortem("INC-1")
    assert postmortem is not None
    assert (postmortem.home, postmortem.status) == ("", PostmortemStatus.COMPLETED)
    store.set_flow_mark("INC-1", "debrief", True, "Ada Byron", "nobody came")
    mark = store.flow_marks("INC-1")["debrief"]
    assert (mark.done, mark.by, mark.why) == (True, "Ada Byron", "nobody came")
    assert store.journal("INC-1")[-1].new == "nobody came"


# --- pages --------------------------------------------------------------------------------------------------------------

BASE = Base(
    "INC-1 Checkout",
    (("status", "In progress"),),
    (
        Entry(Block("paragraph", (Span("a"),), native="<p>a</p>"), "impact", "prose"),
        Entry(heading("b"), "b", "heading", ("k",)),
    ),
    {"FU-1": {"title": "Alert"}},
    True,
)


def test_pages_of_an_incident_begin_with_its_home(store: Store) -> None:
    written(store)
    store.add_page("INC-1", "copies", copy=True)
    home = store.add_page("INC-1", "wiki")
    assert [page.destination for page in store.pages("INC-1")] == ["wiki", "copies"]
    assert store.add_page("INC-1", "wiki") == home
    store.set_page(home.id, state="detached")
    assert [page.destination for page in store.pages("INC-1") if page.state != "detached"] == ["copies"]
    assert store.add_page("INC-1", "wiki").id != home.id


def test_since_follows_the_state_and_nothing_else(store: Store) -> None:
    page = a_page(store)
    store.set_page(page.id, state="live", url="https://x", checked_at=START)
    live = store.page(page.id)
    store.set_page(page.id, state="live", reason="Somebody types.", agreed="emptied")
    now = store.page(page.id)
    assert live.since is not None and page.since is not None and live.since > page.since
    assert now == replace(live, reason="Somebody types.", agreed="emptied")
    assert now.checked_at == START


def test_what_hangs_on_a_page_comes_back(store: Store) -> None:
    page = a_page(store).id
    assert store.base(page) is None
    store.set_base(page, BASE)
    found = store.base(page)
    assert found == BASE and found.blocks[0].native == "<p>a</p>"
    unread = [Unread("T-1", "at", "25:99"), Unread("details", "severity", "SEV9")]
    store.set_unread(page, [Unread("T-9", "at", "?")])
    store.set_unread(page, unread)
    store.set_still(page, {"token": START})
    assert (store.unread(page), store.still(page)) == (unread, {"token": START})
    store.hide(page, "FU-1", "Alert", WIKI)
    store.hide(page, "FU-1", "Alert", WIKI)
    assert store.hidden(page) == {"FU-1": "Alert"}
    store.unhide(page, "FU-1", HERE)
    assert store.hidden(page) == {}
    told = [line.action for line in store.journal("INC-1")]
    assert told == ["create", *["unread"] * (1 + len(unread)), "hide", "unhide"]


def test_one_write_at_a_time_and_done_ones_are_counted(store: Store) -> None:
    page = a_page(store).id
    intent = store.add_intent(page, "create", BASE, "made")
    with pytest.raises(StoreError):
        store.add_intent(page, "update", BASE, "again")
    store.mark_attempted(intent.id)
    tried = store.open_intent(page)
    assert tried is not None and tried == replace(intent, attempted_at=tried.attempted_at) and tried.attempted_at
    store.close_intent(intent.id, "done")
    store.close_intent(store.add_intent(page, "update", BASE, "").id, "stale")
    assert store.open_intent(page) is None
    assert len(store.notes_since(page, START)) == 1
    assert not store.notes_since(page, START + timedelta(hours=1))
    with store.tx(), pytest.raises(StoreError):
        store.mark_attempted(intent.id)


def test_a_conflict_is_listed_once_and_stays_resolved(store: Store) -> None:
    page = a_page(store)
    sides = (Version("SEV1", "Ada Byron", START), Version("SEV2", "Grace Hopkins"))
    conflict = Conflict("c1", page.id, "INC-1", "wiki", "details", "", "severity", "", *sides, "store")
    store.add_conflict(conflict)
    assert store.conflicts("INC-1", "open") == [conflict]
    store.set_conflict_state("c1", "page", HERE)
    store.add_conflict(conflict)
    assert store.conflicts(state="open") == []
    assert store.conflict("c1").state == "page"
    with pytest.raises(UnknownReference):
        store.conflict("c2")


def test_a_mark_made_while_a_page_is_worked_on_is_not_lost(store: Store) -> None:
    page = a_page(store).id
    mark = store.dirty_mark(page)
    since = store.dirty()[0][1]
    store.apply("INC-1", [Set("incident", "", "name", "Other")], HERE)
    store.clear_dirty(page, mark)
    assert store.dirty() == [(page, since)]
    store.clear_dirty(page, store.dirty_mark(page))
    assert store.dirty() == []
    store.mark_dirty(page, "look")
    assert store.dirty()[0][1] > since


# --- transactions, threads, processes -----------------------------------------------------------------------------------


def test_an_inner_transaction_goes_down_with_the_outer_one(store: Store) -> None:
    with pytest.raises(KeyError), store.tx():
        store.create_incident(incident(), HERE)
        raise KeyError
    assert store.incidents() == []
    store.create_incident(incident(), HERE)


def test_a_rehearsal_leaves_nothing_behind(store: Store) -> None:
    page = a_page(store).id
    with store.rehearsal():
        assert store.apply("INC-1", [Add("follow_up", {"title": "a"}, "+0")], WIKI) == {"+0": "FU-1"}
        store.set_base(page, BASE)
    assert known(store).follow_ups == ()
    assert store.base(page) is None


def test_four_threads_lose_nothing(store: Store) -> None:
    store.create_incident(incident(), HERE)

    def work(name: str) -> None:
        for number in range(50):
            with store.tx():
                count = int(known(store).custom_fields.get("count", "0"))
                store.apply("INC-1", [Set("incident", "", "field:count", str(count + 1))], HERE)
                store.apply("INC-1", [Add("follow_up", {"title": f"{name} {number}"})], HERE)

    threads = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert known(store).custom_fields == {"count": "200"}
    assert len({row.key for row in known(store).follow_ups}) == 200


def _die_half_way(path: Path) -> None:
    store = Store.open(path, Clock())
    store.create_incident(incident(), HERE)
    with store.tx():
        store.apply("INC-1", [Set("incident", "", "name", "Half said")], HERE)
        os._exit(9)


def test_a_crash_loses_nothing_that_was_committed(path: Path) -> None:
    process = multiprocessing.get_context("spawn").Process(target=_die_half_way, args=(path,))
    process.start()
    process.join()
    store = Store.open(path, Clock())
    assert (process.exitcode, known(store).name) == (9, "Checkout returns 502")
    assert len(store.journal()) == 1
    store.close()


def _count_to(path: Path, times: int) -> None:
    store = Store.open(path, Clock())
    with store.tx():
        if store.incident("INC-1") is None:
            store.create_incident(incident(), HERE)
    for _ in range(times):
        store.apply("INC-1", [Add("follow_up", {"title": "a"})], HERE)
    store.close()


def test_processes_may_open_an_empty_database_at_once(path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_count_to, args=(path, 20)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0, 0]
    store = Store.open(path, Clock())
    assert len(known(store).follow_ups) == 60
    store.close()


# --- files --------------------------------------------------------------------------------------------------------------


def test_a_store_keeps_its_name_and_a_backup_is_whole(store: Store, path: Path, tmp_path: Path) -> None:
    store.create_incident(incident(), HERE)
    store.backup(tmp_path / "copy.db")
    other, fresh = Store.open(tmp_path / "copy.db", Clock()), Store.open(":memory:", Clock(), lambda: "aa")
    assert other.store_id == store.store_id
    assert (known(other), fresh.store_id) == (known(store), "aa")
    assert sorted(p.name for p in tmp_path.glob("copy*")) == ["copy.db", "copy.db-shm", "copy.db-wal"]
    other.close()
    fresh.close()


def test_a_newer_database_is_refused(store: Store, path: Path) -> None:
    store.close()
    direct = sqlite3.connect(path)
    direct.execute("INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('syncd', 'm900_future', '')")
    direct.commit()
    direct.close()
    with pytest.raises(StoreError, match="newer version"):
        Store.open(path, Clock())


def test_what_is_no_store_is_refused_and_left_alone(tmp_path: Path) -> None:
    text, foreign = tmp_path / "notes.txt", tmp_path / "other.db"
    text.write_text("Not a database at all. " * 99)
    direct = sqlite3.connect(foreign)
    direct.execute("CREATE TABLE songs (title)")
    direct.close()
    before = foreign.read_bytes()
    for file in (text, foreign, tmp_path / "missing" / "syncd.db"):
        with pytest.raises(StoreError):
            Store.open(file, Clock())
    assert foreign.read_bytes() == before


def test_the_journal_only_grows(store: Store, path: Path) -> None:
    store.create_incident(incident(), HERE)
    direct = sqlite3.connect(path)
    for statement in ("DELETE FROM journal", "UPDATE journal SET new = ''"):
        with pytest.raises(sqlite3.IntegrityError):
            direct.execute(statement)
    direct.close()


def test_one_daemon_at_a_time(path: Path) -> None:
    asking = SingleProcess(path)
    assert asking.held_by() is None
    with SingleProcess(path):
        assert asking.held_by() == os.getpid()
        with pytest.raises(Misuse, match=f"pid {os.getpid()}"), SingleProcess(path):
            pass
    assert asking.held_by() is None
    with SingleProcess(path):
        pass


def test_a_database_of_the_first_version_is_brought_up_to_date(path: Path) -> None:
    db = Database(str(path), execute_plugins=False)
    migrations.apply(db, stop_before="m002_brakes")
    db.execute("INSERT INTO incidents VALUES (1, 'INC-1', 'Old', 'post_incident', '', '', '[]', '')")
    db.execute(
        "INSERT INTO pages (incident, destination, state, copy, since) VALUES ('INC-1', 'wiki', 'live', 0, ?)",
        [START.isoformat()],
    )
    db.conn.commit()
    db.close()
    store = Store.open(path, lambda: START)
    (page,) = store.pages("INC-1")
    assert (page.state, page.brake, page.agreed, page.generation) == ("live", "", "", 0)
    assert store.claim(page.id) == 1
    store.close()


def test_another_page_in_the_same_row_has_comments_of_its_own(store: Store) -> None:
    page = a_page(store)
    store.set_page(page.id, native_id="1", comments=3, comments_at=START)
    store.set_page(page.id, native_id="1", state="live")
    assert (store.page(page.id).comments, store.page(page.id).comments_at) == (3, START)
    store.set_page(page.id, native_id="2")
    assert (store.page(page.id).comments, store.page(page.id).comments_at) == (None, None)
    store.set_page(page.id, comments=1, comments_at=START)
    store.set_page(page.id, state="detached")
    assert store.page(page.id).comments is None
