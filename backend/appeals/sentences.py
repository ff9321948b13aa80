"""What a resident reads of an appeal. Pure."""

from typing import NamedTuple

from backend.appeals.model import Appeal, AppealState


class Said(NamedTuple):
    zh: str
    en: str


def sentence(one: Appeal) -> Said:
    match one.state:
        case AppealState.OPEN:
            zh = f"申诉已收到，将由未参与原裁定的人员在 {one.due_on} 前答复。"
            return Said(zh, f"Your appeal was received; somebody who did not rule before answers by {one.due_on}.")
        case AppealState.UPHELD:
            zh = f"申诉成立，已按购买时的政策重新核定：{one.explanation}"
            return Said(zh, f"Upheld, and decided again under the policy of the sale: {one.explanation}")
        case AppealState.REJECTED:
            return Said(f"申诉未获支持：{one.explanation}", f"Not upheld: {one.explanation}")
