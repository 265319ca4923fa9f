"""What random people do on pages: small acts, drawn from a seed. `act` is one act of anybody, anywhere."""

import random
import re
from collections.abc import Callable
from dataclasses import dataclass

from mapping.markdown import to_markdown
from syncd.pages import Page
from tests.simulation.desks import Desk, FileDesk, Line, NotionDesk, WikiDesk, sections
from tests.simulation.people import rich
from tests.simulation.play import TOKEN, Play
from tests.simulation.store_acts import in_store
from tests.simulation.world import World

STATUSES = ("In progress", "In review", "Completed")
ROWS_REMOVED = 3  # in one world: fewer than what the brake stops


def act(play: Play, away_from: type | None = None) -> None:
    """Somebody does something, somewhere; not on pages of the kind `away_from`."""
    pages = [page for page in play.open_pages if not (away_from and isinstance(play.desk(page), away_from))]
    if pages and play.rng.random() < 0.65:
        on_page(play, play.rng.choice(pages))
    else:
        in_store(play)
    play.remember()


@dataclass
class Scene:
    """One person at one page."""

    play: Play
    desk: Desk
    where: str
    lines: list[Line]

    @property
    def rng(self) -> random.Random:
        return self.play.rng

    def pick(self, *kinds: str, section: str = "") -> Line | None:
        found = [li for li in self.lines if li.kind in kinds and li.section and (not section or li.section == section)]
        return self.rng.choice(found) if found else None

    def tell(self, words: str) -> None:
        self.play.tell(f"{self.where}: {words}")


def on_page(play: Play, page: Page) -> None:
    """One random act on this page."""
    desk = play.desk(page)
    act = play.rng.choices(list(ON_PAGE), weights=[ON_PAGE[a] for a in ON_PAGE])[0]
    act(Scene(play, desk, page.destination, desk.lines()))
    play.foreign[page.id] = play.foreign_on(page)


def _reworded(scene: Scene, line: Line, text: str, cell: int = 0) -> None:
    word = scene.play.word(text)
    if not word:
        return
    token = scene.play.token()
    new = scene.rng.choice([f"{word} {token}", f"{token} {word}", token])
    scene.play.lose(word if new == token else "")
    scene.tell(f"{word!r} -> {new!r} in {text!r}")
    scene.desk.put(line, word, new, cell)


def reword(scene: Scene) -> None:
    line = scene.pick("prose", "bullet")
    if line:
        _reworded(scene, line, line.text)


def rename_task(scene: Scene) -> None:
    line = scene.pick("task")
    if line:
        _reworded(scene, line, re.split(r" due | @|`| FU-", line.text)[0])


def rename_event(scene: Scene) -> None:
    line = scene.pick("row", section="Timeline")
    if line and len(line.cells) > 2:
        cell = scene.rng.choice([1, 1, 2])
        _reworded(scene, line, line.cells[cell], cell)


def rename_heading(scene: Scene) -> None:
    line = scene.pick("heading")
    if line:
        _reworded(scene, line, line.text)


def retime(scene: Scene) -> None:
    line = scene.pick("row", section="Timeline")
    found = line and re.search(r"\d\d:\d\d", line.cells[0])
    if line and found:
        new = f"{scene.rng.randrange(10, 14)}:{scene.rng.randrange(10, 60)}"
        scene.tell(f"{line.cells[1]} is at {new}")
        scene.desk.put(line, found[0], new, 0)


def tick(scene: Scene) -> None:
    line = scene.pick("task", section="Follow-ups")
    if line:
        scene.tell(f"ticks {line.text!r}")
        scene.desk.toggle(line)


def strike(scene: Scene) -> None:
    line = scene.pick("task", section="Follow-ups")
    if line:
        scene.tell(f"strikes {line.text!r}")
        scene.desk.strike(line)


def add_prose(scene: Scene) -> None:
    line = scene.pick("heading", "prose", "bullet", "help")
    if line:
        text = scene.play.sentence()
        kind = "bullet" if line.kind == "bullet" or scene.rng.random() < 0.3 else "prose"
        scene.tell(f"adds {kind} {text!r} behind {line.text!r}")
        scene.desk.insert(line, "bullet" if kind == "bullet" else "prose", text)


def add_task(scene: Scene) -> None:
    line = scene.pick("task", section="Follow-ups") or scene.pick("heading", section="Follow-ups")
    if line:
        text = scene.play.sentence() + scene.rng.choice(["", " @Grace Hopkins", " due 2026-12-05"])
        scene.tell(f"adds task {text!r} behind {line.text!r}")
        scene.desk.insert(line, "task", text)


