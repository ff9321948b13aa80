"""Faults that only the owner of the tables can plant, and what the verification then says."""

from collections.abc import Sequence

from sqlalchemy import text

from backend.storage.transaction import Database
from backend.usecases.verify_ledger import verify_ledger
from tests.worlds import rules
from tests.worlds.city import (
    NANJING,
    resident,
)

LI, WANG = resident(1), resident(2)
CAPS = [rules.cap("day", "day", 25), rules.cap("life", "lifetime", 10**6)]
CHECKS = (
    "decisions DROP CONSTRAINT ck_decisions_award, DROP CONSTRAINT ck_decisions_outcome_award",
    "cap_counters DROP CONSTRAINT ck_cap_counters_within",
    "accounts DROP CONSTRAINT ck_accounts_floor",
    "transfers DROP CONSTRAINT ck_transfers_amount, DROP CONSTRAINT ck_transfers_moves",
)


def broken(database: Database) -> set[str]:
    (verified,) = verify_ledger(database, NANJING)
    return {one.invariant for one in verified.findings if one.broken}


def plant(owner: Database, statements: Sequence[str]) -> None:
    """What the owner alone can do, and only after taking down the CHECKs that stand in the way."""
    owner.write(lambda c: [c.execute(text(f"ALTER TABLE {check}")) for check in CHECKS])
    owner.write(lambda c: [c.execute(text(statement)) for statement in statements])
