"""The store's one connection: opened, migrated, locked, in transactions. What is stored is said in the files above it.

One writer connection behind a lock serves every thread of a process: sqlite-utils lets threads join each other's
transactions, so nothing may reach the connection but through `tx` and `_read`. Other processes are kept apart by SQLite
itself (`BEGIN IMMEDIATE`, then they wait for each other).
"""

import secrets
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from sqlite_utils import Database
from sqlite_utils.utils import sqlite3  # type: ignore[attr-defined]  # the driver that it chose, with its exceptions

from syncd.errors import StoreError
from syncd.lock import gate
from syncd.store import statements as sql
from syncd.store.schema import known, migrations
from syncd.store.visible import EVERYTHING, Visible

BUSY_MILLISECONDS = 10_000  # how long a process waits for another's transaction
NEAR = 50  # names on either side of a mistyped one that may have been meant
Row = tuple[Any, ...]
Parameters = Sequence[object] | Mapping[str, object]


def _connected(path: Path | None) -> Database:
    connection = sqlite3.connect(str(path or ":memory:"), isolation_level=None, check_same_thread=False)
    db = Database(connection, execute_plugins=False)
    db.execute(f"PRAGMA busy_timeout = {BUSY_MILLISECONDS}")
    db.execute("PRAGMA foreign_keys = ON")
    db.execute("PRAGMA synchronous = NORMAL")
    return db


def _check_ours(db: Database) -> None:
    """Refuses a database of something else, and one that a newer version has changed."""
    applied = {migration.name for migration in migrations.applied(db)}
    if not applied and set(db.table_names()) - {migrations.migrations_table}:
        raise StoreError("The database belongs to something else: it has tables, but none of syncd's.")
    newer = applied - known()
    if newer:
        raise StoreError("The database was made by a newer version of syncd.", "Upgrade syncd, or restore a backup.")


def _migrate(db: Database, token: Callable[[], str]) -> None:
    """Every process that opens an old or empty database comes here; the first does the work."""
    db.execute("BEGIN IMMEDIATE")
    try:
        _check_ours(db)
        migrations.apply(db)
        db.execute(sql.SET_META, ("store_id", token()))
        db.execute("COMMIT")
    except BaseException:
        db.rollback()
        raise


def _wal(db: Database) -> bool:
    return bool(db.execute("PRAGMA journal_mode").fetchone()[0] == "wal")


def _prepare(db: Database, path: Path | None, token: Callable[[], str]) -> None:
    db.execute("BEGIN")  # one state of the database, though another process may just be making it
    _check_ours(db)
    db.rollback()
    if path is None:
        _migrate(db, token)
    elif migrations.pending(db) or not _wal(db):
        # SQLite does not wait for a lock while it changes the journal mode, so processes take turns here.
        with gate(path):
            db.execute("PRAGMA journal_mode = WAL").fetchone()
            _migrate(db, token)


