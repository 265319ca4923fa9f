"""Who may see and change what over HTTP: the token, requests that another site made a browser send, private incidents.

Without a token the product listens on the loopback only; then a request must name this machine as its host (so that no other
site's name can be pointed here) and private incidents are not shown at all. With a token everything is open to who has it:
programs send `Authorization: Bearer`, browsers sign in once and carry a cookie that is derived from it.
"""

import hashlib
import hmac
from collections.abc import Sequence
from ipaddress import ip_address
from typing import Literal
from urllib.parse import urlsplit

from fastapi import Request

from mapping.incident import Incident
from syncd.app import App
from syncd.errors import UnknownReference
from syncd.pages import Conflict
from syncd.store.journal import JournalLine
from syncd.store.overview import Choices, Listing, Wanted
from syncd.store.statements import NEAR
from syncd.store.visible import Visible

COOKIE = "syncd_session"
OPEN_PATHS = ("/healthz", "/readyz", "/signin", "/static/app.css")
UNSAFE = ("POST", "PUT", "PATCH", "DELETE")
Role = Literal["read", "write", "admin"]
EVERY_ROLE: frozenset[Role] = frozenset({"read", "write", "admin"})


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

    def roles(self, request: Request) -> frozenset[Role]:
        """What a request that was let in may do: one token means everything."""
        return EVERY_ROLE

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
    """The part of the store that a face shows. What may not be seen is not there."""

    def __init__(self, app: App, visible: Visible) -> None:
        self.app, self.visible = app, visible

    def incidents(self) -> Sequence[Incident]:
        """All that may be seen, in the store's order."""
        return [incident for incident in self.app.store.incidents() if self.visible.shows(incident)]

    def incident(self, ref: str) -> Incident:
        """Raises `UnknownReference`, for a hidden one just as for none."""
        found = self.app.store.incident(ref)
        if found is None or not self.visible.shows(found):
            raise self._unknown("incident", ref, "syncd incident list")
        return found

    def overview(self, wanted: Wanted) -> Listing:
        """The incidents that are wanted, a part of them."""
        return self.app.store.overview(wanted, self.visible)

    def choices(self) -> Choices:
        """What an overview can be narrowed to."""
        return self.app.store.choices(self.visible)

    def owner_of_follow_up(self, key: str) -> Incident:
        """The incident that has this follow-up."""
        return self._owner("follow-up", key, self.app.store.owner_of_follow_up(key))

    def owner_of_event(self, key: str) -> Incident:
        """The incident that has this timeline event."""
        return self._owner("timeline event", key, self.app.store.owner_of_event(key))

    def owner_of_key(self, key: str) -> Incident:
        """The incident with this reference, follow-up or event."""
        return self._owner("key", key, self.app.store.owner(key) or key)

    def journal(self, ref: str | None, limit: int, after: int | None = None) -> list[JournalLine]:
        """Of one incident or of all: the last lines, or those that follow the line `after`; the newest last."""
        named, store = self.incident(ref).reference if ref else None, self.app.store
        if after is None:
            return store.journal(named, limit, self.visible)
        return store.journal_after(after, named, limit, self.visible)

    def conflicts(self, ref: str | None = None, state: str | None = None) -> list[Conflict]:
        """Conflicts of one incident or of all, in one state or in any, in the order in which they came up."""
        named = self.incident(ref).reference if ref else None
        return self.app.store.conflicts(named, state, self.visible)

    def settled(self, most: int) -> list[Conflict]:
        """Conflicts that somebody ended, the last first."""
        return self.app.store.settled(most, self.visible)

    def conflict(self, conflict_id: str) -> Conflict:
        """One conflict."""
        try:
            found = self.app.store.conflict(conflict_id)
            self.incident(found.incident)
        except UnknownReference:
            raise self._unknown("conflict", conflict_id, "syncd conflicts list") from None
        return found

    def _owner(self, kind: str, key: str, owner: str | None) -> Incident:
        found = self.app.store.incident(owner) if owner else None
        if found is None or not self.visible.shows(found):
            raise self._unknown(kind, key)
        return found

    def _unknown(self, kind: str, name: str, hint: str = "") -> UnknownReference:
        known = self.app.store.near(kind, name, self.visible) if kind in NEAR else ()
        return UnknownReference(kind, name, known, hint)
