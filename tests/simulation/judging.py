"""What must be true of a world at rest: everything agrees, nothing was lost, nothing is there twice."""

from collections import Counter
from collections.abc import Sequence

from mapping.document import Block, as_json, fingerprint
from mapping.rows import (
    columns,
    details_values,
    event_values,
    follow_up_values,
    label,
    read_detail,
    read_event,
    read_follow_up,
    understood,
)
from syncd.classify import classify
from syncd.local import Local
from syncd.pages import Entry, Page
from syncd.reconcile import Report
from syncd.take_in import bare
from tests.simulation.play import TOKEN, Play, store_text
from tests.simulation.world import World


def one_page_each(world: World, others: set[str]) -> None:
    """Our pages are those that are there, beside those of others."""
    ids = sorted(page.native_id for page in world.store.pages())
    pages = [native for native, title in world.pages() if "INC-1" in title and native not in others]
    files = {path.name for path in (world.root / "pages").iterdir()} - {"other-people.md"}
    assert sorted([*pages, *files]) == ids


def seen(world: World, page: Page) -> tuple[Entry, ...]:
    """The page read back, each block with its meaning."""
    target = world.app.destinations[page.destination]
    doc = target.provider.read(target.place, page.native_id).doc
    base = world.store.base(page.id)
    assert base
    assert fingerprint(base.doc) == fingerprint(doc), "the base is what is on the page"
    return classify(base, doc, world.wording.local(page, target.provider), native=target.provider.capabilities.native_ids)


def agrees(play: Play, report: Report) -> None:
    """One page says what the store says; what nobody could understand stays on the page as typed."""
    world, page = play.world, report.page
    entries = seen(world, page)
    local = world.wording.local(page, world.app.destinations[page.destination].provider)
    unread = {(u.key, u.field) for u in local.unread}
    follow_ups_agree(local, entries, unread)
    events_agree(local, entries, unread)
    details_agree(local, entries, unread)
    for section in local.postmortem.sections:
        if f"section:{section.id}" in local.hidden:
            continue
        heads = [e.block.text.strip() for e in entries if (e.section, e.role) == (section.id, "heading")]
        assert heads == ([section.heading] if section.heading else []), f"headings of {section.id}"
        if section.kind in ("text", "summary"):
            prose = tuple(e.block for e in entries if (e.section, e.role) == (section.id, "prose"))
            theirs = tuple(bare(block) for block in prose if block.kind != "kept")
            own = tuple(block for block in local.prose(section) if block.kind != "kept")  # of whichever page
            mine = tuple(bare(b) for b in local.projected(own))
            assert said(theirs) == said(mine), f"prose of {section.id}: {theirs} is {mine}"


def follow_ups_agree(local: Local, entries: Sequence[Entry], unread: set[tuple[str, str]]) -> None:
    rows = [(e.keys[0], read_follow_up(e.block, local.words, local.follow_ups)) for e in entries if e.role == "row"]
    titled = [(key, line) for key, line in rows if line.fields["title"] or key[:1] != "+"]
    assert Counter(key for key, _ in titled) == Counter(key for key in local.follow_ups if key not in local.hidden)
    for key, line in titled:
        assert line.key == key, f"{key} shows {line.key}"
        wanted = follow_up_values(local.follow_ups[key])
        for name, raw in line.fields.items():
            assert raw == wanted[name] or (key, name) in unread, f"{key} {name}: {raw} is {wanted[name]}"


def events_agree(local: Local, entries: Sequence[Entry], unread: set[tuple[str, str]]) -> None:
    tables = [e for e in entries if e.role == "table" and "status" not in e.keys]
    keys = [key for e in tables for key in e.keys if key and key[:1] != "+"]
    assert Counter(keys) == Counter(key for key in local.events if key not in local.hidden)
    for entry in tables:
        for key, row in zip(entry.keys, entry.block.rows, strict=True):
            if key in local.events:
                fields, shown = read_event(row, columns(entry.block), local.events)
                wanted = event_values(local.events[key])
                assert shown == key, f"{key} shows {shown}"
                assert (fields["title"], fields["description"]) == (wanted["title"], wanted["description"]), key
                at = understood("at", fields["at"], local.words, local.events[key].at)
                assert (at or "")[:16] == wanted["at"][:16] or (key, "at") in unread, f"{key}: {fields['at']}"


def details_agree(local: Local, entries: Sequence[Entry], unread: set[tuple[str, str]]) -> None:
    (table,) = (e for e in entries if e.role == "table" and "status" in e.keys)
    values = details_values(local.incident, local.postmortem.status)
    near = local.incident.timestamps["started"]
    for name, row in zip(table.keys, table.block.rows, strict=True):
        if name and ("details", name) not in unread:
            raw = read_detail(row)
            if name in ("reference", "phase"):
                assert raw == values[name], name
            else:
                assert understood(name, raw, local.words, near) == values.get(name, ""), f"{name}: {raw}"
    wanted = set(values) if table.section else {"status"}
    hidden = {name.removeprefix("details:") for name in local.hidden}
    assert wanted - set(table.keys) - hidden == set(), [label(name, local.words) for name in wanted]


def said(blocks: tuple[Block, ...]) -> list[object]:
    return [as_json(block, native=False) for block in blocks]


def texts(world: World, reference: str) -> dict[str, str]:
    """What the store and each page say of an incident."""
    found = {"store": store_text(world, reference)}
    for page in world.store.pages(reference):
        target = world.app.destinations[page.destination]
        doc = target.provider.read(target.place, page.native_id).doc
        found[page.destination] = "\n".join(block.text for block in doc.blocks)
    return found


def nothing_lost(play: Play) -> None:
    world = play.world
    kept = [world.incident().name, *texts(world, "INC-12").values()]
    kept += [f"{c.store.text} {c.other.text}" for c in world.store.conflicts("INC-12")]
    kept += [what for page in play.pages for what in world.store.hidden(page.id).values()]
    there = set(TOKEN.findall(" ".join(kept)))
    written = set(TOKEN.findall(" ".join(play.told)))
    lost = sorted(written - there - play.gone)
    assert not lost, f"lost {lost}"


def nothing_doubled(play: Play) -> None:
    for where, text in texts(play.world, "INC-12").items():
        twice = {token for token, n in Counter(TOKEN.findall(text)).items() if n > 1}
        assert not twice - play.twice, f"doubled in {where}: {twice - play.twice}"
