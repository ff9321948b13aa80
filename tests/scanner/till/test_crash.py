"""kill -9 at each named point: what beeped is recorded, once, with the same bytes however often it is sent."""

import signal
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import orjson
import pytest

from firmware_bridge.wire import topics
from scanner.chaos import ChaosPoint
from tests.scanner.till.scene import DEVICE, TRUSTING, Backend, Broker, Shop, TillProcess, needs_mosquitto, wait_until

pytestmark = needs_mosquitto

SHOPPING = ["a1", "a2", "GPFIN", "b1", "GPFIN", "c1", "c2", "c3"]


def beeped(*tills: TillProcess) -> Counter[str]:
    return Counter(str(read["code"]) for till in tills for read in till.of("read"))


def recorded(backend: Backend) -> Counter[str]:
    """What a database with a unique key on seq would hold."""
    once = {basket.seq: basket for basket in backend.baskets()}
    return Counter(read.code for basket in once.values() for read in basket.reads)


def said(backend: Backend, topic: str) -> list[dict[str, Any]]:
    """What the till told beside baskets, under this topic."""
    messages = []
    while not backend.others.empty():
        messages.append(backend.others.get())
    for message in messages:
        backend.others.put(message)
    return [orjson.loads(message.payload) for message in messages if message.topic == topic]


@pytest.mark.parametrize(
    ("point", "hit"),
    [
        (ChaosPoint.MID_BASKET, 1),
        (ChaosPoint.MID_BASKET, 3),
        (ChaosPoint.AFTER_OUTBOX_COMMIT, 1),
        (ChaosPoint.AFTER_PUBLISH, 1),
        (ChaosPoint.AFTER_RECEIPT_BEFORE_DELETE, 1),
        (ChaosPoint.AFTER_RECEIPT_BEFORE_DELETE, 2),
    ],
)
def test_a_till_killed_at_a_named_point_loses_and_doubles_nothing(
    point: ChaosPoint, hit: int, shop: Shop, backend: Backend
) -> None:
    doomed = shop.open_till(backend.broker.port, CHAOS_POINT=point.value, CHAOS_HIT=str(hit))
    doomed.say(*SHOPPING[:3])
    if point is ChaosPoint.AFTER_RECEIPT_BEFORE_DELETE and hit > 1:
        doomed.wait_for("receipt")
    # The till may be dead by now.
    with suppress(BrokenPipeError):
        doomed.say(*SHOPPING[3:])
    assert doomed.wait() == -signal.SIGKILL

    after = shop.open_till(backend.broker.port, EXIT_WHEN_DONE="true")
    after.end_input()

    assert after.wait() == 0
    # A kill between the commit and the beep leaves a read that nobody heard: recorded is what beeped, or one more.
    assert beeped(doomed) - recorded(backend) == Counter()
    assert all(count == 1 for count in recorded(backend).values())
    assert all(len(lines) == 1 for lines in backend.distinct().values())
    seqs = sorted(backend.distinct())
    assert seqs == list(range(1, len(seqs) + 1))


def test_a_basket_cut_off_by_a_kill_is_closed_as_interrupted(shop: Shop, backend: Backend) -> None:
    doomed = shop.open_till(backend.broker.port, CHAOS_POINT="mid_basket", CHAOS_HIT="2")
    member = shop.member_code()
    doomed.say(member, "a1", "a2")
    assert doomed.wait() == -signal.SIGKILL

    after = shop.open_till(backend.broker.port, EXIT_WHEN_DONE="true")
    after.end_input()

    assert after.wait() == 0
    (basket,) = backend.baskets()
    assert (basket.closed_by, basket.member, [read.code for read in basket.reads]) == (
        "interrupted",
        member,
        ["a1", "a2"],
    )


def test_the_slip_of_a_basket_that_was_killed_before_printing_is_printed_at_the_next_start(
    shop: Shop, backend: Backend
) -> None:
    doomed = shop.open_till(backend.broker.port, CHAOS_POINT="after_outbox_commit")
    doomed.say("a1", "GPFIN")
    assert doomed.wait() == -signal.SIGKILL
    assert doomed.of("basket_closed") == []

    after = shop.open_till(backend.broker.port)

    after.wait_for("state", state="slip")
    assert after.of("state", "slip")[0]["seq"] == 1


def test_the_journey_notices_a_till_that_trusts_the_broker(shop: Shop, new_broker: Callable[..., Broker]) -> None:
    """The planted fault: rows closed on PUBACK. The broker took the basket, nobody ever recorded it."""
    backend = Backend(new_broker(), shop.till_key, shop.receipt_key, answers=False)
    faulty = shop.open_till(backend.broker.port, program=TRUSTING, EXIT_WHEN_DONE="true")
    faulty.say("a1", "GPFIN")
    faulty.end_input()
    assert faulty.wait() == 0
    backend.lines.clear()

    honest = shop.open_till(backend.broker.port, EXIT_WHEN_DONE="true")
    honest.end_input()

    assert honest.wait() == 0
    assert beeped(faulty) - recorded(backend) == Counter({"a1": 1})
    backend.close()


def test_sigterm_closes_the_open_basket_and_leaves_nothing_unsaid(shop: Shop, backend: Backend) -> None:
    till = shop.open_till(backend.broker.port)
    till.say("a1")
    till.wait_for("read")

    assert till.terminate() == 0

    assert till.of("basket_closed")[0]["closed_by"] == "interrupted"
    assert till.of("state", "stopped")
    wait_until(lambda: len(backend.lines) <= 1)


def test_a_broken_outbox_is_reported_at_start_and_the_shop_goes_on(shop: Shop, backend: Backend) -> None:
    broken = shop.folder / "outbox.sqlite"
    broken.write_bytes(b"\xff" * 8_192)
    till = shop.open_till(backend.broker.port, EXIT_WHEN_DONE="true")

    till.say("a1", "GPFIN")
    till.end_input()

    assert till.wait() == 0
    (notice,) = till.of("state", "outbox_set_aside")
    kept = shop.folder / str(notice["path"])
    assert kept.read_bytes() == b"\xff" * 8_192
    assert recorded(backend) == Counter({"a1": 1})
    assert {health["outbox"]["set_aside"] for health in said(backend, topics.health(DEVICE))} == {True}
    assert said(backend, topics.state(DEVICE))[0]["set_aside"] is True
