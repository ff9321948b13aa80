"""What a statement may say, for how long, and to whom it is shown. Pure."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from backend.kernel.errors import DomainError

LADDER = (1, 3, 5, 10, 20, 50, 100)
"""How many purchases a statement may speak of: few steps, so that it tells little."""
LOOKS_BACK = timedelta(days=365)
GOOD_FOR = timedelta(days=365)
"""Evidence is then at most 24 months old: product.md H6."""
SHOWN_FOR = timedelta(minutes=10)
STATUS_PLACES = 2**20
OPEN_MAX = 20


class ShownFor(StrEnum):
    """What a recipient may ask for it. None is lending: that would be licensed credit reporting (征信)."""

    BENEFIT = "benefit"
    PUBLIC_SERVICE = "public_service"
    HONOUR = "honour"


class PassportOff(DomainError):
    code = "passport-off"
    text_zh = "本系统尚未开通绿色信用凭证。"
    text_en = "The green-credit passport is not set up here."


class TooFewPurchases(DomainError):
    code = "too-few-purchases"
    text_zh = "近 12 个月内经核验且未退货的绿色消费还不到 {at_least} 次，暂不能出具这份声明。"
    text_en = "There are fewer than {at_least} verified purchases that stand in the last 12 months."


class StatementUnknown(DomainError):
    code = "statement-unknown"
    text_zh = "没有这份声明，或已作废、已过期。"
    text_en = "There is no such statement, or it is void or out of date."


class TooManyStatements(DomainError):
    code = "too-many-statements"
    text_zh = "有效声明最多 {most} 份，请先作废不用的。"
    text_en = "At most {most} statements are good at a time; make void what is not needed."


class Statement(NamedTuple):
    """`at_least` purchases from `since` to `issued_at`. `place` is its bit in the city's status list."""

    statement: str
    at_least: int
    since: datetime
    issued_at: datetime
    expires_at: datetime
    place: int
    revoked_at: datetime | None
    revoked_why: str | None

    def holds(self, now: datetime) -> bool:
        return self.revoked_at is None and now < self.expires_at


class Showing(NamedTuple):
    """To whom, what for; `nonce` is the recipient's own, or drawn here."""

    recipient: str
    purpose: ShownFor
    nonce: str


def sentence(at_least: int) -> tuple[str, str]:
    return (
        f"12 个月内至少 {at_least} 次经核验的绿色消费",
        f"At least {at_least} verified green purchases in 12 months",
    )
