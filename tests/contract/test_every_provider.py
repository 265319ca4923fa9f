"""The contract of `providers/contract.py`: one suite for every provider, of what the engine relies on."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from mapping.document import Block, Doc, Span, fingerprint, heading, paragraph, text_spans
from providers.contract import Capabilities, Done, Missing, Observation, Rejected, Stale, TitleTaken
from syncd.reconcile import Destination
from tests.simulation.people import FilePerson, NotionPerson, Person, WikiPerson
from tests.simulation.world import World

PLACES = ["wiki", "dc", "notes", "plain-notes", "files"]
STATIC = paragraph("In step with incident INC-77. Times are in UTC.")
ADA = Span("Ada Byron", "mention", "ada@example.com")
TASK = Block("task", (Span("Alert on depth "), ADA, Span(" due "), Span("2026-12-01", "date", "2026-12-01")))


def row(*cells: str) -> Block:
    return Block("row", cells=tuple(text_spans(cell) for cell in cells))


BLOCKS = (
    STATIC,
    heading("Summary"),
    paragraph("The queue was full; nobody looked & <nobody> was paged."),
    Block(
        "paragraph", (Span("Bold", marks=frozenset({"bold"})), Span(" and "), Span("a link", link="https://example.com/a"))
    ),
    Block("bullet", text_spans("outer point")),
    Block("bullet", text_spans("inner point"), depth=1),
    Block("number", text_spans("first step")),
    Block("code", text_spans("raise SystemExit\n# done"), language="python"),
    Block("quote", text_spans("Somebody said so")),
    heading("Details"),
    Block("table", rows=(row("Reference", "INC-77"), row("Severity", "SEV1")), hint="details"),
    heading("Timeline"),
    Block(
        "table",
        header=True,
        rows=(row("Time", "Event", "Details"), row("10:03", "Alert fired", "T-1"), row("10:20", "b", "")),
    ),
    heading("Follow-ups"),
    TASK,
    Block("task", text_spans("Write a runbook"), checked=True),
)
MIDDLE, LATER = row("10:10", "in the middle", ""), row("10:21", "b", "c")
DOC = Doc("INC-77 Queue full", BLOCKS, (("incident", "INC-77"), ("severity", "SEV1"), ("status", "In progress")))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.store.close()


@pytest.fixture(params=PLACES)
def there(request: pytest.FixtureRequest, world: World) -> Destination:
    return world.app.destinations[request.param]


def publish(there: Destination, doc: Doc = DOC) -> Observation:
    outcome = there.provider.create(there.place, doc, "INC-77")
    assert isinstance(outcome, Done), outcome
    return there.provider.read(there.place, outcome.native_id)


def somebody(world: World, there: Destination, seen: Observation) -> Person:
    if there.name in ("wiki", "dc"):
        return WikiPerson(world.wiki if there.name == "wiki" else world.server, seen.native_id)
    if there.name == "files":
        return FilePerson(world.root / "pages" / seen.native_id)
    return NotionPerson(world.space, seen.native_id)


def natives(doc: Doc) -> list[str]:
    return [native for block in doc.blocks for native in (block.native, *(r.native for r in block.rows))]


def expected(there: Destination, doc: Doc, seen: Observation) -> Doc:
    """What `doc` reads back as, with the properties that this place carries."""
    projected = there.provider.project(doc)
    carried = dict(seen.doc.properties)
    return replace(projected, properties=tuple((n, v) for n, v in projected.properties if n in carried))


def same(left: Doc, right: Doc) -> bool:
    return fingerprint(left) == fingerprint(right)


def with_block(doc: Doc, text: str, change: Callable[[Block], Block]) -> Doc:
    return replace(doc, blocks=tuple(change(b) if b.text.startswith(text) else b for b in doc.blocks))


def test_a_created_page_reads_back_as_projected(there: Destination) -> None:
    seen = publish(there)
    assert same(seen.doc, expected(there, DOC, seen))
    assert seen.marker == "INC-77" and seen.url and seen.version
    assert len(set(natives(seen.doc))) == len(natives(seen.doc)) and all(natives(seen.doc))


def test_projecting_twice_is_projecting_once(there: Destination) -> None:
    once = there.provider.project(DOC)
    assert there.provider.project(once) == once


def test_a_page_of_ours_is_found_by_its_marker_and_nobody_elses(there: Destination) -> None:
    assert there.provider.find(there.place, "INC-77", DOC.title) is None
    seen = publish(there)
    found = there.provider.find(there.place, "INC-77", DOC.title)
    assert found is not None and found.native_id == seen.native_id
    try:
        assert there.provider.find(there.place, "INC-78", "INC-78 Another title") is None
    except TitleTaken:
        pytest.fail("a free title is not taken")


def test_writing_what_was_read_writes_nothing(world: World, there: Destination) -> None:
    seen = publish(there)
    before = world.writes()
    outcome = there.provider.write(there.place, seen, seen.doc, "nothing")
    assert isinstance(outcome, Done) and world.writes() == before
    assert there.provider.read(there.place, seen.native_id).version == seen.version


@pytest.mark.parametrize(
    "change",
    [
        lambda doc: with_block(doc, "The queue", lambda b: replace(b, spans=text_spans("The queue was quite full."))),
        lambda doc: with_block(doc, "Write a runbook", lambda b: replace(b, checked=False)),
        lambda doc: with_block(doc, "Somebody said so", lambda b: replace(b, spans=text_spans("Nobody said so"))),
        lambda doc: replace(doc, blocks=(*doc.blocks, Block("task", text_spans("One more")))),
        lambda doc: replace(doc, blocks=(*doc.blocks[:3], paragraph("In between."), *doc.blocks[3:])),
        lambda doc: replace(doc, blocks=tuple(b for b in doc.blocks if b.text != "Write a runbook")),
        lambda doc: replace(doc, title="INC-77 Queue was full"),
        lambda doc: with_block(doc, "Time\t", lambda b: replace(b, rows=(*b.rows[:2], MIDDLE, *b.rows[2:]))),
        lambda doc: with_block(
            doc, "Time\t", lambda b: replace(b, rows=(*b.rows[:2], replace(b.rows[2], cells=LATER.cells)))
        ),
    ],
    ids=["reword", "untick", "requote", "add task", "add paragraph", "remove", "retitle", "add row", "change cell"],
)
def test_a_written_change_reads_back_and_nothing_else_changed(there: Destination, change: Callable[[Doc], Doc]) -> None:
    seen = publish(there)
    target = change(seen.doc)
    outcome = there.provider.write(there.place, seen, target, "a change")
    assert isinstance(outcome, Done), outcome
    now = there.provider.read(there.place, outcome.native_id)
    assert same(now.doc, expected(there, target, now))
    again = there.provider.write(there.place, now, now.doc, "nothing")
    assert isinstance(again, Done)


def test_a_page_that_moved_since_it_was_read_is_never_written_over(world: World, there: Destination) -> None:
    seen = publish(there)
    world.wait(120)
    somebody(world, there, seen).reword("The queue was full", "The disk was full")
    target = with_block(seen.doc, "The queue", lambda b: replace(b, spans=text_spans("The cache was full.")))
    assert isinstance(there.provider.write(there.place, seen, target, "late"), Stale)
    assert "The disk was full" in " ".join(b.text for b in there.provider.read(there.place, seen.native_id).doc.blocks)


def test_the_feed_tells_a_changed_page_from_an_unchanged_one(world: World, there: Destination) -> None:
    seen = publish(there)
    world.wait(600)
    still = there.provider.versions(there.place, [seen.native_id])[seen.native_id]
    quiet = there.provider.read(there.place, seen.native_id)
    assert still.version == quiet.version
    somebody(world, there, seen).reword("The queue was full", "The disk was full")
    world.wait(600)
    assert there.provider.versions(there.place, [seen.native_id])[seen.native_id].version != quiet.version


def test_a_page_in_the_trash_is_missing(world: World, there: Destination) -> None:
    seen = publish(there)
    if there.name == "files":
        (world.root / "pages" / seen.native_id).unlink()
    else:
        world.service(there.name).trash(seen.native_id)
    with pytest.raises(Missing):
        there.provider.read(there.place, seen.native_id)


@pytest.mark.parametrize("name", ["wiki", "dc", "files"])  # in Notion titles need not be unique
def test_a_title_somebody_holds_is_not_taken_away(world: World, name: str) -> None:
    there = world.app.destinations[name]
    publish(there)
    outcome = there.provider.create(there.place, DOC, "INC-78")
    assert isinstance(outcome, Rejected) and isinstance(outcome.error, TitleTaken)


def alive(world: World) -> list[str]:
    """Every page that is not in a trash."""
    wiki = [page for site in (world.wiki, world.server) for page in site.pages() if page[2] != "trashed"]
    return sorted(map(str, [*wiki, *(page for page in world.space.pages() if not page[2])]))


def test_doctor_gets_sentences_and_leaves_nothing_behind(world: World, there: Destination) -> None:
    before = alive(world)
    assert all(there.provider.check(there.place, write=True))
    assert alive(world) == before and list((world.root / "pages").iterdir()) == []


def test_what_a_service_can_do_is_a_value(there: Destination) -> None:
    assert isinstance(there.provider.capabilities, Capabilities)


def test_comments_of_people_are_counted_where_the_service_has_them(world: World, there: Destination) -> None:
    seen = publish(there)
    comments = partial(there.provider.comments, there.place, seen.native_id)
    if there.name == "files":
        assert comments() is None
        return
    assert comments() == 0
    for _ in range(2):
        if there.name in ("wiki", "dc"):
            site = world.wiki if there.name == "wiki" else world.server
            site.add_comment(site.content[seen.native_id], "<p>Why?</p>", site.account("ada@example.com"), None, False)
        else:
            world.space.ui_comment(seen.native_id, "why?")
    before = world.writes()
    assert comments() == 2 and world.writes() == before
