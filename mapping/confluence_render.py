"""Neutral blocks -> Confluence storage markup, and what the blocks read back as (`project`).

Text is written as characters with the XML escapes only, never as named entities. Comment markers and looks are put back
where `confluence_comments.py` finds their words. Which bytes of an existing page stay is `confluence_storage.py`; reading
is `confluence_parse.py`.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import groupby

from mapping.confluence_comments import ATOM, Marked, Piece, comparable, marked_pieces, remarked
from mapping.document import Block, Mark, Span, Spans, image, merged_spans, plain, text_spans
from mapping.pictures import name_of

ACCOUNT = "account:"
USER_KEY = "userkey="  # behind it: Data Center names accounts otherwise than Cloud
COLOURS = ("grey", "red", "yellow", "green", "blue", "purple")
ITEMS = ("bullet", "number", "task")
TAGS: Mapping[str, str] = {"bullet": "ul", "number": "ol", "task": "ac:task-list"}

_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x80-\x9f\ud800-\udfff\ufeff\ufffe\uffff]")
_BLANK = re.compile(r"\s")
_ADDRESS = re.compile(r"[!-~]+")
_UNSETTLED = re.compile(r"\A[ \n]|[ \n]\Z|[ \n] | \n")
_UNEVEN = re.compile(f"[\t\r\u00a0]|  |{_ILLEGAL.pattern}")
_BEHIND_BLANK = re.compile(r"(?<=[ \n]) +")
_BEFORE_BLANK = re.compile(r" +(?=[ \n])")
_LEFT_OVER = {chr(code): bytes([code]).decode("cp1252", "ignore") for code in range(0x80, 0xA0)}
_DESCRIPTION = re.compile(r"\sac:alt\s*=\s*(?:\"[^\"]*\"|'[^']*')")
_BLANKS = re.compile("[ \t\r\u00a0]+")
PANELS: Mapping[str, str] = {"info": "", "tip": "tip", "note": "warning", "warning": "caution"}  # by colour, as alerts
_PANELS = {kind: macro for macro, kind in PANELS.items()}
_MARKS: tuple[tuple[Mark, str], ...] = (
    ("code", "code"),
    ("strike", "s"),
    ("underline", "u"),
    ("italic", "em"),
    ("bold", "strong"),
)


@dataclass(frozen=True, slots=True)
class Payload:
    """The native markup of a kept thing or a picture; `block` when it may not stand inside a paragraph. `text` is what
    describes a picture there."""

    markup: str
    block: bool = False
    text: str = ""


@dataclass(frozen=True, slots=True)
class Shape:
    """How text stood there before: its first paragraph's tag, whether each line had one, whether there was none; the text
    itself, its links, its comment markers and looks, its pictures by address."""

    paragraph: str = "<p>"
    per_line: bool = False
    bare: bool = False
    was: Spans = ()
    anchors: Mapping[str, str] | None = None
    marked: tuple[Marked, ...] = ()
    pictures: Mapping[str, Payload] = field(default_factory=dict)


_NEW = Shape()


@dataclass(frozen=True, slots=True)
class Renderer:
    """What rendering needs from the page: `payloads` by the ref of kept things and the address of pictures, the id of its
    details macro, and comment markers that come from elsewhere by the text that adopts them."""

    payloads: Mapping[str, Payload]
    details_id: str = ""
    adopted: Mapping[Spans, tuple[Marked, ...]] = field(default_factory=dict)

    def block(self, block: Block) -> str:
        """A new block that is neither a list item nor kept by its native."""
        if block.kind == "heading":
            return f"<h{block.level}>{self.inline(block.spans)}</h{block.level}>"
        if block.kind == "code":
            language = f'<ac:parameter ac:name="language">{escaped(block.language)}</ac:parameter>'
            return _macro("code", (language if block.language else "") + code_body(plain(block.spans)))
        if block.kind == "quote":
            return f"<blockquote>{self.flow(block.spans)}</blockquote>"
        if block.kind == "panel":
            return _macro(
                _PANELS.get(block.language, "info"), f"<ac:rich-text-body>{self.flow(block.spans)}</ac:rich-text-body>"
            )
        if block.kind == "divider":
            return "<hr />"
        if block.kind == "table":
            return self._table(block)
        if block.kind == "kept":
            known = self.payloads.get(block.ref)
            return known.markup if known else ""
        if len(block.spans) == 1 and block.spans[0].kind == "image" and self._stands_alone(block.spans[0]):
            return self._picture(block.spans[0], _NEW, "")
        return f"<p>{self.inline(block.spans)}</p>"

    def _table(self, block: Block) -> str:
        details = block.hint == "details"
        rows = "".join(
            self.row(row, ["th"] * len(row.cells) if block.header and not at else _row_tags(row, details))
            for at, row in enumerate(block.rows)
        )
        table = f"<table><tbody>{rows}</tbody></table>"
        if not (details and self.details_id):
            return table
        identity = f'<ac:parameter ac:name="id">{escaped(self.details_id)}</ac:parameter>'
        return _macro("details", f"{identity}<ac:rich-text-body>{table}</ac:rich-text-body>")

    def row(self, row: Block, tags: Sequence[str]) -> str:
        """A new row whose cells wear `tags` (the last one repeats)."""
        named = [(tags[min(at, len(tags) - 1)], cell) for at, cell in enumerate(row.cells)]
        return "<tr>" + "".join(f"<{tag}>{self.flow(cell)}</{tag}>" for tag, cell in named) + "</tr>"

    def item(self, block: Block, nested: str) -> str:
        """A new list item around the lists nested in it."""
        if block.kind != "task":
            return f"<li>{self.flow(block.spans)}{nested}</li>"
        status = f"<ac:task-status>{task_status(block.checked)}</ac:task-status>"
        return f"<ac:task>{status}<ac:task-body>{self.flow(block.spans, Shape(bare=True))}</ac:task-body>{nested}</ac:task>"

    def flow(self, spans: Spans, shape: Shape | None = None) -> str:
        """Text as paragraphs; kept things that are blocks stand between them."""
        shape = shape or _NEW
        if self._is_plain(spans, shape) and not shape.per_line:
            text = self._spans(spans, shape)
            return text if shape.bare else _paragraph(shape.paragraph, text)
        segments = self._segments(self._marked(spans, shape), shape)
        split = shape.per_line or len(segments) > 1
        written: list[str] = []
        opening = shape.paragraph
        for segment in segments:
            if isinstance(segment, str):
                written.append(segment)
                continue
            for line in _lines(segment) if split else [segment]:
                text = self._inline(line, shape)
                written.append(text if shape.bare and not split else _paragraph(opening, text))
                opening = "<p>"
        return "".join(written) or ("" if shape.bare else "<p />")

    def inline(self, spans: Spans, shape: Shape | None = None) -> str:
        """Text within one element."""
        shape = shape or _NEW
        if self._is_plain(spans, shape):
            return self._spans(spans, shape)
        return self._inline(self._marked(spans, shape), shape)

    def _is_plain(self, spans: Spans, shape: Shape) -> bool:
        """Whether nothing stands around the text or between its lines."""
        if shape.marked or (self.adopted and spans in self.adopted):
            return False
        return not self.payloads or all(span.kind not in ("kept", "image") for span in spans)

    def _spans(self, spans: Iterable[Span], shape: Shape) -> str:
        anchors = shape.anchors or {}
        return "".join([_text(span, anchors) if span.kind == "text" else self._thing(span, shape) for span in spans])

    def _marked(self, spans: Spans, shape: Shape) -> list[Piece]:
        """The spans cut where comment markers and looks stand now."""
        return marked_pieces(spans, (*remarked(shape.was, spans, shape.marked), *self.adopted.get(spans, ())))

    def _segments(self, pieces: Sequence[Piece], shape: Shape) -> list[list[Piece] | str]:
        segments: list[list[Piece] | str] = []
        run: list[Piece] = []
        for piece in pieces:
            payload = self._payload(piece.span, shape)
            if payload and payload.block:
                segments += [settled(run), self._thing(piece.span, shape)]
                run = []
            else:
                run.append(piece)
        return [segment for segment in [*segments, settled(run)] if segment]

    def _payload(self, span: Span, shape: Shape) -> Payload | None:
        if span.kind == "image":
            return shape.pictures.get(span.link) or self.payloads.get(span.link)
        return self.payloads.get(span.ref) if span.kind == "kept" else None

    def _stands_alone(self, span: Span) -> bool:
        known = self._payload(span, _NEW)
        return known is None or known.block

    def _inline(self, pieces: Sequence[Piece], shape: Shape, depth: int = 0) -> str:
        """Text with what wraps it from this depth on."""
        written = []
        for wraps, group in groupby(pieces, key=lambda piece: piece.wraps[depth : depth + 1]):
            if wraps:
                written.append(wraps[0].around(self._inline(list(group), shape, depth + 1)))
            else:
                written.append(self._spans([piece.span for piece in group], shape))
        return "".join(written)

    def _thing(self, span: Span, shape: Shape) -> str:
        if span.kind == "mention":
            return _user(span.ref.removeprefix(ACCOUNT))
        if span.kind == "date":
            return f'<time datetime="{escaped(span.ref)}" />'
        if span.kind == "status":
            title = f'<ac:parameter ac:name="title">{escaped(span.text)}</ac:parameter>'
            colour = f'<ac:parameter ac:name="colour">{span.ref.capitalize()}</ac:parameter>'
            return _macro("status", title + ("" if span.ref == "grey" else colour))
        if span.kind == "image":
            return self._picture(span, shape, ' ac:inline="true"')
        known = self._payload(span, shape)
        return known.markup if known else ""

    def _picture(self, span: Span, shape: Shape, place: str) -> str:
        """A picture as it was, but for its description; a new one is by reference."""
        known, opening = self._payload(span, shape), f'<ac:image ac:alt="{escaped(span.text)}"'
        if known is None:
            return f"{opening}{place}>{_source(span.link)}</ac:image>"
        if known.text == span.text:
            return known.markup
        return opening + _DESCRIPTION.sub("", known.markup, count=1).removeprefix("<ac:image")


def _source(address: str) -> str:
    name = name_of(address)
    return f'<ri:attachment ri:filename="{name}" />' if name else f'<ri:url ri:value="{escaped(address)}" />'


def legal(text: str) -> str:
    """Text without characters that the service refuses; what Windows-1252 means by one is what was meant."""
    return _ILLEGAL.sub(lambda found: _LEFT_OVER.get(found[0], ""), text)


def escaped(text: str) -> str:
    """Text for an element or a quoted attribute."""
    text = text if text.isprintable() else legal(text)
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")


def code_text(text: str) -> str:
    """A macro's plain text as it reads back."""
    return legal(text.replace("\r\n", "\n").replace("\r", "\n"))


