"""A resident's statements: issued, shown, made void, sent. Each in one transaction that reads the consent."""

import hmac
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection

from backend.credit import documents, store
from backend.credit.documents import Place
from backend.credit.model import (
    LADDER,
    LOOKS_BACK,
    OPEN_MAX,
    PassportOff,
    Showing,
    Statement,
    StatementUnknown,
    TooFewPurchases,
    TooManyStatements,
)
from backend.credit.signing import Signer, TokenRefused
from backend.kernel.errors import DomainError
from backend.residents.access.log import Look, Role, What, write
from backend.residents.access.log import Purpose as LookedFor
from backend.residents.consents.model import NAMES, AdultsOnly, AgeNotVerified, ConsentNeeded, Purpose, PurposeClosed
from backend.residents.consents.queries import agreements, given
from backend.residents.leaving.store import key_of
from backend.residents.standing import AgeBasis, standing_of
from backend.storage.transaction import Database
from backend.usecases.change_consent import Who
from backend.usecases.verify_ledger import all_cities

LISTED_MAX = 50


class Overview(NamedTuple):
    """What the resident may have stated now, and what was."""

    may_state: tuple[int, ...]
    statements: list[Statement]


class Passport:
    def __init__(self, database: Database, signer: Signer | None, issuer: str) -> None:
        """`signer` None: not set up here. `issuer`: the address under which others reach this installation."""
        self._database = database
        self._signer = signer
        self._issuer = issuer

    @property
    def signer(self) -> Signer:
        """Raises PassportOff."""
        if self._signer is None:
            raise PassportOff
        return self._signer

    def place(self, city: str) -> Place:
        return Place(self._issuer, city)

    def overview(self, who: Who, now: datetime) -> Overview:
        """Without consent nothing is counted. Raises PassportOff, ResidentClosed."""
        _ = self.signer
        with self._database.read() as connection:
            found = store.statements(connection, *who, limit=LISTED_MAX)
            agreed = Purpose.CREDIT_PASSPORT in given(agreements(connection, *who).values())
            count = _purchases(connection, who, now) if agreed else 0
        return Overview(tuple(step for step in LADDER if step <= count), found)

    def issue(self, who: Who, at_least: int, statement: str, place: int, now: datetime) -> str | None:
        """The credential; None when `place`, drawn by the caller, is taken.

        Raises PassportOff, ConsentNeeded, AdultsOnly, TooFewPurchases, TooManyStatements, ResidentClosed.
        """
        signer = self.signer

        def work(connection: Connection) -> Statement | None:
            _check(connection, who, Purpose.CREDIT_PASSPORT)
            held = [one for one in store.statements(connection, *who, limit=LISTED_MAX) if one.holds(now)]
            if len(held) >= OPEN_MAX:
                raise TooManyStatements(most=OPEN_MAX)
            if _purchases(connection, who, now) < at_least:
                raise TooFewPurchases(at_least=at_least)
            if not store.issue(connection, *who, statement, at_least, place, now):
                return None
            return store.find(connection, *who, statement)

        issued = self._database.write(work)
        return None if issued is None else documents.credential(signer, self.place(who.city), issued)

    def credential(self, who: Who, statement: str, now: datetime) -> str:
        """Raises PassportOff, StatementUnknown."""
        with self._database.read() as connection:
            found = store.find(connection, *who, statement)
        if found is None or not found.holds(now):
            raise StatementUnknown
        return documents.credential(self.signer, self.place(who.city), found)

    def revoke(self, who: Who, statement: str, now: datetime) -> None:
        """Raises StatementUnknown."""
        if not self._database.write(lambda c: store.revoke(c, *who, "resident", now, statement=statement)):
            raise StatementUnknown

    def show(self, who: Who, statement: str, showing: Showing, now: datetime) -> str:
        """A presentation for one recipient, with its line in the access log.

        A statement of which too much came back since is made void instead. Raises StatementUnknown and what `issue` does.
        """
        signer = self.signer

        def work(connection: Connection) -> Statement | None:
            _check(connection, who, Purpose.CREDIT_PASSPORT)
            found = _standing(connection, who, statement, now)
            if found is not None:
                look = Look(Role.VERIFIER, showing.recipient, LookedFor.BENEFIT, What.STATEMENT)
                write(connection, *who, look, now)
            return found

        found = self._database.write(work)
        if found is None:
            raise StatementUnknown
        return documents.presentation(signer, self.place(who.city), found, showing, now)

    def verify(self, text: str, recipient: str, nonce: str | None, now: datetime) -> dict[str, Any]:
        """The claims of a presentation that holds, with a line in its owner's access log. Raises TokenRefused."""
        claims = documents.shown(self.signer, text, recipient, nonce, now)

        def work(connection: Connection) -> bool:
            found = store.by_id(connection, claims["city"], claims["statement_id"])
            if found is None:
                return False
            who = Who(claims["city"], found[1])
            try:
                _check(connection, who, Purpose.CREDIT_PASSPORT)
            except DomainError:  # why it holds no more is its owner's alone to know
                return False
            if _standing(connection, who, claims["statement_id"], now) is None:
                return False
            write(connection, *who, Look(Role.VERIFIER, recipient, LookedFor.BENEFIT, What.STATEMENT), now)
            return True

        if not self._database.write(work):
            raise TokenRefused
        return claims

    def export(self, who: Who, statement: str, fresh_key: bytes, now: datetime) -> str:
        """Puts a statement on its way to the city's platform; the consent is read with the resident's row locked, as every
        withdrawal locks it. `fresh_key` becomes the person's key where there is none yet.

        Raises PurposeClosed, AgeNotVerified, StatementUnknown, and what `issue` does.
        """

        def work(connection: Connection) -> str | None:
            _check(connection, who, Purpose.CREDIT_EXPORT)
            ground = store.ground(connection, who.city)
            if ground is None:
                raise PurposeClosed
            found = _standing(connection, who, statement, now)
            if found is None:
                return None
            key = key_of(connection, *who, fresh_key)
            subject = hmac.digest(key, f"credit:{ground.platform}".encode(), "sha256")
            look = Look(Role.PLATFORM, ground.platform, LookedFor.CREDIT_EXPORT, What.STATEMENT)
            write(connection, *who, look, now)
            return store.put_export(connection, *who, found, subject, ground.version, now)

        export = self._database.write(work)
        if export is None:
            raise StatementUnknown
        return export


