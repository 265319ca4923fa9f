"""What changed, told in as few requests as is honest.

In a data source one query by `last_edited_time` answers for all its pages: the first reads every row, each later one only
what was edited since the newest time seen, two minutes overlapping, because times are floored to the minute and the index
behind queries may lag.

Under a plain parent page there is no such query, and search is neither exhaustive nor prompt. The parent's list of
children tells the times of a hundred child pages a request (such a block is the page, under the same id), so it is asked
first as long as that may be cheaper than each page by itself; pages that were not met are asked for one by one.

A time is the floor of a minute: as long as that minute may last, another edit would not show. A version tells which: one
that was read while the minute was open ends in `~`, and equals none that is told later, so that the page is looked at again
when the minute is over. What moves nobody's time (an edit deep in a page by another program) only a look at the content
finds.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice

from mapping.notion_text import Json
from providers.contract import Missing
from providers.notion_place import Parent
from providers.notion_wire import PAGE_SIZE, Wire, id_of

OVERLAP = timedelta(minutes=2)
SKEW = timedelta(minutes=15)  # our clock may be so wrong before an edit is missed until the next look at the content
OPEN = timedelta(seconds=90)  # the minute itself, and what the clocks of the service and ours may differ


@dataclass(slots=True)
class _Known:
    """What one data source's queries have told: the newest time, each page's, and when that was."""

    newest: str = ""
    asked: datetime | None = None
    times: dict[str, str] = field(default_factory=dict)


class Feed:
    """The times of pages, by place."""

    def __init__(self, wire: Wire, now: Callable[[], datetime]) -> None:
        self._wire, self._now = wire, now
        self._sources: dict[str, _Known] = {}

    def version(self, time: str) -> str:
        """The version of a page that was just read and tells this time."""
        return f"{time}~" if self._open(time) else time

    def versions(self, parent: Parent, pages: Sequence[str]) -> dict[str, str | None]:
        """The version of each page; None for one that is trashed, archived or gone. A page that leaves a data source for
        the trash is only seen when it is read: absence from a query is not deletion."""
        if not pages:
            return {}
        times = self._of_source(parent) if parent.is_data_source else self._of_children(parent, set(pages))
        found = {page: times[page] if page in times else self._single(page) for page in pages}
        return {page: time and self._told(time) for page, time in found.items()}

    def _open(self, time: str) -> bool:
        return self._now() - datetime.fromisoformat(time) < OPEN

    def _told(self, time: str) -> str:
        return f"{time}~{self._now().isoformat()}" if self._open(time) else time

    def _of_source(self, parent: Parent) -> dict[str, str]:
        """Asks on where the service cut the answer off: it tells at most 10,000 rows a query, oldest first."""
        known = self._sources.setdefault(parent.id, _Known())
        asked, since = self._now(), self._since(known)
        while True:
            at, cut = known.newest, self._query(parent, since, known)
            if not cut or known.newest == at:
                break
            since = known.newest
        known.asked = asked
        return known.times

    def _since(self, known: _Known) -> str:
        """From where to ask: the newest time, or later when that is long ago and many pages may have it."""
        if not known.newest or not known.asked:
            return ""
        return max(datetime.fromisoformat(known.newest) - OVERLAP, known.asked - SKEW).isoformat()

    def _query(self, parent: Parent, since: str, known: _Known) -> bool:
        """Whether the answer was cut off."""
        body: Json = {"sorts": [{"timestamp": "last_edited_time", "direction": "ascending"}]}
        if since:
            body["filter"] = {"timestamp": "last_edited_time", "last_edited_time": {"on_or_after": since}}
        cut = False
        for answer in self._wire.read_pages(f"data_sources/{parent.id}/query", body):
            cut = (answer.get("request_status") or {}).get("type") == "incomplete"
            for page in answer["results"]:
                known.times[page["id"]] = str(page["last_edited_time"])
                known.newest = max(
                    known.newest or known.times[page["id"]], known.times[page["id"]], key=datetime.fromisoformat
                )
        return cut

    def _of_children(self, parent: Parent, pages: set[str]) -> dict[str, str]:
        most = len(pages) // 2 * PAGE_SIZE  # beyond, asking for each page costs less
        times: dict[str, str] = {}
        for block in islice(self._wire.read_list(f"blocks/{parent.id}/children"), most) if most else ():
            if block["id"] in pages:
                times[block["id"]] = str(block["last_edited_time"])
            if len(times) == len(pages):
                break
        return times

    def _single(self, native_id: str) -> str | None:
        try:
            page = self._wire.read(f"pages/{id_of(native_id)}")
        except Missing:
            return None
        return None if page.get("in_trash") or page.get("is_archived") else str(page["last_edited_time"])
