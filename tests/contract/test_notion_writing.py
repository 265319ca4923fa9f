"""How one write goes: each block is looked at right before it is changed, and a failing answer is settled by looking."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import httpx
import pytest

from mapping.document import Block, Doc, paragraph, text_spans
from providers.contract import Done, Observation, Outcome, Rejected, Stale, Unknown
from providers.notion import Notion
from providers.sandbox.faults import Fault, failing, writes
from providers.sandbox.in_process import EmulatorTransport
from providers.sandbox.wire import Reply
from providers.transport import Budget
from tests.contract.notion_world import (
    DOC,
    PROPERTIES,
    STATIC,
    World,
    edited,
    index_of,
    native_of,
    swapped,
    with_blocks,
    without_block,
)


@pytest.fixture
def world() -> World:
    return World()


def _targets(seen: Observation) -> dict[str, Doc]:
    """One target for each kind of request."""
    tick = index_of(seen, "Write it")
    return {
        "text": edited(seen, "The queue", "The queue was very full."),
        "tick": swapped(seen, tick, replace(seen.doc.blocks[tick], checked=False)),
        "delete": without_block(seen, "It took"),
        "append": with_blocks(seen, (*seen.doc.blocks, paragraph("new"))),
        "title": replace(seen.doc, title="Another title"),
        "property": replace(seen.doc, properties=(("incident", "INC-12"), ("severity", "SEV2"), ("status", "In review"))),
    }


KINDS = ["text", "tick", "delete", "append", "title", "property"]


def _write(world: World, seen: Observation, target: Doc) -> Outcome:
    return world.notion.write(world.table, seen, target, "")


# --- looking first ----------------------------------------------------------------------------------------------------


def test_nothing_comes_between_a_look_and_its_write(world: World) -> None:
    seen = world.publish()
    target = edited(seen, "The queue", "Changed.")
    blocks = [block for block in target.blocks if not block.text.startswith("It took")]
    at = next(index for index, block in enumerate(blocks) if block.text.startswith("Write it"))
    blocks[at] = replace(blocks[at], checked=False)
    world.write(seen, replace(target, blocks=(*blocks[:4], paragraph("new"), *blocks[4:])))
    log = world.service.requests
    for index, (method, path) in enumerate(log):
        if method in ("PATCH", "DELETE") and not path.endswith("/children"):
            assert log[index - 1] == ("GET", path)
    appended = next(index for index, (method, path) in enumerate(log) if path.endswith("/children") and method == "PATCH")
    assert log[appended - 1][0] == "GET" and log[appended - 1][1].startswith("/v1/blocks/")


def test_a_short_budget_waits_before_the_look_and_never_between_it_and_the_write(world: World) -> None:
    seen = world.publish()

    @dataclass
    class Noted:
        requests: list[tuple[str, float]] = field(default_factory=list)

        def handle(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
            self.requests.append((method, world.now.timestamp()))
            return world.service.handle(method, path, headers, body)

    noted = Noted()
    budget = Budget(40, lambda: world.now.timestamp(), world.sleep)
    slow = Notion(
        url="https://api.notion.example",
        token="ntn_sandbox",
        accounts={},
        budget=budget,
        now=lambda: world.now,
        client=httpx.Client(transport=EmulatorTransport(noted)),
    )
    again = slow.read(world.table, seen.native_id)
    while not world.slept:
        budget.take()
    began = world.now.timestamp()
    assert isinstance(slow.write(world.table, again, edited(again, "The queue", "Changed."), ""), Done)
    moments = [time for method, time in noted.requests]
    at = next(index for index, (method, _) in enumerate(noted.requests) if method == "PATCH")
    assert moments[at - 1] > began  # it had to wait
    assert moments[at] == moments[at - 1]


def test_a_note_that_somebody_put_under_a_block_keeps_it(world: World) -> None:
    seen = world.publish()
    note = {"paragraph": {"rich_text": [{"text": {"content": "a note"}}]}}
    world.service.ui_insert(native_of(seen, "Write it"), None, note)
    assert isinstance(_write(world, seen, without_block(seen, "Write it")), Stale)
    assert world.writes() == []


def test_a_block_that_is_edited_while_it_is_removed_is_put_back(world: World) -> None:
    seen = world.publish()
    block, real = native_of(seen, "It took"), world.wire.handle

    def handle(method: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        if method == "DELETE":
            world.service.ui_edit_text(block, "A person wrote this.")
        return real(method, path, headers, body)

    world.wire.handle = handle  # type: ignore[method-assign]
    assert isinstance(_write(world, seen, without_block(seen, "It took")), Unknown)
    after = world.read(seen)
    assert native_of(after, "A person wrote this.") == block
    assert len(after.doc.blocks) == len(seen.doc.blocks)


# --- failing answers --------------------------------------------------------------------------------------------------

LANDED = [failing(503, writes, after_commit=True), failing(504, writes, after_commit=True), Fault("reply_lost", writes)]
LOST = [failing(503, writes), failing(502, writes), Fault("request_lost", writes)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fault", LANDED)
def test_a_write_that_landed_without_an_answer_is_found_done(world: World, fault: Fault, kind: str) -> None:
    seen = world.publish()
    world.wire.script.append(fault)
    target = _targets(seen)[kind]
    outcome = _write(world, seen, target)
    if kind == "append" and fault.status != 503:
        assert isinstance(outcome, Unknown)  # whose blocks those are, nobody can tell
    else:
        assert isinstance(outcome, Done) and outcome.seen
        assert outcome.seen.doc == world.notion.project(target)
    assert len(world.writes()) == 1


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fault", LOST)
def test_a_write_that_did_not_land_is_unknown_and_not_repeated(world: World, fault: Fault, kind: str) -> None:
    seen = world.publish()
    world.wire.script.append(fault)
    assert isinstance(_write(world, seen, _targets(seen)[kind]), Unknown)
    assert world.read(seen).doc == seen.doc
    assert len(world.writes()) <= 1


def test_the_rest_of_a_write_goes_on_behind_a_settled_answer(world: World) -> None:
    seen = world.publish()
    world.wire.script.append(
        failing(503, lambda method, path: writes(method, path) and path.endswith("/children"), after_commit=True)
    )
    lines = tuple(paragraph(f"line {number}") for number in range(150))
    target = with_blocks(seen, (*seen.doc.blocks[:4], *lines, *seen.doc.blocks[4:]))
    assert world.write(seen, target).doc == world.notion.project(target)
    assert len(world.writes()) == 2


def test_a_page_that_was_made_without_an_answer_is_finished(world: World) -> None:
    world.wire.script.append(failing(503, writes, after_commit=True))
    many = Doc("Long", (paragraph(STATIC), *(paragraph(f"line {n}") for n in range(150))), PROPERTIES)
    outcome = world.notion.create(world.table, many, "INC-12")
    assert isinstance(outcome, Done) and outcome.seen
    assert outcome.seen.doc == world.notion.project(many)
    assert len(world.writes()) == 2


@pytest.mark.parametrize("told", [1, 3])
def test_an_account_that_names_other_than_our_blocks_settles_nothing(world: World, told: int) -> None:
    """Only some were saved, or somebody else's are among them."""
    seen = world.publish()
    real = world.wire.handle

    def handle(method: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        reply = real(method, path, headers, body)
        if method != "PATCH":
            return reply
        ids = [block["id"] for block in json.loads(reply.body)["results"]]
        ids = [*ids, native_of(seen, "The queue")][:told]
        more = {"retry_guidance": "do_not_retry", "committed_child_ids": ids}
        said = {"object": "error", "status": 503, "code": "service_unavailable", "message": "x", "additional_data": more}
        return Reply(503, {"Content-Type": "application/json"}, json.dumps(said).encode())

    world.wire.handle = handle  # type: ignore[method-assign]
    target = with_blocks(seen, (*seen.doc.blocks, paragraph("one"), paragraph("two")))
    assert isinstance(_write(world, seen, target), Unknown)


def test_a_person_who_edits_while_an_answer_is_settled_is_not_taken_for_us(world: World) -> None:
    seen = world.publish()
    real = world.wire.handle

    def handle(method: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        reply = real(method, path, headers, body)
        if method == "PATCH":
            world.service.ui_edit_text(native_of(seen, "It took"), "A person wrote this.")
        return reply

    world.wire.handle = handle  # type: ignore[method-assign]
    world.wire.script.append(failing(503, writes, after_commit=True))
    assert isinstance(_write(world, seen, edited(seen, "The queue", "Changed.")), Unknown)


def test_a_refused_block_of_several_is_written_in_part(world: World) -> None:
    seen = world.publish(replace(DOC, blocks=(*DOC.blocks, Block("bullet", text_spans("last")))))
    world.wire.script.append(failing(400, lambda method, path: method == "DELETE"))
    target = edited(seen, "The queue", "Changed.")
    outcome = _write(world, seen, replace(target, blocks=target.blocks[:-1]))
    assert isinstance(outcome, Unknown) and "in part" in outcome.message
    world.wire.script.append(failing(400, lambda method, path: method == "PATCH"))
    assert isinstance(_write(world, world.read(seen), edited(world.read(seen), "Changed.", "Again.")), Rejected)
