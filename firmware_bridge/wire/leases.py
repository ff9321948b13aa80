"""All that a till holds of leases of budget, as the server tells it on `down/lease`: what it may promise while offline.

`{"v":1,"version":…,"leases":[{"lease":…,"stream":…,"policy":…,"unit":…,"amount":…,"awards":…,"from":…,"until":…}]}`. Each
message takes the place of those before it; a lease that is absent is over.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from firmware_bridge.wire.errors import BadField, UnknownVersion
from firmware_bridge.wire.fields import Fields, integer, objects, text
from firmware_bridge.wire.messages import AMOUNT_MAX, LEASE, STREAM, UNIX_MS_MAX, VERSION
from firmware_bridge.wire.strict_json import dump_object, load_object

LEASES_MAX: Final = 64
AWARDS_MAX: Final = 1_000
VERSION_MAX: Final = 2**53
POLICY: Final = re.compile(r"[a-z0-9-]{1,64}")
UNIT: Final = re.compile(r"points|fen")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """At most `amount` of `unit`, in at most `awards` promises, for sales from `begin` until `until` (Unix ms, half-open), of
    baskets of `stream` alone.
    """

    lease: str
    stream: str
    policy: str
    unit: str
    amount: int
    awards: int
    begin: int
    until: int


@dataclass(frozen=True, slots=True)
class LeaseMessage:
    version: int
    leases: tuple[Lease, ...]


def encode_leases(message: LeaseMessage) -> bytes:
    return dump_object(
        {"v": VERSION, "version": message.version, "leases": [lease_fields(one) for one in message.leases]}
    )


def decode_leases(body: bytes) -> LeaseMessage:
    """Raises WireError."""
    fields = load_object(body)
    form = integer(fields, "v", 0, 2**31)
    if form != VERSION:
        raise UnknownVersion(version=form)
    leases = objects(fields, "leases")
    if len(leases) > LEASES_MAX:
        raise BadField(field="leases", rule=f"at most {LEASES_MAX}")
    return LeaseMessage(integer(fields, "version", 1, VERSION_MAX), tuple(read_lease(one) for one in leases))


def lease_fields(lease: Lease) -> Mapping[str, object]:
    return {
        "lease": lease.lease,
        "stream": lease.stream,
        "policy": lease.policy,
        "unit": lease.unit,
        "amount": lease.amount,
        "awards": lease.awards,
        "from": lease.begin,
        "until": lease.until,
    }


def read_lease(fields: Fields) -> Lease:
    """Raises BadField."""
    return Lease(
        lease=text(fields, "lease", LEASE),
        stream=text(fields, "stream", STREAM),
        policy=text(fields, "policy", POLICY),
        unit=text(fields, "unit", UNIT),
        amount=integer(fields, "amount", 1, AMOUNT_MAX),
        awards=integer(fields, "awards", 1, AWARDS_MAX),
        begin=integer(fields, "from", 0, UNIX_MS_MAX),
        until=integer(fields, "until", 0, UNIX_MS_MAX),
    )
