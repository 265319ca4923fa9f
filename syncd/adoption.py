"""Taking a page that exists as the page of an incident.

The page is read, its identity compared, and bound: the next pass takes in what people wrote on it.
"""

from mapping.commands import Actor
from syncd.app import App
from syncd.compose import compose
from syncd.errors import Misuse, NeedsPerson
from syncd.links import Named
from syncd.pages import Base, Page


def adopt(app: App, ref: str, named: Named, force: bool, actor: Actor) -> Page:
    """The incident's page there, bound to the page that was named. `force`: also one that does not carry our marker.

    Raises ProviderError when it cannot be read, Misuse when it belongs to another incident or the place is taken.
    """
    incident = app.lookup.incident(ref)
    postmortem = app.lookup.postmortem(ref)
    if incident.private and not named.destination.private:
        raise Misuse(f"{ref} is private; the destination {named.destination.name} is not marked `private = true`.")
    seen = named.read()
    if seen.marker and seen.marker != ref:
        raise Misuse(f"The page “{seen.doc.title}” is the page of {seen.marker}.", f"syncd adopt {seen.marker} {seen.url}")
    if not seen.marker and not force:
        way = f"syncd adopt {ref} {seen.url} --force"
        raise NeedsPerson(f"The page “{seen.doc.title}” does not name {ref}; what is on it would be taken in.", way)
    expected = _as_if_written(app, ref, named) if seen.marker else None
    with app.store.tx():
        page = _page(app, ref, named, seen.native_id, copy=postmortem.home != named.destination.name)
        app.store.set_page(page.id, native_id=seen.native_id, url=seen.url, version="", state="live", reason="")
        if expected and app.store.base(page.id) is None and app.store.open_intent(page.id) is None:
            app.store.add_intent(page.id, "create", expected, "adopted")
        app.store.mark_dirty(page.id, "adopted")
        app.store.note(ref, actor, "adopted", new=seen.url)
    return app.store.page(page.id)


def _page(app: App, ref: str, named: Named, native_id: str, *, copy: bool) -> Page:
    """The row for this place: the one that has this page or waits for one, else a new one."""
    name = named.destination.name
    rows = [page for page in app.store.pages(ref) if page.destination == name]
    here = next((page for page in rows if page.state != "detached"), None)
    if here and here.native_id not in ("", native_id):
        raise Misuse(f"{ref} has a page on {name} already: {here.url}", f"syncd detach {ref} --from {name}")
    before = next((page for page in rows if page.state == "detached" and page.native_id == native_id), None)
    return here or before or app.store.add_page(ref, name, copy=copy)


def _as_if_written(app: App, ref: str, named: Named) -> Base:
    """A page of ours of which nothing is remembered is taken for one whose creation got no answer: what the template would
    say is what we wrote, and all else on it is what people did since."""
    nothing_known = Page(0, ref, named.destination.name, "live")
    return compose(app.wording.local(nothing_known, named.destination.provider))
