"""The Notion emulator, judged by what is known of the service: recorded traffic, its documents, its API description."""

import json
import logging
import random
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from notion_client import APIResponseError, Client

from providers.sandbox import notion_query
from providers.sandbox.notion import NotionWorkspace

Json = dict[str, Any]

SPEC = Path(__file__).parents[2] / "../shared/specs/notion-2026-03-11.json"
TEXT_LIMIT = 2000
NOBODY = "00000000-0000-4000-8000-000000000000"


class Api:
    """A workspace, a clock that stands still until told, and the shortest way to send a request."""

    def __init__(self, **options: Any) -> None:
        self.now = datetime(2026, 11, 20, 10, 0, 17, 250000, tzinfo=UTC)
        self.workspace = NotionWorkspace(lambda: self.now, random.Random(7), **options)

    def later(self, minutes: float) -> None:
        self.now += timedelta(minutes=minutes)

    def send(self, method: str, path: str, body: object = None, token: str = "one") -> tuple[int, Json]:
        headers = {"Authorization": f"Bearer {token}", "Notion-Version": "2026-03-11"}
        payload = b"" if body is None else json.dumps(body).encode()
        reply = self.workspace.handle(method, path, headers, payload)
        answer: Json = json.loads(reply.body)
        assert answer["request_id"] == reply.headers["x-notion-request-id"]
        return reply.status, answer

    def ok(self, method: str, path: str, body: object = None, token: str = "one") -> Json:
        status, answer = self.send(method, path, body, token)
        assert status == 200, answer
        return answer

    def no(self, method: str, path: str, body: object = None, code: str = "validation_error") -> str:
        """The message of a refusal."""
        status, answer = self.send(method, path, body)
        assert (answer["object"], answer["code"], answer["status"]) == ("error", code, status), answer
        return str(answer["message"])

    def page(self, *blocks: Json, title: str = "INC-1", **properties: Json) -> str:
        body = {
            "parent": {"data_source_id": self.workspace.data_source_id},
            "properties": {"Name": {"title": [{"text": {"content": title}}]}, **properties},
            "children": list(blocks),
        }
        return str(self.ok("POST", "/v1/pages", body)["id"])

    def children(self, parent: str) -> list[Json]:
        results: list[Json] = self.ok("GET", f"/v1/blocks/{parent}/children")["results"]
        return results

    def append(self, parent: str, *blocks: Json, **more: Json) -> list[Json]:
        answer = self.ok("PATCH", f"/v1/blocks/{parent}/children", {"children": list(blocks), **more})
        results: list[Json] = answer["results"]
        return results

    def cannot_append(self, parent: str, *blocks: Json, **more: Any) -> str:
        return self.no("PATCH", f"/v1/blocks/{parent}/children", {"children": list(blocks), **more})

    def edited(self, page: str) -> str:
        return str(self.ok("GET", f"/v1/pages/{page}")["last_edited_time"])[11:16]

    def query(self, **body: Any) -> Json:
        return self.ok("POST", f"/v1/data_sources/{self.workspace.data_source_id}/query", body)

    def titles(self, **body: Any) -> list[str]:
        return [row["properties"]["Name"]["title"][0]["plain_text"] for row in self.query(**body)["results"]]


@pytest.fixture
def api() -> Api:
    return Api()


def text(content: str, **annotations: bool) -> Json:
    item: Json = {"text": {"content": content}}
    return {**item, "annotations": annotations} if annotations else item


def para(content: str, **more: Any) -> Json:
    return {"paragraph": {"rich_text": [text(content)], **more}}


def toggle(content: str, *children: Json) -> Json:
    return {"toggle": {"rich_text": [text(content)], "children": list(children)}}


def row(*cells: str) -> Json:
    return {"table_row": {"cells": [[text(cell)] for cell in cells]}}


def table(width: int, *rows: Json) -> Json:
    return {"table": {"table_width": width, "has_column_header": True, "children": list(rows)}}


def plain(block: Json) -> str:
    return "".join(item["plain_text"] for item in block[block["type"]]["rich_text"])


# --- the front door ------------------------------------------------------------------------------------------------


def test_no_token_is_unauthorized(api: Api) -> None:
    reply = api.workspace.handle("GET", "/v1/users/me", {"Notion-Version": "2026-03-11"}, b"")
    answer = json.loads(reply.body)
    assert (reply.status, answer["code"], answer["message"]) == (401, "unauthorized", "API token is invalid.")


def test_the_version_header_is_required(api: Api) -> None:
    reply = api.workspace.handle("GET", "/v1/users/me", {"authorization": "Bearer one"}, b"")
    assert (reply.status, json.loads(reply.body)["code"]) == (400, "missing_version")
    old = {"authorization": "Bearer one", "notion-version": "2022-06-28"}
    assert api.workspace.handle("GET", "/v1/users/me", old, b"").status == 400


@pytest.mark.parametrize(("method", "path"), [("GET", "/v1/nothing"), ("PUT", "/v1/pages"), ("GET", "/v2/users")])
def test_unknown_paths_and_methods(api: Api, method: str, path: str) -> None:
    assert api.no(method, path, code="invalid_request_url") == "Invalid request URL."


