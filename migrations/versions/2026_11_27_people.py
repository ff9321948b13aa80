"""Two accounts of one person become one: who is whom since, and what moves a member code and value with it.

The previous release writes no such row; its residents have absorbed nobody.
"""

import sqlalchemy as sa
from alembic import op

revision = "0030_people"
down_revision = "0040_checkpoints"
branch_labels = None
depends_on = None

REASONS = (
    "'grant', 'award', 'reversal', 'release', 'collect', 'lapse', 'expiry', 'repay', 'redemption', 'hold', 'donation',"
    " 'return', 'reclaim', 'reserve', 'unreserve', 'reinstate', 'merge'"
)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("ALTER TABLE residents ADD COLUMN absorbed uuid[] NOT NULL DEFAULT '{}'")
    op.execute("GRANT UPDATE (absorbed) ON residents TO greenpoints_engine")
    op.execute("GRANT UPDATE (resident) ON member_codes TO greenpoints_engine")
    op.execute("GRANT UPDATE (resident) ON redemptions TO greenpoints_engine")
    op.create_table(
        "merged_residents",
        sa.Column("absorbed", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("absorbed_home", sa.Text(), nullable=False),
        sa.Column("survivor", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("home", sa.Text(), nullable=False),
        sa.Column("merge", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("merged_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("absorbed <> survivor", name=op.f("ck_merged_residents_two")),
        sa.PrimaryKeyConstraint("absorbed", name=op.f("pk_merged_residents")),
    )
    op.create_index("ix_merged_residents_survivor", "merged_residents", ["survivor"])
    op.execute("GRANT SELECT, INSERT, UPDATE (survivor, home) ON merged_residents TO greenpoints_engine")
    op.execute("GRANT SELECT ON merged_residents TO greenpoints_console, greenpoints_auditor")
    op.execute("ALTER TABLE transfers DROP CONSTRAINT IF EXISTS ck_transfers_reason")
    op.execute(f"ALTER TABLE transfers ADD CONSTRAINT ck_transfers_reason CHECK (reason IN ({REASONS})) NOT VALID")
    # Long tables are read through without the locks that would stop everybody.
    with op.get_context().autocommit_block():
        op.execute("ALTER TABLE transfers VALIDATE CONSTRAINT ck_transfers_reason")
        op.execute("CREATE INDEX CONCURRENTLY ix_member_codes_resident ON member_codes (city, resident)")
