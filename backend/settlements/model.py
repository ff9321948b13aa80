import re
from enum import StrEnum
from typing import NamedTuple

from backend.kernel.errors import DomainError

DAYS_MAX = 366
REASON_MAX = 500
_MONTH = re.compile(r"20[0-9]{2}-(0[1-9]|1[0-2])")


class Cause(StrEnum):
    """Why a shop is owed something. `undone`: a redemption that was confirmed there and voided."""

    FEE = "fee"
    PREPAID = "prepaid"
    VOUCHER = "voucher"
    SERVICE = "service"
    UNDONE = "undone"
    RETURN = "return"
    CORRECTION = "correction"
    ADJUSTMENT = "adjustment"


class Ruling(StrEnum):
    """Of a dispute. `stands`: the line is right. `correct`: the difference is posted, and stands on the next statement."""

    STANDS = "stands"
    CORRECT = "correct"


class PaymentState(StrEnum):
    PREPARED = "prepared"
    RELEASED = "released"
    REFUSED = "refused"
    PAID = "paid"


class Terms(NamedTuple):
    """Days, all whole civil ones: a retailer may dispute for so many after its month was closed; a claim is taken up,
    reviewed and paid within so many of its month's end.
    """

    dispute_days: int = 5
    accept_days: int = 3
    review_days: int = 15
    pay_days: int = 30

    @property
    def fault(self) -> bool:
        """Whether no city could keep them: the three clocks run one after the other."""
        clocks = (self.accept_days, self.review_days, self.pay_days)
        return not 1 <= self.dispute_days <= DAYS_MAX or list(clocks) != sorted({*clocks}) or not _within(clocks)


def _within(days: tuple[int, ...]) -> bool:
    return days[0] >= 1 and days[-1] <= DAYS_MAX


class LineKey(NamedTuple):
    """One line of one statement. `month` as 2026-11."""

    month: str
    retailer: str
    line_no: int


class Claim(NamedTuple):
    """A sold line: what is held is all that shops claim for it."""

    basket: str
    line_no: int


class Said(NamedTuple):
    """Who does it, and why."""

    by: str
    reason: str


class Ruled(NamedTuple):
    """`correction`: fen that are added to the line (below zero: taken off); 0 where it stands. `approved_by`: the second
    person, where the money moves.
    """

    ruling: Ruling
    correction: int
    explanation: str
    by: str
    approved_by: str | None


class Booked(NamedTuple):
    """What the bank says of a payment."""

    paid_on: str
    bank_reference: str
    by: str


def checked_month(month: str) -> str:
    """The month itself, as 2026-11. Raises MonthMalformed."""
    if not _MONTH.fullmatch(month):
        raise MonthMalformed(month=month)
    return month


class MonthMalformed(DomainError):
    code = "settlement-month-malformed"
    text_zh = "月份写作 2026-11，收到的是 {month}。"
    text_en = "A month is written 2026-11, not {month}."


class MonthNotOver(DomainError):
    code = "settlement-month-not-over"
    text_zh = "{month} 还没有结束，不能结账。"
    text_en = "{month} is not over yet and cannot be closed."


class MonthPassed(DomainError):
    code = "settlement-month-passed"
    text_zh = "{closed} 已经结账，更早的 {month} 不再单独结账；迟到的账目列入下一份对账单。"
    text_en = (
        "{closed} is closed, and {month} before it is not closed any more: what came late goes to the next statement."
    )


class TermsInvalid(DomainError):
    code = "settlement-terms-invalid"
    text_zh = "期限无效：异议 1 至 366 天；受理、审核、拨付依次延长，均在 366 天以内。"
    text_en = "These terms cannot be: 1 to 366 days to dispute; acceptance, review and payment one after the other."


class StatementUnknown(DomainError):
    code = "settlement-statement-unknown"
    text_zh = "没有 {retailer} 在 {month} 的对账单。"
    text_en = "There is no statement of {retailer} for {month}."


class LineUnknown(DomainError):
    code = "statement-line-unknown"
    text_zh = "这份对账单没有第 {line_no} 行。"
    text_en = "This statement has no line {line_no}."


class DisputeOver(DomainError):
    code = "dispute-over"
    text_zh = "异议期已于 {until} 结束，或对账单已确认，不能再提异议。"
    text_en = "The time to dispute ended on {until}, or the statement is confirmed."


class DisputeRepeated(DomainError):
    code = "dispute-repeated"
    text_zh = "第 {line_no} 行已经提过异议。"
    text_en = "Line {line_no} was disputed before."


class DisputeUnknown(DomainError):
    code = "dispute-unknown"
    text_zh = "第 {line_no} 行没有待裁定的异议。"
    text_en = "Line {line_no} has no dispute that waits for a ruling."


class ReasonMissing(DomainError):
    code = "settlement-reason-missing"
    text_zh = "请写明理由，1 至 500 个字。"
    text_en = "Say why, in 1 to 500 characters."


class CorrectionInvalid(DomainError):
    code = "correction-invalid"
    text_zh = "更正须以分写明差额，是不为零的整数；维持原账的不写差额。"
    text_en = "A correction names its difference in whole fen, not zero; where the line stands there is none."


class CorrectionByTwo(DomainError):
    code = "correction-needs-another"
    text_zh = "更正涉及资金，须由另一人复核，提出人与复核人不能相同。"
    text_en = "A correction moves money: another person must approve what one proposes."


class CorrectionChanged(DomainError):
    code = "correction-changed"
    text_zh = "提出的更正已经改动，请重新查看后再复核。"
    text_en = "The correction that was proposed is another one by now: look at it again before you approve."


class NothingToPay(DomainError):
    code = "nothing-to-pay"
    text_zh = "现在没有可以拨付的款项：未确认、有异议或暂缓的不拨付。"
    text_en = "Nothing can be paid now: what is not confirmed, under dispute or held is not."


class PaymentUnknown(DomainError):
    code = "payment-unknown"
    text_zh = "没有这份付款文件。"
    text_en = "There is no such payment file."


class PaymentStanding(DomainError):
    code = "payment-standing"
    text_zh = "这份付款文件现在是“{state_zh}”，不能这样办理。"
    text_en = "This payment file is {state}; that cannot be done now."


class ReleasedByPreparer(DomainError):
    code = "payment-needs-another"
    text_zh = "付款文件须由编制人以外的人放行。"
    text_en = "A payment file is released by somebody who did not prepare it."


class RefusedByPreparer(DomainError):
    code = "payment-refusal-needs-another"
    text_zh = "已放行的付款文件可能已到银行，须由编制人以外的人确认未付后退回。"
    text_en = "A file that was released may be at the bank: somebody who did not prepare it makes sure and refuses it."


class PaidOnMalformed(DomainError):
    code = "paid-on-malformed"
    text_zh = "付款日写作 2026-12-08，且不晚于今天。"
    text_en = "The day of payment is written 2026-12-08, and is not ahead of today."


class PaidBeforeRelease(DomainError):
    code = "paid-before-release"
    text_zh = "付款日不能早于放行日 {released_on}：放行之前银行没有这份文件。"
    text_en = "It was released on {released_on}: the bank cannot have paid it before."


class ClaimsHeld(DomainError):
    code = "payment-claims-held"
    text_zh = "编制之后有 {lines} 行被暂缓，请退回后重新编制。"
    text_en = "{lines} lines were held since it was prepared: refuse it and prepare another."


class FileChanged(DomainError):
    code = "payment-file-changed"
    text_zh = "付款文件与编制时的散列不符，不能放行或登记。"
    text_en = "The file is not the one that was prepared: its digest differs."