def _check(connection: Connection, who: Who, purpose: Purpose) -> None:
    """The resident's row is locked until COMMIT. Raises ConsentNeeded, AdultsOnly, AgeNotVerified, ResidentClosed."""
    standing = standing_of(connection, *who, locked=True)
    if not standing.is_adult:
        raise AdultsOnly
    if purpose is Purpose.CREDIT_EXPORT and standing.age_basis is not AgeBasis.VERIFIED:
        raise AgeNotVerified
    if purpose not in given(agreements(connection, *who).values()):
        raise ConsentNeeded(**NAMES[purpose])


def _standing(connection: Connection, who: Who, statement: str, now: datetime) -> Statement | None:
    """The statement while it holds: goods that came back since may have taken its ground away, and then it is void."""
    found = store.find(connection, *who, statement)
    if found is None or not found.holds(now):
        return None
    cities = all_cities(connection)
    count = sum(store.purchases(connection, city, who.resident, found.since, found.issued_at) for city in cities)
    if count >= found.at_least:
        return found
    store.revoke(connection, *who, "returned", now, statement=statement)
    return None


def _purchases(connection: Connection, who: Who, now: datetime) -> int:
    return sum(
        store.purchases(connection, city, who.resident, now - LOOKS_BACK, now) for city in all_cities(connection)
    )
