"""What is said between a rollout and a till: the backend's own reading of the wire contract, pinned by golden files. Pure."""

from typing import NamedTuple

import orjson

from backend.devices.updates.model import RANK, DeviceState, Release
from backend.kernel.strict_json import NotStrictJson, load_object

OFFER_EXPIRY_S = 3_600
"""How long a broker keeps an offer; it is repeated for as long as the till has not answered."""
REASON_MAX = 64
UNCONFIRMED = "unconfirmed"
"""What a staged till waits for that has not heard of its offer lately: that the offer still stands."""


class Report(NamedTuple):
    """`version`: what the till runs now."""

    rollout: str
    state: DeviceState
    version: str
    reason: str | None


def offer_body(rollout: str, release: Release) -> bytes:
    return orjson.dumps(
        {
            "v": 1,
            "job": "update",
            "rollout": rollout,
            "target": release.target,
            "version": release.version,
            "hardware": list(release.hardware),
            "min_version": release.min_version,
        }
    )


def cancel_body(rollout: str) -> bytes:
    return orjson.dumps({"v": 1, "job": "cancel", "rollout": rollout})


def read_report(text: str) -> Report | None:
    """None for a report of another kind, or one that a till of ours does not make."""
    try:
        fields = load_object(text.encode())
    except NotStrictJson:
        return None
    rollout, state, version, reason = (fields.get(name) for name in ("rollout", "state", "version", "reason"))
    if fields.get("job") != "update" or not isinstance(rollout, str) or not isinstance(version, str):
        return None
    if state not in set(RANK) - {DeviceState.TIMED_OUT, DeviceState.NOT_CONCERNED}:
        return None
    return Report(rollout, DeviceState(state), version, reason[:REASON_MAX] if isinstance(reason, str) else None)
