"""The gate at the command line: asked of the store here, or of a server; once, or until it is yes."""

import os
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import click

from mapping.times import span
from syncd.cli.frame import Command, Session, pass_session
from syncd.cli.printing import SIGNS
from syncd.errors import Misuse, ProviderDown
from syncd.remote import Busy, server

FIRST_PAUSE, LONGEST_PAUSE = 2.0, 15.0  # seconds between two questions of `check --wait`, doubled each time
EXIT_CODES = {"yes": 0, "no": 1, "unknown": 3}
Gate = dict[str, Any]  # as `flow.Gate.as_json` has it


@click.command(
    cls=Command,
    examples=[
        "syncd check INC-12",
        "syncd check INC-12 --wait 60 --json",
        "syncd check INC-12 --server https://syncd.example.com --accept-fresh-within 24h",
    ],
)
@click.argument("ref")
@click.option("--wait", type=click.FloatRange(min=0), default=0.0, metavar="SECONDS", help="Ask again until yes, that long.")
@click.option("--server", "url", default="", metavar="URL", help="Ask a running syncd there; its token is in $SYNCD_TOKEN.")
@click.option(
    "--accept-fresh-within",
    "within",
    default="",
    metavar="SPAN",
    help="While a service does not answer: a page that was in step this lately, such as 24h, counts as fresh.",
)
@pass_session
def check(session: Session, ref: str, wait: float, url: str, within: str) -> None:
    """Ask whether an incident may close, and if not, why. Exit code: 0 yes, 1 no, 3 unknown.

    With --server it needs no store and no configuration here.
    """
    accepted = _span(within) if within else None
    ask = _of_server(url, ref, within) if url else lambda: session.app.check(ref, accepted).as_json()
    answer = answered(ask, wait, time.monotonic, time.sleep, lambda line: click.echo(f"{ref}: {line}", err=True))
    session.answer(answer, lambda: print_gate(answer))
    click.get_current_context().exit(EXIT_CODES[answer["answer"]])


def _of_server(url: str, ref: str, within: str) -> Callable[[], Gate]:
    ask = server(url, os.environ.get("SYNCD_TOKEN", ""))
    return lambda: ask(ref, within)


def _span(text: str) -> timedelta:
    found = span(text)
    if found is None:
        raise Misuse(f"'{text}' is no span of time such as 24h, 90m or 2d.", "syncd check --help")
    return found


def answered(
    ask: Callable[[], Gate],
    wait: float,
    now: Callable[[], float],
    sleep: Callable[[float], None],
    tell: Callable[[str], None] = lambda line: None,
) -> Gate:
    """The gate's answer; asked again, less and less often, until it is yes or `wait` seconds are over. `tell` gets a line
    whenever there is something new to wait for. Raises ProviderDown where the last question got no answer."""
    deadline, pause, told = now() + wait, FIRST_PAUSE, ""
    while True:
        answer, trouble = _asked(ask)
        left = deadline - now()
        if (answer and answer["may_close"]) or left <= 0:
            break
        if (line := _line(answer, trouble)) != told:
            tell(line)
            told = line
        sleep(min(max(pause, trouble.seconds if isinstance(trouble, Busy) else 0.0), left))
        pause = min(pause * 2, LONGEST_PAUSE)
    if answer is None:
        assert trouble is not None
        raise trouble
    return answer


def _asked(ask: Callable[[], Gate]) -> tuple[Gate | None, ProviderDown | None]:
    try:
        return ask(), None
    except ProviderDown as error:
        return None, error


def _line(answer: Gate | None, trouble: ProviderDown | None) -> str:
    if answer is None:
        return str(trouble)
    reasons = [reason["message"] for task in answer["tasks"] if not task["done"] for reason in task["reasons"]]
    return f"{answer['answer']}: {' '.join(reasons)}"


def print_gate(answer: Gate) -> None:
    """Task by task, each with its reasons."""
    may = {"yes": "may close", "no": "may not close", "unknown": "may close or not: a page could not be looked at"}
    click.echo(f"{answer['incident']} {may[answer['answer']]}.")
    for task in answer["tasks"]:
        by = f" by {task['by']}" if task.get("by") else ""
        click.echo(f"{SIGNS[task['done']]} {task['task']}{by}")
        for reason in task["reasons"]:
            click.echo(f"    {reason['message']}{f'  {page}' if (page := reason.get('page')) else ''}")
    if answer["unwritten"]:
        click.echo(f"Not written yet: {', '.join(answer['unwritten'])}.")
    if closed := answer["closed_past_no"]:
        ref = answer["incident"]
        click.echo(f'Closed elsewhere past a no, by {closed["by"]}: `syncd flow agree {ref} --why "..."` lets that stand.')


COMMANDS = (check,)
