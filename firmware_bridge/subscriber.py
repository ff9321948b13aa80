import time
from collections.abc import Callable
from queue import Empty, SimpleQueue
from threading import Event as Flag
from typing import Final, assert_never

import structlog
from paho.mqtt.client import MQTTMessageInfo

from firmware_bridge.backoff import Backoff
from firmware_bridge.connection import (
    Arrived,
    Connected,
    Connection,
    Event,
    Lost,
    NotSent,
    PublishRefused,
    Refused,
    Subscribed,
)
from firmware_bridge.inbox import Delivery, Inbox
from firmware_bridge.metrics import Metrics
from firmware_bridge.presence import Presence
from firmware_bridge.probe import Probe
from firmware_bridge.settings import Protocol, Settings

CONNACK_WAIT_S: Final = 10.0
TICK_S: Final = 0.1
# Closing a socket with unread bytes resets it, and the broker then drops acknowledgements it has not read yet.
ACKS_ARRIVE_S: Final = 0.2

log = structlog.get_logger()


class ProtocolChoice:
    """MQTT 5 first; 3.1.1 for good once 5 was refused, or in turn where 5 is answered by hanging up."""

    def __init__(self, wanted: Protocol) -> None:
        self._auto = wanted is Protocol.AUTO
        self._settled = not self._auto
        self.current = Protocol.V5 if self._auto else wanted

    def accepted(self) -> None:
        self._settled = True

    def refused_version(self) -> None:
        if self._auto and self.current is Protocol.V5:
            self.current, self._settled = Protocol.V311, True

    def hung_up(self) -> None:
        """No answer to CONNECT: an old broker may do so at an unknown version, and so does a failing one."""
        if not self._settled:
            self.current = Protocol.V311 if self.current is Protocol.V5 else Protocol.V5


class Subscriber:
    """Keeps one connection to the broker alive, subscribed and proven; runs in a thread of its own."""

    def __init__(
        self,
        settings: Settings,
        inbox: Inbox,
        presence: Presence,
        metrics: Metrics,
        backoff: Backoff,
        unix_ms: Callable[[], int],
    ) -> None:
        self._settings = settings
        self._inbox = inbox
        self._presence = presence
        self._metrics = metrics
        self._backoff = backoff
        self._unix_ms = unix_ms
        self._events: SimpleQueue[Event] = SimpleQueue()
        self._stopping = Flag()
        self._protocol = ProtocolChoice(settings.protocol)
        self._probe = Probe(settings.name)
        self._generation = 0
        self._paused = False
        self._live: Connection | None = None

    @property
    def connected(self) -> bool:
        return self._live is not None

    @property
    def generation(self) -> int:
        """Another number with every connection."""
        return self._generation

    def run(self) -> None:
        while not self._stopping.is_set():
            connection = self._dial()
            if connection is not None:
                self._serve(connection)
                self._hang_up(connection)
            if not self._stopping.is_set():
                self._stopping.wait(self._backoff.failed())

    def pause(self) -> None:
        """From now on messages are left unacknowledged at the broker, which gives them again later."""
        self._paused = True
        if self._live is not None:
            self._live.paused = True

    def stop(self) -> None:
        self._stopping.set()

    def ack(self, delivery: Delivery) -> None:
        """In the order of arrival, by the caller. A message of an earlier connection is passed over."""
        if delivery.qos == 0:
            return
        live = self._live
        sent = live is not None and live.generation == delivery.generation and live.ack(delivery)
        self._metrics.acks.labels("sent" if sent else "connection_gone").inc()

    def publish(
        self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False, expiry_s: int | None = None
    ) -> MQTTMessageInfo:
        """Raises NotSent."""
        live = self._live
        if live is None:
            raise NotSent("not connected")
        return live.publish(topic, payload, qos=qos, retain=retain, expiry_s=expiry_s)

    def _dial(self) -> Connection | None:
        self._generation += 1
        protocol = self._protocol.current
        try:
            connection = Connection(
                self._settings, protocol, self._generation, self._inbox, self._events, self._unix_ms
            )
            connection.paused = self._paused
            connection.open()
        except OSError as error:  # also what ssl raises: a certificate refused, a broken file
            log.warning("broker_unreachable", reason=type(error).__name__, detail=str(error))
            return None
        return connection

    def _serve(self, connection: Connection) -> None:
        """Until the connection ends, for whatever reason."""
        self._probe.reset()
        begun_s = time.monotonic()
        while not self._stopping.is_set():
            event = self._next_event(connection.generation)
            if event is not None and not self._heed(connection, event):
                return
            if connection.subscribed and not connection.arrived:
                self._probe.send_when_due(connection)
            if self._given_up(connection, begun_s):
                return

    def _heed(self, connection: Connection, event: Event) -> bool:
        """Whether the connection goes on."""
        match event:
            case Connected():
                self._welcome(connection, event)
            case Subscribed(granted=False):
                log.error("subscription_refused")
                return False
            case Subscribed():
                connection.subscribed = True
                self._appear_when_proven(connection)
            case Arrived():
                connection.arrived = True
                self._appear_when_proven(connection)
            case PublishRefused():
                self._metrics.publishes_refused.inc()
                log.error("publish_refused", reason=event.reason)
            case Refused() | Lost():
                self._part(connection, event)
                return False
            case _:
                assert_never(event)
        return True

    def _next_event(self, generation: int) -> Event | None:
        try:
            event = self._events.get(timeout=TICK_S)
        except Empty:
            return None
        return event if event.generation == generation else None

    def _welcome(self, connection: Connection, event: Connected) -> None:
        self._protocol.accepted()
        self._backoff.succeeded()
        connection.paused = self._paused
        self._live = connection
        self._metrics.connected.set(1)
        self._metrics.connections.labels(connection.protocol).inc()
        log.info(
            "connected",
            generation=connection.generation,
            protocol=connection.protocol,
            session_present=event.session_present,
        )
        connection.subscribe()

    def _appear_when_proven(self, connection: Connection) -> None:
        if connection.subscribed and connection.arrived:
            log.info("subscription_proven", generation=connection.generation)
            self._presence.appear(connection)

    def _part(self, connection: Connection, event: Refused | Lost) -> None:
        facts = {"generation": connection.generation, "protocol": connection.protocol, "reason": event.reason}
        match event:
            case Refused(wrong_version=True):
                log.warning("protocol_refused", **facts)
                self._protocol.refused_version()
            case Refused():
                log.error("connection_refused", **facts)
            case Lost():
                log.warning("connection_lost", **facts)
                if self._live is None:
                    self._protocol.hung_up()

    def _given_up(self, connection: Connection, begun_s: float) -> bool:
        """A broker that never answers, or one that sent more than the inbox holds.

        In the second case messages were passed over. Once those before them are done with, a new connection
        brings them again, in order.
        """
        if self._live is None:
            return time.monotonic() - begun_s > CONNACK_WAIT_S
        if connection.overflowed and self._inbox.is_settled():
            self._metrics.overflows.inc()
            log.warning("inbox_overflowed", generation=connection.generation)
            self._stopping.wait(ACKS_ARRIVE_S)
            return True
        return False

    def _hang_up(self, connection: Connection) -> None:
        self._live = None
        self._presence.vanish()
        self._metrics.connected.set(0)
        self._metrics.best_effort_dropped.inc(connection.best_effort_dropped)
        connection.close()
