"""Settings, post-mortems: the templates there are, and each of them in a form with a live preview.

What the form says and what its buttons do is `template_form.py`'s; saving goes through `template_editing.py`, as over HTTP.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.responses import RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from syncd import pausing, template_editing
from syncd.errors import ChangedMeanwhile, KeptElsewhere, Misuse, SyncdError, UnknownReference, WrongFields
from syncd.store.overview import Wanted
from syncd.templates import TemplateFile
from syncd.viewer import demand, viewer
from syncd.web import template_form
from syncd.web.prose import prose
from syncd.web.site import Link, Site
from syncd.web.template_form import TemplateForm

OFFERED = 30  # incidents in the picker of the preview; any other can be typed


def mount(web: FastAPI, site: Site) -> None:
    """Adds `/settings` and the pages of templates below it."""
    site.links.append(Link("settings", "/settings", "Settings", "admin"))
    router = settings_router()
    _list(router, site)
    _editor(router, site)
    web.include_router(router)


def settings_router() -> APIRouter:
    """For pages below `/settings`, which are for those who may change how it runs."""

    async def administers() -> None:
        demand("admin")

    return APIRouter(prefix="/settings", include_in_schema=False, dependencies=[Depends(administers)])


async def fields(request: Request) -> list[tuple[str, str]]:
    """What a form sent, in its order; files are no part of it."""
    return [(name, value) for name, value in (await request.form()).multi_items() if isinstance(value, str)]


# --- the list -----------------------------------------------------------------------------------------------------------


def _list(router: APIRouter, site: Site) -> None:
    @router.get("")
    def templates() -> Response:
        return _listed(site)

    @router.post("/templates")
    async def make(request: Request) -> Response:
        """A new template, empty or like another; its form opens."""
        typed = dict(await fields(request))
        return await run_in_threadpool(_make, site, typed)


def _listed(site: Site, status: int = 200, typed: Mapping[str, str] | None = None, refused: object = None) -> Response:
    library, destinations = site.app.library, site.app.destinations
    files = [library.file(template_id) for template_id in library.ids()]
    values = {"files": files, "kept": library.kept_elsewhere(), "destinations": destinations}
    return site.render("settings.html", {**values, "typed": typed or {}, "refused": refused, "here": "settings"}, status)


def _make(site: Site, typed: Mapping[str, str]) -> Response:
    name, like = typed.get("name", "").strip(), typed.get("like", "")
    template_id = template_form.slug(name, "-") or "template"  # a name in other letters than a file's
    try:
        if not name:
            raise Misuse("Give the new template a name.")
        made = _made(site, template_id, name, like)
    except SyncdError as error:
        return _listed(site, 422, typed, error)
    return RedirectResponse(_address(made.id), 303)


def _made(site: Site, template_id: str, name: str, like: str) -> TemplateFile:
    if like:
        return template_editing.duplicate(site.app, like, template_id, viewer().actor, name)
    return template_editing.create(site.app, template_id, {**template_editing.BLANK, "name": name}, viewer().actor)


def _address(template_id: str) -> str:
    return f"/settings/templates/{quote(template_id)}"


# --- one template -------------------------------------------------------------------------------------------------------


def _editor(router: APIRouter, site: Site) -> None:
    @router.get("/templates/{template_id}")
    def template(template_id: str, saved: bool = False) -> Response:
        try:
            file = site.app.library.file(template_id)
        except UnknownReference as problem:
            return site.missing(problem)
        if file.template is None:
            return site.render("settings_broken.html", {"file": file, "here": "settings"})
        return _shown(site, template_id, template_form.of_template(file.template, file.mark), saved=saved)

    @router.post("/templates/{template_id}")
    async def save(template_id: str, request: Request) -> Response:
        """Into its file; where that is refused, the form comes back as it was typed, with the reasons."""
        form = template_form.of_fields(await fields(request))
        return await run_in_threadpool(_save, site, template_id, form)

    @router.post("/templates/{template_id}/form")
    async def button(template_id: str, request: Request) -> Response:
        """The form after one of its buttons; nothing is saved."""
        sent = await fields(request)
        form = template_form.pressed(template_form.of_fields(sent), dict(sent).get("do", ""))
        name = "_template_form.html" if "hx-request" in request.headers else "settings_template.html"
        answer = await run_in_threadpool(_shown, site, template_id, form, name=name)
        answer.headers["hx-trigger-after-settle"] = "refresh"  # the preview is of what the form says now
        return answer

    @router.post("/templates/{template_id}/preview")
    async def preview(template_id: str, request: Request) -> Response:
        """What the form as it stands would make of an incident."""
        form = template_form.of_fields(await fields(request))
        return await run_in_threadpool(_preview, site, template_id, form)

    @router.post("/templates/{template_id}/delete")
    async def delete(template_id: str, request: Request) -> Response:
        seen = dict(await fields(request)).get("seen", "")
        return await run_in_threadpool(_delete, site, template_id, seen)


def _save(site: Site, template_id: str, form: TemplateForm) -> Response:
    def refused(status: int, error: SyncdError, **more: Any) -> Response:
        return _shown(site, template_id, form, status, refused=error, **more)

    form = template_form.pressed(form, "task-add")  # one that was typed and not added yet
    try:
        template_editing.save(site.app, template_id, template_form.table(form), form.seen, viewer().actor)
    except WrongFields as error:
        return refused(422, error, wrong=template_form.by_control(form, error.fields))
    except KeptElsewhere as error:
        return refused(409, error, diff=error.diff)
    except ChangedMeanwhile as error:
        theirs = site.app.library.file(template_id)
        changes = site.app.library.changes(template_id, template_form.table(form))
        return refused(412, error, theirs=theirs, diff=changes)
    except SyncdError as error:
        return refused(422, error)
    return RedirectResponse(f"{_address(template_id)}?saved=true", 303)


def _delete(site: Site, template_id: str, seen: str) -> Response:
    try:
        template_editing.delete(site.app, template_id, seen, viewer().actor)
    except SyncdError as error:
        return _listed(site, 409, refused=error)
    return RedirectResponse("/settings", 303)


def _shown(
    site: Site,
    template_id: str,
    form: TemplateForm,
    status: int = 200,
    *,
    name: str = "settings_template.html",
    **more: Any,
) -> Response:
    app = site.app
    values: dict[str, Any] = {
        "id": template_id,
        "form": form,
        "file": app.library.file(template_id),
        "kept": app.library.kept_elsewhere(),
        "destinations": app.destinations,
        "paused": [name for name in app.destinations if pausing.paused_by(app, name)],
        "fields": app.wording.house.fields,
        "incidents": app.store.overview(Wanted(count=OFFERED), site.sight.visible),
        "wrong": {},
        "refused": None,
        "diff": "",
        "theirs": None,
        "saved": False,
        "here": "settings",
    }
    return site.render(name, values | more, status)


def _preview(site: Site, template_id: str, form: TemplateForm) -> Response:
    values: dict[str, Any] = {"form": form, "missing": "", "title": "", "body": "", "wrong": []}
    try:
        incident = site.sight.incident(form.incident)
    except UnknownReference as error:
        return site.render("_template_preview.html", values | {"missing": str(error) if form.incident else "…"})
    shown = template_editing.preview(site.app, template_id, template_form.table(form), incident)
    wrong = [(_place(form, key), reason) for key, reason in shown.wrong.items()]
    found = {"title": shown.title, "body": prose(shown.blocks), "wrong": wrong}
    return site.render("_template_preview.html", values | found)


def _place(form: TemplateForm, key: str) -> str:
    """A key as a person finds it on the page: the heading of its section."""
    for control in template_form.by_control(form, {key: ""}):
        token, _, name = control.partition(".")
        headings = [part.section.heading or "New section" for part in form.kept if part.token == token]
        return f"{headings[0]}, {name.replace('_', ' ')}" if headings else control.replace("_", " ").capitalize()
    return key
