"""The command line: `syncd COMMAND`. What all commands have is `frame.py`, the commands are in the other files here."""

import click

from syncd import log
from syncd.cli import check, incident, insights, operate, pages, postmortem
from syncd.cli.frame import Root, Session, pass_session

EXAMPLES = (
    "syncd demo --once",
    "syncd init",
    "syncd import incidents.yaml",
    "syncd postmortem create INC-12 --template standard",
    "syncd once",
)


@click.group(cls=Root, examples=EXAMPLES, context_settings={"max_content_width": 110})
@click.option("--log-json", is_flag=True, help="Log one JSON object a line.")
@click.version_option(package_name="syncd")
@pass_session
def main(session: Session, log_json: bool) -> None:
    """Keeps incident post-mortems in step between a knowledge base and a local store, both ways."""
    session.log_json = log_json
    log.configure(as_json=log_json, level=log.QUIET)


for _module in (operate, pages, incident, check, postmortem, insights):
    for _command in _module.COMMANDS:
        main.add_command(_command)
