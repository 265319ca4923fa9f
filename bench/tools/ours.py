"""syncd itself, through its engine and its daemon's worker: the same post-mortem, kept in step from the store."""

import json
import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench import postmortem
from bench.worker import Convert, Tool, serve
from mapping.commands import Actor
from mapping.confluence_storage import parse, render
from mapping.markdown import from_markdown, to_markdown
from mapping.notion_plan import forest
from mapping.notion_text import Accounts
from providers.notion_write import first_request
from syncd.assembly import assemble
from syncd.daemon import Pace, Worker
from syncd.log import configure, logger
from syncd.schedule import PageClock
from syncd.settings import load

REF, DESTINATION, ACTOR = "INC-12", "pages", Actor("store", "bench")
CONFIG = """\
[sync]
row_still_seconds = 0
quiet_seconds = 0
version_gap_seconds = 0

[brakes]
writes_per_hour = 1000000

[providers.there]
{kind}
url = "{url}"
token = "{token}"
requests_per_minute = 1000000

[destinations.pages]
provider = "there"
{where}
"""
KINDS = {
    "confluence": 'kind = "confluence"\nuser = "bot@example.com"',
    "data center": 'kind = "confluence"\nedition = "data-center"',
    "notion": 'kind = "notion"',
}
SHORT = 'name = "Short"\nwrite = "external"\ntitle = "{{ incident.reference }} {{ incident.name }}"\n' + "".join(
    f'[[sections]]\nkind = "{kind}"\n' for kind in ("summary", "follow_ups")
)


class Ours(Tool):
    """One configuration with one destination. Changes are made in the store, as its pages and commands make them."""

    def conversions(self) -> Mapping[str, Convert]:
        return {
            "to_storage": lambda text: render(from_markdown(text)),
            "from_storage": lambda body: to_markdown(parse(body).blocks),
            "to_blocks": lambda text: first_request(forest(from_markdown(text), Accounts())),
        }

    def open(self, place: Mapping[str, str], folder: Path) -> None:
        configure(as_json=False, level=logging.WARNING)
        keys = ("data_source",) if place["kind"] == "notion" else ("space", "parent")
        where = "\n".join(f'{key} = "{place[key]}"' for key in keys)
        kind = KINDS[place["kind"]]
        config = folder / "config.toml"
        config.write_text(CONFIG.format(**{**place, "where": where, "kind": kind}), encoding="utf-8")
        (folder / "templates").mkdir()
        (folder / "templates" / "long.toml").write_text(_template(), encoding="utf-8")
        (folder / "templates" / "short.toml").write_text(SHORT, encoding="utf-8")
        self.built = assemble(config, load(config), lambda per_minute: time.sleep, now=self.now)
        self.app, self.worker = self.built.app, None

    worker: Worker | None

    def now(self) -> datetime:
        """The double's time."""
        return datetime.now(UTC) + self.ahead

    def step(self, name: str, many: int) -> None:
        steps: dict[str, Callable[[], None]] = {
            "publish": self._publish,
            "again": self._poll,
            "paragraph": self._edit_paragraph,
            "cell": self._edit_cell,
            "many": lambda: self._publish_many(many - 1),  # a round is about the long one too
            "start": self._start,
            "many again": self._poll,
        }
        steps[name]()

    def _publish(self) -> None:
        self._import([_incident()])
        self.app.create_postmortem(REF, "long", DESTINATION, ACTOR)
        self._settle(REF)

    def _edit_paragraph(self) -> None:
        prose = postmortem.edited(postmortem.chapters()["Root cause"], postmortem.CHANGED_PARAGRAPH)
        self.app.edit_section(REF, "root-cause", prose, ACTOR)
        self._settle(REF)

    def _edit_cell(self) -> None:
        self.app.edit_event("T-31", {"title": postmortem.events()[30].title + ", corrected"}, ACTOR)
        self._settle(REF)

    def _publish_many(self, many: int) -> None:
        numbers = range(1000, 1000 + many)
        follow_up = {"title": "Raise the limit"}
        self._import(
            {
                "reference": f"INC-{n}",
                "name": "Short one",
                "summary": f"Payments failed in zone {n % 7}.",
                "follow_ups": [follow_up],
            }
            for n in numbers
        )
        for number in numbers:
            self.app.create_postmortem(f"INC-{number}", "short", DESTINATION, ACTOR)
            self._settle(f"INC-{number}")

    def _import(self, incidents: Iterable[Mapping[str, object]]) -> None:
        data = json.dumps(list(incidents)).encode()
        refused = self.app.import_records("incidents.json", data, UTC, ACTOR).refused
        if refused:
            raise ValueError("; ".join(refused))

    def _settle(self, ref: str) -> None:
        """Work on the incident's page, as the daemon does when something changed."""
        (page,) = self.app.store.pages(ref)
        report = self.app.reconciler.reconcile(page.id)
        if report.result != "in_step" or not report.written:
            raise ValueError(f"{ref}: {report.result}: {'; '.join(report.reasons) or 'nothing was written'}")

    # --- the daemon's worker ---

    def _start(self) -> None:
        """A new worker, until it has looked at each page once, as a starting daemon does."""
        self.close()
        pace = Pace(timedelta(seconds=30), timedelta(0))
        self.worker = Worker("there", self.built.destinations, self.app.reconciler, self.app.store, pace, logger())
        self.worker.start()
        _until(self._idle)

    def _poll(self) -> None:
        """One round over all pages, which are due since time has passed; whatever it finds to do."""
        if self.worker is None:
            raise ValueError("no worker runs, so nobody polls")
        asked = self.now()
        _until(lambda: all(clock.next_poll > asked + timedelta(seconds=5) for clock in self._clocks()) and self._idle())
        self.close()

    def _clocks(self) -> list[PageClock]:
        return list(self.worker.schedule.clocks.values()) if self.worker else []

    def _idle(self) -> bool:
        clocks = self._clocks()
        return len(clocks) == len(self.app.store.pages()) and all(clock.next_work is None for clock in clocks)

    def close(self) -> None:
        """End the worker."""
        if self.worker:
            self.worker.stop()
            self.worker.join()


