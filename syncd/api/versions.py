"""Which version of a record somebody saw and means to change: `ETag` on single records, `If-Match` on what changes them.

A version is a hash of what people can change in a record, so looking at its page again makes no new one. Without `If-Match`
any version is changed.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Depends, Header, Response

from syncd.errors import SyncdError

Answer = dict[str, Any]
LOOKED_AT = ("checked_at", "since", "comments", "reasons")  # of a page: not what people changed


class Outdated(SyncdError):
    """The record is not as whoever asks believes; `current` is its version now."""

    def __init__(self, current: str, hint: str) -> None:
        super().__init__("It was changed since you read it; nothing was done. Read it again, then decide.", hint)
        self.current = current


def version(record: Mapping[str, Any]) -> str:
    """The entity tag of a record in its public shape."""
    said = json.dumps(_lasting(record), sort_keys=True, ensure_ascii=False).encode()
    return f'"{hashlib.sha256(said).hexdigest()[:20]}"'


def _lasting(record: Mapping[str, Any]) -> Mapping[str, Any]:
    if "pages" not in record:
        return record
    pages = [{name: value for name, value in page.items() if name not in LOOKED_AT} for page in record["pages"]]
    return {**record, "pages": pages}


def tagged(response: Response, record: Answer) -> Answer:
    """The record, with its version in the answer's head."""
    response.headers["etag"] = version(record)
    return record


class Expected:
    """The versions that a request named."""

    def __init__(
        self, if_match: Annotated[str, Header(description="The version that is meant to be changed.")] = ""
    ) -> None:
        self.named = {tag.strip() for tag in if_match.split(",")} - {""}

    def demand(self, path: str, *records: Mapping[str, Any], how: str = "GET") -> None:
        """Raises Outdated where none of these records, whose first is read at `path`, is as expected."""
        there = [version(record) for record in records]
        if self.named and "*" not in self.named and not self.named & set(there):
            raise Outdated(there[0], f"{how} /api/v1{path}")


IfMatch = Annotated[Expected, Depends(Expected)]