def test_malformed_ids_and_bodies(api: Api) -> None:
    wanted = 'path failed validation: path.page_id should be a valid uuid, instead was `"AAA"`.'
    assert api.no("GET", "/v1/pages/AAA") == wanted
    headers = {"Authorization": "Bearer one", "Notion-Version": "2026-03-11"}
    reply = api.workspace.handle("POST", "/v1/search", headers, b"{")
    assert json.loads(reply.body)["code"] == "invalid_json"


def test_ids_are_taken_without_dashes_and_answered_with_them(api: Api) -> None:
    page = api.workspace.page_id
    assert api.ok("GET", f"/v1/pages/{page.replace('-', '').upper()}")["id"] == page


def test_every_token_is_a_bot_of_its_own(api: Api) -> None:
    one, other = api.ok("GET", "/v1/users/me"), api.ok("GET", "/v1/users/me", token="two")
    assert one["type"] == other["type"] == "bot"
    assert one["id"] != other["id"]
    assert api.ok("GET", "/v1/users/me")["id"] == one["id"]


def test_users_are_listed_with_their_addresses(api: Api) -> None:
    users = api.ok("GET", "/v1/users")["results"]
    addresses = {user["person"]["email"]: user["name"] for user in users if user["type"] == "person"}
    assert addresses == {"ada@example.com": "Ada Byron", "grace@example.com": "Grace Hopkins"}
    assert api.ok("GET", f"/v1/users/{users[0]['id']}")["name"] == users[0]["name"]
    assert "Could not find user with ID" in api.no("GET", f"/v1/users/{NOBODY}", code="object_not_found")


def test_requests_and_what_they_created_are_recorded(api: Api) -> None:
    page = api.page(para("a"))
    assert api.workspace.last_created == [page]
    made = api.append(page, toggle("b", para("inside")), para("c"))
    assert api.workspace.last_created == [block["id"] for block in made]
    api.children(page)
    assert api.workspace.last_created == []
    assert api.workspace.requests[-1] == ("GET", f"/v1/blocks/{page}/children")


_VOCABULARY = (
    "children paragraph table rich_text text content link url type mention date start properties Name title Status "
    "status filter and property timestamp last_edited_time equals sorts parent icon cells object id select name"
)
_WORDS = _VOCABULARY.split()


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(
        ["PATCH children", "PATCH page", "PATCH block", "POST query", "POST page", "PATCH source", "POST comment"]
    ),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=4) | st.just("2026-01-01T10:00:00Z"),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(_WORDS),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    ),
)
def test_no_body_makes_it_fail(where: str, body: object) -> None:
    api = Api()
    page = api.page(para("a"))
    place = {
        "PATCH children": f"/v1/blocks/{page}/children",
        "PATCH page": f"/v1/pages/{page}",
        "PATCH block": f"/v1/blocks/{api.children(page)[0]['id']}",
        "POST query": f"/v1/data_sources/{api.workspace.data_source_id}/query",
        "POST page": "/v1/pages",
        "PATCH source": f"/v1/data_sources/{api.workspace.data_source_id}",
        "POST comment": "/v1/comments",
    }[where]
    status, _ = api.send(where.split()[0], place, body)
    assert status in {200, 400, 404}


# --- rich text -----------------------------------------------------------------------------------------------------


def test_equal_neighbours_merge_and_empty_items_go(api: Api) -> None:
    items = [text("a" * TEXT_LIMIT), text("b"), text(""), text("c", bold=True), text("d", bold=True)]
    page = api.page({"paragraph": {"rich_text": items}})
    shown = api.children(page)[0]["paragraph"]["rich_text"]
    assert [len(item["plain_text"]) for item in shown] == [TEXT_LIMIT + 1, 2]
    assert shown[1]["annotations"]["bold"] is True
    assert shown[0]["annotations"]["color"] == "default"
    assert shown[0]["text"]["link"] is None


def test_links_are_told_apart_and_lose_their_type(api: Api) -> None:
    linked = {"text": {"content": "b", "link": {"type": "url", "url": "https://example.com/x"}}}
    page = api.page({"paragraph": {"rich_text": [text("a"), linked]}})
    first, second = api.children(page)[0]["paragraph"]["rich_text"]
    assert first["href"] is None
    assert second["text"]["link"] == {"url": "https://example.com/x"}
    assert second["href"] == "https://example.com/x"


@pytest.mark.parametrize("url", ["/relative", "word", "#anchor", "ftp://example.com", ""])
def test_links_must_be_absolute(api: Api, url: str) -> None:
    message = api.cannot_append(api.page(), {"paragraph": {"rich_text": [{"text": {"content": "a", "link": {"url": url}}}]}})
    assert message == "Content creation Failed. Fix the following: \nInvalid URL for link."


