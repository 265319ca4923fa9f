"""The HTTP interface and the web pages over a real store and a folder of Markdown pages."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from mapping.commands import Actor, Set
from mapping.document import Block, Span
from mapping.markdown import from_markdown
from mapping.records import parse_incidents
from syncd.api import create_app
from syncd.assembly import Assembly, assemble
from syncd.demo.site import parsed
from syncd.settings import load
from syncd.settings_faces import WebSettings
from syncd.web.prose import prose

CONFIG = """
[incidents]
severities = ["SEV1", "SEV2"]
[sync]
row_still_seconds = 0
quiet_seconds = 0
version_gap_seconds = 0
[web]
public_url = "https://incidents.example.com"
[providers.files]
kind = "folder"
[destinations.folder]
provider = "files"
path = "pages"
"""
INCIDENTS = [
    {
        "reference": "INC-1",
        "name": "Checkout <b>fails</b>",
        "severity": "SEV1",
        "phase": "post_incident",
        "summary": "It failed & [runs](javascript:alert(1)), [told](https://example.com/a).",
        "lead": {"name": "Ada Byron", "email": "ada@example.com"},
        "timestamps": {"started": "2026-11-02T10:00:00Z"},
        "timeline": [{"key": "T-1", "at": "2026-11-02T10:03:00Z", "title": "Alert fired", "description": "**loud**"}],
        "follow_ups": [{"key": "FU-1", "title": "Alert on <script>alert(1)</script> depth", "due_on": "2026-12-01"}],
    },
    {"reference": "INC-2", "name": "Leaked keys", "private": True, "follow_ups": [{"key": "FU-2", "title": "Rotate them"}]},
]


@dataclass
class Client:
    """Requests without a socket, as a program on this machine sends them."""

    app: FastAPI
    host: str = "http://127.0.0.1:8470"

    def __call__(self, method: str, path: str, **how: Any) -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url=self.host) as client:
                return await client.request(method, path, **how)

        return asyncio.run(ask())

    def json(self, method: str, path: str, body: object = None, status: int = 200) -> Any:
        answer = self(method, path, json=body)
        assert answer.status_code == status, answer.text
        return answer.json()


class Clock:
    """A time that only moves when told."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def built(tmp_path: Path, clock: Clock) -> Iterator[Assembly]:
    """A small installation with two incidents, one of them private."""
    config = tmp_path / "config.toml"
    config.write_text(CONFIG, "utf-8")
    (tmp_path / "pages").mkdir()
    made = assemble(config, load(config), lambda per_minute: lambda seconds: None, now=clock)
    made.app.import_records("incidents.json", json.dumps(INCIDENTS).encode(), None, Actor("import", "incidents.json"))
    yield made
    made.close()


@pytest.fixture
def client(built: Assembly) -> Client:
    return Client(create_app(built.app))


def published(built: Assembly, client: Client) -> Path:
    """INC-1's post-mortem in the folder; its file."""
    client.json("POST", "/api/v1/incidents/INC-1/postmortem", {"template": "standard", "destination": "folder"}, 201)
    built.app.once()
    return next((built.config.parent / "pages").glob("*.md"))


# --- reading ------------------------------------------------------------------------------------------------------------


def test_health_says_that_process_and_store_answer(client: Client) -> None:
    assert client.json("GET", "/healthz") == {"status": "ok"}
    assert client.json("GET", "/readyz") == {"status": "ready", "pages_waiting": 0}


def test_the_description_lists_what_can_be_asked(client: Client) -> None:
    paths = client.json("GET", "/api/v1/openapi.json")["paths"]
    assert {"/api/v1/incidents/{ref}/flow", "/api/v1/conflicts", "/api/v1/journal", "/healthz"} <= set(paths)
    assert not [path for path in paths if not path.startswith("/api/") and not path.endswith("z")]


def test_an_incident_is_answered_in_the_shape_that_can_be_imported(client: Client, built: Assembly) -> None:
    value = client.json("GET", "/api/v1/incidents/INC-1")
    incidents, problems = parse_incidents(value, None, from_markdown)
    assert problems == []
    assert incidents == [built.store.incident("INC-1")]


