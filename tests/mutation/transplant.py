"""A changed source file put into a module that is loaded already: whoever holds its functions runs the new ones."""

import ast
import inspect
import sys
from datetime import timedelta
from types import CodeType, FunctionType, ModuleType

PLAIN = (bool, int, float, str, tuple, dict, frozenset, timedelta)


def transplant(module: ModuleType, tree: ast.Module, **more: object) -> int:
    """How many functions and constants are different now. `more` is what the new ones find there by name besides."""
    vars(module).update(more)
    new: dict[str, object] = {"__name__": module.__name__}
    exec(compile(ast.fix_missing_locations(tree), str(module.__file__), "exec"), new)
    return sum(_graft(module, name, getattr(module, name, None), value) for name, value in new.items() if name[:2] != "__")


def _graft(module: ModuleType, name: str, old: object, new: object) -> int:
    if isinstance(old, FunctionType) and isinstance(new, FunctionType) and old.__module__ == module.__name__:
        return _function(old, new)
    if isinstance(old, type) and isinstance(new, type) and new.__module__ == module.__name__:
        return sum(_member(vars(old).get(part), value) for part, value in vars(new).items())
    if isinstance(old, PLAIN) and old != new:
        return _constant(name, old, new)
    return 0


def _member(old: object, new: object) -> int:
    if isinstance(old, property) and isinstance(new, property):
        old, new = old.fget, new.fget
    return _function(old, new) if isinstance(old, FunctionType) and isinstance(new, FunctionType) else 0


def _function(old: FunctionType, new: FunctionType) -> int:
    old, new = inspect.unwrap(old), inspect.unwrap(new)
    before = _essence(old.__code__), repr(old.__defaults__), repr(old.__kwdefaults__)
    changed = before != (_essence(new.__code__), repr(new.__defaults__), repr(new.__kwdefaults__))
    if changed:
        old.__code__, old.__defaults__, old.__kwdefaults__ = new.__code__, new.__defaults__, new.__kwdefaults__
    return int(changed)


def _essence(code: CodeType) -> tuple[object, ...]:
    """What a function does, without where it stands."""
    inner = tuple(_essence(c) if isinstance(c, CodeType) else (type(c), repr(c)) for c in code.co_consts)
    return code.co_code, code.co_names, code.co_varnames, inner


def _constant(name: str, old: object, new: object) -> int:
    for module in list(sys.modules.values()):
        if vars(module).get(name) is old:
            setattr(module, name, new)
    return 1
