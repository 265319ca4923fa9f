"""Commands for whoever runs it: set up, examine, run, follow, back up, and try out."""

import errno
import json
import sys
import time
from collections.abc import Sequence
from contextlib import nullcontext, redirect_stdout
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from providers.sandbox.server import serve as serve_sandbox
from syncd import log as logs
from syncd.app import App, conflict_json
from syncd.assembly import Assembly, assemble
from syncd.cli.frame import Command, Session, pass_session
from syncd.cli.printing import SIGNS, age, iso, moment, print_table
from syncd.doctor import Finding, examine, exit_code
from syncd.errors import Misuse
from syncd.initialise import initialise
from syncd.journal_words import travelled
from syncd.pages import Page, comments_told
from syncd.resources import templates
from syncd.settings import load
from syncd.store.journal import JournalLine
from syncd.story import sentence, story

IN_HOUSE: dict[str, Any] = {"destination": "in-house", "state": "", "since": None, "checked_at": None, "reasons": []}


@click.command(cls=Command, examples=["syncd demo", "syncd demo --once", "syncd demo --port 8470"])
@click.option("--once", is_flag=True, help="Show the whole story once and end.")
@click.option("--port", type=click.IntRange(0, 65535), metavar="N", help="Where the demo is served; a free one by default.")
@pass_session
def demo(session: Session, once: bool, port: int | None) -> None:
    """Try it out: a sandbox, an incident, a page that people edit. Needs no configuration and keeps nothing."""
    from syncd.demo.run import run as run_demo  # only here: no other command pays for the demo's world

    with redirect_stdout(sys.stderr) if session.json else nullcontext():
        code = run_demo(once, port)
    session.answer({"ok": code == 0}, lambda: None)
    click.get_current_context().exit(code)


@click.command(cls=Command, examples=["syncd init", "syncd init --config /etc/syncd/config.toml"])
@pass_session
def init(session: Session) -> None:
    """Write a first configuration to edit; nothing is ever replaced."""
    made = initialise(session.wanted_config)
    names = [str(path) for path in made]
    session.done(f"Made {' and '.join(names)}.\nNext: edit {names[0]}, then syncd doctor", made=names)


@click.command(cls=Command, examples=["syncd doctor", "syncd doctor --write"])
@click.option("--write", is_flag=True, help="Prove the right to write: make and remove a page at each destination.")
@pass_session
def doctor(session: Session, write: bool) -> None:
    """Examine configuration, store, templates and every destination. Exit code: 0 well, 2 wrong, 3 no answer."""
    findings = []
    for finding in examine(session.built, write=write):
        findings.append(finding)
        if not session.json:
            _print_finding(finding)
    if session.json:
        session.answer({"ok": exit_code(findings) == 0, "findings": [_finding_json(f) for f in findings]}, lambda: None)
    click.get_current_context().exit(exit_code(findings))


def _print_finding(finding: Finding) -> None:
    click.echo(f"{SIGNS[finding.ok]} {finding.about}: {finding.message}")
    if finding.hint:
        click.echo(f"    Next: {finding.hint}")


def _finding_json(finding: Finding) -> dict[str, Any]:
    return {"about": finding.about, "ok": finding.ok, "message": finding.message, "next": finding.hint or None}


@click.command("run", cls=Command, examples=["syncd run", "syncd run --log-json"])
@click.option("--log-json", is_flag=True, help="Log one JSON object a line.")
@pass_session
def run_daemon(session: Session, log_json: bool) -> None:
    """Keep everything in step until stopped; serve the web pages and the HTTP interface."""
    from syncd.daemon import Signals
    from syncd.running import run  # only here: no other command pays for a web server

    logs.configure(as_json=log_json or session.log_json)
    path = session.config_path

    def build(before: Assembly | None) -> Assembly:
        settings = load(path)
        if before and settings.database != before.settings.database:
            raise Misuse("Another database is used only after a restart.", "restart syncd run")
        return assemble(path, settings, lambda per_minute: time.sleep, store=before.store if before else None)

    run(build, Signals(), logs.logger(), time.sleep)
    session.answer({"stopped": True}, lambda: None)


@click.command(cls=Command, examples=["syncd backup /var/backups/syncd.db"])
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@pass_session
def backup(session: Session, file: Path) -> None:
    """Copy the store into FILE while everything goes on."""
    if file.exists():
        raise Misuse(f"{file} is there already; it is left as it is.")
    session.app.store.backup(file)
    session.done(f"{file} holds all that was committed.", file=str(file))


@click.command(cls=Command, examples=["syncd sandbox --port 8471", "syncd sandbox --port 8471 --json"])
@click.option(
    "--port", type=click.IntRange(0, 65535), required=True, metavar="N", help="Where to listen; 0 takes a free one."
)
@pass_session
def sandbox(session: Session, port: int) -> None:
    """Serve emulated services in memory, with a site on which people edit their pages. Needs no configuration."""

    def announce(description: dict[str, dict[str, str]]) -> None:
        lines = [f"{name}: {' '.join(f'{k}={v}' for k, v in values.items())}" for name, values in description.items()]
        click.echo(json.dumps(description) if session.json else "\n".join(lines))

    try:
        serve_sandbox(port, announce, pages=templates() / "web" / "sandbox")
    except OSError as error:
        if error.errno not in (errno.EADDRINUSE, errno.EACCES):
            raise
        raise Misuse(f"Nothing can listen on 127.0.0.1:{port}: {error.strerror}.", "syncd sandbox --port 0") from error


# --- following ----------------------------------------------------------------------------------------------------------


