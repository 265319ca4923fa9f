"""A conflict as it is shown, inline and in the inbox: both versions, where their words differ, who and when. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from mapping.align import common
from mapping.incident import PostmortemStatus
from syncd.journal_words import field_words
from syncd.pages import Conflict, Version

WORD = re.compile(r"\w+|\s+|[^\w\s]")
MOST_WORDS = 4000  # of both versions; longer ones are shown without marks
CHOICES = {"page": "The page's version", "store": "The incident's version", "both": "Both", "text": "A text of its own"}


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of words; `differs` where the other version has something else or nothing."""

    text: str
    differs: bool


@dataclass(frozen=True, slots=True)
class Side:
    """One version. `take` is what choosing it is called over HTTP."""

    take: str
    where: str
    by: str
    at: datetime | None
    text: str
    pieces: Sequence[Piece]
    shown: bool


@dataclass(frozen=True, slots=True)
class Clash:
    """A conflict with everything that is shown of it. `mergeable`: both versions can stand together."""

    conflict: Conflict
    what: str
    sides: tuple[Side, Side]
    mergeable: bool
    chosen: str

    @property
    def shown(self) -> str:
        """The text that shows now: where an own text begins."""
        return next(side.text for side in self.sides if side.shown)


def clash(conflict: Conflict) -> Clash:
    """The conflict in words."""
    page, store = (_said(conflict.field, text) for text in (conflict.other.text, conflict.store.text))
    differing = differences(page, store)
    sides = (
        _side("page", f"On {conflict.destination}", conflict, conflict.other, differing[0]),
        _side("store", "In the incident", conflict, conflict.store, differing[1]),
    )
    one = conflict.field in ("assignee", "lead", "status", "severity", "due_on", "at") or ":" in conflict.field
    return Clash(conflict, _what(conflict), sides, not one, CHOICES.get(conflict.state, ""))


def _side(take: str, where: str, conflict: Conflict, version: Version, pieces: Sequence[Piece]) -> Side:
    text = "".join(piece.text for piece in pieces)
    return Side(take, where, version.by, version.at, text, pieces, conflict.shown == take)


def _what(conflict: Conflict) -> str:
    if conflict.field in ("text", "summary", "blocks"):
        return "this text"
    named = f"the {field_words(conflict.field)}"
    return f"{named} of {conflict.key}" if conflict.key else named


def _said(field: str, text: str) -> str:
    return PostmortemStatus(text).label if field == "status" and text in list(PostmortemStatus) else text


def differences(left: str, right: str) -> tuple[list[Piece], list[Piece]]:
    """Both texts cut where they differ, word by word."""
    words = WORD.findall(left), WORD.findall(right)
    if len(words[0]) + len(words[1]) > MOST_WORDS:
        return [Piece(left, False)], [Piece(right, False)]
    pairs = common(*words)
    return _pieces(words[0], {i for i, _ in pairs}), _pieces(words[1], {j for _, j in pairs})


def _pieces(words: Sequence[str], same: set[int]) -> list[Piece]:
    """Runs; a blank between two words that differ belongs to them."""
    marks = [index not in same for index in range(len(words))]
    for index in range(1, len(words) - 1):
        if words[index].isspace() and marks[index - 1] and marks[index + 1]:
            marks[index] = True
    pieces: list[Piece] = []
    for word, differs in zip(words, marks, strict=True):
        if pieces and pieces[-1].differs == differs:
            pieces[-1] = Piece(pieces[-1].text + word, differs)
        else:
            pieces.append(Piece(word, differs))
    return pieces
