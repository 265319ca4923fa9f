"""The Confluence Cloud emulator models the checklist of the facts sheet (section 11): the rows not tested elsewhere.

The other rows are in `test_sandbox_confluence.py` and `test_sandbox_confluence_people.py`, Data Center (row 26) is in
`test_sandbox_confluence_dc.py`.
"""

import json
import re
from datetime import timedelta, timezone
from typing import Any

import pytest

from providers.sandbox.confluence import ConfluenceCloud, Gateway
from providers.sandbox.confluence_scopes import needed
from providers.sandbox.faults import Faulty, slow_down
from tests.contract.confluence_wiki import ADA, GRACE, NO_CHECK, TASKS, Wiki, storage, title_of
from tests.contract.described import ABSENT, CLOUD, SPECS, described_operation


@pytest.fixture
def wiki() -> Wiki:
    return Wiki()


# --- row 1: the lock, in both envelopes ---


def test_a_lost_race_is_409_or_500_and_the_same_again_goes_well(wiki: Wiki) -> None:
    """Rows 1 and 19, section 2.1: `OptimisticLockException` is a plain race; nothing was written."""
    page = wiki.create("Race")
    wiki.site.races = [409, 500]
    for status in (409, 500):
        answered, error = wiki.update(page, "<p>x</p>")
        assert answered == status and "OptimisticLockException" in title_of(error)
    assert wiki.body(page) == "<p>text</p>"
    assert wiki.update(page, "<p>x</p>")[0] == 200


# --- row 12: titles ---


def test_some_sites_refuse_a_duplicate_title_with_409(wiki: Wiki) -> None:
    """Section 2.1: mostly 400; some report 409, with the same words."""
    wiki.site.title_taken = 409
    data = {"spaceId": wiki.site.space_id, "title": "POST-MORTEMS", "body": storage("<p />")}
    status, error = wiki.call("POST", "/api/v2/pages", data)
    assert (status, error["errors"][0]["code"]) == (409, "CONFLICT")
    assert title_of(error).startswith("A page with this title already exists")


# --- row 14: who may ---


def ask(site: ConfluenceCloud | Gateway, method: str, path: str) -> tuple[int, Any]:
    reply = site.handle(method, path, {"Authorization": "Bearer scoped"}, b"")
    return reply.status, json.loads(reply.body)


def test_a_token_with_scopes_is_good_behind_the_gateway_only(wiki: Wiki) -> None:
    """Section 1: the site's own host answers 401; links still name that host, so only their cursor is of use."""
    wiki.site.base_url = "https://example.atlassian.net/wiki"
    wiki.site.grant("scoped", "read:page:confluence")
    gateway = Gateway(wiki.site)
    assert ask(wiki.site, "GET", "/api/v2/pages")[0] == 401
    status, content = ask(gateway, "GET", "/api/v2/pages?limit=1")
    assert status == 200 and content["_links"]["base"] == "https://example.atlassian.net/wiki"
    assert ask(wiki.site, "GET", "/api/v2/pages")[0] == 401


def test_a_missing_scope_looks_like_a_wrong_credential_and_says_so(wiki: Wiki) -> None:
    """Section 1: 401 with these very words."""
    wiki.site.grant("scoped", "read:page:confluence")
    for path in ("/api/v2/spaces", "/rest/api/search?cql=type=page", f"/api/v2/pages/{wiki.site.parent_id}/inline-comments"):
        refused = ask(Gateway(wiki.site), "GET", path)
        assert refused == (401, {"code": 401, "message": "Unauthorized; scope does not match"})
    wiki.site.grant("scoped", "read:page:confluence", "search:confluence")
    assert ask(Gateway(wiki.site), "GET", "/rest/api/search?cql=type=page")[0] == 200


