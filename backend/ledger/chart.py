"""The chart of accounts: an address says whose value it is, since when or until when it counts, and ends with its unit.

A resident's value lies in lots: `resident:{id}:{unit}` without an end, `resident:{id}:e{YYYYMMDD}:{unit}` good through that
civil day, `pending:{id}:{YYYYMMDDHH}:{end}:{unit}` available from that civil hour, `collect:{id}:{policy}:{YYYYMMDDHH}:
{end}:{unit}` to be collected before it; `{end}` is e{YYYYMMDD} or -. What a redemption holds is in `held:{id}:{redemption}:
{unit}` until it is confirmed or given back. What is owed is below zero in `debt:{id}:{unit}`. A shop's fees are in
`shop:{store}:fee`, what it gave residents in the city's place in `shop:{store}:fen`; both go to `paid:{retailer}:{unit}`.
What officials adjust by hand comes from `adjust:{cause}:{unit}`.
"""

from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from backend.kernel.periods import CHINA, civil_hour, day_start_ms, milliseconds

UNBOUNDED = None
BUDGETS = "budget:"
"""How the address of every budget begins."""
NO_END = "-"
_TOKENS_KEPT = 4_096
_LOT_PARTS = 4
"""Of a lot with an end: resident, id, end, unit."""


class Kind(StrEnum):
    """What an address begins with."""

    TREASURY = "treasury"
    BUDGET = "budget"
    EXPIRED = "expired"
    REDEEMED = "redeemed"
    LOT = "resident"
    PENDING = "pending"
    COLLECT = "collect"
    DEBT = "debt"
    RESERVED = "reserved"
    SHOP = "shop"
    HELD = "held"
    RECIPIENT = "recipient"
    PAID = "paid"
    ADJUST = "adjust"


_LOT, _PENDING, _COLLECT = Kind.LOT.value, Kind.PENDING.value, Kind.COLLECT.value
OF_RESIDENTS = (Kind.COLLECT.value, Kind.DEBT.value, Kind.HELD.value, Kind.PENDING.value, Kind.LOT.value)
_RESIDENT_SIDE = tuple(f"{kind}:" for kind in OF_RESIDENTS)
_SHOP = f"{Kind.SHOP.value}:"
_BELOW_ZERO = (f"{Kind.TREASURY.value}:", f"{Kind.DEBT.value}:", _SHOP, f"{Kind.ADJUST.value}:")


class Place(NamedTuple):
    """An address taken apart. `hour` and `end` as they stand in it; `end` is NO_END for what never ends."""

    kind: str
    resident: str | None
    policy: str | None
    hour: str | None
    end: str
    unit: str

    @property
    def last_day(self) -> date | None:
        """The civil day through which it is good; None: without end."""
        return None if self.end == NO_END else _day(self.end)

    @property
    def moment_ms(self) -> int | None:
        """When what is pending becomes available, or what is to be collected lapses, in Unix milliseconds."""
        return None if self.hour is None else _hour_ms(self.hour)

    @property
    def lot(self) -> str:
        """The lot that its value is in once it is available."""
        assert self.resident is not None
        return f"{_LOT}:{self.resident}{tail(self.end, self.unit)}"

    @property
    def debt(self) -> str:
        assert self.resident is not None
        return debt(self.resident, self.unit)


def treasury(unit: str) -> str:
    """Where a city's value begins. Minus its balance is what the city has granted."""
    return f"treasury:{unit}"


def budget(policy: str, unit: str, shards: int = 1) -> tuple[str, ...]:
    """What a policy may still award, spread over `shards` accounts; floor 0, so that none can be overspent."""
    return (f"budget:{policy}:{unit}", *(f"budget:{policy}:{shard}:{unit}" for shard in range(1, shards)))


def reserved(quote: str, policy: str, unit: str) -> str:
    """What a quote holds of a policy's budget until it is captured or given back. Locked with the quote's row alone."""
    return f"{Kind.RESERVED.value}:{quote}:{policy}:{unit}"


def shop(store: str, unit: str) -> str:
    """What is due to a shop: fees, or in fen what it gave residents in the city's place. Below zero where goods come back
    after it was paid out: then the shop owes it.
    """
    return f"{_SHOP}{store}:{unit}"


def shop_of(account: str) -> str:
    """The shop whose account it is."""
    return account.removeprefix(_SHOP).rpartition(":")[0]


def paid(retailer: str, unit: str) -> str:
    """What a retailer was paid out of its shops' accounts."""
    return f"{Kind.PAID.value}:{retailer}:{unit}"


def adjust(cause: str, unit: str) -> str:
    """Where what is adjusted for one cause comes from. Minus its balance is all that was."""
    return f"{Kind.ADJUST.value}:{cause}:{unit}"


