"""`syncd demo` as whole processes: played by itself, played by a person, and what its check would notice."""

import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import expect, sync_playwright

from mapping.document import paragraph
from mapping.incident import FollowUp, FollowUpStatus, Incident, Person, Postmortem, PostmortemStatus, Section, TimelineEvent
from syncd.demo.checks import compared
from syncd.demo.site import FilePage, Seen, SitePage, parsed, retyped, tokens

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-c", "from syncd.cli import main; main()", "demo"]


def environment(folder: Path) -> dict[str, str]:
    """Its temporary files where the test can look for what is left of them."""
    return {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(folder), "PYTHONUNBUFFERED": "1"}


def processes_of(folder: Path) -> list[str]:
    """The processes that still work in this directory."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if str(folder) in str((process / "cwd").readlink()):
                found.append((process / "cmdline").read_text().replace("\0", " "))
        except OSError:  # gone meanwhile, or somebody else's
            continue
    return found


# --- whole processes ----------------------------------------------------------------------------------------------------


def test_played_by_itself_all_sides_agree_and_nothing_is_left_behind(tmp_path: Path) -> None:
    began = time.monotonic()
    ended = subprocess.run([*COMMAND, "--once"], env=environment(tmp_path), capture_output=True, text=True, timeout=110)
    assert ended.returncode == 0, ended.stderr + ended.stdout
    assert "All sides agree: nothing lost, nothing doubled." in ended.stdout
    assert ended.stderr.count("kill -9") == 2 and "conflict holds both versions" in ended.stderr
    for travelled in ("page → store  confluence, Ada Byron", "page → store  folder", "store → page  notion"):
        assert travelled in ended.stdout
    assert time.monotonic() - began < 100  # well under a minute on a machine that does nothing else
    assert list(tmp_path.iterdir()) == [] and processes_of(tmp_path) == []


def at_a_terminal() -> None:
    """Ctrl-C counts, also where the tests themselves were started in the background, which makes programs deaf to it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@contextmanager
