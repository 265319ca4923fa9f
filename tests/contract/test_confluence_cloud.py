"""Confluence Cloud's dialect against the emulator: what each kind of request does there, and what its answer says."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from mapping.document import Doc, paragraph
from providers.confluence_dialect import Account, InlineComment, WikiPage
from providers.contract import Done, Missing, Rejected, Stale, Unauthorized
from providers.sandbox.confluence_front import FrontDoor as Site
from providers.sandbox.faults import Fault
from tests.contract.confluence_wiki import NO_CHECK, Wiki
from tests.contract.test_confluence import ADA, Bench


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.fixture
def page(bench: Bench) -> WikiPage:
    return bench.wiki.page(bench.create(Doc("INC-1", (paragraph("The queue was full"),))).native_id)


def commented(bench: Bench, page: WikiPage, text: str) -> str:
    """Somebody comments on these words of a page; the marker's ref."""
    author = bench.site.account(ADA)
    comment = bench.site.add_comment(bench.site.content[page.id], "<p>Why?</p>", author, None, True)
    bench.site.anchor(bench.site.content[page.id], comment, text, 0)
    return comment.ref


def test_a_page_says_where_it_is_and_who_made_its_version(bench: Bench, page: WikiPage) -> None:
    assert (page.title, page.status, page.version, page.live) == ("INC-1", "current", 1, False)
    assert page.space == bench.wiki.space("OPS").id == bench.site.space_id
    assert page.author == bench.wiki.me().id
    assert page.edited_at == bench.now
    assert "The queue was full" in page.body


@pytest.mark.parametrize(("act", "status"), [(Site.trash, "trashed"), (Site.archive, "archived")])
def test_a_page_away_is_still_read_with_its_status(
    bench: Bench, page: WikiPage, act: Callable[[Site, str], None], status: str
) -> None:
    act(bench.site, page.id)
    assert bench.wiki.page(page.id).status == status


def test_a_draft_is_what_somebody_left_unpublished(bench: Bench, page: WikiPage) -> None:
    assert bench.wiki.draft(page.id) is None
    bench.site.save_draft(page.id, "<p>half a thought</p>", ADA)
    draft = bench.wiki.draft(page.id)
    assert draft is not None and draft.status == "draft" and "half a thought" in draft.body
    assert bench.wiki.page(page.id) == page


def test_a_put_makes_the_next_version_and_an_old_one_is_stale(bench: Bench, page: WikiPage) -> None:
    assert bench.wiki.put(page, "INC-1", "<p>x</p>", "why") == Done(page.id)
    assert (bench.wiki.page(page.id).version, bench.wiki.page(page.id).message) == (2, "why")
    assert isinstance(bench.wiki.put(page, "INC-1", "<p>y</p>", ""), Stale)


def test_labels_are_added_and_make_no_version(bench: Bench, page: WikiPage) -> None:
    assert bench.wiki.label(page.id, ["post-mortem"]) == Done(page.id)
    assert bench.wiki.label(page.id, ["sev1"]) == Done(page.id)
    assert set(bench.site.content[page.id].labels) == {"post-mortem", "sev1"}
    assert bench.wiki.page(page.id).version == 1


def test_whoever_writes_a_page_watches_it_until_it_says_otherwise(bench: Bench, page: WikiPage) -> None:
    bench.wiki.put(page, page.title, "<p>x</p>", "")
    assert bench.site.content[page.id].watchers == {page.author}
    assert bench.wiki.unwatch(page.id) == Done(page.id)
    assert not bench.site.content[page.id].watchers


def test_watching_as_the_service_tells_and_changes_it() -> None:
    wiki = Wiki()
    page, path = wiki.create("A page"), "/rest/api/user/watch/content/"
    assert wiki.ok("GET", path + page["id"]) == {"watching": True}
    assert wiki.call("DELETE", path + page["id"])[0] == 403  # without the header against forged requests
    wiki.ok("DELETE", path + page["id"], **NO_CHECK)
    assert wiki.ok("GET", path + page["id"]) == {"watching": False}
    wiki.ok("POST", path + page["id"], **NO_CHECK)
    assert wiki.ok("GET", path + page["id"]) == {"watching": True}


def test_threads_are_told_by_their_state(bench: Bench, page: WikiPage) -> None:
    ref = commented(bench, page, "queue")
    kept, thread = bench.wiki.page(page.id), bench.wiki.inline_comments(page.id, "open")
    assert [(one.ref, one.selection) for one in thread] == [(ref, "queue")]
    assert ref in kept.body and kept.version == 1
    bench.wiki.put(kept, "INC-1", "<p>gone</p>", "")
    assert [InlineComment(one.id, ref, "queue") for one in thread] == bench.wiki.inline_comments(page.id, "dangling")
    assert not bench.wiki.inline_comments(page.id, "open")


def test_a_long_list_of_threads_is_read_to_its_end(bench: Bench, page: WikiPage) -> None:
    bench.site.listing_cap = 1
    refs = {commented(bench, page, word) for word in ("The", "queue", "full")}
    assert {one.ref for one in bench.wiki.inline_comments(page.id, "open")} == refs


def test_a_comment_and_the_trash(bench: Bench, page: WikiPage) -> None:
    said = bench.wiki.comment(page.id, "<p>said</p>")
    assert isinstance(said, Done) and list(bench.wiki.footer_comments(page.id)) == [(said.native_id, "<p>said</p>")]
    assert bench.wiki.trash(page.id) == Done(page.id)
    refused = bench.wiki.trash(page.id)
    assert isinstance(refused, Rejected) and isinstance(refused.error, Missing)


def test_people_by_id_and_by_name(bench: Bench) -> None:
    ada = Account(bench.site.account(ADA).id, "Ada Byron", ADA)
    assert list(bench.wiki.accounts([ada.id, "nobody"])) == [ada]
    assert ada in bench.wiki.accounts_like(ADA, "Ada Byron")


def test_a_wrong_credential_is_said_so(bench: Bench) -> None:
    bench.faulty.script.append(Fault("status", status=401))
    with pytest.raises(Unauthorized):
        bench.wiki.me()


def test_a_space_by_key_and_by_id(bench: Bench) -> None:
    space = bench.wiki.space("OPS")
    assert (space.key, space.name) == ("OPS", "Operations") and bench.wiki.space(space.id) == space
    with pytest.raises(Missing):
        bench.wiki.space("NOSUCH")


def test_the_newest_pages_come_first_and_are_not_asked_for_before_they_are_needed(bench: Bench, page: WikiPage) -> None:
    bench.wait(timedelta(minutes=1).total_seconds())
    newer = bench.create(Doc("INC-2", (paragraph("x"),)), "m2")
    asked = len(bench.site.requests)
    newest = iter(bench.wiki.newest(bench.wiki.space("OPS")))
    assert len(bench.site.requests) == asked + 1  # the space
    assert [next(newest).id, next(newest).id] == [newer.native_id, page.id]
