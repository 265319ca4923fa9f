"""Test the tests: small mistakes are put into the files of the decision, one at a time, and the tests must notice.

    make mutants ARGS="--sample 50"          (nothing: every mistake, which takes hours)

A mistake is a changed comparison, condition, number, sign or a statement left out. It is made in a copy of the sources, the
quick tests of the file run first, then the slower ones. Those that no test noticed are listed in `mutants.txt` with their
lines. Exit 1 when less than 95 % were noticed.
"""

import argparse
import ast
import copy
import os
import random
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ENOUGH = 0.95
SECONDS = 300  # for the tests of one mistake: a mistake may loop for ever
QUICK = ("-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--no-header")
SLOW = ["tests/simulation/test_random_worlds.py"]
STORIES = ["tests/simulation/test_both_ways.py", "tests/simulation/test_stories.py", "tests/simulation/test_edges.py"]
FILES: dict[str, list[list[str]]] = {
    "mapping/edits.py": [["tests/unit/test_notion_blocks.py", "tests/unit/test_decision.py"], STORIES[:1]],
    "mapping/merge.py": [["tests/unit/test_merge.py"], ["tests/unit/test_merge_harness.py"], STORIES],
    "syncd/plan.py": [["tests/unit/test_decision.py"], STORIES, SLOW],
    "syncd/reconcile.py": [
        ["tests/simulation/test_brakes.py", "tests/simulation/test_guards.py"],
        [*STORIES, "tests/simulation/test_crashes.py"],
        SLOW,
    ],
}
COMPARED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
SIGNED: dict[type[ast.operator], type[ast.operator]] = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.BitOr: ast.BitAnd}


@dataclass(frozen=True, slots=True)
class Mutant:
    """One mistake: where, what, and the whole file with it."""

    file: str
    line: int
    what: str
    source: str


def mutants(file: str) -> Iterator[Mutant]:
    """Every mistake that can be made in a file."""
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    decorators = [part for node in ast.walk(tree) for part in getattr(node, "decorator_list", [])]
    spared = {id(part) for decorator in decorators for part in ast.walk(decorator)}  # `slots=False` is no mistake
    for number, node in enumerate(ast.walk(tree)):
        for choice in range(0 if id(node) in spared else len(_changes(node))):
            changed = copy.deepcopy(tree)
            target = next(n for i, n in enumerate(ast.walk(changed)) if i == number)
            before = ast.unparse(target)
            _changes(target)[choice]()
            what = f"{before.splitlines()[0][:60]}  ->  {ast.unparse(target).splitlines()[0][:60]}"
            yield Mutant(file, getattr(node, "lineno", 0), what, ast.unparse(changed))


def _changes(node: ast.AST) -> list[Callable[[], object]]:
    """What can be done to one node, as functions that do it."""
    match node:
        case ast.Compare(ops=[sign]) if type(sign) in COMPARED:
            return [lambda: node.ops.__setitem__(0, COMPARED[type(sign)]())]
        case ast.BoolOp(op=op):
            return [lambda: setattr(node, "op", ast.Or() if isinstance(op, ast.And) else ast.And())]
        case ast.BinOp(op=op) if type(op) in SIGNED:
            return [lambda: setattr(node, "op", SIGNED[type(op)]())]
        case ast.If(test=test) | ast.IfExp(test=test):
            return [lambda: setattr(node, "test", ast.UnaryOp(ast.Not(), test))]
        case ast.Constant(value=bool() as value):
            return [lambda: setattr(node, "value", not value)]
        case ast.Constant(value=int() as value):
            return [lambda: setattr(node, "value", value + 1)]
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return [lambda: setattr(node, "operand", ast.UnaryOp(ast.Not(), operand))]
        case ast.FunctionDef(body=body) | ast.For(body=body) | ast.With(body=body):
            calls = [i for i, s in enumerate(body) if isinstance(s, ast.Expr | ast.AugAssign) and not _is_text(s)]
            return [partial(body.__setitem__, i, ast.Pass()) for i in calls]
    return []


def _is_text(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def noticed(mutant: Mutant, copied: Path) -> bool:
    """Does any test of the file fail with this mistake? A test that never ends has noticed too."""
    path = copied / mutant.file
    sound = path.read_text(encoding="utf-8")
    path.write_text(mutant.source, encoding="utf-8")
    try:
        return any(_fails(tests, copied) for tests in FILES[mutant.file])
    finally:
        path.write_text(sound, encoding="utf-8")


def _fails(tests: Sequence[str], copied: Path) -> bool:
    child = os.fork()
    if child == 0:
        os.setpgid(0, 0)
        signal.alarm(SECONDS)
        os.chdir(copied)
        sys.path.insert(0, str(copied))
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.dup2(null, 2)
        os._exit(int(pytest.main([*QUICK, *tests])))
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sample", type=int, default=0, help="so many mistakes of each file, drawn at random")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--file", choices=FILES, action="append", help="only this file")
    parser.add_argument("--report", type=Path, default=Path("mutants.txt"))
    options = parser.parse_args()
    copied = Path(tempfile.mkdtemp(prefix="mutants-"))
    ignored = shutil.ignore_patterns(".venv*", ".git", ".*cache*", ".hypothesis", "__pycache__")
    shutil.copytree(ROOT, copied, dirs_exist_ok=True, ignore=ignored)
    lines: list[str] = []
    killed = total = 0
    for file in options.file or FILES:
        if any(_fails(tests, copied) for tests in FILES[file]):
            print(f"The tests of {file} fail without any mistake; mend that first.", file=sys.stderr)
            return 2
        found = list(mutants(file))
        picked = random.Random(options.seed).sample(found, min(options.sample or len(found), len(found)))
        seen = 0
        for mutant in sorted(picked, key=lambda m: m.line):
            total += 1
            if noticed(mutant, copied):
                seen += 1
            else:
                lines.append(f"{mutant.file}:{mutant.line}  {mutant.what}")
            options.report.write_text("\n".join(lines) + "\n", encoding="utf-8")
        killed += seen
        lines.append(f"{file}: {seen} of {len(picked)} noticed, of {len(found)} possible")
        print(lines[-1], flush=True)
    lines.append(f"all: {killed} of {total} noticed, {killed / max(total, 1):.1%}")
    options.report.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(lines[-1])
    shutil.rmtree(copied)
    return 0 if killed >= ENOUGH * total else 1


if __name__ == "__main__":
    sys.exit(main())
