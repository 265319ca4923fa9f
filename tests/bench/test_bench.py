"""`make bench` measures its own side as it should: the workload is what it says, requests are counted, misses are told."""

import re
import sys
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

from bench import environments, postmortem
from bench.__main__ import count_steps
from bench.answers import ASKED, Took, answers
from bench.double import Double, Spent
from bench.environments import PEERS, NotInstalled, interpreter, pins
from bench.process import Process
from bench.report import OURS, Measured, bars, text
from bench.tools.ours import Ours
from mapping.confluence_storage import parse, project, render
from mapping.markdown import from_markdown
from mapping.notion_plan import forest
from mapping.notion_text import Accounts


def spent(reads: int, **writes: int) -> Spent:
    return Spent(Counter({"GET /x": reads}), Counter({name.replace("_", " "): n for name, n in writes.items()}))


def test_the_workload_is_what_the_report_says_it_is() -> None:
    whole = postmortem.markdown()
    blocks = from_markdown(whole)
    kinds = Counter(block.kind for block in blocks)
    assert 28_000 < len(whole.encode()) < 32_000
    assert (kinds["task"], kinds["table"], kinds["code"] > 0, kinds["number"] > 0) == (20, 1, True, True)
    assert len(forest(blocks, Accounts())) == 150
    for change in (postmortem.CHANGED_PARAGRAPH, postmortem.CHANGED_CELL):
        changed = from_markdown(postmortem.edited(whole, change))
        assert sum(before != after for before, after in zip(blocks, changed, strict=True)) == 1
    with pytest.raises(ValueError, match="0 times"):
        postmortem.edited("another text", postmortem.CHANGED_CELL)


def test_our_conversions_lose_nothing_of_it() -> None:
    blocks = from_markdown(postmortem.markdown(salt=" 1"))
    assert parse(render(blocks)).blocks == project(blocks)
    assert set(Ours().conversions()) == {"to_storage", "from_storage", "to_blocks"}


@pytest.mark.parametrize("service", ["confluence", "data center", "notion"])
def test_our_side_of_the_bench_keeps_what_it_promises(service: str, tmp_path: Path) -> None:
    measured = Measured(many=3)
    with Double() as double, Process("ours", Path(sys.executable), tmp_path / "log") as worker:
        count_steps(measured, double, worker, service, OURS)
    assert measured.notes == [] and [bar for bar in bars(measured) if bar.holds is False] == []
    assert len([bar for bar in bars(measured) if bar.holds]) == 5
    assert measured.requests[service][OURS]["many again"].requests > 0


def test_the_double_tells_reads_from_writes_and_hides_ids() -> None:
    with Double() as double:
        counting = double.services["confluence"]
        counting.handle("GET", "/api/v2/pages/163841?body-format=storage", {}, b"")
        counting.handle("PUT", "/api/v2/pages/163841", {}, b"")
        double.services["notion"].handle("POST", f"/v1/data_sources/{double.places['notion']['data_source']}/query", {}, b"")
        assert counting.take() == Spent(Counter({"GET /api/v2/pages/ID": 1}), Counter({"PUT /api/v2/pages/ID": 1}))
        assert double.services["notion"].take().reads == {"POST /v1/data_sources/ID/query": 1}
        assert counting.take().requests == 0
        before = double.now()
        double.ahead += timedelta(hours=1)
        assert double.now() - before > timedelta(minutes=59)


def test_a_missed_promise_is_told() -> None:
    measured = Measured(rates={"to_storage": {OURS: [40.0, 60.0, 50.0], "md2conf": [10.0, 10.0, 20.0]}}, many=9)
    measured.requests["confluence"] = {OURS: {"paragraph": spent(3, PUT_a=1, PUT_b=1), "many again": spent(11)}}
    missed = {bar.what for bar in bars(measured) if bar.holds is False}
    assert missed == {
        "Markdown to storage at least 5 times md2conf",
        "Confluence: 1 paragraph is 1 write of the page",
        "Confluence: 9 unchanged pages are at most 10 requests",
    }
    shown = text(measured)
    assert re.search(r"md2conf .* 4\.0 ", shown)
    assert re.search(r"\| syncd +\| - +\| - +\| 3 \+ 2 +\| - +\| 11 \+ 0 +\|", shown)


def test_the_servers_answers_are_timed_over_a_store_that_was_filled(tmp_path: Path) -> None:
    measured = Measured(incidents=60, answers=answers(tmp_path, 60, 2))
    assert set(measured.answers) == set(ASKED) and all(len(took) == 2 for took in measured.answers.values())
    shown = text(measured)
    assert "with 60 incidents and 600 follow-ups" in shown and "| overview, searched " in shown
    measured.answers = {"insights": [Took(130.0, 120.0)] * 3, "overview": [Took(140.0, 90.0)]}
    (bar,) = (bar for bar in bars(measured) if "answer" in bar.what)
    assert (bar.measured, bar.holds) == ("120 ms (insights)", False)


def test_every_peer_is_pinned_with_a_reason() -> None:
    assert sorted(pins()) == sorted(peer.package for peer in PEERS)
    for line in environments.REQUIREMENTS.read_text(encoding="utf-8").splitlines():
        assert line.startswith("#") or re.fullmatch(r"[a-z0-9-]+==[\d.]+ +# .{20,}", line)


def test_a_peer_that_cannot_be_installed_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr(environments, "FOLDER", tmp_path / "file")
    with pytest.raises(NotInstalled, match=r"^md2cf is left out: no environment could be made for it"):
        interpreter(next(peer for peer in PEERS if peer.name == "md2cf"))


def test_a_tool_that_fails_or_hangs_is_an_answer_too(tmp_path: Path) -> None:
    with Process("ours", Path(sys.executable), tmp_path / "log") as worker:
        assert "rate" in worker.ask(60, do="rate", what="to_blocks", texts=["# x"], seconds=0.01)
        assert "KeyError" in worker.ask(60, do="step", name="no such step", many=1, ahead=0)["error"]
        assert "no answer" in worker.ask(0.2, do="rate", what="to_blocks", texts=["# x"], seconds=60)["error"]
        assert "no answer" in worker.ask(1, do="rate", what="to_blocks", texts=["# x"], seconds=0.01)["error"]
