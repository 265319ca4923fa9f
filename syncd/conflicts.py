"""What clashed on a page, as a conflict with an id of its own. Pure."""

import hashlib

from syncd.pages import Conflict, Page, Version
from syncd.take_in import Clash


def conflict_of(clash: Clash, page: Page, store: Version, other: Version) -> Conflict:
    """The conflict between the store's version and the page's. The same edits made again are another conflict."""
    parts = (str(page.id), clash.section, clash.key, clash.field, clash.base, clash.store, clash.page, str(store.at))
    return Conflict(
        id=hashlib.sha256("\0".join(parts).encode()).hexdigest()[:10],
        page=page.id,
        incident=page.incident,
        destination=page.destination,
        section=clash.section,
        key=clash.key,
        field=clash.field,
        base=clash.base,
        store=store,
        other=other,
        shown="page" if clash.shown == "page" else "store",
    )
