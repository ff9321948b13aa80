"""A verification that found nothing proves little: each invariant is shown a fault that it must find."""

from datetime import datetime, timedelta
from itertools import product

import pytest
from click.testing import CliRunner
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from backend.cli.ledger import ledger
from backend.kernel.periods import milliseconds
from backend.storage.transaction import Database
from backend.usecases.record_baskets import Arrival
from backend.usecases.scan_label import LabelScan, basket_of
from backend.usecases.settle_due import settle_due
from backend.usecases.verify_ledger import verify_ledger
from tests.db.ledger.faults import CAPS, LI, WANG, broken, plant
from tests.worlds import rules
from tests.worlds.city import (
    FRIDGE,
    NANJING,
    NOON,
    RICE,
    TELEVISION,
    UNCERTIFIED,
    WASHER,
    City,
    open_city,
    raw_read,
    read,
    resident,
    unit_label,
)


@pytest.fixture
def city(engine_db: Database) -> City:
    """Awards, one of them cut by a cap, a unit label, a refusal and a product that nobody knows."""
    opened = open_city(engine_db, rules.document(caps=CAPS))
    till = opened.till()
    opened.record(
        till.basket(read(FRIDGE), read(WASHER), read(FRIDGE), resident=LI, hex=True, code="of a newer till"),
        till.basket(read(unit_label("S1")), read(UNCERTIFIED), resident=WANG),
        till.basket(read("2021010901402658"), resident=WANG),
        till.basket(read(RICE), raw_read(b"\xff\x00", sn="S-1"), read("\u202e1"), resident=WANG, void_of=2),
        scanned_by_phone(read(TELEVISION)["code"]),
    )
    return opened


def scanned_by_phone(code: str) -> Arrival:
    scan = LabelScan(LI, NANJING, NANJING, resident(77), code.encode(), code, "EAN_13", None)
    return Arrival(basket_of(scan, milliseconds(NOON)))


def test_the_minutes_verification_reads_the_newest_lines_alone(city: City, owner: Database) -> None:
    later = city.till(2).basket(read(FRIDGE), resident=LI)
    city.record(later, now=NOON + timedelta(hours=1))
    plant(owner, [f"UPDATE decisions SET quantity = 2 WHERE basket <> '{later.basket.basket}' AND award > 0"])

    def says(*, lines_max: int | None, since: datetime | None = None) -> bool:
        (verified,) = verify_ledger(city.database, NANJING, replay_since=since, lines_max=lines_max)
        return verified.sound

    assert says(lines_max=1)
    assert says(lines_max=None, since=NOON + timedelta(minutes=30))
    assert not says(lines_max=None)
    assert not says(lines_max=1_000)


def test_a_sound_city_verifies(city: City, database_url: str) -> None:
    assert broken(city.database) == set()
    result = CliRunner(env={"DATABASE_URL": database_url}).invoke(ledger, ["verify"])
    assert result.exit_code == 0, result.output


