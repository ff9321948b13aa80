import time
from collections.abc import Sequence
from threading import Event as Flag
from typing import Final, Protocol

import structlog
from paho.mqtt.client import MQTTMessageInfo

from firmware_bridge.backend_client import DOWNLINK_LIMIT, Downlink, DownlinkPage, Refused, Unavailable
from firmware_bridge.backoff import Backoff
from firmware_bridge.connection import NeverSendable, NotSent
from firmware_bridge.metrics import Metrics
from firmware_bridge.wire import topics

PUBACK_WAIT_S: Final = 10.0
CONNECTION_LOOK_S: Final = 0.2
ON_THE_WAY_S: Final = 1.0
"""What a broker has answered for is still on its way to tills: one that is cut off loses what it has not read. All pauses of
a page share the time that the broker has to answer, since a revocation may take 60 s.
"""

log = structlog.get_logger()


class Source(Protocol):
    def downlink(self, after: str | None) -> DownlinkPage | Refused | Unavailable: ...


class Publisher(Protocol):
    @property
    def connected(self) -> bool: ...

    @property
    def generation(self) -> int:
        """Another number with every connection."""

    def publish(self, topic: str, payload: bytes, *, qos: int, retain: bool, expiry_s: int | None) -> MQTTMessageInfo:
        """Raises NotSent."""


class Access(Protocol):
    def keep_in_step(self) -> None: ...

    def change(self, payload: bytes) -> None: ...


class DownlinkRelay:
    """Polls what the backend has for tills, publishes it, and only then moves the cursor on.

    The cursor lives in memory and as long as a connection: a bridge or broker that was started anew is given every
    message that still counts. A broker that lost its retained messages does not say so, and one that was killed may
    come back with older ones. Every message carries its own version or expiry, so a till takes a repeat for what it is.
    """

    def __init__(
        self,
        source: Source,
        broker: Publisher,
        access: Access | None,
        backoff: Backoff,
        metrics: Metrics,
        *,
        poll_s: float,
    ) -> None:
        """`access` None: whom the broker lets in is not this bridge's business."""
        self._source = source
        self._broker = broker
        self._access = access
        self._backoff = backoff
        self._metrics = metrics
        self._poll_s = poll_s
        self._cursor: str | None = None
        self._generation = 0
        self.reachable: bool | None = None
        self._stopping = Flag()

    def run(self) -> None:
        while not self._stopping.is_set():
            self._stopping.wait(self._relay_once() if self._broker.connected else CONNECTION_LOOK_S)

    def stop(self) -> None:
        self._stopping.set()

    def _relay_once(self) -> float:
        """How long to wait before the next poll."""
        if self._access is not None:
            self._access.keep_in_step()
        if self._generation != self._broker.generation:
            self._generation, self._cursor = self._broker.generation, None
        page = self._source.downlink(self._cursor)
        self.reachable = isinstance(page, DownlinkPage)
        if isinstance(page, Refused | Unavailable):
            return self._complain(page)
        if not self._publish_all(page.messages):
            return self._backoff.failed()
        self._backoff.succeeded()
        self._cursor = page.next or self._cursor
        return 0.0 if len(page.messages) >= DOWNLINK_LIMIT else self._poll_s

    def _publish_all(self, messages: tuple[Downlink, ...]) -> bool:
        """Whether the broker answered for every one that can be sent, be it by a refusal.

        A message that never can be sent is passed over, loudly: it must not stop a revocation behind it. What stands before
        a change of access is at the broker first, as far as it answers in time, and then a moment on its way: a till hears
        that it is revoked.
        """
        infos: list[MQTTMessageInfo] = []
        on_the_way = False
        changes_wait_until_s = time.monotonic() + PUBACK_WAIT_S
        for message in messages:
            if message.topic == topics.ACCESS:
                self._await(infos, changes_wait_until_s)
                if on_the_way:
                    self._stopping.wait(max(0.0, min(ON_THE_WAY_S, changes_wait_until_s - time.monotonic())))
                    on_the_way = False
                self._change_access(message)
                continue
            try:
                infos.append(self._publish(message))
                on_the_way = True
            except NeverSendable as error:
                self._metrics.downlink.labels("never_sendable").inc()
                log.error("downlink_never_sendable", topic=message.topic, reason=str(error))  # noqa: TRY400  # no bug
            except NotSent as error:
                log.warning("downlink_not_sent", topic=message.topic, reason=str(error))
                return False
        self._await(infos, time.monotonic() + PUBACK_WAIT_S)
        sent = all(info.is_published() for info in infos)
        if infos:
            self._metrics.downlink.labels("published" if sent else "not_sent").inc(len(infos))
            log.info("downlink", messages=len(infos), sent=sent)
        return sent

    def _change_access(self, message: Downlink) -> None:
        if self._access is not None:
            self._access.change(message.payload)

    def _await(self, infos: Sequence[MQTTMessageInfo], until_s: float) -> None:
        """Until the broker has answered for all, the time is up, or the connection on which it would is gone."""
        for info in infos:
            while not info.is_published() and self._broker.generation == self._generation:
                if time.monotonic() > until_s:
                    return
                info.wait_for_publish(CONNECTION_LOOK_S)

    def _publish(self, message: Downlink) -> MQTTMessageInfo:
        return self._broker.publish(
            message.topic, message.payload, qos=message.qos, retain=message.retain, expiry_s=message.expiry_s
        )

    def _complain(self, failure: Refused | Unavailable) -> float:
        if isinstance(failure, Refused):
            log.error("downlink_refused", status=failure.status)
            return self._backoff.failed()
        log.warning("downlink_unavailable", problem=failure.reason)
        return self._backoff.failed(failure.retry_after_s)
