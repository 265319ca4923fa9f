"""The tables of the store and how a database of an older version becomes one of this version.

Values stand in canonical text (`mapping/commands.py`): a person is their e-mail or name, a moment is ISO in UTC, prose is
blocks as JSON, yes is `yes` and no is empty. Migrations only go forward and are never edited once released.
"""

from sqlite_utils import Database, Migrations

migrations = Migrations("syncd")

RECORDS = (
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT",
    "CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT",
    "CREATE TABLE people (email TEXT PRIMARY KEY CHECK (email = lower(email)), name TEXT NOT NULL) STRICT",
    """CREATE TABLE incidents (
        id INTEGER PRIMARY KEY, reference TEXT NOT NULL UNIQUE, name TEXT NOT NULL, phase TEXT NOT NULL,
        severity TEXT NOT NULL, private TEXT NOT NULL CHECK (private IN ('', 'yes')), summary TEXT NOT NULL,
        lead TEXT NOT NULL) STRICT""",
    """CREATE TABLE incident_values (
        incident TEXT NOT NULL REFERENCES incidents (reference), field TEXT NOT NULL, value TEXT NOT NULL,
        PRIMARY KEY (incident, field)) STRICT, WITHOUT ROWID""",
    """CREATE TABLE follow_ups (
        id INTEGER PRIMARY KEY, incident TEXT NOT NULL REFERENCES incidents (reference), key TEXT NOT NULL UNIQUE,
        title TEXT NOT NULL, status TEXT NOT NULL, assignee TEXT NOT NULL, priority TEXT NOT NULL, due_on TEXT NOT NULL,
        made_at TEXT NOT NULL, made_on TEXT NOT NULL) STRICT""",
    "CREATE INDEX follow_ups_incident ON follow_ups (incident)",
    """CREATE TABLE timeline (
        id INTEGER PRIMARY KEY, incident TEXT NOT NULL REFERENCES incidents (reference), key TEXT NOT NULL UNIQUE,
        at TEXT NOT NULL, title TEXT NOT NULL, description TEXT NOT NULL) STRICT""",
    "CREATE INDEX timeline_incident ON timeline (incident)",
    """CREATE TABLE import_bases (
        incident TEXT NOT NULL REFERENCES incidents (reference), source TEXT NOT NULL, subject TEXT NOT NULL,
        field TEXT NOT NULL, value TEXT NOT NULL,
        PRIMARY KEY (incident, source, subject, field)) STRICT, WITHOUT ROWID""",
    """CREATE TABLE postmortems (
        id INTEGER PRIMARY KEY, incident TEXT NOT NULL UNIQUE REFERENCES incidents (reference), template TEXT NOT NULL,
        status TEXT NOT NULL, home TEXT NOT NULL, zone TEXT NOT NULL, title TEXT NOT NULL, template_json TEXT NOT NULL,
        tasks TEXT NOT NULL, created_at TEXT NOT NULL) STRICT""",
    """CREATE TABLE sections (
        incident TEXT NOT NULL REFERENCES postmortems (incident), id TEXT NOT NULL, position INTEGER NOT NULL,
        kind TEXT NOT NULL, heading TEXT NOT NULL, blocks TEXT NOT NULL, rendered TEXT NOT NULL, help TEXT NOT NULL,
        custom_fields TEXT NOT NULL, help_gone TEXT NOT NULL CHECK (help_gone IN ('', 'yes')),
        PRIMARY KEY (incident, id)) STRICT""",
    """CREATE TABLE flow_marks (
        incident TEXT NOT NULL REFERENCES incidents (reference), task TEXT NOT NULL,
        done INTEGER NOT NULL, by TEXT NOT NULL, at TEXT NOT NULL, why TEXT NOT NULL,
        PRIMARY KEY (incident, task)) STRICT, WITHOUT ROWID""",
)

