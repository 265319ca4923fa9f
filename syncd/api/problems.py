"""Every refusal in one shape, `application/problem+json` (RFC 9457): `type`, `title`, `status`, `detail`, and of our own
`code` for programs, `next` (the command or request that helps, may be null) and `reasons` (sentences, mostly none).
"""

from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from syncd.api.versions import Outdated
from syncd.errors import (
    ChangedMeanwhile,
    Forbidden,
    KeptElsewhere,
    Misuse,
    ProviderDown,
    RefusedByGate,
    StoreError,
    SyncdError,
    UnknownReference,
    WrongFields,
)
from syncd.web.headers import secured

MEDIA_TYPE = "application/problem+json"
DESCRIPTION = "GET /api/v1/openapi.json"
CODES: tuple[tuple[type[SyncdError], int, str], ...] = (
    (Outdated, 412, "outdated"),
    (ChangedMeanwhile, 412, "outdated"),
    (WrongFields, 422, "wrong_fields"),
    (KeptElsewhere, 409, "kept_elsewhere"),
    (UnknownReference, 404, "not_found"),
    (Misuse, 422, "misuse"),
    (Forbidden, 403, "forbidden"),
    (RefusedByGate, 409, "refused_by_gate"),
    (StoreError, 503, "store_unavailable"),
    (ProviderDown, 503, "provider_unavailable"),
    (SyncdError, 409, "needs_person"),
)
STATUS_CODES = {401: "no_token", 403: "forbidden", 404: "not_found", 405: "wrong_method"}
TITLES = {
    "cross_origin": "Another site asked",
    "error": "Refused",
    "forbidden": "Not allowed",
    "internal": "An error of ours",
    "invalid": "Not understood",
    "kept_elsewhere": "Not ours to write",
    "misuse": "Cannot be meant",
    "needs_person": "A person must look",
    "no_token": "No token",
    "not_found": "Not found",
    "outdated": "Changed meanwhile",
    "provider_unavailable": "A service does not answer",
    "refused_by_gate": "The gate says no",
    "store_unavailable": "The store does not answer",
    "too_many_guesses": "Too many wrong tokens",
    "wrong_fields": "Fields are wrong",
    "wrong_host": "Wrong host",
    "wrong_method": "Wrong method",
}


def problem(status: int, code: str, detail: str, hint: str = "", reasons: tuple[str, ...] = (), **more: Any) -> JSONResponse:
    """A refusal in its one shape."""
    named = {"type": f"urn:problem-type:syncd:{code}", "title": TITLES[code], "status": status, "detail": detail}
    return JSONResponse(
        {**named, "code": code, "next": hint or None, "reasons": reasons, **more}, status, media_type=MEDIA_TYPE
    )


def answer_problems(web: FastAPI) -> None:
    """From now on whatever is raised by a route is answered as a problem."""

    @web.exception_handler(SyncdError)
    async def refused(request: Request, error: SyncdError) -> Response:
        return of_error(error)

    @web.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        said = tuple(f"{'.'.join(str(part) for part in e['loc'][1:])}: {e['msg']}" for e in error.errors())
        return problem(422, "invalid", "; ".join(said), DESCRIPTION, said)

    @web.exception_handler(Exception)
    async def surprise(request: Request, error: Exception) -> Response:
        return secured(problem(500, "internal", "An error of ours; the log tells more."))  # outside of all that adds headers

    @web.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> Response:
        code = STATUS_CODES.get(error.status_code, "error")
        return problem(error.status_code, code, str(error.detail), DESCRIPTION)


def of_error(error: SyncdError) -> JSONResponse:
    """What went wrong for a person, as it is answered to a program."""
    status, code = next((status, code) for kind, status, code in CODES if isinstance(error, kind))
    reasons = error.reasons if isinstance(error, RefusedByGate) else ()
    answer = problem(status, code, str(error), error.hint, reasons, **_more(error))
    if isinstance(error, Outdated | ChangedMeanwhile):
        answer.headers["etag"] = _tag(error)
    return answer


def _more(error: SyncdError) -> dict[str, Any]:
    """What only some refusals tell."""
    match error:
        case Outdated() | ChangedMeanwhile():
            return {"current": _tag(error)}
        case WrongFields():
            return {"fields": error.fields}
        case KeptElsewhere():
            return {"diff": error.diff}
    return {}


def _tag(error: Outdated | ChangedMeanwhile) -> str:
    return error.current if isinstance(error, Outdated) else f'"{error.current}"'
