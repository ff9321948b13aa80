"""What leases hold and paid is held against the books: each fault of a lease is found."""

import pytest
from sqlalchemy import text

from backend.storage.transaction import Database
from tests.db.ledger.faults import broken
from tests.worlds import rules
from tests.worlds.city import FRIDGE, UNCERTIFIED, open_city, read, resident
from tests.worlds.lending import grant, leases, lend, promised

LI = resident(1)
CHECKS = (
    "accounts DROP CONSTRAINT ck_accounts_floor",
    "leases DROP CONSTRAINT ck_leases_amounts",
    "lease_promises DROP CONSTRAINT ck_lease_promises_amounts, DROP CONSTRAINT ck_lease_promises_drawn",
)
DRAWN = "drawn > 0 AND line_no = 0"
FAULTS = {
    "an account that holds less": "UPDATE accounts SET balance = balance - 1 WHERE account LIKE 'reserved:%'",
    "a draw that the lease forgot": "UPDATE leases SET drawn = drawn - 1",
    "something that never went back": "UPDATE leases SET returned = returned + 1",
    "a lease that was granted more than it was given": "UPDATE leases SET amount = amount + 1",
    "a promise that was paid more": f"UPDATE lease_promises SET drawn = drawn + 1, amount = amount + 1 WHERE {DRAWN}",
    "a promise that was forgotten": "DELETE FROM lease_promises WHERE drawn = 0",
    "a promise that was counted twice": "UPDATE leases SET promises = promises + 1",
    "a draw for a line that earned nothing": "UPDATE lease_promises SET line_no = 3 WHERE drawn > 0 AND line_no = 1",
    "a draw of another decision": f"UPDATE lease_promises SET decision_no = 2 WHERE {DRAWN}",
    "a lease without its posting": "DELETE FROM transfers WHERE reason = 'reserve'",
    "a draw that was never posted": "UPDATE transfers SET reference = gen_random_uuid() WHERE reason = 'unreserve'",
    "a lease that is gone while its money waits": "DELETE FROM leases",
}


@pytest.fixture
def lent(engine_db: Database) -> Database:
    """One lease, out of which two lines were paid and one waits; a line beside them that earned nothing."""
    city = open_city(engine_db, rules.document(budget=1_000))
    lend(city, till := city.till())
    grant(city)
    (lease,) = leases(city)
    given = [promised((lease.lease, 10)), promised((lease.lease, 4)), promised((lease.lease, 10), code=UNCERTIFIED)]
    city.record(till.basket(*given, read("?"), read(FRIDGE), resident=LI))
    return engine_db


def test_sound_leases_verify(lent: Database) -> None:
    assert broken(lent) == set()


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
def test_the_verification_finds(lent: Database, owner: Database, fault: str) -> None:
    owner.write(lambda c: [c.execute(text(f"ALTER TABLE {check}")) for check in CHECKS])
    owner.write(lambda c: c.execute(text(fault)))

    assert "I6" in broken(lent)
