"""The Notion emulator's door: versions, tokens, capabilities, limits, failures. Numbers are rows of the checklist for
emulators, names those of Notion's own documentation pages.
"""

import json
import re
from datetime import timedelta
from typing import Any

import httpx
import pytest

from providers.sandbox.faults import Fault, Faulty, empty, failing, html, truncated
from providers.sandbox.in_process import EmulatorTransport
from providers.sandbox.notion_gate import CAPABILITIES
from tests.contract.notion_api import Api, Json, para, plain, text

OLD = "2025-09-03"


@pytest.fixture
def api() -> Api:
    return Api()


def asked(api: Api, method: str, path: str, body: object = None, **headers: str) -> tuple[int, dict[str, str], Json]:
    given = {"Authorization": "Bearer one", "Notion-Version": "2026-03-11", **headers}
    reply = api.workspace.handle(method, path, given, b"" if body is None else json.dumps(body).encode())
    return reply.status, reply.headers, json.loads(reply.body)


# --- versions and new fields -------------------------------------------------------------------------------------------


def test_the_older_version_has_archived_and_after(api: Api) -> None:
    """1: Upgrade guide 2026-03-11: `archived` became `in_trash`, append's `after` became `position`."""
    page = api.page(para("a"), para("b"))
    first = api.children(page)[0]["id"]
    version = {"Notion-Version": OLD}
    _, _, read = asked(api, "GET", f"/v1/pages/{page}", **version)
    assert read["archived"] is read["in_trash"] is False
    assert "archived" not in api.ok("GET", f"/v1/pages/{page}")
    _, _, made = asked(api, "PATCH", f"/v1/blocks/{page}/children", {"children": [para("x")], "after": first}, **version)
    assert [(plain(block), block["archived"]) for block in made["results"]] == [("x", False), ("b", False)]
    status, _, _ = asked(api, "PATCH", f"/v1/blocks/{first}", {"archived": True}, **version)
    assert (status, api.ok("GET", f"/v1/blocks/{first}")["in_trash"]) == (200, True)
    both = {"children": [para("y")], "after": first, "position": {"type": "end"}}
    assert asked(api, "PATCH", f"/v1/blocks/{page}/children", both, **version)[0] == 400


def test_meeting_notes_were_called_transcription(api: Api) -> None:
    """1: Upgrade guide 2026-03-11."""
    page = api.page()
    api.workspace.ui_insert(page, None, {"meeting_notes": {"status": "notes_ready"}})
    assert api.children(page)[0]["type"] == "meeting_notes"
    _, _, old = asked(api, "GET", f"/v1/blocks/{page}/children", **{"Notion-Version": OLD})
    assert old["results"][0]["transcription"] == {"status": "notes_ready"}


def test_fields_appear_that_nobody_has_heard_of() -> None:
    """31: Changelog 2026-07-15: new response fields appear on every version."""
    api = Api(novelties=True, described=False)
    page = api.page(*[para(str(number)) for number in range(20)])
    blocks = api.children(page)
    assert any(name.startswith("novelty") for block in blocks for name in block)
    assert any(name.startswith("novelty") for block in blocks for name in block["paragraph"]["rich_text"][0])


def test_both_sites_occur_in_addresses() -> None:
    """32: Changelog 2026-07-15: `app.notion.com/p/` beside `www.notion.so`."""
    api = Api(old_links=True)
    urls = {api.ok("GET", f"/v1/pages/{api.page()}")["url"].rpartition("/")[0] for _ in range(12)}
    assert urls == {"https://app.notion.com/p", "https://www.notion.so"}


# --- tokens and capabilities -------------------------------------------------------------------------------------------


def test_a_token_may_be_revoked_at_any_time(api: Api) -> None:
    """§1, Status codes: an expired or revoked token is `unauthorized`."""
    api.ok("GET", "/v1/users/me")
    api.workspace.gate.revoke("one")
    assert api.no("GET", "/v1/users/me", code="unauthorized") == "API token is invalid."
    assert api.ok("GET", "/v1/users/me", token="two")
    api.workspace.gate.renew("one")
    assert api.ok("GET", "/v1/users/me")


