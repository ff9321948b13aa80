import hashlib
from datetime import date, datetime
from enum import StrEnum
from typing import NamedTuple

from backend.kernel.errors import DomainError

TEXT_MAX = 500
AMOUNT_FEN_MAX = 10**10
TRIES_A_DAY_MAX = 5
"""Claims of one person in a city and a civil day: enough for mistypings, too few to fish for slips of others."""
ROUNDS_MAX = 2


class MissingState(StrEnum):
    """Found without a person; with an official; decided by one."""

    FOUND = "found"
    OPEN = "open"
    GRANTED = "granted"
    REJECTED = "rejected"


class MissingClaim(NamedTuple):
    """`slip_no` as `scans.slips.canonical` spells it, `amount_fen` the total of the slip or the price of one line.

    `round_no` 2: the resident asked another official, and says why in `text`; `first_by` decided before. An open one is to be
    answered by the end of `due_on`. `basket` is the first part of the sale that was given.
    """

    claim: str
    resident: str
    home: str
    store: str
    bought_on: date
    slip_no: str
    amount_fen: int
    filed_at: datetime
    due_on: date
    state: MissingState = MissingState.OPEN
    round_no: int = 1
    text: str | None = None
    first_by: str | None = None
    basket: str | None = None
    decided_at: datetime | None = None
    decided_by: str | None = None
    approved_by: str | None = None
    explanation: str | None = None


class MissingVerdict(NamedTuple):
    """Who decides, the second person where there is one, and what the resident is told."""

    by: str
    approved_by: str | None
    explanation: str


class MissingProposed(NamedTuple):
    """The sale that one official would give and may not alone: it waits for a second."""

    basket: str
    explanation: str
    by: str
    name: str
    at: datetime


def claim_mark(claim: str) -> bytes:
    """Stands in a basket that had no claim code, where it is given by its slip: it proves as much as a claim code does."""
    return hashlib.sha256(f"missing\0{claim}".encode()).digest()


class MissingUnknown(DomainError):
    code = "missing-points-unknown"
    text_zh = "没有这份补记申请。"
    text_en = "There is no such claim of missing points."


class MissingStoreUnknown(DomainError):
    code = "missing-points-store-unknown"
    text_zh = "没有这家门店，请核对城市和门店。"
    text_en = "There is no such shop; check the city and the shop."


class MissingAhead(DomainError):
    code = "missing-points-ahead"
    text_zh = "购买日期晚于今天，请核对小票上的日期。"
    text_en = "The day of purchase lies ahead of today; check it on the slip."


class MissingTooLate(DomainError):
    code = "missing-points-too-late"
    text_zh = "购买后 {days} 天内可以申请补记，已超过期限。"
    text_en = "Missing points are claimed within {days} days of the purchase; that time is over."


class MissingTriesUsedUp(DomainError):
    code = "missing-points-tries-used-up"
    text_zh = "每天最多申请补记 {tries_max} 次，请明天再试。"
    text_en = "At most {tries_max} claims a day; please try again tomorrow."


class MissingRepeated(DomainError):
    code = "missing-points-repeated"
    text_zh = "这张小票已经为您补记过，请在申请记录中查看。"
    text_en = "This slip was credited to you before; see your claims."


class MissingDecided(DomainError):
    code = "missing-points-decided"
    text_zh = "这份补记申请已经办结。"
    text_en = "This claim has been decided."


class MissingNotRejected(DomainError):
    code = "missing-points-not-rejected"
    text_zh = "只有未获补记的申请可以申请复核，每份申请一次。"
    text_en = "Only a claim that was rejected can be looked at again, and once."


class MissingNeedsAnother(DomainError):
    code = "missing-points-needs-another"
    text_zh = "复核须由未办理过的另一人进行，复核人也须是另一人。"
    text_en = "Somebody who did not decide before looks at it again, and the one who approves is a third."


class MissingBasketUnknown(DomainError):
    code = "missing-points-basket-unknown"
    text_zh = "没有这笔可以补记的销售，请核对编号。"
    text_en = "There is no such sale that could be given; check its id."


class MissingBasketTaken(DomainError):
    code = "missing-points-basket-taken"
    text_zh = "这笔销售已经记在某个账户名下，不能再补记。"
    text_en = "This sale belongs to an account already."


class MissingProposedBefore(DomainError):
    code = "missing-points-proposed"
    text_zh = "这份补记申请已有人提出补记，正待第二人复核。"
    text_en = "Somebody has proposed to credit this claim; it waits for a second person."
