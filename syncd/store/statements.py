"""Every statement that the store runs on its tables, by name, with what it is for. The tables are in `schema.py`."""

from mapping.commands import Target

# --- process-wide -------------------------------------------------------------------------------------------------------

# What the store knows of itself: its id.
META = "SELECT value FROM meta WHERE name = ?"
SET_META = "INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING"

# The next key of a kind; and no key at or below one that came from outside.
NEXT_KEY = """INSERT INTO counters (name, value) VALUES (?, 1)
    ON CONFLICT (name) DO UPDATE SET value = value + 1 RETURNING value"""
RAISE_KEY = """INSERT INTO counters (name, value) VALUES (?, ?)
    ON CONFLICT (name) DO UPDATE SET value = max(value, excluded.value)"""

# --- people -------------------------------------------------------------------------------------------------------------

PEOPLE = "SELECT name, email FROM people ORDER BY email"
PERSON = "SELECT name, email FROM people WHERE email = ?"
LEARN = "INSERT INTO people (email, name) VALUES (?, ?) ON CONFLICT (email) DO UPDATE SET name = excluded.name"

# --- incidents and their rows -------------------------------------------------------------------------------------------

REFERENCES = "SELECT reference FROM incidents ORDER BY id"
KNOWS = "SELECT 1 FROM incidents WHERE reference = ?"
INSERT_INCIDENT = """INSERT INTO incidents (reference, name, phase, severity, private, summary, lead)
    VALUES (:reference, :name, :phase, :severity, :private, :summary, :lead)"""

# One incident (or with NULL all of them), its further values and its rows, with the names of the people where known.
INCIDENTS = """SELECT i.reference, i.name, i.phase, i.severity, i.private, i.summary, i.lead, p.name
    FROM incidents i LEFT JOIN people p ON p.email = i.lead"""
VALUES = """SELECT v.incident, v.field, v.value, p.name
    FROM incident_values v LEFT JOIN people p ON p.email = v.value"""
FOLLOW_UPS = """SELECT f.incident, f.key, f.title, f.status, f.assignee, p.name, f.priority, f.due_on
    FROM follow_ups f LEFT JOIN people p ON p.email = f.assignee"""
EVENTS = "SELECT t.incident, t.key, t.at, t.title, t.description FROM timeline t"
ONE_INCIDENT = (
    f"{INCIDENTS} WHERE i.reference = ?",
    f"{VALUES} WHERE v.incident = ? ORDER BY v.field",
    f"{FOLLOW_UPS} WHERE f.incident = ? ORDER BY f.id",
    f"{EVENTS} WHERE t.incident = ? ORDER BY t.id",
)
ALL_INCIDENTS = (
    f"{INCIDENTS} ORDER BY i.id",
    f"{VALUES} ORDER BY v.field",
    f"{FOLLOW_UPS} ORDER BY f.id",
    f"{EVENTS} ORDER BY t.id",
)

# Which incidents (`i`) somebody may see; asked with `Visible.parameters`.
_NAMED = """i.lead = :email
    OR EXISTS (SELECT 1 FROM incident_values r WHERE r.incident = i.reference AND r.field GLOB 'role:*' AND r.value = :email)
    OR EXISTS (SELECT 1 FROM follow_ups a WHERE a.incident = i.reference AND a.assignee = :email)"""
VISIBLE = f"(:everything OR i.private = '' OR (:email != '' AND ({_NAMED})))"

# Whose a key is; both kinds of rows, as their keys never coincide.
OWNER_OF_FOLLOW_UP = "SELECT incident FROM follow_ups WHERE key = :key"
OWNER_OF_EVENT = "SELECT incident FROM timeline WHERE key = :key"
OWNER = f"{OWNER_OF_FOLLOW_UP} UNION ALL {OWNER_OF_EVENT}"


def _near(name: str, number: str, tables: str) -> str:
    """At most three times `:most` names, among which a mistyped `:name` is looked for: its neighbours in the alphabet and
    the newest."""
    known = f"SELECT {name} AS name FROM {tables} WHERE {VISIBLE}"
    parts = (
        f"{known} AND {name} >= :name ORDER BY {name} LIMIT :most",
        f"{known} AND {name} < :name ORDER BY {name} DESC LIMIT :most",
        f"{known} ORDER BY {number} DESC LIMIT :most",
    )
    return " UNION ".join(f"SELECT name FROM ({part})" for part in parts)