@pytest.mark.skipif(not SPECS.exists(), reason=ABSENT)
@pytest.mark.parametrize(
    ("method", "path"),
    [(method, pattern.pattern) for method, pattern, _ in ConfluenceCloud.routes],
)
def test_the_scopes_are_those_that_the_vendor_names(method: str, path: str) -> None:
    asked = re.sub(r"\\(.)", r"\1", re.sub(r"\(.*?\)", "1", path))
    told = described_operation(CLOUD, method, asked).get("x-atlassian-oauth2-scopes", [])
    alternatives = {" ".join(one["scopes"]) for one in told}
    assert needed(method, asked) == ("",) or set(needed(method, asked)) == alternatives


def test_a_revoked_token_is_refused_from_then_on(wiki: Wiki) -> None:
    wiki.create("Before")
    wiki.site.revoke("bot@example.com")
    assert wiki.call("GET", "/api/v2/pages")[0] == 401
    assert wiki.call("GET", "/api/v2/pages", user=ADA)[0] == 200


@pytest.mark.parametrize("status", [404, 403])
def test_a_page_that_may_only_be_read_refuses_writes(wiki: Wiki, status: int) -> None:
    """Section 9: 404 on PUT of an existing page usually means lost permission."""
    page = wiki.create("Read only")
    wiki.site.read_only[page["id"]] = status
    assert wiki.read(page)["title"] == "Read only"
    assert wiki.update(page, "<p>x</p>")[0] == status
    assert wiki.call("DELETE", f"/api/v2/pages/{page['id']}")[0] == status
    assert wiki.call("POST", f"/api/v2/pages/{page['id']}/properties", {"key": "a", "value": 1})[0] == status
    wiki.site.allow(page["id"])
    assert wiki.update(page, "<p>x</p>")[0] == 200


def test_restrictions_hide_a_page_and_what_is_below_it_or_keep_it_from_writes(wiki: Wiki) -> None:
    """Section 1: restrictions are v1's; section 2.1: 404 for missing and forbidden alike."""
    page, me = wiki.create("Restricted"), wiki.ok("GET", "/rest/api/user/current")["accountId"]
    below = wiki.create("Below", parentId=page["id"])
    path = f"/rest/api/content/{page['id']}/restriction"

    def restrict(operation: str) -> int:
        users = [{"type": "known", "accountId": me}]
        return wiki.call("PUT", path, [{"operation": operation, "restrictions": {"user": users}}], **NO_CHECK)[0]

    assert restrict("update") == 200
    assert wiki.call("GET", f"/api/v2/pages/{page['id']}", user=GRACE)[0] == 200
    data = {"id": page["id"], "status": "current", "title": "R", "body": storage("<p />"), "version": {"number": 2}}
    assert wiki.call("PUT", f"/api/v2/pages/{page['id']}", data, user=GRACE)[0] == 404
    assert restrict("read") == 200
    for one in (page, below):
        assert wiki.call("GET", f"/api/v2/pages/{one['id']}", user=GRACE)[0] == 404
        assert wiki.read(one)["id"] == one["id"]
    told = wiki.ok("GET", f"{path}/byOperation")
    assert told["read"]["restrictions"]["user"]["results"][0]["accountId"] == me
    wiki.ok("DELETE", path, **NO_CHECK)
    assert wiki.call("GET", f"/api/v2/pages/{page['id']}", user=GRACE)[0] == 200


def test_a_space_may_go_and_a_page_may_move_to_another(wiki: Wiki) -> None:
    page = wiki.create("Moves")
    below = wiki.create("Below", parentId=page["id"])
    other = wiki.site.add_space("LAB", "Lab")
    wiki.site.move_to_space(page["id"], other)
    assert [wiki.read(one)["spaceId"] for one in (page, below)] == [other.id, other.id]
    assert wiki.read(page)["version"]["number"] == 1
    wiki.site.remove_space(other.id)
    assert wiki.call("GET", f"/api/v2/pages/{page['id']}")[0] == 404
    assert wiki.call("GET", f"/api/v2/spaces/{other.id}")[0] == 404


# --- row 13: archived ---


