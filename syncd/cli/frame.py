"""What every command has: `--json` and `--config` in any place, help with examples, errors as one sentence with a next step.

The commands themselves are in the files beside this one, the root of the command line is `__init__.py`, and what all of
them call is `app.py`.
"""

import errno
import getpass
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from mapping.commands import Actor
from providers.contract import ProviderError, Unreachable
from syncd.app import App
from syncd.assembly import Assembly, assemble
from syncd.cli.printing import print_json
from syncd.errors import ConfigError, KeptElsewhere, ProviderDown, RefusedByGate, SyncdError
from syncd.patience import Patience
from syncd.settings import load

RETRY_SECONDS = 30.0  # that one command spends on trying again


@dataclass
class Session:
    """One invocation: its options, and what its configuration was built into, made when first needed."""

    json: bool = False
    config: Path | None = None
    log_json: bool = False
    patience: Patience = field(default_factory=lambda: Patience(RETRY_SECONDS, time.sleep))
    _built: Assembly | None = None

    @property
    def wanted_config(self) -> Path:
        """`--config`, else `$SYNCD_CONFIG`, else `./config.toml`, whether it is there or not."""
        return (self.config or Path(os.environ.get("SYNCD_CONFIG") or "config.toml")).absolute()

    @property
    def config_path(self) -> Path:
        """The configuration file. Raises ConfigError where there is none."""
        if not self.wanted_config.is_file():
            raise ConfigError([f"There is no configuration at {self.wanted_config}."], "syncd init")
        return self.wanted_config

    @property
    def built(self) -> Assembly:
        """Everything that the configuration is built into."""
        if self._built is None:
            path = self.config_path
            self._built = assemble(path, load(path), self.patience.sleeper)
            click.get_current_context().find_root().call_on_close(self._built.close)
        return self._built

    @property
    def app(self) -> App:
        """The use-cases."""
        return self.built.app

    def actor(self) -> Actor:
        """Who is at the command line: `$SYNCD_USER`, else the name of the account."""
        return Actor("store", os.environ.get("SYNCD_USER") or _account())

    def answer(self, value: Any, people: Callable[[], None]) -> None:
        """Print the JSON value for a program, or let `people` print."""
        if self.json:
            print_json(value)
        else:
            people()

    def done(self, sentence: str, **values: Any) -> None:
        """A change was made: a sentence for people, `values` for programs."""
        self.answer(values, lambda: click.echo(sentence))


def _account() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # an account without a name, as in some containers
        return ""


pass_session = click.make_pass_decorator(Session, ensure=True)


def _remember_json(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    session = ctx.ensure_object(Session)
    session.json = session.json or value


def _remember_config(ctx: click.Context, param: click.Parameter, value: Path | None) -> None:
    if value is not None:
        ctx.ensure_object(Session).config = value


def shared_options() -> list[click.Parameter]:
    """`--json` and `--config`, which every command and group takes."""
    config = click.Path(path_type=Path, dir_okay=False)
    return [
        click.Option(
            ["--json"], is_flag=True, expose_value=False, callback=_remember_json, help="Print one JSON value, nothing else."
        ),
        click.Option(
            ["--config"],
            type=config,
            expose_value=False,
            callback=_remember_config,
            help="Configuration file; else $SYNCD_CONFIG, else ./config.toml.",
        ),
    ]


class Command(click.Command):
    """A command with the shared options; its help ends in examples, one line each."""

    def __init__(self, *args: Any, examples: Sequence[str] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.examples = tuple(examples)
        self.params += shared_options()

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Click's last word: the examples."""
        _write_examples(formatter, self.examples)


class Group(click.Group):
    """A group of such commands."""

    command_class = Command

    def __init__(self, *args: Any, examples: Sequence[str] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.examples = tuple(examples)
        self.params += shared_options()

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Click's last word: the examples."""
        _write_examples(formatter, self.examples)


Group.group_class = Group


def _write_examples(formatter: click.HelpFormatter, examples: Sequence[str]) -> None:
    if examples:
        with formatter.section("Examples"):
            for line in examples:
                formatter.write(f"{'':>{formatter.current_indent}}{line}\n")


class Root(Group):
    """The whole command line: the one place where an error becomes words and an exit code."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """A command line that is wrong answers JSON too, when it asked for it."""
        ctx.ensure_object(Session).json = "--json" in args
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; raises click's Exit with the code of DESIGN's table."""
        session = ctx.ensure_object(Session)
        try:
            return super().invoke(ctx)
        except click.UsageError as error:
            if session.json:
                print_json({"error": error.format_message()})
            raise
        except SyncdError as error:
            _say(session, error)
            ctx.exit(error.exit_code)
        except ProviderError as error:
            _say(session, ProviderDown(f"{error}.".replace("..", "."), "syncd doctor"))
            ctx.exit(3 if isinstance(error, Unreachable) else 4)
        except OSError as error:
            if error.errno == errno.EPIPE:
                raise
            _say(session, SyncdError(f"{error.filename or 'The system'}: {error.strerror or error}."))
            ctx.exit(SyncdError.exit_code)


def _say(session: Session, error: SyncdError) -> None:
    reasons = error.reasons if isinstance(error, RefusedByGate) else ()
    click.echo(str(error), err=True)
    for reason in reasons:
        click.echo(f"  - {reason}", err=True)
    if error.hint:
        click.echo(f"Next: {error.hint}", err=True)
    diff = {"diff": error.diff} if isinstance(error, KeptElsewhere) else {}
    if session.json:
        print_json({"error": str(error), "reasons": list(reasons), "hint": error.hint or None, **diff})
    elif diff:
        click.echo(diff["diff"], nl=False)
