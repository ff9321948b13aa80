"""A till took a sale back: everything that is left of it comes back, once, whatever happens between the two messages."""

from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

import structlog
from sqlalchemy import Connection

from backend.scans import return_rows
from backend.scans.return_rows import OpenVoid, ReturnHead
from backend.storage.transaction import Database, is_passing
from backend.usecases.culprits import without_culprits
from backend.usecases.races import won
from backend.usecases.take_back import Wanted, load_sales, take_back
from backend.usecases.take_decisions import PolicyLookup

VOIDS_MAX = 1_000
SALE_AWAITED = timedelta(days=31)
"""A till delivers what it sold within 30 days; a void whose sale has not come by then voids nothing. Should it come after
all, the verification says that it did not all come back.
"""
VOID = "void"
"""The reason of the return that a basket makes which voids another."""
_FIRST = "00000000-0000-0000-0000-000000000000"

log = structlog.get_logger()


class Voided(NamedTuple):
    """What a pass did: sales that were taken back, baskets whose sale has not arrived yet, those that failed, and those whose
    sale never came.
    """

    voided: int = 0
    waiting: int = 0
    failed: int = 0
    missing: int = 0

    def plus(self, other: "Voided") -> "Voided":
        return Voided(*(one + more for one, more in zip(self, other, strict=True)))


class VoidBaskets:
    """Works the queue that `record_baskets` writes with each basket that voids another; safe to run anywhere at once, and to
    be killed at any moment: each is one transaction, and takes back what is left by then.
    """

    def __init__(self, database: Database, policies: PolicyLookup) -> None:
        self._database = database
        self._policies = policies

    def apply(self, city: str, baskets: Collection[str], now: datetime) -> None:
        """Takes back at once what `baskets`, just recorded, void. Never fails: what could not be done is done later."""
        try:
            with self._database.read() as connection:
                found = return_rows.voids_of(connection, city, baskets)
            for _ in self._each(city, found, now):
                pass
        except Exception as error:
            if not is_passing(error):
                raise
            log.warning("voids_wait", city=city, baskets=len(baskets), problem=type(error).__name__)

    def work(self, city: str, now: datetime, stopping: Callable[[], bool] = lambda: False) -> Voided:
        """The whole queue of a city; ends early when `stopping`."""
        done, after = Voided(), _FIRST
        while not stopping():
            with self._database.read() as connection:
                found = return_rows.open_voids_after(connection, city, after=after, limit=VOIDS_MAX)
            for one in self._each(city, found, now):
                done = done.plus(one)
                if stopping():
                    return done
            if len(found) < VOIDS_MAX:
                break
            after = found[-1].basket
        return done

    def _each(self, city: str, found: Iterable[OpenVoid], now: datetime) -> Iterator[Voided]:
        for one in found:
            yield from without_culprits(
                [one],
                lambda some: self._void(city, some[0], now),
                lambda _one, _error: Voided(failed=1),
                doing="void_baskets",
                named=lambda each: each.basket,
            )

    def _void(self, city: str, one: OpenVoid, now: datetime) -> Voided:
        # It locks all that it looks at from the first time on.
        return won(self._database, lambda connection, _careful: self._attempt(connection, city, one, now))

    def _attempt(self, connection: Connection, city: str, one: OpenVoid, now: datetime) -> Voided:
        sales = load_sales(connection, city, [one.voided])
        if not sales.sold:
            if now - one.opened_at <= SALE_AWAITED:
                return Voided(waiting=1)
            return_rows.close_void(connection, city, one.basket)
            log.warning("void_without_sale", city=city, basket=one.basket, voided=one.voided, device=one.device)
            return Voided(missing=1)
        # What voids another basket sold nothing itself.
        left = [
            Wanted(*key, sold.bought - sales.returned(key))
            for key, sold in sales.sold.items()
            if key[0] == one.voided and sold.void_of is None and sold.bought > sales.returned(key)
        ]

        if left:
            sold_at = max(sold.sold_at for sold in sales.sold.values())
            # A till's clock may have been put right in between.
            head = ReturnHead(
                one.store, one.device, one.cashier, VOID, None, max(one.voided_at, sold_at), now, one.sha256
            )
            take_back(connection, city, one.basket, head, left, sales, self._policies.lookup(connection, city))

        return_rows.close_void(connection, city, one.basket)
        return Voided(voided=1)
