"""Finding by name and by state: by an index however much there is, and never what somebody may not see."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from mapping.commands import Actor
from mapping.incident import FollowUp, Incident, Person, TimelineEvent
from syncd.pages import Conflict, Version
from syncd.store import Store
from syncd.store import statements as sql
from syncd.store.visible import EVERYTHING, Visible

START = datetime(2026, 11, 2, 10, 0, tzinfo=UTC)
ACTOR = Actor("store", "Ada Byron")
ADA = Person("Ada Byron", "ada@example.com")
BIG = ("incidents", "follow_ups", "timeline", "pages", "journal", "conflicts", "dirty", "postmortems")
LETTERS = {"i", "f", "t", "g", "j", "c"}
DIRECT = {
    "one incident": sql.ONE_INCIDENT[0],
    "its follow-ups": sql.ONE_INCIDENT[2],
    "its events": sql.ONE_INCIDENT[3],
    "whose a key is": sql.OWNER,
    "a conflict": sql.CONFLICT,
    "an incident's conflicts": sql.CONFLICTS[True, False],
    "an incident's open conflicts": sql.CONFLICTS[True, True],
    "an incident's pages": sql.PAGES_OF,
    "an incident's journal": sql.JOURNAL_OF,
    "who changed a field": sql.LAST_CHANGE,
    "whether a page is dirty": sql.DIRTY_SINCE,
    "dirty pages": sql.DIRTY,
}


@pytest.fixture
def store() -> Iterator[Store]:
    opened = Store.open(":memory:", lambda: START)
    opened.create_incident(
        Incident("INC-1", "Leaked keys", private=True, follow_ups=(FollowUp("FU-1", "Rotate them", assignee=ADA),)), ACTOR
    )
    opened.create_incident(
        Incident("INC-2", "Checkout fails", timeline=(TimelineEvent("T-2", START, "Alert fired"),)), ACTOR
    )
    yield opened
    opened.close()


@pytest.mark.parametrize("statement", DIRECT.values(), ids=DIRECT)
def test_a_lookup_reads_no_table_from_end_to_end(store: Store, statement: str) -> None:
    marks = statement.count("?")
    asked: object = ("x",) * marks if marks else {"after": 0, "limit": 1, "key": "", "id": "", **_named()}
    steps = [row[3] for row in store._all(f"EXPLAIN QUERY PLAN {statement}", asked)]  # type: ignore[arg-type]
    scanned = [step for step in steps if step.startswith("SCAN") and "dirty_open" not in step]
    assert not [step for step in scanned if step.split()[1] in {*BIG, *LETTERS}], steps


def _named() -> dict[str, object]:
    return {"incident": "INC-1", "state": "open", **EVERYTHING.parameters}


def test_the_last_lines_of_an_incident_are_not_sorted_out_of_all(store: Store) -> None:
    steps = [row[3] for row in store._all(f"EXPLAIN QUERY PLAN {sql.JOURNAL_OF}", {"after": 0, "limit": 1, **_named()})]
    assert not any("TEMP B-TREE" in step for step in steps), steps


def test_a_mistyped_name_is_looked_for_among_its_neighbours_however_many_there_are(store: Store) -> None:
    for number in range(3, 500):
        store.create_incident(Incident(f"INC-{number}", "Slow"), ACTOR)
    near = store.near("incident", "INC-222x")
    assert "INC-222" in near
    assert len(near) <= 150


def test_what_may_not_be_seen_is_not_offered_for_a_mistyped_name(store: Store) -> None:
    public, named = Visible(), Visible(email="ada@example.com")
    assert store.near("incident", "INC-11", public) == ["INC-2"]
    assert store.near("follow-up", "FU-11", public) == []
    assert store.near("incident", "INC-11", named) == ["INC-1", "INC-2"]
    assert store.near("follow-up", "FU-11", named) == ["FU-1"]


@pytest.mark.parametrize("named", [{"lead": ADA}, {"roles": {"scribe": ADA}}, {"custom_fields": {"who": ADA.email}}, {}])
def test_the_statements_agree_with_the_incident_on_whom_it_names(store: Store, named: dict[str, Any]) -> None:
    private = Incident("INC-3", "Stolen badge", private=True, **named)
    store.create_incident(private, ACTOR)
    visible = Visible(email=ADA.email)
    assert (
        ("INC-3" in store.near("incident", "INC-3", visible))
        == visible.shows(private)
        == bool(set(named) & {"lead", "roles"})
    )


def test_the_journal_of_all_incidents_leaves_out_what_may_not_be_seen(store: Store) -> None:
    assert {line.incident for line in store.journal(visible=Visible())} == {"INC-2"}
    assert {line.incident for line in store.journal()} == {"INC-1", "INC-2"}
    assert {line.incident for line in store.journal(visible=Visible(email="ada@example.com"))} == {"INC-1", "INC-2"}


def test_conflicts_of_all_incidents_leave_out_what_may_not_be_seen(store: Store) -> None:
    for ref in ("INC-1", "INC-2"):
        page, version = store.add_page(ref, "wiki"), Version("x")
        store.add_conflict(Conflict(ref, page.id, ref, "wiki", "impact", "", "text", "", version, version, "page"))
    assert [conflict.id for conflict in store.conflicts(visible=Visible())] == ["INC-2"]
    assert [conflict.id for conflict in store.conflicts(state="open")] == ["INC-1", "INC-2"]
    assert store.conflicts("INC-1", "open", Visible()) == []


def test_the_journal_goes_on_after_a_line(store: Store) -> None:
    first = store.journal("INC-1")[0].id
    assert [line.id for line in store.journal_after(first, "INC-1", 200)] == [line.id for line in store.journal("INC-1")[1:]]
