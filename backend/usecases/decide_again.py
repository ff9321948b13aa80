"""A scan is decided once more, as number 2 or later, under the policy of its sale and today's limits."""

from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import Connection

from backend.policies.compiled import PolicySet
from backend.scans.decide import Taken, decide_baskets
from backend.scans.reread import WaitingScan, in_place, reread
from backend.usecases.races import Writes, won
from backend.usecases.take_decisions import Lookups, PolicyLookup, RegistryLookup, load, save

FindScans = Callable[[Connection], Sequence[WaitingScan]]
Allow = Callable[[Taken, PolicySet], None]
"""Raises where what was decided may not stand; then nothing of it does."""


class DecideAgain:
    """Safe to call from many processes at once: the key of a decision is taken once."""

    def __init__(self, database: Writes, registry: RegistryLookup, policies: PolicyLookup) -> None:
        self._database = database
        self._lookups = Lookups(registry, policies)

    def decide(self, city: str, find: FindScans, now: datetime, allow: Allow | None = None) -> Taken:
        """What was decided of the scans that `find` gives, in one transaction with what `find` wrote; after COMMIT.

        `find` may run again. Raises what it and `allow` raise, and DatabaseBusy after eight lost races.
        """
        return won(self._database, lambda c, careful: self._attempt(c, city, find, now, allow, careful=careful))

    def _attempt(
        self, connection: Connection, city: str, find: FindScans, now: datetime, allow: Allow | None, *, careful: bool
    ) -> Taken:
        again = reread(find(connection))
        lookups, places = self._lookups, again.places
        loaded = load(
            connection, city, again.baskets, again.readings, now, lookups=lookups, careful=careful, places=places
        )

        taken = in_place(decide_baskets(again.baskets, loaded.registry, loaded.limits), again)
        if allow is not None:
            allow(taken, loaded.registry.policies)

        save(connection, city, taken, loaded, now)
        return taken
