"""Templates over HTTP: read, made, changed as a whole, deleted, and shown as they would come out for an incident.

A template's version is the SHA-256 of its file, so a change by hand is noticed as one over HTTP is.
"""

from typing import Any

from fastapi import APIRouter, Response

from mapping.markdown import to_markdown
from mapping.template import as_table
from syncd import template_editing
from syncd.api import shapes
from syncd.api.bodies import NewTemplate, TemplateTable
from syncd.api.caller import ADMINISTERS, READS, Seen, Who
from syncd.api.paging import Paged
from syncd.api.shapes import answers
from syncd.api.versions import Answer, IfMatch, Outdated
from syncd.app import App
from syncd.errors import ConfigError, WrongFields
from syncd.templates import TemplateFile


def routes(router: APIRouter, app: App) -> None:
    """Adds the routes of this resource."""
    _reading(router, app)
    _changing(router, app)


def _reading(router: APIRouter, app: App) -> None:
    @router.get("/templates", dependencies=[READS], **answers(shapes.Templates))
    def templates(paged: Paged) -> Answer:
        """Yours and the built-in ones, without their sections."""
        files = [app.library.file(template_id) for template_id in app.library.ids()]
        found, following = paged.cut(files, lambda file: file.id)
        return {"templates": [_listed(file) for file in found], "next": following}

    @router.get("/templates/{template_id}", dependencies=[READS], **answers(shapes.Template, versioned=True))
    def template(template_id: str, response: Response) -> Answer:
        """A template as its file says it."""
        return _tagged(response, app.library.file(template_id))

    @router.get("/templates/{template_id}/preview", dependencies=[READS], **answers(shapes.TemplatePreview))
    def preview(template_id: str, incident: str, sight: Seen) -> Answer:
        """The page that it would make of an incident now."""
        found = sight.incident(incident)
        shown = template_editing.preview(app, template_id, _table(app.library.file(template_id)), found)
        return {
            "incident": found.reference,
            "title": shown.title,
            "markdown": to_markdown(shown.blocks),
            "wrong": shown.wrong,
        }


def _changing(router: APIRouter, app: App) -> None:
    @router.post("/templates", dependencies=[ADMINISTERS], **answers(shapes.Template, versioned=True, status=201))
    def make(body: NewTemplate, response: Response, who: Who) -> Answer:
        """A new template: a copy of one with its comments (`like`), or one that says what is sent."""
        if body.like and body.like not in app.library.ids():
            raise WrongFields({"like": f"there is no template '{body.like}'"}, "GET /api/v1/templates")
        if body.like:
            return _tagged(response, template_editing.duplicate(app, body.like, body.id, who))
        return _tagged(response, template_editing.create(app, body.id, body.table(), who))

    @router.put("/templates/{template_id}", dependencies=[ADMINISTERS], **answers(shapes.Template, versioned=True))
    def save(template_id: str, body: TemplateTable, response: Response, who: Who, expected: IfMatch) -> Answer:
        """Let it say this. A key that is absent has its default; the file's comments stay."""
        seen = _expected(app.library.file(template_id), expected)
        return _tagged(response, template_editing.save(app, template_id, body.table(), seen, who))

    @router.delete("/templates/{template_id}", status_code=204, dependencies=[ADMINISTERS])
    def delete(template_id: str, who: Who, expected: IfMatch) -> None:
        """Delete one of your own; post-mortems keep it as it was, and a built-in one of its name is used again."""
        template_editing.delete(app, template_id, _expected(app.library.file(template_id), expected), who)


def _expected(file: TemplateFile, expected: IfMatch) -> str:
    """The mark that the file must still have when it is written; empty where any will do."""
    if not expected.named or "*" in expected.named:
        return ""
    if _tag(file) not in expected.named:
        raise Outdated(_tag(file), f"GET /api/v1/templates/{file.id}")
    return file.mark


def _tag(file: TemplateFile) -> str:
    return f'"{file.mark}"'


def _tagged(response: Response, file: TemplateFile) -> Answer:
    response.headers["etag"] = _tag(file)
    return {"id": file.id, "own": file.own, **_table(file)}


def _table(file: TemplateFile) -> dict[str, Any]:
    if file.template is None:
        raise ConfigError([f"{file.path}: {file.wrong}"], "syncd template check")
    return as_table(file.template)


def _listed(file: TemplateFile) -> Answer:
    """What one wants to know before opening it; `wrong` says why it cannot be used."""
    names = ("name", "write", "destination")
    said = {name: getattr(file.template, name) or None if file.template else None for name in names}
    return {"id": file.id, "own": file.own, **said, "wrong": file.wrong or None}
