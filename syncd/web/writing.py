"""The page where a post-mortem is written in-house: an editor for each section, with what it reminds of beside it.

Saving is the HTTP interface's, with a merge by `syncd/writing.py`; the script is `static/write.js`. While prose is written
on a page elsewhere, sections are shown here as they are, with a link.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import FastAPI
from fastapi.responses import HTMLResponse, Response
from markupsafe import Markup
from pydantic import BaseModel, Field

from mapping.incident import Incident, Postmortem, PostmortemStatus, Section
from mapping.markdown import from_markdown, to_markdown
from mapping.rows import FieldSpec, Vocabulary, label
from syncd.app import App
from syncd.errors import UnknownReference
from syncd.pages import Page
from syncd.store.attachments import KINDS, LARGEST
from syncd.viewer import viewer
from syncd.web.incident_view import KINDS as HEADINGS
from syncd.web.prose import prose, safe_link
from syncd.web.site import Site
from syncd.writing import version

INPUTS = {"number": "number", "date": "date"}  # by type of the field; all others are text
PICTURES = f"{KINDS}, up to {LARGEST // 2**20} MiB"


@dataclass(frozen=True, slots=True)
class Reminder:
    """A custom field that a section reminds of."""

    id: str
    label: str
    value: str
    input: str
    options: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Chapter:
    """A section that people write. `version` tells whether what the store holds is still this."""

    id: str
    heading: str
    help: Markup
    reminders: Sequence[Reminder]
    markdown: str
    version: str
    body: Markup
    unwritten: bool


@dataclass(frozen=True, slots=True)
class Sheet:
    """Everything on the page. `home` is where prose is written, None for here, with its address in `link`; `may_write`:
    whoever looks may change what is there."""

    incident: Incident
    postmortem: Postmortem
    chapters: Sequence[Chapter]
    home: Page | None
    link: str
    may_write: bool
    statuses: Sequence[PostmortemStatus] = tuple(PostmortemStatus)
    pictures: str = PICTURES

    @property
    def open(self) -> bool:
        """There are editors."""
        return self.may_write and not self.postmortem.home


class Draft(BaseModel):
    """A text that nobody saved yet."""

    markdown: str = Field(max_length=1_000_000)


def mount(web: FastAPI, site: Site) -> None:
    """Adds `/incidents/REF/write` and its live parts."""

    def sheet(ref: str) -> Sheet:
        return sheet_of(site.app, site.sight.incident(ref))

    @web.get("/incidents/{ref}/write", include_in_schema=False)
    def write(ref: str) -> Response:
        try:
            found = sheet(ref)
        except UnknownReference as problem:
            return site.missing(problem)
        return site.render("write.html", {"sheet": found, "here": "incident"})

    @web.get("/incidents/{ref}/write/events", include_in_schema=False)
    def versions(ref: str) -> Response:
        """Which sections changed, whenever one did."""
        sheet(ref)
        return site.events(lambda: _versions(sheet(ref)))

    @web.get("/incidents/{ref}/written/events", include_in_schema=False)
    def read(ref: str) -> Response:
        """The sections as they are, whenever they change."""
        sheet(ref)
        return site.events(lambda: site.text("_written.html", {"sheet": sheet(ref)}))

    @web.post("/incidents/{ref}/write/preview", include_in_schema=False)
    def preview(ref: str, body: Draft) -> HTMLResponse:
        """A text as it will look."""
        site.sight.incident(ref)
        return HTMLResponse(prose(from_markdown(body.markdown)))


def sheet_of(app: App, incident: Incident) -> Sheet:
    """The page now. Raises UnknownReference where there is no post-mortem."""
    postmortem = app.lookup.postmortem(incident.reference)
    words = app.words(incident)
    pages = app.store.pages(incident.reference)
    home = next((page for page in pages if page.destination == postmortem.home and not page.copy), None)
    return Sheet(
        incident=incident,
        postmortem=postmortem,
        chapters=[_chapter(incident, s, words) for s in postmortem.sections if s.kind in ("text", "summary")],
        home=home,
        link=safe_link(home.url) if home else "",
        may_write=viewer().may("write"),
    )


def _chapter(incident: Incident, section: Section, words: Vocabulary) -> Chapter:
    blocks = incident.prose(section)
    return Chapter(
        id=section.id,
        heading=section.heading or HEADINGS.get(section.kind, "Introduction"),
        help=prose(from_markdown(section.help)) if section.reminds else Markup(""),
        reminders=[_reminder(name, incident, words) for name in section.custom_fields],
        markdown=to_markdown(blocks).rstrip("\n"),
        version=version(blocks),
        body=prose(blocks),
        unwritten=section.unwritten,
    )


def _reminder(name: str, incident: Incident, words: Vocabulary) -> Reminder:
    spec = words.fields.get(name, FieldSpec())
    value = incident.custom_fields.get(name, "")
    return Reminder(name, label(f"field:{name}", words), value, INPUTS.get(spec.type, "text"), spec.options)


def _versions(sheet: Sheet) -> str:
    """For the script: where prose is written, and a version of each section."""
    return json.dumps({"home": sheet.postmortem.home, "versions": {c.id: c.version for c in sheet.chapters}})
