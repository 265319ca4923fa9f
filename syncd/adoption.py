"""Taking a page that exists as the page of an incident.

A page that carries our marker is bound, and the next pass takes in what people wrote on it. A page that people made by hand
is recognised (`recognise.py`), shown as a plan, and taken as it stands (`adopt_plan.py`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mapping.commands import Actor
from mapping.incident import Incident, Postmortem
from providers.contract import Observation
from syncd.adopt_plan import Taken, taken, without_sections
from syncd.app import App
from syncd.command_words import command_words
from syncd.compose import compose
from syncd.errors import Misuse, UnknownReference
from syncd.links import Named
from syncd.pages import Base, Page
from syncd.plan import describe, plan_out
from syncd.recognise import Recognised, recognise
from syncd.take_in import with_keys

STANDARD = "standard"


@dataclass(frozen=True, slots=True)
class Adoption:
    """What taking a page would do. `found` and `taken` are None for a page of ours, which is taken back as it is; `template`
    is the one of a post-mortem that would be made, empty where there is one."""

    ref: str
    named: Named
    seen: Observation
    template: str = ""
    found: Recognised | None = None
    taken: Taken | None = None
    to_store: Sequence[str] = ()
    to_page: Sequence[str] = ()

    def as_json(self) -> dict[str, Any]:
        """For `adopt --json`."""
        counts = {n: getattr(self.found, n) if self.found else None for n in ("events", "follow_ups", "untouched")}
        page = {"incident": self.ref, "url": self.seen.url, "title": self.seen.doc.title}
        lines = {"to_store": list(self.to_store), "to_page": list(self.to_page)}
        return {**page, **counts, "unclear": list(self.found.unclear) if self.found else [], **lines}


def plan_adoption(app: App, ref: str, named: Named, template: str = "") -> Adoption:
    """Reads the page and says what taking it would do; changes nothing.

    Raises ProviderError when it cannot be read, Misuse when it belongs to another incident or the place is taken.
    """
    incident = app.lookup.incident(ref)
    if not named.destination.admits(incident):
        raise Misuse(f"{ref} is private; the destination {named.destination.name} is not marked `private = true`.")
    seen = named.read()
    if seen.marker and seen.marker != ref:
        raise Misuse(f"The page “{seen.doc.title}” is the page of {seen.marker}.", f"syncd adopt {seen.marker} {seen.url}")
    mine = app.store.postmortem(ref)
    if seen.marker:
        app.lookup.postmortem(ref)
        return Adoption(ref, named, seen)
    _here(app, ref, named, seen.native_id)
    chosen = "" if mine else template or STANDARD
    postmortem = mine or _new(app, incident, chosen, named)
    words = app.wording.vocabulary(incident, postmortem)
    found = recognise(seen.doc, words, incident.timestamps.get("started"))
    means = taken(seen.doc, found, incident, postmortem, words)
    to_store = [command_words(command) for command in means.commands]
    return Adoption(ref, named, seen, chosen, found, means, to_store, _to_page(app, ref, named, seen, chosen, means))


def _new(app: App, incident: Incident, template_id: str, named: Named) -> Postmortem:
    template = app.library.get(template_id)
    if template is None:
        raise UnknownReference("template", template_id, [t.id for t in app.library.all()], "syncd template list")
    return without_sections(app.wording.new_postmortem(incident, template, named.destination.name))


def _to_page(app: App, ref: str, named: Named, seen: Observation, template: str, means: Taken) -> list[str]:
    """What the first pass would write: keys to the rows, and rows that only the incident has."""
    with app.store.rehearsal():
        page, base = _take(app, ref, named, seen, template, means, Actor("store"))
        return describe(plan_out(base, app.wording.local(page, named.destination.provider)))


def adopt(app: App, adoption: Adoption, actor: Actor) -> Page:
    """The incident's page there, bound to the page that was looked at."""
    if adoption.taken is None:
        return _take_back(app, adoption, actor)
    with app.store.tx():
        arguments = (adoption.ref, adoption.named, adoption.seen, adoption.template, adoption.taken)
        return _take(app, *arguments, actor)[0]


def _take(
    app: App, ref: str, named: Named, seen: Observation, template: str, means: Taken, actor: Actor
) -> tuple[Page, Base]:
    """Part of a transaction, or of a rehearsal."""
    store = app.store
    if template:
        source = app.library.get(template)
        assert source is not None, "it was planned with it"
        postmortem = _new(app, app.lookup.incident(ref), template, named)
        store.create_postmortem(postmortem, app.wording.frozen(source), source.tasks, actor)
    page = _bound(app, ref, named, seen, actor)
    waiting = store.open_intent(page.id)
    if waiting:
        store.close_intent(waiting.id, "adopted another page")
    author = Actor("page", seen.author, named.destination.name)
    base = with_keys(means.base, store.apply(ref, means.commands, author))
    for section in means.absent:
        store.hide(page.id, f"section:{section.id}", section.heading, actor)
    store.set_base(page.id, base)
    return store.page(page.id), base


def _take_back(app: App, adoption: Adoption, actor: Actor) -> Page:
    """A page of ours of which nothing is remembered is taken for one whose creation got no answer: what the template would
    say is what we wrote, and all else on it is what people did since."""
    ref, named = adoption.ref, adoption.named
    nothing_known = Page(0, ref, named.destination.name, "live")
    expected = compose(app.wording.local(nothing_known, named.destination.provider))
    with app.store.tx():
        page = _bound(app, ref, named, adoption.seen, actor)
        if app.store.base(page.id) is None and app.store.open_intent(page.id) is None:
            app.store.add_intent(page.id, "create", expected, "adopted")
        return app.store.page(page.id)


def _bound(app: App, ref: str, named: Named, seen: Observation, actor: Actor) -> Page:
    copy = app.lookup.postmortem(ref).home != named.destination.name
    page = _here(app, ref, named, seen.native_id) or app.store.add_page(ref, named.destination.name, copy=copy)
    app.store.set_page(page.id, native_id=seen.native_id, url=seen.url, version="", state="live", reason="", brake="")
    app.store.mark_dirty(page.id, "adopted")
    app.store.note(ref, actor, "adopted", new=seen.url)
    return app.store.page(page.id)


def _here(app: App, ref: str, named: Named, native_id: str) -> Page | None:
    """The row for this place that has this page or waits for one. Raises Misuse where another page has it."""
    name = named.destination.name
    rows = [page for page in app.store.pages(ref) if page.destination == name]
    here = next((page for page in rows if page.state != "detached"), None)
    if here and here.native_id not in ("", native_id):
        raise Misuse(f"{ref} has a page on {name} already: {here.url}", f"syncd detach {ref} --from {name}")
    return here or next((page for page in rows if page.native_id == native_id), None)
