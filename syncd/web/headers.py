"""What browsers are told with every answer: to run and load nothing but our own files, and to guess nothing."""

from collections.abc import Mapping

from fastapi.responses import Response

POLICY = "; ".join(
    (
        "default-src 'self'",
        "img-src 'self' data:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'self'",
    )
)
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
KEPT = "max-age=31536000"  # a static file's address changes with it


def secured(answer: Response, path: str = "") -> Response:
    """The answer with what every one carries; a policy of its own stays."""
    for name, value in HEADERS.items():
        answer.headers.setdefault(name, value)
    answer.headers["Cache-Control"] = KEPT if path.startswith("/static/") else HEADERS["Cache-Control"]
    return answer
