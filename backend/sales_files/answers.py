"""The answers of a file of sales as a file: a line of the shop's is found by its place, or by its own number. Pure."""

import csv
import io
from collections.abc import Iterable, Iterator

from backend.kernel.inert import inert
from backend.sales_files.model import RowAnswer, RowState

STATE_NAMES = {
    RowState.ACCEPTED: ("已入账", "accepted"),
    RowState.REPEATED: ("此前已入账", "repeated"),
    RowState.REFUSED: ("未入账", "refused"),
}
_HEADS = (
    *("文件行 file_line", "销售编号 event_id", "行号 line_no", "结果 state", "代码 code", "说明", "detail"),
    *("积分 points", "补贴（分） subsidy_fen", "购物单 basket", "购物单行 basket_line"),
)


def answer_file(answers: Iterable[RowAnswer]) -> Iterator[str]:
    """Line by line, as spreadsheets read it; texts are inert."""
    yield "\ufeff" + _line(_HEADS)
    for one in answers:
        zh, _ = STATE_NAMES[one.state]
        told = (one.code, inert(one.zh), inert(one.en), one.points, one.subsidy_fen, one.basket or "")
        place = "" if one.basket_line is None else one.basket_line
        yield _line((one.file_line, inert(one.event), one.line_no or "", f"{zh} {one.state.value}", *told, place))


def _line(cells: Iterable[object]) -> str:
    text = io.StringIO()
    csv.writer(text).writerow(cells)
    return text.getvalue()
