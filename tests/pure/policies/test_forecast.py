"""The forecast of a budget's end: exact where the past leaves no choice, the same for the same seed, later when slower."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from backend.kernel.amounts import Unit
from backend.policies.forecast import HISTORY_DAYS, Forecast, Outlook, forecast, pace_of
from backend.policies.model import Budget, Pace, Per

MONDAY = date(2026, 11, 23)
FAR = date(2027, 12, 31)


def past(*week: int) -> dict[date, int]:
    """Four weeks, each spending what `week` says, Monday first."""
    return {MONDAY - timedelta(days=back): week[-back % 7] for back in range(1, HISTORY_DAYS + 1)}


def test_a_steady_budget_ends_on_the_day_that_division_says() -> None:
    found = forecast(Outlook(MONDAY, 1_000, past(*[100] * 7), FAR), seed=1)

    assert found == Forecast(MONDAY + timedelta(days=9), MONDAY + timedelta(days=9), FAR, 100)


def test_the_week_has_its_pattern() -> None:
    """Nothing is sold but on Saturdays: 300 in all are gone with the third."""
    found = forecast(Outlook(MONDAY, 300, past(0, 0, 0, 0, 0, 100, 0), FAR), seed=1)

    assert found.p50 == found.p90 == date(2026, 12, 12)
    assert found.p50.weekday() == 5


def test_what_nobody_spends_lasts_to_the_end() -> None:
    assert forecast(Outlook(MONDAY, 1, past(*[0] * 7), FAR), seed=1) == Forecast(None, None, FAR, 0)
    assert forecast(Outlook(MONDAY, 1, {}, FAR), seed=1) == Forecast(None, None, FAR, 0)


def test_what_is_spent_already_ends_today() -> None:
    assert forecast(Outlook(MONDAY, 0, past(*[0] * 7), FAR), seed=1).p90 == MONDAY


def test_a_budget_that_outlives_its_policy_has_no_date() -> None:
    found = forecast(Outlook(MONDAY, 1_000, past(*[100] * 7), MONDAY + timedelta(days=8)), seed=1)

    assert (found.p50, found.until) == (None, MONDAY + timedelta(days=8))


def test_a_pace_puts_the_end_off() -> None:
    found = forecast(Outlook(MONDAY, 1_000, past(*[100] * 7), FAR, pace=50), seed=1)

    assert found.p50 == MONDAY + timedelta(days=19)


def test_what_a_day_leaves_of_its_pace_may_be_spent_later() -> None:
    """Saturdays want 140: a pace of 20 lets 20 through, one that carries over the whole."""
    week = past(0, 0, 0, 0, 0, 140, 0)

    held = forecast(Outlook(MONDAY, 140, week, FAR, pace=20), seed=1)
    carried = forecast(Outlook(MONDAY, 140, week, FAR, pace=20, carries=True, carried=20), seed=1)

    assert held.p50 == date(2027, 1, 9)
    assert carried.p50 == date(2026, 11, 28)


def test_the_same_seed_gives_the_same_dates_and_no_days_gives_none_of_chance() -> None:
    wild = {day: (day.day * 7919) % 500 for day in past(*[0] * 7)}
    outlook = Outlook(MONDAY, 9_000, wild, FAR)

    assert forecast(outlook, seed=7) == forecast(outlook, seed=7)
    assert forecast(outlook, seed=7).p50 is not None


@given(
    st.lists(st.integers(-50, 300), min_size=HISTORY_DAYS, max_size=HISTORY_DAYS),
    st.integers(0, 5_000),
    st.integers(0, 5_000),
    st.integers(0, 2**64),
)
def test_more_left_never_ends_earlier(amounts: list[int], left: int, more: int, seed: int) -> None:
    spent = dict(zip(past(*[0] * 7), amounts, strict=True))

    one = forecast(Outlook(MONDAY, left, spent, FAR), seed=seed, resamples=20)
    other = forecast(Outlook(MONDAY, left + more, spent, FAR), seed=seed, resamples=20)

    assert (one.p50 or FAR) <= (one.p90 or FAR)
    assert (one.p50 or FAR) <= (other.p50 or FAR)
    assert (one.p90 or FAR) <= (other.p90 or FAR)


def test_only_a_pace_of_the_whole_policy_holds_its_forecast() -> None:
    paces = (Pace("d", 10, (Per.DISTRICT,)), Pace("p", 70, carry_over=True), Pace("q", 90))

    assert pace_of(Budget(Unit.POINTS, 100, partial=True, paces=paces)) == (70, True)
    assert pace_of(Budget(Unit.POINTS, 100, partial=True)) == (None, False)
