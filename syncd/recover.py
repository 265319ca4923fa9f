"""After a write whose fate nobody knows: what of it landed. Pure.

The page is recognised, never merged again: of each thing that was to change, the version that the page shows (the one
expected, or the one before) becomes the base, so that taking in then sees only what people did. What was to be added and is
not there is simply not in the base, and will be planned again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from mapping.align import TURNED, alike, match, similarity, words_of
from mapping.document import Block, Doc
from syncd.pages import Base, Entry, rows_of


def recovered(expected: Base, before: Base | None, remote: Doc, *, native: bool) -> Base:
    """The base that explains `remote` after an attempt to turn `before` into `expected`; None before = a creation."""
    left = _left_over(expected, before, remote, native)
    others = [block for j, block in enumerate(remote.blocks) if j not in left.values()]
    seen = {i: others[j] for i, j in alike(expected.blocks, others, native=native).items()}
    old = {e.block.native: e for e in before.entries if e.block.native} if before else {}
    entries = [
        chosen
        for i, entry in enumerate(expected.entries)
        if (chosen := _chosen(entry, old.get(entry.block.native), seen.get(i), native, made=before is None)) is not None
    ]
    entries += [before.entries[i] for i in left] if before else []
    return Base(
        title=_which(expected.title, before.title if before else "", remote.title),
        properties=_properties(expected, before, remote),
        entries=tuple(entries),
        records=_records(expected, before, entries, remote),
        title_touched=expected.title_touched,
    )


def _which(now: str, then: str, seen: str) -> str:
    return then if seen == then else now


def _landed(now: Block, then: Block | None, seen: Block | None, *, made: bool) -> bool:
    """Did `now` reach the page, where `then` was, when the page shows `seen`? `made`: the page came into being with it; on
    a page that was there, what is only somewhat like a new block is what a person said at the same place."""
    if seen is None:
        return False
    if then is None:
        return made or _hardly_changed(now, seen)
    if seen in (now, then):
        return seen == now
    return similarity(now, seen) >= similarity(then, seen)


def _hardly_changed(now: Block, seen: Block) -> bool:
    """Words were only added, or only removed, or few were exchanged."""
    words, others = words_of(now.text), words_of(seen.text)
    return words <= others or others <= words or similarity(now, seen) >= TURNED


def _chosen(entry: Entry, old: Entry | None, seen: Block | None, native: bool, *, made: bool) -> Entry | None:
    if entry.role == "table" and seen is not None and seen.kind == "table":
        return _chosen_rows(entry, old, seen, native, made=made)
    if old is not None and old.block == entry.block:
        return entry
    if _landed(entry.block, old.block if old else None, seen, made=made):
        return entry
    return old


def _chosen_rows(entry: Entry, old: Entry | None, seen: Block, native: bool, *, made: bool) -> Entry:
    pairs = alike(entry.block.rows, seen.rows, native=native)
    before = {row.native: row for row in old.block.rows if row.native} if old else {}
    kept: list[tuple[str, Block]] = []
    for i, (key, row) in enumerate(zip(entry.keys, entry.block.rows, strict=True)):
        then, now = before.get(row.native), seen.rows[pairs[i]] if i in pairs else None
        if then == row or _landed(row, then, now, made=made):
            kept.append((key, row))
        elif then is not None:
            kept.append((key, then))
    return replace(entry, keys=tuple(key for key, _ in kept), block=replace(entry.block, rows=tuple(row for _, row in kept)))


def _left_over(expected: Base, before: Base | None, remote: Doc, native: bool) -> dict[int, int]:
    """Blocks that were to go and are still there: their places in `before` and on the page. None of them is what was to
    come in their stead, however like it."""
    if before is None:
        return {}
    kept = {e.block.native for e in expected.entries}
    there = match(before.blocks, remote.blocks, native=native)
    gone = {i: j for i, j in there.items() if before.blocks[i].native not in kept}
    return {i: j for i, j in gone.items() if _is_still(before.blocks[i], remote.blocks[j], native)}


def _is_still(then: Block, seen: Block, native: bool) -> bool:
    return then.native == seen.native if native else then == seen


def _properties(expected: Base, before: Base | None, remote: Doc) -> tuple[tuple[str, str], ...]:
    then = dict(before.properties) if before else {}
    return tuple(
        (name, _which(value, then.get(name, ""), remote.property(name) or "")) for name, value in expected.properties
    )


def _records(expected: Base, before: Base | None, entries: Sequence[Entry], remote: Doc) -> dict[str, Mapping[str, str]]:
    """What the store held when the recovered blocks were written."""
    then = before.records if before else {}
    shown = _shown(entries)
    planned = _shown(expected.entries)
    records: dict[str, Mapping[str, str]] = {"page": _page_record(expected, then, remote)}
    records["properties"] = _property_record(expected, then, remote)
    for carrier, values in expected.records.items():
        if carrier == "details":
            old = then.get("details", {})
            records[carrier] = {
                n: values[n] if shown.get(n) == planned.get(n) else old.get(n, "") for n in values if n in shown
            }
        elif carrier.startswith("section:"):
            if any(e.section == carrier.removeprefix("section:") for e in entries):
                landed = carrier not in then or shown.get(carrier) == planned.get(carrier)
                records[carrier] = values if landed else then[carrier]
        elif carrier not in records and (carrier in shown or carrier in then):
            landed = carrier in shown and shown[carrier] == planned.get(carrier)
            records[carrier] = values if landed or carrier not in then else then[carrier]
    return records


def _page_record(expected: Base, then: Mapping[str, Mapping[str, str]], remote: Doc) -> Mapping[str, str]:
    landed = remote.title == expected.title or "page" not in then
    return expected.records["page"] if landed else then["page"]


def _property_record(expected: Base, then: Mapping[str, Mapping[str, str]], remote: Doc) -> Mapping[str, str]:
    old, shown = then.get("properties", {}), dict(expected.properties)
    values = expected.records.get("properties", {})
    return {
        name: value if name not in old or remote.property(name) == shown.get(name) else old[name]
        for name, value in values.items()
    }


def _shown(entries: Sequence[Entry]) -> dict[str, Block]:
    """What shows each carrier: the headings by `section:ID`, the rows by their keys."""
    return {f"section:{e.section}": e.block for e in entries if e.role == "heading"} | rows_of(entries)
