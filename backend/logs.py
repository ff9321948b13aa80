"""One JSON line a request or step on standard output: ids, outcomes and times; never a person, a token or a raw code."""

import logging
import sys

import orjson
import structlog


def configure(level: str) -> None:
    """Once a process; `level` is debug, info, warning or error."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(serializer=_dumped),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.BytesLoggerFactory(sys.stdout.buffer),
        cache_logger_on_first_use=True,
    )


def _dumped(event: object, **_options: object) -> bytes:
    return orjson.dumps(event, default=str)
