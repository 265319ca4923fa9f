"""Test the tests: small mistakes are put into the files of the decision, one at a time, and the tests must notice.

    make mutants                             (the reconciler takes the longest; ARGS="--sample 20" for a first impression)

First every test runs once, and it is noted which lines of those files it runs. Then each mistake is put into a copy of this
very process (a fork, with everything loaded), and the tests that run its lines are run, those first that noticed a mistake
in the same function before, then the fastest, until one fails or loops without end. What is known is appended to
`mutants.jsonl`, so that a run that was ended goes on; `--again` tries those once more that no test noticed, `--fresh` all.
`mutants.txt` is the report.

`survivors.toml` explains the mistakes that no test can notice. Exit 1 when less than 95 % were noticed, explained or not,
when one that was not noticed is not explained, or when an explained one was noticed.
"""

import argparse
import hashlib
import importlib
import json
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from _pytest.runner import runtestprotocol
from hypothesis import Phase, settings

from tests.mutation.mistakes import ROOT, Mistake, mistakes, parsed, watched
from tests.mutation.transplant import transplant

FILES = ("mapping/edits.py", "mapping/merge.py", "syncd/plan.py", "syncd/reconcile.py")
UNIT = ("test_edits", "test_merge", "test_merge_harness", "test_decision", "test_plan", "test_notion_blocks")
TESTS = [*(f"tests/unit/{name}.py" for name in UNIT), "tests/simulation"]
LONG = "real_post_mortems", "real_incidents", "thousand", "hashes_of_this_process"  # parts of their names; not asked
ENOUGH = 0.95
SLOW = 6.0  # seconds; a slower test is not asked
PATIENCE = 10.0, 10  # seconds for one test of processor time, and how many times what it took without a mistake
EXPLAINED = Path(__file__).with_name("survivors.toml")

Name = tuple[str, str, str]  # file, function, what


@dataclass(frozen=True, slots=True)
class Ran:
    """What a test did without any mistake: processor seconds, and which lines of which file it ran."""

    seconds: float
    lines: dict[str, frozenset[int]]


