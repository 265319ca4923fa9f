"""What people can do, whichever face they use: the command line, the HTTP interface and the web pages all call this.

Values come as people type them and are understood here, once, with the same words as on a page. Every change is a command to
the store, journalled with who and from which side. Talking to services is the reconciler's; building everything from a
configuration is `assembly.py`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from itertools import combinations
from typing import Any

from mapping.commands import Actor, Add, Command, Set
from mapping.document import ATTACHMENTS, Block
from mapping.incident import FollowUpStatus, Incident, Phase, Postmortem, PostmortemStatus, Section
from mapping.markdown import from_markdown, to_markdown
from mapping.records import Read, load_records, parse_records
from mapping.rows import Vocabulary, understood
from mapping.times import iso
from syncd.errors import Misuse, NeedsPerson, RefusedByGate, UnknownReference
from syncd.exporting import Preview, preview
from syncd.flow import DRAFT, EXPORT, Gate, Look, Mark, PastNo, gate
from syncd.looking import Looking
from syncd.lookup import Lookup
from syncd.pages import Conflict, Page, PageState
from syncd.reconcile import Destination, Reconciler, Report
from syncd.rules import Rule, first_fit
from syncd.store import Store
from syncd.store.attachments import picture
from syncd.store.journal import JournalLine
from syncd.store.saves import Editor
from syncd.take_back import PROSE, taken_back
from syncd.templates import TemplateLibrary
from syncd.ways_out import PAUSED
from syncd.wording import Wording
from syncd.work import Connection
from syncd.writing import Written, written


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a file: the references taken in, what a person may want to know, and what was refused, with reasons."""

    taken: list[str]
    notes: list[str]
    refused: list[str]


@dataclass(frozen=True, slots=True)
class Hidden:
    """A row or section that was removed from a page: `key` brings it back, `what` is what it was in words."""

    destination: str
    key: str
    what: str


