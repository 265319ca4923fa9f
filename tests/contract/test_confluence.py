"""The Confluence provider against the emulator, inside the client library: no socket, the same bytes."""

import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from mapping.document import Block, Doc, Span, heading, paragraph, text_spans
from mapping.incident import Person
from providers.confluence import Confluence
from providers.confluence_cloud import ConfluenceCloud
from providers.confluence_data_center import ConfluenceDataCenter
from providers.confluence_dialect import Dialect
from providers.confluence_wire import Wire
from providers.contract import (
    Done,
    Missing,
    Observation,
    Outcome,
    Place,
    Provider,
    RateLimited,
    Refused,
    Rejected,
    Stale,
    TitleTaken,
    Unauthorized,
    Unknown,
    Unreachable,
)
from providers.sandbox.confluence import ConfluenceCloud as Cloud
from providers.sandbox.confluence_dc import ConfluenceDataCenter as DataCenter
from providers.sandbox.confluence_front import FrontDoor as Site
from providers.sandbox.faults import Fault, Faulty, failing, rate_limited, writes
from providers.sandbox.in_process import EmulatorAdapter
from providers.sandbox.wire import Reply
from providers.transport import Budget
from tests.contract.described import CLOUD, DATA_CENTER, Described

URL = "http://127.0.0.1/confluence/wiki"
SERVER_URL = "http://127.0.0.1/confluence-dc"
EDITIONS = ["cloud", "data-center"]
ADA, GRACE = "ada@example.com", "grace@example.com"


