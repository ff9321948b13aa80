from datetime import date, datetime
from enum import StrEnum
from typing import NamedTuple

from backend.kernel.errors import DomainError

TEXT_MAX = 500


class AppealState(StrEnum):
    OPEN = "open"
    UPHELD = "upheld"
    REJECTED = "rejected"


class Appeal(NamedTuple):
    """`decision_no` is the decision that it is against, `new_decision_no` what followed where it was upheld. It is to be
    answered by the end of `due_on`.
    """

    appeal: str
    resident: str
    basket: str
    line_no: int
    decision_no: int
    text: str
    filed_at: datetime
    due_on: date
    state: AppealState = AppealState.OPEN
    decided_at: datetime | None = None
    decided_by: str | None = None
    approved_by: str | None = None
    explanation: str | None = None
    new_decision_no: int | None = None


class Verdict(NamedTuple):
    """Who decides, the second person where there is one, and what the resident is told."""

    by: str
    approved_by: str | None
    explanation: str


class Proposed(NamedTuple):
    """What one official, `by`, would tell the resident and grant; a second may approve it as it stands."""

    explanation: str
    by: str
    name: str
    at: datetime


class ProposedBefore(DomainError):
    code = "appeal-proposed"
    text_zh = "这份申诉已有人提出，正待第二人复核。"
    text_en = "Somebody has proposed an answer; it waits for a second person."


class AppealUnknown(DomainError):
    code = "appeal-unknown"
    text_zh = "没有这份申诉，或没有这次扫码。"
    text_en = "There is no such appeal, or no such scan."


class NothingToAppeal(DomainError):
    code = "nothing-to-appeal"
    text_zh = "这次扫码已奖励、待领取、待核实商品或已全部退货，不能申诉。"
    text_en = "This scan was awarded, waits to be claimed or for its product, or came back: there is nothing to appeal."


class AppealRepeated(DomainError):
    code = "appeal-repeated"
    text_zh = "对这次核定已经申诉过，每次核定只能申诉一次。"
    text_en = "This decision has been appealed; each may be appealed once."


class AppealDecided(DomainError):
    code = "appeal-decided"
    text_zh = "这份申诉已经办结。"
    text_en = "This appeal has been decided."


class AppealOvertaken(DomainError):
    code = "appeal-overtaken"
    text_zh = "这次扫码在申诉之后已另行核定，请据此答复。"
    text_en = "The scan has been decided again since the appeal: answer by that."


class DecidedByAnother(DomainError):
    code = "appeal-needs-another"
    text_zh = "申诉须由未参与原裁定的另一人办理，复核人也须是第三人。"
    text_en = "An official who did not rule before decides an appeal, and the one who approves is a third."


class NothingWouldChange(DomainError):
    code = "appeal-changes-nothing"
    text_zh = "按现有证书和政策重新核定仍不奖励（{reason}）；请先更正名录，或驳回并说明理由。"
    text_en = "Decided again it still earns nothing ({reason}): correct the registry first, or reject with the reason."
