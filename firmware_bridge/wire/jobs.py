"""Jobs of a till: the update that the server offers it, and what it says of how far it is."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from firmware_bridge.wire.errors import BadField
from firmware_bridge.wire.fields import choice, integer, text
from firmware_bridge.wire.messages import VERSION
from firmware_bridge.wire.strict_json import dump_object, load_object

ROLLOUT: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
TARGET: Final = re.compile(r"(?!.*\.\.)[A-Za-z0-9_][A-Za-z0-9_./+-]{0,119}")
RELEASE: Final = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9}){0,3}")
HARDWARE: Final = re.compile(r"[a-z0-9_.-]{1,32}")
REASON: Final = re.compile(r"[a-z0-9_]{1,64}")
HARDWARE_MAX: Final = 16
UNCONFIRMED: Final = "unconfirmed"
"""The reason of a till that has staged a release and waits to hear that its offer still stands."""


class JobKind(StrEnum):
    UPDATE = "update"
    CANCEL = "cancel"
    """A rollout was aborted: whoever has not begun its trial drops it; a trial is ended by its own outcome."""


class UpdateState(StrEnum):
    OFFERED = "offered"
    DOWNLOADING = "downloading"
    VERIFIED = "verified"
    STAGED = "staged"
    TRIAL = "trial"
    COMMITTED = "committed"
    ROLLED_BACK = "rolled_back"
    FAILED = "failed"


ENDED: Final = frozenset({UpdateState.COMMITTED, UpdateState.ROLLED_BACK, UpdateState.FAILED})


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateOffer:
    """Which target of the update repository. What it may be installed on, the target's own signed metadata decide: the offer
    repeats it, so that a till can refuse before it downloads.
    """

    rollout: str
    target: str
    version: str
    hardware: tuple[str, ...]
    min_version: str


@dataclass(frozen=True, slots=True)
class Cancelled:
    rollout: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JobReport:
    """`version`: what runs now. `reason` of a failure, or of what is waited for."""

    rollout: str
    state: UpdateState
    version: str
    reason: str | None = None


def encode_offer(offer: UpdateOffer) -> bytes:
    """Raises BadField."""
    fields = {
        "v": VERSION,
        "job": JobKind.UPDATE,
        "rollout": offer.rollout,
        "target": offer.target,
        "version": offer.version,
        "hardware": list(offer.hardware),
        "min_version": offer.min_version,
    }
    body = dump_object(fields)
    decode_job(body)
    return body


def encode_cancel(rollout: str) -> bytes:
    return dump_object({"v": VERSION, "job": JobKind.CANCEL, "rollout": rollout})


def decode_job(body: bytes) -> UpdateOffer | Cancelled:
    """Raises NotJson, DuplicateKey, BadField; a kind of job that this release does not know is a BadField."""
    fields = load_object(body)
    integer(fields, "v", 0, 2**31)
    rollout = text(fields, "rollout", ROLLOUT)
    if choice(fields, "job", JobKind) is JobKind.CANCEL:
        return Cancelled(rollout)
    hardware = fields.get("hardware")
    if not isinstance(hardware, list) or not 1 <= len(hardware) <= HARDWARE_MAX:
        raise BadField(field="hardware", rule=f"1..{HARDWARE_MAX} names")
    if not all(isinstance(name, str) and HARDWARE.fullmatch(name) for name in hardware):
        raise BadField(field="hardware", rule=HARDWARE.pattern)
    return UpdateOffer(
        rollout=rollout,
        target=text(fields, "target", TARGET),
        version=text(fields, "version", RELEASE),
        hardware=tuple(hardware),
        min_version=text(fields, "min_version", RELEASE),
    )


def encode_report(report: JobReport) -> bytes:
    fields = {"v": VERSION, "job": JobKind.UPDATE, "rollout": report.rollout, "state": report.state}
    return dump_object({**fields, "version": report.version, "reason": report.reason})
