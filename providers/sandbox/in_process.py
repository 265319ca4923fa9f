"""Emulators inside a client library: no socket, no thread, the same bytes.

`EmulatorAdapter` is mounted on a `requests.Session`, `EmulatorTransport` is given to an `httpx.Client`. Both show the
faults of `faults.py` as the library shows a broken connection. The skin with a real socket is `socket_skin.py`.
"""

import io
from collections.abc import Mapping
from http.client import responses
from typing import Any

import httpx
import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict
from urllib3 import HTTPConnectionPool
from urllib3.connection import HTTPConnection
from urllib3.exceptions import MaxRetryError, NewConnectionError

from providers.sandbox.faults import ReplyLost, RequestLost
from providers.sandbox.wire import Emulator


class EmulatorAdapter(BaseAdapter):
    """A transport adapter for `requests`. `prefix` is the path under which the service lives (`/confluence/wiki`)."""

    def __init__(self, emulator: Emulator, prefix: str = "") -> None:
        super().__init__()
        self._emulator = emulator
        self._prefix = prefix

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: Any = True,
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Hand the request to the emulator. Raises requests.ConnectionError for a scripted fault."""
        path = (request.path_url or "/").removeprefix(self._prefix)
        try:
            reply = self._emulator.handle(request.method or "GET", path, dict(request.headers), _bytes(request.body))
        except RequestLost as lost:
            raise requests.ConnectionError(_refused(lost) if lost.refused else lost, request=request) from lost
        except ReplyLost as lost:
            kind = requests.ReadTimeout if lost.late else requests.ConnectionError
            raise kind(lost, request=request) from lost
        response = requests.Response()
        response.status_code, response.reason = reply.status, responses.get(reply.status, "")
        response.headers = CaseInsensitiveDict(reply.headers)
        response.raw = io.BytesIO(reply.body)
        response.url, response.request = request.url or "", request
        return response

    def close(self) -> None:
        """Nothing is held open."""


class EmulatorTransport(httpx.BaseTransport):
    """A transport for `httpx`. `prefix` is the path under which the service lives (`/notion`)."""

    def __init__(self, emulator: Emulator, prefix: str = "") -> None:
        self._emulator = emulator
        self._prefix = prefix

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Hand the request to the emulator. Raises httpx.ConnectError or httpx.ReadError for a scripted fault."""
        path = request.url.raw_path.decode("ascii").removeprefix(self._prefix)
        try:
            reply = self._emulator.handle(request.method, path, dict(request.headers), request.read())
        except RequestLost as lost:
            kind = httpx.ConnectError if lost.refused else httpx.ReadError
            raise kind(str(lost), request=request) from lost
        except ReplyLost as lost:
            late = httpx.ReadTimeout if lost.late else httpx.ReadError
            raise late(str(lost), request=request) from lost
        return httpx.Response(reply.status, headers=reply.headers, content=reply.body, request=request)


def _refused(lost: RequestLost) -> MaxRetryError:
    """As urllib3 tells of a host that accepts no connection."""
    host = "in-process"
    return MaxRetryError(HTTPConnectionPool(host), "/", NewConnectionError(HTTPConnection(host), str(lost)))


def _bytes(body: Any) -> bytes:
    """A prepared body is bytes, text or absent; streams are never sent by our clients."""
    if body is None:
        return b""
    return body.encode() if isinstance(body, str) else bytes(body)
