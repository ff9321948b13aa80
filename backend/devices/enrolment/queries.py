from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Connection

from backend.devices.enrolment.clones import Birth
from backend.storage.columns import words
from backend.storage.transaction import hot

# Of a boot that is known, and of those that came after it: one row for a till whose birth is told again.
BOOTS_SINCE = """
SELECT DISTINCT b.device, b.stream, b.boot, b.session
FROM unnest(%(devices)s::text[], %(streams)s::text[], %(boots)s::text[]) t(device, stream, boot)
JOIN device_boots o ON o.city = %(city)s AND o.device = t.device AND o.stream = t.stream AND o.boot = t.boot
JOIN device_boots b ON b.city = %(city)s AND b.device = o.device AND b.stream = o.stream AND b.session >= o.session"""

ALARMS = """
SELECT city, device, kind, subject, times, first_at, last_at FROM device_alarms WHERE city = %(city)s
ORDER BY last_at DESC, device, kind, subject LIMIT %(limit)s"""

# Tills that are connected, each with the outbox of its latest birth. A bridge that is away brings no death: so one that was
# neither born nor heard of since a while is not there.
OUTBOXES = """
SELECT d.device, b.stream
FROM device_directory d
JOIN device_presence p ON p.city = %(city)s AND p.device = d.device AND p.online
JOIN LATERAL (SELECT o.stream FROM device_boots o WHERE o.city = %(city)s AND o.device = d.device
              ORDER BY o.session DESC LIMIT 1) b ON b.stream ~ '^[0-9a-f]{32}$'
WHERE d.city = %(city)s AND d.state = 'active' AND (p.since > %(since)s OR EXISTS (
  SELECT FROM device_reports h
  WHERE h.city = %(city)s AND h.device = d.device AND h.kind = 'health' AND h.received_at > %(since)s))
ORDER BY d.device"""

SILENT_AFTER = timedelta(hours=3)
"""A till tells of its health once an hour at the least."""


class Alarmed(NamedTuple):
    city: str
    device: str
    kind: str
    subject: str
    times: int
    first_at: datetime
    last_at: datetime


def boots_since(connection: Connection, city: str, births: Sequence[Birth]) -> list[Birth]:
    """The latest birth of each of these boots, and of every boot of the same outbox after it."""
    facts = {
        "city": city,
        "devices": words([birth.device for birth in births]),
        "streams": words([birth.stream for birth in births]),
        "boots": words([birth.boot for birth in births]),
    }
    return [Birth(*row) for row in hot(connection, BOOTS_SINCE, facts)]


def alarms(connection: Connection, city: str, *, limit: int) -> list[Alarmed]:
    """The latest first."""
    return [Alarmed(*row) for row in hot(connection, ALARMS, {"city": city, "limit": limit})]


def outboxes(connection: Connection, city: str, now: datetime) -> list[tuple[str, str]]:
    """(device, stream) of tills that are there and not revoked; a stream as a UUID."""
    found = hot(connection, OUTBOXES, {"city": city, "since": now - SILENT_AFTER}).fetchall()
    return [(device, str(UUID(stream))) for device, stream in found]
