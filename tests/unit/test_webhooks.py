"""Webhooks: signed so that a receiver can check it, sent nowhere but where they may go, in order, and for a day."""

import base64
import hashlib
import hmac
import json
import socket
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import ip_address
from itertools import pairwise
from typing import Any

import pytest

from mapping.commands import Actor, Set
from mapping.incident import Incident, Person, Postmortem, PostmortemStatus
from providers.contract import ProviderError, RateLimited, Refused, Unreachable
from providers.mail import MailServer
from providers.webhook import Target, allowed, post, reachable
from syncd.doctor import examine_channels
from syncd.log import logger
from syncd.notify.channels import Channels
from syncd.notify.webhooks import Hook, Webhooks, signed
from syncd.pages import Conflict, Version
from syncd.store import Store

START = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
ADA = Actor("store", "Ada Byron")
SECRET, OLD = "a secret of sixteen", "whsec_" + base64.b64encode(b"an older secret of it").decode()


# --- signatures ---------------------------------------------------------------------------------------------------------


def verified(headers: Mapping[str, str], body: bytes, key: bytes) -> bool:
    """What a receiver does, as Standard Webhooks tell it to."""
    said = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    mark = base64.b64encode(hmac.digest(key, said, hashlib.sha256)).decode()
    return f"v1,{mark}" in headers["webhook-signature"].split(" ")


def test_a_receiver_can_check_the_signature_with_either_secret_while_it_is_changed() -> None:
    headers = signed(b'{"a": 1}', (SECRET, OLD), "msg_1", START)
    assert verified(headers, b'{"a": 1}', SECRET.encode())
    assert verified(headers, b'{"a": 1}', b"an older secret of it")
    assert not verified(headers, b'{"a": 2}', SECRET.encode())
    assert not verified({**headers, "webhook-timestamp": "1"}, b'{"a": 1}', SECRET.encode())
    assert not verified({**headers, "webhook-id": "msg_2"}, b'{"a": 1}', SECRET.encode())
    assert not verified(headers, b'{"a": 1}', b"another")


# --- where to -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "outside", "inside"),
    [
        ("93.184.216.34", True, True),
        ("2606:2800:220:1:248:1893:25c8:1946", True, True),
        ("127.0.0.1", False, True),
        ("::1", False, True),
        ("10.1.2.3", False, True),
        ("192.168.0.9", False, True),
        ("fd00::1", False, True),
        ("::ffff:10.1.2.3", False, True),
        ("2002:0a01:0203::1", False, True),
        ("100.64.0.1", False, False),
        ("169.254.169.254", False, False),
        ("fe80::1", False, False),
        ("0.0.0.0", False, False),
        ("::", False, False),
        ("::ffff:169.254.169.254", False, False),
        ("224.0.0.1", False, False),
        ("255.255.255.255", False, True),
    ],
)
def test_messages_go_to_the_internet_alone_unless_inside_is_allowed(address: str, outside: bool, inside: bool) -> None:
    assert allowed(ip_address(address), inside=False) == outside
    assert allowed(ip_address(address), inside=True) == inside


FORBIDDEN = """http://example.com/ ftp://example.com/ https:///x file:///etc/passwd
    https://127.0.0.1/ https://[::1]/ https://localhost:1/ https://2130706433/ https://0x7f.1/"""


@pytest.mark.parametrize("url", FORBIDDEN.split())
def test_an_address_that_is_not_allowed_is_never_connected_to(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "create_connection", lambda *given: pytest.fail("it connects"))
    with pytest.raises((Refused, Unreachable)):
        post(Target(url), {}, b"{}")


def test_a_name_with_one_forbidden_address_among_others_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(0, 0, 0, "", ("93.184.216.34", 443)), (0, 0, 0, "", ("10.0.0.1", 443))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *given, **more: found)
    with pytest.raises(Refused, match=r"10\.0\.0\.1, which is not on the internet"):
        reachable(Target("https://example.com/"))


def test_the_connection_goes_to_the_address_that_was_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    names = iter([[(0, 0, 0, "", ("93.184.216.34", 443))], [(0, 0, 0, "", ("127.0.0.1", 443))]])
    asked: list[object] = []

    def connect(address: object, timeout: object) -> socket.socket:
        asked.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", lambda *given, **more: next(names))
    monkeypatch.setattr(socket, "create_connection", connect)
    with pytest.raises(Unreachable):
        post(Target("https://example.com/"), {}, b"{}")
    assert asked == [("93.184.216.34", 443)]


