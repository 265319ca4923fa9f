"""Where Notion pages are and who is there: destinations, finding, the change feed, people, status names, doctor."""

import random
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from mapping.document import Block, Doc, Span, heading, paragraph, text_spans
from mapping.incident import Person
from providers.contract import Done, Missing, Observation, Place, Refused, Rejected, Stale, Unauthorized
from providers.notion import Notion
from providers.notion_columns import Columns
from providers.sandbox.faults import Fault, Faulty, writes
from providers.sandbox.in_process import EmulatorTransport
from providers.sandbox.notion import NotionWorkspace
from providers.sandbox.notion_gate import CAPABILITIES
from providers.transport import Budget
from tests.contract.described import NOTION, Described

STATIC = "In step with incident INC-12. Edit freely."
PROPERTIES = (("incident", "INC-12"), ("severity", "SEV1"), ("status", "In progress"))
BODY = (paragraph(STATIC), heading("Summary"), paragraph("The queue was full."), paragraph("It took an hour."))
DOC = Doc("INC-12 Queue full", BODY, PROPERTIES)


@dataclass
class World:
    """A workspace, the faults on the way to it, a clock, and a provider."""

    now: datetime = datetime(2026, 11, 23, 10, 0, 30, tzinfo=UTC)

    def __post_init__(self) -> None:
        self.service = NotionWorkspace(lambda: self.now, random.Random(7))
        self.wire = Faulty(Described(self.service, NOTION))
        self.notion = self.connect({})
        self.table = Place("notes", {"data_source": self.service.data_source_id}, {})
        self.plain = Place("pages", {"page": self.service.page_id}, {})

    def connect(self, accounts: dict[str, str], per_minute: float = 100_000) -> Notion:
        """One more provider of the same workspace, as after a restart."""
        return Notion(
            url="https://api.notion.example",
            token="ntn_sandbox",
            accounts=accounts,
            budget=Budget(per_minute, lambda: self.now.timestamp(), self.pass_time),
            now=lambda: self.now,
            client=httpx.Client(transport=EmulatorTransport(self.wire)),
        )

    def pass_time(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def publish(self, doc: Doc = DOC, place: Place | None = None) -> Observation:
        outcome = self.notion.create(place or self.table, doc, "INC-12")
        assert isinstance(outcome, Done) and outcome.seen
        return outcome.seen

    def read(self, seen: Observation, place: Place | None = None) -> Observation:
        return self.notion.read(place or self.table, seen.native_id)


@pytest.fixture
def world() -> World:
    return World()


def _native(seen: Observation, text: str) -> str:
    return next(block.native for block in seen.doc.blocks if block.text.startswith(text))


def _edited(seen: Observation, text: str, after: str) -> Doc:
    blocks = (replace(b, spans=text_spans(after)) if b.text.startswith(text) else b for b in seen.doc.blocks)
    return replace(seen.doc, blocks=tuple(blocks))


# --- gone, hidden, found ----------------------------------------------------------------------------------------------


def test_a_page_in_the_trash_is_missing_and_not_found(world: World) -> None:
    seen = world.publish()
    world.service.trash(seen.native_id)
    with pytest.raises(Missing) as gone:
        world.read(seen)
    assert gone.value.why == "trashed"
    assert world.notion.find(world.table, "INC-12", DOC.title) is None
    outcome = world.notion.write(world.table, seen, replace(seen.doc, title="x"), "")
    assert isinstance(outcome, Stale)


def test_a_write_to_a_page_that_went_to_the_trash_meanwhile_is_rejected_as_such(world: World) -> None:
    seen = world.publish()
    world.service.trash(seen.native_id)
    outcome = world.notion.write(world.table, seen, _edited(seen, "The queue", "x"), "")
    assert isinstance(outcome, Rejected) and isinstance(outcome.error, Missing)
    assert outcome.error.why == "trashed"


def test_a_page_that_is_no_longer_shared_is_not_found(world: World) -> None:
    seen = world.publish()
    world.service.unshare(seen.native_id)
    with pytest.raises(Missing) as gone:
        world.read(seen)
    assert gone.value.why == "not_found"
    outcome = world.notion.write(world.table, seen, _edited(seen, "The queue", "x"), "")
    assert isinstance(outcome, Stale)


@pytest.mark.parametrize("plain", [True, False])
def test_a_page_is_found_by_its_marker(world: World, plain: bool) -> None:
    place = world.plain if plain else world.table
    assert world.notion.find(place, "INC-12", DOC.title) is None
    seen = world.publish(DOC, place)
    found = world.notion.find(place, "INC-12", DOC.title)
    assert found and found.native_id == seen.native_id
    assert world.notion.find(place, "INC-1", DOC.title) is None


def test_a_link_to_the_database_is_enough(world: World) -> None:
    bare = world.service.database_id.replace("-", "")
    place = Place("notes", {"data_source": f"https://app.notion.com/p/acme/Post-mortems-{bare}?v={'0' * 32}"}, {})
    assert list(world.notion.check(place))
    assert world.notion.create(place, DOC, "INC-12")


@pytest.mark.parametrize("option", ["", "post-mortems", "../users/me", "https://app.notion.com/p/acme"])
def test_what_is_no_id_never_gets_into_a_path(world: World, option: str) -> None:
    with pytest.raises(Refused):
        list(world.notion.check(Place("notes", {"data_source": option}, {})))
    assert not [path for _, path in world.service.requests if "users" not in path]


# --- status names -----------------------------------------------------------------------------------------------------


def test_statuses_go_by_their_mapped_names(world: World) -> None:
    mapped = {"status": {"name": "Severity", "in_progress": "SEV3", "completed": "SEV1"}}
    place = replace(world.table, properties=mapped)
    outcome = world.notion.create(place, DOC, "INC-12")
    assert isinstance(outcome, Done) and outcome.seen
    assert outcome.seen.doc.property("status") == "In progress"
    world.service.ui_set_property(outcome.native_id, "Severity", "SEV1")
    assert world.read(outcome.seen, place).doc.property("status") == "Completed"


def test_a_database_with_the_services_own_status_names_is_understood(world: World) -> None:
    options = [{"name": "Not started"}, {"name": "In progress"}, {"name": "Done"}]
    schema = {"Status": {"type": "status", "status": {"options": options}}}
    written = Columns(world.table).write(schema, schema, {"status": "Completed", "severity": "SEV1"})
    assert written == {"Status": {"status": {"name": "Done"}}}
    page = {"properties": {"Status": {"type": "status", "status": {"name": "Not started"}}}}
    assert Columns(world.table).read(page) == (("status", "In progress"),)


# --- the change feed --------------------------------------------------------------------------------------------------


# --- people and doctor ------------------------------------------------------------------------------------------------


def test_people_are_those_with_an_email(world: World) -> None:
    assert set(world.notion.people()) == {
        Person("Ada Byron", "ada@example.com"),
        Person("Grace Hopkins", "grace@example.com"),
    }


def test_a_token_that_may_not_list_users_still_mentions_configured_accounts(world: World) -> None:
    ada = next(user["id"] for user in world.service._tree.users.values() if user["name"] == "Ada Byron")
    world.notion = world.connect({"Ada@work.example.com": ada})
    world.wire.script.append(Fault("status", lambda method, path: path.startswith("/v1/users"), 403))
    assert [person.email for person in world.notion.people()] == ["ada@work.example.com"]
    mention = Span("Ada", "mention", "ada@work.example.com")
    seen = world.publish(replace(DOC, blocks=(paragraph(STATIC), Block("task", (mention,)))))
    assert seen.doc.blocks[1].spans == (Span("Ada Byron", "mention", "ada@work.example.com"),)


def test_doctor_says_each_step_and_leaves_nothing_but_a_page_in_the_trash(world: World) -> None:
    assert list(world.notion.check(world.table, write=True)) == [
        "connected to Sandbox as Sandbox",
        "2 people can be mentioned",
        f"data source {world.service.data_source_id} is readable",
        "property Incident carries the incident",
        "property Severity carries the severity",
        "property Status carries the status",
        "a test page was made",
        "its text was edited",
        "it was commented on",
        "it reads as it was written",
        "it was moved to the trash; nothing else was touched",
    ]
    assert [trashed for _, title, trashed in world.service.pages() if "check" in title] == [True]
    assert list(world.notion.check(world.plain))[-1] == "page Post-mortems home is readable"


@pytest.mark.parametrize(
    ("without", "said"),
    [
        ("insert_content", "making a page was refused: switch on the capability “Insert content”"),
        ("update_content", "editing a block was refused: switch on the capability “Update content”.*remove it by hand"),
        ("read_content", "403"),
    ],
)
def test_doctor_names_the_capability_that_a_step_lacks(world: World, without: str, said: str) -> None:
    world.service.gate.limit("ntn_sandbox", CAPABILITIES - {without})
    with pytest.raises(Unauthorized, match=said):
        list(world.notion.check(world.plain, write=True))


def test_doctor_does_without_comments_and_addresses_and_says_so(world: World) -> None:
    world.service.gate.limit("ntn_sandbox", CAPABILITIES - {"insert_comments", "read_emails"})
    said = list(world.notion.check(world.table, write=True))
    assert any("“Insert comments” is off" in line for line in said)
    assert any("only those under [people]" in line for line in said)
    assert said[-1].startswith("it was moved to the trash")


def test_a_test_page_goes_to_the_trash_although_a_step_failed(world: World) -> None:
    world.wire.script.append(Fault("status", lambda method, path: method == "PATCH" and "/blocks/" in path, 403))
    with pytest.raises(Unauthorized, match="Update content"):
        list(world.notion.check(world.table, write=True))
    assert [trashed for _, title, trashed in world.service.pages() if "check" in title] == [True]


def test_our_own_budget_keeps_within_the_services_window(world: World) -> None:
    items = (text_spans(f"item {n}") for n in range(250))
    lists = (block for item in items for block in (Block("bullet", item), Block("bullet", item, depth=1)))
    seen = world.publish(replace(DOC, blocks=(*BODY, *lists)))
    world.pass_time(600)
    world.service.gate.per_window = 180
    world.notion = world.connect({}, 180)
    asked = len(world.service.requests)
    began = world.now
    assert world.read(seen).doc == world.notion.project(replace(DOC, blocks=seen.doc.blocks))
    assert len(world.service.requests) - asked > 250
    assert world.now - began < timedelta(minutes=3)


def test_doctor_stops_at_what_is_wrong(world: World) -> None:
    with pytest.raises(Missing):
        list(world.notion.check(Place("notes", {"page": "0" * 32}, {})))
    world.wire.script.append(Fault("status", writes, 403))
    with pytest.raises(Unauthorized):
        list(world.notion.check(world.table, write=True))