PAGES = (
    """CREATE TABLE pages (
        id INTEGER PRIMARY KEY, incident TEXT NOT NULL REFERENCES incidents (reference), destination TEXT NOT NULL,
        state TEXT NOT NULL, native_id TEXT NOT NULL DEFAULT '', url TEXT NOT NULL DEFAULT '',
        version TEXT NOT NULL DEFAULT '', reason TEXT NOT NULL DEFAULT '', copy INTEGER NOT NULL,
        since TEXT NOT NULL, checked_at TEXT, written_at TEXT, moved_at TEXT, accepted INTEGER NOT NULL DEFAULT 0) STRICT""",
    # A detached page stays for the record; a new one may then be made at the same place.
    "CREATE UNIQUE INDEX pages_place ON pages (incident, destination) WHERE state != 'detached'",
    "CREATE TABLE bases (page INTEGER PRIMARY KEY REFERENCES pages (id), content TEXT NOT NULL) STRICT",
    """CREATE TABLE intents (
        id INTEGER PRIMARY KEY AUTOINCREMENT, page INTEGER NOT NULL REFERENCES pages (id), kind TEXT NOT NULL,
        expected TEXT NOT NULL, note TEXT NOT NULL, created_at TEXT NOT NULL, attempted_at TEXT,
        closed_at TEXT, outcome TEXT NOT NULL DEFAULT '') STRICT""",
    "CREATE UNIQUE INDEX intents_open ON intents (page) WHERE closed_at IS NULL",
    "CREATE INDEX intents_closed ON intents (page, closed_at)",
    """CREATE TABLE conflicts (
        number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, page INTEGER NOT NULL REFERENCES pages (id),
        section TEXT NOT NULL, key TEXT NOT NULL, field TEXT NOT NULL, base TEXT NOT NULL,
        store_text TEXT NOT NULL, store_by TEXT NOT NULL, store_at TEXT,
        page_text TEXT NOT NULL, page_by TEXT NOT NULL, page_at TEXT, shown TEXT NOT NULL, state TEXT NOT NULL) STRICT""",
    "CREATE INDEX conflicts_page ON conflicts (page)",
    """CREATE TABLE hidden (
        page INTEGER NOT NULL REFERENCES pages (id), key TEXT NOT NULL, what TEXT NOT NULL,
        PRIMARY KEY (page, key)) STRICT, WITHOUT ROWID""",
    """CREATE TABLE unread (
        page INTEGER NOT NULL REFERENCES pages (id), position INTEGER NOT NULL, key TEXT NOT NULL, field TEXT NOT NULL,
        text TEXT NOT NULL, PRIMARY KEY (page, position)) STRICT, WITHOUT ROWID""",
    """CREATE TABLE still (
        page INTEGER NOT NULL REFERENCES pages (id), token TEXT NOT NULL, since TEXT NOT NULL,
        PRIMARY KEY (page, token)) STRICT, WITHOUT ROWID""",
    # A page is dirty while `mark` is ahead of `cleared`; the row stays, so that a mark is never mistaken for a later one.
    """CREATE TABLE dirty (
        page INTEGER PRIMARY KEY REFERENCES pages (id), mark INTEGER NOT NULL, cleared INTEGER NOT NULL,
        since TEXT NOT NULL, reason TEXT NOT NULL) STRICT""",
)

JOURNAL = (
    """CREATE TABLE journal (
        id INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, incident TEXT NOT NULL, side TEXT NOT NULL,
        name TEXT NOT NULL, page TEXT NOT NULL, action TEXT NOT NULL, subject TEXT NOT NULL, field TEXT NOT NULL,
        old TEXT NOT NULL, new TEXT NOT NULL, intent INTEGER) STRICT""",
    "CREATE INDEX journal_incident ON journal (incident, subject, field)",
    "CREATE TRIGGER journal_stays BEFORE DELETE ON journal BEGIN SELECT RAISE(ABORT, 'the journal only grows'); END",
    "CREATE TRIGGER journal_holds BEFORE UPDATE ON journal BEGIN SELECT RAISE(ABORT, 'the journal only grows'); END",
)


@migrations()
def m001_first_tables(db: Database) -> None:
    """Records, pages, journal."""
    for statement in (*RECORDS, *PAGES, *JOURNAL):
        db.execute(statement)


