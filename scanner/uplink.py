"""Sends the outbox until every basket has its receipt.

One thread owns the connection, what is under way and the law of resending; everything that happens elsewhere
reaches it through one queue.
"""

import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from firmware_bridge.wire import topics
from firmware_bridge.wire.bridge_state import decode_bridge_state
from firmware_bridge.wire.envelope import BASKETS_MAX, PAYLOAD_BYTES_MAX, Sign, seal, sealed_size_bytes
from firmware_bridge.wire.errors import WireError
from firmware_bridge.wire.messages import Header, encode_header
from scanner import health
from scanner.admission import Admission
from scanner.bridges import Bridges
from scanner.chaos import Chaos, ChaosPoint
from scanner.clock import Clock, judge
from scanner.downlinks import Downlinks
from scanner.feedback import Notice, Signal
from scanner.link import Link
from scanner.outbox import Outbox, Row
from scanner.pending import Pending, ResendLaw
from scanner.receipts import ReceiptDesk
from scanner.settings import Settings
from scanner.transport import INFLIGHT_MAX, Acked, Arrived, Connected, Disconnected, Subscribed, TransportEvent
from scanner.vitals import Vitals

IDLE_S: Final = 5.0
GOODBYE_WAIT_S: Final = 2.0
STOP_WAIT_S: Final = 15.0


@dataclass(frozen=True, slots=True)
class _Wake:
    """Something new lies in the outbox, or the end has come."""


@dataclass(frozen=True, slots=True)
class _Report:
    topic: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class _Retuned:
    settings: Settings


@dataclass(frozen=True, slots=True)
class _UnderWay:
    seqs: tuple[int, ...]
    sent_s: float


