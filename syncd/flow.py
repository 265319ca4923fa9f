"""Post-incident flow: may this incident close, and if not, why. Pure; the answer's shape is DESIGN section 9.

The flow is the template's ordered list of tasks: `draft_post_mortem`, `export_post_mortem`, and manual ones. A definite no
beats unknown, and a page that could not be read makes its task neither done nor not done.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Literal

from mapping.incident import Incident, Postmortem, PostmortemStatus
from mapping.times import iso
from syncd.pages import Conflict, Page, Unread

DRAFT, EXPORT = "draft_post_mortem", "export_post_mortem"
ExportStatus = Literal["not_exported", "exporting", "fresh", "stale", "conflict", "held", "halted", "missing", "unknown"]
WORST: tuple[ExportStatus, ...] = (
    "halted", "missing", "conflict", "held", "stale", "exporting", "not_exported", "unknown", "fresh",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a task is not done: a code for programs, a sentence for people."""

    code: str
    message: str
    page: str = ""
    since: str = ""


@dataclass(frozen=True, slots=True)
class Look:
    """One page as it was last looked at. `unreachable`: the sentence of a provider that did not answer; `pending`: what one
    side has and the other not yet; `held`: what waits, and why; `code`: either of them for programs, where it has a name."""

    page: Page
    unreachable: str = ""
    pending: tuple[str, ...] = ()
    held: tuple[str, ...] = ()
    code: str = ""
    dirty_since: datetime | None = None
    conflicts: tuple[Conflict, ...] = ()
    unread: tuple[Unread, ...] = ()


@dataclass(frozen=True, slots=True)
class Export:
    """The worst of the pages that are not copies."""

    status: ExportStatus
    destination: str = ""
    url: str = ""
    checked_at: str = ""
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class Mark:
    """What a person said of a task: done by hand, or skipped with a reason."""

    done: bool
    by: str = ""
    at: datetime | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Task:
    """One task of the flow; `done` is None where it cannot be known. `skipped` is why it need not be done, said by `by`."""

    task: str
    done: bool | None
    reasons: tuple[Reason, ...] = ()
    kind: str = ""
    since: str = ""
    by: str = ""
    skipped: str = ""


@dataclass(frozen=True, slots=True)
class PastNo:
    """The incident was closed elsewhere although the gate said no, and nobody agreed to that yet."""

    at: datetime
    by: str
    reasons: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """The public shape."""
        return {"at": iso(self.at), "by": self.by, "reasons": list(self.reasons)}


@dataclass(frozen=True, slots=True)
class Gate:
    """The answer."""

    incident: str
    tasks: tuple[Task, ...]
    export: Export
    unwritten: tuple[str, ...] = field(default=())
    closed_past_no: PastNo | None = None

    @property
    def may_close(self) -> bool | None:
        states = [task.done for task in self.tasks]
        if False in states:
            return False
        return None if None in states else True

    @property
    def answer(self) -> str:
        return {True: "yes", False: "no", None: "unknown"}[self.may_close]

    @property
    def reasons(self) -> list[str]:
        """Why it is not yes, as sentences."""
        return [f"{task.task}: {reason.message}" for task in self.tasks if not task.done for reason in task.reasons]

    @property
    def exit_code(self) -> int:
        return {True: 0, False: 1, None: 3}[self.may_close]

    def as_json(self) -> dict[str, Any]:
        """The public shape."""
        return {
            "incident": self.incident,
            "answer": self.answer,
            "may_close": self.may_close,
            "tasks": [_trimmed(asdict(task), ("kind", "since", "by", "skipped")) for task in self.tasks],
            "unwritten": list(self.unwritten),
            "export": export_json(self.export),
            "closed_past_no": self.closed_past_no.as_json() if self.closed_past_no else None,
        }


def export_json(export: Export) -> dict[str, Any]:
    """The export status alone."""
    value = _trimmed(asdict(export), ())
    return {name: part if part or name == "reasons" else None for name, part in value.items()}


def _trimmed(value: dict[str, Any], optional: tuple[str, ...]) -> dict[str, Any]:
    reasons = [{k: v for k, v in r.items() if v or k in ("code", "message")} for r in value["reasons"]]
    return {k: v for k, v in value.items() if v or k not in optional} | {"reasons": reasons}


def gate(
    incident: Incident,
    postmortem: Postmortem | None,
    tasks: Sequence[str],
    marks: Mapping[str, Mark],
    looks: Sequence[Look],
    *,
    require_written: bool = False,
    fresh_since: datetime | None = None,
) -> Gate:
    """The gate's answer for what was just looked at. A page whose service does not answer now counts as fresh where it was
    so at `fresh_since` or later."""
    if postmortem is None:
        way = f"syncd postmortem create {incident.reference} --template standard"
        reason = Reason("no_postmortem", f"There is no post-mortem: `{way}` makes one.")
        nothing = Export("not_exported", reasons=(reason,))
        return Gate(incident.reference, tuple(Task(name, False, (reason,)) for name in (DRAFT, EXPORT)), nothing)
    looks = [look for look in looks if not look.page.copy]
    export = export_status(incident, looks)
    lately = fresh_since is not None and all(_was_fresh(look, fresh_since) for look in looks)
    unwritten = tuple(section.id for section in postmortem.sections if section.unwritten)
    known = {DRAFT: lambda: _draft(postmortem), EXPORT: lambda: _export(export, lately)}
    done = []
    for name in tasks:
        task = known[name]() if name in known else _manual(name, marks.get(name), incident)
        if require_written and unwritten and name in known:
            task = _unwritten(task, unwritten)
        done.append(_skipped(task, marks.get(name)))
    return Gate(incident.reference, tuple(done), export, unwritten)


