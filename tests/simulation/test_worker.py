"""A provider's worker thread goes on, whatever a provider of ours does wrong."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from providers.contract import Change, Place
from providers.folder import Folder
from syncd.daemon import Pace, Worker
from syncd.log import logger
from tests.simulation.world import World


class Faulty(Folder):
    """Its feed has an error of ours."""

    def versions(self, place: Place, native_ids: Sequence[str]) -> Mapping[str, Change]:
        raise RuntimeError("an error of ours")


def test_an_error_in_a_feed_does_not_end_the_worker(tmp_path: Path) -> None:
    world = World(tmp_path)
    page = world.publish("files")
    files = replace(world.app.destinations["files"], provider=Faulty(tmp_path))
    pace = Pace(timedelta(0), timedelta(0))
    worker = Worker("files", {"files": files}, world.app.reconciler, world.store, pace, logger())
    worker.start()
    for _ in range(3):
        assert worker.look(page.id).result(10).result == "in_step"
    assert worker.is_alive()
    worker.stop()
    worker.join(10)
    world.store.close()


def test_a_page_that_is_shown_again_as_it_was_is_found_again(tmp_path: Path) -> None:
    """No feed tells: neither its version nor anything of ours changed."""
    world = World(tmp_path)
    page = world.publish("wiki")
    there = {"wiki": world.app.destinations["wiki"]}
    worker = Worker("wiki", there, world.app.reconciler, world.store, Pace(timedelta(seconds=30), timedelta(0)), logger())
    world.wiki.forbid(page.native_id)
    world.store.mark_dirty(page.id, "somebody looks")
    worker._round()
    assert world.page().state == "missing"
    world.wiki.allow(page.native_id)
    for _ in range(25):
        world.wait(30)
        worker._round()
    assert world.page().state == "live"
    world.store.close()
