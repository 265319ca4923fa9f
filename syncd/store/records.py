"""The part of the store that holds incidents, rows, people and post-mortems, and the one way in which they change: commands.

Every real change is journalled and marks the incident's pages dirty; a command that says what is already so does nothing.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Literal

from mapping.commands import Actor, Add, AddSection, Command, Learn, Set, Target
from mapping.document import Block, blocks_from_json, blocks_to_json
from mapping.incident import (
    FollowUp,
    FollowUpStatus,
    Incident,
    Person,
    Phase,
    Postmortem,
    PostmortemStatus,
    Section,
    TimelineEvent,
)
from mapping.markdown import to_markdown
from mapping.rows import event_values, follow_up_values, person_value
from mapping.times import iso
from syncd.errors import Misuse, UnknownReference
from syncd.store import statements as sql
from syncd.store.core import Row
from syncd.store.journal import moment, text_of
from syncd.store.search import Search

PREFIX: dict[Literal["follow_up", "event"], str] = {"follow_up": "FU", "event": "T"}
KINDS: Mapping[Target, str] = {"follow_up": "follow-up", "event": "timeline event", "section": "section"}
PROSE = ("summary", "blocks", "rendered")  # fields that are blocks as JSON
FURTHER = ("role:", "time:", "field:")  # an incident's fields that have no column
STORE = Actor("store")


def canonical(target: Target, field: str, value: str) -> str:
    """The value as it is stored; raises Misuse for one that the field cannot hold."""
    try:
        return _canonical(target, field, value)
    except ValueError as error:
        raise Misuse(f"'{value}' cannot be the {field} of a {target.replace('_', '-')}.") from error


def _canonical(target: Target, field: str, value: str) -> str:
    match target, field:
        case "incident", "phase":
            return Phase(value).value
        case "follow_up", "status":
            return FollowUpStatus(value).value
        case "postmortem", "status":
            return PostmortemStatus(value).value
        case "event", "at":
            return _utc(value)
        case ("incident", "private") | ("section", "help_gone"):
            return "yes" if value in ("yes", "true") else ""
        case "follow_up", "due_on":
            return date.fromisoformat(value).isoformat() if value else ""
        case ("incident", "lead") | ("follow_up", "assignee"):
            return _email_or_name(value)
    if field.startswith("role:"):
        return _email_or_name(value)
    return _utc(value) if field.startswith("time:") and value else value


def _utc(value: str) -> str:
    at = datetime.fromisoformat(value)
    if at.tzinfo is None:
        raise ValueError(value)
    return iso(at.astimezone(UTC))


def _email_or_name(value: str) -> str:
    return value.strip().lower() if "@" in value else value.strip()


def incident_values(record: Incident) -> dict[str, str]:
    """Every field of an incident that has a value, but its summary and rows, as canonical text."""
    values = {
        "name": record.name,
        "phase": record.phase.value,
        "severity": record.severity,
        "private": "yes" if record.private else "",
        "lead": person_value(record.lead),
    }
    values |= {f"role:{role}": person_value(person) for role, person in record.roles.items()}
    values |= {f"time:{name}": iso(at) for name, at in record.timestamps.items()}
    values |= {f"field:{name}": value for name, value in record.custom_fields.items()}
    return {name: canonical("incident", name, value) for name, value in values.items() if value}


def row_values(row: FollowUp | TimelineEvent) -> dict[str, str]:
    """Every field of a row as canonical text."""
    values = follow_up_values(row) | {"priority": row.priority} if isinstance(row, FollowUp) else event_values(row)
    target = target_of(row)
    return {name: canonical(target, name, value) for name, value in values.items()}


def target_of(row: FollowUp | TimelineEvent) -> Literal["follow_up", "event"]:
    """Which kind of row this is, in the commands' word."""
    return "follow_up" if isinstance(row, FollowUp) else "event"


def people_of(record: Incident) -> list[Person]:
    """Everybody with an e-mail whom an incident names."""
    return [person for person in record.people if person.email]


