"""Spans and blocks -> Markdown text.

Text comes back as itself: every run of spans is written the lightest way that reads back equal. Tried in order: few escapes,
all escapes, and HTML tags for marks where delimiters cannot stand (`a<strong> b</strong>`).
Which blocks there are and where lists stand is decided by the callers, `markdown.py` and `markdown_page.py`.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from mapping.document import Block, Mark, Span, Spans, merged_spans, value
from mapping.markdown_parse import parse, tidy

Where = Literal["lines", "heading", "cell"]
Atom = Callable[[Span], str]

_odd = re.compile(r"[!#&*<=>\[\\\]^_`{|}~]").search  # what may be more than a character
_CODE = re.compile(r"[^\s`|\\](?:[^`|\\\n\r\0\xa0]*[^\s`|\\])?")
_ADDRESS = re.compile(r"https?:[A-Za-z0-9/._%?=#-]*")
_EMAIL = re.compile(r"[A-Za-z0-9.+-]+@[A-Za-z0-9.-]+")
_BEGINS = {where: re.compile("[A-Za-z]" if where == "lines" else r"[^\W_]").match for where in ("lines", "heading", "cell")}
_OPENING = frozenset("*~`[")  # with which a mark or an atom begins
_ENDS = ".,;:?)%"
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{1,31}:[^\s<>\\`*]*")
_ENTITY = re.compile(r"&(?=#|\w+;)")
_LIGHT = re.compile(
    r"\\(?=[!-/:-@\[-`{-~\n]|$)|`|\[|<(?=[A-Za-z/!?])|!$"
    r"|\*(?!(?<=\s\*)\s)|_(?!(?<=\w_)\w)"
)
_FULL = re.compile(r"[\\`*_\[\]<>~!#|&]")
_LINE_START = re.compile(  # what would begin a heading, list, quote, underline or table there
    r"^[ \t]*(?:\d{1,9}(?=[.)](?:\s|$))|(?=#{1,6}(?:\s|$)|[-+](?:\s|$)|>|=+[ \t]*$|-+[ \t]*$|[|: \t-]*-[|: \t-]*$))",
    re.MULTILINE,
)
_EDGE_SPACE = re.compile(r"(?:^|(?<=\n))[^\S\n]|[^\S\n](?=\n|$)")
_DELIMITERS = {"bold": "**", "italic": "*", "strike": "~~"}
_SIMPLE: dict[frozenset[Mark], str] = {
    frozenset(): "",
    frozenset({"bold"}): "**",
    frozenset({"italic"}): "*",
    frozenset({"strike"}): "~~",
    frozenset({"code"}): "`",
}
_TAGS = {"bold": "strong", "italic": "em", "strike": "del", "underline": "u"}


def store_atom(span: Span) -> str:
    """Mentions, dates, statuses and kept things as links, pictures as pictures: the store's text loses nothing."""
    if span.kind == "mention":
        scheme = "" if span.ref.startswith("account:") else "mailto:"
        return f"[@{_FULL.sub(_backslash, span.text)}]({_url(scheme + span.ref)})"
    if span.kind == "image":
        return f"![{_FULL.sub(_backslash, span.text)}]({_url(span.link)})"
    return f"[{_FULL.sub(_backslash, span.text)}]({_url(f'{span.kind}:{span.ref}')})"


@dataclass(frozen=True, slots=True)
class _Style:
    escapes: re.Pattern[str]
    tags: bool


_STYLES = (_Style(_LIGHT, tags=False), _Style(_FULL, tags=False), _Style(_FULL, tags=True))


def inline(spans: Spans, where: Where = "lines", atom: Atom = store_atom) -> str:
    """The spans as Markdown that reads back as the same spans. `where` says what surrounds them: in a heading or a cell
    a line break is `<br>`, elsewhere a backslash at the end of the line."""
    simple = _simply(spans, where, atom)
    if simple:
        return simple
    spans = tidy(spans)
    for style in _STYLES:
        text = _written(spans, style, where, store_atom)
        if _read_back(text, where) == spans:
            break
    return _written(spans, style, where, atom)


