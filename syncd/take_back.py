"""What one line of the journal changed, as the command that takes it back. Pure.

A value becomes what it was. Prose is taken back paragraph by paragraph, so that what was written since stays.
"""

from mapping.commands import Command, Set, Target
from mapping.document import Block
from mapping.incident import Incident, Postmortem
from mapping.markdown import from_markdown
from mapping.merge import merge_blocks
from syncd.errors import Misuse
from syncd.store.journal import JournalLine

PROSE = ("summary", "blocks")
_NOTHING = "replaced no text; those that say what became what can be taken back."
_WHY = {
    "wrote": "wrote to a page what earlier lines had changed here: take those back.",
    "conflict": "tells of a conflict, which has kept both versions: `syncd conflicts list --all`.",
    "unread": "tells what nobody understood as a value; it was never in the store.",
}


def taken_back(line: JournalLine, incident: Incident, postmortem: Postmortem | None) -> Command:
    """The command that brings the text before this line back. Raises Misuse for a line that replaced no text."""
    if line.action != "set":
        raise Misuse(f"Line {line.id} {_WHY.get(line.action, _NOTHING)}", f"syncd journal {line.incident}")
    target, key = _record(line, incident)
    if line.field not in PROSE:
        return Set(target, key, line.field, line.old)
    now = _prose(line, incident, postmortem)
    back = merge_blocks(from_markdown(line.new), now, from_markdown(line.old), "remote").blocks
    return Set(target, key, line.field, blocks=merge_blocks(now, back, now, "local").blocks)  # kept things stay


def _record(line: JournalLine, incident: Incident) -> tuple[Target, str]:
    if line.subject == line.incident:
        return "incident", ""
    if line.subject == "postmortem":
        return "postmortem", ""
    kind, _, name = line.subject.partition(":")
    if kind == "section":
        return "section", name
    follow_ups = {row.key for row in incident.follow_ups}
    return ("follow_up" if line.subject in follow_ups else "event"), line.subject


def _prose(line: JournalLine, incident: Incident, postmortem: Postmortem | None) -> tuple[Block, ...]:
    if line.field == "summary":
        return incident.summary
    section = postmortem.section(line.subject.removeprefix("section:")) if postmortem else None
    return section.blocks if section else ()
