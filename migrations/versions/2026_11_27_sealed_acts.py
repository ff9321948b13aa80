"""Acts are sealed into the city's log like transfers: an entry says which of the two it is of.

The previous release writes entries of transfers alone, which is what the default says.
"""

import sqlalchemy as sa
from alembic import op

revision = "0042_sealed_acts"
down_revision = "0051_official_changes"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("log_entries", sa.Column("act", sa.Boolean(), nullable=False, server_default=sa.false()))
