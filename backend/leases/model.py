from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from backend.kernel.errors import DomainError

AWARDS_MAX = 1_000
HOURS_MAX = 168
GRACE_HOURS_MAX = 720
SHARE_BP_MAX = 5_000
"""At least half of a budget is for those who are online."""


class Fault(StrEnum):
    """Why a till's promise is not paid out of the lease that it names; the basket is decided as any other."""

    UNKNOWN = "unknown"
    ANOTHER_TILL = "another_till"
    OUT_OF_TIME = "out_of_time"
    LATE = "late"
    USED_UP = "used_up"


class EndedWhy(StrEnum):
    """Who ended a lease before its time: whoever turned the policy off or revoked the till, or an official."""

    POLICY = "policy"
    REVOKED = "revoked"
    OFFICIAL = "official"


class LeaseTermsInvalid(DomainError):
    code = "lease-terms-invalid"
    text_zh = "租约条款无效：{why_zh}。"
    text_en = "These terms of a lease cannot be: {why_en}."


class Terms(NamedTuple):
    """How tills may be lent one budget: `amount` of its unit and `awards` a till at a time, good for `hours`.

    Baskets that arrive `grace_hours` after a lease's end still count; at most `share_bp` basis points of what the budget has
    left is lent at once. An `amount` of 0 lends nothing.
    """

    policy: str
    unit: str
    amount: int
    awards: int
    hours: int
    grace_hours: int
    share_bp: int


class Lease(NamedTuple):
    """One row of `leases`. `drawn` was paid out of it, `returned` went back to the budget, the rest it holds.

    `settles_at`: baskets that arrive from then on are decided without it. `promises` were accepted so far; `postings` number
    its postings, the grant being the first.
    """

    lease: str
    device: str
    stream: str
    policy: str
    unit: str
    amount: int
    awards: int
    granted_at: datetime
    expires_at: datetime
    ended_at: datetime | None
    settles_at: datetime
    closed_at: datetime | None
    drawn: int
    returned: int
    promises: int
    postings: int

    @property
    def ends_at(self) -> datetime:
        return self.expires_at if self.ended_at is None else min(self.expires_at, self.ended_at)

    @property
    def left(self) -> int:
        return self.amount - self.drawn - self.returned
