"""A till is revoked for ever, at once: the directory is read with every batch, so its next basket is quarantined.

Its broker ends the connection as soon as a bridge has read the list, seconds later.
"""

from datetime import datetime

import orjson
from sqlalchemy import Connection

from backend.audit.acts import What
from backend.audit.model import Act
from backend.audit.store import record
from backend.devices import downlinks, register
from backend.kernel.errors import DomainError
from backend.kernel.periods import milliseconds
from backend.leases.model import EndedWhy
from backend.outbox.store import NewDownlink, put
from backend.usecases.end_leases import end_leases
from backend.usecases.tell_bridges import tell_bridges

NOTICE_EXPIRY_S = 3_600


class DeviceUnknown(DomainError):
    code = "device-unknown"
    text_zh = "没有编号为 {device} 的设备。"
    text_en = "There is no device {device}."


def revoke_device(connection: Connection, device: str, now: datetime) -> bool:
    """False when it was revoked before. Raises DeviceUnknown.

    The notice to the till only informs whoever stands before it: the server's own directory is what revokes.
    """
    known = register.find_device(connection, device)
    if known is None:
        raise DeviceUnknown(device=device)
    if not register.mark_revoked(connection, device, now):
        return False
    notice = orjson.dumps({"v": 1, "cmd": "revoked", "at": milliseconds(now)})
    message = NewDownlink(downlinks.command_topic(device), notice, expiry_s=NOTICE_EXPIRY_S)
    put(connection, known.city, [message], now)
    end_leases(connection, known.city, now, EndedWhy.REVOKED, now, device=device)
    # After the notice, so that whoever stands before the till may still read it.
    tell_bridges(connection, known.city, device, admitted=False, now=now)
    standing = {"store": known.store, "revoked": False}
    act = Act(
        What.DEVICE_REVOKED, known.city, "device", device, now, before=standing, after={**standing, "revoked": True}
    )
    record(connection, act)
    return True