def code_body(text: str) -> str:
    """A macro's plain text, with what would end it split over two sections."""
    inner = legal(text).replace("]]>", "]]]]><![CDATA[>")
    return f"<ac:plain-text-body><![CDATA[{inner}]]></ac:plain-text-body>"


def task_status(checked: bool) -> str:
    """The word in `ac:task-status`."""
    return "complete" if checked else "incomplete"


def _macro(name: str, content: str) -> str:
    return f'<ac:structured-macro ac:name="{name}" ac:schema-version="1">{content}</ac:structured-macro>'


def _row_tags(row: Block, details: bool) -> list[str]:
    return ["th", "td"] if details and len(row.cells) > 1 else ["td"]


def _paragraph(opening: str, text: str) -> str:
    return f"{opening}{text}</p>" if text else "<p />"


def _user(account: str) -> str:
    if account.startswith(USER_KEY):
        return f'<ac:link><ri:user ri:userkey="{escaped(account.removeprefix(USER_KEY))}" /></ac:link>'
    return f'<ac:link><ri:user ri:account-id="{escaped(account)}" /></ac:link>'


def _text(span: Span, anchors: Mapping[str, str]) -> str:
    text = escaped(span.text)
    if "\n" in text:
        text = text.replace("\n", "<br />")
    for mark, tag in _MARKS if span.marks else ():
        if mark in span.marks:
            text = f"<{tag}>{text}</{tag}>"
    if not span.link:
        return text
    opening = anchors.get(span.link) or f'<a href="{escaped(span.link)}">'
    return f"{opening}{text}</a>"


