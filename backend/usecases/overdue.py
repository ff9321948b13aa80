"""What was held beyond its time is ended, a transaction each, a slice of the overdue at a time."""

from collections.abc import Callable

from sqlalchemy import Connection

from backend.storage.transaction import Database

OVERDUE_MAX = 500


def end_overdue(
    database: Database,
    find: Callable[[Connection, int], list[str]],
    end: Callable[[Connection, str], bool],
    stopping: Callable[[], bool],
) -> int:
    """How many were ended. `find` gives at most so many ids; `end` locks one, and says whether it was still to be ended.

    May be killed at any moment and run twice at once.
    """
    ended = 0
    while not stopping():
        with database.read() as connection:
            overdue = find(connection, OVERDUE_MAX)
        for one in overdue:
            if stopping():
                break
            ended += database.write(lambda c: end(c, one))  # noqa: B023 - called at once
        if len(overdue) < OVERDUE_MAX:
            break
    return ended
