"""What a post-mortem will be where it is not yet: the page, and what cannot travel there, a sentence for each."""

from collections.abc import Iterator
from dataclasses import dataclass

from mapping.document import Block
from mapping.incident import Section
from mapping.kept import kept_labels
from mapping.pictures import name_of, pictures_in
from syncd.compose import compose
from syncd.local import Local


@dataclass(frozen=True, slots=True)
class Preview:
    """The page as it will be made, and what stays behind."""

    title: str
    blocks: tuple[Block, ...]
    left: tuple[str, ...]


def preview(local: Local) -> Preview:
    """The page that exporting would make. Raises as a read of the service does, which may be asked who can be mentioned."""
    page = compose(local)
    left = [sentence for section in local.postmortem.sections for sentence in _left(section, local)]
    return Preview(page.title, page.blocks, tuple(dict.fromkeys(left)))


def _left(section: Section, local: Local) -> Iterator[str]:
    where = section.heading or section.kind.replace("_", " ")
    for block in local.prose(section):
        for name in kept_labels(block):
            yield f"“{name}” in “{where}” stays on the page that has it."
        travelled = [span.link for span in pictures_in(local.projected((block,)))]
        for span in pictures_in((block,)):
            if span.link not in travelled:
                instead = "its description stands" if name_of(span.link) else "a link to it stands"
                yield f"The picture “{span.text}” in “{where}” cannot travel: {instead} there instead."
