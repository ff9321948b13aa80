"""A shop gave its customer the subsidy at the till: it is owed the money in the resident's place, and is paid by settlement."""

import hashlib
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import orjson
from sqlalchemy import Connection

from backend.kernel.errors import DomainError
from backend.ledger import chart, lapses, post, queries
from backend.ledger.model import Reason, Transfer
from backend.residents import people
from backend.scans.returns import SaleUnknown, SoldElsewhere
from backend.settlements import prepaid
from backend.settlements.prepaid import Award, Stored
from backend.usecases.races import Writes
from backend.usecases.return_postings import paid_by
from backend.usecases.take_back import Sales, load_sales, shown_to

LINES_MAX = 50
PREPAID = 1
"""The step of a prepayment's posting under its id."""


class NothingPrepaid(DomainError):
    code = "nothing-prepaid"
    text_zh = "第 {place} 行没有可由本店垫付的补贴：未奖励补贴、已退货，或已登记垫付。"
    text_en = "Line {place} has no subsidy that the shop could have given: none was awarded, it came back, or was given before."


class SubsidyUsed(DomainError):
    code = "subsidy-used"
    text_zh = "居民的这笔补贴已不足额，不能再登记为门店垫付。"
    text_en = "The resident no longer has all of this subsidy: it cannot be entered as given by the shop."


class PrepaymentConflict(DomainError):
    code = "prepayment-conflict"
    text_zh = "该编号已用于内容不同的垫付登记，请换用新的编号。"
    text_en = "This number stands for another prepayment; take a new one."


class Prepaid(NamedTuple):
    """What a shop's system says: it took the subsidies of these sold lines (basket, line) off what its customer paid."""

    city: str
    store: str
    number: str
    caller: str
    lines: tuple[tuple[str, int], ...]


class Owed(NamedTuple):
    """What the shop is owed for it; `new`: entered by this call."""

    prepayment: str
    awards: tuple[Award, ...]
    new: bool

    @property
    def amount_fen(self) -> int:
        return sum(one.amount for one in self.awards)


def prepayment_id(city: str, store: str, number: str) -> str:
    """The id of what a shop calls `number`: the same wherever and whenever it is sent."""
    digest = hashlib.sha256(f"prepaid\0{city}\0{store}\0{number}".encode()).digest()
    return str(UUID(bytes=digest[:16]))


def prepay_subsidy(database: Writes, given: Prepaid, now: datetime) -> Owed:
    """What the shop is owed, after COMMIT; sent again it answers the same.

    Raises SaleUnknown, SoldElsewhere, NothingPrepaid, SubsidyUsed, PrepaymentConflict; then nothing of it is entered.
    """
    prepayment = prepayment_id(given.city, given.store, given.number)
    sha256 = hashlib.sha256(orjson.dumps(sorted(given.lines))).digest()

    def work(connection: Connection) -> Owed:
        sales = load_sales(connection, given.city, {basket for basket, _ in given.lines})
        before = prepaid.stored(connection, given.city, prepayment)
        if before is not None:
            if before.sha256 != sha256:
                raise PrepaymentConflict
            return Owed(prepayment, before.awards, new=False)

        awards = _checked(connection, given, shown_to(connection, given.city, given.store, sales))

        transfers = _transfers(connection, given, prepayment, awards, now)
        prepaid.insert(
            connection, given.city, prepayment, Stored(tuple(awards), given.store, sha256), given.caller, now
        )
        post.post_once(connection, given.city, transfers, now)
        return Owed(prepayment, tuple(awards), new=True)

    return database.write(work)


def _checked(connection: Connection, given: Prepaid, sales: Sales) -> list[Award]:
    found = prepaid.subsidies(connection, given.city, given.lines)
    taken = prepaid.shops_of(connection, given.city, {basket for basket, _ in given.lines})
    free = [one for one in found if one[:4] not in taken and not sales.returned((one.basket, one.line_no))]
    for place, key in enumerate(given.lines, 1):
        sold = sales.sold.get(key)
        if sold is None:
            raise SaleUnknown(place=place, basket=key[0], line_no=key[1])
        if sold.store != given.store:
            raise SoldElsewhere(place=place)
        if not any((one.basket, one.line_no) == key for one in free):
            raise NothingPrepaid(place=place)
    return free


def _transfers(
    connection: Connection, given: Prepaid, prepayment: str, awards: list[Award], now: datetime
) -> list[Transfer]:
    """From where each award is by now to the shop. Raises SubsidyUsed."""
    shop = chart.shop(given.store, "fen")
    sources = _sources(connection, given.city, awards)
    held = post.lock(connection, given.city, [shop, *(account for places in sources for account in places)], now)
    transfers = []
    for line, (one, places) in enumerate(zip(awards, sources, strict=True)):
        source = next((account for account in places if held[account] >= one.amount), None)
        if source is None:
            raise SubsidyUsed
        held[source] -= one.amount
        transfers.append(Transfer(prepayment, PREPAID, line, Reason.PREPAID.value, "fen", source, shop, one.amount))
    return transfers


def _sources(connection: Connection, city: str, awards: list[Award]) -> list[tuple[str, ...]]:
    """Where each award may be: where it was paid to, or where a merger of accounts has brought that since; and the lot that
    it was released or collected into. What lapsed is in none.
    """
    paid = paid_by(queries.postings(connection, city, {one.basket for one in awards}, Reason.AWARD), ())
    paid_to = [paid[one[:4]].own for one in awards]
    merged = people.merged(connection, {owner for own in paid_to if (owner := chart.place_of(own).resident)})
    found: list[tuple[str, ...]] = []
    for own in paid_to:
        now_of = merged.get(chart.place_of(own).resident or "")
        by_now = own if now_of is None else chart.held_by(own, now_of.survivor.resident)
        gone = any(one.amount for one in lapses.lapsed(connection, city, {own, by_now}).values())
        found.append((by_now,) if gone else (by_now, chart.place_of(by_now).lot))
    return found
