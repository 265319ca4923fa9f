"""The Confluence emulators' pages for the sandbox's site: storage as views, a person's acts as the editor's publishes.

Reading gives every line that can be typed in, and all that can be added or removed, a handle: its number in the page.
A change is carried out on the page as it is now, at the place with that handle, or at the only one that says the same.
Texts of the page are never written anew here save for the line that was typed in.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count, groupby
from urllib.parse import parse_qs, unquote_plus

from providers.sandbox import confluence_body as bodies
from providers.sandbox.confluence_markup import Element, Node, elements, parse, serialise, text_of
from providers.sandbox.confluence_people import PeopledSite
from providers.sandbox.confluence_records import Page, RefusedError
from providers.sandbox.site_view import (
    DEEPEST,
    MARKS,
    STATUSES,
    Change,
    DeniedError,
    Entry,
    Line,
    MovedOnError,
    NoPageError,
    PageView,
    Shelf,
    View,
    day_shown,
    mark_of,
    moment_shown,
    typed,
)

_MARKS = {"b": "strong", "i": "em", "del": "s", "strike": "s", "ins": "u", bodies.MARKER: "comment"}
_WRAPPERS = frozenset(["strong", "em", "u", "s", "code", "sub", "sup", "small", "span", "a", *_MARKS])
_PANELS = frozenset(["info", "note", "warning", "tip", "panel"])
_COLOURS = {"in progress": "Blue", "in review": "Yellow", "completed": "Green"}
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_CLOUD_LINK = re.compile(r"/spaces/[^/]+/pages/([0-9]{1,18})(?:/.*)?")
_DISPLAY_LINK = re.compile(r"/display/[^/]+/(.+)")
_SHELF_LINK = re.compile(r"/?|/spaces/[^/]+(?:/overview|/pages)?|/display/[^/]+")
_SAYING = ("ri:account-id", "ri:userkey", "datetime")
_Path = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a change goes: the children `start` to `stop` of the element at `path`; `nodes` is what stands there, or
    what a new line is to look like."""

    path: _Path
    start: int
    stop: int
    was: str
    nodes: tuple[Node, ...]


