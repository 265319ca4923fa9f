"""Post-mortems over HTTP: listed, read, created, moved, written."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query, Response

from mapping.commands import Actor
from mapping.incident import PostmortemStatus
from syncd.api import shapes
from syncd.api.bodies import NewPostmortem, Prose, Status
from syncd.api.caller import READS, WRITES, Seen, Who
from syncd.api.incidents import record
from syncd.api.paging import Paged
from syncd.api.shapes import answers
from syncd.api.versions import Answer, IfMatch, tagged
from syncd.app import App
from syncd.errors import UnknownReference
from syncd.store.lists import PostmortemListed, WantedPostmortems
from syncd.writing import written_json


def routes(router: APIRouter, app: App) -> None:
    """Adds the routes of this resource."""
    _listing(router, app)
    _reading(router, app)
    _changing(router, app)


def _listing(router: APIRouter, app: App) -> None:
    @router.get("/postmortems", dependencies=[READS], **answers(shapes.Postmortems))
    def postmortems(
        sight: Seen,
        paging: Paged,
        status: Annotated[Sequence[PostmortemStatus], Query(description="Only those that are so.")] = (),
        template: Annotated[str, Query(description="Only those made from this template.")] = "",
        home: Annotated[str, Query(description="Only those written at this destination; `in-house` is none.")] = "",
    ) -> Answer:
        """Post-mortems without their sections, those of the oldest incident first."""
        wanted = WantedPostmortems(tuple(status), template, {"": None, "in-house": ""}.get(home, home))
        page, following = paging.page(sight.postmortems(wanted, paging.part), lambda one: one.incident)
        return {"postmortems": [_brief(app, one) for one in page], "next": following}


def _brief(app: App, one: PostmortemListed) -> Answer:
    pages = [app.page_json(page) for page in app.store.pages(one.incident)]
    return {**one._asdict(), "home": one.home or None, "pages": pages}


def _reading(router: APIRouter, app: App) -> None:
    @router.get(
        "/incidents/{ref}/postmortem",
        dependencies=[READS],
        **answers(shapes.Postmortem, versioned=True),
    )
    def postmortem(ref: str, sight: Seen, response: Response) -> Answer:
        """Sections as Markdown, pages, conflicts."""
        return tagged(response, shown(app, sight.incident(ref).reference))

    @router.get(
        "/incidents/{ref}/postmortem/sections/{section}",
        dependencies=[READS],
        **answers(shapes.Section, versioned=True),
    )
    def one_section(ref: str, section: str, sight: Seen, response: Response) -> Answer:
        """One section, with a version of its own."""
        return tagged(response, _section(shown(app, sight.incident(ref).reference), section))


def _changing(router: APIRouter, app: App) -> None:
    @router.post(
        "/incidents/{ref}/postmortem",
        dependencies=[WRITES],
        **answers(shapes.Postmortem, versioned=True, status=201),
    )
    def create(ref: str, body: NewPostmortem, sight: Seen, who: Who, expected: IfMatch, response: Response) -> Answer:
        """Record a post-mortem; it is published at the next pass."""
        with app.store.tx():
            incident = sight.incident(ref)
            expected.demand(f"/incidents/{ref}", record(incident))
            app.create_postmortem(incident.reference, body.template, body.destination, who)
        response.headers["location"] = f"/api/v1/incidents/{ref}/postmortem"
        return tagged(response, app.postmortem_json(ref))

    @router.post(
        "/incidents/{ref}/postmortem/status",
        dependencies=[WRITES],
        **answers(shapes.Postmortem, versioned=True),
    )
    def status(ref: str, body: Status, sight: Seen, who: Who, expected: IfMatch, response: Response) -> Answer:
        """Move the post-mortem."""
        with app.store.tx():
            found = sight.incident(ref).reference
            expected.demand(f"/incidents/{ref}/postmortem", shown(app, found))
            app.set_status(found, body.status, who)
        return tagged(response, app.postmortem_json(ref))

    @router.put(
        "/incidents/{ref}/postmortem/sections/{section}",
        dependencies=[WRITES],
        **answers(shapes.Postmortem, versioned=True),
    )
    def write(ref: str, section: str, body: Prose, sight: Seen, who: Who, expected: IfMatch, response: Response) -> Answer:
        """Write a section in the store; with a `base`, `written` says what was merged into it. `If-Match` names a version of
        the section or of the whole post-mortem."""
        with app.store.tx():
            found = shown(app, sight.incident(ref).reference)
            expected.demand(f"/incidents/{ref}/postmortem/sections/{section}", _section(found, section), found)
            merged = _write(app, ref, section, body, who)
        return {**tagged(response, app.postmortem_json(ref)), **merged}


def _write(app: App, ref: str, section: str, body: Prose, who: Actor) -> Answer:
    if body.base is None:
        app.edit_section(ref, section, body.markdown, who)
        return {}
    return {"written": written_json(app.save_section(ref, section, body.markdown, body.base, body.editor, who))}


def shown(app: App, ref: str) -> Answer:
    """A post-mortem in its public shape. Raises UnknownReference where the incident has none."""
    if app.store.postmortem(ref) is None:
        raise UnknownReference("post-mortem of", ref, (), f"syncd postmortem create {ref} --template standard")
    return app.postmortem_json(ref)


def _section(postmortem: Answer, section: str) -> Answer:
    sections = {one["id"]: one for one in postmortem["sections"]}
    if section not in sections:
        raise UnknownReference("section", section, sections, f"syncd postmortem show {postmortem['incident']}")
    return dict(sections[section])
