"""Reads what tills report, as far as it makes sense. Pure.

A birth or death must be whole, for it decides; of health every field that is not understood is left out.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from backend.devices.health.model import Health, Presence
from backend.devices.health.standing import EVERY_S
from backend.kernel.periods import instant
from backend.kernel.strict_json import NotStrictJson, load_object

NUMBER_MAX = 2**53
EVERY_S_MAX = 3_600
TEXT_MAX = 64
ENDS_S_MAX = 253_402_300_799
"""The end of the year 9999."""


class State(NamedTuple):
    """A birth or, not online, a death."""

    session: int
    online: bool


def read_state(payload: bytes) -> State | None:
    """None for anything but a birth or a death."""
    fields = _fields(payload)
    session, online = _whole(fields, "session", 0, NUMBER_MAX), fields.get("online")
    return None if session is None or type(online) is not bool else State(session, online)


def presence_of(report: str, *, session: int, online: bool, since: datetime) -> Presence:
    fields = _fields(report.encode())
    return Presence(online, session, since, _text(fields, "fw"), _text(fields, "slot"))


def health_of(report: str, heard_at: datetime) -> Health:
    fields = _fields(report.encode())
    outbox, clock, source = (_inner(fields, name) for name in ("outbox", "clk", "source"))
    ends_s = _whole(fields, "cert_ends_s", 0, ENDS_S_MAX)
    return Health(
        heard_at=heard_at,
        every_s=_whole(fields, "every_s", 1, EVERY_S_MAX) or EVERY_S,
        baskets=_whole(outbox, "baskets"),
        percent=_whole(outbox, "percent"),
        rejected=_whole(outbox, "rejected"),
        oldest_age_ms=_whole(outbox, "oldest_age_ms"),
        set_aside=_truth(outbox, "set_aside"),
        clock=_text(clock, "src"),
        clock_offset_ms=_whole(clock, "off_ms", -NUMBER_MAX),
        clock_error_ms=_whole(clock, "err_ms"),
        resends=_whole(fields, "resends"),
        ack_ms_p95=_whole(fields, "ack_ms_p95"),
        disk_free_bytes=_whole(fields, "disk_free_bytes"),
        cpu_millicelsius=_whole(fields, "cpu_millicelsius", -NUMBER_MAX),
        throttled=_whole(fields, "throttled"),
        certificate_ends=None if ends_s is None else instant(1000 * ends_s),
        source=_text(source, "src"),
        source_open=_truth(source, "open"),
        frames_per_s=_whole(source, "frames_per_s"),
        decode_ms_p95=_whole(source, "decode_ms_p95"),
        part_deaths=_whole(fields, "part_deaths"),
    )


def _fields(raw: bytes) -> Mapping[str, Any]:
    try:
        return load_object(raw)
    except NotStrictJson:
        return {}


def _inner(fields: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = fields.get(name)
    return value if isinstance(value, dict) else {}


def _whole(fields: Mapping[str, Any], name: str, low: int = 0, high: int = NUMBER_MAX) -> int | None:
    value = fields.get(name)
    return value if type(value) is int and low <= value <= high else None


def _truth(fields: Mapping[str, Any], name: str) -> bool | None:
    value = fields.get(name)
    return value if type(value) is bool else None


def _text(fields: Mapping[str, Any], name: str) -> str | None:
    """Text of a device goes to an operator's terminal: nothing in it may steer one."""
    value = fields.get(name)
    return value if type(value) is str and value.isprintable() and 0 < len(value) <= TEXT_MAX else None
