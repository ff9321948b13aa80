"""Labels of single pieces that are read again after their first sale: few rows, found without reading all decisions."""

from alembic import op

revision = "0052_repeated_units"
down_revision = "0043_walls"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(
        "CREATE INDEX ix_decisions_repeated ON decisions (city, decided_at, label_key) WHERE reason = 'unit_already_awarded'"
    )