def test_an_unknown_incident_is_a_typed_404_that_offers_the_nearest(client: Client) -> None:
    for path in ("", "/flow", "/export-status", "/postmortem"):
        error = client.json("GET", f"/api/v1/incidents/INC-11{path}", status=404)
        assert error["code"] == "not_found"
        assert "INC-1" in error["detail"] and error["next"] == "syncd incident list"
    assert client.json("GET", "/api/v1/nothing", status=404)["code"] == "not_found"


def test_an_incident_without_a_postmortem_has_a_gate_that_says_no(client: Client) -> None:
    gate = client.json("GET", "/api/v1/incidents/INC-1/flow")
    assert (gate["answer"], gate["may_close"]) == ("no", False)
    assert [task["task"] for task in gate["tasks"]] == ["draft_post_mortem", "export_post_mortem"]
    assert {reason["code"] for task in gate["tasks"] for reason in task["reasons"]} == {"no_postmortem"}


def test_the_gate_opens_when_the_page_is_in_step(client: Client, built: Assembly) -> None:
    published(built, client)
    gate = client.json("GET", "/api/v1/incidents/INC-1/flow")
    assert gate["answer"] == "yes"
    assert gate["export"] == client.json("GET", "/api/v1/incidents/INC-1/export-status")
    assert gate["export"]["status"] == "fresh" and gate["export"]["url"].startswith("file://")


# --- writing ------------------------------------------------------------------------------------------------------------


def test_changes_reach_the_page(client: Client, built: Assembly) -> None:
    file = published(built, client)
    row = client.json("PATCH", "/api/v1/follow-ups/FU-1", {"title": "Alert on depth", "status": "done", "due_on": None})
    assert (row["title"], row["status"], row["due_on"]) == ("Alert on depth", "done", None)
    added = client.json("POST", "/api/v1/incidents/INC-1/follow-ups", {"title": "Write it down"}, 201)["key"]
    client.json("PATCH", "/api/v1/timeline/T-1", {"at": "10:05"})
    client.json("POST", "/api/v1/incidents/INC-1/timeline", {"at": "10:20", "title": "Rolled back"}, 201)
    client.json("PATCH", "/api/v1/incidents/INC-1", {"severity": "sev2", "timestamps": {"resolved": "2026-11-02 11:00"}})
    client.json("POST", "/api/v1/incidents/INC-1/postmortem/status", {"status": "In review"})
    built.app.once()
    text = file.read_text("utf-8")
    assert "- [x] Alert on depth [`FU-1`]" in text and f"- [ ] Write it down [`{added}`]" in text
    assert "| 2026-11-02 10:05 | Alert fired |" in text and "| 2026-11-02 10:20 | Rolled back |" in text
    assert "| Severity | SEV2 |" in text and "| Resolved | 2026-11-02 11:00 |" in text and "status: In review" in text


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        ("/api/v1/follow-ups/FU-1", {"titel": "x"}, "titel"),
        ("/api/v1/follow-ups/FU-1", {"status": "finished"}, "open, done, dropped"),
        ("/api/v1/follow-ups/FU-1", {"due_on": "soon"}, "due_on"),
        ("/api/v1/timeline/T-1", {"at": "noonish"}, "noonish"),
        ("/api/v1/incidents/INC-1", {"severity": "SEV9"}, "SEV1, SEV2"),
        ("/api/v1/incidents/INC-1", {"phase": "over"}, "closed"),
    ],
)
def test_what_cannot_be_meant_is_refused_and_changes_nothing(
    client: Client, built: Assembly, path: str, body: object, words: str
) -> None:
    before = built.store.incident("INC-1")
    error = client.json("PATCH", path, body, 422)
    assert words in error["detail"]
    assert built.store.incident("INC-1") == before


def test_closing_asks_the_gate_and_a_skip_is_journalled(client: Client) -> None:
    error = client.json("PATCH", "/api/v1/incidents/INC-1", {"phase": "closed"}, 409)
    assert error["code"] == "refused_by_gate" and "There is no post-mortem" in error["reasons"][0]
    assert "--skip-flow" in error["next"]
    body = {"phase": "closed", "skip_flow": "a duplicate"}
    assert client.json("PATCH", "/api/v1/incidents/INC-1", body)["phase"] == "closed"
    lines = client.json("GET", "/api/v1/journal?ref=INC-1")["lines"]
    assert [line["new"] for line in lines if line["action"] == "closed past the gate"] == ["a duplicate"]