NEAR = {
    "incident": _near("i.reference", "i.id", "incidents i"),
    "follow-up": _near("f.key", "f.id", "follow_ups f JOIN incidents i ON i.reference = f.incident"),
    "timeline event": _near("t.key", "t.id", "timeline t JOIN incidents i ON i.reference = t.incident"),
    "post-mortem": _near("m.incident", "m.id", "postmortems m JOIN incidents i ON i.reference = m.incident"),
    "conflict": _near(
        "c.id",
        "c.number",
        "conflicts c JOIN pages g ON g.id = c.page JOIN incidents i ON i.reference = g.incident",
    ),
}
MADE = "SELECT made_at, made_on FROM follow_ups WHERE key = ?"
INSERT_FOLLOW_UP = """INSERT INTO follow_ups (incident, key, title, status, assignee, priority, due_on, made_at, made_on)
    VALUES (:incident, :key, :title, :status, :assignee, :priority, :due_on, :made_at, :made_on)"""
INSERT_EVENT = """INSERT INTO timeline (incident, key, at, title, description)
    VALUES (:incident, :key, :at, :title, :description)"""

# Values that have no column: roles, lifecycle times, custom fields. An empty one is no value.
VALUE = "SELECT value FROM incident_values WHERE incident = ? AND field = ?"
SET_VALUE = """INSERT INTO incident_values (incident, field, value) VALUES (?, ?, ?)
    ON CONFLICT (incident, field) DO UPDATE SET value = excluded.value"""
DROP_VALUE = "DELETE FROM incident_values WHERE incident = ? AND field = ?"

_WHERE: dict[Target, tuple[str, str]] = {
    "incident": ("incidents", "reference = :incident"),
    "follow_up": ("follow_ups", "incident = :incident AND key = :key"),
    "event": ("timeline", "incident = :incident AND key = :key"),
    "postmortem": ("postmortems", "incident = :incident"),
    "section": ("sections", "incident = :incident AND id = :key"),
}
COLUMNS: dict[Target, tuple[str, ...]] = {
    "incident": ("name", "severity", "phase", "private", "lead", "summary"),
    "follow_up": ("title", "status", "assignee", "priority", "due_on"),
    "event": ("at", "title", "description"),
    "postmortem": ("status", "home"),
    "section": ("heading", "blocks", "rendered", "help_gone"),
}
# One field of one record, read and written.
FIELD = {(t, c): f"SELECT {c} FROM {_WHERE[t][0]} WHERE {_WHERE[t][1]}" for t, names in COLUMNS.items() for c in names}
SET_FIELD = {
    (t, c): f"UPDATE {_WHERE[t][0]} SET {c} = :value WHERE {_WHERE[t][1]}" for t, names in COLUMNS.items() for c in names
}

# --- imports ------------------------------------------------------------------------------------------------------------

# What every source said last about this incident.
IMPORT_BASES = "SELECT source, subject, field, value FROM import_bases WHERE incident = ?"
SET_IMPORT_BASE = """INSERT INTO import_bases (incident, source, subject, field, value) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (incident, source, subject, field) DO UPDATE SET value = excluded.value"""
# From which side was this field last set?
LAST_SET = """SELECT side FROM journal WHERE incident = ? AND subject = ? AND field = ? AND action = 'set'
    ORDER BY id DESC LIMIT 1"""

# --- search -------------------------------------------------------------------------------------------------------------

TEXT_OF_INCIDENT = "SELECT id, name, summary FROM incidents WHERE reference = ?"
TEXT_OF_SECTIONS = "SELECT heading, blocks FROM sections WHERE incident = ? ORDER BY position"
TEXT_OF_FOLLOW_UPS = "SELECT key, title FROM follow_ups WHERE incident = ? ORDER BY id"
TEXT_OF_TIMELINE = "SELECT key, title, description FROM timeline WHERE incident = ? ORDER BY id"
DROP_ENTRY = "DELETE FROM search WHERE rowid = ?"
INSERT_ENTRY = """INSERT INTO search (rowid, reference, name, summary, sections, follow_ups, timeline)
    VALUES (?, ?, ?, ?, ?, ?, ?)"""
NOT_INDEXED = "SELECT i.reference FROM not_indexed n JOIN incidents i ON i.id = n.incident"
ALL_INDEXED = "DELETE FROM not_indexed"
# A piece of each text with what was found between two characters that nobody types.
FOUND = """SELECT reference, snippet(search, -1, char(57344), char(57345), '…', 16) FROM search
    WHERE search MATCH :query
    AND rowid IN (SELECT i.id FROM incidents i JOIN json_each(:references) r ON i.reference = r.value)"""

# --- overview -----------------------------------------------------------------------------------------------------------

