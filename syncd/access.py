"""Who asks over HTTP, and whether that request may be answered: tokens, a proxy that signs people in, other sites' requests.

With nothing configured the product listens on the loopback only and asks for no login; then a request must name this machine
as its host, so that no other site's name can be pointed here. Programs send `Authorization: Bearer`, browsers sign in once
and carry a cookie that is derived from the token, and a proxy names the person in a header. What the viewer's role may is
`viewer.py`'s.
"""

import hashlib
import hmac
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit

from fastapi import Request, Response

from mapping.incident import FollowUp, Incident, TimelineEvent
from syncd.app import App
from syncd.errors import Forbidden, UnknownReference
from syncd.insights import Insight, insight
from syncd.pages import Conflict
from syncd.settings_faces import WebSettings, is_loopback
from syncd.store.journal import JournalLine
from syncd.store.lists import Part, PostmortemListed, WantedEvents, WantedFollowUps, WantedPostmortems
from syncd.store.overview import Choices, Listing, Wanted
from syncd.store.statements import NEAR
from syncd.store.visible import Visible
from syncd.viewer import LOCAL, Role, Viewer, demand, enter, viewer

COOKIE = "syncd_session"
SIGN_OUT = "/signout"
SETTINGS = "/settings"
SESSION = timedelta(days=30)
OPEN_PATHS = ("/healthz", "/readyz", "/signin")
OPEN_BELOW = "/static/"  # what every installation has
UNSAFE = ("POST", "PUT", "PATCH", "DELETE")
GUESSES = 10  # different wrong tokens from one address within `GUESSING`; then none from there is looked at
GUESSING = timedelta(minutes=5)
ADDRESSES = 10_000  # that wrong tokens are remembered of


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request is not answered: status, code and sentence, and what to do."""

    status: int
    code: str
    message: str
    next: str = ""


NO_TOKEN = Refusal(401, "no_token", "The token is missing or wrong.", "send the header Authorization: Bearer TOKEN")
WRONG_HOST = Refusal(
    421,
    "wrong_host",
    "This address does not belong here; use the one that `syncd run` printed.",
    "set web.public_url to the address that people use",
)


@dataclass(frozen=True, slots=True)
class _Token:
    secret: bytes
    viewer: Viewer

    def session(self, until: int) -> str:
        """What a signed-in browser carries: it ends at this moment, and with the token."""
        return f"{until}." + hmac.new(self.secret, f"syncd session {until}".encode(), hashlib.sha256).hexdigest()


class Access:
    """Decides per request. `name_of` is how a person is called whose e-mail is known."""

    def __init__(self, web: WebSettings, now: Callable[[], datetime], name_of: Callable[[str], str]) -> None:
        self._proxy, self._private, self._now, self._name_of = web.proxy, frozenset(web.private_viewers), now, name_of
        self.guarded, self._public = web.guarded, urlsplit(web.public_url)
        self._tokens = tuple(self._from(web))
        self._guesses = Guesses(now)

    def _from(self, web: WebSettings) -> Iterator[_Token]:
        if web.token:
            yield _Token(web.token.get_secret_value().encode(), Viewer("API", role="admin", private=True))
        for name, token in web.tokens.items():
            private = token.private or token.email in self._private
            yield _Token(token.secret.get_secret_value().encode(), Viewer(name, token.email, token.role, private))

    def refusal(self, request: Request) -> Refusal | None:
        """Why this request may not be answered; None where it may, and then who asks is known as the viewer."""
        if request.url.path in OPEN_PATHS or request.url.path.startswith(OPEN_BELOW):
            return self._foreign(request)
        refused = self._admit(request) or self._foreign(request)
        if refused:
            return refused
        try:
            demand(_needed(request))
        except Forbidden as error:
            return Refusal(403, "forbidden", str(error), error.hint)
        return None

    # --- who it is ------------------------------------------------------------------------------------------------------

    def _admit(self, request: Request) -> Refusal | None:
        found = self._asks(request)
        if isinstance(found, Refusal):
            return found
        enter(replace(found, name=self._name_of(found.email) or found.name))
        return None

    def _asks(self, request: Request) -> Viewer | Refusal:
        ambient = self._proxied(request) if self.guarded else LOCAL
        if ambient:  # whom a browser is without showing anything, so another site's name must not lead here
            return ambient if self._named_here(request) else WRONG_HOST
        bearer = _bearer(request)
        found = self._by_token(bearer, request) if bearer else self._by_cookie(request)
        return found if isinstance(found, Refusal) else replace(found.viewer, signed_in=not bearer)

    def _proxied(self, request: Request) -> Viewer | None:
        """Whom the proxy names; nobody where the request does not come from it."""
        said = request.headers.getlist(self._proxy.header) if self._proxy.header else []
        if len(said) != 1 or not self._from_proxy(request):
            return None
        email = said[0].strip().lower()
        if not email:
            return None
        return Viewer(email, email, self._proxy.roles.get(email, self._proxy.role), email in self._private)

    def _from_proxy(self, request: Request) -> bool:
        try:
            address = ip_address(_address(request))
        except ValueError:
            return False
        return any(address in ip_network(network) for network in self._proxy.addresses)

    def _by_token(self, given: str, request: Request) -> _Token | Refusal:
        """Every wrong token takes equally long, and many different ones end the looking."""
        if self._guesses.too_many(_address(request)):
            minutes = GUESSING // timedelta(minutes=1)
            return Refusal(429, "too_many_guesses", "Too many wrong tokens came from there.", f"wait {minutes} minutes")
        equal = [hmac.compare_digest(given.encode(), token.secret) for token in self._tokens]
        found = next((token for token, same in zip(self._tokens, equal, strict=True) if same), None)
        if found is None:
            self._guesses.wrong(_address(request), given)
        return found or NO_TOKEN

    def _by_cookie(self, request: Request) -> _Token | Refusal:
        given = request.cookies.get(COOKIE, "")
        until = given.partition(".")[0]
        if not until.isdecimal() or len(until) > 12 or int(until) < self._now().timestamp():
            return NO_TOKEN
        equal = [hmac.compare_digest(given.encode(), token.session(int(until)).encode()) for token in self._tokens]
        return next((token for token, same in zip(self._tokens, equal, strict=True) if same), NO_TOKEN)

    def sign_in(self, request: Request, answer: Response, given: str) -> Refusal | None:
        """Gives the browser that shows this token its cookie."""
        found = self._by_token(given, request)
        if isinstance(found, Refusal):
            return found
        until = int((self._now() + SESSION).timestamp())
        age, secure = int(SESSION.total_seconds()), self._secure(request)
        answer.set_cookie(COOKIE, found.session(until), age, httponly=True, samesite="strict", secure=secure)
        return None

    def sign_out(self, request: Request, answer: Response) -> None:
        """Takes it away again."""
        answer.delete_cookie(COOKIE, httponly=True, samesite="strict", secure=self._secure(request))

    # --- from where -----------------------------------------------------------------------------------------------------

    def _foreign(self, request: Request) -> Refusal | None:
        """Browsers say which site a change comes from; programs say nothing and are not at the mercy of other sites. What a
        browser sends along by itself, a cookie or a proxy's sign-in, counts only with that."""
        site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
        if request.method not in UNSAFE or site in ("same-origin", "none"):
            return None
        if site is None and origin is None and (not self.guarded or _bearer(request)):
            return None
        if site is None and origin in self._own_origins(request):
            return None
        return Refusal(
            403, "cross_origin", "Another site may not change anything here.", "set web.public_url to this address"
        )

    def _own_origins(self, request: Request) -> tuple[str, ...]:
        here = f"{request.url.scheme}://{request.headers.get('host')}"
        return (here, f"{self._public.scheme}://{self._public.netloc}") if self._public.netloc else (here,)

    def _named_here(self, request: Request) -> bool:
        host = request.url.hostname or ""
        return is_loopback(host) or host == self._public.hostname

    def _secure(self, request: Request) -> bool:
        """Whether the browser came by https, so that its cookie never leaves without."""
        own = request.url.hostname == self._public.hostname and self._public.scheme == "https"
        return own or request.url.scheme == "https"


