"""What may be paid becomes a payment file, released by another person; what the bank paid is booked in the ledger."""

from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import Connection

from backend.audit.acts import What
from backend.audit.model import Act
from backend.audit.store import record
from backend.kernel.periods import civil_date, milliseconds
from backend.kernel.persons import are_different
from backend.ledger import chart, post
from backend.ledger.model import Reason, Transfer
from backend.settlements import payments, store
from backend.settlements.files import Payee, digest, payment_file
from backend.settlements.model import (
    Booked,
    ClaimsHeld,
    FileChanged,
    NothingToPay,
    PaidBeforeRelease,
    PaidOnMalformed,
    PaymentState,
    ReasonMissing,
    RefusedByPreparer,
    ReleasedByPreparer,
)
from backend.settlements.payments import Share
from backend.usecases.dispute_statement import told
from backend.usecases.races import Writes

PAID = 1
"""The step of a payment's posting under its id."""
_BECOMES = {
    What.PAYMENT_PREPARED: PaymentState.PREPARED,
    What.PAYMENT_RELEASED: PaymentState.RELEASED,
    What.PAYMENT_REFUSED: PaymentState.REFUSED,
    What.PAYMENT_BOOKED: PaymentState.PAID,
}


class PaymentFile(NamedTuple):
    """The CSV file of a payment and its SHA-256."""

    payment: str
    payees: tuple[Payee, ...]
    content: bytes
    sha256: bytes

    @property
    def amount_fen(self) -> int:
        return sum(one.amount_fen for one in self.payees)


def prepare_payment(database: Writes, city: str, payment: str, by: str, now: datetime) -> PaymentFile:
    """Takes every line that may be paid, under the new id `payment`. Raises NothingToPay."""

    def work(connection: Connection) -> PaymentFile:
        store.lock(connection, city, now)
        paid = payments.take(connection, city, payment, now)
        if not paid:
            raise NothingToPay
        made = _file(payment, paid)
        payments.insert(connection, city, payment, paid, made.sha256, by, now)
        record(connection, _act(What.PAYMENT_PREPARED, city, payment, now, by, None, amount_fen=made.amount_fen))
        return made

    return database.write(work)


def release_payment(database: Writes, city: str, payment: str, by: str, now: datetime) -> PaymentFile:
    """The file for the bank, by somebody who did not prepare it; released again it is the same.

    Raises PaymentUnknown, PaymentStanding, ReleasedByPreparer, ClaimsHeld, FileChanged.
    """

    def work(connection: Connection) -> PaymentFile:
        store.lock(connection, city, now)
        found = payments.locked(connection, city, payment)
        found.check(PaymentState.PREPARED, PaymentState.RELEASED)
        if not are_different(by, found.prepared_by):
            raise ReleasedByPreparer
        made = _checked_file(connection, city, payment, found.sha256)
        if found.state is PaymentState.PREPARED:
            held = payments.held_since(connection, city, payment)
            if held:
                raise ClaimsHeld(lines=held)
            payments.release(connection, city, payment, by, now)
            record(connection, _act(What.PAYMENT_RELEASED, city, payment, now, by, found, sha256=found.sha256.hex()))
        return made

    return database.write(work)


def refuse_payment(database: Writes, city: str, payment: str, by: str, reason: str, now: datetime) -> None:
    """By either of the two, before it is paid: its lines are free for another file. Once it is released the bank may have
    it, and who prepared it does not free its lines alone.

    Raises PaymentUnknown, PaymentStanding, RefusedByPreparer, ReasonMissing.
    """
    why = told(reason)

    def work(connection: Connection) -> None:
        store.lock(connection, city, now)
        found = payments.locked(connection, city, payment)
        found.check(PaymentState.PREPARED, PaymentState.RELEASED)
        if found.state is PaymentState.RELEASED and not are_different(by, found.prepared_by):
            raise RefusedByPreparer
        payments.refuse(connection, city, payment, by, why, now)
        record(connection, _act(What.PAYMENT_REFUSED, city, payment, now, by, found, refusal=why))

    database.write(work)


def book_payment(database: Writes, city: str, payment: str, booked: Booked, now: datetime) -> bool:
    """What left the shops' accounts, after COMMIT; False when the same was booked before.

    Raises PaymentUnknown, PaymentStanding, FileChanged, PaidOnMalformed, PaidBeforeRelease, ReasonMissing where the bank's
    reference is missing.
    """
    if not booked.bank_reference.strip():
        raise ReasonMissing
    if not _is_day(booked.paid_on, now):
        raise PaidOnMalformed

    def work(connection: Connection) -> bool:
        store.lock(connection, city, now)
        found = payments.locked(connection, city, payment)
        if found.is_repeat(booked):
            return False
        found.check(PaymentState.RELEASED)
        assert found.released_at is not None, "what is released has its moment"
        released_on = civil_date(milliseconds(found.released_at)).isoformat()
        if booked.paid_on < released_on:
            raise PaidBeforeRelease(released_on=released_on)
        _checked_file(connection, city, payment, found.sha256)
        post.post_once(connection, city, transfers_of(payment, payments.shares(connection, city, payment)), now)
        payments.book(connection, city, payment, booked, now)
        bank = {"paid_on": booked.paid_on, "bank_reference": booked.bank_reference}
        record(connection, _act(What.PAYMENT_BOOKED, city, payment, now, booked.by, found, **bank))
        return True

    return database.write(work)


def transfers_of(payment: str, shares: list[Share]) -> list[Transfer]:
    """From each shop's account to its retailer; a shop that owes more than is due to it gets the difference from there."""
    transfers = []
    for number, one in enumerate(shares):
        shop, retailer = chart.shop(one.store, one.unit), chart.paid(one.retailer, one.unit)
        sides = (shop, retailer) if one.amount > 0 else (retailer, shop)
        transfers.append(Transfer(payment, PAID, number, Reason.PAYMENT.value, one.unit, *sides, abs(one.amount)))
    return transfers


def _is_day(paid_on: str, now: datetime) -> bool:
    """Written in the one way in which it is compared: other spellings of ISO 8601 are none."""
    try:
        day = date.fromisoformat(paid_on)
    except ValueError:
        return False
    return day.isoformat() == paid_on and day <= civil_date(milliseconds(now))


def _act(
    what: What, city: str, payment: str, now: datetime, by: str, found: payments.Payment | None, **told: object
) -> Act:
    """`found`: as it stood before."""
    before = None if found is None else {"state": found.state.value}
    after = {"state": _BECOMES[what].value, "by": by, **told}
    return Act(what, city, "settlement-payment", payment, now, before=before, after=after)


def _checked_file(connection: Connection, city: str, payment: str, sha256: bytes) -> PaymentFile:
    made = _file(payment, payments.payees(connection, city, payment))
    if made.sha256 != sha256:
        raise FileChanged
    return made


def _file(payment: str, paid: list[Payee]) -> PaymentFile:
    content = payment_file(payment, paid)
    return PaymentFile(payment, tuple(paid), content, digest(content))
