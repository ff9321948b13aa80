"""How a shop is suspended: notice, time to reply, two people, an end, an appeal to a third. Pure."""

from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from backend.kernel.errors import DomainError
from backend.kernel.periods import civil_date, milliseconds

TEXT_MAX = 500
BASIS_MAX = 200
REPLY_DAYS_MIN, REPLY_DAYS_MAX = 3, 60
DAYS_MAX = 366
APPEAL_DAYS = 15
"""Working days in which an appeal is answered."""


class Proposal(StrEnum):
    IMPOSE = "impose"
    DROP = "drop"


class Standing(StrEnum):
    """Where a suspension stands at a moment."""

    NOTICED = "noticed"
    PROPOSED = "proposed"
    DROPPED = "dropped"
    IN_FORCE = "in_force"
    ENDED = "ended"
    LIFTED = "lifted"


class Suspension(NamedTuple):
    """`from_at`, `until_at`: half-open; baskets sold meanwhile at `store` are held for a person. It ends by itself."""

    suspension: str
    store: str
    basis: str
    reason: str
    noticed_by: str
    noticed_at: datetime
    reply_by_on: date
    reply: str | None = None
    replied_at: datetime | None = None
    proposal: Proposal | None = None
    proposed_reason: str | None = None
    proposed_by: str | None = None
    proposed_at: datetime | None = None
    until_at: datetime | None = None
    approved_by: str | None = None
    approved_at: datetime | None = None
    from_at: datetime | None = None
    appeal: str | None = None
    appealed_at: datetime | None = None
    appeal_due_on: date | None = None
    appeal_outcome: str | None = None
    appeal_reason: str | None = None
    appeal_by: str | None = None
    appeal_decided_at: datetime | None = None
    lifted_at: datetime | None = None
    lifted_by: str | None = None
    lifted_reason: str | None = None


class SuspensionUnknown(DomainError):
    code = "suspension-unknown"
    text_zh = "没有这份停用通知。"
    text_en = "There is no such suspension."


class SuspensionOutOfTurn(DomainError):
    code = "suspension-out-of-turn"
    text_zh = "停用案现在的状态（{standing}）不能这样处理。"
    text_en = "A suspension that is {standing} cannot take this step."


class ReplyPeriodRuns(DomainError):
    code = "suspension-reply-period"
    text_zh = "门店可在 {until} 当日结束前答复；收到答复前不能作决定。"
    text_en = "The shop may reply until the end of {until}: nothing is decided before, unless it has replied."


class SuspensionNeedsAnother(DomainError):
    code = "suspension-needs-another"
    text_zh = "停用须由两人决定，申诉须由第三人办理。"
    text_en = "Two people decide a suspension, and a third an appeal against it."


class SuspensionRefused(DomainError):
    code = "suspension-refused"
    text_zh = "停用内容不合要求：答复期 3 至 60 天，停用最长 366 天、须在将来结束，依据和理由必填。"
    text_en = (
        "Three to 60 days to reply, at most 366 days with an end that lies ahead, and a basis and reason are needed."
    )


def standing(one: Suspension, now: datetime) -> Standing:
    if one.lifted_at is not None and one.lifted_at <= now:
        return Standing.LIFTED
    if one.from_at is not None and one.until_at is not None:
        return Standing.IN_FORCE if now < one.until_at else Standing.ENDED
    if one.proposal is None:
        return Standing.NOTICED
    return Standing.PROPOSED if one.approved_at is None else Standing.DROPPED


def check_notice(one: Suspension) -> None:
    """Raises SuspensionRefused."""
    given = civil_date(milliseconds(one.noticed_at))
    days = (one.reply_by_on - given).days
    texts = 1 <= len(one.basis) <= BASIS_MAX and 1 <= len(one.reason) <= TEXT_MAX
    if not REPLY_DAYS_MIN <= days <= REPLY_DAYS_MAX or not texts:
        raise SuspensionRefused


def check_proposal(one: Suspension, proposal: Proposal, until_at: datetime | None, now: datetime) -> None:
    """Raises SuspensionOutOfTurn, ReplyPeriodRuns, SuspensionRefused."""
    require(one, now, Standing.NOTICED)
    if proposal is Proposal.DROP:
        return
    if one.reply is None and civil_date(milliseconds(now)) <= one.reply_by_on:
        raise ReplyPeriodRuns(until=one.reply_by_on)
    if until_at is None or not now < until_at <= now + timedelta(days=DAYS_MAX):
        raise SuspensionRefused


def check_approval(one: Suspension, by: str, now: datetime) -> None:
    """Raises SuspensionOutOfTurn, SuspensionNeedsAnother, SuspensionRefused where its end has passed meanwhile."""
    require(one, now, Standing.PROPOSED)
    if by == one.proposed_by:
        raise SuspensionNeedsAnother
    if one.proposal is Proposal.IMPOSE and (one.until_at is None or one.until_at <= now):
        raise SuspensionRefused


def check_appeal_answer(one: Suspension, by: str) -> None:
    """Raises SuspensionOutOfTurn, SuspensionNeedsAnother."""
    if one.appeal is None or one.appeal_outcome is not None:
        raise SuspensionOutOfTurn(standing="no open appeal")
    if by in (one.proposed_by, one.approved_by):
        raise SuspensionNeedsAnother


def require(one: Suspension, now: datetime, *allowed: Standing) -> None:
    """Raises SuspensionOutOfTurn."""
    found = standing(one, now)
    if found not in allowed:
        raise SuspensionOutOfTurn(standing=found.value)
