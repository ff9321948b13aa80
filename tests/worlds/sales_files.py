"""Files of sales as a shop's mainframe writes them."""

import csv
import io
from collections.abc import Mapping

from tests.worlds.city import FRIDGE

HEADS = ("销售编号", "门店编号", "销售时间", "行号", "商品条码", "件数", "成交价（分）", "会员码", "小票号", "序列号")


def row(event: str, **changes: str) -> dict[str, str]:
    """A fridge at ¥100, sold at noon, in the shop s1."""
    usual = (event, "s1", "2026-11-22 12:00:00", "1", FRIDGE, "1", "10000", "", "", "")
    return dict(zip(HEADS, usual, strict=True)) | changes


def sheet(*rows: Mapping[str, str], encoding: str = "gb18030") -> bytes:
    text = io.StringIO()
    lines = csv.DictWriter(text, HEADS)
    lines.writeheader()
    lines.writerows(rows)
    return text.getvalue().encode(encoding)
