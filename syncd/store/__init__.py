"""The store: everything syncd remembers, in one SQLite file. `Store.open(path, clock)`, then `with store.tx():` around what
belongs together; every method that changes something is a transaction by itself or joins the one around it.

Its parts lie on each other: `core.py` (connection, transactions), `journal.py`, `pages.py`, `search.py`, `records.py`,
`flow.py`, `imports.py`; beside them `overview.py`, `lists.py`, `figures.py`, `saves.py`, `pauses.py` and `attachments.py`.
The tables are in `schema.py`, the statements in `statements.py`.
"""

from syncd.store.attachments import Attachments
from syncd.store.figures import Figures
from syncd.store.flow import FlowMark
from syncd.store.imports import Imports
from syncd.store.journal import JournalLine
from syncd.store.lists import Lists
from syncd.store.overview import Overview
from syncd.store.pauses import Pauses
from syncd.store.saves import Saves

__all__ = ["FlowMark", "JournalLine", "Store"]


class Store(Imports, Overview, Lists, Figures, Saves, Pauses, Attachments):
    """Safe to use from several threads and processes at once."""
