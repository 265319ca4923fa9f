"""The journal as sentences: every kind of line says who, from which side, and what became what."""

from datetime import UTC, datetime, timedelta

import pytest

from mapping.commands import Actor
from syncd.store.journal import JournalLine
from syncd.story import sentence, story

NOON = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
ADA = Actor("page", "Ada Byron", "wiki")
GRACE = Actor("store", "Grace Hopkins")
SYNC = Actor("sync", page="wiki")


def line(actor: Actor, action: str, *texts: str, number: int = 1, at: datetime = NOON) -> JournalLine:
    subject, field, old, new = (*texts, "", "", "", "")[:4]
    return JournalLine(number, at, "INC-12", actor, action, subject, field, old, new, None)


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        (line(ADA, "set", "FU-1", "status", "open", "done"), "Ada Byron, on the page on wiki, ticked FU-1"),
        (line(ADA, "set", "FU-1", "due_on", "2026-12-01", ""), "cleared the due date of FU-1, which was “2026-12-01”"),
        (line(GRACE, "set", "INC-12", "severity", "", "SEV1"), "Grace Hopkins set the severity of the incident to “SEV1”"),
        (line(GRACE, "set", "INC-12", "role:scribe", "a", "b"), "changed the scribe of the incident from “a” to “b”"),
        (line(GRACE, "set", "postmortem", "status", "in_progress", "in_review"), "from “In progress” to “In review”"),
        (line(ADA, "set", "section:impact", "blocks", "A.\n\nB.", "A.\n\nC."), "the section impact: “B.” became “C.”"),
        (line(ADA, "set", "section:impact", "blocks", "A.", "A.\n\nC."), "added “C.” to the section impact"),
        (line(ADA, "set", "section:impact", "heading", "Old", "New"), "the heading of the section impact from “Old”"),
        (line(ADA, "add", "FU-4", "", "", "Tell support"), "added the follow-up “Tell support” (FU-4)"),
        (line(ADA, "add", "T-4", "", "", "Rang"), "added the event “Rang” (T-4)"),
        (line(ADA, "hide", "section:impact", "", "Impact"), "`syncd restore INC-12 impact` brings it back"),
        (line(SYNC, "conflict", "FU-1", "title", "Age", "Depth"), "the store said “Age”, the page “Depth”"),
        (line(GRACE, "resolve", "FU-1", "title", "", "page"), "settled the conflict about the title of FU-1: page"),
        (line(SYNC, "held", "", "", "", "Somebody types."), "syncd, on wiki, waits: Somebody types"),
        (line(ADA, "orphaned", "76ce", "", "", "ten minutes"), "the words that a comment was on: “ten minutes”"),
        (line(SYNC, "left unlabelled", "", "", "", "not allowed"), "left the page without labels: not allowed"),
        (
            line(SYNC, "wrote", "", "", "", "change | 10:03 | Rang -> | 10:05 | Rang"),
            "changed “10:03 | Rang” to “10:05 | Rang”",
        ),
        (line(SYNC, "wrote", "", "", "", "change a -> b -> c"), "wrote: change a -> b -> c"),
        (line(SYNC, "wrote", "", "", "", "lead: nothing -> Ada Byron"), "wrote: lead: nothing -> Ada Byron"),
        (line(SYNC, "halted", "", "", "", "It was emptied."), "stopped: It was emptied"),
        (line(SYNC, "recognised", "", "", "", "INC-12: change"), "went on after an interruption"),
        (line(GRACE, "resumed", "wiki", "", "", "accepted"), "let the page on wiki go on, and agreed"),
        (line(GRACE, "skip", "task:debrief", "", "", "no time"), "skipped the task debrief: no time"),
        (
            line(Actor("import", "Grace Hopkins"), "create", "INC-12", "", "", "Down"),
            "Hopkins, by an import, recorded",
        ),
    ],
)
def test_a_line_is_a_sentence(told: JournalLine, sentence: str) -> None:
    (part,) = story([told])
    assert sentence in f"{part.who} {part.did[0][1]}"


def test_what_was_done_at_once_is_one_paragraph() -> None:
    later = NOON + timedelta(minutes=1)
    lines = [
        line(ADA, "set", "FU-1", "status", "open", "done", number=1),
        line(ADA, "add", "FU-2", "", "", "Tell support", number=2),
        line(SYNC, "wrote", "", "", "", "change a -> b\nadd [ ] c", number=3),
        line(ADA, "set", "FU-1", "status", "done", "open", number=4, at=later),
    ]
    parts = list(story(lines))
    assert [[number for number, _ in part.did] for part in parts] == [[1, 2], [3, 3], [4]]
    assert [clause for _, clause in parts[1].did] == ["changed “a” to “b”", "wrote “[ ] c”"]


@pytest.mark.parametrize(
    ("clause", "told"),
    [
        ("ticked FU-1", "ticked FU-1."),
        ("stopped: It was emptied.", "stopped: It was emptied."),
        ("added “Nobody was paged.”", "added “Nobody was paged.”"),
        ("added “Why?”", "added “Why?”"),
        ("set the name to “Down”", "set the name to “Down”."),
    ],
)
def test_a_sentence_ends_once(clause: str, told: str) -> None:
    assert sentence(clause) == told