def test_archiving_is_v1s_and_what_is_archived_stays_so(wiki: Wiki) -> None:
    """Section 9: archived pages cannot be set current by PUT."""
    page = wiki.create("Old")
    assert wiki.call("POST", "/rest/api/content/archive", {"pages": [{"id": int(page["id"])}]}, **NO_CHECK)[0] == 202
    assert wiki.read(page)["status"] == "archived"
    assert wiki.update(page, "<p>x</p>")[0] == 400


# --- row 17: dates in searches ---


def test_dates_in_searches_have_minutes_and_the_zone_of_the_site(wiki: Wiki) -> None:
    """Section 2.4: absolute times are the instance's, relative ones have no zone; nothing is finer than a minute."""
    wiki.site.zone = timezone(timedelta(hours=2))
    page = wiki.create("Dated")  # at 10:00:00 UTC, which is noon there
    wiki.now += timedelta(seconds=59)

    def found(bound: str) -> bool:
        return [one["id"] for one in wiki.search(f"title = dated and lastmodified >= {bound}")] == [page["id"]]

    assert found('"2026-11-20 12:00"') and not found('"2026-11-20 12:01"')
    assert found('now("-0m")')
    wiki.now += timedelta(minutes=1)
    assert found('now("-1m")') and not found("now()")


# --- row 18: late lists ---


def test_lists_are_late_where_single_reads_are_not(wiki: Wiki) -> None:
    """Section 9: page, label and property listings are read-after-write late too."""
    wiki.now += timedelta(minutes=1)
    wiki.site.listing_lag = timedelta(seconds=5)
    page = wiki.create("Late")
    one = f"/api/v2/pages/{page['id']}"
    wiki.ok("POST", f"/rest/api/content/{page['id']}/label", [{"prefix": "global", "name": "l"}], **NO_CHECK)
    wiki.ok("POST", f"{one}/properties", {"key": "mine", "value": 1})
    lists = (f"/api/v2/pages?id={page['id']}", f"{one}/labels", f"{one}/properties?key=mine")
    assert [len(wiki.ok("GET", path)["results"]) for path in lists] == [0, 0, 0]
    assert wiki.read(page)["title"] == "Late"
    wiki.now += timedelta(seconds=5)
    assert [len(wiki.ok("GET", path)["results"]) for path in lists] == [1, 1, 1]


# --- row 19: answers that ask to wait ---


def test_an_answer_that_went_well_may_ask_to_wait(wiki: Wiki) -> None:
    """Section 4: `Retry-After` on a success."""
    faulty = Faulty(wiki.site, [slow_down("3")])
    replies = [faulty.handle("GET", "/api/v2/pages", {"Authorization": "Bearer t"}, b"") for _ in range(2)]
    assert [(reply.status, reply.headers.get("Retry-After")) for reply in replies] == [(200, "3"), (200, None)]


# --- row 20: property races ---


def test_a_property_that_is_there_twice_is_refused_until_one_is_deleted(wiki: Wiki) -> None:
    """Section 2.1: the service makes some itself (409); a duplicated row answers 400 until it is deleted."""
    page = wiki.create("Twins")
    path = f"/api/v2/pages/{page['id']}/properties"
    assert wiki.call("POST", path, {"key": "content-appearance-published", "value": "full-width"})[0] == 409
    wiki.site.duplicate_property(page["id"], "editor")
    first, second = wiki.ok("GET", f"{path}?key=editor")["results"]
    assert wiki.call("POST", path, {"key": "editor", "value": "v2"})[0] == 400
    change = {"key": "editor", "value": "v2", "version": {"number": 2}}
    assert wiki.call("PUT", f"{path}/{first['id']}", change)[0] == 400
    wiki.ok("DELETE", f"{path}/{second['id']}")
    assert wiki.call("PUT", f"{path}/{first['id']}", change)[0] == 200


# --- rows 23 and 29: folders, whiteboards, live docs ---


