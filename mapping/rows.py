"""Follow-ups, timeline events and details as rows of a page, and what an edited row means.

Reading gives raw field texts (`read_*`), so that a changed cell is told from an unchanged one without understanding it;
`understood` turns a raw text into the canonical value of `commands.py`, or None. Writing (`write_*`) changes only what the
store changed: a title keeps the marks that people gave it, a line that only lacks its key only gets its key.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, tzinfo

from mapping.document import Block, Span, Spans, merged_spans, plain, text_spans
from mapping.incident import FollowUp, FollowUpStatus, Incident, Person, PostmortemStatus, TimelineEvent
from mapping.markdown import from_markdown, to_markdown
from mapping.times import iso, parse_date, parse_time, show_time

TIMELINE_HEADER = ("Time", "Event", "Details")
CALLED = {  # what people call these columns; the first that fits counts
    "Time": ("time", "when", "timestamp", "date", "date/time", "date and time"),
    "Event": ("event", "what happened", "what", "action", "activity", "description"),
    "Details": ("details", "detail", "notes", "note", "comment", "comments", "remarks"),
}
STATUS_COLOURS = {"in_progress": "blue", "in_review": "yellow", "completed": "green"}
STATUS_WORDS = {
    "in progress": PostmortemStatus.IN_PROGRESS,
    "not started": PostmortemStatus.IN_PROGRESS,
    "in review": PostmortemStatus.IN_REVIEW,
    "completed": PostmortemStatus.COMPLETED,
    "complete": PostmortemStatus.COMPLETED,
    "done": PostmortemStatus.COMPLETED,
}
DUE = re.compile(  # at the end of a line, only people may stand behind it: a title may speak of other dates
    r"[\s,;(–—-]*\bdue:?(?:\s+(?:on|by))?\s*(\x02|\d[\w./-]*(?:\s+[A-Za-z]+\s+\d{4})?)\s*\)?(?=[\s\x01.,;]*(?:@\S.*)?$)",
    re.DOTALL,
)
FIXED_DETAILS = ("reference", "phase")  # ours: put back when people change them


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """A custom field of the configuration: how it is called and what it may hold."""

    label: str = ""
    type: str = "text"  # text | number | select | date
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What words mean on one incident's pages: its zone, the people known, the values allowed."""

    zone: tzinfo
    people: tuple[Person, ...] = ()
    severities: tuple[str, ...] = ()
    fields: Mapping[str, FieldSpec] = field(default_factory=dict)
    public_url: str = ""

    def email(self, name: str) -> str:
        """The e-mail of the one person with this name or e-mail, else empty."""
        wanted = name.strip().removeprefix("@").casefold()
        found = {p.email for p in self.people if p.email and wanted in (p.name.casefold(), p.email)}
        return found.pop() if len(found) == 1 else ""

    def person(self, value: str) -> Person | None:
        """The person whom a canonical value names; None for an empty one."""
        if not value:
            return None
        known = next((p for p in self.people if p.email == value), None)
        return known or (Person(email=value) if "@" in value else Person(name=value))


# --- canonical values ---------------------------------------------------------------------------------------------------


def person_value(person: Person | None) -> str:
    """A person as their e-mail, else their name."""
    return (person.email or person.name) if person else ""


def follow_up_values(follow_up: FollowUp) -> dict[str, str]:
    """The fields of a follow-up that a page shows."""
    return {
        "title": follow_up.title,
        "status": follow_up.status.value,
        "assignee": person_value(follow_up.assignee),
        "due_on": follow_up.due_on.isoformat() if follow_up.due_on else "",
    }


def event_values(event: TimelineEvent) -> dict[str, str]:
    """The fields of an event that a page shows."""
    return {"at": iso(event.at), "title": event.title, "description": event.description}


def details_values(incident: Incident, status: PostmortemStatus) -> dict[str, str]:
    """The details that a page shows, in their order; what has no value has no row."""
    values = {
        "reference": incident.reference,
        "name": incident.name,
        "severity": incident.severity,
        "phase": incident.phase.value.replace("_", " ").capitalize(),
        "lead": person_value(incident.lead),
    }
    values |= {f"role:{role}": person_value(person) for role, person in sorted(incident.roles.items())}
    values |= {f"time:{name}": iso(at) for name, at in sorted(incident.timestamps.items(), key=lambda t: (t[1], t[0]))}
    values |= {f"field:{name}": value for name, value in sorted(incident.custom_fields.items())}
    return {name: value for name, value in values.items() if value} | {"status": status.value}


