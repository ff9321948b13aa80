"""Goods come back to the shop that sold them: by their sale and line, all lines of a return or none, once."""

import hashlib
from datetime import datetime
from typing import NamedTuple

import orjson
from sqlalchemy import Connection

from backend.kernel.periods import instant, milliseconds
from backend.policies.compiled import PolicySet
from backend.scans import return_rows
from backend.scans.model import Channel
from backend.scans.redact import is_private
from backend.scans.return_rows import ReturnHead, Sold, StoredReturn
from backend.scans.returns import (
    AHEAD_MS_MAX,
    ReturnAhead,
    ReturnBeforeSale,
    ReturnConflict,
    ReturnedTooMuch,
    SaleUnknown,
    SoldElsewhere,
    return_id,
)
from backend.usecases.races import Writes, won
from backend.usecases.return_answers import ReturnAnswer, answer_of
from backend.usecases.take_back import Sales, Wanted, linked_id, load_sales, shown_to, take_back
from backend.usecases.take_decisions import PolicyLookup

LINES_MAX = 50


class AskedReturn(NamedTuple):
    """What a shop's system asks. `number` is its own, kept when it asks again; `lines`: at most 50, no line twice."""

    city: str
    store: str
    number: str
    caller: str
    cashier: str | None
    reason: str
    exchange_basket: str | None
    returned_at_ms: int
    lines: tuple[Wanted, ...]


class Returned(NamedTuple):
    """`new`: recorded by this call; else it was there, with the same content, and the answer is the same."""

    answer: ReturnAnswer
    new: bool


class ReturnGoods:
    """Safe to call from many threads and processes at once."""

    def __init__(self, database: Writes, policies: PolicyLookup) -> None:
        self._database = database
        self._policies = policies

    def give_back(self, asked: AskedReturn, now: datetime) -> Returned:
        """What came of the return, after COMMIT.

        Raises SaleUnknown, SoldElsewhere, ReturnedTooMuch, ReturnBeforeSale, ReturnAhead, ReturnConflict: then nothing of it
        is recorded.
        """
        # It locks all that it looks at from the first time on.
        return won(self._database, lambda connection, _careful: self._attempt(connection, asked, now))

    def _attempt(self, connection: Connection, asked: AskedReturn, now: datetime) -> Returned:
        reference = return_id(asked.city, asked.store, asked.number)
        sales = load_sales(connection, asked.city, {line.basket for line in asked.lines})
        policies = self._policies.lookup(connection, asked.city)
        stored = return_rows.stored(connection, asked.city, reference)
        if stored is not None:
            if stored.head.sha256 != content_hash(asked):
                raise ReturnConflict
            return Returned(_answer(connection, asked.city, reference, stored, sales, policies), new=False)

        check(asked, shown_to(connection, asked.city, asked.store, sales), now)

        given = take_back(connection, asked.city, reference, _head(asked, now), asked.lines, sales, policies)
        return Returned(_answer(connection, asked.city, reference, given, sales, policies), new=True)


def check(asked: AskedReturn, sales: Sales, now: datetime) -> None:
    """Raises the refusal of the first line that cannot come back."""
    if asked.returned_at_ms > milliseconds(now) + AHEAD_MS_MAX:
        raise ReturnAhead
    for place, line in enumerate(asked.lines, 1):
        key = line.basket, line.line_no
        sold = sales.sold.get(key)
        if sold is None or not _is_sale(sold):
            raise SaleUnknown(place=place, basket=line.basket, line_no=line.line_no)
        if sold.store != asked.store:
            raise SoldElsewhere(place=place)
        if asked.returned_at_ms < milliseconds(sold.sold_at):
            raise ReturnBeforeSale(place=place)
        returned = sales.returned(key)
        if returned + line.quantity > sold.bought:
            facts = {"bought": sold.bought, "returned": returned, "quantity": line.quantity}
            raise ReturnedTooMuch(place=place, **facts)


def _answer(
    connection: Connection, city: str, reference: str, stored: StoredReturn, sales: Sales, policies: PolicySet
) -> ReturnAnswer:
    """With what was taken back of hand-ins for the goods, after their own lines."""
    given = answer_of(connection, city, reference, stored, policies)
    linked = return_rows.stored(connection, city, linked_id(reference)) if sales.hand_ins else None
    if linked is None:
        return given
    return given._replace(lines=given.lines + answer_of(connection, city, linked_id(reference), linked, policies).lines)


def content_hash(asked: AskedReturn) -> bytes:
    """SHA-256 of what was asked; who asks plays no part, so that a token can be renewed between two attempts."""
    content = asked._replace(caller="")._asdict() | {"lines": [list(line) for line in asked.lines]}
    return hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).digest()


def _is_sale(sold: Sold) -> bool:
    """A phone's scan shows that goods are there, and a basket that voids another sells none."""
    return sold.channel == Channel.TILL and sold.void_of is None


def _head(asked: AskedReturn, now: datetime) -> ReturnHead:
    cashier = None if asked.cashier is None or is_private(asked.cashier) else asked.cashier
    return ReturnHead(
        asked.store,
        asked.caller,
        cashier,
        asked.reason,
        asked.exchange_basket,
        instant(asked.returned_at_ms),
        now,
        content_hash(asked),
    )
