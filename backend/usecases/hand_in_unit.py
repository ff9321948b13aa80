"""An old unit comes after the sale that it belongs to: the sale's line is decided once more, for what only that earns."""

import hashlib
from datetime import date, datetime
from typing import NamedTuple

import orjson
from msgspec.structs import replace
from sqlalchemy import Connection

from backend.kernel.periods import civil_date, milliseconds
from backend.policies.evidence import Evidence
from backend.scans import hand_ins, pending, store
from backend.scans.decide import decide_baskets
from backend.scans.evidence import evidence_of
from backend.scans.explain import DecidedScan
from backend.scans.hand_ins import (
    HandIn,
    HandInAhead,
    HandInConflict,
    HandInElsewhere,
    HandInRepeated,
    HandInReturned,
    HandInSaleUnknown,
    HandInUndecided,
    basket_of,
    hand_in_id,
)
from backend.scans.model import Channel
from backend.scans.replay import decisions_of
from backend.scans.reread import WaitingScan, reread
from backend.scans.returns import UNDECIDED
from backend.usecases.quote_basket import quote_line
from backend.usecases.races import LostRace, Writes, won
from backend.usecases.take_back import Sales, load_sales, shown_to
from backend.usecases.take_decisions import Lookups, PolicyLookup, RegistryLookup, load, save


class AskedHandIn(NamedTuple):
    """What a shop's system asks. `number` is its own, kept when it asks again; `serial_sha256` stands for the old unit, as in
    a sale's evidence; `handed_in_on` is a civil day.
    """

    city: str
    store: str
    number: str
    caller: str
    cashier: str | None
    basket: str
    line_no: int
    serial_sha256: str
    age_years: int | None
    handed_in_on: date


class HandedIn(NamedTuple):
    """`scan`: what was decided, as it is in force; `new`: recorded by this call."""

    row: HandIn
    scan: DecidedScan
    new: bool


class HandInUnit:
    """Safe to call from many threads and processes at once."""

    def __init__(self, database: Writes, registry: RegistryLookup, policies: PolicyLookup) -> None:
        self._database = database
        self._lookups = Lookups(registry, policies)

    def hand_in(self, asked: AskedHandIn, now: datetime) -> HandedIn:
        """What came of it, after COMMIT: a line of its own, decided as of the sale, by the policies that are for hand-ins.

        Raises HandInSaleUnknown, HandInElsewhere, HandInUndecided, HandInReturned, HandInRepeated, HandInAhead,
        HandInConflict: then nothing of it is recorded.
        """
        return won(self._database, lambda c, careful: self._attempt(c, asked, now, careful=careful))

    def _attempt(self, connection: Connection, asked: AskedHandIn, now: datetime, *, careful: bool) -> HandedIn:
        city, basket, sha256 = asked.city, hand_in_id(asked.city, asked.store, asked.number), _content_hash(asked)
        sales = load_sales(connection, city, [asked.basket])
        stored = hand_ins.find(connection, city, basket)
        if stored is not None:
            if stored.sha256 != sha256:
                raise HandInConflict
            return HandedIn(stored, _in_force(connection, city, basket), new=False)
        shown = shown_to(connection, city, asked.store, sales)
        check(asked, shown, _sold_scan(connection, asked, shown), now)

        row = HandIn(basket, asked.basket, asked.line_no, asked.handed_in_on, asked.caller, now, sha256)
        self._record(connection, asked, row, now, careful=careful)
        return HandedIn(row, _in_force(connection, city, basket), new=True)

    def _record(self, connection: Connection, asked: AskedHandIn, row: HandIn, now: datetime, *, careful: bool) -> None:
        """Raises LostRace where a limit, or another with this number, was faster."""
        scan = pending.sold_scan(connection, asked.city, asked.basket, asked.line_no)
        told = scan.read.evidence or Evidence()
        evidence = told._replace(
            trade_in=asked.serial_sha256, trade_in_age=asked.age_years, trade_in_on=asked.handed_in_on.isoformat()
        )
        line = quote_line([replace(scan.read, evidence=evidence)])
        basket = basket_of(scan.basket, scan.read, row.basket, evidence, line, asked.caller)
        basket.cashier = asked.cashier
        readings = reread([WaitingScan(scan.basket, 0, 0, scan.label_key, scan.read)]).readings
        loaded = load(connection, asked.city, [basket], readings, now, lookups=self._lookups, careful=careful)

        taken = decide_baskets([basket], loaded.registry, loaded.limits)

        if not store.claim(connection, asked.city, [basket], now):
            raise LostRace
        hand_ins.insert(connection, asked.city, row)
        save(connection, asked.city, taken, loaded, now)


def check(asked: AskedHandIn, sales: Sales, sale: DecidedScan, now: datetime) -> None:
    """Raises the refusal of a hand-in that does not belong to `sale`, the decision in force of its line."""
    key = asked.basket, asked.line_no
    sold = sales.sold[key]
    if sold.store != asked.store:
        raise HandInElsewhere
    if asked.handed_in_on > civil_date(milliseconds(now)):
        raise HandInAhead
    if sales.returned(key) >= sold.bought:
        raise HandInReturned
    if sale.decision.outcome in UNDECIDED:
        raise HandInUndecided
    told, _ = evidence_of(sale.decision.evidence)
    if key in sales.hand_ins or told.trade_in is not None:
        raise HandInRepeated


def _sold_scan(connection: Connection, asked: AskedHandIn, sales: Sales) -> DecidedScan:
    """The decision in force of the line; of a phone's scan, a void and goods without a certificate there is no sale."""
    sold = sales.sold.get((asked.basket, asked.line_no))
    if sold is None or sold.channel != Channel.TILL or sold.void_of is not None:
        raise HandInSaleUnknown
    found = [
        one for one in decisions_of(connection, asked.city, [asked.basket]) if one.decision.line_no == asked.line_no
    ]
    if found[-1].decision.code_text is None:
        raise HandInSaleUnknown
    return found[-1]


def _in_force(connection: Connection, city: str, basket: str) -> DecidedScan:
    return decisions_of(connection, city, [basket])[-1]


def _content_hash(asked: AskedHandIn) -> bytes:
    """SHA-256 of what was asked; who asks plays no part, so that a token can be renewed between two attempts."""
    content = asked._replace(caller="")._asdict()
    return hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).digest()
