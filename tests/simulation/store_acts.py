"""What random people do in the store, each act drawn from a seed and told in words."""

from mapping.commands import Set
from mapping.markdown import to_markdown
from tests.simulation.play import TOKEN, Play, store_text
from tests.simulation.world import GRACE


def in_store(play: Play) -> None:
    """One random act of somebody at the store."""
    play.rng.choice(IN_STORE)(play)


def store_follow_up(play: Play) -> None:
    row = play.rng.choice(play.world.incident().follow_ups)
    field = play.rng.choice(["title", "title", "status", "assignee", "due_on"])
    value = {
        "title": f"{row.title} {play.token()}",
        "status": play.rng.choice(["open", "done", "dropped"]),
        "assignee": play.rng.choice(["", "ada@example.com", "grace@example.com"]),
        "due_on": play.rng.choice(["", "2026-12-24", "2027-01-02"]),
    }[field]
    play.tell(f"store: {row.key} {field} {value!r}")
    play.world.app.edit_follow_up(row.key, {field: value}, GRACE)


def store_new_follow_up(play: Play) -> None:
    title = play.sentence()
    key = play.world.app.add_follow_up("INC-12", {"title": title}, GRACE)
    play.tell(f"store: new {key} {title!r}")


def store_event(play: Play) -> None:
    row = play.rng.choice(play.world.incident().timeline)
    field = play.rng.choice(["title", "at", "description"])
    at = f"1{play.rng.randrange(4)}:{play.rng.randrange(10, 60)}"
    text = row.title if field == "title" else row.description
    value = at if field == "at" else f"{text} {play.token()}".strip()
    play.tell(f"store: {row.key} {field} {value!r}")
    play.world.app.edit_event(row.key, {field: value}, GRACE)


def store_new_event(play: Play) -> None:
    at = f"2026-11-02 1{play.rng.randrange(4)}:{play.rng.randrange(10, 60)}"
    title = play.sentence()
    key = play.world.app.add_event("INC-12", {"at": at, "title": title}, GRACE)
    play.tell(f"store: new {key} {at} {title!r}")


def store_incident(play: Play) -> None:
    incident = play.world.incident()
    field = play.rng.choice(["name", "severity", "field:affected_customers", "lead"])
    value = {
        "name": f"{incident.name} {play.token()}",
        "severity": f"SEV{play.rng.randrange(1, 4)}",
        "field:affected_customers": str(play.rng.randrange(9000)),
        "lead": play.rng.choice(["ada@example.com", "grace@example.com"]),
    }[field]
    play.tell(f"store: {field} {value!r}")
    play.world.app.edit_incident("INC-12", {field: value}, GRACE)


def store_status(play: Play) -> None:
    value = play.rng.choice(["in_progress", "in_review", "completed"])
    play.tell(f"store: {value}")
    play.statuses.append(value)
    play.world.app.set_status("INC-12", value, GRACE)


def store_section(play: Play) -> None:
    postmortem = play.world.store.postmortem("INC-12")
    assert postmortem
    section = play.rng.choice([s for s in postmortem.sections if s.kind in ("summary", "text")])
    blocks = play.world.incident().summary if section.kind == "summary" else section.blocks
    parts = to_markdown(blocks).strip().split("\n\n") if blocks else []
    act = play.rng.choice(["add", "reword", "delete"]) if parts else "add"
    at = play.rng.randrange(len(parts)) if parts else 0
    if act == "add":
        parts.insert(play.rng.randrange(len(parts) + 1), play.sentence())
    elif act == "delete":
        play.lose(parts.pop(at))
    else:
        word = play.word(parts[at])
        if word and not parts[at].startswith("[kept"):
            parts[at] = parts[at].replace(word, f"{word} {play.token()}")
    play.tell(f"store: {act} in {section.id}: {parts}")
    play.world.app.edit_section("INC-12", section.id, "\n\n".join(parts), GRACE)


def store_restore(play: Play) -> None:
    hidden = sorted({name for page in play.pages for name in play.world.store.hidden(page.id)})
    if hidden:
        name = play.rng.choice(hidden)
        play.tell(f"store: restores {name}")
        play.world.app.restore("INC-12", name, GRACE)


def store_resolve(play: Play) -> None:
    conflicts = play.world.store.conflicts("INC-12", state="open")
    if conflicts:
        conflict = play.rng.choice(conflicts)
        both = ["both"] if conflict.field in ("text", "title", "heading", "name") else []
        take = play.rng.choice(["page", "store", *both])
        before = store_text(play.world)
        play.twice |= set(TOKEN.findall(conflict.store.text + conflict.other.text)) if take == "both" else set()
        play.tell(f"store: resolves {conflict.field} of {conflict.key or conflict.section} by {take}")
        play.world.app.resolve(conflict.id, take, None, GRACE)
        play.resolved[conflict.id] = take
        play.gone |= set(TOKEN.findall(before)) - set(TOKEN.findall(store_text(play.world)))


def store_heading(play: Play) -> None:
    postmortem = play.world.store.postmortem("INC-12")
    assert postmortem
    section = play.rng.choice([s for s in postmortem.sections if s.heading])
    new = f"{section.heading} {play.token()}"
    play.tell(f"store: {section.id} is called {new!r}")
    play.world.store.apply("INC-12", [Set("section", section.id, "heading", new)], GRACE)


def store_home(play: Play) -> None:
    """Prose is written in-house from now on, or on one of the pages."""
    home = play.rng.choice(["", *(page.destination for page in play.pages)])
    play.tell(f"store: the home is {home or 'in-house'}")
    play.world.store.set_home("INC-12", home, GRACE)


def store_same(play: Play) -> None:
    """Words that stand there twice tell nothing apart."""
    play.tell("store: the same lines again")
    play.world.app.add_follow_up("INC-12", {"title": "Look again"}, GRACE)
    play.world.app.add_event("INC-12", {"at": "2026-11-02 10:30", "title": "Look again"}, GRACE)
    postmortem = play.world.store.postmortem("INC-12")
    assert postmortem
    section = play.rng.choice([s for s in postmortem.sections if s.kind == "text"])
    play.world.app.edit_section("INC-12", section.id, to_markdown(section.blocks) + "\n\nLook again.", GRACE)


IN_STORE = [
    store_follow_up,
    store_follow_up,
    store_new_follow_up,
    store_event,
    store_new_event,
    store_incident,
    store_status,
    store_section,
    store_section,
    store_restore,
    store_resolve,
    store_heading,
    store_home,
    store_same,
]
