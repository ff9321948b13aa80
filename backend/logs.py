"""One JSON line a request or step on standard output: ids, outcomes and times; never a person, a token or a raw code.

Exceptions, ours and those that libraries log, are told by `kernel.traces`, without the row or value they are about.
"""

import logging
import sys
from types import TracebackType
from typing import Any, BinaryIO

import orjson
import structlog

from backend.kernel.traces import said, trace_of


def configure(level: str, stream: BinaryIO | None = None) -> None:
    """Once a process; `level` is debug, info, warning or error; to standard output where no `stream` is given."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.ExceptionRenderer(_traced),
            structlog.processors.JSONRenderer(serializer=_dumped),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.BytesLoggerFactory(stream or sys.stdout.buffer),
        cache_logger_on_first_use=True,
    )


def forward_libraries() -> None:
    """What libraries warn of becomes a line like ours, instead of text on standard error."""
    logging.basicConfig(handlers=[_Forwarded(logging.WARNING)], level=logging.WARNING, force=True)


class _Forwarded(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        structlog.get_logger().log(
            record.levelno, "library", logger=record.name, message=_message(record), exc_info=record.exc_info
        )


def _message(record: logging.LogRecord) -> str:
    """With the exceptions among its arguments told as in a trace."""
    if isinstance(record.args, tuple):
        record.args = tuple(said(one) if isinstance(one, BaseException) else one for one in record.args)
    return record.getMessage()


def _traced(exc_info: tuple[Any, BaseException, TracebackType | None]) -> str:
    return trace_of(exc_info[1])


def _dumped(event: object, **_options: object) -> bytes:
    return orjson.dumps(event, default=str)
