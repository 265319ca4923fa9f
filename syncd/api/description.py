"""What the OpenAPI description says beyond what routes say themselves: how to be let in, and with what they refuse."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from syncd.api.problems import MEDIA_TYPE
from syncd.api.shapes import Problem

Json = dict[str, Any]
ABOUT = """Incidents, their follow-ups, timelines and post-mortems, and the gate that lets an incident close.

A refusal is `application/problem+json` with the next step. Lists come in pages: follow `next`. Single records have an
`ETag`; `If-Match` on what changes one makes sure that it is the version you saw."""
TAGS = {
    "incidents": "Incidents: listed, read, created, imported, changed.",
    "follow-ups": "What is to be done, over all incidents.",
    "timeline": "What happened, over all incidents.",
    "post-mortems": "Post-mortems and their sections.",
    "attachments": "Pictures of in-house prose.",
    "pages": "Where post-mortems are written: exported, adopted, let go, planned, looked at.",
    "conflicts": "What both sides changed differently.",
    "flow": "May an incident close, and does its page hold what the store holds.",
    "journal": "Who did what, when, from which side.",
    "insights": "What can be learned from all incidents at once.",
    "templates": "What post-mortems are made from.",
    "health": "Whether it runs; needs no token.",
}
REFUSALS = {
    "400": "The body cannot be read.",
    "401": "The token is missing or wrong.",
    "403": "Another site asked, or the role does not allow it.",
    "404": "Nothing has this name.",
    "409": "The gate says no, or a person must look.",
    "412": "It was changed since the version that `If-Match` names.",
    "421": "Without a token: the request names another host.",
    "422": "The request cannot mean what it says.",
    "500": "An error of ours; the log tells more.",
    "503": "The store or a service does not answer.",
}
NAMES = {
    "ref": ("The incident's reference.", "INC-12"),
    "key": ("The key of the row.", "FU-1"),
    "section": ("The section's id.", "impact"),
    "task": ("The task's name in the template.", "debrief"),
    "template_id": ("The template's id: its file's name without `.toml`.", "standard"),
    "conflict_id": ("The conflict's id.", "3f2a9c01bd"),
}
ALWAYS = ("401", "403", "421", "500", "503")


def describe(web: FastAPI) -> None:
    """From now on the application's description is complete."""

    def openapi() -> Json:
        if not web.openapi_schema:
            web.openapi_schema = _complete(web)
        return web.openapi_schema

    web.openapi = openapi  # type: ignore[method-assign]  # FastAPI's own way


def _complete(web: FastAPI) -> Json:
    tags = [{"name": name, "description": text} for name, text in TAGS.items()]
    said = get_openapi(title="syncd", version=web.version, description=ABOUT, routes=web.routes, tags=tags)
    parts = said["components"]
    parts["schemas"]["Problem"] = Problem.model_json_schema()
    for name in ("HTTPValidationError", "ValidationError"):
        parts["schemas"].pop(name, None)
    parts["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer", "description": "As in `web.tokens`."}}
    for path, operations in said["paths"].items():
        if path.startswith("/api/"):
            for method, operation in operations.items():
                operation["security"] = [{"token": []}, {}]
                operation["summary"] = operation["description"].split(".")[0]
                _explain(operation.get("parameters", ()))
                operation["responses"] |= {status: _refusal(status) for status in _refusals(method, path, operation)}
    return said


def _explain(parameters: Iterable[Json]) -> None:
    for parameter in parameters:
        if parameter["in"] == "path" and parameter["name"] in NAMES:
            parameter["description"], parameter["example"] = NAMES[parameter["name"]]


def _refusals(method: str, path: str, operation: Mapping[str, Any]) -> Iterator[str]:
    yield from ALWAYS
    names = {parameter["name"] for parameter in operation.get("parameters", ())}
    if names or "requestBody" in operation:
        yield "422"
    if "requestBody" in operation:
        yield from ("400", "404")
    if "{" in path or "ref" in names:
        yield "404"
    if method != "get" or "{" in path:
        yield "409"
    if "if-match" in names:
        yield "412"


def _refusal(status: str) -> Json:
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {"description": REFUSALS[status], "content": content}
