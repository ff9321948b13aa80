import time
from collections.abc import Callable
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Final

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage, MQTTMessageInfo
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties, VariableByteIntegers
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from firmware_bridge.inbox import Delivery, Inbox
from firmware_bridge.settings import Protocol, Settings
from firmware_bridge.wire import topics
from firmware_bridge.wire.bridge_state import BridgeCondition, BridgeState, encode_bridge_state

KEEPALIVE_S: Final = 20
# Mosquitto 2 and EMQX 5 announce 20 and 32 as their own receive maximum; paho does not heed it, so we stay below.
OUTGOING_INFLIGHT_MAX: Final = 20
OUTGOING_QUEUE_MAX: Final = 10_000
UNDECODABLE_TOPIC: Final = "undecodable"
_UNSUPPORTED_VERSION: Final = 0x84
_QOS_BITS: Final = 0x06
_ONLY_WHERE_NEW: Final = 1  # MQTT 5 §3.8.3.1, Retain Handling


@dataclass(frozen=True, slots=True)
class Connected:
    generation: int
    session_present: bool


@dataclass(frozen=True, slots=True)
class Refused:
    generation: int
    reason: str
    wrong_version: bool


@dataclass(frozen=True, slots=True)
class Subscribed:
    generation: int
    granted: bool


@dataclass(frozen=True, slots=True)
class Arrived:
    """The first message of this connection came through the subscription."""

    generation: int


@dataclass(frozen=True, slots=True)
class PublishRefused:
    generation: int
    reason: str


@dataclass(frozen=True, slots=True)
class Lost:
    generation: int
    reason: str


Event = Connected | Refused | Subscribed | Arrived | PublishRefused | Lost


class NotSent(Exception):
    """The message was not handed to the broker: no connection, or a full queue."""


class NeverSendable(NotSent):
    """MQTT knows no such topic; trying again will not help."""


def identify(client: Client, settings: Settings) -> None:
    """By certificate, and by password where one is set. Raises OSError."""
    if settings.broker_ca_file is not None:
        client.tls_set(
            str(settings.broker_ca_file),
            certfile=str(settings.broker_cert_file),
            keyfile=str(settings.broker_key_file),
        )
    if settings.broker_username is not None:
        path = settings.broker_password_file
        password = None if path is None else path.read_text(encoding="utf-8").strip()
        client.username_pw_set(settings.broker_username, password)


class _Client(Client):
    """Drops the properties of what arrives unread: nobody here asks for them, and paho takes some that brokers let through
    (U+FEFF in a text) for malformed and hangs up. The broker would give that message again for ever, before all others.
    """

    def _handle_publish(self) -> MQTTErrorCode:
        if self._protocol is MQTTProtocolVersion.MQTTv5:
            packet = self._in_packet["packet"]
            has_mid = self._in_packet["command"] & _QOS_BITS != 0
            begin = 2 + int.from_bytes(packet[:2], "big") + (2 if has_mid else 0)
            size, size_bytes = VariableByteIntegers.decode(packet[begin:])  # type: ignore[no-untyped-call]  # paho's
            packet[begin : begin + size_bytes + size] = b"\x00"
        return super()._handle_publish()


