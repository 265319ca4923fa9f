"""What the answers of a Confluence in trouble mean, in both editions: whether a write happened, and when to go on."""

import json
from collections.abc import Mapping

import pytest

from mapping.document import Doc, paragraph
from providers.contract import Done, Observation, Outcome, RateLimited, Rejected, Stale, TitleTaken, Unknown, Unreachable
from providers.sandbox.wire import Emulator, Reply
from tests.contract.test_confluence import EDITIONS, Bench

HTML = b"<html><body>Sign in to the corporate proxy</body></html>"
CONFLICTS = (
    "Version must be incremented on update. Current version is: 7",
    "Version must be incremented when updating a page. Current Version: [7]. Provided version: [7]",
    "Attempted to update stale data. Try again.",
    "The content was being concurrently updated",
    "OptimisticLockException: Batch update returned unexpected row count",
)
ROLLED_BACK = ("OptimisticLockException: Batch update", "Transaction rolled back", "UnexpectedRollbackException")


class Answering:
    """A site that answers the next request with this method as it is told, and does its work or not."""

    def __init__(self, site: Emulator, method: str, reply: Reply, *, works: bool = False) -> None:
        self.site, self.method, self.reply, self.works = site, method, reply, works

    def handle(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        if method != self.method:
            return self.site.handle(method, path, headers, body)
        self.method = ""
        worked = self.site.handle(method, path, headers, body) if self.works else None
        if worked and self.reply.status == 0:
            return Reply(worked.status, {**worked.headers, **self.reply.headers}, worked.body)
        return self.reply


@pytest.fixture(params=EDITIONS)
def bench(request: pytest.FixtureRequest) -> Bench:
    return Bench(edition=request.param)


@pytest.fixture
def page(bench: Bench) -> Observation:
    return bench.create(Doc("INC-1", (paragraph("The queue was full"),)))


def answers(bench: Bench, method: str, status: int, words: str, *, works: bool = False, **headers: str) -> None:
    body = json.dumps({"statusCode": status, "message": words, "errors": [{"status": status, "title": words}]}).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    bench.faulty.emulator = Answering(bench.faulty.emulator, method, Reply(status, named, body), works=works)


def write(bench: Bench, page: Observation) -> Outcome:
    return bench.write(page, paragraph("The queue was empty"))


@pytest.mark.parametrize("words", CONFLICTS)
def test_a_conflict_is_one_in_any_words(bench: Bench, page: Observation, words: str) -> None:
    answers(bench, "PUT", 409, words)
    assert isinstance(write(bench, page), Stale)


@pytest.mark.parametrize("status", [400, 409])
def test_a_taken_title_is_none(bench: Bench, page: Observation, status: int) -> None:
    answers(bench, "PUT", status, "A page with this title already exists: INC-1")
    outcome = write(bench, page)
    assert isinstance(outcome, Rejected) and isinstance(outcome.error, TitleTaken)


@pytest.mark.parametrize("words", ROLLED_BACK)
def test_a_race_inside_the_service_leaves_it_open_whether_it_wrote(bench: Bench, page: Observation, words: str) -> None:
    answers(bench, "PUT", 500, words)
    assert isinstance(write(bench, page), Unknown)


@pytest.mark.parametrize("status", [200, 502, 503, 504])
def test_a_gateways_own_page_leaves_it_open_whether_it_wrote(bench: Bench, page: Observation, status: int) -> None:
    bench.faulty.emulator = Answering(bench.faulty.emulator, "PUT", Reply(status, {"Content-Type": "text/html"}, HTML))
    outcome = write(bench, page)
    assert isinstance(outcome, Unknown) and "<" not in outcome.message


def test_a_proxy_that_answers_for_the_service_is_no_answer(bench: Bench, page: Observation) -> None:
    bench.faulty.emulator = Answering(bench.faulty.emulator, "GET", Reply(200, {"Content-Type": "text/html"}, HTML))
    assert bench.provider.read(bench.place, page.native_id).doc == page.doc, "a read is tried again"


@pytest.mark.parametrize("after", ["7", "Fri, 20 Nov 2026 10:00:07 GMT"])
@pytest.mark.parametrize("status", [0, 503])
def test_whatever_says_wait_is_waited_for(bench: Bench, page: Observation, status: int, after: str) -> None:
    """Beside a success (status 0) as beside a failure, in seconds or as a date."""
    reply = Reply(status, {"Retry-After": after}, b"")
    bench.faulty.emulator = Answering(bench.faulty.emulator, "GET", reply, works=status == 0)
    began = bench.now
    bench.provider.read(bench.place, page.native_id)
    bench.provider.read(bench.place, page.native_id)
    assert (bench.now - began).total_seconds() >= 6.9


def test_half_an_hour_is_not_waited_for_but_said(bench: Bench, page: Observation) -> None:
    answers(bench, "GET", 429, "slow down", Retry_After="1800")
    began = bench.now
    with pytest.raises(RateLimited) as limited:
        bench.provider.read(bench.place, page.native_id)
    assert limited.value.retry_after == pytest.approx(1800, abs=1) and bench.now == began
    sent = len(bench.site.requests)
    outcome = write(bench, page)
    assert isinstance(outcome, Rejected) and isinstance(outcome.error, Unreachable)
    assert len(bench.site.requests) == sent


def test_a_write_that_went_well_and_says_wait_is_a_write_all_the_same(bench: Bench, page: Observation) -> None:
    reply = Reply(0, {"Retry-After": "1800"}, b"")
    bench.faulty.emulator = Answering(bench.faulty.emulator, "PUT", reply, works=True)
    outcome = write(bench, page)
    assert isinstance(outcome, Done) and outcome.seen is None
