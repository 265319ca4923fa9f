"""Which page a pasted link means: the destination that it belongs to and the service's own id."""

from collections.abc import Mapping
from dataclasses import dataclass

from providers.contract import Observation, Refused
from syncd.errors import Misuse, UnknownReference
from syncd.reconcile import Destination


@dataclass(frozen=True, slots=True)
class Named:
    """A page that somebody named."""

    destination: Destination
    native_id: str

    def read(self) -> Observation:
        """The page now. Raises ProviderError."""
        return self.destination.provider.read(self.destination.place, self.native_id)


def page_named(link: str, to: str, destinations: Mapping[str, Destination]) -> Named:
    """The page behind a link; `to` names the destination where several could be meant. Raises Misuse, and ProviderError
    where the service had to be asked for it."""
    if to and to not in destinations:
        raise UnknownReference("destination", to, list(destinations), "syncd doctor")
    for name, destination in destinations.items():
        native_id = _page_id(destination, link) if to in ("", name) else ""
        if native_id:
            return Named(destination, native_id)
    where = f"the destination {to}" if to else "any destination of the configuration"
    raise Misuse(f"'{link}' is no page of {where}; paste the link to the page.", "syncd doctor")


def _page_id(destination: Destination, link: str) -> str:
    try:
        return destination.provider.page_id(destination.place, link)
    except Refused as error:
        raise Misuse(f"{error}.") from error
