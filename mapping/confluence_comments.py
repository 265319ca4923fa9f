"""Inline comments and looks in Confluence: around which words they stand, and around which they stand after an edit.

A comment's marker is an element around the words that it is about; the comment itself lives elsewhere and knows only the
marker's `ref`. One comment may own several markers, and markers nest and overlap. Looks are elements that a Doc has no word
for: colours, raised and lowered text. Text is compared by words with one `ATOM` for each thing that is not text.
"""

import re
from bisect import bisect_left, bisect_right, insort
from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from mapping.align import common
from mapping.confluence_tree import Element, tree
from mapping.document import Span, Spans, merged_spans, plain
from mapping.merge import essence, tokens

MARKER = "ac:inline-comment-marker"
ATOM = "\ufffc"
_WORD = re.compile(rf"\w|{ATOM}")
_KIN = 0.5  # share of the shorter text's words from which a text is taken for what became of another


@dataclass(frozen=True, slots=True)
class Wrap:
    """An element around words: its start tag as written, and the `ref` of the comment that it marks, empty for looks."""

    tag: str
    ref: str = ""

    def around(self, markup: str) -> str:
        """The markup within the element."""
        return f"{self.tag}{markup}</{self.tag[1:-1].split()[0]}>"


@dataclass(frozen=True, slots=True)
class Piece:
    """A span with what wraps it, outermost first."""

    span: Span
    wraps: tuple[Wrap, ...] = ()


@dataclass(frozen=True, slots=True)
class Marked:
    """Words between two offsets that are wrapped."""

    wrap: Wrap
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Homeless:
    """A marker whose block is gone or was made anew, with the text in which it stood."""

    was: Spans
    mark: Marked


@dataclass(frozen=True, slots=True)
class LostMarker:
    """A comment that a body no longer has a place for: its marker's `ref` and the words that it was on."""

    ref: str
    words: str


def lost_markers(before: str, after: str) -> tuple[LostMarker, ...]:
    """The comments that have a marker in one storage body and none in the next, in page order. Raises StorageError."""
    if MARKER not in before:
        return ()
    there = _marked_words(after) if MARKER in after else {}
    return tuple(LostMarker(ref, words) for ref, words in _marked_words(before).items() if ref not in there)


def _marked_words(body: str) -> dict[str, str]:
    found: dict[str, list[str]] = {}
    for marker in _markers(tree(body)):
        found.setdefault(marker.attrs.get("ac:ref", ""), []).append(marker.text)
    return {ref: " ".join(" ".join(texts).split()) for ref, texts in found.items()}


def _markers(element: Element) -> Iterator[Element]:
    for child in element.elements():
        if child.name == MARKER:
            yield child
        yield from _markers(child)


def comparable(spans: Iterable[Span]) -> str:
    """The text with one `ATOM` for each thing that is not text."""
    return "".join(span.text if span.kind == "text" else ATOM for span in spans)


def marked_in(pieces: Sequence[Piece]) -> tuple[Marked, ...]:
    """What is wrapped in settled text, outermost first."""
    found: dict[tuple[Wrap, int], Marked] = {}
    open_at: dict[Wrap, int] = {}
    at = 0
    for piece in pieces:
        length = len(comparable([piece.span]))
        for wrap in piece.wraps:
            start = open_at.setdefault(wrap, at)
            found[wrap, start] = Marked(wrap, start, at + length)
        open_at = {wrap: start for wrap, start in open_at.items() if wrap in piece.wraps}
        at += length
    return tuple(found.values())


def marked_pieces(spans: Spans, marked: Sequence[Marked]) -> list[Piece]:
    """Spans cut where wraps begin and end."""
    if not marked:
        return [Piece(span) for span in spans]
    cuts = sorted({edge for mark in marked for edge in (mark.start, mark.end)})
    waiting = sorted(range(len(marked)), key=lambda i: -marked[i].start)
    around: list[int] = []
    pieces: list[Piece] = []
    at = 0
    for span in spans:
        inside = cuts[bisect_right(cuts, at) : bisect_left(cuts, at + len(span.text))]
        for part in _cut(span, [cut - at for cut in inside]):
            while waiting and marked[waiting[-1]].start <= at:
                insort(around, waiting.pop())
            around = [i for i in around if marked[i].end > at]
            pieces.append(Piece(part, tuple(dict.fromkeys(marked[i].wrap for i in around))))
            at += len(comparable([part]))
    return pieces


def _cut(span: Span, cuts: Sequence[int]) -> list[Span]:
    if span.kind != "text":
        return [span]
    edges = [0, *cuts, len(span.text)]
    return [replace(span, text=span.text[a:b]) for a, b in pairwise(edges)]


# --- after an edit ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Token:
    """A word, a sign, or one thing that is not text, and where it stands."""

    essence: Hashable
    start: int
    end: int


def _tokens(spans: Spans, *, signs: bool) -> list[_Token]:
    """All words and things, or all signs too; blanks say nothing."""
    found, at = [], 0
    parts = tokens(merged_spans(map(_bare, spans)))
    for part, what in zip(parts, essence(parts), strict=True):
        text = comparable([part])
        if text == ATOM or text[0].isalnum() or text[0] == "_" or (signs and text.strip()):
            found.append(_Token(what, at, at + len(text)))
        at += len(text)
    return found


