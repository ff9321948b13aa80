"""Old units that are handed in after the sale that they belong to: what is refused, and their rows."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from msgspec.structs import replace
from sqlalchemy import Connection

from backend.kernel.errors import DomainError
from backend.policies.evidence import Evidence
from backend.scans.model import Basket, Channel, Read
from backend.storage.columns import ids
from backend.storage.transaction import hot

OF_SALES = """
SELECT sold_basket::text, sold_line, basket::text FROM hand_ins
WHERE city = %(city)s AND sold_basket = ANY(%(baskets)s::uuid[])"""

FIND = """
SELECT basket::text, sold_basket::text, sold_line, handed_in_on, caller, recorded_at, sha256 FROM hand_ins
WHERE city = %(city)s AND basket = %(basket)s::uuid"""

INSERT = """
INSERT INTO hand_ins (city, basket, sold_basket, sold_line, handed_in_on, caller, recorded_at, sha256)
VALUES (%(city)s, %(basket)s::uuid, %(sold_basket)s::uuid, %(sold_line)s, %(handed_in_on)s, %(caller)s, %(recorded_at)s,
        %(sha256)s)"""


class HandInSaleUnknown(DomainError):
    code = "hand-in-sale-unknown"
    text_zh = "没有找到这笔销售，不能登记补交旧机；若刚刚售出，请稍后再试。"
    text_en = "No such sale; try later if it was sold just now."


class HandInElsewhere(DomainError):
    code = "hand-in-elsewhere"
    text_zh = "商品不是本店售出的，旧机请交到原门店。"
    text_en = "Another store sold it; the old unit is handed in there."


class HandInUndecided(DomainError):
    code = "hand-in-undecided"
    text_zh = "这笔销售的奖励尚未核定，核定之后才能登记补交旧机。"
    text_en = "The sale is not decided yet; hand the old unit in once it is."


class HandInReturned(DomainError):
    code = "hand-in-returned"
    text_zh = "商品已经退货，不能再登记补交旧机。"
    text_en = "The goods came back; no old unit belongs to them any more."


class HandInRepeated(DomainError):
    code = "hand-in-repeated"
    text_zh = "这件商品已经登记过旧机，不能再登记一台。"
    text_en = "An old unit was handed in for these goods before."


class HandInAhead(DomainError):
    code = "hand-in-ahead"
    text_zh = "交旧日期晚于今天，请核对日期。"
    text_en = "The day of the hand-in lies ahead of today; check it."


class HandInConflict(DomainError):
    code = "hand-in-conflict"
    text_zh = "该编号已用于内容不同的交旧登记，已拒绝。"
    text_en = "This number already stands for another hand-in."


class HandIn(NamedTuple):
    """One row of `hand_ins`, in the order of its columns but for the city. `basket` is its own."""

    basket: str
    sold_basket: str
    sold_line: int
    handed_in_on: date
    caller: str
    recorded_at: datetime
    sha256: bytes


def hand_in_id(city: str, store: str, number: str) -> str:
    """The id of the hand-in that a shop calls `number`: the same wherever and whenever it is sent."""
    digest = hashlib.sha256(f"hand_in\0{city}\0{store}\0{number}".encode()).digest()
    return str(UUID(bytes=digest[:16]))


def basket_of(sale: Basket, sold: Read, basket: str, evidence: Evidence, line: bytes, caller: str) -> Basket:
    """The basket of a hand-in: the sold line once more, as it was sold, with the old unit."""
    return replace(
        sale,
        basket=basket,
        device=f"h-{caller}",
        stream=basket,
        seq=1,
        sha256=hashlib.sha256(line).digest(),
        line=line,
        channel=Channel.HAND_IN.value,
        closed_by=None,
        void_of=None,
        part_of=None,
        reads=[replace(sold, evidence=evidence, released=False)],
        receipt_fen=sold.price_fen,
    )


def of_sales(connection: Connection, city: str, baskets: Collection[str]) -> Mapping[tuple[str, int], str]:
    """The hand-in's basket of each sold line of `baskets` that has one."""
    rows = hot(connection, OF_SALES, {"city": city, "baskets": ids(sorted(baskets))})
    return {(sold_basket, line_no): basket for sold_basket, line_no, basket in rows}


def find(connection: Connection, city: str, basket: str) -> HandIn | None:
    row: Sequence[object] | None = hot(connection, FIND, {"city": city, "basket": basket}).fetchone()
    if row is None:
        return None
    found = HandIn(*row)  # type: ignore[arg-type]  # the statement's own columns
    return found._replace(sha256=bytes(found.sha256))


def insert(connection: Connection, city: str, one: HandIn) -> None:
    hot(connection, INSERT, {"city": city, **one._asdict()})
