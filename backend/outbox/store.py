from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from backend.kernel.ids import new_id
from backend.storage.columns import flags, numbers, octets, unquoted, words
from backend.storage.transaction import hot

PUT = """
INSERT INTO downlinks (city, message, topic, payload, retain, expiry_s, created_at)
SELECT %(city)s, t.message, t.topic, t.payload, t.retain, t.expiry_s, %(now)s
FROM unnest(%(messages)s::uuid[], %(topics)s::text[], %(payloads)s::bytea[], %(retain)s::boolean[], %(expiries)s::int[])
     t(message, topic, payload, retain, expiry_s)"""

FORGET = "DELETE FROM downlinks WHERE city = %(city)s AND topic = ANY(%(topics)s::text[]) AND retain"

BODY_BYTES_MAX = 65_471
"""With its signature a message is at most 64 KiB."""


class NewDownlink(NamedTuple):
    """A message for a till. The broker keeps a retained one for tills that connect later; `expiry_s` None never ends."""

    topic: str
    payload: bytes
    retain: bool = False
    expiry_s: int | None = None


def put(connection: Connection, city: str, messages: Sequence[NewDownlink], now: datetime) -> None:
    """Promises `messages`, in their order, in the transaction of their cause."""
    assert all(len(message.payload) <= BODY_BYTES_MAX for message in messages)
    hot(
        connection,
        PUT,
        {
            "city": city,
            "now": now,
            "messages": unquoted([new_id() for _ in messages]),
            "topics": words([message.topic for message in messages]),
            "payloads": octets([message.payload for message in messages]),
            "retain": flags([message.retain for message in messages]),
            "expiries": numbers([message.expiry_s for message in messages]),
        },
    )


def put_lasting(connection: Connection, city: str, messages: Sequence[NewDownlink], now: datetime) -> None:
    """As `put`, in the place of what was last said on their topics: a bridge that starts anew repeats every message, and of
    a retained topic only the last one counts.
    """
    assert all(message.retain for message in messages)
    hot(connection, FORGET, {"city": city, "topics": words([message.topic for message in messages])})
    put(connection, city, messages, now)
