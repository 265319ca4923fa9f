"""The open comments of a page or a block: the service lists them one target at a time, and only to connections that were
given the right to read them."""

import logging
from collections.abc import Callable

from providers.contract import Forbidden, Missing, Unauthorized
from providers.notion_wire import PAGE_SIZE, Wire

_LOG = logging.getLogger("providers.notion")


class Comments:
    """Counts comments. `readable` is None until somebody asked."""

    def __init__(self, wire: Wire, say: Callable[[str], None] = _LOG.warning) -> None:
        self._wire, self._say = wire, say
        self.readable: bool | None = None

    def any(self, block_id: str) -> bool | None:
        """Whether somebody commented on the page or block itself; None where that may not be read. One request."""
        if self.readable is False:
            return None
        try:
            answer = self._wire.read("comments", {"block_id": block_id, "page_size": 1})
        except (Unauthorized, Missing):  # some connections get 404 for blocks that they see
            self._forbidden()
            return None
        self.readable = True
        return bool(answer.get("results"))

    def on_page(self, page_id: str) -> int | None:
        """How many comments stand open on the page itself, not on single blocks; at most `PAGE_SIZE`. None where they may
        not be read. One request, also after a refusal: so a capability that is given later is noticed."""
        try:
            answer = self._wire.read("comments", {"block_id": page_id, "page_size": PAGE_SIZE})
        except Forbidden:
            self._forbidden()
            return None
        except Missing:  # the page may be gone as well, which says nothing of other pages
            return None
        self.readable = True
        return len(answer.get("results", ()))

    def _forbidden(self) -> None:
        """Said once; everything else goes on."""
        if self.readable is not False:
            self._say(
                "This connection may not read comments: give it that capability. Until then they are not counted, and no "
                "block is made anew."
            )
        self.readable = False
