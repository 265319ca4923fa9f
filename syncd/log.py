"""Log lines: words by default, one JSON object a line with `--log-json`; always on standard error.

A line about a page carries it under `page` (`INC-12@wiki-postmortems`), so that one page's story can be searched for.
"""

import logging
import sys
from typing import TextIO

import structlog
from structlog.stdlib import BoundLogger, ProcessorFormatter
from structlog.typing import Processor

QUIET = logging.WARNING
"""The level of a command that answers and ends."""
CHATTY = {"atlassian": logging.INFO, "httpx": logging.WARNING, "uvicorn": logging.WARNING}
"""Libraries that would log whole page bodies or each request."""


def configure(*, as_json: bool, level: int = logging.INFO, stream: TextIO | None = None) -> None:
    """Say once how this process logs; what libraries log through the standard library looks the same."""
    out = stream or sys.stderr
    shared = _shared()
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, ProcessorFormatter.wrap_for_formatter],
        wrapper_class=BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(ProcessorFormatter(foreign_pre_chain=shared, processors=_last(as_json, colours=out.isatty())))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name, floor in CHATTY.items():
        logging.getLogger(name).setLevel(max(level, floor))


def logger() -> BoundLogger:
    """The process's log; bind `page` where a line is about one."""
    found: BoundLogger = structlog.get_logger("syncd")
    return found


def _shared() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]


def _last(as_json: bool, *, colours: bool) -> list[Processor]:
    bare: list[Processor] = [ProcessorFormatter.remove_processors_meta]
    if as_json:
        return [*bare, structlog.processors.format_exc_info, structlog.processors.JSONRenderer(ensure_ascii=False)]
    plain = structlog.dev.plain_traceback
    return [*bare, structlog.dev.ConsoleRenderer(colors=colours, pad_event_to=0, exception_formatter=plain)]