FAULTS = {
    "a transfer that moves nothing": (
        "I4",
        (
            "UPDATE transfers SET amount = 0 WHERE (reference, line) = (SELECT reference, line FROM transfers"
            " WHERE reason = 'award' ORDER BY reference, line LIMIT 1)"
        ),
    ),
    "a transfer to an account that is not there": (
        "I4",
        (
            "UPDATE transfers SET destination = 'resident:nobody:points' WHERE (reference, line) ="
            " (SELECT reference, line FROM transfers WHERE reason = 'award' ORDER BY reference, line LIMIT 1)"
        ),
    ),
    "points out of nothing": (
        "I4",
        f"UPDATE accounts SET balance = balance + 1 WHERE account = 'resident:{LI}:points'",
    ),
    "a balance that its transfers do not give": (
        "I5",
        f"UPDATE accounts SET balance = balance + 5 WHERE account = 'resident:{LI}:points'",
    ),
    "points moved from one resident to another by hand": (
        "I5",
        (
            f"UPDATE accounts SET balance = balance + CASE account WHEN 'resident:{LI}:points' THEN -5 ELSE 5 END"
            f" WHERE account IN ('resident:{LI}:points', 'resident:{WANG}:points')"
        ),
    ),
    "a transfer taken away": (
        "I5",
        (
            "DELETE FROM transfers WHERE (reference, line) = (SELECT reference, line FROM transfers"
            " WHERE reason = 'award' ORDER BY reference, line LIMIT 1)"
        ),
    ),
    "a budget that was filled by hand": (
        "I6",
        "UPDATE accounts SET balance = balance + 1000 WHERE account LIKE 'budget:%'",
    ),
    "a grant that no document names": (
        "I6",
        "UPDATE transfers SET amount = amount + 1000 WHERE reason = 'grant'",
    ),
    "a counter that forgot": ("I7", "UPDATE cap_counters SET used = used - 1 WHERE used > 0"),
    "a counter that is gone": ("I7", "DELETE FROM cap_counters"),
    "a counter above what its cap allows": ("I7", "UPDATE cap_counters SET used = allowed + 1"),
    "a cap that was widened": ("I7", "UPDATE cap_counters SET allowed = allowed + 1"),
    "an award that the rules do not give": (
        "I8",
        "UPDATE decisions SET award = award + 1, gross = gross + 1 WHERE reason = 'awarded'",
    ),
    "a fact that was changed afterwards": (
        "I8",
        "UPDATE decisions SET outcome = 'none', reason = 'condition', award = 0 WHERE reason = 'awarded'",
    ),
    "an award without its transfer": ("I9", "DELETE FROM transfers WHERE reason = 'award'"),
    "a decision taken away": (
        "I9",
        "DELETE FROM decisions WHERE (basket, line_no) IN (SELECT basket, line_no FROM decisions WHERE award > 0 LIMIT 1)",
    ),
    "a basket taken away": ("I9", "DELETE FROM baskets WHERE basket = (SELECT basket FROM decisions LIMIT 1)"),
    "an award for a label that nobody claimed": ("I9", "DELETE FROM unit_claims"),
    "a label claimed by no award": (
        "I9",
        (
            "INSERT INTO unit_claims (key, city, basket, line_no, claimed_at)"
            f" SELECT 'sgtin:other', '{NANJING}', basket, 0, now() FROM baskets LIMIT 1"
        ),
    ),
    "a policy version that is gone": ("I9", "DELETE FROM policy_versions"),
    "an unknown product that nobody looks for": ("I9", "DELETE FROM pending_products"),
    "a transfer added by hand": (
        "I5",
        (
            "INSERT INTO transfers SELECT city, reference, step + 1000, line, reason, unit, source, destination, amount,"
            " recorded_at FROM transfers WHERE reason = 'award' LIMIT 1"
        ),
    ),
    "a transfer of another amount": ("I5", "UPDATE transfers SET amount = amount + 1 WHERE reason = 'award'"),
    "an account taken away": ("I4", f"DELETE FROM accounts WHERE account = 'resident:{LI}:points'"),
    "a reversal of nothing": (
        "I4",
        (
            "INSERT INTO transfers SELECT city, reference, -2, line, 'reversal', unit, destination, source, amount,"
            " recorded_at FROM transfers WHERE reason = 'award' LIMIT 1"
        ),
    ),
    "a budget that may go below nothing": ("I6", "UPDATE accounts SET floor = -1 WHERE account LIKE 'budget:%'"),
    "a document that grants less than was granted": (
        "I6",
        "UPDATE policy_versions SET text = replace(text, '\"amount\": 1000000000', '\"amount\": 1000')",
    ),
    "a counter of somebody else": ("I7", f"UPDATE cap_counters SET person = '{resident(3)}' WHERE person = '{LI}'"),
    "a counter of another day": ("I7", "UPDATE cap_counters SET period = '2026-11-21' WHERE period <> '-'"),
    "a weaker label": ("I8", "UPDATE decisions SET level = 'E' WHERE reason = 'awarded'"),
    "a weaker proof": ("I8", "UPDATE decisions SET proof = 'P2' WHERE reason = 'awarded'"),
    "a sale of another time": ("I8", "UPDATE baskets SET sold_at = sold_at - INTERVAL '2 years'"),
    "a rule that pays more than it did": (
        "I8",
        "UPDATE policy_versions SET text = replace(text, '\"amount\": 10}', '\"amount\": 11}')",
    ),
    "an award of somebody else's": ("I9", f"UPDATE decisions SET resident = '{WANG}' WHERE resident = '{LI}'"),
    "a basket that nobody decided": (
        "I9",
        "DELETE FROM decisions WHERE basket IN (SELECT basket FROM decisions GROUP BY basket HAVING sum(award) = 0)",
    ),
    "a first line taken away": (
        "I9",
        "DELETE FROM decisions WHERE line_no = 0 AND basket IN (SELECT basket FROM unit_claims)",
    ),
    "a policy version that nobody published": (
        "I9",
        f"UPDATE decisions SET policy_version = '{resident(9)}' WHERE policy_version IS NOT NULL",
    ),
    "a certificate that is gone": ("I9", f"UPDATE decisions SET certificate_row = '{resident(9)}' WHERE award > 0"),
    "a claim of another city": ("I9", "UPDATE unit_claims SET city = '320500'"),
    "a policy version that nobody granted": ("I9", "DELETE FROM transfers WHERE reason = 'grant'"),
    "a published text that is not the one of its hash": (
        "I9",
        "UPDATE policy_versions SET text = replace(text, '绿色消费积分', '别的')",
    ),
    "signed bytes that are not those of their hash": ("I9", "UPDATE baskets SET line = 'x'"),
    "a counter of no cap": (
        "I7",
        "INSERT INTO cap_counters SELECT city, person, period, 'other', 0, allowed, version FROM cap_counters LIMIT 1",
    ),
    "a last line taken away that earned nothing": (
        "I9",
        "DELETE FROM decisions WHERE line_no = 1 AND award = 0 AND basket IN (SELECT basket FROM unit_claims)",
    ),
    "every line of a basket that voids a sale taken away": (
        "I9",
        "DELETE FROM decisions WHERE reason = 'basket_voids'",
    ),
    "a basket of more reads than it was decided on": ("I9", "UPDATE baskets SET reads = reads + 1"),
    "a last line taken away of a basket whose reads nobody counted": (
        "I8",
        (
            "UPDATE baskets SET reads = NULL;"
            " DELETE FROM decisions WHERE line_no = 1 AND award = 0 AND basket IN (SELECT basket FROM unit_claims)"
        ),
    ),
    "a quantity that was not signed": ("I8", "UPDATE decisions SET quantity = 2 WHERE reason = 'awarded'"),
    "a price that was not signed": ("I8", "UPDATE decisions SET price_fen = price_fen + 1 WHERE reason = 'awarded'"),
    "no price": ("I8", "UPDATE decisions SET price_fen = NULL WHERE outcome = 'pending_product'"),
    "a code that was not signed": ("I8", f"UPDATE decisions SET code_text = '{WASHER}' WHERE code_text = '{FRIDGE}'"),
    "bytes that were not signed": ("I8", "UPDATE decisions SET code = 'x' WHERE line_no = 0"),
    "a serial that was not signed": ("I8", "UPDATE decisions SET serial = 'S9' WHERE award > 0"),
    "a symbology that was not signed": ("I8", "UPDATE decisions SET symbology = 'EAN8' WHERE award > 0"),
    "a phone's code that was not sent": (
        "I8",
        "UPDATE decisions d SET code_text = 'x' FROM baskets b WHERE b.basket = d.basket AND b.channel = 'phone'",
    ),
}


