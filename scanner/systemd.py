"""What systemd is told of this program, one datagram each (sd_notify(3)); nothing where it did not ask."""

import contextlib
import os
import socket
from collections.abc import Mapping

_MICROSECONDS = 1_000_000


class Systemd:
    def __init__(self, environment: Mapping[str, str]) -> None:
        self._address = environment.get("NOTIFY_SOCKET", "")
        self.watchdog_s = _watchdog_s(environment)
        """Longest silence before systemd kills and starts again; None where it does not watch."""

    def ready(self) -> None:
        self._send("READY=1")

    def feed(self) -> None:
        self._send("WATCHDOG=1")

    def status(self, text: str) -> None:
        """One line for `systemctl status`."""
        self._send(f"STATUS={text}")

    def stopping(self) -> None:
        self._send("STOPPING=1")

    def _send(self, message: str) -> None:
        if not self._address:
            return
        # @ stands for the zero byte of Linux's abstract addresses. A systemd that is gone stops no sale.
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
            line.setblocking(False)  # noqa: FBT003 - positional only
            line.sendto(message.encode(), address)


def _watchdog_s(environment: Mapping[str, str]) -> float | None:
    """A watchdog that is meant for another process is not ours (sd_watchdog_enabled(3))."""
    microseconds, pid = environment.get("WATCHDOG_USEC", ""), environment.get("WATCHDOG_PID", "")
    if not microseconds.isdecimal() or int(microseconds) == 0 or pid not in {"", str(os.getpid())}:
        return None
    return int(microseconds) / _MICROSECONDS
