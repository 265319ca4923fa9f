"""ultimate-notion: pages and blocks as objects. It reads no Markdown and finds no changes, so a program that knows what
changed is measured: it makes the page from blocks, then finds and sets one paragraph and one cell."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import notion_client
import ultimate_notion as uno

from bench import postmortem
from bench.worker import PAGE, Tool, serve


def blocks() -> Iterator[Any]:
    """The post-mortem as its objects, without marks: 150 of them at the top."""
    for heading, text in postmortem.chapters().items():
        yield uno.Heading2(heading)
        for part in text.split("\n\n"):
            if part.startswith(("- ", "1. ")):
                item = uno.BulletedItem if part.startswith("- ") else uno.NumberedItem
                yield from (item(line.partition(" ")[2]) for line in part.splitlines())
            else:
                yield (
                    uno.Code(part) if part.startswith("```") else uno.Quote(part) if part[0] == ">" else uno.Paragraph(part)
                )
    yield uno.Heading2("Timeline")
    yield table()
    yield uno.Heading2("Follow-ups")
    yield from (uno.ToDoItem(text) for text in postmortem.follow_ups())


def table() -> Any:
    """The timeline."""
    found = uno.Table(postmortem.EVENTS + 1, 3, header_row=True)
    lines = [("Time", "Event", "Details"), *((event.time, event.title, event.details) for event in postmortem.events())]
    for row, cells in enumerate(lines):
        for column, cell in enumerate(cells):
            found[row, column] = cell
    return found


class UltimateNotion(Tool):
    """One session; what it remembers of pages is forgotten before each step, as another process would."""

    def open(self, place: Mapping[str, str], folder: Path) -> None:
        client = notion_client.Client(auth=place["token"], base_url=place["url"], notion_version="2026-03-11")
        self.session, self.parent = uno.Session(client=client), place["page"]

    def step(self, name: str, many: int) -> None:
        if name == "publish":
            page = self.session.create_page(self.session.get_page(self.parent), PAGE, list(blocks()))
            self.page = page.id
            return
        if name not in ("paragraph", "cell"):
            raise NotImplementedError
        page = self.session.get_page(self.page, use_cache=False)
        before, after = postmortem.CHANGED_PARAGRAPH
        for block in page.blocks:
            if name == "paragraph" and isinstance(block, uno.Paragraph) and before in block.rich_text:
                block.rich_text = block.rich_text.replace(before, after)
            if name == "cell" and isinstance(block, uno.Table):
                block[31, 1] = postmortem.events()[30].title + ", corrected"


if __name__ == "__main__":
    serve(UltimateNotion())
