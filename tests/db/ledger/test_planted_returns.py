"""What comes back: faults planted in returns are found."""

import pytest

from backend.storage.transaction import Database
from tests.db.ledger.faults import CAPS, LI, WANG, broken, plant
from tests.worlds import rules
from tests.worlds.city import (
    FRIDGE,
    UNCERTIFIED,
    WASHER,
    City,
    open_city,
    read,
    register,
)
from tests.worlds.later import resolve
from tests.worlds.returning import bring_back

RETURN_FAULTS = {
    "more came back into a budget than it had paid": (
        "I6",
        (
            "INSERT INTO transfers SELECT city, reference, step, line + 1, reason, unit, 'debt:x:points', destination, 1000,"
            " recorded_at FROM transfers WHERE reason = 'return' LIMIT 1;"
            " UPDATE accounts SET balance = balance + 1000 WHERE account LIKE 'budget:%'"
        ),
    ),
    "a counter that a return gave nothing back": ("I7", "UPDATE cap_counters SET used = used + 5 WHERE used > 0"),
    "a return that is gone": ("I7", "DELETE FROM returns"),
    "a return at another time": ("I7", "UPDATE returns SET returned_at = returned_at + INTERVAL '30 days'"),
    "pieces that came back and were not counted": (
        "I9",
        "UPDATE returns SET quantity = 2 WHERE bought = 3 AND returned_before = 1",
    ),
    "what was taken back is gone": ("I9", "DELETE FROM transfers WHERE reason = 'return'"),
    "less was taken back": ("I9", "UPDATE transfers SET amount = amount - 1 WHERE reason = 'return'"),
    "taken back from somebody else": (
        "I9",
        f"UPDATE transfers SET source = 'resident:{WANG}:points' WHERE reason = 'return'",
    ),
    "taken back into an account that had not paid": (
        "I9",
        "UPDATE transfers SET destination = 'budget:other:points' WHERE reason = 'return'",
    ),
    "a return of nothing that was sold": ("I9", "UPDATE returns SET line_no = line_no + 9"),
    "a return of more than was bought": ("I9", "UPDATE returns SET bought = 4 WHERE bought = 3"),
    "a return in between that is gone": ("I9", "DELETE FROM returns WHERE returned_before = 0 AND bought = 3"),
    "decided as returned, and some was kept": (
        "I9",
        "UPDATE decisions SET reason = 'returned' WHERE reason = 'no_member'",
    ),
    "came back, all of it, and waits": ("I9", "DELETE FROM decisions WHERE reason = 'returned'"),
    "a sale that was voided, and is not": ("I9", "DELETE FROM open_voids"),
    "kept more than was left": (
        "I8",
        "UPDATE decisions SET quantity = 3 WHERE decision_no = 2 AND reason <> 'returned'",
    ),
}


@pytest.fixture
def returned(engine_db: Database) -> City:
    """Two of three pieces came back one by one, a line before it was decided, and some of one that is decided since."""
    opened = open_city(engine_db, rules.document(caps=CAPS) | {"returns": {"days": 7}})
    till = opened.till()
    sale = till.basket(read(FRIDGE, qty=3), read(UNCERTIFIED, qty=3), resident=LI)
    nobodys = till.basket(read(FRIDGE), read(FRIDGE))
    opened.record(sale, nobodys, till.basket(read(WASHER), resident=WANG))
    for number in ("R1", "R2"):
        bring_back(engine_db, (sale.basket.basket, 0, 1), number=number)
    bring_back(engine_db, (nobodys.basket.basket, 0, 1), (sale.basket.basket, 1, 1), number="R3")
    opened.record(till.basket(void_of=nobodys.basket.seq))
    register(engine_db, {"code": UNCERTIFIED, "grade": "1"})
    resolve(opened)
    return opened


def test_a_sound_city_with_returns_verifies(returned: City) -> None:
    assert broken(returned.database) == set()


@pytest.mark.parametrize(("invariant", "fault"), RETURN_FAULTS.values(), ids=RETURN_FAULTS.keys())
def test_the_verification_of_returns_finds(returned: City, owner: Database, invariant: str, fault: str) -> None:
    plant(owner, [fault])

    assert invariant in broken(returned.database)
