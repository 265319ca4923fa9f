"""A whole world in one process: a real database file, the shipped emulators, a clock that only moves when told."""

import random
import time
from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import requests

from mapping.commands import Actor
from mapping.incident import Incident
from mapping.markdown import from_markdown
from mapping.records import parse_incidents
from mapping.rows import FieldSpec
from providers.confluence import Confluence
from providers.confluence_cloud import ConfluenceCloud
from providers.confluence_data_center import ConfluenceDataCenter
from providers.confluence_wire import Wire
from providers.contract import Place, Provider
from providers.notion import Notion
from providers.sandbox.confluence import ConfluenceCloud as Wiki
from providers.sandbox.confluence_dc import ConfluenceDataCenter as Server
from providers.sandbox.faults import Faulty, writes
from providers.sandbox.in_process import EmulatorAdapter, EmulatorTransport
from providers.sandbox.notion import NotionWorkspace
from providers.transport import Budget
from syncd.app import App
from syncd.pages import Page
from syncd.reconcile import Destination, Limits, Reconciler, Report
from syncd.resources import templates
from syncd.templates import TemplateLibrary
from syncd.wording import House, Wording
from tests.contract.described import CLOUD, DATA_CENTER, NOTION, Described
from tests.simulation.effects import Effects, WatchedFolder, WatchedStore
from tests.simulation.people import FilePerson, NotionPerson, Person, WikiPerson

WIKI_URL = "http://sandbox.example/confluence/wiki"
SERVER_URL = "http://sandbox.example/confluence-dc"
GRACE = Actor("store", "Grace Hopkins")
AT_ONCE = Limits(row_still=timedelta(0), quiet=timedelta(0), version_gap=timedelta(0), writes_per_hour=100_000)
FIELDS = {"affected_customers": FieldSpec("Affected customers", "number")}

INCIDENT = {
    "reference": "INC-12",
    "name": "Checkout returns 502",
    "phase": "post_incident",
    "severity": "SEV1",
    "summary": "The checkout queue was full.\n\nNobody was paged for ten minutes.",
    "lead": {"name": "Ada Byron", "email": "ada@example.com"},
    "roles": {"communications": {"name": "Grace Hopkins", "email": "grace@example.com"}},
    "timestamps": {"started": "2026-11-02T10:00:00Z", "resolved": "2026-11-02T11:30:00Z"},
    "custom_fields": {"affected_customers": "1200"},
    "timeline": [
        {"key": "T-1", "at": "2026-11-02T10:03:27Z", "title": "Alert fired", "description": "Queue depth over **900**."},
        {"key": "T-2", "at": "2026-11-02T10:20:00Z", "title": "Workers restarted"},
        {"key": "T-3", "at": "2026-11-02T11:30:00Z", "title": "Checkout recovered"},
    ],
    "follow_ups": [
        {
            "key": "FU-1",
            "title": "Alert on queue depth",
            "assignee": {"name": "Ada Byron", "email": "ada@example.com"},
            "due_on": "2026-12-01",
        },
        {"key": "FU-2", "title": "Write a runbook for full queues"},
        {"key": "FU-3", "title": "Remove the retry storm", "status": "done"},
    ],
}


