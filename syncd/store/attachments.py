"""The part of the store that holds pictures of in-house prose: their bytes, under a name that is a hash of them.

The same picture in two incidents is there twice, so that who may see one incident learns nothing of another.
"""

import hashlib
from dataclasses import dataclass

from syncd.errors import Misuse
from syncd.store import statements as sql
from syncd.store.journal import Journal, text_of

LARGEST = 10 * 2**20  # bytes: a screenshot of a large screen has 1 to 5 MiB
KINDS = "PNG, JPEG, GIF or WebP"


@dataclass(frozen=True, slots=True)
class Attachment:
    """A picture: `name` is 32 hexadecimal digits with the ending of its kind, `media` its type on the web."""

    name: str
    media: str
    data: bytes


def picture(data: bytes) -> Attachment:
    """The bytes as a picture. Raises Misuse for what is none, or is too large; what a browser calls it does not matter."""
    too_large(len(data))
    kind = _kind(data)
    if not kind:
        raise Misuse(f"This is no picture that pages can show; {KINDS} can be.")
    ending, media = kind
    return Attachment(f"{hashlib.sha256(data).hexdigest()[:32]}.{ending}", media, data)


def too_large(size: int) -> None:
    """Raises Misuse for more bytes than a picture may have."""
    if size > LARGEST:
        raise Misuse(f"The picture is larger than {LARGEST // 2**20} MiB; make it smaller.")


def _kind(data: bytes) -> tuple[str, str] | None:
    """Told by the first bytes."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png", "image/png"
    if data.startswith(b"\xff\xd8\xff"):
        return "jpg", "image/jpeg"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "gif", "image/gif"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp", "image/webp"
    return None


class Attachments(Journal):
    """Pictures by incident and name."""

    def add_attachment(self, incident: str, found: Attachment) -> None:
        """Nothing where it is there already."""
        with self.tx():
            row = (incident, found.name, found.media, found.data, text_of(self.now()))
            self._run(sql.INSERT_ATTACHMENT, row)

    def attachment(self, incident: str, name: str) -> Attachment | None:
        """A picture of this incident."""
        row = self._one(sql.ATTACHMENT, (incident, name))
        return Attachment(name, *row) if row else None

    def incidents_with(self, name: str) -> list[str]:
        """Which incidents have this picture."""
        return [row[0] for row in self._all(sql.INCIDENTS_WITH, (name,))]
