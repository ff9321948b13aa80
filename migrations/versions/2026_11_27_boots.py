"""Boots of tills, by which a copied till is found: one that comes back after another.

Adds a table alone; the previous release knows nothing of it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0022_boots"
down_revision = "0018_updates"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "device_boots",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("city", "device", "stream", "boot")),
        sa.Column("session", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("session >= 0", name=op.f("ck_device_boots_session")),
        sa.PrimaryKeyConstraint("city", "device", "stream", "boot", name=op.f("pk_device_boots")),
    )
    op.execute("GRANT SELECT, INSERT, UPDATE (session) ON device_boots TO greenpoints_engine")
    op.execute("GRANT SELECT ON device_boots TO greenpoints_console, greenpoints_auditor")