def _lines(pieces: Sequence[Piece]) -> list[list[Piece]]:
    lines: list[list[Piece]] = [[]]
    for piece in pieces:
        if piece.span.kind != "text":
            lines[-1].append(piece)
            continue
        for at, part in enumerate(piece.span.text.split("\n")):
            if at:
                lines.append([])
            if part:
                lines[-1].append(replace(piece, span=replace(piece.span, text=part)))
    return lines


# --- what reads back --------------------------------------------------------------------------------------------------


def settled(pieces: Iterable[Piece]) -> list[Piece]:
    """Pieces without the blanks that nobody sees: doubled ones, those at line ends, and blank ends of the whole."""
    pieces = list(pieces)
    if _UNSETTLED.search(comparable(piece.span for piece in pieces)):
        texts = _swept([piece.span.text if piece.span.kind == "text" else None for piece in pieces])
        pieces = [
            piece if text is None or text == piece.span.text else Piece(_saying(piece.span, text), piece.wraps)
            for piece, text in zip(pieces, texts, strict=True)
        ]
    return [piece for piece in pieces if piece.span.text or piece.span.kind != "text"]


def is_settled(spans: Sequence[Span]) -> bool:
    """Whether nobody would have to look closer: words alone, which read back as they are. False where one may doubt."""
    before: Span | None = None
    for span in spans:
        if span.kind != "text" or not span.text or (span.link and not _ADDRESS.fullmatch(span.link)):
            return False
        if before and before.marks == span.marks and before.link == span.link:
            return False
        before = span
    text = "".join([span.text for span in spans])
    return is_even(text) and text[:1] != " " != text[-1:]


