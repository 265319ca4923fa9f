"""Templates over HTTP: read, made, changed as a whole with their file's hash as the version, deleted, tried out."""

import hashlib
from pathlib import Path
from typing import Any

from syncd.assembly import Assembly
from tests.flow.test_api import Client, built, client, clock

__all__ = ["built", "client", "clock"]


def read(client: Client, template_id: str = "standard") -> tuple[dict[str, Any], str]:
    """What can be sent back, and its version."""
    answer = client("GET", f"/api/v1/templates/{template_id}")
    value = answer.json()
    return {key: value[key] for key in value if key not in ("id", "own")}, answer.headers["etag"]


def test_templates_are_made_read_changed_and_deleted(client: Client, built: Assembly) -> None:
    made = client.json("POST", "/api/v1/templates", {"id": "major", "like": "standard"}, 201)
    assert made["own"] and made["name"] == "Standard (copy)"
    told, version = read(client, "major")
    changed = client("PUT", "/api/v1/templates/major", json=told | {"name": "Major"}, headers={"if-match": version})
    assert changed.status_code == 200 and changed.headers["etag"] != version
    file = built.settings.templates.directory / "major.toml"
    assert changed.headers["etag"] == f'"{hashlib.sha256(file.read_bytes()).hexdigest()}"'
    assert "# The standard post-mortem" in file.read_text()
    listed = client.json("GET", "/api/v1/templates")["templates"]
    assert [(t["id"], t["own"]) for t in listed if t["id"] in ("major", "standard")] == [
        ("major", True),
        ("standard", False),
    ]
    assert client("DELETE", "/api/v1/templates/major").status_code == 204
    client.json("GET", "/api/v1/templates/major", status=404)
    new = {"id": "mine", "name": "Mine", "write": "in-house", "sections": [{"kind": "summary"}]}
    assert client.json("POST", "/api/v1/templates", new, 201)["tasks"] == ["draft_post_mortem"]


def test_a_version_that_is_not_there_any_more_is_refused(client: Client, built: Assembly, tmp_path: Path) -> None:
    told, version = read(client)
    built.library.set_write("standard", "folder")
    for method, body in (("PUT", told), ("DELETE", None)):
        refused = client(method, "/api/v1/templates/standard", json=body, headers={"if-match": version})
        assert (refused.status_code, refused.json()["code"]) == (412, "outdated")
        assert refused.json()["current"] == refused.headers["etag"] == read(client)[1]
    assert client("PUT", "/api/v1/templates/standard", json=told).status_code == 200


def test_what_is_wrong_is_told_by_key(client: Client) -> None:
    body = {"destination": "folder", "title": "{{", "sections": [{"kind": "sumary", "heading": "S"}]}
    refused = client.json("PUT", "/api/v1/templates/standard", body, 422)
    assert refused["code"] == "wrong_fields" and set(refused["fields"]) == {"title", "sections[1].kind"}
    assert client.json("PUT", "/api/v1/templates/standard", {"section": []}, 422)["code"] == "invalid"
    nowhere = client.json("PUT", "/api/v1/templates/standard", {"destination": "x", "sections": [{"kind": "summary"}]}, 422)
    assert nowhere["fields"] == {"destination": "there is no destination 'x' in the configuration"}
    assert client.json("DELETE", "/api/v1/templates/standard", status=422)["code"] == "misuse"


def test_where_templates_are_kept_in_git_the_diff_is_answered(client: Client, built: Assembly) -> None:
    (built.config.parent / ".git").mkdir()
    told, _ = read(client)
    refused = client.json("PUT", "/api/v1/templates/standard", told | {"name": "Ours"}, 409)
    assert refused["code"] == "kept_elsewhere" and "git apply" in refused["next"]
    assert '+name = "Ours"' in refused["diff"]
    assert not built.library.file("standard").own


def test_a_template_is_tried_out_on_an_incident_that_one_may_see(client: Client) -> None:
    shown = client.json("GET", "/api/v1/templates/standard/preview?incident=INC-1")
    assert shown["title"] == "INC-1 Checkout <b>fails</b>" and shown["wrong"] == {}
    assert "## Impact assessment" in shown["markdown"]
    client.json("GET", "/api/v1/templates/standard/preview?incident=INC-2", status=404)
