"""Exporting a post-mortem: where to, how the page will look, what cannot travel; and bringing it home again."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Literal

from fastapi import FastAPI, Form
from fastapi.responses import RedirectResponse, Response
from markupsafe import Markup

from mapping.incident import Incident, Postmortem
from providers.contract import ProviderError
from syncd.app import App
from syncd.errors import Misuse, UnknownReference
from syncd.reconcile import Destination
from syncd.viewer import viewer
from syncd.web.prose import prose
from syncd.web.site import Site


@dataclass(frozen=True, slots=True)
class Choice:
    """A destination: `note` says what is special about it, `refused` why it cannot be chosen."""

    name: str
    note: str
    refused: str


@dataclass(frozen=True, slots=True)
class Options:
    """Everything on the page but the preview. `chosen` is empty where nothing can be chosen."""

    incident: Incident
    postmortem: Postmortem
    choices: Sequence[Choice]
    chosen: str


@dataclass(frozen=True, slots=True)
class Shown:
    """The page as it will be, or why that cannot be shown."""

    destination: str
    title: str = ""
    body: Markup = field(default_factory=Markup)
    left: tuple[str, ...] = ()
    trouble: str = ""


def mount(web: FastAPI, site: Site) -> None:
    """Adds `/incidents/REF/export` and `/incidents/REF/home`."""
    app = site.app

    @web.get("/incidents/{ref}/export", include_in_schema=False)
    def options(ref: str, to: str = "") -> Response:
        try:
            found = options_of(app, site.sight.incident(ref), to)
        except UnknownReference as problem:
            return site.missing(problem)
        return site.render("export.html", {"options": found, "here": "incident"})

    @web.get("/incidents/{ref}/export/preview", include_in_schema=False)
    def preview(ref: str, to: str = "") -> Response:
        """The page as it will be at this destination."""
        return site.render("_export.html", {"shown": _shown(app, site.sight.incident(ref).reference, to)})

    @web.post("/incidents/{ref}/export", include_in_schema=False)
    def export(ref: str, to: Annotated[str, Form()], how: Annotated[Literal["export", "copy"], Form()]) -> Response:
        """Do it, and show what is written."""
        found = site.sight.incident(ref).reference
        app.export_postmortem(found, to, how == "copy", viewer().actor)
        return RedirectResponse(f"/incidents/{found}" + ("" if how == "copy" else "/write"), 303)

    @web.post("/incidents/{ref}/home", include_in_schema=False)
    def home(ref: str) -> Response:
        """Prose is written here again."""
        found = site.sight.incident(ref).reference
        app.bring_home(found, viewer().actor)
        return RedirectResponse(f"/incidents/{found}/write", 303)


def options_of(app: App, incident: Incident, to: str) -> Options:
    """What can be chosen. Raises UnknownReference where there is no post-mortem."""
    postmortem = app.lookup.postmortem(incident.reference)
    usual = app.wording.usual_destination(incident.reference)
    choices = [_choice(app, incident, place, usual) for place in app.destinations.values()]
    free = [choice.name for choice in choices if not choice.refused]
    chosen = next((name for name in (to, usual, *free) if name in free), "")
    return Options(incident, postmortem, choices, chosen)


def _choice(app: App, incident: Incident, place: Destination, usual: str) -> Choice:
    notes = ["private" if place.private else "", "the template's own" if place.name == usual else ""]
    return Choice(place.name, ", ".join(filter(None, notes)), " ".join(_refusals(app, incident, place)))


def _refusals(app: App, incident: Incident, place: Destination) -> Iterator[str]:
    if not place.admits(incident):
        yield "The incident is private, and this destination is not."
    page = app.lookup.page_at(incident.reference, place.name)
    if page and (page.copy or app.lookup.postmortem(incident.reference).home == place.name):
        yield "It is there already, as a copy." if page.copy else "It is written there."


def _shown(app: App, ref: str, to: str) -> Shown:
    try:
        found = app.export_preview(ref, to)
    except (Misuse, ProviderError) as problem:
        return Shown(to, trouble=str(problem))
    return Shown(to, found.title, prose(found.blocks), found.left)