def _draft(postmortem: Postmortem) -> Task:
    if postmortem.status is PostmortemStatus.IN_PROGRESS:
        return Task(DRAFT, False, (Reason("in_progress", "The post-mortem is still in progress."),))
    return Task(DRAFT, True)


def _was_fresh(look: Look, since: datetime) -> bool:
    """Whether all of a page that cannot be read now was in step lately; nothing can be said against one that can be."""
    checked = look.page.checked_at
    return not look.unreachable or (checked is not None and checked >= since and look.dirty_since is None)


def _export(export: Export, lately: bool) -> Task:
    if export.status == "fresh":
        return Task(EXPORT, True, since=export.checked_at)
    if _only_a_draft(export):  # the page says all that its people said, and what is missing there is theirs to let in
        return Task(EXPORT, True, export.reasons, since=export.checked_at)
    if export.status == "unknown" and lately:
        words = f"All was in step at {export.checked_at}, and that is accepted while the service does not answer."
        return Task(EXPORT, True, (*export.reasons, Reason("accepted", words, export.url)), since=export.checked_at)
    return Task(EXPORT, None if export.status == "unknown" else False, export.reasons)


def _manual(name: str, mark: Mark | None, incident: Incident) -> Task:
    if mark and mark.done:
        return Task(name, True, kind="manual", by=mark.by, since=_iso(mark.at))
    reason = Reason("not_done", f"`syncd flow done {incident.reference} {name}` says that it is.")
    return Task(name, False, (reason,), kind="manual")


def _skipped(task: Task, mark: Mark | None) -> Task:
    if not (mark and mark.why) or task.done:
        return task
    reason = Reason("skipped", f"Skipped by {mark.by or 'somebody'}: {mark.why}", since=_iso(mark.at))
    return Task(task.task, True, (reason,), task.kind, _iso(mark.at), mark.by, mark.why)


def _unwritten(task: Task, sections: Sequence[str]) -> Task:
    reason = Reason("unwritten", f"Nobody wrote: {', '.join(sections)}.")
    return Task(task.task, False, (*task.reasons, reason), task.kind, task.since, task.by)


# --- export status ------------------------------------------------------------------------------------------------------


def export_status(incident: Incident, looks: Sequence[Look]) -> Export:
    """The worst of these pages; nothing exported where there are none."""
    if not looks:
        way = f"It is on no page: `syncd postmortem export {incident.reference} --to DESTINATION` makes one."
        return Export("not_exported", reasons=(Reason("not_exported", way),))
    return min(map(_of_page, looks), key=_rank)


def _only_a_draft(export: Export) -> bool:
    return export.status == "held" and all(reason.code == "draft" for reason in export.reasons)


def _rank(export: Export) -> float:
    """The worst first; what only a draft holds is as good as fresh, but said."""
    return WORST.index("fresh") - 0.5 if _only_a_draft(export) else WORST.index(export.status)


def _of_page(look: Look) -> Export:
    status, reasons = _judged(look)
    page = look.page
    return Export(status, page.destination, page.url, _iso(page.checked_at), tuple(reasons))


def _judged(look: Look) -> tuple[ExportStatus, list[Reason]]:
    page = look.page
    if page.state in ("halted", "missing"):
        state: ExportStatus = "halted" if page.state == "halted" else "missing"
        return state, [_reason(look, page.code or state, page.reason)]
    if page.state == "detached":
        return "not_exported", [_reason(look, "detached", "The page is no longer kept in step.")]
    if look.conflicts:
        words = "An open conflict: `syncd conflicts show {}` shows both versions."
        return "conflict", [_reason(look, "conflict", words.format(conflict.id)) for conflict in look.conflicts]
    if look.unreachable:
        return "unknown", [_reason(look, look.code or "unreachable", look.unreachable)]
    if not page.native_id:
        words = page.reason or "The page is not there yet: the next pass makes it."
        return "exporting", [_reason(look, page.code or "exporting", words)]
    if look.unread:
        texts = ", ".join(f"{u.field} “{u.text}”" for u in look.unread)
        return "held", [_reason(look, "not_understood", f"On the page stands what nobody understood: {texts}.")]
    if look.held and look.code != "draft":
        return "held", [_reason(look, look.code or "held", words) for words in look.held]
    if look.pending or look.dirty_since:
        return "stale", [_reason(look, "stale", words) for words in look.pending or ("The store changed meanwhile.",)]
    if look.held:
        return "held", [_reason(look, "draft", words) for words in look.held]
    return "fresh", []


def _reason(look: Look, code: str, message: str) -> Reason:
    return Reason(code, message, look.page.url, _iso(look.dirty_since or look.page.since))


def _iso(moment: datetime | None) -> str:
    return iso(moment) if moment else ""