def test_each_connection_sees_what_is_shared_with_it(api: Api) -> None:
    """15: not shared and missing are the same 404, per connection, and may change at run time."""
    page = api.page(para("a"))
    other = api.ok("GET", "/v1/users/me", token="two")["id"]
    api.workspace.unshare(page, other)
    assert api.ok("GET", f"/v1/pages/{page}")
    status, answer = api.send("GET", f"/v1/pages/{page}", token="two")
    assert (status, answer["additional_data"]) == (404, {"integration_id": other})
    assert 'your integration "Sandbox 2"' in answer["message"]
    query = f"/v1/data_sources/{api.workspace.data_source_id}/query"
    assert api.ok("POST", query, {}, token="two")["results"] == []
    api.workspace.share(page, other)
    assert api.ok("GET", f"/v1/pages/{page}", token="two")


@pytest.mark.parametrize(
    ("without", "method", "path"),
    [
        ("read_content", "GET", "/v1/pages/{page}"),
        ("update_content", "PATCH", "/v1/pages/{page}"),
        ("insert_content", "PATCH", "/v1/blocks/{page}/children"),
        ("read_comments", "GET", "/v1/comments?block_id={page}"),
        ("insert_comments", "POST", "/v1/comments"),
        ("read_users", "GET", "/v1/users"),
    ],
)
def test_a_missing_capability_is_a_restricted_resource(api: Api, without: str, method: str, path: str) -> None:
    """§1: capabilities gate calls with 403 `restricted_resource`; documented on each endpoint's page."""
    page = api.page()
    api.workspace.gate.limit("one", CAPABILITIES - {without})
    status, answer = api.send(method, path.format(page=page), {})
    assert (status, answer["code"]) == (403, "restricted_resource")


def test_addresses_are_a_capability_and_guests_are_not_listed(api: Api) -> None:
    """24: List all users: no guests; a guest by id; e-mail by capability."""
    guest = api.workspace.add_person("Vera Rubin", "vera@example.com", guest=True)
    assert guest not in [user["id"] for user in api.ok("GET", "/v1/users")["results"]]
    assert api.ok("GET", f"/v1/users/{guest}")["name"] == "Vera Rubin"
    api.workspace.gate.limit("one", CAPABILITIES - {"read_emails"})
    people = [user for user in api.ok("GET", "/v1/users")["results"] if user["type"] == "person"]
    assert [user["person"] for user in people] == [{}, {}]
    api.workspace.gate.limit("one", CAPABILITIES - {"read_users", "read_emails"})
    assert "capabilities to read user information" in api.no("GET", f"/v1/users/{guest}", code="object_not_found")


# --- limits ------------------------------------------------------------------------------------------------------------


def test_a_window_of_sixty_seconds_holds_so_many_requests(api: Api) -> None:
    """17: Request limits: a budget for each 60-second window, spendable at once; over it 429 with Retry-After."""
    api.workspace.gate.per_window = 3
    for _ in range(3):
        api.ok("GET", "/v1/users/me")
        api.later(0.25)
    status, headers, answer = asked(api, "GET", "/v1/users/me")
    assert (status, answer["code"], headers["Retry-After"]) == (429, "rate_limited", "15")
    assert answer["additional_data"] == {"rate_limit_reason": "public_api_request_rate_limit", "retry_after": "15"}
    assert api.ok("GET", "/v1/users/me", token="two")
    api.later(0.25)
    assert api.ok("GET", "/v1/users/me")


def test_a_workspace_may_be_closed_for_minutes_and_a_connection_for_good(api: Api) -> None:
    """17: Request limits: the workspace's shared limit waits over a minute; `public_api_request_blocked` never ends."""
    api.workspace.gate.closed_until = api.now + timedelta(minutes=10)
    status, headers, answer = asked(api, "GET", "/v1/users/me")
    assert (status, headers["Retry-After"]) == (429, "600")
    assert answer["additional_data"]["rate_limit_reason"] == "public_api_space_request_rate_limit"
    api.later(10)
    me = api.ok("GET", "/v1/users/me")["id"]
    api.workspace.gate.blocked.add(me)
    status, headers, answer = asked(api, "GET", "/v1/users/me")
    assert (status, answer["additional_data"]) == (429, {"rate_limit_reason": "public_api_request_blocked"})
    assert "Retry-After" not in headers


# --- failures ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (409, "conflict_error"),
        (500, "internal_server_error"),
        (503, "service_unavailable"),
        (504, "gateway_timeout"),
        (529, "service_overload"),
    ],
)
def test_failures_speak_the_services_codes(api: Api, status: int, code: str) -> None:
    """18: Status codes."""
    wire = Faulty(api.workspace, [failing(status, retry_after="7")])
    reply = wire.handle("GET", "/v1/users/me", {}, b"")
    assert (reply.status, json.loads(reply.body)["code"], reply.headers["Retry-After"]) == (status, code, "7")


