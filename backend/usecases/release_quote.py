"""A quote that is not paid: everything it held goes back to where it came from, at once or when its time is over."""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime

from sqlalchemy import Connection

from backend.kernel.periods import CHINA
from backend.ledger import post, queries
from backend.ledger.model import BoundReached, Reason, Transfer
from backend.policies.limits import CounterKey
from backend.scans import quote_store, store
from backend.scans.explain import DecidedScan
from backend.scans.quote_store import QuoteRow
from backend.scans.quotes import (
    QuoteCaptured,
    QuoteExpired,
    QuoteState,
    QuoteUnknown,
    QuoteVoided,
)
from backend.storage.transaction import Database, Sent, pipelined
from backend.usecases.overdue import end_overdue
from backend.usecases.quote_basket import RESERVED_STEP, RETURNED_STEP


def void_quote(database: Database, city: str, basket: str, *, service: str, now: datetime) -> None:
    """Gives everything back; a quote that is over already stays as it is.

    Raises QuoteUnknown, also for another service's, and QuoteCaptured.
    """

    def work(connection: Connection) -> None:
        row = quote_store.find(connection, city, basket, locked=True)
        if row.service != service:
            raise QuoteUnknown
        if row.state == QuoteState.CAPTURED:
            raise QuoteCaptured
        if row.state == QuoteState.HELD:
            state = QuoteState.EXPIRED if row.expires_at <= now else QuoteState.VOIDED
            release(connection, city, row, state, now)

    database.write(work)


def expire_quotes(database: Database, city: str, now: datetime, stopping: Callable[[], bool] = lambda: False) -> int:
    """Gives back what is held beyond its time, a transaction a quote; how many."""
    return end_overdue(
        database,
        lambda connection, limit: quote_store.overdue(connection, city, now, limit=limit),
        lambda connection, basket: _expire(connection, city, basket, now),
        stopping,
    )


def check_held(row: QuoteRow, now: datetime) -> None:
    """Raises QuoteVoided, QuoteExpired: also where its time is over and nobody has given it back yet."""
    if row.state == QuoteState.VOIDED:
        raise QuoteVoided
    if row.state == QuoteState.EXPIRED or (row.state == QuoteState.HELD and row.expires_at <= now):
        zh = row.expires_at.astimezone(CHINA).strftime("%Y-%m-%d %H:%M:%S")
        raise QuoteExpired(expired_at=row.expires_at.isoformat(), expired_at_zh=zh)


def release(connection: Connection, city: str, row: QuoteRow, state: QuoteState, now: datetime) -> None:
    """Everything that a held quote took goes back; its row is locked. In the one order: counters, labels, budgets."""
    scans = quote_store.quoted(connection, city, row.basket)
    taken = quote_store.counters_of(connection, city, row.basket)
    used_now(connection, city, taken, locked=True)
    units = claimed_units(connection, city, row.basket, scans)
    if units:
        quote_store.free_units(connection, city, row.basket, units)
    back = returned(connection, city, row)
    with pipelined(connection):
        given = {key: -one.taken for key, one in taken.items() if one.taken}
        counted = [quote_store.change_counters(connection, city, given)] if given else []
        posted = post.send(connection, city, back, now)
    check_complete([*counted, *posted])
    quote_store.settle(connection, city, row.basket, state, now)


def used_now(
    connection: Connection, city: str, keys: Collection[CounterKey], *, locked: bool = False
) -> dict[CounterKey, int]:
    """What the counters of `keys` hold; `locked` in the order of all, with others of the same persons and periods."""
    if not keys:
        return {}
    persons, periods = {key[0] for key in keys}, {key[1] for key in keys}
    found = store.counters(connection, city, persons, periods, locked=locked)
    return {key: found[key].used for key in keys if key in found}


def claimed_units(connection: Connection, city: str, basket: str, scans: Sequence[DecidedScan]) -> dict[str, int]:
    """The unit labels that a quote has claimed, with their lines."""
    keys = [scan.decision.label_key for scan in scans if scan.decision.award and scan.decision.label_key]
    return quote_store.units_of(connection, city, basket, keys) if keys else {}


def returned(connection: Connection, city: str, row: QuoteRow) -> list[Transfer]:
    """Everything that the quote holds, back to the very accounts that gave it."""
    return [
        Transfer(
            row.stream,
            RETURNED_STEP,
            moved.line,
            Reason.UNRESERVE.value,
            moved.unit,
            moved.destination,
            moved.source,
            moved.amount,
        )
        for moved in queries.posting(connection, city, row.stream)
        if moved.step == RESERVED_STEP
    ]


def check_complete(sent: Sequence[Sent]) -> None:
    """What a quote holds is there: anything else is a fault of the books, and nothing of it may stand."""
    if not all(each.complete for each in sent):
        raise BoundReached


def _expire(connection: Connection, city: str, basket: str, now: datetime) -> bool:
    row = quote_store.find(connection, city, basket, locked=True)
    if row.state != QuoteState.HELD or row.expires_at > now:
        return False
    release(connection, city, row, QuoteState.EXPIRED, now)
    return True
