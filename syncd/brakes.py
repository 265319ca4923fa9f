"""What stops a write that was decided: a page written too often, and one that answers each of our edits with another.

What stops taking in (an emptied page, rows that vanished) is in `take_in.py`, an older database in `restored.py`.
Each answers a sentence with its way out, empty where nothing is wrong.
"""

from datetime import timedelta

from syncd.pages import Page
from syncd.plan import Plan, describe, replaced
from syncd.store import Store

HOUR = timedelta(hours=1)
ECHOES = 3  # writes that did not stay as written: something answers our own edits


def too_often(store: Store, page: Page, most: int) -> str:
    """More writes in the last hour than a page should need."""
    if len(store.notes_since(page.id, store.now() - HOUR)) < most:
        return ""
    return f"This page was written too often in the last hour; it goes on by itself, or {_once(page)} now."


def to_and_fro(store: Store, page: Page, plan: Plan, answers: int) -> str:
    """`answers`: how many writes of this pass came back changed. Besides: the last writes were this very one."""
    writes = store.last_writes(page.incident, page.destination, store.now() - HOUR, ECHOES)
    if answers < ECHOES and writes != [(replaced(plan), "\n".join(describe(plan)))] * ECHOES:
        return ""
    shown = f"`syncd journal {page.incident}` shows the to and fro; end its cause, then {_once(page)}."
    return f"The page answers each of our edits with another: {shown}"


def _once(page: Page) -> str:
    return f"`syncd resume {page.incident} --accept` writes once more"
