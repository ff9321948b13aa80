"""A fleet of two kinds of hardware, thieves' keys, who placed a shop, and budgets that are told as spent for a while.

States and kinds are only added, so that what the previous release writes stays good; it knows nothing of the rest.
"""

import sqlalchemy as sa
from alembic import op

revision = "0028_fleet"
down_revision = "0036_consents"
branch_labels = None
depends_on = None

DEVICE_STATES = (
    "'offered', 'downloading', 'verified', 'staged', 'trial', 'committed', 'rolled_back', 'failed', 'timed_out',"
    " 'not_concerned'"
)
ALARMS = "'claim_reused', 'stream_conflict', 'stream_in_two_places', 'early_rotation', 'retired_key'"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    _widen("rollout_devices", "state", DEVICE_STATES)
    _widen("device_alarms", "kind", ALARMS)
    # Boots are no record: they serve to find a copied till while it lives.
    op.execute("GRANT DELETE ON device_boots TO greenpoints_engine")
    op.create_table(
        "store_places",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("city", "store")),
        sa.Column("placed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("latitude_e6", sa.Integer(), nullable=False),
        sa.Column("longitude_e6", sa.Integer(), nullable=False),
        sa.Column("placed_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("city", "store", "placed_at", name=op.f("pk_store_places")),
    )
    op.execute("GRANT SELECT, INSERT ON store_places TO greenpoints_engine")
    op.execute("GRANT SELECT ON store_places TO greenpoints_console, greenpoints_auditor")
    op.add_column("snapshots", sa.Column("spent_out", sa.Text(), nullable=False, server_default=""))
    op.execute("GRANT UPDATE (spent_out) ON snapshots TO greenpoints_engine")


def _widen(table: str, column: str, values: str) -> None:
    name = op.f(f"ck_{table}_{column}")
    op.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    op.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({column} IN ({values}))")
