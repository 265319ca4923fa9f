"""YAML front matter at the top of a Markdown file: single values read and replaced in place, all else untouched.

Comments, order, quoting and keys of other tools stay byte for byte. The body below is `markdown_page.py`.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

import yaml

_END = r"[ \t]*(?:\r\n|\n|\r)"
_FRONT = re.compile(
    rf"\A(?P<open>\ufeff?---{_END})(?P<yaml>(?:.*?(?:\r\n|\n|\r))??)(?P<close>(?:---|\.\.\.)(?:{_END}|[ \t]*\Z))", re.DOTALL
)
_PLAIN = re.compile(r"[A-Za-z](?:[\w /+-]*\w)?")


class FrontMatterError(ValueError):
    """The front matter is not a YAML mapping; `str()` says where it goes wrong."""


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """Everything before the body, byte-order mark and fences included. `spans`: where each value stands in `text`."""

    text: str
    values: Mapping[str, str]
    spans: Mapping[str, tuple[int, int]]
    closes: int
    newline: str

    def with_values(self, values: Mapping[str, str]) -> str:
        """The text with these values: changed in place, or added as the last lines; a new block if there is none."""
        changed = {key: value for key, value in values.items() if self.values.get(key) != value}
        if not changed:
            return self.text
        added = "".join(f"{key}: {_scalar(value)}{self.newline}" for key, value in changed.items() if key not in self.spans)
        if not self.closes:
            return f"{self.text}---{self.newline}{added}---{self.newline * 2}"
        text = self.text[: self.closes] + added + self.text[self.closes :]
        for key in sorted(changed.keys() & self.spans.keys(), key=lambda key: self.spans[key], reverse=True):
            start, end = self.spans[key]
            space = "" if text[start - 1].isspace() else " "
            text = text[:start] + space + _scalar(changed[key]) + text[end:]
        return text


def _scalar(value: str) -> str:
    return value if _PLAIN.fullmatch(value) and yaml.safe_load(value) == value else json.dumps(value, ensure_ascii=False)


def split_front_matter(text: str) -> tuple[FrontMatter, str]:
    """The front matter of a file's text and the body below it. Raises `FrontMatterError`."""
    newline = next(iter(re.findall(r"\r\n|\n|\r", text)), "\n")
    match = _FRONT.match(text)
    if not match:
        mark = "\ufeff" if text.startswith("\ufeff") else ""
        return FrontMatter(mark, {}, {}, 0, newline), text[len(mark) :]
    values, spans = _read(match["yaml"], match.end("open"))
    front = FrontMatter(match[0], values, spans, match.start("close"), newline)
    return front, text[match.end() :]


def _read(text: str, offset: int) -> tuple[dict[str, str], dict[str, tuple[int, int]]]:
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 2}" if mark else ""
        raise FrontMatterError(f"the front matter{where} is not YAML: {getattr(error, 'problem', None) or error}") from error
    if root is not None and not isinstance(root, yaml.MappingNode):
        raise FrontMatterError("the front matter is not a list of `key: value` lines")
    pairs = [(key.value, value) for key, value in (root.value if root else ()) if isinstance(key, yaml.ScalarNode)]
    spans = {key: (value.start_mark.index + offset, value.end_mark.index + offset) for key, value in pairs}
    return {key: value.value for key, value in pairs if isinstance(value, yaml.ScalarNode)}, spans
