"""People at work on a page, the same few acts on every service: they change words, tick boxes, add and remove lines."""

import re
from pathlib import Path
from typing import Any, Protocol

from providers.sandbox.confluence_people import PeopledSite
from providers.sandbox.notion import NotionWorkspace

ADA = "ada@example.com"


class Person(Protocol):
    """Somebody with the page open in the service's own editor."""

    def text(self) -> str:
        """Everything that stands on the page, as plain text."""
        ...

    def reword(self, old: str, new: str) -> None:
        """Change words somewhere on the page."""
        ...

    def tick(self, title: str) -> None:
        """Tick the box of the line with this title."""
        ...

    def add_task(self, behind: str, text: str) -> None:
        """A new line with a box behind the line that says `behind`."""
        ...

    def add_event(self, behind: str, time: str, event: str) -> None:
        """A new row of the timeline behind the row that says `behind`."""
        ...

    def remove_task(self, title: str) -> None:
        """Delete a line with a box."""
        ...

    def remove_event(self, title: str) -> None:
        """Delete a row of the timeline."""
        ...

    def add_section(self, heading: str, text: str) -> None:
        """A new heading with a paragraph at the end."""
        ...

    def set_status(self, label: str) -> None:
        """Move the post-mortem's status where this service shows it."""
        ...

    def empty(self) -> None:
        """Delete everything on the page."""
        ...


class WikiPerson:
    """In Confluence's editor: acts on the stored body, published as the editor does."""

    def __init__(self, site: PeopledSite, page_id: str) -> None:
        self.site, self.page_id = site, page_id

    @property
    def body(self) -> str:
        return self.site.current_body(self.page_id)

    def publish(self, body: str) -> None:
        assert body != self.body, "nothing was changed"
        self.site.publish_as_editor(self.page_id, body, ADA)

    def text(self) -> str:
        shown = re.sub(r'<ri:user ri:(?:account-id|userkey)="(.*?)" />', lambda m: self.site.accounts[m[1]].name, self.body)
        return re.sub(r"\s+", " ", re.sub(r"<time datetime=\"(.*?)\" />|<[^>]+>", r" \1 ", shown))

    def reword(self, old: str, new: str) -> None:
        self.publish(self.body.replace(old, new))

    def _task(self, title: str) -> str:
        return next(t[0] for t in re.finditer(r"<ac:task>.*?</ac:task>", self.body, re.DOTALL) if title in t[0])

    def tick(self, title: str) -> None:
        found = re.search(r"<ac:task-id>(.*?)</ac:task-id>", self._task(title))
        assert found
        self.site.tick(self.page_id, found[1], True, ADA)

    def add_task(self, behind: str, text: str) -> None:
        task = self._task(behind)
        new = f"<ac:task><ac:task-status>incomplete</ac:task-status><ac:task-body>{text}</ac:task-body></ac:task>"
        self.publish(self.body.replace(task, task + new))

    def _row(self, title: str) -> str:
        return next(r[0] for r in re.finditer(r"<tr.*?</tr>", self.body, re.DOTALL) if title in r[0])

    def add_event(self, behind: str, time: str, event: str) -> None:
        row = self._row(behind)
        self.publish(self.body.replace(row, f"{row}<tr><td>{time}</td><td>{event}</td><td></td></tr>"))

    def remove_task(self, title: str) -> None:
        self.publish(self.body.replace(self._task(title), ""))

    def remove_event(self, title: str) -> None:
        self.publish(self.body.replace(self._row(title), ""))

    def add_section(self, heading: str, text: str) -> None:
        self.publish(f"{self.body}<h2>{heading}</h2><p>{text}</p>")

    def set_status(self, label: str) -> None:
        macro = next(
            m for m in re.findall(r"<ac:structured-macro[^>]*ac:name=\"status\".*?</ac:structured-macro>", self.body)
        )
        self.publish(self.body.replace(macro, re.sub(r"(ac:name=\"title\">)[^<]*", rf"\g<1>{label}", macro)))

    def empty(self) -> None:
        self.publish("<p />")