@dataclass
class Hunt:
    """A pytest plugin that asks the collected tests about mistakes instead of running them."""

    options: argparse.Namespace
    known: dict[str, dict[str, str]]  # by key: the verdict, and the test that noticed
    journal: Path
    kills: dict[tuple[str, str], Counter[str]] = field(default_factory=dict)
    failed: bool = False

    def pytest_collection(self) -> None:
        """The first failing example is enough; nothing is made smaller."""
        steady = settings.get_profile("steady")
        settings.register_profile("mutants", steady, phases=(Phase.explicit, Phase.generate), database=None)
        settings.load_profile("mutants")

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        self.items = {item.nodeid: item for item in session.items}
        self.ran = dict(self._mapped())
        for verdict in self.known.values():
            self._remember(verdict)
        todo = [m for m in picked(self.options) if m.key not in self.known]
        print(f"{len(self.items)} tests, {len(todo)} mistakes to try", flush=True)
        random.Random(self.options.seed).shuffle(todo)  # a run that is ended has tried a fair part
        running: dict[int, tuple[Mistake, int, list[str], Path]] = {}
        while todo or running:
            while todo and len(running) < self.options.jobs:
                mistake = todo.pop(0)
                running.update([self._asked(mistake)])
            pid, status = os.wait()
            self._verdict(*running.pop(pid), status)
        return True

    # --- which test runs which lines ------------------------------------------------------------------------------------

    def _mapped(self) -> Iterator[tuple[str, Ran]]:
        """Made once for these sources."""
        file = Path(tempfile.gettempdir(), f"mutants-{_sources(self.items)}.jsonl")
        if not file.exists():
            partial = file.with_suffix(f".{os.getpid()}")
            pid = _forked(lambda: self._run_all(partial))
            if os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]):
                raise pytest.UsageError(f"A test fails without any mistake; mend that first.\n{partial.read_text()}")
            partial.rename(file)
        for line in file.read_text().splitlines():
            name, seconds, lines = json.loads(line)
            yield name, Ran(seconds, {path: frozenset(numbers) for path, numbers in lines.items()})

    def _run_all(self, file: Path) -> int:
        seen: dict[str, set[int]] = {path: set() for path in FILES}
        for path in FILES:
            assert transplant(_module(path), parsed(path)) == 0  # as it is: nothing but a mistake makes a difference
            transplant(_module(path), watched(parsed(path)), _ran=seen[path].add)
        with file.open("w") as out:
            for name, item in self.items.items():
                before = time.process_time()
                failure = _failure(item)
                lines = {path: sorted(numbers) for path, numbers in seen.items() if numbers}
                out.write(json.dumps([name, time.process_time() - before, lines]) + "\n")
                if failure:
                    file.write_text(f"{name}\n{failure}")
                    return 1
                for numbers in seen.values():
                    numbers.clear()
        return 0

    # --- one mistake ----------------------------------------------------------------------------------------------------

    def _asked(self, mistake: Mistake) -> tuple[int, tuple[Mistake, int, list[str], Path]]:
        tests, (told, tells) = self._tests_of(mistake), os.pipe()
        root = Path(tempfile.mkdtemp(prefix="mutant-"))
        pid = _forked(lambda: self._run(mistake, tests, tells, root))
        os.close(tells)
        return pid, (mistake, told, tests, root)

    def _tests_of(self, mistake: Mistake) -> list[str]:
        """Those that run its lines: first who noticed a mistake nearby, then the fastest, for so many seconds."""
        kills = self.kills.get((mistake.file, mistake.function), Counter())
        able = [name for name, ran in self.ran.items() if ran.seconds < SLOW and _runs(ran.lines.get(mistake.file), mistake)]
        able.sort(key=lambda name: (-kills[name], self.ran[name].seconds))
        spent = 0.0
        tests: list[str] = []
        for name in able:
            spent += self.ran[name].seconds
            if spent > self.options.seconds and len(tests) > 5:
                break
            tests.append(name)
        return tests

    def _run(self, mistake: Mistake, tests: Sequence[str], tells: int, root: Path) -> int:
        os.environ["PYTEST_DEBUG_TEMPROOT"] = tempfile.tempdir = str(root)
        resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
        if not transplant(_module(mistake.file), mistake.tree()):
            return 3
        for number, name in enumerate(tests):
            os.write(tells, number.to_bytes(2, "big"))
            limit = PATIENCE[0] + PATIENCE[1] * self.ran[name].seconds
            signal.setitimer(signal.ITIMER_PROF, limit)  # processor time, so that a busy machine makes no difference
            signal.setitimer(signal.ITIMER_REAL, 20 * limit)
            if _failure(self.items[name]):
                return 1
        return 0

    def _verdict(self, mistake: Mistake, told: int, tests: list[str], root: Path, status: int) -> None:
        code, last = os.waitstatus_to_exitcode(status), os.read(told, 1 << 16)[-2:]
        os.close(told)
        shutil.rmtree(root, ignore_errors=True)
        if code not in (0, 1) and code > 0:
            raise pytest.UsageError(f"This mistake could not be tried: {mistake}")
        verdict = "survived" if code == 0 else "noticed" if code == 1 else "ended"
        by = tests[int.from_bytes(last, "big")] if verdict != "survived" and last else ""
        place = {"file": mistake.file, "function": mistake.function, "what": mistake.what}
        said = {"key": mistake.key, "verdict": verdict, "by": by, **place}
        self.known[mistake.key] = said
        self._remember(said)
        with self.journal.open("a") as out:
            out.write(json.dumps(said) + "\n")
        if verdict == "survived":
            print(f"{mistake.file}:{mistake.line} {mistake.function}: {mistake.what}  ({len(tests)} tests)", flush=True)

    def _remember(self, said: dict[str, str]) -> None:
        self.kills.setdefault((said["file"], said["function"]), Counter())[said["by"]] += 1


def _runs(lines: frozenset[int] | None, mistake: Mistake) -> bool:
    return bool(lines) and (mistake.anywhere or mistake.line in (lines or ()))


def _sources(tests: Iterable[str]) -> str:
    """A name for these tests of the sources as they are."""
    names = sorted(path for top in ("mapping", "providers", "syncd", "tests") for path in (ROOT / top).rglob("*.py"))
    texts = [path.read_bytes() for path in names] + [name.encode() for name in tests]
    return hashlib.sha256(b"".join(texts)).hexdigest()[:12]


def _module(file: str) -> Any:
    return importlib.import_module(file.removesuffix(".py").replace("/", "."))


