"""The sandbox's pages as a person's browser sees and edits them: what the demo's people do, and what its check reads.

Everything goes over HTTP to the sandbox's site, and nothing of the providers or formats is used: what is read here is a
second opinion on what they wrote. Folder pages are read and edited as the text files that they are.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import httpx

VOID = frozenset(["input", "br", "meta", "link", "hr", "img"])
MARKS = {"strong": "strong", "b": "strong", "em": "em", "i": "em", "s": "s", "u": "u", "code": "code"}
TASK = re.compile(r"^\s*[-*+] \[(?P<box>[ xX])\] (?P<text>.*)$")


class DemoError(Exception):
    """Something in the demo is not as it should be; `str()` says what."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A page as its readers see it; texts have single blanks. `tasks` are (ticked, text), `rows` the cells of table rows."""

    title: str
    tasks: tuple[tuple[bool, str], ...]
    rows: tuple[tuple[str, ...], ...]
    text: str
    status: str


# --- HTML ---------------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Node:
    """An element; text is a child as it is."""

    tag: str
    attributes: Mapping[str, str] = field(default_factory=dict)
    children: list["Node | str"] = field(default_factory=list)

    def walk(self) -> Iterator["Node"]:
        """This element and all below it, in the order of the document."""
        yield self
        for child in self.children:
            if isinstance(child, Node):
                yield from child.walk()

    def all(self, attribute: str) -> list["Node"]:
        """The elements that have this attribute."""
        return [node for node in self.walk() if attribute in node.attributes]

    @property
    def text(self) -> str:
        """What is to be read; of a menu only what is chosen, of buttons nothing."""
        return " ".join(self._raw().split())

    def _raw(self) -> str:
        if self.tag in ("button", "script", "style"):
            return ""
        if self.tag == "br":
            return "\n"
        if self.tag == "select":
            chosen = [n for n in self.walk() if n.tag == "option" and "selected" in n.attributes]
            return chosen[0]._raw() if chosen else ""
        inside = "".join(child if isinstance(child, str) else child._raw() for child in self.children)
        return (
            f"{inside} " if self.tag in ("p", "div", "li", "td", "th", "tr", "h1", "h2", "h3", "h4", "h5", "h6") else inside
        )


class _Tree(HTMLParser):
    """HTML as nodes."""

    def __init__(self) -> None:
        super().__init__()
        self.root = Node("")
        self._open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        node = Node(tag, {name: value or "" for name, value in attrs})
        self._open[-1].children.append(node)
        if tag not in VOID:
            self._open.append(node)

    def handle_endtag(self, tag: str) -> None:
        if tag in [node.tag for node in self._open[1:]]:
            while self._open.pop().tag != tag:
                continue

    def handle_data(self, data: str) -> None:
        self._open[-1].children.append(data)


def parsed(html: str) -> Node:
    """The root of a document."""
    tree = _Tree()
    tree.feed(html)
    return tree.root


def tokens(element: Node) -> list[Any]:
    """A typed line as the site takes it: text, and its inline things by their number."""
    said: list[Any] = []
    for child in element.children:
        if isinstance(child, str):
            said.append(child)
        elif child.tag == "br":
            said.append("\n")
        elif "data-index" in child.attributes:
            index = {"index": int(child.attributes["data-index"])}
            said.append(index if "data-atom" in child.attributes else {**index, "content": tokens(child)})
        elif child.tag in MARKS:
            said.append({"mark": MARKS[child.tag], "content": tokens(child)})
        else:
            said += tokens(child)
    return said


def retyped(line: list[Any], old: str, new: str) -> list[Any]:
    """The line with `old` typed over by `new`; everything else as it was."""
    done: list[Any] = []
    for token in line:
        if isinstance(token, str):
            done.append(token.replace(old, new))
        elif "content" in token:
            done.append({**token, "content": retyped(token["content"], old, new)})
        else:
            done.append(token)
    return done


# --- pages of the site --------------------------------------------------------------------------------------------------


