"""Confluence storage bodies: read, made, and changed by splicing, so that bytes nobody meant to change stay as they are.

`splice` walks the parsed page in order. Glue (layout tags, empty paragraphs, blanks) and unchanged blocks come out as their
own bytes; a changed block is rendered again within its own tags; runs of list items are put back into their containers.
Reading is `confluence_parse.py`, rendering `confluence_render.py`; mentions here are `account:<id>`, in Data
Center `account:userkey=<key>`; e-mails are the provider's business.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from mapping.confluence_comments import adopted, lost_markers
from mapping.confluence_parse import (
    Flow,
    Item,
    Leaf,
    Listing,
    Part,
    StoragePage,
    cells_of,
    homeless,
    parse,
    shape_of,
)
from mapping.confluence_render import ITEMS, TAGS, Renderer, code_body, escaped, nested, project, projected, task_status
from mapping.confluence_tree import Element, Node, StorageError, open_tag
from mapping.document import Block, Spans, plain
from mapping.edits import Insert, Remove, edits

__all__ = ["StorageError", "StoragePage", "lost_markers", "parse", "project", "render", "splice"]


@dataclass(frozen=True, slots=True, eq=False)
class _Entry:
    """A list item on its way out. `item` is where it came from, `home` the list it still stands in, `depth` what nesting
    allows, `before` the blanks in front of its list."""

    block: Block
    item: Item | None = None
    home: Listing | None = None
    depth: int = 0
    before: str = ""

    @property
    def unchanged(self) -> bool:
        return self.item is not None and replace(self.block, depth=0) == replace(self.item.block, depth=0)


_Token = str | _Entry
_Patch = tuple[int, int, str]


def render(blocks: Iterable[Block], details_id: str = "") -> str:
    """The body of a new page. A table with the hint `details` stands in a `details` macro with that id."""
    return _Splice(parse(""), tuple(blocks), Renderer({}, details_id)).body()


def splice(page: StoragePage, target: Sequence[Block], *, details_id: str = "") -> str:
    """The body in which `page` reads as `target`. Blocks that carry a native of the page are those blocks; kept ones are
    never changed. `details_id` is for a details table that the page does not have yet."""
    renderer = Renderer(page.payloads, details_id)
    body = _Splice(page, target, renderer).body()
    if _may_nest_anew(page.blocks, target) and _depths(parse(body).blocks) != _depths(project(target)):
        # Items that nest in the target can stand apart on the page, with glue between them: those are written anew.
        target = [replace(b, native="") if b.kind in ITEMS else b for b in target]
        body = _Splice(page, target, renderer).body()
    lost = {marker.ref for marker in lost_markers(page.source, body)}
    if lost:
        homes = adopted((home for home in homeless(page) if home.mark.wrap.ref in lost), set(_new_texts(page, target)))
        body = _Splice(page, target, replace(renderer, adopted=homes)).body() if homes else body
    return body


def _new_texts(page: StoragePage, target: Iterable[Block]) -> Iterator[Spans]:
    """The texts of the target that are not on the page as they are, in the place where they are."""
    old = {block.native: block for block in page.blocks}
    for block in target:
        source, wanted = old.get(block.native), projected(block)
        if wanted is None or source == block or block.kind in ("kept", "code"):
            continue
        yield from (wanted.spans, *(cell for row in wanted.rows for cell in row.cells))


def _may_nest_anew(before: Sequence[Block], after: Sequence[Block]) -> bool:
    """Whether items that stand apart on the page could nest in each other now."""
    shape = [[(b.native, b.kind, b.depth if b.kind in ITEMS else 0) for b in blocks] for blocks in (before, after)]
    return shape[0] != shape[1] and any(block.depth for block in after if block.kind in ITEMS)


def _depths(blocks: Iterable[Block]) -> list[int]:
    return [block.depth for block in blocks if block.kind in ITEMS]


class _Order:
    """Which blocks stay in place, as what, and what is put behind which (`""`: before everything)."""

    def __init__(self, before: Sequence[Block], after: Sequence[Block]) -> None:
        found = edits(before, after)
        gone = {edit.native for edit in found if isinstance(edit, Remove) and not edit.parent}
        self.added = {edit.after: edit.blocks for edit in found if isinstance(edit, Insert) and not edit.parent}
        known = {block.native for block in before} - gone
        self.staying = {block.native: block for block in after if block.native in known}


class _Splice:
    def __init__(self, page: StoragePage, target: Sequence[Block], renderer: Renderer) -> None:
        self._page = page
        self._source = page.source
        self._renderer = renderer
        self._leaves: dict[str, Leaf] = {}
        self._items: dict[str, tuple[Item, Listing]] = {}
        self._above: dict[str, tuple[Flow, ...]] = {}
        self._index(page.flow, ())
        natives = [block.native for block in page.blocks]
        self._before = dict(zip(natives, ["", *natives], strict=False))
        self._order = _Order(page.blocks, tuple(self._wanted(target)))
        self._ahead: dict[int | str, tuple[Block, ...]] = {}
        self._behind: dict[int | str, tuple[Block, ...]] = {}
        self._place()
        self._used: set[int] = set()

    def body(self) -> str:
        return "".join(self._joined(self._flow(self._page.flow)))

    # --- what is wanted, and where ---

    def _index(self, flow: Flow, above: tuple[Flow, ...]) -> None:
        path = (*above, flow)
        for part in flow.parts:
            if isinstance(part, Flow):
                self._index(part, path)
            elif isinstance(part, Leaf):
                self._leaves[part.block.native] = part
                self._above[part.block.native] = path
            else:
                self._index_list(part, path)

    def _index_list(self, listing: Listing, path: tuple[Flow, ...]) -> None:
        for item in listing.items:
            self._items[item.block.native] = (item, listing)
            self._above[item.block.native] = path
            for below in item.lists:
                self._index_list(below, path)

    def _wanted(self, target: Sequence[Block]) -> Iterator[Block]:
        """The target as it can be written; a native counts once, and only when the page has it."""
        old = {block.native: block for block in self._page.blocks}
        for block in target:
            source = old.pop(block.native, None)
            if source is not None and (source.kind == "kept" or source == block):
                yield source
                continue
            wanted = projected(block)
            if wanted is not None:
                native = source.native if source else ""
                rows = _wanted_rows(wanted, block, source) if wanted.rows else ()
                dressed = native or block.hint or rows
                yield replace(wanted, native=native, hint=block.hint, rows=rows) if dressed else wanted

    def _place(self) -> None:
        """Where added blocks go: behind their anchor, but out of a macro whose last block the anchor is."""
        for anchor, blocks in self._order.added.items():
            if not anchor:
                self._ahead[self._front()] = blocks
                continue
            place = self._outermost(anchor, last=True)
            joining = _leading_items(blocks) if anchor in self._items else 0
            joining = joining if place != anchor else len(blocks)
            self._behind[anchor] = blocks[:joining]
            if place != anchor:
                self._behind[place] = blocks[joining:]

    def _front(self) -> int | str:
        staying = [block.native for block in self._page.blocks if block.native in self._order.staying]
        if staying:
            return self._outermost(staying[0], last=False)
        if self._page.blocks:
            return self._outermost(self._page.blocks[0].native, last=None)
        return id(_innermost(self._page.flow))

    def _outermost(self, native: str, *, last: bool | None) -> int | str:
        """The outermost macro that ends (or begins) with the block, else the block; `last=None`: that holds it at all."""
        for flow in self._above[native]:
            staying = [b for b in _natives(flow) if b in self._order.staying] if flow.macro else []
            if flow.macro and (last is None or (staying and staying[-1 if last else 0] == native)):
                return id(flow)
        return native

    # --- walking the page ---

    def _flow(self, flow: Flow) -> Iterator[_Token]:
        at = flow.inner
        for part in flow.parts:
            yield self._cut(at, part.start)
            yield from self._part(part)
            at = part.end
        yield self._cut(at, flow.inner_end)
        if not _natives(flow):
            yield from self._new(self._ahead.get(id(flow), ()))

    def _part(self, part: Part) -> Iterator[_Token]:
        if isinstance(part, Listing):
            for item in part.flat():
                yield from self._block(item.block.native)
        elif isinstance(part, Leaf):
            yield from self._block(part.block.native)
        else:
            yield from self._wrapped(part)

    def _wrapped(self, flow: Flow) -> Iterator[_Token]:
        natives = _natives(flow)
        if natives:
            yield from self._new(self._ahead.get(id(flow), ()))
        if not flow.macro or any(native in self._order.staying for native in natives):
            inner = list(self._flow(flow))
            opening = self._cut(flow.start, flow.inner)
            if opening.endswith("/>") and any(inner):
                name = opening[1:].split()[0].rstrip("/>")
                inner = [*inner, f"</{name}>"]
                opening = f"{opening[:-2].rstrip()}>"
            yield opening
            yield from inner
            yield self._cut(flow.inner_end, flow.end)
        yield from self._new(self._behind.get(id(flow), ()))

    def _block(self, native: str) -> Iterator[_Token]:
        yield from self._new(self._ahead.get(native, ()))
        if native in self._order.staying:
            yield self._token(self._order.staying[native], in_place=True)
        yield from self._new(self._behind.get(native, ()))

    def _new(self, blocks: Iterable[Block]) -> Iterator[_Token]:
        for block in blocks:
            yield self._token(block, in_place=False)

    def _token(self, block: Block, *, in_place: bool) -> _Token:
        leaf, (item, home) = self._leaves.get(block.native), self._items.get(block.native, (None, None))
        if block.kind in ITEMS:
            same = item is not None and item.block.kind == block.kind
            return _Entry(block, item if same else None, home if same and in_place else None)
        if leaf is None:
            return self._renderer.block(block)
        text = self._leaf(leaf, block)
        if leaf.node is None and block == leaf.block and not (in_place and self._parted(block.native)):
            text = f"<p>{text}</p>"
        macro = self._above[block.native][-1]
        if in_place or not (macro.macro and len(_natives(macro)) == 1):
            return text
        return self._cut(macro.start, leaf.start) + text + self._cut(leaf.end, macro.end)

    def _parted(self, native: str) -> bool:
        """Whether text without a paragraph of its own still follows what it followed, so that it runs into nothing."""
        before = self._before[native]
        return not before or before in self._order.staying

    def _joined(self, tokens: Iterable[_Token]) -> Iterator[str]:
        """List items that follow each other, with nothing but blanks between, become lists again."""
        run: list[_Entry] = []
        blanks = ""
        for token in tokens:
            if isinstance(token, _Entry):
                run.append(replace(token, before=blanks) if blanks else token)
                blanks = ""
            elif token.strip():
                yield from self._run(run)
                yield blanks + token
                run, blanks = [], ""
            else:
                blanks += token
        yield from self._run(run)
        yield blanks

    def _cut(self, start: int, end: int) -> str:
        return self._source[start:end]

    # --- lists ---

    def _run(self, run: Sequence[_Entry]) -> Iterator[str]:
        if run:
            depths = nested(entry.block for entry in run)
            entries = [replace(e, depth=b.depth) if b.depth else e for e, b in zip(run, depths, strict=True)]
            for blanks, _, text in self._containers(entries):
                yield blanks + text

    def _containers(self, entries: Sequence[_Entry]) -> Iterator[tuple[str, Listing | None, str]]:
        """Siblings with what is nested in them, in one container for each stretch of a kind from one list."""
        groups = _groups(entries)
        while groups:
            kind, home = groups[0][0].block.kind, None
            count = 0
            for head, *_ in groups:
                if head.block.kind != kind or (home and head.home not in (None, home)):
                    break
                home = home or head.home
                count += 1
            taken, groups = groups[:count], groups[count:]
            if home is not None and id(home) in self._used:
                home = None
            blanks = "".join(entry.before for group in taken for entry in group)
            yield blanks, home, self._container(kind, home, taken)

    def _container(self, kind: str, home: Listing | None, groups: Sequence[Sequence[_Entry]]) -> str:
        if home is None:
            tag = TAGS[kind]
            return f"<{tag}>{''.join(self._item(group) for group in groups)}</{tag}>"
        self._used.add(id(home))
        entries = [entry for group in groups for entry in group]
        if _as_before(entries, list(home.flat())):
            return self._cut(home.start, home.end)
        written = [self._cut(home.start, home.node.inner)]
        for group in groups:
            written += [self._lead(group[0], home), self._item(group)]
        return "".join(written) + self._cut(home.items[-1].node.end, home.end)

    def _lead(self, entry: _Entry, home: Listing) -> str:
        """The blanks before an item that still stands in its list."""
        if entry.item is None or entry.home is not home:
            return ""
        at = home.items.index(entry.item)
        return self._cut(home.items[at - 1].node.end if at else home.node.inner, entry.item.node.start)

    def _item(self, group: Sequence[_Entry]) -> str:
        head, below = group[0], group[1:]
        item = head.item
        if item is None:
            return self._renderer.item(head.block, "".join(text for _, _, text in self._containers(below)))
        if _as_before(group, list(item.flat())):
            return self._cut(item.node.start, item.node.end)
        return self._patched(item.node, [*self._own(item, head.block), *self._below(item, below)])

    def _below(self, item: Item, below: Sequence[_Entry]) -> Iterator[_Patch]:
        slots = dict.fromkeys((id(listing) for listing in item.lists), "")
        current = next(iter(slots), None)
        added = ""
        for _, home, text in self._containers(below):
            if home is not None and id(home) in slots:
                current = id(home)
            if current is None:
                added += text
            else:
                slots[current] += text
        if added:
            yield item.node.inner_end, item.node.inner_end, added
        yield from ((listing.start, listing.end, slots[id(listing)]) for listing in item.lists)

    def _own(self, item: Item, block: Block) -> Iterator[_Patch]:
        node = item.node
        if block.checked != item.block.checked:
            yield _refill(node, "ac:task-status", task_status(block.checked))
        if block.spans == item.block.spans:
            return
        if block.kind == "task":
            yield _refill(node, "ac:task-body", self._text(item.own, block.spans, bare=True))
            return
        text = self._text(item.own, block.spans)
        if not item.own:
            yield node.inner, node.inner, text
        for at, (start, end) in enumerate(_stretches(item.own)):
            yield start, end, "" if at else text

    # --- changed blocks ---

    def _leaf(self, leaf: Leaf, block: Block) -> str:
        old, node = leaf.block, leaf.node
        if block == old:
            return self._cut(leaf.start, leaf.end)
        if block.kind != old.kind or (block.kind == "panel" and block.language != old.language):
            return self._renderer.block(block)
        if node is not None and node.name == "ac:image":
            return self._renderer.block(block)
        if node is None:
            return f"<p>{self._renderer.inline(block.spans, shape_of(leaf.loose, self._source))}</p>"
        if block.kind == "table":
            return self._table(leaf, node, block)
        if block.kind == "code":
            return self._code(node, old, block)
        if block.kind in ("quote", "panel"):
            body = node.child("ac:rich-text-body") if block.kind == "panel" else node
            return self._patched(
                node, [(body.inner, body.inner_end, self._text(body.children, block.spans))] if body else []
            )
        return self._line(node, block)

    def _line(self, node: Element, block: Block) -> str:
        opening = open_tag(node, self._source)
        name = node.name
        if block.kind == "heading" and block.level != max(int(name[1:]), 2):
            name = f"h{block.level}"
            opening = f"<{name}{opening[3:]}"
        shape = shape_of(node.children, self._source, within=True)
        return f"{opening}{self._renderer.inline(block.spans, shape)}</{name}>"

    def _text(self, nodes: Sequence[Node], spans: Spans, *, bare: bool = False) -> str:
        shape = shape_of(nodes, self._source)
        if bare and not shape.was:
            shape = replace(shape, bare=True)
        return self._renderer.flow(spans, shape)

    def _code(self, node: Element, old: Block, block: Block) -> str:
        body, language = node.child("ac:plain-text-body"), node.parameter("language")
        patches: list[_Patch] = []
        if block.language != old.language:
            said = f'<ac:parameter ac:name="language">{escaped(block.language)}</ac:parameter>' if block.language else ""
            place = (language.start, language.end) if language else (node.inner, node.inner)
            patches.append((*place, said))
        if block.spans != old.spans:
            place = (body.start, body.end) if body else (node.inner_end, node.inner_end)
            patches.append((*place, code_body(plain(block.spans))))
        return self._patched(node, patches)

    def _table(self, leaf: Leaf, node: Element, block: Block) -> str:
        old = leaf.block
        order = _Order(old.rows, block.rows)
        first = old.rows[0].native
        if block.header != old.header or (block.header and block.rows[0].native != first):
            rows = self._renderer.block(replace(block, hint="")).removeprefix("<table>")
            return open_tag(node, self._source) + rows
        elements = {row.native: (row, element) for row, element in zip(old.rows, leaf.rows, strict=True)}
        pattern = _cell_names(leaf, block)

        def written(rows: Iterable[Block]) -> Iterator[str]:
            for row in rows:
                known = elements.get(row.native)
                yield self._row(*known, row, pattern) if known else self._renderer.row(row, pattern)

        text = [self._cut(node.start, leaf.rows[0].start), *written(order.added.get("", ()))]
        at = leaf.rows[0].start
        for native, (_, element) in elements.items():
            text.append(self._cut(at, element.start))
            if native in order.staying:
                text += written([order.staying[native]])
            text += written(order.added.get(native, ()))
            at = element.end
        return "".join(text) + self._cut(at, node.end)

    def _row(self, old: Block, element: Element, row: Block, pattern: Sequence[str]) -> str:
        if old == row:
            return self._cut(element.start, element.end)
        cells = cells_of(element)
        if len(cells) != len(row.cells):
            names = [cell.name for cell in cells] or list(pattern)
            return open_tag(element, self._source) + self._renderer.row(row, names).removeprefix("<tr>")
        changed = zip(cells, old.cells, row.cells, strict=True)
        return self._patched(element, [self._cell(cell, new) for cell, was, new in changed if was != new])

    def _cell(self, cell: Element, spans: Spans) -> _Patch:
        return cell.start, cell.end, f"{open_tag(cell, self._source)}{self._text(cell.children, spans)}</{cell.name}>"

    def _patched(self, node: Element, patches: Sequence[_Patch]) -> str:
        """The element's bytes with stretches replaced; what is put into an empty-element tag opens it."""
        if node.inner_end == node.end:
            return open_tag(node, self._source) + "".join(text for _, _, text in patches) + f"</{node.name}>"
        written, at = [], node.start
        for start, end, text in sorted(patches, key=lambda patch: patch[:2]):
            written += [self._cut(at, start), text]
            at = end
        return "".join(written) + self._cut(at, node.end)