class Connection:
    """One MQTT connection, never revived: the next one is a new object with a new client.

    So an acknowledgement meant for a message of this connection cannot reach a later one, where the broker
    has given the same mid to another message. Callbacks run in paho's thread, some of them under its locks:
    they put into queues that never block, and do nothing else.
    """

    def __init__(
        self,
        settings: Settings,
        protocol: Protocol,
        generation: int,
        inbox: Inbox,
        events: SimpleQueue[Event],
        unix_ms: Callable[[], int],
    ) -> None:
        self.generation = generation
        self.protocol = protocol
        self.session = unix_ms()
        self.paused = False
        self.overflowed = False
        self.subscribed = False
        self.arrived = False
        self.best_effort_dropped = 0
        self._settings = settings
        self._is_only = settings.share_group is None
        self._inbox = inbox
        self._events = events
        self._unix_ms = unix_ms
        self._told_of_arrival = False
        self._client = self._new_client()

    def open(self) -> None:
        """Begins to connect; what comes of it is an event. Raises OSError."""
        host, port = self._settings.broker_host, self._settings.broker_port
        if self.protocol is Protocol.V5:
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho's
            properties.SessionExpiryInterval = self._settings.session_expiry_s if self._is_only else 0
            properties.ReceiveMaximum = self._settings.receive_maximum
            self._client.connect(host, port, KEEPALIVE_S, clean_start=not self._is_only, properties=properties)
        else:
            self._client.connect(host, port, KEEPALIVE_S)
        self._client.loop_start()

    def subscribe(self) -> None:
        if self._settings.share_group is not None:
            self._client.subscribe(topics.shared_up_filter(self._settings.share_group), qos=1)
        elif self.protocol is Protocol.V5:
            # A kept session has seen the tills' retained states; only a new one needs them all again.
            options = SubscribeOptions(qos=1, retainHandling=_ONLY_WHERE_NEW)
            self._client.subscribe(topics.UP_FILTER, options=options)
        else:
            self._client.subscribe(topics.UP_FILTER, qos=1)

    def ack(self, delivery: Delivery) -> bool:
        """Whether it went out; only messages of this very connection can be acknowledged."""
        assert delivery.generation == self.generation
        return self._client.ack(delivery.mid, delivery.qos) is MQTTErrorCode.MQTT_ERR_SUCCESS

    def publish(
        self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False, expiry_s: int | None = None
    ) -> MQTTMessageInfo:
        """Handed to paho, not yet to the broker. Raises NotSent, NeverSendable."""
        properties = None
        if expiry_s is not None and self.protocol is Protocol.V5:
            properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]  # paho's
            properties.MessageExpiryInterval = expiry_s
        try:
            info = self._client.publish(topic, payload, qos=qos, retain=retain, properties=properties)
        except ValueError as error:
            raise NeverSendable(str(error)) from error
        if info.rc is not MQTTErrorCode.MQTT_ERR_SUCCESS:
            raise NotSent(info.rc.name)
        return info

    def close(self) -> None:
        """Sends what is queued, acknowledgements too, then ends; the will is not sent."""
        self._client.disconnect()
        self._client.loop_stop()

    def _new_client(self) -> Client:
        settings = self._settings
        is_v5 = self.protocol is Protocol.V5
        client = _Client(
            CallbackAPIVersion.VERSION2,
            client_id=f"bridge-{settings.name}",
            clean_session=None if is_v5 else not self._is_only,
            protocol=MQTTProtocolVersion.MQTTv5 if is_v5 else MQTTProtocolVersion.MQTTv311,
            reconnect_on_failure=False,
            manual_ack=True,
        )
        client.max_inflight_messages_set(OUTGOING_INFLIGHT_MAX)
        client.max_queued_messages_set(OUTGOING_QUEUE_MAX)
        will = encode_bridge_state(BridgeState(state=BridgeCondition.OFFLINE, session=self.session))
        client.will_set(topics.bridge_state(settings.name), will, qos=1, retain=True)
        identify(client, settings)
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        client.on_publish = self._on_publish
        client.on_disconnect = self._on_disconnect
        return client

    def _on_connect(
        self, _client: Client, _data: object, flags: ConnectFlags, reason: ReasonCode, _props: Properties | None
    ) -> None:
        if reason.is_failure:
            wrong_version = reason.value == _UNSUPPORTED_VERSION
            self._events.put(Refused(self.generation, str(reason), wrong_version))
        else:
            self._events.put(Connected(self.generation, flags.session_present))

    def _on_subscribe(
        self, _client: Client, _data: object, _mid: int, reasons: list[ReasonCode], _props: Properties | None
    ) -> None:
        granted = not any(reason.is_failure for reason in reasons)
        self._events.put(Subscribed(self.generation, granted))

    def _on_message(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        if self.paused or self.overflowed:
            return  # not acknowledged, so the broker gives it again on the next connection
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = UNDECODABLE_TOPIC
        delivery = Delivery(
            topic=topic,
            payload=bytes(message.payload),
            received_at_ms=self._unix_ms(),
            received_mono_s=time.monotonic(),
            mid=message.mid,
            qos=message.qos,
            generation=self.generation,
        )
        if not self._inbox.offer(delivery):
            self.overflowed = message.qos > 0
            self.best_effort_dropped += message.qos == 0
        if not self._told_of_arrival:
            self._told_of_arrival = True
            self._events.put(Arrived(self.generation))

    def _on_publish(
        self, _client: Client, _data: object, _mid: int, reason: ReasonCode, _props: Properties | None
    ) -> None:
        if reason.is_failure:
            self._events.put(PublishRefused(self.generation, str(reason)))

    def _on_disconnect(
        self, _client: Client, _data: object, _flags: DisconnectFlags, reason: ReasonCode, _props: Properties | None
    ) -> None:
        self._events.put(Lost(self.generation, str(reason)))
