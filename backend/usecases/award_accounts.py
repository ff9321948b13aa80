"""Where an award goes: at once into a lot, to wait until it is available, or to be collected. Pure."""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from backend.kernel.amounts import FEE, Unit
from backend.kernel.periods import civil_date, civil_hour, day_start_ms, month_end, next_hour_ms
from backend.ledger import chart
from backend.policies.compiled import PolicySet
from backend.policies.model import Policy
from backend.policies.terms import Expiry
from backend.scans.model import Basket

_DAY_MS = 86_400_000
_HOUR_MS = 3_600_000


class Course(NamedTuple):
    """The address of an award but for its resident, who stands between the two."""

    head: str
    tail: str

    def of(self, resident: str | None) -> str:
        return f"{self.head}{resident}{self.tail}"


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


class Destinations:
    """Where awards of timed policies for `baskets` go, and fees; all others go to `chart.wallet`."""

    def __init__(self, policies: PolicySet, baskets: Sequence[Basket]) -> None:
        self._baskets = baskets
        self._stores: dict[str, str | None] = {}
        self._policies = policies.timed
        self._sold_at = {basket.basket: basket.sold_at_ms for basket in baskets} if self._policies else {}
        self._courses: dict[tuple[str, str, int], Course] = {}

    def of(self, version: str, unit: str, basket: str, resident: str | None) -> str:
        if unit == FEE:
            return self._shop(basket)
        sold_at_ms = self._sold_at[basket]
        key = version, unit, next_hour_ms(sold_at_ms)
        # A full hour belongs to the day that it begins, but is rounded up with the hour before it.
        found = self._courses.get(key) if sold_at_ms % _HOUR_MS else None
        if found is None:
            found = course(self._policies[version], unit, sold_at_ms)
            if sold_at_ms % _HOUR_MS:
                self._courses[key] = found
        return found.of(resident)

    def _shop(self, basket: str) -> str:
        if not self._stores:  # few policies pay fees
            self._stores = {one.basket: one.store for one in self._baskets}
        store = self._stores[basket]
        assert store is not None, "without a shop there is no fee"
        return chart.shop(store, FEE)


def destinations(baskets: Sequence[Basket], policies: PolicySet) -> set[str]:
    """Every account that an award for one of `baskets` may go to."""
    return {
        account
        for basket in baskets
        if basket.resident is not None
        for policy in policies.in_force(basket.sold_at_ms).policies
        for unit in policy.policy.units
        if (account := _owner(policy.policy, unit, basket)) is not None
    }


def _owner(policy: Policy, unit: Unit, basket: Basket) -> str | None:
    if unit is not Unit.FEE:
        return course(policy, unit.value, basket.sold_at_ms).of(basket.resident)
    return None if basket.store is None else chart.shop(basket.store, FEE)
