"""An official decides a claim of missing points: gives the sale that was found, or says why not."""

from datetime import datetime

from sqlalchemy import Connection

from backend.audit.acts import What
from backend.audit.model import Act
from backend.audit.store import record
from backend.kernel.persons import are_different
from backend.missing_points import store
from backend.missing_points.model import (
    MissingBasketTaken,
    MissingBasketUnknown,
    MissingClaim,
    MissingDecided,
    MissingNeedsAnother,
    MissingState,
    MissingVerdict,
    claim_mark,
)
from backend.residents import people
from backend.residents.people import Home
from backend.scans import pending, slip_search
from backend.scans.decide import Taken
from backend.scans.reread import WaitingScan
from backend.storage.transaction import Database
from backend.usecases.decide_again import DecideAgain
from backend.usecases.take_decisions import PolicyLookup, RegistryLookup
from backend.usecases.two_persons import awarded_by, check_second


class DecideMissingPoints:
    def __init__(self, database: Database, registry: RegistryLookup, policies: PolicyLookup) -> None:
        self._database = database
        self._again = DecideAgain(database, registry, policies)

    def reject(self, city: str, claim: str, verdict: MissingVerdict, now: datetime) -> None:
        """Raises MissingUnknown, MissingDecided, MissingNeedsAnother."""

        def work(connection: Connection) -> None:
            _checked(connection, city, claim, verdict)
            store.decide(connection, city, claim, MissingState.REJECTED, verdict, now)
            _record(connection, What.MISSING_POINTS_REJECTED, city, claim, verdict, now)

        self._database.write(work)

    def grant(self, city: str, claim: str, basket: str, verdict: MissingVerdict, now: datetime) -> Taken:
        """What was decided of the sale that `basket` is of, which is the resident's from now on.

        Raises MissingUnknown, MissingDecided, MissingNeedsAnother, MissingBasketUnknown, MissingBasketTaken,
        SecondPersonNeeded, ResidentClosed, GuardianConsentNeeded; then nothing is stored.
        """

        def find(connection: Connection) -> list[WaitingScan]:
            one = _checked(connection, city, claim, verdict)
            person = people.keep_acting(connection, Home(one.home, one.resident))
            baskets = slip_search.parts_of(connection, city, basket)
            if not baskets:
                raise MissingBasketUnknown
            if any(each.resident is not None for each in slip_search.lock(connection, city, baskets)):
                raise MissingBasketTaken
            # An official who has seen the slip stands in for the shop.
            slip_search.take(connection, city, baskets, person.resident, claim_mark(claim), elsewhere=False)
            store.decide(connection, city, claim, MissingState.GRANTED, verdict, now, baskets[0])
            _record(connection, What.MISSING_POINTS_GRANTED, city, claim, verdict, now, baskets[0])
            return pending.missed_scans(connection, city, baskets)

        def allow(taken: Taken, _policies: object) -> None:
            check_second(awarded_by(taken), verdict.approved_by)

        return self._again.decide(city, find, now, allow)


def _record(
    connection: Connection,
    what: What,
    city: str,
    claim: str,
    verdict: MissingVerdict,
    now: datetime,
    basket: str | None = None,
) -> None:
    before = {"state": MissingState.OPEN.value}
    state = MissingState.REJECTED if basket is None else MissingState.GRANTED
    told = {"state": state.value, "basket": basket, "by": verdict.by, "approved_by": verdict.approved_by}
    record(connection, Act(what, city, "missing-points", claim, now, verdict.explanation, before=before, after=told))


def _checked(connection: Connection, city: str, claim: str, verdict: MissingVerdict) -> MissingClaim:
    """Locked until COMMIT."""
    one = store.locked(connection, city, claim)
    if one.state is not MissingState.OPEN:
        raise MissingDecided
    if not are_different(verdict.by, verdict.approved_by, before=[one.first_by]):
        raise MissingNeedsAnother
    return one
