"""The twenty things that are always true, each a function with its sentence; `check` looks for them in a world at rest.

Some can only be seen by doing something more: those come last, and convergence is looked at once again after them. Plan
honesty and the single writer are looked at all the way (`machine.py`). Two are about whole lives and need
two of them: `order_independence`, and determinism, which `test_random_worlds.py` sees in processes of their own.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable

from mapping.document import Block, fingerprint
from providers.sandbox.faults import writes
from syncd.pages import Page
from syncd.reconcile import Report
from syncd.take_in import bare
from tests.simulation.desks import FileDesk, NotionDesk, WikiDesk
from tests.simulation.judging import agrees, nothing_doubled, nothing_lost, one_page_each, texts
from tests.simulation.people import ADA
from tests.simulation.play import OTHER, Play
from tests.simulation.world import GRACE


class Broken(AssertionError):
    """What must be true is not: the name of the invariant, what is wrong, and what had happened."""

    def __init__(self, name: str, detail: str, told: Iterable[str] = ()) -> None:
        super().__init__(f"Broken: {name}: {detail}")
        self.name, self.detail, self.told = name, detail, tuple(told)

    def after(self, told: Iterable[str]) -> "Broken":
        return Broken(self.name, self.detail, told)


def quiet_pass(play: Play) -> list[Report]:
    """A pass that finds nothing to do anywhere; how it does is what several invariants are about."""
    before, lines = play.world.writes(), len(play.world.store.journal(limit=10**6))
    reports = play.world.app.once()
    assert [(r.taken, r.written) for r in reports if r.taken or r.written] == []
    assert play.world.writes() == before, "it writes"
    assert len(play.world.store.journal(limit=10**6)) == lines, "it journals"
    return reports


# --- at rest ------------------------------------------------------------------------------------------------------------


def convergence(play: Play) -> None:
    """Every page says what the store says."""
    reports = play.world.app.once()
    assert [(r.page.destination, r.result, r.reasons) for r in reports if r.result != "in_step"] == []
    for report in reports:
        agrees(play, report)
    nothing_doubled(play)


def idempotence(play: Play) -> None:
    """A second pass writes nothing anywhere."""
    quiet_pass(play)


def no_lost_edit(play: Play) -> None:
    """What people wrote is there: on the page, in the store, in a conflict, or hidden where they removed it."""
    nothing_lost(play)
    everything = " ".join(texts(play.world, OTHER).values())
    assert not {token for token in play.beside if token not in everything}


def no_spurious_write(play: Play) -> None:
    """Nothing changed, however much time passes: nothing is written."""
    play.world.wait(90_000)
    quiet_pass(play)


def foreign_content(play: Play) -> None:
    """What is not ours stands on its page byte for byte."""
    for page in play.pages:
        if page.id in play.foreign:
            assert Counter(play.foreign_on(page)) == Counter(play.foreign[page.id]), page.destination


def ownership(play: Play) -> None:
    """Pages of other people are never touched."""
    for native, body in play.decoys.items():
        assert play.world.wiki.current_body(native) == body
    assert (play.world.root / "pages" / "other-people.md").read_text().endswith("other people.\n")


def delete_safety(play: Play) -> None:
    """No record and no page is ever deleted by a sync."""
    incidents = [play.world.incident(reference) for reference in ("INC-12", OTHER)]
    there = {row.key for one in incidents for row in one.follow_ups} | {row.key for one in incidents for row in one.timeline}
    assert play.keys <= there, play.keys - there
    calls = asked(play)
    assert not [path for method, path in calls if method == "DELETE" and "/pages/" in path]


def crash_safety(play: Play) -> None:
    """Whenever the process died, it went on: no write is left open, and the database is whole."""
    store = play.world.store
    assert not [page.destination for page in store.pages() if store.open_intent(page.id)]
    assert [tuple(row) for row in store._db.execute("PRAGMA integrity_check")] == [("ok",)]
    assert not list(store._db.execute("PRAGMA foreign_key_check"))


def at_most_once_creation(play: Play) -> None:
    """Each page was made once."""
    one_page_each(play.world, set(play.decoys))


def status_by_people(play: Play) -> None:
    """The post-mortem's status moves only by what somebody did."""
    postmortem = play.world.store.postmortem("INC-12")
    chosen = {status.lower().replace(" ", "_") for status in play.statuses} | {"in_progress"}
    assert postmortem and postmortem.status.value in chosen, postmortem
    moves = [
        line for line in play.world.store.journal(limit=10**6) if (line.subject, line.field) == ("postmortem", "status")
    ]
    assert not [line for line in moves if line.actor.side == "sync"]
    other = play.world.store.postmortem(OTHER)
    assert other and other.status.value == "in_progress"


def conflict_stability(play: Play) -> None:
    """A conflict is listed once, and what is resolved stays resolved."""
    conflicts = play.world.store.conflicts("INC-12")
    states = {conflict.id: conflict.state for conflict in conflicts}
    assert len(states) == len(conflicts)
    assert {name: states[name] for name in play.resolved} == play.resolved


def codec_round_trip(play: Play) -> None:
    """What is on a page, written again, reads the same."""
    for page in play.pages:
        target = play.world.app.destinations[page.destination]
        doc = target.provider.read(target.place, page.native_id).doc
        once = target.provider.project(doc)
        assert fingerprint(target.provider.project(once)) == fingerprint(once), page.destination


def base_honesty(play: Play) -> None:
    """What is remembered of a page was really seen on it."""
    for page in play.world.store.pages():
        target, base = play.world.app.destinations[page.destination], play.world.store.base(page.id)
        doc = target.provider.read(target.place, page.native_id).doc
        assert base and fingerprint(base.doc) == fingerprint(doc), page.destination


