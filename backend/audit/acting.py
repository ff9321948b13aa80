"""In whose name this thread works, as its entry says: a request, a command, a job. Use cases ask nobody for it."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from backend.audit.model import Actor

_actor: ContextVar[Actor] = ContextVar("actor")


class NobodyActsError(RuntimeError):
    """An act was about to be done in nobody's name: the entry forgot to say whose. A fault of ours."""


@contextmanager
def acting(actor: Actor) -> Iterator[None]:
    token = _actor.set(actor)
    try:
        yield
    finally:
        _actor.reset(token)


def actor() -> Actor:
    """Raises NobodyActsError."""
    try:
        return _actor.get()
    except LookupError:
        raise NobodyActsError from None
