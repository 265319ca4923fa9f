"""The Notion emulator's times, pages, properties, queries, search and comments, judged by what is known of the service."""

import re
from datetime import timedelta

import pytest

from providers.sandbox import notion_query
from tests.contract.notion_api import Api, Json, para, text, toggle


@pytest.fixture
def api() -> Api:
    return Api()


# --- times -------------------------------------------------------------------------------------------------------------


def test_times_are_cut_to_the_minute_except_of_database_containers(api: Api) -> None:
    """3, §6: floored to the minute; containers of databases carry milliseconds."""
    page = api.ok("GET", f"/v1/pages/{api.workspace.page_id}")
    database = api.ok("GET", f"/v1/databases/{api.workspace.database_id}")
    assert page["last_edited_time"] == "2026-11-20T10:00:00.000Z"
    assert database["last_edited_time"] == "2026-11-20T10:00:17.250Z"


def test_nested_edits_move_the_page_unless_switched_off() -> None:
    """16, §0.2: whether a nested edit by a program moves its page."""
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
    """16, §6: what moves a page's time."""
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
    """§6: `last_edited_by` is an id alone, ours when we wrote last."""
    page = api.page(para("a"))
    block = api.children(page)[0]["id"]
    me = api.ok("GET", "/v1/users/me")["id"]
    assert api.ok("GET", f"/v1/pages/{page}")["last_edited_by"] == {"object": "user", "id": me}
    api.workspace.ui_edit_text(block, "b", "grace@example.com")
    writer = api.ok("GET", f"/v1/pages/{page}")["last_edited_by"]["id"]
    assert api.ok("GET", f"/v1/users/{writer}")["name"] == "Grace Hopkins"


# --- pages and properties ----------------------------------------------------------------------------------------------


def test_a_row_has_the_schemas_properties(api: Api) -> None:
    """13, §5: a row's properties are those of its data source."""
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
    """26, §5: by name or id; a rename keeps the id."""
    source = f"/v1/data_sources/{api.workspace.data_source_id}"
    key = api.ok("GET", source)["properties"]["Incident"]["id"]
    page = api.page()
    api.ok("PATCH", f"/v1/pages/{page}", {"properties": {key: {"rich_text": [text("INC-7")]}}})
    renamed = api.ok("PATCH", source, {"properties": {"Incident": {"name": "Reference"}}})
    assert renamed["properties"]["Reference"]["id"] == key
    assert api.ok("GET", f"/v1/pages/{page}")["properties"]["Reference"]["rich_text"][0]["plain_text"] == "INC-7"


def test_unknown_options_are_added_for_select_and_refused_for_status(api: Api) -> None:
    """26, §0.13: an unknown option is added to a select and refused for a status."""
    page = api.page(Severity={"select": {"name": "SEV9"}})
    schema = api.ok("GET", f"/v1/data_sources/{api.workspace.data_source_id}")["properties"]
    assert [option["name"] for option in schema["Severity"]["select"]["options"]][-1] == "SEV9"
    change = {"properties": {"Status": {"status": {"name": "Nowhere"}}}}
    assert "Nowhere" in api.no("PATCH", f"/v1/pages/{page}", change)
    comma = {"properties": {"Severity": {"select": {"name": "a, b"}}}}
    assert api.no("PATCH", f"/v1/pages/{page}", comma) == "Invalid select option, commas not allowed"


def test_unknown_properties_and_keys_are_refused(api: Api) -> None:
    """2, §5: keys must match the schema."""
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
    """§5, Changelog 2026-03-19: properties and status options by API."""
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
    """§4, Move a page: whole pages move, ids stay."""
    page = api.page(para("a"))
    moved = api.ok("POST", f"/v1/pages/{page}/move", {"parent": {"page_id": api.workspace.page_id}})
    assert moved["parent"] == {"type": "page_id", "page_id": api.workspace.page_id}
    assert list(moved["properties"]) == ["title"]
    assert page in [block["id"] for block in api.children(api.workspace.page_id)]
    assert api.titles() == []


