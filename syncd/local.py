"""The store's view of one page, gathered for the decision: everything that taking in and planning out may look at."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property

from mapping.document import Block, Doc
from mapping.incident import FollowUp, Incident, Postmortem, Section, TimelineEvent
from mapping.kept import renamed
from mapping.pictures import names_in, told
from mapping.rows import Vocabulary
from syncd.pages import Brake, Unread

Project = Callable[[Doc], Doc]
LIFTS: Mapping[Brake, tuple[Brake, ...]] = {
    "emptied": ("emptied",),
    "removed": ("emptied", "removed"),
    "vanished": ("emptied", "removed", "vanished"),
    "property": ("emptied", "property"),
    "restored": ("restored",),
}


@dataclass(frozen=True)
class Local:
    """What the store says about one page at one moment.

    home: prose is written on this page, so it wins a conflict about prose. title: the template's title, rendered now.
    hidden: row keys and `section:ID` that were removed from this page. made_here: when follow-ups were made on this page.
    project: what the service will make of a document. pictures: the service can hold those of the store.
    """

    incident: Incident
    postmortem: Postmortem
    words: Vocabulary
    title: str
    home: bool
    project: Project
    hidden: frozenset[str] = frozenset()
    made_here: Mapping[str, datetime] = field(default_factory=dict)
    unread: tuple[Unread, ...] = ()
    still: Mapping[str, datetime] = field(default_factory=dict)
    pictures: bool = False

    @cached_property
    def follow_ups(self) -> dict[str, FollowUp]:
        return {row.key: row for row in self.incident.follow_ups}

    @cached_property
    def events(self) -> dict[str, TimelineEvent]:
        return {row.key: row for row in self.incident.timeline}

    @cached_property
    def keys(self) -> frozenset[str]:
        return frozenset(self.follow_ups) | frozenset(self.events)

    def prose(self, section: Section) -> tuple[Block, ...]:
        """The prose of a section as the store has it; a heading in it never begins a section of its own."""
        blocks = self.incident.prose(section)
        return tuple(replace(b, level=3) if b.kind == "heading" and b.level < 3 else b for b in blocks)

    @property
    def shows_pictures(self) -> bool:
        """There are pictures of the store in it, and the service can hold them."""
        prose = (block for section in self.postmortem.sections for block in self.prose(section))
        return self.pictures and bool(names_in(prose))

    def projected(self, blocks: tuple[Block, ...]) -> tuple[Block, ...]:
        """Blocks as they will read back from this page's service. Kept things keep their names: a service numbers equal
        ones over the whole page, of which this is a part."""
        return renamed(self.project(Doc("", blocks if self.pictures else told(blocks))).blocks, like=blocks)


@dataclass(frozen=True, slots=True)
class Policy:
    """The numbers that bound a decision; see `[sync]` and `[brakes]` in the configuration.

    published: people's edits come by an explicit publish and are never half-typed. native: block ids survive edits.
    agreed: the brake that a person agreed to lift, once.
    """

    native: bool
    published: bool
    compare_and_swap: bool
    row_still: timedelta
    quiet: timedelta
    removed_share: float
    removed_min: int
    agreed: Brake = ""

    def lifts(self, brake: Brake) -> bool:
        """Did a person agree to this? Who agrees to an emptied page agrees that its rows go."""
        return self.agreed in LIFTS[brake]