def _failure(item: pytest.Item) -> str:
    """How it failed, or nothing. Everything that it needs is made for it alone."""
    reports = runtestprotocol(item, nextitem=None, log=False)
    return "\n".join(str(report.longrepr) for report in reports if report.failed)


def _forked(work: Callable[[], int]) -> int:
    """The id of a process that does this, silently, and nothing else."""
    pid = os.fork()
    if pid:
        return pid
    code = 2
    try:
        null = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(null, stream)
        code = work()
    finally:
        os._exit(code)


# --- the sum ------------------------------------------------------------------------------------------------------------


def picked(options: argparse.Namespace) -> list[Mistake]:
    """The mistakes that are asked for."""
    found: list[Mistake] = []
    for file in options.file or FILES:
        all_of_it = [m for m in mistakes(file) if options.function in m.function]
        size = min(options.sample or len(all_of_it), len(all_of_it))
        found += random.Random(options.seed).sample(all_of_it, size) if options.sample else all_of_it
    return found


def explained() -> dict[Name, str]:
    entries = tomllib.loads(EXPLAINED.read_text(encoding="utf-8"))["survivor"]
    return {(entry["file"], entry["function"], entry["what"]): entry["why"] for entry in entries}


def report(options: argparse.Namespace, known: dict[str, dict[str, str]]) -> tuple[str, bool]:
    """The figures and those that were not noticed; whether all is well."""
    why, lines, counts = explained(), [], Counter[tuple[str, str]]()
    bare: list[str] = []
    unneeded: set[Name] = set()
    for mistake in picked(options):
        verdict = known.get(mistake.key, {}).get("verdict", "not tried")
        name: Name = (mistake.file, mistake.function, mistake.what)
        counts[mistake.file, verdict] += 1
        counts["all", verdict] += 1
        if verdict == "survived":
            bare += [] if name in why else [f"{mistake.file}:{mistake.line}  {mistake.function}: {mistake.what}"]
            counts["all", "explained"] += name in why
        elif name in why and verdict != "not tried":
            unneeded.add(name)
    for file in (*(options.file or FILES), "all"):
        noticed, ended, survived, missing = (counts[file, v] for v in ("noticed", "ended", "survived", "not tried"))
        total = noticed + ended + survived
        share = (noticed + ended) / max(total, 1)
        lines.append(
            f"{file:20} {total:5} tried, {noticed + ended} noticed ({ended} by the limit of time or memory), {share:.1%}"
        )
        lines[-1] += f", {missing} not tried" if missing else ""
    lines.append(
        f"not noticed: {counts['all', 'survived']}, of them {counts['all', 'explained']} explained in survivors.toml"
    )
    lines += [f"  not explained: {line}" for line in bare]
    lines += [f"  explained, and yet noticed: {' '.join(name)}" for name in sorted(unneeded)]
    return "\n".join(lines) + "\n", share >= ENOUGH and not bare and not unneeded


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sample", type=int, default=0, help="so many mistakes of each file, drawn at random")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--file", choices=FILES, action="append", help="only this file")
    parser.add_argument("--function", default="", help="only functions with this in their name")
    parser.add_argument("--tests", nargs="+", default=TESTS, help="only these are asked: quick ones first, then --again")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=40.0, help="of processor time that tests may take for one mistake")
    parser.add_argument("--again", action="store_true", help="try those once more that were not noticed")
    parser.add_argument("--fresh", action="store_true", help="forget what is known")
    parser.add_argument("--journal", type=Path, default=Path("mutants.jsonl"))
    parser.add_argument("--report", type=Path, default=Path("mutants.txt"))
    options = parser.parse_args()
    if options.fresh:
        options.journal.unlink(missing_ok=True)
    said = [json.loads(line) for line in options.journal.read_text().splitlines()] if options.journal.exists() else []
    known = {s["key"]: s for s in said if not (options.again and s["verdict"] == "survived")}
    hunt = Hunt(options, known, options.journal)
    quiet = ["-s", "-qq", "-W", "ignore::pytest.PytestAssertRewriteWarning", "-p", "no:cacheprovider", "-p", "no:xdist"]
    code = pytest.main([*quiet, "-k", f"not ({' or '.join(LONG)})", *options.tests], plugins=[hunt])
    text, well = report(options, known)
    options.report.write_text(text)
    print(text)
    return int(code) or int(not well)


if __name__ == "__main__":
    sys.exit(main())