class Uplink:
    def __init__(
        self,
        settings: Settings,
        outbox: Outbox,
        desk: ReceiptDesk,
        downlinks: Downlinks,
        sign: Sign,
        clock: Clock,
        show: Callable[[Notice], None],
        draw: Callable[[], float],
        chaos: Chaos,
        *,
        firmware: str,
        vitals: Vitals,
        admission: Admission,
    ) -> None:
        """`draw` gives a random number in [0, 1) for jitter."""
        self._settings = settings
        self._outbox = outbox
        self._desk = desk
        self._downlinks = downlinks
        self._sign = sign
        self._clock = clock
        self._show = show
        self._draw = draw
        self._chaos = chaos
        self._vitals = vitals
        self._admission = admission
        self._inbox: queue.SimpleQueue[TransportEvent | _Wake | _Report | _Retuned] = queue.SimpleQueue()
        self._link = Link(settings, outbox, self._inbox.put, show, draw, clock, firmware=firmware)
        self._law = ResendLaw(settings.resend_min_s, settings.resend_max_s)
        self._pending = Pending(self._law, draw)
        self._bridges = Bridges(settings.bridge_grace_s)
        self._acks = health.AckTimes()
        self._under_way: dict[int, _UnderWay] = {}
        self._reports: dict[str, bytes] = {}
        self._last_new = 0
        self._refusals = 0
        self._not_before_s = 0.0
        self._health_at_s = 0.0
        self._holding = False
        self.turned_s = time.monotonic()
        """When its thread last went round."""
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="uplink", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def alive(self) -> bool:
        return self._thread.is_alive()

    def wake(self) -> None:
        self._inbox.put(_Wake())

    def report(self, topic: str, payload: bytes) -> None:
        """The latest on `topic` (an up topic of this till), said now and again on every connection. Any thread."""
        self._inbox.put(_Report(topic, payload))

    def retune(self, settings: Settings) -> None:
        """How often health is told and how a fleet is spread; of the connection itself nothing changes. Any thread."""
        self._inbox.put(_Retuned(settings))

    @property
    def connected(self) -> bool:
        return self._link.connected

    @property
    def offline(self) -> bool:
        """Whether nothing that is sent now is decided soon: no broker, or no bridge behind it."""
        return not self._link.connected or self._holding

    def stop(self) -> None:
        """Says goodbye and ends the thread; what has no receipt stays in the outbox."""
        self._stopping.set()
        self.wake()
        self._thread.join(timeout=STOP_WAIT_S)

    def _run(self) -> None:
        while not self._stopping.is_set():
            self.turned_s = time.monotonic()
            self._link.keep(time.monotonic())
            self._send_what_may_go(time.monotonic())
            self._take_events(self._wait_s(time.monotonic()))
        self._say_goodbye()

    def _take_events(self, wait_s: float) -> None:
        try:
            self._take(self._inbox.get(timeout=wait_s))
            while True:
                self._take(self._inbox.get_nowait())
        except queue.Empty:
            return

    def _take(self, event: TransportEvent | _Wake | _Report | _Retuned) -> None:
        match event:
            case _Report():
                self._reports[event.topic] = event.payload
                self._link.publish(event.topic, event.payload)
            case _Retuned():
                self._settings = event.settings
                self._health_at_s = 0.0
            case _Wake():
                return
            case _:
                self._take_of_link(event)

    def _take_of_link(self, event: TransportEvent) -> None:
        if event.generation != self._link.generation:
            # An older connection may still speak; its mids mean nothing now.
            return
        match event:
            case Connected():
                self._link.established(event)
                self._repeat_reports()
            case Subscribed():
                self._on_subscribed(event)
            case Disconnected():
                self._lose(event)
            case Acked():
                self._on_ack(event)
            case Arrived():
                self._on_message(event)

    def _on_subscribed(self, event: Subscribed) -> None:
        self._link.subscribed(event)
        if event.granted:
            self._admission.granted()
            self._bridges.listen(time.monotonic())
        else:
            # Without receipts there is no use in staying: it comes again, ever later, until the broker knows it.
            self._lose(Disconnected(event.generation, "subscription refused", unknown_here=True))

    def _repeat_reports(self) -> None:
        for topic, payload in self._reports.items():
            self._link.publish(topic, payload)

    def _lose(self, event: Disconnected) -> None:
        now_s = time.monotonic()
        if event.unknown_here:
            self._admission.refused(now_s)
        self._link.lost(event, now_s)
        self._bridges.forget()
        # Whether those messages arrived, nobody will ever say.
        self._under_way.clear()
        self._pending.hasten(now_s, self._settings.bridge_up_jitter_s)

    def _on_ack(self, event: Acked) -> None:
        sent = self._under_way.pop(event.mid, None)
        if sent is None:
            return
        if not event.delivered:
            self._hold_back(event.reason)
            return
        self._refusals = 0
        self._acks.observe(round(1000 * (time.monotonic() - sent.sent_s)))
        self._chaos.reach(ChaosPoint.AFTER_PUBLISH)

    def _hold_back(self, reason: int) -> None:
        """MQTT 5 said that the message reached nobody: it was not sent. Its baskets stay due."""
        self._refusals += 1
        wait_s = self._law.wait_s(self._refusals, self._draw())
        self._not_before_s = time.monotonic() + wait_s
        facts = {"state": "not_sent", "reason": f"0x{reason:02x}", "wait_s": round(wait_s, 1)}
        text_zh, text_en = "消息服务器未转发，稍后重试。", "The broker passed it to nobody; trying again later."
        self._show(Notice("state", text_zh, text_en, Signal.WARNING, facts))

    def _on_message(self, event: Arrived) -> None:
        if event.topic == self._desk.topic:
            self._pending.settle(self._desk.take(event.payload))
            return
        if self._downlinks.take(event.topic, event.payload):
            return
        try:
            name, state = topics.bridge_of(event.topic), decode_bridge_state(event.payload)
        except WireError:
            return
        answered = self._bridges.answer()
        came_up = self._bridges.hear(name, state)
        if not answered and self._bridges.answer():
            self._pending.spread(time.monotonic(), self._settings.bridge_up_jitter_s)
        if came_up:
            self._not_before_s = 0.0
            self._pending.hasten(time.monotonic(), self._settings.bridge_up_jitter_s)
            self._link.announce()
            # A bridge that shares its subscription hears nothing of what was said while it was away.
            self._repeat_reports()

    def _send_what_may_go(self, now_s: float) -> None:
        if not self._link.connected:
            return
        self._send_health(now_s)
        self._tell_when_holding()
        if not self._bridges.may_send(now_s):
            return
        while len(self._under_way) < INFLIGHT_MAX and now_s >= self._not_before_s:
            rows = self._next_rows(now_s)
            if not rows or not self._send(rows, now_s):
                return

    def _next_rows(self, now_s: float) -> list[Row]:
        """Baskets whose resend is due, else the next new ones; those that were closed meanwhile drop out."""
        while self._bridges.answer() and (due := self._pending.due(now_s)):
            rows = self._outbox.rows(due)
            self._pending.settle(set(due) - {row.seq for row in rows})
            if rows:
                return rows
        return self._outbox.after(self._last_new, min(BASKETS_MAX, self._pending.room))

    def _send(self, rows: Sequence[Row], now_s: float) -> bool:
        """One message of as many of `rows`, from the first, as fit. False when the connection did not take it."""
        sent_mono = self._clock.mono_ms()
        header = self._header(sent_mono)
        fitting = _fitting(header, rows)
        topic = topics.baskets(self._settings.device_id)
        payload = seal(topic, header, [row.line for row in fitting], self._sign)
        mid = self._link.publish(topic, payload)
        if mid is None:
            return False
        seqs = tuple(row.seq for row in fitting)
        self._desk.expect(sent_mono)
        self._under_way[mid] = _UnderWay(seqs, now_s)
        self._pending.mark_sent(seqs, now_s)
        self._last_new = max(self._last_new, seqs[-1])
        return True

    def _header(self, sent_mono: int) -> bytes:
        return encode_header(
            Header(
                dev=self._settings.device_id,
                stream=self._outbox.stream,
                key=self._settings.key_id,
                boot=self._clock.boot,
                sent_mono=sent_mono,
                low=self._outbox.low(),
                clk=judge(self._settings.clock_source, self._clock, self._desk.round_trips.best()),
            )
        )

    def _send_health(self, now_s: float) -> None:
        if now_s < self._health_at_s:
            return
        # A fleet that was switched on together must not speak together.
        self._health_at_s = now_s + self._settings.health_interval_s * (0.9 + 0.2 * self._draw())
        clock = judge(self._settings.clock_source, self._clock, self._desk.round_trips.best())
        payload = health.health(
            self._outbox,
            self._settings.outbox_path.parent,
            clock,
            self._acks,
            self._vitals,
            resends=self._pending.resends,
            every_s=self._settings.health_interval_s,
            now_ts=self._clock.wall_ms(),
        )
        self._link.publish(topics.health(self._settings.device_id), payload, qos=0)

    def _tell_when_holding(self) -> None:
        holding = self._bridges.all_offline()
        if holding == self._holding:
            return
        self._holding = holding
        if holding:
            text = ("后台网桥离线，记录保存在本机。", "Every bridge is offline; baskets wait in the outbox.")
        else:
            text = ("后台网桥已恢复，继续上传。", "A bridge is back; sending.")
        signal = Signal.WARNING if holding else Signal.NONE
        self._show(Notice("state", *text, signal, {"state": "holding" if holding else "sending"}))

    def _wait_s(self, now_s: float) -> float:
        """Until something is due; events end the wait at once."""
        times = [now_s + IDLE_S, self._link.next_attempt_s()]
        if self._link.connected:
            times += [self._health_at_s, self._bridges.grace_ends_s()]
            if self._bridges.may_send(now_s) and len(self._under_way) < INFLIGHT_MAX:
                due_s = self._pending.next_due_s() if self._bridges.answer() else None
                times.append(None if due_s is None else max(due_s, self._not_before_s))
                times.append(self._not_before_s if self._not_before_s > now_s else None)
        return max(0.0, min(at_s for at_s in times if at_s is not None) - now_s)

    def _say_goodbye(self) -> None:
        mid = self._link.say_goodbye()
        end_s = time.monotonic() + GOODBYE_WAIT_S
        while mid is not None and (left_s := end_s - time.monotonic()) > 0:
            try:
                event = self._inbox.get(timeout=left_s)
            except queue.Empty:
                break
            if isinstance(event, Disconnected) or (isinstance(event, Acked) and event.mid == mid):
                break
        self._link.close()


def _fitting(header: bytes, rows: Sequence[Row]) -> list[Row]:
    """The first rows that one message can carry; a basket alone always fits (basket.PART_BYTES_MAX)."""
    count = 1
    while count < len(rows) and sealed_size_bytes(header, [row.line for row in rows[: count + 1]]) <= PAYLOAD_BYTES_MAX:
        count += 1
    return list(rows[:count])