# Every page with its freshness as a number, the worst first (`FRESHNESS` in `overview.py`), judged as in `flow.py`.
_JUDGED = """SELECT g.id, g.incident, g.copy, CASE
    WHEN g.state = 'halted' THEN 0
    WHEN g.state = 'missing' THEN 1
    WHEN g.state = 'detached' THEN 7
    WHEN EXISTS (SELECT 1 FROM conflicts c WHERE c.page = g.id AND c.state = 'open') THEN 2
    WHEN g.native_id = '' THEN 6
    WHEN EXISTS (SELECT 1 FROM unread u WHERE u.page = g.id) THEN 3
    WHEN g.state = 'held' AND g.code != 'draft' THEN 4
    WHEN EXISTS (SELECT 1 FROM dirty d WHERE d.page = g.id AND d.mark > d.cleared) THEN 5
    WHEN g.state = 'held' THEN 8
    ELSE 9 END AS freshness FROM pages g"""
# When an incident began: what it says, else when it was recorded.
_BEGAN = """coalesce((SELECT v.value FROM incident_values v WHERE v.incident = i.reference AND v.field = 'time:started'),
    (SELECT j.at FROM journal j WHERE j.incident = i.reference AND j.subject = i.reference AND j.field = ''
    AND j.action = 'create'))"""
_ANY = "(:{0} IS NULL OR {1} IN (SELECT value FROM json_each(:{0})))"
_WANTED = " AND ".join(
    (
        VISIBLE,
        "(:query IS NULL OR i.id IN (SELECT rowid FROM search WHERE search MATCH :query))",
        _ANY.format("phases", "i.phase"),
        _ANY.format("severities", "i.severity"),
        "(:owners IS NULL OR EXISTS (SELECT 1 FROM json_each(:owners) WHERE value IN (i.lead, p.name)))",
        _ANY.format("statuses", "coalesce(m.status, 'none')"),
        _ANY.format("freshness", "coalesce(w.freshness, 7)"),
        "(NOT :needs_person OR n.incident IS NOT NULL)",
        "(:after = '' OR i.id > (SELECT id FROM incidents WHERE reference = :after))",
    )
)
_FIRST = "iif(:as_recorded, k.number, NULL), k.needs DESC, iif(:oldest_first, k.began, NULL), k.began DESC, k.number DESC"
# The incidents that are wanted, each with its page that is worst off.
_FITTING = f"""SELECT i.id AS number, w.id AS page, coalesce(w.freshness, 7) AS freshness, n.incident IS NOT NULL AS needs,
    {_BEGAN} AS began FROM incidents i
    LEFT JOIN postmortems m ON m.incident = i.reference LEFT JOIN people p ON p.email = i.lead
    LEFT JOIN worst w ON w.incident = i.reference LEFT JOIN needing n ON n.incident = i.reference WHERE {_WANTED}"""
_LEFT = "WHERE f.incident = i.reference AND f.status = 'open'"
# How many there are, and of a part of them all that is told; first those that need a person.
OVERVIEW = f"""WITH judged AS MATERIALIZED ({_JUDGED}),
    worst AS MATERIALIZED (SELECT incident, id, min(freshness) AS freshness FROM judged WHERE NOT copy GROUP BY incident),
    needing AS MATERIALIZED (SELECT incident FROM judged WHERE freshness <= 3 UNION SELECT incident FROM closed_past_no),
    fitting AS MATERIALIZED ({_FITTING}),
    part AS MATERIALIZED (SELECT k.* FROM fitting k ORDER BY {_FIRST} LIMIT :count OFFSET :start)
    SELECT (SELECT count(*) FROM fitting), i.reference, i.name, i.phase, i.severity, i.private, i.lead, p.name,
    k.began, k.needs, m.status, m.home, m.template, k.freshness, g.destination, g.url, g.since, g.checked_at, g.reason,
    (SELECT count(*) FROM conflicts c JOIN pages o ON o.id = c.page WHERE o.incident = i.reference AND c.state = 'open'),
    (SELECT count(*) FROM unread u JOIN pages o ON o.id = u.page WHERE o.incident = i.reference AND o.state != 'detached'),
    (SELECT count(*) FROM follow_ups f {_LEFT}),
    (SELECT count(*) FROM follow_ups f {_LEFT} AND f.due_on BETWEEN '0' AND :yesterday),
    EXISTS (SELECT 1 FROM closed_past_no x WHERE x.incident = i.reference)
    FROM part k JOIN incidents i ON i.id = k.number LEFT JOIN people p ON p.email = i.lead
    LEFT JOIN postmortems m ON m.incident = i.reference LEFT JOIN pages g ON g.id = k.page ORDER BY {_FIRST}"""
