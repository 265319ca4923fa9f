"""Worlds for as long as one likes, on all cores: `make simulate HOURS=8`, or MINUTES=5. A report is written all the while.

    python -m tests.simulation.simulate --minutes 5 [--jobs 2] [--first 1000] [--report simulation.txt]

Seeds count upwards from `--first`, so that two runs with the same number try the same worlds. A finding is a story without
what it does not need, with the name that replays it. Exit 1 when there is a finding.
"""

import argparse
import itertools
import multiprocessing
import os
import shutil
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from tests.simulation.invariants import INVARIANTS, Broken
from tests.simulation.machine import drawn, judged, shortest

SHRINKING = 180.0  # seconds for one finding
WRITE_EVERY = 20.0  # seconds between two reports


@dataclass
class Sum:
    """What all worlds came to so far."""

    started: float = field(default_factory=time.monotonic)
    worlds: int = 0
    steps: int = 0
    acts: int = 0
    crashes: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    effects: Counter[str] = field(default_factory=Counter)
    findings: list[str] = field(default_factory=list)

    def add(self, other: "Sum") -> None:
        for name in ("worlds", "steps", "acts", "crashes", "faults", "effects", "findings"):
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def report(self, first: int) -> str:
        minutes = (time.monotonic() - self.started) / 60
        lines = [
            f"Simulated until {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {minutes:.1f} minutes, seeds from {first}.",
            f"worlds    {self.worlds}",
            f"steps     {self.steps}, of them {self.acts} acts of people",
            f"effects   {self.effects.total()}: " + ", ".join(f"{n} {name}" for name, n in self.effects.most_common()),
            f"crashes   {self.crashes}",
            f"faults    {self.faults.total()}",
            *(f"  {count:7} {name}" for name, count in self.faults.most_common()),
            f"findings  {len(self.findings)}",
            *(f"\n{number}. {finding}" for number, finding in enumerate(self.findings, 1)),
            "",
            "Looked for in every world:",
            *(f"  {invariant.__name__.replace('_', ' ')}: {invariant.__doc__}" for invariant in INVARIANTS[:-1]),
        ]
        return "\n".join(lines) + "\n"


def one(seed: int) -> Sum:
    """One world. A failure is made shorter at once."""
    root, story = Path(tempfile.mkdtemp(prefix="world-")), drawn(seed)
    acts = sum(step.kind in ("act", "type", "elsewhere") for _, step in story.steps)
    found = Sum(worlds=1, steps=len(story.steps), acts=acts)
    try:
        life = judged(root / "0", story)
        found.faults, found.crashes, found.effects = life.faults, life.crashes, life.play.world.effects.kinds
    except Broken as broken:
        found.findings.append(shortest(root, story, broken, SHRINKING))
    finally:
        shutil.rmtree(root)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--first", type=int, default=1000)
    parser.add_argument("--report", type=Path, default=Path("simulation.txt"))
    options = parser.parse_args()
    total, written, seeds = Sum(), 0.0, itertools.count(options.first)
    until = time.monotonic() + 60 * options.minutes
    with multiprocessing.get_context("spawn").Pool(options.jobs, maxtasksperchild=100) as pool:
        while time.monotonic() < until:
            for found in pool.imap_unordered(one, itertools.islice(seeds, 4 * options.jobs)):
                total.add(found)
                if found.findings or time.monotonic() > written + WRITE_EVERY:
                    written = time.monotonic()
                    options.report.write_text(total.report(options.first))
    options.report.write_text(total.report(options.first))
    print(total.report(options.first))
    return 1 if total.findings else 0


if __name__ == "__main__":
    sys.exit(main())
