from sqlalchemy import Connection

from backend.residents.notices.store import LEFT
from backend.storage.transaction import hot


def grants_left(connection: Connection, city: str, resident: str) -> int:
    """How many notices about points of `city` may still be sent."""
    row = hot(connection, LEFT, {"city": city, "resident": resident}).fetchone()
    return 0 if row is None else int(row[0])
