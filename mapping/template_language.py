"""The language of post-mortem templates: Jinja2 without what could run away, strict about unknown names.

A template may insert, filter, choose (`if`) and repeat (`for`, two deep). Assignments, macros, ranges and arithmetic that
multiplies are refused when the template is read, so the cost of rendering is bounded by the template and the incident and
needs neither a clock nor a child process. What the names stand for is `template_values.py`; files are `template.py`.
"""

import difflib
from collections.abc import Callable, Iterable, Mapping
from datetime import tzinfo
from traceback import walk_tb
from typing import Any

from jinja2 import Environment, StrictUndefined, TemplateSyntaxError, nodes
from jinja2.exceptions import SecurityError, UndefinedError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from mapping.template_values import INCIDENT, MarkdownText, UnknownName, Unset, View, filters_for

OUTPUT_LIMIT = 200_000  # bytes of one rendered section
LOOP_DEPTH = 2
NAMES = ("incident", "loop")
METHODS = ("items", "keys", "values", "get")
LIBRARY_FILTERS = (
    *("capitalize", "count", "first", "int", "last", "length", "list", "lower", "map", "rejectattr", "reverse"),
    *("selectattr", "sort", "title", "trim", "truncate", "unique", "upper"),
)
OWN_FILTERS = ("date", "default", "duration", "join", "people", "person", "time")
TEXT = "<template>"  # as which Jinja names a template that is no file
_ALLOWED = (
    *(nodes.Template, nodes.Output, nodes.TemplateData, nodes.If, nodes.For, nodes.Name, nodes.Const, nodes.List),
    *(nodes.Tuple, nodes.Filter, nodes.Test, nodes.Getattr, nodes.Getitem, nodes.Slice, nodes.Compare, nodes.Operand),
    *(nodes.And, nodes.Or, nodes.Not, nodes.Neg, nodes.Concat, nodes.Add, nodes.Sub, nodes.CondExpr, nodes.Call),
    nodes.Keyword,
)
_SAID = {
    nodes.Assign: "set",
    nodes.AssignBlock: "set",
    nodes.With: "with",
    nodes.Macro: "macro",
    nodes.CallBlock: "call",
    nodes.Include: "include",
    nodes.Import: "import",
    nodes.FromImport: "import",
    nodes.Extends: "extends",
    nodes.Block: "block",
    nodes.FilterBlock: "filter",
    nodes.Mul: "*",
    nodes.Pow: "**",
    nodes.Mod: "%",
    nodes.Div: "/",
}


class LanguageError(ValueError):
    """The text of a template cannot be used, or not with this incident; one sentence without the file and section."""


def meant(name: str, known: Iterable[str]) -> str:
    """`, did you mean 'lead'?` when a known name is near, else nothing."""
    nearest = difflib.get_close_matches(name, list(known), n=1)
    return f", did you mean '{nearest[0]}'?" if nearest else ""


