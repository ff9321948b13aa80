"""Payment files: prepared by one, released by another, booked once, to the fen, whatever happens in between."""

import csv
import hashlib
import io
import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from psycopg.errors import CheckViolation
from sqlalchemy import Connection

from backend.kernel.errors import DomainError
from backend.ledger import chart
from backend.settlements import payments, queries
from backend.settlements.model import (
    Booked,
    Claim,
    ClaimsHeld,
    DisputeOver,
    NothingToPay,
    PaidBeforeRelease,
    PaidOnMalformed,
    PaymentStanding,
    PaymentUnknown,
    RefusedByPreparer,
    ReleasedByPreparer,
    Ruled,
    Ruling,
    Said,
)
from backend.settlements.queries import PaymentKey
from backend.storage.transaction import Database, Result
from backend.usecases.close_settlement import close_settlement
from backend.usecases.dispute_statement import approve_correction, confirm_statement, rule_on_dispute
from backend.usecases.hold_claims import hold_claims
from backend.usecases.pay_settlements import (
    book_payment,
    prepare_payment,
    refuse_payment,
    release_payment,
)
from tests.worlds import books
from tests.worlds.city import NANJING
from tests.worlds.later import assert_verified
from tests.worlds.settling import BIG, CLOSING, DAY, MONTH, NEXT, QIAN, SMALL, ZHAO, Office, booked, open_office
from tests.worlds.threads import Threads

AFTER = CLOSING + 6 * DAY
LAST_MINUTES = CLOSING - timedelta(minutes=45)
"""Still November in China."""


def shop(database: Database, store: str) -> int:
    return books.balance(database, NANJING, chart.shop(store, "fee"))


def paid(database: Database, retailer: str = BIG) -> int:
    return books.balance(database, NANJING, chart.paid(retailer, "fee"))


class Cut(Exception):
    """The process ended just before COMMIT."""


class Dying(Database):
    def __init__(self, database: Database) -> None:
        self._database = database

    def write(self, work: Callable[[Connection], Result]) -> Result:
        def cut(connection: Connection) -> Result:
            work(connection)
            raise Cut

        return self._database.write(cut)


@pytest.fixture
def office(engine_db: Database) -> Office:
    """Twelve fen in one shop of a retailer, six in another, fifteen of another retailer; the month is closed."""
    opened = open_office(engine_db)
    opened.sell(4)
    opened.sell(2, "s2")
    opened.sell(5, "s3")
    opened.close()
    return opened


def test_what_is_paid_leaves_the_shops_accounts_once(office: Office) -> None:
    database = office.database
    made = office.pay()

    rows = list(csv.reader(io.StringIO(made.content.decode("utf-8-sig"))))
    assert [(row[2], row[5], row[6]) for row in rows[1:]] == [
        (BIG, "18", "0.18"),
        (SMALL, "15", "0.15"),
        ("2", "33", "0.33"),
    ]
    assert made.sha256 == hashlib.sha256(made.content).digest()
    assert (shop(database, "s1"), shop(database, "s2"), paid(database), paid(database, SMALL)) == (0, 0, 18, 15)
    assert not book_payment(database, NANJING, made.payment, booked(), AFTER)
    with pytest.raises(PaymentStanding):
        book_payment(database, NANJING, made.payment, booked("ICBC-2"), AFTER)
    with pytest.raises(NothingToPay):
        office.prepare()
    assert_verified(database, NANJING)