def test_lengths_count_utf16_units(api: Api) -> None:
    page = api.page()
    api.append(page, para("😀" * (TEXT_LIMIT // 2)))
    message = api.cannot_append(page, para("😀" * (TEXT_LIMIT // 2) + "a"))
    place = "body.children[0].paragraph.rich_text[0].text.content.length"
    assert message == f"body failed validation: {place} should be ≤ `2000`, instead was `2001`."


def test_at_most_a_hundred_items(api: Api) -> None:
    message = api.cannot_append(api.page(), {"paragraph": {"rich_text": [text("a")] * 101}})
    place = "body.children[0].paragraph.rich_text.length"
    assert message == f"body failed validation: {place} should be ≤ `100`, instead was `101`."


def test_what_was_read_may_be_written_unless_the_key_is_unknown(api: Api) -> None:
    page = api.page(para("a"))
    item = api.children(page)[0]["paragraph"]["rich_text"][0]
    api.append(page, {"paragraph": {"rich_text": [item]}})
    message = api.cannot_append(page, {"paragraph": {"rich_text": [{**item, "colour": "red"}]}})
    assert 'rich_text[0].colour should be not present, instead was `"red"`.' in message


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ({"start": "2026-06-27T16:57:28.513237Z", "time_zone": "UTC"}, "2026-06-27T16:57:00.000+00:00"),
        ({"start": "2026-06-27T16:57:28", "time_zone": "Europe/Berlin"}, "2026-06-27T16:57:00.000+02:00"),
        ({"start": "2026-06-27"}, "2026-06-27"),
    ],
)
def test_dates_lose_seconds_and_zone_names(api: Api, written: Json, kept: str) -> None:
    page = api.page({"paragraph": {"rich_text": [{"mention": {"date": written}}]}})
    (item,) = api.children(page)[0]["paragraph"]["rich_text"]
    assert item["mention"]["date"] == {"start": kept, "end": None, "time_zone": None}
    assert (item["plain_text"], item["href"]) == (kept, None)


def test_mentions_show_the_targets_present_name(api: Api) -> None:
    target = api.page(title="Old")
    ada = next(user for user in api.ok("GET", "/v1/users")["results"] if user["name"] == "Ada Byron")
    mentions = [{"mention": {"page": {"id": target}}}, text(" "), {"mention": {"user": {"id": ada["id"]}}}]
    page = api.page({"paragraph": {"rich_text": mentions}})
    block = api.children(page)[0]
    assert plain(block) == "Old @Ada Byron"
    assert block["paragraph"]["rich_text"][2]["mention"]["user"]["person"] == {"email": "ada@example.com"}
    api.later(5)
    api.workspace.ui_rename(target, "New")
    renamed = api.children(page)[0]
    assert plain(renamed) == "New @Ada Byron"
    assert renamed["last_edited_time"] == block["last_edited_time"]
    api.workspace.unshare(target)
    assert plain(api.children(page)[0]) == "Untitled @Ada Byron"


# --- blocks --------------------------------------------------------------------------------------------------------


def test_defaults_of_a_new_block(api: Api) -> None:
    page = api.page(
        para("a"),
        {"callout": {"rich_text": []}},
        {"heading_2": {"rich_text": [text("h")]}},
        {"to_do": {"rich_text": []}},
        {"code": {"rich_text": [text("x = 1")], "language": "python"}},
        {"file": {"external": {"url": "https://example.com/my_robot.txt"}, "name": "my_robot"}},
    )
    paragraph, callout, heading, to_do, code, file = api.children(page)
    assert list(paragraph["paragraph"]) == ["rich_text", "icon", "color"]
    assert paragraph["paragraph"]["icon"] is None
    assert callout["callout"]["icon"] == {"type": "emoji", "emoji": "💡"}
    assert heading["heading_2"]["is_toggleable"] is False
    assert to_do["to_do"]["checked"] is False
    assert (code["code"]["language"], code["code"]["caption"]) == ("python", [])
    assert file["file"]["name"] == "my_robot.txt"
    wanted = "object id parent created_time last_edited_time created_by last_edited_by has_children in_trash type paragraph"
    assert list(paragraph) == wanted.split()


@pytest.mark.parametrize(
    ("block", "complaint"),
    [
        ({"code": {"rich_text": []}}, "body.children[0].code.language should be defined"),
        ({"code": {"rich_text": [], "language": "klingon"}}, "body.children[0].code.language should be"),
        ({"paragraph": {}}, "body.children[0].paragraph.rich_text should be defined, instead was `undefined`"),
        ({"paragraph": {"rich_text": [], "colour": "red"}}, 'colour should be not present, instead was `"red"`'),
        ({"paragraph": {"rich_text": [], "color": "pinkish"}}, "body.children[0].paragraph.color should be"),
        ({"callout": {"rich_text": [], "icon": None}}, "body.children[0].callout.icon should be"),
        ({"heading_1": {"rich_text": [], "children": [para("a")]}}, "Block does not support children."),
        ({"type": "child_page", "child_page": {"title": "x"}}, "body failed validation. Fix one:"),
        ({"unsupported": {}}, "body.children[0].embed should be defined, instead was `undefined`."),
        ({"id": NOBODY, **para("a")}, "body.children[0].id should be not present"),
        ({"paragraph": {"rich_text": [], "icon": {"emoji": "🔥"}}}, "icon should be not present"),
        ({"image": {"type": "file", "file": {"url": "https://example.com/a.png"}}}, "should be not present"),
        (row("a"), "cannot be a child of"),
        (table(2), "children.length should be ≥ `1`"),
        (table(2, row("a")), "Number of cells in table row must match the table width"),
    ],
)
def test_refused_blocks(api: Api, block: Json, complaint: str) -> None:
    page = api.page()
    assert complaint in api.cannot_append(page, block)
    assert api.children(page) == []


def test_nesting_stops_two_levels_below(api: Api) -> None:
    page = api.page(toggle("1", toggle("2", {"toggle": {"rich_text": [text("3")]}})))
    inner = {"toggle": {"rich_text": [text("3")], "children": [para("4")]}}
    message = api.cannot_append(page, toggle("1", toggle("2", inner)))
    place = "body.children[0].toggle.children[0].toggle.children[0].toggle.children should be not present"
    assert place in message
    assert "body.children[0].toggle.children[0].embed" in api.cannot_append(
        page, toggle("1", {"column_list": {"children": []}})
    )


def test_columns_and_tabs_get_one_level_more(api: Api) -> None:
    deep = toggle("1", para("2"))
    columns = {"column_list": {"children": [{"column": {"children": [deep]}}, {"column": {"children": [para("b")]}}]}}
    tab = {"tab": {"children": [para("label", children=[deep])]}}
    page = api.page(columns, tab)
    column_list = api.children(page)[0]["id"]
    column = api.children(column_list)[0]
    assert (column["type"], column["column"], column["parent"]["block_id"]) == ("column", {}, column_list)
    assert api.append(column_list, {"column": {"children": [para("c")]}})[0]["type"] == "column"


def test_sizes_of_one_request(api: Api) -> None:
    page = api.page()
    message = api.cannot_append(page, *[para("a")] * 101)
    assert message == "body failed validation: body.children.length should be ≤ `100`, instead was `101`."
    assert "blocks in total" in api.cannot_append(page, *[toggle("t", *[para("a")] * 100)] * 10)
    heavy = [{"paragraph": {"rich_text": [text("a" * TEXT_LIMIT)] * 100}}] * 3
    assert "body size" in api.cannot_append(page, *heavy)


def test_plain_append_answers_only_the_new_and_positions_answer_what_follows(api: Api) -> None:
    page = api.page(para("a"), para("b"))
    first = api.children(page)[0]["id"]
    assert [plain(block) for block in api.append(page, para("c"))] == ["c"]
    after = {"type": "after_block", "after_block": {"id": first}}
    assert [plain(block) for block in api.append(page, para("x"), para("y"), position=after)] == ["x", "y", "b", "c"]
    assert [plain(block) for block in api.append(page, para("0"), position={"type": "start"})][:2] == ["0", "a"]
    assert [plain(block) for block in api.append(page, para("z"), position={"type": "end"})] == ["z"]
    assert [plain(block) for block in api.children(page)] == list("0axybcz")


def test_positions_that_are_refused(api: Api) -> None:
    page, other = api.page(para("a")), api.page(para("b"))
    stranger = {"type": "after_block", "after_block": {"id": api.children(other)[0]["id"]}}
    assert "is not a child of" in api.cannot_append(page, para("x"), position=stranger)
    message = api.cannot_append(page, para("x"), after=api.children(page)[0]["id"])
    assert message.startswith("body failed validation: body.after should be not present")


def test_children_come_in_pages_whose_cursor_is_a_block(api: Api) -> None:
    page = api.page(*[para(str(number)) for number in range(5)])
    first = api.ok("GET", f"/v1/blocks/{page}/children?page_size=2")
    assert first["has_more"] is True
    ids = [block["id"] for block in api.children(page)]
    assert first["next_cursor"] == ids[2]
    api.workspace.ui_delete(ids[2])
    second = api.ok("GET", f"/v1/blocks/{page}/children?page_size=2&start_cursor={ids[2]}")
    assert [plain(block) for block in second["results"]] == ["3", "4"]
    assert (second["has_more"], second["next_cursor"]) == (False, None)
    assert "query.start_cursor should be a valid uuid" in api.no("GET", f"/v1/blocks/{page}/children?start_cursor=x")


def test_update_replaces_given_fields_and_keeps_the_rest(api: Api) -> None:
    page = api.page({"to_do": {"rich_text": [text("a")], "checked": True, "color": "red", "children": [para("in")]}})
    block = api.children(page)[0]["id"]
    updated = api.ok("PATCH", f"/v1/blocks/{block}", {"to_do": {"rich_text": [text("b")]}})
    assert (plain(updated), updated["to_do"]["checked"], updated["to_do"]["color"]) == ("b", True, "red")
    assert updated["has_children"] is True
    assert [plain(child) for child in api.children(block)] == ["in"]


def test_updates_that_are_refused(api: Api) -> None:
    page = api.page({"heading_1": {"rich_text": [text("a")]}}, table(1, row("a")), {"divider": {}})
    heading, grid, _ = (block["id"] for block in api.children(page))
    wrong_type = api.no("PATCH", f"/v1/blocks/{heading}", para("b"))
    assert wrong_type == "Expected block type heading_1 in request body"
    with_children: Json = {"heading_1": {"rich_text": [], "children": []}}
    assert "heading_1.children should be not present" in api.no("PATCH", f"/v1/blocks/{heading}", with_children)
    assert "heading_1.rich_text should be defined" in api.no("PATCH", f"/v1/blocks/{heading}", {"heading_1": {}})
    assert "archived should be not present" in api.no("PATCH", f"/v1/blocks/{heading}", {"archived": True})
    assert "table_width should be not present" in api.no("PATCH", f"/v1/blocks/{grid}", {"table": {"table_width": 2}})


def test_table_rows_are_inserted_by_position_and_checked(api: Api) -> None:
    page = api.page(table(2, row("a", "b"), row("e", "f")))
    grid = api.children(page)[0]["id"]
    head = api.children(grid)[0]["id"]
    after = {"type": "after_block", "after_block": {"id": head}}
    answered = api.append(grid, row("c", "d"), position=after)
    assert [block["table_row"]["cells"][0][0]["plain_text"] for block in answered] == ["c", "e"]
    assert "Number of cells" in api.cannot_append(grid, row("a"))
    assert "cannot be a child of" in api.cannot_append(grid, para("a"))
    updated = api.ok("PATCH", f"/v1/blocks/{head}", row("x", ""))
    assert updated["table_row"]["cells"][1] == []
    assert "Number of cells" in api.no("PATCH", f"/v1/blocks/{head}", row("x"))


def test_synced_copies_show_the_originals_children(api: Api) -> None:
    page = api.page({"synced_block": {"synced_from": None, "children": [para("shared")]}})
    original = api.children(page)[0]["id"]
    (copy,) = api.append(page, {"synced_block": {"synced_from": {"type": "block_id", "block_id": original}}})
    assert [plain(block) for block in api.children(copy["id"])] == ["shared"]


# --- trash and access ----------------------------------------------------------------------------------------------


def test_trashed_blocks_are_readable_hidden_and_closed(api: Api) -> None:
    page = api.page(para("a"), para("b"))
    gone = api.children(page)[0]["id"]
    api.later(3)
    deleted = api.ok("DELETE", f"/v1/blocks/{gone}")
    assert (deleted["in_trash"], deleted["last_edited_time"]) == (True, "2026-11-20T10:03:00.000Z")
    assert api.ok("GET", f"/v1/blocks/{gone}")["in_trash"] is True
    assert [plain(block) for block in api.children(page)] == ["b"]
    archived = "Can't edit block that is archived. You must unarchive the block before editing."
    assert api.no("PATCH", f"/v1/blocks/{gone}", para("x")) == archived
    assert api.no("DELETE", f"/v1/blocks/{gone}") == archived
    assert api.cannot_append(gone, para("x")) == archived
    assert api.ok("PATCH", f"/v1/blocks/{gone}", {"in_trash": False})["in_trash"] is False
    assert [plain(block) for block in api.children(page)] == ["a", "b"]


def test_trashing_a_page_takes_what_is_below_along(api: Api) -> None:
    page = api.page(para("a"))
    block = api.children(page)[0]["id"]
    assert api.ok("PATCH", f"/v1/pages/{page}", {"in_trash": True})["in_trash"] is True
    assert api.titles() == []
    assert "is archived" in api.no("PATCH", f"/v1/blocks/{block}", para("x"))
    assert "is archived" in api.no("PATCH", f"/v1/pages/{page}", {"properties": {}})
    assert api.ok("GET", f"/v1/blocks/{block}")["in_trash"] is False
    api.ok("PATCH", f"/v1/pages/{page}", {"in_trash": False})
    assert api.titles() == ["INC-1"]


def test_what_is_not_shared_is_not_found(api: Api) -> None:
    page = api.page(para("a"))
    block = api.children(page)[0]["id"]
    api.workspace.unshare(page)
    status, answer = api.send("GET", f"/v1/pages/{page}")
    shared_with = 'Make sure the relevant pages and databases are shared with your integration "Sandbox".'
    assert (status, answer["code"]) == (404, "object_not_found")
    assert answer["message"] == f"Could not find page with ID: {page}. {shared_with}"
    assert answer["additional_data"]["integration_id"] == api.ok("GET", "/v1/users/me")["id"]
    assert "Could not find block" in api.no("GET", f"/v1/blocks/{block}", code="object_not_found")
    assert api.titles() == []
    api.workspace.share(page)
    assert [plain(child) for child in api.children(page)] == ["a"]


def test_a_missing_data_source_is_reported_as_a_database(api: Api) -> None:
    message = api.no("GET", f"/v1/data_sources/{NOBODY}", code="object_not_found")
    assert message.startswith(f"Could not find database with ID: {NOBODY}.")


# --- times ---------------------------------------------------------------------------------------------------------


def test_times_are_cut_to_the_minute_except_of_database_containers(api: Api) -> None:
    page = api.ok("GET", f"/v1/pages/{api.workspace.page_id}")
    database = api.ok("GET", f"/v1/databases/{api.workspace.database_id}")
    assert page["last_edited_time"] == "2026-11-20T10:00:00.000Z"
    assert database["last_edited_time"] == "2026-11-20T10:00:17.250Z"


def test_nested_edits_move_the_page_unless_switched_off() -> None:
    for moves, after in ((True, "10:05"), (False, "10:00")):
        api = Api(nested_edits_move_page=moves)
        page = api.page(toggle("a", para("b")), para("c"))
        box, sibling = api.children(page)
        api.later(5)
        changed = api.append(box["id"], para("d"))[0]
        assert changed["last_edited_time"].endswith("10:05:00.000Z")
        assert api.ok("GET", f"/v1/blocks/{box['id']}")["last_edited_time"].endswith("10:05:00.000Z")
        assert api.ok("GET", f"/v1/blocks/{sibling['id']}")["last_edited_time"].endswith("10:00:00.000Z")
        assert api.edited(page) == after
        api.later(5)
        api.workspace.ui_edit_text(changed["id"], "by hand", "grace@example.com")
        assert api.edited(page) == "10:10"


def test_properties_and_child_pages_move_the_page_and_comments_do_not(api: Api) -> None:
    page = api.page(para("a"))
    block = api.children(page)[0]["id"]
    api.later(5)
    api.ok("POST", "/v1/comments", {"parent": {"page_id": page}, "rich_text": [text("hm")]})
    api.ok("POST", "/v1/comments", {"parent": {"block_id": block}, "rich_text": [text("hm")]})
    assert api.edited(page) == "10:00"
    api.ok("PATCH", f"/v1/pages/{page}", {"properties": {"Incident": {"rich_text": [text("INC-1")]}}})
    assert api.edited(page) == "10:05"
    api.later(5)
    child = api.ok("POST", "/v1/pages", {"parent": {"page_id": page}, "properties": {"title": [text("child")]}})
    assert api.edited(page) == "10:10"
    assert api.children(page)[1]["id"] == child["id"]
    api.later(5)
    api.ok("DELETE", f"/v1/blocks/{child['id']}")
    assert api.edited(page) == "10:15"


def test_the_last_writer_is_named(api: Api) -> None:
    page = api.page(para("a"))
    block = api.children(page)[0]["id"]
    me = api.ok("GET", "/v1/users/me")["id"]
    assert api.ok("GET", f"/v1/pages/{page}")["last_edited_by"] == {"object": "user", "id": me}
    api.workspace.ui_edit_text(block, "b", "grace@example.com")
    writer = api.ok("GET", f"/v1/pages/{page}")["last_edited_by"]["id"]
    assert api.ok("GET", f"/v1/users/{writer}")["name"] == "Grace Hopkins"


# --- pages and properties ------------------------------------------------------------------------------------------


def test_a_row_has_the_schemas_properties(api: Api) -> None:
    page = api.page(Status={"status": {"name": "In review"}}, Severity={"select": {"name": "SEV2"}})
    shown = api.ok("GET", f"/v1/pages/{page}")
    assert list(shown["properties"]) == ["Name", "Incident", "Severity", "Status"]
    assert shown["properties"]["Name"]["id"] == "title"
    assert shown["properties"]["Status"]["status"]["name"] == "In review"
    assert shown["properties"]["Incident"]["rich_text"] == []
    assert shown["parent"]["database_id"] == api.workspace.database_id
    assert shown["url"].startswith("https://app.notion.com/p/")
    assert "children" not in shown


def test_properties_are_written_by_id_too_and_keep_it_over_a_rename(api: Api) -> None:
    source = f"/v1/data_sources/{api.workspace.data_source_id}"
    key = api.ok("GET", source)["properties"]["Incident"]["id"]
    page = api.page()
    api.ok("PATCH", f"/v1/pages/{page}", {"properties": {key: {"rich_text": [text("INC-7")]}}})
    renamed = api.ok("PATCH", source, {"properties": {"Incident": {"name": "Reference"}}})
    assert renamed["properties"]["Reference"]["id"] == key
    assert api.ok("GET", f"/v1/pages/{page}")["properties"]["Reference"]["rich_text"][0]["plain_text"] == "INC-7"


def test_unknown_options_are_added_for_select_and_refused_for_status(api: Api) -> None:
    page = api.page(Severity={"select": {"name": "SEV9"}})
    schema = api.ok("GET", f"/v1/data_sources/{api.workspace.data_source_id}")["properties"]
    assert [option["name"] for option in schema["Severity"]["select"]["options"]][-1] == "SEV9"
    change = {"properties": {"Status": {"status": {"name": "Nowhere"}}}}
    assert "Nowhere" in api.no("PATCH", f"/v1/pages/{page}", change)
    comma = {"properties": {"Severity": {"select": {"name": "a, b"}}}}
    assert api.no("PATCH", f"/v1/pages/{page}", comma) == "Invalid select option, commas not allowed"


def test_unknown_properties_and_keys_are_refused(api: Api) -> None:
    page = api.page()
    assert "Nope is not a property" in api.no("PATCH", f"/v1/pages/{page}", {"properties": {"Nope": {"rich_text": []}}})
    wrong_type: Json = {"properties": {"Severity": {"rich_text": []}}}
    assert "expected to be select" in api.no("PATCH", f"/v1/pages/{page}", wrong_type)
    assert 'body.colour should be not present, instead was `"red"`.' in api.no(
        "PATCH", f"/v1/pages/{page}", {"colour": "red"}
    )
    under_page = {"parent": {"page_id": page}, "properties": {"Severity": {"select": None}}}
    assert "is not a property" in api.no("POST", "/v1/pages", under_page)
    assert "body.parent should be defined" in api.no("POST", "/v1/pages", {"properties": {}})


def test_schema_grows_through_the_api(api: Api) -> None:
    source = f"/v1/data_sources/{api.workspace.data_source_id}"
    new: Json = {"Phase": {"status": {}}, "When": {"date": {}}, "Seen": {"last_edited_time": {}}}
    answer = api.ok("PATCH", source, {"properties": new})
    names = [option["name"] for option in answer["properties"]["Phase"]["status"]["options"]]
    assert names == ["Not started", "In progress", "Done"]
    page = api.page(When={"date": {"start": "2026-06-27T16:57:28Z"}})
    shown = api.ok("GET", f"/v1/pages/{page}")["properties"]
    assert shown["When"]["date"]["start"] == "2026-06-27T16:57:00.000+00:00"
    assert shown["Phase"]["status"]["name"] == "Not started"
    assert shown["Seen"]["last_edited_time"] == "2026-11-20T10:00:00.000Z"
    assert "read-only" in api.no("PATCH", f"/v1/pages/{page}", {"properties": {"Seen": {"last_edited_time": "x"}}})


def test_pages_move_with_their_ids(api: Api) -> None:
    page = api.page(para("a"))
    moved = api.ok("POST", f"/v1/pages/{page}/move", {"parent": {"page_id": api.workspace.page_id}})
    assert moved["parent"] == {"type": "page_id", "page_id": api.workspace.page_id}
    assert list(moved["properties"]) == ["title"]
    assert page in [block["id"] for block in api.children(api.workspace.page_id)]
    assert api.titles() == []


def test_child_pages_stand_at_their_position_and_erase_empties(api: Api) -> None:
    page = api.page(para("a"))
    body = {"parent": {"page_id": page}, "properties": {"title": [text("c")]}, "position": {"type": "page_start"}}
    child = api.ok("POST", "/v1/pages", body)["id"]
    first = api.children(page)[0]
    assert (first["type"], first["id"]) == ("child_page", child)
    assert api.ok("GET", f"/v1/blocks/{child}")["child_page"] == {"title": "c"}
    api.ok("PATCH", f"/v1/pages/{page}", {"erase_content": True})
    assert api.children(page) == []


# --- queries and search --------------------------------------------------------------------------------------------


def test_query_by_edit_time_at_minute_grain(api: Api) -> None:
    api.page(title="early")
    api.later(10)
    api.page(title="late")
    for since, found in (("10:00:00Z", ["early", "late"]), ("10:00:30Z", ["late"]), ("10:11:00Z", [])):
        condition = {"timestamp": "last_edited_time", "last_edited_time": {"on_or_after": f"2026-11-20T{since}"}}
        assert api.titles(filter=condition) == found
    sorts = [{"timestamp": "last_edited_time", "direction": "descending"}]
    assert api.titles(sorts=sorts) == ["late", "early"]


def test_query_by_properties(api: Api) -> None:
    api.page(title="one", Incident={"rich_text": [text("INC-1")]}, Status={"status": {"name": "Completed"}})
    api.page(title="two", Incident={"rich_text": [text("INC-12")]}, Severity={"select": {"name": "SEV1"}})
    incident = {"property": "Incident", "rich_text": {"equals": "INC-1"}}
    status = {"property": "Status", "status": {"equals": "Completed"}}
    severity = {"property": "Severity", "select": {"equals": "SEV1"}}
    assert api.titles(filter=incident) == ["one"]
    assert api.titles(filter={"property": "Incident", "rich_text": {"contains": "inc"}}) == ["one", "two"]
    assert api.titles(filter={"property": "title", "title": {"contains": "TW"}}) == ["two"]
    assert api.titles(filter={"and": [incident, severity]}) == []
    assert api.titles(filter={"or": [{"and": [status, incident]}, severity]}) == ["one", "two"]
    assert api.titles(filter={"property": "Severity", "select": {"is_empty": True}}) == ["one"]
    assert api.titles(sorts=[{"property": "Name", "direction": "descending"}]) == ["two", "one"]


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ({"filter": {"property": "Nope", "select": {"equals": "a"}}}, "Could not find property with name or id: Nope"),
        ({"filter": {"property": "Name", "select": {"equals": "a"}}}, "title does not match filter select"),
        ({"filter": {"property": "Status", "status": {"equals": "Nowhere"}}}, 'status option "Nowhere" not found'),
        ({"filter": {"and": [{"or": [{"and": []}]}]}}, "nest at most"),
        ({"page_size": 101}, "body.page_size should be ≤ `100`"),
        ({"start_cursor": "zzz"}, "The start_cursor provided is invalid"),
        ({"colour": 1}, "body.colour should be not present"),
    ],
)
def test_refused_queries(api: Api, body: Json, complaint: str) -> None:
    path = f"/v1/data_sources/{api.workspace.data_source_id}/query"
    assert complaint in api.no("POST", path, body)


def test_query_cursors_are_opaque_and_belong_to_their_query(api: Api) -> None:
    for number in range(5):
        api.page(title=str(number))
    first = api.query(page_size=2)
    assert re.fullmatch(r"s:.{73}", first["next_cursor"])
    second = api.query(page_size=0, start_cursor=first["next_cursor"])
    assert (len(second["results"]), second["has_more"]) == (3, False)
    other = {"sorts": [{"property": "Name", "direction": "ascending"}], "start_cursor": first["next_cursor"]}
    assert "invalid" in api.no("POST", f"/v1/data_sources/{api.workspace.data_source_id}/query", other)


def test_a_query_ends_at_ten_thousand_results() -> None:
    rows: list[Json] = [{"n": number} for number in range(notion_query.MOST_RESULTS + 5)]
    body: Json = {}
    seen = 0
    while True:
        answer = notion_query.result_page(rows, body)
        seen += len(answer["results"])
        if not answer["has_more"]:
            break
        assert answer["request_status"] == {"type": "complete"}
        body = {"start_cursor": answer["next_cursor"]}
    assert seen == notion_query.MOST_RESULTS
    assert answer["request_status"] == {"type": "incomplete", "incomplete_reason": "query_result_limit_reached"}


def test_queries_may_lag_behind_reads_by_id() -> None:
    api = Api(index_lag=timedelta(minutes=2))
    page = api.page(title="fresh")
    assert api.ok("GET", f"/v1/pages/{page}")["id"] == page
    assert api.titles() == []
    api.later(2)
    assert api.titles() == ["fresh"]


def test_search_reads_titles_only(api: Api) -> None:
    api.page(para("needle in the text"), title="Haystack")
    page = api.page(title="Needle found")
    found = api.ok("POST", "/v1/search", {"query": "needle", "filter": {"property": "object", "value": "page"}})
    assert [item["id"] for item in found["results"]] == [page]
    sources = api.ok("POST", "/v1/search", {"filter": {"property": "object", "value": "data_source"}})
    assert [item["id"] for item in sources["results"]] == [api.workspace.data_source_id]


# --- comments ------------------------------------------------------------------------------------------------------


def test_comments_are_listed_per_target_until_resolved(api: Api) -> None:
    page = api.page(para("a"))
    block = api.children(page)[0]["id"]
    one = api.ok("POST", "/v1/comments", {"parent": {"page_id": page}, "rich_text": [text("one")]})
    two = api.ok("POST", "/v1/comments", {"parent": {"page_id": page}, "rich_text": [text("two")]})
    assert one["discussion_id"] == two["discussion_id"]
    thread = api.workspace.ui_comment(block, "why?", "grace@example.com")
    reply = api.ok("POST", "/v1/comments", {"discussion_id": thread, "rich_text": [text("because")]})
    assert reply["parent"] == {"type": "block_id", "block_id": block}
    on_page = api.ok("GET", f"/v1/comments?block_id={page}")["results"]
    assert [comment["id"] for comment in on_page] == [one["id"], two["id"]]
    on_block = api.ok("GET", f"/v1/comments?block_id={block}")["results"]
    assert [comment["display_name"]["resolved_name"] for comment in on_block] == ["Grace Hopkins", "Sandbox"]
    api.no("DELETE", f"/v1/comments/{on_block[0]['id']}", code="restricted_resource")
    api.workspace.ui_resolve(thread)
    assert api.ok("GET", f"/v1/comments?block_id={block}")["results"] == []


# --- the human side ------------------------------------------------------------------------------------------------


def test_a_person_edits_ticks_and_fills_cells(api: Api) -> None:
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
    page = api.page(para("a"), para("b"), para("c"))
    first, second, third = (block["id"] for block in api.children(page))
    api.workspace.ui_move(first, third)
    api.workspace.ui_move(third, None)
    api.workspace.ui_turn_into(second, "to_do")
    assert [block["id"] for block in api.children(page)] == [third, second, first]
    turned = api.ok("GET", f"/v1/blocks/{second}")
    assert (turned["type"], plain(turned), turned["to_do"]["checked"]) == ("to_do", "b", False)


def test_splitting_keeps_the_first_id_and_the_formatting(api: Api) -> None:
    page = api.page({"paragraph": {"rich_text": [text("plain "), text("bold", bold=True)]}})
    block = api.children(page)[0]["id"]
    new = api.workspace.ui_split(block, 8)
    first, second = api.children(page)
    assert ([first["id"], second["id"]], [plain(first), plain(second)]) == ([block, new], ["plain bo", "ld"])
    assert second["paragraph"]["rich_text"][0]["annotations"]["bold"] is True


def test_a_person_inserts_what_the_api_cannot_write(api: Api) -> None:
    page = api.page(para("a"), para("b"))
    first = api.children(page)[0]["id"]
    button = {"type": "unsupported", "unsupported": {"block_type": "button"}}
    new = api.workspace.ui_insert(page, first, button, "grace@example.com")
    assert [block["type"] for block in api.children(page)] == ["paragraph", "unsupported", "paragraph"]
    assert api.ok("GET", f"/v1/blocks/{new}")["unsupported"] == {"block_type": "button"}
    after = {"type": "after_block", "after_block": {"id": new}}
    assert [plain(block) for block in api.append(page, para("x"), position=after)] == ["x", "b"]
    assert api.workspace.ui_insert(page, None, para("top"), "ada@example.com") == api.children(page)[0]["id"]


def test_a_person_changes_pages(api: Api) -> None:
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


# --- the vendor's own description, and client ----------------------------------------------------------------------


def _described() -> Json:
    if not SPEC.exists():
        pytest.skip(f"the vendor's API description is not at {SPEC}")
    spec: Json = json.loads(SPEC.read_text())
    _forget_archived(spec)
    return spec


def _forget_archived(node: Any) -> None:
    """The description still requires `archived`, which the service stopped sending with this version."""
    if isinstance(node, dict):
        required = node.get("required")
        if isinstance(required, list) and "archived" in required:
            required.remove("archived")
        for inner in node.values():
            _forget_archived(inner)
    elif isinstance(node, list):
        for inner in node:
            _forget_archived(inner)


def _check(spec: Json, method: str, path: str, answer: Json) -> None:
    bare = path.split("?")[0]
    matches = [known for known in spec["paths"] if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", known), bare)]
    operation = spec["paths"][min(matches, key=lambda known: known.count("{"))][method.lower()]
    schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
    body = {name: value for name, value in answer.items() if name != "request_id"}
    jsonschema.Draft202012Validator({**schema, "components": spec["components"]}).validate(body)


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


def test_answers_are_those_the_vendor_describes(api: Api) -> None:
    spec = _described()

    def checked(method: str, path: str, body: object = None) -> Json:
        answer = api.ok(method, path, body)
        _check(spec, method, path, answer)
        return answer

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
