"""Makes the pictures of the documentation: starts the demo, plays a little, and photographs its pages with Chromium.

`docs/demo.png` stands in the README, the others in docs/pictures.md.

python docs/screenshot.py [CHROMIUM]
"""

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from syncd.demo.page import mount_demo
from syncd.demo.people import ADA, People
from syncd.demo.story import Story
from syncd.demo.world import World, serving

FOLDER = Path(__file__).parent
PAGES = {  # each picture with the path of its page
    "overview": "/",
    "incident": "/incidents/INC-101",
    "write": "/incidents/INC-104/write",
    "conflicts": "/conflicts",
    "insights": "/insights",
    "settings": "/settings/templates/standard",
}
CHROMIUM = "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


def play(world: World, address: str) -> None:
    """A few things that travel, so that there is something to see."""
    people = People(world, address, lambda words: None)
    try:
        page = people.on_site("INC-101", ADA)
        page.tick("Alert on the queue in front of the payment gateway")
        page.add("Show the pool size", "Ask the payment partner for their pool size @Grace Hopkins due @2026-12-08")
        world.settle(when=lambda: len(people.page("INC-101").version) > 0)
        people.call("PATCH", "/follow-ups/FU-2", title="Limit retries of the checkout to one")
        page.set_status("In review")
        world.settle()
        world.daemon.stop()
        page.retype("retries kept it full", "retries kept it full for an hour")
        people.call("PATCH", "/follow-ups/FU-2", title="Limit retries of the checkout to none")
        page.retype("Limit retries of the checkout to one", "Limit retries of every payment to one")
        world.daemon.start()
        world.settle(when=lambda: bool(world.built.store.conflicts(state="open")))
    finally:
        people.close()


def photograph(page: Page, address: str) -> None:
    """The demo's page with both sides at their follow-ups."""
    page.goto(f"{address}/demo")
    for name in ("left", "right"):
        frame = page.frame_locator(f"#{name}")
        frame.get_by_text("Ask the payment partner for their pool size").last.wait_for()
        frame.get_by_text("Follow-ups", exact=True).last.evaluate("element => element.scrollIntoView()")
    page.locator("#ticker li").first.wait_for()
    page.wait_for_timeout(4000)  # until nothing is highlighted any more
    page.screenshot(path=FOLDER / "demo.png")


def photograph_pages(page: Page, address: str) -> None:
    """Every other page as it is first seen."""
    for name, path in PAGES.items():
        page.goto(address + path)
        page.wait_for_timeout(2500)  # until the gate has answered and nothing is highlighted any more
        page.screenshot(path=FOLDER / f"{name}.png")


def main(chromium: str) -> None:
    """Play and photograph."""
    with tempfile.TemporaryDirectory(prefix="syncd-picture-") as folder:
        world = World(Path(folder), 0)
        try:
            with serving(world.web, 0) as address, sync_playwright() as playwright:
                mount_demo(world.web, world, Story(world, People(world, address, lambda words: None)))
                world.sandbox.start()
                world.fill()
                world.daemon.start()
                world.settle()
                play(world, address)
                browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
                photograph(browser.new_page(viewport={"width": 1280, "height": 800}, device_scale_factor=2), address)
                photograph_pages(browser.new_page(viewport={"width": 1280, "height": 860}), address)
                browser.close()
        finally:
            world.close()


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else CHROMIUM)
