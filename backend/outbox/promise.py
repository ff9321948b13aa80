from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from backend.kernel.ids import new_id
from backend.storage.transaction import hot

INSERT = """
INSERT INTO downlinks (city, message, topic, payload, retain, expiry_s, created_at)
VALUES (%(city)s, %(message)s, %(topic)s, %(payload)s, %(retain)s, %(expiry_s)s, %(now)s)"""


class Downlink(NamedTuple):
    """A message for one till. `expiry_s`: for how long the broker keeps it; None: until it is fetched."""

    topic: str
    payload: bytes
    retain: bool = False
    expiry_s: int | None = None


def promise(connection: Connection, city: str, message: Downlink, now: datetime) -> str:
    """Writes the message in the transaction of its cause; bridges fetch it after COMMIT. Its id."""
    message_id = new_id()
    hot(connection, INSERT, {"city": city, "message": message_id, **message._asdict(), "now": now})
    return message_id