class Records(Search):
    """Incidents and their rows, people, post-mortems."""

    # --- reading --------------------------------------------------------------------------------------------------------

    def references(self) -> list[str]:
        """Every incident's reference, the oldest first."""
        return [row[0] for row in self._all(sql.REFERENCES)]

    def incident(self, ref: str) -> Incident | None:
        """One incident with its rows: follow-ups as they were made, events by time."""
        with self._read():
            found = _incidents(*(self._all(statement, (ref,)) for statement in sql.ONE_INCIDENT))
        return found[0] if found else None

    def incidents(self) -> list[Incident]:
        """All incidents with their rows, the oldest first."""
        with self._read():
            return _incidents(*(self._all(statement) for statement in sql.ALL_INCIDENTS))

    def phase(self, ref: str) -> Phase | None:
        """An incident's phase, None where there is no such incident."""
        row = self._one(sql.FIELD["incident", "phase"], {"incident": ref})
        return Phase(row[0]) if row else None

    def owner(self, key: str) -> str | None:
        """The incident that a follow-up's or event's key belongs to."""
        row = self._one(sql.OWNER, {"key": key})
        return str(row[0]) if row else None

    def owner_of_follow_up(self, key: str) -> str | None:
        """The incident that has this follow-up."""
        row = self._one(sql.OWNER_OF_FOLLOW_UP, {"key": key})
        return str(row[0]) if row else None

    def owner_of_event(self, key: str) -> str | None:
        """The incident that has this timeline event."""
        row = self._one(sql.OWNER_OF_EVENT, {"key": key})
        return str(row[0]) if row else None

    def follow_up_made(self, key: str) -> tuple[datetime, str]:
        """When a follow-up was made, and on which destination's page (empty: not on a page); raises UnknownReference."""
        row = self._one(sql.MADE, (key,))
        if row is None:
            raise UnknownReference("follow-up", key)
        return moment(row[0]), row[1]

    def people(self) -> list[Person]:
        """Everybody known by e-mail."""
        return [Person(name, email) for name, email in self._all(sql.PEOPLE)]

    def known(self, email: str) -> Person | None:
        """The person with this e-mail."""
        row = self._one(sql.PERSON, (email.lower(),))
        return Person(*row) if row else None

    # --- changing -------------------------------------------------------------------------------------------------------

    def apply(self, ref: str, commands: Iterable[Command], actor: Actor) -> dict[str, str]:
        """Performs the commands together or not at all; answers which slot got which key.

        Raises UnknownReference for a record that this incident does not have, Misuse for a value that a field cannot hold.
        """
        keys: dict[str, str] = {}
        with self.tx():
            self._must_exist(ref)
            changed = [self._perform(ref, command, actor, keys) for command in commands]
            if any(changed):
                self._changed(ref, f"changed by {actor.name or actor.side}")
        return keys

    def _changed(self, ref: str, reason: str) -> None:
        """What follows from any change of an incident: it is found by its new words, and its pages are looked at."""
        self._index(ref)
        self.mark_incident(ref, reason)

    def _perform(self, ref: str, command: Command, actor: Actor, keys: dict[str, str]) -> bool:
        match command:
            case Set():
                return self._set(ref, command, actor)
            case Add():
                keys[command.slot] = self._add(ref, command, actor)
                return True
            case AddSection():
                return self._add_section(ref, command, actor)
            case Learn():
                return self._learn(ref, command.person, actor)

    def _must_exist(self, ref: str) -> None:
        if self._one(sql.KNOWS, (ref,)) is None:
            raise UnknownReference("incident", ref, self.near("incident", ref), "syncd incident list")

    def _set(self, ref: str, command: Set, actor: Actor) -> bool:
        if command.target == "incident" and command.field.startswith(FURTHER):
            return self._set_further(ref, command.field, command.value, actor)
        if command.field not in sql.COLUMNS[command.target]:
            raise Misuse(f"A {command.target.replace('_', '-')} has no field '{command.field}'.")
        where = {"incident": ref, "key": command.key}
        row = self._one(sql.FIELD[command.target, command.field], where)
        if row is None:
            raise UnknownReference(KINDS.get(command.target, command.target), command.key or ref)
        value = _stored(command)
        if _same(command.field, row[0], value):
            return False
        self._run(sql.SET_FIELD[command.target, command.field], {**where, "value": value})
        self._journal_set(ref, command, row[0], value, actor)
        if (command.target, command.field) == ("postmortem", "status"):
            self.announce("postmortem.status", ref, "", {"old": row[0], "new": value, "by": actor.name or actor.side})
        return True

    def _journal_set(self, ref: str, command: Set, old: str, new: str, actor: Actor) -> None:
        shown = (_shown(command.field, old), _shown(command.field, new))
        self.note(ref, actor, "set", subject_of(ref, command.target, command.key), command.field, *shown)

    def _set_further(self, ref: str, field: str, raw: str, actor: Actor) -> bool:
        value = canonical("incident", field, raw)
        row = self._one(sql.VALUE, (ref, field))
        old = row[0] if row else ""
        if value == old:
            return False
        if value:
            self._run(sql.SET_VALUE, (ref, field, value))
        else:
            self._run(sql.DROP_VALUE, (ref, field))
        self.note(ref, actor, "set", ref, field, old, value)
        return True

    def _add(self, ref: str, command: Add, actor: Actor) -> str:
        key = self._key(command.target, command.key)
        target = command.target
        values = {name: canonical(target, name, command.fields.get(name, "")) for name in _given(command)}
        blank = dict.fromkeys(sql.COLUMNS[target], "")
        row = {**blank, **({"status": "open"} if target == "follow_up" else {}), **values, "incident": ref, "key": key}
        if target == "follow_up":
            self._run(sql.INSERT_FOLLOW_UP, row | {"made_at": text_of(self.now()), "made_on": actor.page})
        else:
            self._run(sql.INSERT_EVENT, row)
        self.note(ref, actor, "add", key, new=values.get("title", ""))
        return key

    def _key(self, target: Literal["follow_up", "event"], wanted: str) -> str:
        """The wanted key where it is one and free, else the next; no key is ever given twice."""
        self._reserve(target, wanted)
        if key_number(target, wanted) and self.owner(wanted) is None:
            return wanted
        return f"{PREFIX[target]}-{self._all(sql.NEXT_KEY, (PREFIX[target],))[0][0]}"

    def _reserve(self, target: Literal["follow_up", "event"], key: str) -> None:
        """A key that came from outside is given to no other: neither later nor to a neighbour without a key."""
        number = key_number(target, key)
        if number:
            self._run(sql.RAISE_KEY, (PREFIX[target], number))

    def _add_section(self, ref: str, command: AddSection, actor: Actor) -> bool:
        if self._one(sql.POSITION, (ref, command.section.id)):
            return False
        if self.postmortem(ref) is None:
            raise UnknownReference("post-mortem", ref)
        before = self._one(sql.POSITION, (ref, command.after))
        position = before[0] if before else -1
        self._run(sql.MAKE_ROOM, (ref, position))
        self._run(sql.INSERT_SECTION, _section_columns(ref, position + 1, command.section))
        self.note(ref, actor, "add", f"section:{command.section.id}", new=command.section.heading)
        return True

    def _learn(self, ref: str, person: Person, actor: Actor) -> bool:
        email = person.email.strip().lower()
        known = self.known(email)
        if not email or (known and person.name in ("", known.name)):
            return False
        self._run(sql.LEARN, (email, person.name))
        self.note(ref, actor, "learn", email, "name", known.name if known else "", person.name)
        return True

    def create_incident(self, record: Incident, actor: Actor) -> Incident:
        """A new incident with its rows, whose keys are kept where they are free; raises Misuse when it is there already."""
        with self.tx():
            if self._one(sql.KNOWS, (record.reference,)):
                raise Misuse(f"There is an incident {record.reference} already.", f"syncd incident show {record.reference}")
            self._insert_incident(record, actor)
            rows: tuple[FollowUp | TimelineEvent, ...] = (*record.follow_ups, *record.timeline)
            for row in rows:
                self._reserve(target_of(row), row.key)
            for row in rows:
                self._add(record.reference, Add(target_of(row), row_values(row), key=row.key), actor)
            self._index(record.reference)
            made = self.incident(record.reference)
            assert made is not None
            return made

    def _insert_incident(self, record: Incident, actor: Actor) -> None:
        values = incident_values(record)
        columns = dict.fromkeys(sql.COLUMNS["incident"], "") | values
        self._run(
            sql.INSERT_INCIDENT,
            {name: columns[name] for name in sql.COLUMNS["incident"]}
            | {"reference": record.reference, "summary": blocks_to_json(record.summary)},
        )
        for field in values.keys() - set(sql.COLUMNS["incident"]):
            self._run(sql.SET_VALUE, (record.reference, field, values[field]))
        self.note(record.reference, actor, "create", record.reference, new=record.name)
        for person in people_of(record):
            self._learn(record.reference, person, actor)

    # --- post-mortems ---------------------------------------------------------------------------------------------------

    def create_postmortem(
        self, postmortem: Postmortem, template_json: str, tasks: Sequence[str], actor: Actor = STORE
    ) -> None:
        """The post-mortem of an incident, with the template as it is now; raises Misuse when there is one already."""
        ref = postmortem.incident
        with self.tx():
            self._must_exist(ref)
            if self.postmortem(ref):
                raise Misuse(f"{ref} has a post-mortem already.", f"syncd postmortem show {ref}")
            values = {name: getattr(postmortem, name) for name in ("incident", "template", "home", "zone", "title")}
            values |= {"status": postmortem.status.value, "template_json": template_json, "tasks": json.dumps(list(tasks))}
            self._run(sql.INSERT_POSTMORTEM, values | {"created_at": text_of(self.now())})
            for position, section in enumerate(postmortem.sections):
                self._run(sql.INSERT_SECTION, _section_columns(ref, position, section))
            self._index(ref)
            self.note(ref, actor, "create", "postmortem", new=postmortem.template)

    def postmortem(self, ref: str) -> Postmortem | None:
        """The post-mortem of an incident with its sections in order."""
        with self._read():
            row = self._one(sql.POSTMORTEM, (ref,))
            sections = tuple(_section(r) for r in self._all(sql.SECTIONS, (ref,))) if row else ()
        if row is None:
            return None
        incident, template, status, home, zone, title = row
        return Postmortem(incident, template, PostmortemStatus(status), home, zone, title, sections)

    def postmortems(self) -> list[str]:
        """The incidents that have a post-mortem, the oldest first."""
        return [row[0] for row in self._all(sql.POSTMORTEMS)]

    def postmortem_template(self, ref: str) -> str:
        """The template as it was when the post-mortem was created, as JSON; raises UnknownReference."""
        return str(self._of_postmortem(sql.TEMPLATE, ref))

    def tasks(self, ref: str) -> tuple[str, ...]:
        """The tasks of the post-incident flow, in order; raises UnknownReference."""
        return tuple(json.loads(str(self._of_postmortem(sql.TASKS, ref))))

    def _of_postmortem(self, statement: str, ref: str) -> object:
        row = self._one(statement, (ref,))
        if row is None:
            raise UnknownReference("post-mortem", ref, self.near("post-mortem", ref))
        return row[0]

    def set_home(self, ref: str, destination: str, actor: Actor = STORE) -> None:
        """Prose is written at this destination from now on; empty: in the store."""
        self.apply(ref, [Set("postmortem", "", "home", destination)], actor)


