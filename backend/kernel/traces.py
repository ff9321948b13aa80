"""An exception as text for a log: where it was raised and what it was, nothing of the row, value or code it was about.

A database's fault states a row in DETAIL and CONTEXT, a value in the message of class 22; SQLAlchemy repeats the parameters.
Errors of both are told by their attributes, so that who logs needs neither library.
"""

import re
import traceback
from typing import Any

TEXT_CHARS_MAX = 2_000
CHAIN_MAX = 20
_LONG_NUMBER = re.compile(r"[0-9]{11,}[0-9Xx]?")
"""Telephone and identity numbers, product codes, serials."""
_QUOTED = re.compile(r'".*"', re.DOTALL)
_VALUES = "22"
"""SQLSTATE, data exceptions: their messages quote the value."""
_CAUSED = "\nThe above exception was the direct cause of the following exception:\n\n"
_DURING = "\nDuring handling of the above exception, another exception occurred:\n\n"


def trace_of(error: BaseException) -> str:
    """The traceback as Python prints it, its causes first, at most twenty; each exception in the words of `said`."""
    parts: list[str] = []
    seen: set[int] = set()
    following: BaseException | None = error
    while following is not None and id(following) not in seen and len(seen) < CHAIN_MAX:
        seen.add(id(following))
        parts.insert(0, _one(following))
        before, link = _before(following)
        if before is not None and id(before) not in seen and len(seen) < CHAIN_MAX:
            parts.insert(0, link)
        following = before
    return "".join(parts)


def said(error: BaseException) -> str:
    """The class and the message; of a database's fault its SQLSTATE, its primary message, the table and constraint."""
    kind = type(error)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    original = getattr(error, "orig", None)
    if isinstance(original, BaseException) and original is not error:
        return f"{name}: {said(original)}"
    state = getattr(error, "sqlstate", None)
    text = str(error) if state is None else _of_database(state, getattr(error, "diag", None))
    masked = _LONG_NUMBER.sub("…", text[:TEXT_CHARS_MAX])
    return f"{name}: {masked}" if masked else name


def _one(error: BaseException) -> str:
    frames = "".join(traceback.format_tb(error.__traceback__))
    head = f"Traceback (most recent call last):\n{frames}" if frames else ""
    inner = error.exceptions if isinstance(error, BaseExceptionGroup) else ()
    members = "".join(f"  {line}\n" for one in inner[:CHAIN_MAX] for line in trace_of(one).splitlines())
    return f"{head}{said(error)}\n{members}"


def _before(error: BaseException) -> tuple[BaseException | None, str]:
    if error.__cause__ is not None:
        return error.__cause__, _CAUSED
    return (None if error.__suppress_context__ else error.__context__), _DURING


def _of_database(state: str, diagnosed: Any) -> str:
    message = str(getattr(diagnosed, "message_primary", None) or "")
    if state.startswith(_VALUES):
        message = _QUOTED.sub('"…"', message)
    named = ((what, getattr(diagnosed, f"{what}_name", None)) for what in ("table", "constraint"))
    place = ", ".join(f"{what} {name}" for what, name in named if name)
    return f"[{state}] {message}" + (f" ({place})" if place else "")
