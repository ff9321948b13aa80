"""The columns of a file of sales: their names, every heading they are known by, what belongs in them. Pure."""

import csv
import io
import re
import unicodedata
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from backend.sales_files.model import SalesFileColumns


class Heading(NamedTuple):
    """`example` is what the template shows."""

    zh: str
    en: str
    note_zh: str
    note_en: str
    example: str
    also: tuple[str, ...] = ()


HEADINGS: Mapping[str, Heading] = MappingProxyType(
    {
        "event_id": Heading(
            "销售编号",
            "event id",
            "本商户内唯一，同一笔销售的各行相同；重传以它识别",
            "the retailer's own number of the sale, the same on all its lines; a repeat is known by it",
            "POS-20261122-000123",
            ("交易号", "交易编号", "basket id", "client event id"),
        ),
        "store": Heading("门店编号", "store", "登记的门店编号", "number of the shop", "s1", ("门店", "store id")),
        "sold_at": Heading(
            "销售时间",
            "sold at",
            "北京时间，或带时区的 ISO 8601；30 天之内",
            "China time, or ISO 8601 with its zone; within 30 days",
            "2026-11-22 12:30:00",
            ("时间", "time"),
        ),
        "line_no": Heading(
            "行号", "line no", "小票上的行号；不填按文件顺序", "the line on the slip; else the file's order", "1"
        ),
        "code": Heading(
            "商品条码",
            "code",
            "条码或认证标签的内容，整列设为文本",
            "bar code or what the label says; make the column text",
            "9521234000013",
            ("条码", "标签内容", "gtin", "barcode"),
        ),
        "quantity": Heading("件数", "quantity", "1 至 9999", "1 to 9999", "1", ("数量", "qty")),
        "price_fen": Heading(
            "成交价（分）",
            "price fen",
            "整行优惠后的金额，单位分；不填则只按件奖励",
            "of the whole line after all discounts, in fen; without it only rewards a piece are paid",
            "10000",
            ("成交金额（分）",),
        ),
        "member": Heading(
            "会员码",
            "member",
            "顾客结账时出示的会员码",
            "what the customer showed at the till",
            "",
            ("member code",),
        ),
        "slip_no": Heading(
            "小票号",
            "slip no",
            "顾客可凭它补记积分",
            "by which the customer may claim later",
            "A000123",
            ("slip",),
        ),
        "cashier": Heading("收银员", "cashier", "收银员代号", "pseudonym of the cashier", "c07"),
        "serial": Heading("序列号", "serial", "商品机身号", "serial number of the piece", "", ("sn",)),
    }
)
REQUIRED = ("event_id", "store", "sold_at", "code", "quantity")
_DROPPED = re.compile(r"[\s_()\-]+")


def _plain(heading: str) -> str:
    """成交价（分） and 成交价(分), event_id and Event ID are the same heading."""
    return _DROPPED.sub("", unicodedata.normalize("NFKC", heading).casefold())


_NAMED = {
    _plain(text): name for name, heading in HEADINGS.items() for text in (name, heading.zh, heading.en, *heading.also)
}


def columns(header: Sequence[str]) -> tuple[dict[str, int], tuple[str, ...]]:
    """Where each column stands, and the headings that mean nothing. Raises SalesFileColumns."""
    found: dict[str, int] = {}
    wrong, ignored = [], []
    for place, heading in enumerate(header):
        name = _NAMED.get(_plain(heading))
        if name is None:
            ignored.append(heading)
        elif name in found:
            wrong.append(HEADINGS[name].zh)
        else:
            found[name] = place
    wrong += [HEADINGS[name].zh for name in REQUIRED if name not in found]
    if wrong:
        raise SalesFileColumns(columns="、".join(wrong))
    return found, tuple(ignored)


def template() -> str:
    """A file with every column and one sale, as spreadsheets read it."""
    text = io.StringIO()
    lines = csv.writer(text)
    lines.writerow([heading.zh for heading in HEADINGS.values()])
    lines.writerow([heading.example for heading in HEADINGS.values()])
    return "\ufeff" + text.getvalue()
