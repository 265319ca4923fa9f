"""The demo's world: a temporary directory with a configuration, the sandbox, the daemon as a process of its own, and the
pages for people.

The daemon is the real one, `syncd run`, so that it can be killed like one; the web pages and the HTTP interface work on the
same database from this process, as every command does. What happens in this world is `people.py`'s.
"""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from mapping.commands import Actor
from providers.sandbox.server import Sandbox
from providers.sandbox.wire import Emulator, Reply
from syncd.api import create_app
from syncd.assembly import Assembly, assemble
from syncd.demo.site import DemoError
from syncd.resources import templates
from syncd.settings import load

SAMPLES = Path(__file__).parents[1] / "samples"
CONFIG = """\
[store]
url = "sqlite:///syncd.db"

[web]
listen = ""

[sync]
poll_seconds = 1
debounce_seconds = 0
fresh_seconds = 2
row_still_seconds = 0
quiet_seconds = 0
version_gap_seconds = 0

[brakes]
writes_per_hour = 100000

[templates]
directory = "templates"

[incidents]
severities = ["SEV1", "SEV2", "SEV3"]
[fields.affected_customers]
label = "Affected customers"
type = "number"

[providers.confluence]
kind = "confluence"
url = "{confluence[url]}"
user = "syncd@example.com"
token = "demo"
requests_per_minute = 60000
settle_seconds = 2

[providers.notion]
kind = "notion"
url = "{notion[url]}"
token = "demo"
requests_per_minute = 60000
settle_seconds = 2

[providers.files]
kind = "folder"

[destinations.confluence]
provider = "confluence"
space = "{confluence[space]}"
parent = "{confluence[parent]}"

[destinations.notion]
provider = "notion"
data_source = "{notion[data_source]}"

[destinations.folder]
provider = "files"
path = "postmortems"
"""
TASKS = 'write = "external"\ntasks = ["draft_post_mortem", "export_post_mortem"]'
START_SECONDS = 20.0
STOP_SECONDS = 8.0


class Valve:
    """Stands before a service and can hold one answer back: the service has done its work, nobody has heard of it yet."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator
        self._armed: Callable[[str, str], bool] | None = None
        self.reached, self._released = threading.Event(), threading.Event()

    def arm(self, matches: Callable[[str, str], bool]) -> None:
        """Hold the answer to the next request that matches (method, path)."""
        self.reached.clear()
        self._released.clear()
        self._armed = matches

    def release(self) -> None:
        """Let the held answer go."""
        self._armed = None
        self._released.set()

    def handle(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """Answer one request, or be silent for a while."""
        reply = self._emulator.handle(method, path, headers, body)
        if self._armed and self._armed(method, path):
            self._armed = None
            self.reached.set()
            self._released.wait(START_SECONDS)
        return reply


class DemoSandbox(Sandbox):
    """A sandbox whose Confluence has a valve."""

    def __init__(self, seed: int) -> None:
        super().__init__(0, wall_clock, seed, pages=templates() / "web" / "sandbox")
        wiki = next(prefix for prefix in self._skin.mounts if prefix.startswith("/confluence"))
        self.valve = Valve(self._skin.mounts[wiki])
        self._skin.mounts[wiki] = self.valve


def wall_clock() -> datetime:
    """The real time."""
    return datetime.now(UTC)


def command(*arguments: str) -> list[str]:
    """The command line of this very installation."""
    return [sys.executable, "-c", "from syncd.cli import main; main()", *arguments]


def environment() -> dict[str, str]:
    """For such a command: it finds this installation, and no setting of the reader's own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SYNCD_")}
    paths = [str(Path(__file__).parents[2]), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**kept, "PYTHONPATH": os.pathsep.join(paths)}


class Daemon:
    """`syncd run` as a child process; its log goes to a file."""

    def __init__(self, config: Path) -> None:
        self.config, self.log = config, config.with_name("daemon.log")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; does not wait for anything."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command("run", "--config", str(self.config)),
                cwd=self.config.parent,
                env=environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for the demo, which then stops it in order
            )

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        """As `kill -9` does."""
        if self._process:
            self._process.kill()
            self._process.wait(STOP_SECONDS)

    def stop(self) -> None:
        """Ask it to stop, and see to it that it does. Raises DemoError when it does not stop cleanly."""
        process, self._process = self._process, None
        if process is None or process.poll() is not None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            code = process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired as late:
            process.kill()
            process.wait()
            raise DemoError(f"The daemon did not stop within {STOP_SECONDS:.0f} s.") from late
        if code != 0:
            raise DemoError(f"The daemon ended with {code}:\n{self.tail()}")

    def tail(self, lines: int = 15) -> str:
        """The end of its log."""
        return "\n".join(self.log.read_text("utf-8", "replace").splitlines()[-lines:]) if self.log.exists() else ""


