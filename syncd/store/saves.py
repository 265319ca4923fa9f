"""The part of the store that remembers what each open editor saved last, so that a save whose answer was lost is known when
the editor, which still has the old base, saves again.
"""

from dataclasses import dataclass
from datetime import timedelta

from syncd.store import statements as sql
from syncd.store.journal import Journal, text_of

KEPT = timedelta(days=30)  # a browser that was away longer merges from the text that it began with


@dataclass(frozen=True, slots=True)
class Editor:
    """One editor of one section; `name` is random text of the browser tab."""

    incident: str
    section: str
    name: str


class Saves(Journal):
    """Markdown as editors sent it."""

    def last_save(self, editor: Editor, base: str) -> str | None:
        """What this editor saved last over this very base: it never saw the answer, or it would have another base."""
        row = self._one(sql.LAST_SAVE, (editor.incident, editor.section, editor.name, base))
        return str(row[0]) if row else None

    def note_save(self, editor: Editor, base: str, text: str) -> None:
        """Part of the transaction that saves."""
        with self.tx():
            now = self.now()
            self._run(sql.FORGET_SAVES, (text_of(now - KEPT),))
            self._run(sql.NOTE_SAVE, (editor.incident, editor.section, editor.name, base, text, text_of(now)))
