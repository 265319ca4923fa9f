"""What a page told the store, in words: one line a command."""

from mapping.commands import Add, AddSection, Command, Learn, Set
from mapping.markdown import to_markdown
from syncd.compose import INTRODUCTION


def command_words(command: Command) -> str:
    """A command from a page in words."""
    match command:
        case Set(target="section", key=key, field="help_gone"):
            return f"the reminder in {key} was deleted"
        case Set(target="section", key=key, blocks=blocks) if key == INTRODUCTION and blocks is not None:
            return f"above the first heading: {cut(to_markdown(blocks))}"
        case Set(blocks=blocks) if blocks is not None:
            return f"{command.key or command.field}: {cut(to_markdown(blocks))}"
        case Set():
            return f"{command.key or command.target} {command.field}: {cut(command.value) or 'cleared'}"
        case Add():
            return f"new {command.target.replace('_', '-')}: {cut(command.fields.get('title', ''))}"
        case AddSection():
            return (
                f"new section: {command.section.heading}" if command.section.heading else "new words above the first heading"
            )
        case Learn():
            return f"met {command.person.name} <{command.person.email}>"


def cut(text: str) -> str:
    """On one line, and not a long one."""
    flat = " ".join(text.split())
    return flat if len(flat) <= 80 else flat[:79] + "…"
