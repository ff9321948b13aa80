"""The bridge's second connection to the broker: commands to its access control, each answered before the next."""

import secrets
from collections.abc import Sequence
from queue import Empty, SimpleQueue
from typing import Final

import orjson
from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.reasoncodes import ReasonCode

from firmware_bridge.connection import KEEPALIVE_S, identify
from firmware_bridge.dynamic_security import CONTROL, LISTING, RESPONSE, Command, Roster, roster
from firmware_bridge.settings import Protocol, Settings

CONNECT_WAIT_S: Final = 5.0
ANSWER_WAIT_S: Final = 10.0
_LOST: Final = b""


class NotAnswered(Exception):
    """The broker is away, lets this bridge command nothing, or has no such plugin."""


class ControlLine:
    """Used by one thread. A connection that was lost or did not answer is never used again."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._client: Client | None = None
        self._heard: SimpleQueue[bytes] = SimpleQueue()

    @property
    def alive(self) -> bool:
        return self._client is not None and self._client.is_connected()

    def run(self, commands: Sequence[Command]) -> list[dict[str, object]]:
        """One answer a command. Raises NotAnswered."""
        if not self.alive:
            self.close()
            self._open()
        assert self._client is not None
        self._client.publish(CONTROL, orjson.dumps({"commands": list(commands)}), qos=1)
        answers = _answers(self._next(ANSWER_WAIT_S))
        if len(answers) != len(commands):
            raise NotAnswered("answer of another length")
        return answers

    def listed(self) -> Roster:
        """Raises NotAnswered."""
        clients, roles = self.run(LISTING)
        return roster(_names(clients, "clients"), _names(roles, "roles"))

    def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.disconnect()
            client.loop_stop()

    def _open(self) -> None:
        """Returns once the broker will deliver answers. Raises NotAnswered."""
        heard = self._heard = SimpleQueue()
        is_v5 = self._settings.protocol is not Protocol.V311
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=f"bridge-{self._settings.name}-access-{secrets.token_hex(4)}",
            clean_session=None if is_v5 else True,
            protocol=MQTTProtocolVersion.MQTTv5 if is_v5 else MQTTProtocolVersion.MQTTv311,
            reconnect_on_failure=False,
        )
        identify(client, self._settings)

        def on_connect(client: Client, _data: object, _flags: ConnectFlags, reason: ReasonCode, _props: object) -> None:
            if reason.is_failure:
                heard.put(_LOST)
            else:
                client.subscribe(RESPONSE, qos=1)

        def on_subscribe(_client: Client, _data: object, _mid: int, reasons: list[ReasonCode], _props: object) -> None:
            heard.put(_LOST if any(reason.is_failure for reason in reasons) else b"subscribed")

        def on_message(_client: Client, _data: object, message: MQTTMessage) -> None:
            heard.put(bytes(message.payload))

        def on_disconnect(
            _client: Client, _data: object, _flags: DisconnectFlags, _reason: ReasonCode, _props: object
        ) -> None:
            heard.put(_LOST)

        client.on_connect, client.on_subscribe = on_connect, on_subscribe
        client.on_message, client.on_disconnect = on_message, on_disconnect
        self._client = client
        try:
            client.connect(self._settings.broker_host, self._settings.broker_port, KEEPALIVE_S)
        except OSError as error:
            self._client = None
            raise NotAnswered(type(error).__name__) from error
        client.loop_start()
        self._next(CONNECT_WAIT_S)

    def _next(self, wait_s: float) -> bytes:
        """Raises NotAnswered, after which this connection is closed: a late answer must not be taken for the next one."""
        try:
            said = self._heard.get(timeout=wait_s)
        except Empty:
            said = _LOST
        if said == _LOST:
            self.close()
            raise NotAnswered("refused, lost or silent")
        return said


def _answers(said: bytes) -> list[dict[str, object]]:
    """Raises NotAnswered."""
    try:
        answers = orjson.loads(said)["responses"]
    except (ValueError, KeyError, TypeError) as error:
        raise NotAnswered("answer not understood") from error
    if not isinstance(answers, list) or not all(isinstance(answer, dict) for answer in answers):
        raise NotAnswered("answer not understood")
    return answers


def _names(answer: dict[str, object], what: str) -> list[str]:
    """Raises NotAnswered."""
    data = answer.get("data")
    names = data.get(what) if isinstance(data, dict) else None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise NotAnswered("no listing")
    return names
