from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from backend.devices.updates.model import DeviceState, Rollout
from backend.devices.updates.queries import COLUMNS, rollout_of
from backend.storage.columns import words
from backend.storage.transaction import hot

INSERT = """
INSERT INTO rollouts (city, rollout, target, version, hardware, min_version, state, stage, stage_at, soak_s, patience_s,
                      created_by, created_at, reason)
VALUES (%(city)s, %(rollout)s, %(target)s, %(version)s, %(hardware)s, %(min_version)s, %(state)s, %(stage)s, %(stage_at)s,
        %(soak_s)s, %(patience_s)s, %(by)s, %(created_at)s, NULL)
ON CONFLICT DO NOTHING"""

UNDER_WAY = f"""
SELECT {COLUMNS} FROM rollouts
WHERE city = %(city)s AND state IN ('created', 'rolling', 'paused') FOR UPDATE"""

ONE = f"SELECT {COLUMNS} FROM rollouts WHERE city = %(city)s AND rollout = %(rollout)s FOR UPDATE"

SAVE = """
UPDATE rollouts SET state = %(state)s, stage = %(stage)s, stage_at = %(stage_at)s, reason = %(reason)s
WHERE city = %(city)s AND rollout = %(rollout)s"""

# Reports are the latest of each till, so one statement reads those of all that are under way.
OPEN = """
SELECT d.device, d.state, d.offered_at, d.asked_at, r.report, r.received_at
FROM rollout_devices d
LEFT JOIN device_reports r ON r.city = %(city)s AND r.device = d.device AND r.kind = 'job'
WHERE d.city = %(city)s AND d.rollout = %(rollout)s AND d.state IN ('offered', 'downloading', 'verified', 'staged', 'trial')
ORDER BY d.device"""

# What a till said last, of a rollout that is over for it. The report is text, and names one rollout.
ASTRAY = """
SELECT o.rollout::text, r.device, r.report
FROM device_reports r
JOIN rollouts o ON o.city = %(city)s AND strpos(r.report, o.rollout::text) > 0
JOIN rollout_devices d ON d.city = %(city)s AND d.rollout = o.rollout AND d.device = r.device
WHERE r.city = %(city)s AND r.kind = 'job' AND r.received_at >= %(since)s AND r.received_at > d.asked_at
  AND (o.state = 'aborted' OR d.state = 'timed_out')
ORDER BY o.rollout, r.device"""

SAVE_DEVICES = """
UPDATE rollout_devices d SET state = t.state, reason = t.reason, changed_at = %(now)s
FROM unnest(%(devices)s::text[], %(states)s::text[], %(reasons)s::text[]) t(device, state, reason)
WHERE d.city = %(city)s AND d.rollout = %(rollout)s AND d.device = t.device"""

ASKED = """
UPDATE rollout_devices SET asked_at = %(now)s
WHERE city = %(city)s AND rollout = %(rollout)s AND device = ANY(%(devices)s::text[])"""

OFFER = """
INSERT INTO rollout_devices (city, rollout, device, state, reason, stage, offered_at, asked_at, changed_at)
SELECT %(city)s, %(rollout)s, t.device, 'offered', NULL, %(stage)s, %(now)s, %(now)s, %(now)s
FROM unnest(%(devices)s::text[]) t(device)
ON CONFLICT DO NOTHING"""


class OpenDevice(NamedTuple):
    """A till whose update has not ended, and the text of its latest job report, of whichever rollout."""

    device: str
    state: DeviceState
    offered_at: datetime
    asked_at: datetime
    report: str | None
    reported_at: datetime | None


class Astray(NamedTuple):
    """A till, and its latest report, which came after it was last told anything of that rollout."""

    rollout: str
    device: str
    report: str


class Moved(NamedTuple):
    state: DeviceState
    reason: str | None


def insert_rollout(connection: Connection, city: str, rollout: Rollout) -> bool:
    """False when another rollout of the city is under way."""
    row = rollout._asdict() | rollout.release._asdict() | {"city": city}
    row["hardware"] = " ".join(rollout.release.hardware)
    row["soak_s"], row["patience_s"] = (int(each.total_seconds()) for each in (rollout.soak, rollout.patience))
    return hot(connection, INSERT, {name: row[name] for name in row if name != "release"}).rowcount == 1


def under_way(connection: Connection, city: str) -> Rollout | None:
    """The city's rollout that has not ended, locked until COMMIT."""
    row = hot(connection, UNDER_WAY, {"city": city}).fetchone()
    return rollout_of(row) if row else None


def find_rollout(connection: Connection, city: str, rollout: str) -> Rollout | None:
    """Locked until COMMIT."""
    row = hot(connection, ONE, {"city": city, "rollout": rollout}).fetchone()
    return rollout_of(row) if row else None


def save_rollout(connection: Connection, city: str, rollout: Rollout) -> None:
    """What of it changes: its state, its stage, why it ended."""
    fields = {name: getattr(rollout, name) for name in ("rollout", "state", "stage", "stage_at", "reason")}
    hot(connection, SAVE, {"city": city, **fields})


def open_devices(connection: Connection, city: str, rollout: str) -> list[OpenDevice]:
    rows = hot(connection, OPEN, {"city": city, "rollout": rollout})
    return [OpenDevice(device, DeviceState(state), *more) for device, state, *more in rows]


def astray(connection: Connection, city: str, *, since: datetime) -> list[Astray]:
    """Tills that since then spoke of a rollout that was aborted, or in which they were given up."""
    return [Astray(*row) for row in hot(connection, ASTRAY, {"city": city, "since": since})]


def save_devices(connection: Connection, city: str, rollout: str, moved: Mapping[str, Moved], now: datetime) -> None:
    devices = sorted(moved)
    states = [moved[device].state.value for device in devices]
    reasons = [moved[device].reason for device in devices]
    row = {"city": city, "rollout": rollout, "now": now, "devices": words(devices)}
    hot(connection, SAVE_DEVICES, {**row, "states": words(states), "reasons": words(reasons)})


def mark_asked(connection: Connection, city: str, rollout: str, devices: Sequence[str], now: datetime) -> None:
    hot(connection, ASKED, {"city": city, "rollout": rollout, "devices": words(devices), "now": now})


def insert_devices(connection: Connection, city: str, rollout: Rollout, devices: Sequence[str], now: datetime) -> None:
    row = {"city": city, "rollout": rollout.rollout, "stage": rollout.stage, "devices": words(devices), "now": now}
    hot(connection, OFFER, row)
