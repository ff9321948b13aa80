"""Awards in several units and under several policies; what a till adds to a line.

A decision keeps its first award in its own row, as before, so that the common scan costs nothing more; what is beyond stands
in a table of its own. The previous release writes and reads its rows as they were.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009_policy_language"
down_revision = "0007_roles_apart"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("decisions", sa.Column("evidence", sa.Text(), nullable=True))
    op.create_table(
        "further_awards",
        sa.Column("city", sa.Text(), nullable=False),
        sa.Column("basket", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("line_no", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("decision_no", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("award_no", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("policy_version", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("gross", sa.BigInteger(), nullable=False),
        sa.Column("award", sa.BigInteger(), nullable=False),
        sa.Column("limit_name", sa.Text(), nullable=True),
        sa.Column("limit_left", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "(reason IN ('awarded', 'awarded_in_part')) = (award > 0)", name=op.f("ck_further_awards_reason_award")
        ),
        sa.CheckConstraint("award >= 0 AND award <= gross AND gross > 0", name=op.f("ck_further_awards_award")),
        sa.CheckConstraint("award_no >= 2 AND award_no <= 100", name=op.f("ck_further_awards_number")),
        sa.PrimaryKeyConstraint("city", "basket", "line_no", "decision_no", "award_no", name=op.f("pk_further_awards")),
    )
    op.execute("GRANT SELECT, INSERT ON further_awards TO greenpoints_engine")
    op.execute("GRANT SELECT ON further_awards TO greenpoints_console, greenpoints_auditor")
