"""How many open comments a page or a block has: the service lists them one target at a time, and only to connections that
were given the right to read them."""

import logging
from collections.abc import Callable

from providers.contract import Missing, Unauthorized
from providers.notion_wire import Wire

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

    def _forbidden(self) -> None:
        """Said once; everything else goes on."""
        self.readable = False
        self._say("This connection may not read comments: give it that capability. Until then no block is made anew.")
