"""A resident cites a sales slip of which the till credited nothing: found at once and decided, or an official's case."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection

from backend.kernel.ids import named_id
from backend.kernel.periods import civil_date, milliseconds, working_days_after
from backend.missing_points import queries, store
from backend.missing_points.model import (
    TRIES_A_DAY_MAX,
    MissingAhead,
    MissingClaim,
    MissingNotRejected,
    MissingRepeated,
    MissingState,
    MissingStoreUnknown,
    MissingTooLate,
    MissingTriesUsedUp,
    MissingUnknown,
    claim_mark,
)
from backend.policies.compiled import PolicySet
from backend.residents import people
from backend.residents.people import Home
from backend.retailers import queries as retailers
from backend.scans import pending, slip_search
from backend.scans.decide import Taken
from backend.scans.reread import WaitingScan
from backend.scans.slips import canonical
from backend.storage.transaction import Database
from backend.usecases.claim_basket import ClaimInStore, as_in_store, is_bound
from backend.usecases.decide_again import DecideAgain
from backend.usecases.races import LostRace
from backend.usecases.take_decisions import PolicyLookup, RegistryLookup


class MissingTerms(NamedTuple):
    """How long after the purchase a slip may be cited, and how long an official has to answer."""

    days: int
    working_days: int


class AskedMissing(NamedTuple):
    """`number` is the client's own uuid, kept when it asks again; `slip_no` as typed; `bought_on` a civil day."""

    city: str
    number: str
    store: str
    bought_on: date
    slip_no: str
    amount_fen: int


class FiledMissing(NamedTuple):
    """`new`: filed by this call; else it was there. `baskets`: all that belongs to the sale that was given."""

    claim: MissingClaim
    baskets: Sequence[str]
    new: bool


class ClaimMissingPoints:
    """Safe to call from many processes at once: of two who claim one sale one is given it, and the other is not told."""

    def __init__(
        self, database: Database, registry: RegistryLookup, policies: PolicyLookup, terms: MissingTerms
    ) -> None:
        self._database = database
        self._again = DecideAgain(database, registry, policies)
        self._terms = terms

    def claim(self, asked: AskedMissing, who: Home, now: datetime) -> FiledMissing:
        """After COMMIT. What is not there and what is somebody else's is opened as a case alike.

        Raises MissingStoreUnknown, MissingAhead, MissingTooLate, MissingRepeated, MissingTriesUsedUp, ClaimInStore,
        ResidentClosed, GuardianConsentNeeded.
        """
        filed: list[FiledMissing] = []

        def find(connection: Connection) -> list[WaitingScan]:
            filed[:] = [self._filed(connection, asked, who, now)]
            one = filed[0]
            if not (one.new and one.baskets):
                return []
            return as_in_store(pending.missed_scans(connection, asked.city, one.baskets))

        self._again.decide(asked.city, find, now, not_bound)
        return filed[0]

    def ask_review(self, city: str, claim: str, who: Home, text: str, now: datetime) -> MissingClaim:
        """The claim, open once more for another official; asked again it stands. Raises MissingUnknown, MissingNotRejected."""
        due = working_days_after(civil_date(milliseconds(now)), self._terms.working_days)

        def work(connection: Connection) -> MissingClaim:
            person = people.keep_acting(connection, who)
            one = store.locked(connection, city, claim)
            if one.resident != person.resident:
                raise MissingUnknown
            if one.round_no == 1 and not store.review(connection, city, claim, text, due):
                raise MissingNotRejected
            if one.round_no > 1 and one.text != text:
                raise MissingNotRejected
            return store.locked(connection, city, claim)

        return self._database.write(work)

    def _filed(self, connection: Connection, asked: AskedMissing, who: Home, now: datetime) -> FiledMissing:
        person, today = people.keep_acting(connection, who), civil_date(milliseconds(now))
        one = MissingClaim(
            named_id("missing", asked.city, person.resident, asked.number),
            person.resident,
            person.city,
            asked.store,
            asked.bought_on,
            canonical(asked.slip_no),
            asked.amount_fen,
            now,
            working_days_after(today, self._terms.working_days),
        )
        before = queries.find(connection, asked.city, one.claim)
        if before is not None:
            return _again(connection, asked.city, before, one)
        self._check(connection, asked.city, one, today)
        number = 1 + queries.filed_on(connection, asked.city, one.resident, today)
        if number > TRIES_A_DAY_MAX:
            raise MissingTriesUsedUp(tries_max=TRIES_A_DAY_MAX)
        baskets = give_sale(connection, asked.city, one)
        if baskets:
            one = one._replace(state=MissingState.FOUND, basket=baskets[0])
            store.found_at_last(connection, asked.city, one)
        if not store.file(connection, asked.city, one, today, number):
            raise LostRace
        return FiledMissing(one, baskets, new=True)

    def _check(self, connection: Connection, city: str, one: MissingClaim, today: date) -> None:
        if one.store not in retailers.names_of(connection, city, [one.store]):
            raise MissingStoreUnknown
        if one.bought_on > today:
            raise MissingAhead
        if today > one.bought_on + timedelta(days=self._terms.days):
            raise MissingTooLate(days=self._terms.days)
        if queries.was_given(connection, city, one):
            raise MissingRepeated


def _again(connection: Connection, city: str, before: MissingClaim, one: MissingClaim) -> FiledMissing:
    asked, stood = [(c.store, c.bought_on, c.slip_no, c.amount_fen) for c in (one, before)]
    if asked != stood:
        raise MissingRepeated
    baskets = [] if before.basket is None else slip_search.parts_of(connection, city, before.basket)
    return FiledMissing(before, baskets, new=False)


def give_sale(connection: Connection, city: str, one: MissingClaim) -> list[str]:
    """The baskets of the one sale that the slip names, given to the resident; none where any of it is somebody's."""
    parts = slip_search.of_slip(connection, city, one.store, one.slip_no, one.bought_on) if one.slip_no else []
    baskets = slip_search.the_sale(parts, one.amount_fen)
    if not baskets or any(each.resident is not None for each in slip_search.lock(connection, city, baskets)):
        return []
    slip_search.take(connection, city, baskets, one.resident, claim_mark(one.claim), elsewhere=True)
    return baskets


def not_bound(taken: Taken, policies: PolicySet) -> None:
    if is_bound(taken, policies):
        raise ClaimInStore
