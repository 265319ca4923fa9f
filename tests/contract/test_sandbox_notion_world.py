"""The Notion emulator among others: a person in the editor, the vendor's API description, the vendor's kind of client."""

import logging
from typing import Any

import httpx
import pytest
from notion_client import APIResponseError, Client

from providers.sandbox.notion import NotionWorkspace
from tests.contract.described import ABSENT, NOTION, SPECS, Described
from tests.contract.notion_api import NOBODY, Api, Json, para, plain, row, table, text


@pytest.fixture
def api() -> Api:
    return Api()


# --- the human side ----------------------------------------------------------------------------------------------------


def test_a_person_edits_ticks_and_fills_cells(api: Api) -> None:
    """27, §8: edits by people move block and page."""
    page = api.page(para("a"), {"to_do": {"rich_text": [text("b")]}}, table(2, row("c", "d")))
    paragraph, to_do, grid = (block["id"] for block in api.children(page))
    cells = api.children(grid)[0]["id"]
    api.workspace.ui_edit_text(paragraph, "A", "ada@example.com")
    api.workspace.ui_tick(to_do, True, "ada@example.com")
    api.workspace.ui_edit_cell(cells, 1, "D", "ada@example.com")
    shown = api.workspace.children_of(page)
    assert (plain(shown[0]), shown[1]["to_do"]["checked"]) == ("A", True)
    assert [cell[0]["plain_text"] for cell in api.children(grid)[0]["table_row"]["cells"]] == ["c", "D"]


def test_a_person_moves_and_turns_blocks_without_new_ids(api: Api) -> None:
    """27, §8: dragging and turning keep the id."""
    page = api.page(para("a"), para("b"), para("c"))
    first, second, third = (block["id"] for block in api.children(page))
    api.workspace.ui_move(first, third)
    api.workspace.ui_move(third, None)
    api.workspace.ui_turn_into(second, "to_do")
    assert [block["id"] for block in api.children(page)] == [third, second, first]
    turned = api.ok("GET", f"/v1/blocks/{second}")
    assert (turned["type"], plain(turned), turned["to_do"]["checked"]) == ("to_do", "b", False)


def test_splitting_keeps_the_first_id_and_the_formatting(api: Api) -> None:
    """27, §8: the new half has a new id."""
    page = api.page({"paragraph": {"rich_text": [text("plain "), text("bold", bold=True)]}})
    block = api.children(page)[0]["id"]
    new = api.workspace.ui_split(block, 8)
    first, second = api.children(page)
    assert ([first["id"], second["id"]], [plain(first), plain(second)]) == ([block, new], ["plain bo", "ld"])
    assert second["paragraph"]["rich_text"][0]["annotations"]["bold"] is True


def test_a_person_inserts_what_the_api_cannot_write(api: Api) -> None:
    """28, §4: kinds that only people make."""
    page = api.page(para("a"), para("b"))
    first = api.children(page)[0]["id"]
    button = {"type": "unsupported", "unsupported": {"block_type": "button"}}
    new = api.workspace.ui_insert(page, first, button, "grace@example.com")
    assert [block["type"] for block in api.children(page)] == ["paragraph", "unsupported", "paragraph"]
    assert api.ok("GET", f"/v1/blocks/{new}")["unsupported"] == {"block_type": "button"}
    after = {"type": "after_block", "after_block": {"id": new}}
    assert [plain(block) for block in api.append(page, para("x"), position=after)] == ["x", "b"]
    assert api.workspace.ui_insert(page, None, para("top"), "ada@example.com") == api.children(page)[0]["id"]


def test_a_pasted_link_becomes_a_mention_that_cannot_be_written_back(api: Api) -> None:
    """§8: a pasted address may become a `link_mention`."""
    page = api.page(para("a"))
    block = api.children(page)[0]["id"]
    pasted = {"mention": {"link_mention": {"href": "https://example.com/x", "title": "Example"}}}
    api.workspace.ui_edit_rich_text(block, [text("see "), pasted], "grace@example.com")
    shown = api.children(page)[0]
    assert plain(shown) == "see Example"
    assert shown["paragraph"]["rich_text"][1]["href"] == "https://example.com/x"
    written = {"paragraph": {"rich_text": shown["paragraph"]["rich_text"]}}
    assert "link_mention" in api.no("PATCH", f"/v1/blocks/{block}", written)


def test_a_person_changes_pages(api: Api) -> None:
    """27, §8: lock, rename, trash."""
    page = api.page()
    api.later(2)
    api.workspace.ui_set_property(page, "Status", "Completed")
    api.workspace.ui_set_property(page, "Incident", "INC-5")
    api.workspace.ui_rename(page, "New name")
    shown = api.ok("GET", f"/v1/pages/{page}")["properties"]
    assert (shown["Status"]["status"]["name"], shown["Incident"]["rich_text"][0]["plain_text"]) == ("Completed", "INC-5")
    assert api.edited(page) == "10:02"
    api.workspace.trash(page)
    home = (api.workspace.page_id, "Post-mortems home", False)
    assert list(api.workspace.pages()) == [home, (page, "New name", True)]
    api.workspace.restore(page)
    assert api.titles() == ["New name"]


# --- the vendor's own description, and client --------------------------------------------------------------------------