def add_row(scene: Scene) -> None:
    line = scene.pick("row", section="Timeline")
    if line:
        cells = (f"1{scene.rng.randrange(4)}:{scene.rng.randrange(10, 60)}", scene.play.sentence(), scene.play.token())
        scene.tell(f"adds row {cells} behind {line.text!r}")
        scene.desk.insert_row(line, cells)


def add_section(scene: Scene) -> None:
    parts = sections(scene.lines)
    if parts and scene.rng.random() < 0.5:
        last = scene.rng.choice(parts)[-1]
        head, text = scene.play.sentence(), scene.play.sentence()
        scene.tell(f"adds section {head!r}: {text!r} behind {last.text!r}")
        scene.desk.insert(last, "heading", head)
        made = next(line for line in scene.desk.lines() if line.kind == "heading" and line.text == head)
        scene.desk.insert(made, "prose", text)


def delete_prose(scene: Scene) -> None:
    line = scene.pick("prose", "bullet", "help")
    if line:
        scene.play.lose(line.text)
        scene.tell(f"deletes {line.text!r}")
        scene.desk.delete([line])


def delete_row(scene: Scene) -> None:
    line = scene.pick(*scene.rng.choice([("task",), ("row",)]), section=scene.rng.choice(["Follow-ups", "Timeline"]))
    if line and scene.play.removed < ROWS_REMOVED:
        scene.play.removed += 1
        scene.play.lose_unknown(line.text)
        scene.tell(f"deletes row {line.text!r}")
        scene.desk.delete([line])


def move_line(scene: Scene) -> None:
    line = scene.pick("task", "row", "prose", "bullet")
    if line and line.section != "Details":
        near = [o for o in scene.lines if o.section == line.section and o.kind == line.kind and o.at != line.at]
        if near:
            behind = scene.rng.choice(near)
            scene.tell(f"moves {line.text!r} behind {behind.text!r}")
            scene.desk.move([line], behind)


def move_section(scene: Scene) -> None:
    parts = sections(scene.lines)
    if len(parts) > 2 and scene.rng.random() < 0.5:
        part, behind = scene.rng.sample(parts, 2)
        scene.tell(f"moves section {part[0].text!r} behind section {behind[0].text!r}")
        scene.desk.move(part, behind[-1])


def _section_text(world: World, heading: str) -> str:
    postmortem = world.store.postmortem("INC-12")
    found = [s for s in postmortem.sections if s.heading == heading] if postmortem else []
    return "\n".join(s.heading + to_markdown(world.incident().summary if s.kind == "summary" else s.blocks) for s in found)


def delete_section(scene: Scene) -> None:
    fixed = ("Details", "Timeline", "Follow-ups")
    parts = [part for part in sections(scene.lines) if not any(name in part[0].text for name in fixed)]
    parts = [part for part in parts if all(line.kind in ("heading", "prose", "bullet", "help") for line in part)]
    if len(parts) > 4 and scene.rng.random() < 0.4:
        part = scene.rng.choice(parts)
        kept = _section_text(scene.play.world, part[0].text)  # hidden with it; what was just moved there goes
        words = TOKEN.findall(" ".join(line.text for line in part))
        scene.play.gone |= set(words) - set(TOKEN.findall(kept))
        scene.tell(f"deletes section {part[0].text!r}")
        scene.desk.delete(part)


def details(scene: Scene) -> None:
    rows = [line for line in scene.lines if line.kind == "row" and line.section == "Details"]
    named = {line.cells[0]: line for line in rows if len(line.cells) == 2 and line.cells[1]}
    label = scene.rng.choice(["Name", "Severity", "Affected customers"])
    if label == "Name" and label in named:
        _reworded(scene, named[label], named[label].cells[1], 1)
    elif label in named:
        new = f"SEV{scene.rng.randrange(1, 4)}" if label == "Severity" else str(scene.rng.randrange(9000))
        old = named[label].cells[1]
        if new != old:
            scene.tell(f"{label}: {old} -> {new}")
            scene.desk.put(named[label], old, new, 1)


def status(scene: Scene) -> None:
    label = scene.rng.choice(STATUSES)
    scene.tell(f"status {label}")
    try:
        scene.desk.set_status(label)
        scene.play.statuses.append(label)
    except (AssertionError, StopIteration):
        scene.tell("... as it is")


def split(scene: Scene) -> None:
    line = scene.pick("prose")
    spaces = [i for i, letter in enumerate(line.text) if letter == " "] if line else []
    if line and spaces:
        at = scene.rng.choice(spaces) + 1
        scene.tell(f"splits {line.text!r} at {at}")
        scene.desk.split(line, at)