@pytest.mark.parametrize(
    ("paid_on", "refusal"),
    [
        ("2026-12-06", PaidBeforeRelease),
        ("2026-12-09", PaidOnMalformed),
        ("20261207", PaidOnMalformed),
        ("2026-W50-1", PaidOnMalformed),
        ("２０２６-12-07", PaidOnMalformed),
    ],
)
def test_the_bank_paid_between_release_and_today(office: Office, paid_on: str, refusal: type[DomainError]) -> None:
    made = office.prepare()
    release_payment(office.database, NANJING, made.payment, QIAN, CLOSING + 6 * DAY)

    with pytest.raises(refusal):
        book_payment(office.database, NANJING, made.payment, booked()._replace(paid_on=paid_on), CLOSING + 7 * DAY)
    with pytest.raises(CheckViolation, match="ck_settlement_payments_paid_on"):
        office.database.write(
            lambda connection: payments.book(
                connection, NANJING, made.payment, Booked("2026-12-06", "X", ZHAO), CLOSING + 7 * DAY
            )
        )

    assert book_payment(office.database, NANJING, made.payment, booked(), CLOSING + 7 * DAY)


def test_acts_of_money_say_what_was_before(office: Office) -> None:
    key = office.dispute(1)
    rule_on_dispute(office.database, NANJING, key, Ruled(Ruling.CORRECT, 3, "补计", ZHAO, None), CLOSING + DAY)
    approve_correction(office.database, NANJING, key, 3, QIAN, CLOSING + DAY)
    confirm_statement(office.database, NANJING, MONTH, BIG, "店长", CLOSING + DAY)
    office.pay()

    told = books.rows(
        office.database, "SELECT what, before::text FROM acts WHERE city = :c ORDER BY at, act", c=NANJING
    )
    before = {what: None if text is None else json.loads(text) for what, text in told}
    assert before["line-disputed"] == {"disputed": False}
    assert before["dispute-ruled"] == {"ruling": None, "correction": 0, "by": None}
    assert before["correction-approved"] == {"correction": 3, "approved_by": None, "reference": None}
    assert before["statement-confirmed"] == {"confirmed": False}
    assert [before[f"payment-{one}"] for one in ("released", "booked")] == [
        {"state": "prepared"},
        {"state": "released"},
    ]


def test_nothing_is_paid_before_it_is_confirmed_or_the_time_to_dispute_is_over(office: Office) -> None:
    with pytest.raises(NothingToPay):
        office.prepare(CLOSING + DAY)

    confirm_statement(office.database, NANJING, MONTH, SMALL, "店长", CLOSING + DAY)

    assert [one.retailer for one in office.prepare(CLOSING + DAY).payees] == [SMALL]
    office.dispute(2)
    assert [(one.retailer, one.amount_fen) for one in office.prepare().payees] == [(BIG, 12)]


def test_payments_are_listed_page_by_page_and_a_statement_waits_until_its_last_line_is_paid(office: Office) -> None:
    confirm_statement(office.database, NANJING, MONTH, SMALL, "店长", CLOSING + DAY)
    office.pay(CLOSING + 5 * DAY)
    second = office.prepare()

    with office.database.read() as connection:
        (newest,) = queries.payments(connection, NANJING, limit=1)
        (older,) = queries.payments(connection, NANJING, after=PaymentKey(newest.prepared_at, newest.payment), limit=2)
        late = queries.unpaid_late(connection, NANJING, CLOSING + 60 * DAY)
        (big, small) = queries.statements_of_month(connection, NANJING, MONTH)

    assert (newest.payment, older.state) == (second.payment, "paid")
    assert {(one.retailer, one.taken_lines - one.paid_lines) for one in late} == {(BIG, 2)}
    assert (big.paid_lines, small.paid_lines, small.paid_fen) == (0, small.lines, small.amount_fen)
    assert_verified(office.database, NANJING)