def _simply(spans: Spans, where: Where, atom: Atom) -> str:
    """The spans in the lightest style where nobody could read that otherwise, so that it need not be read back: plain words,
    and between them marked words, code, links and atoms that touch no word. Empty where one may doubt."""
    pieces: list[str] = []
    words: list[str] = []
    apart = True  # from a word before: a mark may open here
    closed = False  # a mark has just closed here: no word and no other mark may follow at once
    for span in spans:
        text = span.text
        if span.marks or span.link or span.kind != "text":
            text = _simple_piece(span, atom) if apart and not closed else ""
            closed = True
        elif text and not (closed and text[0].isalnum()):
            words.append(text)
            apart, closed = not text[-1].isalnum(), False
        else:
            return ""
        if not text:
            return ""
        pieces.append(text)
    text = "".join(pieces)
    stands = text.isprintable() and not _odd("".join(words)) and (text[:1] in _OPENING or _BEGINS[where](text))
    return text if stands and (closed or not apart or text[-1] in _ENDS) else ""


def _simple_piece(span: Span, atom: Atom) -> str:
    """A span with one mark, one link, or an atom, where its text is plain words; else empty."""
    text, mark = span.text, _SIMPLE.get(span.marks)
    alone = span.kind == "text" and not span.link
    if mark == "`":
        return f"`{text}`" if alone and _CODE.fullmatch(text) else ""
    if mark is None or _odd(text) or not (text[:1].isalnum() and text[-1].isalnum()):
        return ""
    if alone:
        return mark + text + mark
    if span.kind == "mention" and not mark and not span.link:
        return atom(span) if _EMAIL.fullmatch(span.ref) else ""
    simple = span.kind == "text" and not mark and text != span.link and _ADDRESS.fullmatch(span.link)
    return f"[{text}]({span.link})" if simple else ""


def _written(spans: Spans, style: _Style, where: Where, atom: Atom) -> str:
    text = _Run(style, atom, where == "cell").write(spans)
    if style.tags or where != "lines":
        text = text.replace("\\\n", "<br>")
    if where == "heading":
        return re.sub(r"(^|\s)(#+)$", r"\1\\\2", text)
    if where == "cell":
        return text
    return _LINE_START.sub(lambda m: f"{m[0]}\\", text)


def _read_back(text: str, where: Where) -> Spans | None:
    frame = {"lines": text, "heading": f"## {text}", "cell": f"| {text} |\n|---|"}[where]
    nodes = parse(frame).nodes
    if not text or len(nodes) != 1 or nodes[0].kind != {"lines": "Paragraph", "heading": "Heading", "cell": "Table"}[where]:
        return None
    said = nodes if where != "cell" else nodes[0].children[0].children
    return said[0].spans if len(said) == 1 else ()


@dataclass(frozen=True, slots=True)
class _Run:
    """Writes spans in one style: the mark or link that reaches furthest is outermost."""

    style: _Style
    atom: Atom
    cell: bool

    def write(self, spans: Spans, before: str = "", after: str = "") -> str:
        text, index = "", 0
        while index < len(spans):
            wrap, end = _longest(spans, index)
            following = _first_character(spans[end : end + 1]) or after
            outside = text[-1:] or before
            if wrap:
                inner = tuple(_without(span, wrap) for span in spans[index:end])
                text += self._wrapped(wrap, inner, outside, following)
            else:
                text += self._leaf(spans[index])
            index = end
        return text

    def _wrapped(self, wrap: str, inner: Spans, before: str, after: str) -> str:
        if wrap.startswith("link:"):
            return self._linked(inner, wrap.removeprefix("link:"))
        mark = _DELIMITERS.get(wrap, "")
        if mark and not self.style.tags:
            body = self.write(inner, mark[0], mark[0])
            if _stands(before, body[:1], mark) and _stands(after, body[-1:], mark):
                return f"{mark}{body}{mark}"
        return f"<{_TAGS[wrap]}>{self.write(inner, '>', '<')}</{_TAGS[wrap]}>"

    def _linked(self, inner: Spans, url: str) -> str:
        if inner == (Span(url),) and _URL.fullmatch(url) and not self.style.tags and not self.cell:
            return f"<{url}>"
        return f"[{self.write(inner, '[', ']').replace(']', self._bracket(inner))}]({self._cell(_url(url))})"

    def _bracket(self, inner: Spans) -> str:
        # a closing bracket in the text of a link would end it; atoms bring brackets of their own
        plain = all(span.kind == "text" for span in inner) and self.style.escapes is _LIGHT
        return "\\]" if plain else "]"

    def _leaf(self, span: Span) -> str:
        if span.kind != "text":
            return self._cell(self.atom(span))
        if "code" in span.marks and not self.style.tags:
            return self._cell(_code_span(span.text))
        text = self._escaped(span.text)
        return f"<code>{text}</code>" if "code" in span.marks else text

    def _escaped(self, text: str) -> str:
        light = self.style.escapes is _LIGHT
        escaped = self.style.escapes.sub(_backslash, text)
        if light:
            escaped = _ENTITY.sub(_backslash, escaped)
            escaped = escaped.replace("~", "\\~") if escaped.count("~") > 1 else escaped
            escaped = escaped.replace("|", "\\|") if self.cell else escaped
        elif text[:1].isspace() or text[-1:].isspace() or "\n" in text:
            escaped = _EDGE_SPACE.sub(lambda m: f"&#{ord(m[0])};", escaped) if self.style.tags or "\n" in text else escaped
        return escaped.replace("\n", "\\\n")

    def _cell(self, text: str) -> str:
        return re.sub(r"(?<!\\)\|", r"\\|", text) if self.cell else text


