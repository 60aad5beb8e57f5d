"""Structured logs on standard error: lines for people, or JSON; never a key."""

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog

from indexer.rpc import redacted

_URL = re.compile(r"\b(?:https?|wss?)://[^\s'\"<>]+")


def open_journal(*, is_json: bool) -> structlog.typing.FilteringBoundLogger:
    """Send our logs, and warnings of libraries, to standard error; return ours."""
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
                _written(is_json=is_json),
            ],
        )
    )
    logging.basicConfig(level=logging.WARNING, handlers=[lines], force=True)
    logging.getLogger("perpscope").setLevel(logging.INFO)
    # It warns whenever a task is due while it still runs, which is how a long task looks.
    logging.getLogger("apscheduler.scheduler").setLevel(logging.ERROR)
    logger: structlog.typing.FilteringBoundLogger = structlog.get_logger("perpscope")
    return logger


def without_secrets(_: object, __: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """Return a log event whose URLs show scheme, host and port only."""
    return {
        key: _URL.sub(lambda found: redacted(found[0]), value) if isinstance(value, str) else value
        for key, value in event.items()
    }


def _written(*, is_json: bool) -> structlog.typing.Processor:
    if is_json:
        return structlog.processors.JSONRenderer()
    return structlog.dev.ConsoleRenderer(
        colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
    )