def test_who_prepared_does_not_release_and_what_is_held_since_stops_it(office: Office) -> None:
    database = office.database
    sold = books.rows(database, "SELECT basket::text FROM statement_lines WHERE store = 's1'")[0][0]
    made = office.prepare()
    with pytest.raises(ReleasedByPreparer):
        release_payment(database, NANJING, made.payment, ZHAO, AFTER)
    with pytest.raises(PaymentStanding):
        book_payment(database, NANJING, made.payment, booked(), AFTER)
    hold_claims(database, NANJING, [Claim(sold, 0)], Said(ZHAO, "证书已撤销"), AFTER)
    with pytest.raises(ClaimsHeld):
        release_payment(database, NANJING, made.payment, QIAN, AFTER)

    refuse_payment(database, NANJING, made.payment, ZHAO, "有暂缓", AFTER)
    again = office.prepare(AFTER)
    release_payment(database, NANJING, again.payment, QIAN, AFTER)
    with pytest.raises(RefusedByPreparer):  # the bank may have it
        refuse_payment(database, NANJING, again.payment, ZHAO, "未付", AFTER)
    refuse_payment(database, NANJING, again.payment, QIAN, "未付", AFTER)

    assert office.pay(AFTER + DAY).amount_fen == 21
    assert_verified(database, NANJING)


def test_who_owes_more_than_is_due_waits_and_sister_shops_bear_it(office: Office) -> None:
    database = office.database
    office.pay()
    baskets = dict(books.rows(database, "SELECT store, basket::text FROM statement_lines WHERE city = :c", c=NANJING))
    office.bring_back(baskets["s1"], 3, CLOSING + 7 * DAY)
    office.bring_back(baskets["s3"], 1, CLOSING + 7 * DAY)
    office.sell(5, "s2", CLOSING + 8 * DAY)
    office.close(NEXT, CLOSING + 40 * DAY)

    made = office.pay(CLOSING + 50 * DAY)

    assert [(one.retailer, one.amount_fen) for one in made.payees] == [(BIG, 15 - 9)]
    assert (shop(database, "s1"), shop(database, "s2"), shop(database, "s3")) == (0, 0, -3)
    assert (paid(database), paid(database, SMALL)) == (24, 15)
    assert_verified(database, NANJING)


def test_a_worker_that_dies_between_release_and_booking_leaves_both_whole(office: Office) -> None:
    """Booked in one transaction with the ledger: what fails in the middle of it did not happen."""
    database = office.database
    made = office.prepare()
    release_payment(database, NANJING, made.payment, QIAN, AFTER)

    with pytest.raises(Cut):
        book_payment(Dying(database), NANJING, made.payment, booked(), AFTER)
    assert_verified(database, NANJING)
    assert (paid(database), book_payment(database, NANJING, made.payment, booked(), AFTER), paid(database)) == (
        0,
        True,
        18,
    )


def test_closing_returns_disputes_and_payments_at_once_lose_and_double_nothing(engine_db: Database) -> None:
    office = open_office(engine_db)
    sold = [office.sell(3, ("s1", "s2", "s3")[number % 3]) for number in range(9)]
    ids = [f"01900000-0000-7000-8000-0000000000{number:02x}" for number in range(4)]

    def quiet(work: object, *given: object) -> object:
        try:
            return work(*given)  # type: ignore[operator]
        except (DisputeOver, NothingToPay, PaymentUnknown) as refused:
            return refused

    with Threads(8) as crowd:
        closes = [crowd.submit(close_settlement, engine_db, NANJING, MONTH, ZHAO, CLOSING) for _ in range(3)]
        backs = [crowd.submit(office.bring_back, basket, 1, LAST_MINUTES) for basket in sold]
        lines = sum(one.result().new for one in closes)
        payments = [crowd.submit(quiet, prepare_payment, engine_db, NANJING, one, ZHAO, AFTER) for one in ids]
        disputes = [crowd.submit(quiet, office.dispute, number) for number in range(1, 4)]
        for one in (*backs, *payments, *disputes):
            one.result()
        for one in ids:
            quiet(release_payment, engine_db, NANJING, one, QIAN, AFTER)
    assert lines == 1
    office.close(NEXT, CLOSING + 40 * DAY)

    assert books.rows(engine_db, "SELECT count(*) FROM statement_lines") == [(18,)]
    assert_verified(engine_db, NANJING)
