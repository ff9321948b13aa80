"""What the pages of shops read: baskets and certified lines by day; returns, refused messages and tills found by shop.

Totals that an earlier release counted have neither, and are counted anew by the job.
"""

from alembic import op

revision = "0057_shop_pages"
down_revision = "0059_shop_refusals"
branch_labels = None
depends_on = None

PARTS = """
ALTER TABLE scan_totals ADD CONSTRAINT ck_scan_totals_parts
  CHECK (baskets > 0 AND baskets <= scans AND certified >= 0 AND certified <= scans)"""
STATEMENTS = (
    "ALTER TABLE scan_totals ADD COLUMN baskets BIGINT, ADD COLUMN certified BIGINT",
    PARTS,
    "CREATE INDEX ix_returns_store ON returns (city, store, recorded_at, return_id, place)",
    "CREATE INDEX ix_quarantine_device ON quarantine (city, device, entry) WHERE device IS NOT NULL",
    "CREATE INDEX ix_device_directory_store ON device_directory (city, store)",
)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for statement in STATEMENTS:
        op.execute(statement)