def test_child_pages_stand_at_their_position_and_erase_empties(api: Api) -> None:
    """13, §5: `position` below a page; `erase_content`."""
    page = api.page(para("a"))
    body = {"parent": {"page_id": page}, "properties": {"title": [text("c")]}, "position": {"type": "page_start"}}
    child = api.ok("POST", "/v1/pages", body)["id"]
    first = api.children(page)[0]
    assert (first["type"], first["id"]) == ("child_page", child)
    assert api.ok("GET", f"/v1/blocks/{child}")["child_page"] == {"title": "c"}
    api.ok("PATCH", f"/v1/pages/{page}", {"erase_content": True})
    assert api.children(page) == []


# --- queries and search ------------------------------------------------------------------------------------------------


def test_query_by_edit_time_at_minute_grain(api: Api) -> None:
    """21, §6: filter and sort by the floored time."""
    api.page(title="early")
    api.later(10)
    api.page(title="late")
    for since, found in (("10:00:00Z", ["early", "late"]), ("10:00:30Z", ["late"]), ("10:11:00Z", [])):
        condition = {"timestamp": "last_edited_time", "last_edited_time": {"on_or_after": f"2026-11-20T{since}"}}
        assert api.titles(filter=condition) == found
    sorts = [{"timestamp": "last_edited_time", "direction": "descending"}]
    assert api.titles(sorts=sorts) == ["late", "early"]


def test_query_by_properties(api: Api) -> None:
    """21, Query a data source: filters by property."""
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
        ({"page_size": "3"}, "body.page_size should be a number"),
        ({"page_size": 101}, "body.page_size should be ≤ `100`"),
        ({"start_cursor": "zzz"}, "The start_cursor provided is invalid"),
        ({"colour": 1}, "body.colour should be not present"),
    ],
)
def test_refused_queries(api: Api, body: Json, complaint: str) -> None:
    """21, §3: queries that are refused."""
    path = f"/v1/data_sources/{api.workspace.data_source_id}/query"
    assert complaint in api.no("POST", path, body)


def test_query_cursors_are_opaque_and_belong_to_their_query(api: Api) -> None:
    """20, §2: opaque cursors."""
    for number in range(5):
        api.page(title=str(number))
    first = api.query(page_size=2)
    assert re.fullmatch(r"s:.{73}", first["next_cursor"])
    second = api.query(page_size=0, start_cursor=first["next_cursor"])
    assert (len(second["results"]), second["has_more"]) == (3, False)
    other = {"sorts": [{"property": "Name", "direction": "ascending"}], "start_cursor": first["next_cursor"]}
    assert "invalid" in api.no("POST", f"/v1/data_sources/{api.workspace.data_source_id}/query", other)


def test_a_query_ends_at_ten_thousand_results() -> None:
    """21, §2: 10,000 rows, then `request_status` says incomplete."""
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
    """21, §6: an index that lags."""
    api = Api(index_lag=timedelta(minutes=2))
    page = api.page(title="fresh")
    assert api.ok("GET", f"/v1/pages/{page}")["id"] == page
    assert api.titles() == []
    api.later(2)
    assert api.titles() == ["fresh"]


def test_search_reads_titles_only(api: Api) -> None:
    """22, §6: titles only, and not what was made a second ago."""
    api.page(para("needle in the text"), title="Haystack")
    page = api.page(title="Needle found")
    found = api.ok("POST", "/v1/search", {"query": "needle", "filter": {"property": "object", "value": "page"}})
    assert [item["id"] for item in found["results"]] == [page]
    sources = api.ok("POST", "/v1/search", {"filter": {"property": "object", "value": "data_source"}})
    assert [item["id"] for item in sources["results"]] == [api.workspace.data_source_id]


# --- comments ----------------------------------------------------------------------------------------------------------


def test_comments_are_listed_per_target_until_resolved(api: Api) -> None:
    """23, §7: one target at a time, unresolved ones."""
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
