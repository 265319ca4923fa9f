"""Commands about post-mortems and the templates that they are made from."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from syncd.adoption import Adoption, plan_adoption
from syncd.adoption import adopt as adopt_page
from syncd.cli.frame import Command, Group, Session, pass_session
from syncd.cli.printing import print_table
from syncd.errors import ConfigError, Misuse, NeedsPerson, UnknownReference
from syncd.templates import TemplateLibrary


@click.group(cls=Group, examples=["syncd postmortem create INC-12 --template standard", "syncd postmortem show INC-12"])
def postmortem() -> None:
    """Post-mortems and where they are written."""


@postmortem.command(
    "create",
    examples=[
        "syncd postmortem create INC-12 --template standard",
        "syncd postmortem create INC-12 --template standard --to wiki-postmortems",
    ],
)
@click.argument("ref")
@click.option("--template", required=True, metavar="ID", help="A template; `syncd template list` names them.")
@click.option("--to", default="", metavar="DESTINATION", help="Where it is written, instead of where the template says.")
@pass_session
def create(session: Session, ref: str, template: str, to: str) -> None:
    """Record the post-mortem of an incident; the next pass publishes it."""
    session.app.create_postmortem(ref, template, to, session.actor())
    value = session.app.postmortem_json(ref)
    where = f"the next pass publishes it on {value['home']}" if value["home"] else "it is written in-house"
    session.done(f"{ref} has a post-mortem; {where}.", **value)


@postmortem.command("status", examples=["syncd postmortem status INC-12", "syncd postmortem status INC-12 in_review"])
@click.argument("ref")
@click.argument("value", required=False)
@pass_session
def status(session: Session, ref: str, value: str | None) -> None:
    """Say or set the status: in_progress, in_review, completed."""
    if value is not None:
        session.app.set_status(ref, value, session.actor())
    now = session.app.lookup.postmortem(ref).status
    session.done(now.label, incident=ref, status=now.value)


@postmortem.command("show", examples=["syncd postmortem show INC-12", "syncd postmortem show INC-12 --json"])
@click.argument("ref")
@pass_session
def show(session: Session, ref: str) -> None:
    """Show a post-mortem: its sections, pages and conflicts."""
    value = session.app.postmortem_json(ref)
    session.answer(value, lambda: _print_postmortem(value))


def _print_postmortem(value: dict[str, Any]) -> None:
    home = value["home"] or "in-house"
    click.echo(f"{value['incident']}  {value['status']}  template {value['template']}  written {home}")
    pages = [[p["destination"], p["state"], p["url"] or "", " ".join(p["reasons"])] for p in value["pages"]]
    if pages:
        click.echo()
        print_table(("page on", "state", "address", "reason"), pages)
    for section in value["sections"]:
        unwritten = "  (not written yet)" if section["unwritten"] else ""
        click.echo(f"\n## {section['heading']}  [{section['id']}]{unwritten}")
        if section["markdown"].strip():
            click.echo(section["markdown"].strip())
    for conflict in value["conflicts"]:
        if conflict["state"] == "open":
            click.echo(f"\nOpen conflict {conflict['id']}: syncd conflicts show {conflict['id']}")


@postmortem.command(
    "export",
    examples=[
        "syncd postmortem export INC-12 --to wiki-postmortems",
        "syncd postmortem export INC-12 --to folder-postmortems --copy",
    ],
)
@click.argument("ref")
@click.option("--to", required=True, metavar="DESTINATION", help="A destination of the configuration.")
@click.option("--copy", is_flag=True, help="Export once more; prose stays where it is written now.")
@pass_session
def export(session: Session, ref: str, to: str, copy: bool) -> None:
    """Bring a post-mortem to a destination; prose is written there from now on."""
    page = session.app.export_postmortem(ref, to, copy, session.actor())
    session.done(f"The next pass publishes {ref} on {to}.", incident=ref, **session.app.page_json(page))


@postmortem.command("home", examples=["syncd postmortem home INC-12"])
@click.argument("ref")
@pass_session
def home(session: Session, ref: str) -> None:
    """Bring a post-mortem home: prose is written in-house again, pages stay in step."""
    session.app.bring_home(ref, session.actor())
    session.done(f"{ref} is written in-house.", incident=ref, home=None)


@postmortem.command(
    "edit",
    examples=[
        'syncd postmortem edit INC-12 --section impact --text "Nobody could pay for 90 minutes."',
        "syncd postmortem edit INC-12 --section impact --file impact.md",
    ],
)
@click.argument("ref")
@click.option("--section", required=True, metavar="ID", help="A section of prose; `syncd postmortem show` names them.")
@click.option("--text", metavar="T", help="The new text, as Markdown.")
@click.option("--file", type=click.Path(path_type=Path, dir_okay=False), metavar="F", help="A file with the new text.")
@pass_session
def edit(session: Session, ref: str, section: str, text: str | None, file: Path | None) -> None:
    """Write a section in the store, as the web editor does."""
    if (text is None) == (file is None):
        raise Misuse("Give the text with --text or with --file.", "syncd postmortem edit --help")
    markdown = file.read_text(encoding="utf-8") if file else text or ""
    session.app.edit_section(ref, section, markdown, session.actor())
    session.done(f"{ref}: the section {section} is written.", incident=ref, section=section)


# --- which pages belong -------------------------------------------------------------------------------------------------


@click.command(cls=Command, examples=["syncd detach INC-12", "syncd detach INC-12 --from folder-postmortems"])
@click.argument("ref")
@click.option("--from", "destination", default="", metavar="DESTINATION", help="Only the page there.")
@pass_session
def detach(session: Session, ref: str, destination: str) -> None:
    """Stop keeping pages in step; nothing on them changes, keys in their rows stay as text."""
    session.app.detach(ref, session.actor(), destination)
    pages = [session.app.page_json(page) for page in session.app.lookup.pages(ref, destination)]
    places = ", ".join(f"{page['destination']} ({page['url']})" if page["url"] else page["destination"] for page in pages)
    sentence = f"{ref} is detached from {places}. What is on the page stays as it is, the keys in its rows as text."
    session.done(sentence, incident=ref, pages=pages)


@click.command(
    cls=Command,
    examples=[
        "syncd adopt INC-12 https://example.atlassian.net/wiki/spaces/OPS/pages/12345",
        "syncd adopt INC-12 postmortems/inc-12.md --to folder-postmortems --yes",
    ],
)
@click.argument("ref")
@click.argument("url")
@click.option("--to", default="", metavar="DESTINATION", help="The page's destination, where the link does not tell.")
@click.option("--template", default="", metavar="ID", help="Whose tasks a new post-mortem gets; else `standard`.")
@click.option("--yes", is_flag=True, help="Do it without asking.")
@pass_session
def adopt(session: Session, ref: str, url: str, to: str, template: str, yes: bool) -> None:
    """Take a page that exists as the incident's page. What that means is shown first; the page is taken as it stands."""
    planned = plan_adoption(session.app, ref, session.built.named(url, to), template)
    by_hand = planned.found is not None
    if by_hand and not session.json:
        _print_adoption(planned)
    if by_hand and not yes and not _agreed(session, planned):
        return
    page = adopt_page(session.app, planned, session.actor())
    value = {**planned.as_json(), "adopted": True, **session.app.page_json(page)}
    session.done(f"{page.url} is now the page of {ref} on {page.destination}.", **value)


