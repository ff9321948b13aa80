"""What is wrong with a target that somebody wants to set, field by field. Pure."""

import re
from datetime import date

from backend.kernel.errors import DomainError
from backend.kernel.worded import Worded
from backend.targets.model import OF_A_SCHEME, VALUE_MAX, Goal, Measure, Yardstick

TITLE_MAX, DOCUMENT_MAX, LINK_MAX, UNIT_MAX, REASON_MAX = 100, 100, 300, 12, 500
YEARS, DAYS_MAX = range(2000, 2101), 30 * 366
_LINK = re.compile(r"https?://[^\s<>\"']+")


class Fault(Worded):
    """What is said at the field: its code, in Chinese, in English."""

    MISSING = "missing", "请填写", "Fill this in"
    LONG = "long", "太长", "Too long"
    NO_NUMBER = "no-number", "请填整数，金额以元为单位", "A whole number; money in yuan"
    OUT_OF_RANGE = "out-of-range", "须大于起始值，且不超过一千万亿", "More than the starting value, and at most 10^15"
    NEGATIVE = "negative", "起始值不小于 0", "The starting value is 0 or more"
    NO_DAY = "no-day", "请填日期，如 2026-12-31", "A day such as 2026-12-31"
    ENDS_BEFORE = "ends-before", "到期日须晚于起始日，且不超过三十年", "After the first day, and within thirty years"
    NO_LINK = "no-link", "请填以 http:// 或 https:// 开头的网址", "An address that begins with http:// or https://"
    NO_MEASURE = "no-measure", "请从列表中选择", "Choose from the list"
    NOT_OF_A_SCHEME = "not-of-a-scheme", "这一指标不分认证项目", "This measure is not of one certification"
    NO_UNIT = "no-unit", "人工登记的指标须写明单位", "What is entered by hand needs its unit"
    UNKNOWN = "unknown", "没有这一项", "There is no such one"
    NOT_YET = "not-yet", "须在起始日之后，且不晚于今天", "Not before the first day, nor after today"


Faults = dict[str, Fault]


class TargetRefused(DomainError):
    """`faults`: what is wrong, by field."""

    code = "target-refused"
    text_zh = "请改正标出的各项。"
    text_en = "Correct the marked fields."

    def __init__(self, faults: Faults) -> None:
        super().__init__()
        self.faults = faults


def refuse(faults: Faults) -> None:
    """Raises TargetRefused where there are any."""
    if faults:
        raise TargetRefused(faults)


def faults_of(yardstick: Yardstick, goal: Goal) -> Faults:
    """Empty where the target may be set."""
    found = _of_goal(goal, yardstick)
    if not 0 <= yardstick.start <= VALUE_MAX:
        found["start"] = Fault.NEGATIVE
    if yardstick.scheme is not None and yardstick.measure not in OF_A_SCHEME:
        found["scheme"] = Fault.NOT_OF_A_SCHEME
    if (yardstick.measure is Measure.BY_HAND) != bool(yardstick.unit):
        found["unit"] = Fault.NO_UNIT
    elif yardstick.unit is not None and len(yardstick.unit) > UNIT_MAX:
        found["unit"] = Fault.LONG
    return found


def _of_goal(goal: Goal, yardstick: Yardstick) -> Faults:
    found = _of_text("title", goal.title_zh, TITLE_MAX) | _of_text("document", goal.document, DOCUMENT_MAX)
    if goal.clause is not None:
        found |= _of_text("clause", goal.clause, DOCUMENT_MAX)
    if goal.link is not None and _wrong_link(goal.link):
        found["link"] = Fault.NO_LINK
    if not yardstick.start < goal.value <= VALUE_MAX:
        found["value"] = Fault.OUT_OF_RANGE
    if yardstick.begins_on.year not in YEARS:
        found["begins_on"] = Fault.NO_DAY
    if not 0 < (goal.due_on - yardstick.begins_on).days <= DAYS_MAX:
        found["due_on"] = Fault.ENDS_BEFORE
    return found


def faults_of_reading(on: date, value: int, source: str, link: str | None, within: tuple[date, date]) -> Faults:
    """`within`: the first day, and today."""
    found: Faults = {}
    if not within[0] <= on <= within[1]:
        found["on"] = Fault.NOT_YET
    if not 0 <= value <= VALUE_MAX:
        found["value"] = Fault.NO_NUMBER
    if link is not None and _wrong_link(link):
        found["link"] = Fault.NO_LINK
    return found | _of_text("source", source, DOCUMENT_MAX)


def faults_of_reason(reason: str) -> Faults:
    return _of_text("reason", reason, REASON_MAX)


def _of_text(name: str, text: str, most: int) -> Faults:
    if not text:
        return {name: Fault.MISSING}
    return {name: Fault.LONG} if len(text) > most else {}


def _wrong_link(link: str) -> bool:
    return len(link) > LINK_MAX or _LINK.fullmatch(link) is None