def test_a_gateway_speaks_html(api: Api) -> None:
    """18: 502 comes from a gateway in front."""
    reply = Faulty(api.workspace, [failing(502)]).handle("GET", "/v1/users/me", {}, b"")
    assert (reply.status, reply.headers["Content-Type"]) == (502, "text/html")


def test_a_saved_write_may_be_answered_with_503(api: Api) -> None:
    """19: Request limits: `additional_data` says what was saved."""
    page = api.page()
    wire = Faulty(api.workspace, [failing(503, after_commit=True)])
    body = json.dumps({"children": [para("a"), para("b")]}).encode()
    headers = {"Authorization": "Bearer one", "Notion-Version": "2026-03-11"}
    reply = wire.handle("PATCH", f"/v1/blocks/{page}/children", headers, body)
    told = json.loads(reply.body)["additional_data"]
    assert told == {
        "retry_guidance": "do_not_retry",
        "committed_child_ids": [block["id"] for block in api.children(page)],
    }


@pytest.mark.parametrize(("fault", "shown"), [(truncated(), r"\{.*"), (empty(), ""), (html(), "<!doctype html>.*")])
def test_answers_may_be_broken_although_the_work_was_done(api: Api, fault: Fault, shown: str) -> None:
    """18: what proxies make of answers."""
    wire = Faulty(api.workspace, [fault])
    body = json.dumps({"children": [para("a")]}).encode()
    page = api.page()
    headers = {"Authorization": "Bearer one", "Notion-Version": "2026-03-11"}
    reply = wire.handle("PATCH", f"/v1/blocks/{page}/children", headers, body)
    assert reply.status == 200 and re.fullmatch(shown, reply.body.decode())
    with pytest.raises(ValueError):
        json.loads(reply.body)
    assert [plain(block) for block in api.children(page)] == ["a"]


def test_an_answer_may_come_after_the_client_gave_up(api: Api) -> None:
    """18: Status codes: the service works up to 60 s on one request."""
    wire: Any = Faulty(api.workspace, [Fault("late")])
    client = httpx.Client(transport=EmulatorTransport(wire), base_url="https://api.notion.example")
    with client, pytest.raises(httpx.ReadTimeout):
        client.get("/v1/users/me")


# --- what an index knows -----------------------------------------------------------------------------------------------


def test_a_lagging_index_shows_old_values_of_known_pages() -> None:
    """21: index-backed reads lag: an updated row came back old, while a read by id was new."""
    api = Api(index_lag=timedelta(minutes=2))
    page = api.page(title="before")
    api.later(5)
    api.workspace.ui_rename(page, "after")
    assert api.titles() == ["before"]
    assert api.ok("GET", f"/v1/pages/{page}")["properties"]["Name"]["title"][0]["plain_text"] == "after"
    assert api.query()["results"][0]["last_edited_time"].endswith("10:00:00.000Z")
    api.later(2)
    assert api.titles() == ["after"]


def test_a_search_may_not_find_what_is_there(api: Api) -> None:
    """22: Search optimizations and limitations: not exhaustive."""
    page = api.page(title="Needle")
    api.workspace.access.unfound.add(page)
    assert api.ok("POST", "/v1/search", {"query": "needle"})["results"] == []
    assert api.titles() == ["Needle"]


def test_a_pages_time_may_follow_late() -> None:
    """16: the one recording that crosses a minute shows the block moved and the page not yet."""
    api = Api(nested_edits_move_page=timedelta(minutes=3))
    page = api.page(para("a"))
    api.later(5)
    api.append(page, para("b"))
    assert api.edited(page) == "10:00"
    api.later(3)
    assert api.edited(page) == "10:08"


def test_comments_may_be_markdown_and_name_their_author(api: Api) -> None:
    """23: Create comment: `rich_text` or `markdown`; `display_name`; at most three attachments."""
    page = api.page()
    shown = {"type": "custom", "custom": {"name": "Runbook"}}
    made = api.ok("POST", "/v1/comments", {"parent": {"page_id": page}, "markdown": "hm", "display_name": shown})
    assert made["display_name"] == {"type": "custom", "resolved_name": "Runbook"}
    assert made["rich_text"][0]["plain_text"] == "hm"
    both = {"parent": {"page_id": page}, "markdown": "a", "rich_text": [text("a")]}
    assert "should be not present" in api.no("POST", "/v1/comments", both)
    four = {"parent": {"page_id": page}, "markdown": "a", "attachments": [{"file_upload_id": page}] * 4}
    assert "attachments.length should be ≤ `3`" in api.no("POST", "/v1/comments", four)
