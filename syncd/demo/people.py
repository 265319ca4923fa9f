"""What the people of `syncd demo --once` do, act by act: some write on pages as the services' own editors let them, others
work in the incident store through the HTTP interface, both at once, once about the same thing, and twice somebody pulls the
plug.

Every act says what must be found on both sides afterwards (`Promise`); whether it is so is judged by `checks.py`.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from syncd.demo.site import DemoError, FilePage, SitePage
from syncd.demo.world import START_SECONDS, World
from syncd.pages import Page

ADA, GRACE = "ada@example.com", "grace@example.com"
Say = Callable[[str], None]


@dataclass
class Promise:
    """What people wrote: `kept` must stand on the pages and in the store of its incident, `gone` nowhere any more."""

    kept: dict[str, list[str]] = field(default_factory=dict)
    gone: dict[str, list[str]] = field(default_factory=dict)

    def keep(self, ref: str, *sentences: str) -> None:
        """These must stand."""
        self.kept.setdefault(ref, []).extend(sentences)

    def replaced(self, ref: str, *sentences: str) -> None:
        """These were written over by a person."""
        self.gone.setdefault(ref, []).extend(sentences)


class People:
    """Everybody in one world. `api` talks to the web pages' server, `say` tells what happens."""

    def __init__(self, world: World, address: str, say: Say) -> None:
        self.world, self.say, self.promise = world, say, Promise()
        self.api = httpx.Client(base_url=f"{address}/api/v1", timeout=START_SECONDS)
        self.browser = httpx.Client(timeout=START_SECONDS)

    def close(self) -> None:
        """Everybody goes home."""
        self.api.close()
        self.browser.close()

    # --- where they work ------------------------------------------------------------------------------------------------

    def page(self, ref: str) -> Page:
        """The page of an incident's post-mortem."""
        return self.world.built.store.pages(ref)[0]

    def on_site(self, ref: str, email: str) -> SitePage:
        """The page in somebody's browser."""
        return SitePage(site_address(self.world, self.page(ref)), self.browser, email)

    def in_folder(self, ref: str) -> FilePage:
        """The file in somebody's editor."""
        return FilePage(folder_file(self.world, self.page(ref)))

    def call(self, method: str, path: str, **body: Any) -> dict[str, Any]:
        """One request to the HTTP interface. Raises DemoError when it is refused."""
        answer = self.api.request(method, path, json=body or None)
        said: dict[str, Any] = answer.json()
        if answer.status_code >= 400:
            raise DemoError(f"{method} {path} is refused: {said['detail']}")
        return said

    # --- comments on Confluence -------------------------------------------------------------------------------------------

    def comment_on(self, ref: str, words: str) -> str:
        """A reviewer's comment on these words of a page; its id."""
        place = {"textSelection": words, "textSelectionMatchCount": 1, "textSelectionMatchIndex": 0}
        body = {"representation": "storage", "value": "<p>Do we know why?</p>"}
        said = {"pageId": self.page(ref).native_id, "body": body, "inlineCommentProperties": place}
        answer = self.browser.post(f"{self._wiki}/inline-comments", json=said, auth=(GRACE, "demo"))
        if answer.status_code >= 400:
            raise DemoError(f"The comment is refused: {answer.text}")
        return str(answer.json()["id"])

    def commented(self, ref: str, comment: str) -> str:
        """The words that this comment stands on now; empty where it lost them."""
        marker = re.escape(self._on_wiki(f"inline-comments/{comment}")["properties"]["inline-marker-ref"])
        page = self._on_wiki(f"pages/{self.page(ref).native_id}?body-format=storage")
        marked = rf'ac:ref="{marker}"[^>]*>(.*?)</ac:inline-comment-marker>'
        return "".join(re.findall(marked, page["body"]["storage"]["value"]))

    def _on_wiki(self, path: str) -> dict[str, Any]:
        said: dict[str, Any] = self.browser.get(f"{self._wiki}/{path}", auth=(GRACE, "demo")).json()
        return said

    @property
    def _wiki(self) -> str:
        return f"{self.world.sandbox.description()['confluence']['url']}/api/v2"

    # --- act one: both sides at once --------------------------------------------------------------------------------------

    def both_sides(self) -> None:
        """Three pages and the store are edited within the same moments."""
        self.say("Ada writes on the Confluence page, Grace in Notion, somebody in the file; others work in the store")
        self._on_confluence()
        self._in_notion()
        self._in_the_file()
        self._in_the_store()
        self.world.settle(when=lambda: self._arrived("INC-101", "Ask the payment partner for their pool size"))

    def _on_confluence(self) -> None:
        page, ref = self.on_site("INC-101", ADA), "INC-101"
        page.tick("Alert on the queue in front of the payment gateway")
        page.retype("Show the pool size in the release notes", "Show the pool size in every release note")
        page.add("Show the pool size", "Ask the payment partner for their pool size @Grace Hopkins due @2026-12-08")
        page.retype("2026-11-02 10:26", "2026-11-02 10:24")
        page.retype("Lessons learned", "What all of us learned")
        page.retype("most came back within the day", "nearly all came back within the day")
        page.retype("SEV1", "SEV2")
        page.retype("lasted 1 h 28 min.", "lasted 1 h 28 min. In Italy it was every second checkout.")
        page.set_status("In review")
        self.promise.keep(ref, "Show the pool size in every release note", "Ask the payment partner for their pool size")
        self.promise.keep(ref, "What all of us learned", "nearly all came back", "every second checkout", "SEV2", "10:24")
        self.promise.replaced(ref, "most came back", "in the release notes", "10:26", "SEV1")

    def _in_notion(self) -> None:
        page, ref = self.on_site("INC-102", GRACE), "INC-102"
        page.tick("Run long migrations in small batches")
        page.retype("One consumer of the change stream waited", "One of nine consumers of the change stream waited")
        page.add("Tell support how old the index is", "Show the age of the index beside the search box")
        page.retype("Why did we not notice sooner?", "Why did a seller notice before we did?")
        page.retype("A seller asks why the new flat is not found", "A seller in Graz asks why the new flat is not found")
        page.set_status("In review")
        self.promise.keep(ref, "One of nine consumers", "Show the age of the index beside the search box")
        self.promise.keep(ref, "Why did a seller notice before we did?", "A seller in Graz asks")
        self.promise.replaced(ref, "One consumer of the change stream", "Why did we not notice sooner?", "A seller asks")

    def _in_the_file(self) -> None:
        page, ref = self.in_folder("INC-103"), "INC-103"
        page.tick("Say in the job's log how far it is")
        page.add("Apologise to the 318 customers", "- [ ] Say on the invoice how to reach a person")
        page.add("## What made it possible", "\nThe time-out was shorter than the job.")
        page.retype("Nobody paid twice", "Nobody paid twice, as far as we know")
        page.set_status("Completed")
        self.promise.keep(ref, "Say on the invoice how to reach a person", "The time-out was shorter than the job.")
        self.promise.keep(ref, "Nobody paid twice, as far as we know")

    def _in_the_store(self) -> None:
        self.call("PATCH", "/follow-ups/FU-2", title="Limit retries of the checkout to one", due_on="2026-12-10")
        self.call("PATCH", "/follow-ups/FU-8", assignee=GRACE)
        self.call("PATCH", "/follow-ups/FU-7", status="dropped")
        self.call("PATCH", "/timeline/T-4", at="11:20")
        self.call("POST", "/incidents/INC-102/timeline", at="09:50", title="The migration is paused")
        self.call("PATCH", "/incidents/INC-103", severity="SEV3", custom_fields={"affected_customers": "319"})
        self.call("POST", "/incidents/INC-103/follow-ups", title="Number the runs of the invoice job", assignee=ADA)
        text = "Nobody could sign in for an hour unless they still knew their password."
        self.call("PUT", "/incidents/INC-104/postmortem/sections/happened", markdown=text)
        self.promise.keep("INC-101", "Limit retries of the checkout to one", "11:20")
        self.promise.keep("INC-102", "The migration is paused", "09:50")
        self.promise.keep("INC-103", "SEV3", "319", "Number the runs of the invoice job")
        self.promise.keep("INC-104", text)

    # --- act two: a conflict ----------------------------------------------------------------------------------------------

    def conflict(self) -> None:
        """Both sides change one title while the daemon is down; one version shows, the other is a click away."""
        self.say("The daemon is stopped; both sides change the same follow-up differently, and it is started again")
        self.world.daemon.stop()
        self.on_site("INC-101", ADA).retype("Limit retries of the checkout to one", "Limit retries of every payment to one")
        self.call("PATCH", "/follow-ups/FU-2", title="Limit retries of the checkout to none")
        self.on_site("INC-102", GRACE).retype("the others kept answering for it", "eight others kept answering for it")
        self.promise.keep("INC-102", "eight others kept answering")
        self.world.daemon.start()
        self.world.settle(when=lambda: bool(self._open_conflicts()))
        found = self._open_conflicts()
        if len(found) != 1 or found[0]["key"] != "FU-2":
            raise DemoError(f"One conflict about FU-2 was expected, there are: {found}")
        both = {found[0]["store"]["text"], found[0]["page"]["text"]}
        if both != {"Limit retries of every payment to one", "Limit retries of the checkout to none"}:
            raise DemoError(f"The conflict does not hold both versions: {both}")
        self.say("The conflict holds both versions; Grace takes the page's")
        self.call("POST", f"/conflicts/{found[0]['id']}/resolve", take="page")
        self.world.settle(when=lambda: not self._open_conflicts())
        self.promise.kept["INC-101"].remove("Limit retries of the checkout to one")
        self.promise.keep("INC-101", "Limit retries of every payment to one")
        self.promise.replaced("INC-101", "Limit retries of the checkout")

    def _open_conflicts(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.call("GET", "/conflicts?state=open")["conflicts"]
        return found

    # --- act three: the plug is pulled -----------------------------------------------------------------------------------

    def killed_in_an_update(self, title: str = "Rehearse rolling back the gateway") -> None:
        """The daemon dies after the service saved a page and before it said so."""
        self.say("kill -9 in the middle of an update: Confluence has saved it, the daemon never hears")
        self._killed(
            lambda method, path: method == "PUT" and "/pages/" in path,
            lambda: self.call("POST", "/incidents/INC-101/follow-ups", title=title),
        )
        self.promise.keep("INC-101", title)

    def killed_in_a_create(self) -> None:
        """The in-house post-mortem is exported, and the daemon dies after the page was made."""
        self.say("The in-house post-mortem is exported; kill -9 after Confluence made the page")
        self._killed(
            lambda method, path: method == "POST" and path.partition("?")[0].endswith("/pages"),
            lambda: self.call("POST", "/incidents/INC-104/postmortem/export", destination="confluence"),
        )

    def _killed(self, moment: Callable[[str, str], bool], act: Callable[[], object]) -> None:
        valve = self.world.sandbox.valve
        valve.arm(moment)
        act()
        if not valve.reached.wait(START_SECONDS):
            raise DemoError(f"The daemon never came to write.\n{self.world.daemon.tail()}")
        self.world.daemon.kill()
        valve.release()
        self.world.daemon.start()
        self.world.settle()

    # --- act four: it lives on --------------------------------------------------------------------------------------------

    def lives_on(self) -> None:
        """The exported page is worked on like the others; a removed row comes back when somebody wants it."""
        self.say("The exported page goes on living; a removed event is hidden, then restored")
        page, ref = self.on_site("INC-104", GRACE), "INC-104"
        page.retype("Nobody could sign in for an hour", "Hardly anybody could sign in for an hour")
        page.tick("Measure how long a sign-in mail takes")
        page.remove("Support sees the first complaints")
        self.call("POST", "/incidents/INC-104/postmortem/status", status="in_review")
        self.promise.kept[ref] = ["Hardly anybody could sign in for an hour", "Support sees the first complaints"]
        self.world.settle(when=lambda: bool(self.world.built.store.hidden(self.page(ref).id)))
        self.call("POST", "/incidents/INC-104/restore", key="T-15")
        self.world.settle(when=lambda: not self.world.built.store.hidden(self.page(ref).id))

    def _arrived(self, ref: str, title: str) -> bool:
        incident = self.world.built.store.incident(ref)
        return incident is not None and any(title in row.title for row in incident.follow_ups)


def site_address(world: World, page: Page) -> str:
    """Where the sandbox's site shows a page."""
    kind = "notion" if page.destination == "notion" else "confluence"
    return f"{world.sandbox.address}/site/{kind}/{page.native_id}"


def folder_file(world: World, page: Page) -> Path:
    """The file of a folder page."""
    found = world.pages_folder / Path(urlsplit(page.native_id).path).name
    if not found.is_file():
        raise DemoError(f"There is no file {found.name}.")
    return found