class ConfluenceDesk:
    """Pages of a Confluence site, as their readers see them."""

    def __init__(self, site: PeopledSite, name: str = "Confluence") -> None:
        self._site, self.name = site, name

    def linked(self, path: str) -> str | None:
        """The page that a link into either edition means, "" for the list of pages, None for what is no such link."""
        bare, _, query = path.partition("?")
        if named := _CLOUD_LINK.fullmatch(bare):
            return named[1]
        if bare == "/pages/viewpage.action":
            return parse_qs(query).get("pageId", [""])[0]
        if named := _DISPLAY_LINK.fullmatch(bare):
            titled = (page.id for page in self._site.content.values() if page.title == unquote_plus(named[1]))
            return next(titled, "")
        return "" if _SHELF_LINK.fullmatch(bare) else None

    def shelves(self) -> list[Shelf]:
        """The spaces; pages in the order of their tree."""
        spaces = self._site.spaces.values()
        return [Shelf(f"{space.name} ({space.key})", tuple(self._below(space.homepage_id, 0))) for space in spaces]

    def _below(self, page_id: str, depth: int) -> Iterator[Entry]:
        page = self._site.content.get(page_id)
        if page is None or page.status not in ("current", "archived"):
            return
        yield Entry(page.id, page.title, min(depth, 6), self._about(page))
        for child in self._site.children(page_id):
            yield from self._below(child.id, depth + 1)

    def page(self, page_id: str) -> PageView:
        """One page with its handles."""
        page = self._page(page_id)
        reading = _Reading(parse(page.body), self._name_of)
        place = f"{self.name} · {self._site.spaces[page.space_id].name}"
        end = reading.end()
        return PageView(page.id, page.title, "", place, self._about(page), reading.views, add=end)

    def version(self, page_id: str) -> str:
        """Changes with title, state and body, comment markers included."""
        page = self._page(page_id)
        return mark_of(page.title, page.status, page.body, str(page.number))

    def apply(self, page_id: str, change: Change, email: str) -> None:
        """Publish what a person did, or tick their box."""
        page = self._page(page_id)
        try:
            if change.op == "tick":
                self._site.tick(page.id, change.at, change.checked, email)
            elif change.op == "title":
                self._site.publish_as_editor(page.id, page.body, email, change.value.strip() or page.title)
            else:
                self._site.publish_as_editor(page.id, self._changed(page, change), email)
        except RefusedError as refused:
            raise DeniedError(refused.reason) from refused

    def _changed(self, page: Page, change: Change) -> str:
        nodes = parse(page.body)
        place = _Reading(nodes, self._name_of).place(change)
        return serialise(_spliced(nodes, place.path, place.start, place.stop, self._replacement(place, change)))

    def _replacement(self, place: _Place, change: Change) -> Sequence[Node]:
        if change.op == "remove":
            return ()
        if change.op == "status":
            return (_with_status(place.nodes[0], change.value),)
        if change.op == "text":
            return self._written(change.lines[0] if change.lines else (), list(_inline_elements(place.nodes)))
        return (_new_line(place.nodes, [self._written(line, []) for line in change.lines] or [()]),)

    def _written(self, line: Line, known: Sequence[Element]) -> tuple[Node, ...]:
        written: list[Node] = []
        for token in line:
            if isinstance(token, str):
                written += self._typed(token)
            elif token.mark:
                written.append(Element(token.mark, {}, self._written(token.content or (), known)))
            elif not 0 <= token.index < len(known):
                raise MovedOnError
            elif token.content is None or not _wraps(known[token.index]):
                written.append(known[token.index])
            else:
                written.append(known[token.index].with_children(self._written(token.content, known)))
        return tuple(node for node in written if not _hollow(node))

    def _typed(self, text: str) -> Iterator[Node]:
        for kind, word in typed(text):
            if kind == "person":
                who = {self._site.user_attribute: self._site.account(word).id}
                yield Element("ac:link", {}, (Element("ri:user", who),))
            elif kind == "day":
                yield Element("time", {"datetime": word})
            else:
                for at, part in enumerate(word.split("\n")):
                    yield from ([Element("br", {})] if at else [])
                    yield from ([part] if part else [])

    def _page(self, page_id: str) -> Page:
        page = self._site.content.get(page_id)
        if page is None or page.status not in ("current", "archived"):
            raise NoPageError
        return page

    def _about(self, page: Page) -> str:
        newest = page.versions[-1]
        by = self._site.accounts[newest.author_id].name
        return f"Version {newest.number} · {by} · {moment_shown(newest.created_at)}"

    def _name_of(self, account_id: str) -> str:
        account = self._site.accounts.get(account_id)
        return account.name if account else "Unknown person"