class App:
    """The use-cases over one store and one configuration."""

    def __init__(
        self,
        store: Store,
        reconciler: Reconciler,
        wording: Wording,
        library: TemplateLibrary,
        fresh: timedelta,
        rules: Sequence[Rule] = (),
        connections: Mapping[str, Connection] | None = None,
    ) -> None:
        self.store, self.reconciler, self.wording, self.library = store, reconciler, wording, library
        self.rules, self.connections = rules, connections or {}
        self.lookup, self.looking = Lookup(store), Looking(store, reconciler, fresh)

    @property
    def destinations(self) -> Mapping[str, Destination]:
        return self.reconciler.destinations

    # --- incidents ------------------------------------------------------------------------------------------------------

    def import_records(self, name: str, data: bytes, zone: tzinfo | None, actor: Actor) -> Imported:
        """Upsert what a file holds."""
        values, unread = load_records(name, data)
        imported = self.import_values(values, name, zone, actor)
        return replace(imported, refused=unread + imported.refused)

    def import_values(self, values: object, source: str, zone: tzinfo | None, actor: Actor) -> Imported:
        """Upsert one incident or several, as JSON has them; `source` is where they are from: it is remembered what each
        source said last."""
        records, refused = parse_records(values, zone, from_markdown)
        notes = [note for read in records for note in self._import(read, source, actor)]
        return Imported([read.incident.reference for read in records], notes, refused)

    def create_incident(self, value: object, actor: Actor) -> tuple[Incident, list[str]]:
        """A new incident in the shape of an import, and what followed, as sentences. Raises Misuse where it cannot be read,
        or is there already."""
        records, refused = parse_records(value, None, from_markdown)
        if refused:
            raise Misuse("; ".join(refused))
        with self.store.tx():
            made = self.store.create_incident(records[0].incident, actor)
            return made, self._entered(made.reference, None)

    def _import(self, read: Read, source: str, actor: Actor) -> list[str]:
        ref = read.incident.reference
        before = self.store.phase(ref)
        closes = read.incident.phase is Phase.CLOSED and before not in (None, Phase.CLOSED)
        said = self.check(ref) if closes else None  # it is nothing against closing that the page does not say so yet
        with self.store.tx():
            notes = self.store.upsert_import(read.incident, source, actor, read.given)
            if said and said.may_close is False and self.store.phase(ref) is Phase.CLOSED:
                self.store.flag_close(ref, said.reasons, actor)
                notes.append(f"{ref} was closed although the gate says no; `syncd check {ref}` says why.")
            return notes + self._entered(ref, before)

    def _entered(self, ref: str, before: Phase | None) -> list[str]:
        """What follows from another phase, as sentences; part of the transaction that brought it."""
        now = self.store.phase(ref)
        if before is Phase.CLOSED and now is not Phase.CLOSED:
            self.store.forget_close(ref)
        rule = None
        if now is Phase.POST_INCIDENT and before is not now and not self.store.postmortem(ref):
            rule = first_fit(self.rules, self.lookup.incident(ref))
        return [self._by_rule(ref, rule)] if rule else []

    def _by_rule(self, ref: str, rule: Rule) -> str:
        actor = Actor("store", f"rule {rule.name}")
        try:
            self.create_postmortem(ref, rule.template, rule.destination, actor)
        except Misuse as refused:
            self.store.note(ref, actor, "no post-mortem", new=str(refused))
            return f"{ref}: the rule {rule.name} could not make its post-mortem. {refused}"
        return f"{ref}: the rule {rule.name} made its post-mortem."

    def edit_incident(
        self,
        ref: str,
        changes: Mapping[str, str],
        actor: Actor,
        skip_flow: str = "",
        sure: Callable[[Incident], None] = lambda incident: None,
    ) -> None:
        """Set fields (`name`, `severity`, `phase`, `lead`, `summary`, `role:ID`, `time:ID`, `field:ID`) from typed text.
        `sure` is asked in the transaction of the change, and raises where that is not the incident that was meant."""
        incident = self.lookup.incident(ref)
        words = self.words(incident)
        commands = [self._incident_field(incident, name, raw, words) for name, raw in changes.items()]
        closing = changes.get("phase") == Phase.CLOSED.value and incident.phase is not Phase.CLOSED
        if closing and not skip_flow:
            self._pass_gate(ref)
        with self.store.tx():
            now = self.lookup.incident(ref)
            sure(now)
            if skip_flow and closing:
                self.store.note(ref, actor, "closed past the gate", new=skip_flow)
            self.store.apply(ref, commands, actor)
            self._entered(ref, now.phase)

    def _incident_field(self, incident: Incident, name: str, raw: str, words: Vocabulary) -> Command:
        if name == "summary":
            return Set(
                "incident", "", "summary", blocks=written(incident.summary, incident.summary, from_markdown(raw)).blocks
            )
        if name == "phase":
            return Set("incident", "", "phase", _one_of("phase", raw, [phase.value for phase in Phase]))
        near = incident.timestamps.get("started") or self.store.now()
        return Set("incident", "", name, self._value(name, raw, words, near))

    def _value(self, name: str, raw: str, words: Vocabulary, near: datetime) -> str:
        value = understood(name, raw.strip(), words, near)
        if value is None:
            statuses = tuple(status.value for status in PostmortemStatus)
            allowed = {"severity": words.severities, "status": statuses}.get(name, ())
            allowed = allowed or (words.fields[name[6:]].options if name[6:] in words.fields else ())
            meant = f"It is one of {', '.join(allowed)}." if allowed else _looks(name)
            raise Misuse(f"'{raw}' cannot be a value of {name.partition(':')[2] or name}. {meant}".strip())
        return value

    def _pass_gate(self, ref: str) -> None:
        answer = self.check(ref)
        if answer.may_close is not True:
            unsure = "" if answer.may_close is False else " (a page could not be looked at)"
            way = f'syncd incident edit {ref} --phase closed --skip-flow "why"'
            raise RefusedByGate(f"{ref} may not close yet{unsure}.", answer.reasons, way)

    def words(self, incident: Incident) -> Vocabulary:
        """What words mean for this incident."""
        postmortem = self.store.postmortem(incident.reference)
        return self.wording.vocabulary(incident, postmortem)

    # --- rows -----------------------------------------------------------------------------------------------------------

    def add_follow_up(self, ref: str, fields: Mapping[str, str], actor: Actor) -> str:
        """A new follow-up from typed fields (title, assignee, due_on, priority); its key."""
        incident = self.lookup.incident(ref)
        words = self.words(incident)
        values = {name: self._row_value(name, raw, words, self.store.now()) for name, raw in fields.items()}
        return self.store.apply(ref, [Add("follow_up", values, "+0")], actor)["+0"]

    def edit_follow_up(self, key: str, fields: Mapping[str, str], actor: Actor) -> None:
        """Change fields (title, status, assignee, due_on, priority) of a follow-up from typed text."""
        incident = self.lookup.incident_of_follow_up(key)
        words = self.words(incident)
        commands = [Set("follow_up", key, n, self._row_value(n, raw, words, self.store.now())) for n, raw in fields.items()]
        self.store.apply(incident.reference, commands, actor)

    def add_event(self, ref: str, fields: Mapping[str, str], actor: Actor) -> str:
        """A new timeline event from typed fields (at, title, description); its key."""
        incident = self.lookup.incident(ref)
        words = self.words(incident)
        near = incident.timestamps.get("started") or self.store.now()
        values = {name: self._row_value(name, raw, words, near) for name, raw in fields.items()}
        return self.store.apply(ref, [Add("event", values, "+0")], actor)["+0"]

    def edit_event(self, key: str, fields: Mapping[str, str], actor: Actor) -> None:
        """Change fields (at, title, description) of an event from typed text; a bare time keeps the event's day."""
        incident = self.lookup.incident_of_event(key)
        words = self.words(incident)
        near = next(event.at for event in incident.timeline if event.key == key)
        commands = [Set("event", key, n, self._row_value(n, raw, words, near)) for n, raw in fields.items()]
        self.store.apply(incident.reference, commands, actor)

    def _row_value(self, name: str, raw: str, words: Vocabulary, near: datetime) -> str:
        if name == "status":
            return _one_of("status", raw, [status.value for status in FollowUpStatus])
        return raw if name in ("description", "priority") else self._value(name, raw, words, near)

    # --- post-mortems ---------------------------------------------------------------------------------------------------

    def create_postmortem(self, ref: str, template_id: str, to: str, actor: Actor) -> Postmortem:
        """Record the post-mortem of an incident; the next pass publishes it where its template or `to` says."""
        incident = self.lookup.incident(ref)
        if self.store.postmortem(ref):
            raise Misuse(f"{ref} has a post-mortem already.", f"syncd postmortem show {ref}")
        template = self.library.get(template_id)
        if template is None:
            raise UnknownReference("template", template_id, [t.id for t in self.library.all()], "syncd template list")
        home = to or (template.destination if template.write == "external" else "")
        if template.write == "external" and not home:
            way = f"syncd postmortem create {ref} --template {template.id} --to DESTINATION"
            raise Misuse(f"The template {template.id} is written externally but names no destination.", way)
        if home:
            self._destination(home, incident)
        postmortem = self.wording.new_postmortem(incident, template, home)
        with self.store.tx():
            self.store.create_postmortem(postmortem, self.wording.frozen(template), template.tasks, actor)
            if home:
                self.store.add_page(ref, home)
        return postmortem

    def _destination(self, name: str, incident: Incident) -> Destination:
        found = self.destinations.get(name)
        if found is None:
            raise UnknownReference("destination", name, list(self.destinations), "syncd doctor")
        if not found.admits(incident):
            raise Misuse(f"{incident.reference} is private; the destination {name} is not marked `private = true`.")
        return found

    def export_postmortem(self, ref: str, to: str, copy: bool, actor: Actor) -> Page:
        """Bring a post-mortem to a destination; unless it is a copy, prose is written there from now on."""
        incident, postmortem = self.lookup.incident(ref), self.lookup.postmortem(ref)
        self._destination(to, incident)
        there = self.lookup.page_at(ref, to)
        if there and (copy or there.copy or postmortem.home == to):
            raise Misuse(f"{ref} is on {to} already.", f"syncd postmortem show {ref}")
        with self.store.tx():
            page = there or self.store.add_page(ref, to, copy=copy)
            if not copy:
                self.store.set_home(ref, to, actor)
            self.store.note(ref, actor, "exported", new=to)
        return page

    def export_preview(self, ref: str, to: str) -> Preview:
        """The page that an export would make. Raises `ProviderError` where the service must be asked and does not answer."""
        incident = self.lookup.incident(ref)
        self.lookup.postmortem(ref)
        place = self._destination(to, incident)
        with place.turn:
            return preview(self.wording.local(Page(0, ref, to, "wanted"), place.provider))

    def bring_home(self, ref: str, actor: Actor) -> None:
        """From now on prose is written in-house; the pages stay in step."""
        self.lookup.postmortem(ref)
        self.store.set_home(ref, "", actor)

    def set_status(self, ref: str, raw: str, actor: Actor) -> None:
        """Move the post-mortem: in_progress, in_review, completed."""
        postmortem = self.lookup.postmortem(ref)
        words = self.words(self.lookup.incident(ref))
        value = self._value("status", raw, words, self.store.now())
        self.store.apply(postmortem.incident, [Set("postmortem", "", "status", value)], actor)

    def edit_section(self, ref: str, section_id: str, markdown: str, actor: Actor) -> None:
        """Write a section in the store: this text instead of what is there."""
        with self.store.tx():
            section, now = self.prose(ref, section_id)
            self.store.apply(ref, [_prose(section, written(now, now, from_markdown(markdown)).blocks)], actor)

    def save_section(self, ref: str, section_id: str, markdown: str, base: str, editor: str, actor: Actor) -> Written:
        """The same for an editor that began with the Markdown `base`: what others wrote meanwhile is merged in. `editor`
        tells one open editor from another, so that a save whose answer was lost may be sent again."""
        who = Editor(ref, section_id, editor)
        with self.store.tx():
            section, now = self.prose(ref, section_id)
            arrived = self.store.last_save(who, base) if editor else None
            began = base if arrived is None else arrived
            answer = written(from_markdown(began), now, from_markdown(markdown))
            if answer.blocks != now:
                self.store.apply(ref, [_prose(section, answer.blocks)], actor)
            if editor and markdown != began:
                self.store.note_save(who, base, markdown)
        return answer

    def add_picture(self, ref: str, data: bytes) -> str:
        """Keep a picture for prose of this incident; its address. Raises Misuse for what is none or is too large."""
        self.lookup.incident(ref)
        found = picture(data)
        self.store.add_attachment(ref, found)
        return ATTACHMENTS + found.name

    def prose(self, ref: str, section_id: str) -> tuple[Section, tuple[Block, ...]]:
        """A section that people write, and what it holds. Raises UnknownReference."""
        postmortem = self.lookup.postmortem(ref)
        sections = {s.id: s for s in postmortem.sections if s.kind in ("text", "summary")}
        if section_id not in sections:
            raise UnknownReference("section of prose", section_id, sections, f"syncd postmortem show {ref}")
        section = sections[section_id]
        return section, self.lookup.incident(ref).prose(section)

    # --- pages ----------------------------------------------------------------------------------------------------------

    def detach(self, ref: str, actor: Actor, to: str = "") -> None:
        """Stop keeping pages in step; nothing on them changes."""
        for page in self.lookup.pages(ref, to):
            self.store.set_page(page.id, state="detached", reason="A person detached the page.")
            self.store.note(ref, actor, "detached", new=page.url or page.destination)

    def resume(self, ref: str, accept: bool, actor: Actor) -> list[Page]:
        """Lift halts of an incident's pages (of all with an empty `ref`); `accept` agrees, once, to what halted them. Raises
        NeedsPerson where only that lifts one: an older database does not become newer."""
        pages = self.lookup.pages(ref) if ref else self.store.pages()
        stopped = [page for page in pages if page.state in ("halted", "missing", "held") and page.code != PAUSED]
        stuck = [page for page in stopped if page.brake == "restored" and not accept]
        for page in stopped:
            if page not in stuck:
                self._resume(page, accept, actor)
        if stuck:
            places = ", ".join(f"{page.incident} on {page.destination}" for page in stuck)
            raise NeedsPerson(f"{places}: {stuck[0].reason}", f"syncd resume {ref or '--all'} --accept")
        return stopped

    def _resume(self, page: Page, accept: bool, actor: Actor) -> None:
        state: PageState = "live" if page.native_id else "wanted"
        with self.store.tx():
            self.store.set_page(page.id, state=state, reason="", brake="", agreed=page.brake if accept else "")
            self.store.mark_dirty(page.id, "resumed")
            self.store.note(page.incident, actor, "resumed", subject=page.destination, new="accepted" if accept else "")

    def resync(self, ref: str) -> list[Page]:
        """The next pass reads all pages of an incident, whatever is believed about them; which."""
        pages = [page for page in self.lookup.pages(ref) if page.state != "detached"]
        for page in pages:
            self.store.set_page(page.id, version="")
            self.store.mark_dirty(page.id, "resync")
        return pages

    def hidden(self, ref: str) -> list[Hidden]:
        """What people removed from the incident's pages, and can have back."""
        return [
            Hidden(p.destination, key, what) for p in self.lookup.pages(ref) for key, what in self.store.hidden(p.id).items()
        ]

    def restore(self, ref: str, key: str, actor: Actor) -> str:
        """Bring a hidden row or section back to the pages that hid it, or the text that a line of the journal (`57`, `#57`)
        replaced; what it was."""
        number = key.removeprefix("#")
        if number.isdecimal():
            return self._restore_text(ref, int(number), actor)
        found = ""
        for page in self.lookup.pages(ref):
            hidden = self.store.hidden(page.id)
            wanted = (key, f"section:{key}", f"details:{key}", self._section_of(ref, key))
            names = [name for name in wanted if name in hidden] if set(wanted[:3]) & set(hidden) else []
            for name in names:
                found = found or hidden[name]
                self.store.unhide(page.id, name, actor)
                self.store.mark_dirty(page.id, "restored")
        if not found:
            known = [
                name.partition(":")[2] or name for page in self.lookup.pages(ref) for name in self.store.hidden(page.id)
            ]
            raise UnknownReference("hidden row or section", key, known)
        return found

    def _restore_text(self, ref: str, number: int, actor: Actor) -> str:
        line = self.store.journal_line(ref, number)
        if line.action == "hide":
            return self.restore(ref, line.subject.partition(":")[2] or line.subject, actor)
        self._take_back(line, actor)
        return f"The text before line {number}"

    def _take_back(self, line: JournalLine, actor: Actor) -> None:
        incident = self.lookup.incident(line.incident)
        command = taken_back(line, incident, self.store.postmortem(line.incident))
        self.store.apply(line.incident, [command], actor)

    def _section_of(self, ref: str, key: str) -> str:
        """The section that a row needs to stand in."""
        kind = "follow_ups" if key in {row.key for row in self.lookup.incident(ref).follow_ups} else "timeline"
        sections = self.lookup.postmortem(ref).sections
        return next((f"section:{s.id}" for s in sections if s.kind == kind), "")

    def resolve(self, conflict_id: str, take: str, text: str | None, actor: Actor) -> Conflict:
        """End a conflict: `page`, `store`, `both`, or a text of one's own; once, with what the field can hold."""
        conflict = self.lookup.conflict(conflict_id)
        if conflict.state != "open":
            raise Misuse(f"The conflict {conflict_id} is resolved already ({conflict.state}).", "syncd conflicts list")
        wanted = text if text is not None else _chosen(conflict, take)
        with self.store.tx():
            command, before = self._to_settle(conflict, wanted), self.store.last_line()
            if command:
                self.store.apply(conflict.incident, [command], actor)
            changed = self.store.last_line()
            choice = changed if changed > before else None
            self.store.set_conflict_state(conflict_id, "text" if text is not None else take, actor, choice)
        return self.lookup.conflict(conflict_id)

    def undo_choice(self, conflict_id: str, actor: Actor) -> Conflict:
        """As before the choice: the conflict is open, and what the choice changed is taken back. Raises Misuse where
        somebody changed that value since; prose written since stays."""
        conflict = self.lookup.conflict(conflict_id)
        if conflict.state == "open":
            raise Misuse(f"The conflict {conflict_id} is open: nothing was chosen.", f"syncd conflicts show {conflict_id}")
        with self.store.tx():
            if conflict.choice is not None:
                line = self.store.journal_line(conflict.incident, conflict.choice)
                if line.field not in PROSE and self.store.changed_since(line):
                    way = f"syncd restore {conflict.incident} {line.id}"
                    raise Misuse(f"{line.subject} {line.field} was changed after the choice; that is not undone.", way)
                self._take_back(line, actor)
            self.store.set_conflict_state(conflict_id, "open", actor)
        return self.lookup.conflict(conflict_id)

    def _to_settle(self, conflict: Conflict, wanted: str) -> Command | None:
        if conflict.field == "text":
            return self._prose_to_settle(conflict, wanted)
        if conflict.field == "heading":
            return Set("section", conflict.section, "heading", wanted)
        if conflict.field in ("reference", "phase"):
            self._ours_stays(conflict, wanted)
            return None
        incident = self.lookup.incident(conflict.incident)
        words, near = self.words(incident), incident.timestamps.get("started") or self.store.now()
        if conflict.key:
            value = self._row_value(conflict.field, wanted, words, near)
            follow_ups = {row.key for row in incident.follow_ups}
            return Set("follow_up" if conflict.key in follow_ups else "event", conflict.key, conflict.field, value)
        value = self._value(conflict.field, wanted, words, near)
        return Set("postmortem" if conflict.field == "status" else "incident", "", conflict.field, value)

    def _ours_stays(self, conflict: Conflict, wanted: str) -> None:
        """A row of ours was put back on the page; only what stands there now can be taken."""
        if wanted != conflict.store.text:
            way = f"syncd incident edit {conflict.incident} --phase PHASE" if conflict.field == "phase" else ""
            raise Misuse(f"The {conflict.field} is not changed on a page: take the store's version.", way)

    def _prose_to_settle(self, conflict: Conflict, wanted: str) -> Command | None:
        postmortem = self.lookup.postmortem(conflict.incident)
        section = postmortem.section(conflict.section)
        if section is None:
            return None
        blocks = self.lookup.incident(conflict.incident).prose(section)
        shown = conflict.other.text if conflict.shown == "page" else conflict.store.text
        settled = _replaced(blocks, shown, from_markdown(wanted))
        return _prose(section, settled)

    # --- in step --------------------------------------------------------------------------------------------------------

    def once(self, progress: Callable[[Report], None] = lambda report: None) -> list[Report]:
        """One pass over every page, repeated until nothing travels any more."""
        last: dict[int, Report] = {}
        for _ in range(8):
            moved = False
            for page in self.store.pages():
                if page.state == "detached":
                    continue
                report = self.reconciler.reconcile(page.id)
                progress(report)
                moved = moved or bool(report.taken or report.written)
                last[page.id] = _joined(last.get(page.id), report)
            if not moved:
                break
        return [last[page_id] for page_id in sorted(last)]

    def plan(self, ref: str = "") -> list[Report]:
        """What `once` would do, page by page; changes nothing."""
        pages = self.lookup.pages(ref) if ref else self.store.pages()
        return [self.reconciler.preview(page.id) for page in pages if page.state != "detached"]

    def check(self, ref: str, fresh_within: timedelta | None = None) -> Gate:
        """The gate. Looks at pages itself when the last look is older than `fresh`; a page whose service does not answer
        counts as fresh where it was so within this span."""
        incident = self.lookup.incident(ref)
        pages = self._gate_pages(ref)
        return self._gate(incident, {page.id: self.looking.at(page) for page in pages}, fresh_within)

    def checks(self, refs: Sequence[str], seconds: float, fresh_within: timedelta | None = None) -> list[Gate]:
        """The gates of several incidents, within this many seconds."""
        incidents = [self.lookup.incident(ref) for ref in refs]
        looks = self.looking.at_once([page for ref in refs for page in self._gate_pages(ref)], seconds)
        return [self._gate(incident, looks, fresh_within) for incident in incidents]

    def _gate_pages(self, ref: str) -> list[Page]:
        """Copies are beside the question."""
        return [page for page in self.store.pages(ref) if not page.copy] if self.store.postmortem(ref) else []

    def _gate(self, incident: Incident, looks: Mapping[int, Look], fresh_within: timedelta | None) -> Gate:
        ref = incident.reference
        postmortem = self.store.postmortem(ref)
        mine = [look for look in looks.values() if look.page.incident == ref]
        tasks = self.store.tasks(ref) if postmortem else ()
        marks = {task: Mark(*mark) for task, mark in self.store.flow_marks(ref).items()}
        require = self.wording.require_written(ref) if postmortem else False
        since = self.store.now() - fresh_within if fresh_within else None
        answer = gate(incident, postmortem, tasks, marks, mine, require_written=require, fresh_since=since)
        closed = self.store.closed_past_no(ref)
        return replace(answer, closed_past_no=PastNo(*closed)) if closed else answer

    # --- flow -----------------------------------------------------------------------------------------------------------

    def mark_task(self, ref: str, task: str, done: bool, why: str, actor: Actor) -> None:
        """A manual task is done, any task is skipped with a reason, or either is taken back."""
        self.lookup.postmortem(ref)
        known = self.store.tasks(ref)
        if task not in known:
            raise UnknownReference("task of this flow", task, known, f"syncd check {ref}")
        taken_back = not done and task in self.store.flow_marks(ref)
        if not why and not taken_back and task in (DRAFT, EXPORT):
            raise Misuse(f"{task} is not done by hand.", f'syncd flow skip {ref} {task} --why "..."')
        self.store.set_flow_mark(ref, task, done, actor.name, why)

    def agree_to_close(self, ref: str, why: str, actor: Actor) -> None:
        """An incident that was closed elsewhere past a no may stay closed, for this reason."""
        self.lookup.incident(ref)
        if self.store.closed_past_no(ref) is None:
            raise Misuse(f"{ref} was not closed past a no: there is nothing to agree to.", f"syncd check {ref}")
        self.store.agree_to_close(ref, why, actor)

    # --- shapes ---------------------------------------------------------------------------------------------------------

    def postmortem_json(self, ref: str) -> dict[str, Any]:
        """`postmortem show --json`."""
        postmortem, incident = self.lookup.postmortem(ref), self.lookup.incident(ref)
        sections = [
            {
                "id": section.id,
                "kind": section.kind,
                "heading": section.heading,
                "markdown": to_markdown(incident.prose(section)).rstrip("\n"),
                "unwritten": section.unwritten,
            }
            for section in postmortem.sections
        ]
        return {
            "incident": ref,
            "template": postmortem.template,
            "status": postmortem.status.value,
            "home": postmortem.home or None,
            "sections": sections,
            "pages": [self.page_json(page) for page in self.store.pages(ref)],
            "conflicts": [conflict_json(c) for c in self.store.conflicts(ref)],
        }

    def page_json(self, page: Page) -> dict[str, Any]:
        """One page as the interfaces show it."""
        return {
            "destination": page.destination,
            "id": page.native_id or None,
            "url": page.url or None,
            "state": page.state,
            "since": _iso(page.since),
            "checked_at": _iso(page.checked_at),
            "reasons": [*([page.reason] if page.reason else []), *self.not_understood(page.id)],
            "comments": _comments_json(page),
        }

    def not_understood(self, page_id: int) -> list[str]:
        """What stands on a page that nobody could read as a value, one sentence each."""
        rows = [(one.key if one.key not in ("details", "properties") else "", one) for one in self.store.unread(page_id)]
        words = [(f"{key} {one.field}".strip(), one.text) for key, one in rows]
        return [f"Nobody understands “{text}” as {about}: correct it on the page." for about, text in words]


