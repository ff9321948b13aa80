"""When a basket was sold, and how sure that is. Source: the device protocol's clock rules."""

from typing import NamedTuple

import msgspec

from backend.kernel.periods import civil_date
from backend.scans.model import Basket, ClockQuality

PAST_MAX_MS = 30 * 86_400_000
FUTURE_MAX_MS = 5 * 60_000
ONLINE_MAX_MS = 15 * 60_000
INSTANT_MAX_MS = 253_402_300_799_000
"""The last second of the year 9999; a clock beyond it is stored as that."""

_NTP, _SERVER, _RTC = ClockQuality.NTP.value, ClockQuality.SERVER.value, ClockQuality.RTC.value
_BOUNDED, _UNKNOWN = ClockQuality.BOUNDED.value, ClockQuality.UNKNOWN.value
_SOURCES = {"ntp": _NTP, "srv": _SERVER, "rtc": _RTC}


class SaleTime(msgspec.Struct, frozen=True, gc=False):
    sold_at_ms: int
    quality: str
    held: bool
    """True when nobody may be paid by this time before a person looked: no trusted clock, or over 30 d old, 5 min ahead."""
    online: bool
    """Whether the basket came within 15 minutes of the sale by a synchronised clock."""


class Clock(NamedTuple):
    """The header's clock: `offset_ms` is added to the till's time to get the true time."""

    source: str
    offset_ms: int
    boot: str
    sent_mono_ms: int


def sale_time(clock: Clock, *, boot: str, ts_ms: int, closed_mono_ms: int, received_at_ms: int) -> SaleTime:
    """The moment of sale of a basket that closed at `closed_mono_ms` of `boot`, received at `received_at_ms` (UTC)."""
    quality = _SOURCES.get(clock.source)
    if quality is not None:
        sold_at_ms = ts_ms + clock.offset_ms
    elif clock.boot == boot and clock.sent_mono_ms >= closed_mono_ms:
        quality, sold_at_ms = _BOUNDED, received_at_ms - (clock.sent_mono_ms - closed_mono_ms)
    else:
        quality, sold_at_ms = _UNKNOWN, received_at_ms
    synchronised = quality in (_NTP, _SERVER)
    return SaleTime(
        sold_at_ms if 0 <= sold_at_ms <= INSTANT_MAX_MS else min(max(sold_at_ms, 0), INSTANT_MAX_MS),
        quality,
        is_held(quality, sold_at_ms, received_at_ms),
        synchronised and received_at_ms - sold_at_ms <= ONLINE_MAX_MS,
    )


def is_held(quality: str, sold_at_ms: int, received_at_ms: int) -> bool:
    """Whether nobody may be paid by this time of sale before a person looked at it."""
    trusted = quality in (_NTP, _SERVER, _RTC)
    return not (trusted and received_at_ms - PAST_MAX_MS <= sold_at_ms <= received_at_ms + FUTURE_MAX_MS)


def sale_year(basket: Basket) -> int | None:
    """The civil year that labels are held against: what is dated later was not sold then. None where no clock says it."""
    return None if basket.clock_held else civil_date(basket.sold_at_ms).year