def _needed(request: Request) -> Role:
    """The role without which no route is reached; a route may demand more."""
    path = request.url.path
    if path == SETTINGS or path.startswith(f"{SETTINGS}/"):
        return "admin"
    return "write" if request.method in UNSAFE and path != SIGN_OUT else "read"


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


def _bearer(request: Request) -> str:
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    return given.strip() if scheme.lower() == "bearer" else ""


class Guesses:
    """Wrong tokens by address: a robot with an old token counts once, whoever tries many is not heard for a while."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._wrong: dict[str, dict[bytes, datetime]] = {}

    def wrong(self, address: str, given: str) -> None:
        """This was not a token."""
        if len(self._wrong) >= ADDRESSES:
            self._wrong.pop(next(iter(self._wrong)))
        self._wrong.setdefault(address, {})[hashlib.sha256(given.encode()).digest()] = self._now()

    def too_many(self, address: str) -> bool:
        """Whether nothing from there is looked at now."""
        recent = {k: at for k, at in self._wrong.get(address, {}).items() if self._now() - at < GUESSING}
        if not recent:
            self._wrong.pop(address, None)
            return False
        self._wrong[address] = recent
        return len(recent) >= GUESSES


class Sight:
    """The part of the store that the viewer of a request may see. What may not be seen is not there."""

    def __init__(self, app: App) -> None:
        self.app = app

    @property
    def visible(self) -> Visible:
        """What the viewer of the request at hand may see."""
        return viewer().visible

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

    def follow_ups(self, wanted: WantedFollowUps, part: Part) -> list[tuple[str, FollowUp]]:
        """Follow-ups with their incidents, a part of them."""
        return self.app.store.list_follow_ups(wanted, part, self.visible)

    def events(self, wanted: WantedEvents, part: Part) -> list[tuple[str, TimelineEvent]]:
        """Timeline events with their incidents, a part of them."""
        return self.app.store.list_events(wanted, part, self.visible)

    def postmortems(self, wanted: WantedPostmortems, part: Part) -> list[PostmortemListed]:
        """Post-mortems without their sections, a part of them."""
        return self.app.store.list_postmortems(wanted, part, self.visible)

    def insight(self, name: str) -> Insight:
        """One of the insights, from what may be seen."""
        return insight(self.app.store, name, self.visible)

    def shows(self, ref: str) -> bool:
        """Whether there is such an incident for whoever asks."""
        found = self.app.store.incident(ref)
        return found is not None and self.visible.shows(found)

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
