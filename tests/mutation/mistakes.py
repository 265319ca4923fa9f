"""Small mistakes that can be made in a source file: a comparison, condition, number or sign changed, a statement gone."""

import ast
import copy
import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

ROOT = Path(__file__).parents[2]
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
class Mistake:
    """One mistake: in which function and statement (by its line), what; `choice` of those possible at the node `number`."""

    file: str
    function: str
    line: int
    anywhere: bool  # outside of functions: whatever runs the file runs it
    what: str
    key: str  # the same as long as the function is
    number: int
    choice: int

    def tree(self) -> ast.Module:
        """The whole file with the mistake."""
        tree = parsed(self.file)
        _changes(_nth(tree, self.number))[self.choice]()
        return tree


def parsed(file: str) -> ast.Module:
    return ast.parse((ROOT / file).read_text(encoding="utf-8"), file)


def watched(tree: ast.Module) -> ast.Module:
    """The same file, in which each statement of a function first tells its line to `_ran`."""
    for node in ast.walk(tree):
        for name in ("body", "orelse", "finalbody"):
            statements = getattr(node, name, None)
            if isinstance(statements, list) and not isinstance(node, ast.Module | ast.ClassDef):
                setattr(node, name, [part for s in statements for part in (ast.parse(f"_ran({s.lineno})").body[0], s)])
    return tree


def mistakes(file: str) -> Iterator[Mistake]:
    """Every mistake that can be made in a file, each once; `what` and `function` together are a name for it."""
    tree, seen, keys = parsed(file), Counter[tuple[str, str]](), set[str]()
    spared = _spared(tree)
    holders = _holders(tree)
    for number, node in enumerate(ast.walk(tree)):
        for choice in range(0 if id(node) in spared else len(_changes(node))):
            holder, statement, name = holders[id(node)]
            what, text = _told(node, choice, holder)
            key = hashlib.sha256(f"{file} {name} {text}".encode()).hexdigest()[:16]
            if key in keys:
                continue
            keys.add(key)
            seen[name, what] += 1
            what += f" ({seen[name, what]})" if seen[name, what] > 1 else ""
            first = statement.body[0] if isinstance(statement, ast.FunctionDef) else statement
            yield Mistake(file, name, first.lineno, not isinstance(holder, ast.FunctionDef), what, key, number, choice)


def _spared(tree: ast.Module) -> set[int]:
    """Decorators, where `slots=False` is no mistake, and types."""
    found: list[ast.AST] = []
    for node in ast.walk(tree):
        types = getattr(node, "annotation", None), getattr(node, "returns", None)
        found += [*getattr(node, "decorator_list", []), *(part for part in types if part is not None)]
    return {id(part) for spared in found for part in ast.walk(spared)}


def _holders(tree: ast.Module) -> dict[int, tuple[ast.stmt, ast.stmt, str]]:
    """For each node the outermost function (or statement) and the innermost simple statement that it stands in."""
    found: dict[int, tuple[ast.stmt, ast.stmt, str]] = {}

    def visit(node: ast.AST, holder: ast.stmt | None, statement: ast.stmt | None, name: str) -> None:
        if isinstance(node, ast.stmt):
            statement = node
            if isinstance(node, ast.ClassDef):
                name = f"{name}{node.name}."
            elif holder is None:
                holder, name = node, name + node.name if isinstance(node, ast.FunctionDef) else name.rstrip(".")
        if statement is not None:
            found[id(node)] = holder or statement, statement, name
        for child in ast.iter_child_nodes(node):
            visit(child, holder, statement, name)

    visit(tree, None, None, "")
    return found


def _nth(tree: ast.AST, number: int) -> ast.AST:
    return next(node for index, node in enumerate(ast.walk(tree)) if index == number)


def _told(node: ast.AST, choice: int, holder: ast.stmt) -> tuple[str, str]:
    """The mistake in words, and the text of its function with it."""
    number = next(index for index, part in enumerate(ast.walk(holder)) if part is node)
    changed = copy.deepcopy(holder)
    target = _nth(changed, number)
    before = ast.unparse(target).splitlines()
    _changes(target)[choice]()
    after = ast.unparse(target).splitlines()
    first = next((i for i, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), 0)
    return f"{before[first].strip()}  ->  {after[first].strip()}", ast.unparse(changed)


def _changes(node: ast.AST) -> list[Callable[[], object]]:
    """What can be done to one node, as functions that do it."""
    match node:
        case ast.Compare(ops=[sign]) if type(sign) in COMPARED:
            return [lambda: node.ops.__setitem__(0, COMPARED[type(sign)]())]
        case ast.BoolOp(op=op):
            return [lambda: setattr(node, "op", ast.Or() if isinstance(op, ast.And) else ast.And())]
        case ast.BinOp(op=op, left=left) if type(op) in SIGNED and not _is_type(left):
            return [lambda: setattr(node, "op", SIGNED[type(op)]())]
        case ast.IfExp(test=test):
            return _negated(partial(setattr, node, "test"), test)
        case ast.comprehension(ifs=ifs):
            return [change for i, test in enumerate(ifs) for change in _negated(partial(ifs.__setitem__, i), test)]
        case ast.Constant(value=bool() as value):
            return [lambda: setattr(node, "value", not value)]
        case ast.Constant(value=int() as value):
            return [lambda: setattr(node, "value", value + 1)]
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return [lambda: setattr(node, "operand", ast.UnaryOp(ast.Not(), operand))]
        case ast.If(test=test):
            return [*_negated(partial(setattr, node, "test"), test), *_left_out(node.body), *_left_out(node.orelse)]
        case ast.FunctionDef(body=body) | ast.For(body=body) | ast.With(body=body) | ast.match_case(body=body):
            return _left_out(body)
    return []


def _negated(put: Callable[[ast.expr], object], test: ast.expr) -> list[Callable[[], object]]:
    """The condition turned round, where no other mistake does the same."""
    turned = isinstance(test, ast.UnaryOp) or (
        isinstance(test, ast.Compare)
        and isinstance(test.ops[0], ast.Eq | ast.NotEq | ast.In | ast.NotIn | ast.Is | ast.IsNot)
    )
    return [] if turned else [partial(put, ast.UnaryOp(ast.Not(), test))]


def _is_type(node: ast.expr) -> bool:
    """One part of `Stale | Held`, which says no value."""
    return (isinstance(node, ast.Name) and node.id[0].isupper()) or (isinstance(node, ast.BinOp) and _is_type(node.left))


def _left_out(body: list[ast.stmt]) -> list[Callable[[], object]]:
    places = [i for i, s in enumerate(body) if isinstance(s, ast.Expr | ast.AugAssign | ast.Continue) and not _is_text(s)]
    return [partial(body.__setitem__, i, ast.copy_location(ast.Pass(), body[i])) for i in places]


def _is_text(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
