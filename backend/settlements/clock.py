"""When a claim has to be taken up, reviewed and paid, and which of these is late. Pure."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from backend.kernel.periods import CHINA, civil_date, day_start_ms, instant, milliseconds, month_end
from backend.settlements.model import MonthNotOver, Terms, checked_month


class Stage(StrEnum):
    """What a claim waits for: its month to be closed, its statement confirmed or ruled on, its payment."""

    ACCEPT = "accept"
    REVIEW = "review"
    PAY = "pay"


class Clocks(NamedTuple):
    """Until when each has to be done, as instants: the end of the last civil day."""

    dispute_until: datetime
    accept_by: datetime
    review_by: datetime
    pay_by: datetime


class Standing(NamedTuple):
    """Where a claim's clock stands: the stage that it is in, until when, and whether that has passed."""

    stage: Stage
    due_at: datetime
    overdue: bool


def end_of(month: str) -> datetime:
    """When a civil month (2026-11) is over. Raises MonthMalformed."""
    year, number = (int(part) for part in checked_month(month).split("-"))
    return _day_start(month_end(date(year, number, 1), 0) + timedelta(days=1))


def checked_end(month: str, now: datetime) -> datetime:
    """When a month ended. Raises MonthMalformed, MonthNotOver."""
    ended = end_of(month)
    if ended > now:
        raise MonthNotOver(month=month)
    return ended


def month_before(now: datetime) -> str:
    """The last civil month that is over."""
    first = now.astimezone(CHINA).date().replace(day=1)
    return (first - timedelta(days=1)).isoformat()[:7]


def clocks(month: str, closed_at: datetime, terms: Terms) -> Clocks:
    ended_on = civil_date(milliseconds(end_of(month))) - timedelta(days=1)
    closed_on = civil_date(milliseconds(closed_at))
    return Clocks(
        _end_of_day(closed_on + timedelta(days=terms.dispute_days)),
        _end_of_day(ended_on + timedelta(days=terms.accept_days)),
        _end_of_day(ended_on + timedelta(days=terms.review_days)),
        _end_of_day(ended_on + timedelta(days=terms.pay_days)),
    )


def standing(due: Clocks, now: datetime, *, reviewed: bool, paid: bool) -> Standing | None:
    """Of a claim whose month is closed; None once it is paid."""
    if paid:
        return None
    stage, due_at = (Stage.PAY, due.pay_by) if reviewed else (Stage.REVIEW, due.review_by)
    return Standing(stage, due_at, now >= due_at)


def unclosed(first: str, now: datetime) -> Iterator[str]:
    """The civil months from `first` on that are over."""
    month = first
    while (ended := end_of(month)) <= now:
        yield month
        month = ended.astimezone(CHINA).date().isoformat()[:7]


def last_day(until: datetime) -> date:
    """The last civil day of what ends at `until`, which is a day's end."""
    return until.astimezone(CHINA).date() - timedelta(days=1)


def _end_of_day(on: date) -> datetime:
    return _day_start(on + timedelta(days=1))


def _day_start(on: date) -> datetime:
    return instant(day_start_ms(on))
