"""Tells systemd that the till is well, as long as it is."""

from collections.abc import Callable

from scanner import notices
from scanner.feedback import Notice, Signal
from scanner.pulse import PART_ZH, Part, Pulse, limits_s
from scanner.systemd import Systemd

UNWATCHED_S = 30.0
"""Silence is told to the cashier also where nobody feeds a watchdog."""
FEEDS_A_WATCHDOG = 4


class Watch:
    """`look` belongs to the main loop, `turned` to any thread. Times are seconds of a clock that never falls."""

    def __init__(self, systemd: Systemd, show: Callable[[Notice], None], now_s: float) -> None:
        watchdog_s = systemd.watchdog_s or UNWATCHED_S
        self._systemd = systemd
        self._show = show
        self._pulse = Pulse(limits_s(watchdog_s), now_s)
        self._every_s = watchdog_s / FEEDS_A_WATCHDOG
        self._due_s = now_s
        self._silent: list[Part] = []

    def turned(self, part: Part, at_s: float) -> None:
        self._pulse.beat(part, at_s)

    def rest(self, part: Part) -> None:
        self._pulse.rest(part)

    def due(self, now_s: float) -> bool:
        return now_s >= self._due_s

    def look(self, now_s: float, status: str) -> None:
        """Feeds the watchdog, unless a part is silent: then it is named, once, and systemd does the rest."""
        self._due_s = now_s + self._every_s
        silent = self._pulse.silent(now_s)
        if silent != self._silent:
            self._silent = silent
            self._tell()
        self._systemd.status(status if not silent else _named(silent)[0])
        if not silent:
            self._systemd.feed()

    def _tell(self) -> None:
        if not self._silent:
            self._show(notices.state("recovered", "各部分恢复运行。", "Every part goes round again."))
            return
        text_zh, text_en = _named(self._silent)
        self._show(notices.state("stuck", text_zh, text_en, Signal.WARNING, parts=[*self._silent]))


def _named(silent: list[Part]) -> tuple[str, str]:
    names_zh = "、".join(PART_ZH[part] for part in silent)
    return f"{names_zh}没有响应，即将自动重启。", f"No answer from: {', '.join(silent)}; about to be started again."
