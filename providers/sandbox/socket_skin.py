"""Emulators behind a socket: a threaded HTTP/1.1 server that mounts each of them under a path prefix.

Answers leave in one packet without delay and connections stay open, as the services' own do; a scripted fault of
`faults.py` shows as a connection that breaks. Nothing here knows a service: what is served is anything with `handle`.
The skins inside a client library are `in_process.py`.
"""

import socket
import sys
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer, ThreadingMixIn
from typing import Any

from providers.sandbox.faults import ReplyLost, RequestLost
from providers.sandbox.wire import Emulator, Reply

_MOST_BODY = 16 * 1024 * 1024
_STOP_SECONDS = 0.05  # how long the accept loop may sleep through a stop


class Locked:
    """An emulator with the lock under which everybody touches it: `handle` has none of its own."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        self.lock = threading.Lock()

    def handle(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """Answer one request at a time."""
        with self.lock:
            return self.emulator.handle(method, path, headers, body)


class SocketSkin(ThreadingMixIn, TCPServer):
    """Serves `mounts`, a prefix ("" is the root) to what answers below it; the longest matching prefix wins.

    The socket listens from construction on, so that `address` is known before anything is mounted; port 0 takes a
    free one. OSError when the port is taken.
    """

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 512

    def __init__(self, host: str, port: int) -> None:
        super().__init__((host, port), _Handler)
        self.mounts: dict[str, Emulator] = {}
        self._loop = threading.Thread(target=self.serve_forever, args=(_STOP_SECONDS,), name="sandbox", daemon=True)
        self._open: dict[socket.socket, threading.Thread] = {}
        self._guard = threading.Lock()

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        host, port = self.socket.getsockname()[:2]
        return host, port

    def start(self) -> None:
        """Answer from now on, in threads of its own."""
        self._loop.start()

    def close(self) -> None:
        """Stop listening and end every connection; what is being answered has a second to finish."""
        if self._loop.is_alive():
            self.shutdown()
            self._loop.join()
        self.server_close()
        with self._guard:
            left = dict(self._open)
        for connection in left:
            _hang_up(connection)
        for thread in left.values():
            thread.join(1)

    def answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """Hand a request to the mount it is for."""
        path = target.partition("?")[0]
        for prefix in sorted(self.mounts, key=len, reverse=True):
            if path == prefix or path.startswith(f"{prefix}/"):
                below = target.removeprefix(prefix)
                return self.mounts[prefix].handle(method, below if below.startswith("/") else f"/{below}", headers, body)
        return Reply(404, {"Content-Type": "text/plain"}, b"Nothing is served here.\n")

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve one connection, known by its socket while it lasts."""
        with self._guard:
            self._open[request] = threading.current_thread()
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self._guard:
                del self._open[request]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no error; anything else is a defect and is told on standard error."""
        if not isinstance(sys.exc_info()[1], ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: SocketSkin

    def _serve(self) -> None:
        body = self._body()
        if body is None:
            return
        try:
            reply = self.server.answer(self.command, self.path, dict(self.headers.items()), body)
        except (RequestLost, ReplyLost):
            self.close_connection = True
            _hang_up(self.connection)
            return
        self._send(reply)

    # The base class finds them by these names.
    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _serve  # noqa: N815

    def _body(self) -> bytes | None:
        """The request's body; None when it was refused."""
        length = self.headers.get("Content-Length", "0")
        readable = length.isascii() and length.isdigit()
        if "Transfer-Encoding" not in self.headers and readable and int(length) <= _MOST_BODY:
            return self.rfile.read(int(length))
        self.close_connection = True
        status = 411 if "Transfer-Encoding" in self.headers else 413 if readable else 400
        self._send(Reply(status, {"Connection": "close"}, b""))
        return None

    def _send(self, reply: Reply) -> None:
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if reply.status not in (204, 304):
            self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        if self.command != "HEAD" and reply.status not in (204, 304):
            self.wfile.write(reply.body)

    def log_message(self, format: str, *args: Any) -> None:
        """Requests are not logged: the emulators keep count themselves."""


def _hang_up(connection: socket.socket) -> None:
    """Wake whoever reads from a connection, on either end."""
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:  # already gone
        return