# --- follow-ups ---------------------------------------------------------------------------------------------------------


def render_follow_up(follow_up: FollowUp, words: Vocabulary) -> Block:
    """A native checkbox: title, assignee, due date, key; struck through when dropped."""
    spans = _line(text_spans(follow_up.title), follow_up, words)
    return Block("task", spans, checked=follow_up.status is FollowUpStatus.DONE)


def _line(title: Spans, follow_up: FollowUp, words: Vocabulary, named: Sequence[Span] = ()) -> Spans:
    """`named`: the mention that stands there, whose account may be known to nobody but the page."""
    spans = list(_struck(title, follow_up.status is FollowUpStatus.DROPPED))
    if follow_up.assignee:
        spans += [Span(" "), *(named or [mention(follow_up.assignee)])]
    if follow_up.due_on:
        day = follow_up.due_on.isoformat()
        spans += [Span(" due "), Span(day, kind="date", ref=day)]
    return merged_spans([*spans, Span(" "), key_span(follow_up.key, words)])


def mention(person: Person) -> Span:
    """A person as an atomic token, or as text where only a name is known."""
    return Span(person.name or person.email, kind="mention", ref=person.email) if person.email else Span(person.name)


def key_span(key: str, words: Vocabulary) -> Span:
    """A key as visible text, linked only where the product has a public address."""
    link = f"{words.public_url.rstrip('/')}/keys/{key}" if words.public_url else ""
    return Span(key, marks=frozenset({"code"}), link=link)


def _struck(spans: Spans, struck: bool) -> Spans:
    return tuple(replace(s, marks=s.marks | {"strike"} if struck else s.marks - {"strike"}) for s in spans)


@dataclass(frozen=True, slots=True)
class Line:
    """A follow-up's line taken apart. `title_spans` keep their marks."""

    fields: Mapping[str, str]
    key: str
    title_spans: Spans


def read_follow_up(block: Block, words: Vocabulary, keys: Collection[str]) -> Line:
    """The raw fields of a task or bullet: title, status, assignee, due_on. `keys` are those that this incident uses."""
    text = "".join({"mention": "\x01", "date": "\x02"}.get(span.kind, span.text) for span in block.spans)
    key, rest = cut_key(text, keys)
    due, rest = _cut_due(rest, [span.ref for span in block.spans if span.kind == "date"])
    assignee, rest = _cut_person(rest, [span for span in block.spans if span.kind == "mention"], words)
    title = " ".join(rest.replace("\x01", " ").replace("\x02", " ").split()).strip(" –—")
    spans = _title_spans(block.spans, title)
    fields = {"title": title, "status": _status(block, spans), "assignee": assignee, "due_on": due}
    return Line(fields, key, spans)


def shown_key(spans: Spans, prefix: str) -> str:
    """A key as we write it at the end of a row, whosever it is; empty where there is none."""
    last = next((span for span in reversed(spans) if span.text.strip()), None)
    written = last is not None and "code" in last.marks and re.fullmatch(rf"{prefix}-[1-9][0-9]*", last.text)
    return last.text if last and written else ""


def cut_key(text: str, keys: Collection[str]) -> tuple[str, str]:
    """The key at the end of a line, where it is one of `keys`, and the line without it."""
    line = text.rstrip(" \t\n\u00a0)]")
    words = line.rsplit(None, 1)
    key = words[-1].lstrip("([") if words else ""
    return (key, line[: len(line) - len(words[-1])]) if key and key in keys else ("", text)


def _cut_due(text: str, dates: Sequence[str]) -> tuple[str, str]:
    found = DUE.search(text)
    if found is None:
        return (dates[0], text) if dates else ("", text)
    raw = dates[0] if found[1] == "\x02" else found[1].rstrip(".,;")
    return raw, text[: found.start()] + " " + text[found.end() :]


def _cut_person(text: str, mentions: Sequence[Span], words: Vocabulary) -> tuple[str, str]:
    if mentions:
        return person_raw(mentions[0]), text
    names = sorted((n for p in words.people for n in (p.name, p.email) if n), key=lambda n: (-len(n), n))
    for name in names:
        found = re.search(rf"(?<!\w)@{re.escape(name)}(?!\w)", text, re.IGNORECASE)
        if found and words.email(name):
            return words.email(name), text[: found.start()] + " " + text[found.end() :]
    return "", text


