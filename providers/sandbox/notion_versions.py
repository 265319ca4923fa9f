"""What differs between API versions 2025-09-03 and 2026-03-11, and the fields that appear without any version.

The emulator speaks the newer one. For the older one requests are read as their newer selves and answers get back what the
newer one dropped: `archived` beside `in_trash`, `after` for `position`, `transcription` for `meeting_notes`.
"""

import random
from typing import Any

from providers.sandbox.notion_check import Json, identifier, stray

NEWEST = "2026-03-11"
OLDER = "2025-09-03"
_TRASHABLE = frozenset({"page", "block", "database", "data_source"})


def newer_request(body: Json) -> Json:
    """A request of the older version as the newer one would say it."""
    body = dict(body)
    if "archived" in body:
        body.setdefault("in_trash", body.pop("archived"))
    if "after" in body:
        if "position" in body:
            raise stray("body.position", body["position"])
        sibling = identifier(body.pop("after"), "body.after")
        body["position"] = {"type": "after_block", "after_block": {"id": sibling}}
    return body


def older_answer(value: Any) -> Any:
    """An answer of the newer version as the older one would say it."""
    if isinstance(value, list):
        return [older_answer(item) for item in value]
    if not isinstance(value, dict):
        return value
    said = {name: older_answer(inner) for name, inner in value.items()}
    if said.get("object") in _TRASHABLE and "in_trash" in said:
        said["archived"] = said["in_trash"]
    if said.get("object") == "block" and said.get("type") == "meeting_notes":
        said["type"] = "transcription"
        said["transcription"] = said.pop("meeting_notes")
    return said


def with_novelties(value: Any, source: random.Random) -> Any:
    """An answer with fields that nobody has heard of yet, here and there in its objects."""
    if isinstance(value, list):
        return [with_novelties(item, source) for item in value]
    if not isinstance(value, dict):
        return value
    said = {name: with_novelties(inner, source) for name, inner in value.items()}
    if ("object" in said or "annotations" in said) and source.random() < 0.3:
        said[f"novelty_{source.randrange(9)}"] = source.choice([None, True, {"type": "novelty", "novelty": {}}, []])
    return said