def shown(folder: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The demo as a person starts it, and the address it prints."""
    process = subprocess.Popen(
        COMMAND,
        env=environment(folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        preexec_fn=at_a_terminal,
    )
    try:
        assert process.stdout is not None
        ready, _, _ = select.select([process.stdout], [], [], 60)
        assert ready, "no address was printed"
        found = re.search(r"http://127\.0\.0\.1:\d+/demo", process.stdout.readline())
        assert found
        yield process, found[0]
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)  # as a person ends it; killed, it could not take its daemon along
            process.wait(20)
        if process.stdout:
            process.stdout.close()


def test_a_box_ticked_at_the_left_arrives_at_the_right_and_ctrl_c_ends_it(tmp_path: Path) -> None:
    with shown(tmp_path) as (process, address), httpx.Client(timeout=20) as browser:
        page = browser.get(address)
        frames = {
            node.attributes.get("id"): node.attributes["src"] for node in parsed(page.text).walk() if node.tag == "iframe"
        }
        allowed = page.headers["content-security-policy"].partition("frame-src ")[2].split()
        assert any(frames["left"].startswith(f"{origin}/") for origin in allowed)
        site = SitePage(frames["left"].partition("?")[0], browser, "ada@example.com")
        site.tick("Show the pool size in the release notes")
        right = address.removesuffix("/demo") + frames["right"]
        deadline = time.monotonic() + 20
        while "FU-3" not in done_at(browser.get(right).text):
            assert time.monotonic() < deadline, "the tick did not arrive"
            time.sleep(0.2)
        assert "FU-3 status" in browser.get(f"{address}/ticker").text
        assert "Invoices of October" in browser.get(f"{address}/file/INC-103").text
        process.send_signal(signal.SIGINT)
        assert process.wait(15) == 0
    assert list(tmp_path.iterdir()) == [] and processes_of(tmp_path) == []


CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
def test_in_a_browser_both_sides_follow_and_nothing_typed_is_taken_away(tmp_path: Path) -> None:
    with shown(tmp_path) as (_, address), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page()
        problems: list[str] = []
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.goto(address)
        left, right = page.frame_locator("#left"), page.frame_locator("#right")
        title = right.get_by_label("Title of FU-2")
        title.click()
        title.press("End")
        title.press_sequentially(" at most")
        left.locator("li.task", has_text="FU-3").get_by_role("checkbox").evaluate("box => box.click()")  # focus stays
        expect(right.locator("#FU-3 input[type=checkbox]")).to_be_checked(timeout=15_000)
        expect(title).to_have_value("Limit retries of the checkout to two at most")
        title.press("Enter")
        expect(left.get_by_text("Limit retries of the checkout to two at most")).to_be_visible(timeout=15_000)
        expect(page.locator("#ticker")).to_contain_text("FU-3 status")
        page.set_viewport_size({"width": 390, "height": 844})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert problems == []
        browser.close()


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
def test_the_story_is_played_one_click_decides_and_nothing_is_lost(tmp_path: Path) -> None:
    with shown(tmp_path) as (_, address), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page()
        page.goto(address)
        page.get_by_role("button", name="Play").click()
        decide = page.frame_locator("#right").get_by_role("button", name="Take the page's")
        decide.evaluate("button => button.click()", timeout=60_000)
        story = page.locator("#story")
        expect(story.get_by_text("the comment still stands on “retries kept it full”")).to_be_visible()
        expect(story.get_by_text("You decided.")).to_be_visible(timeout=30_000)
        expect(story.get_by_text("May it close? Before: no. Now: yes.")).to_be_visible(timeout=30_000)
        expect(story.locator(".counters")).to_have_text("lost 0, doubled 0", timeout=60_000)
        page.get_by_role("button", name="kill -9").click(timeout=60_000)
        expect(story.get_by_text("It came back and went on: lost 0, doubled 0.")).to_be_visible(timeout=60_000)
        browser.close()


def done_at(html: str) -> set[str]:
    """The keys of the follow-ups that the incident's page shows ticked."""
    rows = [node for node in parsed(html).walk() if node.tag == "li" and node.attributes.get("id", "").startswith("FU-")]
    return {row.attributes["id"] for row in rows for box in row.walk() if box.tag == "input" and "checked" in box.attributes}


def test_a_taken_port_is_said_in_one_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        command = [*COMMAND, "--port", str(taken.getsockname()[1])]
        ended = subprocess.run(command, env=environment(tmp_path), capture_output=True, text=True, timeout=60)
    assert ended.returncode != 0
    assert "in use" in ended.stderr and "Traceback" not in ended.stderr
    assert processes_of(tmp_path) == []


# --- what the check notices ---------------------------------------------------------------------------------------------

ADA = Person("Ada Byron", "ada@example.com")
INCIDENT = Incident(
    "INC-1",
    "Checkout fails",
    summary=(paragraph("It failed for an hour."),),
    timeline=(TimelineEvent("T-1", datetime(2026, 11, 2, 10, 3, tzinfo=UTC), "Alert fired"),),
    follow_ups=(FollowUp("FU-1", "Alert on depth", FollowUpStatus.DONE, ADA, due_on=date(2026, 12, 1)),),
)
POSTMORTEM = Postmortem(
    "INC-1", "standard", PostmortemStatus.IN_REVIEW, "wiki", "UTC", "", (Section("summary", "summary", "Summary"),)
)
SEEN = Seen(
    "INC-1 Checkout fails",
    ((True, "Alert on depth @Ada Byron due 1 Dec 2026 FU-1"),),
    (("Time", "Event", "Details"), ("2026-11-02 10:03", "Alert fired", "T-1")),
    "INC-1 Checkout fails Summary It failed for an hour. Alert on depth",
    "In review",
)


def test_the_check_is_content_when_both_sides_say_the_same() -> None:
    assert list(compared(INCIDENT, POSTMORTEM, SEEN)) == []


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        (replace(SEEN, title="INC-1 Something else"), "the title is"),
        (replace(SEEN, status="Completed"), "the status is"),
        (replace(SEEN, text="INC-1 Checkout fails Summary It failed."), "only in the store"),
        (replace(SEEN, text="INC-1 Checkout fails It failed for an hour."), "section “Summary” is missing"),
        (replace(SEEN, tasks=()), "FU-1 stands there 0 times"),
        (replace(SEEN, tasks=SEEN.tasks * 2), "FU-1 stands there 2 times"),
        (replace(SEEN, tasks=(*SEEN.tasks, (False, "Nobody knows me"))), "1 more boxes than follow-ups"),
        (replace(SEEN, tasks=((False, SEEN.tasks[0][1]),)), "FU-1 is not ticked"),
        (replace(SEEN, tasks=((True, "Alert on depth @Ada Byron due 2 Dec 2026 FU-1"),)), "FU-1 is due 2026-12-01"),
        (replace(SEEN, tasks=((True, "Alert on depth @Grace due 1 Dec 2026 FU-1"),)), "does not say “Ada Byron”"),
        (replace(SEEN, rows=SEEN.rows[:1]), "T-1 stands there 0 times"),
        (replace(SEEN, rows=(SEEN.rows[0], ("2026-11-02 10:04", "Alert fired", "T-1"))), "T-1 says"),
    ],
)
def test_the_check_notices(seen: Seen, words: str) -> None:
    assert any(words in found for found in compared(INCIDENT, POSTMORTEM, seen))


def test_a_line_is_typed_over_without_touching_its_mentions() -> None:
    root = parsed('<div data-at="x">Ask <b>them</b> now <span data-atom data-index="0">@Ada Byron</span></div>')
    line = tokens(root.all("data-at")[0])
    assert line == ["Ask ", {"mark": "strong", "content": ["them"]}, " now ", {"index": 0}]
    assert retyped(line, "them", "us")[1] == {"mark": "strong", "content": ["us"]}


def test_a_file_is_read_and_edited_as_text(tmp_path: Path) -> None:
    file = tmp_path / "INC-1.md"
    file.write_text("---\nstatus: In progress\n---\n\n# INC-1 A\\_B\n\n| a | b |\n\n- [ ] one `FU-1`\n", "utf-8")
    page = FilePage(file)
    page.tick("one")
    page.add("one", "- [ ] two")
    page.set_status("Completed")
    seen = page.read()
    assert (seen.title, seen.status) == ("INC-1 A_B", "Completed")
    assert seen.tasks == ((True, "one FU-1"), (False, "two")) and ("a", "b") in seen.rows
