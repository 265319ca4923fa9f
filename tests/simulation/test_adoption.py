"""Pages that people made by hand become post-mortems as they stand: rows are recognised, nothing is invented, nothing is
rewritten but the keys, and the page lives on as any other."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from mapping.document import Block, Doc
from mapping.incident import FollowUpStatus
from mapping.markdown_page import parse_page
from mapping.rows import Vocabulary
from providers.contract import Done
from syncd.adoption import Adoption, adopt, plan_adoption
from syncd.links import Named
from syncd.recognise import recognise
from tests.simulation.world import GRACE, World

REAL = Path(__file__).parents[3] / "shared" / "data" / "postmortems"
COUNTED = json.loads((Path(__file__).parent / "real_rows.json").read_text())
EVERYWHERE = ["files", "wiki", "notes", "plain-notes"]
BY_HAND = """# Payments were slow

We wrote this down the same evening.

## Summary

Payments took a minute each.

## Timeline (UTC)

- 10:05 the pager rang
- **10:12** — workers restarted
  - twice, in fact
- 10:30 all was well
- nobody knows when the queue was emptied

## Impact

Nobody could pay on 2026-11-02 10:05 or so.

- Shops
- Banks

## Action items

- [ ] Alert on queue age
- [x] Write a runbook
- N/A

## Thanks

