"""A provider that could not be made from its configuration: it fails its own pages and nothing else."""

from collections.abc import Collection, Mapping, Sequence
from typing import NoReturn

from mapping.document import Block, Doc
from mapping.incident import Person
from providers.contract import Capabilities, Change, Observation, Outcome, Place, Plain, Refused, Rejected, Unreachable


class Broken(Plain):
    """Every call says why; see `providers.contract.Provider`."""

    capabilities = Capabilities(compare_and_swap=False, published=False, native_ids=False, settle_seconds=0, comments=True)

    def __init__(self, why: str) -> None:
        self.why = why

    def _refuse(self) -> NoReturn:
        raise Refused(self.why)

    def check(self, place: Place, *, write: bool = False) -> Sequence[str]:
        """Refused."""
        self._refuse()

    def find(self, place: Place, marker: str, title: str) -> Observation | None:
        """Refused."""
        self._refuse()

    def create(self, place: Place, doc: Doc, marker: str) -> Outcome:
        """Refused."""
        return Rejected(Refused(self.why))

    def page_id(self, place: Place, link: str) -> str:
        """None: others may know the link."""
        return ""

    def read(self, place: Place, native_id: str) -> Observation:
        """Refused."""
        self._refuse()

    def reread(self, place: Place, native_id: str, lost: Collection[str]) -> Observation:
        """Refused."""
        self._refuse()

    def write(self, place: Place, seen: Observation, target: Doc, note: str, *, over_draft: bool = False) -> Outcome:
        """Refused."""
        return Rejected(Refused(self.why))

    def say(self, place: Place, native_id: str, words: Sequence[Block], under: str = "") -> Outcome:
        """Not now: what people are to be told waits until the configuration is mended."""
        return Rejected(Unreachable(self.why))

    def versions(self, place: Place, native_ids: Sequence[str]) -> Mapping[str, Change]:
        """Refused."""
        self._refuse()

    def messages(self, place: Place, native_id: str) -> Sequence[str]:
        """Refused."""
        self._refuse()

    def project(self, doc: Doc) -> Doc:
        """As it is."""
        return doc

    def people(self) -> Sequence[Person]:
        """Nobody."""
        return ()
