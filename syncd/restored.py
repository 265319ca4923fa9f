"""A database that was restored from an older copy: how it is noticed, and that nothing goes on until a person agrees.

It is older when the file beside it names a later write than it knows (`generation.py`), or when a page's version is signed
with one. Its decisions would be made with an old base: what people did since would be merged twice, and keys given twice.
"""

import re
from collections.abc import Sequence
from dataclasses import replace

from mapping.commands import Actor
from syncd.pages import Page
from syncd.store import Store

SIGNED = re.compile(r"\[syncd (\w+)-(\d+)\]")


class Restored:
    """Compares what is known to have gone out with what the database knows."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.proven: set[int] = set()  # pages whose history this process compared with the journal

    def sign(self, note: str, intent: int) -> str:
        """The message of a version of ours."""
        return f"{note} [syncd {self.store.store_id}-{intent}]"

    def unknown(self, messages: Sequence[str] = ()) -> int:
        """The newest write that went out from this database and is not in it, 0 when it knows them all."""
        signed = [found for message in messages for found in SIGNED.findall(message)]
        ours = [int(number) for store, number in signed if store == self.store.store_id]
        newest = max([self.store.newest_written(), *ours])
        return newest if newest > self.store.last_intent() else 0

    def stopped(self, page: Page, unknown: int) -> Page:
        """The page as it stands while nobody agreed."""
        if not unknown or page.state == "detached":
            return page
        return replace(page, state="halted", brake="restored", agreed="", reason=_reason(page.incident, unknown))

    def stop_all(self, unknown: int) -> None:
        """Nothing is read or written any more until a person agrees."""
        with self.store.tx(full=True):
            self.store.raise_intents(unknown)
            for page in (self.stopped(page, unknown) for page in self.store.pages()):
                if page.brake == "restored":
                    self.store.set_page(page.id, state=page.state, reason=page.reason, brake=page.brake, agreed="")
                    self.store.note(page.incident, Actor("sync", page=page.destination), "halted", new=page.reason)


def _reason(ref: str, unknown: int) -> str:
    return (
        f"This database was restored from an older copy: it does not know write {unknown}, which went out from it. "
        f"Look at `syncd plan {ref}`; then `syncd resume {ref} --accept` goes on with {ref}, "
        "`syncd resume --all --accept` with everything."
    )
