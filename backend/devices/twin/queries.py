from sqlalchemy import Connection

from backend.devices.twin.model import Desired
from backend.storage.transaction import hot

HISTORY_MAX = 100

LATEST = """
SELECT version, document, encode(sha256, 'hex'), set_by, set_at FROM twin_versions
WHERE city = %(city)s AND device = %(device)s ORDER BY version DESC LIMIT %(limit)s"""


def history(connection: Connection, city: str, device: str, *, limit: int = HISTORY_MAX) -> list[Desired]:
    """The newest first, at most 100."""
    row = {"city": city, "device": device, "limit": min(limit, HISTORY_MAX)}
    return [Desired(*found) for found in hot(connection, LATEST, row)]


def latest(connection: Connection, city: str, device: str) -> Desired | None:
    return next(iter(history(connection, city, device, limit=1)), None)
