from datetime import datetime
from enum import StrEnum
from typing import NamedTuple


class Presence(NamedTuple):
    """The greatest session of a device: whether it lives, since when it is known, and the firmware that was born with it."""

    online: bool
    session: int
    since: datetime
    firmware: str | None
    slot: str | None


class Health(NamedTuple):
    """What a till last said of itself; None where it did not say, or not in a form that is understood.

    `part_deaths`: how often since its start a part died, of update, renewal and snapshot, and was begun again.
    `throttled`: the bits of `vcgencmd get_throttled`, 0 when power and heat were never a trouble since boot.
    """

    heard_at: datetime
    every_s: int
    baskets: int | None
    percent: int | None
    rejected: int | None
    oldest_age_ms: int | None
    set_aside: bool | None
    clock: str | None
    clock_offset_ms: int | None
    clock_error_ms: int | None
    resends: int | None
    ack_ms_p95: int | None
    disk_free_bytes: int | None
    cpu_millicelsius: int | None
    throttled: int | None
    certificate_ends: datetime | None
    source: str | None
    source_open: bool | None
    frames_per_s: int | None
    decode_ms_p95: int | None
    part_deaths: int | None


class Condition(StrEnum):
    """Silent: born and not dead, and yet nothing was heard for three times as long as it speaks."""

    NEVER = "never"
    ONLINE = "online"
    SILENT = "silent"
    OFFLINE = "offline"


CONDITION_ZH = {
    Condition.NEVER: "从未上线",
    Condition.ONLINE: "在线",
    Condition.SILENT: "失联",
    Condition.OFFLINE: "离线",
}


class Standing(NamedTuple):
    """`since`: when it came up, was last heard, or went; None for a till that never spoke."""

    condition: Condition
    since: datetime | None
