"""What Notion may answer one day: kinds, fields and values that nobody knows yet. All of it survives, and nothing breaks."""

import json
import random
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapping.document import text_spans
from mapping.notion_blocks import NativeBlock, decode, has_readable_children, walk
from mapping.notion_copy import loses
from mapping.notion_fit import Layout, fit
from mapping.notion_plan import Patch, steps
from mapping.notion_text import Accounts
from providers.sandbox.wire import Reply
from tests.contract.notion_world import DOC, World, edited, native_of

Json = dict[str, Any]
NEW_BLOCK = {"object": "block", "id": "11111111-2222-4333-8444-555555555555", "type": "hologram", "hologram": {"depth": [1]}}
LEAVES: list[Any] = [None, [], {}, "", "new", 7, True, ["new"], {"type": "new", "new": {"x": None}}]


def _strange(value: Any, chance: random.Random, inside: str = "") -> Any:
    """The value with things that nobody knows in it, ids and the shape of the envelope left alone."""
    if isinstance(value, dict):
        found = {name: _strange(inner, chance, name) for name, inner in value.items()}
        if inside and chance.random() < 0.15:
            found["brand_new"] = chance.choice(LEAVES)
        if inside and found and chance.random() < 0.1:
            found[chance.choice(list(found))] = None
        return found
    if isinstance(value, list):
        return [_strange(inner, chance, inside) for inner in value]
    return value


def _blocks(raw: Json, chance: random.Random) -> Json:
    """A block with a strange payload."""
    kind = str(raw.get("type"))
    if chance.random() < 0.1:
        return {**raw, "type": "hologram", "hologram": raw.get(kind)}
    payload = raw.get(kind)
    return {**raw, kind: _strange(payload, chance, kind), "brand_new": 1} if isinstance(payload, dict) else raw


def _tree(blocks: list[Json], world: World, chance: random.Random) -> tuple[NativeBlock, ...]:
    found = []
    for block in blocks:
        raw = _blocks(block, chance)
        inside = world.service.children_of(block["id"]) if has_readable_children(raw) else []
        found.append(NativeBlock(raw, _tree(inside, world, chance)))
    return tuple(found)


@settings(max_examples=120, deadline=None)
@given(st.integers(0, 10**9))
def test_strange_blocks_are_read_and_an_edit_touches_no_other(seed: int) -> None:
    world, chance = World(), random.Random(seed)
    page = world.publish()
    tree = _tree(world.service.children_of(page.native_id), world, chance)
    accounts = Accounts()
    blocks = decode(tree, accounts)
    assert [loses(node) for node in walk(tree)]
    layout = Layout(page.native_id, tree, accounts)
    same = fit(layout, blocks, blocks, {})
    assert (steps(layout, same, {}), same.holds) == ((), ())
    for index, block in enumerate(blocks):
        if block.kind == "paragraph":
            target = (*blocks[:index], replace(block, spans=text_spans("other words")), *blocks[index + 1 :])
            fitted = fit(layout, blocks, target, {})
            taken = steps(layout, fitted, {})
            assert all(isinstance(step, Patch) and step.native == block.native for step in taken)
            assert taken or fitted.holds


@pytest.mark.parametrize("seed", range(12))
def test_a_page_with_strange_answers_is_read_and_written(seed: int) -> None:
    world, chance = World(), random.Random(seed)
    seen = world.publish()
    real = world.wire.handle

    def handle(method: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        reply = real(method, path, headers, body)
        answer = json.loads(reply.body)
        answer["brand_new"] = chance.choice(LEAVES)
        if method == "GET" and path.partition("?")[0].endswith("/children") and seen.native_id in path:
            answer["results"] = [{**block, "brand_new": chance.choice(LEAVES)} for block in answer["results"]]
            answer["results"].insert(chance.randrange(len(answer["results"])), NEW_BLOCK)
            answer["results"].append({"object": "block", "id": "21111111-2222-4333-8444-555555555555"})
        if answer.get("object") == "page":
            answer |= {"last_edited_by": None, "icon": {"type": "new", "new": 1}}
            answer["properties"]["Brand new"] = {"id": "x", "type": "oracle", "oracle": None}
        return reply._replace(body=json.dumps(answer).encode())

    world.wire.handle = handle  # type: ignore[method-assign]
    strange = world.read(seen)
    assert [block.text for block in strange.doc.blocks if block.kind == "kept"] == ["hologram", "unsupported"]
    after = world.write(strange, edited(strange, "The queue", "Changed."))
    assert world.writes() == [("PATCH", f"/v1/blocks/{native_of(seen, 'The queue')}")]
    assert "Changed." in [block.text for block in after.doc.blocks]
    assert {b.native for b in strange.doc.blocks} == {b.native for b in after.doc.blocks}
    assert DOC.title == after.doc.title
