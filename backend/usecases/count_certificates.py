"""Counts of certificates by scheme, county and month are brought up to the registry's present version."""

from collections.abc import Callable

from backend.certificates.counting import count_next
from backend.storage.transaction import Database


def count_certificates(database: Database, stopping: Callable[[], bool] = lambda: False) -> int:
    """How many were looked at, a thousand a transaction. Stopped or killed, the next run goes on where this one was."""
    looked_at, behind = 0, True
    while behind and not stopping():
        done, behind = database.write(count_next)
        looked_at += done
    return looked_at
