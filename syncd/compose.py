"""A post-mortem as the page it becomes: every block with its meaning, and the values that it shows.

Used for a new page as a whole, and section by section for what a living page does not have yet. What changes afterwards is
`plan.py`.
"""

from datetime import tzinfo

from mapping.document import Block, Doc, Span, heading, text_spans
from mapping.incident import Section
from mapping.kept import of_page
from mapping.rows import (
    TIMELINE_HEADER,
    details_values,
    event_values,
    follow_up_values,
    render_detail,
    render_event,
    render_follow_up,
    timeline_table,
)
from mapping.template import help_block
from syncd.local import Local
from syncd.pages import Base, Entry

INTRODUCTION = "introduction"  # the id of the section for text before the first heading
STATIC = "In step with incident {}."  # the beginning of our line under the title
COLUMNS = {title: index for index, title in enumerate(TIMELINE_HEADER)}
Records = dict[str, dict[str, str]]


def compose(local: Local) -> Base:
    """The whole page as it is to be created."""
    entries = [Entry(static_line(local), "", "static")]
    records: Records = {"page": {"title": local.title}, "properties": properties(local)}
    if not any(section.kind == "details" for section in local.postmortem.sections):
        entries.append(status_table(local, records))
    for section in local.postmortem.sections:
        entries += section_entries(section, local, records)
    return Base(local.title, carried(local), tuple(entries), records)


def static_line(local: Local) -> Block:
    """The one line under the title that says what this page is."""
    text = f"{STATIC.format(local.incident.reference)} Times are in {zone_name(local.words.zone)}."
    return Block("paragraph", (Span(text, marks=frozenset({"italic"})),))


def zone_name(zone: tzinfo) -> str:
    """As a page names its zone."""
    return getattr(zone, "key", None) or str(zone)


def properties(local: Local) -> dict[str, str]:
    """Canonical values that a page may carry outside its body; which of them it does is the service's business."""
    values = details_values(local.incident, local.postmortem.status)
    more = {name: value for name, value in values.items() if name == "lead" or name.startswith(("role:", "time:"))}
    return {"incident": local.incident.reference, "severity": local.incident.severity, "status": values["status"], **more}


def carried(local: Local) -> tuple[tuple[str, str], ...]:
    """The same as they will read back from this page's service."""
    shown = properties(local) | {"status": local.postmortem.status.label}
    return local.project(Doc("", (), tuple(sorted(shown.items())))).properties


def section_entries(section: Section, local: Local, records: Records) -> list[Entry]:
    """A heading and what stands below it; adds the values shown to `records`."""
    records[f"section:{section.id}"] = {"heading": section.heading}
    head = [Entry(heading(section.heading), section.id, "heading")] if section.heading else []
    match section.kind:
        case "details":
            return [*head, details_table(section.id, local, records)]
        case "timeline":
            return [*head, events_table(section.id, local, records)]
        case "follow_ups":
            return [*head, *follow_up_rows(section.id, local, records)]
        case _:
            prose = local.projected(of_page(local.prose(section), ()))
            return [*head, *help_entries(section, local), *(Entry(block, section.id, "prose") for block in prose)]


def help_entries(section: Section, local: Local) -> list[Entry]:
    """What the section reminds of, while nobody wrote it."""
    labels = {name: spec.label for name, spec in local.words.fields.items()}
    block = help_block(section, labels) if section.reminds else None
    return [Entry(projected, section.id, "help") for projected in local.projected((block,))] if block else []


def status_table(local: Local, records: Records) -> Entry:
    """The details table of a template that has none: the post-mortem's status alone."""
    return _table("", {"status": local.postmortem.status.value}, local, records)


def details_table(section: str, local: Local, records: Records) -> Entry:
    """Two columns: label and value."""
    return _table(section, details_values(local.incident, local.postmortem.status), local, records)


def _table(section: str, values: dict[str, str], local: Local, records: Records) -> Entry:
    records["details"] = dict(values)
    rows = tuple(render_detail(name, value, local.words) for name, value in values.items())
    table = local.projected((Block("table", rows=rows, hint="details"),))[0]
    return Entry(_hinted(table, "details"), section, "table", tuple(values))


def _hinted(table: Block, hint: str) -> Block:
    return Block("table", header=table.header, rows=table.rows, native=table.native, hint=hint)


def events_table(section: str, local: Local, records: Records) -> Entry:
    """Time, Event, Details; one event a row, in the order of time."""
    shown = sorted((e for e in local.incident.timeline if e.key not in local.hidden), key=lambda e: e.at)
    records.update({event.key: event_values(event) for event in shown})
    rows = [render_event(event, local.words, COLUMNS, len(COLUMNS)) for event in shown]
    table = local.projected((timeline_table(rows),))[0]
    return Entry(table, section, "table", ("", *(event.key for event in shown)))


def follow_up_rows(section: str, local: Local, records: Records) -> list[Entry]:
    """One native checkbox for each follow-up."""
    shown = [row for row in local.incident.follow_ups if row.key not in local.hidden]
    records.update({row.key: follow_up_values(row) for row in shown})
    blocks = local.projected(tuple(render_follow_up(row, local.words) for row in shown))
    return [Entry(block, section, "row", (row.key,)) for block, row in zip(blocks, shown, strict=True)]


def headed(entry: Entry, text: str) -> Entry:
    """A heading entry with another text."""
    block = entry.block
    return Entry(Block("heading", text_spans(text), level=2, native=block.native), entry.section, "heading")
