"""Notion as a knowledge base: pages in a data source or under a page, read block by block, written block by block.

Times of the service are floored to the minute, so a young time never promises an unchanged page (`versions`), and there is
no compare-and-swap (`notion_write.py`). Properties and links to places are `notion_place.py`, users `notion_people.py`,
requests `notion_wire.py`; what blocks mean is `mapping/notion_blocks.py`.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice

import httpx

from mapping.document import Block, Doc, Span
from mapping.incident import Person
from mapping.notion_blocks import NativeBlock, decode, has_readable_children, project
from mapping.notion_fit import Fit, Layout, fit
from mapping.notion_plan import forest, steps, untouched
from mapping.notion_text import Json, projected, rich_text
from providers import notion_check as checks
from providers import notion_place as places
from providers.contract import (
    Capabilities,
    Change,
    Done,
    Fitted,
    Missing,
    Observation,
    Outcome,
    Place,
    Plain,
    ProviderError,
    Refused,
    Rejected,
    Unknown,
)
from providers.notion_boxes import boxes
from providers.notion_columns import Columns, as_carried
from providers.notion_comments import Comments
from providers.notion_feed import Feed
from providers.notion_people import Directory
from providers.notion_place import Parent
from providers.notion_remake import Remake
from providers.notion_wire import Wire, id_of, page_of
from providers.notion_write import Halt, Pen, committed, first_request
from providers.transport import Answer, Budget

TITLE_LIMIT = 2000
NEWEST = 5  # pages of another title that are looked at for our marker


@dataclass(frozen=True, slots=True)
class NotionPage:
    """The native page behind an observation; `known` is what was asked since about blocks that would be made anew."""

    page: Json
    tree: tuple[NativeBlock, ...]
    known: dict[str, NativeBlock | str] = field(default_factory=dict, compare=False)


class Notion(Plain):
    """One workspace with one token; see `providers.contract.Provider`."""

    def __init__(
        self,
        *,
        url: str,
        token: str,
        accounts: Mapping[str, str],
        budget: Budget,
        now: Callable[[], datetime],
        settle_seconds: float = 120.0,
        client: httpx.Client | None = None,
    ) -> None:
        """`accounts` is the user id by e-mail where the service does not tell it. Raises Refused for one that is no id."""
        self.capabilities = Capabilities(False, False, True, settle_seconds, TITLE_LIMIT, comments=True)
        self._wire = Wire(url, token, budget, client)
        self._directory = Directory(accounts)
        self._comments = Comments(self._wire)
        self._remake = Remake(self._wire, self._comments)
        self._sources: dict[str, str] = {}  # data source id by the id in the configuration
        self._feed = Feed(self._wire, now)
        self._boxes: dict[str, frozenset[str]] = {}  # by page, what else is read down to tables of ours: see notion_boxes

    # --- places ---

    def _parent(self, place: Place) -> Parent:
        """Where pages of the place go; the id in a copied link is the database's, whose only data source is meant."""
        named = places.parent_of(place)
        if not named.is_data_source:
            return named
        if named.id not in self._sources:
            self._sources[named.id] = self._data_source(named.id)
        return Parent(named.kind, self._sources[named.id])

    def _data_source(self, identifier: str) -> str:
        try:
            return str(self._wire.read(f"data_sources/{identifier}")["id"])
        except Missing:
            sources = self._wire.read(f"databases/{identifier}")["data_sources"]
        if len(sources) != 1:
            named = ", ".join(f"{source['name']} = {source['id']}" for source in sources)
            raise Refused(f"database {identifier} has {len(sources)} data sources, name one: {named}")
        return str(sources[0]["id"])

    def _schema(self, parent: Parent) -> dict[str, Json]:
        """The properties that a page there may have, by name."""
        if not parent.is_data_source:
            return {"title": {"type": "title"}}
        schema: dict[str, Json] = self._wire.read(f"data_sources/{parent.id}")["properties"]
        return schema

    def _completed(self, place: Place, parent: Parent) -> dict[str, Json]:
        """The schema, after what it lacks was made where the admin allowed that. Raises Halt or a ProviderError."""
        schema, columns = self._schema(parent), Columns(place)
        lacking = columns.lacking(schema) if parent.is_data_source and columns.may_create else {}
        if not lacking:
            return schema
        made = Pen(self._wire, self._directory.accounts)  # a page refused afterwards has still not been written
        answer = made.send("PATCH", f"data_sources/{parent.id}", {"properties": lacking})
        completed: dict[str, Json] = answer["properties"]
        return completed

    def check(self, place: Place, *, write: bool = False) -> Iterator[str]:
        """See `Provider.check`."""
        yield checks.identity(self._wire)
        yield checks.people(self._wire)
        parent = self._parent(place)
        schema = self._schema(parent)
        if parent.is_data_source:
            yield from checks.data_source(Columns(place), parent, schema)
        else:
            yield checks.plain_page(self._wire, parent)
        if write:
            yield from checks.WriteCheck(self._wire, parent, places.title_property(schema)).steps()

    # --- reading ---

    def page_id(self, place: Place, link: str) -> str:
        """See `Provider.page_id`. Asks nothing."""
        return page_of(link, self._wire.url)

    def read(self, place: Place, native_id: str) -> Observation:
        """See `Provider.read`. One request for the page, one per hundred blocks, one per table and nested list."""
        return self._read(place, native_id, {})

    def _read(self, place: Place, native_id: str, untouched: Mapping[str, NativeBlock]) -> Observation:
        page = self._wire.read(f"pages/{id_of(native_id)}")
        if page.get("in_trash") or page.get("is_archived"):
            raise Missing(f"page {page['id']} is in the trash", "trashed" if page.get("in_trash") else "archived")
        self._directory.load(self._wire)
        tree = tuple(self._tree(page["id"], untouched, self._boxes.get(page["id"], frozenset())))
        self._directory.learn(tree)
        blocks = decode(tree, self._directory.accounts)
        columns = Columns(place)
        doc = Doc(places.title_of(page), blocks, columns.read(page, self._directory.accounts))
        return Observation(
            native_id=page["id"],
            url=page["url"],
            version=self._feed.version(page["last_edited_time"]),
            doc=doc,
            marker=places.marker_of(doc),
            author=self._directory.name((page.get("last_edited_by") or {}).get("id", "")),
            edited_at=_moment(page["last_edited_time"]),
            carriers=columns.ids(page["properties"]),
            payload=NotionPage(page, tree),
        )

    def reread(self, place: Place, native_id: str, lost: Collection[str]) -> Observation:
        """See `Provider.reread`. Costs what `notion_boxes.py` says besides a reading."""
        page = id_of(native_id)
        self._boxes[page] = self._boxes.get(page, frozenset()) | boxes(self._wire, page, lost)
        return self.read(place, native_id)

    def _tree(
        self, parent: str, untouched: Mapping[str, NativeBlock], opened: frozenset[str], boxed: bool = False
    ) -> Iterator[NativeBlock]:
        """The blocks under `parent`. What is inside an `untouched` one is not read again while its time stands still; what
        is in a box is read only where it was `opened`."""
        for raw in self._wire.read_list(f"blocks/{parent}/children"):
            was, box = untouched.get(raw["id"]), raw["id"] in opened
            if was and _unchanged(was.raw, raw):
                yield NativeBlock(raw, was.children)
            elif raw.get("has_children") and (box or (has_readable_children(raw) and not boxed)):
                yield NativeBlock(raw, tuple(self._tree(raw["id"], untouched, opened, boxed or box)))
            else:
                yield NativeBlock(raw)

    def find(self, place: Place, marker: str, title: str) -> Observation | None:
        """See `Provider.find`. Titles need not be unique here, so none is ever taken."""
        parent = self._parent(place)
        self._directory.load(self._wire)
        for candidate in self._rows(place, parent, marker, title) if parent.is_data_source else self._pages(parent, title):
            try:
                seen = self.read(place, candidate["id"])
            except Missing:
                continue
            if seen.marker == marker:
                return seen
        return None

    def _rows(self, place: Place, parent: Parent, marker: str, title: str) -> Iterator[Json]:
        """Newest first."""
        schema, query = self._schema(parent), f"data_sources/{parent.id}/query"
        sorts: Json = {"sorts": [{"timestamp": "created_time", "direction": "descending"}]}
        name = Columns(place).found(schema).get("incident")
        if name:
            yield from self._wire.read_list(
                query, {"filter": {"property": name, schema[name]["type"]: {"equals": marker}}, **sorts}
            )
            return
        called = {"property": places.title_property(schema), "title": {"equals": places.one_line(title)}}
        titled = list(self._wire.read_list(query, {"filter": called, **sorts}))
        yield from titled
        newest = islice(self._wire.read_list(query, sorts), NEWEST)
        yield from (page for page in newest if page["id"] not in {one["id"] for one in titled})

    def _pages(self, parent: Parent, title: str) -> Iterator[Json]:
        """Those of that title, then the newest others: a person may have renamed ours before we heard of it."""
        pages = [
            block for block in self._wire.read_list(f"blocks/{parent.id}/children") if block.get("type") == "child_page"
        ]
        pages.sort(key=lambda page: str(page["created_time"]), reverse=True)
        titled = [page for page in pages if places.one_line(page["child_page"]["title"]) == places.one_line(title)]
        yield from titled
        yield from [page for page in pages if page not in titled][:NEWEST]

    # --- the change feed ---

    def versions(self, place: Place, native_ids: Sequence[str]) -> Mapping[str, Change]:
        """See `Provider.versions`, and `notion_feed.py` for what it costs and cannot tell."""
        named = places.parent_of(place)
        try:
            found = self._feed.versions(Parent(named.kind, self._sources.get(named.id, named.id)), native_ids)
        except Missing:  # the id of a database, not yet looked up
            found = self._feed.versions(self._parent(place), native_ids)
        return {page: Change(page, version) for page, version in found.items()}

    # --- writing ---

    def create(self, place: Place, doc: Doc, marker: str) -> Outcome:
        """See `Provider.create`. One request for the first hundred blocks, one per further hundred."""
        pen = Pen(self._wire, self._directory.accounts)
        try:
            page_id = self._create(pen, place, doc, marker)
        except Halt as halt:
            return halt.outcome
        except ProviderError as error:
            return Rejected(error)  # the place could not be read, nothing was sent
        ours = replace(doc, blocks=tuple(block for block in doc.blocks if block.kind != "kept"))
        return self._wrote(pen, place, page_id, self.project(ours).blocks)

    def _wrote(
        self,
        pen: Pen,
        place: Place,
        native_id: str,
        expected: tuple[Block, ...],
        untouched: Mapping[str, NativeBlock] | None = None,
    ) -> Outcome:
        """The write came to its end. One with a doubtful answer in it counts as done when the page reads as expected."""
        seen = self._seen(place, native_id, untouched or {})
        if pen.doubted and (seen is None or seen.doc.blocks != expected):
            return Unknown("the service failed to answer, and the page does not read as it was written")
        return Done(native_id, seen)

    def _create(self, pen: Pen, place: Place, doc: Doc, marker: str) -> str:
        parent = self._parent(place)
        schema = self._completed(place, parent)
        self._directory.load(self._wire)
        values = {**dict(doc.properties), "incident": marker}
        columns, accounts = Columns(place), self._directory.accounts
        title = {places.title_property(schema): {"title": places.text_items(_title(doc.title))}}
        properties = {**title, **columns.write(schema, schema, values, accounts)}
        nodes = forest(doc.blocks, accounts)
        children = first_request(nodes)

        def settle(answer: Answer | None) -> Json | None:
            made = committed(answer, "committed_resource_id")
            return self._wire.read(f"pages/{id_of(str(made))}") if made else None

        body = {"parent": parent.as_json, "properties": properties, "children": children}
        page = pen.send("POST", "pages", body, settle)
        pen.append(page["id"], None, nodes[len(children) :])
        return str(page["id"])

    def fit(self, place: Place, seen: Observation, target: Doc) -> Fitted:
        """See `Provider.fit`. For each block that would be made anew one request, plus one for each list inside it."""
        native = _native(seen)
        fitted = self._fitted(native, seen, target)
        return Fitted(replace(target, blocks=fitted.as_read(seen.doc.blocks)), fitted.holds)

    def _fitted(self, native: NotionPage, seen: Observation, target: Doc) -> Fit:
        layout = self._layout(native, seen)
        while True:
            found = fit(layout, seen.doc.blocks, target.blocks, native.known)
            unknown = sorted(found.remade - native.known.keys())
            if not unknown:
                return found
            native.known.update({block: self._remake.whole(layout, block) for block in unknown})

    def _layout(self, native: NotionPage, seen: Observation) -> Layout:
        return Layout(seen.native_id, native.tree, self._directory.accounts)

    def write(self, place: Place, seen: Observation, target: Doc, note: str, *, over_draft: bool = False) -> Outcome:
        """See `Provider.write`. `note` has nowhere to go on this service."""
        native = _native(seen)
        pen = Pen(self._wire, self._directory.accounts)
        try:
            fitted = self._fitted(native, seen, target)
            layout = self._layout(native, seen)
            todo = steps(layout, fitted, native.known)
            if not todo and not self._changes(seen.doc, target):
                return Done(seen.native_id, seen)
            self._write_properties(place, seen, target, pen)
            pen.write(todo)
        except Halt as halt:
            return halt.outcome
        except ProviderError as error:
            return Rejected(error)  # what had to be known could not be read, nothing was sent
        return self._wrote(pen, place, seen.native_id, fitted.blocks, untouched(layout, todo))

    def _write_properties(self, place: Place, seen: Observation, target: Doc, pen: Pen) -> None:
        """Title and properties go first: what is refused there is refused before anything is written."""
        changes = self._changes(seen.doc, target)
        if not changes:
            return
        schema = self._schema(self._parent(place)) if "status" in changes else {}
        path = f"pages/{seen.native_id}"
        page = pen.look(path)
        columns, accounts = Columns(place), self._directory.accounts
        now = (places.title_of(page), columns.read(page, accounts))
        if page.get("in_trash") or now != (seen.doc.title, seen.doc.properties):
            raise pen.moved("its title or properties were changed")
        title = changes.pop("title", None)
        body = columns.write(page["properties"], schema, changes, accounts)
        if title is not None:
            body[places.title_property(page["properties"])] = {"title": places.text_items(title)}
        wanted = (_title(target.title), dict(seen.doc.properties) | changes)

        def settle(answer: Answer | None) -> Json | None:
            now = self._wire.read(path)
            return now if (places.title_of(now), dict(columns.read(now, accounts))) == wanted else None

        pen.send("PATCH", path, {"properties": body}, settle)

    def _changes(self, seen: Doc, target: Doc) -> dict[str, str]:
        """The title (under `title`) and the carriers of the page that shall read otherwise."""
        values = {name: as_carried(name, text, self._directory.accounts) for name, text in target.properties}
        changed = {name: text for name, text in values.items() if seen.property(name) not in (None, text)}
        return changed if _title(target.title) == seen.title else {**changed, "title": _title(target.title)}

    def _seen(self, place: Place, native_id: str, untouched: Mapping[str, NativeBlock]) -> Observation | None:
        """The page after a write that has happened, whether it can be read right now or not. Tables and lists in which
        nothing was written are as they were read a moment before: whoever edits one now is seen at the next look, because
        the minute is not over."""
        try:
            return self._read(place, native_id, untouched)
        except ProviderError:
            return None

    # --- words and people ---

    def comments(self, place: Place, native_id: str, ours: Collection[str] = ()) -> int | None:
        """See `Provider.comments`. One request, which leaves out what is on single blocks: each would be one more."""
        return self._comments.on_page(id_of(native_id), ours)

    def say(self, place: Place, native_id: str, words: Sequence[Block], under: str = "") -> Outcome:
        """Comments have one paragraph, and a page one open thread, which an answer joins by itself."""
        try:
            self._directory.load(self._wire)
        except ProviderError as error:
            return Rejected(error)
        lines = [span for block in words for span in (Span("\n\n"), *block.spans)][1:]
        accounts = self._directory.accounts
        return self._comments.say(id_of(native_id), rich_text(projected(lines, accounts), accounts))

    def said(self, place: Place, native_id: str, mark: str, under: str = "") -> str:
        return self._comments.said(id_of(native_id), mark)

    def messages(self, place: Place, native_id: str) -> Sequence[str]:
        return ()

    def project(self, doc: Doc) -> Doc:
        """See `Provider.project`."""
        self._directory.load(self._wire)  # who can be mentioned decides what is text
        accounts = self._directory.accounts
        values = tuple((name, as_carried(name, text, accounts)) for name, text in doc.properties)
        return Doc(_title(doc.title), project(doc.blocks, self._directory.accounts), values)

    def people(self) -> Sequence[Person]:
        """See `Provider.people`."""
        self._directory.load(self._wire)
        return self._directory.people()


def _unchanged(then: Json, now: Json) -> bool:
    names = ("type", "has_children", "last_edited_time")
    return all(then.get(name) == now.get(name) for name in names)


def _native(seen: Observation) -> NotionPage:
    if not isinstance(seen.payload, NotionPage):
        raise TypeError("the observation was not read by this provider")
    return seen.payload


def _title(text: str) -> str:
    return places.one_line(text)[:TITLE_LIMIT].rstrip()


def _moment(time: str) -> datetime:
    return datetime.fromisoformat(time)
