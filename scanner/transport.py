"""One MQTT connection of a till. Knows paho, knows nothing of baskets.

paho's callbacks run in its own thread and hold its locks: they only post what happened. Each connection is a new
client with a new generation, because mids begin again with every connection.
"""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from paho.mqtt.client import MQTT_CLEAN_START_FIRST_ONLY, Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from scanner.settings import Protocol, Settings

INFLIGHT_MAX = 50
"""Unacknowledged messages: paho walks all of them on each PUBACK, and 50 already saturates a connection."""
CONNECT_TIMEOUT_S = 5.0
_UNSUPPORTED_PROTOCOL = 0x84
_LAST_GOOD_REASON = 0x7F
_UNKNOWN_HERE = frozenset({0x86, 0x87, 0x8A})
"""Bad user name or password, not authorised, banned (MQTT 5 §3.2.2.2; paho gives the codes of 3.1.1 by these)."""


class Reason(IntEnum):
    """MQTT 5 §2.4: what a broker says of a PUBLISH that reached nobody."""

    NO_MATCHING_SUBSCRIBERS = 0x10
    NOT_AUTHORIZED = 0x87
    QUOTA_EXCEEDED = 0x97


@dataclass(frozen=True, slots=True)
class Connected:
    generation: int


@dataclass(frozen=True, slots=True)
class Disconnected:
    """Also a connection that the broker refused: then `Connected` never came.

    `protocol_refused`: it said so. `refused`: it answered with any refusal, rather than hang up without a word.
    `unknown_here`: because it does not know the till, or banned it.
    """

    generation: int
    reason: str
    refused: bool = False
    protocol_refused: bool = False
    unknown_here: bool = False


@dataclass(frozen=True, slots=True)
class Subscribed:
    generation: int
    granted: bool


@dataclass(frozen=True, slots=True)
class Acked:
    generation: int
    mid: int
    reason: int

    @property
    def delivered(self) -> bool:
        """Whether the broker took the message for somebody. 3.1.1 cannot say no."""
        return self.reason <= _LAST_GOOD_REASON and self.reason != Reason.NO_MATCHING_SUBSCRIBERS


@dataclass(frozen=True, slots=True)
class Arrived:
    generation: int
    topic: str
    payload: bytes


TransportEvent = Connected | Disconnected | Subscribed | Acked | Arrived
Post = Callable[[TransportEvent], None]


@dataclass(frozen=True, slots=True)
class Will:
    topic: str
    payload: bytes


class _Client(Client):
    """Tells that its network thread died of what it could not take: nobody else would, and the broker, which still hears of
    the till, would not end the connection.
    """

    def __init__(self, *given: Any, died: Callable[[str], None], **more: Any) -> None:
        super().__init__(*given, **more)
        self._died = died

    def loop_forever(self, *given: Any, **more: Any) -> MQTTErrorCode:
        try:
            return super().loop_forever(*given, **more)
        except Exception as error:
            self._died(type(error).__name__)
            raise


class Transport:
    def __init__(self, settings: Settings, protocol: Protocol, generation: int, will: Will | None, post: Post) -> None:
        assert protocol is not Protocol.AUTO
        self.generation = generation
        self._settings = settings
        self._post = post
        self._v5 = protocol is Protocol.V5
        self._client = self._new_client(will)

    def open(self) -> None:
        """Connects and starts the network thread; Connected or Disconnected follows. Raises OSError."""
        settings = self._settings
        # 3.1.1 says the same in the client's constructor; paho refuses it here.
        clean_start = True if self._v5 else MQTT_CLEAN_START_FIRST_ONLY
        self._client.connect(settings.broker_host, settings.broker_port, settings.keepalive_s, clean_start=clean_start)
        self._client.loop_start()

    def subscribe(self, filters: list[str]) -> None:
        self._client.subscribe([(wanted, 1) for wanted in filters])

    def publish(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> int | None:
        """The mid under which its PUBACK will come; None when it was not handed to the connection."""
        sent = self._client.publish(topic, payload, qos, retain)
        return sent.mid if sent.rc is MQTTErrorCode.MQTT_ERR_SUCCESS else None

    def close(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            self._client.disconnect()
        self._client.loop_stop()

    def _new_client(self, will: Will | None) -> Client:
        client = _Client(
            CallbackAPIVersion.VERSION2,
            died=lambda reason: self._post(Disconnected(self.generation, reason)),
            client_id=self._settings.device_id,
            clean_session=None if self._v5 else True,
            protocol=MQTTProtocolVersion.MQTTv5 if self._v5 else MQTTProtocolVersion.MQTTv311,
            reconnect_on_failure=False,
        )
        client.connect_timeout = CONNECT_TIMEOUT_S
        client.max_inflight_messages_set(INFLIGHT_MAX)
        if will is not None:
            client.will_set(will.topic, will.payload, qos=1, retain=True)
        if tls := self._settings.tls:
            client.tls_set(ca_certs=str(tls.ca), certfile=str(tls.certificate), keyfile=str(tls.key))
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_subscribe = self._on_subscribe
        client.on_publish = self._on_publish
        client.on_message = self._on_message
        return client

    def _on_connect(
        self, _client: Client, _userdata: object, _flags: ConnectFlags, reason: ReasonCode, _properties: object
    ) -> None:
        if reason.is_failure:
            unknown = reason.value == _UNSUPPORTED_PROTOCOL or reason.getName() == "Unsupported protocol version"
            stranger = reason.value in _UNKNOWN_HERE
            refusal = Disconnected(
                self.generation, str(reason), refused=True, protocol_refused=unknown, unknown_here=stranger
            )
            self._post(refusal)
        else:
            self._post(Connected(self.generation))

    def _on_disconnect(
        self, _client: Client, _userdata: object, _flags: DisconnectFlags, reason: ReasonCode, _properties: object
    ) -> None:
        self._post(Disconnected(self.generation, str(reason)))

    def _on_subscribe(
        self, _client: Client, _userdata: object, _mid: int, reasons: list[ReasonCode], _properties: object
    ) -> None:
        self._post(Subscribed(self.generation, granted=not any(reason.is_failure for reason in reasons)))

    def _on_publish(
        self, _client: Client, _userdata: object, mid: int, reason: ReasonCode, _properties: Properties | None
    ) -> None:
        self._post(Acked(self.generation, mid, int(reason.value)))

    def _on_message(self, _client: Client, _userdata: object, message: MQTTMessage) -> None:
        self._post(Arrived(self.generation, message.topic, bytes(message.payload)))