class _Reading:
    """One walk over a body: its views and the places behind their handles."""

    def __init__(self, nodes: tuple[Node, ...], name_of: Callable[[str], str]) -> None:
        self._name_of = name_of
        self._places: dict[str, _Place] = {}
        self._counts: Counter[str] = Counter()
        self._size = len(nodes)
        self.views = self._blocks(nodes, ())

    def end(self) -> str:
        """The handle under which a paragraph can be added at the page's end."""
        return self._note("add", _Place((), self._size, self._size, "", (Element("p", {}),)))

    def place(self, change: Change) -> _Place:
        """Where a change belongs: at its handle, or at the only place of its kind that says what the person saw.

        A new line goes to its list even when the list has changed meanwhile.
        """
        if change.op == "add" and not change.was:
            return self._places[self.end()]
        known = self._places.get(change.at) if change.at.startswith(f"{change.op}-") else None
        if known is not None and known.was == change.was:
            return known
        alike = [place for at, place in self._places.items() if at.startswith(f"{change.op}-") and place.was == change.was]
        if len(alike) == 1:
            return alike[0]
        if known is None or change.op != "add":
            raise MovedOnError
        return known

    def _note(self, kind: str, place: _Place) -> str:
        at = f"{kind}-{self._counts[kind]}"
        self._counts[kind] += 1
        self._places[at] = place
        return at

    def _removable(self, element: Element, path: _Path) -> tuple[str, str]:
        was = mark_of(_said((element,)))
        return self._note("remove", _Place(path[:-1], path[-1], path[-1] + 1, was, (element,))), was

    # --- blocks ---

    def _blocks(self, nodes: Sequence[Node], path: _Path, *, empty: bool = False) -> tuple[View, ...]:
        """The views of an element's content; `empty`: where there is nothing, a line can be begun."""
        views: list[View] = []
        for block, group in groupby(enumerate(nodes), key=lambda item: bodies.is_block(item[1])):
            run = list(group)
            if block:
                views += [self._block(node, (*path, at)) for at, node in run if isinstance(node, Element)]
            elif any(not isinstance(node, str) or node.strip() for _, node in run):
                views.append(self._line("line", [node for _, node in run], path, run[0][0]))
        if not views and empty:
            views.append(self._line("line", nodes, path, 0))
        return tuple(views)

    def _block(self, element: Element, path: _Path) -> View:
        if len(path) > DEEPEST:
            return View("box", text=text_of((element,)))
        if element.name in _BLOCK_VIEWS:
            return _BLOCK_VIEWS[element.name](self, element, path)
        return View("group", self._blocks(element.children, path))

    def _line(self, kind: str, nodes: Sequence[Node], path: _Path, start: int, level: int = 0) -> View:
        was = mark_of(_said(nodes))
        at = self._note("text", _Place(path, start, start + len(nodes), was, tuple(nodes)))
        return View(kind, self._inline(nodes, path, start, count()), level=level, at=at, was=was)

    def _paragraph(self, element: Element, path: _Path) -> View:
        if any(map(bodies.is_block, element.children)):
            return View("group", self._blocks(element.children, path))
        level = _HEADINGS.index(element.name) + 1 if element.name in _HEADINGS else 0
        return self._line("heading" if level else "paragraph", element.children, path, 0, level)

    def _list(self, element: Element, path: _Path) -> View:
        views = [
            self._item(node, (*path, at)) if node.name in ("li", "ac:task") else self._block(node, (*path, at))
            for at, node in enumerate(element.children)
            if isinstance(node, Element)
        ]
        kind = {"ac:task-list": "tasks", "ol": "numbers"}.get(element.name, "bullets")
        end, was = len(element.children), mark_of(_said((element,)))
        add = self._note("add", _Place(path, end, end, was, (element,)))
        return View(kind, tuple(views), add=add, was=was)

    def _item(self, element: Element, path: _Path) -> View:
        remove, was = self._removable(element, path)
        if element.name == "li":
            return View("item", self._blocks(element.children, path, empty=True), remove=remove, was=was)
        views: list[View] = []
        for at, node in enumerate(element.children):
            if isinstance(node, Element) and node.name == "ac:task-body":
                views += self._blocks(node.children, (*path, at), empty=True)
            elif isinstance(node, Element) and bodies.is_block(node):
                views.append(self._block(node, (*path, at)))
        done = _words(element, "ac:task-status") == "complete"
        tick = _words(element, "ac:task-id")
        return View("task", tuple(views), remove=remove, was=was, tick=tick, checked=done)

    def _table(self, element: Element, path: _Path) -> View:
        rows = list(_rows(element, path))
        views = tuple(self._row(row, at) for row, at in rows)
        if not rows:
            return View("table")
        last, at = rows[-1]
        was = mark_of(_said((element,)))
        add = self._note("add", _Place(at[:-1], at[-1] + 1, at[-1] + 1, was, (last,)))
        return View("table", views, add=add, was=was, columns=len(views[-1].children))

    def _row(self, element: Element, path: _Path) -> View:
        remove, was = self._removable(element, path)
        cells = [
            View(
                "cell",
                self._blocks(node.children, (*path, at), empty=True),
                header=node.name == "th",
                columns=_number(node, "colspan"),
                level=_number(node, "rowspan"),
            )
            for at, node in enumerate(element.children)
            if isinstance(node, Element) and node.name in ("td", "th")
        ]
        return View("row", tuple(cells), remove=remove, was=was)

    def _macro(self, element: Element, path: _Path) -> View:
        name, title = element.attrs.get("ac:name", ""), _parameter(element, "title")
        if name in ("code", "noformat"):
            return View("code", text=_words(element, "ac:plain-text-body"), tone=_parameter(element, "language"))
        inside = tuple(
            view
            for at, node in enumerate(element.children)
            if isinstance(node, Element) and node.name == "ac:rich-text-body"
            for view in self._blocks(node.children, (*path, at), empty=True)
        )
        if name in _PANELS:
            return View("panel", inside, text=title, tone=name)
        if name in ("expand", "details"):
            return View("expand" if name == "expand" else "framed", inside, text=title)
        said = ", ".join(text_of(node.children) for node in elements(element.children) if node.name == "ac:parameter")
        return View("box", inside, text=f"{name} macro", tone=said)

    def _layout(self, element: Element, path: _Path) -> View:
        sections = [
            View("columns", tuple(View("column", self._blocks(cell.children, at, empty=True)) for cell, at in cells))
            for section, below in _parts(element, path, "ac:layout-section")
            for cells in [list(_parts(section, below, "ac:layout-cell"))]
        ]
        return View("group", tuple(sections))

    def _quote(self, element: Element, path: _Path) -> View:
        return View("quote", self._blocks(element.children, path, empty=True))

    def _still(self, element: Element, path: _Path) -> View:
        """What is shown and cannot be typed in."""
        if element.name == "hr":
            return View("divider")
        if element.name == "pre":
            return View("code", text=text_of(element.children))
        if element.name == "ac:image":
            return View("box", text="image", tone=_target(element))
        return View("box", text="extension", tone=text_of((element.child("ac:adf-fallback") or element,)))

    # --- inside a line ---

    def _inline(self, nodes: Sequence[Node], path: _Path, start: int, numbers: Iterator[int]) -> tuple[View, ...]:
        return tuple(
            View("text", text=node) if isinstance(node, str) else self._inline_element(node, (*path, at), numbers)
            for at, node in enumerate(nodes, start)
        )

    def _inline_element(self, element: Element, path: _Path, numbers: Iterator[int]) -> View:
        if element.name == "br":
            return View("break")
        index = next(numbers)
        if _wraps(element):
            inside = self._inline(element.children, path, 0, numbers)
            kind = "link" if element.name == "a" else _MARKS.get(element.name, element.name)
            # A plain mark goes by its name: who types over it may take it away.
            return View(kind, inside, index=-1 if kind in MARKS else index, href=_safe(element.attrs.get("href", "")))
        if element.name == "ac:structured-macro" and element.attrs.get("ac:name") == "status":
            return self._status(element, path, index)
        return self._atom(element, index)

    def _status(self, element: Element, path: _Path, index: int) -> View:
        title = _parameter(element, "title")
        was = mark_of(title)
        at = self._note("status", _Place(path[:-1], path[-1], path[-1] + 1, was, (element,)))
        options = tuple(dict.fromkeys([title, *(s for s in STATUSES if s.casefold() != title.casefold())]))
        tone = _parameter(element, "colour").casefold() or "grey"
        return View("status", text=title, tone=tone, index=index, at=at, was=was, options=options)

    def _atom(self, element: Element, index: int) -> View:
        user = element.child("ri:user")
        if element.name == "ac:link" and user is not None:
            return View("mention", text=f"@{self._name_of(next(iter(user.attrs.values()), ''))}", index=index)
        if element.name == "time":
            return View("date", text=day_shown(element.attrs.get("datetime", "")), index=index)
        if element.name == "ac:emoticon":
            return View("chip", text=element.attrs.get("ac:emoji-fallback", "🙂"), index=index)
        said = text_of(element.children) or _target(element) or element.attrs.get("ac:name", element.name)
        return View("chip", text=said, index=index)


