"""Open claims of missing points are looked for again: the till of the sale may have been offline."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from backend.missing_points import queries, store
from backend.missing_points.model import MissingClaim, MissingState
from backend.residents import people
from backend.scans import pending
from backend.scans.reread import WaitingScan
from backend.storage.transaction import Database
from backend.usecases.claim_basket import ClaimInStore, as_in_store
from backend.usecases.claim_missing_points import give_sale, not_bound
from backend.usecases.culprits import without_culprits
from backend.usecases.decide_again import DecideAgain
from backend.usecases.take_decisions import PolicyLookup, RegistryLookup

PAGE = 200
"""Claims that are read at once."""


class Looked(NamedTuple):
    """What a round did."""

    looked_at: int = 0
    found: int = 0

    def plus(self, other: "Looked") -> "Looked":
        return Looked(self.looked_at + other.looked_at, self.found + other.found)


class FindMissingPoints:
    """Safe to call from many processes at once."""

    def __init__(self, database: Database, registry: RegistryLookup, policies: PolicyLookup) -> None:
        self._database = database
        self._again = DecideAgain(database, registry, policies)

    def look(self, city: str, now: datetime, stopping: Callable[[], bool] = lambda: False) -> Looked:
        """At all open claims of a city, the first due first: those that nobody finds keep none behind them from being found.

        One that fails, for a fault of its own, is logged and counted, and keeps none of the others waiting.
        """

        def look_at(some: Sequence[MissingClaim]) -> Looked:
            (one,) = some
            # Where the shop itself is the place, an official tells the resident so.
            with contextlib.suppress(ClaimInStore):
                return Looked(1, int(self._look_at(city, one.claim, now)))
            return Looked()

        done = Looked()
        for one in self._waiting(city):
            if stopping():
                break
            for part in without_culprits(
                [one], look_at, lambda _one, _error: Looked(), doing="find_missing_points", named=lambda c: c.claim
            ):
                done = done.plus(part)
        return done

    def _waiting(self, city: str) -> Iterator[MissingClaim]:
        after: queries.DueKey | None = None
        while True:
            with self._database.read() as connection:
                waiting = queries.waiting(connection, city, limit=PAGE, after=after)
            yield from waiting
            if len(waiting) < PAGE:
                return
            after = queries.DueKey(waiting[-1].due_on, waiting[-1].claim)

    def _look_at(self, city: str, claim: str, now: datetime) -> bool:
        found: list[str] = []

        def find(connection: Connection) -> list[WaitingScan]:
            one = store.locked(connection, city, claim)
            kept = people.keep(connection, one.home, [one.resident]).get(one.resident)
            if one.state is not MissingState.OPEN or kept is None or kept.refusal is not None:
                found.clear()
                return []
            found[:] = give_sale(connection, city, one._replace(resident=kept.home.resident))
            if found:
                store.found(connection, city, claim, found[0])
            return as_in_store(pending.missed_scans(connection, city, found)) if found else []

        self._again.decide(city, find, now, not_bound)
        return bool(found)
