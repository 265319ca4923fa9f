"""Post-mortem templates: reading and checking one, rendering its sections and title, filling in later what was not set.

Where template files are and how they are edited is `syncd/templates.py`; the language of their texts is
`template_language.py`, what the names in it mean `template_values.py`.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import tzinfo
from functools import partial
from typing import Any, Literal, cast, get_args

from mapping.document import Block, text_spans
from mapping.incident import Incident, Section, SectionKind
from mapping.template_language import LanguageError, as_markdown, as_title, check, environment, meant, render
from mapping.template_values import NOT_SET, incident_view

Write = Literal["external", "in-house"]
Markdown = Callable[[str], tuple[Block, ...]]

DEFAULT_TITLE = "{{ incident.reference }} {{ incident.name }}"
DEFAULT_TASKS: dict[str, tuple[str, ...]] = {"external": ("export_post_mortem",), "in-house": ("draft_post_mortem",)}
TYPED_TASKS = ("draft_post_mortem", "export_post_mortem")
HEADINGS = {"summary": "Summary", "details": "Details", "timeline": "Timeline", "follow_ups": "Follow-ups"}
KINDS: tuple[str, ...] = get_args(SectionKind)
TEXT_ONLY = ("help", "custom_fields", "text")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


class TemplateError(ValueError):
    """A template cannot be used: the `reason`, and `where`, a key such as `title` or `sections[2].heading`, empty where it
    is no key's. The loader adds the file."""

    def __init__(self, reason: str, where: str = "") -> None:
        super().__init__(f"{where}: {reason}" if where else reason)
        self.where, self.reason = where, reason


@dataclass(frozen=True, slots=True)
class TemplateSection:
    """One section in the making. `help`, `custom_fields` (ids) and `text` (Markdown with Jinja) are for kind `text` only."""

    id: str
    kind: SectionKind
    heading: str
    help: str = ""
    custom_fields: tuple[str, ...] = ()
    text: str = ""


@dataclass(frozen=True, slots=True)
class Template:
    """A template; `id` is its file's name without `.toml`. `destination` is where an external one is written, or where an
    in-house one is exported by default; `tasks` are the flow's tasks in order."""

    id: str
    name: str
    write: Write
    destination: str = ""
    title: str = DEFAULT_TITLE
    tasks: tuple[str, ...] = ()
    require_written: bool = False
    sections: tuple[TemplateSection, ...] = ()


# --- reading --------------------------------------------------------------------------------------------------------

_KEYS: dict[str, type] = {
    "name": str,
    "write": str,
    "destination": str,
    "title": str,
    "tasks": list,
    "require_written": bool,
    "sections": list,
}
_SECTION_KEYS: dict[str, type] = {"id": str, "kind": str, "heading": str, "help": str, "custom_fields": list, "text": str}
_CALLED = {str: "text", list: "a list", bool: "true or false"}


def parse_template(template_id: str, table: Mapping[str, object]) -> Template:
    """The template that a file's table says; TemplateError names the first key that is wrong."""
    wrong = problems(table)
    if wrong:
        raise wrong[0]
    return Template(
        id=template_id,
        name=str(table.get("name") or template_id),
        write=_write(table),
        destination=str(table.get("destination", "")),
        title=_title(table),
        tasks=_tasks(table),
        require_written=bool(table.get("require_written", False)),
        sections=tuple(_section(section, f"sections[{n}].") for n, section in enumerate(_tables(table), start=1)),
    )


def problems(table: Mapping[str, object]) -> list[TemplateError]:
    """Everything that is wrong with a file's table, the first mistake of each key; empty where it can be parsed."""
    wrong = _wrong_keys(table, _KEYS, "")
    if wrong:
        return wrong
    found = _raised(partial(_write, table), partial(_check_text, "title", _title(table)), partial(_tasks, table))
    sections = _tables(table)
    if not sections:
        found.append(TemplateError("a template needs at least one [[sections]] table", "sections"))
    for number, section in enumerate(sections, start=1):
        found += _wrong_section(section, f"sections[{number}].") or _taken(section, sections[: number - 1], number)
    return found


def as_table(template: Template) -> dict[str, Any]:
    """The table of a file that says all of this template, for somebody who edits it."""
    value = asdict(template)
    del value["id"]
    return value | {"tasks": list(template.tasks), "sections": [_section_table(section) for section in template.sections]}


def _section_table(section: TemplateSection) -> dict[str, Any]:
    return asdict(section) | {"custom_fields": list(section.custom_fields)}


def _raised(*checks: Callable[[], object]) -> list[TemplateError]:
    found = []
    for check_one in checks:
        try:
            check_one()
        except TemplateError as error:
            found.append(error)
    return found


def _wrong_keys(table: Mapping[str, object], known: Mapping[str, type], where: str) -> list[TemplateError]:
    unknown = [TemplateError(f"unknown key{meant(key, known)}", f"{where}{key}") for key in table if key not in known]
    return unknown + [
        TemplateError(f"must be {_CALLED[known[key]]}", f"{where}{key}")
        for key, value in table.items()
        if key in known and not isinstance(value, known[key])
    ]


