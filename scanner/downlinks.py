"""Who in the till takes what the server says beside receipts."""

from collections.abc import Callable, Mapping

from firmware_bridge.wire.downlinks import open_downlink
from firmware_bridge.wire.envelope import Verify
from firmware_bridge.wire.errors import WireError
from scanner.feedback import Notice, Signal

Handler = Callable[[bytes], None]
"""Takes a genuine body. Runs on the uplink's thread, so anything slow belongs to a thread of its own; a broker repeats
itself, so the same body may come again at any time. It raises nothing."""


class Downlinks:
    """Hands each genuine message to its handler; what nobody takes here is somebody else's business."""

    def __init__(self, verify: Verify, handlers: Mapping[str, Handler], show: Callable[[Notice], None]) -> None:
        """`handlers`: by topic."""
        self._verify = verify
        self._handlers = handlers
        self._show = show

    def take(self, topic: str, payload: bytes) -> bool:
        """Whether it was for a handler, be it forged. An empty payload clears a retained message and says nothing."""
        handler = self._handlers.get(topic)
        if handler is None:
            return False
        if payload:
            self._hand_on(topic, payload, handler)
        return True

    def _hand_on(self, topic: str, payload: bytes, handler: Handler) -> None:
        try:
            body = open_downlink(topic, payload, self._verify)
        except WireError as error:
            facts = {"state": "downlink_refused", "topic": topic, "reason": error.code}
            text_zh, text_en = "服务器消息无效，已忽略。", "A message was not the server's and was ignored."
            self._show(Notice("state", text_zh, text_en, Signal.WARNING, facts))
        else:
            handler(body)