BRAKES = (
    # Which brake stopped the page, and which one a person agreed to lift once.
    "ALTER TABLE pages ADD COLUMN brake TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE pages ADD COLUMN agreed TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE pages DROP COLUMN accepted",
    # Raised by every process that takes the page up: what an earlier one decided is not written any more.
    "ALTER TABLE pages ADD COLUMN generation INTEGER NOT NULL DEFAULT 0",
    # The journal line in which a conflict's choice changed the store; NULL where it changed nothing.
    "ALTER TABLE conflicts ADD COLUMN choice INTEGER",
)


@migrations()
def m002_brakes(db: Database) -> None:
    """A brake is lifted by its name; late writers are fenced; a choice can be undone."""
    for statement in BRAKES:
        db.execute(statement)


HOLDS = (
    "ALTER TABLE pages ADD COLUMN code TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE pages ADD COLUMN space TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE pages ADD COLUMN unlabelled INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE pages ADD COLUMN draft_since TEXT",
    "ALTER TABLE pages ADD COLUMN draft_said INTEGER NOT NULL DEFAULT 0",
)


@migrations()
def m003_what_holds_a_page(db: Database) -> None:
    """Why a page waits, as a code; where it is; labels that are due; a person's draft."""
    for statement in HOLDS:
        db.execute(statement)


COMMENTS = (
    "ALTER TABLE pages ADD COLUMN comments INTEGER",
    "ALTER TABLE pages ADD COLUMN comments_at TEXT",
)


@migrations()
def m004_comments(db: Database) -> None:
    """How many comments of people a page has, and when they were counted."""
    for statement in COMMENTS:
        db.execute(statement)


LOOKUPS = (
    # Detached pages too, which the index on their places leaves out.
    "CREATE INDEX pages_incident ON pages (incident)",
    "CREATE INDEX conflicts_open ON conflicts (page) WHERE state = 'open'",
    "CREATE INDEX dirty_open ON dirty (since, page) WHERE mark > cleared",
    # The last lines of an incident without sorting all of them.
    "CREATE INDEX journal_last ON journal (incident)",
)


@migrations()
def m005_lookups(db: Database) -> None:
    """What is asked for by name or by state is found without reading everything."""
    for statement in LOOKUPS:
        db.execute(statement)


SAVES = (
    """CREATE TABLE saves (
        incident TEXT NOT NULL REFERENCES incidents (reference), section TEXT NOT NULL, editor TEXT NOT NULL,
        base TEXT NOT NULL, text TEXT NOT NULL, at TEXT NOT NULL,
        PRIMARY KEY (incident, section, editor)) STRICT, WITHOUT ROWID""",
    "CREATE INDEX saves_at ON saves (at)",
)


@migrations()
def m006_saves(db: Database) -> None:
    """What each open editor saved last."""
    for statement in SAVES:
        db.execute(statement)


SEARCH = (
    # One entry for each incident, under its id.
    """CREATE VIRTUAL TABLE search USING fts5 (reference, name, summary, sections, follow_ups, timeline,
        tokenize = 'unicode61 remove_diacritics 2', prefix = '2 3')""",
    # Incidents of an older version, whose entries are made when they are first looked for.
    "CREATE TABLE not_indexed (incident INTEGER PRIMARY KEY REFERENCES incidents (id)) STRICT",
    "INSERT INTO not_indexed (incident) SELECT id FROM incidents",
)


@migrations()
def m007_search(db: Database) -> None:
    """Incidents are found by the words in them."""
    for statement in SEARCH:
        db.execute(statement)


SETTLED = (
    "ALTER TABLE conflicts ADD COLUMN settled_by TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE conflicts ADD COLUMN settled_at TEXT",
    "CREATE INDEX conflicts_settled ON conflicts (settled_at) WHERE settled_at IS NOT NULL",
)


@migrations()
def m008_settled(db: Database) -> None:
    """Who ended a conflict, and when."""
    for statement in SETTLED:
        db.execute(statement)


