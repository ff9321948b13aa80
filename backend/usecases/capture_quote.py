"""A quote is paid: it becomes a recorded basket with the awards that were promised, and the rest goes back."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import orjson
from msgspec.structs import replace
from sqlalchemy import Connection

from backend.kernel.periods import milliseconds
from backend.ledger import post
from backend.policies.compiled import PolicySet, pool_of
from backend.policies.model import Outcome
from backend.scans import quote_store, store
from backend.scans.decide import Taken
from backend.scans.explain import DecidedScan
from backend.scans.lines import reads_of
from backend.scans.model import Basket, Read
from backend.scans.quote_store import QuoteRow
from backend.scans.quotes import (
    CaptureConflict,
    FinalLine,
    QuoteIdentity,
    QuoteState,
    QuoteUnknown,
    as_quoted,
    basket_to_be,
    checked_lines,
)
from backend.scans.requote import Promise, counters_met, kept, requoted, used_at_start
from backend.storage.transaction import Database, Sent, pipelined
from backend.usecases.award_postings import transfers_of
from backend.usecases.quote_basket import promised, quote_line
from backend.usecases.release_quote import check_complete, check_held, claimed_units, returned, used_now
from backend.usecases.take_decisions import Bounds, PolicyLookup


class Paid(NamedTuple):
    """What of a quote was paid for. `lines` None: all of it."""

    city: str
    quote: str
    service: str
    lines: tuple[FinalLine, ...] | None

    @property
    def sha256(self) -> bytes:
        lines = None if self.lines is None else sorted(self.lines)
        return hashlib.sha256(orjson.dumps([lines and [list(line) for line in lines]])).digest()


class CaptureQuote:
    """Safe to call from many threads and processes at once; the same capture again changes nothing."""

    def __init__(self, database: Database, policies: PolicyLookup) -> None:
        self._database = database
        self._policies = policies

    def capture(self, paid: Paid, now: datetime) -> None:
        """After COMMIT. The promised versions hold, whether suspended, ended or without budget since.

        Raises QuoteUnknown, also for another service's, QuoteVoided, QuoteExpired, CaptureConflict when it was captured
        with other lines, CaptureBeyondQuote.
        """
        self._database.write(lambda connection: self._captured(connection, paid, now))

    def _captured(self, connection: Connection, paid: Paid, now: datetime) -> None:
        row = quote_store.find(connection, paid.city, paid.quote, locked=True)
        if row.service != paid.service:
            raise QuoteUnknown
        if row.state == QuoteState.CAPTURED:
            if row.capture_sha256 != paid.sha256:
                raise CaptureConflict
            return
        check_held(row, now)
        scans = quote_store.quoted(connection, paid.city, row.basket)
        lines = checked_lines(scans, paid.lines)
        policies = self._policies.lookup(connection, paid.city)
        promise = _promise(connection, paid.city, row, scans, policies)

        counted: list[Sent] = []
        if lines == [as_quoted(scan) for scan in scans]:
            taken = kept(promise)
        else:
            taken, counted = _requoted(connection, paid.city, promise, lines, policies)

        _save(connection, paid, row, promise, taken, _basket(row, lines, paid.sha256), policies, now)
        check_complete(counted)
        quote_store.settle(connection, paid.city, row.basket, QuoteState.CAPTURED, now, paid.sha256)


def _promise(
    connection: Connection, city: str, row: QuoteRow, scans: Sequence[DecidedScan], policies: PolicySet
) -> Promise:
    in_force = promised(policies, row.versions)
    named = {policy.version: policy.policy.policy for policy in in_force.policies}
    pools: dict[str, int] = {}
    for scan in scans:
        for award in scan.awards:
            pool = pool_of(named[award.version], award.unit)
            pools[pool] = pools.get(pool, 0) + award.amount
    counters = quote_store.counters_of(connection, city, row.basket)
    units = claimed_units(connection, city, row.basket, scans)
    return Promise(scans, in_force, pools, counters, {}, units)


def _requoted(
    connection: Connection, city: str, promise: Promise, lines: Sequence[FinalLine], policies: PolicySet
) -> tuple[Taken, list[Sent]]:
    """Decides the lines anew within the promise, and gives back what they no longer take of counters."""
    met = counters_met(promise, lines)
    bounds = Bounds(policies)
    # All at once, in the one order; those that the quote has taken are there, so that their bound is not looked at.
    allowed = dict.fromkeys(promise.counters, 0) | {key: bounds.of(key, met.met) for key in met.used}
    if allowed:
        store.open_counters(connection, city, allowed)
        promise = promise._replace(now=used_now(connection, city, allowed))
    start = used_at_start(promise)

    taken, limits = requoted(promise, lines)

    added = {}
    for key in limits.used.keys() | promise.counters.keys():
        before = promise.counters[key].taken if key in promise.counters else 0
        added[key] = limits.used.get(key, 0) - start.get(key, 0) - before
    changed = {key: amount for key, amount in added.items() if amount}
    return taken, [quote_store.change_counters(connection, city, changed)] if changed else []


def _save(
    connection: Connection,
    paid: Paid,
    row: QuoteRow,
    promise: Promise,
    taken: Taken,
    basket: Basket,
    policies: PolicySet,
    now: datetime,
) -> None:
    """The basket, its decisions as of the quote, and awards out of the accounts that had given what was held."""
    city = paid.city
    final = {key: line for key, (_, line) in taken.units.items()}
    if final != promise.units:
        quote_store.free_units(connection, city, row.basket, promise.units)
    back = returned(connection, city, row)
    awards = transfers_of(taken, policies, {one.destination: one.amount for one in back}, [basket])
    if not store.claim(connection, city, [basket], now):
        raise ValueError("a held quote is no basket yet")
    # Residents' accounts before those of budgets: the order in which everybody takes them.
    if awards:
        post.lock(connection, city, [owner for *_, owner, _amount in awards], now)
    with pipelined(connection):
        store.save_decisions(connection, city, taken.rows, row.sold_at)
        if taken.further:
            store.save_further_awards(connection, city, taken.further)
        claimed = [store.claim_units(connection, city, taken.units, now)] if final and final != promise.units else []
        posted = post.send(connection, city, [*back, *awards], now)
    check_complete([*claimed, *posted])
    unknown = [d.label_key for d in taken.decisions if d.outcome == Outcome.PENDING and d.label_key]
    if unknown:
        store.await_products(connection, city, unknown, now)


def _basket(row: QuoteRow, lines: Sequence[FinalLine], paid_sha256: bytes) -> Basket:
    """What is recorded. The moment of sale is that of the quote: it was promised under the policies of then."""
    identity = QuoteIdentity(row.basket, row.device, row.stream, 1)
    line = None
    reads = [Read(b"", None, None, None, one.quantity, one.price_fen, None) for one in lines]
    if row.line is not None:
        quoted = reads_of(row.line)
        reads = [replace(quoted[one.line_no], quantity=one.quantity, price_fen=one.price_fen) for one in lines]
        line = quote_line(reads)
    basket = basket_to_be(identity, reads, line, row.store, row.district, milliseconds(row.sold_at))
    basket.resident, basket.cashier = row.resident, row.cashier
    if line is None:  # as its request was, it is not kept
        basket.sealed_sha256 = paid_sha256
    return basket
