"""Leases as the server tells a till of them, and what a basket says of a promise."""

from firmware_bridge.wire import topics
from firmware_bridge.wire.downlinks import seal_downlink
from firmware_bridge.wire.envelope import Sign
from firmware_bridge.wire.leases import Lease, LeaseMessage, encode_leases
from firmware_bridge.wire.messages import Basket, ClosedBy, Promise, Read, encode_basket

LEASE = Lease(
    lease="01980000-0000-7000-8000-00000000000a",
    stream="9f3c0a1b2c3d4e5f60718293a4b5c6d7",
    policy="green",
    unit="points",
    amount=600,
    awards=40,
    begin=1_790_000_000_000,
    until=1_790_028_800_000,
)
MESSAGE = LeaseMessage(1_790_000_000_000, (LEASE,))


def downlink(device: str, sign: Sign) -> bytes:
    return seal_downlink(topics.down_lease(device), encode_leases(MESSAGE), sign)


def line() -> bytes:
    """Two labels, of which the till promised something for the first."""
    promised = (Promise(LEASE.lease, 20),)
    reads = tuple(
        Read(sym="EAN13", code="6939400204821", src="cam0", mono=88_120_001, promised=given) for given in (promised, ())
    )
    return encode_basket(
        Basket(
            seq=7,
            boot="b1",
            opened_mono=88_119_000,
            closed_mono=88_131_000,
            ts=1_790_000_000_123,
            closed_by=ClosedBy.FINISH,
            member="GPM1.AAAA",
            reads=reads,
        )
    )
