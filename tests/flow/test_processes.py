"""Real processes on one store: one at a time, a lease that passes, a late one that changes nothing."""

import os
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.flow.test_cli import CONFIG, Desk, desk, process, until

__all__ = ["desk"]


@pytest.fixture
def daemon(desk: Desk) -> Iterator["subprocess.Popen[str]"]:
    desk.config.write_text(CONFIG.replace("[sync]", "[sync]\npoll_seconds = 1"))
    desk.published()
    running = process("run", "--config", str(desk.config))
    until(lambda: desk.json("status")["daemon"] == running.pid)
    yield running
    running.send_signal(signal.SIGCONT)
    running.kill()
    running.communicate()


def stop(daemon: "subprocess.Popen[str]", desk: Desk) -> None:
    """The process stands still, outside of a transaction: inside, SQLite itself keeps everybody else out."""

    def outside() -> bool:
        daemon.send_signal(signal.SIGSTOP)
        os.waitpid(daemon.pid, os.WUNTRACED)  # until all its threads stand
        with closing(sqlite3.connect(desk.root / "syncd.db", timeout=0, isolation_level=None)) as store:
            try:
                store.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                daemon.send_signal(signal.SIGCONT)
                return False
            return True

    until(outside)


def test_a_daemon_that_stands_still_keeps_its_lease_and_a_killed_one_does_not(
    desk: Desk, daemon: "subprocess.Popen[str]"
) -> None:
    stop(daemon, desk)
    assert f"already running (pid {daemon.pid})" in desk.type("once", code=2).stderr
    second = process("run", "--config", str(desk.config))
    assert "already running" in second.communicate(timeout=20)[1] and second.returncode == 2
    daemon.kill()
    daemon.wait()
    desk.type("followup", "edit", "FU-1", "--title", "Alert on queue age")
    desk.type("once")
    assert "Alert on queue age" in desk.page.read_text()


def test_a_daemon_that_slept_while_another_worked_undoes_nothing(desk: Desk, daemon: "subprocess.Popen[str]") -> None:
    """As on a file system whose locks were lost: the lock is away, and two processes believe to be alone."""
    stop(daemon, desk)
    (desk.root / "syncd.db.lock").unlink()
    desk.type("followup", "edit", "FU-1", "--title", "Alert on queue age")
    desk.page.write_text(desk.page.read_text().replace("The checkout queue was full.", "The queue was very full."))
    desk.type("once")
    desk.page.write_text(desk.page.read_text().replace("- [ ] Alert on queue age", "- [x] Alert on queue age"))
    desk.type("once")
    after = desk.page.read_text()
    daemon.send_signal(signal.SIGCONT)
    desk.type("timeline", "add", "INC-12", "--at", "10:30", "--title", "Woken up")
    until(lambda: "Woken up" in desk.page.read_text())
    lines = [line for line in desk.page.read_text().splitlines() if "Woken up" not in line]
    assert lines == after.splitlines()
    shown = desk.json("incident", "show", "INC-12")
    assert (shown["follow_ups"][0]["title"], shown["follow_ups"][0]["status"]) == ("Alert on queue age", "done")
    assert shown["summary"].strip() == "The queue was very full."


def test_a_restored_backup_is_agreed_to_at_the_command_line(desk: Desk) -> None:
    desk.published()
    backup = desk.root / "backup.db"
    desk.type("backup", str(backup))
    desk.type("followup", "edit", "FU-1", "--title", "Alert on queue age")
    desk.type("once")
    for file in desk.root.glob("syncd.db*"):
        if file.name != "syncd.db.generation":
            file.unlink()
    backup.rename(desk.root / "syncd.db")
    before = desk.page.read_bytes()
    assert "syncd resume --all --accept" in desk.type("once", code=4).stdout
    desk.type("resume", code=2)
    assert "older copy" in desk.type("resume", "INC-12", code=4).stderr
    assert "Alert on queue age" in desk.type("plan").stdout
    assert desk.page.read_bytes() == before
    desk.type("resume", "--all", "--accept")
    desk.type("once")
    assert desk.page.read_bytes() == before
    assert desk.json("incident", "show", "INC-12")["follow_ups"][0]["title"] == "Alert on queue age"
