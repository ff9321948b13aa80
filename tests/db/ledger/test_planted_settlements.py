"""Settlements are held against the books: each fault is found by I11."""

import pytest
from sqlalchemy import text

from backend.settlements.model import Ruled, Ruling
from backend.storage.transaction import Database
from backend.usecases.dispute_statement import rule_on_dispute
from tests.db.ledger.faults import broken
from tests.worlds.city import NANJING, NOON
from tests.worlds.settling import CLOSING, DAY, NEXT, QIAN, ZHAO, Office, open_office

CHECKS = (
    "settlement_payments DROP CONSTRAINT ck_settlement_payments_two",
    "statement_disputes DROP CONSTRAINT ck_statement_disputes_two",
    "statement_lines DROP CONSTRAINT uq_statement_lines_city_reference_step_claim",
)
TWO_FEN = (
    "UPDATE statement_lines SET amount = amount + 2 WHERE line_no = 1 AND month = '2026-11' AND retailer = '苏果示例'"
)


@pytest.fixture
def office(engine_db: Database) -> Office:
    """A month with a return, a correction by two people, a payment; the next month closed and not paid."""
    opened = open_office(engine_db)
    sold = opened.sell(4)
    opened.sell(2, "s2")
    opened.sell(5, "s3")
    opened.bring_back(sold, 1, NOON + DAY)
    opened.close()
    rule_on_dispute(engine_db, NANJING, opened.dispute(2), Ruled(Ruling.CORRECT, 3, "少计", ZHAO, QIAN), CLOSING + DAY)
    opened.pay()
    opened.sell(7, at=CLOSING + 7 * DAY)
    opened.close(NEXT, CLOSING + 40 * DAY)
    return opened


FAULTS = {
    "a line of another amount": TWO_FEN,
    "its statement too": (
        f"{TWO_FEN}; UPDATE statements SET fee_fen = fee_fen + 2 WHERE month = '2026-11' AND retailer = '苏果示例'"
    ),
    "a claim that is on no line": "DELETE FROM statement_lines WHERE month = '2026-11' AND retailer = '街角示例';"
    " DELETE FROM statements WHERE month = '2026-11' AND retailer = '街角示例'",
    "a claim on two statements": "INSERT INTO statement_lines SELECT city, '2026-12', retailer, 9, store, unit, cause, amount,"
    " reference, step, claim, recorded_at, basket, sale_line FROM statement_lines WHERE month = '2026-11' AND line_no = 1",
    "a line of nothing": "UPDATE statement_lines SET reference = gen_random_uuid() WHERE month = '2026-12' AND line_no = 1",
    "another's line": "UPDATE statement_lines SET retailer = '街角示例', line_no = 2 WHERE month = '2026-12' AND line_no = 2",
    "another cause": "UPDATE statement_lines SET cause = 'adjustment' WHERE month = '2026-12' AND line_no = 2",
    "a return of another sale": "UPDATE statement_lines SET basket = gen_random_uuid() WHERE cause = 'return'",
    "a line before its time": "UPDATE settlement_months SET ended_at = ended_at - interval '20 days'",
    "a closed month that is gone": "DELETE FROM settlement_months WHERE month = '2026-12'",
    "a month that counts wrongly": "UPDATE settlement_months SET lines = lines + 1",
    "a payee that gets more": "UPDATE settlement_payees SET amount_fen = amount_fen + 1 WHERE retailer = '街角示例'",
    "a file of another total": "UPDATE settlement_payments SET amount_fen = amount_fen + 1",
    "a payment that the ledger does not know": "DELETE FROM transfers WHERE reason = 'payment' AND line = 0",
    "a payment that moved more": "UPDATE transfers SET amount = amount + 1 WHERE reason = 'payment' AND line = 0",
    "a payment into another's hands": "UPDATE transfers SET destination = 'paid:x:fee' WHERE reason = 'payment'",
    "a payment taken back in words": "UPDATE settlement_payments SET state = 'refused', refused_by = 'x', refused_at = now(),"
    " refusal = 'x', paid_by = NULL, paid_at = NULL, paid_on = NULL, bank_reference = NULL",
    "a line that was freed and paid": "UPDATE settlement_payment_lines SET refused = true WHERE line_no = 1",
    "paid while it was held": "INSERT INTO claim_holds (city, hold, basket, line_no, reason, held_by, held_at)"
    " SELECT city, gen_random_uuid(), basket, sale_line, 'x', 'x', '2026-11-30 16:30Z' FROM statement_lines"
    " WHERE month = '2026-11' AND line_no = 1 AND retailer = '苏果示例'",
    "paid before it was confirmed": "UPDATE settlement_months SET dispute_until = dispute_until + interval '90 days'",
    "paid while it was disputed": "UPDATE statement_disputes SET approved_at = approved_at + interval '90 days'",
    "a correction of another amount": "UPDATE statement_disputes SET correction = correction + 1",
    "a correction that nobody posted": "DELETE FROM transfers WHERE reason = 'adjust'",
    "released by who prepared it": "UPDATE settlement_payments SET released_by = prepared_by",
    "approved by who proposed it": "UPDATE statement_disputes SET approved_by = ruled_by",
}


def test_each_fault_is_found(office: Office, database_url: str) -> None:
    """Each planted in a transaction of its own that is taken back, since each of them breaks the same books."""
    assert broken(office.database) == set()
    owner = Database(database_url, role=None)
    owner.write(lambda c: [c.execute(text(f"ALTER TABLE {check}")) for check in CHECKS])
    tables = (
        "statement_lines",
        "statements",
        "settlement_months",
        "settlement_payees",
        "settlement_payments",
        "transfers",
    )
    others = ("settlement_payment_lines", "claim_holds", "statement_disputes")
    owner.write(lambda c: [c.execute(text(f"CREATE TABLE kept_{name} AS TABLE {name}")) for name in (*tables, *others)])

    missed = []
    for name, fault in FAULTS.items():
        owner.write(lambda c, f=fault: [c.execute(text(one)) for one in f.split(";")])  # type: ignore[misc]
        if "I11" not in broken(office.database):
            missed.append(name)
        for table in (*tables, *others):
            owner.write(lambda c, t=table: c.execute(text(f"DELETE FROM {t}")))  # type: ignore[misc]
            owner.write(lambda c, t=table: c.execute(text(f"INSERT INTO {t} TABLE kept_{t}")))  # type: ignore[misc]
    sound = broken(office.database)
    owner.close()

    assert (missed, sound) == ([], set())
