"""Work that may lose a race to another transaction: it is done again, and from then on with locks."""

import contextlib
from collections.abc import Callable
from typing import Protocol, TypeVar

from sqlalchemy import Connection

from backend.ledger.model import BoundReached
from backend.storage.transaction import DatabaseBusy

Result = TypeVar("Result")
ATTEMPTS_MAX = 8


class Writes(Protocol):
    """Runs work in a transaction and commits it; may run it again."""

    def write(self, work: Callable[[Connection], Result]) -> Result: ...


class LostRace(Exception):
    """Another transaction took the last of a limit, or a label, between our load and our save."""


def won(database: Writes, attempt: Callable[[Connection, bool], Result]) -> Result:
    """What `attempt` returns, after COMMIT. It is told whether to be careful: to lock what it looks at, in the one order.

    Raises what it raises, but LostRace and BoundReached eight times in a row are DatabaseBusy.
    """
    for number in range(ATTEMPTS_MAX):
        careful = number > 0
        with contextlib.suppress(LostRace, BoundReached):
            return database.write(lambda connection: attempt(connection, careful))  # noqa: B023 - called at once
    raise DatabaseBusy
