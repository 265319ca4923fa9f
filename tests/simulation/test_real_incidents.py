"""400 incidents as a public status page told them: all imported, 60 published, edited on both sides, equal at the end."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from tests.simulation.world import GRACE, World

DATA = Path(__file__).parents[3] / "shared" / "data" / "github-incidents.jsonl"
SEVERITIES = {"none": "SEV3", "minor": "SEV3", "major": "SEV2", "critical": "SEV1", "maintenance": "SEV3"}
TEMPLATES = ["standard", "root-cause-analysis", "lightweight"]
PLACES = ["wiki", "notes", "plain-notes"]


def record(number: int, told: dict[str, Any]) -> dict[str, Any]:
    """One incident in the import's shape; equal titles and equal times stay as they are."""
    times = {"started": told.get("started_at"), "resolved": told.get("resolved_at")}
    return {
        "reference": f"GH-{number}",
        "name": told["title"],
        "phase": "post_incident",
        "severity": SEVERITIES.get(told.get("impact") or "none", "SEV3"),
        "summary": "\n\n".join(update["message"] for update in told["updates"][-2:]),
        "timestamps": {name: at for name, at in times.items() if at},
        "timeline": [
            {"at": update["at"], "title": update["status"], "description": update["message"]} for update in told["updates"]
        ],
        "follow_ups": [{"title": f"Look after {name}"} for name in told.get("components") or []],
    }


@pytest.mark.skipif(not DATA.exists(), reason=f"needs {DATA.name}, which lies in ../shared/data and is not there")
def test_real_incidents_end_equal_everywhere(tmp_path: Path) -> None:
    told = [json.loads(line) for line in DATA.read_text().splitlines()]
    assert len(told) == 400
    world = World(tmp_path)
    for number, incident in enumerate(told):
        world.take(record(number, incident))
    assert len(world.store.incidents()) == 400
    assert sum(len(i.timeline) for i in world.store.incidents()) == sum(len(t["updates"]) for t in told)
    longest = sorted(range(400), key=lambda n: len(told[n]["updates"]))[-3:]
    numbers = sorted({*longest, *range(0, 400, 7)})[:60]
    assert len(numbers) == 60
    for turn, number in enumerate(numbers):
        world.app.create_postmortem(f"GH-{number}", TEMPLATES[turn % 3], PLACES[turn // 3 % 3], GRACE)
    world.in_step()
    assert all(page.native_id for page in world.store.pages())
    edits = random.Random(12)
    for number in numbers:
        edit_both_sides(world, f"GH-{number}", edits)
    world.wait(300)
    world.in_step()
    for number in numbers:
        same_everywhere(world, f"GH-{number}")
    before = world.writes()
    world.wait(300)
    world.in_step()
    assert world.writes() == before


def edit_both_sides(world: World, reference: str, edits: random.Random) -> None:
    """A person on the page and another at the incident, in different places."""
    incident, person = world.incident(reference), world.person(world.page(reference))
    timed = any(event.key in person.text() for event in incident.timeline)
    if incident.follow_ups:
        row = edits.choice(incident.follow_ups)
        person.tick(row.key)
        world.app.add_follow_up(reference, {"title": f"Learn from {reference}"}, GRACE)
        person.add_task(row.key, "Ask the people who were there")
    if timed:
        event = edits.choice(incident.timeline)
        world.app.edit_event(event.key, {"title": f"{event.title}, as it was told"}, GRACE)
        person.add_event(edits.choice(incident.timeline).key, "23:58", "Somebody noticed")
    person.add_section("Thanks", f"To all of {reference}.")
    world.app.edit_incident(reference, {"severity": "SEV2"}, GRACE)


def same_everywhere(world: World, reference: str) -> None:
    """What the store says stands on the page once, and the other way round."""
    incident, text = world.incident(reference), " ".join(world.person(world.page(reference)).text().split())
    words = text.split()
    for row in incident.follow_ups:
        assert words.count(row.key) == 1, row
        assert " ".join(row.title.split()) in text
    if "Timeline" in words:
        for event in incident.timeline:
            assert words.count(event.key) == 1, event
    assert f"To all of {reference}." in text
    assert not world.store.conflicts(reference)
