"""Pictures of in-house prose travel with it: once, before the text that shows them; a lost answer costs nothing."""

import pytest

from mapping.document import ATTACHMENTS
from mapping.markdown import to_markdown
from mapping.pictures import names_in
from providers.sandbox.confluence_front import FrontDoor
from providers.sandbox.faults import Fault
from tests.simulation.world import GRACE, World

PNG = b"\x89PNG\r\n\x1a\n and the rest"


def publish(world: World, destination: str) -> str:
    """A page whose section `impact` shows a picture; the picture's name."""
    world.publish(destination)
    name = world.app.add_picture("INC-12", PNG).removeprefix(ATTACHMENTS)
    text = f"Look:\n\n![Queue depth]({ATTACHMENTS}{name})\n\nIt grew."
    world.app.edit_section("INC-12", "impact", text, GRACE)
    world.wait(300)
    return name


def held(world: World) -> str:
    return to_markdown(world.app.prose("INC-12", "impact")[1])


def files(world: World, destination: str) -> dict[str, bytes]:
    """What is attached to the page, with how often it was sent."""
    if destination == "files":
        return {path.name: path.read_bytes() for path in (world.root / "pages" / "attachments").iterdir()}
    site: FrontDoor = world.wiki if destination == "wiki" else world.server
    return {file.name: file.data for file in site.content[world.page("INC-12", destination).native_id].files.values()}


@pytest.mark.parametrize("destination", ["files", "wiki", "dc"])
def test_a_picture_travels_with_its_text_and_stays_while_people_write_around_it(world: World, destination: str) -> None:
    name = publish(world, destination)
    world.in_step()
    assert files(world, destination) == {name: PNG}
    world.quiet()
    world.person(world.page("INC-12", destination)).reword("It grew.", "It grew for hours.")
    world.wait(300)
    world.in_step()
    assert held(world) == f"Look:\n\n![Queue depth]({ATTACHMENTS}{name})\n\nIt grew for hours.\n"
    world.quiet()


@pytest.mark.parametrize("destination", ["notes", "plain-notes"])
def test_where_no_picture_can_be_its_description_stands_and_the_store_keeps_it(world: World, destination: str) -> None:
    name = publish(world, destination)
    world.in_step()
    assert "Queue depth" in world.person(world.page("INC-12", destination)).text()
    world.person(world.page("INC-12", destination)).reword("It grew.", "It grew for hours.")
    world.wait(300)
    world.in_step()
    assert name in held(world)
    world.quiet()


@pytest.mark.parametrize("destination", ["files", "wiki", "dc"])
def test_a_new_page_has_its_pictures_after_the_first_pass(world: World, destination: str) -> None:
    world.publish("notes")
    name = world.app.add_picture("INC-12", PNG).removeprefix(ATTACHMENTS)
    world.app.edit_section("INC-12", "impact", f"![Queue depth]({ATTACHMENTS}{name})", GRACE)
    world.app.export_postmortem("INC-12", destination, True, GRACE)
    world.wait(300)
    world.in_step()
    assert files(world, destination) == {name: PNG}
    place = world.destinations()[destination]
    seen = place.provider.read(place.place, world.page("INC-12", destination).native_id)
    assert names_in(seen.doc.blocks) == [name]
    world.quiet()


@pytest.mark.parametrize("destination", ["wiki", "dc"])
def test_an_upload_whose_answer_was_lost_is_not_sent_again(world: World, destination: str) -> None:
    name = publish(world, destination)
    way = world.to_wiki if destination == "wiki" else world.to_server
    way.script.append(Fault("reply_lost", lambda method, path: method != "GET" and "/child/attachment" in path))
    world.app.once()
    world.wait(600)
    world.in_step()
    site = world.wiki if destination == "wiki" else world.server
    assert site.content[world.page("INC-12", destination).native_id].files[name].number == 1
    assert len([path for method, path in site.requests if method != "GET" and "/child/attachment" in path]) == 1
