"""A daemon's web pages in a real browser: Debian's Chromium, driven by Playwright, over a store of a test's own.

`house` is the product in this process, with a folder destination and one pass at a time, so that a test decides when pages
are looked at; `page` is a tab on it that fails the test when a script fails or the browser complains.
"""

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from mapping.commands import Actor
from syncd.api import create_app
from syncd.assembly import Assembly, assemble
from syncd.demo.world import serving
from syncd.settings import load

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage"]
ABSENT = "no Chromium on this machine: `make test-browser` installs it"
CONFIG = """
[incidents]
severities = ["SEV1", "SEV2", "SEV3"]
[fields.affected_customers]
label = "Affected customers"
type = "number"
[sync]
row_still_seconds = 0
quiet_seconds = 0
version_gap_seconds = 0
[templates]
directory = "templates"
[providers.files]
kind = "folder"
[destinations.folder]
provider = "files"
path = "pages"
[destinations.second]
provider = "files"
path = "second"
"""
ACTOR = Actor("store", "Ada Byron")
expect.set_options(timeout=10_000)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if CHROMIUM is None:
        for item in items:
            if Path(__file__).parent in item.path.parents:
                item.add_marker(pytest.mark.skip(reason=ABSENT))


@dataclass
class House:
    """The product with its web pages at `address`, its files under `folder`."""

    folder: Path
    built: Assembly
    address: str

    def incident(self, reference: str = "INC-1", **more: Any) -> str:
        """Import an incident; its reference."""
        record = {"reference": reference, "name": "Checkout fails", "phase": "post_incident", "severity": "SEV1", **more}
        self.built.app.import_records("test.json", json.dumps(record).encode(), None, ACTOR)
        return reference

    def once(self) -> None:
        """One pass over every page, as `syncd once` makes it."""
        self.built.app.once()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    (tmp_path / "templates").mkdir()
    (tmp_path / "config.toml").write_text(CONFIG, "utf-8")
    built = assemble(tmp_path / "config.toml", load(tmp_path / "config.toml"), lambda seconds: lambda more: None)
    with serving(create_app(built.app), 0) as address:
        yield House(tmp_path, built, address)
    built.close()


@pytest.fixture(scope="module")  # no longer: while Playwright runs, no other test of this process can have an event loop
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield started
        started.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    opened = browser.new_context(viewport={"width": 1280, "height": 900})
    yield opened
    opened.close()


@pytest.fixture
def tab(context: BrowserContext) -> Iterator[Callable[[], Page]]:
    """Opens tabs; whatever their scripts or the browser complain about fails the test."""
    problems: list[str] = []

    def opened() -> Page:
        page = context.new_page()
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda said: problems.append(said.text) if _complaint(said) else None)
        return page

    yield opened
    assert problems == []


def _complaint(said: ConsoleMessage) -> bool:
    """A page that answers 404, a refused change, or a request that was cut off is no fault of a script."""
    return said.type == "error" and not said.text.startswith(
        ("Failed to load resource", "htmx:afterRequest", "htmx:sendError", "htmx:sendAbort")
    )


@pytest.fixture
def page(tab: Callable[[], Page]) -> Page:
    return tab()


def violations(page: Page) -> str:
    """What axe-core finds wrong with a page for people who cannot see or point; empty for nothing."""
    page.evaluate("for (const a of document.getAnimations()) a.cancel()")  # what just lit up has a colour of its own
    found = Axe().run(page).response["violations"]
    return "\n".join(f"{rule['id']}: {node['html']}: {node['failureSummary']}" for rule in found for node in rule["nodes"])