class SitePage:
    """One page of the sandbox's site, used as `email`."""

    def __init__(self, address: str, client: httpx.Client, email: str) -> None:
        self.address, self.client, self.email = address.rstrip("/"), client, email

    def read(self) -> Seen:
        """The page now."""
        root = self._root()
        tasks = [node for node in root.all("class") if "task" in node.attributes["class"].split() and node.tag == "li"]
        rows = [node for node in root.walk() if node.tag == "tr"]
        title = next(node for node in root.all("data-title"))
        return Seen(
            title=title.text,
            tasks=tuple((_ticked(node), node.text) for node in tasks),
            rows=tuple(tuple(cell.text for cell in _cells(row)) for row in rows),
            text=root.text,
            status=_status(root),
        )

    def retype(self, old: str, new: str) -> None:
        """Click the line that says `old`, type `new` over it."""
        line = next((n for n in self._root().all("data-at") if old in "".join(_strings(n))), None)
        if line is None:
            raise DemoError(f"Nobody finds “{old}” on {self.address}.")
        self._send({"op": "text", **_handle(line, "data-at"), "lines": [retyped(tokens(line), old, new)]})

    def tick(self, words: str, done: bool = True) -> None:
        """Tick the box in front of these words, or take the tick away."""
        for item in self._root().walk():
            boxes = [child for child in item.children if isinstance(child, Node) and "data-tick" in child.attributes]
            if boxes and words in item.text:
                self._send({"op": "tick", "at": boxes[0].attributes["data-tick"], "checked": done})
                return
        raise DemoError(f"There is no box before “{words}” on {self.address}.")

    def add(self, after: str, *cells: str) -> None:
        """A new line in the list or table that holds the words `after`."""
        found = False
        for node in self._root().walk():
            found = found or (("data-at" in node.attributes) and after in node.text)
            if found and "data-add" in node.attributes:
                self._send({"op": "add", **_handle(node, "data-add"), "lines": [[cell] for cell in cells]})
                return
        raise DemoError(f"Nothing can be added after “{after}” on {self.address}.")

    def remove(self, words: str) -> None:
        """Remove the line or row that holds these words."""
        holders = [node for node in self._root().walk() if node.tag in ("li", "tr") and words in node.text]
        buttons = [button for holder in reversed(holders) for button in holder.all("data-remove")]
        if not buttons:
            raise DemoError(f"The line “{words}” cannot be removed from {self.address}.")
        self._send({"op": "remove", **_handle(buttons[0], "data-remove")})

    def set_status(self, label: str) -> None:
        """Choose a status where this service has it."""
        root = self._root()
        lozenges = root.all("data-status")
        if lozenges:
            self._send({"op": "status", **_handle(lozenges[0], "data-status"), "value": label})
        else:
            self._send({"op": "property", "name": "Status", "value": label})

    def _root(self) -> Node:
        answer = self.client.get(self.address)
        if answer.status_code != 200:
            raise DemoError(f"{self.address} answers {answer.status_code}.")
        return next(node for node in parsed(answer.text).walk() if node.attributes.get("id") == "page")

    def _send(self, change: Mapping[str, Any]) -> None:
        origin = str(httpx.URL(self.address).copy_with(raw_path=b"/")).rstrip("/")
        answer = self.client.post(f"{self.address}/edit", json={"editor": self.email, **change}, headers={"Origin": origin})
        if answer.status_code != 200:
            raise DemoError(f"{self.address} refuses {change['op']}: {answer.text}")


def _handle(node: Node, name: str) -> dict[str, str]:
    return {"at": node.attributes[name], "was": node.attributes.get("data-was", "")}


def _strings(node: Node) -> Iterator[str]:
    for child in node.children:
        if isinstance(child, str):
            yield child
        else:
            yield from _strings(child)


def _cells(row: Node) -> list[Node]:
    return [n for n in row.children if isinstance(n, Node) and n.tag in ("td", "th") and n.attributes.get("class") != "act"]


def _ticked(item: Node) -> bool:
    return any("data-tick" in node.attributes and "checked" in node.attributes for node in item.walk())


def _status(root: Node) -> str:
    for node in (*root.all("data-status"), *root.all("data-property")):
        if "data-status" in node.attributes or node.attributes["data-property"] == "Status":
            return node.text
    return ""


# --- pages in a folder --------------------------------------------------------------------------------------------------


class FilePage:
    """One Markdown file, edited with an editor that saves as a whole."""

    def __init__(self, path: Path) -> None:
        self.path, self.address = path, str(path)

    def read(self) -> Seen:
        """The file now, its markup taken for what it stands for."""
        text = self.path.read_text("utf-8")
        head, body = _front_matter(text)
        lines = body.splitlines()
        tasks = [found for line in lines if (found := TASK.match(line))]
        rows = [line.strip().strip("|").split("|") for line in lines if line.lstrip().startswith("|")]
        status = re.search(r"^status:\s*(.*)$", head, re.MULTILINE)
        title = next((line[2:] for line in lines if line.startswith("# ")), "")
        return Seen(
            title=_plain(title),
            tasks=tuple((found["box"] != " ", _plain(found["text"])) for found in tasks),
            rows=tuple(tuple(_plain(cell) for cell in row) for row in rows),
            text=_plain(body),
            status=status[1].strip("\"' ") if status else "",
        )

    def retype(self, old: str, new: str) -> None:
        """Replace words."""
        text = self.path.read_text("utf-8")
        if old not in text:
            raise DemoError(f"Nobody finds “{old}” in {self.path.name}.")
        self._save(text.replace(old, new, 1))

    def tick(self, words: str, done: bool = True) -> None:
        """Put an x into the box of the line with these words."""
        lines = self.path.read_text("utf-8").splitlines(keepends=True)
        for index, line in enumerate(lines):
            if TASK.match(line) and words in line:
                lines[index] = line.replace("[ ]", "[x]", 1) if done else re.sub(r"\[[xX]\]", "[ ]", line, count=1)
        self._save("".join(lines))

    def add(self, after: str, line: str) -> None:
        """A new line behind the one with these words."""
        lines = self.path.read_text("utf-8").splitlines(keepends=True)
        at = next((index for index, there in enumerate(lines) if after in there), None)
        if at is None:
            raise DemoError(f"Nobody finds “{after}” in {self.path.name}.")
        self._save("".join([*lines[: at + 1], f"{line}\n", *lines[at + 1 :]]))

    def set_status(self, label: str) -> None:
        """The status in the front matter."""
        self._save(re.sub(r"^status:.*$", f"status: {label}", self.path.read_text("utf-8"), count=1, flags=re.MULTILINE))

    def _save(self, text: str) -> None:
        part = self.path.with_name(f".{self.path.name}.swp")
        part.write_text(text, "utf-8")
        part.replace(self.path)


def _front_matter(text: str) -> tuple[str, str]:
    found = re.match(r"---\n(.*?)\n---\n", text, re.DOTALL)
    return (found[1], text[found.end() :]) if found else ("", text)


def _plain(markdown: str) -> str:
    """Markdown without its signs, good enough to look for sentences in it."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", markdown)
    text = re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", text)
    text = re.sub(r"\*\*|~~|`|^#+ |^> ?", "", text, flags=re.MULTILINE)
    return " ".join(text.split())
