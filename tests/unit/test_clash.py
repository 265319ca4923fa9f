"""A conflict as people see it: where the versions differ, and what can be chosen."""

from hypothesis import given
from hypothesis import strategies as st

from syncd.pages import Conflict, Version
from syncd.web.clash import Piece, clash, differences


def conflict(field: str = "text", key: str = "", store: str = "ours", page: str = "theirs") -> Conflict:
    return Conflict(
        "c1", 1, "INC-1", "wiki", "impact", key, field, "", Version(store, "Ada"), Version(page, "Grace"), "page"
    )


def test_only_the_words_that_differ_are_marked() -> None:
    left, right = differences("It failed for two hours.", "It failed for one long hour.")
    assert left == [Piece("It failed for ", False), Piece("two hours", True), Piece(".", False)]
    assert right == [Piece("It failed for ", False), Piece("one long hour", True), Piece(".", False)]


def test_very_long_versions_are_shown_whole() -> None:
    left, right = differences("a " * 3000, "b " * 3000)
    assert [piece.differs for piece in (*left, *right)] == [False, False]


@given(st.text(), st.text())
def test_nothing_of_a_version_is_left_out(left: str, right: str) -> None:
    assert tuple("".join(piece.text for piece in side) for side in differences(left, right)) == (left, right)


def test_two_people_or_two_dates_cannot_both_stand() -> None:
    assert clash(conflict()).mergeable and clash(conflict("title", "T-1")).mergeable
    assert not any(clash(conflict(field, "FU-1")).mergeable for field in ("assignee", "due_on", "status"))
    assert not clash(conflict("time:started")).mergeable


def test_an_own_text_begins_with_what_shows() -> None:
    assert clash(conflict()).shown == "theirs"
    assert clash(conflict("due_on", "FU-1")).what == "the due date of FU-1"
    assert [side.text for side in clash(conflict("status", store="in_review", page="completed")).sides] == [
        "Completed",
        "In review",
    ]