class World:
    """Everything that runs."""

    def __init__(self, folder: Path, port: int, seed: int = 1) -> None:
        self.folder, self.port = folder, port
        self.sandbox = DemoSandbox(seed)
        self.config = _configured(folder, self.sandbox)
        self.built: Assembly = assemble(self.config, load(self.config), _no_waiting)
        self.daemon = Daemon(self.config)
        self.web = create_app(self.built.app)
        self.address = ""

    @property
    def pages_folder(self) -> Path:
        return self.folder / "postmortems"

    def fill(self) -> None:
        """The sample incidents and their post-mortems; the daemon publishes them."""
        app, actor = self.built.app, Actor("store", "demo")
        name = "incidents.yaml"
        imported = app.import_records(name, (SAMPLES / name).read_bytes(), None, Actor("import", name))
        if imported.refused or len(imported.taken) != 4:
            raise DemoError("The sample incidents cannot be imported: " + "; ".join(imported.refused))
        app.create_postmortem("INC-101", "standard", "confluence", actor)
        app.create_postmortem("INC-102", "root-cause-analysis", "notion", actor)
        app.create_postmortem("INC-103", "standard", "folder", actor)
        app.create_postmortem("INC-104", "lightweight", "", actor)

    def unquiet(self) -> list[str]:
        """What still has to travel, as the engine sees it now; empty when all is in step."""
        store = self.built.store
        waiting = [f"{page.incident}: {page.reason or page.state}" for page in store.pages() if page.state != "live"]
        waiting += [f"page {page_id} is to be looked at" for page_id, _ in store.dirty()]
        waiting += [f"{page.incident}: a write is open" for page in store.pages() if store.open_intent(page.id)]
        if waiting:
            return waiting
        reports = self.built.app.plan()
        return [f"{r.page.incident}: {line}" for r in reports for line in (*r.taken, *r.written, *r.reasons)]

    def settle(self, seconds: float = 25.0, when: Callable[[], bool] = lambda: True) -> None:
        """Wait until `when` holds and nothing has to travel any more. Raises DemoError when that takes too long."""
        deadline = time.monotonic() + seconds
        waiting: list[str] = []
        while time.monotonic() < deadline:
            if not self.daemon.alive:
                raise DemoError(f"The daemon died:\n{self.daemon.tail()}")
            waiting = ["something is still expected"] if not when() else self.unquiet()
            if not waiting:
                return
            time.sleep(0.2)
        raise DemoError("It does not become quiet: " + "; ".join(waiting) + f"\n{self.daemon.tail()}")

    def close(self) -> None:
        """End all that was started; the directory stays for who made it."""
        self.sandbox.valve.release()
        try:
            self.daemon.stop()
        finally:
            self.sandbox.stop()
            self.built.close()


def _configured(folder: Path, sandbox: Sandbox) -> Path:
    """The files of a small installation."""
    config = folder / "config.toml"
    config.write_text(CONFIG.format(**sandbox.description()), "utf-8")
    (folder / "postmortems").mkdir()
    (folder / "templates").mkdir()
    standard = (templates() / "standard.toml").read_text("utf-8")
    (folder / "templates" / "standard.toml").write_text(standard.replace('write = "external"', TASKS, 1), "utf-8")
    return config


def _no_waiting(per_minute: float) -> Callable[[float], None]:
    """Rates are not limited here: nobody else uses the sandbox."""
    return time.sleep


@contextmanager
def serving(app: FastAPI, port: int) -> Iterator[str]:
    """The application on the loopback while the block runs; its address. OSError when the port is taken."""
    bound = socket.create_server(("127.0.0.1", port))
    config = uvicorn.Config(app, log_config=None, lifespan="off", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=lambda: server.run(sockets=[bound]), name="demo-http", daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"
    finally:
        app.state.site.live.end()
        server.should_exit = True
        thread.join(3)
        bound.close()
