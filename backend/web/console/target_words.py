"""How targets read on a page: a verdict, a sentence of their pace, amounts in their unit; and what one page shows of a city's."""

from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

from backend.kernel.periods import civil_date, milliseconds
from backend.officials.model import PROVINCE_SUFFIX
from backend.targets import queries
from backend.targets.model import IN_FEN, Measure, Reading, Target, Yardstick
from backend.targets.pace import Pace, Verdict, pace_of
from backend.web.console import here, words
from backend.web.console.connection import read
from backend.web.console.declare import Texts
from backend.web.context import now

VERDICTS: Mapping[Verdict, tuple[str, str, str]] = {
    Verdict.MET: ("已达成", "Met", "good"),
    Verdict.OVERDUE: ("逾期未达成", "Overdue", "bad"),
    Verdict.ON_PACE: ("进度正常", "On pace", "good"),
    Verdict.BEHIND: ("落后于进度", "Behind", "waits"),
    Verdict.NOT_BEGUN: ("未开始", "Not begun", "plain"),
    Verdict.UNMEASURED: ("待登记", "No reading yet", "waits"),
}
"""Chinese, English, and how it is coloured."""
NOT_MEASURED = ("待测算", "Not measured yet", "plain")
"""Of what the system measures."""


class Shown(NamedTuple):
    """A target as a page shows it."""

    one: Target
    reading: Reading | None
    pace: Pace

    @property
    def verdict(self) -> tuple[str, str, str]:
        if self.pace.verdict is Verdict.UNMEASURED and self.one.yardstick.measure is not Measure.BY_HAND:
            return NOT_MEASURED
        return VERDICTS[self.pace.verdict]

    @property
    def is_untold(self) -> bool:
        """Past its last day, and nobody has entered whether it was met."""
        by_hand = self.one.yardstick.measure is Measure.BY_HAND
        return by_hand and self.is_past and self.pace.verdict is Verdict.UNMEASURED

    @property
    def is_past(self) -> bool:
        return self.pace.verdict is Verdict.MET or self.pace.days_left < 0

    @property
    def in_fen(self) -> bool:
        return self.one.yardstick.measure in IN_FEN

    def amount(self, value: int) -> str:
        return amount_of(self.one.yardstick, value)

    @property
    def told(self) -> Texts:
        """The pace in a sentence."""
        return _told(self)


def shown_of(city: str) -> list[Shown]:
    """Every target of a city or province, with how it fares."""
    with read(city) as connection:
        found, known = queries.targets(connection, city), queries.last_readings(connection, city)
    return [Shown(one, known.get(one.target), pace_of(one, known.get(one.target), today())) for one in found]


def province_above(city: str) -> str | None:
    """Whose targets a city's officials see beside their own: a province publishes them for its cities."""
    upper = city[:2] + PROVINCE_SUFFIX
    return None if upper == city else upper


def amount_of(yardstick: Yardstick, value: int) -> str:
    if yardstick.measure in IN_FEN:
        return words.yuan(value)
    return f"{words.whole(value)} {unit_of(yardstick)}"


def unit_of(yardstick: Yardstick) -> str:
    return yardstick.unit or here.say(yardstick.measure.unit_zh, yardstick.measure.unit_en)


def _told(shown: Shown) -> Texts:
    pace, days = shown.pace, abs(shown.pace.days_left)
    if pace.verdict is Verdict.MET:
        return "已达到目标", "The target is reached"
    if pace.verdict is Verdict.OVERDUE:
        return f"已过期 {days} 天，尚未达成", f"{days} days past its last day, not reached"
    if pace.verdict is Verdict.NOT_BEGUN:
        first = shown.one.yardstick.begins_on
        return f"{first} 开始", f"Begins on {first}"
    if pace.at_due is None:
        late_zh, late_en = (
            (f"，已过期 {days} 天", f", {days} days past its last day") if pace.days_left < 0 else ("", "")
        )
        return f"还没有进展数据{late_zh}", f"Nothing is known of its progress yet{late_en}"
    if pace.reached_on is not None and pace.reached_on <= shown.one.goal.due_on:
        return f"按当前进度，预计 {pace.reached_on} 达成", f"At the present pace it is reached on {pace.reached_on}"
    part = words.share(max(pace.at_due, 0), shown.one.goal.value)
    return f"按当前进度，到期时约完成 {part}", f"At the present pace {part} of it by its last day"


def counted(yardstick: Yardstick) -> str:
    return here.say(yardstick.measure.zh, yardstick.measure.en)


def today() -> date:
    return civil_date(milliseconds(now()))
