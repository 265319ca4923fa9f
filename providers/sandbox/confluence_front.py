"""The front door of a Confluence site: who asks, for what, and how it is told that something went wrong.

Both editions come through here. What each answers is its table of routes.
"""

import base64
import binascii
import json
import re
from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping
from typing import ClassVar
from urllib.parse import unquote

from providers.sandbox.confluence_call import Call, read_query
from providers.sandbox.confluence_people import PeopledSite
from providers.sandbox.confluence_records import Account, RefusedError
from providers.sandbox.wire import Reply

Handler = Callable[[Call], Reply]
Routes = tuple[tuple[str, re.Pattern[str], Handler], ...]
_RACE = "OptimisticLockException: Batch update returned unexpected row count from update [0]"
_LARGEST = 5 * 1024 * 1024


def routes(table: Iterable[tuple[str, str, Handler]], part: str = "([^/]+)") -> Routes:
    """A table of operations, ready to be asked; `part` is what may stand where a path has `{}`."""
    return tuple((method, re.compile(re.escape(path).replace(r"\{\}", part)), run) for method, path, run in table)


_FORM = "multipart/form-data"


class FrontDoor(PeopledSite):
    """A site that answers HTTP requests. `requests` and `writes` keep count, `revoked` holds logins that are no more,
    `races` the statuses, 409 or 500, with which the database refuses the next writes: another was quicker."""

    routes: ClassVar[Routes]
    requests: list[tuple[str, str]]
    writes = 0

    def handle(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """Answer one request; never raises for anything a client may send."""
        self.requests.append((method, path))
        bare, query = read_query(path)
        try:
            reply = self._answer(method.upper(), bare, query, {k.lower(): v for k, v in headers.items()}, body)
        except RefusedError as refused:
            return self.refusal(bare, refused)
        self.writes += method.upper() in ("POST", "PUT", "DELETE") and not self.only_asks(bare)
        return reply

    def open_door(self) -> None:
        """Nobody has asked yet, everybody may."""
        self.requests = []
        self.revoked: set[str] = set()
        self.races: list[int] = []

    def revoke(self, login: str) -> None:
        """An e-mail's or token's credentials are worth nothing from now on."""
        self.revoked.add(login)

    @abstractmethod
    def refusal(self, path: str, refused: RefusedError) -> Reply:
        """An error in the envelope of the API that was called."""

    @abstractmethod
    def only_asks(self, path: str) -> bool:
        """Whether a POST to this path changes nothing."""

    def admitted(self, login: str, method: str, path: str) -> Account:
        """The account of a login. 401 where it may not ask this."""
        if login in self.revoked:
            raise RefusedError(401, "Unauthorized")
        return self.account(login)

    def _answer(
        self, method: str, path: str, query: tuple[tuple[str, str], ...], headers: dict[str, str], body: bytes
    ) -> Reply:
        login = _login(headers.get("authorization", ""))
        run, args = self._route(method, path)
        account = self.admitted(login, method, path)
        form = headers.get("content-type", "").startswith(_FORM)
        if len(body) > _LARGEST and not form:
            raise RefusedError(413, "The request is larger than 5 MB")
        if self.races and method in ("POST", "PUT") and not self.only_asks(path):
            raise RefusedError(self.races.pop(0), _RACE)
        data = None if form else _data(headers.get("content-type", ""), body)
        return run(Call(self, account, method, path, query, args, headers, data, body if form else b""))

    def _route(self, method: str, path: str) -> tuple[Handler, tuple[str, ...]]:
        known = False
        bare = path.rstrip("/")  # clients in use end paths with a slash (md2conf: `POST /pages/`), and are served
        for accepted, pattern, run in self.routes:
            if match := pattern.fullmatch(bare):
                if accepted == method:
                    return run, tuple(unquote(part) for part in match.groups())
                known = True
        raise RefusedError(405 if known else 404, f"No {method} operation at {path}")


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