def _until(holds: Callable[[], bool], seconds: float = 1800.0) -> None:
    """Wait for the worker. Raises TimeoutError."""
    over, pause = time.monotonic() + seconds, threading.Event()
    while not holds():
        if time.monotonic() > over:
            raise TimeoutError(f"the worker is not through after {seconds:.0f} s")
        pause.wait(0.02)


def _incident() -> dict[str, object]:
    timeline = [
        {"key": f"T-{n}", "at": f"2026-11-02T{event.time}:00Z", "title": event.title, "description": event.details}
        for n, event in enumerate(postmortem.events(), 1)
    ]
    follow_ups = [{"title": title} for title in postmortem.follow_ups()]
    started = {"started": "2026-11-02T10:00:00Z"}
    incident = {"reference": REF, "name": "Checkout returns 502", "timestamps": started}
    return {**incident, "timeline": timeline, "follow_ups": follow_ups}


def _template() -> str:
    """The chapters, the timeline and the follow-ups as a template."""
    parts = ['name = "Long"\nwrite = "external"\ntitle = "{{ incident.reference }} {{ incident.name }}"\n']
    for name, text in postmortem.chapters().items():
        identity = name.lower().replace(" ", "-")
        parts.append(f"[[sections]]\nid = \"{identity}\"\nkind = \"text\"\nheading = \"{name}\"\ntext = '''\n{text}\n'''\n")
    return "\n".join([*parts, *(f'[[sections]]\nkind = "{kind}"\n' for kind in ("timeline", "follow_ups"))])


if __name__ == "__main__":
    serve(Ours())