def test_folders_and_whiteboards_stand_among_pages_and_are_none(wiki: Wiki) -> None:
    """Sections 2.1 and 9: a parent may be a folder (`parentType`); `children` are pages only, `direct-children` all."""
    folder = wiki.site.add_beside("folder", "2026", wiki.site.parent_id)
    board = wiki.site.add_beside("whiteboard", "Sketch", wiki.site.parent_id)
    page = wiki.create("In a folder", parentId=folder.id)
    assert (page["parentId"], page["parentType"]) == (folder.id, "folder")
    assert wiki.ok("GET", f"/api/v2/folders/{folder.id}")["title"] == "2026"
    for one in (folder, board):
        assert wiki.call("GET", f"/api/v2/pages/{one.id}")[0] == 404
    parent = f"/api/v2/pages/{wiki.site.parent_id}"
    assert wiki.ok("GET", f"{parent}/children")["results"] == []
    assert [one["type"] for one in wiki.ok("GET", f"{parent}/direct-children")["results"]] == ["folder", "whiteboard"]
    below = wiki.ok("GET", f"{parent}/descendants")["results"]
    assert [(one["title"], one["depth"]) for one in below] == [("2026", 1), ("In a folder", 2), ("Sketch", 1)]
    above = wiki.ok("GET", f"/api/v2/pages/{page['id']}/ancestors")["results"]
    assert [one["type"] for one in above] == ["page", "page", "folder"]
    wiki.create("2026")  # a folder takes nobody's title


def test_reordering_changes_no_body_and_no_version(wiki: Wiki) -> None:
    first, second = wiki.create("First"), wiki.create("Second")
    wiki.ok("PUT", f"/rest/api/content/{second['id']}/move/before/{first['id']}", **NO_CHECK)
    assert [(wiki.read(one)["version"]["number"], wiki.body(one)) for one in (first, second)] == [(1, "<p>text</p>")] * 2


# --- row 28: the legacy editor ---


NESTED = (
    '<ac:structured-macro ac:name="panel" ac:macro-id="p"><ac:rich-text-body><p>a</p>'
    '<ac:structured-macro ac:name="info" ac:macro-id="i"><ac:rich-text-body><p>inside</p></ac:rich-text-body>'
    "</ac:structured-macro></ac:rich-text-body></ac:structured-macro>"
)


def test_a_page_of_the_legacy_editor_is_kept_as_in_data_center_until_it_is_converted(wiki: Wiki) -> None:
    """Section 6: the `editor` property tells; conversion rewrites the body in one version and drops nested macros."""
    page = wiki.create("Legacy", NESTED + TASKS)
    wiki.site.make_legacy(page["id"])
    (editor,) = wiki.ok("GET", f"/api/v2/pages/{page['id']}/properties?key=editor")["results"]
    assert editor["value"] == "v1"
    wiki.site.publish_as_editor(page["id"], wiki.body(page), ADA)
    edited = wiki.body(page)
    assert 'ac:macro-id="i"' in edited and "placeholder-inline-tasks" in edited and "local-id" not in edited
    wiki.site.convert_editor(page["id"], GRACE)
    converted = wiki.body(page)
    assert "inside" in converted and 'ac:name="info"' not in converted and "local-id" in converted
    assert "placeholder-inline-tasks" not in converted
    assert wiki.read(page)["version"]["number"] == 3
    wiki.site.publish_as_editor(page["id"], converted, ADA)
    assert 'ac:macro-id="p"' not in wiki.body(page)


# --- section 3: watching ---


def test_who_edits_watches_until_told_otherwise(wiki: Wiki) -> None:
    page = wiki.create("Watched")
    path = f"/rest/api/user/watch/content/{page['id']}"
    assert wiki.ok("GET", path)["watching"] is True
    assert wiki.call("GET", path, user=GRACE)[1]["watching"] is False
    wiki.ok("DELETE", path, **NO_CHECK)
    assert wiki.ok("GET", path)["watching"] is False
    assert wiki.call("DELETE", path)[0] == 403
