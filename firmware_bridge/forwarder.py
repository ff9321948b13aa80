import time
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Event as Flag
from typing import Final, Protocol, assert_never

import structlog

from firmware_bridge.backend_client import Answer, Answered, Refused, Result, TooLarge, Unavailable
from firmware_bridge.backoff import Backoff
from firmware_bridge.batches import Load, fits, halves, load_of
from firmware_bridge.chaos import Chaos, ChaosPoint
from firmware_bridge.connection import NotSent
from firmware_bridge.inbox import Delivery, Inbox
from firmware_bridge.metrics import Metrics
from firmware_bridge.probe import is_probe

IDLE_S: Final = 0.1

log = structlog.get_logger()


class Recorder(Protocol):
    def record(self, deliveries: Sequence[Delivery]) -> Answer: ...


class Broker(Protocol):
    def ack(self, delivery: Delivery) -> None: ...

    def publish(self, topic: str, payload: bytes) -> object:
        """Raises NotSent."""


class Announcer(Protocol):
    def degrade(self, *, degraded: bool) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """`batch_wait_ms`: how long a message may wait for company, counted from its arrival."""

    batch_reads: int
    batch_wait_ms: int


class Forwarder:
    """Takes messages in order, has the backend record them, passes its receipts on, then acknowledges.

    Nothing is acknowledged before the backend's 200 for it. While the backend does not answer, the batch is
    kept and tried again for ever; the broker then stops sending, for want of acknowledgements.
    """

    def __init__(
        self,
        inbox: Inbox,
        recorder: Recorder,
        broker: Broker,
        announcer: Announcer,
        backoff: Backoff,
        metrics: Metrics,
        limits: Limits,
        chaos: Chaos,
    ) -> None:
        self._inbox = inbox
        self._recorder = recorder
        self._broker = broker
        self._announcer = announcer
        self._backoff = backoff
        self._metrics = metrics
        self._batch_reads = limits.batch_reads
        self._batch_wait_s = limits.batch_wait_ms / 1000
        self._chaos = chaos
        self._left_over: Delivery | None = None
        self._draining = Flag()
        self._stopping = Flag()

    def run(self) -> None:
        """Until told to stop, or until drained."""
        while not self._stopping.is_set():
            batch = self._gather()
            if batch:
                self._deliver(batch)
            elif self._draining.is_set():
                return

    def drain(self) -> None:
        """Finish what was taken, then end; nobody fills the inbox any more."""
        self._draining.set()

    def stop(self) -> None:
        """End now; what was not answered stays unacknowledged, so the broker gives it again."""
        self._stopping.set()

    def _gather(self) -> list[Delivery]:
        """What came within the wait of the first one, as far as one request holds it.

        The wait counts from the arrival: what waited during the last request is not kept waiting again.
        """
        first = self._left_over or self._inbox.take(0 if self._draining.is_set() else IDLE_S)
        self._left_over = None
        if first is None:
            return []
        batch, load = [first], load_of(first)
        until_s = first.received_mono_s + self._batch_wait_s
        while load.reads < self._batch_reads:
            following = self._inbox.take(until_s - time.monotonic())
            if following is None:
                break
            load += load_of(following)
            if not fits(load, self._batch_reads):
                self._left_over = following
                break
            batch.append(following)
        self._metrics.inbox.set(self._inbox.size())
        for delivery in batch:
            self._metrics.received.labels(str(delivery.qos)).inc()
        return batch

    def _deliver(self, batch: Sequence[Delivery]) -> None:
        """Returns when every message was acknowledged, or when stopped."""
        messages = [delivery for delivery in batch if not is_probe(delivery.topic)]
        if not messages:
            self._acknowledge(batch)
            return
        answer = self._record_at_last(messages)
        match answer:
            case None:
                return
            case Answered():
                self._chaos.reached(ChaosPoint.AFTER_ANSWER)
                self._pass_on(answer.results)
                self._chaos.reached(ChaosPoint.AFTER_RECEIPTS)
                self._acknowledge(batch)
            case TooLarge() if len(batch) > 1:
                for half in halves(batch):
                    if not self._stopping.is_set():
                        self._deliver(half)
            case TooLarge():
                self._give_up_on(batch[0])
            case _:
                assert_never(answer)

    def _record_at_last(self, messages: Sequence[Delivery]) -> Answered | TooLarge | None:
        """Asks until the backend decides; None when stopped before."""
        while not self._stopping.is_set():
            self._chaos.reached(ChaosPoint.BEFORE_REQUEST)
            begun_s = time.monotonic()
            answer = self._recorder.record(messages)
            took_s = time.monotonic() - begun_s
            self._metrics.batch_s.observe(took_s)
            self._note(messages, answer, took_s)
            if isinstance(answer, Answered | TooLarge):
                self._backoff.succeeded()
                self._announcer.degrade(degraded=False)
                return answer
            self._announcer.degrade(degraded=True)
            at_least_s = answer.retry_after_s if isinstance(answer, Unavailable) else 0.0
            self._stopping.wait(self._backoff.failed(at_least_s))
        return None

    def _pass_on(self, results: Sequence[Result]) -> None:
        """Receipts, unopened. One that cannot be sent is repaired by the till's resend."""
        for result in results:
            self._metrics.results.labels(result.state).inc()
            if result.topic is None or result.payload is None:
                continue
            try:
                self._broker.publish(result.topic, result.payload)
                self._metrics.receipts.labels("published").inc()
            except NotSent:
                self._metrics.receipts.labels("not_sent").inc()

    def _acknowledge(self, batch: Sequence[Delivery]) -> None:
        for delivery in batch:
            self._broker.ack(delivery)
        self._inbox.finished(len(batch))

    def _give_up_on(self, delivery: Delivery) -> None:
        """One message that the backend will not even quarantine must not stop every till of a city.

        It is acknowledged to the broker without a receipt, so the till keeps its baskets in the outbox: nothing
        is lost, and this line needs a human.
        """
        self._metrics.unrecordable.inc()
        log.error("message_too_large_for_backend", topic=delivery.topic, size_bytes=len(delivery.payload))
        self._acknowledge([delivery])

    def _note(self, messages: Sequence[Delivery], answer: Answer, took_s: float) -> None:
        """One line a request."""
        total = sum((load_of(message) for message in messages), Load(0, 0))
        line = log.bind(messages=len(messages), reads=total.reads, total_ms=round(took_s * 1000, 1))
        match answer:
            case Answered():
                self._metrics.batches.labels("answered").inc()
                refused = sorted({result.code or "" for result in answer.results if result.state == "refused"})
                line.info("batch", outcome="answered", refused=refused)
            case TooLarge():
                self._metrics.batches.labels("too_large").inc()
                line.info("batch", outcome="too_large")
            case Refused():
                self._metrics.batches.labels("refused").inc()
                line.error("batch", outcome="refused", status=answer.status)
            case Unavailable():
                self._metrics.batches.labels("unavailable").inc()
                line.warning("batch", outcome="unavailable", problem=answer.reason)
            case _:
                assert_never(answer)
