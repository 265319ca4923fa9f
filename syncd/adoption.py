"""Taking a page that exists as the page of an incident.

The page is read, its identity compared, and bound with an empty base: the next pass then takes in what people wrote on it.
"""

from mapping.commands import Actor
from syncd.app import App
from syncd.errors import Misuse, NeedsPerson
from syncd.links import Named
from syncd.pages import Page


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
    with app.store.tx():
        page = _page(app, ref, named, seen.native_id, copy=postmortem.home != named.destination.name)
        _forget_creation(app, page)
        app.store.set_page(page.id, native_id=seen.native_id, url=seen.url, version="", state="live", reason="")
        app.store.mark_dirty(page.id, "adopted")
        app.store.note(ref, actor, "adopted", new=seen.url)
    return app.store.page(page.id)


def _page(app: App, ref: str, named: Named, native_id: str, *, copy: bool) -> Page:
    """The row for this place: the one that waits for its page, else a new one."""
    name = named.destination.name
    here = next((p for p in app.store.pages(ref) if p.destination == name and p.state != "detached"), None)
    if here is None:
        return app.store.add_page(ref, name, copy=copy)
    if here.native_id not in ("", native_id):
        raise Misuse(f"{ref} has a page on {name} already: {here.url}", f"syncd detach {ref} --from {name}")
    return here


def _forget_creation(app: App, page: Page) -> None:
    intent = app.store.open_intent(page.id)
    if intent is not None:
        app.store.close_intent(intent.id, "adopted instead")
