"""Pages of several services looked at for those who wait: at the same time, and never longer than they wait."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from mapping.commands import Actor
from mapping.incident import Incident
from syncd.looking import Looking
from syncd.pages import Page
from syncd.reconcile import Report
from syncd.store import Store

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
FRESH = timedelta(minutes=1)


class Services:
    """Stands for the reconciler: each page is in step, once its service answers."""

    def __init__(self, store: Store, providers: Mapping[str, object]) -> None:
        self.store = store
        self.destinations: Any = {name: SimpleNamespace(provider=p, turn=nullcontext()) for name, p in providers.items()}
        self.gates = {name: threading.Event() for name in providers}
        self.asked: list[str] = []

    def preview(self, page_id: int) -> Report:
        page = self.store.page(page_id)
        self.asked.append(page.destination)
        self.gates[page.destination].wait(30)
        return Report(page, "in_step")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store.open(tmp_path / "syncd.db", lambda: NOW)
    for number in (1, 2):
        made.create_incident(Incident(f"INC-{number}", "Checkout"), Actor("store"))
    yield made
    made.close()


def page(store: Store, ref: str, destination: str) -> Page:
    made = store.add_page(ref, destination)
    store.set_page(made.id, native_id=f"{ref}@{destination}", state="live")
    store.clear_dirty(made.id, store.dirty_mark(made.id))
    return store.page(made.id)


def test_services_are_asked_at_the_same_time_and_a_slow_one_holds_no_other(store: Store) -> None:
    services = Services(store, {"wiki": object(), "notes": object()})
    slow, quick = page(store, "INC-1", "wiki"), page(store, "INC-2", "notes")
    looking = Looking(store, services, FRESH)  # type: ignore[arg-type]  # all of it that is asked
    services.gates["notes"].set()
    looks = looking.at_once([slow, quick], 0.2)
    assert (looks[slow.id].code, looks[quick.id].unreachable) == ("slow", "")
    assert store.page(quick.id).checked_at == NOW
    services.gates["wiki"].set()
    looks = looking.at_once([slow, quick], 30)
    assert [look.unreachable for look in looks.values()] == ["", ""]
    assert services.asked.count("notes") == 1  # it was seen in step a moment ago


def test_one_service_is_asked_for_one_page_at_a_time_and_whoever_waits_in_vain_leaves_no_question(store: Store) -> None:
    services = Services(store, {"wiki": object()})
    pages = [page(store, ref, "wiki") for ref in ("INC-1", "INC-2")]
    looking = Looking(store, services, FRESH)  # type: ignore[arg-type]  # all of it that is asked
    for _ in range(3):
        assert {look.code for look in looking.at_once(pages, 0.05).values()} == {"slow"}
    assert services.asked == ["wiki"]
    services.gates["wiki"].set()
    assert {look.code for look in looking.at_once(pages, 30).values()} == {""}


def test_what_goes_wrong_is_raised_where_it_was_asked(store: Store) -> None:
    services = Services(store, {"wiki": object()})
    there = page(store, "INC-1", "wiki")
    services.gates.clear()
    with pytest.raises(KeyError):
        Looking(store, services, FRESH).at_once([there], 30)  # type: ignore[arg-type]  # all of it that is asked
