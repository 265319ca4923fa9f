"""Commands about pages: bring them in step, see what would travel, settle what a person must settle."""

import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import click

from syncd import pausing
from syncd.app import App, conflict_json
from syncd.cli.frame import Command, Group, Session, pass_session
from syncd.cli.printing import moment, print_table
from syncd.errors import Misuse, NeedsPerson
from syncd.look import Sight, sight
from syncd.pages import Conflict, Page, Version
from syncd.patience import Patience
from syncd.reconcile import Report
from syncd.ways_out import PAUSED
from syncd.web.look_report import look_html

FIRST_WAIT = 1.0  # seconds before a page that could not be settled is looked at again; doubled each time
CODES = {"in_step": 0, "waiting": 1, "unknown": 3, "halted": 4, "missing": 4}


@click.command(cls=Command, examples=["syncd once", "syncd once --json"])
@pass_session
def once(session: Session) -> None:
    """Bring everything in step, once, without a daemon.

    Exit code: 0 in step, 1 holds or conflicts are left, 3 a service was not reachable, 4 a person must look; the highest of
    all pages counts.
    """
    with session.built.alone():
        reports = one_pass(session.app, session.patience, _progress if sys.stderr.isatty() else lambda report: None)
    reports = [_judged(session.app, report) for report in reports]
    conflicts = session.app.store.conflicts(state="open")
    code = exit_code(reports, conflicts)
    value = {"pages": [r.as_json() for r in reports], "conflicts": [conflict_json(c) for c in conflicts]}
    session.answer(value, lambda: _print_pass(reports, conflicts))
    click.get_current_context().exit(code)


def _judged(app: App, report: Report) -> Report:
    """A page on which stands what nobody understood is held: a person must correct it."""
    reasons = app.not_understood(report.page.id) if report.result == "in_step" else []
    return replace(report, result="waiting", reasons=(*report.reasons, *reasons)) if reasons else report


def _progress(report: Report) -> None:
    click.echo(f"{_named(report)}: {report.result.replace('_', ' ')}", err=True)


def _named(report: Report) -> str:
    return f"{report.page.incident}@{report.page.destination}"


def one_pass(app: App, patience: Patience, progress: Callable[[Report], None]) -> list[Report]:
    """A pass, repeated while a service did not answer or left a write in doubt and `patience` lasts."""
    reports, wait = app.once(progress), FIRST_WAIT
    while due := [_seconds(app, report, wait) for report in reports if _unsettled(app, report)]:
        if not patience.wait(min(due)):
            break
        wait *= 2
        reports = _joined(reports, app.once(progress))
    return reports


def _unsettled(app: App, report: Report) -> bool:
    in_doubt = report.result == "waiting" and app.store.open_intent(report.page.id) is not None
    return report.result == "unknown" or in_doubt


def _seconds(app: App, report: Report, wait: float) -> float:
    return max(0.0, (report.retry_at - app.store.now()).total_seconds()) if report.retry_at else wait


def _joined(before: Sequence[Report], now: Sequence[Report]) -> list[Report]:
    past = {report.page.id: report for report in before}
    return [
        replace(r, taken=(*past[r.page.id].taken, *r.taken), written=(*past[r.page.id].written, *r.written))
        if r.page.id in past
        else r
        for r in now
    ]


def exit_code(reports: Iterable[Report], conflicts: Sequence[Conflict]) -> int:
    """The highest of all pages; an open conflict counts as 1."""
    return max((CODES[report.result] for report in reports), default=0) or int(bool(conflicts))


def _print_pass(reports: Sequence[Report], conflicts: Sequence[Conflict]) -> None:
    _print_travels(reports)
    left = [[_named(r), r.result, reason] for r in reports if r.result != "in_step" for reason in r.reasons or ("",)]
    left += [[f"{c.incident}@{c.destination}", "conflict", f"syncd conflicts show {c.id}"] for c in conflicts]
    print_table(("page", "left", "why"), left)
    settled = sum(report.result == "in_step" for report in reports)
    click.echo(f"{settled} of {len(reports)} pages are in step.")


def _print_travels(reports: Sequence[Report]) -> None:
    rows = [[_named(r), "page to store", line] for r in reports for line in r.taken]
    rows += [[_named(r), "store to page", line] for r in reports for line in r.written]
    print_table(("page", "direction", "what"), rows)


@click.command(cls=Command, examples=["syncd plan", "syncd plan INC-12"])
@click.argument("ref", required=False, default="")
@pass_session
def plan(session: Session, ref: str) -> None:
    """Say what `once` would do, edit by edit, on each side; change nothing. Exit code 3 where a service did not answer."""
    reports = session.app.plan(ref)
    session.answer([report.as_json() for report in reports], lambda: _print_plan(reports))
    click.get_current_context().exit(3 if any(report.result == "unknown" for report in reports) else 0)