# What can be chosen from: the values that there are.
CHOICES = f"""SELECT DISTINCT 'severity', i.severity, '' FROM incidents i WHERE {VISIBLE} AND i.severity != ''
    UNION SELECT DISTINCT 'owner', i.lead, coalesce(p.name, '') FROM incidents i LEFT JOIN people p ON p.email = i.lead
    WHERE {VISIBLE} AND i.lead != '' ORDER BY 1, 2"""

# --- insights -----------------------------------------------------------------------------------------------------------

LACKING = f"""SELECT i.reference, i.name, i.severity, i.phase, i.lead, p.name, {_BEGAN}
    FROM incidents i LEFT JOIN people p ON p.email = i.lead WHERE {VISIBLE} AND i.phase IN ('post_incident', 'closed')
    AND NOT EXISTS (SELECT 1 FROM postmortems m WHERE m.incident = i.reference)"""
# When an incident ended, and when its post-mortem was moved to completed last.
COMPLETED = f"""SELECT coalesce(
    (SELECT v.value FROM incident_values v WHERE v.incident = i.reference AND v.field = 'time:resolved'), {_BEGAN}),
    (SELECT j.at FROM journal j WHERE j.incident = i.reference AND j.subject = 'postmortem' AND j.field = 'status'
    AND j.action = 'set' AND j.new = 'completed' ORDER BY j.id DESC LIMIT 1)
    FROM postmortems m JOIN incidents i ON i.reference = m.incident WHERE m.status = 'completed' AND {VISIBLE}"""
# Private incidents are few: their rows are left out, rather than every row's incident looked up.
LEFT_OPEN = f"""SELECT f.assignee, p.name, count(*), sum(f.due_on BETWEEN '0' AND :yesterday),
    sum(f.made_at > :week), sum(f.made_at > :month), sum(f.made_at > :quarter), min(f.made_at)
    FROM follow_ups f LEFT JOIN people p ON p.email = f.assignee WHERE f.status = 'open'
    AND (:everything OR f.incident NOT IN (SELECT i.reference FROM incidents i WHERE NOT {VISIBLE})) GROUP BY f.assignee"""
DISAGREEMENTS = f"""SELECT g.destination, c.section, c.key, c.field, c.state, iif(c.settled_by != '', c.settled_by,
    (SELECT j.name FROM journal j WHERE j.incident = g.incident AND j.action = 'resolve'
    AND j.subject = iif(c.key != '', c.key, c.section) AND j.field = c.field AND j.new = c.state ORDER BY j.id DESC LIMIT 1))
    FROM conflicts c JOIN pages g ON g.id = c.page JOIN incidents i ON i.reference = g.incident WHERE {VISIBLE}
    ORDER BY c.number"""

# --- lists --------------------------------------------------------------------------------------------------------------

# Rows of all incidents, a part at a time: where the last one that is known stands, and those behind it.
INCIDENT_STANDS = "SELECT id FROM incidents WHERE reference = ?"
FOLLOW_UP_STANDS = "SELECT i.id, f.id FROM follow_ups f JOIN incidents i ON i.reference = f.incident WHERE f.key = ?"
EVENT_STANDS = """SELECT i.id, julianday(t.at), t.id FROM timeline t JOIN incidents i ON i.reference = t.incident
    WHERE t.key = ?"""
_BEHIND = f"{VISIBLE} AND (:incident = '' OR i.reference = :incident) AND i.id >= :owner"
FOLLOW_UPS_LISTED = f"""SELECT f.incident, f.key, f.title, f.status, f.assignee, p.name, f.priority, f.due_on
    FROM incidents i CROSS JOIN follow_ups f ON f.incident = i.reference LEFT JOIN people p ON p.email = f.assignee
    WHERE {_BEHIND} AND (i.id > :owner OR f.id > :row) AND {_ANY.format("statuses", "f.status")}
    AND (:assignee = '' OR f.assignee = :assignee OR p.name = :assignee)
    AND (:due_before IS NULL OR f.due_on BETWEEN '0' AND :due_before AND f.due_on < :due_before)
    ORDER BY i.id, f.id LIMIT :count"""
