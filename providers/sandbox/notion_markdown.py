"""Pages as Notion-flavoured Markdown, read and written: lossy on purpose, because the service's is.

A read names by `<unknown>` what Markdown cannot say. A write takes the whole page apart again: a block whose text reads back
as itself keeps its id, every other one that the text still mentions is made anew as what its text looks like. Tasks that
were asked to be done later are done at the first request after two seconds.
"""

import difflib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from providers.sandbox import notion_text as text
from providers.sandbox.notion_access import Access, Call
from providers.sandbox.notion_blocks import Draft, read_children
from providers.sandbox.notion_check import Json, Refusal, array, boolean, choice, invalid, keys, refused, string
from providers.sandbox.notion_tree import DATABASE, PAGE, Node, Tree, minute

LATER = timedelta(seconds=2)
_OPENINGS = {"bulleted_list_item": "- ", "numbered_list_item": "1. ", "quote": "> ", "paragraph": ""}
_LINE_KINDS: Sequence[tuple[str, str]] = (
    (r"(#{1,4}) (?P<text>.*)", "heading"),
    (r"- \[(?P<mark>[ x])\] (?P<text>.*)", "to_do"),
    (r"- (?P<text>.*)", "bulleted_list_item"),
    (r"\d+\. (?P<text>.*)", "numbered_list_item"),
    (r"> (?P<text>.*)", "quote"),
)
_MARKS = (("code", "`"), ("strikethrough", "~~"), ("italic", "*"), ("bold", "**"))
_UPDATES = ("update_content", "replace_content", "insert_content", "replace_content_range")


# --- reading -----------------------------------------------------------------------------------------------------------


class Rendering:
    """One page or block as Markdown; `unknown` are the ids of blocks that Markdown cannot say."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self.unknown: list[str] = []

    def chunks(self, node: Node) -> list[str]:
        """The text of each living child, in order."""
        children = self._tree.living(self._tree.content_of(node))
        return [self._block(child) for child in children]

    def _block(self, node: Node) -> str:
        below = "\n".join(self.chunks(node)) if node.kind not in (PAGE, DATABASE) else ""
        inner = "\n".join(f"\t{line}" for line in below.split("\n")) if below else ""
        said = self._own(node)
        if node.kind in ("toggle", "callout", "column_list", "column", "synced_block", "table"):
            return self._enclosed(node, said, below, inner)
        return f"{said}\n{inner}" if inner else said

    def _enclosed(self, node: Node, said: str, below: str, inner: str) -> str:
        if node.kind == "toggle":
            return f"<details>\n<summary>{said}</summary>\n{inner}\n</details>"
        if node.kind == "callout":
            icon = (node.payload["icon"] or {}).get("emoji", "")
            return f'<callout icon="{icon}">\n\t{said}\n{inner}</callout>'
        tag = {"column_list": "columns"}.get(node.kind, node.kind)
        return f"<{tag}>\n{below if node.kind == 'table' else inner}\n</{tag}>"

    def _own(self, node: Node) -> str:
        kind, payload = node.kind, node.payload
        if kind.startswith("heading_"):
            return f"{'#' * int(kind[-1])} {self._inline(payload['rich_text'])}"
        if kind == "to_do":
            return f"- [{'x' if payload['checked'] else ' '}] {self._inline(payload['rich_text'])}"
        if kind in _OPENINGS:
            return f"{_OPENINGS[kind]}{self._inline(payload['rich_text'])}" if payload["rich_text"] else "<empty-block/>"
        if kind == "code":
            return f"```{payload['language']}\n{text.plain_text(payload['rich_text'], self._tree)}\n```"
        if kind == "table_row":
            return "<tr>" + "".join(f"<td>{self._inline(cell)}</td>" for cell in payload["cells"]) + "</tr>"
        if kind in (PAGE, DATABASE):
            tag = "page" if kind == PAGE else "database"
            return f'<{tag} url="{self._tree.url(node)}">{self._tree.title(node)}</{tag}>'
        return self._plainest(node)

    def _plainest(self, node: Node) -> str:
        kind, payload = node.kind, node.payload
        if kind == "divider":
            return "---"
        if kind == "equation":
            return f"$$\n{payload['expression']}\n$$"
        if kind == "table_of_contents":
            return "<table_of_contents/>"
        if kind == "image":
            address = payload.get("external") or self._tree.signed(payload["file"])
            return f"![{text.plain_text(payload['caption'], self._tree)}]({address['url']})"
        if "rich_text" in payload:
            return self._inline(payload["rich_text"])
        if kind in ("column_list", "column", "synced_block", "table", "tab"):
            return ""
        self.unknown.append(node.id)
        return f'<unknown url="{self._tree.url_of_block(node)}" alt="{kind}"/>'

    def _inline(self, items: Sequence[Json]) -> str:
        return "".join(self._item(item) for item in text.rendered(items, self._tree)).replace("\n", "<br>")

    def _item(self, item: Json) -> str:
        shown = str(item["plain_text"])
        if item["type"] == "mention":
            kind = item["mention"]["type"]
            return f'<mention-{kind} url="{item["href"] or ""}">{shown}</mention-{kind}>'
        if item["type"] == "equation":
            return f"${shown}$"
        for flag, mark in _MARKS:
            shown = f"{mark}{shown}{mark}" if item["annotations"][flag] else shown
        return f"[{shown}]({item['href']})" if item["href"] else shown


# --- writing -----------------------------------------------------------------------------------------------------------


def parsed(markdown: str) -> list[tuple[str, Json]]:
    """The text cut into blocks: each block's text and the block that it is taken for."""
    found: list[tuple[str, Json]] = []
    lines = markdown.split("\n")
    while lines:
        line = lines.pop(0)
        if line.startswith("```"):
            code = []
            while lines and lines[0] != "```":
                code.append(lines.pop(0))
            end = lines.pop(0) if lines else "```"
            content = {"rich_text": _typed("\n".join(code)), "language": line[3:] or "plain text"}
            found.append(("\n".join([line, *code, end]), {"code": content}))
        elif line.startswith("\t") and found:
            found[-1] = (f"{found[-1][0]}\n{line}", found[-1][1])
        elif line:
            found.append((line, _read_line(line)))
    return found


