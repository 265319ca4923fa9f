"""The store: everything syncd remembers, in one SQLite file. `Store.open(path, clock)`, then `with store.tx():` around what
belongs together; every method that changes something is a transaction by itself or joins the one around it.

Its parts lie on each other: `store_core.py` (connection, transactions), `store_journal.py`, `store_pages.py`,
`store_records.py`, `store_import.py`. The tables are in `schema.py`, the statements in `statements.py`.
"""

from syncd.store_import import Imports
from syncd.store_journal import JournalLine
from syncd.store_records import FlowMark

__all__ = ["FlowMark", "JournalLine", "Store"]


class Store(Imports):
    """Safe to use from several threads and processes at once."""
