"""What all routes of the HTTP interface have in common: refusals, pages of lists, versions, roles."""

import json
from datetime import timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from mapping.commands import Actor
from syncd.api import create_app
from syncd.assembly import Assembly
from syncd.settings_faces import TokenSettings, WebSettings
from tests.flow.test_api import Client, Clock, built, client, clock, published

__all__ = ["built", "client", "clock"]


def items(client: Client, path: str, name: str) -> list[Any]:
    """All items of a list, page by page."""
    found, following = [], path
    while following:
        page = client.json("GET", following)
        found += page[name]
        following = page["next"]
    return found


@pytest.fixture
def many(built: Assembly) -> Client:
    """Five incidents more, with two follow-ups and an event each."""
    lines = [
        {
            "reference": f"INC-{number}",
            "name": f"Outage {number}",
            "severity": f"SEV{number % 2 + 1}",
            "phase": "closed" if number % 2 else "post_incident",
            "lead": {"name": "Grace Hopkins", "email": "grace@example.com"},
            "timeline": [{"at": f"2026-11-0{number - 9}T10:00:00Z", "title": "Alert"}],
            "follow_ups": [{"title": f"Do {number}"}, {"title": f"Undo {number}", "status": "done", "due_on": "2026-12-01"}],
        }
        for number in range(10, 15)
    ]
    built.app.import_records("many.json", json.dumps(lines).encode(), None, Actor("import"))
    return Client(create_app(built.app))


# --- refusals -----------------------------------------------------------------------------------------------------------


def test_every_refusal_is_a_problem_with_its_next_step(client: Client) -> None:
    for method, path, body, status, code in (
        ("GET", "/api/v1/incidents/INC-9", None, 404, "not_found"),
        ("GET", "/api/v1/nothing", None, 404, "not_found"),
        ("PUT", "/api/v1/incidents", None, 405, "wrong_method"),
        ("PATCH", "/api/v1/follow-ups/FU-1", {"titel": "x"}, 422, "invalid"),
        ("PATCH", "/api/v1/follow-ups/FU-1", {"status": "x"}, 422, "misuse"),
        ("GET", "/api/v1/incidents?limit=0", None, 422, "invalid"),
    ):
        answer = client(method, path, json=body)
        said = answer.json()
        assert answer.headers["content-type"] == "application/problem+json"
        assert (answer.status_code, said["status"], said["code"]) == (status, status, code)
        assert said["type"] == f"urn:problem-type:syncd:{code}" and said["title"] and said["detail"]
        assert {"next", "reasons"} <= said.keys()


# --- lists --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "name", "key"),
    [
        ("/api/v1/incidents", "incidents", "reference"),
        ("/api/v1/follow-ups", "follow_ups", "key"),
        ("/api/v1/timeline", "timeline", "key"),
    ],
)
def test_a_list_is_read_page_by_page(many: Client, path: str, name: str, key: str) -> None:
    whole = [item[key] for item in many.json("GET", path)[name]]
    assert len(whole) == len(set(whole)) > 5
    assert [item[key] for item in items(many, f"{path}?limit=2", name)] == whole
    assert "after" in many.json("GET", f"{path}?after=nonsense", status=422)["detail"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("phase=closed", ["INC-11", "INC-13"]),
        ("phase=closed&phase=post_incident&severity=SEV2", ["INC-11", "INC-13"]),
        ("lead=ada@example.com", ["INC-1"]),
        ("q=outage+14", ["INC-14"]),
        ("postmortem=in_progress", ["INC-10"]),
        ("postmortem=none&severity=SEV1", ["INC-1", "INC-12", "INC-14"]),
    ],
)
def test_incidents_are_filtered(many: Client, query: str, found: list[str]) -> None:
    many.json("POST", "/api/v1/incidents/INC-10/postmortem", {"template": "lightweight"}, 201)
    assert [i["reference"] for i in items(many, f"/api/v1/incidents?limit=1&{query}", "incidents")] == found


def test_rows_are_filtered(many: Client) -> None:
    due = many.json("GET", "/api/v1/follow-ups?ref=INC-12&status=done&due_before=2026-12-02")["follow_ups"]
    assert [(row["incident"], row["title"]) for row in due] == [("INC-12", "Undo 12")]
    assert many.json("GET", "/api/v1/follow-ups?due_before=2026-12-01")["follow_ups"] == []
    events = many.json("GET", "/api/v1/timeline?since=2026-11-03T00:00:00Z&before=2026-11-05T00:00:00Z")["timeline"]
    assert [event["incident"] for event in events] == ["INC-12", "INC-13"]
    many.json("POST", "/api/v1/incidents/INC-10/postmortem", {"template": "lightweight"}, 201)
    found = many.json("GET", "/api/v1/postmortems?home=in-house&status=in_progress")["postmortems"]
    assert [one["incident"] for one in found] == ["INC-10"] and "sections" not in found[0]
    assert many.json("GET", "/api/v1/postmortems?status=completed")["postmortems"] == []


