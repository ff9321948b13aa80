"""What a till believes of a receipt message, and what it then closes."""

from collections import deque
from collections.abc import Callable

from firmware_bridge.wire import topics
from firmware_bridge.wire.envelope import Verify
from firmware_bridge.wire.errors import WireError
from firmware_bridge.wire.receipts import Receipt, ReceiptMessage, open_receipts
from scanner.chaos import Chaos, ChaosPoint
from scanner.clock import Clock, RoundTrips
from scanner.feedback import Notice, Signal
from scanner.outbox import Outbox, OutboxUnwritable, Settled

_ECHOES_KEPT = 256


class ReceiptDesk:
    """Closes exactly the rows that a genuine receipt of this stream names with their hash."""

    def __init__(
        self,
        device_id: str,
        outbox: Outbox,
        verify: Verify,
        clock: Clock,
        show: Callable[[Notice], None],
        chaos: Chaos,
    ) -> None:
        self.topic = topics.receipt(device_id)
        self.round_trips = RoundTrips()
        self._outbox = outbox
        self._verify = verify
        self._clock = clock
        self._show = show
        self._chaos = chaos
        self._sent_monos: deque[int] = deque(maxlen=_ECHOES_KEPT)

    def expect(self, sent_mono: int) -> None:
        """Only an echo of what this very run sent may teach the time."""
        self._sent_monos.append(sent_mono)

    def take(self, payload: bytes) -> list[int]:
        """The seqs that need no sending any more."""
        try:
            message = open_receipts(self.topic, payload, self._verify)
        except WireError as error:
            self._alarm("receipt_refused", "回执无效，已忽略", "A receipt was not genuine and was ignored", error.code)
            return []
        if message.stream != self._outbox.stream:
            self._alarm("receipt_of_another_stream", "回执属于另一份存储，已忽略", "A receipt of another stream", None)
            return []
        self._learn_time(message)
        self._chaos.reach(ChaosPoint.AFTER_RECEIPT_BEFORE_DELETE)
        return self._settle(message.receipts)

    def _settle(self, receipts: tuple[Receipt, ...]) -> list[int]:
        try:
            settled = self._outbox.settle(receipts, now_ts=self._clock.wall_ms())
        except OutboxUnwritable as refusal:
            self._alarm("outbox_unwritable", refusal.sentence_zh, refusal.sentence_en, None)
            return []
        self._tell(settled)
        return [receipt.seq for receipt in (*settled.closed, *settled.rejected)]

    def _tell(self, settled: Settled) -> None:
        for receipt in settled.closed:
            self._show_receipt(receipt, "已记录", "recorded", Signal.NONE)
        for receipt in settled.rejected:
            self._show_receipt(receipt, "被服务器隔离，已留存本机", "quarantined; kept in this till", Signal.WARNING)
        for receipt in settled.mismatched:
            self._show_receipt(
                receipt, "回执与本机记录不符，未删除", "its hash is not ours; nothing closed", Signal.WARNING
            )

    def _show_receipt(self, receipt: Receipt, text_zh: str, text_en: str, signal: Signal) -> None:
        facts = {
            "seq": receipt.seq,
            "state": receipt.state.value,
            "code": receipt.code,
            "sha256": receipt.sha256,
            "stream": self._outbox.stream,
        }
        text = Notice(
            "receipt", f"第 {receipt.seq} 单：{text_zh}。", f"Basket {receipt.seq}: {text_en}.", signal, facts
        )
        self._show(text)

    def _learn_time(self, message: ReceiptMessage) -> None:
        if message.echo_mono in self._sent_monos:
            self.round_trips.observe(
                srv_ts=message.srv_ts, sent_mono=message.echo_mono, received_mono=self._clock.mono_ms()
            )

    def _alarm(self, state: str, text_zh: str, text_en: str, reason: str | None) -> None:
        self._show(Notice("state", f"{text_zh}。", f"{text_en}.", Signal.WARNING, {"state": state, "reason": reason}))