class NotionPerson:
    """In Notion's editor: every act is saved at once."""

    def __init__(self, space: NotionWorkspace, page_id: str) -> None:
        self.space, self.page_id = space, page_id

    def _blocks(self, parent: str = "") -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for block in self.space.children_of(parent or self.page_id):
            found.append(block)
            if block["has_children"]:
                found += self._blocks(block["id"])
        return found

    def text(self) -> str:
        return " ".join(said(block) for block in self._blocks())

    def _find(self, text: str, *kinds: str) -> dict[str, Any]:
        return next(b for b in self._blocks() if text in said(b) and (not kinds or b["type"] in kinds))

    def reword(self, old: str, new: str) -> None:
        block = self._find(old)
        if block["type"] == "table_row":
            cells = [plain(cell) for cell in block["table_row"]["cells"]]
            index = next(i for i, cell in enumerate(cells) if old in cell)
            self.space.ui_edit_cell(block["id"], index, cells[index].replace(old, new), ADA)
            return
        rich = block[block["type"]]["rich_text"]
        changed = [_reworded(item, old, new) for item in rich]
        assert changed != rich, "the words are split over several runs"
        self.space.ui_edit_rich_text(block["id"], changed, ADA)

    def tick(self, title: str) -> None:
        self.space.ui_tick(self._find(title, "to_do")["id"], True, ADA)

    def add_task(self, behind: str, text: str) -> None:
        after = self._find(behind, "to_do")["id"]
        self.space.ui_insert(self.page_id, after, {"type": "to_do", "to_do": {"rich_text": rich(text)}}, ADA)

    def add_event(self, behind: str, time: str, event: str) -> None:
        row = self._find(behind, "table_row")
        cells = [rich(time), rich(event), []]
        new = {"type": "table_row", "table_row": {"cells": cells}}
        self.space.ui_insert(row["parent"]["block_id"], row["id"], new, ADA)

    def remove_task(self, title: str) -> None:
        self.space.ui_delete(self._find(title, "to_do")["id"], ADA)

    def remove_event(self, title: str) -> None:
        self.space.ui_delete(self._find(title, "table_row")["id"], ADA)

    def add_section(self, heading: str, text: str) -> None:
        last = self.space.children_of(self.page_id)[-1]["id"]
        head = {"type": "heading_2", "heading_2": {"rich_text": rich(heading)}}
        new = self.space.ui_insert(self.page_id, last, head, ADA)
        self.space.ui_insert(self.page_id, new, {"type": "paragraph", "paragraph": {"rich_text": rich(text)}}, ADA)

    def set_status(self, label: str) -> None:
        try:
            row = self._find("Post-mortem status", "table_row")
        except StopIteration:
            self.space.ui_set_property(self.page_id, "Status", label, ADA)
        else:
            self.space.ui_edit_cell(row["id"], 1, label, ADA)

    def empty(self) -> None:
        for block in self.space.children_of(self.page_id):
            self.space.ui_delete(block["id"], ADA)


def rich(text: str) -> list[dict[str, Any]]:
    """Plain text as Notion takes it."""
    return [{"type": "text", "text": {"content": text}}]


def plain(items: list[dict[str, Any]]) -> str:
    """What Notion shows of rich text."""
    return "".join(item["plain_text"] for item in items)


def said(block: dict[str, Any]) -> str:
    """What a block of Notion says."""
    payload = block[block["type"]]
    if block["type"] == "table_row":
        return " ".join(plain(cell) for cell in payload["cells"])
    return plain(payload.get("rich_text", []))


def _reworded(item: dict[str, Any], old: str, new: str) -> dict[str, Any]:
    if item["type"] != "text" or old not in item["text"]["content"]:
        return item
    return {**item, "text": {**item["text"], "content": item["text"]["content"].replace(old, new)}}


class FilePerson:
    """With the Markdown file open in a text editor."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def text(self) -> str:
        return self.path.read_text()

    def _write(self, text: str) -> None:
        assert text != self.text(), "nothing was changed"
        self.path.write_text(text)

    def reword(self, old: str, new: str) -> None:
        self._write(self.text().replace(old, new))

    def _line(self, text: str) -> str:
        return next(line for line in self.text().splitlines(keepends=True) if text in line)

    def tick(self, title: str) -> None:
        line = self._line(title)
        self._write(self.text().replace(line, line.replace("[ ]", "[x]")))

    def add_task(self, behind: str, text: str) -> None:
        line = self._line(behind)
        self._write(self.text().replace(line, f"{line}- [ ] {text}\n"))

    def add_event(self, behind: str, time: str, event: str) -> None:
        line = self._line(behind)
        self._write(self.text().replace(line, f"{line}| {time} | {event} |  |\n"))

    def remove_task(self, title: str) -> None:
        self._write(self.text().replace(self._line(title), ""))

    remove_event = remove_task

    def add_section(self, heading: str, text: str) -> None:
        self._write(f"{self.text()}\n## {heading}\n\n{text}\n")

    def set_status(self, label: str) -> None:
        self._write(re.sub(r"(?m)^status: .*$", f"status: {label}", self.text()))

    def empty(self) -> None:
        self._write("")