TIMED_FAULTS = {
    "points that wait for no time": ("I6", "UPDATE accounts SET due_at = NULL WHERE account LIKE 'pending:%'"),
    "a debt that a resident holds": (
        "I6",
        "INSERT INTO accounts SELECT city, 'debt:x:points', unit, NULL, 5, 1, opened_at FROM accounts LIMIT 1",
    ),
    "an award that is available too early": (
        "I9",
        (
            "UPDATE transfers SET destination = replace(destination, '2026113000', '2026112900') WHERE reason = 'award';"
            " UPDATE accounts SET account = replace(account, '2026113000', '2026112900')"
        ),
    ),
    "an award that never ends": (
        "I9",
        (
            "UPDATE transfers SET destination = replace(destination, 'e20271130', '-') WHERE reason = 'award';"
            " UPDATE accounts SET account = replace(account, 'e20271130', '-') WHERE account LIKE 'pending:%'"
        ),
    ),
    "a release into somebody else's lot": (
        "I4",
        (
            f"UPDATE transfers SET destination = replace(destination, '{LI}', '{WANG}') WHERE reason = 'release';"
            f" UPDATE accounts SET account = replace(account, '{LI}', '{WANG}') WHERE account ~ '^resident.*e2027'"
        ),
    ),
    "a release that is called a redemption": (
        "I4",
        "UPDATE transfers SET reason = 'redemption' WHERE reason = 'release'",
    ),
    "a lapse that was reinstated and never was": (
        "I6",
        (
            "INSERT INTO transfers SELECT city, gen_random_uuid(), 1, 0, 'reinstate', unit, 'budget:a-year:points',"
            f" 'collect:{LI}:a-year:2026113000:-\\:points', amount, recorded_at FROM transfers WHERE reason = 'award' LIMIT 1"
        ),
    ),
    "an award that is called a lapse": ("I6", "UPDATE transfers SET reason = 'lapse' WHERE reason = 'award'"),
}


