"""The Confluence Cloud emulator: one site with both its REST APIs, and the people who work on it.

API writes are kept almost verbatim, a person's publish regenerates the whole body. Paths are relative to the `/wiki`
context. Faults of transport (429, 5xx, lost replies) are injected around `handle` elsewhere; lag, lingering drafts and
short listings are attributes of the site, off unless set. Data Center is `confluence_dc.py`.
"""

import random
from collections.abc import Mapping
from dataclasses import replace

from providers.sandbox import confluence_dc_body, confluence_files, confluence_v1, confluence_v2, confluence_v2_tree
from providers.sandbox.confluence_body import normalise
from providers.sandbox.confluence_call import answer
from providers.sandbox.confluence_editor import converted, regenerate
from providers.sandbox.confluence_front import FrontDoor, routes
from providers.sandbox.confluence_records import Account, Page, Property, RefusedError
from providers.sandbox.confluence_scopes import suffices
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
_LEGACY = Markup(confluence_dc_body.stored, confluence_dc_body.published)
_V1_EXCEPTIONS = {400: "BadRequestException", 404: "NotFoundException", 409: "ConflictException"}


class Gateway:
    """The same site behind `api.atlassian.com`. Its answers still name the site's own host."""

    def __init__(self, site: "ConfluenceCloud") -> None:
        self._site = site

    def handle(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """Answer one request that came this way."""
        self._site.at_gateway = True
        try:
            return self._site.handle(method, path, headers, body)
        finally:
            self._site.at_gateway = False


class ConfluenceCloud(FrontDoor):
    """One Cloud site with space OPS, its homepage and the page Post-mortems (`parent_id`)."""

    markup = Markup(normalise, regenerate)
    first_properties = (("editor", "v2"), ("content-appearance-published", "fixed-width"))
    routes = (
        *routes((*confluence_v2.ROUTES, *confluence_v2_tree.ROUTES, *confluence_files.CLOUD_V2_ROUTES), "([0-9]{1,18})"),
        *routes((*confluence_v1.ROUTES, *confluence_files.CLOUD_V1_ROUTES)),
    )

    def __init__(self, clock: Clock, random: random.Random, base_url: str = "http://127.0.0.1/confluence/wiki") -> None:
        super().__init__(clock, random, base_url)
        self.grants: dict[str, frozenset[str]] = {}
        self.at_gateway = False
        self.open_door()
        self.open_first_space()

    def grant(self, login: str, *scopes: str) -> None:
        """A token with these scopes only; it is good behind the gateway and nowhere else."""
        self.grants[login] = frozenset(scopes)

    def admitted(self, login: str, method: str, path: str) -> Account:
        """The account of a login. 401 for a token with scopes at the site's own address, and for a missing scope."""
        account, granted = super().admitted(login, method, path), self.grants.get(login)
        if granted is not None and not self.at_gateway:
            raise RefusedError(401, "Unauthorized")
        if granted is not None and not suffices(granted, method, path):
            raise RefusedError(401, "Unauthorized; scope does not match")
        return account

    def only_asks(self, path: str) -> bool:
        """Look-ups that travel as POST."""
        return path.startswith(("/api/v2/users-bulk", "/api/v2/content/convert"))

    # --- the legacy editor ---

    def make_legacy(self, page_id: str) -> None:
        """A page from before the new editor: it keeps storage as Data Center does."""
        self._editor_of(self._page(page_id)).value = "v1"

    def convert_editor(self, page_id: str, account_email: str) -> None:
        """A person, or an administrator in bulk, converts a page of the legacy editor: the whole body in one version."""
        page = self._page(page_id)
        self._editor_of(page).value = "v2"
        self.publish(page, page.title, converted(page.body, self.random), self.account(account_email))

    def markup_of(self, page: Page | None) -> Markup:
        """Pages of the legacy editor are treated as in Data Center."""
        legacy = page is not None and any(one.key == "editor" and one.value == "v1" for one in page.properties.values())
        return _LEGACY if legacy else self.markup

    def _editor_of(self, page: Page) -> Property:
        return next(one for one in page.properties.values() if one.key == "editor")

    def duplicate_property(self, page_id: str, key: str) -> None:
        """Two requests at once left a second row of a property; both are refused until one of them is deleted."""
        page = self._page(page_id)
        known = next(one for one in page.properties.values() if one.key == key)
        twin = replace(known, id=self.next_id())
        page.properties[twin.id] = twin

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
