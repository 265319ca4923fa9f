"""The journal as a story: who did what, when, from which side, and what became what. What one person or one sync did at once
is one paragraph. Shorter words, for a ticker, are in `journal_words.py`.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from mapping.incident import PostmortemStatus
from syncd.journal_words import cut, field_words
from syncd.store.journal import JournalLine

OURS = re.compile(r" \[syncd [^\]]*\]$")  # by which a version of ours is known again
AT_ONCE = timedelta(seconds=2)  # one transaction, or one command of a person
PROSE = ("summary", "blocks", "description")
EDITS = {"add": "wrote", "move": "moved", "remove": "took away"}
MUCH = 160  # characters of a text that are told; `journal --json` has all of it


@dataclass(frozen=True, slots=True)
class Paragraph:
    """What somebody did at one time: `who` with the side, and a clause with its line number for each thing done."""

    at: datetime
    incident: str
    who: str
    did: tuple[tuple[int, str], ...]


def story(lines: Sequence[JournalLine]) -> Iterator[Paragraph]:
    """Paragraphs in the order of the lines, which are one incident's or all incidents'."""
    group: list[JournalLine] = []
    for line in lines:
        if group and not _together(group[-1], line):
            yield _paragraph(group)
            group = []
        group.append(line)
    if group:
        yield _paragraph(group)


def _together(before: JournalLine, line: JournalLine) -> bool:
    same = (before.incident, _who(before)) == (line.incident, _who(line))
    return same and line.at - before.at <= AT_ONCE


def _paragraph(group: Sequence[JournalLine]) -> Paragraph:
    did = [(line.id, clause) for line in group for clause in _clauses(line)]
    return Paragraph(group[0].at, group[0].incident, _who(group[0]), tuple(did))


def _who(line: JournalLine) -> str:
    actor = line.actor
    match actor.side:
        case "page":
            return f"{actor.name or 'Somebody'}, on the page on {actor.page},"
        case "sync":
            return f"syncd, on {actor.page}," if actor.page else "syncd"
        case "import":
            return f"{actor.name}, by an import," if actor.name else "An import"
    return actor.name or "Somebody"


def _clauses(line: JournalLine) -> list[str]:
    """What follows the name; a write to a page has a clause for each edit."""
    if line.action == "wrote":
        return [_edit(edit) for edit in line.new.splitlines()] or ["wrote"]
    if line.action == "set":
        return [_set(line)]
    says = CLAUSES.get(line.action)
    return [says(line) if says else f"{line.action} {subject(line)} {_quoted(line.new)}".strip()]


def _edit(edit: str) -> str:
    """An edit of a plan; one that cannot be read without doubt is told as it is."""
    verb, _, rest = edit.partition(" ")
    before, *after = rest.split(" -> ")
    if verb == "change" and len(after) == 1:
        return f"changed {_line(before)} to {_line(after[0])}"
    return f"{EDITS[verb]} {_line(rest)}" if verb in EDITS else f"wrote: {edit}"


def _line(text: str) -> str:
    """A line of a page; the bars of a table's row are no words."""
    return _quoted(text.removeprefix("| "))


def sentence(clause: str) -> str:
    """A clause with the full stop that it may not have yet."""
    return clause if clause.rstrip("”").endswith((".", "!", "?", "…")) else f"{clause}."


def subject(line: JournalLine) -> str:
    """What a line is about."""
    if line.subject in ("", line.incident):
        return "the incident"
    kind, _, name = line.subject.partition(":")
    if kind in ("section", "task", "details", "template", "destination", "connection") and name:
        return f"the {kind.replace('details', 'detail')} {name}"
    return {"postmortem": "the post-mortem"}.get(line.subject, line.subject)


def _about(line: JournalLine) -> str:
    named = field_words(line.field)
    if line.field == "blocks":
        return subject(line)
    return f"the {named} of {subject(line)}" if named and named != "text" else subject(line)


def _set(line: JournalLine) -> str:
    if line.field in PROSE:
        return _rewrote(line)
    if line.field == "help_gone":
        return f"removed the help of {subject(line)}"
    if line.field == "status" and line.subject not in ("postmortem", line.incident):
        verbs = {"done": "ticked", "open": "reopened", "dropped": "dropped"}
        return f"{verbs.get(line.new, 'set')} {line.subject}"
    old, new = (_quoted(_label(line, value)) for value in (line.old, line.new))
    if not line.old:
        return f"set {_about(line)} to {new}"
    return f"changed {_about(line)} from {old} to {new}" if line.new else f"cleared {_about(line)}, which was {old}"


