"""What a resident reads of a claim of missing points. Pure."""

from typing import NamedTuple

from backend.missing_points.model import MissingClaim, MissingState


class Said(NamedTuple):
    zh: str
    en: str


def sentence(one: MissingClaim) -> Said:
    """Of what was not there and what is somebody else's the same."""
    match one.state:
        case MissingState.FOUND:
            return Said("已找到这张小票，已按购买时的政策补记。", "The sale was found and decided under its policy.")
        case MissingState.OPEN if one.round_no == 1:
            zh = f"没有自动找到可以补记的销售，工作人员将在 {one.due_on} 前查对并答复，请保留小票。"
            return Said(
                zh, f"No sale could be matched by itself: an official looks and answers by {one.due_on}. Keep the slip."
            )
        case MissingState.OPEN:
            zh = f"复核申请已受理，将由另一位工作人员在 {one.due_on} 前答复。"
            return Said(zh, f"Another official looks at it again and answers by {one.due_on}.")
        case MissingState.GRANTED:
            return Said(f"已核实并补记：{one.explanation}", f"Checked and credited: {one.explanation}")
        case MissingState.REJECTED if one.round_no == 1:
            zh = f"未能补记：{one.explanation} 如有异议，可申请由另一人复核一次。"
            return Said(zh, f"Not credited: {one.explanation} You may ask once that another official looks again.")
        case MissingState.REJECTED:
            return Said(f"复核后仍未能补记：{one.explanation}", f"Looked at again and not credited: {one.explanation}")
