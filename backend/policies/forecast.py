"""When a budget runs out, if people go on as in the last weeks: past days drawn again, by weekday. Pure, integers only."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import NamedTuple

from backend.policies.model import Budget, Per

HISTORY_DAYS = 28
"""Four of each weekday: long enough for the week's pattern, short enough to follow a season."""
RESAMPLES = 200
HORIZON_DAYS_MAX = 1_096
_MASK = 2**64 - 1
_P50, _P90 = 50, 90


class Forecast(NamedTuple):
    """Civil dates by which half, and nine in ten, of the resampled futures have spent the budget.

    None: that many futures do not spend it before `until`, the last day looked at. `daily` is the mean of the past days
    in the budget's unit, rounded down.
    """

    p50: date | None
    p90: date | None
    until: date
    daily: int


class Outlook(NamedTuple):
    """A budget on the morning of `today`: what is left, what was spent on each past day, and its last day.

    `pace`: the most that may be spent on one day; None where nothing holds it. `carried`: what earlier days have left of
    that pace, where it carries over.
    """

    today: date
    left: int
    spent: Mapping[date, int]
    last_day: date
    pace: int | None = None
    carries: bool = False
    carried: int = 0


def forecast(outlook: Outlook, *, seed: int, resamples: int = RESAMPLES) -> Forecast:
    """The same outlook and seed give the same dates. A day of the future spends what some past day of its weekday did;
    past days without a sale count as zero, negative ones (more was given back than spent) too.
    """
    until = min(outlook.last_day, outlook.today + timedelta(days=HORIZON_DAYS_MAX))
    past = _by_weekday(outlook)
    days = max((until - outlook.today).days + 1, 0)
    ends = sorted(
        end
        for number in range(resamples)
        if (end := _spent_after(outlook, past, days, _mixed(seed, number))) is not None
    )
    total = sum(max(amount, 0) for amount in outlook.spent.values())
    dates = [_quantile(ends, share, resamples) for share in (_P50, _P90)]
    p50, p90 = (None if end is None else outlook.today + timedelta(days=end) for end in dates)
    return Forecast(p50, p90, until, total // len(outlook.spent) if outlook.spent else 0)


def pace_of(budget: Budget) -> tuple[int | None, bool]:
    """The tightest pace of the policy as a whole, and whether what a day leaves of it may be spent later.

    A pace of districts or shops shows in what they spent already.
    """
    whole = [(pace.amount, pace.carry_over) for pace in budget.paces if pace.per == (Per.POLICY,)]
    return min(whole, default=(None, False))


def _by_weekday(outlook: Outlook) -> list[list[int]]:
    """For each weekday the amounts of its past days; all days for one that has none yet."""
    amounts: defaultdict[int, list[int]] = defaultdict(list)
    for day in sorted(outlook.spent):
        amounts[day.weekday()].append(max(outlook.spent[day], 0))
    every = [amount for weekday in sorted(amounts) for amount in amounts[weekday]]
    return [amounts.get(weekday) or every for weekday in range(7)]


def _spent_after(outlook: Outlook, past: Sequence[Sequence[int]], days: int, state: int) -> int | None:
    """After how many days (0: today) nothing is left in one future; None where something is at the end."""
    left, allowed = outlook.left, outlook.carried
    if left <= 0:
        return 0
    weekday = outlook.today.weekday()
    for day in range(days):
        amounts = past[(weekday + day) % 7]
        if not amounts:
            return None
        state, drawn = _next(state)
        amount = amounts[drawn % len(amounts)]
        if outlook.pace is not None:
            allowed = outlook.pace + (allowed if outlook.carries else 0)
            amount = min(amount, allowed)
            allowed -= amount
        left -= amount
        if left <= 0:
            return day
    return None


def _quantile(ends: Sequence[int], share: int, resamples: int) -> int | None:
    """The smallest end that `share` in a hundred of all resamples do not exceed."""
    place = -(-resamples * share // 100) - 1
    return ends[place] if place < len(ends) else None


def _mixed(seed: int, number: int) -> int:
    return (seed * 0x9E3779B97F4A7C15 + number * 0xD1B54A32D192ED03 + 1) & _MASK


def _next(state: int) -> tuple[int, int]:
    """SplitMix64 (Steele, Lea, Flood 2014): the next state and 64 mixed bits. Written out: no chance in a decision."""
    state = (state + 0x9E3779B97F4A7C15) & _MASK
    mixed = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _MASK
    return state, mixed ^ (mixed >> 31)