EVENTS_LISTED = f"""SELECT t.incident, t.key, t.at, t.title, t.description
    FROM incidents i CROSS JOIN timeline t ON t.incident = i.reference
    WHERE {_BEHIND} AND (i.id > :owner OR (julianday(t.at), t.id) > (:at, :row))
    AND (:since IS NULL OR julianday(t.at) >= julianday(:since))
    AND (:before IS NULL OR julianday(t.at) < julianday(:before))
    ORDER BY i.id, julianday(t.at), t.id LIMIT :count"""
POSTMORTEMS_LISTED = f"""SELECT m.incident, m.template, m.status, m.home
    FROM postmortems m JOIN incidents i ON i.reference = m.incident
    WHERE {VISIBLE} AND i.id > :owner AND {_ANY.format("statuses", "m.status")}
    AND (:template = '' OR m.template = :template) AND (:home IS NULL OR m.home = :home)
    ORDER BY i.id LIMIT :count"""

# --- post-mortems -------------------------------------------------------------------------------------------------------

POSTMORTEMS = "SELECT incident FROM postmortems ORDER BY id"
POSTMORTEM = "SELECT incident, template, status, home, zone, title FROM postmortems WHERE incident = ?"
TEMPLATE = "SELECT template_json FROM postmortems WHERE incident = ?"
TASKS = "SELECT tasks FROM postmortems WHERE incident = ?"
INSERT_POSTMORTEM = """INSERT INTO postmortems
    (incident, template, status, home, zone, title, template_json, tasks, created_at)
    VALUES (:incident, :template, :status, :home, :zone, :title, :template_json, :tasks, :created_at)"""
SECTIONS = """SELECT id, kind, heading, blocks, rendered, help, custom_fields, help_gone
    FROM sections WHERE incident = ? ORDER BY position"""
# Where a section stands, and the room made behind it for another.
POSITION = "SELECT position FROM sections WHERE incident = ? AND id = ?"
MAKE_ROOM = "UPDATE sections SET position = position + 1 WHERE incident = ? AND position > ?"
INSERT_SECTION = """INSERT INTO sections
    (incident, id, position, kind, heading, blocks, rendered, help, custom_fields, help_gone)
    VALUES (:incident, :id, :position, :kind, :heading, :blocks, :rendered, :help, :custom_fields, :help_gone)"""

FLOW_MARKS = "SELECT task, done, by, at, why FROM flow_marks WHERE incident = ?"
SET_FLOW_MARK = """INSERT INTO flow_marks (incident, task, done, by, at, why) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (incident, task)
    DO UPDATE SET done = excluded.done, by = excluded.by, at = excluded.at, why = excluded.why"""

CLOSED_PAST_NO = "SELECT at, by, reasons FROM closed_past_no WHERE incident = ?"
ALL_CLOSED_PAST_NO = "SELECT incident FROM closed_past_no ORDER BY at, incident"
FLAG_CLOSE = """INSERT INTO closed_past_no (incident, at, by, reasons) VALUES (?, ?, ?, ?)
    ON CONFLICT (incident) DO UPDATE SET at = excluded.at, by = excluded.by, reasons = excluded.reasons"""
FORGET_CLOSE = "DELETE FROM closed_past_no WHERE incident = ?"

# --- pages --------------------------------------------------------------------------------------------------------------

_PAGE = """SELECT g.id, g.incident, g.destination, g.state, g.native_id, g.url, g.version, g.reason, g.copy, g.since,
    g.checked_at, g.written_at, g.moved_at, g.brake, g.agreed, g.generation, g.code, g.space, g.unlabelled, g.draft_since,
    g.draft_said, g.comments, g.comments_at FROM pages g"""
PAGE = _PAGE + " WHERE g.id = ?"
PAGE_AT = _PAGE + " WHERE g.incident = ? AND g.destination = ? AND g.state != 'detached'"
# The page where the prose is written comes first.
_HOME_FIRST = """ LEFT JOIN postmortems m ON m.incident = g.incident
    {where} ORDER BY g.incident, g.copy OR g.destination != coalesce(m.home, ''), g.id"""
PAGES = _PAGE + _HOME_FIRST.format(where="")
PAGES_OF = _PAGE + _HOME_FIRST.format(where="WHERE g.incident = ?")
INSERT_PAGE = "INSERT INTO pages (incident, destination, state, copy, since) VALUES (?, ?, ?, ?, ?) RETURNING id"
PAGE_STATE = ("state", "reason", "code", "since", "brake", "agreed", "draft_since", "draft_said")
PAGE_PLACE = ("native_id", "url", "version", "copy", "checked_at", "written_at", "moved_at", "space", "unlabelled")
PAGE_COMMENTS = ("comments", "comments_at")
SET_PAGE = {name: f"UPDATE pages SET {name} = ? WHERE id = ?" for name in (*PAGE_STATE, *PAGE_PLACE, *PAGE_COMMENTS)}

