"""What a policy binds to the shop that sold the goods stays bound when a line of a claimed sale is decided later.

Of baskets that were claimed before, nothing says where: they count as claimed in their shop, as they have so far.
"""

import sqlalchemy as sa
from alembic import op

revision = "0074_claimed_elsewhere"
down_revision = "0073_one_file_at_once"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("baskets", sa.Column("claimed_elsewhere", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.execute("GRANT UPDATE (claimed_elsewhere) ON baskets TO greenpoints_engine")
