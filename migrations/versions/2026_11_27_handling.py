"""Fees of shops: a unit of its own in the ledger.

The previous release writes none, and reads none: it decides under no policy that pays one.
"""

from alembic import op

revision = "0025_handling"
down_revision = "0027_leases"
branch_labels = None
depends_on = None

UNITS = "'points', 'fen', 'gco2e', 'evidence', 'fee'"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for table in ("accounts", "transfers"):
        op.execute(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS ck_{table}_unit")
        op.execute(f"ALTER TABLE {table} ADD CONSTRAINT ck_{table}_unit CHECK (unit IN ({UNITS})) NOT VALID")
    # Both may be long: they are read through without the lock that adding the constraint holds until its commit.
    with op.get_context().autocommit_block():
        for table in ("accounts", "transfers"):
            op.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT ck_{table}_unit")