def person_raw(span: Span) -> str:
    """The canonical value of a mention: its e-mail, else the name it shows."""
    return span.text if span.ref.startswith("account:") else span.ref


def _title_spans(spans: Spans, title: str) -> Spans:
    """The title with its marks where it stands in one piece, else plain."""
    start = plain(spans).find(title)
    cut = slice_spans(spans, start, start + len(title)) if start >= 0 else ()
    whole = plain(cut) == title and all(span.kind in ("text", "kept") for span in cut)
    return cut if whole else text_spans(title)


def slice_spans(spans: Spans, start: int, stop: int) -> Spans:
    """The spans between two character offsets of their plain text; atomic spans only whole."""
    cut: list[Span] = []
    offset = 0
    for span in spans:
        low, high = max(start - offset, 0), min(stop - offset, len(span.text))
        if low < high:
            cut.append(replace(span, text=span.text[low:high]) if span.kind == "text" else span)
        offset += len(span.text)
    return tuple(cut)


def _status(block: Block, title: Spans) -> str:
    if block.checked:
        return FollowUpStatus.DONE.value
    return (FollowUpStatus.DROPPED if _is_struck(title) else FollowUpStatus.OPEN).value


def _is_struck(title: Spans) -> bool:
    return bool(title) and all("strike" in span.marks for span in title if span.text.strip())


def write_follow_up(block: Block, line: Line, follow_up: FollowUp, changed: Collection[str], words: Vocabulary) -> Block:
    """The line with the store's changes; only its key is added when only that is missing."""
    done = follow_up.status is FollowUpStatus.DONE
    if "status" in changed and done and block.kind != "task":
        block = replace(block, kind="task", native="")  # a bullet cannot be ticked
    checked = done if "status" in changed else block.checked
    if line.key in ("", follow_up.key) and not set(changed) - {"status"} and not _restrikes(line, follow_up, changed):
        spans = block.spans if line.key else merged_spans([*block.spans, Span(" "), key_span(follow_up.key, words)])
        return replace(block, checked=checked, spans=spans)
    title = text_spans(follow_up.title) if "title" in changed else line.title_spans
    named = [span for span in block.spans if span.kind == "mention"][:1] if "assignee" not in changed else []
    return replace(block, checked=checked, spans=_line(title, follow_up, words, named))


def _restrikes(line: Line, follow_up: FollowUp, changed: Collection[str]) -> bool:
    return "status" in changed and _is_struck(line.title_spans) != (follow_up.status is FollowUpStatus.DROPPED)


# --- timeline -----------------------------------------------------------------------------------------------------------


def timeline_table(rows: Sequence[Block]) -> Block:
    """The timeline's table with its header row."""
    header = Block("row", cells=tuple(text_spans(title) for title in TIMELINE_HEADER))
    return Block("table", header=True, rows=(header, *rows))


def columns(table: Block) -> dict[str, int]:
    """Where Time, Event and Details stand: by the header row, so that people may add, swap or rename columns."""
    cells = table.rows[0].cells if table.rows else ()
    names = [" ".join(re.sub(r"\(.*?\)", "", plain(cell)).split()).casefold() for cell in cells]
    called = {title: next((name for name in CALLED[title] if name in names), "") for title in TIMELINE_HEADER}
    return {title: names.index(name) for title, name in called.items() if name}


def render_event(event: TimelineEvent, words: Vocabulary, where: Mapping[str, int], width: int) -> Block:
    """One event as a row of a table with these columns."""
    empty = Block("row", cells=((),) * width)
    return write_event(empty, where, event, ("at", "title", "description"), "", words)


def read_event(row: Block, where: Mapping[str, int], keys: Collection[str]) -> tuple[dict[str, str], str]:
    """The raw fields of a row (absent where its column is gone) and its key."""
    cells = {name: row.cells[index] for name, index in where.items() if index < len(row.cells)}
    fields: dict[str, str] = {}
    key = ""
    if "Time" in cells:
        fields["at"] = plain(cells["Time"]).strip()
    if "Event" in cells:
        fields["title"] = " ".join(plain(cells["Event"]).split())
    if "Details" in cells:
        details, key = _without_key(cells["Details"], keys)
        fields["description"] = to_markdown((Block("paragraph", details),)).strip() if details else ""
    return fields, key


def _without_key(cell: Spans, keys: Collection[str]) -> tuple[Spans, str]:
    text = plain(cell)
    key, rest = cut_key(text, keys)
    return slice_spans(cell, 0, len(rest.rstrip())), key


