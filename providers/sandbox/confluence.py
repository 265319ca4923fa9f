"""The Confluence Cloud emulator: a site that answers HTTP requests, and the people who work on it.

`handle` is the REST side: API writes are kept almost verbatim. The other methods are people in the web interface,
whose publish regenerates the whole body, who tick boxes and leave drafts. Paths are relative to the `/wiki` context.
Faults of transport (429, 5xx, lost replies) are injected around `handle` elsewhere; lag, lingering drafts and short
listings are attributes of the site, off unless set.
"""

import base64
import binascii
import json
import random
import re
from collections.abc import Callable, Iterator, Mapping
from urllib.parse import unquote

from providers.sandbox import confluence_v1, confluence_v2
from providers.sandbox.confluence_call import Call, answer, read_query
from providers.sandbox.confluence_editor import regenerate, with_new_macro_ids
from providers.sandbox.confluence_markup import MalformedMarkupError
from providers.sandbox.confluence_site import Page, RefusedError, Site
from providers.sandbox.wire import Clock, Reply

_LARGEST = 5 * 1024 * 1024
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
_Handler = Callable[[Call], Reply]


def _pattern(template: str) -> re.Pattern[str]:
    """A route's path; v2 ids are numeric, v1 parts may be words."""
    part = "([^/]+)" if template.startswith(_V1) else "([0-9]{1,18})"
    return re.compile(re.escape(template).replace(r"\{\}", part))


_ROUTES = [(m, _pattern(path), run) for m, path, run in (*confluence_v2.ROUTES, *confluence_v1.ROUTES)]


class ConfluenceCloud(Site):
    """One Cloud site with space OPS, its homepage and the page Post-mortems (`parent_id`)."""

    def __init__(self, clock: Clock, random: random.Random, base_url: str = "http://127.0.0.1/confluence/wiki") -> None:
        super().__init__(clock, random, base_url)
        self.requests: list[tuple[str, str]] = []
        self.writes = 0
        space = self.add_space("OPS", "Operations")
        self.space_id, self.homepage_id = space.id, space.homepage_id
        ada = self.account("ada@example.com")
        parent = self.create(space.id, "Post-mortems", "<p />", ada, parent_id=space.homepage_id, draft=False)
        self.parent_id = parent.id

    def handle(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """Answer one request; never raises for anything a client may send."""
        self.requests.append((method, path))
        try:
            reply = self._answer(method.upper(), path, {k.lower(): v for k, v in headers.items()}, body)
        except RefusedError as refused:
            return _refusal(path, refused)
        asks = path.startswith(("/api/v2/users-bulk", "/api/v2/content/convert"))
        self.writes += method.upper() in ("POST", "PUT", "DELETE") and not asks
        return reply

    def publish_as_editor(self, page_id: str, body: str, account_email: str, title: str | None = None) -> None:
        """A person publishes in the new editor. RefusedError for markup or a title the editor could not make."""
        page, person = self._page(page_id), self.account(account_email)
        title = title or page.title
        self.require_free_title(page.space_id, title, page)
        page.draft = None
        self.publish(page, title, self._regenerated(body), person)
        if self.drafts_linger:
            self.save_draft_of(page, title, with_new_macro_ids(page.body, self.random), person)

    def save_draft(self, page_id: str, body: str, account_email: str, title: str | None = None) -> None:
        """A person leaves the editor without publishing."""
        page = self._page(page_id)
        self.save_draft_of(page, title or page.title, self._regenerated(body), self.account(account_email))

    def discard_draft(self, page_id: str) -> None:
        """A person reverts to the published page."""
        self._page(page_id).draft = None

    def tick(self, page_id: str, task_id: str, done: bool, account_email: str) -> None:
        """A person ticks or clears a checkbox in the page's view; `task_id` is its `ac:task-id`."""
        self.set_task(self.task_on(page_id, task_id), done, self.account(account_email))

    def trash(self, page_id: str) -> None:
        """A person deletes the page."""
        self.trash_page(self._page(page_id))

    def archive(self, page_id: str) -> None:
        """A person archives the page; it keeps its title and refuses updates."""
        self._page(page_id).status = "archived"

    def restore(self, page_id: str, account_email: str = "ada@example.com") -> None:
        """A person takes the page out of the trash or the archive."""
        self.restore_page(self._page(page_id), self.account(account_email))

    def move(self, page_id: str, parent_id: str) -> None:
        """A person moves the page below another."""
        self.move_page(self._page(page_id), parent_id)

    def forbid(self, page_id: str) -> None:
        """The API loses its permission on a page and is told 404."""
        self.forbidden.add(page_id)

    def allow(self, page_id: str) -> None:
        """The API gets its permission back."""
        self.forbidden.discard(page_id)

    def current_body(self, page_id: str) -> str:
        """The stored body as it is now, markers included."""
        return self._page(page_id).body

    def pages(self) -> Iterator[tuple[str, str, str]]:
        """Id, title and status of everything kept, in order of creation."""
        return ((page.id, page.title, page.status) for page in self.content.values())

    def _page(self, page_id: str) -> Page:
        page = self.content.get(page_id)
        if page is None:
            raise RefusedError(404, f"Cannot find content with id {page_id}")
        return page

    def _regenerated(self, body: str) -> str:
        try:
            return regenerate(body, self.random)
        except MalformedMarkupError as error:
            raise RefusedError(400, f"Error parsing xhtml: {error}") from error

    def _answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Reply:
        account = self.account(_login(headers.get("authorization", "")))
        bare, query = read_query(path)
        run, args = _route(method, bare)
        if len(body) > _LARGEST:
            raise RefusedError(413, "The request is larger than 5 MB")
        data = _data(headers.get("content-type", ""), body)
        return run(Call(self, account, method, bare, query, args, headers, data))


def _login(authorization: str) -> str:
    """Who is asking: the Basic user or the Bearer token."""
    scheme, _, credentials = authorization.partition(" ")
    login = credentials.strip()
    if scheme.lower() == "basic":
        login = _basic_user(login)
    elif scheme.lower() != "bearer":
        login = ""
    if not login:
        raise RefusedError(401, "Unauthorized")
    return login


def _basic_user(credentials: str) -> str:
    try:
        return base64.b64decode(credentials, validate=True).decode().partition(":")[0]
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return ""


def _route(method: str, path: str) -> tuple[_Handler, tuple[str, ...]]:
    known = False
    for accepted, pattern, run in _ROUTES:
        if match := pattern.fullmatch(path):
            if accepted == method:
                return run, tuple(unquote(part) for part in match.groups())
            known = True
    raise RefusedError(405 if known else 404, f"No {method} operation at {path}")


def _data(kind: str, body: bytes) -> object:
    if not body:
        return None
    if kind and "json" not in kind.lower():
        raise RefusedError(415, f"Content type {kind} is not supported")
    try:
        data = json.loads(body, parse_constant=_no_constant)
        json.dumps(data, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise RefusedError(400, "The request body is not valid JSON") from error
    return data


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")


def _refusal(path: str, refused: RefusedError) -> Reply:
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
