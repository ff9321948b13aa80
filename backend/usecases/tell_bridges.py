"""A device was enrolled or revoked: the bridges' list says so, in the transaction that did it."""

from datetime import datetime

from sqlalchemy import Connection

from backend.devices.enrolment.broker_access import EXPIRY_S, TOPIC, access_change
from backend.outbox.store import NewDownlink, put


def tell_bridges(connection: Connection, city: str, device: str, *, admitted: bool, now: datetime) -> None:
    change = NewDownlink(TOPIC, access_change(device, admitted=admitted), expiry_s=EXPIRY_S)
    put(connection, city, [change], now)
