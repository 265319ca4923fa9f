"""The Notion emulator's Markdown endpoints, which lose what the service's lose. Row 29 of the checklist for emulators."""

import pytest

from tests.contract.notion_api import Api, Json, para, plain, row, table, text, toggle


@pytest.fixture
def api() -> Api:
    return Api()


def markdown(api: Api, page: str) -> str:
    return str(api.ok("GET", f"/v1/pages/{page}/markdown")["markdown"])


def update(api: Api, page: str, kind: str, **more: object) -> Json:
    return api.ok("PATCH", f"/v1/pages/{page}/markdown", {"type": kind, kind: more})


def test_blocks_stand_one_below_the_other(api: Api) -> None:
    """Working with markdown content: one line break between blocks, `<br>` in a block, `<empty-block/>`."""
    page = api.page(
        {"heading_2": {"rich_text": [text("Head")]}},
        para("one\ntwo"),
        {"paragraph": {"rich_text": []}},
        {"to_do": {"rich_text": [text("a "), text("b", bold=True)], "checked": True}},
        toggle("box", para("inside")),
        table(2, row("a", "b")),
    )
    assert markdown(api, page) == (
        "## Head\none<br>two\n<empty-block/>\n- [x] a **b**\n<details>\n<summary>box</summary>\n\tinside\n</details>\n"
        "<table>\n<tr><td>a</td><td>b</td></tr>\n</table>"
    )


def test_what_markdown_cannot_say_is_named(api: Api) -> None:
    """Not rendered: bookmark, embed, link preview, breadcrumb, template, unsupported."""
    page = api.page(para("a"), {"bookmark": {"url": "https://example.com"}})
    bookmark = api.children(page)[1]["id"]
    answer = api.ok("GET", f"/v1/pages/{page}/markdown")
    assert answer["unknown_block_ids"] == [bookmark]
    assert 'alt="bookmark"/>' in answer["markdown"]
    assert api.ok("GET", f"/v1/pages/{bookmark}/markdown")["id"] == bookmark


def test_a_rewrite_of_one_line_makes_others_anew(api: Api) -> None:
    """Seen: an untouched table of contents, synced block and bookmark became paragraphs with new ids."""
    page = api.page(para("keep"), para("old"), {"table_of_contents": {}}, {"bookmark": {"url": "https://example.com"}})
    before = [block["id"] for block in api.children(page)]
    update(api, page, "update_content", content_updates=[{"old_str": "old", "new_str": "new"}])
    after = api.children(page)
    assert [block["type"] for block in after] == ["paragraph"] * 4
    assert [plain(block) for block in after][:3] == ["keep", "new", "<table_of_contents/>"]
    assert after[0]["id"] == before[0]
    assert not {block["id"] for block in after[1:]} & set(before)


def test_replacements_that_match_nothing_are_passed_over_beside_others(api: Api) -> None:
    """Seen: `update_content` with several replacements applied some and skipped others without failing."""
    page = api.page(para("one"), para("two"))
    updates = [{"old_str": "nowhere", "new_str": "x"}, {"old_str": "two", "new_str": "2"}]
    assert update(api, page, "update_content", content_updates=updates)["markdown"] == "one\n2"


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"old_str": "nowhere", "new_str": "x"}, "No match"),
        ({"old_str": "a", "new_str": "x"}, "2 matches"),
        ({"old_str": "", "new_str": "x"}, "should not be empty"),
        ({"old_str": "A", "new_str": "x"}, "No match"),
    ],
)
def test_refused_replacements(api: Api, change: Json, complaint: str) -> None:
    """29, §5: no match, several without `replace_all_matches`, an empty `old_str`; case matters."""
    page = api.page(para("a"), para("a"))
    body = {"type": "update_content", "update_content": {"content_updates": [change]}}
    assert complaint in api.no("PATCH", f"/v1/pages/{page}/markdown", body)


def test_child_pages_go_only_when_that_is_allowed(api: Api) -> None:
    """29, §5: what would delete child pages is refused without `allow_deleting_content`."""
    page = api.page(para("a"))
    api.ok("POST", "/v1/pages", {"parent": {"page_id": page}, "properties": {"title": [text("child")]}})
    body: Json = {"type": "replace_content", "replace_content": {"new_str": "b"}}
    assert "would delete child pages" in api.no("PATCH", f"/v1/pages/{page}/markdown", body)
    body["replace_content"]["allow_deleting_content"] = True
    api.ok("PATCH", f"/v1/pages/{page}/markdown", body)
    assert [plain(block) for block in api.children(page)] == ["b"]


def test_content_is_inserted_and_ranges_are_replaced(api: Api) -> None:
    """29, §5: the older `insert_content` and `replace_content_range`, with its ellipsis."""
    page = api.page(para("first line"), para("middle"), para("last line"))
    update(api, page, "insert_content", content="new", after="first line")
    update(api, page, "insert_content", content="# Top", position={"type": "start"})
    assert markdown(api, page) == "# Top\nfirst line\nnew\nmiddle\nlast line"
    update(api, page, "replace_content_range", content="one", content_range="first...middle")
    assert markdown(api, page) == "# Top\none\nlast line"


def test_a_write_may_be_done_after_its_answer(api: Api) -> None:
    """Changelog 2026-06-29: `allow_async`: 202 with a task to ask for."""
    page = api.page(para("a"))
    body = {"type": "replace_content", "replace_content": {"new_str": "b"}, "allow_async": True}
    status, task = api.send("PATCH", f"/v1/pages/{page}/markdown", body)
    assert (status, task["status"]) == (202, "queued")
    assert markdown(api, page) == "a"
    api.later(0.1)
    done = api.ok("GET", f"/v1/async_tasks/{task['id']}")
    assert (done["status"], done["result"]["markdown"]) == ("succeeded", "b")


def test_only_pages_are_written(api: Api) -> None:
    """29, §5: the id must be a page's."""
    block = api.children(api.page(para("a")))[0]["id"]
    body = {"type": "replace_content", "replace_content": {"new_str": "b"}}
    assert "is not a page" in api.no("PATCH", f"/v1/pages/{block}/markdown", body)
