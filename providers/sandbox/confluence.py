"""The Confluence Cloud emulator: one site with both its REST APIs, and the people who work on it.

API writes are kept almost verbatim, a person's publish regenerates the whole body. Paths are relative to the `/wiki`
context. Faults of transport (429, 5xx, lost replies) are injected around `handle` elsewhere; lag, lingering drafts and
short listings are attributes of the site, off unless set. Data Center is `confluence_dc.py`.
"""

import random

from providers.sandbox import confluence_v1, confluence_v2
from providers.sandbox.confluence_body import normalise
from providers.sandbox.confluence_call import answer
from providers.sandbox.confluence_editor import regenerate
from providers.sandbox.confluence_front import FrontDoor, routes
from providers.sandbox.confluence_records import RefusedError
from providers.sandbox.confluence_site import Markup
from providers.sandbox.wire import Clock, Reply

_V1 = "/rest/"
_CODES = {
    400: "INVALID_REQUEST_PARAMETER",
    401: "UNAUTHORIZED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    409: "CONFLICT",
    410: "GONE",
    413: "PAYLOAD_TOO_LARGE",
    415: "UNSUPPORTED_MEDIA_TYPE",
}
_V1_EXCEPTIONS = {400: "BadRequestException", 404: "NotFoundException", 409: "ConflictException"}


class ConfluenceCloud(FrontDoor):
    """One Cloud site with space OPS, its homepage and the page Post-mortems (`parent_id`)."""

    markup = Markup(normalise, regenerate)
    first_properties = (("editor", "v2"), ("content-appearance-published", "fixed-width"))
    routes = (*routes(confluence_v2.ROUTES, "([0-9]{1,18})"), *routes(confluence_v1.ROUTES))

    def __init__(self, clock: Clock, random: random.Random, base_url: str = "http://127.0.0.1/confluence/wiki") -> None:
        super().__init__(clock, random, base_url)
        self.open_door()
        self.open_first_space()

    def only_asks(self, path: str) -> bool:
        """Look-ups that travel as POST."""
        return path.startswith(("/api/v2/users-bulk", "/api/v2/content/convert"))

    def refusal(self, path: str, refused: RefusedError) -> Reply:
        """An error in the envelope of the API that was called."""
        if refused.status == 401:
            return answer(401, {"code": 401, "message": refused.reason})
        if path.startswith(_V1):
            name = _V1_EXCEPTIONS.get(refused.status)
            prefix = f"com.atlassian.confluence.api.service.exceptions.{name}: " if name else ""
            about = {"authorized": refused.status != 403, "valid": True, "errors": [], "successful": False}
            message = f"{prefix}{refused.reason}"
            return answer(refused.status, {"statusCode": refused.status, "data": about, "message": message})
        code = _CODES.get(refused.status, "ERROR")
        error = {"status": refused.status, "code": code, "title": refused.reason, "detail": None}
        return answer(refused.status, {"errors": [error]})
