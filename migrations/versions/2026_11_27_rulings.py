"""What people decide about held scans. A new table alone: the previous release neither reads nor writes it."""

import sqlalchemy as sa
from alembic import op

revision = "0014_rulings"
down_revision = "0012_returns"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "hold_rulings",
        sa.Column("city", sa.Text(), nullable=False),
        sa.Column("basket", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("line_no", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("decision_no", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("ruling", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("ruled_by", sa.Text(), nullable=False),
        sa.Column("ruled_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("reason <> '' AND ruled_by <> ''", name=op.f("ck_hold_rulings_told")),
        sa.CheckConstraint("ruling IN ('release', 'refuse')", name=op.f("ck_hold_rulings_ruling")),
        sa.PrimaryKeyConstraint("city", "basket", "line_no", "decision_no", name=op.f("pk_hold_rulings")),
    )
    op.execute("GRANT SELECT, INSERT ON hold_rulings TO greenpoints_engine")
    op.execute("GRANT SELECT ON hold_rulings TO greenpoints_console, greenpoints_auditor")
    # The queue of what waits for a person is read by city; few rows are ever held.
    op.create_index("ix_decisions_held", "decisions", ["city", "basket"], postgresql_where="outcome = 'held'")
