"""Old units that are handed in after their sale. A new table alone; the previous release goes on beside it."""

import sqlalchemy as sa
from alembic import op

revision = "0024_hand_ins"
down_revision = "0034_vouchers"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "hand_ins",
        sa.Column("city", sa.Text(), nullable=False),
        sa.Column("basket", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("sold_basket", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("sold_line", sa.SmallInteger(), nullable=False),
        sa.Column("handed_in_on", sa.Date(), nullable=False),
        sa.Column("caller", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("octet_length(sha256) = 32", name=op.f("ck_hand_ins_sha256")),
        sa.PrimaryKeyConstraint("city", "basket", name=op.f("pk_hand_ins")),
        sa.UniqueConstraint("city", "sold_basket", "sold_line", name=op.f("uq_hand_ins_city_sold_basket_sold_line")),
    )
    op.execute("GRANT SELECT, INSERT ON hand_ins TO greenpoints_engine")
    op.execute("GRANT SELECT ON hand_ins TO greenpoints_console, greenpoints_auditor")
