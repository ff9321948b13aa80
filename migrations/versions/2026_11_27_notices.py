"""Notices before points end: grants as WeChat gives them, and each notice once. The previous release sends none."""

import sqlalchemy as sa
from alembic import op

revision = "0032_notices"
down_revision = "0030_people"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "notice_grants",
        sa.Column("city", sa.Text(), nullable=False),
        sa.Column("resident", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("home", sa.Text(), nullable=False),
        sa.Column("open_id", sa.LargeBinary(), nullable=False),
        sa.Column("grants", sa.SmallInteger(), nullable=False),
        sa.Column("granted_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("grants BETWEEN 0 AND 50", name=op.f("ck_notice_grants_grants")),
        sa.PrimaryKeyConstraint("city", "resident", name=op.f("pk_notice_grants")),
    )
    op.create_table(
        "notices",
        sa.Column("city", sa.Text(), nullable=False),
        sa.Column("resident", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("days_before", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint("state IN ('claimed', 'sent', 'refused', 'unsure')", name=op.f("ck_notices_state")),
        sa.CheckConstraint("(state = 'claimed') = (settled_at IS NULL)", name=op.f("ck_notices_settled")),
        sa.CheckConstraint("days_before IN (7, 30)", name=op.f("ck_notices_days_before")),
        sa.PrimaryKeyConstraint("city", "resident", "last_day", "days_before", name=op.f("pk_notices")),
    )
    op.execute(
        "GRANT SELECT, INSERT, UPDATE (home, open_id, grants, granted_at), DELETE ON notice_grants TO greenpoints_engine"
    )
    op.execute("GRANT SELECT, INSERT, UPDATE (state, settled_at), DELETE ON notices TO greenpoints_engine")
    op.execute("GRANT SELECT ON notices TO greenpoints_console, greenpoints_auditor")
