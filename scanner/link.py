"""Keeps a till connected: sessions, birth and will, MQTT 5 before 3.1.1, and patience between attempts.

Used by the uplink's thread alone. Times are seconds of a clock that never falls.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from firmware_bridge.wire import topics
from scanner import health
from scanner.clock import Clock
from scanner.feedback import Notice, Signal
from scanner.outbox import Outbox, OutboxUnwritable
from scanner.settings import Protocol, Settings
from scanner.transport import Connected, Disconnected, Post, Subscribed, Transport, Will

CONNACK_WAIT_S: Final = 10.0
RECONNECT_MIN_S: Final = 0.5


class Link:
    def __init__(
        self,
        settings: Settings,
        outbox: Outbox,
        post: Post,
        show: Callable[[Notice], None],
        draw: Callable[[], float],
        clock: Clock,
        *,
        firmware: str,
    ) -> None:
        self._settings = settings
        self._outbox = outbox
        self._post = post
        self._show = show
        self._draw = draw
        self._clock = clock
        self._firmware = firmware
        self._brokers = [(settings.broker_host, settings.broker_port), *settings.brokers_more]
        self._granted = False
        self._transport: Transport | None = None
        self._session = 0
        self._protocol = _first_choice(settings.protocol)
        self._failures = 0
        self._attempt_at_s = 0.0
        self.generation = 0
        self.connected = False

    def keep(self, now_s: float) -> None:
        """Begins an attempt when one is due, and gives one up whose answer never came."""
        if self.connected or now_s < self._attempt_at_s:
            return
        if self._transport is not None:
            self.lost(Disconnected(self.generation, "no answer"), now_s)
        else:
            self._begin(now_s)

    def next_attempt_s(self) -> float | None:
        return None if self.connected else self._attempt_at_s

    def established(self, _event: Connected) -> None:
        self.connected = True
        self.announce()
        if self._transport is not None:
            self._transport.subscribe([topics.down_filter(self._settings.device_id), topics.BRIDGE_STATES_FILTER])
        version = "5" if self._protocol is Protocol.V5 else "3.1.1"
        self._tell("connected", f"已连接消息服务器（MQTT {version}）。", f"Connected by MQTT {version}.", mqtt=version)

    def subscribed(self, event: Subscribed) -> None:
        self._granted = event.granted
        if event.granted:
            self._failures = 0
        else:
            self._tell("subscription_refused", "消息服务器拒绝订阅。", "The broker refused the subscription.")

    def lost(self, event: Disconnected, now_s: float) -> None:
        if self._transport is None:
            return
        was_connected, self.connected = self.connected, False
        transport, self._transport = self._transport, None
        transport.close()
        if was_connected:
            self._protocol = _first_choice(self._settings.protocol)
            self._tell("disconnected", "与消息服务器的连接已断开。", "The connection is lost.", reason=event.reason)
        elif self._falls_back(event):
            self._protocol = Protocol.V311
            self._attempt_at_s = now_s
            return
        else:
            self._protocol = _first_choice(self._settings.protocol)
        if not self._granted:
            self._turn_to_next()
        self._try_later(now_s, event.reason)

    def announce(self) -> None:
        """The birth: on every connection, and again for a bridge that has just come up."""
        payload = health.birth(
            self._outbox,
            session=self._session,
            boot=self._clock.boot,
            firmware=self._firmware,
            slot=self._settings.slot,
        )
        self.publish(topics.state(self._settings.device_id), payload, retain=True)

    def publish(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> int | None:
        """The mid of its PUBACK; None when there is no connection to hand it to."""
        if self._transport is None or not self.connected:
            return None
        return self._transport.publish(topic, payload, qos=qos, retain=retain)

    def say_goodbye(self) -> int | None:
        return self.publish(topics.state(self._settings.device_id), health.death(self._session), retain=True)

    def close(self) -> None:
        self.connected = False
        transport, self._transport = self._transport, None
        if transport is not None:
            transport.close()

    def _begin(self, now_s: float) -> None:
        self.generation += 1
        self._attempt_at_s = now_s + CONNACK_WAIT_S
        self._granted = False
        host, port = self._brokers[0]
        try:
            self._session = self._outbox.new_session(now_ts=self._clock.wall_ms())
            will = Will(topics.state(self._settings.device_id), health.death(self._session))
            settings = replace(self._settings, broker_host=host, broker_port=port)
            transport = Transport(settings, self._protocol, self.generation, will, self._post)
            transport.open()
        except (OSError, OutboxUnwritable) as error:
            # A server that cannot be reached says nothing about which protocol it speaks.
            self._turn_to_next()
            self._try_later(now_s, type(error).__name__)
        else:
            self._transport = transport

    def _turn_to_next(self) -> None:
        """One that took the till is tried again first; one that did not comes after all others."""
        self._brokers.append(self._brokers.pop(0))

    def _falls_back(self, event: Disconnected) -> bool:
        return (
            self._settings.protocol is Protocol.AUTO
            and self._protocol is Protocol.V5
            and (event.protocol_refused or not event.refused)
        )

    def _try_later(self, now_s: float, reason: str) -> None:
        self._failures += 1
        longest = min(self._settings.reconnect_max_s, RECONNECT_MIN_S * (1 << min(self._failures, 16)))
        self._attempt_at_s = now_s + longest * (0.5 + self._draw() / 2)
        if self._failures == 1:
            self._tell(
                "offline", "无法连接消息服务器，记录保存在本机。", "Offline; baskets wait in the outbox.", reason=reason
            )

    def _tell(self, state: str, text_zh: str, text_en: str, **facts: object) -> None:
        signal = Signal.NONE if state == "connected" else Signal.WARNING
        self._show(Notice("state", text_zh, text_en, signal, {"state": state, **facts}))


def _first_choice(protocol: Protocol) -> Protocol:
    return Protocol.V311 if protocol is Protocol.V311 else Protocol.V5
