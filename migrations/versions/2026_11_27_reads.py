"""How many reads a basket had: a decision taken away from its end was missed by nobody, since lines alone were counted.

Baskets of before stay without it; their number is found in the bytes that were signed, where these are kept.
"""

from alembic import op

revision = "0006_reads"
down_revision = "0005_phone_scans"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE baskets ADD COLUMN IF NOT EXISTS reads smallint")
    op.execute("ALTER TABLE baskets DROP CONSTRAINT IF EXISTS ck_baskets_reads")
    op.execute("ALTER TABLE baskets ADD CONSTRAINT ck_baskets_reads CHECK (reads >= 0 AND reads <= 50) NOT VALID")
    # The table may be long: it is read through without the lock that adding the constraint holds until its commit. Should
    # this end here, all of it may be run again.
    with op.get_context().autocommit_block():
        op.execute("ALTER TABLE baskets VALIDATE CONSTRAINT ck_baskets_reads")
