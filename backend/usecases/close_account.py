"""A resident leaves: told first what ends, then everything that ties the books to the person is destroyed at once."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol, TypeVar

import structlog
from sqlalchemy import Connection

from backend.adjustments import store as adjustments
from backend.appeals import store as appeals
from backend.cases import store as cases
from backend.credit import store as credit
from backend.kernel.periods import civil_date, milliseconds
from backend.ledger.queries import holdings
from backend.missing_points import store as missing_points
from backend.redemptions.store import open_of
from backend.residents import people
from backend.residents.consents.model import GivenBy, Purpose
from backend.residents.leaving import sealed, store
from backend.residents.leaving.model import NOTE_KEPT, ClosingNotTold, Loss, MoneyLeft, Told, coarse, note_of
from backend.residents.standing import ResidentClosed
from backend.scans import leaving, quote_store
from backend.scans.quotes import QuoteState
from backend.storage.transaction import Database, is_passing
from backend.usecases.change_consent import Who, leave_wards, withdraw_all
from backend.usecases.culprits import without_culprits
from backend.usecases.forfeit import forfeit
from backend.usecases.release_quote import release
from backend.usecases.release_redemption import end_all
from backend.usecases.verify_ledger import all_cities

Result = TypeVar("Result")

BATCH_MAX = 500
"""Accounts that one run ends; those that cannot be ended do not count."""
LISTED_MAX = 100_000
AGAIN_AFTER = timedelta(days=1)
"""How long what was on its way when an account was closed may still arrive in another city, and is ended there too."""

log = structlog.get_logger()


class Writing(Protocol):
    """Reads, and runs work in a transaction that it commits; may run it again."""

    def read(self) -> AbstractContextManager[Connection]: ...
    def write(self, work: Callable[[Connection], Result]) -> Result: ...


class Confirmed(NamedTuple):
    """What the resident has read, by its hash, and whether money is given up with the account."""

    told_sha256: str
    gives_up_money: bool


class Drawn(NamedTuple):
    """Drawn at random by the caller: a name for the departure, and a nonce of 12 bytes."""

    departure: str
    nonce: bytes


class CloseAccount:
    def __init__(self, database: Database, identity_key: bytes) -> None:
        """`identity_key` hashes identities."""
        self._database = database
        self._key = identity_key

    def tell(self, who: Who, now: datetime) -> Told:
        """What would end with the account, in every city."""
        with self._database.read() as connection:
            return _told(connection, who, milliseconds(now))

    def close(self, who: Who, confirmed: Confirmed, drawn: Drawn, now: datetime) -> None:
        """After COMMIT no row ties the books to the person. What other cities hold ends next, or by the job.

        Raises ResidentClosed, ClosingNotTold when something has changed since the resident was told, MoneyLeft.
        """

        def work(connection: Connection) -> None:
            if not store.take_alone(connection, *who):
                raise ResidentClosed
            told = _told(connection, who, milliseconds(now))
            if told.sha256 != confirmed.told_sha256:
                raise ClosingNotTold
            if told.money_fen and not confirmed.gives_up_money:
                raise MoneyLeft(fen=told.money_fen)
            self._leave(connection, who, drawn, now)

        self._database.write(work)
        try:
            _end_everywhere(self._database, who.resident, now)
        except Exception as error:
            if not is_passing(error):
                raise
            log.warning("closing_waits", problem=type(error).__name__)

    def _leave(self, connection: Connection, who: Who, drawn: Drawn, now: datetime) -> None:
        me = people.Home(*who)
        accounts = [me, *people.absorbed_by(connection, me)]
        identities = store.identities_of(connection, accounts)
        today = civil_date(milliseconds(now))
        used = [cap for city in all_cities(connection) for cap in store.used_caps(connection, city, who.resident)]
        note = note_of(coarse(used, today))
        notes = [(sealed.name_of(self._key, one), sealed.seal(self._key, one, note, drawn.nonce)) for one in identities]
        if notes:
            store.put_notes(connection, notes, drawn.departure, now + NOTE_KEPT)
        optional = [purpose for purpose in Purpose if purpose is not Purpose.BASIC_SERVICE]
        withdraw_all(connection, who, optional, GivenBy.CLOSING, now)
        credit.forget_subject(connection, *who)
        store.close(connection, me, accounts, identities, now)
        _end_in(connection, who.city, who.resident, now)


def settle_closed(database: Writing, now: datetime, stopping: Callable[[], bool] = lambda: False) -> int:
    """Ends what closed accounts still hold anywhere, and lets notes go whose time is over; how many accounts.

    One that cannot be ended, for a fault of the books, is logged and counted, and keeps none of the others waiting.
    """
    database.write(lambda connection: store.forget_notes(connection, now))
    with database.read() as connection:
        found = store.unsettled(connection, now, LISTED_MAX)
        past = frozenset(store.unsettled(connection, now - AGAIN_AFTER, LISTED_MAX))

    def ends(some: Sequence[str]) -> bool:
        (resident,) = some
        _end_everywhere(database, resident, now)
        if resident in past:
            database.write(lambda connection: store.settled(connection, resident, now))
        return True

    ended = 0
    for resident in found:
        if stopping() or ended == BATCH_MAX:
            break
        ended += sum(without_culprits([resident], ends, lambda _one, _error: False, doing="settle_closed", named=str))
    return ended


def _end_everywhere(database: Writing, resident: str, now: datetime) -> None:
    with database.read() as connection:
        cities = all_cities(connection)
    for city in cities:
        database.write(lambda connection: _end_in(connection, city, resident, now))  # noqa: B023 - called at once


def _end_in(connection: Connection, city: str, resident: str, now: datetime) -> None:
    leave_wards(connection, city, resident, now)
    leaving.unname_baskets(connection, city, resident)
    for quote in leaving.held_quotes(connection, city, resident):
        row = quote_store.find(connection, city, quote, locked=True)
        if row.state == QuoteState.HELD:
            release(connection, city, row, QuoteState.VOIDED, now)
    end_all(connection, city, resident, now)
    store.forget_notices(connection, city, resident)
    appeals.forget_texts(connection, city, resident, now)
    cases.forget_reports(connection, city, resident)
    missing_points.forget_claims(connection, city, resident, now)
    absorbed = people.absorbed_by(connection, people.Home(city, resident))
    adjustments.forget_words(connection, city, [resident, *(one.resident for one in absorbed)])
    forfeit(connection, city, resident, now)


def _told(connection: Connection, who: Who, now_ms: int) -> Told:
    losses: list[Loss] = []
    waiting = quotes = redemptions = 0
    for city in all_cities(connection):
        losses += _losses(connection, city, who.resident, now_ms)
        waiting += leaving.waiting(connection, city, who.resident)
        redemptions += len(open_of(connection, city, who.resident))
        quotes += len(leaving.held_quotes(connection, city, who.resident))
    return Told(tuple(losses), redemptions, waiting, quotes)


def _losses(connection: Connection, city: str, resident: str, now_ms: int) -> list[Loss]:
    units: dict[str, list[int]] = {}
    for one in holdings(connection, city, resident):
        sums = units.setdefault(one.unit, [0, 0, 0, 0])
        sums[0] += one.amount if one.available(now_ms) else 0
        sums[1] += one.amount if one.pending(now_ms) else 0
        sums[2] += one.amount if one.to_collect(now_ms) else 0
        sums[3] += -one.amount if one.is_debt else 0
    return [Loss(city, unit, *sums) for unit, sums in sorted(units.items()) if any(sums)]
