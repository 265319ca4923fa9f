"""Confluence Data Center's dialect against the emulator: what differs from Cloud, and the page that is out of step."""

from collections.abc import Mapping
from datetime import timedelta

import pytest

from mapping.document import Block, Doc, Span, paragraph
from providers.confluence_dialect import InlineComment, WikiPage
from providers.contract import Done, Missing, Place, Rejected, Stale, Unknown, Unreachable
from providers.sandbox.confluence_dc import ConfluenceDataCenter as Site
from providers.sandbox.faults import Fault, Faulty
from providers.sandbox.wire import Reply
from tests.contract.test_confluence import ADA, GRACE, Bench


class Server(Bench):
    """The bench with a Data Center site on it."""

    def __init__(self, accounts: dict[str, str] | None = None) -> None:
        super().__init__(accounts=accounts, edition="data-center")
        assert isinstance(self.site, Site)
        self.server: Site = self.site


@pytest.fixture
def bench() -> Server:
    return Server()


@pytest.fixture
def page(bench: Server) -> WikiPage:
    return bench.wiki.page(bench.create(Doc("INC-1", (paragraph("The queue was full"),))).native_id)


def test_a_page_says_where_it_is_and_who_made_its_version(bench: Server, page: WikiPage) -> None:
    assert (page.title, page.status, page.version, page.space) == ("INC-1", "current", 1, bench.wiki.space("OPS").id)
    assert (page.author, page.edited_at) == (bench.wiki.me().id, bench.now)
    assert page.url == f"{bench.wiki.url}/pages/viewpage.action?pageId={page.id}"


def test_a_draft_is_what_somebody_left_unpublished(bench: Server, page: WikiPage) -> None:
    assert bench.wiki.draft(page.id) is None
    bench.site.save_draft(page.id, "<p>half a thought</p>", ADA)
    draft = bench.wiki.draft(page.id)
    assert draft is not None and (draft.status, draft.body) == ("draft", "<p>half a thought</p>")
    assert bench.wiki.page(page.id) == page


def test_our_versions_are_minor_edits_with_a_message(bench: Server, page: WikiPage) -> None:
    assert bench.wiki.put(page, "INC-1", "<p>x</p>", "why") == Done(page.id)
    newest = bench.site.content[page.id].versions[-1]
    assert (newest.minor, newest.message, newest.number) == (True, "why", 2)
    assert isinstance(bench.wiki.put(page, "INC-1", "<p>y</p>", "late"), Stale)


def test_the_two_newest_versions_tell_their_messages(bench: Server, page: WikiPage) -> None:
    assert bench.wiki.messages(page.id) == [""]
    bench.wiki.put(page, "INC-1", "<p>x</p>", "one")
    bench.wiki.put(bench.wiki.page(page.id), "INC-1", "<p>y</p>", "two")
    assert bench.wiki.messages(page.id) == ["two", "one"]


# --- out of step ---


@pytest.mark.parametrize("status", [409, 501])
def test_a_page_out_of_step_with_its_draft_is_looked_at_and_written_once_more(
    bench: Server, page: WikiPage, status: int
) -> None:
    bench.server.fall_out_of_step(page.id, status)
    assert bench.requests_of(lambda: bench.wiki.put(page, "INC-1", "<p>x</p>", "why")) == ["PUT", "GET", "PUT"]
    assert bench.site.current_body(page.id) == "<p>x</p>"


