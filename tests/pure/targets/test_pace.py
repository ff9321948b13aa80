"""A target against a straight line: whole days, whole numbers, and no verdict that its own figures contradict."""

from datetime import UTC, date, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from backend.targets.model import Goal, Measure, Reading, Target, Yardstick
from backend.targets.pace import Verdict, pace_of

FIRST = date(2026, 1, 1)
AT = datetime(2026, 6, 1, tzinfo=UTC)
amounts = st.integers(0, 10**12)


def target(value: int, due_on: date = date(2026, 12, 31), start: int = 0) -> Target:
    yardstick = Yardstick(Measure.POINTS_GRANTED, None, None, FIRST, start, None)
    return Target(
        "t", 1, yardstick, Goal("目标", value, due_on, "文件", None, None), withdrawn=False, reason=None, by="o", at=AT
    )


def reading(value: int, on: date) -> Reading:
    return Reading(on, value, AT)


def test_a_quarter_of_the_way_after_a_fifth_of_the_time_is_on_pace_and_says_when() -> None:
    one = target(1_000, FIRST + timedelta(days=99))

    pace = pace_of(one, reading(250, FIRST + timedelta(days=19)), FIRST + timedelta(days=20))

    assert (pace.verdict, pace.expected, pace.done_bp, pace.at_due) == (Verdict.ON_PACE, 200, 2_500, 1_250)
    assert pace.reached_on == FIRST + timedelta(days=79)  # the end of the 80th day
    assert pace.days_left == 79


def test_less_than_the_line_is_behind_and_says_how_much_comes_of_it() -> None:
    one = target(1_000, FIRST + timedelta(days=99))

    pace = pace_of(one, reading(150, FIRST + timedelta(days=19)), FIRST + timedelta(days=20))

    assert (pace.verdict, pace.at_due, pace.reached_on) == (Verdict.BEHIND, 750, FIRST + timedelta(days=133))


def test_the_day_after_the_last_it_is_overdue_and_reached_late_it_is_met() -> None:
    one, last = target(1_000), date(2026, 12, 31)

    assert pace_of(one, reading(999, last), last).verdict is Verdict.BEHIND
    assert pace_of(one, reading(999, last), last + timedelta(days=1)).verdict is Verdict.OVERDUE
    assert pace_of(one, reading(1_000, last + timedelta(days=40)), last + timedelta(days=50)).verdict is Verdict.MET


def test_before_its_first_day_it_has_not_begun_and_without_a_reading_nothing_is_said() -> None:
    one = target(1_000)

    assert pace_of(one, None, FIRST - timedelta(days=1)).verdict is Verdict.NOT_BEGUN
    assert pace_of(one, None, FIRST).verdict is Verdict.UNMEASURED
    assert pace_of(one, None, date(2027, 6, 1)) == (Verdict.UNMEASURED, -152, 0, None, None, None)


def test_what_stands_still_is_never_reached() -> None:
    pace = pace_of(target(1_000, start=400), reading(300, date(2026, 3, 1)), date(2026, 3, 2))

    assert (pace.verdict, pace.done_bp, pace.reached_on) == (Verdict.BEHIND, 0, None)


@settings(max_examples=60, deadline=None)
@given(amounts, st.integers(1, 10**12), st.integers(1, 4_000), st.integers(0, 4_000), amounts)
def test_its_figures_agree_with_its_verdict(start: int, way: int, days: int, passed: int, value: int) -> None:
    one = target(start + way, FIRST + timedelta(days=days), start)
    on = FIRST + timedelta(days=min(passed, days))

    pace = pace_of(one, reading(value, on), on)

    assert 0 <= pace.done_bp <= 10_000
    assert pace.expected is not None
    assert start <= pace.expected <= start + way
    assert (pace.verdict is Verdict.MET) == (value >= start + way)
    if pace.verdict in (Verdict.ON_PACE, Verdict.BEHIND):
        assert pace.at_due is not None
        in_time = pace.reached_on is not None and pace.reached_on <= one.goal.due_on
        assert (pace.verdict is Verdict.ON_PACE) == in_time == (pace.at_due >= start + way)
        assert pace.verdict is not Verdict.ON_PACE or value >= pace.expected


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 10**12), st.integers(1, 4_000))
def test_the_line_ends_at_the_target_and_never_falls(way: int, days: int) -> None:
    one = target(way, FIRST + timedelta(days=days))
    on = [FIRST + timedelta(days=day) for day in (0, days // 2, days)]

    line = [pace_of(one, reading(0, each), each).expected for each in on]

    assert line == sorted(line, key=lambda expected: expected or 0)
    assert line[-1] == way