def _print_plan(reports: Sequence[Report]) -> None:
    _print_travels(reports)
    print_table(("page", "held", "why"), [[_named(r), r.result, reason] for r in reports for reason in r.reasons])
    if not any(r.taken or r.written or r.reasons for r in reports):
        click.echo("Nothing to do.")


@click.command(cls=Command, examples=["syncd resync INC-12"])
@click.argument("ref")
@pass_session
def resync(session: Session, ref: str) -> None:
    """Look at all pages of an incident again, whatever is believed about them."""
    names = [page.destination for page in session.app.resync(ref)]
    session.done(f"The next pass reads {ref} on {', '.join(names) or 'no page'}.", incident=ref, destinations=names)


@click.command(cls=Command, examples=["syncd restore INC-12 FU-3", "syncd restore INC-12 impact", "syncd restore INC-12 57"])
@click.argument("ref")
@click.argument("key")
@pass_session
def restore(session: Session, ref: str, key: str) -> None:
    """Bring back a row or section that people removed from pages, or a text that a line of the journal replaced."""
    what = session.app.restore(ref, key, session.actor())
    session.done(f"{what} comes back with the next pass.", incident=ref, key=key, what=what)


@click.command(cls=Command, examples=["syncd pause wiki-postmortems --why maintenance", "syncd pause connection:wiki"])
@click.argument("name")
@click.option("--why", default="", metavar="T", help="A reason, for whoever wonders.")
@pass_session
def pause(session: Session, name: str, why: str) -> None:
    """Read and write nothing at a destination, or at a connection (a provider) with all its destinations, until
    `resume NAME`."""
    made, pages = pausing.pause(session.app, name, why, session.actor())
    sentence = f"{made.name} is paused: nothing is read or written there. syncd resume {name} goes on."
    session.done(sentence, name=made.name, kind=made.kind, pages=[f"{page.incident}@{page.destination}" for page in pages])


@click.command(
    cls=Command,
    examples=[
        *("syncd resume INC-12", "syncd resume INC-12 --accept", "syncd resume --all --accept"),
        "syncd resume wiki-postmortems",
    ],
)
@click.argument("ref", required=False, default="")
@click.option("--all", "everything", is_flag=True, help="All incidents.")
@click.option("--accept", is_flag=True, help="Agree, once, to what halted the page.")
@pass_session
def resume(session: Session, ref: str, everything: bool, accept: bool) -> None:
    """Go on with pages that were halted, or with a destination or connection (REF) that was paused."""
    if everything == bool(ref):
        raise Misuse("Name an incident, a destination or a connection, or say --all.", "syncd resume --help")
    if ref and session.app.store.incident(ref) is None and pausing.known(session.app, ref):
        freed = pausing.resume(session.app, ref, session.actor())
        sentence = f"{ref} goes on; the next pass looks at {_places(freed)}." if freed else f"{ref} goes on."
        session.done(sentence, incident=None, resumed=[page.destination for page in freed])
        return
    pages = session.app.resume(ref, accept, session.actor())
    held = [page for page in session.app.store.pages(ref or None) if page.code == PAUSED and not pages]
    if held:
        raise NeedsPerson(f"{_places(held[:1])}: {held[0].reason}", "syncd status")
    sentence = f"The next pass goes on with {_places(pages)}." if pages else f"Nothing{ref and f' of {ref}'} was halted."
    session.done(sentence, incident=ref or None, resumed=[page.destination for page in pages])


def _places(pages: Sequence[Page]) -> str:
    return ", ".join(f"{page.incident} on {page.destination}" for page in pages)


# --- conflicts ----------------------------------------------------------------------------------------------------------


@click.group(cls=Group, examples=["syncd conflicts list", "syncd conflicts resolve 3f2a9c01bd --take page"])
def conflicts() -> None:
    """What both sides changed differently."""


@conflicts.command("list", examples=["syncd conflicts list", "syncd conflicts list INC-12 --all"])
@click.argument("ref", required=False)
@click.option("--all", "everything", is_flag=True, help="Resolved ones too.")
@pass_session
def list_conflicts(session: Session, ref: str | None, everything: bool) -> None:
    """List open conflicts."""
    app = session.app
    if ref:
        app.lookup.incident(ref)
    found = [c for c in app.store.conflicts(ref or None) if everything or c.state == "open"]
    rows = [[c.id, f"{c.incident}@{c.destination}", _about(c), c.shown, c.state] for c in found]
    columns = ("id", "page", "about", "shows", "state")
    session.answer([conflict_json(c) for c in found], lambda: print_table(columns, rows))


