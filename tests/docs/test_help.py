"""Every command says what it does and shows how, and what it shows can be typed."""

import shlex
from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from syncd.cli import main
from syncd.cli.frame import Command, Group


def commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every group and command with the words that name it."""
    yield path, group
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name), command


ALL = list(commands(main))
EXAMPLES = sorted({line for _, command in ALL if isinstance(command, Command | Group) for line in command.examples})


@pytest.mark.parametrize(("path", "command"), ALL, ids=[" ".join(path) or "syncd" for path, _ in ALL])
def test_help_says_what_it_does_and_shows_examples(path: tuple[str, ...], command: click.Command) -> None:
    result = CliRunner().invoke(main, [*path, "--help"])
    assert result.exit_code == 0
    assert command.help
    assert "Examples:" in result.stdout
    assert "syncd " in result.stdout.partition("Examples:")[2]


@pytest.mark.parametrize(("path", "command"), ALL, ids=[" ".join(path) or "syncd" for path, _ in ALL])
def test_every_command_takes_json_and_config(path: tuple[str, ...], command: click.Command) -> None:
    names = {name for parameter in command.params for name in parameter.opts}
    assert {"--json", "--config"} <= names


@pytest.mark.parametrize("line", EXAMPLES)
def test_examples_can_be_typed(line: str) -> None:
    words = shlex.split(line.partition("|")[2] or line.partition(">")[0])
    assert words[0] == "syncd"
    command: click.Command = main
    parent = click.Context(main, info_name="syncd")
    arguments = words[1:]
    while isinstance(command, click.Group):
        name, found, arguments = command.resolve_command(parent, arguments)
        assert found is not None
        command = found
        parent = click.Context(command, info_name=name, parent=parent)
    command.make_context("example", arguments, parent=parent)


@pytest.mark.parametrize(("path", "command"), ALL, ids=[" ".join(path) or "syncd" for path, _ in ALL])
def test_every_option_is_explained(path: tuple[str, ...], command: click.Command) -> None:
    silent = [p.name for p in command.params if isinstance(p, click.Option) and not p.help]
    assert silent == []
