"""What a command prints: one JSON value for programs, tables and sentences for people.

Standard output holds the answer and nothing else; progress and warnings go to standard error. A table is drawn only where a
person reads; in a pipe its columns are plain text. What is printed is decided by the commands.
"""

import json
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from mapping import times

SIGNS = {True: "✓", False: "✗", None: "?"}


def print_json(value: Any) -> None:
    """The one value of a command called with `--json`."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Rows under their columns; nothing where there are no rows."""
    if not rows:
        return
    if sys.stdout.isatty():
        _drawn(columns, rows)
    else:
        click.echo(aligned([[name.upper() for name in columns], *rows]))


def _drawn(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    table = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        table.add_row(*(escape(cell) for cell in row))
    Console(highlight=False).print(table)


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as their widest cell, two spaces apart; a cell is one line."""
    flat = [[" ".join(cell.split()) for cell in row] for row in rows]
    widths = [max(len(cell) for cell in column) for column in zip(*flat, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in flat]
    return "\n".join(line.rstrip() for line in lines)


def moment(value: datetime | None) -> str:
    """A time as people read it in a table."""
    return value.strftime("%Y-%m-%d %H:%M:%SZ") if value else ""


def iso(value: datetime | None) -> str | None:
    """A time as programs read it."""
    return times.iso(value) if value else None


def age(span: timedelta) -> str:
    """`42 s`, `7 min`, `3 h`, `12 d`."""
    seconds = max(0, int(span.total_seconds()))
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
