"""What two people type into one section at once is all there afterwards."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapping.document import Block, Span, paragraph
from mapping.markdown import from_markdown, to_markdown
from syncd.writing import written, written_json

WORDS = ["alert", "queue", "deploy", "rollback", "checkout", "paged", "database", "fixed"]
paragraphs = st.lists(st.lists(st.sampled_from(WORDS), min_size=1, max_size=6).map(" ".join), max_size=4).map("\n\n".join)


def saved(base: str, now: str, typed: str) -> str:
    return to_markdown(written(from_markdown(base), from_markdown(now), from_markdown(typed)).blocks)


@pytest.mark.parametrize(
    ("base", "now", "typed", "both"),
    [
        ("One.", "One.\n\nTwo.", "Zero.\n\nOne.", "Zero.\n\nOne.\n\nTwo.\n"),
        (
            "The queue was full.",
            "The queue was full for hours.",
            "The big queue was full.",
            "The big queue was full for hours.\n",
        ),
        ("- a\n- b", "- a\n- b\n- d", "- a\n- c\n- b", "- a\n- c\n- b\n- d\n"),
        ("", "From Ada.", "From Grace.", "From Ada.\n\nFrom Grace.\n"),
        ("Old.", "Old.", "", ""),
    ],
)
def test_what_both_typed_in_different_places_is_merged(base: str, now: str, typed: str, both: str) -> None:
    assert saved(base, now, typed) == both


def test_where_both_changed_the_same_words_both_versions_stay_and_it_is_said() -> None:
    base, now, typed = (from_markdown(f"First.\n\nIt took {n} hours.\n\nLast.") for n in ("some", "two", "three"))
    answer = written(base, now, typed)
    assert [block.text for block in answer.blocks] == ["First.", "It took two hours.", "It took three hours.", "Last."]
    assert written_json(answer)["both"] == [{"store": "It took two hours.\n", "typed": "It took three hours.\n"}]


def test_the_writer_goes_on_after_both_versions_were_kept() -> None:
    once = saved("It took some hours.", "It took two hours.", "It took three hours.")
    assert saved(once, once, "It took two hours.") == "It took two hours.\n"


def test_a_kept_thing_cannot_be_deleted_by_typing() -> None:
    kept = Block("kept", (Span("Jira issues"),), ref="k3")
    before = (paragraph("Above."), kept, paragraph("Below."))
    assert written(before, before, from_markdown("Above. More.\n\nBelow.")).blocks == (
        paragraph("Above. More."),
        *before[1:],
    )


@given(paragraphs, paragraphs, paragraphs)
@settings(max_examples=200, deadline=None)
def test_no_word_that_either_added_is_lost(base: str, now: str, typed: str) -> None:
    result = saved(base, now, typed).split()
    for side in (now, typed):
        for word in set(side.split()) - set(base.split()):
            assert word in result


@given(paragraphs, paragraphs)
@settings(max_examples=100, deadline=None)
def test_who_changed_nothing_gets_the_store_as_it_is(base: str, now: str) -> None:
    answer = written(from_markdown(base), from_markdown(now), from_markdown(base))
    assert answer.blocks == from_markdown(now)
    assert not answer.both
