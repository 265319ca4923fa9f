"""Finding what a person named, or saying what is nearest."""

from mapping.incident import Incident, Postmortem
from syncd.errors import Misuse, UnknownReference
from syncd.pages import Conflict, Page
from syncd.store import Store


class Lookup:
    """Each method answers the thing or raises `UnknownReference` with the nearest known name."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def incident(self, ref: str) -> Incident:
        found = self.store.incident(ref)
        if found is None:
            raise UnknownReference("incident", ref, self.store.near("incident", ref), "syncd incident list")
        return found

    def postmortem(self, ref: str) -> Postmortem:
        self.incident(ref)
        found = self.store.postmortem(ref)
        if found is None:
            raise Misuse(f"{ref} has no post-mortem.", f"syncd postmortem create {ref} --template standard")
        return found

    def pages(self, ref: str, destination: str = "") -> list[Page]:
        self.postmortem(ref)
        pages = self.store.pages(ref)
        if destination and destination not in [page.destination for page in pages]:
            raise UnknownReference("page on", destination, [page.destination for page in pages])
        return [page for page in pages if not destination or page.destination == destination]

    def page_at(self, ref: str, destination: str) -> Page | None:
        """The page that is kept in step there, if there is one."""
        there = (page for page in self.store.pages(ref) if page.destination == destination)
        return next((page for page in there if page.state != "detached"), None)

    def incident_of_follow_up(self, key: str) -> Incident:
        return self._owner("follow-up", key, self.store.owner_of_follow_up(key))

    def incident_of_event(self, key: str) -> Incident:
        return self._owner("timeline event", key, self.store.owner_of_event(key))

    def _owner(self, kind: str, key: str, owner: str | None) -> Incident:
        if owner is None:
            raise UnknownReference(kind, key, self.store.near(kind, key))
        return self.incident(owner)

    def conflict(self, conflict_id: str) -> Conflict:
        return self.store.conflict(conflict_id)
