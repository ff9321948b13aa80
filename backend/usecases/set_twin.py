"""What is desired of a till is set by whoever has seen what was desired before."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

import orjson
from sqlalchemy import Connection

from backend.audit.acts import What
from backend.audit.model import Act
from backend.audit.store import record
from backend.devices import downlinks, fleet, register
from backend.devices.twin import queries, store
from backend.devices.twin.document import read_words, text_of
from backend.devices.twin.message import VERSION_MAX, desired_body, sha256_of
from backend.devices.twin.model import Desired, Reported
from backend.kernel.errors import DomainError
from backend.outbox.store import NewDownlink, put_lasting
from backend.usecases.revoke_device import DeviceUnknown

LEAPS_MAX = 1_000
"""How far above its own count the register follows what a till says, which is unsigned."""


class TwinChanged(DomainError):
    code = "twin-changed"
    text_zh = "终端 {device} 的设置已是第 {version} 版，不是您所看到的第 {expected} 版；请重新查看后再改。"
    text_en = "The settings of {device} are at version {version}, not {expected} as you saw them; look again."


class TwinOfRevoked(DomainError):
    code = "twin-of-revoked"
    text_zh = "终端 {device} 已停用，不再下发设置。"
    text_en = "Device {device} is revoked; it is sent no more settings."


class SetTwin(NamedTuple):
    """`changes` as typed; an empty text takes a setting away, so that the till's own environment decides again."""

    device: str
    expected_version: int
    changes: Mapping[str, str]
    by: str


def set_twin(connection: Connection, wanted: SetTwin, now: datetime) -> tuple[Desired, bool]:
    """The version that stands now, and whether this call set it: the same settings again change nothing.

    Raises DeviceUnknown, TwinOfRevoked, TwinChanged, TwinInvalid.
    """
    device = register.find_device(connection, wanted.device)
    if device is None:
        raise DeviceUnknown(device=wanted.device)
    if device.revoked_at is not None:
        raise TwinOfRevoked(device=wanted.device)
    row = fleet.find(connection, device.device, now)
    before = queries.latest(connection, device.city, device.device)

    version = 0 if before is None else before.version
    if version != wanted.expected_version:
        raise TwinChanged(device=wanted.device, version=version, expected=wanted.expected_version)
    text = _changed_text(before, wanted.changes)
    if before is not None and before.text == text:
        return before, False
    desired = Desired(_next(version, row and row.reported), text, sha256_of(text), wanted.by, now)

    store.add_version(connection, device.city, device.device, desired)
    body = desired_body(desired.version, desired.text)
    message = NewDownlink(downlinks.twin_topic(device.device), body, retain=True)
    put_lasting(connection, device.city, [message], now)
    earlier = None if before is None else {"version": before.version, "settings": orjson.loads(before.text)}
    told = {"version": desired.version, "settings": orjson.loads(text), "by": wanted.by}
    record(connection, Act(What.TWIN_SET, device.city, "device", device.device, now, before=earlier, after=told))
    return desired, True


def _changed_text(before: Desired | None, changes: Mapping[str, str]) -> str:
    kept = {} if before is None else {name: str(value) for name, value in orjson.loads(before.text).items()}
    merged = kept | dict(changes)
    return text_of(read_words({name: value for name, value in merged.items() if value}))


def _next(version: int, reported: Reported | None) -> int:
    """Above what the till has judged: else a register that was restored from a copy would never be heard again."""
    judged = 0 if reported is None else reported.version
    follows = version < judged <= min(version + LEAPS_MAX, VERSION_MAX - 1)
    return (judged if follows else version) + 1