@migrations()
def m009_carriers(db: Database) -> None:
    """What carries a property at a destination, by the service's id; `name` is how the configuration called it then."""
    db.execute(
        """CREATE TABLE carriers (destination TEXT NOT NULL, carrier TEXT NOT NULL, name TEXT NOT NULL, id TEXT NOT NULL,
            PRIMARY KEY (destination, carrier)) STRICT, WITHOUT ROWID"""
    )


FIGURES = (
    # What is open, whose, since when and until when, without reading the rows.
    "CREATE INDEX follow_ups_open ON follow_ups (assignee, incident, due_on, made_at) WHERE status = 'open'",
)


@migrations()
def m010_figures(db: Database) -> None:
    """Open follow-ups are counted."""
    for statement in FIGURES:
        db.execute(statement)


CLOSES = (
    # Incidents that were closed elsewhere although the gate said no, until a person agrees or they are open again.
    """CREATE TABLE closed_past_no (
        incident TEXT PRIMARY KEY REFERENCES incidents (reference), at TEXT NOT NULL, by TEXT NOT NULL,
        reasons TEXT NOT NULL) STRICT, WITHOUT ROWID""",
)


@migrations()
def m011_closes(db: Database) -> None:
    """Which incidents were closed past a no."""
    for statement in CLOSES:
        db.execute(statement)


PAUSES = (
    """CREATE TABLE pauses (
        kind TEXT NOT NULL CHECK (kind IN ('destination', 'connection')), name TEXT NOT NULL, by TEXT NOT NULL,
        at TEXT NOT NULL, why TEXT NOT NULL, PRIMARY KEY (kind, name)) STRICT, WITHOUT ROWID""",
)


@migrations()
def m012_pauses(db: Database) -> None:
    """Where people said that nothing is read or written for now."""
    for statement in PAUSES:
        db.execute(statement)


OUTBOX = (
    """CREATE TABLE outbox (
        id INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, incident TEXT NOT NULL, page INTEGER NOT NULL,
        event TEXT NOT NULL, subject TEXT NOT NULL, data TEXT NOT NULL) STRICT""",
    "CREATE INDEX outbox_subject ON outbox (incident, event, subject)",
    "CREATE TABLE channels (name TEXT PRIMARY KEY, since INTEGER NOT NULL) STRICT, WITHOUT ROWID",
    """CREATE TABLE deliveries (
        message INTEGER NOT NULL REFERENCES outbox (id), channel TEXT NOT NULL, state TEXT NOT NULL DEFAULT 'due'
        CHECK (state IN ('due', 'sent', 'withdrawn', 'given_up')), tries INTEGER NOT NULL DEFAULT 0, next_at TEXT NOT NULL,
        attempted_at TEXT, receipt TEXT NOT NULL DEFAULT '', error TEXT NOT NULL DEFAULT '',
        PRIMARY KEY (message, channel)) STRICT, WITHOUT ROWID""",
    "CREATE INDEX deliveries_due ON deliveries (channel, message) WHERE state = 'due'",
    # The export status that was last told, by incident.
    "CREATE TABLE told_exports (incident TEXT PRIMARY KEY, status TEXT NOT NULL) STRICT, WITHOUT ROWID",
)


@migrations()
def m013_outbox(db: Database) -> None:
    """Who is still to be told what, by which channel."""
    for statement in OUTBOX:
        db.execute(statement)


@migrations()
def m014_attachments(db: Database) -> None:
    """Pictures of in-house prose."""
    db.execute(
        """CREATE TABLE attachments (
            incident TEXT NOT NULL REFERENCES incidents (reference), name TEXT NOT NULL, media TEXT NOT NULL,
            data BLOB NOT NULL, at TEXT NOT NULL, PRIMARY KEY (name, incident)) STRICT"""
    )


def known() -> frozenset[str]:
    """The names of all migrations of this version: what an empty database has yet to get."""
    empty = Database(memory=True, execute_plugins=False)
    try:
        return frozenset(migration.name for migration in migrations.pending(empty))
    finally:
        empty.close()
