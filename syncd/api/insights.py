"""Insights over HTTP: what can be learned from all incidents at once, as JSON or CSV."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from fastapi.responses import JSONResponse

from syncd.api.caller import READS, Seen
from syncd.api.versions import Answer
from syncd.app import App
from syncd.insights import INSIGHTS


def routes(router: APIRouter, app: App) -> None:
    """Adds the routes of this resource."""

    @router.get("/insights", dependencies=[READS])
    def insights(sight: Seen) -> Answer:
        """All insights without their rows."""
        every = (sight.insight(name).as_json() for name in INSIGHTS)
        return {"insights": [{key: value for key, value in one.items() if key != "rows"} for one in every]}

    csv = {"text/csv": {"schema": {"type": "string"}}}

    @router.get("/insights/{name}", dependencies=[READS], response_class=JSONResponse, responses={200: {"content": csv}})
    def insight(
        name: str, sight: Seen, format: Annotated[Literal["json", "csv"], Query(description="How it is told.")] = "json"
    ) -> Response:
        """One insight with its rows."""
        found = sight.insight(name)
        if format == "json":
            return JSONResponse(found.as_json())
        headers = {"content-disposition": f'attachment; filename="{found.name}.csv"'}
        return Response(found.as_csv(), media_type="text/csv", headers=headers)