# --- by doing something more --------------------------------------------------------------------------------------------


def echo_suppression(play: Play) -> None:
    """A service that formats a page anew makes no edit."""
    for page in play.pages:
        desk = play.desk(page)
        if isinstance(desk, WikiDesk):
            desk.site.publish_as_editor(page.native_id, desk.body, ADA)
        elif isinstance(desk, NotionDesk):
            desk.space.ui_rename(page.native_id, _title(play, page), ADA)
        elif isinstance(desk, FileDesk):
            desk.path.write_bytes(desk.path.read_bytes())
    play.world.wait(400)
    quiet_pass(play)


def _title(play: Play, page: Page) -> str:
    target = play.world.app.destinations[page.destination]
    return target.provider.read(target.place, page.native_id).doc.title


def minimal_write(play: Play) -> None:
    """One changed value of the store changes one block of each page, with one write."""
    hidden = {name for page in play.pages for name in play.world.store.hidden(page.id)}
    row = next((row for row in play.world.incident().follow_ups if row.key not in hidden), None)
    if row is None:
        return
    before, count = _blocks(play), Counter(_pages_written(play))
    play.world.app.edit_follow_up(row.key, {"due_on": "2027-03-03" if str(row.due_on) != "2027-03-03" else ""}, GRACE)
    play.world.wait(4000)
    play.world.app.once()
    for place, blocks in _blocks(play).items():
        changed = [b for a, b in zip(before[place], blocks, strict=True) if bare(a) != bare(b)]
        assert len(changed) <= 1, (place, changed)
    written = Counter(_pages_written(play)) - count
    assert written.total() <= sum(page.destination != "files" for page in play.pages), written


def _blocks(play: Play) -> dict[str, tuple[Block, ...]]:
    found = {}
    for page in play.pages:
        target = play.world.app.destinations[page.destination]
        found[page.destination] = target.provider.read(target.place, page.native_id).doc.blocks
    return found


def _pages_written(play: Play) -> list[str]:
    return [path for method, path in asked(play) if writes(method, path) and "/watch/" not in path]


def asked(play: Play) -> list[tuple[str, str]]:
    """Every request so far."""
    world = play.world
    return [*world.wiki.requests, *world.server.requests, *world.space.requests]


def bounded_staleness(play: Play) -> None:
    """What somebody writes on a page is in the store after the first pass that finds it still."""
    for page in play.pages:
        desk, token = play.desk(page), play.token()
        line = next(
            (li for li in desk.lines() if li.kind == "task" and li.section == "Follow-ups" and "FU-" in li.text), None
        )
        if line is not None:
            play.tell(f"{page.destination}: {token} behind {line.text!r}")
            desk.insert(line, "task", token)
            play.world.app.once()
            play.world.wait(61)
            play.world.app.once()
            assert token in [row.title for row in play.world.incident().follow_ups], page.destination
        play.world.wait(4000)
        play.world.app.once()
    stale = [
        p.destination for p in play.world.store.pages() if not p.checked_at or (play.world.now - p.checked_at).seconds > 60
    ]
    assert not stale


def plan_honesty(play: Play) -> None:
    """What `plan` prints is what is done, and printing it changes nothing."""
    engine, store = play.world.app.reconciler, play.world.store
    for page in play.pages:
        before, lines = play.world.writes(), len(store.journal(limit=10**6))
        planned = engine.preview(page.id)
        if (play.world.writes(), len(store.journal(limit=10**6))) != (before, lines):
            raise Broken("plan honesty", f"planning {page.destination} changed something")
        done = engine.reconcile(page.id)
        play.tell(f"plan and do {page.destination}: {done.result} {done.reasons}")
        if page.native_id and planned.result in ("in_step", "waiting") and done.result in ("in_step", "waiting"):
            held = done.result == "waiting" and not done.written
            same = done.taken[: len(planned.taken)] == planned.taken
            same = same and (held or done.written[: len(planned.written)] == planned.written)
            if not same:
                raise Broken("plan honesty", f"{page.destination}: planned {planned}, done {done}")


def plans_nothing(play: Play) -> None:
    """At rest there is nothing to plan."""
    assert [(r.taken, r.written) for r in play.world.app.plan() if r.taken or r.written] == []


# --- over two lives -----------------------------------------------------------------------------------------------------


def outcome(play: Play) -> dict[str, str]:
    """All that a world came to: what store and pages say of either incident, without the numbers that order decides."""
    return {f"{ref} {where}": text for ref in ("INC-12", OTHER) for where, text in texts(play.world, ref).items()}


def order_independence(one: Play, other: Play) -> None:
    """In which order the incidents' pages are worked on makes no difference."""
    assert _unnumbered(outcome(one)) == _unnumbered(outcome(other))


def _unnumbered(found: dict[str, str]) -> dict[str, str]:
    return {where: re.sub(r"\b(FU|T)-\d+\b", r"\1", text) for where, text in found.items()}


INVARIANTS: tuple[Callable[[Play], None], ...] = (
    convergence,
    idempotence,
    no_lost_edit,
    foreign_content,
    ownership,
    delete_safety,
    crash_safety,
    at_most_once_creation,
    status_by_people,
    conflict_stability,
    codec_round_trip,
    base_honesty,
    plans_nothing,
    no_spurious_write,
    echo_suppression,
    minimal_write,
    bounded_staleness,
    convergence,
)


def check(play: Play) -> None:
    """All of them. Raises Broken with the first that is not true."""
    for invariant in INVARIANTS:
        try:
            invariant(play)
        except Broken:
            raise
        except (AssertionError, ValueError) as error:
            raise Broken(invariant.__name__.replace("_", " "), f"{invariant.__doc__} {error}") from error
