"""Which parts of the till still go round. Pure.

The watchdog is fed only while none is silent: a till that looks alive and reads nothing is started again.
"""

from collections.abc import Mapping
from enum import StrEnum


class Part(StrEnum):
    MAIN = "main"
    READER = "reader"
    OUTBOX = "outbox"
    UPLINK = "uplink"


PART_ZH = {Part.MAIN: "主程序", Part.READER: "读码", Part.OUTBOX: "本机存储", Part.UPLINK: "上传"}
UPLINK_WATCHDOGS = 5
"""A lookup of names in a dead network keeps the uplink for half a minute, and a shop without a network must go on."""


class Pulse:
    """Times are seconds of a clock that never falls."""

    def __init__(self, limits_s: Mapping[Part, float], now_s: float) -> None:
        self._limits_s = dict(limits_s)
        self._beat_s = dict.fromkeys(self._limits_s, now_s)

    def beat(self, part: Part, at_s: float) -> None:
        """From any thread: each part has its own."""
        self._beat_s[part] = at_s

    def rest(self, part: Part) -> None:
        """It is done for good, as the reader of a file that has ended."""
        self._limits_s.pop(part, None)

    def silent(self, now_s: float) -> list[Part]:
        return [part for part, limit_s in self._limits_s.items() if now_s - self._beat_s[part] > limit_s]


def limits_s(watchdog_s: float) -> dict[Part, float]:
    """Half of the watchdog's time: what is silent longer is found before the next feeding would be late."""
    half_s = watchdog_s / 2
    parts = dict.fromkeys((Part.MAIN, Part.READER, Part.OUTBOX), half_s)
    return {**parts, Part.UPLINK: UPLINK_WATCHDOGS * watchdog_s}