def _bare(span: Span) -> Span:
    """A span without its looks, and a kept thing without its number among equal ones."""
    return replace(span, marks=frozenset(), link="", ref=span.ref.partition("-")[0] if span.kind == "kept" else span.ref)


def remarked(was: Spans, now: Spans, marked: Sequence[Marked]) -> tuple[Marked, ...]:
    """Where the wrapped words of `was` stand in `now`: around what survives of them, with what was written in between. A
    wrap goes when none of its words is left, but looks of the whole text are looks of the whole new text."""
    if not marked:
        return ()
    text = comparable(was)
    wordy = [mark for mark in marked if _WORD.search(text, mark.start, mark.end)]
    wordless = [mark for mark in marked if not _WORD.search(text, mark.start, mark.end)]
    found = _found(was, now, wordy, signs=False) | _found(was, now, wordless, signs=True)
    whole, ends = (0, len(text)), len(comparable(now))
    found |= {mark: Marked(mark.wrap, 0, ends) for mark in marked if not mark.wrap.ref and (mark.start, mark.end) == whole}
    return tuple(found[mark] for mark in marked if mark in found)


def _found(was: Spans, now: Spans, marked: Sequence[Marked], *, signs: bool) -> dict[Marked, Marked]:
    """`remarked` by words, or for markers that hold none, by signs too."""
    if not marked:
        return {}
    old, new = _tokens(was, signs=signs), _tokens(now, signs=signs)
    pairs = dict(common([token.essence for token in old], [token.essence for token in new]))
    starts, ends = [token.start for token in old], [token.end for token in old]
    put_in, texts = _PutIn(new, pairs), (comparable(was), comparable(now))
    found = {}
    for mark in marked:
        inside = range(bisect_right(ends, mark.start), bisect_left(starts, mark.end))
        stayed = {i: pairs[i] for i in inside if i in pairs}
        placed = stayed if len(stayed) == len(inside) else put_in.row_of([old[i].essence for i in inside], inside) or stayed
        if placed:
            first, last = ((old[i], new[placed[i]]) for i in (min(placed), max(placed)))
            found[mark] = _stretched(mark, *texts, first, last)
    return found


class _PutIn:
    """The words that were put in, each by where it stands."""

    def __init__(self, new: Sequence[_Token], pairs: Mapping[int, int]) -> None:
        self._new = new
        taken = set(pairs.values())
        self._free = [at not in taken for at in range(len(new))]
        self._places: dict[Hashable, list[int]] = {}
        for at, token in enumerate(new):
            if self._free[at]:
                self._places.setdefault(token.essence, []).append(at)

    def row_of(self, wanted: Sequence[Hashable], inside: Sequence[int]) -> dict[int, int]:
        """Where all these words stand in a row in what was put in: they were moved there."""
        for at in self._places.get(wanted[0], ()) if wanted else ():
            row = range(at, at + len(wanted))
            if row.stop <= len(self._new) and all(
                self._free[n] and self._new[n].essence == want for n, want in zip(row, wanted, strict=True)
            ):
                return dict(zip(inside, row, strict=True))
        return {}


def _stretched(mark: Marked, was: str, now: str, first: tuple[_Token, _Token], last: tuple[_Token, _Token]) -> Marked:
    """The marker from the first to the last word, each old and new, with the marked signs that still stand beside them."""
    from_, to = max(mark.start, first[0].start), min(mark.end, last[0].end)
    start, end = first[1].start + from_ - first[0].start, last[1].end - (last[0].end - to)
    ahead = _alike(was[mark.start : from_][::-1], now[max(0, start - from_ + mark.start) : start][::-1])
    behind = _alike(was[to : mark.end], now[end : end + mark.end - to])
    return Marked(mark.wrap, start - ahead, end + behind)


def _alike(edge: str, text: str) -> int:
    """How many characters of an edge still stand there; blanks count as its end only where it is whole."""
    same = next((at for at, (a, b) in enumerate(zip(edge, text, strict=False)) if a != b), min(len(edge), len(text)))
    return same if same == len(edge) else len(edge[:same].rstrip())


def adopted(homeless: Iterable[Homeless], texts: Collection[Spans]) -> dict[Spans, tuple[Marked, ...]]:
    """For comment markers without a block: the new or changed texts that hold all of their words and most of what stood
    around them, as where a paragraph is split, joined, moved or made a list item."""
    found: dict[Spans, tuple[Marked, ...]] = {}
    for lost in homeless:
        words = comparable(lost.was)[lost.mark.start : lost.mark.end]
        for text in sorted(texts, key=lambda text: -_kinship(lost.was, text)):
            if _kinship(lost.was, text) < _KIN:
                break
            places = remarked(lost.was, text, [lost.mark])
            if places and comparable(text)[places[0].start : places[0].end] == words:
                found[text] = (*found.get(text, ()), *places)
                break
    return found


def _kinship(left: Spans, right: Spans) -> float:
    """Share of the shorter text's words that are in the other too."""
    words, others = (Counter(re.findall(r"\w+", plain(text).casefold())) for text in (left, right))
    return (words & others).total() / (min(words.total(), others.total()) or 1)