def key_number(target: Literal["follow_up", "event"], key: str) -> int:
    """The number of a key of this kind, 0 for what is no such key."""
    prefix, _, digits = key.partition("-")
    fits = prefix == PREFIX[target] and digits.isascii() and digits.isdigit() and len(digits) < 16 and digits[0] != "0"
    return int(digits) if fits else 0


def subject_of(ref: str, target: Target, key: str) -> str:
    """What a record is called in the journal."""
    match target:
        case "incident":
            return ref
        case "section":
            return f"section:{key}"
        case "postmortem":
            return "postmortem"
    return key


def _given(command: Add) -> tuple[str, ...]:
    must = ("at",) if command.target == "event" else ()
    return tuple(name for name in sql.COLUMNS[command.target] if command.fields.get(name) or name in must)


def _stored(command: Set) -> str:
    if command.field in PROSE:
        return blocks_to_json(command.blocks or ())
    return canonical(command.target, command.field, command.value)


def _same(field: str, old: str, new: str) -> bool:
    return old == new or (field in PROSE and blocks_from_json(old) == blocks_from_json(new))


def _shown(field: str, stored: str) -> str:
    return to_markdown(blocks_from_json(stored)) if field in PROSE else stored


# --- rows of the database as values -------------------------------------------------------------------------------------