# Who takes the page up last may write it; whoever did before is late.
CLAIM = "UPDATE pages SET generation = generation + 1 WHERE id = ? RETURNING generation"
GENERATION = "SELECT generation FROM pages WHERE id = ?"

BASE = "SELECT content FROM bases WHERE page = ?"
SET_BASE = "INSERT INTO bases (page, content) VALUES (?, ?) ON CONFLICT (page) DO UPDATE SET content = excluded.content"

OPEN_INTENT = (
    "SELECT id, page, kind, expected, note, created_at, attempted_at FROM intents WHERE page = ? AND closed_at IS NULL"
)
INSERT_INTENT = "INSERT INTO intents (page, kind, expected, note, created_at) VALUES (?, ?, ?, ?, ?) RETURNING id"
ATTEMPTED = "UPDATE intents SET attempted_at = ? WHERE id = ? AND closed_at IS NULL"
# The highest number that was ever given to an intent, and numbers that another copy of this database gave.
LAST_INTENT = "SELECT seq FROM sqlite_sequence WHERE name = 'intents'"
FIRST_INTENT = "INSERT INTO sqlite_sequence (name, seq) VALUES ('intents', ?)"
RAISE_INTENT = "UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = 'intents'"
# What was expected is only of use while the intent is open.
CLOSE_INTENT = "UPDATE intents SET closed_at = ?, outcome = ?, expected = '' WHERE id = ? AND closed_at IS NULL"
NOTES_SINCE = "SELECT note FROM intents WHERE page = ? AND closed_at >= ? AND outcome = 'done' ORDER BY id DESC"

_CONFLICT = """SELECT c.id, c.page, g.incident, g.destination, c.section, c.key, c.field, c.base,
    c.store_text, c.store_by, c.store_at, c.page_text, c.page_by, c.page_at, c.shown, c.state, c.choice,
    c.settled_by, c.settled_at
    FROM conflicts c JOIN pages g ON g.id = c.page"""
CONFLICT = f"{_CONFLICT} WHERE c.id = :id"
# All that may be seen; whether of one incident, and whether in one state.
CONFLICTS = {
    (one, now): f"{_CONFLICT} JOIN incidents i ON i.reference = g.incident WHERE {VISIBLE}"
    f"{' AND g.incident = :incident' if one else ''}{' AND c.state = :state' if now else ''} ORDER BY c.number"
    for one in (True, False)
    for now in (True, False)
}
INSERT_CONFLICT = """INSERT INTO conflicts (id, page, section, key, field, base, store_text, store_by, store_at,
    page_text, page_by, page_at, shown, state)
    VALUES (:id, :page, :section, :key, :field, :base, :store_text, :store_by, :store_at,
    :page_text, :page_by, :page_at, :shown, :state) ON CONFLICT (id) DO NOTHING"""
# The last that were ended by a person.
SETTLED = (
    f"{_CONFLICT} JOIN incidents i ON i.reference = g.incident"
    f" WHERE {VISIBLE} AND c.settled_at IS NOT NULL ORDER BY c.settled_at DESC LIMIT :most"
)
SET_CONFLICT = "UPDATE conflicts SET state = ?, choice = ?, settled_by = ?, settled_at = ? WHERE id = ?"

HIDDEN = "SELECT key, what FROM hidden WHERE page = ? ORDER BY key"
CARRIERS = "SELECT carrier, name, id FROM carriers WHERE destination = ?"
SET_CARRIER = """INSERT INTO carriers (destination, carrier, name, id) VALUES (?, ?, ?, ?)
    ON CONFLICT (destination, carrier) DO UPDATE SET name = excluded.name, id = excluded.id"""
HIDE = "INSERT INTO hidden (page, key, what) VALUES (?, ?, ?) ON CONFLICT (page, key) DO NOTHING"
UNHIDE = "DELETE FROM hidden WHERE page = ? AND key = ? RETURNING what"

UNREAD = "SELECT key, field, text FROM unread WHERE page = ? ORDER BY position"
CLEAR_UNREAD = "DELETE FROM unread WHERE page = ?"
INSERT_UNREAD = "INSERT INTO unread (page, position, key, field, text) VALUES (?, ?, ?, ?, ?)"

STILL = "SELECT token, since FROM still WHERE page = ?"
CLEAR_STILL = "DELETE FROM still WHERE page = ?"
INSERT_STILL = "INSERT INTO still (page, token, since) VALUES (?, ?, ?)"

