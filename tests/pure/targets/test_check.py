"""What is wrong with a target is said at its field, all at once."""

from dataclasses import dataclass
from datetime import date

import pytest

from backend.targets.check import Fault, faults_of, faults_of_reading
from backend.targets.model import VALUE_MAX, Goal, Measure, Yardstick

YARDSTICK = Yardstick(Measure.CERTIFIED_UNITS, "organic", None, date(2026, 1, 1), 0, None)
GOAL = Goal("销量", 1_000, date(2026, 12, 31), "示例文件", "第三条", "https://example.org/a?b=1")
DAYS = date(2026, 1, 1), date(2026, 11, 27)


@dataclass(frozen=True)
class Wrong:
    field: str
    fault: Fault
    yardstick: Yardstick = YARDSTICK
    goal: Goal = GOAL


def test_a_good_target_has_no_fault() -> None:
    assert faults_of(YARDSTICK, GOAL) == {}
    assert faults_of(YARDSTICK._replace(measure=Measure.BY_HAND, scheme=None, unit="张"), GOAL) == {}
    assert faults_of_reading(DAYS[1], 0, "公报", None, DAYS) == {}


@pytest.mark.parametrize(
    "wrong",
    [
        Wrong("title", Fault.MISSING, goal=GOAL._replace(title_zh="")),
        Wrong("title", Fault.LONG, goal=GOAL._replace(title_zh="目" * 101)),
        Wrong("document", Fault.MISSING, goal=GOAL._replace(document="")),
        Wrong("clause", Fault.LONG, goal=GOAL._replace(clause="条" * 101)),
        Wrong("link", Fault.NO_LINK, goal=GOAL._replace(link="javascript:alert(1)")),
        Wrong("value", Fault.OUT_OF_RANGE, goal=GOAL._replace(value=0)),
        Wrong("value", Fault.OUT_OF_RANGE, goal=GOAL._replace(value=VALUE_MAX + 1)),
        Wrong("value", Fault.OUT_OF_RANGE, YARDSTICK._replace(start=1_000)),
        Wrong("due_on", Fault.ENDS_BEFORE, goal=GOAL._replace(due_on=date(2026, 1, 1))),
        Wrong("due_on", Fault.ENDS_BEFORE, goal=GOAL._replace(due_on=date(9999, 12, 31))),
        Wrong(
            "begins_on", Fault.NO_DAY, YARDSTICK._replace(begins_on=date(1, 1, 1)), GOAL._replace(due_on=date(2, 1, 1))
        ),
        Wrong("start", Fault.NEGATIVE, YARDSTICK._replace(start=-1)),
        Wrong("scheme", Fault.NOT_OF_A_SCHEME, YARDSTICK._replace(measure=Measure.PARTICIPANTS)),
        Wrong("unit", Fault.NO_UNIT, YARDSTICK._replace(measure=Measure.BY_HAND, scheme=None)),
        Wrong("unit", Fault.NO_UNIT, YARDSTICK._replace(unit="张")),
    ],
    ids=lambda wrong: f"{wrong.field}-{wrong.fault}",
)
def test_what_is_wrong_stands_at_its_field(wrong: Wrong) -> None:
    assert faults_of(wrong.yardstick, wrong.goal) == {wrong.field: wrong.fault}


def test_a_reading_lies_between_the_first_day_and_today_and_names_its_source() -> None:
    assert faults_of_reading(date(2025, 12, 31), 1, "公报", None, DAYS) == {"on": Fault.NOT_YET}
    assert faults_of_reading(date(2026, 11, 28), 1, "", "ftp://x", DAYS) == {
        "on": Fault.NOT_YET,
        "source": Fault.MISSING,
        "link": Fault.NO_LINK,
    }
