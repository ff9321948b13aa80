"""What a resident is told before leaving, and what is kept of used limits. Pure."""

import hashlib
from collections.abc import Iterable
from datetime import date, timedelta
from typing import NamedTuple

import orjson

from backend.kernel.amounts import MAX_AMOUNT
from backend.kernel.errors import DomainError
from backend.kernel.periods import civil_date, day_start_ms
from backend.policies.limits import is_moment, moment_ms, moment_of

NOTE_KEPT = timedelta(days=366)
"""How long a sealed note of used limits lasts: longer than any calendar year still runs, and then nothing is left."""
EXACT_UP_TO = 4
QUARTERS = 4


class ClosingNotTold(DomainError):
    code = "closing-not-told"
    text_zh = "注销前的告知已有变化，请重新查看后再确认。"
    text_en = "What closing would cost has changed since it was shown; please look again before confirming."


class MoneyLeft(DomainError):
    code = "money-left"
    text_zh = "账户中还有补贴金额 {fen} 分未使用或未领取；请先领取和使用，或明确放弃后再注销。"
    text_en = "There are {fen} fen of subsidy left; collect and use them first, or say that you give them up."


class Loss(NamedTuple):
    """What one city holds for the resident, of one unit; all of it ends with the account."""

    city: str
    unit: str
    available: int
    pending: int
    to_collect: int
    owed: int


class Told(NamedTuple):
    """What the resident is told, and agrees to by its hash."""

    losses: tuple[Loss, ...]
    redemptions_open: int
    scans_waiting: int
    quotes_held: int

    @property
    def sha256(self) -> str:
        return hashlib.sha256(orjson.dumps(self, default=tuple)).hexdigest()

    @property
    def money_fen(self) -> int:
        """What is there to be used, comes later, or waits to be collected."""
        return sum(one.available + one.pending + one.to_collect for one in self.losses if one.unit == "fen")


REDEEMED = "redeemed:"
"""Before the catalogue's entry, in a note's name of what a person may redeem of it."""


class UsedCap(NamedTuple):
    """A counter of the resident's own, as `cap_counters` has it, or of an entry that was redeemed (`REDEEMED`)."""

    city: str
    period: str
    cap: str
    used: int
    allowed: int

    @property
    def is_moment(self) -> bool:
        """Whether it counts one moment of sale, of a window."""
        return is_moment(("", self.period, self.cap))

    @property
    def is_of_redemptions(self) -> bool:
        return self.cap.startswith(REDEEMED)

    def still_runs(self, today: date) -> bool:
        """Whether its civil period (day, month, year, or for life) is not over on `today`; no window is longer than a year."""
        if self.is_moment:
            return civil_date(moment_ms(self.period)) + NOTE_KEPT > today
        return self.period == "-" or today.isoformat().startswith(self.period)


class CarriedTwice(NamedTuple):
    """What two accounts of one person both count from the same departures: once too often when they become one.

    Each is a period, a cap or an entry of the catalogue, and an amount.
    """

    caps: list[tuple[str, str, int]]
    limits: list[tuple[str, str, int]]


def coarse(found: Iterable[UsedCap], today: date) -> list[UsedCap]:
    """What is noted of counters: those that still run, rounded up to the next quarter of what is allowed, where nothing bounds
    them to the next power of two; of a window its last moment, as the midnight that followed.

    An exact figure could be looked for among the counters of the books, and would tie them to the person.
    """
    running = [one for one in found if one.used and one.still_runs(today)]
    last = {(one.city, one.cap): one for one in sorted(running) if one.is_moment}
    return [
        *(one._replace(used=_rounded(one.used, one.allowed)) for one in running if not one.is_moment),
        *(one._replace(period=_midnight_after(one.period)) for one in last.values()),
    ]


def _midnight_after(period: str) -> str:
    return moment_of(day_start_ms(civil_date(moment_ms(period)) + timedelta(days=1)))


def _rounded(used: int, allowed: int) -> int:
    if allowed <= EXACT_UP_TO:
        return used
    if allowed == MAX_AMOUNT:
        return min(allowed, 1 << (used - 1).bit_length())
    quarter = -(-allowed // QUARTERS)
    return min(allowed, -(-used // quarter) * quarter)


def note_of(found: Iterable[UsedCap]) -> bytes:
    return orjson.dumps([list(one) for one in found])


def caps_of(note: bytes) -> list[UsedCap]:
    """What `note_of` made."""
    return [UsedCap(*one) for one in orjson.loads(note)]
