"""What people paste where an id is asked for: every address that the services' own buttons and address bars give."""

from pathlib import Path

import pytest

from providers.confluence_links import Address, address
from providers.contract import Place, Refused
from providers.folder import Folder
from providers.notion_place import parent_of
from providers.notion_wire import page_of

SITE = "https://example.atlassian.net/wiki"
GATEWAY = "https://api.atlassian.com/ex/confluence/0b1c-cloud/wiki"
SERVER = "https://wiki.example.com/confluence"
ID = "01234567-89ab-cdef-0123-456789abcdef"
BARE = ID.replace("-", "")
OTHER = "fedcba9876543210fedcba9876543210"
NOTION = "https://api.notion.com"


@pytest.mark.parametrize(
    ("link", "named"),
    [
        ("163841", Address(page="163841")),
        (f"{SITE}/spaces/OPS/pages/163841/Post-mortems", Address(page="163841", space="OPS")),
        (f"{SITE}/spaces/OPS/pages/163841", Address(page="163841", space="OPS")),
        (f"  {SITE}/spaces/OPS/pages/163841/A+title/with#Heading\n", Address(page="163841", space="OPS")),
        (f"{SITE}/spaces/OPS/pages/163841/Title?focusedCommentId=99", Address(page="163841", space="OPS")),
        (f"{SITE}/spaces/OPS/pages/edit-v2/163841?draftShareId=0f-1", Address(page="163841", space="OPS")),
        (f"{SITE}/spaces/~712020abc/pages/163841/2026", Address(page="163841", space="~712020abc")),
        (f"{SITE}/spaces/%7E712020abc/pages/163841", Address(page="163841", space="~712020abc")),
        (f"{SITE}/spaces/OPS", Address(space="OPS")),
        (f"{SITE}/spaces/OPS/pages", Address(space="OPS")),
        (f"{SITE}/spaces/OPS/overview?homepageId=77", Address(page="77", space="OPS")),
        (f"{SITE}/pages/viewpage.action?pageId=163841", Address(page="163841")),
        (f"{SITE}/pages/viewpage.action?spaceKey=OPS&title=A+%26+B", Address(space="OPS", title="A & B")),
        (f"{SITE}/pages/editpage.action?pageId=163841&x=1", Address(page="163841")),
        (f"{SITE}/x/aN9oDw", Address(page="258531176")),
        (f"{SITE}/x/LIQHD", Address(page="201819180")),
        (f"{SITE}/api/v2/pages/163841", Address(page="163841")),
        (f"{SITE}/display/OPS/Root+cause+of+C%2B%2B", Address(space="OPS", title="Root cause of C++")),
        ("example.atlassian.net/wiki/spaces/OPS/pages/163841", Address(page="163841", space="OPS")),
        ("https://EXAMPLE.atlassian.net/wiki/x/aN9oDw", Address(page="258531176")),
        ("https://other.atlassian.net/wiki/spaces/OPS/pages/163841", None),
        ("https://www.notion.so/01234567", None),
        ("postmortems/inc-12.md", None),
        ("OPS", None),
        ("", None),
    ],
)
def test_confluence_addresses(link: str, named: Address | None) -> None:
    assert address(link, SITE) == named


@pytest.mark.parametrize("kind", ["folder/123", "whiteboard/123", "database/123", "embed/123", "blog/2026/11/02/123/News"])
def test_what_is_no_page_is_refused_by_name(kind: str) -> None:
    with pytest.raises(Refused, match=r"the link of an? .*, not of a page"):
        address(f"{SITE}/spaces/OPS/{kind}", SITE)


@pytest.mark.parametrize(
    "link", [f"{SITE}/l/cp/xY1", f"{SITE}/home", f"{SITE}/x/ä", f"{SITE}/x/A", f"{SITE}/x/aN9oDwaN9oDwaN9"]
)
def test_a_link_of_the_site_that_leads_to_no_page_is_refused(link: str) -> None:
    with pytest.raises(Refused, match="open"):
        address(link, SITE)