@dataclass
class World:
    """Services, a store and an engine over them. `root` is an empty directory."""

    root: Path
    limits: Limits = AT_ONCE
    now: datetime = datetime(2026, 11, 23, 10, 0, 30, tzinfo=UTC)
    seed: int = 7
    effects: Effects = field(default_factory=Effects)
    kind_of_store: type[WatchedStore] = WatchedStore
    guarded: Callable[[Provider], Provider] = lambda provider: provider  # how a test takes a guard of a provider away
    wiki: Wiki = field(init=False)
    server: Server = field(init=False)
    space: NotionWorkspace = field(init=False)

    def __post_init__(self) -> None:
        self.wiki = Wiki(self.clock, random.Random(self.seed), WIKI_URL)
        self.space = NotionWorkspace(self.clock, random.Random(self.seed + 1))
        self.server = Server(self.clock, random.Random(self.seed + 2), SERVER_URL)
        self.to_wiki, self.to_space = Faulty(Described(self.wiki, CLOUD)), Faulty(Described(self.space, NOTION))
        self.to_server = Faulty(Described(self.server, DATA_CENTER))
        self.places: dict[str, Place] = {}  # those that are configured otherwise than usual
        (self.root / "pages").mkdir(exist_ok=True)
        self.start()

    @classmethod
    def of_the_same(cls, world: "World") -> "World":
        """Another process over the same store and the same services, whose doings are nobody's effects."""
        other = copy(world)
        other.effects = Effects()
        other.to_wiki, other.to_server, other.to_space = Faulty(world.wiki), Faulty(world.server), Faulty(world.space)
        other.start()
        return other

    def clock(self) -> datetime:
        """Never twice the same, as a real clock."""
        self.now += timedelta(microseconds=1)
        return self.now

    def start(self) -> None:
        """The process begins, as after a crash: nothing survives but the database and the services."""
        self.store = self.kind_of_store.open(self.root / "syncd.db", self.clock, lambda: f"{self.seed:08x}")
        self.store.effects = self.effects
        self.wording = Wording(self.store, House(severities=("SEV1", "SEV2", "SEV3"), fields=FIELDS))
        library = TemplateLibrary(self.root / "templates", templates())
        library.reload()
        engine = Reconciler(self.store, self.destinations(), self.wording, self.limits)
        self.app = App(self.store, engine, self.wording, library, timedelta(0))

    def destinations(self) -> Mapping[str, Destination]:
        confluence, notion = self._confluence(), self._notion()
        folder = WatchedFolder(self.root, lambda: time.time() + 60, self.effects)
        table, page = {"data_source": self.space.data_source_id}, {"page": self.space.page_id}
        return {
            "wiki": self._destination("wiki", confluence, {"space": "OPS", "parent": self.wiki.parent_id}),
            "dc": self._destination("dc", self._data_center(), {"space": "OPS", "parent": self.server.parent_id}),
            "notes": self._destination("notes", notion, table),
            "plain-notes": self._destination("plain-notes", notion, page),
            "files": self._destination("files", folder, {"path": "pages"}),
        }

    def _destination(self, name: str, provider: Provider, options: dict[str, str]) -> Destination:
        return Destination(name, self.guarded(provider), self.places.get(name) or Place(name, options, {}))

    def _budget(self) -> Budget:
        return Budget(1_000_000, lambda: self.now.timestamp(), self.wait)

    def _confluence(self) -> Provider:
        session = requests.Session()
        session.mount("http://", EmulatorAdapter(self.to_wiki, "/confluence/wiki"))
        wire = Wire(WIKI_URL, "bot@example.com", "sandbox", self._budget(), self.clock, session)
        return Confluence(ConfluenceCloud(WIKI_URL, wire), accounts={}, now=self.clock)

    def _data_center(self) -> Provider:
        session = requests.Session()
        session.mount("http://", EmulatorAdapter(self.to_server, "/confluence-dc"))
        wire = Wire(SERVER_URL, "", "personal-access-token", self._budget(), self.clock, session)
        return Confluence(ConfluenceDataCenter(SERVER_URL, wire), accounts={}, now=self.clock)

    def _notion(self) -> Provider:
        client = httpx.Client(transport=EmulatorTransport(self.to_space, "/notion"))
        return Notion(
            url="http://sandbox.example/notion",
            token="sandbox",
            accounts={},
            budget=self._budget(),
            now=self.clock,
            client=client,
        )

    # --- acts -----------------------------------------------------------------------------------------------------------

    def wait(self, seconds: float = 60) -> None:
        """Time passes."""
        self.now += timedelta(seconds=seconds)

    def crash(self) -> None:
        """The process is gone and starts again."""
        self.store.close()
        self.start()

    def publish(self, destination: str, incident: Mapping[str, object] = INCIDENT, template: str = "standard") -> Page:
        """An incident imported, its post-mortem made and published."""
        self.take(incident)
        reference = str(incident["reference"])
        self.app.create_postmortem(reference, template, destination, GRACE)
        self.in_step()
        return self.page(reference, destination)

    def take(self, incident: Mapping[str, object]) -> None:
        incidents, problems = parse_incidents([incident], UTC, from_markdown)
        assert not problems
        for record in incidents:
            self.store.upsert_import(record, "test", Actor("import"))

    def in_step(self) -> list[Report]:
        """Passes until nothing travels; nothing may be left to say."""
        reports = self.app.once()
        for report in reports:
            assert report.result == "in_step", report
        return reports

    def quiet(self) -> None:
        """Quiet means quiet: another pass over an unchanged world sends no write and takes nothing in."""
        self.wait(300)
        before, lines = self.writes(), len(self.store.journal())
        reports = self.in_step()
        assert self.writes() == before
        assert not any(report.taken or report.written for report in reports)
        assert len(self.store.journal()) == lines

    def page(self, reference: str = "INC-12", destination: str = "") -> Page:
        pages = self.store.pages(reference)
        return next(page for page in pages if not destination or page.destination == destination)

    def incident(self, reference: str = "INC-12") -> Incident:
        found = self.store.incident(reference)
        assert found
        return found

    def person(self, page: Page) -> Person:
        """Somebody who has the page open."""
        if page.destination in ("wiki", "dc"):
            return WikiPerson(self.wiki if page.destination == "wiki" else self.server, page.native_id)
        if page.destination == "files":
            return FilePerson(self.root / "pages" / page.native_id)
        return NotionPerson(self.space, page.native_id)

    def writes(self) -> int:
        """How many writes the services were asked for."""
        asked = [*self.wiki.requests, *self.server.requests, *self.space.requests]
        return sum(writes(method, path) for method, path in asked)

    def service(self, destination: str) -> Wiki | Server | NotionWorkspace:
        """The service behind a destination."""
        wikis: dict[str, Wiki | Server] = {"wiki": self.wiki, "dc": self.server}
        return wikis.get(destination, self.space)

    def site(self, destination: str) -> Wiki | Server:
        """The Confluence site behind a destination."""
        return self.server if destination == "dc" else self.wiki

    def pages(self) -> list[tuple[str, str]]:
        """Id and title of everything that the services hold."""
        return [(page[0], page[1]) for site in (self.wiki, self.server, self.space) for page in site.pages()]

    def wire(self, destination: str) -> Faulty:
        """The way to it, on which things go wrong."""
        return {"wiki": self.to_wiki, "dc": self.to_server}.get(destination, self.to_space)