@pytest.mark.parametrize(("invariant", "fault"), TIMED_FAULTS.values(), ids=TIMED_FAULTS.keys())
def test_the_verification_finds_of_points_in_time(city: City, owner: Database, invariant: str, fault: str) -> None:
    terms = {"pending": {"days": 7}, "expiry": {"months": 12}}
    city.publish(rules.document(policy="a-year") | terms)  # the first that pays
    till = city.till(3)
    city.record(till.basket(read(FRIDGE), resident=LI, sold_at=NOON - timedelta(days=8)), now=NOON)
    settle_due(city.database, NANJING, NOON, lambda: False)
    city.record(till.basket(read(FRIDGE), resident=LI))
    assert broken(city.database) == set()

    plant(owner, [fault])

    assert invariant in broken(city.database)


@pytest.mark.parametrize(("invariant", "fault"), FAULTS.values(), ids=FAULTS.keys())
def test_the_verification_finds(city: City, owner: Database, database_url: str, invariant: str, fault: str) -> None:
    plant(owner, [fault])

    assert invariant in broken(city.database)
    result = CliRunner(env={"DATABASE_URL": database_url}).invoke(ledger, ["verify"])
    assert result.exit_code == 1
    assert invariant in result.output


NEVER_CHANGED = (
    "transfers",
    "decisions",
    "baskets",
    "quarantine",
    "unit_claims",
    "policy_versions",
    "quoted_decisions",
    "returns",
)
CHANGES = ("DELETE FROM {}", "UPDATE {} SET city = city", "TRUNCATE {}")
FREED = ("unit_claims", "DELETE FROM {}")
"""A quote that is voided gives its labels back."""


@pytest.mark.parametrize(("table", "change"), [pair for pair in product(NEVER_CHANGED, CHANGES) if pair != FREED])
def test_the_engine_may_add_and_read_and_no_more(city: City, table: str, change: str) -> None:
    with pytest.raises(ProgrammingError, match="permission denied"):
        city.database.write(lambda c: c.execute(text(change.format(table))))
