"""What residents agreed to send goes to the city's platform, one row at a time, with the consent read once more."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from sqlalchemy import Connection

from backend.credit import sending
from backend.credit.sending import Due
from backend.residents.consents.model import Purpose
from backend.residents.consents.queries import agreements, given
from backend.residents.standing import ResidentClosed, standing_of
from backend.storage.transaction import Database

AGAIN_AFTER, LATEST = timedelta(minutes=1), timedelta(hours=6)
ATTEMPTS_MAX = 20
"""Each wait is twice the last one up to six hours: a platform may be away for three days."""


class Platform(Protocol):
    """Takes a row once: sent again under the same key, it changes nothing there."""

    def send(self, due: Due) -> bool: ...


class Delivered(NamedTuple):
    sent: int = 0
    waiting: int = 0

    def plus(self, other: "Delivered") -> "Delivered":
        return Delivered(self.sent + other.sent, self.waiting + other.waiting)


def deliver_exports(
    database: Database, platform: Platform, city: str, now: datetime, stopping: Callable[[], bool] = lambda: False
) -> Delivered:
    """The row's resident is locked while it is sent, so a withdrawal comes before it or after it; that it is tried is
    committed before, so that one whose answer never came is asked back too.
    """
    sent = waiting = 0
    with database.read() as connection:
        found = sending.due(connection, city, now, ATTEMPTS_MAX)
    for one in found:
        if stopping():
            break
        tried = database.write(lambda connection: _begun(connection, city, one, now))  # noqa: B023 - at once
        if tried and database.write(lambda connection: _deliver(connection, platform, city, one, now)):  # noqa: B023
            sent += 1
        else:
            waiting += 1
    return Delivered(sent, waiting)


def _begun(connection: Connection, city: str, one: Due, now: datetime) -> bool:
    row = _locked(connection, city, one)
    if row is None:
        return False
    sending.later(connection, city, one.export, now + min(AGAIN_AFTER * 2 ** min(row.attempts, ATTEMPTS_MAX), LATEST))
    return True


def _deliver(connection: Connection, platform: Platform, city: str, one: Due, now: datetime) -> bool:
    row = _locked(connection, city, one)
    if row is None or not platform.send(row):
        return False
    sending.sent(connection, city, one.export, now)
    return True


def _locked(connection: Connection, city: str, one: Due) -> Due | None:
    """None when it was sent or cancelled meanwhile, or is agreed to no more."""
    if one.act == "state" and not _agreed(connection, city, one.resident):
        return None
    return sending.locked(connection, city, one.export)


def _agreed(connection: Connection, city: str, resident: str) -> bool:
    try:
        standing_of(connection, city, resident, locked=True)
    except ResidentClosed:
        return False
    return Purpose.CREDIT_EXPORT in given(agreements(connection, city, resident).values())
