"""Which page a pasted link means: the destination that it belongs to and the service's own id. Reads nothing."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from providers.confluence_links import address
from providers.contract import Observation, Refused
from providers.notion_wire import id_of
from syncd.errors import Misuse, UnknownReference
from syncd.reconcile import Destination

NOTION_HOSTS = ("notion.so", "notion.com", "notion.site")
Reading = Callable[[str], str]  # a link as a native id, empty for a link to elsewhere; Refused for one that is of no page


@dataclass(frozen=True, slots=True)
class Named:
    """A page that somebody named."""

    destination: Destination
    native_id: str

    def read(self) -> Observation:
        """The page now. Raises ProviderError."""
        return self.destination.provider.read(self.destination.place, self.native_id)


def confluence_link(base: str) -> Reading:
    """Links of the site at `base`, and bare page ids."""

    def read(link: str) -> str:
        found = address(link, base)
        if found and not found.page:
            what = "names a page by its title only" if found.title else "is that of a space"
            raise Refused(f"“{link}” {what}; open the page and copy the link of its share button, which holds the id")
        return found.page if found else ""

    return read


def notion_link(base: str) -> Reading:
    """Links of any Notion host or of the service at `base`, and bare page ids."""

    def read(link: str) -> str:
        parts = urlsplit(link)
        host = parts.hostname or ""
        known = any(host == name or host.endswith(f".{name}") for name in NOTION_HOSTS)
        if "://" in link and not known and parts.netloc != urlsplit(base).netloc:
            return ""
        try:
            return id_of(link)
        except Refused:
            return ""

    return read


def file_link(folder: Path) -> Reading:
    """Paths and file links to a file in `folder`, absolute, from here, or from the folder itself."""

    def read(link: str) -> str:
        parts = urlsplit(link)
        if parts.scheme not in ("", "file"):
            return ""
        path = Path(unquote(parts.path) if parts.scheme else link)
        for candidate in (path.absolute(), folder / path):
            if candidate.is_file() and candidate.resolve().is_relative_to(folder.resolve()):
                return candidate.resolve().relative_to(folder.resolve()).as_posix()
        return ""

    return read


def page_named(link: str, to: str, destinations: Mapping[str, Destination], readings: Mapping[str, Reading]) -> Named:
    """The page behind a link; `to` names the destination where several could be meant. Raises Misuse."""
    if to and to not in destinations:
        raise UnknownReference("destination", to, list(destinations), "syncd doctor")
    for name, destination in destinations.items():
        native_id = _read(readings[name], link) if to in ("", name) else ""
        if native_id:
            return Named(destination, native_id)
    where = f"the destination {to}" if to else "any destination of the configuration"
    raise Misuse(f"'{link}' is no page of {where}; paste the link to the page.", "syncd doctor")


def _read(reading: Reading, link: str) -> str:
    try:
        return reading(link.strip())
    except Refused as error:
        raise Misuse(f"{error}.") from error
