"""The part of the store that finds incidents by the words in them: one entry of text for each, made anew in the transaction
that changes any of it.
"""

import re
from collections.abc import Iterable

from mapping.document import blocks_from_json
from syncd.store import statements as sql
from syncd.store.core import Row
from syncd.store.pages import Pages

PHRASES = re.compile(r'"([^"]*)"|([^\s"]+)')
BEGUN = 2  # letters that a word has at least, to stand for all words that begin with it


class Search(Pages):
    """Incidents by their text: name, summary, sections, follow-ups, timeline."""

    def _index(self, ref: str) -> None:
        """The entry of this incident says what the store says now."""
        ((number, name, summary),) = self._all(sql.TEXT_OF_INCIDENT, (ref,))
        entry = (
            name,
            _prose(summary),
            _lines((heading, _prose(blocks)) for heading, blocks in self._all(sql.TEXT_OF_SECTIONS, (ref,))),
            _lines(self._all(sql.TEXT_OF_FOLLOW_UPS, (ref,))),
            _lines(self._all(sql.TEXT_OF_TIMELINE, (ref,))),
        )
        self._run(sql.DROP_ENTRY, (number,))
        self._run(sql.INSERT_ENTRY, (number, ref, *entry))

    def _index_rest(self) -> None:
        """Incidents that an older version stored have no entry yet."""
        if self._one(sql.NOT_INDEXED):
            with self.tx():
                for (ref,) in self._all(sql.NOT_INDEXED):
                    self._index(ref)
                self._run(sql.ALL_INDEXED)


def query(text: str) -> str:
    """What a person typed as a query: all its words in any order, "phrases" as they are, and the last word as far as it goes
    unless it is a number or a key. Empty where nothing was typed; where there is no word in it, nothing is found."""
    typed = [(phrase or word, bool(phrase)) for phrase, word in PHRASES.findall(text.replace("\0", " "))]
    words = [f'"{word}"' for word, _ in typed if any(letter.isalnum() for letter in word)]
    if typed and not typed[-1][1] and len(typed[-1][0]) >= BEGUN and typed[-1][0].replace("'", "").isalpha():
        words[-1] += "*"
    return " ".join(words) or ('""' if text.strip() else "")


def _prose(blocks: str) -> str:
    return _lines((block.text,) for block in blocks_from_json(blocks))


def _lines(parts: Iterable[Row]) -> str:
    return "\n".join(" ".join(part) for part in parts)