def _write(table: Mapping[str, object]) -> Write:
    write = table.get("write", "external")
    if write not in get_args(Write):
        raise TemplateError(f"'{write}' must be 'external' or 'in-house'", "write")
    return cast(Write, write)


def _title(table: Mapping[str, object]) -> str:
    return str(table.get("title", DEFAULT_TITLE))


def _check_text(where: str, text: str) -> None:
    try:
        check(text)
    except LanguageError as error:
        raise TemplateError(str(error), where) from error


def _texts(value: object, where: str) -> tuple[str, ...]:
    texts = tuple(cast(Sequence[object], value))
    for text in texts:
        if not isinstance(text, str) or not text:
            raise TemplateError(f"'{text}' must be a text that is not empty", where)
    repeated = next((text for text in texts if texts.count(text) > 1), None)
    if repeated:
        raise TemplateError(f"'{repeated}' is listed twice", where)
    return cast(tuple[str, ...], texts)


def _tasks(table: Mapping[str, object]) -> tuple[str, ...]:
    if table.get("tasks") is None:
        return DEFAULT_TASKS.get(str(table.get("write", "external")), ())
    tasks = _texts(table["tasks"], "tasks")
    for task in tasks:
        near = "" if task in TYPED_TASKS else _typed_like(task)
        if near or not _ID.fullmatch(task):
            raise TemplateError(f"'{task}' cannot be a task" + (f", did you mean '{near}'?" if near else ""), "tasks")
    return tasks


def _typed_like(task: str) -> str:
    """The typed task that differs only in case and separators: a manual task of that name would never do what was meant."""
    plain = {re.sub(r"[_\s-]", "", typed): typed for typed in TYPED_TASKS}
    return plain.get(re.sub(r"[_\s-]", "", task.lower()), "")


def _tables(table: Mapping[str, object]) -> Sequence[object]:
    return cast(Sequence[object], table.get("sections") or ())


def _wrong_section(table: object, where: str) -> list[TemplateError]:
    if not isinstance(table, Mapping):
        return [TemplateError("must be a table, written [[sections]]", where[:-1])]
    return _wrong_keys(table, _SECTION_KEYS, where) or _raised(
        partial(_kind, table, where),
        partial(_check_misplaced, table, where),
        partial(_check_text, f"{where}text", str(table.get("text", ""))),
        partial(_required, table, "id", where),
        partial(_required, table, "heading", where),
        partial(_texts, table.get("custom_fields", ()), f"{where}custom_fields"),
    )


def _taken(table: object, before: Sequence[object], number: int) -> list[TemplateError]:
    """What an earlier section has already: an id, or a kind that stands once."""
    mine, kind = _named(table)
    others = [_named(other) for other in before]
    if mine in [other for other, _ in others]:
        return [TemplateError(f"'{mine}' is taken by another section", f"sections[{number}].id")]
    if kind != "text" and kind in [other for _, other in others]:
        return [TemplateError(f"only one section can be '{kind}'", f"sections[{number}].kind")]
    return []


def _named(table: object) -> tuple[str, str]:
    """Id and kind of a section, as far as it says them."""
    if not isinstance(table, Mapping):
        return "", ""
    return section_id(table), str(table.get("kind", "text"))


def section_id(table: Mapping[str, object]) -> str:
    """The id of a section's table: its own, else the kind where that is not `text`."""
    kind = str(table.get("kind", "text"))
    return str(table.get("id", "")).strip() or ("" if kind == "text" else kind)


def _section(table: object, where: str) -> TemplateSection:
    assert isinstance(table, Mapping), "it was checked"
    return TemplateSection(
        id=_required(table, "id", where),
        kind=_kind(table, where),
        heading=" ".join(_required(table, "heading", where).split()),
        help=str(table.get("help", "")).strip(),
        custom_fields=_texts(table.get("custom_fields", ()), f"{where}custom_fields"),
        text=str(table.get("text", "")),
    )


def _kind(table: Mapping[str, object], where: str) -> SectionKind:
    kind = table.get("kind", "text")
    if kind not in KINDS:
        raise TemplateError(f"'{kind}' is not one of {', '.join(KINDS)}{meant(str(kind), KINDS)}", f"{where}kind")
    return cast(SectionKind, kind)


def _check_misplaced(table: Mapping[str, object], where: str) -> None:
    kind = table.get("kind", "text")
    misplaced = next((key for key in TEXT_ONLY if kind != "text" and table.get(key)), None)
    if misplaced:
        raise TemplateError(f"only sections of kind 'text' have it, this one is '{kind}'", f"{where}{misplaced}")


def _required(table: Mapping[str, object], key: str, where: str) -> str:
    kind = str(table.get("kind", "text"))
    otherwise = kind if key == "id" else HEADINGS.get(kind, "")
    value = str(table.get(key, "")).strip() or ("" if kind == "text" else otherwise)
    if not value:
        raise TemplateError("sections of kind 'text' need one", f"{where}{key}")
    if key == "id" and not _ID.fullmatch(value):
        raise TemplateError(f"'{value}' may only hold letters, digits, '-' and '_'", f"{where}id")
    return value


