"""What is over and serves nobody any more is deleted, in slices: messages, codes, boots of tills, sessions."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple, TypeVar

from sqlalchemy import Connection

from backend.devices.enrolment import expire as enrolment
from backend.officials import expire as officials
from backend.officials.slowing import FORGOTTEN_AFTER
from backend.outbox import expire as outbox
from backend.residents import expire as residents
from backend.sales_files import store as sales_files
from backend.usecases.races import Writes

Key = TypeVar("Key", str, bytes)

DOWNLINKS_KEPT = timedelta(days=7)
SESSIONS_KEPT = timedelta(days=30)
CODES_KEPT = timedelta(days=31)
"""A till without a connection may deliver a basket up to 30 days after its sale, and the code shown then must be known."""
PHONE_CODES_KEPT = timedelta(days=2)
"""Beyond the day whose codes are counted."""
BOOTS_KEPT = 100
"""Of each till. A copy that sleeps for longer is found by the original's next connection, as the copy's boot is later."""
ANSWERS_KEPT = timedelta(days=366)
SLICE_ROWS = 5_000
SLICE_FILES = 1
SLICE_DEVICES = 500


class Cleaned(NamedTuple):
    downlinks: int
    member_codes: int
    boots: int
    sales_answers: int


def clean_city(database: Writes, city: str, now: datetime, stopping: Callable[[], bool]) -> Cleaned:
    """Deletes messages 7 days after they expired, member codes that nobody used 31 days after, of each till's boots all but the
    newest 100, and what was answered of files of sales a year after.
    """

    def messages(connection: Connection, after: str) -> tuple[str | None, int]:
        return outbox.delete_expired(connection, city, after, before=now - DOWNLINKS_KEPT, limit=SLICE_ROWS)

    def codes(connection: Connection, after: bytes) -> tuple[bytes | None, int]:
        return residents.delete_unused_codes(connection, city, after, before=now - CODES_KEPT, limit=SLICE_ROWS)

    def boots(connection: Connection, after: str) -> tuple[str | None, int]:
        return enrolment.delete_old_boots(connection, city, after, kept=BOOTS_KEPT, limit=SLICE_DEVICES)

    def answers(connection: Connection, after: str) -> tuple[str | None, int]:
        return sales_files.forget_rows(connection, city, after, before=now - ANSWERS_KEPT, limit=SLICE_FILES)

    return Cleaned(
        _walk(database, messages, outbox.FIRST, stopping),
        _walk(database, codes, b"", stopping),
        _walk(database, boots, enrolment.FIRST, stopping),
        _walk(database, answers, outbox.FIRST, stopping),
    )


def clean_sessions(database: Writes, now: datetime, stopping: Callable[[], bool]) -> int:
    """Deletes sessions 30 days after they expired; how many."""

    def sessions(connection: Connection, after: bytes) -> tuple[bytes | None, int]:
        return residents.delete_sessions(connection, after, before=now - SESSIONS_KEPT, limit=SLICE_ROWS)

    return _walk(database, sessions, b"", stopping)


def clean_phone_codes(database: Writes, now: datetime, stopping: Callable[[], bool]) -> int:
    """Deletes codes sent to phones, 2 days after they expired; how many."""

    def phones(connection: Connection, after: bytes) -> tuple[bytes | None, int]:
        return residents.delete_phone_codes(connection, after, before=now - PHONE_CODES_KEPT, limit=SLICE_ROWS)

    return _walk(database, phones, b"", stopping)


def clean_officials(database: Writes, now: datetime, stopping: Callable[[], bool]) -> int:
    """Deletes officials' sessions 30 days after they ended, and failed tries that slow nobody any more; how many."""

    def sessions(connection: Connection, after: bytes) -> tuple[bytes | None, int]:
        return officials.delete_sessions(connection, after, before=now - SESSIONS_KEPT, limit=SLICE_ROWS)

    def tries(connection: Connection, after: bytes) -> tuple[bytes | None, int]:
        return officials.delete_tries(connection, after, before=now - FORGOTTEN_AFTER, limit=SLICE_ROWS)

    return _walk(database, sessions, b"", stopping) + _walk(database, tries, b"", stopping)


def _walk(
    database: Writes,
    step: Callable[[Connection, Key], tuple[Key | None, int]],
    first: Key,
    stopping: Callable[[], bool],
) -> int:
    """One transaction a slice; `step` says where its slice ended and how much it deleted."""
    deleted, after = 0, first
    while not stopping():
        last, gone = database.write(lambda connection: step(connection, after))  # noqa: B023 - called at once
        deleted += gone
        if last is None:
            break
        after = last
    return deleted