class Core:
    """A database with its transactions. `clock` gives aware datetimes."""

    def __init__(self, db: Database, path: Path | None, clock: Callable[[], datetime]) -> None:
        self._db, self.path, self._clock = db, path, clock
        self._lock = threading.RLock()
        self._depth = 0
        self._full = False

    @classmethod
    def open(
        cls, path: Path | str, clock: Callable[[], datetime], token: Callable[[], str] = lambda: secrets.token_hex(4)
    ) -> Self:
        """The store in this file, made or brought up to date where needed; `:memory:` keeps nothing.

        Raises StoreError for a file that cannot be used: newer than this version, not a database, not writable.
        """
        file = None if str(path) == ":memory:" else Path(path)
        with _explained(file):
            db = _connected(file)
            try:
                _prepare(db, file, token)
            except BaseException as error:
                db.close()
                if isinstance(error, OSError):
                    raise StoreError(f"The database {file} cannot be used: {error}.", _hint("readonly")) from error
                raise
        return cls(db, file, clock)

    def close(self) -> None:
        """Ends the connection; what was not committed is gone."""
        with self._lock:
            self._db.close()

    def now(self) -> datetime:
        """The moment, in UTC."""
        return self._clock().astimezone(UTC)

    @contextmanager
    def tx(self, full: bool = False) -> Iterator[None]:
        """One transaction; an inner one joins it. `full`: on disk, not only in the log's buffers, before this returns."""
        with self._lock, _explained(self.path):
            if self._depth:
                self._may_join(full)
                yield
            else:
                with self._synchronous(full), self._transaction("BEGIN IMMEDIATE", "COMMIT"):
                    yield

    @contextmanager
    def rehearsal(self) -> Iterator[None]:
        """A transaction that leaves nothing behind: what would be, without doing it."""
        with self._lock, _explained(self.path):
            if self._depth:
                raise StoreError("A rehearsal cannot be part of a transaction.")
            with self._transaction("BEGIN IMMEDIATE", "ROLLBACK"):
                yield

    @contextmanager
    def _read(self) -> Iterator[None]:
        """Several reads of one state of the database, whatever other processes do meanwhile."""
        with self._lock, _explained(self.path):
            if self._depth:
                yield
            else:
                with self._transaction("BEGIN", "COMMIT"):
                    yield

    def _may_join(self, full: bool) -> None:
        if full and not self._full:
            raise StoreError("A transaction that must reach the disk cannot be part of one that need not.")

    @contextmanager
    def _synchronous(self, full: bool) -> Iterator[None]:
        if not full:
            yield
            return
        self._db.execute("PRAGMA synchronous = FULL")
        self._full = True
        try:
            yield
        finally:
            self._full = False
            self._db.execute("PRAGMA synchronous = NORMAL")

    @contextmanager
    def _transaction(self, begin: str, end: str) -> Iterator[None]:
        self._db.execute(begin)
        self._depth = 1
        try:
            yield
            self._db.execute(end)
        except BaseException:
            self._db.rollback()
            raise
        finally:
            self._depth = 0

    # --- statements -----------------------------------------------------------------------------------------------------

    def _run(self, statement: str, parameters: Parameters = ()) -> int:
        """A write inside `tx`; how many rows it changed."""
        return int(self._db.execute(statement, parameters).rowcount)  # type: ignore[arg-type]  # it only reads them

    def _all(self, statement: str, parameters: Parameters = ()) -> list[Row]:
        with self._lock, _explained(self.path):
            return self._db.execute(statement, parameters).fetchall()  # type: ignore[arg-type]  # it only reads them

    def _one(self, statement: str, parameters: Parameters = ()) -> Row | None:
        rows = self._all(statement, parameters)
        return rows[0] if rows else None

    # --- names ----------------------------------------------------------------------------------------------------------

    def near(self, kind: str, name: str, visible: Visible = EVERYTHING) -> list[str]:
        """Some names of this kind (`sql.NEAR`) among which the one that was meant may be."""
        asked = {"name": name, "most": NEAR, **visible.parameters}
        return [row[0] for row in self._all(sql.NEAR[kind], asked)]

    # --- process-wide ---------------------------------------------------------------------------------------------------

    @property
    def store_id(self) -> str:
        """A random name that this store got when it was made."""
        row = self._one(sql.META, ("store_id",))
        return str(row[0]) if row else ""

    @property
    def sqlite_version(self) -> str:
        """Of the SQLite that runs, not of the file."""
        return str(sqlite3.sqlite_version)

    def version(self) -> tuple[int, int]:
        """Differs from an earlier one when anything was committed since, by this process or another."""
        with self._lock, _explained(self.path):
            others = self._db.execute("PRAGMA data_version").fetchone()[0]
            return int(others), int(self._db.conn.total_changes)

    def backup(self, path: Path) -> None:
        """A copy of all that is committed, while others go on; the file appears whole or not at all."""
        part = path.with_name(path.name + ".part")
        with self._lock, _explained(path):
            part.unlink(missing_ok=True)
            copy = sqlite3.connect(str(part))
            try:
                self._db.conn.backup(copy)
            finally:
                copy.close()
        part.replace(path)


@contextmanager
def _explained(path: Path | None) -> Iterator[None]:
    """SQLite's and the file system's troubles as StoreError, with the file and what to do."""
    try:
        yield
    except sqlite3.Error as error:
        raise StoreError(f"The database {path or 'in memory'} cannot be used: {error}.", _hint(str(error))) from error


def _hint(error: str) -> str:
    ways = {
        "not a database": "Name another file under [store] url; this one is something else.",
        "unable to open": "Make the directory, or name another file under [store] url.",
        "readonly": "Give the user that runs syncd the right to write the file and its directory.",
        "locked": "Another process holds it for long; `syncd status` names it.",
        "full": "Make room on the disk; nothing was lost.",
        "no such module": "The SQLite of this Python has no full-text search (FTS5); `pip install pysqlite3` brings one.",
        "malformed": "Restore a backup made with `syncd backup`.",
    }
    return next((way for sign, way in ways.items() if sign in error), "")