class _Sandbox(ImmutableSandboxedEnvironment):
    """Attributes of our views are looked up by `View.get`, so that a wrong one is an error and an empty one is not."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        if isinstance(obj, View | Unset):
            return obj.get(attribute)
        return super().getattr(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        if isinstance(obj, View | Unset) and isinstance(argument, str):
            return obj.get(argument)
        return super().getitem(obj, argument)


def environment(zone: tzinfo, finish: Callable[[object], str]) -> Environment:
    """A sandbox whose `time` and `date` speak `zone` and whose values pass through `finish` on their way out."""
    sandbox = _Sandbox(
        undefined=StrictUndefined, finalize=finish, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )
    sandbox.filters = {name: sandbox.filters[name] for name in LIBRARY_FILTERS} | filters_for(zone)
    sandbox.globals = {}
    return sandbox


# --- reading: what is refused ---------------------------------------------------------------------------------------


def check(text: str) -> None:
    """Raise LanguageError for a template text that could never be rendered or that asks for too much."""
    try:
        tree = Environment(autoescape=False).parse(text)
    except TemplateSyntaxError as error:
        raise LanguageError(f"line {error.lineno}: {error.message}") from error
    except RecursionError as error:
        raise LanguageError("the template is nested too deeply") from error
    _check_node(tree, frozenset(NAMES), 0)


def _check_node(node: nodes.Node, names: frozenset[str], depth: int) -> None:
    if not isinstance(node, _ALLOWED):
        what = _SAID.get(type(node), type(node).__name__.lower())
        raise _refusal(node, f"'{what}' is not available in templates")
    if isinstance(node, nodes.For):
        depth, names = depth + 1, names | {name.name for name in node.find_all(nodes.Name) if name.ctx == "store"}
        if depth > LOOP_DEPTH or node.recursive:
            raise _refusal(node, f"loops may be nested {LOOP_DEPTH} deep at most")
    _check_names(node, names)
    for child in node.iter_child_nodes():
        _check_node(child, names, depth)


def _check_names(node: nodes.Node, names: frozenset[str]) -> None:
    match node:
        case nodes.Name(name=name, ctx="load") if name not in names:
            raise _refusal(node, f"unknown name '{name}'{meant(name, names - {'loop'})}")
        case nodes.Getattr(node=nodes.Name(name="incident"), attr=attr) if attr not in INCIDENT:
            raise _refusal(node, f"unknown name 'incident.{attr}'{meant(attr, INCIDENT)}")
        case nodes.Filter(name=name) if name not in LIBRARY_FILTERS + OWN_FILTERS:
            raise _refusal(node, f"unknown filter '{name}'{meant(name, LIBRARY_FILTERS + OWN_FILTERS)}")
        case nodes.Call(node=called) if not (isinstance(called, nodes.Getattr) and called.attr in METHODS):
            raise _refusal(node, "only .items(), .keys(), .values() and .get() can be called")


def _refusal(node: nodes.Node, reason: str) -> LanguageError:
    return LanguageError(f"line {node.lineno}: {reason}")


# --- rendering ------------------------------------------------------------------------------------------------------


def render(text: str, values: Mapping[str, object], sandbox: Environment) -> str:
    """The text with its values; LanguageError names what is unknown, or says that it grew over OUTPUT_LIMIT."""
    check(text)
    try:
        return _bounded(sandbox.from_string(text).generate(**values))
    except UnknownName as error:
        raise LanguageError(f"{_line(error)}unknown name '{error.path}'{meant(error.name, error.known)}") from error
    except (UndefinedError, SecurityError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError) as error:
        raise error if isinstance(error, LanguageError) else LanguageError(f"{_line(error)}{error}") from error


def _line(error: Exception) -> str:
    """`line 3: `, which Jinja leaves in the traceback, where it did."""
    frames = [(code.co_filename, line) for frame, line in walk_tb(error.__traceback__) if (code := frame.f_code)]
    lines = [line for name, line in frames if name == TEXT]
    return f"line {lines[-1]}: " if lines else ""


def _bounded(parts: Iterable[str]) -> str:
    kept, size = [], 0
    for part in parts:
        size += len(part.encode(errors="replace"))
        if size > OUTPUT_LIMIT:
            raise LanguageError(f"the rendered text is over {OUTPUT_LIMIT // 1000} kB")
        kept.append(part)
    return "".join(kept)


# --- what leaves a template -----------------------------------------------------------------------------------------


def as_markdown(value: object) -> str:
    """A value as Markdown that reads back as its text: names never become emphasis, links or HTML."""
    return value if isinstance(value, MarkdownText) else MarkdownText.escaped(said(value))


def as_title(value: object) -> str:
    """A value as plain text; what is not set leaves nothing."""
    return "" if isinstance(value, Unset) else said(value)


def said(value: object) -> str:
    """A value as people read it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    try:
        return str(value)
    except UndefinedError as error:
        if "inline if" in str(error):  # `x if y` without an else says nothing when y is false
            return ""
        raise
