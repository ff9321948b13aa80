"""Baskets know the number of the shop's own sales slip, where the shop's till says it."""

from alembic import op

revision = "0049_slip_numbers"
down_revision = "0038_passport"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("ALTER TABLE baskets ADD COLUMN slip_no TEXT")
    op.execute("CREATE INDEX ix_baskets_slip ON baskets (city, store, slip_no) WHERE slip_no IS NOT NULL")
    op.execute("GRANT UPDATE (slip_no) ON baskets TO greenpoints_engine")
