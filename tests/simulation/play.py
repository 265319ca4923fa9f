"""One world under random people: what they wrote, removed and wrote over, and what they did, in words.

Every word that somebody writes is a token of its own (`zq17`), so that loss and doubling are easy to see. `Play.gone` are
the tokens that somebody removed or wrote over, `Play.twice` those that may stand in two places. What people do is
`acts.py` and `store_acts.py`.
"""

import json
import random
import re
from dataclasses import dataclass, field

from mapping.markdown import to_markdown
from mapping.rows import event_values, follow_up_values
from providers.sandbox.notion import NotionWorkspace
from syncd.pages import Page
from tests.simulation.desks import Desk, FileDesk, NotionDesk, WikiDesk
from tests.simulation.world import GRACE, World

TOKEN = re.compile(r"zq\d+")
OTHER = "INC-13"  # an incident of its own beside the one that everybody works on
THEIRS = "<p>This page belongs to other people.</p>"
ROADMAP = re.compile(r'<ac:structured-macro[^>]*ac:name="roadmap".*?(?:/>|</ac:structured-macro>)', re.DOTALL)
NAMES = {"Byron", "Hopkins", "Grace"}


def store_text(world: World, reference: str = "INC-12") -> str:
    """All that the store holds now of an incident."""
    incident, postmortem = world.incident(reference), world.store.postmortem(reference)
    assert postmortem
    rows = [*map(follow_up_values, incident.follow_ups), *map(event_values, incident.timeline)]
    prose = [(s.heading, "" if s.kind == "summary" else to_markdown(s.blocks)) for s in postmortem.sections]
    return json.dumps([to_markdown(incident.summary), rows, prose])


@dataclass
class Play:
    """One world under random people."""

    world: World
    rng: random.Random = field(default_factory=lambda: random.Random(1))
    gone: set[str] = field(default_factory=set)
    twice: set[str] = field(default_factory=set)
    told: list[str] = field(default_factory=list)
    versions: dict[str, str] = field(default_factory=dict)
    count: int = 0
    removed: int = 0
    away: int | None = None  # the page that nobody can see just now
    beside: set[str] = field(default_factory=set)  # words that were written about the other incident
    statuses: list[str] = field(default_factory=list)  # that people chose
    resolved: dict[str, str] = field(default_factory=dict)  # conflicts, and how somebody ended them
    keys: set[str] = field(default_factory=set)  # of all rows that ever were in the store
    foreign: dict[int, list[str]] = field(
        default_factory=dict
    )  # by page: what only its service knows, since a person was there
    decoys: dict[str, str] = field(default_factory=dict)  # pages of other people, by id, with what stands there

    @property
    def pages(self) -> list[Page]:
        """Of the incident that people work on."""
        return self.world.store.pages("INC-12")

    @property
    def open_pages(self) -> list[Page]:
        """Those that people can work on now."""
        return [p for p in self.pages if p.native_id and p.state in ("live", "held", "missing") and p.id != self.away]

    def begin(self) -> None:
        """Other people's pages, which look a little like ours."""
        world = self.world
        body = {"representation": "storage", "value": THEIRS}
        page = {"spaceId": world.wiki.space_id, "status": "current", "title": "INC-1 of other people", "body": body}
        somebody = {"Authorization": "Bearer somebody"}
        made = world.wiki.handle("POST", "/api/v2/pages", somebody, json.dumps(page).encode())
        native = json.loads(made.body)["id"]
        self.decoys[native] = world.wiki.current_body(native)
        (world.root / "pages" / "other-people.md").write_text("# Ours\n\nThis page belongs to other people.\n")

    def remember(self) -> None:
        """What nobody may take away: looked at whenever people did something."""
        for reference in ("INC-12", OTHER):
            incident = self.world.incident(reference)
            self.keys |= {row.key for row in incident.follow_ups} | {row.key for row in incident.timeline}

    def foreign_on(self, page: Page) -> list[str]:
        """Native things on a page that a Doc cannot say."""
        service = self.world.service(page.destination)
        if page.destination in ("wiki", "dc"):
            assert not isinstance(service, NotionWorkspace)
            return ROADMAP.findall(service.current_body(page.native_id))
        if page.destination == "files":
            return []
        blocks = self.world.space.children_of(page.native_id)
        return [block["id"] for block in blocks if block["type"] == "unsupported"]

    def elsewhere(self) -> None:
        """Somebody works on the other incident, on its page or in the store."""
        token = f"bq{len(self.beside)}"
        (page,) = self.world.store.pages(OTHER)
        if page.native_id and page.state in ("live", "held") and self.rng.random() < 0.5:
            desk = self.desk(page)
            line = next(li for li in desk.lines() if "Nobody was paged" in li.text)
            self.tell(f"{OTHER}: {token} on its page")
            desk.put(line, "Nobody", f"{token} Nobody")
        else:
            row = self.rng.choice(self.world.incident(OTHER).follow_ups)
            self.tell(f"{OTHER}: {token} in {row.key}")
            self.world.app.edit_follow_up(row.key, {"title": f"{row.title} {token}"}, GRACE)
        self.beside.add(token)

    def token(self) -> str:
        self.count += 1
        return f"zq{self.count}"

    def sentence(self) -> str:
        words = self.rng.sample(["alarm", "bucket", "cache", "driver", "engine", "fuse", "gauge", "hinge", "invoice"], 3)
        return f"{' '.join(words).capitalize()} {self.token()} {self.rng.choice(['today', 'again', 'twice'])}"

    def tell(self, words: str) -> None:
        self.told.append(f"{self.world.now:%H:%M} {words}")

    def lose(self, text: str) -> None:
        self.gone |= set(TOKEN.findall(text))

    def lose_unknown(self, text: str) -> None:
        """Of a row or section that goes, the store keeps what it knows."""
        known = TOKEN.findall(store_text(self.world))
        self.gone |= {token for token in TOKEN.findall(text) if token not in known}

    def desk(self, page: Page) -> Desk:
        if page.destination in ("wiki", "dc"):
            return WikiDesk(self.world.wiki if page.destination == "wiki" else self.world.server, page.native_id)
        if page.destination == "files":
            return FileDesk(self.world.root / "pages" / page.native_id)
        return NotionDesk(self.world.space, page.native_id)

    def word(self, text: str) -> str:
        """A word of a text that stands there once, or nothing."""
        found = re.findall(r"[A-Za-z]{4,}\b|zq\d+", text)
        once = [w for w in found if text.count(w) == 1 and w not in NAMES]
        return self.rng.choice(once) if once else ""
