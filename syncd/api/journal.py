"""The journal over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Query

from mapping.times import iso
from syncd.api import shapes
from syncd.api.caller import READS, Seen
from syncd.api.paging import Paged
from syncd.api.shapes import answers
from syncd.api.versions import Answer
from syncd.app import App
from syncd.errors import Misuse
from syncd.store.journal import JournalLine


def routes(router: APIRouter, app: App) -> None:
    """Adds the routes of this resource."""

    @router.get("/journal", dependencies=[READS], **answers(shapes.Journal))
    def journal(
        sight: Seen,
        paging: Paged,
        ref: Annotated[str, Query(description="Only this incident.")] = "",
        side: Annotated[str, Query(description="Only what came from this side: `store`, `page` or `import`.")] = "",
        action: Annotated[str, Query(description="Only this, such as `set` or `closed past the gate`.")] = "",
    ) -> Answer:
        """What happened, oldest first: who, when, from which side. Without `after` the last lines; `after` is the id of a
        line, 0 for the beginning."""

        def keep(line: JournalLine) -> bool:
            return side in ("", line.actor.side) and action in ("", line.action)

        lines = sight.journal(ref or None, paging.limit, _number(paging.after) if paging.after else None)
        more = bool(paging.after) and len(lines) == paging.limit
        return {
            "lines": [_line(line) for line in lines if keep(line)],
            "next": paging.at(str(lines[-1].id)) if more else None,
        }


def _number(after: str) -> int:
    if not (after.isascii() and after.isdigit() and len(after) < 16):
        raise Misuse("`after` is the id of a journal line.", "GET /api/v1/journal")
    return int(after)


def _line(line: JournalLine) -> Answer:
    """One journal line with its actor flat."""
    who = {"side": line.actor.side, "by": line.actor.name or None, "destination": line.actor.page or None}
    what = {name: getattr(line, name) for name in ("action", "subject", "field", "old", "new")}
    return {"id": line.id, "at": iso(line.at), "incident": line.incident or None, **who, **what}
