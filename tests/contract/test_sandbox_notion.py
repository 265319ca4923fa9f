"""The Notion emulator's requests, rich text, blocks, trash and access, judged by what is known of the service."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.contract.notion_api import NOBODY, TEXT_LIMIT, Api, Json, para, plain, row, table, text, toggle


@pytest.fixture
def api() -> Api:
    return Api()


# --- the front door ----------------------------------------------------------------------------------------------------


def test_no_token_is_unauthorized(api: Api) -> None:
    """§3: 401 `unauthorized`, "API token is invalid." """
    reply = api.workspace.handle("GET", "/v1/users/me", {"Notion-Version": "2026-03-11"}, b"")
    answer = json.loads(reply.body)
    assert (reply.status, answer["code"], answer["message"]) == (401, "unauthorized", "API token is invalid.")


def test_the_version_header_is_required(api: Api) -> None:
    """1, Versioning: without `Notion-Version` 400 `missing_version`."""
    reply = api.workspace.handle("GET", "/v1/users/me", {"authorization": "Bearer one"}, b"")
    assert (reply.status, json.loads(reply.body)["code"]) == (400, "missing_version")
    old = {"authorization": "Bearer one", "notion-version": "2022-06-28"}
    assert api.workspace.handle("GET", "/v1/users/me", old, b"").status == 400


@pytest.mark.parametrize(("method", "path"), [("GET", "/v1/nothing"), ("PUT", "/v1/pages"), ("GET", "/v2/users")])
def test_unknown_paths_and_methods(api: Api, method: str, path: str) -> None:
    """§3: an unknown path or method is `invalid_request_url`."""
    assert api.no(method, path, code="invalid_request_url") == "Invalid request URL."


def test_malformed_ids_and_bodies(api: Api) -> None:
    """§3: the message of an id that is none; a body that is no JSON."""
    wanted = 'path failed validation: path.page_id should be a valid uuid, instead was `"AAA"`.'
    assert api.no("GET", "/v1/pages/AAA") == wanted
    headers = {"Authorization": "Bearer one", "Notion-Version": "2026-03-11"}
    reply = api.workspace.handle("POST", "/v1/search", headers, b"{")
    assert json.loads(reply.body)["code"] == "invalid_json"


def test_ids_are_taken_without_dashes_and_answered_with_them(api: Api) -> None:
    """§1: 32 hex digits with or without dashes; always answered dashed, in lower case."""
    page = api.workspace.page_id
    assert api.ok("GET", f"/v1/pages/{page.replace('-', '').upper()}")["id"] == page


def test_every_token_is_a_bot_of_its_own(api: Api) -> None:
    """§7: `/users/me` is the connection's own bot."""
    one, other = api.ok("GET", "/v1/users/me"), api.ok("GET", "/v1/users/me", token="two")
    assert one["type"] == other["type"] == "bot"
    assert one["id"] != other["id"]
    assert api.ok("GET", "/v1/users/me")["id"] == one["id"]


def test_users_are_listed_with_their_addresses(api: Api) -> None:
    """24, List all users: people with their e-mail; the message for an unknown one."""
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
    """§3: whatever is sent is answered, or refused with 400 or 404."""
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


# --- rich text ---------------------------------------------------------------------------------------------------------


def test_equal_neighbours_merge_and_empty_items_go(api: Api) -> None:
    """7, §4.1: equal neighbours come back merged, empty items gone, defaults filled in."""
    items = [text("a" * TEXT_LIMIT), text("b"), text(""), text("c", bold=True), text("d", bold=True)]
    page = api.page({"paragraph": {"rich_text": items}})
    shown = api.children(page)[0]["paragraph"]["rich_text"]
    assert [len(item["plain_text"]) for item in shown] == [TEXT_LIMIT + 1, 2]
    assert shown[1]["annotations"]["bold"] is True
    assert shown[0]["annotations"]["color"] == "default"
    assert shown[0]["text"]["link"] is None


