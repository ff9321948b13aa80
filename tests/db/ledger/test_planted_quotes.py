"""What a quote holds is held against the books: each fault of a promise is found by its invariant."""

import pytest
from sqlalchemy import text

from backend.storage.transaction import Database
from tests.db.ledger.faults import broken
from tests.worlds import rules
from tests.worlds.city import FRIDGE, RICE, UNCERTIFIED, WASHER, open_city, read, resident, unit_label
from tests.worlds.quotes import Desk, open_desk

LI, WANG = resident(1), resident(2)
CAPS = [rules.cap("day", "day", 25), rules.cap("life", "lifetime", 10**6)]
CHECKS = (
    "quotes DROP CONSTRAINT ck_quotes_settled, DROP CONSTRAINT ck_quotes_captured",
    "quoted_decisions DROP CONSTRAINT ck_quoted_decisions_award, DROP CONSTRAINT ck_quoted_decisions_outcome_award",
    "cap_counters DROP CONSTRAINT ck_cap_counters_within",
)


@pytest.fixture
def desk(engine_db: Database) -> Desk:
    """One quote held, with a label of one piece and an award that a cap cut; one captured, one voided."""
    opened = open_desk(open_city(engine_db, rules.document(caps=CAPS, budget=1_000)))
    opened.hold(read(unit_label("S1")), read(FRIDGE), read(RICE), read(UNCERTIFIED), person=LI)
    opened.capture(opened.hold(read(FRIDGE), read(WASHER), person=WANG), (1, 1, 10_000))
    opened.void(opened.hold(read(FRIDGE), person=WANG))
    return opened


def test_sound_quotes_verify(desk: Desk) -> None:
    assert broken(desk.database) == set()


HELD = "basket IN (SELECT basket FROM quotes WHERE state = 'held')"
FAULTS = {
    "a reservation that is less than promised": (
        "I6",
        "UPDATE accounts SET balance = balance - 1 WHERE account LIKE 'reserved:%' AND balance > 0",
    ),
    "a reservation that nobody promised": (
        "I6",
        "UPDATE accounts SET balance = balance + 1 WHERE account LIKE 'reserved:%' AND balance = 0",
    ),
    "a quote that was dropped while its money waits": (
        "I6",
        "UPDATE quotes SET state = 'voided', settled_at = now() WHERE state = 'held'",
    ),
    "a quote that is over and held again": (
        "I6",
        "UPDATE quotes SET state = 'held', settled_at = NULL WHERE state = 'voided'",
    ),
    "a promise that was raised": (
        "I6",
        f"UPDATE quoted_decisions SET award = award + 1, gross = gross + 1 WHERE award > 0 AND {HELD}",
    ),
    "a counter that forgot what a quote holds": ("I7", f"UPDATE cap_counters SET used = 0 WHERE person = '{LI}'"),
    "pieces of another person": ("I7", f"UPDATE quoted_decisions SET resident = '{WANG}' WHERE {HELD}"),
    "a quote of another day": ("I7", "UPDATE quotes SET sold_at = sold_at - INTERVAL '2 days' WHERE state = 'held'"),
    "a promise that the rules do not give": (
        "I8",
        f"UPDATE quoted_decisions SET gross = gross + 1 WHERE reason = 'awarded' AND {HELD}",
    ),
    "a quoted fact that was changed": ("I8", f"UPDATE quoted_decisions SET level = 'E' WHERE award > 0 AND {HELD}"),
    "a quoted price that was not asked": ("I8", f"UPDATE quoted_decisions SET price_fen = price_fen + 1 WHERE {HELD}"),
    "a quoted code that was not asked": ("I8", f"UPDATE quoted_decisions SET code_text = '{WASHER}' WHERE {HELD}"),
    "a promise for a label that nobody claimed": ("I9", "DELETE FROM unit_claims"),
    "a captured quote without its basket": (
        "I9",
        "DELETE FROM baskets WHERE basket IN (SELECT basket FROM quotes WHERE state = 'captured')",
    ),
    "a basket of a quote that is held": (
        "I9",
        "UPDATE quotes SET state = 'held', settled_at = NULL, capture_sha256 = NULL WHERE state = 'captured'",
    ),
    "a quote without its lines": ("I9", f"DELETE FROM quoted_decisions WHERE {HELD}"),
    "quoted lines without their quote": ("I9", "DELETE FROM quotes WHERE state = 'held'"),
    "an award out of another quote's account": (
        "I9",
        (
            "UPDATE transfers SET source = (SELECT account FROM accounts WHERE account LIKE 'reserved:%' AND balance > 0)"
            " WHERE reason = 'award'"
        ),
    ),
}


@pytest.mark.parametrize(("invariant", "fault"), FAULTS.values(), ids=FAULTS.keys())
def test_the_verification_finds(desk: Desk, owner: Database, invariant: str, fault: str) -> None:
    owner.write(lambda c: [c.execute(text(f"ALTER TABLE {check}")) for check in CHECKS])
    owner.write(lambda c: c.execute(text(fault)))

    assert invariant in broken(desk.database)
