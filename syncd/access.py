"""Who may see and change what over HTTP: the token, requests that another site made a browser send, private incidents.

Without a token the product listens on the loopback only; then a request must name this machine as its host (so that no other
site's name can be pointed here) and private incidents are not shown at all. With a token everything is open to who has it:
programs send `Authorization: Bearer`, browsers sign in once and carry a cookie that is derived from it.
"""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from ipaddress import ip_address
from typing import TypeVar
from urllib.parse import urlsplit

from fastapi import Request

from mapping.incident import Incident
from syncd.app import App
from syncd.errors import UnknownReference
from syncd.pages import Conflict

COOKIE = "syncd_session"
OPEN_PATHS = ("/healthz", "/readyz", "/signin", "/static/app.css")
UNSAFE = ("POST", "PUT", "PATCH", "DELETE")
Named = TypeVar("Named")


class Access:
    """Decides per request; holds no state but the token."""

    def __init__(self, token: str, public_url: str = "") -> None:
        self.token, self.public_host = token, urlsplit(public_url).hostname or ""

    @property
    def shows_private(self) -> bool:
        """Private incidents are for those who have the token."""
        return bool(self.token)

    @property
    def cookie(self) -> str:
        """What a signed-in browser carries: no use against the API of another installation."""
        return hashlib.sha256(f"syncd session {self.token}".encode()).hexdigest()

    def right_token(self, given: str) -> bool:
        """Whether this is the token; takes equally long for every wrong one."""
        return hmac.compare_digest(given.encode(), self.token.encode())

    def refusal(self, request: Request) -> tuple[int, str, str] | None:
        """Status, code and sentence for a request that may not be answered; None for one that may."""
        if not self.token and not self._named_here(request.url.hostname or ""):
            return 421, "wrong_host", "This address does not belong here; use the one that `syncd run` printed."
        if request.method in UNSAFE and not _same_origin(request):
            return 403, "cross_origin", "Another site may not change anything here."
        if self.token and request.url.path not in OPEN_PATHS and not self._signed_in(request):
            return 401, "no_token", "The token is missing or wrong."
        return None

    def _named_here(self, host: str) -> bool:
        if host == "localhost" or (self.public_host and host == self.public_host):
            return True
        try:
            return ip_address(host).is_loopback
        except ValueError:
            return False

    def _signed_in(self, request: Request) -> bool:
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return self.right_token(given.strip())
        return hmac.compare_digest(request.cookies.get(COOKIE, ""), self.cookie)


def _same_origin(request: Request) -> bool:
    """Browsers say where a request comes from; programs say nothing and are not at the mercy of other sites."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host")


class Sight:
    """The part of the store that a face shows. What is private is, where it is not shown, not there."""

    def __init__(self, app: App, private: bool) -> None:
        self.app, self.private = app, private

    def incidents(self) -> Sequence[Incident]:
        """All that may be seen, in the store's order."""
        return [incident for incident in self.app.store.incidents() if self.private or not incident.private]

    def incident(self, ref: str) -> Incident:
        """Raises `UnknownReference`, for a hidden one just as for none."""
        found = self.app.store.incident(ref)
        if found is None or (found.private and not self.private):
            raise UnknownReference("incident", ref, [i.reference for i in self.incidents()], "syncd incident list")
        return found

    def owner_of_follow_up(self, key: str) -> Incident:
        """The incident that has this follow-up."""
        rows = {row.key: incident for incident in self.incidents() for row in incident.follow_ups}
        return _named("follow-up", key, rows)

    def owner_of_event(self, key: str) -> Incident:
        """The incident that has this timeline event."""
        rows = {row.key: incident for incident in self.incidents() for row in incident.timeline}
        return _named("timeline event", key, rows)

    def conflicts(self, ref: str | None = None) -> list[Conflict]:
        """Conflicts of one incident or of all, open and settled."""
        seen = {ref} if ref else {incident.reference for incident in self.incidents()}
        return [conflict for conflict in self.app.store.conflicts() if conflict.incident in seen]

    def conflict(self, conflict_id: str) -> Conflict:
        """One conflict."""
        return _named("conflict", conflict_id, {c.id: c for c in self.conflicts()})


def _named(kind: str, name: str, known: Mapping[str, Named]) -> Named:
    if name not in known:
        raise UnknownReference(kind, name, known)
    return known[name]
