"""What lapsed is reinstated for a moment when its goods come back: a reason of its own, so that nothing else is taken back."""

from alembic import op

revision = "0015_reinstated"
down_revision = "0013_quotes"
branch_labels = None
depends_on = None

REASONS = (
    "'grant', 'award', 'reversal', 'release', 'collect', 'lapse', 'expiry', 'repay', 'redemption', 'return', 'reclaim',"
    " 'reserve', 'unreserve', 'reinstate'"
)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("ALTER TABLE transfers DROP CONSTRAINT IF EXISTS ck_transfers_reason")
    op.execute(f"ALTER TABLE transfers ADD CONSTRAINT ck_transfers_reason CHECK (reason IN ({REASONS})) NOT VALID")
    # The ledger may be long: it is read through without the lock that adding the constraint holds until its commit.
    with op.get_context().autocommit_block():
        op.execute("ALTER TABLE transfers VALIDATE CONSTRAINT ck_transfers_reason")
