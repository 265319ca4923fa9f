"""Measure everybody and print the tables. Exit code 1 when something promised does not hold."""

import argparse
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

from bench import postmortem
from bench.answers import answers
from bench.double import Double
from bench.environments import PEERS, NotInstalled, interpreter, ours
from bench.process import Process
from bench.report import CONVERSIONS, OURS, Measured, bars, text
from bench.worker import STEPS
from mapping.confluence_storage import render
from mapping.markdown import from_markdown

SERVICES = {
    "confluence": (OURS, "md2conf"),
    "data center": (OURS, "md2cf"),
    "notion": (OURS, "notionify", "marknotion", "ultimate_notion"),
}
ANSWERS = 30  # how often each page is asked for
PATIENCE = 3600.0  # seconds that one answer may take
LATER = timedelta(minutes=10)  # between two steps, so that nothing is young any more


def main(arguments: list[str]) -> int:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--pages", type=int, default=1000, help="how many pages the last column is about")
    parser.add_argument("--rounds", type=int, default=7, help="how often each rate is taken")
    parser.add_argument("--seconds", type=float, default=0.5, help="processor time of each rate")
    parser.add_argument("--incidents", type=int, default=10_000, help="how many the server has when its answers are timed")
    parser.add_argument("--rates-only", action="store_true", help="only conversions")
    parser.add_argument("--answers-only", action="store_true", help="only the server's answers")
    asked = parser.parse_args(arguments)
    measured = Measured(many=asked.pages)
    with tempfile.TemporaryDirectory(prefix="syncd-bench-") as folder:
        if not asked.rates_only:
            measured.incidents = asked.incidents
            measured.answers = answers(Path(folder), asked.incidents, ANSWERS)
        if not asked.answers_only:
            pythons = dict(_installed(measured))
            take_rates(measured, pythons, Path(folder), asked.rounds, asked.seconds)
            if not asked.rates_only:
                count_requests(measured, pythons, Path(folder))
    print(text(measured))
    return int(any(bar.holds is False for bar in bars(measured)))


def _installed(measured: Measured) -> Iterator[tuple[str, Path]]:
    yield OURS, ours()
    for peer in PEERS:
        try:
            yield peer.name, interpreter(peer)
        except NotInstalled as error:
            measured.notes.append(f"{error}.")


def _process(tool: str, python: Path, folder: Path) -> Process:
    return Process("ours" if tool == OURS else tool, python, folder / f"{tool}.log")


def take_rates(measured: Measured, pythons: Mapping[str, Path], folder: Path, rounds: int, seconds: float) -> None:
    """Everybody's rates, in turns, so that what slows the machine down slows everybody down."""
    texts = [postmortem.markdown(salt=f" {number}") for number in range(8)]
    given = {"from_storage": [render(from_markdown(text)) for text in texts]}
    with ExitStack() as stack:
        workers = {tool: stack.enter_context(_process(tool, python, folder)) for tool, python in pythons.items()}
        for _ in range(rounds):
            for conversion in CONVERSIONS:
                for tool, worker in workers.items():
                    wanted = given.get(conversion, texts)
                    found = worker.ask(PATIENCE, do="rate", what=conversion, texts=wanted, seconds=seconds)
                    _note_rate(measured, conversion, tool, found)


def _note_rate(measured: Measured, conversion: str, tool: str, found: Mapping[str, object]) -> None:
    rate = found.get("rate")
    if isinstance(rate, float):
        measured.rates.setdefault(conversion, {}).setdefault(tool, []).append(rate)
    elif "error" in found:
        _note(measured, f"{tool} does not convert {CONVERSIONS[conversion]}: {found['error']}")


def count_requests(measured: Measured, pythons: Mapping[str, Path], folder: Path) -> None:
    """What each step of each tool costs, one tool after the other, each on a fresh double."""
    for service, tools in SERVICES.items():
        for tool in tools:
            if tool in pythons:
                with Double() as double, _process(tool, pythons[tool], folder) as worker:
                    count_steps(measured, double, worker, service, tool)


def count_steps(measured: Measured, double: Double, worker: Process, service: str, tool: str) -> None:
    """One tool through all steps on one service."""
    place = double.place(service, tool)
    with tempfile.TemporaryDirectory(prefix=f"syncd-bench-{tool}-") as folder:
        opened = worker.ask(PATIENCE, do="open", place=place, folder=folder)
        spent = measured.requests.setdefault(service, {}).setdefault(tool, {})
        for step in STEPS if not opened else ():
            double.ahead += LATER
            double.services[service].take()
            done = worker.ask(PATIENCE, do="step", name=step, many=measured.many, ahead=double.ahead.total_seconds())
            if not done:
                spent[step] = double.services[service].take()
            elif "error" in done:
                _note(measured, f"{tool} fails in {service.capitalize()} at “{step}”: {done['error']}")
        if "error" in opened:
            _note(measured, f"{tool} cannot publish to {service.capitalize()}: {opened['error']}")


def _note(measured: Measured, note: str) -> None:
    if note not in measured.notes:
        measured.notes.append(note)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
