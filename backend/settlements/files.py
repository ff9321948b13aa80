"""A payment file and a statement as CSV: amounts in fen, totals at the end, nothing that a spreadsheet takes for a formula."""

import csv
import hashlib
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from backend.kernel.inert import inert
from backend.kernel.periods import CHINA
from backend.settlements.model import Cause

BOM = "\ufeff"
"""Without it Excel takes Chinese for another encoding."""
UNITS = {"fee": "手续费", "fen": "垫付补贴与兑换"}
CAUSES = {
    Cause.FEE: "手续费",
    Cause.PREPAID: "垫付补贴",
    Cause.VOUCHER: "券核销",
    Cause.SERVICE: "兑换核销",
    Cause.UNDONE: "兑换作废",
    Cause.RETURN: "退货收回",
    Cause.CORRECTION: "异议更正",
    Cause.ADJUSTMENT: "人工调整",
}
_PAYMENT = ("序号", "付款编号", "收款商户", "款项", "行数", "金额（分）", "金额（元）")
_STATEMENT = (
    *(
        "行号",
        "款项",
        "事由",
        "门店",
        "金额（分）",
        "金额（元）",
        "入账时间",
        "购物单",
        "商品行",
        "购买时间",
        "终端",
        "终端流水",
    ),
    *("终端序号", "小票号", "标签", "件数", "退货编号或兑换编号", "状态"),
)


class Payee(NamedTuple):
    retailer: str
    unit: str
    lines: int
    amount_fen: int


class Receipt(NamedTuple):
    """A line of a statement with the shop's own receipt of the sale: the till, its stream and number, the sales slip."""

    line_no: int
    unit: str
    cause: str
    store: str
    amount: int
    recorded_at: datetime
    reference: str
    basket: str | None
    sale_line: int | None
    sold_at: datetime | None
    device: str | None
    stream: str | None
    seq: int | None
    slip_no: str | None
    label: str | None
    quantity: int | None


def yuan(fen: int) -> str:
    """Fen as yuan with two decimals, as a program reads it: -12.05."""
    sign, rest = "-" if fen < 0 else "", abs(fen)
    return f"{sign}{rest // 100}.{rest % 100:02d}"


def payment_file(payment: str, payees: Sequence[Payee]) -> bytes:
    """The same bytes for the same payment, so that its digest can be checked. Totals of rows and fen stand at the end."""
    lines = _lines(_payment_rows(payment, payees))
    return (BOM + "".join(lines)).encode()


def digest(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


def statement_file(receipts: Iterable[tuple[Receipt, str]]) -> Iterator[str]:
    """A statement as CSV, piece by piece; beside each line where it stands, in words. The last row sums the lines."""
    yield BOM
    yield from _lines(_statement_rows(receipts))


def _payment_rows(payment: str, payees: Sequence[Payee]) -> Iterator[Sequence[object]]:
    yield _PAYMENT
    for number, one in enumerate(payees, 1):
        yield number, payment, inert(one.retailer), UNITS[one.unit], one.lines, one.amount_fen, yuan(one.amount_fen)
    total = sum(one.amount_fen for one in payees)
    yield "合计", payment, len(payees), "", sum(one.lines for one in payees), total, yuan(total)


def _statement_rows(receipts: Iterable[tuple[Receipt, str]]) -> Iterator[Sequence[object]]:
    yield _STATEMENT
    lines = total = 0
    for one, standing in receipts:
        lines, total = lines + 1, total + one.amount
        sale = (
            one.basket,
            one.sale_line,
            _moment(one.sold_at),
            one.device,
            one.stream,
            one.seq,
            one.slip_no,
            one.label,
            one.quantity,
        )
        money = (inert(one.store), one.amount, yuan(one.amount), _moment(one.recorded_at))
        other = "" if one.reference == one.basket else one.reference
        yield (
            *(one.line_no, UNITS[one.unit], CAUSES[Cause(one.cause)], *money),
            *("" if each is None else inert(each) if isinstance(each, str) else each for each in sale),
            *(other, standing),
        )
    yield "合计", "", "", lines, total, yuan(total)


def _lines(rows: Iterable[Sequence[object]]) -> Iterator[str]:
    for row in rows:
        written = io.StringIO()
        csv.writer(written).writerow(row)
        yield written.getvalue()


def _moment(at: datetime | None) -> str:
    return "" if at is None else at.astimezone(CHINA).strftime("%Y-%m-%d %H:%M:%S")
