"""One process at a time, told by operating system locks on files beside the database: a killed process holds none.

Not here: the database's own locking, which is SQLite's.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from syncd.errors import Misuse


@contextmanager
def gate(database: Path) -> Iterator[None]:
    """Held for moments only, and waited for: creating or migrating the database, taking or asking after the long lock."""
    handle = os.open(_beside(database, ".gate"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _beside(database: Path, ending: str) -> Path:
    return database.with_name(database.name + ending)


class SingleProcess:
    """`with SingleProcess(database):` around a daemon or a `once`. Raises Misuse when another one lives."""

    def __init__(self, database: Path) -> None:
        self.database = database
        self._handle: int | None = None

    def __enter__(self) -> Self:
        # The gate keeps a look by `held_by` from being taken for a living daemon.
        with gate(self.database):
            handle = self._opened()
            if not _taken(handle):
                pid = _pid(handle)
                os.close(handle)
                raise Misuse(f"A daemon or `once` is already running (pid {pid or 'unknown'}).", "syncd status")
            os.ftruncate(handle, 0)
            os.pwrite(handle, str(os.getpid()).encode(), 0)
        self._handle = handle
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def held_by(self) -> int | None:
        """The process id of the daemon or `once` that lives, None when there is none."""
        with gate(self.database):
            handle = self._opened()
            try:
                return None if _taken(handle) else _pid(handle)
            finally:
                os.close(handle)

    def _opened(self) -> int:
        return os.open(_beside(self.database, ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _taken(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _pid(handle: int) -> int | None:
    text = os.pread(handle, 20, 0).decode()
    return int(text) if text.isdigit() else None
