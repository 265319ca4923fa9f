"""What keeps a page from being kept in step, as a sentence with its way out: for what ends by itself. Pure.

Programs get the code instead; docs/api.md lists them.
"""

from datetime import datetime

from providers.contract import Held, Missing
from syncd.pages import Page
from syncd.store.pauses import Pause

PAUSED = "paused"  # the code of a page that people do not want to be read or written now
_BACK = {
    "trashed": "is in the trash: restore it there",
    "archived": "is archived: unarchive it there",
    "moved": "was moved to another space: move it back, or `syncd resume {} --accept` keeps it in step there",
    "no_space": "is out of reach with its whole space: bring the space back, or let us see it again",
    "not_found": "is gone or hidden from us: bring it back or share it again",
}
_FREE = {
    "live_doc": "Turn it into a page, it goes on by itself",
    "read_only": "Let us edit it again, it goes on by itself",
}


def paused(by: Pause) -> str:
    """A page at a place that people paused."""
    who = f" by {by.by}" if by.by else ""
    why = f" ({by.why.rstrip('.')})" if by.why else ""
    what = "Paused" if by.kind == "destination" else f"The connection {by.name} is paused"
    since = f"{what}{who} since {by.at:%Y-%m-%d %H:%M} UTC{why}: nothing is read or written there."
    return f"{since} `syncd resume {by.name}` goes on."


def gone(page: Page, error: Missing) -> str:
    """A page that cannot be read, or cannot be made because its place is gone."""
    if not page.native_id:
        return f"The page cannot be made: {error}. It is made when its place is there, or `syncd detach {page.incident}`."
    way = _BACK[error.why].format(page.incident)
    return f"The page {way}, or `syncd detach {page.incident}`; nothing was changed in the store."


def held(page: Page, by: Held) -> str:
    """A page that cannot be written as it is."""
    return f"{by.message} {_FREE[by.code]}, or `syncd detach {page.incident}`."


def drafted(page: Page, by: Held, since: datetime, *, late: bool) -> str:
    """A page on which somebody has unpublished changes. `late`: for so long that a person should know."""
    if not late:
        return f"{by.message} What waits for the page goes out when they are published or discarded."
    way = f"publish or discard them there, or `syncd resume {page.incident} --accept` writes once over them"
    return f"{by.message} They have stood since {since:%Y-%m-%d %H:%M} UTC: {way}."