def _saying(span: Span, text: str) -> Span:
    return Span(text, marks=span.marks, link=span.link)


def _swept(texts: Sequence[str | None]) -> list[str | None]:
    """Texts without blanks behind blanks and line ends, then without those before them; None is a thing."""
    swept: list[str | None] = []
    last = ""
    for text in texts:
        if text is not None:
            text = text.lstrip(" \n" if not last else " " if last in " \n" else "")
            text = _BEHIND_BLANK.sub("", text)
        swept.append(text)
        last = ATOM if text is None else text[-1:] or last
    following = ""
    for at in range(len(swept) - 1, -1, -1):
        text = swept[at]
        if text is not None:
            text = text.rstrip(" \n" if not following else " " if following in " \n" else "")
            swept[at] = text = _BEFORE_BLANK.sub("", text)
        following = ATOM if text is None else text[:1] or following
    return swept


def blanks_collapsed(text: str) -> str:
    """Runs of blanks as one space; line ends stay."""
    if is_even(text):
        return text
    return _BLANKS.sub(" ", legal(text)) if _UNEVEN.search(text) else text


def is_even(text: str) -> bool:
    """Whether text is one line of characters that may stand there, with no blanks but single spaces."""
    return text.isprintable() and "  " not in text


def clean_link(link: str) -> str:
    """A link as an attribute gives it back."""
    return _BLANK.sub("%20", legal(link).strip())


def project(blocks: Iterable[Block]) -> tuple[Block, ...]:
    """What the blocks read back as; natives and hints are dropped, kept blocks never are."""
    return _numbered(nested(block for block in map(projected, blocks) if block is not None))


