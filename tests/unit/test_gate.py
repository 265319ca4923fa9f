"""What the gate makes of marks by people, and of pages that cannot be looked at now."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mapping.incident import Incident, Postmortem, PostmortemStatus
from syncd.flow import Gate, Look, Mark, gate
from syncd.pages import Page

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
DAY = timedelta(days=1)
INCIDENT = Incident("INC-1", "Checkout")
POSTMORTEM = Postmortem("INC-1", "standard", PostmortemStatus.IN_PROGRESS, "wiki", "UTC", "Checkout", ())


def page(number: int, checked_at: datetime | None) -> Page:
    where = f"https://wiki.example.com/{number}"
    return Page(number, "INC-1", "wiki", "live", native_id=str(number), url=where, checked_at=checked_at)


def answered(tasks: list[str], *looks: Look, marks: dict[str, Mark] | None = None, **more: Any) -> Gate:
    return gate(INCIDENT, POSTMORTEM, tasks, marks or {}, looks, **more)


def away(number: int = 1, since: timedelta = timedelta(hours=1), **more: Any) -> Look:
    return Look(page(number, NOW - since), unreachable="Nobody answers.", code="unreachable", **more)


EXPORT = ["export_post_mortem"]


def test_during_an_outage_a_page_that_was_in_step_lately_is_accepted_and_that_is_said() -> None:
    assert answered(EXPORT, away()).answer == "unknown"
    accepted = answered(EXPORT, away(), fresh_since=NOW - DAY)
    (task,) = accepted.tasks
    assert (accepted.answer, task.since) == ("yes", "2026-11-20T09:00:00Z")
    assert [reason.code for reason in task.reasons] == ["unreachable", "accepted"]
    assert "2026-11-20T09:00:00Z" in task.reasons[1].message
    assert accepted.export.status == "unknown"  # what is accepted is not seen


@pytest.mark.parametrize(
    "looks",
    [
        [away(since=timedelta(days=2))],
        [away(dirty_since=NOW)],
        [away(), away(2, timedelta(days=2))],
        [Look(page(1, None), unreachable="Nobody answers.")],
    ],
)
def test_what_was_in_step_long_ago_or_changed_here_since_is_not_accepted(looks: list[Look]) -> None:
    assert answered(EXPORT, *looks, fresh_since=NOW - DAY).answer == "unknown"


def test_a_definite_no_is_not_accepted_away() -> None:
    stale = Look(page(1, NOW), pending=("1 edit",))
    assert answered(EXPORT, stale, away(2), fresh_since=NOW - DAY).answer == "no"


def test_a_skip_says_who_when_and_why_and_makes_what_cannot_be_known_done() -> None:
    marks = {"export_post_mortem": Mark(False, "Ada Byron", NOW, "the wiki is away")}
    (task,) = answered(EXPORT, away(), marks=marks).tasks
    assert (task.done, task.by, task.since, task.skipped) == (True, "Ada Byron", "2026-11-20T10:00:00Z", "the wiki is away")
    assert [reason.code for reason in task.reasons] == ["skipped"]
    assert "skipped" not in answered(["debrief"]).as_json()["tasks"][0]