def _backslash(match: re.Match[str]) -> str:
    return "\\" + match[0]


def _longest(spans: Spans, index: int) -> tuple[str, int]:
    """The mark or link of the span at `index` that the most following spans share, and where it ends."""
    best, best_end = "", index + 1
    for wrap in _wraps(spans[index]):
        end = index + 1
        while end < len(spans) and wrap in _wraps(spans[end]):
            end += 1
        if not best or end > best_end:
            best, best_end = wrap, end
    return best, best_end


def _wraps(span: Span) -> list[str]:
    marks = [mark for mark in ("strike", "bold", "italic", "underline") if mark in span.marks]
    return ([f"link:{span.link}"] if span.link and span.kind in ("text", "kept") else []) + marks


def _without(span: Span, wrap: str) -> Span:
    return replace(span, link="") if wrap.startswith("link:") else replace(span, marks=span.marks - {wrap})


def _first_character(spans: Spans) -> str:
    if not spans:
        return ""
    return (
        "*"
        if _wraps(spans[0])
        else "`"
        if "code" in spans[0].marks
        else spans[0].text[:1]
        if spans[0].kind == "text"
        else "["
    )


def _stands(outside: str, inside: str, mark: str) -> bool:
    """Whether a delimiter opens or closes between these two characters."""
    if not inside or inside.isspace() or outside == mark[0]:
        return False
    return inside.isalnum() or not outside or not outside.isalnum()


def _url(url: str) -> str:
    escaped = re.sub(r"[\\<>()]|&(?=#|\w+;)", _backslash, url.replace("\n", "%0A").replace("\r", ""))
    return f"<{escaped}>" if not escaped or re.search(r"[\s\x00-\x1f\x7f]", escaped) else escaped


def _code_span(text: str) -> str:
    fence = "`" * (max((len(run) for run in re.findall("`+", text)), default=0) + 1)
    fence = "`" if "`" not in text else fence
    edge = text[:1] == "`" or text[-1:] == "`" or (text[:1] == text[-1:] == " " and text.strip(" "))
    return f"{fence} {text} {fence}" if edge else f"{fence}{text}{fence}"


# --- blocks -----------------------------------------------------------------------------------------------------------