def _wanted_rows(wanted: Block, block: Block, source: Block | None) -> tuple[Block, ...]:
    """The projected rows with the natives that the table has, each once."""
    old = {row.native: row for row in source.rows} if source else {}
    given = [row for row in block.rows if row.cells] if wanted.rows else []
    rows = []
    for row, clean in zip(given, wanted.rows, strict=True):
        known = old.pop(row.native, None)
        rows.append(known if known == row and known else replace(clean, native=known.native) if known else clean)
    return tuple(rows)


def _natives(flow: Flow) -> list[str]:
    found: list[str] = []
    for part in flow.parts:
        if isinstance(part, Flow):
            found += _natives(part)
        elif isinstance(part, Leaf):
            found.append(part.block.native)
        else:
            found += [item.block.native for item in part.flat()]
    return found


def _innermost(flow: Flow) -> Flow:
    """Where blocks go on a page without any: the first cell of its layout, if it has one."""
    inner = next((part for part in flow.parts if isinstance(part, Flow)), None)
    return _innermost(inner) if inner else flow


def _leading_items(blocks: Sequence[Block]) -> int:
    return next((at for at, block in enumerate(blocks) if block.kind not in ITEMS), len(blocks))


def _groups(entries: Sequence[_Entry]) -> list[list[_Entry]]:
    """Each outermost item with what is nested in it."""
    groups: list[list[_Entry]] = []
    for entry in entries:
        if not groups or entry.depth <= groups[0][0].depth:
            groups.append([entry])
        else:
            groups[-1].append(entry)
    return groups


