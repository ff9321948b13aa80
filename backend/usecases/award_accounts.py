"""Where an award goes: at once into a lot, to wait until it is available, or to be collected. Pure."""

from datetime import date
from typing import NamedTuple

from backend.kernel.periods import civil_date, civil_hour, day_start_ms, month_end, next_hour_ms
from backend.ledger import chart
from backend.policies.model import Expiry, Policy

_DAY_MS = 86_400_000
_HOUR_MS = 3_600_000


class Course(NamedTuple):
    """The address of an award but for its resident, who stands between the two."""

    head: str
    tail: str

    def of(self, resident: str | None) -> str:
        return f"{self.head}{resident}{self.tail}"


def is_timed(policy: Policy) -> bool:
    """Whether the moment of sale changes where its awards go."""
    return any((policy.pending.days, policy.pending.collect_hours, policy.expiry.months, policy.expiry.on))


def plain_course(unit: str) -> Course:
    """Available at once, without end."""
    return Course(f"{chart.Kind.LOT.value}:", f":{unit}")


def course(policy: Policy, unit: str, sold_at_ms: int) -> Course:
    """Of an award of `policy` for what was sold at `sold_at_ms`; the same for all sales of one civil hour."""
    pending = policy.pending
    end = chart.end_of(last_day(policy.expiry, civil_date(sold_at_ms)))
    if pending.days:
        available_ms = day_start_ms(civil_date(sold_at_ms)) + (pending.days + 1) * _DAY_MS
        return Course(f"{chart.Kind.PENDING.value}:", f":{civil_hour(available_ms)}:{end}:{unit}")
    if pending.collect_hours:
        lapses_ms = next_hour_ms(sold_at_ms + pending.collect_hours * _HOUR_MS)
        return Course(f"{chart.Kind.COLLECT.value}:", f":{policy.policy}:{civil_hour(lapses_ms)}:{end}:{unit}")
    return Course(f"{chart.Kind.LOT.value}:", chart.tail(end, unit))


def last_day(expiry: Expiry, sold_on: date) -> date | None:
    """The civil day through which points of a sale on `sold_on` are good; None: without end."""
    if expiry.months:
        return month_end(sold_on, expiry.months)
    return None if expiry.on is None else date.fromisoformat(expiry.on)
