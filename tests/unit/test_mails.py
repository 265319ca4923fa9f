"""Mail: one to each person, of what still needs somebody, and never of a private incident to whom it does not name."""

import socketserver
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage

import pytest

from mapping.commands import Actor, Set
from mapping.incident import FollowUp, Incident, Person, Postmortem, PostmortemStatus
from providers.contract import ProviderError, Refused, Unreachable
from providers.mail import MailServer, greet, send
from syncd.log import logger
from syncd.notify.mails import Mails, Post
from syncd.pages import Conflict, Version
from syncd.store import Store

START = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
WHO = Actor("store", "Ada Byron")
ADA, GRACE = Person("Ada Byron", "ada@example.com"), Person("Grace Hopkins", "grace@example.com")
TEAM = "team@example.com"


@dataclass
class Office:
    """A store and what was mailed from it; `refuses` is what the server says to the next mails."""

    store: Store
    post: Post
    sent: list[EmailMessage] = field(default_factory=list)
    tried: list[EmailMessage] = field(default_factory=list)
    refuses: list[ProviderError] = field(default_factory=list)
    now: datetime = START

    def __post_init__(self) -> None:
        self.mails = Mails(self.store, self.post, "https://in.example", self.send, logger())
        self.mails.round()

    def send(self, mail: EmailMessage) -> None:
        self.tried.append(mail)
        if self.refuses:
            raise self.refuses.pop(0)
        self.sent.append(mail)

    def wait(self, minutes: float) -> None:
        self.now += timedelta(minutes=minutes)
        self.mails.round()

    def clash(self, name: str, ref: str = "INC-1") -> None:
        page = self.store.add_page(ref, "wiki")
        sides = Version(f"{name} here", "Ada Byron", START), Version(f"{name} there")
        self.store.add_conflict(Conflict(name, page.id, ref, "wiki", "timeline", "T-1", "title", "", *sides, "store"))

    def to(self) -> list[str]:
        return sorted(str(mail["To"]) for mail in self.sent)


@pytest.fixture
def office() -> Office:
    made: list[Office] = []
    store = Store.open(":memory:", lambda: made[0].now if made else START)
    rows = (FollowUp("FU-1", "Do", assignee=GRACE),)
    store.create_incident(Incident("INC-1", "Checkout\nfails", lead=ADA, follow_ups=rows), WHO)
    store.create_incident(Incident("INC-2", "Leaked keys", private=True, lead=GRACE), WHO)
    for ref in ("INC-1", "INC-2"):
        store.create_postmortem(Postmortem(ref, "standard", PostmortemStatus.IN_PROGRESS, "", "UTC", "x"), "{}", (), WHO)
    post = Post("syncd <syncd@example.com>", (TEAM,), True, timedelta(minutes=15), frozenset())
    made.append(Office(store, post))
    return made[0]


def test_what_comes_up_is_gathered_into_one_mail_for_each_person(office: Office) -> None:
    office.clash("first")
    office.wait(10)
    office.clash("second")
    assert office.sent == []
    office.wait(5)
    office.wait(60)
    assert office.to() == ["ada@example.com", "grace@example.com", TEAM]
    text = office.sent[0].get_content()
    assert "first here" in text and "first there" in text and "second here" in text
    assert "https://in.example/incidents/INC-1#conflict-first" in text
    assert office.sent[0]["Subject"] == "INC-1: 2 things need a decision"
    assert len({mail["Message-ID"] for mail in office.sent}) == 3


def test_what_was_decided_before_is_not_in_it(office: Office) -> None:
    office.clash("first")
    office.store.set_conflict_state("first", "page", WHO)
    office.clash("second")
    office.wait(20)
    assert all("first" not in mail.get_content() and "second" in mail.get_content() for mail in office.sent)
    office.store.set_conflict_state("second", "page", WHO)
    office.wait(60)
    assert len(office.sent) == 3, "nobody is mailed of a decision"


def test_a_private_incident_is_for_whom_it_names(office: Office) -> None:
    office.clash("secret", "INC-2")
    office.wait(20)
    assert office.to() == ["grace@example.com"]


def test_who_sees_every_private_incident_is_told_of_them(office: Office) -> None:
    office.mails.post = Post("syncd@example.com", (TEAM,), False, timedelta(0), frozenset({TEAM}))
    office.clash("secret", "INC-2")
    office.wait(0)
    assert office.to() == [TEAM]


def test_what_became_private_before_the_mail_goes_out_is_told_to_nobody_else(office: Office) -> None:
    office.clash("first")
    office.mails.round()
    office.store.apply("INC-1", [Set("incident", "", "private", "yes")], WHO)
    office.wait(20)
    assert office.to() == ["ada@example.com", "grace@example.com"]


def test_a_mail_that_does_not_go_out_is_tried_again_with_the_same_id(office: Office) -> None:
    office.mails.post = Post("syncd@example.com", (TEAM,), False, timedelta(0))
    office.clash("first")
    office.refuses = [Unreachable("down")]
    office.wait(0)
    office.wait(9)
    assert office.sent == []
    office.wait(1)
    (mail,) = office.sent
    assert "first here" in mail.get_content() and [one["Message-ID"] for one in office.tried] == [mail["Message-ID"]] * 2


def test_a_recipient_that_is_refused_is_not_mailed_again(office: Office) -> None:
    office.refuses = [Refused("no such mailbox")]
    office.clash("first")
    for _ in range(5):
        office.wait(60)
    assert len(office.sent) == 2


# --- the wire -----------------------------------------------------------------------------------------------------------


class Sink(socketserver.StreamRequestHandler):
    """A mail server that takes everything but what is for nobody@."""

    got: list[str]

    def handle(self) -> None:
        self.say("220 sink")
        while line := self.rfile.readline().decode().strip():
            word = line.split()[0].upper()
            if word == "DATA":
                self.say("354 go on")
                self.server.got.append(self.body())  # type: ignore[attr-defined]
            self.say("221 bye" if word == "QUIT" else "550 who?" if "nobody@" in line else "250 fine")
            if word == "QUIT":
                return

    def body(self) -> str:
        lines: list[str] = []
        while (line := self.rfile.readline().decode()) != ".\r\n":
            lines.append(line)
        return "".join(lines)

    def say(self, words: str) -> None:
        self.wfile.write(f"{words}\r\n".encode())


@pytest.fixture
def sink() -> Iterator[socketserver.TCPServer]:
    server = socketserver.TCPServer(("127.0.0.1", 0), Sink)
    server.got = []  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_mail_is_handed_to_the_server(sink: socketserver.TCPServer, office: Office) -> None:
    server = MailServer(f"smtp://127.0.0.1:{sink.server_address[1]}")
    greet(server)
    office.mails._send = lambda mail: send(server, mail)
    office.clash("first")
    office.wait(20)
    got: list[str] = sink.got  # type: ignore[attr-defined]
    assert len(got) == 3 and all("first there" in body for body in got)
    with pytest.raises(Refused):
        send(server, office.mails.mail("nobody@example.com", []))


def test_a_server_that_is_not_there_is_no_answer() -> None:
    with pytest.raises(Unreachable):
        greet(MailServer("smtp://127.0.0.1:1"))
    assert "hush" not in repr(MailServer("smtp://127.0.0.1", "ada", "hush"))