def merge(scene: Scene) -> None:
    """Backspace at the start of a paragraph: it joins the one above."""
    line = scene.pick("prose")
    index = scene.lines.index(line) if line else 0
    above = scene.lines[index - 1]
    if line and index and above.kind == "prose" and above.section == line.section and "<" not in line.text:
        scene.tell(f"joins {above.text!r} and {line.text!r}")
        scene.desk.delete([line])
        above = next(li for li in scene.desk.lines() if li.text == above.text)
        word = scene.play.word(above.text)
        if word:
            scene.desk.put(above, word, f"{word} {line.text}")
        else:
            scene.play.lose(line.text)


def rename_page(scene: Scene) -> None:
    if scene.rng.random() < 0.3:
        title = f"INC-12 {scene.play.sentence()}"
        scene.play.lose(title)  # the next to rename the page may write over it
        scene.tell(f"titles the page {title!r}")
        scene.desk.rename(title)


def nonsense(scene: Scene) -> None:
    """What nobody can understand stays as typed."""
    line = scene.pick("row", section=scene.rng.choice(["Timeline", "Details"]))
    if line and line.section == "Timeline" and re.search(r"\d\d:\d\d", line.cells[0]):
        scene.tell(f"{line.text!r} is at 25:99")
        scene.desk.put(line, line.cells[0], "25:99", 0)
    elif line and line.cells[0] == "Severity" and line.cells[1]:
        scene.tell("severity SEV9")
        scene.desk.put(line, line.cells[1], "SEV9", 1)


def paste(scene: Scene) -> None:
    """A line copied with its key and pasted somewhere else."""
    line = scene.pick("task", "row", "prose", "bullet")
    if line and line.section != "Details":
        behind = scene.pick(line.kind, section=line.section if line.kind == "row" else "")
        if behind and behind.section != "Details":
            scene.play.twice |= set(TOKEN.findall(line.text))
            scene.tell(f"copies {line.text!r} behind {behind.text!r}")
            if line.kind == "row":
                scene.desk.insert_row(behind, [cell.replace("`", "") for cell in line.cells])
            else:
                scene.desk.insert(behind, line.kind, _as_typed(line))


def _as_typed(line: Line) -> str:
    return re.sub(r"^- (\[.\] )?|[`*~]", "", line.text)


def move_across(scene: Scene) -> None:
    """A paragraph, a bullet or a task dragged into another section."""
    line, behind = scene.pick("prose", "bullet", "task"), scene.pick("heading", "prose", "bullet", "task")
    if line and behind and behind.section != line.section and scene.play.removed < ROWS_REMOVED:
        scene.play.removed += line.kind == "task"
        scene.tell(f"drags {line.text!r} behind {behind.text!r}")
        scene.desk.move([line], behind)


def delete_heading(scene: Scene) -> None:
    """What stood below now belongs to the section above."""
    parts = [p for p in sections(scene.lines) if all(li.kind in ("heading", "prose", "bullet", "help") for li in p)]
    parts = [p for p in parts[1:] if not any(name in p[0].text for name in ("Details", "Timeline", "Follow-ups"))]
    if parts and scene.rng.random() < 0.5:
        part = scene.rng.choice(parts)
        scene.play.twice |= set(TOKEN.findall(" ".join(line.text for line in part)))
        scene.play.lose_unknown(part[0].text)
        scene.tell(f"deletes the heading {part[0].text!r}")
        scene.desk.delete([part[0]])


def new_heading_inside(scene: Scene) -> None:
    """A heading in the middle of a section: the rest of it is a section of its own."""
    line = scene.pick("prose", "bullet", "help")
    if line and line.section not in ("Details", "Timeline", "Follow-ups"):
        part = next(p for p in sections(scene.lines) if line in p)
        scene.play.twice |= set(TOKEN.findall(" ".join(li.text for li in part)))
        head = scene.play.sentence()
        scene.tell(f"heading {head!r} behind {line.text!r}")
        scene.desk.insert(line, "heading", head)


def erase_key(scene: Scene) -> None:
    line = scene.pick("task", "row")
    found = line and re.search(r"\b(FU|T)-\d+", line.text)
    if line and found and line.section in ("Timeline", "Follow-ups"):
        scene.tell(f"erases the key of {line.text!r}")
        cell = next((i for i, text in enumerate(line.cells) if found[0] in text), 0)
        scene.desk.put(line, found[0], "", cell)


def edit_help(scene: Scene) -> None:
    line = scene.pick("help")
    if line:
        _reworded(scene, line, line.text)


def write_introduction(scene: Scene) -> None:
    if scene.lines and scene.lines[0].kind == "prose" and scene.rng.random() < 0.4:
        text = scene.play.sentence()
        scene.tell(f"introduces the page: {text!r}")
        scene.desk.insert(scene.lines[0], "prose", text)


