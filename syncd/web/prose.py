"""Prose as HTML for our own pages: everything is escaped, and a link only leads to the web or to a mailbox.

Native formats of services are `mapping/`'s; this is only what a browser shows of the store's canonical blocks.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from urllib.parse import urlsplit

from markupsafe import Markup, escape

from mapping.document import ATTACHMENTS, Block, Span, Spans
from mapping.pictures import name_of

SAFE_SCHEMES = ("http", "https", "mailto")
MARK_TAGS = (("bold", "strong"), ("italic", "em"), ("strike", "s"), ("underline", "u"), ("code", "code"))
LIST_TAGS = {"bullet": "ul", "number": "ol", "task": "ul"}


def prose(blocks: Iterable[Block]) -> Markup:
    """Blocks as HTML that is safe to put on a page."""
    parts: list[Markup] = []
    for is_list, group in groupby(blocks, key=lambda block: block.kind in LIST_TAGS):
        run = list(group)
        parts += [_lists(run)] if is_list else [_block(block) for block in run]
    return Markup("\n").join(parts)


def inline(spans: Spans) -> Markup:
    """A run of spans as HTML."""
    return Markup("").join(_span(span) for span in spans)


def safe_link(link: str) -> str:
    """The link where following it cannot run anything here, else empty."""
    try:
        return link if urlsplit(link.strip()).scheme.lower() in SAFE_SCHEMES else ""
    except ValueError:  # not an address at all
        return ""


def _span(span: Span) -> Markup:
    if span.kind == "image" and (name := name_of(span.link)):
        return Markup('<img src="{}" alt="{}" loading="lazy">').format(ATTACHMENTS + name, span.text)
    text = escape(span.text).replace("\n", Markup("<br>"))
    if span.kind not in ("text", "image"):  # pictures of other sites are not loaded here, a link leads there
        return Markup('<span class="atom {}">{}{}</span>').format(span.kind, "@" if span.kind == "mention" else "", text)
    for mark, tag in MARK_TAGS:
        if mark in span.marks:
            text = Markup("<{0}>{1}</{0}>").format(Markup(tag), text)
    link = safe_link(span.link)
    return Markup('<a href="{}" rel="noopener noreferrer" target="_blank">{}</a>').format(link, text) if link else text


def _block(block: Block) -> Markup:
    match block.kind:
        case "heading":
            return Markup("<h{0}>{1}</h{0}>").format(min(max(block.level, 3), 6), inline(block.spans))
        case "code":
            return Markup("<pre><code>{}</code></pre>").format(block.text)
        case "quote":
            return Markup("<blockquote>{}</blockquote>").format(inline(block.spans))
        case "panel":
            return Markup('<aside class="panel">{}</aside>').format(inline(block.spans))
        case "divider":
            return Markup("<hr>")
        case "table":
            return _table(block)
        case "kept":
            return Markup('<p class="kept" title="Kept on the page as it is">{}</p>').format(block.text or "kept")
        case _:
            return Markup("<p>{}</p>").format(inline(block.spans))


def _table(table: Block) -> Markup:
    rows = [_row(row, "th" if table.header and index == 0 else "td") for index, row in enumerate(table.rows)]
    return Markup('<div class="wide"><table>{}</table></div>').format(Markup("").join(rows))


def _row(row: Block, tag: str) -> Markup:
    cells = [Markup("<{0}>{1}</{0}>").format(Markup(tag), inline(cell)) for cell in row.cells]
    return Markup("<tr>{}</tr>").format(Markup("").join(cells))


def _lists(items: Sequence[Block]) -> Markup:
    """Flat items as nested lists; a change of kind on one level begins another list."""
    lists: list[Markup] = []
    for kind, group in groupby(_nested(items), key=lambda item: item[0].kind):
        tag = Markup(LIST_TAGS[kind])
        lines = [_item(block, below) for block, below in group]
        lists.append(Markup('<{0} class="{1}">{2}</{0}>').format(tag, kind, Markup("").join(lines)))
    return Markup("").join(lists)


def _nested(items: Sequence[Block]) -> Iterator[tuple[Block, list[Block]]]:
    """Each item of the outermost level with the deeper items that follow it."""
    outermost = items[0].depth if items else 0
    head, below = None, list[Block]()
    for item in items:
        if head is not None and item.depth > outermost:
            below.append(item)
            continue
        if head is not None:
            yield head, below
        head, below = item, []
    if head is not None:
        yield head, below


def _item(block: Block, below: Sequence[Block]) -> Markup:
    box = Markup("")
    if block.kind == "task":
        box = Markup('<input type="checkbox" disabled aria-label="{}"{}> ').format(
            block.text, Markup(" checked" if block.checked else "")
        )
    return Markup("<li>{}{}{}</li>").format(box, inline(block.spans), _lists(below) if below else "")
