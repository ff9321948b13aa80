from enum import StrEnum
from typing import NamedTuple

from backend.kernel.amounts import MAX_AMOUNT, Unit
from backend.kernel.errors import DomainError


class Reason(StrEnum):
    GRANT = "grant"
    AWARD = "award"
    REVERSAL = "reversal"
    RELEASE = "release"
    COLLECT = "collect"
    LAPSE = "lapse"
    EXPIRY = "expiry"
    REPAY = "repay"
    REDEMPTION = "redemption"
    HOLD = "hold"
    DONATION = "donation"
    RETURN = "return"
    RECLAIM = "reclaim"
    RESERVE = "reserve"
    UNRESERVE = "unreserve"
    REINSTATE = "reinstate"
    MERGE = "merge"
    FORFEIT = "forfeit"
    PREPAID = "prepaid"
    REIMBURSE = "reimburse"
    PAYMENT = "payment"
    ADJUST = "adjust"


class Transfer(NamedTuple):
    """`amount` > 0 of `unit` moves from `source` to `destination`. A tuple, as `TransferRow` is."""

    reference: str
    step: int
    line: int
    reason: str
    unit: str
    source: str
    destination: str
    amount: int


TransferRow = tuple[str, int, int, str, str, str, str, int]
"""A transfer without names: put together at a tenth of the cost, where one is made for every scan."""


class BoundReached(DomainError):
    """An account would have fallen below its floor: nothing was posted."""

    code = "balance-too-low"
    text_zh = "余额或预算不足，本次未入账。"
    text_en = "The balance or budget is too low; nothing was posted."


class ReferenceReused(DomainError):
    code = "reference-reused"
    text_zh = "该业务编号已用于内容不同的入账，已拒绝。"
    text_en = "This reference already stands for a posting with other content."


def checked(transfer: Transfer) -> Transfer:
    """The transfer itself. Raises ValueError where the database's CHECK would refuse it too."""
    if not 0 < transfer.amount <= MAX_AMOUNT or transfer.source == transfer.destination or transfer.step == 0:
        raise ValueError(f"not a transfer: {transfer}")
    Unit(transfer.unit)
    Reason(transfer.reason)
    return transfer
