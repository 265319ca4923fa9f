"""What of people's keeps a write from a Confluence page, in both editions, as the provider tells it: nothing is written."""

from collections.abc import Callable

import pytest

from mapping.document import Doc, paragraph
from providers.contract import Done, Held, Missing, Observation, Outcome, Stale
from providers.sandbox.faults import Fault
from tests.contract.test_confluence import ADA, EDITIONS, Bench

NEW = paragraph("The queue was empty")
HALF = "<p>The queue was full</p><p>Half a thought</p>"


@pytest.fixture(params=EDITIONS)
def bench(request: pytest.FixtureRequest) -> Bench:
    return Bench(edition=request.param)


@pytest.fixture
def page(bench: Bench) -> Observation:
    return bench.create(Doc("INC-1", (paragraph("The queue was full"),)))


def code(held: Outcome | None) -> str:
    assert isinstance(held, Held), held
    return held.code


def writes(bench: Bench, work: Callable[[], object]) -> int:
    return sum(method in ("PUT", "POST") for method in bench.requests_of(work))


def test_a_diverging_draft_is_told_with_whose_it_is_and_nothing_is_sent(bench: Bench, page: Observation) -> None:
    bench.provider.read(bench.place, page.native_id)
    bench.site.save_draft(page.native_id, HALF, ADA)
    held = bench.provider.held(bench.place, page)
    assert code(held) == "draft" and held and held.message.startswith("Ada Byron has unpublished changes")
    assert writes(bench, lambda: code(bench.write(page, NEW))) == 0
    assert isinstance(bench.provider.write(bench.place, page, Doc(page.doc.title, (NEW,)), "", over_draft=True), Done)


def test_a_draft_with_another_title_is_somebodys_work(bench: Bench, page: Observation) -> None:
    bench.site.save_draft(page.native_id, bench.site.current_body(page.native_id), ADA, "Another title")
    assert code(bench.write(page, NEW)) == "draft"


def test_a_draft_that_cannot_be_read_is_somebodys_work(bench: Bench, page: Observation) -> None:
    bench.site.save_draft(page.native_id, HALF, ADA)
    draft = bench.site.content[page.native_id].draft
    assert draft
    object.__setattr__(draft, "body", "<p>half a tag")
    assert code(bench.write(page, NEW)) == "draft"


def test_a_draft_left_by_whoever_only_looked_is_nobodys(bench: Bench, page: Observation) -> None:
    bench.site.save_draft(page.native_id, bench.site.current_body(page.native_id), ADA)
    assert bench.provider.held(bench.place, page) is None
    assert isinstance(bench.write(page, NEW), Done)


def test_the_draft_is_read_before_the_body_and_the_body_last(bench: Bench, page: Observation) -> None:
    before = len(bench.site.requests)
    bench.write(page, NEW)
    draft, body, put, *_ = bench.site.requests[before:]
    assert "draft" in draft[1] and "draft" not in body[1] and put[0] == "PUT"


def test_what_somebody_publishes_meanwhile_is_no_hold_but_another_look(bench: Bench, page: Observation) -> None:
    bench.site.publish_as_editor(page.native_id, HALF, ADA)
    bench.site.save_draft(page.native_id, f"{HALF}<p>more</p>", ADA)
    assert isinstance(bench.write(page, NEW), Stale)


@pytest.mark.parametrize("status", [403, 404])
def test_a_page_that_we_may_only_read(bench: Bench, page: Observation, status: int) -> None:
    bench.faulty.script.append(Fault("status", lambda method, path: method == "PUT", status))
    assert code(bench.write(page, NEW)) == "read_only"
    assert bench.provider.read(bench.place, page.native_id) == page


def test_a_live_doc_says_so_before_and_when_it_is_written() -> None:
    """They are Cloud's."""
    bench = Bench()
    page = bench.create(Doc("INC-1", (paragraph("The queue was full"),)))
    bench.site.content[page.native_id].live = True
    page = bench.provider.read(bench.place, page.native_id)
    assert code(bench.provider.held(bench.place, page)) == "live_doc"
    assert writes(bench, lambda: code(bench.write(page, NEW))) == 0


def test_a_page_says_in_which_space_it_is(bench: Bench, page: Observation) -> None:
    attic = bench.site.add_space("ATTIC", "Attic")
    assert page.space == bench.wiki.space("OPS").id
    bench.site.content[page.native_id].space_id = attic.id
    assert bench.provider.read(bench.place, page.native_id).space == bench.wiki.space("ATTIC").id


def test_a_page_whose_space_is_gone_says_so(bench: Bench, page: Observation) -> None:
    bench.site.forbid(page.native_id)
    spaces = dict(bench.site.spaces)
    with pytest.raises(Missing) as missing:
        bench.provider.read(bench.place, page.native_id)
    assert missing.value.why == "not_found"
    bench.site.spaces.clear()
    with pytest.raises(Missing) as missing:
        bench.provider.read(bench.place, page.native_id)
    assert missing.value.why == "no_space"
    bench.site.spaces.update(spaces)
    bench.site.allow(page.native_id)
    assert bench.provider.read(bench.place, page.native_id) == page