@click.command(cls=Command, examples=["syncd journal", "syncd journal INC-12 --last 50"])
@click.argument("ref", required=False)
@click.option("--last", type=click.IntRange(min=1), default=200, metavar="N", help="How many lines, 200 by default.")
@pass_session
def journal(session: Session, ref: str | None, last: int) -> None:
    """Tell who changed what, when and from which side; the newest last. `#57` is the line 57: `restore REF 57` brings back
    what it replaced."""
    if ref:
        session.app.lookup.incident(ref)
    lines = session.app.store.journal(ref, last)
    session.answer([_line_json(line) for line in lines], lambda: _print_story(lines, one=bool(ref)))


def _print_story(lines: Sequence[JournalLine], one: bool) -> None:
    for part in story(lines):
        head = f"{moment(part.at)}  {'' if one else f'{part.incident}  '}{part.who}"
        if len(part.did) == 1:
            ((number, clause),) = part.did
            click.echo(f"{head} {sentence(clause)} #{number}")
        else:
            click.echo(
                "\n".join([f"{head.rstrip(',')}:", *(f"    {sentence(clause)} #{number}" for number, clause in part.did)])
            )


def _line_json(line: JournalLine) -> dict[str, Any]:
    told = travelled(line)
    (said,) = story([line])
    return {
        "id": line.id,
        "at": iso(line.at),
        "incident": line.incident or None,
        "direction": told.way,
        "destination": told.where or None,
        "by": told.by or None,
        "what": told.what,
        "detail": told.detail,
        "says": f"{said.who} {sentence('; '.join(clause for _, clause in said.did))}",
        "old": line.old,
        "new": line.new,
    }


@click.command(cls=Command, examples=["syncd status", "syncd status --json"])
@pass_session
def status(session: Session) -> None:
    """Show every post-mortem and its pages: in step since when, what is waiting, and what to do about it."""
    app = session.app
    values = [_postmortem(app, ref) for ref in app.store.postmortems()]
    since = min((at for _, at in app.store.dirty()), default=None)
    daemon = session.built.living()
    closed, pauses = app.store.all_closed_past_no(), app.store.pauses()
    told = [{"kind": p.kind, "name": p.name, "by": p.by or None, "since": iso(p.at), "why": p.why or None} for p in pauses]
    summary = {"daemon": daemon, "oldest_unsynced": iso(since), "pauses": told, "postmortems": values}
    session.answer(
        {**summary, "closed_past_no": closed}, lambda: _print_status(daemon, values, closed, since, app.store.now())
    )


def _postmortem(app: App, ref: str) -> dict[str, Any]:
    postmortem = app.lookup.postmortem(ref)
    dirty = dict(app.store.dirty())
    pages = [_page(app, page, dirty.get(page.id)) for page in app.store.pages(ref)]
    phase = app.lookup.incident(ref).phase.value
    return {
        "incident": ref,
        "phase": phase,
        "status": postmortem.status.value,
        "home": postmortem.home or None,
        "pages": pages,
    }


def _page(app: App, page: Page, dirty_since: datetime | None) -> dict[str, Any]:
    store = app.store
    conflicts = [conflict_json(c) for c in store.conflicts(page.incident, "open") if c.page == page.id]
    unread = [{"key": u.key, "field": u.field, "text": u.text} for u in store.unread(page.id)]
    more = {"unread": unread, "hidden": store.hidden(page.id), "conflicts": conflicts, "unsynced_since": iso(dirty_since)}
    return {**app.page_json(page), **more}


def _print_status(
    daemon: int | None, values: Sequence[dict[str, Any]], closed: Sequence[str], since: datetime | None, now: datetime
) -> None:
    click.echo(f"A daemon or `once` runs as process {daemon}." if daemon else "No daemon runs.")
    rows = []
    for value in values:
        pages = value["pages"] or [
            {"destination": "in-house", "state": "", "since": None, "checked_at": None, "reasons": []}
        ]
        rows += [[value["incident"], value["phase"], value["status"], *_page_cells(page)] for page in pages]
    print_table(("incident", "phase", "status", "page on", "state", "since", "last look", "reason"), rows)
    for value in values:
        for page in value["pages"]:
            _print_needs(value["incident"], page)
    for ref in closed:
        click.echo(f'{ref} was closed elsewhere past a no: `syncd flow agree {ref} --why "..."` lets that stand.')
    if since:
        click.echo(f"The oldest change that is not everywhere yet is {age(now - since)} old.")


def _page_cells(page: dict[str, Any]) -> list[str]:
    times = [(page[name] or "")[:19] for name in ("since", "checked_at")]
    return [page["destination"], page["state"], *times, " ".join(page["reasons"])]


def _print_needs(ref: str, page: dict[str, Any]) -> None:
    """What a person must look at on one page, each with its way out."""
    where = f"{ref}@{page['destination']}"
    comments = page["comments"] or {"count": None}
    if told := comments_told(comments["count"]):
        click.echo(f"{where}: {told} on {comments['url']}")
    for unread in page["unread"]:
        about = f"{unread['key']} {unread['field']}".strip()
        click.echo(f"{where}: nobody understands “{unread['text']}” as {about}; correct it on the page.")
    for key, what in page["hidden"].items():
        name = key.partition(":")[2] or key
        click.echo(f"{where}: {what or name} was removed from the page; syncd restore {ref} {name}")
    for conflict in page["conflicts"]:
        click.echo(f"{where}: open conflict; syncd conflicts show {conflict['id']}")


COMMANDS = (demo, init, doctor, run_daemon, status, journal, backup, sandbox)
