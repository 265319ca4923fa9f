"""Templates changed by people: saved, made and deleted with a line in the journal, and shown as they would come out.

What a template may say is `mapping/template.py`'s, how its file changes `templates.py`'s. A post-mortem keeps the template
as it was when it was created, so whatever is done here is for later ones.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from mapping.commands import Actor
from mapping.document import Block, Doc
from mapping.incident import Incident
from mapping.markdown import from_markdown
from mapping.template import Template, TemplateError, parse_template, problems, render_text, render_title
from syncd.app import App
from syncd.compose import compose
from syncd.errors import WrongFields
from syncd.local import Local
from syncd.templates import TemplateFile
from syncd.wording import TITLE_LIMIT

Table = Mapping[str, Any]
NOTHING_SAID: dict[str, Any] = {"text": "", "help": "", "custom_fields": [], "heading": "(no heading yet)"}
BLANK: Table = {
    "write": "in-house",
    "tasks": ["draft_post_mortem"],
    "sections": [{"kind": kind} for kind in ("summary", "details", "timeline", "follow_ups")],
}


def save(app: App, template_id: str, table: Table, seen: str, actor: Actor) -> TemplateFile:
    """Let a template say this table; raises as `TemplateLibrary.save` does, and for a destination that there is not."""
    before = app.library.get(template_id)
    _check_destination(app, table, before.destination if before else "")
    app.library.save(template_id, table, seen)
    return _noted(app, template_id, "saved", actor)


def create(app: App, template_id: str, table: Table, actor: Actor) -> TemplateFile:
    """A new template that says this table."""
    _check_destination(app, table, "")
    app.library.create(template_id, table)
    return _noted(app, template_id, "made", actor)


def duplicate(app: App, template_id: str, new: str, actor: Actor, name: str = "") -> TemplateFile:
    """A copy of a template, comments included, under another id and name."""
    app.library.duplicate(template_id, new, name, by_hand=False)
    return _noted(app, new, "made", actor)


def delete(app: App, template_id: str, seen: str, actor: Actor) -> None:
    """Delete a template of one's own; a built-in one of its name is used again."""
    app.library.delete(template_id, seen)
    app.store.note("", actor, "deleted", subject=f"template:{template_id}")


def _noted(app: App, template_id: str, action: str, actor: Actor) -> TemplateFile:
    app.store.note("", actor, action, subject=f"template:{template_id}")
    return app.library.file(template_id)


def _check_destination(app: App, table: Table, before: str) -> None:
    """One that the file has named all the time stays: perhaps the configuration is what is to be mended."""
    named = table.get("destination", "")
    if named and named != before and named not in app.destinations:
        raise WrongFields({"destination": f"there is no destination '{named}' in the configuration"}, "syncd doctor")


# --- as it would come out -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Preview:
    """A post-mortem of one incident as a template would make it now. `wrong`: reasons by key, such as `sections[2].text`;
    what is wrong is left out of the page."""

    title: str
    blocks: tuple[Block, ...]
    wrong: Mapping[str, str]


def preview(app: App, template_id: str, table: Table, incident: Incident) -> Preview:
    """The page that this table would make of the incident; nothing is written anywhere."""
    words = app.words(incident)
    wrong = {error.where: error.reason for error in problems(table)}
    template = parse_template(template_id, _without(table, wrong))
    for number, section in enumerate(template.sections):
        try:
            render_text(template_id, section, incident, words.zone, from_markdown)
        except TemplateError as error:
            wrong[_where(table, wrong, number)] = error.reason
            template = _silenced(template, number)
    try:
        render_title(template.title, incident, words.zone, TITLE_LIMIT)
    except TemplateError as error:
        wrong["title"] = error.reason
        template = replace(template, title="")
    postmortem = app.wording.new_postmortem(incident, template, "")
    title = app.wording.title(incident, postmortem, words.zone, TITLE_LIMIT)
    page = compose(Local(incident, postmortem, words, title, home=True, project=_as_it_is))
    return Preview(page.title, page.blocks, wrong)


def _as_it_is(doc: Doc) -> Doc:
    return doc


def _silenced(template: Template, number: int) -> Template:
    sections = list(template.sections)
    sections[number] = replace(sections[number], text="")
    return replace(template, sections=tuple(sections))


def _where(table: Table, wrong: Mapping[str, str], number: int) -> str:
    """The key of a section's text, counted as in the table, where sections of no kind are left out."""
    left = [n for n in range(1, len(table["sections"]) + 1) if f"sections[{n}].kind" not in wrong]
    return f"sections[{left[number]}].text"


def _without(table: Table, wrong: Mapping[str, str]) -> dict[str, Any]:
    """The table without what is wrong in it."""
    sections = [
        _section_without(section, f"sections[{number}].", wrong)
        for number, section in enumerate(table.get("sections") or (), start=1)
        if f"sections[{number}].kind" not in wrong
    ]
    kept = {key: value for key, value in table.items() if key not in wrong}
    return kept | {"sections": sections or [{"kind": "summary"}]}


def _section_without(section: Table, where: str, wrong: Mapping[str, str]) -> dict[str, Any]:
    bad = [key.removeprefix(where) for key in wrong if key.startswith(where)]
    kept = {key: value for key, value in section.items() if key not in bad}
    more = {key: NOTHING_SAID[key] for key in bad if key in NOTHING_SAID}
    return kept | more | ({"id": f"section-{where[9:-2]}"} if "id" in bad else {})
