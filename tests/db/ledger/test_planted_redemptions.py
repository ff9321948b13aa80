"""Redemptions are held against the books: each fault is found by I10, or by the invariant of what it touches."""

import pytest
from sqlalchemy import text

from backend.storage.transaction import Database
from tests.db.ledger.faults import broken
from tests.db.ledger.walk import LI, PLAIN, SHORT, walled
from tests.worlds.city import FRIDGE, NANJING, City, read
from tests.worlds.redeeming import POINT, TEA, TREES, Counter, entry, open_counter

CHECKS = (
    "redemptions DROP CONSTRAINT ck_redemptions_given_back, DROP CONSTRAINT ck_redemptions_settled",
    "redemptions DROP CONSTRAINT ck_redemptions_voided",
    "catalogue_entries DROP CONSTRAINT ck_catalogue_entries_stock, DROP CONSTRAINT ck_catalogue_entries_taken",
    "redemption_counters DROP CONSTRAINT ck_redemption_counters_used",
    "vouchers DROP CONSTRAINT ck_vouchers_used, DROP CONSTRAINT ck_vouchers_ended",
)


@pytest.fixture
def counter(engine_db: Database) -> Counter:
    """One redemption held of a limited entry, a voucher issued, a donation, one cancelled, one voided."""
    city: City = walled(engine_db)
    city.record(city.till(1).basket(*[read(FRIDGE, qty=kind) for kind in (PLAIN, SHORT)], resident=LI))
    opened = open_counter(engine_db)
    limited = entry("film", points=2, stock=3, limit={"pieces": 2, "period": "month"})
    open_counter(engine_db, limited)
    opened.hold(LI, "held", entry="film", pieces=2)
    for number, name in enumerate((TEA, TREES)):
        opened.confirm(opened.hold(LI, number, entry=name), LI)
    opened.cancel(opened.hold(LI, "cancelled", pieces=2), LI)
    opened.redeem(LI, 1, "voided")
    opened.void(opened.named(LI, "voided"))
    opened.redeem(LI, 1, "spent")
    return opened


def test_sound_redemptions_verify(counter: Counter) -> None:
    assert broken(counter.database) == set()


FAULTS = {
    "a hold that its redemption does not ask": "UPDATE redemptions SET points = points + 2, pieces = 3 WHERE state = 'held'",
    "a hold that was dropped": "UPDATE redemptions SET state = 'cancelled', settled_at = now(), lapsed = 0, repaid = 0"
    " WHERE state = 'held'",
    "spent, and never posted": "UPDATE redemptions SET state = 'confirmed', settled_at = now() WHERE state = 'held'",
    "given back, and confirmed": "UPDATE redemptions SET state = 'confirmed', lapsed = NULL, repaid = NULL"
    " WHERE state = 'cancelled'",
    "undone in words alone": f"UPDATE redemptions SET state = 'voided', voided_at = now(), lapsed = 0, repaid = 0"
    f" WHERE entry = '{POINT}' AND state = 'confirmed'",
    "a lapse that was none": "UPDATE redemptions SET lapsed = 1 WHERE state = 'cancelled'",
    "another's redemption": "UPDATE redemptions SET resident = gen_random_uuid() WHERE state = 'confirmed'",
    "a redemption that is gone": "DELETE FROM redemptions WHERE state = 'voided'",
    "a price nobody published": "UPDATE catalogue_versions SET points = points + 1 WHERE entry = 'trees'",
    "another recipient": "UPDATE catalogue_versions SET recipient = 'somebody' WHERE entry = 'trees'",
    "a stock that forgot a piece": "UPDATE catalogue_entries SET taken = taken - 1 WHERE entry = 'film'",
    "a stock below nothing": "UPDATE catalogue_entries SET taken = 4 WHERE entry = 'film'",
    "a limit that forgot a piece": "UPDATE redemption_counters SET used = used - 1",
    "a limit that was passed": "UPDATE redemption_counters SET allowed = 1",
    "a voucher that is gone": "DELETE FROM vouchers",
    "a voucher of nothing": "INSERT INTO vouchers SELECT city, gen_random_uuid(), sha256('x'), state, issued_at, expires_at"
    " FROM vouchers",
    "a void voucher of what is confirmed": "UPDATE vouchers SET state = 'void', ended_at = now()",
    "an ended voucher whose points stayed": "UPDATE vouchers SET state = 'expired', ended_at = now()",
    "points held by nobody's redemption": "UPDATE accounts SET account = replace(account, 'held:', 'held:x')"
    " WHERE account LIKE 'held:%' AND balance > 0",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_found(counter: Counter, database_url: str, fault: str) -> None:
    owner = Database(database_url, role=None)
    owner.write(lambda c: [c.execute(text(f"ALTER TABLE {check}")) for check in CHECKS])
    owner.write(lambda c: c.execute(text(FAULTS[fault])))
    owner.close()

    assert "I10" in broken(counter.database)


def test_the_database_alone_refuses_more_than_there_is(counter: Counter, database_url: str) -> None:
    """The second wall: what the code's own condition would have refused before."""
    owner = Database(database_url, role=None)
    for statement, check in (
        ("UPDATE catalogue_entries SET taken = 4 WHERE entry = 'film'", "ck_catalogue_entries_stock"),
        ("UPDATE catalogue_entries SET taken = -1 WHERE entry = 'film'", "ck_catalogue_entries_taken"),
        ("UPDATE redemption_counters SET used = 3", "ck_redemption_counters_used"),
        ("UPDATE vouchers SET state = 'used'", "ck_vouchers"),
        (f"UPDATE accounts SET balance = -1 WHERE city = '{NANJING}' AND account LIKE 'held:%'", "ck_accounts_floor"),
    ):
        with pytest.raises(Exception, match=check):
            owner.write(lambda c, s=statement: c.execute(text(s)))  # type: ignore[misc]
    owner.close()