def test_the_journal_goes_on_where_a_reader_stopped(client: Client) -> None:
    last = client.json("GET", "/api/v1/journal")["lines"][-1]["id"]
    client.json("PATCH", "/api/v1/follow-ups/FU-1", {"title": "Alert on depth"})
    (line,) = client.json("GET", f"/api/v1/journal?after={last}")["lines"]
    assert (line["subject"], line["field"], line["new"], line["side"]) == ("FU-1", "title", "Alert on depth", "store")


def test_a_conflict_is_shown_with_both_versions_and_settled(client: Client, built: Assembly, clock: Clock) -> None:
    file = published(built, client)
    clock.now += timedelta(minutes=5)
    file.write_text(file.read_text("utf-8").replace("Alert fired", "Alert rang"), "utf-8")
    client.json("PATCH", "/api/v1/timeline/T-1", {"title": "Alert was loud"})
    built.app.once()
    (conflict,) = client.json("GET", "/api/v1/conflicts?state=open")["conflicts"]
    assert (conflict["incident"], conflict["key"], conflict["field"]) == ("INC-1", "T-1", "title")
    assert (conflict["page"]["text"], conflict["store"]["text"]) == ("Alert rang", "Alert was loud")
    page = client("GET", "/incidents/INC-1").text
    assert "Both sides changed the title of T-1" in page and "Alert rang" in page
    client.json("POST", f"/api/v1/conflicts/{conflict['id']}/resolve", {"take": "page", "text": "x"}, 422)
    assert client.json("POST", f"/api/v1/conflicts/{conflict['id']}/resolve", {"take": "page"})["state"] == "page"
    built.app.once()
    assert "| Alert rang |" in file.read_text("utf-8")
    assert client.json("GET", "/api/v1/conflicts?state=open")["conflicts"] == []


def test_comments_of_people_are_shown_beside_the_page_with_a_link(client: Client, built: Assembly) -> None:
    published(built, client)
    (page,) = built.app.store.pages("INC-1")
    assert "comment" not in client("GET", "/incidents/INC-1").text
    built.app.store.set_page(page.id, url="https://wiki.example.com/1", comments=1, comments_at=built.app.store.now())
    link = '<a href="https://wiki.example.com/1" target="_blank" rel="noopener noreferrer">1 comment</a>'
    assert link in client("GET", "/incidents/INC-1").text
    shown = client.json("GET", "/api/v1/incidents/INC-1/postmortem")["pages"][0]["comments"]
    assert (shown["count"], shown["url"]) == (1, "https://wiki.example.com/1") and shown["checked_at"]


def test_a_hidden_row_is_brought_back(client: Client, built: Assembly, clock: Clock) -> None:
    file = published(built, client)
    clock.now += timedelta(minutes=5)
    kept = [line for line in file.read_text("utf-8").splitlines(keepends=True) if "T-1" not in line]
    file.write_text("".join(kept), "utf-8")
    built.app.once()
    assert "Removed from the page" in client("GET", "/incidents/INC-1").text
    client.json("POST", "/api/v1/incidents/INC-1/restore", {"key": "T-1"})
    built.app.once()
    assert "Alert fired" in file.read_text("utf-8")
    assert "Removed from the page" not in client("GET", "/incidents/INC-1").text


# --- who may ------------------------------------------------------------------------------------------------------------


def test_another_site_can_change_nothing(client: Client) -> None:
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}):
        answer = client("PATCH", "/api/v1/follow-ups/FU-1", json={"title": "x"}, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "cross_origin")
    own = {"Origin": "http://127.0.0.1:8470", "Sec-Fetch-Site": "same-origin"}
    assert client("PATCH", "/api/v1/follow-ups/FU-1", json={"title": "Mine"}, headers=own).status_code == 200


def test_without_a_token_only_this_machine_or_the_public_address_is_answered(built: Assembly) -> None:
    app = create_app(built.app)
    status = {host: Client(app, f"http://{host}")("GET", "/api/v1/incidents").status_code for host in
              ("localhost:8470", "127.0.0.1:8470", "[::1]:8470", "incidents.example.com", "evil.example")}  # fmt: skip
    assert list(status.values()) == [200, 200, 200, 200, 421]


