import secrets
import time
from collections.abc import Callable
from threading import Event as Flag
from threading import Thread
from typing import Final

import structlog

from firmware_bridge.access import BrokerAccess
from firmware_bridge.backend_client import BackendClient
from firmware_bridge.backoff import Backoff
from firmware_bridge.chaos import Chaos
from firmware_bridge.control import ControlLine
from firmware_bridge.downlink import DownlinkRelay
from firmware_bridge.forwarder import Forwarder, Limits
from firmware_bridge.health import HealthServer
from firmware_bridge.inbox import Inbox
from firmware_bridge.metrics import Metrics
from firmware_bridge.presence import Presence
from firmware_bridge.settings import AccessControl, Settings
from firmware_bridge.subscriber import Subscriber
from firmware_bridge.wire.bridge_state import BridgeCondition

JOIN_S: Final = 5.0
HEALTH_POLL_S: Final = 0.1

log = structlog.get_logger()


class Bridge:
    """Constructs and runs the parts: subscriber, forwarder and downlink, each in its thread."""

    def __init__(self, settings: Settings, unix_ms: Callable[[], int]) -> None:
        self._settings = settings
        self.metrics = Metrics()
        self._inbox = Inbox(settings.inbox_messages)
        self._presence = Presence(settings.name, self.metrics)
        self._subscriber = Subscriber(settings, self._inbox, self._presence, self.metrics, self._new_backoff(), unix_ms)
        self._uplink_client, self._downlink_client = BackendClient(settings), BackendClient(settings)
        self._forwarder = Forwarder(
            self._inbox,
            self._uplink_client,
            self._subscriber,
            self._presence,
            self._new_backoff(),
            self.metrics,
            Limits(batch_reads=settings.batch_reads, batch_wait_ms=settings.batch_wait_ms),
            Chaos(settings.chaos_point, settings.chaos_passes),
        )
        self._access = self._new_access()
        self._downlink = DownlinkRelay(
            self._downlink_client,
            self._subscriber,
            self._access,
            self._new_backoff(),
            self.metrics,
            poll_s=settings.downlink_poll_s,
        )
        self._health = HealthServer(
            settings.health_port, health=self._alive, ready=self._ready, registry=self.metrics.registry
        )
        self.failed = Flag()
        self._threads = {
            part.__class__.__name__: Thread(target=self._guard, args=(part.run,), daemon=True)
            for part in (self._subscriber, self._forwarder, self._downlink)
        }
        self._health_thread = Thread(target=self._health.serve_forever, args=(HEALTH_POLL_S,), daemon=True)

    @property
    def health_port(self) -> int:
        return self._health.server_port

    def start(self) -> None:
        for thread in (*self._threads.values(), self._health_thread):
            thread.start()
        log.info("bridge_started", name=self._settings.name, health_port=self.health_port)

    def stop(self) -> None:
        """Takes nothing new, finishes what is in hand within `drain_s`, says offline, ends."""
        begun_s = time.monotonic()
        self._downlink.stop()
        self._subscriber.pause()
        self._forwarder.drain()
        self._threads["Forwarder"].join(self._settings.drain_s)
        self._forwarder.stop()
        self._presence.retire()
        self._subscriber.stop()
        for thread in self._threads.values():
            thread.join(JOIN_S)
        self._close()
        log.info("bridge_stopped", total_ms=round((time.monotonic() - begun_s) * 1000))

    def _close(self) -> None:
        self._health.shutdown()
        self._health_thread.join(JOIN_S)
        self._health.server_close()
        # A client whose thread still waits for its answer ends with the process.
        for name, client in (("Forwarder", self._uplink_client), ("DownlinkRelay", self._downlink_client)):
            if not self._threads[name].is_alive():
                client.close()
        if self._access is not None and not self._threads["DownlinkRelay"].is_alive():
            self._access.close()

    def _guard(self, run: Callable[[], None]) -> None:
        """The relay boundary: a bug in a part ends the whole process, loudly, for its supervisor to restart."""
        try:
            run()
        except Exception:
            log.exception("part_failed")
            self.failed.set()

    def _new_access(self) -> BrokerAccess | None:
        if self._settings.broker_access == AccessControl.NONE:
            return None
        return BrokerAccess(self._downlink_client, ControlLine(self._settings), self._new_backoff(), self.metrics)

    def _new_backoff(self) -> Backoff:
        return Backoff(self._settings.retry_wait_s_max, secrets.SystemRandom().random)

    def _alive(self) -> tuple[bool, dict[str, object]]:
        parts = {name: thread.is_alive() for name, thread in self._threads.items()}
        return all(parts.values()), {"threads": parts}

    def _ready(self) -> tuple[bool, dict[str, object]]:
        condition = self._presence.condition
        facts: dict[str, object] = {
            "state": condition,
            "connected": self._subscriber.connected,
            "inbox_messages": self._inbox.size(),
            "downlink_reachable": self._downlink.reachable,
            "access_in_step": None if self._access is None else self._access.in_step,
        }
        return condition is BridgeCondition.ONLINE, facts
