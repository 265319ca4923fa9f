"""The part of the store that remembers pages: what was last seen on them, what is being written, what is wrong."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, TypedDict, Unpack

from mapping.commands import Actor
from mapping.document import as_json, from_json
from providers.contract import Place
from syncd.errors import Late, StoreError, UnknownReference
from syncd.generation import Generation
from syncd.pages import Base, Brake, Conflict, Entry, Intent, Page, PageState, Unread, Version
from syncd.store import statements as sql
from syncd.store.core import Row
from syncd.store.journal import moment, text_of
from syncd.store.outbox import Event, Outbox
from syncd.store.visible import EVERYTHING, Visible

PAGE = Actor("page")


class PageChanges(TypedDict, total=False):
    """What can change about a page; names as in `Page`."""

    state: PageState
    native_id: str
    url: str
    version: str
    reason: str
    copy: bool
    checked_at: datetime | None
    written_at: datetime | None
    moved_at: datetime | None
    brake: Brake
    agreed: Brake
    code: str
    space: str
    unlabelled: bool
    draft_since: datetime | None
    draft_said: bool
    comments: int | None
    comments_at: datetime | None


def base_to_json(base: Base) -> str:
    """A base as compact JSON, natives kept."""
    entries = [[as_json(e.block), e.section, e.role, list(e.keys)] for e in base.entries]
    value = {
        "title": base.title,
        "properties": base.properties,
        "entries": entries,
        "records": {carrier: dict(fields) for carrier, fields in base.records.items()},
        "title_touched": base.title_touched,
        "threads": dict(base.threads),
    }
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def base_from_json(text: str) -> Base:
    """The base that `base_to_json` wrote."""
    value = json.loads(text)
    return Base(
        title=value["title"],
        properties=tuple((name, raw) for name, raw in value["properties"]),
        entries=tuple(Entry(from_json(b), section, role, tuple(keys)) for b, section, role, keys in value["entries"]),
        records=value["records"],
        title_touched=value["title_touched"],
        threads=value.get("threads", {}),  # a base of an older version knows of none
    )


class Pages(Outbox):
    """Pages and all that hangs on them."""

    # --- pages ----------------------------------------------------------------------------------------------------------

    def add_page(self, incident: str, destination: str, copy: bool = False, state: PageState = "wanted") -> Page:
        """A page to be at this destination; the one that is there already, unless it was detached."""
        with self.tx():
            row = self._one(sql.PAGE_AT, (incident, destination))
            if row is None:
                made = (incident, destination, state, int(copy), text_of(self.now()))
                page_id = self._all(sql.INSERT_PAGE, made)[0][0]
                self.mark_dirty(page_id, "new")
                return self.page(page_id)
            return _page(row)

    def page(self, page_id: int) -> Page:
        """The page with this number; raises UnknownReference."""
        row = self._one(sql.PAGE, (page_id,))
        if row is None:
            raise UnknownReference("page", str(page_id))
        return _page(row)

    def pages(self, incident: str | None = None) -> list[Page]:
        """All pages, or those of one incident; the page where the prose is written first, detached ones too."""
        rows = self._all(sql.PAGES) if incident is None else self._all(sql.PAGES_OF, (incident,))
        return [_page(row) for row in rows]

    def set_page(self, page_id: int, **changes: Unpack[PageChanges]) -> None:
        """Changes what is named; `since` follows the state, a reason without a code has none, and another page, or none,
        has other comments."""
        with self.tx():
            page = self.page(page_id)
            if "reason" in changes:
                changes.setdefault("code", "")
            if changes.get("native_id", page.native_id) != page.native_id or changes.get("state") == "detached":
                changes.setdefault("comments", None)
                changes.setdefault("comments_at", None)
            for name, value in changes.items():
                if getattr(page, name) != value:
                    self._run(sql.SET_PAGE[name], (_column(value), page_id))
            if changes.get("state", page.state) != page.state:
                self._run(sql.SET_PAGE["since"], (text_of(self.now()), page_id))
                self._tell_state(page, self.page(page_id))

    def _tell_state(self, before: Page, now: Page) -> None:
        facts = {"destination": now.destination, "url": now.url, "reason": now.reason, "brake": now.brake, "code": now.code}
        if now.state == "halted":
            self.announce("page.halted", now.incident, now.destination, facts, now.id)
        elif before.state == "halted":
            self.announce("page.resumed", now.incident, now.destination, facts | {"state": now.state}, now.id)

    def claim(self, page_id: int) -> int:
        """Take the page up: nobody who did so before may change it any more. The generation to show to `fence`."""
        with self.tx():
            return int(self._all(sql.CLAIM, (page_id,))[0][0])

    def fence(self, page_id: int, generation: int) -> None:
        """Raises Late when somebody took the page up since; part of the transaction that it guards."""
        row = self._one(sql.GENERATION, (page_id,))
        if row is None or row[0] != generation:
            raise Late(f"Another process took up page {page_id}; what was decided before is not written.")

    # --- what was seen --------------------------------------------------------------------------------------------------

    def base(self, page_id: int) -> Base | None:
        """The last content that was taken in, None before there was any."""
        row = self._one(sql.BASE, (page_id,))
        return base_from_json(row[0]) if row else None

    def set_base(self, page_id: int, base: Base) -> None:
        """This was on the page and has been taken in."""
        with self.tx():
            self._run(sql.SET_BASE, (page_id, base_to_json(base)))

    def carriers(self, place: Place) -> dict[str, str]:
        """The service's ids of what carries properties there, by carrier: those that the configuration calls as it did when
        they were seen."""
        rows = self._all(sql.CARRIERS, (place.name,))
        return {carrier: known for carrier, name, known in rows if name == _name(place, carrier)}

    def set_carriers(self, place: Place, ids: Mapping[str, str]) -> None:
        """A page there told these ids."""
        with self.tx():
            for carrier, known in ids.items():
                self._run(sql.SET_CARRIER, (place.name, carrier, _name(place, carrier), known))

    def hidden(self, page_id: int) -> dict[str, str]:
        """What was removed from this page, by key, with what it was in words."""
        return dict(self._all(sql.HIDDEN, (page_id,)))

    def hide(self, page_id: int, key: str, what: str, actor: Actor) -> None:
        """A row or section is no longer shown on this page."""
        with self.tx():
            if self._run(sql.HIDE, (page_id, key, what)):
                self.note(self.page(page_id).incident, actor, "hide", key, old=what)

    def unhide(self, page_id: int, key: str, actor: Actor) -> None:
        """It is shown again."""
        with self.tx():
            rows = self._all(sql.UNHIDE, (page_id, key))
            if rows:
                self.note(self.page(page_id).incident, actor, "unhide", key, new=rows[0][0])
                self.mark_dirty(page_id, f"{key} is shown again")

    def unread(self, page_id: int) -> list[Unread]:
        """What people typed that nobody could understand."""
        return [Unread(*row) for row in self._all(sql.UNREAD, (page_id,))]

    def set_unread(self, page_id: int, unread: Sequence[Unread], actor: Actor = PAGE) -> None:
        """This and nothing else could not be understood."""
        with self.tx():
            known = self.unread(page_id)
            for one in unread:
                if one not in known:
                    self.note(self.page(page_id).incident, actor, "unread", one.key, one.field, new=one.text)
            self._tell_unread(page_id, known, unread)
            self._run(sql.CLEAR_UNREAD, (page_id,))
            for position, one in enumerate(unread):
                self._run(sql.INSERT_UNREAD, (page_id, position, one.key, one.field, one.text))

    def _tell_unread(self, page_id: int, before: Sequence[Unread], now: Sequence[Unread]) -> None:
        """A value that somebody typed anew is one that was understood and another that was not."""
        page = self.page(page_id)
        gone, new = [one for one in before if one not in now], [one for one in now if one not in before]
        told: tuple[tuple[Event, list[Unread]], ...] = (("value.understood", gone), ("value.not_understood", new))
        for event, values in told:
            for one in values:
                facts = {"destination": page.destination, "url": page.url} | asdict(one)
                self.announce(event, page.incident, f"{one.key} {one.field}", facts, page_id)

    def still(self, page_id: int) -> dict[str, datetime]:
        """Since when rows that somebody may be typing have not changed."""
        return {token: moment(since) for token, since in self._all(sql.STILL, (page_id,))}

    def set_still(self, page_id: int, still: Mapping[str, datetime]) -> None:
        """These rows and no others are being watched."""
        with self.tx():
            self._run(sql.CLEAR_STILL, (page_id,))
            for token, since in still.items():
                self._run(sql.INSERT_STILL, (page_id, token, text_of(since)))

    # --- intents --------------------------------------------------------------------------------------------------------

    def open_intent(self, page_id: int) -> Intent | None:
        """The write whose end is not known yet."""
        row = self._one(sql.OPEN_INTENT, (page_id,))
        if row is None:
            return None
        number, page, kind, expected, note, created_at, attempted_at = row
        tried = moment(attempted_at) if attempted_at else None
        return Intent(number, page, kind, base_from_json(expected), note, moment(created_at), tried)

    def add_intent(self, page_id: int, kind: str, expected: Base, note: str) -> Intent:
        """A write is decided. Raises StoreError while another is open."""
        with self.tx():
            if self.open_intent(page_id):
                raise StoreError(f"Page {page_id} is already being written.")
            self._all(sql.INSERT_INTENT, (page_id, kind, base_to_json(expected), note, text_of(self.now())))
            intent = self.open_intent(page_id)
            assert intent is not None
            return intent

    def mark_attempted(self, intent_id: int) -> None:
        """The first byte goes out next; this and the intent are on the disk when it returns, so it begins its own
        transaction. Raises Late where the intent was closed meanwhile."""
        with self.tx(full=True):
            if not self._run(sql.ATTEMPTED, (text_of(self.now()), intent_id)):
                raise Late(f"Another process looked after the write {intent_id}; it does not go out.")
        if self.path:
            Generation(self.path, self.store_id).raise_to(intent_id)

    def last_intent(self) -> int:
        """The highest number that an intent of this store ever had."""
        row = self._one(sql.LAST_INTENT)
        return int(row[0]) if row else 0

    def newest_written(self) -> int:
        """The newest intent that went out, as the file beside the database tells; more than `last_intent` tells that the
        database was restored from an older copy."""
        return Generation(self.path, self.store_id).newest() if self.path else 0

    def raise_intents(self, number: int) -> None:
        """Intents up to this number went out from a newer copy of this database: no later one is called the same."""
        with self.tx(full=True):
            if not self._run(sql.RAISE_INTENT, (number,)):
                self._run(sql.FIRST_INTENT, (number,))

    def close_intent(self, intent_id: int, outcome: str) -> None:
        """The write's end is known: `done`, or why not."""
        with self.tx():
            self._run(sql.CLOSE_INTENT, (text_of(self.now()), outcome, intent_id))

    def notes_since(self, page_id: int, since: datetime) -> list[str]:
        """What the writes to this page did that were done since then, the newest first."""
        return [note for (note,) in self._all(sql.NOTES_SINCE, (page_id, text_of(since)))]

    # --- conflicts ------------------------------------------------------------------------------------------------------

    def conflicts(
        self, incident: str | None = None, state: str | None = None, visible: Visible = EVERYTHING
    ) -> list[Conflict]:
        """In the order in which they came up."""
        asked = {"incident": incident, "state": state, **visible.parameters}
        return [_conflict(row) for row in self._all(sql.CONFLICTS[incident is not None, state is not None], asked)]

    def settled(self, most: int, visible: Visible = EVERYTHING) -> list[Conflict]:
        """Those that somebody ended, the last first."""
        return [_conflict(row) for row in self._all(sql.SETTLED, {"most": most, **visible.parameters})]

    def conflict(self, conflict_id: str) -> Conflict:
        """The conflict with this id; raises UnknownReference."""
        row = self._one(sql.CONFLICT, {"id": conflict_id})
        if row is None:
            raise UnknownReference("conflict", conflict_id, self.near("conflict", conflict_id), "syncd conflicts list")
        return _conflict(row)

    def add_conflict(self, conflict: Conflict) -> None:
        """Lists it, unless it was ever listed: what is resolved stays resolved."""
        with self.tx():
            if self._run(sql.INSERT_CONFLICT, _conflict_columns(conflict)):
                actor = Actor("sync", page=conflict.destination)
                subject = conflict.key or conflict.section
                old, new = conflict.store.text, conflict.other.text
                self.note(conflict.incident, actor, "conflict", subject, conflict.field, old, new)
                self.announce("conflict.opened", conflict.incident, conflict.id, _facts(conflict), conflict.page)

    def set_conflict_state(self, conflict_id: str, state: str, actor: Actor, choice: int | None = None) -> None:
        """How it was resolved, and the journal line of what that changed; `open`: the choice was undone. Raises
        UnknownReference."""
        with self.tx():
            before = self.conflict(conflict_id)
            if before.state != state:
                settled = ("", None) if state == "open" else (actor.name, text_of(self.now()))
                self._run(sql.SET_CONFLICT, (state, choice, *settled, conflict_id))
                action = "reopen" if state == "open" else "resolve"
                self.note(before.incident, actor, action, before.key or before.section, before.field, new=state)
                facts = _facts(self.conflict(conflict_id)) | {"by": actor.name or actor.side}
                event: Event = "conflict.opened" if state == "open" else "conflict.resolved"
                self.announce(event, before.incident, conflict_id, facts, before.page)

    # --- dirty ----------------------------------------------------------------------------------------------------------

    def dirty(self) -> list[tuple[int, datetime]]:
        """The pages that something changed for, with since when, the longest waiting first."""
        return [(page, moment(since)) for page, since in self._all(sql.DIRTY)]

    def dirty_since(self, page_id: int) -> datetime | None:
        """Since when something changed for this page, None where nothing did."""
        row = self._one(sql.DIRTY_SINCE, (page_id,))
        return moment(row[0]) if row else None

    def mark_dirty(self, page_id: int, reason: str) -> None:
        """Somebody must look at this page."""
        with self.tx():
            self._run(sql.MARK_PAGE, {"page": page_id, "now": text_of(self.now()), "reason": reason})

    def mark_incident(self, ref: str, reason: str) -> None:
        """Somebody must look at every page of this incident."""
        with self.tx():
            self._run(sql.MARK_INCIDENT, {"incident": ref, "now": text_of(self.now()), "reason": reason})

    def dirty_mark(self, page_id: int) -> int:
        """A number that every mark raises; 0 for a page that was never marked."""
        row = self._one(sql.DIRTY_MARK, (page_id,))
        return int(row[0]) if row else 0

    def clear_dirty(self, page_id: int, mark: int) -> None:
        """All up to this mark is dealt with; a later one keeps the page dirty."""
        with self.tx():
            self._run(sql.CLEAR_DIRTY, (page_id, mark))