def _numbered(blocks: Iterable[Block]) -> tuple[Block, ...]:
    """Equal kept things are told apart by their order on the page, `k1`, `k1-2`, `k1-3`."""
    seen: Counter[str] = Counter()

    def told(ref: str) -> str:
        base = ref.partition("-")[0]
        seen[base] += 1
        return base if seen[base] == 1 else f"{base}-{seen[base]}"

    def spans(of: Spans) -> Spans:
        return tuple(replace(span, ref=told(span.ref)) if span.kind == "kept" else span for span in of)

    def block(of: Block) -> Block:
        rows = tuple(replace(row, cells=tuple(spans(cell) for cell in row.cells)) for row in of.rows)
        return replace(of, ref=told(of.ref) if of.kind == "kept" else of.ref, spans=spans(of.spans), rows=rows)

    return tuple(block(of) for of in blocks)


def nested(blocks: Iterable[Block]) -> tuple[Block, ...]:
    """Blocks with list depths that markup can say: one deeper than the item above at most, nothing but tasks in tasks."""
    above: list[str] = []
    settled_blocks = []
    for block in blocks:
        if block.kind not in ITEMS:
            above = []
            settled_blocks.append(block)
            continue
        del above[block.depth :]
        while above and above[-1] == "task" and block.kind != "task":
            above.pop()
        settled_blocks.append(block if block.depth == len(above) else replace(block, depth=len(above)))
        above.append(block.kind)
    return tuple(settled_blocks)


def projected(block: Block) -> Block | None:
    """One block as it reads back, None when nothing of it would be there. Depths are `nested`'s business."""
    spans = projected_spans(block.spans)
    if block.kind in ITEMS:
        checked = block.checked and block.kind == "task"
        return Block(block.kind, spans, depth=block.depth, checked=checked)
    if block.kind == "code":
        return Block(
            "code", text_spans(code_text(plain(block.spans))), language=" ".join(blanks_collapsed(block.language).split())
        )
    if block.kind == "divider":
        return Block("divider")
    if block.kind == "table":
        rows = tuple(Block("row", cells=tuple(map(projected_spans, row.cells))) for row in block.rows if row.cells)
        return Block("table", rows=rows, header=block.header) if rows else None
    if block.kind == "kept":
        return Block("kept", block.spans, ref=block.ref)
    if not spans:
        return None
    if block.kind == "panel":
        return Block("panel", spans, language=block.language if block.language in _PANELS else "")
    return Block(block.kind, spans, level=min(max(block.level, 2), 6) if block.kind == "heading" else 0)


def projected_spans(spans: Spans) -> Spans:
    """Spans as they read back."""
    if is_settled(spans):
        return spans
    shown = [_projected_span(span) for span in spans]
    if _UNSETTLED.search(comparable(shown)):
        shown = [piece.span for piece in settled(map(Piece, shown))]
    return merged_spans(shown)


def _projected_span(span: Span) -> Span:
    if span.kind == "mention" and span.ref.startswith(ACCOUNT):
        return Span("", "mention", ref=span.ref)
    if span.kind == "mention":
        return Span(blanks_collapsed(f"@{span.text}"))
    if span.kind == "date" and is_date(span.ref):
        return Span(span.ref, "date", ref=span.ref)
    if span.kind == "status":
        colour = span.ref if span.ref in COLOURS else "grey"
        return Span(" ".join(blanks_collapsed(span.text).split()), "status", ref=colour)
    if span.kind == "kept":
        return Span(span.text, "kept", ref=span.ref)
    if span.kind == "image" and (shown := image(blanks_collapsed(span.text), span.link)):
        return shown
    if not span.link and not _UNEVEN.search(span.text):
        return span
    return Span(blanks_collapsed(span.text), "text", "", span.marks, clean_link(span.link))


def is_date(text: str) -> bool:
    """Whether the text is a day as `2026-09-24`."""
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
