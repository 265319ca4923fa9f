"""A person in the Notion emulator's editor: which acts keep ids and which make new ones. Numbers are rows of the emulator's
checklist; what is recorded of the app is little, so the ids of pasted blocks are taken to be new.
"""

import pytest

from providers.sandbox.notion_check import Refusal
from tests.contract.notion_api import Api, Json, para, plain, row, table, text, toggle


@pytest.fixture
def api() -> Api:
    return Api()


def texts(api: Api, parent: str) -> list[str]:
    return [plain(block) for block in api.children(parent)]


def test_every_keystroke_is_saved(api: Api) -> None:
    """27: there is no publish: each character is there for the next reader, and moves the page's time."""
    page = api.page(para("Call "))
    block = api.children(page)[0]["id"]
    seen = []
    for typed in api.workspace.ui_type(block, "Ada", "grace@example.com"):
        api.later(1)
        seen.append(plain(api.children(page)[0]))
        assert typed == seen[-1]
    assert seen == ["Call A", "Call Ad", "Call Ada"]
    assert api.edited(page) == "10:02"


def test_merging_keeps_the_upper_id_and_takes_the_children_along(api: Api) -> None:
    """27: Backspace at the start of a block drops its id."""
    page = api.page(toggle("a", para("in a")), toggle("b", para("in b")))
    upper, lower = (block["id"] for block in api.children(page))
    assert api.workspace.ui_merge(lower) == upper
    assert texts(api, page) == ["ab"]
    assert sorted(texts(api, upper)) == ["in a", "in b"]
    assert api.ok("GET", f"/v1/blocks/{lower}")["in_trash"] is True


def test_copies_and_pasted_blocks_have_new_ids_and_the_same_content(api: Api) -> None:
    """27, §8: duplicate and copy/paste give new ids; cut and paste: taken so."""
    page = api.page(toggle("box"), table(2, row("a", "b")), para("c"))
    box, grid, last = (block["id"] for block in api.children(page))
    (copy,) = api.workspace.ui_copy([last], page, last)
    assert [plain(block) for block in api.children(page)[2:]] == ["c", "c"] and copy != last
    (pasted,) = api.workspace.ui_cut_and_paste([grid], box)
    assert api.ok("GET", f"/v1/blocks/{grid}")["in_trash"] is True
    (moved,) = api.children(box)
    assert (moved["id"], moved["type"]) == (pasted, "table")
    assert api.children(pasted)[0]["table_row"]["cells"][1][0]["plain_text"] == "b"


def test_a_block_dragged_into_another_keeps_its_id(api: Api) -> None:
    """27: drag within or between pages keeps the id."""
    page = api.page(toggle("box"), para("c"))
    box, last = (block["id"] for block in api.children(page))
    api.workspace.ui_move(last, None, into=box)
    assert [block["id"] for block in api.children(box)] == [last]


def test_undo_brings_old_ids_back_and_leaves_later_edits_of_others(api: Api) -> None:
    """27, §8: undo can bring back old ids."""
    page = api.page(para("a"), para("b"), para("c"))
    first, second, third = (block["id"] for block in api.children(page))
    api.workspace.ui_cut_and_paste([first], page, third)
    api.ok("PATCH", f"/v1/blocks/{second}", para("ours"))
    api.append(page, para("ours too"))
    api.workspace.ui_undo()
    assert texts(api, page) == ["a", "ours", "c", "ours too"]
    assert api.children(page)[0]["id"] == first
    api.workspace.ui_undo()
    assert texts(api, page) == ["a", "ours", "c", "ours too"]


def test_columns_of_a_table_change_every_row(api: Api) -> None:
    """§8: columns have no ids: a human column insert shows as a change of every row's cells."""
    page = api.page(table(2, row("Time", "Event"), row("10:05", "Paged")))
    grid = api.children(page)[0]["id"]

    def shown() -> list[list[str]]:
        rows = api.children(grid)
        return [["".join(item["plain_text"] for item in cell) for cell in line["table_row"]["cells"]] for line in rows]

    ids = [line["id"] for line in api.children(grid)]
    api.workspace.ui_add_column(grid, 1, "Who")
    assert shown() == [["Time", "Who", "Event"], ["10:05", "", "Paged"]]
    assert api.ok("GET", f"/v1/blocks/{grid}")["table"]["table_width"] == 3
    api.workspace.ui_swap_columns(grid, 0, 2)
    api.workspace.ui_remove_column(grid, 1)
    assert shown() == [["Event", "Time"], ["Paged", "10:05"]]
    assert [line["id"] for line in api.children(grid)] == ids


def test_a_locked_page_is_closed_to_people_and_open_to_the_api(api: Api) -> None:
    """27: Update page: the lock stops people, not the API."""
    page = api.page(para("a"))
    block = api.children(page)[0]["id"]
    api.workspace.ui_lock(page)
    with pytest.raises(Refusal, match="locked"):
        api.workspace.ui_edit_text(block, "b")
    assert api.ok("GET", f"/v1/pages/{page}")["is_locked"] is True
    api.ok("PATCH", f"/v1/blocks/{block}", para("ours"))
    api.workspace.ui_lock(page, False)
    api.workspace.ui_edit_text(block, "b")


