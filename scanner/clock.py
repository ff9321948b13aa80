"""The till's clocks and what is known about them (devices.md 1.6: raw times are stored, the server judges)."""

import ctypes
import time
from collections import deque
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from firmware_bridge.wire import messages as wire

_TIME_ERROR = 5
"""adjtimex(2): the clock is not synchronised."""
_TIMEX_BYTES_MAX = 512
_SAMPLES_KEPT = 64
_NTP_ERR_MS = 50
_RTC_ERR_MS = 2_000
"""A battery clock drifts about 2 s a day between the times it is set."""


class Discipline(StrEnum):
    """What sets the till's clock. AUTO: ntp when the kernel says so, else srv after a receipt, else none."""

    AUTO = "auto"
    NTP = "ntp"
    RTC = "rtc"
    SRV = "srv"
    NONE = "none"


class Clock(Protocol):
    @property
    def boot(self) -> str:
        """Names this boot of the machine; `mono_ms` compares only within one."""

    def mono_ms(self) -> int:
        """Milliseconds since boot, sleep included."""

    def wall_ms(self) -> int:
        """Unix milliseconds by the machine's own clock, right or wrong."""


class SystemClock:
    def __init__(self) -> None:
        self.boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()

    def mono_ms(self) -> int:
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000

    def wall_ms(self) -> int:
        return time.time_ns() // 1_000_000


def kernel_says_synchronised() -> bool:
    """Whether NTP disciplines the machine's clock, as the kernel knows it."""
    libc = ctypes.CDLL(None)
    # A zeroed struct timex asks and changes nothing (modes = 0).
    return bool(libc.adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES_MAX)) not in {-1, _TIME_ERROR})


@dataclass(frozen=True, slots=True)
class ServerTime:
    """The server's clock seen through receipts: server time = mono + `anchor_ms`, within `err_ms`."""

    anchor_ms: int
    err_ms: int


class RoundTrips:
    """Keeps the receipt round trips of this boot; the shortest of the last 64 says most about the server's clock."""

    def __init__(self) -> None:
        self._samples: deque[ServerTime] = deque(maxlen=_SAMPLES_KEPT)

    def observe(self, *, srv_ts: int, sent_mono: int, received_mono: int) -> None:
        """An echo from the future of this boot, or of another boot, teaches nothing."""
        if not 0 <= sent_mono <= received_mono:
            return
        # NTP's estimate with one server stamp: the answer was made half-way.
        middle = (sent_mono + received_mono) // 2
        self._samples.append(ServerTime(srv_ts - middle, (received_mono - sent_mono + 1) // 2))

    def best(self) -> ServerTime | None:
        return min(self._samples, key=lambda sample: sample.err_ms, default=None)


def judge(configured: Discipline, clock: Clock, best: ServerTime | None) -> wire.Clock:
    """What the till may say of its clock: who disciplines it, how far off it is, and the bound of that."""
    measured = None if best is None else best.anchor_ms + clock.mono_ms() - clock.wall_ms()
    if configured is Discipline.AUTO and kernel_says_synchronised():
        configured = Discipline.NTP
    match configured:
        case Discipline.NTP:
            # A receipt's round trip is a coarser clock than NTP, so it does not correct it.
            return wire.Clock(src=wire.ClockSource.NTP, err_ms=_NTP_ERR_MS)
        case Discipline.RTC if measured is None:
            return wire.Clock(src=wire.ClockSource.RTC, err_ms=_RTC_ERR_MS)
        case Discipline.NONE:
            return wire.Clock(src=wire.ClockSource.NONE)
        case _:
            if best is None or measured is None:
                return wire.Clock(src=wire.ClockSource.NONE)
            source = wire.ClockSource.RTC if configured is Discipline.RTC else wire.ClockSource.SRV
            return wire.Clock(src=source, off_ms=measured, err_ms=best.err_ms)
