"""Rollouts of a city, and what became of each till they were offered to.

Adds tables alone; the previous release knows nothing of them.
"""

import sqlalchemy as sa
from alembic import op

revision = "0018_updates"
down_revision = "0020_signals"
branch_labels = None
depends_on = None

DEVICE_STATES = (
    "'offered', 'downloading', 'verified', 'staged', 'trial', 'committed', 'rolled_back', 'failed', 'timed_out'"
)


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=nullable)


def _instant(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "rollouts",
        _text("city"),
        sa.Column("rollout", sa.Uuid(as_uuid=False), nullable=False),
        *(_text(name) for name in ("target", "version", "hardware", "min_version", "state")),
        sa.Column("stage", sa.SmallInteger(), nullable=False),
        _instant("stage_at"),
        sa.Column("soak_s", sa.Integer(), nullable=False),
        sa.Column("patience_s", sa.Integer(), nullable=False),
        _text("created_by"),
        _instant("created_at"),
        _text("reason", nullable=True),
        sa.CheckConstraint(
            "state IN ('created', 'rolling', 'paused', 'done', 'aborted')", name=op.f("ck_rollouts_state")
        ),
        sa.CheckConstraint("stage BETWEEN 0 AND 3", name=op.f("ck_rollouts_stage")),
        sa.CheckConstraint("soak_s >= 0 AND patience_s > 0", name=op.f("ck_rollouts_periods")),
        sa.PrimaryKeyConstraint("city", "rollout", name=op.f("pk_rollouts")),
    )
    under_way = sa.text("state IN ('created', 'rolling', 'paused')")
    op.create_index("uq_rollouts_under_way", "rollouts", ["city"], unique=True, postgresql_where=under_way)
    op.create_table(
        "rollout_devices",
        _text("city"),
        sa.Column("rollout", sa.Uuid(as_uuid=False), nullable=False),
        _text("device"),
        _text("state"),
        _text("reason", nullable=True),
        sa.Column("stage", sa.SmallInteger(), nullable=False),
        *(_instant(name) for name in ("offered_at", "asked_at", "changed_at")),
        sa.CheckConstraint(f"state IN ({DEVICE_STATES})", name=op.f("ck_rollout_devices_state")),
        sa.PrimaryKeyConstraint("city", "rollout", "device", name=op.f("pk_rollout_devices")),
    )
    op.execute("GRANT SELECT, INSERT, UPDATE (state, stage, stage_at, reason) ON rollouts TO greenpoints_engine")
    op.execute(
        "GRANT SELECT, INSERT, UPDATE (state, reason, asked_at, changed_at) ON rollout_devices TO greenpoints_engine"
    )
    op.execute("GRANT SELECT ON rollouts, rollout_devices TO greenpoints_console, greenpoints_auditor")
