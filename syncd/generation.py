"""The number of the newest write, kept once more beside the database: a database that is behind it was restored from an
older copy, and would write over what happened since.

The number is an intent's; `reconcile.py` compares, `store_pages.py` remembers what a person agreed to.
"""

import os
from pathlib import Path


class Generation:
    """One small file. A power cut may leave it behind the database, never ahead: it follows a commit that is on the disk."""

    def __init__(self, database: Path) -> None:
        self.path = database.with_name(database.name + ".generation")

    def newest(self) -> int:
        """The newest intent that went out, as the file tells; 0 where it tells none."""
        try:
            text = self.path.read_text(encoding="ascii").strip()
        except (FileNotFoundError, UnicodeDecodeError):
            return 0
        return int(text) if text.isdecimal() else 0

    def raise_to(self, intent: int) -> None:
        """This intent goes out next. Raises OSError."""
        if intent > self.newest():
            handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                os.pwrite(handle, f"{intent:020d}\n".encode(), 0)
            finally:
                os.close(handle)
