import time
from collections.abc import Sequence
from typing import Final, Protocol

import structlog

from firmware_bridge.backend_client import DevicePage, Refused, Unavailable
from firmware_bridge.backoff import Backoff
from firmware_bridge.control import NotAnswered
from firmware_bridge.dynamic_security import Command, Roster, admission, corrections, expulsion, faults
from firmware_bridge.metrics import Metrics
from firmware_bridge.wire.access import decode_access
from firmware_bridge.wire.errors import WireError

REVIEW_S: Final = 600.0
"""A broker that changed behind our back is found out within this, though its connection never broke."""
DEVICES_A_COMMAND: Final = 10
"""Mosquitto serves nobody else meanwhile, and writes its file at each step: 10 devices took 0.2 s with 500 on it."""

log = structlog.get_logger()


class Register(Protocol):
    def devices(self, after: str | None) -> DevicePage | Refused | Unavailable: ...


class Control(Protocol):
    @property
    def alive(self) -> bool: ...

    def listed(self) -> Roster:
        """Raises NotAnswered."""

    def run(self, commands: Sequence[Command]) -> list[dict[str, object]]:
        """Raises NotAnswered."""

    def close(self) -> None: ...


class BrokerAccess:
    """Keeps whom the broker lets in as the backend has it: change by change, and as a whole after every new connection.

    Used by the downlink's thread alone, so a revocation is never overtaken by an older list of devices: the list is
    read before the change that comes next. What fails here never stops other messages to tills.
    """

    def __init__(self, register: Register, control: Control, backoff: Backoff, metrics: Metrics) -> None:
        self._register = register
        self._control = control
        self._backoff = backoff
        self._metrics = metrics
        self._due_at_s = 0.0
        self._answers = False
        self.in_step = False

    def keep_in_step(self) -> None:
        """Compares everything when that is due: at start, after a lost connection, after a failure, now and then."""
        if self.in_step and not self._control.alive:
            self._fell_behind()
        if time.monotonic() < self._due_at_s:
            return
        self._answers = True
        try:
            self.in_step = self._reconcile()
        except NotAnswered as failure:
            self._answers = False
            self._complain(str(failure))
        self._metrics.access_in_step.set(self.in_step)
        if self.in_step:
            self._backoff.succeeded()
        self._due_at_s = time.monotonic() + (REVIEW_S if self.in_step else self._backoff.failed())

    def change(self, payload: bytes) -> None:
        """Carries out one entry of the backend's list, unless the broker has not answered since everything was compared.

        The comparison that is due then has the entry too. Asking a deaf broker anew for each would hold up all messages.
        """
        if not self._answers:
            return
        try:
            change = decode_access(payload)
            self._apply(admission(change.device) if change.admitted else expulsion(change.device))
        except WireError as error:
            log.error("access_change_not_understood", problem=error.code)  # noqa: TRY400 - no bug of ours
        except NotAnswered as failure:
            self._complain(str(failure))
            self._fell_behind()
        else:
            log.info("access_changed", device_id=change.device, admitted=change.admitted)

    def close(self) -> None:
        self._control.close()

    def _reconcile(self) -> bool:
        # The broker first: whoever is enrolled while we read is missing there, and is not taken for a stranger.
        known = self._control.listed()
        active = self._active()
        if active is None:
            return False
        wanted = corrections(known, active)
        for first in range(0, len(wanted), DEVICES_A_COMMAND):
            self._apply([command for group in wanted[first : first + DEVICES_A_COMMAND] for command in group])
        log.info("access_in_step", devices=len(active), corrected=len(wanted))
        return True

    def _active(self) -> list[str] | None:
        devices: list[str] = []
        after: str | None = None
        while True:
            page = self._register.devices(after)
            if isinstance(page, Refused | Unavailable):
                log.warning("access_register_unavailable", problem=str(page))
                return None
            devices += page.devices
            if page.next is None:
                return devices
            after = page.next

    def _apply(self, commands: Sequence[Command]) -> None:
        refused = faults(self._control.run(commands))
        if refused:
            log.error("access_refused_by_broker", faults=refused)
        self._metrics.access_changes.labels("refused" if refused else "done").inc()

    def _complain(self, reason: str) -> None:
        self._metrics.access_changes.labels("not_answered").inc()
        log.error("access_not_answered", reason=reason, hint="BROKER_ACCESS=none where the broker has no such plugin")

    def _fell_behind(self) -> None:
        self._answers, self.in_step, self._due_at_s = False, False, 0.0
