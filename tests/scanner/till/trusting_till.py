"""The till with the mistake that the crash and journey tests must catch: it takes the broker's acknowledgement for a
receipt. `python -m tests.scanner.till.trusting_till` starts it as `python -m scanner run` starts the honest one.
"""

import sys
import time

from firmware_bridge.wire.receipts import Receipt, ReceiptState
from scanner import agent
from scanner.transport import Acked
from scanner.uplink import Uplink


class TrustingUplink(Uplink):
    def _on_ack(self, event: Acked) -> None:
        sent = self._under_way.get(event.mid)
        super()._on_ack(event)
        if sent is not None and event.delivered:
            rows = self._outbox.rows(sent.seqs)
            believed = [Receipt(seq=row.seq, sha256=row.sha256, state=ReceiptState.RECORDED) for row in rows]
            self._outbox.settle(believed, now_ts=time.time_ns() // 10**6)
            self._pending.settle(sent.seqs)


if __name__ == "__main__":
    agent.Uplink = TrustingUplink  # type: ignore[misc]  # the planted fault
    sys.exit(agent.main())
