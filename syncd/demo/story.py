"""The demo's story: five scenes on one page that tell what the product does in a minute, and a plug that can be pulled.

A scene is played by people who work on the page and in the incident as `people.py`'s do; what is promised is looked for on
both sides, and the counters say what was lost or doubled. Threads live only here: one plays, pages only ask.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import httpx

from mapping.markdown import to_markdown
from syncd.demo.checks import Tally, tally
from syncd.demo.people import ADA, GRACE, People
from syncd.demo.site import DemoError
from syncd.demo.world import World
from syncd.errors import SyncdError

REF = "INC-101"
SENTENCE = "retries kept it full"
CLICK_SECONDS = 8.0  # in which a person may decide, before the story does
State = Literal["waits", "plays", "done", "failed"]


@dataclass
class Scene:
    """One scene: `words` say what to look at, `outcome` what came of it."""

    title: str
    words: str
    act: Callable[[], str]
    state: State = "waits"
    outcome: str = ""


class Story:
    """Plays in one world. `changed` is a number that differs when anything of the story does."""

    def __init__(self, world: World, people: People, pause: Callable[[float], None] = time.sleep) -> None:
        self.world, self.people, self._pause = world, people, pause
        self.changed = 0
        self.busy = False
        self.counted: Tally | None = None
        self._lock = threading.Lock()
        self.scenes = [
            Scene("A tick", "A box is ticked on the page", self._tick),
            Scene("A comment stays", "The summary is reworded in the incident, under a reviewer's comment", self._reworded),
            Scene("Both at once", "Both sides change one sentence; one click decides", self._both),
            Scene("The gate", "The status is set on the page", self._status),
            Scene("kill -9", "The daemon dies while it writes", self._plug),
        ]

    def play(self) -> None:
        """All scenes, in a thread of their own; nothing when they play already."""
        self._begin(self._all)

    def pull(self) -> None:
        """The plug alone."""
        self._begin(lambda: self._scene(self.scenes[-1]))

    def _begin(self, work: Callable[[], None]) -> None:
        with self._lock:
            if self.busy:
                return
            self.busy = True
        threading.Thread(target=self._run, args=(work,), name="demo-story", daemon=True).start()

    def _run(self, work: Callable[[], None]) -> None:
        try:
            work()
        finally:
            self.busy = False
            self.changed += 1

    def _all(self) -> None:
        for scene in self.scenes:
            scene.state, scene.outcome = "waits", ""
        for scene in self.scenes:
            self._scene(scene)
            if scene.state == "failed":
                return
            self._pause(2)

    def _scene(self, scene: Scene) -> None:
        scene.state, scene.outcome = "plays", ""
        self.changed += 1
        try:
            scene.outcome = scene.act()
            scene.state = "done"
        except (DemoError, SyncdError, OSError, httpx.HTTPError) as error:
            scene.outcome, scene.state = str(error), "failed"
        self.counted = tally(self.world, self.people)
        self.changed += 1

    # --- scenes -----------------------------------------------------------------------------------------------------------

    def _tick(self) -> str:
        title = "Show the pool size in the release notes"
        began = time.monotonic()
        ticked = not self._done("FU-3")
        self.people.on_site(REF, GRACE).tick(title, ticked)
        self.world.settle(when=lambda: self._done("FU-3") is ticked)
        return f"The incident's follow-up followed within {time.monotonic() - began:.0f} s."

    def _done(self, key: str) -> bool:
        incident = self.world.built.store.incident(REF)
        assert incident is not None
        return next(row for row in incident.follow_ups if row.key == key).status.value == "done"

    def _reworded(self) -> str:
        comment = self.people.comment_on(REF, SENTENCE)
        before, after = self._wordings(("A deploy had halved", "A deploy at 09:58 had halved"))
        self._reword(before, after)
        self.world.settle(when=lambda: after in self._page_text())
        words = self.people.commented(REF, comment)
        if words != SENTENCE:
            raise DemoError(f"The comment stands on “{words}”.")
        return f"The page says it, and the comment still stands on “{SENTENCE}”."

    def _both(self) -> str:
        known = len(self.world.built.store.conflicts(REF))
        self.world.daemon.stop()
        old, on_page, in_store = self._wordings(("charged twice", "charged two times", "charged a second time"))
        self.people.on_site(REF, ADA).retype(old, on_page)
        self._reword(old, in_store)
        self.world.daemon.start()
        # A quick person may have decided before all is quiet.
        self.world.settle(when=lambda: len(self.world.built.store.conflicts(REF)) > known)
        deadline = time.monotonic() + CLICK_SECONDS
        while self._conflicts() and time.monotonic() < deadline:
            self._pause(0.2)
        clicked = not self._conflicts()
        for conflict in self._conflicts():
            self.people.call("POST", f"/conflicts/{conflict}/resolve", take="page")
        self.world.settle(when=lambda: not self._conflicts())
        return "You decided." if clicked else "Nobody clicked, so the page's version was taken; the other is kept."

    def _status(self) -> str:
        self.people.call("POST", f"/incidents/{REF}/postmortem/status", status="in_progress")
        self.world.settle()
        before = self._answer()
        self.people.on_site(REF, ADA).set_status("In review")
        self.world.settle(when=lambda: self._answer() == "yes")
        return f"May it close? Before: {before}. Now: {self._answer()}."

    def _plug(self) -> str:
        title = f"Rehearse rolling back the gateway, round {self.changed}"
        self.people.killed_in_an_update(title)
        counted = tally(self.world, self.people)
        return f"It came back and went on: lost {counted.lost}, doubled {counted.doubled}."

    # --- what is there ----------------------------------------------------------------------------------------------------

    def _answer(self) -> str:
        return self.world.built.app.check(REF).answer

    def _conflicts(self) -> list[str]:
        return [conflict.id for conflict in self.world.built.store.conflicts(REF, state="open")]

    def _page_text(self) -> str:
        return self.people.on_site(REF, "").read().text

    def _wordings(self, wordings: tuple[str, ...]) -> tuple[str, ...]:
        """The one that stands on the page now, then the others: the story can be played again."""
        text = self._page_text()
        here = next((index for index, words in enumerate(wordings) if words in text), 0)
        return wordings[here:] + wordings[:here]

    def _reword(self, old: str, new: str) -> None:
        incident = self.world.built.store.incident(REF)
        assert incident is not None
        text = to_markdown(incident.summary).replace(old, new)
        self.people.call("PATCH", f"/incidents/{REF}", summary=text)