def test_a_page_moves_with_its_ids(api: Api) -> None:
    """27: pages keep their ids when they move; properties belong to the data source."""
    page = api.page(para("a"))
    block = api.children(page)[0]["id"]
    api.workspace.ui_move_page(page, api.workspace.page_id)
    shown = api.ok("GET", f"/v1/pages/{page}")
    assert shown["parent"] == {"type": "page_id", "page_id": api.workspace.page_id}
    assert list(shown["properties"]) == ["title"]
    assert api.children(page)[0]["id"] == block
    api.workspace.ui_move_page(page, api.workspace.data_source_id)
    assert api.titles() == ["INC-1"]


def test_a_duplicated_page_has_the_same_properties_and_content_under_new_ids(api: Api) -> None:
    """27: "Duplicate" in the page's menu."""
    page = api.page(toggle("a", para("b")), Incident={"rich_text": [text("INC-1")]})
    copy = api.workspace.ui_duplicate_page(page)
    shown = api.ok("GET", f"/v1/pages/{copy}")
    assert shown["properties"]["Incident"]["rich_text"][0]["plain_text"] == "INC-1"
    assert sorted(api.titles()) == ["INC-1", "INC-1 (1)"]
    assert texts(api, copy) == ["a"]
    assert api.children(copy)[0]["id"] != api.children(page)[0]["id"]
    assert texts(api, api.children(copy)[0]["id"]) == ["b"]


def test_columns_and_options_of_a_data_source_change_in_the_app(api: Api) -> None:
    """26: property ids are stable over a rename; a deleted property takes its values along."""
    source = api.workspace.data_source_id
    page = api.page(Status={"status": {"name": "In review"}})
    key = api.ok("GET", f"/v1/pages/{page}")["properties"]["Status"]["id"]
    api.workspace.ui_rename_property(source, "Status", "Phase")
    api.workspace.ui_rename_option(source, "Phase", "In review", "Being read")
    shown = api.ok("GET", f"/v1/pages/{page}")["properties"]
    assert (shown["Phase"]["id"], shown["Phase"]["status"]["name"]) == (key, "Being read")
    api.workspace.ui_remove_property(source, "Phase")
    assert "Phase" not in api.ok("GET", f"/v1/pages/{page}")["properties"]


def test_people_properties_hold_people(api: Api) -> None:
    """§5: people are written by id and read whole."""
    source = api.workspace.data_source_id
    api.ok("PATCH", f"/v1/data_sources/{source}", {"properties": {"Lead": {"people": {}}}})
    page = api.page()
    api.workspace.ui_set_property(page, "Lead", ["grace@example.com"])
    (lead,) = api.ok("GET", f"/v1/pages/{page}")["properties"]["Lead"]["people"]
    assert lead["name"] == "Grace Hopkins"
    api.workspace.rename_person("grace@example.com", "Grace Murray")
    (lead,) = api.ok("GET", f"/v1/pages/{page}")["properties"]["Lead"]["people"]
    assert lead["name"] == "Grace Murray"


@pytest.mark.parametrize(
    "block",
    [
        {"unsupported": {"block_type": "button"}},
        {"meeting_notes": {"title": [], "status": "notes_ready"}},
        {"template": {"rich_text": []}},
        {"hologram": {"depth": 3}},
        {"heading_4": {"rich_text": [text("a")]}},
        {"tab": {"children": [para("label")]}},
        {"synced_block": {"synced_from": None, "children": [para("a")]}},
    ],
)
def test_types_of_today_and_of_next_year_are_read(block: Json) -> None:
    """28: unknown block types arrive without a version bump."""
    api = Api(described="hologram" not in block)
    page = api.page(para("a"))
    new = api.workspace.ui_insert(page, None, block)
    (kind,) = block
    assert [child["type"] for child in api.children(page)] == [kind, "paragraph"]
    assert api.ok("GET", f"/v1/blocks/{new}")["type"] == kind


def test_a_kept_files_address_is_another_at_every_read(api: Api) -> None:
    """25: Retrieving files: signed, good for one hour; not accepted in a write."""
    page = api.page()
    hosted = {"image": {"file": {"url": "https://prod-files.example/a/b.png"}}}
    block = api.workspace.ui_insert(page, None, hosted)
    one, two = (api.ok("GET", f"/v1/blocks/{block}")["image"]["file"] for _ in range(2))
    assert one["url"] != two["url"]
    assert one["url"].partition("?")[0] == two["url"].partition("?")[0] == "https://prod-files.example/a/b.png"
    assert one["expiry_time"] == "2026-11-20T11:00:17.250Z"
    assert "should be not present" in api.cannot_append(page, hosted)
