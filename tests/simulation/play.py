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
from syncd.pages import Page
from tests.simulation.desks import Desk, FileDesk, NotionDesk, WikiDesk
from tests.simulation.world import World

TOKEN = re.compile(r"zq\d+")
NAMES = {"Byron", "Hopkins", "Grace"}


def store_text(world: World) -> str:
    """All that the store holds now."""
    incident, postmortem = world.incident(), world.store.postmortem("INC-12")
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


def story(play: Play) -> str:
    """What happened, to be read."""
    return json.dumps(play.told, indent=1, ensure_ascii=False)