def _read_line(line: str) -> Json:
    if line == "---":
        return {"divider": {}}
    if line == "<empty-block/>":
        return {"paragraph": {"rich_text": []}}
    for pattern, kind in _LINE_KINDS:
        match = re.fullmatch(pattern, line)
        if match:
            kind = f"heading_{len(match[1])}" if kind == "heading" else kind
            more = {"checked": match["mark"] == "x"} if kind == "to_do" else {}
            return {kind: {"rich_text": _typed(match["text"]), **more}}
    return {"paragraph": {"rich_text": _typed(line)}}


def _typed(content: str) -> list[Json]:
    step = text.MOST_TEXT_UNITS // 2
    return [{"text": {"content": content[at : at + step]}} for at in range(0, len(content), step)]


@dataclass(slots=True)
class Task:
    """Something that is done after its answer."""

    id: str
    created: str
    due: datetime
    work: Callable[[], Json]
    result: Json | None = None
    error: Refusal | None = None


class MarkdownEndpoints:
    """What `/v1/pages/{id}/markdown` and `/v1/async_tasks` do."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._tree = access.tree
        self._tasks: dict[str, Task] = {}

    def read(self, call: Call) -> Json:
        """GET a page, or a block that an earlier answer named as unknown."""
        return self._shown(self._access.block(call.id("page_id"), call.by))

    def _shown(self, node: Node) -> Json:
        rendering = Rendering(self._tree)
        markdown = "\n".join(rendering.chunks(node))
        about = {"object": "page_markdown", "id": node.id, "markdown": markdown}
        return {**about, "truncated": False, "unknown_block_ids": rendering.unknown}

    def update(self, call: Call) -> Json:
        """PATCH a page's content, now or, when that was allowed, later."""
        node = self._access.block(call.id("page_id"), call.by)
        if node.kind != PAGE:
            raise refused(f"Provided ID {node.id} is not a page.")
        self._access.editable(node)
        given = keys(call.body, "body", {"type", "allow_async", "markdown_version", *_UPDATES}, {"type"})
        kind = choice(given["type"], "body.type", _UPDATES)
        if kind not in given:
            raise invalid(f"body.{kind} should be defined, instead was `undefined`")
        work = partial(self._rewrite, node, kind, given[kind], call.by)
        return self._later(work) if given.get("allow_async") else work()

    def _rewrite(self, node: Node, kind: str, change: object, by: str) -> Json:
        rendering = Rendering(self._tree)
        before = rendering.chunks(node)
        after = _changed("\n".join(before), kind, change, f"body.{kind}")
        allowed = isinstance(change, dict) and bool(change.get("allow_deleting_content"))
        self._settle_blocks(node, before, parsed(after), allowed, by)
        self._access.body_changed(node, by)
        return self._shown(node)

    def _settle_blocks(
        self, page: Node, before: Sequence[str], after: Sequence[tuple[str, Json]], allowed: bool, by: str
    ) -> None:
        children = self._tree.living(page)
        kept = self._kept(children, before, after)
        gone = [child for index, child in enumerate(children) if index not in kept.values()]
        if not allowed and any(child.kind in (PAGE, DATABASE) for child in gone):
            raise refused("This update would delete child pages or databases. Set allow_deleting_content to do so.")
        drafts = [read_children([block], "body", PAGE)[0] for _, block in after]
        for child in gone:
            child.in_trash = True
        trashed = [child for child in page.children if self._tree.nodes[child].in_trash]
        page.children = trashed
        for index, draft in enumerate(drafts):
            if index in kept:
                page.children.append(children[kept[index]].id)
            else:
                self._tree.add_draft(page.id, draft, by)

    def _kept(self, children: Sequence[Node], before: Sequence[str], after: Sequence[tuple[str, Json]]) -> dict[int, int]:
        """Which new block is which old one: the same text, and a kind that the text reads back as."""
        matcher = difflib.SequenceMatcher(a=before, b=[chunk for chunk, _ in after], autojunk=False)
        same = {b + n: a + n for a, b, size in matcher.get_matching_blocks() for n in range(size)}
        return {new: old for new, old in same.items() if self._reads_back(children[old], after[new][1])}

    def _reads_back(self, node: Node, block: Json) -> bool:
        if node.kind in (PAGE, DATABASE):
            return True
        draft: Draft = read_children([block], "body", PAGE)[0]
        said = draft.payload.get("rich_text")
        return draft.kind == node.kind and (said is None or said == node.payload["rich_text"])

    # --- later ---

    def _later(self, work: Callable[[], Json]) -> Json:
        now = self._tree.clock()
        task = Task(self._tree.new_id(), minute(now), now + LATER, work)
        self._tasks[task.id] = task
        return self._told(task)

    def settle(self) -> None:
        """Does what is due."""
        for task in self._tasks.values():
            if task.result is None and task.error is None and task.due <= self._tree.clock():
                try:
                    task.result = task.work()
                except Refusal as refusal:
                    task.error = refusal

    def read_task(self, call: Call) -> Json:
        """GET how far a task is."""
        task = self._tasks.get(call.id("task_id"))
        if task is None:
            raise self._access.not_found("async task", call.id("task_id"), call.by)
        return self._told(task)

    def _told(self, task: Task) -> Json:
        about: Json = {"object": "async_task", "id": task.id, "status_url": f"/v1/async_tasks/{task.id}"}
        about |= {"created_time": task.created, "operation": {"surface": "rest", "name": "update_page_markdown"}}
        if task.error is not None:
            return {**about, "status": "failed", "error": {"code": task.error.code, "message": task.error.message}}
        if task.result is not None:
            return {**about, "status": "succeeded", "result": task.result}
        return {**about, "status": "queued", "poll_after_seconds": LATER.total_seconds()}


