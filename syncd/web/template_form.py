"""A template in a form: what the fields say, what the buttons in it do, and the table that it comes to. Pure.

Each section has a token that stays while the form is open, so that its fields are known wherever it has moved to. What is
removed stays in the form until it is saved, and can be put back.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar, cast

from mapping.incident import SectionKind
from mapping.template import HEADINGS, KINDS, TYPED_TASKS, Template, TemplateSection

T = TypeVar("T")
SUGGESTED = (*TYPED_TASKS, "debrief")
_KEY = re.compile(r"sections\[(\d+)\]\.?(\w*)")


@dataclass(frozen=True, slots=True)
class SectionForm:
    """One section. `gone`: it is removed when the form is saved."""

    token: str
    section: TemplateSection
    gone: bool = False


@dataclass(frozen=True, slots=True)
class TemplateForm:
    """All that is typed. `seen` is the mark of the file that it began with; `task` and `kind` are what is about to be added,
    `incident` the one that the preview is about."""

    name: str = ""
    write: str = "external"
    destination: str = ""
    title: str = ""
    tasks: tuple[str, ...] = ()
    require_written: bool = False
    sections: tuple[SectionForm, ...] = ()
    seen: str = ""
    task: str = ""
    kind: str = "text"
    incident: str = ""

    @property
    def kept(self) -> list[SectionForm]:
        return [section for section in self.sections if not section.gone]

    @property
    def suggestions(self) -> list[str]:
        """Tasks that one may want and that are not in the list."""
        return [task for task in SUGGESTED if task not in self.tasks]

    @property
    def kinds(self) -> list[str]:
        """The kinds of sections that can be added: prose always, the others once."""
        there = {form.section.kind for form in self.kept}
        return ["text", *(kind for kind in KINDS if kind != "text" and kind not in there)]


def of_template(template: Template, seen: str) -> TemplateForm:
    """The form as it opens."""
    sections = tuple(SectionForm(str(number), section) for number, section in enumerate(template.sections))
    return TemplateForm(
        name=template.name,
        write=template.write,
        destination=template.destination,
        title=template.title,
        tasks=template.tasks,
        require_written=template.require_written,
        sections=sections,
        seen=seen,
    )


def of_fields(fields: Iterable[tuple[str, str]]) -> TemplateForm:
    """The form as a browser sent it: its fields in order."""
    sent = [(name, value.replace("\r\n", "\n")) for name, value in fields]
    one = dict(sent)
    return TemplateForm(
        name=one.get("name", "").strip(),
        write=one.get("write", "external"),
        destination=one.get("destination", ""),
        title=one.get("title", "").strip(),
        tasks=tuple(value for name, value in sent if name == "tasks"),
        require_written="require_written" in one,
        sections=tuple(_sent_section(token, sent) for name, token in sent if name == "section"),
        seen=one.get("seen", ""),
        task=one.get("task", ""),
        kind=one.get("kind", "text"),
        incident=one.get("incident", "").strip(),
    )


def _sent_section(token: str, sent: list[tuple[str, str]]) -> SectionForm:
    mine = [(name.partition(".")[2], value) for name, value in sent if name.startswith(f"{token}.")]
    one = dict(mine)
    section = TemplateSection(
        id=one.get("id", ""),
        kind=cast(SectionKind, one.get("kind", "text")),
        heading=one.get("heading", ""),
        help=one.get("help", ""),
        custom_fields=tuple(value for name, value in mine if name == "custom_fields"),
        text=one.get("text", ""),
    )
    return SectionForm(token, section, gone="gone" in one)


def table(form: TemplateForm) -> dict[str, Any]:
    """What a file would say. A new section of prose is named after its heading."""
    taken: list[str] = [form.section.id for form in form.kept if form.section.id]
    sections = [_section_table(form.section, taken) for form in form.kept]
    return {
        "name": form.name,
        "write": form.write,
        "destination": form.destination,
        "title": form.title,
        "tasks": list(form.tasks),
        "require_written": form.require_written,
        "sections": sections,
    }


def _section_table(section: TemplateSection, taken: list[str]) -> dict[str, Any]:
    named = section.id or (_free(slug(section.heading, "-") or "section", taken) if section.heading.strip() else "")
    said = {"id": named, "kind": section.kind, "heading": section.heading}
    if section.kind != "text":
        return said if named else {"kind": section.kind, "heading": section.heading}
    return said | {"help": section.help, "custom_fields": list(section.custom_fields), "text": section.text}


def slug(text: str, between: str) -> str:
    """What is typed as a name for files and configurations: small letters, digits, and one character between."""
    return re.sub(r"[^a-z0-9]+", between, text.lower().replace("_", between)).strip(between)


def _free(name: str, taken: list[str]) -> str:
    free = next(n for n in (name, *(f"{name}-{i}" for i in range(2, len(taken) + 3))) if n not in taken)
    taken.append(free)
    return free


def by_control(form: TemplateForm, wrong: Mapping[str, str]) -> dict[str, str]:
    """Reasons by the name of a field of the form: `sections[2].heading` is `7.heading` where the token is 7."""
    found: dict[str, str] = {}
    for key, reason in wrong.items():
        place = _KEY.fullmatch(key)
        if place and int(place[1]) <= len(form.kept):
            token, name = form.kept[int(place[1]) - 1].token, place[2]
            found[f"{token}.{'heading' if name == 'id' else name}"] = reason
        else:
            found[key if key in TemplateForm.__dataclass_fields__ else ""] = reason
    return found


# --- buttons ------------------------------------------------------------------------------------------------------------


def pressed(form: TemplateForm, button: str) -> TemplateForm:
    """The form after a button in it was pressed: `section-up 3`, `task-add debrief` and the like."""
    action, _, about = button.partition(" ")
    match action:
        case "section-up" | "section-down":
            tokens = [section.token for section in form.sections]
            moved = _moved(form.sections, tokens.index(about) if about in tokens else -1, action.endswith("up"))
            return replace(form, sections=moved)
        case "section-remove" | "section-back":
            gone = action == "section-remove"
            changed = tuple(replace(s, gone=gone) if s.token == about else s for s in form.sections)
            return replace(form, sections=changed)
        case "section-add":
            return _with_section(form)
        case "task-up" | "task-down":
            at = form.tasks.index(about) if about in form.tasks else -1
            return replace(form, tasks=_moved(form.tasks, at, action.endswith("up")))
        case "task-remove":
            return replace(form, tasks=tuple(task for task in form.tasks if task != about))
        case "task-add":
            return _with_task(form, about or form.task)
    return form


def _moved(items: tuple[T, ...], at: int, up: bool) -> tuple[T, ...]:
    to = at - 1 if up else at + 1
    if at < 0 or not 0 <= to < len(items):
        return items
    order = list(items)
    order[at], order[to] = order[to], order[at]
    return tuple(order)


def _with_section(form: TemplateForm) -> TemplateForm:
    token = str(max((int(s.token) for s in form.sections if s.token.isdecimal()), default=-1) + 1)
    kind = cast(SectionKind, form.kind if form.kind in form.kinds else "text")
    section = TemplateSection("" if kind == "text" else kind, kind, HEADINGS.get(kind, ""))
    return replace(form, sections=(*form.sections, SectionForm(token, section)), kind="text")


def _with_task(form: TemplateForm, typed: str) -> TemplateForm:
    """A task as people would call it becomes a name: letters, digits and `_`."""
    task = typed if typed in SUGGESTED else slug(typed, "_")
    if not task or task in form.tasks:
        return form
    return replace(form, tasks=(*form.tasks, task), task="")