DIRTY = "SELECT page, since FROM dirty WHERE mark > cleared ORDER BY since, page"
DIRTY_SINCE = "SELECT since FROM dirty WHERE page = ? AND mark > cleared"
DIRTY_MARK = "SELECT mark FROM dirty WHERE page = ?"
# `since` is the first mark that nobody has cleared yet.
_MARK = """INSERT INTO dirty (page, mark, cleared, since, reason)
    SELECT id, 1, 0, :now, :reason FROM pages WHERE {where}
    ON CONFLICT (page) DO UPDATE SET since = iif(mark > cleared, since, excluded.since), mark = mark + 1,
    reason = excluded.reason"""
MARK_PAGE = _MARK.format(where="id = :page")
MARK_INCIDENT = _MARK.format(where="incident = :incident AND state != 'detached'")
CLEAR_DIRTY = "UPDATE dirty SET cleared = mark WHERE page = ? AND mark = ?"

# --- pauses -------------------------------------------------------------------------------------------------------------

PAUSES = "SELECT kind, name, by, at, why FROM pauses ORDER BY kind, name"
PAUSE_OF = """SELECT kind, name, by, at, why FROM pauses
    WHERE (kind = 'connection' AND name = :connection) OR (kind = 'destination' AND name = :destination)
    ORDER BY kind LIMIT 1"""
# How many pages of a destination are in each state, and when one of them was looked at last.
TALLIES = "SELECT destination, state, count(*), max(checked_at) FROM pages GROUP BY destination, state ORDER BY 1, 2"
SET_PAUSE = "INSERT INTO pauses (kind, name, by, at, why) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING name"
END_PAUSE = "DELETE FROM pauses WHERE kind = ? AND name = ? RETURNING name"

# --- open editors -------------------------------------------------------------------------------------------------------

LAST_SAVE = "SELECT text FROM saves WHERE incident = ? AND section = ? AND editor = ? AND base = ?"
NOTE_SAVE = """INSERT INTO saves (incident, section, editor, base, text, at) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (incident, section, editor) DO UPDATE
    SET base = excluded.base, text = excluded.text, at = excluded.at"""
FORGET_SAVES = "DELETE FROM saves WHERE at < ?"

# --- pictures -----------------------------------------------------------------------------------------------------------

INSERT_ATTACHMENT = """INSERT INTO attachments (incident, name, media, data, at) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (name, incident) DO NOTHING"""
ATTACHMENT = "SELECT media, data FROM attachments WHERE incident = ? AND name = ?"
INCIDENTS_WITH = "SELECT incident FROM attachments WHERE name = ? ORDER BY incident"

# --- journal ------------------------------------------------------------------------------------------------------------

