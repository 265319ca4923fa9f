"""What people and services wrote is shown and never run, every answer is fenced in, and no secret is in any of them."""

import json
import logging
from collections.abc import Iterator
from datetime import timedelta
from html.parser import HTMLParser

import httpx
import pytest
from fastapi import FastAPI

from mapping.commands import Actor
from syncd.api import create_app
from syncd.assembly import Assembly
from syncd.settings_faces import WebSettings
from tests.flow.test_access import HERE, PROXY, PUBLIC, SECRETS, Asker, bearer, settings
from tests.flow.test_api import Clock, built, clock
from tests.flow.test_private import routes

__all__ = ["built", "clock"]

SCRIPT = "<script>alert(1)</script>"
HANDLER = '"><img src=x onerror=alert(1) x="'
ADDRESS = "javascript:alert(1)"
HOSTILE = {
    "reference": "INC-3",
    "name": f"Name {SCRIPT}{HANDLER}",
    "severity": f"SEV{HANDLER}",
    "phase": "post_incident",
    "summary": f"{SCRIPT} [run]({ADDRESS}) [y](data:text/html,{SCRIPT}) ![x]({ADDRESS}) {HANDLER} <a href={ADDRESS}>x</a>",
    "lead": {"name": f"Lead {HANDLER}", "email": "lead@example.com"},
    "roles": {"scribe": {"name": SCRIPT, "email": "x'&lt;b@example.com"}},
    "custom_fields": {"animal": f"{SCRIPT}{HANDLER}"},
    "timeline": [
        {"key": "T-30", "at": "2026-11-02T10:03:00Z", "title": f"Event {SCRIPT}", "description": f"[x]({ADDRESS}) {HANDLER}"}
    ],
    "follow_ups": [{"key": "FU-30", "title": f"Do {HANDLER}", "assignee": {"name": SCRIPT, "email": "x@example.com"}}],
}


LOADS = ("iframe", "object", "embed", "base", "style", "link", "meta")