# --- rendering ------------------------------------------------------------------------------------------------------


def render_sections(template: Template, incident: Incident, zone: tzinfo, markdown: Markdown) -> tuple[Section, ...]:
    """The sections of a new post-mortem, times in `zone`; `markdown` reads a rendered text. TemplateError names the
    template, the section and the name that is unknown."""
    return tuple(_rendered(template.id, section, incident, zone, markdown) for section in template.sections)


def _rendered(template_id: str, section: TemplateSection, incident: Incident, zone: tzinfo, markdown: Markdown) -> Section:
    blocks = render_text(template_id, section, incident, zone, markdown)
    return Section(
        section.id, section.kind, section.heading, blocks, blocks, help=section.help, custom_fields=section.custom_fields
    )


def render_text(
    template_id: str, section: TemplateSection, incident: Incident, zone: tzinfo, markdown: Markdown
) -> tuple[Block, ...]:
    """The prose that a section's text makes of the incident as it is now."""
    if not section.text.strip():
        return ()
    try:
        text = render(section.text, {"incident": incident_view(incident)}, environment(zone, as_markdown))
    except LanguageError as error:
        raise TemplateError(str(error), f"template '{template_id}', section '{section.id}'") from error
    return tuple(_below_section(block) for block in markdown(text))


def _below_section(block: Block) -> Block:
    """A heading of level 1 or 2 would begin a section of its own."""
    return replace(block, level=3) if block.kind == "heading" and block.level < 3 else block


def render_title(pattern: str, incident: Incident, zone: tzinfo, limit: int) -> str:
    """The page's title in one line of at most `limit` characters, cut at a word; the reference if nothing else is left."""
    try:
        text = render(pattern, {"incident": incident_view(incident)}, environment(zone, as_title))
    except LanguageError as error:
        raise TemplateError(str(error), "title") from error
    return cut_at_word(" ".join(text.split()) or incident.reference, limit)


def cut_at_word(text: str, limit: int) -> str:
    """At most `limit` characters, ending in an ellipsis where something was cut."""
    if len(text) <= limit:
        return text
    head, space, _ = text[:limit].rpartition(" ")
    return f"{(head if space else text[: limit - 1]).rstrip(' ,;:-')}…"


# --- later ----------------------------------------------------------------------------------------------------------


def fill_in(section: Section, rendered_now: Sequence[Block]) -> tuple[tuple[Block, ...], tuple[Block, ...]]:
    """(rendered, blocks) of a section after values arrived: only paragraphs that said "not set" and that nobody touched."""
    rendered, blocks = list(section.rendered), list(section.blocks)
    for index, old in enumerate(section.rendered):
        new = _successor(index, section.rendered, rendered_now) if NOT_SET in old.text else None
        if new is None or new == old or old not in blocks:
            continue
        rendered[index] = new
        place = blocks.index(old)
        blocks[place] = replace(new, native=blocks[place].native, hint=blocks[place].hint)
    return tuple(rendered), tuple(blocks)


def _successor(index: int, before: Sequence[Block], now: Sequence[Block]) -> Block | None:
    """The block that the one at `index` has become: the only one that says the same around what was not set."""
    old = before[index]
    pattern = re.compile(".+".join(re.escape(part) for part in old.text.split(NOT_SET)), re.DOTALL)
    alike = [i for i, block in enumerate(now) if block.kind == old.kind and pattern.fullmatch(block.text)]
    if len(before) == len(now) and index in alike:
        return now[index]
    return now[alike[0]] if len(alike) == 1 else None


def help_block(section: Section, field_labels: Mapping[str, str]) -> Block | None:
    """The panel of an unwritten section: its help and the custom fields it reminds of; None once written or deleted.
    `field_labels` are labels by field id; a field without one goes by its id."""
    if section.help_gone or section.kind != "text" or section.blocks != section.rendered:
        return None
    labels = ", ".join(field_labels.get(field) or field for field in section.custom_fields)
    text = "\n".join(line for line in (section.help, f"Remember: {labels}" if labels else "") if line)
    return Block("panel", text_spans(text)) if text else None


# --- the copy that is stored with a post-mortem ---------------------------------------------------------------------


def to_json(template: Template) -> str:
    """The template as compact JSON text."""
    return json.dumps(asdict(template), ensure_ascii=False, separators=(",", ":"))


def from_json(text: str) -> Template:
    """The template that `to_json` wrote; it is not checked again."""
    value: dict[str, Any] = json.loads(text)
    sections = tuple(_with_tuples(TemplateSection, section, ("custom_fields",)) for section in value.pop("sections"))
    return cast(Template, _with_tuples(Template, value | {"sections": sections}, ("tasks",)))


def _with_tuples(made: Callable[..., Any], value: Mapping[str, Any], lists: Iterable[str]) -> Any:
    return made(**{**value, **{name: tuple(value[name]) for name in lists}})