class NeverInStep(Faulty):
    """A site on which looking at the page does not help."""

    def handle(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        assert isinstance(self.emulator, Site)
        if method == "PUT":
            self.emulator.fall_out_of_step(path.partition("?")[0].rpartition("/")[2], 501)
        return super().handle(method, path, headers, body)


def test_a_page_that_stays_out_of_step_is_tried_again_later(bench: Server, page: WikiPage) -> None:
    bench.faulty.emulator = NeverInStep(bench.site)
    outcome = bench.wiki.put(page, "INC-1", "<p>x</p>", "why")
    assert isinstance(outcome, Rejected) and isinstance(outcome.error, Unreachable)
    assert "out of step" in str(outcome.error)
    assert bench.site.current_body(page.id) == page.body and bench.site.content[page.id].number == 1


def test_what_moved_while_the_page_was_out_of_step_is_not_written_over(bench: Server, page: WikiPage) -> None:
    bench.site.comment(page.id, "queue", "<p>which?</p>", GRACE)  # a marker, and no version
    bench.server.fall_out_of_step(page.id)
    assert isinstance(bench.wiki.put(page, "INC-1", "<p>x</p>", "why"), Stale)
    assert "ac:inline-comment-marker" in bench.site.current_body(page.id)


def test_a_501_for_another_reason_is_not_tried_again(bench: Server, page: WikiPage) -> None:
    bench.faulty.script.append(Fault("status", lambda method, _: method == "PUT", 501))
    assert isinstance(bench.wiki.put(page, "INC-1", "<p>x</p>", "why"), Unknown)
    assert not bench.faulty.script and bench.site.content[page.id].number == 1


# --- lists ---


def test_versions_of_many_pages_come_two_hundred_at_a_time(bench: Server) -> None:
    site, ada = bench.site, bench.site.account(ADA)
    ids = [site.create(site.space_id, f"P{n}", "<p />", ada, parent_id=None, draft=False).id for n in range(250)]
    site.trash(ids[3])
    requests = bench.requests_of(lambda: bench.wiki.versions(ids))
    assert len(requests) == 2
    changes = bench.wiki.versions([*ids, "999999999"])
    assert set(changes) == set(ids) and (changes[ids[3]].version, changes[ids[4]].version) == (None, "1")


def test_short_lists_are_followed_to_their_end(bench: Server) -> None:
    site, ada = bench.site, bench.site.account(ADA)
    ids = [site.create(site.space_id, f"P{n}", "<p />", ada, parent_id=None, draft=False).id for n in range(5)]
    site.listing_cap = 2
    assert set(bench.wiki.versions(ids)) == set(ids)


def test_the_newest_pages_are_read_as_they_are_now_whatever_the_index_says(bench: Server, page: WikiPage) -> None:
    bench.wait(3600)
    bench.site.search_lag = timedelta(minutes=5)
    bench.wiki.put(page, "Renamed", "<p>new</p>", "why")
    newest = {one.id: one for one in bench.wiki.newest(bench.wiki.space("OPS"))}
    assert (newest[page.id].title, newest[page.id].body, newest[page.id].version) == ("Renamed", "<p>new</p>", 2)


# --- around pages ---


def test_a_page_without_a_parent_goes_below_the_home_of_its_space(bench: Server) -> None:
    bench.place = Place("dc", {"space": "OPS"}, {})
    page = bench.create(Doc("INC-2", (paragraph("x"),)))
    assert bench.site.content[page.native_id].parent_id == bench.site.homepage_id
    with pytest.raises(Missing):
        bench.wiki.space("NONE")


def test_labels_watching_and_comments(bench: Server, page: WikiPage) -> None:
    assert bench.wiki.label(page.id, ["post-mortem", "sev1"]) == Done(page.id)
    assert list(bench.site.content[page.id].labels) == ["post-mortem", "sev1"]
    bench.wiki.put(page, page.title, "<p>x</p>", "")
    assert bench.wiki.me().id in bench.site.content[page.id].watchers
    assert bench.wiki.unwatch(page.id) == Done(page.id)
    assert bench.wiki.me().id not in bench.site.content[page.id].watchers
    assert isinstance(bench.wiki.comment(page.id, "<p>Seen.</p>"), Done)
    assert [comment.inline for comment in bench.site.comments.values()] == [False]


def test_inline_comments_by_their_state(bench: Server, page: WikiPage) -> None:
    made = bench.site.comment(page.id, "queue", "<p>which?</p>", GRACE)
    known = [InlineComment(made.id, made.ref, "queue")]
    assert (bench.wiki.inline_comments(page.id, "open"), bench.wiki.inline_comments(page.id, "dangling")) == (known, [])
    bench.site.publish_as_editor(page.id, "<p>Nothing</p>", ADA)
    assert (bench.wiki.inline_comments(page.id, "open"), bench.wiki.inline_comments(page.id, "dangling")) == ([], known)
    made.resolved = True
    assert bench.wiki.inline_comments(page.id, "resolved") == known


# --- people ---


def test_people_who_sign_in_by_e_mail_are_found_by_it_and_named_by_key(bench: Server) -> None:
    doc = Doc("INC-2", (Block("paragraph", (Span("A. B.", "mention", ADA),)),))
    assert bench.requests_of(lambda: bench.provider.project(doc)) == ["GET"]
    (ada,) = bench.wiki.accounts_like(ADA, "A. B.")
    assert list(bench.wiki.accounts_like("nobody@example.com", "Ada Byron")) == []
    assert (ada.email, ada.name) == (ADA, "Ada Byron")
    assert list(bench.wiki.accounts([ada.id, "f" * 32])) == [ada]


def test_people_with_a_plain_username_are_found_by_the_configuration() -> None:
    bench = Server()
    quiet = bench.site.add_account("quiet", "Quiet One").id
    doc = Doc("INC-2", (Block("paragraph", (Span("Quiet One", "mention", "quiet@example.com"),)),))
    assert bench.create(doc).doc.blocks[0].spans[0].kind == "text"
    told = Server(accounts={"quiet@example.com": quiet})
    assert told.site.add_account("quiet", "Quiet One").id == quiet
    mention = told.create(doc).doc.blocks[0].spans[0]
    assert (mention.kind, mention.ref, mention.text) == ("mention", "quiet@example.com", "Quiet One")


def test_what_the_old_editor_adds_says_nothing(bench: Server, page: WikiPage) -> None:
    """A person's publish adds cursor paragraphs, columns and spans around tasks; the page still says the same."""
    blocks = (paragraph("before"), Block("panel", (Span("help"),)), Block("task", (Span("Write a runbook"),)))
    table = Block("table", rows=(Block("row", cells=((Span("a"),), (Span("b"),))),))
    seen = bench.create(Doc("INC-3", (*blocks, table)))
    bench.site.publish_as_editor(seen.native_id, bench.site.current_body(seen.native_id), ADA)
    after = bench.provider.read(bench.place, seen.native_id)
    assert after.doc == seen.doc and "auto-cursor-target" in bench.site.current_body(seen.native_id)
    assert bench.requests_of(lambda: bench.provider.write(bench.place, after, after.doc, "nothing")).count("PUT") == 0