class Bench:
    """A site, a provider that talks to it, and a clock that only waiting moves."""

    def __init__(self, url: str = "", accounts: dict[str, str] | None = None, edition: str = "cloud") -> None:
        self.now = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
        own = URL if edition == "cloud" else SERVER_URL
        kind: type[Cloud | DataCenter] = Cloud if edition == "cloud" else DataCenter
        self.site: Site = kind(lambda: self.now, random.Random(7), own)
        self.faulty = Faulty(Described(self.site, CLOUD if edition == "cloud" else DATA_CENTER))
        session = requests.Session()
        session.mount(url or own, EmulatorAdapter(self.faulty, urlsplit(own).path))
        self.budget = Budget(600, lambda: self.now.timestamp(), self.wait)
        self.wire = Wire(url or own, "bot@example.com", "secret", self.budget, lambda: self.now, session)
        dialect = ConfluenceCloud if edition == "cloud" else ConfluenceDataCenter
        self.wiki: Dialect = dialect(url or own, self.wire)
        self.provider = Confluence(self.wiki, accounts=accounts or {}, now=lambda: self.now)
        self.place = Place("wiki", {"space": "OPS", "parent": self.site.parent_id}, {})

    def wait(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def create(self, doc: Doc, marker: str = "m1") -> Observation:
        return seen(self.provider.create(self.place, doc, marker))

    def people_make(self, body: str, title: str = "Theirs") -> Observation:
        """A page whose body is what a person's editor makes of `body`."""
        ada = self.site.account(ADA)
        page = self.site.create(self.site.space_id, title, "<p />", ada, parent_id=self.site.parent_id, draft=False)
        self.site.publish_as_editor(page.id, body, ADA)
        return self.provider.read(self.place, page.id)

    def write(self, page: Observation, *blocks: Block, title: str = "") -> Outcome:
        return self.provider.write(self.place, page, Doc(title or page.doc.title, blocks), "syncd: INC-1 changed")

    def requests_of(self, work: Callable[[], object]) -> list[str]:
        before = len(self.site.requests)
        work()
        return [method for method, _ in self.site.requests[before:]]


@pytest.fixture(params=EDITIONS)
def bench(request: pytest.FixtureRequest) -> Bench:
    return Bench(edition=request.param)


def seen(outcome: Outcome) -> Observation:
    assert isinstance(outcome, Done), outcome
    assert outcome.seen is not None
    return outcome.seen


def alive(bench: Bench) -> list[str]:
    """The titles of what is not in the trash."""
    return [title for _, title, status in bench.site.pages() if status != "trashed"]


def row(*cells: str) -> Block:
    return Block("row", cells=tuple(text_spans(cell) for cell in cells))


def mention(email: str = ADA, name: str = "Ada Byron") -> Span:
    return Span(name, "mention", ref=email)


STATUS = Block("row", cells=(text_spans("Post-mortem status"), (Span("In progress", "status", ref="blue"),)))
DETAILS = Block("table", rows=(row("Reference", "INC-1"), STATUS), hint="details")
FOLLOW_UP = Block(
    "task",
    (
        Span("Add an alert "),
        mention(),
        Span(" due "),
        Span("2026-12-01", "date", ref="2026-12-01"),
        Span(" "),
        Span("FU-3", marks=frozenset({"code"})),
    ),
)
POST_MORTEM = Doc(
    "INC-1 Checkout is down",
    (
        paragraph("In step with incident INC-1"),
        DETAILS,
        heading("Summary"),
        paragraph("Everything\u00a0stood <still> & nobody \x07knew  why"),
        Block("panel", text_spans("Who noticed?\nFor how long?")),
        heading("Timeline"),
        Block("table", rows=(row("Time", "Event", "Details"), row("10:05", "Alert", "paged")), header=True),
        heading("Follow-ups"),
        FOLLOW_UP,
        Block("task", (Span("Dropped", marks=frozenset({"strike"})),), checked=False),
        Block("bullet", text_spans("one")),
        Block("bullet", text_spans("under it"), depth=1),
        Block("code", text_spans("if a]]>b:\n  pass"), language="python"),
        Block("divider"),
    ),
)

THEIRS = (
    "<h1>Impact</h1><p>Many&nbsp;people, &ldquo;all&rdquo; of them</p><p />"
    '<ac:structured-macro ac:name="jira"><ac:parameter ac:name="jqlQuery">project = OPS</ac:parameter></ac:structured-macro>'
    "<ul><li><p>one</p><ul><li><p>nested</p></li></ul></li></ul>"
    "<ac:task-list><ac:task><ac:task-status>incomplete</ac:task-status><ac:task-body>Ask</ac:task-body></ac:task>"
    "</ac:task-list><table><tbody><tr><th>Time</th><th>Event</th></tr><tr><td>10:05</td><td>Alert</td></tr></tbody></table>"
)


def test_it_is_a_provider(bench: Bench) -> None:
    provider: Provider = bench.provider
    assert provider.capabilities.compare_and_swap
    assert provider.capabilities.settle_seconds == 120


# --- creating and finding ---


def test_a_created_page_reads_back_as_projected(bench: Bench) -> None:
    page = bench.create(POST_MORTEM)
    assert page.doc == bench.provider.project(POST_MORTEM)
    assert bench.provider.project(page.doc) == page.doc
    assert (page.marker, page.version) == ("m1", "1")
    assert page.url.startswith(f"{bench.wiki.url}/") and page.native_id in page.url
    assert page.edited_at == bench.now
    assert page.author == "bot"
    assert bench.site.content[page.native_id].parent_id == bench.site.parent_id


def test_mentions_are_accounts_there_and_e_mails_here(bench: Bench) -> None:
    page = bench.create(POST_MORTEM)
    account = bench.site.account(ADA).id
    assert f'<ri:user {bench.site.user_attribute}="{account}" />' in bench.site.current_body(page.native_id)
    task = next(block for block in page.doc.blocks if block.kind == "task")
    assert mention() in task.spans


def test_somebody_without_an_account_is_plain_text(bench: Bench) -> None:
    doc = Doc("INC-2", (Block("paragraph", (mention("nobody@example.com", "Nobody Here"), Span(" knows"))),))
    page = bench.create(doc)
    assert page.doc == bench.provider.project(doc)
    assert page.doc.blocks == (paragraph("@Nobody Here knows"),)


def test_accounts_from_the_configuration_count_where_the_site_keeps_e_mails_to_itself() -> None:
    bench = Bench(accounts={"Quiet@example.com": "5b:quiet"})
    page = bench.create(Doc("INC-2", (Block("paragraph", (mention("quiet@example.com", "Q"),)),)))
    assert page.doc.blocks[0].spans[0].ref == "quiet@example.com"


def test_a_page_of_ours_is_found_by_title_and_after_it_was_renamed(bench: Bench) -> None:
    page = bench.create(POST_MORTEM)
    found = bench.provider.find(bench.place, "m1", POST_MORTEM.title)
    assert found is not None
    assert found.native_id == page.native_id
    renamed = seen(bench.write(page, *page.doc.blocks, title="Another name"))
    assert renamed.doc.title == "Another name"
    found = bench.provider.find(bench.place, "m1", POST_MORTEM.title)
    assert found is not None
    assert found.native_id == page.native_id


def test_a_page_of_ours_is_found_in_the_trash(bench: Bench) -> None:
    page = bench.create(POST_MORTEM)
    bench.site.trash(page.native_id)
    assert bench.provider.find(bench.place, "m1", POST_MORTEM.title) is not None


def test_nothing_is_found_where_nothing_is(bench: Bench) -> None:
    assert bench.provider.find(bench.place, "m1", "INC-1") is None


def test_a_foreign_page_with_the_title_is_never_taken_for_ours(bench: Bench) -> None:
    bench.people_make("<p>mine</p>", title="INC-1 Checkout is down")
    with pytest.raises(TitleTaken):
        bench.provider.find(bench.place, "m1", "INC-1 Checkout is down")
    outcome = bench.provider.create(bench.place, replace(POST_MORTEM, title="inc-1 checkout is down"), "m1")
    assert isinstance(outcome, Rejected)
    assert isinstance(outcome.error, TitleTaken)


@pytest.mark.parametrize("space", ["OPS", "https://example.atlassian.net/wiki/spaces/OPS/overview"])
@pytest.mark.parametrize("parent", ["", "{0}", "https://x.net/wiki/spaces/OPS/pages/{0}/Home", "https://x.net/v?pageId={0}"])
def test_places_are_ids_or_pasted_links(bench: Bench, space: str, parent: str) -> None:
    bench.place = Place("wiki", {"space": space, "parent": parent.format(bench.site.parent_id)}, {})
    page = bench.create(Doc("INC-1", (paragraph("x"),)))
    expected = bench.site.parent_id if parent else bench.site.homepage_id
    assert bench.site.content[page.native_id].parent_id == expected


def test_a_page_is_named_by_id_by_link_or_by_its_title_in_a_link(bench: Bench) -> None:
    page = bench.create(Doc("INC-1 A & B", (paragraph("x"),))).native_id
    site = bench.wiki.url
    for link in (page, f"{site}/spaces/OPS/pages/{page}", f"{site}/display/OPS/INC-1+A+%26+B"):
        assert bench.provider.page_id(bench.place, link) == page
    assert bench.provider.page_id(bench.place, "https://other.example.com/wiki/display/OPS/INC-1") == ""
    with pytest.raises(Missing, match="there is no page “INC-2”"):
        bench.provider.page_id(bench.place, f"{site}/display/OPS/INC-2")
    bench.site.trash(page)
    with pytest.raises(Missing):
        bench.provider.page_id(bench.place, f"{site}/display/OPS/INC-1+A+%26+B")


@pytest.mark.parametrize(
    "options",
    [
        {"space": "NOSUCH"},
        {"space": "a b/../c"},
        {"space": "https://x.net/wiki/spaces/OPS/folder/12"},
        {"space": "OPS", "parent": "../../x"},
        {"space": "OPS", "parent": "https://x.net/wiki/spaces/OPS/whiteboard/12"},
        {"space": "OPS", "parent": "https://x.net/wiki/spaces/OPS"},
        {"space": "OPS", "parent": "https://x.net/wiki/display/OPS/No+such+page"},
    ],
)
def test_a_place_that_is_none_creates_nothing(bench: Bench, options: dict[str, str]) -> None:
    outcome = bench.provider.create(Place("wiki", options, {}), POST_MORTEM, "m1")
    assert isinstance(outcome, Rejected)
    assert bench.site.writes == 0


# --- reading ---


def test_a_page_that_people_made_is_left_alone(bench: Bench) -> None:
    page = bench.people_make(THEIRS)
    work = bench.requests_of(lambda: seen(bench.write(page, *page.doc.blocks)))
    assert "PUT" not in work
    assert bench.provider.project(page.doc) == page.doc


@pytest.mark.parametrize(
    ("act", "why"),
    [(Site.trash, "trashed"), (Site.archive, "archived"), (Site.forbid, "not_found")],
)
def test_a_page_that_cannot_be_seen_says_why(bench: Bench, act: Callable[[Site, str], None], why: str) -> None:
    page = bench.create(POST_MORTEM)
    act(bench.site, page.native_id)
    with pytest.raises(Missing) as missing:
        bench.provider.read(bench.place, page.native_id)
    assert missing.value.why == why
    assert isinstance(bench.write(page, paragraph("x")), Rejected)


def test_an_id_that_is_none_is_never_sent(bench: Bench) -> None:
    with pytest.raises(Missing):
        bench.provider.read(bench.place, "1/../../spaces")
    assert not bench.site.requests


def test_versions_of_many_pages_come_in_one_request_without_bodies(bench: Bench) -> None:
    pages = [bench.create(Doc(f"INC-{n}", (paragraph("x"),))) for n in range(3)]
    bench.site.trash(pages[1].native_id)
    bench.write(pages[2], paragraph("y"))
    ids = [page.native_id for page in pages]
    before = len(bench.site.requests)
    changes = bench.provider.versions(bench.place, [*ids, "999999999", "not an id"])
    assert len(bench.site.requests) == before + 1
    assert "body-format" not in bench.site.requests[-1][1]
    assert {key: change.version for key, change in changes.items()} == {ids[0]: "1", ids[1]: None, ids[2]: "2"}


def test_short_listings_are_followed_to_their_end(bench: Bench) -> None:
    ids = [bench.create(Doc(f"INC-{n}", (paragraph("x"),))).native_id for n in range(5)]
    bench.site.listing_cap = 2
    assert set(bench.provider.versions(bench.place, ids)) == set(ids)


# --- writing ---


def test_a_change_is_one_put_with_the_note_and_touches_nothing_else(bench: Bench) -> None:
    page = bench.people_make(THEIRS)
    before = bench.site.current_body(page.native_id)
    blocks = [replace(b, spans=text_spans("Some people")) if b.text.startswith("Many") else b for b in page.doc.blocks]
    after = seen(bench.write(page, *blocks))
    assert after.doc.blocks == tuple(blocks)
    assert after.version == str(int(page.version) + 1)
    stored = bench.site.content[page.native_id].versions[-1]
    assert stored.message == "syncd: INC-1 changed"
    assert stored.body == before.replace("Many&nbsp;people, &ldquo;all&rdquo; of them", "Some people")


def test_a_write_onto_a_page_that_moved_is_stale(bench: Bench) -> None:
    page = bench.create(POST_MORTEM)
    bench.site.publish_as_editor(page.native_id, bench.site.current_body(page.native_id) + "<p>more</p>", ADA)
    work = bench.requests_of(lambda: assert_stale(bench.write(page, paragraph("x"))))
    assert "PUT" not in work


def assert_stale(outcome: Outcome) -> None:
    assert isinstance(outcome, Stale)


def test_a_version_that_moves_between_look_and_write_is_stale(bench: Bench) -> None:
    page = bench.create(POST_MORTEM)

    class Racing(Faulty):
        def handle(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
            if method == "PUT":
                bench.site.publish_as_editor(page.native_id, "<p>quicker</p>", GRACE)
            return super().handle(method, path, headers, body)

    bench.faulty.emulator = Racing(bench.site)
    assert_stale(bench.write(page, paragraph("x")))
    assert bench.provider.read(bench.place, page.native_id).doc.blocks == (paragraph("quicker"),)


def test_a_comment_made_since_the_read_survives_the_write(bench: Bench) -> None:
    page = bench.people_make("<p>The database was slow.</p><p>Nobody knew.</p>")
    stored = bench.site.content[page.native_id]
    comment = bench.site.add_comment(stored, "<p>which?</p>", bench.site.account(GRACE), None, True)
    bench.site.anchor(stored, comment, "database", 0)
    changed = replace(page.doc.blocks[0], spans=text_spans("At noon the database was slow."))
    after = seen(bench.write(page, changed, page.doc.blocks[1]))
    assert after.doc.blocks[0].text == "At noon the database was slow."
    assert bench.site.resolution(comment) == "open"


def test_a_title_that_another_page_holds_is_refused(bench: Bench) -> None:
    bench.create(Doc("INC-1", (paragraph("x"),)))
    page = bench.create(Doc("INC-2", (paragraph("x"),)), marker="m2")
    outcome = bench.write(page, *page.doc.blocks, title="INC-1")
    assert isinstance(outcome, Rejected)
    assert isinstance(outcome.error, TitleTaken)


def test_the_details_macro_keeps_saying_that_the_page_is_ours(bench: Bench) -> None:
    page = bench.create(POST_MORTEM)
    without = [block for block in page.doc.blocks if block.kind != "table"]
    gone = seen(bench.write(page, *without))
    assert gone.marker == ""
    back = seen(bench.write(replace(gone, marker="m1"), DETAILS, *gone.doc.blocks))
    assert back.marker == "m1"


@settings(max_examples=15, deadline=None)
@given(st.data())
def test_any_edit_reads_back_as_projected(data: st.DataObject) -> None:
    bench = Bench()
    page = bench.create(POST_MORTEM)
    kept = [block for block in page.doc.blocks if data.draw(st.booleans())]
    target = Doc(page.doc.title, (*data.draw(st.permutations(kept)), paragraph("new"), FOLLOW_UP))
    after = seen(bench.provider.write(bench.place, page, target, "note"))
    assert after.doc == bench.provider.project(target)
    assert "PUT" not in bench.requests_of(lambda: bench.write(after, *after.doc.blocks))


def test_a_persons_publish_does_not_change_what_the_page_says(bench: Bench) -> None:
    page = bench.create(POST_MORTEM)
    bench.site.publish_as_editor(page.native_id, bench.site.current_body(page.native_id), ADA)
    after = bench.provider.read(bench.place, page.native_id)
    assert after.doc == page.doc
    assert (after.marker, after.author) == ("m1", "Ada Byron")


# --- when things go wrong ---


@pytest.mark.parametrize(
    "fault",
    [
        Fault("reply_lost", writes),
        Fault("request_lost", writes),
        failing(502, writes),
        failing(500, writes, after_commit=True),
    ],
)
def test_a_create_without_an_answer_is_unknown_and_never_repeated(bench: Bench, fault: Fault) -> None:
    bench.faulty.script.append(fault)
    outcome = bench.provider.create(bench.place, POST_MORTEM, "m1")
    assert isinstance(outcome, Unknown)
    landed = fault.after_commit or fault.kind == "reply_lost"
    assert bench.site.writes == landed
    assert (bench.provider.find(bench.place, "m1", POST_MORTEM.title) is not None) == landed


def test_a_write_that_never_left_did_not_happen(bench: Bench) -> None:
    page = bench.create(POST_MORTEM)
    bench.faulty.script.append(Fault("refused", writes))
    outcome = bench.write(page, paragraph("x"))
    assert isinstance(outcome, Rejected)
    assert isinstance(outcome.error, Unreachable)
    assert bench.provider.read(bench.place, page.native_id) == page


def test_a_rate_limit_pauses_everybody_and_nothing_is_written(bench: Bench) -> None:
    page = bench.create(POST_MORTEM)
    bench.faulty.script.append(rate_limited("12", writes))
    outcome = bench.write(page, paragraph("x"))
    assert isinstance(outcome, Rejected)
    assert isinstance(outcome.error, RateLimited)
    assert outcome.error.retry_after == 12
    assert bench.budget.wait() == pytest.approx(12)
    begun = bench.now
    bench.provider.read(bench.place, page.native_id)
    assert bench.now - begun >= timedelta(seconds=12)


@pytest.mark.parametrize("fault", [rate_limited("Fri, 20 Nov 2026 10:00:09 GMT"), failing(503), Fault("reply_lost")])
def test_reads_are_patient(bench: Bench, fault: Fault) -> None:
    page = bench.create(POST_MORTEM)
    bench.faulty.script.append(fault)
    assert bench.provider.read(bench.place, page.native_id).doc == page.doc


def test_a_service_that_stays_away_is_unreachable(bench: Bench) -> None:
    page = bench.create(POST_MORTEM)
    bench.faulty.script += [Fault("refused")] * 9
    with pytest.raises(Unreachable):
        bench.provider.read(bench.place, page.native_id)
    assert isinstance(bench.write(page, paragraph("x")), Rejected)


def test_a_page_that_cannot_be_read_right_after_its_creation_exists_all_the_same(bench: Bench) -> None:
    bench.wait(60)
    bench.site.create_lag = timedelta(seconds=30)
    outcome = bench.provider.create(bench.place, POST_MORTEM, "m1")
    assert isinstance(outcome, Done)
    assert outcome.seen is None
    bench.wait(30)
    assert bench.provider.read(bench.place, outcome.native_id).doc == bench.provider.project(POST_MORTEM)


def test_the_services_own_words_reach_the_person(bench: Bench) -> None:
    bench.people_make("<p>x</p>", title="INC-1")
    outcome = bench.provider.create(bench.place, Doc("INC-1", (paragraph("x"),)), "m1")
    assert isinstance(outcome, Rejected)
    assert "A page already exists with the title INC-1" in str(outcome.error)


# --- doctor and people ---


def test_doctor_proves_what_it_says_and_leaves_nothing_behind(bench: Bench) -> None:
    before = alive(bench)
    said = " ".join(bench.provider.check(bench.place, write=True))
    assert [word for word in ("bot", "OPS", "Post-mortems", "trash") if word not in said] == []
    assert alive(bench) == before


def test_doctor_names_what_is_wrong(bench: Bench) -> None:
    with pytest.raises(Missing, match="NOSUCH"):
        list(bench.provider.check(Place("wiki", {"space": "NOSUCH"}, {})))
    with pytest.raises(Refused):
        list(bench.provider.check(Place("wiki", {"space": "OPS", "parent": "x"}, {})))
    bench.faulty.script.append(Fault("status", status=401))
    with pytest.raises(Unauthorized):
        list(bench.provider.check(bench.place))


def test_people_are_those_met_by_e_mail(bench: Bench) -> None:
    assert bench.provider.people() == []
    bench.create(POST_MORTEM)
    assert Person("Ada Byron", ADA) in bench.provider.people()