def details_rows(scene: Scene) -> None:
    """A row added to the details, or one deleted."""
    line = scene.pick("row", section="Details")
    if line and scene.rng.random() < 0.5:
        cells = (scene.play.token(), scene.play.token())
        scene.tell(f"adds the detail {cells}")
        scene.desk.insert_row(line, cells)
    elif line and line.cells[0] not in ("Post-mortem status", "Reference"):
        scene.tell(f"deletes the detail {line.text!r}")
        scene.play.lose_unknown(line.text)
        scene.desk.delete([line])


def revert(scene: Scene) -> None:
    """An old version of the page is brought back."""
    desk = scene.desk
    if isinstance(desk, NotionDesk):
        return
    assert isinstance(desk, WikiDesk | FileDesk)
    now = desk.body if isinstance(desk, WikiDesk) else desk.text()
    old = scene.play.versions.setdefault(scene.where, now)
    scene.play.versions[scene.where] = now
    fewer = len(re.findall(r"(?:FU|T)-\d", now)) - len(re.findall(r"(?:FU|T)-\d", old))
    if old != now and fewer < ROWS_REMOVED - scene.play.removed and scene.rng.random() < 0.5:
        scene.play.removed += max(fewer, 0)
        scene.play.lose(now)
        scene.play.twice |= set(TOKEN.findall(old + now))
        scene.tell("brings back an old version")
        if isinstance(desk, WikiDesk):
            desk.publish(old)
        else:
            desk._write(old)


def embolden(scene: Scene) -> None:
    line = scene.pick("prose", "bullet", "task")
    word = scene.play.word(line.text) if line and line.section else ""
    desk = scene.desk
    if line and word and not isinstance(desk, NotionDesk) and "**" not in line.text:
        scene.tell(f"{word!r} in bold in {line.text!r}")
        desk.put(line, word, f"<strong>{word}</strong>" if isinstance(desk, WikiDesk) else f"**{word}**")


def turn(scene: Scene) -> None:
    """Notion's "turn into"."""
    line, desk = scene.pick("prose", "bullet", "task"), scene.desk
    if line and isinstance(desk, NotionDesk) and (line.kind != "task" or scene.play.removed < ROWS_REMOVED):
        scene.play.removed += line.kind == "task"
        scene.play.twice |= set(TOKEN.findall(line.text))
        kind = scene.rng.choice(["paragraph", "bulleted_list_item", "to_do", "quote", "heading_3"])
        scene.tell(f"turns {line.text!r} into {kind}")
        desk.space.ui_turn_into(line.at["id"], kind)


def foreign(scene: Scene) -> None:
    """Something that only this service knows."""
    line, desk = scene.pick("prose", "heading", "help", "bullet"), scene.desk
    if line and isinstance(desk, NotionDesk):
        scene.tell(f"a button behind {line.text!r}")
        desk.space.ui_insert(desk.page_id, line.block, {"type": "unsupported", "unsupported": {"block_type": "button"}})
    elif line and isinstance(desk, WikiDesk):
        scene.tell(f"a macro behind {line.text!r}")
        desk._paste(line.block[1], '<ac:structured-macro ac:name="roadmap" ac:schema-version="1" />')


def note(scene: Scene) -> None:
    """A line nested below a follow-up is a note of theirs."""
    line, desk = scene.pick("task", section="Follow-ups"), scene.desk
    if line and isinstance(desk, NotionDesk | FileDesk):
        text = scene.play.sentence()
        scene.tell(f"notes {text!r} below {line.text!r}")
        if isinstance(desk, FileDesk):
            desk._paste(line.at[1], [f"  - {text}"])
        else:
            kind = "bulleted_list_item"
            desk.space.ui_insert(line.at["id"], None, {"type": kind, kind: {"rich_text": rich(text)}})


ON_PAGE: dict[Callable[[Scene], None], int] = {
    reword: 5,
    rename_task: 3,
    rename_event: 3,
    rename_heading: 2,
    retime: 2,
    tick: 3,
    strike: 1,
    add_prose: 5,
    add_task: 4,
    add_row: 4,
    add_section: 2,
    delete_prose: 3,
    delete_row: 2,
    move_line: 4,
    move_section: 2,
    delete_section: 1,
    details: 3,
    status: 1,
    split: 1,
    merge: 1,
    rename_page: 1,
    nonsense: 1,
    paste: 2,
    move_across: 2,
    delete_heading: 1,
    new_heading_inside: 1,
    erase_key: 1,
    edit_help: 1,
    write_introduction: 1,
    details_rows: 1,
    revert: 1,
    embolden: 1,
    turn: 1,
    foreign: 1,
    note: 1,
}
