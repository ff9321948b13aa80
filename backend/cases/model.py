from datetime import date, datetime
from enum import StrEnum
from typing import NamedTuple

from backend.kernel.errors import DomainError

TEXT_MAX = 500
LABEL_MAX = 300
STEPS_MAX = 200


class ReportState(StrEnum):
    """FILED waits to be accepted; ACCEPTED and SAMPLING are looked into; DECIDED was told to the reporter; CLOSED: what
    follows from it is done.
    """

    FILED = "filed"
    ACCEPTED = "accepted"
    SAMPLING = "sampling"
    DECIDED = "decided"
    CLOSED = "closed"


class ReportOutcome(StrEnum):
    CONFIRMED = "confirmed"
    NOT_PROVEN = "not_proven"
    DECLINED = "declined"
    """It was not taken up: it says nothing that can be looked into, or is another office's."""


class StepKind(StrEnum):
    ACCEPT = "accept"
    SAMPLE = "sample"
    EVIDENCE = "evidence"
    DECIDE = "decide"
    CLOSE = "close"


class Report(NamedTuple):
    """What a resident says of a label in a shop: its number there, or a scan (`basket`, `line_no`), and the label's text.

    To be accepted, then decided, by the end of `due_on`.
    """

    report: str
    resident: str
    store: str | None
    basket: str | None
    line_no: int | None
    label: str | None
    text: str
    filed_at: datetime
    due_on: date | None
    state: ReportState = ReportState.FILED
    outcome: ReportOutcome | None = None
    reason: str | None = None
    decided_at: datetime | None = None
    decided_by: str | None = None


class Step(NamedTuple):
    """What an official did in a case, or found: `text` says it."""

    step_no: int
    kind: StepKind
    text: str
    by: str
    at: datetime


class ReportUnknown(DomainError):
    code = "report-unknown"
    text_zh = "没有这份举报，或没有这家门店、这次扫码。"
    text_en = "There is no such report, shop or scan."


class ReportRepeated(DomainError):
    code = "report-repeated"
    text_zh = "同一编号的举报已提交过，内容不同。"
    text_en = "A report of this number was filed before with other words."


class ReportTooMany(DomainError):
    code = "report-too-many"
    text_zh = "您还有 {open} 份举报在办，办结后再提交新的举报。"
    text_en = "{open} of your reports are open; file another when one is decided."


class TextRefused(DomainError):
    code = "text-refused"
    text_zh = "内容未通过微信的内容安全检查，请修改后再提交。"
    text_en = "WeChat's content check refuses this text; change it and send it again."


class StepOutOfTurn(DomainError):
    code = "report-step-out-of-turn"
    text_zh = "这份举报现在的状态（{state}）不能这样处理。"
    text_en = "A report in the state {state} cannot take this step."


class StepsFull(DomainError):
    code = "report-steps-full"
    text_zh = "一份举报最多记录 200 个步骤。"
    text_en = "A report holds 200 steps at most."