def test_a_token_is_needed_everywhere_where_one_is_set(built: Assembly) -> None:
    client = Client(create_app(built.app, settings=WebSettings(token=SecretStr("open sesame"))), "http://elsewhere.example")
    for path in ("/api/v1/incidents", "/api/v1/openapi.json", "/incidents/INC-1", "/"):
        answer = client("GET", path)
        assert (answer.status_code, answer.json()["code"]) == (401, "no_token")
        assert client("GET", path, headers={"Authorization": "Bearer open sesam"}).status_code == 401
        assert client("GET", path, headers={"Authorization": "Bearer open sesame"}).status_code == 200
    assert [client("GET", path).status_code for path in ("/healthz", "/static/app.js", "/signin")] == [200, 200, 200]


def test_a_browser_signs_in_once(built: Assembly) -> None:
    client = Client(create_app(built.app, settings=WebSettings(token=SecretStr("open sesame"))), "https://elsewhere.example")
    here = {"Origin": "https://elsewhere.example"}
    assert client("GET", "/", headers={"Accept": "text/html"}).headers["location"] == "/signin"
    assert client("POST", "/signin", data={"token": "guess"}, headers=here).status_code == 401
    answer = client("POST", "/signin", data={"token": "open sesame"}, headers=here)
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=strict" in cookie and "Secure" in cookie and "sesame" not in cookie
    assert "Leaked keys" in client("GET", "/", headers={"Cookie": cookie.partition(";")[0]}).text


def test_private_incidents_are_only_for_those_with_the_token(built: Assembly) -> None:
    everybody, trusted = (
        Client(create_app(built.app)),
        Client(create_app(built.app, settings=WebSettings(token=SecretStr("t")))),
    )
    assert [i["reference"] for i in everybody.json("GET", "/api/v1/incidents")["incidents"]] == ["INC-1"]
    assert "Leaked" not in everybody("GET", "/").text + everybody("GET", "/api/v1/journal").text
    for method, path in (("GET", "/api/v1/incidents/INC-2"), ("GET", "/incidents/INC-2"), ("GET", "/keys/FU-2")):
        assert everybody(method, path).status_code == 404
    everybody.json("PATCH", "/api/v1/follow-ups/FU-2", {"title": "x"}, 404)
    bearer = {"Authorization": "Bearer t"}
    assert trusted("GET", "/api/v1/incidents/INC-2", headers=bearer).json()["name"] == "Leaked keys"


# --- pages for people ---------------------------------------------------------------------------------------------------


def test_what_people_wrote_is_shown_and_never_run(client: Client, built: Assembly) -> None:
    published(built, client)
    for path in ("/incidents/INC-1", "/", "/incidents/INC-1/gate"):
        answer = client("GET", path)
        assert answer.status_code == 200
        assert "<script>alert" not in answer.text and "<b>fails" not in answer.text
        leads = [value for node in parsed(answer.text).walk() for value in node.attributes.values() if value]
        assert not any(value.strip().lower().startswith("javascript:") for value in leads)
        assert "default-src 'self'" in answer.headers["content-security-policy"]
    page = client("GET", "/incidents/INC-1").text
    assert "Alert on &lt;script&gt;" in page and 'href="https://example.com/a"' in page and "<strong>loud</strong>" in page
    assert "In step" in page and "not written yet" in page


def test_the_page_says_in_words_that_a_change_is_on_its_way(client: Client, built: Assembly) -> None:
    published(built, client)
    client.json("PATCH", "/api/v1/follow-ups/FU-1", {"title": "Alert on depth"})
    assert "A change is on its way" in client("GET", "/incidents/INC-1").text
    built.app.once()
    assert "A change is on its way" not in client("GET", "/incidents/INC-1").text


def test_what_is_written_in_house_can_be_edited_on_the_page_what_is_external_not(client: Client, built: Assembly) -> None:
    client.json("POST", "/api/v1/incidents/INC-1/postmortem", {"template": "lightweight"}, 201)
    assert "/incidents/INC-1/write#section-happened" in client("GET", "/incidents/INC-1").text
    body = {"markdown": "We learned **much**."}
    said = client.json("PUT", "/api/v1/incidents/INC-1/postmortem/sections/happened", body)
    assert next(s for s in said["sections"] if s["id"] == "happened")["markdown"].strip() == "We learned **much**."
    client.json("POST", "/api/v1/incidents/INC-1/postmortem/export", {"destination": "folder"}, 201)
    built.app.once()
    page = client("GET", "/incidents/INC-1").text
    assert "/write#" not in page and "Written on" in page


