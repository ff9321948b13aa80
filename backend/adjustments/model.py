from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from backend.kernel.amounts import MAX_AMOUNT, Unit
from backend.kernel.errors import DomainError

TICKET_MAX = 64
EXPLANATION_MAX = 500
UNITS_OF_RESIDENTS = (Unit.POINTS.value, Unit.FEN.value)
UNITS_OF_SHOPS = (Unit.FEE.value, Unit.FEN.value)


class Cause(StrEnum):
    """Why, and from which account: each cause has its own."""

    GOODWILL = "goodwill"
    MISSED = "missed"
    MISTAKE = "mistake"
    TEST = "test"


CAUSE_NAMES: Mapping[Cause, tuple[str, str]] = MappingProxyType(
    {
        Cause.GOODWILL: ("服务补偿", "Goodwill"),
        Cause.MISSED: ("补记", "Missed before"),
        Cause.MISTAKE: ("差错更正", "Mistake put right"),
        Cause.TEST: ("测试冲回", "Test undone"),
    }
)
"""As an official and the resident read them."""
ALONE_MAX: Mapping[str, Mapping[str, int]] = MappingProxyType(
    {
        "finance": MappingProxyType({"points": 2_000, "fen": 10_000, "fee": 10_000}),
        "case_officer": MappingProxyType({"points": 500}),
    }
)
"""What a role may adjust alone, by unit, in points or fen: 100 yuan. Beyond it, and of any other unit, a second person."""
ALONE_FOR = timedelta(days=30)
"""All that was adjusted alone for one resident or shop in so long counts as one: many small ones need two people, too."""
A_DAY = 10
"""How often somebody may reach the limit in one civil day, for whomever."""


class AdjustmentState(StrEnum):
    PROPOSED = "proposed"
    POSTED = "posted"
    REFUSED = "refused"


class Wanted(NamedTuple):
    """What is adjusted: `amount` of `unit` to a resident or a shop; below zero it is taken from them."""

    resident: str | None
    store: str | None
    unit: str
    amount: int
    cause: Cause
    ticket: str
    explanation: str

    @property
    def faulty(self) -> bool:
        units = UNITS_OF_RESIDENTS if self.store is None else UNITS_OF_SHOPS
        one = (self.resident is None) != (self.store is None)
        return not one or self.unit not in units or not 0 < abs(self.amount) <= MAX_AMOUNT


class Proposed(NamedTuple):
    """By whom, and what their roles may adjust alone of this unit."""

    by: str
    alone_max: int


class Adjustment(NamedTuple):
    adjustment: str
    wanted: Wanted
    state: AdjustmentState
    alone_max: int
    proposed_by: str
    proposed_at: datetime
    judged_by: str | None
    judged_at: datetime | None
    posted_at: datetime | None


def alone_max(roles: frozenset[str], unit: str) -> int:
    """The most that one of `roles` may adjust alone; 0: nothing."""
    return max((ALONE_MAX[role].get(unit, 0) for role in roles if role in ALONE_MAX), default=0)


class DoneAlone(NamedTuple):
    """What was posted by one person of a unit: for its owner in the last 30 days, and by the proposer today."""

    for_owner: int
    by_proposer: int


def left_alone(limit: int, done: DoneAlone) -> int:
    """What may still be adjusted alone."""
    return max(0, min(limit - done.for_owner, A_DAY * limit - done.by_proposer))


class AdjustmentInvalid(DomainError):
    code = "adjustment-invalid"
    text_zh = "调整须指明居民或门店之一；居民调积分或补贴，门店调手续费或垫付款；数额不能为零。"
    text_en = "An adjustment is of a resident (points, fen) or a shop (fee, fen), and is not zero."


class AmountUnreadable(DomainError):
    code = "adjustment-amount-unreadable"
    text_zh = "数额有误：积分写整数，其余以元写、至多两位小数，不能为零。"
    text_en = "The amount is whole points, or yuan with two decimals at most, and is not zero."


class AdjustmentUntold(DomainError):
    code = "adjustment-untold"
    text_zh = "须写明工单号（1 至 64 个字）和说明（1 至 500 个字）。"
    text_en = "A ticket (1 to 64 characters) and an explanation (1 to 500) are needed."


class AdjustmentUnknown(DomainError):
    code = "adjustment-unknown"
    text_zh = "没有这笔调整。"
    text_en = "There is no such adjustment."


class AdjustmentJudged(DomainError):
    code = "adjustment-judged"
    text_zh = "这笔调整已经办结。"
    text_en = "This adjustment is over already."


class AdjustmentRepeated(DomainError):
    code = "adjustment-repeated"
    text_zh = "这张表单已经提交过另一笔调整，请重新打开后填写。"
    text_en = "This form was sent before with another adjustment: open a new one."


class AdjustmentByTwo(DomainError):
    code = "adjustment-needs-another"
    text_zh = "调整须由提出人以外的人复核。"
    text_en = "Another person than who proposed it must judge an adjustment."


class TooLittleToTake(DomainError):
    code = "too-little-to-take"
    text_zh = "居民可用的只有 {available}，不够扣减 {needed}。"
    text_en = "The resident has {available} available; {needed} cannot be taken."


class AdjustedNobody(DomainError):
    code = "adjusted-nobody"
    text_zh = "本市没有这位居民的账户，或没有这家门店。"
    text_en = "There is no such resident's account, or no such shop, in this city."
