"""The retry law and the order of acts, without network: the fakes stand at the forwarder's Protocols."""

from collections.abc import Sequence
from threading import Thread

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from firmware_bridge.backend_client import Answer, Answered, Refused, Result, TooLarge, Unavailable
from firmware_bridge.backoff import Backoff
from firmware_bridge.batches import BODY_BYTES_MAX, fits, halves, load_of
from firmware_bridge.chaos import Chaos
from firmware_bridge.connection import NotSent
from firmware_bridge.forwarder import Forwarder, Limits
from firmware_bridge.inbox import Delivery, Inbox
from firmware_bridge.metrics import Metrics


class Journal:
    """Recorder, broker and announcer in one, so that the order between them is seen."""

    def __init__(self, answers: Sequence[Answer] = (), messages_max: int = 10**6) -> None:
        self.acts: list[str] = []
        self.recorded: list[bytes] = []
        self._answers = list(answers)
        self._messages_max = messages_max

    def record(self, deliveries: Sequence[Delivery]) -> Answer:
        if self._answers:
            answer = self._answers.pop(0)
            self.acts.append(type(answer).__name__)
            return answer
        if len(deliveries) > self._messages_max:
            return TooLarge()
        self.recorded += [delivery.payload for delivery in deliveries]
        self.acts += [f"recorded {delivery.mid}" for delivery in deliveries]
        return Answered(tuple(Result("recorded", "t", b"%d" % delivery.mid, None) for delivery in deliveries))

    def ack(self, delivery: Delivery) -> None:
        self.acts.append(f"acked {delivery.mid}")

    def publish(self, topic: str, payload: bytes) -> None:
        assert topic == "t"
        self.acts.append(f"receipt {payload.decode()}")

    def degrade(self, *, degraded: bool) -> None:
        self.acts.append("degraded" if degraded else "restored")


def delivery(mid: int, payload: bytes = b"x", topic: str = "pos/v1/nj-0042-3/up/baskets") -> Delivery:
    return Delivery(topic=topic, payload=payload, received_at_ms=1, received_mono_s=0.0, mid=mid, qos=1, generation=1)


def forward(journal: Journal, deliveries: Sequence[Delivery], batch_reads: int = 500) -> None:
    inbox = Inbox(messages_max=max(1, len(deliveries)))
    assert all(inbox.offer(each) for each in deliveries)
    forwarder = Forwarder(inbox, journal, journal, journal, Backoff(0.001, lambda: 0.0), Metrics(),
                          Limits(batch_reads=batch_reads, batch_wait_ms=0), Chaos(None))  # fmt: skip
    forwarder.drain()
    forwarder.run()


def test_receipts_go_out_before_acknowledgements_and_both_in_order() -> None:
    journal = Journal()

    forward(journal, [delivery(1), delivery(2)])

    assert journal.acts == [
        "recorded 1", "recorded 2", "restored", "receipt 1", "receipt 2", "acked 1", "acked 2",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "failure", [Unavailable("ConnectError"), Unavailable("status_503", 0.0), Refused(401), Refused(400)]
)
def test_a_failure_keeps_the_batch_and_acknowledges_nothing(failure: Answer) -> None:
    journal = Journal([failure, failure])

    forward(journal, [delivery(1)])

    kind = type(failure).__name__
    assert journal.acts == [kind, "degraded", kind, "degraded", "recorded 1", "restored", "receipt 1", "acked 1"]


def test_a_probe_is_acknowledged_in_its_turn_and_not_forwarded() -> None:
    journal = Journal()

    forward(journal, [delivery(1), delivery(2, b"probe", "pos/v1/bridge/up/probe/a1"), delivery(3)])

    assert journal.recorded == [b"x", b"x"]
    assert journal.acts[-3:] == ["acked 1", "acked 2", "acked 3"]


def test_a_receipt_that_cannot_be_sent_does_not_hold_the_acknowledgement() -> None:
    class Unconnected(Journal):
        def publish(self, topic: str, payload: bytes) -> None:
            raise NotSent(f"not connected: {topic} {payload!r}")

    journal = Unconnected()

    forward(journal, [delivery(1)])

    assert journal.acts[-1] == "acked 1"


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(1, 40), st.integers(1, 9), st.integers(1, 60))
def test_whatever_the_limits_every_message_is_recorded_and_acked_once_in_order(
    count: int, messages_max: int, batch_reads: int
) -> None:
    journal = Journal(messages_max=messages_max)

    forward(journal, [delivery(mid, b"%d" % mid) for mid in range(count)], batch_reads)

    assert journal.recorded == [b"%d" % mid for mid in range(count)]
    assert [act for act in journal.acts if act.startswith("acked")] == [f"acked {mid}" for mid in range(count)]


def test_a_forwarder_told_to_stop_amid_retries_leaves_the_batch_unacknowledged() -> None:
    journal = Journal([Unavailable("status_503")] * 100_000)
    inbox = Inbox(1)
    inbox.offer(delivery(1))
    forwarder = Forwarder(inbox, journal, journal, journal, Backoff(0.01, lambda: 0.5), Metrics(),
                          Limits(batch_reads=500, batch_wait_ms=0), Chaos(None))  # fmt: skip
    thread = Thread(target=forwarder.run)
    thread.start()

    forwarder.stop()
    thread.join(5)

    assert not thread.is_alive()
    assert "acked 1" not in journal.acts


def test_the_load_of_a_message_counts_its_reads_and_its_encoded_bytes() -> None:
    load = load_of(delivery(1, b'{"sym":"EAN13"},{"sym" : "QR"}'))

    assert load.reads == 2
    assert load.size_bytes > 40
    assert load_of(delivery(1, b"")).reads == 1
    assert not fits(load_of(delivery(1, b"x" * BODY_BYTES_MAX)), 500)


@given(st.lists(st.integers(), min_size=2, max_size=9))
def test_halves_are_not_empty_and_keep_the_order(mids: list[int]) -> None:
    left, right = halves([delivery(mid) for mid in mids])

    assert left
    assert right
    assert [each.mid for each in (*left, *right)] == mids


def test_waits_grow_to_the_maximum_and_begin_anew_after_success() -> None:
    backoff = Backoff(4.0, lambda: 1.0)

    assert [backoff.failed() for _ in range(5)] == [0.5, 1.0, 2.0, 4.0, 4.0]
    backoff.succeeded()
    assert backoff.failed(at_least_s=3.0) == 3.0
    assert backoff.failed(at_least_s=3_600.0) == 4.0
    assert Backoff(4.0, lambda: 0.0).failed() == 0.0