def _label(line: JournalLine, value: str) -> str:
    known = line.subject == "postmortem" and value in list(PostmortemStatus)
    return PostmortemStatus(value).label if known else value


def _rewrote(line: JournalLine) -> str:
    """The paragraphs that went and those that came."""
    before, after = _paragraphs(line.old), _paragraphs(line.new)
    gone = " ".join(part for part in before if part not in after)
    come = " ".join(part for part in after if part not in before)
    if gone and come:
        return f"changed {_about(line)}: {_quoted(gone)} became {_quoted(come)}"
    if gone:
        return f"removed {_quoted(gone)} from {_about(line)}"
    return f"added {_quoted(come)} to {_about(line)}" if come else f"moved text in {_about(line)}"


def _paragraphs(markdown: str) -> list[str]:
    return [" ".join(part.split()) for part in markdown.split("\n\n") if part.strip()]


def _quoted(text: str) -> str:
    return f"“{cut(text, MUCH)}”" if text.strip() else ""


def _named(line: JournalLine) -> str:
    return f"{_quoted(line.new or line.old)} ({line.subject.partition(':')[2] or line.subject})"


def _added(line: JournalLine) -> str:
    kinds = {"FU": "follow-up", "T": "event"}
    kind = "section" if line.subject.startswith("section:") else kinds.get(line.subject.partition("-")[0], "row")
    return f"added the {kind} {_named(line)}"


def _created(line: JournalLine) -> str:
    if line.subject == "postmortem":
        return f"made the post-mortem from the template {line.new}"
    return f"recorded the incident {_quoted(line.new)}" if line.subject else f"made the page {_quoted(line.new)}"


def _hidden(line: JournalLine) -> str:
    key = line.subject.partition(":")[2] or line.subject
    return f"removed {_named(line)} from the page; it is hidden there, `syncd restore {line.incident} {key}` brings it back"


def _conflict(line: JournalLine) -> str:
    sides = f"the store said {_quoted(line.old) or 'nothing'}, the page {_quoted(line.new) or 'nothing'}"
    return f"found that both sides changed {_about(line)}: {sides}"


def _resumed(line: JournalLine) -> str:
    if not line.incident:
        return f"resumed {subject(line)}"
    agreed = ", and agreed to what had stopped it" if line.new else ""
    return f"let the page on {line.subject} go on{agreed}"


CLAUSES: dict[str, Callable[[JournalLine], str]] = {
    "add": _added,
    "create": _created,
    "created": lambda line: f"made the page {_quoted(line.new)}",
    "adopted": lambda line: f"took the page {line.new or ''} as the page of {line.incident}",
    "detached": lambda line: f"detached the page {line.new}; it stays as it is",
    "orphaned": lambda line: f"took away the words that a comment was on: {_quoted(line.new)}",
    "left unlabelled": lambda line: f"left the page without labels: {line.new}",
    "exported": lambda line: f"exported the post-mortem to {line.new}",
    "learn": lambda line: f"met {line.new or line.subject} <{line.subject}>",
    "hide": _hidden,
    "unhide": lambda line: f"brought {_named(line)} back to the page",
    "unread": lambda line: f"typed {_quoted(line.new)} as {_about(line)}, which nobody understands; it stays as typed",
    "conflict": _conflict,
    "resolve": lambda line: f"settled the conflict about {_about(line)}: {line.new}",
    "reopen": lambda line: f"took back the choice about {_about(line)}; the conflict is open again",
    "recognised": lambda line: (
        f"went on after an interruption; what had been written was recognised: {OURS.sub('', line.new)}"
    ),
    "halted": lambda line: f"stopped: {line.new}",
    "held": lambda line: f"waits: {line.new}",
    "missing": lambda line: f"misses the page: {line.new}",
    "found": lambda line: "found the page again",
    "paused": lambda line: f"paused {subject(line)}{': ' if line.new else ''}{line.new}",
    "resumed": _resumed,
    "done": lambda line: f"did {subject(line)}",
    "undo": lambda line: f"took back {subject(line)}",
    "skip": lambda line: f"skipped {subject(line)}: {line.new}",
    "made": lambda line: f"made {subject(line)}",
    "saved": lambda line: f"changed {subject(line)}",
    "deleted": lambda line: f"deleted {subject(line)}",
    "closed past the gate": lambda line: f"closed the incident past the gate: {line.new}",
    "closed past a no": lambda line: f"closed the incident although the gate said no: {' '.join(line.new.splitlines())}",
    "agreed to the close": lambda line: f"agreed to the close: {line.new}",
    "no post-mortem": lambda line: f"made no post-mortem: {line.new}",
}
