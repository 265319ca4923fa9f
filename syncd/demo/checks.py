"""Whether all sides of the demo agree in the end: the store's records against what readers see on the pages.

The pages are read as HTML of the sandbox's site and as text files, so that this does not believe the code that it judges.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from mapping.incident import FollowUpStatus, Incident, Postmortem
from mapping.times import show_time
from syncd.demo.people import People, folder_file, site_address
from syncd.demo.site import FilePage, Seen, SitePage, parsed
from syncd.demo.world import World
from syncd.pages import Page
from syncd.web.incident_view import incident_view


def differences(world: World, people: People) -> list[str]:
    """Everything that is not as it should be, one sentence each; empty when all sides agree."""
    found: list[str] = []
    store = world.built.store
    for incident in store.incidents():
        postmortem, pages = store.postmortem(incident.reference), store.pages(incident.reference)
        if postmortem is None or len(pages) != 1:
            found.append(f"{incident.reference} has {len(pages)} pages instead of one")
            continue
        seen = _read(world, people, pages[0])
        found += [
            f"{incident.reference} on {pages[0].destination}: {words}" for words in compared(incident, postmortem, seen)
        ]
        found += [f"{incident.reference}: {words}" for words in _promises(world, people, incident, seen)]
    return found + list(_counted(world, people)) + list(_gates(world))


@dataclass(frozen=True, slots=True)
class Tally:
    """What of the records and of what people wrote stands nowhere, and what stands more than once."""

    lost: int
    doubled: int


def tally(world: World, people: People) -> Tally:
    """Counted over all pages as their readers see them."""
    lost = doubled = 0
    for incident in world.built.store.incidents():
        for page in world.built.store.pages(incident.reference):
            seen = _read(world, people, page)
            lasts = [text.split()[-1:] for _, text in seen.tasks] + [cells[-1].split()[-1:] for cells in seen.rows if cells]
            keys = [row.key for row in incident.follow_ups] + [event.key for event in incident.timeline]
            counts = [lasts.count([key]) for key in keys]
            lost += counts.count(0) + len([w for w in _promises(world, people, incident, seen) if "has lost it" in w])
            doubled += sum(max(count - 1, 0) for count in counts)
    return Tally(lost, doubled + sum(max(count - 1, 0) for count in _copies(world, people).values()))


def _read(world: World, people: People, page: Page) -> Seen:
    if page.destination == "folder":
        return FilePage(folder_file(world, page)).read()
    return SitePage(site_address(world, page), people.browser, "").read()


# --- one page -----------------------------------------------------------------------------------------------------------


def compared(incident: Incident, postmortem: Postmortem, seen: Seen) -> Iterator[str]:
    """How what a reader sees differs from the records, one sentence each."""
    if incident.name not in seen.title:
        yield f"the title is “{seen.title}”, the incident is called “{incident.name}”"
    if seen.status and seen.status.lower() != postmortem.status.label.lower():
        yield f"the status is {seen.status}, in the store {postmortem.status.label}"
    for section in postmortem.sections:
        if section.heading and section.heading not in seen.text:
            yield f"the section “{section.heading}” is missing"
        for block in incident.prose(section):
            if _bare(block.text) not in _bare(seen.text):
                yield f"this text is only in the store: “{_flat(block.text)}”"
    yield from _follow_ups(incident, seen)
    yield from _events(incident, seen)


def _follow_ups(incident: Incident, seen: Seen) -> Iterator[str]:
    for row in incident.follow_ups:
        lines = [(ticked, text) for ticked, text in seen.tasks if text.split()[-1:] == [row.key]]
        if len(lines) != 1:
            yield f"{row.key} stands there {len(lines)} times"
            continue
        ticked, text = lines[0]
        wanted = [row.title, *([str(row.assignee)] if row.assignee else [])]
        if ticked != (row.status is FollowUpStatus.DONE):
            yield f"{row.key} is {'' if ticked else 'not '}ticked, in the store it is {row.status.value}"
        due = [row.due_on.isoformat(), f"{row.due_on:%-d %b %Y}"] if row.due_on else [""]
        if not any(day in text for day in due):
            yield f"{row.key} is due {due[0]}, it says “{text}”"
        yield from (f"{row.key} does not say “{part}” but “{text}”" for part in wanted if _flat(part) not in text)
    strangers = len(seen.tasks) - len(incident.follow_ups)
    if strangers:
        yield f"{strangers} more boxes than follow-ups"


def _events(incident: Incident, seen: Seen) -> Iterator[str]:
    for event in incident.timeline:
        rows = [cells for cells in seen.rows if cells and cells[-1].split()[-1:] == [event.key]]
        if len(rows) != 1:
            yield f"{event.key} stands there {len(rows)} times"
            continue
        time, title = show_time(event.at, ZoneInfo("UTC")), _flat(event.title)
        if rows[0][0] != time or rows[0][1] != title:
            yield f"{event.key} says “{' | '.join(rows[0])}”, in the store “{time} | {title}”"


# --- what people wrote --------------------------------------------------------------------------------------------------


def _promises(world: World, people: People, incident: Incident, seen: Seen) -> Iterator[str]:
    ref = incident.reference
    stored = _stored(world, incident)
    page = " ".join([seen.title, seen.text])
    for sentence in people.promise.kept.get(ref, []):
        if sentence not in page:
            yield f"somebody wrote “{sentence}”, the page has lost it"
        if sentence not in stored:
            yield f"somebody wrote “{sentence}”, the store has lost it"
    for sentence in people.promise.gone.get(ref, []):
        if sentence in page or sentence in stored:
            yield f"somebody changed “{sentence}”, it is still there"


def _stored(world: World, incident: Incident) -> str:
    """All that the store says, as people read it."""
    view = incident_view(world.built.app, incident)
    said = [incident.name, *(f"{row.label} {row.value}" for row in view.details)]
    said += [f"{part.heading} {part.body.striptags()}" for part in view.parts]
    said += [f"{row.when} {row.record.title} {row.key}" for row in view.timeline]
    said += [f"{f.title} {f.assignee or ''} due {f.due_on or ''} {f.key}" for f in incident.follow_ups]
    return _flat(" ".join(said))


# --- the whole world ----------------------------------------------------------------------------------------------------


def _counted(world: World, people: People) -> Iterator[str]:
    """Each page exactly once in its service."""
    for ref, count in _copies(world, people).items():
        if count != 1:
            yield f"{ref} has {count} pages instead of one"


def _copies(world: World, people: People) -> dict[str, int]:
    """How many pages name each incident."""
    index = parsed(people.browser.get(world.sandbox.address).text)
    titles = [node.text for node in index.walk() if node.tag == "a"]
    titles += [file.stem for file in world.pages_folder.glob("*.md")]
    return {ref: sum(ref in title for title in titles) for ref in world.built.store.references()}


def _gates(world: World) -> Iterator[str]:
    for incident in world.built.store.incidents():
        export = world.built.app.check(incident.reference).export
        if export.status != "fresh":
            why = "; ".join(reason.message for reason in export.reasons)
            yield f"{incident.reference}: the page is {export.status}: {why}"


def _bare(text: str) -> str:
    """Without the sign before a name, which a service puts there by itself."""
    return _flat(text.replace("@", ""))


def _flat(text: str) -> str:
    return " ".join(text.split())