def test_behind_the_gateway_links_are_those_of_the_site() -> None:
    named = Address(page="163841", space="OPS")
    assert address(f"{SITE}/spaces/OPS/pages/163841", GATEWAY) == named
    assert address(f"{GATEWAY}/spaces/OPS/pages/163841", GATEWAY) == named
    assert address(f"{SERVER}/spaces/OPS/pages/163841", GATEWAY) is None


def test_data_center_shows_pages_by_title() -> None:
    assert address(f"{SERVER}/display/OPS/Queue+full", SERVER) == Address(space="OPS", title="Queue full")
    assert address(f"{SERVER}/display/OPS", SERVER) == Address(space="OPS")
    assert address(f"{SERVER}/spaces/OPS/pages/65538/Queue+full", SERVER) == Address(page="65538", space="OPS")
    assert address(f"{SERVER}/x/aN9oDw", SERVER) == Address(page="258531176")
    assert address("https://wiki.example.com/jira/display/OPS/Queue+full", SERVER) is None
    with pytest.raises(Refused, match="blog post"):
        address(f"{SERVER}/display/OPS/2026/11/02/News", SERVER)


@pytest.mark.parametrize(
    "link",
    [
        ID,
        BARE,
        BARE.upper(),
        f"https://www.notion.so/{BARE}",
        f"https://www.notion.so/example/Post-mortem-INC-12-{BARE}",
        f"https://www.notion.so/Post-mortem-{BARE}?pvs=4",
        f"https://www.notion.so/Post-mortem-{BARE}#{OTHER}",
        f"https://www.notion.so/Caf%C3%A9-bad-face-{BARE}/",
        f"https://www.notion.so/example/{OTHER}?v={OTHER}&p={BARE}&pm=s",
        f"https://www.notion.so/example/{BARE}?v={OTHER}",
        f"https://app.notion.com/p/Post-mortem-{BARE}",
        f"https://app.notion.com/p/{ID}",
        f"https://app.notion.com/p/{OTHER}?v={OTHER}&p={BARE}",
        f"https://example.notion.site/Post-mortem-{BARE}",
        f"notion://www.notion.so/Post-mortem-{BARE}",
        f"www.notion.so/Post-mortem-{BARE}",
        f"{NOTION}/v1/pages/{ID}",
    ],
)
def test_notion_addresses(link: str) -> None:
    assert page_of(link, NOTION) == ID


@pytest.mark.parametrize(
    "link", [f"{SITE}/x/aN9oDw", f"https://notion.so.example.com/{BARE}", "https://www.notion.so/my", "163841"]
)
def test_what_no_notion_page_is(link: str) -> None:
    assert page_of(link, NOTION) == ""


def test_a_database_with_a_page_beside_it_is_the_database_where_one_is_asked_for() -> None:
    link = f"https://www.notion.so/example/{BARE}?v={OTHER}&p={OTHER}"
    assert parent_of(Place("notes", {"data_source": link}, {})).id == ID
    assert parent_of(Place("notes", {"page": f"https://app.notion.com/p/Notes-{BARE}#{OTHER}"}, {})).id == ID


def test_files_are_named_by_path_or_link_and_only_inside_their_folder(tmp_path: Path) -> None:
    folder = tmp_path / "pages"
    folder.mkdir()
    page, outside = folder / "INC-12 Café.md", tmp_path / "outside.md"
    page.touch()
    outside.touch()
    provider, place = Folder(tmp_path), Place("files", {"path": "pages"}, {})
    assert {provider.page_id(place, link) for link in (str(page), page.as_uri(), page.name)} == {page.name}
    others = (str(outside), outside.as_uri(), "../outside.md", "none.md", f"{SITE}/x/aN9oDw")
    assert {provider.page_id(place, link) for link in others} == {""}
