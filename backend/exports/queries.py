from collections.abc import Iterator

from sqlalchemy import Connection

from backend.exports import store
from backend.exports.model import Export, ExportNotReady, ExportState, ExportUnknown

LISTED_MAX = 50


def exports_of(connection: Connection, city: str, official: str) -> list[Export]:
    """What an official asked for, the newest first; at most 50."""
    return store.listed(connection, city, official, limit=LISTED_MAX)


def fetchable(connection: Connection, city: str, export: str, official: str) -> Export:
    """Raises ExportUnknown, also for another's, ExportNotReady."""
    found = store.one(connection, city, export)
    if found.asked_by != official:
        raise ExportUnknown
    if found.state is not ExportState.READY:
        raise ExportNotReady
    return found


def pieces(connection: Connection, city: str, export: str) -> Iterator[bytes]:
    return store.pieces(connection, city, export)
