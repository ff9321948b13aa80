"""Two accounts of one person become one: caps, balances, lots, debts, history and all that waits follow, in one transaction.

The caller's account survives. Both must be proved: the caller's by its session, the other by a session of its own or by what
it is signed in with.
"""

from datetime import datetime
from typing import NamedTuple, Protocol

from sqlalchemy import Connection

from backend.appeals import store as appeals
from backend.cases import store as cases
from backend.credit import store as credit
from backend.kernel.errors import DomainError
from backend.kernel.tokens import token_hash
from backend.ledger import chart, queries
from backend.ledger.model import Reason
from backend.missing_points import store as missing_points
from backend.redemptions import merging as redemptions
from backend.residents import people, sessions
from backend.residents import queries as resident_queries
from backend.residents.cards import store as cards
from backend.residents.cards.number import CardNumber
from backend.residents.cards.tables import TRIES_MAX
from backend.residents.consents import store as consents
from backend.residents.consents.model import GivenBy, Purpose
from backend.residents.leaving.store import carried_twice
from backend.residents.notices import store as notices
from backend.residents.people import Home, MergedResident
from backend.residents.queries import Session
from backend.residents.standing import ResidentClosed, keep_acting
from backend.scans import merging
from backend.usecases.change_consent import Who, merge_ages, withdraw_all
from backend.usecases.follow_merge import follow
from backend.usecases.races import LostRace, Writes, won
from backend.usecases.sign_in import PhoneCodeRefused, Proof
from backend.usecases.verify_ledger import all_cities


class MergeNotProved(DomainError):
    code = "merge-not-proved"
    text_zh = "另一个账户的登录已失效，请在那个账户重新登录后再合并。"
    text_en = "The other account's session has ended; sign in there again, then merge."


class NothingToMerge(DomainError):
    code = "nothing-to-merge"
    text_zh = "没有另一个账户可以合并：它就是当前账户，或从未使用过；直接绑定即可。"
    text_en = "There is no other account to merge: it is this one, or was never used; bind it instead."


class MergeWaits(DomainError):
    code = "merge-waits"
    text_zh = "另一个账户有一笔购物或兑换尚未完成，请完成或取消后再合并。"
    text_en = "A purchase or redemption of the other account is still open; merge once it is done or called off."


class CardNotProved(DomainError):
    code = "card-not-proved"
    text_zh = "卡号与绑定码不符，或卡已挂失；输错五次后须到服务窗口办理。"
    text_en = (
        "Number and binding code do not go together, or the card was blocked; after five wrong ones ask at a counter."
    )


class Prover(Protocol):
    """Who stands behind an outside identity."""

    def identity_of(self, proof: Proof) -> bytes: ...
    def proved(self, connection: Connection, proof: Proof, identity: bytes, now: datetime) -> bool: ...


class Moved(NamedTuple):
    """`amount` of `unit` came to the survivor in `city`; below zero what is owed."""

    city: str
    unit: str
    amount: int


class Merged(NamedTuple):
    absorbed: str
    merged_at: datetime
    moved: tuple[Moved, ...]


class MergeResidents:
    """Safe to call from many threads and processes at once; the same merge again changes nothing and answers the same."""

    def __init__(self, database: Writes, prover: Prover) -> None:
        self._database = database
        self._prover = prover

    def merge_session(self, who: Session, token: str, merge: str, now: datetime) -> Merged:
        """`token`: of a session of the other account. `merge` is a new id, which its postings carry.

        Raises MergeNotProved, NothingToMerge, MergeWaits, ResidentClosed, GuardianConsentNeeded, DatabaseBusy.
        """
        survivor = Home(who.city, who.resident)

        def attempt(connection: Connection, _careful: bool) -> Merged:  # noqa: FBT001 - as `won` calls it
            other = _of_session(connection, token, survivor, now)
            return _merged(connection, other, survivor, merge, now)

        return won(self._database, attempt)

    def merge_identity(self, who: Session, proof: Proof, merge: str, now: datetime) -> Merged:
        """`proof`: of an identity by which the other account is found.

        Raises what `merge_session` and `SignIn.sign_in` do.
        """
        survivor, identity = Home(who.city, who.resident), self._prover.identity_of(proof)

        def attempt(connection: Connection, _careful: bool) -> Merged | None:  # noqa: FBT001
            entered = sessions.home_of(connection, identity)
            # A merge of before needs no proof again: its code may be spent, and nothing is told that is not the caller's.
            done = entered is not None and people.survivor_of(connection, Home(*entered)) == survivor
            if not done and not self._prover.proved(connection, proof, identity, now):
                return None  # a wrong code costs a try, which must be committed
            if entered is None:  # told to the owner of the identity alone
                raise NothingToMerge
            return _merged(connection, Home(*entered), survivor, merge, now)

        found = won(self._database, attempt)
        if found is None:
            raise PhoneCodeRefused
        return found

    def merge_card(self, who: Session, number: CardNumber, secret: bytes, merge: str, now: datetime) -> Merged:
        """The account of a paper card: `secret` is the hash of what its sheet says, which no look at the card tells.

        Raises CardNotProved, NothingToMerge, MergeWaits, ResidentClosed, DatabaseBusy.
        """
        survivor = Home(who.city, who.resident)

        def attempt(connection: Connection, _careful: bool) -> Merged | None:  # noqa: FBT001
            resident = cards.prove(connection, number.city, number.hashed, secret, TRIES_MAX)
            if resident is None:
                return None  # a wrong one costs a try, which must be committed
            return _merged(connection, Home(number.city, resident), survivor, merge, now)

        found = won(self._database, attempt)
        if found is None:
            raise CardNotProved
        return found


