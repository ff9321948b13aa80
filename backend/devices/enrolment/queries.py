from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from backend.devices.enrolment.clones import Birth, birth_in
from backend.storage.columns import words
from backend.storage.transaction import hot

BIRTHS = "SELECT device, report FROM device_presence WHERE city = %(city)s AND device = ANY(%(devices)s::text[])"

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


def births(connection: Connection, city: str, devices: Iterable[str]) -> dict[str, Birth]:
    """The latest birth of each, by device."""
    rows = hot(connection, BIRTHS, {"city": city, "devices": words(sorted(set(devices)))})
    found = (birth_in(device, report) for device, report in rows)
    return {birth.device: birth for birth in found if birth is not None}


def alarms(connection: Connection, city: str, *, limit: int) -> list[Alarmed]:
    """The latest first."""
    return [Alarmed(*row) for row in hot(connection, ALARMS, {"city": city, "limit": limit})]
