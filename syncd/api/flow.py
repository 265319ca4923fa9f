"""The gate over HTTP: may an incident close, does its page hold what the store holds, what people say about its tasks."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query

from mapping.times import span
from syncd.api import shapes
from syncd.api.bodies import Why
from syncd.api.caller import READS, WRITES, Seen, Who
from syncd.api.incidents import record
from syncd.api.postmortems import shown
from syncd.api.shapes import answers
from syncd.api.versions import Answer, IfMatch
from syncd.app import App
from syncd.errors import Misuse
from syncd.flow import export_json

PATIENCE = 20.0  # seconds that one gate may take, a large page of a slow service included
AT_ONCE = 2.0  # and many, together
MOST = 100
Within = Annotated[
    str,
    Query(
        max_length=20,
        description="While a service does not answer, a page that was in step this lately counts as fresh: `24h`.",
    ),
]
Wait = Annotated[float, Query(ge=0, le=30, description="How many seconds pages are waited for.")]
References = Annotated[Sequence[str], Query(min_length=1, max_length=MOST, description="The incidents.")]


def routes(router: APIRouter, app: App) -> None:
    """Adds the routes of this resource."""
    _asking(router, app)
    _saying(router, app)


def _asking(router: APIRouter, app: App) -> None:
    @router.get("/incidents/{ref}/flow", dependencies=[READS], **answers(shapes.Gate))
    def flow(ref: str, sight: Seen, accept_fresh_within: Within = "", wait: Wait = PATIENCE) -> Answer:
        """May this incident close, and if not, why."""
        (gate,) = app.checks([sight.incident(ref).reference], wait, _span(accept_fresh_within))
        return gate.as_json()

    @router.get("/incidents/{ref}/export-status", dependencies=[READS], **answers(shapes.Export))
    def export_status(ref: str, sight: Seen, wait: Wait = PATIENCE) -> Answer:
        """Whether the page holds what the store holds."""
        (gate,) = app.checks([sight.incident(ref).reference], wait)
        return export_json(gate.export)

    @router.get("/export-status", dependencies=[READS], **answers(shapes.Exports))
    def export_statuses(sight: Seen, ref: References, wait: Wait = AT_ONCE) -> Answer:
        """The same of several incidents. Services are asked at the same time; what was not read in time is `unknown`."""
        gates = app.checks([sight.incident(one).reference for one in dict.fromkeys(ref)], wait)
        return {"statuses": [{"incident": gate.incident, **export_json(gate.export)} for gate in gates]}


def _span(text: str) -> timedelta | None:
    if not text:
        return None
    found = span(text)
    if found is None:
        raise Misuse(f"'{text}' is no span of time such as 24h, 90m or 2d.")
    return found


def _saying(router: APIRouter, app: App) -> None:
    @router.post("/incidents/{ref}/flow/agree", dependencies=[WRITES], **answers(shapes.Gate))
    def agree(ref: str, body: Why, sight: Seen, who: Who, expected: IfMatch) -> Answer:
        """Let an incident stay closed that was closed elsewhere although the gate said no; the reason is journalled."""
        with app.store.tx():
            expected.demand(f"/incidents/{ref}", record(sight.incident(ref)))
            app.agree_to_close(ref, body.why, who)
        return _gate(app, ref)

    @router.post("/incidents/{ref}/flow/{task}/done", dependencies=[WRITES], **answers(shapes.Gate))
    def done(ref: str, task: str, sight: Seen, who: Who, expected: IfMatch) -> Answer:
        """A manual task is done; answers the gate."""
        with app.store.tx():
            expected.demand(f"/incidents/{ref}/postmortem", shown(app, sight.incident(ref).reference))
            app.mark_task(ref, task, True, "", who)
        return _gate(app, ref)

    @router.post("/incidents/{ref}/flow/{task}/undo", dependencies=[WRITES], **answers(shapes.Gate))
    def undo(ref: str, task: str, sight: Seen, who: Who, expected: IfMatch) -> Answer:
        """It is not done after all, or not skipped; answers the gate."""
        with app.store.tx():
            expected.demand(f"/incidents/{ref}/postmortem", shown(app, sight.incident(ref).reference))
            app.mark_task(ref, task, False, "", who)
        return _gate(app, ref)

    @router.post("/incidents/{ref}/flow/{task}/skip", dependencies=[WRITES], **answers(shapes.Gate))
    def skip(ref: str, task: str, body: Why, sight: Seen, who: Who, expected: IfMatch) -> Answer:
        """Let the incident close without a task; the reason is journalled. Answers the gate."""
        with app.store.tx():
            expected.demand(f"/incidents/{ref}/postmortem", shown(app, sight.incident(ref).reference))
            app.mark_task(ref, task, False, body.why, who)
        return _gate(app, ref)


def _gate(app: App, ref: str) -> Answer:
    return app.checks([ref], PATIENCE)[0].as_json()