def write_event(
    row: Block,
    where: Mapping[str, int],
    event: TimelineEvent,
    changed: Collection[str],
    key: str,
    words: Vocabulary,
) -> Block:
    """The row with the store's changes, cell by cell. `key` is what the row shows now."""
    cells = list(row.cells)
    if "at" in changed and "Time" in where:
        cells[where["Time"]] = text_spans(show_time(event.at, words.zone))
    if "title" in changed and "Event" in where:
        cells[where["Event"]] = text_spans(event.title)
    if "Details" in where and ("description" in changed or key != event.key):
        at = where["Details"]
        details = _description(event.description) if "description" in changed else _without_key(cells[at], (key,))[0]
        gap = (Span(" "),) if details else ()
        cells[at] = merged_spans([*details, *gap, key_span(event.key, words)])
    return replace(row, cells=tuple(cells))


def _description(markdown: str) -> Spans:
    spans: list[Span] = []
    for block in from_markdown(markdown):
        spans += [Span("\n")] if spans else []
        spans += (
            [Span("• "), *block.spans] if block.kind in ("bullet", "number", "task") else block.spans or [Span(block.text)]
        )
    return merged_spans(spans)


# --- details ------------------------------------------------------------------------------------------------------------


def label(name: str, words: Vocabulary) -> str:
    """How a detail is called on a page: `time:resolved` is Resolved, a custom field has its label, else its id."""
    kind, _, rest = name.partition(":")
    if kind == "field":
        return words.fields[rest].label or rest if rest in words.fields else rest
    if name == "status":
        return "Post-mortem status"
    return (rest or kind).replace("_", " ").capitalize()


def render_detail(name: str, value: str, words: Vocabulary) -> Block:
    """One row of the details table."""
    return Block("row", cells=(text_spans(label(name, words)), detail_cell(name, value, words)))


def detail_cell(name: str, value: str, words: Vocabulary) -> Spans:
    """A canonical value as people read it."""
    if name == "status":
        status = PostmortemStatus(value)
        return (Span(status.label, kind="status", ref=STATUS_COLOURS[value]),)
    if name == "lead" or name.startswith("role:"):
        person = words.person(value)
        return (mention(person),) if person else ()
    if name.startswith("time:") and value:
        return text_spans(show_time(datetime.fromisoformat(value), words.zone))
    return text_spans(value)


def read_detail(row: Block) -> str:
    """The raw text of a detail's value; a mention reads as its e-mail."""
    cell = row.cells[1] if len(row.cells) > 1 else ()
    return "".join(person_raw(span) if span.kind == "mention" else span.text for span in cell).strip()


# --- understanding ------------------------------------------------------------------------------------------------------


def understood(name: str, raw: str, words: Vocabulary, near: datetime) -> str | None:
    """The canonical value of a raw text in the field `name`; None when it cannot be one.
    `near` lends a day to bare times.

    A follow-up's own status is read from its box and needs no understanding; `status` here is the post-mortem's.
    """
    if name in ("title", "name"):
        return " ".join(raw.split()) or None
    if name == "at" or name.startswith("time:"):
        moment = parse_time(raw, words.zone, near)
        return iso(moment) if moment else ("" if not raw and name != "at" else None)
    if name == "due_on":
        day = parse_date(raw)
        return day.isoformat() if day else (None if raw else "")
    if name in ("assignee", "lead") or name.startswith("role:"):
        return words.email(raw) or raw.strip().removeprefix("@")
    if name == "severity":
        return _one_of(raw, words.severities)
    if name == "status":
        return _postmortem_status(raw)
    if name.startswith("field:"):
        return _custom(raw, words.fields.get(name.removeprefix("field:"), FieldSpec()))
    return raw


def _one_of(raw: str, allowed: Sequence[str]) -> str | None:
    if not allowed or not raw:
        return raw
    return next((value for value in allowed if value.casefold() == raw.casefold()), None)


def _postmortem_status(raw: str) -> str | None:
    found = STATUS_WORDS.get(" ".join(raw.replace("_", " ").split()).casefold())
    return found.value if found else None


def _custom(raw: str, spec: FieldSpec) -> str | None:
    if spec.type == "number" and raw:
        return raw if re.fullmatch(r"[+-]?\d[\d,. _]*%?", raw) else None
    if spec.type == "date" and raw:
        day = parse_date(raw)
        return day.isoformat() if day else None
    return _one_of(raw, spec.options)