def _name(place: Place, carrier: str) -> str:
    return place.properties.get(carrier, {}).get("name", "")


def _facts(conflict: Conflict) -> dict[str, Any]:
    """A conflict as those are told of it who are not here."""
    sides = {"store": conflict.store, "page": conflict.other}
    names = ("id", "destination", "section", "key", "field", "shown", "state")
    return {name: getattr(conflict, name) for name in names} | {
        name: {"text": side.text, "by": side.by, "at": text_of(side.at) if side.at else None} for name, side in sides.items()
    }


def _column(value: object) -> object:
    if isinstance(value, datetime):
        return text_of(value)
    return int(value) if isinstance(value, bool) else value


def _when(text: str | None) -> datetime | None:
    return moment(text) if text else None


def _page(row: Row) -> Page:
    *simple, copy, since, checked_at, written_at, moved_at, brake, agreed, generation = row[:16]
    code, space, unlabelled, draft_since, draft_said, comments, comments_at = row[16:]
    number, incident, destination, state, native_id, url, version, reason = simple
    return Page(
        id=number,
        incident=incident,
        destination=destination,
        state=state,
        native_id=native_id,
        url=url,
        version=version,
        reason=reason,
        copy=bool(copy),
        since=_when(since),
        checked_at=_when(checked_at),
        written_at=_when(written_at),
        moved_at=_when(moved_at),
        brake=brake,
        agreed=agreed,
        generation=generation,
        code=code,
        space=space,
        unlabelled=bool(unlabelled),
        draft_since=_when(draft_since),
        draft_said=bool(draft_said),
        comments=comments,
        comments_at=_when(comments_at),
    )


def _conflict(row: Row) -> Conflict:
    store, other = Version(row[8], row[9], _when(row[10])), Version(row[11], row[12], _when(row[13]))
    columns: Row = (*row[:8], store, other, *row[14:18], _when(row[18]))
    return Conflict(*columns)


def _conflict_columns(conflict: Conflict) -> dict[str, Any]:
    columns: dict[str, Any] = {
        name: getattr(conflict, name) for name in ("id", "page", "section", "key", "field", "base", "shown", "state")
    }
    for side, version in (("store", conflict.store), ("page", conflict.other)):
        columns |= {f"{side}_text": version.text, f"{side}_by": version.by}
        columns[f"{side}_at"] = text_of(version.at) if version.at else None
    return columns