To everybody.
"""
INCIDENT = {
    "reference": "INC-12",
    "name": "Payments were slow",
    "timestamps": {"started": "2026-11-02T10:00:00Z"},
    "timeline": [
        {"key": "T-1", "at": "2026-11-02T10:05:30Z", "title": "The pager rang", "description": "Queue depth over 900."},
        {"key": "T-2", "at": "2026-11-02T10:20:00Z", "title": "Support was told"},
    ],
    "follow_ups": [
        {"key": "FU-1", "title": "Write a runbook", "due_on": "2026-12-01"},
        {"key": "FU-2", "title": "Buy a bigger queue"},
    ],
}


def made_by_hand(world: World, destination: str, text: str, name: str = "note.md") -> Named:
    """A page as somebody wrote it there."""
    target = world.app.destinations[destination]
    if destination == "files":
        (world.root / "pages" / name).write_text(text)
        return Named(target, name)
    page = parse_page(text)
    done = target.provider.create(target.place, Doc(page.title or "", tuple(said(page.blocks))), "")
    assert isinstance(done, Done)
    return Named(target, done.native_id)


def said(blocks: tuple[Block, ...]) -> Iterator[Block]:
    """What a page elsewhere can be given: all but what only the file can say."""
    return (block for block in blocks if block.kind != "kept")


def taken(world: World, reference: str, named: Named) -> Adoption:
    """The plan, agreed to."""
    planned = plan_adoption(world.app, reference, named)
    adopt(world.app, planned, GRACE)
    return planned


def shown(world: World, named: Named) -> list[str]:
    """The lines of a page, whatever the service."""
    seen = named.read()
    return [" ".join(block.text.split()) for block in seen.doc.blocks]


@pytest.mark.parametrize("destination", EVERYWHERE)
def test_a_page_made_by_hand_is_taken_as_it_stands(world: World, destination: str) -> None:
    world.take(INCIDENT)
    named = made_by_hand(world, destination, BY_HAND)
    before = shown(world, named)
    planned = plan_adoption(world.app, "INC-12", named)
    assert (planned.found and (planned.found.events, planned.found.follow_ups)) == (3, 2)
    assert world.store.postmortem("INC-12") is None and shown(world, named) == before
    adopt(world.app, planned, GRACE)
    world.wait(600)
    world.in_step()
    after = shown(world, named)
    assert [re.sub(r" (FU|T)-\d+$", "", line) for line in after if line.rstrip("`") not in before][:1]
    kept = [
        re.sub(r" (FU|T)-\d+$", "", line) for line in after if "Support was told" not in line and "Buy a bigger" not in line
    ]
    assert kept == [line if "runbook" not in line else "Write a runbook due 2026-12-01" for line in before]
    incident = world.incident()
    assert [(e.key, e.title) for e in incident.timeline] == [
        ("T-1", "The pager rang"),
        ("T-3", "workers restarted"),
        ("T-2", "Support was told"),
        ("T-4", "all was well"),
    ]
    assert incident.timeline[0].description == "Queue depth over 900." and incident.timeline[0].at.second == 30
    assert [(r.key, r.status.value) for r in incident.follow_ups] == [("FU-1", "done"), ("FU-2", "open"), ("FU-3", "open")]
    postmortem = world.store.postmortem("INC-12")
    assert postmortem
    assert [(s.kind, s.heading) for s in postmortem.sections] == [
        ("text", ""),
        ("summary", "Summary"),
        ("timeline", "Timeline (UTC)"),
        ("text", "Impact"),
        ("follow_ups", "Action items"),
        ("text", "Thanks"),
    ]
    assert incident.summary[0].text == "Payments took a minute each."
    assert world.app.check("INC-12").export.status == "fresh"


@pytest.mark.parametrize("destination", EVERYWHERE)
def test_an_adopted_page_is_kept_in_step(world: World, destination: str) -> None:
    world.take(INCIDENT)
    named = made_by_hand(world, destination, BY_HAND)
    taken(world, "INC-12", named)
    world.wait(600)
    world.in_step()
    person = world.person(world.page())
    person.reword("workers restarted", "workers were restarted")
    person.reword("10:30", "10:35")
    person.reword("To everybody.", "To all of you.")
    world.wait(600)
    world.app.edit_event("T-2", {"at": "10:40", "title": "Support was told at last"}, GRACE)
    world.app.edit_follow_up("FU-2", {"status": "done"}, GRACE)
    world.app.add_event("INC-12", {"at": "10:01", "title": "A deploy began"}, GRACE)
    world.in_step()
    times = {e.title: e.at.strftime("%H:%M") for e in world.incident().timeline}
    assert times == {
        "A deploy began": "10:01",
        "The pager rang": "10:05",
        "workers were restarted": "10:12",
        "all was well": "10:35",
        "Support was told at last": "10:40",
    }
    lines = shown(world, named)
    assert "2026-11-02 10:40 — Support was told at last T-2" in [line.replace("`", "") for line in lines]
    assert any("A deploy began" in line for line in lines)
    postmortem = world.store.postmortem("INC-12")
    assert postmortem and postmortem.sections[-1].blocks[0].text == "To all of you."
    assert world.incident().follow_ups[1].status is FollowUpStatus.DONE
    writes = world.writes()
    world.in_step()
    assert world.writes() == writes


def test_what_the_template_has_and_the_page_has_not_stays_off_the_page(world: World) -> None:
    world.take(INCIDENT)
    world.app.create_postmortem("INC-12", "standard", "files", GRACE)
    named = made_by_hand(world, "files", BY_HAND)
    taken(world, "INC-12", named)
    world.in_step()
    text = (world.root / "pages" / "note.md").read_text()
    assert [line for line in text.splitlines() if line.startswith("## ")] == re.findall(r"^## .*$", BY_HAND, re.MULTILINE)
    assert "section:lessons" in world.store.hidden(world.page().id)
    world.app.restore("INC-12", "lessons", GRACE)
    world.in_step()
    assert "## Lessons learned" in (world.root / "pages" / "note.md").read_text()


def test_a_table_and_a_page_without_a_day() -> None:
    words = Vocabulary(ZoneInfo("UTC"))
    table = "# x\n\n## Chronology\n\n| Time (UTC) | What happened |\n|---|---|\n| 2026-11-02 10:05 | The pager rang |\n"
    assert recognise(Doc("x", parse_page(table).blocks), words).events == 1
    lines = "# x\n\n## Timeline\n\n- 10:05 the pager rang\n- 10:10 it stopped\n"
    dayless = recognise(Doc("x", parse_page(lines).blocks), words)
    assert dayless.events == 0 and dayless.unclear == ("10:05 the pager rang", "10:10 it stopped"), "no day is invented"
    assert recognise(Doc("Incident of 2026-11-02", parse_page(lines).blocks), words).events == 2


@pytest.mark.skipif(not REAL.exists(), reason=f"needs {REAL.name}, which lies in ../shared/data and is not there")
@pytest.mark.parametrize("destination", ["files", "wiki", "plain-notes"])
def test_the_rows_of_real_post_mortems_are_recognised_and_edits_halt_nothing(world: World, destination: str) -> None:
    """Counted by hand: items of lists that tell an event with its time of day, whatever their form, and items under a
    heading of actions. `paragraphs` are those told in paragraphs instead, which are no rows."""
    rows = found = 0
    for number, path in enumerate(sorted(REAL.glob("*.md"))):
        counted = COUNTED[path.name]
        ref = f"INC-{number + 1}"
        world.take({"reference": ref, "name": path.stem})
        planned = taken(world, ref, made_by_hand(world, destination, path.read_text(), path.name))
        assert planned.found
        told = " ".join(planned.to_store)
        for words in counted["words"]:
            assert words in told, (path.name, words)
        rows += counted["events"] + counted["follow_ups"]
        assert planned.found.events <= counted["events"], f"{path.name}: an event was invented"
        assert planned.found.follow_ups <= counted["follow_ups"], f"{path.name}: a follow-up was invented"
        found += planned.found.events + planned.found.follow_ups
    assert found >= 0.95 * rows, (found, rows)
    world.wait(600)
    world.in_step()
    edited_as_people_would(world)
    world.wait(600)
    for report in world.app.once():
        assert report.result == "in_step", report
    assert not [line for line in world.store.journal(limit=10_000) if line.action == "halted"]


def edited_as_people_would(world: World) -> None:
    """On each page a few sentences change; in the store a follow-up changes and one is new."""
    for page in world.store.pages():
        incident, person = world.incident(page.incident), world.person(page)
        target = world.app.destinations[page.destination]
        texts = [b.text for b in target.provider.read(target.place, page.native_id).doc.blocks if len(b.spans) == 1]
        plain = [text for text in texts if re.fullmatch(r"[A-Z][a-z]+ [A-Za-z0-9 ]+", text)]
        for text in {*plain[:2], *plain[-1:]}:
            person.reword(text, f"{text} as far as we know")
        for row in incident.follow_ups[:1]:
            world.app.edit_follow_up(row.key, {"title": f"{row.title} soon"}, GRACE)
        world.app.add_follow_up(page.incident, {"title": "Ask the people who were there"}, GRACE)
