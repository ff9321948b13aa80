"""A phone's scan id counts in one city: those of residents who scanned away from home are taken at home too.

From this release on `record_baskets` does so itself; here it is done for what was recorded before. No table changes.
"""

from alembic import op

revision = "0005_phone_scans"
down_revision = "0004_jobs"
branch_labels = None
depends_on = None

TAKE_AT_HOME = """
INSERT INTO baskets (city, basket, device, stream, seq, sha256, channel, sold_at, clock_quality, online, received_at,
                     recorded_at)
SELECT r.city, b.basket, b.device, b.stream, b.seq, b.sha256, 'elsewhere', b.sold_at, b.clock_quality, b.online,
       b.received_at, b.recorded_at
FROM baskets b JOIN residents r ON r.resident = b.resident
WHERE b.channel = 'phone' AND b.city <> r.city
ORDER BY b.recorded_at, b.city
ON CONFLICT DO NOTHING"""


def upgrade() -> None:
    op.execute(TAKE_AT_HOME)
