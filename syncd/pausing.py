"""Pausing a destination, or a connection with all its destinations: nothing is read or written there until it is resumed.

What a paused page says is `ways_out.py`'s, that the engine keeps to it `reconcile.py`'s and `daemon.py`'s.
"""

from collections.abc import Iterator
from typing import cast, get_args

from mapping.commands import Actor
from syncd.app import App
from syncd.errors import Misuse, UnknownReference
from syncd.pages import Page
from syncd.reconcile import Destination
from syncd.store.pauses import Kind, Pause
from syncd.ways_out import PAUSED, paused

NOT_HELD = ("halted", "missing", "detached")  # such a page has something of its own to say


def place(app: App, name: str) -> tuple[Kind, str]:
    """What a name means: `wiki`, or `connection:wiki` where a destination and a connection share it. Raises Misuse."""
    kind, _, rest = name.rpartition(":")
    known: dict[Kind, list[str]] = {"destination": list(app.destinations), "connection": list(app.connections)}
    kinds = [k for k in get_args(Kind) if kind in ("", k) and rest in known[k]]
    if len(kinds) > 1:
        raise Misuse(f"'{name}' is a destination and a connection: say destination:{name} or connection:{name}.")
    if not kinds:
        every = [*known["destination"], *known["connection"]]
        raise UnknownReference("destination or connection", name, every, "syncd doctor")
    return cast(Kind, kinds[0]), rest


def known(app: App, name: str) -> bool:
    """Whether this names a destination or a connection."""
    return name.rpartition(":")[2] in {*app.destinations, *app.connections}


def pause(app: App, name: str, why: str, actor: Actor) -> tuple[Pause, list[Page]]:
    """Nothing is read or written there from now on; a look that is on its way still ends. The pause and its pages."""
    kind, named = place(app, name)
    store = app.store
    with store.tx():
        made = store.set_pause(kind, named, why, actor)
        pages = list(_pages(app, kind, named))
        for page in pages:
            reason = paused(made)
            if page.native_id:
                store.set_page(page.id, state="held", reason=reason, code=PAUSED, brake="")
            else:
                store.set_page(page.id, reason=reason, code=PAUSED)
    return made, [store.page(page.id) for page in pages]


def resume(app: App, name: str, actor: Actor) -> list[Page]:
    """Go on there; the pages are looked at by the next pass. Raises Misuse where nothing was paused."""
    kind, named = place(app, name)
    store = app.store
    with store.tx():
        if not store.end_pause(kind, named, actor):
            raise Misuse(f"The {kind} {named} is not paused.", "syncd status")
        free = [page for page in _pages(app, kind, named) if page.code == PAUSED and not paused_by(app, page.destination)]
        for page in free:
            store.set_page(page.id, state="live" if page.native_id else "wanted", reason="", brake="")
            store.mark_dirty(page.id, "resumed")
    return free


def paused_by(app: App, destination: str) -> Pause | None:
    """The pause that a destination is under."""
    there = app.destinations.get(destination)
    return app.store.pause_of(there.name, there.connection) if there else None


def _pages(app: App, kind: Kind, name: str) -> Iterator[Page]:
    """The pages that such a pause holds."""
    meant = {d.name for d in app.destinations.values() if _is(d, kind, name)}
    return (page for page in app.store.pages() if page.destination in meant and page.state not in NOT_HELD)


def _is(destination: Destination, kind: Kind, name: str) -> bool:
    return name == (destination.name if kind == "destination" else destination.connection)
