from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection

from backend.devices.updates.model import FAILURES, DeviceState, Release, Rollout, RolloutState, Tally
from backend.storage.transaction import hot

COLUMNS = """rollout::text, target, version, hardware, min_version, state, stage, stage_at, soak_s, patience_s, created_by,
       created_at, reason"""

LISTED = f"SELECT {COLUMNS} FROM rollouts WHERE city = %(city)s ORDER BY rollouts.rollout DESC LIMIT %(limit)s"

SHOWN = f"SELECT {COLUMNS} FROM rollouts WHERE city = %(city)s AND rollout = %(rollout)s"

DEVICES = """
SELECT device, state, reason, stage, offered_at, changed_at FROM rollout_devices
WHERE city = %(city)s AND rollout = %(rollout)s ORDER BY device"""

# The directory crosses cities by nature, as its module says.
FLEET = "SELECT device FROM device_directory WHERE city = %(city)s AND state = 'active' ORDER BY device"

COUNTED = """
SELECT state, count(*) FROM rollout_devices WHERE city = %(city)s AND rollout = %(rollout)s GROUP BY state"""

OFFERED = "SELECT device FROM rollout_devices WHERE city = %(city)s AND rollout = %(rollout)s"

LISTED_MAX = 100


class DeviceOfRollout(NamedTuple):
    """`stage` at which it was offered; `reason` of a failure, or of what it waits for."""

    device: str
    state: str
    reason: str | None
    stage: int
    offered_at: datetime
    changed_at: datetime


def rollouts(connection: Connection, city: str) -> list[Rollout]:
    """The newest 100, newest first."""
    return [rollout_of(row) for row in hot(connection, LISTED, {"city": city, "limit": LISTED_MAX})]


def rollout(connection: Connection, city: str, which: str) -> Rollout | None:
    row = hot(connection, SHOWN, {"city": city, "rollout": which}).fetchone()
    return rollout_of(row) if row else None


def devices_of(connection: Connection, city: str, which: str) -> list[DeviceOfRollout]:
    return [DeviceOfRollout(*row) for row in hot(connection, DEVICES, {"city": city, "rollout": which})]


def fleet(connection: Connection, city: str) -> list[str]:
    """Tills in use."""
    return [device for (device,) in hot(connection, FLEET, {"city": city})]


def offered(connection: Connection, city: str, which: str) -> frozenset[str]:
    return frozenset(device for (device,) in hot(connection, OFFERED, {"city": city, "rollout": which}))


def tally(connection: Connection, city: str, which: str, fleet_size: int) -> Tally:
    counted = {
        DeviceState(state): number for state, number in hot(connection, COUNTED, {"city": city, "rollout": which})
    }
    committed = counted.pop(DeviceState.COMMITTED, 0)
    failed = sum(counted.pop(state, 0) for state in FAILURES)
    unconcerned = counted.pop(DeviceState.NOT_CONCERNED, 0)
    return Tally(max(0, fleet_size - unconcerned), sum(counted.values()), committed, failed, unconcerned)


def rollout_of(row: Sequence[Any]) -> Rollout:
    (
        which,
        target,
        version,
        hardware,
        min_version,
        state,
        stage,
        stage_at,
        soak_s,
        patience_s,
        by,
        created_at,
        reason,
    ) = row
    return Rollout(
        which,
        Release(target, version, tuple(hardware.split()), min_version),
        RolloutState(state),
        stage,
        stage_at,
        timedelta(seconds=soak_s),
        timedelta(seconds=patience_s),
        by,
        created_at,
        reason,
    )
