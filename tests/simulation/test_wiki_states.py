"""What can stand between us and a Confluence page: each is a named state with a way out, and goes by itself where no person
need decide."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mapping.incident import FollowUpStatus
from providers.sandbox.confluence import ConfluenceCloud
from providers.sandbox.confluence_dc import ConfluenceDataCenter
from providers.sandbox.confluence_records import Space
from providers.sandbox.faults import Fault, anything, writes
from syncd.pages import Page
from syncd.reconcile import Report
from tests.simulation.people import ADA
from tests.simulation.world import GRACE, INCIDENT, World

CLOSED: dict[str, Space] = {}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    CLOSED.clear()
    made = World(tmp_path)
    yield made
    made.store.close()


@pytest.fixture(params=["wiki", "dc"])
def page(world: World, request: pytest.FixtureRequest) -> Page:
    return world.publish(request.param)


def site_of(world: World, page: Page) -> ConfluenceCloud | ConfluenceDataCenter:
    return world.site(page.destination)


def edit(world: World, status: str = "done") -> None:
    """Something waits to go out to the page."""
    world.app.edit_follow_up("FU-1", {"status": status}, GRACE)


def once(world: World) -> Report:
    (report,) = world.app.once()
    return report


def moved(world: World, page: Page) -> None:
    """A person moves the page to another space."""
    site_of(world, page).content[page.native_id].space_id = site_of(world, page).add_space("ATTIC", "Attic").id


def moved_back(world: World, page: Page) -> None:
    site_of(world, page).content[page.native_id].space_id = site_of(world, page).space_id


def closed(world: World, page: Page) -> None:
    """The space goes, with all its pages."""
    CLOSED.update(site_of(world, page).spaces)
    site_of(world, page).spaces.clear()
    site_of(world, page).forbid(page.native_id)


def opened(world: World, page: Page) -> None:
    site_of(world, page).spaces.update(CLOSED)
    site_of(world, page).allow(page.native_id)


def live(world: World, page: Page) -> None:
    site_of(world, page).content[page.native_id].live = True


def not_live(world: World, page: Page) -> None:
    site_of(world, page).content[page.native_id].live = False


Act = Callable[[World, Page], None]
AWAY: dict[str, tuple[Act, Act, str]] = {
    "trashed": (
        lambda w, p: site_of(w, p).trash(p.native_id),
        lambda w, p: site_of(w, p).restore(p.native_id),
        "restore it",
    ),
    "archived": (
        lambda w, p: site_of(w, p).archive(p.native_id),
        lambda w, p: site_of(w, p).restore(p.native_id),
        "unarchive it",
    ),
    "not_found": (
        lambda w, p: site_of(w, p).forbid(p.native_id),
        lambda w, p: site_of(w, p).allow(p.native_id),
        "share it again",
    ),
    "moved": (moved, moved_back, "syncd resume INC-12 --accept"),
    "no_space": (closed, opened, "bring the space back"),
}


@pytest.mark.parametrize("code", AWAY)
def test_a_page_out_of_reach_says_why_and_comes_back_by_itself(world: World, page: Page, code: str) -> None:
    if code == "archived" and page.destination == "dc":
        pytest.skip("in Data Center only whole spaces are archived")
    away, back, way = AWAY[code]
    away(world, page)
    edit(world)
    report = once(world)
    assert (report.result, report.code) == ("missing", code)
    assert way in report.reasons[0] and "syncd detach INC-12" in report.reasons[0]
    assert (world.page().state, world.page().code) == ("missing", code)
    answer = world.app.check("INC-12")
    assert (answer.answer, answer.export.status) == ("no", "missing")
    assert [reason.code for reason in answer.export.reasons] == [code]
    back(world, page)
    assert world.app.check("INC-12").export.status == "stale"
    world.in_step()
    assert site_of(world, page).current_body(page.native_id).count("<ac:task-status>complete<") == 2
    assert world.app.check("INC-12").answer == "yes"


def test_a_page_trashed_between_the_look_and_the_write_is_missing(world: World, page: Page) -> None:
    edit(world)
    looks = [0]

    def the_draft(method: str, path: str) -> bool:
        if "get-draft" in path or "status=draft" in path:
            looks[0] += 1
            site_of(world, page).trash(page.native_id)
        return False

    world.wire(page.destination).script.append(Fault("refused", the_draft))
    report = once(world)
    assert looks[0] and (report.result, report.code) == ("missing", "trashed")


def test_a_moved_page_is_kept_in_step_where_it_is_when_a_person_says_so(world: World, page: Page) -> None:
    moved(world, page)
    edit(world)
    assert once(world).code == "moved"
    world.app.resume("INC-12", True, GRACE)
    world.in_step()
    assert site_of(world, page).current_body(page.native_id).count("<ac:task-status>complete<") == 2
    edit(world, "open")
    world.in_step()


def test_a_page_moved_below_another_parent_stays_there(world: World, page: Page) -> None:
    site_of(world, page).move(page.native_id, site_of(world, page).homepage_id)
    edit(world)
    world.in_step()
    assert site_of(world, page).content[page.native_id].parent_id == site_of(world, page).homepage_id


@pytest.mark.parametrize("page", ["wiki"], indirect=True)  # there are none in Data Center
def test_a_live_doc_is_not_written_and_what_people_do_on_it_counts(world: World, page: Page) -> None:
    live(world, page)
    world.person(page).tick("Write a runbook")
    edit(world)
    report = once(world)
    assert (report.result, report.code) == ("waiting", "live_doc")
    assert "Turn it into a page" in report.reasons[0]
    assert world.incident().follow_ups[1].status is FollowUpStatus.DONE
    assert site_of(world, page).content[page.native_id].number == 2
    answer = world.app.check("INC-12")
    assert (answer.answer, answer.export.status) == ("no", "held")
    assert [reason.code for reason in answer.export.reasons] == ["live_doc"]
    not_live(world, page)
    world.in_step()


@pytest.mark.parametrize("status", [403, 404])
def test_a_page_we_may_only_read_is_held_and_what_people_do_on_it_counts(world: World, page: Page, status: int) -> None:
    world.person(page).tick("Write a runbook")
    edit(world)
    world.wire(page.destination).script += [Fault("status", lambda method, path: method == "PUT", status)] * 2
    report = once(world)
    assert (report.result, report.code) == ("waiting", "read_only")
    assert "Let us edit it again" in report.reasons[0]
    assert world.incident().follow_ups[1].status is FollowUpStatus.DONE
    assert (world.page().state, world.page().code) == ("held", "read_only")
    world.in_step()


@pytest.mark.parametrize("destination", ["wiki", "dc"])
def test_a_taken_title_halts_by_name(world: World, destination: str) -> None:
    site = world.site(destination)
    ada = site.account(ADA)
    site.create(site.space_id, "INC-12 Checkout returns 502", "<p />", ada, parent_id=None, draft=False)
    world.take(INCIDENT)
    world.app.create_postmortem("INC-12", "standard", destination, GRACE)
    report = once(world)
    assert (report.result, report.code) == ("halted", "title_taken")
    assert [reason.code for reason in world.app.check("INC-12").export.reasons] == ["title_taken"]
    world.app.resume("INC-12", True, GRACE)
    world.in_step()


def test_a_title_taken_meanwhile_halts_by_name(world: World, page: Page) -> None:
    ada = site_of(world, page).account(ADA)
    site_of(world, page).create(
        site_of(world, page).space_id, "INC-12 Checkout is slow", "<p />", ada, parent_id=None, draft=False
    )
    world.app.edit_incident("INC-12", {"name": "Checkout is slow"}, GRACE)
    report = once(world)
    assert (report.result, report.code) == ("halted", "title_taken")
    assert "syncd resume INC-12" in report.reasons[0]
    assert site_of(world, page).content[page.native_id].number == 1


@pytest.mark.parametrize("destination", ["wiki", "dc"])
def test_a_space_that_is_not_there_makes_no_page_until_it_is(world: World, destination: str) -> None:
    site = world.site(destination)
    world.take(INCIDENT)
    world.app.create_postmortem("INC-12", "standard", destination, GRACE)
    there = dict(site.spaces)
    site.spaces.clear()
    report = once(world)
    assert (report.result, report.code) == ("missing", "no_space") and "OPS" in report.reasons[0]
    answer = world.app.check("INC-12")
    assert answer.answer == "no" and [reason.code for reason in answer.export.reasons] == ["no_space"]
    site.spaces.update(there)
    world.in_step()


def test_a_revoked_token_changes_nothing_and_its_return_is_enough(world: World, page: Page) -> None:
    """Revoked at each moment of a write, in turn."""
    edit(world)
    for allowed in range(4):
        left = [allowed]

        def revoked(method: str, path: str, left: list[int] = left) -> bool:
            left[0] -= 1
            return left[0] < 0

        world.wire(page.destination).script += [Fault("status", revoked, 401)] * 4
        before = world.page()
        report = once(world)
        if report.result == "in_step":
            break
        assert (report.result, report.code) == ("unknown", "unauthorized") and "syncd doctor" in report.reasons[0]
        assert world.page().state == before.state == "live"
        assert "syncd doctor" in world.page().reason
        answer = world.app.check("INC-12")
        assert answer.answer == "unknown" or answer.export.status == "stale"
        assert site_of(world, page).content[page.native_id].number == 1
        world.wire(page.destination).script.clear()
    world.in_step()
    assert world.page().reason == ""
    assert site_of(world, page).content[page.native_id].number == 2


def test_a_long_rate_limit_is_said_with_its_end_and_parks_nobody_else(world: World, page: Page) -> None:
    world.app.export_postmortem("INC-12", "files", True, GRACE)
    world.in_step()
    edit(world)
    world.wire(page.destination).script.append(Fault("status", anything, 429, {"Retry-After": "1800"}))
    wiki, files = world.app.once()
    assert (wiki.result, wiki.code, files.result) == ("unknown", "rate_limited", "in_step")
    assert f"{wiki.retry_at:%H:%M} UTC" in wiki.reasons[0]
    assert wiki.retry_at and (wiki.retry_at - world.now).total_seconds() == pytest.approx(1800, abs=5)
    sent = len(site_of(world, page).requests)
    assert world.app.once()[0].result == "unknown" and len(site_of(world, page).requests) == sent
    world.wait(1800)
    world.in_step()


@pytest.mark.parametrize("status", [200, 502, 503, 504])
def test_a_proxy_that_answers_html_is_no_service(world: World, page: Page, status: int) -> None:
    edit(world)
    world.wire(page.destination).script += [Fault("status", anything, status)] * 40
    report = once(world)
    assert (report.result, report.code) == ("unknown", "unreachable")
    assert "<" not in report.reasons[0]
    assert world.page().state == "live"
    world.wire(page.destination).script.clear()
    world.in_step()


@pytest.mark.parametrize("commit", [True, False])
@pytest.mark.parametrize("status", [200, 500, 502, 503, 504])
def test_a_write_with_an_answer_that_says_nothing_is_recovered(world: World, page: Page, status: int, commit: bool) -> None:
    edit(world)
    world.wire(page.destination).script.append(Fault("status", writes, status, after_commit=commit))
    assert once(world).result == "waiting"
    world.crash()
    world.in_step()
    assert site_of(world, page).content[page.native_id].number == 2


# --- Data Center: the page and its shared draft are out of step ---


@pytest.mark.parametrize("status", [409, 501])
@pytest.mark.parametrize("page", ["dc"], indirect=True)
def test_a_page_out_of_step_with_its_shared_draft_is_written_after_a_look(world: World, page: Page, status: int) -> None:
    world.server.fall_out_of_step(page.native_id, status)
    edit(world)
    world.server.requests.clear()
    world.in_step()
    assert world.server.content[page.native_id].number == 2
    assert sum(method == "PUT" for method, _ in world.server.requests) <= 2


@pytest.mark.parametrize("page", ["dc"], indirect=True)
def test_a_page_that_stays_out_of_step_waits_with_the_way_out_and_goes_on_by_itself(world: World, page: Page) -> None:
    edit(world)

    def never(method: str, path: str) -> bool:
        if method == "PUT":
            world.server.fall_out_of_step(page.native_id, 501)
        return False

    world.to_server.script.append(Fault("refused", never))
    report = once(world)
    assert report.result == "unknown" and "publish it in the editor once" in report.reasons[0]
    assert world.server.content[page.native_id].number == 1 and world.page().state == "live"
    world.to_server.script.clear()
    world.in_step()
    assert world.server.content[page.native_id].number == 2


@pytest.mark.parametrize("page", ["wiki"], indirect=True)
def test_a_page_converted_from_the_legacy_editor_raises_no_conflict_and_no_write(world: World, page: Page) -> None:
    """The conversion changes the whole body in one version, and nothing of what the page says."""
    world.wiki.make_legacy(page.native_id)
    world.person(page).tick("Write a runbook")
    edit(world)
    world.in_step()
    writes_before = world.writes()
    body = world.wiki.current_body(page.native_id)
    world.wiki.convert_editor(page.native_id, ADA)
    assert world.wiki.current_body(page.native_id) != body
    world.in_step()
    assert world.writes() == writes_before and world.store.conflicts() == []
