"""What the overview makes of an address, and of a row."""

from datetime import UTC, datetime

import pytest
from starlette.datastructures import QueryParams

from mapping.incident import Person, PostmortemStatus
from syncd.store.overview import Choices, Listed, Listing
from syncd.web.overview_view import Asked, asked, overview_view

AT = datetime(2026, 11, 2, 10, 0, tzinfo=UTC)
LISTED = Listed(
    reference="INC-1",
    name="Slow",
    phase="closed",
    severity="SEV1",
    private=False,
    owner=None,
    began=AT,
    needs_person=False,
    status=PostmortemStatus.IN_REVIEW,
    home="wiki",
    template="standard",
    freshness="fresh",
    destination="wiki",
    url="",
    since=AT,
    checked_at=AT,
    reason="",
    conflicts=0,
    not_understood=0,
    open_follow_ups=0,
    overdue=0,
)
CHOICES = Choices(("SEV1",), (Person("Ada Byron", "ada@example.com"),))


@pytest.mark.parametrize(
    "query",
    ["", "q=%22a+b%22&severity=SEV1&severity=SEV2&owner=ada%40example.com&needs=person&sort=oldest&page=3", "status=none"],
)
def test_an_address_is_what_was_asked_for(query: str) -> None:
    assert asked(QueryParams(query)).address() == (f"/?{query}" if query else "/")


@pytest.mark.parametrize(
    "query", ["q=&severity=&page=1", "page=0", "page=-2", "page=x", "page=", "needs=x&sort=y", "other=1"]
)
def test_what_an_address_says_in_vain_is_left_out(query: str) -> None:
    assert asked(QueryParams(query)) == Asked(filters=asked(QueryParams("")).filters)


def test_a_filter_of_a_value_that_nothing_has_can_be_seen_and_taken_away() -> None:
    view = overview_view(asked(QueryParams("severity=SEV9&q=x")), Listing((), 0), CHOICES, ever=True)
    assert [(one.words, one.without) for one in view.narrowed] == [("“x”", "/?severity=SEV9"), ("Severity: SEV9", "/?q=x")]
    assert [(choice.words, choice.chosen) for choice in view.filters[0].choices] == [("SEV1", False), ("SEV9", True)]


def test_parts_lead_to_each_other_and_keep_what_was_asked() -> None:
    first = overview_view(asked(QueryParams("status=none")), Listing((LISTED,) * 50, 51), CHOICES, ever=True)
    assert (first.first, first.last, first.before, first.after) == (1, 50, "", "/?status=none&page=2")
    second = overview_view(asked(QueryParams("status=none&page=2")), Listing((LISTED,), 51), CHOICES, ever=True)
    assert (second.first, second.last, second.before, second.after) == (51, 51, "/?status=none", "")
