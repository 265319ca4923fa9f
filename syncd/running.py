"""`syncd run`: the daemon with its faces, in one process, for as long as nobody stops it.

Serves HTTP in a thread, watches the configuration and the templates, and builds anew what changed for the better; a broken
file keeps what ran before. What the daemon does with pages is `daemon.py`.
"""

import gc
import hashlib
import socket
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from structlog.stdlib import BoundLogger
from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer

from syncd.api import create_app
from syncd.assembly import Assembly
from syncd.daemon import QUIET_EVENTS, Daemon, Parts, Signals, serve
from syncd.errors import Misuse, SyncdError
from syncd.pages import Page
from syncd.reconcile import Report

HTTP_STOPS_WITHIN = 0.5  # seconds that the thread gets after its connections were told to end
Look = Callable[[Page], "Future[Report] | None"]
Build = Callable[[Assembly | None], Assembly]  # anew from the files, over the open store of what runs now


def run(build: Build, signals: Signals, log: BoundLogger, sleep: Callable[[float], None]) -> None:
    """Everything until a signal says stop. Raises SyncdError when it cannot start."""
    built = build(None)
    try:
        with built.alone():
            running = _Running(built, build, signals, log, sleep)
            gc.freeze()  # what was loaded stays: going through it for garbage again and again took a quarter of all work
            try:
                serve(running.parts(), running.rebuild, signals, log, running.started)
            finally:
                running.stop()
    finally:
        built.close()


class _Running:
    """What runs now, and how it becomes what the files say."""

    def __init__(
        self, built: Assembly, build: Build, signals: Signals, log: BoundLogger, sleep: Callable[[float], None]
    ) -> None:
        self.built, self._build, self._signals, self._log, self._sleep = built, build, signals, log, sleep
        self._seen = self._config_bytes()
        self._face, self._once_shown = _Face(), False
        self._watch = _Watch(signals.ask_reload)

    def parts(self) -> Parts:
        return self.built.parts()

    def started(self, daemon: Daemon) -> None:
        """The workers run: show them to people, and watch the files that are in use now."""
        where = self._shown(daemon.look)
        self._follow()
        if self._config_bytes() != self._seen:  # saved before anybody watched
            self._signals.ask_reload()
        self._log.info(
            "syncd is running", address=where or "no HTTP", destinations=", ".join(self.built.destinations) or "none"
        )
        self._complain(self.built.library.problems())

    def _follow(self) -> None:
        self._watch.follow(self.built.config, self.built.settings.templates.directory)

    def _shown(self, look: Look) -> str:
        """The address of the web pages. One that is taken ends a start, and a reload goes on without."""
        try:
            where = self._face.show(self.built, look)
        except Misuse as error:
            if not self._once_shown:
                raise
            self._log.error("there are no web pages now", reason=str(error))
            where = ""
        self._once_shown = True
        return where

    def rebuild(self) -> Parts | None:
        """The parts of the new configuration; None where it is the same, broken, or only templates changed."""
        before = self._seen
        self._seen = self._settled()
        if self._seen == before:
            self._follow()  # the directory may be a new one
            self.built.library.reload()
            self._log.info("the templates were read again")
            self._complain(self.built.library.problems())
            return None
        try:
            fresh = self._build(self.built)
        except SyncdError as error:
            self._log.error("the changed configuration is broken; the one before stays in use", reason=str(error))
            return None
        self.built = fresh
        self._log.info("the configuration was read again")
        return fresh.parts()

    def stop(self) -> None:
        """End the faces."""
        self._watch.stop()
        self._face.stop()

    def _complain(self, problems: Iterable[str]) -> None:
        for problem in problems:
            self._log.warning("a template cannot be used", reason=problem)

    def _settled(self) -> bytes:
        """The configuration when nobody is in the middle of saving it."""
        now, before = self._config_bytes(), b""
        for _ in range(10):
            before, _ = now, self._sleep(0.1)
            now = self._config_bytes()
            if now == before:
                break
        return now

    def _config_bytes(self) -> bytes:
        try:
            return hashlib.sha256(self.built.config.read_bytes()).digest()
        except OSError:
            return b"unreadable"