NOTE = """INSERT INTO journal (at, incident, side, name, page, action, subject, field, old, new, intent)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
_COLUMNS = "j.id, j.at, j.incident, j.side, j.name, j.page, j.action, j.subject, j.field, j.old, j.new, j.intent"
_LINES = f"SELECT {_COLUMNS} FROM journal j"
_SEEN = f"{_LINES} LEFT JOIN incidents i ON i.reference = j.incident WHERE (j.incident = '' OR {VISIBLE})"
JOURNAL = f"{_SEEN} ORDER BY j.id DESC LIMIT :limit"
JOURNAL_OF = f"{_LINES} WHERE j.incident = :incident ORDER BY j.id DESC LIMIT :limit"
# What follows a line.
JOURNAL_AFTER = f"{_SEEN} AND j.id > :after ORDER BY j.id LIMIT :limit"
JOURNAL_OF_AFTER = f"{_LINES} WHERE j.incident = :incident AND j.id > :after ORDER BY j.id LIMIT :limit"
# What the last writes to a page took off it and put there.
LAST_WRITES = """SELECT old, new FROM journal WHERE incident = ? AND page = ? AND action = 'wrote' AND at >= ?
    ORDER BY id DESC LIMIT ?"""
JOURNAL_LINE = f"{_LINES} WHERE j.incident = ? AND j.id = ?"
CHANGED_SINCE = (
    "SELECT 1 FROM journal WHERE incident = ? AND subject = ? AND field = ? AND id > ? AND action = 'set' LIMIT 1"
)
LAST_LINE = "SELECT max(id) FROM journal"
# Who last changed a field of a subject, or made the subject (empty field).
LAST_CHANGE = """SELECT id, name, side, at FROM journal WHERE incident = ? AND subject = ? AND field IN (?, '')
    AND action IN ('set', 'add', 'create') ORDER BY id DESC LIMIT 1"""
NOTED = "SELECT 1 FROM journal WHERE incident = ? AND subject = ? AND field = '' AND action = ? LIMIT 1"

# --- outbox -------------------------------------------------------------------------------------------------------------

ANNOUNCE = "INSERT INTO outbox (at, incident, page, event, subject, data) VALUES (?, ?, ?, ?, ?, ?)"
OPEN_CHANNEL = """INSERT INTO channels (name, since) VALUES (:channel, coalesce((SELECT max(id) FROM outbox), 0))
    ON CONFLICT (name) DO NOTHING"""
CHANNEL = "SELECT since FROM channels WHERE name = ?"
REACH_LINE = """INSERT INTO channels (name, since) VALUES (?, ?)
    ON CONFLICT (name) DO UPDATE SET since = excluded.since"""
WAITED_FOR = "SELECT DISTINCT channel FROM deliveries WHERE state = 'due' AND channel >= ? AND channel < ? ORDER BY channel"
# Incidents with a post-mortem that something happened to since a line of the journal, or that were not in step when last
# told of; with the freshness of the worst page as a number, and what was told last.
EXPORTS_TOUCHED = f"""SELECT m.incident, coalesce(
    (SELECT min(k.freshness) FROM ({_JUDGED}) k WHERE k.incident = m.incident AND NOT k.copy), 7), t.status
    FROM postmortems m LEFT JOIN told_exports t ON t.incident = m.incident
    WHERE m.incident IN (SELECT incident FROM journal WHERE id > :since)
    OR t.status NOT IN ('fresh', 'not_exported') ORDER BY m.id"""
TELL_EXPORT = """INSERT INTO told_exports (incident, status) VALUES (?, ?)
    ON CONFLICT (incident) DO UPDATE SET status = excluded.status"""
_MESSAGE = "SELECT o.id, o.at, o.incident, o.page, o.event, o.subject, o.data"
UNADDRESSED = f"""{_MESSAGE} FROM outbox o WHERE o.id > (SELECT since FROM channels WHERE name = :channel) ORDER BY o.id"""
ADDRESS = "INSERT INTO deliveries (message, channel, next_at) VALUES (?, ?, ?) ON CONFLICT (message, channel) DO NOTHING"
ADVANCE_CHANNEL = "UPDATE channels SET since = ? WHERE name = ?"
_WAITING = f"""{_MESSAGE}, d.tries, d.attempted_at FROM deliveries d JOIN outbox o ON o.id = d.message
    WHERE d.channel = :channel AND d.state = 'due'"""
WAITING = f"{_WAITING} ORDER BY o.id"
# Only the oldest of an incident; it holds the others back.
DUE = f"""{_WAITING} AND d.next_at <= :now AND NOT EXISTS (
    SELECT 1 FROM deliveries e JOIN outbox p ON p.id = e.message WHERE e.channel = d.channel AND e.state = 'due'
    AND p.incident = o.incident AND p.id < o.id) ORDER BY o.id"""
SENDING = "UPDATE deliveries SET attempted_at = ? WHERE message = ? AND channel = ?"
END_DELIVERY = """UPDATE deliveries SET state = ?, receipt = ?, error = ?, tries = tries + 1
    WHERE message = ? AND channel = ? AND state = 'due'"""
# A delivery that is known not to have arrived was not attempted.
POSTPONE = """UPDATE deliveries SET next_at = ?, error = ?, tries = tries + 1, attempted_at = iif(?, NULL, attempted_at)
    WHERE message = ? AND channel = ?"""
RECEIPT = """SELECT d.receipt FROM deliveries d JOIN outbox o ON o.id = d.message
    WHERE d.channel = :channel AND d.state = 'sent' AND o.incident = :incident AND o.page = :page AND o.event = :event
    AND o.subject = :subject AND o.id < :before ORDER BY o.id DESC LIMIT 1"""
RECEIPTS = """SELECT d.receipt FROM deliveries d JOIN outbox o ON o.id = d.message
    WHERE d.channel = ? AND o.page = ? AND d.receipt != ''"""
ENDED = "SELECT 1 FROM outbox WHERE incident = ? AND page = ? AND event = ? AND subject = ? AND id > ? LIMIT 1"
FORGET_DELIVERIES = """DELETE FROM deliveries WHERE state != 'due'
    AND message IN (SELECT id FROM outbox WHERE at < ?)"""
FORGET_MESSAGES = """DELETE FROM outbox WHERE at < ? AND id NOT IN (SELECT message FROM deliveries)"""