_BLOCK_VIEWS: dict[str, Callable[[_Reading, Element, _Path], View]] = {
    **dict.fromkeys(("p", *_HEADINGS), _Reading._paragraph),
    **dict.fromkeys(("ul", "ol", "ac:task-list"), _Reading._list),
    **dict.fromkeys(("hr", "pre", "ac:image", "ac:adf-extension"), _Reading._still),
    "table": _Reading._table,
    "blockquote": _Reading._quote,
    "ac:structured-macro": _Reading._macro,
    "ac:layout": _Reading._layout,
}


def _spliced(nodes: Sequence[Node], path: _Path, start: int, stop: int, new: Iterable[Node]) -> tuple[Node, ...]:
    """The nodes with `new` in place of the children `start` to `stop` of the element at `path`."""
    if not path:
        return (*nodes[:start], *new, *nodes[stop:])
    here = nodes[path[0]]
    if isinstance(here, str):
        raise MovedOnError
    inside = here.with_children(_spliced(here.children, path[1:], start, stop, new))
    return (*nodes[: path[0]], inside, *nodes[path[0] + 1 :])


def _new_line(like: Sequence[Node], lines: Sequence[tuple[Node, ...]]) -> Element:
    """A new line that fits where `like` is: a checkbox, a list item, a table row like the last one, a paragraph."""
    model = like[0] if like else ""
    name = model.name if isinstance(model, Element) else "p"
    if name == "ac:task-list":
        status = Element("ac:task-status", {}, ("incomplete",))
        return Element("ac:task", {}, (status, Element("ac:task-body", {}, lines[0])))
    if name != "tr" or isinstance(model, str):
        return Element("li" if name in ("ul", "ol") else "p", {}, lines[0])
    tags = [node.name for node in elements(model.children)]
    tags = ["td"] * len(tags) if "td" not in tags else tags
    filled = [*lines, *[()] * len(tags)]
    return Element("tr", {}, tuple(Element(tag, {}, (Element("p", {}, filled[at]),)) for at, tag in enumerate(tags)))