def test_links_are_told_apart_and_lose_their_type(api: Api) -> None:
    """7, §4.1: `href` is the link's address, `link.type` is dropped."""
    linked = {"text": {"content": "b", "link": {"type": "url", "url": "https://example.com/x"}}}
    page = api.page({"paragraph": {"rich_text": [text("a"), linked]}})
    first, second = api.children(page)[0]["paragraph"]["rich_text"]
    assert first["href"] is None
    assert second["text"]["link"] == {"url": "https://example.com/x"}
    assert second["href"] == "https://example.com/x"


@pytest.mark.parametrize("url", ["/relative", "word", "#anchor", "ftp://example.com", ""])
def test_links_must_be_absolute(api: Api, url: str) -> None:
    """§3: `Invalid URL for link.` for paths, bare words and anchors."""
    message = api.cannot_append(api.page(), {"paragraph": {"rich_text": [{"text": {"content": "a", "link": {"url": url}}}]}})
    assert message == "Content creation Failed. Fix the following: \nInvalid URL for link."


def test_lengths_count_utf16_units(api: Api) -> None:
    """6, §0.6: 2,000 counts UTF-16 units."""
    page = api.page()
    api.append(page, para("😀" * (TEXT_LIMIT // 2)))
    message = api.cannot_append(page, para("😀" * (TEXT_LIMIT // 2) + "a"))
    place = "body.children[0].paragraph.rich_text[0].text.content.length"
    assert message == f"body failed validation: {place} should be ≤ `2000`, instead was `2001`."


def test_at_most_a_hundred_items(api: Api) -> None:
    """6, §2: an array of rich text holds 100 items."""
    message = api.cannot_append(api.page(), {"paragraph": {"rich_text": [text("a")] * 101}})
    place = "body.children[0].paragraph.rich_text.length"
    assert message == f"body failed validation: {place} should be ≤ `100`, instead was `101`."


def test_what_was_read_may_be_written_unless_the_key_is_unknown(api: Api) -> None:
    """2, §3: unknown keys are refused; `plain_text` and `href` are borne."""
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
    """8, §0.7: floored to the minute, the zone folded into the offset and read as null."""
    page = api.page({"paragraph": {"rich_text": [{"mention": {"date": written}}]}})
    (item,) = api.children(page)[0]["paragraph"]["rich_text"]
    assert item["mention"]["date"] == {"start": kept, "end": None, "time_zone": None}
    assert (item["plain_text"], item["href"]) == (kept, None)


def test_mentions_show_the_targets_present_name(api: Api) -> None:
    """9, §4.1: the text of a mention is what its target is called now; Untitled where that is not shared."""
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


# --- blocks ------------------------------------------------------------------------------------------------------------


def test_defaults_of_a_new_block(api: Api) -> None:
    """12, §4: the call-out's icon, the file's name, `icon: null` on paragraphs."""
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
    """11, §3, §4: what may not be made, with the messages of §3."""
    page = api.page()
    assert complaint in api.cannot_append(page, block)
    assert api.children(page) == []


def test_nesting_stops_two_levels_below(api: Api) -> None:
    """6, §2: two levels below a child of the request."""
    page = api.page(toggle("1", toggle("2", {"toggle": {"rich_text": [text("3")]}})))
    inner = {"toggle": {"rich_text": [text("3")], "children": [para("4")]}}
    message = api.cannot_append(page, toggle("1", toggle("2", inner)))
    place = "body.children[0].toggle.children[0].toggle.children[0].toggle.children should be not present"
    assert place in message
    assert "body.children[0].toggle.children[0].embed" in api.cannot_append(
        page, toggle("1", {"column_list": {"children": []}})
    )


def test_columns_and_tabs_get_one_level_more(api: Api) -> None:
    """6, §2: the types allow columns and tabs one level more."""
    deep = toggle("1", para("2"))
    columns = {"column_list": {"children": [{"column": {"children": [deep]}}, {"column": {"children": [para("b")]}}]}}
    tab = {"tab": {"children": [para("label", children=[deep])]}}
    page = api.page(columns, tab)
    column_list = api.children(page)[0]["id"]
    column = api.children(column_list)[0]
    assert (column["type"], column["column"], column["parent"]["block_id"]) == ("column", {}, column_list)
    assert api.append(column_list, {"column": {"children": [para("c")]}})[0]["type"] == "column"


def test_sizes_of_one_request(api: Api) -> None:
    """6, §2: 100 children, 1,000 blocks, 500 KB."""
    page = api.page()
    message = api.cannot_append(page, *[para("a")] * 101)
    assert message == "body failed validation: body.children.length should be ≤ `100`, instead was `101`."
    assert "blocks in total" in api.cannot_append(page, *[toggle("t", *[para("a")] * 100)] * 10)
    heavy = [{"paragraph": {"rich_text": [text("a" * TEXT_LIMIT)] * 100}}] * 3
    assert "body size" in api.cannot_append(page, *heavy)


def test_plain_append_answers_only_the_new_and_positions_answer_what_follows(api: Api) -> None:
    """4, 5, §0.4: a positioned append answers all later siblings too, first level only."""
    page = api.page(para("a"), para("b"))
    first = api.children(page)[0]["id"]
    assert [plain(block) for block in api.append(page, para("c"))] == ["c"]
    after = {"type": "after_block", "after_block": {"id": first}}
    assert [plain(block) for block in api.append(page, para("x"), para("y"), position=after)] == ["x", "y", "b", "c"]
    assert [plain(block) for block in api.append(page, para("0"), position={"type": "start"})][:2] == ["0", "a"]
    assert [plain(block) for block in api.append(page, para("z"), position={"type": "end"})] == ["z"]
    assert [plain(block) for block in api.children(page)] == list("0axybcz")


def test_positions_that_are_refused(api: Api) -> None:
    """1, Upgrade guide 2026-03-11: `position` took the place of `after`."""
    page, other = api.page(para("a")), api.page(para("b"))
    stranger = {"type": "after_block", "after_block": {"id": api.children(other)[0]["id"]}}
    assert "is not a child of" in api.cannot_append(page, para("x"), position=stranger)
    message = api.cannot_append(page, para("x"), after=api.children(page)[0]["id"])
    assert message.startswith("body failed validation: body.after should be not present")


def test_children_come_in_pages_whose_cursor_is_a_block(api: Api) -> None:
    """20, §2: the cursor of children is a block's id."""
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
    """10, Update a block: given fields whole, others stay, children too."""
    page = api.page({"to_do": {"rich_text": [text("a")], "checked": True, "color": "red", "children": [para("in")]}})
    block = api.children(page)[0]["id"]
    updated = api.ok("PATCH", f"/v1/blocks/{block}", {"to_do": {"rich_text": [text("b")]}})
    assert (plain(updated), updated["to_do"]["checked"], updated["to_do"]["color"]) == ("b", True, "red")
    assert updated["has_children"] is True
    assert [plain(child) for child in api.children(block)] == ["in"]


def test_updates_that_are_refused(api: Api) -> None:
    """10, §3: another type is `Expected block type …`."""
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
    """11, §4: rows by position, as wide as the table."""
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
    """28, §4: children of a copy are read under the copy's id."""
    page = api.page({"synced_block": {"synced_from": None, "children": [para("shared")]}})
    original = api.children(page)[0]["id"]
    (copy,) = api.append(page, {"synced_block": {"synced_from": {"type": "block_id", "block_id": original}}})
    assert [plain(block) for block in api.children(copy["id"])] == ["shared"]


def test_a_database_has_no_blocks(api: Api) -> None:
    """13, §4: a child database stands in the list under its own id and holds no blocks."""
    assert [block["type"] for block in api.children(api.workspace.page_id)] == ["child_database"]
    assert api.children(api.workspace.database_id) == []
    message = api.no("GET", f"/v1/pages/{api.workspace.database_id}")
    assert message.endswith("is a database, not a page. Use the retrieve database API instead.")


# --- trash and access --------------------------------------------------------------------------------------------------


def test_trashed_blocks_are_readable_hidden_and_closed(api: Api) -> None:
    """14, §0.14: readable by id, out of lists, edits refused with the archived message."""
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
    """14, §8: a page takes its subtree along and brings it back."""
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
    """15, §3: 404 with the named message."""
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
    """15, §3: a data source is reported as a database."""
    message = api.no("GET", f"/v1/data_sources/{NOBODY}", code="object_not_found")
    assert message.startswith(f"Could not find database with ID: {NOBODY}.")
