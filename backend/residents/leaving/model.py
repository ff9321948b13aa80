"""What a resident is told before leaving, and what is kept of used limits. Pure."""

import hashlib
from collections.abc import Iterable
from datetime import date, timedelta
from typing import NamedTuple

import orjson

from backend.kernel.errors import DomainError

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
    text_zh = "账户中还有补贴金额 {fen} 分未使用；请先使用，或明确放弃后再注销。"
    text_en = "There are {fen} fen of subsidy left; use them first, or say that you give them up."


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
        return sum(one.available + one.pending for one in self.losses if one.unit == "fen")


class UsedCap(NamedTuple):
    """A counter of the resident's own, as `cap_counters` has it."""

    city: str
    period: str
    cap: str
    used: int
    allowed: int


def still_runs(period: str, today: date) -> bool:
    """Whether a civil period (day, month, year, or for life) is not over on `today`."""
    return period == "-" or today.isoformat().startswith(period)


def coarse(found: Iterable[UsedCap], today: date) -> list[UsedCap]:
    """What is noted of counters: those that still run, rounded up to the next quarter of what is allowed.

    An exact figure could be looked for among the counters of the books, and would tie them to the person.
    """
    return [
        one._replace(used=_rounded(one.used, one.allowed))
        for one in found
        if one.used and still_runs(one.period, today)
    ]


def _rounded(used: int, allowed: int) -> int:
    if allowed <= EXACT_UP_TO:
        return used
    quarter = -(-allowed // QUARTERS)
    return min(allowed, -(-used // quarter) * quarter)


def note_of(found: Iterable[UsedCap]) -> bytes:
    return orjson.dumps([list(one) for one in found])


def caps_of(note: bytes) -> list[UsedCap]:
    """What `note_of` made."""
    return [UsedCap(*one) for one in orjson.loads(note)]
