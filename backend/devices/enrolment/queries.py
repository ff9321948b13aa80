from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

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
