"""Returns: pieces that came back, what was taken back for them, and baskets that void a former one.

Adds tables alone; the previous release goes on beside them. Baskets that an older release recorded as
voids are queued here, so that none is forgotten.
"""

import sqlalchemy as sa
from alembic import op

revision = "0012_returns"
down_revision = "0011_points_in_time"
branch_labels = None
depends_on = None

VOIDS = """
INSERT INTO open_voids (city, basket, voided, opened_at)
SELECT v.city, v.basket, t.basket, v.recorded_at FROM baskets v
JOIN baskets t ON t.city = v.city AND t.device = v.device AND t.stream = v.stream AND t.seq = v.void_of
WHERE v.void_of IS NOT NULL"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "returns",
        sa.Column("city", sa.Text(), nullable=False),
        sa.Column("return_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("place", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("basket", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("line_no", sa.SmallInteger(), nullable=False),
        sa.Column("decision_no", sa.SmallInteger(), nullable=False),
        sa.Column("quantity", sa.SmallInteger(), nullable=False),
        sa.Column("returned_before", sa.SmallInteger(), nullable=False),
        sa.Column("bought", sa.SmallInteger(), nullable=False),
        sa.Column("store", sa.Text(), nullable=True),
        sa.Column("caller", sa.Text(), nullable=False),
        sa.Column("cashier", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("exchange_basket", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("returned_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("place >= 0 AND place < 50", name=op.f("ck_returns_place")),
        sa.CheckConstraint(
            "quantity >= 1 AND returned_before >= 0 AND returned_before + quantity <= bought",
            name=op.f("ck_returns_quantity"),
        ),
        sa.CheckConstraint("octet_length(sha256) = 32", name=op.f("ck_returns_sha256")),
        sa.PrimaryKeyConstraint("city", "return_id", "place", name=op.f("pk_returns")),
        sa.UniqueConstraint(
            "city", "basket", "line_no", "returned_before", name=op.f("uq_returns_city_basket_line_no_returned_before")
        ),
    )
    op.create_table(
        "open_voids",
        sa.Column("city", sa.Text(), nullable=False),
        sa.Column("basket", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("voided", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("city", "basket", name=op.f("pk_open_voids")),
    )
    op.execute(VOIDS)
    op.execute("GRANT SELECT, INSERT ON returns TO greenpoints_engine")
    op.execute("GRANT SELECT, INSERT, DELETE ON open_voids TO greenpoints_engine")
    op.execute("GRANT SELECT ON returns, open_voids TO greenpoints_console, greenpoints_auditor")
