"""What the reporter reads of a report. Pure."""

from typing import NamedTuple

from backend.cases.model import Report, ReportOutcome, ReportState


class Said(NamedTuple):
    zh: str
    en: str


def sentence(one: Report) -> Said:
    match one.state:
        case ReportState.FILED:
            return Said(
                f"举报已收到，将在 {one.due_on} 前决定是否受理。",
                f"Your report was received; whether it is taken up is decided by {one.due_on}.",
            )
        case ReportState.ACCEPTED:
            return Said(
                f"举报已受理，将在 {one.due_on} 前办结。", f"Your report was taken up and is decided by {one.due_on}."
            )
        case ReportState.SAMPLING:
            return Said(
                f"正在抽样核查，将在 {one.due_on} 前办结。", f"Samples are being checked; decided by {one.due_on}."
            )
        case ReportState.DECIDED | ReportState.CLOSED:
            return _outcome(one)


def _outcome(one: Report) -> Said:
    match one.outcome:
        case ReportOutcome.CONFIRMED:
            return Said(f"举报属实：{one.reason}", f"Confirmed: {one.reason}")
        case ReportOutcome.DECLINED:
            return Said(f"不予受理：{one.reason}", f"Not taken up: {one.reason}")
        case _:
            return Said(f"未能证实：{one.reason}", f"Not proven: {one.reason}")
