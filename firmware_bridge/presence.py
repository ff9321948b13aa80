from threading import Lock

from firmware_bridge.connection import Connection, NotSent
from firmware_bridge.metrics import Metrics
from firmware_bridge.wire.bridge_state import BridgeCondition, BridgeState, encode_bridge_state
from firmware_bridge.wire.topics import bridge_state

RETIRE_WAIT_S = 2.0


class Presence:
    """What tills are told of this bridge, retained, on its own state topic.

    Nothing is said on a connection before the subscription was seen to deliver: until then the last will,
    `offline`, stands. The lock is never taken in a callback of paho.
    """

    def __init__(self, name: str, metrics: Metrics) -> None:
        self._topic = bridge_state(name)
        self._metrics = metrics
        self._lock = Lock()
        self._connection: Connection | None = None
        self._degraded = False

    @property
    def condition(self) -> BridgeCondition:
        if self._connection is None:
            return BridgeCondition.OFFLINE
        return BridgeCondition.DEGRADED if self._degraded else BridgeCondition.ONLINE

    def appear(self, connection: Connection) -> None:
        """The subscription of this connection delivers."""
        with self._lock:
            self._connection = connection
            self._metrics.proven.set(1)
            self._announce()

    def vanish(self) -> None:
        """The connection is gone; the broker has published the will."""
        with self._lock:
            self._connection = None
            self._metrics.proven.set(0)

    def degrade(self, *, degraded: bool) -> None:
        with self._lock:
            if self._degraded == degraded:
                return
            self._degraded = degraded
            self._metrics.degraded.set(degraded)
            self._announce()

    def retire(self) -> None:
        """Says `offline` before a clean end, where no will is sent; waits shortly for the broker."""
        with self._lock:
            connection, self._connection = self._connection, None
            self._metrics.proven.set(0)
        if connection is not None:
            self._say(connection, BridgeCondition.OFFLINE, wait_s=RETIRE_WAIT_S)

    def _announce(self) -> None:
        if self._connection is not None:
            self._say(self._connection, self.condition)

    def _say(self, connection: Connection, condition: BridgeCondition, wait_s: float = 0.0) -> None:
        payload = encode_bridge_state(BridgeState(state=condition, session=connection.session))
        try:
            info = connection.publish(self._topic, payload, retain=True)
            if wait_s:
                info.wait_for_publish(wait_s)
        except (NotSent, RuntimeError):
            return  # the connection is ending; its will says the rest
