"""What can be learned from all incidents at once: counted right, of what may be seen, and told in each shape."""

import csv
import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from mapping.commands import Actor, Set
from mapping.incident import FollowUp, FollowUpStatus, Incident, Person, Phase, Postmortem, PostmortemStatus
from syncd.errors import UnknownReference
from syncd.insights import INSIGHTS, Column, Insight, completed, insight, percentile
from syncd.pages import Conflict, Version
from syncd.store import Store
from syncd.store.figures import Completed
from syncd.store.visible import Visible
from syncd.web.insights_view import card

START = datetime(2026, 11, 2, 10, 0, tzinfo=UTC)
ADA, GRACE = Person("Ada Byron", "ada@example.com"), Person("Grace Hopkins", "grace@example.com")
WHO, PUBLIC = Actor("store", "Ada Byron"), Visible()


class Clock:
    """A time that only moves when told."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(clock: Clock) -> Iterator[Store]:
    opened = Store.open(":memory:", clock)
    yield opened
    opened.close()


def incident(store: Store, ref: str, days: float = 0, **fields: object) -> str:
    times = {"started": START - timedelta(days=days)}
    record = replace(Incident(ref, "Slow", Phase.CLOSED, "SEV2", timestamps=times), **fields)  # type: ignore[arg-type]
    store.create_incident(record, WHO)
    return ref


def postmortem(store: Store, ref: str, status: str = "in_progress") -> None:
    store.create_postmortem(Postmortem(ref, "standard", PostmortemStatus.IN_PROGRESS, "", "UTC", "Title"), "{}", ())
    store.apply(ref, [Set("postmortem", "", "status", status)], WHO)


# --- without a post-mortem ------------------------------------------------------------------------------------------------


def test_incidents_that_are_over_and_have_no_post_mortem_are_missing_one(store: Store) -> None:
    incident(store, "INC-1", days=40, severity="SEV1", lead=ADA)
    incident(store, "INC-2", days=3)
    incident(store, "INC-3", days=50, phase=Phase.POST_INCIDENT)
    for ref, phase in (("INC-4", Phase.ACTIVE), ("INC-5", Phase.CANCELED), ("INC-6", Phase.DECLINED)):
        incident(store, ref, phase=phase)
    postmortem(store, incident(store, "INC-7"))
    found = insight(store, "missing", PUBLIC)
    assert [(row[0], row[2], row[-1]) for row in found.rows] == [
        ("INC-1", "SEV1", 40.0),
        ("INC-3", "SEV2", 50.0),
        ("INC-2", "SEV2", 3.0),
    ]
    assert found.figures == {"incidents": 3, "oldest_days": 50.0}
    (drawing,) = card(found).drawings
    assert drawing.says == "SEV1: 1 Under 90 days; SEV2: 1 Under a week, 1 Under 90 days"


# --- time to completed ----------------------------------------------------------------------------------------------------


def test_the_time_to_completed_is_from_the_end_of_the_incident_to_the_last_move(store: Store, clock: Clock) -> None:
    times = {"started": START - timedelta(days=2), "resolved": START - timedelta(days=1)}
    postmortem(store, incident(store, "INC-1", timestamps=times), "completed")
    postmortem(store, incident(store, "INC-2", days=3), "completed")
    postmortem(store, incident(store, "INC-3", days=9), "in_review")
    clock.now += timedelta(days=30)
    store.apply("INC-2", [Set("postmortem", "", "status", "in_review")], WHO)
    store.apply("INC-2", [Set("postmortem", "", "status", "completed")], WHO)
    found = insight(store, "completed", PUBLIC)
    assert list(found.rows) == [("2026-11", 1, 1.0, 1.0), ("2026-12", 1, 33.0, 33.0)]
    assert found.figures == {"completed": 2, "median_days": 17.0, "p90_days": 33.0}
    assert found.headline == "Half of 2 post-mortems took at most 17.0 days, 9 of 10 at most 33.0."


def test_a_post_mortem_that_was_ready_before_the_end_took_no_time() -> None:
    assert completed([Completed(START, START - timedelta(days=1))], START).rows == [("2026-11", 1, 0.0, 0.0)]


def test_percentiles_are_values_that_there_were() -> None:
    assert [percentile([3.0, 1.0, 2.0], share) for share in (0.1, 0.5, 0.9, 1.0)] == [1.0, 2.0, 3.0, 3.0]
    assert percentile([float(n) for n in range(1, 11)], 0.9) == 9.0


# --- follow-ups -----------------------------------------------------------------------------------------------------------


def test_open_follow_ups_are_counted_by_owner_and_age(store: Store, clock: Clock) -> None:
    late, today = date(2026, 12, 11), date(2026, 12, 12)
    rows = (FollowUp("", "a", assignee=ADA, due_on=late), FollowUp("", "b", FollowUpStatus.DONE, ADA), FollowUp("", "c"))
    incident(store, "INC-1", follow_ups=rows)
    clock.now += timedelta(days=40)
    incident(store, "INC-2", follow_ups=(FollowUp("", "d", assignee=ADA, due_on=today),))
    incident(store, "INC-3", private=True, follow_ups=(FollowUp("", "e", assignee=GRACE, due_on=late),))
    found = insight(store, "follow-ups", PUBLIC)
    assert list(found.rows) == [
        ("Ada Byron", "ada@example.com", 2, 1, 1, 0, 1, 0, 40.0),
        ("nobody", "", 1, 0, 0, 0, 1, 0, 40.0),
    ]
    assert found.headline == "3 follow-ups are open, 1 of them overdue."
    assert insight(store, "follow-ups").figures == {"open": 4, "overdue": 2}


# --- drift ----------------------------------------------------------------------------------------------------------------


def test_drift_tells_where_it_was_and_who_decided(store: Store) -> None:
    postmortem(store, incident(store, "INC-1"))
    page = store.add_page("INC-1", "wiki")
    for number, (section, key, field) in enumerate(
        (("impact", "", "text"), ("impact", "", "text"), ("", "FU-3", "title"), ("details", "", "severity"))
    ):
        version = Version("x")
        store.add_conflict(
            Conflict(f"c{number}", page.id, "INC-1", "wiki", section, key, field, str(number), version, version, "page")
        )
    store.set_conflict_state("c0", "page", Actor("store", "Grace Hopkins"))
    store.set_conflict_state("c1", "both", WHO)
    store.set_conflict_state("c2", "page", WHO)
    store.set_conflict_state("c2", "open", WHO)
    store.set_conflict_state("c2", "text", Actor("store", "Grace Hopkins"))
    assert list(insight(store, "drift").rows) == [
        ("wiki", "impact", "text", 2, 1, 0, 1, 0, 0),
        ("wiki", "follow-ups", "title", 1, 0, 0, 0, 1, 0),
        ("wiki", "details", "severity", 1, 0, 0, 0, 0, 1),
    ]
    assert list(insight(store, "decisions").rows) == [("Grace Hopkins", 2, 1, 0, 0, 1), ("Ada Byron", 1, 0, 0, 1, 0)]


# --- told -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", INSIGHTS)
def test_private_incidents_are_in_no_insight_and_nothing_is_no_trouble(store: Store, name: str) -> None:
    rows = (FollowUp("", "Rotate", assignee=ADA, due_on=date(2026, 1, 1)),)
    incident(store, "INC-1", private=True, follow_ups=rows)
    postmortem(store, incident(store, "INC-2", private=True), "completed")
    page = store.add_page("INC-2", "wiki")
    version = Version("x")
    store.add_conflict(Conflict("c", page.id, "INC-2", "wiki", "impact", "", "text", "", version, version, "page"))
    store.set_conflict_state("c", "page", WHO)
    hidden = insight(store, name, PUBLIC)
    assert (list(hidden.rows), list(card(hidden).drawings)) == ([], [])
    assert len(insight(store, name).rows) == len(insight(store, name, Visible(everything=True)).rows) == 1
    assert card(insight(store, name)).drawings[0].says


def test_an_insight_that_does_not_exist_is_told_with_the_nearest(store: Store) -> None:
    with pytest.raises(UnknownReference, match="did you mean 'follow-ups'"):
        insight(store, "followups")


def test_no_cell_of_a_csv_is_a_formula() -> None:
    cells = ("=1+1", "+1", "-1", "@x", "\tx", "\rx", 'say "so", then', "a=1", -1)
    columns = [Column(f"c{n}", "") for n in range(len(cells))]
    text = Insight("x", "", "", "", {}, columns, [cells], START).as_csv()
    names, row = csv.reader(io.StringIO(text, newline=""))
    assert names == [f"c{n}" for n in range(len(cells))]
    assert row == ["'=1+1", "'+1", "'-1", "'@x", "'\tx", "'\rx", 'say "so", then', "a=1", "-1"]
