"""What a file of sales holds, what is answered of each of its lines, and how much it may hold. Pure."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from backend.kernel.errors import DomainError

FILE_BYTES_MAX = 10 * 1024 * 1024
ROWS_MAX = 50_000
LINES_MAX = 50
"""Of one sale; this and the limits below are a till's (`scans.lines`), which a test holds them to."""
QUANTITY_MAX = 9_999
PRICE_FEN_MAX = 10**10
CODE_BYTES_MAX = 2_048
TEXT_MAX = 64
MEMBER_CODE_MAX = 200
WAITING_MAX = 20
"""Files of one retailer that wait to be recorded."""
NAME_MAX = 255


class State(StrEnum):
    WAITING = "waiting"
    RECORDING = "recording"
    RECORDED = "recorded"


class RowState(StrEnum):
    """Of one line. `repeated`: its sale was recorded before, and this is what came of it then."""

    ACCEPTED = "accepted"
    REPEATED = "repeated"
    REFUSED = "refused"


class SoldLine(NamedTuple):
    """`file_line` counts the file's lines from 1, the heading among them; `line_no` is the shop's own."""

    file_line: int
    line_no: int
    code: str
    quantity: int
    price_fen: int | None
    serial: str | None


class Sale(NamedTuple):
    """The lines under one number of the shop's, in the order of their own numbers."""

    event: str
    store: str
    sold_at_ms: int
    member: str | None
    slip_no: str | None
    cashier: str | None
    lines: tuple[SoldLine, ...]


class RowAnswer(NamedTuple):
    """What became of one line. `code` with its sentences: the reason of the decision, or why the line was refused; `basket` and
    `basket_line` (from 0) are what returns and statements name it by.
    """

    file_line: int
    event: str
    line_no: int | None
    state: RowState
    code: str
    zh: str
    en: str
    points: int = 0
    subsidy_fen: int = 0
    basket: str | None = None
    basket_line: int | None = None


class SalesFile(NamedTuple):
    """`ignored`: headings that mean nothing here."""

    sales: tuple[Sale, ...]
    refused: tuple[RowAnswer, ...]
    ignored: tuple[str, ...]

    @property
    def rows(self) -> int:
        return len(self.refused) + sum(len(sale.lines) for sale in self.sales)


class NewFile(NamedTuple):
    """`by`: who is recorded as having uploaded it, `by_name`: what they are called."""

    upload: str
    retailer: str
    file_name: str
    content: bytes
    by: str
    by_name: str


class SalesFileColumns(DomainError):
    code = "sales-file-columns"
    text_zh = "表头缺少或重复：{columns}。请以模板的表头为准。"
    text_en = "Headings missing or repeated: {columns}. Take those of the template."


class SalesFileTooLarge(DomainError):
    code = "sales-file-too-large"
    text_zh = "文件最大 10 MB、{rows_max} 行，请分成几个文件。"
    text_en = "A file holds at most 10 MB and {rows_max} lines: split it."


class SalesFilesWaiting(DomainError):
    code = "sales-files-waiting"
    text_zh = "已有 {waiting_max} 个文件等待入账，请稍后再传。"
    text_en = "{waiting_max} files wait to be recorded; upload again later."


class SalesFileUnknown(DomainError):
    code = "sales-file-unknown"
    text_zh = "没有这份销售文件。"
    text_en = "There is no such file of sales."


FAULTS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "cell-missing": ("“{zh}”未填写。", "{en} is missing."),
        "cell-too-long": ("“{zh}”过长，最多 {most} 个字符。", "{en} is too long: at most {most} characters."),
        "cell-malformed": ("“{zh}”含有不允许的字符。", "{en} holds a character that is not allowed."),
        "number-malformed": (
            "“{zh}”须为 {least} 至 {most} 的整数。",
            "{en} must be a whole number from {least} to {most}.",
        ),
        "time-malformed": (
            "“{zh}”须写明日期和时刻，如 2026-11-22 12:30:00（北京时间），或带时区的 ISO 8601；零点整请把该列设为文本。",
            "{en} is day and time, as 2026-11-22 12:30:00 (China time) or ISO 8601 with its zone; for 00:00:00 make it text.",
        ),
        "code-cut-off": (
            "“{zh}”被表格软件改成了科学计数法，请把该列设为文本后重新填写。",
            "A spreadsheet turned {en} into a number and cut it off: make the column text and enter it again.",
        ),
        "line-repeated": ("同一笔销售的行号重复。", "The sale has this line number twice."),
        "sale-differs": (
            "同一笔销售各行的“{zh}”须相同，此行与第 {first} 行不同。",
            "The lines of a sale have one {en}; this one differs from line {first}.",
        ),
        "sale-too-long": ("一笔销售最多 {most} 行。", "A sale has at most {most} lines."),
        "sale-incomplete": (
            "同一笔销售的第 {first} 行有误，整笔未入账；改正后重新上传即可，已入账的不会重复。",
            "Line {first} of the same sale is wrong, so none of it counts; correct it and upload again: nothing counts twice.",
        ),
        "store-not-own": ("门店编号不是本商户的门店。", "This is no shop of this retailer."),
        "sold-in-future": ("销售时间晚于上传时间。", "The sale lies in the future."),
        "sold-too-long-ago": (
            "销售已超过 {days} 天，不能补传；顾客可凭小票申请补记。",
            "The sale is more than {days} days old and comes too late; the customer may claim it by the slip.",
        ),
        "recorded-by-till": (
            "这张小票的销售已由收银终端上报，不重复计算。",
            "A till has sent the sale of this slip; it counts once.",
        ),
        "recorded-by-another-number": (
            "这张小票的相同商品已按另一个销售编号入账，不重复计算；若确是两笔销售，请分别填写小票号。",
            "The same goods of this slip are recorded under another sale number and count once; two sales need two slip numbers.",
        ),
        "sale-conflict": (
            "这个销售编号已用于内容不同的一笔销售；退货请按退货办理，新的销售请用新编号。",
            "This number stands for a sale with other content; use a return for what came back, a new number for a new sale.",
        ),
        "sale-malformed": ("这笔销售的“{field}”有误，未入账。", "This sale is malformed ({field}) and not recorded."),
        "sale-set-aside": (
            "这笔销售无法入账，已留存待查。",
            "This sale could not be recorded and is kept for a check.",
        ),
    }
)
"""Why a line is refused; texts are filled with the column's name and its bounds."""


def refusal(file_line: int, event: str, line_no: int | None, code: str, **facts: object) -> RowAnswer:
    zh, en = FAULTS[code]
    return RowAnswer(file_line, event, line_no, RowState.REFUSED, code, zh.format(**facts), en.format(**facts))