@dataclass
class Receiver:
    """A program on this machine that takes messages, or not."""

    status: int = 204
    headers: Mapping[str, str] = field(default_factory=dict)
    taken: list[tuple[str, bytes]] = field(default_factory=list)
    url: str = ""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    told = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.taken.append((self.path, self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(told.status)
            for name, value in told.headers.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *given: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    told.url = f"http://localhost:{server.server_address[1]}/hook?a=b"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield told
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_message_arrives_as_it_was_signed(receiver: Receiver) -> None:
    post(Target(receiver.url, inside=True), {"content-type": "application/json"}, b'{"a": 1}')
    assert receiver.taken == [("/hook?a=b", b'{"a": 1}')]


@pytest.mark.parametrize(("status", "error"), [(302, Refused), (404, Refused), (500, Unreachable), (429, RateLimited)])
def test_what_is_not_taken_is_told_and_a_redirect_is_not_followed(receiver: Receiver, status: int, error: Any) -> None:
    receiver.status, receiver.headers = status, {"Location": receiver.url, "Retry-After": "120"}
    with pytest.raises(error) as raised:
        post(Target(receiver.url, inside=True), {}, b"{}")
    assert len(receiver.taken) == 1
    assert getattr(raised.value, "retry_after", 120.0) == 120.0


# --- what goes out ------------------------------------------------------------------------------------------------------


@dataclass
class Office:
    """A store with two incidents, one private, and a program that is told; `refuses` is what it answers."""

    store: Store
    hook: Hook
    refuses: list[ProviderError | None] = field(default_factory=list)
    taken: list[dict[str, Any]] = field(default_factory=list)
    now: datetime = START

    def __post_init__(self) -> None:
        self.webhooks = Webhooks(self.store, self.hook, "https://in.example", self.post, logger())
        self.webhooks.round()

    def post(self, target: Target, headers: Mapping[str, str], body: bytes) -> None:
        assert verified(headers, body, SECRET.encode())
        error = self.refuses.pop(0) if self.refuses else None
        if error:
            raise error
        self.taken.append({"id": headers["webhook-id"], **json.loads(body)})

    def status(self, ref: str, value: str) -> None:
        self.store.apply(ref, [Set("postmortem", "", "status", value)], ADA)

    def types(self) -> list[str]:
        return [f"{one['type']} {one['data']['incident']} {one['data'].get('new', '')}".strip() for one in self.taken]


CHAT = Hook("chat", Target("https://chat.example"), (SECRET,))


def office(hook: Hook = CHAT) -> Office:
    made: list[Office] = []
    store = Store.open(":memory:", lambda: made[0].now if made else START)
    for ref, private in (("INC-1", False), ("INC-2", True), ("INC-3", False)):
        lead = Person("Ada Byron", "ada@example.com")
        store.create_incident(Incident(ref, "Checkout fails", private=private, lead=lead), ADA)
        store.create_postmortem(Postmortem(ref, "standard", PostmortemStatus.IN_PROGRESS, "", "UTC", "x"), "{}", (), ADA)
    made.append(Office(store, hook))
    return made[0]


def test_a_change_of_status_is_told_once_with_who_and_where() -> None:
    told = office()
    told.status("INC-1", "in_review")
    told.webhooks.round()
    told.webhooks.round()
    (one,) = told.taken
    assert (one["type"], one["timestamp"]) == ("postmortem.status", "2026-11-23T10:00:00Z")
    assert one["data"] == {
        "incident": "INC-1",
        "incident_url": "https://in.example/incidents/INC-1",
        "old": "in_progress",
        "new": "in_review",
        "by": "Ada Byron",
    }


def test_what_fails_is_tried_again_with_the_same_id_and_holds_back_only_its_own_incident() -> None:
    told = office()
    told.refuses = [Unreachable("down")]
    told.status("INC-1", "in_review")
    told.status("INC-1", "completed")
    told.status("INC-3", "in_review")
    told.webhooks.round()
    assert told.types() == ["postmortem.status INC-3 in_review"]
    told.now += timedelta(seconds=9)
    told.webhooks.round()
    assert len(told.taken) == 1
    told.now += timedelta(seconds=1)
    told.webhooks.round()
    assert told.types()[1:] == ["postmortem.status INC-1 in_review", "postmortem.status INC-1 completed"]
    assert len({one["id"] for one in told.taken}) == 3


def test_it_is_tried_for_a_day_with_longer_and_longer_pauses_and_then_what_came_later_goes_on() -> None:
    told = office()
    told.refuses = [Refused("no")] * 1000
    told.status("INC-1", "in_review")
    tried: list[datetime] = []
    while told.store.waiting("webhook:chat") or not tried:
        before = len(told.refuses)
        told.webhooks.round()
        tried += [told.now] * (before - len(told.refuses))
        told.now += timedelta(seconds=5)
    pauses = [(b - a).total_seconds() for a, b in pairwise(tried)]
    assert pauses[:4] == [10, 30, 90, 270] and max(pauses) == 3600 and pauses == sorted(pauses)
    assert timedelta(hours=24) <= tried[-1] - START < timedelta(hours=25)
    told.refuses = []
    told.status("INC-1", "completed")
    told.webhooks.round()
    assert told.types() == ["postmortem.status INC-1 completed"]


def test_the_service_says_how_long_to_wait() -> None:
    told = office()
    told.refuses = [RateLimited("slow", 600.0)]
    told.status("INC-1", "in_review")
    told.webhooks.round()
    told.now += timedelta(seconds=599)
    told.webhooks.round()
    assert told.taken == []
    told.now += timedelta(seconds=1)
    told.webhooks.round()
    assert len(told.taken) == 1


def test_private_incidents_are_for_programs_that_may_know() -> None:
    told, trusted = office(), office(Hook("safe", Target("https://safe.example"), (SECRET,), private=True))
    for one in (told, trusted):
        one.status("INC-2", "in_review")
        one.webhooks.round()
    assert (told.types(), trusted.types()) == ([], ["postmortem.status INC-2 in_review"])
    told.refuses = [Unreachable("down")]
    told.status("INC-1", "in_review")
    told.webhooks.round()
    told.store.apply("INC-1", [Set("incident", "", "private", "yes")], ADA)
    told.now += timedelta(hours=1)
    told.webhooks.round()
    assert told.taken == [], "what became private meanwhile is not told"


def test_only_the_events_that_are_asked_for_and_nothing_from_before() -> None:
    told = office()
    told.status("INC-1", "in_review")
    later = Hook("late", Target("https://late.example"), (SECRET,), ("conflict.opened", "conflict.resolved"))
    other = Office(told.store, later)
    page = told.store.add_page("INC-1", "wiki")
    sides = Version("here", "Ada Byron", START), Version("there")
    told.store.add_conflict(Conflict("c1", page.id, "INC-1", "wiki", "timeline", "T-1", "title", "", *sides, "store"))
    told.status("INC-1", "completed")
    told.store.set_conflict_state("c1", "page", ADA)
    other.webhooks.round()
    assert [one["type"] for one in other.taken] == ["conflict.opened", "conflict.resolved"]
    data = other.taken[0]["data"]
    assert (data["store"]["text"], data["page"]["text"], data["key"], data["field"]) == ("here", "there", "T-1", "title")
    assert other.taken[1]["data"]["by"] == "Ada Byron"


def test_what_is_rolled_back_is_told_nobody() -> None:
    told = office()
    with told.store.rehearsal():
        told.status("INC-1", "in_review")
    told.webhooks.round()
    assert told.taken == []


def test_whether_the_page_is_in_step_is_told_when_it_changes() -> None:
    told = office()
    told.store.tell_exports()
    page = told.store.add_page("INC-1", "wiki")
    told.store.note("INC-1", ADA, "exported", new="wiki")
    told.store.tell_exports()
    told.store.set_page(page.id, state="live", native_id="17")
    told.store.clear_dirty(page.id, told.store.dirty_mark(page.id))
    for _ in range(3):
        told.store.tell_exports()
    told.store.set_page(page.id, state="halted", reason="Look.")
    told.store.note("INC-1", ADA, "halted")
    told.store.tell_exports()
    told.webhooks.round()
    exports = [one["data"]["new"] for one in told.taken if one["type"] == "export.status"]
    assert exports == ["exporting", "fresh", "halted"]


def test_what_is_long_told_is_forgotten_and_what_waits_is_not() -> None:
    told = office()
    told.status("INC-1", "in_review")
    told.webhooks.round()
    told.refuses = [Unreachable("down")]
    told.status("INC-1", "completed")
    told.webhooks.round()
    told.store.forget(START + timedelta(days=1))
    assert len(told.store.waiting("webhook:chat")) == 1
    assert told.store._one("SELECT count(*) FROM outbox") == (1,)


# --- doctor -------------------------------------------------------------------------------------------------------------


def test_doctor_says_whether_a_webhook_and_the_mail_server_answer(receiver: Receiver) -> None:
    hooks = (
        Hook("chat", Target(receiver.url, inside=True), (SECRET,)),
        Hook("gone", Target("https://127.0.0.1/"), (SECRET,)),
    )
    told = list(examine_channels(Channels(hooks=hooks, server=MailServer("smtp://127.0.0.1:1")), START))
    assert [(finding.about, finding.ok) for finding in told] == [
        ("webhook chat", True),
        ("webhook gone", False),
        ("mail", None),
    ]
    assert json.loads(receiver.taken[0][1])["type"] == "ping"
    assert SECRET not in repr(told)