def wallet(resident: str, unit: str) -> str:
    """The lot without an end."""
    return f"{_LOT}:{resident}:{unit}"


def lot(resident: str, unit: str, last_day: date | None) -> str:
    return f"{_LOT}:{resident}{tail(end_of(last_day), unit)}"


def pending(resident: str, unit: str, from_ms: int, last_day: date | None) -> str:
    """`from_ms`: when it becomes available, a full hour."""
    return f"{_PENDING}:{resident}:{civil_hour(from_ms)}:{end_of(last_day)}:{unit}"


def collect(resident: str, policy: str, unit: str, until_ms: int, last_day: date | None) -> str:
    """`until_ms`: when it lapses, a full hour."""
    return f"{_COLLECT}:{resident}:{policy}:{civil_hour(until_ms)}:{end_of(last_day)}:{unit}"


def debt(resident: str, unit: str) -> str:
    """What a resident owes after a return that neither pending awards nor lots could cover: minus its balance."""
    return f"debt:{resident}:{unit}"


def held(resident: str, redemption: str, unit: str) -> str:
    """What a redemption keeps from being spent twice, out of the lots of `resident`."""
    return f"{Kind.HELD.value}:{resident}:{redemption}:{unit}"


def recipient(name: str, unit: str) -> str:
    """What residents gave to one recipient of donations."""
    return f"{Kind.RECIPIENT.value}:{name}:{unit}"


def expired(unit: str) -> str:
    return f"expired:{unit}"


def redeemed(unit: str) -> str:
    return f"redeemed:{unit}"


def end_of(last_day: date | None) -> str:
    return NO_END if last_day is None else f"e{last_day:%Y%m%d}"


def tail(end: str, unit: str) -> str:
    """What follows the resident in the address of a lot."""
    return f":{unit}" if end == NO_END else f":{end}:{unit}"


def held_by(account: str, resident: str) -> str:
    """The address of `account`, which is a resident's, with `resident` as its owner."""
    kind, _, rest = account.split(":", 2)
    return f"{kind}:{resident}:{rest}"


def prefixes(resident: str) -> tuple[str, ...]:
    """What every account of `resident` begins with, one for each kind, in address order."""
    return tuple(f"{kind}:{resident}:" for kind in OF_RESIDENTS)


def place_of(account: str) -> Place:
    """Raises ValueError for an address that is none of this chart."""
    kind, *between, unit = account.split(":") if ":" in account else ("", account)
    match kind, between:
        case ("treasury" | "expired" | "redeemed", []) | ("shop" | "paid", [_, *_]) | ("recipient" | "adjust", [_]):
            return Place(kind, None, None, None, NO_END, unit)
        case ("budget", [policy] | [policy, _]) | ("reserved", [_, policy]):
            return Place(kind, None, policy, None, NO_END, unit)
        case ("resident" | "debt", [resident]) | ("held", [resident, _]):
            return Place(kind, resident, None, None, NO_END, unit)
        case "resident", [resident, end]:
            return Place(kind, resident, None, None, end, unit)
        case "pending", [resident, hour, end]:
            return Place(kind, resident, None, hour, end, unit)
        case "collect", [resident, policy, hour, end]:
            return Place(kind, resident, policy, hour, end, unit)
        case _:
            raise ValueError(f"not an account: {account}")


def due_ms(account: str) -> int | None:
    """When something has to happen to what it holds: it becomes available, lapses, or (a lot) is over. Unix milliseconds."""
    if account.count(":") < _LOT_PARTS - 1:  # as most are
        return None
    parts = account.split(":")
    if parts[0] == _LOT:
        return _day_end_ms(parts[2])
    if parts[0] == _PENDING:
        return _hour_ms(parts[2])
    return _hour_ms(parts[3]) if parts[0] == _COLLECT else None


def lock_order(account: str) -> tuple[bool, str]:
    """In which order every transaction takes accounts: residents' by address, then those that many writers share."""
    return not account.startswith(_RESIDENT_SIDE), account


def unit_of(account: str) -> str:
    return account.rpartition(":")[2]


def floor_of(account: str) -> int | None:
    return UNBOUNDED if account.startswith(_BELOW_ZERO) else 0


def day_end_ms(last_day: date) -> int:
    """When what is good through `last_day` is over, in Unix milliseconds."""
    return day_start_ms(last_day + timedelta(days=1))


def _day(end: str) -> date:
    return date(int(end[1:5]), int(end[5:7]), int(end[7:9]))


@lru_cache(_TOKENS_KEPT)
def _day_end_ms(end: str) -> int:
    return day_end_ms(_day(end))


@lru_cache(_TOKENS_KEPT)
def _hour_ms(hour: str) -> int:
    return milliseconds(datetime(int(hour[:4]), int(hour[4:6]), int(hour[6:8]), int(hour[8:10]), tzinfo=CHINA))