def person_of(value: str, name: str | None) -> Person | None:
    """Somebody from a column and the name that is known for it."""
    if not value:
        return None
    return Person(name or "", value) if "@" in value else Person(value)


def _incidents(incidents: list[Row], values: list[Row], follow_ups: list[Row], events: list[Row]) -> list[Incident]:
    further, to_do, happened = _by_incident(values), _by_incident(follow_ups), _by_incident(events)
    return [_incident(row, further.get(row[0], []), to_do.get(row[0], []), happened.get(row[0], [])) for row in incidents]


def _by_incident(rows: list[Row]) -> dict[str, list[Row]]:
    grouped: dict[str, list[Row]] = {}
    for row in rows:
        grouped.setdefault(row[0], []).append(row[1:])
    return grouped


def _incident(row: Row, values: list[Row], follow_ups: list[Row], events: list[Row]) -> Incident:
    reference, name, phase, severity, private, summary, lead, lead_name = row
    further = [(*field.partition(":")[::2], value, person) for field, value, person in values]
    timeline = [event_of(row) for row in events]
    return Incident(
        reference=reference,
        name=name,
        phase=Phase(phase),
        severity=severity,
        private=bool(private),
        summary=blocks_from_json(summary),
        lead=person_of(lead, lead_name),
        roles={f: p for kind, f, value, person in further if kind == "role" and (p := person_of(value, person))},
        timestamps={field: moment(value) for kind, field, value, _ in further if kind == "time"},
        custom_fields={field: value for kind, field, value, _ in further if kind == "field"},
        timeline=tuple(sorted(timeline, key=lambda event: event.at)),
        follow_ups=tuple(follow_up_of(row) for row in follow_ups),
    )


def event_of(row: Row) -> TimelineEvent:
    """A timeline event from its columns."""
    key, at, title, text = row
    return TimelineEvent(key, moment(at), title, text)


def follow_up_of(row: Row) -> FollowUp:
    """A follow-up from its columns and its assignee's name."""
    key, title, status, assignee, name, priority, due_on = row
    due = date.fromisoformat(due_on) if due_on else None
    return FollowUp(key, title, FollowUpStatus(status), person_of(assignee, name), priority, due)


def _section(row: Row) -> Section:
    number, kind, heading, blocks, rendered, text, fields, help_gone = row
    made: tuple[Block, ...] = blocks_from_json(rendered)
    custom = tuple(json.loads(fields))
    return Section(number, kind, heading, blocks_from_json(blocks), made, text, custom, bool(help_gone))


def _section_columns(ref: str, position: int, section: Section) -> dict[str, object]:
    return {
        "incident": ref,
        "id": section.id,
        "position": position,
        "kind": section.kind,
        "heading": section.heading,
        "blocks": blocks_to_json(section.blocks),
        "rendered": blocks_to_json(section.rendered),
        "help": section.help,
        "custom_fields": json.dumps(section.custom_fields),
        "help_gone": "yes" if section.help_gone else "",
    }