def _every_kind_of_block() -> list[Json]:
    rich = {"rich_text": [text("a"), {"mention": {"date": {"start": "2026-01-01"}}}, {"equation": {"expression": "x"}}]}
    media = {"external": {"url": "https://example.com/a.png"}, "caption": [text("c")]}
    plain_kinds = ["paragraph", "bulleted_list_item", "numbered_list_item", "quote", "toggle", "to_do", "callout"]
    blocks: list[Json] = [{kind: rich} for kind in (*plain_kinds, "heading_1", "heading_2", "heading_3", "heading_4")]
    blocks += [{kind: media} for kind in ("image", "video", "pdf", "file", "audio")]
    blocks += [{kind: {"url": "https://example.com"}} for kind in ("bookmark", "embed")]
    blocks += [{"divider": {}}, {"breadcrumb": {}}, {"table_of_contents": {}}, {"equation": {"expression": "x^2"}}]
    blocks += [{"code": {**rich, "language": "shell"}}, table(2, row("a", "b")), {"synced_block": {"synced_from": None}}]
    columns = {"column_list": {"children": [{"column": {"children": [para("a")], "width_ratio": 0.5}}]}}
    return [*blocks, columns, {"tab": {"children": [para("label")]}}, {"link_to_page": {"page_id": NOBODY}}]


@pytest.mark.skipif(not SPECS.exists(), reason=ABSENT)
def test_answers_are_those_the_vendor_describes() -> None:
    """Each operation and each kind of block at least once; `Described` holds every answer and every request."""
    api = Api()
    api.door = Described(api.workspace, NOTION)
    checked = api.ok
    source = api.workspace.data_source_id
    properties = {"Name": {"title": [text("t")]}, "Status": {"status": {"name": "Completed"}}}
    page = checked("POST", "/v1/pages", {"parent": {"data_source_id": source}, "properties": properties})["id"]
    block = checked("PATCH", f"/v1/blocks/{page}/children", {"children": _every_kind_of_block()})["results"][0]["id"]
    api.workspace.ui_insert(page, None, {"unsupported": {"block_type": "button"}})
    for listed in checked("GET", f"/v1/blocks/{page}/children")["results"]:
        checked("GET", f"/v1/blocks/{listed['id']}/children")
    checked("GET", f"/v1/blocks/{block}")
    checked("PATCH", f"/v1/blocks/{block}", para("b"))
    checked(
        "PATCH", f"/v1/pages/{page}", {"icon": {"emoji": "🔥"}, "properties": {"Severity": {"select": {"name": "SEV1"}}}}
    )
    checked("GET", f"/v1/pages/{page}")
    checked("GET", f"/v1/pages/{page}/properties/title")
    extra: Json = {"Count": {"number": {}}, "Who": {"people": {}}, "Tags": {"multi_select": {}}, "By": {"created_by": {}}}
    checked("PATCH", f"/v1/data_sources/{source}", {"properties": extra})
    checked("GET", f"/v1/data_sources/{source}")
    checked("POST", f"/v1/data_sources/{source}/query", {})
    checked("GET", f"/v1/databases/{api.workspace.database_id}")
    checked("GET", f"/v1/blocks/{api.workspace.page_id}/children")
    checked("POST", "/v1/search", {})
    checked("GET", "/v1/users")
    checked("GET", "/v1/users/me")
    checked("POST", "/v1/comments", {"parent": {"block_id": block}, "rich_text": [text("c")]})
    checked("GET", f"/v1/comments?block_id={block}")
    checked("DELETE", f"/v1/blocks/{block}")
    checked("POST", f"/v1/pages/{page}/move", {"parent": {"page_id": api.workspace.page_id}})


class _Wire(httpx.BaseTransport):
    def __init__(self, workspace: NotionWorkspace) -> None:
        self._workspace = workspace

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        path = request.url.raw_path.decode()
        reply = self._workspace.handle(request.method, path, dict(request.headers), request.read())
        return httpx.Response(reply.status, headers=reply.headers, content=reply.body)


def test_the_real_client_reads_and_writes(api: Api) -> None:
    """§1: notion-client 3.1.0 against it."""
    with httpx.Client(transport=_Wire(api.workspace)) as http:
        client: Any = Client(
            auth="secret", client=http, notion_version="2026-03-11", retry=False, logger=logging.getLogger("notion-test")
        )
        parent = {"data_source_id": api.workspace.data_source_id}
        page = client.pages.create(parent=parent, properties={"Name": {"title": [text("INC-3")]}}, children=[para("a")])
        client.blocks.children.append(page["id"], children=[para("0")], position={"type": "start"})
        listed = client.blocks.children.list(page["id"], page_size=1)
        assert (plain(listed["results"][0]), listed["has_more"]) == ("0", True)
        client.blocks.update(listed["results"][0]["id"], paragraph={"rich_text": [text("zero")]})
        found = client.data_sources.query(
            parent["data_source_id"], filter={"property": "Name", "title": {"equals": "INC-3"}}
        )
        assert [row["id"] for row in found["results"]] == [page["id"]]
        client.pages.update(page["id"], in_trash=True)
        with pytest.raises(APIResponseError) as refusal:
            client.blocks.children.append(page["id"], children=[para("late")])
        assert (refusal.value.code, refusal.value.status) == ("validation_error", 400)
        assert client.search(query="INC-3")["results"] == []
