"""Properties of a Notion data source that carry something: people and times, both ways; renamed, gone, made if allowed."""

from dataclasses import replace

import pytest

from mapping.document import Doc, paragraph
from providers.contract import Done, Observation, Place, Rejected, Unauthorized
from providers.sandbox.notion_gate import CAPABILITIES
from tests.contract.notion_api import Json, text
from tests.contract.test_notion_places import DOC, STATIC, World

VALUES = {
    "incident": "INC-12",
    "severity": "SEV1",
    "status": "In progress",
    "lead": "ada@example.com",
    "role:scribe": "grace@example.com",
    "time:started": "2026-11-02T10:00:00Z",
}
RICH = Doc("INC-12 Queue full", (paragraph(STATIC),), tuple(VALUES.items()))
NAMES = {"lead": {"name": "Lead"}, "role:scribe": {"name": "Scribe"}, "time:started": {"name": "Began"}}


class Table(World):
    """A destination that maps people and times, whose data source has them."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.rich = Place("rich", {"data_source": self.service.data_source_id}, NAMES)

    def grow(self) -> None:
        new: Json = {"Lead": {"people": {}}, "Scribe": {"people": {}}, "Began": {"date": {}}}
        self.request("PATCH", f"/v1/data_sources/{self.service.data_source_id}", {"properties": new})

    def request(self, method: str, path: str, body: Json) -> Json:
        answer: Json = self.notion._wire.send(method, path.removeprefix("/v1/"), body).body
        return answer

    def schema(self) -> Json:
        found: Json = self.notion._wire.read(f"data_sources/{self.service.data_source_id}")["properties"]
        return found

    def shown(self, seen: Observation) -> Json:
        found: Json = self.notion._wire.read(f"pages/{seen.native_id}")["properties"]
        return found


@pytest.fixture
def world() -> Table:
    return Table()


def changed(seen: Observation, **values: str) -> Doc:
    new = {name.replace("__", ":"): value for name, value in values.items()}
    return replace(seen.doc, properties=tuple(dict(seen.doc.properties, **new).items()))


def test_people_and_times_are_written_and_read_back(world: Table) -> None:
    world.grow()
    seen = world.publish(RICH, world.rich)
    assert dict(seen.doc.properties) == VALUES
    shown = world.shown(seen)
    assert shown["Lead"]["people"][0]["name"] == "Ada Byron"
    assert shown["Began"]["date"]["start"] == "2026-11-02T10:00:00.000+00:00"
    assert seen.doc.properties == world.notion.project(RICH).properties


def test_what_people_put_there_is_read(world: Table) -> None:
    world.grow()
    seen = world.publish(RICH, world.rich)
    world.service.ui_set_property(seen.native_id, "Lead", ["grace@example.com", "ada@example.com"])
    world.service.ui_set_property(seen.native_id, "Scribe", [])
    world.service.ui_set_property(seen.native_id, "Began", {"start": "2026-11-02T12:30:00+02:00"})
    values = dict(world.read(seen, world.rich).doc.properties)
    assert (values["lead"], values["role:scribe"]) == ("grace@example.com", "")
    assert values["time:started"] == "2026-11-02T10:30:00Z"
    world.service.ui_set_property(seen.native_id, "Began", "2026-11-03")
    assert dict(world.read(seen, world.rich).doc.properties)["time:started"] == "2026-11-03"


def test_others_beside_the_lead_and_the_end_of_a_span_stay(world: Table) -> None:
    world.grow()
    seen = world.publish(RICH, world.rich)
    world.service.ui_set_property(seen.native_id, "Lead", ["ada@example.com", "grace@example.com"])
    world.service.ui_set_property(seen.native_id, "Began", {"start": "2026-11-02T10:00:00Z", "end": "2026-11-02T11:00:00Z"})
    world.service.add_person("Vera Rubin", "vera@example.com")
    world.notion = world.connect({})
    seen = world.read(seen, world.rich)
    target = changed(seen, lead="vera@example.com", time__started="2026-11-02T10:05:00Z")
    outcome = world.notion.write(world.rich, seen, target, "")
    assert isinstance(outcome, Done) and outcome.seen and outcome.seen.doc == world.notion.project(target)
    shown = world.shown(seen)
    assert [person["name"] for person in shown["Lead"]["people"]] == ["Vera Rubin", "Grace Hopkins"]
    assert shown["Began"]["date"]["end"] == "2026-11-02T11:00:00.000+00:00"
    cleared = changed(outcome.seen, lead="", time__started="")
    assert isinstance(world.notion.write(world.rich, outcome.seen, cleared, ""), Done)
    assert (world.shown(seen)["Lead"]["people"], world.shown(seen)["Began"]["date"]) == ([], None)


def test_somebody_without_an_account_stands_in_no_people_property(world: Table) -> None:
    world.grow()
    target = replace(RICH, properties=tuple({**VALUES, "lead": "Zoe"}.items()))
    seen = world.publish(target, world.rich)
    assert dict(seen.doc.properties)["lead"] == dict(world.notion.project(target).properties)["lead"] == ""


def test_a_renamed_property_is_found_by_its_id(world: Table) -> None:
    world.grow()
    seen = world.publish(RICH, world.rich)
    source = world.service.data_source_id
    world.service.ui_rename_property(source, "Status", "Phase")
    world.service.ui_rename_property(source, "Lead", "Commander")
    assert world.read(seen, world.rich).doc.property("lead") is None
    place = replace(world.rich, carriers=seen.carriers)
    again = world.read(seen, place)
    assert (again.doc.properties, again.carriers) == (seen.doc.properties, seen.carriers)
    outcome = world.notion.write(place, again, changed(again, status="In review"), "")
    assert isinstance(outcome, Done)
    assert world.shown(seen)["Phase"]["status"]["name"] == "In review"


def test_a_property_may_be_named_by_its_id(world: Table) -> None:
    key = world.schema()["Status"]["id"]
    world.service.ui_rename_property(world.service.data_source_id, "Status", "Phase")
    place = replace(world.table, properties={"status": {"name": key}})
    seen = world.publish(DOC, place)
    assert seen.doc.property("status") == "In progress"
    assert "property Phase carries the status" in list(world.notion.check(place))


def test_a_deleted_property_is_no_longer_there(world: Table) -> None:
    seen = world.publish()
    world.service.ui_remove_property(world.service.data_source_id, "Status")
    again = world.read(seen)
    assert again.doc.property("status") is None
    outcome = world.notion.write(world.table, again, replace(again.doc, title="Another"), "")
    assert isinstance(outcome, Done)


def test_nobodys_table_is_changed_unless_that_was_said(world: Table) -> None:
    before = world.schema()
    seen = world.publish(RICH, world.rich)
    assert world.schema() == before
    assert {"lead", "role:scribe", "time:started"}.isdisjoint(dict(seen.doc.properties))
    assert "no property carries the lead" in list(world.notion.check(world.rich))


def test_what_the_schema_lacks_is_made_with_the_first_page_when_that_was_said(world: Table) -> None:
    world.service.ui_remove_property(world.service.data_source_id, "Status")
    names = {**NAMES, "status": {"name": "State", "completed": "Published"}}
    place = Place("rich", {**world.rich.options, "create_properties": "true"}, names)
    assert "no property carries the status; State is made with the next page" in list(world.notion.check(place))
    seen = world.publish(RICH, place)
    assert dict(seen.doc.properties) == VALUES
    schema = world.schema()
    assert [option["name"] for option in schema["State"]["status"]["options"]] == ["In progress", "In review", "Published"]
    assert {name: schema[name]["type"] for name in ("Lead", "Scribe", "Began")} == {
        "Lead": "people",
        "Scribe": "people",
        "Began": "date",
    }
    world.service.requests.clear()
    world.publish(RICH, place)
    assert ("PATCH", f"/v1/data_sources/{world.service.data_source_id}") not in world.service.requests


def test_a_schema_that_may_not_be_changed_makes_no_page(world: Table) -> None:
    place = Place("rich", {**world.rich.options, "create_properties": "true"}, NAMES)
    world.service.gate.limit("ntn_sandbox", CAPABILITIES - {"update_content"})
    outcome = world.notion.create(place, RICH, "INC-12")
    assert isinstance(outcome, Rejected) and isinstance(outcome.error, Unauthorized)
    assert len(list(world.service.pages())) == 1


def test_a_property_of_the_wrong_type_is_left_alone_and_told(world: Table) -> None:
    source = f"/v1/data_sources/{world.service.data_source_id}"
    world.request("PATCH", source, {"properties": {"Lead": {"rich_text": {}}}})
    place = Place("rich", {**world.rich.options, "create_properties": "true"}, {"lead": {"name": "Lead"}})
    assert "property Lead cannot carry the lead: it is of type rich_text, needed is people" in list(
        world.notion.check(place)
    )
    seen = world.publish(RICH, place)
    assert "lead" not in dict(seen.doc.properties)
    assert world.shown(seen)["Lead"]["rich_text"] == []
    world.request("PATCH", f"/v1/pages/{seen.native_id}", {"properties": {"Lead": {"rich_text": [text("Ada")]}}})
    assert "lead" not in dict(world.read(seen, place).doc.properties)