def _of_session(connection: Connection, token: str, survivor: Home, now: datetime) -> Home:
    """Whose session `token` is. One that ended proves nothing but a merge that was done: it ended with that."""
    hashed = token_hash(token)
    found = resident_queries.session_of(connection, hashed, now)
    if found is not None:
        return Home(found.city, found.resident)
    ended = resident_queries.home_of_session(connection, hashed)
    if ended is None or people.survivor_of(connection, Home(*ended)) != survivor or Home(*ended) == survivor:
        raise MergeNotProved
    return Home(*ended)


def _merged(connection: Connection, entered: Home, survivor: Home, merge: str, now: datetime) -> Merged:
    before = people.merged(connection, [entered.resident]).get(entered.resident)
    other = entered if before is None else before.survivor
    if other == survivor:
        if before is None:
            raise NothingToMerge
        return _answer(connection, before)
    _absorb(connection, other, survivor, merge, now)
    return _answer(connection, people.merged(connection, [other.resident])[other.resident])


def _absorb(connection: Connection, other: Home, survivor: Home, merge: str, now: datetime) -> None:
    """In the order that all keep to: residents, member codes, redemptions, baskets, counters, accounts.

    Raises LostRace where another merge was first with one of the two.
    """
    taken = {home: people.take(connection, home) for home in sorted((other, survivor))}
    own, others = taken[survivor], taken[other]
    if own is None or others is None or not own.is_active or not others.is_active:
        if people.merged(connection, [other.resident, survivor.resident]):
            raise LostRace
        raise ResidentClosed
    for home in (other, survivor):
        keep_acting(connection, *home)
    for city in sorted(people.homes_of(connection, other)):
        people.give_codes(connection, city, other.resident, survivor.resident)
        cards.give_cards(connection, city, other.resident, survivor.resident)
    for city in all_cities(connection):
        open_redemption = redemptions.lock_redemptions(connection, city, other.resident)
        if open_redemption or merging.holds_a_quote(connection, city, other.resident):
            raise MergeWaits
        merging.give_baskets(connection, city, other.resident, survivor.resident)
        twice = carried_twice(connection, city, other.resident, survivor.resident)
        merging.add_counters(connection, city, other.resident, survivor.resident, twice.caps)
        follow(connection, city, other.resident, survivor.resident, merge, now)
        redemptions.give_redemptions(connection, city, other.resident, survivor.resident, twice.limits)
        appeals.give_appeals(connection, city, other.resident, survivor.resident)
        cases.give_reports(connection, city, other.resident, survivor.resident)
        notices.give(connection, city, other.resident, survivor)
        missing_points.give_claims(connection, city, other.resident, survivor.resident, survivor.city)
        consents.give_wards(connection, city, other.resident, survivor, now)
    merge_ages(connection, Who(*other), Who(*survivor), now)
    _end_consents(connection, other, now)
    whom = {*own.absorbed, *others.absorbed, other.resident}
    people.become(connection, other, survivor, whom, merge, now)


def _end_consents(connection: Connection, other: Home, now: datetime) -> None:
    """What `other` had agreed to, nobody could withdraw any more: statements are void, what was sent is asked back."""
    optional = [purpose for purpose in Purpose if purpose is not Purpose.BASIC_SERVICE]
    withdraw_all(connection, Who(*other), optional, GivenBy.CLOSING, now)
    credit.forget_subject(connection, *other)


def _answer(connection: Connection, found: MergedResident) -> Merged:
    moved: dict[tuple[str, str], int] = {}
    for city in all_cities(connection):
        for row in queries.postings(connection, city, [found.merge], Reason.MERGE):
            owed = chart.place_of(row.source).kind == chart.Kind.DEBT
            key = city, row.unit
            moved[key] = moved.get(key, 0) + (-row.amount if owed else row.amount)
    return Merged(found.absorbed, found.merged_at, tuple(Moved(*key, amount) for key, amount in sorted(moved.items())))
