"""Codes that the registry has come to know: a new decision for every scan that waited for one, each exactly once."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from backend.labels.keys import registry_keys
from backend.policies.model import Outcome
from backend.scans import pending, return_rows
from backend.scans.decide import decide_baskets
from backend.scans.model import BATCH_READS_MAX
from backend.scans.pending import WaitingBasket
from backend.scans.reread import in_place, reread
from backend.storage.transaction import Database
from backend.usecases.at_work import AtWork
from backend.usecases.culprits import without_culprits
from backend.usecases.races import won
from backend.usecases.take_decisions import Lookups, PolicyLookup, RegistryLookup, load, save

CODES_MAX = 2_000
BASKETS_MAX = 20_000
"""Baskets listed at a time: their ids alone, so that a code scanned a million times needs no more memory."""


class Resolved(NamedTuple):
    """What a pass did: codes that nobody looks for any more, scans decided, and those of them that now earn.

    `failed`: baskets that could not be decided and wait on, each with an error in the log.
    """

    codes: int = 0
    scans: int = 0
    awarded: int = 0
    failed: int = 0

    def plus(self, other: "Resolved") -> "Resolved":
        return Resolved(*(one + more for one, more in zip(self, other, strict=True)))


class ResolveProducts:
    """Safe to run from many processes at once and to be killed at any moment: each batch is one transaction, and the key of
    a decision is taken once.
    """

    def __init__(self, database: Database, registry: RegistryLookup, policies: PolicyLookup) -> None:
        self._database = database
        self._lookups = Lookups(registry, policies)

    def resolve(self, city: str, now: datetime, stopping: Callable[[], bool] = lambda: False) -> Resolved:
        """Decides every scan of `city` whose product is known by now; ends early, between batches, when `stopping`."""
        done, after, clock = Resolved(), "", AtWork(now)
        while not stopping():
            codes = self._codes(city, after)
            if not codes:
                break
            known = self._known(codes)
            if known:
                done = done.plus(self._resolve(city, known, clock, stopping))
            after = codes[-1]
        return done

    def _codes(self, city: str, after: str) -> list[str]:
        with self._database.read() as connection:
            return pending.keys(connection, city, after=after, limit=CODES_MAX)

    def _known(self, codes: Sequence[str]) -> list[str]:
        keys = {code: registry_keys(code) for code in codes}
        with self._database.read() as connection:
            entries = self._lookups.registry.lookup(connection, {key for found in keys.values() for key in found})
        return [code for code in codes if any(entries.get(key) for key in keys[code])]

    def _resolve(self, city: str, codes: Sequence[str], clock: AtWork, stopping: Callable[[], bool]) -> Resolved:
        done = Resolved()
        while True:
            with self._database.read() as connection:
                baskets = pending.waiting_baskets(connection, city, codes, limit=BASKETS_MAX)
            before = done.scans
            for batch in _batches(baskets):
                if stopping():
                    return done
                for part in self._settled(city, batch, clock):
                    done = done.plus(part)
            if len(baskets) < BASKETS_MAX or done.scans == before:
                break
        closed = self._database.write(lambda connection: pending.close(connection, city, codes, clock.now()))
        return done.plus(Resolved(codes=closed))

    def _settled(self, city: str, baskets: Sequence[str], clock: AtWork) -> list[Resolved]:
        return without_culprits(
            baskets,
            lambda part: self._decided(city, part, clock.now()),
            lambda _basket, _error: Resolved(failed=1),
            doing="resolve_products",
            named=str,
        )

    def _decided(self, city: str, baskets: Sequence[str], now: datetime) -> Resolved:
        return won(self._database, lambda c, careful: self._attempt(c, city, baskets, now, careful=careful))

    def _attempt(
        self, connection: Connection, city: str, baskets: Sequence[str], now: datetime, *, careful: bool
    ) -> Resolved:
        return_rows.lock_baskets(connection, city, baskets)  # what is returned of them waits, or was returned before
        again = reread(pending.waiting_scans(connection, city, baskets))
        if not again.baskets:
            return Resolved()
        lookups, places = self._lookups, again.places
        loaded = load(
            connection, city, again.baskets, again.readings, now, lookups=lookups, careful=careful, places=places
        )

        taken = in_place(decide_baskets(again.baskets, loaded.registry, loaded.limits), again)
        decisions = [decision for decision in taken.decisions if decision.outcome != Outcome.PENDING]

        save(connection, city, taken._replace(rows=[*decisions]), loaded, now)
        return Resolved(scans=len(decisions), awarded=sum(1 for decision in decisions if decision.award))


def _batches(baskets: Iterable[WaitingBasket]) -> Iterator[list[str]]:
    """Baskets in their order, with at most as many waiting scans as a batch of tills' reads has."""
    batch: list[str] = []
    scans = 0
    for basket in baskets:
        if batch and scans + basket.scans > BATCH_READS_MAX:
            yield batch
            batch, scans = [], 0
        batch.append(basket.basket)
        scans += basket.scans
    if batch:
        yield batch
