"""Who asks over HTTP: a person or a robot with a role. Who that is, is found out by `access.py`, once per request.

The viewer of the request at hand is known to everything that answers it, threads and streams included, and to nothing else.
"""

from contextvars import ContextVar
from dataclasses import dataclass
from typing import Literal, get_args

from mapping.commands import Actor
from syncd.errors import Forbidden
from syncd.store.visible import Visible

Role = Literal["read", "write", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)  # each may do what those before it may


@dataclass(frozen=True, slots=True)
class Viewer:
    """`name` stands in the journal; `email` (lower case, may be empty) is how an incident names them; `private`: they see
    private incidents that do not name them; `signed_in`: by a cookie, which they can give back."""

    name: str
    email: str = ""
    role: Role = "read"
    private: bool = False
    signed_in: bool = False

    @property
    def actor(self) -> Actor:
        """Whose the changes are."""
        return Actor("store", self.name)

    def may(self, role: Role) -> bool:
        """Whether they may do what this role may."""
        return ROLES.index(self.role) >= ROLES.index(role)

    @property
    def visible(self) -> Visible:
        """Private incidents are for those who are named in them."""
        return Visible(self.private, self.email)


LOCAL = Viewer("API", role="admin")  # whoever works on this machine, where no login is asked for
NOBODY = Viewer("nobody")
_VIEWER: ContextVar[Viewer] = ContextVar("viewer", default=NOBODY)


def viewer() -> Viewer:
    """Of the request at hand."""
    return _VIEWER.get()


def enter(who: Viewer) -> None:
    """From now on, in this request, it is them who ask."""
    _VIEWER.set(who)


def demand(role: Role) -> None:
    """Raises Forbidden where the viewer may not do what this role may."""
    who = viewer()
    if not who.may(role):
        way = "Ask whoever runs syncd for it: `[web.tokens]` and `[web.proxy]` in the configuration say who may what."
        raise Forbidden(f"This needs the role {role}; {who.name} has the role {who.role}.", way)
