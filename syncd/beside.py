"""What goes with a page besides its content: the labels by which it is found, the store's pictures, comments that lost the
words they were on."""

from collections.abc import Iterable, Mapping

from mapping.commands import Actor
from providers.contract import Done, Observation, Outcome, Place, Provider, Rejected, Unreachable
from syncd.command_words import cut
from syncd.pages import Base, Page
from syncd.store import Store

LABEL = "post-mortem"


class Beside:
    """The same for one pass over one page."""

    def __init__(self, store: Store, provider: Provider, place: Place) -> None:
        self.store, self.provider, self.place = store, provider, place
        self.told: set[str] = set()

    def label(self, page: Page) -> None:
        """New pages can be found by their labels. They are put on once: what people do with them afterwards is theirs."""
        incident = self.store.incident(page.incident)
        if not page.unlabelled or incident is None:
            return
        names = [LABEL, *([incident.severity] if incident.severity else [])]
        outcome = self.provider.label(self.place, page.native_id, names)
        if isinstance(outcome, Rejected) and not isinstance(outcome.error, Unreachable):
            self.store.note(page.incident, Actor("sync", page=page.destination), "left unlabelled", new=str(outcome.error))
        elif not isinstance(outcome, Done):
            return  # the next pass tries again: a label that is there is not put on twice
        self.store.set_page(page.id, unlabelled=False)

    def bring(self, page: Page, pictures: Iterable[str]) -> Outcome | None:
        """The store's pictures are on the page before the text that shows them. What became of one that is not; None where
        nothing is in the way."""
        for name in pictures:
            found = self.store.attachment(page.incident, name)
            outcome = self.provider.attach(self.place, page.native_id, name, found.data) if found else None
            if outcome and not isinstance(outcome, Done):
                return outcome
        return None

    def orphans(self, page: Page, old: Base | None, seen: Observation) -> Mapping[str, str]:
        """The comments whose words went since the last look. One that was resolved or deleted has lost nothing, and only the
        service knows. Raises as a read does."""
        gone = {} if old is None else {ref: words for ref, words in old.threads.items() if ref not in seen.threads}
        if not gone.keys() - self.told:
            return {}
        dangling = self.provider.orphans(self.place, page.native_id)
        return {ref: dangling[ref] or words for ref, words in gone.items() if ref in dangling}

    def tell(self, page: Page, orphans: Mapping[str, str], actor: Actor, intent: int | None) -> list[str]:
        """Says once of each that it lost its words, by whom; in words what was new."""
        new = [ref for ref in orphans if not self.store.noted(page.incident, "orphaned", ref)]
        for ref in new:
            self.store.note(page.incident, actor, "orphaned", ref, new=orphans[ref], intent=intent)
        self.told.update(orphans)
        return [f"a comment lost the words it was on: “{cut(orphans[ref])}”" for ref in new]
