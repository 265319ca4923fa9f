"""What goes wrong between a client and a service, on request: lost requests, lost replies, refusals, failing gateways.

`Faulty` stands around any emulator and answers like it until a scripted `Fault` matches a request; each fault happens
once, in the order of the script. A fault that strikes `after_commit` lets the service do its work first, which is what
makes a write's outcome unknowable. How a client library shows a lost request or reply is `in_process.py`.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from providers.sandbox.wire import Emulator, Reply

_CODES = {
    409: "conflict_error",
    429: "rate_limited",
    500: "internal_server_error",
    503: "service_unavailable",
    504: "gateway_timeout",
    529: "service_overload",
}


class RequestLost(Exception):
    """The request did not arrive. `refused`: there was not even a connection, so the client can be sure of it."""

    def __init__(self, *, refused: bool) -> None:
        super().__init__("connection refused" if refused else "connection reset before the request arrived")
        self.refused = refused


class ReplyLost(Exception):
    """The service did its work, the answer never came. `late`: it would have come after the client gave up."""

    def __init__(self, message: str, *, late: bool = False) -> None:
        super().__init__(message)
        self.late = late


def anything(method: str, path: str) -> bool:
    """Matches every request."""
    return True


def writes(method: str, path: str) -> bool:
    """Matches what changes content; queries and look-ups that travel as POST are not that."""
    return method in ("POST", "PUT", "PATCH", "DELETE") and not path.partition("?")[0].endswith(
        ("/users-bulk", "/query", "/search")
    )


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong with the first request that `matches(method, path)`.

    `refused`, `request_lost`, `reply_lost`, `late` concern the connection; `status` answers with that status and `headers`,
    `after_commit` or instead of the service's work; `spoiled` lets the service answer and hands on what `spoil` makes of it.
    """

    kind: Literal["refused", "request_lost", "reply_lost", "late", "status", "spoiled"]
    matches: Callable[[str, str], bool] = anything
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    after_commit: bool = False
    spoil: Callable[[Reply], Reply] = lambda reply: reply


def truncated(matches: Callable[[str, str], bool] = anything) -> Fault:
    """An answer that breaks off in the middle."""
    return Fault("spoiled", matches, spoil=lambda reply: reply._replace(body=reply.body[: len(reply.body) // 2]))


def empty(matches: Callable[[str, str], bool] = anything) -> Fault:
    """An answer without a body."""
    return Fault("spoiled", matches, spoil=lambda reply: reply._replace(body=b""))


def html(matches: Callable[[str, str], bool] = anything) -> Fault:
    """A page for people, from something in between, with the status of a success."""
    page = b"<!doctype html><html><body>Please sign in to the network.</body></html>"
    return Fault("spoiled", matches, spoil=lambda reply: Reply(200, {"Content-Type": "text/html"}, page))


def rate_limited(retry_after: str = "1", matches: Callable[[str, str], bool] = anything) -> Fault:
    """429 before anything is done; `retry_after` is seconds or an HTTP date, empty for a service that does not say."""
    return Fault("status", matches, 429, {"Retry-After": retry_after} if retry_after else {})


def failing(
    status: int, matches: Callable[[str, str], bool] = anything, *, after_commit: bool = False, retry_after: str = ""
) -> Fault:
    """A 5xx, before or after the work was done."""
    return Fault("status", matches, status, {"Retry-After": retry_after} if retry_after else {}, after_commit)


def slow_down(retry_after: str, matches: Callable[[str, str], bool] = anything) -> Fault:
    """An answer that went well and asks to wait all the same."""
    return Fault(
        "spoiled", matches, spoil=lambda reply: reply._replace(headers={**reply.headers, "Retry-After": retry_after})
    )


class Faulty:
    """An emulator with a queue of faults in front. `script` can be extended at any time; what is left in it has not
    happened."""

    def __init__(self, emulator: Emulator, script: list[Fault] | None = None) -> None:
        self.emulator = emulator
        self.script: list[Fault] = [] if script is None else script

    def handle(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """Answer one request. Raises RequestLost or ReplyLost where the connection is at fault."""
        fault = next((fault for fault in self.script if fault.matches(method, path)), None)
        if fault is None:
            return self.emulator.handle(method, path, headers, body)
        self.script.remove(fault)
        if fault.kind in ("refused", "request_lost"):
            raise RequestLost(refused=fault.kind == "refused")
        if fault.kind == "spoiled":
            return fault.spoil(self.emulator.handle(method, path, headers, body))
        done = fault.kind in ("reply_lost", "late") or fault.after_commit
        reply = self.emulator.handle(method, path, headers, body) if done else None
        if fault.kind in ("reply_lost", "late"):
            raise ReplyLost(f"no answer to {method} {path}", late=fault.kind == "late")
        committed = self._committed(path) if reply is not None and reply.status < 300 else {}
        return _failure(fault, committed)

    def _committed(self, path: str) -> dict[str, Any]:
        """What a service that keeps count tells of a write that it saved and yet failed to answer."""
        made: list[str] = getattr(self.emulator, "last_created", [])
        if not made:
            return {}
        if path.partition("?")[0].endswith("/children"):
            return {"retry_guidance": "do_not_retry", "committed_child_ids": made}
        return {"retry_guidance": "do_not_retry", "committed_resource_id": made[0]}


def _failure(fault: Fault, committed: Mapping[str, Any]) -> Reply:
    """A gateway speaks HTML, the service itself JSON."""
    if fault.status not in _CODES:
        return Reply(fault.status, {"Content-Type": "text/html", **fault.headers}, b"<html>Bad gateway</html>")
    code = _CODES[fault.status]
    said = {"object": "error", "status": fault.status, "code": code, "message": code.replace("_", " ").capitalize()}
    told = {**said, "additional_data": committed} if fault.status == 503 and committed else said
    return Reply(fault.status, {"Content-Type": "application/json", **fault.headers}, json.dumps(told).encode())
