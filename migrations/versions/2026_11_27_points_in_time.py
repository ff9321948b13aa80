"""Points in time: when an account's value becomes available, lapses or ends, and the reasons for which it then moves.

Nothing waits yet when this runs, so that the index begins empty; a reason that was allowed stays allowed.
"""

from alembic import op

revision = "0011_points_in_time"
down_revision = "0010_policy_lifecycle"
branch_labels = None
depends_on = None

REASONS = (
    "'grant', 'award', 'reversal', 'release', 'collect', 'lapse', 'expiry', 'repay', 'redemption', 'return', 'reclaim'"
)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("ALTER TABLE accounts ADD COLUMN IF NOT EXISTS due_at timestamptz")
    op.execute("CREATE INDEX IF NOT EXISTS ix_accounts_due ON accounts (city, due_at) WHERE due_at IS NOT NULL")
    op.execute("GRANT UPDATE (due_at) ON accounts TO greenpoints_engine")
    op.execute("ALTER TABLE transfers DROP CONSTRAINT IF EXISTS ck_transfers_reason")
    op.execute(f"ALTER TABLE transfers ADD CONSTRAINT ck_transfers_reason CHECK (reason IN ({REASONS})) NOT VALID")
    # The ledger may be long: it is read through without the lock that adding the constraint holds until its commit.
    with op.get_context().autocommit_block():
        op.execute("ALTER TABLE transfers VALIDATE CONSTRAINT ck_transfers_reason")
