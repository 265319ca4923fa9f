"""The only place that orders effects for one page. Read `Reconciler.reconcile` from the top: it is the life of a page.

    observe -> recover -> take in (one transaction) -> plan out -> journal the intent -> write -> confirm by observing again

Inbound first, then outbound; each half is safe against a crash by itself. Every decision is a pure function elsewhere
(`recover.py`, `take_in.py`, `plan.py`); every byte on the wire is a provider's; what is remembered is the store's.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import NoReturn, assert_never

from mapping.commands import Actor
from mapping.document import fingerprint
from mapping.incident import PostmortemStatus
from mapping.pictures import names_in
from providers.contract import (
    Capabilities,
    Done,
    Held,
    Missing,
    Observation,
    Outcome,
    Place,
    ProviderError,
    RateLimited,
    Refused,
    Rejected,
    Stale,
    TitleTaken,
    Unauthorized,
    Unknown,
    Unreachable,
)
from syncd import ways_out
from syncd.beside import Beside
from syncd.brakes import to_and_fro, too_often
from syncd.command_words import command_words
from syncd.compose import compose
from syncd.conflicts import conflict_of
from syncd.errors import Late
from syncd.local import Local, Policy
from syncd.pages import Base, Brake, Conflict, Intent, Page, PageState, Version
from syncd.plan import Plan, as_fitted, describe, plan_out, replaced
from syncd.recover import recovered
from syncd.restored import Restored
from syncd.store import Store
from syncd.store.pauses import Pause
from syncd.take_in import Clash, TakenIn, take_in, with_keys
from syncd.version_message import changes, message
from syncd.wording import Wording
from syncd.work import Destination, Limits, Report, Result

ROUNDS = 6  # looks at one page in one pass; each write needs one more to confirm it
LONG_AGO = timedelta(minutes=2)  # nothing is written by a look that is older: the process slept, or the machine did
RETRY = timedelta(minutes=10)  # how often we look whether what is in our way is gone


__all__ = ["Destination", "Limits", "Reconciler", "Report"]


class Reconciler:
    """Works on one page at a time; deterministic for a given store, clock and set of providers."""

    def __init__(
        self,
        store: Store,
        destinations: Mapping[str, Destination],
        wording: Wording,
        limits: Limits,
    ) -> None:
        self.store, self.destinations, self.wording, self.limits = store, destinations, wording, limits
        self.restored = Restored(store)

    def reconcile(self, page_id: int, *, patient: bool = False) -> Report:
        """Bring one page and the store in step. `patient`: keep `version_gap` between our versions (the daemon)."""
        unknown = self.restored.unknown()
        if unknown:
            self.restored.stop_all(unknown)
        page = self._page(page_id)
        destination = self.destinations.get(page.destination)
        if page.state in ("halted", "detached"):
            result: Result = "halted" if page.state == "halted" else "in_step"
            return Report(page, result, (page.reason,) if page.reason else (), code=page.code)
        if destination is None:
            return Report(page, "waiting", (f"The destination {page.destination} is not in the configuration.",))
        if pause := self.paused(destination):
            return self._paused(page, pause)
        with destination.turn:
            mark = self.store.dirty_mark(page_id)
            self.store.claim(page_id)
            report = self._guarded(_Pass(self, self._page(page_id), destination, patient))
        if report.result == "in_step":
            self.store.clear_dirty(page_id, mark)
        return report

    def preview(self, page_id: int) -> Report:
        """What `reconcile` would do, without doing it: reads the page, changes nothing on either side. Of a page that a
        brake stopped: what it would do once a person agreed."""
        page = self.restored.stopped(self._page(page_id), self.restored.unknown())
        destination = self.destinations.get(page.destination)
        stopped = page.state == "halted"
        if destination is None or page.state == "detached" or (stopped and not page.brake):
            return Report(page, "halted", (page.reason,))
        if pause := self.paused(destination):
            return Report(page, "waiting", (ways_out.paused(pause),), code=ways_out.PAUSED)
        with destination.turn:
            work = _Pass(self, replace(page, agreed=page.brake if stopped else page.agreed), destination, dry=True)
            report = self._guarded(work)
        return replace(report, page=page, result="halted", reasons=(page.reason,), code=page.code) if stopped else report

    def paused(self, destination: Destination) -> Pause | None:
        """Whether people want nothing to be read or written there now."""
        return self.store.pause_of(destination.name, destination.connection)

    def _paused(self, page: Page, pause: Pause) -> Report:
        """Nothing is looked at; a page that came to be since, or that somebody resumed by itself, says so as well."""
        reason = ways_out.paused(pause)
        if page.state != "missing" and page.reason != reason:
            state: PageState = "held" if page.native_id else page.state
            self.store.set_page(page.id, state=state, reason=reason, code=ways_out.PAUSED, brake="")
        return Report(self._page(page.id), "waiting", (reason,), code=ways_out.PAUSED)

    def _guarded(self, work: "_Pass") -> Report:
        try:
            return work.run()
        except Late as error:
            return Report(self._page(work.page.id), "waiting", (str(error),), tuple(work.taken), tuple(work.written))
        except Missing as error:
            return self._gone(work.page, error, dry=work.dry)
        except RateLimited as error:
            retry = self.store.now() + timedelta(seconds=error.retry_after)
            return self._failed(work, f"{error} It goes on at {retry:%Y-%m-%d %H:%M} UTC.", "rate_limited", retry)
        except Unreachable as error:
            return self._failed(work, str(error), "unreachable")
        except Refused as error:
            code = "unauthorized" if isinstance(error, Unauthorized) else "refused"
            return self._failed(work, f"{error} `syncd doctor` tells more.", code)

    def _failed(self, work: "_Pass", reason: str, code: str, retry: datetime | None = None) -> Report:
        """The page stays what it is; why it could not be looked at is remembered with it."""
        if not work.dry:
            self.store.set_page(work.page.id, reason=reason, code=code)
        page = self._page(work.page.id)
        return Report(page, "unknown", (reason,), tuple(work.taken), tuple(work.written), retry, code=code)

    def _gone(self, page: Page, error: Missing, *, dry: bool) -> Report:
        """A page that cannot be read is looked for again by itself; one that was never made is only told of."""
        reason = ways_out.gone(page, error)
        if not dry:
            state: PageState = "missing" if page.native_id else page.state
            if (page.state, page.code) != (state, error.why):
                self.store.note(page.incident, Actor("sync", page=page.destination), "missing", new=reason)
            self.store.set_page(page.id, state=state, reason=reason, code=error.why, checked_at=self.store.now())
            self.store.set_page(page.id, brake="moved" if error.why == "moved" else "")
        again = self.store.now() + RETRY  # no feed tells that a page is seen again as it was
        return Report(self._page(page.id), "missing", (reason,), retry_at=again, code=error.why)

    def _page(self, page_id: int) -> Page:
        return self.store.page(page_id)


class _Stop(Exception):
    """Ends a pass early with its report."""

    def __init__(self, report: Report) -> None:
        super().__init__(report.reasons)
        self.report = report


class _Pass:
    """One pass over one page. `dry`: everything up to the first effect, in a transaction that is rolled back."""

    def __init__(
        self, engine: Reconciler, page: Page, destination: Destination, patient: bool = False, dry: bool = False
    ) -> None:
        self.engine, self.store, self.wording, self.limits = engine, engine.store, engine.wording, engine.limits
        self.page, self.destination, self.provider = page, destination, destination.provider
        self.generation, self.agreed = page.generation, page.agreed
        self.patient, self.dry = patient, dry
        self.place = replace(destination.place, carriers=self.store.carriers(destination.place))
        self.beside = Beside(self.store, self.provider, self.place)
        self.over_draft = page.agreed == "draft" or not self.limits.draft_hold
        self.holds: tuple[str, ...] = ()  # what waits besides a reason to come
        self.taken: list[str] = []
        self.written: list[str] = []
        self.answers = 0
        self.intent: int | None = None

    @property
    def can(self) -> Capabilities:
        return self.provider.capabilities

    def run(self) -> Report:
        try:
            self._refuse_private()
            if self.dry:
                return self._dry_run()
            self._fill_in()
            seen, landed = self._publish() if not self.page.native_id else (self._read(), None)
            self.beside.label(self.page)
            return self._in_step(seen, landed)
        except _Stop as stop:
            return stop.report

    def _read(self) -> Observation:
        self.looked_at = self.store.now()
        seen = self.provider.read(self.place, self.page.native_id)
        self._prove(seen)
        return seen

    def _prove(self, seen: Observation) -> None:
        """Once in the life of a process: the journal must know every write of ours that moved the page."""
        restored = self.engine.restored
        if self.page.id in restored.proven or seen.version == self.page.version:
            return
        unknown = restored.unknown(self.provider.messages(self.place, self.page.native_id))
        if unknown and self.agreed == "restored":
            self._raise_intents(unknown)
        elif unknown:
            raise _Stop(self._older(unknown))
        restored.proven.add(self.page.id)

    def _raise_intents(self, unknown: int) -> None:
        if not self.dry:
            self.store.raise_intents(unknown)

    def _older(self, unknown: int) -> Report:
        if not self.dry:
            self.engine.restored.stop_all(unknown)
        return self._report("halted", (self.engine.restored.stopped(self.page, unknown).reason,))

    @contextmanager
    def _mine(self) -> Iterator[None]:
        """A transaction of whoever took the page up last. Raises Late in a process that slept meanwhile."""
        with self.store.tx():
            if not self.dry:
                self.store.fence(self.page.id, self.generation)
            yield

    def _fill_in(self) -> None:
        """Say what the template could not say before."""
        commands = self.wording.filled_in(self.page.incident)
        if commands:
            self.store.apply(self.page.incident, commands, Actor("sync"))

    def _in_step(self, seen: Observation, landed: Base | None) -> Report:
        """`landed`: what is known to be on the page since our own write, which `seen` confirms."""
        for _ in range(ROUNDS):
            seen, taken, base = self._take_in(seen, landed)
            plan = self._possible(self._plan(taken, base), base, seen)
            self.holds = (*taken.holds, *plan.holds)
            if plan.empty:
                return self._finish(plan, base, taken)
            self._brakes(plan)
            if self.store.now() - self.looked_at > LONG_AGO:
                seen, landed = self._read(), None
                continue
            outcome = self._write(seen, base, plan)
            landed = plan.expected if isinstance(outcome, Done) else None
            seen = self._after(outcome, plan)
        return self._waits("The page moves while it is being written; it is tried again.", None)

    # --- creating -------------------------------------------------------------------------------------------------------

    def _publish(self) -> tuple[Observation, Base | None]:
        """The page, created at most once. The intent and the attempt are committed before the first byte goes out."""
        self.looked_at = self.store.now()
        intent = self.store.open_intent(self.page.id) or self._intend_to_create()
        place, marker = self.place, self.page.incident
        found = self._find(place, marker, intent.expected.title)
        if found and intent.attempted_at is None:
            raise _Stop(self._halt(f"A page of this incident exists already: `syncd adopt {marker} {found.url}` takes it."))
        self.intent = intent.id
        if found:
            return self._adopt(found), None
        self._let_settle(intent)
        self.store.mark_attempted(intent.id)
        seen = self._created(self.provider.create(place, intent.expected.doc, marker), intent)
        return seen, intent.expected

    def _refuse_private(self) -> None:
        incident = self.store.incident(self.page.incident)
        if incident and not self.destination.admits(incident):
            reason = f"{incident.reference} is private and {self.destination.name} is not marked `private = true`."
            raise _Stop(self._halt(f"{reason} Nothing is read or written; `syncd detach {incident.reference}` ends it."))

    def _intend_to_create(self) -> Intent:
        local = self._local()
        self.patient = self.patient and not local.shows_pictures  # they follow at once
        expected = compose(replace(local, pictures=False))  # a page must be there before its pictures are
        if self.agreed == "title":  # a person agreed to a suffix after the title was found taken
            title = f"{expected.title} (2)"
            expected = replace(expected, title=title, title_touched=True)
        with self._mine():
            self.store.set_page(self.page.id, state="creating", reason="", brake="", agreed="")
            return self.store.add_intent(self.page.id, "create", expected, "created from the template")

    def _find(self, place: Place, marker: str, title: str) -> Observation | None:
        try:
            return self.provider.find(place, marker, title)
        except TitleTaken as error:
            raise _Stop(self._title_taken(error, title)) from error

    def _title_taken(self, error: TitleTaken, title: str) -> Report:
        """A foreign page is never touched; a person may agree to a suffix."""
        intent = self.store.open_intent(self.page.id)
        if intent:
            self.store.close_intent(intent.id, "title taken")
        way = f"`syncd resume {self.page.incident} --accept` creates it as “{title} (2)”."
        return self._halt(f"{str(error).rstrip('.')}. {way}", "title", "title_taken")

    def _let_settle(self, intent: Intent) -> None:
        """A create whose reply was lost may still appear; before that is over it is not tried again."""
        if intent.attempted_at is None:
            return
        settled_at = intent.attempted_at + timedelta(seconds=self.can.settle_seconds)
        if self.store.now() < settled_at:
            raise _Stop(self._waits("The service did not say whether it made the page; it may still appear.", settled_at))

    def _created(self, outcome: Outcome, intent: Intent) -> Observation:
        match outcome:
            case Done(native_id=native_id, seen=seen):
                self._bind(native_id, seen.url if seen else "", "created", intent.expected.title)
                return seen or self.provider.read(self.place, native_id)
            case Rejected(error=TitleTaken() as error):
                raise _Stop(self._title_taken(error, intent.expected.title))
            case Rejected(error=error):
                self.store.close_intent(intent.id, "rejected")
                raise self._rejected(error)
            case Stale(message=message) | Held(message=message) | Unknown(message=message):
                raise _Stop(self._waits(f"{message} It is looked up at the next pass.", None))
            case _:
                assert_never(outcome)

    def _adopt(self, found: Observation) -> Observation:
        """The page that an earlier attempt made."""
        self._bind(found.native_id, found.url, "adopted", found.doc.title)
        return found

    def _bind(self, native_id: str, url: str, how: str, title: str) -> None:
        with self._mine():
            self.store.set_page(self.page.id, native_id=native_id, url=url, state="live", reason="", unlabelled=True)
            self.store.set_page(self.page.id, written_at=self.store.now())
            self._journal(how, title)
        self.page = self.store.page(self.page.id)
        self.written.append(f"{how} the page “{title}”")

    # --- taking in ------------------------------------------------------------------------------------------------------

    def _take_in(self, seen: Observation, landed: Base | None, *, again: bool = False) -> tuple[Observation, TakenIn, Base]:
        """Nothing counts as removed before the page said so twice: an answer can be cut short."""
        if self.page.space not in ("", seen.space) and self.agreed != "moved":
            raise Missing("the page is in another space now", "moved")
        intent = self.store.open_intent(self.page.id)
        old = self.store.base(self.page.id)
        orphans = {} if self.dry else self.beside.orphans(self.page, old, seen)
        base = self._explained(intent, old, seen, landed)
        local = self._local()
        taken = take_in(base, local, seen.doc, self._policy(), self.store.now())
        if taken.removes:
            second = self.provider.reread(self.place, self.page.native_id, taken.gone)
            if fingerprint(second.doc) != fingerprint(seen.doc):
                return self._take_in(second, landed, again=True) if not again else self._undecided()
        if taken.halt:
            raise _Stop(self._halt(taken.halt + f" `syncd resume {self.page.incident} --accept` agrees.", taken.brake))
        self.answers += landed is not None and fingerprint(landed.doc) != fingerprint(seen.doc)
        moved = landed is None and old is not None and fingerprint(base.doc) != fingerprint(seen.doc)
        self.taken += [command_words(c) for c in taken.commands] + [
            f"hidden from this page: {what}" for _, what in taken.hides
        ]
        if landed is not None or (intent is not None and not moved):
            self.written += self.beside.tell(self.page, orphans, Actor("sync", page=self.page.destination), self.intent)
        else:
            self.taken += self.beside.tell(self.page, orphans, Actor("page", seen.author, self.page.destination), None)
        return seen, taken, self._record(taken, seen, intent, landed, moved)

    def _undecided(self) -> NoReturn:
        reason = "Something seemed to be removed, but the readings of the page differ; it is looked at again."
        raise _Stop(self._report("unknown", (reason,)))

    def _explained(self, intent: Intent | None, old: Base | None, seen: Observation, landed: Base | None) -> Base:
        """What the store believes to be on the page."""
        if landed is not None:
            return landed
        if intent is not None:
            return recovered(intent.expected, old, seen.doc, native=self.can.native_ids)
        return old or Base(seen.doc.title, seen.doc.properties, (), {"page": {"title": ""}, "properties": {}})

    def _record(self, taken: TakenIn, seen: Observation, intent: Intent | None, landed: Base | None, moved: bool) -> Base:
        """Everything that one look means, in one transaction."""
        actor = Actor("page", seen.author, self.page.destination)
        with self._mine():
            conflicts = [self._conflict(clash, seen) for clash in taken.clashes]  # while the store's version is the last
            keys = self.store.apply(self.page.incident, taken.commands, actor)
            base = replace(with_keys(taken.base, keys), threads=seen.threads)
            for key, what in taken.hides:
                self.store.hide(self.page.id, key, what, actor)
            for key in taken.unhides:
                self.store.unhide(self.page.id, key, actor)
            for conflict in conflicts:
                self.store.add_conflict(conflict)
            self.store.set_unread(self.page.id, list(taken.unread), actor)
            self.store.set_still(self.page.id, taken.still)
            self.store.set_base(self.page.id, base)
            if not seen.carriers.items() <= self.place.carriers.items():
                self.store.set_carriers(self.place, seen.carriers)
            if intent is not None:
                self.store.close_intent(intent.id, "done" if landed is not None else "recognised")
                if landed is None and intent.kind == "update":
                    self._journal("recognised", intent.note)
            self._note_page(seen, moved)
        self.page = self.store.page(self.page.id)
        return base

    def _note_page(self, seen: Observation, moved: bool) -> None:
        now = self.store.now()
        self.store.set_page(
            self.page.id, native_id=seen.native_id, url=seen.url, version=seen.version, space=seen.space, checked_at=now
        )
        self.store.set_page(self.page.id, agreed="", moved_at=now if moved else self.page.moved_at)

    def _conflict(self, clash: Clash, seen: Observation) -> Conflict:
        by, at = self.store.last_change(self.page.incident, clash.key or clash.section, clash.field)
        page = Version(clash.page, seen.author, seen.edited_at or self.store.now())
        return conflict_of(clash, self.page, Version(clash.store, by, at), page)

    # --- planning out ---------------------------------------------------------------------------------------------------

    def _plan(self, taken: TakenIn, base: Base) -> Plan:
        if taken.waiting:
            self.holds = taken.holds[:-1]
            raise _Stop(self._waits(taken.holds[-1], self.store.now() + self.limits.row_still, told=False))
        if self._frozen():
            return Plan(expected=base, edits=())
        return plan_out(base, self._local(), hold_prose=self._hold_prose())

    def _possible(self, plan: Plan, base: Base, seen: Observation) -> Plan:
        """The plan without what the service cannot do to the blocks that are there."""
        if not plan.edits:
            return plan
        return as_fitted(plan, base, self.provider.fit(self.place, seen, plan.expected.doc))

    def _frozen(self) -> bool:
        return self._completed() and self.destination.after_completed == "frozen"

    def _completed(self) -> bool:
        postmortem = self.store.postmortem(self.page.incident)
        return postmortem is not None and postmortem.status is PostmortemStatus.COMPLETED

    def _hold_prose(self) -> str:
        if self._completed() and self.destination.after_completed == "follow_ups_only":
            return "The post-mortem is completed; this destination then follows follow-ups and details only."
        quiet_until = (self.page.moved_at or datetime.min.replace(tzinfo=self.store.now().tzinfo)) + self.limits.quiet
        if not self.can.compare_and_swap and self.store.now() < quiet_until:
            return "Somebody just worked on the page; prose is written when it is quiet."
        return ""

    def _finish(self, plan: Plan, base: Base, taken: TakenIn) -> Report:
        if plan.expected.records != base.records:
            self.store.set_base(self.page.id, replace(plan.expected, entries=base.entries, threads=base.threads))
        code = self._hold_code(taken)
        self._set("held" if self.holds else "live", " ".join(self.holds), taken.brake, code)
        self.store.set_page(self.page.id, draft_since=None, draft_said=False)
        retry = self.store.now() + self.limits.quiet if plan.holds else None
        return self._report("waiting" if self.holds else "in_step", self.holds, retry, code)

    def _hold_code(self, taken: TakenIn) -> str:
        return "property_lost" if taken.brake == "property" and len(self.holds) == 1 else ""

    def _brakes(self, plan: Plan) -> None:
        now = self.store.now()
        if pause := self.engine.paused(self.destination):  # since this pass began
            raise _Stop(self._waits(ways_out.paused(pause), None, code=ways_out.PAUSED))
        often = too_often(self.store, self.page, self.limits.writes_per_hour)
        if often and not self._agreed("writes"):
            raise _Stop(self._waits(often, now + timedelta(minutes=10), brake="writes"))
        answered = to_and_fro(self.store, self.page, plan, self.answers)
        if answered and not self._agreed("echo"):
            raise _Stop(self._halt(answered, "echo"))
        gap_over = (self.page.written_at or datetime.min.replace(tzinfo=now.tzinfo)) + self.limits.version_gap
        asked = self.page.moved_at and self.page.written_at and self.page.moved_at > self.page.written_at
        if self.patient and not asked and not self.agreed and now < gap_over:
            raise _Stop(self._waits("A version of ours is young; more changes are gathered.", gap_over, told=False))

    def _agreed(self, brake: Brake) -> bool:
        """Did a person agree to lift this brake? For one write."""
        agreed = self.agreed == brake
        self.agreed = "" if agreed else self.agreed
        return agreed

    # --- writing --------------------------------------------------------------------------------------------------------

    def _write(self, seen: Observation, base: Base, plan: Plan) -> Outcome:
        """The intent is committed before the first byte goes out; taking in the next observation closes it."""
        if self.page.draft_since and (held := self._held_back(seen)):  # as at the last look: not worth an intent
            return held
        with self._mine():
            intent = self.store.add_intent(self.page.id, "update", plan.expected, self._note(plan))
        self.intent = intent.id
        self.store.mark_attempted(intent.id)
        said = self._message(base, plan, intent)
        there = names_in(base.blocks)
        outcome = self.beside.bring(self.page, [name for name in names_in(plan.expected.blocks) if name not in there])
        outcome = outcome or self.provider.write(self.place, seen, plan.expected.doc, said, over_draft=self.over_draft)
        if isinstance(outcome, Stale | Held | Rejected):
            self.store.close_intent(intent.id, type(outcome).__name__.lower())
        return outcome

    def _held_back(self, seen: Observation) -> Held | None:
        """What would keep us from writing now."""
        return self.provider.held(self.place, seen, over_draft=self.over_draft)

    def _message(self, base: Base, plan: Plan, intent: Intent) -> str:
        """Who changed what, signed."""
        ref = self.page.incident
        said = ((*self.store.last_change(ref, c.subject, c.field), c.what) for c in changes(base, plan.expected))
        return self.engine.restored.sign(message(ref, said, describe(plan)[0]), intent.id)

    def _note(self, plan: Plan) -> str:
        lines = describe(plan)
        more = f" and {len(lines) - 1} more" if len(lines) > 1 else ""
        return f"{self.page.incident}: {lines[0][:120]}{more}"

    def _after(self, outcome: Outcome, plan: Plan) -> Observation:
        match outcome:
            case Done(seen=seen, orphans=orphans):
                lines = describe(plan)
                self.written += lines
                self.store.set_page(self.page.id, written_at=self.store.now(), draft_since=None, draft_said=False)
                self._journal("wrote", "\n".join(lines), replaced(plan))
                self.written += self.beside.tell(self.page, orphans, Actor("sync", page=self.page.destination), self.intent)
                return seen or self._read()
            case Stale():
                return self._read()
            case Held():
                raise _Stop(self._held(outcome))
            case Rejected(error=error):
                raise self._rejected(error)
            case Unknown(message=message):
                raise _Stop(self._waits(f"{message} The next pass looks at what landed.", None))
            case _:
                assert_never(outcome)

    def _held(self, held: Held) -> Report:
        """People are in the way. It is said at once, but for a draft, which most often is published before long."""
        now = self.store.now()
        if held.code != "draft":
            return self._waits(ways_out.held(self.page, held), now + RETRY, code=held.code)
        since = self.page.draft_since or now
        late = now >= since + self.limits.draft_hold
        if not self.dry:
            self.store.set_page(self.page.id, draft_since=since, draft_said=late)
        reason, told = ways_out.drafted(self.page, held, since, late=late), late and not self.page.draft_said
        return self._waits(reason, now + RETRY if late else None, brake="draft", code="draft", told=told)

    # --- words ----------------------------------------------------------------------------------------------------------

    def _local(self) -> Local:
        return self.wording.local(self.page, self.provider)

    def _policy(self) -> Policy:
        return Policy(
            native=self.can.native_ids,
            published=self.can.published,
            compare_and_swap=self.can.compare_and_swap,
            row_still=self.limits.row_still,
            quiet=self.limits.quiet,
            removed_share=self.limits.removed_share,
            removed_min=self.limits.removed_min,
            agreed=self.agreed,
        )

    def _report(self, result: Result, reasons: tuple[str, ...], retry_at: datetime | None = None, code: str = "") -> Report:
        page = self.store.page(self.page.id)
        return Report(page, result, reasons, tuple(self.taken), tuple(self.written), retry_at, self.intent, code)

    def _journal(self, action: str, what: str, before: str = "") -> None:
        actor = Actor("sync", page=self.page.destination)
        self.store.note(self.page.incident, actor, action, old=before, new=what, intent=self.intent)

    def _set(self, state: PageState, reason: str, brake: Brake = "", code: str = "", *, told: bool = True) -> None:
        """The page's state; what is new about it is journalled when it is worth to be `told`."""
        if self.dry:
            return
        with self._mine():
            before = self.store.page(self.page.id)
            self.store.set_page(self.page.id, state=state, reason=reason, code=code, brake=brake)
            if told and reason and (before.state, before.reason) != (state, reason):
                self._journal(state, reason)
            if before.state == "missing" and state != "missing":
                self._journal("found", before.url)

    def _halt(self, reason: str, brake: Brake = "", code: str = "") -> Report:
        self._set("halted", reason, brake, code)
        return self._report("halted", (reason,), code=code)

    def _waits(
        self, reason: str, retry_at: datetime | None, *, brake: Brake = "", code: str = "", told: bool = True
    ) -> Report:
        """Something is left for later. The code is that of a reason which stands alone."""
        reasons, code = (*self.holds, reason), "" if self.holds else code
        if self.page.native_id:
            self._set("held", " ".join(reasons), brake, code, told=told)
        return self._report("waiting", reasons, retry_at, code)

    def _rejected(self, error: ProviderError) -> Exception:
        """What goes on by itself when the service wants or the page is back is no halt."""
        if isinstance(error, Missing | Unreachable | Unauthorized):
            return error
        code = "title_taken" if isinstance(error, TitleTaken) else "refused"
        return _Stop(
            self._halt(f"The service refused: {error}. Mend it, then `syncd resume {self.page.incident}`.", code=code)
        )

    # --- looking without touching ---------------------------------------------------------------------------------------

    def _dry_run(self) -> Report:
        if not self.page.native_id:
            self.written.append(f"create the page “{self._local().title}”")
            return self._report("waiting", ())
        seen = self._read()
        with self.store.rehearsal():
            self._fill_in()
            seen, taken, base = self._take_in(seen, None)
            plan = self._possible(self._plan(taken, base), base, seen)
            self.holds = (*taken.holds, *plan.holds)
            if not plan.empty:
                self._brakes(plan)
        self.written += describe(plan)
        held = None if plan.empty else self._held_back(seen)
        return (
            self._held(held)
            if held
            else self._report("in_step" if plan.empty else "waiting", self.holds, code=self._hold_code(taken))
        )