def _agreed(session: Session, planned: Adoption) -> bool:
    """A program gets the plan; a person is asked where there is one."""
    if session.json:
        session.answer({**planned.as_json(), "adopted": False}, lambda: None)
        return False
    if not sys.stdin.isatty():
        way = f"syncd adopt {planned.ref} {planned.seen.url} --yes"
        raise NeedsPerson("Nothing was done yet: this is what it would mean.", way)
    return click.confirm("Take the page?")


def _print_adoption(planned: Adoption) -> None:
    found = planned.found
    assert found is not None, "only pages made by hand are shown"
    rows = [["page to store", line] for line in planned.to_store] + [["store to page", line] for line in planned.to_page]
    click.echo(f"“{planned.seen.doc.title}” as the page of {planned.ref}:")
    print_table(("direction", "what"), rows)
    for line in found.unclear:
        click.echo(f"Looks like an event, but tells no time that can be understood: {line}")
    click.echo(f"{found.follow_ups} follow-ups, {found.events} events, {found.untouched} blocks that will never be touched.")


postmortem.add_command(detach)
postmortem.add_command(adopt)


# --- templates ----------------------------------------------------------------------------------------------------------


@click.group(cls=Group, examples=["syncd template list", "syncd template show standard"])
def template() -> None:
    """Templates that post-mortems are made from."""


@template.command("list", examples=["syncd template list"])
@pass_session
def list_templates(session: Session) -> None:
    """List all templates, yours and the built-in ones."""
    library = session.app.library
    values = [{"id": t.id, "name": t.name, "write": t.write, "destination": t.destination or None} for t in library.all()]
    rows = [[v["id"] or "", v["name"] or "", v["write"] or "", v["destination"] or ""] for v in values]
    session.answer(values, lambda: print_table(("id", "name", "write", "destination"), rows))
    _warn(library)


def _warn(library: TemplateLibrary) -> None:
    for problem in library.problems():
        click.echo(problem, err=True)


@template.command("show", examples=["syncd template show standard"])
@click.argument("template_id", metavar="ID")
@pass_session
def show_template(session: Session, template_id: str) -> None:
    """Print a template's file."""
    text = session.app.library.source(template_id)
    session.answer({"id": template_id, "toml": text}, lambda: click.echo(text.rstrip("\n")))


@template.command("duplicate", examples=["syncd template duplicate standard major-incident"])
@click.argument("template_id", metavar="ID")
@click.argument("new")
@pass_session
def duplicate(session: Session, template_id: str, new: str) -> None:
    """Copy a template under a new ID into your directory."""
    path = session.app.library.duplicate(template_id, new)
    session.done(f"{path} is yours to edit.", id=new, path=str(path))


@template.command(
    "write",
    examples=["syncd template write standard --external wiki-postmortems", "syncd template write standard --in-house"],
)
@click.argument("template_id", metavar="ID")
@click.option("--in-house", is_flag=True, help="Prose is written in the store, with the web editor.")
@click.option("--external", default="", metavar="DESTINATION", help="Prose is written on the page there.")
@pass_session
def write(session: Session, template_id: str, in_house: bool, external: str) -> None:
    """Choose where new post-mortems of a template are written; a built-in template is copied first."""
    if in_house == bool(external):
        raise Misuse("Say --in-house or --external DESTINATION.", "syncd template write --help")
    known = list(session.app.destinations)
    if external and external not in known:
        raise UnknownReference("destination", external, known, "syncd doctor")
    path = session.app.library.set_write(template_id, external)
    where = f"on {external}" if external else "in-house"
    session.done(f"{template_id} is written {where} ({path}).", id=template_id, destination=external or None, path=str(path))


@template.command("check", examples=["syncd template check"])
@pass_session
def check_templates(session: Session) -> None:
    """Check all template files; exit code 2 where one is wrong."""
    library = session.app.library
    problems: Sequence[str] = library.problems()
    if problems:
        raise ConfigError(problems, "syncd template check")
    count = len(library.all())
    session.done(f"{count} templates are fine.", templates=count, problems=[])


COMMANDS = (postmortem, detach, adopt, template)