def _as_before(entries: Sequence[_Entry], items: Sequence[Item]) -> bool:
    """Whether these are the same items, unchanged, nested in each other as they were."""
    if len(entries) != len(items):
        return False
    shift = entries[0].depth - items[0].block.depth
    return all(
        entry.item is item and entry.unchanged and entry.depth - item.block.depth == shift
        for entry, item in zip(entries, items, strict=True)
    )


def _stretches(nodes: Sequence[Node]) -> list[tuple[int, int]]:
    """The byte ranges of nodes, joined where they touch."""
    ranges: list[tuple[int, int]] = []
    for node in nodes:
        if ranges and ranges[-1][1] == node.start:
            ranges[-1] = (ranges[-1][0], node.end)
        else:
            ranges.append((node.start, node.end))
    return ranges


def _refill(node: Element, name: str, content: str) -> _Patch:
    """The named child with new content; it is added where there is none."""
    child = node.child(name)
    if child is None:
        return node.inner_end, node.inner_end, f"<{name}>{content}</{name}>"
    if child.inner_end == child.end:
        return child.start, child.end, f"<{name}>{content}</{name}>"
    return child.inner, child.inner_end, content


def _cell_names(leaf: Leaf, block: Block) -> list[str]:
    """Which cells a new row has: those of the last row that is no header."""
    if len(leaf.rows) > 1 or not block.header:
        return [cell.name for cell in cells_of(leaf.rows[-1])]
    return ["td"]
