"""The Confluence Data Center emulator keeps pages as the facts sheet tells: the sections named here are its."""

import base64
import json
import random
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from providers.sandbox.confluence_dc import ConfluenceDataCenter
from providers.sandbox.wire import Reply
from tests.contract.described import DATA_CENTER, Described

ADA, GRACE = "ada@example.com", "grace@example.com"
RICH = (
    '<h2>Summary</h2>loose<ac:structured-macro ac:name="info" ac:macro-id="kept"><ac:rich-text-body><p>i</p>'
    '</ac:rich-text-body></ac:structured-macro><p class="mine" style="color: #ff0010">&nbsp;</p>'
    "<table><tbody><tr><th>h</th><th>i</th></tr><tr><td>c</td><td>d</td></tr></tbody></table>"
    "<ac:task-list><ac:task><ac:task-id>4</ac:task-id><ac:task-status>incomplete</ac:task-status>"
    '<ac:task-body><ac:link><ri:user ri:userkey="who" /></ac:link> check <time datetime="2026-12-01" /></ac:task-body>'
    "</ac:task></ac:task-list>"
)


class Server:
    """A site with a clock that is moved by hand, and a bot that talks to it."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 20, 10, 0, 0, 123000, tzinfo=UTC)
        self.site = ConfluenceDataCenter(lambda: self.now, random.Random(7))
        self.described = Described(self.site, DATA_CENTER, ours=False)

    def ask(self, method: str, path: str, data: object = None, user: str = "bot@example.com") -> Reply:
        credentials = base64.b64encode(f"{user}:secret".encode()).decode()
        body = b"" if data is None else json.dumps(data).encode()
        return self.described.handle(method, path, {"Authorization": f"Basic {credentials}"}, body)

    def call(self, method: str, path: str, data: object = None, user: str = "bot@example.com") -> tuple[int, Any]:
        reply = self.ask(method, path, data, user)
        return reply.status, json.loads(reply.body) if reply.body else None

    def ok(self, method: str, path: str, data: object = None, user: str = "bot@example.com") -> Any:
        status, content = self.call(method, path, data, user)
        assert status < 300, content
        return content

    def create(self, title: str, body: str = "<p>text</p>", **more: object) -> Any:
        given = {"type": "page", "title": title, "space": {"key": "OPS"}, "ancestors": [{"id": self.site.parent_id}]}
        return self.ok("POST", "/rest/api/content", {**given, "body": storage(body), **more})

    def update(self, page: Any, body: str, number: int | None = None, query: str = "", **more: object) -> tuple[int, Any]:
        version = {"number": page["version"]["number"] + 1 if number is None else number}
        wanted = {"id": page["id"], "type": "page", "title": page["title"], "version": version, **more}
        return self.call("PUT", f"/rest/api/content/{page['id']}{query}", {**wanted, "body": storage(body)})

    def read(self, page: Any, query: str = "") -> Any:
        return self.ok("GET", f"/rest/api/content/{page['id']}?expand=body.storage,version,space,ancestors{query}")

    def body(self, page: Any) -> str:
        return str(self.read(page)["body"]["storage"]["value"])

    def pages_of(self, path: str) -> Iterator[list[Any]]:
        """The parts of a listing, following `next`, which is relative to the context."""
        while path:
            part = self.ok("GET", path)
            assert part["size"] == len(part["results"]) <= part["limit"]
            yield part["results"]
            path = part["_links"].get("next", "")
            assert not path or path.startswith("/rest/api/")


def storage(value: str) -> dict[str, dict[str, str]]:
    return {"storage": {"value": value, "representation": "storage"}}


@pytest.fixture
def server() -> Server:
    return Server()


# --- section 1: who may ask, and where ---


def test_a_personal_access_token_or_a_password_is_asked_for(server: Server) -> None:
    def who(authorization: str) -> str:
        reply = server.site.handle("GET", "/rest/api/user/current", {"Authorization": authorization}, b"")
        return str(json.loads(reply.body)["userKey"])

    assert server.site.handle("GET", "/rest/api/user/current", {}, b"").status == 401
    assert who("Bearer one") == who("Bearer one") != who("Bearer two")
    assert re.fullmatch("[0-9a-f]{32}", who("Bearer one"))
    server.site.revoke("one")
    assert server.site.handle("GET", "/rest/api/user/current", {"Authorization": "Bearer one"}, b"").status == 401


def test_the_api_is_version_one_without_a_number_and_cloud_is_elsewhere(server: Server) -> None:
    for path in ("/rest/api/1.0/content", "/api/v2/pages", "/rest/api/users-bulk"):
        assert server.call("GET", path)[0] == 404


# --- section 2.2: pages ---


def test_a_page_is_created_below_its_first_ancestor(server: Server) -> None:
    page = server.create("INC-1 Database down")
    assert (page["version"]["number"], page["status"], page["type"]) == (1, "current", "page")
    assert [above["id"] for above in page["ancestors"]] == [server.site.homepage_id, server.site.parent_id]
    assert page["version"]["by"]["username"] == "bot@example.com"
    assert server.create("Top", ancestors=[])["ancestors"] == []


def test_only_what_is_expanded_is_told(server: Server) -> None:
    page = server.create("Expand")
    plain = server.ok("GET", f"/rest/api/content/{page['id']}?expand=")
    assert not {"body", "ancestors", "metadata"} & set(plain) and "body" in plain["_expandable"]
    by_default = server.ok("GET", f"/rest/api/content/{page['id']}")
    assert {"history", "space", "version"} <= set(by_default)
    server.ok("POST", f"/rest/api/content/{page['id']}/property", {"key": "mine", "value": 1})
    names = "metadata.labels,metadata.properties.mine,history.lastUpdated"
    full = server.ok("GET", f"/rest/api/content/{page['id']}?expand={names}")
    assert full["metadata"]["labels"]["results"] == [] and full["metadata"]["properties"]["mine"]["value"] == 1
    assert full["history"]["lastUpdated"]["number"] == 1


@pytest.mark.parametrize(
    ("broken", "status"),
    [
        ({"type": None}, 400),
        ({"title": ""}, 400),
        ({"space": {"key": "NONE"}}, 404),
        ({"body": None}, 400),
        ({"body": {"storage": {"value": "<p />"}}}, 400),
        ({"body": storage("<p>a & b</p>")}, 400),
        ({"body": storage("<p>\x01</p>")}, 400),
        ({"body": storage("<p>")}, 400),
        ({"title": "post-MORTEMS"}, 400),
        ({"ancestors": [{"id": "1"}]}, 404),
    ],
)
def test_a_create_that_lacks_something_or_is_malformed_is_refused(server: Server, broken: Any, status: int) -> None:
    given = {"type": "page", "title": "T", "space": {"key": "OPS"}, "body": storage("<p />")}
    answered, error = server.call("POST", "/rest/api/content", {**given, **broken})
    assert (answered, error["statusCode"]) == (status, status)
    assert set(error) >= {"statusCode", "data", "message", "reason"}


def test_the_version_is_the_lock_and_minor_edit_is_kept(server: Server) -> None:
    """Sections 2.2 and 3: v1 takes `minorEdit` on write; a number that is not the next is 409."""
    page = server.create("Lock")
    for number in (1, 3, 0):
        assert server.update(page, "<p>x</p>", number=number)[0] == 409
    assert server.call("PUT", f"/rest/api/content/{page['id']}", {"type": "page", "version": {}})[0] == 400
    version = {"number": 2, "minorEdit": True, "message": "quietly"}
    status, updated = server.update(page, "<p>x</p>", version=version)
    assert (status, updated["version"]["minorEdit"], updated["version"]["message"]) == (200, True, "quietly")
    assert server.read(page, "&version=1")["body"]["storage"]["value"] == "<p>text</p>"
    assert server.read(page, "&version=1")["status"] == "historical"
    assert server.update(updated, "<p>y</p>", query="?conflictPolicy=abort")[1]["version"]["minorEdit"] is False
    assert server.update(page, "<p>y</p>", query="?conflictPolicy=odd")[0] == 400


def test_a_page_in_the_trash_is_shown_to_who_asks_for_it_and_restored_without_the_body(server: Server) -> None:
    page = server.create("Trash")
    path = f"/rest/api/content/{page['id']}"
    assert server.call("DELETE", path)[0] == 204
    assert server.call("GET", path)[0] == 404
    for status in ("trashed", "any"):
        assert server.ok("GET", f"{path}?status={status}")["status"] == "trashed"
    same = {"type": "page", "title": "TRASH", "space": {"key": "OPS"}, "body": storage("<p />")}
    assert "already exists" in server.call("POST", "/rest/api/content", same)[1]["message"]
    assert server.update(page, "<p>ignored</p>", status="current")[0] == 200
    assert server.body(page) == "<p>text</p>"
    server.ok("DELETE", path)
    server.ok("DELETE", f"{path}?status=trashed")
    assert server.call("GET", f"{path}?status=any")[0] == 404


def test_a_draft_is_asked_for_and_published_over(server: Server) -> None:
    """`?status=draft` with body status current publishes and deletes the draft."""
    page = server.create("Draft")
    server.site.save_draft(page["id"], "<p>mine</p>", ADA)
    assert server.read(page, "&status=draft")["body"]["storage"]["value"] == "<p>mine</p>"
    assert server.body(page) == "<p>text</p>"
    assert server.update(page, "<p>done</p>", number=7, query="?status=draft", status="current")[0] == 409
    assert server.read(page, "&status=draft")["body"]["storage"]["value"] == "<p>mine</p>"
    assert server.update(page, "<p>done</p>", query="?status=draft", status="current")[0] == 200
    assert (
        server.body(page) == "<p>done</p>" and server.call("GET", f"/rest/api/content/{page['id']}?status=draft")[0] == 404
    )
    assert server.update(page, "<p />", query="?status=draft")[0] == 404
    assert server.update(page, "<p>again</p>", status="draft")[1]["status"] == "draft"
    server.ok("DELETE", f"/rest/api/content/{page['id']}?status=draft")
    assert server.body(page) == "<p>done</p>"


@pytest.mark.parametrize("status", [409, 501])
def test_a_page_out_of_step_with_its_draft_refuses_writes_until_it_is_looked_at(server: Server, status: int) -> None:
    """Section 3, DC/Synchrony: 501 on older servers, 409 on newer ones; a GET clears it."""
    page = server.create("Unreconciled")
    server.site.fall_out_of_step(page["id"], status)
    answered, error = server.update(page, "<p>x</p>")
    assert answered == status and "unreconciled" in error["message"]
    assert server.update(page, "<p>x</p>")[0] == status
    assert server.body(page) == "<p>text</p>"
    assert server.update(page, "<p>x</p>")[0] == 200


def test_a_page_moves_by_its_ancestors_and_keeps_its_body(server: Server) -> None:
    first, second = server.create("First"), server.create("Second")
    version = {"number": 2}
    moved = {"type": "page", "version": version, "ancestors": [{"id": first["id"]}]}
    above = server.ok("PUT", f"/rest/api/content/{second['id']}", moved)["ancestors"]
    assert above[-1]["id"] == first["id"] and server.body(second) == "<p>text</p>"
    children = server.ok("GET", f"/rest/api/content/{first['id']}/child/page?expand=version")["results"]
    assert [child["id"] for child in children] == [second["id"]]


def test_versions_are_told_deleted_and_renumbered(server: Server) -> None:
    page = server.create("History")
    server.update(page, "<p>two</p>")
    path = f"/rest/api/content/{page['id']}"
    assert server.ok("GET", f"{path}/history?expand=lastUpdated")["lastUpdated"]["number"] == 2
    server.ok("DELETE", f"{path}/version/1")
    assert server.read(page)["version"]["number"] == 1


# --- sections 2.2 and 2.3: lists ---


def test_pages_are_found_by_space_and_exact_title_or_by_repeated_ids(server: Server) -> None:
    pages = [server.create(f"P{n}") for n in range(3)]
    server.ok("DELETE", f"/rest/api/content/{pages[1]['id']}")
    ids = "&".join(f"ids={page['id']}" for page in pages)
    found = server.ok("GET", f"/rest/api/content?{ids}&expand=version")["results"]
    assert [page["id"] for page in found] == [pages[0]["id"], pages[2]["id"]] and found[0]["version"]["number"] == 1
    both = server.ok("GET", f"/rest/api/content?{ids}&status=any")["results"]
    assert [page["status"] for page in both] == ["current", "trashed", "current"]
    assert server.ok("GET", "/rest/api/content?spaceKey=OPS&title=P0&type=page")["size"] == 1
    assert server.ok("GET", "/rest/api/content?spaceKey=OPS&title=p0")["size"] == 0
    assert server.call("GET", f"/rest/api/content?ids={pages[0]['id']},{pages[2]['id']}")[0] == 400


def test_lists_go_by_start_and_limit_and_a_scan_by_cursor(server: Server) -> None:
    made = [server.create(f"P{n:02}")["id"] for n in range(7)]
    server.site.listing_cap = 3
    for path in ("/rest/api/content?spaceKey=OPS&limit=5", "/rest/api/content/scan?spaceKey=OPS&limit=5"):
        parts = list(server.pages_of(path))
        assert [len(part) for part in parts] == [3, 3, 3]
        assert [page["id"] for part in parts for page in part][-7:] == made
    listed = server.ok("GET", "/rest/api/space/OPS/content/page?limit=2&start=2")
    assert (listed["start"], listed["size"]) == (2, 2) and "prev" in listed["_links"]


def test_bodies_make_a_listing_shorter(server: Server) -> None:
    for n in range(60):
        server.create(f"P{n}")
    assert len(server.ok("GET", "/rest/api/content?limit=500&expand=body.storage")["results"]) == 50
    assert len(server.ok("GET", "/rest/api/content?limit=500")["results"]) == 62


def test_search_finds_pages_and_people_and_lags(server: Server) -> None:
    """Section 2.4: the index may hold an old version."""
    page = server.create("INC-2 New")
    server.now += timedelta(hours=1)
    server.site.search_lag = timedelta(minutes=1)
    server.update(page, "<p>x</p>")

    def found(path: str, cql: str) -> list[Any]:
        return list(server.ok("GET", f"/rest/api/{path}?{urlencode({'cql': cql, 'expand': 'version'})}")["results"])

    assert [one["version"]["number"] for one in found("content/search", 'title = "INC-2 New"')] == [1]
    assert found("search", "space = OPS and title ~ inc")[0]["content"]["id"] == page["id"]
    assert found("search", 'type=user and user.fullname ~ "gra hop"')[0]["user"]["username"] == GRACE
    assert server.call("GET", "/rest/api/content/search?cql=nofield=1")[0] == 400


def test_spaces_are_found_by_key(server: Server) -> None:
    (space,) = server.ok("GET", "/rest/api/space?spaceKey=OPS")["results"]
    assert isinstance(space["id"], int) and server.ok("GET", "/rest/api/space/OPS")["name"] == "Operations"
    assert server.call("GET", "/rest/api/space/NONE")[0] == 404


# --- section 2.2: what hangs on a page ---


def test_properties_go_by_key(server: Server) -> None:
    page = server.create("Properties")
    path = f"/rest/api/content/{page['id']}/property"
    assert server.ok("PUT", f"{path}/syncd", {"key": "syncd", "value": {"a": 1}, "version": {"number": 1}})["value"] == {
        "a": 1
    }
    assert server.call("POST", path, {"key": "syncd", "value": 2})[0] == 400
    assert server.call("PUT", f"{path}/syncd", {"key": "syncd", "value": 2, "version": {"number": 4}})[0] == 409
    assert (
        server.ok("PUT", f"{path}/syncd", {"key": "syncd", "value": 2, "version": {"number": 2}})["version"]["number"] == 2
    )
    assert server.call("PUT", f"{path}/big", {"value": "x" * 32768, "version": {"number": 1}})[0] == 413
    assert [one["key"] for one in server.ok("GET", path)["results"]] == ["syncd"]
    server.ok("DELETE", f"{path}/syncd")
    assert server.call("GET", f"{path}/syncd")[0] == 404 and server.read(page)["version"]["number"] == 1


def test_labels_are_added_and_taken_without_a_version(server: Server) -> None:
    page = server.create("Labels")
    path = f"/rest/api/content/{page['id']}/label"
    server.ok("POST", path, [{"prefix": "global", "name": "post-mortem"}, {"prefix": "global", "name": "a/b"}])
    server.ok("DELETE", f"{path}?name=a%2Fb")
    assert [label["name"] for label in server.ok("GET", path)["results"]] == ["post-mortem"]
    assert server.call("POST", path, [{"name": "two words"}])[0] == 400
    assert server.read(page)["version"]["number"] == 1


def test_who_edits_watches_and_may_stop_watching(server: Server) -> None:
    """Section 3: the author starts watching what it edits."""
    page = server.create("Watched")
    path = f"/rest/api/user/watch/content/{page['id']}"
    assert server.ok("GET", path) == {"watching": True}
    assert server.ok("GET", f"{path}?username={GRACE}") == {"watching": False}
    server.ok("DELETE", path)
    assert server.ok("GET", path) == {"watching": False}
    server.ok("POST", path)
    assert server.ok("GET", path) == {"watching": True}


def test_restrictions_are_kept_and_felt(server: Server) -> None:
    page = server.create("Restricted")
    path = f"/rest/api/content/{page['id']}/restriction"
    me = server.ok("GET", "/rest/api/user/current")
    only_me = [{"operation": "read", "restrictions": {"user": [{"type": "known", "username": me["username"]}]}}]
    server.ok("PUT", path, only_me)
    assert server.call("GET", f"/rest/api/content/{page['id']}", user=GRACE)[0] == 404
    told = server.ok("GET", f"{path}/byOperation")
    assert [who["userKey"] for who in told["read"]["restrictions"]["user"]["results"]] == [me["userKey"]]
    assert server.call("PUT", path, [{"operation": "read", "restrictions": {"user": [{"username": GRACE}]}}])[0] == 403
    server.update(page, "<p>x</p>")
    assert server.ok("GET", f"{path}/byOperation")["read"]["restrictions"]["user"]["size"] == 1


def test_inline_comments_go_through_the_resource_of_the_web_interface(server: Server) -> None:
    """Sections 1 and 7: no version, a marker in the body; it dangles while the body lacks the marker."""
    page = server.create("Commented", "<p>alpha beta</p>")
    path = "/rest/inlinecomments/1.0/comments"
    data = {"containerId": page["id"], "body": "<p>why?</p>", "originalSelection": "beta", "matchIndex": 0, "numMatches": 1}
    comment = server.ok("POST", path, data)
    marked = server.body(page)
    assert f'ac:ref="{comment["markerRef"]}"' in marked and server.read(page)["version"]["number"] == 1
    expand = "extensions.resolution,extensions.inlineProperties"
    state = f"/rest/api/content/{page['id']}/child/comment?location=inline&expand={expand}"

    def told() -> tuple[str, str]:
        (one,) = server.ok("GET", state)["results"]
        return one["extensions"]["resolution"]["status"], one["extensions"]["inlineProperties"]["markerRef"]

    assert told() == ("open", comment["markerRef"])
    _, updated = server.update(page, "<p>alpha</p>")
    assert told()[0] == "dangling"
    assert server.ok("GET", f"{path}?containerId={page['id']}")[0]["resolveProperties"]["resolvedDangling"] is True
    server.update(updated, marked)
    assert told()[0] == "open"
    server.ok("PUT", f"{path}/{comment['id']}/resolve/true/dangling/false", {})
    assert server.ok("GET", state)["results"] == []
    assert server.call("POST", path, {**data, "numMatches": 2})[0] == 400


def test_footer_comments_are_content(server: Server) -> None:
    page = server.create("Footer")
    made = server.ok(
        "POST", "/rest/api/content", {"type": "comment", "container": {"id": page["id"]}, "body": storage("<p>f</p>")}
    )
    (listed,) = server.ok("GET", f"/rest/api/content/{page['id']}/child/comment?expand=body.storage")["results"]
    assert (listed["id"], listed["body"]["storage"]["value"]) == (made["id"], "<p>f</p>")


def test_a_box_is_ticked_through_the_resource_of_the_web_interface(server: Server) -> None:
    page = server.create("Tasks", RICH)
    path = f"/rest/inlinetasks/1/task/{page['id']}/4"
    server.ok("POST", path, {"status": "CHECKED", "trigger": "VIEW_PAGE"}, user=ADA)
    assert "<ac:task-status>complete</ac:task-status>" in server.body(page)
    assert server.read(page)["version"]["number"] == 2
    (task,) = server.site.tasks.values()
    assert (task.content.assignee, task.content.due) == ("who", "2026-12-01")
    assert server.call("POST", path, {"status": "maybe"})[0] == 400


def test_bodies_are_converted_at_once_which_proves_storage(server: Server) -> None:
    path = "/rest/api/contentbody/convert/view"
    assert server.ok("POST", path, {"value": "<p>x</p>", "representation": "storage"})["representation"] == "view"
    assert server.call("POST", path, {"value": "<p>x", "representation": "storage"})[0] == 400
    assert server.site.writes == 0


def test_people_go_by_key_or_username_and_tell_no_e_mail(server: Server) -> None:
    ada = server.ok("GET", f"/rest/api/user?username={ADA}")
    assert ada["displayName"] == "Ada Byron" and "email" not in ada
    assert server.ok("GET", f"/rest/api/user?key={ada['userKey']}") == ada
    assert server.call("GET", "/rest/api/user?username=nobody")[0] == 404
    assert ada in server.ok("GET", "/rest/api/user/list")["results"]


# --- section 6: what comes back ---


def test_what_the_api_writes_is_kept_with_its_attributes(server: Server) -> None:
    body = server.body(server.create("Kept", RICH + "\n<p>a<!-- hidden -->b</p>"))
    assert 'ac:macro-id="kept"' in body and 'class="mine"' in body and "hidden" not in body and "local-id" not in body
    assert "\n<p>ab</p>" in body


def test_a_persons_publish_keeps_ids_and_adds_the_old_editors_noise(server: Server) -> None:
    """Section 6, DC row: macro-ids kept and after the name, cursor paragraphs, columns, `<br />` for blanks."""
    page = server.create("Edited", RICH)
    server.site.publish_as_editor(page["id"], server.body(page), ADA)
    body = server.body(page)
    assert '<ac:structured-macro ac:name="info" ac:macro-id="kept" ac:schema-version="1">' in body
    assert "<p>loose</p>" in body and 'style="color: rgb(255,0,16);"><br /></p>' in body
    assert '<table class="wrapped"><colgroup><col /><col /></colgroup>' in body
    assert '<ac:task-body><span class="placeholder-inline-tasks"><ac:link>' in body
    assert server.read(page)["version"]["by"]["username"] == ADA
    server.site.publish_as_editor(page["id"], body, ADA)
    assert server.body(page) == body
    lonely = server.create("Macro", '<ac:structured-macro ac:name="toc" />')
    server.site.publish_as_editor(lonely["id"], server.body(lonely), ADA)
    assert server.body(lonely).count('<p class="auto-cursor-target"><br /></p>') == 2


# --- section 4: the bucket ---


def test_a_bucket_of_requests_is_told_and_enforced(server: Server) -> None:
    assert "X-RateLimit-Limit" not in server.ask("GET", "/rest/api/user/current").headers
    server.site.bucket = 2
    first = server.ask("GET", "/rest/api/user/current")
    assert (first.headers["X-RateLimit-Limit"], first.headers["X-RateLimit-Remaining"]) == ("2", "1")
    assert (first.headers["X-RateLimit-FillRate"], first.headers["X-RateLimit-Interval-Seconds"]) == ("1", "1")
    server.ask("GET", "/rest/api/user/current")
    empty = server.ask("GET", "/rest/api/user/current")
    assert (empty.status, empty.headers["Retry-After"]) == (429, "1")
    assert server.ask("GET", "/rest/api/user/current", user=ADA).status == 200
    server.now += timedelta(seconds=1)
    assert server.ask("GET", "/rest/api/user/current").status == 200


# --- section 11, rows 14 and 13 ---


def test_permission_and_space_may_be_lost(server: Server) -> None:
    page = server.create("Lost")
    path = f"/rest/api/content/{page['id']}"
    server.site.forbid(page["id"])
    assert server.call("GET", path)[0] == 404 and server.update(page, "<p />")[0] == 404
    server.site.allow(page["id"])
    server.site.read_only[page["id"]] = 403
    assert server.call("GET", path)[0] == 200 and server.update(page, "<p />")[0] == 403
    server.site.allow(page["id"])
    other = server.site.add_space("LAB", "Lab")
    server.site.move_to_space(page["id"], other)
    assert server.read(page)["space"]["key"] == "LAB"
    server.site.remove_space(other.id)
    assert server.call("GET", path)[0] == 404


@settings(max_examples=60, deadline=None)
@given(
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE"]),
    path=st.sampled_from(
        [
            "/rest/api/content",
            "/rest/api/content/163841",
            "/rest/api/content/163841/property/a",
            "/rest/api/content/163841/label",
            "/rest/api/content/163841/restriction",
            "/rest/api/content/163841/version/x",
            "/rest/api/content/search",
            "/rest/inlinecomments/1.0/comments",
            "/rest/inlinetasks/1/task/163841/x",
        ]
    ),
    query=st.sampled_from(["", "?limit=x", "?version=" + "9" * 5000, "?ids=%ff", "?cql=%22", "?status=odd"]),
    body=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.dictionaries(
                st.sampled_from(["id", "status", "title", "space", "key", "body", "storage", "version", "number", "type"]),
                inner,
                max_size=5,
            )
            | st.lists(inner, max_size=3)
        ),
        max_leaves=8,
    ),
)
def test_no_request_breaks_it(method: str, path: str, query: str, body: object) -> None:
    reply = Server().site.handle(method, path + query, {"Authorization": "Bearer t"}, json.dumps(body).encode())
    assert 200 <= reply.status < 500
