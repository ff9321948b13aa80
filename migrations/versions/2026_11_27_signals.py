"""What watches compare a sale with: usual prices, places of shops, and both as facts of each decision.

Empty columns and a new table: the previous release writes neither, and decides under no policy that watches. No CHECK on
the columns of decisions: it would read the largest table under a lock, for what only a median's own CHECK can bring there.
"""

import sqlalchemy as sa
from alembic import op

revision = "0020_signals"
down_revision = "0021_sign_in"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("decisions", "quoted_decisions"):
        op.add_column(table, sa.Column("median_fen", sa.BigInteger()))
        op.add_column(table, sa.Column("travel_kmh", sa.Integer()))
    _places()
    op.create_table(
        "price_medians",
        sa.Column("city", sa.Text(), nullable=False),
        sa.Column("label_key", sa.Text(), nullable=False),
        sa.Column("week", sa.Date(), nullable=False),
        sa.Column("median_fen", sa.BigInteger(), nullable=False),
        sa.Column("sales", sa.BigInteger(), nullable=False),
        sa.Column("learned_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("median_fen > 0 AND sales > 0", name=op.f("ck_price_medians_amounts")),
        sa.CheckConstraint("extract(isodow FROM week) = 1", name=op.f("ck_price_medians_monday")),
        sa.PrimaryKeyConstraint("city", "label_key", "week", name=op.f("pk_price_medians")),
    )
    op.create_index("ix_price_medians_week", "price_medians", ["city", "week"])
    op.execute("GRANT SELECT, INSERT ON price_medians TO greenpoints_engine")
    op.execute("GRANT SELECT ON price_medians TO greenpoints_console, greenpoints_auditor")


def _places() -> None:
    op.add_column("stores", sa.Column("latitude_e6", sa.Integer()))
    op.add_column("stores", sa.Column("longitude_e6", sa.Integer()))
    op.create_check_constraint(op.f("ck_stores_place"), "stores", "(latitude_e6 IS NULL) = (longitude_e6 IS NULL)")
    op.create_check_constraint(
        op.f("ck_stores_on_earth"),
        "stores",
        "latitude_e6 BETWEEN -90000000 AND 90000000 AND longitude_e6 BETWEEN -180000000 AND 180000000",
    )
    op.execute("GRANT UPDATE (latitude_e6, longitude_e6) ON stores TO greenpoints_engine")
