"""Who may ask over HTTP, and what they may: tokens, a proxy, roles, sign-in, other sites."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from mapping.commands import Actor
from syncd.api import create_app
from syncd.assembly import Assembly
from syncd.settings_faces import ProxySettings, TokenSettings, WebSettings
from tests.flow.test_api import Clock, built, clock

__all__ = ["built", "clock"]

PUBLIC = "https://incidents.example.com"
SECRETS = {"checks": "a-secret-of-the-checks", "desk": "a-secret-of-the-desk", "boss": "a-secret-of-the-boss"}
EMAILS = {"checks": "checks@example.com", "desk": "ada@example.com", "boss": ""}
ROLES = {"checks": "read", "desk": "write", "boss": "admin"}
HERE = {"Origin": PUBLIC}
ADMIN = Actor("store", "somebody")


def token(name: str, **more: Any) -> TokenSettings:
    return TokenSettings.model_validate({"role": ROLES[name], "secret": SECRETS[name], "email": EMAILS[name], **more})


def settings(**more: Any) -> WebSettings:
    return WebSettings(public_url=PUBLIC, tokens={name: token(name) for name in SECRETS}, **more)


PROXY = ProxySettings(header="X-Forwarded-Email", addresses=("10.0.0.0/24",), roles={"ada@example.com": "write"})


@dataclass
class Asker:
    """Requests of one machine, which keeps its cookies, without a socket."""

    app: FastAPI
    host: str = PUBLIC
    address: str = "192.0.2.7"
    headers: Mapping[str, str] = field(default_factory=dict)
    cookies: httpx.Cookies = field(default_factory=httpx.Cookies)
    raises: bool = True  # what the application raises, instead of what it answers then

    def __call__(self, method: str, path: str, headers: Mapping[str, str] | None = None, **how: Any) -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=self.raises, client=(self.address, 50_000))
            async with httpx.AsyncClient(transport=transport, base_url=self.host, cookies=self.cookies) as client:
                answer = await client.request(method, path, headers={**self.headers, **(headers or {})}, **how)
                self.cookies = client.cookies
                return answer

        return asyncio.run(ask())


def bearer(name: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {SECRETS[name]}"}


def changed(asker: Asker, **how: Any) -> int:
    """What is answered to a change."""
    return asker("PATCH", "/api/v1/follow-ups/FU-1", json={"title": "Alert on depth"}, **how).status_code


# --- tokens and roles ---------------------------------------------------------------------------------------------------


def test_a_role_says_what_a_token_may(built: Assembly) -> None:
    app = create_app(built.app, settings=settings())
    assert [Asker(app, headers=bearer(name))("GET", "/api/v1/incidents").status_code for name in SECRETS] == [200, 200, 200]
    assert [changed(Asker(app, headers=bearer(name))) for name in SECRETS] == [403, 200, 200]
    refused = Asker(app, headers=bearer("checks"))("POST", "/api/v1/incidents/INC-1/look")
    assert refused.status_code == 403 and "needs the role write" in refused.text and "web.tokens" in refused.text


def test_the_journal_says_who_made_a_change(built: Assembly) -> None:
    app = create_app(built.app, settings=settings(token="one for everything"))
    assert changed(Asker(app, headers=bearer("desk"))) == 200
    line = built.store.journal("INC-1")[-1]
    assert (line.actor.side, line.actor.name) == ("store", "Ada Byron")
    Asker(app, headers=bearer("boss"))("PATCH", "/api/v1/follow-ups/FU-1", json={"title": "Alert"})
    assert built.store.journal("INC-1")[-1].actor.name == "boss"
    single = {"Authorization": "Bearer one for everything"}
    Asker(app)("PATCH", "/api/v1/follow-ups/FU-1", json={"title": "Alarm"}, headers=single)
    assert built.store.journal("INC-1")[-1].actor.name == "API"


def test_whoever_tries_many_tokens_is_not_heard_for_a_while(built: Assembly, clock: Clock) -> None:
    app = create_app(built.app, settings=settings())
    stale, guesser = Asker(app, address="192.0.2.1"), Asker(app, address="192.0.2.2")
    for number in range(30):
        assert stale("GET", "/", headers={"Authorization": "Bearer old"}).status_code == 401
        guess = guesser("POST", "/signin", headers=HERE, data={"token": f"guess {number}"})
        assert guess.status_code == (401 if number < 10 else 429)
    assert guesser("POST", "/signin", headers=HERE, data={"token": SECRETS["boss"]}).status_code == 429
    assert guesser("GET", "/", headers=bearer("boss")).status_code == 429
    assert stale("GET", "/", headers=bearer("boss")).status_code == 200
    clock.now += timedelta(minutes=5)
    assert guesser("GET", "/", headers=bearer("boss")).status_code == 200


# --- browsers -----------------------------------------------------------------------------------------------------------


def signed_in(app: FastAPI, name: str) -> Asker:
    browser = Asker(app)
    answer = browser("POST", "/signin", headers=HERE, data={"token": SECRETS[name]})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    return browser


def test_a_browser_has_the_role_of_the_token_that_signed_it_in_until_it_signs_out(built: Assembly) -> None:
    app = create_app(built.app, settings=settings())
    reader, writer = signed_in(app, "checks"), signed_in(app, "desk")
    assert (reader("GET", "/").status_code, changed(reader, headers=HERE)) == (200, 403)
    assert changed(writer, headers=HERE) == 200
    assert reader("POST", "/signout", headers=HERE).headers["location"] == "/signin"
    assert reader("GET", "/").status_code == 401


def test_pages_leave_out_what_a_role_may_not_do(built: Assembly) -> None:
    app = create_app(built.app, settings=settings())
    reader, writer = signed_in(app, "checks")("GET", "/incidents/INC-1"), signed_in(app, "desk")("GET", "/incidents/INC-1")
    assert '<fieldset class="may" disabled>' in reader.text and '<fieldset class="may">' in writer.text
    assert "Ada Byron" in writer.text and 'action="/signout"' in writer.text
    assert 'action="/signout"' not in Asker(app, headers=bearer("desk"))("GET", "/incidents/INC-1").text


def test_settings_are_for_those_who_administer(built: Assembly) -> None:
    app = create_app(built.app, settings=settings())
    for path in ("/settings", "/settings/templates", "/settings/connections/wiki"):
        status = [Asker(app, headers=bearer(name))("GET", path).status_code for name in SECRETS]
        assert status[:2] == [403, 403] and status[2] != 403
    assert Asker(app, headers=bearer("checks"))("GET", "/settingsx").status_code == 404
    shown = signed_in(app, "desk")("GET", "/settings", headers={"Accept": "text/html"})
    assert shown.status_code == 403 and "needs the role admin" in shown.text and "<h1>Not allowed</h1>" in shown.text


def test_a_session_ends_by_itself_and_with_its_token(built: Assembly, clock: Clock) -> None:
    browser = signed_in(create_app(built.app, settings=settings()), "desk")
    rotated = {"desk": token("desk", secret="another secret of the desk"), "boss": token("boss")}
    browser.app = create_app(built.app, settings=WebSettings(public_url=PUBLIC, tokens=rotated))
    assert browser("GET", "/").status_code == 401
    browser.app = create_app(built.app, settings=settings())
    assert browser("GET", "/").status_code == 200
    session = browser.cookies["syncd_session"]
    browser.cookies = httpx.Cookies()
    clock.now += timedelta(days=31)
    assert browser("GET", "/", headers={"Cookie": f"syncd_session={session}"}).status_code == 401
    later = str(int(session.partition(".")[0]) + 10**7) + "." + session.partition(".")[2]
    assert browser("GET", "/", headers={"Cookie": f"syncd_session={later}"}).status_code == 401


FOREIGN: list[dict[str, str]] = [
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://incidents.example.com"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site", "Origin": "https://other.example.com"},
    {"Sec-Fetch-Site": "cross-site", "Origin": PUBLIC},
]


@pytest.mark.parametrize("said", [*FOREIGN, {}])
def test_another_site_changes_nothing_through_a_browser_that_is_signed_in(built: Assembly, said: dict[str, str]) -> None:
    app = create_app(built.app, settings=settings(proxy=PROXY))
    assert changed(signed_in(app, "desk"), headers=said) == 403
    proxied = Asker(app, address="10.0.0.9", headers={"X-Forwarded-Email": "ada@example.com"})
    assert changed(proxied, headers=said) == 403
    assert changed(proxied, headers=HERE) == changed(proxied, headers={"Sec-Fetch-Site": "same-origin"}) == 200
    assert Asker(app)("POST", "/signin", headers=said, data={"token": SECRETS["desk"]}).status_code == 403


@pytest.mark.parametrize("said", FOREIGN)
def test_another_site_changes_nothing_where_nobody_signs_in(built: Assembly, said: dict[str, str]) -> None:
    here = Asker(create_app(built.app), "http://127.0.0.1:8470", "127.0.0.1")
    assert changed(here, headers=said) == 403
    assert changed(here) == changed(here, headers={"Origin": "http://127.0.0.1:8470"}) == 200


# --- the proxy ----------------------------------------------------------------------------------------------------------


def test_the_proxy_names_people_and_they_have_their_role(built: Assembly) -> None:
    app = create_app(built.app, settings=settings(proxy=PROXY))
    ada = Asker(app, address="10.0.0.9", headers={"X-Forwarded-Email": "Ada@Example.com", **HERE})
    grace = Asker(app, address="10.0.0.9", headers={"X-Forwarded-Email": "grace@example.com", **HERE})
    assert (ada("GET", "/").status_code, changed(ada)) == (200, 200)
    assert built.store.journal("INC-1")[-1].actor.name == "Ada Byron"
    assert (grace("GET", "/").status_code, changed(grace)) == (200, 403)


@pytest.mark.parametrize(
    ("address", "host", "status"),
    [
        ("10.0.0.9", PUBLIC, 200),
        ("10.0.0.9", "http://127.0.0.1:8470", 200),
        ("10.0.0.9", "https://evil.example", 421),
        ("10.0.1.9", PUBLIC, 401),
        ("127.0.0.1", PUBLIC, 401),
        ("", PUBLIC, 401),
    ],
)
def test_the_proxy_is_believed_from_its_addresses_alone(built: Assembly, address: str, host: str, status: int) -> None:
    app = create_app(built.app, settings=settings(proxy=PROXY))
    asker = Asker(app, host, address, {"X-Forwarded-Email": "ada@example.com", "X-Forwarded-For": "10.0.0.9"})
    assert asker("GET", "/api/v1/incidents").status_code == status


def test_a_header_that_is_there_twice_names_nobody(built: Assembly) -> None:
    app = create_app(built.app, settings=settings(proxy=PROXY))

    async def ask() -> int:
        transport = httpx.ASGITransport(app, client=("10.0.0.9", 1))
        async with httpx.AsyncClient(transport=transport, base_url=PUBLIC) as client:
            twice = [("X-Forwarded-Email", "grace@example.com"), ("X-Forwarded-Email", "ada@example.com")]
            return (await client.get("/", headers=twice)).status_code

    assert asyncio.run(ask()) == 401


# --- private incidents --------------------------------------------------------------------------------------------------


def seen(built: Assembly, asker: Asker) -> bool:
    """Whether they see the private incident."""
    listed = "Leaked keys" in asker("GET", "/").text
    assert asker("GET", "/api/v1/incidents/INC-2").status_code == (200 if listed else 404)
    return listed


def test_a_private_incident_is_there_for_those_whom_it_names(built: Assembly) -> None:
    app = create_app(built.app, settings=settings(token="one for everything", private_viewers=("grace@example.com",)))
    ada, boss, robot = (Asker(app, headers=bearer(name)) for name in ("desk", "boss", "checks"))
    assert not seen(built, ada) and not seen(built, boss) and not seen(built, robot)
    built.app.edit_follow_up("FU-2", {"assignee": "ada@example.com"}, ADMIN)
    assert seen(built, ada) and not seen(built, boss)
    built.app.edit_follow_up("FU-2", {"assignee": ""}, ADMIN)
    built.app.edit_incident("INC-2", {"role:scribe": "checks@example.com"}, ADMIN)
    assert not seen(built, ada) and seen(built, robot)
    assert seen(built, Asker(app, headers={"Authorization": "Bearer one for everything"}))


def test_those_in_the_configuration_see_every_private_incident(built: Assembly) -> None:
    tokens = {"desk": token("desk"), "boss": token("boss", private=True), "checks": token("checks")}
    web = WebSettings(public_url=PUBLIC, tokens=tokens, proxy=PROXY, private_viewers=("Ada@example.com",))
    app = create_app(built.app, settings=web)
    assert [seen(built, Asker(app, headers=bearer(name))) for name in tokens] == [True, True, False]
    assert seen(built, Asker(app, address="10.0.0.1", headers={"X-Forwarded-Email": "ada@example.com"}))
    assert not seen(built, Asker(app, address="10.0.0.1", headers={"X-Forwarded-Email": "eve@example.com"}))
