"""A timeline event as one line of a list, as people write them: `10:05 restarted`, `2026-11-02 10:05: restarted`,
`**10:05** — restarted`, and in lists of key events `Resolved 2026-11-02 11:30`.

A line has no place for a description; its key stands at its end. Events as rows of a table are in `rows.py`.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime

from mapping.document import Block, Span, Spans, merged_spans, plain, text_spans
from mapping.incident import TimelineEvent
from mapping.rows import Vocabulary, cut_key, key_span, slice_spans
from mapping.times import show_time

_ZONE = r"(?:\s*(?:UTC|GMT|BST|CES?T|EES?T|[ECMP][SD]T|Z)\b)?"
_CLOCK = r"(?:\d{1,2}:\d{2}(?::\d{2})?|\d{2}\.\d{2})(?:\s*[AaPp]\.?[Mm]\b\.?)?" + _ZONE
_MOMENT = rf"(?P<at>(?<![\d-])(?P<day>\d{{4}}-\d\d-\d\d)?(?(day)[T,\s]+)~?{_CLOCK})(?!\d|:\d|%)"
LEADS = re.compile(rf"^[\[(]?{_MOMENT}[\])]?(?:\s*[:–—|-]\s*|\s+)(?P<title>(?!~?\d{{1,2}}[:.]\d\d)\S.*)$", re.DOTALL)
TRAILS = re.compile(rf"^(?P<title>\S.*?)\s*:?\s+(?:at\s+|on\s+)?{_MOMENT}$", re.DOTALL)


@dataclass(frozen=True, slots=True)
class EventLine:
    """A line taken apart: the raw time and where it stands, the title and where, the key it shows. `dated`: the time has a
    day of its own."""

    at: str
    title: str
    key: str
    dated: bool
    time_span: tuple[int, int]
    title_span: tuple[int, int]


def read_event_line(block: Block, keys: Collection[str] = ()) -> EventLine | None:
    """The event that a line tells, None where it tells none: a time first, or last and with its day."""
    key, text = cut_key(plain(block.spans), keys)
    text = text.rstrip()
    found = LEADS.match(text)
    if found is None:
        found = TRAILS.match(text)
        if found is None or not found["day"]:
            return None
    title = " ".join(found["title"].split())
    return EventLine(found["at"], title, key, bool(found["day"]), found.span("at"), found.span("title"))


def write_event_line(
    block: Block, line: EventLine, event: TimelineEvent, changed: Collection[str], words: Vocabulary
) -> Block:
    """The line with the store's changes; people's marks, links and separators stay where nothing changed."""
    edits = []
    if "at" in changed:
        edits.append((line.time_span, _moment(line, event.at, words)))
    if "title" in changed:
        edits.append((line.title_span, event.title))
    end = len(cut_key(plain(block.spans), (line.key,))[1].rstrip()) if line.key else len(plain(block.spans).rstrip())
    spans = slice_spans(block.spans, 0, end)
    for (start, stop), text in sorted(edits, reverse=True):
        spans = (*slice_spans(spans, 0, start), *_worn(spans, start, text), *slice_spans(spans, stop, len(plain(spans))))
    return replace(block, spans=merged_spans([*spans, Span(" "), key_span(event.key, words)]))


def _worn(spans: Spans, at: int, text: str) -> Spans:
    """New words in the marks of those that stood there."""
    there = slice_spans(spans, at, at + 1)
    return tuple(replace(span, marks=there[0].marks if there else frozenset()) for span in text_spans(text))


def _moment(line: EventLine, at: datetime, words: Vocabulary) -> str:
    """With its day where the line had one; a bare time stays bare."""
    shown = show_time(at, words.zone)
    return shown if line.dated else shown.rpartition(" ")[2]


def render_event_line(event: TimelineEvent, like: Block, words: Vocabulary) -> Block:
    """A new line for a list that has lines `like` this one."""
    spans = (Span(f"{show_time(event.at, words.zone)} — {event.title} "), key_span(event.key, words))
    return Block("bullet" if like.kind == "task" else like.kind, spans, depth=like.depth)
