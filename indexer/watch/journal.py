"""Structured logs on standard error: lines for people, or JSON; never a key."""

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from enum import StrEnum
from typing import Any

import structlog

from indexer.rpc import redacted

_URL = re.compile(r"\b(?:https?|wss?)://[^\s'\"<>]+")


class LogFormat(StrEnum):
    """How log lines are written."""

    CONSOLE = "console"
    JSON = "json"


def open_journal(form: LogFormat) -> structlog.typing.FilteringBoundLogger:
    """Send our logs, and warnings of libraries, to standard error in this form; return ours."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.stdlib.LoggerFactory(),
    )
    lines = logging.StreamHandler(sys.stderr)
    lines.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                without_secrets,
                _written(form),
            ],
        )
    )
    logging.basicConfig(level=logging.WARNING, handlers=[lines], force=True)
    logging.getLogger("perpscope").setLevel(logging.INFO)
    logger: structlog.typing.FilteringBoundLogger = structlog.get_logger("perpscope")
    return logger


def without_secrets(_: object, __: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """Return a log event whose URLs show scheme, host and port only."""
    return {
        key: _URL.sub(lambda found: redacted(found[0]), value) if isinstance(value, str) else value
        for key, value in event.items()
    }


def _written(form: LogFormat) -> structlog.typing.Processor:
    if form is LogFormat.JSON:
        return structlog.processors.JSONRenderer()
    return structlog.dev.ConsoleRenderer(
        colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
    )
