"""The number of the newest write, kept once more beside the database: a database that is behind it was restored from an
older copy, and would write over what happened since.

The number is an intent's, and stands behind the name of the store that gave it: another store's numbers say nothing.
`restored.py` compares, `store/pages.py` remembers what a person agreed to.
"""

import os
from pathlib import Path


class Generation:
    """One small file. A power cut may leave it behind the database, never ahead: it follows a commit that is on the disk."""

    def __init__(self, database: Path, store_id: str) -> None:
        self.path, self.store_id = database.with_name(database.name + ".generation"), store_id

    def newest(self) -> int:
        """The newest intent of this store that went out, as the file tells; 0 where it tells none."""
        try:
            words = self.path.read_text(encoding="ascii").split()
        except (FileNotFoundError, UnicodeDecodeError):
            return 0
        ours = len(words) == 2 and words[0] == self.store_id and words[1].isdecimal()
        return int(words[1]) if ours else 0

    def raise_to(self, intent: int) -> None:
        """This intent goes out next. Raises OSError."""
        if intent > self.newest():
            handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                os.pwrite(handle, f"{self.store_id} {intent:020d}\n".encode(), 0)
            finally:
                os.close(handle)
