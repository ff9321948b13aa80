"""What was held beyond its time is ended, a transaction each, a slice of the overdue at a time."""

from collections.abc import Callable, Sequence

from sqlalchemy import Connection

from backend.storage.transaction import Database
from backend.usecases.culprits import past, without_culprits

OVERDUE_MAX = 500


def end_overdue(
    database: Database,
    find: Callable[[Connection, int], list[str]],
    end: Callable[[Connection, str], bool],
    stopping: Callable[[], bool],
) -> int:
    """How many were ended. `find` gives at most so many ids; `end` locks one, and says whether it was still to be ended.

    May be killed at any moment and run twice at once. One that cannot be ended, for a fault of the books, is logged and
    counted, and keeps none of the others waiting.
    """

    def ends(some: Sequence[str]) -> bool:
        return database.write(lambda connection: end(connection, some[0]))

    ended, left = 0, set[str]()
    while not stopping():
        with database.read() as connection:
            overdue = past(left, lambda limit: find(connection, limit), OVERDUE_MAX)
        for one in overdue:
            if stopping():
                break
            if any(without_culprits([one], ends, lambda _one, _error: False, doing="end_overdue", named=str)):
                ended += 1
            else:
                left.add(one)
        if len(overdue) < OVERDUE_MAX:
            break
    return ended
