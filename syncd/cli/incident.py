"""Commands about records: import, incidents, follow-ups, timeline events, and the flow's tasks."""

import sys
from collections.abc import Mapping, Sequence
from datetime import tzinfo
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click

from mapping.commands import Actor
from mapping.incident import FollowUp, Incident, Phase, TimelineEvent
from mapping.markdown import to_markdown
from mapping.records import incident_to_json
from syncd.cli.frame import Command, Group, Session, pass_session
from syncd.cli.printing import moment, print_table
from syncd.errors import Misuse
from syncd.store.overview import ALL, Listed, Wanted


@click.command(
    "import",
    cls=Command,
    examples=[
        "syncd import incidents.yaml",
        "syncd import export.jsonl --timezone Europe/Berlin",
        "curl -s https://example.com/incident.json | syncd import -",
    ],
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--timezone", metavar="ZONE", help="Zone of times that name none, such as Europe/Berlin.")
@pass_session
def import_file(session: Session, file: Path, timezone: str | None) -> None:
    """Take in incidents from FILE: one object, an array, JSON lines or YAML; `-` is standard input.

    An incident that is known already is brought up to date; what was edited here stays. Exit code 2 where something was
    refused; the rest is taken in.
    """
    zone = _zone(timezone) if timezone else None
    data = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    actor = Actor("import", session.actor().name)
    imported = session.app.import_records(file.name, data, zone, actor)
    taken, notes = imported.taken, imported.notes + imported.refused
    for note in notes:
        click.echo(note, err=True)
    session.done(f"Took in {', '.join(taken)}." if taken else "Took in nothing.", imported=taken, notes=notes)
    if imported.refused:
        click.get_current_context().exit(Misuse.exit_code)


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise Misuse(f"There is no time zone '{name}'; zones are named like Europe/Berlin or UTC.") from error


# --- incidents ----------------------------------------------------------------------------------------------------------


@click.group(cls=Group, examples=["syncd incident list", "syncd incident show INC-12"])
def incident() -> None:
    """Incidents of the store."""


@incident.command("list", examples=["syncd incident list", "syncd incident list --json"])
@pass_session
def list_incidents(session: Session) -> None:
    """List all incidents."""
    columns = ("reference", "name", "severity", "phase", "postmortem")
    values = [_brief(found) for found in session.app.store.overview(Wanted(as_recorded=True, count=ALL)).rows]
    cells = [[str(value[column] or "") for column in columns] for value in values]
    session.answer(values, lambda: print_table(columns, cells))


def _brief(found: Listed) -> dict[str, Any]:
    return {
        "reference": found.reference,
        "name": found.name,
        "severity": found.severity or None,
        "phase": found.phase,
        "private": found.private,
        "postmortem": found.status.value if found.status else None,
    }


@incident.command("show", examples=["syncd incident show INC-12", "syncd incident show INC-12 --json > INC-12.json"])
@click.argument("ref")
@pass_session
def show_incident(session: Session, ref: str) -> None:
    """Show one incident; with --json as one object that can be imported again."""
    found = session.app.lookup.incident(ref)
    session.answer(incident_to_json(found, to_markdown), lambda: _print_incident(found))


def _print_incident(found: Incident) -> None:
    click.echo(f"{found.reference}  {found.name}{'  (private)' if found.private else ''}")
    facts = [("severity", found.severity), ("phase", found.phase.value), ("lead", str(found.lead or ""))]
    facts += [(name, str(person)) for name, person in found.roles.items()]
    facts += [(name, moment(at)) for name, at in found.timestamps.items()]
    facts += list(found.custom_fields.items())
    print_table(("field", "value"), [[name, value] for name, value in facts if value])
    summary = incident_to_json(found, to_markdown)["summary"]
    if summary:
        click.echo(f"\n{str(summary).strip()}")
    _print_rows("Follow-ups", ("key", "title", "status", "assignee", "due"), [_cells(row) for row in found.follow_ups])
    _print_rows("Timeline", ("key", "at", "event", "details"), [_event_cells(row) for row in found.timeline])


def _print_rows(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    if rows:
        click.echo(f"\n{title}")
        print_table(columns, rows)


def _cells(row: FollowUp) -> list[str]:
    return [row.key, row.title, row.status.value, str(row.assignee or ""), row.due_on.isoformat() if row.due_on else ""]


def _event_cells(row: TimelineEvent) -> list[str]:
    return [row.key, moment(row.at), row.title, row.description]


@incident.command(
    "edit",
    examples=[
        "syncd incident edit INC-12 --severity SEV2 --lead ada@example.com",
        "syncd incident edit INC-12 --time resolved=2026-11-02T11:30:00Z --field affected_customers=1200",
        'syncd incident edit INC-12 --phase closed --skip-flow "duplicate of INC-11"',
    ],
)
@click.argument("ref")
@click.option("--name", metavar="TEXT", help="What happened, in a line.")
@click.option("--summary", metavar="MARKDOWN", help="The summary, as Markdown.")
@click.option("--severity", metavar="SEV", help="One of the configured severities.")
@click.option("--phase", metavar="PHASE", help=f"One of {', '.join(phase.value for phase in Phase)}.")
@click.option("--lead", metavar="EMAIL", help="Who leads; empty for nobody.")
@click.option("--role", "roles", metavar="NAME=EMAIL", multiple=True, help="Who has a role; repeatable.")
@click.option("--time", "times", metavar="NAME=T", multiple=True, help="A lifecycle time, such as resolved; repeatable.")
@click.option("--field", "fields", metavar="K=V", multiple=True, help="A custom field; repeatable.")
@click.option("--skip-flow", metavar="WHY", default="", help="Close although the gate says no; the reason is journalled.")
@pass_session
def edit_incident(
    session: Session,
    /,
    ref: str,
    roles: Sequence[str],
    times: Sequence[str],
    fields: Sequence[str],
    skip_flow: str,
    **named: str | None,
) -> None:
    """Change fields of an incident. Closing it asks the gate first."""
    changes = {name: value for name, value in named.items() if value is not None}
    for kind, pairs in (("role", roles), ("time", times), ("field", fields)):
        changes |= {f"{kind}:{name}": value for name, value in map(_pair, pairs)}
    if not changes:
        raise Misuse("Nothing to change was named.", "syncd incident edit --help")
    session.app.edit_incident(ref, changes, session.actor(), skip_flow)
    session.done(f"{ref}: {', '.join(changes)} set.", incident=ref, changed=list(changes))


def _pair(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not (sign and name.strip()):
        raise Misuse(f"'{text}' is not NAME=VALUE.", "syncd incident edit --help")
    return name.strip(), value


# --- rows ---------------------------------------------------------------------------------------------------------------


def _given(values: Mapping[str, str | None]) -> dict[str, str]:
    found = {name: value for name, value in values.items() if value is not None}
    if not found:
        raise Misuse("Nothing to change was named.")
    return found


@click.group(
    cls=Group,
    examples=['syncd followup add INC-12 --title "Alert on queue depth"', "syncd followup edit FU-3 --status done"],
)
def followup() -> None:
    """Follow-ups of incidents."""


@followup.command(
    "add",
    examples=['syncd followup add INC-12 --title "Alert on queue depth" --assignee ada@example.com --due-on 2026-12-01'],
)
@click.argument("ref")
@click.option("--title", required=True, metavar="T", help="What is to be done, in a line.")
@click.option("--assignee", metavar="EMAIL", help="Who does it.")
@click.option("--due-on", metavar="D", help="Until when, such as 2026-12-01.")
@click.option("--priority", metavar="P", help="Any word your team uses.")
@pass_session
def add_follow_up(session: Session, /, ref: str, **fields: str | None) -> None:
    """Add a follow-up to an incident."""
    key = session.app.add_follow_up(ref, _given(fields), session.actor())
    session.done(f"{key} added to {ref}.", incident=ref, key=key)


@followup.command(
    "edit", examples=["syncd followup edit FU-3 --status done", "syncd followup edit FU-3 --due-on 2026-12-15"]
)
@click.argument("key")
@click.option("--title", metavar="T", help="What is to be done, in a line.")
@click.option("--status", metavar="STATUS", help="open, done or dropped.")
@click.option("--assignee", metavar="EMAIL", help="Who does it; empty for nobody.")
@click.option("--due-on", metavar="D", help="Until when; empty for no date.")
@pass_session
def edit_follow_up(session: Session, /, key: str, **fields: str | None) -> None:
    """Change a follow-up."""
    changes = _given(fields)
    session.app.edit_follow_up(key, changes, session.actor())
    session.done(f"{key}: {', '.join(changes)} set.", key=key, changed=list(changes))


@click.group(
    cls=Group,
    examples=['syncd timeline add INC-12 --at 10:05 --title "Traffic moved away"', "syncd timeline edit T-7 --at 10:07"],
)
def timeline() -> None:
    """Timeline events of incidents."""


@timeline.command(
    "add",
    examples=[
        'syncd timeline add INC-12 --at 2026-11-02T10:05:00Z --title "Traffic moved away"',
        'syncd timeline add INC-12 --at 10:05 --title "Paged" --description "Nobody answered"',
    ],
)
@click.argument("ref")
@click.option("--at", required=True, metavar="T", help="When; a bare time is on the day the incident started.")
@click.option("--title", required=True, metavar="S", help="What happened, in a line.")
@click.option("--description", metavar="M", help="More about it, as Markdown.")
@pass_session
def add_event(session: Session, /, ref: str, **fields: str | None) -> None:
    """Add an event to an incident's timeline."""
    key = session.app.add_event(ref, _given(fields), session.actor())
    session.done(f"{key} added to {ref}.", incident=ref, key=key)


@timeline.command("edit", examples=["syncd timeline edit T-7 --at 10:07", 'syncd timeline edit T-7 --title "Alert fired"'])
@click.argument("key")
@click.option("--at", metavar="T", help="When; a bare time keeps the event's day.")
@click.option("--title", metavar="S", help="What happened, in a line.")
@click.option("--description", metavar="M", help="More about it, as Markdown.")
@pass_session
def edit_event(session: Session, /, key: str, **fields: str | None) -> None:
    """Change an event of a timeline."""
    changes = _given(fields)
    session.app.edit_event(key, changes, session.actor())
    session.done(f"{key}: {', '.join(changes)} set.", key=key, changed=list(changes))


# --- flow ---------------------------------------------------------------------------------------------------------------


@click.group(
    cls=Group, examples=["syncd flow done INC-12 debrief", 'syncd flow skip INC-12 debrief --why "nobody was on call"']
)
def flow() -> None:
    """Tasks of the post-incident flow."""


@flow.command(examples=["syncd flow done INC-12 debrief", "syncd flow done INC-12 debrief --undo"])
@click.argument("ref")
@click.argument("task")
@click.option("--undo", is_flag=True, help="It is not done after all.")
@pass_session
def done(session: Session, ref: str, task: str, undo: bool) -> None:
    """Say that a manual task is done; with --undo, that it is not, or not skipped."""
    session.app.mark_task(ref, task, not undo, "", session.actor())
    session.done(f"{task} is {'not ' if undo else ''}done.", incident=ref, task=task, done=not undo)


@flow.command(examples=['syncd flow skip INC-12 debrief --why "nobody was on call"'])
@click.argument("ref")
@click.argument("task")
@click.option("--why", required=True, metavar="T", help="The reason, for the journal.")
@pass_session
def skip(session: Session, ref: str, task: str, why: str) -> None:
    """Let an incident close without a task; the reason is journalled."""
    session.app.mark_task(ref, task, False, why, session.actor())
    session.done(f"{task} is skipped: {why}", incident=ref, task=task, why=why)


@flow.command(examples=['syncd flow agree INC-12 --why "the debrief was held by phone"'])
@click.argument("ref")
@click.option("--why", required=True, metavar="T", help="The reason, for the journal.")
@pass_session
def agree(session: Session, ref: str, why: str) -> None:
    """Let an incident stay closed that was closed elsewhere although the gate said no."""
    session.app.agree_to_close(ref, why, session.actor())
    session.done(f"{ref} stays closed: {why}", incident=ref, why=why)


COMMANDS = (import_file, incident, followup, timeline, flow)
