"""Totals of scans by day and month, and the outlooks of budgets: what pages read in place of the scans.

All of it is made from what is there, so that nothing is filled in here: the hourly job does. The previous release uses none.
"""

import sqlalchemy as sa
from alembic import op

revision = "0050_statistics"
down_revision = "0048_sanctions"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "scan_totals",
        sa.Column("city", sa.Text(), nullable=False),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("begins", sa.Date(), nullable=False),
        sa.Column("facet", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        *(
            sa.Column(name, sa.BigInteger(), nullable=False)
            for name in ("scans", "awarded", "points", "fen", "persons")
        ),
        sa.CheckConstraint("period IN ('day', 'month')", name=op.f("ck_scan_totals_period")),
        sa.CheckConstraint(
            "facet IN ('city', 'hour', 'scheme', 'district', 'store')", name=op.f("ck_scan_totals_facet")
        ),
        sa.CheckConstraint("period = 'day' OR extract(day FROM begins) = 1", name=op.f("ck_scan_totals_month")),
        sa.CheckConstraint("awarded >= 0 AND awarded <= scans AND scans > 0", name=op.f("ck_scan_totals_scans")),
        sa.CheckConstraint("points >= 0 AND fen >= 0 AND persons >= 0", name=op.f("ck_scan_totals_amounts")),
        sa.PrimaryKeyConstraint("city", "period", "begins", "facet", "key", name=op.f("pk_scan_totals")),
    )
    op.create_index("ix_scan_totals_facet", "scan_totals", ["city", "period", "facet", "begins"])
    op.create_table(
        "counted_until",
        sa.Column("city", sa.Text(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("city", name=op.f("pk_counted_until")),
    )
    op.create_table(
        "budget_outlooks",
        sa.Column("city", sa.Text(), nullable=False),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("title_zh", sa.Text(), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("granted", "left", "daily")),
        sa.Column("p50", sa.Date()),
        sa.Column("p90", sa.Date()),
        sa.Column("until", sa.Date(), nullable=False),
        sa.Column("reckoned_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("city", "policy", "unit", "day", name=op.f("pk_budget_outlooks")),
    )
    op.create_index("ix_budget_outlooks_day", "budget_outlooks", ["city", "day"])
    op.execute("GRANT SELECT, INSERT, DELETE ON scan_totals TO greenpoints_engine")
    op.execute("GRANT SELECT, INSERT, UPDATE (until) ON counted_until TO greenpoints_engine")
    op.execute("GRANT SELECT, INSERT ON budget_outlooks TO greenpoints_engine")
    op.execute(
        "GRANT SELECT ON scan_totals, counted_until, budget_outlooks TO greenpoints_console, greenpoints_auditor"
    )
