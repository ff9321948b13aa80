"""What messages show of the tills that sent them: a new key in use, an old one still, a second till with the same stream."""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from backend.devices.enrolment.store import Alarm, raise_alarm, retire_keys


class Shown(NamedTuple):
    """`new_key`: signed by a key beside which others are about to end. `conflict`: a number used for other content."""

    device: str
    stream: str
    new_key: bool
    conflict: bool


def heed_devices(connection: Connection, city: str, shown: Collection[Shown], now: datetime) -> None:
    """A till numbers its baskets itself and keeps them for ever, so two contents under one number are two tills."""
    for device in sorted({each.device for each in shown if each.new_key}):
        retire_keys(connection, device, now)
    for device, stream in sorted({(each.device, each.stream) for each in shown if each.conflict}):
        raise_alarm(connection, city, device, Alarm.STREAM_CONFLICT, stream, now)


def alarm_retired_keys(connection: Connection, city: str, used: Collection[tuple[str, str]], now: datetime) -> None:
    """`used`: device and key id. Whoever stole a till's keys and changed them shuts out the till itself, which shows here."""
    for device, key_id in sorted(used):
        raise_alarm(connection, city, device, Alarm.RETIRED_KEY, key_id, now)
