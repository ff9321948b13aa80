"""A lease whose till is there lasts longer, in place of lending beside it: else what waits for late baskets piles up."""

from alembic import op

revision = "0027_leases_extended"
down_revision = "0024_hand_ins"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("GRANT UPDATE (expires_at) ON leases TO greenpoints_engine")