def test_an_editor_saves_over_what_others_wrote_meanwhile(client: Client, built: Assembly) -> None:
    client.json("POST", "/api/v1/incidents/INC-1/postmortem", {"template": "lightweight"}, 201)
    path = "/api/v1/incidents/INC-1/postmortem/sections/happened"
    client.json("PUT", path, {"markdown": "One.\n\nTwo."})
    ours = {"markdown": "One.\n\nTwo.\n\nThree.", "base": "One.\n\nTwo.", "editor": "a"}
    assert not client.json("PUT", path, ours)["written"]["merged"]
    theirs = client.json("PUT", path, {"markdown": "One more.\n\nTwo.", "base": "One.\n\nTwo.", "editor": "b"})["written"]
    assert (theirs["markdown"], theirs["merged"], theirs["both"]) == ("One more.\n\nTwo.\n\nThree.\n", True, [])


def test_a_save_whose_answer_was_lost_is_sent_again_without_doubling_anything(client: Client) -> None:
    client.json("POST", "/api/v1/incidents/INC-1/postmortem", {"template": "lightweight"}, 201)
    path = "/api/v1/incidents/INC-1/postmortem/sections/happened"
    client.json("PUT", path, {"markdown": ""})
    client.json("PUT", path, {"markdown": "It fail", "base": "", "editor": "a"})  # its answer never came
    answer = client.json("PUT", path, {"markdown": "It failed twice.", "base": "", "editor": "a"})["written"]
    assert (answer["markdown"], answer["merged"], answer["both"]) == ("It failed twice.\n", False, [])


def test_a_key_on_a_page_leads_to_its_incident(client: Client) -> None:
    answer = client("GET", "/keys/FU-1")
    assert (answer.status_code, answer.headers["location"]) == (303, "/incidents/INC-1#FU-1")
    assert client("GET", "/keys/FU-77").status_code == 404


def test_prose_nests_lists_and_escapes_everything() -> None:
    items = from_markdown("1. one\n2. two\n   - deep <i>x</i>\n3. three\n\n- [x] ticked\n\n```\na < b\n```\n")
    html = str(prose(items))
    assert "<li>two<ul" in html and "<li>three</li></ol>" in html and "<i>" not in html and "a &lt; b" in html
    assert 'type="checkbox" disabled aria-label="ticked" checked' in html
    link = Block("paragraph", (Span("x", link=" JavaScript:alert(1)"), Span("y", link="mailto:ada@example.com")))
    assert str(prose([link])) == ('<p>x<a href="mailto:ada@example.com" rel="noopener noreferrer" target="_blank">y</a></p>')


PNG = b"\x89PNG\r\n\x1a\n and the rest"


def test_a_picture_is_kept_and_given_out_so_that_it_can_only_be_shown(client: Client) -> None:
    path = "/api/v1/incidents/INC-1/attachments"
    first, again = (client("POST", path, content=PNG).json()["url"] for _ in range(2))
    assert first == again
    shown = client("GET", first)
    assert (shown.content, shown.headers["content-type"]) == (PNG, "image/png")
    assert "sandbox" in shown.headers["content-security-policy"] and shown.headers["x-content-type-options"] == "nosniff"
    assert client("POST", path, content=b"<svg/>").status_code == 422
    assert client("GET", "/attachments/unknown.png").status_code == 404


def test_a_picture_of_a_private_incident_is_for_those_who_see_it(built: Assembly) -> None:
    address = built.app.add_picture("INC-2", PNG)
    everybody, trusted = (
        Client(create_app(built.app)),
        Client(create_app(built.app, settings=WebSettings(token=SecretStr("t")))),
    )
    assert everybody("GET", address).status_code == 404
    assert trusted("GET", address, headers={"Authorization": "Bearer t"}).content == PNG


def test_what_cannot_travel_is_named_before_an_export(client: Client, built: Assembly) -> None:
    client.json("POST", "/api/v1/incidents/INC-1/postmortem", {"template": "lightweight"}, 201)
    markdown = "![chart](https://example.com/a.png)\n\n[kept: Jira issues #k1]"
    built.app.store.apply("INC-1", [Set("section", "happened", "blocks", blocks=from_markdown(markdown))], Actor("store"))
    shown = client("GET", "/incidents/INC-1/export/preview?to=folder").text
    assert "The picture “chart” in “What happened” cannot travel" in shown
    assert "“Jira issues” in “What happened” stays on the page that has it." in shown