def _with_status(node: Node, title: str) -> Node:
    """A status lozenge with another title, in the colour that goes with it."""
    if isinstance(node, str):
        return node
    others = [n for n in elements(node.children) if n.attrs.get("ac:name") not in ("title", "colour")]
    colour = _COLOURS.get(title.casefold())
    said = [Element("ac:parameter", {"ac:name": "colour"}, (colour,))] if colour else []
    return node.with_children([*said, Element("ac:parameter", {"ac:name": "title"}, (title,)), *others])


def _inline_elements(nodes: Sequence[Node]) -> Iterator[Element]:
    """A line's inline elements in the order in which its views number them."""
    for element in elements(nodes):
        if element.name != "br":
            yield element
            yield from _inline_elements(element.children) if _wraps(element) else ()


def _wraps(element: Element) -> bool:
    return element.name in _WRAPPERS


def _hollow(node: Node) -> bool:
    return isinstance(node, Element) and _wraps(node) and not node.children


def _said(nodes: Iterable[Node]) -> str:
    """What a reader sees, whatever it is wrapped in; ids that the editor draws anew do not count."""
    return "".join(
        node if isinstance(node, str) else "".join(node.attrs.get(name, "") for name in _SAYING) + _said(node.children)
        for node in nodes
        if isinstance(node, str) or node.name not in ("ac:task-id", "ac:task-uuid", "ac:task-status")
    )


def _rows(table: Element, path: _Path) -> Iterator[tuple[Element, _Path]]:
    for at, node in enumerate(table.children):
        if isinstance(node, Element) and node.name == "tr":
            yield node, (*path, at)
        elif isinstance(node, Element) and node.name in ("tbody", "thead", "tfoot"):
            yield from _parts(node, (*path, at), "tr")


def _parts(element: Element, path: _Path, name: str) -> Iterator[tuple[Element, _Path]]:
    for at, node in enumerate(element.children):
        if isinstance(node, Element) and node.name == name:
            yield node, (*path, at)


def _words(element: Element, name: str) -> str:
    found = element.child(name)
    return text_of(found.children) if found else ""


def _parameter(macro: Element, name: str) -> str:
    found = (n for n in elements(macro.children) if n.name == "ac:parameter" and n.attrs.get("ac:name") == name)
    return next((text_of(node.children) for node in found), "")


def _target(element: Element) -> str:
    names = ("ri:filename", "ri:content-title", "ri:value")
    return next((node.attrs[name] for node in elements(element.children) for name in names if name in node.attrs), "")


def _number(element: Element, name: str) -> int:
    given = element.attrs.get(name, "1")
    return int(given) if given in map(str, range(1, 100)) else 1


def _safe(href: str) -> str:
    """A link that may be followed; other schemes and addresses inside the service go nowhere."""
    return href if href.startswith(("http://", "https://", "mailto:")) else ""
