"""What can be learned from all incidents at once."""

import click

from syncd.cli.frame import Command, Session, pass_session
from syncd.cli.printing import print_table
from syncd.errors import Misuse
from syncd.insights import INSIGHTS, Insight
from syncd.insights import insight as found


@click.command(cls=Command, examples=["syncd insights", "syncd insights follow-ups", "syncd insights missing --csv"])
@click.argument("name", required=False)
@click.option("--csv", "as_csv", is_flag=True, help="Print one insight as comma-separated values.")
@pass_session
def insights(session: Session, name: str | None, as_csv: bool) -> None:
    """Tell which incidents lack a post-mortem, how long post-mortems take, whose follow-ups are open or overdue, where pages
    and records disagreed and who decided: all in a sentence each, or one as a table."""
    store = session.app.store
    if as_csv and (name is None or session.json):
        raise Misuse(
            "As CSV there is one insight at a time, and nothing else.", f"syncd insights {next(iter(INSIGHTS))} --csv"
        )
    if name is None:
        every = [found(store, known) for known in INSIGHTS]
        session.answer([one.as_json() for one in every], lambda: _print_all(every))
        return
    one = found(store, name)
    if as_csv:
        click.echo(one.as_csv(), nl=False)
        return
    session.answer(one.as_json(), lambda: _print(one))


def _print_all(every: list[Insight]) -> None:
    print_table(("name", "says"), [[one.name, one.headline] for one in every])


def _print(one: Insight) -> None:
    click.echo(f"{one.title}: {one.headline}")
    print_table([column.words for column in one.columns], [[str(cell) for cell in row] for row in one.rows])


COMMANDS = (insights,)