def _about(conflict: Conflict) -> str:
    return " ".join(part for part in (conflict.section, conflict.key, conflict.field) if part)


@conflicts.command("show", examples=["syncd conflicts show 3f2a9c01bd"])
@click.argument("conflict_id", metavar="ID")
@pass_session
def show_conflict(session: Session, conflict_id: str) -> None:
    """Show both versions of a conflict."""
    found = session.app.lookup.conflict(conflict_id)
    session.answer(conflict_json(found), lambda: _print_conflict(found))


def _print_conflict(found: Conflict) -> None:
    click.echo(f"{found.incident}@{found.destination}: {_about(found)}; the {found.shown}'s version shows ({found.state}).")
    for name, version in (("before", Version(found.base)), ("store", found.store), ("page", found.other)):
        who = ", ".join(part for part in (version.by, moment(version.at)) if part)
        click.echo(f"\n{name}{f' ({who})' if who else ''}:\n{version.text}")
    ways = f"syncd conflicts resolve {found.id} --take page, store or both, or --text T, or --file F"
    click.echo(f"\nNext: {ways if found.state == 'open' else f'syncd conflicts undo {found.id}'}")


@conflicts.command(
    "resolve",
    examples=[
        "syncd conflicts resolve 3f2a9c01bd --take page",
        'syncd conflicts resolve 3f2a9c01bd --text "Both were down."',
    ],
)
@click.argument("conflict_id", metavar="ID")
@click.option("--take", type=click.Choice(["page", "store", "both"]), help="Which version stays.")
@click.option("--text", metavar="T", help="A version of your own.")
@click.option("--file", type=click.Path(path_type=Path, dir_okay=False), metavar="F", help="A file with your version.")
@pass_session
def resolve(session: Session, conflict_id: str, take: str | None, text: str | None, file: Path | None) -> None:
    """End a conflict with one version, both, or a text of your own."""
    if sum(given is not None for given in (take, text, file)) != 1:
        raise Misuse("Say --take page, store or both, or --text T, or --file F.", "syncd conflicts resolve --help")
    own = file.read_text(encoding="utf-8").rstrip("\n") if file else text
    found = session.app.resolve(conflict_id, take or "", own, session.actor())
    session.done(f"{conflict_id} is resolved; the next pass writes it.", **conflict_json(found))


@conflicts.command("undo", examples=["syncd conflicts undo 3f2a9c01bd"])
@click.argument("conflict_id", metavar="ID")
@pass_session
def undo(session: Session, conflict_id: str) -> None:
    """Take a choice back: the conflict is open again, and everything is as it was before."""
    found = session.app.undo_choice(conflict_id, session.actor())
    session.done(f"{conflict_id} is open again; the next pass writes what stood there before.", **conflict_json(found))


# --- looking ------------------------------------------------------------------------------------------------------------


@click.command(
    cls=Command,
    examples=[
        "syncd look https://example.atlassian.net/wiki/spaces/OPS/pages/12345",
        "syncd look postmortems/inc-12.md --html look.html",
    ],
)
@click.argument("url")
@click.option("--to", default="", metavar="DESTINATION", help="The page's destination, where the link does not tell.")
@click.option("--html", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write the report here.")
@pass_session
def look(session: Session, url: str, to: str, html: Path | None) -> None:
    """Read a real page and tell what would be recognised and what would never be touched; write nothing to it."""
    named = session.built.named(url, to)
    seen = named.read()
    postmortem = session.app.store.postmortem(seen.marker) if seen.marker else None
    found = sight(seen, postmortem, session.app.wording.general(), session.app.store.now())
    if html:
        html.write_text(look_html(seen.doc.title, seen.url, found), encoding="utf-8")
    value = {"destination": named.destination.name, "id": seen.native_id, "url": seen.url, "title": seen.doc.title}
    session.answer({**value, **found.as_json()}, lambda: _print_sight(seen.doc.title, found))


def _print_sight(title: str, found: Sight) -> None:
    whose = f"the page of {found.incident}" if found.incident else "no page of an incident of ours"
    click.echo(f"“{title}” is {whose}.")
    rows = [[part.heading or "(before the first heading)", part.kind, part.means] for part in found.parts]
    print_table(("section", "kind", "recognised"), rows)
    click.echo(f"\n{found.sum}.")
    for line in found.unclear:
        click.echo(f"Looks like an event, but tells no time that can be understood: {line}")
    if found.kept:
        click.echo("\nNever touched:")
        for line in found.kept:
            click.echo(f"  {line}")


COMMANDS = (once, plan, resync, restore, pause, resume, conflicts, look)