def _changed(markdown: str, kind: str, change: object, at: str) -> str:
    if kind == "replace_content":
        return string(keys(change, at, {"new_str", "allow_deleting_content"}, {"new_str"})["new_str"], f"{at}.new_str")
    if kind == "insert_content":
        return _inserted(markdown, keys(change, at, {"content", "after", "position"}, {"content"}), at)
    if kind == "replace_content_range":
        names = {"content", "content_range", "allow_deleting_content"}
        return _ranged(markdown, keys(change, at, names, {"content", "content_range"}), at)
    given = keys(change, at, {"content_updates", "allow_deleting_content"}, {"content_updates"})
    updates = array(given["content_updates"], f"{at}.content_updates")
    missed = 0
    for index, update in enumerate(updates):
        after = _replaced(markdown, update, f"{at}.content_updates[{index}]")
        missed += after is None
        markdown = markdown if after is None else after
    if missed == len(updates):
        raise refused("No match for old_str was found in the page's content.")
    return markdown  # of several replacements, those that match nothing are passed over


def _replaced(markdown: str, update: object, at: str) -> str | None:
    given = keys(update, at, {"old_str", "new_str", "replace_all_matches"}, {"old_str", "new_str"})
    old, new = string(given["old_str"], f"{at}.old_str"), string(given["new_str"], f"{at}.new_str")
    if not old:
        raise invalid(f"{at}.old_str should not be empty")
    count = markdown.count(old)
    if count > 1 and not boolean(given.get("replace_all_matches", False), f"{at}.replace_all_matches"):
        raise refused(f"{count} matches for old_str were found. Set replace_all_matches, or make old_str longer.")
    return markdown.replace(old, new) if count else None


def _inserted(markdown: str, given: Json, at: str) -> str:
    content = string(given["content"], f"{at}.content")
    position = given.get("position")
    if isinstance(position, dict) and position.get("type") == "start":
        return f"{content}\n{markdown}"
    if "after" not in given:
        return f"{markdown}\n{content}"
    _, end = _found(markdown, string(given["after"], f"{at}.after"))
    return f"{markdown[:end]}\n{content}{markdown[end:]}"


def _ranged(markdown: str, given: Json, at: str) -> str:
    start, end = _found(markdown, string(given["content_range"], f"{at}.content_range"))
    return markdown[:start] + string(given["content"], f"{at}.content") + markdown[end:]


def _found(markdown: str, selection: str) -> tuple[int, int]:
    """Where `first words...last words` stands."""
    first, dots, last = selection.partition("...")
    start = markdown.find(first)
    end = markdown.find(last, start + len(first)) if dots else start
    if start < 0 or end < 0:
        raise refused("No match for the selection was found in the page's content.")
    return start, end + len(last if dots else first)
