"""The part of the store that takes in incidents from elsewhere, again and again, without ever undoing an edit made here.

What every source said last is kept for each field (`import_bases`): a source that says the same again has no news, so what
people here made of the value stays, and so does a value that a source leaves out. Rows are found again by the source's key,
by ours, then by name.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from mapping.commands import Actor, Add, Set, Target
from mapping.incident import FollowUp, Incident, TimelineEvent
from mapping.markdown import to_markdown
from mapping.records import Given
from syncd.store import statements as sql
from syncd.store.flow import Flow
from syncd.store.records import PREFIX, incident_values, key_number, people_of, row_values, target_of

KEY_THERE = "key"  # stands in the bases beside a row's fields: the key that the source has for it
AnyRow = FollowUp | TimelineEvent
Fields = Mapping[str, str]
Sign = tuple[str, ...]  # empty: says nothing
Signs = tuple[str, str, Fields, Fields]  # key there, key here, fields there, fields here


@dataclass(frozen=True, slots=True)
class Known:
    """A row of the store as a source may know it: `there` is its key at the source, `said` what the source said last."""

    key: str
    there: str
    here: Fields
    said: Fields


@dataclass(slots=True)
class Said:
    """What was imported before about one incident: by this source, and by others."""

    own: dict[tuple[str, str], str]
    others: frozenset[tuple[str, str, str]]

    def fields(self, subject: str) -> dict[str, str]:
        """The fields of one record as this source said them last."""
        return {field: value for (about, field), value in self.own.items() if about == subject}


class Imports(Flow):
    """Incidents from elsewhere."""

    def upsert_import(self, record: Incident, source: str, actor: Actor, given: Given | None = None) -> list[str]:
        """A new incident, or news about one that is here; answers what a person should know, as sentences.

        What the source left out (all that is not `given`) and rows that it no longer has stay. Raises Misuse for a value
        that a field cannot hold.
        """
        ref = record.reference
        with self.tx():
            said = self._said(ref, source)
            notes: list[str] = []
            if self.incident(ref) is None:
                self._insert_incident(record, actor)
                changed = True
            else:
                changed = self._import_fields(record, said, actor, given, notes)
            changed |= self._import_rows(ref, record.follow_ups, said, actor, given.follow_ups if given else None, notes)
            changed |= self._import_rows(ref, record.timeline, said, actor, given.timeline if given else None, notes)
            self._remember(record, source, said, given)
            if changed:
                self._changed(ref, f"imported from {source}")
        return notes

    def _said(self, ref: str, source: str) -> Said:
        rows = self._all(sql.IMPORT_BASES, (ref,))
        own = {(subject, field): value for by, subject, field, value in rows if by == source}
        others = frozenset((subject, field, value) for by, subject, field, value in rows if by != source)
        return Said(own, others)

    # --- fields ---------------------------------------------------------------------------------------------------------

    def _import_fields(self, record: Incident, said: Said, actor: Actor, given: Given | None, notes: list[str]) -> bool:
        ref, here = record.reference, self.incident(record.reference)
        assert here is not None
        current, values = _incident_fields(here), _incident_fields(record)
        last = said.fields(ref)
        changed = [self._learn(ref, person, actor) for person in people_of(record)]
        for field in (field for field in values | last if given is None or given.speaks_of(field)):
            value, now = values.get(field, ""), current.get(field, "")
            if self._is_news(ref, ref, field, now, value, said, notes):
                blocks = record.summary if field == "summary" else None
                changed.append(self._set(ref, Set("incident", "", field, value, blocks), actor))
        return any(changed)

    def _is_news(self, ref: str, subject: str, field: str, current: str, value: str, said: Said, notes: list[str]) -> bool:
        """Does the source say something that it did not say before, of a value that nobody here has edited?"""
        last = said.own.get((subject, field))
        if value in (last, current):
            return False
        if not value:
            return last == current  # what was emptied there is emptied here unless people here wrote something else
        if self._edited_here(ref, subject, field):
            notes.append(
                f"{subject}: the {field.replace('_', ' ')} was edited here; another one of the source is not taken."
            )
            return False
        return last is not None or (subject, field, value) not in said.others

    def _edited_here(self, ref: str, subject: str, field: str) -> bool:
        row = self._one(sql.LAST_SET, (ref, subject, field))
        return row is not None and row[0] != "import"

    # --- rows -----------------------------------------------------------------------------------------------------------

    def _import_rows(
        self,
        ref: str,
        rows: Sequence[AnyRow],
        said: Said,
        actor: Actor,
        given: Sequence[frozenset[str]] | None,
        notes: list[str],
    ) -> bool:
        if not rows:
            return False
        for row in rows:
            self._reserve(target_of(row), row.key)
        known = self._known(ref, target_of(rows[0]), said)
        changed = False
        for place, (row, match) in enumerate(zip(rows, match_rows(rows, known), strict=True)):
            spoken = _spoken(row, given[place] if given is not None else None)
            if match is None:
                key = self._add(ref, Add(target_of(row), row_values(row), key=row.key), actor)
                notes += self._given_another(row, key)
                changed = True
            else:
                key = match.key
                changed |= self._import_row(ref, match, target_of(row), spoken, said, actor, notes)
            said.own |= {(key, field): value for field, value in spoken.items()}
            if row.key:
                said.own[key, KEY_THERE] = row.key
        return changed

    def _known(self, ref: str, target: Target, said: Said) -> list[Known]:
        incident = self.incident(ref)
        assert incident is not None
        rows: Sequence[AnyRow] = incident.follow_ups if target == "follow_up" else incident.timeline
        fields = [(row, said.fields(row.key)) for row in rows]
        return [Known(row.key, last.get(KEY_THERE, ""), row_values(row), last) for row, last in fields]

    def _import_row(
        self, ref: str, known: Known, target: Target, spoken: Fields, said: Said, actor: Actor, notes: list[str]
    ) -> bool:
        changed = False
        for field, value in spoken.items():
            if self._is_news(ref, known.key, field, known.here[field], value, said, notes):
                changed |= self._set(ref, Set(target, known.key, field, value), actor)
        return changed

    def _given_another(self, row: AnyRow, made: str) -> Iterator[str]:
        if row.key and row.key != made:
            target = target_of(row)
            if key_number(target, row.key):
                yield f"{row.key} belongs to {self.owner(row.key)}; “{row.title}” was given {made}."
            else:
                yield f"{row.key} is no key like {PREFIX[target]}-1; “{row.title}” was given {made}."

    # --- what was said --------------------------------------------------------------------------------------------------

    def _remember(self, record: Incident, source: str, said: Said, given: Given | None) -> None:
        ref = record.reference
        before = self._said(ref, source).own
        last = {field for subject, field in before if subject == ref}
        values = dict.fromkeys(last, "") | _incident_fields(record)
        spoken = {field: value for field, value in values.items() if given is None or given.speaks_of(field)}
        now = said.own | {(ref, field): value for field, value in spoken.items()}
        for (subject, field), value in now.items():
            if before.get((subject, field)) != value:
                self._run(sql.SET_IMPORT_BASE, (ref, source, subject, field, value))


def _spoken(row: AnyRow, given: frozenset[str] | None) -> Fields:
    return {field: value for field, value in row_values(row).items() if given is None or field in given}


def _incident_fields(record: Incident) -> dict[str, str]:
    """All fields that have a value; the summary as Markdown, which stays the same when blocks learn to say more."""
    summary = to_markdown(record.summary)
    return incident_values(record) | ({"summary": summary} if summary else {})


# --- which row is which -------------------------------------------------------------------------------------------------


def match_rows(rows: Sequence[AnyRow], known: Sequence[Known]) -> list[Known | None]:
    """For each row of a source the row of the store that it is, None for a new one. Pure.

    By key, then by name (events: time and title) as the source said it last or as it is now, rows of one name by their
    description, then the nth with the nth.
    """
    coming = [(row.key, row.key, values, values) for row in rows for values in (row_values(row),)]
    present = [(one.there, one.key, one.said, one.here) for one in known]
    matches: list[Known | None] = [None] * len(rows)
    free = dict.fromkeys(range(len(known)))
    for sign in SIGNS:
        waiting: dict[Sign, list[int]] = {}
        for index in reversed(free):
            waiting.setdefault(sign(present[index]), []).append(index)
        for place, row in enumerate(coming):
            if matches[place] is None and sign(row) and waiting.get(sign(row)):
                index = waiting[sign(row)].pop()
                matches[place] = known[index]
                del free[index]
    return matches


def _name(fields: Fields) -> Sign:
    return (fields.get("at", ""), fields["title"]) if fields.get("title") else ()


def _described(fields: Fields) -> Sign:
    return (*_name(fields), fields.get("description", "")) if _name(fields) else ()


# By what a row is told, the strongest first; `there` is as the source knows it, `here` as the store does.
SIGNS: tuple[Callable[[Signs], Sign], ...] = (
    lambda row: (row[0],) if row[0] else (),
    lambda row: (row[1],) if row[1] else (),
    lambda row: _described(row[2]),
    lambda row: _described(row[3]),
    lambda row: _name(row[2]),
    lambda row: _name(row[3]),
)
