"""The gate asked of a server, and asked again until it is yes."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from syncd.cli.check import answered
from syncd.errors import Misuse, ProviderDown
from syncd.remote import Busy, server

GATE = {"incident": "INC-1", "answer": "no", "may_close": False, "tasks": [], "unwritten": [], "closed_past_no": None}


class Time:
    def __init__(self) -> None:
        self.now, self.slept = 0.0, list[float]()

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def gate(may_close: bool | None, why: str = "") -> dict[str, Any]:
    tasks = [{"task": "debrief", "done": may_close, "reasons": [{"code": "not_done", "message": why}]}]
    return {**GATE, "answer": {True: "yes", False: "no", None: "unknown"}[may_close], "may_close": may_close, "tasks": tasks}


def asking(*answers: dict[str, Any] | ProviderDown) -> Callable[[], dict[str, Any]]:
    left = list(answers)

    def ask() -> dict[str, Any]:
        answer = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(answer, ProviderDown):
            raise answer
        return answer

    return ask


def test_it_is_asked_again_less_and_less_often_and_told_what_is_waited_for() -> None:
    time, told = Time(), list[str]()
    ask = asking(
        gate(False, "Draft."), gate(False, "Draft."), ProviderDown("Nobody there."), gate(None, "Slow."), gate(True)
    )
    assert answered(ask, 100, time, time.sleep, told.append)["answer"] == "yes"
    assert time.slept == [2, 4, 8, 15]
    assert told == ["no: Draft.", "Nobody there.", "unknown: Slow."]


def test_waiting_ends_in_time_with_the_last_answer() -> None:
    time = Time()
    assert answered(asking(gate(False)), 10, time, time.sleep)["answer"] == "no"
    assert (time.now, time.slept) == (10, [2, 4, 4])
    with pytest.raises(ProviderDown):
        answered(asking(ProviderDown("Nobody there.")), 5, time, time.sleep)


def test_a_server_that_asks_for_patience_gets_it() -> None:
    time = Time()
    answered(asking(Busy("Later.", 7), gate(True)), 60, time, time.sleep)
    assert time.slept == [7]


def served(status: int, body: object = None, **headers: str) -> Callable[[str, str], dict[str, Any]]:
    text = body if isinstance(body, str) else json.dumps(body)
    transport = httpx.MockTransport(lambda request: httpx.Response(status, text=text, headers=headers))
    return server("https://syncd.example.com/", "t", transport)


def test_what_a_server_answers_is_understood() -> None:
    assert served(200, GATE)("INC-1", "") == GATE
    problem = {"code": "not_found", "detail": "There is no incident 'INC-2'."}
    for status, body, kind in (
        (401, {"code": "no_token", "detail": "The token is missing."}, Misuse),
        (404, problem, Misuse),
        (200, "<html>", Misuse),
        (404, "<html>", Misuse),
        (502, "bad gateway", ProviderDown),
        (500, {"detail": "An error of ours."}, ProviderDown),
    ):
        with pytest.raises(kind):
            served(status, body)("INC-1", "")
    with pytest.raises(Busy) as busy:
        served(503, {"detail": "Later."}, **{"Retry-After": "9"})("INC-1", "")
    assert busy.value.seconds == 9


def test_the_token_goes_in_the_head_and_the_reference_into_the_path() -> None:
    asked: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json=GATE)

    server("https://syncd.example.com/base/", "secret", httpx.MockTransport(handle))("INC/1", "24h")
    (request,) = asked
    assert request.url.raw_path.startswith(b"/base/api/v1/incidents/INC%2F1/flow?") and b"secret" not in request.url.raw_path
    assert request.url.params["accept_fresh_within"] == "24h" and request.headers["authorization"] == "Bearer secret"


def test_no_address_is_refused_before_anything_is_asked(tmp_path: Path) -> None:
    for url in ("syncd.example.com", "ftp://example.com", "https://"):
        with pytest.raises(Misuse):
            server(url, "")
