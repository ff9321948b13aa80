"""What the backend writes and reads of leases is what the till's own side knows them as."""

import json
from datetime import UTC, datetime

import pytest

from backend.leases.message import LEASES_MAX, leases_body
from backend.leases.model import Lease
from backend.scans.lent import PROMISES_MAX, Promised
from backend.scans.lines import MalformedBasket, Origin, read_line
from backend.scans.sale_time import Clock
from firmware_bridge.wire import leases as wire
from firmware_bridge.wire import messages
from firmware_bridge.wire.downlinks import open_downlink
from tests.contracts import golden, golden_leases, golden_parties

LINE = (golden.FOLDER / "basket-promised.json").read_bytes()
ORIGIN = Origin(
    "320100",
    golden_parties.DEVICE,
    golden_parties.STREAM,
    "s1",
    "320102",
    "till",
    Clock("ntp", 0, "b1", 88_140_000),
    golden_parties.SOLD_MS,
)


def test_the_backend_writes_the_golden_message() -> None:
    known = golden_leases.LEASE
    begin, until = (datetime.fromtimestamp(ms / 1000, UTC) for ms in (known.begin, known.until))
    stream = f"{known.stream[:8]}-{known.stream[8:12]}-{known.stream[12:16]}-{known.stream[16:20]}-{known.stream[20:]}"
    terms = (known.policy, known.unit, known.amount, known.awards, begin, until)
    lease = Lease(known.lease, golden_parties.DEVICE, stream, *terms, None, until, None, 0, 0, 0, 1)

    body = leases_body(golden_leases.MESSAGE.version, [lease])

    payload = (golden.FOLDER / "downlink-lease.bin").read_bytes()
    topic = f"pos/v1/{golden_parties.DEVICE}/down/lease"
    assert body == open_downlink(topic, payload, golden_parties.verifier(golden_parties.RECEIPT_SEED))
    assert (LEASES_MAX, PROMISES_MAX) == (wire.LEASES_MAX, messages.PROMISES_MAX)


def test_the_backend_reads_the_golden_basket() -> None:
    basket = read_line(LINE, ORIGIN).basket

    assert basket.promised == (Promised(0, golden_leases.LEASE.lease, 20),)


@pytest.mark.parametrize(
    "promised",
    [
        {},
        [7],
        [{"lease": golden_leases.LEASE.lease}],
        [{"lease": golden_leases.LEASE.lease, "amount": 0}],
        [{"lease": "x", "amount": 1}],
        [{"lease": golden_leases.LEASE.lease, "amount": 1}] * 2,
        [{"lease": f"01980000-0000-7000-8000-{n:012x}", "amount": 1} for n in range(17)],
    ],
)
def test_a_promise_that_is_none_sets_its_basket_aside(promised: object) -> None:
    """The till's own encoder refuses the same, so only a till that is not ours can say it."""
    said = json.loads(LINE)
    said["reads"][0]["promised"] = promised

    with pytest.raises(MalformedBasket):
        read_line(json.dumps(said).encode(), ORIGIN)
