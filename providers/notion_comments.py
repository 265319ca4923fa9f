"""The open comments of a page or a block: the service lists them one target at a time, and only to connections that were
given the right to read them."""

import logging
from collections.abc import Callable, Collection

from mapping.notion_text import Json, plain_text
from providers.contract import Done, Forbidden, Missing, Outcome, RateLimited, Rejected, Unauthorized, Unknown, Unreachable
from providers.notion_wire import PAGE_SIZE, Wire, error_of, provider_error
from providers.transport import NoAnswer

_LOG = logging.getLogger("providers.notion")


class Comments:
    """Counts comments, and makes some. `readable` is None until somebody asked."""

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

    def on_page(self, page_id: str, ours: Collection[str]) -> int | None:
        """How many comments stand open on the page itself, not on single blocks, without `ours`, of at most `PAGE_SIZE`.
        None where they may not be read. One request, also after a refusal: a capability that is given later is noticed."""
        try:
            answer = self._wire.read("comments", {"block_id": page_id, "page_size": PAGE_SIZE})
        except Forbidden:
            self._forbidden()
            return None
        except Missing:  # the page may be gone as well, which says nothing of other pages
            return None
        self.readable = True
        return sum(one.get("id") not in ours for one in answer.get("results", ()))

    def say(self, page_id: str, words: list[Json]) -> Outcome:
        """A comment on the page itself: it joins the page's open thread, where there is one."""
        try:
            answer = self._wire.send("POST", "comments", {"parent": {"page_id": page_id}, "rich_text": words})
        except NoAnswer as nothing:
            return Unknown(str(nothing)) if nothing.sent else Rejected(Unreachable(str(nothing)))
        except RateLimited as later:
            return Rejected(later)
        if answer.ok:
            return Done(str(answer.body["id"]))
        error = provider_error(error_of(answer))
        return Unknown(str(error)) if answer.status >= 500 else Rejected(error)

    def said(self, page_id: str, mark: str) -> str:
        """The open comment on the page itself that holds this text; empty where there is none."""
        query: Json = {"block_id": page_id, "page_size": PAGE_SIZE}
        while True:
            answer = self._wire.read("comments", query)
            for one in answer.get("results", ()):
                if mark in plain_text(one.get("rich_text")):
                    return str(one["id"])
            if not answer.get("has_more"):
                return ""
            query = {**query, "start_cursor": answer["next_cursor"]}

    def _forbidden(self) -> None:
        """Said once; everything else goes on."""
        if self.readable is not False:
            self._say(
                "This connection may not read comments: give it that capability. Until then they are not counted, and no "
                "block is made anew."
            )
        self.readable = False