def code_fence(text: str, info: str) -> str:
    """A fenced code block with a fence longer than any inside."""
    longest = max((len(run) for run in re.findall("`{3,}", text)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}{info}\n{text}\n{fence}" if text else f"{fence}{info}\n{fence}"


def quote(spans: Spans, atom: Atom = store_atom) -> str:
    """A block quote; an empty line in the text parts its paragraphs."""
    text = "\n\n".join(inline(part, atom=atom) for part in _paragraphs(tidy(spans)))
    return "\n".join(f"> {line}".rstrip(" ") for line in text.split("\n"))


def _paragraphs(spans: Spans) -> list[Spans]:
    parts: list[list[Span]] = [[]]
    for span in spans:
        pieces = span.text.split("\n\n") if span.kind == "text" else [span.text]
        parts[-1].append(replace(span, text=pieces[0]))
        parts += [[replace(span, text=piece)] for piece in pieces[1:]]
    joined = [merged_spans(part) for part in parts]
    return joined if all(_is_tidy(part) for part in joined) else [spans]


def _is_tidy(part: Spans) -> bool:
    return bool(part) and tidy(part) == part


def table(block: Block, atom: Atom = store_atom) -> str:
    """A GFM table; one without a header gets an empty header row, the form has no other."""
    width = table_width(block)
    head = [row(block.rows[0].cells, width, atom)] if block.header else [row((), width, atom)]
    body = [row(line.cells, width, atom) for line in block.rows[1 if block.header else 0 :]]
    return "\n".join([*head, "|" + "---|" * width, *body])


def table_width(block: Block) -> int:
    """The number of columns."""
    return max((len(line.cells) for line in block.rows), default=0)


def row(cells: Sequence[Spans], width: int, atom: Atom = store_atom) -> str:
    """One table row, filled up to `width` cells."""
    texts = [inline(cell, "cell", atom) for cell in cells] + [""] * (width - len(cells))
    return "| " + " | ".join(texts) + " |"


def lines_of(block: Block, atom: Atom = store_atom) -> str:
    """Any block that is neither a list item nor kept, as lines from the first column."""
    if block.kind == "heading":
        return f"{'#' * max(1, min(block.level, 6))} {inline(block.spans, 'heading', atom)}".rstrip(" ")
    if block.kind == "code":
        return code_fence(block.text, block.language)
    if block.kind == "table":
        return table(block, atom)
    if block.kind == "divider":
        return "***"  # three dashes would also be an underline or the fence of front matter
    return quote(block.spans, atom) if block.kind in ("quote", "panel") else inline(block.spans, atom=atom)


# --- lists ------------------------------------------------------------------------------------------------------------

ITEMS = ("bullet", "number", "task")


@value
class Level:
    """An open list item: the columns of its marker and of its text, its number (0: not numbered), the marker's character."""

    column: int
    content: int
    number: int = 0
    mark: str = "-"


def levels(blocks: Sequence[Block], joins: Callable[[Block], bool]) -> list[int]:
    """How deep each block stands in lists. An item is at most one deeper than the item before it; a block between items that
    `joins` stands inside the list when the next item needs it to."""
    found: list[int] = []
    deepest = 0  # how deep the next item may stand
    for block, following in zip(blocks, _next_items(blocks, joins), strict=True):
        if block.kind in ITEMS:
            found.append(min(block.depth, deepest))
            deepest = found[-1] + 1
        else:
            found.append(min(following.depth, deepest) if following else 0)
            deepest = found[-1] if following else 0
    return found


def _next_items(blocks: Sequence[Block], joins: Callable[[Block], bool]) -> list[Block | None]:
    """For each block the next list item at or behind it, with only blocks between that `joins`."""
    found: list[Block | None] = []
    item: Block | None = None
    for block in reversed(blocks):
        if not joins(block):
            item = block if block.kind in ITEMS else None
        found.append(item)
    return found[::-1]


def item(block: Block, at: Level, atom: Atom = store_atom, pad: str = " ", lead: str | None = None) -> str:
    """A list item without what nests under it. `lead`: the white space before the marker, when it is not plain spaces."""
    marker = f"{at.number}{at.mark}" if at.number else at.mark
    box = f"[{'x' if block.checked else ' '}] " if block.kind == "task" else ""
    text = inline(block.spans, "lines", atom) or "&nbsp;"  # a bare dash would underline the text above it, and hold nothing
    text = text.replace("\n", "\n" + " " * at.content) if "\n" in text else text
    return f"{' ' * at.column if lead is None else lead}{marker}{pad}{box}{text}"


def new_level(block: Block, open_levels: Sequence[Level], level: int) -> Level:
    """Where a new item stands under the open ones; it goes on counting after a numbered neighbour."""
    column = open_levels[level - 1].content if level else 0
    before = open_levels[level] if level < len(open_levels) else None
    if before and column <= before.column < column + 4:
        column = before.column
    if block.kind != "number":
        return Level(column, column + 2, mark=before.mark if before and not before.number else "-")
    number, mark = (before.number + 1, before.mark) if before and before.number else (1, ".")
    return Level(column, column + len(f"{number}{mark}") + 1, number, mark)


def indented(text: str, column: int) -> str:
    """The lines of a block moved to a column."""
    return "\n".join(" " * column + line if line else line for line in text.split("\n")) if column else text


def between(before: Block, after: Block) -> str:
    """What parts two blocks: a line end inside a list, else an empty line."""
    return "\n" if before.kind in ITEMS and after.kind in ITEMS else "\n\n"
