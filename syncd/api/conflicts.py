"""Conflicts over HTTP: listed, read, settled, and the choice taken back."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response

from syncd.api import shapes
from syncd.api.bodies import Resolution
from syncd.api.caller import READS, WRITES, Seen, Who
from syncd.api.paging import Paged
from syncd.api.shapes import answers
from syncd.api.versions import Answer, IfMatch, tagged
from syncd.app import App, conflict_json
from syncd.errors import Misuse
from syncd.pages import Conflict

State = Literal["open", "page", "store", "both", "text"]


def routes(router: APIRouter, app: App) -> None:
    """Adds the routes of this resource."""
    _reading(router)
    _settling(router, app)


def _reading(router: APIRouter) -> None:
    @router.get("/conflicts", dependencies=[READS], **answers(shapes.Conflicts))
    def conflicts(
        sight: Seen,
        paging: Paged,
        ref: Annotated[str, Query(description="Only those of this incident.")] = "",
        state: Annotated[State | None, Query(description="Only those that are open, or were settled so.")] = None,
        destination: Annotated[str, Query(description="Only those of pages there.")] = "",
    ) -> Answer:
        """What both sides changed differently, with both versions, the oldest first."""

        def keep(one: Conflict) -> bool:
            return state in (None, one.state) and destination in ("", one.destination)

        page, following = paging.cut(sight.conflicts(ref or None), lambda one: one.id, keep)
        return {"conflicts": [_shown(one) for one in page], "next": following}

    @router.get("/conflicts/{conflict_id}", dependencies=[READS], **answers(shapes.OwnedConflict, versioned=True))
    def conflict(conflict_id: str, sight: Seen, response: Response) -> Answer:
        """One conflict with both versions."""
        return tagged(response, _shown(sight.conflict(conflict_id)))


def _settling(router: APIRouter, app: App) -> None:
    @router.post(
        "/conflicts/{conflict_id}/resolve",
        dependencies=[WRITES],
        **answers(shapes.OwnedConflict, versioned=True),
    )
    def resolve(conflict_id: str, body: Resolution, sight: Seen, who: Who, expected: IfMatch, response: Response) -> Answer:
        """Let one version stand, both, or another text."""
        if (body.take is None) == (body.text is None):
            raise Misuse("Say either `take` (page, store, both) or `text`.")
        with app.store.tx():
            expected.demand(f"/conflicts/{conflict_id}", _shown(sight.conflict(conflict_id)))
            return tagged(response, _shown(app.resolve(conflict_id, body.take or "", body.text, who)))

    @router.post(
        "/conflicts/{conflict_id}/undo",
        dependencies=[WRITES],
        **answers(shapes.OwnedConflict, versioned=True),
    )
    def undo(conflict_id: str, sight: Seen, who: Who, expected: IfMatch, response: Response) -> Answer:
        """Take a choice back: the conflict is open, and everything as it was before."""
        with app.store.tx():
            expected.demand(f"/conflicts/{conflict_id}", _shown(sight.conflict(conflict_id)))
            return tagged(response, _shown(app.undo_choice(conflict_id, who)))


def _shown(conflict: Conflict) -> Answer:
    return {"incident": conflict.incident, **conflict_json(conflict)}
