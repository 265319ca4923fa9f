"""Text typed over a text that others may have changed meanwhile: both changes, and nothing that anybody typed is lost.

Where both changed the same words there is no page to show one version and keep the other for, so both stay in the text, one
after the other, and the answer says where. When and why this is called is `app.py`'s.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mapping.document import Block
from mapping.markdown import to_markdown
from mapping.merge import Collision, merge_blocks

Blocks = tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Written:
    """What a section holds after a save. `merged`: it is not just what was typed. `both`: what was changed twice, whose two
    versions now stand one after the other."""

    blocks: Blocks
    merged: bool = False
    both: tuple[Collision, ...] = ()


def written(base: Sequence[Block], now: Blocks, typed: Blocks) -> Written:
    """`typed` by somebody who began with `base`, while the store came to hold `now`. What a page keeps natively is moved by
    this, never deleted."""
    found = merge_blocks(base, typed, now, "remote")
    blocks = list(found.blocks)
    for collision in found.collisions:
        at = max((i for i, block in enumerate(blocks) if block in collision.remote), default=len(blocks) - 1)
        blocks[at + 1 : at + 1] = collision.local
    return Written(tuple(blocks), tuple(blocks) != typed, found.collisions)


def written_json(answer: Written) -> dict[str, Any]:
    """What an editor is told: the text now, which is the next `base` where it takes it over."""
    both = [{"store": to_markdown(c.remote), "typed": to_markdown(c.local)} for c in answer.both]
    value = {"markdown": to_markdown(answer.blocks), "merged": answer.merged, "both": both}
    return value | {"version": version(answer.blocks)}


def version(blocks: Blocks) -> str:
    """A short hash of prose, to tell whether it is still the same."""
    return hashlib.sha256(to_markdown(blocks).encode()).hexdigest()[:16]