class Judge(HTMLParser):
    """What a browser would run or load of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.wrong: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: (value or "").strip().lower() for name, value in attrs}
        own = given.get("src", "").startswith("/static/")
        if tag in LOADS and not self._of_ours(tag, given):
            self.wrong.append(f"<{tag} {given}>")
        if tag == "script" and not own:
            self.wrong.append(f"<script {given}>")
        self.wrong += [f"{name}={value}" for name, value in given.items() if name.startswith("on") or name == "style"]
        for name in ("href", "src", "action", "formaction", "data", "hx-get", "hx-post", "sse-connect", "xlink:href"):
            if given.get(name, "").replace("\t", "").split(":")[0] in ("javascript", "vbscript", "data"):
                self.wrong.append(f"{name}={given[name]}")

    def _of_ours(self, tag: str, given: dict[str, str]) -> bool:
        if tag == "link":
            return given.get("href", "").startswith("/static/")
        return tag == "meta" and "http-equiv" not in given


@pytest.fixture
def app(built: Assembly, clock: Clock) -> FastAPI:
    """An installation in which everything that can be hostile is, on a page too, with a conflict and a hidden row."""
    use, who = built.app, Actor("store", f"Eve {SCRIPT}")
    use.import_records("hostile.json", json.dumps(HOSTILE).encode(), None, who)
    use.create_postmortem("INC-3", "standard", "folder", who)
    use.once()
    file = next(path for path in (built.config.parent / "pages").glob("*.md") if "Event" in path.read_text("utf-8"))
    clock.now += timedelta(minutes=5)
    lines = file.read_text("utf-8").splitlines(keepends=True)
    kept = [line.replace("| Event ", "| Event <svg onload=alert(1)> ") if "T-30" in line else line for line in lines]
    file.write_text("".join(line for line in kept if "FU-30" not in line), "utf-8")
    use.edit_event("T-30", {"title": f"Event {HANDLER}"}, who)
    use.once()
    page = built.store.pages("INC-3")[0]
    built.store.set_page(page.id, url=ADDRESS, reason=f"{SCRIPT} `{HANDLER}`", comments=2)
    assert built.store.conflicts("INC-3") and built.store.hidden(page.id)
    return create_app(use)


def pages(built: Assembly, app: FastAPI) -> Iterator[tuple[str, str]]:
    """Every page for people, with what it shows."""
    here = Asker(app, "http://127.0.0.1:8470", "127.0.0.1")
    app.state.site.live.end()  # streams of events end at once, whatever their address
    values = {"ref": "INC-3", "key": "FU-30", "section": "impact"}
    for route in routes(app, "GET"):
        path = route.path
        for name, value in values.items():
            path = path.replace(f"{{{name}}}", value)
        if path.startswith("/api/") or path.endswith("events") or "{" in path:
            continue
        answer = here("GET", path)
        if "html" in answer.headers.get("content-type", ""):
            yield path, answer.text


def test_nothing_that_came_from_outside_is_run(built: Assembly, app: FastAPI) -> None:
    shown = dict(pages(built, app))
    assert {"/", "/incidents/INC-3", "/incidents/INC-3/gate"} <= set(shown)
    assert {path: wrong for path, page in shown.items() if (wrong := Judge(page).wrong)} == {}
    assert "&lt;script&gt;alert(1)" in shown["/incidents/INC-3"]


def test_the_judge_sees_what_a_browser_would_run() -> None:
    hostile = f"<script>x</script><img onerror=x><a href=' {ADDRESS}'>x</a><p style='x'><base href=x><link href=//x>"
    assert len(Judge(hostile).wrong) == 6


PATHS = """/ /incidents/INC-1 /nothing /static/app.css /static/none /healthz /signin
    /api/v1/incidents /api/v1/incidents/INC-99 /api/v1/openapi.json"""


@pytest.mark.parametrize("path", PATHS.split())
def test_every_answer_is_fenced_in(built: Assembly, path: str) -> None:
    app = create_app(built.app, settings=settings())
    for headers in (bearer("boss"), {}, {"Accept": "text/html"}):
        fenced(Asker(app, headers=headers)("GET", path).headers)
    fenced(Asker(app, headers=bearer("checks"))("POST", path).headers)


def fenced(headers: httpx.Headers) -> None:
    policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'self'" and "unsafe" not in str(policy)
    assert policy["object-src"] == policy["base-uri"] == "'none'"
    assert policy["form-action"] == policy["frame-ancestors"] == "'self'"
    assert headers["x-content-type-options"] == "nosniff"


def broken(built: Assembly, monkeypatch: pytest.MonkeyPatch) -> FastAPI:
    """An application with a fault of ours, as a server would run it."""
    app = create_app(built.app, settings=settings(token="one for everything", proxy=PROXY))

    def fault(ref: str) -> None:
        raise RuntimeError(f"a fault about {ref}")

    monkeypatch.setattr(built.app.store, "incident", fault)
    return app


def test_an_error_of_ours_is_fenced_in_too(built: Assembly, monkeypatch: pytest.MonkeyPatch) -> None:
    asker = Asker(broken(built, monkeypatch), headers=bearer("boss"), raises=False)
    answer = asker("GET", "/api/v1/incidents/INC-1")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert "fault" not in answer.text
    fenced(answer.headers)


# --- secrets ------------------------------------------------------------------------------------------------------------


def test_no_secret_is_in_any_answer_log_or_error(
    built: Assembly, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    web = settings(token="one for everything", proxy=PROXY)
    app = create_app(built.app, settings=web)
    secrets = [*SECRETS.values(), "one for everything", "a wrong one that somebody mistyped"]
    said = [repr(web), web.model_dump_json(), str(built.settings)]
    for secret in secrets:
        asker = Asker(app, raises=False)
        asked = [
            asker("POST", "/signin", headers=HERE, data={"token": secret}),
            asker("GET", "/"),
            asker("POST", "/signout", headers=HERE),
            Asker(app, headers={"Authorization": f"Bearer {secret}"})("GET", "/api/v1/incidents/INC-404"),
            Asker(app, headers={"Authorization": f"Bearer {secret}"})("PATCH", "/api/v1/follow-ups/FU-1", json={"x": 1}),
        ]
        said += [answer.text + str(answer.headers) for answer in asked]
    fault = Asker(broken(built, monkeypatch), headers=bearer("boss"), raises=False)("GET", "/api/v1/incidents/INC-1")
    said += [fault.text, *(record.getMessage() for record in caplog.records), *capfd.readouterr()]
    assert [secret for secret in secrets if any(secret in text for text in said)] == []


def test_a_cookie_is_strict_and_goes_by_https_alone_where_the_pages_do(built: Assembly) -> None:
    for public, host, secure in ((PUBLIC, PUBLIC, True), (PUBLIC, "http://incidents.example.com", True),
                                 ("http://in.example", "http://in.example", False)):  # fmt: skip
        web = WebSettings(public_url=public, tokens=settings().tokens)
        asker = Asker(create_app(built.app, settings=web), host)
        answer = asker("POST", "/signin", headers={"Origin": public}, data={"token": SECRETS["desk"]})
        cookie = answer.headers["set-cookie"].lower()
        assert ("; secure" in cookie) == secure
        assert "; httponly" in cookie and "; samesite=strict" in cookie and "; path=/" in cookie
