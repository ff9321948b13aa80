"""What could not be counted, many at once."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from backend.kernel.ids import NO_CITY, new_id
from backend.kernel.periods import milliseconds
from backend.storage.columns import numbers, octets, unquoted, words
from backend.storage.transaction import hot

SET_ASIDE = """
INSERT INTO quarantine (city, entry, reason, topic, device, payload, payload_sha256, received_at, recorded_at, detail)
SELECT %(city)s, t.entry, t.reason, t.topic, t.device, t.payload, t.sha256, to_timestamp(t.received_at / 1000.0), %(now)s,
       t.detail
FROM unnest(%(entries)s::uuid[], %(reasons)s::text[], %(topics)s::text[], %(devices)s::text[], %(payloads)s::bytea[],
            %(hashes)s::bytea[], %(received)s::bigint[], %(details)s::text[])
     t(entry, reason, topic, device, payload, sha256, received_at, detail)
ON CONFLICT DO NOTHING"""


_MEMBER_CODE = re.compile(rb"(GPM1\.)([A-Za-z0-9_-]{8,})")


class Quarantined(NamedTuple):
    """Bytes that could not be counted, with the reason as a code and a sentence."""

    reason: str
    payload: bytes
    sha256: bytes
    received_at: datetime
    topic: str | None = None
    device: str | None = None
    detail: str | None = None
    city: str = NO_CITY


def set_aside(connection: Connection, city: str, entries: Sequence[Quarantined], now: datetime) -> None:
    """Keeps each of `entries`, all of one city; the same bytes for the same reason once. One statement.

    Member codes are masked.
    """
    hot(
        connection,
        SET_ASIDE,
        {
            "city": city,
            "now": now,
            "entries": unquoted([new_id() for _ in entries]),
            "reasons": words([entry.reason for entry in entries]),
            "topics": words([entry.topic for entry in entries]),
            "devices": words([entry.device for entry in entries]),
            "payloads": octets([_without_codes(entry.payload) for entry in entries]),
            "hashes": octets([entry.sha256 for entry in entries]),
            "received": numbers([milliseconds(entry.received_at) for entry in entries]),
            "details": words([entry.detail for entry in entries]),
        },
    )


def _without_codes(payload: bytes) -> bytes:
    """The bytes with each member code masked, of which the prefix and the key's id stay: a code names a person."""
    return _MEMBER_CODE.sub(lambda found: found[1] + b"*" * len(found[2]), payload)