# --- HTTP ---------------------------------------------------------------------------------------------------------------


class _Face:
    """The HTTP server; it keeps its address while the address stays the same, whatever else changes."""

    def __init__(self) -> None:
        self._listen = self._address = ""
        self._app: FastAPI | None = None
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    def show(self, built: Assembly, look: Look) -> str:
        """Serve these parts from now on; the address, empty for none. Raises Misuse where the address is taken."""
        web = built.settings.web
        self._end_streams()
        self._app = create_app(built.app, look, web)
        if web.listen != self._listen:
            self.stop()
            self._address = self._start(web.listen) if web.listen else ""
            self._listen = web.listen
        return self._address

    def _end_streams(self) -> None:
        """Open pages come back by themselves, and then to the parts that are in use."""
        if self._app:
            self._app.state.site.live.end()

    async def _front(self, scope: object, receive: object, send: object) -> None:
        await self._app(scope, receive, send)  # type: ignore[misc,arg-type]  # ASGI has no type of its own

    def _start(self, listen: str) -> str:
        bound = _bound(listen)
        config = uvicorn.Config(
            self._front,
            interface="asgi3",
            log_config=None,
            lifespan="off",
            server_header=False,
            proxy_headers=False,  # who is believed to be a proxy is said in [web.proxy] alone
            timeout_graceful_shutdown=1,
        )
        self._server = server = uvicorn.Server(config)
        self._thread = threading.Thread(target=lambda: server.run(sockets=[bound]), name="syncd-http", daemon=True)
        self._thread.start()
        return f"http://{listen.rpartition(':')[0]}:{bound.getsockname()[1]}"

    def stop(self) -> None:
        """Stop answering."""
        self._end_streams()
        if self._server and self._thread:
            self._server.should_exit = True
            self._thread.join(HTTP_STOPS_WITHIN)
        self._server = self._thread = None


def _bound(listen: str) -> socket.socket:
    host, _, port = listen.rpartition(":")
    host = host.strip("[]")
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, int(port)), family=family)
    except (OSError, ValueError) as error:
        raise Misuse(f"The web pages cannot be served on {listen}: {error}.", "set web.listen, or empty for none") from error


# --- files --------------------------------------------------------------------------------------------------------------


class _Watch:
    """Tells when the configuration file or a template was saved."""

    def __init__(self, react: Callable[[], None]) -> None:
        self._react, self._observer = react, Observer()
        self._files: tuple[Path, Path, int] | None = None
        self._observer.start()

    def follow(self, config: Path, templates: Path) -> None:
        """From now on these, besides nothing else; asked again, a directory that was made meanwhile."""
        files = (config, templates, templates.stat().st_ino if templates.is_dir() else 0)
        if self._files == files:
            return
        self._files = files
        self._observer.unschedule_all()
        folder, inside = config.absolute().parent, templates.absolute()
        self._observer.schedule(_Saved(self._react, {config.absolute(), inside}), str(folder))
        if inside.is_dir():
            self._observer.schedule(_Saved(self._react, None), str(inside))

    def stop(self) -> None:
        self._observer.stop()
        self._observer.join(HTTP_STOPS_WITHIN)


class _Saved(FileSystemEventHandler):
    """One of these paths was saved; None: any in the folder."""

    def __init__(self, react: Callable[[], None], paths: set[Path] | None) -> None:
        self._react, self._paths = react, paths

    def on_any_event(self, event: FileSystemEvent) -> None:
        touched = {Path(str(path)) for path in (event.src_path, event.dest_path) if path}
        if event.event_type not in QUIET_EVENTS and (self._paths is None or touched & self._paths):
            self._react()