def _comments_json(page: Page) -> dict[str, Any] | None:
    if page.comments is None:
        return None
    return {"count": page.comments, "url": page.url, "checked_at": _iso(page.comments_at)}


def conflict_json(conflict: Conflict) -> dict[str, Any]:
    """One conflict as the interfaces show it."""
    sides = {"store": conflict.store, "page": conflict.other}
    value = {name: getattr(conflict, name) for name in ("id", "destination", "section", "key", "field", "base")}
    value |= {name: {"text": side.text, "by": side.by or None, "at": _iso(side.at)} for name, side in sides.items()}
    return value | {"shown": conflict.shown, "state": conflict.state}


def _iso(moment: datetime | None) -> str | None:
    return iso(moment) if moment else None


def _one_of(name: str, raw: str, allowed: Sequence[str]) -> str:
    value = raw.strip().lower().replace(" ", "_").replace("-", "_")
    if value not in allowed:
        raise Misuse(f"'{raw}' cannot be a {name}. It is one of {', '.join(allowed)}.")
    return value


def _looks(name: str) -> str:
    if name == "at" or name.startswith("time:"):
        return "It looks like 2026-11-02T10:03:00Z."
    return "It looks like 2026-12-01." if name == "due_on" else ""


def _chosen(conflict: Conflict, take: str) -> str:
    page, store = conflict.other.text, conflict.store.text
    if take == "both" and (conflict.field in ("assignee", "lead") or conflict.field.startswith("role:")):
        raise Misuse("Two people cannot both be it; take one version, or give a --text.")
    both = f"{store}\n\n{page}" if conflict.field == "text" else f"{store} / {page}"
    return {"page": page, "store": store, "both": both}[take]


def _prose(section: Section, blocks: tuple[Block, ...]) -> Set:
    """The prose of a section; the summary is the incident's own."""
    if section.kind == "summary":
        return Set("incident", "", "summary", blocks=blocks)
    return Set("section", section.id, "blocks", blocks=blocks)


def _replaced(blocks: tuple[Block, ...], shown: str, wanted: tuple[Block, ...]) -> tuple[Block, ...]:
    """The blocks with those that show now replaced; at the end where people changed them meanwhile."""
    for start, stop in combinations(range(len(blocks) + 1), 2):
        if to_markdown(blocks[start:stop]).strip() == shown:
            return blocks[:start] + wanted + blocks[stop:]
    return blocks + tuple(block for block in wanted if block not in blocks)


def _joined(before: Report | None, now: Report) -> Report:
    """All that travelled in several looks, with the last result."""
    if before is None:
        return now
    return replace(now, taken=(*before.taken, *now.taken), written=(*before.written, *now.written))