def test_the_journal_is_read_from_its_beginning_line_by_line(many: Client) -> None:
    lines = items(many, "/api/v1/journal?after=0&limit=3", "lines")
    assert [line["id"] for line in lines] == sorted({line["id"] for line in lines})
    assert {"INC-1", "INC-14"} <= {line["incident"] for line in lines} and "INC-2" not in {
        line["incident"] for line in lines
    }
    assert len(many.json("GET", "/api/v1/journal?limit=3")["lines"]) == 3
    assert {line["side"] for line in items(many, "/api/v1/journal?after=0&side=import", "lines")} == {"import"}


# --- versions -----------------------------------------------------------------------------------------------------------

CHANGES = [
    ("/incidents/INC-1", "PATCH", "/incidents/INC-1", {"name": "New"}),
    ("/incidents/INC-1", "POST", "/incidents/INC-1/follow-ups", {"title": "New"}),
    ("/incidents/INC-1", "POST", "/incidents/INC-1/timeline", {"at": "10:30", "title": "New"}),
    ("/follow-ups/FU-1", "PATCH", "/follow-ups/FU-1", {"title": "New"}),
    ("/timeline/T-1", "PATCH", "/timeline/T-1", {"title": "New"}),
    ("/incidents/INC-1/postmortem", "POST", "/incidents/INC-1/postmortem/status", {"status": "in_review"}),
    (
        "/incidents/INC-1/postmortem/sections/happened",
        "PUT",
        "/incidents/INC-1/postmortem/sections/happened",
        {"markdown": "New"},
    ),
    ("/incidents/INC-1/postmortem", "PUT", "/incidents/INC-1/postmortem/sections/happened", {"markdown": "New"}),
    ("/incidents/INC-1/postmortem", "POST", "/incidents/INC-1/postmortem/export", {"destination": "folder"}),
]


@pytest.mark.parametrize(("record", "method", "path", "body"), CHANGES)
def test_a_change_of_an_older_version_is_refused_and_changes_nothing(
    client: Client, built: Assembly, record: str, method: str, path: str, body: object
) -> None:
    client.json("POST", "/api/v1/incidents/INC-1/postmortem", {"template": "lightweight"}, 201)
    before, lines = built.store.incident("INC-1"), built.store.last_line()
    answer = client(method, f"/api/v1{path}", json=body, headers={"If-Match": '"older"'})
    said = answer.json()
    current = client("GET", f"/api/v1{record}").headers["etag"]
    assert (answer.status_code, said["code"]) == (412, "outdated")
    if "sections" not in path or "sections" in record:
        assert (said["current"], answer.headers["etag"], said["next"]) == (current, current, f"GET /api/v1{record}")
    assert (built.store.incident("INC-1"), built.store.last_line()) == (before, lines)
    done = client(method, f"/api/v1{path}", json=body, headers={"If-Match": f'"another", {current}'})
    assert done.status_code in (200, 201), done.text
    assert client("GET", f"/api/v1{record}").headers["etag"] != current
    assert client(method, f"/api/v1{path}", json=body, headers={"If-Match": current}).status_code == 412


def test_looking_at_a_page_makes_no_new_version(client: Client, built: Assembly, clock: Clock) -> None:
    published(built, client)
    before = client("GET", "/api/v1/incidents/INC-1/postmortem")
    clock.now += timedelta(minutes=5)
    client.json("GET", "/api/v1/incidents/INC-1/flow")
    after = client("GET", "/api/v1/incidents/INC-1/postmortem")
    assert before.json()["pages"][0]["checked_at"] != after.json()["pages"][0]["checked_at"]
    assert before.headers["etag"] == after.headers["etag"]


# --- roles --------------------------------------------------------------------------------------------------------------


READER = {"Authorization": "Bearer the secret of a reader"}


def test_every_route_needs_a_role(built: Assembly) -> None:
    token = TokenSettings(role="read", secret=SecretStr("the secret of a reader"))
    app = create_app(built.app, settings=WebSettings(tokens={"reader": token}))
    operations = [(method.upper(), path) for path, methods in app.openapi()["paths"].items() for method in methods]
    routes = [(method, path) for method, path in operations if path.startswith("/api/v1/")]
    assert len(routes) > 20
    assert {Client(app)(method, path).status_code for method, path in routes} == {401}
    told = {route: Client(app)(*route, headers=READER).status_code for route in routes}
    assert {route for route, status in told.items() if status == 403} == {route for route in routes if route[0] != "GET"}
